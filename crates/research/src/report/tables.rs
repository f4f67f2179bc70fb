//! The tables: statistics with formula and source, returns by month, costs, trades.

use super::text::{
    MONTHS, NOTHING, count, duration, escape, moment, money_decimals, number, percent, price_decimals, signed,
    signed_percent, tone, value_of,
};
use super::{Report, RoundTripRow};
use serde_json::Value;
use std::fmt::Write;
use tradewind_quant::Statistic;

/// Trades that the page shows at most; the JSON has all.
pub(super) const TRADES_SHOWN: usize = 1_000;

const GROUPS: [(&str, &str); 7] = [
    ("growth", "Growth"),
    ("drawdown", "Drawdown"),
    ("ratios", "Return for risk"),
    ("distribution", "Distribution of daily returns"),
    ("benchmark", "Beside buy and hold"),
    ("activity", "Activity"),
    ("trades", "Trades, closed ones"),
];

/// Every statistic, in groups. Its name opens formula and source.
pub(super) fn statistics(report: &Report) -> String {
    let ours = serde_json::to_value(&report.statistics).unwrap_or_default();
    let hold = serde_json::to_value(&report.benchmark).unwrap_or_default();
    let decimals = money_decimals(value_of(&report.deposit));
    let mut page = String::from("<div class=groups>");
    for (group, title) in GROUPS {
        let fields: Vec<&Statistic> =
            report.catalog.iter().filter(|it| it.field.split('.').next() == Some(group)).collect();
        let columns: Vec<(&str, &Value, &str)> = match group {
            "trades" => vec![("All", &ours, "trades"), ("Long", &ours, "long"), ("Short", &ours, "short")],
            "benchmark" | "activity" => vec![("Strategy", &ours, group)],
            _ => vec![("Strategy", &ours, group), ("Hold", &hold, group)],
        };
        let heads: String = columns.iter().map(|(name, ..)| format!("<th scope=col class=num>{name}")).collect();
        let title = report.period().told(title);
        let _ = write!(page, "<table class=\"stats {group}\"><thead><tr><th scope=col>{title}{heads}<tbody>");
        for statistic in fields {
            statistic_row(&mut page, statistic, &columns, decimals);
        }
        page.push_str("</table>");
    }
    page + "</div>"
}

/// One statistic in each of `columns`: its heading, where its group is found and by which path, names apart by dots.
pub(super) fn statistic_row(
    page: &mut String,
    statistic: &Statistic,
    columns: &[(&str, &Value, &str)],
    decimals: usize,
) {
    let name = statistic.field.split_once('.').map_or(statistic.field, |(_, name)| name);
    let values: Vec<(String, &Value)> = columns
        .iter()
        .map(|(_, root, group)| {
            let pointer = format!("/{}/{name}", group.replace('.', "/"));
            (format!("{group}.{name}"), root.pointer(&pointer).unwrap_or(&Value::Null))
        })
        .collect();
    if statistic.field == "growth.ruined_at_ns" && values.iter().all(|(_, value)| value.is_null()) {
        return;
    }
    let source =
        if statistic.source == "-" { String::new() } else { format!("<cite>{}</cite>", escape(statistic.source)) };
    let _ = write!(
        page,
        "<tr><th scope=row><details><summary>{}</summary><p><code>{}</code>{source}</details>",
        escape(&statistic.name),
        escape(&statistic.formula),
    );
    for (place, (path, value)) in values.iter().enumerate() {
        let field = if place == 0 || columns[place].0 != "Hold" { path.clone() } else { format!("hold.{path}") };
        let _ =
            write!(page, "<td class=num data-field=\"{field}\"{}>{}", raw(value), shown(statistic, value, decimals));
    }
}

/// The value as the JSON has it, for scripts and for the test that both agree.
fn raw(value: &Value) -> String {
    match value {
        Value::Number(number) => format!(" data-v=\"{number}\""),
        Value::String(text) => format!(" data-v=\"{}\"", escape(text)),
        _ => String::new(),
    }
}

fn shown(statistic: &Statistic, value: &Value, decimals: usize) -> String {
    if let Some(text) = value.as_str() {
        return if statistic.unit == "currency" { number(value_of(text), decimals) } else { escape(text) };
    }
    if value.is_object() {
        return composed(value);
    }
    let Some(number_value) = value.as_f64() else { return NOTHING.to_owned() };
    match statistic.unit {
        "fraction" => percent(number_value, 2),
        "days" => number(number_value, 1) + "\u{202f}d",
        "seconds" => duration(number_value),
        "count" => number(number_value, 0),
        "time" => value.as_i64().map_or_else(|| NOTHING.to_owned(), moment),
        _ => number(number_value, 3),
    }
}

