//! Orders in doubt: the engine's rules decide what to ask, here it is asked over the simulated wire.

use crate::node::{Steady, Ticket, Window, inform};
use crate::orders::MILLI;
use crate::queue::What;
use crate::storm::Storm;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tradewind_domain::{ClientOrderId, OrderRecord, OrderState, VenueOrderId};
use tradewind_engine::{Answer, Doubt, Evidence, EvidencePolicy, Inquiry, Question, Step};
use tradewind_exchange::Reply;
use tradewind_host::{InDoubt, standing_of};
use tradewind_venues::Purpose;
use tradewind_venues::binance::convert::{fill_of_trade, standing, time_of_trade};
use tradewind_venues::binance::protocol::{Consequence, Query, Refusal, read_answer};
use tradewind_venues::binance::rules::Command;
use tradewind_venues::binance::wire::{AccountTrade, OrderReport};

/// An order in doubt.
pub(crate) struct Asked {
    pub(crate) about: InDoubt,
    clock: Steady,
    /// What it began with.
    doubt: Doubt,
    was_unknown: bool,
    /// The order itself is in doubt, although its cancel was asked about.
    doubted: bool,
    /// What came into doubt meanwhile, and is asked about next.
    next: Option<(Doubt, Option<Window>)>,
}

const fn is_unknown(record: &OrderRecord) -> bool {
    matches!(record.state, OrderState::Intended | OrderState::InFlight { .. } | OrderState::Unknown { .. })
}

impl Storm {
    /// Asks about what was put off, once the venue's clock is known.
    pub(crate) fn begin_put_off(&mut self) {
        let Some(process) = self.node.process.as_mut() else { return };
        for (id, doubt, window) in std::mem::take(&mut process.put_off) {
            self.begin_inquiry(id, doubt, window);
        }
    }

    /// Begins to ask what became of an order, unless somebody asks already.
    pub(crate) fn begin_inquiry(&mut self, id: ClientOrderId, doubt: Doubt, window: Option<Window>) {
        let now = self.now;
        let Some(process) = self.node.process.as_mut() else { return };
        if let Some(asked) = process.inquiries.get_mut(&id) {
            // whoever asks about its cancel asks about the order from now on
            match doubt {
                Doubt::Order => asked.doubted = true,
                Doubt::Cancel | Doubt::Amend => asked.next = Some((doubt, window)),
            }
            return;
        }
        let Some(record) = process.host.state.order(id).cloned() else { return };
        let monotonic = process.monotonic(now);
        let Some((venue, error)) = process.host.outside.clock.at(monotonic) else {
            return process.put_off.push((id, doubt, window)); // the clock is being read anew
        };
        let clock = Steady { began: monotonic, venue, error };
        let mut inquiry = Inquiry::new(&record, doubt, EvidencePolicy::BINANCE_SPOT, venue, error);
        if let Some((not_before, fence)) = window {
            inquiry = inquiry.within(not_before, fence);
        }
        let was_unknown = is_unknown(&record);
        process.inquiries.insert(
            id,
            Asked { about: InDoubt::new(record, inquiry), clock, doubt, was_unknown, doubted: false, next: None },
        );
        self.step_inquiry(id);
    }

    /// Does the next thing about an order in doubt.
    pub(crate) fn step_inquiry(&mut self, id: ClientOrderId) {
        let now = self.now;
        let Some(process) = self.node.process.as_mut() else { return };
        let (monotonic, session) = (process.monotonic(now), process.session);
        let Some(asked) = process.inquiries.get_mut(&id) else { return };
        let record = process.host.state.order(id);
        let told = |record: &OrderRecord| {
            let amended = asked.doubt == Doubt::Amend && record.state != OrderState::PendingReplace;
            let is_known = asked.was_unknown && !is_unknown(record) && asked.about.inquiry.doubt() == Doubt::Order;
            !record.state.is_open() || is_known || amended
        };
        match record {
            Some(record) if !told(record) => asked.about.record = record.clone(),
            _ => {
                let next = process.inquiries.remove(&id).and_then(|asked| asked.next); // the streams were faster
                return self.ask_next(id, next);
            }
        }
        let clock = asked.clock;
        // its own answer was lost after its cancel's, or the venue does not list it any more
        if matches!(asked.about.record.state, OrderState::Unknown { .. }) || asked.doubted {
            asked.about.inquiry.widen(&asked.about.record, clock.at(monotonic));
        }
        inform(&mut asked.about.inquiry, clock, session, monotonic);
        let _ = asked.about.inquiry.alarm(clock.at(monotonic)); // nobody to wake here
        match asked.about.inquiry.next(clock.at(monotonic)) {
            Step::WaitUntil(moment) => {
                // the quartz may run slow: a moment later is early enough
                let wait = clock.until(moment, monotonic).max(MILLI);
                self.queue.at(now + wait + wait / 1_000, What::Inquire { life: self.node.life, client_id: id });
            }
            Step::Ask(question) => self.put(id, &question),
            Step::Done(evidence) => {
                let asked = process.inquiries.remove(&id);
                if let Some(asked) = asked {
                    self.conclude(&asked, &evidence);
                    self.ask_next(id, asked.next);
                }
            }
        }
    }

