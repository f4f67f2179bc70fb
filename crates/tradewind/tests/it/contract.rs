//! What scripts outside the project call, with the keys that they read.

use crate::example::Exchange;
use crate::support::{Run, Running, text, tradewind, tradewind_in, waves};
use serde_json::Value;

fn has_text(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value[key].is_string(), "`{key}` is {} in {value}", value[key]);
    }
}

fn is_decimal(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is not decimal text"));
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.parse::<f64>().is_ok();
    assert!(plain, "`{text}` is not a decimal number");
}

#[test]
fn a_backtest_answers_with_the_promised_keys() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 2_000);
    let run = tradewind_in(
        dir.path(),
        &["backtest", "--data", text(&data), "--symbol", "WAVES/USDT", "--strategy", "ema-trend", "-o", "json"],
    )
    .ended_with(0);
    let value = run.json();
    assert_eq!(value["bars"], 2_000);
    assert!(value["trades"].as_u64().unwrap() > 20, "{}", value["trades"]);
    assert_eq!(value["origin"], "recorded");
    ["fees", "equity_final", "deposit"].iter().for_each(|key| is_decimal(&value[key]));
    has_text(&value, &["trade_hash", "state_hash", "fill_policy_text", "report"]);
    assert_eq!(value["trade_hash"].as_str().unwrap().len(), 64);
    let page = std::fs::read_to_string(dir.path().join(value["report"].as_str().unwrap())).unwrap();
    assert!(page.contains("<html") && page.contains("WAVES/USDT"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "the page asks no other host");
}

#[test]
fn a_backtest_repeats_itself_and_says_what_was_simulated() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 900);
    let run = |more: &[&str]| {
        let mut args = vec!["backtest", "--data", text(&data), "--symbol", "WAVES/USDT", "--no-report", "-o", "json"];
        args.extend(more);
        tradewind(&args).ended_with(0).json()
    };
    let (one, two) = (run(&[]), run(&["--simulated"]));
    assert_eq!(one["trade_hash"], two["trade_hash"]);
    assert_eq!((&one["origin"], &two["origin"]), (&"recorded".into(), &"simulated".into()));
    assert!(one.get("report").is_none(), "no report was asked for");
    assert_ne!(run(&["--slippage-bps", "50"])["equity_final"], one["equity_final"]);
}

#[test]
fn a_backtest_itemises_what_its_fills_paid_beyond_the_market() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 900);
    let run = |more: &[&str]| {
        let args = ["backtest", "--data", text(&data), "--symbol", "WAVES/USDT", "--no-report", "-o", "json"];
        tradewind(&[&args[..], more].concat()).ended_with(0).json()
    };
    let (plain, wide) = (run(&[]), run(&["--half-spread-bps", "3", "--limit-fill", "through"]));
    let said = |value: &Value| value["fill_policy_text"].as_str().unwrap().to_owned();
    assert_eq!(plain["costs"]["spread"], "0");
    assert!(!said(&plain).contains("spread") && said(&plain).contains("market touches it"), "{}", said(&plain));
    assert!(said(&wide).contains("3 bps for half the spread") && said(&wide).contains("market trades beyond it"));
    assert_eq!(run(&["--half-spread-bps", "0", "--limit-fill", "touch"])["trade_hash"], plain["trade_hash"]);

    let costs = &wide["costs"];
    let units = |key: &str| tradewind_domain::parse_decimal(costs[key].as_str().unwrap(), 8).unwrap();
    assert_eq!(["fees", "spread", "slippage", "impact"].map(units).iter().sum::<i64>(), units("total"), "{costs}");
    // three parts in ten thousand of what was traded, at the market's prices where that was at the fills'
    let share = units("spread") * 10_000 - units("traded_notional") * 3;
    assert!(units("spread") > 0 && share.abs() < units("traded_notional") / 100, "{costs}");
}

#[test]
fn exported_events_are_lines_of_json_and_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 300);
    let events = |name: &str| {
        let path = dir.path().join(name);
        let to = ["--events", text(&path), "--no-report"];
        let args = [&["backtest", "--data", text(&data), "--symbol", "WAVES/USDT"][..], &to].concat();
        tradewind(&args).ended_with(0);
        std::fs::read_to_string(path).unwrap()
    };
    let once = events("once.jsonl");
    assert!(once.lines().count() > 300);
    assert!(once.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(once == events("twice.jsonl"), "equal input, other events");
}

