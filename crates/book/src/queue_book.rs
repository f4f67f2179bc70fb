//! [`QueueBook`]: what a venue's order-by-order feed shows, with the queue at each price.

use std::collections::BTreeMap;
use tradewind_domain::{Coded, Price, Quantity, Side};

/// The resting orders of one instrument, by price and then by time.
///
/// It takes what it is told, as [`crate::OrderBook`] does: nothing is matched, and [`Self::is_crossed`] tells when the
/// result cannot be right. An order that becomes smaller at its price keeps its place in the queue; any other change puts
/// it at the end.
#[derive(Clone, Debug, Default)]
pub struct QueueBook {
    orders: BTreeMap<u128, Placed>,
    /// Bids, asks: ids by price, the best first, and then by place in the queue.
    sides: [BTreeMap<(i64, u64), u128>; 2],
    /// Places given so far.
    places: u64,
}

/// An order that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuedOrder {
    /// The venue's name of it.
    pub id: u128,
    /// Buy for bids, sell for asks.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// What is left of it.
    pub size: Quantity,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    order: QueuedOrder,
    place: u64,
}

/// A message that does not fit this book; the book is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// No order of this id rests.
    Unknown(u128),
    /// An order of this id rests already.
    Taken(u128),
    /// A size that is not above zero.
    NotPositive(Quantity),
}

impl std::fmt::Display for QueueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "no order {id} rests in the book"),
            Self::Taken(id) => write!(f, "an order {id} rests in the book already"),
            Self::NotPositive(size) => write!(f, "the size {} of an order is not positive", size.mantissa()),
        }
    }
}
impl std::error::Error for QueueError {}
impl Coded for QueueError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "BOK-09",
            Self::Taken(_) => "BOK-10",
            Self::NotPositive(_) => "BOK-11",
        }
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

impl QueueBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an order at the end of the queue of its price.
    ///
    /// # Errors
    /// [`QueueError::Taken`], [`QueueError::NotPositive`].
    pub fn add(&mut self, order: QueuedOrder) -> Result<(), QueueError> {
        if self.orders.contains_key(&order.id) {
            return Err(QueueError::Taken(order.id));
        }
        if order.size <= Quantity::ZERO {
            return Err(QueueError::NotPositive(order.size));
        }
        self.places += 1;
        let place = self.places;
        self.sides[order.side as usize].insert((rank(order.side, order.price), place), order.id);
        self.orders.insert(order.id, Placed { order, place });
        Ok(())
    }

    /// Gives an order another price or size.
    ///
    /// # Errors
    /// [`QueueError::Unknown`], [`QueueError::NotPositive`].
    pub fn change(&mut self, id: u128, price: Price, size: Quantity) -> Result<(), QueueError> {
        let placed = self.orders.get_mut(&id).ok_or(QueueError::Unknown(id))?;
        if size <= Quantity::ZERO {
            return Err(QueueError::NotPositive(size));
        }
        if price == placed.order.price && size <= placed.order.size {
            placed.order.size = size;
            return Ok(());
        }
        let order = QueuedOrder { price, size, ..placed.order };
        self.delete(id)?;
        self.add(order)
    }

    /// Takes an order away, be it filled or cancelled; returns it as it rested.
    ///
    /// # Errors
    /// [`QueueError::Unknown`].
    pub fn delete(&mut self, id: u128) -> Result<QueuedOrder, QueueError> {
        let Placed { order, place } = self.orders.remove(&id).ok_or(QueueError::Unknown(id))?;
        self.sides[order.side as usize].remove(&(rank(order.side, order.price), place));
        Ok(order)
    }

    /// The order of that id.
    #[must_use]
    pub fn order(&self, id: u128) -> Option<QueuedOrder> {
        self.orders.get(&id).map(|placed| placed.order)
    }
    /// Orders of one side, the best price first and at one price who came first; take as many as wanted.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = QueuedOrder> + '_ {
        self.sides[side as usize].values().filter_map(|id| self.order(*id))
    }
    /// The best price of one side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Price> {
        self.orders(side).next().map(|order| order.price)
    }
    /// What rests at `price` altogether.
    #[must_use]
    pub fn size_at(&self, side: Side, price: Price) -> Quantity {
        sum(self.queue(side, price))
    }
    /// What must trade at its price before that order does; `None` if it does not rest.
    #[must_use]
    pub fn ahead_of(&self, id: u128) -> Option<Quantity> {
        let order = self.order(id)?;
        Some(sum(self.queue(order.side, order.price).take_while(|other| other.id != id)))
    }
    /// How many orders rest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }
    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
    /// Whether the best bid is at or above the best ask: a message was lost, or the venue's match is under way.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.best(Side::Buy).zip(self.best(Side::Sell)).is_some_and(|(bid, ask)| bid >= ask)
    }

    fn queue(&self, side: Side, price: Price) -> impl Iterator<Item = QueuedOrder> + '_ {
        let rank = rank(side, price);
        self.sides[side as usize].range((rank, 0)..=(rank, u64::MAX)).filter_map(|(_, id)| self.order(*id))
    }
}

