//! A disk that fills, fails or turns read-only under the writer.

use tradewind_journal::{AppendError, Crash, Fault, FaultKind, Journal, OpenError, SimStorage, StorageFault};

use crate::support::{SMALL, append_groups, check_records, check_sound_prefix, open, payload, written};

/// Appends and syncs one record at a time, up to `records`; gives the first error and what was acknowledged.
fn write_until_error(disk: &SimStorage, records: u64) -> (u64, Option<(Journal<SimStorage>, AppendError)>) {
    let Ok((mut journal, _)) = Journal::open_storage(disk.clone(), SMALL) else { return (0, None) };
    while journal.synced_seq() < records {
        let next = payload(journal.synced_seq() + 1);
        if let Err(error) = journal.append(&next).and_then(|_| journal.sync()) {
            return (journal.synced_seq(), Some((journal, error)));
        }
    }
    (records, None)
}

fn fault_kind(error: &AppendError) -> Option<FaultKind> {
    match error {
        AppendError::Storage(fault) | AppendError::SyncFailed(fault) | AppendError::NoRoom(fault) => Some(fault.kind),
        AppendError::TooLarge { .. } | AppendError::Poisoned { .. } => None,
    }
}

#[test]
fn g06_a_fault_at_every_operation_is_named_and_loses_nothing_acknowledged() {
    let disk = SimStorage::new();
    write_until_error(&disk, 40);
    let kinds = [(Fault::Full, FaultKind::Full), (Fault::Io, FaultKind::Io), (Fault::ReadOnly, FaultKind::ReadOnly)];
    for at in 0..disk.operations() {
        for (fault, kind) in kinds {
            for how in [Crash::LoseUnsynced, Crash::KeepUnsynced] {
                let disk = SimStorage::new();
                disk.fail_at(at, fault);
                let (acknowledged, failed) = write_until_error(&disk, 40);
                if let Some((_journal, error)) = failed {
                    assert_eq!(fault_kind(&error), Some(kind), "{error}");
                    assert!(!error.hint().is_empty());
                }
                let recovery = check_sound_prefix(&disk.crash(how), acknowledged, acknowledged + 1);
                assert!(!recovery.cut.is_some_and(|cut| cut.acknowledged));
            }
        }
    }
}

#[test]
fn g05_a_failed_sync_poisons_the_journal_for_good() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[2]);
    journal.append(&payload(3)).unwrap();
    disk.fail_at(disk.operations() + 1, Fault::Io); // the write passes, the sync does not
    let error = journal.sync().unwrap_err();
    assert_eq!(error.code(), "JRN-09");
    for _ in 0..3 {
        assert_eq!(journal.sync().unwrap_err().code(), "JRN-10"); // the disk would now claim success
        assert_eq!(journal.append(b"more").unwrap_err().code(), "JRN-10");
        let refused = journal.permit(b"intent", ()).unwrap_err();
        assert_eq!(refused.to_string(), "the journal was poisoned by an earlier failure (JRN-09)");
    }
    assert_eq!(journal.synced_seq(), 2);
    check_sound_prefix(&disk.crash(Crash::KeepUnsynced), 2, 3);
}

#[test]
fn g04_a_full_disk_refuses_the_record_and_goes_on_once_there_is_space() {
    let disk = SimStorage::new();
    disk.set_space(Some(2048));
    let (acknowledged, failed) = write_until_error(&disk, 1000);
    let (mut journal, error) = failed.expect("the disk is full");
    assert_eq!((error.code(), error.to_string()), ("JRN-05", "could not create next.spare".to_owned()));
    assert_eq!(
        error.hint(),
        "free space on the journal's disk (or raise the quota or `ulimit -f`), then try again or reopen; acknowledged \
         records are safe"
    );
    check_records(&disk, 1, acknowledged);
    disk.set_space(None);
    append_groups(&mut journal, &[1, 1]);
    drop(journal);
    check_sound_prefix(&disk, acknowledged + 2, acknowledged + 2);
}

#[test]
fn g04_a_full_disk_can_be_reopened_and_refuses_again() {
    let disk = SimStorage::new();
    disk.set_space(Some(2048));
    let (acknowledged, _) = write_until_error(&disk, 1000);
    let (again, failed) = write_until_error(&disk, 1000);
    assert_eq!(again, acknowledged);
    assert_eq!(failed.expect("still full").1.code(), "JRN-05");
    let empty = SimStorage::new();
    empty.set_space(Some(100));
    let Err(error) = Journal::open_storage(empty, SMALL) else { panic!("opened without space") };
    assert_eq!(error.code(), "JRN-05");
}

