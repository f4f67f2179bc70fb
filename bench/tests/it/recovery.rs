//! How long a start takes: what it folds.

use crate::{folder, run, text};
use serde_json::json;

#[test]
fn a_start_folds_the_whole_tail_and_the_next_one_only_what_follows_the_snapshot() {
    let line = run(env!("CARGO_BIN_EXE_recovery"), &[text(&folder("recovery")), "300"]);
    assert_eq!(line["records"], json!(300), "{line}");
    assert!(line["folded_after_snapshot"].as_u64().unwrap() < 300, "{line}");
}
