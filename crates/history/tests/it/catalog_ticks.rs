//! The catalog gives back the ticks that were put in, whole or not at all.

use crate::common::{catalog, recordings, reported, stated};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use tradewind_domain::{Coded, InstrumentSpec, Symbol, Timestamp};
use tradewind_history::{
    Catalog, Content, DepthUpdate, ImportOptions, OrderEvent, Series, read_bars, read_depth, read_orders, read_quotes,
    read_series, read_trades,
};

const ALL: std::ops::Range<Timestamp> = Timestamp::from_nanos(i64::MIN)..Timestamp::from_nanos(i64::MAX);

fn store(catalog: &Catalog, series: &Series) -> PathBuf {
    match series {
        Series::Bars(it) => catalog.store(it),
        Series::Trades(it) => catalog.store_trades(it),
        Series::Quotes(it) => catalog.store_quotes(it),
        Series::Depth(it) => catalog.store_depth(it),
        Series::Orders(it) => catalog.store_orders(it),
        Series::Funding(_) => unreachable!("no catalog keeps them"),
    }
    .unwrap()
}

/// What was stored comes back; rows are counted anew.
fn check_loaded(catalog: &Catalog, series: &Series, symbol: &Symbol) {
    let without_row = |updates: &[DepthUpdate]| -> Vec<DepthUpdate> {
        updates.iter().map(|update| DepthUpdate { row: 0, ..update.clone() }).collect()
    };
    let event_without_row = |events: &[(Timestamp, OrderEvent)]| -> Vec<(Timestamp, OrderEvent)> {
        events.iter().map(|(time, event)| (*time, OrderEvent { row: 0, ..*event })).collect()
    };
    match series {
        Series::Trades(it) => {
            let loaded = catalog.load_trades(symbol, ALL).unwrap();
            assert_eq!((&loaded.trades, &loaded.instrument, &loaded.source), (&it.trades, &it.instrument, &it.source));
        }
        Series::Quotes(it) => {
            let loaded = catalog.load_quotes(symbol, ALL).unwrap();
            assert_eq!((&loaded.quotes, &loaded.instrument, &loaded.source), (&it.quotes, &it.instrument, &it.source));
        }
        Series::Depth(it) => {
            let loaded = catalog.load_depth(symbol, ALL).unwrap();
            assert_eq!((&loaded.instrument, &loaded.source), (&it.instrument, &it.source));
            assert!(without_row(&loaded.updates) == without_row(&it.updates));
            let numbers: Vec<u64> = loaded.updates.iter().map(|update| update.row).collect();
            assert!(numbers.into_iter().eq(1..=it.updates.len() as u64));
        }
        Series::Orders(it) => {
            let loaded = catalog.load_orders(symbol, ALL).unwrap();
            assert_eq!((&loaded.instrument, &loaded.source), (&it.instrument, &it.source));
            assert!(event_without_row(&loaded.events) == event_without_row(&it.events));
        }
        Series::Bars(_) | Series::Funding(_) => unreachable!("these are ticks"),
    }
}

#[test]
fn recorded_ticks_survive_the_catalog() {
    let Some(root) = recordings("recorded_ticks_survive_the_catalog") else { return };
    for name in [
        "binance-spot-btcusdt_20240808.gz",
        "bitstamp-L3-orders-2015-05-01.csv.xz",
        "freqtrade/public_trades_list.csv",
        "nautilus/binance-btcusdt-quotes.parquet",
        "nautilus/bybit-xrpusdt-ob500.data.zip",
        "nautilus/eurusd-quote_tick_data.csv",
        "tardis/binance-futures_book_snapshot_25_BTCUSDT.csv",
        "tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv",
    ] {
        let (_folder, catalog) = catalog();
        let all = read_series(&root.join("ticks").join(name), &reported()).unwrap();
        for series in &all {
            let (spec, content) = (series.instrument().unwrap(), series.content());
            assert_eq!(catalog.stored_ticks(spec, content).unwrap(), None);
            let place = store(&catalog, series);
            let end = format!("BTC~USDT/{}.parquet", content.name());
            assert!(place.ends_with(&end), "{} does not end with {end}", place.display());
            check_loaded(&catalog, series, &spec.symbol);
            // the file is read as what it is by every door
            let again = read_series(&place, &ImportOptions::default()).unwrap();
            assert_eq!((again.len(), again[0].content(), again[0].count()), (1, content, series.count()), "{name}");
        }
        let listed = catalog.list_ticks().unwrap();
        assert_eq!((listed.len(), catalog.list().unwrap().len()), (all.len(), 0), "{name}");
        for series in &all {
            let set = listed.iter().find(|set| set.content == series.content()).unwrap();
            assert_eq!((set.rows, set.first.zip(set.last)), (series.count(), series.span()), "{name}");
        }
    }
}

const QUOTES: &str = "timestamp,bid_price,bid_amount,ask_price,ask_amount\n\
    1704067200000,100,1,101,2\n1704067201000,100.5,1,101,2\n1704067202000,100.5,3,100.75,4\n";

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_span_gives_what_lies_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&folder.path().join("catalog")).unwrap();
    let series = read_quotes(&file(folder.path(), "q.csv", QUOTES), &stated()).unwrap();
    catalog.store_quotes(&series).unwrap();
    let symbol = &series.instrument.symbol;
    let at = |second: i64| Timestamp::from_millis(1_704_067_200_000 + second * 1_000);
    assert_eq!(catalog.load_quotes(symbol, at(1)..at(2)).unwrap().quotes, series.quotes[1..2]);
    assert!(catalog.load_quotes(symbol, at(7)..at(9)).unwrap().quotes.is_empty());
    assert_eq!(catalog.load_trades(symbol, ALL).unwrap_err().code(), "HIS-31");
    assert_eq!(catalog.load_quotes(&"X/USD".parse().unwrap(), ALL).unwrap_err().code(), "HIS-31");
}

