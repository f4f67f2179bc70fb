//! The venue's word against the books: every half minute, after a gap of the user stream, and at the start.

use crate::inquire::list;
use crate::node::Ticket;
use crate::orders::SECOND;
use crate::queue::What;
use crate::setup::key;
use crate::storm::Storm;
use std::collections::BTreeMap;
use std::time::Duration;
use tradewind_domain::{ClientOrderId, Currency, InstrumentId, Timestamp, VenueOrderId};
use tradewind_engine::{Basis, Doubt, EventKind, Findings, Seen, VenueTrade, compare};
use tradewind_exchange::{Reply, RestRequest};
use tradewind_host::{since, venue_order};
use tradewind_venues::binance::convert::{balances, fill_of_trade, standing, time_of_trade};
use tradewind_venues::binance::protocol::{Query, Refusal, read_answer};
use tradewind_venues::binance::rules::Command;
use tradewind_venues::binance::wire::{Account, AccountTrade, OrderReport};

/// How often the lists are compared.
pub(crate) const SWEEP_EVERY: i64 = 30 * SECOND;

/// A part of what the venue is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Open orders of an instrument.
    Open(InstrumentId),
    /// Executions of an instrument.
    Trades(InstrumentId),
    /// One order.
    Named(InstrumentId, VenueOrderId),
    /// What the account holds.
    Balances,
}

/// A comparison that is under way.
pub(crate) struct Sweeping {
    number: u64,
    basis: Basis,
    seen: Seen,
    /// What is still to be asked, the next one last.
    parts: Vec<Part>,
    rounds: u32,
}

impl Storm {
    /// Begins a comparison, unless one is under way.
    pub(crate) fn begin_sweep(&mut self) {
        let now = self.now;
        let Some(process) = self.node.process.as_mut() else { return };
        if process.sweep.is_some() {
            return;
        }
        let Some((asked, _)) = process.host.outside.clock.at(process.monotonic(now)) else { return };
        let state = &process.host.state;
        let seen = Seen { asked, trades_from: since(state, asked), ..Seen::default() };
        self.node.next_ticket += 1;
        let number = self.node.next_ticket;
        let ids = state.listings.iter().map(|it| it.instrument.id).rev();
        let mut parts = vec![Part::Balances];
        parts.extend(ids.flat_map(|id| [Part::Trades(id), Part::Open(id)]));
        process.sweep = Some(Sweeping { number, basis: Basis::of(state), seen, parts, rounds: 0 });
        self.ask_next_part();
    }

    /// One part after the other, as a node asks them.
    fn ask_next_part(&mut self) {
        let Some(process) = self.node.process.as_mut() else { return };
        let Some(sweep) = process.sweep.as_mut() else { return };
        let (number, from) = (sweep.number, sweep.seen.trades_from);
        let Some(part) = sweep.parts.pop() else { return self.all_parts_came() };
        if part == Part::Balances {
            sweep.basis.fills = process.host.state.counters.fills;
        }
        match query_of(process.host.outside.codec.as_ref(), &part, from) {
            Some(query) if self.ask(&query, Ticket::Sweep(number, part)) => (),
            _ => self.drop_sweep(),
        }
    }

    /// A comparison that lacks a part says nothing: the next one will.
    fn drop_sweep(&mut self) {
        if let Some(process) = self.node.process.as_mut() {
            process.sweep = None;
        }
    }

    /// The answer to a part came.
    pub(crate) fn sweep_reply(&mut self, number: u64, part: &Part, answer: Option<&Reply>) {
        let Some(process) = self.node.process.as_mut() else { return };
        let codec = process.host.outside.codec.clone();
        let Some(sweep) = process.sweep.as_mut().filter(|sweep| sweep.number == number) else { return };
        let read = answer.map(|reply| take(&mut sweep.seen, &codec, part, reply));
        match read {
            Some(Ok(())) => self.ask_next_part(),
            Some(Err(consequence)) => {
                self.heed(consequence);
                self.drop_sweep();
            }
            None => self.drop_sweep(),
        }
    }

    fn all_parts_came(&mut self) {
        let Some(process) = self.node.process.as_mut() else { return };
        let Some(sweep) = process.sweep.as_mut() else { return };
        let found = compare(&process.host.state, &sweep.basis, &sweep.seen);
        if found.ask.is_empty() || sweep.rounds > 0 {
            if let Some(sweep) = process.sweep.take() {
                self.conclude_sweep(&sweep.seen, found);
            }
            return;
        }
        sweep.rounds += 1;
        sweep.parts = found.ask.into_iter().map(|(id, venue_id)| Part::Named(id, venue_id)).collect();
        self.ask_next_part();
    }

    fn conclude_sweep(&mut self, seen: &Seen, found: Findings) {
        let Findings { facts, doubtful, drifts, off, balanced, ask, .. } = found;
        self.last_off = off;
        for (at, kind) in facts {
            self.venue_says(Some(at), kind);
        }
        for client_id in doubtful {
            self.begin_inquiry(client_id, Doubt::Order, None);
        }
        self.begin_missing_inquiries();
        if !drifts.is_empty() {
            self.tally.drifts += 1;
            self.last_drifts.clone_from(&drifts);
        }
        self.tally.sweeps += 1;
        self.settled = if balanced && drifts.is_empty() { Some(self.now) } else { None };
        let compared = if seen.at_start { ask.is_empty() } else { balanced };
        if compared || !drifts.is_empty() {
            let kind = EventKind::Compared { through: seen.asked, drifts, at_start: seen.at_start };
            self.venue_says(None, kind);
        }
    }

