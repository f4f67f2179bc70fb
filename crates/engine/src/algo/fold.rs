//! What events do to one parent.

use super::parent::{
    Child, ChildEnd, ChildState, Faults, Parent, ParentState, PriceSource, RETRY_AFTER, Refused, Role, Seen, Told,
};
use super::plan::{ParentId, ParentWish, Plan};
use super::schedule::VolumeSource;
use std::collections::BTreeSet;
use tradewind_domain::{
    Bar, ClientOrderId, OrderKind, OrderRecord, OrderRequest, OrderState, Outcome, Price, Quantity, Quote, Side,
    TimeInForce, Timestamp,
};

/// How many children a parent remembers whatever became of them.
const CHILDREN_KEPT: usize = 64;
/// How long beyond that it remembers a guard that ended without a fill. A fill told still later is booked as any, and what
/// is held bounds what is guarded.
const FORGOTTEN_AFTER: i64 = 900_000_000_000;

impl Parent {
    pub(super) fn open(id: ParentId, wish: ParentWish, at: Timestamp, found: Option<(Role, &OrderRecord)>) -> Self {
        let mut parent = Self {
            id,
            wish,
            behind: None,
            decision: None,
            opened: at,
            state: ParentState::Working,
            children: Vec::new(),
            faults: Faults { not_before: at, ..Faults::default() },
            guard: Faults::default(),
            exit: Faults::default(),
            leaves_before: Vec::new(),
            forgotten: 0,
            seen: Seen::default(),
        };
        if let Some((role, record)) = found {
            parent.ask(role, record.order.client_id(), record.order.request(), at);
            parent.order(record, at, Told::Plainly);
        }
        parent
    }

    /// Notes a child that was just proposed.
    pub(super) fn ask(&mut self, role: Role, client_id: ClientOrderId, request: &OrderRequest, at: Timestamp) {
        self.children.push(Child {
            client_id,
            role,
            side: request.side,
            quantity: request.quantity,
            filled: Quantity::ZERO,
            fee_taken: Quantity::ZERO,
            state: ChildState::Asked,
            asked_at: at,
            changed_at: at,
            cancel_asked: None,
            cancels: 0,
            at_worst: false,
        });
    }

    /// Drops what can do nothing more, where there are many: slices, rungs and replacements that the gate refused, ways out
    /// that never worked, and pairs that ended long ago without a fill. So a way out may fail for as long as it takes. Gives
    /// back their names.
    pub(super) fn forget_spent(&mut self, at: Timestamp) -> Vec<ClientOrderId> {
        if self.children.len() < CHILDREN_KEPT {
            return Vec::new();
        }
        let pair = |role: Role| match role {
            Role::Target(nth) | Role::Stop(nth) => Some(nth),
            _ => None,
        };
        let lasts = |it: &&Child| {
            let is_over = matches!(it.state, ChildState::Over(_));
            !is_over || !it.filled.is_zero() || at.since(it.changed_at) < FORGOTTEN_AFTER
        };
        let lasting: BTreeSet<u32> = self.children.iter().filter(lasts).filter_map(|it| pair(it.role)).collect();
        let is_schedule = matches!(self.wish.plan, Plan::Schedule(_));
        let is_spent = |it: &Child| {
            // names are made of the moment: one that is free again within it would be another order's
            let has_rested = at.since(it.changed_at) >= RETRY_AFTER;
            let never_worked = matches!(it.state, ChildState::Over(end) if end.never_worked());
            let is_refused = it.state == ChildState::Over(ChildEnd::Refused);
            has_rested
                && match it.role {
                    Role::Target(nth) | Role::Stop(nth) => !lasting.contains(&nth),
                    Role::Exit | Role::Excess => never_worked,
                    // a schedule asks for each of its slices once
                    Role::Slice(_) => is_refused && !is_schedule,
                    Role::Rung(_) | Role::Replacement => is_refused,
                    Role::Awake | Role::Replaced | Role::Entry => false,
                }
        };
        let gone: Vec<_> = self.children.iter().filter(|it| is_spent(it)).map(|it| it.client_id).collect();
        self.children.retain(|it| !is_spent(it));
        self.forgotten = self.forgotten.saturating_add(u32::try_from(gone.len()).unwrap_or(u32::MAX));
        gone
    }

    pub(super) fn child_mut(&mut self, client_id: ClientOrderId) -> Option<&mut Child> {
        self.children.iter_mut().rev().find(|child| child.client_id == client_id)
    }

