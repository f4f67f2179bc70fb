//! Faults of market data.

use crate::support::{Fake, Reply, bitcoin, until};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tradewind_domain::{InstrumentId, Interval, Price, Quantity};
use tradewind_venues::binance::rules::{BookSync, DepthDiff, Sync};
use tradewind_venues::binance::{Connection, Subscriptions};
use tradewind_venues::{BookChange, BookLevels, Stream, VenueEvent};

fn frame(stream: &str, data: &Value) -> String {
    json!({ "stream": format!("btcusdt@{stream}"), "data": data }).to_string()
}

fn depth(first: u64, last: u64, price: &str) -> String {
    let data = json!({ "e": "depthUpdate", "E": 1_700_000_000_000_i64, "s": "BTCUSDT", "U": first, "u": last,
                       "b": [[price, "1"]], "a": [] });
    frame("depth@100ms", &data)
}

fn snapshot(update: u64) -> Reply {
    let body = json!({ "lastUpdateId": update, "bids": [["50000.00", "1"]], "asks": [["50001.00", "1"]] });
    Reply::Http(200, "", body.to_string())
}

fn ticker(update: u64, bid: &str, ask: &str) -> String {
    frame("bookTicker", &json!({ "u": update, "s": "BTCUSDT", "b": bid, "B": "1", "a": ask, "A": "1" }))
}

/// A venue that sends these frames once it is subscribed to, and these snapshots one after the other.
async fn venue(frames: Vec<String>, snapshots: Vec<Reply>) -> Fake {
    let asked = AtomicUsize::new(0);
    Fake::start(0, move |what, frame| match what {
        "/api/v3/depth" => snapshots[asked.fetch_add(1, Ordering::SeqCst).min(snapshots.len() - 1)].clone(),
        "LIST_SUBSCRIPTIONS" if frame["id"] != 0 => {
            let taken = ["bookTicker", "trade", "depth@100ms", "kline_1m"].map(|it| format!("btcusdt@{it}"));
            let mut all = vec![json!({ "result": taken, "id": frame["id"] }).to_string()];
            all.extend(frames.iter().cloned());
            if frames[0].contains("depthUpdate") { Reply::AroundSnapshot(all) } else { Reply::Frames(all) }
        }
        "SUBSCRIBE" => Reply::Frames(vec![json!({ "result": null, "id": frame["id"] }).to_string()]),
        _ => Reply::Silence,
    })
    .await
}

async fn listen(fake: &Fake, wanted: Subscriptions) -> (Connection, Receiver<VenueEvent>) {
    fake.connect(|c| (c.signer, c.subscriptions) = (None, wanted)).await
}

fn books() -> Subscriptions {
    Subscriptions { books: true, ..Subscriptions::default() }
}

fn quotes() -> Subscriptions {
    Subscriptions { quotes: true, ..Subscriptions::default() }
}

/// What the connection says, until the last of the wanted words; quotes and steps of a book by their numbers.
async fn story(events: &mut Receiver<VenueEvent>, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    until(events, |event| {
        told.extend(match event {
            VenueEvent::Book { change: BookChange::Snapshot(levels), .. } => {
                Some(format!("snapshot {}", levels.update_id))
            }
            VenueEvent::Book { change: BookChange::Diff(levels), .. } => Some(format!("diff {}", levels.update_id)),
            VenueEvent::Book { change: BookChange::Lost { .. }, .. } => Some("lost".to_owned()),
            VenueEvent::Quote { quote, .. } => Some(format!("bid {}", bitcoin().price_text(quote.bid))),
            VenueEvent::Trade { trade, .. } => Some(format!("trade {}", bitcoin().price_text(trade.price))),
            VenueEvent::Fault { code, .. } => Some(code.to_owned()),
            VenueEvent::Down { stream: Stream::Market, .. } => Some("down".to_owned()),
            _ => None,
        });
        (told.last().is_some_and(|it| it == last)).then_some(())
    })
    .await;
    told
}

#[tokio::test]
async fn c01_a_gap_makes_the_book_invalid_at_once() {
    let frames = vec![depth(11, 12, "49999.00"), depth(13, 13, "49999.00"), depth(15, 15, "49998.00")];
    let fake = venue(frames, vec![snapshot(11), snapshot(15)]).await;
    let (_connection, mut events) = listen(&fake, books()).await;
    let told = story(&mut events, "snapshot 15").await;
    // nothing lies between the frame that showed the gap and the loss, and no change after it before the next snapshot
    assert_eq!(told, ["snapshot 11", "diff 12", "diff 13", "lost", "snapshot 15"]);
}

