//! What a bracket, or an order that waits, wants done next, by what became of its orders: each case a look at one moment.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{
    BURST, Child, ChildEnd, ChildState, Due, Look, Parent, ParentEnd, ParentId, ParentState, Plan, Protection, Role,
};
use tradewind_gate::Limits;

const PROTECTION: Protection = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };
pub(crate) const OPEN: ChildState = ChildState::Open { unknown: false };
pub(crate) const FILLED: ChildState = ChildState::Over(ChildEnd::Filled);
pub(crate) const CANCELLED: ChildState = ChildState::Over(ChildEnd::Cancelled);
/// Long after anything that a case tells of.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(100_000);

/// A wish for a plan, with whatever its orders have come to.
pub(crate) fn parent(request: OrderRequest, plan: Plan, children: Vec<Child>) -> Parent {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.wish(request, plan);
    let parent = stage.state.parents.get(ParentId(1)).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    Parent { children, ..parent.clone() }
}

/// A bracket around 1,000 lots that are bought.
fn bracket(children: Vec<Child>) -> Parent {
    parent(limit(Side::Buy, 1_000, MARK), Plan::Bracket(PROTECTION), children)
}

/// An order of `quantity` that has filled so far, named by its role.
pub(crate) fn child(role: Role, state: ChildState, quantity: i64, filled: i64) -> Child {
    let (name, side) = match role {
        Role::Target(nth) => (100 + u128::from(nth), Side::Sell),
        Role::Stop(nth) => (200 + u128::from(nth), Side::Sell),
        Role::Exit => (300, Side::Sell),
        _ => (1, Side::Buy),
    };
    Child {
        client_id: ClientOrderId::from_u128(name),
        role,
        side,
        quantity: lots(quantity),
        filled: lots(filled),
        fee_taken: lots(0),
        state,
        asked_at: Timestamp::from_millis(1_000),
        changed_at: Timestamp::from_millis(1_000),
        cancel_asked: None,
        cancels: 0,
        at_worst: false,
    }
}

/// A target and a stop of one pair.
pub(crate) fn pair(nth: u32, state: ChildState, quantity: i64) -> [Child; 2] {
    [Role::Target(nth), Role::Stop(nth)].map(|role| child(role, state, quantity, 0))
}

/// What it wants done, where it may do what it likes and holds `position`, of which it may guard `room`.
fn due_beside(parent: &Parent, position: i64, room: Option<i64>) -> Option<Due> {
    let mut spec = Stage::new(Limits::RESEARCH).state.listing(BTC).instrument.spec.clone();
    (spec.lot, spec.min_quantity) = (lots(10), lots(10));
    let instrument = spec.list(BTC).unwrap();
    parent.due(&Look {
        now: NOW,
        instrument: &instrument,
        mark: Some(price(MARK)),
        quote: None,
        position: lots(position),
        room: room.map(lots),
        others: lots(0),
        may_propose: true,
        may_guard: true,
    })
}

fn due(parent: &Parent, position: i64) -> Option<Due> {
    due_beside(parent, position, None)
}

/// What a case asks for, in short: a role and a quantity, an order to cancel, or where it stands from here on.
pub(crate) fn told(due: Option<Due>) -> String {
    match due {
        None => "nothing".to_owned(),
        Some(Due::One(role, request)) => format!("{role:?} {:?} {}", request.side, request.quantity.mantissa()),
        Some(Due::Pair([(one, request), (other, _)])) => format!("{one:?} {other:?} {}", request.quantity.mantissa()),
        Some(Due::Cancel(id)) => format!("cancel {}", id.as_u128()),
        Some(Due::Move(ParentState::Paused { reason })) => format!("paused: {reason}"),
        Some(Due::Move(ParentState::Over { end, reason })) => format!("{end:?}: {reason}"),
        Some(Due::Move(to)) => format!("{to:?}"),
    }
}

