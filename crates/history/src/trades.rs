//! Public trades: CSV, JSON arrays, Parquet/Feather, and recorded raw messages of Binance.

use crate::build::{Finest, info, instrument, moment};
use crate::container::{self, Kind};
use crate::defect::{Defect, DefectLog, Effect, Severity};
use crate::layout::split;
use crate::lines::Lines;
use crate::moment::{Clock, Stamp, Unit};
use crate::number::{self, Number, Quality};
use crate::rows::{RawRow, Shape, plain_name};
use crate::{Format, ImportError, ImportOptions, OnDefect, SourceInfo, feather, read};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::Read;
use std::path::Path;
use tradewind_domain::{InstrumentSpec, Price, Quantity, Side, Timestamp, Trade, TradeId};

/// Public trades of one instrument, ascending in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeSeries {
    /// What was traded. Decimals are those of the finest number in the file, unless given.
    pub instrument: InstrumentSpec,
    /// When the venue says each happened, and the trade.
    pub trades: Vec<(Timestamp, Trade)>,
    /// Where they came from.
    pub source: SourceInfo,
    /// What is wrong with the file.
    pub defects: Vec<Defect>,
}

/// A trade before it has its decimals.
struct RawTrade {
    row: u64,
    stamp: Stamp,
    id: TradeId,
    side: Side,
    price: Number,
    quantity: Number,
}

/// The texts of one trade: time, id, side, price, quantity.
struct Cells<'a> {
    time: &'a str,
    id: &'a str,
    side: &'a str,
    price: &'a str,
    quantity: &'a str,
}

/// Titles of the columns in the order of [`Cells`], for defects.
type Titles = [String; 5];

/// Reads a file of public trades: CSV with a header (freqtrade, Tardis), a JSON array of arrays
/// `[time, id, type, side, price, amount, cost]`, Parquet or Feather with columns of such names, or raw messages of
/// Binance, one a line behind their receive time; each plain or in gzip.
///
/// The aggressor is the stated side, or the opposite of who is said to be the maker.
///
/// # Errors
/// [`ImportError`], as [`crate::read_bars`].
pub fn read_trades(path: &Path, options: &ImportOptions) -> Result<TradeSeries, ImportError> {
    let (file, kind) = container::open(path)?;
    let mut log = DefectLog::default();
    let (raw, shape, rows) = match kind {
        Kind::Feather => columnar(path, Format::Feather, feather::batches(path, file)?, &mut log)?,
        Kind::Parquet => columnar(path, Format::Parquet, crate::parquet::batches(path, file)?, &mut log)?,
        Kind::Text => text(path, file, false, &mut log)?,
        Kind::Gzip => text(path, container::gunzip(file), true, &mut log)?,
        Kind::Zip => text(path, container::unzip(path, file)?.1, true, &mut log)?,
    };
    series(path, raw, &shape, rows, log, options)
}

fn series(
    path: &Path,
    mut raw: Vec<RawTrade>,
    shape: &Shape,
    rows: u64,
    mut log: DefectLog,
    options: &ImportOptions,
) -> Result<TradeSeries, ImportError> {
    let mut finest = Finest::default();
    for trade in &raw {
        let volume = Some(trade.quantity);
        finest.see(&RawRow { row: trade.row, stamp: trade.stamp, prices: [trade.price; 4], volume });
    }
    let (price_decimals, quantity_decimals) = finest.given(options);
    put_in_order(&mut raw, &mut log);
    let mut trades: Vec<(Timestamp, Trade)> = Vec::with_capacity(raw.len());
    for trade in &raw {
        let (Some(price), Some(quantity)) = (trade.price.at(price_decimals), trade.quantity.at(quantity_decimals))
        else {
            let text = format!("{} x {}", trade.price.text(), trade.quantity.text());
            log.push(Defect::error("HIS-32", trade.row, "price", text).with(Effect::LeftOut));
            continue;
        };
        if trades.last().is_some_and(|(_, last)| last.id == trade.id) {
            let defect = Defect::error("HIS-13", trade.row, "id", trade.id.0.to_string());
            log.push(defect.saying("the same trade twice").with(Effect::LeftOut));
            continue;
        }
        for (value, number, column) in [(price, trade.price, "price"), (quantity, trade.quantity, "quantity")] {
            if value <= 0 {
                let what = format!("the {column} is not positive");
                log.push(Defect::error("HIS-18", trade.row, column, number.text()).saying(what));
            }
        }
        trades.push((
            Timestamp::from_nanos(trade.stamp.utc),
            Trade {
                instrument: options.id,
                price: Price::from_mantissa(price),
                quantity: Quantity::from_mantissa(quantity),
                aggressor: trade.side,
                id: trade.id,
            },
        ));
    }
    log.list.sort_by_key(|defect| defect.row);
    if options.on_defect == OnDefect::Refuse {
        ImportError::refuse(path, &log.list)?;
    }
    if trades.is_empty() {
        return Err(ImportError::unfit("HIS-06", path, "the file holds no trade that can be read"));
    }
    let instrument = instrument(path, None, options, false, (price_decimals, quantity_decimals))?;
    let sha256 = if options.hash { Some(read::sha256(path)?) } else { None };
    let source = info(path, shape, rows, sha256, options);
    Ok(TradeSeries { instrument, trades, source, defects: log.list })
}

