//! [`Parent`] and [`Child`]: what was asked, what came of it, and what is due.

use super::plan::{Behind, ParentId, ParentWish, Plan};
use super::schedule::VolumeSource;
use super::{ladder, schedule};
use crate::{contingent, keeping};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    ClientOrderId, Instrument, OrderRequest, Price, Quantity, Sequence, Side, TimeInForce, Timestamp, Trail,
};

/// How long after a pair the next one waits while more of what it guards may fill: fills come in bursts.
pub const BURST: i64 = 1_000_000_000;
/// How long a parent waits after a child that failed; twice as long after each further one.
pub const RETRY_AFTER: i64 = 1_000_000_000;
/// How often that wait doubles: up to half a minute.
pub(crate) const RETRY_DOUBLINGS: u8 = 5;
/// How long it waits for the answer to a cancel before it asks again.
const CANCEL_AGAIN_AFTER: i64 = 5_000_000_000;
/// How often it asks for one cancel so soon; from then on it asks less often, and for as long as the order stands: a ban
/// or an outage lasts longer than a few attempts.
const CANCELS_SOON: u8 = 3;
/// How long it waits then.
pub(crate) const CANCEL_LATER_AFTER: i64 = 60_000_000_000;
/// How many children in a row may fail, unless they guard something: that is tried for as long as it takes.
const FAILURES_MAX: u8 = 2;
/// How many in a row may come too soon after other orders, one each [`RETRY_AFTER`] at most.
const TOO_SOON_MAX: u32 = 60;

/// How long to wait for what was asked for so often, before it is asked for again; in nanoseconds.
#[must_use]
pub const fn ask_again_after(times: u8) -> i64 {
    if times < CANCELS_SOON { CANCEL_AGAIN_AFTER } else { CANCEL_LATER_AFTER }
}

/// What a child is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A slice of a schedule, a participation or an iceberg.
    Slice(u64),
    /// An order of a ladder.
    Rung(u32),
    /// What a waiting order became.
    Awake,
    /// The order whose place is taken.
    Replaced,
    /// The order that takes its place.
    Replacement,
    /// The entry of a bracket.
    Entry,
    /// A target that protects part of the entry.
    Target(u32),
    /// The stop beside that target.
    Stop(u32),
    /// A way out at once, because the market is past target or stop already.
    Exit,
    /// What brings back what target and stop sold too much between them.
    Excess,
}

impl Role {
    /// Whether such a child only takes back what its bracket entered, or what its way out took too much.
    #[must_use]
    pub const fn protects(self) -> bool {
        match self {
            Self::Target(_) | Self::Stop(_) | Self::Exit | Self::Excess => true,
            Self::Slice(_) | Self::Rung(_) | Self::Awake | Self::Replaced | Self::Replacement | Self::Entry => false,
        }
    }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChildEnd {
    /// All of it.
    Filled,
    /// Off the book with something left.
    Cancelled,
    /// The gate said no.
    Refused,
    /// The venue said no.
    Rejected,
    /// Provably no byte left.
    NotSent,
}

impl ChildEnd {
    /// Whether it was never on a book.
    #[must_use]
    pub const fn never_worked(self) -> bool {
        matches!(self, Self::Refused | Self::Rejected | Self::NotSent)
    }
}

/// Where a child stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChildState {
    /// Proposed, without the gate's word.
    Asked,
    /// An order that may fill.
    Open {
        /// Whether its outcome is unknown.
        unknown: bool,
    },
    /// Done with.
    Over(ChildEnd),
}

/// One order of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Its name.
    pub client_id: ClientOrderId,
    /// What it is for.
    pub role: Role,
    /// Which way.
    pub side: Side,
    /// How much was asked.
    pub quantity: Quantity,
    /// How much filled.
    pub filled: Quantity,
    /// How much of what was bought went to fees.
    pub fee_taken: Quantity,
    /// Where it stands.
    pub state: ChildState,
    /// When it was proposed.
    pub asked_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// When its cancel was last asked for.
    pub cancel_asked: Option<Timestamp>,
    /// How often.
    pub cancels: u8,
    /// Whether it was a market order that found no more at its worst price.
    #[serde(default, skip_serializing_if = "is_not")]
    pub at_worst: bool,
}

