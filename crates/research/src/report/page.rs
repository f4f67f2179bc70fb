//! The page itself: header, key figures, drawings, tables, and what was assumed.

use super::text::{escape, is_zero, money_decimals, number, percent, plural, price_decimals, value_of};
use super::{Report, assumptions, attribution, chances, charts, groups, periods, signals, tables, tiles};
use serde_json::json;
use std::fmt::Write;
use tradewind_domain::Origin;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Whatever slipped in, a browser would neither load nor send anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The report as one page of HTML that needs nothing from outside.
///
/// It reads in light and dark, on a telephone and on paper, and without its script, which only adds a crosshair and
/// sorting. Everything that is not ours is escaped.
#[must_use]
pub fn html(report: &Report) -> String {
    let title = format!("{} · {} · backtest", escape(&report.symbol), escape(&report.strategy));
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport \
         content=\"width=device-width,initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\"><meta http-equiv=Content-Security-Policy content=\"{POLICY}\">\
         <title>{title}</title><style>{STYLE}</style><body><main>"
    );
    page.push_str(&header(report));
    page.push_str(&tiles::tiles(report));
    page.push_str(&notes(report));
    if let Some(time) = charts::time_axis(report) {
        page.push_str(&charts::equity(report, &time));
        page.push_str(&charts::price(report, &time));
    }
    section(&mut page, "Returns by month", &tables::heat_map(report));
    page.push_str(&charts::histogram(report).unwrap_or_default());
    let hint = format!(
        "<p class=note>A name opens its formula and source. Yearly figures count {} days a year, \
         a risk-free rate of {} and a target return of {}; r are daily returns, b those of \
         buy and hold, N the days a year.",
        number(report.statistics.conventions.periods_per_year, 0),
        percent(report.statistics.conventions.risk_free_rate, 2),
        percent(report.statistics.conventions.target_return, 2),
    );
    section(&mut page, "Statistics", &(report.period().told(&hint) + &tables::statistics(report)));
    section(&mut page, "Costs", &tables::costs(report));
    section(&mut page, "Where the profit came from", &attribution::table(report));
    if !report.round_trip_list.is_empty() {
        section(&mut page, "Trades by entry and exit", &groups::tables(report));
    }
    section(&mut page, "By month, week and day", &periods::tables(report));
    if let Some(it) = &report.chances {
        section(&mut page, "The same trades in other orders", &chances::table(report, it));
    }
    if !report.signals.is_empty() {
        section(&mut page, "What became of the signals", &signals::tables(report));
    }
    section(&mut page, "Trades", &tables::trades(report));
    section(&mut page, "Assumptions and origin", &assumptions::assumptions(report));
    let _ = write!(
        page,
        "</main><script type=\"application/json\" id=curve>{}</script><script>{SCRIPT}</script>",
        embedded(report)
    );
    page
}

fn section(page: &mut String, title: &str, content: &str) {
    let _ = write!(page, "<section><h2>{title}</h2>{content}</section>");
}

fn header(report: &Report) -> String {
    let (class, origin) = match report.origin {
        Origin::Recorded => ("recorded", "recorded market data"),
        Origin::Simulated => ("simulated", "simulated data"),
        Origin::Live => ("recorded", "live market data"),
    };
    let span = match (&report.start, &report.end, report.interval) {
        (Some(start), Some(end), Some(interval)) => {
            let day = |text: &str| escape(&text.replace('T', " ").replace(":00Z", "").replace('Z', ""));
            format!("{} to {} UTC · {} of {interval}", day(start), day(end), plural(report.bars, "bar"))
        }
        _ => "no bars".to_owned(),
    };
    let parameters: String = report
        .parameters
        .iter()
        .map(|(name, value)| format!(" <span class=parameter>{} {}</span>", escape(name), escape(value)))
        .collect();
    format!(
        "<header><p class=over>Backtest report <span class=\"origin {class}\">{origin}</span></p>\
         <h1>{} <small>{}</small></h1>\
         <p class=under>{}{parameters}</p><p class=under>{span}</p></header>",
        escape(&report.symbol),
        escape(&report.venue),
        escape(&report.strategy),
    )
}

fn notes(report: &Report) -> String {
    if report.notes.is_empty() {
        return String::new();
    }
    let lines: String = report.notes.iter().map(|note| format!("<li>{}", escape(note))).collect();
    format!("<ul class=notes>{lines}</ul>")
}

/// The curve for the crosshair, each number as it is shown: drawdowns in percent, below zero. Markup cannot hide in it: it
/// holds numbers only.
fn embedded(report: &Report) -> String {
    let rows = &report.curve;
    let price = price_decimals(rows.last().map_or(1.0, |row| row.close));
    let money = money_decimals(value_of(&report.deposit));
    let rounded = |value: f64, decimals: usize| {
        let text = format!("{value:.decimals$}");
        let shown = if is_zero(&text) { text.trim_start_matches('-') } else { &text };
        serde_json::from_str::<serde_json::Number>(shown).map_or(serde_json::Value::Null, serde_json::Value::Number)
    };
    json!({
        "decimals": {"price": price, "money": money},
        "from": rows.first().map(|row| row.from_ms),
        "at": rows.iter().map(|row| row.to_ms).collect::<Vec<_>>(),
        "close": rows.iter().map(|row| rounded(row.close, price)).collect::<Vec<_>>(),
        "equity": rows.iter().map(|row| rounded(row.equity, money)).collect::<Vec<_>>(),
        "hold": rows.iter().map(|row| row.hold.map(|value| rounded(value, money))).collect::<Vec<_>>(),
        "drawdown": rows.iter().map(|row| rounded(-100.0 * row.drawdown, 2)).collect::<Vec<_>>(),
    })
    .to_string()
}
