//! What the log shows, and what it never does.

use crate::standby::Pair;
use crate::support::{text, tradewind_with, wait_until};

#[test]
fn no_level_of_the_log_shows_the_key_or_a_signed_request() {
    for (level, wish) in [("trace", None), ("warn", Some("trace,tungstenite::protocol=trace"))] {
        let pair = Pair::new();
        let (file, data) = (text(&pair.file), text(&pair.data));
        let args = ["paper", "--config", file, "--data-dir", data, "--for", "50s", "--log", level];
        let mut environment = pair.exchange.keys().to_vec();
        environment.extend(wish.map(|wish| ("RUST_LOG", wish)));
        let run = std::thread::scope(|scope| {
            let node = scope.spawn(|| tradewind_with(&args, &environment)); // its log is read while it writes
            wait_until(20, "it does not come up", || pair.ask(&["status"]).code == Some(0));
            let order = ["order", "place", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.001"];
            pair.ask(&order).ended_with(0);
            wait_until(20, "the order does not fill", || pair.ask(&["status"]).json()["counters"]["fills"] != 0);
            pair.ask(&["stop"]).ended_with(0);
            node.join().unwrap().ended_with(0)
        });
        assert!(run.err.contains("tradewind_venues"), "the log is at work: {}", run.err);
        for secret in [pair.exchange.key.as_str(), &pair.exchange.secret, "\"signature\"", "signature="] {
            let shown = run.err.lines().find(|line| line.contains(secret));
            assert_eq!(shown, None, "`{secret}` at {level}, {wish:?}");
        }
    }
}
