//! `tradewind data import`: what a file holds, into the catalog.

use super::{play, symbol_of, watched};
use crate::output::{self, Failure, Format, counted};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tradewind_domain::{InstrumentSpec, Timestamp};
use tradewind_history::{
    BarSeries, Catalog, CatalogError, Dataset, FactorFile, GapKind, ImportOptions, OnDefect, Series, TickSet, adjust,
    read_bars, read_series,
};

/// What is to be stored, and how.
pub(super) struct Import<'a> {
    pub(super) file: &'a Path,
    pub(super) symbol: Option<&'a str>,
    pub(super) catalog: &'a Path,
    pub(super) factors: Option<&'a Path>,
    pub(super) accept_defects: bool,
    pub(super) replace: bool,
}

pub(super) fn run(args: &Import<'_>, format: Format) -> Result<ExitCode, Failure> {
    let on_defect = if args.accept_defects { OnDefect::Report } else { OnDefect::Refuse };
    let symbol = symbol_of(args.symbol)?;
    let (bar, progress) = watched(args.file);
    let options = ImportOptions { symbol, on_defect, hash: true, progress, ..ImportOptions::default() };
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
        refuse_loss(args, loss_of_bars(old, &series))?;
    }
    let path = catalog.store(&series)?;
    let missing = series.gaps.iter().filter(|gap| gap.kind == GapKind::Missing);
    let (gaps, missing_bars) = missing.fold((0_u64, 0), |(count, bars), gap| (count + 1, bars + gap.bars));
    let value = json!({
        "content": "bars",
        "stored": path, "bars": series.bars.len(), "symbol": series.instrument.symbol,
        "interval": series.interval, "defects": series.defects.len(), "gaps": series.gaps.len(),
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
        text + &defects_line(args.file, series.defects.len())
    });
    Ok(ExitCode::SUCCESS)
}

fn refuse_loss(args: &Import<'_>, loss: Option<String>) -> Result<(), Failure> {
    let hint = "give --replace if that is meant, or another --catalog";
    loss.filter(|_| !args.replace).map_or(Ok(()), |loss| Err(Failure::new("CLI-13", loss, hint)))
}

fn defects_line(file: &Path, count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    format!("\n{}: `tradewind data check {}` names each", counted(count as u64, "defect"), file.display())
}

/// What storing `new` in the place of `old` would take away, in words.
fn loss_of_bars(old: &Dataset, new: &BarSeries) -> Option<String> {
    let (first, last) = (new.bars.first().map(|bar| bar.open_time), new.bars.last().map(|bar| bar.open_time));
    let covers = new.bars.len() as u64 >= old.bars && first <= old.first && last >= old.last;
    let steps = |steps: &[String]| if steps.is_empty() { "as recorded".to_owned() } else { steps.join(", ") };
    let (was, is) = (steps(&old.source.steps), steps(&new.source.steps));
    if covers && was == is {
        return None;
    }
    let change = if was == is { String::new() } else { format!(", {was}, by others, {is}") };
    let (stored, bars) = (span_of(old), counted(new.bars.len() as u64, "bar"));
    Some(format!("{bars} from {} to {} would replace {stored}{change}", moment(first), moment(last)))
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
            refuse_loss(args, loss_of_ticks(old, it))?;
        }
        parts.push(Part { series: it, instrument, replaced });
    }
    if parts.is_empty() {
        let message = format!("{}: no row of it can be read", args.file.display());
        return Err(Failure::new("HIS-06", message, "`tradewind data check` names what is wrong with each"));
    }
    let mut stored = Vec::with_capacity(parts.len());
    for part in &parts {
        stored.push((part, store(&catalog, part.series)?));
    }
    let defects = series.iter().map(|it| it.defects().len()).sum::<usize>() + play::defects(series).len();
    let symbol = parts.first().map(|part| part.instrument.symbol.clone());
    let content = if parts.len() == 1 { parts[0].series.content().name() } else { "messages" };
    let all: Vec<Value> = stored.iter().map(|(part, path)| part_json(part, path)).collect();
    let value = json!({"content": content, "symbol": symbol, "defects": defects, "series": all});
    output::print(format, &value, || {
        let lines: Vec<String> = stored.iter().map(|(part, path)| part_text(part, path)).collect();
        lines.join("\n") + &defects_line(args.file, defects)
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

/// What storing `new` in the place of `old` would take away, in words.
fn loss_of_ticks(old: &TickSet, new: &Series) -> Option<String> {
    let (first, last) = new.span().map_or((None, None), |(first, last)| (Some(first), Some(last)));
    if new.count() >= old.rows && first <= old.first && last >= old.last {
        return None;
    }
    let (stored, rows) = (span_of_ticks(old), rows_of(new));
    Some(format!("{rows} from {} to {} would replace {stored}", moment(first), moment(last)))
}

fn span_of_ticks(set: &TickSet) -> String {
    let rows = counted(set.rows, "stored row");
    format!("{rows} of {} from {} to {}", set.content.name(), moment(set.first), moment(set.last))
}
