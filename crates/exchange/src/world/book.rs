//! The order book of one pair: the matching core, in the exchange's words.

use super::order::{Force, SelfTrade};
use std::collections::BTreeMap;
use tradewind_book::MatchingCore;
use tradewind_book::matching::{MatchEvent, NewOrder, PreventedMatch};
use tradewind_domain::{OrderKind, Price, Quantity, Side, TimeInForce, Timestamp};

/// An order on its way into the book.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) id: u64,
    pub(crate) owner: usize,
    pub(crate) side: Side,
    /// Absent for market orders.
    pub(crate) limit: Option<Price>,
    pub(crate) quantity: Quantity,
    pub(crate) force: Force,
    pub(crate) post_only: bool,
    pub(crate) self_trade: SelfTrade,
}

/// What the matching core did with it, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It traded with a resting order.
    Fill { maker: u64, price: Price, quantity: Quantity, maker_done: bool },
    /// What is left of it rests.
    Rested { price: Price },
    /// What is left of it is gone: nobody to trade with.
    Unfilled,
    /// It did not trade with a resting order of its owner; one of the two with nothing left is gone.
    Prevented(PreventedMatch),
}

/// Resting orders by price and time.
#[derive(Debug, Default)]
pub(crate) struct Book {
    core: MatchingCore,
    places: BTreeMap<u64, (Side, Price)>,
}

impl Book {
    /// Lets an order meet the book at `now` milliseconds.
    pub(crate) fn submit(&mut self, incoming: &Incoming, now: i64) -> Vec<Happening> {
        let mut events = Vec::new();
        self.core.submit(order_of(incoming), Timestamp::from_millis(now), &mut events);
        events.into_iter().filter_map(|event| self.read(incoming, event)).collect()
    }

    fn read(&mut self, incoming: &Incoming, event: MatchEvent) -> Option<Happening> {
        match event {
            MatchEvent::Trade(trade) => {
                let maker_done = trade.maker_open.is_zero();
                if maker_done {
                    self.places.remove(&trade.maker);
                }
                let (maker, price, quantity) = (trade.maker, trade.price, trade.quantity);
                Some(Happening::Fill { maker, price, quantity, maker_done })
            }
            MatchEvent::Rested { id, price, .. } => {
                self.places.insert(id, (incoming.side, price));
                Some(Happening::Rested { price })
            }
            MatchEvent::Prevented(told) => {
                if told.maker_open.is_zero() {
                    self.places.remove(&told.maker);
                }
                Some(Happening::Prevented(told))
            }
            // without groups and ends by time, no resting order ends on account of another
            MatchEvent::Cancelled { id, .. } | MatchEvent::Expired { id, .. } | MatchEvent::Rejected { id, .. } => {
                (id == incoming.id).then_some(Happening::Unfilled)
            }
            MatchEvent::Accepted { .. } | MatchEvent::Triggered { .. } | MatchEvent::Replaced { .. } => None,
        }
    }

    /// Takes an order off the book; false if it is not there.
    pub(crate) fn cancel(&mut self, id: u64) -> bool {
        self.places.remove(&id);
        self.core.cancel(id, &mut Vec::new())
    }

    /// Leaves `open` of a resting order, in its place; false if it is not there, or would not become smaller.
    pub(crate) fn shrink(&mut self, id: u64, open: Quantity, now: i64) -> bool {
        let Some((_, price)) = self.place_of(id) else { return false };
        open < self.remaining(id)
            && self.core.replace(id, price, open, Timestamp::from_millis(now), &mut Vec::new()).is_ok()
    }

    /// Where an order rests.
    pub(crate) fn place_of(&self, id: u64) -> Option<(Side, Price)> {
        self.places.get(&id).copied()
    }

    /// What is left of a resting order.
    pub(crate) fn remaining(&self, id: u64) -> Quantity {
        self.core.open_quantity(id).unwrap_or_default()
    }

    /// Levels of one side, best first.
    pub(crate) fn levels(&self, side: Side, count: usize) -> Vec<(Price, Quantity)> {
        self.core.depth(side).take(count).map(|level| (level.price, level.quantity)).collect()
    }

    /// What a taker of `side` could take, best first, order by order. His own orders are passed over where they
    /// would expire, and end the list where he would. Where both would lose what they would have traded, they stand in
    /// it: they use up what he asks for.
    pub(crate) fn takeable(
        &self,
        side: Side,
        taker: usize,
        mode: SelfTrade,
    ) -> impl Iterator<Item = (Price, Quantity)> {
        let mine = move |owner: u32| usize::try_from(owner).is_ok_and(|owner| owner == taker);
        self.core
            .orders(side.opposite())
            .take_while(move |order| {
                !(mine(order.owner) && matches!(mode, SelfTrade::ExpireTaker | SelfTrade::ExpireBoth))
            })
            .filter(move |order| mode != SelfTrade::ExpireMaker || !mine(order.owner))
            .map(|order| (order.price, order.open))
    }

    /// What rests at one price.
    pub(crate) fn size_at(&self, side: Side, price: Price) -> Quantity {
        self.core.depth(side).find(|level| level.price == price).map(|level| level.quantity).unwrap_or_default()
    }
}

fn order_of(incoming: &Incoming) -> NewOrder {
    NewOrder {
        id: incoming.id,
        owner: u32::try_from(incoming.owner).unwrap_or(u32::MAX),
        side: incoming.side,
        kind: incoming.limit.map_or(OrderKind::Market, |price| OrderKind::Limit { price }),
        time_in_force: match incoming.force {
            Force::Gtc => TimeInForce::Gtc,
            Force::Ioc => TimeInForce::Ioc,
            Force::Fok => TimeInForce::Fok,
        },
        post_only: incoming.post_only,
        quantity: incoming.quantity,
        self_trade: match incoming.self_trade {
            SelfTrade::Allow => tradewind_book::SelfTrade::None,
            SelfTrade::ExpireTaker => tradewind_book::SelfTrade::ExpireTaker,
            SelfTrade::ExpireMaker => tradewind_book::SelfTrade::ExpireMaker,
            SelfTrade::ExpireBoth => tradewind_book::SelfTrade::ExpireBoth,
            SelfTrade::Decrement => tradewind_book::SelfTrade::Decrement,
        },
        oco: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(id: u64, side: Side, lots: i64) -> Incoming {
        Incoming {
            id,
            owner: usize::try_from(id).unwrap(),
            side,
            limit: Some(Price::from_mantissa(100)),
            quantity: Quantity::from_mantissa(lots),
            force: Force::Gtc,
            post_only: false,
            self_trade: SelfTrade::Allow,
        }
    }

    #[test]
    fn an_order_made_smaller_keeps_its_place_in_the_queue() {
        let mut book = Book::default();
        book.submit(&incoming(1, Side::Buy, 100), 0);
        book.submit(&incoming(2, Side::Buy, 100), 1);
        let lots = Quantity::from_mantissa;
        assert!(!book.shrink(1, lots(100), 2) && !book.shrink(1, lots(0), 2) && !book.shrink(3, lots(1), 2));
        assert!(book.shrink(1, lots(50), 2));
        assert_eq!(book.size_at(Side::Buy, Price::from_mantissa(100)), lots(150));
        let met: Vec<_> = book.submit(&incoming(3, Side::Sell, 60), 3);
        let makers = met.iter().filter_map(|it| match it {
            Happening::Fill { maker, quantity, .. } => Some((*maker, quantity.mantissa())),
            _ => None,
        });
        assert_eq!(makers.collect::<Vec<_>>(), [(1, 50), (2, 10)], "the first is still the first");
    }
}
