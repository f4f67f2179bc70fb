//! The storm itself: one queue of everything that happens, taken in order until all is quiet.

use crate::chance::Chance;
use crate::faults::{FAULTS, FaultId};
use crate::judge::{Judge, Verdict};
use crate::life::START;
use crate::link::Link;
use crate::node::{Node, Ticket};
use crate::orders::{MILLI, SECOND};
use crate::plan::{Plan, Striking, When};
use crate::queue::{Queue, What};
use crate::report::{Report, Tally};
use crate::setup::{self, MAX_ORDER, MAX_POSITION};
use crate::wire::Codec;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tradewind_domain::{Bar, Origin, PortfolioId, Source, Timestamp};
use tradewind_engine::{Drift, EventKind};
use tradewind_exchange::{InProcess, Reply};
use tradewind_host::{end_of, fact_of, is_told_too_early};
use tradewind_journal::{AppendError, Crash, Fault};
use tradewind_venues::binance::protocol::{
    self, MarketFrame, UserFrame, read_answer, read_market_event, read_user_frame,
};
use tradewind_venues::binance::rules::{Command, Endpoint};
use tradewind_venues::binance::wire::ServerTime;
use tradewind_venues::{Purpose, TransportFault, VenueEvent, VenueReport};

/// After the last fault everything must be known and agreed upon within this time: proof of absence may take a quarter
/// of an hour.
const QUIET_WITHIN: i64 = 30 * 60 * SECOND;
/// After how much silence a connection counts as dead.
const DEAD_AFTER: i64 = 15 * SECOND;
/// How often the venue's clock is read.
const CLOCK_EVERY: i64 = 60 * SECOND;
/// No order stays of unknown outcome for longer, while the process lives.
const UNKNOWN_AT_MOST: i64 = 25 * 60 * SECOND;

/// One storm, from its first event to its last.
pub struct Storm {
    pub(crate) now: i64,
    pub(crate) queue: Queue,
    pub(crate) house: InProcess,
    pub(crate) link: Link,
    pub(crate) node: Node,
    pub(crate) plan: Striking,
    pub(crate) chance: Chance,
    /// What the proposers draw from: faults do not change it.
    pub(crate) mood: Chance,
    pub(crate) judge: Judge,
    pub(crate) tally: Tally,
    pub(crate) symbols: Vec<String>,
    pub(crate) codec: Option<Arc<Codec>>,
    pub(crate) lag_until: [i64; 2],
    pub(crate) disk_spoilt: bool,
    /// When venue and books were last found to agree.
    pub(crate) settled: Option<i64>,
    pub(crate) last_drifts: Vec<Drift>,
    /// By how much the venue held more than the books when they were last compared.
    pub(crate) last_off: Vec<(tradewind_domain::Currency, i128)>,
    /// Until when the venue's budget may be short through no fault of ours.
    pub(crate) scarce_until: i64,
    /// Whom the venue told to wait: which life, from when it must know, until when.
    pub(crate) told_to_wait: Option<(u64, i64, i64)>,
    /// Until when answers to questions are slow.
    pub(crate) slow_until: i64,
    /// From here on nobody proposes.
    pub(crate) calm_from: i64,
    frozen_until: i64,
    seed: u64,
    horizon: i64,
    trace: Sha256,
    violations: Vec<String>,
    pub(crate) log: Option<Vec<String>>,
}

