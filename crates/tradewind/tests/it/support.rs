//! Starting the program and reading what it says.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest that any command may take here; one that hangs fails the test instead of blocking it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a finished command left behind.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("stdout is text"),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one JSON value on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("stdout is not one JSON value: {error}\n{}\n{}", self.out, self.err))
    }

    /// Asserts the exit code.
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Asserts a failure of this code: one `error[CODE]` and a hint on stderr, nothing on stdout, no trace of a panic.
    pub(crate) fn failed_with(self, exit: i32, code: &str) -> Self {
        let run = self.ended_with(exit);
        assert!(run.err.contains(&format!("error[{code}]: ")), "expected {code}, got: {}", run.err);
        assert!(run.err.contains("\n  hint: "), "no hint: {}", run.err);
        assert_eq!(run.out, "", "a failure prints nothing on stdout");
        run.is_calm();
        run
    }

    /// Asserts that nothing panicked.
    pub(crate) fn is_calm(&self) {
        for sign in ["panicked", "RUST_BACKTRACE", "stack backtrace", "\u{1b}["] {
            assert!(!self.err.contains(sign), "`{sign}` on stderr: {}", self.err);
        }
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.args(args).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn tradewind(args: &[&str]) -> Run {
    wait(command(args))
}

/// Runs the program with more in its environment.
pub(crate) fn tradewind_with(args: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = command(args);
    command.envs(environment.iter().copied());
    wait(command)
}

/// Runs the program in a folder.
pub(crate) fn tradewind_in(dir: &Path, args: &[&str]) -> Run {
    let mut command = command(args);
    command.current_dir(dir);
    wait(command)
}

/// Runs a line of shell in which `$0` is the program.
pub(crate) fn shell(line: &str) -> Run {
    wait(shell_command(line))
}

fn shell_command(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_tradewind")]).stdin(Stdio::null());
    command
}

/// Waits until it is so. Fails with `complaint` where it is not within so many seconds.
#[track_caller]
pub(crate) fn wait_until(seconds: u64, complaint: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(seconds), "{complaint}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait(mut command: Command) -> Run {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let id = child.id().to_string();
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || drop(done.send(child.wait_with_output())));
    match finished.recv_timeout(PATIENCE) {
        Ok(output) => Run::of(output.expect("its output can be read")),
        Err(_) => {
            drop(Command::new("kill").args(["-KILL", &id]).status());
            panic!("{command:?} did not end in {PATIENCE:?}");
        }
    }
}

/// A running program, killed when dropped.
pub(crate) struct Running {
    child: Child,
    lines: BufReader<Box<dyn Read + Send>>,
    said: String,
}

impl Running {
    /// Starts the program.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(&mut command(args))
    }

    /// Starts the program with more in its environment.
    pub(crate) fn start_with(args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(command(args).envs(environment.iter().copied()))
    }

    /// Starts the program with `stderr` to write to, of which nothing is read here.
    pub(crate) fn start_unread(args: &[&str], stderr: impl Into<Stdio>) -> Self {
        Self::spawn_with(&mut command(args), stderr.into())
    }

    /// Starts a line of shell in which `$0` is the program.
    pub(crate) fn shell(line: &str) -> Self {
        Self::spawn(&mut shell_command(line))
    }

    fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::piped())
    }

    fn spawn_with(command: &mut Command, stderr: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the program starts");
        let lines: Box<dyn Read + Send> = match child.stderr.take() {
            Some(stderr) => Box::new(stderr),
            None => Box::new(std::io::empty()),
        };
        let lines = BufReader::new(lines);
        Self { child, lines, said: String::new() }
    }

    /// Reads stderr up to a line that holds `text`.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut line = String::new();
        while self.lines.read_line(&mut line).expect("stderr can be read") > 0 {
            self.said.push_str(&line);
            if line.contains(text) {
                return line;
            }
            line.clear();
        }
        panic!("it ended without saying `{text}`: {}", self.said);
    }

    /// Reads one line of stdout.
    pub(crate) fn line(&mut self) -> String {
        let out = self.child.stdout.as_mut().expect("piped");
        let mut line = Vec::new();
        let mut byte = [0];
        while out.read(&mut byte).expect("stdout can be read") == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        String::from_utf8(line).expect("stdout is text")
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits for the end and returns what it left and how long that took.
    pub(crate) fn end(mut self) -> (Run, Duration) {
        let started = Instant::now();
        let mut out = String::new();
        self.child.stdout.take().expect("piped").read_to_string(&mut out).expect("stdout is text");
        let mut err = std::mem::take(&mut self.said);
        self.lines.read_to_string(&mut err).expect("stderr is text");
        let status = self.child.wait().expect("it can be waited for");
        (Run { code: status.code(), out, err }, started.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A recording; `None`, said on stderr, where there are none. Under `CI=true` their absence is a failure.
pub(crate) fn recording(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var("TRADEWIND_RECORDINGS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let path = Path::new(&root).join(path);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no recordings: {test} needs {}", path.display());
    eprintln!("no recordings: {test}");
    None
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths in tests are text")
}

/// Hourly bars that rise and fall, so that a trend follower trades: a small file that needs no recordings.
pub(crate) fn waves(dir: &Path, bars: u32) -> PathBuf {
    let mut csv = String::from("time,open,high,low,close,volume\n");
    let mut open = 10_000_i64;
    for bar in 0..bars {
        let close = 10_000 + 25 * i64::from((bar % 80).abs_diff(40)) + i64::from(bar * 7 % 5);
        let (high, low) = (open.max(close) + 3, open.min(close) - 3);
        let price = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        let row = [open, high, low, close].map(price).join(",");
        csv.push_str(&format!("{},{row},{}.5\n", 1_700_000_400_u64 + u64::from(bar) * 3_600, 100 + bar % 50));
        open = close;
    }
    let path = dir.join("WAVES_USDT-1h.csv");
    std::fs::write(&path, csv).expect("the folder can be written");
    path
}
