//! `tradewind doctor`: this machine, the settings, the keys, and what live mode still needs.

use super::config;
use crate::cli::Checking;
use crate::output::{self, Failure, Format};
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use tradewind_domain::Coded;
use tradewind_node::settings::NodeMode;
use tradewind_node::{DataDir, live};
use tradewind_venues::{ApiKey, ApiSecret, SecretSource};

#[derive(Serialize)]
struct Check {
    name: String,
    ok: bool,
    /// Whether the program can do its work without.
    needed: bool,
    detail: String,
}

impl Check {
    fn new(name: &str, needed: bool, result: Result<String, String>) -> Self {
        let (ok, detail) = match result {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        Self { name: name.to_owned(), ok, needed, detail }
    }
}

pub(crate) fn run(path: Option<&Path>, data_dir: Option<&Path>, format: Format) -> Result<ExitCode, Failure> {
    let settings = config::read(path)?;
    let data_dir = data_dir.unwrap_or(&settings.data_dir);
    let mut checks = vec![
        Check::new("settings", true, Ok(path.map_or("defaults".to_owned(), |path| path.display().to_string()))),
        Check::new("data directory", true, writable(data_dir)),
        Check::new("clock", true, clock()),
        Check::new("time zones", true, zones()),
        Check::new("loopback socket", true, loopback()),
        Check::new("journal", true, journal(data_dir)),
        Check::new("api key", false, secret(&settings.venue.api_key, |source| ApiKey::read(source).map(|_| ()))),
        Check::new(
            "api secret",
            false,
            secret(&settings.venue.api_secret, |source| ApiSecret::read(source).map(|_| ())),
        ),
    ];
    if settings.mode == NodeMode::Paper {
        let said = live::check_settings(&settings).map(|()| "go to made-up money".to_owned());
        checks.push(Check::new("paper: orders", true, said.map_err(|error| format!("{error}; {}", error.hint()))));
    }
    for condition in live::conditions(&settings) {
        let result = if condition.met { Ok("met".to_owned()) } else { Err(condition.remedy) };
        checks.push(Check::new(&format!("live: {}", condition.name), false, result));
    }
    let sound = checks.iter().all(|check| check.ok || !check.needed);
    output::print(format, &serde_json::json!({"ok": sound, "checks": checks}), || {
        let mark = |check: &Check| match (check.ok, check.needed) {
            (true, _) => "ok",
            (false, true) => "FAIL",
            (false, false) => "not yet",
        };
        output::table(
            &["", "check", "detail"],
            checks.iter().map(|c| vec![mark(c).into(), c.name.clone(), c.detail.clone()]),
        )
    });
    Ok(Checking::Doctor.ended(sound))
}

fn writable(dir: &Path) -> Result<String, String> {
    let existed = dir.exists();
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let probe = DataDir::new(dir).probe();
    let written = std::fs::File::create(&probe).and_then(|mut file| {
        file.write_all(&[0; 4096])?;
        file.sync_all()
    });
    let _ = std::fs::remove_file(&probe);
    if !existed {
        let _ = std::fs::remove_dir(dir);
    }
    written
        .map(|()| format!("{} can be written and synced", dir.display()))
        .map_err(|error| format!("{}: {error}", dir.display()))
}

fn clock() -> Result<String, String> {
    let now = tradewind_node::wall();
    // the release date: an earlier clock is wrong, whatever it says
    if now.millis() > 1_760_000_000_000 {
        Ok(now.to_string())
    } else {
        Err(format!("{now} is in the past: set the clock"))
    }
}

fn zones() -> Result<String, String> {
    let noon = tradewind_domain::Timestamp::from_millis(1_704_726_000_000); // 2024-01-08T15:00Z: New York is open
    let open = tradewind_domain::Calendar::new_york_stocks().is_open(noon);
    if open {
        Ok("the time zone database answers".to_owned())
    } else {
        Err("the time zone database is missing".to_owned())
    }
}

fn loopback() -> Result<String, String> {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| format!("{address} can be bound"))
        .map_err(|error| error.to_string())
}

fn journal(data_dir: &Path) -> Result<String, String> {
    let dir = DataDir::new(data_dir).journal();
    if !dir.exists() {
        return Ok("none yet".to_owned());
    }
    let report = tradewind_journal::verify(&dir).map_err(|error| error.to_string())?;
    match report.first_bad {
        None => Ok(format!("{} records are sound", report.records)),
        Some(bad) => Err(bad.to_string()),
    }
}

fn secret(
    source: &SecretSource,
    read: impl Fn(&SecretSource) -> Result<(), tradewind_venues::SecretError>,
) -> Result<String, String> {
    read(source).map(|()| format!("{source} holds one")).map_err(|error| format!("{error}; {}", error.hint()))
}