#[test]
fn what_has_filled_is_guarded_less_what_its_fee_took_and_less_what_pairs_may_still_sell() {
    let entry = |filled, fee| Child { fee_taken: lots(fee), ..child(Role::Entry, OPEN, 1_000, filled) };
    let with = |all: Vec<Child>| told(due(&bracket(all), 1_000));
    assert_eq!(with(vec![entry(400, 0)]), "Target(0) Stop(0) 400");
    assert_eq!(with(vec![entry(400, 20)]), "Target(0) Stop(0) 380");
    let [target, stop] = pair(0, OPEN, 400);
    assert_eq!(with(vec![entry(400, 0), target, stop]), "nothing");
    assert_eq!(with(vec![entry(700, 0), target, stop]), "Target(1) Stop(1) 300");
    // what the pair has sold is gone from both
    let sold = Child { filled: lots(100), ..target };
    assert_eq!(
        with(vec![entry(700, 0), sold, stop]),
        "Target(1) Stop(1) 200",
        "100 sold, and the stop may sell 400 yet"
    );
    // an exit that works, and one that is done
    let exit = |state, filled| child(Role::Exit, state, 300, filled);
    assert_eq!(with(vec![entry(700, 0), exit(OPEN, 100)]), "Target(0) Stop(0) 400");
    assert_eq!(with(vec![entry(700, 0), exit(CANCELLED, 100)]), "Target(0) Stop(0) 600");
}

#[test]
fn only_pairs_that_may_still_fill_count_towards_the_four_that_may_stand() {
    let entry = child(Role::Entry, OPEN, 1_000, 500);
    let with = |last: ChildState, last_filled: i64| {
        let mut all = vec![entry];
        (0..3).for_each(|nth| all.extend(pair(nth, OPEN, 100)));
        let [target, stop] = pair(3, last, 100);
        all.extend([Child { filled: lots(last_filled), ..target }, stop]);
        told(due(&bracket(all), 500))
    };
    assert_eq!(with(OPEN, 0), "cancel 100", "no fifth: the smallest is taken back for one of all that is bare");
    assert_eq!(with(CANCELLED, 0), "Target(4) Stop(4) 200", "three stand: the fourth is gone");
    // all of it is guarded: the entry works on beside four pairs
    let mut all = vec![Child { filled: lots(400), ..entry }];
    (0..4).for_each(|nth| all.extend(pair(nth, OPEN, 100)));
    assert_eq!(told(due(&bracket(all), 400)), "nothing");
}

#[test]
fn what_both_ways_out_sold_too_much_is_brought_back_where_the_position_turned() {
    let entry = child(Role::Entry, FILLED, 1_000, 1_000);
    let both = [child(Role::Target(0), FILLED, 1_000, 1_000), child(Role::Stop(0), FILLED, 1_000, 600)];
    let with = |more: &[Child], position| {
        let all = [entry].into_iter().chain(both).chain(more.iter().copied()).collect();
        told(due(&bracket(all), position))
    };
    assert_eq!(with(&[], -600), "Excess Buy 600");
    assert_eq!(with(&[], -400), "Excess Buy 400", "others hold 200");
    assert_eq!(with(&[], 0), "paused: target and stop both filled: 0.06 more was left than was entered");
    // what already brings it back counts with all that it may still do
    let back = |state, filled| child(Role::Excess, state, 600, filled);
    assert_eq!(with(&[back(CANCELLED, 200)], -400), "Excess Buy 400");
    assert_eq!(with(&[back(OPEN, 0)], -600), "nothing");
    assert_eq!(with(&[back(FILLED, 600)], 0), "Finished: 0.1 entered and left");
}

#[test]
fn around_an_order_that_stood_before_no_more_is_guarded_than_the_portfolio_still_holds() {
    let entry = child(Role::Entry, FILLED, 1_000, 1_000);
    let with = |all: &[Child], position, room| {
        told(due_beside(&bracket([entry].iter().chain(all).copied().collect()), position, Some(room)))
    };
    assert_eq!(with(&[], 1_000, 1_000), "Target(0) Stop(0) 1000");
    assert_eq!(with(&[], 1_000, 600), "Target(0) Stop(0) 600", "others are to close 400");
    let stands = pair(0, OPEN, 600);
    assert_eq!(with(&stands, 1_000, 1_000), "Target(1) Stop(1) 400", "of what is held 600 are guarded");
    assert_eq!(with(&stands, 1_000, 700), "Target(1) Stop(1) 100");
    assert_eq!(with(&stands, 500, 500), "cancel 100", "others have closed what it was for");
    assert_eq!(with(&stands, 600, 600), "nothing");
    // what another order is about to close may yet stay: it waits, as long as anything is held
    assert_eq!(with(&[], 1_000, 0), "nothing");
    assert_eq!(with(&[], 10, 0), "nothing");
    let over = "Finished: 0.1 entered, 0 left again";
    assert_eq!(with(&[], 9, 0), over, "less than a lot is nothing");
    assert_eq!(with(&[], 0, 0), over);
    assert_eq!(with(&[], -1_000, 0), over, "the other side is not its own");
    let left = child(Role::Exit, FILLED, 1_000, 1_000);
    assert_eq!(with(&[left], 1_000, 0), "Finished: 0.1 entered and left", "what is held is others'");
}

