//! `tradewind stress`: hundreds of made-up markets from outside.

use crate::support::{tradewind, tradewind_in};

#[test]
fn the_same_seed_gives_the_same_bytes_however_many_run_side_by_side() {
    let run = |jobs: &str| {
        let args = ["stress", "--strategy", "breakout", "--scenarios", "20", "--jobs", jobs, "-o", "json"];
        tradewind(&args).ended_with(0).out
    };
    assert_eq!(run("1"), run("2"));
}

#[test]
fn the_worst_seed_run_alone_gives_its_figures_again_and_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let many = tradewind(&["stress", "--scenarios", "10", "--seed", "40", "-o", "json"]).ended_with(0).json();
    assert_eq!((&many["origin"], &many["scenarios"]), (&"simulated".into(), &10.into()));
    let worst = &many["worst"][0];
    let seed = worst["seed"].to_string();
    let args = ["stress", "--scenarios", "1", "--seed", &seed, "--report", "worst.html", "-o", "json"];
    let alone = tradewind_in(dir.path(), &args).ended_with(0).json();
    assert_eq!(alone["worst"][0], *worst);
    let page = std::fs::read_to_string(dir.path().join("worst.html")).unwrap();
    assert!(page.contains("made-up market") && page.contains("simulated"), "it says what it is");
}

#[test]
fn it_names_the_command_that_shows_the_worst_one_again() {
    let dir = tempfile::tempdir().unwrap();
    let args = "stress --strategy ema-trend --set fast=8 --bars 300 --events 0.1 --fee-bps 5 --scenarios 8";
    let told = tradewind(&args.split(' ').collect::<Vec<_>>()).ended_with(0).out;
    let command = told.lines().find_map(|line| line.strip_prefix("the worst one alone: tradewind ")).unwrap();
    let row = told.lines().skip_while(|line| !line.contains("worst seeds")).nth(1).unwrap();
    let again = tradewind_in(dir.path(), &command.split(' ').collect::<Vec<_>>()).ended_with(0).out;
    assert!(again.lines().any(|line| line == row), "{row}\n{again}");
}

#[test]
fn what_cannot_be_drawn_is_refused_with_its_value() {
    for (args, code) in [
        (["stress", "--report", "many.html", "--scenarios", "2"], "CLI-05"),
        (["stress", "--strategy", "nothing", "--scenarios", "2"], "STR-01"),
        (["stress", "--slippage-bps", "-1", "--scenarios", "2"], "CLI-05"),
    ] {
        tradewind(&args).failed_with(1, code);
    }
    for wrong in [["stress", "--events", "1.5"], ["stress", "--volatility", "NaN"], ["stress", "--bars", "0"]] {
        assert!(tradewind(&wrong).ended_with(2).err.contains(wrong[2]));
    }
}
