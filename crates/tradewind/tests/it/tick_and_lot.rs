//! Tick and lot: where they are given, orders keep to them and no row of a file changes a trade before it; where they are
//! not, the report says so.

use crate::support::{Run, text, tradewind, waves};
use serde_json::Value;
use std::path::{Path, PathBuf};

const STRATEGIES: [&str; 5] = ["ema-trend", "mean-reversion", "breakout", "volatility-target", "vote"];
/// As the shipped bars have them.
const STEPS: [&str; 4] = ["--tick", "0.01", "--lot", "0.00001"];
/// Bars in all, and before the cut.
const ALL: usize = 1_400;
const KNOWN: usize = 700;
/// When the first bar after the cut opens, in UTC nanoseconds: 700 hours into the year 2024.
const CUT: i64 = (1_704_067_200 + 700 * 3_600) * 1_000_000_000;

/// The first of the shipped bars: those before the cut, all of them, and all with others after the cut.
fn files(dir: &Path) -> [PathBuf; 3] {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/btc-usdt-1h-simulated.csv");
    let shipped = std::fs::read_to_string(shipped).unwrap();
    let mut lines = shipped.lines();
    let head = lines.next().unwrap();
    let rows: Vec<&str> = lines.take(ALL).collect();
    let (known, later) = rows.split_at(KNOWN);
    let others: Vec<String> = later.iter().zip(later.iter().rev()).map(|(at, bar)| backwards(at, bar)).collect();
    let changed: Vec<&str> = known.iter().copied().chain(others.iter().map(String::as_str)).collect();
    let file = |name: &str, rows: &[&str]| {
        let path = dir.join(name);
        std::fs::write(&path, format!("{head}\n{}\n", rows.join("\n"))).unwrap();
        path
    };
    [file("known.csv", known), file("whole.csv", &rows), file("changed.csv", &changed)]
}

/// A row at the time of `at` whose market goes the way of `bar` back, in finer decimals.
fn backwards(at: &str, bar: &str) -> String {
    let (time, _) = at.split_once(',').unwrap();
    let columns: Vec<&str> = bar.split(',').collect();
    let [_, open, high, low, close, volume] = columns[..] else { panic!("not a bar: {bar}") };
    format!("{time},{close}37,{high}37,{low}37,{open}37,{volume}123")
}

fn backtest(data: &Path, more: &[&str]) -> Run {
    let command = ["backtest", "--data", text(data), "--simulated", "--symbol", "BTC/USDT", "--no-report"];
    tradewind(&[&command[..], more].concat()).ended_with(0)
}

