//! What the demo promises, for every seed that it promises it for.

use crate::{env, process, programs};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// Seeds of the markets, and how many of them trade at once: a demo waits for its market more than it reckons.
const SEEDS: std::ops::RangeInclusive<u64> = 0..=20;
const AT_ONCE: usize = 7;
/// How long each runs, as the demo takes it.
const LENGTH: &str = "45s";
/// Within how many seconds its first fill must come.
const FIRST_FILL: f64 = 15.0;

/// Runs every seed: fills, at least one buy and one hold, the first fill in time, and a journal that verifies.
pub(super) fn of_every_seed() -> Result<(bool, String)> {
    let program = programs::release("tradewind")?;
    let folder = env::cache()?.join("long").join("demos");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let (left, told) = (Mutex::new(SEEDS), Mutex::new(Vec::new()));
    let next = || left.lock().ok()?.next();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let one = demo(&program, &folder, seed).and_then(|it| judge(seed, &it));
                    if let Ok(mut told) = told.lock() {
                        told.push(one);
                    }
                }
            });
        }
    });
    let told = told.into_inner().unwrap_or_default();
    let wrong: Vec<String> = told.iter().filter_map(|one| Some(format!("{:#}", one.as_ref().err()?))).collect();
    wrong.iter().for_each(|line| println!("{line}"));
    let held: Vec<&(u64, f64)> = told.iter().flatten().collect();
    let least = held.iter().map(|(fills, _)| *fills).min().unwrap_or(0);
    let latest = held.iter().map(|(_, after)| *after).fold(0.0, f64::max);
    std::fs::remove_dir_all(&folder)?;
    let note = format!(
        "{} of {} seeds of {LENGTH}: at least {least} fills, a buy and a hold each, the first fill after {latest:.1} s at most",
        held.len(),
        SEEDS.count()
    );
    Ok((wrong.is_empty() && held.len() == SEEDS.count(), note))
}

fn demo(program: &Path, folder: &Path, seed: u64) -> Result<Value> {
    let mut command = Command::new(program);
    command.args(["demo", "--for", LENGTH, "--seed", &seed.to_string(), "-o", "json", "--data-dir"]);
    let said = process::stdout_of(command.arg(folder.join(seed.to_string())))?;
    serde_json::from_str(&said).with_context(|| format!("what the demo of seed {seed} says"))
}

/// The fills of one demo, and after how many seconds the first came; an error where it does not hold what is promised.
fn judge(seed: u64, it: &Value) -> Result<(u64, f64)> {
    let fills = it["fills"].as_u64().unwrap_or(0);
    let first = it["first_fill_seconds"].as_f64().unwrap_or(f64::INFINITY);
    let counts = ["buy", "hold"].map(|kind| it["decisions"][kind].as_u64().unwrap_or(0));
    let holds =
        fills > 0 && counts.iter().all(|count| *count > 0) && first <= FIRST_FILL && it["journal"] == "verified";
    anyhow::ensure!(holds, "seed {seed}: {it}");
    Ok((fills, first))
}

#[cfg(test)]
mod tests {
    use super::judge;
    use serde_json::json;

    #[test]
    fn each_part_of_the_promise_can_be_broken() {
        let good = json!({
            "fills": 3, "first_fill_seconds": 15.0, "journal": "verified", "decisions": { "buy": 1, "hold": 1 },
        });
        assert_eq!(judge(0, &good).unwrap(), (3, 15.0));
        for (pointer, value) in [
            ("/fills", json!(0)),
            ("/first_fill_seconds", json!(15.1)),
            ("/first_fill_seconds", json!(null)),
            ("/journal", json!("damaged")),
            ("/decisions/buy", json!(0)),
            ("/decisions/hold", json!(0)),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            assert!(judge(0, &bad).is_err(), "{pointer}");
        }
    }
}
