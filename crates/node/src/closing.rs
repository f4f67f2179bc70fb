//! What is written now and then, and at the end: syncs, state hashes, snapshots.

use crate::clock::wall;
use crate::core::{Core, Draft};
use crate::error::NodeError;
use crate::inbox::Input;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tradewind_domain::{ClientOrderId, PortfolioId, Source};
use tradewind_engine::{EventKind, LOGIC_VERSION};

/// Events between two state hashes.
const HASH_EVERY: u64 = 10_000;
/// How long the end waits for cancels to be confirmed.
const CANCELS_WITHIN: Duration = Duration::from_millis(1_500);

impl Core {
    pub(crate) fn hash_if_due(&mut self) -> Result<(), NodeError> {
        if self.state.sequence < self.hashed + HASH_EVERY {
            return Ok(());
        }
        self.record_hash()?;
        if self.state.sequence >= self.snapshotted + self.snapshot_every {
            self.snapshot();
        }
        Ok(())
    }

    fn record_hash(&mut self) -> Result<(), NodeError> {
        self.hashed = self.state.sequence + 1;
        let kind = EventKind::StateHash { hash: self.state.hash(), logic: LOGIC_VERSION };
        let now = self.state.now;
        self.append(Draft::of_host(now, wall(), PortfolioId(0), kind)).map(drop)
    }

    /// Writes a snapshot. A snapshot that cannot be written costs time at the next start, nothing else.
    fn snapshot(&mut self) {
        self.snapshotted = self.state.sequence;
        let written = self.journal.sync().map_err(|error| error.to_string()).and_then(|_| {
            let bytes = serde_json::to_vec(&self.state).map_err(|error| error.to_string())?;
            self.journal.write_snapshot(self.state.sequence, &bytes).map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(error, "no snapshot could be written");
        }
    }

    pub(crate) fn sync_if_due(&mut self) -> Result<(), NodeError> {
        if self.synced.elapsed() >= self.sync_every {
            self.journal.sync()?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Ends trading: what could add to a position is cancelled, what only protects one stays at the venue. Waits a
    /// moment for the venue's word, then writes hash and snapshot.
    pub(crate) fn stop(&mut self, inbox: &mut mpsc::Receiver<Input>) -> Result<(), NodeError> {
        self.trading = false;
        self.desks.clear();
        self.exits_due.clear();
        let adding = self.state.open.values().filter(|record| self.state.adds_exposure(record));
        let leaving: Vec<ClientOrderId> = adding.map(|record| record.order.client_id()).collect();
        let now = self.now();
        for client_id in leaving.iter().copied() {
            // the operator's: they end the run, so replay takes these cancels as given, like any of theirs
            self.record(now, wall(), Source::Operator, PortfolioId(0), EventKind::CancelProposed { client_id })?;
        }
        let until = Instant::now() + CANCELS_WITHIN;
        while leaving.iter().any(|id| self.state.open.contains_key(id)) && Instant::now() < until {
            match inbox.try_recv() {
                Ok(input) => self.take(input)?,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(2)),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
            }
        }
        let now = self.now();
        self.record(now, wall(), Source::Host, PortfolioId(0), EventKind::Stopped)?;
        self.record_hash()?;
        self.snapshot();
        self.journal.sync()?;
        Ok(())
    }
}
