//! `tradewind data import`: what a file holds, into the catalog.

use super::{play, symbol_of, watched};
use crate::cli::TimeArgs;
use crate::output::{self, Failure, Format, counted};
use crate::signals::HalfWritten;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tradewind_domain::{InstrumentSpec, Origin, Timestamp};
use tradewind_history::{
    BarSeries, Catalog, CatalogError, Dataset, FactorFile, GapKind, ImportOptions, OnDefect, Series, SourceInfo,
    TickSet, VolumeKind, adjust, read_bars, read_series,
};

/// What is to be stored, and how.
pub(super) struct Import<'a> {
    pub(super) file: &'a Path,
    pub(super) symbol: Option<&'a str>,
    pub(super) times: &'a TimeArgs,
    pub(super) catalog: &'a Path,
    pub(super) factors: Option<&'a Path>,
    pub(super) accept_defects: bool,
    pub(super) replace: bool,
}

pub(super) fn run(args: &Import<'_>, format: Format) -> Result<ExitCode, Failure> {
    let on_defect = if args.accept_defects { OnDefect::Report } else { OnDefect::Refuse };
    let symbol = symbol_of(args.symbol)?;
    let (bar, progress) = watched(args.file);
    let (stamp, interval) = (args.times.stamp.into(), args.times.interval);
    let options =
        ImportOptions { symbol, stamp, interval, on_defect, hash: true, progress, ..ImportOptions::default() };
    let read = read_series(args.file, &options);
    bar.finish_and_clear();
    let mut series = read?;
    match (series.pop(), series.is_empty()) {
        (Some(Series::Bars(bars)), true) => import_bars(args, bars, format),
        (Some(Series::Funding(_)), true) => {
            read_bars(args.file, &options)?; // says that these are no bars
            Ok(ExitCode::SUCCESS)
        }
        (last, _) => {
            series.extend(last);
            import_ticks(args, &series, format)
        }
    }
}

fn import_bars(args: &Import<'_>, mut series: BarSeries, format: Format) -> Result<ExitCode, Failure> {
    if let Some(factors) = args.factors {
        adjust(&mut series, &FactorFile::read(factors)?)?;
    }
    let catalog = Catalog::open(args.catalog)?;
    let replaced = catalog.stored(&series.instrument, series.interval)?;
    if let Some(old) = &replaced {
        refuse_loss(args, loss_of_bars(old, &series, catalog.lost_bars(&series)?))?;
    }
    let half_written = half_stored(args.catalog);
    let path = catalog.store(&series)?;
    drop(half_written);
    let missing = series.gaps.iter().filter(|gap| gap.kind == GapKind::Missing);
    let (gaps, missing_bars) = missing.fold((0_u64, 0), |(count, bars), gap| (count + 1, bars + gap.bars));
    let value = json!({
        "content": "bars",
        "stored": path, "bars": series.bars.len(), "symbol": series.instrument.symbol,
        "interval": series.interval, "defects": series.defects.count(), "gaps": series.gaps.len(),
        "gaps_missing": gaps, "missing_bars": missing_bars,
        "replaced": replaced.as_ref().map(|old| json!({
            "bars": old.bars, "first": old.first, "last": old.last, "steps": old.source.steps,
        })),
    });
    output::print(format, &value, || {
        let bars = counted(series.bars.len() as u64, "bar");
        let mut text = format!("{bars} of {} stored in {}", series.instrument.symbol, path.display());
        if let Some(old) = &replaced {
            text.push_str(&format!("\nreplaced {}", span_of(old)));
        }
        if gaps > 0 {
            text.push_str(&format!("\n{}: {} missing", counted(gaps, "gap"), counted(missing_bars, "bar")));
        }
        text + &assumed_line(&series.source) + &defects_line(args.file, series.defects.count())
    });
    Ok(ExitCode::SUCCESS)
}

/// What this process has begun to write beside the files of the catalog.
fn half_stored(catalog: &Path) -> HalfWritten {
    let catalog = catalog.to_owned();
    HalfWritten::taken_away_by(move || remove_unfinished(&catalog, std::process::id()))
}

/// Removes what the process `id` has not finished: a file of a series has the process in its name until it is whole.
fn remove_unfinished(catalog: &Path, id: u32) {
    let inside = |folder: &PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found = vec![catalog.to_owned()];
    for _level in ["venue", "symbol", "file"] {
        found = found.iter().flat_map(inside).collect();
    }
    let ending = format!(".parquet.{id}.tmp");
    for file in found.iter().filter(|file| file.to_string_lossy().ends_with(&ending)) {
        let _ = std::fs::remove_file(file); // one that stays is in nobody's way
    }
}

