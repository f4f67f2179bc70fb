//! A host without a disk and a venue without a wire: a test says what the venue does.

use crate::judge::{Before, Judge};
use std::collections::{BTreeSet, VecDeque};
use tradewind_domain::*;
use tradewind_engine::algo::{ParentEvent, ParentWish, Plan};
use tradewind_engine::*;
use tradewind_gate::{Action, Cap, Limits, Mode, Proposal, Refusal};

pub(crate) const BTC: InstrumentId = InstrumentId(0);
/// The price of everything, unless a test says otherwise: 100.00.
pub(crate) const MARK: i64 = 10_000;

pub(crate) fn usdt() -> Currency {
    Currency::new("USDT").unwrap()
}
pub(crate) fn btc() -> Currency {
    Currency::new("BTC").unwrap()
}
pub(crate) const fn lots(mantissa: i64) -> Quantity {
    Quantity::from_mantissa(mantissa)
}
pub(crate) const fn price(mantissa: i64) -> Price {
    Price::from_mantissa(mantissa)
}
pub(crate) fn limit(side: Side, quantity: i64, at: i64) -> OrderRequest {
    OrderRequest::limit(BTC, side, lots(quantity), price(at))
}
pub(crate) fn market(side: Side, quantity: i64) -> OrderRequest {
    OrderRequest::market(BTC, side, lots(quantity))
}

/// 1,000 USDT an order and 2,500 USDT a position: amounts, so that they do not move with the equity.
pub(crate) const TIGHT: Limits = Limits {
    max_order: Cap { equity_bps: None, amount: Some(1_000 * 100_000_000) },
    max_position: Cap { equity_bps: None, amount: Some(2_500 * 100_000_000) },
    ..Limits::RESEARCH
};

/// The engine with a venue at its mercy. The judge looks at every event.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) state: State,
    pub(crate) journal: Vec<Vec<u8>>,
    pub(crate) sent: Vec<Order>,
    pub(crate) cancels: Vec<ClientOrderId>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) judge: Judge,
    /// Whether the judge looks away: its simple books know what is paid in full only.
    pub(crate) is_unjudged: bool,
    pub(crate) millis: i64,
    names: BTreeSet<ClientOrderId>,
    trades: u128,
}