/// The lower the better, on both sides: a bid's bits are turned, which overflows nowhere.
const fn rank(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => !price.mantissa(),
        Side::Sell => price.mantissa(),
    }
}

/// Their sizes together; those that 64 bits do not hold are as large as 64 bits hold.
fn sum(orders: impl Iterator<Item = QueuedOrder>) -> Quantity {
    Quantity::from_mantissa(orders.fold(0, |total, order| order.size.mantissa().saturating_add(total)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(id: u128, side: Side, price: i64, size: i64) -> QueuedOrder {
        QueuedOrder { id, side, price: Price::from_mantissa(price), size: Quantity::from_mantissa(size) }
    }

    #[test]
    fn who_came_first_stands_first_until_the_order_grows_or_moves() {
        let mut book = QueueBook::new();
        for id in 1..=3 {
            book.add(order(id, Side::Buy, 100, 5)).unwrap();
        }
        let ids = |book: &QueueBook| book.orders(Side::Buy).map(|order| order.id).collect::<Vec<_>>();
        let change = |book: &mut QueueBook, id, price, size| {
            book.change(id, Price::from_mantissa(price), Quantity::from_mantissa(size)).unwrap();
        };
        change(&mut book, 1, 100, 2);
        assert_eq!((ids(&book), book.ahead_of(3)), (vec![1, 2, 3], Some(Quantity::from_mantissa(7))));
        change(&mut book, 1, 100, 9);
        assert_eq!(ids(&book), [2, 3, 1]);
        change(&mut book, 3, 101, 5);
        assert_eq!((ids(&book), book.best(Side::Buy)), (vec![3, 2, 1], Some(Price::from_mantissa(101))));
        assert_eq!(book.size_at(Side::Buy, Price::from_mantissa(100)), Quantity::from_mantissa(14));
        book.add(order(4, Side::Sell, 101, 1)).unwrap();
        assert!(book.is_crossed());
        assert_eq!(book.delete(4).unwrap(), order(4, Side::Sell, 101, 1));
        assert!(!book.is_crossed() && book.len() == 3);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut book = QueueBook::new();
        book.add(order(1, Side::Sell, 10, 5)).unwrap();
        assert_eq!(book.add(order(1, Side::Sell, 11, 5)), Err(QueueError::Taken(1)));
        assert_eq!(book.add(order(2, Side::Sell, 11, 0)).unwrap_err().code(), "BOK-11");
        assert_eq!(book.delete(2), Err(QueueError::Unknown(2)));
        assert_eq!(
            book.change(1, Price::from_mantissa(9), Quantity::ZERO),
            Err(QueueError::NotPositive(Quantity::ZERO))
        );
        assert_eq!(book.orders(Side::Sell).collect::<Vec<_>>(), [order(1, Side::Sell, 10, 5)]);
    }

    proptest! {
        /// The book stands as a plain list would that is sorted by price whenever it is asked.
        #[test]
        fn a_queue_book_is_a_list_sorted_by_price(acts in proptest::collection::vec((0_u8..3, 0_u128..6, 95_i64..105, 1_i64..9), 0..120)) {
            let (mut book, mut list) = (QueueBook::new(), Vec::<QueuedOrder>::new());
            for (act, id, price, size) in acts {
                let at = list.iter().position(|order| order.id == id);
                let wanted = order(id, Side::Buy, price, size);
                match (act, at) {
                    (0, None) => list.push(wanted),
                    (1, Some(at)) if list[at].price == wanted.price && wanted.size <= list[at].size => list[at] = wanted,
                    (1, Some(at)) => { list.remove(at); list.push(wanted); }
                    (2, Some(at)) => { list.remove(at); }
                    _ => {}
                }
                let done = match act {
                    0 => book.add(wanted),
                    1 => book.change(id, wanted.price, wanted.size),
                    _ => book.delete(id).map(|_| ()),
                };
                prop_assert_eq!(done.is_ok(), (act == 0) == at.is_none());
                let mut want = list.clone();
                want.sort_by_key(|order| std::cmp::Reverse(order.price));
                prop_assert_eq!(book.orders(Side::Buy).collect::<Vec<_>>(), want);
            }
        }
    }
}
