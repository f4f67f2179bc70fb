//! Days, weeks and months in UTC, without a time-zone library; returns by month; breakdown by period.
//!
//! A UTC day here runs from *just after* midnight *to the following midnight, inclusive*: an observation stamped
//! exactly 00:00 is the close of the day that ends there. Bars carry their exclusive close time, so the last bar of
//! 31 January (stamped 1 February 00:00) counts in January.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::numeric::finite;
use crate::returns::{DAY_NS, total_return};
use crate::trades::TradeRecord;

/// A day, counted from 1970-01-01 (day 0). Serialises as `"YYYY-MM-DD"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

/// A date of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Astronomical year: 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Day {
    /// The day in which the moment lies; midnight belongs to the day it ends.
    pub fn of_moment(at_ns: i64) -> Self {
        Self(at_ns.saturating_sub(1).div_euclid(DAY_NS))
    }

    /// The day of a date; the date must exist.
    ///
    /// Counts years from March, so that the leap day is the last of its year; 400 years have 146,097 days.
    /// Source: E. G. Richards, "Calendars", Explanatory Supplement to the Astronomical Almanac, 3rd edition, 2013.
    pub fn of_date(date: Date) -> Self {
        let (month, day) = (i64::from(date.month), i64::from(date.day));
        let year = if month > 2 { date.year } else { date.year - 1 };
        let months_since_march = (month + 9) % 12;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days_before_month = (153 * months_since_march + 2) / 5;
        Self(365 * year + leap_days + days_before_month + day - 1 - 719_468)
    }

    /// The date of this day; inverse of [`Day::of_date`].
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 12 and 1 to 31 by construction")]
    pub fn date(self) -> Date {
        let days = self.0 + 719_468;
        let (era, in_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_in_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
        let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
        let since_march = (5 * in_year + 2) / 153;
        let month = (since_march + 2) % 12 + 1;
        let year = era * 400 + year_in_era + i64::from(month <= 2);
        Date { year, month: month as u8, day: (in_year - (153 * since_march + 2) / 5 + 1) as u8 }
    }

    /// The Monday of this day's week (ISO 8601).
    pub fn monday(self) -> Self {
        Self(self.0 - (self.0 + 3).rem_euclid(7))
    }

    /// Year and number of the ISO 8601 week: week 1 holds the year's first Thursday.
    pub fn iso_week(self) -> (i64, i64) {
        let thursday = Self(self.monday().0 + 3);
        let year = thursday.date().year;
        (year, (thursday.0 - Self::of_date(Date { year, month: 1, day: 1 }).0) / 7 + 1)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Date { year, month, day } = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Length of the periods of a breakdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// One UTC day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl Span {
    /// First day of the period that holds `day`.
    pub fn start(self, day: Day) -> Day {
        match self {
            Self::Day => day,
            Self::Week => day.monday(),
            Self::Month => Day::of_date(Date { day: 1, ..day.date() }),
        }
    }

    /// Name of the period that holds `day`: `2024-02-29`, `2024-W09` or `2024-02`.
    pub fn label(self, day: Day) -> String {
        match self {
            Self::Day => day.to_string(),
            Self::Week => {
                let (year, week) = day.iso_week();
                format!("{year:04}-W{week:02}")
            }
            Self::Month => {
                let date = day.date();
                format!("{:04}-{:02}", date.year, date.month)
            }
        }
    }
}

/// What equity did in one day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DailyReturn {
    /// The day at whose end the return was complete.
    pub day: Day,
    /// Simple return since the previous observed day's close, a fraction.
    pub value: f64,
    /// Change of equity over the same time, in the account's currency.
    pub profit: f64,
}

/// One line of the monthly table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct YearRow {
    /// Calendar year.
    pub year: i64,
    /// January first; missing where no day of the month was observed.
    pub months: [Option<f64>; 12],
    /// The observed days of the year, compounded.
    pub year_return: Option<f64>,
}

/// Returns by month and year, each compounded from its days: `prod(1 + r_d) - 1`; oldest year first.
///
/// Source: Bacon 2008, ch. 2. Equals `table.CalendarReturns` of PerformanceAnalytics and `aggregate_returns` of
/// empyrical.
pub fn monthly_table(days: &[DailyReturn]) -> Vec<YearRow> {
    let mut years: BTreeMap<i64, [Vec<f64>; 12]> = BTreeMap::new();
    for day in days {
        let date = day.day.date();
        years.entry(date.year).or_default()[usize::from(date.month - 1)].push(day.value);
    }
    let compound = |values: &Vec<f64>| if values.is_empty() { None } else { total_return(values) };
    let row = |(year, months): (i64, [Vec<f64>; 12])| YearRow {
        year,
        year_return: total_return(&months.concat()),
        months: std::array::from_fn(|month| compound(&months[month])),
    };
    years.into_iter().map(row).collect()
}

/// What one period brought.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeriodRow {
    /// `2024-02-29`, `2024-W09` or `2024-02`.
    pub label: String,
    /// First day of the period.
    pub start: Day,
    /// Compounded return of its observed days; missing if only trades fell into it.
    pub period_return: Option<f64>,
    /// Change of equity over its observed days.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub equity_change: Option<f64>,
    /// Trades closed in it.
    pub trades: u64,
    /// Of these, with a profit above zero.
    pub wins: u64,
    /// Of these, with a profit below zero.
    pub losses: u64,
    /// Net profit of the trades closed in it.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub trade_profit: Option<f64>,
    /// Fees of the trades closed in it.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub fees: Option<f64>,
}

/// Groups days and trades (by closing day) into periods, oldest first; periods without either are left out.
///
/// The trade profits and fees over all rows sum to those of all trades, the returns compound to the total return.
pub fn breakdown(span: Span, days: &[DailyReturn], trades: &[TradeRecord]) -> Vec<PeriodRow> {
    let mut periods: BTreeMap<Day, (Vec<&DailyReturn>, Vec<&TradeRecord>)> = BTreeMap::new();
    for day in days {
        periods.entry(span.start(day.day)).or_default().0.push(day);
    }
    for trade in trades {
        periods.entry(span.start(Day::of_moment(trade.closed_at_ns))).or_default().1.push(trade);
    }
    periods.into_iter().map(|(start, (days, trades))| period_row(span, start, &days, &trades)).collect()
}

fn period_row(span: Span, start: Day, days: &[&DailyReturn], trades: &[&TradeRecord]) -> PeriodRow {
    let returns: Vec<f64> = days.iter().map(|day| day.value).collect();
    let observed = |value: f64| if days.is_empty() { None } else { finite(value) };
    let number = |wanted: fn(f64) -> bool| trades.iter().filter(|trade| wanted(trade.profit)).count() as u64;
    PeriodRow {
        label: span.label(start),
        start,
        period_return: total_return(&returns).and_then(observed),
        equity_change: observed(days.iter().map(|day| day.profit).sum()),
        trades: trades.len() as u64,
        wins: number(|profit| profit > 0.0),
        losses: number(|profit| profit < 0.0),
        trade_profit: finite(trades.iter().map(|trade| trade.profit).sum()),
        fees: finite(trades.iter().map(|trade| trade.fees).sum()),
    }
}
