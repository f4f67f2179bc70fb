//! Bars that are made of shorter bars or trades equal those that the venue published.

use crate::common::{recordings, stated};
use tradewind_domain::{Coded, Interval, Side};
use tradewind_history::{
    Content, Defect, GapKind, ImportOptions, OnDefect, bars_from_trades, check_file, read_bars, read_funding,
    read_trades, resample,
};

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

#[test]
fn funding_rates_are_read_with_their_jitter() {
    let Some(root) = recordings("funding_rates_are_read_with_their_jitter") else { return };
    for (name, count, first, rate) in [
        ("binance-usdm/BTC_USDT_USDT-1h-funding_rate.feather", 7_323, "2019-09-10T08:00:00Z", 10_000),
        ("binance-usdm/BTC_USDT_USDT-8h-funding_rate-2023_2024.feather", 1_498, "2023-01-01T00:00:00Z", 10_000),
        ("freqtrade-testdata/XRP_USDT_USDT-8h-funding_rate.feather", 91, "2021-11-18T00:00:00.017Z", 10_000),
    ] {
        let funding = read_funding(&root.join("ohlcv/crypto").join(name), &ImportOptions::default()).unwrap();
        assert_eq!((funding.rates.len(), funding.decimals), (count, 8), "{name}");
        assert_eq!((funding.rates[0].0.to_string(), funding.rates[0].1), (first.to_owned(), rate), "{name}");
    }
    let bars = root.join("ohlcv/crypto/freqtrade-testdata/XRP_ETH-5m.feather");
    assert_eq!(read_funding(&bars, &ImportOptions::default()).unwrap_err().code(), "HIS-05");
}

/// Payments of `rate` at these hours of 2024, and what is wrong with them: code, row, value and effect; and how many are paid.
fn paid(payments: &[(&str, &str)]) -> (Vec<String>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("funding.csv");
    let rows = payments.iter().map(|(time, rate)| format!("2024-{time},{rate},0,0,0,0\n"));
    std::fs::write(&path, format!("time,open,high,low,close,volume\n{}", rows.collect::<String>())).unwrap();
    let report = check_file(&path, &ImportOptions::default());
    assert_eq!(report.content, Content::Funding);
    let line = |d: &Defect| format!("{} {} {} `{}` {:?}", d.code, d.row, d.column, d.value, d.effect);
    let options = ImportOptions { on_defect: OnDefect::Report, ..ImportOptions::default() };
    (report.defects.iter().map(line).collect(), read_funding(&path, &options).unwrap().rates.len())
}

#[test]
fn funding_that_a_file_has_twice_is_paid_once() {
    let (found, count) =
        paid(&[("01-01 00:00:00.017", "0.0001"), ("01-01 08:00:00.002", "0.0001"), ("01-01 08:00:00.9", "0.0002")]);
    assert_eq!((found, count), (vec!["HIS-13 3 time `2024-01-01T08:00:00.9Z` LeftOut".to_owned()], 2));
}

#[test]
fn funding_that_is_missing_is_named_and_a_new_rhythm_is_not() {
    let hours = |hours: &[u32]| {
        let time = |hour: &u32| format!("01-{:02} {:02}:00:00.0{:02}", 1 + hour / 24, hour % 24, hour % 30);
        let times: Vec<String> = hours.iter().map(time).collect();
        paid(&times.iter().map(|time| (time.as_str(), "0.0001")).collect::<Vec<_>>())
    };
    let (found, count) = hours(&[0, 8, 16, 24, 48, 56, 64]);
    assert_eq!((found, count), (vec!["HIS-14 5 time `2024-01-03T00:00:00.018Z` Kept".to_owned()], 7));
    // from every eight hours to every four and back
    let rhythm = [0, 8, 16, 24, 32, 40, 48, 52, 56, 60, 64, 68, 72, 76, 80, 88, 96, 104, 112, 120, 128];
    assert_eq!(hours(&rhythm).0, [""; 0]);
    // a new rhythm near the ends of a file, where few payments tell it
    for rhythm in [[0, 4, 8, 12, 16, 20, 28, 36].as_slice(), &[0, 8, 12, 16, 20, 24, 28], &[0, 4, 8, 12, 16, 20, 28]] {
        assert_eq!(hours(rhythm).0, [""; 0], "{rhythm:?}");
    }
    assert_eq!(hours(&[0, 8, 24, 32, 40]).0, ["HIS-14 3 time `2024-01-02T00:00:00.024Z` Kept"]);
}

#[test]
fn a_funding_rate_that_no_venue_takes_is_suspect_and_stays() {
    let (found, count) = paid(&[("01-01 00:00", "0.05"), ("01-01 08:00", "5"), ("01-01 16:00", "-0.051")]);
    let want = ["HIS-49 2 open `5` Kept", "HIS-49 3 open `-0.051` Kept"].map(str::to_owned);
    assert_eq!((found, count), (want.to_vec(), 3));
}
