//! Broken files: each ends in the code, row and value that name the fault.

use crate::common::{file, recordings, reported, stated};
use std::io::Write as _;
use std::path::Path;
use tradewind_domain::Coded;
use tradewind_history::{
    Content, Effect, ImportError, ImportOptions, Severity, VolumeKind, check_file, read_bars, stream_bars,
};

const GOOD: &str = "time,open,high,low,close,volume\n\
    2024-01-01 00:00,10,11,9,10.5,1\n\
    2024-01-01 01:00,10.5,12,10,11,2\n\
    2024-01-01 02:00,11,12,10,10,3\n\
    2024-01-01 03:00,10,11,9,9.5,4\n\
    2024-01-01 04:00,9.5,10,9,9.75,5\n";

fn csv(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    file("bars.csv", text)
}

/// Reads `text` with every fault reported: `code row column value effect` of all that is worse than a note.
fn faults(text: &str) -> Vec<String> {
    let (_folder, path) = csv(text);
    let report = check_file(&path, &reported());
    let worse = report.defects.iter().filter(|defect| defect.severity > Severity::Note);
    worse.map(|d| format!("{} {} {} `{}` {:?}", d.code, d.row, d.column, d.value, d.effect)).collect()
}

#[track_caller]
fn check(from: &str, to: &str, want: &[&str]) {
    let text = GOOD.replacen(from, to, 1);
    assert!(text != GOOD || from == to, "the fault was not planted: {from}");
    assert_eq!(faults(&text), want, "{text}");
    let refused = want
        .iter()
        .any(|fault| !fault.starts_with("HIS-14") && !fault.starts_with("HIS-19") && !fault.starts_with("HIS-20"));
    let (_folder, path) = csv(&text);
    match read_bars(&path, &stated()) {
        Ok(_) => assert!(!refused, "{text} was not refused"),
        Err(error) => {
            assert!(refused, "{error}");
            assert!(want.iter().any(|fault| fault.starts_with(error.code())), "{error} is not among {want:?}");
            assert!(!error.hint().is_empty());
        }
    }
}

#[test]
fn a_good_file_has_no_faults() {
    check("", "", &[]);
}

#[test]
fn the_hole_of_a_row_that_is_there_and_was_left_out_is_not_called_missing_alone() {
    let (_folder, path) = csv(&GOOD.replacen("12,10,11,2", "NaN,10,11,2", 1));
    let report = check_file(&path, &reported());
    let hole = report.defects.iter().find(|defect| defect.code == "HIS-14").unwrap();
    assert_eq!(hole.what, "1 bar is missing or left out after 2024-01-01T00:00:00Z");
}

#[test]
fn each_fault_of_a_row_is_named_with_row_and_value() {
    check("12,10,11,2", "NaN,10,11,2", &["HIS-08 2 high `NaN` LeftOut", "HIS-14 3 time `2024-01-01T02:00:00Z` Kept"]);
    check("12,10,11,2", "inf,10,11,2", &["HIS-08 2 high `inf` LeftOut", "HIS-14 3 time `2024-01-01T02:00:00Z` Kept"]);
    check("12,10,11,2", ",10,11,2", &["HIS-09 2 high `` LeftOut", "HIS-14 3 time `2024-01-01T02:00:00Z` Kept"]);
    check("12,10,11,2", "x,10,11,2", &["HIS-07 2 high `x` LeftOut", "HIS-14 3 time `2024-01-01T02:00:00Z` Kept"]);
    check("12,10,11,2", "10.75,10,11,2", &["HIS-16 2 high `10.75` Kept"]);
    check("12,10,11,2", "12,10.75,11,2", &["HIS-16 2 low `10.75` Kept"]);
    check("12,10,11,2", "12,10,11,-2", &["HIS-17 2 volume `-2` Kept"]);
    check("12,10,11,2", "12,0,11,2", &["HIS-18 2 low `0` Kept"]);
    check("12,10,11,2", "12,-10,11,2", &["HIS-18 2 low `-10` Kept"]);
    check(
        "12,10,11,2",
        "12,10,11",
        &["HIS-26 2  `2024-01-01 01:00,10.5,12,10,11` LeftOut", "HIS-14 3 time `2024-01-01T02:00:00Z` Kept"],
    );
    check("12,10,11,2", "12.123456789123,10,11,2", &["HIS-20 2 high `12.123456789123` Rounded"]);
    check(
        "12,10,11,2",
        "99999999999999999999,10,11,2",
        &["HIS-22 2 high `99999999999999999999` LeftOut", "HIS-14 3 time `2024-01-01T02:00:00Z` Kept"],
    );
    check("12,10,11,2", "1200,10,11,2", &["HIS-19 2 high `1200` Kept"]);
}

