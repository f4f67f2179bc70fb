//! A newcomer's first quarter of an hour: clone, one command, and how long until the first fill.

use crate::{env, process};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::Command;
use std::time::Instant;

/// Seconds from the clone to the first fill at most.
const WITHIN: f64 = 600.0;

/// Clones what is committed into an empty folder, builds it from nothing by the README's command, and waits for the first fill.
pub(super) fn first_fill() -> Result<(bool, String)> {
    let folder = env::cache()?.join("long").join("newcomer");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let started = Instant::now();
    let clone = folder.join("tradewind");
    let mut git = Command::new("git");
    let cloned = process::passes(git.args(["clone", "--quiet"]).arg(env::root()).arg(&clone))?;
    ensure!(cloned, "cannot clone {}", env::root().display());
    let mut demo = process::cargo(&["run", "--release", "--quiet", "--", "demo", "--for", "5s", "-o", "json"]);
    let said = process::stdout_of(demo.current_dir(&clone).env("CARGO_TARGET_DIR", folder.join("target")))?;
    let told: Value = serde_json::from_str(&said).context("what the demo says")?;
    let number = |key: &str| told[key].as_f64().with_context(|| format!("`{key}` of {told}"));
    let (fills, after, ran) = (number("fills")?, number("first_fill_seconds")?, number("seconds")?);
    let seconds = started.elapsed().as_secs_f64() - ran + after;
    std::fs::remove_dir_all(&folder)?;
    let note =
        format!("first of {fills} fills {seconds:.0} s after `git clone`, with crates at hand; {WITHIN} s at most");
    Ok((fills > 0.0 && seconds <= WITHIN, note))
}
