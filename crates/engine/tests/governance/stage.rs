//! A host without a disk, and who speaks in it.

pub(crate) use std::collections::VecDeque;
pub(crate) use tradewind_domain::*;
pub(crate) use tradewind_engine::algo::{Parent, ParentEvent, ParentId, ParentWish, Plan, Schedule};
pub(crate) use tradewind_engine::*;
pub(crate) use tradewind_gate::{Action, Guard, Limits, Mode, Proposal};
pub(crate) use tradewind_governance::*;

pub(crate) const UNIT: i64 = 100_000_000;
pub(crate) const AGENT: Source = Source::Agent(0);

/// A host without a disk that can speak for persons.
pub(crate) struct Host {
    pub(crate) state: State,
    pub(crate) journal: Vec<Vec<u8>>,
    pub(crate) sent: Vec<Order>,
    pub(crate) cancels: usize,
    pub(crate) verdict: Option<Verdict>,
    /// Whose the next wish is that comes by the operators' door, and under which key; Anna's if nobody says so.
    pub(crate) spoken: Option<Spoken>,
    /// The last word said who speaks, as in journals of before wishes named their person.
    pub(crate) follows: bool,
}

pub(crate) fn person(text: &str, roles: &[Role]) -> Principal {
    Principal::person(Name::new(text).unwrap(), roles.iter().copied())
}
pub(crate) fn anna() -> Principal {
    person("anna", &[Role::Trader, Role::Approver, Role::Risk])
}
pub(crate) fn ben() -> Principal {
    person("ben", &[Role::Trader, Role::Approver, Role::Risk])
}