#[test]
fn each_fault_of_time_is_named_with_row_and_value() {
    check(
        "2024-01-01 02:00",
        "2024-01-01 01:00",
        &["HIS-13 3 time `2024-01-01T01:00:00Z` LeftOut", "HIS-14 4 time `2024-01-01T03:00:00Z` Kept"],
    );
    check(
        "2024-01-01 02:00",
        "2023-12-31 02:00",
        &[
            "HIS-14 1 time `2024-01-01T00:00:00Z` Kept",
            "HIS-12 3 time `2023-12-31T02:00:00Z` Sorted",
            "HIS-14 4 time `2024-01-01T03:00:00Z` Kept",
        ],
    );
    check(
        "2024-01-01 02:00",
        "2024-01-01 02:07",
        &["HIS-15 3 time `2024-01-01T02:07:00Z` Kept", "HIS-15 4 time `2024-01-01T03:00:00Z` Kept"],
    );
    check(
        "2024-01-01 02:00",
        "yesterday",
        &["HIS-10 3 time `yesterday` LeftOut", "HIS-14 4 time `2024-01-01T03:00:00Z` Kept"],
    );
}

#[test]
fn a_missing_bar_is_a_gap_and_no_refusal() {
    check("2024-01-01 02:00,11,12,10,10,3\n", "", &["HIS-14 3 time `2024-01-01T03:00:00Z` Kept"]);
}

#[test]
fn a_cut_last_line_is_seen() {
    check("9,9.75,5\n", "9,9.7", &["HIS-04 5  `2024-01-01 04:00,9.5,10,9,9.7` LeftOut"]);
    assert_eq!(faults(GOOD.trim_end()), ["HIS-04 5  `5` Kept"]); // whole, but who knows: a warning
}

#[test]
fn a_wrong_unit_of_time_is_seen() {
    let row = |time: &str| format!("{time},10,11,9,10,1\n");
    let head = "timestamp,open,high,low,close,volume\n".to_owned();
    let mixed =
        head.clone() + &row("1704067200000") + &row("1704067260000") + &row("1704067320") + &row("1704067380000");
    assert_eq!(faults(&mixed)[0], "HIS-11 3 timestamp `1704067320` LeftOut");
    let none = head + &row("20000000000") + &row("20000000060");
    assert!(faults(&none)[0].starts_with("HIS-11 0"), "{:?}", faults(&none));
}