#[test]
fn stored_trades_are_read_at_the_decimals_of_whoever_asks() {
    let Some(root) = recordings("stored_trades_are_read_at_the_decimals_of_whoever_asks") else { return };
    let path = root.join("ticks/freqtrade/public_trades_list.csv");
    let (_folder, catalog) = catalog();
    let stored = catalog.store_trades(&read_trades(&path, &stated()).unwrap()).unwrap();
    let fine = InstrumentSpec {
        price_decimals: 8,
        quantity_decimals: 8,
        ..InstrumentSpec::spot(stated().symbol.unwrap(), "x")
    };
    let options = ImportOptions { instrument: Some(fine), ..ImportOptions::default() };
    assert_eq!(read_trades(&stored, &options).unwrap().trades, read_trades(&path, &options).unwrap().trades);
}

#[test]
fn a_flipped_bit_in_stored_ticks_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&folder.path().join("catalog")).unwrap();
    let series = read_quotes(&file(folder.path(), "q.csv", QUOTES), &stated()).unwrap();
    let place = catalog.store_quotes(&series).unwrap();
    let whole = std::fs::read(&place).unwrap();
    let mut noticed = 0;
    for at in (0..whole.len()).step_by(3) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        std::fs::write(&place, &flipped).unwrap();
        match catalog.load_quotes(&series.instrument.symbol, ALL) {
            Ok(loaded) => assert_eq!(loaded.quotes, series.quotes, "a flip at {at} changed the quotes"),
            Err(error) => {
                noticed += 1;
                assert!(matches!(error.code(), "HIS-29" | "HIS-30" | "HIS-31"), "{error}");
            }
        }
    }
    assert!(noticed > 50, "{noticed}");
    std::fs::write(&place, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(catalog.load_quotes(&series.instrument.symbol, ALL).unwrap_err().code(), "HIS-30");
    assert_eq!(read_quotes(&place, &stated()).unwrap_err().code(), "HIS-03");
    catalog.store_quotes(&series).unwrap();
    assert_eq!(std::fs::read(&place).unwrap(), whole, "a broken file may be replaced");
}

#[test]
fn newer_ticks_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&folder.path().join("catalog")).unwrap();
    let series = read_quotes(&file(folder.path(), "q.csv", QUOTES), &stated()).unwrap();
    let place = catalog.store_quotes(&series).unwrap();
    let (old, new) = (b"\"schema_version\":2", b"\"schema_version\":9");
    let mut newer = std::fs::read(&place).unwrap();
    let at = newer.windows(old.len()).rposition(|window| window == old).unwrap();
    newer[at..at + old.len()].copy_from_slice(new);
    std::fs::write(&place, &newer).unwrap();
    assert_eq!(catalog.list_ticks().unwrap_err().code(), "HIS-29");
    assert_eq!(catalog.store_quotes(&series).unwrap_err().code(), "HIS-29");
    assert_eq!(read_quotes(&place, &stated()).unwrap_err().code(), "HIS-29");
    assert_eq!(std::fs::read(&place).unwrap(), newer);
}

#[test]
fn bars_and_ticks_of_a_symbol_stand_beside_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&folder.path().join("catalog")).unwrap();
    let bars = "time,open,high,low,close\n2024-01-01 00:00,1,1,1,1\n2024-01-01 01:00,1,1,1,1\n";
    let bars = catalog.store(&read_bars(&file(folder.path(), "b.csv", bars), &stated()).unwrap()).unwrap();
    let quotes = read_quotes(&file(folder.path(), "q.csv", QUOTES), &stated()).unwrap();
    let quotes = catalog.store_quotes(&quotes).unwrap();
    assert_eq!(bars.parent(), quotes.parent());
    let (bars_listed, ticks) = (catalog.list().unwrap(), catalog.list_ticks().unwrap());
    assert_eq!((bars_listed.len(), bars_listed[0].bars, ticks.len(), ticks[0].rows), (1, 2, 1, 3));
    assert_eq!((bars_listed[0].schema_version, ticks[0].schema_version, ticks[0].content), (1, 2, Content::Quotes));
    // each reader takes its own and no other
    assert_eq!(read_bars(&quotes, &stated()).unwrap_err().code(), "HIS-50");
    assert_eq!(read_quotes(&bars, &stated()).unwrap_err().code(), "HIS-05");
    assert_eq!(read_depth(&quotes, &stated()).unwrap_err().code(), "HIS-05");
    assert_eq!(read_orders(&quotes, &stated()).unwrap_err().code(), "HIS-05");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Whatever the ids and numbers, the orders that are loaded are those that were stored.
    #[test]
    fn orders_that_are_stored_are_loaded(rows in proptest::collection::vec((any::<u128>(), 1_i64..1_000_000, 0_i64..1_000_000, any::<bool>(), 0_usize..3), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let mut text = "id,timestamp,price,size,action,side\n".to_owned();
        for (at, (id, price, size, is_bid, action)) in rows.iter().enumerate() {
            let (side, action) = (if *is_bid { "bid" } else { "ask" }, ["created", "changed", "deleted"][*action]);
            text += &format!("{id},{},{}.{:02},{size},{action},{side}\n", 1_704_067_200_000 + at, price / 100, price % 100);
        }
        let catalog = Catalog::open(&folder.path().join("catalog")).unwrap();
        let series = Series::Orders(read_orders(&file(folder.path(), "o.csv", &text), &reported()).unwrap());
        prop_assert_eq!(series.count(), rows.len() as u64);
        store(&catalog, &series);
        check_loaded(&catalog, &series, &series.instrument().unwrap().symbol);
    }
}