impl Host {
    pub(crate) fn new(mode: Mode, policy: Option<Policy>) -> Self {
        let mut host = Self {
            state: State::default(),
            journal: Vec::new(),
            sent: Vec::new(),
            cancels: 0,
            verdict: None,
            spoken: None,
            follows: false,
        };
        host.start(0, 9, mode);
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals: 4,
            ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
        };
        host.say(0, Source::Host, EventKind::Listed(Box::new(spec.list(InstrumentId(0)).unwrap())));
        let usdt = Currency::new("USDT").unwrap();
        host.say(0, Source::Host, EventKind::Opened { base: usdt, name: "main".into() });
        host.say(
            0,
            Source::Host,
            EventKind::LimitsSet(Box::new(Limits { stale_after_nanos: None, ..Limits::RESEARCH })),
        );
        host.say(0, Source::Host, EventKind::Deposited(Money::parse("10000", usdt).unwrap()));
        host.act(0, Act::OperatorsSet { operators: vec![anna(), ben()], tokens: Default::default() });
        if let Some(policy) = policy {
            host.set_policy(0, policy);
        }
        host.trade(0, 10_000);
        host
    }

    pub(crate) fn start(&mut self, second: i64, incarnation: u64, mode: Mode) {
        let incarnation = Incarnation(incarnation);
        self.say(second, Source::Host, EventKind::Started { incarnation, mode, logic: LOGIC_VERSION });
    }

    pub(crate) fn set_policy(&mut self, second: i64, policy: Policy) {
        let (old, new) = (Box::new(Policy::default()), Box::new(policy));
        let state = ChangeState::Done { approver: None };
        let by = Principal::of_source(Source::Host).name;
        let changed = Changed::Policy { old, new };
        let id = self.state.sequence + 1;
        let at = Timestamp::from_millis(second * 1_000);
        self.act(second, Act::ChangeAsked(Change { id, changed, by, asked_at: at, reason: "test".into(), state }));
    }

    pub(crate) fn say(&mut self, second: i64, source: Source, kind: EventKind) {
        self.say_after(None, second, source, kind);
    }

    /// Says what follows from the event `cause`.
    pub(crate) fn say_after(&mut self, cause: Option<u64>, second: i64, source: Source, kind: EventKind) {
        let mut queue = VecDeque::from([(source, kind, cause)]);
        while let Some((source, kind, cause)) = queue.pop_front() {
            let at = Timestamp::from_millis(second * 1_000);
            let spoken = self.spoken_with(source, &kind);
            let event = Event { cause, spoken, ..Event::new(self.state.sequence + 1, at, source, kind) };
            let record = encode(&event, &self.state);
            assert_eq!(decode(&record).unwrap(), event); // every act is read as it was written
            self.journal.push(record);
            let mut commands = Vec::new();
            step(&mut self.state, &event, &mut commands);
            if let EventKind::Judged(verdict) = &event.kind {
                self.verdict = Some(verdict.clone());
            }
            for command in commands {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|waiting| &waiting.1)) => (),
                    Command::Record(kind, _) => queue.push_back((Source::Host, kind, Some(event.sequence))),
                    Command::Send(approved) => match approved.action() {
                        Action::Submit(order) => self.sent.push(*order),
                        Action::SubmitPair(pair) => self.sent.extend(pair.iter()),
                        Action::Cancel { .. } => self.cancels += 1,
                        Action::Amend { .. } => (),
                    },
                }
            }
        }
    }

    pub(crate) fn spoken_with(&mut self, source: Source, kind: &EventKind) -> Option<Box<Spoken>> {
        let follows = match kind {
            EventKind::Governance(act) => matches!(**act, Act::Speaks { .. } | Act::KeyClaimed { .. }),
            _ => false,
        };
        let follows = std::mem::replace(&mut self.follows, follows);
        let is_wish = !matches!(kind, EventKind::Governance(_)) && source == Source::Operator;
        let named = || Spoken { by: Some(anna().name), key: None };
        let spoken = is_wish.then(|| self.spoken.take().or_else(|| (!follows).then(named))).flatten();
        spoken.filter(|spoken| *spoken != Spoken::default()).map(Box::new)
    }

    pub(crate) fn act(&mut self, second: i64, act: Act) {
        self.say(second, Source::Operator, EventKind::Governance(Box::new(act)));
    }

    pub(crate) fn trade(&mut self, second: i64, price: i64) {
        let trade = Trade {
            instrument: InstrumentId(0),
            price: Price::from_mantissa(price),
            quantity: Quantity::from_mantissa(1),
            aggressor: Side::Buy,
            id: TradeId(u128::from(self.state.sequence)),
        };
        self.say(second, Source::Market, EventKind::Traded { trade, origin: Origin::Live });
    }

    /// Proposes; gives back the number of the event.
    pub(crate) fn propose(&mut self, second: i64, source: Source, request: OrderRequest) -> u64 {
        self.propose_after(None, second, source, request)
    }

    /// Proposes what follows from the decision that the event `decision` records.
    pub(crate) fn propose_after(
        &mut self,
        decision: Option<u64>,
        second: i64,
        source: Source,
        request: OrderRequest,
    ) -> u64 {
        self.verdict = None;
        let id = self.state.sequence + 1;
        let proposal =
            Proposal { plan: None, source, portfolio: PortfolioId(0), request, reason: "it looks cheap".into() };
        self.say_after(decision, second, source, EventKind::Proposed(proposal));
        id
    }

    /// Names a decision of `by`; gives back the number of the event.
    pub(crate) fn name_decision(&mut self, second: i64, source: Source, by: &str, id: &str) -> u64 {
        let number = self.state.sequence + 1;
        let decision = NamedDecision { by: Name::new(by).unwrap(), id: DecisionId::new(id) };
        self.say(second, source, EventKind::Governance(Box::new(Act::DecisionNamed(decision))));
        number
    }

    pub(crate) fn approve(&mut self, second: i64, proposal: u64, by: Principal) {
        let hash = self.held(proposal).hash.clone();
        self.act(second, Act::ApprovalSaid { proposal, hash, by });
    }

    pub(crate) fn held(&self, id: u64) -> &Held {
        &self.state.governance.proposals[&id]
    }

    /// Guard and rule of the last refusal.
    pub(crate) fn refusal(&self) -> Option<(Guard, Option<Rule>)> {
        match &self.verdict {
            Some(Verdict::Refused(refusal)) => Some((refusal.guard, refusal.rule)),
            _ => None,
        }
    }

    pub(crate) fn refusal_text(&self) -> String {
        match &self.verdict {
            Some(Verdict::Refused(refusal)) => refusal.to_string(),
            other => panic!("{other:?} is no refusal"),
        }
    }

    pub(crate) fn fill(&mut self, second: i64, order: Order) {
        self.say(second, Source::Host, EventKind::Sent { client_id: order.client_id() });
        let fill = Fill {
            client_id: order.client_id(),
            instrument: order.instrument(),
            trade_id: TradeId(u128::from(self.state.sequence)),
            side: order.side(),
            price: Price::from_mantissa(10_000),
            quantity: order.quantity(),
            liquidity: Liquidity::Taker,
            fee: Fee(Money::zero(Currency::new("USDT").unwrap())),
        };
        self.say(second, Source::Venue, EventKind::Filled(fill));
    }

    /// What is decided again is what was recorded, and what is folded alone is the same state.
    pub(crate) fn check(&self) {
        let mut replay = Replay::default();
        self.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
        assert_eq!(replay.divergence(), None);
        let mut folded = State::default();
        self.journal.iter().for_each(|record| apply(&mut folded, &decode(record).unwrap()));
        assert_eq!((folded.hash(), replay.state().hash()), (self.state.hash(), self.state.hash()));
        let again: State = serde_json::from_slice(&serde_json::to_vec(&self.state).unwrap()).unwrap();
        assert_eq!(again.hash(), self.state.hash());
    }
}

