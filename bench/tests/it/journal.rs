//! Appends of records, one by one and in groups, and their replay.

use crate::{folder, run, text};
use serde_json::json;

const JOURNAL: &str = env!("CARGO_BIN_EXE_journal");

#[test]
fn each_append_begins_anew_in_its_folder_and_fits_one_segment() {
    let dir = folder("journal-append");
    for (n, group) in [("100", "1"), ("640", "64")] {
        let line = run(JOURNAL, &["append", text(&dir), n, "256", group]);
        assert_eq!(line["records"], json!(n.parse::<u64>().unwrap()), "{line}");
        assert_eq!((&line["verified"], &line["segments"]), (&json!(true), &json!(1)), "{line}");
        assert_eq!(line["group"], json!(group.parse::<u64>().unwrap()));
    }
    let line = run(JOURNAL, &["replay", text(&dir)]);
    assert_eq!((&line["records"], &line["bytes"]), (&json!(640), &json!(640 * 256)), "what was there before is gone");
}

/// Equal records cancel each other in `x`, so that an odd number of them leaves the sum of one.
#[test]
fn a_replay_that_sums_checks_each_record_as_the_others_do() {
    let dir = folder("journal-sum");
    let summed = |n: &str, size: &str, group: &str| {
        run(JOURNAL, &["append", text(&dir), n, size, group]);
        let line = run(JOURNAL, &["replay-sum", text(&dir)]);
        assert_eq!((&line["records"], &line["bad"]), (&json!(n.parse::<u64>().unwrap()), &json!(0)), "{line}");
        line["x"].clone()
    };
    let (three, five, four) = (summed("3", "256", "1"), summed("5", "256", "1"), summed("4", "256", "4"));
    assert_eq!((&three, &four), (&five, &json!(0)));
    assert_ne!(three, json!(0));
    assert_ne!(summed("2", "100", "2"), json!(0), "records that differ do not cancel each other");
}