    /// Orders of unknown outcome that nobody asks about, such as after a start or while the clock was not known.
    pub(crate) fn begin_missing_inquiries(&mut self) {
        let Some(process) = self.node.process.as_ref() else { return };
        let unknown = |record: &&tradewind_domain::OrderRecord| {
            matches!(record.state, tradewind_domain::OrderState::Unknown { .. })
                && !process.inquiries.contains_key(&record.order.client_id())
        };
        let ids: Vec<ClientOrderId> =
            process.host.state.open.values().filter(unknown).map(|it| it.order.client_id()).collect();
        for id in ids {
            self.begin_inquiry(id, Doubt::Order, None);
        }
    }

    /// Whether the last life's cancels and amendments left is not known: the venue is asked.
    pub(crate) fn doubt_changes(&mut self) {
        let Some(process) = self.node.process.as_ref() else { return };
        let doubt = |record: &tradewind_domain::OrderRecord| match record.state {
            tradewind_domain::OrderState::PendingCancel => Some(Doubt::Cancel),
            tradewind_domain::OrderState::PendingReplace => Some(Doubt::Amend),
            _ => None,
        };
        let open = process.host.state.open.values();
        let doubts: Vec<_> = open.filter_map(|it| Some((it.order.client_id(), doubt(it)?))).collect();
        for (id, doubt) in doubts {
            self.begin_inquiry(id, doubt, None);
        }
    }

    /// The comparison at the start, before anything is traded: asked and answered at once.
    pub(crate) fn compare_at_start(&mut self) {
        let now = self.now;
        let Some(process) = self.node.process.as_ref() else { return };
        let codec = process.host.outside.codec.clone();
        let state = &process.host.state;
        let Some((asked, _)) = process.host.outside.clock.at(process.monotonic(now)) else { return };
        let basis = Basis::of(state);
        let mut seen = Seen { asked, at_start: true, trades_from: since(state, asked), ..Seen::default() };
        let ids = state.listings.iter().map(|it| it.instrument.id);
        let mut parts: Vec<Part> = ids.flat_map(|id| [Part::Open(id), Part::Trades(id)]).collect();
        parts.push(Part::Balances);
        let mut found = Findings::default();
        for _ in 0..4 {
            for part in std::mem::take(&mut parts) {
                let Some(query) = query_of(&codec, &part, seen.trades_from) else { continue };
                let text = query.signed(&codec.signer, asked, crate::setup::WINDOW_MILLIS);
                let request = RestRequest { method: "GET", path: query.path, query: &text, body: "", key: Some(key()) };
                let reply = self.house.ask(&request, now / 1_000_000);
                // what cannot be read at the start is compared by the first sweep
                let _ = take(&mut seen, &codec, &part, &reply);
                self.note_used(reply.used_weight);
            }
            let Some(process) = self.node.process.as_ref() else { return };
            found = compare(&process.host.state, &basis, &seen);
            parts = found.ask.iter().map(|(id, venue_id)| Part::Named(*id, venue_id.clone())).collect();
            if parts.is_empty() {
                break;
            }
        }
        self.conclude_sweep(&seen, found);
    }

    pub(crate) fn next_sweep(&mut self) {
        self.begin_sweep();
        let life = self.node.life;
        self.queue.at(self.now + SWEEP_EVERY, What::Sweep { life });
    }
}

fn query_of(codec: &crate::wire::Codec, part: &Part, from: Timestamp) -> Option<Query> {
    Some(match part {
        Part::Open(id) => Query::open_orders(codec.instruments.id(*id)?),
        Part::Trades(id) => Query::fills_since(codec.instruments.id(*id)?, from),
        Part::Named(id, venue_id) => Query::named(codec.instruments.id(*id)?, venue_id),
        Part::Balances => Query::account(),
    })
}

fn take(
    seen: &mut Seen,
    codec: &crate::wire::Codec,
    part: &Part,
    reply: &Reply,
) -> Result<(), tradewind_venues::binance::protocol::Consequence> {
    let (all, bytes, wait) = (&codec.instruments, reply.body.as_bytes(), reply.retry_after.map(Duration::from_secs));
    let (status, asked) = (reply.status, seen.asked);
    match part {
        Part::Open(_) => {
            let rows =
                list::<OrderReport, _>(status, bytes, wait, |row| standing(all, row, asked).ok().map(venue_order))?;
            seen.open.extend(rows);
        }
        Part::Trades(id) => {
            let it = all.id(*id).expect("a part is of a listed instrument");
            let nobody = ClientOrderId::from_u128(0);
            let rows = list::<AccountTrade, _>(status, bytes, wait, |row| {
                let fill = fill_of_trade(it, nobody, row).ok()?;
                let (venue_id, at) =
                    (VenueOrderId(row.order_id.to_string().into_boxed_str()), time_of_trade(row, asked));
                Some(VenueTrade { venue_id, at, fill })
            })?;
            seen.trades.extend(rows);
        }
        Part::Named(..) => match read_answer::<OrderReport>(Command::Query, status, bytes, wait) {
            (Ok(row), consequence) => {
                seen.named.push(standing(all, &row, asked).map(venue_order).map_err(|_| consequence)?)
            }
            (Err(Refusal::NotFound { .. }), _) => (), // one that the venue does not find yet stays nameless
            (Err(_), consequence) => return Err(consequence),
        },
        Part::Balances => match read_answer::<Account>(Command::Query, status, bytes, wait) {
            (Ok(account), _) => {
                let held = balances(&account).0.into_iter().map(|it| (it.currency, it.free.units + it.locked.units));
                seen.balances = Some(held.collect::<BTreeMap<Currency, i128>>());
            }
            (Err(_), consequence) => return Err(consequence),
        },
    }
    Ok(())
}
