//! `data check`, `data import` and `data list` on trades, quotes, depth and orders.

use crate::support::{Run, recording, text, tradewind};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn write(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// Imports `file` as A/B into `catalog`.
fn import(file: &Path, catalog: &Path, more: &[&str]) -> Run {
    let args = ["data", "import", text(file), "--symbol", "A/B", "--catalog", text(catalog)];
    tradewind(&[&args[..], more].concat())
}

fn listed(catalog: &Path) -> Value {
    tradewind(&["data", "list", "--catalog", text(catalog), "-o", "json"]).ended_with(0).json()
}

fn trades(count: i64) -> String {
    let rows: String = (0..count).map(|n| format!("{},{n},buy,100.5,0.25\n", 1_700_000_000_000 + n * 700)).collect();
    format!("timestamp,id,side,price,amount\n{rows}")
}

const QUOTES: &str = "timestamp,bid,bid_size,ask,ask_size\n1700000000000,100,1,101,2\n1700000001000,100.5,1,101,2\n";

const DEPTH: &str = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n\
    x,A,1700000000000000,1700000000000001,true,bid,100,5\n\
    x,A,1700000000000000,1700000000000001,true,ask,101,5\n\
    x,A,1700000001000000,1700000001000001,false,bid,100.5,3\n";

const ORDERS: &str = "id,timestamp,price,size,action,side\n\
    1,1700000000000,100,5,added,bid\n2,1700000001000,101,5,added,ask\n1,1700000002000,100,0,deleted,bid\n";

#[test]
fn every_kind_is_imported_and_listed_with_its_rows_and_span() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    let bars = "time,open,high,low,close\n1700000000,1,1,1,1\n1700003600,1,1,1,1\n";
    for (name, content, kind, rows) in [
        ("bars.csv", bars.to_owned(), "bars", 2),
        ("trades.csv", trades(50), "trades", 50),
        ("quotes.csv", QUOTES.to_owned(), "quotes", 2),
        ("depth.csv", DEPTH.to_owned(), "depth", 2),
        ("orders.csv", ORDERS.to_owned(), "orders", 3),
    ] {
        let file = write(dir.path(), name, &content);
        let report = tradewind(&["data", "check", text(&file), "-o", "json"]).ended_with(0).json();
        assert_eq!((&report["content"], &report["used"]), (&kind.into(), &rows.into()), "{report}");
        let run = import(&file, &catalog, &["-o", "json"]).ended_with(0);
        run.is_calm();
        assert_eq!(run.err, "", "{kind}: nothing is said where no terminal listens");
        assert_eq!(run.json()["content"], kind);
        let spoken = import(&file, &catalog, &[]).ended_with(0).out;
        assert!(spoken.contains(&format!("replaced {rows} stored")), "{kind}: {spoken}");
        let all = listed(&catalog);
        let found = all.as_array().unwrap().iter().find(|it| it["content"] == kind).unwrap();
        assert_eq!((&found["rows"], &found["instrument"]["symbol"]), (&rows.into(), &"A/B".into()));
        assert_eq!(found["first"], 1_700_000_000_000_000_000_i64, "{found}");
    }
    let table = tradewind(&["data", "list", "--catalog", text(&catalog)]).ended_with(0).out;
    for word in ["kind", "bars", "1h", "trades", "quotes", "depth", "orders"] {
        assert!(table.contains(word), "{word} is not in {table}");
    }
}

#[test]
fn ticks_that_would_be_lost_want_a_word_more() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    import(&write(dir.path(), "long.csv", &trades(50)), &catalog, &[]).ended_with(0);
    let short = write(dir.path(), "short.csv", &trades(20));
    let refused = import(&short, &catalog, &[]).failed_with(1, "CLI-13");
    assert!(refused.err.contains("20 trades from") && refused.err.contains("50 stored rows"), "{}", refused.err);
    assert_eq!(listed(&catalog)[0]["rows"], 50);
    let replaced = import(&short, &catalog, &["--replace", "-o", "json"]).ended_with(0).json();
    assert_eq!((&replaced["series"][0]["rows"], &replaced["series"][0]["replaced"]["rows"]), (&20.into(), &50.into()));
}

#[test]
fn factors_adjust_bars_alone() {
    let dir = tempfile::tempdir().unwrap();
    let factors = write(dir.path(), "factors.csv", "20501231,1,1,0\n");
    let file = write(dir.path(), "trades.csv", &trades(9));
    let refused = import(&file, &dir.path().join("catalog"), &["--factors", text(&factors)]).failed_with(1, "CLI-14");
    assert!(refused.err.contains("holds trades"), "{}", refused.err);
}

#[test]
fn funding_rates_are_kept_in_no_catalog() {
    let dir = tempfile::tempdir().unwrap();
    let rows =
        "date,open,high,low,close,volume\n2024-01-01 00:00:00,0.0001,0,0,0,0\n2024-01-01 08:00:00,0.0002,0,0,0,0\n";
    import(&write(dir.path(), "funding.csv", rows), &dir.path().join("catalog"), &[]).failed_with(1, "HIS-27");
}

