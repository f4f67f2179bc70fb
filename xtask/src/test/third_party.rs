//! Clients that others wrote, against our local exchange over real sockets.

use super::{Outcome, Tally};
use crate::{env, process, programs, python};
use anyhow::{Context, Result};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The folder of the scripts and of the list of pinned clients.
const SCRIPTS: &str = "crates/exchange/tests/third_party";
/// How long the exchange may take to say where it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// Starts the exchange once for each `check_*.py` and runs the script with the exchange's address and its program,
/// with which a script starts another one where it needs a key of its own.
pub(super) fn run() -> Result<Outcome> {
    let folder = env::root().join(SCRIPTS);
    let scripts = scripts(&folder);
    if scripts.is_empty() {
        return Ok(Outcome::gap(format!("not run: third-party: no check_*.py in {SCRIPTS}")));
    }
    let pins = fs::read_to_string(folder.join("requirements.txt")).context("cannot read requirements.txt")?;
    let python = match python::environment("third-party", &[], &pins) {
        Ok(python) => python,
        Err(error) => return Ok(Outcome::gap(format!("not run: third-party: {error:#}"))),
    };
    let serve = programs::tested("examples/serve")?;
    let mut tally = Tally::default();
    for script in scripts {
        let exchange = Exchange::start(&serve)?;
        println!("{script} against {}", exchange.address);
        let mut check = Command::new(&python);
        check.arg(folder.join(&script)).arg(&exchange.address).arg(&serve);
        check.env("TRADEWIND_EXCHANGE_URL", &exchange.address).env("PYTHONDONTWRITEBYTECODE", "1");
        tally = tally.plus(Tally::one(process::passes(&mut check)?));
    }
    Ok(Outcome { tally, ..Outcome::default() })
}

fn scripts(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("check_") && name.ends_with(".py")).collect();
    names.sort();
    names
}

/// A running exchange; it ends with this value, by its own process id.
struct Exchange {
    process: Child,
    address: String,
}

impl Exchange {
    /// Starts the exchange and waits for the first line it prints, which is its address.
    fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).current_dir(env::root());
        let mut exchange = Self { process: process::spawn(&mut command)?, address: String::new() };
        let stdout = exchange.process.stdout.take().context("the exchange has no stdout")?;
        let (first, received) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                first.send(line).ok(); // later lines are read so that the exchange never waits for us
            }
        });
        let line = received.recv_timeout(READY_WITHIN).context("the exchange did not say where it listens")?;
        exchange.address = line.trim().to_string();
        Ok(exchange)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.process.kill().ok(); // it may have ended by itself
        self.process.wait().ok();
    }
}
