//! A back-test of bars from either form of file, and what its fills cost at one size and at another.

use crate::{folder, run, text};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

const BARS: &str = env!("CARGO_BIN_EXE_bars");
const MINUTES: i64 = 300;

/// Closes in cents: 25 minutes down, 25 up and so on, with noise. Each bar opens at the close before it.
fn closes() -> Vec<i64> {
    let mut noise = 7_i64;
    let mut close = 3_000_000;
    let next = |minute: i64| {
        noise = (noise * 1_103_515_245 + 12_345) % 2_147_483_648;
        let drift = if minute / 25 % 2 == 0 { -1_500 } else { 1_500 };
        close += drift + noise % 801 - 400;
        close
    };
    (0..MINUTES).map(next).collect()
}

/// The same bars in both forms that the workload has.
fn files(closes: &[i64]) -> [PathBuf; 2] {
    let folder = folder("bars");
    let [binary, csv] = ["bars_1m.bin", "bars_1m.csv"].map(|name| folder.join(name));
    let (mut bytes, mut lines) = (Vec::new(), "timestamp,open,high,low,close,volume\n".to_owned());
    let mut open = 3_000_000;
    for (minute, &close) in (0..).zip(closes) {
        let time: i64 = 1_704_067_200_000 + minute * 60_000;
        let prices = [open, open.max(close) + 5, open.min(close) - 5, close];
        bytes.extend(time.to_le_bytes());
        bytes.extend(prices.map(|cents| cents as f64 / 100.0).into_iter().chain([100.0]).flat_map(f64::to_le_bytes));
        let [open_text, high, low, close_text] = prices.map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
        writeln!(lines, "{time},{open_text},{high},{low},{close_text},100.000").unwrap();
        open = close;
    }
    std::fs::write(&binary, bytes).unwrap();
    std::fs::write(&csv, lines).unwrap();
    [binary, csv]
}

/// The bare loop of the rule: fills, and the profit in dollars. It trades at the close at which it decides.
fn bare_loop(closes: &[i64]) -> (u64, f64) {
    let price = |cents: i64| cents as f64 / 100.0;
    let (mut fast, mut slow) = (price(closes[0]), price(closes[0]));
    let (mut long, mut fills, mut cash) = (false, 0, 0.0);
    for (at, &close) in closes.iter().enumerate().skip(1) {
        let close = price(close);
        fast += 2.0 / 11.0 * (close - fast);
        slow += 2.0 / 21.0 * (close - slow);
        if at >= 20 && long != (fast > slow) {
            assert!(at + 1 < closes.len(), "the last bar has no next open to trade at");
            long = !long;
            fills += 1;
            cash += if long { -close * 1.001 } else { close * 0.999 };
        }
    }
    (fills, if long { cash + price(closes[closes.len() - 1]) } else { cash })
}

#[test]
fn the_whole_path_makes_the_fills_and_the_profit_of_a_bare_loop_from_either_file() {
    let closes = closes();
    let (fills, profit) = bare_loop(&closes);
    assert!(fills > 5, "a market that turns");
    let lines = files(&closes).map(|file| run(BARS, &[text(&file)]));
    for line in &lines {
        assert_eq!((&line["bars"], &line["fills"]), (&json!(MINUTES), &json!(fills)), "{line}");
        assert!((line["pnl"].as_f64().unwrap() - profit).abs() < 0.006, "{line}, not {profit}");
        assert!(line["peak_kib"].as_u64().unwrap() > 0);
    }
    assert_eq!(lines[0]["trade_hash"], lines[1]["trade_hash"]);
}

#[test]
fn every_turn_of_the_zigzag_is_a_fill() {
    let line = run(BARS, &["scale", "20", "200"]);
    assert_eq!((&line["fills_20"], &line["fills_200"]), (&json!(20), &json!(200)), "{line}");
    let is_positive = |field: &Value| field.as_f64().is_some_and(|number| number > 0.0);
    assert!(["ns_per_fill_20", "ns_per_fill_200", "last_over_first"].iter().all(|name| is_positive(&line[*name])));
}
