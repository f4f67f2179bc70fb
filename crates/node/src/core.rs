//! The engine's own thread: one inbox, one journal, one state. Everything that happens passes here in one order.

use crate::clock::{MarketClock, wall};
use crate::error::NodeError;
use crate::latency::Histogram;
use crate::operate::{OperatorReply, OperatorRequest};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tradewind_domain::{AccountId, Bar, ClientOrderId, Origin, PortfolioId, Source, Timestamp};
use tradewind_engine::{Command, Event, EventKind, Intent, LOGIC_VERSION, State, TradeDigest, Verdict, encode, step};
use tradewind_gate::{Action, Approved};
use tradewind_journal::{Journal, Permit};
use tradewind_strategies::Desk;
use tradewind_venues::binance::Connection;
use tradewind_venues::{NotSentReason, Prepared};

/// Events between two state hashes.
const HASH_EVERY: u64 = 10_000;

/// What comes into the engine's thread.
pub(crate) enum Input {
    /// A fact of the outside world.
    Fact(Fact),
    /// A closed bar, to be shown to the desks.
    Bar { bar: Bar, received: Timestamp, origin: Origin },
    /// A person acts.
    Operator(OperatorRequest, oneshot::Sender<OperatorReply>),
    /// The driver handed a request to the socket at this moment, for a decision on a frame read then.
    BytesOut { received: Timestamp, sent: Timestamp },
    /// Something the status should show.
    Notice(String),
    /// A second passed.
    Tick,
    /// Stop trading and end.
    Stop(oneshot::Sender<()>),
}

/// A fact of the outside world, with its times.
pub(crate) struct Fact {
    pub(crate) at: Timestamp,
    pub(crate) received: Timestamp,
    pub(crate) source: Source,
    pub(crate) portfolio: PortfolioId,
    pub(crate) kind: EventKind,
}

impl Fact {
    pub(crate) fn of_venue(at: Timestamp, kind: EventKind) -> Self {
        Self { at, received: wall(), source: Source::Venue, portfolio: PortfolioId(0), kind }
    }
}

/// What leaves for the driver.
pub(crate) struct Outgoing {
    pub(crate) permit: Permit<Approved>,
    pub(crate) prepared: Prepared,
    /// When the frame was read that led to it.
    pub(crate) received: Timestamp,
}

/// How long the parts of a decision take.
#[derive(Default)]
pub(crate) struct Latency {
    pub(crate) frame_to_decision: Histogram,
    pub(crate) decision_to_bytes: Histogram,
    pub(crate) frame_to_bytes: Histogram,
    decided: Option<Timestamp>,
}

struct Draft {
    at: Timestamp,
    received: Timestamp,
    source: Source,
    portfolio: PortfolioId,
    cause: Option<u64>,
    correlation: Option<u64>,
    kind: EventKind,
}

/// The engine's thread.
pub(crate) struct Core {
    pub(crate) state: State,
    journal: Journal,
    pub(crate) desks: Vec<Desk>,
    connection: Connection,
    outbox: mpsc::Sender<Outgoing>,
    halted: Arc<AtomicBool>,
    pub(crate) clock: MarketClock,
    pub(crate) latency: Latency,
    pub(crate) digest: TradeDigest,
    pub(crate) notices: VecDeque<String>,
    pub(crate) trading: bool,
    /// The newest verdict that said no, for the person who asked.
    pub(crate) last_refusal: Option<Verdict>,
    commands: Vec<Command>,
    sends: Vec<(Approved, u64)>,
    sync_every: Duration,
    synced: Instant,
    snapshot_every: u64,
    hashed: u64,
    pub(crate) snapshotted: u64,
}

