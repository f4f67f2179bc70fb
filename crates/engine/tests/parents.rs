//! Orders that become other orders, through the door that hosts use: gate, journal, recovery and replay included.

#![allow(clippy::unwrap_used)] // a test may

use std::collections::VecDeque;
use tradewind_domain::*;
use tradewind_engine::algo::Schedule;
use tradewind_engine::algo::*;
use tradewind_engine::*;
use tradewind_gate::{Action, Limits, Mode, Proposal};
use tradewind_governance::{Act, Changed, Kind, Latch, Principal, Tighter};

/// A host without a disk: numbers events, steps them, records what comes back, keeps what would be sent.
#[derive(Default)]
struct Host {
    state: State,
    journal: Vec<Vec<u8>>,
    sent: Vec<Order>,
    pairs: usize,
    cancels: Vec<ClientOrderId>,
    trades: u128,
}

const BTC: InstrumentId = InstrumentId(0);

fn usdt() -> Currency {
    Currency::new("USDT").unwrap()
}

fn spec() -> InstrumentSpec {
    InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        lot: lots(10),
        min_quantity: lots(10),
        fees: FeeSchedule { asset: FeeAsset::Received, ..FeeSchedule::bps(10, 10) },
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
    }
}

const fn lots(mantissa: i64) -> Quantity {
    Quantity::from_mantissa(mantissa)
}
const fn price(mantissa: i64) -> Price {
    Price::from_mantissa(mantissa)
}

