//! Holes are judged by the calendar of the market: a lost day is named, a holiday is not.

use crate::common::{file, recordings};
use tradewind_domain::{Bar, Timestamp};
use tradewind_history::{
    BarSeries, Defects, GapKind, ImportOptions, OnDefect, StampEnd, read_bars, stream_bars, validate,
};

/// What is said of the holes.
fn holes(defects: &Defects) -> Vec<&str> {
    defects.iter().filter(|defect| defect.code == "HIS-14").map(|defect| defect.what.as_str()).collect()
}

fn recorded(test: &str, path: &str) -> Option<BarSeries> {
    let options = ImportOptions { on_defect: OnDefect::Report, hash: false, ..ImportOptions::default() };
    Some(read_bars(&recordings(test)?.join("ohlcv").join(path), &options).unwrap())
}

/// Whether a bar opens on one of these days of 2016.
fn opens_on(bar: &Bar, days: &[&str]) -> bool {
    let day = &bar.open_time.to_string()[..10];
    days.iter().any(|it| day == format!("2016-{it}"))
}

#[test]
fn lost_days_of_shares_are_named_and_holidays_are_not() {
    let Some(year) = recorded("lost_days_of_shares_are_named_and_holidays_are_not", "equity/daily/spy.zip") else {
        return;
    };
    assert!(holes(&year.defects).is_empty());
    for (lost, want) in [
        (&["03-15"][..], "1 bar is missing or left out after 2016-03-14T00:00:00Z"),
        (&["03-15", "03-16", "03-17"], "3 bars are missing or left out after 2016-03-14T00:00:00Z"),
        (&["03-24"], "1 bar is missing or left out after 2016-03-23T00:00:00Z"), // before Good Friday
        (
            &["03-15", "03-16", "03-17", "03-18", "03-21", "03-22", "03-23"],
            "7 bars are missing or left out after 2016-03-14T00:00:00Z",
        ),
    ] {
        let mut series = year.clone();
        series.bars.retain(|bar| !opens_on(bar, lost));
        assert_eq!(year.bars.len() - series.bars.len(), lost.len());
        assert_eq!(holes(&validate(&series)), [want]);
    }
}

#[test]
fn a_lost_day_of_hours_is_named_by_the_hours_of_its_session() {
    let Some(mut series) = recorded("a_lost_day_of_hours_is_named_by_the_hours_of_its_session", "equity/hour/spy.zip")
    else {
        return;
    };
    series.bars.retain(|bar| bar.open_time.to_string().starts_with("2016"));
    assert!(holes(&validate(&series)).is_empty(), "a year of nights, weekends, holidays and half days");
    series.bars.retain(|bar| !opens_on(bar, &["03-15"]));
    assert_eq!(holes(&validate(&series)), ["7 bars are missing or left out after 2016-03-14T19:00:00Z"]);
}

#[test]
fn what_a_dealer_lacks_of_the_week_of_currencies_is_named_and_its_weekends_are_not() {
    let Some(series) = recorded(
        "what_a_dealer_lacks_of_the_week_of_currencies_is_named_and_its_weekends_are_not",
        "fx/oanda-hour-eurusd.zip",
    ) else {
        return;
    };
    let found = holes(&series.defects);
    for lost in [
        "22 bars are missing or left out after 2007-01-08T22:00:00Z",
        "9 bars are missing or left out after 2015-08-20T18:00:00Z",
        "103 bars are missing or left out after 2016-12-09T21:00:00Z",
        "15 bars are missing or left out after 2012-12-24T18:00:00Z", // the dealer opened late on 26 December
    ] {
        assert!(found.contains(&lost), "{lost}: {found:?}");
    }
    let closed = series.gaps.iter().filter(|gap| gap.kind == GapKind::Closed).count();
    assert_eq!((found.len(), closed), (14, 627), "{found:?}");
}

#[test]
fn christmas_and_new_year_of_currencies_are_no_lost_days() {
    for path in ["fx/oanda-daily-eurusd.zip", "fx/oanda-daily-gbpusd.zip"] {
        let Some(series) = recorded("christmas_and_new_year_of_currencies_are_no_lost_days", path) else { return };
        let lost = [
            "4 bars are missing or left out after 2016-12-09T00:00:00Z",
            "1 bar is missing or left out after 2018-12-24T00:00:00Z", // 26 December
        ];
        assert_eq!(holes(&series.defects), lost, "{path}");
    }
}

