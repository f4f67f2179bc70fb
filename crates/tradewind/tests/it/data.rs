//! `data check` on broken copies of a sound file: exit 3, with code, row and value of each kind of defect.

use crate::support::{recording, text, tradewind, waves};
use serde_json::Value;
use std::path::Path;

const BARS: u32 = 300;
/// The row that is broken, counted from the first row of data.
const ROW: usize = 120;

/// A sound file with one line changed.
fn broken(dir: &Path, change: impl Fn(&mut Vec<String>)) -> std::path::PathBuf {
    let path = waves(dir, BARS);
    let mut lines: Vec<String> = std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

fn cell(column: usize, text: &'static str) -> impl Fn(&mut Vec<String>) {
    move |lines| {
        let mut cells: Vec<&str> = lines[ROW].split(',').collect();
        cells[column] = text;
        lines[ROW] = cells.join(",");
    }
}

/// The first defect of that code, which the check must find, with exit 3.
fn check(code: &str, row: u64, value: &str, change: impl Fn(&mut Vec<String>)) {
    let dir = tempfile::tempdir().unwrap();
    let path = broken(dir.path(), change);
    let run = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(3);
    run.is_calm();
    let report = run.json();
    let found = report["defects"].as_array().unwrap().iter().find(|defect| defect["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code} in {report}"));
    assert_eq!((found["row"].as_u64(), found["value"].as_str()), (Some(row), Some(value)), "{code}: {found}");
    for key in ["severity", "what", "effect", "hint"] {
        assert!(found[key].as_str().is_some_and(|text| !text.is_empty()), "{code} lacks {key}: {found}");
    }
    let spoken = tradewind(&["data", "check", text(&path)]).ended_with(3);
    assert!(spoken.out.contains(code) && spoken.out.contains(&row.to_string()), "{}", spoken.out);
}

#[test]
fn a_row_that_is_wrong_is_named_where_the_rest_is_too_short_to_show_an_interval() {
    let dir = tempfile::tempdir().unwrap();
    let path = broken(dir.path(), |lines| {
        lines.truncate(3);
        let row = lines[2].clone();
        lines[2] = row.replacen(row.split(',').nth(4).unwrap(), "NaN", 1);
    });
    let report = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(3).json();
    assert_eq!(
        (&report["defects"][0]["code"], &report["defects"][0]["row"]),
        (&"HIS-08".into(), &2.into()),
        "{report}"
    );
}

#[test]
fn a_sound_file_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let run = tradewind(&["data", "check", text(&waves(dir.path(), BARS)), "-o", "json"]).ended_with(0);
    let report = run.json();
    assert_eq!((&report["rows"], &report["used"], &report["errors"]), (&300.into(), &300.into(), &0.into()));
    assert_eq!(report["defects"], Value::Array(Vec::new()));
}

#[test]
fn each_kind_of_defect_is_named_with_row_and_value() {
    let row = ROW as u64;
    check("HIS-07", row, "ten", cell(1, "ten"));
    check("HIS-08", row, "NaN", cell(4, "NaN"));
    check("HIS-08", row, "inf", cell(2, "inf"));
    check("HIS-09", row, "", cell(4, ""));
    check("HIS-10", row, "yesterday", cell(0, "yesterday"));
    check("HIS-11", row, "1700428800000", cell(0, "1700428800000"));
    check("HIS-16", row, "90", cell(2, "90"));
    check("HIS-17", row, "-3", cell(5, "-3"));
    check("HIS-18", row, "0", cell(3, "0"));
    check("HIS-22", row, "99999999999999999999", cell(4, "99999999999999999999"));
    check("HIS-26", row, "1700428800,100.51,100.54,100.25,100.28", |lines| {
        lines[ROW] = lines[ROW].rsplit_once(',').unwrap().0.to_owned()
    });
}

