//! Plans of trades in the order path: judged by the gate, kept at the venue, closed before their protection, watched.

#![allow(clippy::unwrap_used)] // a test may

mod approved;
mod guards;
mod keeping;
mod way;

use proptest::prelude::*;
use std::collections::VecDeque;
use tradewind_domain::*;
use tradewind_engine::algo::{
    Ask, Parent, ParentEnd, ParentEvent, ParentId, ParentState, ParentWish, Plan as How, Protection, Schedule,
};
use tradewind_engine::*;
use tradewind_gate::{Action, Limits, Mode, Proposal, Refusal};
use tradewind_risk::{AccountLimits, Guard, Profile, RiskMode};

const BTC: InstrumentId = InstrumentId(0);
const MAIN: PortfolioId = PortfolioId(0);
const ME: Source = Source::Strategy(0);
const SPOT: (&str, InstrumentKind) = ("BTC/USDT", InstrumentKind::Spot);
const CONTRACT: (&str, InstrumentKind) = ("BTC/USDT:USDT", InstrumentKind::LinearPerpetual);
const ENDS: [i64; 2] = [9_800, 10_400];
const SECOND: i64 = 1_000_000_000;

/// A host without a disk, and a venue that takes every order and cancels the other leg of a pair by itself.
struct Host {
    state: State,
    journal: Vec<Vec<u8>>,
    sent: Vec<Order>,
    cancels: Vec<ClientOrderId>,
    refusals: Vec<Refusal>,
    notes: Vec<RiskAct>,
    fate: Fate,
    trades: u128,
    millis: i64,
}

/// What becomes of the orders that only reduce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Taken,
    Rejected,
    NotSent,
    AnswerLost,
}

fn usdt() -> Currency {
    Currency::new("USDT").unwrap()
}
const fn lots(mantissa: i64) -> Quantity {
    Quantity::from_mantissa(mantissa)
}
const fn price(mantissa: i64) -> Price {
    Price::from_mantissa(mantissa)
}
fn buy(quantity: i64) -> OrderRequest {
    OrderRequest::market(BTC, Side::Buy, lots(quantity))
}
fn sell(quantity: i64) -> OrderRequest {
    OrderRequest::market(BTC, Side::Sell, lots(quantity))
}
fn plan(stop: i64, target: i64) -> TradePlan {
    TradePlan { stop: Some(price(stop)), target: Some(price(target)), ..TradePlan::default() }
}
fn ends() -> TradePlan {
    plan(ENDS[0], ENDS[1])
}

/// So many slices from now on, `seconds` apart.
fn slices(host: &Host, count: u32, seconds: i64) -> How {
    let start = Timestamp::from_millis(host.millis);
    How::Schedule(Schedule { start, every_nanos: seconds * SECOND, slices: count, weights: Vec::new() })
}

fn is_exit(order: &&Order) -> bool {
    order.side() == Side::Sell && *order.kind() == OrderKind::Market
}

