//! Quotes, depth and orders: every recorded file, and broken copies of sound rows.

use crate::common::{catalog, file, recordings, reported, stated};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tradewind_domain::{Coded, InstrumentSpec, Side, Timestamp};
use tradewind_history::{
    Content, Defect, DepthUpdate, Effect, ImportOptions, OrderAction, OrderEvent, Progress, Series, Severity,
    TradeSeries, check_file, read_bars, read_depth, read_funding, read_orders, read_quotes, read_series, read_trades,
    stream_bars,
};

/// `HIS-12 x2` for each code, in order.
fn codes(defects: &[Defect]) -> String {
    let mut codes = BTreeMap::<&str, usize>::new();
    defects.iter().for_each(|defect| *codes.entry(defect.code).or_default() += 1);
    codes.iter().map(|(code, count)| format!(" {code}x{count}")).collect()
}

fn ids(series: &TradeSeries) -> Vec<u128> {
    series.trades.iter().map(|(_, trade)| trade.id.0).collect()
}

fn decimals(spec: &InstrumentSpec) -> String {
    format!("{}/{}", spec.price_decimals, spec.quantity_decimals)
}

/// Kind, count, span, decimals, the first and the last of it, and its defects.
fn line(series: &Series) -> String {
    let (first, last) = series.span().unwrap();
    let spec = series.instrument().unwrap();
    let ends = match series {
        Series::Trades(it) => {
            let text =
                |at: usize| format!("{} x {}", it.trades[at].1.price.mantissa(), it.trades[at].1.quantity.mantissa());
            [text(0), text(it.trades.len() - 1)]
        }
        Series::Quotes(it) => {
            let text = |at: usize| {
                let quote = it.quotes[at].1;
                let [bid, ask] = [quote.bid, quote.ask].map(|it| it.mantissa());
                format!("{bid} x {} / {ask} x {}", quote.bid_size.mantissa(), quote.ask_size.mantissa())
            };
            [text(0), text(it.quotes.len() - 1)]
        }
        Series::Depth(it) => {
            let text = |at: usize| {
                let update = &it.updates[at];
                let level = update.levels.first().map(|it| (it.side, it.price.mantissa(), it.size.mantissa()));
                let kind = if update.snapshot { "book" } else { "change" };
                format!("{kind} {:?} of {} {level:?}", update.last_id, update.levels.len())
            };
            [text(0), text(it.updates.len() - 1)]
        }
        Series::Orders(it) => {
            let text = |at: usize| {
                let event = it.events[at].1;
                let (price, size) = (event.price.mantissa(), event.size.mantissa());
                format!("{:?} {} {:?} {price} x {size}", event.action, event.id, event.side)
            };
            [text(0), text(it.events.len() - 1)]
        }
        Series::Bars(_) | Series::Funding(_) => unreachable!("these are ticks"),
    };
    let (kind, count, source) = (series.content().name(), series.count(), series.source());
    format!(
        "{count} {kind} {first}..{last} {}, {}, first {}, last {},{}",
        decimals(spec),
        source.time_format,
        ends[0],
        ends[1],
        codes(series.defects())
    )
}

#[test]
fn every_recorded_file_of_ticks_is_read_as_what_it_is() {
    let Some(root) = recordings("every_recorded_file_of_ticks_is_read_as_what_it_is") else { return };
    let mut got = String::new();
    for name in [
        "binance-spot-btcusdt_20240808.gz",
        "binance-usdm-btcusdt_20240808.gz",
        "bitstamp-L3-orders-2015-05-01.csv.xz",
        "freqtrade/XRP_ETH-trades.json.gz",
        "freqtrade/public_trades_list.csv",
        "nautilus/binance-btcusdt-depth-snap.csv",
        "nautilus/binance-btcusdt-depth-update.csv",
        "nautilus/binance-btcusdt-quotes.parquet",
        "nautilus/binance-btcusdt-trades.parquet",
        "nautilus/bybit-xrpusdt-ob500.data.zip",
        "nautilus/eurusd-quote_tick_data.csv",
        "tardis/binance-futures_book_snapshot_25_BTCUSDT.csv",
        "tardis/bitmex_trades_XBTUSD.csv",
        "tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv",
    ] {
        let path = root.join("ticks").join(name);
        let series = read_series(&path, &reported()).unwrap_or_else(|error| panic!("{name}: {error}"));
        for it in &series {
            writeln!(got, "{name}: {}", line(it)).unwrap();
        }
        let report = check_file(&path, &stated());
        let kinds: Vec<Content> = series.iter().map(Series::content).collect();
        assert_eq!(report.parts.iter().map(|part| part.content).collect::<Vec<_>>(), kinds, "{name}");
        assert_eq!(report.content, if kinds.len() == 1 { kinds[0] } else { Content::Messages }, "{name}");
    }
    expect_test::expect_file!["golden/ticks.txt"].assert_eq(&got);
}

#[test]
fn quotes_without_sizes_say_so() {
    let Some(root) = recordings("quotes_without_sizes_say_so") else { return };
    let series = read_quotes(&root.join("ticks/nautilus/eurusd-quote_tick_data.csv"), &stated()).unwrap();
    assert_eq!(series.source.volume, tradewind_history::VolumeKind::Absent);
    assert!(series.quotes.iter().all(|(_, quote)| quote.bid_size.mantissa() == 0 && quote.bid < quote.ask));
    assert_eq!(codes(&series.defects), " HIS-33x1");
}

#[test]
fn rows_without_a_header_are_quotes_only_if_bid_and_ask_are_near() {
    let rows = |row: &str| format!("20240101 170000065,{row}\n20240101 170010447,{row}\n");
    for row in ["1.1212,1.1217,0", "1.1212,1.1217"] {
        assert_eq!(faults(&rows(row), &[]), (Content::Quotes, Vec::new()), "{row}");
    }
    for row in ["30000.5,0.25", "1.1212,x", "0,1", "5,1.1212,1.1217,9,9,9,9"] {
        let (content, found) = faults(&rows(row), &[]);
        assert!(content == Content::Unknown && found[0].starts_with("HIS-46 0"), "{row}: {found:?}");
    }
}

/// All that is worse than a note, or of one of `codes`: `code row column value effect`.
fn faults(text: &str, notes: &[&str]) -> (Content, Vec<String>) {
    let (_folder, path) = file("ticks.csv", text);
    let report = check_file(&path, &reported());
    let told = |defect: &&Defect| defect.severity > Severity::Note || notes.contains(&defect.code);
    let line = |d: &Defect| format!("{} {} {} `{}` {:?}", d.code, d.row, d.column, d.value, d.effect);
    (report.content, report.defects.iter().filter(told).map(line).collect())
}

