//! Snapshots, retention by them, and backups.

use std::io::{self, ErrorKind};

use tradewind_journal::{
    Crash, Fault, Journal, Locking, ReadError, Reader, SimStorage, Storage, StorageFile, backup_storage,
    latest_snapshot_storage, snapshot_storage, snapshots_storage, verify_storage,
};

use crate::support::{SMALL, append_groups, check_records, files, open, segments};

/// A journal of 100 records with snapshots after record 30 and 70.
fn with_snapshots() -> (SimStorage, Journal<SimStorage>) {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[10, 10, 10, 1]);
    journal.write_snapshot(30, b"thirty").unwrap();
    append_groups(&mut journal, &[9, 10, 20, 5]);
    journal.write_snapshot(70, b"seventy").unwrap();
    append_groups(&mut journal, &[5, 10, 10]);
    (disk, journal)
}

fn latest(disk: &SimStorage) -> Option<(u64, Vec<u8>)> {
    latest_snapshot_storage(disk).unwrap().map(|snapshot| (snapshot.seq, snapshot.bytes))
}

#[test]
fn g09_the_latest_sound_snapshot_is_found() {
    let (disk, _journal) = with_snapshots();
    assert_eq!(latest(&disk), Some((70, b"seventy".to_vec())));
    let name = "00000000000000000070.snap";
    let sound = disk.bytes(name).unwrap();
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        disk.set_bytes(name, bytes);
        assert_eq!(latest(&disk), Some((30, b"thirty".to_vec())), "byte {at}");
    }
}

#[test]
fn g09_a_snapshot_never_runs_ahead_of_what_is_synced() {
    let (_, mut journal) = with_snapshots();
    let seq = journal.append(b"not synced").unwrap();
    let error = journal.write_snapshot(seq, b"").unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("JRN-11", "a snapshot at 101 is ahead of the last synced record, 100")
    );
}

#[test]
fn retention_removes_whole_segments_before_the_snapshot_and_the_rest_still_verifies() {
    let (disk, mut journal) = with_snapshots();
    let before = segments(&disk);
    let retained = journal.retain_from_snapshot().unwrap();
    assert_eq!(retained.from_seq, 70);
    assert!(retained.oldest_seq > 1 && retained.oldest_seq <= 70, "{retained:?}");
    assert_eq!(
        Reader::open_storage(disk.clone(), retained.oldest_seq).unwrap().next().unwrap().unwrap().seq,
        retained.oldest_seq
    );
    assert!(retained.removed.iter().any(|name| name.ends_with(".seg")));
    let kept = segments(&disk);
    assert!(kept.len() < before.len());
    append_groups(&mut journal, &[3]);
    drop(journal);

    let report = verify_storage(&disk).unwrap();
    assert_eq!((&report.first_bad, report.last_seq), (&None, 103));
    assert!((2..=70).contains(&report.first_seq));
    check_records(&disk, report.first_seq, 103);
    check_records(&disk, 71, 103);
    assert!(matches!(
        Reader::open_storage(disk.clone(), 1).err(),
        Some(ReadError::Removed { asked: 1, oldest }) if oldest == report.first_seq
    ));
    let (_, recovery) = Journal::open_storage(disk, SMALL).unwrap();
    assert_eq!((recovery.last_seq, recovery.checked), (103, 104 - report.first_seq));
}

/// A journal of 100 records with snapshots after record 70 and, as every stop leaves one, after the last; thinned out.
fn stopped_and_retained() -> (SimStorage, u64) {
    let (disk, mut journal) = with_snapshots();
    journal.write_snapshot(100, b"a hundred").unwrap();
    let retained = journal.retain_from_snapshot().unwrap();
    assert_eq!((retained.from_seq, retained.newest_seq), (70, 100));
    assert!((2..=70).contains(&retained.oldest_seq), "{retained:?}");
    (disk, retained.oldest_seq)
}

