//! What comes late or unasked: ends that nobody wanted, fills of what was over, words that a parent does not take.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{Ask, Parent, ParentEvent, ParentId, ParentState, Plan, Protection, Role, Schedule};
use tradewind_engine::*;
use tradewind_gate::Limits;

const MINUTE: i64 = 60_000;

fn parent(stage: &Stage, id: u64) -> &Parent {
    stage.state.parents.get(ParentId(id)).unwrap_or_else(|| panic!("{}", stage.last_refusal()))
}

fn ask(stage: &mut Stage, parent: u64, ask: Ask) {
    let said = ParentEvent::Asked { parent: ParentId(parent), ask, reason: "on request".to_owned() };
    stage.operator(EventKind::Parent(Box::new(said)));
}

/// One slice, to be sent now.
fn slice(stage: &mut Stage, request: OrderRequest) -> ClientOrderId {
    let start = Timestamp::from_millis(stage.millis);
    stage.wish(request, Plan::Schedule(Schedule::even(start, 600_000_000_000, 1)));
    stage.sent.last().unwrap().client_id()
}

fn ends(stage: &mut Stage, client_id: ClientOrderId) {
    stage.venue(EventKind::Cancelled { client_id, reason: "by the venue".into() });
}

#[test]
fn an_order_that_the_venue_takes_off_unasked_has_failed_and_what_was_to_end_has_not() {
    // how much filled before, whether we had asked for the cancel, how long it may live
    for (filled, asked, time_in_force, want) in [
        (0, false, TimeInForce::Gtc, 1),
        (400, false, TimeInForce::Gtc, 0),
        (0, true, TimeInForce::Gtc, 0),
        (0, false, TimeInForce::Ioc, 0),
    ] {
        let mut stage = Stage::new(Limits::RESEARCH);
        let id = slice(&mut stage, OrderRequest { time_in_force, ..limit(Side::Buy, 1_000, 9_900) });
        stage.host(EventKind::Sent { client_id: id });
        stage.accept(id);
        if filled > 0 {
            stage.fill(id, filled, 9_900);
        }
        if asked {
            stage.operator(EventKind::CancelProposed { client_id: id });
        }
        ends(&mut stage, id);
        let faults = &parent(&stage, 1).faults;
        assert_eq!(faults.failures, want, "{filled} filled, asked: {asked}, {time_in_force:?}");
        let why = (want > 0).then_some("it was taken off the book, and not by us");
        assert_eq!(faults.fault.as_deref(), why);
        stage.check_journal();
    }
}

#[test]
fn of_a_pair_the_first_that_is_taken_off_is_the_pairs_own_doing_and_the_second_a_failure() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let around = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };
    stage.wish(limit(Side::Buy, 1_000, MARK), Plan::Bracket(around));
    let entry = stage.sent[0].client_id();
    stage.accept(entry);
    stage.fill(entry, 1_000, MARK);
    let of = |stage: &Stage, role| parent(stage, 1).children.iter().find(|it| it.role == role).unwrap().client_id;
    let [target, stop] = [Role::Target(0), Role::Stop(0)].map(|role| of(&stage, role));
    for id in [target, stop] {
        stage.host(EventKind::Sent { client_id: id });
        stage.accept(id);
    }
    ends(&mut stage, target);
    assert_eq!(parent(&stage, 1).faults.failures, 0, "its stop stands");
    ends(&mut stage, stop);
    assert_eq!(parent(&stage, 1).faults.failures, 1, "nothing guards any more");
    stage.millis += 2_000;
    stage.mark(MARK);
    let exit = stage.sent.last().unwrap();
    assert_eq!((exit.side(), *exit.kind(), exit.quantity()), (Side::Sell, OrderKind::Market, lots(1_000)));
    stage.check_journal();
}

