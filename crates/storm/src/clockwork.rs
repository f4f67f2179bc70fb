//! The node's own clockwork: its clocks, its ticks, and the loop that every event goes through.

use crate::node::Ticket;
use crate::orders::{MILLI, SECOND};
use crate::queue::What;
use crate::storm::Storm;
use sha2::Digest as _;
use tradewind_domain::{PortfolioId, Source, Timestamp};
use tradewind_engine::{EventKind, moves_balance};
use tradewind_journal::{AppendError, Crash};
use tradewind_venues::Purpose;
use tradewind_venues::binance::rules::Endpoint;

/// How often the venue's clock is read.
const CLOCK_EVERY: i64 = 60 * SECOND;
/// No order stays of unknown outcome for longer, while the process lives.
const UNKNOWN_AT_MOST: i64 = 25 * 60 * SECOND;

impl Storm {
    /// Reads the clock at `time`, or sooner if that was meant already.
    pub(crate) fn read_clock_at(&mut self, time: i64) {
        let life = self.node.life;
        if let Some(process) = self.node.process.as_mut().filter(|it| it.clock_due > time) {
            process.clock_due = time;
            self.queue.at(time, What::ReadClock { life });
        }
    }

    pub(crate) fn read_clock(&mut self) {
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

    pub(crate) fn tick(&mut self) {
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
        self.last_off.retain(|(currency, _)| !moves_balance(&process.host.state, &kind, *currency));
        let result = process.host.record(at, wall, source, portfolio, kind);
        self.after(result);
    }

    pub(crate) fn set_moment(&mut self) {
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
        self.tally.planned += std::mem::take(&mut watchdog.planned);
        self.tally.guards += std::mem::take(&mut watchdog.guards);
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
}
