//! On which days an exchange closes, or closes early, by a rule that holds for every year.

use crate::Timestamp;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// When the stock exchanges of New York close on a half day, in minutes after local midnight.
const NEW_YORK_HALF_DAY: u16 = 13 * 60;

/// From when on their holidays and closings are known: 1998.
const NEW_YORK_KNOWN: Timestamp = Timestamp::from_millis(883_612_800_000);

/// When futures on share indices close on a half day of CME Globex, in minutes after Chicago's midnight.
const INDEX_HALF_DAY: u16 = 12 * 60 + 15;
/// When they halt on a holiday of the United States on which Globex trades.
const INDEX_HALT: u16 = 12 * 60;
/// The same before Memorial Day of 2014.
const INDEX_HALT_UNTIL_2014: u16 = 10 * 60 + 30;

/// When currencies were last quoted on the eves of Christmas and New Year from 2012 to 2015, in minutes after New York's
/// midnight.
const CURRENCY_EVE: u16 = 14 * 60;
/// When they were on the morning of a Christmas until 2009.
const CURRENCY_CHRISTMAS_UNTIL_2009: u16 = 4 * 60;

/// Days on which the stock exchanges of New York were closed since 1998 though their rule had them open.
///
/// Sources: announcements of the NYSE as kept by `pandas_market_calendars` (`holidays/nyse.py`); for 2025 that of
/// 30 December 2024. Recorded bars of shares lack each of those until 2021, and no other day.
const NEW_YORK_CLOSED: [(i16, i8, i8); 10] = [
    (2001, 9, 11), // attacks on the city
    (2001, 9, 12),
    (2001, 9, 13),
    (2001, 9, 14),
    (2004, 6, 11),  // mourning for Ronald Reagan
    (2007, 1, 2),   // mourning for Gerald Ford
    (2012, 10, 29), // Hurricane Sandy
    (2012, 10, 30),
    (2018, 12, 5), // mourning for George H. W. Bush
    (2025, 1, 9),  // mourning for Jimmy Carter
];

/// By which rule an exchange has holidays and half days, beside those that an instrument lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolidayRule {
    /// None: the listed days are all there are.
    #[default]
    None,
    /// Of the stock exchanges of New York, from 1998 on, with the days on which they were closed beside it.
    ///
    /// Closed on New Year's Day, Martin Luther King Day, Washington's Birthday, Good Friday, Memorial Day, Juneteenth
    /// (since 2022), Independence Day, Labor Day, Thanksgiving and Christmas. What falls on a Sunday is observed on the
    /// Monday, what falls on a Saturday on the Friday, but for New Year's Day: the Friday before ends a year's accounts.
    /// 13:00 is the end of 3 July, of the day after Thanksgiving and of 24 December, where they are trading days.
    ///
    /// Sources: NYSE Rule 7.2, and the yearly "Holiday and Early Closings Calendar" of the NYSE Group.
    NewYorkStocks,
    /// Of CME Globex: the days on which all of it is shut, New Year's Day, Good Friday and Christmas, observed as in New
    /// York.
    ///
    /// On other holidays of the United States each product has hours of its own, and some trade on a Good Friday with
    /// figures of employment: whoever lists one of these lists such days as well. Share indices have
    /// [`Self::CmeEquityIndex`].
    ///
    /// Source: the holiday calendar of CME Group.
    CmeGlobex,
    /// Of the futures on share indices of CME Globex: its three holidays, and the hours of the group on others.
    ///
    /// They halt at 12:00 in Chicago (at 10:30 until the spring of 2014), and open for the next day at 17:00 as ever, on
    /// Martin Luther King Day, Presidents' Day, Memorial Day, Juneteenth (since 2022), Independence Day, Labor Day and
    /// Thanksgiving, observed as in New York. They close at 12:15 before an Independence Day from Tuesday to Friday (since
    /// 2013), on the day after Thanksgiving, and on 24 December.
    ///
    /// Left out, since sources disagree: a session until 08:15 on some Good Fridays (those with figures of employment, or
    /// all since 2023), 3 July before 2013, and days of national mourning.
    ///
    /// Sources: the holiday calendar of CME Group (cmegroup.com/tools-information/holiday-calendar.html) as kept by
    /// `pandas_market_calendars` (`calendars/cme_globex_equities.py`); CME's announcements for Martin Luther King Day and
    /// Independence Day of 2006; DTN's exchange schedule for 4 July 2024.
    CmeEquityIndex,
    /// Of foreign exchange: the sessions of 25 December and of 1 January, each from 17:00 of the evening before in New York.
    ///
    /// One that falls on a weekend is not made up for: dealers disagree on the Monday. Until 2009 the session of Christmas
    /// ran until 4:00. From 2012 to 2015 those of 24 and 31 December ended at 14:00; before and since they end as ever.
    ///
    /// Left out: the morning or the hour by which a dealer opens later, Mondays that one adds, and the afternoon of
    /// 1 January, in which one quoted until 2009.
    ///
    /// Sources: twelve years of hours of EUR/USD as OANDA quoted it (2007 to 2018), which begin and end there, but for
    /// eleven hours of New Year's Days and of the Christmas of 2009, and which lack the Mondays behind the Sundays of 2016,
    /// not those behind the ones of 2011; quotes of 1 January 2020, which begin at 17:00; the holidays that Cboe FX and
    /// OANDA publish for 2023 to 2026.
    ForeignExchange,
}