#[test]
fn dates_that_begin_with_their_day_are_named_by_the_first_row_that_shows_it() {
    let dir = tempfile::tempdir().unwrap();
    let (path, catalog) = (dir.path().join("BTC_USDT.csv"), dir.path().join("catalog"));
    let rows: String = (1..=20).map(|day| format!("{day:02}/02/2020,10,11,9,10,5\n")).collect();
    std::fs::write(&path, format!("time,open,high,low,close,volume\n{rows}")).unwrap();
    let report = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(3).json();
    assert_eq!(report["errors"], 1, "{report}");
    let defect = &report["defects"][0];
    for (key, want) in [("code", "HIS-10"), ("column", "time"), ("value", "13/02/2020")] {
        assert_eq!(defect[key], want, "{defect}");
    }
    assert_eq!(defect["row"], 13, "{defect}");
    let run = tradewind(&["data", "import", text(&path), "--catalog", text(&catalog)]).failed_with(1, "HIS-10");
    assert!(run.err.contains("row 13 column time: the day comes first and the year last"), "{}", run.err);
}

/// As MetaTrader 5 exports currencies: it knows no volume of them.
#[test]
fn volumes_of_0_beside_a_count_of_ticks_are_unknown_and_cap_no_fill() {
    let dir = tempfile::tempdir().unwrap();
    let path = waves(dir.path(), BARS);
    let counted = std::fs::read_to_string(&path).unwrap().lines().enumerate().fold(String::new(), |text, (at, row)| {
        let (bar, ticks) = row.rsplit_once(',').unwrap();
        text + &if at == 0 { format!("{bar},<VOL>,<TICKVOL>\n") } else { format!("{bar},0,{ticks}\n") }
    });
    std::fs::write(&path, counted).unwrap();
    let report = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(0).json();
    assert_eq!((&report["notes"], &report["defects"][0]["code"]), (&1.into(), &"HIS-33".into()), "{report}");
    assert_eq!((&report["defects"][0]["column"], &report["defects"][0]["rows"]), (&"<VOL>".into(), &BARS.into()));
    assert!(report["defects"][0]["what"].as_str().unwrap().contains("`<TICKVOL>` counts ticks"), "{report}");
    let test = ["backtest", "--data", text(&path), "--symbol", "WAVES/USDT", "--no-report", "-o", "json"];
    let report = tradewind(&test).ended_with(0).json();
    assert!(report["trades"].as_u64().unwrap() > 0, "{report}");
    let notes = report["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note.as_str().unwrap().contains("gives no volume")), "{notes:?}");
}

#[test]
fn rows_out_of_order_twice_or_missing_are_named() {
    let row = ROW as u64;
    check("HIS-12", row + 1, "2023-11-19T21:20:00Z", |lines| lines.swap(ROW, ROW + 1));
    check("HIS-13", row + 1, "2023-11-19T21:20:00Z", |lines| lines.insert(ROW, lines[ROW].clone()));
    check("HIS-14", row, "2023-11-20T00:20:00Z", |lines| drop(lines.drain(ROW..ROW + 3)));
}

#[test]
fn how_long_bars_are_can_be_stated_where_their_times_do_not_tell() {
    let dir = tempfile::tempdir().unwrap();
    let one = dir.path().join("BTC_USDT.csv");
    std::fs::write(&one, "time,open,high,low,close,volume\n2024-01-01,10,11,9,10,5\n").unwrap();
    let check = ["data", "check", text(&one), "-o", "json"];
    let report = tradewind(&check).ended_with(3).json();
    let defect = &report["defects"][0];
    assert_eq!(defect["code"], "HIS-24", "{report}");
    assert!(defect["hint"].as_str().unwrap().contains("--interval"), "{defect}");
    let report = tradewind(&[&check[..], &["--interval", "1d"]].concat()).ended_with(0).json();
    assert_eq!((&report["interval"], &report["used"]), (&"1d".into(), &1.into()));
    let catalog = dir.path().join("catalog");
    let import = ["data", "import", text(&one), "--interval", "1d", "--catalog", text(&catalog), "-o", "json"];
    assert_eq!(tradewind(&import).ended_with(0).json()["interval"], "1d");

    let waves = waves(dir.path(), BARS);
    let test = ["backtest", "--data", text(&waves), "--symbol", "WAVES/USDT", "--no-report", "--interval", "4h"];
    let run = tradewind(&test).failed_with(1, "HIS-15");
    assert!(run.err.contains("(the first error)"), "{}", run.err);
}

#[test]
fn a_format_has_the_same_name_in_a_check_and_in_a_report() {
    let Some(file) = recording("names of formats", "ohlcv/equity/daily/iwm.zip") else { return };
    let check = tradewind(&["data", "check", text(&file), "-o", "json"]).json();
    let test = ["backtest", "--data", text(&file), "--symbol", "IWM/USD", "--no-report", "-o", "json"];
    let report = tradewind(&test).ended_with(0).json();
    assert_eq!((&check["source"]["format"], &report["data"]["format"]), (&"csv-zip".into(), &"csv-zip".into()));
}

#[test]
fn a_file_that_is_no_market_at_all_is_named() {
    for (name, bytes, code) in [
        ("empty.csv", &b""[..], "HIS-06"),
        ("head.csv", b"time,open,high,low,close,volume\n", "HIS-06"),
        ("prose.csv", b"it was the best of times\nit was the worst of times\n", "HIS-05"),
        ("noise.feather", &[0x93, 0, 7, 0xff, 0x1b, b'[', 0x31, 0x6d].repeat(90), "HIS-02"),
        ("cut.parquet", b"PAR1\x15\x04\x15\x10", "HIS-03"),
        ("cut.feather", b"ARROW1\0\0\xff\xff\xff\xff\x10", "HIS-03"),
        ("cut.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b", "HIS-03"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let run = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(3);
        run.is_calm();
        assert_eq!(run.json()["defects"][0]["code"], code, "{name}: {}", run.out);
        let spoken = tradewind(&["data", "check", text(&path)]).ended_with(3);
        assert!(!spoken.out.contains('\u{1b}'), "{name}: what is in a file must not steer a terminal");
    }
}

/// The decoders of both formats panic on some damage: that must stay inside.
#[test]
fn damaged_columns_never_take_the_program_with_them() {
    for path in ["ohlcv/crypto/freqtrade-testdata/XRP_ETH-5m.feather", "ticks/nautilus/binance-btcusdt-trades.parquet"]
    {
        let Some(file) = recording("damaged columns", path) else { return };
        let whole = std::fs::read(&file).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join(file.file_name().unwrap());
        let mut damaged: Vec<Vec<u8>> = (1..12).map(|part| whole[..whole.len() * part / 12].to_vec()).collect();
        for step in 0..60 {
            let offset = if step < 20 { step * 9 } else { (step * 7_919 * 13) % whole.len() };
            let near_end = whole.len() - 1 - (step * 17) % 900;
            for at in [offset, near_end] {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << (step % 8);
                damaged.push(bytes);
            }
        }
        for bytes in damaged {
            std::fs::write(&copy, bytes).unwrap();
            let run = tradewind(&["data", "check", text(&copy), "-o", "json"]);
            run.is_calm();
            // a flipped bit may spoil nothing that is read, or change a number into another
            assert!(matches!(run.code, Some(0 | 3)), "{:?}: {}", run.code, run.err);
            run.json();
        }
    }
}

/// Imports `file` as A/B into `catalog`.
fn import(file: &Path, catalog: &Path, more: &[&str]) -> crate::support::Run {
    let args = ["data", "import", text(file), "--symbol", "A/B", "--catalog", text(catalog)];
    tradewind(&[&args[..], more].concat())
}

#[test]
fn an_import_that_takes_bars_away_wants_a_word_more_and_says_what_it_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    let json = ["-o", "json"];
    let long = waves(dir.path(), 200);
    assert!(import(&long, &catalog, &json).ended_with(0).json()["replaced"].is_null());
    let again = import(&long, &catalog, &[]).ended_with(0);
    assert!(again.out.contains("replaced 200 stored bars from 20"), "{}", again.out);

    let short = broken(dir.path(), |lines| lines.truncate(31));
    let refused = import(&short, &catalog, &[]).failed_with(1, "CLI-13");
    assert!(refused.err.contains("30 bars from") && refused.err.contains("200 stored bars"), "{}", refused.err);
    let listed = || tradewind(&["data", "list", "--catalog", text(&catalog), "-o", "json"]).ended_with(0).json();
    assert_eq!(listed()[0]["bars"], 200);
    let replaced = import(&short, &catalog, &["--replace", "-o", "json"]).ended_with(0).json();
    assert_eq!((&replaced["bars"], &replaced["replaced"]["bars"]), (&30.into(), &200.into()));
    assert_eq!(listed()[0]["bars"], 30);
}

#[test]
fn a_longer_file_with_a_hole_or_without_volumes_wants_a_word_more() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    import(&waves(dir.path(), 200), &catalog, &[]).ended_with(0);
    let holed = broken(dir.path(), |lines| drop(lines.drain(50..53)));
    let refused = import(&holed, &catalog, &[]).failed_with(1, "CLI-13");
    assert!(refused.err.contains("3 rows of which would be gone"), "{}", refused.err);
    let without_volumes =
        || broken(dir.path(), |lines| lines.iter_mut().for_each(|line| line.truncate(line.rfind(',').unwrap())));
    let refused = import(&without_volumes(), &catalog, &[]).failed_with(1, "CLI-13");
    assert!(refused.err.contains("without volumes"), "{}", refused.err);
    import(&waves(dir.path(), BARS), &catalog, &[]).ended_with(0);
    let json = import(&without_volumes(), &catalog, &["--replace", "-o", "json"]).ended_with(0).json();
    assert_eq!((&json["bars"], &json["replaced"]["bars"]), (&BARS.into(), &BARS.into()));
}