/// Trades of one moment keep the order of the file; a step back in time is a warning and is put in order.
fn put_in_order(raw: &mut [RawTrade], log: &mut DefectLog) {
    let mut latest = i64::MIN;
    for trade in raw.iter() {
        if trade.stamp.utc < latest {
            let what = format!("earlier than a trade before it, of {}", Timestamp::from_nanos(latest));
            let defect = Defect::new("HIS-12", Severity::Warning, trade.row, "time", moment(trade.stamp));
            log.push(defect.saying(what).with(Effect::Sorted));
        }
        latest = latest.max(trade.stamp.utc);
    }
    raw.sort_by_key(|trade| trade.stamp.utc);
}

fn shape(format: Format, titles: &Titles, time_format: &str) -> Shape {
    let plain = ["time", "id", "side", "price", "quantity"];
    Shape {
        format,
        member: None,
        columns: plain.iter().zip(titles).map(|(plain, title)| format!("{plain}={title}")).collect(),
        names: Default::default(),
        time_format: time_format.to_owned(),
        quote_side: None,
        has_volume: true,
        lean: false,
    }
}

type Found = (Vec<RawTrade>, Shape, u64);

fn text(path: &Path, reader: impl Read, gzip: bool, log: &mut DefectLog) -> Result<Found, ImportError> {
    let mut lines = Lines::new(path, reader);
    let Some(first) = lines.peek()?.into_iter().next() else {
        return Err(ImportError::unfit("HIS-06", path, "the file holds no lines"));
    };
    if first.starts_with(b"[[") {
        return json(path, &lines.rest()?, log);
    }
    if first.windows(2).any(|two| two == b" {") && first[0].is_ascii_digit() {
        return messages(lines, log);
    }
    delimited(path, lines, if gzip { Format::CsvGz } else { Format::Csv }, log)
}

fn delimited(
    path: &Path,
    mut lines: Lines<impl Read>,
    format: Format,
    log: &mut DefectLog,
) -> Result<Found, ImportError> {
    let head = lines.next_line()?.map(|line| lines.text(line).to_vec()).unwrap_or_default();
    let names: Vec<String> = split(&head, b',').iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    let (columns, maker) = find(&names).map_err(|what| ImportError::unfit("HIS-05", path, what))?;
    let titles = columns.map(|column| names[column].clone());
    let (mut raw, mut clock, mut row) = (Vec::new(), None, 0);
    while let Some(line) = lines.next_line()? {
        row += 1;
        let text = String::from_utf8_lossy(lines.text(line)).into_owned();
        let cells = split(text.as_bytes(), b',');
        if cells.len() != names.len() {
            let code = if line.terminated { "HIS-26" } else { "HIS-04" };
            let what = format!("{} cells where {} are expected", cells.len(), names.len());
            log.push(Defect::error(code, row, "", text.clone()).saying(what).with(Effect::LeftOut));
            continue;
        }
        let [time, id, side, price, quantity] = columns.map(|column| std::str::from_utf8(cells[column]).unwrap_or(""));
        if clock.is_none() {
            clock = Clock::of(time.as_bytes());
        }
        raw.extend(trade(row, &Cells { time, id, side, price, quantity }, clock.as_ref(), maker, &titles, log));
    }
    let time_format = clock.as_ref().map_or("", Clock::name);
    Ok((raw, shape(format, &titles, time_format), row))
}

