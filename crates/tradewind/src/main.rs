//! The program: reads what a person typed, connects the parts, decides nothing.
//!
//! # Where it sits
//! Floor 7, over everything. Each command is one file under `commands`; data goes to stdout, all else to stderr.
//!
//! # Start here
//! [`cli`] holds every command with its options; [`commands::run`] carries one out; [`output`] prints the result.
//!
//! # What always holds
//! * With `-o json` stdout carries one JSON value and nothing else.
//! * Exit codes are stable: 0 done, 1 failed, 2 misused, 3 checked and found wrong, 4 no node is running, 130
//!   interrupted before there was a result.
//! * A first Ctrl-C or SIGTERM ends in order, a second one at once.
//! * A panic in the order path aborts the process: start-up is recovery.

mod cli;
mod commands;
mod output;
mod plans;
mod signals;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    abort_on_panic();
    let cli = cli::Cli::parse();
    output::start_log(&cli.log);
    let json = cli.output == output::Format::Json;
    match commands::run(cli) {
        Ok(code) => code,
        Err(failure) => {
            output::print_failure(&failure, json);
            failure.exit_code().into()
        }
    }
}

/// One hook for the whole process: a wrong position is worse than a stopped one.
///
/// The decoders of Arrow and Parquet panic on damaged files; `tradewind-history` catches that and names the file.
fn abort_on_panic() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map(std::panic::Location::file).unwrap_or_default();
        if ["/arrow", "/parquet", "/flatbuffers"].iter().any(|decoder| file.contains(decoder)) {
            return;
        }
        default(panic);
        output::note("tradewind stops here: the next start recovers from the journal");
        std::process::abort();
    }));
}
