//! One program at a time trades with a key: two would send each other's ids, and neither would know all orders.

use crate::error::NodeError;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Held while this process trades with a key at a venue. The operating system lets go of it when the process ends,
/// however it ends; an ordinary end takes its file away too.
#[derive(Debug)]
pub(crate) struct KeyLock {
    path: PathBuf,
    file: File,
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        // while it is still locked, and no other's: whoever cleans the folder may have made room for one
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path); // a file that stays is locked anew
        }
        let _ = self.file.unlock(); // closing alone leaves it to a child that was forked and is not another program yet
    }
}

impl KeyLock {
    /// Takes the lock of `key` at the venue `url`, for this user on this machine.
    ///
    /// # Errors
    /// [`NodeError::KeyInUse`] while another process has it, or where its file cannot be opened.
    pub(crate) fn take(key: &str, url: &str) -> Result<Self, NodeError> {
        let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_dir());
        Self::take_in(&base.unwrap_or_else(std::env::temp_dir), key, url)
    }

    fn take_in(dir: &Path, key: &str, url: &str) -> Result<Self, NodeError> {
        let host = url.split("://").nth(1).unwrap_or(url).trim_end_matches('/');
        let name = hex::encode(&Sha256::digest(format!("{host}\n{key}"))[..12]);
        let path = dir.join(format!("tradewind-key-{name}.lock"));
        let in_use = |reason: String| NodeError::KeyInUse { path: path.clone(), reason };
        loop {
            let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
            let file = open.map_err(|error| in_use(error.to_string()))?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, file }),
                Ok(()) => (), // its last holder took it away between the opening and the lock
                Err(TryLockError::WouldBlock) => return Err(in_use("another process has locked it".to_owned())),
                Err(TryLockError::Error(error)) => return Err(in_use(error.to_string())),
            }
        }
    }
}

/// Whether whoever opens `path` gets this very file.
fn is_at(file: &File, path: &Path) -> bool {
    let id = |data: std::fs::Metadata| (data.dev(), data.ino());
    let opened = file.metadata().map(id).ok();
    opened.is_some() && opened == std::fs::metadata(path).map(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tradewind_domain::Coded;

    #[test]
    fn f03_a_key_is_traded_with_by_one_program_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let take = |key: &str, url: &str| KeyLock::take_in(dir.path(), key, url);
        let first = take("key", "https://venue").unwrap();
        let error = take("key", "https://venue/").unwrap_err();
        assert_eq!(error.code(), "NODE-37", "{error}");
        assert!(!error.to_string().contains("key at") && !error.hint().is_empty(), "{error}");
        let _other_key = take("another", "https://venue").unwrap();
        let _other_venue = take("key", "https://testnet.venue").unwrap();
        drop(first);
        take("key", "https://venue").unwrap();
    }

    #[test]
    fn an_end_takes_away_its_own_file_alone_and_a_refusal_none() {
        let dir = tempfile::tempdir().unwrap();
        let take = || KeyLock::take_in(dir.path(), "key", "https://venue");
        let files = || std::fs::read_dir(dir.path()).unwrap().count();
        let cleaned = take().unwrap();
        take().unwrap_err();
        assert_eq!(files(), 1, "it is still held");
        std::fs::remove_file(&cleaned.path).unwrap();
        let next = take().unwrap();
        drop(cleaned);
        assert_eq!(files(), 1, "the next one's");
        take().unwrap_err();
        drop(next);
        assert_eq!(files(), 0);
    }

    #[test]
    fn a_hundred_threads_hold_a_key_in_turn_and_leave_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let (holders, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    let held = loop {
                        match KeyLock::take_in(dir.path(), "key", "https://venue") {
                            Ok(held) => break held,
                            Err(_) => std::thread::yield_now(),
                        }
                    };
                    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                    taken.fetch_add(1, Ordering::SeqCst);
                    holders.fetch_sub(1, Ordering::SeqCst);
                    drop(held);
                });
            }
        });
        assert_eq!(taken.load(Ordering::SeqCst), 100);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
