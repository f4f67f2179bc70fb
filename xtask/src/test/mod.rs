//! Everything main must pass, area by area, with the time each took.

mod areas;
mod deny;
pub(crate) mod fuzz;
mod generated;
pub(crate) mod storm;
mod tally;
mod third_party;

use crate::env;
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use areas::AREAS;
pub(crate) use areas::sum_of;
use tally::Tally;

/// `cargo xtask test`
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --only fmt,tidy,clippy\n\n\
    Exit codes: 0 all passed, 1 something failed, 2 could not start.")]
pub(crate) struct Args {
    /// Runs these areas only
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    only: Vec<String>,
    /// Leaves these areas out
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    skip: Vec<String>,
    /// Names the areas and ends
    #[arg(long)]
    list: bool,
}

/// One part of what main must pass.
pub(crate) struct Area {
    /// What `--only` and the table of times call it.
    pub(crate) name: &'static str,
    /// One line for `--list`.
    pub(crate) about: &'static str,
    /// Does the work; an `Err` counts as a failure of the area.
    pub(crate) run: fn() -> Result<Outcome>,
}

/// How an area ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Tests that passed and failed; an area without tests of its own counts as one.
    pub(crate) tally: Tally,
    /// What could not be tried, and why; a failure in a run of record.
    pub(crate) gaps: Vec<String>,
    /// What no machine with this user can try, and why; listed, and no failure.
    pub(crate) skipped: Vec<String>,
    /// What was counted, in words; printed at the end.
    pub(crate) figures: Vec<String>,
}

impl Outcome {
    /// An area that is one check.
    pub(crate) fn check(passed: bool) -> Self {
        Self { tally: Tally::one(passed), ..Self::default() }
    }

    /// An area that could not be tried here.
    pub(crate) fn gap(what: impl Into<String>) -> Self {
        Self { gaps: vec![what.into()], ..Self::default() }
    }
}

/// Runs the chosen areas in order and prints the table, the gaps and the sum. `true` if nothing failed.
///
/// # Errors
/// If an area is named that does not exist.
pub(crate) fn run(args: &Args) -> Result<bool> {
    if args.list {
        AREAS.iter().for_each(|area| println!("{:<16} {}", area.name, area.about));
        return Ok(true);
    }
    for name in args.only.iter().chain(&args.skip) {
        if !AREAS.iter().any(|area| area.name == name) {
            bail!("there is no area `{name}`: `cargo xtask test --list` names them");
        }
    }
    let chosen = |area: &&Area| {
        let named = |list: &[String]| list.iter().any(|name| name == area.name);
        (args.only.is_empty() || named(&args.only)) && !named(&args.skip)
    };
    let results: Vec<_> = AREAS.iter().filter(chosen).map(timed).collect();
    let (text, passed) = summary(&results, env::is_ci());
    print!("{text}");
    Ok(passed)
}

/// Asks for known vulnerabilities in what we are built from; needs the network.
///
/// # Errors
/// If cargo-deny is not there and cannot be installed.
pub(crate) fn advisories() -> Result<bool> {
    deny::check(&["advisories"])
}

fn timed(area: &Area) -> (&'static str, Duration, Outcome) {
    println!("== {}", area.name);
    let start = Instant::now();
    let outcome = (area.run)().unwrap_or_else(|error| {
        println!("error: {error:#}");
        Outcome::check(false)
    });
    (area.name, start.elapsed(), outcome)
}

/// The end of the output: times, gaps, and the sum as the last line.
fn summary(results: &[(&'static str, Duration, Outcome)], is_ci: bool) -> (String, bool) {
    let mut text = format!("\n{:<16} {:>8} {:>7} {:>7}\n", "area", "seconds", "passed", "failed");
    let (mut sum, mut time, mut gaps) = (Tally::default(), Duration::ZERO, Vec::new());
    for (name, took, outcome) in results {
        let Tally { passed, failed } = outcome.tally;
        let seconds = took.as_secs_f64();
        writeln!(text, "{name:<16} {seconds:>8.1} {passed:>7} {failed:>7}").expect("writing to text cannot fail");
        sum = sum.plus(outcome.tally);
        time += *took;
        gaps.extend(outcome.gaps.iter().cloned());
    }
    writeln!(text, "{:<16} {:>8.1}\n", "all", time.as_secs_f64()).expect("writing to text cannot fail");
    for figure in results.iter().flat_map(|(.., outcome)| &outcome.figures) {
        writeln!(text, "{figure}").expect("writing to text cannot fail");
    }
    gaps.sort();
    gaps.dedup();
    for gap in &gaps {
        writeln!(text, "{gap}").expect("writing to text cannot fail");
    }
    let skipped: BTreeSet<&String> = results.iter().flat_map(|(.., outcome)| &outcome.skipped).collect();
    for line in &skipped {
        writeln!(text, "{line}").expect("writing to text cannot fail");
    }
    if !skipped.is_empty() {
        writeln!(text, "{} skipped", skipped.len()).expect("writing to text cannot fail");
    }
    if is_ci {
        sum.failed += gaps.len(); // a run of record leaves nothing out in silence
    }
    writeln!(text, "{} passed, {} failed", sum.passed, sum.failed).expect("writing to text cannot fail");
    (text, sum.failed == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(failed: usize, gap: Option<&str>) -> Vec<(&'static str, Duration, Outcome)> {
        let gaps = gap.map(str::to_string).into_iter().collect();
        let figures = vec!["kill cycles: 86".to_string()];
        let tests = Outcome { tally: Tally { passed: 7, failed }, gaps, figures, ..Outcome::default() };
        vec![("fmt", Duration::from_millis(1200), Outcome::check(true)), ("tests", Duration::from_secs(9), tests)]
    }

    fn last_line(text: &str) -> &str {
        text.lines().last().unwrap_or_default()
    }

    #[test]
    fn the_last_line_is_the_sum() {
        let (text, passed) = summary(&results(0, None), true);
        assert_eq!(last_line(&text), "8 passed, 0 failed");
        assert!(passed && text.contains("fmt                   1.2       1       0"), "{text}");
        assert!(text.contains("\nkill cycles: 86\n"), "{text}");
        let (text, passed) = summary(&results(2, None), false);
        assert_eq!(last_line(&text), "8 passed, 2 failed");
        assert!(!passed);
    }

    #[test]
    fn a_gap_is_listed_and_fails_a_run_of_record() {
        let results = results(0, Some("no recordings: reads_a_year"));
        let (text, passed) = summary(&results, false);
        assert!(passed && text.contains("\nno recordings: reads_a_year\n8 passed, 0 failed"), "{text}");
        let (text, passed) = summary(&results, true);
        assert_eq!((last_line(&text), passed), ("8 passed, 1 failed", false));
    }

    #[test]
    fn what_this_machine_cannot_try_is_listed_and_counted_and_fails_nothing() {
        let mut results = results(0, None);
        results[1].2.skipped = vec!["skipped: fills_a_disk: no mount".to_string(); 2];
        let (text, passed) = summary(&results, true);
        assert!(passed && text.contains("\nskipped: fills_a_disk: no mount\n1 skipped\n"), "{text}");
        assert_eq!(last_line(&text), "8 passed, 0 failed");
    }
}