impl Storm {
    /// A storm of `horizon` nanoseconds under `plan`.
    ///
    /// # Panics
    /// Never: the storm's own exchange is set up soundly.
    #[must_use]
    pub fn new(seed: u64, horizon: i64, plan: Plan) -> Self {
        let house = InProcess::open(&setup::exchange(seed)).expect("the storm's own exchange is set up soundly");
        let symbols: Vec<String> = setup::venue_symbols().collect();
        let mut storm = Self {
            now: START,
            queue: Queue::default(),
            house: house.with_candles("1m"),
            link: Link::default(),
            node: Node::new(),
            plan: Striking::new(plan),
            chance: Chance::new(seed, 2),
            mood: Chance::new(seed, 3),
            judge: Judge::new(symbols.clone(), MAX_ORDER, MAX_POSITION),
            tally: Tally::default(),
            symbols,
            codec: None,
            lag_until: [0; 2],
            disk_spoilt: false,
            settled: None,
            last_drifts: Vec::new(),
            last_off: Vec::new(),
            scarce_until: 0,
            told_to_wait: None,
            slow_until: 0,
            calm_from: START + horizon,
            frozen_until: 0,
            seed,
            horizon,
            trace: Sha256::new(),
            violations: Vec::new(),
            log: None,
        };
        storm.queue.at(START, What::Start);
        storm.queue.at(START + SECOND, What::Flow);
        for (place, planned) in storm.plan.plan.faults.iter().enumerate() {
            if let When::Moment(after) = planned.when {
                storm.queue.at(START + after, What::Fault(place));
            }
        }
        storm
    }

    /// Keeps a line for everything that happens.
    #[must_use]
    pub fn with_log(mut self) -> Self {
        self.log = Some(Vec::new());
        self
    }

    /// Runs to the end, and until all is quiet after it.
    #[must_use]
    pub fn run(mut self) -> Report {
        self.run_until(self.calm_from);
        self.calm();
        let end = self.calm_from + QUIET_WITHIN;
        while !self.is_quiet() || self.venue_speaks() {
            let Some((time, what)) = self.queue.pop(end) else {
                let why = self.why_not_quiet();
                self.violate(format!("not quiet {} s after the last fault: {why}", QUIET_WITHIN / SECOND));
                break;
            };
            self.happen(time, what);
            if !self.violations.is_empty() {
                break;
            }
        }
        self.close()
    }

    /// Runs until `end`, true time in nanoseconds; a violation ends it.
    pub(crate) fn run_until(&mut self, end: i64) {
        while self.violations.is_empty()
            && let Some((time, what)) = self.queue.pop(end)
        {
            self.happen(time, what);
        }
        if self.violations.is_empty() {
            self.now = self.now.max(end);
        }
    }

    fn happen(&mut self, time: i64, what: What) {
        self.now = self.now.max(time);
        if is_of_node(&what) && self.now >= self.frozen_until {
            self.set_moment(); // both clocks are looked at before anything else
        }
        if self.now < self.frozen_until && is_of_node(&what) {
            return self.queue.at(self.frozen_until, what); // the machine is suspended
        }
        self.tally.events += 1;
        self.end_lag();
        self.trace.update(self.now.to_le_bytes());
        self.trace.update([kind_of(&what)]);
        if self.log.is_some() {
            let line = format!("{:>12.6} {}", seconds(self.now - START), words_of(&what));
            self.note(&line);
        }
        let life = self.node.life;
        match what {
            What::Flow => self.flow(),
            What::VenueFrame { session, text, carried_out, hold, back } => {
                self.at_venue(session, &text, carried_out, hold, back);
            }
            What::Matching { session, held, back } => self.matching(session, *held, back),
            What::VenueRest { life, ticket, path, query } => self.asked(life, ticket, path, &query),
            What::NodeFrame { session, text } => self.heard(session, &text),
            What::NodeRest { life: of, ticket, answer } if of == life => self.told(ticket, answer),
            What::Market { life: of, text } if of == life => self.market(&text),
            What::SessionLost { session } => self.lost(session),
            What::Connect { life: of } if of == life => self.connect(),
            What::AnswerDue { life: of, id } if of == life => self.overdue(id),
            What::Inquire { life: of, client_id } if of == life => self.step_inquiry(client_id),
            What::Sweep { life: of } if of == life => self.next_sweep(),
            What::ReadClock { life: of } if of == life => self.read_clock(),
            What::Tick { life: of } if of == life => self.tick(),
            What::Fault(place) => self.strike(place),
            What::Heal(place) => self.heal(place),
            What::Start => self.start(),
            // of a process that is gone
            What::NodeRest { .. }
            | What::Market { .. }
            | What::Connect { .. }
            | What::AnswerDue { .. }
            | What::Inquire { .. }
            | What::Sweep { .. }
            | What::ReadClock { .. }
            | What::Tick { .. } => (),
        }
    }

