//! The page.

use super::Report;
use super::text::escape;

/// The report as one page of HTML that needs nothing from outside.
#[must_use]
pub fn html(report: &Report) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{symbol}</title><h1>{symbol} {}</h1><p>{}",
        escape(&report.strategy),
        escape(&report.equity_final),
        symbol = escape(&report.symbol),
    )
}
