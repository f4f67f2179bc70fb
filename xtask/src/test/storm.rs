//! The release storm: thousands of seeded storms by the program as it is shipped, and the figures that must come of them.

use super::{Outcome, Tally};
use crate::{env, process};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// Storms that failed once; each is gone through in every run.
const PAST: &str = include_str!("storm-seeds.txt");
/// The faults of a run that every change must pass. The others of the catalogue (B05, B11, B12, D02, E01, E02, E06, E09,
/// F07, G03, G09, I02, I04) are newer, and about one storm in fifty with them still ends in doubt or past a limit:
/// `tradewind storm` without `--faults` shows it.
const FAULTS: &str = "A01,A02,A03,A04,A05,A06,A07,A09,A10,A13,A14,B01,B02,B03,B04,C02,C05,C06,C07,D01,D03,D05,D12,D13,\
                      E04,F01,F05,G01,G02,G04,G05,G13";
/// Seeds of which each is run twice and must give the same hash: 1 % of the window.
const TWICE: u64 = 20;

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
    let (passed, figures) = storms(&RELEASE)?;
    Ok(Outcome { tally: Tally::one(passed), figures, ..Outcome::default() })
}

/// Runs `wanted` and says whether all held, with the figures in words.
///
/// # Errors
/// If the program cannot be built or run.
pub(crate) fn storms(wanted: &Wanted) -> Result<(bool, Vec<String>)> {
    let program = program()?;
    let first = 1; // the same window in every run, so that a change is judged by what it changes
    let window = storm(&program, first..first + wanted.seeds, wanted.hours_each)?;
    let mut wrong = shortcomings(wanted, &window);
    for seed in past(PAST) {
        let again = storm(&program, seed..seed + 1, wanted.hours_each)?;
        wrong.extend(NONE.iter().filter(|key| number(&again, key) != 0.0).map(|key| format!("seed {seed}: {key}")));
    }
    let twice = first..first + TWICE.min(wanted.seeds);
    let hash = |seeds| -> Result<Value> { Ok(storm(&program, seeds, wanted.hours_each)?["hash"].take()) };
    if hash(twice.clone())? != hash(twice)? {
        wrong.push(format!("seeds from {first} on, run twice, gave two hashes"));
    }
    let failures = window["failures"].as_array().into_iter().flatten().filter_map(Value::as_str);
    failures.chain(wrong.iter().map(String::as_str)).for_each(|line| println!("{line}"));
    let mut figures = vec![figure(first, &window)];
    figures.push(format!("{TWICE} storms run twice: equal hash; {} past seeds once more", past(PAST).count()));
    Ok((wrong.is_empty(), figures))
}

fn figure(first: u64, it: &Value) -> String {
    let of = |key| number(it, key);
    format!(
        "storm: seeds {first}.. ({}), {} simulated hours, {} faults, {} ambiguous submits ({} proven absent), {} doubled, \
         {} lost, {} beyond a limit",
        of("seeds"),
        of("hours"),
        of("faults"),
        of("ambiguous"),
        of("absent"),
        of("doubled"),
        of("lost"),
        of("breaches")
    )
}

/// What is too little, and what must not be.
fn shortcomings(wanted: &Wanted, it: &Value) -> Vec<String> {
    let few = wanted.least.iter().filter(|(key, least)| number(it, key) < *least);
    let few = few.map(|(key, least)| format!("{key}: {} of at least {least}", number(it, key)));
    let some = NONE.iter().filter(|key| number(it, key) != 0.0).map(|key| format!("{key}: {}", number(it, key)));
    few.chain(some).collect()
}

fn number(it: &Value, key: &str) -> f64 {
    it[key].as_f64().unwrap_or(f64::NAN) // what is missing is neither enough nor none
}

/// The seeds of a list: one a line, and behind it a `#` with why.
fn past(list: &str) -> impl Iterator<Item = u64> {
    list.lines().filter_map(|line| line.split('#').next()?.trim().parse().ok())
}

fn storm(program: &PathBuf, seeds: std::ops::Range<u64>, hours: f64) -> Result<Value> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    let (seeds, hours) = (format!("{}..{}", seeds.start, seeds.end), hours.to_string());
    let mut command = Command::new(program);
    command.args(["storm", "--seeds", &seeds, "--hours", &hours, "--jobs", &jobs, "--faults", FAULTS, "-o", "json"]);
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

/// The program as it is shipped.
///
/// # Errors
/// If it cannot be built.
pub(crate) fn program() -> Result<PathBuf> {
    let args = ["build", "--release", "--locked", "--quiet", "--package", "tradewind"];
    ensure!(process::passes(&mut process::cargo(&args))?, "cannot build the program");
    Ok(env::target().join("release").join("tradewind"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result() -> Value {
        json!({
            "seeds": 2_000, "hours": 1_000.0, "faults": 50_000, "ambiguous": 100_000, "absent": 30_000,
            "doubled": 0, "lost": 0, "breaches": 0, "failed": 0,
        })
    }

    fn check(change: impl Fn(&mut Value), wrong: &[&str]) {
        let mut it = result();
        change(&mut it);
        assert_eq!(shortcomings(&RELEASE, &it), wrong);
    }

    #[test]
    fn a_window_that_is_too_small_or_has_a_fault_of_ours_fails() {
        check(|_| (), &[]);
        check(|it| it["faults"] = json!(49_999), &["faults: 49999 of at least 50000"]);
        check(|it| it["doubled"] = json!(1), &["doubled: 1"]);
        check(|it| it["failed"] = json!(2), &["failed: 2"]);
        check(|it| it["lost"] = json!(null), &["lost: NaN"]);
    }

    #[test]
    fn past_seeds_are_read_with_or_without_a_reason() {
        let list = "# seeds that failed once\n\n17 # a fill was lost\n  4711\nnot a seed\n";
        assert_eq!(past(list).collect::<Vec<_>>(), [17, 4711]);
    }
}
