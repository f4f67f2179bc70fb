//! Books kept in step on recorded sessions, checked against the venue's own best prices.

use crate::support::{bitcoin, recordings, unzip};
use std::collections::BTreeMap;
use tradewind_domain::{Instrument, InstrumentId, InstrumentSpec, Price, Quantity};
use tradewind_venues::binance::convert::{book_levels, depth_diff, quote};
use tradewind_venues::binance::rules::{BookSync, DepthDiff, Sync};
use tradewind_venues::binance::wire::{BookTickerEvent, Combined, Depth, DepthEvent};
use tradewind_venues::{BookChange, BookLevels};

/// The obvious book.
#[derive(Default)]
struct Book {
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
    update_id: u64,
}

impl Book {
    fn apply(&mut self, change: &BookChange) {
        let levels = match change {
            BookChange::Snapshot(levels) => {
                *self = Self::default();
                levels
            }
            BookChange::Diff(levels) => levels,
            BookChange::Lost { .. } => panic!("nothing was lost here"),
        };
        for (side, levels) in [(&mut self.bids, &levels.bids), (&mut self.asks, &levels.asks)] {
            for (price, quantity) in levels {
                match quantity.is_zero() {
                    true => side.remove(price),
                    false => side.insert(*price, *quantity),
                };
            }
        }
        self.update_id = levels.update_id;
    }

    fn top(&self) -> (Price, Quantity, Price, Quantity) {
        let (bid, ask) = (self.bids.last_key_value().unwrap(), self.asks.first_key_value().unwrap());
        (*bid.0, *bid.1, *ask.0, *ask.1)
    }
}

#[test]
fn a_recorded_day_stays_in_step_and_agrees_with_the_venues_best_prices() {
    let test = "a_recorded_day_stays_in_step_and_agrees_with_the_venues_best_prices";
    let Some(folder) = recordings(test) else { return };
    let it = bitcoin();
    let text = unzip(folder.join("ticks/binance-spot-btcusdt_20240808.gz"));
    let (mut sync, mut book) = (BookSync::default(), Book::default());
    let (mut agreed, mut quoted, mut snapshots) = (0, BTreeMap::new(), 0);
    for line in text.lines() {
        let body = line.split_once(' ').unwrap().1;
        let step = if body.starts_with("{\"lastUpdateId\"") {
            let depth: Depth = serde_json::from_str(body).unwrap();
            snapshots += 1;
            sync.on_snapshot(book_levels(&it, depth.last_update_id, &depth.bids, &depth.asks).unwrap())
        } else if body.contains("@depth") {
            let frame: Combined<DepthEvent> = serde_json::from_str(body).unwrap();
            sync.on_diff(depth_diff(&it, &frame.data).unwrap())
        } else {
            if body.contains("@bookTicker") {
                let frame: Combined<BookTickerEvent> = serde_json::from_str(body).unwrap();
                quoted.insert(frame.data.update_id, quote(&it, &frame.data).unwrap());
            }
            continue;
        };
        if let Sync::Emit(changes) = &step {
            for change in changes {
                book.apply(change);
                if let Some(quote) = quoted.get(&book.update_id) {
                    assert_eq!(book.top(), (quote.bid, quote.bid_size, quote.ask, quote.ask_size));
                    agreed += 1;
                }
            }
        }
        assert!(!matches!(step, Sync::Lost { .. }), "nothing was lost in this recording");
    }
    assert_eq!(snapshots, 1);
    assert!(agreed > 300, "{agreed} moments at which both sides tell the best prices");
}

/// Four symbols at once: `BINANCE.ws.1.0` holds the streams, `BINANCE.http.0.0` the snapshots.
#[test]
fn recorded_streams_of_four_symbols_meet_their_snapshots() {
    let Some(folder) = recordings("recorded_streams_of_four_symbols_meet_their_snapshots") else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join("exchanges/binance/cryptofeed").join(name)).unwrap();
    let (mut syncs, mut in_step) = (BTreeMap::<String, BookSync>::new(), 0);
    let it = Instrument {
        id: InstrumentId(0),
        spec: InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance"), // eight decimals serve for all
    };
    for line in read("BINANCE.ws.1.0").lines() {
        let Some((_, body)) = line.split_once(": ") else { continue };
        if let Ok(frame) = serde_json::from_str::<Combined<DepthEvent>>(body) {
            syncs.entry(frame.data.symbol.clone()).or_default().on_diff(depth_diff(&it, &frame.data).unwrap());
        }
    }
    for line in read("BINANCE.http.0.0").lines() {
        let Some((head, body)) = line.split_once(" -> ") else { continue };
        let Some(symbol) = head.split("symbol=").nth(1).and_then(|rest| rest.split('&').next()) else { continue };
        let Ok(depth) = serde_json::from_str::<Depth>(body.split_once(": ").unwrap().1) else { continue };
        let levels = book_levels(&it, depth.last_update_id, &depth.bids, &depth.asks).unwrap();
        if let Some(sync) = syncs.get_mut(symbol)
            && matches!(sync.on_snapshot(levels), Sync::Emit(_))
        {
            in_step += 1;
        }
    }
    assert_eq!((syncs.len(), in_step), (4, 4));
}

fn diff(first: u64, last: u64) -> DepthDiff {
    let levels = BookLevels { instrument: InstrumentId(0), update_id: last, bids: vec![], asks: vec![] };
    DepthDiff { first, levels }
}

fn snapshot(update_id: u64) -> BookLevels {
    diff(0, update_id).levels
}

fn name(step: &Sync) -> String {
    match step {
        Sync::Wait => "wait".to_owned(),
        Sync::Fetch => "fetch".to_owned(),
        Sync::Emit(changes) => format!("emit {}", changes.len()),
        Sync::Lost { expected, got } => format!("lost {expected}..{got}"),
    }
}

#[test]
fn a_venue_that_counts_to_the_end_of_numbers_is_fetched_again_and_ends_nothing() {
    let mut sync = BookSync::default();
    sync.on_diff(diff(1, 1));
    assert_eq!(name(&sync.on_snapshot(snapshot(u64::MAX))), "emit 1");
    let told: Vec<String> = (0..10).map(|_| name(&sync.on_diff(diff(2, 3)))).collect();
    assert_eq!(told[..9], ["wait"; 9]);
    assert_eq!(told[9], format!("lost {}..2", u64::MAX), "the venue began to count anew");
}

#[test]
fn a_gap_discards_the_book_and_an_old_snapshot_is_fetched_again() {
    let mut sync = BookSync::default();
    assert_eq!(name(&sync.on_diff(diff(11, 12))), "fetch");
    assert_eq!(name(&sync.on_diff(diff(13, 15))), "wait");
    assert_eq!(name(&sync.on_snapshot(snapshot(9))), "fetch", "older than the first change");
    assert_eq!(name(&sync.on_snapshot(snapshot(13))), "emit 2", "the change that overlaps counts, the older one not");
    assert_eq!(name(&sync.on_diff(diff(14, 15))), "wait", "a repetition");
    assert_eq!(name(&sync.on_diff(diff(16, 16))), "emit 1");
    assert_eq!(name(&sync.on_snapshot(snapshot(99))), "wait", "nobody asked");
    assert_eq!(name(&sync.on_diff(diff(18, 19))), "lost 17..18");
    assert_eq!(name(&sync.on_diff(diff(20, 20))), "wait");
    assert_eq!(name(&sync.on_snapshot(snapshot(17))), "emit 3");
    sync.reset();
    assert_eq!(name(&sync.on_diff(diff(21, 21))), "fetch");
}