#[track_caller]
fn check(content: Content, good: &str, from: &str, to: &str, want: &[&str]) {
    assert_eq!(faults(good, &[]), (content, Vec::new()), "the sound file");
    let text = good.replacen(from, to, 1);
    assert!(text != good, "the fault was not planted: {from}");
    let notes = ["HIS-38", "HIS-41"];
    assert_eq!(faults(&text, &notes), (content, want.iter().map(|it| (*it).to_owned()).collect()), "{text}");
}

const QUOTES: &str = "timestamp,symbol,bid_price,bid_amount,ask_price,ask_amount\n\
    1704067200000,X,100,1,101,2\n\
    1704067201000,X,100.5,1,101,2\n\
    1704067202000,X,100.5,3,100.75,4\n";

#[test]
fn each_fault_of_a_quote_is_named_with_row_and_value() {
    let check = |from, to, want: &[&str]| check(Content::Quotes, QUOTES, from, to, want);
    check("100.5,1,101,2", "101.5,1,101,2", &["HIS-37 2 bid_price `101.5 / 101` Kept"]);
    check("100.5,1,101,2", "101,1,101,2", &["HIS-38 2 bid_price `101 / 101` Kept"]);
    check("100.5,1,101,2", "NaN,1,101,2", &["HIS-08 2 bid_price `NaN` LeftOut"]);
    check("100.5,1,101,2", "100.5,1,,2", &["HIS-09 2 ask_price `` LeftOut"]);
    check("100.5,1,101,2", "x,1,101,2", &["HIS-07 2 bid_price `x` LeftOut"]);
    check("100.5,1,101,2", "0,1,101,2", &["HIS-18 2 bid_price `0` Kept"]);
    check("100.5,1,101,2", "-3,1,101,2", &["HIS-18 2 bid_price `-3` Kept"]);
    check("100.5,1,101,2", "100.5,-1,101,2", &["HIS-17 2 bid_amount `-1` Kept"]);
    check("100.5,1,101,2", "100.5,1,101,-2", &["HIS-17 2 ask_amount `-2` Kept"]);
    check("100.5,1,101,2", "100.5,1,101", &["HIS-26 2  `1704067201000,X,100.5,1,101` LeftOut"]);
    check("1704067201000", "1704067199000", &["HIS-12 2 time `2023-12-31T23:59:59Z` Sorted"]);
    check("1704067201000", "1704067201", &["HIS-11 2 timestamp `1704067201` LeftOut"]);
    check("1704067201000", "soon", &["HIS-10 2 timestamp `soon` LeftOut"]);
    check("100.75,4\n", "100.75", &["HIS-04 3  `1704067202000,X,100.5,3,100.75` LeftOut"]);
}

const LEVELS: &str = "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu\n\
    X,1704067200000,10,10,b,snap,100.5,1,-1\n\
    X,1704067200000,10,10,b,snap,100,2,-1\n\
    X,1704067200000,10,10,a,snap,101,3,-1\n\
    X,1704067200000,10,10,a,snap,102,4,-1\n\
    X,1704067201000,11,14,b,set,100.5,0,10\n\
    X,1704067201000,11,14,a,set,101,5,10\n\
    X,1704067202000,15,15,a,set,101,0,14\n";

#[test]
fn each_fault_of_depth_is_named_with_row_and_value() {
    let check = |from, to, want: &[&str]| check(Content::Depth, LEVELS, from, to, want);
    check("b,snap,100,2", "b,snap,100.75,2", &["HIS-39 2 price `100.75` Kept"]);
    check("b,snap,100,2", "b,snap,100.5,2", &["HIS-39 2 price `100.5` Kept"]);
    check("a,snap,102,4", "a,snap,100.9,4", &["HIS-39 4 price `100.9` Kept"]);
    check("15,15,a,set,101,0,14", "16,16,a,set,101,0,15", &["HIS-40 7  `15` Kept"]);
    check("15,15,a,set,101,0,14", "16,16,a,set,101,0,-1", &["HIS-40 7  `16` Kept"]);
    check("b,snap,100,2", "b,snap,100,-2", &["HIS-17 2 qty `-2` LeftOut"]);
    check("b,snap,100,2", "b,snap,NaN,2", &["HIS-08 2 price `NaN` LeftOut"]);
    check("b,snap,100,2", "b,snap,0,2", &["HIS-18 2 price `0` Kept"]);
    check("b,snap,100,2", "x,snap,100,2", &["HIS-36 2 side `x` LeftOut"]);
    check("b,snap,100,2", "b,snap,100,", &["HIS-09 2 qty `` LeftOut"]);
    check("a,set,101,0,14", "a,lost,101,0,14", &["HIS-36 7 update_type `lost` LeftOut"]);
    check("15,15,a,set", "15,last,a,set", &["HIS-36 7 last_update_id `last` LeftOut"]);
    check("1704067202000", "1704067200500", &["HIS-12 7 time `2024-01-01T00:00:00.5Z` Kept"]);
    check("101,0,14\n", "101", &["HIS-04 7  `X,1704067202000,15,15,a,set,101` LeftOut"]);
}

#[test]
fn rows_of_one_update_are_one_and_a_snapshot_is_told() {
    let (_folder, path) = file("ticks.csv", LEVELS);
    let series = read_depth(&path, &stated()).unwrap();
    let shape: Vec<_> = series.updates.iter().map(|it| (it.snapshot, it.row, it.levels.len(), it.last_id)).collect();
    assert_eq!(shape, [(true, 4, 4, Some(10)), (false, 6, 2, Some(14)), (false, 7, 1, Some(15))]);
    assert_eq!((series.updates[0].previous_id, series.updates[2].previous_id), (None, Some(14)));
    assert_eq!(decimals(&series.instrument), "1/0");
}

/// Messages of a depth stream of futures, with a snapshot that was asked for among them.
fn messages(snapshot: u64) -> String {
    let change = |first: u64, last: u64, previous: u64| {
        format!(
            "170406720{last}000000000 {{\"stream\":\"x@depth\",\"data\":{{\"e\":\"depthUpdate\",\"T\":170406720{last}000,\
             \"U\":{first},\"u\":{last},\"pu\":{previous},\"b\":[[\"100\",\"{last}\"]],\"a\":[[\"101\",\"1\"]]}}}}\n"
        )
    };
    let book = format!(
        "1704067203000000001 {{\"lastUpdateId\":{snapshot},\"T\":1704067203000,\"bids\":[[\"100\",\"9\"]],\"asks\":[[\"101\",\"1\"]]}}\n"
    );
    change(1, 1, 0) + &change(2, 2, 1) + &change(3, 3, 2) + &book + &change(4, 4, 3) + &change(5, 5, 4)
}

