//! The order book of one pair: the matching core, in the exchange's words.

use super::order::{Force, SelfTrade};
use std::collections::BTreeMap;
use tradewind_book::MatchingCore;
use tradewind_book::matching::{CancelReason, MatchEvent, NewOrder};
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
    /// What is left of it is gone: it would have traded with its owner.
    TakerPrevented,
    /// A resting order is gone: it would have traded with its owner.
    MakerPrevented { maker: u64, price: Price },
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
            MatchEvent::Cancelled { id, reason: CancelReason::SelfTrade, .. } if id == incoming.id => {
                Some(Happening::TakerPrevented)
            }
            MatchEvent::Cancelled { id, .. } | MatchEvent::Expired { id, .. } | MatchEvent::Rejected { id, .. } => {
                if id == incoming.id {
                    return Some(Happening::Unfilled);
                }
                let (_, price) = self.places.remove(&id)?;
                Some(Happening::MakerPrevented { maker: id, price })
            }
            MatchEvent::Accepted { .. } | MatchEvent::Triggered { .. } | MatchEvent::Replaced { .. } => None,
        }
    }

    /// Takes an order off the book; false if it is not there.
    pub(crate) fn cancel(&mut self, id: u64) -> bool {
        self.places.remove(&id);
        self.core.cancel(id, &mut Vec::new())
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
    /// would expire, and end the list where he would.
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
            .filter(move |order| mode == SelfTrade::Allow || !mine(order.owner))
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
        },
        oco: None,
    }
}