/// Hours from a Thursday to a Tuesday without the Saturday between them.
fn without_saturday(symbol: &str) -> BarSeries {
    let hour = |at: i64| Timestamp::from_millis(1_704_326_400_000 + at * 3_600_000); // from 2024-01-04
    let row = |at: i64| format!("{},10,11,9,10,1\n", hour(at));
    let rows: String = (0..144).filter(|at| at / 24 != 2).map(row).collect();
    let (_folder, path) = file("bars.csv", &format!("time,open,high,low,close,volume\n{rows}"));
    let options = ImportOptions { symbol: symbol.parse().ok(), ..ImportOptions::default() };
    read_bars(&path, &options).unwrap()
}

#[test]
fn a_lost_saturday_of_a_market_that_never_closes_is_named() {
    for symbol in ["BTC/USDT", "BTC/USD", "BTC/USDT:USDT"] {
        let series = without_saturday(symbol);
        assert_eq!(holes(&series.defects), ["24 bars are missing or left out after 2024-01-05T23:00:00Z"], "{symbol}");
        assert_eq!((series.gaps.len(), series.gaps[0].kind, series.gaps[0].bars), (1, GapKind::Missing, 24));
    }
    // a Saturday of currencies is none of theirs, and of a market of which nothing is known the rows are believed
    for symbol in ["SPY/USD", "FILE/UNIT"] {
        let series = without_saturday(symbol);
        assert!(holes(&series.defects).is_empty(), "{symbol}");
        assert_eq!((series.gaps[0].kind, series.gaps[0].bars), (GapKind::Closed, 24), "{symbol}");
    }
    let currencies = without_saturday("EUR/USD");
    assert_eq!(holes(&currencies.defects), [""; 0], "{:?}", currencies.gaps);
}

/// The last bar of a Friday ends on a Saturday, and is none of it.
#[test]
fn bars_that_are_stamped_by_their_end_have_the_weekends_of_those_stamped_by_their_open() {
    let close = |text: &str| ImportOptions {
        symbol: "FILE/UNIT".parse().ok(),
        interval: text.parse().ok(),
        stamp: StampEnd::Close,
        ..ImportOptions::default()
    };
    for (interval, hours) in [("1d", 24), ("1h", 1)] {
        // from 2024-01-01, a Monday, Monday to Friday
        let ends = (0..28 * 24).filter(|hour| hour / 24 % 7 < 5 && hour % hours == 0).map(|hour| hour + hours);
        let time = |hour: i64| Timestamp::from_millis(1_704_067_200_000 + hour * 3_600_000);
        let rows: String = ends.map(|hour| format!("{},10,11,9,10,1\n", time(hour))).collect();
        let (_folder, path) = file("bars.csv", &format!("time,open,high,low,close,volume\n{rows}"));
        let series = read_bars(&path, &close(interval)).unwrap();
        assert_eq!(holes(&series.defects), [""; 0], "{interval}");
        assert_eq!(series.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Closed; 3], "{interval}");
        let mut stream = stream_bars(&path, &close(interval)).unwrap();
        assert_eq!(stream.by_ref().map(Result::unwrap).count(), series.bars.len(), "{interval}");
        assert_eq!(stream.gaps(), series.gaps, "{interval}");
    }
}

#[test]
fn before_the_holidays_of_new_york_are_known_a_lost_day_is_not_told_from_one() {
    let Some(mut series) =
        recorded("before_the_holidays_of_new_york_are_known_a_lost_day_is_not_told_from_one", "equity/daily/spy.zip")
    else {
        return;
    };
    series.bars.truncate(60);
    series.bars.remove(30);
    assert_eq!(holes(&validate(&series)).len(), 1);
    // 52 weeks earlier every day is another of the same week
    series.bars.iter_mut().for_each(|bar| bar.open_time = bar.open_time.plus_nanos(-364 * 86_400_000_000_000));
    assert!(holes(&validate(&series)).is_empty());
}