#[test]
fn a_snapshot_among_messages_finds_its_place_by_the_ids() {
    for (last, place) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)] {
        let (_folder, path) = file("x.txt", &messages(last));
        let series = read_depth(&path, &stated()).unwrap();
        let at = series.updates.iter().position(|update| update.snapshot).unwrap();
        assert_eq!(at, place, "a book of change {last}");
        assert_eq!(codes(&series.defects), if last == 3 { "" } else { " HIS-41x1" }, "a book of change {last}");
        assert_eq!(series.playable().len(), 6 - place);
    }
    let (_folder, path) = file("x.txt", &messages(3).replace("\"U\":5,\"u\":5,\"pu\":4", "\"U\":7,\"u\":7,\"pu\":6"));
    let error = read_depth(&path, &stated()).unwrap_err();
    assert_eq!(error.code(), "HIS-40");
    assert!(error.to_string().contains("row 6"), "{error}");
}

#[test]
fn a_message_that_is_cut_or_no_json_is_named_once() {
    let whole = messages(3);
    let cut = &whole[..whole.len() - 30];
    let (content, found) = faults(cut, &[]);
    assert_eq!((content, found.len()), (Content::Depth, 1), "{found:?}");
    assert!(found[0].starts_with("HIS-04 6  `"), "{found:?}");
    let (_, found) = faults(&whole.replacen("\"u\":4", "\"u\":x", 1), &[]);
    assert!(found[0].starts_with("HIS-07 5  `"), "{found:?}");
}

const ORDERS: &str = "id,timestamp,exchange.timestamp,price,volume,action,direction\n\
    7,1704067200000,1704067200000,100.5,200000000,created,bid\n\
    8,1704067201000,1704067201000,101,100000000,created,ask\n\
    7,1704067202000,1704067200000,100.5,150000000,changed,bid\n\
    8,1704067203000,1704067201000,101,0,deleted,ask\n";

#[test]
fn each_fault_of_an_order_is_named_with_row_and_value() {
    let check = |from, to, want: &[&str]| check(Content::Orders, ORDERS, from, to, want);
    check("7,1704067202000", "9,1704067202000", &["HIS-42 3 id `9` Kept"]);
    check("8,1704067203000", "9,1704067203000", &["HIS-42 4 id `9` Kept"]);
    check(
        "8,1704067201000",
        "7,1704067201000",
        &["HIS-43 2 id `7` Kept", "HIS-43 3 direction `bid` Kept", "HIS-42 4 id `8` Kept"],
    );
    check("changed,bid", "changed,ask", &["HIS-43 3 direction `ask` Kept"]);
    check("150000000,changed", "0,changed", &["HIS-43 3 volume `0` Kept"]);
    check("150000000,changed", "-5,changed", &["HIS-17 3 volume `-0.00000005` Kept"]);
    check("100.5,150000000", "-100.5,150000000", &["HIS-18 3 price `-100.5` Kept"]);
    check("100.5,150000000", "nan,150000000", &["HIS-08 3 price `nan` LeftOut"]);
    check("changed,bid", "changed,both", &["HIS-36 3 direction `both` LeftOut"]);
    check("changed,bid", "touched,bid", &["HIS-36 3 action `touched` LeftOut"]);
    check("7,1704067202000", "seven,1704067202000", &["HIS-36 3 id `seven` LeftOut"]);
    check("1704067202000", "1704067200500", &["HIS-12 3 time `2024-01-01T00:00:00.5Z` Kept"]);
    check("0,deleted,ask\n", "0,del", &["HIS-04 4  `8,1704067203000,1704067201000,101,0,del` LeftOut"]);
}

#[test]
fn an_order_of_before_the_recording_is_a_warning_and_a_lost_one_an_error() {
    for (placed, severity) in [("1704067100000", Severity::Warning), ("1704067201500", Severity::Error)] {
        let (_folder, path) = file("ticks.csv", &format!("{ORDERS}9,1704067204000,{placed},99,0,deleted,bid\n"));
        let series = read_orders(&path, &reported()).unwrap();
        let found: Vec<_> = series.defects.iter().map(|it| (it.code, it.row, it.severity)).collect();
        assert_eq!(found, [("HIS-42", 5, severity)]);
        assert_eq!(read_orders(&path, &stated()).is_err(), severity == Severity::Error);
    }
}

#[test]
fn whole_volumes_of_that_layout_are_hundred_millionths() {
    let (_folder, path) = file("ticks.csv", ORDERS);
    let series = read_orders(&path, &stated()).unwrap();
    assert_eq!(decimals(&series.instrument), "1/1");
    let first = series.events[0].1;
    assert_eq!((first.size.mantissa(), first.side, first.action), (20, Side::Buy, OrderAction::Added));
    let (_folder, path) = file("ticks.csv", &ORDERS.replace("exchange.timestamp", "note"));
    assert_eq!(read_orders(&path, &stated()).unwrap().events[0].1.size.mantissa(), 200_000_000);
}

#[test]
fn a_cut_or_flipped_xz_is_refused() {
    let Some(root) = recordings("a_cut_or_flipped_xz_is_refused") else { return };
    let whole = std::fs::read(root.join("ticks/bitstamp-L3-orders-2015-05-01.csv.xz")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv.xz");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read_orders(&path, &ImportOptions { hash: false, ..reported() })
    };
    for keep in [whole.len() - 1, whole.len() - 20, whole.len() / 2, 40, 8] {
        let error = read(&whole[..keep]).unwrap_err();
        assert_eq!(error.code(), "HIS-03", "cut to {keep}: {error}");
    }
    for at in [7, 9, 16, whole.len() / 3, whole.len() - 10] {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x55;
        let error = read(&flipped).unwrap_err();
        assert_eq!(error.code(), "HIS-03", "flipped at {at}: {error}");
    }
}