#[test]
fn a_damaged_file_of_a_catalog_is_named_beside_what_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    let data = waves(dir.path(), 800);
    let args = ["data", "import", text(&data), "--symbol", "WAVES/USDT", "--catalog", text(&catalog), "-o", "json"];
    let stored = tradewind(&args).ended_with(0).json();
    let stored = stored["stored"].as_str().unwrap();
    std::fs::write(Path::new(stored).with_file_name("5m.parquet"), b"PAR1 and no more").unwrap();
    let spoken = tradewind(&["data", "list", "--catalog", text(&catalog)]).ended_with(3);
    spoken.is_calm();
    assert!(spoken.out.contains("WAVES/USDT"), "{}", spoken.out);
    assert!(spoken.err.contains("error[HIS-30]: ") && spoken.err.contains("5m.parquet"), "{}", spoken.err);
    let run = tradewind(&["data", "list", "--catalog", text(&catalog), "-o", "json"]).ended_with(3);
    assert_eq!((run.json().as_array().unwrap().len(), &run.json()[0]["bars"]), (1, &800.into()));
    assert!(run.err.contains("\"code\":\"HIS-30\""), "{}", run.err);
    let asked = ["backtest", "--data", stored, "--symbol", "WAVES/USDT", "--no-report", "-o", "json"];
    assert_eq!(tradewind(&asked).ended_with(0).json()["bars"], 800, "what was not asked for is not read");
}

