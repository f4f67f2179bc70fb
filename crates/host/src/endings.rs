//! Why orders ended without being filled, in the words of whoever ended them.
//!
//! A read model beside the state: people read it, no decision does, so it is in no state hash. A snapshot carries it.

use crate::fees::Fees;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::ClientOrderId;
use tradewind_engine::{Event, EventKind, State};

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
                (client_id, &**reason)
            }
            EventKind::NotSent { client_id, reason } => (client_id, &**reason),
            _ => return,
        };
        self.0.insert(*client_id, reason.to_owned());
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
    fn those_of_forgotten_orders_are_cleared_out() {
        let (mut state, mut endings) = (State::default(), Endings::default());
        (0..10 * SLACK).for_each(|number| rejected(&mut state, &mut endings, number));
        assert!(endings.0.len() <= SLACK, "{}", endings.0.len());
    }
}
