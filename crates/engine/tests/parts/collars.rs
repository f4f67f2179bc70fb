//! Market orders with a worst price: what leaves, how they end, and which of them are asked for again.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{ParentId, ParentState, Plan, Protection};
use tradewind_engine::*;
use tradewind_gate::Limits;
use tradewind_risk::Controls;

/// Research, with the collar that ships.
fn collared() -> Limits {
    Limits { controls: Some(Controls { market_collar_bps: Some(100), ..Controls::default() }), ..Limits::RESEARCH }
}

/// The venue has no more of the order at its worst price.
fn ends(stage: &mut Stage, client_id: ClientOrderId) {
    let kind = EventKind::Cancelled { client_id, reason: "EXPIRED".into() };
    stage.venue(with_worst_price(&stage.state, kind));
}

fn tick(stage: &mut Stage, millis: i64) {
    stage.millis += millis;
    stage.host(EventKind::Timer);
}

fn last(stage: &Stage) -> Order {
    *stage.sent.last().unwrap()
}

/// How much the newest order asks for, and the worst price that it has.
fn asked(stage: &Stage) -> (i64, i64) {
    (last(stage).quantity().mantissa(), last(stage).worst().unwrap().mantissa())
}

fn reason_of(stage: &Stage, id: ClientOrderId) -> String {
    let ended = |record: &Vec<u8>| match decode(record).unwrap().kind {
        EventKind::Cancelled { client_id, reason } if client_id == id => Some(reason.into_owned()),
        _ => None,
    };
    stage.journal.iter().rev().find_map(ended).unwrap()
}

#[test]
fn a_market_order_has_a_worst_price_where_the_limits_bound_it_and_expires_at_it() {
    let mut stage = Stage::new(collared());
    let id = stage.working(market(Side::Buy, 1_000));
    assert_eq!(asked(&stage), (1_000, 10_100));
    let terms = last(&stage).terms();
    assert_eq!((terms.kind, terms.time_in_force), (OrderKind::Limit { price: price(10_100) }, TimeInForce::Ioc));
    stage.fill(id, 400, 10_050);
    ends(&mut stage, id);
    assert_eq!((stage.status(id), stage.position()), ("expired", 400));
    assert_eq!(reason_of(&stage, id), "EXPIRED: a market order that goes no further than 101");
    for minute in 0..5 {
        tick(&mut stage, 60_000);
        assert_eq!(stage.sent.len(), 1, "an entry is not asked for again, minute {minute}");
    }
    stage.check_journal();

    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(market(Side::Buy, 1_000));
    assert_eq!((last(&stage).worst(), last(&stage).terms()), (None, *last(&stage).request()));
    ends(&mut stage, id);
    assert_eq!((stage.status(id), reason_of(&stage, id).as_str()), ("canceled", "EXPIRED"));
}

#[test]
fn an_open_buy_holds_what_its_worst_price_would_cost() {
    let mut stage = Stage::new(collared());
    assert!(stage.propose(market(Side::Buy, 1_000_000)).is_none(), "100 at 101 each is more than there is");
    assert!(stage.last_refusal().contains("funds"), "{}", stage.last_refusal());
    stage.working(market(Side::Buy, 900_000)); // 9,090 of 10,000 are held
    assert!(stage.propose(limit(Side::Buy, 95_000, 10_000)).is_none(), "950 more are not there");
    assert!(stage.propose(limit(Side::Buy, 90_000, 10_000)).is_some());
    stage.check_journal();
}

#[test]
fn a_trailing_stop_asks_again_with_a_fresh_price_until_its_position_is_closed() {
    let mut stage = Stage::new(collared());
    stage.holding(1_000);
    let kind = OrderKind::Trailing { offset: TrailingOffset::Bps(100), activation: None };
    assert_eq!(stage.propose(OrderRequest { kind, reduce_only: true, ..market(Side::Sell, 1_000) }), None);
    stage.mark(MARK);
    stage.mark(9_800);
    assert_eq!((stage.sent.len(), asked(&stage)), (2, (1_000, 9_702)));
    let first = last(&stage).client_id();
    stage.accept(first);
    stage.fill(first, 300, 9_750);
    ends(&mut stage, first);
    assert_eq!(stage.sent.len(), 2, "a late fill may come yet");
    stage.mark(9_600);
    tick(&mut stage, 1_001);
    assert_eq!((stage.sent.len(), asked(&stage)), (3, (700, 9_504)), "what is left, at the price of now");
    let second = last(&stage).client_id();
    ends(&mut stage, second);
    tick(&mut stage, 1_001);
    let third = last(&stage).client_id();
    stage.fill(third, 700, 9_550);
    tick(&mut stage, 1_001);
    assert_eq!((stage.position(), stage.sent.len()), (0, 4));
    assert!(matches!(stage.state.parents.get(ParentId(1)).unwrap().state, ParentState::Over { .. }));
    stage.check_journal();
}