/// 10,000 USDT; bitcoin at 100.00, bought and sold in steps of 0.0001.
fn host_on((symbol, kind): (&str, InstrumentKind), limits: Limits, account: Option<AccountLimits>) -> Host {
    let (refusals, notes) = (Vec::new(), Vec::new());
    let state = State::default();
    let (journal, sent, cancels) = (Vec::new(), Vec::new(), Vec::new());
    let mut host = Host { state, journal, sent, cancels, refusals, notes, fate: Fate::Taken, trades: 0, millis: 0 };
    host.start();
    let spec = InstrumentSpec {
        kind,
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
    };
    host.say(Source::Host, EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
    host.say(Source::Host, EventKind::Opened { base: usdt(), name: "main".into() });
    host.say(Source::Host, EventKind::LimitsSet(Box::new(limits)));
    host.say(Source::Host, EventKind::Deposited(Money::parse("10000", usdt()).unwrap()));
    if let Some(limits) = account {
        host.say(Source::Operator, EventKind::Risk(Box::new(RiskAct::AccountLimits { limits: Box::new(limits) })));
    }
    host.mark(10_000);
    host
}

fn host(limits: Limits, account: Option<AccountLimits>) -> Host {
    host_on(SPOT, limits, account)
}

fn shipped(profile: Profile) -> Host {
    host(profile.limits(), Some(profile.account()))
}

impl Host {
    fn start(&mut self) {
        let kind = EventKind::Started { incarnation: Incarnation(9), mode: Mode::Paper, logic: LOGIC_VERSION };
        self.say(Source::Host, kind);
    }

    fn say(&mut self, source: Source, kind: EventKind) {
        let mut queue = VecDeque::from([(source, kind, MAIN)]);
        let mut sent = Vec::new();
        while let Some((source, kind, portfolio)) = queue.pop_front() {
            let at = Timestamp::from_millis(self.millis);
            let mut event = Event::new(self.state.sequence + 1, at, source, kind);
            event.portfolio = portfolio;
            self.journal.push(encode(&event, &self.state));
            match &event.kind {
                EventKind::Judged(Verdict::Refused(refusal)) => self.refusals.push((**refusal).clone()),
                EventKind::Risk(act) => self.notes.push((**act).clone()),
                _ => (),
            }
            let mut commands = Vec::new();
            step(&mut self.state, &event, &mut commands);
            for command in commands {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|waiting| &waiting.1)) => (),
                    Command::Record(kind, portfolio) => queue.push_back((Source::Host, kind, portfolio)),
                    Command::Send(approved) => match approved.action() {
                        Action::Cancel { client_id, .. } => self.cancels.push(*client_id),
                        Action::Amend { .. } => (),
                        action => sent.extend(action.orders().iter().copied()),
                    },
                }
            }
        }
        for order in sent {
            self.taken(order);
        }
    }

    /// The venue takes an order.
    fn taken(&mut self, order: Order) {
        let client_id = order.client_id();
        self.sent.push(order);
        let fence = Timestamp::from_millis(self.millis + 2_000);
        let intent = Intent { client_id, body_sha256: String::new(), fence, not_before: None };
        self.say(Source::Host, EventKind::Intended(intent));
        let fate = if order.request().reduce_only { self.fate } else { Fate::Taken };
        if fate == Fate::NotSent {
            return self.say(Source::Host, EventKind::NotSent { client_id, reason: "no connection".into() });
        }
        self.say(Source::Host, EventKind::Sent { client_id });
        match fate {
            Fate::Taken | Fate::NotSent => (),
            Fate::Rejected => {
                return self.say(Source::Venue, EventKind::Rejected { client_id, reason: "too many stops".into() });
            }
            Fate::AnswerLost => {
                return self.say(Source::Host, EventKind::AnswerLost { client_id, reason: "cut".into() });
            }
        }
        let venue_id = VenueOrderId(self.sent.len().to_string().into());
        self.say(Source::Venue, EventKind::Accepted { client_id, venue_id });
    }

    /// The venue says of every open order that it stands, which a new process doubts.
    fn open_orders_are_seen(&mut self) {
        let open: Vec<ClientOrderId> = self.state.open.keys().copied().collect();
        for client_id in open {
            self.say(Source::Venue, EventKind::Accepted { client_id, venue_id: VenueOrderId("seen".into()) });
        }
    }

    /// Ten of the smallest decimals are a lot from here on.
    fn trades_in_lots_of_ten(&mut self) {
        let spec = self.state.listing(BTC).instrument.spec.clone();
        let spec = InstrumentSpec { lot: lots(10), min_quantity: lots(10), ..spec };
        self.say(Source::Host, EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
    }

    fn mark(&mut self, at: i64) {
        self.market_trades(1, at);
    }

    fn market_trades(&mut self, quantity: i64, at: i64) {
        self.trades += 1;
        let (quantity, id) = (lots(quantity), TradeId(self.trades));
        let trade = Trade { instrument: BTC, price: price(at), quantity, aggressor: Side::Buy, id };
        self.say(Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
    }

    /// So many milliseconds pass.
    fn pass(&mut self, millis: i64) {
        self.millis += millis;
        self.say(Source::Timer, EventKind::Timer);
    }

    fn propose_as(&mut self, source: Source, request: OrderRequest, plan: Option<TradePlan>) -> Result<Order, Refusal> {
        let (sent, plan) = (self.sent.len(), plan.map(Box::new));
        let proposal = Proposal { source, portfolio: MAIN, request, reason: "test".into(), plan };
        let refused = self.refusals.len();
        self.say(source, EventKind::Proposed(proposal));
        match self.refusals.get(refused) {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(self.sent.get(sent).copied().unwrap_or_else(|| *self.sent.last().unwrap())),
        }
    }

    fn propose(&mut self, request: OrderRequest, plan: Option<TradePlan>) -> Result<Order, Refusal> {
        self.propose_as(ME, request, plan)
    }

    /// An order that fills whole, at 100.
    fn trade(&mut self, request: OrderRequest, plan: Option<TradePlan>) {
        let order = self.propose(request, plan).unwrap();
        self.fill(&order, request.quantity.mantissa(), 10_000);
    }

    /// The parent that somebody wishes for, or the refusal.
    fn wish(&mut self, request: OrderRequest, how: How, trade: TradePlan) -> Result<ParentId, Refusal> {
        let (refused, id) = (self.refusals.len(), self.state.parents.next_id());
        let (reason, trade) = ("test".to_owned(), Some(Box::new(trade)));
        let wish = ParentWish { entry: None, source: ME, portfolio: MAIN, request, plan: how, reason, trade };
        self.say(ME, EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
        match self.refusals.get(refused) {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(id),
        }
    }

    /// A schedule of so many slices of 1,000 each, a minute apart.
    fn with_slices(mut self, count: u32) -> Self {
        let how = slices(&self, count, 60);
        self.wish(buy(i64::from(count) * 1_000), how, ends()).unwrap();
        self
    }

    /// The first there was.
    fn parent(&self) -> &Parent {
        self.state.parents.get(ParentId(1)).unwrap()
    }

    fn ask(&mut self, ask: Ask) {
        let said = ParentEvent::Asked { parent: ParentId(1), ask, reason: "on request".to_owned() };
        self.say(Source::Operator, EventKind::Parent(Box::new(said)));
    }

    /// It is asked to close so much.
    fn leave(&mut self, quantity: i64) {
        self.ask(Ask::Leave { quantity: lots(quantity), proposal: None });
    }

    fn over(&self) -> (ParentEnd, &str) {
        let ParentState::Over { end, reason } = &self.parent().state else { panic!("{:?}", self.parent().state) };
        (*end, reason)
    }

    /// The guard that refuses `plan` for `request`, with what it found.
    fn breach(&mut self, request: OrderRequest, plan: TradePlan) -> Option<(Guard, String)> {
        self.millis += 5_000;
        self.mark(10_000);
        let refusal = self.propose(request, Some(plan)).err()?;
        Some((refusal.breach?, refusal.value))
    }

    fn fill(&mut self, order: &Order, quantity: i64, at: i64) {
        self.filled(order, quantity, at, Money::zero(usdt()));
    }

    /// As [`Self::fill`], where the fee is so much of what was bought.
    fn fill_less_fee(&mut self, order: &Order, quantity: i64, at: i64, fee: &str) {
        self.filled(order, quantity, at, Money::parse(fee, Currency::new("BTC").unwrap()).unwrap());
    }

    fn filled(&mut self, order: &Order, quantity: i64, at: i64, fee: Money) {
        self.trades += 1;
        let fill = Fill {
            client_id: order.client_id(),
            instrument: BTC,
            trade_id: TradeId(1_000_000 + self.trades),
            side: order.side(),
            price: price(at),
            quantity: lots(quantity),
            liquidity: Liquidity::Taker,
            fee: Fee(fee),
        };
        self.say(Source::Venue, EventKind::Filled(fill));
        let group = order.request().oco;
        let other = |it: &&Order| group.is_some() && it.request().oco == group && it.client_id() != order.client_id();
        let other = self.sent.iter().find(other).map(Order::client_id);
        if let Some(client_id) = other.filter(|id| self.state.open.contains_key(id)) {
            self.cancelled(client_id);
        }
    }

    /// All that was bought and not filled yet fills.
    fn buys_fill(&mut self) {
        let open: Vec<Order> = self.state.open.values().map(|record| record.order).collect();
        for order in open.iter().filter(|order| order.side() == Side::Buy) {
            let rest = self.state.open[&order.client_id()].open_quantity().mantissa();
            self.fill(order, rest, order.kind().limit().map_or(10_000, Price::mantissa));
        }
    }

    fn cancelled(&mut self, client_id: ClientOrderId) {
        self.say(Source::Venue, EventKind::Cancelled { client_id, reason: "on request".into() });
    }

    fn cancels_are_done(&mut self) {
        for client_id in std::mem::take(&mut self.cancels) {
            if self.state.open.contains_key(&client_id) {
                self.cancelled(client_id);
            }
        }
    }

    /// So many times: the venue does every cancel that was asked of it, so many milliseconds pass, and a trade is seen.
    fn rounds(&mut self, count: usize, millis: i64) {
        for _ in 0..count {
            self.cancels_are_done();
            self.pass(millis);
            let mark = self.state.listing(BTC).mark.unwrap().price.mantissa();
            self.mark(mark);
        }
    }

    fn seconds(&mut self, count: usize) {
        self.rounds(count, 1_000);
    }

    /// Until nothing more is asked.
    fn settle(&mut self) {
        self.rounds(20, 1_500);
    }

    /// Another hand's order to sell so much rests at the venue, or is over.
    fn other_hand_sells(&mut self, quantity: i64, open: bool) {
        let order = ForeignOrder {
            client_id: ClientOrderId::foreign("test", "BTCUSDT", "1"),
            client_text: "web_1".to_owned(),
            venue_id: VenueOrderId("1".into()),
            instrument: BTC,
            side: Side::Sell,
            price: Some(price(10_300)),
            quantity: lots(quantity),
            filled: lots(0),
            earlier: lots(0),
            open,
            waits: false,
            terms: VenueTerms::default(),
        };
        self.say(Source::Venue, EventKind::Foreign(Box::new(order)));
    }

    fn held(&self) -> i64 {
        self.state.portfolio(MAIN).position(BTC).quantity().mantissa()
    }

    /// The stops that stand, by quantity.
    fn stops(&self) -> Vec<i64> {
        let stands = |it: &&OrderRecord| matches!(it.order.kind(), OrderKind::Stop { .. });
        let mut stops: Vec<i64> =
            self.state.open.values().filter(stands).map(|it| it.open_quantity().mantissa()).collect();
        stops.sort_unstable();
        stops
    }

    fn newest(&self, is: impl Fn(&OrderKind) -> bool) -> Order {
        *self.sent.iter().rfind(|order| is(order.kind())).unwrap()
    }

    fn newest_stop(&self) -> Order {
        self.newest(|kind| matches!(kind, OrderKind::Stop { .. }))
    }

    /// The ways out that went at market, by quantity and the oldest first.
    fn exits(&self) -> Vec<i64> {
        self.sent.iter().filter(is_exit).map(|it| it.quantity().mantissa()).collect()
    }

    fn newest_exit(&self) -> Order {
        *self.sent.iter().rfind(is_exit).unwrap()
    }

    /// The newest order of all, which leaves so much at market.
    #[track_caller]
    fn exit_of(&self, quantity: i64) -> Order {
        let exit = *self.sent.last().unwrap();
        assert_eq!((exit.side(), *exit.kind(), exit.quantity()), (Side::Sell, OrderKind::Market, lots(quantity)));
        exit
    }

    /// So much of the newest way out fills, at 100.
    fn exit_fills(&mut self, quantity: i64) {
        let exit = self.newest_exit();
        self.fill(&exit, quantity, 10_000);
    }

    /// What stands at the venue, as `sell 500 stop 9800`.
    fn standing(&self) -> Vec<String> {
        let text = |record: &OrderRecord| {
            let (order, kind) = (&record.order, record.order.kind());
            let side = if order.side() == Side::Buy { "buy" } else { "sell" };
            let at = kind.limit().or(kind.trigger()).map_or_else(String::new, |at| format!(" {}", at.mantissa()));
            format!("{side} {} {}{at}", record.open_quantity().mantissa(), kind.word())
        };
        let mut all: Vec<String> = self.state.open.values().map(text).collect();
        all.sort();
        all
    }

    /// A process that found the first `records` records on its disk.
    fn restarted_after(&self, records: usize) -> Self {
        let journal = self.journal[..records].to_vec();
        let mut state = State::default();
        journal.iter().for_each(|record| apply(&mut state, &decode(record).unwrap()));
        let (sent, cancels, refusals, notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let millis = self.millis.min(state.now.nanos() / 1_000_000);
        Self { state, journal, sent, cancels, refusals, notes, fate: Fate::Taken, trades: 1_000_000, millis }
    }

    /// Recovery folds to the same state, and deciding again decides the same.
    fn check_journal(&self) {
        let mut state = State::default();
        let mut replay = Replay::default();
        for record in &self.journal {
            let event = decode(record).unwrap();
            apply(&mut state, &event);
            replay.feed(&event);
        }
        assert_eq!(state.hash(), self.state.hash());
        assert_eq!((replay.divergence(), replay.state()), (None, &self.state));
    }
}

#[test]
fn the_gate_judges_plans_by_the_shipped_limits_on_both_sides() {
    for profile in Profile::ALL {
        let mut host = shipped(profile);
        let small = buy(5_000); // half a bitcoin for 50
        for (plan, want) in [
            (plan(9_800, 10_300), None),
            (TradePlan { hold: true, ..plan(9_800, 10_300) }, Some(Guard::Plan)),
            (TradePlan { confidence_bps: Some(6_000), ..plan(9_800, 10_300) }, None),
            (TradePlan { confidence_bps: Some(5_999), ..plan(9_800, 10_300) }, Some(Guard::Confidence)),
            (plan(9_950, 10_300), None),
            (plan(9_951, 10_300), Some(Guard::StopDistance)),
            (plan(9_500, 11_000), None),
            (plan(9_499, 11_000), Some(Guard::StopDistance)),
            (plan(9_800, 10_299), Some(Guard::RewardRisk)),
        ] {
            let found = host.breach(small, plan).map(|(guard, _)| guard);
            assert_eq!(found, want, "{} {plan:?}", profile.name());
        }
        host.check_journal();
    }
}

#[test]
fn the_loss_at_the_stop_is_bounded_by_the_shipped_limit() {
    // 2 % of 10,000 may be lost at the stop: 5 % of 4,000, and not of 4,001
    let mut host = shipped(Profile::Demo);
    assert_eq!(host.breach(buy(400_000), plan(9_500, 11_000)), None);
    let mut host = shipped(Profile::Demo);
    let (guard, value) = host.breach(buy(400_100), plan(9_500, 11_000)).unwrap();
    assert_eq!((guard, value.as_str()), (Guard::OrderRisk, "200.05 of an equity of 10000"));
}

#[test]
fn odd_plans_are_refused_by_name() {
    let mut host = shipped(Profile::Moderate);
    let sure = |confidence_bps| TradePlan { confidence_bps: Some(confidence_bps), ..TradePlan::default() };
    let ends = |stop, target| TradePlan { stop, target, ..TradePlan::default() };
    for (plan, guard, value) in [
        (plan(-1, 10_300), Guard::StopDistance, "-0.01"),
        (plan(0, 10_300), Guard::StopDistance, "0"),
        (plan(i64::MAX, 10_300), Guard::StopDistance, "a stop at 92233720368547758.07 for an entry at 100"),
        (plan(i64::MIN, 10_300), Guard::StopDistance, "-92233720368547758.08"),
        (ends(None, Some(price(-5))), Guard::RewardRisk, "-0.05"),
        (ends(None, Some(price(9_999))), Guard::RewardRisk, "a target at 99.99 for an entry at 100"),
        (sure(-1), Guard::Confidence, "-0.01 %"),
        (sure(10_001), Guard::Confidence, "100.01 %"),
        (sure(i64::MAX), Guard::Confidence, "92233720368547758.07 %"),
    ] {
        let found = host.breach(buy(5_000), plan).unwrap();
        assert_eq!((found.0, found.1.as_str()), (guard, value), "{plan:?}");
    }
    let trailing = OrderKind::Trailing { offset: TrailingOffset::Bps(100), activation: None };
    let waiting = OrderRequest { kind: trailing, ..buy(5_000) };
    let refusal = host.propose(waiting, Some(plan(9_800, 10_300))).unwrap_err();
    assert!(
        refusal.to_string().starts_with("GATE-03 Order: it cannot be sent as it is: a plan with a trailing-stop order"),
        "{refusal}"
    );
    // without limits nobody audits, and still no bracket is made of nonsense
    let mut open = self::host(Limits::RESEARCH, None);
    for plan in [plan(-1, 10_300), plan(10_300, 9_800)] {
        let refusal = open.propose(buy(5_000), Some(plan)).unwrap_err();
        assert!(refusal.to_string().starts_with("GATE-03 Order"), "{refusal}");
    }
    assert_eq!((open.sent.len(), open.held()), (0, 0));
    open.check_journal();
}

#[test]
fn what_was_put_right_is_recorded_and_traded() {
    let mut host = shipped(Profile::Conservative);
    let wrong = TradePlan { atr: Some(price(100)), ..plan(10_100, 10_400) };
    let order = host.propose(buy(5_000), Some(wrong)).unwrap();
    let Some(RiskAct::Planned { client_id, plan, corrections }) = host.notes.last() else { panic!() };
    assert_eq!((*client_id, plan.stop), (order.client_id(), Some(price(9_850))));
    assert_eq!((corrections[0].what.as_str(), corrections[0].to.as_str()), ("stop", "98.5"));
    host.fill(&order, 5_000, 10_000);
    assert_eq!(host.standing(), ["sell 5000 limit 10400", "sell 5000 stop 9850"]);
}

/// The conservative profile with 15 basis points of impact at most, in that mode, and a book that 4,000 fit of.
fn in_a_thin_book(mode: i64) -> Host {
    let mut limits = Profile::Conservative.limits();
    let controls = limits.controls.as_mut().unwrap();
    (controls.impact_bps, controls.impact_mode) = (Some(15), Some(mode));
    let mut host = host(limits, Some(Profile::Conservative.account()));
    let depth = Depth { instrument: BTC, bids: [lots(2_000), lots(10_000)], asks: [lots(2_000), lots(10_000)] };
    host.say(Source::Market, EventKind::Deepened { depth, origin: Origin::Recorded });
    host
}

#[test]
fn an_order_that_the_book_does_not_hold_is_made_smaller_recorded_and_guarded_at_that_size() {
    let mut strict = in_a_thin_book(1);
    assert_eq!(strict.propose(buy(9_000), None).unwrap_err().breach, Some(Guard::Impact));
    let mut host = in_a_thin_book(2);
    let order = host.propose(buy(9_000), Some(plan(9_800, 10_300))).unwrap();
    assert_eq!(order.quantity(), lots(4_000));
    let [.., RiskAct::Resized { client_id, correction }, RiskAct::Planned { .. }] = host.notes.as_slice() else {
        panic!("{:?}", host.notes)
    };
    assert_eq!(*client_id, order.client_id());
    assert_eq!(
        (correction.what.as_str(), correction.from.as_str(), correction.to.as_str()),
        ("quantity", "0.9", "0.4")
    );
    host.fill(&order, 4_000, 10_000);
    assert_eq!(host.standing(), ["sell 4000 limit 10300", "sell 4000 stop 9800"]);
    host.check_journal();
    let mut aggressive = in_a_thin_book(3);
    assert_eq!(aggressive.propose(buy(9_000), None).unwrap().quantity(), lots(9_000));
    assert!(!aggressive.notes.iter().any(|note| matches!(note, RiskAct::Resized { .. })));
}

#[test]
fn what_a_parent_asks_for_is_not_made_smaller() {
    let mut host = in_a_thin_book(2);
    let plan = How::Schedule(Schedule::even(Timestamp::from_millis(0), 40_000_000_000, 2));
    let reason = "a test".to_owned();
    let mut wish = ParentWish {
        entry: None,
        trade: None,
        source: Source::Operator,
        portfolio: MAIN,
        request: buy(9_000),
        plan,
        reason,
    };
    let said = |wish: &ParentWish| EventKind::Parent(Box::new(ParentEvent::Wished { wish: wish.clone() }));
    host.say(Source::Operator, said(&wish));
    let refusal = host.refusals.last().expect("a slice of 4,500 is beyond the limit");
    assert_eq!((refusal.breach, host.sent.len()), (Some(Guard::Impact), 0));
    wish.request = buy(8_000);
    host.say(Source::Operator, said(&wish));
    assert_eq!(host.sent.iter().map(Order::quantity).collect::<Vec<_>>(), [lots(4_000)]);
}

#[test]
fn what_fills_of_a_planned_order_is_protected_through_halt_and_restart() {
    let mut host = shipped(Profile::Conservative);
    let limit = OrderRequest::limit(BTC, Side::Buy, lots(8_000), price(9_990));
    let order = host.propose(limit, Some(plan(9_800, 10_400))).unwrap();
    host.pass(1_000);
    host.fill(&order, 3_000, 9_990);
    assert_eq!(host.standing(), ["buy 5000 limit 9990", "sell 3000 limit 10400", "sell 3000 stop 9800"]);
    host.say(Source::Operator, EventKind::Halted(Halt { reason: "look".into() }));
    host.settle();
    assert_eq!(host.standing(), ["sell 3000 limit 10400", "sell 3000 stop 9800"], "the entry goes, protection stays");
    host.start();
    host.open_orders_are_seen();
    host.say(Source::Operator, EventKind::Resumed { reason: "checked".into() });
    host.settle();
    assert_eq!(host.standing(), ["sell 3000 limit 10400", "sell 3000 stop 9800"]);
    let target = *host.sent.iter().find(|it| it.kind().limit() == Some(price(10_400))).unwrap();
    host.fill(&target, 1_000, 10_400);
    host.settle();
    assert_eq!(host.standing(), ["sell 2000 limit 10400", "sell 2000 stop 9800"], "what is left has a pair of its own");
    host.check_journal();
}

#[test]
fn an_exit_goes_before_its_protection_and_what_is_left_is_protected_anew() {
    let mut host = shipped(Profile::Moderate);
    host.trade(buy(10_000), Some(ends()));
    assert_eq!(host.state.open_wishes(MAIN, BTC), (lots(0), lots(0)), "protection is nobody's wish to sell");
    host.mark(10_050);
    let sent = host.sent.len();
    host.propose(sell(4_000), None).unwrap();
    assert_eq!(host.state.open_wishes(MAIN, BTC), (lots(0), lots(4_000)), "it is on its way");
    host.settle();
    assert_eq!(host.standing(), ["sell 4000 market", "sell 6000 limit 10400", "sell 6000 stop 9800"]);
    let exit = host.sent[sent];
    assert!(exit.request().reduce_only && *exit.kind() == OrderKind::Market);
    host.fill(&exit, 4_000, 10_050);
    host.settle();
    assert_eq!(host.standing(), ["sell 6000 limit 10400", "sell 6000 stop 9800"]);
    host.propose_as(Source::Operator, sell(6_000), None).unwrap();
    host.mark(10_050);
    host.settle();
    let exit = *host.sent.last().unwrap();
    host.fill(&exit, 6_000, 10_050);
    host.settle();
    assert_eq!((host.held(), host.standing()), (0, vec![]));
    let over = host.state.parents.over().next().unwrap();
    assert!(matches!(&over.state, ParentState::Over { reason, .. } if reason == "1 entered and left"), "{over:?}");
    host.check_journal();
}

#[test]
fn while_halted_protection_makes_way_for_a_persons_exit_alone() {
    let mut host = shipped(Profile::Moderate);
    host.trade(buy(10_000), Some(ends()));
    host.say(Source::Operator, EventKind::Halted(Halt { reason: "look".into() }));
    for (source, request) in
        [(ME, OrderRequest { reduce_only: true, ..sell(10_000) }), (Source::Operator, sell(10_000))]
    {
        let refusal = host.propose_as(source, request, None).unwrap_err();
        assert_eq!(refusal.code(), "GATE-01", "{refusal}");
        host.settle();
        assert_eq!(host.standing(), ["sell 10000 limit 10400", "sell 10000 stop 9800"]);
    }
    host.propose_as(Source::Operator, OrderRequest { reduce_only: true, ..sell(10_000) }, None).unwrap();
    host.settle();
    assert_eq!(host.standing(), ["sell 10000 market"]);
    host.check_journal();
}

#[test]
fn a_position_without_a_stop_may_only_shrink_after_a_minute() {
    let mut host = shipped(Profile::Conservative);
    host.trade(buy(5_000), None);
    let tripped = |host: &Host| host.state.risk.as_ref().unwrap().monitor.mode(MAIN, BTC) == RiskMode::ReduceOnly;
    host.pass(59_999);
    host.mark(10_000);
    assert!(!tripped(&host));
    let entry = host.propose(OrderRequest::limit(BTC, Side::Buy, lots(2_000), price(9_900)), None).unwrap();
    host.pass(1);
    assert!(tripped(&host));
    assert_eq!(host.cancels, [entry.client_id()], "what would add goes");
    let (guard, value) = host.breach(buy(1_000), plan(9_800, 10_400)).unwrap();
    assert_eq!((guard, value.starts_with("reduce-only: 60 s since")), (Guard::Unprotected, true), "{value}");
    let guarded = host.state.guarded();
    let since = Some(Timestamp::from_millis(0));
    assert_eq!((guarded[0].protected, guarded[0].bare_since), (lots(0), since));
    // a stop clears it
    let stop = OrderRequest { kind: OrderKind::Stop { trigger: price(9_800) }, reduce_only: true, ..sell(5_000) };
    let stop = host.propose_as(Source::Operator, stop, None).unwrap();
    assert!(!tripped(&host));
    // and its end counts anew
    host.cancelled(stop.client_id());
    host.pass(59_999);
    assert!(!tripped(&host));
    host.pass(1);
    assert!(tripped(&host));
    host.say(Source::Operator, EventKind::Resumed { reason: "seen".into() });
    host.pass(59_999);
    assert!(!tripped(&host), "a person's reset gives another minute");
    host.pass(1);
    assert!(tripped(&host));
    host.mark(10_000);
    host.cancelled(entry.client_id());
    host.trade(sell(5_000), None);
    assert!(!tripped(&host), "nothing is left to protect");
    host.check_journal();
}

#[test]
fn half_a_stop_is_not_enough_and_a_trailing_one_of_the_engine_is() {
    let mut host = shipped(Profile::Conservative);
    host.trade(buy(5_000), None);
    let missing = |host: &Host| !host.state.risk.as_ref().unwrap().monitor.bare_positions().is_empty();
    let kind = OrderKind::Stop { trigger: price(9_800) };
    let half = OrderRequest { kind, reduce_only: true, ..sell(4_999) };
    let half = host.propose_as(Source::Operator, half, None).unwrap();
    assert!(missing(&host));
    host.cancelled(half.client_id());
    let kind = OrderKind::Trailing { offset: TrailingOffset::Bps(200), activation: None };
    let trailing = Proposal {
        source: Source::Operator,
        portfolio: MAIN,
        request: OrderRequest { kind, reduce_only: true, ..sell(5_000) },
        reason: "test".into(),
        plan: None,
    };
    host.say(Source::Operator, EventKind::Proposed(trailing));
    assert!(!missing(&host));
}

#[test]
fn a_person_exempts_a_position_until_it_is_closed() {
    let mut host = shipped(Profile::Moderate);
    host.trade(buy(5_000), None);
    let exempted = |reason: &str| {
        let (by, reason) = ("ada".to_owned(), reason.to_owned());
        EventKind::Risk(Box::new(RiskAct::Exempted { instrument: BTC, by, reason }))
    };
    let exempt = |host: &Host| host.state.risk.as_ref().unwrap().exempt.clone();
    host.say(Source::Agent(0), exempted("trust me"));
    assert_eq!(exempt(&host), [], "not an agent's to say");
    host.say(Source::Operator, exempted("a hedge"));
    assert_eq!((exempt(&host)[0].by.as_str(), exempt(&host)[0].reason.as_str()), ("ada", "a hedge"));
    host.pass(600_000);
    host.mark(10_000);
    assert!(host.breach(buy(1_000), plan(9_800, 10_400)).is_none());
    let (by, reason) = ("ada".to_owned(), "sold the coins".to_owned());
    host.say(Source::Operator, EventKind::Risk(Box::new(RiskAct::ExemptionEnded { instrument: BTC, by, reason })));
    assert_eq!((exempt(&host), host.state.guarded()[0].bare_since.is_some()), (vec![], true));
    host.say(Source::Operator, exempted("again"));
    let other = *host.sent.last().unwrap();
    host.cancelled(other.client_id());
    host.trade(sell(5_000), None);
    assert_eq!(exempt(&host), [], "it was of that position");
    host.check_journal();
}

#[test]
fn the_demo_asks_for_no_stops() {
    let mut host = shipped(Profile::Demo);
    host.trade(buy(5_000), None);
    host.pass(3_600_000);
    host.mark(10_000);
    assert!(host.propose(buy(5_000), None).is_ok());
    assert_eq!(host.state.risk.as_ref().unwrap().monitor.bare_positions(), []);
}

#[test]
fn a_bracket_around_an_order_is_the_engines_to_make() {
    let mut host = self::host(Limits::RESEARCH, None);
    let order = host.propose(OrderRequest::limit(BTC, Side::Buy, lots(8_000), price(9_990)), None).unwrap();
    let wish = ParentWish {
        source: Source::Agent(0),
        portfolio: MAIN,
        request: *order.request(),
        plan: How::Bracket(Protection { target: None, stop: Some(price(9_800)), stop_limit: None }),
        reason: "mine now".into(),
        entry: Some(order.client_id()),
        trade: None,
    };
    host.say(Source::Agent(0), EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
    assert!(host.refusals[0].value.starts_with("an entry that stands already"), "{:?}", host.refusals);
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Buy(i64),
    Sell(i64),
    Fill(usize, i64),
    Cancel,
    Pass,
    Mark(i64),
    Restart,
    Resting(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (1_i64..40).prop_map(Act::Buy),
        2 => (1_i64..60).prop_map(Act::Sell),
        6 => (0_usize..9, 1_i64..60).prop_map(|(nth, quantity)| Act::Fill(nth, quantity)),
        4 => Just(Act::Cancel),
        3 => Just(Act::Pass),
        2 => (9_700_i64..10_500).prop_map(Act::Mark),
        1 => Just(Act::Restart),
        1 => (1_i64..30).prop_map(Act::Resting),
    ];
    prop::collection::vec(act, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// However fills, cancels, exits and restarts fall, no guard that goes out closes more than is held and nobody else
    /// closes: on a contract, where nothing but the gate would stop it, the position never turns over.
    #[test]
    fn protection_never_exceeds_the_position(acts in acts()) {
        let mut host = host_on(CONTRACT, Limits::RESEARCH, None);
        for act in acts {
            let sent = host.sent.len();
            match act {
                Act::Buy(quantity) => _ = host.propose(buy(quantity * 10), Some(plan(9_800, 10_400))),
                Act::Sell(quantity) => {
                    let (_, sells) = host.state.open_wishes(MAIN, BTC);
                    let left = (host.held() - sells.mantissa()).min(quantity * 10);
                    if left > 0 {
                        _ = host.propose(sell(left), None);
                    }
                }
                Act::Fill(nth, quantity) => {
                    let working = |it: &&OrderRecord| it.state == OrderState::Working;
                    let open: Vec<_> = host.state.open.values().filter(working).cloned().collect();
                    if let Some(record) = open.get(nth) {
                        let quantity = (quantity * 10).min(record.open_quantity().mantissa());
                        host.fill(&record.order, quantity, 10_000);
                    }
                }
                Act::Cancel => host.cancels_are_done(),
                Act::Pass => host.pass(1_500),
                Act::Mark(at) => host.mark(at),
                Act::Restart => {
                    host.start();
                    host.open_orders_are_seen();
                }
                Act::Resting(quantity) => {
                    let quantity = lots((quantity * 10).min(host.held()));
                    if quantity > lots(0) {
                        let request = OrderRequest::limit(BTC, Side::Sell, quantity, price(10_450));
                        _ = host.propose(OrderRequest { reduce_only: true, ..request }, None);
                    }
                }
            }
            prop_assert!(host.held() >= 0, "turned over: {}", host.held());
            for order in host.sent[sent..].iter().filter(|it| it.side() == Side::Sell) {
                prop_assert!(!order.request().reduce_only || order.quantity().mantissa() <= host.held());
            }
        }
        host.mark(10_000);
        host.settle();
        let (_, sells, _) = host.state.open_quantities(MAIN, BTC);
        prop_assert!(sells.mantissa() <= host.held(), "{:?} over {}", host.standing(), host.held());
        host.check_journal();
    }
}