impl Child {
    /// Whether it may still fill. The end of an order is recorded once as much of it is booked as the venue says was
    /// executed; what a later fill all the same makes too much is taken back.
    #[must_use]
    pub const fn may_fill(&self) -> bool {
        !matches!(self.state, ChildState::Over(_))
    }
    /// The most that it may come to.
    #[must_use]
    pub fn possible(&self) -> Quantity {
        if self.may_fill() { self.quantity.max(self.filled) } else { self.filled }
    }
    /// Whether nothing may be proposed beside it until more is known. What protects counts in full while its outcome is
    /// unknown, so that the rest can be protected meanwhile.
    pub(crate) const fn is_unsure(&self) -> bool {
        match self.state {
            ChildState::Asked => true,
            ChildState::Open { unknown } => unknown && !self.role.protects(),
            ChildState::Over(_) => false,
        }
    }
    /// Whether it stands on the book, or may.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ChildState::Open { .. })
    }
    /// The request to cancel it, if one may be made now.
    pub(crate) fn cancel(&self, now: Timestamp) -> Option<Due> {
        let waited = self.cancel_asked.is_none_or(|asked| now.since(asked) >= ask_again_after(self.cancels));
        (self.is_open() && waited).then_some(Due::Cancel(self.client_id))
    }
}

/// How a parent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParentEnd {
    /// It did what it was asked, but for what is too small to order.
    Finished,
    /// On request.
    Cancelled,
    /// Its time was up.
    Expired,
    /// It could not.
    Failed,
}

/// Where a parent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum ParentState {
    /// It proposes what is due.
    Working,
    /// It proposes nothing until somebody says so; its children stay.
    Paused {
        /// Why.
        reason: String,
    },
    /// It proposes nothing more and cancels its children.
    Ending {
        /// How it will have ended.
        end: ParentEnd,
        /// Why.
        reason: String,
    },
    /// It enters nothing more, and guards what it holds until that is left.
    Guarding {
        /// How it will have ended.
        end: ParentEnd,
        /// Why it enters nothing more.
        reason: String,
    },
    /// None of its children can fill any more.
    Over {
        /// How it ended.
        end: ParentEnd,
        /// Why.
        reason: String,
    },
}

/// Where the prices come from that an order waits for, worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceSource {
    /// Nothing was seen yet.
    #[default]
    None,
    /// Closed bars.
    Bars,
    /// The side of quotes that the order would trade at: the bid for a sell, the ask for a buy.
    Quotes,
    /// Single trades.
    Trades,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_nothing(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_none(count: &u32) -> bool {
    *count == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_not(it: &bool) -> bool {
    !*it
}

/// What a parent remembers of the market since it opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether the price that it waits for was met.
    pub woke: bool,
    /// Whether a bracket shall enter no more and only guard what it holds.
    pub closing: bool,
    /// How much of what a bracket holds was to be left at once, all exits of that kind so far together.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub leave: Quantity,
    /// The proposal of people's approval that it leaves for, until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_for: Option<Sequence>,
    /// How much was to be left before that.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub leaves_after: Quantity,
    /// When it last went on after a pause: what was cancelled until then is put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Timestamp>,
    /// How far a trailing stop has followed.
    pub trail: Trail,
    /// The best source of prices so far; a worse one is not listened to any more.
    #[serde(default)]
    pub price_source: PriceSource,
    /// How much has traded.
    pub volume: Quantity,
    /// By which count.
    pub volume_source: Option<VolumeSource>,
}

/// A wish, its plan, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its name.
    pub id: ParentId,
    /// What was asked.
    pub wish: ParentWish,
    /// Who stands behind it, where its source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
    /// The event that records the decision which it follows, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Sequence>,
    /// When.
    pub opened: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub state: ParentState,
    /// Its orders, in the order in which they were proposed.
    pub children: Vec<Child>,
    /// What went wrong with its orders.
    #[serde(flatten)]
    pub faults: Faults,
    /// What went wrong with those that guard what its other orders filled, where its plan of the trade asks for such.
    #[serde(default, skip_serializing_if = "Faults::is_clear")]
    pub guard: Faults,
    /// What went wrong with its ways out at once.
    #[serde(default, skip_serializing_if = "Faults::is_clear")]
    pub exit: Faults,
    /// The proposals of people's approval before `Seen::leaves_for` that it leaves for as well, until it has, each with how
    /// much was to be left before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves_before: Vec<(Sequence, Quantity)>,
    /// How many of its orders it no longer remembers: such as never worked, and guards that ended long ago without a fill.
    #[serde(default, skip_serializing_if = "is_none")]
    pub forgotten: u32,
    /// What it remembers of the market.
    pub seen: Seen,
}

