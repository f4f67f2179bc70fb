//! A night of storms: 15,000 simulated hours in slices. What a slice came to is kept by the commit it was run at, so that a
//! night that was broken off goes on where it was.

use crate::test::storm::{Wanted, judged, number, storm};
use crate::{env, process, programs};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const NIGHT: Wanted = Wanted {
    seeds: 30_000,
    hours_each: 0.5,
    least: [("seeds", 30_000.0), ("hours", 15_000.0), ("faults", 750_000.0), ("ambiguous", 1_500_000.0)],
};
/// Storms of one slice: about a minute of two cores.
const SLICE: u64 = 500;

/// Runs what this commit's night still lacks, and judges the whole of it.
pub(super) fn storms() -> Result<(bool, String)> {
    let commit = commit()?;
    let folder = env::cache()?.join("long").join("storms");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let kept = folder.join(format!("{commit}.jsonl"));
    let (program, first) = (programs::release("tradewind")?, first_seed(&commit));
    let mut window = read(&kept)?;
    let before = seeds(&window);
    println!("storms from seed {first} on, {before} of {} were run before; kept in {}", NIGHT.seeds, kept.display());
    let (mut file, start) = (File::options().create(true).append(true).open(&kept)?, Instant::now());
    while seeds(&window) < NIGHT.seeds {
        let from = first + seeds(&window);
        let mut slice = storm(&program, from..from + SLICE, NIGHT.hours_each)?;
        ensure!(seeds(&slice) == SLICE, "broken off; the next run goes on from seed {from}");
        slice.as_object_mut().context("a result is a table")?.remove("hash"); // that of one slice says nothing of the whole
        // on a line of its own, even behind one that was cut off
        writeln!(file, "\n{slice}").with_context(|| format!("cannot write {}", kept.display()))?;
        add(&mut window, &slice);
        println!("{}", progress(&window, before, start.elapsed().as_secs_f64()));
    }
    let (passed, figures) = judged(&program, &NIGHT, first, &window)?;
    Ok((passed, figures.join("; ")))
}

fn seeds(window: &Value) -> u64 {
    window["seeds"].as_u64().unwrap_or(0)
}

/// How far the night is, and how long it takes yet.
fn progress(window: &Value, before: u64, seconds: f64) -> String {
    let done = seeds(window);
    let left = seconds / (done - before) as f64 * NIGHT.seeds.saturating_sub(done) as f64;
    let of = |key| number(window, key);
    format!(
        "{done} of {} storms, {} faults, {} failed; about {:.0} min to go",
        NIGHT.seeds,
        of("faults"),
        of("failed"),
        left / 60.0
    )
}

/// The sum of the slices that were kept; a last line that was cut off is none.
fn read(kept: &Path) -> Result<Value> {
    if !kept.exists() {
        return Ok(Value::Null);
    }
    let text = fs::read_to_string(kept).with_context(|| format!("cannot read {}", kept.display()))?;
    let mut sum = Value::Null;
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).for_each(|slice: Value| add(&mut sum, &slice));
    Ok(sum)
}

/// Adds what was counted: numbers add up, lists go on, tables are added entry by entry.
fn add(sum: &mut Value, more: &Value) {
    match (sum, more) {
        (Value::Object(sum), Value::Object(more)) => {
            more.iter().for_each(|(key, it)| add(sum.entry(key).or_insert(Value::Null), it));
        }
        (Value::Array(sum), Value::Array(more)) => sum.extend(more.iter().cloned()),
        (sum, more) if sum.is_u64() && more.is_u64() => {
            *sum = json!(sum.as_u64().zip(more.as_u64()).map(|(a, b)| a + b))
        }
        (sum, more) if sum.is_number() => *sum = json!(sum.as_f64().zip(more.as_f64()).map(|(a, b)| a + b)),
        (sum, more) => *sum = more.clone(),
    }
}

/// The commit that is run: what it came to is never counted for another. Pages may differ: they are no code.
pub(super) fn commit() -> Result<String> {
    let git = |args: &[&str]| process::stdout_of(Command::new("git").args(args).current_dir(env::root()));
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"])?;
    ensure!(
        changed.trim().is_empty(),
        "commit first: a long run is a proof of one commit, and these files differ:\n{changed}"
    );
    Ok(git(&["rev-parse", "--short=12", "HEAD"])?.trim().to_owned())
}

/// The first seed of a night that no other commit has.
fn first_seed(commit: &str) -> u64 {
    commit.get(..8).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0) * 1_000_000 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_has_a_night_of_its_own() {
        assert_eq!(first_seed("0000000a5f3c"), 10_000_001);
        assert_eq!(first_seed("0000000b5f3c"), 11_000_001);
        assert!(first_seed("0000000a5f3c") + NIGHT.seeds < first_seed("0000000b5f3c"));
        assert!(first_seed("ffffffff") < u64::MAX / 2);
    }

    #[test]
    fn slices_add_up_and_one_that_was_cut_off_does_not_count() {
        let kept = env::cache().unwrap().join(format!("slices-{}.jsonl", std::process::id()));
        let slice = json!({ "seeds": 500, "hours": 250.0, "lost": 0, "kinds": { "A01": 3 }, "failures": ["one"] });
        let other = json!({ "seeds": 500, "hours": 250.0, "lost": 1, "kinds": { "A01": 1, "B02": 4 }, "failures": [] });
        fs::write(&kept, format!("{slice}\n\n{other}\n{}", &slice.to_string()[..40])).unwrap();
        let sum = read(&kept).unwrap();
        fs::remove_file(&kept).unwrap();
        let wanted =
            json!({ "seeds": 1000, "hours": 500.0, "lost": 1, "kinds": { "A01": 4, "B02": 4 }, "failures": ["one"] });
        assert_eq!(sum, wanted);
        assert_eq!(seeds(&sum), 1_000);
        assert_eq!(read(&kept).unwrap(), Value::Null, "nothing was run yet");
        assert_eq!(
            progress(&json!({ "seeds": 1_500, "faults": 9, "failed": 0 }), 500, 60.0),
            "1500 of 30000 storms, 9 faults, 0 failed; about 28 min to go"
        );
    }
}
