//! Classes B, C and I of the failure catalogue: reports that come twice, late, in another order or not at all; other hands
//! and money on the account; quotes that cannot be; deciders that have lost their mind.

use tradewind_storm::{FaultId, Report, Scenario};

/// `minutes` in which the fault strikes every `n`-th time at its place, at least `least` times.
fn storm(fault: FaultId, n: u32, minutes: u32, least: u64) -> Report {
    let report = Scenario::new(23).every(fault, fault.info().place, n).run_until(minutes).passed();
    assert!(report.faults.get(&fault).is_some_and(|times| *times >= least), "{fault} struck {:?}", report.faults);
    report
}

#[test]
fn b01_reports_told_twice_count_once() {
    assert!(storm(FaultId::B01, 2, 8, 20).tally.fills > 0);
}

#[test]
fn b02_a_report_before_the_one_in_front_of_it_is_none_the_less_booked() {
    assert!(storm(FaultId::B02, 2, 8, 20).tally.fills > 0);
}

#[test]
fn b03_a_report_that_comes_much_later_changes_nothing_that_is_known() {
    assert!(storm(FaultId::B03, 3, 8, 10).tally.fills > 0);
}

#[test]
fn b04_what_the_stream_never_told_is_found_in_the_lists() {
    assert!(storm(FaultId::B04, 2, 8, 20).tally.fills > 0);
}

#[test]
fn b05_what_another_hand_does_is_adopted_and_every_unit_accounted_for() {
    assert!(storm(FaultId::B05, 1, 8, 5).tally.adopted >= 5);
}

#[test]
fn b11_money_that_comes_is_booked_when_it_is_told() {
    let report = storm(FaultId::B11, 1, 8, 5);
    assert_eq!((report.tally.adjusted, report.tally.drifts), (0, 0));
}

#[test]
fn b12_a_trifle_that_nobody_explains_is_found_and_taken_from_the_venue_by_a_person() {
    let report = storm(FaultId::B12, 4, 10, 1);
    assert!(report.tally.drifts >= 3 && report.tally.adjusted > 0, "{:?}", report.tally);
}

#[test]
fn c02_quotes_that_come_twice_are_quotes() {
    storm(FaultId::C02, 1, 6, 4);
}

#[test]
fn c05_quotes_that_are_crossed_or_empty_move_no_limit() {
    storm(FaultId::C05, 1, 6, 4);
}

#[test]
fn c06_a_quote_ten_times_too_high_moves_no_limit() {
    storm(FaultId::C06, 1, 6, 4);
}

#[test]
fn c07_while_the_feed_is_frozen_no_order_is_priced_by_it() {
    storm(FaultId::C07, 1, 6, 4);
}

#[test]
fn i02_what_no_order_can_be_is_refused() {
    let report = storm(FaultId::I02, 1, 6, 4);
    assert!(report.refused.get("GATE-03 Order").is_some_and(|times| *times > 100), "{:?}", report.refused);
}

#[test]
fn i04_the_same_order_a_hundred_times_stays_within_the_limits() {
    let report = storm(FaultId::I04, 1, 6, 4);
    assert!(report.tally.proposals > 400 && report.tally.submits < report.tally.proposals / 4, "{:?}", report.tally);
}
