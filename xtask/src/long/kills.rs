//! Kills: at every failpoint many times over, and of the program as it is shipped at moments drawn by lot.

use crate::process::{self, Stream, cargo};
use crate::{env, programs, test};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often every failpoint is gone through: 86 kills a round.
const ROUNDS: u32 = 6;
/// Kills that must come of it.
const FAILPOINT_KILLS: u64 = 500;
/// Market seconds in a second of ours: half of what the tests play, so that a busy machine's exchange keeps up with its own
/// clock while journals are verified beside it.
const SPEED: &str = "300";
/// The interval of the venue's request budget.
const INTERVAL: Duration = Duration::from_secs(60);
/// Kills of the release build.
pub(super) const RELEASE_KILLS: u32 = 50;

/// Kills a node at each of its failpoints, again and again on what the kills before it left.
pub(super) fn at_failpoints() -> Result<(bool, String)> {
    let args = ["test", "--package", "tradewind-node", "--locked", "--test", "it", "failpoints", "--", "--nocapture"];
    let mut command = cargo(&args);
    command.env("TRADEWIND_KILL_ROUNDS", ROUNDS.to_string());
    let mut figures = Vec::new();
    let passed = process::stream(&mut command, |stream, line| match line.trim().split_once("figure: ") {
        Some((_, figure)) => figures.push(figure.to_string()),
        None if stream == Stream::Stderr || line.contains("FAILED") => eprintln!("{line}"),
        None => (),
    })?;
    let kills = test::sum_of("kill cycles: ", &figures);
    Ok((passed && kills >= FAILPOINT_KILLS, format!("{kills} kills, each start after one checked")))
}

/// Kills `tradewind paper` at random moments; after each kill the journal must verify and replay to what was recorded.
pub(super) fn of_the_release() -> Result<(bool, String)> {
    let program = programs::release("tradewind")?;
    let folder = env::cache()?.join("long").join("kills");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let exchange = Exchange::start(&program, SPEED)?;
    let settings = std::fs::read_to_string(env::root().join("examples/minimal.toml"))?;
    let file = folder.join("kills.toml");
    std::fs::write(&file, settings.replace("127.0.0.1:9090", &exchange.address))?;
    let data = folder.join("data");
    let start_for = |time: &str| {
        let start = || said(paper(&program, &file, &data, &exchange).args(["--for", time, "-o", "json"]));
        match start() {
            Err(error) if format!("{error:#}").contains("VEN-11") => {
                std::thread::sleep(INTERVAL);
                start()
            }
            other => other,
        }
    };
    let (mut lot, mut ready, mut torn) = (Lot(0x9e37_79b9_7f4a_7c15), 0, 0);
    for kill in 1..=RELEASE_KILLS {
        let wait = Duration::from_millis(20 + lot.below(2_500));
        ready += u32::from(killed_after(wait, &program, &file, &data, &exchange)?);
        let what = || format!("after kill {kill}, {wait:?} after the start");
        if left(&program, &data).with_context(what)? == Left::Torn {
            torn += 1;
            start_for("1s").with_context(what)?;
            ensure!(left(&program, &data).with_context(what)? == Left::Whole, "a start mends it, {}", what());
        }
    }
    // and in the end it starts, agrees with the venue and stops in order
    let ended = start_for("3s").context("the last run")?;
    ensure!(ended["halted"].is_null() && ended["origin"].is_string(), "the last run was halted: {ended}");
    ensure!(left(&program, &data)? == Left::Whole, "the journal of the last run is not whole");
    let number = |key: &str| ended[key].as_u64().with_context(|| format!("no `{key}` in {ended}"));
    let note = format!(
        "{RELEASE_KILLS} kills 20 ms to 2.5 s after the start, {ready} of them after it was ready, {torn} within a write; \
         each journal verified and replayed to its recorded state; {} events and {} open orders at the end",
        number("events")?,
        number("open_orders")?
    );
    Ok((true, note))
}

