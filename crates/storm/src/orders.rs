//! Orders out, answers in: the last checks, the wire, and what became of it.

use crate::faults::{FaultId, Place};
use crate::judge::Sent;
use crate::plan::Planned;
use crate::queue::{Back, What};
use crate::storm::Storm;
use sha2::{Digest as _, Sha256};
use tradewind_domain::{ClientOrderId, Coded as _, PortfolioId, Price, Quantity, Source, Timestamp};
use tradewind_engine::{Doubt, EventKind, Halt};
use tradewind_gate::Approved;
use tradewind_host::{Asks, Outgoing, fact_of_terms};
use tradewind_journal::Permit;
use tradewind_venues::binance::protocol::{self, Consequence, OrderAnswer};
use tradewind_venues::{NotSentReason, Prepared, TransportFault, Wait};

pub(crate) const MILLI: i64 = 1_000_000;
pub(crate) const SECOND: i64 = 1_000_000_000;
/// How long an answer may take: the venue gives up after ten seconds itself.
pub(crate) const ANSWER_TIME: i64 = 11 * SECOND;
/// New orders stop when the venue's clock is known no better than this.
const MOST_CLOCK_ERROR: i64 = 250 * MILLI;

/// A request that is out and unanswered.
pub(crate) struct Pending {
    permit: Permit<Approved>,
    prepared: Prepared,
    sent_at: Timestamp,
}

/// What the network does with one request.
#[derive(Clone, Copy, Debug)]
struct Way {
    delay: i64,
    hold: i64,
    arrives: bool,
    back: Back,
    carried_out: bool,
    /// After how long the connection breaks.
    cut: Option<i64>,
}

impl Storm {
    /// Sends what the loop has permitted, once.
    pub(crate) fn drain_outbox(&mut self) {
        while let Some(process) = self.node.process.as_mut() {
            let outbox = std::mem::take(&mut process.host.outside.outbox);
            if outbox.is_empty() {
                return;
            }
            for out in outbox {
                self.send(out);
            }
        }
    }

    fn send(&mut self, out: Outgoing) {
        let strikes = self.plan.next(match Asks::of(out.permit.get().action()) {
            Asks::Order => Place::Submit,
            Asks::Cancel => Place::Cancel,
            Asks::Amend(_) => Place::Amend,
        });
        if let Some(Planned { fault: FaultId::G01, lot, .. }) = strikes
            && lot.is_multiple_of(2)
        {
            return self.kill(lot); // the intent is synced, nothing was sent
        }
        let Some(process) = self.node.process.as_ref() else { return };
        let seq = out.permit.seq();
        if process.host.journal.synced_seq() < seq {
            self.violate(format!("a permit for record {seq} before it was synced"));
        }
        if let Err(reason) = self.last_checks(&out) {
            let reason = format!("{}: {reason}", reason.code());
            return self.tell_not_sent(&out, &reason);
        }
        self.write(out, strikes);
        if let Some(Planned { fault: FaultId::G01, lot, .. }) = strikes {
            self.kill(lot); // sent, and no answer can be heard
        }
    }

    /// Nothing but the write comes after these.
    fn last_checks(&mut self, out: &Outgoing) -> Result<(), NotSentReason> {
        let Some(process) = self.node.process.as_mut() else { return Ok(()) };
        let now = process.budget_time(self.now);
        if !process.session.up {
            return Err(NotSentReason::NotConnected("the order socket is being connected".to_owned()));
        }
        let action = out.permit.get().action();
        let command = protocol::command(action);
        let clock = process.host.outside.clock.at(process.monotonic(self.now));
        protocol::check_time(command, &out.prepared, clock, MOST_CLOCK_ERROR, 0)?;
        let (endpoint, purpose) = (protocol::endpoint(action), protocol::purpose(action));
        let taken = process.weight.take(endpoint.weight(), purpose, now).and_then(|()| match endpoint.orders() {
            0 => Ok(()),
            count => process.orders.take(count, purpose, now),
        });
        taken.map_err(|wait| match wait {
            Wait::Budget(wait) | Wait::Told(wait) => NotSentReason::Budget(wait),
            Wait::Banned(wait) => NotSentReason::Banned(wait),
        })?;
        protocol::check_halt(action, process.host.state.halted.is_some())
    }

