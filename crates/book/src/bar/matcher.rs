//! [`BarMatcher`]: orders of one instrument against a stream of bars.

use super::FillPolicy;
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    Bar, ClientOrderId, Instrument, Liquidity, OcoGroup, Order, OrderKind, PortfolioId, Price, Quantity, Side,
    TimeInForce, Timestamp, Trail,
};

/// What a bar did to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BarEvent {
    /// A stop woke up.
    Triggered {
        /// Which order.
        client_id: ClientOrderId,
        /// When: the open, or the bar's close for what happened inside it.
        at: Timestamp,
    },
    /// It traded. The fee is the caller's.
    Fill {
        /// Which order.
        client_id: ClientOrderId,
        /// Which way.
        side: Side,
        /// At which price, on the tick.
        price: Price,
        /// The price that the market showed, before frictions and rounding: the open, the limit, or where a stop woke.
        basis: Price,
        /// How much, positive.
        quantity: Quantity,
        /// Whether it rested or crossed.
        liquidity: Liquidity,
        /// When: the open, or the bar's close for what happened inside it.
        at: Timestamp,
    },
    /// It is over, with something left.
    Cancelled {
        /// Which order.
        client_id: ClientOrderId,
        /// Why.
        reason: BarCancel,
        /// When.
        at: Timestamp,
    },
    /// It was turned away as it arrived, and what came with it as a pair too; or, awake, could not work as it must.
    Rejected {
        /// Which order.
        client_id: ClientOrderId,
        /// Why.
        reason: BarReject,
        /// When.
        at: Timestamp,
    },
}

/// Why an order ended with something left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BarCancel {
    /// Immediate or cancel: nothing more at once.
    Immediate,
    /// Fill or kill: not all at once.
    Kill,
    /// Another order of its group filled.
    Oco,
    /// Its time was up.
    Expired,
    /// Reduce-only, and the position is flat or on its own side.
    NothingToReduce,
}

impl BarCancel {
    /// The reason in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Immediate => "immediate or cancel: the rest could not fill at once",
            Self::Kill => "fill or kill: not all could fill at once",
            Self::Oco => "another order of its group filled",
            Self::Expired => "its time was up",
            Self::NothingToReduce => "reduce only: nothing to reduce",
        }
    }
}

/// Why an order never worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BarReject {
    /// Post only, and it would have crossed.
    WouldCross,
}

impl BarReject {
    /// The reason in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::WouldCross => "post only: it would have crossed",
        }
    }
}

/// Where an open order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Has not met an open yet, or a stop that has just woken.
    Arriving,
    /// Has met one.
    Working,
    /// Removed at the end of the bar.
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    client_id: ClientOrderId,
    portfolio: PortfolioId,
    side: Side,
    /// A stop that woke has become a market or limit order here.
    kind: OrderKind,
    time_in_force: TimeInForce,
    post_only: bool,
    reduce_only: bool,
    oco: Option<OcoGroup>,
    submitted: Timestamp,
    open: Quantity,
    stage: Stage,
    /// Has met no bar yet.
    is_new: bool,
    /// How far a trailing stop has followed.
    trail: Trail,
    /// Where a trailing stop stood when this bar reached it.
    woken_at: Option<Price>,
}

impl Slot {
    fn alive_at(&self, open_time: Timestamp) -> bool {
        self.stage != Stage::Over && self.submitted <= open_time
    }
    fn expires_by(&self, moment: Timestamp) -> Option<Timestamp> {
        match self.time_in_force {
            TimeInForce::Gtd(until) if until <= moment => Some(until),
            _ => None,
        }
    }
    const fn buys(&self) -> bool {
        matches!(self.side, Side::Buy)
    }

    /// The price inside `bar` at which a waiting order wakes: its trigger, or where a trailing stop stands when the bar
    /// has shown itself. Inside `None` it has none to wait for; `None` means that it sleeps through the bar.
    fn level_inside(&mut self, bar: &Bar) -> Option<Option<Price>> {
        let OrderKind::Trailing { offset, activation } = self.kind else { return Some(self.kind.trigger()) };
        let stood = self.trail.level(self.side, offset);
        let path = [bar.open, bar.high, bar.low, bar.close];
        if !self.trail.on_bar(self.side, offset, activation, path) {
            return None;
        }
        let adverse = if self.buys() { bar.high } else { bar.low };
        let by_then = stood.filter(|level| if self.buys() { adverse >= *level } else { adverse <= *level });
        self.woken_at = by_then.or(self.trail.level(self.side, offset));
        Some(self.woken_at)
    }
}

