//! What the engine itself brings back, or closes, and how it is asked for again until it is done.

use crate::orders::WIDE;
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Limits, Proposal};
use tradewind_risk::Controls;

/// Research with a worst price, where a portfolio may be short of any amount.
fn limits() -> Limits {
    Limits { controls: Some(Controls { market_collar_bps: Some(100), ..Controls::default() }), ..WIDE }
}

fn stage() -> Stage {
    let mut stage = Stage::new(limits());
    stage.is_unjudged = true; // two of a group both fill: its books call that a fault of the venue
    stage
}

fn tick(stage: &mut Stage, millis: i64) {
    stage.millis += millis;
    stage.host(EventKind::Timer);
}

fn filled(stage: &mut Stage, portfolio: u16, client_id: ClientOrderId, quantity: i64) {
    let fill = stage.execution(client_id, quantity, MARK);
    stage.say_for(PortfolioId(portfolio), Source::Venue, EventKind::Filled(fill));
}

/// Sells so much at the market.
fn short(stage: &mut Stage, portfolio: u16, quantity: i64) {
    let id = stage.propose_for(portfolio, market(Side::Sell, quantity)).unwrap();
    filled(stage, portfolio, id, quantity);
}

/// Two orders to sell 1,000 of which one cancels the other.
fn group(stage: &mut Stage, portfolio: u16) -> [ClientOrderId; 2] {
    let of = |at| OrderRequest { oco: Some(OcoGroup(77)), ..limit(Side::Sell, 1_000, at) };
    [11_000, 12_000].map(|at| {
        let id = stage.propose_for(portfolio, of(at)).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
        stage.accept(id);
        id
    })
}

/// Both orders of a group have filled, and what was to bring 1,000 back found 600 of it at its worst price; the portfolio
/// is short of more.
fn brought_back(stage: &mut Stage, portfolio: u16) {
    short(stage, portfolio, 1_500);
    let both = group(stage, portfolio);
    both.into_iter().for_each(|id| filled(stage, portfolio, id, 1_000));
    let back = *stage.sent.last().unwrap();
    assert_eq!((back.side(), back.quantity(), back.portfolio()), (Side::Buy, lots(1_000), PortfolioId(portfolio)));
    filled(stage, portfolio, back.client_id(), 600);
    let kind = EventKind::Cancelled { client_id: back.client_id(), reason: "EXPIRED".into() };
    stage.venue(with_worst_price(&stage.state, kind));
    stage.sent.clear();
}

fn asked(stage: &Stage) -> Vec<i64> {
    stage.sent.iter().map(|order| order.quantity().mantissa()).collect()
}

#[test]
fn what_a_worst_price_left_of_the_way_back_is_asked_for_and_no_more_of_the_position() {
    let mut stage = stage();
    brought_back(&mut stage, 0);
    assert_eq!((stage.position(), stage.state.unfilled.len()), (-2_900, 1));
    tick(&mut stage, 999);
    assert_eq!(asked(&stage), [0; 0]);
    tick(&mut stage, 1);
    assert_eq!((asked(&stage), stage.state.unfilled.len()), (vec![400], 0), "it is an order again");
    for _ in 0..10 {
        tick(&mut stage, 1_000);
    }
    assert_eq!(asked(&stage), [400], "once");
    stage.check_journal();
}

#[test]
fn what_a_strategy_does_meanwhile_is_not_what_the_engine_asked_for() {
    let mut stage = stage();
    brought_back(&mut stage, 0);
    tick(&mut stage, 900);
    assert!(stage.propose(market(Side::Buy, 100)).is_some(), "{}", stage.last_refusal());
    assert_eq!(stage.state.unfilled.len(), 1);
    tick(&mut stage, 100);
    assert_eq!(asked(&stage), [100, 400]);
    stage.check_journal();
}