    fn write(&mut self, out: Outgoing, strikes: Option<Planned>) {
        let sent_at = self.wall();
        let now = self.now;
        let Some(process) = self.node.process.as_mut() else { return };
        let action = out.permit.get().action();
        process.next_id += 1;
        let id = process.next_id;
        let text = protocol::order_text(&process.host.outside.codec.signer, action, &out.prepared, id);
        let session = process.session.id;
        self.check_body(&out);
        let action = out.permit.get().action();
        let group = (action.orders().len() > 1).then_some(id);
        for order in action.orders() {
            let sent = Sent {
                portfolio: order.portfolio().0,
                listing: order.instrument().index(),
                sign: order.side().sign(),
                quantity: order.quantity().mantissa(),
                limit: order.terms().kind.limit().map(Price::mantissa),
                group,
            };
            self.judge.sends(&order.client_id().to_string(), sent, &self.house);
            self.tally.submits += 1;
        }
        let is_order = Asks::of(action) == Asks::Order;
        self.tally.pairs += u64::from(action.orders().len() > 1);
        self.tally.amends += u64::from(matches!(Asks::of(action), Asks::Amend(_)));
        let way = self.way(strikes, is_order);
        let Some(process) = self.node.process.as_mut() else { return };
        process.pending.insert(id, Pending { permit: out.permit, prepared: out.prepared, sent_at });
        self.queue.at(now + ANSWER_TIME, What::AnswerDue { life: self.node.life, id });
        if way.arrives && self.link.up(now) {
            let arrival = self.link.arrival_at_venue(now, way.delay);
            let (back, carried_out, hold) = (way.back, way.carried_out, way.hold);
            self.queue.at(arrival, What::VenueFrame { session, text, carried_out, hold, back });
        }
        if let Some(after) = way.cut {
            self.cut(now + after, session);
        }
    }

    /// The body that leaves is the one whose hash was recorded before.
    fn check_body(&mut self, out: &Outgoing) {
        let Some(process) = self.node.process.as_ref() else { return };
        let hash = hex::encode(Sha256::digest(out.prepared.body().as_bytes()));
        let watchdog = &process.host.outside.watchdog;
        let mut wrong = Vec::new();
        for order in out.permit.get().action().orders() {
            if watchdog.body_of(order.client_id()) != Some(&hash) {
                wrong.push(format!("order {} leaves with a body that was not recorded", order.client_id()));
            }
            if watchdog.is_halted() && !order.request().reduce_only {
                wrong.push(format!("order {} leaves while halted", order.client_id()));
            }
        }
        wrong.into_iter().for_each(|text| self.violate(text));
    }

