//! [`MatchingCore`]: submit, match, rest, wake, cancel, replace, expire.

use super::side::{BookSide, Entry, Slab, Slot};
use super::{
    CancelReason, DepthLevel, MatchEvent, MatchTrade, NewOrder, PreventedMatch, RejectReason, ReplaceError,
    RestingOrder, SelfTrade,
};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{OcoGroup, OrderKind, Price, Quantity, Side, TimeInForce, Timestamp};

/// What venues do differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchingRules {
    /// Whether a stop that wakes cancels the rest of its OCO group at once, as on Binance; otherwise its first trade
    /// does.
    pub oco_ends_on_trigger: bool,
}

/// The market of one instrument; see [`crate::matching`] for its rules.
#[derive(Clone, Debug)]
pub struct MatchingCore {
    rules: MatchingRules,
    slab: Slab,
    ids: BTreeMap<u64, Slot>,
    bids: BookSide,
    asks: BookSide,
    stops: Stops,
    groups: BTreeMap<(u32, OcoGroup), Vec<u64>>,
    /// Open orders that end by themselves, soonest first.
    expiries: BTreeSet<(Timestamp, u64)>,
    last: Option<Price>,
    next_trade: u64,
    arrivals: u64,
}

/// Orders that wait for a price, and the span of trade prices that they have not been shown yet.
#[derive(Clone, Debug, Default)]
struct Stops {
    /// Those that wake when the market rises to them, keyed by trigger, then arrival.
    rise: BTreeMap<(Price, u64), u64>,
    /// Those that wake when it falls to them.
    fall: BTreeMap<(Price, u64), u64>,
    span: Option<(Price, Price)>,
}

/// The incoming order while it matches.
struct Taker {
    order: NewOrder,
    open: Quantity,
    arrival: u64,
}

impl Default for MatchingCore {
    fn default() -> Self {
        Self::new(MatchingRules::default())
    }
}

impl MatchingCore {
    /// An empty market.
    #[must_use]
    pub const fn new(rules: MatchingRules) -> Self {
        Self {
            rules,
            slab: Slab::EMPTY,
            ids: BTreeMap::new(),
            bids: BookSide::new(Side::Buy),
            asks: BookSide::new(Side::Sell),
            stops: Stops { rise: BTreeMap::new(), fall: BTreeMap::new(), span: None },
            groups: BTreeMap::new(),
            expiries: BTreeSet::new(),
            last: None,
            next_trade: 1,
            arrivals: 0,
        }
    }

    /// Gives the next trade this number.
    pub const fn number_trades_from(&mut self, next: u64) {
        self.next_trade = next;
    }

    /// Takes an order at `now`, which never runs backwards; appends all that follows from it to `out`.
    pub fn submit(&mut self, order: NewOrder, now: Timestamp, out: &mut Vec<MatchEvent>) {
        self.expire(now, out);
        if let Some(reason) = self.refusal(&order, now) {
            out.push(MatchEvent::Rejected { id: order.id, reason });
            return;
        }
        out.push(MatchEvent::Accepted { id: order.id });
        if let Some(group) = order.oco {
            self.groups.entry((order.owner, group)).or_default().push(order.id);
        }
        self.arrivals += 1;
        let taker = Taker { order, open: order.quantity, arrival: self.arrivals };
        match order.kind.trigger() {
            Some(trigger) if !self.has_reached(order.kind.wakes_on_rise(order.side), trigger) => {
                self.park(taker, trigger);
            }
            Some(_) => self.wake(taker, out),
            None => self.execute(taker, out),
        }
        self.wake_stops(out);
    }

    /// Takes an open order off the book, or a stop back; `false` if no open order has this id.
    pub fn cancel(&mut self, id: u64, out: &mut Vec<MatchEvent>) -> bool {
        let known = self.ids.contains_key(&id);
        if known {
            self.end(id, CancelReason::Requested, out);
        }
        known
    }

    /// Changes a resting order to `open` left at `price`. It keeps its place if the price stays and it does not
    /// grow; otherwise it goes through the market as if it had just arrived.
    ///
    /// # Errors
    /// [`ReplaceError`]; the order then stands as before.
    pub fn replace(
        &mut self,
        id: u64,
        price: Price,
        open: Quantity,
        now: Timestamp,
        out: &mut Vec<MatchEvent>,
    ) -> Result<(), ReplaceError> {
        self.expire(now, out);
        let slot = *self.ids.get(&id).ok_or(ReplaceError::Unknown(id))?;
        let entry = self.slab.get(slot);
        let (side, old, resting) = (entry.order.side, entry.open, entry.order.kind.trigger().is_none());
        if !resting {
            return Err(ReplaceError::Asleep(id));
        }
        if open <= Quantity::ZERO {
            return Err(ReplaceError::Quantity(open));
        }
        let stays = entry.price() == price;
        if entry.order.post_only && !stays && self.crosses(side, price) {
            return Err(ReplaceError::WouldCross(price));
        }
        let kept_priority = stays && open <= old;
        out.push(MatchEvent::Replaced { id, price, open, kept_priority });
        if kept_priority {
            let (book, slab) = self.book_mut(side);
            book.shrink(slab, slot, old - open);
            return Ok(());
        }
        let entry = self.unlist(id);
        self.arrivals += 1;
        let order = NewOrder { kind: OrderKind::Limit { price }, ..entry.order };
        self.execute(Taker { order, open, arrival: self.arrivals }, out);
        self.wake_stops(out);
        Ok(())
    }