/// What a day of the trading week is by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayKind {
    /// A day like the others.
    Usual,
    /// It ends early.
    HalfDay {
        /// Minutes after local midnight.
        close_minute: u16,
    },
    /// No trading day.
    Holiday,
}

impl HolidayRule {
    /// Whether there is no rule.
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// From when on the rule has all holidays.
    pub(crate) const fn known_from(self) -> Timestamp {
        match self {
            Self::NewYorkStocks => NEW_YORK_KNOWN,
            Self::None | Self::CmeGlobex | Self::CmeEquityIndex | Self::ForeignExchange => {
                Timestamp::from_nanos(i64::MIN)
            }
        }
    }

    /// What `date`, a day from Monday to Friday, is by this rule.
    pub(crate) fn on(self, date: Date) -> DayKind {
        match self {
            Self::None => DayKind::Usual,
            Self::NewYorkStocks => new_york(date),
            Self::CmeGlobex if closes_globex(date) => DayKind::Holiday,
            Self::CmeGlobex => DayKind::Usual,
            Self::CmeEquityIndex => equity_index(date),
            Self::ForeignExchange => foreign_exchange(date),
        }
    }
}

fn new_york(date: Date) -> DayKind {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let half_day = DayKind::HalfDay { close_minute: NEW_YORK_HALF_DAY };
    if closes_new_york(date) || NEW_YORK_CLOSED.contains(&(year, month, day)) {
        return DayKind::Holiday;
    }
    match (month, day, date.weekday()) {
        (7, 3, Weekday::Wednesday) if year < 2013 => DayKind::Usual, // then the Friday behind the holiday was shorter
        (7, 5, Weekday::Friday) if year < 2013 => half_day,
        (7, 3, _) | (11, 23..=29, Weekday::Friday) | (12, 24, _) => half_day,
        (12, 26, Weekday::Friday) if year == 2003 => half_day,
        _ => DayKind::Usual,
    }
}

fn equity_index(date: Date) -> DayKind {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let until = |close_minute| DayKind::HalfDay { close_minute };
    if closes_globex(date) {
        return DayKind::Holiday;
    }
    if is_national(date) {
        return until(if (year, month) < (2014, 5) { INDEX_HALT_UNTIL_2014 } else { INDEX_HALT });
    }
    match (month, day, date.weekday()) {
        (7, 3, _) if year < 2013 => DayKind::Usual,
        (7, 3, _) | (11, 23..=29, Weekday::Friday) | (12, 24, _) => until(INDEX_HALF_DAY),
        _ => DayKind::Usual,
    }
}

fn foreign_exchange(date: Date) -> DayKind {
    match (date.month(), date.day(), date.year()) {
        (12, 25, ..=2009) => DayKind::HalfDay { close_minute: CURRENCY_CHRISTMAS_UNTIL_2009 },
        (1, 1, _) | (12, 25, _) => DayKind::Holiday,
        (12, 24 | 31, 2012..=2015) => DayKind::HalfDay { close_minute: CURRENCY_EVE },
        _ => DayKind::Usual,
    }
}

fn closes_new_york(date: Date) -> bool {
    is_national(date) || closes_globex(date)
}

