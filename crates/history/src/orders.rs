//! Order-by-order books (L3): each order as it is added, changed and deleted.

use crate::build::{self, Finest, info};
use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::moment::{Clock, Stamp};
use crate::number::{MAX_DECIMALS, Number};
use crate::read::FileHash;
use crate::rows::{Shape, plain_name};
use crate::table::Table;
use crate::ticks::{self, Cells, Opened};
use crate::{ImportError, ImportOptions, SourceInfo, csv, stored};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;
use tradewind_domain::{InstrumentSpec, Price, Quantity, Side, Timestamp};

/// What happened to the orders of one instrument's book, in the order of the file, or against it where the file is newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSeries {
    /// Whose book it is. Decimals are those of the finest number in the file, unless given.
    pub instrument: InstrumentSpec,
    /// When, and what happened.
    pub events: Vec<(Timestamp, OrderEvent)>,
    /// Where they came from.
    pub source: SourceInfo,
    /// What is wrong with the file.
    pub defects: Defects,
}

/// One thing that happened to one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// Data row of the file, from 1; of a series out of a catalog its place among the events.
    pub row: u64,
    /// The venue's name of the order: a number, or the 128 bits of a UUID.
    pub id: u128,
    /// What happened.
    pub action: OrderAction,
    /// Buy for bids, sell for asks.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// What is left of it; of a deleted order what was left when it went, zero if it was filled.
    pub size: Quantity,
}

/// What can happen to an order on a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAction {
    /// It came to rest.
    Added,
    /// Its size or price is another now.
    Changed,
    /// It rests no more: filled or cancelled.
    Deleted,
}

/// An event before it has its decimals.
pub(crate) struct RawEvent {
    pub(crate) row: u64,
    pub(crate) stamp: Stamp,
    /// When the order was placed, where the file says that.
    pub(crate) placed: Option<Stamp>,
    pub(crate) id: u128,
    pub(crate) action: OrderAction,
    pub(crate) side: Side,
    pub(crate) price: Number,
    pub(crate) size: Number,
}

/// Events as they were read, before they are judged.
pub(crate) struct Found {
    pub(crate) raw: Vec<RawEvent>,
    /// Titles of id, action, side, price and size, for defects.
    pub(crate) titles: [String; 5],
    pub(crate) shape: Shape,
    pub(crate) rows: u64,
    /// Whether a catalog kept them, which does so in the order of their application.
    pub(crate) kept: bool,
}

/// Reads a file of orders: a table with columns of id, time, price, size (or `volume`), action and side (or `direction`),
/// plain, in gzip, xz or zip, Parquet or Feather. In the layout of the ob-analytics recordings of Bitstamp, which have a
/// column `exchange.timestamp`, whole volumes are hundred-millionths.
///
/// # Errors
/// [`ImportError`], as [`crate::read_bars`].
pub fn read_orders(path: &Path, options: &ImportOptions) -> Result<OrderSeries, ImportError> {
    if let Some(series) = stored::read_file(path, options)? {
        return Ok(series);
    }
    let hash = FileHash::begin(path, options)?;
    let mut log = Defects::default();
    let zone = csv::zone_of(path, options)?;
    let table = match ticks::open(path, options)? {
        Opened::Text(lines, packing) => Table::of_text(path, lines, packing)?,
        Opened::Columns(format, schema, batches) => Table::of_columns(path, format, &schema, batches),
        Opened::Messages(..) | Opened::JsonLines(..) | Opened::JsonArray(..) => {
            return Err(ImportError::unfit("HIS-05", path, "no table of orders"));
        }
    };
    let found = events(table, zone.as_ref(), &mut log)?;
    let mut series = series(path, found, log, options)?;
    let missing = series.events.is_empty().then_some("order");
    ticks::must_hold(path, options, &series.defects, series.source.rows, missing)?;
    series.source.sha256 = hash.end()?;
    Ok(series)
}

/// Judges events and gives them their decimals.
pub(crate) fn series(
    path: &Path,
    found: Found,
    mut log: Defects,
    options: &ImportOptions,
) -> Result<OrderSeries, ImportError> {
    let Found { mut raw, titles, shape, rows: count, kept } = found;
    let mut finest = Finest::default();
    for event in &raw {
        finest.price(event.price);
        finest.volume(event.size);
    }
    let decimals = finest.given(options);
    let newest_first = !kept && ticks::turn_round(&mut raw, |event| event.stamp, &mut log);
    let rows = raw.iter().map(|event| (event.row, event.stamp));
    ticks::judge_order(rows, newest_first, Effect::Kept, &mut log);
    judge_lives(&raw, &titles, &mut log);
    let mut events = Vec::with_capacity(raw.len());
    for event in &raw {
        judge_numbers(event, &titles, &mut log);
        let price = ticks::mantissa(event.price, decimals.0, event.row, &titles[3], &mut log);
        let size = ticks::mantissa(event.size, decimals.1, event.row, &titles[4], &mut log);
        let (Some(price), Some(size)) = (price, size) else { continue };
        let (price, size) = (Price::from_mantissa(price), Quantity::from_mantissa(size));
        let RawEvent { row, id, action, side, .. } = *event;
        let time = Timestamp::from_nanos(event.stamp.utc);
        events.push((time, OrderEvent { row, id, action, side, price, size }));
    }
    log.sort();
    let instrument = build::instrument(path, shape.member.as_deref(), options, false, decimals)?;
    let source = SourceInfo { newest_first, ..info(path, &shape, count, options) };
    Ok(OrderSeries { instrument, events, source, defects: log })
}