    // --- what the node hears

    fn heard(&mut self, session: u64, text: &str) {
        let (wall, now) = (self.wall(), self.now);
        let alive = self.link.alive(session, now);
        let Some(process) = self.node.process.as_mut() else { return };
        if process.session.id != session || !alive {
            return;
        }
        process.session.heard = now;
        let codec = process.host.outside.codec.clone();
        match read_user_frame(&codec.instruments, text, wall) {
            Ok(UserFrame::Answer(id)) if !process.session.up => {
                if id == process.session.subscribing && text.contains("-1021") {
                    process.host.outside.clock.forget(); // measured anew before the next attempt
                    self.read_clock_at(now + 200 * MILLI);
                } else if id == process.session.subscribing && text.contains("\"status\":200") {
                    (process.session.up, process.session.failures) = (true, 0);
                    process.session.since = process.monotonic(now);
                    self.begin_sweep();
                }
            }
            Ok(UserFrame::Answer(id)) => self.answered(id, text),
            Ok(UserFrame::Events(events)) => events.into_iter().for_each(|event| self.user_event(event)),
            Ok(UserFrame::ClosesSoon | UserFrame::Nothing) => (),
            Ok(UserFrame::Ended) => self.lost(session),
            Err(fault) => {
                self.all_unknown(&fault);
                self.lost(session);
            }
        }
    }

    fn user_event(&mut self, event: VenueEvent) {
        let report = match event {
            VenueEvent::Report { report, .. } => report,
            VenueEvent::Transferred { delta, .. } => return self.venue_says(None, EventKind::Deposited(delta)),
            VenueEvent::UserStreamGap { .. } => return self.begin_sweep(), // told, and not to be read
            _ => return,
        };
        let state = self.node.process.as_ref().map(|process| &process.host.state);
        let early = end_of(&report).is_some_and(|(id, executed)| {
            state.and_then(|state| state.order(id)).is_some_and(|record| is_told_too_early(record, executed))
        });
        if early || matches!(report, VenueReport::Foreign(_)) {
            return self.begin_sweep();
        }
        let terms = match &report {
            VenueReport::Accepted { client_id, price, quantity, .. } => Some((*client_id, *price, *quantity)),
            VenueReport::Amended { client_id, quantity, .. } => Some((*client_id, None, *quantity)),
            _ => None,
        };
        if let Some((at, kind)) = fact_of(report) {
            self.venue_says(Some(at), kind);
        }
        if let Some((client_id, price, quantity)) = terms {
            self.terms(client_id, price, quantity);
        }
    }

    /// The node notices that a session is gone.
    fn lost(&mut self, session: u64) {
        self.link.kill(session, self.now);
        let Some(process) = self.node.process.as_mut() else { return };
        if process.session.id != session {
            return;
        }
        process.session.up = false;
        process.session.failures += 1;
        let wait = backoff(process.session.failures);
        self.all_unknown(&TransportFault::Broke("the connection broke".to_owned()));
        self.connect_at(self.now + wait);
    }

    /// Connects at `time`, or sooner if that was meant already.
    pub(crate) fn connect_at(&mut self, time: i64) {
        let life = self.node.life;
        if let Some(process) = self.node.process.as_mut().filter(|it| it.connect_due > time) {
            process.connect_due = time;
            self.queue.at(time, What::Connect { life });
        }
    }

