//! The trades by what entered them, by what left them and by what was traded, each with the statistics of its group.

use super::text::{NOTHING, count, duration, escape, money_decimals, number, percent, signed, tone, value_of};
use super::{Report, build::record};
use crate::{Outcome, RoundTrip};
use serde::Serialize;
use std::fmt::Write;
use tradewind_quant::trades::group_trades;
use tradewind_quant::{TradeRecord, TradeStatistics};

/// Every trade, the open one at its last mark, in several groupings; the best group of each comes first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Groups {
    /// By what the strategy said when it entered, such as `cross-up`.
    pub entry_tag: Vec<Group>,
    /// By what ended them: what the strategy said, or `stop`, `target`, `reversal`, `expiry`, `end-of-data`.
    pub exit_tag: Vec<Group>,
    /// By what was traded, as a unified symbol.
    pub instrument: Vec<Group>,
}

/// Trades that have something in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What that is.
    pub name: String,
    /// How they did.
    #[serde(flatten)]
    pub statistics: TradeStatistics,
}

impl Groups {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let trips = &outcome.round_trips;
        let records: Vec<TradeRecord> = trips.iter().map(record).collect();
        Self {
            entry_tag: grouped(&records, trips, |trip| trip.entry_tag.to_string()),
            exit_tag: grouped(&records, trips, |trip| trip.exit_tag.to_string()),
            instrument: grouped(&records, trips, |trip| super::build::symbol(outcome, trip)),
        }
    }

    /// The groupings that are worth a table, with their titles; one of a single instrument says nothing that the whole does not.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &[Group])> {
        let all = [("Entered by", &self.entry_tag), ("Left by", &self.exit_tag), ("Instrument", &self.instrument)];
        let tells = |(title, groups): &(&str, &Vec<Group>)| groups.len() > usize::from(*title == "Instrument");
        all.into_iter().filter(tells).map(|(title, groups)| (title, groups.as_slice()))
    }
}

fn grouped(records: &[TradeRecord], trips: &[RoundTrip], name: impl Fn(&RoundTrip) -> String) -> Vec<Group> {
    let groups = group_trades(records, |place, _| name(&trips[place]));
    let mut groups: Vec<Group> = groups.into_iter().map(|(name, statistics)| Group { name, statistics }).collect();
    let profit = |group: &Group| group.statistics.net_profit.unwrap_or(0.0);
    groups.sort_by(|a, b| profit(b).total_cmp(&profit(a)));
    groups
}

/// One table for each grouping.
pub(super) fn tables(report: &Report) -> String {
    let decimals = money_decimals(value_of(&report.deposit));
    let money = |value: Option<f64>, form: fn(f64, usize) -> String| form(value.unwrap_or(f64::NAN), decimals);
    let mut page = String::new();
    for (title, groups) in report.groups.shown() {
        let _ = write!(page, "<div class=wide><table class=costs><thead><tr><th scope=col>{title}");
        for head in ["Trades", "Won", "Profit", "Average", "Best", "Worst", "Profit factor", "Drawdown", "Held"] {
            let _ = write!(page, "<th scope=col class=num>{head}");
        }
        page.push_str("<tbody>");
        for Group { name, statistics: it } in groups {
            let _ = write!(page, "<tr><th scope=row>{}", escape(name));
            let _ = write!(page, "<td class=num>{}", count(it.trades));
            let _ = write!(page, "<td class=num>{}", it.win_rate.map_or(NOTHING.to_owned(), |rate| percent(rate, 1)));
            let tone = tone(it.net_profit.unwrap_or(0.0));
            let _ = write!(page, "<td class=\"num {tone}\">{}", money(it.net_profit, signed));
            for value in [it.expectancy, it.best_trade, it.worst_trade] {
                let _ = write!(page, "<td class=num>{}", money(value, signed));
            }
            let _ = write!(page, "<td class=num>{}", number(it.profit_factor.unwrap_or(f64::NAN), 2));
            let _ = write!(page, "<td class=num>{}", money(it.max_drawdown, number));
            let _ = write!(page, "<td class=num>{}", duration(it.average_duration_s.unwrap_or(f64::NAN)));
        }
        page.push_str("</table></div>");
    }
    page + "<p class=note>All trades, best group first; one that is still open counts at the last close, as end-of-data. \
            Drawdown is the deepest fall of the group's summed profits."
}
