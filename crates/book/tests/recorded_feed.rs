//! The L2 book against six recorded minutes of Binance spot: its diffs must show what its book ticker said.

#![allow(clippy::unwrap_used)] // an integration test is a test throughout

use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use tradewind_book::OrderBook;
use tradewind_domain::{Instrument, InstrumentId, InstrumentSpec, Price, Quantity, Side};

/// The recording, or nothing on a machine that has none.
fn recording(test: &str, name: &str) -> Option<impl Iterator<Item = String>> {
    let home = std::env::var_os("TRADEWIND_RECORDINGS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let Ok(file) = File::open(home.join(name)) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} is missing");
        eprintln!("no recordings: {test}");
        return None;
    };
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    Some(lines.map(|line| line.unwrap().split_once(' ').unwrap().1.to_owned()))
}

fn bitcoin() -> Instrument {
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    InstrumentSpec { tick: Price::from_mantissa(1_000_000), ..spec }.list(InstrumentId(0)).unwrap()
}

type Levels = Vec<(Side, Price, Quantity)>;

fn levels(it: &Instrument, message: &Value, bids: &str, asks: &str) -> Levels {
    let side = |key: &str, side| {
        let list = message[key].as_array().unwrap().iter();
        let text = |level: &Value, at: usize| level[at].as_str().unwrap().to_owned();
        list.map(|level| (side, it.price(&text(level, 0)).unwrap(), it.quantity(&text(level, 1)).unwrap()))
            .collect::<Levels>()
    };
    [side(bids, Side::Buy), side(asks, Side::Sell)].concat()
}

/// One diff: first and last update id, and its levels.
struct Diff(u64, u64, Levels);

/// The venue's rule: diffs wait for the snapshot; older ones are dropped; then each continues the last.
struct Feed {
    book: OrderBook,
    last: Option<u64>,
    waiting: Vec<Diff>,
    /// The obvious book beside it.
    plain: BTreeMap<(Side, Price), Quantity>,
}

impl Feed {
    fn snapshot(&mut self, last: u64, levels: &Levels) {
        self.book.load(levels.iter().copied()).unwrap();
        self.plain = levels.iter().map(|(side, price, size)| ((*side, *price), *size)).collect();
        self.last = Some(last);
        for diff in std::mem::take(&mut self.waiting) {
            self.diff(diff);
        }
    }

    /// Applies what continues the book; `false` if it waits or is old.
    fn diff(&mut self, diff: Diff) -> bool {
        let Some(last) = self.last else {
            self.waiting.push(diff);
            return false;
        };
        let Diff(from, to, levels) = diff;
        if to <= last {
            return false;
        }
        assert!(from <= last + 1, "no update is missing before {from}");
        self.last = Some(to);
        for (side, price, size) in levels {
            let old = self.book.set(side, price, size).unwrap();
            let known =
                if size.is_zero() { self.plain.remove(&(side, price)) } else { self.plain.insert((side, price), size) };
            assert_eq!(old, known.unwrap_or_default());
        }
        assert!(!self.book.is_crossed());
        true
    }
}

#[test]
fn the_book_shows_what_the_recorded_ticker_said() {
    let test = "the_book_shows_what_the_recorded_ticker_said";
    let Some(lines) = recording(test, "ticks/binance-spot-btcusdt_20240808.gz") else { return };
    let it = bitcoin();
    let mut feed = Feed { book: OrderBook::new(it.spec.tick), last: None, waiting: Vec::new(), plain: BTreeMap::new() };
    let mut tickers: BTreeMap<u64, (Price, Price)> = BTreeMap::new();
    let (mut diffs, mut compared) = (0, 0);
    for line in lines {
        let message: Value = serde_json::from_str(&line).unwrap();
        let data = &message["data"];
        if let Some(last) = message["lastUpdateId"].as_u64() {
            feed.snapshot(last, &levels(&it, &message, "bids", "asks"));
        } else if message["stream"] == "btcusdt@bookTicker" {
            let price = |key: &str| it.price(data[key].as_str().unwrap()).unwrap();
            tickers.insert(data["u"].as_u64().unwrap(), (price("b"), price("a")));
        } else if data["e"] == "depthUpdate" {
            let id = |key: &str| data[key].as_u64().unwrap();
            if feed.diff(Diff(id("U"), id("u"), levels(&it, data, "b", "a"))) {
                let best = feed.book.best_bid().unwrap().0;
                let (told, said) = tickers.range(..=id("u")).next_back().unwrap();
                assert_eq!(*said, (best, feed.book.best_ask().unwrap().0), "after update {}", id("u"));
                diffs += 1;
                compared += i32::from(*told >= id("U")); // the ticker spoke within this very diff
            }
        }
    }
    let (bid, ask) = (feed.book.best_bid().unwrap().0, feed.book.best_ask().unwrap().0);
    assert_eq!((it.price_text(bid).as_str(), it.price_text(ask).as_str()), ("61685.99", "61686"));
    assert_eq!((compared, diffs), (2893, 3448));
    for side in [Side::Buy, Side::Sell] {
        let mut plain: Vec<_> =
            feed.plain.iter().filter(|((s, _), _)| *s == side).map(|((_, price), size)| (*price, *size)).collect();
        if side == Side::Buy {
            plain.reverse();
        }
        assert_eq!(feed.book.levels(side).collect::<Vec<_>>(), plain, "every level, best first");
        assert_eq!(feed.book.len(side), plain.len());
    }
}
