//! An earlier run moved out of the way, for a market that begins anew.

use crate::error::NodeError;
use crate::recover::journal_dir;
use crate::{audit, clock};
use std::io;
use std::path::{Path, PathBuf};
use tradewind_journal::{DiskStorage, Locking, OpenError, Storage as _};

/// Moves the journal of `data_dir` and what vouches for it to `earlier/TIME` there, which is a data directory of its own for
/// every command that reads one. Nothing is removed; the signing key and a latched kill switch stay. `None` where there
/// is no journal.
///
/// # Errors
/// [`NodeError::Journal`] with `JRN-01` while another process writes the journal, whether it answers or not;
/// [`NodeError::SetAside`] where a file cannot be moved. The journal is moved last.
pub fn set_aside(data_dir: &Path) -> Result<Option<PathBuf>, NodeError> {
    let journal = journal_dir(data_dir);
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
    let target = data_dir.join("earlier").join(clock::wall().to_string().replace(':', "-"));
    std::fs::create_dir_all(&target).map_err(failed(&target))?;
    audit::move_trail(data_dir, &target).map_err(failed(&target))?;
    std::fs::rename(&journal, journal_dir(&target)).map_err(failed(&journal))?;
    Ok(Some(target))
}

/// [`std::fs::rename`], where a missing file is none to move.
pub(crate) fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