#[test]
fn g03_a_log_that_was_thinned_out_recovers_from_damage_to_its_last_two_records() {
    let (sound, oldest) = stopped_and_retained();
    let places = segments(&sound).into_iter().flat_map(|name| {
        let frames = crate::support::frames(&sound.bytes(&name).unwrap());
        let last_two = frames.into_iter().filter(|it| it.seq > 98).flat_map(|it| it.at..it.end());
        last_two.map(move |at| (name.clone(), at)).collect::<Vec<_>>()
    });
    for (name, at) in places {
        let disk = sound.copy();
        let mut bytes = disk.bytes(&name).unwrap();
        bytes[at] ^= 1;
        disk.set_bytes(&name, bytes);
        let (mut journal, recovery) = open(&disk);
        let last = recovery.last_seq;
        assert!((98..=100).contains(&last), "byte {at}: {recovery:?}");
        assert!(recovery.cut.is_some_and(|cut| cut.acknowledged || last == 100), "byte {at}");
        assert_eq!(latest(&disk).unwrap().0, if last == 100 { 100 } else { 70 });
        append_groups(&mut journal, &[2]);
        drop(journal);
        check_records(&disk, oldest, last + 2);
        assert_eq!(verify_storage(&disk).unwrap().first_bad, None);
    }
}

#[test]
fn nothing_is_removed_while_the_only_snapshot_is_of_the_last_two_records() {
    for behind in [0, 1, 2] {
        let disk = SimStorage::new();
        let (mut journal, _) = open(&disk);
        append_groups(&mut journal, &[20, 20]);
        journal.write_snapshot(40, b"forty").unwrap();
        append_groups(&mut journal, &vec![1; behind]);
        let retained = journal.retain_from_snapshot().unwrap();
        assert_eq!((retained.from_seq, retained.newest_seq), (40, 40));
        assert_eq!((retained.oldest_seq > 1, !retained.removed.is_empty()), (behind == 2, behind == 2), "{behind}");
    }
}

#[test]
fn a_log_whose_only_snapshot_is_of_its_damaged_record_is_refused_by_the_name_of_that_record() {
    let (disk, oldest) = stopped_and_retained();
    disk.remove("00000000000000000070.snap").unwrap();
    let name = segments(&disk).pop().unwrap();
    let mut bytes = disk.bytes(&name).unwrap();
    let last = crate::support::frames(&bytes).into_iter().find(|it| it.is_record && it.seq == 100).unwrap();
    bytes[last.at] ^= 1;
    disk.set_bytes(&name, bytes);
    let before = files(&disk);
    let error = Journal::open_storage(disk.clone(), SMALL).err().unwrap();
    assert_eq!(error.code(), "JRN-03", "not that the records before {oldest} are missing: {error}");
    assert!(error.to_string().contains(&format!("{name} is damaged at offset {}, record 100", last.at)), "{error}");
    assert_eq!(files(&disk), before);
}

#[test]
fn each_snapshot_that_the_log_goes_on_from_can_be_read() {
    let (disk, _journal) = with_snapshots();
    let read = |seq| snapshot_storage(&disk, seq).unwrap().map(|it| (it.seq, it.bytes));
    assert_eq!(snapshots_storage(&disk).unwrap(), [30, 70]);
    assert_eq!(read(70), Some((70, b"seventy".to_vec())));
    flip(&disk, "00000000000000000070.snap");
    assert_eq!((snapshots_storage(&disk).unwrap(), read(70)), (vec![30], None));
    assert_eq!(snapshot_storage(&disk, 31).unwrap_err().code(), "JRN-07", "there is none");
    assert_eq!(snapshots_storage(&stopped_and_retained().0).unwrap(), [70, 100]);
}

#[test]
fn nothing_is_removed_without_a_sound_snapshot() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[40]);
    assert_eq!(journal.retain_from_snapshot().unwrap_err().code(), "JRN-12");
    journal.write_snapshot(30, b"thirty").unwrap();
    let name = "00000000000000000030.snap";
    let mut bytes = disk.bytes(name).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    disk.set_bytes(name, bytes);
    let before = files(&disk);
    assert_eq!(journal.retain_from_snapshot().unwrap_err().code(), "JRN-12");
    assert_eq!(files(&disk), before);
}