/// What a bar that has opened still has to give to those that meet it.
#[derive(Debug)]
#[must_use = "a bar that opens is to be played to its end"]
pub struct BarTurn {
    budget: Quantity,
    volume: Quantity,
    at: Timestamp,
}

/// A fill that the inside of a bar makes possible; ordered by who comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    resting: bool,
    /// Mantissas that the fill gains by the close.
    gain: i64,
    slot: usize,
}

/// Fills the orders of one instrument on its bars, by the rules of [`crate::bar`].
///
/// A bar costs about a nanosecond while no order is open or none can be reached, and otherwise a constant amount for
/// each open order, whatever happened before.
#[derive(Clone, Debug)]
pub struct BarMatcher {
    instrument: Instrument,
    policy: FillPolicy,
    slots: Vec<Slot>,
    candidates: Vec<Candidate>,
    positions: Vec<(PortfolioId, Quantity)>,
    sleep: Sleep,
}

/// The bars that can pass without a look at any order.
#[derive(Clone, Copy, Debug)]
struct Sleep {
    /// A bar whose low stays above wakes nobody.
    above: Price,
    /// A bar whose high stays below wakes nobody.
    below: Price,
    /// A bar that ends earlier wakes nobody.
    until: Timestamp,
}

const AWAKE: Sleep = Sleep {
    above: Price::from_mantissa(i64::MAX),
    below: Price::from_mantissa(i64::MIN),
    until: Timestamp::from_nanos(i64::MIN),
};

impl BarMatcher {
    /// No orders yet, flat.
    #[must_use]
    pub const fn new(instrument: Instrument, policy: FillPolicy) -> Self {
        Self { instrument, policy, slots: Vec::new(), candidates: Vec::new(), positions: Vec::new(), sleep: AWAKE }
    }

    /// What is assumed about fills.
    #[must_use]
    pub const fn policy(&self) -> &FillPolicy {
        &self.policy
    }

    /// Takes an order that arrived at `at`. It first meets the first bar that opens at `at` or later.
    ///
    /// # Panics
    /// If the order is of another instrument.
    pub fn submit(&mut self, order: &Order, at: Timestamp) {
        assert!(order.instrument() == self.instrument.id, "an order meets the bars of its own instrument");
        let request = order.terms();
        self.slots.push(Slot {
            client_id: order.client_id(),
            portfolio: order.portfolio(),
            side: request.side,
            kind: request.kind,
            time_in_force: request.time_in_force,
            post_only: request.post_only,
            reduce_only: request.reduce_only,
            oco: request.oco,
            submitted: at,
            open: request.quantity,
            stage: Stage::Arriving,
            is_new: true,
            trail: Trail::default(),
            woken_at: None,
        });
        self.sleep = AWAKE;
    }

    /// Takes an open order back; `false` if there is none of that name (any more).
    pub fn cancel(&mut self, client_id: ClientOrderId) -> bool {
        let is_it = |slot: &Slot| slot.client_id == client_id && slot.stage != Stage::Over;
        let Some(at) = self.slots.iter().position(is_it) else { return false };
        self.slots.remove(at);
        true
    }

    /// Says what a portfolio holds, for reduce-only orders: needed where fills happen elsewhere as well.
    pub fn set_position(&mut self, portfolio: PortfolioId, signed: Quantity) {
        *self.position(portfolio) = signed;
    }