/// A drawdown with its moments, or the orders that did not trade.
fn composed(value: &Value) -> String {
    if let Some(rejected) = value.get("rejected") {
        return format!("{rejected} / {}", value.get("timed_out").unwrap_or(&Value::Null));
    }
    let day =
        |name: &str| value.get(name).and_then(Value::as_i64).map(|at| moment(at).chars().take(10).collect::<String>());
    let line = |what: &str, name: &str, missing: &str| match day(name) {
        Some(day) => format!("{what} {day}"),
        None => missing.to_owned(),
    };
    format!(
        "<span class=moments>{}<br>{}<br>{}</span>",
        line("peak", "peak_at_ns", NOTHING),
        line("low", "trough_at_ns", NOTHING),
        line("back", "recovered_at_ns", "not recovered"),
    )
}

/// Years by months, coloured by return.
pub(super) fn heat_map(report: &Report) -> String {
    let years = &report.statistics.monthly;
    if years.is_empty() {
        return "<p class=note>No month was observed.".to_owned();
    }
    let months = years.iter().flat_map(|year| year.months.iter().flatten());
    let scale = months.fold(0.02_f64, |most, value| most.max(value.abs())).min(0.25);
    let heads: String = MONTHS.iter().map(|month| format!("<th scope=col class=num>{month}")).collect();
    let mut page = format!(
        "<div class=wide><table class=heat><thead><tr><th scope=col>{heads}<th scope=col class=num>Year<tbody>"
    );
    for year in years.iter().rev() {
        let _ = write!(page, "<tr><th scope=row>{}", year.year);
        for value in year.months {
            cell(&mut page, value, scale, "");
        }
        cell(&mut page, year.year_return, scale * 2.0, " total");
    }
    page + "</table></div><p class=note>Returns in percent, compounded from days in UTC; empty months were \
            not observed."
}

fn cell(page: &mut String, value: Option<f64>, scale: f64, class: &str) {
    let Some(value) = value else {
        let _ = write!(page, "<td class=\"num{class}\">");
        return;
    };
    let depth = (value.abs() / scale).clamp(0.0, 1.0).sqrt();
    let _ = write!(
        page,
        "<td class=\"num {}{class}\" style=\"--v:{depth:.2}\" data-v=\"{value}\">{}",
        tone(value),
        signed(value * 100.0, 1)
    );
}

/// What trading cost, line by line.
pub(super) fn costs(report: &Report) -> String {
    let (costs, decimals) = (&report.costs, money_decimals(value_of(&report.deposit)));
    let notional = value_of(&costs.traded_notional);
    let mut page = format!(
        "<table class=costs><thead><tr><th scope=col>Cost<th scope=col class=num>{}\
         <th scope=col class=num>bps of notional<tbody>",
        escape(&costs.currency)
    );
    let mut line = |name: &str, text: &str, class: &str| {
        let bps = if notional > 0.0 { number(value_of(text) / notional * 10_000.0, 2) } else { NOTHING.to_owned() };
        let _ = write!(
            page,
            "<tr class=\"{class}\"><th scope=row>{name}<td class=num data-v=\"{}\">{}<td class=num>{bps}",
            escape(text),
            number(value_of(text), decimals)
        );
    };
    let maker_taker = format!(
        "Fees <small>maker {} bps, taker {} bps; {} resting and {} crossing executions</small>",
        number(costs.maker_bps, 2),
        number(costs.taker_bps, 2),
        count(costs.maker_trades),
        count(costs.taker_trades)
    );
    line(&maker_taker, &costs.fees, "");
    if let Some(paid) = &costs.settlement {
        line("<small>of these, the settlement at the end of the contract</small>", paid, "");
    }
    for (name, paid) in [
        ("Half the spread <small>beyond the price that the market showed</small>", &costs.spread),
        ("Slippage, rounding to the tick <small>beyond that price and the spread</small>", &costs.slippage),
        ("Market impact <small>for the size of our own fills</small>", &costs.impact),
    ] {
        if let Some(paid) = paid {
            line(name, paid, "");
        }
    }
    if costs.funding.is_empty() {
        line("Funding <small>none</small>", "0", "");
    }
    for (currency, paid) in &costs.funding {
        line(&format!("Funding <small>in {}</small>", escape(currency)), paid, "");
    }
    line("Total", &costs.total, "sum");
    let taken: Vec<String> = report
        .fees_by_currency
        .iter()
        .map(|(currency, paid)| format!("{} {}", escape(paid), escape(currency)))
        .collect();
    let taken = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
    let _ = write!(
        page,
        "</table><p class=note>Notional bought and sold: {} {}. Fees as they were taken: {taken}.",
        number(notional, decimals),
        escape(&costs.currency)
    );
    if costs.slippage.is_none() {
        page.push_str(" Spread, slippage and impact lie in the prices of the fills: a venue tells none before them.");
    }
    page
}