impl Host {
    fn trading(spec: InstrumentSpec) -> Self {
        let mut host = Self::default();
        host.start(0);
        host.say(0, Source::Host, EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
        host.say(0, Source::Host, EventKind::Opened { base: usdt(), name: "main".into() });
        host.say(0, Source::Host, EventKind::LimitsSet(Box::new(Limits::RESEARCH)));
        host.say(0, Source::Host, EventKind::Deposited(Money::parse("10000", usdt()).unwrap()));
        host.trade(0, 10_000);
        host
    }

    fn start(&mut self, second: i64) {
        let kind = EventKind::Started { incarnation: Incarnation(9), mode: Mode::Paper, logic: LOGIC_VERSION };
        self.say(second, Source::Host, kind);
    }

    fn say(&mut self, second: i64, source: Source, kind: EventKind) {
        let mut queue = VecDeque::from([(source, kind, PortfolioId(0), None)]);
        let mut intents = Vec::new();
        while let Some((source, kind, portfolio, cause)) = queue.pop_front() {
            let at = Timestamp::from_millis(second * 1_000);
            let mut event = Event::new(self.state.sequence + 1, at, source, kind);
            (event.portfolio, event.cause) = (portfolio, cause);
            self.journal.push(encode(&event, &self.state));
            let mut commands = Vec::new();
            step(&mut self.state, &event, &mut commands);
            for command in commands {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|waiting| &waiting.1)) => (),
                    Command::Record(kind, portfolio) => {
                        queue.push_back((Source::Host, kind, portfolio, Some(event.sequence)));
                    }
                    Command::Send(approved) => match approved.action() {
                        Action::Cancel { client_id, .. } => self.cancels.push(*client_id),
                        Action::Amend { .. } => (),
                        action => {
                            self.pairs += usize::from(action.orders().len() == 2);
                            self.sent.extend(action.orders());
                            intents.extend(action.orders().iter().map(Order::client_id));
                        }
                    },
                }
            }
        }
        for client_id in intents {
            let fence = Timestamp::from_millis(second * 1_000 + 2_000);
            let intent = Intent { client_id, body_sha256: String::new(), fence, not_before: None };
            self.say(second, Source::Host, EventKind::Intended(intent));
        }
    }

    fn trade(&mut self, second: i64, at: i64) {
        self.trades += 1;
        let trade = Trade {
            instrument: BTC,
            price: price(at),
            quantity: lots(1_000),
            aggressor: Side::Buy,
            id: TradeId(self.trades),
        };
        self.say(second, Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
    }

    fn timer(&mut self, second: i64) {
        self.say(second, Source::Timer, EventKind::Timer);
    }

    fn wish(&mut self, second: i64, request: OrderRequest, plan: Plan) {
        let reason = "a test".to_owned();
        let wish = ParentWish {
            entry: None,
            trade: None,
            source: Source::Operator,
            portfolio: PortfolioId(0),
            request,
            plan,
            reason,
        };
        let said = EventKind::Parent(Box::new(ParentEvent::Wished { wish }));
        self.say(second, Source::Operator, said);
    }

    fn ask(&mut self, second: i64, parent: u64, ask: Ask) {
        let said = ParentEvent::Asked { parent: ParentId(parent), ask, reason: "on request".to_owned() };
        self.say(second, Source::Operator, EventKind::Parent(Box::new(said)));
    }

    fn propose(&mut self, second: i64, request: OrderRequest) {
        let proposal = Proposal {
            plan: None,
            source: Source::Operator,
            portfolio: PortfolioId(0),
            request,
            reason: "test".into(),
        };
        self.say(second, Source::Operator, EventKind::Proposed(proposal));
    }

    /// The venue takes order `nth` of those sent.
    fn accept(&mut self, second: i64, nth: usize) {
        let client_id = self.sent[nth].client_id();
        self.say(second, Source::Host, EventKind::Sent { client_id });
        let venue_id = VenueOrderId(nth.to_string().into());
        self.say(second, Source::Venue, EventKind::Accepted { client_id, venue_id });
    }

    fn fill(&mut self, second: i64, nth: usize, quantity: i64, at: i64) {
        self.fill_order(second, self.sent[nth], quantity, at);
    }

    fn fill_order(&mut self, second: i64, order: Order, quantity: i64, at: i64) {
        self.trades += 1;
        let it = self.state.listing(BTC).instrument.clone();
        let fill = Fill {
            client_id: order.client_id(),
            instrument: BTC,
            trade_id: TradeId(self.trades),
            side: order.side(),
            price: price(at),
            quantity: lots(quantity),
            liquidity: Liquidity::Taker,
            fee: it.fee(order.side(), price(at), lots(quantity), Liquidity::Taker).unwrap(),
        };
        self.say(second, Source::Venue, EventKind::Filled(fill));
    }

    fn cancelled(&mut self, second: i64, nth: usize) {
        let client_id = self.sent[nth].client_id();
        self.say(second, Source::Venue, EventKind::Cancelled { client_id, reason: "on request".into() });
    }

    fn parent(&self, id: u64) -> &Parent {
        self.state.parents.get(ParentId(id)).unwrap()
    }

    fn last_refusal(&self) -> Option<String> {
        match decode(self.journal.last().unwrap()).unwrap().kind {
            EventKind::Judged(Verdict::Refused(refusal)) => Some(refusal.to_string()),
            _ => None,
        }
    }

    /// Every prefix of the journal folds to the state that the whole had then, and deciding again gives the same.
    fn check_journal(&self) {
        let mut folded = State::default();
        self.journal.iter().for_each(|record| apply(&mut folded, &decode(record).unwrap()));
        assert_eq!(folded, self.state, "recovery folds to another state");
        let mut replay = Replay::default();
        self.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
        assert_eq!(replay.divergence(), None);
        assert_eq!(replay.state().hash(), self.state.hash());
    }

    /// A process that found the first `records` records on its disk.
    fn after_a_crash(&self, records: usize) -> Self {
        let journal = self.journal[..records].to_vec();
        let mut state = State::default();
        journal.iter().for_each(|record| apply(&mut state, &decode(record).unwrap()));
        Self { state, journal, sent: Vec::new(), pairs: 0, cancels: Vec::new(), trades: self.trades }
    }
}

fn market(side: Side, quantity: i64) -> OrderRequest {
    OrderRequest::market(BTC, side, lots(quantity))
}
fn limit(side: Side, quantity: i64, at: i64) -> OrderRequest {
    OrderRequest::limit(BTC, side, lots(quantity), price(at))
}
fn twap(seconds: i64, slices: u32) -> Plan {
    Plan::Schedule(Schedule::even(Timestamp::from_millis(0), seconds * 1_000_000_000, slices))
}

