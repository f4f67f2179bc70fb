//! Depth (L2): whole books and changes of books, price level by price level, in the order in which they apply.

use crate::build::{self, Finest, info};
use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::depth_files;
use crate::moment::Stamp;
use crate::number::Number;
use crate::read::FileHash;
use crate::rows::Shape;
use crate::{ImportError, ImportOptions, SourceInfo, stored, ticks};
use std::cmp::Reverse;
use std::path::Path;
use tradewind_domain::{InstrumentSpec, Price, Quantity, Side, Timestamp};

/// Depth of one instrument, in the order in which the updates apply to a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepthSeries {
    /// Whose book it is. Decimals are those of the finest number in the file, unless given.
    pub instrument: InstrumentSpec,
    /// Updates in the order in which they apply. That is the order of the file, or the other way round where it is newest first
    /// (HIS-23), but for a snapshot that was received before or after its place among raw messages (HIS-41). What stands
    /// before the first snapshot is older than it.
    pub updates: Vec<DepthUpdate>,
    /// Where they came from.
    pub source: SourceInfo,
    /// What is wrong with the file.
    pub defects: Defects,
}

/// One message of a depth feed: a whole book, or what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepthUpdate {
    /// Data row of the file in which it ends, from 1; of a series out of a catalog its place among the updates.
    pub row: u64,
    /// The venue's own time where every update of the file states one, else the time of receipt;
    /// [`SourceInfo::time_format`] says which.
    pub time: Timestamp,
    /// Whether it replaces the whole book.
    pub snapshot: bool,
    /// The first change of the venue's book that it holds.
    pub first_id: Option<u64>,
    /// The last change of the venue's book that it holds.
    pub last_id: Option<u64>,
    /// The last change of the update before it, where the venue says that.
    pub previous_id: Option<u64>,
    /// What rests at these prices now.
    pub levels: Vec<DepthLevel>,
}

/// What rests at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthLevel {
    /// Buy for bids, sell for asks.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much, absolute; zero removes the level.
    pub size: Quantity,
}

/// An update before it has its decimals.
pub(crate) struct RawUpdate {
    /// Row in which it ends.
    pub(crate) row: u64,
    pub(crate) stamp: Stamp,
    pub(crate) snapshot: bool,
    pub(crate) ids: Ids,
    pub(crate) levels: Vec<RawLevel>,
}

/// The venue's numbers of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) first: Option<u64>,
    pub(crate) last: Option<u64>,
    pub(crate) previous: Option<u64>,
}

pub(crate) struct RawLevel {
    pub(crate) row: u64,
    pub(crate) side: Side,
    pub(crate) price: Number,
    pub(crate) size: Number,
}

/// Updates as they were read, before they are judged.
pub(crate) struct Found {
    pub(crate) raw: Vec<RawUpdate>,
    /// Titles of price and size, for defects.
    pub(crate) titles: [String; 2],
    pub(crate) shape: Shape,
    pub(crate) rows: u64,
    /// Whether snapshots were asked for beside the stream of changes: only their ids tell where they belong.
    pub(crate) asked: bool,
    /// Whether a catalog kept them, which does so in the order of their application.
    pub(crate) kept: bool,
}

/// Reads a file of depth: tables of one level a row with a column that tells snapshots (Binance's archive, Tardis
/// `incremental_book_L2`), tables of one snapshot a row (Tardis `book_snapshot_25`), JSON lines of Bybit's order book, and
/// raw messages of Binance, one a line behind their receive time, with the snapshots among them. Each plain, in gzip, xz
/// or zip; the tables in Parquet and Feather as well.
///
/// # Errors
/// [`ImportError`], as [`crate::read_bars`].
pub fn read_depth(path: &Path, options: &ImportOptions) -> Result<DepthSeries, ImportError> {
    if let Some(series) = stored::read_file(path, options)? {
        return Ok(series);
    }
    let hash = FileHash::begin(path, options)?;
    let mut log = Defects::default();
    let found = depth_files::read(path, options, &mut log)?;
    let mut series = series(path, found, log, options)?;
    let missing = series.updates.is_empty().then_some("depth");
    ticks::must_hold(path, options, &series.defects, series.source.rows, missing)?;
    series.source.sha256 = hash.end()?;
    Ok(series)
}

/// Judges updates, puts snapshots in their places and gives the levels their decimals.
pub(crate) fn series(
    path: &Path,
    found: Found,
    mut log: Defects,
    options: &ImportOptions,
) -> Result<DepthSeries, ImportError> {
    let Found { mut raw, titles, shape, rows: count, asked, kept } = found;
    let mut finest = Finest::default();
    for level in raw.iter().flat_map(|update| &update.levels) {
        finest.price(level.price);
        finest.volume(level.size);
    }
    let decimals = finest.given(options);
    let newest_first = !kept && !ids_rise(&raw) && ticks::turn_round(&mut raw, |update| update.stamp, &mut log);
    if newest_first {
        raw.iter_mut().for_each(|update| update.levels.sort_by_key(|level| Reverse(level.row)));
    }
    let moved = if asked { place_snapshots(&mut raw, &mut log) } else { Vec::new() };
    let in_place = raw.iter().filter(|update| !moved.contains(&update.row));
    let rows = in_place.map(|update| (update.row, update.stamp));
    ticks::judge_order(rows, newest_first, Effect::Kept, &mut log);
    judge_ids(&raw, &mut log);
    let updates = raw.iter().map(|update| {
        judge_snapshot(update, &titles, &mut log);
        converted(update, decimals, &titles, &mut log)
    });
    let updates = updates.collect();
    log.sort();
    let instrument = build::instrument(path, shape.member.as_deref(), options, false, decimals)?;
    let source = SourceInfo { newest_first, ..info(path, &shape, count, options) };
    Ok(DepthSeries { instrument, updates, source, defects: log })
}

