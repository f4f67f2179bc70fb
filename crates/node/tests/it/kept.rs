//! Files that a crash, a full disk or a flipped byte leaves: what is said of them, and what may go out after.

use crate::child::{NodeProcess, quick};
use crate::failpoints::Trial;
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, words};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tradewind_domain::{Coded, Origin, Side, Source};
use tradewind_engine::{Event, EventKind, LOGIC_VERSION, Replay, encode};
use tradewind_governance::Name;
use tradewind_journal::{DiskStorage, Journal, Options, snapshots_storage, verify};
use tradewind_node::{
    DataDir, GovernRequest, Node, NodeError, OperatorRequest, OrderWords, recover, retain, retain_unsigned,
};

fn far() -> OrderWords {
    words(Side::Buy, "0.001", Some("30000"))
}

async fn start(stage: &Stage) -> Result<Node, NodeError> {
    Node::start(quick(&stage.exchange.url(), stage.dir.path(), &[]), surroundings(Origin::Simulated)).await
}

async fn traded(stage: &Stage) {
    let node = start(stage).await.unwrap();
    ask(&node, OperatorRequest::OrderPlace(far())).await.unwrap();
    node.stop().await.unwrap();
}

/// The files of the journal whose names end in `end`, in order.
fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(DataDir::new(dir).journal()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = all.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    found.sort();
    found
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Appends two records, each synced by itself, and gives back where the first one's payload is in its segment.
fn two_groups_more(dir: &Path) -> (PathBuf, usize) {
    let (mut journal, recovered) = recover(dir, Options::default()).unwrap();
    let (last, at) = (recovered.state.sequence, recovered.state.now);
    let mut payloads = Vec::new();
    for sequence in [last + 1, last + 2] {
        let event = Event::new(sequence, at, Source::Timer, EventKind::Timer);
        payloads.push(encode(&event, &recovered.state));
        journal.append(&payloads[payloads.len() - 1]).unwrap();
        journal.sync().unwrap();
    }
    let path = files(dir, ".seg").pop().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let place = bytes.windows(payloads[0].len()).rposition(|window| window == &payloads[0][..]);
    (path, place.expect("the record lies in the last segment"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_synced_records_is_said_and_only_what_reduces_goes_out_until_somebody_resumes() {
    let stage = Stage::new(exchange_config()).await;
    traded(&stage).await;
    let dir = stage.dir.path();
    let (segment, place) = two_groups_more(dir);
    flip(&segment, place);
    // the first start mends the journal and does not reach the venue: what it found must not be forgotten
    let away = Node::start(quick("http://127.0.0.1:1", dir, &[]), surroundings(Origin::Simulated)).await;
    assert!(away.is_err());
    assert!(dir.join("journal/DAMAGED").exists());
    assert_eq!(files(dir, ".torn").len(), 1);

    let node = start(&stage).await.unwrap();
    let seen = status(&node).await;
    assert!(seen["restricted"].as_str().unwrap().starts_with("synced records of the journal were damaged"), "{seen:#}");
    assert!(!dir.join("journal/DAMAGED").exists(), "the journal says it now");
    assert_eq!(ask(&node, OperatorRequest::OrderPlace(far())).await.unwrap_err().0, "GATE-13");
    node.stop().await.unwrap();
    check_journal(dir);

    let node = start(&stage).await.unwrap();
    assert!(status(&node).await["restricted"].is_string(), "until somebody resumes");
    ask(&node, OperatorRequest::Resume { reason: "compared".to_owned() }).await.unwrap();
    ask(&node, OperatorRequest::OrderPlace(far())).await.unwrap();
    node.stop().await.unwrap();
    check_journal(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_that_finds_damage_says_so_and_a_torn_write_stays_one() {
    let stage = Stage::new(exchange_config()).await;
    traded(&stage).await;
    let dir = stage.dir.path();
    let (segment, place) = two_groups_more(dir);
    flip(&segment, place);
    let node = start(&stage).await.unwrap();
    let found = node.recovered().found.clone();
    assert!(found.len() == 1 && found[0].starts_with("alarm: ") && !found[0].contains("torn write"), "{found:?}");
    assert!(status(&node).await["notices"].to_string().contains("no crash does"), "people see it later as well");
    ask(&node, OperatorRequest::Resume { reason: "compared".to_owned() }).await.unwrap();
    node.stop().await.unwrap();

    let last = files(dir, ".seg").pop().unwrap();
    let bytes = std::fs::read(&last).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    flip(&last, end + 40); // where the next group would begin
    let node = start(&stage).await.unwrap();
    let found = node.recovered().found.clone();
    assert!(found.len() == 1 && found[0].starts_with("the journal ended in a torn write: "), "{found:?}");
    assert_eq!(status(&node).await["restricted"], Value::Null);
    node.stop().await.unwrap();
    check_journal(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g09_a_snapshot_that_does_not_read_is_set_aside_and_told() {
    let stage = Stage::new(exchange_config()).await;
    traded(&stage).await;
    traded(&stage).await;
    let dir = stage.dir.path();
    let newest = files(dir, ".snap").pop().unwrap();
    flip(&newest, 120);
    assert!(!verify(DataDir::new(dir).journal()).unwrap().is_sound());
    let node = start(&stage).await.unwrap();
    let name = newest.file_name().unwrap().to_string_lossy().into_owned();
    let found = node.recovered().found.clone();
    assert!(found.len() == 1 && found[0].contains(&format!("{name}.bad")), "{found:?}");
    assert!(status(&node).await["notices"].to_string().contains("did not read"));
    assert_eq!(status(&node).await["restricted"], Value::Null, "the records say all that it said");
    node.stop().await.unwrap();
    check_journal(dir);
    assert_eq!(files(dir, ".bad").len(), 1);
    let node = start(&stage).await.unwrap();
    assert_eq!(node.recovered().found, Vec::<String>::new(), "told once");
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_keeps_the_records_while_no_state_can_be_read_from_the_snapshot() {
    let stage = Stage::new(exchange_config()).await;
    for _ in 0..12 {
        traded(&stage).await; // more than one segment
    }
    let (dir, anna) = (stage.dir.path(), Name::new("anna").unwrap());
    let (mut journal, _) = Journal::open(DataDir::new(dir).journal(), Options::default()).unwrap();
    let last = journal.synced_seq();
    journal.write_snapshot(last, br#"{"a state":"of a version that never was"}"#).unwrap();
    drop(journal);
    let before = files(dir, "");
    assert_eq!(retain(dir, None, &anna).unwrap_err().code(), "JRN-12");
    assert_eq!(retain_unsigned(&DataDir::new(dir).journal()).unwrap_err().code(), "JRN-12");
    assert_eq!(files(dir, ""), before, "nothing is removed");
    traded(&stage).await;
    let error = retain(dir, None, &anna).unwrap_err();
    assert_eq!(error.code(), "JRN-12", "were the last records damaged, the start would need that one: {error}");
    assert!(error.hint().starts_with("start and stop the node once more"), "{}", error.hint());
    traded(&stage).await;
    assert!(retain(dir, None, &anna).unwrap().oldest_seq > 1);
    traded(&stage).await;
    check_journal(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_can_begin_at_any_snapshot_of_a_run() {
    let stage = Stage::new(exchange_config()).await;
    let dir = stage.dir.path();
    let mut settings = quick(&stage.exchange.url(), dir, &[]);
    settings.journal.snapshot_every = 1;
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    for order in [far(), words(Side::Buy, "0.01", None)] {
        ask(&node, OperatorRequest::OrderPlace(order)).await.unwrap();
    }
    node.stop().await.unwrap();
    check_journal(dir);
    let storage = DiskStorage::new(DataDir::new(dir).journal());
    let snapshots = snapshots_storage(&storage).unwrap();
    assert!(snapshots.len() > 5, "{snapshots:?}");
    for sequence in snapshots {
        let state = tradewind_host::snapshot_state_of(&storage, sequence).unwrap().unwrap();
        let mut replay = Replay::from_state(state, LOGIC_VERSION);
        let later = tradewind_node::events(dir).unwrap().filter(|event| event.sequence > sequence);
        later.for_each(|event| replay.feed(&event));
        assert_eq!(replay.divergence(), None, "from record {sequence} on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_while_the_audit_key_is_written_it_starts_again() {
    for place in tradewind_node::FAILPOINTS.iter().filter(|place| place.starts_with("node.file")) {
        let mut trial = Trial::new().await;
        trial.kill(place, 1).await; // the key is the first such file of a new directory
        assert!(tradewind_node::audit(trial.stage.dir.path(), None, None).unwrap().verified, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_while_a_kill_switch_is_written_the_ones_before_it_stay() {
    let latch = |scope: &str| {
        let (scope, reason) = (scope.to_owned(), "outage".to_owned());
        OperatorRequest::Govern(GovernRequest::Latch { scope, reason })
    };
    for place in tradewind_node::FAILPOINTS.iter().filter(|place| place.starts_with("node.file")) {
        let stage = Stage::new(exchange_config()).await;
        let node = start(&stage).await.unwrap();
        ask(&node, latch("venue:binance")).await.unwrap();
        node.stop().await.unwrap(); // key and public key lie there by now
        let arm = format!("TRADEWIND_FAILPOINT={place}:1");
        let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), &arm);
        node.ready().await;
        assert!(node.ask(latch("account:0")).await.is_err(), "{place}: nobody was told that it holds");
        assert_eq!(node.killed_by().await.0, Some(9), "{place}");
        let text = std::fs::read_to_string(stage.dir.path().join("LATCHED")).unwrap();
        assert!(text.contains("venue:binance") && serde_json::from_str::<Value>(&text).is_ok(), "{place}: {text}");
        let node = start(&stage).await.unwrap();
        assert_eq!(status(&node).await["halted"], Value::Null, "{place}: no file is unreadable");
        assert_eq!(ask(&node, OperatorRequest::OrderPlace(far())).await.unwrap_err().0, "GATE-01", "{place}");
        node.stop().await.unwrap();
        check_journal(stage.dir.path());
    }
}

/// `fixtures/LATCHED` is in the form of the first program that wrote such a file, and stays as it is.
#[tokio::test]
async fn a_latched_file_of_an_earlier_version_still_stops_what_it_names() {
    let stage = Stage::new(exchange_config()).await;
    std::fs::write(stage.dir.path().join("LATCHED"), include_str!("../fixtures/LATCHED")).unwrap();
    let node = start(&stage).await.unwrap();
    let seen = status(&node).await;
    assert_eq!(seen["halted"], Value::Null, "the file is readable");
    let named = |it: &Value| ["covers", "by", "why"].map(|name| it[name].as_str().unwrap_or("-").to_owned());
    let mut holds: Vec<_> = seen["holds"].as_array().unwrap().iter().map(named).collect();
    holds.sort();
    let want = [["account:0", "operator", "to be looked at"], ["venue:binance", "operator", "an outage of hours"]];
    assert_eq!(holds, want.map(|it| it.map(str::to_owned)));
    assert_eq!(ask(&node, OperatorRequest::OrderPlace(far())).await.unwrap_err().0, "GATE-01");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}