#[test]
fn g09_a_retained_log_whose_snapshot_is_lost_is_refused() {
    let (disk, mut journal) = with_snapshots();
    journal.retain_from_snapshot().unwrap();
    drop(journal);
    disk.remove("00000000000000000070.snap").unwrap();
    assert_eq!(latest_snapshot_storage(&disk).unwrap_err().code(), "JRN-04");
    assert_eq!(Journal::open_storage(disk.clone(), SMALL).err().unwrap().code(), "JRN-04");
    assert!(!verify_storage(&disk).unwrap().is_sound());
}

#[test]
fn g09_a_snapshot_of_another_log_is_refused() {
    let (disk, journal) = with_snapshots();
    drop(journal);
    let other = SimStorage::new();
    let (mut journal, _) = open(&other);
    append_groups(&mut journal, &[75]); // the same records, in another group: another chain value
    journal.write_snapshot(70, b"other").unwrap();
    disk.set_bytes("00000000000000000070.snap", other.bytes("00000000000000000070.snap").unwrap());
    assert_eq!(Journal::open_storage(disk.clone(), SMALL).err().unwrap().code(), "JRN-03");
    assert_eq!(verify_storage(&disk).unwrap().first_bad.unwrap().segment, "00000000000000000070.snap");
}

#[test]
fn g09_a_snapshot_ahead_of_a_damaged_tail_is_set_aside() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[1, 1, 1, 1]);
    journal.write_snapshot(2, b"two").unwrap();
    append_groups(&mut journal, &[1]);
    journal.write_snapshot(5, b"five").unwrap();
    drop(journal);
    let name = segments(&disk).remove(0);
    let mut bytes = disk.bytes(&name).unwrap();
    let last = crate::support::frames(&bytes).into_iter().rfind(|frame| frame.is_record).unwrap();
    bytes[last.at + 24] ^= 1;
    disk.set_bytes(&name, bytes);
    let (mut journal, recovery) = open(&disk);
    assert_eq!(recovery.set_aside, ["00000000000000000005.snap"]);
    assert!(recovery.cut.unwrap().acknowledged, "the snapshot knew that record 5 had been synced");
    assert_eq!(latest(&disk), Some((2, b"two".to_vec())));
    append_groups(&mut journal, &[1]);
    assert!(verify_storage(&disk).unwrap().is_sound());
}

fn flip(disk: &SimStorage, name: &str) {
    let mut bytes = disk.bytes(name).unwrap();
    bytes[110] ^= 1;
    disk.set_bytes(name, bytes);
}

#[test]
fn g09_a_snapshot_that_does_not_read_is_set_aside_where_the_log_stands_for_it() {
    let (disk, journal) = with_snapshots();
    drop(journal);
    let name = "00000000000000000070.snap";
    flip(&disk, name);
    let spoilt = disk.bytes(name).unwrap();
    assert!(!verify_storage(&disk).unwrap().is_sound());
    let (mut journal, recovery) = open(&disk);
    assert_eq!((recovery.last_seq, recovery.bad_snapshots.len()), (100, 1));
    assert_eq!(disk.bytes(&format!("{name}.bad")).unwrap(), spoilt, "nothing is lost");
    assert!(verify_storage(&disk).unwrap().is_sound());
    assert_eq!(latest(&disk), Some((30, b"thirty".to_vec())));
    journal.write_snapshot(100, b"a hundred").unwrap();
    journal.retain_from_snapshot().unwrap();
    drop(journal);
    assert_eq!(open(&disk).1.bad_snapshots, []);
    assert!(verify_storage(&disk).unwrap().is_sound());
}

