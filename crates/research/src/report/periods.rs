//! The run by day, week and month.

use super::Report;
use super::text::{NOTHING, count, escape, money_decimals, number, signed, signed_percent, tone, value_of};
use std::fmt::Write;
use tradewind_quant::calendar::PeriodRow;

/// Periods of each length that the page shows at most; the JSON has all.
const SHOWN: usize = 60;

/// One table for each length, the newest first, folded away but for the months.
pub(super) fn tables(report: &Report) -> String {
    let it = &report.statistics.breakdown;
    let decimals = money_decimals(value_of(&report.deposit));
    let mut page = String::new();
    for (title, open, rows) in [("Month", " open", &it.month), ("Week", "", &it.week), ("Day", "", &it.day)] {
        if rows.is_empty() {
            continue;
        }
        let newest = rows.iter().rev().take(SHOWN);
        let left_out = rows.len().saturating_sub(SHOWN);
        let older =
            if left_out == 0 { String::new() } else { format!(", {} older in the JSON", count(left_out as u64)) };
        let _ = write!(
            page,
            "<details{open}><summary>By {}{older}</summary><div class=wide><table class=costs><thead><tr>\
             <th scope=col>{title}<th scope=col class=num>Return<th scope=col class=num>Equity\
             <th scope=col class=num>Trades<th scope=col class=num>Won<th scope=col class=num>Lost\
             <th scope=col class=num>Profit of trades<th scope=col class=num>Fees<tbody>",
            title.to_lowercase(),
        );
        newest.for_each(|row| period(&mut page, row, decimals));
        page.push_str("</table></div></details>");
    }
    page + "<p class=note>Periods in UTC, weeks from Monday. A trade belongs to the period in which it was closed."
}

fn period(page: &mut String, row: &PeriodRow, decimals: usize) {
    let money = |value: Option<f64>, form: fn(f64, usize) -> String| {
        value.map_or_else(|| NOTHING.to_owned(), |value| form(value, decimals))
    };
    let change = row.period_return.unwrap_or(0.0);
    let _ = write!(
        page,
        "<tr><th scope=row>{}<td class=\"num {}\">{}<td class=num>{}<td class=num>{}<td class=num>{}<td class=num>{}\
         <td class=num>{}<td class=num>{}",
        escape(&row.label),
        tone(change),
        signed_percent(row.period_return.unwrap_or(f64::NAN), 2),
        money(row.equity_change, signed),
        count(row.trades),
        count(row.wins),
        count(row.losses),
        money(row.trade_profit, signed),
        money(row.fees, number),
    );
}
