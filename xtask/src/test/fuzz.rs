//! Every reader of bytes from outside, fed with what was recorded and then spoilt: two targets at a time, each for seconds.

use super::{Outcome, Tally};
use crate::process::{self, Stream};
use crate::{env, programs};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Targets that there must be, and executions of all of them together.
const TARGETS: usize = 14;
const EXECUTIONS: u64 = 4_000_000;
/// Seconds of each target where every change is tested.
const EACH: u64 = 9;
/// The inputs of every change are the same, so that a change is judged by what it changes.
const SEED: u64 = 1;
/// Targets that run beside one another.
const AT_ONCE: usize = 2;

/// What came of one target.
struct Fed {
    target: String,
    /// `None` where it ended without saying.
    report: Option<Value>,
    /// What it said beside its report: inputs that were not done with, recordings that are missing.
    said: Vec<String>,
}

/// Feeds every target, and wants none to fail and enough of each.
pub(super) fn run() -> Result<Outcome> {
    let fed = feed(EACH, SEED)?;
    let (passed, figures) = judged(&fed, EXECUTIONS);
    let gaps = fed.iter().flat_map(|it| &it.said).filter(|line| line.starts_with("no recordings: ")).cloned().collect();
    Ok(Outcome { tally: Tally { passed, failed: fed.len() + 1 - passed }, gaps, figures, ..Outcome::default() })
}

/// The same for `seconds` a target and with other inputs.
///
/// # Errors
/// If the program cannot be built or started.
pub(crate) fn for_long(seconds: u64, seed: u64) -> Result<(bool, String)> {
    let fed = feed(seconds, seed)?;
    let (passed, figures) = judged(&fed, EXECUTIONS);
    Ok((passed == fed.len() + 1, format!("seed {seed}: {}", figures.join("; "))))
}

/// Runs all targets, so many at a time.
fn feed(seconds: u64, seed: u64) -> Result<Vec<Fed>> {
    let program = programs::release("fuzz")?;
    let listed = process::stdout_of(Command::new(&program).arg("--list"))?;
    let targets: Vec<String> = listed.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    ensure!(targets.len() >= TARGETS, "{} targets of at least {TARGETS}", targets.len());
    let (left, done) = (Mutex::new(VecDeque::from(targets)), Mutex::new(Vec::new()));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let fed = one(&program, target, seconds, seed);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(fed);
                }
            });
        }
    });
    let mut fed =
        done.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect::<Result<Vec<Fed>>>()?;
    fed.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(fed)
}

fn one(program: &Path, target: String, seconds: u64, seed: u64) -> Result<Fed> {
    let mut command = Command::new(program);
    command.args([&target, "--seconds", &seconds.to_string(), "--seed", &seed.to_string()]);
    command.arg("--found").arg(env::root().join("fuzz/found"));
    let (mut report, mut said) = (None, Vec::new());
    process::stream(&mut command, |stream, line| match stream {
        Stream::Stdout => report = serde_json::from_str(line).ok(),
        Stream::Stderr => said.push(line.to_owned()),
    })?;
    Ok(Fed { target, report, said })
}

/// How many checks passed, one a target and one for all executions together, with the figures in words.
fn judged(fed: &[Fed], least: u64) -> (usize, Vec<String>) {
    let (mut passed, mut executions, mut words) = (0, 0, Vec::new());
    for Fed { target, report, said } in fed {
        let failed = report.as_ref().and_then(|it| it["failed"].as_array());
        let count = report.as_ref().and_then(|it| it["executions"].as_u64()).unwrap_or(0);
        let ways = report.as_ref().and_then(|it| it["ways"].as_u64()).unwrap_or(0);
        executions += count;
        words.push(format!("{target} {count} ({ways})"));
        match failed {
            Some(failed) if failed.is_empty() && count > 0 => passed += 1,
            Some(failed) => failed.iter().for_each(|line| println!("{target}: {}", line.as_str().unwrap_or_default())),
            None => println!("{target} ended without a word but: {}", said.join(" / ")),
        }
    }
    let is_enough = executions >= least;
    if !is_enough {
        println!("error: only {executions} executions of at least {least}");
    }
    let all = format!("fuzz: {executions} executions of {} targets, {} failed", fed.len(), fed.len() - passed);
    (
        passed + usize::from(is_enough),
        vec![all, format!("executions by target (ways told apart): {}", words.join(", "))],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fed(target: &str, executions: u64, failed: &[&str]) -> Fed {
        let report = json!({ "executions": executions, "ways": 7, "failed": failed });
        Fed { target: target.to_owned(), report: Some(report), said: Vec::new() }
    }

    #[test]
    fn a_target_that_fails_or_says_nothing_and_too_few_executions_fail() {
        let (passed, figures) = judged(&[fed("a", 60, &[]), fed("b", 40, &[])], 100);
        assert_eq!((passed, figures[0].as_str()), (3, "fuzz: 100 executions of 2 targets, 0 failed"));
        assert_eq!(figures[1], "executions by target (ways told apart): a 60 (7), b 40 (7)");
        assert_eq!(judged(&[fed("a", 60, &[]), fed("b", 39, &[])], 100).0, 2);
        assert_eq!(judged(&[fed("a", 60, &["file: why"]), fed("b", 40, &[])], 100).0, 2);
        let silent = Fed { target: "b".to_owned(), report: None, said: vec!["error: not done".to_owned()] };
        assert_eq!(judged(&[fed("a", 100, &[]), silent], 100).0, 2);
        assert_eq!(judged(&[fed("a", 0, &[])], 0).0, 1, "a target that was not fed");
    }
}
