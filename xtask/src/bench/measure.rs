//! Runs programs in turn, A B C A B C, so that a busy minute hits all of them, and compares them round by round.

use super::memory::Watch;
use super::outside::Exchange;
use super::programs::{self, Prepared};
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

/// The fields that one run printed, with `wall_s`, and `peak_kib` where it did not print that itself.
type Run = Map<String, Value>;

/// What a case showed.
pub(super) struct CaseResult {
    case: &'static Case,
    runs: BTreeMap<&'static str, Vec<Run>>,
    gaps: Vec<(&'static str, String)>,
    /// Check values that are not what they must be.
    pub(super) disagreements: Vec<String>,
}

/// Runs the programs in turn in `folder`. A peer that fails becomes a gap.
///
/// # Errors
/// If our own side fails.
pub(super) fn run(
    case: &'static Case,
    mut programs: Vec<Prepared>,
    mut gaps: Vec<(&'static str, String)>,
    schedule: &Schedule,
    folder: &Path,
) -> Result<CaseResult> {
    let mut runs: BTreeMap<&'static str, Vec<Run>> = BTreeMap::new();
    for round in 0..schedule.warmup + schedule.rounds {
        let mut failed = Vec::new();
        for program in &programs {
            match once(program, schedule.pin, folder) {
                Ok(run) if round >= schedule.warmup => runs.entry(program.name).or_default().push(run),
                Ok(_) => {}
                Err(error) if program.name == OURS => return Err(error),
                Err(error) => failed.push((program.name, format!("{error:#}"))),
            }
        }
        programs.retain(|program| !failed.iter().any(|(gone, _)| *gone == program.name));
        failed.iter().for_each(|(name, _)| _ = runs.remove(name));
        gaps.extend(failed);
        eprintln!("round {} of {}", round + 1, schedule.warmup + schedule.rounds);
    }
    let disagreements = case.checks.iter().flat_map(|check| disagreements(check, &runs)).collect();
    Ok(CaseResult { case, runs, gaps, disagreements })
}

fn once(program: &Prepared, pin: Option<u16>, folder: &Path) -> Result<Run> {
    let fresh = programs::fresh(folder);
    programs::emptied(&fresh)?;
    let exchange = program.exchange.as_ref().map(|words| Exchange::start(words, &fresh)).transpose()?;
    let pinned = pin.map(|cpu| ["taskset".to_string(), "-c".to_string(), cpu.to_string()]);
    let all: Vec<&String> = pinned.iter().flatten().chain(&program.words).collect();
    let mut command = Command::new(all[0]);
    command.args(&all[1..]).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs(exchange.iter().flat_map(|exchange| exchange.keys.clone()));
    let shown = process::shown(&command);
    let start = Instant::now();
    let child = process::spawn(&mut command)?;
    let watch = program.is_itself.then(|| Watch::over(child.id()));
    let output = child.wait_with_output().with_context(|| format!("waiting for `{shown}`"))?;
    let wall = start.elapsed().as_secs_f64();
    let peak_kib = watch.and_then(Watch::end);
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "`{shown}` failed: {}", process::last_lines(&said, 3));
    let mut run = read(&String::from_utf8_lossy(&output.stdout)).with_context(|| format!("`{shown}`"))?;
    run.insert("wall_s".to_string(), json!(wall));
    if let Some(peak_kib) = peak_kib {
        run.entry("peak_kib").or_insert(json!(peak_kib));
    }
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
    let ours = || runs.get(OURS).and_then(|runs| number(runs.first()?, check.key_of(OURS)));
    let Some(right) = check.value.or_else(ours) else {
        return vec![format!("{OURS} prints no `{}`", check.key_of(OURS))];
    };
    let mut found = Vec::new();
    for (name, runs) in runs.iter().filter(|(name, _)| check.of.contains(name)) {
        let key = check.key_of(name);
        let wrong = runs.iter().map(|run| number(run, key));
        let wrong = wrong.filter(|value| value.is_none_or(|value| (value - right).abs() > check.slack));
        found.extend(wrong.take(1).map(|value| match value {
            Some(value) => format!("{name}: `{key}` is {value}, not {right} ± {}", check.slack),
            None => format!("{name} prints no `{key}`"),
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
            "\n{title}\n{:<14} {:<16} {:>13} {:>13} {:>13} {:>12}\n",
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
                writeln!(text, "{name:<14} {:<16} {min:>13.6} {median:>13.6} {max:>13.6} {ratio:>12}", figure.label)
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
    use crate::bench::programs::tried;
    use crate::bench::workloads::{Contestant, Program};
    use std::sync::atomic::{AtomicU32, Ordering};

    static CASE: Case = Case {
        label: "sums",
        contestants: &[
            Contestant::new(OURS, Program::Product, &[]),
            Contestant::new(FLOOR, Program::Product, &[]),
            Contestant::new("peer", Program::Product, &[]),
        ],
        figures: &[Figure { label: "run_s", key: "run_s", other_keys: &[("peer", "best_run_s")] }],
        checks: &[Check {
            key: "fills",
            other_keys: &[("peer", "best_fills")],
            of: &[OURS, "peer"],
            value: Some(7.0),
            slack: 0.0,
        }],
        note: "",
    };

    fn shell(name: &'static str, script: &str) -> Prepared {
        let words = ["sh", "-c", script].map(str::to_string).to_vec();
        Prepared { name, words, exchange: None, is_itself: true }
    }

    /// A program that prints `line` in each round.
    fn printing(name: &'static str, line: &str) -> Prepared {
        shell(name, &format!("echo noise; echo '{line}'"))
    }

    fn check(peer: &str) -> CaseResult {
        static TURN: AtomicU32 = AtomicU32::new(0);
        let folder = tried(&format!("measure-{}", TURN.fetch_add(1, Ordering::Relaxed)));
        let programs = vec![
            printing(OURS, r#"{"run_s":2.0,"fills":7,"version":"x","peak_kib":5}"#),
            printing(FLOOR, r#"{"run_s":1.0}"#),
            printing("peer", peer),
        ];
        let schedule = Schedule { rounds: 3, warmup: 1, pin: None };
        let result = run(&CASE, programs, Vec::new(), &schedule, &folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        result
    }

    #[test]
    fn a_ratio_is_ours_over_theirs() {
        let json = check(r#"{"best_run_s":8.0,"best_fills":7}"#).json();
        assert_eq!(json["ratio_vs_floor"], json!(2.0));
        assert_eq!(json["ratio_vs_peer"], json!(0.25));
        assert_eq!(json["figures"]["ours"]["run_s"], json!({ "min": 2.0, "median": 2.0, "max": 2.0 }));
        assert_eq!(json["floor"]["run_s"]["median"], json!(1.0));
        assert_eq!(json["figures"]["ours"]["peak_kib"]["max"], json!(5.0), "what it prints itself stands");
        assert_eq!(json["checks_agree"], json!(true));
    }

    #[test]
    fn other_work_is_told_and_so_is_a_missing_check_value() {
        assert_eq!(check(r#"{"best_run_s":8.0,"best_fills":6}"#).disagreements, ["peer: `best_fills` is 6, not 7 ± 0"]);
        assert_eq!(check(r#"{"best_run_s":8.0,"fills":7}"#).disagreements, ["peer prints no `best_fills`"]);
    }

    #[test]
    fn a_run_finds_its_own_folder_empty_and_beside_it_what_earlier_runs_left() {
        let folder = tried("measure-fresh");
        let script = r#"mkdir fresh/data && echo x >> kept && echo "{\"n\":$(wc -l < kept)}""#;
        let program = shell(OURS, script);
        let counts: Vec<_> = (0..3).map(|_| number(&once(&program, None, &folder).unwrap(), "n")).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(counts, [Some(1.0), Some(2.0), Some(3.0)]);
    }

    #[test]
    fn a_program_on_an_exchange_outside_finds_its_settings_and_its_key() {
        let folder = tried("measure-outside");
        let announced = r#"{"url":"http://127.0.0.1:1","api_key":"17","api_secret":"4"}"#;
        let exchange = shell(FLOOR, &format!("echo '{announced}'; exec sleep 600")).words;
        let script = r#"grep -q 127.0.0.1:1 fresh/tradewind.toml && echo "{\"key\":$BINANCE_API_KEY}""#;
        let program = Prepared { exchange: Some(exchange), ..shell(OURS, script) };
        let key = number(&once(&program, None, &folder).unwrap(), "key");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(key, Some(17.0));
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