#[test]
fn g04_a_read_only_disk_is_refused_by_name_and_can_still_be_read() {
    let disk = written(&[5]);
    disk.set_read_only(true);
    let Err(error @ OpenError::Read(_)) = Journal::open_storage(disk.clone(), SMALL) else { panic!("opened") };
    assert_eq!(error.code(), "JRN-06");
    assert_eq!(error.to_string(), "could not lock the journal's directory");
    check_records(&disk, 1, 5);
}

#[test]
fn a_snapshot_that_fails_leaves_the_journal_and_the_older_snapshot_as_they_were() {
    for at in 0..4 {
        for fault in [Fault::Full, Fault::Io, Fault::ReadOnly] {
            let disk = SimStorage::new();
            let (mut journal, _) = open(&disk);
            append_groups(&mut journal, &[5]);
            journal.write_snapshot(3, b"three").unwrap();
            disk.fail_at(disk.operations() + at, fault);
            let error = journal.write_snapshot(5, b"five").unwrap_err();
            assert!(matches!(error, tradewind_journal::SnapshotError::Storage(StorageFault { .. })));
            append_groups(&mut journal, &[1]);
            let latest = tradewind_journal::latest_snapshot_storage(&disk).unwrap().unwrap();
            assert_eq!((latest.seq, &latest.bytes[..]), (3, &b"three"[..]));
        }
    }
}

/// Segments that keep something back.
const ROOMY: tradewind_journal::Options =
    tradewind_journal::Options { segment_bytes: 16 << 10, first_segment_bytes: 16 << 10, prepare_in_background: false };

#[test]
fn g04_a_full_disk_leaves_room_for_what_may_not_wait() {
    let disk = SimStorage::new();
    disk.set_space(Some(16 << 10));
    let (mut journal, _) = Journal::open_storage(disk.clone(), ROOMY).unwrap();
    let record = |seq: u64| payload(seq);
    let refused = loop {
        match journal.append(&record(journal.last_seq() + 1)).and_then(|_| journal.sync()) {
            Ok(_) => (),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::NoRoom(_)), "{refused}");
    assert_eq!((refused.code(), refused.to_string().as_str()), ("JRN-05", "there is room for vital records only"));
    let ordinary = journal.synced_seq();
    let mut vital = 0;
    let full = loop {
        assert!(matches!(
            journal.append(&record(journal.last_seq() + 1)),
            Err(AppendError::NoRoom(_)) | Err(AppendError::Storage(_))
        ));
        match journal.append_vital(&record(journal.last_seq() + 1)).and_then(|_| journal.sync()) {
            Ok(_) => vital += 1,
            Err(error) => break error,
        }
    };
    assert!((20..40).contains(&vital), "{vital} records of some 130 bytes in 4 KiB");
    assert!(matches!(full, AppendError::Storage(_)) && full.code() == "JRN-05", "{full}");
    check_records(&disk, 1, ordinary + vital);
    disk.set_space(None);
    append_groups(&mut journal, &[1, 1]); // and on in the next segment
    drop(journal);
    check_records(&disk, 1, ordinary + vital + 2);
    assert!(tradewind_journal::verify_storage(&disk).unwrap().is_sound());
}

#[test]
fn g04_a_permit_is_given_out_of_the_reserve() {
    let disk = SimStorage::new();
    disk.set_space(Some(16 << 10));
    let (mut journal, _) = Journal::open_storage(disk.clone(), ROOMY).unwrap();
    while journal.append(&payload(journal.last_seq() + 1)).is_ok() {}
    let cause = journal.append_vital(b"a cancel is wished for").unwrap();
    let permit = journal.permit(b"the cancel's bytes", "cancel").unwrap();
    assert_eq!((permit.seq(), journal.synced_seq()), (cause + 1, cause + 1));
}

#[test]
fn g04_a_disk_that_fills_up_is_told_half_a_segment_before() {
    let disk = SimStorage::new();
    disk.set_space(Some(16 << 10));
    let options = tradewind_journal::Options { prepare_in_background: true, ..ROOMY };
    let (mut journal, _) = Journal::open_storage(disk.clone(), options).unwrap();
    assert!(journal.space_warning().is_none());
    while journal.synced_seq() < 45 {
        journal.append(&payload(journal.last_seq() + 1)).unwrap();
        journal.sync().unwrap();
    }
    let warned = |journal: &mut Journal<SimStorage>| loop {
        match journal.space_warning() {
            Some(fault) => break fault,
            None => std::thread::yield_now(), // the preparing thread is on its way
        }
    };
    assert_eq!(warned(&mut journal).code(), "JRN-05");
    disk.set_space(None);
    for _ in 0..200 {
        journal.append(&payload(journal.last_seq() + 1)).unwrap(); // tried again, and made
        journal.sync().unwrap();
        assert!(journal.space_warning().is_none());
    }
}
