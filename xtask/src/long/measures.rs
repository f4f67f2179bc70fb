//! How much of the core its tests reach.

use crate::{env, process, tools};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What decides whether an order may leave, and what remembers that it did.
const CORE: [&str; 5] = ["risk", "gate", "governance", "journal", "engine"];
/// Whose tests go through the core as a whole.
const AROUND: [&str; 2] = ["host", "storm"];
/// Lines of the core that these tests must reach together, in percent.
const LINES: f64 = 98.0;

/// Runs the tests of the core, and of what runs it in simulation, under coverage; the note gives each crate's lines.
pub(super) fn coverage() -> Result<(bool, String)> {
    let cargo = tools::installed("cargo-llvm-cov", "0.9.1")?;
    let found = env::cache()?.join("long").join("coverage.lcov");
    std::fs::create_dir_all(found.parent().context("the cache is a folder")?)?;
    let mut command = tools::command(&cargo, "llvm-cov");
    command.args(["test", "--locked", "--no-fail-fast", "--tests", "--lcov", "--output-path"]).arg(&found);
    for name in CORE.iter().chain(&AROUND) {
        command.arg("--package").arg(format!("tradewind-{name}"));
    }
    let passed = process::passes(&mut command)?;
    let said = std::fs::read_to_string(&found).context("what cargo-llvm-cov says")?;
    let (all, note) = note(&lines(&said, |file| std::fs::read_to_string(file).unwrap_or_default()));
    Ok((passed && all >= LINES, note))
}

/// Lines of each crate of the core: how many were reached, and how many there are. Code of tests is neither.
///
/// `said` is in the format of lcov: `SF:` names a file, `DA:LINE,COUNT` says how often a line was reached. A line may
/// come more than once, for code that was compiled more than once.
fn lines(said: &str, source: impl Fn(&str) -> String) -> BTreeMap<&'static str, (usize, usize)> {
    let mut reached: BTreeMap<(&'static str, &str), BTreeMap<usize, bool>> = BTreeMap::new();
    let mut file = None;
    for line in said.lines() {
        if let Some(name) = line.strip_prefix("SF:") {
            let of = CORE.into_iter().find(|it| name.contains(&format!("/crates/{it}/src/")));
            file = of.filter(|_| !name.ends_with("/tests.rs")).map(|of| (of, name, first_of_tests(&source(name))));
        } else if let (Some((of, name, end)), Some((at, count))) =
            (file, line.strip_prefix("DA:").and_then(|it| it.split_once(',')))
            && let Ok(at) = at.parse::<usize>()
            && at < end
        {
            *reached.entry((of, name)).or_default().entry(at).or_default() |= count != "0";
        }
    }
    let mut sums: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for ((of, _), lines) in reached {
        let (hit, all) = sums.entry(of).or_default();
        *hit += lines.values().filter(|hit| **hit).count();
        *all += lines.len();
    }
    sums
}

/// The line, from 1, on which the tests of a file begin: they stand at its end.
fn first_of_tests(source: &str) -> usize {
    source.lines().position(|line| line == "mod tests {").map_or(usize::MAX, |place| place + 1)
}

/// Percent of all lines, and a note for each crate.
fn note(sums: &BTreeMap<&'static str, (usize, usize)>) -> (f64, String) {
    #[expect(clippy::cast_precision_loss, reason = "lines are few")]
    let percent = |hit: usize, all: usize| 100.0 * hit as f64 / all.max(1) as f64;
    let (hit, all) = sums.values().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    let mut note = format!("{:.2} % of {all} lines:", percent(hit, all));
    for (name, (hit, all)) in sums {
        write!(note, " {name} {:.2} % of {all},", percent(*hit, *all)).expect("writing to text cannot fail");
    }
    (percent(hit, all), note.trim_end_matches(',').to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_by_crate_and_neither_other_crates_nor_tests_count() {
        let said = "SF:/x/crates/risk/src/check.rs\nDA:1,3\nDA:2,0\nDA:2,1\nDA:3,0\nDA:5,0\nDA:6,0\nend_of_record\n\
                    SF:/x/crates/journal/src/tail.rs\nDA:1,1\nend_of_record\n\
                    SF:/x/crates/engine/src/algo/tests.rs\nDA:1,0\n\
                    SF:/x/crates/domain/src/order.rs\nDA:1,0\n\
                    SF:/x/crates/risk/tests/it/main.rs\nDA:1,0\n";
        let source = |file: &str| match file.ends_with("check.rs") {
            true => "one\ntwo\nthree\n#[cfg(test)]\nmod tests {\n six\n}\n".to_string(),
            false => String::new(),
        };
        let sums = lines(said, source);
        assert_eq!(sums, BTreeMap::from([("journal", (1, 1)), ("risk", (2, 3))]));
        let (all, text) = note(&sums);
        assert!((all - 75.0).abs() < 1e-9, "{all}");
        assert_eq!(text, "75.00 % of 4 lines: journal 100.00 % of 1, risk 66.67 % of 3");
        assert!(note(&BTreeMap::new()).0 < 1e-9, "nothing measured is nothing reached");
    }
}
