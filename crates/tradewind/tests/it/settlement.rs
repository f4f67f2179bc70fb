//! A dated future that is held over its end, from a file of bars to the report.

use crate::support::{Run, text, tradewind, waves};
use std::path::{Path, PathBuf};

/// When the contract of 30 November 2023 ends, in Unix seconds.
const END: u64 = 1_701_388_800;

/// Two hundred hours up to the end of the contract: they fall for five days, and rise to 119.75 at the last close.
fn bars(dir: &Path) -> PathBuf {
    let mut csv = String::from("time,open,high,low,close,volume\n");
    let mut open = 13_000_i64;
    for bar in 0..200_u32 {
        let close = 10_000 + 25 * i64::from((bar + 1).abs_diff(121));
        let price = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        let row = [open, open.max(close) + 3, open.min(close) - 3, close].map(price).join(",");
        csv.push_str(&format!("{},{row},100000.5\n", END - u64::from(200 - bar) * 3_600));
        open = close;
    }
    let path = dir.join("DATED_USDT-1h.csv");
    std::fs::write(&path, csv).unwrap();
    path
}

fn backtest(file: &Path, more: &[&str]) -> Run {
    let command = ["backtest", "--data", text(file), "--symbol", "BTC/USDT:USDT-231130", "--no-report"];
    tradewind(&[&command[..], more].concat())
}

#[test]
fn a_future_that_is_held_over_its_end_is_settled_and_the_report_says_what_that_cost() {
    let dir = tempfile::tempdir().unwrap();
    let file = bars(dir.path());
    let last = |more: &[&str]| {
        let report = backtest(&file, &[more, &["-o", "json"]].concat()).ended_with(0).json();
        let trip = report["round_trip_list"].as_array().unwrap().last().unwrap().clone();
        let words = ["exit_tag", "exit_price"].map(|key| trip[key].as_str().unwrap().to_owned());
        (words, trip["open"].as_bool().unwrap(), report)
    };
    let (words, open, report) = last(&[]);
    assert_eq!((words, open), (["expiry".to_owned(), "119.75".to_owned()], false));
    assert_eq!(report["costs"]["settlement"], "0");

    let (words, _, report) = last(&["--settlement", "121.5", "--delivery-fee-bps", "2"]);
    assert_eq!(words, ["expiry", "121.5"]);
    assert_ne!(report["costs"]["settlement"], "0");
    let run = backtest(&file, &["--settlement", "121.5", "--delivery-fee-bps", "2"]).ended_with(0);
    let paid = report["costs"]["settlement"].as_str().unwrap();
    assert!(run.out.contains(&format!(", {paid} for settlement\n")), "{}", run.out);
    assert!(run.out.contains("at 121.5: as was given."), "{}", run.out);

    // the venue may have settled before midnight, and its bars end with that
    let early = ["--until", "2023-11-30T08:00:00Z"];
    let (words, open, report) = last(&early);
    assert_eq!((words[0].as_str(), open), ("end-of-data", true));
    assert!(report["costs"]["settlement"].is_null());
    let (words, open, _) = last(&[&early[..], &["--settlement", "121.5"]].concat());
    assert_eq!((words[0].as_str(), open), ("expiry", false));
}

#[test]
fn a_settlement_price_may_be_finer_than_the_prices_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = bars(dir.path());
    let last = |symbol: &str, more: &[&str]| {
        let command = ["backtest", "--data", text(&file), "--symbol", symbol, "--no-report", "-o", "json"];
        let report = tradewind(&[&command[..], more].concat()).ended_with(0).json();
        let price = report["round_trip_list"].as_array().unwrap().last().unwrap()["exit_price"].clone();
        (price.as_str().unwrap().to_owned(), report["trade_hash"].clone())
    };
    let future = "BTC/USDT:USDT-231130";
    let (given, trades) = last(future, &["--settlement", "121.5"]);
    assert_eq!(given, "121.5");
    for price in ["121.5551", "121.55510001", "121.50000"] {
        let (given, finer) = last(future, &["--settlement", price]);
        assert_eq!((given.as_str(), &finer), (price.trim_end_matches('0'), &trades), "nothing else is traded");
    }
    // a call at 100 is worth what the price is above it
    assert_eq!(last("BTC/USDT:USDT-231130-100-C", &["--settlement", "121.5551"]).0, "21.5551");
    // quantities become finer at the same time
    let received = ["--settlement", "121.5551", "--fee-asset", "received"];
    assert_eq!(last(future, &received).0, "121.5551");
}

#[test]
fn a_settlement_price_that_means_nothing_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = bars(dir.path());
    for (more, code, said) in [
        (&["--settlement", "121.555000001"][..], "DOM-02", "--settlement: `121.555000001` has more than 8 decimals"),
        (&["--settlement", "soon"], "DOM-01", "--settlement: `soon`"),
        (&["--delivery-fee-bps", "-2"], "CLI-05", "--delivery-fee-bps is negative"),
    ] {
        let run = backtest(&file, more).failed_with(1, code);
        assert!(run.err.contains(said), "{}", run.err);
    }
    let spot = waves(dir.path(), 60);
    let command = ["backtest", "--data", text(&spot), "--symbol", "BTC/USDT", "--settlement", "100", "--no-report"];
    let run = tradewind(&command).failed_with(1, "CLI-05");
    assert!(run.err.contains("BTC/USDT does not end"), "{}", run.err);
    let inverse = ["backtest", "--data", text(&file), "--symbol", "BTC/USD:BTC-231130", "--settlement", "0"];
    tradewind(&[&inverse[..], &["--no-report"]].concat()).failed_with(1, "CLI-05");
}
