//! A stream gives the same bars as the whole file, and stops where it would be refused.

use crate::common::{recordings, stated};
use tradewind_domain::{Bar, Coded};
use tradewind_history::{ImportOptions, OnDefect, read_bars, stream_bars};

#[test]
fn a_stream_gives_the_same_bars_as_the_whole_file() {
    let Some(root) = recordings("a_stream_gives_the_same_bars_as_the_whole_file") else { return };
    for name in [
        "crypto/binance-spot-1h/BTC_USDT-1h.feather",
        "crypto/bybit-1m-gappy/BNBUSDT_1m.parquet",
        "crypto/coinbase-1h/coinbase-1h-btc-usd.csv",
        "crypto/freqtrade-testdata/XRP_USDT_USDT-1h-mark.feather",
        "crypto/lean-coinbase/minute-btcusd-20180404_quote.zip",
        "equity/daily/ibm.zip",
        "fx/gbpusd-m1-bid-2012.csv",
        "futures/6EH4.XCME_1min_bars_20240101_20240131.csv.gz",
        "equity/data-quality/EA-15m-no-bad-divs.csv",
    ] {
        let mut options = ImportOptions { on_defect: OnDefect::Report, hash: false, ..ImportOptions::default() };
        if name.contains("6EH4") || name.contains("EA-") {
            options.symbol = stated().symbol;
        }
        let path = root.join("ohlcv").join(name);
        let whole = read_bars(&path, &options).unwrap();
        let mut stream = stream_bars(&path, &options).unwrap();
        let bars: Vec<Bar> = stream.by_ref().map(Result::unwrap).collect();
        assert!(bars == whole.bars, "{name}");
        assert_eq!(stream.instrument(), &whole.instrument, "{name}");
        assert_eq!(stream.interval(), whole.interval, "{name}");
        assert_eq!(stream.gaps(), whole.gaps, "{name}");
        assert_eq!(stream.source().rows, whole.source.rows, "{name}");
    }
}

#[test]
fn a_stream_ends_at_the_first_faulty_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.csv");
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    for row in 0..5_000_i64 {
        let high = if row == 4_000 { "9" } else { "11" };
        text += &format!("{},10.5,{high},10,10.25,1.5\n", 1_704_067_200_000 + row * 60_000);
    }
    std::fs::write(&path, &text).unwrap();
    let mut stream = stream_bars(&path, &stated()).unwrap();
    assert_eq!(stream.by_ref().take_while(Result::is_ok).count(), 4_000);
    assert!(stream.next().is_none());
    let last = stream_bars(&path, &stated()).unwrap().last().unwrap().unwrap_err();
    assert_eq!(last.code(), "HIS-16");
    assert!(last.to_string().contains("row 4001"), "{last}");

    let fixed = ImportOptions { price_decimals: Some(1), quantity_decimals: Some(3), ..stated() };
    let error = stream_bars(&path, &fixed).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.code(), "HIS-32", "{error}");
}