/// Every event of a run: bars, decisions, orders, executions.
fn events(data: &Path, more: &[&str]) -> Vec<Value> {
    let path = data.with_extension("jsonl");
    backtest(data, &[&["--events", text(&path)][..], more].concat());
    let lines = std::fs::read_to_string(path).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(events: &'a [Value], name: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().map(|it| &it["event"]["kind"]).filter(move |kind| kind["type"] == name)
}

fn notes(data: &Path, more: &[&str]) -> Vec<String> {
    let report = backtest(data, &[more, &["-o", "json"]].concat()).json();
    report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_later_row_changes_a_trade_where_tick_and_lot_are_given() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    for strategy in STRATEGIES {
        let before_the_cut = |data: &PathBuf| {
            let mut events = events(data, &[&["--strategy", strategy][..], &STEPS].concat());
            events.retain(|it| it["event"]["at"].as_i64().unwrap() < CUT);
            events
        };
        let [known, whole, changed] = files.each_ref().map(before_the_cut);
        assert!(of_kind(&known, "filled").count() > 1, "{strategy} trades before the cut");
        for (name, other) in [("whole", &whole), ("changed", &changed)] {
            for (one, another) in known.iter().zip(other) {
                assert_eq!(one, another, "{strategy} on the {name} file");
            }
            assert_eq!(known.len(), other.len(), "{strategy} on the {name} file");
        }
        // the later rows are ones that would be seen: without the steps they change the first trade
        let first_size = |data: &PathBuf| {
            let report = backtest(data, &["--strategy", strategy, "-o", "json"]).json();
            report["round_trip_list"][0]["quantity"].as_str().unwrap().to_owned()
        };
        assert_ne!(first_size(&files[1]), first_size(&files[2]), "{strategy}");
    }
}

#[test]
fn the_report_says_from_where_tick_and_lot_came() {
    let dir = tempfile::tempdir().unwrap();
    let [_, whole, changed] = files(dir.path());
    let read = "was read from the finest decimal of the whole file, later rows included";
    let (none, until): ([&str; 0], _) = ([], ["--until", "2024-01-20"]);
    for (data, more, said) in [
        (&whole, &none[..], format!("Tick 0.01 {read}; --tick fixes it. Lot 0.00001 {read}; --lot fixes it.")),
        (&changed, &until[..], format!("Tick 0.0001 {read}; --tick fixes it. Lot 0.00000001 {read}; --lot fixes it.")),
        (&changed, &["--lot", "0.001"][..], format!("Tick 0.0001 {read}; --tick fixes it. Lot 0.001 was given.")),
        (&changed, &["--tick", "0.50"][..], format!("Tick 0.5 was given. Lot 0.00000001 {read}; --lot fixes it.")),
        (&changed, &STEPS[..], "Tick 0.01 was given. Lot 0.00001 was given.".to_owned()),
    ] {
        let notes = notes(data, more);
        assert!(notes.contains(&said), "{said}\n{notes:?}");
    }
    let shown = backtest(&changed, &until).out;
    assert!(shown.contains("\nnote: Tick 0.0001 was read"), "{shown}");
}

#[test]
fn a_lot_that_no_bar_has_volume_for_is_named_where_nothing_was_traded() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("thin.csv");
    let rows: String = (0..400)
        .map(|at| {
            let close = if at % 80 < 40 { 10 + at % 80 / 8 } else { 20 - at % 80 / 8 };
            format!("{},{close},{close},{close},{close},5\n", 1_704_067_200 + at * 3_600)
        })
        .collect();
    std::fs::write(&data, format!("time,open,high,low,close,volume\n{rows}")).unwrap();
    let starved = "No bar traded enough: what an order may take of the largest volume, 5, is less than a lot of 1.";
    let says = |more: &[&str]| notes(&data, more).iter().any(|note| note == starved);
    assert!(says(&[]), "{:?}", notes(&data, &[]));
    assert!(!says(&["--volume-share", "100"]) && !says(&["--lot", "0.01"]));
    std::fs::write(&data, format!("time,open,high,low,close,volume\n{}", rows.replace(",5\n", ",0\n"))).unwrap();
    let starved = "Every bar has a volume of 0, and an order may take a part of a bar's volume only: none could fill.";
    let says = |more: &[&str]| notes(&data, more).iter().any(|note| note == starved);
    assert!(says(&[]), "{:?}", notes(&data, &[]));
    assert!(!says(&["--volume-share", "none"]));
}

#[test]
fn a_file_of_bid_and_ask_is_said_to_be_traded_at_the_mid() {
    let dir = tempfile::tempdir().unwrap();
    let [known, ..] = files(dir.path());
    let quotes = dir.path().join("quotes.csv");
    let rows: String = (0..60)
        .map(|at| {
            let (bid, ask) = (100 + at % 20, 101 + at % 20);
            format!("{},{bid},{bid},{bid},{bid},0,{ask},{ask},{ask},{ask},0\n", 1_704_067_200 + at * 3_600)
        })
        .collect();
    std::fs::write(&quotes, rows).unwrap();
    let said = "The file gives bid and ask: its bars are of the mid between them, and its spread is charged only as far \
                as --half-spread-bps says.";
    let says = |data: &Path| notes(data, &[]).iter().any(|note| note == said);
    assert!(says(&quotes), "{:?}", notes(&quotes, &[]));
    assert!(!says(&known));
}

