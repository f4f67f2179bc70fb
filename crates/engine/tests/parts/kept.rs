//! What a parent wants next that says where its trade ends, and one that goes by the clock or by the volume: each case a
//! look at one moment.

use crate::brackets::{CANCELLED, FILLED, NOW, OPEN, child, pair, parent, told};
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{
    BURST, Child, ChildState, Look, Parent, ParentEnd, ParentState, Participation, Plan, Role, Schedule,
};
use tradewind_gate::Limits;

const SECOND: i64 = 1_000_000_000;

/// The moment so many nanoseconds ago.
const fn ago(nanos: i64) -> Timestamp {
    NOW.plus_nanos(-nanos)
}

/// What it wants done, at this mark and with this position, in lots of ten and orders of at least `least`.
fn due(parent: &Parent, mark: i64, position: i64, room: Option<i64>, least: i64) -> String {
    let mut spec = Stage::new(Limits::RESEARCH).state.listing(BTC).instrument.spec.clone();
    (spec.lot, spec.min_quantity) = (lots(10), lots(least));
    let instrument = spec.list(BTC).unwrap();
    let look = Look {
        now: NOW,
        instrument: &instrument,
        mark: Some(price(mark)),
        quote: None,
        position: lots(position),
        room: room.map(lots),
        others: lots(0),
        may_propose: true,
        may_guard: true,
    };
    told(parent.due(&look))
}

/// Two slices of 10,000 to buy, the second of which is due now, with a target at 110 and a stop at 90.
fn kept(kind: OrderKind, children: Vec<Child>) -> Parent {
    let plan = Plan::Schedule(Schedule::even(ago(SECOND), 2 * SECOND, 2));
    let mut it = parent(market(Side::Buy, 10_000), plan, children);
    it.wish.request.kind = kind;
    let trade = TradePlan { target: Some(price(11_000)), stop: Some(price(9_000)), ..TradePlan::default() };
    it.wish.trade = Some(Box::new(trade));
    it
}

fn at_market(children: Vec<Child>) -> Parent {
    kept(OrderKind::Market, children)
}

fn slice(state: ChildState, quantity: i64, filled: i64) -> Child {
    child(Role::Slice(0), state, quantity, filled)
}

#[test]
fn while_a_slice_may_fill_further_what_it_fills_is_guarded_once_a_second() {
    let with = |state, asked: i64| {
        let [target, stop] = pair(0, OPEN, 2_000).map(|it| Child { asked_at: ago(asked), ..it });
        due(&at_market(vec![slice(state, 5_000, 3_000), target, stop]), MARK, 3_000, None, 10)
    };
    let more = "Target(1) Stop(1) 1000";
    assert_eq!(with(OPEN, BURST - 1), "nothing", "more of it may fill in the same moment");
    assert_eq!(with(OPEN, BURST), more);
    assert_eq!(with(OPEN, 0), "nothing");
    assert_eq!(with(FILLED, 0), more, "all of it has filled");
}

#[test]
fn past_its_target_a_stop_stands_alone_while_its_way_out_is_refused_and_past_its_stop_nothing_can() {
    let with = |mark: i64, wait: i64| {
        let mut it = at_market(vec![slice(FILLED, 5_000, 5_000)]);
        it.state = ParentState::Guarding { end: ParentEnd::Finished, reason: "its target was met".to_owned() };
        (it.exit.failures, it.exit.unwanted, it.exit.not_before) = (1, true, ago(-wait));
        due(&it, mark, 5_000, None, 10)
    };
    assert_eq!(with(11_000, 1), "Stop(0) Sell 5000");
    assert_eq!(with(11_000, 0), "Exit Sell 5000");
    assert_eq!(with(MARK, 1), "Target(0) Stop(0) 5000", "it came back");
    assert_eq!(with(9_000, 1), "nothing");
    assert_eq!(with(9_000, 0), "Exit Sell 5000");
}