#[test]
fn a_twap_is_journalled_judged_and_replayed_like_any_order() {
    let mut host = Host::trading(spec());
    host.wish(0, market(Side::Buy, 1_000), twap(40, 4));
    for slice in 0..4 {
        host.timer(slice * 10);
        let nth = usize::try_from(slice).unwrap();
        host.accept(slice * 10, nth);
        host.fill(slice * 10, nth, 250, 10_000);
    }
    let sizes: Vec<i64> = host.sent.iter().map(|order| order.quantity().mantissa()).collect();
    assert_eq!(sizes, [250, 250, 250, 250]);
    assert!(matches!(host.parent(1).state, ParentState::Over { end: ParentEnd::Finished, .. }));
    host.check_journal();
}

#[test]
fn a_twap_goes_on_after_a_crash_at_any_record_and_never_exceeds_its_quantity() {
    let mut host = Host::trading(spec());
    let opened = host.journal.len();
    host.wish(0, market(Side::Buy, 1_000), twap(40, 4));
    host.accept(0, 0);
    host.fill(0, 0, 250, 10_000);
    host.timer(10);
    host.accept(10, 1);
    for records in opened..=host.journal.len() {
        let mut second = host.after_a_crash(records);
        second.start(11);
        let lives = second.state.parents.live().count() == 1;
        let is_unknown = |it: &&OrderRecord| matches!(it.state, OrderState::Unknown { .. });
        let open = second.state.open.values();
        let unknown: Vec<ClientOrderId> = open.filter(is_unknown).map(|it| it.order.client_id()).collect();
        second.timer(12);
        if unknown.is_empty() {
            assert!(second.sent.len() <= usize::from(lives), "after {records} records");
        } else {
            assert!(second.sent.is_empty(), "an order of unknown outcome is doubled after {records} records");
        }
        for client_id in unknown {
            second.say(13, Source::Venue, EventKind::Expired { client_id, evidence: None }); // proven absent
        }
        for second_of_run in 14..90 {
            second.timer(second_of_run);
            let open: Vec<Order> = second.state.open.values().map(|record| record.order).collect();
            for order in open {
                second.fill_order(second_of_run, order, order.quantity().mantissa(), 10_000);
            }
        }
        if lives {
            assert_eq!(second.parent(1).filled(), lots(1_000), "after {records} records");
        }
        second.check_journal();
    }
}

#[test]
fn a_kind_that_the_venue_does_not_keep_waits_in_the_engine() {
    let touched = OrderRequest { kind: OrderKind::Touched { trigger: price(9_500) }, ..market(Side::Buy, 100) };
    let mut host = Host::trading(spec());
    host.propose(1, touched);
    assert!(host.sent.is_empty());
    host.trade(2, 9_501);
    assert!(host.sent.is_empty());
    host.trade(3, 9_500);
    assert_eq!(host.sent.len(), 1);
    assert_eq!(*host.sent[0].kind(), OrderKind::Market);
    host.fill(3, 0, 100, 9_500);
    assert!(host.parent(1).is_over());
    host.check_journal();

    let native = NativeKinds { touched: true, ..NativeKinds::default() };
    let mut host = Host::trading(InstrumentSpec { native, ..spec() });
    host.propose(1, touched);
    assert_eq!(*host.sent[0].kind(), touched.kind);
    assert!(host.state.parents.is_unused());
}

#[test]
fn a_waiting_order_is_judged_when_it_is_made_and_again_when_it_wakes() {
    let touched =
        |quantity| OrderRequest { kind: OrderKind::Touched { trigger: price(9_500) }, ..market(Side::Buy, quantity) };
    let mut host = Host::trading(spec());
    host.propose(1, touched(50_000_000));
    assert!(host.last_refusal().unwrap().starts_with("GATE-07"), "{:?}", host.last_refusal());
    host.propose(1, touched(500_000)); // 5,000 of the 10,000 there are
    assert!(host.last_refusal().is_none());
    host.propose(1, market(Side::Buy, 800_000));
    host.fill(1, 0, 800_000, 10_000);
    host.trade(2, 9_500);
    assert_eq!(host.sent.len(), 1, "the cash is gone: the gate refuses what woke");
    assert!(host.parent(1).faults.fault.as_ref().unwrap().starts_with("GATE-0"), "{:?}", host.parent(1).faults.fault);
    host.timer(4);
    assert!(matches!(host.parent(1).state, ParentState::Paused { .. }), "{:?}", host.parent(1).state);
    host.check_journal();
}

