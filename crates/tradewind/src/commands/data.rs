//! `tradewind data`: check, import and list market data.

use crate::cli::DataCommand;
use crate::output::{self, EXIT_WRONG, Failure, Format};
use std::path::Path;
use std::process::ExitCode;
use tradewind_domain::Symbol;
use tradewind_history::{Catalog, CheckReport, FactorFile, ImportOptions, OnDefect, adjust, check_file, read_bars};

/// Defects shown to a person; JSON has all.
const SHOWN: usize = 50;

pub(crate) fn run(command: &DataCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        DataCommand::Check { file, symbol } => check(file, symbol.as_deref(), format),
        DataCommand::Import { file, symbol, catalog, factors, accept_defects } => {
            import(file, symbol.as_deref(), catalog, factors.as_deref(), *accept_defects, format)
        }
        DataCommand::List { catalog } => list(catalog, format),
    }
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
        "{}: {} rows, {} used, {} errors, {} warnings, {} notes",
        report.file, report.rows, report.used, report.errors, report.warnings, report.notes
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

fn import(
    file: &Path,
    symbol: Option<&str>,
    catalog: &Path,
    factors: Option<&Path>,
    accept_defects: bool,
    format: Format,
) -> Result<ExitCode, Failure> {
    let on_defect = if accept_defects { OnDefect::Report } else { OnDefect::Refuse };
    let options = ImportOptions { symbol: symbol_of(symbol)?, on_defect, hash: true, ..ImportOptions::default() };
    let mut series = read_bars(file, &options)?;
    if let Some(factors) = factors {
        adjust(&mut series, &FactorFile::read(factors)?)?;
    }
    let path = Catalog::open(catalog)?.store(&series)?;
    let value = serde_json::json!({
        "stored": path, "bars": series.bars.len(), "symbol": series.instrument.symbol,
        "interval": series.interval, "defects": series.defects.len(), "gaps": series.gaps.len(),
    });
    output::print(format, &value, || {
        format!("{} bars of {} stored in {}", series.bars.len(), series.instrument.symbol, path.display())
    });
    Ok(ExitCode::SUCCESS)
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
            let moment =
                |at: Option<tradewind_domain::Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let spec = &it.instrument;
            let name = [spec.venue.clone(), spec.symbol.to_string(), it.interval.to_string(), it.bars.to_string()];
            name.into_iter().chain([moment(it.first), moment(it.last)]).collect()
        });
        output::table(&["venue", "symbol", "interval", "bars", "first", "last"], rows)
    });
    Ok(ExitCode::SUCCESS)
}
