//! The demo on simulated markets of many seeds, and on recorded ones.

use crate::contract::check_demo;
use crate::support::{Run, Running, recording, text, tradewind};
use serde_json::Value;
use std::path::{Path, PathBuf};

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

/// Hours of a market that stands still at 10, with volumes or without.
fn still(dir: &Path, has_volume: bool) -> PathBuf {
    let (title, volume) = if has_volume { (",volume", ",5") } else { ("", "") };
    let hour = |at: i64| format!("{},10,11,9,10{volume}\n", 1_704_067_200 + at * 3_600);
    let rows: String = (0..800).map(hour).collect();
    let path = dir.join(if has_volume { "still.csv" } else { "silent.csv" });
    std::fs::write(&path, format!("time,open,high,low,close{title}\n{rows}")).unwrap();
    path
}

/// Trades of a market that stands still at 10.5.
fn trades(dir: &Path) -> PathBuf {
    let row = |at: i64| format!("{},{at},buy,10.5,2\n", 1_704_067_200_000 + at);
    let rows: String = (1..100).map(row).collect();
    let path = dir.join("trades.csv");
    std::fs::write(&path, format!("time,id,side,price,quantity\n{rows}")).unwrap();
    path
}

#[test]
fn a_tape_is_of_what_its_file_says_or_has_to_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let (bars, trades) = (still(dir.path(), true), trades(dir.path()));
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

/// [`still`], but for one bar whose high is below its low.
fn contradicting(dir: &Path) -> PathBuf {
    let text = std::fs::read_to_string(still(dir, true)).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    let spoilt = rows[701].replace(",11,9,", ",8,9,");
    let path = dir.join("hl.csv");
    std::fs::write(&path, [&rows[..701], &[spoilt.as_str()], &rows[702..]].concat().join("\n")).unwrap();
    path
}

#[test]
fn a_tape_of_bars_that_contradict_themselves_is_refused_as_a_back_test_refuses_it() {
    let dir = tempfile::tempdir().unwrap();
    let (bars, catalog, data) = (contradicting(dir.path()), dir.path().join("catalog"), dir.path().join("data"));
    let refused = |command: &[&str], file: &Path| {
        let run = tradewind(&[command, &[text(file), "--symbol", "WAVES/USDT"]].concat()).failed_with(1, "HIS-16");
        assert!(run.err.contains("row 701 column high: the high is below 10 (`8`)"), "{}", run.err);
    };
    refused(&["backtest", "--no-report", "--data"], &bars);
    let import = ["data", "import", text(&bars), "--symbol", "WAVES/USDT", "--accept-defects", "--catalog"];
    let stored = tradewind(&[&import[..], &[text(&catalog), "-o", "json"]].concat()).ended_with(0).json();
    for file in [bars.as_path(), Path::new(stored["stored"].as_str().unwrap())] {
        refused(&["exchange", "--tape"], file);
        refused(&["demo", "--data-dir", text(&data), "--tape"], file);
    }
    assert!(!data.exists(), "nothing was begun");
}

#[test]
fn a_tape_of_trades_below_zero_is_refused_likewise() {
    let dir = tempfile::tempdir().unwrap();
    let sound = std::fs::read_to_string(trades(dir.path())).unwrap();
    let (path, data) = (dir.path().join("below.csv"), dir.path().join("data"));
    std::fs::write(&path, sound.replace(",50,buy,10.5,", ",50,buy,-1,")).unwrap();
    for command in [&["exchange"][..], &["demo", "--data-dir", text(&data)]] {
        tradewind(&[command, &tape(&path)].concat()).failed_with(1, "HIS-18");
    }
}

fn tape(file: &Path) -> [&str; 4] {
    ["--tape", text(file), "--symbol", "WAVES/USDT"]
}

#[test]
fn a_tape_of_bars_is_filled_like_a_back_test_with_the_same_options() {
    let dir = tempfile::tempdir().unwrap();
    let (bars, silent) = (still(dir.path(), true), still(dir.path(), false));
    for (file, options) in [
        (&bars, &["--slippage-bps", "7.5", "--volume-share", "none"][..]),
        (&bars, &[]),
        (&silent, &[]),
        (&bars, &["--volume-share", "2.5", "--impact", "root:10"]),
        (&bars, &["--impact", "linear:4"]),
        (&bars, &["--half-spread-bps", "1.25", "--limit-fill", "through"]),
    ] {
        let tested = ["backtest", "--data", text(file), "--symbol", "WAVES/USDT", "--no-report", "-o", "json"];
        let tested = tradewind(&[&tested[..], options].concat()).ended_with(0).json();
        let mut exchange = Running::start(&[&["exchange", "-o", "json"][..], &tape(file), options].concat());
        let played: Value = serde_json::from_str(&exchange.line()).unwrap();
        assert!(played["fill_policy"].is_object(), "{played}");
        assert_eq!(played["fill_policy"], tested["fill_policy"], "{} {options:?}", file.display());
    }
    let mut exchange = Running::start(&[&["exchange"][..], &tape(&bars)].concat());
    let said = [exchange.line(), exchange.line(), exchange.line()].concat();
    assert!(said.contains("at most 10 % of its volume") && said.contains("slip 2 bps against us"), "{said}");
    let mut exchange = Running::start(&["exchange", "-o", "json"]);
    let simulated: Value = serde_json::from_str(&exchange.line()).unwrap();
    assert!(simulated["fill_policy"].is_null(), "{simulated}");
}