#[test]
fn a_late_fill_is_counted_with_its_own_parent_though_both_are_over() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let mut orders = Vec::new();
    for id in 1..=3 {
        let order = slice(&mut stage, limit(Side::Buy, 1_000, 9_900));
        stage.accept(order);
        ask(&mut stage, id, Ask::Abandon);
        ends(&mut stage, order);
        stage.millis += 2_000;
        stage.host(EventKind::Timer);
        assert!(parent(&stage, id).is_over());
        orders.push(order);
    }
    stage.fill(orders[1], 300, 9_900);
    let done = [1, 2, 3].map(|id| parent(&stage, id).done().mantissa());
    assert_eq!((done, stage.position()), ([0, 300, 0], 300));
    stage.check_journal();
}

#[test]
fn what_sends_its_own_ways_out_is_not_asked_to_leave_for_another_order() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let around = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };
    stage.wish(limit(Side::Buy, 1_000, MARK), Plan::Bracket(around));
    let entry = stage.sent[0].client_id();
    stage.accept(entry);
    stage.fill(entry, 600, MARK);
    slice(&mut stage, limit(Side::Buy, 1_000, 9_900));
    for id in [1, 2] {
        ask(&mut stage, id, Ask::Leave { quantity: lots(600), proposal: None });
        let seen = &parent(&stage, id).seen;
        assert_eq!((seen.leave, seen.closing, seen.leaves_for), (lots(0), false, None), "parent {id}");
        assert_eq!(parent(&stage, id).state, ParentState::Working);
    }
    assert_eq!(stage.cancels, []);
}

#[test]
fn a_bar_that_opens_with_the_order_counts_from_its_high_to_its_low() {
    for (opened, want) in [(0, 1), (1, 0)] {
        let mut stage = Stage::new(Limits::RESEARCH);
        stage.millis = opened;
        let touched = OrderKind::Touched { trigger: price(9_900) };
        assert_eq!(stage.propose(OrderRequest { kind: touched, ..market(Side::Buy, 1_000) }), None);
        stage.millis = MINUTE;
        let bar = Bar {
            instrument: BTC,
            interval: Interval::MINUTE,
            open_time: Timestamp::from_millis(0),
            open: price(MARK),
            high: price(MARK),
            low: price(9_900),
            close: price(MARK),
            volume: lots(1_000),
        };
        stage.say_for(PortfolioId(0), Source::Market, EventKind::BarClosed { bar, origin: Origin::Recorded });
        assert_eq!(stage.sent.len(), want, "an order of {opened} ms after the bar opened");
    }
}

#[test]
fn limits_are_told_and_set_by_name_within_what_each_of_them_can_be() {
    let told = limit_values(&Limits::CONSERVATIVE);
    let names: Vec<&str> = told.iter().map(|row| row.0).collect();
    for name in ["max_order.equity_bps", "max_position.amount", "daily_loss_bps", "borrow"] {
        assert!(names.contains(&name), "{name}");
    }
    let of_account: Vec<&str> =
        account_limit_values(&tradewind_risk::AccountLimits::NONE).iter().map(|row| row.0).collect();
    assert!(of_account.contains(&"hard_order_amount"), "{of_account:?}");
    let mut limits = Limits::RESEARCH;
    let beyond = Some(1 << 40);
    for name in ["max_order.equity_bps", "max_position.equity_bps", "daily_loss_bps", "drawdown_bps", "borrow"] {
        assert!(!set_limit(&mut limits, name, beyond), "{name} is a small number");
    }
    assert_eq!(limits, Limits::RESEARCH);
    assert!(set_limit(&mut limits, "max_order.amount", beyond) && limits.max_order.amount == beyond);
    assert!(!set_limit(&mut limits, "no_such", Some(1)));
    // those beyond the first eight: none is set before, and to take away what is not there changes nothing
    let (name, ..) = told[8..].iter().find(|row| row.2.is_some()).unwrap();
    assert_eq!(limits.controls, None);
    assert!(set_limit(&mut limits, name, None) && limits.controls.is_none());
    assert!(!set_limit(&mut limits, name, Some(-1)) && limits.controls.is_none());
    assert!(set_limit(&mut limits, name, Some(7)), "{name}");
    let now = |limits: &Limits| limit_values(limits).into_iter().find(|row| row.0 == *name).unwrap().2;
    assert_eq!(now(&limits), Some(7));
    assert!(set_limit(&mut limits, name, None));
    assert_eq!(now(&limits), None);
}