/// What a core is made of.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) journal: Journal,
    pub(crate) desks: Vec<Desk>,
    pub(crate) connection: Connection,
    pub(crate) outbox: mpsc::Sender<Outgoing>,
    pub(crate) halted: Arc<AtomicBool>,
    pub(crate) sync_every: Duration,
    pub(crate) snapshot_every: u64,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        let hashed = parts.state.sequence;
        Self {
            state: parts.state,
            journal: parts.journal,
            desks: parts.desks,
            connection: parts.connection,
            outbox: parts.outbox,
            halted: parts.halted,
            clock: MarketClock::default(),
            latency: Latency::default(),
            digest: TradeDigest::default(),
            notices: VecDeque::new(),
            trading: false,
            last_refusal: None,
            commands: Vec::new(),
            sends: Vec::new(),
            sync_every: parts.sync_every,
            synced: Instant::now(),
            snapshot_every: parts.snapshot_every,
            hashed,
            snapshotted: hashed,
        }
    }

    /// Runs until told to stop. An error of the journal ends it: nothing leaves that is not remembered.
    pub(crate) fn run(mut self, mut inbox: mpsc::Receiver<Input>) -> Result<Self, NodeError> {
        self.trading = true;
        while let Some(input) = inbox.blocking_recv() {
            if let Input::Stop(done) = input {
                self.stop(&mut inbox)?;
                let _ = done.send(());
                return Ok(self);
            }
            self.take(input)?;
            self.sync_if_due()?;
        }
        self.stop(&mut inbox)?;
        Ok(self)
    }

    fn take(&mut self, input: Input) -> Result<(), NodeError> {
        match input {
            Input::Fact(fact) => self.fact(fact),
            Input::Bar { bar, received, origin } => self.bar(&bar, received, origin),
            Input::Operator(request, reply) => {
                let answer = self.operate(request)?;
                self.journal.sync()?; // what a person was told is durable
                let _ = reply.send(answer);
                Ok(())
            }
            Input::BytesOut { received, sent } => {
                self.latency.frame_to_bytes.note(sent.since(received));
                if let Some(decided) = self.latency.decided {
                    self.latency.decision_to_bytes.note(sent.since(decided));
                }
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
                let now = self.clock.now().max(self.state.now);
                self.record(now, wall(), Source::Timer, PortfolioId(0), EventKind::Timer)
            }
            Input::Stop(_) => Ok(()),
        }
    }

    pub(crate) fn fact(&mut self, fact: Fact) -> Result<(), NodeError> {
        if matches!(fact.source, Source::Market) {
            self.clock.note(fact.at);
        }
        self.record(fact.at, fact.received, fact.source, fact.portfolio, fact.kind)
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
        said
    }

    fn ask(&mut self, desk: &mut Desk, bar: &Bar, at: Timestamp, received: Timestamp) -> Result<(), NodeError> {
        let outcome = desk.on_bar(&self.state, bar);
        let decided = EventKind::Decided(Box::new(desk.explain(&outcome)));
        self.record(at, received, desk.source(), desk.portfolio(), decided)?;
        for proposal in outcome.proposals {
            self.record(at, received, desk.source(), desk.portfolio(), EventKind::Proposed(proposal))?;
        }
        self.latency.frame_to_decision.note(wall().since(received));
        Ok(())
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

    fn append(&mut self, draft: Draft) -> Result<Event, NodeError> {
        let event = self.event(draft);
        self.journal.append(&encode(&event, &self.state))?;
        self.apply(&event);
        Ok(event)
    }

    fn event(&self, draft: Draft) -> Event {
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

    fn apply(&mut self, event: &Event) {
        let fills = self.state.counters.fills;
        step(&mut self.state, event, &mut self.commands);
        match &event.kind {
            EventKind::Filled(fill) if self.state.counters.fills > fills => {
                self.digest.add(&self.state.listing(fill.instrument).instrument, fill, event.at);
            }
            EventKind::Judged(verdict @ Verdict::Refused(refusal)) => {
                tracing::info!(%refusal, "the gate refused");
                self.last_refusal = Some(verdict.clone());
            }
            EventKind::Judged(verdict @ Verdict::CancelRefused { .. }) => self.last_refusal = Some(verdict.clone()),
            _ => (),
        }
        self.halted.store(self.state.halted.is_some(), Ordering::SeqCst);
    }

    /// Builds the body, records the intent, syncs it with all its causes, and hands the permit to the driver.
    fn send(&mut self, approved: Approved, cause: u64, at: Timestamp, received: Timestamp) -> Result<(), NodeError> {
        self.latency.decided = Some(wall());
        let room = self.outbox.try_reserve().map(|_| ()).is_ok();
        let prepared = match self.connection.prepare(approved.action()) {
            Ok(prepared) if room => prepared,
            Ok(_) => return self.unsent(approved.action(), at, "the driver's queue is full"),
            Err(reason) => return self.unsent(approved.action(), at, &reason.to_string()),
        };
        let (client_id, kind) = match approved.action() {
            Action::Submit(order) => {
                let intent = Intent {
                    client_id: order.client_id(),
                    body_sha256: hex::encode(prepared.sha256()),
                    fence: prepared.fence(),
                };
                (order.client_id(), EventKind::Intended(intent))
            }
            Action::Cancel { client_id, .. } => (*client_id, EventKind::CancelSent { client_id: *client_id }),
        };
        let is_order = matches!(kind, EventKind::Intended(_));
        let portfolio = self.state.order(client_id).map_or(PortfolioId(0), |record| record.order.portfolio());
        let draft =
            Draft { at, received, source: Source::Host, portfolio, cause: Some(cause), correlation: None, kind };
        let event = self.event(draft);
        let permit = self.journal.permit(&encode(&event, &self.state), approved)?;
        self.synced = Instant::now();
        self.apply(&event);
        if is_order {
            let kind = EventKind::Sent { client_id };
            self.append(Draft {
                at,
                received,
                source: Source::Host,
                portfolio,
                cause: Some(event.sequence),
                correlation: None,
                kind,
            })?;
        }
        if self.outbox.try_send(Outgoing { permit, prepared, received }).is_err() {
            let reason = "the driver is gone".to_owned();
            let kind = if is_order {
                EventKind::NotSent { client_id, reason }
            } else {
                EventKind::CancelRefused { client_id, reason }
            };
            return self.record(at, wall(), Source::Host, portfolio, kind);
        }
        Ok(())
    }

    fn unsent(&mut self, action: &Action, at: Timestamp, reason: &str) -> Result<(), NodeError> {
        let reason = reason.to_owned();
        let kind = match action {
            Action::Submit(order) => EventKind::NotSent { client_id: order.client_id(), reason },
            Action::Cancel { client_id, .. } => EventKind::CancelRefused { client_id: *client_id, reason },
        };
        self.record(at, wall(), Source::Host, PortfolioId(0), kind)
    }

    fn hash_if_due(&mut self) -> Result<(), NodeError> {
        if self.state.sequence < self.hashed + HASH_EVERY {
            return Ok(());
        }
        self.record_hash()?;
        if self.state.sequence >= self.snapshotted + self.snapshot_every {
            self.snapshot();
        }
        Ok(())
    }

    pub(crate) fn record_hash(&mut self) -> Result<(), NodeError> {
        self.hashed = self.state.sequence + 1;
        let kind = EventKind::StateHash { hash: self.state.hash(), logic: LOGIC_VERSION };
        let now = self.state.now;
        self.append(Draft {
            at: now,
            received: wall(),
            source: Source::Host,
            portfolio: PortfolioId(0),
            cause: None,
            correlation: None,
            kind,
        })
        .map(drop)
    }

    /// Writes a snapshot. A snapshot that cannot be written costs time at the next start, nothing else.
    pub(crate) fn snapshot(&mut self) {
        self.snapshotted = self.state.sequence;
        let written = self.journal.sync().map_err(|error| error.to_string()).and_then(|_| {
            let bytes = serde_json::to_vec(&self.state).map_err(|error| error.to_string())?;
            self.journal.write_snapshot(self.state.sequence, &bytes).map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(error, "no snapshot could be written");
        }
    }

    fn sync_if_due(&mut self) -> Result<(), NodeError> {
        if self.synced.elapsed() >= self.sync_every {
            self.journal.sync()?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Cancels what adds exposure, waits a moment for the venue's word, then writes hash and snapshot.
    fn stop(&mut self, inbox: &mut mpsc::Receiver<Input>) -> Result<(), NodeError> {
        self.trading = false;
        self.desks.clear();
        let now = self.clock.now();
        let open: Vec<ClientOrderId> = self.state.open.keys().copied().collect();
        for client_id in open {
            self.record(now, wall(), Source::Host, PortfolioId(0), EventKind::CancelProposed { client_id })?;
        }
        let until = Instant::now() + Duration::from_millis(1_500);
        while !self.state.open.is_empty() && Instant::now() < until {
            match inbox.try_recv() {
                Ok(input) => self.take(input)?,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(5)),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
            }
        }
        self.record(now, wall(), Source::Host, PortfolioId(0), EventKind::Stopped)?;
        self.record_hash()?;
        self.snapshot();
        self.journal.sync()?;
        Ok(())
    }
}

/// The events that follow from a request that did not leave.
pub(crate) fn not_sent(client_id: ClientOrderId, is_order: bool, reason: &NotSentReason) -> EventKind {
    let reason = format!("{}: {reason}", reason.code());
    if is_order { EventKind::NotSent { client_id, reason } } else { EventKind::CancelRefused { client_id, reason } }
}
