//! Small files that are there wholly or not at all, whatever ends the process or fills the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tradewind_journal::{failpoint, failpoint_after};

/// Makes the file at `path` hold `bytes`, durably; until then it stays what it was. `mode` is that of a new file.
///
/// # Errors
/// Where it cannot be written: then nothing is left of the attempt.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let fresh = beside(path);
    remove_if_there(&fresh)?; // of a process that died; its mode may be another
    fill(&fresh, bytes, mode).and_then(|()| std::fs::rename(&fresh, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&fresh); // the first error says what is wrong
    })?;
    failpoint("node.file.renamed");
    sync_dir_of(path)
}

fn fill(fresh: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(fresh)?;
    failpoint("node.file.created");
    failpoint_after("node.file.half-written", || {
        let _ = file.write_all(&bytes[..bytes.len() / 2]); // the process ends here
    });
    file.write_all(bytes)?;
    file.sync_all()?;
    failpoint("node.file.synced");
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Takes a file away; one that is not there is gone already.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Makes the names in the directory of `path` durable.
pub(crate) fn sync_dir_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if dir != Path::new("") => File::open(dir)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Whether what failed is for want of space: a full disk, a used-up quota, a limit on the size of files.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_what_a_dead_process_left_is_in_nobodys_way() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(beside(&path), "half a").unwrap(); // readable by all
        write_whole(&path, b"first", 0o600).unwrap();
        write_whole(&path, b"second", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!beside(&path).exists());
    }

    #[test]
    fn where_it_cannot_be_written_what_was_there_stays() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "old").unwrap();
        std::fs::create_dir(beside(&path)).unwrap();
        assert!(write_whole(&path, b"new", 0o600).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }
}