/// What every demo promises, whatever its market.
pub(crate) fn check_demo(run: &Run, dir: &std::path::Path, origin: &str) -> Value {
    run.is_calm();
    let warns = |line: &&str| line.contains("WARN") && !line.contains("alarm: RSK-"); // a breaker that trips is told
    assert_eq!(run.err.lines().find(warns), None, "a clean run has nothing else to warn of: {}", run.err);
    let value = run.json();
    assert!(value["fills"].as_u64().unwrap() > 0, "{value}");
    for (key, least) in [("buy", 1), ("sell", 0), ("hold", 1), ("veto", 0)] {
        assert!(value["decisions"][key].as_u64().unwrap() >= least, "{key}: {value}");
    }
    assert_eq!((value["journal"].as_str(), value["origin"].as_str()), (Some("verified"), Some(origin)), "{value}");
    assert!(value["first_fill_seconds"].as_f64().unwrap() <= 15.0, "{value}");
    let books = value["portfolios"].as_array().unwrap();
    assert!(!books.is_empty());
    for it in books {
        let amount = |key: &str| it[key].as_str().and_then(|text| text.parse::<f64>().ok()).unwrap();
        assert!(amount("deposit") > 0.0 && amount("equity") > 0.0, "{it}");
        assert!(it["name"].is_string() && it["currency"].is_string(), "{it}");
    }
    assert!(dir.join("journal").is_dir());
    for report in value["reports"].as_array().unwrap() {
        assert!(std::fs::read_to_string(report.as_str().unwrap()).unwrap().contains("<html"));
    }
    let page = std::fs::read_to_string(value["report"].as_str().unwrap()).unwrap();
    assert!(page.contains("What became of the signals") && page.contains("ema-trend 1-"), "from the journal alone");
    assert_eq!(value["report"], value["reports"][0]);
    value
}

#[test]
fn a_demo_trades_verifies_reports_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    let run = tradewind(&["demo", "--for", "6s", "--seed", "7", "--data-dir", place, "-o", "json"]).ended_with(0);
    let demo = check_demo(&run, dir.path(), "simulated");
    assert!(run.err.contains("a simulated market"), "it says so: {}", run.err);

    let replay = tradewind(&["replay", place, "-o", "json"]).ended_with(0).json();
    assert_eq!((&replay["matches"], &replay["events"]), (&true.into(), &demo["events"]));
    assert_eq!(replay["state_hash"].as_str().unwrap().len(), 64);
    assert!(replay["hashes_compared"].as_u64().unwrap() >= 1);

    let copy = dir.path().join("copy");
    let backup = tradewind(&["journal", "backup", place, text(&copy), "-o", "json"]).ended_with(0).json();
    assert_eq!((&backup["verified"], &backup["records"]), (&true.into(), &demo["events"]));
    let again = tradewind(&["replay", text(&copy), "-o", "json"]).ended_with(0).json();
    assert_eq!(again["state_hash"], replay["state_hash"]);

    let retained = tradewind(&["journal", "retain", place, "-o", "json"]).ended_with(0).json();
    assert_eq!(retained["removed"], serde_json::json!([]), "all is in one segment");
    assert_eq!(retained["from"], 1, "nothing was removed: the first record is still there");
    let said = tradewind(&["journal", "retain", place]).ended_with(0).out;
    assert!(said.starts_with("nothing to remove: the journal begins with record 1, "), "{said}");
    assert_eq!(tradewind(&["replay", place, "-o", "json"]).json()["matches"], true);

    let shown = tradewind(&["journal", "show", place, "-o", "json"]).ended_with(0).json();
    assert_eq!(shown.as_array().unwrap().len() as u64, demo["events"].as_u64().unwrap());
    let lines = tradewind(&["journal", "show", place, "--from", "3", "--limit", "4"]).ended_with(0).out;
    assert_eq!(lines.lines().count(), 4);
    assert_eq!(serde_json::from_str::<Value>(lines.lines().next().unwrap()).unwrap(), shown[2]);
    assert_eq!(tradewind(&["journal", "show", place, "--from", "999999", "-o", "json"]).json(), serde_json::json!([]));
}

#[test]
fn a_replay_of_what_retention_left_says_which_events_it_decided() {
    let exchange = Exchange::start();
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("minimal.toml"));
    let settings = include_str!("../../../../examples/minimal.toml").replace("127.0.0.1:9090", &exchange.address);
    std::fs::write(&file, format!("{settings}\n[journal]\nsegment_bytes = 16384\n")).unwrap();
    let args = ["paper", "--config", text(&file), "--data-dir", text(&data), "--for", "2s", "-o", "json"];
    let stops = [(); 3].map(|()| {
        let (run, _) = Running::start_with(&args, &exchange.keys()).end();
        run.ended_with(0).json()["events"].as_u64().unwrap()
    });
    exchange.end();
    let replay = || tradewind(&["replay", text(&data), "-o", "json"]).ended_with(0).json();
    let extent = |value: &Value| ["events", "decided", "decided_from", "from_snapshot"].map(|key| value[key].as_u64());
    let whole = replay();
    assert_eq!(extent(&whole), [Some(stops[2]), Some(stops[2]), Some(1), Some(0)]);

    let retained = tradewind(&["journal", "retain", text(&data), "-o", "json"]).ended_with(0).json();
    assert!(retained["from"].as_u64().unwrap() > 1, "{retained}");
    assert_eq!(retained["snapshot"], stops[2]);
    let show = |more: &[&str]| tradewind(&[&["journal", "show", text(&data), "--limit", "1"][..], more].concat());
    let shown: Value = serde_json::from_str(&show(&[]).ended_with(0).out).unwrap();
    assert_eq!(shown["event"]["sequence"], retained["from"], "it begins with the oldest record kept");
    let removed = show(&["--from", "1"]).failed_with(1, "JRN-14");
    assert!(removed.err.contains(&format!("hint: `--from {}`", retained["from"])), "{}", removed.err);
    let left = replay();
    let decided = stops[2] - stops[1];
    assert_eq!(extent(&left), [Some(stops[2]), Some(decided), Some(stops[1] + 1), Some(stops[1])]);
    assert_eq!((&left["matches"], &left["hashes_compared"]), (&true.into(), &1.into()), "of the last stop");
    assert_eq!(left["state_hash"], whole["state_hash"]);
    let said = tradewind(&["replay", text(&data)]).ended_with(0).out;
    let first = stops[1] + 1;
    assert!(said.starts_with(&format!("{decided} events from event {first} on decide the same again; the ")), "{said}");

    std::fs::remove_file(data.join(format!("journal/{:020}.snap", stops[1]))).unwrap();
    assert_eq!(extent(&replay()), [Some(stops[2]), Some(0), None, Some(stops[2])]);
    let said = tradewind(&["replay", text(&data)]).ended_with(0).out;
    assert!(said.starts_with(&format!("no event was decided again: all {} were taken from a ", stops[2])), "{said}");
}

