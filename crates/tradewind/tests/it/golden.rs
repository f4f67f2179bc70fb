//! Back-tests over recorded markets, pinned: the same bars give the same trades, today and on another machine.
//!
//! Prices, sizes and money are integers. Indicators are `f64` and compute with `+ - * /` and `sqrt` in an order that the
//! code fixes: IEEE 754 rounds these in one way on every machine. The one function beyond them is the logarithm, in
//! `volatility-target`: it comes from the system's library, good to one unit in the last place, and decides only where
//! a holding leaves a band. The hashes were made on x86-64 with glibc. `UPDATE_EXPECT=1` writes the tables again.

use crate::support::{recording, text, tradewind};
use expect_test::{expect, expect_file};
use std::fmt::Write;

const STRATEGIES: [&str; 5] = ["ema-trend", "mean-reversion", "breakout", "volatility-target", "vote"];

/// File, symbol, factor file.
const MARKETS: [(&str, &str, Option<&str>); 20] = [
    ("crypto/binance-spot-1h/BTC_USDT-1h.feather", "BTC/USDT", None),
    ("crypto/binance-spot-1h/ETH_USDT-1h.feather", "ETH/USDT", None),
    ("crypto/binance-spot-1h/LTC_USDT-1h.feather", "LTC/USDT", None),
    ("crypto/binance-spot-1m/BTC_USDT-1m.feather", "BTC/USDT", None),
    ("crypto/binance-spot-1m/ETH_USDT-1m.feather", "ETH/USDT", None),
    ("crypto/coinbase-1d/coinbase-1d-btc-usd.csv", "BTC/USD", None),
    ("equity/daily/spy.zip", "SPY/USD", Some("equity/factor_files/spy.csv")),
    ("equity/hour/spy.zip", "SPY/USD", Some("equity/factor_files/spy.csv")),
    ("equity/daily/aapl.zip", "AAPL/USD", Some("equity/factor_files/aapl.csv")),
    ("equity/hour/aapl.zip", "AAPL/USD", Some("equity/factor_files/aapl.csv")),
    ("equity/daily/bac.zip", "BAC/USD", Some("equity/factor_files/bac.csv")),
    ("equity/daily/ibm.zip", "IBM/USD", Some("equity/factor_files/ibm.csv")),
    ("equity/daily/iwm.zip", "IWM/USD", Some("equity/factor_files/iwm.csv")),
    ("equity/daily/qqq.zip", "QQQ/USD", Some("equity/factor_files/qqq.csv")),
    ("fx/oanda-daily-eurusd.zip", "EUR/USD", None),
    ("fx/oanda-hour-eurusd.zip", "EUR/USD", None),
    ("fx/oanda-daily-gbpusd.zip", "GBP/USD", None),
    ("fx/gbpusd-m1-bid-2012.csv", "GBP/USD", None),
    ("fx/gbpusd-m1-ask-2012.csv", "GBP/USD", None),
    ("futures/6EH4.XCME_1min_bars_20240101_20240131.csv.gz", "EUR/USD", None),
];

fn line(file: &str, symbol: &str, factors: Option<&str>, strategy: &str) -> Option<String> {
    let at = |path: &str| recording("golden", &format!("ohlcv/{path}"));
    let data = at(file)?;
    let factors = factors.map(at);
    let mut args = vec!["backtest", "--data", text(&data), "--symbol", symbol, "--strategy", strategy];
    if let Some(Some(factors)) = &factors {
        args.extend(["--factors", text(factors)]);
    }
    args.extend(["--no-report", "-o", "json"]);
    let value = tradewind(&args).ended_with(0).json();
    assert_eq!(value["origin"], "recorded");
    let hash = &value["trade_hash"].as_str().unwrap()[..16];
    let equity = value["equity_final"].as_str().unwrap();
    let (bars, trades) = (value["bars"].as_u64().unwrap(), value["trades"].as_u64().unwrap());
    Some(format!("  {strategy:<17} {bars:>7} bars {trades:>6} trades {equity:>19} {hash}\n"))
}

fn check(markets: &[(&str, &str, Option<&str>)]) -> Option<String> {
    let mut table = String::new();
    for (file, symbol, factors) in markets {
        writeln!(table, "{file} {symbol}").unwrap();
        for strategy in STRATEGIES {
            table.push_str(&line(file, symbol, *factors, strategy)?);
        }
    }
    Some(table)
}

#[test]
fn recorded_crypto_gives_the_same_trades_as_ever() {
    if let Some(table) = check(&MARKETS[..6]) {
        expect_file!["../golden/crypto.txt"].assert_eq(&table);
    }
}

#[test]
fn recorded_equities_currencies_and_futures_give_the_same_trades_as_ever() {
    if let Some(table) = check(&MARKETS[6..]) {
        expect_file!["../golden/others.txt"].assert_eq(&table);
    }
}

#[test]
fn a_fee_taken_in_the_asset_leaves_nothing_that_blocks_an_exit() {
    let Some(data) = recording("golden", "ohlcv/crypto/binance-spot-1h/BTC_USDT-1h.feather") else { return };
    let args = ["backtest", "--data", text(&data), "--symbol", "BTC/USDT", "--fee-asset", "received"];
    let value = tradewind(&[&args[..], &["--no-report", "-o", "json"]].concat()).ended_with(0).json();
    let number = |name: &str| value[name].as_str().unwrap().parse::<f64>().unwrap();
    let attributed: f64 = value["attribution"]["total"].as_str().unwrap().parse().unwrap();
    let left_over = number("equity_final") - number("deposit") - attributed;
    assert!(left_over.abs() < 1.0, "trips account for all but dust: {left_over}");
    let (trips, vetoed) = (&value["round_trips"], &value["decisions"]["veto"]);
    let line = format!("{trips} round trips, {vetoed} refused, {}", value["trade_hash"].as_str().unwrap());
    expect!["1609 round trips, 0 refused, 00de3a64fabded49b89e1025b4580b62445b0cd7d9d20c40a8db94c92ec19fd1"]
        .assert_eq(&line);
}
