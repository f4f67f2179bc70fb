//! The page itself: header, key figures, drawings, tables, and what was assumed.

use super::text::{
    NOTHING, count, escape, money_decimals, number, percent, price_decimals, signed, signed_percent, tone, value_of,
};
use super::{Report, charts, tables};
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
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\"><meta http-equiv=Content-Security-Policy content=\"{POLICY}\">\
         <title>{title}</title><style>{STYLE}</style><body><main>"
    );
    page.push_str(&header(report));
    page.push_str(&key_figures(report));
    page.push_str(&notes(report));
    if let Some(time) = charts::time_axis(report) {
        page.push_str(&charts::equity(report, &time));
        page.push_str(&charts::price(report, &time));
    }
    section(&mut page, "Returns by month", &tables::heat_map(report));
    page.push_str(&charts::histogram(report).unwrap_or_default());
    let hint = format!(
        "<p class=note>A name opens its formula and source. Yearly figures count {} days a year, a risk-free rate of {} and a \
         target return of {}; r are daily returns, b those of buy and hold, N the days a year.",
        number(report.statistics.conventions.periods_per_year, 0),
        percent(report.statistics.conventions.risk_free_rate, 2),
        percent(report.statistics.conventions.target_return, 2),
    );
    section(&mut page, "Statistics", &(hint + &tables::statistics(report)));
    section(&mut page, "Costs", &tables::costs(report));
    section(&mut page, "Trades", &tables::trades(report));
    section(&mut page, "Assumptions and origin", &assumptions(report));
    let _ = write!(
        page,
        "</main><script type=\"application/json\" id=curve>{}</script><script>{SCRIPT}</script>\n",
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
            format!("{} to {} UTC · {} bars of {interval}", day(start), day(end), count(report.bars))
        }
        _ => "no bars".to_owned(),
    };
    let parameters: String = report
        .parameters
        .iter()
        .map(|(name, value)| format!(" <span class=parameter>{} {}</span>", escape(name), escape(value)))
        .collect();
    format!(
        "<header><p class=over>Backtest report <span class=\"origin {class}\">{origin}</span></p><h1>{} <small>{}</small></h1>\
         <p class=under>{}{parameters}</p><p class=under>{span}</p></header>",
        escape(&report.symbol),
        escape(&report.venue),
        escape(&report.strategy),
    )
}

fn key_figures(report: &Report) -> String {
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
        hold.map_or_else(String::new, |_| format!("hold {}", maybe(value, form, decimals)))
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
    tile(
        "CAGR",
        maybe(growth.cagr, signed_percent, 2),
        beside(hold.and_then(|it| it.growth.cagr), signed_percent, 2),
        tone(growth.cagr.unwrap_or(0.0)),
    );
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
            "{} trades, profit factor {}",
            count(report.round_trips),
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

fn notes(report: &Report) -> String {
    if report.notes.is_empty() {
        return String::new();
    }
    let lines: String = report.notes.iter().map(|note| format!("<li>{}", escape(note))).collect();
    format!("<ul class=notes>{lines}</ul>")
}

fn assumptions(report: &Report) -> String {
    let mut page = String::from("<dl>");
    let mut line = |name: &str, value: &str| {
        let _ = write!(page, "<dt>{name}<dd>{value}");
    };
    line("Fill policy", &escape(&report.fill_policy_text));
    let limits = &report.limits;
    let loss = |bps: Option<u32>| bps.map_or_else(|| "none".to_owned(), |bps| percent(f64::from(bps) / 10_000.0, 2));
    line(
        "Limits of the gate",
        &format!(
            "order {}; position {}; daily loss {}; drawdown {}; borrowing {}",
            escape(&limits.max_order.text()),
            escape(&limits.max_position.text()),
            loss(limits.daily_loss_bps),
            loss(limits.drawdown_bps),
            if limits.borrow { "allowed" } else { "not allowed" },
        ),
    );
    let decisions = &report.decisions;
    line(
        "Decisions",
        &format!(
            "{} to buy, {} to sell, {} to hold; {} proposals vetoed by the gate",
            count(decisions.buy),
            count(decisions.sell),
            count(decisions.hold),
            count(decisions.veto)
        ),
    );
    line(
        "Orders",
        &format!(
            "{} approved, {} executions, {} rejected, {} timed out",
            count(report.orders),
            count(report.trades),
            count(report.rejected),
            count(report.timed_out)
        ),
    );
    if let Some(benchmark) = &report.benchmark {
        line("Benchmark", benchmark.description);
    }
    data_lines(report, &mut line);
    line("Trade hash", &format!("<code>{}</code>", escape(&report.trade_hash)));
    line("State hash", &format!("<code>{}</code>", escape(&report.state_hash)));
    line("Made by", &format!("tradewind {}, decision logic {}", escape(report.version), report.logic));
    page + "</dl>"
}

fn data_lines(report: &Report, line: &mut impl FnMut(&str, &str)) {
    let data = &report.data;
    let origin = match report.origin {
        Origin::Recorded => "recorded from a market",
        Origin::Simulated => "simulated, not from any market",
        Origin::Live => "live",
    };
    let mut parts = vec![origin.to_owned()];
    if !data.format.is_empty() {
        parts.push(escape(&data.format));
    }
    if data.rows > 0 {
        parts.push(format!("{} rows", count(data.rows)));
    }
    if !data.stamp.is_empty() {
        parts.push(format!("stamped by {}", escape(&data.stamp)));
    }
    parts.push(format!("{} gaps with {} missing bars", count(data.gaps), count(data.missing_bars)));
    parts.push(format!("{} defects", count(data.defects)));
    parts.extend(data.steps.iter().map(|step| escape(step)));
    let path = if data.path.is_empty() { "bars were handed over in memory".to_owned() } else { escape(&data.path) };
    line("Data", &format!("{path}<br>{}", parts.join("; ")));
    if let Some(sha256) = &data.sha256 {
        line("SHA-256 of the data", &format!("<code>{}</code>", escape(sha256)));
    }
}

/// The curve for the crosshair. Markup cannot hide in it: it holds numbers only.
fn embedded(report: &Report) -> String {
    let rows = &report.curve;
    let price = price_decimals(rows.last().map_or(1.0, |row| row.close));
    let money = money_decimals(value_of(&report.deposit));
    let rounded = |value: f64, decimals: usize| {
        let text = format!("{value:.decimals$}");
        serde_json::from_str::<serde_json::Number>(&text).map_or(serde_json::Value::Null, serde_json::Value::Number)
    };
    json!({
        "decimals": {"price": price, "money": money},
        "from": rows.first().map(|row| row.from_ms),
        "at": rows.iter().map(|row| row.to_ms).collect::<Vec<_>>(),
        "close": rows.iter().map(|row| rounded(row.close, price)).collect::<Vec<_>>(),
        "equity": rows.iter().map(|row| rounded(row.equity, money)).collect::<Vec<_>>(),
        "hold": rows.iter().map(|row| row.hold.map(|value| rounded(value, money))).collect::<Vec<_>>(),
        "drawdown": rows.iter().map(|row| rounded(row.drawdown, 5)).collect::<Vec<_>>(),
    })
    .to_string()
}
