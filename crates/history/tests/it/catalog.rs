//! The catalog gives back what was put in, whole or not at all.

use crate::common::{catalog, file, recordings};
use proptest::prelude::*;
use std::io::ErrorKind;
use tradewind_domain::{Bar, Coded, InstrumentId, Interval, Price, Quantity, Timestamp};
use tradewind_history::{BarSeries, CatalogError, ImportOptions, read_bars};

const ALL: std::ops::Range<Timestamp> = Timestamp::from_nanos(i64::MIN)..Timestamp::from_nanos(i64::MAX);

/// Half a day of hours on a first of January, with mantissas as given.
fn series(bars: &[(i64, i64)]) -> BarSeries {
    let text = "time,open,high,low,close,volume\n2024-01-01 00:00,1,1,1,1,1\n2024-01-01 01:00,1,1,1,1,1\n";
    let (_folder, path) = file("BTC_USDT-1h.csv", text);
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
        let (_folder, catalog) = catalog();
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
    let (_folder, catalog) = catalog();
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
    let (_folder, catalog) = catalog();
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
fn a_damaged_file_hides_no_other() {
    let (_folder, catalog) = catalog();
    let sound = series(&[(1, 1), (2, 2)]);
    let place = catalog.store(&sound).unwrap();
    let other = place.parent().unwrap().with_file_name("ETH~USDT");
    std::fs::create_dir(&other).unwrap();
    for damaged in [place.with_file_name("5m.parquet"), other.join("1h.parquet")] {
        std::fs::write(damaged, b"PAR1 and no more").unwrap();
    }
    let survey = catalog.survey();
    assert_eq!((survey.bars.len(), survey.ticks.len()), (1, 0));
    let faults: Vec<&str> = survey.faults.iter().map(Coded::code).collect();
    assert_eq!(faults, ["HIS-30", "HIS-30"]);
    assert!(survey.faults[0].to_string().contains("5m.parquet"), "{}", survey.faults[0]);
    assert_eq!(catalog.list().unwrap_err().code(), "HIS-30");
    assert_eq!(catalog.load(&sound.instrument.symbol, Interval::HOUR, ALL).unwrap().bars, sound.bars);
}

#[test]
fn what_a_series_would_take_away_is_counted() {
    let (_folder, catalog) = catalog();
    let stored = series(&[(1, 1); 6]);
    assert_eq!(catalog.lost_bars(&stored).unwrap(), 0);
    catalog.store(&stored).unwrap();
    let longer = series(&[(1, 1); 9]);
    let mut holed = longer.clone();
    holed.bars.drain(2..4);
    let mut later = longer.clone();
    later.bars.drain(..3);
    assert_eq!([&stored, &longer, &holed, &later].map(|series| catalog.lost_bars(series).unwrap()), [0, 0, 2, 3]);
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let (_folder, catalog) = catalog();
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

/// A link to itself stands for a file that the system does not let anybody open: it may be whole.
#[test]
fn what_the_system_does_not_open_is_neither_nothing_nor_damaged() {
    let (_folder, catalog) = catalog();
    let series = series(&[(1, 1), (2, 2)]);
    let place = catalog.store(&series).unwrap();
    std::fs::remove_file(&place).unwrap();
    assert_eq!(catalog.stored(&series.instrument, series.interval).unwrap(), None);
    assert_eq!(catalog.lost_bars(&series).unwrap(), 0);
    std::os::unix::fs::symlink(&place, &place).unwrap();
    assert_eq!(catalog.stored(&series.instrument, series.interval).unwrap_err().code(), "HIS-01");
    assert_eq!(catalog.lost_bars(&series).unwrap_err().code(), "HIS-01");
    assert_eq!(catalog.store(&series).unwrap_err().code(), "HIS-01");
    assert!(place.is_symlink(), "it is left alone");
    std::fs::remove_file(&place).unwrap();
    std::fs::write(&place, "PAR1 and no more").unwrap();
    assert_eq!(catalog.stored(&series.instrument, series.interval).unwrap(), None);
    catalog.store(&series).unwrap();
}

#[test]
fn what_a_process_that_is_gone_left_half_written_goes_and_nothing_else() {
    let (_folder, catalog) = catalog();
    let series = series(&[(1, 1), (2, 2)]);
    let place = catalog.store(&series).unwrap();
    let beside = |name: &str| place.with_file_name(name);
    for name in ["1h.parquet.4000001.tmp", "trades.parquet.4000002.tmp", "1h.parquet.mine.tmp", "notes.tmp"] {
        std::fs::write(beside(name), "half").unwrap();
    }
    // what is no plain file is not even opened, a pipe least of all
    std::os::unix::fs::symlink(beside("notes.tmp"), beside("orders.parquet.4000004.tmp")).unwrap();
    let written = std::fs::File::create(beside("quotes.parquet.4000003.tmp")).unwrap();
    written.lock().unwrap(); // as its writer does to the end
    catalog.store(&series).unwrap();
    let mut left: Vec<_> =
        std::fs::read_dir(place.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    let want = ["1h.parquet", "1h.parquet.mine.tmp", "notes.tmp", "orders.parquet.4000004.tmp"];
    assert_eq!(left, [&want[..], &["quotes.parquet.4000003.tmp"]].concat());
    drop(written);
    catalog.store(&series).unwrap();
    assert!(!beside("quotes.parquet.4000003.tmp").exists());
}

#[test]
fn what_the_system_refuses_has_a_hint_of_its_own() {
    let hint = |source: std::io::Error| CatalogError::Io { what: "write", path: "1h.parquet".into(), source }.hint();
    let other = hint(ErrorKind::NotFound.into());
    assert_eq!(other, "check the path and the rights");
    for (kind, said) in [
        (ErrorKind::StorageFull, "free space"),
        (ErrorKind::QuotaExceeded, "quota"),
        (ErrorKind::FileTooLarge, "ulimit -f"),
        (ErrorKind::ReadOnlyFilesystem, "can be written"),
        (ErrorKind::PermissionDenied, "rights"),
    ] {
        let within = std::io::Error::other(std::io::Error::other(std::io::Error::from(kind)));
        for hint in [hint(kind.into()), hint(within)] {
            assert!(hint.contains(said) && hint != other, "{kind}: {hint}");
        }
    }
}

#[test]
fn a_catalog_file_is_read_as_what_it_is_by_every_door() {
    let (_folder, catalog) = catalog();
    let stored = series(&[(7, 3), (9, 4)]);
    let path = catalog.store(&stored).unwrap();
    let options = ImportOptions::default(); // not even a symbol is needed: the file says it
    let read = read_bars(&path, &options).unwrap();
    assert_eq!((&read.instrument, &read.bars), (&stored.instrument, &stored.bars));
    let streamed: Vec<Bar> = tradewind_history::stream_bars(&path, &options).unwrap().map(Result::unwrap).collect();
    assert_eq!(streamed, stored.bars);
    assert_eq!(tradewind_history::check_file(&path, &options).used, 2);
}
