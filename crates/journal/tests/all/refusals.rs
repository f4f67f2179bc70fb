//! Every refusal has a code that stays and says what to do; and what a watcher can ask of a writer.

use std::sync::atomic::Ordering;
use tradewind_journal::{
    AppendError, BackupError, CODES, Flaw, Journal, OpenError, Options, ReadError, Reader, RetainError, SimStorage,
    SnapshotError, backup, latest_snapshot, verify,
};

use crate::support::{SMALL, append_groups, open, payload, segments, written};

/// The code stands in the list, with this hint.
fn check(code: &str, hint: &str) {
    let listed = CODES.iter().find(|(it, ..)| *it == code).unwrap_or_else(|| panic!("{code} is not listed"));
    assert_eq!((listed.2, hint.is_empty()), (hint, false), "{code}");
}

#[test]
fn every_refusal_has_its_code_and_says_what_to_do() {
    let read = [
        ReadError::Newer { name: "a".to_owned(), version: 9 },
        ReadError::Missing { from: 1, to: 2 },
        ReadError::Removed { asked: 1, oldest: 2 },
    ];
    read.iter().for_each(|error| check(error.code(), error.hint()));
    let open = [OpenError::Locked { holder: None }, OpenError::Read(ReadError::Missing { from: 1, to: 2 })];
    open.iter().for_each(|error| check(error.code(), error.hint()));
    assert!(open[0].to_string().ends_with("another process"));
    let append = [AppendError::TooLarge { bytes: 1 << 30 }, AppendError::Poisoned { cause: "JRN-07" }];
    append.iter().for_each(|error| check(error.code(), error.hint()));
    let snapshot = SnapshotError::NotSynced { seq: 2, synced: 1 };
    check(snapshot.code(), snapshot.hint());
    let retain = [RetainError::NoSnapshot, RetainError::Read(ReadError::Missing { from: 1, to: 2 })];
    retain.iter().for_each(|error| check(error.code(), error.hint()));
    let backup =
        [BackupError::NotEmpty { name: "a".to_owned() }, BackupError::Read(ReadError::Removed { asked: 1, oldest: 2 })];
    backup.iter().for_each(|error| check(error.code(), error.hint()));
    for flaw in [Flaw::Header, Flaw::Record, Flaw::Chain, Flaw::Tail, Flaw::Truncated, Flaw::Snapshot] {
        assert!(flaw.to_string().len() > 20, "{flaw:?}");
    }
}

#[test]
fn faults_of_the_disk_carry_code_and_hint_through_every_operation() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[3]);
    disk.set_read_only(true);
    let snapshot = journal.write_snapshot(3, b"state").unwrap_err();
    check(snapshot.code(), snapshot.hint());
    assert_eq!(snapshot.code(), "JRN-06");
    let append = journal.append(&payload(4)).and_then(|_| journal.sync()).unwrap_err();
    check(append.code(), append.hint());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    std::fs::write(&file, b"").unwrap();
    let error = verify(&file).unwrap_err();
    check(error.code(), error.hint());
    let error = latest_snapshot(&file).unwrap_err();
    check(error.code(), error.hint());
    let error = Reader::open(&file, 1).err().unwrap();
    check(error.code(), error.hint());
    let error = backup(&file, dir.path().join("copy")).unwrap_err();
    check(error.code(), error.hint());
}

#[test]
fn a_backup_into_a_directory_with_files_is_refused() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    append_groups(&mut Journal::open(from.path(), SMALL).unwrap().0, &[3, 40]);
    std::fs::write(to.path().join("mine"), b"").unwrap();
    let error = backup(from.path(), to.path()).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("mine")), ("JRN-13", true), "{error}");
    let report = backup(from.path(), to.path().join("new")).unwrap();
    assert_eq!((report.records, verify(to.path().join("new")).unwrap().chain), (43, report.chain));
}

#[test]
fn a_writer_says_whether_it_waits_for_the_disk_and_whether_it_has_room() {
    let disk = SimStorage::new();
    let options = Options { segment_bytes: 16 << 10, first_segment_bytes: 16 << 10, prepare_in_background: false };
    let (mut journal, _) = Journal::open_storage(disk.clone(), options).unwrap();
    let on_disk = journal.on_disk();
    append_groups(&mut journal, &[5]);
    assert!(!on_disk.load(Ordering::SeqCst) && journal.has_room());
    disk.set_space(Some(16 << 10));
    while journal.append(&payload(journal.last_seq() + 1)).is_ok() {}
    assert!(!journal.has_room(), "the disk is full");
    disk.set_space(None);
    assert!(journal.has_room() && segments(&disk).len() == 2, "the next segment is there");
    append_groups(&mut journal, &[1]);
    disk.fail_at(disk.operations(), tradewind_journal::Fault::Io);
    journal.append(&payload(journal.last_seq() + 1)).unwrap();
    assert!(journal.sync().is_err() && !journal.has_room(), "a poisoned journal has none");
}

#[test]
fn a_log_of_which_a_segment_is_missing_cannot_be_read_across_it() {
    let disk = written(&[10, 10, 10, 10, 10, 10]);
    let names = segments(&disk);
    assert!(names.len() >= 3);
    tradewind_journal::Storage::remove(&disk, &names[1]).unwrap();
    let mut reader = Reader::open_storage(disk, 1).unwrap();
    let error = loop {
        match reader.next() {
            Ok(Some(_)) => (),
            Ok(None) => panic!("the gap was not seen"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "JRN-04", "{error}");
}
