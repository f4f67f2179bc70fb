//! One journal, one state, one order of everything that happens.

use crate::draft::Draft;
use crate::endings::Endings;
use crate::fees::Fees;
use crate::may_say::may_say;
use crate::outside::Outside;
use crate::vital::may_wait;
use std::collections::VecDeque;
use tradewind_domain::{AccountId, Bar, Origin, PortfolioId, Sequence, Source, Timestamp};
use tradewind_engine::{
    Command, Event, EventKind, State, TradeDigest, Verdict, encode, is_asked_for, step, with_worst_price,
};
use tradewind_gate::Approved;
use tradewind_journal::{AppendError, Journal, Storage, failpoint};
use tradewind_strategies::{Desk, Outcome};

/// The engine with its journal, over some storage and some outside.
pub struct Host<S: Storage, O> {
    /// Everything known.
    pub state: State,
    /// Everything that happened.
    pub journal: Journal<S>,
    /// The world around.
    pub outside: O,
    /// Hash of this run's executions.
    pub digest: TradeDigest,
    /// The gate's newest word, for the person who asked.
    pub last_verdict: Option<Verdict>,
    /// Why orders ended without being filled, for people.
    pub endings: Endings,
    /// What was charged for orders and positions, for people.
    pub fees: Fees,
    commands: Vec<Command>,
    sends: Vec<(Approved, u64)>,
    /// When the desk that is being asked decided.
    pub(crate) decided: Option<Timestamp>,
    pub(crate) snapshot_every: u64,
    pub(crate) hashed: u64,
    pub(crate) snapshotted: u64,
}

impl<S: Storage, O: Outside> Host<S, O> {
    /// Goes on from a recovered state. A snapshot is written whenever `snapshot_every` events have passed since the last one,
    /// or since this start.
    pub fn new(state: State, journal: Journal<S>, outside: O, snapshot_every: u64) -> Self {
        let hashed = state.sequence;
        Self {
            state,
            journal,
            outside,
            digest: TradeDigest::default(),
            last_verdict: None,
            endings: Endings::default(),
            fees: Fees::default(),
            commands: Vec::new(),
            sends: Vec::new(),
            decided: None,
            snapshot_every,
            hashed,
            snapshotted: hashed,
        }
    }

    /// Appends and steps an event and everything that the engine makes of it, then sends what was approved.
    ///
    /// # Errors
    /// [`AppendError::NoRoom`] on a full disk, for what may wait: it has not happened, and the run goes on. Any other
    /// [`AppendError`] of the journal: the run is over, and what was not synced may not have happened.
    pub fn record(
        &mut self,
        at: Timestamp,
        received: Timestamp,
        source: Source,
        portfolio: PortfolioId,
        kind: EventKind,
    ) -> Result<(), AppendError> {
        self.follow(Draft { source, ..Draft::of_host(at, received, portfolio, kind) })
    }

    /// As [`Self::record`] for an event whose cause is known: a proposal that follows a decision.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn follow(&mut self, mut draft: Draft) -> Result<(), AppendError> {
        if draft.source == Source::Venue {
            draft.kind = with_worst_price(&self.state, draft.kind);
        }
        let (at, received) = (draft.at, draft.received);
        let mut queue = VecDeque::from([draft]);
        while let Some(draft) = queue.pop_front() {
            let event = self.append(draft)?;
            let correlation = event.correlation.or(Some(event.sequence));
            for command in std::mem::take(&mut self.commands) {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|draft| &draft.kind)) => (),
                    Command::Record(kind, portfolio) => queue.push_back(Draft {
                        at: event.at,
                        received,
                        source: Source::Host,
                        portfolio,
                        cause: Some(event.sequence),
                        correlation,
                        spoken: None,
                        kind,
                    }),
                    Command::Send(approved) => self.sends.push((approved, event.sequence)),
                }
            }
        }
        for (approved, cause) in std::mem::take(&mut self.sends) {
            self.send(approved, cause, at, received)?;
        }
        self.write_what_is_due()
    }

    /// Records a closed bar and asks every desk that watches its instrument. What they propose is judged at `now`, the
    /// market's time: a bar that comes late finds the mark as old as it is. A bar that another one has followed since
    /// was missed: the desks see it, and nothing is proposed. Desks of other instruments see it before anybody decides.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn bar(
        &mut self,
        desks: &mut [Desk],
        bar: &Bar,
        (received, now): (Timestamp, Timestamp),
        origin: Origin,
    ) -> Result<(), AppendError> {
        let at = bar.close_time();
        let closed = self.state.sequence + 1;
        self.record(at, received, Source::Market, PortfolioId(0), EventKind::BarClosed { bar: *bar, origin })?;
        let was_missed = now.since(at) >= bar.interval.nanos();
        desks.iter_mut().filter(|desk| desk.instrument() != bar.instrument).for_each(|desk| desk.on_other_bar(bar));
        for desk in desks.iter_mut().filter(|desk| desk.instrument() == bar.instrument) {
            let outcome = if was_missed { desk.on_missed_bar(&self.state, bar) } else { desk.on_bar(&self.state, bar) };
            self.follow_outcome(desk, outcome, closed, (received, now.max(at)))?;
        }
        Ok(())
    }

    /// Records what a desk made of the bar that the event `closed` records. The decision names the bar as its cause, and
    /// what is proposed the decision.
    fn follow_outcome(
        &mut self,
        desk: &Desk,
        outcome: Outcome,
        closed: Sequence,
        (received, at): (Timestamp, Timestamp),
    ) -> Result<(), AppendError> {
        let moment = self.outside.wall();
        self.outside.decided(received, moment);
        self.decided = Some(moment);
        let (source, portfolio, correlation) = (desk.source(), desk.portfolio(), Some(closed));
        let because = |cause, kind| {
            let draft = Draft::of_host(at, received, portfolio, kind);
            Draft { source, cause: Some(cause), correlation, ..draft }
        };
        let decided = self.state.sequence + 1;
        self.follow(because(closed, EventKind::Decided(Box::new(desk.explain(&outcome)))))?;
        for client_id in outcome.cancels {
            self.follow(because(decided, EventKind::CancelProposed { client_id }))?;
        }
        for proposed in EventKind::of_proposals(outcome.proposals) {
            self.follow(because(decided, proposed))?;
        }
        self.decided = None;
        Ok(())
    }

    /// Appends and steps one event; what the engine asks for is done by the next [`Self::record`].
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn append(&mut self, draft: Draft) -> Result<Event, AppendError> {
        assert!(may_say(draft.source, &draft.kind), "{:?} is no source of {:?}", draft.source, draft.kind);
        let waits = may_wait(&draft);
        let event = self.event(draft);
        let bytes = encode(&event, &self.state);
        if waits {
            self.journal.append(&bytes)?
        } else {
            self.journal.append_vital(&bytes)?
        };
        self.apply(&event);
        failpoint("host.event.applied");
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
            spoken: draft.spoken,
            kind: draft.kind,
        }
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        let before = self.state.counters;
        step(&mut self.state, event, &mut self.commands);
        self.endings.note(&self.state, event);
        self.fees.note(&before, &self.state, event);
        match &event.kind {
            EventKind::Filled(fill) if self.state.counters.fills > before.fills => {
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
        self.outside.stepped(&self.state, event);
    }
}
