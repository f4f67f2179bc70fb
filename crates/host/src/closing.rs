//! What is written now and then, and at the end: state hashes and snapshots.

use crate::draft::Draft;
use crate::endings::Snapshot;
use crate::host::Host;
use crate::outside::Outside;
use tradewind_domain::{PortfolioId, with_causes};
use tradewind_engine::{EventKind, LOGIC_VERSION};
use tradewind_journal::{AppendError, Storage, failpoint};

/// Events between two state hashes.
const HASH_EVERY: u64 = 10_000;

impl<S: Storage, O: Outside> Host<S, O> {
    /// Records a hash of the state and writes a snapshot, each where so many events have passed since its last.
    pub(crate) fn write_what_is_due(&mut self) -> Result<(), AppendError> {
        if self.state.sequence >= self.hashed + HASH_EVERY {
            self.record_hash()?;
        }
        if self.state.sequence >= self.snapshotted.saturating_add(self.snapshot_every) {
            self.snapshot();
        }
        Ok(())
    }

    /// Records the hash of the state.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn record_hash(&mut self) -> Result<(), AppendError> {
        self.hashed = self.state.sequence + 1;
        let kind = EventKind::StateHash { hash: self.state.hash(), logic: LOGIC_VERSION };
        let (now, wall) = (self.state.now, self.outside.wall());
        self.append(Draft::of_host(now, wall, PortfolioId(0), kind))?;
        failpoint("host.hash.recorded");
        Ok(())
    }

    /// Writes a snapshot. A snapshot that cannot be written costs time at the next start, nothing else.
    pub fn snapshot(&mut self) {
        self.snapshotted = self.state.sequence;
        failpoint("host.snapshot.begun");
        let written = self.journal.sync().map_err(|error| with_causes(&error)).and_then(|_| {
            let snapshot =
                Snapshot { state: &self.state, endings: &self.endings, fees: &self.fees, logic: LOGIC_VERSION };
            let bytes = serde_json::to_vec(&snapshot).map_err(|error| with_causes(&error))?;
            self.journal.write_snapshot(self.state.sequence, &bytes).map_err(|error| with_causes(&error))
        });
        if let Err(error) = written {
            tracing::warn!(error, "no snapshot could be written");
        }
    }
}