/// Columns of time, id, side, price, quantity; and whether the side is that of the maker being the buyer.
fn find(names: &[String]) -> Result<([usize; 5], bool), String> {
    let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
    let find = |aliases: &[&str]| aliases.iter().find_map(|alias| plain.iter().position(|name| name == alias));
    let need = |what: &str, aliases: &[&str]| {
        find(aliases).ok_or_else(|| format!("no column `{what}` of a trade among {}", names.join(", ")))
    };
    let maker = find(&["buyermaker", "isbuyermaker", "m"]);
    let side = match maker {
        Some(column) => column,
        None => need("side", &["side", "takerside", "aggressor"])?,
    };
    let columns = [
        need("time", &["timestamp", "time", "transacttime", "date", "ts"])?,
        need("id", &["id", "tradeid", "aggtradeid", "agg_trade_id"])?,
        side,
        need("price", &["price", "p"])?,
        need("quantity", &["amount", "quantity", "qty", "size", "q"])?,
    ];
    Ok((columns, maker.is_some()))
}

/// Reads one trade; `None` if nothing can stand for it, which is logged.
fn trade(
    row: u64,
    cells: &Cells<'_>,
    clock: Option<&Clock>,
    maker: bool,
    titles: &Titles,
    log: &mut DefectLog,
) -> Option<RawTrade> {
    let stamp = clock.and_then(|clock| clock.read(cells.time.as_bytes(), None));
    if stamp.is_none() {
        log.push(Defect::error("HIS-10", row, &titles[0], cells.time).with(Effect::LeftOut));
    }
    let id = trade_id(cells.id);
    if id.is_none() {
        log.push(Defect::error("HIS-36", row, &titles[1], cells.id).saying("no number or UUID").with(Effect::LeftOut));
    }
    let side = aggressor(cells.side, maker);
    if side.is_none() {
        log.push(Defect::error("HIS-36", row, &titles[2], cells.side).saying("no side").with(Effect::LeftOut));
    }
    let mut numbers = [None; 2];
    for (index, text) in [cells.price, cells.quantity].into_iter().enumerate() {
        match number::parse(text.as_bytes()) {
            Ok((number, quality)) => {
                log.quality(quality, row, &titles[index + 3], || text.to_owned());
                numbers[index] = Some(number);
            }
            Err(fault) => log.push(Defect::error(fault.code(), row, &titles[index + 3], text).with(Effect::LeftOut)),
        }
    }
    Some(RawTrade { row, stamp: stamp?, id: id?, side: side?, price: numbers[0]?, quantity: numbers[1]? })
}

/// A number, or the 128 bits of a UUID.
fn trade_id(text: &str) -> Option<TradeId> {
    if text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4 {
        return u128::from_str_radix(&text.replace('-', ""), 16).ok().map(TradeId);
    }
    text.parse().ok().map(TradeId)
}

fn aggressor(text: &str, maker: bool) -> Option<Side> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match maker {
        true if is("true") || text == "1" => Some(Side::Sell), // the buyer rested, so the seller crossed
        true if is("false") || text == "0" => Some(Side::Buy),
        false if is("buy") || is("b") || is("bid") => Some(Side::Buy),
        false if is("sell") || is("s") || is("ask") => Some(Side::Sell),
        _ => None,
    }
}

/// `[time, id, type, side, price, amount, cost]` of freqtrade; numbers are read from their text, never as floats.
fn json(path: &Path, text: &[u8], log: &mut DefectLog) -> Result<Found, ImportError> {
    let damaged = |error: serde_json::Error| {
        let code = if error.is_eof() { "HIS-03" } else { "HIS-02" };
        ImportError::unfit(code, path, format!("not a whole JSON array of trades: {error}"))
    };
    let rows: Vec<Vec<&RawValue>> = serde_json::from_slice(text).map_err(damaged)?;
    let titles = ["time", "id", "side", "price", "amount"].map(str::to_owned);
    let clock = Clock::Unix(Unit::Millis);
    let mut raw = Vec::with_capacity(rows.len());
    let mut count = 0;
    for row in &rows {
        count += 1;
        let texts: Vec<&str> = row.iter().map(|value| value.get().trim_matches('"')).collect();
        let [time, id, _, side, price, quantity, ..] = texts[..] else {
            let what = format!("{} values where 7 are expected", texts.len());
            log.push(Defect::error("HIS-26", count, "", texts.join(",")).saying(what).with(Effect::LeftOut));
            continue;
        };
        raw.extend(trade(count, &Cells { time, id, side, price, quantity }, Some(&clock), false, &titles, log));
    }
    Ok((raw, shape(Format::Json, &titles, clock.name()), count))
}