    /// Open orders in order of submission, with what is left of each.
    pub fn open_orders(&self) -> impl Iterator<Item = (ClientOrderId, Quantity)> + '_ {
        self.slots.iter().filter(|slot| slot.stage != Stage::Over).map(|slot| (slot.client_id, slot.open))
    }

    /// Lets `bar`, a valid one that follows the last, meet the open orders; appends what happened to `out`.
    ///
    /// # Panics
    /// If the bar is of another instrument.
    #[inline]
    pub fn on_bar(&mut self, bar: &Bar, out: &mut Vec<BarEvent>) {
        if let Some(turn) = self.on_open(bar, out) {
            self.on_inside(bar, turn, out);
        }
    }

    /// The first half of [`Self::on_bar`]: the open orders meet the open of `bar`. What its fills lead to can be submitted
    /// before the second half, [`Self::on_inside`]; `None` where the bar reaches nobody and has none.
    ///
    /// # Panics
    /// If the bar is of another instrument.
    #[inline]
    pub fn on_open(&mut self, bar: &Bar, out: &mut Vec<BarEvent>) -> Option<BarTurn> {
        if self.slots.is_empty() {
            return None;
        }
        let quiet = bar.low > self.sleep.above && bar.high < self.sleep.below && bar.close_time() < self.sleep.until;
        (!quiet).then(|| self.open(bar, out))
    }

    fn open(&mut self, bar: &Bar, out: &mut Vec<BarEvent>) -> BarTurn {
        assert!(bar.instrument == self.instrument.id, "a bar meets the orders of its own instrument");
        let budget = self.policy.budget(&self.instrument, bar.volume);
        let mut turn = BarTurn { budget, volume: bar.volume, at: bar.open_time };
        self.expire(bar.open_time, bar.open_time, out);
        for slot in 0..self.slots.len() {
            if self.slots[slot].alive_at(bar.open_time) {
                self.at_open(slot, bar.open, &mut turn, out);
            }
        }
        turn
    }

    /// The second half of [`Self::on_bar`], for the `turn` that its first half gave: orders submitted since at the moment of
    /// the open meet the open, and then all that are left what the bar did inside.
    pub fn on_inside(&mut self, bar: &Bar, mut turn: BarTurn, out: &mut Vec<BarEvent>) {
        debug_assert!(turn.at == bar.open_time, "the turn is of another bar");
        for slot in 0..self.slots.len() {
            if self.slots[slot].is_new && self.slots[slot].alive_at(bar.open_time) {
                self.at_open(slot, bar.open, &mut turn, out);
            }
        }
        turn.at = bar.close_time();
        self.expire(bar.open_time, turn.at.plus_nanos(-1), out);
        self.inside(bar, &mut turn, out);
        self.expire(bar.open_time, bar.close_time(), out);
        self.slots.retain(|slot| slot.stage != Stage::Over);
        self.sleep = self.next_sleep();
    }

    fn expire(&mut self, open_time: Timestamp, by: Timestamp, out: &mut Vec<BarEvent>) {
        for slot in &mut self.slots {
            // an order that is not here yet is left to the bar that it meets
            if let Some(at) = slot.expires_by(by).filter(|_| slot.alive_at(open_time)) {
                slot.stage = Stage::Over;
                let at = at.max(open_time);
                out.push(BarEvent::Cancelled { client_id: slot.client_id, reason: BarCancel::Expired, at });
            }
        }
    }

    /// Rule 2.
    fn at_open(&mut self, index: usize, open: Price, turn: &mut BarTurn, out: &mut Vec<BarEvent>) {
        let slot = &mut self.slots[index];
        slot.is_new = false;
        match slot.kind {
            OrderKind::Trailing { offset, activation } => {
                if !slot.trail.on_price(slot.side, offset, activation, open) {
                    return;
                }
                wake(slot, turn.at, out);
            }
            kind => {
                if let Some(trigger) = kind.trigger() {
                    let passed = if kind.wakes_on_rise(slot.side) { open >= trigger } else { open <= trigger };
                    if !passed {
                        return;
                    }
                    wake(slot, turn.at, out);
                }
            }
        }
        let arriving = slot.stage == Stage::Arriving;
        slot.stage = Stage::Working;
        let crossing = match slot.kind.limit() {
            None => true,
            Some(limit) => self.policy.reaches(slot.side, limit, open),
        };
        match (crossing, arriving) {
            (true, true) if slot.post_only => self.turn_away(index, turn.at, out),
            (true, _) if arriving || slot.kind.limit().is_none() => self.fill(index, open, Liquidity::Taker, turn, out),
            (true, _) => self.fill(index, open, Liquidity::Maker, turn, out),
            (false, true) => end_immediate(slot, turn.at, out),
            (false, false) => (),
        }
    }

    /// Rule 3. Reduce-only orders that find nothing to reduce wait until the others had their turn.
    fn inside(&mut self, bar: &Bar, turn: &mut BarTurn, out: &mut Vec<BarEvent>) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        candidates.extend((0..self.slots.len()).filter_map(|slot| self.candidate(slot, bar)));
        candidates.sort_unstable();
        let mut deferred = 0;
        for at in 0..candidates.len() {
            let candidate = candidates[at];
            if self.slots[candidate.slot].reduce_only && self.reducible(candidate.slot).is_zero() {
                candidates[deferred] = candidate;
                deferred += 1;
            } else {
                self.reach(candidate.slot, turn, out);
            }
        }
        for candidate in &candidates[..deferred] {
            self.reach(candidate.slot, turn, out);
        }
        self.candidates = candidates;
    }

    fn candidate(&mut self, index: usize, bar: &Bar) -> Option<Candidate> {
        let slot = &mut self.slots[index];
        if !slot.alive_at(bar.open_time) {
            return None;
        }
        let (level, resting) = match (slot.level_inside(bar)?, slot.kind.limit()) {
            (Some(trigger), _) => (trigger, false),
            (None, Some(limit)) => (limit, true),
            (None, None) => return None, // what is left of a market order waits for the next open
        };
        let slot = &self.slots[index];
        let reached = match (resting, slot.side) {
            (true, Side::Buy) => self.policy.reaches(Side::Buy, level, bar.low),
            (true, Side::Sell) => self.policy.reaches(Side::Sell, level, bar.high),
            (false, side) if slot.kind.wakes_on_rise(side) => bar.high >= level,
            (false, _) => bar.low <= level,
        };
        let gain = slot.side.sign() * (bar.close.mantissa().saturating_sub(level.mantissa()));
        reached.then_some(Candidate { resting, gain, slot: index })
    }

    fn reach(&mut self, index: usize, turn: &mut BarTurn, out: &mut Vec<BarEvent>) {
        let slot = &mut self.slots[index];
        if slot.stage == Stage::Over {
            return;
        }
        let Some(trigger) = slot.kind.trigger().or(slot.woken_at) else {
            let limit = slot.kind.limit().expect("only limits and stops become candidates");
            return self.fill(index, limit, Liquidity::Maker, turn, out);
        };
        wake(slot, turn.at, out);
        slot.stage = Stage::Working;
        match slot.kind.limit() {
            Some(limit) if !self.policy.reaches(slot.side, limit, trigger) => end_immediate(slot, turn.at, out),
            Some(_) if slot.post_only => reject(slot, turn.at, out),
            Some(_) | None => self.fill(index, trigger, Liquidity::Taker, turn, out),
        }
    }

    /// Fills what budget and position allow, at `basis` or worse.
    fn fill(&mut self, index: usize, basis: Price, liquidity: Liquidity, turn: &mut BarTurn, out: &mut Vec<BarEvent>) {
        let slot = self.slots[index];
        let wanted = if slot.reduce_only { self.reducible(index) } else { slot.open };
        if wanted.is_zero() {
            return cancel(&mut self.slots[index], BarCancel::NothingToReduce, turn.at, out);
        }
        let quantity = wanted.min(turn.budget);
        if slot.time_in_force == TimeInForce::Fok && quantity < wanted {
            return cancel(&mut self.slots[index], BarCancel::Kill, turn.at, out);
        }
        if !quantity.is_zero() {
            let (client_id, side, at) = (slot.client_id, slot.side, turn.at);
            let price = self.price(&slot, basis, quantity, liquidity, turn.volume);
            out.push(BarEvent::Fill { client_id, side, price, basis, quantity, liquidity, at });
            if self.policy.volume_share_bps.is_some() {
                turn.budget -= quantity;
            }
            *self.position(slot.portfolio) += side.signed(quantity);
            self.end_siblings(index, turn.at, out);
        }
        let slot = &mut self.slots[index];
        slot.open -= quantity;
        if slot.open.is_zero() {
            slot.stage = Stage::Over;
        } else if quantity == wanted && slot.reduce_only {
            cancel(slot, BarCancel::NothingToReduce, turn.at, out);
        } else {
            end_immediate(slot, turn.at, out);
        }
    }

    /// Rule 5.
    fn price(&self, slot: &Slot, basis: Price, quantity: Quantity, liquidity: Liquidity, volume: Quantity) -> Price {
        let friction = match liquidity {
            Liquidity::Maker => 0,
            Liquidity::Taker => self.policy.friction_centi_bps(quantity, volume),
        };
        let worse = FillPolicy::worsened(&self.instrument, basis, slot.buys(), friction);
        match slot.kind.limit() {
            Some(limit) if slot.buys() => worse.min(limit),
            Some(limit) => worse.max(limit),
            None => worse,
        }
    }

    /// Rejects an order as it arrives, and what came with it: a pair is one request.
    fn turn_away(&mut self, index: usize, at: Timestamp, out: &mut Vec<BarEvent>) {
        let Slot { portfolio, oco, submitted, .. } = self.slots[index];
        reject(&mut self.slots[index], at, out);
        let together = |slot: &&mut Slot| {
            slot.stage != Stage::Over && slot.portfolio == portfolio && slot.oco == oco && slot.submitted == submitted
        };
        if oco.is_some() {
            self.slots.iter_mut().filter(together).for_each(|slot| reject(slot, at, out));
        }
    }

    fn end_siblings(&mut self, index: usize, at: Timestamp, out: &mut Vec<BarEvent>) {
        let (portfolio, Some(group)) = (self.slots[index].portfolio, self.slots[index].oco) else { return };
        for (other, slot) in self.slots.iter_mut().enumerate() {
            if other != index && slot.stage != Stage::Over && slot.oco == Some(group) && slot.portfolio == portfolio {
                cancel(slot, BarCancel::Oco, at, out);
            }
        }
    }

    /// How much of the order its portfolio's position lets it reduce.
    fn reducible(&mut self, index: usize) -> Quantity {
        let Slot { portfolio, side, open, .. } = self.slots[index];
        let against = side.opposite().signed(*self.position(portfolio));
        against.max(Quantity::ZERO).min(open)
    }

    fn position(&mut self, portfolio: PortfolioId) -> &mut Quantity {
        let at = self.positions.iter().position(|(id, _)| *id == portfolio).unwrap_or_else(|| {
            self.positions.push((portfolio, Quantity::ZERO));
            self.positions.len() - 1
        });
        &mut self.positions[at].1
    }

    #[cfg(test)]
    pub(super) const fn wake_up(&mut self) {
        self.sleep = AWAKE;
    }

    fn next_sleep(&self) -> Sleep {
        let mut sleep = Sleep { above: AWAKE.below, below: AWAKE.above, until: Timestamp::from_nanos(i64::MAX) };
        for slot in &self.slots {
            let level = match (slot.kind.trigger(), slot.kind.limit()) {
                _ if slot.stage == Stage::Arriving && slot.kind.trigger().is_none() => return AWAKE,
                (Some(trigger), _) => (trigger, !slot.kind.wakes_on_rise(slot.side)),
                (None, Some(limit)) => (limit, slot.buys()),
                (None, None) => return AWAKE,
            };
            match level {
                (price, true) => sleep.above = sleep.above.max(price),
                (price, false) => sleep.below = sleep.below.min(price),
            }
            if let TimeInForce::Gtd(until) = slot.time_in_force {
                sleep.until = sleep.until.min(until);
            }
        }
        sleep
    }
}