/// Whether it is a holiday on which the stock exchanges of New York are closed and CME Globex is not.
fn is_national(date: Date) -> bool {
    let of_a_week = matches!(
        (date.month(), date.day(), date.weekday()),
        (1 | 2, 15..=21, Weekday::Monday) // Martin Luther King Day, Washington's Birthday
            | (5, 25..=31, Weekday::Monday) // Memorial Day
            | (9, 1..=7, Weekday::Monday) // Labor Day
            | (11, 22..=28, Weekday::Thursday) // Thanksgiving
    );
    let juneteenth = date.year() >= 2022 && is_observed(date, 6, 19);
    of_a_week || juneteenth || is_observed(date, 7, 4)
}

fn closes_globex(date: Date) -> bool {
    let new_year = matches!((date.month(), date.day(), date.weekday()), (1, 1, _) | (1, 2, Weekday::Monday));
    new_year || is_good_friday(date) || is_observed(date, 12, 25)
}

/// Whether the holiday of that month and day is observed on `date`: on the day, on the Friday before a Saturday, on the
/// Monday after a Sunday. It is neither the first nor the last day of its month.
fn is_observed(date: Date, month: i8, day: i8) -> bool {
    let moved_from = match date.weekday() {
        Weekday::Friday => date.day() + 1,
        Weekday::Monday => date.day() - 1,
        _ => date.day(),
    };
    date.month() == month && (date.day() == day || moved_from == day)
}

fn is_good_friday(date: Date) -> bool {
    let day_of_march = match date.month() {
        3 => i32::from(date.day()),
        4 => 31 + i32::from(date.day()),
        _ => return false,
    };
    day_of_march == easter(i32::from(date.year())) - 2
}

