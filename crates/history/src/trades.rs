//! Public trades: CSV, JSON arrays, Parquet/Feather, and recorded raw messages of Binance.

use crate::build::{Finest, info, instrument, moment};
use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::moment::{Clock, Stamp, Unit, whole_number};
use crate::number::{self, Number};
use crate::read::FileHash;
use crate::rows::Shape;
use crate::table::Table;
use crate::ticks::{self, Messages, Opened, Packing, TextLines};
use crate::validate::{counted_are, is_jump, suspect};
use crate::{Format, ImportError, ImportOptions, SourceInfo, stored};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;
use tradewind_domain::{InstrumentSpec, Price, Quantity, Side, Timestamp, Trade, TradeId};

/// Ids are consecutive where no more than one step in so many is another than one.
const ODD_STEP_IN: usize = 100;

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
    pub defects: Defects,
}

/// A trade before it has its decimals.
pub(crate) struct RawTrade {
    pub(crate) row: u64,
    pub(crate) stamp: Stamp,
    pub(crate) id: TradeId,
    pub(crate) side: Side,
    pub(crate) price: Number,
    pub(crate) quantity: Number,
}

/// Trades as they were read, before they are judged.
pub(crate) struct Found {
    pub(crate) raw: Vec<RawTrade>,
    pub(crate) titles: Titles,
    pub(crate) shape: Shape,
    pub(crate) rows: u64,
}

/// The texts of one trade: time, id, side, price, quantity.
struct Texts<'a> {
    time: &'a str,
    id: &'a str,
    side: &'a str,
    price: &'a str,
    quantity: &'a str,
}

/// Titles of the columns in the order of [`Texts`], for defects.
pub(crate) type Titles = [String; 5];

/// Reads a file of public trades: CSV with a header (freqtrade, Tardis), a JSON array of arrays
/// `[time, id, type, side, price, amount, cost]`, Parquet or Feather with columns of such names, or raw messages of
/// Binance, one a line behind their receive time; each plain, in gzip, xz or zip.
///
/// The aggressor is the stated side, or the opposite of who is said to be the maker.
///
/// # Errors
/// [`ImportError`], as [`crate::read_bars`].
pub fn read_trades(path: &Path, options: &ImportOptions) -> Result<TradeSeries, ImportError> {
    if let Some(series) = stored::read_file(path, options)? {
        return Ok(series);
    }
    let hash = FileHash::begin(path, options)?;
    let mut log = Defects::default();
    let found = match ticks::open(path, options)? {
        Opened::JsonArray(lines, packing) => json(path, lines, packing, &mut log)?,
        Opened::Messages(lines, packing) => messages(Messages::new(lines, packing), &mut log)?,
        Opened::JsonLines(..) => return Err(ImportError::unfit("HIS-05", path, "JSON lines of no trades")),
        Opened::Text(lines, packing) => table(path, Table::of_text(path, lines, packing)?, &mut log)?,
        Opened::Columns(format, schema, batches) => {
            table(path, Table::of_columns(path, format, &schema, batches), &mut log)?
        }
    };
    let mut series = series(path, found, log, options)?;
    let missing = series.trades.is_empty().then_some("trade");
    ticks::must_hold(path, options, &series.defects, series.source.rows, missing)?;
    series.source.sha256 = hash.end()?;
    Ok(series)
}

