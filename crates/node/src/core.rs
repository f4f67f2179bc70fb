//! The engine's own thread: one inbox, one journal, one state. Everything that happens passes here in one order.

use crate::clock::{MarketClock, wall};
use crate::error::NodeError;
use crate::inbox::{Fact, Input, Outgoing, Progress};
use crate::latency::Histogram;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tradewind_domain::{AccountId, Bar, InstrumentId, OrderState, Origin, PortfolioId, Source, Timestamp};
use tradewind_engine::{Command, Event, EventKind, State, TradeDigest, Verdict, encode, step};
use tradewind_gate::Approved;
use tradewind_journal::Journal;
use tradewind_strategies::Desk;
use tradewind_venues::binance::Connection;

/// How long the parts of a decision take.
#[derive(Default)]
pub(crate) struct Latency {
    pub(crate) frame_to_decision: Histogram,
    pub(crate) decision_to_bytes: Histogram,
    pub(crate) frame_to_bytes: Histogram,
}

/// An event without its number.
pub(crate) struct Draft {
    pub(crate) at: Timestamp,
    pub(crate) received: Timestamp,
    pub(crate) source: Source,
    pub(crate) portfolio: PortfolioId,
    pub(crate) cause: Option<u64>,
    pub(crate) correlation: Option<u64>,
    pub(crate) kind: EventKind,
}

impl Draft {
    /// What the program itself notes, about nothing in particular.
    pub(crate) fn of_host(at: Timestamp, received: Timestamp, portfolio: PortfolioId, kind: EventKind) -> Self {
        Self { at, received, source: Source::Host, portfolio, cause: None, correlation: None, kind }
    }
}

/// The engine's thread.
pub(crate) struct Core {
    pub(crate) state: State,
    pub(crate) journal: Journal,
    pub(crate) desks: Vec<Desk>,
    pub(crate) connection: Connection,
    pub(crate) outbox: mpsc::Sender<Outgoing>,
    halted: Arc<AtomicBool>,
    pub(crate) clock: MarketClock,
    pub(crate) latency: Latency,
    pub(crate) digest: TradeDigest,
    pub(crate) notices: VecDeque<String>,
    pub(crate) trading: bool,
    /// The gate's newest word, for the person who asked.
    pub(crate) last_verdict: Option<Verdict>,
    /// Positions to close once their open orders are off the book.
    pub(crate) exits_due: Vec<(PortfolioId, InstrumentId)>,
    commands: Vec<Command>,
    sends: Vec<(Approved, u64)>,
    /// When the desk that is being asked decided.
    pub(crate) decided: Option<Timestamp>,
    pub(crate) sync_every: Duration,
    pub(crate) synced: Instant,
    pub(crate) snapshot_every: u64,
    pub(crate) hashed: u64,
    pub(crate) snapshotted: u64,
    pace: Option<mpsc::UnboundedSender<Progress>>,
    progress: Progress,
    told: Option<Progress>,
}