/// Starts, waits, kills. Whether it was ready by then. A start that finds the venue's budget used up by those before it
/// says so and ends: it is tried again in the next interval.
fn killed_after(wait: Duration, program: &Path, file: &Path, data: &Path, exchange: &Exchange) -> Result<bool> {
    let mut command = paper(program, file, data, exchange);
    let mut child = process::spawn(command.stdout(Stdio::null()).stderr(Stdio::piped()).stdin(Stdio::null()))?;
    std::thread::sleep(wait);
    if let Some(status) = child.try_wait()? {
        let said = child.stderr.take().map(std::io::read_to_string).transpose()?.unwrap_or_default();
        ensure!(said.contains("VEN-11"), "it ended by itself with {status}: {}", process::last_lines(&said, 3));
        std::thread::sleep(INTERVAL);
        return killed_after(wait, program, file, data, exchange);
    }
    child.kill()?; // SIGKILL
    child.wait()?;
    let said = child.stderr.take().map(std::io::read_to_string).transpose()?.unwrap_or_default();
    Ok(said.contains("ready in"))
}

pub(super) fn paper(program: &Path, file: &Path, data: &Path, exchange: &Exchange) -> Command {
    let mut command = Command::new(program);
    command.arg("paper").arg("--config").arg(file).arg("--data-dir").arg(data);
    command.env("TRADEWIND_KEY", &exchange.key).env("TRADEWIND_SECRET", &exchange.secret);
    command
}

/// What a kill left of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// No record yet.
    Nothing,
    /// Every byte is sound, and deciding again comes to what was recorded.
    Whole,
    /// A torn write behind the last record, which the next start sets aside.
    Torn,
}

/// Asks the program itself, by the two commands that a person would use.
pub(super) fn left(program: &Path, data: &Path) -> Result<Left> {
    let Ok(files) = std::fs::read_dir(data.join("journal")) else { return Ok(Left::Nothing) };
    if !files.flatten().any(|file| file.path().extension().is_some_and(|it| it == "seg")) {
        return Ok(Left::Nothing);
    }
    let run = |words: &[&str]| said(Command::new(program).args(words).arg(data).args(["-o", "json"]));
    let found = after_verify(&run(&["journal", "verify"])?)?;
    if found == Left::Whole {
        let replayed = run(&["replay"])?;
        ensure!(replayed["matches"] == true, "replay differs: {replayed}");
    }
    Ok(found)
}

/// What `journal verify` means; a field that is not there is an error, not a pass.
fn after_verify(verified: &Value) -> Result<Left> {
    match (verified["verified"].as_bool(), verified["flaw"].as_str()) {
        (Some(true), None) => Ok(Left::Whole),
        (Some(false), Some("tail" | "chain" | "truncated")) => Ok(Left::Torn),
        _ => bail!("the journal does not verify: {verified}"),
    }
}

/// The JSON that a command prints, whatever it exits with: `journal verify` of a torn journal exits with 3.
fn said(command: &mut Command) -> Result<Value> {
    let (mut out, mut errors) = (String::new(), String::new());
    process::stream(command, |stream, line| {
        let text = if stream == Stream::Stdout { &mut out } else { &mut errors };
        text.push_str(line);
        text.push('\n');
    })?;
    serde_json::from_str(&out).with_context(|| {
        format!("`{}` printed no result: {}", process::shown(command), process::last_lines(&errors, 3))
    })
}

/// A local exchange in a process of its own.
pub(super) struct Exchange {
    process: Child,
    pub(super) address: String,
    key: String,
    secret: String,
}

impl Exchange {
    /// Plays so many market seconds in a second of ours.
    pub(super) fn start(program: &Path, speed: &str) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["exchange", "--speed", speed, "-o", "json"]);
        let mut process = process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()))?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("piped")?).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("the exchange's first line")?;
        let word = |key: &str| said[key].as_str().unwrap_or_default().to_string();
        let address = word("url").trim_start_matches("http://").to_string();
        Ok(Self { process, address, key: word("api_key"), secret: word("api_secret") })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let began = Instant::now();
        let _ = self.process.kill(); // it holds nothing that is needed
        let _ = self.process.wait();
        debug_assert!(began.elapsed() < Duration::from_secs(10));
    }
}

/// A row of numbers that is the same every time.
struct Lot(u64);

impl Lot {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_verify_says_in_full_is_believed() {
        let check = |said: Value, left: Option<Left>| assert_eq!(after_verify(&said).ok(), left, "{said}");
        check(json!({"verified": true, "flaw": null}), Some(Left::Whole));
        check(json!({"verified": false, "flaw": "tail"}), Some(Left::Torn));
        check(json!({"verified": false, "flaw": "chain"}), Some(Left::Torn));
        check(json!({"verified": false, "flaw": "record"}), None);
        check(json!({"verified": false, "flaw": "snapshot"}), None);
        check(json!({"verified": false}), None);
        check(json!({"damage": null}), None);
    }
}