#[test]
fn of_defects_without_end_the_first_thousand_are_listed_and_all_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = waves(dir.path(), 1_300);
    let sound = std::fs::read_to_string(&path).unwrap();
    let faulty = |(at, line): (usize, &str)| {
        let line = if at > 100 { line.replacen(',', ",x", 1) } else { line.to_owned() };
        line + "\n"
    };
    std::fs::write(&path, sound.lines().enumerate().map(faulty).collect::<String>()).unwrap();
    let report = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(3).json();
    assert_eq!((&report["errors"], report["defects"].as_array().unwrap().len()), (&1_200.into(), 1_000));
    assert_eq!(report["unlisted"], serde_json::json!([{"code": "HIS-07", "severity": "error", "count": 200}]));
    let spoken = tradewind(&["data", "check", text(&path)]).ended_with(3);
    assert!(spoken.out.contains("1150 more") && spoken.out.contains("HIS-07: 200 more"), "{}", spoken.out);
    let accepted = import(&path, &dir.path().join("catalog"), &["--accept-defects", "-o", "json"]).ended_with(0).json();
    assert_eq!(accepted["defects"], 1_200);
}

#[test]
fn what_is_one_entry_a_column_tells_how_many_rows_share_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = broken(dir.path(), |lines| {
        for line in &mut lines[1..=7] {
            let volume = line.rfind(',').unwrap();
            line.replace_range(volume.., ",0.123456789123");
        }
    });
    let report = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(3).json();
    let found = &report["defects"][0];
    assert_eq!((&found["code"], &found["rows"], &report["warnings"]), (&"HIS-20".into(), &7.into(), &1.into()));
    let spoken = tradewind(&["data", "check", text(&path)]).ended_with(3);
    assert!(spoken.out.contains(" x7"), "{}", spoken.out);
}

