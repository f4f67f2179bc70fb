//! The demo on simulated markets of many seeds, and on recorded ones.

use crate::contract::check_demo;
use crate::support::{Run, recording, text, tradewind};

fn demo(seed: u64, duration: &str) -> (Run, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let seed = seed.to_string();
    let run = tradewind(&["demo", "--for", duration, "--seed", &seed, "--data-dir", text(dir.path()), "-o", "json"]);
    (run.ended_with(0), dir)
}

#[test]
fn every_seed_is_a_market_that_trades() {
    // two for five seconds; `cargo xtask long --only demos` plays what is promised, 45 s of every seed from 0 to 20
    std::thread::scope(|scope| {
        for seed in 11..13 {
            scope.spawn(move || {
                let (run, dir) = demo(seed, "5s");
                let value = check_demo(&run, dir.path(), "simulated");
                assert_eq!(value["seed"], seed);
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