#[test]
fn what_the_gate_refuses_to_bring_back_is_asked_for_ever_later() {
    let mut stage = stage();
    brought_back(&mut stage, 0);
    stage.host(EventKind::LimitsSet(Box::new(Limits { stale_after_nanos: Some(1_000_000), ..limits() })));
    let refused = stage.refusals.len();
    let mut when = Vec::new();
    for _ in 0..80 {
        let before = stage.refusals.len();
        tick(&mut stage, 100);
        if stage.refusals.len() > before {
            when.push(stage.millis);
        }
    }
    assert_eq!(when, [1_000, 3_000, 7_000], "after one second, two, four: {}", stage.last_refusal());
    assert_eq!((stage.refusals.len() - refused, asked(&stage)), (3, vec![]));
    stage.check_journal();
}

#[test]
fn what_another_order_has_closed_is_forgotten() {
    let mut stage = stage();
    brought_back(&mut stage, 0);
    let id = stage.propose(market(Side::Buy, 2_900)).unwrap();
    filled(&mut stage, 0, id, 2_899);
    assert_eq!(stage.state.unfilled.len(), 1);
    filled(&mut stage, 0, id, 1);
    tick(&mut stage, 10);
    assert_eq!((stage.position(), stage.state.unfilled.len()), (0, 0));
    tick(&mut stage, 5_000);
    assert_eq!(asked(&stage), [2_900]);
    stage.check_journal();
}

/// Brought back as above, and short of 600, all of which is guarded by the two orders that are given back.
fn guarded() -> (Stage, Vec<ClientOrderId>) {
    let mut stage = stage();
    brought_back(&mut stage, 0);
    let plan = TradePlan { stop: Some(price(11_000)), target: Some(price(9_000)), ..TradePlan::default() };
    let (source, portfolio, request) = (Source::Strategy(0), PortfolioId(0), market(Side::Sell, 600));
    let proposal = Proposal { plan: Some(Box::new(plan)), source, portfolio, request, reason: "test".into() };
    stage.say_for(portfolio, source, EventKind::Proposed(proposal));
    let entry = stage.sent.last().unwrap_or_else(|| panic!("{}", stage.last_refusal())).client_id();
    filled(&mut stage, 0, entry, 600);
    let pair: Vec<ClientOrderId> =
        stage.sent.iter().filter(|it| it.request().oco.is_some()).map(Order::client_id).collect();
    pair.iter().for_each(|id| stage.accept(*id));
    let rest = stage.propose(market(Side::Buy, 2_900)).unwrap();
    filled(&mut stage, 0, rest, 2_900);
    stage.sent.clear();
    assert_eq!((stage.position(), pair.len(), stage.state.unfilled.len()), (-600, 2, 1), "all of it is guarded");
    (stage, pair)
}

#[test]
fn what_a_guard_closes_for_another_order_of_the_engine_is_still_to_be_asked_for() {
    let (mut stage, _) = guarded();
    let (source, portfolio) = (Source::Host, PortfolioId(0));
    let request = OrderRequest { reduce_only: true, ..market(Side::Buy, 200) };
    let proposal = Proposal { plan: None, source, portfolio, request, reason: "the position is made smaller".into() };
    stage.host(EventKind::Proposed(proposal));
    let asked = stage.state.parents.live().map(|parent| parent.seen.leave).max();
    assert_eq!((asked, stage.state.unfilled[0].quantity), (Some(lots(200)), lots(400)));
    assert_eq!(stage.folded(State::default(), 0), stage.state); // nothing decides again what a test says
}