#[test]
fn cut_copies_of_recorded_ticks_are_refused_or_named() {
    let Some(root) = recordings("cut_copies_of_recorded_ticks_are_refused_or_named") else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in ["nautilus/binance-btcusdt-quotes.parquet", "nautilus/bybit-xrpusdt-ob500.data.zip"] {
        let whole = std::fs::read(root.join("ticks").join(name)).unwrap();
        let path = folder.path().join(Path::new(name).file_name().unwrap());
        for keep in [whole.len() - 1, whole.len() / 2, 100] {
            std::fs::write(&path, &whole[..keep]).unwrap();
            let report = check_file(&path, &stated());
            assert_eq!((report.used, report.defects[0].code), (0, "HIS-03"), "{name} cut to {keep}");
        }
    }
}

#[test]
fn a_levels_line_of_json_is_named_where_it_is_cut() {
    let line = "{\"topic\":\"orderbook.1.X\",\"type\":\"snapshot\",\"ts\":1704067200000,\"data\":{\"b\":[[\"100\",\"1\"]],\
                \"a\":[[\"101\",\"1\"]],\"u\":1},\"cts\":1704067200000}\n";
    let next = line.replace("snapshot", "delta").replace("\"u\":1", "\"u\":2");
    let good = format!("{line}{next}");
    assert_eq!(faults(&good, &[]), (Content::Depth, Vec::new()));
    let (_, found) = faults(&good[..good.len() - 40], &[]);
    assert!(found.len() == 1 && found[0].starts_with("HIS-04 2  `"), "{found:?}");
    let (_, found) = faults(&good.replace("\"u\":2", "\"u\":4"), &[]);
    assert_eq!(found, ["HIS-40 2  `4` Kept"]);
    let counted = good.replace("\"u\":1", "\"u\":1,\"seq\":70").replace("\"u\":2", "\"u\":2,\"seq\":71");
    assert_eq!(faults(&counted, &[]), (Content::Depth, Vec::new()));
    let (_, found) = faults(&counted.replace("\"seq\":71", "\"seq\":70"), &[]);
    assert_eq!(found, ["HIS-40 2 seq `70` Kept"]);
    let (_, found) = faults(&good.replacen("\"101\"", "\"-1\"", 1), &[]);
    assert_eq!(found, ["HIS-18 1 price `-1` Kept"]);
}

#[test]
fn progress_climbs_to_the_end_of_the_file() {
    let Some(root) = recordings("progress_climbs_to_the_end_of_the_file") else { return };
    for name in [
        "ticks/binance-spot-btcusdt_20240808.gz",
        "ticks/nautilus/binance-btcusdt-quotes.parquet",
        "ohlcv/crypto/binance-spot-1m/BTC_USDT-15m.feather",
    ] {
        let path = root.join(name);
        let bytes = std::fs::metadata(&path).unwrap().len();
        let told = Arc::new(Mutex::new(Vec::<u64>::new()));
        let listener = Arc::clone(&told);
        let progress = Progress::new(move |bytes| listener.lock().unwrap().push(bytes));
        read_series(&path, &ImportOptions { progress, ..reported() }).unwrap();
        let told = told.lock().unwrap();
        assert_eq!(told.iter().max(), Some(&bytes), "{name}");
        let passes = told.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(passes <= 10, "{name}: the file is read a few times, not {passes}");
    }
}

#[test]
fn a_quote_that_is_left_out_leaves_the_others() {
    let (_folder, path) = file("ticks.csv", &QUOTES.replacen("100.5,1,101,2", "NaN,1,101,2", 1));
    assert_eq!(read_quotes(&path, &stated()).unwrap_err().code(), "HIS-08");
    let series = read_quotes(&path, &reported()).unwrap();
    assert_eq!((series.quotes.len(), series.source.rows), (2, 3));
    assert!(series.defects.iter().all(|defect| defect.effect == Effect::LeftOut));
}

/// Three hours of bars as `xz -0` packs them.
const PACKED: &str = "fd377a585a000004e6d6b446020021010c0000008f98419ce0007f00525d003a1a49fae09dbce52d6e1e6f925b72fb6995d1ae7d01b9\
    6378ee01890fe6646332ac545ce3e8aaa8c8fbc5afcd3cdeb5e24836c64e769e6a4d0022adfa6a7c9f932407c140a2ac3fd4af2664b0dfdc332000000000\
    ae8aee6afac536ed00016e8001000000006df1f8b1c467fb020000000004595a";

fn unpacked(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

#[test]
fn bars_in_xz_are_read_and_one_that_asks_for_gigabytes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTC_USDT-1h.csv.xz");
    std::fs::write(&path, unpacked(PACKED)).unwrap();
    let series = tradewind_history::read_bars(&path, &stated()).unwrap();
    assert_eq!((series.bars.len(), series.source.format), (3, tradewind_history::Format::CsvXz));
    // the same with a window of 4 GiB, and the check sum of the head made right
    let greedy = PACKED.replace("020021010c0000008f98419c", "0200210128000000e6a011b3");
    assert!(greedy != PACKED);
    std::fs::write(&path, unpacked(&greedy)).unwrap();
    let error = tradewind_history::read_bars(&path, &stated()).unwrap_err();
    assert_eq!(error.code(), "HIS-03", "{error}");
}

#[test]
fn spoilt_bytes_of_ticks_never_panic() {
    let Some(root) = recordings("spoilt_bytes_of_ticks_never_panic") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, step) in [
        ("nautilus/binance-btcusdt-quotes.parquet", 97),
        ("nautilus/binance-btcusdt-depth-snap.csv", 41),
        ("nautilus/bybit-xrpusdt-ob500.data.zip", 1_999),
        ("tardis/binance-futures_book_snapshot_25_BTCUSDT.csv", 61),
        ("tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv", 7),
    ] {
        let whole = std::fs::read(root.join("ticks").join(name)).unwrap();
        let path = folder.path().join(Path::new(name).file_name().unwrap());
        for (at, mask) in (0..whole.len()).step_by(step).zip([0xff, 0x10, 0x01].into_iter().cycle()) {
            let mut spoilt = whole.clone();
            spoilt[at] ^= mask;
            std::fs::write(&path, &spoilt).unwrap();
            let _ = check_file(&path, &ImportOptions { hash: false, ..stated() });
        }
    }
}

/// A message of a stream with a body that is `data`, received at `seconds` after 1704067200.
fn sent(seconds: u32, stream: &str, data: &str) -> String {
    format!("{}000000000 {{\"stream\":\"{stream}\",\"data\":{{{data}}}}}\n", 1_704_067_200 + seconds)
}

