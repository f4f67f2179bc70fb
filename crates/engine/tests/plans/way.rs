//! How much of a guarded position an exit asks for, and what it means meanwhile: who guards, who leaves, what is bare.

use super::*;
use tradewind_engine::algo::{ChildState, Role};

/// 1,000 lots guarded by a bracket around the order that bought them.
fn guarded() -> Host {
    let mut host = host(Limits::RESEARCH, None);
    host.trade(buy(1_000), Some(ends()));
    assert_eq!(host.standing(), ["sell 1000 limit 10400", "sell 1000 stop 9800"]);
    host
}

#[test]
fn an_exit_takes_what_is_free_first_and_asks_a_bracket_for_the_rest_of_it_alone() {
    let mut host = guarded();
    host.trade(buy(500), None);
    let exit = host.propose(sell(700), None).unwrap();
    assert_eq!((exit.quantity(), host.parent().seen.leave), (lots(500), lots(200)));
    host.fill(&exit, 500, 10_000);
    host.settle();
    assert_eq!(host.standing(), ["sell 200 market", "sell 800 limit 10400", "sell 800 stop 9800"]);
    host.check_journal();
}

#[test]
fn what_another_hand_may_sell_is_not_free_to_be_sold() {
    let mut host = guarded();
    host.trade(buy(300), None);
    host.other_hand_sells(300, true);
    host.propose(sell(300), None).unwrap();
    assert_eq!(host.parent().seen.leave, lots(300), "a bracket is asked for it");
    host.settle();
    assert_eq!(host.standing(), ["sell 300 market", "sell 700 limit 10400", "sell 700 stop 9800"]);
    host.check_journal();
}

#[test]
fn what_fees_have_left_of_a_lot_is_neither_asked_for_nor_sold() {
    let mut host = host(Limits::RESEARCH, None);
    host.trades_in_lots_of_ten();
    let order = host.propose(buy(1_000), Some(ends())).unwrap();
    host.fill_less_fee(&order, 1_000, 10_000, "0.0007");
    let free = host.propose(buy(100), None).unwrap();
    host.fill_less_fee(&free, 100, 10_000, "0.0003");
    assert_eq!(host.held(), 1_090);
    assert_eq!(host.standing(), ["sell 990 limit 10400", "sell 990 stop 9800"]);
    let rest = host.propose(sell(1_100), None).unwrap(); // as much as was bought
    assert_eq!((rest.quantity(), host.parent().seen.leave), (lots(100), lots(990)));
    host.fill(&rest, 100, 10_000);
    host.settle();
    assert_eq!(host.standing(), ["sell 990 market"]);
    host.check_journal();
}

#[test]
fn two_exits_together_leave_no_more_than_is_held() {
    let mut host = guarded();
    host.propose(sell(600), None).unwrap();
    assert_eq!(host.parent().seen.leave, lots(600));
    // 400 are left to ask for; for the other 200 there is nothing to sell
    let refusal = host.propose(sell(600), None).unwrap_err();
    assert!(refusal.code() == "GATE-09", "{refusal}");
    assert_eq!((host.parent().seen.leave, host.parent().seen.closing), (lots(1_000), true), "all of it");
    host.settle();
    assert_eq!(host.standing(), ["sell 1000 market"]);
    host.check_journal();
}

#[test]
fn the_two_that_protect_are_guards_and_no_other_order_is() {
    let mut host = guarded();
    let by_role = |it: &Parent, of: fn(&Role) -> bool| {
        it.children.iter().find(|child| of(&child.role)).map(|child| child.client_id).unwrap()
    };
    let it = host.parent();
    let entry = by_role(it, |role| *role == Role::Entry);
    let [target, stop] =
        [by_role(it, |role| matches!(role, Role::Target(_))), by_role(it, |role| matches!(role, Role::Stop(_)))];
    assert_eq!([entry, target, stop].map(|id| it.is_guard(id)), [false, true, true]);
    assert!(!it.is_guard(ClientOrderId::from_u128(7)), "of no order of its own");
    // a bracket that sends its entry itself makes way for no other order: what it has there are its own ways out
    let mut plain = it.clone();
    plain.wish.entry = None;
    assert_eq!([entry, target, stop].map(|id| plain.is_guard(id)), [false; 3]);
    assert_eq!(host.state.open_wishes(MAIN, BTC), (lots(0), lots(0)));
    host.state.parents = Default::default();
    assert_eq!(host.state.open_wishes(MAIN, BTC), (lots(0), lots(1_000)), "without a parent they are orders like any");
}

#[test]
fn a_fault_is_told_of_what_guards_a_position_and_of_an_order_that_woke_to_reduce_one() {
    let host = guarded();
    let with = |plan: &How, reduce_only: bool, woke: bool, fault: bool, guard: bool| {
        let mut it = host.parent().clone();
        (it.wish.plan, it.wish.request.reduce_only, it.seen.woke) = (plan.clone(), reduce_only, woke);
        it.faults.fault = fault.then(|| "order".to_owned());
        it.guard.fault = guard.then(|| "guard".to_owned());
        it.guard_fault().map(str::to_owned)
    };
    let bracket = host.parent().wish.plan.clone();
    let told = |text: &str| Some(text.to_owned());
    assert_eq!(with(&How::Wait, true, true, true, false), told("order"));
    assert_eq!(with(&How::Wait, true, false, true, false), None, "it waits yet");
    assert_eq!(with(&How::Wait, false, true, true, false), None, "it guards nothing");
    assert_eq!(with(&How::Wait, false, false, true, false), None);
    assert_eq!(with(&bracket, false, false, true, false), told("order"), "all that fails of a bracket is of its guard");
    let slices = How::Schedule(Schedule::even(Timestamp::from_millis(0), SECOND, 1));
    assert_eq!(with(&slices, true, true, true, false), None, "what enters says nothing of what guards");
    assert_eq!(with(&slices, false, false, false, true), told("guard"));
    let mut flat = host.parent().clone();
    flat.faults.fault = told("order");
    flat.children.clear();
    assert_eq!(flat.guard_fault(), None, "nothing is held");
}

#[test]
fn what_its_guard_could_not_be_sent_for_is_bare_for_now_and_guarded_within_seconds() {
    let mut host = host(Limits::RESEARCH, None);
    let how = slices(&host, 2, 10);
    host.wish(buy(1_000), how, ends()).unwrap();
    assert!(!host.state.is_bare_for_now(), "nothing has filled");
    let slice = host.sent[0];
    host.fate = Fate::NotSent;
    host.fill(&slice, 500, 10_000);
    assert!(host.state.is_bare_for_now());
    host.fate = Fate::Taken;
    host.pass(1_000);
    assert_eq!(host.standing(), ["sell 500 limit 10400", "sell 500 stop 9800"]);
    assert!(!host.state.is_bare_for_now());
    // what belongs to no plan is bare for good, and not for now
    host.trade(buy(300), None);
    assert!(!host.state.is_bare_for_now());
    host.check_journal();
}

#[test]
fn what_is_given_up_is_not_bare_for_now() {
    let mut host = host(Limits::RESEARCH, None);
    let how = slices(&host, 2, 10);
    host.wish(buy(1_000), how, ends()).unwrap();
    let slice = host.sent[0];
    host.fate = Fate::NotSent;
    host.fill(&slice, 500, 10_000);
    host.ask(Ask::Abandon);
    assert!(!host.state.is_bare_for_now(), "nobody is about to guard it");
    assert!(host.parent().children.iter().all(|child| matches!(child.state, ChildState::Over(_))));
    host.check_journal();
}
