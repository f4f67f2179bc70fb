//! Brackets, and how long what is over is remembered.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{
    Child, Parent, ParentEnd, ParentEvent, ParentId, ParentState, Plan, Protection, Role, Schedule,
};
use tradewind_engine::*;
use tradewind_gate::Limits;

const PROTECTION: Protection = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };

fn parent(stage: &Stage) -> &Parent {
    stage.state.parents.get(ParentId(1)).unwrap()
}

fn child(stage: &Stage, role: Role) -> &Child {
    parent(stage).children.iter().rev().find(|child| child.role == role).unwrap()
}

/// A bracket around 1,000 lots whose entry has filled. Without fees, all of it is protected.
fn entered(limits: Limits, entry: OrderRequest, protection: Protection) -> Stage {
    let mut stage = Stage::new(limits);
    stage.wish(entry, Plan::Bracket(protection));
    let entry = stage.sent[0].client_id();
    stage.accept(entry);
    stage.fill(entry, 1_000, MARK);
    stage
}

#[test]
fn each_way_out_that_was_asked_for_stands_and_none_other() {
    let kinds = |protection| {
        let stage = entered(Limits::RESEARCH, limit(Side::Buy, 1_000, MARK), protection);
        stage.sent[1..].iter().map(|order| (*order.kind(), order.request().post_only)).collect::<Vec<_>>()
    };
    let (target, stop) = (OrderKind::Limit { price: price(11_000) }, OrderKind::Stop { trigger: price(9_000) });
    let stop_limit = OrderKind::StopLimit { trigger: price(9_000), price: price(8_900) };
    assert_eq!(kinds(PROTECTION), [(target, true), (stop, false)]);
    let limited = Protection { stop_limit: Some(price(8_900)), ..PROTECTION };
    assert_eq!(kinds(limited), [(target, true), (stop_limit, false)]);
    assert_eq!(kinds(Protection { target: None, ..PROTECTION }), [(stop, false)]);
    assert_eq!(kinds(Protection { stop: None, ..PROTECTION }), [(target, false)], "alone it may take");
}

#[test]
fn a_sold_position_is_protected_the_other_way_round() {
    let around = Protection { target: Some(price(9_000)), stop: Some(price(11_000)), stop_limit: None };
    let mut stage = Stage::new(Limits { borrow: true, ..Limits::RESEARCH });
    crate::orders::perpetual(&mut stage, "BTC/USDT:USDT");
    let sell = OrderRequest { instrument: InstrumentId(1), ..market(Side::Sell, 1_000) };
    stage.wish(sell, Plan::Bracket(around));
    let order = stage.sent[0];
    let mut state = stage.state.clone(); // the judge's books know no contracts
    let mut commands = Vec::new();
    let fill = Fill { instrument: InstrumentId(1), ..stage.execution(order.client_id(), 1_000, MARK) };
    let event = Event::new(state.sequence + 1, Timestamp::from_millis(1), Source::Venue, EventKind::Filled(fill));
    step(&mut state, &event, &mut commands);
    let Some(Command::Record(EventKind::Parent(said), _)) = commands.last() else { panic!("{commands:?}") };
    let ParentEvent::Pair { roles, pair, .. } = &**said else { panic!("{said:?}") };
    assert_eq!(*roles, [Role::Stop(0), Role::Target(0)], "the dearer first");
    assert!(pair.iter().all(|it| it.request.side == Side::Buy && it.request.reduce_only));
    assert_eq!(pair[0].request.kind, OrderKind::Stop { trigger: price(11_000) });
    assert_eq!(pair[1].request.kind, OrderKind::Limit { price: price(9_000) });
}

#[test]
fn a_target_that_the_venue_took_off_beside_its_stop_is_no_failure() {
    let mut stage = entered(Limits::RESEARCH, limit(Side::Buy, 1_000, MARK), PROTECTION);
    let [target, stop] = [Role::Target(0), Role::Stop(0)].map(|role| child(&stage, role).client_id);
    for id in [target, stop] {
        stage.host(EventKind::Sent { client_id: id });
        stage.accept(id);
    }
    stage.venue(EventKind::Cancelled { client_id: target, reason: "by the venue".into() }); // its stop woke
    assert_eq!((parent(&stage).faults.failures, stage.sent.len()), (0, 3));
    stage.fill(stop, 1_000, 9_000);
    stage.millis = 2_000;
    stage.host(EventKind::Timer);
    assert!(
        matches!(&parent(&stage).state, ParentState::Over { end: ParentEnd::Finished, reason } if reason == "0.1 entered and left")
    );
    assert_eq!(stage.position(), 0);
    stage.check_journal();
}

