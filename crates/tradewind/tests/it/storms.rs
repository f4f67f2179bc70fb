//! Storms that were asked for run, or the program says why they cannot.

use crate::support::tradewind;

#[test]
fn a_seed_behind_which_there_is_none_is_misuse_and_the_one_before_it_runs() {
    let storm = |seed: &str| tradewind(&["storm", "--seed", seed, "--hours", "0.01", "-o", "json"]);
    let run = storm("18446744073709551615").ended_with(2);
    assert!(run.err.contains("CLI-15") && run.err.contains("18446744073709551615"), "{}", run.err);
    run.is_calm();
    assert_eq!(storm("18446744073709551614").ended_with(0).json()["seeds"], 1);
}

#[test]
fn the_last_seeds_run_once_however_many_storms_run_side_by_side() {
    let seeds = "18446744073709551612..18446744073709551615";
    let told = tradewind(&["storm", "--seeds", seeds, "--hours", "0.01", "--jobs", "8", "-o", "json"]).ended_with(0);
    assert_eq!(told.json()["seeds"], 3);
}

#[test]
fn places_that_a_plan_does_not_have_are_refused() {
    let line = ["storm", "--seed", "1", "--hours", "0.1", "--faults", "D05,E09"];
    let storm = |more: &[&str]| tradewind(&[&line[..], more].concat());
    let planned = storm(&["-o", "json"]).ended_with(0).json()["faults"].as_u64().unwrap();
    assert!(planned > 0, "the plan is not empty");
    let run = storm(&["--keep", "0,999999"]).failed_with(1, "CLI-05");
    let end = "--keep names place 999999, and the plan of seed 1 ends with place ";
    let (_, last) = run.err.split_once(end).unwrap_or_else(|| panic!("{}", run.err));
    let last: usize = last.lines().next().unwrap().parse().unwrap();
    storm(&["--keep", &last.to_string()]).ended_with(0);
    storm(&["--keep", &(last + 1).to_string()]).failed_with(1, "CLI-05");
    let run = tradewind(&["storm", "--seed", "1", "--hours", "0.1", "--calm", "--keep", "0"]).failed_with(1, "CLI-05");
    assert!(run.err.contains("nothing is planned with seed 1"), "{}", run.err);
    let many = ["storm", "--seeds", "1..3", "--hours", "0.1", "--keep", "999999"];
    tradewind(&many).failed_with(1, "CLI-05");
}
