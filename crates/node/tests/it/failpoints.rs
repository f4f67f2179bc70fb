//! `kill -9` at every place where it could hurt: at each, the first and a later time that the process comes to it.
//!
//! The cycles of one test share one data directory and one account, so each starts on what all before it left.

use crate::child::{NodeProcess, quick};
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tradewind_domain::{ClientOrderId, Origin, Side};
use tradewind_node::{Node, OperatorReply, OperatorRequest};

/// Orders whose records are more than a segment holds, however quickly the day goes by.
const A_SEGMENT_FULL: usize = 20;

/// What survives from cycle to cycle.
pub(crate) struct Trial {
    pub(crate) stage: Stage,
    /// Orders that a person was told of.
    told: BTreeSet<String>,
    cycles: u32,
    slowest_start: Duration,
}

impl Trial {
    pub(crate) async fn new() -> Self {
        Self {
            stage: Stage::new(exchange_config()).await,
            told: BTreeSet::new(),
            cycles: 0,
            slowest_start: Duration::ZERO,
        }
    }

    /// Places what fills and what rests, cancels, and stops: a small day, cut short by the kill. `busy` orders more are
    /// placed and cancelled in it.
    async fn day(&mut self, node: &NodeProcess, busy: usize) -> Option<()> {
        let far = words(Side::Buy, "0.001", Some("30000"));
        for _ in 0..busy {
            let client_id = ClientOrderId::parse(&self.place(node, far.clone()).await?)?;
            node.ask(OperatorRequest::OrderCancel { client_id }).await.ok()?;
        }
        self.place(node, far.clone()).await?;
        let resting = self.place(node, far.clone()).await?;
        self.place(node, words(Side::Buy, "0.0005", None)).await?;
        let client_id = ClientOrderId::parse(&resting)?;
        node.ask(OperatorRequest::OrderCancel { client_id }).await.ok()?;
        self.place(node, far).await?;
        node.ask(OperatorRequest::Stop).await.ok().map(drop)
    }

    /// Places an order in the other process; its id, unless the process is gone.
    pub(crate) async fn place(&mut self, node: &NodeProcess, order: tradewind_node::OrderWords) -> Option<String> {
        loop {
            match node.ask(OperatorRequest::OrderPlace(order.clone())).await {
                Ok(OperatorReply::Done { data }) => {
                    let id = data["client_id"].as_str()?.to_owned();
                    self.told.insert(id.clone());
                    return Some(id);
                }
                // a busy machine's disk may be slow: the node takes only what reduces then, until a person says otherwise
                Ok(OperatorReply::Failed { code, message, .. }) if code == "GATE-13" && message.contains("disk") => {
                    node.ask(OperatorRequest::Resume { reason: "seen".to_owned() }).await.ok()?;
                }
                Ok(OperatorReply::Failed { code, message, .. }) => panic!("{code}: {message}"),
                Err(_) => return None,
            }
        }
    }

    /// One kill: a process that ends itself at `place` when it comes there for the `nth` time, and a start after it.
    pub(crate) async fn kill(&mut self, place: &str, nth: u32) {
        self.cycles += 1;
        let moment = format!("{place}, time {nth}");
        let arm = format!("TRADEWIND_FAILPOINT={place}:{nth}");
        let mut node = NodeProcess::spawn(&self.stage.exchange.url(), self.stage.dir.path(), &arm);
        if node.is_up().await {
            let busy = if place.starts_with("journal.rotate") { A_SEGMENT_FULL } else { 0 };
            let _cut_short = self.day(&node, busy).await;
        }
        let (signal, last_words) = node.killed_by().await;
        assert_eq!(signal, Some(9), "{moment}: the process never came to this place: {last_words}");
        self.recover(&moment).await;
    }

    /// A person was told of this order.
    pub(crate) fn told(&mut self, order: &Value) {
        self.told.insert(order["client_id"].as_str().unwrap().to_owned());
    }

    /// One line that `cargo xtask test` adds up.
    fn tell(&self) {
        println!("figure: kill cycles: {} survived", self.cycles);
        println!("figure: slowest start after a kill: {} ms", self.slowest_start.as_millis());
    }

