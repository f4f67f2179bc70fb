//! Ctrl-C, a polite kill, a reader that has seen enough.

use crate::support::{Running, shell, text, tradewind, wait_until, waves};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
fn g13_a_polite_kill_while_orders_come_in_ends_in_order_and_takes_off_what_adds() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    let mut process = Running::start(&["paper", "--data-dir", place, "-o", "json"]);
    process.until("ready in");
    let price = below_the_market(place);
    let going = Arc::new(AtomicBool::new(true));
    let crowd = [0; 4].map(|_| {
        let (place, price, going) = (place.to_owned(), price.clone(), going.clone());
        std::thread::spawn(move || {
            while going.load(Ordering::SeqCst) {
                tradewind(&buy(&place, &price)); // some are refused: they come too fast
            }
        })
    });
    while orders(dir.path()) < 3 {
        std::thread::sleep(Duration::from_millis(20));
    }
    process.signal("TERM");
    let (run, took) = process.end();
    run.is_calm();
    assert!(took < IN_ORDER, "{took:?}");
    run.ended_with(0);
    going.store(false, Ordering::SeqCst);
    crowd.into_iter().for_each(|it| it.join().unwrap());
    tradewind(&["journal", "verify", place]).ended_with(0);
    assert_eq!(tradewind(&["replay", place, "-o", "json"]).ended_with(0).json()["matches"], true);
    let shown = tradewind(&["journal", "show", place, "-o", "json"]).ended_with(0).out;
    let count = |kind: &str| shown.matches(&format!("\"type\":\"{kind}\"")).count();
    assert!(count("accepted") >= 3 && count("cancelled") >= 3, "what adds is taken off the book");
    assert_eq!(count("stopped"), 1);
}

fn buy<'a>(place: &'a str, price: &'a str) -> Vec<&'a str> {
    let words = "order place --symbol BTC/USDT --side buy --quantity 0.001 --price";
    words.split(' ').chain([price, "--data-dir", place]).collect()
}

/// A price at which an order rests.
fn below_the_market(place: &str) -> String {
    let status = tradewind(&["status", "--data-dir", place, "-o", "json"]).ended_with(0).json();
    let mark: f64 = status["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    format!("{:.0}", mark * 0.97)
}

fn orders(data: &std::path::Path) -> usize {
    let listed = tradewind(&["order", "list", "--data-dir", text(data), "-o", "json"]).ended_with(0).json();
    listed.as_array().unwrap().len()
}

#[test]
fn g13_a_node_whose_parent_is_gone_goes_on_and_ends_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    // the shell that started it ends at once, and with it whoever read what it says
    let run = shell(&format!("\"$0\" paper --data-dir '{place}' -o json > /dev/null 2>&1 & echo $!")).ended_with(0);
    let id = run.out.trim().to_owned();
    let is_up = || tradewind(&["status", "--data-dir", place]).code == Some(0);
    wait_until(20, "it does not come up", is_up);
    tradewind(&buy(place, &below_the_market(place))).ended_with(0);
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    wait_until(5, "it does not end", || !is_up());
    let replay = || tradewind(&["replay", place, "-o", "json"]);
    assert_eq!(replay().ended_with(0).json()["matches"], true);
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

#[test]
fn a_node_outlives_whoever_read_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    let node = format!("\"$0\" paper --data-dir '{place}' --for 2s --log trace; echo $? > '{place}/code'");
    shell(&format!("({node}) 2>&1 >/dev/null | head -n 1")).ended_with(0);
    assert_eq!(std::fs::read_to_string(dir.path().join("code")).unwrap(), "0\n");
    tradewind(&["journal", "verify", place]).ended_with(0);
}

#[test]
fn a_market_that_begins_anew_trades_again_and_leaves_the_earlier_run_whole() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    for _ in 0..2 {
        let demo = tradewind(&["demo", "--for", "4s", "--seed", "7", "--data-dir", place, "-o", "json"]).ended_with(0);
        assert!(demo.json()["fills"].as_u64().unwrap() > 0, "{}\n{}", demo.out, demo.err);
    }
    let earlier: Vec<_> = std::fs::read_dir(dir.path().join("earlier")).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(earlier.len(), 1, "{earlier:?}");
    for place in [place, text(&earlier[0])] {
        tradewind(&["audit", "verify", place]).ended_with(0);
        assert_eq!(tradewind(&["replay", place, "-o", "json"]).ended_with(0).json()["matches"], true, "{place}");
    }
}

#[test]
fn an_interrupted_storm_tells_what_came_of_the_storms_that_ran() {
    let mut storm = Running::start(&["storm", "--seeds", "1..100000", "--hours", "0.05", "-o", "json"]);
    storm.until("99999 storms");
    storm.signal("INT");
    let run = storm.end().0.ended_with(130);
    let seeds = run.json()["seeds"].as_u64().unwrap();
    assert!(seeds < 99_999 && run.json()["failed"] == 0, "{}", run.out); // on a busy machine perhaps none
    assert!(run.err.contains(&format!("the result is of {seeds} of 99999 storms")), "{}", run.err);
}

#[test]
fn a_node_that_does_not_answer_keeps_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    let mut first = Running::start(&["paper", "--data-dir", place, "-o", "json"]);
    first.until("ready in");
    first.signal("STOP");
    for second in ["paper", "demo"] {
        tradewind(&[second, "--data-dir", place, "--for", "1s"]).failed_with(1, "JRN-01");
    }
    assert!(!dir.path().join("earlier").exists());
    first.signal("CONT");
    first.signal("INT");
    first.end().0.ended_with(0);
    tradewind(&["journal", "verify", place]).ended_with(0);
}
