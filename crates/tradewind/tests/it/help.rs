//! What the program says about itself.

use crate::support::{Run, Running, tradewind, tradewind_in, waves};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A command and its help.
struct Page {
    /// Its words behind `tradewind`, joined by spaces; nothing for the program itself.
    path: String,
    help: String,
    /// Whether others stand below it.
    is_group: bool,
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn visit(path: &[String], pages: &mut Vec<Page>) {
    let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = tradewind(&args).ended_with(0).out;
    let inner = listed(&help);
    pages.push(Page { path: path.join(" "), help, is_group: !inner.is_empty() });
    for name in inner {
        visit(&[path, &[name]].concat(), pages);
    }
}

/// The help of the program and of every command, asked for once.
fn pages() -> &'static [Page] {
    static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
        let mut pages = Vec::new();
        visit(&[], &mut pages);
        pages
    });
    assert!(PAGES.len() > 60, "{} commands", PAGES.len());
    &PAGES
}

/// The exit codes that the help of a command names.
fn exits_named(help: &str) -> BTreeSet<i32> {
    let line = help.lines().find_map(|line| line.strip_prefix("Exit codes: ")).unwrap_or_default();
    let codes = line.split(", ").filter_map(|part| part.split(' ').next()?.parse().ok());
    codes.collect()
}

#[test]
fn every_command_shows_an_example_of_itself() {
    for Page { path, help, is_group } in pages() {
        let example = help.split("\nExample").nth(1).unwrap_or_else(|| panic!("`{path}` has no example"));
        let own = format!("tradewind {path}");
        let own = format!("\n  {}{}", own.trim_end(), if *is_group { " " } else { "" });
        assert!(example.contains(&own), "the example of `{path}` shows another command: {example}");
    }
}

#[test]
fn exit_codes_are_documented() {
    let help = tradewind(&["--help"]).ended_with(0).out;
    for line in ["0    done", "1    failed", "2    misused", "3    checked", "4    no node", "130  interrupted"] {
        assert!(help.contains(line), "{line}: {help}");
    }
    assert!(tradewind(&["--version"]).ended_with(0).out.starts_with("tradewind 0."));
    assert_eq!(tradewind(&[]).ended_with(2).out, "", "without a command it is misuse");
}

#[test]
fn the_help_of_every_command_names_its_exit_codes() {
    let pages = pages();
    let named: BTreeMap<&str, BTreeSet<i32>> =
        pages.iter().map(|page| (page.path.as_str(), exits_named(&page.help))).collect();
    for (path, codes) in named.iter().filter(|(path, _)| !path.is_empty()) {
        assert!(codes.is_superset(&[0, 1, 2, 130].into()), "`{path}` names {codes:?}");
        let below = format!("{path} ");
        let inner = named.iter().filter(|(inner, _)| inner.starts_with(&below));
        for (inner, more) in inner {
            assert!(codes.is_superset(more), "`{path}` names {codes:?}, `{inner}` {more:?}");
        }
    }
    for (path, all) in [
        ("strategy list", &[0, 1, 2, 130][..]),
        ("data check", &[0, 1, 2, 3, 130]),
        ("data", &[0, 1, 2, 3, 130]),
        ("order place", &[0, 1, 2, 4, 130]),
        ("limits stage show", &[0, 1, 2, 4, 130]),
    ] {
        let all: BTreeSet<i32> = all.iter().copied().collect();
        assert_eq!(named[path], all, "{path}");
    }
}