    /// Ends all orders whose time is up at `now`.
    pub fn expire(&mut self, now: Timestamp, out: &mut Vec<MatchEvent>) {
        while let Some((_, id)) = self.expiries.first().copied().filter(|(until, _)| *until <= now) {
            let entry = self.remove(id);
            out.push(MatchEvent::Expired { id, open: entry.open });
        }
    }

    /// The highest bid.
    #[must_use]
    pub fn best_bid(&self) -> Option<Price> {
        self.bids.best()
    }
    /// The lowest ask.
    #[must_use]
    pub fn best_ask(&self) -> Option<Price> {
        self.asks.best()
    }
    /// The latest trade's price.
    #[must_use]
    pub const fn last_price(&self) -> Option<Price> {
        self.last
    }
    /// When the next order expires by itself.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(until, _)| *until)
    }
    /// Whether a stop of this side and trigger would wake at once.
    #[must_use]
    pub fn would_trigger(&self, side: Side, trigger: Price) -> bool {
        self.has_reached(side == Side::Buy, trigger)
    }
    fn has_reached(&self, on_rise: bool, trigger: Price) -> bool {
        self.last.is_some_and(|last| if on_rise { last >= trigger } else { last <= trigger })
    }
    /// Whether an order of this side with this limit would trade at once.
    #[must_use]
    pub fn crosses(&self, side: Side, limit: Price) -> bool {
        self.book(side.opposite()).meets(Some(limit))
    }
    /// Price levels of one side, best first.
    pub fn depth(&self, side: Side) -> impl Iterator<Item = DepthLevel> + '_ {
        self.book(side).levels()
    }
    /// Resting orders of one side, the first to trade first.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = RestingOrder> + '_ {
        self.book(side).entries(&self.slab).map(move |entry| RestingOrder {
            id: entry.order.id,
            owner: entry.order.owner,
            side,
            price: entry.price(),
            open: entry.open,
            until: entry.until(),
        })
    }
    /// What is left of an open order, on the book or asleep.
    #[must_use]
    pub fn open_quantity(&self, id: u64) -> Option<Quantity> {
        self.ids.get(&id).map(|slot| self.slab.get(*slot).open)
    }
    /// How many orders are open, stops included.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.ids.len()
    }

    const fn book(&self, side: Side) -> &BookSide {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }
    const fn book_mut(&mut self, side: Side) -> (&mut BookSide, &mut Slab) {
        match side {
            Side::Buy => (&mut self.bids, &mut self.slab),
            Side::Sell => (&mut self.asks, &mut self.slab),
        }
    }

    fn refusal(&self, order: &NewOrder, now: Timestamp) -> Option<RejectReason> {
        let rests = order.kind.limit().is_some() && !matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        if self.ids.contains_key(&order.id) {
            Some(RejectReason::DuplicateId)
        } else if order.quantity <= Quantity::ZERO {
            Some(RejectReason::Quantity)
        } else if (order.post_only && !rests)
            || (order.oco.is_some() && order.time_in_force == TimeInForce::Fok)
            || matches!(order.kind, OrderKind::Trailing { .. })
        {
            Some(RejectReason::Contradiction)
        } else if matches!(order.time_in_force, TimeInForce::Gtd(until) if until <= now) {
            Some(RejectReason::Expired)
        } else {
            let crosses = matches!(order.kind, OrderKind::Limit { price } if self.crosses(order.side, price));
            (order.post_only && crosses).then_some(RejectReason::WouldCross)
        }
    }

    fn park(&mut self, taker: Taker, trigger: Price) {
        let Taker { order, open, arrival } = taker;
        let rise = order.kind.wakes_on_rise(order.side);
        let waiting = if rise { &mut self.stops.rise } else { &mut self.stops.fall };
        waiting.insert((trigger, arrival), order.id);
        self.list(Entry::new(order, open, arrival));
    }

    /// Lets a stop become the order it stands for.
    fn wake(&mut self, mut taker: Taker, out: &mut Vec<MatchEvent>) {
        out.push(MatchEvent::Triggered { id: taker.order.id });
        taker.order.kind = match taker.order.kind.limit() {
            Some(price) => OrderKind::Limit { price },
            None => OrderKind::Market,
        };
        if self.rules.oco_ends_on_trigger {
            self.end_siblings(&taker.order, out);
        }
        if taker.order.post_only && taker.order.kind.limit().is_some_and(|limit| self.crosses(taker.order.side, limit))
        {
            return self.drop_taker(&taker, CancelReason::WouldCross, out);
        }
        self.execute(taker, out);
    }

    /// Wakes what the trades since the last call reached, in order of arrival, until nothing more wakes.
    fn wake_stops(&mut self, out: &mut Vec<MatchEvent>) {
        while let Some((low, high)) = self.stops.span.take() {
            let risen = self.stops.rise.range(..=(high, u64::MAX));
            let fallen = self.stops.fall.range((low, 0)..);
            let mut woken: Vec<(u64, u64)> = risen.chain(fallen).map(|((_, arrival), id)| (*arrival, *id)).collect();
            woken.sort_unstable();
            for (arrival, id) in woken {
                if self.ids.contains_key(&id) {
                    let Entry { order, open, .. } = self.unlist(id);
                    self.wake(Taker { order, open, arrival }, out);
                }
            }
        }
    }

    /// Trades what can trade; then rests what is left, or ends it.
    fn execute(&mut self, mut taker: Taker, out: &mut Vec<MatchEvent>) {
        let (side, limit) = (taker.order.side, taker.order.kind.limit());
        if taker.order.time_in_force == TimeInForce::Fok && !self.can_fill(&taker) {
            return self.drop_taker(&taker, CancelReason::Kill, out);
        }
        while !taker.open.is_zero() && self.book(side.opposite()).meets(limit) {
            let slot = self.book(side.opposite()).front().expect("a book that meets has a front");
            let entry = self.slab.get(slot);
            let (maker, open) = (entry.order, entry.open);
            if maker.owner == taker.order.owner
                && let Some(losses) = taker.order.self_trade.losses(open, taker.open)
            {
                self.prevent(&mut taker, slot, losses, out);
            } else {
                self.trade(&mut taker, slot, out);
                self.settle_groups(&taker.order, &maker, out);
            }
        }
        self.finish(taker, out);
    }

    fn finish(&mut self, taker: Taker, out: &mut Vec<MatchEvent>) {
        let Taker { order, open, arrival } = taker;
        if open.is_zero() {
            return self.leave_group(&order);
        }
        match (order.kind.limit(), order.time_in_force) {
            (_, TimeInForce::Ioc) => self.drop_taker(&taker, CancelReason::Immediate, out),
            (_, TimeInForce::Fok) => self.drop_taker(&taker, CancelReason::Kill, out),
            (None, TimeInForce::Gtc | TimeInForce::Gtd(_)) => self.drop_taker(&taker, CancelReason::NoLiquidity, out),
            (Some(price), TimeInForce::Gtc | TimeInForce::Gtd(_)) => {
                let slot = self.list(Entry::new(order, open, arrival));
                let (book, slab) = self.book_mut(order.side);
                book.push(slab, slot);
                out.push(MatchEvent::Rested { id: order.id, price, open });
            }
        }
    }

    fn trade(&mut self, taker: &mut Taker, slot: Slot, out: &mut Vec<MatchEvent>) {
        let entry = self.slab.get(slot);
        let (maker, price) = (entry.order, entry.price());
        let quantity = entry.open.min(taker.open);
        let maker_open = entry.open - quantity;
        taker.open -= quantity;
        if maker_open.is_zero() {
            self.unlist(maker.id);
        } else {
            let (book, slab) = self.book_mut(maker.side);
            book.shrink(slab, slot, quantity);
        }
        self.last = Some(price);
        let (low, high) = self.stops.span.unwrap_or((price, price));
        self.stops.span = Some((low.min(price), high.max(price)));
        out.push(MatchEvent::Trade(MatchTrade {
            trade_id: self.next_trade,
            price,
            quantity,
            maker: maker.id,
            maker_owner: maker.owner,
            maker_open,
            taker: taker.order.id,
            taker_owner: taker.order.owner,
            taker_open: taker.open,
            aggressor: taker.order.side,
        }));
        self.next_trade += 1;
    }

    /// Takes off the resting and the incoming order what they lose by not trading with each other.
    fn prevent(
        &mut self,
        taker: &mut Taker,
        slot: Slot,
        (maker_prevented, taker_prevented): (Quantity, Quantity),
        out: &mut Vec<MatchEvent>,
    ) {
        let entry = self.slab.get(slot);
        let (maker, price, quantity) = (entry.order, entry.price(), entry.open.min(taker.open));
        let maker_open = entry.open - maker_prevented;
        taker.open -= taker_prevented;
        if maker_open.is_zero() {
            self.remove(maker.id);
        } else {
            let (book, slab) = self.book_mut(maker.side);
            book.shrink(slab, slot, maker_prevented);
        }
        out.push(MatchEvent::Prevented(PreventedMatch {
            price,
            quantity,
            maker: maker.id,
            maker_prevented,
            maker_open,
            taker: taker.order.id,
            taker_prevented,
            taker_open: taker.open,
        }));
    }

    /// Ends what a trade ends in the groups of both orders. Where two of one group trade with each other, the
    /// incoming one goes on.
    fn settle_groups(&mut self, taker: &NewOrder, maker: &NewOrder, out: &mut Vec<MatchEvent>) {
        self.end_siblings(taker, out);
        self.end_siblings(maker, out);
        if !self.ids.contains_key(&maker.id) {
            self.leave_group(maker);
        }
    }

    /// Whether all of a fill-or-kill order would trade.
    fn can_fill(&self, taker: &Taker) -> bool {
        let (side, limit) = (taker.order.side, taker.order.kind.limit());
        let mut missing = taker.open;
        let mut groups = BTreeSet::new();
        for entry in self.book(side.opposite()).entries(&self.slab) {
            let within = match (side, limit) {
                (_, None) => true,
                (Side::Buy, Some(limit)) => entry.price() <= limit,
                (Side::Sell, Some(limit)) => entry.price() >= limit,
            };
            if missing.is_zero() || !within {
                break;
            }
            if entry.order.owner == taker.order.owner {
                match taker.order.self_trade {
                    SelfTrade::None => (),
                    SelfTrade::ExpireMaker => continue,
                    SelfTrade::ExpireTaker | SelfTrade::ExpireBoth | SelfTrade::Decrement => break, // a part is lost
                }
            }
            if entry.order.oco.is_some_and(|group| !groups.insert((entry.order.owner, group))) {
                continue; // its sibling's trade will have cancelled it
            }
            missing -= entry.open.min(missing);
        }
        missing.is_zero()
    }

    /// Ends an order that is not listed (any more).
    fn drop_taker(&mut self, taker: &Taker, reason: CancelReason, out: &mut Vec<MatchEvent>) {
        self.leave_group(&taker.order);
        out.push(MatchEvent::Cancelled { id: taker.order.id, open: taker.open, reason });
    }

    /// Ends a listed order.
    fn end(&mut self, id: u64, reason: CancelReason, out: &mut Vec<MatchEvent>) {
        let entry = self.remove(id);
        out.push(MatchEvent::Cancelled { id, open: entry.open, reason });
    }

    fn end_siblings(&mut self, order: &NewOrder, out: &mut Vec<MatchEvent>) {
        let Some(group) = order.oco else { return };
        let Some(members) = self.groups.get(&(order.owner, group)) else { return };
        let siblings: Vec<u64> = members.iter().copied().filter(|id| *id != order.id).collect();
        for id in siblings {
            if self.ids.contains_key(&id) {
                self.end(id, CancelReason::Oco, out);
            }
        }
    }

    fn list(&mut self, entry: Entry) -> Slot {
        let id = entry.order.id;
        if let Some(until) = entry.until() {
            self.expiries.insert((until, id));
        }
        let slot = self.slab.insert(entry);
        self.ids.insert(id, slot);
        slot
    }

    /// Takes an order out of everything but its group.
    fn unlist(&mut self, id: u64) -> Entry {
        let slot = self.ids.remove(&id).expect("the caller saw the order listed");
        let entry = self.slab.get(slot);
        let (side, arrival, until) = (entry.order.side, entry.arrival, entry.until());
        match entry.order.kind.trigger() {
            Some(trigger) if entry.order.kind.wakes_on_rise(side) => _ = self.stops.rise.remove(&(trigger, arrival)),
            Some(trigger) => _ = self.stops.fall.remove(&(trigger, arrival)),
            None => {
                let (book, slab) = self.book_mut(side);
                book.unlink(slab, slot);
            }
        }
        if let Some(until) = until {
            self.expiries.remove(&(until, id));
        }
        self.slab.remove(slot)
    }

    fn remove(&mut self, id: u64) -> Entry {
        let entry = self.unlist(id);
        self.leave_group(&entry.order);
        entry
    }

    fn leave_group(&mut self, order: &NewOrder) {
        let Some(group) = order.oco else { return };
        let key = (order.owner, group);
        if let Some(members) = self.groups.get_mut(&key) {
            members.retain(|id| *id != order.id);
            if members.is_empty() {
                self.groups.remove(&key);
            }
        }
    }
}
