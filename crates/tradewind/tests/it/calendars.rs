//! The calendars against what was recorded: bars where a market is open, and none where it is closed.

use crate::support::{recording, text, tradewind, waves};
use tradewind_domain::{Bar, Calendar, Interval, Timestamp};
use tradewind_history::{ImportOptions, OnDefect, StampEnd, read_bars};

const HOUR: i64 = 3_600_000_000_000;

/// The bars of a recording, defects and all; `None` where there are no recordings.
fn bars(path: &str, stamp: StampEnd) -> Option<Vec<Bar>> {
    let symbol = if path.contains("6EH4") { "EUR/USD".parse().ok() } else { None };
    let options = ImportOptions { symbol, stamp, on_defect: OnDefect::Report, hash: false, ..ImportOptions::default() };
    Some(read_bars(&recording("calendars", path)?, &options).unwrap().bars)
}

fn day(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = format!("{text}T00:00:00Z").parse().unwrap();
    Timestamp::from_millis(moment.as_millisecond())
}

/// Whether `calendar` has a session at both ends of `bar`.
fn is_within(calendar: &Calendar, bar: &Bar) -> bool {
    calendar.is_open(bar.open_time) && calendar.is_open(bar.close_time().plus_nanos(-1))
}

/// Days of a daily file from the first to the last on which bars and calendar disagree.
fn disagreements(path: &str) -> Option<Vec<Timestamp>> {
    let (bars, calendar) = (bars(path, StampEnd::Open)?, Calendar::new_york_stocks());
    let mut bars = bars.iter().map(|bar| bar.open_time).peekable();
    let mut date = *bars.peek().unwrap();
    let mut found = Vec::new();
    while bars.peek().is_some() {
        let traded = bars.next_if_eq(&date).is_some();
        // 11:30 or 12:30 in New York: within half days as well
        if traded != calendar.is_open(date.plus_nanos(16 * HOUR + HOUR / 2)) {
            found.push(date);
        }
        date = date.plus_nanos(Interval::DAY.nanos());
    }
    Some(found)
}

#[test]
fn shares_traded_on_the_trading_days_of_new_york_from_1998_to_2021_and_on_no_other() {
    for name in ["spy", "aapl", "ibm", "bac", "iwm"] {
        let Some(found) = disagreements(&format!("ohlcv/equity/daily/{name}.zip")) else { return };
        assert_eq!(found, [], "{name}");
    }
    // QQQ was listed under another name in these years, and the file lacks them
    let Some(found) = disagreements("ohlcv/equity/daily/qqq.zip") else { return };
    assert_eq!((found.len(), found[0], found[1_587]), (1_588, day("2004-12-01"), day("2011-03-22")));
}

/// Until 2008 the hours of these files hold trades of after the close, so that a half day does not show.
#[test]
fn hours_of_shares_end_with_the_session_on_half_days_as_well() {
    let calendar = Calendar::new_york_stocks();
    for name in ["spy", "aapl"] {
        let Some(bars) = bars(&format!("ohlcv/equity/hour/{name}.zip"), StampEnd::Open) else { return };
        let bars: Vec<Bar> = bars.into_iter().filter(|bar| bar.open_time > day("2009-01-01")).collect();
        let closes: Vec<_> = bars.iter().map(|bar| calendar.next_close(bar.open_time).unwrap()).collect();
        let mut half_days = 0;
        for (bars, closes) in bars.windows(2).zip(closes.windows(2)) {
            assert!(calendar.is_open(bars[0].close_time().plus_nanos(-1)), "{}", bars[0].open_time);
            if closes[0] != closes[1] {
                assert_eq!(bars[0].close_time(), closes[0], "the last hour of a day");
                half_days += usize::from(is_half_day(closes[0]));
            }
        }
        assert_eq!(half_days, 26, "{name}");
    }
}

/// Whether New York closed at 13:00: 17:00 or 18:00 in UTC, where a whole day ends at 20:00 or 21:00.
fn is_half_day(closes: Timestamp) -> bool {
    closes.nanos() % Interval::DAY.nanos() < 19 * HOUR
}

/// What a dealer quoted while the calendar has currencies closed: a part of New Year's Day until 2009, an hour of a
/// Christmas.
const QUOTED_ON_HOLIDAYS: [&str; 11] = [
    "2007-01-01T21:00:00Z",
    "2008-01-01T09:00:00Z",
    "2008-01-01T18:00:00Z",
    "2008-01-01T19:00:00Z",
    "2008-01-01T20:00:00Z",
    "2008-01-01T21:00:00Z",
    "2009-01-01T18:00:00Z",
    "2009-01-01T19:00:00Z",
    "2009-01-01T20:00:00Z",
    "2009-01-01T21:00:00Z",
    "2009-12-25T10:00:00Z",
];

