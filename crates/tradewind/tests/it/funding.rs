//! Recorded funding of a perpetual contract, against a sum of its own.

use crate::support::{recording, text, tradewind};
use serde_json::Value;
use tradewind_domain::{format_decimal, parse_decimal, round_div};

const BARS: &str = "ohlcv/crypto/binance-usdm/BTC_USDT_USDT-1h-futures.feather";
const RATES: &str = "ohlcv/crypto/binance-usdm/BTC_USDT_USDT-1h-funding_rate.feather";

#[test]
fn recorded_funding_is_paid_to_the_last_unit() {
    let (Some(bars), Some(rates)) = (recording("funding", BARS), recording("funding", RATES)) else { return };
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events.json");
    let command = ["backtest", "--data", text(&bars), "--symbol", "BTC/USDT:USDT", "--strategy", "ema-trend"];
    let more =
        ["--from", "2024-01-01", "--no-report", "-o", "json", "--funding", text(&rates), "--events", text(&events)];
    let report = tradewind(&[&command[..], &more].concat()).ended_with(0).json();

    let (mut held, mut paid, mut times) = (0, 0, 0);
    for line in std::fs::read_to_string(&events).unwrap().lines() {
        let kind = serde_json::from_str::<Value>(line).unwrap()["event"]["kind"].take();
        let number = |key: &str| i128::from(kind[key].as_i64().unwrap());
        match kind["type"].as_str().unwrap() {
            "filled" => held += number("quantity") * if kind["side"] == "buy" { 1 } else { -1 },
            // quantities have three decimals, prices two, rates eight, the ledger eight
            "funding" => {
                paid += round_div(held * number("mark") * number("rate_e8"), 100_000);
                times += i32::from(held != 0);
            }
            _ => (),
        }
    }
    assert!(times > 500, "{times}");
    assert_eq!(report["costs"]["funding"]["USDT"], format_decimal(paid, 8), "of {times} times");

    let units = |value: &Value| parse_decimal(value.as_str().unwrap(), 8).unwrap();
    let trips = report["round_trip_list"].as_array().unwrap();
    let of_trips = |key: &str| trips.iter().map(|trip| units(&trip[key])).sum::<i64>();
    assert_eq!(i128::from(of_trips("funding")), paid);
    let gained = units(&report["equity_final"]) - units(&report["deposit"]);
    assert_eq!((of_trips("profit"), units(&report["attribution"]["total"])), (gained, gained));
}

#[test]
fn a_payment_that_a_file_has_twice_is_named_and_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let bars = crate::support::waves(dir.path(), 60);
    let rates = dir.path().join("rates.csv");
    let row = |hours: u64| format!("{},0.0001,0,0,0,0\n", 1_700_000_400 + 3_600 * hours);
    let rows = [8, 16, 16, 24].map(row).concat();
    std::fs::write(&rates, format!("time,open,high,low,close,volume\n{rows}")).unwrap();
    let report = tradewind(&["data", "check", text(&rates), "-o", "json"]).ended_with(3).json();
    let found = &report["defects"][0];
    assert_eq!((&found["code"], &found["row"]), (&"HIS-13".into(), &3.into()), "{report}");
    let command = ["backtest", "--data", text(&bars), "--symbol", "BTC/USDT:USDT", "--no-report"];
    let command = [&command[..], &["--funding", text(&rates)]].concat();
    tradewind(&command).failed_with(1, "HIS-13");
    let events = dir.path().join("events.jsonl");
    tradewind(&[&command[..], &["--accept-defects", "--events", text(&events)]].concat()).ended_with(0);
    let events = std::fs::read_to_string(&events).unwrap();
    assert_eq!(events.matches("\"type\":\"funding\"").count(), 3);
}

#[test]
fn funding_of_what_is_no_perpetual_contract_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let bars = crate::support::waves(dir.path(), 60);
    let command = ["backtest", "--data", text(&bars), "--symbol", "BTC/USDT", "--funding", text(&bars), "--no-report"];
    let run = tradewind(&command).failed_with(1, "CLI-05");
    assert!(run.err.contains("BTC/USDT is no perpetual contract"), "{}", run.err);
    let command =
        ["backtest", "--data", text(&bars), "--symbol", "BTC/USDT:USDT", "--funding", text(&bars), "--no-report"];
    tradewind(&command).failed_with(1, "HIS-05");
}
