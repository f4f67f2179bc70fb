//! How depth is written: tables of one level a row, tables of one snapshot a row, and what venues send.

use crate::defects::Defects;
use crate::depth::{Found, Ids, RawLevel, RawUpdate};
use crate::moment::Clock;
use crate::table::Table;
use crate::ticks::{self, Cells, Messages, Opened};
use crate::{ImportError, ImportOptions, csv, depth_messages};
use jiff::tz::TimeZone;
use std::path::Path;
use tradewind_domain::Side;

/// Reads the updates of a file in its own order.
pub(crate) fn read(path: &Path, options: &ImportOptions, log: &mut Defects) -> Result<Found, ImportError> {
    let zone = csv::zone_of(path, options)?;
    let table = match ticks::open(path, options)? {
        Opened::Messages(lines, packing) => return depth_messages::binance(Messages::new(lines, packing), log),
        Opened::JsonLines(lines, packing) => return depth_messages::bybit(path, lines, packing, log),
        Opened::JsonArray(..) => return Err(ImportError::unfit("HIS-05", path, "a JSON array of no depth")),
        Opened::Text(lines, packing) => Table::of_text(path, lines, packing)?,
        Opened::Columns(format, schema, batches) => Table::of_columns(path, format, &schema, batches),
    };
    if is_of_snapshots(&table) { snapshots(table, zone.as_ref(), log) } else { levels(path, table, zone.as_ref(), log) }
}

/// Whether these are the columns of depth.
pub(crate) fn is_in(table: &Table) -> bool {
    is_of_snapshots(table) || LevelColumns::of(table).is_ok()
}

fn is_of_snapshots(table: &Table) -> bool {
    table.column(&["asks0price"]).is_some()
}

/// The columns of a table of one level a row.
struct LevelColumns {
    time: usize,
    side: usize,
    price: usize,
    size: usize,
    /// `is_snapshot` or `update_type`.
    kind: usize,
    /// First, last and previous update id.
    ids: [Option<usize>; 3],
    /// All whose equality makes two rows of one update.
    same: Vec<usize>,
}

impl LevelColumns {
    fn of(table: &Table) -> Result<Self, ImportError> {
        let time = table.need("time", &["timestamp", "time", "ts", "tsevent"])?;
        let kind = table.need("is_snapshot", &["issnapshot", "updatetype", "snapshot"])?;
        let ids = [
            table.column(&["firstupdateid", "firstid"]),
            table.column(&["lastupdateid", "lastid"]),
            table.column(&["pu", "previousupdateid", "previousid"]),
        ];
        table.must_be_read(ids.into_iter().flatten())?;
        let received = table.column(&["localtimestamp", "receivetime"]);
        let same = [time, kind].into_iter().chain(received).chain(ids.into_iter().flatten()).collect();
        Ok(Self {
            time,
            side: table.need("side", &["side"])?,
            price: table.need("price", &["price"])?,
            size: table.need("size", &["amount", "qty", "quantity", "size"])?,
            kind,
            ids,
            same,
        })
    }
}

/// One level a row; rows next to each other that agree in time, kind and ids are one update.
fn levels(path: &Path, mut table: Table, zone: Option<&TimeZone>, log: &mut Defects) -> Result<Found, ImportError> {
    let columns = LevelColumns::of(&table)?;
    let names = table.names.clone();
    let (mut raw, mut clock): (Vec<RawUpdate>, _) = (Vec::new(), None);
    let mut last: Option<Vec<String>> = None;
    while let Some(cells) = table.next_row(log)? {
        let mut row = Cells { row: table.row, cells: &cells, titles: &names, log };
        let stamp = row.time(columns.time, &mut clock, zone);
        let (snapshot, ids) = (kind(&mut row, columns.kind), ids(&mut row, columns.ids));
        let level = level(&mut row, &columns);
        let (Some(stamp), Some(snapshot), Some(ids)) = (stamp, snapshot, ids) else { continue };
        let same = |other: &Vec<String>| columns.same.iter().all(|column| other[*column] == cells[*column]);
        match raw.last_mut().filter(|_| last.as_ref().is_some_and(same)) {
            Some(update) => {
                update.row = table.row;
                update.levels.extend(level);
            }
            None => raw.push(RawUpdate { row: table.row, stamp, snapshot, ids, levels: level.into_iter().collect() }),
        }
        last = Some(cells);
    }
    if table.row == 0 {
        return Err(ImportError::unfit("HIS-06", path, "the file holds a header and no rows"));
    }
    let [time, side, price, size] = [columns.time, columns.side, columns.price, columns.size].map(|it| &names[it]);
    let described = [("time", time), ("side", side), ("price", price), ("size", size)];
    let described = described.map(|(plain, title)| (plain, title.as_str()));
    let time_format = clock.as_ref().map_or("", Clock::name);
    let shape = ticks::shape(table.format, table.member.clone(), &described, time_format);
    Ok(Found { raw, titles: [price.clone(), size.clone()], shape, rows: table.row, asked: false, kept: false })
}

