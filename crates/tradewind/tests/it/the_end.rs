//! Ctrl-C, a polite kill, a reader that has seen enough.

use crate::support::{Running, shell, text, tradewind, waves};
use std::time::Duration;

const IN_ORDER: Duration = Duration::from_secs(3);

fn ends_in_order(mut process: Running, ready: &str, signal: &str) -> String {
    process.until(ready);
    process.signal(signal);
    let (run, took) = process.end();
    run.is_calm();
    assert!(took < IN_ORDER, "{signal}: {took:?}");
    let run = run.ended_with(0);
    run.out
}

#[test]
fn g13_a_node_ends_in_order_and_leaves_a_sound_journal() {
    for (command, ready) in [("paper", "ready in"), ("demo", "ready in")] {
        for signal in ["INT", "TERM"] {
            let dir = tempfile::tempdir().unwrap();
            let place = text(dir.path());
            let out = ends_in_order(Running::start(&[command, "--data-dir", place, "-o", "json"]), ready, signal);
            assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{command} {signal}: {out}");
            tradewind(&["journal", "verify", place]).ended_with(0);
            assert_eq!(tradewind(&["replay", place, "-o", "json"]).ended_with(0).json()["matches"], true);
        }
    }
}

#[test]
fn an_exchange_ends_in_order() {
    for signal in ["INT", "TERM"] {
        let mut process = Running::start(&["exchange", "-o", "json"]);
        let line: serde_json::Value = serde_json::from_str(&process.line()).unwrap();
        assert!(line["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
        process.signal(signal);
        let (run, took) = process.end();
        assert!(took < IN_ORDER, "{took:?}");
        run.ended_with(0).is_calm();
    }
}

#[test]
fn an_interrupted_backtest_has_no_result_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 400_000);
    let page = dir.path().join("page.html");
    let args = ["backtest", "--data", text(&data), "--symbol", "WAVES/USDT", "--report", text(&page)];
    let process = Running::start(&[&args[..], &["--log", "info"]].concat());
    std::thread::sleep(Duration::from_millis(500));
    process.signal("INT");
    let (run, took) = process.end();
    assert!(took < IN_ORDER, "{took:?}");
    let run = run.failed_with(130, "CLI-12");
    assert!(run.err.contains("interrupted at 20"), "{}", run.err);
    assert!(!page.exists());
}

#[test]
fn g13_a_second_signal_ends_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Running::start(&["paper", "--data-dir", text(dir.path())]);
    process.until("ready in");
    process.signal("INT");
    process.until("once more");
    process.signal("INT");
    let (run, took) = process.end();
    assert!(took < Duration::from_secs(2), "{took:?}");
    // an orderly end may have been quicker than the second signal
    assert!(matches!(run.code, Some(130 | 0)), "{:?}", run.code);
    let replay = tradewind(&["replay", text(dir.path()), "-o", "json"]);
    assert_eq!(replay.json()["matches"], true, "whenever it ends, the journal is sound");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    tradewind(&["demo", "--for", "2s", "--data-dir", place]).ended_with(0);
    for command in [
        format!("journal show '{place}' | head -n 1"),
        format!("journal show '{place}' -o json | head -c 1"),
        "config reference errors | head -n 1".to_owned(),
        "strategy list 2>&1 | head -n 0".to_owned(),
        "backtset 2>&1 | head -n 0".to_owned(),
    ] {
        let run = shell(&format!("\"$0\" {command}")).ended_with(0);
        assert_eq!(run.err, "", "{command}");
    }
}