/// How the gate said no to what was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It will not pass by itself.
    ForGood,
    /// It may pass a little later as it is.
    ForNow,
    /// Too many orders went out within the last second.
    TooSoon,
}

/// What an event says of an order besides how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing.
    Plainly,
    /// A new process just doubted it.
    Restarted,
    /// It is proven that it never came to the venue.
    Absent,
}

/// What went wrong with orders lately, and how long that is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// How many in a row never worked.
    pub failures: u8,
    /// Why the last one did not.
    pub fault: Option<String>,
    /// Whether gate or venue would not have one of them; what was not sent, or refused for the moment, may be tried again
    /// as it was.
    #[serde(default, skip_serializing_if = "is_not")]
    pub unwanted: bool,
    /// How many in a row only came too soon after other orders.
    #[serde(default, skip_serializing_if = "is_none")]
    pub too_soon: u32,
    /// Before this moment nothing is proposed.
    pub not_before: Timestamp,
}

impl Faults {
    /// Whether nothing ever went wrong.
    fn is_clear(&self) -> bool {
        *self == Self::default()
    }

    /// Notes that it came too soon after others, which is nobody's failure: unless that is all that was said for a minute or
    /// more, when the pace that is allowed is no pace at all.
    pub(super) fn paced(&mut self, why: &str, at: Timestamp) {
        self.too_soon = self.too_soon.saturating_add(1);
        if self.too_soon >= TOO_SOON_MAX {
            self.failed(why, false, at);
            self.failures = self.failures.max(FAILURES_MAX);
        }
        self.not_before = self.not_before.max(at.plus_nanos(RETRY_AFTER));
    }

    /// Notes one more failure.
    pub(super) fn failed(&mut self, why: &str, unwanted: bool, at: Timestamp) {
        self.not_before = at.plus_nanos(RETRY_AFTER << self.failures.min(RETRY_DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        self.fault = Some(why.to_owned());
        self.unwanted |= unwanted;
    }

    /// Whether more than a moment keeps them from working: one was not wanted, or two in a row failed.
    pub(crate) const fn lasts(&self) -> bool {
        self.unwanted || self.failures > 1
    }

    /// Nothing is held against them any more.
    pub(super) fn forgive(&mut self) {
        (self.failures, self.fault, self.unwanted, self.too_soon) = (0, None, false, 0);
    }
}

/// The world as a parent looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The moment.
    pub now: Timestamp,
    /// What is traded.
    pub instrument: &'a Instrument,
    /// Its newest price.
    pub mark: Option<Price>,
    /// Its best bid and ask, where they are known.
    pub quote: Option<(Price, Price)>,
    /// What the portfolio holds of it.
    pub position: Quantity,
    /// For a parent that guards no more than is held: how much of the position no other order is about to close.
    pub room: Option<Quantity>,
    /// How much of the position orders and executions of other hands may take: no guard and no exit closes that too.
    pub others: Quantity,
    /// Whether anything may be proposed now.
    pub may_propose: bool,
    /// Whether what guards a position, or leaves it, may be.
    pub may_guard: bool,
}

impl Look<'_> {
    /// Whether `quantity` is too small to order at the mark.
    #[must_use]
    pub fn is_dust(&self, quantity: Quantity) -> bool {
        quantity <= Quantity::ZERO || self.instrument.is_dust(quantity, self.mark)
    }

