//! A strategy that quotes on ticks of a book.

use crate::{folder, run, text};
use serde_json::json;

const START: i64 = 1_704_067_200_000_000_000;
const MILLISECOND: i64 = 1_000_000;
const MID: i64 = 1_000_000;
const SELLS: i64 = 3;

/// Twenty levels a side, then two seconds in which only the last bid changes; meanwhile 600 lots are sold into the best
/// bid's 500.
#[test]
fn a_quote_waits_behind_the_lots_of_its_level_and_is_renewed_once_filled() {
    let mut rows = Vec::new();
    for away in 1..=20 {
        rows.extend([[START, 0, MID - away, 500], [START, 1, MID + away, 500]]);
    }
    for n in 1..=40 {
        let at = START + n * 50 * MILLISECOND;
        rows.push([at, 0, MID - 20, 500 + n]);
        if n == 20 || n == 21 {
            rows.push([at + MILLISECOND, SELLS, MID - 1, 300]);
        }
    }
    let file = folder("ticks").join("book.bin");
    std::fs::write(&file, rows.iter().flatten().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>()).unwrap();

    let line = run(env!("CARGO_BIN_EXE_ticks"), &[text(&file), "1"]);
    assert_eq!(line["events"], json!(82));
    assert_eq!((&line["quotes"], &line["sent"], &line["rejected"]), (&json!(3), &json!(3), &json!(0)), "{line}");
    assert_eq!((&line["fills"], &line["position_lots"]), (&json!(1), &json!(10)), "{line}");
    assert!(line["peak_kib"].as_u64().unwrap() > 0);
}
