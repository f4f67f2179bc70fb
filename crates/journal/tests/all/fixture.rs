//! Format version 1 is for ever: a directory that an earlier program wrote still opens, and is still written so.

use std::path::{Path, PathBuf};

use tradewind_journal::{Journal, Options, SimStorage, latest_snapshot, verify};

use crate::support::{append_groups, check_records, files, payload};

const OPTIONS: Options = Options { segment_bytes: 1536, first_segment_bytes: 1024, prepare_in_background: false };
/// Computed by a separate program from the crate's page.
const CHAIN: &str = "11dd23344362adb871b15c2ed882213ce49212e6997f4f3f303b024434bb9e95";

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1")
}

/// The files as this program writes them.
fn written_now() -> SimStorage {
    let disk = SimStorage::new();
    let (mut journal, _) = Journal::open_storage(disk.clone(), OPTIONS).unwrap();
    append_groups(&mut journal, &[1, 4, 7, 1]);
    journal.write_snapshot(12, &payload(12)).unwrap();
    append_groups(&mut journal, &[3]);
    drop(journal);
    disk
}

#[test]
#[ignore = "writes the fixture anew: only when a new format version begins"]
fn write_fixture() {
    std::fs::create_dir_all(fixture()).unwrap();
    for (name, bytes) in files(&written_now()) {
        std::fs::write(fixture().join(name), bytes).unwrap();
    }
}

#[test]
fn a_directory_of_version_1_still_opens() {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixture()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.records, report.snapshots, &report.first_bad), (16, 1, &None));
    assert_eq!(report.chain, CHAIN);
    let snapshot = latest_snapshot(dir.path()).unwrap().unwrap();
    assert_eq!((snapshot.seq, snapshot.bytes), (12, payload(12)));
    let (mut journal, recovery) = Journal::open(dir.path(), Options::default()).unwrap();
    assert_eq!((recovery.last_seq, recovery.cut), (16, None));
    append_groups(&mut journal, &[2, 40]);
    check_records(journal.storage(), 1, 58);
    assert!(verify(dir.path()).unwrap().is_sound());
}

#[test]
fn version_1_is_still_written_byte_for_byte() {
    for (name, bytes) in files(&written_now()) {
        assert!(std::fs::read(fixture().join(&name)).unwrap() == bytes, "{name} differs");
    }
}
