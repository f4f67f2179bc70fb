//! Our own tooling: what main must pass (`test`), what keeps the tree in shape (`tidy`), speed beside
//! peers and floors (`bench`), and the long runs whose results are kept (`long`).
//!
//! # Where it sits
//! Beside the product: reads its sources, starts its programs, and is a dependency of nothing.
//!
//! # Start here
//! Each subcommand is one folder or file of the same name; `test/areas.rs` lists what `test` runs.
//!
//! # What always holds
//! * Progress goes to stderr; with `-o json` stdout carries one JSON object and nothing else.
//! * Something that could not be run is named as such; it never counts as passed.
#![allow(clippy::print_stdout)] // a program for people and scripts: stdout is its face

mod bench;
mod env;
mod files;
mod long;
mod process;
mod programs;
mod python;
mod test;
mod tidy;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's tooling.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = "Example:\n  cargo xtask test")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything main must pass, with the time each area took
    Test(test::Args),
    /// Checks the shape of the tree: crate edges, crate docs, purity, dependencies
    Tidy(tidy::Args),
    /// Measures ours beside peers and floors, in turn, and checks that all did the same work
    Bench(bench::Args),
    /// Runs what is too long for every change and writes dated results to docs/proof/
    Long(long::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Tidy(args) => tidy::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Long(args) => long::run(&args),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
