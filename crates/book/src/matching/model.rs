//! The obvious market: one list of orders, looked through from the start each time.

use super::{CancelReason, MatchEvent, MatchTrade, NewOrder, PreventedMatch, RejectReason, ReplaceError, SelfTrade};
use tradewind_domain::{OrderKind, Price, Quantity, Side, TimeInForce, Timestamp};

#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) order: NewOrder,
    pub(super) open: i64,
    pub(super) came: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) listed: Vec<Listed>,
    prints: Vec<Price>,
    last: Option<Price>,
    trades: u64,
    clock: u64,
    oco_ends_on_trigger: bool,
}

impl Model {
    pub(super) fn new(oco_ends_on_trigger: bool) -> Self {
        Self { oco_ends_on_trigger, ..Self::default() }
    }

    pub(super) fn best(&self, side: Side) -> Option<&Listed> {
        let on_book = self.listed.iter().filter(|l| l.order.side == side && l.order.kind.trigger().is_none());
        on_book.min_by_key(|l| (-side.sign() * l.order.kind.limit().unwrap().mantissa(), l.came))
    }

    fn meets(&self, side: Side, limit: Option<Price>) -> bool {
        self.best(side.opposite()).is_some_and(|best| match (limit, side) {
            (None, _) => true,
            (Some(limit), Side::Buy) => best.order.kind.limit().unwrap() <= limit,
            (Some(limit), Side::Sell) => best.order.kind.limit().unwrap() >= limit,
        })
    }

