//! Fuzzing: every reader of bytes from outside is fed with what was recorded and then spoilt, and must answer with a value or
//! an error that has a code, never with a panic, a hang, or an execution of an order that nobody sent.
//!
//! # Where it sits
//! Beside the product: uses its crates as any program would, and is a dependency of nothing. `cargo xtask test` runs each
//! target for seconds, `cargo xtask long --only fuzz` for minutes.
//!
//! # Start here
//! [`targets::ALL`] lists what is fed; each is a closure over bytes in `targets/`. [`mutate`] spoils, [`run`] counts.
//!
//! # What always holds
//! * One execution is one call of the closure; nothing else is counted.
//! * An input that failed lies in `fuzz/found/TARGET` and is tried first in every later run.
//! * A seed gives the same inputs again.
#![allow(clippy::print_stdout)] // a program for people and scripts: stdout is its face

mod mutate;
mod run;
mod seeds;
mod targets;

use anyhow::{Result, bail};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Feeds one reader with spoilt input and prints what came of it as one JSON object.
#[derive(Parser)]
#[command(
    name = "fuzz",
    after_help = "Examples:\n  fuzz --list\n  fuzz user-stream --seconds 60\n\nExit codes: 0 nothing failed, 1 an input failed, 2 could not start, 3 an input was not done with in time."
)]
struct Args {
    /// What to feed
    target: Option<String>,
    /// Names all that can be fed and ends
    #[arg(long)]
    list: bool,
    /// For how long
    #[arg(long, default_value_t = 9)]
    seconds: u64,
    /// Which inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where inputs that failed are kept
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/found"))]
    found: PathBuf,
}

fn main() -> ExitCode {
    match ran(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn ran(args: &Args) -> Result<bool> {
    if args.list {
        targets::ALL.iter().for_each(|it| println!("{:<16} {}", it.name, it.about));
        return Ok(true);
    }
    let named = args.target.as_deref().unwrap_or_default();
    let Some(target) = targets::ALL.iter().find(|it| it.name == named) else {
        bail!("there is no target `{named}`: `fuzz --list` names them");
    };
    let report = run::run(target, Duration::from_secs(args.seconds), args.seed, &args.found)?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(report.failed.is_empty())
}
