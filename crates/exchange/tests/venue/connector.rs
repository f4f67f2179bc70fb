//! The connector at a local exchange whose feeds freeze, tear or flood. The names of the tests begin with the numbers
//! of the page `docs/reliability.md`.

use crate::common::{Venue, alice, config};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tradewind_domain::{FeeSchedule, Instrument, InstrumentId};
use tradewind_exchange::{ExchangeConfig, Limits, Pace};
use tradewind_venues::binance::{BinanceConfig, Connection, Subscriptions, listings};
use tradewind_venues::{BookChange, Stream, VenueEvent};

const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];

impl Venue {
    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.handle.url());
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 200, "{path} {body}");
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    async fn faults(&self, list: Value) {
        self.post("/tradewind/v1/faults", list).await;
    }

    async fn connect(&self, change: impl FnOnce(&mut BinanceConfig)) -> (Connection, Receiver<VenueEvent>) {
        let mut config = BinanceConfig::local(self.handle.address().port());
        config.subscriptions = Subscriptions { quotes: true, books: true, ..Subscriptions::default() };
        change(&mut config);
        let listed = listings(&config, &SYMBOLS, FeeSchedule::default()).await.unwrap();
        let instruments: Vec<Instrument> =
            (0..).zip(listed).map(|(id, listing)| listing.unwrap().spec.list(InstrumentId(id)).unwrap()).collect();
        Connection::connect(config, instruments).await.unwrap()
    }
}

async fn next(events: &mut Receiver<VenueEvent>) -> VenueEvent {
    timeout(Duration::from_secs(20), events.recv()).await.expect("something in 20 s").expect("the connection lives")
}

async fn until<T>(events: &mut Receiver<VenueEvent>, mut want: impl FnMut(&VenueEvent) -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < end, "not in 20 s");
        if let Some(found) = want(&next(events).await) {
            return found;
        }
    }
}