    /// Asks about what came into doubt while something else was asked about the order.
    fn ask_next(&mut self, id: ClientOrderId, next: Option<(Doubt, Option<Window>)>) {
        if let Some((doubt, window)) = next {
            self.begin_inquiry(id, doubt, window);
        }
    }

    fn conclude(&mut self, asked: &Asked, evidence: &Evidence) {
        match evidence {
            Evidence::Absent(_) => self.tally.proven_absent += 1,
            Evidence::Found { standing, .. } => {
                self.tally.found += 1;
                self.terms(asked.about.inquiry.client_id(), standing.price, standing.quantity);
            }
        }
        for (at, kind) in evidence.facts(&asked.about.record, asked.about.inquiry.doubt()) {
            self.venue_says(at, kind);
        }
    }

    fn put(&mut self, id: ClientOrderId, question: &Question) {
        let Some(process) = self.node.process.as_ref() else { return };
        let Some(asked) = process.inquiries.get(&id) else { return };
        let Some(it) = process.host.outside.codec.instruments.id(asked.about.inquiry.instrument()) else { return };
        let since = asked.about.lists_from();
        let query = match question {
            // the venue does not know our name of an order that we adopted
            Question::Order => match &asked.about.record.venue_id {
                Some(venue_id) if id.is_foreign() => Query::named(it, venue_id),
                _ => Query::order(it, id),
            },
            Question::OpenOrders => Query::open_orders(it),
            Question::History => Query::orders_since(it, since),
            Question::Trades => Query::fills_since(it, since),
            Question::Name(venue_id) => Query::named(it, venue_id),
            Question::Fills(venue_id) => Query::fills_of(it, venue_id, 0),
        };
        if !self.ask(&query, Ticket::Inquiry(id, question.clone())) {
            self.inquiry_failed(id, None);
        }
    }

    /// Sends a question, if the budget allows one.
    pub(crate) fn ask(&mut self, query: &Query, ticket: Ticket) -> bool {
        let (now, life) = (self.now, self.node.life);
        let Some(process) = self.node.process.as_mut() else { return false };
        let Some((venue, _)) = process.host.outside.clock.at(process.monotonic(now)) else { return false };
        if process.weight.take(query.endpoint.weight(), Purpose::Vital, process.budget_time(now)).is_err() {
            return false;
        }
        let text = query.signed(&process.host.outside.codec.signer, venue, crate::setup::WINDOW_MILLIS);
        self.node.next_ticket += 1;
        let number = self.node.next_ticket;
        process.tickets.insert(number, ticket);
        let delay = self.chance.between(1, 20) * MILLI;
        if self.link.up(now) {
            self.queue.at(now + delay, What::VenueRest { life, ticket: number, path: query.path, query: text });
        } else {
            let answer = None;
            self.queue.at(now + 3_000 * MILLI, What::NodeRest { life, ticket: number, answer });
        }
        true
    }

    fn inquiry_failed(&mut self, id: ClientOrderId, retry_after: Option<i64>) {
        self.inquiry_answered(id, Answer::Failed { retry_after });
    }