#[test]
fn what_is_no_table_of_bars_is_refused_as_a_whole() {
    for (text, code) in [
        ("", "HIS-06"),
        ("time,open,high,low,close\n", "HIS-06"),
        ("<html><body>404</body></html>\n", "HIS-05"),
        ("{\"code\":-1121,\"msg\":\"Invalid symbol.\"}\n", "HIS-05"),
        ("time,open,high,close\n2024-01-01,1,2,1\n", "HIS-05"),
        ("time,open,high,low,close,Close\n2024-01-01,1,2,1,1,1\n", "HIS-05"), // which of the two?
        ("1,2,3\n4,5,6\n", "HIS-46"),
        ("1700000000,100.5,0.25,25.125,1700000000000,true\n1700000001,100.5,0.5,50.25,1700000000100,true\n", "HIS-46"),
        ("01/02/2024,1,2,1,1,1\n01/03/2024,1,2,1,1,1\n", "HIS-10"),
        ("2024-01-01,1,2,1,1,1\n", "HIS-24"),
    ] {
        let (_folder, path) = csv(text);
        let error = read_bars(&path, &stated()).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        let report = check_file(&path, &ImportOptions::default());
        assert_eq!((report.errors, report.defects[0].code), (1, code), "{text}");
    }
    let error = read_bars(Path::new("/nowhere/BTC_USDT-1h.csv"), &stated()).unwrap_err();
    assert!(matches!(error, ImportError::Io { .. }));
}

#[test]
fn dates_that_end_with_their_year_are_refused_by_the_first_row_that_shows_what_comes_first() {
    let days = |first: u32, write: fn(u32) -> String| (first..20).map(write).collect::<Vec<String>>();
    // hours of a fortnight: the first lines show nothing
    let hours = |write: fn(u32) -> String| {
        let of_day = |day: u32| (0..24).map(move |hour| format!("{} {hour:02}:00", write(day)));
        (1..=14).flat_map(of_day).collect::<Vec<String>>()
    };
    for (dates, want, told) in [
        (days(1, |day| format!("{day:02}/02/2020")), "HIS-10 13 Date `13/02/2020` LeftOut", "the day comes first"),
        (days(13, |day| format!("{day}-2-2020")), "HIS-10 1 Date `13-2-2020` LeftOut", "the day comes first"),
        (days(1, |day| format!("02/{day:02}/2020")), "HIS-10 13 Date `02/13/2020` LeftOut", "the month comes first"),
        (hours(|day| format!("{day:02}/02/2020")), "HIS-10 289 Date `13/02/2020 00:00` LeftOut", "the day comes first"),
        (days(1, |day| format!("0{}/02/2020", 1 + day % 9)), "HIS-10 1 Date `02/02/2020` LeftOut", "no row tells"),
    ] {
        let rows: String = dates.iter().map(|date| format!("{date},10,11,9,10,1\n")).collect();
        let (_folder, path) = csv(&format!("Date,open,high,low,close,volume\n{rows}"));
        let report = check_file(&path, &reported());
        let [defect] = &report.defects[..] else { panic!("{:?}", report.defects) };
        let line = format!("{} {} {} `{}` {:?}", defect.code, defect.row, defect.column, defect.value, defect.effect);
        assert_eq!((line.as_str(), report.errors, report.used), (want, 1, 0));
        assert!(defect.what.contains(told), "{}", defect.what);
        let error = read_bars(&path, &stated()).unwrap_err().to_string();
        assert!(error.contains(&format!("row {} column Date: {}", defect.row, defect.what)), "{error}");
    }
}

#[test]
fn a_file_of_which_every_row_is_faulty_is_told_with_all_of_its_rows() {
    let row = |at: u32| format!("2024-01-01 {:02}:{:02};10,5;11,5;9,5;10,5;1,5\n", at / 60, at % 60);
    let (_folder, path) = csv(&format!("time;open;high;low;close;volume\n{}", (0..300).map(row).collect::<String>()));
    let report = check_file(&path, &ImportOptions::default());
    assert_eq!((report.content, report.rows, report.used, report.errors), (Content::Bars, 300, 0, 1_500));
    assert_eq!((report.defects.len(), report.unlisted[0].count), (1_000, 500));
    assert!(report.defects.iter().all(|defect| defect.code == "HIS-07" && defect.value.ends_with(",5")));
    let error = read_bars(&path, &stated()).unwrap_err().to_string();
    assert!(error.ends_with("(1500 errors in all)"), "{error}");
}

