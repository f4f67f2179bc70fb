//! Orders that depend on a price or on another order: waiting ones, brackets, replacements.
//!
//! # Brackets
//! The entry is an order like any other. Whatever fills of it is protected by a pair, a target and a stop of which one
//! cancels the other, for as much as can be sold of it (a fee taken from the bought asset is not). Later fills get
//! pairs of their own, at most one a second and [`PAIRS_MAX`] at a time; then the smallest is taken back for one that
//! stands for more. When part of a target has filled, and its stop is gone with that, the rest of
//! the target is taken back and a new pair stands for what is left. Where the market is past target or stop already the
//! position is left at once, and so it is where gate or venue would not take the pair; a pair that was not sent is tried
//! again, and so is one that is proven to have never come to the venue. While such a way out is refused the stop stands
//! alone, unless the market is past it. A bracket never gives up while it holds something, and its entry is cancelled as soon as a guard has failed or
//! its outcome is unknown.
//!
//! If target and stop both fill in one instant they may sell more than was bought. That is never hidden: where the
//! portfolio now stands on the other side, the excess is brought back by an order that only reduces; where it holds
//! more of the instrument for other reasons, the parent pauses and says by how much.
//!
//! A bracket may also be put around an order that went to the venue before it, because its proposal said where the trade
//! ends. It then never guards more than the portfolio still holds: what another order closes is taken out of its pairs.
//! Whoever wants to close what it guards asks it to: it takes its pair back, closes so much at once, and guards the rest.
//!
//! # Replacements
//! The old order is cancelled, and nothing is proposed until it can no longer fill; then the new one is proposed for the
//! new total less what the old one filled. So the two together never come to more than the larger of both totals,
//! whichever way a fill races the cancel, and the new order is judged by the gate as the only one.

use crate::State;
use crate::algo::{
    BURST, Child, ChildState, Due, Faults, Look, Parent, ParentEnd, ParentState, Plan, Protection, Role,
};
use std::collections::BTreeMap;
use tradewind_domain::{
    ClientOrderId, Instrument, OrderKind, OrderRecord, OrderRequest, PortfolioId, Price, Quantity, Sequence, Side,
    TimeInForce, Timestamp,
};

/// How many pairs protect one entry at a time: venues bound the stops of an account (Binance spot: 5 a symbol).
pub(crate) const PAIRS_MAX: usize = 4;

/// A waiting order: nothing until its price was met, then what it stands for.
pub(crate) fn wait(parent: &Parent, look: &Look<'_>) -> Option<Due> {
    let request = &parent.wish.request;
    let sent = parent.children.iter().any(|child| !matches!(child.state, ChildState::Over(end) if end.never_worked()));
    if sent {
        return parent.is_quiet().then(|| again(parent, look).unwrap_or_else(|| parent.finish(look)));
    }
    if parent.is_past_its_date(look.now) {
        return Some(parent.end(ParentEnd::Expired, "its time was up"));
    }
    if !parent.seen.woke {
        return None;
    }
    Some(Due::One(Role::Awake, awake(request, request.quantity)))
}

/// What a waiting order stands for.
fn awake(request: &OrderRequest, quantity: Quantity) -> OrderRequest {
    let kind = request.kind.awake();
    let time_in_force = match (kind, request.time_in_force) {
        (OrderKind::Market, TimeInForce::Gtd(_)) => TimeInForce::Gtc,
        (_, given) => given,
    };
    OrderRequest { kind, time_in_force, quantity, ..*request }
}

/// What a waiting order that closes a position asks for again: what its last order did not find at its worst price.
fn again(parent: &Parent, look: &Look<'_>) -> Option<Due> {
    let worked = |child: &&Child| !matches!(child.state, ChildState::Over(end) if end.never_worked());
    parent.children.iter().rfind(worked).filter(|child| child.at_worst)?;
    let held = look.position.mantissa().saturating_mul(-parent.wish.request.side.sign());
    let left = (parent.wish.request.quantity - parent.filled()).min(Quantity::from_mantissa(held));
    let quantity = look.instrument.whole_lots(left);
    (!look.is_dust(quantity)).then(|| Due::One(Role::Awake, awake(&parent.wish.request, quantity)))
}

