//! A real directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate};

use super::{Locking, Storage, StorageFile};

const LOCK: &str = "writer.lock";
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// A directory of the file system.
#[derive(Clone, Debug)]
pub struct DiskStorage {
    dir: PathBuf,
}

impl DiskStorage {
    /// Names a directory; touches nothing.
    pub fn new(dir: impl AsRef<Path>) -> Self {
        Self { dir: dir.as_ref().to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The lock file of the one writer; empty again once it is dropped. A killed process leaves its id, but no lock.
#[derive(Debug)]
pub struct DiskLock(File);

impl Drop for DiskLock {
    fn drop(&mut self) {
        let _ = self.0.set_len(0); // the id is a help for people, the lock is the operating system's
        let _ = self.0.unlock(); // closing alone leaves it to a child that was forked and is not another program yet
    }
}

impl Storage for DiskStorage {
    type File = File;
    type Lock = DiskLock;

    fn create_dir(&self) -> io::Result<()> {
        if self.dir.is_dir() {
            return Ok(());
        }
        let mut holders = vec![parent_of(&self.dir)];
        while !holders[holders.len() - 1].exists() {
            holders.push(parent_of(&holders[holders.len() - 1]));
        }
        fs::create_dir_all(&self.dir)?;
        holders.iter().try_for_each(|dir| File::open(dir)?.sync_all()) // each holds the name of a new one
    }

    fn lock(&self) -> io::Result<Locking<DiskLock>> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.path(LOCK))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.write_all_at(std::process::id().to_string().as_bytes(), 0)?;
                Ok(Locking::Ours(DiskLock(file)))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                Ok(Locking::Held(holder.trim().parse().ok()))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn open(&self, name: &str, write: bool) -> io::Result<File> {
        OpenOptions::new().read(true).write(write).open(self.path(name))
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(self.path(name))?;
        fill(&file, bytes).inspect_err(|_| {
            let _ = fs::remove_file(self.path(name)); // gives the space back; an unfinished file is removed on open anyway
        })?;
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }

    fn settle(&self) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn parent_of(dir: &Path) -> PathBuf {
    match dir.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Reserves the space in one piece, then writes zeros, so that a later sync has no extent to convert.
fn fill(file: &File, bytes: u64) -> io::Result<()> {
    if bytes > 0 {
        match fallocate(file, FallocateFlags::empty(), 0, bytes).map_err(io::Error::from) {
            Err(error) if error.kind() != ErrorKind::Unsupported => return Err(error),
            _ => {} // file systems without it allocate while the zeros are written
        }
    }
    let mut at = 0;
    while at < bytes {
        let step = (bytes - at).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..usize::try_from(step).expect("at most 1 MiB")], at)?;
        at += step;
    }
    file.sync_all()
}

impl StorageFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match FileExt::read_at(self, buffer, offset) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                answer => return answer,
            }
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        File::set_len(self, bytes)
    }
}