#[test]
fn how_long_the_bars_of_a_tape_are_is_stated_as_for_a_back_test() {
    let dir = tempfile::tempdir().unwrap();
    let (bars, trades, data) = (still(dir.path(), true), trades(dir.path()), dir.path().join("data"));
    for command in [&["exchange"][..], &["demo", "--data-dir", text(&data)]] {
        tradewind(&[command, &tape(&bars), &["--interval", "4h"]].concat()).failed_with(1, "HIS-15");
        let run = tradewind(&[command, &tape(&trades), &["--interval", "1h"]].concat()).failed_with(1, "CLI-05");
        assert!(run.err.contains("--interval 1h: ") && run.err.contains("only bars have a length"), "{}", run.err);
        let run = tradewind(&[command, &["--interval", "1h"]].concat()).ended_with(2);
        assert!(run.err.contains("--tape"), "{}", run.err);
    }
    assert!(!data.exists(), "nothing was begun");
    let args = [&["exchange", "-o", "json", "--interval", "30m"][..], &tape(&bars)].concat();
    let said: Value = serde_json::from_str(&Running::start(&args).line()).unwrap();
    assert_eq!(said["symbol"], "WAVES/USDT");
}

#[test]
fn a_demo_says_what_was_assumed_of_its_fills() {
    let dir = tempfile::tempdir().unwrap();
    let (bars, data) = (still(dir.path(), true), dir.path().join("data"));
    let assumed = ["--slippage-bps", "5", "--half-spread-bps", "1", "--limit-fill", "through"];
    let args = ["demo", "--for", "2s", "--data-dir", text(&data), "-o", "json"];
    let run = tradewind(&[&args[..], &assumed, &tape(&bars)].concat()).ended_with(0);
    assert!(run.err.contains("pay 1 bps for half the spread; taking fills slip 5 bps against us"), "{}", run.err);
    let value = run.json();
    assert_eq!(value["fill_policy"]["slippage-centi-bps"], 500);
    assert_eq!(value["fill_policy"]["half-spread-centi-bps"], 100);
    assert_eq!(value["fill_policy"]["limit-needs-trade-through"], true);
    let page = std::fs::read_to_string(value["report"].as_str().unwrap()).unwrap();
    assert!(page.contains("Recorded bars, of which the exchange assumed: ") && page.contains("slip 5 bps"));
}

#[test]
fn assumptions_about_fills_are_refused_where_they_mean_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (bars, silent, data) = (still(dir.path(), true), still(dir.path(), false), dir.path().join("data"));
    let trades = trades(dir.path());
    for (played, options, said) in [
        (&tape(&trades)[..], ["--volume-share", "5"], "--volume-share: a tape of trades"),
        (&[], ["--slippage-bps", "3"], "--slippage-bps: a simulated market"),
        (&[], ["--impact", "none"], "--impact: a simulated market"),
        (&[], ["--limit-fill", "touch"], "--limit-fill: a simulated market"),
        (&tape(&trades), ["--half-spread-bps", "1"], "--half-spread-bps: a tape of trades"),
        (&tape(&bars), ["--half-spread-bps", "-1"], "--half-spread-bps is negative"),
        (&tape(&silent), ["--volume-share", "5"], "--volume-share needs volumes"),
        (&tape(&bars), ["--slippage-bps", "-3"], "--slippage-bps is negative"),
        (&tape(&bars), ["--impact", "cubic:3"], "--impact `cubic:3` is unknown"),
    ] {
        for command in [&["exchange"][..], &["demo", "--data-dir", text(&data)]] {
            let run = tradewind(&[command, played, &options].concat()).failed_with(1, "CLI-05");
            assert!(run.err.contains(said), "{}", run.err);
        }
    }
    assert!(!data.exists(), "nothing was begun");
}
