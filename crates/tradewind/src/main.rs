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
//! * A first Ctrl-C or SIGTERM ends in order what can, and anything else with CLI-12; a second one ends at once.
//! * A panic in the order path aborts the process: start-up is recovery.

mod cli;
mod commands;
mod output;
mod plans;
mod signals;

use clap::Parser;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the next start of this command goes on where this one stops.
static RECOVERS: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    abort_on_panic();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            complain(&error, wants_json(std::env::args()));
            return ExitCode::from(output::EXIT_MISUSED);
        }
        Err(error) => error.exit(),
    };
    RECOVERS.store(cli.command.recovers(), Ordering::Relaxed);
    output::start_log(&cli.log);
    let json = cli.output == output::Format::Json;
    let ended = match signals::watch(json) {
        Ok(()) => commands::run(cli),
        Err(error) => Err(signals::unwatched(&error)), // what could not be ended in order is not begun
    };
    signals::command_ended();
    match ended {
        Ok(code) => code,
        Err(failure) => {
            output::print_failure(&failure, json);
            failure.exit_code().into()
        }
    }
}

/// Whether JSON is asked for, by words of which others cannot be read.
fn wants_json(words: impl Iterator<Item = String>) -> bool {
    let words: Vec<String> = words.collect();
    let whole = |word: &String| matches!(word.as_str(), "-ojson" | "-o=json" | "--output=json");
    let pair = |pair: &[String]| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json";
    words.iter().any(whole) || words.windows(2).any(pair)
}

/// Says what is wrong with the command line; to people also how it is used.
fn complain(error: &clap::Error, json: bool) {
    let text = error.to_string();
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        if !json {
            let _ = error.print(); // the help; if nobody listens, nobody misses it
            output::note("");
        }
        return output::print_failure(&misuse("a command is missing"), json);
    }
    let text = text.trim_start_matches("error: ");
    if json {
        let said: Vec<&str> = text.lines().take_while(|line| !line.starts_with("Usage:")).map(str::trim).collect();
        return output::print_failure(&misuse(said.join(" ").trim()), true);
    }
    let (message, usage) = text.split_once("\n\n").unwrap_or((text, ""));
    output::print_failure(&misuse(message), false);
    output::note(&format!("\n{}", output::shown(usage.trim_end())));
}

fn misuse(message: &str) -> output::Failure {
    let hint = "see `tradewind --help` and the command's own --help";
    output::Failure { exit: output::EXIT_MISUSED, ..output::Failure::new("CLI-15", message, hint) }
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
        output::note(last_words(RECOVERS.load(Ordering::Relaxed)));
        std::process::abort();
    }));
}

const fn last_words(recovers: bool) -> &'static str {
    if recovers {
        "tradewind stops here: the next start recovers from the journal"
    } else {
        "tradewind stops here: what it held in memory alone is gone"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_on_from_its_journal_promises_so_with_its_last_words() {
        for (line, promises) in [
            ("live --config tradewind.toml", true),
            ("paper --config tradewind.toml", true),
            ("paper", false), // its market is a new one at the next start, and so is its journal
            ("demo", false),
            ("exchange", false),
            ("replay tradewind-demo", false),
        ] {
            let cli = cli::Cli::try_parse_from(["tradewind"].into_iter().chain(line.split(' '))).unwrap();
            assert_eq!(last_words(cli.command.recovers()).contains("recovers from the journal"), promises, "{line}");
        }
    }
}
