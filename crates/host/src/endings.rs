//! Why orders ended without being filled, in the words of whoever ended them.
//!
//! A read model beside the state: people read it, no decision does, so it is in no state hash. A snapshot carries it.

use crate::fees::Fees;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::ClientOrderId;
use tradewind_engine::{Absence, Event, EventKind, State};

/// Endings that may outnumber the orders that the state still knows, before they are cleared out.
const SLACK: usize = 256;

/// The words that ended the orders which a [`State`] still knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Endings(BTreeMap<ClientOrderId, String>);

impl Endings {
    /// Notes what `event`, just applied to `state`, says about the end of an order.
    pub fn note(&mut self, state: &State, event: &Event) {
        let (client_id, reason) = match &event.kind {
            EventKind::Rejected { client_id, reason } | EventKind::Cancelled { client_id, reason } => {
                (client_id, reason.to_string())
            }
            EventKind::NotSent { client_id, reason } => (client_id, reason.clone()),
            EventKind::Expired { client_id, evidence: Some(absence) } => (client_id, absent(absence)),
            _ => return,
        };
        self.0.insert(*client_id, reason);
        if self.0.len() > state.closed.len() + state.open.len() + SLACK {
            let known: BTreeSet<_> = state.closed.iter().map(|it| it.order.client_id()).collect();
            self.0.retain(|id, _| known.contains(id) || state.open.contains_key(id));
        }
    }

    /// Why the order ended, if it did and somebody said why.
    #[must_use]
    pub fn of(&self, client_id: ClientOrderId) -> Option<&str> {
        self.0.get(&client_id).map(String::as_str)
    }
}

/// That an order never came, and what proves it: how often each of the venue's answers lacked it.
fn absent(absence: &Absence) -> String {
    let Absence { order, open_orders, history, trades, .. } = absence;
    format!(
        "it never reached the venue: missing whenever asked for after its time to arrive (the order {}×, open orders {}×, \
         all orders {}×, trades {}×)",
        order.count, open_orders.count, history.count, trades.count
    )
}

/// What a snapshot holds: the state's own keys, and beside them the endings, the fees and the logic that led to it.
#[derive(Serialize)]
pub(crate) struct Snapshot<'a> {
    #[serde(flatten)]
    pub(crate) state: &'a State,
    pub(crate) endings: &'a Endings,
    pub(crate) fees: &'a Fees,
    pub(crate) logic: u32,
}

/// What stands beside the state; one written before there was any has none.
#[derive(Default, Deserialize)]
pub(crate) struct Beside {
    #[serde(default)]
    pub(crate) endings: Endings,
    #[serde(default)]
    pub(crate) fees: Option<Fees>,
    #[serde(default)]
    pub(crate) logic: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{Source, Timestamp};
    use tradewind_engine::Reads;

    fn id(number: usize) -> ClientOrderId {
        ClientOrderId::parse(&format!("{number:032x}")).unwrap()
    }

    fn rejected(state: &mut State, endings: &mut Endings, number: usize) {
        let kind = EventKind::Rejected { client_id: id(number), reason: format!("-2010 number {number}").into() };
        endings.note(state, &Event::new(1, Timestamp::from_millis(1), Source::Venue, kind));
    }

    #[test]
    fn a_snapshot_keeps_them_and_is_read_with_or_without() {
        let (mut state, mut endings) = (State::default(), Endings::default());
        rejected(&mut state, &mut endings, 7);
        assert_eq!((endings.of(id(7)), endings.of(id(8))), (Some("-2010 number 7"), None));
        let bytes =
            serde_json::to_vec(&Snapshot { state: &state, endings: &endings, fees: &Fees::default(), logic: 1 })
                .unwrap();
        assert_eq!(serde_json::from_slice::<State>(&bytes).unwrap(), state);
        assert_eq!(serde_json::from_slice::<Beside>(&bytes).unwrap().endings, endings);
        let before = serde_json::to_vec(&state).unwrap();
        let beside = serde_json::from_slice::<Beside>(&before).unwrap();
        assert_eq!((beside.endings, beside.fees), (Endings::default(), None));
    }

    #[test]
    fn an_order_that_never_arrived_ends_with_what_proves_it() {
        let (state, mut endings) = (State::default(), Endings::default());
        let at = Timestamp::from_millis(1);
        let reads = |count| Reads { count, first: at, last: at };
        let absence = Absence {
            not_before: at,
            fence: at,
            backend_timeout: 0,
            clock_error: 0,
            stream_since: at,
            order: reads(4),
            open_orders: reads(3),
            history: reads(2),
            trades: reads(1),
            policy: "a test".to_owned(),
        };
        for (number, evidence, want) in [(1, None, None), (2, Some(Box::new(absence)), Some("4×, open orders 3×"))] {
            let kind = EventKind::Expired { client_id: id(number), evidence };
            endings.note(&state, &Event::new(1, at, Source::Venue, kind));
            let said = endings.of(id(number));
            assert_eq!(said.is_some(), want.is_some(), "without a proof nobody said why");
            let is_told =
                |want: &str| said.is_some_and(|it| it.starts_with("it never reached the venue: ") && it.contains(want));
            assert!(want.is_none_or(is_told), "{said:?}");
        }
    }

    #[test]
    fn those_of_forgotten_orders_are_cleared_out() {
        let (mut state, mut endings) = (State::default(), Endings::default());
        (0..10 * SLACK).for_each(|number| rejected(&mut state, &mut endings, number));
        assert!(endings.0.len() <= SLACK, "{}", endings.0.len());
    }
}
