//! How far the reading of a long file is.

use crate::feather::Batches;
use arrow_array::RecordBatch;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

type Listener = Arc<dyn Fn(u64) + Send + Sync>;

/// Who is told how far the reading of a file is; nobody by default.
///
/// What is told is how many bytes of the file were read. A file is read once or several times, and each pass begins again
/// at 0. Its hash, which is made beside them, is not told of.
#[derive(Clone, Default)]
pub struct Progress(Option<Listener>);

impl Progress {
    /// Tells `listener`, which should be quick: it is called for every buffer that is read.
    #[must_use]
    pub fn new(listener: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// A reader of the same bytes that tells of them.
    pub(crate) fn watch<R>(&self, reader: R) -> Watched<R> {
        Watched { reader, progress: self.clone(), read: 0 }
    }

    /// The same batches, each of which is told as its share of the file's `bytes`: `weight` of `total`.
    pub(crate) fn batches(
        &self,
        batches: Batches,
        bytes: u64,
        total: u64,
        weight: impl Fn(&RecordBatch) -> u64 + Send + 'static,
    ) -> Batches {
        let (progress, mut done) = (self.clone(), 0_u64);
        Box::new(batches.inspect(move |batch| {
            done += batch.as_ref().map_or(0, &weight);
            let share = u128::from(bytes) * u128::from(done.min(total)) / u128::from(total.max(1));
            progress.tell(u64::try_from(share).unwrap_or(bytes));
        }))
    }

    fn tell(&self, bytes: u64) {
        if let Some(listener) = &self.0 {
            listener(bytes);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(told)" } else { "Progress(untold)" })
    }
}

/// A reader whose bytes are told of.
pub(crate) struct Watched<R> {
    reader: R,
    progress: Progress,
    read: u64,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read += count as u64;
        self.progress.tell(self.read);
        Ok(count)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.read = self.reader.seek(to)?;
        Ok(self.read)
    }
}