#[test]
fn a_touched_entry_that_found_nothing_is_over() {
    let mut stage = Stage::new(collared());
    assert_eq!(
        stage.propose(OrderRequest { kind: OrderKind::Touched { trigger: price(9_900) }, ..market(Side::Buy, 1_000) }),
        None
    );
    stage.mark(9_900);
    let id = last(&stage).client_id();
    ends(&mut stage, id);
    for _ in 0..5 {
        tick(&mut stage, 1_001);
    }
    assert_eq!((stage.sent.len(), stage.status(id)), (1, "expired"));
    let state = &stage.state.parents.get(ParentId(1)).unwrap().state;
    assert!(matches!(state, ParentState::Over { reason, .. } if reason == "0.1 was left open"), "{state:?}");
}

/// A bracket of 1,000 whose entry has filled at 100 and whose pair the venue would not have; the market falls past its stop.
fn unguarded() -> Stage {
    let mut stage = Stage::new(collared());
    let plan = Plan::Bracket(Protection { target: Some(price(11_000)), stop: Some(price(9_950)), stop_limit: None });
    stage.wish(market(Side::Buy, 1_000), plan);
    let entry = last(&stage).client_id();
    stage.accept(entry);
    stage.fill(entry, 1_000, MARK);
    assert_eq!(stage.sent.len(), 3, "entry, target and stop");
    for client_id in [stage.sent[1].client_id(), stage.sent[2].client_id()] {
        stage.venue(EventKind::Rejected { client_id, reason: "no".into() });
    }
    stage.mark(9_900);
    stage
}

#[test]
fn a_bracket_that_leaves_at_market_asks_until_it_holds_nothing() {
    let mut stage = unguarded();
    tick(&mut stage, 1_001);
    for (filled, at) in [(0, 9_700), (250, 9_400), (250, 9_300)] {
        let exit = last(&stage);
        assert!(exit.request().reduce_only && *exit.kind() == OrderKind::Market, "{exit:?}");
        let sent = stage.sent.len();
        if filled > 0 {
            stage.fill(exit.client_id(), filled, at);
        }
        stage.mark(at);
        ends(&mut stage, exit.client_id());
        assert_eq!(stage.sent.len(), sent, "not at once: there is no other price yet");
        tick(&mut stage, 1_001);
        assert_eq!(stage.sent.len(), sent + 1);
        assert_eq!(last(&stage).worst(), Some(price(at * 99 / 100)));
    }
    let exit = last(&stage);
    assert_eq!(exit.quantity(), lots(500));
    stage.fill(exit.client_id(), 500, 9_300);
    tick(&mut stage, 2_000);
    assert_eq!(stage.position(), 0);
    assert!(stage.state.parents.get(ParentId(1)).unwrap().is_over());
    stage.check_journal();
}

#[test]
fn what_the_engine_itself_brings_back_is_asked_for_until_it_is_back() {
    let mut stage = Stage::new(Limits { borrow: true, ..collared() });
    stage.is_unjudged = true; // two of a group both fill: its books call that a fault of the venue
    stage.holding(1_000);
    let group = Some(OcoGroup(77));
    let [one, other] = [11_000, 12_000].map(|at| OrderRequest { oco: group, ..limit(Side::Sell, 1_000, at) });
    let [one, other] = [one, other].map(|it| stage.working(it));
    stage.fill(one, 1_000, 11_000);
    stage.fill(other, 1_000, 12_000);
    assert_eq!((stage.position(), asked(&stage).0), (-1_000, 1_000), "the way back");
    for filled in [0, 600] {
        let back = last(&stage).client_id();
        if filled > 0 {
            stage.fill(back, filled, 10_050);
        }
        ends(&mut stage, back);
        let sent = stage.sent.len();
        tick(&mut stage, 500);
        assert_eq!(stage.sent.len(), sent);
        tick(&mut stage, 501);
        assert_eq!(stage.sent.len(), sent + 1);
        stage.check_journal();
    }
    assert_eq!(asked(&stage), (400, 10_100));
    let back = last(&stage).client_id();
    stage.fill(back, 400, MARK);
    tick(&mut stage, 5_000);
    assert_eq!((stage.position(), stage.state.unfilled.len()), (0, 0));
    stage.check_journal();
}

#[test]
fn the_venues_word_on_a_price_replaces_the_worst_one() {
    let mut stage = Stage::new(collared());
    let client_id = stage.working(market(Side::Buy, 1_000));
    stage.venue(EventKind::Reworked { client_id, price: Some(price(10_090)), quantity: lots(1_000) });
    let order = stage.state.open[&client_id].order;
    assert_eq!((order.worst(), *order.kind()), (Some(price(10_090)), OrderKind::Market));
    stage.check_journal();
}
