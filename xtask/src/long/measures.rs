//! How much of the core its tests reach, and how many changes to it they notice.

use crate::process::{self, Stream};
use crate::{env, tools};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// What decides whether an order may leave, and what remembers that it did.
const CORE: [&str; 5] = ["risk", "gate", "governance", "journal", "engine"];
/// Whose tests go through the core as a whole.
const AROUND: [&str; 2] = ["host", "storm"];
/// Lines of the core that these tests must reach together, in percent.
const LINES: f64 = 98.0;

/// Runs the tests of the core, and of what runs it in simulation, under coverage; the note gives each crate's lines.
pub(super) fn coverage() -> Result<(bool, String)> {
    let cargo = tools::installed("cargo-llvm-cov", "0.9.1")?;
    let packages: Vec<String> = CORE.iter().chain(&AROUND).map(|name| format!("tradewind-{name}")).collect();
    let mut command = tools::command(&cargo, "llvm-cov");
    command.args(["test", "--locked", "--json", "--summary-only", "--no-fail-fast", "--tests"]);
    for package in &packages {
        command.args(["--package", package]);
    }
    let mut out = String::new();
    let passed = process::stream(&mut command, |stream, line| match stream {
        Stream::Stdout if line.starts_with('{') => out.push_str(line),
        Stream::Stdout => println!("{line}"),
        Stream::Stderr => eprintln!("{line}"),
    })?;
    let said: Value = serde_json::from_str(&out).context("what cargo-llvm-cov says")?;
    let (all, note) = lines(&said);
    Ok((passed && all >= LINES, note))
}

/// Percent of all lines, and a note for each crate.
fn lines(said: &Value) -> (f64, String) {
    let files = said["data"][0]["files"].as_array().cloned().unwrap_or_default();
    let count = |of: &str, what: &str| -> f64 {
        let mine = files.iter().filter(|file| {
            let name = file["filename"].as_str().unwrap_or_default();
            CORE.iter().any(|it| name.contains(&format!("/crates/{it}/src/"))) && name.contains(of)
        });
        mine.filter_map(|file| file["summary"]["lines"][what].as_f64()).sum()
    };
    let percent = |of: &str| 100.0 * count(of, "covered") / count(of, "count").max(1.0);
    let mut note = format!("{:.2} % of {} lines:", percent("/crates/"), count("/crates/", "count"));
    for name in CORE {
        let of = format!("/crates/{name}/src/");
        write!(note, " {name} {:.2} % of {},", percent(&of), count(&of, "count")).expect("writing to text cannot fail");
    }
    (percent("/crates/"), note.trim_end_matches(',').to_string())
}

/// Changes the core in every small way, one at a time; the survivors go to a file beside the page.
pub(super) fn mutants(folder: &Path, date: &str, packages: &[String]) -> Result<(bool, String)> {
    let cargo = tools::installed("cargo-mutants", "27.1.0")?;
    let out = env::cache()?.join("long").join("mutants");
    std::fs::create_dir_all(&out)?;
    let mut command = tools::command(&cargo, "mutants");
    command.args(["--no-shuffle", "--timeout", "120", "--output"]).arg(&out);
    let chosen = CORE.iter().map(|name| format!("tradewind-{name}"));
    let chosen: Vec<String> = if packages.is_empty() { chosen.collect() } else { packages.to_vec() };
    for package in &chosen {
        command.args(["--package", package]);
    }
    process::passes(&mut command)?; // it fails where there are survivors; the files say how many
    let list = |name: &str| std::fs::read_to_string(out.join("mutants.out").join(name)).unwrap_or_default();
    let count = |name: &str| list(name).lines().count();
    let (caught, missed, unviable, slow) =
        (count("caught.txt"), count("missed.txt"), count("unviable.txt"), count("timeout.txt"));
    let page = format!("{date}-mutants.txt");
    std::fs::write(folder.join(&page), list("missed.txt"))?;
    let of = caught + missed + slow;
    let note = format!(
        "{of} mutants of {}: {caught} caught, {slow} by their time, {missed} survived (in {page}), {unviable} do not compile",
        chosen.join(", ")
    );
    Ok((of > 0, note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_are_counted_by_crate_and_only_those_of_the_core() {
        let file = |name: &str, count: u32, covered: u32| json!({"filename": name, "summary": {"lines": {"count": count, "covered": covered}}});
        let files = [
            file("/x/crates/risk/src/check.rs", 100, 99),
            file("/x/crates/journal/src/tail.rs", 100, 98),
            file("/x/crates/domain/src/order.rs", 1_000, 0),
            file("/x/crates/risk/tests/it/main.rs", 1_000, 0),
        ];
        let (all, note) = lines(&json!({"data": [{"files": files}]}));
        assert!((all - 98.5).abs() < 1e-9, "{all}");
        assert!(note.starts_with("98.50 % of 200 lines: risk 99.00 % of 100,"), "{note}");
    }
}
