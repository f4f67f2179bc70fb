//! [`Parents`]: every parent of a risk domain, folded from events.

use super::parent::{Child, ChildState, Due, Look, Parent, ParentEnd, ParentState, Refused, Role, Told};
use super::plan::{Behind, ParentId, ParentWish};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tradewind_domain::{
    Bar, ClientOrderId, Instrument, InstrumentId, OrderRecord, OrderRequest, Price, Quantity, Quote, Sequence,
    Timestamp,
};

/// Parents that are over and still remembered, for late reports and for lists.
const OVER_KEPT: usize = 128;
/// The most parents that may live at once.
pub(crate) const LIVE_MAX: usize = 256;

/// What somebody may ask of a living parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Propose nothing more and cancel the children. What guards a position cancels what enters and keeps protecting what
    /// filled.
    Cancel,
    /// Cancel everything, the protection of a bracket as well.
    Abandon,
    /// Propose nothing for now; the children stay.
    Pause,
    /// Go on after a pause; what was cancelled meanwhile is put back.
    Resume,
    /// Of what guards no more than is held (a bracket around an order that stood before it, a plan of the trade): take the
    /// protection back and close so much at once; what is left then is protected anew.
    Leave {
        /// How much.
        quantity: Quantity,
        /// The proposal that people have approved, where it is the whole of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposal: Option<Sequence>,
    },
}

/// Every parent of a risk domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parents {
    opened: u64,
    live: BTreeMap<ParentId, Parent>,
    over: VecDeque<Parent>,
    /// Whose child an order is.
    of: BTreeMap<ClientOrderId, ParentId>,
    /// The proposals of people's approval that one guard has left for and others have yet to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    left_in_part: BTreeSet<Sequence>,
    /// Whose proposal the gate is about to judge. One at a time: each must be judged with the last one counted.
    asking: Option<ParentId>,
    /// With which event it was proposed: the same may be recorded twice before the first is folded, and counts once.
    #[serde(skip)]
    asked_by: Sequence,
}

