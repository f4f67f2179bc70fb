//! The demo on simulated markets of many seeds, and on recorded ones.

use crate::contract::check_demo;
use crate::support::{Run, Running, recording, text, tradewind};
use serde_json::Value;

fn demo(seed: u64, duration: &str) -> (Run, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let seed = seed.to_string();
    let run = tradewind(&["demo", "--for", duration, "--seed", &seed, "--data-dir", text(dir.path()), "-o", "json"]);
    (run.ended_with(0), dir)
}

/// `cargo xtask long --only demos` plays what is promised: 45 s of every seed from 0 to 20.
#[test]
fn two_more_seeds_trade_within_five_seconds() {
    std::thread::scope(|scope| {
        for seed in 11..13 {
            scope.spawn(move || {
                let (run, dir) = demo(seed, "5s");
                let value = check_demo(&run, dir.path(), "simulated");
                assert_eq!(value["seed"], seed);
                assert!(value["symbol"].is_null(), "a simulated market has several");
            });
        }
    });
}

/// File, symbol, quote currency.
const TAPES: [(&str, &str, &str); 5] = [
    ("ohlcv/crypto/freqtrade-testdata/XRP_ETH-1m.feather", "XRP/ETH", "ETH"),
    ("ohlcv/crypto/binance-spot-1m/BTC_USDT-1m.feather", "BTC/USDT", "USDT"),
    ("ohlcv/crypto/binance-spot-1h/LTC_USDT-1h.feather", "LTC/USDT", "USDT"),
    ("ticks/freqtrade/XRP_ETH-trades.json.gz", "XRP/ETH", "ETH"),
    ("ticks/nautilus/binance-btcusdt-trades.parquet", "BTC/USDT", "USDT"),
];

#[test]
fn recorded_bars_and_trades_are_traded_over_the_wire() {
    std::thread::scope(|scope| {
        for (path, symbol, quote) in TAPES {
            scope.spawn(move || check_tape(path, symbol, quote));
        }
    });
}

fn check_tape(path: &str, symbol: &str, quote: &str) {
    let Some(tape) = recording("demo of a tape", path) else { return };
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    let args = ["demo", "--for", "8s", "--tape", text(&tape), "--symbol", symbol, "--data-dir", place, "-o", "json"];
    let run = tradewind(&args).ended_with(0);
    let value = check_demo(&run, dir.path(), "recorded");
    assert!(value["seed"].is_null(), "{path}: a tape has no seed");
    for it in value["portfolios"].as_array().unwrap() {
        assert_eq!(it["currency"], quote, "{path}: {it}");
    }
    assert_eq!(tradewind(&["replay", place, "-o", "json"]).ended_with(0).json()["matches"], true, "{path}");
}

#[test]
fn recorded_shares_are_played_as_themselves() {
    let Some(tape) = recording("demo of shares", "ohlcv/equity/daily/aapl.zip") else { return };
    let dir = tempfile::tempdir().unwrap();
    let args = ["demo", "--for", "3s", "--tape", text(&tape), "--data-dir", text(dir.path()), "-o", "json"];
    let run = tradewind(&args).ended_with(0);
    assert!(run.err.contains("a recorded market of AAPL/USD at "), "{}", run.err);
    let value = run.json();
    assert_eq!((&value["symbol"], &value["portfolios"][0]["currency"]), (&"AAPL/USD".into(), &"USD".into()));
}

#[test]
fn a_tape_is_of_what_its_file_says_or_has_to_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let (bars, trades) = (dir.path().join("bars.csv"), dir.path().join("trades.csv"));
    let hour = |at: i64| format!("{},10,11,9,10,5\n", 1_704_067_200 + at * 3_600);
    let rows = "time,open,high,low,close,volume\n".to_owned() + &(0..800).map(hour).collect::<String>();
    std::fs::write(&bars, rows).unwrap();
    let row = |at: i64| format!("{},{at},buy,10.5,2\n", 1_704_067_200_000 + at);
    let rows = "time,id,side,price,quantity\n".to_owned() + &(1..100).map(row).collect::<String>();
    std::fs::write(&trades, rows).unwrap();
    let (data, catalog) = (dir.path().join("data"), dir.path().join("catalog"));
    for tape in [&bars, &trades] {
        for command in [&["exchange"][..], &["demo", "--data-dir", text(&data)]] {
            let run = tradewind(&[command, &["--tape", text(tape)]].concat()).failed_with(1, "HIS-25");
            assert!(run.err.contains("--symbol"), "{}", run.err);
        }
    }
    for tape in [&bars, &trades] {
        let import = ["data", "import", text(tape), "--symbol", "WAVES/USDT", "--catalog", text(&catalog)];
        let stored = tradewind(&[&import[..], &["-o", "json"]].concat()).ended_with(0).json();
        let place = if stored["content"] == "bars" { &stored["stored"] } else { &stored["series"][0]["stored"] };
        let mut exchange = Running::start(&["exchange", "--tape", place.as_str().unwrap(), "-o", "json"]);
        let said: Value = serde_json::from_str(&exchange.line()).unwrap();
        assert_eq!(said["symbol"], "WAVES/USDT", "{}", tape.display());
    }
}
