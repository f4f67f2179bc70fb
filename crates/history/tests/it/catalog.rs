//! The catalog gives back what was put in, whole or not at all.

use crate::common::recordings;
use proptest::prelude::*;
use tradewind_domain::{Bar, Coded, InstrumentId, Interval, Price, Quantity, Timestamp};
use tradewind_history::{BarSeries, Catalog, ImportOptions, read_bars};

const ALL: std::ops::Range<Timestamp> = Timestamp::from_nanos(i64::MIN)..Timestamp::from_nanos(i64::MAX);

/// Half a day of hours on a first of January, with mantissas as given.
fn series(bars: &[(i64, i64)]) -> BarSeries {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTC_USDT-1h.csv");
    std::fs::write(&path, "time,open,high,low,close,volume\n2024-01-01 00:00,1,1,1,1,1\n2024-01-01 01:00,1,1,1,1,1\n")
        .unwrap();
    let mut series =
        read_bars(&path, &ImportOptions { venue: Some("test".into()), ..ImportOptions::default() }).unwrap();
    let start = series.bars[0].open_time;
    let bar = |(index, (price, volume)): (i64, &(i64, i64))| Bar {
        instrument: InstrumentId(0),
        interval: Interval::HOUR,
        open_time: start.plus_nanos(index * Interval::HOUR.nanos()),
        open: Price::from_mantissa(*price),
        high: Price::from_mantissa(*price),
        low: Price::from_mantissa(*price),
        close: Price::from_mantissa(*price),
        volume: Quantity::from_mantissa(*volume),
    };
    series.bars = (0..).zip(bars).map(bar).collect();
    series
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Whatever the mantissas, what is loaded is what was stored.
    #[test]
    fn what_is_stored_is_loaded(bars in proptest::collection::vec((any::<i64>(), any::<i64>()), 0..200), from in 0_i64..200, to in 0_i64..200) {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path()).unwrap();
        let series = series(&bars);
        catalog.store(&series).unwrap();
        let symbol = &series.instrument.symbol;
        let loaded = catalog.load(symbol, Interval::HOUR, ALL).unwrap();
        prop_assert_eq!(&loaded.bars, &series.bars);
        prop_assert_eq!(&loaded.instrument, &series.instrument);
        prop_assert_eq!(&loaded.source, &series.source);
        let at = |hour: i64| Timestamp::from_millis(1_704_067_200_000 + hour * 3_600_000);
        let part = catalog.load(symbol, Interval::HOUR, at(from)..at(to)).unwrap();
        let want: Vec<Bar> = series.bars.iter().filter(|bar| (at(from)..at(to)).contains(&bar.open_time)).copied().collect();
        prop_assert_eq!(part.bars, want);
    }
}

#[test]
fn recorded_series_survive_the_catalog_and_can_be_streamed() {
    let Some(root) = recordings("recorded_series_survive_the_catalog_and_can_be_streamed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    let path = root.join("ohlcv/crypto/binance-spot-1m/BTC_USDT-1m.feather");
    let series = read_bars(&path, &ImportOptions::default()).unwrap();
    let place = catalog.store(&series).unwrap();
    assert!(place.ends_with("binance/BTC~USDT/1m.parquet"), "{}", place.display());
    let symbol = &series.instrument.symbol;
    assert_eq!(catalog.load(symbol, Interval::MINUTE, ALL).unwrap().bars, series.bars);
    let span = series.bars[70_000].open_time..series.bars[70_010].open_time;
    let streamed: Vec<Bar> =
        catalog.stream("binance", symbol, Interval::MINUTE, span).unwrap().map(Result::unwrap).collect();
    assert_eq!(streamed, series.bars[70_000..70_010]);
    let list = catalog.list().unwrap();
    assert_eq!((list.len(), list[0].bars, &list[0].source), (1, 130_708, &series.source));
    assert_eq!(list[0].source.sha256.as_ref().map(String::len), Some(64));
}

#[test]
fn what_is_not_there_or_broken_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    let mut series = series(&[(1, 1), (2, 2), (3, 3)]);
    let symbol = series.instrument.symbol.clone();
    let load = || catalog.load(&symbol, Interval::HOUR, ALL);
    assert_eq!(load().unwrap_err().code(), "HIS-31");
    let place = catalog.store(&series).unwrap();
    assert_eq!(load().unwrap().bars, series.bars);

    series.instrument.venue = "other".to_owned();
    let other = catalog.store(&series).unwrap();
    let error = load().unwrap_err();
    assert!(error.code() == "HIS-31" && error.to_string().contains("other and test"), "{error}");
    std::fs::remove_file(other).unwrap();

    let whole = std::fs::read(&place).unwrap();
    let mut noticed = 0;
    for at in (0..whole.len()).step_by(3) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        std::fs::write(&place, &flipped).unwrap();
        match load() {
            Ok(loaded) => assert_eq!(loaded.bars, series.bars, "a flip at {at} changed the bars"),
            Err(error) => {
                noticed += 1;
                assert!(matches!(error.code(), "HIS-29" | "HIS-30" | "HIS-31"), "{error}");
            }
        }
    }
    assert!(noticed > 50, "{noticed}");
    std::fs::write(&place, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(load().unwrap_err().code(), "HIS-30");
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    let series = series(&[(1, 1), (2, 2)]);
    let place = catalog.store(&series).unwrap();
    let text = std::fs::read(&place).unwrap();
    let (old, new) = (b"\"schema_version\":1", b"\"schema_version\":9");
    let at = text.windows(old.len()).rposition(|window| window == old).unwrap();
    let mut newer = text.clone();
    newer[at..at + old.len()].copy_from_slice(new);
    std::fs::write(&place, &newer).unwrap();
    assert_eq!(catalog.list().unwrap_err().code(), "HIS-29");
    assert_eq!(catalog.store(&series).unwrap_err().code(), "HIS-29");
    assert_eq!(std::fs::read(&place).unwrap(), newer);
    let left: Vec<_> = std::fs::read_dir(place.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no half-written file stays behind");
}

#[test]
fn a_catalog_file_is_read_as_what_it_is_by_every_door() {
    let folder = tempfile::tempdir().unwrap();
    let stored = BarSeries { ..series(&[(7, 3), (9, 4)]) };
    let path = Catalog::open(folder.path()).unwrap().store(&stored).unwrap();
    let options = ImportOptions::default(); // not even a symbol is needed: the file says it
    let read = read_bars(&path, &options).unwrap();
    assert_eq!((&read.instrument, &read.bars), (&stored.instrument, &stored.bars));
    let streamed: Vec<Bar> = tradewind_history::stream_bars(&path, &options).unwrap().map(Result::unwrap).collect();
    assert_eq!(streamed, stored.bars);
    assert_eq!(tradewind_history::check_file(&path, &options).used, 2);
}
