//! What holdings may lose, as the program says it.

use crate::support::{recording, text, tradewind, waves};

#[test]
fn holdings_have_figures_by_every_method_and_each_its_part() {
    let path = |name: &str| recording("risk", &format!("ohlcv/crypto/binance-spot-1h/{name}_USDT-1h.feather"));
    let (Some(btc), Some(eth)) = (path("BTC"), path("ETH")) else { return };
    let (btc, eth) = (format!("{}=6000", text(&btc)), format!("{}=-2500", text(&eth)));
    let command = ["risk", "--hold", &btc, "--hold", &eth, "--confidence", "99", "--accept-defects", "-o", "json"];
    let told = tradewind(&command).ended_with(0).json();
    let methods = told["methods"].as_array().unwrap();
    assert_eq!(methods.len(), 4, "{told}");
    for it in methods {
        let (var, cvar) = (it["var"].as_f64().unwrap(), it["cvar"].as_f64().unwrap());
        assert!(0.0 < var && var <= cvar && cvar < 6_000.0, "{it}");
    }
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