fn judge_numbers(event: &RawEvent, titles: &[String; 5], log: &mut Defects) {
    ticks::judge_price(event.price, event.row, &titles[3], log);
    let size = event.size.mantissa;
    if size < 0 {
        log.push(Defect::error("HIS-17", event.row, &titles[4], event.size.text()));
    } else if size == 0 && event.action != OrderAction::Deleted {
        let what = "an order of nothing rests nowhere";
        log.push(Defect::error("HIS-43", event.row, &titles[4], event.size.text()).saying(what));
    }
}

/// Whether each order is added once, keeps its side, and rests when it is changed or deleted.
///
/// Of an order that was placed before the recording began the adding cannot be in it: a warning, not an error.
fn judge_lives(raw: &[RawEvent], titles: &[String; 5], log: &mut Defects) {
    let Some(began) = raw.first().map(|event| event.stamp.utc) else { return };
    let mut resting = BTreeMap::<u128, Side>::new();
    for event in raw {
        let (row, id) = (event.row, event.id.to_string());
        let before = resting.get(&event.id).copied();
        match (event.action, before) {
            (OrderAction::Added, Some(_)) => {
                log.push(
                    Defect::error("HIS-43", row, &titles[0], id).saying("the order is added, and it rests already"),
                );
            }
            (OrderAction::Changed | OrderAction::Deleted, None) => {
                let older = event.placed.is_none_or(|placed| placed.utc < began);
                let defect = if older {
                    Defect::new("HIS-42", Severity::Warning, row, &titles[0], id)
                } else {
                    let what = "no order of this id rests, though it was placed during the recording";
                    Defect::error("HIS-42", row, &titles[0], id).saying(what)
                };
                log.push(defect);
            }
            (_, Some(side)) if side != event.side => {
                let word = if event.side == Side::Buy { "bid" } else { "ask" };
                log.push(
                    Defect::error("HIS-43", row, &titles[2], word).saying("the order was on the other side before"),
                );
            }
            _ => {}
        }
        match event.action {
            OrderAction::Added | OrderAction::Changed => drop(resting.insert(event.id, event.side)),
            OrderAction::Deleted => drop(resting.remove(&event.id)),
        }
    }
}

/// Whether these are the columns of orders.
pub(crate) fn are_in(table: &Table) -> bool {
    Columns::of(table).is_ok()
}

/// The columns of a table of orders.
struct Columns {
    time: usize,
    placed: Option<usize>,
    id: usize,
    action: usize,
    side: usize,
    price: usize,
    size: usize,
}

impl Columns {
    fn of(table: &Table) -> Result<Self, ImportError> {
        let columns = Self {
            action: table.need("action", &["action"])?,
            id: table.need("id", &["id", "orderid"])?,
            time: table.need("time", &["timestamp", "time", "ts", "tsevent"])?,
            placed: table.column(&["exchangetimestamp"]),
            side: table.need("side", &["direction", "side"])?,
            price: table.need("price", &["price"])?,
            size: table.need("size", &["volume", "size", "amount", "quantity", "qty"])?,
        };
        table.must_be_read(columns.placed)?;
        Ok(columns)
    }
}

fn events(mut table: Table, zone: Option<&TimeZone>, log: &mut Defects) -> Result<Found, ImportError> {
    let columns = Columns::of(&table)?;
    let names = table.names.clone();
    let (mut raw, mut clock) = (Vec::new(), None);
    while let Some(cells) = table.next_row(log)? {
        let mut row = Cells { row: table.row, cells: &cells, titles: &names, log };
        raw.extend(event(&mut row, &columns, &mut clock, zone));
    }
    let in_satoshis = plain_name(&names[columns.size]) == "volume" && columns.placed.is_some();
    if in_satoshis && raw.iter().all(|event| event.size.decimals == 0) {
        raw.iter_mut().for_each(|event| event.size = Number::new(event.size.mantissa, MAX_DECIMALS).trimmed());
    }
    let titles = [columns.id, columns.action, columns.side, columns.price, columns.size].map(|it| names[it].clone());
    let [id, action, side, price, size] = titles.each_ref().map(String::as_str);
    let time = names[columns.time].as_str();
    let described = [("time", time), ("id", id), ("action", action), ("side", side), ("price", price), ("size", size)];
    let time_format = clock.as_ref().map_or("", Clock::name);
    let shape = ticks::shape(table.format, table.member.clone(), &described, time_format);
    Ok(Found { raw, titles, shape, rows: table.row, kept: false })
}

/// One row; `None` if nothing can stand for it, which is noted.
fn event(
    row: &mut Cells<'_>,
    columns: &Columns,
    clock: &mut Option<Clock>,
    zone: Option<&TimeZone>,
) -> Option<RawEvent> {
    let stamp = row.time(columns.time, clock, zone);
    let id = ticks::id(row.text(columns.id));
    if id.is_none() {
        row.fault("HIS-36", columns.id, Some("no number or UUID"));
    }
    let action = action(row.text(columns.action));
    if action.is_none() {
        row.fault("HIS-36", columns.action, Some("neither added, changed nor deleted"));
    }
    let side = row.side(columns.side);
    let (price, size) = (row.number(columns.price), row.number(columns.size));
    let placed = columns.placed.and_then(|column| clock.as_ref()?.read(row.text(column).as_bytes(), zone));
    Some(RawEvent {
        row: row.row,
        stamp: stamp?,
        placed,
        id: id?,
        action: action?,
        side: side?,
        price: price?,
        size: size?,
    })
}

fn action(text: &str) -> Option<OrderAction> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["created", "added", "add", "open", "new"]) {
        Some(OrderAction::Added)
    } else if is(&["changed", "change", "modified", "modify", "update"]) {
        Some(OrderAction::Changed)
    } else if is(&["deleted", "delete", "cancelled", "cancel", "removed", "remove"]) {
        Some(OrderAction::Deleted)
    } else {
        None
    }
}
