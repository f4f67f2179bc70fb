//! An earlier run moved out of the way, for a market that begins anew.

use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::{audit, clock};
use std::io;
use std::path::{Path, PathBuf};
use tradewind_journal::{DiskStorage, Locking, OpenError, Reader, Storage as _};

/// Moves the journal of `data_dir` and what vouches for it to `earlier/TIME` there, which is a data directory of its own for
/// every command that reads one. Nothing is removed; the signing key and a latched kill switch stay. `None` where there
/// is no journal, or one that remembers nothing, which a start on a full disk leaves: the next run goes on in that.
///
/// # Errors
/// [`NodeError::Journal`] with `JRN-01` while another process writes the journal, whether it answers or not;
/// [`NodeError::SetAside`] where a file cannot be moved. The journal is moved last.
pub fn set_aside(data_dir: &Path) -> Result<Option<PathBuf>, NodeError> {
    let journal = DataDir::new(data_dir).journal();
    if !journal.exists() {
        return Ok(None);
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| NodeError::SetAside { path, source }
    };
    let in_use = |source| NodeError::Journal { dir: journal.clone(), source: Box::new(source) };
    let _lock = match DiskStorage::new(&journal).lock().map_err(failed(&journal))? {
        Locking::Ours(lock) => lock,
        Locking::Held(holder) => return Err(in_use(OpenError::Locked { holder })),
    };
    if remembers_nothing(&journal) && !audit::has_checkpoints(data_dir) {
        return Ok(None);
    }
    let target = DataDir::new(data_dir).earlier(clock::wall());
    std::fs::create_dir_all(&target).map_err(failed(&target))?;
    audit::move_trail(data_dir, &target).map_err(failed(&target))?;
    std::fs::rename(&journal, DataDir::new(&target).journal()).map_err(failed(&journal))?;
    Ok(Some(target))
}

/// Whether a journal has neither a record nor anything that was set aside.
fn remembers_nothing(journal: &Path) -> bool {
    let begun = |name: &str| ["seg", "spare", "lock", "tmp"].iter().any(|kind| name.rsplit('.').next() == Some(kind));
    let names = DiskStorage::new(journal).list().unwrap_or_default();
    if !names.iter().all(|name| begun(name)) {
        return false;
    }
    let has_segment = names.iter().any(|name| name.ends_with(".seg"));
    !has_segment || Reader::open(journal, 1).is_ok_and(|mut reader| matches!(reader.next(), Ok(None)))
}

/// [`std::fs::rename`], where a missing file is none to move.
pub(crate) fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