/// Cancels the old order; once it can no longer fill, proposes the new one for what is left.
pub(crate) fn replace(parent: &Parent, look: &Look<'_>) -> Option<Due> {
    let old = parent.children.iter().find(|child| child.role == Role::Replaced)?;
    if old.is_open() {
        return old.cancel(look.now);
    }
    if !parent.is_quiet() {
        return None;
    }
    let stands = |child: &&Child| child.role == Role::Replacement;
    let worked = |child: &Child| !matches!(child.state, ChildState::Over(end) if end.never_worked());
    let left = parent.wish.request.quantity - old.filled;
    if parent.children.iter().filter(stands).any(worked) || look.is_dust(left) {
        return Some(parent.finish(look));
    }
    Some(parent.slice(Role::Replacement, left))
}

/// What the children of a parent that guards what it enters come to.
#[derive(Default)]
pub(crate) struct Tally {
    /// What was entered and can be left again.
    pub(crate) entered: Quantity,
    /// What was left again, less what was brought back.
    pub(crate) left: Quantity,
    /// What the portfolio holds on the side of what was entered.
    held: Quantity,
    /// What exits may still do, of a pair the larger leg.
    pub(crate) leaving: Quantity,
    /// Pairs that stand, by their number: what the larger leg may still do.
    pub(crate) pairs: BTreeMap<u32, Quantity>,
    /// What of that is of orders that the fill of the other has ended at the venue, told or not.
    undone: Quantity,
    /// The number of the next pair.
    pub(crate) next: u32,
    /// When the newest pair was proposed.
    pub(crate) newest: Option<Timestamp>,
}

impl Tally {
    pub(crate) fn of(parent: &Parent, look: &Look<'_>) -> Self {
        let held = Quantity::from_mantissa(look.position.mantissa().saturating_mul(parent.wish.request.side.sign()));
        let mut tally = Self { held, ..Self::default() };
        for child in &parent.children {
            let rest = child.possible() - child.filled;
            match child.role {
                Role::Entry | Role::Slice(_) | Role::Rung(_) => tally.entered += child.filled - child.fee_taken,
                Role::Target(nth) | Role::Stop(nth) => {
                    tally.left += child.filled;
                    tally.next = tally.next.max(nth + 1);
                    tally.newest = tally.newest.max(Some(child.asked_at));
                    if !rest.is_zero() {
                        let larger = tally.pairs.entry(nth).or_default();
                        *larger = rest.max(*larger);
                    }
                    let other = parent.rest_of_filled(nth).filter(|_| child.filled.is_zero());
                    tally.undone += other.map_or(Quantity::ZERO, |other| (rest - other).max(Quantity::ZERO));
                }
                Role::Exit => (tally.left, tally.leaving) = (tally.left + child.filled, tally.leaving + rest),
                Role::Excess => tally.left = tally.left - child.filled - rest,
                Role::Awake | Role::Replaced | Role::Replacement => (),
            }
        }
        tally.leaving = tally.pairs.values().fold(tally.leaving, |sum, rest| sum + *rest);
        tally
    }

    /// What was entered and nothing is about to leave.
    pub(crate) fn bare(&self) -> Quantity {
        self.entered - self.left - self.leaving
    }

    /// What of that is to be guarded: no more than is held, and nothing that another hand may close.
    pub(crate) fn uncovered(&self, look: &Look<'_>) -> Quantity {
        self.bare().min(look.room.unwrap_or(self.held) - look.others - self.leaving)
    }

    /// Whether others have closed what a pair was for.
    pub(crate) fn is_beyond_room(&self, look: &Look<'_>) -> bool {
        look.room.is_some_and(|room| !look.is_dust(self.leaving - self.undone - room.max(Quantity::ZERO)))
    }

    /// What came of it, in words.
    pub(crate) fn text(&self, look: &Look<'_>) -> String {
        let text = |quantity| look.instrument.quantity_text(quantity);
        let rest = self.entered - self.left;
        if rest.is_zero() {
            format!("{} entered and left", text(self.entered))
        } else {
            format!("{} entered, {} left again", text(self.entered), text(self.left))
        }
    }
}

