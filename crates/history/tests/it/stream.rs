//! A stream gives the same bars as the whole file, and stops where it would be refused.

use crate::common::{catalog, file, recordings, reported, stated};
use std::io::{Cursor, Write};
use tradewind_domain::{Bar, Coded};
use tradewind_history::{ImportOptions, OnDefect, StampEnd, read_bars, stream_bars};
use zip::CompressionMethod;

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
        "fx/oanda-hour-eurusd.zip",
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
        assert_eq!(stream.defects().count(), whole.defects.count(), "{name}");
        assert_eq!(stream.source().rows, whole.source.rows, "{name}");
    }
}

#[test]
fn a_stream_ends_at_the_first_faulty_row() {
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    for row in 0..5_000_i64 {
        let high = if row == 4_000 { "9" } else { "11" };
        text += &format!("{},10.5,{high},10,10.25,1.5\n", 1_704_067_200_000 + row * 60_000);
    }
    let (_folder, path) = file("bars.csv", &text);
    let mut stream = stream_bars(&path, &stated()).unwrap();
    assert_eq!(stream.by_ref().take_while(Result::is_ok).count(), 4_000);
    assert!(stream.next().is_none());
    let last = stream_bars(&path, &stated()).unwrap().last().unwrap().unwrap_err();
    assert_eq!(last.code(), "HIS-16");
    assert!(last.to_string().contains("row 4001"), "{last}");
    assert!(last.to_string().ends_with("(the first error)"), "of the rows behind it nothing is known: {last}");
    let whole = read_bars(&path, &stated()).unwrap_err();
    assert!(whole.to_string().ends_with("(1 error in all)"), "{whole}");

    let fixed = ImportOptions { price_decimals: Some(1), quantity_decimals: Some(3), ..stated() };
    let error = stream_bars(&path, &fixed).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.code(), "HIS-32", "{error}");
}

#[test]
fn a_stream_of_the_catalog_gives_what_the_whole_file_gives() {
    let Some(root) = recordings("a_stream_of_the_catalog_gives_what_the_whole_file_gives") else { return };
    let (_folder, catalog) = catalog();
    let options = ImportOptions { on_defect: OnDefect::Report, ..ImportOptions::default() };
    for name in ["crypto/binance-spot-1h/BTC_USDT-1h.feather", "equity/hour/spy.zip"] {
        let stored = catalog.store(&read_bars(&root.join("ohlcv").join(name), &options).unwrap()).unwrap();
        let whole = read_bars(&stored, &options).unwrap();
        let mut stream = stream_bars(&stored, &options).unwrap();
        assert!(stream.gaps().is_empty() && stream.defects().is_empty(), "{name}: no bar was judged yet");
        let bars: Vec<Bar> = stream.by_ref().map(Result::unwrap).collect();
        assert!(bars.len() > 30_000 && bars == whole.bars, "{name}");
        assert_eq!((stream.gaps(), stream.defects()), (&whole.gaps[..], &whole.defects), "{name}");
        assert_eq!((stream.instrument(), stream.interval()), (&whole.instrument, whole.interval), "{name}");
        assert_eq!(stream.source(), whole.source, "{name}");
    }
}

/// A file of the catalog carries open times, whatever its source named.
#[test]
fn bars_of_the_catalog_are_not_said_to_be_stamped_by_their_end() {
    let (_folder, path) = file("bars.csv", &minutes(20));
    let close = ImportOptions { stamp: StampEnd::Close, ..stated() };
    let series = read_bars(&path, &close).unwrap();
    let (_catalog_folder, catalog) = catalog();
    let stored = catalog.store(&series).unwrap();
    assert_eq!(read_bars(&stored, &stated()).unwrap().bars, series.bars);
    assert_eq!(read_bars(&stored, &close).unwrap_err().code(), "HIS-35");
    assert_eq!(stream_bars(&stored, &close).err().map(|error| error.code()), Some("HIS-35"));
}

