//! Depth as venues send it: the order book of Bybit as JSON lines, the depth stream of Binance as raw messages.

use crate::defect::{Defect, Effect};
use crate::defects::Defects;
use crate::depth::{Found, Ids, RawLevel, RawUpdate};
use crate::moment::{Stamp, Unit};
use crate::number::Number;
use crate::quotes::use_venue_times;
use crate::ticks::{self, Messages, OneInstrument, Packing, TextLines};
use crate::{Format, ImportError};
use serde::Deserialize;
use std::path::Path;
use tradewind_domain::Side;

/// Price and size of a level, as venues write them in JSON.
type Pair<'a> = [&'a str; 2];

/// The levels of a message; one that cannot be read is noted and left out.
fn pairs(row: u64, sides: [(Side, &str, &[Pair<'_>]); 2], log: &mut Defects) -> Vec<RawLevel> {
    let mut levels = Vec::with_capacity(sides.iter().map(|(.., pairs)| pairs.len()).sum());
    for (side, title, pairs) in sides {
        for [price, size] in pairs {
            let numbers: [Option<Number>; 2] = [price, size].map(|text| ticks::number(row, title, text, log));
            if let [Some(price), Some(size)] = numbers {
                levels.push(RawLevel { row, side, price, size });
            }
        }
    }
    levels
}

/// A message of Bybit's order book.
#[derive(Deserialize)]
struct BybitBook<'a> {
    topic: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    ts: i64,
    /// When the matching engine made it.
    cts: Option<i64>,
    #[serde(borrow)]
    data: BybitLevels<'a>,
}

impl BybitBook<'_> {
    fn is_snapshot(&self) -> bool {
        self.kind == "snapshot"
    }
}

#[derive(Deserialize)]
struct BybitLevels<'a> {
    #[serde(borrow)]
    b: Vec<Pair<'a>>,
    #[serde(borrow)]
    a: Vec<Pair<'a>>,
    /// Rises by one with every message.
    u: u64,
    /// Rises with every message, over all depths of the book.
    seq: Option<u64>,
}

pub(crate) fn bybit(
    path: &Path,
    mut lines: TextLines,
    packing: Packing,
    log: &mut Defects,
) -> Result<Found, ImportError> {
    let (mut raw, mut row, mut sequence) = (Vec::new(), 0, None);
    let (mut is_book, mut instrument) = (false, OneInstrument::default());
    while let Some(line) = lines.next_line()? {
        row += 1;
        let text = String::from_utf8_lossy(lines.text(line));
        match serde_json::from_str::<BybitBook<'_>>(&text) {
            Ok(book) if !is_of_book(book.topic) => {} // other data, not a defect
            Err(_) if is_other_data(&text) => {}
            Err(error) => {
                is_book |= text.contains("\"orderbook.");
                ticks::no_json(row, &text, &error, log);
            }
            Ok(book) => {
                is_book = true;
                let name = book.topic.rsplit('.').next().unwrap_or_default();
                if let Some(defect) = instrument.other(row, "topic", name) {
                    log.push(defect);
                    continue;
                }
                judge_sequence(row, &book, sequence, log);
                sequence = book.data.seq;
                raw.extend(bybit_update(row, &book, log));
            }
        }
    }
    if !is_book {
        return Err(ImportError::unfit("HIS-05", path, "JSON lines, and none is a message of an order book"));
    }
    let described = [("time", "cts"), ("bids", "b"), ("asks", "a")];
    let shape = ticks::shape(Format::JsonLines, packing.member, &described, Unit::Millis.name());
    Ok(Found { raw, titles: ["price", "size"].map(str::to_owned), shape, rows: row, asked: false, kept: false })
}

fn bybit_update(row: u64, book: &BybitBook<'_>, log: &mut Defects) -> Option<RawUpdate> {
    let millis = book.cts.unwrap_or(book.ts);
    let Some(utc) = Unit::Millis.read(millis) else {
        log.push(Defect::error("HIS-10", row, "cts", millis.to_string()).with(Effect::LeftOut));
        return None;
    };
    let levels = pairs(row, [(Side::Buy, "b", &book.data.b), (Side::Sell, "a", &book.data.a)], log);
    let ids = Ids { first: Some(book.data.u), last: Some(book.data.u), previous: None };
    Some(RawUpdate { row, stamp: Stamp { utc, offset: 0 }, snapshot: book.is_snapshot(), ids, levels })
}

/// Whether one of these lines of JSON is of a book.
pub(crate) fn are_of_book(lines: &[Vec<u8>]) -> bool {
    let word = b"\"topic\":\"orderbook.";
    lines.iter().any(|line| line.windows(word.len()).any(|it| it == word))
}

fn is_of_book(topic: &str) -> bool {
    topic.starts_with("orderbook.")
}

/// Whether a line is a whole message that is none of a book: of another topic, or an answer, which has none.
fn is_other_data(text: &str) -> bool {
    let line = serde_json::from_str::<BybitLine>(text);
    line.is_ok_and(|line| line.topic.map_or(line.op.is_some(), |topic| !is_of_book(&topic)))
}

/// What every line of Bybit has.
#[derive(Deserialize)]
struct BybitLine {
    topic: Option<String>,
    /// Of an answer what was asked.
    op: Option<String>,
}