const PROTECTION: Protection = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };

#[test]
fn what_fills_of_a_bracket_is_protected_by_a_pair_of_what_can_be_sold() {
    let mut host = Host::trading(spec());
    host.wish(0, limit(Side::Buy, 10_000, 10_000), Plan::Bracket(PROTECTION));
    assert_eq!(host.sent.len(), 1);
    host.accept(0, 0);
    host.fill(1, 0, 4_000, 10_000);
    let pair = |host: &Host, nth: usize| (*host.sent[nth].kind(), host.sent[nth].quantity().mantissa());
    // 10 basis points of 0.4 went to the fee, and a lot is 0.001
    assert_eq!(pair(&host, 1), (OrderKind::Limit { price: price(11_000) }, 3_990));
    assert_eq!(pair(&host, 2), (OrderKind::Stop { trigger: price(9_000) }, 3_990));
    assert_eq!(host.pairs, 1);
    host.fill(1, 0, 6_000, 10_000);
    host.timer(3);
    assert_eq!((host.pairs, pair(&host, 3).1), (2, 6_000));
    for nth in 1..=4 {
        host.accept(3, nth);
    }
    host.fill(4, 1, 3_990, 11_000);
    host.cancelled(4, 2);
    host.fill(5, 4, 6_000, 9_000);
    host.cancelled(5, 3);
    host.timer(7);
    assert!(host.parent(1).is_over(), "{:#?}", host.parent(1));
    assert!(host.state.portfolio(PortfolioId(0)).position(BTC).quantity() < lots(10), "all but dust is sold");
    host.check_journal();
}

#[test]
fn a_replacement_never_stands_beside_the_order_that_it_replaces() {
    let mut host = Host::trading(spec());
    host.propose(0, limit(Side::Buy, 5_000, 9_900));
    host.accept(0, 0);
    let old = host.sent[0].client_id();
    host.wish(1, limit(Side::Buy, 8_000, 9_950), Plan::Replace { old });
    assert_eq!((host.sent.len(), host.cancels.as_slice()), (1, &[old][..]));
    host.fill(2, 0, 2_000, 9_900); // races the cancel
    assert_eq!(host.sent.len(), 1, "the old order may still fill");
    host.cancelled(2, 0);
    assert_eq!(host.sent[1].quantity(), lots(6_000));
    assert_eq!(host.sent[1].kind().limit(), Some(price(9_950)));
    host.accept(3, 1);
    host.fill(4, 1, 6_000, 9_950);
    assert!(host.parent(1).is_over());
    host.check_journal();
}

#[test]
fn a_replacement_that_the_gate_would_refuse_leaves_the_old_order_alone() {
    let mut host = Host::trading(spec());
    host.propose(0, limit(Side::Buy, 500_000, 9_900));
    host.accept(0, 0);
    let old = host.sent[0].client_id();
    // twice the size would be within the cash only without the old one: it is left out of the judgement
    host.wish(1, limit(Side::Buy, 900_000, 9_900), Plan::Replace { old });
    assert_eq!(host.cancels, [old]);
    let mut host = Host::trading(spec());
    host.propose(0, limit(Side::Buy, 500_000, 9_900));
    let old = host.sent[0].client_id();
    host.wish(1, limit(Side::Buy, 5_000_000, 9_900), Plan::Replace { old });
    assert!(host.last_refusal().is_some());
    host.wish(1, limit(Side::Sell, 500, 9_900), Plan::Replace { old });
    assert!(host.last_refusal().unwrap().contains("another order"));
    host.wish(1, limit(Side::Buy, 500, 9_900), Plan::Replace { old: ClientOrderId::from_u128(1) });
    assert!(host.last_refusal().unwrap().contains("is not open"));
    assert!(host.cancels.is_empty());
    assert!(host.state.open.contains_key(&old));
}