/// A trade in Binance's streams `trade` and `aggTrade`.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    data: MessageTrade<'a>,
}

#[derive(Deserialize)]
struct MessageTrade<'a> {
    #[serde(rename = "T")]
    time: i64,
    #[serde(alias = "a")]
    t: u64,
    p: &'a str,
    q: &'a str,
    m: bool,
}

fn messages(mut lines: Lines<impl Read>, log: &mut DefectLog) -> Result<Found, ImportError> {
    let titles = ["T", "t", "m", "p", "q"].map(str::to_owned);
    let clock = Clock::Unix(Unit::Millis);
    let (mut raw, mut row) = (Vec::new(), 0);
    while let Some(line) = lines.next_line()? {
        row += 1;
        let text = String::from_utf8_lossy(lines.text(line)).into_owned();
        let body = text.split_once(' ').map_or("", |(_, body)| body);
        if !body.ends_with('}') {
            let shown: String = text.chars().take(200).collect();
            log.push(Defect::error("HIS-04", row, "", shown).saying("the message is cut").with(Effect::LeftOut));
            continue;
        }
        if !body.contains("@trade\"") && !body.contains("@aggTrade\"") {
            continue; // books and quotes are other data, not defects
        }
        match serde_json::from_str::<Message<'_>>(body) {
            Err(error) => {
                let shown: String = body.chars().take(200).collect();
                log.push(Defect::error("HIS-07", row, "", shown).saying(error.to_string()).with(Effect::LeftOut));
            }
            Ok(Message { data }) => {
                let (time, id) = (data.time.to_string(), data.t.to_string());
                let side = if data.m { "true" } else { "false" };
                let cells = Cells { time: &time, id: &id, side, price: data.p, quantity: data.q };
                raw.extend(trade(row, &cells, Some(&clock), true, &titles, log));
            }
        }
    }
    Ok((raw, shape(Format::Messages, &titles, clock.name()), row))
}

fn columnar(
    path: &Path,
    format: Format,
    (schema, batches): (Vec<String>, feather::Batches),
    log: &mut DefectLog,
) -> Result<Found, ImportError> {
    let (columns, maker) = find(&schema).map_err(|what| ImportError::unfit("HIS-05", path, what))?;
    let titles = columns.map(|column| schema[column].clone());
    let unfit =
        |index: usize| ImportError::unfit("HIS-05", path, format!("column `{}` is of no fit type", titles[index]));
    let (mut raw, mut row, mut clock, mut hints) = (Vec::new(), 0, None, [0_u8; 2]);
    for batch in batches {
        let batch = batch.map_err(|error| feather::damaged(path, &error))?;
        let times = feather::times(batch.column(columns[0]), &mut clock).ok_or_else(|| unfit(0))?;
        let ids = feather::texts(batch.column(columns[1])).ok_or_else(|| unfit(1))?;
        let sides = feather::texts(batch.column(columns[2])).ok_or_else(|| unfit(2))?;
        let prices = feather::numbers_of(batch.column(columns[3]), &mut hints[0]).ok_or_else(|| unfit(3))?;
        let quantities = feather::numbers_of(batch.column(columns[4]), &mut hints[1]).ok_or_else(|| unfit(4))?;
        for at in 0..batch.num_rows() {
            row += 1;
            let price = plain(&prices[at], row, &titles[3], log);
            let quantity = plain(&quantities[at], row, &titles[4], log);
            let (Some(price), Some(quantity)) = (price, quantity) else { continue };
            let time = times[at].map(|nanos| nanos.to_string()).unwrap_or_default();
            let cells = Cells { time: &time, id: &ids[at], side: &sides[at], price: &price, quantity: &quantity };
            raw.extend(trade(row, &cells, Some(&Clock::Unix(Unit::Nanos)), maker, &titles, log));
        }
    }
    Ok((raw, shape(format, &titles, "Arrow time"), row))
}

fn plain(cell: &feather::Cell, row: u64, column: &str, log: &mut DefectLog) -> Option<String> {
    match cell {
        Ok((number, quality, float)) => {
            if *quality != Quality::Exact {
                log.quality(*quality, row, column, || float.to_string());
            }
            Some(number.text())
        }
        Err((fault, text)) => {
            log.push(Defect::error(fault.code(), row, column, text.clone()).with(Effect::LeftOut));
            None
        }
    }
}
