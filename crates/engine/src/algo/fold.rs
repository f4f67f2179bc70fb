//! What events do to one parent.

use super::parent::{
    Child, ChildEnd, ChildState, Parent, ParentState, PriceSource, RETRY_AFTER, RETRY_DOUBLINGS, Role, Seen,
};
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
            failures: 0,
            fault: None,
            unwanted: false,
            not_before: at,
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
    pub(super) fn refused(&mut self, why: &str, at: Timestamp) {
        let mut failed = false;
        for child in self.children.iter_mut().filter(|child| child.state == ChildState::Asked) {
            (child.state, child.changed_at, failed) = (ChildState::Over(ChildEnd::Refused), at, true);
        }
        if failed {
            self.failed(why, true, at);
        }
    }

    fn failed(&mut self, why: &str, unwanted: bool, at: Timestamp) {
        self.not_before = at.plus_nanos(RETRY_AFTER << self.failures.min(RETRY_DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        self.fault = Some(why.to_owned());
        self.unwanted |= unwanted;
    }

    /// Nothing is held against it any more.
    pub(super) fn forgive(&mut self) {
        (self.failures, self.fault, self.unwanted) = (0, None, false);
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
            self.not_before = self.not_before.max(at.plus_nanos(RETRY_AFTER)); // another price by then
        }
        if grew && role != Role::Entry {
            self.forgive(); // what enters says nothing of what guards
        }
        match state {
            ChildState::Over(end) if moved && end.never_worked() && !restarted && !self.has_failed_half(role) => {
                let rejected = end == ChildEnd::Rejected;
                self.failed(if rejected { "the venue rejected it" } else { "it was not sent" }, rejected, at);
            }
            ChildState::Over(ChildEnd::Cancelled) if moved && !expected && !self.has_living_half(role) => {
                self.failed("it was taken off the book, and not by us", true, at);
            }
            _ => (),
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
