//! The data directory of an earlier version still opens.
//!
//! `fixtures/data-v1` was written by the first version. It is never made anew: a version that cannot read it cannot
//! read what users have.

use crate::example::Exchange;
use crate::support::{Running, text, tradewind};
use std::path::Path;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data-v1");
const RECORDS: u64 = 120;
/// Of the state that it is folded to; the version of the logic is mixed in.
const STATE_HASH: &str = "36101be681c200a1576bf82ce6b53fb1d49916b91e65e2d8da9b1e28b7d0d545";

#[test]
fn g10_an_earlier_data_directory_verifies_and_replays() {
    let verify = tradewind(&["journal", "verify", FIXTURE, "-o", "json"]).ended_with(0).json();
    assert_eq!((&verify["verified"], &verify["records"]), (&true.into(), &RECORDS.into()));
    let replay = tradewind(&["replay", FIXTURE, "-o", "json"]).ended_with(0).json();
    assert_eq!((&replay["matches"], &replay["events"]), (&true.into(), &RECORDS.into()));
    assert!(replay["not_compared"].as_u64().unwrap() > 0, "decided by the first logic");
    assert_eq!(replay["state_hash"], STATE_HASH);
}

#[test]
fn g10_a_node_goes_on_from_an_earlier_data_directory() {
    let exchange = Exchange::start();
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("data/journal");
    std::fs::create_dir_all(&journal).unwrap();
    for entry in std::fs::read_dir(Path::new(FIXTURE).join("journal")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), journal.join(entry.file_name())).unwrap();
    }
    let settings = include_str!("../../../../examples/minimal.toml").replace("127.0.0.1:9090", &exchange.address);
    let file = dir.path().join("minimal.toml");
    std::fs::write(&file, settings).unwrap();
    let data = dir.path().join("data");
    let args = ["paper", "--config", text(&file), "--data-dir", text(&data), "--for", "2s", "-o", "json"];
    let (run, _) = Running::start_with(&args, &exchange.keys()).end();
    let run = run.ended_with(0);
    assert!(run.err.contains(&format!("journal at event {RECORDS} ")), "{}", run.err);
    assert!(run.json()["events"].as_u64().unwrap() > RECORDS);
    assert_eq!(tradewind(&["replay", text(&data), "-o", "json"]).ended_with(0).json()["matches"], true);
    exchange.end();
}
