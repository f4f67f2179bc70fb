//! The table of what became of forecasts and decisions.

use super::Report;
use super::text::{NOTHING, count, escape, number, percent, signed_percent};
use std::fmt::Write;

/// One row for the forecasts and one for the decisions of each version of the strategy.
pub(super) fn table(report: &Report) -> String {
    let mut page = String::from(
        "<table class=costs><thead><tr><th scope=col>Signals<th scope=col class=num>Bars after\
         <th scope=col class=num>Judged<th scope=col class=num>Right<th scope=col class=num>Mean outcome\
         <th scope=col class=num>IC<th scope=col class=num>ICIR<th scope=col class=num>Rank IC\
         <th scope=col class=num>Rank ICIR<tbody>",
    );
    let maybe = |value: Option<f64>, form: fn(f64, usize) -> String, decimals: usize| {
        value.map_or_else(|| NOTHING.to_owned(), |value| form(value, decimals))
    };
    for it in &report.signals {
        for (what, quality) in [("forecasts", &it.forecasts), ("decisions to trade", &it.decisions)] {
            let version = it.version.as_ref().map(|version| format!(" {}", escape(version))).unwrap_or_default();
            let _ = write!(
                page,
                "<tr><th scope=row>{}{version}: {what}<td class=num>{}<td class=num>{}<td class=num>{}\
                 <td class=num>{}<td class=num>{}<td class=num>{}<td class=num>{}<td class=num>{}",
                escape(&it.strategy),
                count(it.horizon_bars.into()),
                count(quality.directed),
                maybe(quality.hit_rate, percent, 1),
                maybe(quality.mean_outcome, signed_percent, 3),
                maybe(quality.information_coefficient, number, 3),
                maybe(quality.information_coefficient_ratio, number, 2),
                maybe(quality.rank_information_coefficient, number, 3),
                maybe(quality.rank_information_coefficient_ratio, number, 2),
            );
        }
    }
    page + "</table><p class=note>Each is held against the return of the market from its close to the close so many bars \
            after, before costs; a decision to buy counts as a forecast of a rise, one to sell as one of a fall. IC is the \
            correlation of forecasts with those returns, rank IC the mean over blocks of 100 forecasts of the correlation \
            of their ranks, ICIR the mean of the blocks over their deviation. Neighbouring forecasts share most of their bars: they are fewer \
            independent trials than they look."
}