/// Returns Easter Sunday of a year of the Gregorian calendar as a day of March: 32 is 1 April.
///
/// Source: the anonymous algorithm of Nature, 20 April 1876, in J. Meeus, "Astronomical Algorithms", 1991, chapter 8.
const fn easter(year: i32) -> i32 {
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let lunar_correction = (century - (century + 8) / 25 + 1) / 3;
    let moon = (19 * golden + century - century / 4 - lunar_correction + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let exception = (golden + 11 * moon + 22 * to_sunday) / 451;
    moon + to_sunday - 7 * exception + 22
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The days from Monday to Friday of a year that are not usual: month and day, with `*` at a half day of New York, and
    /// the time at one of another.
    fn unusual(rule: HolidayRule, year: i16) -> String {
        let first = Date::new(year, 1, 1).unwrap();
        let days = std::iter::successors(Some(first), |date| date.tomorrow().ok()).take_while(|it| it.year() == year);
        let told = days.filter(|date| date.weekday().to_monday_zero_offset() < 5).filter_map(|date| {
            let text = date.to_string()[5..].to_owned();
            match rule.on(date) {
                DayKind::Usual => None,
                DayKind::HalfDay { close_minute: 780 } => Some(text + "*"),
                DayKind::HalfDay { close_minute } => {
                    Some(format!("{text}@{}:{:02}", close_minute / 60, close_minute % 60))
                }
                DayKind::Holiday => Some(text),
            }
        });
        told.collect::<Vec<_>>().join(" ")
    }

    /// Source: the calendars that the NYSE Group announced for 2018 to 2028, and its closings of 2018-12-05 and 2025-01-09.
    #[test]
    fn the_stock_exchanges_of_new_york_are_closed_on_the_days_that_they_announced() {
        for (year, want) in [
            (2018, "01-01 01-15 02-19 03-30 05-28 07-03* 07-04 09-03 11-22 11-23* 12-05 12-24* 12-25"),
            (2019, "01-01 01-21 02-18 04-19 05-27 07-03* 07-04 09-02 11-28 11-29* 12-24* 12-25"),
            (2020, "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 11-27* 12-24* 12-25"),
            (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 11-26* 12-24"),
            (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 11-25* 12-26"),
            (2023, "01-02 01-16 02-20 04-07 05-29 06-19 07-03* 07-04 09-04 11-23 11-24* 12-25"),
            (2024, "01-01 01-15 02-19 03-29 05-27 06-19 07-03* 07-04 09-02 11-28 11-29* 12-24* 12-25"),
            (2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-03* 07-04 09-01 11-27 11-28* 12-24* 12-25"),
            (2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 11-27* 12-24* 12-25"),
            (2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 11-26* 12-24"),
            (2028, "01-17 02-21 04-14 05-29 06-19 07-03* 07-04 09-04 11-23 11-24* 12-25"),
        ] {
            assert_eq!(unusual(HolidayRule::NewYorkStocks, year), want, "{year}");
        }
    }

    #[test]
    fn until_2012_a_friday_behind_independence_day_was_the_half_day_and_not_the_eve() {
        for (year, want) in
            [(2002, "07-04 07-05*"), (2008, "07-03* 07-04"), (2012, "07-03* 07-04"), (2013, "07-03* 07-04")]
        {
            let unusual = unusual(HolidayRule::NewYorkStocks, year);
            let july: Vec<&str> = unusual.split(' ').filter(|day| day.starts_with("07")).collect();
            assert_eq!(july.join(" "), want, "{year}");
        }
        assert!(unusual(HolidayRule::NewYorkStocks, 2003).ends_with("12-24* 12-25 12-26*"));
    }

    #[test]
    fn globex_is_shut_on_three_days_of_a_year_and_on_two_where_new_year_is_a_saturday() {
        for (year, want) in [
            (2021, "01-01 04-02 12-24"),
            (2022, "04-15 12-26"),
            (2023, "01-02 04-07 12-25"),
            (2024, "01-01 03-29 12-25"),
        ] {
            assert_eq!(unusual(HolidayRule::CmeGlobex, year), want, "{year}");
        }
    }

    /// Source: `pandas_market_calendars` (`cme_globex_equities.py`), but for Good Fridays.
    #[test]
    fn futures_on_share_indices_halt_on_holidays_and_close_early_around_them() {
        for (year, want) in [
            (
                2013,
                "01-01 01-21@10:30 02-18@10:30 03-29 05-27@10:30 07-03@12:15 07-04@10:30 09-02@10:30 11-28@10:30 \
                 11-29@12:15 12-24@12:15 12-25",
            ),
            (
                2014,
                "01-01 01-20@10:30 02-17@10:30 04-18 05-26@12:00 07-03@12:15 07-04@12:00 09-01@12:00 11-27@12:00 \
                 11-28@12:15 12-24@12:15 12-25",
            ),
            (
                2021, // Independence Day is observed on the Monday, Christmas on its eve
                "01-01 01-18@12:00 02-15@12:00 04-02 05-31@12:00 07-05@12:00 09-06@12:00 11-25@12:00 11-26@12:15 12-24",
            ),
            (
                2024,
                "01-01 01-15@12:00 02-19@12:00 03-29 05-27@12:00 06-19@12:00 07-03@12:15 07-04@12:00 09-02@12:00 \
                 11-28@12:00 11-29@12:15 12-24@12:15 12-25",
            ),
            (
                2026, // 3 July is the holiday itself
                "01-01 01-19@12:00 02-16@12:00 04-03 05-25@12:00 06-19@12:00 07-03@12:00 09-07@12:00 11-26@12:00 \
                 11-27@12:15 12-24@12:15 12-25",
            ),
        ] {
            assert_eq!(unusual(HolidayRule::CmeEquityIndex, year), want, "{year}");
        }
        let july_of_2006 = unusual(HolidayRule::CmeEquityIndex, 2006);
        assert!(july_of_2006.contains(" 07-04@10:30 ") && !july_of_2006.contains("07-03"), "{july_of_2006}");
    }

    #[test]
    fn currencies_rest_at_christmas_and_new_year_but_not_on_a_monday_behind_them() {
        for (year, want) in [
            (2008, "01-01 12-25@4:00"),
            (2010, "01-01"), // Christmas is a Saturday
            (2011, ""),      // both are on weekends
            (2012, "12-24@14:00 12-25 12-31@14:00"),
            (2015, "01-01 12-24@14:00 12-25 12-31@14:00"),
            (2018, "01-01 12-25"),
            (2023, "12-25"),
            (2024, "01-01 12-25"),
        ] {
            assert_eq!(unusual(HolidayRule::ForeignExchange, year), want, "{year}");
        }
    }

    /// The earliest and the latest that there can be, and both years of the 20th century that simpler rules get wrong.
    #[test]
    fn easter_is_found_in_every_century() {
        for (year, day_of_march) in
            [(1818, 22), (1943, 56), (1954, 49), (1981, 50), (2000, 54), (2008, 23), (2024, 31), (2038, 56), (2285, 22)]
        {
            assert_eq!(easter(year), day_of_march, "{year}");
        }
    }
}
