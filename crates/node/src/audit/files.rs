//! The files of an audit trail: the checkpoints and what was removed, each one line of JSON.

use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::set_aside::rename_if_there;
use crate::whole_file::is_full;
use std::fs::{File, OpenOptions};
use std::path::Path;
use tradewind_governance::audit::{Checkpoint, CheckpointError, Removal};

/// Moves what vouches for the journal of `data_dir` to `target`. The key stays; its public half is published again with
/// the first signature.
pub(crate) fn move_trail(data_dir: &Path, target: &Path) -> std::io::Result<()> {
    let (from, to) = (DataDir::new(data_dir), DataDir::new(target));
    std::fs::create_dir_all(to.audit())?;
    rename_if_there(&from.audit_public_key(), &to.audit_public_key())?;
    rename_if_there(&from.removals(), &to.removals())?;
    rename_if_there(&from.checkpoints(), &to.checkpoints())
}

pub(super) fn failed(path: &Path, source: std::io::Error) -> NodeError {
    if is_full(&source) {
        return NodeError::Full { path: path.to_owned(), source };
    }
    NodeError::Audit { path: path.to_owned(), reason: source.to_string() }
}

/// The checkpoints of a data directory, oldest first. A last line without its end was being written when the process
/// died, and is no checkpoint yet.
pub(super) fn read_checkpoints(path: &Path) -> Result<Vec<Checkpoint>, NodeError> {
    read_lines(path, Checkpoint::parse)
}

/// The removals of a data directory, oldest first.
pub(super) fn read_removals(path: &Path) -> Result<Vec<Removal>, NodeError> {
    read_lines(path, Removal::parse)
}

fn read_lines<T>(path: &Path, parse: impl Fn(&str) -> Result<T, CheckpointError>) -> Result<Vec<T>, NodeError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(path, error)),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(place, line): (usize, &str)| {
        parse(line)
            .map_err(|error| NodeError::Audit { path: path.to_owned(), reason: format!("line {}: {error}", place + 1) })
    };
    whole.lines().enumerate().map(parse).collect()
}

pub(super) fn cut_unfinished(path: &Path) -> Result<(), NodeError> {
    let Ok(text) = std::fs::read(path) else { return Ok(()) };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole == text.len() {
        return Ok(());
    }
    let cut = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(whole as u64));
    cut.map_err(|error| failed(path, error))
}

/// What half a line at the end of the checkpoints means.
pub(super) fn unfinished(path: &Path) -> Option<&'static str> {
    let text = std::fs::read(path).ok()?;
    let is_whole = text.last().is_none_or(|byte| *byte == b'\n');
    (!is_whole).then_some(
        "the last line of audit/checkpoints.jsonl is cut off and vouches for nothing: the process ended while it wrote \
         it, or somebody cut it",
    )
}

/// Whether a directory has an audit trail at all.
#[must_use]
pub fn has_checkpoints(data_dir: &Path) -> bool {
    File::open(DataDir::new(data_dir).checkpoints()).is_ok()
}