    fn connect(&mut self) {
        let now = self.now;
        let (up, delay) = (self.link.up(now), self.chance.between(5, 40) * MILLI);
        let Some(process) = self.node.process.as_mut() else { return };
        if now < process.connect_due {
            return; // tried sooner
        }
        process.connect_due = i64::MAX;
        if process.session.up {
            return;
        }
        let clock = process.host.outside.clock.at(process.monotonic(now));
        let (Some((venue, _)), true) = (clock, up) else {
            process.session.failures += 1;
            let wait = backoff(process.session.failures);
            return self.connect_at(now + wait);
        };
        self.node.next_session += 1;
        let session = self.node.next_session;
        process.next_id += 1;
        (process.session.id, process.session.subscribing) = (session, process.next_id);
        let window = u128::try_from(setup::WINDOW_MILLIS).unwrap_or(0);
        let signer = &process.host.outside.codec.signer;
        let text = protocol::subscribe_text(signer, venue, window, process.next_id);
        let (carried_out, back) = (true, crate::queue::Back::Whole);
        self.queue.at(now + delay, What::VenueFrame { session, text, carried_out, hold: 0, back });
        self.connect_at(now + 3 * SECOND); // tried again unless it is up by then
    }

    fn market(&mut self, text: &str) {
        let wall = self.wall();
        let Some(process) = self.node.process.as_ref() else { return };
        let codec = process.host.outside.codec.clone();
        let Some(frame) = MarketFrame::read(text) else { return };
        match read_market_event(&codec.instruments, frame.kind(), frame.data(), wall) {
            Ok(Some(VenueEvent::Quote { quote, .. })) => {
                let at = process.market_time(self.now);
                let kind = EventKind::Quoted { quote, origin: Origin::Simulated };
                self.record(at, Source::Market, PortfolioId(0), kind);
                self.propose(quote.instrument, quote.bid, quote.ask);
            }
            Ok(Some(VenueEvent::Bar { bar, closed: true, .. })) => self.bar(&bar, wall),
            _ => (), // what cannot be read is a notice in a node
        }
    }

    fn bar(&mut self, bar: &Bar, received: Timestamp) {
        let now = self.now;
        let Some(process) = self.node.process.as_mut() else { return };
        if process.last_bars.get(&bar.instrument).is_some_and(|open_time| bar.open_time <= *open_time) {
            return;
        }
        process.last_bars.insert(bar.instrument, bar.open_time);
        let calm = now >= self.calm_from;
        self.set_moment();
        let Some(process) = self.node.process.as_mut() else { return };
        let desks: &mut [_] = if calm { &mut [] } else { &mut process.desks };
        let result = process.host.bar(desks, bar, received, Origin::Simulated);
        self.after(result);
    }

    fn told(&mut self, ticket: u64, answer: Option<Reply>) {
        let now = self.now;
        self.note_used(answer.as_ref().and_then(|reply| reply.used_weight));
        let Some(process) = self.node.process.as_mut() else { return };
        match process.tickets.remove(&ticket) {
            Some(Ticket::Clock(asked)) => {
                let Some(Reply { status, body, retry_after, .. }) = answer else { return };
                let wait = retry_after.map(Duration::from_secs);
                match read_answer::<ServerTime>(Command::Query, status, body.as_bytes(), wait) {
                    (Ok(time), _) => {
                        let answered = process.monotonic(now);
                        process.host.outside.clock.note(asked, answered, time.server_time);
                        process.read_venue_time(now);
                    }
                    (Err(_), consequence) => drop(self.heed(consequence)),
                }
            }
            Some(Ticket::Inquiry(id, question)) => self.inquiry_reply(id, &question, answer.as_ref()),
            Some(Ticket::Sweep(number, part)) => self.sweep_reply(number, &part, answer.as_ref()),
            None => (),
        }
    }

    /// The venue told how much weight this minute has used.
    pub(crate) fn note_used(&mut self, used: Option<u32>) {
        let now = self.now;
        if let (Some(used), Some(process)) = (used, self.node.process.as_mut()) {
            process.weight.used(Duration::from_secs(60), used.into(), process.budget_time(now));
        }
    }

    // --- the node's own clockwork