/// Judges trades and gives them their decimals.
pub(crate) fn series(
    path: &Path,
    found: Found,
    mut log: Defects,
    options: &ImportOptions,
) -> Result<TradeSeries, ImportError> {
    let Found { mut raw, titles, shape, rows: count } = found;
    let mut finest = Finest::default();
    for trade in &raw {
        finest.price(trade.price);
        finest.volume(trade.quantity);
    }
    let (price_decimals, quantity_decimals) = finest.given(options);
    let newest_first = ticks::turn_round(&mut raw, |trade| trade.stamp, &mut log);
    let rows = raw.iter().map(|trade| (trade.row, trade.stamp));
    ticks::judge_order(rows, newest_first, Effect::Sorted, &mut log);
    raw.sort_by_key(|trade| trade.stamp.utc); // trades of one moment keep their order
    name_missing(&raw, &titles[1], &mut log);
    let mut trades: Vec<(Timestamp, Trade)> = Vec::with_capacity(raw.len());
    for trade in &raw {
        let (Some(price), Some(quantity)) = (trade.price.at(price_decimals), trade.quantity.at(quantity_decimals))
        else {
            let text = format!("{} x {}", trade.price.text(), trade.quantity.text());
            log.push(Defect::error("HIS-32", trade.row, &titles[3], text).with(Effect::LeftOut));
            continue;
        };
        let last = trades.last().map(|(_, last)| last);
        if last.is_some_and(|last| last.id == trade.id) {
            let defect = Defect::error("HIS-13", trade.row, &titles[1], trade.id.0.to_string());
            log.push(defect.saying("the same trade twice").with(Effect::LeftOut));
            continue;
        }
        judge(trade, &titles, &mut log);
        if let Some(was) = last.map(|last| last.price.mantissa()).filter(|was| is_jump(*was, price)) {
            log.push(suspect(trade.row, &titles[3], trade.price.text(), price, was));
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
    log.sort();
    let instrument = instrument(path, shape.member.as_deref(), options, false, (price_decimals, quantity_decimals))?;
    let source = SourceInfo { newest_first, ..info(path, &shape, count, options) };
    Ok(TradeSeries { instrument, trades, source, defects: log })
}

/// Names a price that is not above zero, and a size that is not.
fn judge(trade: &RawTrade, titles: &Titles, log: &mut Defects) {
    ticks::judge_price(trade.price, trade.row, &titles[3], log);
    if trade.quantity.mantissa <= 0 {
        let defect = Defect::error("HIS-17", trade.row, &titles[4], trade.quantity.text());
        log.push(if trade.quantity.mantissa == 0 { defect.saying("a trade of nothing") } else { defect });
    }
}

/// Names the trades that are missing where the venue counts them one by one: all but a few ids follow one another.
fn name_missing(raw: &[RawTrade], title: &str, log: &mut Defects) {
    let follows = |pair: &&[RawTrade]| pair[1].id.0.checked_sub(pair[0].id.0) == Some(1);
    let odd = raw.len().saturating_sub(1) - raw.windows(2).filter(follows).count();
    if odd == 0 || odd * ODD_STEP_IN > raw.len() {
        return;
    }
    let mut ids: Vec<(u128, u64, Stamp)> = raw.iter().map(|trade| (trade.id.0, trade.row, trade.stamp)).collect();
    ids.sort_by_key(|(id, ..)| *id); // a trade that stands in another place is not missing
    for pair in ids.windows(2) {
        let [(before, ..), (behind, row, stamp)] = pair else { continue };
        let missing = (behind - before).saturating_sub(1);
        if missing > 0 {
            let missing = u64::try_from(missing).unwrap_or(u64::MAX);
            let count = counted_are(missing, "trade");
            let what = format!("{count} missing or left out before that of {}", moment(*stamp));
            let defect = Defect::new("HIS-14", Severity::Warning, *row, title, behind.to_string());
            log.push(defect.saying(what));
        }
    }
}

fn shape(format: Format, member: Option<String>, titles: &Titles, time_format: &str) -> Shape {
    let plain = ["time", "id", "side", "price", "quantity"];
    let columns: Vec<(&str, &str)> = plain.into_iter().zip(titles.iter().map(String::as_str)).collect();
    ticks::shape(format, member, &columns, time_format)
}

fn table(path: &Path, mut table: Table, log: &mut Defects) -> Result<Found, ImportError> {
    if table.column(&["action"]).is_some() {
        return Err(ImportError::unfit("HIS-05", path, "a column `action`: these are orders, not trades"));
    }
    let (columns, maker) = find(&table)?;
    let titles = columns.map(|column| table.names[column].clone());
    let (mut raw, mut clock) = (Vec::new(), None);
    while let Some(cells) = table.next_row(log)? {
        let [time, id, side, price, quantity] = columns.map(|column| cells[column].as_str());
        if clock.is_none() {
            clock = Clock::of(time.as_bytes());
        }
        raw.extend(trade(table.row, &Texts { time, id, side, price, quantity }, clock.as_ref(), maker, &titles, log));
    }
    let time_format = clock.as_ref().map_or("", Clock::name);
    let shape = shape(table.format, table.member.clone(), &titles, time_format);
    Ok(Found { raw, titles, shape, rows: table.row })
}

/// Whether these are the columns of trades.
pub(crate) fn are_in(table: &Table) -> bool {
    table.column(&["action"]).is_none() && find(table).is_ok()
}

/// Whether the first lines of a JSON array are of trades: one of its values is a side.
pub(crate) fn are_in_json(lines: &[Vec<u8>]) -> bool {
    let has = |word: &[u8]| lines.iter().any(|line| line.windows(word.len()).any(|it| it == word));
    has(b"\"buy\"") || has(b"\"sell\"")
}

/// Columns of time, id, side, price, quantity; and whether the side is that of the maker being the buyer.
fn find(table: &Table) -> Result<([usize; 5], bool), ImportError> {
    let maker = table.column(&["buyermaker", "isbuyermaker", "m"]);
    let side = match maker {
        Some(column) => column,
        None => table.need("side", &["side", "takerside", "aggressor"])?,
    };
    let columns = [
        table.need("time", &["timestamp", "time", "transacttime", "date", "ts"])?,
        table.need("id", &["id", "tradeid", "aggtradeid"])?,
        side,
        table.need("price", &["price", "p"])?,
        table.need("quantity", &["amount", "quantity", "qty", "size", "q"])?,
    ];
    table.must_be_read(maker)?;
    Ok((columns, maker.is_some()))
}

/// Reads one trade; `None` if nothing can stand for it, which is logged.
fn trade(
    row: u64,
    cells: &Texts<'_>,
    clock: Option<&Clock>,
    maker: bool,
    titles: &Titles,
    log: &mut Defects,
) -> Option<RawTrade> {
    let stamp = clock.and_then(|clock| clock.read(cells.time.as_bytes(), None));
    if stamp.is_none() {
        let other_unit = matches!(clock, Some(Clock::Unix(_))) && whole_number(cells.time.as_bytes()).is_some();
        let code = if other_unit { "HIS-11" } else { "HIS-10" };
        log.push(Defect::error(code, row, &titles[0], cells.time).with(Effect::LeftOut));
    }
    let id = ticks::id(cells.id).map(TradeId);
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
fn json(path: &Path, mut lines: TextLines, packing: Packing, log: &mut Defects) -> Result<Found, ImportError> {
    let damaged = |error: serde_json::Error| {
        let code = if error.is_eof() { "HIS-03" } else { "HIS-02" };
        ImportError::unfit(code, path, format!("not a whole JSON array of trades: {error}"))
    };
    let text = lines.rest()?;
    let rows: Vec<Vec<&RawValue>> = serde_json::from_slice(&text).map_err(damaged)?;
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
        raw.extend(trade(count, &Texts { time, id, side, price, quantity }, Some(&clock), false, &titles, log));
    }
    let shape = shape(Format::Json, packing.member, &titles, clock.name());
    Ok(Found { raw, titles, shape, rows: count })
}

/// A trade in Binance's streams `trade` and `aggTrade`.
#[derive(Deserialize)]
struct TradeMessage<'a> {
    #[serde(borrow)]
    data: MessageTrade<'a>,
}

#[derive(Deserialize)]
struct MessageTrade<'a> {
    #[serde(rename = "T")]
    time: i64,
    /// Of a single trade its number.
    t: Option<u64>,
    /// Of aggregated trades their number, of a single one the order that sold.
    a: Option<u64>,
    p: &'a str,
    q: &'a str,
    m: bool,
}