#[test]
fn a_parent_waits_through_a_halt_and_a_cancel_takes_its_children_along() {
    let mut host = Host::trading(spec());
    host.wish(0, limit(Side::Buy, 4_000, 9_900), twap(40, 4));
    host.accept(0, 0);
    host.say(5, Source::Operator, EventKind::Halted(Halt { reason: "lunch".into() }));
    host.cancelled(5, 0);
    host.timer(12);
    assert_eq!(host.sent.len(), 1, "nothing is proposed while trading is halted");
    host.say(13, Source::Operator, EventKind::Resumed { reason: "eaten".into() });
    assert_eq!(host.sent.len(), 2);
    host.accept(13, 1);
    host.ask(14, 1, Ask::Cancel);
    assert_eq!(host.cancels.last(), Some(&host.sent[1].client_id()));
    host.cancelled(14, 1);
    host.timer(15);
    host.timer(40);
    assert_eq!(host.sent.len(), 2);
    assert!(matches!(host.parent(1).state, ParentState::Over { end: ParentEnd::Cancelled, .. }));
    host.check_journal();
}

#[test]
fn new_rules_bind_new_orders_and_leave_open_ones_valid() {
    let mut host = Host::trading(spec());
    host.propose(0, limit(Side::Buy, 1_010, 9_901));
    host.accept(0, 0);
    let coarse = InstrumentSpec { tick: price(10), lot: lots(100), min_quantity: lots(100), ..spec() };
    host.say(1, Source::Host, EventKind::Listed(Box::new(coarse.list(BTC).unwrap())));
    assert_eq!(host.state.open.len(), 1);
    host.propose(2, limit(Side::Buy, 1_010, 9_900));
    assert!(host.last_refusal().unwrap().contains("DOM-05"));
    host.propose(2, limit(Side::Buy, 1_000, 9_901));
    assert!(host.last_refusal().unwrap().contains("DOM-04"));
    host.propose(2, limit(Side::Buy, 1_000, 9_900));
    assert_eq!(host.sent.len(), 2);
    host.fill(3, 0, 1_010, 9_901);
    assert_eq!(host.state.counters.contradictions, 0);
    host.check_journal();
}

#[test]
fn a_delisted_instrument_is_left_and_not_entered() {
    let mut host = Host::trading(spec());
    host.propose(0, market(Side::Buy, 5_000));
    host.fill(0, 0, 5_000, 10_000);
    host.propose(0, limit(Side::Buy, 1_000, 9_000));
    host.accept(0, 1);
    host.wish(0, limit(Side::Buy, 4_000, 9_900), twap(40, 4));
    host.accept(0, 2);
    let status = ListingStatus::Delisted;
    host.say(1, Source::Venue, EventKind::ListingChanged { instrument: BTC, status });
    assert_eq!(host.cancels.len(), 2, "every open order in it is cancelled");
    host.cancelled(1, 1);
    host.cancelled(1, 2);
    host.timer(20);
    assert!(host.parent(1).is_over());
    host.propose(21, market(Side::Buy, 1_000));
    assert!(host.last_refusal().unwrap().contains("delisted"));
    host.propose(21, OrderRequest { reduce_only: true, ..market(Side::Sell, 4_900) });
    assert_eq!(host.last_refusal(), None);
    assert_eq!(host.sent.len(), 4);
    host.check_journal();
}

#[test]
fn two_parents_are_judged_one_after_the_other() {
    let mut host = Host::trading(spec());
    host.wish(0, market(Side::Buy, 600_000), twap(10, 1));
    host.fill(0, 0, 600_000, 10_000);
    let mut host = Host::trading(spec());
    let later = |seconds: i64| {
        let start = Timestamp::from_millis(seconds * 1_000);
        Plan::Schedule(Schedule { start, ..Schedule::even(start, 10_000_000_000, 1) })
    };
    host.wish(0, market(Side::Buy, 600_000), later(5));
    host.wish(0, market(Side::Buy, 600_000), later(5));
    host.timer(5);
    assert_eq!(host.sent.len(), 1, "together they are worth more than the account: the second sees the first");
    assert!(host.parent(2).faults.fault.is_some());
    host.check_journal();
}

