//! The next segment, made ready in the background: zeroing 64 MiB must not hold up an order.

use std::io;
use std::thread::JoinHandle;

use crate::format::SPARE;
use crate::storage::Storage;

/// At most one prepared file.
pub(crate) struct Spare<S: Storage> {
    ready: Option<(u64, S::File)>,
    making: Option<(u64, JoinHandle<io::Result<S::File>>)>,
}

impl<S: Storage> Spare<S> {
    pub(crate) fn none() -> Self {
        Self { ready: None, making: None }
    }

    /// Begins to make a file of `bytes` zeros, unless one is in the making.
    pub(crate) fn prepare(&mut self, storage: &S, bytes: u64) {
        if self.making.is_none() && self.ready.is_none() {
            let storage = storage.clone();
            let thread = std::thread::Builder::new().name("journal-spare".to_owned());
            // without a thread the file is made when it is needed
            self.making = thread.spawn(move || storage.create(SPARE, bytes)).ok().map(|thread| (bytes, thread));
        }
    }

    /// The prepared file, if it has `bytes`; otherwise makes one now.
    pub(crate) fn take(&mut self, storage: &S, bytes: u64) -> io::Result<S::File> {
        let ready = self.ready.take().map(|(made, file)| (made, Ok(file)));
        match ready.or_else(|| self.wait()) {
            Some((made, Ok(file))) if made == bytes => Ok(file),
            _ => storage.create(SPARE, bytes), // a failure in the background is met again here, and reported
        }
    }

    /// Why the file could not be made, if that is known by now; then the next call of [`prepare`](Self::prepare) tries
    /// again.
    pub(crate) fn failure(&mut self) -> Option<io::Error> {
        if !self.making.as_ref()?.1.is_finished() {
            return None;
        }
        let (bytes, made) = self.wait()?;
        match made {
            Ok(file) => {
                self.ready = Some((bytes, file));
                None
            }
            Err(error) => Some(error),
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
