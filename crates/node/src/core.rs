//! The engine's own thread: one inbox, one journal, one state. Everything that happens passes here in one order.

use crate::audit::Signs;
use crate::clock::{Clock, wall};
use crate::error::NodeError;
use crate::health::{Component, Condition, Running};
use crate::holds::Since;
use crate::inbox::{Fact, Input, Progress};
use crate::kill_switch::{LatchFile, WORDLESS};
use crate::liquidity::SeenBook;
use crate::operate::failed;
use crate::outgoing::Wire;
use crate::time_watch::TimeWatch;
use crate::watchdog::Pulse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tradewind_domain::{
    Bar, Coded, Currency, InstrumentId, OrderState, Origin, PortfolioId, Sequence, Source, Timestamp,
};
use tradewind_engine::algo::ParentId;
use tradewind_engine::{Basis, Deleverage, EventKind, Halt, State, Tried, moves_balance};
use tradewind_governance::{Act, IdempotencyKey, Name, Principal};
use tradewind_host::{Draft, Host, since};
use tradewind_journal::{AppendError, DiskStorage, Journal, StorageFault, failpoint};
use tradewind_risk::{Scope, Trip};
use tradewind_strategies::Desk;

/// The engine's thread.
pub(crate) struct Core {
    pub(crate) host: Host<DiskStorage, Wire>,
    pub(crate) desks: Vec<Desk>,
    /// Who speaks.
    pub(crate) speaker: Principal,
    /// The event that names the decision which the request under way follows, if it named one.
    pub(crate) decision: Option<Sequence>,
    /// The key of the request under way, if it has one.
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) latch: LatchFile,
    /// Who threw the kill switch, and since when what holds.
    pub(crate) since: Since,
    /// Who asked for the end of this run.
    pub(crate) stopped_by: Option<Name>,
    /// The last durable record, for whoever signs it.
    durable: Arc<AtomicU64>,
    pub(crate) clock: Clock,
    pub(crate) notices: VecDeque<String>,
    pub(crate) trading: bool,
    /// By how much the venue held more than the books when they were last compared.
    pub(crate) off: Vec<(Currency, i128)>,
    /// Assets of which it was told that their balance cannot be read.
    pub(crate) told_unread: BTreeSet<String>,
    time: TimeWatch,
    /// What the watchdog sees of this thread.
    pub(crate) pulse: Arc<Pulse>,
    /// The journal cannot grow, and that was said.
    has_no_room: bool,
    /// That is about to come, and was said.
    space_is_short: bool,
    _journal: Running,
    /// How often this run tried each exit that is due.
    pub(crate) exits_tried: BTreeMap<(PortfolioId, InstrumentId), Tried>,
    sync_every: Duration,
    /// When the journal was last seen synced, and through which record.
    synced: (Instant, u64),
    pace: Option<mpsc::UnboundedSender<Progress>>,
    progress: Progress,
    told: Option<Progress>,
    /// The books that are followed, as they were last told.
    pub(crate) books: BTreeMap<InstrumentId, SeenBook>,
    /// The event that tripped the breaker which was last told of.
    told_trips: Sequence,
    told_deleverage: Option<Deleverage>,
    /// Who signs the journal, until the journal says so itself.
    signs: Option<Signs>,
    /// Why guards did not work, as it was last told of each parent.
    told_faults: BTreeMap<ParentId, String>,
}