/// The obvious book.
type Side = BTreeMap<Price, Quantity>;

fn levels(update_id: u64, bids: &[(i64, i64)]) -> BookLevels {
    let bids = bids.iter().map(|(p, q)| (Price::from_mantissa(*p), Quantity::from_mantissa(*q))).collect();
    BookLevels { instrument: InstrumentId(0), update_id, bids, asks: Vec::new() }
}

fn apply(side: &mut Side, changed: &BookLevels) {
    for (price, quantity) in &changed.bids {
        if quantity.is_zero() {
            side.remove(price)
        } else {
            side.insert(*price, *quantity)
        };
    }
}

proptest! {
    /// Whatever is dropped, repeated or restarted: while a book counts, it is the venue's book.
    #[test]
    fn c01_c02_c03_while_a_book_counts_it_is_the_venues(
        changes in proptest::collection::vec((1_i64..6, 0_i64..4, 0_u8..8), 1..120),
        snapshot_lags in 0_usize..30,
    ) {
        let (mut truth, mut ours, mut counts) = (vec![Side::new()], Side::new(), false);
        let (mut sync, mut waiting) = (BookSync::default(), None);
        for (at, (price, quantity, fate)) in (1_u64..).zip(&changes) {
            let changed = levels(at, &[(*price, *quantity)]);
            let mut side = truth.last().unwrap().clone();
            apply(&mut side, &changed);
            truth.push(side);
            let mut steps = Vec::new();
            if *fate > 0 {
                steps.push(sync.on_diff(DepthDiff { first: at, levels: changed.clone() }));
            }
            if *fate == 7 {
                let past = at / 2 + 1;
                let (price, quantity, _) = changes[usize::try_from(past).unwrap() - 1];
                let old = levels(past, &[(price, quantity)]);
                steps.push(sync.on_diff(DepthDiff { first: old.update_id, levels: old }));
                steps.push(sync.on_diff(DepthDiff { first: at, levels: changed }));
            }
            while !steps.is_empty() {
                let step = steps.remove(0);
                match step {
                    Sync::Wait => (),
                    Sync::Fetch => waiting = Some(snapshot_lags),
                    Sync::Lost { .. } => (counts, waiting) = (false, Some(snapshot_lags)),
                    Sync::Emit(changes) => for change in &changes {
                        match change {
                            BookChange::Snapshot(all) => {
                                ours.clear();
                                apply(&mut ours, all);
                                counts = true;
                            }
                            BookChange::Diff(some) => apply(&mut ours, some),
                            BookChange::Lost { .. } => counts = false,
                        }
                        if let BookChange::Snapshot(it) | BookChange::Diff(it) = change {
                            prop_assert_eq!(&ours, &truth[usize::try_from(it.update_id).unwrap()]);
                        }
                    },
                }
                match waiting {
                    Some(0) => {
                        waiting = None;
                        // made a little earlier than it comes
                        let made = (truth.len() - 1).saturating_sub(snapshot_lags);
                        let rows: Vec<_> = truth[made].iter().map(|(p, q)| (p.mantissa(), q.mantissa())).collect();
                        steps.push(sync.on_snapshot(levels(made as u64, &rows)));
                    }
                    Some(left) => waiting = Some(left - 1),
                    None => (),
                }
            }
            prop_assert!(!counts || ours == *truth.last().unwrap() || *fate == 0, "a book that counts is not behind");
        }
    }
}

#[tokio::test]
async fn c02_what_was_told_before_is_ignored() {
    let trade = |id: u64, price: &str| {
        let data = json!({ "e": "trade", "E": 1_700_000_000_000_i64, "s": "BTCUSDT", "t": id, "p": price, "q": "1",
                           "T": 1_700_000_000_000_i64, "m": true, "M": true });
        frame("trade", &data)
    };
    let frames = vec![
        depth(11, 12, "49999.00"),
        depth(11, 12, "49999.00"),
        ticker(7, "50000.00", "50001.00"),
        ticker(7, "50000.00", "50001.00"),
        ticker(6, "49000.00", "49001.00"),
        trade(1, "50000.00"),
        trade(1, "50000.00"),
        ticker(8, "50002.00", "50003.00"),
        trade(2, "50001.00"),
    ];
    let fake = venue(frames, vec![snapshot(10)]).await;
    let all = Subscriptions { quotes: true, trades: true, books: true, bars: Vec::new() };
    let (_connection, mut events) = listen(&fake, all).await;
    let mut told = story(&mut events, "trade 50001").await;
    told.retain(|it| !it.starts_with("snapshot") && !it.starts_with("diff"));
    assert_eq!(told, ["bid 50000", "trade 50000", "bid 50002", "trade 50001"]);
}

