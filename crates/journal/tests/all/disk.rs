//! A real directory: the lock, a killed writer, readers and backups beside a running one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tradewind_journal::{AppendError, Journal, OpenError, Options, Reader, backup, verify};

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

#[test]
fn a_journal_makes_the_folders_above_it() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("one/two/three");
    append_groups(&mut Journal::open(&deep, SMALL).unwrap().0, &[3]);
    assert_eq!(verify(&deep).unwrap().records, 3);
}

#[test]
fn a_segment_that_was_made_in_advance_is_no_reason_to_warn() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), fast_turnover()).unwrap();
    while journal.last_seq() < 2_000 {
        append_groups(&mut journal, &[5]);
        let warning = journal.space_warning();
        assert!(warning.is_none(), "{warning:?}");
    }
    drop(journal);
    assert_eq!(verify(dir.path()).unwrap().records, 2_000);
}

#[test]
fn a_reader_of_a_directory_takes_a_torn_tail_for_the_end() {
    let dir = tempfile::tempdir().unwrap();
    append_groups(&mut Journal::open(dir.path(), SMALL).unwrap().0, &[3]);
    let segment = dir.path().join("00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[end + 16] = 7;
    std::fs::write(&segment, bytes).unwrap();
    let mut reader = Reader::open(dir.path(), 1).unwrap();
    let read = std::iter::from_fn(|| reader.next().unwrap().map(|record| record.seq)).count();
    assert_eq!(read, 3);
    let torn = reader.torn_tail().map(|damage| damage.seq);
    assert_eq!(torn, Some(4), "where a fourth would begin");
}

/// A process that may have few files open fills its segment, and then has no handle for the next one.
#[test]
fn without_file_handles_what_may_not_wait_is_still_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 24; exec \"$0\" --exact disk::child_runs_out_of_handles --ignored --nocapture"]);
    let child = command.arg(std::env::current_exe().unwrap()).env(CHILD_DIR, dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("vital records went out"), "{said}");
    assert!(verify(dir.path()).unwrap().is_sound());
}

#[test]
#[ignore = "the other half of the test of a process without file handles"]
fn child_runs_out_of_handles() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let roomy = Options { segment_bytes: 16 << 10, first_segment_bytes: 16 << 10, prepare_in_background: false };
    let (mut journal, _) = Journal::open(dir, roomy).unwrap();
    let mut held = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        held.push(file);
    }
    let refused = loop {
        match journal.append(&payload(journal.last_seq() + 1)).and_then(|_| journal.sync()) {
            Ok(_) => (),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::NoRoom(_)) && refused.code() == "JRN-07", "{refused}");
    let last = journal.append_vital(b"a cancel").and_then(|_| journal.sync()).unwrap();
    drop(held);
    append_groups(&mut journal, &[40]); // and on in the next segment
    println!("vital records went out: {last}");
}
