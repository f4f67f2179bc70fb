//! [`OrderBook`]: what a venue's depth feed shows, price level by price level.

use crate::ladder::Ladder;
use tradewind_domain::{Coded, Price, Quantity, Side};

/// Bids and asks of one instrument by price level.
///
/// The levels near the best price lie in an array, so that setting one costs a few nanoseconds; far ones lie in a
/// map. The book takes what it is told: whether an update may be applied (sequence numbers, checksums) is the venue's
/// rule, and [`Self::is_crossed`] tells when the result cannot be right.
#[derive(Clone, Debug)]
pub struct OrderBook {
    tick: i64,
    /// Bids, asks.
    sides: [Ladder; 2],
}

/// An update that does not fit this book; the book is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookError {
    /// The price lies between two ticks.
    OffTick(Price),
    /// A size below zero.
    Negative(Quantity),
}

impl std::fmt::Display for BookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OffTick(price) => write!(f, "the level at {} lies between two ticks", price.mantissa()),
            Self::Negative(size) => write!(f, "the size {} of a level is negative", size.mantissa()),
        }
    }
}
impl std::error::Error for BookError {}
impl Coded for BookError {
    fn code(&self) -> &'static str {
        match self {
            Self::OffTick(_) => "BOK-05",
            Self::Negative(_) => "BOK-06",
        }
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

impl OrderBook {
    /// An empty book with this step between levels.
    ///
    /// # Panics
    /// If `tick` is not positive.
    #[must_use]
    pub fn new(tick: Price) -> Self {
        assert!(tick.mantissa() > 0, "a tick is positive");
        Self { tick: tick.mantissa(), sides: [Ladder::new(), Ladder::new()] }
    }

    /// Sets what rests at `price`, absolute; zero removes the level. Returns what rested there before.
    ///
    /// # Errors
    /// [`BookError`] for a price off the tick or a negative size.
    #[inline]
    pub fn set(&mut self, side: Side, price: Price, size: Quantity) -> Result<Quantity, BookError> {
        let height = self.height(side, price).ok_or(BookError::OffTick(price))?;
        if size < Quantity::ZERO {
            return Err(BookError::Negative(size));
        }
        Ok(Quantity::from_mantissa(self.set_height(side, height, size.mantissa())))
    }

    /// Replaces the whole book by a snapshot.
    ///
    /// # Errors
    /// [`BookError`] of the first level that does not fit; the book is then empty.
    pub fn load(&mut self, levels: impl IntoIterator<Item = (Side, Price, Quantity)>) -> Result<(), BookError> {
        self.clear();
        for (side, price, size) in levels {
            if let Err(error) = self.set(side, price, size) {
                self.clear();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(Ladder::clear);
    }

    /// The highest bid and its size.
    #[must_use]
    #[inline]
    pub fn best_bid(&self) -> Option<(Price, Quantity)> {
        self.best(Side::Buy)
    }
    /// The lowest ask and its size.
    #[must_use]
    #[inline]
    pub fn best_ask(&self) -> Option<(Price, Quantity)> {
        self.best(Side::Sell)
    }
    /// The best level of one side.
    #[must_use]
    #[inline]
    pub fn best(&self, side: Side) -> Option<(Price, Quantity)> {
        self.ladder(side).best().map(|(height, size)| (self.price(side, height), Quantity::from_mantissa(size)))
    }
    /// What rests at `price`; nothing between two ticks.
    #[must_use]
    #[inline]
    pub fn size_at(&self, side: Side, price: Price) -> Quantity {
        Quantity::from_mantissa(self.height(side, price).map_or(0, |height| self.size_height(side, height)))
    }
    /// Levels of one side, best first; take as many as wanted.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Quantity)> + '_ {
        self.heights(side).map(move |(height, size)| (self.price(side, height), Quantity::from_mantissa(size)))
    }
    /// How many levels a side has.
    #[must_use]
    pub const fn len(&self, side: Side) -> usize {
        self.ladder(side).len()
    }
    /// Whether nothing rests on either side.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sides[0].len() == 0 && self.sides[1].len() == 0
    }
    /// Whether the best bid is at or above the best ask: an update was lost or the venue's match is under way.
    #[must_use]
    #[inline]
    pub fn is_crossed(&self) -> bool {
        self.sides[0].best().zip(self.sides[1].best()).is_some_and(|((bid, _), (ask, _))| bid >= !ask)
    }

