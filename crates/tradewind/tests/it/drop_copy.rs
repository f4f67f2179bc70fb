//! Another process holds the venue's executions against the journal of a node.

use crate::standby::Pair;
use crate::support::{Run, Running, text, tradewind, tradewind_with, wait_until};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

fn copy(pair: &Pair, data: &Path, more: &[&str]) -> Run {
    let args = ["drop-copy", "--config", text(&pair.file), "--data-dir", text(data), "-o", "json"];
    tradewind_with(&[&args, more].concat(), &pair.exchange.keys())
}

/// Buys or sells at the market, and waits for the execution.
fn trade(pair: &Pair, side: &str, quantity: &str) {
    let fills = || pair.ask(&["status"]).ended_with(0).json()["counters"]["fills"].as_u64().unwrap();
    let before = fills();
    pair.ask(&["order", "place", "--symbol", "BTC/USDT", "--side", side, "--quantity", quantity]).ended_with(0);
    wait_until(20, "the order does not fill", || fills() != before);
}

fn whats(said: &Value) -> Vec<&str> {
    said["differences"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect()
}

#[test]
fn a_second_process_finds_that_venue_and_journal_tell_the_same_and_what_the_journal_lost() {
    let pair = Pair::new();
    let mut node = pair.start(&pair.data, false);
    node.until("ready in");
    trade(&pair, "buy", "0.001");
    let said = copy(&pair, &pair.data, &["--once"]).ended_with(0).json();
    assert_eq!((whats(&said), said["halted"].as_bool()), (vec![], Some(false)), "{said}");
    assert!(said["last"]["compared"].as_u64().unwrap() >= 1, "{said}");
    let held = said["last"]["positions"][0]["held"].as_str().unwrap();
    assert!(held.ends_with(" BTC") && !held.starts_with('-'), "{said}");
    assert!(said["last"]["positions"][0]["value"].as_str().unwrap().ends_with(" USDT"), "{said}");

    // what a restored backup lacks
    let old = pair.dir.path().join("old");
    tradewind(&["journal", "backup", text(&pair.data), text(&old)]).ended_with(0);
    trade(&pair, "sell", "0.0009"); // less what went to fees
    let said = copy(&pair, &old, &["--once", "--halt"]).ended_with(3).json();
    let lost = said["differences"].as_array().unwrap();
    assert!(lost.iter().any(|it| it["what"].as_str().unwrap().ends_with("of BTC/USDT")), "{said}");
    assert!(lost.iter().all(|it| it["ours"] == "none" && it["venue"].as_str().unwrap().contains(" at ")), "{said}");
    assert_eq!(said["halted"], true);
    let reason = std::fs::read_to_string(old.join("HALTED")).unwrap();
    assert!(reason.starts_with("drop copy: execution "), "{reason}");
    // it was on already, and the journal of the node that runs is whole
    assert_eq!(copy(&pair, &old, &["--once", "--halt"]).ended_with(3).json()["halted"], false);
    copy(&pair, &pair.data, &["--once", "--halt"]).ended_with(0);
    assert!(!pair.data.join("HALTED").exists());
    pair.ask(&["stop"]).ended_with(0);
    node.end().0.ended_with(0);
}

#[test]
fn money_that_is_gone_halts_the_node_before_its_own_comparison_does() {
    let pair = Pair::new();
    let mut node = pair.start(&pair.data, false);
    node.until("ready in");
    let args = ["drop-copy", "--config", text(&pair.file), "--data-dir", text(&pair.data), "--every", "1s", "--halt"];
    let mut watch = Running::start_with(&args, &pair.exchange.keys());
    watch.until("compared with the journal");
    let gone = format!(r#"{{"key": "{}", "asset": "USDT", "amount": "-250"}}"#, pair.exchange.key);
    pair.exchange.post("/tradewind/v1/adjust", &gone);
    let told = watch.until("alarm: ");
    assert!(told.contains("balance USDT is "), "{told}");
    watch.until("the kill switch is thrown");
    let asked = Instant::now();
    let halted = loop {
        let halted = pair.ask(&["status"]).ended_with(0).json()["halted"].clone();
        if halted != Value::Null {
            break halted.to_string();
        }
        assert!(asked.elapsed() < Duration::from_secs(10), "the node goes on");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(halted.contains("drop copy: balance USDT"), "{halted}");
    watch.signal("INT");
    let ended = watch.end().0.ended_with(3);
    assert!(ended.out.contains("they differ"), "{}", ended.out);
    pair.ask(&["stop"]).ended_with(0);
    node.end().0.ended_with(0);
}

#[test]
fn who_cannot_see_says_so() {
    let Pair { exchange, dir, file, data } = Pair::new();
    let keys = [("TRADEWIND_KEY", exchange.key.clone()), ("TRADEWIND_SECRET", exchange.secret.clone())];
    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let args = ["drop-copy", "--config", text(&file), "--data-dir", text(&data), "--once"];
    let ask = || tradewind_with(&args, &keys);
    ask().failed_with(1, "CLI-09"); // no node was ever there
    let args = ["paper", "--config", text(&file), "--data-dir", text(&data)];
    let mut node = Running::start_with(&args, &keys);
    node.until("ready in");
    node.signal("INT");
    node.end().0.ended_with(0);
    exchange.end();
    ask().failed_with(1, "VEN-06"); // nobody answers
    drop(dir);
}
