//! What the program prints: data on stdout, the rest on stderr.

use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tradewind_domain::{Coded, with_causes};

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

/// Prints `value` as JSON or as `text`. Whatever of it came out of a file, it does not steer the terminal that shows it.
pub(crate) fn print(format: Format, value: &impl Serialize, text: impl FnOnce() -> String) {
    let line = match format {
        Format::Json => {
            escaped(&serde_json::to_string(value).unwrap_or_default(), |c| format!("\\u{:04x}", u32::from(c)))
        }
        Format::Text => shown(&text()),
    };
    let mut out = std::io::stdout().lock();
    finish_output(writeln!(out, "{}", line.trim_end()).and_then(|()| out.flush()), format);
}

/// The text with whatever would steer a terminal escaped.
pub(crate) fn shown(text: &str) -> String {
    escaped(text, |c| c.escape_default().to_string())
}

/// The text with `escape` in the place of each character that would steer a terminal. Ends of lines and tabs stay.
fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) && !matches!(c, '\n' | '\t') {
            shown.push_str(&escape(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether it does something to a terminal, or turns the direction of the text behind it.
fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control()
}

/// A text as a cell of a table, in one line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if steers(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// A reader that has seen enough is no failure; a full disk behind stdout is, and told in the form of the data.
pub(crate) fn finish_output(written: std::io::Result<()>, format: Format) {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            print_failure(&Failure::file(std::path::Path::new("stdout"), &error), format == Format::Json);
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
            _ if steers(c) => shown.extend(c.escape_default()),
            _ => shown.push(c),
        }
    }
    shown
}

/// Sends log lines to stderr, coloured on a terminal only; `RUST_LOG` wins over the option.
pub(crate) fn start_log(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .log_internal_errors(false); // it would panic where nobody reads stderr any more
    let _ = tracing_subscriber::registry().with(filter).with(filter_fn(holds_no_secret)).with(lines).try_init();
}

/// Who sees requests as they are sent, with the key and the signature; a crate's name and all that begin with it.
const CARRIERS: [&str; 6] = ["tungstenite", "tokio_tungstenite", "hyper", "h2", "reqwest", "rustls"];

/// Whether a line of the log may be shown, whatever was asked for: carriers say below a warning what they carry.
fn holds_no_secret(line: &tracing::Metadata<'_>) -> bool {
    *line.level() <= tracing::Level::WARN || !CARRIERS.iter().any(|name| line.target().starts_with(name))
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

/// A number with so many decimals. What rounds to zero has no minus.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        _ => text,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounds_to_zero_has_no_minus() {
        for (value, text) in [(-0.0, "0.00"), (-0.004, "0.00"), (-0.006, "-0.01"), (0.004, "0.00"), (-10.0, "-10.00")] {
            assert_eq!(fixed(value, 2), text, "{value}");
        }
        assert_eq!((fixed(-0.4, 0).as_str(), fixed(f64::NEG_INFINITY, 2).as_str()), ("0", "-inf"));
    }

    #[test]
    fn what_steers_a_terminal_is_escaped_in_text_and_json() {
        let hostile = "a\u{1b}[2J\u{9b}31m\u{7f}\r\u{202e}b\té\n…";
        let text = shown(hostile);
        assert_eq!(text, "a\\u{1b}[2J\\u{9b}31m\\u{7f}\\r\\u{202e}b\té\n…");
        assert_eq!(printable(hostile), text.replace('\t', "\\t"));
        let json = serde_json::to_string(hostile).unwrap();
        let json = escaped(&json, |c| format!("\\u{:04x}", u32::from(c)));
        assert!(!json.chars().any(steers), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
        assert_eq!(one_line("a\nb\t\u{1b}c"), "a\\nb\\t\\u{1b}c");
    }
}