#[tokio::test]
async fn c03_a_snapshot_older_than_the_first_change_is_fetched_again() {
    let fake = venue(vec![depth(20, 21, "49999.00")], vec![snapshot(3), snapshot(18), snapshot(20)]).await;
    let (_connection, mut events) = listen(&fake, books()).await;
    assert_eq!(story(&mut events, "diff 21").await, ["snapshot 20", "diff 21"]);
    assert_eq!(fake.asked_for("/api/v3/depth").len(), 3);
}

#[tokio::test]
async fn c03_a_venue_whose_snapshots_stay_old_is_not_flooded() {
    let fake = venue(vec![depth(20, 21, "49999.00")], vec![snapshot(3)]).await;
    let (_connection, _events) = listen(&fake, books()).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let asked = fake.asked_for("/api/v3/depth").len();
    assert!((3..=7).contains(&asked), "{asked} snapshots in 1.2 s: the waits double");
}

/// One message that cannot be believed, between two that can; `codes` are what is said about it.
async fn check_left_out(data: &str, codes: &[&str]) {
    let frames = vec![ticker(1, "50000.00", "50001.00"), data.to_owned(), ticker(9, "50005.00", "50006.00")];
    let fake = venue(frames, vec![snapshot(1)]).await;
    let (_connection, mut events) = listen(&fake, quotes()).await;
    let told = [&["bid 50000"], codes, &["bid 50005"]].concat();
    assert_eq!(story(&mut events, "bid 50005").await, told, "{data}");
}

#[tokio::test]
async fn c05_crossed_empty_zero_and_negative_prices_are_left_out() {
    let quote = |bid: &str, bid_size: &str, ask: &str, ask_size: &str| {
        frame("bookTicker", &json!({ "u": 5, "s": "BTCUSDT", "b": bid, "B": bid_size, "a": ask, "A": ask_size }))
    };
    check_left_out(&quote("50001.00", "1", "50000.00", "1"), &["VEN-34"]).await;
    check_left_out(&quote("50000.00", "1", "50000.00", "1"), &["VEN-34"]).await;
    check_left_out(&quote("0.00", "0", "50000.00", "1"), &[]).await; // nobody bids: no price, no fault
    check_left_out(&quote("0.00", "0", "0.00", "0"), &[]).await;
    check_left_out(&quote("-1.00", "1", "50000.00", "1"), &["VEN-34"]).await;
    check_left_out(&quote("50000.00", "0", "50001.00", "0"), &["VEN-34"]).await;
    check_left_out(&quote("50000.00", "-1", "50001.00", "1"), &["VEN-34"]).await;
    check_left_out(&quote("", "1", "50001.00", "1"), &["VEN-21"]).await;
    check_left_out(&quote("NaN", "1", "50001.00", "1"), &["VEN-21"]).await;
}

#[tokio::test]
async fn c05_a_book_of_impossible_levels_is_made_anew() {
    let crossed = json!({ "lastUpdateId": 20, "bids": [["50002.00", "1"]], "asks": [["50001.00", "1"]] });
    let snapshots = vec![Reply::Http(200, "", crossed.to_string()), snapshot(20)];
    let fake = venue(vec![depth(20, 21, "49999.00")], snapshots).await;
    let (_connection, mut events) = listen(&fake, books()).await;
    assert_eq!(story(&mut events, "diff 21").await, ["VEN-23", "snapshot 20", "diff 21"]);
    for price in ["0.00", "-5.00"] {
        let fake = venue(vec![depth(20, 21, "49999.00"), depth(22, 22, price)], vec![snapshot(20)]).await;
        let (_connection, mut events) = listen(&fake, books()).await;
        let told = story(&mut events, "down").await;
        assert_eq!(told, ["snapshot 20", "diff 21", "VEN-21", "lost", "down"], "{price}");
    }
}