impl FillPolicy {
    /// Whether a market at `price` fills a resting limit.
    fn reaches(&self, side: Side, limit: Price, price: Price) -> bool {
        match (side, self.limit_needs_trade_through) {
            (Side::Buy, false) => price <= limit,
            (Side::Buy, true) => price < limit,
            (Side::Sell, false) => price >= limit,
            (Side::Sell, true) => price > limit,
        }
    }
}

fn wake(slot: &mut Slot, at: Timestamp, out: &mut Vec<BarEvent>) {
    slot.kind = slot.kind.awake();
    slot.stage = Stage::Arriving;
    out.push(BarEvent::Triggered { client_id: slot.client_id, at });
}

fn cancel(slot: &mut Slot, reason: BarCancel, at: Timestamp, out: &mut Vec<BarEvent>) {
    slot.stage = Stage::Over;
    out.push(BarEvent::Cancelled { client_id: slot.client_id, reason, at });
}

fn reject(slot: &mut Slot, at: Timestamp, out: &mut Vec<BarEvent>) {
    slot.stage = Stage::Over;
    out.push(BarEvent::Rejected { client_id: slot.client_id, reason: BarReject::WouldCross, at });
}

/// Ends an order that had its one moment and still has something open.
fn end_immediate(slot: &mut Slot, at: Timestamp, out: &mut Vec<BarEvent>) {
    match slot.time_in_force {
        TimeInForce::Ioc => cancel(slot, BarCancel::Immediate, at, out),
        TimeInForce::Fok => cancel(slot, BarCancel::Kill, at, out),
        TimeInForce::Gtc | TimeInForce::Gtd(_) => (),
    }
}