    /// The ladder's height of a price: its number of ticks, turned round for asks so that the higher is the better on
    /// both sides; `None` between two ticks. The height of the other side at the same price is `!height`.
    #[inline]
    pub(crate) const fn height(&self, side: Side, price: Price) -> Option<i64> {
        let price = price.mantissa();
        let number = if self.tick == 1 { price } else { price / self.tick };
        if self.tick == 1 || number * self.tick == price { Some(number ^ turn(side)) } else { None }
    }
    #[inline]
    pub(crate) const fn price(&self, side: Side, height: i64) -> Price {
        Price::from_mantissa((height ^ turn(side)) * self.tick)
    }
    #[inline]
    pub(crate) fn set_height(&mut self, side: Side, height: i64, size: i64) -> i64 {
        self.sides[side as usize].set(height, size)
    }
    #[inline]
    pub(crate) fn size_height(&self, side: Side, height: i64) -> i64 {
        self.ladder(side).size(height)
    }
    #[inline]
    pub(crate) fn best_height(&self, side: Side) -> Option<i64> {
        self.ladder(side).best().map(|(height, _)| height)
    }
    pub(crate) fn heights(&self, side: Side) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.ladder(side).iter()
    }
    const fn ladder(&self, side: Side) -> &Ladder {
        &self.sides[side as usize]
    }
}

/// All bits for asks, none for bids: what turns the order of heights round, without overflow and without a branch.
#[inline]
const fn turn(side: Side) -> i64 {
    -(side as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(levels: &[(Side, i64, i64)]) -> Result<OrderBook, BookError> {
        let mut book = OrderBook::new(Price::from_mantissa(5));
        let levels = levels.iter();
        book.load(
            levels.map(|(side, price, size)| (*side, Price::from_mantissa(*price), Quantity::from_mantissa(*size))),
        )?;
        Ok(book)
    }

    #[test]
    fn best_prices_depth_and_crossing_follow_the_levels() {
        let mut book =
            book(&[(Side::Buy, 95, 1), (Side::Buy, 90, 2), (Side::Sell, 105, 3), (Side::Sell, 200_000, 4)]).unwrap();
        let best = |book: &OrderBook| {
            let mantissas = |level: Option<(Price, Quantity)>| level.map(|(p, q)| (p.mantissa(), q.mantissa()));
            (mantissas(book.best_bid()), mantissas(book.best_ask()), book.is_crossed())
        };
        assert_eq!(best(&book), (Some((95, 1)), Some((105, 3)), false));
        assert_eq!(book.set(Side::Sell, Price::from_mantissa(105), Quantity::ZERO), Ok(Quantity::from_mantissa(3)));
        assert_eq!(best(&book), (Some((95, 1)), Some((200_000, 4)), false));
        book.set(Side::Sell, Price::from_mantissa(95), Quantity::from_mantissa(9)).unwrap();
        assert_eq!(best(&book), (Some((95, 1)), Some((95, 9)), true));
        let bids: Vec<_> = book.levels(Side::Buy).map(|(price, size)| (price.mantissa(), size.mantissa())).collect();
        assert_eq!((bids, book.len(Side::Sell)), (vec![(95, 1), (90, 2)], 2));
        assert_eq!(book.size_at(Side::Sell, Price::from_mantissa(200_000)), Quantity::from_mantissa(4));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_value() {
        assert_eq!(book(&[(Side::Buy, 93, 1)]).unwrap_err(), BookError::OffTick(Price::from_mantissa(93)));
        let error = book(&[(Side::Buy, 95, 1), (Side::Sell, 95, -1)]).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("BOK-06", "the size -1 of a level is negative"));
    }
}