#[test]
fn what_a_file_holds_steers_no_terminal() {
    let hostile = "\u{1b}[2J\u{9b}31m";
    let dir = tempfile::tempdir().unwrap();
    let path = broken(dir.path(), cell(1, hostile));
    let spoken = tradewind(&["data", "check", text(&path)]).ended_with(3);
    assert!(
        spoken.out.contains("\\u{1b}[2J\\u{9b}31m") && !spoken.out.contains(['\u{1b}', '\u{9b}']),
        "{}",
        spoken.out
    );
    let run = tradewind(&["data", "check", text(&path), "-o", "json"]).ended_with(3);
    assert!(run.out.contains("\\u001b[2J\\u009b31m") && !run.out.contains(['\u{1b}', '\u{9b}']), "{}", run.out);
    assert_eq!(run.json()["defects"][0]["value"], hostile);
    let refused = import(&path, &dir.path().join("catalog"), &[]).failed_with(1, "HIS-07");
    assert!(!refused.err.contains(['\u{1b}', '\u{9b}']), "{}", refused.err);
}

#[test]
fn what_a_file_without_a_header_is_taken_for_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = broken(dir.path(), |lines| drop(lines.remove(0)));
    let said = "no header: the columns";
    let checked = tradewind(&["data", "check", text(&path)]).ended_with(0).out;
    assert!(checked.contains(said) && checked.contains("time, open, high, low, close, volume"), "{checked}");
    let imported = import(&path, &dir.path().join("catalog"), &[]).ended_with(0).out;
    assert!(imported.contains(said), "{imported}");
}

#[test]
fn an_import_names_its_holes_and_a_list_makes_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    let holed = broken(dir.path(), |lines| drop(lines.drain(50..53)));
    let run = import(&holed, &dir.path().join("catalog"), &[]).ended_with(0);
    assert!(run.out.contains("1 gap: 3 bars missing"), "{}", run.out);
    let absent = dir.path().join("nothere");
    tradewind(&["data", "list", "--catalog", text(&absent)]).ended_with(0);
    assert!(!absent.exists());
    tradewind(&["data", "list", "--catalog", text(&holed)]).failed_with(1, "HIS-01");
}

#[test]
fn of_a_line_that_goes_on_and_on_a_report_shows_the_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wide.csv");
    let title = (0..3_000).map(|n| format!("column{n}")).collect::<Vec<_>>().join(",");
    std::fs::write(&file, format!("{title}\n1,2,3\n")).unwrap();
    let report = tradewind(&["data", "check", text(&file), "-o", "json"]).ended_with(3).json();
    let value = report["defects"][0]["value"].as_str().unwrap();
    assert!(value.ends_with('…') && value.chars().count() <= 201, "{} bytes", value.len());
}
