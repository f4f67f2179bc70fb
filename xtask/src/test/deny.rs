//! Licences, banned packages and sources, as `deny.toml` says, by cargo-deny.

use super::Outcome;
use crate::{env, process};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// The release that we install where there is none; about a minute and a half on two cores.
const VERSION: &str = "0.20.2";

/// Runs cargo-deny over the workspace.
pub(super) fn run() -> Result<Outcome> {
    Ok(Outcome::check(check(&["licenses", "bans", "sources"])?))
}

/// Runs the named checks; what cargo-deny says is shown if one of them fails.
///
/// # Errors
/// If cargo-deny is not there and cannot be installed.
pub(crate) fn check(checks: &[&str]) -> Result<bool> {
    let mut command = Command::new(program()?);
    command.args(["--locked", "check", "--hide-inclusion-graph"]).args(checks).current_dir(env::root());
    let (ok, said) = process::capture(&mut command)?;
    if ok {
        println!("{}", said.lines().last().unwrap_or_default());
    } else {
        print!("{said}");
    }
    Ok(ok)
}

/// The pinned cargo-deny in the user's cache, installed if it is not there.
fn program() -> Result<PathBuf> {
    let root = env::cache()?.join("tools").join(format!("cargo-deny-{VERSION}"));
    let program = root.join("bin").join("cargo-deny");
    if !program.exists() {
        println!("installing cargo-deny {VERSION} ...");
        let mut install =
            process::cargo(&["install", "cargo-deny", "--version", VERSION, "--locked", "--quiet", "--root"]);
        let build = root.join("build");
        let (ok, said) = process::capture(install.arg(&root).arg("--target-dir").arg(&build))?;
        std::fs::remove_dir_all(&build).ok();
        anyhow::ensure!(ok, "cannot install cargo-deny: {}", process::last_lines(&said, 4));
    }
    Ok(program)
}