#[test]
fn an_imported_file_trades_like_its_source() {
    let dir = tempfile::tempdir().unwrap();
    let (data, catalog) = (waves(dir.path(), 800), dir.path().join("catalog"));
    let import = ["data", "import", text(&data), "--symbol", "WAVES/USDT", "--catalog", text(&catalog), "-o", "json"];
    let stored = tradewind(&import).ended_with(0).json();
    assert_eq!(stored["bars"], 800);
    let run = |file: &str| {
        let args = ["backtest", "--data", file, "--symbol", "WAVES/USDT", "--no-report", "-o", "json"];
        tradewind(&args).ended_with(0).json()
    };
    let (source, copy) = (run(text(&data)), run(stored["stored"].as_str().unwrap()));
    assert!(source["trades"].as_u64().unwrap() > 0);
    for key in ["bars", "trades", "fees", "equity_final", "trade_hash"] {
        assert_eq!(source[key], copy[key], "{key}");
    }
    let list = tradewind(&["data", "list", "--catalog", text(&catalog), "-o", "json"]).ended_with(0).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn a_strategy_takes_its_parameters_from_a_file_and_a_value_beside_it_goes_before_those() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (waves(dir.path(), 800), dir.path().join("ema-trend.toml"));
    let shown = tradewind(&["strategy", "show", "ema-trend"]).ended_with(0).out;
    assert!(shown.contains("\nfast = 10\n"), "{shown}");
    std::fs::write(&file, shown.replace("fast = 10", "fast = 5")).unwrap();
    let hash = |more: &[&str]| {
        let args = ["backtest", "--data", text(&data), "--symbol", "WAVES/USDT", "--no-report", "-o", "json"];
        tradewind(&[&args[..], more].concat()).ended_with(0).json()["trade_hash"].clone()
    };
    let (usual, from_file) = (hash(&[]), hash(&["--parameters-file", text(&file)]));
    assert_ne!(from_file, usual);
    assert_eq!(from_file, hash(&["--set", "fast=5"]));
    assert_eq!(hash(&["--parameters-file", text(&file), "--set", "fast=10"]), usual);
}

#[test]
fn a_strategy_of_ones_own_begins_with_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let args = ["strategy", "new", "my-idea", "--tradewind", root, "--dir", text(dir.path()), "-o", "json"];
    let files = tradewind(&args).ended_with(0).json();
    for file in files["files"].as_array().unwrap() {
        assert!(std::fs::metadata(file.as_str().unwrap()).unwrap().len() > 0);
    }
    assert!(dir.path().join("my-idea/Cargo.toml").is_file());
    assert!(tradewind(&args).ended_with(1).err.contains("CLI-08"), "what is there stays");
    tradewind(&["strategy", "new", "My Idea", "--tradewind", root]).ended_with(1).is_calm();
}

#[test]
fn every_command_that_only_looks_answers_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let (place, data) = (text(dir.path()), waves(dir.path(), 400));
    let catalog = dir.path().join("catalog");
    let (data, catalog) = (text(&data), text(&catalog));
    for args in [
        &["data", "check", data][..],
        &["data", "import", data, "--symbol", "WAVES/USDT", "--catalog", catalog],
        &["data", "list", "--catalog", catalog],
        &["strategy", "list"],
        &["strategy", "show", "vote"],
        &["diagnose", "--data", data, "--symbol", "WAVES/USDT", "--strategy", "vote"],
        &["doctor", "--data-dir", place],
        &["config", "show"],
        &["config", "template"],
        &["config", "template", "--reference"],
        &["config", "reference", "errors"],
        &["config", "reference", "commands"],
    ] {
        let run = tradewind(&[args, &["-o", "json"]].concat()).ended_with(0);
        assert!(!run.json().is_null(), "{args:?}");
        assert_eq!(run.err, "", "{args:?} has nothing to say to a person");
        let text = tradewind(args).ended_with(0).out;
        assert!(serde_json::from_str::<Value>(&text).is_err(), "{args:?} speaks to people too");
    }
}
