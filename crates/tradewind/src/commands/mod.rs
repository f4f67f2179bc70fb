//! One file a command.

mod backtest;
mod bars;
mod config;
mod data;
mod demo;
mod diagnose;
mod doctor;
mod drop_copy;
mod exchange;
mod files;
mod funding;
mod govern;
mod journal;
mod local;
mod operate;
mod paper;
mod parents;
mod recording;
mod reference;
mod risk;
mod storm;
mod strategy;
mod stress;
mod trial;

use crate::cli::{Cli, Command};
use crate::output::Failure;
use std::process::ExitCode;
use std::time::Duration;

/// How long the end of a runtime waits for what hangs in it.
const LEFTOVERS_WITHIN: Duration = Duration::from_millis(200);

/// Carries out a command.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let format = cli.output;
    match cli.command {
        Command::Demo(args) => demo::run(&args, format),
        Command::Backtest(args) => backtest::run(&args, format),
        Command::Paper(args) => paper::run(&args, format),
        Command::Live { config, standby } => paper::live(&config, standby, format),
        Command::DropCopy(args) => drop_copy::run(&args, format),
        Command::Exchange(args) => exchange::run(&args, format),
        Command::Order(command) => operate::order(&command, format),
        Command::Position(command) => operate::position(&command, format),
        Command::Flatten(args) => operate::flatten(&args, format),
        Command::Halt(args) => operate::halt(&args, format),
        Command::Adopt(args) => operate::adopt(&args, format),
        Command::Resume(args) => operate::resume(&args, format),
        Command::Stop(args) => operate::stop(&args, format),
        Command::Status(args) => operate::status(&args, format),
        Command::Replay { dir } => journal::replay(&dir, format),
        Command::Journal(command) => journal::run(&command, format),
        Command::Proposals(command) => govern::proposals(&command, format),
        Command::Limits(command) => govern::limits(&command, format),
        Command::Audit(command) => govern::audit_command(&command, format),
        Command::Data(command) => data::run(&command, format),
        Command::Strategy(command) => strategy::run(&command, format),
        Command::Diagnose(args) => diagnose::run(&args, format),
        Command::Risk(args) => risk::run(&args, format),
        Command::Stress(args) => stress::run(&args, format),
        Command::Storm(args) => storm::run(&args, format),
        Command::Doctor { data_dir, trade: true, .. } => trial::run(data_dir.as_deref(), format),
        Command::Doctor { config, data_dir, trade: false } => {
            doctor::run(config.as_deref(), data_dir.as_deref(), format)
        }
        Command::Config(command) => config::run(&command, format),
    }
}

/// A runtime for the commands that speak to sockets.
fn runtime(workers: usize) -> Result<tokio::runtime::Runtime, Failure> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(|error| Failure::new("CLI-02", format!("no runtime: {error}"), "free memory or threads"))
}

/// Carries out `work` on a runtime of its own. What still hangs in the system then, such as the search for a name, does
/// not keep the process.
fn carry_out<T>(workers: usize, work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime(workers)?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LEFTOVERS_WITHIN);
    Ok(done)
}
