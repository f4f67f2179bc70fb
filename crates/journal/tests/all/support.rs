//! A small journal of known records, and a second reader of the format, written from the crate's page alone.

use std::collections::BTreeMap;

use tradewind_journal::{
    Journal, OpenError, Options, ReadError, Reader, Recovery, SimStorage, Storage, verify_storage,
};

/// Segments so small that a few dozen records fill several.
pub(crate) const SMALL: Options =
    Options { segment_bytes: 4096, first_segment_bytes: 2048, prepare_in_background: false };

/// The payload of record `seq`: every length from 0 up occurs, some end in zeros.
pub(crate) fn payload(seq: u64) -> Vec<u8> {
    let length = usize::try_from(seq * 37 % 211).unwrap();
    (0..length)
        .map(|at| if at + 3 > length && seq.is_multiple_of(2) { 0 } else { (seq as usize * 31 + at * 7) as u8 })
        .collect()
}

pub(crate) fn open<S: Storage>(storage: &S) -> (Journal<S>, Recovery) {
    loop {
        match Journal::open_storage(storage.clone(), SMALL) {
            // a process that another test starts holds every lock of this one from its fork to its exec
            Err(OpenError::Locked { holder: None }) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Appends groups of so many records each, synced.
pub(crate) fn append_groups<S: Storage>(journal: &mut Journal<S>, groups: &[u64]) {
    for &records in groups {
        for _ in 0..records {
            let seq = journal.last_seq() + 1;
            assert_eq!(journal.append(&payload(seq)).unwrap(), seq);
        }
        assert_eq!(journal.sync().unwrap(), journal.last_seq());
    }
}

/// A simulated disk with a closed journal of these groups.
pub(crate) fn written(groups: &[u64]) -> SimStorage {
    let disk = SimStorage::new();
    append_groups(&mut open(&disk).0, groups);
    disk
}

/// All records from `from` on.
pub(crate) fn replay<S: Storage>(storage: &S, from: u64) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
    let mut reader = Reader::open_storage(storage.clone(), from)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push((record.seq, record.payload.to_vec()));
    }
    Ok(records)
}

/// The journal opens, holds exactly the records 1 to n with at least `at_least`, verifies, and can be written again.
pub(crate) fn check_sound_prefix<S: Storage>(storage: &S, at_least: u64, at_most: u64) -> Recovery {
    let (mut journal, recovery) = open(storage);
    let last = recovery.last_seq;
    assert!((at_least..=at_most).contains(&last), "{last} is not in {at_least}..={at_most}: {recovery:?}");
    check_records(storage, 1, last);
    append_groups(&mut journal, &[1, 2]);
    drop(journal);
    check_records(storage, 1, last + 3);
    let report = verify_storage(storage).unwrap();
    assert_eq!((report.first_bad, report.records), (None, last + 3));
    recovery
}

pub(crate) fn check_records<S: Storage>(storage: &S, first: u64, last: u64) {
    let expected: Vec<_> = (first..=last).map(|seq| (seq, payload(seq))).collect();
    assert_eq!(replay(storage, first).unwrap(), expected);
}

/// Every file of a simulated disk, but for the lock.
pub(crate) fn files(disk: &SimStorage) -> BTreeMap<String, Vec<u8>> {
    disk.list().unwrap().into_iter().map(|name| (name.clone(), disk.bytes(&name).unwrap())).collect()
}

pub(crate) fn segments(disk: &SimStorage) -> Vec<String> {
    disk.list().unwrap().into_iter().filter(|name| name.ends_with(".seg")).collect()
}

/// A frame as the crate's page describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawFrame {
    pub(crate) at: usize,
    pub(crate) bytes: usize,
    pub(crate) seq: u64,
    pub(crate) is_record: bool,
}

impl RawFrame {
    pub(crate) fn end(&self) -> usize {
        self.at + self.bytes
    }
}

/// The frames of a sound segment.
pub(crate) fn frames(segment: &[u8]) -> Vec<RawFrame> {
    let mut frames = Vec::new();
    let mut at = 64;
    while at + 24 <= segment.len() && segment[at + 20] != 0 {
        let payload = u32::from_le_bytes(segment[at + 4..at + 8].try_into().unwrap()) as usize;
        let seq = u64::from_le_bytes(segment[at + 8..at + 16].try_into().unwrap());
        let bytes = 24 + payload.div_ceil(8) * 8;
        frames.push(RawFrame { at, bytes, seq, is_record: segment[at + 20] == 1 });
        at += bytes;
    }
    frames
}

/// Computes a frame's CRC anew, as a forger would.
pub(crate) fn forge_sum(segment: &mut [u8], frame: RawFrame) {
    let salt = u32::from_le_bytes(segment[12..16].try_into().unwrap());
    let sum = crc32c::crc32c_append(salt, &segment[frame.at + 4..frame.end()]);
    segment[frame.at..frame.at + 4].copy_from_slice(&sum.to_le_bytes());
}
