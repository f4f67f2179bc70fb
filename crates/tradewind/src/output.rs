//! What the program prints: data on stdout, the rest on stderr.

use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use tradewind_domain::Coded;

/// How data are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON value.
    Json,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: String,
    pub(crate) exit: u8,
}

/// The command line cannot be read; `clap` uses the same.
pub(crate) const EXIT_MISUSED: u8 = 2;
/// Checked, and found wrong.
pub(crate) const EXIT_WRONG: u8 = 3;
/// No node is running.
pub(crate) const EXIT_NOT_RUNNING: u8 = 4;

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), hint: hint.into(), exit: 1 }
    }

    /// A file or folder that the system would not give.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                "make it writable, or choose another"
            }
            std::io::ErrorKind::StorageFull => "free space on the disk, then try again",
            std::io::ErrorKind::FileTooLarge => "raise the limit of file sizes (`ulimit -f`), or choose another disk",
            std::io::ErrorKind::IsADirectory => "name a file, not a directory",
            std::io::ErrorKind::NotADirectory => "name a directory, not a file",
            _ => "look at the system's message",
        };
        Self::new("CLI-01", format!("{}: {error}", path.display()), hint)
    }

    /// An error of the journal, whose crate knows no other of ours.
    pub(crate) fn journal(code: &str, error: &dyn std::error::Error, hint: &str) -> Self {
        Self::new(code, with_causes(error), hint)
    }

    pub(crate) const fn exit_code(&self) -> Exit {
        Exit(self.exit)
    }
}

/// Lets `?` and `main` share one exit code type.
#[derive(Clone, Copy)]
pub(crate) struct Exit(u8);

impl From<Exit> for ExitCode {
    fn from(code: Exit) -> Self {
        Self::from(code.0)
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        let message = with_causes(&error);
        let exit = if error.code() == "NODE-05" { EXIT_NOT_RUNNING } else { 1 };
        Self { code: error.code().to_owned(), message, hint: error.hint().to_owned(), exit }
    }
}

/// An error's own words and those of its causes, each once.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        source = cause.source();
    }
    message
}

/// Prints `value` as JSON or as `text`.
pub(crate) fn print(format: Format, value: &impl Serialize, text: impl FnOnce() -> String) {
    let line = match format {
        Format::Json => serde_json::to_string(value).unwrap_or_default(),
        Format::Text => text(),
    };
    let mut out = std::io::stdout().lock();
    finish_output(writeln!(out, "{}", line.trim_end()).and_then(|()| out.flush()));
}

/// A reader that has seen enough is no failure; a full disk behind stdout is.
pub(crate) fn finish_output(written: std::io::Result<()>) {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            print_failure(&Failure::file(std::path::Path::new("stdout"), &error), false);
            std::process::exit(1);
        }
        _ => (),
    }
}

/// A line for the person at the terminal. If nobody listens, nobody misses it.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

pub(crate) fn print_failure(failure: &Failure, json: bool) {
    let message = printable(&failure.message);
    if json {
        let body = serde_json::json!({"error": {"code": failure.code, "message": message, "hint": failure.hint}});
        note(&body.to_string());
    } else {
        note(&format!("error[{}]: {message}", failure.code));
        if !failure.hint.is_empty() {
            note(&format!("  hint: {}", failure.hint));
        }
    }
}

/// What a damaged file holds must not reach a terminal as it is: control characters are escaped, and a value that
/// goes on and on is cut.
pub(crate) fn printable(text: &str) -> String {
    const SHOWN: usize = 400;
    let mut shown = String::with_capacity(text.len().min(SHOWN));
    for (place, c) in text.chars().enumerate() {
        match c {
            _ if place == SHOWN => {
                shown.push('…');
                break;
            }
            '\n' => shown.push(c),
            char::REPLACEMENT_CHARACTER => shown.push('?'),
            _ if c.is_control() => shown.extend(c.escape_default()),
            _ => shown.push(c),
        }
    }
    shown
}

/// Sends log lines to stderr, coloured on a terminal only; `RUST_LOG` wins over the option.
pub(crate) fn start_log(level: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(format!("{level},hyper=warn,reqwest=warn,rustls=warn")));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .log_internal_errors(false) // it would panic where nobody reads stderr any more
        .try_init();
}

/// A bar on stderr while something long goes on; hidden when stderr is no terminal.
pub(crate) fn progress(total: Option<u64>, what: &str) -> indicatif::ProgressBar {
    let bar = total.map_or_else(indicatif::ProgressBar::new_spinner, indicatif::ProgressBar::new);
    let style =
        if total.is_some() { "{msg} {wide_bar} {human_pos}/{human_len} {eta}" } else { "{spinner} {msg} {human_pos}" };
    if let Ok(style) = indicatif::ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

/// `1 bar`, `2 bars`: a count with its noun.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Rows under a head, in columns.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(head.to_vec());
    for row in rows {
        table.add_row(row);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
