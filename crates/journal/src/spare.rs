//! The next segment, made ready in the background: zeroing 64 MiB must not hold up an order.

use std::io;
use std::thread::JoinHandle;

use crate::format::SPARE;
use crate::storage::Storage;

/// At most one prepared file.
pub(crate) struct Spare<S: Storage> {
    making: Option<(u64, JoinHandle<io::Result<S::File>>)>,
}

impl<S: Storage> Spare<S> {
    pub(crate) fn none() -> Self {
        Self { making: None }
    }

    /// Begins to make a file of `bytes` zeros, unless one is in the making.
    pub(crate) fn prepare(&mut self, storage: &S, bytes: u64) {
        if self.making.is_none() {
            let storage = storage.clone();
            let thread = std::thread::Builder::new().name("journal-spare".to_owned());
            // without a thread the file is made when it is needed
            self.making = thread.spawn(move || storage.create(SPARE, bytes)).ok().map(|thread| (bytes, thread));
        }
    }

    /// The prepared file, if it has `bytes`; otherwise makes one now.
    pub(crate) fn take(&mut self, storage: &S, bytes: u64) -> io::Result<S::File> {
        match self.wait() {
            Some((made, Ok(file))) if made == bytes => Ok(file),
            _ => storage.create(SPARE, bytes), // a failure in the background is met again here, and reported
        }
    }

    fn wait(&mut self) -> Option<(u64, io::Result<S::File>)> {
        let (bytes, thread) = self.making.take()?;
        Some((bytes, thread.join().unwrap_or_else(|_| Err(io::Error::other("the preparing thread panicked")))))
    }
}

impl<S: Storage> Drop for Spare<S> {
    /// Waits, so that the next writer does not meet a file in the making.
    fn drop(&mut self) {
        self.wait();
    }
}