#[test]
fn two_orders_of_a_group_that_both_fill_are_brought_back() {
    let perpetual = InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        symbol: "BTC/USDT:USDT".parse().unwrap(),
        fees: FeeSchedule::bps(0, 0),
        ..spec()
    };
    let mut host = Host::trading(perpetual);
    host.propose(0, market(Side::Buy, 1_000));
    host.fill(0, 0, 1_000, 10_000);
    let leg = |kind| OrderRequest { kind, reduce_only: true, oco: Some(OcoGroup(7)), ..market(Side::Sell, 1_000) };
    let kinds = [OrderKind::Limit { price: price(11_000) }, OrderKind::Stop { trigger: price(9_000) }];
    let proposal = |kind| Proposal {
        plan: None,
        source: Source::Operator,
        portfolio: PortfolioId(0),
        request: leg(kind),
        reason: "test".into(),
    };
    let pair = Box::new(kinds.map(proposal));
    host.say(0, Source::Operator, EventKind::ProposedPair { pair });
    host.accept(0, 1);
    host.accept(0, 2);
    host.fill(1, 1, 1_000, 11_000);
    assert_eq!(host.sent.len(), 3);
    host.fill(1, 2, 1_000, 9_000);
    let back = host.sent[3];
    assert_eq!((back.side(), back.quantity(), back.request().reduce_only), (Side::Buy, lots(1_000), true));
    host.fill(2, 3, 1_000, 9_000);
    assert!(host.state.portfolio(PortfolioId(0)).position(BTC).quantity().is_zero());
    assert_eq!((host.sent.len(), host.state.open.len()), (4, 0));
    host.check_journal();
}

/// Buys a thousand at 100 by a strategy's bracket with a target at 110 and a stop at 90; gives back the parent's number.
fn entered(host: &mut Host, source: Source) -> u64 {
    let protection = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };
    let (request, plan, reason) = (limit(Side::Buy, 1_000, 10_000), Plan::Bracket(protection), "a test".to_owned());
    let wish = ParentWish { entry: None, trade: None, source, portfolio: PortfolioId(0), request, plan, reason };
    host.say(1, source, EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
    host.accept(1, 0);
    1
}

#[test]
fn a_bracket_that_enters_is_refused_while_halted_and_one_that_has_entered_goes_on_protecting() {
    for source in [Source::Operator, Source::Strategy(0)] {
        let mut host = Host::trading(spec());
        entered(&mut host, source);
        host.say(2, Source::Operator, EventKind::Halted(Halt { reason: "look".into() }));
        assert_eq!(host.cancels, [host.sent[0].client_id()], "its entry adds");
        host.fill(2, 0, 600, 10_000); // but some of it was on its way
        assert_eq!((host.sent.len(), host.pairs), (3, 1), "and is protected, whoever asked for it");
        assert!(host.sent[1..].iter().all(|order| order.request().reduce_only));
        host.cancelled(3, 0);
        host.timer(5);
        assert_eq!(host.sent.len(), 3);
        host.accept(5, 1);
        host.accept(5, 2);
        let stop = host.sent[1..].iter().position(|order| order.kind().trigger().is_some()).unwrap() + 1;
        host.fill(6, stop, 590, 9_000);
        host.timer(9);
        assert_eq!(host.parent(1).filled(), lots(1_190));
        // another one would enter
        let before = host.sent.len();
        let protection = Protection { target: None, stop: Some(price(9_000)), stop_limit: None };
        host.wish(10, market(Side::Buy, 1_000), Plan::Bracket(protection));
        assert!(host.last_refusal().is_some_and(|why| why.contains("GATE-01")), "{:?}", host.last_refusal());
        assert_eq!(host.sent.len(), before);
        host.check_journal();
    }
}

#[test]
fn a_bracket_goes_on_protecting_while_a_kill_switch_is_on_over_its_strategy() {
    let mut host = Host::trading(spec());
    entered(&mut host, Source::Strategy(0));
    let latch = Latch {
        by: Principal::operator().name,
        kind: Kind::Person,
        tripped_by: None,
        at: Timestamp::from_millis(2_000),
        reason: "odd fills".into(),
    };
    let latched = Act::Latched { scope: "source:strategy-0".parse().unwrap(), latch };
    host.say(2, Source::Operator, EventKind::Governance(Box::new(latched)));
    assert_eq!(host.cancels, [host.sent[0].client_id()]);
    host.fill(2, 0, 600, 10_000);
    assert_eq!((host.sent.len(), host.pairs), (3, 1));
    host.check_journal();
}