    /// Reads the clock at `time`, or sooner if that was meant already.
    pub(crate) fn read_clock_at(&mut self, time: i64) {
        let life = self.node.life;
        if let Some(process) = self.node.process.as_mut().filter(|it| it.clock_due > time) {
            process.clock_due = time;
            self.queue.at(time, What::ReadClock { life });
        }
    }

    fn read_clock(&mut self) {
        let (now, life) = (self.now, self.node.life);
        let delay = self.chance.between(1, 20) * MILLI;
        let up = self.link.up(now);
        let Some(process) = self.node.process.as_mut() else { return };
        if now < process.clock_due {
            return; // read sooner
        }
        process.clock_due = i64::MAX;
        let budget = process.weight.take(Endpoint::Time.weight(), Purpose::Ordinary, process.budget_time(now));
        let unknown = process.host.outside.clock.at(process.monotonic(now)).is_none();
        let next = if unknown { SECOND } else { CLOCK_EVERY };
        self.read_clock_at(now + next);
        let Some(process) = self.node.process.as_mut() else { return };
        if budget.is_err() || !up {
            return;
        }
        self.node.next_ticket += 1;
        let ticket = self.node.next_ticket;
        process.tickets.insert(ticket, Ticket::Clock(process.monotonic(now)));
        let query = String::new();
        self.queue.at(now + delay, What::VenueRest { life, ticket, path: "/api/v3/time", query });
    }

    fn tick(&mut self) {
        let (now, life) = (self.now, self.node.life);
        self.queue.at(now + SECOND, What::Tick { life });
        self.operator();
        self.begin_put_off();
        let Some(process) = self.node.process.as_mut() else { return };
        let state = &process.host.state;
        if !state.open.is_empty() || !state.parents.is_empty() || state.governance.is_waiting() {
            let at = process.market_time(now);
            self.record(at, Source::Timer, PortfolioId(0), EventKind::Timer);
        }
        let Some(process) = self.node.process.as_mut() else { return };
        let synced = process.host.journal.sync().map(drop);
        self.after(synced);
        let Some(process) = self.node.process.as_ref() else { return };
        let oldest = Timestamp::from_nanos(now - UNKNOWN_AT_MOST);
        if now - process.began > UNKNOWN_AT_MOST
            && let Some(id) = process.host.outside.watchdog.unknown_since(oldest)
        {
            self.violate(format!("order {id} is of unknown outcome for more than {} s", UNKNOWN_AT_MOST / SECOND));
        }
    }

    /// Records an event and everything that follows from it.
    pub(crate) fn record(&mut self, at: Timestamp, source: Source, portfolio: PortfolioId, kind: EventKind) {
        self.set_moment();
        let wall = self.wall();
        let Some(process) = self.node.process.as_mut() else { return };
        let result = process.host.record(at, wall, source, portfolio, kind);
        self.after(result);
    }

    fn set_moment(&mut self) {
        let (now, wall) = (self.now, self.wall());
        let mut forgotten = false;
        if let Some(process) = self.node.process.as_mut() {
            let monotonic = process.monotonic(now);
            let known = process.host.outside.clock.at(monotonic).is_some();
            process.host.outside.clock.look(monotonic, wall);
            if known && process.host.outside.clock.at(monotonic).is_none() {
                forgotten = true;
            }
            process.host.outside.monotonic = monotonic;
            process.host.outside.in_a_row = 0;
            process.host.outside.wall = wall;
        }
        if forgotten {
            self.read_clock_at(now + 200 * MILLI);
        }
    }

