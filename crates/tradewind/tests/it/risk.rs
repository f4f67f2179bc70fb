//! What holdings may lose, as the program says it.

use crate::support::{recording, text, tradewind, waves};
use std::path::{Path, PathBuf};

#[test]
fn holdings_have_figures_by_every_method_and_each_its_part() {
    let path = |name: &str| recording("risk", &format!("ohlcv/crypto/binance-spot-1h/{name}_USDT-1h.feather"));
    let (Some(btc), Some(eth)) = (path("BTC"), path("ETH")) else { return };
    let (btc, eth) = (format!("{}=6000", text(&btc)), format!("{}=-2500", text(&eth)));
    let command = ["risk", "--hold", &btc, "--hold", &eth, "--confidence", "99", "--accept-defects", "-o", "json"];
    let told = tradewind(&command).ended_with(0).json();
    let methods = told["methods"].as_array().unwrap();
    assert_eq!(methods.len(), 4, "{told}");
    for it in methods.iter().filter(|it| it["method"] != "modified") {
        let (var, cvar) = (it["var"].as_f64().unwrap(), it["cvar"].as_f64().unwrap());
        assert!(0.0 < var && var <= cvar && cvar < 6_000.0, "{it}");
    }
    let modified = methods.iter().find(|it| it["method"] == "modified").unwrap();
    assert!(modified["var"].is_null() && modified["cvar"].is_null(), "hours of coins are far from normal: {modified}");
    assert!(modified["note"].as_str().unwrap().contains("outside the range"), "{modified}");
    let parts = told["components"].as_array().unwrap().iter().map(|part| part["var"].as_f64().unwrap());
    assert!((parts.sum::<f64>() - methods[0]["var"].as_f64().unwrap()).abs() < 1e-6, "{told}");
    assert!(told["correlations"][0][1].as_f64().unwrap() > 0.5);
    assert_eq!(told["changes"], serde_json::json!([]), "no order was thought of");
    for tried in told["tried"].as_array().unwrap() {
        assert!(tried["periods"].as_u64().unwrap() > 60_000 && tried["exceptions"].as_u64().unwrap() > 0, "{tried}");
    }
}

#[test]
fn an_order_that_is_thought_of_says_what_it_would_add() {
    let dir = tempfile::tempdir().unwrap();
    let file = waves(dir.path(), 60);
    let of = |amount: &str| format!("{}={amount}", text(&file));
    let told = tradewind(&["risk", "--hold", &of("100"), "--add", &of("50"), "-o", "json"]).ended_with(0).json();
    let number = |path: &str| told.pointer(path).unwrap().as_f64().unwrap();
    for method in ["0", "1"] {
        let of = |part: &str| number(&format!("/changes/{method}/{part}/var"));
        assert!((of("after") - 1.5 * of("before")).abs() < 1e-9, "half as much again: {told}");
        assert!((of("incremental") - 0.5 * of("before")).abs() < 1e-9, "{told}");
    }
    let run = tradewind(&["risk", "--hold", &of("100"), "--add", &of("-100")]).ended_with(0);
    assert!(run.out.contains("with the order"), "{}", run.out);
}

/// Hours of EUR/USD on both sides of a weekend.
fn a_friday_and_a_sunday(dir: &Path) -> PathBuf {
    let mut csv = String::from("time,open,high,low,close,volume\n");
    let hours = |from: u64, count: u64| (0..count).map(move |hour| from + hour * 3_600);
    for (place, at) in hours(1_731_067_200, 10).chain(hours(1_731_276_000, 20)).enumerate() {
        csv.push_str(&format!("{at},1.05,1.09,1.01,1.0{},1\n", place * 7 % 5 + 3));
    }
    let path = dir.join("EUR_USD-1h.csv");
    std::fs::write(&path, csv).unwrap();
    path
}

