//! Quotes: the best bid and ask with their sizes, from tables and from recorded raw messages of Binance.

use crate::build::{self, Finest, info};
use crate::defect::{Defect, Effect};
use crate::defects::Defects;
use crate::model::BY_POSITION;
use crate::moment::{Clock, Stamp, Unit};
use crate::number::{self, Number};
use crate::read::FileHash;
use crate::rows::Shape;
use crate::stored;
use crate::table::Table;
use crate::ticks::{self, Cells, Messages, Opened};
use crate::{Format, ImportError, ImportOptions, SourceInfo, csv};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::path::Path;
use tradewind_domain::{InstrumentSpec, Price, Quantity, Quote, Timestamp};

/// Quotes of one instrument, ascending in time; those of one moment in the order of the file, or against it where the file is
/// newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteSeries {
    /// What was quoted. Decimals are those of the finest number in the file, unless given.
    pub instrument: InstrumentSpec,
    /// When, and the quote. The time is the venue's own where every row of the file states one, else the time of receipt;
    /// [`SourceInfo::time_format`] says which. Sizes read 0 where [`SourceInfo::volume`] is absent.
    pub quotes: Vec<(Timestamp, Quote)>,
    /// Where they came from.
    pub source: SourceInfo,
    /// What is wrong with the file.
    pub defects: Defects,
}

/// A quote before it has its decimals.
pub(crate) struct RawQuote {
    pub(crate) row: u64,
    pub(crate) stamp: Stamp,
    /// Bid and ask.
    pub(crate) prices: [Number; 2],
    /// Sizes at bid and ask; `None` where the file gives none.
    pub(crate) sizes: Option<[Number; 2]>,
}

/// Titles of bid, ask, size of the bid, size of the ask, for defects.
type Titles = [String; 4];

/// Quotes as they were read, before they are judged.
pub(crate) struct Found {
    pub(crate) raw: Vec<RawQuote>,
    pub(crate) titles: Titles,
    pub(crate) shape: Shape,
    pub(crate) rows: u64,
}

/// Reads a file of quotes: a table (CSV plain, in gzip, xz or zip; Parquet; Feather) with columns of time, bid and ask,
/// and of their sizes if it has them; rows `time, bid, ask[, volume]` without a header; or `bookTicker` messages of
/// Binance, one a line behind their receive time.
///
/// A crossed or locked quote is kept and marked.
///
/// # Errors
/// [`ImportError`], as [`crate::read_bars`].
pub fn read_quotes(path: &Path, options: &ImportOptions) -> Result<QuoteSeries, ImportError> {
    if let Some(series) = stored::read_file(path, options)? {
        return Ok(series);
    }
    let hash = FileHash::begin(path, options)?;
    let mut log = Defects::default();
    let zone = csv::zone_of(path, options)?;
    let found = match ticks::open(path, options)? {
        Opened::Messages(lines, packing) => messages(Messages::new(lines, packing), &mut log)?,
        Opened::Text(lines, packing) => table(path, Table::of_text(path, lines, packing)?, zone.as_ref(), &mut log)?,
        Opened::Columns(format, schema, batches) => {
            table(path, Table::of_columns(path, format, &schema, batches), zone.as_ref(), &mut log)?
        }
        Opened::JsonLines(..) | Opened::JsonArray(..) => {
            return Err(ImportError::unfit("HIS-05", path, "JSON of no kind that holds quotes"));
        }
    };
    let mut series = series(path, found, log, options)?;
    let missing = series.quotes.is_empty().then_some("quote");
    ticks::must_hold(path, options, &series.defects, series.source.rows, missing)?;
    series.source.sha256 = hash.end()?;
    Ok(series)
}

/// Judges quotes and gives them their decimals.
pub(crate) fn series(
    path: &Path,
    found: Found,
    mut log: Defects,
    options: &ImportOptions,
) -> Result<QuoteSeries, ImportError> {
    let Found { mut raw, titles, shape, rows: count } = found;
    let mut finest = Finest::default();
    for quote in &raw {
        quote.prices.into_iter().for_each(|price| finest.price(price));
        quote.sizes.into_iter().flatten().for_each(|size| finest.volume(size));
    }
    let decimals = finest.given(options);
    let newest_first = ticks::turn_round(&mut raw, |quote| quote.stamp, &mut log);
    let rows = raw.iter().map(|quote| (quote.row, quote.stamp));
    ticks::judge_order(rows, newest_first, Effect::Sorted, &mut log);
    raw.sort_by_key(|quote| quote.stamp.utc);
    let quote = |raw: &RawQuote| {
        judge(raw, &titles, &mut log);
        quote(raw, decimals, &titles, options, &mut log).map(|quote| (Timestamp::from_nanos(raw.stamp.utc), quote))
    };
    let quotes = raw.iter().filter_map(quote).collect();
    if !shape.has_volume {
        log.no_volume(0, "", "no sizes");
    }
    log.sort();
    let instrument = build::instrument(path, shape.member.as_deref(), options, false, decimals)?;
    let source = SourceInfo { newest_first, ..info(path, &shape, count, options) };
    Ok(QuoteSeries { instrument, quotes, source, defects: log })
}

