//! What rests near the market: books as the venue tells them, as much as the guards on price impact look at.

use crate::liquidity::SeenBook;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tradewind_domain::{Depth, InstrumentId, Price, Quantity};
use tradewind_venues::{BookChange, BookLevels};

/// The engine sees conflated books: often enough for a limit on the age of marks of two seconds.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How many levels of a side the guards count.
const LEVELS: usize = 10;
/// How many levels of a side people are shown a judgement of.
const SHOWN: usize = 1_000;

/// Every book that is followed.
#[derive(Debug, Default)]
pub(crate) struct Books(BTreeMap<InstrumentId, Book>);

/// One book: the levels of each side by price.
#[derive(Debug, Default)]
struct Book {
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
    told: Option<Instant>,
}

impl Books {
    /// Takes in a step; gives back what rests near the market when it is time to tell. A book that lost messages is
    /// forgotten, and nothing is told of it until the venue begins it anew.
    pub(crate) fn follow(&mut self, change: BookChange, now: Instant) -> Option<Depth> {
        let (instrument, levels) = match change {
            BookChange::Lost { instrument } => {
                self.0.remove(&instrument);
                return None;
            }
            BookChange::Snapshot(levels) => {
                let told = self.0.get(&levels.instrument).and_then(|book| book.told);
                self.0.insert(levels.instrument, Book { told, ..Book::default() });
                (levels.instrument, levels)
            }
            BookChange::Diff(levels) => (levels.instrument, levels),
        };
        let book = self.0.get_mut(&instrument)?;
        book.take(&levels);
        if book.told.is_some_and(|told| now.duration_since(told) < TELL_EVERY) {
            return None;
        }
        book.told = Some(now);
        let bids = near(book.bids.values().rev());
        Some(Depth { instrument, bids, asks: near(book.asks.values()) })
    }
}

impl Books {
    /// The levels of a book, best first; `None` where it is not followed.
    pub(crate) fn levels(&self, instrument: InstrumentId, at: Instant) -> Option<SeenBook> {
        let book = self.0.get(&instrument)?;
        let level = |(price, quantity): (&Price, &Quantity)| (*price, *quantity);
        Some(SeenBook {
            bids: book.bids.iter().rev().take(SHOWN).map(level).collect(),
            asks: book.asks.iter().take(SHOWN).map(level).collect(),
            at,
        })
    }
}

impl Book {
    fn take(&mut self, levels: &BookLevels) {
        for (side, changes) in [(&mut self.bids, &levels.bids), (&mut self.asks, &levels.asks)] {
            for (price, quantity) in changes {
                if quantity.is_zero() {
                    side.remove(price);
                } else {
                    side.insert(*price, *quantity);
                }
            }
        }
    }
}

/// The best level, and the best ten together; saturates.
fn near<'a>(levels: impl Iterator<Item = &'a Quantity>) -> [Quantity; 2] {
    let mut sizes = levels.take(LEVELS).map(|quantity| quantity.mantissa());
    let best = sizes.next().unwrap_or(0);
    [best, sizes.fold(best, i64::saturating_add)].map(Quantity::from_mantissa)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BTC: InstrumentId = InstrumentId(0);

    fn levels(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> BookLevels {
        let side = |levels: &[(i64, i64)]| {
            levels.iter().map(|(p, q)| (Price::from_mantissa(*p), Quantity::from_mantissa(*q))).collect()
        };
        BookLevels { instrument: BTC, update_id: 1, bids: side(bids), asks: side(asks) }
    }

    fn seen(depth: Option<Depth>) -> Option<[i64; 4]> {
        depth.map(|it| [it.bids[0], it.bids[1], it.asks[0], it.asks[1]].map(Quantity::mantissa))
    }

    #[test]
    fn a_book_is_followed_told_once_a_second_and_forgotten_when_messages_were_lost() {
        let (mut books, start) = (Books::default(), Instant::now());
        let mut follow = |change, millis| seen(books.follow(change, start + Duration::from_millis(millis)));
        assert_eq!(follow(BookChange::Diff(levels(&[(99, 5)], &[])), 0), None, "no book to change yet");
        let asks: Vec<(i64, i64)> = (101..=115).map(|price| (price, 2)).collect();
        let first = BookChange::Snapshot(levels(&[(98, 3), (99, 5)], &asks));
        assert_eq!(follow(first, 0), Some([5, 8, 2, 20]), "ten levels of a side");
        assert_eq!(follow(BookChange::Diff(levels(&[(99, 0)], &[(101, 7)])), 999), None);
        assert_eq!(follow(BookChange::Diff(levels(&[], &[(102, 0)])), 1_000), Some([3, 3, 7, 25]));
        assert_eq!(follow(BookChange::Lost { instrument: BTC }, 3_000), None);
        assert_eq!(follow(BookChange::Diff(levels(&[(99, 5)], &[])), 5_000), None);
        assert_eq!(follow(BookChange::Snapshot(levels(&[], &[])), 6_000), Some([0, 0, 0, 0]), "an empty book is told");
    }
}
