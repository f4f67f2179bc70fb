//! The engine's own thread: one inbox, one journal, one state. Everything that happens passes here in one order.

use crate::clock::{MarketClock, wall};
use crate::error::NodeError;
use crate::inbox::{Fact, Input, Progress};
use crate::outgoing::Wire;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tradewind_domain::{Bar, InstrumentId, OrderState, Origin, PortfolioId, Source, Timestamp};
use tradewind_engine::{EventKind, State};
use tradewind_host::Host;
use tradewind_journal::{DiskStorage, Journal, failpoint};
use tradewind_strategies::Desk;

/// The engine's thread.
pub(crate) struct Core {
    pub(crate) host: Host<DiskStorage, Wire>,
    pub(crate) desks: Vec<Desk>,
    pub(crate) clock: MarketClock,
    pub(crate) notices: VecDeque<String>,
    pub(crate) trading: bool,
    /// Positions to close once their open orders are off the book.
    pub(crate) exits_due: Vec<(PortfolioId, InstrumentId)>,
    sync_every: Duration,
    /// When the journal was last seen synced, and through which record.
    synced: (Instant, u64),
    pace: Option<mpsc::UnboundedSender<Progress>>,
    progress: Progress,
    told: Option<Progress>,
}

/// What a core is made of.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) journal: Journal,
    pub(crate) desks: Vec<Desk>,
    pub(crate) wire: Wire,
    pub(crate) clock: MarketClock,
    pub(crate) sync_every: Duration,
    pub(crate) snapshot_every: u64,
    pub(crate) pace: Option<mpsc::UnboundedSender<Progress>>,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            progress: Progress { through: None, fills: parts.state.counters.fills, open_orders: 0 },
            host: Host::new(parts.state, parts.journal, parts.wire, parts.snapshot_every),
            desks: parts.desks,
            clock: parts.clock,
            notices: VecDeque::new(),
            trading: false,
            exits_due: Vec::new(),
            sync_every: parts.sync_every,
            synced: (Instant::now(), 0),
            pace: parts.pace,
            told: None,
        }
    }

    /// Runs until told to stop. An error of the journal ends it: nothing leaves that is not remembered.
    pub(crate) fn run(mut self, mut inbox: mpsc::Receiver<Input>) -> Result<Self, NodeError> {
        self.trading = true;
        while let Some(input) = inbox.blocking_recv() {
            if let Input::Stop(done) = input {
                self.stop(&mut inbox)?;
                let _ = done.send(()); // whoever asked may have stopped waiting
                return Ok(self);
            }
            self.take(input)?;
            self.exit_if_due()?;
            self.sync_if_due()?;
            self.tell_progress();
        }
        self.stop(&mut inbox)?;
        Ok(self)
    }

    /// The market's time, never before an event that was recorded.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().max(self.host.state.now)
    }

    pub(crate) fn take(&mut self, input: Input) -> Result<(), NodeError> {
        match input {
            Input::Fact(fact) => self.fact(fact),
            Input::Bar { bar, received, origin } => self.bar(&bar, received, origin),
            Input::Operator(request, reply) => {
                let answer = self.operate(request)?;
                failpoint("node.operator.recorded");
                self.host.journal.sync()?; // what a person was told is durable
                failpoint("node.operator.synced");
                let _ = reply.send(answer); // the person may be gone
                Ok(())
            }
            Input::BytesOut { received, decided, sent } => {
                self.host.outside.latency.frame_to_bytes.note(sent.since(received));
                self.host.outside.latency.decision_to_bytes.note(sent.since(decided));
                Ok(())
            }
            Input::OpenOrders(reply) => {
                let open = self.host.state.open.values().map(|it| (it.order.client_id(), it.order.instrument()));
                let _ = reply.send(open.collect()); // whoever asked may be gone
                Ok(())
            }
            Input::Notice(text) => {
                tracing::warn!("{text}");
                if self.notices.len() == 50 {
                    self.notices.pop_front();
                }
                self.notices.push_back(text);
                Ok(())
            }
            Input::Tick if self.host.state.open.is_empty() => Ok(()), // nothing to expire: no event
            Input::Tick => {
                let now = self.now();
                self.record(now, wall(), Source::Timer, PortfolioId(0), EventKind::Timer)
            }
            Input::Stop(_) => Ok(()),
        }
    }

    fn fact(&mut self, fact: Fact) -> Result<(), NodeError> {
        let at = match fact.at {
            Some(at) => {
                self.clock.note(at);
                at
            }
            None => self.now(),
        };
        self.record(at, fact.received, fact.source, fact.portfolio, fact.kind)
    }

    /// A closed bar: into the journal, then to every desk that watches its instrument.
    fn bar(&mut self, bar: &Bar, received: Timestamp, origin: Origin) -> Result<(), NodeError> {
        let at = bar.close_time();
        self.clock.note(at);
        self.host.bar(&mut self.desks, bar, received, origin)?;
        self.progress.through = Some(at);
        Ok(())
    }

    /// Syncs the journal where no request did it lately.
    fn sync_if_due(&mut self) -> Result<(), NodeError> {
        let synced = self.host.journal.synced_seq();
        if synced != self.synced.1 {
            self.synced = (Instant::now(), synced);
        }
        if self.synced.0.elapsed() >= self.sync_every {
            self.synced = (Instant::now(), self.host.journal.sync()?);
        }
        Ok(())
    }

    /// Tells whoever paces the tape how far this node is, unless an order is without its answer.
    fn tell_progress(&mut self) {
        let Some(pace) = &self.pace else { return };
        let answered = |state| matches!(state, OrderState::Working | OrderState::Closed { .. });
        if !self.host.state.open.values().all(|record| answered(record.state)) {
            return;
        }
        (self.progress.fills, self.progress.open_orders) = (self.host.state.counters.fills, self.host.state.open.len());
        if self.told != Some(self.progress) {
            self.told = Some(self.progress);
            let _ = pace.send(self.progress); // nobody may be listening any more
        }
    }

    /// Records what follows an event of the outside world or of a person.
    pub(crate) fn record(
        &mut self,
        at: Timestamp,
        received: Timestamp,
        source: Source,
        portfolio: PortfolioId,
        kind: EventKind,
    ) -> Result<(), NodeError> {
        Ok(self.host.record(at, received, source, portfolio, kind)?)
    }
}