fn judge(raw: &RawQuote, titles: &Titles, log: &mut Defects) {
    for (price, title) in raw.prices.into_iter().zip(titles) {
        ticks::judge_price(price, raw.row, title, log);
    }
    for (size, title) in raw.sizes.into_iter().flatten().zip(&titles[2..]) {
        if size.mantissa < 0 {
            log.push(Defect::error("HIS-17", raw.row, title, size.text()));
        }
    }
    let [bid, ask] = raw.prices;
    match number::compare(bid, ask) {
        std::cmp::Ordering::Less => {}
        order => log.push(Defect::of_touch(order, raw.row, &titles[0], &bid.text(), &ask.text())),
    }
}

fn quote(
    raw: &RawQuote,
    (prices, sizes): (u8, u8),
    titles: &Titles,
    options: &ImportOptions,
    log: &mut Defects,
) -> Option<Quote> {
    let mut mantissas = [0; 4];
    let numbers = raw.prices.into_iter().chain(raw.sizes.into_iter().flatten());
    for (index, number) in numbers.enumerate() {
        let places = if index < 2 { prices } else { sizes };
        mantissas[index] = ticks::mantissa(number, places, raw.row, &titles[index], log)?;
    }
    let [bid, ask, bid_size, ask_size] = mantissas;
    Some(Quote {
        instrument: options.id,
        bid: Price::from_mantissa(bid),
        bid_size: Quantity::from_mantissa(bid_size),
        ask: Price::from_mantissa(ask),
        ask_size: Quantity::from_mantissa(ask_size),
    })
}

/// Whether these are the columns of quotes. Numbers without names and with days alone may be anything, such as factors.
pub(crate) fn are_in(path: &Path, table: &Table) -> bool {
    let of_days =
        |rows: &[Vec<String>]| rows.iter().any(|row| row.first().is_some_and(|day| day.len() <= "19980102".len()));
    !table.headless().is_some_and(of_days) && Columns::of(path, table).is_ok()
}

/// Columns of time, bid, ask, and of the sizes of bid and ask.
struct Columns {
    time: usize,
    bid: usize,
    ask: usize,
    sizes: Option<[usize; 2]>,
}

impl Columns {
    fn of(path: &Path, table: &Table) -> Result<Self, ImportError> {
        if let Some(first) = table.headless() {
            return Self::by_position(path, first);
        }
        let bid_size = table.column(&["bidsize", "bidamount", "bidqty", "bidquantity", "bidvolume"]);
        let ask_size = table.column(&["asksize", "askamount", "askqty", "askquantity", "askvolume"]);
        table.must_be_read([bid_size, ask_size].into_iter().flatten())?;
        Ok(Self {
            time: table.need("time", &["timestamp", "time", "datetime", "date", "ts", "tsevent", "transacttime"])?,
            bid: table.need("bid", &["bid", "bidprice", "bestbid", "bestbidprice"])?,
            ask: table.need("ask", &["ask", "askprice", "bestask", "bestaskprice"])?,
            sizes: bid_size.zip(ask_size).map(|(bid, ask)| [bid, ask]),
        })
    }

    /// `time, bid, ask`, and perhaps a volume that is nobody's size. In most of the first rows the ask is as high as the bid
    /// and below twice of it, which a price and an amount hardly ever are.
    fn by_position(path: &Path, rows: &[Vec<String>]) -> Result<Self, ImportError> {
        let number = |cell: &String| cell.parse::<f64>().ok().filter(|number| number.is_finite());
        let near = |bid: &String, ask: &String| {
            number(bid).zip(number(ask)).is_some_and(|(bid, ask)| bid > 0.0 && bid <= ask && ask < 2.0 * bid)
        };
        let is_quote = |row: &&Vec<String>| match row.as_slice() {
            [time, bid, ask] => near(bid, ask) && Clock::of(time.as_bytes()).is_some(),
            [time, bid, ask, volume] => {
                near(bid, ask) && number(volume).is_some() && Clock::of(time.as_bytes()).is_some()
            }
            _ => false,
        };
        if rows.iter().filter(is_quote).count() * 2 <= rows.len() {
            let text = rows.first().map_or_else(String::new, |first| ticks::shown(&first.join(",")));
            return Err(ImportError::unfit("HIS-46", path, format!("no header, and no time, bid and ask: `{text}`")));
        }
        Ok(Self { time: 0, bid: 1, ask: 2, sizes: None })
    }
}