#[test]
fn what_is_assumed_of_columns_without_names_is_said() {
    let assumed = |text: &str| {
        let (_folder, path) = csv(text);
        read_bars(&path, &stated()).unwrap().source.assumed()
    };
    assert_eq!(assumed(GOOD), None);
    let (_, rows) = GOOD.split_once('\n').unwrap();
    assert_eq!(assumed(rows).as_deref(), Some("time, open, high, low, close, volume"));
}

#[test]
fn layouts_of_csv_give_the_same_bars() {
    let (_folder, path) = csv(GOOD);
    let want = read_bars(&path, &stated()).unwrap().bars;
    for (from, to) in [
        (",", ";"),
        (",", "\t"),
        ("\n", "\r\n"),
        ("2024-01-01 ", "20240101 "),
        ("time", "\u{feff}Open Time"),
        ("time,", "\"Date\","),
        ("time,open,high,low,close,volume\n", ""),
    ] {
        let (_folder, path) = csv(&GOOD.replace(from, to));
        let series = read_bars(&path, &stated()).unwrap_or_else(|error| panic!("{from:?} -> {to:?}: {error}"));
        assert_eq!(series.bars, want, "{from:?} -> {to:?}");
    }
    let banner = format!("https://www.example.org\n{GOOD}");
    let (_folder, path) = csv(&banner);
    assert_eq!(read_bars(&path, &stated()).unwrap().bars, want);
    let options = ImportOptions { stamp: tradewind_history::StampEnd::Close, ..stated() };
    let (_folder, path) = csv(GOOD);
    let closed = read_bars(&path, &options).unwrap();
    assert_eq!(closed.bars[1].open_time, want[0].open_time);
}

/// [`GOOD`] with its times in two columns, plain and as MetaTrader 5 exports them.
fn in_two() -> [String; 2] {
    let plain = GOOD.replacen("time,open", "Date,Time,Open", 1).replace("2024-01-01 ", "2024-01-01,");
    let head = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n";
    let row = |row: &str| {
        let cells: Vec<&str> = row.split(',').collect();
        let [_, time, open, high, low, close, volume] = cells[..] else { panic!("no bar: {row}") };
        format!("2024.01.01\t{time}:00\t{open}\t{high}\t{low}\t{close}\t99\t{volume}\t0\r\n")
    };
    let rows: String = plain.lines().skip(1).map(row).collect();
    [plain, head.to_owned() + &rows]
}

#[test]
fn a_date_and_a_time_of_day_in_two_columns_are_one_time() {
    let new_york = ImportOptions { zone: Some("America/New_York".to_owned()), ..stated() };
    for options in [stated(), new_york] {
        let (_folder, path) = csv(GOOD);
        let want = read_bars(&path, &options).unwrap().bars;
        for (text, column) in in_two().iter().zip(["time=Date Time", "time=<DATE> <TIME>"]) {
            let (_folder, path) = csv(text);
            let series = read_bars(&path, &options).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(series.bars == want && series.defects.is_empty(), "{text}: {:?}", series.defects);
            let source = series.source;
            assert_eq!(
                (source.columns[0].as_str(), source.time_format.as_str()),
                (column, "date text and time of day")
            );
        }
    }
    let [plain, _] = in_two();
    for (to, want) in [
        ("2024-01-01,25:00", "HIS-10 2 Date Time `2024-01-01 25:00` LeftOut"),
        ("2024-01-01,", "HIS-09 2 Date Time `2024-01-01 ` LeftOut"),
    ] {
        let found = faults(&plain.replacen("2024-01-01,01:00", to, 1));
        assert_eq!(found, [want, "HIS-14 3 Date Time `2024-01-01T02:00:00Z` Kept"]);
    }
    // a column of dates that says the time of day itself
    let (_folder, path) = csv(&GOOD.replace("time,open", "date,time,open").replace(":00,", ":00,00:00,"));
    let (_good_folder, good) = csv(GOOD);
    assert_eq!(read_bars(&path, &stated()).unwrap().bars, read_bars(&good, &stated()).unwrap().bars);
}

