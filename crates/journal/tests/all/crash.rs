//! Power loss and death at every operation of a day's script, with every subset of what had not been synced.

use tradewind_journal::{Crash, Fault, Journal, OpenError, SimStorage, verify_storage};

use crate::support::{SMALL, check_records, check_sound_prefix, frames, open, payload, segments, written};

/// Groups, a snapshot, retention, rotation. Says how many records were acknowledged and appended when it ended.
fn run_script(disk: &SimStorage) -> (u64, u64) {
    let Ok((mut journal, _)) = Journal::open_storage(disk.clone(), SMALL) else { return (0, 0) };
    let mut synced = 0;
    for (n, records) in [1, 1, 3, 9, 1, 6, 2, 17, 1, 1].into_iter().enumerate() {
        for _ in 0..records {
            if journal.append(&payload(journal.last_seq() + 1)).is_err() {
                return (journal.synced_seq(), journal.last_seq());
            }
        }
        if journal.sync().is_err() {
            return (synced.max(journal.synced_seq()), journal.last_seq());
        }
        synced = journal.synced_seq();
        if n % 4 == 3 {
            let _ = journal.write_snapshot(synced - 1, &payload(synced));
        }
    }
    (synced, journal.last_seq())
}

/// After this crash at this operation, every acknowledged record is there and the rest is a prefix.
fn check_crash(at: u64, how: Crash) {
    let disk = SimStorage::new();
    disk.fail_at(at, Fault::Die);
    let (synced, appended) = run_script(&disk);
    let disk = disk.crash(how);
    let recovery = check_sound_prefix(&disk, synced, appended);
    let acknowledged = recovery.cut.is_some_and(|cut| cut.acknowledged);
    assert!(!acknowledged, "a torn write was taken for damage: operation {at}, {how:?}");
}

fn operations_of_script() -> u64 {
    let disk = SimStorage::new();
    assert_eq!(run_script(&disk), (42, 42));
    disk.operations()
}

#[test]
fn g02_after_a_crash_at_every_operation_all_that_was_acknowledged_is_there() {
    for at in 0..operations_of_script() {
        for how in [Crash::LoseUnsynced, Crash::KeepUnsynced] {
            check_crash(at, how);
        }
        for seed in 0..16 {
            check_crash(at, Crash::Seeded(seed));
        }
    }
}

#[test]
fn damage_to_synced_records_is_told_at_every_opening_until_it_is_recorded_wherever_one_ends() {
    let damaged = written(&[3, 1, 1]);
    let name = segments(&damaged).pop().unwrap();
    let mut bytes = damaged.bytes(&name).unwrap();
    let fourth = frames(&bytes).iter().find(|frame| frame.is_record && frame.seq == 4).unwrap().at;
    bytes[fourth + 30] ^= 1;
    damaged.set_bytes(&name, bytes);
    let whole = damaged.copy();
    assert!(open(&whole).1.damaged.unwrap().starts_with("synced records of the journal were damaged: "));
    for at in 0..whole.operations() {
        for how in [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Seeded(at)] {
            let disk = damaged.copy();
            disk.fail_at(at, Fault::Die);
            assert!(Journal::open_storage(disk.clone(), SMALL).is_err(), "operation {at}");
            let disk = disk.crash(how);
            assert!(open(&disk).1.damaged.is_some(), "operation {at}, {how:?}");
            let (mut journal, recovery) = open(&disk);
            assert!(recovery.cut.is_none() && recovery.damaged.is_some(), "the traces are gone, the word is not");
            journal.damage_recorded().unwrap();
            journal.damage_recorded().unwrap();
            drop(journal);
            assert_eq!(open(&disk.crash(Crash::LoseUnsynced)).1.damaged, None);
        }
    }
}

#[test]
fn g02_a_group_torn_at_every_byte_leaves_a_prefix() {
    for at in 0..operations_of_script() {
        let disk = SimStorage::new();
        disk.fail_at(at, Fault::Die);
        run_script(&disk);
        for bytes in 0..=disk.unsynced_bytes() {
            check_crash(at, Crash::KeepBytes(bytes));
        }
    }
}

#[test]
fn g02_a_group_of_which_any_sectors_arrived_leaves_a_prefix() {
    for at in 0..operations_of_script() {
        let disk = SimStorage::new();
        disk.fail_at(at, Fault::Die);
        run_script(&disk);
        let sectors = disk.unsynced_sectors().min(8);
        for mask in 0..1 << sectors {
            check_crash(at, Crash::KeepSectors(mask));
        }
    }
}

#[test]
fn g02_a_crash_during_recovery_does_no_more_harm_than_one_before() {
    for seed in 0..40 {
        for at in 0.. {
            let disk = SimStorage::new();
            disk.fail_at(60 + seed, Fault::Die);
            let (synced, appended) = run_script(&disk);
            let disk = disk.crash(Crash::Seeded(seed));
            let before = disk.operations();
            disk.fail_at(before + at, Fault::Die);
            let recovered = Journal::open_storage(disk.clone(), SMALL).is_ok();
            check_sound_prefix(&disk.crash(Crash::Seeded(seed * 31 + at)), synced, appended);
            if recovered {
                break;
            }
        }
    }
}

#[test]
fn a_disk_that_forgot_synced_records_is_refused_when_a_snapshot_knows_better() {
    let disk = SimStorage::new();
    let (mut journal, _) = crate::support::open(&disk);
    let name = crate::support::segments(&disk).remove(0);
    let empty = disk.bytes(&name).unwrap();
    crate::support::append_groups(&mut journal, &[3, 3]);
    journal.write_snapshot(6, b"six").unwrap();
    drop(journal);
    disk.set_bytes(&name, empty);
    let Err(OpenError::Read(error)) = Journal::open_storage(disk.clone(), SMALL) else { panic!("opened") };
    assert_eq!((error.code(), error.to_string()), ("JRN-04", "records 1 to 6 are missing".to_owned()));
    assert!(!verify_storage(&disk).unwrap().is_sound());
}

#[test]
fn unsynced_records_may_survive_a_process_but_never_out_of_order() {
    let disk = SimStorage::new();
    let (mut journal, _) = crate::support::open(&disk);
    crate::support::append_groups(&mut journal, &[4]);
    journal.append(&payload(5)).unwrap();
    drop(journal);
    check_records(&disk.crash(Crash::KeepUnsynced), 1, 4);
}