/// What a core is made of.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) journal: Journal,
    pub(crate) desks: Vec<Desk>,
    pub(crate) connection: Connection,
    pub(crate) outbox: mpsc::Sender<Outgoing>,
    pub(crate) halted: Arc<AtomicBool>,
    pub(crate) clock: MarketClock,
    pub(crate) sync_every: Duration,
    pub(crate) snapshot_every: u64,
    pub(crate) pace: Option<mpsc::UnboundedSender<Progress>>,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        let hashed = parts.state.sequence;
        Self {
            progress: Progress { through: None, fills: parts.state.counters.fills, open_orders: 0 },
            state: parts.state,
            journal: parts.journal,
            desks: parts.desks,
            connection: parts.connection,
            outbox: parts.outbox,
            halted: parts.halted,
            clock: parts.clock,
            latency: Latency::default(),
            digest: TradeDigest::default(),
            notices: VecDeque::new(),
            trading: false,
            last_verdict: None,
            exits_due: Vec::new(),
            commands: Vec::new(),
            sends: Vec::new(),
            decided: None,
            sync_every: parts.sync_every,
            synced: Instant::now(),
            snapshot_every: parts.snapshot_every,
            hashed,
            snapshotted: hashed,
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
        self.clock.now().max(self.state.now)
    }

    pub(crate) fn take(&mut self, input: Input) -> Result<(), NodeError> {
        match input {
            Input::Fact(fact) => self.fact(fact),
            Input::Bar { bar, received, origin } => self.bar(&bar, received, origin),
            Input::Operator(request, reply) => {
                let answer = self.operate(request)?;
                self.journal.sync()?; // what a person was told is durable
                let _ = reply.send(answer); // the person may be gone
                Ok(())
            }
            Input::BytesOut { received, decided, sent } => {
                self.latency.frame_to_bytes.note(sent.since(received));
                self.latency.decision_to_bytes.note(sent.since(decided));
                Ok(())
            }
            Input::OpenOrders(reply) => {
                let open = self.state.open.values().map(|it| (it.order.client_id(), it.order.instrument()));
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
            Input::Tick if self.state.open.is_empty() => Ok(()), // nothing to expire: no event
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
        self.record(at, received, Source::Market, PortfolioId(0), EventKind::BarClosed { bar: *bar, origin })?;
        let mut desks = std::mem::take(&mut self.desks);
        let mut said = Ok(());
        for desk in desks.iter_mut().filter(|desk| desk.instrument() == bar.instrument) {
            said = said.and_then(|()| self.ask(desk, bar, at, received));
        }
        self.desks = desks;
        self.progress.through = Some(at);
        said
    }

    fn ask(&mut self, desk: &mut Desk, bar: &Bar, at: Timestamp, received: Timestamp) -> Result<(), NodeError> {
        let outcome = desk.on_bar(&self.state, bar);
        let moment = wall();
        self.latency.frame_to_decision.note(moment.since(received));
        self.decided = Some(moment);
        let decided = EventKind::Decided(Box::new(desk.explain(&outcome)));
        self.record(at, received, desk.source(), desk.portfolio(), decided)?;
        for proposal in outcome.proposals {
            self.record(at, received, desk.source(), desk.portfolio(), EventKind::Proposed(proposal))?;
        }
        self.decided = None;
        Ok(())
    }

    /// Tells whoever paces the tape how far this node is, unless an order is without its answer.
    fn tell_progress(&mut self) {
        let Some(pace) = &self.pace else { return };
        let answered = |state| matches!(state, OrderState::Working | OrderState::Closed { .. });
        if !self.state.open.values().all(|record| answered(record.state)) {
            return;
        }
        (self.progress.fills, self.progress.open_orders) = (self.state.counters.fills, self.state.open.len());
        if self.told != Some(self.progress) {
            self.told = Some(self.progress);
            let _ = pace.send(self.progress); // nobody may be listening any more
        }
    }

    /// Appends and steps an event and everything that the engine makes of it, then sends what was approved.
    pub(crate) fn record(
        &mut self,
        at: Timestamp,
        received: Timestamp,
        source: Source,
        portfolio: PortfolioId,
        kind: EventKind,
    ) -> Result<(), NodeError> {
        let mut queue =
            VecDeque::from([Draft { at, received, source, portfolio, cause: None, correlation: None, kind }]);
        while let Some(draft) = queue.pop_front() {
            let event = self.append(draft)?;
            let correlation = event.correlation.or(Some(event.sequence));
            for command in std::mem::take(&mut self.commands) {
                match command {
                    Command::Record(kind, portfolio) => queue.push_back(Draft {
                        at: event.at,
                        received,
                        source: Source::Host,
                        portfolio,
                        cause: Some(event.sequence),
                        correlation,
                        kind,
                    }),
                    Command::Send(approved) => self.sends.push((approved, event.sequence)),
                }
            }
        }
        for (approved, cause) in std::mem::take(&mut self.sends) {
            self.send(approved, cause, at, received)?;
        }
        self.hash_if_due()
    }

    pub(crate) fn append(&mut self, draft: Draft) -> Result<Event, NodeError> {
        let event = self.event(draft);
        self.journal.append(&encode(&event, &self.state))?;
        self.apply(&event);
        Ok(event)
    }

    pub(crate) fn event(&self, draft: Draft) -> Event {
        Event {
            sequence: self.state.sequence + 1,
            at: draft.at,
            received: draft.received,
            source: draft.source,
            portfolio: draft.portfolio,
            account: AccountId(0),
            cause: draft.cause,
            correlation: draft.correlation,
            kind: draft.kind,
        }
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        let fills = self.state.counters.fills;
        step(&mut self.state, event, &mut self.commands);
        match &event.kind {
            EventKind::Filled(fill) if self.state.counters.fills > fills => {
                self.digest.add(&self.state.listing(fill.instrument).instrument, fill, event.at);
            }
            EventKind::Judged(verdict) => {
                if let Verdict::Refused(refusal) = verdict {
                    tracing::info!(%refusal, "the gate refused");
                }
                self.last_verdict = Some(verdict.clone());
            }
            _ => (),
        }
        self.halted.store(self.state.halted.is_some(), Ordering::SeqCst);
    }
}
