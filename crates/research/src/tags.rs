//! Why a trade was entered and why it was left, each in one word.

use std::borrow::Cow;
use std::collections::BTreeMap;
use tradewind_domain::{ClientOrderId, Order, OrderKind, Source};
use tradewind_engine::State;
use tradewind_engine::algo::{Ask, ParentEvent, ParentId, Role};
use tradewind_strategies::Opinion;

/// The words under which reports gather the trades that an order enters or leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Of a trade that it enters: what its strategy said, or who else wished for it.
    pub entry: Cow<'static, str>,
    /// Of a trade that it leaves: [`Self::STOP`] or [`Self::TARGET`] for an order that waited for that price, the word of
    /// who wished to leave for one that made protection give way, else as the entry.
    pub exit: Cow<'static, str>,
}

impl Tags {
    /// The market went against the trade as far as it was to go.
    pub const STOP: &'static str = "stop";
    /// The market went with the trade as far as it was hoped to go.
    pub const TARGET: &'static str = "target";
    /// The market was past stop or target already when they were placed, or both of them filled.
    pub const PROTECTION: &'static str = "protection";
    /// One order closed the trade and opened its opposite.
    pub const REVERSAL: &'static str = "reversal";
    /// Its contract ended and was settled.
    pub const EXPIRY: &'static str = "expiry";
    /// Nothing closed it: it is valued at the last close.
    pub const END_OF_DATA: &'static str = "end-of-data";

    /// The tags of an execution whose order nobody here knows.
    pub(crate) const ELSEWHERE: Self = Self { entry: Cow::Borrowed("elsewhere"), exit: Cow::Borrowed("elsewhere") };

    /// The tags of `order`, known to `state`; `said` is the tag of the decision that it follows, `left` tells who made a
    /// bracket give way.
    pub(crate) fn of(
        state: &State,
        order: &Order,
        said: Option<Word>,
        left: impl Fn(ParentId) -> Option<Word>,
    ) -> Self {
        let entry = said.unwrap_or_else(|| order.source().map_or("elsewhere", word_of).into());
        let exit = protection(state, order, left).unwrap_or_else(|| entry.clone());
        Self { entry, exit }
    }
}

/// A tag: that of a program is fixed, that of a journal is read.
pub(crate) type Word = Cow<'static, str>;

/// The tag of what was said without one.
pub(crate) const fn word_of(source: Source) -> &'static str {
    match source {
        Source::Strategy(_) => Opinion::SIGNAL,
        Source::Operator => "manual",
        Source::Agent(_) => "agent",
        Source::Host | Source::Timer | Source::Market | Source::Venue => "engine",
    }
}

/// The word for an order that waits for a price at which a trade ends, or takes the place of one.
fn protection(state: &State, order: &Order, left: impl Fn(ParentId) -> Option<Word>) -> Option<Word> {
    let request = order.request();
    let waits = || by_kind(order.kind(), request.oco.is_some()).map(Cow::Borrowed);
    if state.parents.is_unused() {
        return waits();
    }
    let Some(parent) = state.parents.parent_of(order.client_id()) else { return waits() };
    match parent.children.iter().find(|child| child.client_id == order.client_id())?.role {
        Role::Stop(_) => Some(Tags::STOP.into()),
        Role::Target(_) => Some(Tags::TARGET.into()),
        Role::Exit => left(parent.id).or(Some(Tags::PROTECTION.into())),
        Role::Excess => Some(Tags::PROTECTION.into()),
        Role::Awake => by_kind(&parent.wish.request.kind, false).map(Cow::Borrowed),
        Role::Slice(_) | Role::Rung(_) | Role::Replaced | Role::Replacement | Role::Entry => waits(),
    }
}

/// Whose bracket gives way for an exit, if that is what `said` says.
pub(crate) fn gives_way(said: &ParentEvent) -> Option<ParentId> {
    match said {
        ParentEvent::Asked { parent, ask: Ask::Leave { .. }, .. } => Some(*parent),
        _ => None,
    }
}

const fn by_kind(kind: &OrderKind, beside_a_stop: bool) -> Option<&'static str> {
    match kind {
        OrderKind::Stop { .. } | OrderKind::StopLimit { .. } | OrderKind::Trailing { .. } => Some(Tags::STOP),
        OrderKind::Touched { .. } | OrderKind::LimitTouched { .. } => Some(Tags::TARGET),
        OrderKind::Limit { .. } if beside_a_stop => Some(Tags::TARGET),
        OrderKind::Limit { .. } | OrderKind::Market => None,
    }
}

/// Orders that are remembered before those that are over are forgotten.
const KEPT: usize = 64;

/// The tags of the orders that are out. Memory grows with open orders and with what strategies left to the engine, never
/// with bars.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagBook {
    /// What is being said now, while what comes of it is sent.
    pub(crate) saying: Option<&'static str>,
    /// By name, which grows with time.
    orders: Vec<(ClientOrderId, Tags)>,
    /// What was said when these were opened: their orders come later.
    parents: BTreeMap<ParentId, &'static str>,
    /// What was said when these were made to give way.
    left: BTreeMap<ParentId, &'static str>,
}

impl TagBook {
    /// Notes an order that is sent.
    pub(crate) fn sent(&mut self, state: &State, order: &Order) {
        let of_parent = || {
            let parent = state.parents.parent_of(order.client_id()).filter(|_| !self.parents.is_empty())?;
            self.parents.get(&parent.id).copied()
        };
        let said = self.saying.or_else(of_parent).map(Cow::Borrowed);
        let tags = Tags::of(state, order, said, |parent| self.left.get(&parent).copied().map(Cow::Borrowed));
        if self.orders.len() >= KEPT + 2 * state.open.len() {
            self.orders.retain(|(id, _)| state.open.contains_key(id));
        }
        let place = self.orders.partition_point(|(id, _)| *id < order.client_id());
        self.orders.insert(place, (order.client_id(), tags));
    }

    /// Notes that what is being said opened the parents from `first` on.
    pub(crate) fn opened(&mut self, state: &State, first: ParentId) {
        if let Some(tag) = self.saying {
            self.parents.extend((first.0..state.parents.next_id().0).map(|id| (ParentId(id), tag)));
        }
    }

    /// Takes in what was said of a parent.
    pub(crate) fn said(&mut self, of_parent: &ParentEvent) {
        if let (Some(parent), Some(tag)) = (gives_way(of_parent), self.saying) {
            self.left.insert(parent, tag);
        }
    }

    /// The tags of an order.
    pub(crate) fn of(&self, id: ClientOrderId) -> &Tags {
        const ELSEWHERE: &Tags = &Tags::ELSEWHERE;
        self.orders.binary_search_by_key(&id, |(id, _)| *id).map_or(ELSEWHERE, |place| &self.orders[place].1)
    }
}