fn refuse_loss(args: &Import<'_>, loss: Option<String>) -> Result<(), Failure> {
    let hint = "give --replace if that is meant, or another --catalog";
    loss.filter(|_| !args.replace).map_or(Ok(()), |loss| Err(Failure::new("CLI-13", loss, hint)))
}

fn assumed_line(source: &SourceInfo) -> String {
    let line = |columns| format!("\nno header: the columns were taken for {columns}, in this order");
    source.assumed().map_or_else(String::new, line)
}

fn defects_line(file: &Path, count: u64) -> String {
    if count == 0 {
        return String::new();
    }
    format!("\n{}: `tradewind data check {}` names each", counted(count, "defect"), file.display())
}

/// What storing `new` in the place of `old` would take away, in words; `lost` is how many stored bars it has none for.
fn loss_of_bars(old: &Dataset, new: &BarSeries, lost: u64) -> Option<String> {
    let (first, last) = (new.bars.first().map(|bar| bar.open_time), new.bars.last().map(|bar| bar.open_time));
    let covers = new.bars.len() as u64 >= old.bars && first <= old.first && last >= old.last;
    let mut change = coarser((&old.instrument, &old.source), (&new.instrument, &new.source));
    let steps = |steps: &[String]| if steps.is_empty() { "as recorded".to_owned() } else { steps.join(", ") };
    let (was, is) = (steps(&old.source.steps), steps(&new.source.steps));
    if was != is {
        change.push(format!("{was}, by others, {is}"));
    }
    change.extend(lacking(lost));
    if covers && change.is_empty() {
        return None;
    }
    let (stored, bars) = (span_of(old), counted(new.bars.len() as u64, "bar"));
    let text = format!("{bars} from {} to {} would replace {stored}", moment(first), moment(last));
    Some([vec![text], change].concat().join(", "))
}

/// What the stored detail is that new rows lack, in words.
fn coarser(old: (&InstrumentSpec, &SourceInfo), new: (&InstrumentSpec, &SourceInfo)) -> Vec<String> {
    let mut lost = Vec::new();
    let is_given = |source: &SourceInfo| source.volume == VolumeKind::Given;
    if is_given(old.1) && !is_given(new.1) {
        lost.push("by others without volumes".to_owned());
    }
    let mut decimals = |what: &str, was: u8, is: u8| {
        if is < was {
            lost.push(format!("{what} of {was} decimals by those of {is}"));
        }
    };
    decimals("prices", old.0.price_decimals, new.0.price_decimals);
    if is_given(new.1) {
        decimals("volumes", old.0.quantity_decimals, new.0.quantity_decimals);
    }
    if old.1.origin != new.1.origin {
        let name = |origin: Origin| format!("{origin:?}").to_lowercase();
        lost.push(format!("what is {} by what is {}", name(old.1.origin), name(new.1.origin)));
    }
    lost
}

fn lacking(lost: u64) -> Option<String> {
    (lost > 0).then(|| format!("{} of which would be gone", counted(lost, "row")))
}

fn span_of(set: &Dataset) -> String {
    format!("{} from {} to {}", counted(set.bars, "stored bar"), moment(set.first), moment(set.last))
}

pub(super) fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

/// One series of ticks, and where it goes.
struct Part<'a> {
    series: &'a Series,
    instrument: &'a InstrumentSpec,
    replaced: Option<TickSet>,
}