    /// Starts on what is left, and checks all that must hold of it.
    pub(crate) async fn recover(&mut self, moment: &str) {
        let settings = quick(&self.stage.exchange.url(), self.stage.dir.path(), &[]);
        let started = Instant::now();
        let node = Node::start(settings, surroundings(Origin::Simulated)).await;
        let node = node.unwrap_or_else(|error| panic!("{moment}: {error}"));
        self.slowest_start = self.slowest_start.max(started.elapsed());
        until(&node, "every order is explained", |it| it["unknown_orders"] == 0).await;
        assert_eq!(status(&node).await["halted"], Value::Null, "{moment}: books and venue differ");
        let mut at_venue: Vec<String> = Vec::new();
        for order in self.stage.venue_orders().await {
            at_venue.push(order["clientOrderId"].as_str().unwrap().to_owned());
        }
        let distinct: BTreeSet<&String> = at_venue.iter().collect();
        assert_eq!(at_venue.len(), distinct.len(), "{moment}: an order was doubled");
        let known = ask(&node, OperatorRequest::OrderList).await.unwrap();
        let known: BTreeSet<&str> =
            known.as_array().unwrap().iter().filter_map(|it| it["client_id"].as_str()).collect();
        for id in self.told.iter().map(String::as_str).chain(at_venue.iter().map(String::as_str)) {
            assert!(known.contains(id), "{moment}: order {id} is lost");
        }
        node.stop().await.unwrap();
        check_journal(self.stage.dir.path());
    }
}

impl NodeProcess {
    /// Waits until it answers; false if it ends before.
    async fn is_up(&mut self) -> bool {
        loop {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if self.ask(OperatorRequest::Status).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    /// The signal that ended it, once it ended, and what it said last.
    pub(crate) async fn killed_by(&mut self) -> (Option<i32>, String) {
        use std::os::unix::process::ExitStatusExt;
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status.signal(), self.last_words());
            }
            assert!(Instant::now() < deadline, "it does not end");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
}

async fn check(places: &[&str], times: &[u32]) {
    let mut trial = Trial::new().await;
    for _ in 0..rounds() {
        for place in places {
            for nth in times {
                trial.kill(place, *nth).await;
            }
        }
    }
    trial.tell();
}

/// How often everything is gone through; a long run says more than once.
fn rounds() -> u32 {
    std::env::var("TRADEWIND_KILL_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number"))
}

fn of(all: &'static [&'static str], prefix: &str) -> Vec<&'static str> {
    all.iter().copied().filter(|place| place.starts_with(prefix)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_anywhere_in_a_write_of_the_journal_it_recovers() {
    check(&of(tradewind_journal::FAILPOINTS, "journal.group"), &[1, 2, 5, 9]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_anywhere_in_a_snapshot_it_recovers() {
    check(&of(tradewind_journal::FAILPOINTS, "journal.whole"), &[1]).await;
    check(&["host.snapshot.begun", "host.hash.recorded"], &[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_anywhere_in_a_change_of_segments_it_recovers() {
    check(&of(tradewind_journal::FAILPOINTS, "journal.rotate"), &[1, 1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_anywhere_in_its_recovery_it_recovers() {
    let mut trial = Trial::new().await;
    for _ in 0..rounds() {
        for place in of(tradewind_journal::FAILPOINTS, "journal.recover") {
            trial.kill("journal.group.half-written", 7).await; // a torn tail to mend
            trial.kill(place, 1).await;
        }
    }
    trial.tell();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_anywhere_between_approval_and_wire_it_recovers() {
    check(&of(tradewind_host::FAILPOINTS, "host.send"), &[1, 2, 3, 4]).await;
    check(&["host.event.applied"], &[1, 4, 9, 16, 25]).await;
    check(tradewind_venues::FAILPOINTS, &[1, 2, 3, 4]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_anywhere_around_start_stop_and_answers_it_recovers() {
    check(&of(tradewind_node::FAILPOINTS, "node.start"), &[1]).await;
    check(&of(tradewind_node::FAILPOINTS, "node.operator"), &[1, 3]).await;
    check(&of(tradewind_node::FAILPOINTS, "node.driver"), &[1, 2, 3]).await;
    check(&of(tradewind_node::FAILPOINTS, "node.stop"), &[1]).await;
}