/// All of twelve years but eleven hours lies within the sessions. The reverse does not hold: the dealer opened late after
/// some holidays, and the file lacks a few days and hours.
#[test]
fn currencies_trade_from_sunday_to_friday_evening_in_new_york() {
    let calendar = Calendar::foreign_exchange();
    for (path, openings) in [
        ("ohlcv/fx/oanda-hour-eurusd.zip", 629),
        ("ohlcv/fx/gbpusd-m1-bid-2012.csv", 2),
        ("ohlcv/fx/gbpusd-m1-ask-2012.csv", 2),
    ] {
        let Some(bars) = bars(path, StampEnd::Open) else { return };
        let outside = bars.iter().filter(|bar| !is_within(&calendar, bar)).map(|bar| bar.open_time.to_string());
        let quoted: &[&str] = if path.contains("hour") { &QUOTED_ON_HOLIDAYS } else { &[] };
        assert_eq!(outside.collect::<Vec<_>>(), quoted, "{path}");
        let opens = |bar: &&Bar| calendar.is_open(bar.open_time) && !calendar.is_open(bar.open_time.plus_nanos(-1));
        assert_eq!(bars.iter().filter(opens).count(), openings, "{path}: openings whose first bar is there");
    }
    for path in ["ohlcv/fx/oanda-daily-eurusd.zip", "ohlcv/fx/oanda-daily-gbpusd.zip"] {
        let Some(bars) = bars(path, StampEnd::Open) else { return };
        let trades = |bar: &Bar| {
            calendar.is_open(bar.open_time)
                || calendar.next_open(bar.open_time).is_some_and(|opens| opens < bar.close_time())
        };
        assert!(bars.iter().all(trades), "{path}");
    }
}

#[test]
fn a_month_of_euro_futures_keeps_the_nights_of_globex_to_the_minute() {
    const MONTH: &str = "ohlcv/futures/6EH4.XCME_1min_bars_20240101_20240131.csv.gz";
    let Some(bars) = bars(MONTH, StampEnd::Close) else { return };
    let calendar = Calendar::cme_globex();
    assert!(bars.iter().all(|bar| is_within(&calendar, bar)));
    assert_eq!(calendar.next_open(day("2023-12-30")), Some(bars[0].open_time), "New Year's Day was left out");
    let mut closes = 0;
    for pair in bars.windows(2) {
        let close = calendar.next_close(pair[0].open_time).unwrap();
        if pair[1].open_time >= close {
            assert_eq!(pair[0].close_time(), close);
            assert_eq!(calendar.next_open(close), Some(pair[1].open_time));
            closes += 1;
        }
    }
    assert_eq!(closes, 22);
}

/// The file stamps a minute by its end: told so, its bars begin with the session, and lie a minute earlier.
#[test]
fn bars_that_are_stamped_by_their_end_open_a_minute_earlier() {
    const MONTH: &str = "ohlcv/futures/6EH4.XCME_1min_bars_20240101_20240131.csv.gz";
    const OPENING: i64 = 1_704_150_000_000_000_000; // 2024-01-01 17:00 in Chicago
    let Some(file) = recording("bars that are stamped by their end", MONTH) else { return };
    let run = |command: &[&str], stamp: &str| {
        let more = ["--symbol", "EUR/USD", "--stamp", stamp, "-o", "json"];
        tradewind(&[command, &more].concat()).json()
    };
    let backtest = ["backtest", "--data", text(&file), "--no-report"];
    let second = |value: &serde_json::Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    for (command, keys) in [
        (&["data", "check", text(&file)][..], [("/used", "/first"), ("/source/stamp", "/last")]),
        (&backtest[..], [("/bars", "/start"), ("/data/stamp", "/end")]),
    ] {
        let (open, close) = (run(command, "open"), run(command, "close"));
        let at = |value: &serde_json::Value, key: &str| value.pointer(key).unwrap().clone();
        let [(bars, first), (stamp, last)] = keys;
        assert_eq!((at(&open, bars), at(&close, bars)), (29_996.into(), 29_996.into()));
        assert_eq!((at(&open, stamp), at(&close, stamp)), ("open".into(), "close".into()));
        for key in [first, last] {
            assert_eq!(second(&at(&open, key)) - second(&at(&close, key)), 60, "{key}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let import = ["data", "import", text(&file), "--accept-defects", "--catalog", text(dir.path())];
    assert_eq!(run(&import, "close")["bars"], 29_996);
    let listed = tradewind(&["data", "list", "--catalog", text(dir.path()), "-o", "json"]).ended_with(0).json();
    assert_eq!((&listed[0]["source"]["stamp"], &listed[0]["first"]), (&"close".into(), &OPENING.into()));
}

#[test]
fn a_future_on_a_share_index_is_listed_with_the_holidays_of_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let bars = dir.path().join("XCME-1h.csv");
    std::fs::rename(waves(dir.path(), 100), &bars).unwrap();
    for (symbol, rule) in [("ES/USD", "cme-equity-index"), ("MNQ/USD", "cme-equity-index"), ("EUR/USD", "cme-globex")] {
        let events = dir.path().join("events.jsonl");
        let command = ["backtest", "--data", text(&bars), "--symbol", symbol, "--no-report"];
        tradewind(&[&command[..], &["--events", text(&events)]].concat()).ended_with(0);
        let listed = std::fs::read_to_string(&events).unwrap();
        assert!(listed.contains(&format!("\"holidays\":\"{rule}\"")), "{symbol}");
    }
}

#[test]
fn a_back_test_counts_the_days_on_which_currencies_or_shares_trade() {
    for (path, days) in [
        ("ohlcv/fx/oanda-daily-eurusd.zip", "312 days a year, by the calendar of the instrument"),
        ("ohlcv/equity/daily/iwm.zip", "252 days a year, by the calendar of the instrument"),
    ] {
        let Some(data) = recording("calendars", path) else { return };
        let symbol = if path.contains("eurusd") { "EUR/USD" } else { "IWM/USD" };
        let command = ["backtest", "--data", text(&data), "--symbol", symbol, "--strategy", "ema-trend"];
        let report = tradewind(&[&command[..], &["--no-report", "-o", "json"]].concat()).ended_with(0).json();
        let notes = report["notes"].as_array().unwrap();
        assert!(notes.iter().any(|note| note.as_str().unwrap().contains(days)), "{path}: {notes:?}");
    }
}