/// The defects of a file but for notes: code, row and value.
fn defects(dir: &Path, content: &str, code: i32) -> Vec<(String, u64, String)> {
    let file = write(dir, "ticks.csv", content);
    let report = tradewind(&["data", "check", text(&file), "-o", "json"]).ended_with(code).json();
    let all = report["defects"].as_array().unwrap().iter().filter(|it| it["severity"] != "note");
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    all.map(|it| (text(it, "code"), it["row"].as_u64().unwrap(), text(it, "value"))).collect()
}

#[test]
fn a_book_that_is_crossed_after_a_change_is_named_with_row_and_value() {
    let dir = tempfile::tempdir().unwrap();
    let named = |code: &str, row, value: &str| vec![(code.to_owned(), row, value.to_owned())];
    assert_eq!(defects(dir.path(), DEPTH, 0), []);
    let crossed = DEPTH.replace("bid,100.5,3", "bid,101.5,3");
    assert_eq!(defects(dir.path(), &crossed, 3), named("HIS-37", 3, "101.5 / 101"));
    // it is named once until it is sound again
    let more = "x,A,1700000002000000,1700000002000001,false,bid,102,1\n\
                x,A,1700000003000000,1700000003000001,false,bid,102,0\n\
                x,A,1700000003000000,1700000003000001,false,bid,101.5,0\n\
                x,A,1700000004000000,1700000004000001,false,ask,99,2\n";
    let found = defects(dir.path(), &format!("{crossed}{more}"), 3);
    assert_eq!(found, [named("HIS-37", 3, "101.5 / 101"), named("HIS-37", 7, "100 / 99")].concat());
    assert_eq!(defects(dir.path(), ORDERS, 0), []);
    let crossed = ORDERS.replace("101,5,added,ask", "99.5,5,added,ask");
    assert_eq!(defects(dir.path(), &crossed, 3), named("HIS-37", 2, "100 / 99.5"));
}

#[test]
fn a_locked_book_is_a_note() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "depth.csv", &DEPTH.replace("bid,100.5,3", "bid,101,3"));
    let report = tradewind(&["data", "check", text(&file), "-o", "json"]).ended_with(0).json();
    let defect = &report["defects"][0];
    assert_eq!((&defect["code"], &defect["row"], &defect["value"]), (&"HIS-38".into(), &3.into(), &"101 / 101".into()));
}

#[test]
fn recorded_messages_hold_three_kinds_and_each_is_stored() {
    let Some(file) = recording("recorded messages", "ticks/binance-spot-btcusdt_20240808.gz") else { return };
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    let run = tradewind(&["data", "check", text(&file), "-o", "json"]).ended_with(0);
    assert_eq!(run.err, "", "nothing is said where no terminal listens");
    let report = run.json();
    let parts: Vec<(&str, u64)> = report["parts"].as_array().unwrap().iter().map(kind_and_used).collect();
    assert_eq!(parts, [("trades", 9_757), ("quotes", 28_040), ("depth", 3_452)]);
    assert_eq!((&report["content"], &report["rows"]), (&"messages".into(), &41_249.into()));
    let stored = import(&file, &catalog, &["-o", "json"]).ended_with(0).json();
    assert_eq!(stored["series"].as_array().unwrap().len(), 3);
    assert_eq!(listed(&catalog).as_array().unwrap().len(), 3);
    let spoken = tradewind(&["data", "check", text(&file)]).ended_with(0).out;
    assert!(spoken.contains("messages, 41249 rows") && spoken.contains("quotes"), "{spoken}");
}

fn kind_and_used(part: &Value) -> (&str, u64) {
    (part["content"].as_str().unwrap(), part["used"].as_u64().unwrap())
}

#[test]
fn recorded_orders_are_played_and_what_contradicts_itself_is_named() {
    let Some(file) = recording("recorded orders", "ticks/bitstamp-L3-orders-2015-05-01.csv.xz") else { return };
    let report = tradewind(&["data", "check", text(&file), "-o", "json"]).ended_with(3).json();
    let count = |code: &str| report["defects"].as_array().unwrap().iter().filter(|it| it["code"] == code).count();
    assert_eq!((&report["content"], &report["used"]), (&"orders".into(), &50_414.into()));
    assert_eq!((count("HIS-42"), count("HIS-37"), count("HIS-38")), (209, 170, 81));
    assert_eq!((&report["errors"], &report["warnings"]), (&27.into(), &352.into()));
    let dir = tempfile::tempdir().unwrap();
    import(&file, &dir.path().join("catalog"), &[]).failed_with(1, "HIS-42");
    let run = import(&file, &dir.path().join("catalog"), &["--accept-defects"]).ended_with(0);
    assert!(run.out.contains("50414 events of orders of A/B stored"), "{}", run.out);
}

#[test]
fn a_tape_of_the_catalog_plays_like_the_file_it_was_made_of() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    let file = write(dir.path(), "trades.csv", &trades(500));
    let stored = import(&file, &catalog, &["-o", "json"]).ended_with(0).json();
    let stored = PathBuf::from(stored["series"][0]["stored"].as_str().unwrap());
    let reports = [&file, &stored].map(|path| {
        let report = tradewind(&["data", "check", text(path), "--symbol", "A/B", "-o", "json"]).ended_with(0).json();
        (report["content"].clone(), report["used"].clone(), report["first"].clone(), report["last"].clone())
    });
    assert_eq!(reports[0], reports[1]);
}
