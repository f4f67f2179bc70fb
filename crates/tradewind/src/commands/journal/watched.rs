//! A journal's directory that counts on a bar what is read of it.

use indicatif::ProgressBar;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tradewind_journal::{DiskStorage, Locking, Storage, StorageFile};

/// Bytes of the bar's unit: a MiB.
const UNIT: u64 = 1 << 20;

/// A directory whose bar moves with every MiB that is read; otherwise like any other.
#[derive(Clone)]
pub(super) struct Watched {
    disk: DiskStorage,
    count: Count,
}

/// An open file of it.
pub(super) struct WatchedFile {
    file: <DiskStorage as Storage>::File,
    count: Count,
}

/// How many bytes were read, shared by all files of a directory.
#[derive(Clone)]
struct Count {
    bytes: Arc<AtomicU64>,
    bar: ProgressBar,
}

impl Watched {
    /// Names a directory; touches nothing.
    pub(super) fn new(dir: &Path, bar: &ProgressBar) -> Self {
        let count = Count { bytes: Arc::default(), bar: bar.clone() };
        Self { disk: DiskStorage::new(dir), count }
    }

    /// Names another directory, which counts on the same bar.
    pub(super) fn beside(&self, dir: &Path) -> Self {
        Self { disk: DiskStorage::new(dir), count: self.count.clone() }
    }

    fn watch(&self, file: <DiskStorage as Storage>::File) -> WatchedFile {
        WatchedFile { file, count: self.count.clone() }
    }
}

impl Count {
    fn add(&self, read: usize) {
        let before = self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        let units = (before + read as u64) / UNIT;
        if units > before / UNIT {
            self.bar.set_position(units);
        }
    }
}

/// How many MiB a check of the journal in `dir` reads, the last one begun; `None` where that cannot be seen.
pub(super) fn extent(dir: &Path) -> Option<u64> {
    let read = |path: &Path| path.extension().is_some_and(|it| it == "seg" || it == "snap");
    let files = std::fs::read_dir(dir).ok()?.flatten().filter(|it| read(&it.path()));
    let bytes: Option<u64> = files.map(|it| it.metadata().ok().map(|it| it.len())).sum();
    bytes.map(|bytes| bytes.div_ceil(UNIT))
}

impl Storage for Watched {
    type File = WatchedFile;
    type Lock = <DiskStorage as Storage>::Lock;

    fn create_dir(&self) -> io::Result<()> {
        self.disk.create_dir()
    }

    fn lock(&self) -> io::Result<Locking<Self::Lock>> {
        self.disk.lock()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn open(&self, name: &str, write: bool) -> io::Result<WatchedFile> {
        self.disk.open(name, write).map(|file| self.watch(file))
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<WatchedFile> {
        self.disk.create(name, bytes).map(|file| self.watch(file))
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
        self.disk.settle();
    }
}

impl StorageFile for WatchedFile {
    fn len(&self) -> io::Result<u64> {
        StorageFile::len(&self.file)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        StorageFile::read_at(&self.file, buffer, offset).inspect(|read| self.count.add(*read))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        StorageFile::write_at(&self.file, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        StorageFile::sync(&self.file)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        StorageFile::set_len(&self.file, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_journal::{backup, backup_storage, verify, verify_storage};

    fn kept() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data-v5/journal"))
    }

    #[test]
    fn a_watched_journal_verifies_like_any_other_and_every_byte_of_it_is_counted() {
        let watched = Watched::new(kept(), &ProgressBar::hidden());
        let report = verify_storage(&watched).unwrap();
        assert!(report.is_sound() && report.records == 405, "{report:?}");
        assert_eq!(report, verify(kept()).unwrap());
        let on_disk: u64 = std::fs::read_dir(kept()).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum();
        let counted = watched.count.bytes.load(Ordering::Relaxed);
        assert!((on_disk..2 * on_disk).contains(&counted), "{counted} of {on_disk}");
        assert_eq!(extent(kept()), Some(1), "a MiB that is begun counts");
    }

    #[test]
    fn a_watched_backup_is_the_same_as_any_other() {
        let dir = tempfile::tempdir().unwrap();
        let [journal, one, two] = ["journal", "one", "two"].map(|name| dir.path().join(name));
        std::fs::create_dir(&journal).unwrap();
        for entry in std::fs::read_dir(kept()).unwrap().map(Result::unwrap) {
            std::fs::copy(entry.path(), journal.join(entry.file_name())).unwrap(); // a backup syncs its source
        }
        let from = Watched::new(&journal, &ProgressBar::hidden());
        assert_eq!(backup_storage(&from, &from.beside(&one)).unwrap(), backup(&journal, &two).unwrap());
        for entry in std::fs::read_dir(&two).unwrap().map(Result::unwrap) {
            let copy = std::fs::read(one.join(entry.file_name())).unwrap();
            assert!(copy == std::fs::read(entry.path()).unwrap(), "{:?} differs", entry.file_name());
        }
    }

    #[test]
    fn the_bar_moves_with_every_mebibyte() {
        let bar = ProgressBar::hidden();
        let count = Count { bytes: Arc::default(), bar: bar.clone() };
        let half = usize::try_from(UNIT / 2).unwrap();
        let seen: Vec<u64> = [half, half, half, 3 * half]
            .map(|read| {
                count.add(read);
                bar.position()
            })
            .to_vec();
        assert_eq!(seen, [0, 1, 1, 3]);
    }
}
