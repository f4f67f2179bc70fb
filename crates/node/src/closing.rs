//! The end of a run: cancels, the last hash, the last snapshot.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::inbox::Input;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tradewind_domain::{ClientOrderId, PortfolioId, Source};
use tradewind_engine::{EventKind, Spoken};
use tradewind_host::Draft;
use tradewind_journal::failpoint;

/// How long the end waits for cancels to be confirmed.
const CANCELS_WITHIN: Duration = Duration::from_millis(1_500);
/// How long it waits until what was bought of a plan is guarded: nobody does that while no node runs.
const GUARDS_WITHIN: Duration = Duration::from_secs(4);

impl Core {
    /// Ends trading: what could add to a position is cancelled, what only protects one stays at the venue. Waits a
    /// moment for the venue's word, then writes hash and snapshot.
    pub(crate) fn stop(&mut self, inbox: &mut mpsc::Receiver<Input>) -> Result<(), NodeError> {
        failpoint("node.stop.begun");
        self.trading = false;
        self.desks.clear();
        self.pause_parents()?;
        let adding = self.host.state.open.values().filter(|record| self.host.state.adds_exposure(record));
        let leaving: Vec<ClientOrderId> = adding.map(|record| record.order.client_id()).collect();
        let now = self.now();
        for client_id in leaving.iter().copied() {
            // the operator's: they end the run, so replay takes these cancels as given, like any of theirs
            self.record(now, wall(), Source::Operator, PortfolioId(0), EventKind::CancelProposed { client_id })?;
        }
        let begun = Instant::now();
        while self.is_waited_for(&leaving, begun.elapsed()) {
            match inbox.try_recv() {
                Ok(input) => self.take(input)?,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(2)),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
            }
        }
        failpoint("node.stop.cancelled");
        let now = self.now();
        let spoken = self.stopped_by.take().map(|by| Box::new(Spoken { by: Some(by), key: None }));
        self.follow(Draft { spoken, ..Draft::of_host(now, wall(), PortfolioId(0), EventKind::Stopped) })?;
        self.host.record_hash()?;
        self.host.snapshot();
        self.host.journal.sync()?;
        Ok(())
    }

    /// Whether the end still waits: for cancels, and for guards that are being put in place of others.
    fn is_waited_for(&self, leaving: &[ClientOrderId], waited: Duration) -> bool {
        let state = &self.host.state;
        waited < CANCELS_WITHIN && leaving.iter().any(|id| state.open.contains_key(id))
            || waited < GUARDS_WITHIN && state.is_bare_for_now()
    }
}