#[test]
fn g09_a_snapshot_that_does_not_read_stays_where_the_log_does_not_reach_it() {
    let (disk, journal) = with_snapshots();
    drop(journal);
    let name = "00000000000000000101.snap";
    disk.set_bytes(name, b"of a record that the log does not have".to_vec());
    assert_eq!(open(&disk).1.bad_snapshots[0].segment, name);
    assert!(disk.bytes(name).is_some() && !verify_storage(&disk).unwrap().is_sound());
}

#[test]
fn g09_a_crash_while_a_bad_snapshot_is_set_aside_loses_nothing() {
    for at in 0..8 {
        for seed in 0..8 {
            let (disk, journal) = with_snapshots();
            drop(journal);
            flip(&disk, "00000000000000000070.snap");
            disk.fail_at(disk.operations() + at, tradewind_journal::Fault::Die);
            let _ = Journal::open_storage(disk.clone(), SMALL);
            let disk = disk.crash(Crash::Seeded(seed));
            let (mut journal, recovery) = open(&disk);
            assert_eq!((recovery.last_seq, recovery.cut), (100, None));
            append_groups(&mut journal, &[1]);
            assert_eq!(verify_storage(&disk).unwrap().first_bad, None);
        }
    }
}

#[test]
fn a_crash_at_every_operation_of_snapshot_and_retention_leaves_a_sound_journal() {
    for at in 0..40 {
        for seed in 0..8 {
            let (disk, mut journal) = with_snapshots();
            disk.fail_at(disk.operations() + at, tradewind_journal::Fault::Die);
            let _ = journal.write_snapshot(90, b"ninety");
            let _ = journal.retain_from_snapshot();
            let disk = disk.crash(Crash::Seeded(seed));
            let (mut journal, recovery) = open(&disk);
            assert_eq!((recovery.last_seq, recovery.cut), (100, None));
            assert!(latest(&disk).unwrap().0 >= 70);
            append_groups(&mut journal, &[1]);
            assert_eq!(verify_storage(&disk).unwrap().first_bad, None);
        }
    }
}

#[test]
fn a_backup_taken_between_any_two_groups_is_a_sound_prefix() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    for _ in 0..40 {
        append_groups(&mut journal, &[3]);
        journal.append(b"appended, not synced").unwrap();
        let copy = SimStorage::new();
        let report = backup_storage(&disk, &copy).unwrap();
        assert_eq!(report.last_seq, journal.synced_seq());
        let (_, recovery) = open(&copy);
        assert_eq!((recovery.last_seq, recovery.cut), (journal.synced_seq(), None));
        journal.sync().unwrap();
        let seq = journal.synced_seq();
        if seq % 5 == 0 {
            journal.write_snapshot(seq, b"state").unwrap();
            journal.retain_from_snapshot().unwrap();
        }
    }
}

#[test]
fn a_backup_goes_on_where_retention_removed_a_snapshot_just_now_and_only_there() {
    let (disk, _journal) = with_snapshots();
    let gone = |error| OneFile { disk: disk.clone(), gone: Some(error), late: None };
    let copy = SimStorage::new();
    let report = backup_storage(&gone(ErrorKind::NotFound), &copy).unwrap();
    assert_eq!((report.first_bad, report.last_seq), (None, 100));
    assert_eq!(latest(&copy), Some((30, b"thirty".to_vec())), "the other is there");
    let error = backup_storage(&gone(ErrorKind::PermissionDenied), &SimStorage::new()).unwrap_err();
    assert!(error.to_string().contains(OneFile::NAME), "{error}");
}

#[test]
fn a_backup_is_taken_from_a_disk_that_is_read_only() {
    let (disk, journal) = with_snapshots();
    drop(journal);
    disk.set_read_only(true);
    let (before, copy) = (files(&disk), SimStorage::new());
    let report = backup_storage(&disk, &copy).unwrap();
    assert_eq!((report.first_bad, report.last_seq), (None, 100));
    assert_eq!((latest(&copy), files(&disk)), (Some((70, b"seventy".to_vec())), before));
    disk.set_read_only(false);
    disk.fail_at(disk.operations(), Fault::Io);
    assert_eq!(backup_storage(&disk, &SimStorage::new()).unwrap_err().code(), "JRN-07", "a disk that fails is told");
}