    /// What the network does with this request.
    fn way(&mut self, strikes: Option<Planned>, is_order: bool) -> Way {
        let delay = self.chance.between(1, 20) * MILLI;
        let hold = self.climate.latency();
        let (back, carried_out) =
            if is_order { self.climate.order_error() } else { None }.unwrap_or((Back::Whole, true));
        let sound = Way { delay, hold, arrives: true, back, carried_out, cut: None };
        let Some(Planned { fault, lot, .. }) = strikes else { return sound };
        let lot = i64::try_from(lot % 1_000_000).unwrap_or(0);
        let soon = delay + (40 + lot % 60) * MILLI;
        match fault {
            // the longer half waits for a timeout, the shorter for a break
            FaultId::A01 | FaultId::A14 if lot % 3 == 0 => Way { back: Back::Lost, ..sound },
            FaultId::A01 | FaultId::A14 => Way { back: Back::Cut, ..sound },
            FaultId::A02 => Way { back: Back::Cut, cut: Some(delay + MILLI), ..sound },
            FaultId::A03 if lot % 4 == 0 => Way { arrives: false, ..sound },
            FaultId::A03 | FaultId::A06 => Way { arrives: false, cut: Some(soon), ..sound },
            FaultId::A04 => {
                Way { delay: (100 + lot % 1_700) * MILLI, cut: Some(soon.min(90 * MILLI)), back: Back::Lost, ..sound }
            }
            FaultId::A05 => Way { delay: (2_050 + lot % 5_000) * MILLI, cut: Some(soon), back: Back::Lost, ..sound },
            FaultId::A07 => {
                let since = self.now + delay;
                self.lag(since, (1 + lot % 600) * SECOND, (1 + lot % 40) * SECOND);
                Way { back: Back::Cut, ..sound }
            }
            FaultId::A09 => Way { back: Back::ErrorInSuccess, carried_out: lot % 2 == 0, ..sound },
            FaultId::A10 => Way { back: Back::UnknownCode, carried_out: lot % 2 == 0, ..sound },
            FaultId::A15 if lot % 5 == 0 => Way { arrives: false, cut: Some(soon), ..sound },
            FaultId::A15 if lot % 5 == 1 => Way { hold: (200 + lot % 1_500) * MILLI, back: Back::Lost, ..sound },
            FaultId::A15 if lot % 5 == 2 => Way { back: Back::ServerError, carried_out: lot % 2 == 0, ..sound },
            FaultId::A15 if lot % 5 == 3 => Way { hold: (200 + lot % 1_500) * MILLI, ..sound },
            FaultId::A15 => Way { back: Back::Cut, ..sound },
            FaultId::A13 => Way { hold: (200 + lot % 1_500) * MILLI, ..sound },
            FaultId::D03 => Way { back: Back::Half, carried_out: lot % 4 != 0, ..sound },
            FaultId::D12 => Way { back: Back::Page, carried_out: lot % 2 == 0, ..sound },
            FaultId::D13 => Way { back: if lot % 2 == 0 { Back::Another } else { Back::Twice }, ..sound },
            FaultId::E04 => Way { back: Back::ServerError, carried_out: lot % 2 == 0, ..sound },
            _ => sound,
        }
    }

    // --- what became of it

    fn tell_not_sent(&mut self, out: &Outgoing, reason: &str) {
        let asks = Asks::of(out.permit.get().action());
        let window = (out.prepared.not_before(), out.prepared.fence());
        for client_id in out.permit.get().action().client_ids().collect::<Vec<_>>() {
            self.venue_says(None, asks.not_sent(client_id, reason.to_owned()));
            if asks != Asks::Order {
                self.begin_inquiry(client_id, asks.doubt(), Some(window)); // an earlier request may still be out
            }
        }
    }

    /// The answer of this number came.
    pub(crate) fn answered(&mut self, id: i64, text: &str) {
        let received = self.wall();
        let Some(process) = self.node.process.as_mut() else { return };
        let Some(pending) = process.pending.remove(&id) else { return };
        let read = protocol::read_order_answer(pending.permit.get().action(), text, pending.sent_at, received);
        for usage in &read.usages {
            if usage.kind == tradewind_venues::binance::wire::RateLimitType::RequestWeight {
                process.weight.used(usage.interval, usage.count, process.budget_time(self.now));
            }
        }
        match read.consequence {
            Consequence::None => (),
            Consequence::ForgetClock => {
                process.host.outside.clock.forget();
                self.read_clock_at(self.now + 200 * MILLI);
            }
            Consequence::Wait { wait, banned } => {
                let wait = wait.unwrap_or(std::time::Duration::from_secs(if banned { 120 } else { 10 }));
                process.weight.told_to_wait(wait, banned, process.budget_time(self.now));
            }
        }
        self.became(pending, read.answer);
    }