/// What a core is made of.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) journal: Journal,
    pub(crate) desks: Vec<Desk>,
    pub(crate) wire: Wire,
    pub(crate) latch: LatchFile,
    pub(crate) signs: Signs,
    pub(crate) durable: Arc<AtomicU64>,
    pub(crate) clock: Clock,
    pub(crate) sync_every: Duration,
    pub(crate) snapshot_every: u64,
    pub(crate) pace: Option<mpsc::UnboundedSender<Progress>>,
    /// Ends with the journal.
    pub(crate) running: Running,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            progress: Progress { through: None, fills: parts.state.counters.fills, open_orders: 0 },
            host: Host::new(parts.state, parts.journal, parts.wire, parts.snapshot_every),
            desks: parts.desks,
            speaker: Principal::nobody(),
            decision: None,
            key: None,
            latch: parts.latch,
            since: Since::default(),
            stopped_by: None,
            durable: parts.durable,
            clock: parts.clock,
            notices: VecDeque::new(),
            off: Vec::new(),
            told_unread: BTreeSet::new(),
            time: TimeWatch::default(),
            pulse: Arc::default(),
            has_no_room: false,
            space_is_short: false,
            trading: false,
            _journal: parts.running,
            exits_tried: BTreeMap::new(),
            sync_every: parts.sync_every,
            synced: (Instant::now(), 0),
            pace: parts.pace,
            told: None,
            books: BTreeMap::new(),
            told_trips: 0,
            told_deleverage: None,
            signs: Some(parts.signs),
            told_faults: BTreeMap::new(),
        }
    }

    /// Runs until told to stop. An error of the journal ends it: nothing leaves that is not remembered.
    pub(crate) fn run(mut self, mut inbox: mpsc::Receiver<Input>) -> Result<Self, NodeError> {
        self.trading = true;
        self.resume_parents()?;
        if !self.host.state.exits_due.is_empty() {
            self.note(
                "alarm: a `flatten` or `position close` of the last run is not done: it goes on; `tradewind resume` ends it".to_owned(),
            );
        }
        while let Some(input) = inbox.blocking_recv() {
            if let Input::Stop(done) = input {
                self.stop(&mut inbox)?;
                self.durable.store(self.host.journal.synced_seq(), Ordering::SeqCst);
                let _ = done.send(()); // whoever asked may have stopped waiting
                return Ok(self);
            }
            self.take(input)?;
            self.exit_if_due()?;
            self.sync_if_due()?;
            self.latch()?;
            self.durable.store(self.host.journal.synced_seq(), Ordering::SeqCst);
            self.tell_progress();
            self.pulse.beat();
            self.restrict_after_slow_disk()?;
        }
        self.stop(&mut inbox)?;
        self.durable.store(self.host.journal.synced_seq(), Ordering::SeqCst);
        Ok(self)
    }

    /// What is wrong with the journal, if anything is.
    pub(crate) fn journal_trouble(&self) -> Option<(Condition, String)> {
        if self.has_no_room {
            Some((Condition::Failed, "it cannot grow: no new orders".to_owned()))
        } else if self.space_is_short {
            Some((Condition::Degraded, "its next segment cannot be made".to_owned()))
        } else {
            None
        }
    }

    /// The market's time, never before an event that was recorded.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().max(self.host.state.now)
    }

    /// Takes one input. What would lead to new orders is left out while the disk is full.
    pub(crate) fn take(&mut self, input: Input) -> Result<(), NodeError> {
        match self.take_with_room(input) {
            Err(NodeError::Append(AppendError::NoRoom(fault))) => {
                self.say_that_there_is_no_room(&fault);
                Ok(())
            }
            other => other,
        }
    }

    fn take_with_room(&mut self, input: Input) -> Result<(), NodeError> {
        match input {
            Input::Fact(fact) => self.fact(fact),
            Input::Bar { bar, received, origin } => self.bar(&bar, received, origin),
            Input::Operator(request, reply) => {
                self.speaker = self.unnamed();
                let answer = match self.operate((*request).clone()) {
                    Err(NodeError::Append(AppendError::NoRoom(fault))) => {
                        self.say_that_there_is_no_room(&fault);
                        let error = NodeError::Append(AppendError::NoRoom(fault));
                        failed(error.code(), error.to_string(), error.hint())
                    }
                    other => other?,
                };
                self.latch()?;
                self.host.outside.switch.heard(&request, self.host.state.halted.is_some());
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
            Input::Order(client_id, reply) => {
                let _ = reply.send(self.host.state.order(client_id).cloned().map(Box::new)); // whoever asked may be gone
                Ok(())
            }
            Input::Terms { client_id, price, quantity } => self.check_terms(client_id, price, quantity),
            Input::Basis(reply) => {
                let (state, now) = (&self.host.state, self.now());
                let _ = reply.send((Basis::of(state), now, since(state, now)));
                Ok(())
            }
            Input::Compare(comparison, reply) => {
                let _ = reply.send(Box::new(self.compare(&comparison)?));
                Ok(())
            }
            Input::Notice(text) => {
                self.note(text);
                Ok(())
            }
            Input::Book(instrument, book) => {
                self.books.insert(instrument, *book);
                Ok(())
            }
            Input::Drifted(what) => self.drifted(&what),
            Input::Rules(instrument, spec) => self.other_rules(instrument, *spec),
            Input::HaltFile => match self.latch.found().filter(|_| self.host.state.halted.is_none()) {
                Some(words) if words.is_empty() => self.thrown("the file HALTED", WORDLESS),
                Some(words) => self.thrown("the file HALTED", &format!("the file HALTED: {words}")),
                None => Ok(()), // resumed meanwhile
            },
            Input::HaltSignal => {
                self.thrown("SIGUSR1", "the signal SIGUSR1")?;
                self.host.outside.switch.thrown(self.host.state.halted.is_some());
                Ok(())
            }
            Input::Tick => self.tick(),
            Input::Stop(_) => Ok(()),
        }
    }

    /// Halts by what nobody says over the control socket.
    fn thrown(&mut self, by: &str, reason: &str) -> Result<(), NodeError> {
        self.note(format!("alarm: halted by {by}"));
        self.since.throws = Some(by.to_owned());
        let halted = EventKind::Halted(Halt { reason: reason.to_owned() });
        self.record(self.now(), wall(), Source::Operator, PortfolioId(0), halted)?;
        self.latch()?;
        self.host.journal.sync()?;
        Ok(())
    }

    /// Said once, until there is room again.
    pub(crate) fn say_that_there_is_no_room(&mut self, fault: &StorageFault) {
        if !std::mem::replace(&mut self.has_no_room, true) {
            let code = fault.code();
            self.note(format!(
                "alarm: {code}: the journal cannot grow: no new orders; cancels, halts and exits still go out"
            ));
        }
    }

    /// Says when the disk fills up, half a journal segment before it is too late, and when there is room again.
    fn watch_space(&mut self) {
        if let Some(fault) = self.host.journal.space_warning()
            && !std::mem::replace(&mut self.space_is_short, true)
        {
            let code = fault.code();
            self.note(format!("alarm: {code}: the journal's next segment cannot be made: {}", fault.hint()));
        }
        if self.has_no_room && self.host.journal.has_room() {
            (self.has_no_room, self.space_is_short) = (false, false);
            self.note("the journal has room again: orders are taken".to_owned());
        }
    }

    /// After a disk that did not answer for seconds only what reduces is allowed, until a person says otherwise.
    fn restrict_after_slow_disk(&mut self) -> Result<(), NodeError> {
        let Some(waited) = self.pulse.waited_for_disk() else { return Ok(()) };
        let reason = format!("the disk took {:.1} s to make a record durable", waited.as_secs_f64());
        self.note(format!("alarm: {reason}: only what reduces is allowed until somebody resumes"));
        self.record(self.now(), wall(), Source::Host, PortfolioId(0), EventKind::Restricted { reason })
    }

    fn tick(&mut self) -> Result<(), NodeError> {
        self.say_who_signs()?;
        self.watch_time();
        self.watch_space();
        self.report_health();
        let state = &self.host.state;
        let bare = state.risk.as_deref().is_some_and(|risk| !risk.monitor.bare_positions().is_empty());
        if state.open.is_empty() && state.parents.is_empty() && !state.governance.is_waiting() && !bare {
            return Ok(()); // nothing to expire: no event
        }
        self.record(self.now(), wall(), Source::Timer, PortfolioId(0), EventKind::Timer)
    }

    /// Once something is signed the journal itself says by whom: who takes away the signatures does not take that.
    pub(crate) fn say_who_signs(&mut self) -> Result<(), NodeError> {
        let Some(signs) = self.signs.take_if(|it| it.has_signed.load(Ordering::SeqCst)) else { return Ok(()) };
        if self.host.state.governance.trail_key.as_ref() == Some(&signs.key) {
            return Ok(());
        }
        let act = EventKind::Governance(Box::new(Act::TrailSigned { key: signs.key }));
        self.record(self.now(), wall(), Source::Host, PortfolioId(0), act)
    }

    /// Makes the files of the kill switches say what the state says.
    pub(crate) fn latch(&mut self) -> Result<(), NodeError> {
        let (state, now) = (&self.host.state, self.now());
        self.since.follow(state, now);
        let (halted, thrown) = (state.halted.as_deref(), self.since.halted.as_ref());
        self.latch.follow(halted, thrown, &state.governance.latches).map_err(NodeError::Latch)
    }

    /// Says when a clock cannot be trusted. The driver does not send then; here it is only told.
    fn watch_time(&mut self) {
        let monotonic = self.clock.monotonic();
        if let Some(still) = self.time.stood_still(monotonic) {
            let seconds = still / 1_000_000_000;
            self.note(format!("alarm: this process did not run for {seconds} s: everything is read anew"));
            self.host.outside.connection.renew();
        }
        if let Some(off) = self.time.jump(monotonic, wall()) {
            let seconds = off / 1_000_000_000;
            self.note(format!(
                "alarm: this machine's clock jumped by {seconds} s, or it was suspended: everything is read anew"
            ));
            self.host.outside.connection.renew();
        }
        let venue = self.host.outside.connection.venue_time();
        if let Some((venue, _)) = venue {
            self.clock.venue_says(venue);
        }
        let error = venue.map(|(_, error)| error);
        if let Some(text) = self.time.uncertainty(error, self.host.outside.connection.most_clock_error()) {
            self.note(text);
        }
    }

    fn fact(&mut self, fact: Fact) -> Result<(), NodeError> {
        let at = match fact.at {
            Some(at) => {
                let at = self.clock.believed(at);
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
        // a recording is played at any speed: its bars are never late
        let now = if matches!(origin, Origin::Recorded) { at } else { self.clock.now() };
        self.host.bar(&mut self.desks, bar, (received, now), origin)?;
        self.progress.through = Some(at);
        Ok(())
    }

    /// Syncs the journal where no request did it lately.
    fn sync_if_due(&mut self) -> Result<(), NodeError> {
        let synced = self.host.journal.synced_seq();
        if synced != self.synced.1 {
            self.host.outside.watch.health.worked(Component::Journal);
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
        self.follow(Draft { source, ..Draft::of_host(at, received, portfolio, kind) })
    }

    /// As [`Self::record`] for an event whose cause is known.
    pub(crate) fn follow(&mut self, draft: Draft) -> Result<(), NodeError> {
        if !self.off.is_empty() {
            self.forget_explained(&draft.kind);
        }
        self.host.follow(draft)?;
        self.tell_trips();
        self.tell_deleverage();
        self.tell_guard_faults();
        Ok(())
    }

    /// Forgets the differences that an event may have explained: nobody adopts what is older than the books.
    fn forget_explained(&mut self, kind: &EventKind) {
        let state = &self.host.state;
        self.off.retain(|(currency, _)| !moves_balance(state, kind, *currency));
    }

    /// Says which positions stand without the guard that was asked for, once for each reason.
    fn tell_guard_faults(&mut self) {
        let state = &self.host.state;
        let faults = state.parents.live().filter_map(|parent| Some((parent, state.guard_fault(parent)?)));
        let (mut now, mut news) = (BTreeMap::new(), Vec::new());
        for (parent, why) in faults {
            if self.told_faults.get(&parent.id).is_none_or(|told| told != why) {
                let symbol = &state.listing(parent.wish.request.instrument).instrument.spec.symbol;
                let (plan, id) = (parent.wish.plan.word(), parent.id);
                news.push(format!(
                    "alarm: {plan} {id} could not guard or leave its position in {symbol}: {why}; it goes on trying"
                ));
            }
            now.insert(parent.id, why.to_owned());
        }
        self.told_faults = now;
        news.into_iter().for_each(|text| self.note(text));
    }

    /// Says which position the engine makes smaller, once each time.
    fn tell_deleverage(&mut self) {
        let newest = self.host.state.risk.as_ref().and_then(|risk| risk.deleveraged.last().copied());
        let Some(it) = newest.filter(|it| self.told_deleverage != Some(*it)) else { return };
        self.told_deleverage = newest;
        let state = &self.host.state;
        let symbol = &state.listing(it.instrument).instrument.spec.symbol;
        let of = &state.portfolio(it.portfolio).name;
        self.note(format!("alarm: {symbol} in {of} is too near to its liquidation: the engine makes it smaller"));
    }

    /// Says which breakers tripped since it was last said.
    fn tell_trips(&mut self) {
        let Some(risk) = &self.host.state.risk else { return };
        let tripped = risk.monitor.tripped();
        if tripped <= self.told_trips {
            return;
        }
        self.told_trips = tripped;
        let news: Vec<String> = risk.monitor.trips().iter().map(|trip| self.trip_text(trip)).collect();
        news.into_iter().for_each(|text| self.note(text));
    }

    fn trip_text(&self, trip: &Trip) -> String {
        let state = &self.host.state;
        let symbol = |id| state.listing(id).instrument.spec.symbol.to_string();
        let of = match trip.scope {
            Scope::Account => "the account".to_owned(),
            Scope::Portfolio(id) => state.portfolio(id).name.clone(),
            Scope::Instrument(id) => symbol(id),
            Scope::Pair(portfolio, id) => format!("{} in {}", symbol(id), state.portfolio(portfolio).name),
        };
        let info = trip.guard.info();
        let (code, name, mode, clear) = (info.code, trip.guard.name(), trip.mode.name(), info.clear);
        format!("alarm: {code} {name}: {of} is {mode}; to clear: {clear}")
    }
}
