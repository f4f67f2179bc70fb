//! From a journal to a state: the newest snapshot of this logic, then every record after it, folded.

use crate::endings::{Beside, Endings};
use crate::fees::Fees;
use tradewind_engine::{CodecError, EventKind, LOGIC_VERSION, State, apply, decode};
use tradewind_journal::{
    Journal, OpenError, Options, ReadError, Reader, Recovery, Snapshot, Storage, latest_snapshot_storage,
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
    // what an earlier logic made of the same records need not be what this one makes of them, and a replay starts at the first
    let is_whole = || Reader::open_storage(storage.clone(), 1).is_ok();
    let found = found.filter(|_| written == LOGIC_VERSION || !is_whole());
    let (mut state, mut endings, mut fees) = found.and_then(read).unwrap_or_default();
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

/// The state of the newest sound snapshot, if there is one that this program reads.
///
/// # Errors
/// [`ReadError`] if the storage cannot be read.
pub fn snapshot_state<S: Storage>(storage: &S) -> Result<Option<State>, ReadError> {
    Ok(latest_snapshot_storage(storage)?.and_then(read).map(|(state, ..)| state))
}

fn read(snapshot: Snapshot) -> Option<(State, Endings, Fees)> {
    match serde_json::from_slice::<State>(&snapshot.bytes) {
        Ok(state) => {
            let beside: Beside = serde_json::from_slice(&snapshot.bytes).unwrap_or_default(); // they are words for people
            Some((state, beside.endings, beside.fees.unwrap_or_else(Fees::since_now)))
        }
        Err(error) => {
            // a snapshot only saves time: an older shape of it is left aside, and the whole log is folded
            tracing::warn!(%error, "the snapshot is of another version: folding the whole journal");
            None
        }
    }
}