    /// Our own wall clock, which may be off.
    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp::from_nanos(self.now + self.node.wall_off)
    }

    pub(crate) fn after(&mut self, result: Result<(), AppendError>) {
        let Some(process) = self.node.process.as_mut() else { return };
        let watchdog = &mut process.host.outside.watchdog;
        watchdog.synced(process.host.journal.synced_seq());
        for fill in watchdog.booked.drain(..) {
            let (listing, signed) = (fill.instrument.index(), fill.side.signed(fill.quantity).mantissa());
            let trade = i64::try_from(fill.trade_id.0).unwrap_or(-1);
            let fee = i64::try_from(fill.fee.0.units).unwrap_or(i64::MAX);
            self.judge.books(listing, trade, signed, fill.price.mantissa(), fee);
        }
        self.tally.parents += std::mem::take(&mut watchdog.parents);
        for id in watchdog.over.drain(..) {
            self.judge.is_over(id.to_string());
        }
        self.violations.append(&mut watchdog.violations);
        if let (Some(log), Some(lines)) = (self.log.as_mut(), process.host.outside.log.as_mut()) {
            log.append(lines);
        }
        self.trace.update(process.host.state.sequence.to_le_bytes());
        match result {
            Ok(()) => self.drain_outbox(),
            Err(error) => {
                self.note(&format!("the journal fails: {error}"));
                // nothing leaves that is not remembered: the process ends; the machine lives on
                self.die(Crash::KeepUnsynced, 3 * SECOND);
            }
        }
    }

    // --- what strikes at a moment

    fn strike(&mut self, place: usize) {
        let planned = self.plan.plan.faults[place];
        self.plan.struck.push(place);
        let lot = planned.lot;
        let length = (1 + i64::try_from(lot % 60).unwrap_or(0)) * SECOND;
        let session = self.node.process.as_ref().map_or(0, |process| process.session.id);
        match planned.fault {
            FaultId::D01 => self.cut_noticed(self.now, session, self.now + DEAD_AFTER),
            FaultId::D05 => {
                self.link.down_until = self.now + length / 3;
                self.cut(self.now, session);
            }
            FaultId::F01 => {
                let hours = i64::try_from(lot % 3).unwrap_or(0) - 1;
                self.node.wall_off = hours * 3_600 * SECOND + (i64::try_from(lot % 11).unwrap_or(0) - 5) * SECOND;
            }
            FaultId::F05 => {
                let length = (30 + i64::try_from(lot % 570).unwrap_or(0)) * SECOND;
                self.frozen_until = self.now + length;
                self.cut_noticed(self.now, session, self.frozen_until);
                if let Some(process) = self.node.process.as_mut() {
                    process.began += length; // the monotonic clock stands still meanwhile
                }
            }
            FaultId::G02 => self.power_fails(lot),
            FaultId::G04 => {
                self.disk_spoilt = true;
                self.node.storage.set_space(Some(1));
            }
            FaultId::G05 => {
                self.disk_spoilt = true;
                let at = self.node.storage.operations() + lot % 7;
                self.node.storage.fail_at(at, if lot.is_multiple_of(2) { Fault::Io } else { Fault::Full });
            }
            FaultId::G13 => self.kill(lot),
            FaultId::G03 => self.spoil_tail(lot),
            FaultId::G09 => self.spoil_snapshots(lot),
            FaultId::B05 => self.another_hand(lot),
            FaultId::B11 => self.transfer(lot, true),
            FaultId::B12 => self.transfer(lot, false),
            FaultId::D02 => self.slow_until = self.now + length,
            FaultId::E01 => {
                self.scarce_until = self.now + 70 * SECOND;
                self.house.squeeze(u32::try_from(lot % 200).unwrap_or(0));
            }
            FaultId::E02 => {
                let ban = (120 + i64::try_from(lot % 120).unwrap_or(0)) * SECOND;
                self.scarce_until = self.now + ban + 10 * SECOND;
                self.house.ban(ban / MILLI);
            }
            FaultId::E06 => {
                self.emit();
                self.house.forget_open_orders(0);
                self.cut(self.now, session);
            }
            FaultId::E09 => {
                self.link.down_until = self.now + 2 * length;
                self.link.market = Some((FaultId::C07, self.now + 2 * length));
                self.cut(self.now, session);
            }
            FaultId::F07 => self.frozen_until = self.now + (1 + i64::try_from(lot % 3).unwrap_or(0)) * SECOND,
            FaultId::I02 => self.garbage(lot),
            FaultId::I04 => self.again_and_again(lot),
            FaultId::C02 | FaultId::C05 | FaultId::C06 | FaultId::C07 => {
                self.link.market = Some((planned.fault, self.now + length));
            }
            _ => (),
        }
        self.queue.at(self.now + length, What::Heal(place));
    }

    fn heal(&mut self, place: usize) {
        match self.plan.plan.faults[place].fault {
            FaultId::G04 => self.node.storage.set_space(None),
            FaultId::F01 => self.node.wall_off = 0,
            _ => (),
        }
    }

    /// The sky clears: what still goes wrong by the plan goes wrong no more.
    fn calm(&mut self) {
        self.node.storage.set_space(None);
        self.node.wall_off = 0;
        self.link.market = None;
        self.link.down_until = self.link.down_until.min(self.now);
        self.lag_until = self.lag_until.map(|until| until.min(self.now));
        self.slow_until = 0;
        self.plan.rest();
        self.settled = None;
    }

    /// Whether nothing is planned to go wrong.
    pub(crate) fn is_fair(&self) -> bool {
        self.plan.plan.faults.is_empty()
    }

    fn is_quiet(&self) -> bool {
        let Some(process) = self.node.process.as_ref() else { return false };
        let state = &process.host.state;
        process.pending.is_empty()
            && process.inquiries.is_empty()
            && process.put_off.is_empty()
            && process.session.up
            && self.link.alive(process.session.id, self.now)
            && state.open.values().all(answered)
            && state.parents.is_empty()
            && !state.governance.is_waiting()
            && state.foreign.is_empty()
            && state.foreign_fills.is_empty()
            && state.halted.is_none()
            && state.reduce_only.is_none()
            && self.queue.frames == 0
            && self.settled.is_some_and(|at| at > self.calm_from + 60 * SECOND)
    }

    /// Whether the venue has something to say that is not on its way yet: a question moves its market on.
    fn venue_speaks(&mut self) -> bool {
        self.emit();
        self.queue.frames > 0
    }

    fn why_not_quiet(&self) -> String {
        let Some(process) = self.node.process.as_ref() else { return "the process does not come up".to_owned() };
        let state = &process.host.state;
        let open: Vec<String> = state
            .open
            .values()
            .filter(|it| !answered(it))
            .map(|it| format!("{} {:?}", it.order.client_id(), it.state))
            .collect();
        format!(
            "{} pending, {} inquiries, session {}, {} open {open:?}, {} parents, waiting {}, settled {:?}, drifts {:?}, \
             {} foreign, {} fills of theirs, halted {:?}, restricted {:?}",
            process.pending.len(),
            process.inquiries.len(),
            process.session.up,
            state.open.len(),
            state.parents.live().count(),
            state.governance.is_waiting(),
            self.settled.map(|at| (at - START) / SECOND),
            self.last_drifts.iter().map(|it| format!("{}: {} / {}", it.what, it.ours, it.venue)).collect::<Vec<_>>(),
            state.foreign.len(),
            state.foreign_fills.len(),
            state.halted,
            state.reduce_only
        )
    }

    fn close(mut self) -> Report {
        let mut chain = String::new();
        let mut watchdog = self.node.watchdog.take().unwrap_or_default();
        if let Some(process) = self.node.process.as_mut() {
            let host = &mut process.host;
            watchdog = std::mem::take(&mut host.outside.watchdog);
            watchdog.compare_all(&host.state, "at the end");
            self.violations.append(&mut watchdog.violations);
            self.tally.fills = host.state.counters.fills;
            chain = hex::encode(host.journal.chain());
            self.trace.update(host.journal.chain());
        }
        self.tally.ambiguous = watchdog.ambiguous.len() as u64;
        self.tally.absent = watchdog.absent.len() as u64;
        self.tally.breaches = watchdog.breaches;
        self.tally.crashes = self.node.crashes;
        let quiet = self.violations.is_empty();
        let mut verdict = Verdict::default();
        let judge = std::mem::take(&mut self.judge);
        self.tally.places = judge.places() as u64;
        if quiet {
            verdict = judge.close(&self.house);
        } else {
            verdict.findings = judge.findings().to_vec();
        }
        let struck = self.plan.struck.clone();
        Report {
            seed: self.seed,
            hours: seconds(self.horizon) / 3_600.0,
            faults: self.plan.tally(),
            struck,
            tally: self.tally,
            verdict,
            refused: watchdog.refused,
            halts: watchdog.halts,
            violations: self.violations,
            hash: hex::encode(self.trace.finalize()),
            chain,
            log: self.log.unwrap_or_default(),
        }
    }

    pub(crate) fn violate(&mut self, text: String) {
        self.violations.push(format!("{:.3} s: {text}", seconds(self.now - START)));
    }

    pub(crate) fn note(&mut self, text: &str) {
        if let Some(log) = self.log.as_mut() {
            log.push(text.to_owned());
        }
    }
}