    /// The gate refused what was asked last, whether one child or two. What only came too soon after other orders has not
    /// failed where nothing depends on its moment: it waits a second.
    pub(super) fn refused(&mut self, why: &str, how: Refused, at: Timestamp) {
        let mut failed = None;
        for child in self.children.iter_mut().filter(|child| child.state == ChildState::Asked) {
            (child.state, child.changed_at, failed) = (ChildState::Over(ChildEnd::Refused), at, Some(child.role));
        }
        let Some(role) = failed.filter(|role| !self.is_alone(*role)) else { return };
        let waits = matches!(role, Role::Slice(_) | Role::Rung(_) | Role::Replacement);
        match how {
            Refused::TooSoon if waits => self.faults_of(role).paced(why, at),
            Refused::ForGood => self.faults_of(role).failed(why, true, at),
            Refused::ForNow | Refused::TooSoon => self.faults_of(role).failed(why, false, at),
        }
    }

    /// Where it is noted what goes wrong with orders of this role: what enters says nothing of what guards, nor does a way
    /// out that was refused of the pair that could stand instead.
    fn faults_of(&mut self, role: Role) -> &mut Faults {
        match role {
            Role::Exit => &mut self.exit,
            _ if role.protects() && self.wish.protection().is_some() => &mut self.guard,
            _ => &mut self.faults,
        }
    }