/// Minutes of a MetaTrader 5 export with these volumes, beside a count of ticks.
fn with_ticks(volumes: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let row = |(at, volume): (usize, &&str)| {
        let (day, hour, minute) = (1 + at / 1_440, at / 60 % 24, at % 60);
        format!("2024.01.{day:02}\t{hour:02}:{minute:02}:00\t10\t11\t9\t10\t99\t{volume}\t0\r\n")
    };
    let rows: String = volumes.iter().enumerate().map(row).collect();
    csv(&format!("<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n{rows}"))
}

#[test]
fn volumes_that_are_all_0_beside_a_count_of_ticks_are_not_given() {
    let (_folder, path) = with_ticks(&["0"; 2_500]);
    let whole = read_bars(&path, &stated()).unwrap();
    let [note] = &whole.defects[..] else { panic!("{:?}", whole.defects) };
    let told = (note.code, note.severity, note.row, note.column.as_str(), note.value.as_str(), note.rows);
    assert_eq!(told, ("HIS-33", Severity::Note, 1, "<VOL>", "0", 2_500));
    assert_eq!(note.what, "the volume is not given: each is 0, and `<TICKVOL>` counts ticks, not what was traded");
    assert!(whole.bars.len() == 2_500 && whole.bars.iter().all(|bar| bar.volume.mantissa() == 0));
    let mut stream = stream_bars(&path, &stated()).unwrap();
    assert_eq!((whole.source.volume, stream.source().volume), (VolumeKind::Absent, VolumeKind::Absent));
    assert!(stream.by_ref().map(Result::unwrap).eq(whole.bars.iter().copied()));
    assert_eq!(stream.defects()[..], whole.defects[..]);
}

/// A market that rested for a while, and a table that counts no ticks.
#[test]
fn a_volume_of_0_is_given_where_another_is_or_where_nothing_counts_ticks() {
    for late in [3, 2_400] {
        let mut volumes = ["0"; 2_500];
        volumes[late] = "7";
        let (_folder, path) = with_ticks(&volumes);
        let whole = read_bars(&path, &stated()).unwrap();
        let mut stream = stream_bars(&path, &stated()).unwrap();
        assert_eq!((whole.source.volume, stream.source().volume), (VolumeKind::Given, VolumeKind::Given), "{late}");
        assert!(whole.defects.is_empty(), "{:?}", whole.defects);
        assert!(stream.by_ref().map(Result::unwrap).eq(whole.bars.iter().copied()), "{late}");
    }
    let rested = |row: &str| format!("{},0\n", row.rsplit_once(',').unwrap().0);
    let (head, rows) = GOOD.split_once('\n').unwrap();
    let (_folder, path) = csv(&format!("{head}\n{}", rows.lines().map(rested).collect::<String>()));
    assert_eq!(read_bars(&path, &stated()).unwrap().source.volume, VolumeKind::Given);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_cut_or_flipped_gzip_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTC_USDT-1h.csv.gz");
    let whole = gzip(GOOD.as_bytes());
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(read_bars(&path, &stated()).unwrap().bars.len(), 5);
    for cut in 1..12 {
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        assert_eq!(read_bars(&path, &stated()).unwrap_err().code(), "HIS-03", "cut by {cut}");
    }
    let mut flipped = whole.clone();
    let last = flipped.len() - 6; // in the check sum
    flipped[last] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    assert_eq!(read_bars(&path, &stated()).unwrap_err().code(), "HIS-03");
}