#[test]
fn what_is_too_little_to_leave_is_named_at_the_end() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let spec = stage.state.listing(BTC).instrument.spec.clone();
    let spec = InstrumentSpec { lot: lots(10), min_quantity: lots(10), ..spec };
    stage.host(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
    stage.wish(limit(Side::Buy, 1_000, MARK), Plan::Bracket(PROTECTION));
    let entry = stage.sent[0].client_id();
    stage.accept(entry);
    let mut fill = stage.execution(entry, 1_000, MARK);
    fill.fee = Fee(Money::parse("0.0001", btc()).unwrap()); // one lot of four decimals, a tenth of the instrument's
    stage.venue(EventKind::Filled(fill));
    let [target, stop] = [Role::Target(0), Role::Stop(0)].map(|role| child(&stage, role).client_id);
    assert_eq!(child(&stage, Role::Target(0)).quantity, lots(990), "what the fee took is not sold");
    stage.fill(target, 990, 11_000);
    stage.venue(EventKind::Cancelled { client_id: stop, reason: "on request".into() });
    stage.millis = 2_000;
    stage.host(EventKind::Timer);
    let ParentState::Over { reason, .. } = &parent(&stage).state else { panic!("{:?}", parent(&stage)) };
    assert_eq!(reason, "0.0999 entered, 0.099 left again");
}

#[test]
fn a_fee_in_the_bought_asset_is_counted_once_and_at_any_number_of_decimals() {
    for (decimals, fee, want) in [(4, "0.00000001", 1), (8, "0.00000002", 2), (10, "0.00000003", 300)] {
        let mut stage = Stage::new(Limits::OPEN);
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals: decimals,
            ..InstrumentSpec::spot("ETH/USDT".parse().unwrap(), "test")
        };
        let id = InstrumentId(1);
        stage.host(EventKind::Listed(Box::new(spec.list(id).unwrap())));
        let trade =
            Trade { instrument: id, price: price(100), quantity: lots(1), aggressor: Side::Buy, id: TradeId(1) };
        stage.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
        stage.wish(
            OrderRequest { instrument: id, ..market(Side::Buy, 1_000_000) },
            Plan::Schedule(Schedule::even(Timestamp::from_nanos(0), 1_000_000_000, 1)),
        );
        let fill = Fill {
            instrument: id,
            fee: Fee(Money::parse(fee, Currency::new("ETH").unwrap()).unwrap()),
            ..stage.execution(stage.sent[0].client_id(), 1_000, 100)
        };
        let mut state = stage.state.clone(); // the judge's books know four decimals only
        for _told_twice in 0..2 {
            let event = Event::new(state.sequence + 1, state.now, Source::Venue, EventKind::Filled(fill));
            apply(&mut state, &event);
        }
        let taken = state.parents.get(ParentId(1)).unwrap().children[0].fee_taken;
        assert_eq!(taken, lots(want), "{fee} at {decimals} decimals, rounded up");
    }
}

#[test]
fn the_last_that_are_over_are_remembered_with_their_orders_newest_first() {
    let mut stage = Stage::new(Limits::OPEN);
    let mut orders = Vec::new();
    for _ in 0..130 {
        let start = Timestamp::from_millis(stage.millis);
        stage.wish(market(Side::Buy, 10), Plan::Schedule(Schedule::even(start, 1_000_000_000, 1)));
        let id = stage.sent.last().unwrap().client_id();
        stage.fill(id, 10, MARK);
        orders.push(id);
        stage.millis += 1_000;
        stage.host(EventKind::Timer);
    }
    let parents = &stage.state.parents;
    let over: Vec<u64> = parents.over().map(|parent| parent.id.0).collect();
    assert_eq!((over.len(), over[0], over[127]), (128, 130, 3));
    assert!(parents.is_empty() && parents.get(ParentId(2)).is_none());
    assert!(parents.parent_of(orders[1]).is_none(), "what is forgotten names no orders either");
    assert_eq!(parents.parent_of(orders[2]).map(|parent| parent.id), Some(ParentId(3)));
    assert_eq!(parents.get(ParentId(3)).unwrap().done(), lots(10));
}

#[test]
fn of_a_bracket_only_the_entry_is_the_work_done() {
    let mut stage = entered(Limits::RESEARCH, limit(Side::Buy, 1_000, MARK), PROTECTION);
    let target = child(&stage, Role::Target(0)).client_id;
    stage.fill(target, 400, 11_000);
    assert_eq!((parent(&stage).done(), parent(&stage).filled()), (lots(1_000), lots(1_400)));
}

#[test]
fn what_both_ways_out_sold_is_bought_back_though_nobody_is_short_on_a_cash_market() {
    let mut stage = entered(Limits::RESEARCH, market(Side::Buy, 1_000), PROTECTION);
    let ends = [Role::Target(0), Role::Stop(0)].map(|role| child(&stage, role).client_id);
    let sent = stage.sent.len();
    stage.fill(ends[0], 1_000, 11_000);
    stage.fill(ends[1], 1_000, 9_000); // its cancel came too late
    assert_eq!(stage.position(), -1_000);
    stage.millis += 2_000;
    stage.host(EventKind::Timer);
    let back = *stage.sent.get(sent).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    assert_eq!((back.side(), back.quantity(), back.request().reduce_only), (Side::Buy, lots(1_000), true));
    stage.fill(back.client_id(), 1_000, 9_010);
    assert_eq!(stage.position(), 0);
}