#[test]
fn the_move_over_a_hole_is_not_that_of_one_bar_and_a_weekend_is_no_hole() {
    let dir = tempfile::tempdir().unwrap();
    let whole = waves(dir.path(), 60);
    let rows = std::fs::read_to_string(&whole).unwrap();
    let kept = rows.lines().enumerate().filter(|(row, _)| !(21..31).contains(row) && *row != 41);
    let holed = dir.path().join("HOLES_USDT-1h.csv");
    std::fs::write(&holed, kept.map(|(_, row)| format!("{row}\n")).collect::<String>()).unwrap();
    let hold = |file: &Path| format!("{}=100", text(file));
    let week = a_friday_and_a_sunday(dir.path());
    for (files, periods, over_holes) in
        [(&[&whole][..], 59_u64, 0_u64), (&[&holed][..], 46, 2), (&[&whole, &holed][..], 46, 2), (&[&week][..], 29, 0)]
    {
        let held: Vec<String> = files.iter().flat_map(|file| ["--hold".to_owned(), hold(file)]).collect();
        let line: Vec<&str> = ["risk"].into_iter().chain(held.iter().map(String::as_str)).collect();
        let told = tradewind(&[&line[..], &["-o", "json"]].concat()).ended_with(0).json();
        assert_eq!((&told["periods"], &told["over_holes"]), (&periods.into(), &over_holes.into()), "{files:?}");
        let said = tradewind(&line).ended_with(0).out;
        let note = "left out: 2 returns over holes in the data";
        assert_eq!(said.contains(note), over_holes == 2, "{said}");
    }
}

#[test]
fn a_file_of_many_holes_tells_what_a_bar_may_lose() {
    let Some(file) = recording("risk", "ohlcv/crypto/bybit-1m-gappy/BNBUSDT_1m.parquet") else { return };
    let hold = format!("{}=1000", text(&file));
    let told = tradewind(&["risk", "--hold", &hold, "--window", "20", "-o", "json"]).ended_with(0).json();
    assert_eq!((&told["periods"], &told["over_holes"]), (&104_551.into(), &524.into()));
    let parametric = told["methods"][1]["var"].as_f64().unwrap();
    assert!((parametric - 1.24).abs() < 0.02, "{parametric}: 2.67 with what happened over the holes");
}

#[test]
fn holdings_that_cancel_lose_nothing_and_what_needs_a_deviation_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = waves(dir.path(), 60);
    let hold = |amount: &str| format!("{}={amount}", text(&file));
    let (long, short) = (hold("1000"), hold("-1000"));
    let line = ["risk", "--hold", &long, "--hold", &short];
    let told = tradewind(&[&line[..], &["-o", "json"]].concat()).ended_with(0).json();
    for it in told["methods"].as_array().unwrap() {
        let figures = [&it["var"], &it["cvar"]];
        match it["method"].as_str() {
            Some("modified") => assert!(figures.iter().all(|it| it.is_null()) && it["note"].is_string(), "{it}"),
            _ => assert!(figures.iter().all(|it| it.as_f64().unwrap().abs() < 0.001), "{it}"),
        }
    }
    let said = tradewind(&line).ended_with(0).out;
    assert!(said.contains("modified: it needs a deviation"), "{said}");
    let row: Vec<&str> =
        said.lines().find(|row| row.trim().starts_with("modified ")).unwrap().split_whitespace().collect();
    assert_eq!(row, ["modified", "-", "-"]);
}

#[test]
fn how_long_the_bars_of_holdings_are_is_stated_as_for_a_back_test() {
    let dir = tempfile::tempdir().unwrap();
    let hold = format!("{}=100", text(&waves(dir.path(), 60)));
    let risk = |more: &[&str]| tradewind(&[&["risk", "--hold", hold.as_str()][..], more].concat());
    let told = |more: &[&str]| risk(&[more, &["-o", "json"]].concat()).ended_with(0).json();
    assert_eq!(told(&[])["interval"], "1h");
    assert_eq!(told(&["--interval", "1h"]), told(&[]));
    let run = risk(&["--interval", "30m"]).failed_with(1, "CLI-05");
    assert!(
        run.err.contains("59 of 59 returns are over holes"),
        "each second bar of half an hour is missing: {}",
        run.err
    );
    assert_eq!(told(&["--stamp", "close"])["until"], "2023-11-17T08:20:00Z", "an hour before the stamp");
    risk(&["--interval", "4h"]).failed_with(1, "HIS-15");
}

#[test]
fn holdings_that_cannot_be_judged_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = waves(dir.path(), 60);
    let hold = |amount: &str| format!("{}={amount}", text(&file));
    for (hold, said) in [(text(&file).to_owned(), "write FILE=AMOUNT"), (hold("much"), "`much`"), (hold("0"), "`0`")] {
        let run = tradewind(&["risk", "--hold", &hold]).ended_with(2);
        assert!(run.err.contains(said), "{}", run.err);
    }
    tradewind(&["risk", "--hold", "/nonexistent.csv=1"]).failed_with(1, "HIS-01");
    let run = tradewind(&["risk", "--hold", &hold("100"), "--window", "100"]).ended_with(0);
    assert!(run.out.contains("too few to try a window of 100"), "{}", run.out);
}