    fn inquiry_answered(&mut self, id: ClientOrderId, answer: Answer) {
        let now = self.now;
        let Some(process) = self.node.process.as_mut() else { return };
        let monotonic = process.monotonic(now);
        let Some(asked) = process.inquiries.get_mut(&id) else { return };
        asked.about.inquiry.answered(asked.clock.at(monotonic), answer);
        self.step_inquiry(id);
    }

    /// The answer to an inquiry's question came.
    pub(crate) fn inquiry_reply(&mut self, id: ClientOrderId, question: &Question, answer: Option<&Reply>) {
        let Some(Reply { status, body, retry_after, .. }) = answer else { return self.inquiry_failed(id, None) };
        let wait = retry_after.map(Duration::from_secs);
        let Some(process) = self.node.process.as_mut() else { return };
        let (codec, monotonic) = (process.host.outside.codec.clone(), process.monotonic(self.now));
        let Some(asked) = process.inquiries.get_mut(&id) else { return };
        let Some(it) = codec.instruments.id(asked.about.inquiry.instrument()) else { return };
        let (bytes, received) = (body.as_bytes(), asked.clock.at(monotonic));
        let said = match question {
            Question::Order => one(*status, bytes, wait, |row| standing(&codec.instruments, &row, received).ok())
                .map(|found| found.map_or(Answer::Lacks, |standing| Answer::Standing(standing_of(standing)))),
            Question::Name(_) => one(*status, bytes, wait, |row| standing(&codec.instruments, &row, received).ok())
                .map(|found| found.map_or(Answer::Lacks, |standing| asked.about.named(standing))),
            Question::OpenOrders | Question::History => {
                list::<OrderReport, _>(*status, bytes, wait, |row| standing(&codec.instruments, row, received).ok())
                    .map(|rows| asked.about.among(rows))
            }
            Question::Trades => list::<AccountTrade, _>(*status, bytes, wait, |row| {
                let fill = fill_of_trade(it, id, row).ok()?;
                Some((VenueOrderId(row.order_id.to_string().into_boxed_str()), fill.quantity))
            })
            .map(|traded| asked.about.traded(&traded)),
            Question::Fills(_) => {
                let timed = |row: &AccountTrade| Some((time_of_trade(row, received), fill_of_trade(it, id, row).ok()?));
                list::<AccountTrade, _>(*status, bytes, wait, timed).map(Answer::Fills)
            }
        };
        match said {
            Ok(answer) => self.inquiry_answered(id, answer),
            Err(consequence) => {
                let retry_after = self.heed(consequence);
                self.inquiry_failed(id, retry_after);
            }
        }
    }

    /// Does what a refusal asks; gives back the wait in nanoseconds.
    pub(crate) fn heed(&mut self, consequence: Consequence) -> Option<i64> {
        let process = self.node.process.as_mut()?;
        match consequence {
            Consequence::None => None,
            Consequence::ForgetClock => {
                process.host.outside.clock.forget();
                self.read_clock_at(self.now + 200 * MILLI);
                None
            }
            Consequence::Wait { wait, banned } => {
                let wait = wait.unwrap_or(Duration::from_secs(if banned { 120 } else { 10 }));
                process.weight.told_to_wait(wait, banned, process.budget_time(self.now));
                i64::try_from(wait.as_nanos()).ok()
            }
        }
    }
}

/// One row; `None` if the venue does not find it.
fn one<T: DeserializeOwned, R>(
    status: u16,
    bytes: &[u8],
    wait: Option<Duration>,
    read: impl FnOnce(T) -> Option<R>,
) -> Result<Option<R>, Consequence> {
    match read_answer::<T>(Command::Query, status, bytes, wait) {
        (Ok(row), consequence) => read(row).map(Some).ok_or(consequence),
        (Err(Refusal::NotFound { .. }), _) => Ok(None),
        (Err(_), consequence) => Err(consequence),
    }
}

/// All rows, or none of them.
pub(crate) fn list<T: DeserializeOwned, R>(
    status: u16,
    bytes: &[u8],
    wait: Option<Duration>,
    read: impl Fn(&T) -> Option<R>,
) -> Result<Vec<R>, Consequence> {
    match read_answer::<Vec<T>>(Command::Query, status, bytes, wait) {
        (Ok(rows), consequence) => rows.iter().map(read).collect::<Option<Vec<_>>>().ok_or(consequence),
        (Err(_), consequence) => Err(consequence),
    }
}