    /// The answer of this number is overdue.
    pub(crate) fn overdue(&mut self, id: i64) {
        let Some(process) = self.node.process.as_mut() else { return };
        if let Some(pending) = process.pending.remove(&id) {
            let fault = TransportFault::TimedOut(std::time::Duration::from_secs(11));
            self.became(pending, OrderAnswer::Unknown(fault));
        }
    }

    /// Whatever is out may have been taken or not.
    pub(crate) fn all_unknown(&mut self, fault: &TransportFault) {
        let Some(process) = self.node.process.as_mut() else { return };
        for (_, pending) in std::mem::take(&mut process.pending) {
            self.became(pending, OrderAnswer::Unknown(fault.clone()));
        }
    }

    fn became(&mut self, pending: Pending, answer: OrderAnswer) {
        let action = pending.permit.get().action();
        let asks = Asks::of(action);
        let is_order = asks == Asks::Order;
        let ids: Vec<ClientOrderId> = action.client_ids().collect();
        let window = (pending.prepared.not_before(), pending.prepared.fence());
        let doubt = match answer {
            OrderAnswer::Ack(ack) => {
                if let Some(process) = self.node.process.as_mut() {
                    process.clock_refusals = 0;
                }
                for (client_id, venue_id) in ack.orders.into_iter().filter(|_| is_order) {
                    self.venue_says(Some(ack.at), EventKind::Accepted { client_id, venue_id });
                }
                // the report of the order confirms an amendment, or else its standing does
                if let Asks::Amend(_) = asks { Some(Doubt::Amend) } else { None }
            }
            OrderAnswer::Rejected(rejection) => {
                self.heed_rejection(rejection.code, &rejection.reason, is_order);
                let reason = format!("{} {}: {}", rejection.code, rejection.venue_code, rejection.reason);
                for client_id in &ids {
                    self.venue_says(None, asks.refused(*client_id, reason.clone()));
                }
                (!is_order).then_some(asks.doubt())
            }
            OrderAnswer::Unknown(fault) => {
                self.heed_rejection(fault.code(), &fault.to_string(), is_order);
                for client_id in &ids {
                    let reason = format!("{}: {fault}", fault.code());
                    self.venue_says(None, EventKind::AnswerLost { client_id: *client_id, reason });
                }
                Some(asks.doubt())
            }
        };
        for client_id in ids {
            if let Some(doubt) = doubt {
                self.begin_inquiry(client_id, doubt, Some(window));
            }
        }
    }

    /// The terms at which the venue works an order: where they are not what was meant, they count.
    pub(crate) fn terms(&mut self, client_id: ClientOrderId, price: Option<Price>, quantity: Quantity) {
        let Some(process) = self.node.process.as_ref() else { return };
        if let Some(kind) = fact_of_terms(&process.host.state, client_id, price, quantity) {
            self.tally.reworked += u64::from(matches!(kind, EventKind::Reworked { .. }));
            self.venue_says(None, kind);
        }
    }

    /// A name that was used before, or a clock that the venue refuses twice, stops trading.
    fn heed_rejection(&mut self, code: &str, text: &str, is_order: bool) {
        let Some(process) = self.node.process.as_mut() else { return };
        let reason = match code {
            "VEN-15" => {
                process.clock_refusals += 1;
                (process.clock_refusals > 1).then(|| format!("the venue refuses our time stamps: {text}"))
            }
            "VEN-16" if is_order => Some(format!("the venue has an order under an id of ours: {text}")),
            _ => None,
        };
        if let Some(reason) = reason {
            self.venue_says(None, EventKind::Halted(Halt { reason }));
        }
    }

    /// Records a fact that the venue told, or that is true now.
    pub(crate) fn venue_says(&mut self, at: Option<Timestamp>, kind: EventKind) {
        let now = self.now;
        let Some(process) = self.node.process.as_ref() else { return };
        let at = match at {
            Some(at) => process.market.believed(at, process.monotonic(now)),
            None => process.market_time(now),
        };
        self.record(at, Source::Venue, PortfolioId(0), kind);
    }
}