/// Enters, protects what filled, leaves, and says so when both ways out were taken.
pub(crate) fn bracket(parent: &Parent, look: &Look<'_>, protection: &Protection) -> Option<Due> {
    let entry = parent.children.iter().rev().find(|child| child.role == Role::Entry);
    let Some(entry) = entry else {
        let request = parent.wish.request;
        return Some(Due::One(Role::Entry, request));
    };
    let tally = Tally::of(parent, look);
    let (bare, uncovered) = (tally.bare(), tally.uncovered(look));
    let ended = excess(parent, look, &tally).or_else(|| lone_target(parent, look));
    if let Some(due) = ended.or_else(|| end_stand_in(parent, look)) {
        return Some(due);
    }
    if tally.is_beyond_room(look) {
        return take_back(parent, look);
    }
    if parent.seen.closing
        && let Some(due) = hold_back(parent, look)
    {
        return Some(due); // first what would fill more of it, with nothing to guard that
    }
    if let Some(owed) = owing(parent, look) {
        return leave(parent, look, owed);
    }
    if parent.is_badly_guarded(look, uncovered)
        && let Some(due) = hold_back(parent, look)
    {
        return Some(due);
    }
    if !look.is_dust(uncovered) {
        return protect(parent, look, protection, &tally, uncovered, entry.is_open());
    }
    let held = Quantity::from_mantissa(look.position.mantissa() * parent.wish.request.side.sign());
    if (look.room.is_some() || !look.others.is_zero()) && !look.is_dust(bare) && !look.is_dust(held) {
        return None; // another order is about to close it, and may yet not
    }
    let done = !entry.may_fill() && parent.is_quiet();
    done.then(|| match entry.state {
        ChildState::Over(end) if end.never_worked() => {
            let reason = parent.faults.fault.clone().unwrap_or_else(|| "its entry never worked".to_owned());
            Due::Move(ParentState::Over { end: ParentEnd::Failed, reason })
        }
        _ if entry.filled.is_zero() => {
            let reason = "its entry ended without a fill".to_owned();
            Due::Move(ParentState::Over { end: ParentEnd::Cancelled, reason })
        }
        _ => Due::Move(ParentState::Over { end: ParentEnd::Finished, reason: tally.text(look) }),
    })
}

/// Cancels what still enters, of a parent that guards it.
pub(crate) fn hold_back(parent: &Parent, look: &Look<'_>) -> Option<Due> {
    parent.children.iter().filter(|child| parent.enters(child)).find_map(|child| child.cancel(look.now))
}

/// Cancels what stands of the pairs.
pub(crate) fn take_back(parent: &Parent, look: &Look<'_>) -> Option<Due> {
    let of_pair = |child: &&Child| matches!(child.role, Role::Target(_) | Role::Stop(_));
    parent.children.iter().filter(of_pair).find_map(|child| child.cancel(look.now))
}

/// What it was asked to close and has to: nothing where others have closed the position already, and none for a while where
/// the way out was refused, or not sent twice, so that a pair stands until it is tried again.
pub(crate) fn owing(parent: &Parent, look: &Look<'_>) -> Option<Quantity> {
    let held = Quantity::from_mantissa(look.position.mantissa().saturating_mul(parent.wish.request.side.sign()));
    let owed = parent.owed().filter(|owed| !look.is_dust(*owed) && !look.is_dust(held))?;
    let guards_meanwhile = parent.exit.lasts() && look.now < parent.exit.not_before;
    (!guards_meanwhile).then_some(owed)
}

/// Takes the pairs back, and closes `owed` once none of them can fill any more; while nothing can be proposed, or others
/// and exits on their way may close all of it, the pairs stand.
pub(crate) fn leave(parent: &Parent, look: &Look<'_>, owed: Quantity) -> Option<Due> {
    if !look.may_guard || look.now < parent.exit.not_before {
        return None;
    }
    let leaving = parent.exiting() - parent.exited();
    let free = look.room.map_or(owed, |room| owed.min(room - look.others - leaving));
    let quantity = look.instrument.whole_lots(free);
    if look.is_dust(quantity) {
        return None;
    }
    let guards = |child: &Child| matches!(child.role, Role::Target(_) | Role::Stop(_)) && child.may_fill();
    if parent.children.iter().any(guards) {
        return take_back(parent, look);
    }
    Some(way_out(parent, look, quantity))
}

