//! The tables of what became of forecasts and decisions.

use super::Report;
use super::tables::statistic_row;
use super::text::{count, escape};
use serde_json::json;
use std::fmt::Write;

/// One table for each version of the strategy: its forecasts, and its decisions to trade. A name opens formula and source.
pub(super) fn tables(report: &Report) -> String {
    let signals = json!({ "signals": report.signals });
    let mut page = String::from("<div class=groups>");
    for (place, it) in report.signals.iter().enumerate() {
        let version = it.version.as_ref().map(|version| format!(" {}", escape(version))).unwrap_or_default();
        let (forecasts, decisions) = (format!("signals.{place}.forecasts"), format!("signals.{place}.decisions"));
        let columns = [("Forecasts", &signals, forecasts.as_str()), ("Decisions", &signals, decisions.as_str())];
        let _ = write!(
            page,
            "<table class=\"stats signals\"><thead><tr><th scope=col>{}{version}, h = {}\
             <th scope=col class=num>Forecasts<th scope=col class=num>Decisions<tbody>",
            escape(&it.strategy),
            count(it.horizon_bars.into()),
        );
        for statistic in report.catalog.iter().filter(|it| it.field.starts_with("forecasts.")) {
            statistic_row(&mut page, statistic, &columns, 0);
        }
        page.push_str("</table>");
    }
    page + "</div><p class=note>Each is held against the return of the market from its close to the close h bars after, \
            before costs; a decision to buy counts as a forecast of a rise, one to sell as one of a fall. IC is the \
            correlation of forecasts with those returns, rank IC that of their ranks; ICIR says how steadily blocks of \
            forecasts share in it. Neighbouring forecasts share most of their bars: they are fewer independent trials \
            than they look."
}
