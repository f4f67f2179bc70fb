//! The bars that the project ships, and the lines of the README that use them: what a newcomer runs first.

use crate::support::{text, tradewind, tradewind_in};
use expect_test::expect;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the project lies.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// What a newcomer reads.
const README: &str = include_str!("../../../../README.md");
/// What is written beside the shipped file.
const PAGE: &str = include_str!("../../../../examples/data/README.md");

/// The shipped file as the README names it, from the project's root.
fn name() -> &'static str {
    let named = README.lines().find_map(|line| line.strip_prefix("bars="));
    named.and_then(|line| line.split_whitespace().next()).expect("the README names a file of bars")
}

/// The shipped file.
fn bars() -> PathBuf {
    Path::new(ROOT).join(name())
}

/// The README's commands on the shipped file, without the program's name.
fn commands() -> Vec<Vec<String>> {
    let lines = README.lines().filter_map(|line| line.strip_prefix("tradewind ")).filter(|line| line.contains("$bars"));
    let command = |line: &str| line.split('#').next().unwrap_or_default().replace("$bars", name());
    lines.map(|line| command(line).split_whitespace().map(str::to_owned).collect()).collect()
}

/// A count in an answer.
fn count(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("`{key}` is no count in {value}"))
}

/// Runs a command of the README in `dir`.
fn run(dir: &Path, command: &[String], more: &[&str]) -> Value {
    let args: Vec<&str> = command.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let run = tradewind_in(dir, &[&args[..], &["-o", "json"]].concat()).ended_with(0);
    run.is_calm();
    run.json()
}

#[test]
fn every_line_of_the_readme_on_the_shipped_bars_runs() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join(name());
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(bars(), copy).unwrap();
    let mut seen = Vec::new();
    for command in commands() {
        match command[0].as_str() {
            "backtest" => {
                let value = run(dir.path(), &command, &[]);
                assert_eq!(value["origin"], "simulated", "no market made these bars");
                assert!(count(&value, "trades") > 20, "{}", value["trades"]);
                let page = std::fs::read_to_string(dir.path().join(value["report"].as_str().unwrap())).unwrap();
                assert!(page.contains("simulated data") && !page.contains("recorded market data"));
            }
            "diagnose" => {
                let value = run(dir.path(), &command, &[]);
                assert!(count(&value, "buys") > 0 && count(&value, "sells") > 0, "{value}");
            }
            "risk" => {
                let value = run(dir.path(), &command, &[]);
                assert_eq!(value["holdings"], serde_json::json!(["BTC/USDT"]));
                assert_eq!(value["methods"].as_array().map(Vec::len), Some(4), "{value}");
            }
            "demo" => is_played(dir.path(), &run(dir.path(), &command, &["--for", "8s"])),
            other => panic!("`{other}` on the shipped bars is not looked at here"),
        }
        seen.push(command[0].clone());
    }
    assert_eq!(seen, ["backtest", "diagnose", "risk", "demo"]);
}

/// The tape was traded over the wire, within seconds, and its journal decides the same again.
fn is_played(dir: &Path, demo: &Value) {
    assert!(count(demo, "fills") > 0 && count(&demo["decisions"], "buy") > 0, "{demo}");
    assert!(demo["first_fill_seconds"].as_f64().unwrap() < 8.0, "{demo}");
    assert_eq!(demo["journal"], "verified");
    assert_eq!(demo["origin"], "simulated");
    let place = dir.join(demo["data_dir"].as_str().unwrap());
    assert_eq!(tradewind(&["replay", text(&place), "-o", "json"]).ended_with(0).json()["matches"], true);
}

#[test]
fn the_shipped_bars_are_those_that_their_page_describes() {
    let file = bars();
    let found = tradewind(&["data", "check", text(&file), "-o", "json"]).ended_with(0).json();
    assert_eq!((count(&found, "rows"), count(&found, "used"), count(&found, "gaps_missing")), (8_736, 8_736, 0));
    assert_eq!(found["interval"], "1h");
    assert_eq!(found["source"]["origin"], "simulated");
    assert!(PAGE.contains("8,736 hourly bars"));
    let sum = found["source"]["sha256"].as_str().unwrap();
    assert!(PAGE.contains(sum), "examples/data/README.md names another sum than {sum}");
}

