//! The key figures at the head of the page.

use super::Report;
use super::text::{NOTHING, escape, money_decimals, number, percent, plural, signed, signed_percent, tone, value_of};
use std::fmt::Write;

/// The eight figures that a reader looks for first, beside those of buy and hold.
pub(super) fn tiles(report: &Report) -> String {
    let statistics = &report.statistics;
    let decimals = money_decimals(value_of(&report.deposit));
    let currency = escape(&report.currency);
    let mut page = String::from("<div class=tiles>");
    let mut tile = |name: &str, value: String, below: String, class: &str| {
        let _ =
            write!(page, "<div class=tile><h3>{name}</h3><p class=\"figure {class}\">{value}</p><p>{below}</p></div>");
    };
    let maybe = |value: Option<f64>, form: fn(f64, usize) -> String, decimals: usize| {
        value.map_or_else(|| NOTHING.to_owned(), |value| form(value, decimals))
    };
    let hold = report.benchmark.as_ref();
    let beside = |value: Option<f64>, form: fn(f64, usize) -> String, decimals: usize| {
        hold.map_or_else(String::new, |_| format!("buy and hold {}", maybe(value, form, decimals)))
    };
    let profit = value_of(&report.equity_final) - value_of(&report.deposit);
    let growth = &statistics.growth;
    tile(
        "Total return",
        maybe(growth.total_return, signed_percent, 2),
        beside(hold.and_then(|it| it.growth.total_return), signed_percent, 2),
        tone(profit),
    );
    tile(
        &format!("Net profit, {currency}"),
        signed(profit, decimals),
        format!(
            "{} to {}",
            number(value_of(&report.deposit), decimals),
            number(value_of(&report.equity_final), decimals)
        ),
        tone(profit),
    );
    if report.is_short() {
        let exposure = maybe(statistics.activity.time_in_market, percent, 1);
        tile("Exposure", exposure, "of the time in the market".to_owned(), "");
    } else {
        let beside = beside(hold.and_then(|it| it.growth.cagr), signed_percent, 2);
        tile("CAGR", maybe(growth.cagr, signed_percent, 2), beside, tone(growth.cagr.unwrap_or(0.0)));
    }
    tile(
        "Max drawdown",
        maybe(statistics.drawdown.max.map(|depth| -depth), percent, 2),
        beside(hold.and_then(|it| it.drawdown.max.map(|depth| -depth)), percent, 2),
        "",
    );
    tile(
        "Sharpe ratio",
        maybe(statistics.ratios.sharpe, number, 2),
        beside(hold.and_then(|it| it.ratios.sharpe), number, 2),
        "",
    );
    tile(
        "Sortino ratio",
        maybe(statistics.ratios.sortino, number, 2),
        beside(hold.and_then(|it| it.ratios.sortino), number, 2),
        "",
    );
    tile(
        "Win rate",
        maybe(statistics.trades.win_rate, percent, 1),
        format!(
            "{}, profit factor {}",
            plural(report.round_trips, "trade"),
            maybe(statistics.trades.profit_factor, number, 2)
        ),
        "",
    );
    tile(
        &format!("Costs, {}", escape(&report.costs.currency)),
        number(value_of(&report.costs.total), decimals),
        report.costs.total_bps.map_or_else(String::new, |bps| format!("{} bps of notional", number(bps, 2))),
        "",
    );
    page + "</div>"
}