    fn index(&self, id: u64) -> Option<usize> {
        self.listed.iter().position(|l| l.order.id == id)
    }

    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Vec<MatchEvent>) {
        let until = |l: &Listed| match l.order.time_in_force {
            TimeInForce::Gtd(until) => until,
            _ => Timestamp::from_nanos(i64::MAX),
        };
        while let Some((at, first)) = self.listed.iter().enumerate().min_by_key(|(_, l)| (until(l), l.order.id)) {
            if until(first) > now {
                return;
            }
            let gone = self.listed.remove(at);
            out.push(MatchEvent::Expired { id: gone.order.id, open: Quantity::from_mantissa(gone.open) });
        }
    }

    pub(super) fn cancel(&mut self, id: u64, reason: CancelReason, out: &mut Vec<MatchEvent>) -> bool {
        let Some(at) = self.index(id) else { return false };
        let gone = self.listed.remove(at);
        out.push(MatchEvent::Cancelled { id, open: Quantity::from_mantissa(gone.open), reason });
        true
    }

    pub(super) fn submit(&mut self, order: NewOrder, now: Timestamp, out: &mut Vec<MatchEvent>) {
        self.expire(now, out);
        let immediate = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let crosses = matches!(order.kind, OrderKind::Limit { price } if self.meets(order.side, Some(price)));
        let reason = if self.index(order.id).is_some() {
            RejectReason::DuplicateId
        } else if order.quantity.mantissa() <= 0 {
            RejectReason::Quantity
        } else if order.post_only && (immediate || order.kind.limit().is_none())
            || order.time_in_force == TimeInForce::Fok && order.oco.is_some()
        {
            RejectReason::Contradiction
        } else if matches!(order.time_in_force, TimeInForce::Gtd(until) if until <= now) {
            RejectReason::Expired
        } else if order.post_only && crosses {
            RejectReason::WouldCross
        } else {
            out.push(MatchEvent::Accepted { id: order.id });
            self.clock += 1;
            let new = Listed { order, open: order.quantity.mantissa(), came: self.clock };
            if order.kind.trigger().is_none() {
                self.run(new, out);
            } else if self.last.is_some_and(|last| wakes(&order, last)) {
                self.wake(new, out);
            } else {
                self.listed.push(new);
            }
            return self.wake_stops(out);
        };
        out.push(MatchEvent::Rejected { id: order.id, reason });
    }

    pub(super) fn replace(
        &mut self,
        (id, price, open): (u64, Price, i64),
        now: Timestamp,
        out: &mut Vec<MatchEvent>,
    ) -> Result<(), ReplaceError> {
        self.expire(now, out);
        let at = self.index(id).ok_or(ReplaceError::Unknown(id))?;
        let old = self.listed[at].clone();
        if old.order.kind.trigger().is_some() {
            return Err(ReplaceError::Asleep(id));
        }
        let quantity = Quantity::from_mantissa(open);
        if open <= 0 {
            return Err(ReplaceError::Quantity(quantity));
        }
        let stays = old.order.kind.limit() == Some(price);
        if old.order.post_only && !stays && self.meets(old.order.side, Some(price)) {
            return Err(ReplaceError::WouldCross(price));
        }
        let kept_priority = stays && open <= old.open;
        out.push(MatchEvent::Replaced { id, price, open: quantity, kept_priority });
        if kept_priority {
            self.listed[at].open = open;
        } else {
            self.listed.remove(at);
            self.clock += 1;
            let order = NewOrder { kind: OrderKind::Limit { price }, ..old.order };
            self.run(Listed { order, open, came: self.clock }, out);
            self.wake_stops(out);
        }
        Ok(())
    }

    fn wake(&mut self, mut stop: Listed, out: &mut Vec<MatchEvent>) {
        out.push(MatchEvent::Triggered { id: stop.order.id });
        self.clock += 1;
        stop.came = self.clock;
        let limit = stop.order.kind.limit();
        stop.order.kind = limit.map_or(OrderKind::Market, |price| OrderKind::Limit { price });
        if self.oco_ends_on_trigger {
            self.end_siblings(&stop.order, &[stop.order.id], out);
        }
        if stop.order.post_only && self.meets(stop.order.side, limit) {
            return Self::gone(&stop, CancelReason::WouldCross, out);
        }
        self.run(stop, out);
    }

    fn wake_stops(&mut self, out: &mut Vec<MatchEvent>) {
        while !self.prints.is_empty() {
            let prints = std::mem::take(&mut self.prints);
            let mut woken: Vec<Listed> = self.listed.clone();
            woken.retain(|l| prints.iter().any(|print| wakes(&l.order, *print)));
            woken.sort_by_key(|l| l.came);
            for stop in woken {
                if let Some(at) = self.index(stop.order.id) {
                    self.listed.remove(at);
                    self.wake(stop, out);
                }
            }
        }
    }

    fn run(&mut self, mut taker: Listed, out: &mut Vec<MatchEvent>) {
        let order = taker.order;
        if order.time_in_force == TimeInForce::Fok {
            // tried on a copy first
            let (mut copy, mut events) = (self.clone(), Vec::new());
            copy.run(
                Listed { order: NewOrder { time_in_force: TimeInForce::Ioc, ..order }, ..taker.clone() },
                &mut events,
            );
            let taken = events.iter().map(|event| match event {
                MatchEvent::Trade(trade) if trade.taker == order.id => trade.quantity.mantissa(),
                _ => 0,
            });
            if taken.sum::<i64>() < taker.open {
                return Self::gone(&taker, CancelReason::Kill, out);
            }
        }
        while taker.open > 0 && self.meets(order.side, order.kind.limit()) {
            let maker = self.best(order.side.opposite()).unwrap().clone();
            if maker.order.owner == order.owner && order.self_trade != SelfTrade::None {
                self.prevent(&mut taker, &maker, out);
            } else {
                self.trade(&mut taker, &maker, out);
            }
        }
        match (taker.open, order.time_in_force, order.kind.limit()) {
            (0, _, _) => (),
            (_, TimeInForce::Ioc, _) => Self::gone(&taker, CancelReason::Immediate, out),
            (_, TimeInForce::Fok, _) => unreachable!("it was tried on a copy"),
            (_, _, None) => Self::gone(&taker, CancelReason::NoLiquidity, out),
            (open, _, Some(price)) => {
                self.listed.push(taker);
                out.push(MatchEvent::Rested { id: order.id, price, open: Quantity::from_mantissa(open) });
            }
        }
    }

    fn prevent(&mut self, taker: &mut Listed, maker: &Listed, out: &mut Vec<MatchEvent>) {
        let quantity = taker.open.min(maker.open);
        let (from_maker, from_taker) = match taker.order.self_trade {
            SelfTrade::None => unreachable!("they trade"),
            SelfTrade::ExpireTaker => (0, taker.open),
            SelfTrade::ExpireMaker => (maker.open, 0),
            SelfTrade::ExpireBoth => (maker.open, taker.open),
            SelfTrade::Decrement => (quantity, quantity),
        };
        taker.open -= from_taker;
        let at = self.index(maker.order.id).unwrap();
        self.listed[at].open -= from_maker;
        out.push(MatchEvent::Prevented(PreventedMatch {
            price: maker.order.kind.limit().unwrap(),
            quantity: Quantity::from_mantissa(quantity),
            maker: maker.order.id,
            maker_prevented: Quantity::from_mantissa(from_maker),
            maker_open: Quantity::from_mantissa(maker.open - from_maker),
            taker: taker.order.id,
            taker_prevented: Quantity::from_mantissa(from_taker),
            taker_open: Quantity::from_mantissa(taker.open),
        }));
        self.listed.retain(|l| l.open > 0);
    }

    fn trade(&mut self, taker: &mut Listed, maker: &Listed, out: &mut Vec<MatchEvent>) {
        let quantity = taker.open.min(maker.open);
        let price = maker.order.kind.limit().unwrap();
        taker.open -= quantity;
        self.trades += 1;
        (self.last, _) = (Some(price), self.prints.push(price));
        let at = self.index(maker.order.id).unwrap();
        self.listed[at].open -= quantity;
        out.push(MatchEvent::Trade(MatchTrade {
            trade_id: self.trades,
            price,
            quantity: Quantity::from_mantissa(quantity),
            maker: maker.order.id,
            maker_owner: maker.order.owner,
            maker_open: Quantity::from_mantissa(maker.open - quantity),
            taker: taker.order.id,
            taker_owner: taker.order.owner,
            taker_open: Quantity::from_mantissa(taker.open),
            aggressor: taker.order.side,
        }));
        self.listed.retain(|l| l.open > 0);
        self.end_siblings(&taker.order, &[taker.order.id], out);
        self.end_siblings(&maker.order, &[maker.order.id, taker.order.id], out);
    }

    fn end_siblings(&mut self, order: &NewOrder, but: &[u64], out: &mut Vec<MatchEvent>) {
        let Some(group) = order.oco else { return };
        let mut siblings = self.listed.clone();
        siblings.retain(|l| l.order.oco == Some(group) && l.order.owner == order.owner && !but.contains(&l.order.id));
        siblings.sort_by_key(|l| l.order.id); // ids rise with arrival in these tests
        for sibling in siblings {
            self.cancel(sibling.order.id, CancelReason::Oco, out);
        }
    }

    fn gone(taker: &Listed, reason: CancelReason, out: &mut Vec<MatchEvent>) {
        let open = Quantity::from_mantissa(taker.open);
        out.push(MatchEvent::Cancelled { id: taker.order.id, open, reason });
    }
}

/// Whether a trade at `print` wakes `order`: a stop once the market moved against it, one to be touched once it moved in
/// its favour.
fn wakes(order: &NewOrder, print: Price) -> bool {
    match (order.kind, order.side) {
        (OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. }, Side::Buy)
        | (OrderKind::Touched { trigger } | OrderKind::LimitTouched { trigger, .. }, Side::Sell) => print >= trigger,
        (OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. }, Side::Sell)
        | (OrderKind::Touched { trigger } | OrderKind::LimitTouched { trigger, .. }, Side::Buy) => print <= trigger,
        (OrderKind::Market | OrderKind::Limit { .. } | OrderKind::Trailing { .. }, _) => false,
    }
}
