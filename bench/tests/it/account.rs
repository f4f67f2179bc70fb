use crate::{folder, run, text};
use serde_json::json;

#[test]
fn the_judged_account_holds_a_hundred_positions_and_a_thousand_open_orders() {
    let line = run(env!("CARGO_BIN_EXE_gate"), &["5"]);
    assert_eq!((&line["positions"], &line["open_orders"]), (&json!(100), &json!(1_000)), "{line}");
    assert_eq!((&line["rounds"], &line["var_method"]), (&json!(5), &json!("historical")), "{line}");
}

#[test]
fn a_start_folds_the_whole_tail_and_the_next_one_only_what_follows_the_snapshot() {
    let line = run(env!("CARGO_BIN_EXE_recovery"), &[text(&folder("recovery")), "300"]);
    assert_eq!(line["records"], json!(300), "{line}");
    assert!(line["folded_after_snapshot"].as_u64().unwrap() < 300, "{line}");
}