#[test]
fn a_position_is_protected_by_a_pair_while_halted() {
    let mut host = Host::trading(spec());
    host.propose(1, market(Side::Buy, 1_000));
    host.accept(1, 0);
    host.fill(1, 0, 1_000, 10_000);
    host.say(2, Source::Operator, EventKind::Halted(Halt { reason: "look".into() }));
    let pair = |reduce_only| {
        let target = OrderRequest { reduce_only, post_only: true, ..limit(Side::Sell, 900, 11_000) };
        let stop = OrderRequest { kind: OrderKind::Stop { trigger: price(9_000) }, post_only: false, ..target };
        let proposal = |request| Proposal {
            plan: None,
            source: Source::Operator,
            portfolio: PortfolioId(0),
            request,
            reason: "protection".into(),
        };
        EventKind::ProposedPair { pair: Box::new([proposal(target), proposal(stop)]) }
    };
    host.say(3, Source::Operator, pair(false));
    assert!(host.last_refusal().is_some_and(|why| why.contains("GATE-01")));
    host.say(4, Source::Operator, pair(true));
    assert_eq!(host.pairs, 1);
    host.check_journal();
}

fn two_slices(second: i64) -> Plan {
    Plan::Schedule(Schedule::even(Timestamp::from_millis(second * 1_000), 20_000_000_000, 2))
}

#[test]
fn what_a_parent_asked_for_in_vain_gives_its_name_to_no_other_order() {
    let mut host = Host::trading(spec());
    host.wish(10, OrderRequest::market(BTC, Side::Buy, lots(4_000)), two_slices(10));
    assert_eq!(host.sent.len(), 1, "the first slice");
    host.accept(10, 0);
    host.fill(10, 0, 2_000, 10_000);
    let cash = host.state.portfolio(PortfolioId(0)).units(usdt());
    let gone = Money { currency: usdt(), units: 500_000_000 - cash }; // five are left
    host.say(20, Source::Venue, EventKind::Deposited(gone));
    host.trade(20, 10_000);
    assert_eq!(host.sent.len(), 1, "the second slice is refused");
    let asked: Vec<_> = host.state.parents.get(ParentId(1)).unwrap().children.iter().map(|it| it.client_id).collect();
    assert_eq!(asked.len(), 2);
    host.propose(20, OrderRequest::market(BTC, Side::Buy, lots(100)));
    assert_eq!(host.sent.len(), 2, "one is small enough");
    let other = host.sent[1].client_id();
    assert!(!asked.contains(&other) && host.state.parents.parent_of(other).is_none(), "it is nobody's child");
    host.say(20, Source::Host, EventKind::NotSent { client_id: other, reason: "a test".to_owned() });
    host.propose(20, OrderRequest::market(BTC, Side::Buy, lots(110)));
    let third = host.sent[2].client_id();
    assert!(third != other && !asked.contains(&third), "what is over keeps its name");
}

#[test]
fn an_order_that_people_release_and_a_child_that_is_due_in_the_same_moment_have_two_names() {
    let mut host = Host::trading(spec());
    host.wish(10, OrderRequest::market(BTC, Side::Buy, lots(2_000)), two_slices(10));
    let request = OrderRequest::market(BTC, Side::Buy, lots(100));
    let (source, portfolio) = (Source::Agent(0), PortfolioId(0));
    let proposal = host.state.sequence + 1;
    let wish = Proposal { plan: None, source, portfolio, request, reason: "test".into() };
    host.say(12, source, EventKind::Proposed(wish));
    let hash = host.state.governance.proposals[&proposal].hash.clone();
    host.accept(12, 0);
    host.fill(12, 0, 1_000, 10_000);
    let word = Act::ApprovalSaid { proposal, hash, by: Principal::operator() };
    host.say(20, Source::Operator, EventKind::Governance(Box::new(word))); // the second slice is due as well
    host.timer(20);
    let names: std::collections::BTreeSet<_> = host.sent.iter().map(Order::client_id).collect();
    assert_eq!((host.sent.len(), names.len()), (3, 3), "{:?}", host.sent);
}

