//! Class A of the failure catalogue: the way of an order. Each fault strikes again and again; nothing is doubled, nothing
//! is lost, no limit is passed, and what became of every order is known in the end. What else a fault must lead to stands
//! with it.

use tradewind_storm::{FaultId, Place, Report, Scenario};

/// Ten minutes in which the fault strikes every `n`-th time at its place.
fn storm(fault: FaultId, n: u32) -> Report {
    let report = Scenario::new(11).every(fault, fault.info().place, n).run_until(10).passed();
    assert!(report.faults.get(&fault).is_some_and(|times| *times >= 5), "{fault} struck {:?}", report.faults);
    report
}

#[test]
fn in_fair_weather_nothing_is_ambiguous() {
    let report = Scenario::new(11).run_until(10).passed();
    assert!(report.tally.submits > 20 && report.tally.fills > 20, "{:?}", report.tally);
    assert_eq!((report.tally.ambiguous, report.tally.crashes, report.tally.drifts), (0, 0, 0));
}

#[test]
fn what_parents_enter_that_say_where_their_trade_ends_is_guarded() {
    let reports = [7, 13, 23, 30, 35]
        .map(|seed| Scenario::new(seed).every(FaultId::A01, Place::Submit, 4).run_until(30).passed());
    let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
    let (planned, guards) = (sum(|it| it.tally.planned), sum(|it| it.tally.guards));
    assert!(planned >= 10 && guards >= 50, "{planned} planned, {guards} guards");
}

#[test]
fn a01_a_lost_answer_is_found_by_its_id() {
    let report = storm(FaultId::A01, 3);
    assert!(report.tally.ambiguous > 0);
    assert_eq!(report.tally.proven_absent, 0, "every order was taken");
}

#[test]
fn a02_what_was_filled_before_the_break_is_booked_once() {
    let report = storm(FaultId::A02, 3);
    assert!(report.tally.ambiguous > 0 && report.tally.fills > 0);
    assert_eq!(report.tally.proven_absent, 0, "every order was taken");
}

#[test]
fn a03_a_request_that_never_came_is_proven_absent() {
    let report = storm(FaultId::A03, 3);
    assert!(report.tally.proven_absent >= 5, "{:?}", report.tally);
    assert_eq!(report.tally.proven_absent, report.tally.ambiguous);
}

#[test]
fn a04_a_request_that_comes_late_and_inside_its_fence_is_adopted() {
    let report = storm(FaultId::A04, 3);
    assert!(report.tally.ambiguous > 0);
    assert_eq!(report.tally.proven_absent, 0, "every order came");
}

#[test]
fn a05_a_request_that_comes_after_its_fence_is_refused_and_proven_absent() {
    let report = storm(FaultId::A05, 3);
    assert!(report.tally.proven_absent >= 5, "{:?}", report.tally);
    assert_eq!(report.tally.proven_absent, report.tally.ambiguous);
}

#[test]
fn a06_nobody_sends_a_request_again_whose_connection_closed() {
    let report = storm(FaultId::A06, 3);
    // the judge counts bodies at the venue's door: what never came is seen there not once
    assert!(report.tally.proven_absent >= 5, "{:?}", report.tally);
}

#[test]
fn a07_an_order_that_the_venue_does_not_find_yet_stays_unknown() {
    // in this market the venue refuses none of them: what it refuses unheard is rightly proven absent
    let report = Scenario::new(12).every(FaultId::A07, Place::Submit, 4).run_until(10).passed();
    assert!(report.tally.ambiguous > 0 && report.faults[&FaultId::A07] >= 5);
    assert_eq!(report.tally.proven_absent, 0, "every order was taken, however long the venue did not find it");
}

#[test]
fn a09_an_error_inside_a_success_is_no_answer() {
    let report = storm(FaultId::A09, 3);
    assert!(report.tally.found > 0 && report.tally.proven_absent > 0, "{:?}", report.tally);
}

#[test]
fn a10_a_code_that_nobody_knows_is_no_answer() {
    let report = storm(FaultId::A10, 3);
    assert!(report.tally.found > 0 && report.tally.proven_absent > 0, "{:?}", report.tally);
}

#[test]
fn a13_fills_that_cross_a_cancel_are_booked() {
    storm(FaultId::A13, 1);
}

#[test]
fn a14_a_lost_answer_to_a_cancel_leaves_no_order_in_doubt() {
    storm(FaultId::A14, 1);
}

#[test]
fn a15_an_amendment_that_nobody_answers_is_found_or_found_not_to_be_and_nothing_fills_beyond_it() {
    let report = Scenario::new(11).every(FaultId::A15, Place::Amend, 1).run_until(30).passed();
    let struck = report.faults.get(&FaultId::A15).copied().unwrap_or(0);
    assert!(struck >= 5 && report.tally.amends >= 5 && report.tally.found > 0, "{struck}: {:?}", report.tally);
}

#[test]
fn pairs_parents_agents_and_people_take_part_in_every_storm() {
    let report = Scenario::new(14).every(FaultId::A01, Place::Submit, 4).run_until(30).passed();
    let it = &report.tally;
    assert!(it.pairs >= 3 && it.parents >= 3 && it.amends >= 3, "{it:?}");
    assert!(it.approved > 0 && it.limits_changed > 0, "{it:?}");
    assert!(it.places >= 40, "of three strategies on twenty instruments: {it:?}");
}

#[test]
fn the_same_seed_gives_the_same_storm() {
    let run =
        || Scenario::new(5).every(FaultId::A01, Place::Submit, 2).every(FaultId::G13, Place::Moment, 2).run_until(6);
    let (first, second) = (run().passed(), run().passed());
    assert_eq!(first, second);
    assert_eq!(first.hash.len(), 64);
}