/// A message of one trade with a price.
fn traded(seconds: u32, id: u32, price: &str) -> String {
    let data =
        format!("\"e\":\"trade\",\"s\":\"X\",\"t\":{id},\"p\":\"{price}\",\"q\":\"1\",\"T\":1704067200000,\"m\":true");
    sent(seconds, "x@trade", &data)
}

/// A message of a quote with a bid.
fn quoted(seconds: u32, bid: &str) -> String {
    sent(seconds, "x@bookTicker", &format!("\"s\":\"X\",\"b\":\"{bid}\",\"B\":\"1\",\"a\":\"101\",\"A\":\"1\""))
}

#[test]
fn a_kind_of_which_every_row_is_bad_is_told_with_its_rows() {
    let text = traded(1, 7, "x") + &traded(2, 8, "y") + &quoted(3, "100");
    let (_folder, path) = file("x.txt", &text);
    let report = check_file(&path, &reported());
    let parts: Vec<_> = report.parts.iter().map(|part| (part.content, part.used)).collect();
    assert_eq!(parts, [(Content::Trades, 0), (Content::Quotes, 1)]);
    assert_eq!(codes(&report.defects), " HIS-07x2");
    assert_eq!(read_series(&path, &stated()).unwrap_err().code(), "HIS-07");
    let (_, found) = faults(&QUOTES.replace(",1,101", ",NaN,101").replace(",3,100.75", ",NaN,100.75"), &[]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("HIS-08 1 bid_amount `NaN`"), "{found:?}");
}

#[test]
fn a_file_of_no_kind_is_named_after_the_first() {
    let (_folder, path) = file("x.txt", &sent(1, "x@kline_1m", "\"k\":1"));
    let error = read_series(&path, &reported()).unwrap_err();
    assert_eq!(error.code(), "HIS-06");
    assert!(error.to_string().contains("trade"), "{error}");
    let (_folder, path) = file("x.json", "[[1,2],\n");
    assert_eq!(read_series(&path, &reported()).unwrap_err().code(), "HIS-03");
    let (_folder, path) = file("x.json", "[[1,2],x]\n");
    let error = read_series(&path, &reported()).unwrap_err();
    assert!(error.code() == "HIS-02" && error.to_string().contains("JSON array"), "{error}");
}

#[test]
fn ticks_where_bars_are_wanted_are_named_as_what_they_are() {
    let book = "{\"topic\":\"orderbook.1.X\",\"type\":\"snapshot\",\"ts\":1704067200000,\"data\":{}}\n";
    for (text, kind) in [
        ("time,id,side,price,quantity\n1704067200000,1,buy,10.5,2\n", "trades"),
        ("[[1704067200000,\"7\",null,\"buy\",10.5,2,21],[1704067200001,\"8\",null,\"sell\",10.5,2,21]]\n", "trades"),
        ("time,bid,ask\n2024-01-01 00:00,10,11\n", "quotes"),
        ("20240101 170000065,1.1212,1.1217\n20240101 170010447,1.1212,1.1217\n", "quotes"),
        ("timestamp,is_snapshot,side,price,amount\n1704067200000000,true,bid,10,1\n", "depth"),
        (book, "depth"),
        ("id,timestamp,price,volume,action,direction\n1,1704067200000,10,1,created,bid\n", "orders"),
        (quoted(3, "100").as_str(), "messages"),
    ] {
        let (_folder, path) = file("ticks.csv", text);
        for error in [read_bars(&path, &stated()).err(), stream_bars(&path, &stated()).err()] {
            let error = error.unwrap();
            assert_eq!(error.code(), "HIS-50", "{text}: {error}");
            assert!(error.to_string().ends_with(&format!("it holds {kind}, not bars")), "{text}: {error}");
        }
        assert_ne!(read_funding(&path, &stated()).unwrap_err().code(), "HIS-50", "bars are no funding either");
    }
    let Some(root) = recordings("ticks_where_bars_are_wanted_are_named_as_what_they_are") else { return };
    let error = read_bars(&root.join("ticks/freqtrade/XRP_ETH-trades.json.gz"), &stated()).unwrap_err();
    assert!(error.code() == "HIS-50" && error.to_string().ends_with("it holds trades, not bars"), "{error}");
}

#[test]
fn a_trade_that_names_the_orders_is_read_by_its_own_number() {
    let data = "\"e\":\"trade\",\"s\":\"X\",\"t\":12345,\"p\":\"0.001\",\"q\":\"100\",\"b\":88,\"a\":50,\"T\":1704067200000,\"m\":true";
    let (_folder, path) = file("x.txt", &sent(1, "x@trade", data));
    let series = read_trades(&path, &stated()).unwrap();
    assert_eq!(ids(&series), [12_345]);
    let none = data.replace("\"t\":12345,", "").replace("\"a\":50,", "");
    let (_, found) = faults(&sent(1, "x@trade", &none), &[]);
    assert_eq!(found, ["HIS-36 1 t `` LeftOut"]);
}

#[test]
fn single_trades_are_used_where_aggregated_ones_stand_beside_them() {
    let aggregated = "\"a\":3,\"p\":\"100\",\"q\":\"2\",\"f\":7,\"l\":8,\"T\":1704067200000,\"m\":true";
    let aggregated = sent(3, "x@aggTrade", aggregated);
    let (_folder, path) = file("x.txt", &(traded(1, 7, "100") + &traded(2, 8, "100") + &aggregated));
    let series = read_trades(&path, &stated()).unwrap();
    assert_eq!(ids(&series), [7, 8]);
    assert_eq!(codes(&series.defects), " HIS-45x1");
    assert!(series.defects[0].severity == Severity::Note && series.defects[0].value == "1");
    let (_folder, path) = file("x.txt", &aggregated);
    let series = read_trades(&path, &stated()).unwrap();
    assert_eq!((series.trades[0].1.id.0, codes(&series.defects)), (3, String::new()));
}

#[test]
fn rows_of_another_instrument_are_left_out_and_named() {
    let (_, found) = faults(&QUOTES.replacen("01000,X", "01000,Y", 1), &[]);
    assert_eq!(found, ["HIS-44 2 symbol `Y` LeftOut"]);
    let (_, found) = faults(&LEVELS.replacen("X,1704067202000", "Y,1704067202000", 1), &[]);
    assert_eq!(found, ["HIS-44 7 symbol `Y` LeftOut"]);
    let other = quoted(2, "100").replace("x@", "y@");
    let (content, found) = faults(&(quoted(1, "100") + &other), &[]);
    assert_eq!((content, found), (Content::Quotes, vec!["HIS-44 2 stream `y` LeftOut".to_owned()]));
    let line = "{\"topic\":\"orderbook.1.X\",\"type\":\"snapshot\",\"ts\":1704067200000,\"data\":{\"b\":[],\"a\":[],\"u\":1}}\n";
    let (_, found) = faults(&format!("{line}{}", line.replace("1.X", "1.Y")), &[]);
    assert_eq!(found, ["HIS-44 2 topic `Y` LeftOut"]);
}