#[test]
fn the_market_is_past_a_stop_or_a_target_by_its_price_or_by_the_side_that_an_exit_would_trade_at() {
    let cases = |side: Side, mark: i64, bid: i64, ask: i64| {
        let around = match side {
            Side::Buy => PROTECTION,
            Side::Sell => Protection { target: Some(price(9_000)), stop: Some(price(11_000)), stop_limit: None },
        };
        let mut it = bracket(vec![Child { side, ..child(Role::Entry, FILLED, 1_000, 1_000) }]);
        (it.wish.request.side, it.wish.plan) = (side, Plan::Bracket(around));
        let instrument = Stage::new(Limits::RESEARCH).state.listing(BTC).instrument.clone();
        let look = Look {
            now: NOW,
            instrument: &instrument,
            mark: Some(price(mark)),
            quote: Some((price(bid), price(ask))),
            position: lots(1_000 * side.sign()),
            room: None,
            others: lots(0),
            may_propose: true,
            may_guard: true,
        };
        told(it.due(&look))
    };
    let long = |mark, bid, ask| cases(Side::Buy, mark, bid, ask);
    assert_eq!(long(10_000, 9_990, 10_010), "Target(0) Stop(0) 1000");
    assert_eq!(long(9_001, 9_001, 9_002), "Target(0) Stop(0) 1000");
    assert_eq!(long(9_000, 9_001, 9_002), "Exit Sell 1000", "at its stop");
    assert_eq!(long(9_001, 9_000, 9_002), "Exit Sell 1000", "it would sell at the bid");
    assert_eq!(long(10_990, 10_990, 11_000), "Target(0) Stop(0) 1000", "nobody bids its target");
    assert_eq!(long(10_990, 11_000, 11_010), "Exit Sell 1000");
    let short = |mark, bid, ask| cases(Side::Sell, mark, bid, ask);
    assert_eq!(short(10_000, 9_990, 10_010), "Stop(0) Target(0) 1000");
    assert_eq!(short(10_990, 10_990, 11_000), "Exit Buy 1000", "it would buy at the ask");
    assert_eq!(short(9_010, 9_000, 9_010), "Stop(0) Target(0) 1000", "nobody asks its target");
    assert_eq!(short(9_010, 8_990, 9_000), "Exit Buy 1000");
}

#[test]
fn a_target_whose_stop_is_gone_is_taken_back_unless_the_venue_has_just_taken_both() {
    let entry = child(Role::Entry, FILLED, 1_000, 1_000);
    let with = |stop: ChildState, filled: i64, since: i64| {
        let [target, other] = pair(0, OPEN, 1_000);
        let other = Child { state: stop, changed_at: NOW.plus_nanos(-since), ..other };
        told(due(&bracket(vec![entry, Child { filled: lots(filled), ..target }, other]), 1_000 - filled))
    };
    assert_eq!(with(OPEN, 100, BURST), "nothing");
    assert_eq!(with(CANCELLED, 100, 0), "cancel 100");
    assert_eq!(with(CANCELLED, 0, BURST - 1), "nothing", "it is told of the target next");
    assert_eq!(with(CANCELLED, 0, BURST), "cancel 100");
}

#[test]
fn a_bracket_gives_up_only_before_it_holds_anything() {
    let failing = |children: Vec<Child>, position| {
        let mut it = bracket(children);
        it.faults.failures = 9;
        told(due(&it, position))
    };
    assert_eq!(failing(vec![], 0), "paused: its orders do not last");
    let entry = |filled| child(Role::Entry, OPEN, 1_000, filled);
    assert_eq!(failing(vec![entry(400)], 400), "cancel 1", "no more of it, with what is guarded");
    let ended = child(Role::Entry, CANCELLED, 1_000, 400);
    assert_eq!(failing(vec![ended], 400), "Target(0) Stop(0) 400");
    // a fee took what it had bought: there is nothing to guard
    assert_eq!(failing(vec![Child { fee_taken: lots(400), ..ended }], 0), "paused: its orders do not last");
    assert_eq!(failing(vec![Child { fee_taken: lots(390), ..ended }], 10), "Target(0) Stop(0) 10");
}

