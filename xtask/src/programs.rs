//! Our programs, built so that what they share is built once.

use crate::{env, process};
use anyhow::{Result, ensure};
use std::path::PathBuf;

/// A program of the release build, as it is shipped: the product itself, or what feeds its readers.
///
/// Both come of one build: alone, each would have some of their libraries with other features, and build those again.
///
/// # Errors
/// If they cannot be built.
pub(crate) fn release(name: &str) -> Result<PathBuf> {
    built("build --release --locked --quiet --package tradewind --package tradewind-fuzz")?;
    Ok(env::target().join("release").join(name))
}

/// A program or example as the tests have it: after them nothing of it is built again, but for examples.
///
/// # Errors
/// If the tests cannot be built.
pub(crate) fn tested(name: &str) -> Result<PathBuf> {
    built("test --workspace --no-run --locked --quiet")?;
    Ok(env::target().join("debug").join(name))
}

fn built(args: &str) -> Result<()> {
    let args: Vec<&str> = args.split_whitespace().collect();
    ensure!(process::passes(&mut process::cargo(&args))?, "`cargo {}` failed", args.join(" "));
    Ok(())
}
