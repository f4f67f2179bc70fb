//! Starts other programs and reads what they say.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// What the program produced.
    Stdout,
    /// What the program said about it.
    Stderr,
}

/// Runs `command` to its end and hands each line to `on_line` as it comes. `true` if it exited with 0.
///
/// # Errors
/// If the program cannot be started.
pub(crate) fn stream(command: &mut Command, mut on_line: impl FnMut(Stream, &str)) -> Result<bool> {
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()))?;
    let (lines, received) = mpsc::channel();
    let stdout = child.stdout.take().map(|pipe| forward(pipe, Stream::Stdout, lines.clone()));
    let stderr = child.stderr.take().map(|pipe| forward(pipe, Stream::Stderr, lines));
    for (stream, line) in received {
        on_line(stream, &line);
    }
    for reader in [stdout, stderr].into_iter().flatten() {
        reader.join().ok();
    }
    Ok(child.wait().context("waiting for a started program")?.success())
}

/// Runs `command` with our own stderr for both its outputs, so that our stdout stays free for results.
///
/// # Errors
/// If the program cannot be started.
pub(crate) fn passes(command: &mut Command) -> Result<bool> {
    stream(command, |_, line| eprintln!("{line}"))
}

/// Runs `command` and returns whether it exited with 0, and both outputs as one text.
///
/// # Errors
/// If the program cannot be started.
pub(crate) fn capture(command: &mut Command) -> Result<(bool, String)> {
    let mut text = String::new();
    let ok = stream(command, |_, line| {
        text.push_str(line);
        text.push('\n');
    })?;
    Ok((ok, text))
}

/// Runs `command` and returns its stdout.
///
/// # Errors
/// If the program cannot be started, or exits with anything but 0; then with the end of what it said.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    let (mut out, mut said) = (String::new(), String::new());
    let ok = stream(command, |stream, line| {
        let text = if stream == Stream::Stdout { &mut out } else { &mut said };
        text.push_str(line);
        text.push('\n');
    })?;
    anyhow::ensure!(ok, "`{}` failed: {}", shown(command), last_lines(&said, 6));
    Ok(out)
}

/// Starts `command` and leaves it running.
///
/// # Errors
/// If the program cannot be started.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    command.spawn().with_context(|| format!("cannot start `{}`", shown(command)))
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The last `count` lines of `text`, as one line.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join(" / ")
}

/// `cargo` itself, the one that runs us, at the root of the workspace.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(crate::env::root());
    command
}

fn forward<R: Read + Send + 'static>(
    pipe: R,
    stream: Stream,
    lines: mpsc::Sender<(Stream, String)>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut raw = Vec::new();
        while reader.read_until(b'\n', &mut raw).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&raw).trim_end().to_string();
            if lines.send((stream, line)).is_err() {
                return;
            }
            raw.clear();
        }
    })
}