    /// Whether what is due may be done now.
    pub(super) fn allows(&self, due: &Due) -> bool {
        match due {
            Due::One(role, _) | Due::Pair([(role, _), _]) if role.protects() => self.may_guard,
            Due::One(..) | Due::Pair(_) => self.may_propose,
            Due::Cancel(_) | Due::Move(_) => true,
        }
    }
}

/// What a parent wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Propose this child.
    One(Role, OrderRequest),
    /// Propose these two, of which one cancels the other.
    Pair([(Role, OrderRequest); 2]),
    /// Cancel this child.
    Cancel(ClientOrderId),
    /// Stand like this from now on.
    Move(ParentState),
}

impl Parent {
    /// What it wants done now; `None` when it waits.
    #[must_use]
    pub fn due(&self, look: &Look<'_>) -> Option<Due> {
        let protection = self.wish.protection();
        match (&self.state, protection) {
            (ParentState::Over { .. }, _) => None,
            (ParentState::Ending { end, reason }, _) => self.wind_down(look.now, *end, reason),
            (ParentState::Working | ParentState::Paused { .. } | ParentState::Guarding { .. }, Some(protection)) => {
                self.take_back(look.now).or_else(|| keeping::due(self, look, &protection))
            }
            (ParentState::Paused { .. } | ParentState::Guarding { .. }, None) => self.take_back(look.now),
            (ParentState::Working, None) => self.take_back(look.now).or_else(|| self.work(look)),
        }
    }

    /// Cancels what is too much: a fill that came after its child had ended, later than any cancel settles, is booked,
    /// and what was proposed in its place is taken back, the newest first, until all of it fits what was asked again.
    fn take_back(&self, now: Timestamp) -> Option<Due> {
        let replacing = self.children.iter().any(|child| child.role == Role::Replaced && child.is_open());
        if replacing || matches!(self.wish.plan, Plan::Bracket(_)) {
            return None; // a replacement waits for its order's end, and a bracket counts both ways
        }
        let live = |child: &Child| if child.is_open() { child.quantity.max(child.filled) } else { child.filled };
        let all = self.asked_for().map(live).fold(Quantity::ZERO, |sum, more| sum + more);
        let mut too_much = all - self.wish.request.quantity;
        for child in self.asked_for().rev().filter(|child| child.is_open()) {
            if too_much <= Quantity::ZERO {
                return None;
            }
            if let Some(due) = child.cancel(now) {
                return Some(due);
            }
            too_much -= child.quantity - child.filled; // it is being cancelled
        }
        None
    }

    fn wind_down(&self, now: Timestamp, end: ParentEnd, reason: &str) -> Option<Due> {
        if self.is_quiet() {
            return Some(Due::Move(ParentState::Over { end, reason: reason.to_owned() }));
        }
        self.children.iter().find_map(|child| child.cancel(now))
    }

    fn work(&self, look: &Look<'_>) -> Option<Due> {
        if self.has_failed_too_often() && look.is_dust(self.at_stake(look)) {
            return Some(self.pause());
        }
        if self.children.iter().any(Child::is_unsure) {
            return None;
        }
        if look.now < self.faults.not_before {
            return contingent::hold_back(self, look); // what cannot be protected must not fill
        }
        self.by_plan(look)
    }

