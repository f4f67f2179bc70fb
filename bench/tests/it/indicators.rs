//! Indicators over whole arrays and value by value.

use crate::run;
use serde_json::json;

const INDICATORS: &str = env!("CARGO_BIN_EXE_indicators");

#[test]
fn a_value_a_bar_ends_where_the_whole_array_ends() {
    let [batch, stream] = ["batch", "stream"].map(|mode| run(INDICATORS, &[mode, "3000"]));
    assert_eq!((&batch["points"], &stream["points"]), (&json!(3_000), &json!(3_000)));
    for name in ["rsi", "macd", "bbands", "atr", "adx"] {
        let last = &batch[format!("{name}_last")];
        assert!(last.is_f64(), "{name} ends with {last}");
        assert_eq!(last, &stream[format!("stream_{name}_last")], "{name}");
    }
    assert!(stream["stream_all5_last"].is_f64(), "{stream}");
}