#[test]
fn what_a_guard_closes_for_it_is_not_asked_for_again() {
    let (mut stage, pair) = guarded();
    tick(&mut stage, 1_000);
    assert_eq!((asked(&stage), stage.state.unfilled.len()), (vec![], 0), "its guard makes way");
    pair.iter().for_each(|id| stage.venue(EventKind::Cancelled { client_id: *id, reason: "on request".into() }));
    tick(&mut stage, 1_000);
    assert_eq!(asked(&stage), [400, 200, 200], "the exit, and a pair for what stays");
    let exit = stage.sent[0].client_id();
    filled(&mut stage, 0, exit, 400);
    short(&mut stage, 0, 500);
    for _ in 0..10 {
        tick(&mut stage, 1_000);
    }
    let at_market = |it: &&Order| it.side() == Side::Buy && *it.kind() == OrderKind::Market;
    assert_eq!((stage.position(), stage.sent.iter().filter(at_market).count()), (-700, 1), "once");
    stage.check_journal();
}

#[test]
fn each_portfolio_asks_for_its_own() {
    let mut stage = stage();
    brought_back(&mut stage, 0);
    brought_back(&mut stage, 1);
    assert_eq!(stage.state.unfilled.len(), 2);
    tick(&mut stage, 1_000);
    let left: Vec<PortfolioId> = stage.state.unfilled.iter().map(|it| it.portfolio).collect();
    assert_eq!((asked(&stage), left), (vec![400], vec![PortfolioId(1)]), "one at a time");
    tick(&mut stage, 0);
    assert_eq!((asked(&stage), stage.state.unfilled.len()), (vec![400, 400], 0));
    stage.check_journal();
}

#[test]
fn what_a_person_or_a_strategy_asked_to_reduce_is_told_and_not_asked_for_again() {
    let mut stage = stage();
    stage.holding(1_000);
    let client_id = stage.propose(OrderRequest { reduce_only: true, ..market(Side::Sell, 1_000) }).unwrap();
    let kind = EventKind::Cancelled { client_id, reason: "EXPIRED".into() };
    stage.venue(with_worst_price(&stage.state, kind));
    assert_eq!(stage.state.unfilled.len(), 0);
    tick(&mut stage, 5_000);
    assert_eq!((stage.position(), stage.sent.len()), (1_000, 2));
    stage.check_journal();
}

#[test]
fn one_order_of_a_group_that_fills_brings_nothing_back_whatever_else_was_sold() {
    let mut stage = stage();
    short(&mut stage, 0, 1_000);
    short(&mut stage, 1, 1_000);
    let [one, other] = group(&mut stage, 0);
    filled(&mut stage, 0, one, 1_000);
    stage.venue(EventKind::Cancelled { client_id: other, reason: "on request".into() });
    assert_eq!((stage.position(), stage.sent.len()), (-2_000, 4));
    stage.check_journal();
}

#[test]
fn nothing_is_brought_back_while_an_order_of_the_group_may_still_fill() {
    let mut stage = stage();
    let [one, other] = group(&mut stage, 0);
    filled(&mut stage, 0, one, 800);
    filled(&mut stage, 0, other, 800);
    assert_eq!((stage.position(), stage.sent.len()), (-1_600, 2), "it is not known yet how much is too much");
    filled(&mut stage, 0, one, 200);
    assert_eq!(stage.sent.len(), 2);
    filled(&mut stage, 0, other, 200);
    assert_eq!((stage.position(), asked(&stage)), (-2_000, vec![1_000, 1_000, 1_000]));
    stage.check_journal();
}

#[test]
fn what_is_too_little_for_an_order_is_not_brought_back() {
    for (too_much, want) in [(50, 0), (100, 1)] {
        let mut stage = stage();
        let spec = stage.state.listing(BTC).instrument.spec.clone();
        let spec = InstrumentSpec { lot: lots(10), min_quantity: lots(100), ..spec };
        stage.host(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
        let [one, other] = group(&mut stage, 0);
        filled(&mut stage, 0, other, too_much);
        stage.venue(EventKind::Cancelled { client_id: other, reason: "on request".into() });
        filled(&mut stage, 0, one, 1_000);
        assert_eq!((stage.sent.len() - 2, stage.refusals.len()), (want, 0), "{too_much}: {}", stage.last_refusal());
        stage.check_journal();
    }
}