    /// Takes over what is known of an order of this parent.
    pub(super) fn order(&mut self, record: &OrderRecord, at: Timestamp, told: Told) {
        let immediate = matches!(record.order.terms().time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let state = state_of(record.state);
        let Some(child) = self.child_mut(record.order.client_id()) else { return };
        let (grew, moved) = (record.filled > child.filled, state != child.state);
        let was_asked = child.state == ChildState::Asked;
        child.filled = record.filled;
        if moved || grew {
            (child.state, child.changed_at) = (state, at);
        }
        let expected =
            child.cancel_asked.is_some() || immediate || !record.filled.is_zero() || child.role == Role::Replaced;
        child.at_worst = record.order.worst().is_some() && state == ChildState::Over(ChildEnd::Cancelled);
        let (role, at_worst) = (child.role, child.at_worst && moved);
        if was_asked {
            self.faults_of(role).too_soon = 0; // it went out
        }
        if at_worst && role != Role::Entry {
            let faults = self.faults_of(role);
            faults.not_before = faults.not_before.max(at.plus_nanos(RETRY_AFTER)); // another price by then
        }
        if grew && role != Role::Entry {
            self.faults_of(role).forgive(); // what enters says nothing of what guards
        }
        if grew && role == Role::Exit {
            self.faults_of(Role::Excess).forgive(); // what did not guard it has nothing to guard any more, or a new try
        }
        if record.state == OrderState::Working {
            self.stands(record.order.client_id());
        }
        match state {
            _ if self.is_alone(role) => (), // the way out failed, and is what is tried again
            ChildState::Over(end)
                if moved && end.never_worked() && told != Told::Restarted && !self.has_failed_half(role) =>
            {
                let rejected = end == ChildEnd::Rejected;
                let why = if rejected { "the venue rejected it" } else { "it was not sent" };
                self.faults_of(role).failed(why, rejected, at);
            }
            ChildState::Over(ChildEnd::Cancelled) if moved && !expected && !self.has_living_half(role) => {
                let (why, unwanted) = match told {
                    Told::Absent => ("it never came to the venue", false),
                    Told::Plainly | Told::Restarted => ("it was taken off the book, and not by us", true),
                };
                self.faults_of(role).failed(why, unwanted, at);
            }
            _ => (),
        }
    }

    /// A child stands at the venue: if it is the newest guard, those before it may have failed, and so may ways out that
    /// nobody wants any more. A stop that only stands in changes nothing of that.
    fn stands(&mut self, client_id: ClientOrderId) {
        let newest = || self.children.iter().rfind(|child| child.role.protects());
        if self.guard.failures == 0 && self.exit.failures == 0
            || newest().is_none_or(|child| child.client_id != client_id || self.stands_in(child))
        {
            return;
        }
        self.guard.forgive();
        if self.owed().is_none_or(Quantity::is_zero) {
            self.exit.forgive();
        }
    }

    /// Whether this is a stop that only stands in while the way out is refused.
    fn is_alone(&self, role: Role) -> bool {
        self.children.iter().any(|child| child.role == role && self.stands_in(child))
    }

    /// Whether the other order of a pair still stands or has filled: then this one's end is the pair's own doing.
    fn has_living_half(&self, role: Role) -> bool {
        self.other_half(role).is_some_and(|child| child.is_open() || !child.filled.is_zero())
    }

    /// Whether the other order of a pair never worked either: a pair is one request, and fails once.
    fn has_failed_half(&self, role: Role) -> bool {
        self.other_half(role).is_some_and(|child| matches!(child.state, ChildState::Over(end) if end.never_worked()))
    }

    fn other_half(&self, role: Role) -> Option<&Child> {
        let other = match role {
            Role::Target(nth) => Role::Stop(nth),
            Role::Stop(nth) => Role::Target(nth),
            _ => return None,
        };
        self.children.iter().find(|child| child.role == other)
    }

    /// A new process knows that what was asked without a verdict was never sent. Where that was to stand in for a way out,
    /// this is tried again at once instead.
    pub(super) fn restarted(&mut self, at: Timestamp) {
        let asked = self.children.iter().rfind(|child| child.state == ChildState::Asked).map(|child| child.role);
        if asked.is_some_and(|role| self.is_alone(role)) {
            self.exit.not_before = self.exit.not_before.min(at.plus_nanos(RETRY_AFTER));
        }
        for child in self.children.iter_mut().filter(|child| child.state == ChildState::Asked) {
            (child.state, child.changed_at) = (ChildState::Over(ChildEnd::NotSent), at);
        }
    }

    /// Whether this parent waits for a price and listens to `source`.
    fn listens(&mut self, source: PriceSource) -> bool {
        if self.seen.woke || self.wish.plan != Plan::Wait || source < self.seen.price_source {
            return false;
        }
        self.seen.price_source = source;
        true
    }

    fn on_price(&mut self, price: Price) {
        let (kind, side) = (self.wish.request.kind, self.wish.request.side);
        self.seen.woke = match kind {
            OrderKind::Trailing { offset, activation } => self.seen.trail.on_price(side, offset, activation, price),
            _ => kind.trigger().is_some_and(|at| if kind.wakes_on_rise(side) { price >= at } else { price <= at }),
        };
    }

    pub(super) fn on_bar(&mut self, bar: &Bar) {
        self.note_volume(VolumeSource::Bars(bar.interval), bar.volume, bar.open_time);
        if !self.listens(PriceSource::Bars) {
            return;
        }
        let (kind, side) = (self.wish.request.kind, self.wish.request.side);
        if bar.open_time < self.opened {
            return self.on_price(bar.close); // its inside may have come before the wish
        }
        match kind {
            OrderKind::Trailing { offset, activation } => {
                let path = [bar.open, bar.high, bar.low, bar.close];
                self.seen.woke = self.seen.trail.on_bar(side, offset, activation, path);
            }
            _ => self.on_price(if kind.wakes_on_rise(side) { bar.high } else { bar.low }),
        }
    }

    pub(super) fn on_quote(&mut self, quote: &Quote) {
        if self.listens(PriceSource::Quotes) {
            self.on_price(if self.wish.request.side == Side::Sell { quote.bid } else { quote.ask });
        }
    }

    pub(super) fn on_trade(&mut self, price: Price, quantity: Quantity, at: Timestamp) {
        self.note_volume(VolumeSource::Trades, quantity, at);
        if self.listens(PriceSource::Trades) {
            self.on_price(price);
        }
    }

    fn note_volume(&mut self, source: VolumeSource, volume: Quantity, from: Timestamp) {
        if !matches!(self.wish.plan, Plan::Participate(_)) || from < self.opened {
            return;
        }
        if *self.seen.volume_source.get_or_insert(source) == source {
            let sum = self.seen.volume.mantissa().saturating_add(volume.mantissa());
            self.seen.volume = Quantity::from_mantissa(sum);
        }
    }
}

const fn state_of(state: OrderState) -> ChildState {
    match state {
        OrderState::Closed { outcome } => ChildState::Over(match outcome {
            Outcome::Filled => ChildEnd::Filled,
            Outcome::Cancelled | Outcome::Expired => ChildEnd::Cancelled,
            Outcome::Rejected => ChildEnd::Rejected,
            Outcome::NotSent => ChildEnd::NotSent,
        }),
        OrderState::Unknown { .. } => ChildState::Open { unknown: true },
        OrderState::Intended
        | OrderState::InFlight { .. }
        | OrderState::Working
        | OrderState::PendingCancel
        | OrderState::PendingReplace => ChildState::Open { unknown: false },
    }
}
