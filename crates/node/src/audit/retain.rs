//! Thinning out a journal that is signed: what goes is stated first.

use super::files::{cut_unfinished, failed, read_checkpoints, read_removals};
use super::key::read_key;
use crate::clock::wall;
use crate::damage;
use crate::data_dir::DataDir;
use crate::error::NodeError;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tradewind_domain::Sequence;
use tradewind_governance::Name;
use tradewind_governance::audit::{Checkpoint, Removal};
use tradewind_journal::{Journal, RetainError, Retained, verify};

/// Removes what lies wholly before the newest snapshot that damage to the last two records leaves in use. Where the
/// directory is signed, a statement of what goes and who says so is signed and synced first, so that `audit verify` can
/// tell the removal from theft. Not while a node runs.
///
/// `key_path` is where the signing key is, if it is not in the directory.
///
/// # Errors
/// [`NodeError`] if the journal cannot be opened or thinned out, or the statement cannot be signed: then nothing is
/// removed.
pub fn retain(data_dir: &Path, key_path: Option<&Path>, by: &Name) -> Result<Retained, NodeError> {
    let dir = DataDir::new(data_dir).journal();
    let mut journal = open(&dir)?;
    let planned = planned(&journal)?;
    let checkpoints = read_checkpoints(&DataDir::new(data_dir).checkpoints())?;
    if let Some(checkpoint) = checkpoints.last() {
        let first = verify(&dir)?.first_seq;
        if planned.oldest_seq > first {
            let stretch = (first, planned.oldest_seq - 1);
            state_removal(data_dir, key_path, stretch, by, checkpoint)?;
        }
    }
    journal.retain_from_snapshot().map_err(NodeError::Retain)
}

/// As [`retain`] for the journal in directory `dir`, which belongs to no data directory and is signed by nobody.
///
/// # Errors
/// [`NodeError`] if the journal cannot be opened or thinned out: then nothing is removed.
pub fn retain_unsigned(dir: &Path) -> Result<Retained, NodeError> {
    let mut journal = open(dir)?;
    planned(&journal)?;
    journal.retain_from_snapshot().map_err(NodeError::Retain)
}

fn open(dir: &Path) -> Result<Journal, NodeError> {
    let (journal, recovery) = Journal::open(dir, tradewind_journal::Options::default())
        .map_err(|source| NodeError::Journal { dir: dir.to_owned(), source: Box::new(source) })?;
    damage::told(&recovery).iter().for_each(|text| tracing::warn!("{text}"));
    Ok(journal)
}

/// What would be removed, once the snapshots that stand for it have been read whole, the newest and the oldest of those that
/// stay: without a state nothing could start from what is left, now or after the last records were damaged.
fn planned(journal: &Journal) -> Result<Retained, NodeError> {
    let planned = journal.retention().map_err(NodeError::Retain)?;
    for sequence in [planned.newest_seq, planned.from_seq] {
        match tradewind_host::snapshot_state_of(journal.storage(), sequence)? {
            Some(state) if state.sequence == sequence => (),
            _ => return Err(NodeError::Retain(RetainError::NoSnapshot)),
        }
    }
    Ok(planned)
}

fn state_removal(
    data_dir: &Path,
    key_path: Option<&Path>,
    stretch: (Sequence, Sequence),
    by: &Name,
    checkpoint: &Checkpoint,
) -> Result<(), NodeError> {
    let dir = DataDir::new(data_dir);
    let key_path = key_path.map_or_else(|| dir.audit_key(), Path::to_owned);
    let key = read_key(&key_path)?;
    if !checkpoint.is_signed_by(&key.public()) {
        let reason = "it is not the key that signs this directory".to_owned();
        return Err(NodeError::Audit { path: key_path, reason });
    }
    let path = dir.removals();
    cut_unfinished(&path)?;
    let before = read_removals(&path)?;
    let removal = Removal::sign(&key, stretch, by.clone(), wall(), checkpoint, before.last());
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| {
        file.write_all(format!("{}\n", removal.line()).as_bytes())?;
        file.sync_all()?;
        File::open(dir.audit())?.sync_all()
    });
    written.map_err(|error| failed(&path, error))
}