/// The newest trades; says how many are left out.
pub(super) fn trades(report: &Report) -> String {
    let all = &report.round_trip_list;
    if all.is_empty() {
        return "<p class=note>No trade was entered.".to_owned();
    }
    let shown = &all[all.len().saturating_sub(TRADES_SHOWN)..];
    let mut page = String::new();
    if shown.len() < all.len() {
        let _ = write!(
            page,
            "<p class=note>The newest {} of {} trades; {} older ones are left out here. The JSON has all.",
            count(shown.len() as u64),
            count(all.len() as u64),
            count((all.len() - shown.len()) as u64)
        );
    }
    let columns = Columns::of(report, shown);
    let heads = [
        "#",
        "Side",
        "Entered",
        "Left",
        "Entered by",
        "Left by",
        "Size",
        "Entry",
        "Exit",
        "Profit",
        "Profit\u{202f}%",
        "Fees",
        "Funding",
        "MAE",
        "MFE",
        "Held",
    ];
    page.push_str("<div class=wide><table class=trades data-sort><thead><tr>");
    let shown_heads = heads.iter().filter(|head| columns.funding || **head != "Funding");
    for (place, head) in shown_heads.enumerate() {
        let class = if (1..=5).contains(&place) { "" } else { " class=num" };
        let _ = write!(page, "<th scope=col{class}>{head}");
    }
    page.push_str("<tbody>");
    for (place, trip) in all.iter().enumerate().rev().take(shown.len()) {
        trade(&mut page, place + 1, trip, &columns);
    }
    page + "</table></div>"
}

/// Decimals that make the columns line up.
struct Columns {
    quantity: usize,
    price: usize,
    money: usize,
    /// Whether any trade paid or received funding.
    funding: bool,
}

impl Columns {
    fn of(report: &Report, trips: &[RoundTripRow]) -> Self {
        let decimals = |text: &String| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Self {
            quantity: trips.iter().map(|trip| decimals(&trip.quantity)).max().unwrap_or(0).min(8),
            price: trips.last().map_or(2, |trip| price_decimals(trip.entry_price)),
            money: money_decimals(value_of(&report.deposit)),
            funding: trips.iter().any(|trip| trip.funding != "0"),
        }
    }
}

fn trade(page: &mut String, number_of: usize, trip: &RoundTripRow, columns: &Columns) {
    let profit = value_of(&trip.profit);
    page.push_str("<tr>");
    let mut cell = |class: &str, raw: &str, text: &str| {
        let _ = write!(page, "<td class=\"{class}\" data-v=\"{}\">{text}", escape(raw));
    };
    let left = if trip.open { "open".to_owned() } else { moment(trip.at_ns.1) };
    let fraction = trip.profit_fraction.unwrap_or(f64::NAN);
    cell("num", &number_of.to_string(), &number_of.to_string());
    cell("", trip.direction, trip.direction);
    cell("time", &trip.at_ns.0.to_string(), &moment(trip.at_ns.0));
    cell("time", &trip.at_ns.1.to_string(), &left);
    cell("", &trip.entry_tag, &escape(&trip.entry_tag));
    cell("", &trip.exit_tag, &escape(&trip.exit_tag));
    cell("num", &trip.quantity, &number(value_of(&trip.quantity), columns.quantity));
    cell("num", &trip.entry_price.to_string(), &number(trip.entry_price, columns.price));
    cell("num", &trip.exit_price.to_string(), &number(trip.exit_price, columns.price));
    cell(&format!("num {}", tone(profit)), &trip.profit, &signed(profit, columns.money));
    let raw = trip.profit_fraction.map(|value| value.to_string()).unwrap_or_default();
    cell(&format!("num {}", tone(profit)), &raw, &signed_percent(fraction, 2));
    cell("num", &trip.fees, &number(value_of(&trip.fees), columns.money));
    if columns.funding {
        cell("num", &trip.funding, &number(value_of(&trip.funding), columns.money));
    }
    cell("num", &trip.mae.to_string(), &percent(trip.mae, 2));
    cell("num", &trip.mfe.to_string(), &percent(trip.mfe, 2));
    cell("num", &trip.seconds.to_string(), &duration(trip.seconds as f64));
}
