//! A journal of which a single byte was flipped, wherever it is.

use crate::support::{text, tradewind};
use std::path::{Path, PathBuf};

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == extension));
    files.sort();
    files
}

/// The last byte of the file that is not padding.
fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    tradewind(&["demo", "--for", "2s", "--data-dir", place]).ended_with(0);
    let journal = dir.path().join("journal");
    let mut tried = 0;
    for (path, spread) in [(&files(&journal, "seg")[0], 30), (&files(&journal, "snap")[0], 6)] {
        let whole = std::fs::read(path).unwrap();
        let end = used(&whole);
        let mut offsets: Vec<usize> = (0..spread).map(|step| step * (end - 1) / (spread - 1)).collect();
        if spread == 30 {
            // the magic, the version, the header's own sum, its numbers, the first frame, the last one, unused space
            offsets.extend([1, 8, 9, 11, 12, 17, 25, 33, 63, 64, 65, 70, end - 33, end, end + 1, whole.len() - 1]);
        }
        for offset in offsets {
            let mut bytes = whole.clone();
            bytes[offset] ^= 0x10;
            std::fs::write(path, &bytes).unwrap();
            check_damaged(place, offset);
            tried += 1;
        }
        std::fs::write(path, whole).unwrap();
    }
    assert!(tried >= 40, "{tried} offsets");
    tradewind(&["replay", place]).ended_with(0);
}

fn check_damaged(place: &str, offset: usize) {
    let replay = tradewind(&["replay", place, "-o", "json"]).ended_with(3);
    replay.is_calm();
    let value = replay.json();
    assert_eq!(value["matches"], false, "offset {offset}: {value}");
    assert!(value["first_difference"]["code"].as_str().is_some_and(|code| code.starts_with("JRN-")), "{value}");
    let verify = tradewind(&["journal", "verify", place, "-o", "json"]).ended_with(3);
    verify.is_calm();
    let value = verify.json();
    assert_eq!(value["verified"], false, "offset {offset}: {value}");
    assert!(value["code"].is_string() && value["damage"].is_string(), "offset {offset}: {value}");
}

#[test]
fn a_cut_journal_is_found_too() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    tradewind(&["demo", "--for", "2s", "--data-dir", place]).ended_with(0);
    let path = &files(&dir.path().join("journal"), "seg")[0];
    let whole = std::fs::read(path).unwrap();
    for length in [0, 10, 64, used(&whole) / 2, used(&whole) - 1] {
        std::fs::write(path, &whole[..length]).unwrap();
        check_damaged(place, length);
    }
}
