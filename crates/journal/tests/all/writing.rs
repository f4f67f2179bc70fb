//! The ordinary day: append, sync, permit, replay, follow.

use tradewind_journal::{Journal, RECORD_BYTES_MAX, Reader, SimStorage, verify_storage};

use crate::support::{SMALL, append_groups, check_records, open, payload, segments, written};

#[test]
fn records_come_back_in_order_across_segments_and_reopenings() {
    let disk = SimStorage::new();
    for run in 0..5 {
        let (mut journal, recovery) = open(&disk);
        assert_eq!((recovery.last_seq, recovery.cut), (run * 20, None));
        append_groups(&mut journal, &[1, 7, 12]);
    }
    assert!(segments(&disk).len() > 3);
    check_records(&disk, 1, 100);
    let report = verify_storage(&disk).unwrap();
    assert_eq!((report.records, report.last_seq, report.first_bad), (100, 100, None));
    assert_eq!(report.bytes, (1..=100).map(|seq| payload(seq).len() as u64).sum::<u64>());
}

#[test]
fn replay_begins_at_any_record() {
    let disk = written(&[5, 30, 1, 25]);
    for first in 1..=62 {
        check_records(&disk, first, 61);
    }
}

#[test]
fn an_empty_directory_reads_as_an_empty_journal() {
    let disk = SimStorage::new();
    check_records(&disk, 1, 0);
    drop(open(&disk));
    check_records(&disk, 1, 0);
    assert_eq!(verify_storage(&disk).unwrap().records, 0);
}

#[test]
fn a_permit_is_given_once_its_intent_and_causes_are_synced() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    journal.append(&payload(1)).unwrap();
    assert_eq!(journal.synced_seq(), 0);
    let permit = journal.permit(&payload(2), "order").unwrap();
    assert_eq!((permit.seq(), *permit.get(), journal.synced_seq()), (2, "order", 2));
    assert_eq!(permit.into_inner(), "order");
    let disk = disk.crash(tradewind_journal::Crash::LoseUnsynced);
    check_records(&disk, 1, 2);
}

#[test]
fn a_record_may_be_larger_than_a_segment_but_not_larger_than_the_limit() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    let large = vec![7; 3 << 20];
    journal.append(b"small").unwrap();
    journal.append(&large).unwrap();
    journal.append(b"small again").unwrap();
    journal.sync().unwrap();
    let refused = journal.append(&vec![0; RECORD_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(refused.code(), "JRN-08");
    assert_eq!(journal.append(&vec![0; RECORD_BYTES_MAX]).unwrap(), 4);
    journal.sync().unwrap();
    drop(journal);
    let (_, recovery) = Journal::open_storage(disk.clone(), SMALL).unwrap();
    assert_eq!((recovery.last_seq, recovery.cut), (4, None));
    let mut reader = Reader::open_storage(disk, 2).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().payload, large);
}

#[test]
fn a_reader_follows_the_writer_across_segments() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    let mut reader = Reader::open_storage(disk, 1).unwrap();
    for seq in 1..=200 {
        assert!(reader.next().unwrap().is_none());
        append_groups(&mut journal, &[1]);
        let record = reader.next().unwrap().unwrap();
        assert_eq!((record.seq, record.payload), (seq, &payload(seq)[..]));
    }
}

#[test]
fn equal_records_in_equal_groups_give_equal_chains_and_other_groups_give_others() {
    let chain = |groups: &[u64]| verify_storage(&written(groups)).unwrap().chain;
    assert_eq!(chain(&[2, 3]), chain(&[2, 3]));
    assert_ne!(chain(&[2, 3]), chain(&[3, 2]));
}