/// Whether the row is of a snapshot.
fn kind(row: &mut Cells<'_>, column: usize) -> Option<bool> {
    let kind = match row.text(column).to_ascii_lowercase().as_str() {
        "true" | "1" | "snap" | "snapshot" => Some(true),
        "false" | "0" | "set" | "update" | "delta" => Some(false),
        _ => None,
    };
    if kind.is_none() {
        row.fault("HIS-36", column, Some("neither snapshot nor update"));
    }
    kind
}

/// The update ids of a row; empty and negative ones are none.
fn ids(row: &mut Cells<'_>, columns: [Option<usize>; 3]) -> Option<Ids> {
    let mut found = [None; 3];
    for (id, column) in found.iter_mut().zip(columns) {
        let Some(column) = column else { continue };
        let text = row.text(column);
        if text.is_empty() || text == "-1" {
            continue;
        }
        *id = text.parse().ok();
        if id.is_none() {
            row.fault("HIS-36", column, Some("no update id"));
            return None;
        }
    }
    Some(Ids { first: found[0], last: found[1], previous: found[2] })
}

fn level(row: &mut Cells<'_>, columns: &LevelColumns) -> Option<RawLevel> {
    let side = row.side(columns.side);
    let (price, size) = (row.number(columns.price), row.number(columns.size));
    Some(RawLevel { row: row.row, side: side?, price: price?, size: size? })
}

/// One snapshot a row: `asks[0].price, asks[0].amount, bids[0].price, bids[0].amount` and so on. A level whose cells are
/// both empty is none: the book is not that deep.
fn snapshots(mut table: Table, zone: Option<&TimeZone>, log: &mut Defects) -> Result<Found, ImportError> {
    let time = table.need("time", &["timestamp", "time", "ts"])?;
    let names = table.names.clone();
    let mut columns = Vec::new();
    for (side, word) in [(Side::Sell, "asks"), (Side::Buy, "bids")] {
        for depth in 0.. {
            let column = |what: &str| table.column(&[format!("{word}{depth}{what}").as_str()]);
            let Some((price, size)) = column("price").zip(column("amount")) else { break };
            columns.push((side, price, size));
        }
    }
    table.must_be_read(columns.iter().flat_map(|(_, price, size)| [*price, *size]))?;
    let (mut raw, mut clock) = (Vec::new(), None);
    while let Some(cells) = table.next_row(log)? {
        let mut row = Cells { row: table.row, cells: &cells, titles: &names, log };
        let Some(stamp) = row.time(time, &mut clock, zone) else { continue };
        let mut levels = Vec::with_capacity(columns.len());
        for (side, price, size) in &columns {
            if row.text(*price).is_empty() && row.text(*size).is_empty() {
                continue;
            }
            if let (Some(price), Some(size)) = (row.number(*price), row.number(*size)) {
                levels.push(RawLevel { row: row.row, side: *side, price, size });
            }
        }
        raw.push(RawUpdate { row: table.row, stamp, snapshot: true, ids: Ids::default(), levels });
    }
    let time_format = clock.as_ref().map_or("", Clock::name);
    let described = [("time", names[time].as_str()), ("price", "asks[0].price …"), ("size", "asks[0].amount …")];
    let shape = ticks::shape(table.format, table.member.clone(), &described, time_format);
    Ok(Found { raw, titles: ["price", "amount"].map(str::to_owned), shape, rows: table.row, asked: false, kept: false })
}