/// Four pairs of `sizes`, the newest asked for `asked` ago, after a slice that filled `filled`.
fn four(sizes: [i64; 4], filled: i64, asked: i64, going: Option<u32>) -> String {
    let mut all = vec![slice(FILLED, filled, filled)];
    for (nth, size) in (0..).zip(sizes) {
        let asked_at = if nth == 3 { ago(asked) } else { ago(90 * SECOND) };
        let of = pair(nth, OPEN, size).map(|it| Child { asked_at, ..it });
        let cancel_asked = (going == Some(nth)).then_some(NOW);
        all.extend([Child { cancel_asked, cancels: u8::from(going == Some(nth)), ..of[0] }, of[1]]);
    }
    due(&at_market(all), MARK, filled, None, 10)
}

#[test]
fn room_for_a_fifth_pair_is_made_of_the_smallest_and_for_crumbs_only_after_a_while() {
    let sizes = [1_000, 700, 1_000, 1_000];
    assert_eq!(four(sizes, 3_700, 0, None), "Slice(1) Buy 6300", "all is guarded, and the next is due");
    assert_eq!(four(sizes, 4_070, 0, None), "cancel 101", "a tenth more is no crumb");
    assert_eq!(four(sizes, 4_060, 0, None), "nothing", "a crumb");
    assert_eq!(four(sizes, 4_060, 5 * SECOND - 1, None), "nothing");
    assert_eq!(four(sizes, 4_060, 5 * SECOND, None), "cancel 101", "it has waited long enough");
    assert_eq!(four(sizes, 4_070, 0, Some(3)), "cancel 203", "one is being taken back already");
}

#[test]
fn nothing_is_entered_beside_an_unknown_outcome_nor_before_what_failed_may_be_tried_again() {
    let with = |state: ChildState, not_before: Timestamp| {
        let mut it = at_market(vec![slice(state, 5_000, 0)]);
        it.faults.not_before = not_before;
        due(&it, MARK, 0, None, 10)
    };
    let next = "Slice(1) Buy 10000";
    assert_eq!(with(CANCELLED, NOW), next);
    assert_eq!(with(CANCELLED, NOW.plus_nanos(1)), "nothing");
    assert_eq!(with(ChildState::Open { unknown: true }, NOW), "nothing");
}

#[test]
fn past_its_stop_nothing_is_entered_and_past_its_target_only_what_rests() {
    let rests = OrderKind::Limit { price: price(MARK) };
    let with = |kind, mark, children: Vec<Child>| {
        let held = children.iter().fold(0, |sum, it| sum + it.filled.mantissa() * it.side.sign());
        due(&kept(kind, children), mark, held, None, 10)
    };
    let ends = |why: &str| format!("{:?}", ParentState::Guarding { end: ParentEnd::Cancelled, reason: why.to_owned() });
    let [stop, target] = ["the market was past its stop", "the market was past its target"].map(ends);
    for kind in [OrderKind::Market, rests] {
        assert_eq!(with(kind, MARK, vec![]), "Slice(1) Buy 10000");
        assert_eq!(with(kind, 9_000, vec![]), stop);
    }
    assert_eq!(with(OrderKind::Market, 11_000, vec![]), target);
    assert_eq!(with(rests, 11_000, vec![]), "Slice(1) Buy 10000", "it waits for a better price");
    // what it holds is guarded: its pair says whether that was the end
    let holds = || {
        let [one, other] = pair(0, OPEN, 3_000);
        vec![slice(FILLED, 3_000, 3_000), one, other]
    };
    assert_eq!(with(OrderKind::Market, 9_000, holds()), "nothing");
    // it held something once, and has left it
    let left = vec![slice(FILLED, 3_000, 3_000), child(Role::Exit, FILLED, 3_000, 3_000)];
    assert_eq!(with(OrderKind::Market, 9_000, left), stop);
}

