//! A real directory: the lock, a killed writer, readers and backups beside a running one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tradewind_journal::{Journal, OpenError, Options, Reader, backup, verify};

use crate::support::{SMALL, append_groups, payload};

const CHILD_DIR: &str = "TRADEWIND_JOURNAL_CHILD_DIR";

fn fast_turnover() -> Options {
    Options { segment_bytes: 64 << 10, first_segment_bytes: 16 << 10, prepare_in_background: true }
}

/// The same program, running only [`child_writes_until_it_is_killed`] on `dir`.
fn spawn_child(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "disk::child_writes_until_it_is_killed", "--ignored", "--nocapture"]);
    command.env(CHILD_DIR, dir).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
#[ignore = "the other half of the tests that start and kill a writer"]
fn child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let (mut journal, _) = Journal::open(dir, fast_turnover()).unwrap();
    println!();
    loop {
        for _ in 0..journal.last_seq() % 5 {
            journal.append(&payload(journal.last_seq() + 1)).unwrap();
        }
        let permit = journal.permit(&payload(journal.last_seq() + 1), ()).unwrap();
        println!("synced {}", permit.seq());
        std::io::stdout().flush().unwrap();
    }
}

/// Reads what the child acknowledges until it has done so `times` times.
fn acknowledged(child: &mut Child, times: usize) -> u64 {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let synced = lines.filter_map(|line| line.unwrap().strip_prefix("synced ")?.parse().ok());
    synced.take(times).last().unwrap()
}

#[test]
fn g01_a_killed_writer_loses_nothing_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for run in 0..6 {
        let mut child = spawn_child(dir.path());
        let synced = acknowledged(&mut child, 40 + run * 17);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(synced > last);
        let (_, recovery) = Journal::open(dir.path(), fast_turnover()).unwrap();
        assert!(recovery.last_seq >= synced, "{synced} was acknowledged: {recovery:?}");
        last = recovery.last_seq;
    }
    let mut reader = Reader::open(dir.path(), 1).unwrap();
    for seq in 1..=last {
        let record = reader.next().unwrap().unwrap();
        assert_eq!((record.seq, record.payload), (seq, &payload(seq)[..]));
    }
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.first_bad, report.last_seq), (None, last));
    assert!(report.segments > 1);
}

#[test]
fn g08_a_second_writer_is_refused_and_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn_child(dir.path());
    acknowledged(&mut child, 1);
    let error = Journal::open(dir.path(), SMALL).err().unwrap();
    assert!(matches!(error, OpenError::Locked { holder: Some(pid) } if pid == child.id()), "{error}");
    assert_eq!(error.code(), "JRN-01");
    assert_eq!(error.to_string(), format!("the journal is in use by process {}", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    let (_journal, _) = Journal::open(dir.path(), SMALL).unwrap();
    assert!(Journal::open(dir.path(), SMALL).is_err(), "not even within one process");
}

#[test]
fn readers_backups_and_verify_work_beside_a_running_writer() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn_child(dir.path());
    acknowledged(&mut child, 5);
    let mut reader = Reader::open(dir.path(), 1).unwrap();
    let mut read = 0;
    for _ in 0..10 {
        while let Some(record) = reader.next().unwrap() {
            read += 1;
            assert_eq!((record.seq, record.payload), (read, &payload(read)[..]));
        }
        let copy = tempfile::tempdir().unwrap();
        let report = backup(dir.path(), copy.path().join("copy")).unwrap();
        assert!(report.last_seq >= read.saturating_sub(5), "{} {read}", report.last_seq);
        assert_eq!(verify(copy.path().join("copy")).unwrap(), report);
        assert_eq!(verify(dir.path()).unwrap().first_bad, None);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(read > 5);
}

#[test]
fn prepared_segments_are_used_and_none_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), fast_turnover()).unwrap();
    append_groups(&mut journal, &[100; 30]);
    drop(journal);
    let (_, recovery) = Journal::open(dir.path(), fast_turnover()).unwrap();
    assert_eq!((recovery.last_seq, recovery.cut), (3000, None));
    assert!(!dir.path().join("next.spare").exists());
    assert!(verify(dir.path()).unwrap().is_sound());
}

#[test]
fn a_directory_that_cannot_be_made_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    std::fs::write(&file, b"").unwrap();
    let error = Journal::open(file.join("journal"), SMALL).err().unwrap();
    assert_eq!((error.code(), error.to_string().as_str()), ("JRN-07", "could not create the journal's directory"));
}
