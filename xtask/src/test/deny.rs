//! Licences, banned packages and sources, as `deny.toml` says, by cargo-deny.

use super::Outcome;
use crate::{env, process, tools};
use anyhow::Result;
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
    let mut command = Command::new(tools::installed("cargo-deny", VERSION)?);
    command.args(["--locked", "check", "--hide-inclusion-graph"]).args(checks).current_dir(env::root());
    let (ok, said) = process::capture(&mut command)?;
    if ok {
        println!("{}", said.lines().last().unwrap_or_default());
    } else {
        print!("{said}");
    }
    Ok(ok)
}
