//! From a journal to a state: the newest snapshot, then every record after it, folded.

use crate::data_dir::DataDir;
use crate::error::NodeError;
use std::path::Path;
use std::time::{Duration, Instant};
use tradewind_domain::Sequence;
use tradewind_engine::{CodecError, Event, Replay, State, decode};
use tradewind_host as host;
use tradewind_journal::{DiskStorage, Journal, Options, ReadError, Reader, Recovery};

/// What a recovery found.
#[derive(Debug)]
pub struct Recovered {
    /// The state after the last record.
    pub state: State,
    /// Why orders ended without being filled.
    pub endings: host::Endings,
    /// What was charged for orders and positions.
    pub fees: host::Fees,
    /// Records folded after the snapshot.
    pub folded: u64,
    /// How long it took.
    pub took: Duration,
    /// What the log itself had to say.
    pub recovery: Recovery,
}

/// Opens the journal of `data_dir` for writing and folds it.
///
/// # Errors
/// [`NodeError`] if another process writes it, it is damaged, or a record is not ours.
pub fn recover(data_dir: &Path, options: Options) -> Result<(Journal, Recovered), NodeError> {
    let started = Instant::now();
    let dir = DataDir::new(data_dir).journal();
    let (journal, found) = host::recover(DiskStorage::new(&dir), options).map_err(|error| match error {
        host::RecoverError::Open(source) => NodeError::Journal { dir, source: Box::new(source) },
        host::RecoverError::Read(source) => source.into(),
        host::RecoverError::Newer { written } => NodeError::Newer { written },
        host::RecoverError::Record { sequence, source } => NodeError::Record { sequence, source },
    })?;
    let host::Recovered { state, endings, fees, folded, recovery } = found;
    Ok((journal, Recovered { state, endings, fees, folded, took: started.elapsed(), recovery }))
}

/// What came of deciding a journal again.
#[derive(Debug)]
pub struct Replayed {
    /// The events that were decided again.
    pub replay: Replay,
    /// Events before them, of which retention has removed the first: a snapshot stands for all of these. 0 where every event
    /// was decided again.
    pub from_snapshot: Sequence,
}

impl Replayed {
    /// How many events were decided again.
    #[must_use]
    pub const fn decided(&self) -> u64 {
        self.replay.state().sequence - self.from_snapshot
    }
}

/// Decides everything again that a data directory's journal remembers; from a snapshot on, the oldest one that this logic
/// wrote or else the newest, if retention has removed what came before it.
///
/// # Errors
/// [`NodeError`] if the journal cannot be read or a record is not ours.
pub fn replay(data_dir: &Path, mut progress: impl FnMut(u64)) -> Result<Replayed, NodeError> {
    let (mut reader, mut replay) = beginning(&DataDir::new(data_dir).journal())?;
    let from_snapshot = replay.state().sequence;
    while let Some(record) = reader.next()? {
        let event = decode(record.payload).map_err(|source| NodeError::Record { sequence: record.seq, source })?;
        if event.sequence != record.seq {
            let start = format!("event {} in record {}", event.sequence, record.seq);
            let source = CodecError::Malformed { start, source: serde::de::Error::custom("sequence numbers differ") };
            return Err(NodeError::Record { sequence: record.seq, source });
        }
        replay.feed(&event);
        if record.seq.is_multiple_of(10_000) {
            progress(record.seq);
        }
    }
    Ok(Replayed { replay, from_snapshot })
}

fn beginning(dir: &Path) -> Result<(Reader, Replay), NodeError> {
    match Reader::open(dir, 1) {
        Ok(reader) => Ok((reader, Replay::default())),
        Err(removed @ ReadError::Removed { .. }) => match host::oldest_snapshot_state(&DiskStorage::new(dir))? {
            Some((state, logic)) => Ok((Reader::open(dir, state.sequence + 1)?, Replay::from_state(state, logic))),
            None => Err(removed.into()),
        },
        Err(other) => Err(other.into()),
    }
}

/// Every event of a data directory's journal, oldest first. Stops at the first record that cannot be read; verify
/// the journal to know that there is none.
///
/// # Errors
/// [`NodeError::Read`] if the journal cannot be opened.
pub fn events(data_dir: &Path) -> Result<impl Iterator<Item = Event>, NodeError> {
    let mut reader = Reader::open(DataDir::new(data_dir).journal(), 1)?;
    Ok(std::iter::from_fn(move || {
        let record = reader.next().ok()??;
        decode(record.payload).ok()
    }))
}