/// One ten-thousandth of a bitcoin costs a cent here, so a thousand of them are ten.
pub(crate) fn buy(quantity: i64) -> OrderRequest {
    OrderRequest::market(InstrumentId(0), Side::Buy, Quantity::from_mantissa(quantity))
}
pub(crate) fn sell(quantity: i64) -> OrderRequest {
    OrderRequest::market(InstrumentId(0), Side::Sell, Quantity::from_mantissa(quantity))
}

/// A target at 110 and a stop at 90 for what is held.
pub(crate) fn target_and_stop(quantity: i64) -> [OrderRequest; 2] {
    let (price, quantity) = (Price::from_mantissa(11_000), Quantity::from_mantissa(quantity));
    let target = OrderRequest::limit(InstrumentId(0), Side::Sell, quantity, price);
    let kind = OrderKind::Stop { trigger: Price::from_mantissa(9_000) };
    [OrderRequest { post_only: true, ..target }, OrderRequest { kind, ..target }]
}

impl Host {
    pub(crate) fn propose_pair(&mut self, second: i64, source: Source, requests: [OrderRequest; 2]) -> u64 {
        self.verdict = None;
        let id = self.state.sequence + 1;
        let [target, stop] = requests;
        let proposal = |request, reason: &'static str| Proposal {
            plan: None,
            source,
            portfolio: PortfolioId(0),
            request,
            reason: reason.into(),
        };
        let pair = Box::new([proposal(target, "a target"), proposal(stop, "a stop")]);
        self.say(second, source, EventKind::ProposedPair { pair });
        id
    }

    /// Buys a thousandth of a bitcoin's ten-thousandths, by a strategy, which needs nobody.
    pub(crate) fn holding(policy: Policy) -> Self {
        let mut host = Self::new(Mode::Paper, Some(policy));
        host.propose(1, Source::Strategy(0), buy(1_000));
        host.fill(1, host.sent[0]);
        host.sent.clear();
        host
    }
}

impl Host {
    pub(crate) fn stage(&mut self, second: i64, old: Option<usize>, new: Option<usize>, by: Principal) -> u64 {
        let shipped = |place: Option<usize>| place.and_then(Stage::shipped).map(Box::new);
        let id = self.state.sequence + 1;
        let changed = Changed::Stage { old: shipped(old), new: shipped(new) };
        self.act(second, Act::ChangeSaid { changed, by, reason: "a stage".into() });
        id
    }

    pub(crate) fn seen(&self) -> TrackRecord {
        self.state.governance.rollout.as_ref().unwrap().seen
    }
}

impl Host {
    pub(crate) fn wish(&mut self, second: i64, source: Source, request: OrderRequest, plan: Plan) -> u64 {
        self.wish_of_trade(second, source, request, plan, None)
    }

    /// As [`Self::wish`], with where its trade ends.
    pub(crate) fn wish_of_trade(
        &mut self,
        second: i64,
        source: Source,
        request: OrderRequest,
        plan: Plan,
        trade: Option<TradePlan>,
    ) -> u64 {
        self.verdict = None;
        let id = self.state.sequence + 1;
        let (portfolio, reason, trade) = (PortfolioId(0), "slowly".to_owned(), trade.map(Box::new));
        let wish = ParentWish { entry: None, trade, source, portfolio, request, plan, reason };
        self.say(second, source, EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
        id
    }

    pub(crate) fn timer(&mut self, second: i64) {
        self.say(second, Source::Timer, EventKind::Timer);
    }

    pub(crate) fn parent(&self) -> &Parent {
        self.state.parents.get(ParentId(1)).expect("it was opened")
    }

    /// Sends and fills the newest order.
    pub(crate) fn fill_last(&mut self, second: i64) {
        let order = *self.sent.last().unwrap();
        let intent = Intent {
            client_id: order.client_id(),
            body_sha256: String::new(),
            fence: Timestamp::from_millis(second * 1_000 + 2_000),
            not_before: None,
        };
        self.say(second, Source::Host, EventKind::Intended(intent));
        self.fill(second, order);
    }
}

pub(crate) fn twap(start: i64, seconds: i64, slices: u32) -> Plan {
    Plan::Schedule(Schedule::even(Timestamp::from_millis(start * 1_000), seconds * 1_000_000_000, slices))
}
