//! From a journal to a state: the newest snapshot of this logic, then every record after it, folded.

use crate::endings::{Beside, Endings};
use crate::fees::Fees;
use tradewind_engine::{CodecError, EventKind, LOGIC_VERSION, State, apply, decode};
use tradewind_journal::{
    Journal, OpenError, Options, ReadError, Reader, Recovery, Snapshot, Storage, latest_snapshot_storage,
    snapshot_storage, snapshots_storage,
};

/// What a recovery found.
#[derive(Debug)]
pub struct Recovered {
    /// The state after the last record.
    pub state: State,
    /// Why orders ended without being filled.
    pub endings: Endings,
    /// What was charged for orders and positions.
    pub fees: Fees,
    /// Records folded after the snapshot.
    pub folded: u64,
    /// What the log itself had to say.
    pub recovery: Recovery,
}

/// Why a journal does not give a state.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// It cannot be opened.
    #[error("the journal cannot be opened: {0}")]
    Open(#[from] OpenError),
    /// It cannot be read.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] ReadError),
    /// It was written by a program whose decision logic is later than ours: going on would decide otherwise.
    #[error("the journal was written by logic {written}, this program has logic {LOGIC_VERSION}")]
    Newer {
        /// The logic that wrote it.
        written: u32,
    },
    /// A record is not ours.
    #[error("record {sequence} of the journal: {source}")]
    Record {
        /// Which record.
        sequence: u64,
        /// Why.
        #[source]
        source: CodecError,
    },
}

/// Opens a journal for writing and folds it. Nothing is decided.
///
/// # Errors
/// [`RecoverError`] if another process writes it, it is damaged, or a record is not ours.
pub fn recover<S: Storage>(storage: S, options: Options) -> Result<(Journal<S>, Recovered), RecoverError> {
    let (journal, recovery) = Journal::open_storage(storage.clone(), options)?;
    let found = latest_snapshot_storage(&storage)?;
    let written = found.as_ref().map_or(LOGIC_VERSION, logic_of);
    check_logic(written)?;
    let is_whole = Reader::open_storage(storage.clone(), 1).is_ok();
    let start = if is_whole {
        // what an earlier logic made of the same records need not be what this one makes of them, and a replay starts at the
        // first
        found.filter(|_| written == LOGIC_VERSION).and_then(read)
    } else {
        newest_that_reads(&storage)?.map(|(start, _)| start)
    };
    let (mut state, mut endings, mut fees) = start.unwrap_or_default();
    let mut folded = 0;
    if journal.last_seq() > state.sequence {
        let mut reader = Reader::open_storage(storage, state.sequence + 1)?;
        while let Some(record) = reader.next()? {
            let event =
                decode(record.payload).map_err(|source| RecoverError::Record { sequence: record.seq, source })?;
            if let EventKind::Started { logic, .. } | EventKind::StateHash { logic, .. } = event.kind {
                check_logic(logic)?;
            }
            let before = state.counters;
            apply(&mut state, &event);
            endings.note(&state, &event);
            fees.note(&before, &state, &event);
            folded += 1;
        }
    }
    Ok((journal, Recovered { state, endings, fees, folded, recovery }))
}

fn logic_of(snapshot: &Snapshot) -> u32 {
    serde_json::from_slice::<Beside>(&snapshot.bytes).unwrap_or_default().logic
}

fn check_logic(written: u32) -> Result<(), RecoverError> {
    if written > LOGIC_VERSION { Err(RecoverError::Newer { written }) } else { Ok(()) }
}

/// What the newest snapshot that this program reads holds, and the logic that wrote it.
fn newest_that_reads<S: Storage>(storage: &S) -> Result<Option<(Start, u32)>, ReadError> {
    for sequence in snapshots_storage(storage)?.into_iter().rev() {
        let Some(snapshot) = snapshot_storage(storage, sequence)? else { continue };
        let logic = logic_of(&snapshot);
        if let Some(start) = read(snapshot) {
            return Ok(Some((start, logic)));
        }
    }
    Ok(None)
}

/// The state of the newest sound snapshot that this program reads, if there is one.
///
/// # Errors
/// [`ReadError`] if the storage cannot be read.
pub fn snapshot_state<S: Storage>(storage: &S) -> Result<Option<State>, ReadError> {
    Ok(newest_that_reads(storage)?.map(|((state, ..), _)| state))
}

/// The state of the snapshot of record `sequence`, if it is sound and this program reads it.
///
/// # Errors
/// [`ReadError`] if there is none, or the storage cannot be read.
pub fn snapshot_state_of<S: Storage>(storage: &S, sequence: u64) -> Result<Option<State>, ReadError> {
    Ok(snapshot_storage(storage, sequence)?.and_then(read).map(|(state, ..)| state))
}

/// The state from which most of the log can be decided again: that of the oldest snapshot which this logic wrote, or of the
/// newest one that reads where it wrote none; and the logic that wrote it. What an earlier logic had made of the records
/// between the two need not be what this one makes of them.
///
/// # Errors
/// [`ReadError`] if the storage cannot be read.
pub fn oldest_snapshot_state<S: Storage>(storage: &S) -> Result<Option<(State, u32)>, ReadError> {
    for sequence in snapshots_storage(storage)? {
        let snapshot = snapshot_storage(storage, sequence)?.filter(|it| logic_of(it) == LOGIC_VERSION);
        if let Some((state, ..)) = snapshot.and_then(read) {
            return Ok(Some((state, LOGIC_VERSION)));
        }
    }
    Ok(newest_that_reads(storage)?.map(|((state, ..), logic)| (state, logic)))
}

/// What a snapshot gives to begin with.
type Start = (State, Endings, Fees);

fn read(snapshot: Snapshot) -> Option<Start> {
    match serde_json::from_slice::<State>(&snapshot.bytes) {
        Ok(state) => {
            let beside: Beside = serde_json::from_slice(&snapshot.bytes).unwrap_or_default(); // they are words for people
            Some((state, beside.endings, beside.fees.unwrap_or_else(Fees::since_now)))
        }
        Err(error) => {
            // a snapshot only saves time: an older shape of it is left aside, and more of the log is folded
            tracing::warn!(%error, sequence = snapshot.seq, "the snapshot is of another version and is left aside");
            None
        }
    }
}
