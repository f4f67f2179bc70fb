//! One side of the book: price levels, each a queue threaded through one slab of orders.

use super::{DepthLevel, NewOrder};
use std::collections::BTreeMap;
use tradewind_domain::{Price, Quantity, Side, TimeInForce, Timestamp};

pub(super) type Slot = usize;

/// An open order, on the book or asleep.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) order: NewOrder,
    pub(super) open: Quantity,
    /// When it arrived, counted; decides among stops that wake together.
    pub(super) arrival: u64,
    previous: Option<Slot>,
    next: Option<Slot>,
}

impl Entry {
    pub(super) const fn new(order: NewOrder, open: Quantity, arrival: u64) -> Self {
        Self { order, open, arrival, previous: None, next: None }
    }
    pub(super) fn until(&self) -> Option<Timestamp> {
        match self.order.time_in_force {
            TimeInForce::Gtd(until) => Some(until),
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => None,
        }
    }
    /// Where it rests.
    pub(super) fn price(&self) -> Price {
        self.order.kind.limit().expect("only orders with a limit rest")
    }
}

/// Open orders in reusable slots.
#[derive(Clone, Debug)]
pub(super) struct Slab {
    entries: Vec<Option<Entry>>,
    free: Vec<Slot>,
}

impl Slab {
    pub(super) const EMPTY: Self = Self { entries: Vec::new(), free: Vec::new() };

    pub(super) fn insert(&mut self, entry: Entry) -> Slot {
        match self.free.pop() {
            Some(slot) => {
                self.entries[slot] = Some(entry);
                slot
            }
            None => {
                self.entries.push(Some(entry));
                self.entries.len() - 1
            }
        }
    }
    pub(super) fn remove(&mut self, slot: Slot) -> Entry {
        self.free.push(slot);
        self.entries[slot].take().expect("a slot that is named is in use")
    }
    pub(super) fn get(&self, slot: Slot) -> &Entry {
        self.entries[slot].as_ref().expect("a slot that is named is in use")
    }
    pub(super) fn get_mut(&mut self, slot: Slot) -> &mut Entry {
        self.entries[slot].as_mut().expect("a slot that is named is in use")
    }
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    first: Slot,
    last: Slot,
    total: i128,
    orders: usize,
}

/// The levels of one side, best first.
#[derive(Clone, Debug)]
pub(super) struct BookSide {
    side: Side,
    levels: BTreeMap<i64, Queue>,
}

impl BookSide {
    pub(super) const fn new(side: Side) -> Self {
        Self { side, levels: BTreeMap::new() }
    }

    /// Orders prices so that the best comes first: `!price` turns the order round without overflow.
    const fn rank(&self, price: Price) -> i64 {
        match self.side {
            Side::Buy => !price.mantissa(),
            Side::Sell => price.mantissa(),
        }
    }
    const fn price(&self, rank: i64) -> Price {
        Price::from_mantissa(match self.side {
            Side::Buy => !rank,
            Side::Sell => rank,
        })
    }

    pub(super) fn best(&self) -> Option<Price> {
        self.levels.first_key_value().map(|(rank, _)| self.price(*rank))
    }

    /// Whether an order of the other side with this limit (`None`: any price) meets the best level.
    pub(super) fn meets(&self, limit: Option<Price>) -> bool {
        match (self.levels.first_key_value(), limit) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some((best, _)), Some(limit)) => *best <= self.rank(limit),
        }
    }

    /// The order that trades first.
    pub(super) fn front(&self) -> Option<Slot> {
        self.levels.first_key_value().map(|(_, queue)| queue.first)
    }

    /// Puts the order in `slot` behind all others at its price.
    pub(super) fn push(&mut self, slab: &mut Slab, slot: Slot) {
        let (price, open) = (slab.get(slot).price(), slab.get(slot).open);
        let open = i128::from(open.mantissa());
        match self.levels.entry(self.rank(price)) {
            std::collections::btree_map::Entry::Vacant(level) => {
                level.insert(Queue { first: slot, last: slot, total: open, orders: 1 });
            }
            std::collections::btree_map::Entry::Occupied(mut level) => {
                let queue = level.get_mut();
                slab.get_mut(queue.last).next = Some(slot);
                slab.get_mut(slot).previous = Some(queue.last);
                (queue.last, queue.total, queue.orders) = (slot, queue.total + open, queue.orders + 1);
            }
        }
    }

    /// Takes the order in `slot` out of its queue; it stays in the slab.
    pub(super) fn unlink(&mut self, slab: &mut Slab, slot: Slot) {
        let entry = slab.get_mut(slot);
        let (previous, next) = (entry.previous.take(), entry.next.take());
        let (price, open) = (entry.price(), entry.open);
        if let Some(previous) = previous {
            slab.get_mut(previous).next = next;
        }
        if let Some(next) = next {
            slab.get_mut(next).previous = previous;
        }
        let rank = self.rank(price);
        let queue = self.levels.get_mut(&rank).expect("a resting order has a level");
        match (previous, next) {
            (None, None) => {
                self.levels.remove(&rank);
                return;
            }
            (None, Some(next)) => queue.first = next,
            (Some(previous), None) => queue.last = previous,
            (Some(_), Some(_)) => (),
        }
        queue.total -= i128::from(open.mantissa());
        queue.orders -= 1;
    }

    /// Takes `quantity` off the order in `slot`, which keeps its place.
    pub(super) fn shrink(&mut self, slab: &mut Slab, slot: Slot, quantity: Quantity) {
        let entry = slab.get_mut(slot);
        entry.open -= quantity;
        let rank = self.rank(entry.price());
        let queue = self.levels.get_mut(&rank).expect("a resting order has a level");
        queue.total -= i128::from(quantity.mantissa());
    }

    pub(super) fn levels(&self) -> impl Iterator<Item = DepthLevel> + '_ {
        self.levels.iter().map(|(rank, queue)| DepthLevel {
            price: self.price(*rank),
            quantity: Quantity::from_mantissa(i64::try_from(queue.total).unwrap_or(i64::MAX)),
            orders: queue.orders,
        })
    }

    /// Every order, the first to trade first.
    pub(super) fn entries<'a>(&'a self, slab: &'a Slab) -> impl Iterator<Item = &'a Entry> + 'a {
        self.levels.values().flat_map(move |queue| {
            std::iter::successors(Some(slab.get(queue.first)), move |entry| entry.next.map(|slot| slab.get(slot)))
        })
    }
}
