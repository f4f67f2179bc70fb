//! Runs programs in turn, A B C A B C, so that a busy minute hits all of them, and compares them round by round.

use super::workloads::{Case, Check, FLOOR, Figure, OURS};
use crate::process;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often, and where.
pub(super) struct Schedule {
    /// Measured rounds.
    pub(super) rounds: u16,
    /// Unmeasured rounds before them.
    pub(super) warmup: u16,
    /// The processor to stay on.
    pub(super) pin: Option<u16>,
}

/// The fields that one run printed, and `wall_s`.
type Run = Map<String, Value>;

/// What a case showed.
pub(super) struct CaseResult {
    case: &'static Case,
    runs: BTreeMap<&'static str, Vec<Run>>,
    gaps: Vec<(&'static str, String)>,
    /// Check values that are not what they must be.
    pub(super) disagreements: Vec<String>,
}

/// Runs the programs in turn. A peer that fails becomes a gap.
///
/// # Errors
/// If our own side fails.
pub(super) fn run(
    case: &'static Case,
    mut programs: Vec<(&'static str, Vec<String>)>,
    mut gaps: Vec<(&'static str, String)>,
    schedule: &Schedule,
    folder: &Path,
) -> Result<CaseResult> {
    let mut runs: BTreeMap<&'static str, Vec<Run>> = BTreeMap::new();
    for round in 0..schedule.warmup + schedule.rounds {
        let mut failed = Vec::new();
        for (name, words) in &programs {
            match once(words, schedule.pin, folder) {
                Ok(run) if round >= schedule.warmup => runs.entry(name).or_default().push(run),
                Ok(_) => {}
                Err(error) if *name == OURS => return Err(error),
                Err(error) => failed.push((*name, format!("{error:#}"))),
            }
        }
        programs.retain(|(name, _)| !failed.iter().any(|(gone, _)| gone == name));
        failed.iter().for_each(|(name, _)| _ = runs.remove(name));
        gaps.extend(failed);
        eprintln!("round {} of {}", round + 1, schedule.warmup + schedule.rounds);
    }
    let disagreements = case.checks.iter().flat_map(|check| disagreements(check, &runs)).collect();
    Ok(CaseResult { case, runs, gaps, disagreements })
}

fn once(words: &[String], pin: Option<u16>, folder: &Path) -> Result<Run> {
    let pinned = pin.map(|cpu| ["taskset".to_string(), "-c".to_string(), cpu.to_string()]);
    let all: Vec<&String> = pinned.iter().flatten().chain(words).collect();
    let mut command = Command::new(all[0]);
    command.args(&all[1..]).current_dir(folder).stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output().with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
    let wall = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    let shown = process::shown(&command);
    anyhow::ensure!(output.status.success(), "`{shown}` failed: {}", process::last_lines(&said, 3));
    let mut run = read(&String::from_utf8_lossy(&output.stdout)).with_context(|| format!("`{shown}`"))?;
    run.insert("wall_s".to_string(), json!(wall));
    Ok(run)
}

/// Reads the last line, which is one JSON object.
fn read(stdout: &str) -> Result<Run> {
    let last = stdout.lines().rev().find(|line| !line.trim().is_empty()).context("printed nothing")?;
    serde_json::from_str(last).context("its last line is not a JSON object")
}

/// A field as a number; true is 1, and text that holds a number is that number.
fn number(run: &Run, key: &str) -> Option<f64> {
    match run.get(key)? {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn disagreements(check: &Check, runs: &BTreeMap<&'static str, Vec<Run>>) -> Vec<String> {
    let ours = || runs.get(OURS).and_then(|runs| number(runs.first()?, check.key));
    let Some(right) = check.value.or_else(ours) else {
        return vec![format!("{OURS} prints no `{}`", check.key)];
    };
    let mut found = Vec::new();
    for (name, runs) in runs.iter().filter(|(name, _)| check.of.contains(name)) {
        let wrong = runs.iter().map(|run| number(run, check.key));
        let wrong = wrong.filter(|value| value.is_none_or(|value| (value - right).abs() > check.slack));
        found.extend(wrong.take(1).map(|value| match value {
            Some(value) => format!("{name}: `{}` is {value}, not {right} ± {}", check.key, check.slack),
            None => format!("{name} prints no `{}`", check.key),
        }));
    }
    found
}

impl CaseResult {
    /// Ours over `other`, round by round, and the median of that.
    fn ratio(&self, other: &str, figure: &Figure) -> Option<f64> {
        let values = |name: &str| -> Option<Vec<f64>> {
            self.runs.get(name)?.iter().map(|run| number(run, figure.key_of(name))).collect()
        };
        let pairs = values(OURS)?.into_iter().zip(values(other)?).filter(|(_, theirs)| *theirs > 0.0);
        spread(pairs.map(|(ours, theirs)| ours / theirs).collect()).map(|[_, median, _]| median)
    }

    /// Everything as one JSON object. A ratio that could not be taken is null.
    pub(super) fn json(&self) -> Value {
        let mut value = Map::new();
        for other in self.case.contestants.iter().map(|contestant| contestant.name).filter(|name| *name != OURS) {
            let ratios =
                self.case.figures.iter().map(|figure| (figure.label.to_string(), json!(self.ratio(other, figure))));
            let ratios: Map<String, Value> = ratios.collect();
            let ratio = match self.case.figures {
                [only] => ratios[only.label].clone(),
                _ => Value::Object(ratios),
            };
            value.insert(format!("ratio_vs_{other}"), ratio);
        }
        let figures: Map<String, Value> =
            self.runs.iter().map(|(name, runs)| ((*name).to_string(), figures(runs))).collect();
        value.insert("floor".to_string(), figures.get(FLOOR).cloned().unwrap_or(Value::Null));
        value.insert("figures".to_string(), Value::Object(figures));
        let gap = |(peer, reason): &(&str, String)| json!({ "peer": peer, "reason": reason });
        value.insert("gaps".to_string(), self.gaps.iter().map(gap).collect());
        value.insert("note".to_string(), json!(self.case.note));
        value.insert("checks_agree".to_string(), json!(self.disagreements.is_empty()));
        value.insert("disagreements".to_string(), json!(self.disagreements));
        Value::Object(value)
    }

    /// The same for people.
    pub(super) fn table(&self, title: &str) -> String {
        let mut text = format!(
            "\n{title}\n{:<14} {:<14} {:>13} {:>13} {:>13} {:>12}\n",
            "program", "figure", "min", "median", "max", "ours/it"
        );
        for figure in self.case.figures {
            for (name, runs) in &self.runs {
                let values = runs.iter().filter_map(|run| number(run, figure.key_of(name))).collect();
                let Some([min, median, max]) = spread(values) else { continue };
                let ratio = match self.ratio(name, figure) {
                    Some(ratio) if *name != OURS => format!("{ratio:.4}"),
                    _ => String::new(),
                };
                writeln!(text, "{name:<14} {:<14} {min:>13.6} {median:>13.6} {max:>13.6} {ratio:>12}", figure.label)
                    .expect("writing to text cannot fail");
            }
        }
        for (peer, reason) in &self.gaps {
            writeln!(text, "not measured: {peer}: {reason}").expect("writing to text cannot fail");
        }
        if !self.case.note.is_empty() {
            writeln!(text, "note: {}", self.case.note).expect("writing to text cannot fail");
        }
        for disagreement in &self.disagreements {
            writeln!(text, "not the same work: {disagreement}").expect("writing to text cannot fail");
        }
        text
    }
}

/// Every number of a program's runs as smallest, median and largest; every text as the first run had it.
fn figures(runs: &[Run]) -> Value {
    let Some(first) = runs.first() else { return Value::Null };
    let summary = |(key, value): (&String, &Value)| {
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.get(key).and_then(Value::as_f64)).collect();
        let value = match values.and_then(spread) {
            Some([min, median, max]) => json!({ "min": min, "median": median, "max": max }),
            None => value.clone(),
        };
        (key.clone(), value)
    };
    Value::Object(first.iter().map(summary).collect())
}

/// Smallest, median and largest.
fn spread(mut values: Vec<f64>) -> Option<[f64; 3]> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let median = match values.len() {
        0 => return None,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    };
    Some([values[0], median, values[values.len() - 1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::workloads::{Contestant, Program};

    static CASE: Case = Case {
        label: "sums",
        contestants: &[
            Contestant { name: OURS, program: Program::Product, args: &[], env: &[], ready: None },
            Contestant { name: FLOOR, program: Program::Product, args: &[], env: &[], ready: None },
            Contestant { name: "peer", program: Program::Product, args: &[], env: &[], ready: None },
        ],
        figures: &[Figure { label: "run_s", key: "run_s", other_keys: &[("peer", "best_run_s")] }],
        checks: &[Check { key: "fills", of: &[OURS, "peer"], value: Some(7.0), slack: 0.0 }],
        note: "",
    };

    /// A program that prints one of `lines` in each round.
    fn printing(lines: &str) -> Vec<String> {
        ["sh", "-c", &format!("echo noise; echo '{lines}'")].map(str::to_string).to_vec()
    }

    fn check(peer: &str) -> CaseResult {
        let programs = vec![
            (OURS, printing(r#"{"run_s":2.0,"fills":7,"version":"x"}"#)),
            (FLOOR, printing(r#"{"run_s":1.0}"#)),
            ("peer", printing(peer)),
        ];
        let schedule = Schedule { rounds: 3, warmup: 1, pin: None };
        run(&CASE, programs, Vec::new(), &schedule, &std::env::temp_dir()).unwrap()
    }

    #[test]
    fn a_ratio_is_ours_over_theirs() {
        let json = check(r#"{"best_run_s":8.0,"fills":7}"#).json();
        assert_eq!(json["ratio_vs_floor"], json!(2.0));
        assert_eq!(json["ratio_vs_peer"], json!(0.25));
        assert_eq!(json["figures"]["ours"]["run_s"], json!({ "min": 2.0, "median": 2.0, "max": 2.0 }));
        assert_eq!(json["floor"]["run_s"]["median"], json!(1.0));
        assert_eq!(json["checks_agree"], json!(true));
    }

    #[test]
    fn other_work_is_told_and_so_is_a_missing_check_value() {
        assert_eq!(check(r#"{"best_run_s":8.0,"fills":6}"#).disagreements, ["peer: `fills` is 6, not 7 ± 0"]);
        assert_eq!(check(r#"{"best_run_s":8.0}"#).disagreements, ["peer prints no `fills`"]);
    }

    #[test]
    fn a_peer_that_fails_is_a_gap_and_its_ratio_is_null() {
        let result = check("not json");
        let json = result.json();
        assert_eq!(json["ratio_vs_peer"], Value::Null);
        assert_eq!(json["gaps"][0]["peer"], json!("peer"));
        assert!(result.table("sums").contains("not measured: peer: "));
        assert!(result.disagreements.is_empty());
    }

    #[test]
    fn a_median_lies_in_the_middle() {
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), Some([1.0, 2.0, 3.0]));
        assert_eq!(spread(vec![4.0, 1.0, 2.0, 3.0]), Some([1.0, 2.5, 4.0]));
        assert_eq!(spread(vec![]), None);
    }
}