#[test]
fn cut_copies_of_recorded_files_are_refused() {
    let Some(root) = recordings("cut_copies_of_recorded_files_are_refused") else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "crypto/freqtrade-testdata/XRP_ETH-5m.feather",
        "crypto/bybit-1m-gappy/BNBUSDT_1m.parquet",
        "crypto/lean-coinbase/daily-btcusd_trade.zip",
        "futures/6EH4.XCME_1min_bars_20240101_20240131.csv.gz",
    ] {
        let whole = std::fs::read(root.join("ohlcv").join(name)).unwrap();
        let path = folder.path().join(Path::new(name).file_name().unwrap());
        for keep in [whole.len() - 1, whole.len() - 8, whole.len() / 2, 100] {
            std::fs::write(&path, &whole[..keep]).unwrap();
            let error = read_bars(&path, &stated()).unwrap_err();
            assert_eq!(error.code(), "HIS-03", "{name} cut to {keep}: {error}");
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let Some(root) = recordings("flipped_bytes_never_panic") else { return };
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(root.join("ohlcv/crypto/freqtrade-testdata/XRP_USDT_USDT-1h-futures.feather")).unwrap();
    let path = folder.path().join("XRP_USDT_USDT-1h-futures.feather");
    let (mut refused, mut noticed) = (0, 0);
    for at in (0..whole.len()).step_by(61) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0xff;
        std::fs::write(&path, &flipped).unwrap();
        let report = check_file(&path, &ImportOptions::default());
        refused += usize::from(report.used == 0);
        noticed += usize::from(report.errors > 0);
    }
    assert!(refused > 10 && noticed >= refused, "{refused} {noticed}");
}

#[test]
fn a_length_that_cannot_be_true_is_refused_before_memory_is_asked_for() {
    let Some(root) = recordings("a_length_that_cannot_be_true_is_refused_before_memory_is_asked_for") else { return };
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(root.join("ohlcv/crypto/freqtrade-testdata/XRP_USDT_USDT-1h-futures.feather")).unwrap();
    // the buffers of its 100 rows of eight bytes say that they hold 800, or 13 of truth values
    let says = |bytes: &[u8]| bytes == 800_i64.to_le_bytes();
    let at = whole.windows(8).position(says).expect("a compressed column");
    let path = folder.path().join("XRP_USDT_USDT-1h-futures.feather");
    for held in [i64::MAX, 1 << 60, -2, i64::MIN] {
        let mut spoilt = whole.clone();
        spoilt[at..at + 8].copy_from_slice(&held.to_le_bytes());
        std::fs::write(&path, &spoilt).unwrap();
        let error = read_bars(&path, &ImportOptions::default()).unwrap_err();
        assert!(error.code() == "HIS-03" && error.to_string().contains(&held.to_string()), "{error}");
    }
    // without its mark a message is read as one of before marks, and its buffers begin within others
    let mark =
        whole.windows(4).enumerate().filter(|(_, it)| *it == [0xff; 4]).map(|(at, _)| at).nth(1).expect("a batch");
    let mut shifted = whole.clone();
    shifted.drain(mark..mark + 4);
    std::fs::write(&path, &shifted).unwrap();
    assert_eq!(read_bars(&path, &ImportOptions::default()).unwrap_err().code(), "HIS-03");
}

#[test]
fn a_time_that_is_none_of_a_markets_is_named_and_left_out() {
    for time in ["1678-01-01 00:00", "1800-06-01 00:00", "2200-01-01 00:00", "2262-04-01 00:00"] {
        let found = faults(&GOOD.replacen("2024-01-01 04:00", time, 1));
        assert!(found.iter().any(|fault| fault.starts_with("HIS-10 5 time")), "{time}: {found:?}");
    }
}

#[test]
fn a_shuffled_copy_gives_the_same_bars_and_says_what_was_moved() {
    let mut lines: Vec<&str> = GOOD.lines().collect();
    lines.swap(2, 4);
    let text = lines.join("\n") + "\n";
    assert_eq!(faults(&text).len(), 2);
    let (_folder, path) = csv(&text);
    let series = read_bars(&path, &reported()).unwrap();
    let (_folder, path) = csv(GOOD);
    assert_eq!(series.bars, read_bars(&path, &stated()).unwrap().bars);
    assert!(series.defects.iter().all(|defect| defect.code == "HIS-12" && defect.effect == Effect::Sorted));
}