/// Each command with harmless arguments, how it then ends, and the code of its fault. They run one after the other in one
/// folder, which holds `WAVES_USDT-1h.csv` and `tradewind.toml` at the start, and no node works there. SOURCES are ours.
const CALLS: &[(&str, &str, i32, &str)] = &[
    ("demo", "--for 1s --data-dir demo", 0, ""),
    ("backtest", "--data WAVES_USDT-1h.csv --symbol WAVES/USDT", 0, ""),
    ("backtest", "--data none.csv --symbol WAVES/USDT", 1, "HIS-01"),
    ("paper", "--for 1s --data-dir paper", 0, ""),
    ("live", "--config tradewind.toml", 1, "CLI-11"),
    ("drop-copy", "--config none.toml", 1, "CFG-01"),
    ("exchange", "", 0, ""),
    ("order place", "--symbol BTC/USDT --side buy --quantity 0.01", 4, "NODE-05"),
    ("order oco", "BTC/USDT --side sell --quantity 0.01 --target 66000 --stop 61000", 4, "NODE-05"),
    ("order bracket", "BTC/USDT --side buy --quantity 0.01 --price 63000 --target 66000 --stop 61000", 4, "NODE-05"),
    ("order twap", "BTC/USDT --side buy --quantity 0.02 --over 4h --slices 48", 4, "NODE-05"),
    ("order vwap", "BTC/USDT --side buy --quantity 0.02 --over 4h --rate 5", 4, "NODE-05"),
    ("order iceberg", "BTC/USDT --side buy --quantity 0.02 --price 63000 --display 0.005", 4, "NODE-05"),
    ("order scale", "BTC/USDT --side buy --quantity 0.02 --from 63000 --to 60000 --orders 4", 4, "NODE-05"),
    ("order replace", "018bcfe5680070008000000000000001 --price 62900 --quantity 0.02", 4, "NODE-05"),
    ("order parents", "", 4, "NODE-05"),
    ("order pause", "p7", 4, "NODE-05"),
    ("order continue", "p7", 4, "NODE-05"),
    ("order end", "p7", 4, "NODE-05"),
    ("order abandon", "p7", 4, "NODE-05"),
    ("order cancel", "018bcfe5680070008000000000000001", 4, "NODE-05"),
    ("order list", "", 4, "NODE-05"),
    ("position list", "", 4, "NODE-05"),
    ("position close", "BTC/USDT", 4, "NODE-05"),
    ("position exempt", "BTC/USDT --reason hedge", 4, "NODE-05"),
    ("flatten", "", 4, "NODE-05"),
    ("adopt", "", 4, "NODE-05"),
    ("halt", "", 4, "NODE-05"),
    ("resume", "", 4, "NODE-05"),
    ("stop", "", 4, "NODE-05"),
    ("status", "", 4, "NODE-05"),
    ("replay", "demo", 0, ""),
    ("replay", "nowhere", 1, "CLI-09"),
    ("journal verify", "demo", 0, ""),
    ("journal show", "demo", 0, ""),
    ("journal backup", "demo copy", 0, ""),
    ("journal retain", "copy", 0, ""),
    ("proposals list", "", 4, "NODE-05"),
    ("proposals show", "42", 4, "NODE-05"),
    ("proposals approve", "42", 4, "NODE-05"),
    ("proposals reject", "42", 4, "NODE-05"),
    ("limits show", "", 4, "NODE-05"),
    ("limits set", "max_order 5%", 4, "NODE-05"),
    ("limits sector", "SOL alts", 4, "NODE-05"),
    ("limits stage show", "", 4, "NODE-05"),
    ("limits stage advance", "", 4, "NODE-05"),
    ("limits stage demote", "", 4, "NODE-05"),
    ("limits stage repeat", "", 4, "NODE-05"),
    ("limits approve", "57", 4, "NODE-05"),
    ("limits reject", "57", 4, "NODE-05"),
    ("audit verify", "demo", 0, ""),
    ("audit statistics", "demo", 0, ""),
    ("audit export", "demo", 0, ""),
    ("data check", "WAVES_USDT-1h.csv", 0, ""),
    ("data check", "none.csv", 3, ""),
    ("data import", "WAVES_USDT-1h.csv --symbol WAVES/USDT --catalog catalog", 0, ""),
    ("data list", "--catalog catalog", 0, ""),
    ("strategy list", "", 0, ""),
    ("strategy show", "vote", 0, ""),
    ("strategy show", "--nothing", 2, "CLI-15"),
    ("strategy sizing", "", 0, ""),
    ("strategy new", "my-idea --tradewind SOURCES", 0, ""),
    ("diagnose", "--data WAVES_USDT-1h.csv --symbol WAVES/USDT", 0, ""),
    ("risk", "--hold WAVES_USDT-1h.csv=6000", 0, ""),
    ("stress", "--scenarios 2 --bars 50", 0, ""),
    ("storm", "--hours 0.01", 0, ""),
    ("doctor", "--data-dir doctor", 0, ""),
    ("doctor", "--trade", 0, ""),
    ("doctor", "--trade --data-dir demo", 1, "CLI-18"),
    ("config show", "", 0, ""),
    ("config check", "tradewind.toml", 0, ""),
    ("config template", "", 0, ""),
    ("config reference", "errors", 0, ""),
];

/// Where a strategy of one's own finds the crates that it builds on.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// An exchange goes on until it is told to end.
fn exchange() -> Run {
    let mut running = Running::start(&["exchange", "-o", "json"]);
    let line = running.line();
    running.signal("INT");
    let (run, _) = running.end();
    Run { out: format!("{line}\n{}", run.out), ..run }
}

/// A result is one JSON value on stdout, a fault one on stderr.
fn check_answer(call: &str, run: Run, exit: i32, code: &str) {
    let run = run.ended_with(exit);
    run.is_calm();
    if code.is_empty() {
        let value = run.json();
        assert!(value.is_object() || value.is_array(), "`{call}` answers {value}");
        return;
    }
    assert_eq!(run.out, "", "`{call}` failed, with something on stdout");
    let said: Value = serde_json::from_str(&run.err)
        .unwrap_or_else(|error| panic!("`{call}`: stderr is not one JSON value: {error}\n{}", run.err));
    assert_eq!(said["error"]["code"], code, "`{call}`: {said}");
    for key in ["message", "hint"] {
        assert!(said["error"][key].as_str().is_some_and(|text| !text.is_empty()), "`{call}` has no {key}: {said}");
    }
}

#[test]
fn every_command_answers_in_json_and_ends_with_a_code_that_its_help_names() {
    let pages = pages();
    let leaves: BTreeMap<&str, &str> =
        pages.iter().filter(|it| !it.is_group).map(|it| (it.path.as_str(), it.help.as_str())).collect();
    let called: BTreeSet<&str> = CALLS.iter().map(|call| call.0).collect();
    let there: BTreeSet<&str> = leaves.keys().copied().collect();
    assert_eq!(called, there, "a command is missing from the calls, or is no more");

    let dir = tempfile::tempdir().unwrap();
    waves(dir.path(), 300);
    let template = tradewind(&["config", "template"]).ended_with(0).out;
    std::fs::write(dir.path().join("tradewind.toml"), template).unwrap();
    for (path, more, exit, code) in CALLS {
        let call = format!("tradewind {path} {more}");
        let more = more.split_whitespace().map(|word| if word == "SOURCES" { SOURCES } else { word });
        let args: Vec<&str> = path.split(' ').chain(more).chain(["-o", "json"]).collect();
        let run = if *path == "exchange" { exchange() } else { tradewind_in(dir.path(), &args) };
        check_answer(&call, run, *exit, code);
        assert!(exits_named(leaves[path]).contains(exit), "the help of `{path}` does not name {exit}");
    }
}