fn table(path: &Path, mut table: Table, zone: Option<&TimeZone>, log: &mut Defects) -> Result<Found, ImportError> {
    let columns = Columns::of(path, &table)?;
    let mut names = table.names.clone();
    if names.is_empty() {
        names = ["time", "bid", "ask", "volume"].map(str::to_owned).to_vec();
    }
    let (mut raw, mut clock) = (Vec::new(), None);
    while let Some(cells) = table.next_row(log)? {
        let mut row = Cells { row: table.row, cells: &cells, titles: &names, log };
        raw.extend(quote_of(&mut row, &columns, &mut clock, zone));
    }
    let used = [columns.time, columns.bid, columns.ask].into_iter().chain(columns.sizes.into_iter().flatten());
    let used: Vec<&str> = used.map(|column| names[column].as_str()).collect();
    let titled = |title| if table.names.is_empty() { BY_POSITION } else { title };
    let described: Vec<(&str, &str)> =
        ["time", "bid", "ask", "bid size", "ask size"].into_iter().zip(used.iter().copied().map(titled)).collect();
    let time_format = clock.as_ref().map_or("", Clock::name);
    let mut shape = ticks::shape(table.format, table.member.clone(), &described, time_format);
    shape.has_volume = columns.sizes.is_some();
    let title = |at: usize| used.get(at).map_or_else(String::new, |title| (*title).to_owned());
    let titles = [title(1), title(2), title(3), title(4)];
    Ok(Found { raw, titles, shape, rows: table.row })
}

/// One row; `None` if nothing can stand for it, which is noted.
fn quote_of(
    row: &mut Cells<'_>,
    columns: &Columns,
    clock: &mut Option<Clock>,
    zone: Option<&TimeZone>,
) -> Option<RawQuote> {
    let stamp = row.time(columns.time, clock, zone);
    let prices = [row.number(columns.bid), row.number(columns.ask)];
    let sizes = columns.sizes.map(|sizes| sizes.map(|column| row.number(column)));
    let sizes = match sizes {
        None => None,
        Some([bid, ask]) => Some([bid?, ask?]),
    };
    Some(RawQuote { row: row.row, stamp: stamp?, prices: [prices[0]?, prices[1]?], sizes })
}

/// A message of Binance's stream `bookTicker`.
#[derive(Deserialize)]
struct Ticker<'a> {
    #[serde(borrow)]
    data: TickerData<'a>,
}

#[derive(Deserialize)]
struct TickerData<'a> {
    #[serde(rename = "T")]
    traded: Option<i64>,
    #[serde(rename = "E")]
    event: Option<i64>,
    #[serde(rename = "b")]
    bid: &'a str,
    #[serde(rename = "B")]
    bid_size: &'a str,
    #[serde(rename = "a")]
    ask: &'a str,
    #[serde(rename = "A")]
    ask_size: &'a str,
}

fn messages(mut messages: Messages, log: &mut Defects) -> Result<Found, ImportError> {
    let titles = ["b", "a", "B", "A"].map(str::to_owned);
    let (mut raw, mut times) = (Vec::new(), Vec::new());
    while let Some(message) = messages.next(log)? {
        if !message.body.contains("@bookTicker\"") {
            continue; // books and trades are other data, not defects
        }
        let data = match serde_json::from_str::<Ticker<'_>>(&message.body) {
            Ok(ticker) => ticker.data,
            Err(error) => {
                ticks::no_json(message.row, &message.body, &error, log);
                continue;
            }
        };
        let texts = [data.bid, data.ask, data.bid_size, data.ask_size];
        let mut number = |at: usize| ticks::number(message.row, &titles[at], texts[at], log);
        let [Some(bid), Some(ask), Some(bid_size), Some(ask_size)] = [number(0), number(1), number(2), number(3)]
        else {
            continue;
        };
        let stamp = Stamp { utc: message.received, offset: 0 };
        let (prices, sizes) = ([bid, ask], Some([bid_size, ask_size]));
        raw.push(RawQuote { row: message.row, stamp, prices, sizes });
        times.push(data.traded.or(data.event).and_then(|millis| Unit::Millis.read(millis)));
    }
    let time_format = use_venue_times(raw.iter_mut().map(|quote| &mut quote.stamp), &times);
    let described = [("time", "T"), ("bid", "b"), ("ask", "a"), ("bid size", "B"), ("ask size", "A")];
    let shape = ticks::shape(Format::Messages, messages.member, &described, time_format);
    Ok(Found { raw, titles, shape, rows: messages.row })
}

/// Puts the venue's own times in the place of the times of receipt, if every message states one: two clocks in one series
/// would be out of order.
pub(crate) fn use_venue_times<'a>(stamps: impl Iterator<Item = &'a mut Stamp>, times: &[Option<i64>]) -> &'static str {
    if times.iter().any(Option::is_none) {
        return "time of receipt, Unix nanoseconds";
    }
    for (stamp, time) in stamps.zip(times.iter().flatten()) {
        stamp.utc = *time;
    }
    Unit::Millis.name()
}