/// The script starts an exchange for each of its 182 seeds, which takes its time.
#[test]
fn the_script_makes_the_shipped_bars_again_byte_for_byte() {
    let is_new_enough = ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"];
    if !Command::new("python3").args(is_new_enough).status().is_ok_and(|status| status.success()) {
        println!("skipped: the_script_makes_the_shipped_bars_again_byte_for_byte: no python3 from 3.11 on");
        return;
    }
    let (dir, shipped) = (tempfile::tempdir().unwrap(), bars());
    let made = dir.path().join("made.csv");
    let mut script = Command::new("python3");
    script.arg(shipped.with_file_name("make.py")).args([env!("CARGO_BIN_EXE_tradewind"), text(&made)]);
    let ran = script.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(std::fs::read(made).unwrap() == std::fs::read(shipped).unwrap(), "it makes other bars");
}

/// A newcomer's machine gives these trades, too: indicators compute in one fixed order, on x86-64 with glibc.
/// `UPDATE_EXPECT=1` writes the table again.
#[test]
fn default_strategies_buy_and_sell_on_the_shipped_bars() {
    let file = bars();
    let listed = tradewind(&["strategy", "list", "-o", "json"]).ended_with(0).json();
    let mut table = String::new();
    for strategy in listed.as_array().unwrap() {
        let name = strategy["name"].as_str().unwrap();
        let args = ["backtest", "--data", text(&file), "--symbol", "BTC/USDT", "--strategy", name];
        let value = tradewind(&[&args[..], &["--no-report", "-o", "json"]].concat()).ended_with(0).json();
        let (buys, sells) = (count(&value["decisions"], "buy"), count(&value["decisions"], "sell"));
        assert!(buys >= 2 && sells >= 2, "{name} bought {buys} and sold {sells} times");
        assert_eq!(value["origin"], "simulated", "{name}");
        assert_eq!(count(&value["decisions"], "veto"), 0, "{name}");
        let (trades, hash) = (count(&value, "trades"), &value["trade_hash"].as_str().unwrap()[..16]);
        writeln!(table, "{name:<17} {buys:>3} buys {sells:>3} sells {trades:>3} trades {hash}").unwrap();
    }
    expect![[r#"
        ema-trend         188 buys 187 sells 375 trades fe5279672e6b04bf
        mean-reversion     99 buys  99 sells 198 trades 46b6dcce6b5ad440
        breakout           94 buys  93 sells 187 trades 4be9d2ca25bfbc15
        volatility-target   3 buys   2 sells   5 trades ca567072761c542e
        vote              147 buys 146 sells 293 trades 925e27480a8e9809
    "#]]
    .assert_eq(&table);
}

#[test]
fn ends_that_are_never_reached_change_no_trade() {
    let file = bars();
    for strategy in ["ema-trend", "mean-reversion", "breakout", "vote"] {
        for (symbol, deposit) in [("BTC/USDT", "10000"), ("BTC/USDT:USDT", "20000000")] {
            let hash = |ends: &[&str]| {
                let args = ["backtest", "--data", text(&file), "--symbol", symbol, "--strategy", strategy];
                let more = ["--deposit", deposit, "--no-report", "-o", "json"];
                let value = tradewind(&[&args[..], &more, ends].concat()).ended_with(0).json();
                assert!(count(&value, "trades") > 50, "{strategy} on {symbol}: {}", value["trades"]);
                value["trade_hash"].clone()
            };
            let plain = hash(&[]);
            for ends in [&["--stop", "99"][..], &["--target", "99"], &["--stop", "99", "--target", "99"]] {
                assert_eq!(hash(ends), plain, "{strategy} on {symbol} with {ends:?}");
            }
        }
    }
}
