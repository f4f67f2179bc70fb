//! `tradewind data`: check, import and list market data.

mod import;
mod play;

use crate::cli::{Checking, DataCommand, TimeArgs};
use crate::output::{self, Failure, Format, counted};
use import::{Import, moment};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use tradewind_domain::Symbol;
use tradewind_history::{
    Catalog, CheckReport, Dataset, ImportOptions, Progress, SourceInfo, Survey, TickSet, Unlisted, check_series,
};

/// Defects shown to a person; JSON has those that are listed.
const SHOWN: usize = 50;

pub(crate) fn run(command: &DataCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        DataCommand::Check { file, symbol, times } => check(file, symbol.as_deref(), times, format),
        DataCommand::Import { file, symbol, times, catalog, factors, accept_defects, replace } => {
            let (accept_defects, replace) = (*accept_defects, *replace);
            let (symbol, factors) = (symbol.as_deref(), factors.as_deref());
            import::run(&Import { file, symbol, times, catalog, factors, accept_defects, replace }, format)
        }
        DataCommand::List { catalog } => list(catalog, format),
    }
}

fn symbol_of(text: Option<&str>) -> Result<Option<Symbol>, Failure> {
    text.map(super::bars::symbol).transpose()
}

/// A bar on stderr that follows the reading of a file, and what moves it.
fn watched(file: &Path) -> (indicatif::ProgressBar, Progress) {
    let bytes = std::fs::metadata(file).ok().map(|about| about.len());
    let bar = output::progress(bytes, "bytes read");
    let moved = bar.clone();
    (bar, Progress::new(move |bytes| moved.set_position(bytes)))
}

fn check(file: &Path, symbol: Option<&str>, times: &TimeArgs, format: Format) -> Result<ExitCode, Failure> {
    let symbol = symbol_of(symbol)?;
    let (bar, progress) = watched(file);
    let (stamp, interval) = (times.stamp.into(), times.interval);
    let options = ImportOptions { symbol, stamp, interval, progress, ..ImportOptions::default() };
    let (mut report, series) = check_series(file, &options);
    bar.finish_and_clear();
    report.add(play::defects(&series));
    output::print(format, &report, || text(&report));
    Ok(Checking::DataCheck.ended(report.is_clean()))
}

fn text(report: &CheckReport) -> String {
    let rows = report.defects.iter().take(SHOWN).map(|defect| {
        let severity = format!("{:?}", defect.severity).to_lowercase();
        let row = defect.row.to_string();
        let [column, value, what] = [&defect.column, &defect.value, &defect.what].map(|text| output::one_line(text));
        let what = if defect.rows > 1 { format!("{what} x{}", defect.rows) } else { what };
        vec![defect.code.to_owned(), severity, row, column, value, what]
    });
    let mut text = format!(
        "{}: {}, {}, {} used, {}, {}, {}",
        report.file,
        report.content.name(),
        counted(report.rows, "row"),
        report.used,
        counted(report.errors, "error"),
        counted(report.warnings, "warning"),
        counted(report.notes, "note")
    );
    if let Some(columns) = report.source.as_ref().and_then(SourceInfo::assumed) {
        text.push_str(&format!("\nno header: the columns are taken for {columns}, in this order"));
    }
    if report.parts.len() > 1 {
        text.push_str("\n\n");
        text.push_str(&parts(report));
    }
    if !report.defects.is_empty() {
        text.push_str("\n\n");
        text.push_str(&output::table(&["code", "severity", "row", "column", "value", "what"], rows));
    }
    if report.defects.len() > SHOWN {
        let listed = if report.unlisted.is_empty() { "all" } else { "the first thousand of each code" };
        let more = report.defects.count() - SHOWN as u64;
        text.push_str(&format!("\n… and {more} more; `-o json` lists {listed}"));
    }
    for Unlisted { code, count, .. } in &report.unlisted {
        text.push_str(&format!("\n{code}: {count} more than are listed"));
    }
    text
}

/// Each kind that a file of raw messages holds.
fn parts(report: &CheckReport) -> String {
    let text = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".to_owned());
    let rows = report
        .parts
        .iter()
        .map(|part| vec![part.content.name().to_owned(), part.used.to_string(), text(&part.first), text(&part.last)]);
    output::table(&["kind", "used", "first", "last"], rows)
}

fn list(catalog: &Path, format: Format) -> Result<ExitCode, Failure> {
    let Survey { bars, ticks, faults } = Catalog::open(catalog)?.survey();
    let all: Vec<Value> = bars.iter().map(bars_json).chain(ticks.iter().map(|set| json!(set))).collect();
    output::print(format, &all, || {
        if all.is_empty() && !faults.is_empty() {
            return format!("{} holds nothing that can be read", catalog.display());
        }
        if all.is_empty() {
            return format!(
                "{} holds nothing yet; `tradewind data import FILE` stores a file there",
                catalog.display()
            );
        }
        let mut rows: Vec<Vec<String>> = bars.iter().map(bars_row).chain(ticks.iter().map(ticks_row)).collect();
        rows.sort_by(|one, two| one[..2].cmp(&two[..2])); // bars first within a symbol
        output::table(&["venue", "symbol", "kind", "interval", "rows", "first", "last"], rows)
    });
    let is_sound = faults.is_empty();
    faults.into_iter().for_each(|fault| output::print_failure(&fault.into(), format == Format::Json));
    Ok(Checking::DataList.ended(is_sound))
}

/// What a file of bars says of itself, with the two fields that every kind has.
fn bars_json(set: &Dataset) -> Value {
    let mut value = json!(set);
    value["content"] = json!("bars");
    value["rows"] = json!(set.bars);
    value
}

fn bars_row(set: &Dataset) -> Vec<String> {
    let (spec, interval) = (&set.instrument, set.interval.to_string());
    let name = [spec.venue.clone(), spec.symbol.to_string(), "bars".to_owned(), interval, set.bars.to_string()];
    name.into_iter().chain([moment(set.first), moment(set.last)]).collect()
}

fn ticks_row(set: &TickSet) -> Vec<String> {
    let (spec, kind) = (&set.instrument, set.content.name().to_owned());
    let name = [spec.venue.clone(), spec.symbol.to_string(), kind, "-".to_owned(), set.rows.to_string()];
    name.into_iter().chain([moment(set.first), moment(set.last)]).collect()
}
