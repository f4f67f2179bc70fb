//! Bars that are made of shorter bars or trades equal those that the venue published.

use crate::common::{recordings, stated};
use tradewind_domain::{Coded, Interval, Side};
use tradewind_history::{GapKind, ImportOptions, bars_from_trades, read_bars, read_trades, resample};

#[test]
fn resampled_minutes_are_the_venues_own_longer_bars() {
    let Some(root) = recordings("resampled_minutes_are_the_venues_own_longer_bars") else { return };
    let folder = root.join("ohlcv/crypto/binance-spot-1m");
    for symbol in ["BTC_USDT", "ETH_USDT"] {
        let minutes = read_bars(&folder.join(format!("{symbol}-1m.feather")), &ImportOptions::default()).unwrap();
        for (interval, count) in [("5m", 26_141), ("15m", 8_713)] {
            let made = resample(&minutes, interval.parse().unwrap()).unwrap();
            let options = ImportOptions { instrument: Some(minutes.instrument.clone()), ..ImportOptions::default() };
            let theirs = read_bars(&folder.join(format!("{symbol}-{interval}.feather")), &options).unwrap();
            assert_eq!((made.bars.len(), made.bars == theirs.bars), (count, true), "{symbol} {interval}");
            assert!(made.gaps.is_empty());
        }
    }
}

#[test]
fn only_a_larger_multiple_can_be_made() {
    let Some(root) = recordings("only_a_larger_multiple_can_be_made") else { return };
    let path = root.join("ohlcv/crypto/freqtrade-testdata/XRP_ETH-5m.feather");
    let series = read_bars(&path, &ImportOptions::default()).unwrap();
    for interval in ["1m", "5m", "7m"] {
        assert_eq!(resample(&series, interval.parse().unwrap()).unwrap_err().code(), "HIS-34");
    }
}

#[test]
fn trades_make_exactly_the_recorded_minutes() {
    let Some(root) = recordings("trades_make_exactly_the_recorded_minutes") else { return };
    let trades = read_trades(&root.join("ticks/freqtrade/XRP_ETH-trades.json.gz"), &ImportOptions::default()).unwrap();
    assert_eq!(trades.trades.len(), 12_477);
    let made = bars_from_trades(&trades, Interval::MINUTE).unwrap();
    let options = ImportOptions { instrument: Some(trades.instrument.clone()), ..ImportOptions::default() };
    let theirs = read_bars(&root.join("ohlcv/crypto/freqtrade-testdata/XRP_ETH-1m.feather"), &options).unwrap();
    assert_eq!(made.bars.len(), 2_469);
    assert_eq!(made.bars, theirs.bars);
    assert!(made.gaps.iter().all(|gap| gap.kind == GapKind::Quiet));
    let spans =
        |gaps: &[tradewind_history::Gap]| gaps.iter().map(|gap| (gap.after, gap.until, gap.bars)).collect::<Vec<_>>();
    assert_eq!(spans(&made.gaps), spans(&theirs.gaps));
}

#[test]
fn every_recorded_file_of_trades_is_read() {
    let Some(root) = recordings("every_recorded_file_of_trades_is_read") else { return };
    let mut got = String::new();
    for name in [
        "freqtrade/XRP_ETH-trades.json.gz",
        "freqtrade/public_trades_list.csv",
        "nautilus/binance-btcusdt-trades.parquet",
        "tardis/bitmex_trades_XBTUSD.csv",
        "binance-spot-btcusdt_20240808.gz",
        "binance-usdm-btcusdt_20240808.gz",
    ] {
        let series = read_trades(&root.join("ticks").join(name), &stated()).unwrap_or_else(|error| panic!("{error}"));
        let (first, last) = (&series.trades[0], &series.trades[series.trades.len() - 1]);
        let buys = series.trades.iter().filter(|(_, trade)| trade.aggressor == Side::Buy).count();
        got += &format!(
            "{name}: {} trades, {buys} buys, {}..{} {}/{}, first {} x {}, {} defects\n",
            series.trades.len(),
            first.0,
            last.0,
            series.instrument.price_decimals,
            series.instrument.quantity_decimals,
            first.1.price.mantissa(),
            first.1.quantity.mantissa(),
            series.defects.len(),
        );
    }
    expect_test::expect_file!["golden/trades.txt"].assert_eq(&got);
}

#[test]
fn ticks_that_are_no_trades_are_refused_as_trades() {
    let Some(root) = recordings("ticks_that_are_no_trades_are_refused_as_trades") else { return };
    for (name, code) in [
        ("databento/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst", "HIS-02"),
        ("bitstamp-L3-orders-2015-05-01.csv.xz", "HIS-05"),
        ("nautilus/binance-btcusdt-quotes.parquet", "HIS-05"),
        ("nautilus/binance-btcusdt-depth-snap.csv", "HIS-05"),
        ("nautilus/bybit-xrpusdt-ob500.data.zip", "HIS-05"),
        ("tardis/binance-futures_book_snapshot_25_BTCUSDT.csv", "HIS-05"),
    ] {
        let error = read_trades(&root.join("ticks").join(name), &stated()).unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
    }
}

#[test]
fn recorded_trades_of_bitmex_are_of_xbt_in_dollars() {
    let Some(root) = recordings("recorded_trades_of_bitmex_are_of_xbt_in_dollars") else { return };
    let path = root.join("ticks/tardis/bitmex_trades_XBTUSD.csv");
    let series = read_trades(&path, &ImportOptions::default()).unwrap();
    assert_eq!((series.instrument.symbol.to_string().as_str(), series.trades.len()), ("XBT/USD", 10));
}
