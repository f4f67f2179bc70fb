//! What the node hears: answers, the account's events, the market.

use crate::node::Ticket;
use crate::orders::MILLI;
use crate::storm::Storm;
use std::time::Duration;
use tradewind_domain::{Bar, Origin, PortfolioId, Source, Timestamp};
use tradewind_engine::EventKind;
use tradewind_exchange::Reply;
use tradewind_host::{end_of, fact_of, is_told_too_early};
use tradewind_venues::binance::protocol::{
    Consequence, MarketFrame, UserFrame, read_answer, read_market_event, read_user_frame,
};
use tradewind_venues::binance::rules::Command;
use tradewind_venues::binance::wire::ServerTime;
use tradewind_venues::{VenueEvent, VenueReport};

impl Storm {
    pub(crate) fn heard(&mut self, session: u64, text: &str) {
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
                } else if let Some(banned) = told_to_wait(text).filter(|_| id == process.session.subscribing) {
                    self.heed(Consequence::Wait { wait: None, banned });
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

    pub(crate) fn market(&mut self, text: &str) {
        let wall = self.wall();
        let Some(process) = self.node.process.as_ref() else { return };
        let codec = process.host.outside.codec.clone();
        let Some(frame) = MarketFrame::read(text) else { return };
        match read_market_event(&codec.instruments, frame.kind(), frame.data(), wall) {
            Ok(Some(VenueEvent::Quote { quote, .. })) => {
                let at = process.market_time(self.now);
                let kind = EventKind::Quoted { quote, origin: Origin::Simulated, marks: true };
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
        let market_time = process.market_time(now);
        let desks: &mut [_] = if calm { &mut [] } else { &mut process.desks };
        let result = process.host.bar(desks, bar, (received, market_time), Origin::Simulated);
        self.after(result);
    }

    pub(crate) fn told(&mut self, ticket: u64, answer: Option<Reply>) {
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
}

/// Whether an answer says to wait, and if so whether this address is banned.
fn told_to_wait(text: &str) -> Option<bool> {
    let says = |status: &str| text.contains(&format!("\"status\":{status}"));
    (says("429") || says("418")).then(|| says("418"))
}
