//! `tradewind data`: check, import and list market data.

use crate::cli::DataCommand;
use crate::output::{self, EXIT_WRONG, Failure, Format, counted};
use std::path::Path;
use std::process::ExitCode;
use tradewind_domain::{Coded, Symbol, Timestamp};
use tradewind_history::{
    BarSeries, Catalog, CheckReport, Dataset, FactorFile, GapKind, ImportError, ImportOptions, OnDefect, adjust,
    check_file, read_bars, read_trades,
};

/// Defects shown to a person; JSON has all.
const SHOWN: usize = 50;

pub(crate) fn run(command: &DataCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        DataCommand::Check { file, symbol } => check(file, symbol.as_deref(), format),
        DataCommand::Import { file, symbol, catalog, factors, accept_defects, replace } => {
            let (accept_defects, replace) = (*accept_defects, *replace);
            let (symbol, factors) = (symbol.as_deref(), factors.as_deref());
            import(&Import { file, symbol, catalog, factors, accept_defects, replace }, format)
        }
        DataCommand::List { catalog } => list(catalog, format),
    }
}

/// What is to be stored, and how.
struct Import<'a> {
    file: &'a Path,
    symbol: Option<&'a str>,
    catalog: &'a Path,
    factors: Option<&'a Path>,
    accept_defects: bool,
    replace: bool,
}

fn symbol_of(text: Option<&str>) -> Result<Option<Symbol>, Failure> {
    text.map(|text| text.parse().map_err(Failure::from_coded::<tradewind_domain::SymbolError>)).transpose()
}

fn check(file: &Path, symbol: Option<&str>, format: Format) -> Result<ExitCode, Failure> {
    let options = ImportOptions { symbol: symbol_of(symbol)?, ..ImportOptions::default() };
    let report = check_file(file, &options);
    output::print(format, &report, || text(&report));
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_WRONG) })
}

fn text(report: &CheckReport) -> String {
    let rows = report.defects.iter().take(SHOWN).map(|defect| {
        let severity = format!("{:?}", defect.severity).to_lowercase();
        let row = defect.row.to_string();
        vec![defect.code.to_owned(), severity, row, defect.column.clone(), defect.value.clone(), defect.what.clone()]
    });
    let mut text = format!(
        "{}: {}, {} used, {}, {}, {}",
        report.file,
        counted(report.rows, "row"),
        report.used,
        counted(report.errors, "error"),
        counted(report.warnings, "warning"),
        counted(report.notes, "note")
    );
    if !report.defects.is_empty() {
        text.push_str("\n\n");
        text.push_str(&output::table(&["code", "severity", "row", "column", "value", "what"], rows));
    }
    if report.defects.len() > SHOWN {
        text.push_str(&format!("\n… and {} more; `-o json` lists all", report.defects.len() - SHOWN));
    }
    text
}

fn import(args: &Import<'_>, format: Format) -> Result<ExitCode, Failure> {
    let on_defect = if args.accept_defects { OnDefect::Report } else { OnDefect::Refuse };
    let options = ImportOptions { symbol: symbol_of(args.symbol)?, on_defect, hash: true, ..ImportOptions::default() };
    let mut series = read_bars(args.file, &options).map_err(|error| no_bars(args.file, &options, error))?;
    if let Some(factors) = args.factors {
        adjust(&mut series, &FactorFile::read(factors)?)?;
    }
    let catalog = Catalog::open(args.catalog)?;
    let replaced = catalog.stored(&series.instrument, series.interval)?;
    if let Some(loss) = replaced.as_ref().and_then(|old| loss(old, &series)).filter(|_| !args.replace) {
        let hint = "give --replace if that is meant, or another --catalog";
        return Err(Failure::new("CLI-13", loss, hint));
    }
    let path = catalog.store(&series)?;
    let missing = series.gaps.iter().filter(|gap| gap.kind == GapKind::Missing);
    let (gaps, missing_bars) = missing.fold((0_u64, 0), |(count, bars), gap| (count + 1, bars + gap.bars));
    let value = serde_json::json!({
        "stored": path, "bars": series.bars.len(), "symbol": series.instrument.symbol,
        "interval": series.interval, "defects": series.defects.len(), "gaps": series.gaps.len(),
        "gaps_missing": gaps, "missing_bars": missing_bars,
        "replaced": replaced.as_ref().map(|old| serde_json::json!({
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
        if !series.defects.is_empty() {
            let (defects, file) = (counted(series.defects.len() as u64, "defect"), args.file.display());
            text.push_str(&format!("\n{defects}: `tradewind data check {file}` names each"));
        }
        text
    });
    Ok(ExitCode::SUCCESS)
}

/// What storing `new` in the place of `old` would take away, in words.
fn loss(old: &Dataset, new: &BarSeries) -> Option<String> {
    let (first, last) = (new.bars.first().map(|bar| bar.open_time), new.bars.last().map(|bar| bar.open_time));
    let covers = new.bars.len() as u64 >= old.bars && first <= old.first && last >= old.last;
    let steps = |steps: &[String]| if steps.is_empty() { "as recorded".to_owned() } else { steps.join(", ") };
    let (was, is) = (steps(&old.source.steps), steps(&new.source.steps));
    if covers && was == is {
        return None;
    }
    let change = if was == is { String::new() } else { format!(", {was}, by others, {is}") };
    let (stored, bars) = (span_of(old), counted(new.bars.len() as u64, "bar"));
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    Some(format!("{bars} from {} to {} would replace {stored}{change}", moment(first), moment(last)))
}

fn span_of(set: &Dataset) -> String {
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    format!("{} from {} to {}", counted(set.bars, "stored bar"), moment(set.first), moment(set.last))
}

/// The fault of reading bars, or what is to be done with a file of trades.
fn no_bars(file: &Path, options: &ImportOptions, error: ImportError) -> Failure {
    let trades = matches!(error.code(), "HIS-02" | "HIS-05" | "HIS-10" | "HIS-11")
        .then(|| read_trades(file, &ImportOptions { on_defect: OnDefect::Report, ..options.clone() }).ok())
        .flatten();
    let Some(trades) = trades.filter(|series| !series.trades.is_empty()) else { return error.into() };
    let (file, count) = (file.display(), counted(trades.trades.len() as u64, "trade"));
    let message = format!("{file} holds {count}, and a catalog keeps bars");
    let hint = format!("`tradewind data check {file}` checks them, `tradewind demo --tape {file}` plays them");
    Failure::new("CLI-14", message, hint)
}

fn list(catalog: &Path, format: Format) -> Result<ExitCode, Failure> {
    let datasets = Catalog::open(catalog)?.list()?;
    output::print(format, &datasets, || {
        if datasets.is_empty() {
            return format!(
                "{} holds nothing yet; `tradewind data import FILE` stores a file there",
                catalog.display()
            );
        }
        let rows = datasets.iter().map(|it| {
            let moment = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let spec = &it.instrument;
            let name = [spec.venue.clone(), spec.symbol.to_string(), it.interval.to_string(), it.bars.to_string()];
            name.into_iter().chain([moment(it.first), moment(it.last)]).collect()
        });
        output::table(&["venue", "symbol", "interval", "bars", "first", "last"], rows)
    });
    Ok(ExitCode::SUCCESS)
}