#[test]
fn orders_keep_to_the_tick_and_lot_that_were_given_and_rows_keep_their_prices() {
    let dir = tempfile::tempdir().unwrap();
    let [_, _, changed] = files(dir.path());
    let events = events(&changed, &["--strategy", "breakout", "--tick", "5", "--lot", "0.01"]);
    let whole = |kind: &Value, key: &str, step: i64| kind[key].as_i64().unwrap() % step == 0;
    let fills: Vec<&Value> = of_kind(&events, "filled").collect();
    assert!(fills.len() > 10, "{}", fills.len());
    for fill in fills {
        assert!(whole(fill, "price", 500_000_000) && whole(fill, "quantity", 1_000_000), "{fill}");
    }
    let rows = std::fs::read_to_string(&changed).unwrap();
    let closes: Vec<&str> = rows.lines().skip(1).map(|row| row.split(',').nth(4).unwrap()).collect();
    let eight_decimals = |price: &str| {
        let (whole, part) = price.split_once('.').unwrap();
        format!("{whole}{part:0<8}")
    };
    let bars: Vec<String> = of_kind(&events, "bar_closed").map(|bar| bar["close"].to_string()).collect();
    assert_eq!(bars, closes.into_iter().map(eight_decimals).collect::<Vec<_>>());
}

#[test]
fn diagnosis_and_stress_keep_to_tick_and_lot_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 400);
    let buys = |more: &[&str]| {
        let command = ["diagnose", "--data", text(&data), "--symbol", "WAVES/USDT", "-o", "json"];
        tradewind(&[&command[..], more].concat()).ended_with(0).json()["buys"].as_u64().unwrap()
    };
    assert!(buys(&["--lot", "0.001"]) > 0);
    assert_eq!(buys(&["--lot", "5000"]), 0, "the deposit buys a hundred");

    let stress = |more: &[&str]| {
        let command = ["stress", "--strategy", "ema-trend", "--scenarios", "2", "--bars", "100"];
        tradewind(&[&command[..], more].concat()).ended_with(0).out
    };
    let coarse = stress(&["--tick", "0.5", "--lot", "10"]);
    assert!(coarse.contains(" --tick 0.5 --lot 10 --seed "), "the command for the worst one alone says it: {coarse}");
    let usual = stress(&["-o", "json"]);
    assert_eq!(stress(&["--tick", "0.0001", "--lot", "0.0001", "-o", "json"]), usual);
    assert_ne!(stress(&["--tick", "0.5", "--lot", "10", "-o", "json"]), usual);
}

#[test]
fn a_tick_or_lot_that_means_nothing_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 60);
    let file = ["--data", text(&data), "--symbol", "WAVES/USDT"];
    let commands = [
        [&["backtest", "--no-report"][..], &file].concat(),
        [&["diagnose"][..], &file].concat(),
        vec!["stress", "--scenarios", "1"],
    ];
    for command in &commands[..2] {
        let run = tradewind(&[&command[..], &["--tick", "100000"]].concat()).failed_with(1, "CLI-05");
        assert!(run.err.contains("--tick is above the price at 20"), "{}", run.err);
    }
    let run = tradewind(&["stress", "--scenarios", "1", "--tick", "1.01"]).failed_with(1, "CLI-05");
    assert!(run.err.contains("--tick"), "{}", run.err);
    for command in &commands {
        for option in ["--tick", "--lot"] {
            for (value, code, said) in [
                ("0", "CLI-05", "`0` is not above zero"),
                ("-0.01", "CLI-05", "`-0.01` is not above zero"),
                ("small", "DOM-01", "`small`"),
                ("0.000000001", "DOM-02", "`0.000000001` has more than 8 decimals"),
                ("99999999999999", "DOM-03", "99999999999999"),
            ] {
                let run = tradewind(&[&command[..], &[option, value]].concat()).failed_with(1, code);
                assert!(run.err.contains(option) && run.err.contains(said), "{command:?}: {}", run.err);
            }
        }
    }
}
