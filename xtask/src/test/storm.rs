//! The release storm: thousands of seeded storms by the program as it is shipped, and the figures that must come of them.

use super::{Outcome, Tally};
use crate::{env, process, programs};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Storms that failed once; each is gone through in every run.
const PAST: &str = include_str!("storm-seeds.txt");
/// Kinds of trouble that last for a whole storm, as the program names them, and how many seeds each is run over.
const BUNDLES: [&str; 4] = ["normal", "volatile", "degraded", "flash-crash"];
const SEEDS_A_BUNDLE: u64 = 20;
/// Seeds of which each is run twice and must give the same hash: 1 % of the window.
const TWICE: u64 = 20;

/// Days of what a node meets on any day, and the part of their time in which it must be safe to trade.
const FIRST_DAY: u64 = 1;
const DAYS: u64 = 2;
const SAFE: f64 = 0.998;

/// Of the orders whose outcome was unknown, at least this part must have been resolved by a proof of absence.
const ABSENT: f64 = 0.2;
/// Every fault of the catalogue must have struck so often.
const EACH_KIND: f64 = 10.0;

/// What a window of storms must come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Storms.
    pub(crate) seeds: u64,
    /// Simulated hours of each.
    pub(crate) hours_each: f64,
    /// At least so many of each, named as the program names them.
    pub(crate) least: [(&'static str, f64); 4],
}

/// The first seed of what every change must pass: the same storms always, so that a change is judged by what it changes.
const FIRST: u64 = 1;

/// What every change must pass.
pub(crate) const RELEASE: Wanted = Wanted {
    seeds: 2_000,
    hours_each: 0.5,
    least: [("seeds", 2_000.0), ("hours", 1_000.0), ("faults", 50_000.0), ("ambiguous", 100_000.0)],
};

/// None of these, ever.
const NONE: [&str; 4] = ["doubled", "lost", "breaches", "failed"];

/// Runs the window, every seed that failed before, and a part of the window twice.
pub(super) fn run() -> Result<Outcome> {
    let program = programs::release("tradewind")?;
    let window = storm(&program, FIRST..FIRST + RELEASE.seeds, RELEASE.hours_each)?;
    let (passed, mut figures) = judged(&program, &RELEASE, FIRST, &window)?;
    let (held, of_bundles) = bundles(&program)?;
    figures.push(of_bundles);
    let (safe, of_days) = everyday(&program)?;
    figures.push(of_days);
    let tally = [passed, held, safe].into_iter().map(Tally::one).reduce(Tally::plus).unwrap_or_default();
    Ok(Outcome { tally, figures, ..Outcome::default() })
}

/// Whether all held in a `window` of storms that were run from seed `first` on, with the figures in words. Past seeds
/// and a part of the window are run once more for it.
///
/// # Errors
/// If the program cannot be run.
pub(crate) fn judged(program: &Path, wanted: &Wanted, first: u64, window: &Value) -> Result<(bool, Vec<String>)> {
    let mut wrong = shortcomings(wanted, window, &kinds(program)?);
    for seed in past(PAST) {
        let again = storm(program, seed..seed + 1, wanted.hours_each)?;
        wrong.extend(failures(&again));
    }
    let twice = first..first + TWICE.min(wanted.seeds);
    let hash = |seeds| -> Result<Value> { Ok(storm(program, seeds, wanted.hours_each)?["hash"].take()) };
    if hash(twice.clone())? != hash(twice)? {
        wrong.push(format!("seeds from {first} on, run twice, gave two hashes"));
    }
    failures(window).iter().chain(&wrong).for_each(|line| println!("{line}"));
    let mut figures = vec![figure(first, window)];
    figures.push(format!("{TWICE} storms run twice: equal hash; {} past seeds once more", past(PAST).count()));
    Ok((wrong.is_empty(), figures))
}

/// Runs whole days of what a node meets on any day: all holds, and nearly all of the time it could trade.
fn everyday(program: &Path) -> Result<(bool, String)> {
    let it = storm_of(program, FIRST_DAY..FIRST_DAY + DAYS, 24.0, &["--everyday"])?;
    let mut wrong: Vec<String> =
        NONE.iter().filter(|key| number(&it, key) != 0.0).map(|key| format!("{key} {it}")).collect();
    let share = number(&it, "safe_share");
    if share.is_nan() || share < SAFE {
        wrong.push(format!("any day: safe to trade {share} of at least {SAFE}: {}", it["standing"]));
    }
    failures(&it).iter().chain(&wrong).for_each(|line| println!("{line}"));
    let figure = format!(
        "storm: {DAYS} days with a kill an hour, a broken connection in ten minutes and a venue outage a day: safe to trade \
         {:.3} % of the time that the venue was there",
        100.0 * share
    );
    Ok((wrong.is_empty(), figure))
}

/// Runs every bundle: nothing is doubled, lost, beyond a limit or left undone.
fn bundles(program: &Path) -> Result<(bool, String)> {
    let mut wrong = Vec::new();
    for bundle in BUNDLES {
        let it = storm_of(program, 1..1 + SEEDS_A_BUNDLE, RELEASE.hours_each, &["--bundle", bundle])?;
        let some = NONE.iter().chain(&["failed"]).filter(|key| number(&it, key) != 0.0);
        wrong.extend(some.map(|key| format!("{bundle}: {key}: {}", number(&it, key))));
        wrong.extend(failures(&it));
    }
    wrong.iter().for_each(|line| println!("{line}"));
    let figure =
        format!("storm: {SEEDS_A_BUNDLE} seeds under each of {}: all held: {}", BUNDLES.join(", "), wrong.is_empty());
    Ok((wrong.is_empty(), figure))
}

/// The lines that replay what failed, each with why.
fn failures(it: &Value) -> Vec<String> {
    it["failures"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Every fault of the program's catalogue.
fn kinds(program: &Path) -> Result<Vec<String>> {
    let said = process::stdout_of(Command::new(program).args(["storm", "--list", "-o", "json"]))?;
    let rows: Vec<Value> = serde_json::from_str(&said).context("the list of faults")?;
    Ok(rows.iter().filter_map(|row| Some(row["fault"].as_str()?.to_owned())).collect())
}

fn figure(first: u64, it: &Value) -> String {
    let of = |key| number(it, key);
    format!(
        "storm: seeds {first}.. ({}), {} simulated hours, {} faults, {} ambiguous submits ({} proven absent), {} doubled, \
         {} lost, {} beyond a limit, {} storms failed",
        of("seeds"),
        of("hours"),
        of("faults"),
        of("ambiguous"),
        of("absent"),
        of("doubled"),
        of("lost"),
        of("breaches"),
        of("failed")
    )
}

/// What is too little, and what must not be.
fn shortcomings(wanted: &Wanted, it: &Value, kinds: &[String]) -> Vec<String> {
    let few = wanted.least.iter().filter(|(key, least)| number(it, key) < *least);
    let few = few.map(|(key, least)| format!("{key}: {} of at least {least}", number(it, key)));
    let some = NONE.iter().filter(|key| number(it, key) != 0.0).map(|key| format!("{key}: {}", number(it, key)));
    let rare = kinds.iter().map(|kind| (kind, it["kinds"][kind].as_f64().unwrap_or(0.0)));
    let rare = rare.filter(|(_, times)| *times < EACH_KIND);
    let rare = rare.map(|(kind, times)| format!("{kind} struck {times} times of at least {EACH_KIND}"));
    let (absent, ambiguous) = (number(it, "absent"), number(it, "ambiguous"));
    let unproven = (absent < ABSENT * ambiguous).then(|| format!("absent: {absent} of {ambiguous} ambiguous"));
    few.chain(some).chain(rare).chain(unproven).collect()
}

pub(crate) fn number(it: &Value, key: &str) -> f64 {
    it[key].as_f64().unwrap_or(f64::NAN) // what is missing is neither enough nor none
}

/// The seeds of a list: one a line, and behind it a `#` with why.
fn past(list: &str) -> impl Iterator<Item = u64> {
    list.lines().filter_map(|line| line.split('#').next()?.trim().parse().ok())
}

/// Runs the storms of `seeds`, each so many simulated hours long; what the program prints of them.
///
/// # Errors
/// If the program cannot be run, or prints no result.
pub(crate) fn storm(program: &Path, seeds: std::ops::Range<u64>, hours: f64) -> Result<Value> {
    storm_of(program, seeds, hours, &[])
}

fn storm_of(program: &Path, seeds: std::ops::Range<u64>, hours: f64, more: &[&str]) -> Result<Value> {
    let jobs = env::cores().to_string();
    let (seeds, hours) = (format!("{}..{}", seeds.start, seeds.end), hours.to_string());
    let mut command = Command::new(program);
    command
        .args(["storm", "--seeds", &seeds, "--hours", &hours, "--jobs", &jobs, "--no-shrink", "-o", "json"])
        .args(more);
    let (mut out, mut said) = (String::new(), String::new());
    process::stream(&mut command, |stream, line| {
        let text = if stream == process::Stream::Stdout { &mut out } else { &mut said };
        text.push_str(line);
        text.push('\n');
    })?;
    let parsed = serde_json::from_str(&out);
    parsed
        .with_context(|| format!("`{}` printed no result: {}", process::shown(&command), process::last_lines(&said, 4)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result() -> Value {
        json!({
            "seeds": 2_000, "hours": 1_000.0, "faults": 50_000, "ambiguous": 100_000, "absent": 30_000,
            "doubled": 0, "lost": 0, "breaches": 0, "failed": 0, "kinds": { "A01": 10, "A02": 4_000 },
        })
    }

    fn check(change: impl Fn(&mut Value), wrong: &[&str]) {
        let mut it = result();
        change(&mut it);
        let kinds = ["A01", "A02"].map(str::to_owned);
        assert_eq!(shortcomings(&RELEASE, &it, &kinds), wrong);
    }

    #[test]
    fn a_window_that_is_too_small_or_has_a_fault_of_ours_fails() {
        check(|_| (), &[]);
        check(|it| it["faults"] = json!(49_999), &["faults: 49999 of at least 50000"]);
        check(|it| it["doubled"] = json!(1), &["doubled: 1"]);
        check(|it| it["failed"] = json!(1), &["failed: 1"]);
        check(|it| it["lost"] = json!(null), &["lost: NaN"]);
        check(|it| it["kinds"]["A01"] = json!(9), &["A01 struck 9 times of at least 10"]);
        check(|it| it["kinds"] = json!({ "A01": 10 }), &["A02 struck 0 times of at least 10"]);
        check(|it| it["absent"] = json!(19_999), &["absent: 19999 of 100000 ambiguous"]);
    }

    #[test]
    fn past_seeds_are_read_with_or_without_a_reason() {
        let list = "# seeds that failed once\n\n17 # a fill was lost\n  4711\nnot a seed\n";
        assert_eq!(past(list).collect::<Vec<_>>(), [17, 4711]);
    }
}