/// Reads whatever comes for so long.
async fn listen(events: &mut Receiver<VenueEvent>, time: Duration) {
    let end = Instant::now() + time;
    while let Ok(Some(_)) = timeout(end.saturating_duration_since(Instant::now()), events.recv()).await {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c07_a_feed_that_is_frozen_while_its_connection_lives_is_stale_within_two_seconds() {
    let venue = Venue::start(config()).await;
    let (_connection, mut events) = venue.connect(|_| ()).await;
    listen(&mut events, Duration::from_millis(2_500)).await; // its rhythm is known
    venue.faults(json!([{"path": "market/", "method": "FRAME", "kind": "nothing"}])).await;
    listen(&mut events, Duration::from_millis(300)).await;
    let (last, mut lost, mut told) = (Instant::now() - Duration::from_millis(300), 0, 0);
    until(&mut events, |event| {
        match event {
            VenueEvent::Fault { code: "VEN-24", message, .. } => {
                assert!(message.contains("is frozen"), "{message}");
                told += 1;
            }
            VenueEvent::Book { change: BookChange::Lost { .. }, .. } => lost += 1,
            VenueEvent::Down { why, .. } => panic!("the connection lives: {why}"),
            VenueEvent::Quote { .. } | VenueEvent::Book { .. } => panic!("the feed is frozen"),
            _ => (),
        }
        (told == 3 && lost == 3).then_some(())
    })
    .await;
    // the last message came at the freeze, or up to 100 ms before it
    assert!(last.elapsed() <= Duration::from_millis(2_200), "{:?}", last.elapsed());
    venue.faults(json!([])).await;
    let mut fresh = BTreeMap::new();
    until(&mut events, |event| {
        if let VenueEvent::Book { change: BookChange::Snapshot(levels), .. } = event {
            fresh.insert(levels.instrument, levels.update_id);
        }
        (fresh.len() == 3).then_some(())
    })
    .await;
    venue.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c07_a_feed_that_stays_frozen_is_asked_for_on_another_connection() {
    let venue = Venue::start(config()).await;
    let change =
        |c: &mut BinanceConfig| (c.probe_after, c.dead_after) = (Duration::from_secs(1), Duration::from_secs(3));
    let (_connection, mut events) = venue.connect(change).await;
    listen(&mut events, Duration::from_millis(2_500)).await;
    venue.faults(json!([{"path": "market/", "method": "FRAME", "kind": "nothing"}])).await;
    let why = until(&mut events, |event| match event {
        VenueEvent::Down { stream: Stream::Market, why, .. } => Some(why.clone()),
        _ => None,
    })
    .await;
    assert!(why.contains("frozen"), "answers to probes do not count: {why}");
    venue.faults(json!([])).await;
    until(&mut events, |event| matches!(event, VenueEvent::Quote { .. }).then_some(())).await;
    venue.handle.shutdown().await;
}

/// How long each book was out of step after a lost message; prints the largest, and their 99th percentile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_a_book_is_in_step_again_within_a_second_of_its_loss() {
    let limits = Limits { weight_per_minute: 1_000_000, ..Limits::default() };
    let venue = Venue::start(ExchangeConfig { limits, ..config() }).await;
    let (_connection, mut events) = venue.connect(|_| ()).await;
    let mut synced = 0;
    until(&mut events, |event| {
        synced += usize::from(matches!(event, VenueEvent::Book { change: BookChange::Snapshot(_), .. }));
        (synced == 3).then_some(())
    })
    .await;
    let (mut took, mut since) = (Vec::new(), BTreeMap::new());
    while took.len() < 50 {
        venue.faults(json!([{"path": "market/depthUpdate", "method": "FRAME", "kind": "nothing", "times": 3}])).await;
        let before = took.len();
        until(&mut events, |event| {
            match event {
                VenueEvent::Book { change: BookChange::Lost { instrument }, .. } => {
                    since.insert(*instrument, Instant::now());
                }
                VenueEvent::Book { change: BookChange::Snapshot(levels), .. } => {
                    let lost: Instant = since.remove(&levels.instrument).expect("it was lost");
                    took.push(lost.elapsed());
                }
                VenueEvent::Book { change: BookChange::Diff(levels), .. } => {
                    assert!(!since.contains_key(&levels.instrument), "no change between a loss and the snapshot");
                }
                _ => (),
            }
            (took.len() > before && since.is_empty()).then_some(())
        })
        .await;
    }
    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    eprintln!("resync of a book: {} losses, p50 {:?}, p99 {p99:?}", took.len(), took[took.len() / 2]);
    assert!(took.len() >= 50 && p99 <= Duration::from_secs(1), "{took:?}");
    venue.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c08_an_exchange_that_restarts_and_counts_anew_is_followed() {
    let venue = Venue::start(config()).await;
    let (_connection, mut events) = venue.connect(|_| ()).await;
    let mut before = BTreeMap::new();
    let began = Instant::now();
    until(&mut events, |event| {
        if let VenueEvent::Book { change: BookChange::Snapshot(levels) | BookChange::Diff(levels), .. } = event {
            before.insert(levels.instrument, levels.update_id);
        }
        (before.len() == 3 && began.elapsed() > Duration::from_secs(3)).then_some(())
    })
    .await;
    venue.post("/tradewind/v1/disaster", json!({"what": "restart", "forget": false})).await;
    let (mut lost, mut after) = (0, BTreeMap::new());
    until(&mut events, |event| {
        match event {
            VenueEvent::Book { change: BookChange::Lost { .. }, .. } => lost += 1,
            VenueEvent::Book { change: BookChange::Snapshot(levels), .. } => {
                after.insert(levels.instrument, levels.update_id);
            }
            _ => (),
        }
        (after.len() == 3).then_some(())
    })
    .await;
    assert_eq!(lost, 3, "what was known counts no more");
    assert!(after.iter().all(|(id, update)| *update < before[id]), "{after:?} after {before:?}");
    venue.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_in_a_burst_market_data_are_conflated_and_no_report_is_lost() {
    const ROOM: usize = 256;
    let limits = Limits { orders_per_10s: 1_000, weight_per_minute: 1_000_000, ..Limits::default() };
    let venue = Venue::start(ExchangeConfig { pace: Pace::Realtime { speed: 100.0 }, limits, ..config() }).await;
    let change = |c: &mut BinanceConfig| {
        (c.signer, c.event_room) = (Some(alice()), ROOM);
        c.subscriptions.trades = true;
    };
    let (_connection, mut events) = venue.connect(change).await;
    until(&mut events, |event| matches!(event, VenueEvent::Up { stream: Stream::User, .. }).then_some(())).await;
    // for a while nobody reads; meanwhile orders are placed and cancelled by another hand
    let price = format!("{:.2}", venue.best("bidPrice").await * 0.5);
    for _ in 0..40 {
        let order = [
            ("symbol", "BTCUSDT"),
            ("side", "BUY"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", "0.001"),
            ("price", price.as_str()),
        ];
        let placed = venue.alice("POST", "/api/v3/order", &order).await;
        assert_eq!(placed.status, 200, "{}", placed.text);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(events.len() <= ROOM, "memory is bounded: {}", events.len());
    let (mut reports, mut skipped, mut quotes) = (0, 0, 0);
    until(&mut events, |event| {
        match event {
            VenueEvent::Report { .. } => reports += 1,
            VenueEvent::Skipped { count } => skipped += count,
            VenueEvent::Quote { .. } => quotes += 1,
            VenueEvent::Down { why, .. } => panic!("{why}"),
            _ => (),
        }
        (reports == 40 && skipped > 0 && quotes > 3).then_some(())
    })
    .await;
    venue.handle.shutdown().await;
}