#[test]
fn a_reader_that_meets_half_a_group_waits_for_its_rest_before_it_says_that_this_is_the_end() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    append_groups(&mut journal, &[2]);
    let name = segments(&disk).remove(0);
    let before = disk.bytes(&name).unwrap();
    append_groups(&mut journal, &[1]);
    let whole = disk.bytes(&name).unwrap();
    let start = crate::support::frames(&before).last().unwrap().end();
    let file = disk.open(&name, true).unwrap();
    file.write_at(&before[start + 8..], start as u64 + 8).unwrap(); // of the third record eight bytes are there so far
    for (late, want) in [(None, None), (Some(whole), Some(3))] {
        let storage = OneFile { disk: disk.clone(), gone: None, late: late.map(|bytes| (name.clone(), bytes)) };
        let mut reader = Reader::open_storage(storage, 1).unwrap();
        let mut next = || reader.next().unwrap().map(|record| record.seq);
        assert_eq!([next(), next(), next()], [Some(1), Some(2), want]);
    }
}

/// A disk on which one thing happens between two looks at it.
#[derive(Clone)]
struct OneFile {
    disk: SimStorage,
    /// With this error the newest snapshot does not open, though it is listed.
    gone: Option<ErrorKind>,
    /// What the file of that name holds once a writer was waited for.
    late: Option<(String, Vec<u8>)>,
}

impl OneFile {
    const NAME: &str = "00000000000000000070.snap";
}

impl Storage for OneFile {
    type File = <SimStorage as Storage>::File;
    type Lock = <SimStorage as Storage>::Lock;

    fn create_dir(&self) -> io::Result<()> {
        self.disk.create_dir()
    }
    fn lock(&self) -> io::Result<Locking<Self::Lock>> {
        self.disk.lock()
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn open(&self, name: &str, write: bool) -> io::Result<Self::File> {
        match self.gone {
            Some(error) if name == Self::NAME => Err(error.into()),
            _ => self.disk.open(name, write),
        }
    }
    fn create(&self, name: &str, bytes: u64) -> io::Result<Self::File> {
        self.disk.create(name, bytes)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }
    fn settle(&self) {
        if let Some((name, bytes)) = &self.late {
            self.disk.open(name, true).unwrap().write_at(bytes, 0).unwrap();
        }
    }
}

#[test]
fn a_backup_overwrites_nothing_and_copies_no_damage() {
    let (disk, _journal) = with_snapshots();
    assert_eq!(backup_storage(&disk, &disk.copy()).unwrap_err().code(), "JRN-13");
    let name = segments(&disk).remove(0);
    let mut bytes = disk.bytes(&name).unwrap();
    bytes[100] ^= 1;
    disk.set_bytes(&name, bytes);
    assert_eq!(backup_storage(&disk, &SimStorage::new()).unwrap_err().code(), "JRN-03");
}

#[test]
fn g14_recovery_reads_what_follows_the_snapshot_however_long_the_log() {
    let options = tradewind_journal::Options { segment_bytes: 64 << 10, first_segment_bytes: 8 << 10, ..SMALL };
    let mut checked = Vec::new();
    for groups in [200, 2_000] {
        let disk = SimStorage::new();
        let (mut journal, _) = Journal::open_storage(disk.clone(), options).unwrap();
        append_groups(&mut journal, &vec![20; groups]);
        journal.write_snapshot(journal.synced_seq(), b"all so far").unwrap();
        append_groups(&mut journal, &[5]);
        drop(journal);
        let (_, recovery) = Journal::open_storage(disk, options).unwrap();
        assert_eq!(recovery.last_seq, groups as u64 * 20 + 5);
        checked.push(recovery.checked);
    }
    // the snapshot's segment and what follows: never more than two segments' worth
    assert!(checked.iter().all(|&records| records < 1_000), "{checked:?}");
}
