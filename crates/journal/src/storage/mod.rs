//! What the journal asks of a disk.

mod disk;
mod sim;

use std::io;

pub use disk::DiskStorage;
pub use sim::{Crash, Fault, SimStorage};

/// The answer to an attempt to become the one writer.
#[derive(Debug)]
pub enum Locking<L> {
    /// This process is the writer, until the value is dropped.
    Ours(L),
    /// Another one is, with this process id where known.
    Held(Option<u32>),
}

/// One directory of files.
///
/// Handles are cheap to clone and name the same directory. Changes to names ([`create`](Self::create),
/// [`rename`](Self::rename), [`remove`](Self::remove)) survive a crash only after [`sync_dir`](Self::sync_dir), changes to
/// bytes only after [`StorageFile::sync`].
pub trait Storage: Clone + Send + Sync + 'static {
    /// An open file.
    type File: StorageFile;
    /// Held by the one writer.
    type Lock: Send;

    /// Makes the directory, if it is not there.
    fn create_dir(&self) -> io::Result<()>;
    /// Tries to become the one writer, without waiting.
    fn lock(&self) -> io::Result<Locking<Self::Lock>>;
    /// Names of all files, in no order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Opens a file for reading, and for writing if `write`.
    fn open(&self, name: &str, write: bool) -> io::Result<Self::File>;
    /// Makes a file of `bytes` zeros, replacing one of that name. The zeros are synced, the name is not.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Self::File>;
    /// Renames a file, replacing one that has the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes all changes of names durable.
    fn sync_dir(&self) -> io::Result<()>;
    /// Waits as long as a write that another process has begun may take to become visible as a whole.
    fn settle(&self);
}

/// One open file of a [`Storage`].
#[expect(clippy::len_without_is_empty, reason = "a file's length in bytes, which may fail; nobody asks if it is empty")]
pub trait StorageFile: Send + 'static {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Reads up to `buffer.len()` bytes from `offset`; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`. After an error, any part of them may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes written bytes and the length durable.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
}

/// Reads from `offset` until `buffer` is full or the file ends; says how much it read.
pub(crate) fn read_full(file: &impl StorageFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Reads a whole file.
pub(crate) fn read_all(file: &impl StorageFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let read = read_full(file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}