/// Whether the venue's own numbers say that the updates stand in their order, whatever their times say.
fn ids_rise(raw: &[RawUpdate]) -> bool {
    let pairs = raw.windows(2).filter_map(|pair| pair[0].ids.last.zip(pair[1].ids.last));
    let steps = pairs.map(|(before, after)| after.cmp(&before));
    let (rises, falls) = steps.fold((0_u64, 0_u64), |(rises, falls), step| {
        (rises + u64::from(step.is_gt()), falls + u64::from(step.is_lt()))
    });
    rises > falls
}

/// Moves each snapshot in front of the updates that are newer than it and were received before it, and behind older ones
/// that were received after it; returns the rows of those that were moved.
fn place_snapshots(raw: &mut [RawUpdate], log: &mut Defects) -> Vec<u64> {
    let mut moved = Vec::new();
    for at in 0..raw.len() {
        let Some(last) = raw[at].ids.last.filter(|_| raw[at].snapshot) else { continue };
        let is_change = |update: &RawUpdate| !update.snapshot && update.ids.last.is_some();
        let newer = raw[..at].iter().rev().take_while(|it| is_change(it) && it.ids.last > Some(last)).count();
        let older = raw[at + 1..].iter().take_while(|it| is_change(it) && it.ids.last <= Some(last)).count();
        let what = match (newer, older) {
            (0, 0) => continue,
            (0, _) => format!("{older} updates behind the snapshot are older than it"),
            (..) => format!("{newer} updates before the snapshot are newer than it"),
        };
        let defect = Defect::new("HIS-41", Severity::Note, raw[at].row, "", last.to_string());
        log.push(defect.saying(what).with(Effect::Sorted));
        moved.push(raw[at].row);
        if newer > 0 {
            raw[at - newer..=at].rotate_right(1);
        } else {
            raw[at..=at + older].rotate_left(1);
        }
    }
    moved
}

/// Whether each update follows the one before it, by the venue's own numbers.
fn judge_ids(raw: &[RawUpdate], log: &mut Defects) {
    for pair in raw.windows(2) {
        let (before, update) = (&pair[0], &pair[1]);
        let Some(last) = before.ids.last else { continue };
        let Some(first) = update.ids.first.or(update.ids.last) else { continue };
        let follows = match (update.snapshot, before.snapshot, update.ids.previous) {
            (true, ..) => true, // a new beginning, whatever was before
            // futures name the change before: one that the snapshot holds
            (_, true, Some(previous)) if previous <= last && update.ids.last > Some(last) => true,
            (_, true, _) => first <= last.saturating_add(1) && update.ids.last > Some(last),
            (.., Some(previous)) => previous == last,
            (.., None) if update.ids.first.is_none() => first > last, // all that is known: they rise
            (.., None) => first == last.saturating_add(1),
        };
        if !follows {
            let (value, named) = match update.ids.previous {
                Some(previous) if !before.snapshot => (previous, "names"),
                _ if update.ids.first.is_none() => (first, "ends with"),
                _ => (first, "begins with"),
            };
            let what = format!("the update {named} change {value}, and the one before it ends with {last}");
            log.push(Defect::error("HIS-40", update.row, "", value.to_string()).saying(what));
        }
    }
}

/// Bids of a snapshot fall, asks rise, each price once. The first level against that is named.
fn judge_snapshot(update: &RawUpdate, titles: &[String; 2], log: &mut Defects) {
    if !update.snapshot {
        return;
    }
    for side in [Side::Buy, Side::Sell] {
        let mut levels = update.levels.iter().filter(|level| level.side == side).peekable();
        while let Some(level) = levels.next() {
            let Some(next) = levels.peek() else { break };
            let order = crate::number::compare(next.price, level.price);
            let sound = if side == Side::Buy { order.is_lt() } else { order.is_gt() };
            if !sound {
                let what = format!("behind {} on the same side", level.price.text());
                let defect = Defect::new("HIS-39", Severity::Warning, next.row, &titles[0], next.price.text());
                log.push(defect.saying(format!("the levels of the snapshot are out of order: {what}")));
                break;
            }
        }
    }
}

fn converted(update: &RawUpdate, decimals: (u8, u8), titles: &[String; 2], log: &mut Defects) -> DepthUpdate {
    let mut levels = Vec::with_capacity(update.levels.len());
    for level in &update.levels {
        ticks::judge_price(level.price, level.row, &titles[0], log);
        if level.size.mantissa < 0 {
            log.push(Defect::error("HIS-17", level.row, &titles[1], level.size.text()).with(Effect::LeftOut));
            continue; // no book can hold it
        }
        let price = ticks::mantissa(level.price, decimals.0, level.row, &titles[0], log);
        let size = ticks::mantissa(level.size, decimals.1, level.row, &titles[1], log);
        if let (Some(price), Some(size)) = (price, size) {
            let (price, size) = (Price::from_mantissa(price), Quantity::from_mantissa(size));
            levels.push(DepthLevel { side: level.side, price, size });
        }
    }
    DepthUpdate {
        row: update.row,
        time: Timestamp::from_nanos(update.stamp.utc),
        snapshot: update.snapshot,
        first_id: update.ids.first,
        last_id: update.ids.last,
        previous_id: update.ids.previous,
        levels,
    }
}

impl DepthSeries {
    /// The updates that a book is made of: from the first snapshot on, or all where there is none.
    #[must_use]
    pub fn playable(&self) -> &[DepthUpdate] {
        let from = self.updates.iter().position(|update| update.snapshot).unwrap_or(0);
        &self.updates[from..]
    }
}