/// Every fault that a storm knows.
#[must_use]
pub fn all_faults() -> Vec<FaultId> {
    FAULTS.iter().map(|line| line.id).collect()
}

#[allow(clippy::cast_precision_loss)] // for people
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

/// How long to wait before connecting anew.
fn backoff(failures: u32) -> i64 {
    ((100 * MILLI) << failures.min(7)).min(10 * SECOND)
}

/// Whether the venue's word on an order is known, and nothing more is awaited.
const fn answered(record: &tradewind_domain::OrderRecord) -> bool {
    matches!(record.state, tradewind_domain::OrderState::Working)
}

const fn is_of_node(what: &What) -> bool {
    matches!(
        what,
        What::NodeFrame { .. }
            | What::NodeRest { .. }
            | What::Market { .. }
            | What::SessionLost { .. }
            | What::Connect { .. }
            | What::AnswerDue { .. }
            | What::Inquire { .. }
            | What::Sweep { .. }
            | What::ReadClock { .. }
            | What::Tick { .. }
            | What::Start
    )
}

const fn kind_of(what: &What) -> u8 {
    match what {
        What::Flow => 0,
        What::VenueFrame { .. } => 1,
        What::Matching { .. } => 2,
        What::VenueRest { .. } => 3,
        What::NodeFrame { .. } => 4,
        What::NodeRest { .. } => 5,
        What::Market { .. } => 6,
        What::SessionLost { .. } => 7,
        What::Connect { .. } => 8,
        What::AnswerDue { .. } => 9,
        What::Inquire { .. } => 10,
        What::Sweep { .. } => 11,
        What::ReadClock { .. } => 12,
        What::Tick { .. } => 13,
        What::Fault(_) => 14,
        What::Heal(_) => 15,
        What::Start => 16,
    }
}

fn words_of(what: &What) -> String {
    match what {
        What::Flow => "flow".to_owned(),
        What::VenueFrame { session, text, back, .. } => format!("venue < {session} {back:?} {text}"),
        What::Matching { session, .. } => format!("matching {session}"),
        What::VenueRest { ticket, path, .. } => format!("venue < ? {ticket} {path}"),
        What::NodeFrame { session, text } => format!("node < {session} {text}"),
        What::NodeRest { ticket, answer, .. } => format!("node < ! {ticket} {answer:?}"),
        What::Market { text, .. } => format!("node < market {text}"),
        What::SessionLost { session } => format!("session {session} lost"),
        What::Connect { .. } => "connect".to_owned(),
        What::AnswerDue { id, .. } => format!("answer {id} overdue"),
        What::Inquire { client_id, .. } => format!("inquire {client_id}"),
        What::Sweep { .. } => "sweep".to_owned(),
        What::ReadClock { .. } => "read clock".to_owned(),
        What::Tick { .. } => "tick".to_owned(),
        What::Fault(place) => format!("fault {place}"),
        What::Heal(place) => format!("heal {place}"),
        What::Start => "start".to_owned(),
    }
}
