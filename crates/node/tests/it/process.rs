//! Processes that panic, hang, starve, are stopped, run twice; snapshots and journals of other versions.

use crate::child::{NodeProcess, quick};
use crate::failpoints::Trial;
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, words};
use crate::time::place_in_time;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use tradewind_domain::{ClientOrderId, Coded, Origin, Side};
use tradewind_journal::{Journal, Options};
use tradewind_node::settings::Settings;
use tradewind_node::{DataDir, Node, NodeError, OperatorReply, OperatorRequest, OrderWords, recover};

/// The decision logic of a program that comes after this one.
const LATER_LOGIC: u32 = tradewind_engine::LOGIC_VERSION + 1;

fn far() -> OrderWords {
    words(Side::Buy, "0.001", Some("30000"))
}

fn settings(stage: &Stage) -> Settings {
    quick(&stage.exchange.url(), stage.dir.path(), &[])
}

async fn start(stage: &Stage) -> Result<Node, NodeError> {
    Node::start(settings(stage), surroundings(Origin::Simulated)).await
}

/// A process in which something else than a kill happens at a place, once trading has begun; it must abort, say why, and
/// what it leaves must recover.
async fn check_abort(place: &str, what: &str, says: &str, after: Duration) {
    let mut trial = Trial::new().await;
    let arm = format!("TRADEWIND_FAILPOINT={place}:{what}");
    let mut node = NodeProcess::spawn(&trial.stage.exchange.url(), trial.stage.dir.path(), &arm);
    node.ready().await;
    while let Ok(OperatorReply::Done { data }) = node.ask(OperatorRequest::OrderPlace(far())).await {
        trial.told(&data);
    }
    let hung = Instant::now();
    let (signal, words) = node.killed_by().await;
    assert_eq!(signal, Some(6), "it aborts: {words}");
    assert!(words.contains(says), "{words}");
    assert!(hung.elapsed() >= after, "{:?}", hung.elapsed());
    trial.recover(&format!("{place} {what}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_a_panic_in_the_engine_aborts_the_process_and_the_next_start_recovers() {
    let says = "the engine panicked: the process aborts";
    check_abort("host.event.applied", "60:panic", says, Duration::ZERO).await;
    check_abort("host.send.permitted", "3:panic", says, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_a_panic_in_the_driver_aborts_the_process_and_the_next_start_recovers() {
    check_abort("node.driver.answered", "3:panic", "the driver panicked: the process aborts", Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g16_a_stalled_engine_is_aborted_after_ten_seconds_and_the_next_start_recovers() {
    // whoever asks gives up after ten seconds, about when the watchdog does
    check_abort("host.event.applied", "60:stall", "has not gone on for 10 s", Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g07_a_sync_of_twelve_seconds_is_waited_for_and_then_only_what_reduces_is_allowed() {
    let stage = Stage::new(exchange_config()).await;
    let arm = "TRADEWIND_FAILPOINT=journal.group.written:40:sleep-12000";
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), arm);
    node.ready().await;
    let started = Instant::now();
    while node.ask(OperatorRequest::OrderPlace(far())).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(60), "the slow sync never comes");
    }
    // no answer was no failure: the order may be live, and nobody said that it is not
    let seen = node.until("the disk answers again", |it| it["restricted"].is_string()).await;
    assert!(seen["restricted"].as_str().unwrap().starts_with("the disk took 1"), "{seen:#}");
    assert!(seen["notices"].to_string().contains("only what reduces is allowed until somebody resumes"), "{seen:#}");
    match node.ask(OperatorRequest::OrderPlace(far())).await.unwrap() {
        OperatorReply::Failed { message, .. } => assert!(message.starts_with("Restricted"), "{message}"),
        OperatorReply::Done { data } => panic!("{data}"),
    }
    node.until("what would add is cancelled", |it| it["open_orders"] == 0 && it["unknown_orders"] == 0).await;
    node.done(OperatorRequest::Resume { reason: "the disk is well".to_owned() }).await;
    place_in_time(&node, "the disk is well").await;
    let orders = node.done(OperatorRequest::OrderList).await;
    for order in stage.venue_orders().await {
        let known = orders.as_array().unwrap().iter().any(|it| it["client_id"] == order["clientOrderId"]);
        assert!(known, "{order}");
    }
    node.kill();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g08_a_second_node_on_one_data_directory_is_refused_and_the_first_trades_on() {
    let stage = Stage::new(exchange_config()).await;
    let first = start(&stage).await.unwrap();
    let error = start(&stage).await.err().unwrap();
    assert_eq!(error.code(), "JRN-01", "{error}");
    ask(&first, OperatorRequest::OrderPlace(far())).await.unwrap();
    let incarnation = |node: &Node| node.recovered().sequence;
    let began = incarnation(&first);
    first.stop().await.unwrap();
    let second = start(&stage).await.unwrap();
    assert!(incarnation(&second) > began);
    second.stop().await.unwrap();
    let epochs: Vec<_> = tradewind_node::events(stage.dir.path())
        .unwrap()
        .filter_map(|event| match event.kind {
            tradewind_engine::EventKind::Started { incarnation, .. } => Some(incarnation),
            _ => None,
        })
        .collect();
    assert!(epochs.len() == 2 && epochs[0] != epochs[1], "each start has an epoch of its own: {epochs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_second_node_with_the_same_key_is_refused_wherever_its_data_are() {
    let stage = Stage::new(exchange_config()).await;
    let first = start(&stage).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = || quick(&stage.exchange.url(), elsewhere.path(), &[]);
    let error = Node::start(other(), surroundings(Origin::Simulated)).await.err().unwrap();
    assert_eq!(error.code(), "NODE-37", "{error}");
    first.stop().await.unwrap();
    Node::start(other(), surroundings(Origin::Simulated)).await.unwrap().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g12_without_file_handles_it_goes_on_and_recovers_when_there_are_some() {
    let stage = Stage::new(exchange_config()).await;
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "ulimit -n 48;");
    node.ready().await;
    let socket = tradewind_node::socket_path(stage.dir.path());
    let mut mine = UnixStream::connect(&socket).unwrap();
    say(&mut mine, &OperatorRequest::Status); // taken in while there are handles
    let crowd: Vec<UnixStream> = (0..120).map_while(|_| UnixStream::connect(&socket).ok()).collect();
    let begun = Instant::now();
    let handles = || std::fs::read_dir(format!("/proc/{}/fd", node.process.id())).unwrap().count();
    while handles() < 48 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{} handles are used of 48", handles());
        std::thread::sleep(Duration::from_millis(10));
    }
    // many segments long: some orders may find no room, but whoever is there is served, and cancels go through
    let (mut placed, mut refused) = (Vec::new(), 0);
    for _ in 0..30 {
        match say(&mut mine, &OperatorRequest::OrderPlace(far())) {
            OperatorReply::Done { data } => placed.push(data["client_id"].as_str().unwrap().to_owned()),
            OperatorReply::Failed { code, .. } => {
                assert!(code.starts_with("JRN-") || code == "NODE-14", "{code}");
                refused += 1;
            }
        }
    }
    assert!(!placed.is_empty());
    let client_id = ClientOrderId::parse(&placed[0]).unwrap();
    assert!(matches!(say(&mut mine, &OperatorRequest::OrderCancel { client_id }), OperatorReply::Done { .. }));
    drop(crowd);
    let seen = node.until("it listens again", |it| it["open_orders"].as_u64() < Some(placed.len() as u64)).await;
    assert_eq!(seen["halted"], serde_json::Value::Null);
    let again = tokio::time::timeout(Duration::from_secs(20), async {
        while !matches!(node.ask(OperatorRequest::OrderPlace(far())).await, Ok(OperatorReply::Done { .. })) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    again.await.expect("orders are taken again");
    eprintln!("{} orders placed without a handle to spare, {refused} refused", placed.len());
    node.kill();
    check_journal(stage.dir.path());
}

fn say(stream: &mut UnixStream, request: &OperatorRequest) -> OperatorReply {
    stream.write_all(format!("{}\n", serde_json::to_string(request).unwrap()).as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

/// The hash of what a journal folds to, and how many records were folded after a snapshot.
fn folded(dir: &Path) -> (String, u64) {
    let (_journal, recovered) = recover(dir, Options::default()).unwrap();
    (recovered.state.hash(), recovered.folded)
}

/// A small day that leaves a snapshot at its end.
async fn traded(stage: &Stage) {
    let node = start(stage).await.unwrap();
    for _ in 0..3 {
        ask(&node, OperatorRequest::OrderPlace(far())).await.unwrap();
    }
    node.stop().await.unwrap();
}

fn snapshots(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(DataDir::new(dir).journal()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "snap")).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g09_a_snapshot_that_is_missing_older_or_of_another_version_changes_nothing_but_the_time() {
    let stage = Stage::new(exchange_config()).await;
    traded(&stage).await;
    traded(&stage).await;
    let dir = stage.dir.path();
    let (hash, after_newest) = folded(dir);
    let found = snapshots(dir);
    assert_eq!((found.len(), after_newest), (2, 0));
    std::fs::remove_file(&found[1]).unwrap();
    let (from_older, after_older) = folded(dir);
    assert_eq!((&from_older, after_older > 0), (&hash, true), "older");
    std::fs::remove_file(&found[0]).unwrap();
    let (from_none, all) = folded(dir);
    assert_eq!((&from_none, all > after_older), (&hash, true), "missing");
    let (mut journal, _) = Journal::open(DataDir::new(dir).journal(), Options::default()).unwrap();
    let last = journal.synced_seq();
    journal.write_snapshot(last, br#"{"a state":"of a version that never was"}"#).unwrap();
    drop(journal);
    assert_eq!(folded(dir), (hash, all), "another version");
    let node = start(&stage).await.unwrap();
    assert_eq!(status(&node).await["halted"], serde_json::Value::Null);
    node.stop().await.unwrap();
    check_journal(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g09_an_unreadable_snapshot_is_refused_only_where_no_older_one_stands_for_the_log_that_is_gone() {
    let stage = Stage::new(exchange_config()).await;
    for _ in 0..13 {
        traded(&stage).await; // more than one segment before the last stop
    }
    let dir = stage.dir.path();
    let (hash, _) = folded(dir);
    let (mut journal, _) = Journal::open(DataDir::new(dir).journal(), Options::default()).unwrap();
    let last = journal.synced_seq();
    journal.write_snapshot(last, br#"{"a state":"of a version that never was"}"#).unwrap();
    assert!(journal.retain_from_snapshot().unwrap().oldest_seq > 1);
    drop(journal);
    let (from_older, after_older) = folded(dir);
    assert_eq!((from_older, after_older > 0), (hash, true), "from the stop before the last one");
    std::fs::remove_file(&snapshots(dir)[0]).unwrap();
    assert_eq!(snapshots(dir).len(), 1);
    let error = start(&stage).await.err().unwrap();
    assert_eq!(error.code(), "JRN-14", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g10_what_an_earlier_logic_made_of_the_records_is_made_anew() {
    let stage = Stage::new(exchange_config()).await;
    traded(&stage).await;
    let dir = stage.dir.path();
    let (mut journal, recovered) = recover(dir, Options::default()).unwrap();
    // the same records, folded otherwise
    let mut earlier = serde_json::to_value(&recovered.state).unwrap();
    earlier["logic"] = (tradewind_engine::LOGIC_VERSION - 1).into();
    earlier["counters"]["contradictions"] = 7.into();
    let last = journal.synced_seq();
    journal.write_snapshot(last, earlier.to_string().as_bytes()).unwrap();
    drop(journal);
    assert_eq!(folded(dir), (recovered.state.hash(), last), "all of them, and not from that snapshot");
    let node = start(&stage).await.unwrap();
    assert_eq!(status(&node).await["counters"]["contradictions"], 0);
    node.stop().await.unwrap();
    check_journal(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g10_a_journal_of_a_later_logic_is_refused_with_and_without_its_snapshot() {
    let stage = Stage::new(exchange_config()).await;
    traded(&stage).await;
    let dir = stage.dir.path();
    let sound = folded(dir);
    // as a later program leaves it: its own snapshot, then its start, then one more record
    let (mut journal, recovered) = recover(dir, Options::default()).unwrap();
    let mut later = serde_json::to_value(&recovered.state).unwrap();
    later["logic"] = LATER_LOGIC.into();
    let last = journal.synced_seq();
    journal.write_snapshot(last, later.to_string().as_bytes()).unwrap();
    drop(journal);
    let error = start(&stage).await.err().unwrap();
    assert_eq!(error.code(), "NODE-38", "{error}");
    std::fs::remove_file(snapshots(dir).pop().unwrap()).unwrap();
    assert_eq!(folded(dir).0, sound.0, "its snapshot was all that was later");
    let mode = tradewind_gate::Mode::Paper;
    let incarnation = tradewind_domain::Incarnation(7);
    let kind = tradewind_engine::EventKind::Started { incarnation, mode, logic: LATER_LOGIC };
    let at = recovered.state.now;
    let event = tradewind_engine::Event::new(last + 1, at, tradewind_domain::Source::Host, kind);
    let (mut journal, _) = Journal::open(DataDir::new(dir).journal(), Options::default()).unwrap();
    journal.append(&tradewind_engine::encode(&event, &recovered.state)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let error = start(&stage).await.err().unwrap();
    assert_eq!(error.code(), "NODE-38", "{error}");
}