#[test]
fn an_entry_is_held_back_while_a_guard_fails_or_nobody_knows_whether_it_stands() {
    let entry = child(Role::Entry, OPEN, 1_000, 400);
    let with = |failures: u8, stop: ChildState| {
        let [target, other] = pair(0, OPEN, 400);
        let mut it = bracket(vec![entry, target, Child { state: stop, ..other }]);
        it.faults.failures = failures;
        told(due(&it, 400))
    };
    assert_eq!(with(0, OPEN), "nothing");
    assert_eq!(with(1, OPEN), "cancel 1");
    assert_eq!(with(0, ChildState::Open { unknown: true }), "cancel 1");
}

#[test]
fn while_no_pair_is_wanted_and_its_way_out_is_refused_a_stop_stands_alone_until_that_is_tried_again() {
    let entry = child(Role::Entry, FILLED, 1_000, 1_000);
    let with = |children: Vec<Child>, unwanted: bool, wait: i64| {
        let mut it = bracket(children);
        it.faults.unwanted = true;
        (it.exit.failures, it.exit.unwanted, it.exit.not_before) = (1, unwanted, NOW.plus_nanos(wait));
        told(due(&it, 1_000))
    };
    assert_eq!(with(vec![entry], true, 1), "Stop(0) Sell 1000");
    assert_eq!(with(vec![entry], false, 1), "nothing", "it failed for the moment");
    assert_eq!(with(vec![entry], true, 0), "Exit Sell 1000");
    let [target, stop] = pair(0, OPEN, 1_000);
    assert_eq!(with(vec![entry, stop], true, 1), "nothing");
    assert_eq!(with(vec![entry, stop], true, 0), "cancel 200");
    assert_eq!(with(vec![entry, target, stop], true, 0), "nothing", "a pair stands for itself");
}

/// What a waiting order asks for whose first one found no more at its worst price.
fn after_its_worst(at_worst: bool, position: i64) -> String {
    let trailing = OrderKind::Trailing { offset: TrailingOffset::Price(price(100)), activation: None };
    let request = OrderRequest { kind: trailing, reduce_only: true, ..market(Side::Sell, 1_000) };
    let awake = Child { at_worst, side: Side::Sell, ..child(Role::Awake, CANCELLED, 1_000, 400) };
    let mut it = bracket(vec![awake]);
    (it.wish.request, it.wish.plan) = (request, Plan::Wait);
    it.seen.woke = true;
    told(due(&it, position))
}

#[test]
fn what_a_worst_price_left_open_is_asked_for_again_as_far_as_it_is_still_held() {
    assert_eq!(after_its_worst(true, 800), "Awake Sell 600", "1,000 less 400");
    assert_eq!(after_its_worst(true, 605), "Awake Sell 600");
    assert_eq!(after_its_worst(true, 590), "Awake Sell 590");
    assert_eq!(after_its_worst(true, 9), "Finished: 0.06 was left open");
    assert_eq!(after_its_worst(false, 800), "Finished: 0.06 was left open", "it was taken off the book");
}

#[test]
fn a_plan_has_left_so_much_as_was_asked_and_its_entry_ends_with_all_of_it() {
    let ends = |filled: i64, fee: i64, state: ChildState| {
        let entry = Child { fee_taken: lots(fee), ..child(Role::Entry, state, 1_000, filled) };
        let it = bracket(vec![entry]);
        told(due(&it, filled))
    };
    assert_eq!(ends(0, 0, CANCELLED), "Cancelled: its entry ended without a fill");
    assert_eq!(ends(0, 0, ChildState::Over(ChildEnd::Rejected)), "Failed: its entry never worked");
    assert_eq!(ends(0, 0, OPEN), "nothing");
    let over = ParentState::Over { end: ParentEnd::Finished, reason: "done".to_owned() };
    let mut it = bracket(vec![child(Role::Entry, FILLED, 1_000, 1_000)]);
    it.state = over;
    assert_eq!(told(due(&it, 1_000)), "nothing", "what is over wants nothing");
}