/// Leaves at the market what nothing guards, unless the last way out failed a moment ago.
pub(crate) fn leave_bare(parent: &Parent, look: &Look<'_>, uncovered: Quantity) -> Option<Due> {
    (look.now >= parent.exit.not_before).then(|| way_out(parent, look, look.instrument.whole_lots(uncovered)))
}

/// The stop alone for what is uncovered, where the way out is refused for longer than a moment and no pair would do: the
/// market is past the target, or the pair is not wanted. Between two ways out one that ended, and was not taken back to
/// stand for less, is not tried again.
pub(crate) fn stand_in(
    parent: &Parent,
    look: &Look<'_>,
    protection: &Protection,
    tally: &Tally,
    uncovered: Quantity,
) -> Option<Due> {
    let is_valid = protection.target.is_some() && passed(parent, look, protection) != Some(Passed::Stop);
    let newest = parent.children.iter().rfind(|it| it.role == Role::Exit || parent.stands_in(it));
    let is_over = |it: &Child| it.cancel_asked.is_none() && matches!(it.state, ChildState::Over(_));
    let ended = newest.is_some_and(|it| it.role != Role::Exit && is_over(it));
    if !parent.exit.lasts() || !is_valid || ended || tally.pairs.len() >= PAIRS_MAX {
        return None;
    }
    pair(parent, look, &Protection { target: None, ..*protection }, tally.next, uncovered)
}

/// Takes a stop back that stood in while the way out was refused, now that this is tried again.
pub(crate) fn end_stand_in(parent: &Parent, look: &Look<'_>) -> Option<Due> {
    let is_due = look.now >= parent.exit.not_before && look.may_guard;
    let mut standing = parent.children.iter().filter(|child| is_due && child.is_open() && parent.stands_in(child));
    standing.find_map(|child| child.cancel(look.now))
}

/// Leaves so much at the market.
fn way_out(parent: &Parent, look: &Look<'_>, quantity: Quantity) -> Due {
    let side = parent.wish.request.side.opposite();
    let exit = OrderRequest { reduce_only: true, ..OrderRequest::market(look.instrument.id, side, quantity) };
    Due::One(Role::Exit, exit)
}

/// Cancels a target whose stop is gone: it protects against nothing. Where neither has filled the venue has taken the pair
/// off, and says so of the target in the same moment.
pub(crate) fn lone_target(parent: &Parent, look: &Look<'_>) -> Option<Due> {
    let is_done = |nth, stop: &Child| parent.rest_of_filled(nth).is_some() || look.now.since(stop.changed_at) >= BURST;
    parent.children.iter().filter(|child| child.is_open()).find_map(|child| {
        let Role::Target(nth) = child.role else { return None };
        let stop = parent.children.iter().find(|other| other.role == Role::Stop(nth))?;
        if !stop.may_fill() && is_done(nth, stop) { child.cancel(look.now) } else { None }
    })
}

/// What brings back what target and stop left too much between them.
pub(crate) fn excess(parent: &Parent, look: &Look<'_>, tally: &Tally) -> Option<Due> {
    let too_much = tally.left - tally.entered;
    let entry_side = parent.wish.request.side;
    let is_settled = parent.is_quiet();
    if look.is_dust(too_much) || !is_settled {
        return None;
    }
    let against = -entry_side.sign() * look.position.mantissa();
    let quantity = look.instrument.whole_lots(too_much.min(Quantity::from_mantissa(against.max(0))));
    if look.is_dust(quantity) {
        let text = look.instrument.quantity_text(too_much);
        let reason = format!("target and stop both filled: {text} more was left than was entered");
        return Some(Due::Move(ParentState::Paused { reason }));
    }
    let back = OrderRequest { reduce_only: true, ..OrderRequest::market(look.instrument.id, entry_side, quantity) };
    Some(Due::One(Role::Excess, back))
}