/// Whether the sequence rises, but for snapshots, which begin anew.
fn judge_sequence(row: u64, book: &BybitBook<'_>, before: Option<u64>, log: &mut Defects) {
    if let (false, Some(before), Some(now)) = (book.is_snapshot(), before, book.data.seq)
        && now <= before
    {
        let what = format!("the sequence {now} does not rise above {before}");
        log.push(Defect::error("HIS-40", row, "seq", now.to_string()).saying(what));
    }
}

/// A message of Binance's depth stream.
#[derive(Deserialize)]
struct DepthMessage<'a> {
    #[serde(borrow)]
    data: DepthChange<'a>,
}

#[derive(Deserialize)]
struct DepthChange<'a> {
    #[serde(rename = "T")]
    traded: Option<i64>,
    #[serde(rename = "E")]
    event: Option<i64>,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(rename = "pu")]
    previous: Option<u64>,
    #[serde(rename = "b", borrow)]
    bids: Vec<Pair<'a>>,
    #[serde(rename = "a", borrow)]
    asks: Vec<Pair<'a>>,
}

/// Binance's answer with a whole book.
#[derive(Deserialize)]
struct DepthSnapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    last: u64,
    #[serde(rename = "T")]
    traded: Option<i64>,
    #[serde(rename = "E")]
    event: Option<i64>,
    #[serde(borrow)]
    bids: Vec<Pair<'a>>,
    #[serde(borrow)]
    asks: Vec<Pair<'a>>,
}

/// A message of Binance's streams `depth5`, `depth10` and `depth20`: the best levels, whole.
#[derive(Deserialize)]
struct PartialMessage<'a> {
    #[serde(borrow)]
    data: PartialBook<'a>,
}

/// Spot names its parts as the answer with a whole book does, futures as a change does.
#[derive(Deserialize)]
struct PartialBook<'a> {
    #[serde(rename = "lastUpdateId", alias = "u")]
    last: u64,
    #[serde(rename = "T")]
    traded: Option<i64>,
    #[serde(rename = "E")]
    event: Option<i64>,
    #[serde(alias = "b", borrow)]
    bids: Vec<Pair<'a>>,
    #[serde(alias = "a", borrow)]
    asks: Vec<Pair<'a>>,
}

/// A message, a change or a snapshot alike.
struct BinanceDepth<'a> {
    millis: Option<i64>,
    snapshot: bool,
    ids: Ids,
    bids: Vec<Pair<'a>>,
    asks: Vec<Pair<'a>>,
}

impl<'a> BinanceDepth<'a> {
    /// `None` for a message about something else.
    fn of(body: &'a str) -> Option<Result<Self, serde_json::Error>> {
        if let Some((_, kind)) = body.split_once("@depth") {
            if kind.starts_with(|letter: char| letter.is_ascii_digit()) {
                return Some(serde_json::from_str::<PartialMessage<'_>>(body).map(|PartialMessage { data }| Self {
                    millis: data.traded.or(data.event),
                    snapshot: true,
                    ids: Ids { first: Some(data.last), last: Some(data.last), previous: None },
                    bids: data.bids,
                    asks: data.asks,
                }));
            }
            return Some(serde_json::from_str::<DepthMessage<'_>>(body).map(|DepthMessage { data }| Self {
                millis: data.traded.or(data.event),
                snapshot: false,
                ids: Ids { first: Some(data.first), last: Some(data.last), previous: data.previous },
                bids: data.bids,
                asks: data.asks,
            }));
        }
        body.starts_with("{\"lastUpdateId\"").then(|| {
            serde_json::from_str::<DepthSnapshot<'_>>(body).map(|book| Self {
                millis: book.traded.or(book.event),
                snapshot: true,
                ids: Ids { first: Some(book.last), last: Some(book.last), previous: None },
                bids: book.bids,
                asks: book.asks,
            })
        })
    }
}

pub(crate) fn binance(mut messages: Messages, log: &mut Defects) -> Result<Found, ImportError> {
    let (mut raw, mut times) = (Vec::new(), Vec::new());
    while let Some(message) = messages.next(log)? {
        match BinanceDepth::of(&message.body) {
            None => {} // trades and quotes are other data, not defects
            Some(Err(error)) => ticks::no_json(message.row, &message.body, &error, log),
            Some(Ok(depth)) => {
                let sides = [(Side::Buy, "b", depth.bids.as_slice()), (Side::Sell, "a", depth.asks.as_slice())];
                let levels = pairs(message.row, sides, log);
                let stamp = Stamp { utc: message.received, offset: 0 };
                raw.push(RawUpdate { row: message.row, stamp, snapshot: depth.snapshot, ids: depth.ids, levels });
                times.push(depth.millis.and_then(|millis| Unit::Millis.read(millis)));
            }
        }
    }
    let time_format = use_venue_times(raw.iter_mut().map(|update: &mut RawUpdate| &mut update.stamp), &times);
    let described = [("time", "T or E"), ("bids", "b"), ("asks", "a")];
    let shape = ticks::shape(Format::Messages, messages.member, &described, time_format);
    Ok(Found { raw, titles: ["price", "size"].map(str::to_owned), shape, rows: messages.row, asked: true, kept: false })
}