#[test]
fn lines_of_other_topics_are_other_data() {
    let book = "{\"topic\":\"orderbook.1.X\",\"type\":\"snapshot\",\"ts\":1704067200000,\"data\":{\"b\":[[\"100\",\"1\"]],\"a\":[],\"u\":1}}\n";
    let trade = "{\"topic\":\"publicTrade.X\",\"type\":\"snapshot\",\"ts\":1704067200000,\"data\":[{\"p\":\"100\"}]}\n";
    let answer = "{\"success\":true,\"ret_msg\":\"\",\"op\":\"subscribe\"}\n";
    assert_eq!(faults(&format!("{answer}{book}{trade}"), &[]), (Content::Depth, Vec::new()));
    let (_, found) = faults(&book.replace("\"u\":1", "\"u\":x"), &[]);
    assert!(found.len() == 1 && found[0].starts_with("HIS-07 1 "), "{found:?}");
}

#[test]
fn a_snapshot_that_begins_anew_keeps_its_place_in_the_file() {
    let line = |kind: &str, id: u32, at: u32| {
        format!(
            "{{\"topic\":\"orderbook.1.X\",\"type\":\"{kind}\",\"ts\":170406720{at}000,\
             \"data\":{{\"b\":[[\"100\",\"1\"]],\"a\":[],\"u\":{id}}}}}\n"
        )
    };
    let text = line("snapshot", 70, 0) + &line("delta", 71, 1) + &line("snapshot", 1, 2) + &line("delta", 2, 3);
    let (_folder, path) = file("x.json", &text);
    let series = read_depth(&path, &stated()).unwrap();
    let (_catalog_folder, catalog) = catalog();
    let stored = catalog.store_depth(&series).unwrap();
    for series in [series, read_depth(&stored, &stated()).unwrap()] {
        assert_eq!(series.updates.iter().map(|it| it.last_id.unwrap()).collect::<Vec<_>>(), [70, 71, 1, 2]);
        assert_eq!(codes(&series.defects), "");
    }
}

#[test]
fn futures_follow_a_snapshot_by_the_change_they_name() {
    // ids of futures leave holes: the change begins beyond the snapshot, and names one that the snapshot holds
    let text = messages(3).replace("\"U\":4,\"u\":4,\"pu\":3", "\"U\":9,\"u\":9,\"pu\":3");
    let text = text.replace("\"U\":5,\"u\":5,\"pu\":4", "\"U\":12,\"u\":12,\"pu\":9");
    let (_folder, path) = file("x.txt", &text);
    assert_eq!(codes(&read_depth(&path, &stated()).unwrap().defects), "");
    let (_folder, path) =
        file("x.txt", &text.replace("\"pu\":3,\"b\":[[\"100\",\"4\"", "\"pu\":8,\"b\":[[\"100\",\"4\""));
    assert_eq!(read_depth(&path, &stated()).unwrap_err().code(), "HIS-40");
}

#[test]
fn partial_books_are_snapshots() {
    let spot = |last: u32| format!("\"lastUpdateId\":{last},\"bids\":[[\"100\",\"1\"]],\"asks\":[[\"101\",\"1\"]]");
    let futures = |last: u32| {
        format!(
            "\"e\":\"depthUpdate\",\"E\":1704067200000,\"T\":1704067200000,\"s\":\"X\",\"U\":{last},\"u\":{last},\"pu\":1,\
             \"b\":[[\"100\",\"1\"]],\"a\":[[\"101\",\"1\"]]"
        )
    };
    for text in [
        sent(1, "x@depth5", &spot(10)) + &sent(2, "x@depth5", &spot(20)),
        sent(1, "x@depth20@100ms", &futures(10)) + &sent(2, "x@depth20@100ms", &futures(20)),
    ] {
        let (_folder, path) = file("x.txt", &text);
        let series = read_depth(&path, &stated()).unwrap();
        let books: Vec<_> = series.updates.iter().map(|it| (it.snapshot, it.last_id, it.levels.len())).collect();
        assert_eq!(books, [(true, Some(10), 2), (true, Some(20), 2)], "{text}");
    }
}

#[test]
fn rows_without_a_header_are_judged_by_most_of_them() {
    let rows = |rows: &[&str]| {
        let row = |(at, row): (usize, &&str)| format!("2024010{} 170000065,{row}\n", at + 1);
        rows.iter().enumerate().map(row).collect::<String>()
    };
    let unknown = |text: &str| {
        let (content, found) = faults(text, &[]);
        assert!(content == Content::Unknown && found[0].starts_with("HIS-46 0"), "{text}: {found:?}");
    };
    unknown(&rows(&["100,101,1,2", "100,101,3,1", "100,101,2,2"])); // bid, ask and their sizes
    unknown(&rows(&["1.5,2", "30000,0.25", "30001,0.5"])); // a price and an amount, near by chance
    unknown(&rows(&["1.1,1.2,x", "1.1,1.2,x", "1.1,1.2,0"]));
    let (content, found) = faults(&rows(&["30000,0.25", "1.1,1.2", "1.1,1.3"]), &[]);
    assert_eq!((content, found), (Content::Quotes, vec!["HIS-37 1 bid `30000 / 0.25` Kept".to_owned()]));
    let (content, _) = faults(&rows(&["100,102,99,101", "101,101,98,99", "1,2,3,4"]), &[]);
    assert_eq!(content, Content::Bars);
}

#[test]
fn times_of_receipt_are_of_one_unit_and_keep_their_decimals() {
    let at = |time: &str| quoted(0, "100").replacen("1704067200000000000", time, 1);
    let times = |texts: &[&str]| {
        let text: String = texts.iter().map(|time| at(time)).collect();
        let (_folder, path) = file("x.txt", &text);
        let series = read_quotes(&path, &reported()).unwrap();
        let times: Vec<i64> = series.quotes.iter().map(|(time, _)| time.nanos() - 1_704_067_200_000_000_000).collect();
        (times, codes(&series.defects))
    };
    assert_eq!(times(&["1704067200.25", "1704067201.000000001"]), (vec![250_000_000, 1_000_000_001], String::new()));
    assert_eq!(times(&["1704067200000.5", "1704067200001"]), (vec![500_000, 1_000_000], String::new()));
    assert_eq!(times(&["1704067200.25:", "1704067201000"]), (vec![250_000_000], " HIS-11x1".to_owned()));
    assert_eq!(times(&["1704067200", "17x"]), (vec![0], " HIS-10x1".to_owned()));
}