/// What guards what is uncovered, or the way out at once.
fn protect(
    parent: &Parent,
    look: &Look<'_>,
    protection: &Protection,
    tally: &Tally,
    uncovered: Quantity,
    entry_open: bool,
) -> Option<Due> {
    let just_now = tally.newest.is_some_and(|newest| look.now.since(newest) < BURST);
    if entry_open && just_now {
        return None;
    }
    // what the venue would not take as protection is no reason to stand without any
    if parent.faults.unwanted || passed(parent, look, protection).is_some() {
        let alone = || stand_in(parent, look, protection, tally, uncovered);
        return leave_bare(parent, look, uncovered).or_else(alone);
    }
    if tally.pairs.len() >= PAIRS_MAX {
        return crate::keeping::make_room(parent, look, tally, uncovered);
    }
    pair(parent, look, protection, tally.next, uncovered)
}

/// The pair number `nth` for what is uncovered, or a lone target or stop where only one was asked for.
pub(crate) fn pair(
    parent: &Parent,
    look: &Look<'_>,
    protection: &Protection,
    nth: u32,
    uncovered: Quantity,
) -> Option<Due> {
    let side = parent.wish.request.side.opposite();
    let quantity = look.instrument.whole_lots(uncovered);
    let order =
        |kind| OrderRequest { kind, reduce_only: true, ..OrderRequest::market(look.instrument.id, side, quantity) };
    let stop_kind = protection.stop.map(|trigger| match protection.stop_limit {
        Some(price) => OrderKind::StopLimit { trigger, price },
        None => OrderKind::Stop { trigger },
    });
    let target_kind = protection.target.map(|price| OrderKind::Limit { price });
    let (target, stop) = (Role::Target(nth), Role::Stop(nth));
    // beside a stop the target rests, as venues have it: whoever takes liquidity with it leaves at once instead
    let resting = |one| OrderRequest { post_only: true, ..one };
    match (target_kind.map(order), stop_kind.map(order)) {
        (Some(one), Some(other)) if side == Side::Sell => Some(Due::Pair([(target, resting(one)), (stop, other)])),
        (Some(one), Some(other)) => Some(Due::Pair([(stop, other), (target, resting(one))])),
        (one, other) => {
            one.map(|one| (target, one)).or(other.map(|one| (stop, one))).map(|(role, one)| Due::One(role, one))
        }
    }
}

/// What brings a portfolio back after two orders of one group, neither of them a parent's, have both filled: an order
/// that only reduces, for as much as stands on the wrong side now.
///
/// Asked after each fill; once the position is back, or where the portfolio holds more of the instrument for other
/// reasons, there is nothing to bring back.
pub(crate) fn group_excess(state: &State, filled: ClientOrderId) -> Option<(PortfolioId, OrderRequest)> {
    let record = state.order(filled)?;
    let (order, group) = (&record.order, record.order.request().oco?);
    if state.parents.parent_of(filled).is_some() {
        return None; // its bracket sees to that
    }
    let same = |it: &&OrderRecord| it.order.portfolio() == order.portfolio() && it.order.request().oco == Some(group);
    let legs: Vec<&OrderRecord> = state.open.values().chain(&state.closed).filter(same).collect();
    let both = legs.iter().filter(|it| !it.filled.is_zero()).count() > 1;
    let wished = legs.iter().map(|it| it.order.quantity()).max()?;
    let too_much = legs.iter().fold(-wished, |sum, it| sum + it.filled);
    let position = state.portfolio(order.portfolio()).position(order.instrument()).quantity();
    let wrong = Quantity::from_mantissa(position.mantissa().saturating_mul(order.side().sign()));
    let it = &state.listing(order.instrument()).instrument;
    let quantity = it.whole_lots(too_much.min(wrong));
    let closed = legs.iter().all(|it| !it.state.is_open());
    if !both || !closed || quantity <= Quantity::ZERO || it.is_dust(quantity, None) {
        return None;
    }
    let back = OrderRequest::market(order.instrument(), order.side().opposite(), quantity);
    Some((order.portfolio(), OrderRequest { reduce_only: true, ..back }))
}

/// Which of its ends the market has passed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    Stop,
    Target,
}