#[test]
fn a_child_that_two_records_of_one_moment_ask_for_is_sent_once() {
    let mut host = Host::trading(spec());
    host.wish(10, OrderRequest::market(BTC, Side::Buy, lots(2_000)), two_slices(10));
    host.accept(10, 0);
    host.fill(10, 0, 1_000, 10_000);
    // a word and the fact that answers it both find the second slice due
    let (portfolio, name, tighter) = (PortfolioId(0), "max_order.amount".to_owned(), Tighter::Lower);
    let changed = Changed::Limit { portfolio, name, tighter, old: None, new: Some(900_000_000_000) };
    let word = Act::ChangeSaid { changed, by: Principal::operator(), reason: "a test".to_owned() };
    host.say(20, Source::Operator, EventKind::Governance(Box::new(word)));
    assert_eq!(host.sent.len(), 2, "{:?}", host.sent);
    assert_ne!(host.sent[0].client_id(), host.sent[1].client_id());
}

#[test]
fn a_cancel_that_follows_from_what_happened_long_ago_is_asked_for_once() {
    let mut host = Host::trading(spec());
    let limit = OrderRequest::limit(BTC, Side::Buy, lots(2_000), price(9_000));
    host.wish(10, limit, Plan::Iceberg { display: lots(1_000) });
    host.accept(10, 0);
    host.trade(100, 10_000);
    // a list tells of something a minute and a half old, while the end of the parent is asked for
    let before = host.cancels.len();
    host.ask(12, 1, Ask::Cancel);
    assert_eq!(host.cancels.len(), before + 1, "{:?}", host.cancels);
    host.trade(104, 10_000);
    assert_eq!(host.cancels.len(), before + 1, "its answer is awaited");
    host.trade(105, 10_000);
    assert_eq!(host.cancels.len(), before + 2, "and asked for again");
}

#[test]
fn what_is_sent_in_slices_ends_with_the_date_up_to_which_it_is_good() {
    let mut host = Host::trading(spec());
    let time_in_force = TimeInForce::Gtd(Timestamp::from_millis(60_000));
    let limit = OrderRequest { time_in_force, ..OrderRequest::limit(BTC, Side::Buy, lots(2_000), price(9_000)) };
    host.wish(10, limit, Plan::Iceberg { display: lots(1_000) });
    host.accept(10, 0);
    host.fill(59, 0, 1_000, 9_000);
    assert_eq!(host.sent.len(), 2, "the next slice, a second before the end");
    host.accept(59, 1);
    host.timer(61);
    host.cancelled(61, 1);
    host.timer(70);
    assert_eq!(host.sent.len(), 2, "nothing follows it");
    let state = &host.parent(1).state;
    assert!(matches!(state, ParentState::Over { end: ParentEnd::Expired, .. }), "{state:?}");
    host.wish(70, limit, Plan::Iceberg { display: lots(1_000) });
    assert!(host.state.parents.get(ParentId(2)).is_none(), "a date that is over is refused at once");
}

#[test]
fn a_schedule_of_a_share_stands_still_while_its_market_is_closed() {
    let (friday, monday) = (1_709_931_540, 1_710_163_800); // 15:59 on 8 March 2024, 09:30 on the 11th: between them summer time
    let share = InstrumentSpec { calendar: Calendar::new_york_stocks(), ..spec() };
    let mut host = Host::trading(share);
    host.trade(friday, 10_000);
    let request = OrderRequest::limit(BTC, Side::Buy, lots(2_000), price(9_000));
    host.wish(friday, request, Plan::Iceberg { display: lots(1_000) });
    host.accept(friday, 0);
    host.fill(friday + 60, 0, 1_000, 9_000); // told at the very close
    host.timer(friday + 3_600);
    host.trade(monday - 1, 10_000);
    assert_eq!(host.sent.len(), 1, "over the weekend nothing is sent");
    host.trade(monday, 10_000);
    assert_eq!(host.sent.len(), 2, "it goes on with the opening");
}
