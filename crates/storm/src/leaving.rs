//! Whether what must not stand while trading is stopped is asked to leave, soon and for as long as it stands.
//!
//! Whether the venue hears of it is the storm's doing, not the engine's: what is held to a bound is the asking. An order
//! that the engine believes to stand and that adds to a position is asked for at the next tick, twice more after five
//! seconds each, and then every minute.

use crate::orders::SECOND;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{ClientOrderId, OrderState, Timestamp};
use tradewind_engine::{Event, EventKind, State};

/// What was asked for, and what is overdue.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    asked: BTreeMap<ClientOrderId, (Timestamp, u32)>,
    overdue: BTreeSet<ClientOrderId>,
}

impl Leaving {
    /// Follows an event that was just applied; says what should have been asked for since the last tick and was not.
    pub(crate) fn look(&mut self, state: &State, event: &Event) -> Option<String> {
        match &event.kind {
            EventKind::CancelProposed { client_id } => {
                let asked = self.asked.entry(*client_id).or_insert((state.now, 0));
                *asked = (state.now, asked.1 + 1);
                self.overdue.remove(client_id);
                None
            }
            EventKind::Timer => self.tick(state),
            _ => None,
        }
    }

    fn tick(&mut self, state: &State) -> Option<String> {
        self.asked.retain(|id, _| state.open.contains_key(id));
        let stopped = state.halted.is_some() || state.reduce_only.is_some();
        let adds = |id: &ClientOrderId| {
            let record = &state.open[id];
            stopped && record.state == OrderState::Working && state.adds_exposure(record)
        };
        let late: BTreeSet<ClientOrderId> =
            state.open.keys().copied().filter(|id| adds(id) && self.is_late(*id, state.now)).collect();
        let forgotten = late.intersection(&self.overdue).next().copied();
        self.overdue = late;
        forgotten.map(|id| format!("order {id} adds while trading is stopped, and nobody asks for its cancel"))
    }

    fn is_late(&self, id: ClientOrderId, now: Timestamp) -> bool {
        self.asked.get(&id).is_none_or(|(at, times)| now.since(*at) >= if *times < 3 { 5 } else { 60 } * SECOND)
    }

    /// A crash took some of it back: what the engine still knows is taken as asked.
    pub(crate) fn take_back(&mut self, state: &State) {
        self.asked = state.cancels.iter().map(|(id, asked)| (*id, (asked.at, asked.times.into()))).collect();
        self.overdue.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::*;
    use tradewind_engine::{Halt, Verdict, apply};

    fn told(state: &mut State, leaving: &mut Leaving, seconds: i64, kind: EventKind) -> Option<String> {
        let event = Event::new(state.sequence + 1, Timestamp::from_millis(seconds * 1_000), Source::Host, kind);
        apply(state, &event);
        leaving.look(state, &event)
    }

    #[test]
    fn an_order_that_nobody_asks_to_leave_is_named_at_the_second_tick() {
        let (mut state, mut leaving) = (State::default(), Leaving::default());
        let usdt = Currency::new("USDT").unwrap();
        let it = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test").list(InstrumentId(0)).unwrap();
        let request = OrderRequest::limit(it.id, Side::Buy, Quantity::from_mantissa(10), Price::from_mantissa(100));
        let client_id = ClientOrderId::from_u128(7);
        let order = Order::as_worked(PortfolioId(0), client_id, request);
        let mut say = |seconds, kind| told(&mut state, &mut leaving, seconds, kind);
        for kind in [
            EventKind::Listed(Box::new(it)),
            EventKind::Opened { base: usdt, name: "main".into() },
            EventKind::Judged(Verdict::Approved(order)),
            EventKind::Accepted { client_id, venue_id: VenueOrderId("1".into()) },
            EventKind::Timer,
            EventKind::Timer,
            EventKind::Halted(Halt { reason: "lunch".into() }),
        ] {
            assert_eq!(say(0, kind), None);
        }
        let ask = || EventKind::CancelProposed { client_id };
        for (seconds, kind, wrong) in [
            (1, EventKind::Timer, false),
            (1, ask(), false),
            (5, EventKind::Timer, false),
            (6, EventKind::Timer, false),
            (7, EventKind::Timer, true), // five seconds after it was asked for, and again
            (7, ask(), false),
            (12, ask(), false),
            (60, EventKind::Timer, false),
            (71, EventKind::Timer, false),
            (72, EventKind::Timer, false),
            (73, EventKind::Timer, true),
        ] {
            let word = format!("{kind:?} after {seconds} s");
            assert_eq!(say(seconds, kind).is_some(), wrong, "{word}");
        }
    }
}
