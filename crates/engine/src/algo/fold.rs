//! What events do to one parent.

use super::parent::{Child, ChildEnd, ChildState, Faults, Parent, ParentState, PriceSource, RETRY_AFTER, Role, Seen};
use super::plan::{ParentId, ParentWish, Plan};
use super::schedule::VolumeSource;
use tradewind_domain::{
    Bar, ClientOrderId, OrderKind, OrderRecord, OrderRequest, OrderState, Outcome, Price, Quantity, Quote, Side,
    TimeInForce, Timestamp,
};

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
            seen: Seen::default(),
        };
        if let Some((role, record)) = found {
            parent.ask(role, record.order.client_id(), record.order.request(), at);
            parent.order(record, at, false);
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

    pub(super) fn child_mut(&mut self, client_id: ClientOrderId) -> Option<&mut Child> {
        self.children.iter_mut().rev().find(|child| child.client_id == client_id)
    }

    /// The gate refused what was asked last, whether one child or two.
    pub(super) fn refused(&mut self, why: &str, unwanted: bool, at: Timestamp) {
        let mut failed = None;
        for child in self.children.iter_mut().filter(|child| child.state == ChildState::Asked) {
            (child.state, child.changed_at, failed) = (ChildState::Over(ChildEnd::Refused), at, Some(child.role));
        }
        if let Some(role) = failed {
            self.faults_of(role).failed(why, unwanted, at);
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

    /// Takes over what is known of an order of this parent. `restarted` says that a new process just doubted it.
    pub(super) fn order(&mut self, record: &OrderRecord, at: Timestamp, restarted: bool) {
        let immediate = matches!(record.order.terms().time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let state = state_of(record.state);
        let Some(child) = self.child_mut(record.order.client_id()) else { return };
        let (grew, moved) = (record.filled > child.filled, state != child.state);
        child.filled = record.filled;
        if moved || grew {
            (child.state, child.changed_at) = (state, at);
        }
        let expected =
            child.cancel_asked.is_some() || immediate || !record.filled.is_zero() || child.role == Role::Replaced;
        child.at_worst = record.order.worst().is_some() && state == ChildState::Over(ChildEnd::Cancelled);
        let (role, at_worst) = (child.role, child.at_worst && moved);
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
            self.stands(record.order.client_id(), at);
        }
        match state {
            ChildState::Over(end) if moved && end.never_worked() && !restarted && !self.has_failed_half(role) => {
                let rejected = end == ChildEnd::Rejected;
                let why = if rejected { "the venue rejected it" } else { "it was not sent" };
                self.faults_of(role).failed(why, rejected, at);
            }
            ChildState::Over(ChildEnd::Cancelled) if moved && !expected && !self.has_living_half(role) => {
                self.faults_of(role).failed("it was taken off the book, and not by us", true, at);
            }
            _ => (),
        }
    }

    /// A child stands at the venue: if it is the newest guard, those before it may have failed, and so may ways out that
    /// nobody wants any more.
    fn stands(&mut self, client_id: ClientOrderId, at: Timestamp) {
        let newest = || self.children.iter().rfind(|child| child.role.protects());
        if self.guard.failures == 0 && self.exit.failures == 0
            || newest().is_none_or(|child| child.client_id != client_id)
        {
            return;
        }
        self.guard.forgive();
        if self.owed(at).is_none_or(Quantity::is_zero) {
            self.exit.forgive();
        }
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

    /// A new process knows that what was asked without a verdict was never sent.
    pub(super) fn restarted(&mut self, at: Timestamp) {
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
