//! Classes D to G of the failure catalogue: connections, the venue's limits and outages, clocks, process and disk.

use tradewind_storm::{FaultId, Report, Scenario, When};

/// `minutes` in which the fault strikes every `n`-th time at its place, at least `least` times.
fn storm(fault: FaultId, n: u32, minutes: u32, least: u64) -> Report {
    let report = Scenario::new(37).every(fault, fault.info().place, n).run_until(minutes).passed();
    assert!(report.faults.get(&fault).is_some_and(|times| *times >= least), "{fault} struck {:?}", report.faults);
    report
}

#[test]
fn d01_a_half_open_connection_is_given_up_and_everything_read_again() {
    storm(FaultId::D01, 1, 8, 5);
}

#[test]
fn d02_questions_whose_answers_trickle_in_are_asked_again() {
    storm(FaultId::D02, 2, 10, 3);
}

#[test]
fn d03_half_an_answer_is_no_answer() {
    let report = storm(FaultId::D03, 3, 8, 5);
    assert!(report.tally.found > 0 && report.tally.ambiguous > 0);
}

#[test]
fn d05_a_connection_that_breaks_again_and_again_loses_no_order() {
    storm(FaultId::D05, 1, 8, 5);
}

#[test]
fn d12_a_page_for_people_is_no_answer() {
    let report = storm(FaultId::D12, 3, 8, 5);
    assert!(report.tally.ambiguous > 0);
}

#[test]
fn d13_the_answer_to_another_request_is_no_answer() {
    storm(FaultId::D13, 3, 8, 5);
}

#[test]
fn e01_a_budget_that_another_program_used_up_is_waited_for() {
    storm(FaultId::E01, 2, 10, 3);
}

#[test]
fn e02_in_a_ban_nothing_comes_to_the_door() {
    storm(FaultId::E02, 4, 14, 2);
}

#[test]
fn e02_a_parent_that_is_cancelled_during_a_ban_leaves_no_order_behind() {
    // the ban covers the end of the day, when people end every parent, and is longer than a few attempts
    let end = 20 * 60_000_000_000;
    for seed in [4, 5, 6] {
        let storm = Scenario::new(seed).drawn(FaultId::E02, When::Moment(end - 30_000_000_000), 100);
        let report = storm.run_until(20).passed();
        assert!(report.tally.parents > 0, "{:?}", report.tally);
    }
}

#[test]
fn e04_a_server_error_leaves_the_order_unknown() {
    let report = storm(FaultId::E04, 3, 8, 5);
    assert!(report.tally.ambiguous > 0 && report.tally.found > 0 && report.tally.proven_absent > 0);
}

#[test]
fn e06_orders_that_the_venue_forgot_end_by_proof_and_are_not_placed_again() {
    storm(FaultId::E06, 3, 10, 2);
}

#[test]
fn e09_a_venue_that_is_away_for_minutes_is_waited_for() {
    storm(FaultId::E09, 3, 12, 2);
}

#[test]
fn f01_a_wall_clock_that_jumps_moves_no_fence() {
    storm(FaultId::F01, 1, 8, 5);
}

#[test]
fn f05_after_a_suspension_everything_is_measured_and_read_anew() {
    storm(FaultId::F05, 4, 16, 2);
}

#[test]
fn f07_timers_that_fire_late_send_nothing_behind_the_fence() {
    storm(FaultId::F07, 1, 8, 5);
}

#[test]
fn g01_killed_around_the_sending_of_an_order_it_neither_doubles_nor_loses_it() {
    let report = storm(FaultId::G01, 9, 10, 3);
    assert!(report.tally.crashes >= 3 && report.tally.ambiguous >= 3, "{:?}", report.tally);
}

#[test]
fn g02_after_a_power_failure_every_acknowledged_intent_is_there() {
    assert!(storm(FaultId::G02, 1, 8, 5).tally.crashes >= 5);
}

#[test]
fn g03_garbage_behind_the_last_record_is_cut_off() {
    assert!(storm(FaultId::G03, 1, 8, 5).tally.crashes >= 5);
}

#[test]
fn g04_on_a_full_disk_nothing_leaves_that_is_not_remembered() {
    storm(FaultId::G04, 2, 10, 3);
}

#[test]
fn g05_after_a_failed_sync_nothing_leaves_and_the_next_start_recovers() {
    assert!(storm(FaultId::G05, 2, 10, 3).tally.crashes > 0);
}

#[test]
fn g09_spoilt_snapshots_cost_time_and_nothing_else() {
    storm(FaultId::G09, 2, 10, 3);
}

#[test]
fn g13_killed_at_any_moment_it_goes_on_where_it_was() {
    assert!(storm(FaultId::G13, 1, 8, 5).tally.crashes >= 5);
}
