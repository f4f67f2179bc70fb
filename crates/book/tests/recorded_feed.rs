//! The L2 book against six recorded minutes of Binance, spot and perpetual: its diffs must show what the book ticker said.

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

fn bitcoin(tick: i64) -> Instrument {
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    InstrumentSpec { tick: Price::from_mantissa(tick), ..spec }.list(InstrumentId(0)).unwrap()
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

/// One diff: first and last update id, on futures the last of the diff before, and its levels.
struct Diff(u64, u64, Option<u64>, Levels);

/// What a recording shows: diffs applied, those that met a new word of the ticker, and how many of those agree with it.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    applied: u32,
    compared: u32,
    matched: u32,
    best: (String, String),
}

/// The venue's rule: diffs wait for the snapshot; older ones are dropped; then each continues the last.
struct Feed {
    book: OrderBook,
    last: Option<u64>,
    waiting: Vec<Diff>,
    /// The obvious book beside it.
    plain: BTreeMap<(Side, Price), Quantity>,
    /// What the book ticker said, by update id.
    tickers: BTreeMap<u64, (Price, Price)>,
    /// Its newest word that was compared.
    told: Option<u64>,
    seen: Seen,
}

impl Feed {
    fn snapshot(&mut self, last: u64, levels: &Levels) {
        self.book.load(levels.iter().copied()).unwrap();
        self.plain = levels.iter().map(|(side, price, size)| ((*side, *price), *size)).collect();
        self.last = Some(last);
        for diff in std::mem::take(&mut self.waiting) {
            self.diff(diff);
        }
        (self.seen, self.told) = (Seen::default(), None); // the reference counts what comes live from here
    }

    /// Applies what continues the book, and compares with the ticker's newest word, once each.
    fn diff(&mut self, diff: Diff) {
        let Some(last) = self.last else {
            return self.waiting.push(diff);
        };
        let Diff(from, to, before, levels) = diff;
        if to <= last {
            return;
        }
        // the first diff after the snapshot overlaps it; each later one continues the one before
        let continues = before.is_some_and(|before| before == last) || from <= last + 1;
        assert!(continues, "no update is missing before {from}");
        self.last = Some(to);
        for (side, price, size) in levels {
            let old = self.book.set(side, price, size).unwrap();
            let known =
                if size.is_zero() { self.plain.remove(&(side, price)) } else { self.plain.insert((side, price), size) };
            assert_eq!(old, known.unwrap_or_default());
        }
        assert!(!self.book.is_crossed());
        let best = (self.book.best_bid().unwrap().0, self.book.best_ask().unwrap().0);
        let newest = self.tickers.range(..=to).next_back().map(|(told, said)| (*told, *said));
        let said = newest.filter(|(told, _)| self.told.replace(*told) != Some(*told));
        self.seen.applied += 1;
        self.seen.compared += u32::from(said.is_some());
        self.seen.matched += u32::from(said.is_some_and(|(_, said)| said == best));
    }
}

fn replay(it: &Instrument, lines: impl Iterator<Item = String>) -> Seen {
    let mut feed = Feed {
        book: OrderBook::new(it.spec.tick),
        last: None,
        waiting: Vec::new(),
        plain: BTreeMap::new(),
        tickers: BTreeMap::new(),
        told: None,
        seen: Seen::default(),
    };
    for line in lines {
        let message: Value = serde_json::from_str(&line).unwrap();
        let data = &message["data"];
        if let Some(last) = message["lastUpdateId"].as_u64() {
            feed.snapshot(last, &levels(it, &message, "bids", "asks"));
        } else if message["stream"] == "btcusdt@bookTicker" {
            let price = |key: &str| it.price(data[key].as_str().unwrap()).unwrap();
            feed.tickers.insert(data["u"].as_u64().unwrap(), (price("b"), price("a")));
        } else if data["e"] == "depthUpdate" {
            let id = |key: &str| data[key].as_u64().unwrap();
            feed.diff(Diff(id("U"), id("u"), data["pu"].as_u64(), levels(it, data, "b", "a")));
        }
    }
    feed.check_every_level();
    let text = |best: Option<(Price, Quantity)>| it.price_text(best.unwrap().0);
    let best = (text(feed.book.best_bid()), text(feed.book.best_ask()));
    Seen { best, ..feed.seen }
}

#[test]
fn the_spot_book_shows_what_the_recorded_ticker_said() {
    let test = "the_spot_book_shows_what_the_recorded_ticker_said";
    let Some(lines) = recording(test, "ticks/binance-spot-btcusdt_20240808.gz") else { return };
    let best = ("61685.99".to_owned(), "61686".to_owned());
    assert_eq!(replay(&bitcoin(1_000_000), lines), Seen { applied: 3448, compared: 2893, matched: 2893, best });
}

#[test]
fn the_perpetual_book_shows_what_the_recorded_ticker_said() {
    let test = "the_perpetual_book_shows_what_the_recorded_ticker_said";
    let Some(lines) = recording(test, "ticks/binance-usdm-btcusdt_20240808.gz") else { return };
    let best = ("61659.7".to_owned(), "61659.8".to_owned());
    assert_eq!(replay(&bitcoin(10_000_000), lines), Seen { applied: 6545, compared: 5695, matched: 5667, best });
}

impl Feed {
    fn check_every_level(&self) {
        for side in [Side::Buy, Side::Sell] {
            let mut plain: Vec<_> =
                self.plain.iter().filter(|((s, _), _)| *s == side).map(|((_, price), size)| (*price, *size)).collect();
            if side == Side::Buy {
                plain.reverse();
            }
            assert_eq!(self.book.levels(side).collect::<Vec<_>>(), plain, "every level, best first");
            assert_eq!(self.book.len(side), plain.len());
        }
    }
}