#[test]
fn each_part_of_a_report_says_how_its_times_are_written() {
    let (_folder, path) = file("x.txt", &(traded(1, 7, "100") + &quoted(2, "100")));
    let report = check_file(&path, &reported());
    let formats: Vec<&str> = report.parts.iter().map(|part| part.time_format.as_str()).collect();
    assert_eq!(formats, ["Unix milliseconds", "time of receipt, Unix nanoseconds"]);
}

#[test]
fn a_file_of_a_catalog_is_refused_as_another_and_for_its_errors() {
    let (_catalog_folder, catalog) = catalog();
    let (_folder, path) = file("ticks.csv", &QUOTES.replacen("100.5,1,101,2", "0,1,101,2", 1));
    let stored = catalog.store_quotes(&read_quotes(&path, &reported()).unwrap()).unwrap();
    assert_eq!(read_quotes(&stored, &stated()).unwrap_err().code(), "HIS-18");
    assert_eq!(read_quotes(&stored, &reported()).unwrap().quotes.len(), 3);
    let other = |options: ImportOptions| ImportOptions { symbol: Some("ETH/USDT".parse().unwrap()), ..options };
    assert_eq!(read_quotes(&stored, &other(reported())).unwrap_err().code(), "HIS-35");
    assert_eq!(read_series(&stored, &other(stated())).unwrap_err().code(), "HIS-35");
    let report = check_file(&stored, &ImportOptions::default());
    assert_eq!((report.content, codes(&report.defects)), (Content::Quotes, " HIS-18x1".to_owned()));
    let name = path.with_file_name("BTC_USDT-1h.csv");
    std::fs::write(&name, "time,open,high,low,close,volume\n1704067200,1,1,1,1,1\n1704070800,1,1,1,1,1\n").unwrap();
    let stored = catalog.store(&tradewind_history::read_bars(&name, &stated()).unwrap()).unwrap();
    assert!(tradewind_history::read_bars(&stored, &stated()).is_ok());
    assert_eq!(tradewind_history::read_bars(&stored, &other(stated())).unwrap_err().code(), "HIS-35");
}

const TRADES: &str = "timestamp,id,side,price,amount\n\
    1704067200000,1,buy,100,1\n\
    1704067200000,2,sell,100.5,1\n\
    1704067201000,3,buy,101,2\n\
    1704067202000,4,buy,102,2\n";

#[test]
fn each_fault_of_a_trade_is_named_with_row_and_value() {
    let check = |from, to, want: &[&str]| check(Content::Trades, TRADES, from, to, want);
    check("101,2", "101,-2", &["HIS-17 3 amount `-2` Kept"]);
    check("101,2", "101,0", &["HIS-17 3 amount `0` Kept"]);
    check("101,2", "0,2", &["HIS-18 3 price `0` Kept"]);
    check("102,2", "1020,2", &["HIS-19 4 price `1020` Kept"]);
    check("1704067200000,2", "1704067200000,1", &["HIS-13 2 id `1` LeftOut"]);
    check("1704067201000", "1704067201", &["HIS-11 3 timestamp `1704067201` LeftOut"]);
    check("1704067201000", "soon", &["HIS-10 3 timestamp `soon` LeftOut"]);
}

#[test]
fn trades_that_are_missing_among_numbered_ones_are_named() {
    let found = |is_there: fn(u64) -> bool, number: fn(u64) -> u64| {
        let row = |at: u64| format!("{},{},buy,100,1\n", 1_704_067_200_000 + at, number(at));
        let rows: String = (0..400).filter(|at| is_there(*at)).map(row).collect();
        faults(&format!("timestamp,id,side,price,amount\n{rows}"), &[]).1
    };
    let lost = |at: u64| !(200..203).contains(&at);
    assert_eq!(found(lost, |at| at + 1_000), ["HIS-14 201 id `1203` Kept"]);
    assert_eq!(found(|_| true, |at| at + 1_000), [""; 0]);
    assert_eq!(found(|_| true, |at| at * 7), [""; 0], "the venue counts the trades of several markets as one");
    let swapped = |at: u64| 1_000 + (at ^ u64::from(at / 2 == 100)); // 201 stands before 200
    assert_eq!(found(|_| true, swapped), [""; 0], "all of them are there");
}

