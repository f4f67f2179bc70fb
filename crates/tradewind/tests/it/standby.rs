//! Two instances over one account: one trades, the other waits for its end.

use crate::example::Exchange;
use crate::support::{Run, Running, text, tradewind};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The settings of the examples, without a strategy: what trades here is a person.
fn settings(dir: &Path, exchange: &Exchange) -> PathBuf {
    let minimal = include_str!("../../../../examples/minimal.toml").replace("127.0.0.1:9090", &exchange.address);
    let file = dir.join("pair.toml");
    std::fs::write(&file, minimal).unwrap();
    file
}

/// A local exchange, and where a node on it lives.
pub(crate) struct Pair {
    pub(crate) exchange: Exchange,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) file: PathBuf,
    pub(crate) data: PathBuf,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let (exchange, dir) = (Exchange::start(), tempfile::tempdir().unwrap());
        let (file, data) = (settings(dir.path(), &exchange), dir.path().join("data"));
        Self { exchange, dir, file, data }
    }

    pub(crate) fn start(&self, data: &Path, standby: bool) -> Running {
        let args = ["paper", "--config", text(&self.file), "--data-dir", text(data)];
        let args = [&args[..], if standby { &["--standby"] } else { &[] }].concat();
        Running::start_with(&args, &self.exchange.keys())
    }

    pub(crate) fn ask(&self, args: &[&str]) -> Run {
        tradewind(&[args, &["--data-dir", text(&self.data), "-o", "json"]].concat())
    }

    fn orders(&self) -> Vec<Value> {
        self.ask(&["order", "list"]).ended_with(0).json().as_array().unwrap().clone()
    }
}

#[test]
fn the_second_waits_takes_over_when_the_first_is_killed_and_doubles_nothing() {
    let pair = Pair::new();
    let mut first = pair.start(&pair.data, false);
    first.until("ready in");
    let mut second = pair.start(&pair.data, true);
    let told = second.until("standing by");
    assert!(told.contains("in use by process"), "{told}");

    let buy = ["order", "place", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.001", "--price"];
    let mark = pair.ask(&["status"]).ended_with(0).json();
    let mark: f64 = mark["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    let far = format!("{:.2}", mark * 0.9);
    let placed = pair.ask(&[&buy[..], &[&far]].concat()).ended_with(0).json();
    first.signal("KILL");
    second.until("ready in");

    let held = pair.orders();
    let same: Vec<&Value> = held.iter().filter(|it| it["client_id"] == placed["client_id"]).collect();
    assert_eq!(same.len(), 1, "the order keeps its id: {held:?}");
    assert_eq!(pair.ask(&["status"]).ended_with(0).json()["halted"], Value::Null);
    pair.ask(&["stop"]).ended_with(0);
    second.end().0.ended_with(0);
    let audit = tradewind(&["replay", text(&pair.data), "-o", "json"]).ended_with(0).json();
    assert_eq!(audit["matches"], true);
}

#[test]
fn one_with_another_data_directory_waits_for_the_key_and_ends_when_it_is_asked_to() {
    let pair = Pair::new();
    let mut first = pair.start(&pair.data, false);
    first.until("ready in");
    let mut other = pair.start(&pair.dir.path().join("other"), true);
    other.until("standing by");
    other.signal("INT");
    other.end().0.ended_with(0);
    pair.ask(&["stop"]).ended_with(0);
    first.end().0.ended_with(0);
}

#[test]
fn standby_without_a_venue_of_its_own_is_refused() {
    tradewind(&["paper", "--standby"]).failed_with(1, "CLI-05");
}