#[test]
fn what_guards_is_over_once_nothing_is_held_that_others_are_not_about_to_close() {
    let with = |left: i64, position: i64, room: i64| {
        let all = vec![slice(FILLED, 3_000, 3_000), child(Role::Exit, FILLED, left, left)];
        let mut it = at_market(all);
        it.state = ParentState::Guarding { end: ParentEnd::Finished, reason: "all of it".to_owned() };
        due(&it, MARK, position, Some(room), 10)
    };
    assert_eq!(with(1_000, 2_000, 2_000), "Target(0) Stop(0) 2000");
    assert_eq!(with(1_000, 2_000, 0), "nothing", "another order is about to close it, and may yet not");
    assert_eq!(with(1_000, 9, 0), "Finished: all of it: 0.3 entered, 0.1 left again");
    assert_eq!(with(3_000, 2_000, 0), "Finished: all of it: 0.3 entered and left", "what is held is others'");
}

#[test]
fn a_schedule_has_1_to_10_000_slices_a_millisecond_or_more_apart() {
    let instrument = Stage::new(Limits::RESEARCH).state.listing(BTC).instrument.clone();
    let fits = |slices, every_nanos| {
        let schedule = Schedule { start: NOW, every_nanos, slices, weights: Vec::new() };
        let mut it = at_market(vec![]);
        (it.wish.plan, it.wish.trade) = (Plan::Schedule(schedule), None);
        it.wish.check(&instrument).is_ok()
    };
    for (slices, every_nanos, want) in [
        (0, SECOND, false),
        (1, SECOND, true),
        (10_000, SECOND, true),
        (10_001, SECOND, false),
        (2, 999_999, false),
        (2, 1_000_000, true),
    ] {
        assert_eq!(fits(slices, every_nanos), want, "{slices} slices every {every_nanos} ns");
    }
}

#[test]
fn a_curve_that_is_late_catches_up_by_three_of_its_largest_slices_at_most() {
    let weights = vec![1, 2, 1, 2, 3, 2, 1, 2, 1, 5]; // 20 in all
    let schedule = Schedule { start: ago(8 * SECOND), every_nanos: SECOND, slices: 10, weights };
    let mut it = at_market(vec![]);
    (it.wish.plan, it.wish.trade) = (Plan::Schedule(schedule.clone()), None);
    assert_eq!(due(&it, MARK, 0, None, 10), "Slice(8) Buy 7500", "15 of 20 are due, and three times 5 may be");
    let weights = vec![1, 2, 1, 2, 3, 2, 1, 2, 1, 3]; // 18 in all, of which 15 are due
    it.wish.plan = Plan::Schedule(Schedule { weights, ..schedule });
    assert_eq!(due(&it, MARK, 0, None, 10), "Slice(8) Buy 5000", "three times 3 of 18");
}

/// What a part of the volume wants next: a tenth of it, in clips of 600, of 1,000 in all.
fn part(volume: i64, committed: i64, least: i64) -> String {
    let plan = Participation { rate_bps: 1_000, clip: lots(600), until: NOW.plus_nanos(1) };
    let mut it = at_market(if committed > 0 { vec![slice(FILLED, committed, committed)] } else { vec![] });
    (it.wish.plan, it.wish.trade, it.wish.request.quantity) = (Plan::Participate(plan), None, lots(1_000));
    it.seen.volume = lots(volume);
    due(&it, MARK, committed, None, least)
}

#[test]
fn a_part_of_the_volume_is_sent_by_the_clip_and_its_rest_whole() {
    assert_eq!(part(5_990, 0, 10), "nothing", "less than a clip");
    assert_eq!(part(6_000, 0, 10), "Slice(0) Buy 600");
    assert_eq!(part(9_500, 0, 100), "nothing", "what would be left is too little for an order");
    assert_eq!(part(9_000, 0, 100), "Slice(0) Buy 900");
    assert_eq!(part(10_000, 0, 100), "Slice(0) Buy 1000");
    assert_eq!(part(50_000, 0, 10), "Slice(0) Buy 1000");
    assert_eq!(part(50_000, 500, 10), "Slice(1) Buy 500", "the rest is less than a clip");
    assert_eq!(part(9_000, 500, 10), "nothing");
    assert_eq!(part(50_000, 1_000, 10), "Finished: all of it");
    assert_eq!(part(0, 0, 10), "nothing");
}