fn messages(mut messages: Messages, log: &mut Defects) -> Result<Found, ImportError> {
    let titles = ["T", "t", "m", "p", "q"].map(str::to_owned);
    let clock = Clock::Unix(Unit::Millis);
    let (mut single, mut aggregated) = (Vec::new(), Vec::new());
    while let Some(message) = messages.next(log)? {
        let (row, body) = (message.row, message.body.as_str());
        let raw = match (body.contains("@trade\""), body.contains("@aggTrade\"")) {
            (true, _) => &mut single,
            (_, true) => &mut aggregated,
            _ => continue, // books and quotes are other data, not defects
        };
        match serde_json::from_str::<TradeMessage<'_>>(body) {
            Err(error) => ticks::no_json(row, body, &error, log),
            Ok(TradeMessage { data }) => {
                let id = data.t.or(data.a).map_or_else(String::new, |id| id.to_string());
                let time = data.time.to_string();
                let side = if data.m { "true" } else { "false" };
                let cells = Texts { time: &time, id: &id, side, price: data.p, quantity: data.q };
                raw.extend(trade(row, &cells, Some(&clock), true, &titles, log));
            }
        }
    }
    let raw = if single.is_empty() { aggregated } else { one_of(single, &aggregated, log) };
    let shape = shape(Format::Messages, messages.member, &titles, clock.name());
    Ok(Found { raw, titles, shape, rows: messages.row })
}

/// Single trades alone, where a recording has aggregated ones as well: both tell the same.
fn one_of(single: Vec<RawTrade>, aggregated: &[RawTrade], log: &mut Defects) -> Vec<RawTrade> {
    if let Some(first) = aggregated.first() {
        let defect = Defect::new("HIS-45", Severity::Note, first.row, "", aggregated.len().to_string());
        log.push(defect.saying("messages of aggregated trades beside those of single ones").with(Effect::LeftOut));
    }
    single
}
