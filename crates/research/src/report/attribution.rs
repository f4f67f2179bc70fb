//! Where the profit came from: the trades' profit, cut in several ways. Each cut sums to the whole, to the last unit.

use super::text::{count, money_decimals, number, signed, tone, value_of};
use super::{Report, ledger};
use crate::RoundTrip;
use serde::Serialize;
use std::fmt::Write;

const HOUR_NS: i64 = 3_600_000_000_000;

/// The profit of all trades, the open one at its last mark, by what the trades have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attribution {
    /// By the side that was held: `long`, `short`.
    pub side: Vec<Share>,
    /// By what the market did between entry and exit: `rose`, `fell`, `stood still`.
    pub market: Vec<Share>,
    /// By how long it was held: `under 1 h`, `1 to 4 h`, `4 to 24 h`, `1 to 7 d`, `over 7 d`.
    pub holding_time: Vec<Share>,
    /// What each of them sums to.
    pub total: String,
}

/// One kind of trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Which.
    pub name: &'static str,
    /// How many trades.
    pub trades: usize,
    /// How many of them made a profit.
    pub winners: usize,
    /// Profit after fees and funding, in the settlement currency.
    pub profit: String,
}

impl Attribution {
    pub(super) fn of(trips: &[RoundTrip]) -> Self {
        let side = |trip: &RoundTrip| usize::from(!trip.long);
        let market = |trip: &RoundTrip| match trip.exit_price.total_cmp(&trip.entry_price) {
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => 2,
        };
        let time = |trip: &RoundTrip| match trip.closed_at.since(trip.opened_at) / HOUR_NS {
            ..1 => 0,
            1..4 => 1,
            4..24 => 2,
            24..168 => 3,
            168.. => 4,
        };
        Self {
            side: cut(trips, &["long", "short"], side),
            market: cut(trips, &["rose", "fell", "stood still"], market),
            holding_time: cut(trips, &["under 1 h", "1 to 4 h", "4 to 24 h", "1 to 7 d", "over 7 d"], time),
            total: ledger(trips.iter().map(|trip| trip.profit_units).sum()),
        }
    }
}

/// The trades by kind; kinds without a trade are left out.
fn cut(trips: &[RoundTrip], names: &[&'static str], kind: impl Fn(&RoundTrip) -> usize) -> Vec<Share> {
    let share = |(place, name): (usize, &&'static str)| {
        let of_it = || trips.iter().filter(|trip| kind(trip) == place);
        let profit = of_it().map(|trip| trip.profit_units).sum();
        let winners = of_it().filter(|trip| trip.profit_units > 0).count();
        Share { name, trades: of_it().count(), winners, profit: ledger(profit) }
    };
    names.iter().enumerate().map(share).filter(|share| share.trades > 0).collect()
}

/// The three cuts in one table.
pub(super) fn table(report: &Report) -> String {
    let (it, decimals) = (&report.attribution, money_decimals(value_of(&report.deposit)));
    let mut page = String::from(
        "<table class=costs><thead><tr><th scope=col>Trades<th scope=col class=num>Count\
         <th scope=col class=num>Won<th scope=col class=num>Profit<tbody>",
    );
    for (what, shares) in
        [("Side held", &it.side), ("The market meanwhile", &it.market), ("Held for", &it.holding_time)]
    {
        for share in shares {
            let profit = value_of(&share.profit);
            let _ = write!(
                page,
                "<tr><th scope=row>{what}: {}<td class=num>{}<td class=num>{}<td class=\"num {}\" data-v=\"{}\">{}",
                share.name,
                count(share.trades as u64),
                count(share.winners as u64),
                tone(profit),
                share.profit,
                signed(profit, decimals)
            );
        }
    }
    let total = number(value_of(&it.total), decimals);
    page + &format!(
        "</table><p class=note>Each of the three sums to {total}, the profit of all trades after fees and funding."
    )
}