#[test]
fn bars_of_the_catalog_are_as_long_as_they_are() {
    let (_folder, path) = file("bars.csv", &minutes(20));
    let (_catalog_folder, catalog) = catalog();
    let stored = catalog.store(&read_bars(&path, &stated()).unwrap()).unwrap();
    let lasting = |interval: &str| ImportOptions { interval: interval.parse().ok(), ..stated() };
    assert_eq!(read_bars(&stored, &lasting("1m")).unwrap().bars.len(), 20);
    assert_eq!(read_bars(&stored, &lasting("5m")).unwrap_err().code(), "HIS-35");
    assert_eq!(stream_bars(&stored, &lasting("5m")).err().map(|error| error.code()), Some("HIS-35"));
}

#[test]
fn a_row_out_of_order_is_sorted_in_wherever_it_stands() {
    let text = minutes(6_000);
    for at in [100, 3_000] {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(at, at + 1);
        let (_folder, path) = file("bars.csv", &(lines.join("\n") + "\n"));
        let fixed = ImportOptions { price_decimals: Some(2), quantity_decimals: Some(1), ..reported() };
        for options in [reported(), fixed] {
            let whole = read_bars(&path, &options).unwrap();
            let mut stream = stream_bars(&path, &options).unwrap();
            let bars: Vec<Bar> = stream.by_ref().map(Result::unwrap).collect();
            assert!(bars.len() == 6_000 && bars == whole.bars, "row {at}: {} bars", bars.len());
            assert_eq!(stream.defects(), &whole.defects, "row {at}");
        }
        let refused = stream_bars(&path, &stated()).and_then(|stream| stream.last().unwrap());
        assert_eq!(refused.unwrap_err().code(), "HIS-12", "row {at}");
    }
}

#[test]
fn a_damaged_file_of_the_catalog_gives_no_bar() {
    let (_folder, path) = file("bars.csv", &minutes(20_000));
    let (_catalog_folder, catalog) = catalog();
    let stored = catalog.store(&read_bars(&path, &stated()).unwrap()).unwrap();
    let mut bytes = std::fs::read(&stored).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&stored, &bytes).unwrap();
    assert_eq!(stream_bars(&stored, &stated()).err().map(|error| error.code()), Some("HIS-30"));
}

fn minutes(count: i64) -> String {
    let row = |row: i64| format!("{},10.5,11,10,10.25,{}.5\n", 1_704_067_200_000 + row * 60_000, row % 9);
    "timestamp,open,high,low,close,volume\n".to_owned() + &(0..count).map(row).collect::<String>()
}

fn zipped(method: CompressionMethod, text: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    archive.start_file("bars.csv", options).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_archive_is_unpacked_as_it_is_read_and_held_against_its_check_sum() {
    let text = minutes(20_000);
    let (folder, plain) = file("bars.csv", &text);
    let path = folder.path().join("bars.zip");
    let want = read_bars(&plain, &stated()).unwrap().bars;
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let archive = zipped(method, &text);
        std::fs::write(&path, &archive).unwrap();
        let mut stream = stream_bars(&path, &stated()).unwrap();
        assert!(stream.next().is_some_and(|bar| bar.is_ok()), "{method}");
        assert_eq!((stream.source().rows, stream.source().member.as_deref()), (1, Some("bars.csv")), "{method}");
        assert_eq!(stream_bars(&path, &stated()).unwrap().map(Result::unwrap).collect::<Vec<_>>(), want, "{method}");
        assert_eq!(read_bars(&path, &stated()).unwrap().bars, want, "{method}");

        let mut spoilt = archive;
        let directory = spoilt.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").expect("its table of contents");
        spoilt[directory + 16] ^= 1; // in the check sum
        std::fs::write(&path, &spoilt).unwrap();
        assert_eq!(read_bars(&path, &stated()).unwrap_err().code(), "HIS-03", "{method}");
    }
}