impl Stage {
    /// Two portfolios of 10,000 USDT each under `limits`, and bitcoin at 100.
    pub(crate) fn new(limits: Limits) -> Self {
        let mut stage = Self::default();
        stage.start(9);
        for id in [PortfolioId(0), PortfolioId(1)] {
            if id == PortfolioId(0) {
                let spec = InstrumentSpec {
                    price_decimals: 2,
                    quantity_decimals: 4,
                    ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
                };
                stage.host(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
            }
            stage.say_for(id, Source::Host, EventKind::Opened { base: usdt(), name: format!("p{}", id.0) });
            stage.say_for(id, Source::Host, EventKind::LimitsSet(Box::new(limits)));
            stage.say_for(id, Source::Host, EventKind::Deposited(Money::parse("10000", usdt()).unwrap()));
        }
        stage.mark(MARK);
        stage
    }

    pub(crate) fn start(&mut self, incarnation: u64) {
        let incarnation = Incarnation(incarnation);
        self.host(EventKind::Started { incarnation, mode: Mode::Paper, logic: LOGIC_VERSION });
    }

    pub(crate) fn host(&mut self, kind: EventKind) {
        self.say_for(PortfolioId(0), Source::Host, kind);
    }

    pub(crate) fn venue(&mut self, kind: EventKind) {
        self.say_for(PortfolioId(0), Source::Venue, kind);
    }

    pub(crate) fn operator(&mut self, kind: EventKind) {
        self.say_for(PortfolioId(0), Source::Operator, kind);
    }

    pub(crate) fn say_for(&mut self, portfolio: PortfolioId, source: Source, kind: EventKind) {
        let mut queue = VecDeque::from([(source, kind, portfolio, None)]);
        let mut sends = Vec::new();
        while let Some((source, kind, portfolio, cause)) = queue.pop_front() {
            let at = Timestamp::from_millis(self.millis);
            let mut event = Event::new(self.state.sequence + 1, at, source, kind);
            (event.portfolio, event.cause) = (portfolio, cause);
            self.journal.push(encode(&event, &self.state));
            if let EventKind::Judged(Verdict::Refused(refusal)) = &event.kind {
                self.refusals.push((**refusal).clone());
            }
            let (before, mut commands) = (Before::of(&self.state), Vec::new());
            step(&mut self.state, &event, &mut commands);
            if !self.is_unjudged {
                self.judge.look(&before, &event, &self.state);
            }
            for command in commands {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|waiting| &waiting.1)) => (),
                    Command::Record(kind, to) => queue.push_back((Source::Host, kind, to, Some(event.sequence))),
                    Command::Send(approved) => sends.push(approved),
                }
            }
        }
        for approved in sends {
            self.send(approved.action()).into_iter().for_each(|kind| self.say_for(portfolio, Source::Host, kind));
        }
    }

    /// What leaves, once under each name; an intent is recorded before.
    fn send(&mut self, action: &Action) -> Vec<EventKind> {
        if let Action::Cancel { client_id, .. } = action {
            self.cancels.push(*client_id);
            return vec![EventKind::CancelSent { client_id: *client_id }];
        }
        if let Action::Amend { client_id, quantity, .. } = action {
            let said = Amend::Sent { quantity: *quantity };
            return vec![EventKind::Amend { client_id: *client_id, said }];
        }
        let intended = |order: &Order| {
            let client_id = order.client_id();
            assert!(self.names.insert(client_id), "{client_id} is sent twice");
            let (body_sha256, fence) = (String::new(), Timestamp::from_millis(self.millis + 2_000));
            EventKind::Intended(Intent { client_id, body_sha256, fence, not_before: None })
        };
        let intents = action.orders().iter().map(intended).collect();
        self.sent.extend(action.orders());
        intents
    }

    pub(crate) fn mark(&mut self, at: i64) {
        self.trades += 1;
        let (id, quantity) = (TradeId(self.trades), lots(1));
        let trade = Trade { instrument: BTC, price: price(at), quantity, aggressor: Side::Buy, id };
        self.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
    }

    /// Proposes for `portfolio`; the order's name, if it was approved.
    pub(crate) fn propose_for(&mut self, portfolio: u16, request: OrderRequest) -> Option<ClientOrderId> {
        let (before, portfolio) = (self.sent.len(), PortfolioId(portfolio));
        let proposal = Proposal { plan: None, source: Source::Strategy(0), portfolio, request, reason: "test".into() };
        self.say_for(portfolio, Source::Strategy(0), EventKind::Proposed(proposal));
        self.sent.get(before).map(Order::client_id)
    }

    pub(crate) fn propose(&mut self, request: OrderRequest) -> Option<ClientOrderId> {
        self.propose_for(0, request)
    }

    /// The operator wishes for an order that is carried out by a plan.
    pub(crate) fn wish(&mut self, request: OrderRequest, plan: Plan) {
        let (source, portfolio, reason) = (Source::Operator, PortfolioId(0), "a test".to_owned());
        let wish = ParentWish { entry: None, trade: None, source, portfolio, request, plan, reason };
        self.operator(EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
    }

    /// An order that the venue works.
    pub(crate) fn working(&mut self, request: OrderRequest) -> ClientOrderId {
        let client_id = self.propose(request).expect("the gate lets it pass");
        self.host(EventKind::Sent { client_id });
        self.accept(client_id);
        client_id
    }

    pub(crate) fn accept(&mut self, client_id: ClientOrderId) {
        self.venue(EventKind::Accepted { client_id, venue_id: VenueOrderId("1".into()) });
    }

    /// The next execution of an order, not yet told, without a fee.
    pub(crate) fn execution(&mut self, client_id: ClientOrderId, quantity: i64, at: i64) -> Fill {
        self.trades += 1;
        let side = self.sent.iter().find(|order| order.client_id() == client_id).map_or(Side::Buy, Order::side);
        Fill {
            client_id,
            instrument: BTC,
            trade_id: TradeId(self.trades),
            side,
            price: price(at),
            quantity: lots(quantity),
            liquidity: Liquidity::Taker,
            fee: Fee(Money::zero(usdt())),
        }
    }

    pub(crate) fn fill(&mut self, client_id: ClientOrderId, quantity: i64, at: i64) -> Fill {
        let fill = self.execution(client_id, quantity, at);
        self.venue(EventKind::Filled(fill));
        fill
    }

    /// A position of `quantity`, bought at the mark.
    pub(crate) fn holding(&mut self, quantity: i64) {
        let id = self.working(market(Side::Buy, quantity));
        self.fill(id, quantity, MARK);
    }

    pub(crate) fn status(&self, id: ClientOrderId) -> &'static str {
        self.state.order(id).unwrap().status()
    }

    pub(crate) fn position(&self) -> i64 {
        self.state.portfolio(PortfolioId(0)).position(BTC).quantity().mantissa()
    }

    pub(crate) fn last_refusal(&self) -> String {
        self.refusals.last().map(ToString::to_string).unwrap_or_default()
    }

    /// Folds the journal from `state` and the record `from` on.
    pub(crate) fn folded(&self, mut state: State, from: usize) -> State {
        self.journal[from..].iter().for_each(|record| apply(&mut state, &decode(record).unwrap()));
        state
    }

    /// The journal folds to the same state, and deciding again comes to the same.
    pub(crate) fn check_journal(&self) {
        assert_eq!(self.folded(State::default(), 0), self.state);
        let mut replay = Replay::default();
        self.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
        assert_eq!(replay.divergence(), None);
        assert_eq!(replay.state().hash(), self.state.hash());
    }
}
