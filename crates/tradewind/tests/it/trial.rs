//! `doctor --trade`: one command that places, fills and closes an order, with nothing set up.

use crate::support::{Running, text, tradewind, tradewind_in, tradewind_with};
use serde_json::Value;
use std::time::{Duration, Instant};

/// An amount in 10^-8: money and sizes are decimal text, never numbers.
fn units(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is not decimal text"));
    tradewind_domain::parse_decimal(text, 8).unwrap()
}

fn moment(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap_or_else(|| panic!("{value} is no time")).parse().unwrap()
}

#[test]
fn one_command_places_fills_and_closes_an_order_without_keys_or_settings() {
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let run = tradewind_in(dir.path(), &["doctor", "--trade", "-o", "json"]).ended_with(0);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(run.err, "", "it has nothing to say to a person");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it leaves nothing behind");

    let trial = run.json();
    assert_eq!((&trial["ok"], &trial["origin"], &trial["data_dir"]), (&true.into(), &"simulated".into(), &Value::Null));
    assert_eq!((&trial["symbol"], &trial["journal"]), (&"BTC/USDT".into(), &"verified".into()));
    assert!(trial["events"].as_u64().unwrap() > 10 && trial["milliseconds"].as_u64().unwrap() < 10_000, "{trial}");
    let (order, fill, close) = (&trial["order"], &trial["fill"], &trial["close"]);
    assert_eq!((&order["side"], &fill["side"], &close["side"]), (&"buy".into(), &"buy".into(), &"sell".into()));
    assert_eq!((&order["client_id"], &order["quantity"]), (&fill["client_id"], &fill["quantity"]));
    assert_ne!(fill["client_id"], close["client_id"]);
    assert!(units(&fill["price"]) <= units(&order["worst"]), "the gate bounds what a market order may cost: {trial}");
    for it in [fill, close] {
        assert!(
            units(&it["price"]).abs_diff(units(&order["mark"])) < units(&order["mark"]).unsigned_abs() / 50,
            "{it}"
        );
        assert!(it["milliseconds"].is_u64(), "{it}");
    }
    let took = |from: &Value, to: &Value| moment(&to["at"]).duration_since(moment(&from["at"])).as_millis();
    assert_eq!(took(order, fill), i128::from(fill["milliseconds"].as_u64().unwrap()), "one clock: {trial}");
    assert!(took(fill, close) >= 0, "{trial}");
    assert!(moment(&fill["market_at"]) <= moment(&close["market_at"]), "{trial}");
    assert!(units(&close["fees"]["USDT"]) > 0, "{close}");

    // the venue keeps its fee of what was bought; what is too little for another order stays
    let bought = units(&fill["quantity"]) - units(&fill["fees"]["BTC"]);
    let left = &trial["position"];
    assert_eq!(bought - units(&close["quantity"]), units(&left["quantity"]), "{trial}");
    assert_eq!(left["dust"], units(&left["quantity"]) != 0, "{trial}");
}

#[test]
fn a_named_directory_keeps_the_journal_of_a_trial_and_none_is_ever_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("kept");
    let place = text(&kept);
    let run = tradewind(&["doctor", "--trade", "--data-dir", place]).ended_with(0);
    run.is_calm();
    for part in ["BTC/USDT", "simulated market", "fill", "close", "verified", "tradewind journal show"] {
        assert!(run.out.contains(part), "no `{part}`: {}", run.out);
    }
    assert_eq!(tradewind(&["replay", place, "-o", "json"]).ended_with(0).json()["matches"], true);
    tradewind(&["audit", "verify", place]).ended_with(0);

    tradewind(&["doctor", "--trade", "--data-dir", place]).failed_with(1, "CLI-18");
    assert!(!kept.join("earlier").exists());
    let both = tradewind(&["doctor", "--trade", "--config", "tradewind.toml"]).ended_with(2);
    assert!(both.err.contains("--config"), "{}", both.err);
}

#[test]
fn a_trial_that_is_interrupted_as_its_folder_appears_leaves_neither_that_nor_the_lock_of_its_key() {
    let temporary = tempfile::tempdir().unwrap();
    let left = || std::fs::read_dir(temporary.path()).unwrap().count();
    let environment = [("TMPDIR", text(temporary.path())), ("XDG_RUNTIME_DIR", "")];
    tradewind_with(&["doctor", "--trade"], &environment).ended_with(0).is_calm();
    assert_eq!(left(), 0, "after a trade that went through");

    let trial = Running::start_with(&["doctor", "--trade"], &environment);
    let began = Instant::now();
    while left() == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "no folder appears");
        std::thread::yield_now();
    }
    trial.signal("INT");
    let run = trial.end().0.ended_with(130);
    assert!(run.err.contains("CLI-12"), "{}", run.err);
    assert_eq!(left(), 0, "{:?}", std::fs::read_dir(temporary.path()).unwrap().collect::<Vec<_>>());
}

#[test]
fn a_trial_that_cannot_write_says_so() {
    let run = tradewind(&["doctor", "--trade", "--data-dir", "/proc/nothing"]).ended_with(1);
    run.is_calm();
    assert_eq!(run.out, "");
    assert!(run.err.contains("the start of the node: ") && run.err.contains("/proc/nothing"), "{}", run.err);
    assert!(run.err.contains("\n  hint: "), "{}", run.err);
}