#[tokio::test]
async fn c06_outliers_other_symbols_and_swapped_sides_are_left_out() {
    check_left_out(&ticker(5, "500000.00", "500010.00"), &["VEN-34"]).await;
    check_left_out(&ticker(5, "5000.00", "5000.10"), &["VEN-34"]).await;
    check_left_out(&ticker(5, "50001.00", "50000.00"), &["VEN-34"]).await;
    let other = json!({ "u": 5, "s": "ETHUSDT", "b": "3000.00", "B": "1", "a": "3001.00", "A": "1" });
    check_left_out(&frame("bookTicker", &other), &["VEN-20"]).await;
    let ours = json!({ "u": 5, "s": "BTCUSDT", "b": "50000.00", "B": "1", "a": "50001.00", "A": "1" });
    let wrong = json!({ "stream": "ethusdt@bookTicker", "data": ours }).to_string();
    check_left_out(&wrong, &["VEN-34"]).await;
}

#[tokio::test]
async fn c06_a_bar_ten_times_too_high_is_left_out() {
    let bar = |close: &str, closed: bool| {
        let kline = json!({ "t": 1_700_000_040_000_i64, "T": 1_700_000_099_999_i64, "s": "BTCUSDT", "i": "1m", "f": 1,
            "L": 2, "o": close, "c": close, "h": close, "l": close, "v": "1", "n": 1, "x": closed, "q": "1", "V": "1",
            "Q": "1", "B": "0" });
        frame("kline_1m", &json!({ "e": "kline", "E": 1_700_000_100_000_i64, "s": "BTCUSDT", "k": kline }))
    };
    let frames = vec![bar("50000.00", false), bar("500000.00", true), bar("50010.00", true)];
    let fake = venue(frames, vec![snapshot(1)]).await;
    let bars = Subscriptions { bars: vec![Interval::MINUTE], ..Subscriptions::default() };
    let (_connection, mut events) = listen(&fake, bars).await;
    let mut told = Vec::new();
    until(&mut events, |event| {
        match event {
            VenueEvent::Bar { bar, closed, .. } => told.push((bitcoin().price_text(bar.close), closed)),
            VenueEvent::Fault { code, .. } => told.push((code.to_owned(), false)),
            _ => (),
        }
        (told.len() == 3).then_some(())
    })
    .await;
    assert_eq!(told, [("50000".to_owned(), false), ("VEN-34".to_owned(), false), ("50010".to_owned(), true)]);
}

#[tokio::test]
async fn c08_a_venue_that_counts_anew_is_followed() {
    let mut frames = vec![depth(1_001, 1_002, "49999.00"), depth(1_003, 1_003, "49999.00")];
    frames.extend((1..=20).map(|update| depth(update, update, "49998.00")));
    let fake = venue(frames, vec![snapshot(1_001), snapshot(12)]).await;
    let (_connection, mut events) = listen(&fake, books()).await;
    let told = story(&mut events, "diff 20").await;
    assert_eq!(told[..4], ["snapshot 1001", "diff 1002", "diff 1003", "lost"]);
    assert_eq!((told[4].as_str(), told[5].as_str()), ("snapshot 12", "diff 13"), "the new numbers replace the old");
}

#[tokio::test]
async fn c08_quotes_that_are_counted_anew_begin_with_a_new_session() {
    let mut frames = vec![ticker(1_000, "50000.00", "50001.00")];
    frames.extend((1..=12).map(|update| ticker(update, "50000.00", "50001.00")));
    let fake = venue(frames, vec![snapshot(1)]).await;
    let (_connection, mut events) = listen(&fake, quotes()).await;
    assert_eq!(story(&mut events, "down").await, ["bid 50000", "down"]);
}

#[tokio::test]
async fn c09_a_stamp_in_another_unit_is_refused_and_not_guessed() {
    let trade = |at: i64| {
        let data = json!({ "e": "trade", "E": at, "s": "BTCUSDT", "t": 5, "p": "50000.00", "q": "1", "T": at,
                           "m": true, "M": true });
        frame("trade", &data)
    };
    for at in [1_700_000_000_000_000_i64, 1_700_000_000, 0, -1, i64::MAX, i64::MIN] {
        let fake = venue(vec![trade(at), ticker(9, "50005.00", "50006.00")], vec![snapshot(1)]).await;
        let wanted = Subscriptions { quotes: true, trades: true, ..Subscriptions::default() };
        let (_connection, mut events) = listen(&fake, wanted).await;
        assert_eq!(story(&mut events, "bid 50005").await, ["VEN-21", "bid 50005"], "{at}");
    }
}