impl Parents {
    /// Whether there never was any.
    #[must_use]
    pub const fn is_unused(&self) -> bool {
        self.opened == 0
    }
    /// Whether none lives.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }
    /// Those that live, oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Parent> {
        self.live.values()
    }
    /// Those that are over, newest first.
    pub fn over(&self) -> impl Iterator<Item = &Parent> {
        self.over.iter().rev()
    }
    /// A parent, living or lately over.
    #[must_use]
    pub fn get(&self, id: ParentId) -> Option<&Parent> {
        self.live.get(&id).or_else(|| self.over.iter().rev().find(|parent| parent.id == id))
    }
    /// Whose child an order is.
    #[must_use]
    pub fn parent_of(&self, client_id: ClientOrderId) -> Option<&Parent> {
        self.of.get(&client_id).and_then(|id| self.get(*id))
    }
    /// Whether an order of this name is the entry of a bracket, or the order that one was put around.
    #[must_use]
    pub fn is_entry(&self, client_id: ClientOrderId) -> bool {
        let entry = |child: &Child| child.client_id == client_id && child.role == Role::Entry;
        self.parent_of(client_id).is_some_and(|parent| parent.children.iter().any(entry))
    }
    /// Whether an order of this name is, or was to be, some parent's.
    #[must_use]
    pub fn knows(&self, client_id: ClientOrderId) -> bool {
        self.of.contains_key(&client_id)
    }
    /// The next parent's name.
    #[must_use]
    pub const fn next_id(&self) -> ParentId {
        ParentId(self.opened + 1)
    }

    /// What is due now, of the first parent that wants anything that may be done; `look` shows a parent its world.
    /// Nothing while the gate's word on a proposal is awaited.
    pub fn due<'a>(&self, look: impl Fn(&Parent) -> Look<'a>) -> Option<(&Parent, Due)> {
        if self.asking.is_some() {
            return None;
        }
        self.live.values().find_map(|parent| {
            let look = look(parent);
            parent.due(&look).filter(|due| look.allows(due)).map(|due| (parent, due))
        })
    }

    /// Whether the gate's word is awaited on what this parent proposed last, `count` children from `slot` on.
    pub(crate) fn is_asking(&self, id: ParentId, slot: u32, count: usize, event: Sequence) -> bool {
        let proposed = |parent: &Parent| {
            let place = slot.checked_sub(parent.forgotten).map(|place| place as usize);
            let children = place.and_then(|place| parent.children.get(place..)).unwrap_or_default();
            children.len() == count && children.iter().all(|child| child.state == ChildState::Asked)
        };
        self.asking == Some(id) && self.asked_by == event && self.live.get(&id).is_some_and(proposed)
    }

    pub(crate) fn open(&mut self, wish: ParentWish, at: Timestamp, found: Option<(Role, &OrderRecord)>) -> ParentId {
        let id = self.next_id();
        self.opened += 1;
        if let Some((_, record)) = found {
            self.of.insert(record.order.client_id(), id);
        }
        self.live.insert(id, Parent::open(id, wish, at, found));
        id
    }

    /// Notes who stands behind a parent, and which decision.
    pub(crate) fn stand_behind(&mut self, id: ParentId, behind: Option<Behind>, decision: Option<Sequence>) {
        if let Some(parent) = self.live.get_mut(&id) {
            (parent.behind, parent.decision) = (behind, decision);
        }
    }

    /// Notes proposed children; `false` for a parent that no longer lives or already proposed this slot.
    pub(crate) fn ask(
        &mut self,
        id: ParentId,
        slot: u32,
        children: &[(Role, ClientOrderId, OrderRequest)],
        (at, event): (Timestamp, Sequence),
    ) -> bool {
        let Some(parent) = self.live.get_mut(&id) else { return false };
        if self.asking.is_some() || parent.proposed() != slot {
            return false;
        }
        for gone in parent.forget_spent(at) {
            self.of.remove(&gone);
        }
        for (role, client_id, request) in children {
            parent.ask(*role, *client_id, request, at);
            self.of.insert(*client_id, id);
        }
        (self.asking, self.asked_by) = (Some(id), event);
        true
    }

    /// The gate refused a proposal: if one of ours is awaited it is that one, because verdicts keep the order of
    /// proposals and no other proposal is made until ours is judged.
    pub(crate) fn refused(&mut self, why: &str, how: Refused, at: Timestamp) {
        if let Some(parent) = self.asking.take().and_then(|id| self.live.get_mut(&id)) {
            parent.refused(why, how, at);
        }
    }

    /// Takes over what is known of an order, if it is a child.
    pub(crate) fn order(&mut self, record: &OrderRecord, at: Timestamp, told: Told) {
        let Some(id) = self.of.get(&record.order.client_id()).copied() else { return };
        let Some(parent) = self.find_mut(id) else { return };
        parent.order(record, at, told);
        if self.asking == Some(id) && !parent_asks(self.get(id)) {
            self.asking = None;
        }
    }

    /// Whatever comes from outside finds no proposal half judged.
    pub(crate) fn outside(&mut self) {
        self.asking = None;
    }

    pub(crate) fn restarted(&mut self, at: Timestamp) {
        self.asking = None;
        self.live.values_mut().for_each(|parent| parent.restarted(at));
    }

    /// Notes that a fee took some of what a child bought.
    pub(crate) fn fee_taken(&mut self, client_id: ClientOrderId, taken: Quantity) {
        if let Some(child) = self.of.get(&client_id).copied().and_then(|id| self.find_mut(id)?.child_mut(client_id)) {
            child.fee_taken += taken;
        }
    }

    pub(crate) fn cancel_asked(&mut self, client_id: ClientOrderId, at: Timestamp) {
        if let Some(child) = self.of.get(&client_id).copied().and_then(|id| self.find_mut(id)?.child_mut(client_id)) {
            child.cancel_asked = Some(at);
            child.cancels = child.cancels.saturating_add(1);
        }
    }

    /// What was asked of a parent, which trades in `instrument`, by somebody who may.
    pub(crate) fn asked(&mut self, id: ParentId, ask: Ask, reason: &str, at: Timestamp, instrument: &Instrument) {
        let Some(parent) = self.live.get_mut(&id) else { return };
        let (end, reason) = (ParentEnd::Cancelled, reason.to_owned());
        match (ask, &parent.state) {
            (_, ParentState::Over { .. }) | (Ask::Cancel, ParentState::Guarding { .. }) => (),
            (Ask::Cancel, ParentState::Working | ParentState::Paused { .. })
                if parent.wish.protection().is_some() && parent.protects() =>
            {
                parent.state = ParentState::Guarding { end, reason };
            }
            (Ask::Cancel, _) if parent.protects() => parent.seen.closing = true,
            (Ask::Cancel | Ask::Abandon, _) => parent.state = ParentState::Ending { end, reason },
            (Ask::Pause, ParentState::Working) => parent.state = ParentState::Paused { reason },
            (Ask::Resume, ParentState::Paused { .. }) => {
                parent.faults.forgive();
                parent.exit.forgive();
                parent.state = ParentState::Working;
                parent.seen.resumed = Some(at);
            }
            (Ask::Leave { quantity, proposal }, _) if parent.makes_way() => {
                parent.leave(quantity, proposal, instrument);
            }
            (Ask::Pause | Ask::Resume | Ask::Leave { .. }, _) => (),
        }
    }

    pub(crate) fn moved(&mut self, id: ParentId, state: &ParentState) {
        let Some(parent) = self.live.get_mut(&id) else { return };
        parent.state = state.clone();
        if parent.is_over() {
            let parent = self.live.remove(&id).expect("it was just found");
            self.over.push_back(parent);
            if self.over.len() > OVER_KEPT {
                let gone = self.over.pop_front().expect("it is longer than nothing");
                gone.children.iter().for_each(|child| _ = self.of.remove(&child.client_id));
            }
        }
    }

    pub(crate) fn on_bar(&mut self, bar: &Bar) {
        self.of_instrument(bar.instrument).for_each(|parent| parent.on_bar(bar));
    }
    pub(crate) fn on_quote(&mut self, quote: &Quote) {
        self.of_instrument(quote.instrument).for_each(|parent| parent.on_quote(quote));
    }
    pub(crate) fn on_trade(&mut self, instrument: InstrumentId, price: Price, quantity: Quantity, at: Timestamp) {
        self.of_instrument(instrument).for_each(|parent| parent.on_trade(price, quantity, at));
    }

    fn of_instrument(&mut self, instrument: InstrumentId) -> impl Iterator<Item = &mut Parent> {
        self.live.values_mut().filter(move |parent| parent.wish.request.instrument == instrument)
    }

    /// The proposals that living brackets leave a position for, each with whether its bracket has done so.
    pub(crate) fn leaving(&self) -> impl Iterator<Item = (ParentId, Sequence, bool)> {
        self.live
            .values()
            .flat_map(|parent| parent.leaves_for().map(move |(proposal, _)| (parent.id, proposal, parent.has_left())))
    }

    /// A guard leaves no more for `proposal`, and has or has not left anything for it. Whether any guard has, once none has
    /// yet to.
    pub(crate) fn left_for(&mut self, proposal: Sequence, has_exited: bool) -> Option<bool> {
        if self.leaving().any(|(_, other, _)| other == proposal) {
            if has_exited {
                self.left_in_part.insert(proposal);
            }
            return None;
        }
        Some(self.left_in_part.remove(&proposal) || has_exited)
    }

    /// A bracket has left what it was asked to: no proposal waits for it any more.
    pub(crate) fn forget_leave(&mut self, id: ParentId) {
        if let Some(parent) = self.live.get_mut(&id) {
            (parent.seen.leaves_for, parent.seen.leaves_after) = (None, Quantity::ZERO);
            parent.leaves_before.clear();
        }
    }

    fn find_mut(&mut self, id: ParentId) -> Option<&mut Parent> {
        match self.live.get_mut(&id) {
            Some(parent) => Some(parent),
            None => self.over.iter_mut().rev().find(|parent| parent.id == id),
        }
    }
}

fn parent_asks(parent: Option<&Parent>) -> bool {
    parent.is_some_and(|parent| parent.children.iter().any(|child| child.state == ChildState::Asked))
}