/// Stores each series in its place; none if one of them would take away what is there.
fn import_ticks(args: &Import<'_>, series: &[Series], format: Format) -> Result<ExitCode, Failure> {
    if args.factors.is_some() {
        let what = series.first().map_or("nothing", |it| it.content().name());
        let message = format!("{} holds {what}, and factors adjust bars", args.file.display());
        return Err(Failure::new("CLI-14", message, "leave --factors away"));
    }
    let catalog = Catalog::open(args.catalog)?;
    let mut parts = Vec::with_capacity(series.len());
    for it in series.iter().filter(|it| it.count() > 0) {
        let Some(instrument) = it.instrument() else { continue };
        let replaced = catalog.stored_ticks(instrument, it.content())?;
        if let Some(old) = &replaced {
            refuse_loss(args, loss_of_ticks(old, it, instrument, catalog.lost_ticks(it)?))?;
        }
        parts.push(Part { series: it, instrument, replaced });
    }
    if parts.is_empty() {
        let message = format!("{}: no row of it can be read", args.file.display());
        return Err(Failure::new("HIS-06", message, "`tradewind data check` names what is wrong with each"));
    }
    let mut stored = Vec::with_capacity(parts.len());
    let half_written = half_stored(args.catalog);
    for part in &parts {
        stored.push((part, store(&catalog, part.series)?));
    }
    drop(half_written);
    let mut found = play::defects(series);
    series.iter().for_each(|it| found.append(it.defects().clone()));
    let defects = found.count();
    let symbol = parts.first().map(|part| part.instrument.symbol.clone());
    let content = if parts.len() == 1 { parts[0].series.content().name() } else { "messages" };
    let all: Vec<Value> = stored.iter().map(|(part, path)| part_json(part, path)).collect();
    let value = json!({"content": content, "symbol": symbol, "defects": defects, "series": all});
    output::print(format, &value, || {
        let lines: Vec<String> = stored.iter().map(|(part, path)| part_text(part, path)).collect();
        let assumed = parts.first().map_or_else(String::new, |part| assumed_line(part.series.source()));
        lines.join("\n") + &assumed + &defects_line(args.file, defects)
    });
    Ok(ExitCode::SUCCESS)
}

fn store(catalog: &Catalog, series: &Series) -> Result<PathBuf, CatalogError> {
    match series {
        Series::Trades(trades) => catalog.store_trades(trades),
        Series::Quotes(quotes) => catalog.store_quotes(quotes),
        Series::Depth(depth) => catalog.store_depth(depth),
        Series::Orders(orders) => catalog.store_orders(orders),
        Series::Bars(bars) => catalog.store(bars),
        Series::Funding(_) => unreachable!("funding rates have no instrument, and only what has one is stored"),
    }
}

fn part_json(part: &Part<'_>, path: &Path) -> Value {
    let span = part.series.span();
    json!({
        "content": part.series.content(), "stored": path, "rows": part.series.count(),
        "first": span.map(|(first, _)| first), "last": span.map(|(_, last)| last),
        "replaced": part.replaced.as_ref().map(|old| json!({
            "rows": old.rows, "first": old.first, "last": old.last,
        })),
    })
}

fn part_text(part: &Part<'_>, path: &Path) -> String {
    let (count, symbol) = (rows_of(part.series), &part.instrument.symbol);
    let mut text = format!("{count} of {symbol} stored in {}", path.display());
    if let Some(old) = &part.replaced {
        text.push_str(&format!("\nreplaced {}", span_of_ticks(old)));
    }
    text
}

/// How many it holds, with the noun.
fn rows_of(series: &Series) -> String {
    let noun = match series {
        Series::Bars(_) => "bar",
        Series::Funding(_) => "rate",
        Series::Trades(_) => "trade",
        Series::Quotes(_) => "quote",
        Series::Depth(_) => "update of depth",
        Series::Orders(_) => "event of orders",
    };
    let count = series.count();
    match noun.split_once(' ') {
        Some((head, rest)) => format!("{} {rest}", counted(count, head)),
        None => counted(count, noun),
    }
}

/// What storing `new` in the place of `old` would take away, in words; as [`loss_of_bars`].
fn loss_of_ticks(old: &TickSet, new: &Series, spec: &InstrumentSpec, lost: u64) -> Option<String> {
    let (first, last) = new.span().map_or((None, None), |(first, last)| (Some(first), Some(last)));
    let covers = new.count() >= old.rows && first <= old.first && last >= old.last;
    let mut change = coarser((&old.instrument, &old.source), (spec, new.source()));
    change.extend(lacking(lost));
    if covers && change.is_empty() {
        return None;
    }
    let (stored, rows) = (span_of_ticks(old), rows_of(new));
    let text = format!("{rows} from {} to {} would replace {stored}", moment(first), moment(last));
    Some([vec![text], change].concat().join(", "))
}

fn span_of_ticks(set: &TickSet) -> String {
    let rows = counted(set.rows, "stored row");
    format!("{rows} of {} from {} to {}", set.content.name(), moment(set.first), moment(set.last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_process_writes_and_what_is_whole_stays() {
        let catalog = tempfile::tempdir().unwrap();
        let folder = catalog.path().join("venue").join("BTC_USDT");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["1h.parquet", "1h.parquet.7.tmp", "1h.parquet.17.tmp", "trades.parquet.7.tmp"] {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        remove_unfinished(catalog.path(), 7);
        let mut left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["1h.parquet", "1h.parquet.17.tmp"]);
    }
}
