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
        AppendError::Storage(fault) | AppendError::SyncFailed(fault) => Some(fault.kind),
        AppendError::TooLarge { .. } | AppendError::Poisoned { .. } => None,
    }
}

#[test]
fn a_fault_at_every_operation_is_named_and_loses_nothing_acknowledged() {
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
fn a_failed_sync_poisons_the_journal_for_good() {
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
fn a_full_disk_refuses_the_record_and_goes_on_once_there_is_space() {
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
fn a_full_disk_can_be_reopened_and_refuses_again() {
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
fn a_read_only_disk_is_refused_by_name_and_can_still_be_read() {
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