/// The rows of a table from the last to the first, below its header.
fn newest_first(text: &str) -> String {
    let (head, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().rev().collect();
    format!("{head}\n{}\n", rows.join("\n"))
}

/// The one series of a table.
fn read(text: &str) -> Series {
    let (_folder, path) = file("ticks.csv", text);
    read_series(&path, &stated()).unwrap().remove(0)
}

/// Whether both hold the same, wherever the rows stood.
fn are_same(one: &Series, other: &Series) -> bool {
    match (one, other) {
        (Series::Trades(one), Series::Trades(other)) => one.trades == other.trades,
        (Series::Quotes(one), Series::Quotes(other)) => one.quotes == other.quotes,
        (Series::Depth(one), Series::Depth(other)) => {
            let unplaced = |update: &DepthUpdate| DepthUpdate { row: 0, ..update.clone() };
            one.updates.iter().map(unplaced).eq(other.updates.iter().map(unplaced))
        }
        (Series::Orders(one), Series::Orders(other)) => {
            let unplaced = |(time, event): &(_, OrderEvent)| (*time, OrderEvent { row: 0, ..*event });
            one.events.iter().map(unplaced).eq(other.events.iter().map(unplaced))
        }
        _ => false,
    }
}

#[test]
fn ticks_that_are_newest_first_are_turned_round_and_that_is_said_once() {
    for good in [TRADES, QUOTES, LEVELS, ORDERS] {
        let (straight, turned) = (read(good), read(&newest_first(good)));
        assert_eq!((codes(straight.defects()), codes(turned.defects())), (String::new(), " HIS-23x1".to_owned()));
        assert_eq!((straight.source().newest_first, turned.source().newest_first), (false, true));
        assert!(are_same(&straight, &turned), "{turned:?}");
    }
}

#[test]
fn a_row_against_the_order_of_a_newest_first_file_is_named() {
    let row = |second: u32, id: u32| format!("170406720{second}000,{id},buy,100,1\n");
    let text = "timestamp,id,side,price,amount\n".to_owned() + &[4, 3, 1, 2, 0].map(|at| row(at, at + 1)).concat();
    let (_folder, path) = file("ticks.csv", &text);
    let series = read_trades(&path, &stated()).unwrap();
    assert_eq!(ids(&series), [1, 2, 3, 4, 5]);
    assert_eq!(codes(&series.defects), " HIS-12x1 HIS-23x1");
    let named = series.defects.iter().find(|defect| defect.code == "HIS-12").unwrap();
    assert!(named.row == 3 && named.what.contains("behind it"), "{named}");
}

#[test]
fn ticks_of_one_moment_with_a_late_one_behind_them_are_not_turned_round() {
    let row = |(at, time): (usize, i64)| format!("{},{at},buy,100,1\n", 1_704_067_200_000 + time);
    let times = [10, 10, 10, 10, 10, 10, 9];
    let rows: String = (1..).zip(times).map(row).collect();
    let (_folder, path) = file("ticks.csv", &format!("timestamp,id,side,price,amount\n{rows}"));
    let series = read_trades(&path, &stated()).unwrap();
    assert_eq!(ids(&series), [7, 1, 2, 3, 4, 5, 6]);
    assert_eq!((codes(&series.defects), series.source.newest_first), (" HIS-12x1".to_owned(), false));
}

#[test]
fn a_part_of_the_orders_of_a_catalog_keeps_the_order_in_which_they_apply() {
    let time = |second: i64| 1_704_067_200_000 + second * 1_000;
    let row = |(id, second): (i64, i64)| format!("{id},{},100,1,created,bid\n", time(second));
    let rows: String = (1..).zip([0, 1, 2, 3, 5, 4]).map(row).collect();
    let (_folder, path) = file("orders.csv", &format!("id,timestamp,price,size,action,side\n{rows}"));
    let series = read_orders(&path, &reported()).unwrap();
    let (_catalog_folder, catalog) = catalog();
    catalog.store_orders(&series).unwrap();
    let span = Timestamp::from_millis(time(4))..Timestamp::from_millis(time(6));
    let part = catalog.load_orders(&series.instrument.symbol, span).unwrap();
    assert_eq!(part.events.iter().map(|(_, event)| event.id).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(codes(&part.defects), " HIS-12x1");
}

#[test]
fn of_a_file_that_is_faulty_in_every_row_the_first_thousand_are_listed() {
    let row = |at: i64| format!("{},X,100,1,x,2\n", 1_704_067_200_000 + at);
    let rows: String = (0..2_500).map(row).collect();
    let text = format!("timestamp,symbol,bid_price,bid_amount,ask_price,ask_amount\n{rows}");
    let (_folder, path) = file("ticks.csv", &text);
    let report = check_file(&path, &reported());
    assert_eq!((report.content, report.defects.len(), report.errors), (Content::Quotes, 1_000, 2_500));
    let unlisted: Vec<_> = report.unlisted.iter().map(|it| (it.code, it.severity, it.count)).collect();
    assert_eq!(unlisted, [("HIS-07", Severity::Error, 1_500)]);
    assert!(read_quotes(&path, &stated()).unwrap_err().to_string().contains("2500 errors in all"));
}

#[test]
fn messages_that_every_reader_finds_faulty_are_counted_once_however_many_they_are() {
    let cut = "1704067203000000000 {\"stream\":\"x@tra\n".repeat(1_200);
    let (_folder, path) = file("x.txt", &(traded(1, 7, "100") + &quoted(2, "100") + &cut));
    let report = check_file(&path, &reported());
    assert_eq!((report.content, report.parts.len()), (Content::Messages, 2));
    assert_eq!((report.errors, report.defects.len(), report.unlisted[0].count), (1_200, 1_000, 200));
}

#[test]
fn levels_and_rows_that_an_import_would_take_away_are_counted() {
    let (_folder, catalog) = catalog();
    for (good, less) in [
        (TRADES, "1704067200000,2,sell,100.5,1\n"),
        (QUOTES, "1704067201000,X,100.5,1,101,2\n"),
        (LEVELS, "X,1704067200000,10,10,a,snap,102,4,-1\n"),
        (ORDERS, "8,1704067203000,1704067201000,101,0,deleted,ask\n"),
    ] {
        let (series, fewer) = (read(good), read(&good.replacen(less, "", 1)));
        match &series {
            Series::Trades(it) => catalog.store_trades(it),
            Series::Quotes(it) => catalog.store_quotes(it),
            Series::Depth(it) => catalog.store_depth(it),
            Series::Orders(it) => catalog.store_orders(it),
            Series::Bars(_) | Series::Funding(_) => unreachable!("these are ticks"),
        }
        .unwrap();
        let lost = |series: &Series| catalog.lost_ticks(series).unwrap();
        assert_eq!((lost(&series), lost(&fewer)), (0, 1), "{good}");
    }
}

#[test]
fn json_over_several_lines_is_named_as_that_and_not_line_by_line() {
    for text in [
        "{\n  \"topic\": \"orderbook.1.X\",\n  \"type\": \"snapshot\"\n}\n",
        "{\"topic\": \"orderbook.1.X\",\n \"type\": \"snapshot\"}\n",
        "[\n  {\"topic\": \"orderbook.1.X\"},\n  {\"topic\": \"orderbook.1.X\"}\n]\n",
        "[{\"topic\":\"orderbook.1.X\"},{\"topic\":\"orderbook.1.X\"}]\n",
    ] {
        let (_folder, path) = file("x.json", text);
        let report = check_file(&path, &reported());
        assert_eq!((report.errors, report.defects[0].code), (1, "HIS-47"), "{text}: {}", report.defects[0]);
    }
    let rows = [
        "[1570752011620, \"141342\", null, \"buy\", 0.0006, 23.0, 0.0138]",
        "[1570752012620, \"141343\", null, \"sell\", 0.0007, 2.0, 0.0014]",
    ];
    for text in [format!("[{}]", rows.join(",")), format!("[\n  {}\n]\n", rows.join(",\n  ").replace(", ", ",\n    "))]
    {
        let (_folder, path) = file("x.json", &text);
        let series = read_series(&path, &stated()).unwrap();
        assert_eq!((series[0].content(), series[0].count()), (Content::Trades, 2), "{text}");
    }
}