    /// Whether so many of its orders in a row never worked that it does not go on by itself.
    pub(crate) const fn has_failed_too_often(&self) -> bool {
        self.faults.failures >= FAILURES_MAX
    }

    pub(crate) fn pause(&self) -> Due {
        let reason = self.faults.fault.clone().unwrap_or_else(|| "its orders do not last".to_owned());
        Due::Move(ParentState::Paused { reason })
    }

    /// What its plan wants done now.
    pub(crate) fn by_plan(&self, look: &Look<'_>) -> Option<Due> {
        let slices = !matches!(self.wish.plan, Plan::Wait | Plan::Bracket(_) | Plan::Replace { .. });
        if slices && self.is_past_its_date(look.now) {
            return Some(self.end(ParentEnd::Expired, "its time was up"));
        }
        match &self.wish.plan {
            Plan::Wait => contingent::wait(self, look),
            Plan::Bracket(protection) => contingent::bracket(self, look, protection),
            Plan::Replace { .. } => contingent::replace(self, look),
            Plan::Iceberg { display } => ladder::iceberg(self, look, *display),
            Plan::Schedule(it) => schedule::Schedule::due(it, self, look),
            Plan::Participate(it) => schedule::Participation::due(it, self, look),
            Plan::Ladder { rungs } => ladder::ladder(self, look, rungs),
        }
    }

    /// How many children it has proposed so far, those included that it no longer remembers.
    #[must_use]
    pub fn proposed(&self) -> u32 {
        u32::try_from(self.children.len()).unwrap_or(u32::MAX).saturating_add(self.forgotten)
    }

    /// How much filled of all children.
    #[must_use]
    pub fn filled(&self) -> Quantity {
        self.children.iter().map(|child| child.filled).fold(Quantity::ZERO, |sum, more| sum + more)
    }

    /// The children that do what was asked; the others guard, leave or bring back what these filled.
    pub(crate) fn asked_for(&self) -> impl DoubleEndedIterator<Item = &Child> {
        self.children.iter().filter(|child| !child.role.protects())
    }

    /// How much of the wish is done: what the children filled that do what was asked.
    #[must_use]
    pub fn done(&self) -> Quantity {
        self.asked_for().map(|child| child.filled).fold(Quantity::ZERO, |sum, more| sum + more)
    }

    /// The most that the children may come to that do what was asked.
    #[must_use]
    pub fn committed(&self) -> Quantity {
        self.asked_for().map(|child| child.possible()).fold(Quantity::ZERO, |sum, more| sum + more)
    }

    /// Whether none of the children can fill any more that do what was asked; what guards may.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.asked_for().any(|child| child.may_fill())
    }

    /// Whether nothing of it can fill any more.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        !self.children.iter().any(|child| child.may_fill())
    }

    /// Whether the date up to which its orders would be good is over: the gate takes none of them any more.
    pub(crate) fn is_past_its_date(&self, now: Timestamp) -> bool {
        matches!(self.wish.request.time_in_force, TimeInForce::Gtd(end) if end <= now)
    }

    /// Whether it is over for good.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, ParentState::Over { .. })
    }

    pub(crate) fn slice(&self, role: Role, quantity: Quantity) -> Due {
        Due::One(role, OrderRequest { quantity, ..self.wish.request })
    }

    pub(crate) fn end(&self, end: ParentEnd, reason: &str) -> Due {
        Due::Move(ParentState::Ending { end, reason: reason.to_owned() })
    }

    pub(crate) fn finish(&self, look: &Look<'_>) -> Due {
        let left = self.wish.request.quantity - self.done();
        let reason = if left <= Quantity::ZERO {
            "all of it".to_owned()
        } else {
            let text = look.instrument.quantity_text(left);
            if look.is_dust(left) { format!("{text} is too little to order") } else { format!("{text} was left open") }
        };
        Due::Move(ParentState::Over { end: ParentEnd::Finished, reason })
    }
}