/// Whether the market has passed stop or target already, by its newest price or by the side that an exit would trade at.
pub(crate) fn passed(parent: &Parent, look: &Look<'_>, protection: &Protection) -> Option<Passed> {
    let side = parent.wish.request.side.opposite();
    let (bid, ask) = look.quote.unzip();
    let prices = [look.mark, if side == Side::Sell { bid } else { ask }];
    let level = |price: Price| i128::from(price.mantissa()) * i128::from(side.sign());
    // to sell is to be past a target below the mark, or a stop above it
    let is_past = |is: &dyn Fn(i128) -> bool| prices.into_iter().flatten().any(|price| is(level(price)));
    if protection.stop.is_some_and(|stop| is_past(&|at| level(stop) <= at)) {
        return Some(Passed::Stop);
    }
    protection.target.filter(|target| is_past(&|at| level(*target) >= at)).map(|_| Passed::Target)
}

impl Parent {
    /// Whether it guards a position that must not lose its guard by being cancelled.
    #[must_use]
    pub(crate) fn protects(&self) -> bool {
        let entered =
            |child: &Child| self.enters(child) && !matches!(child.state, ChildState::Over(end) if end.never_worked());
        self.children.iter().any(entered)
    }

    /// Whether a child enters what this parent guards.
    pub(crate) fn enters(&self, child: &Child) -> bool {
        child.role == Role::Entry || self.wish.protection().is_some() && !child.role.protects()
    }

    /// Whether a guard failed lately, or a way out of what is owed or `uncovered`, or it is not known whether a guard stands.
    pub(crate) fn is_badly_guarded(&self, look: &Look<'_>, uncovered: Quantity) -> bool {
        let unknown = |child: &Child| child.role.protects() && child.state == ChildState::Open { unknown: true };
        let leaves = !look.is_dust(uncovered.max(self.owed().unwrap_or_default()));
        self.guard_faults().failures > 0 || leaves && self.exit.failures > 0 || self.children.iter().any(unknown)
    }

    /// What went wrong with what guards: of a bracket all that did.
    const fn guard_faults(&self) -> &Faults {
        if matches!(self.wish.plan, Plan::Bracket(_)) { &self.faults } else { &self.guard }
    }

    /// What it must not give up on: what a bracket holds, or what a waiting order that only reduces is to close.
    pub(crate) fn at_stake(&self, look: &Look<'_>) -> Quantity {
        let request = &self.wish.request;
        match self.wish.plan {
            Plan::Wait if request.reduce_only => {
                let held = look.position.mantissa().saturating_mul(-request.side.sign());
                Quantity::from_mantissa(held).min(request.quantity - self.filled())
            }
            _ => self.holds(),
        }
    }

    /// Why an order that was to guard a position, or to leave it, did not work, where the last one did not.
    #[must_use]
    pub fn guard_fault(&self) -> Option<&str> {
        let waits = self.wish.plan == Plan::Wait && self.wish.request.reduce_only && self.seen.woke;
        let faults = if waits { &self.faults } else { self.guard_faults() };
        let fault = faults.fault.as_deref().or(self.exit.fault.as_deref());
        fault.filter(|_| waits || !self.holds().is_zero())
    }

    /// What a bracket's exits at once have done so far.
    fn exited(&self) -> Quantity {
        self.exits().map(|child| child.filled).fold(Quantity::ZERO, |sum, it| sum + it)
    }

    /// What its exits at once have done, and may still do.
    fn exiting(&self) -> Quantity {
        self.exits().map(Child::possible).fold(Quantity::ZERO, |sum, it| sum + it)
    }

    fn exits(&self) -> impl Iterator<Item = &Child> {
        self.children.iter().filter(|child| child.role == Role::Exit)
    }

    /// How much of what it holds no exit of its own is about to close: what was entered less what was left.
    pub(crate) fn holds(&self) -> Quantity {
        self.children.iter().fold(Quantity::ZERO, |held, child| match child.role {
            Role::Target(_) | Role::Stop(_) | Role::Exit => held - child.filled,
            _ if self.enters(child) => held + child.filled - child.fee_taken,
            _ => held,
        })
    }

    /// What target or stop of a pair may still do after some of it has filled; `None` where neither has.
    fn rest_of_filled(&self, nth: u32) -> Option<Quantity> {
        let of_pair = |child: &&Child| matches!(child.role, Role::Target(n) | Role::Stop(n) if n == nth);
        let filled = self.children.iter().filter(of_pair).filter(|child| !child.filled.is_zero());
        filled.map(|child| child.possible() - child.filled).max()
    }

