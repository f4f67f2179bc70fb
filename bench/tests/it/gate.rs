//! The cost of one verdict: the account that is judged.

use crate::run;
use serde_json::json;

#[test]
fn the_judged_account_holds_a_hundred_positions_and_a_thousand_open_orders() {
    let line = run(env!("CARGO_BIN_EXE_gate"), &["5"]);
    assert_eq!((&line["positions"], &line["open_orders"]), (&json!(100), &json!(1_000)), "{line}");
    assert_eq!((&line["rounds"], &line["var_method"]), (&json!(5), &json!("historical")), "{line}");
}
