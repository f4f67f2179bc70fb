//! Logs that are wrong as a whole: headers that do not follow, snapshots without their log, a second writer.

use sha2::{Digest, Sha256};
use tradewind_journal::{
    Flaw, Journal, OpenError, ReadError, Reader, SimStorage, Storage, backup_storage, verify_storage,
};

use crate::support::{SMALL, append_groups, frames, open, segments, written};

/// The code with which opening refuses.
fn refused(disk: &SimStorage) -> &'static str {
    Journal::open_storage(disk.clone(), SMALL).map(|_| ()).unwrap_err().code()
}

/// Changes a segment's header and computes its sum anew, as a forger would.
fn forge_header(disk: &SimStorage, name: &str, change: impl FnOnce(&mut [u8])) {
    let mut bytes = disk.bytes(name).unwrap();
    change(&mut bytes[..64]);
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..64]);
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    disk.set_bytes(name, bytes);
}

#[test]
fn a_second_writer_on_one_disk_is_refused() {
    let disk = SimStorage::new();
    let (journal, _) = open(&disk);
    let second = Journal::open_storage(disk.clone(), SMALL).map(|_| ()).unwrap_err();
    assert!(matches!(second, OpenError::Locked { holder: None }), "{second}");
    drop(journal);
    assert!(Journal::open_storage(disk, SMALL).is_ok());
}

#[test]
fn snapshots_whose_log_is_gone_are_refused_by_everybody() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[10, 10]);
    journal.write_snapshot(20, b"twenty").unwrap();
    drop(journal);
    segments(&disk).iter().for_each(|name| disk.remove(name).unwrap());
    assert_eq!(refused(&disk), "JRN-04");
    let report = verify_storage(&disk).unwrap();
    assert_eq!((report.is_sound(), report.records), (false, 0));
    assert_eq!(backup_storage(&disk, &SimStorage::new()).unwrap_err().code(), "JRN-03");
    assert!(segments(&disk).is_empty(), "and nothing new is begun over them");
}

#[test]
fn nothing_is_retained_while_the_newest_snapshot_does_not_read() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[40]);
    journal.write_snapshot(30, b"thirty").unwrap();
    journal.write_snapshot(40, b"forty").unwrap();
    let name = "00000000000000000040.snap";
    let mut bytes = disk.bytes(name).unwrap();
    bytes[0] ^= 1;
    disk.set_bytes(name, bytes);
    assert_eq!(journal.retain_from_snapshot().unwrap_err().code(), "JRN-12");
}

#[test]
fn g10_a_snapshot_of_a_newer_format_is_refused_and_says_so() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[10]);
    journal.write_snapshot(10, b"ten").unwrap();
    drop(journal);
    let name = "00000000000000000010.snap";
    let mut bytes = disk.bytes(name).unwrap();
    bytes[8] = 2;
    let sum: [u8; 32] = Sha256::new().chain_update(&bytes[..72]).chain_update(&bytes[104..]).finalize().into();
    bytes[72..104].copy_from_slice(&sum);
    disk.set_bytes(name, bytes);
    let error = verify_storage(&disk).unwrap_err();
    assert_eq!(error.to_string(), format!("{name} has format version 2, this program reads up to 1"));
    assert!(matches!(error, ReadError::Newer { version: 2, .. }));
    assert_eq!(refused(&disk), "JRN-02");
}

#[test]
fn a_segment_that_does_not_go_on_where_the_last_one_ended_is_named() {
    let whole = written(&[10, 10, 10, 10, 10, 10]);
    let second = segments(&whole)[1].clone();
    let flaw = |change: &dyn Fn(&mut [u8])| {
        let disk = whole.copy();
        forge_header(&disk, &second, change);
        let report = verify_storage(&disk).unwrap();
        let damage = report.first_bad.expect("it does not verify");
        assert_eq!((damage.segment.as_str(), damage.offset), (second.as_str(), 0));
        damage.flaw
    };
    assert_eq!(flaw(&|header| header[32] ^= 1), Flaw::Chain, "another log's chain");
    assert_eq!(flaw(&|header| header[8] = 0), Flaw::Header, "no version is version 0");
    assert!(verify_storage(&whole).unwrap().is_sound());
}

#[test]
fn a_reader_takes_a_torn_tail_for_the_end_and_says_where_it_begins() {
    let disk = written(&[3]);
    let name = segments(&disk).remove(0);
    let torn = |disk: &SimStorage| {
        let mut reader = Reader::open_storage(disk.clone(), 1).unwrap();
        let mut records = 0;
        while reader.next().unwrap().is_some() {
            records += 1;
        }
        (records, reader.torn_tail().map(|damage| (damage.offset, damage.flaw)))
    };
    assert_eq!(torn(&disk), (3, None));
    let mut bytes = disk.bytes(&name).unwrap();
    let end = frames(&bytes).last().unwrap().end();
    bytes[end + 3] = 7;
    disk.set_bytes(&name, bytes);
    assert_eq!(torn(&disk), (3, Some((end as u64, Flaw::Tail))));
}
