//! What the opening of a journal found: told to people, and where synced records were damaged, kept until it is recorded.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::whole_file::{is_full, remove_if_there, sync_dir_of, write_whole};
use std::path::{Path, PathBuf};
use tradewind_domain::{PortfolioId, Source};
use tradewind_engine::EventKind;
use tradewind_journal::{Cut, Recovery};

/// The file that keeps across starts why only what reduces may go out, until the journal says so: mending a journal takes the traces
/// of the damage away, and the venue may be out of reach for some starts.
pub(crate) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("DAMAGED")
}

/// What `recovery` found, a sentence each.
pub(crate) fn told(recovery: &Recovery) -> Vec<String> {
    let mut told: Vec<String> = recovery.cut.iter().map(cut_text).collect();
    told.extend(
        recovery
            .set_aside
            .iter()
            .map(|name| format!("the snapshot {name} was ahead of the journal and was set aside as {name}.ahead")),
    );
    told.extend(recovery.bad_snapshots.iter().map(|bad| {
        let name = &bad.segment;
        if bad.seq <= recovery.last_seq {
            format!("the snapshot {name} did not read and was set aside as {name}.bad: the journal holds all of it")
        } else {
            format!(
                "alarm: the snapshot {name} does not read, and the journal ends before it, at record {}: compare with \
                 your backups",
                recovery.last_seq
            )
        }
    }));
    told
}

fn cut_text(cut: &Cut) -> String {
    let place = match &cut.kept_in {
        Some(kept) => {
            format!("{} bytes of {} from offset {} were set aside in {kept}", cut.bytes, cut.segment, cut.offset)
        }
        None => format!("{} ends at offset {}", cut.segment, cut.offset),
    };
    if cut.acknowledged {
        format!(
            "alarm: the end of the journal was damaged after it had been synced, which no crash does: {place}; only what \
             reduces is allowed until somebody has compared with the venue and resumes"
        )
    } else if cut.bytes > 0 {
        format!("the journal ended in a torn write: {place}")
    } else if cut.truncated {
        format!("the journal's last file was shorter than it was made, and is whole again: {place}")
    } else {
        format!("the journal's last group of records was not complete, and is closed where it ended: {place}")
    }
}

/// Notes damage to synced records on disk, right after `recovery` mended the journal of `data_dir`.
///
/// # Errors
/// [`NodeError::Kept`] where not even the file's name can be kept.
pub(crate) fn mark(data_dir: &Path, recovery: &Recovery) -> Result<(), NodeError> {
    let Some(cut) = recovery.cut.as_ref().filter(|cut| cut.acknowledged) else { return Ok(()) };
    let reason = format!(
        "synced records of the journal were damaged: {} bytes of {} from offset {}",
        cut.bytes, cut.segment, cut.offset
    );
    let path = file(data_dir);
    let written = match write_whole(&path, reason.as_bytes(), 0o600) {
        Err(error) if is_full(&error) => std::fs::File::create(&path).and_then(|_| sync_dir_of(&path)), // the name alone does
        done => done,
    };
    written.map_err(|source| NodeError::Kept { path, source })
}

/// Records what [`mark`] noted, now or at a start before this one: from here on only what reduces is allowed, until a
/// person says otherwise.
pub(crate) fn restrict(core: &mut Core, data_dir: &Path) -> Result<(), NodeError> {
    let path = file(data_dir);
    let reason = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "synced records of the journal were damaged".to_owned(), // the name alone restricts
    };
    core.record(core.now(), wall(), Source::Host, PortfolioId(0), EventKind::Restricted { reason })?;
    core.host.journal.sync()?;
    let gone = remove_if_there(&path).and_then(|()| sync_dir_of(&path));
    gone.map_err(|source| NodeError::Kept { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_journal::{Damage, Flaw};

    fn cut(bytes: u64, acknowledged: bool) -> Cut {
        let kept_in = (bytes > 0).then(|| "1.64.torn".to_owned());
        Cut { segment: "1.seg".to_owned(), offset: 64, bytes, records: 1, acknowledged, truncated: false, kept_in }
    }

    #[test]
    fn damage_is_not_told_as_a_torn_write() {
        let of = |cut| told(&Recovery { cut: Some(cut), ..Recovery::default() }).remove(0);
        assert_eq!(
            of(cut(800, false)),
            "the journal ended in a torn write: 800 bytes of 1.seg from offset 64 were set aside in 1.64.torn"
        );
        for cut in [cut(800, true), cut(0, true)] {
            let text = of(cut);
            assert!(text.starts_with("alarm: ") && !text.contains("torn write"), "{text}");
        }
        assert!(!of(cut(0, false)).contains("torn write"));
    }

    #[test]
    fn only_a_snapshot_that_the_journal_reaches_is_told_as_set_aside() {
        let bad = |seq| Damage { segment: format!("{seq}.snap"), offset: 0, seq, flaw: Flaw::Snapshot };
        let found = told(&Recovery { last_seq: 7, bad_snapshots: vec![bad(7), bad(8)], ..Recovery::default() });
        assert!(found[0].contains("set aside as 7.snap.bad") && found[1].starts_with("alarm: "), "{found:?}");
    }

    #[test]
    fn a_torn_write_leaves_no_mark_and_damage_does() {
        let dir = tempfile::TempDir::new().unwrap();
        let found = |acknowledged| Recovery { cut: Some(cut(800, acknowledged)), ..Recovery::default() };
        mark(dir.path(), &found(false)).unwrap();
        assert!(!file(dir.path()).exists());
        mark(dir.path(), &found(true)).unwrap();
        assert!(std::fs::read_to_string(file(dir.path())).unwrap().contains("800 bytes of 1.seg"));
    }
}