    /// What it was asked to leave at once and no exit of it covers yet; `None` where nothing was ever asked.
    pub(crate) fn owed(&self) -> Option<Quantity> {
        let asked = !self.seen.leave.is_zero();
        asked.then(|| (self.seen.leave - self.exiting()).min(self.unclaimed()).max(Quantity::ZERO))
    }

    /// What the pairs may still close that stand at the venue, of each the larger order.
    pub(crate) fn in_pairs(&self) -> Quantity {
        let mut pairs = BTreeMap::<u32, Quantity>::new();
        for child in self.children.iter().filter(|child| child.is_open()) {
            if let Role::Target(nth) | Role::Stop(nth) = child.role {
                let larger = pairs.entry(nth).or_default();
                *larger = (child.quantity - child.filled).max(*larger);
            }
        }
        pairs.into_values().fold(Quantity::ZERO, |sum, more| sum + more)
    }

    /// What it holds and no exit at once of its own is about to close.
    fn unclaimed(&self) -> Quantity {
        self.holds() - (self.exiting() - self.exited())
    }

    /// How much it may yet be asked to leave: what it holds, is not about to close and was not asked for.
    pub(crate) fn may_leave(&self) -> Quantity {
        self.unclaimed() - self.owed().unwrap_or_default()
    }

    /// The proposals of people's approval that it leaves for, oldest first, each with whether an exit has filled for it
    /// beyond what was asked for before.
    pub(crate) fn leaves_for(&self) -> impl Iterator<Item = (Sequence, bool)> {
        let exited = self.exited();
        let newest = self.seen.leaves_for.map(|proposal| (proposal, self.seen.leaves_after));
        let all = self.leaves_before.iter().copied().chain(newest);
        all.map(move |(proposal, after)| (proposal, exited > after))
    }

    /// Whether its exits at once have closed all that it was asked to leave.
    pub(crate) fn has_left(&self) -> bool {
        !self.seen.leave.is_zero() && self.exited() >= self.seen.leave
    }

    /// Whether a child is a stop without the target that its plan has: it stands in while a way out is refused.
    pub(crate) fn stands_in(&self, child: &Child) -> bool {
        let Role::Stop(nth) = child.role else { return false };
        let protection = match &self.wish.plan {
            Plan::Bracket(protection) => Some(*protection),
            _ => self.wish.protection(),
        };
        let has_target = protection.is_some_and(|it| it.target.is_some());
        has_target && !self.children.iter().any(|other| other.role == Role::Target(nth))
    }

    /// Whether it takes its protection back for an exit by another order.
    pub(crate) fn makes_way(&self) -> bool {
        match self.state {
            ParentState::Working => self.wish.keeps(),
            ParentState::Paused { .. } | ParentState::Guarding { .. } => self.wish.protection().is_some(),
            ParentState::Ending { .. } | ParentState::Over { .. } => false,
        }
    }

    /// Whether an order is one of the two that protect what an order with a plan filled: they make way for an exit.
    #[must_use]
    pub fn is_guard(&self, client_id: ClientOrderId) -> bool {
        let guards =
            |child: &Child| child.client_id == client_id && matches!(child.role, Role::Target(_) | Role::Stop(_));
        self.wish.keeps() && self.children.iter().any(guards)
    }

    /// Notes that so much more is to be left at once, in whole lots of `instrument` and at most all; all of it ends the entry
    /// as well. `proposal` is what people have approved, where it is the whole of one.
    pub(crate) fn leave(&mut self, quantity: Quantity, proposal: Option<Sequence>, instrument: &Instrument) {
        let exited = self.exited();
        let before = self.seen.leave.max(exited);
        if quantity > Quantity::ZERO {
            // of what fees have left of a lot nothing can be sold: all is what can
            let all = instrument.whole_lots(exited + self.holds());
            self.seen.leave = instrument.whole_lots(before + quantity).min(all);
            self.seen.closing |= self.seen.leave >= all;
        }
        if proposal.is_some() {
            let earlier = std::mem::replace(&mut self.seen.leaves_for, proposal);
            self.leaves_before.extend(earlier.map(|earlier| (earlier, self.seen.leaves_after)));
            self.seen.leaves_after = before;
        }
    }
}
