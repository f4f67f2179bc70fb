//! One protection for all that the orders of a parent fill: its plan of the trade.
//!
//! Slices, tips and rungs enter; what they fill is guarded by pairs, as a bracket guards its entry, for as much as the
//! portfolio still holds of it. Venues bound the stops of an account, so no more than [`PAIRS_MAX`] pairs stand: when
//! there are so many and more has filled, the smallest is taken back, and as soon as it can no longer fill a new one
//! stands for both. What that lays bare is at most a quarter of what is guarded, for as long as a cancel
//! takes; the others stand meanwhile. Small fills wait for it up to [`MERGE_AFTER`].
//!
//! # What always holds
//! * Nothing more is proposed that enters while anything that has filled is bare, a guard has failed, or it is not known
//!   whether one stands; then what rests of slices and tips is taken off the book too, and comes again once one stands.
//! * Once a target or a stop has filled, the market has been left, an exit has closed all of it, or gate or venue would not
//!   have a guard, the parent enters nothing more ([`ParentState::Guarding`]); it is over when nothing is held.
//! * A pause holds back what enters, never what guards.

use crate::algo::{BURST, Child, ChildState, Due, Look, Parent, ParentEnd, ParentState, Plan, Protection, Role};
use crate::contingent::{
    PAIRS_MAX, Passed, Tally, end_stand_in, excess, hold_back, leave, leave_bare, lone_target, owing, pair, passed,
    stand_in, take_back,
};
use std::ops::ControlFlow::{self, Break, Continue};
use tradewind_domain::{OrderKind, Quantity};

/// How long fills that are small beside what is guarded wait for a pair, where all pairs stand: each costs a cancel, and an
/// order that fills in crumbs would use up what the limits on requests leave for ways out.
const MERGE_AFTER: i64 = 5_000_000_000;
/// What is small: one part in so many of what is guarded.
const SMALL_PART: i64 = 10;
/// How often in a row a guard may not have been sent, over seven seconds, before nothing more is entered.
const NOT_SENT_MAX: u8 = 4;

/// What is due now: `Break` says what, if anything may be done at all before what enters may be asked.
type Step = ControlFlow<Option<Due>>;

/// What a parent with a plan of the trade wants done now: first what guards, then what enters.
pub(crate) fn due(parent: &Parent, look: &Look<'_>, protection: &Protection) -> Option<Due> {
    let tally = Tally::of(parent, look);
    match guard(parent, look, protection, &tally) {
        Break(due) => due,
        Continue(()) => match &parent.state {
            ParentState::Guarding { end, reason } => over(parent, look, &tally, *end, reason),
            ParentState::Working => enter(parent, look, protection, &tally),
            ParentState::Paused { .. } | ParentState::Ending { .. } | ParentState::Over { .. } => None,
        },
    }
}

/// Whether a parent holds what nothing guards yet.
pub(crate) fn is_bare(parent: &Parent, look: &Look<'_>) -> bool {
    let keeps = parent.wish.protection().is_some() && parent.makes_way();
    keeps && !look.is_dust(Tally::of(parent, look).uncovered(look))
}

/// Whether a parent holds what nothing guards, or closes, because another hand may take it.
pub(crate) fn is_left_to_others(parent: &Parent, look: &Look<'_>) -> bool {
    let guards = matches!(parent.wish.plan, Plan::Bracket(_)) || parent.wish.protection().is_some();
    let gives_up = matches!(parent.state, ParentState::Ending { .. } | ParentState::Over { .. });
    if look.others.is_zero() || !guards || gives_up {
        return false;
    }
    let tally = Tally::of(parent, look);
    let alone = tally.uncovered(&Look { others: Quantity::ZERO, ..*look });
    look.is_dust(tally.uncovered(look)) && !look.is_dust(alone)
}

/// What guards what has filled.
fn guard(parent: &Parent, look: &Look<'_>, protection: &Protection, tally: &Tally) -> Step {
    if parent.children.iter().any(|child| child.state == ChildState::Asked) {
        return Break(None);
    }
    if let Some(to) = enters_no_more(parent) {
        return Break(Some(Due::Move(to)));
    }
    if matches!(parent.state, ParentState::Guarding { .. })
        && let Some(due) = hold_back(parent, look)
    {
        return Break(Some(due));
    }
    if look.now < parent.guard.not_before {
        return Break(None);
    }
    let ended = excess(parent, look, tally).map(without_pause).or_else(|| lone_target(parent, look));
    if let Some(due) = ended.or_else(|| end_stand_in(parent, look)) {
        return Break(Some(due));
    }
    if tally.is_beyond_room(look) {
        return Break(take_back(parent, look));
    }
    if let Some(owed) = owing(parent, look) {
        return Break(leave(parent, look, owed));
    }
    let uncovered = tally.uncovered(look);
    if !look.is_dust(uncovered) {
        return Break(cover(parent, look, protection, tally, uncovered));
    }
    if !parent.is_badly_guarded(look, uncovered) || tally.leaving.is_zero() {
        return Continue(()); // nothing is held that a guard would have to stand for
    }
    // rungs stay: nothing puts a single one back that was taken off
    let comes_again = !matches!(parent.wish.plan, Plan::Ladder { .. });
    Break(if comes_again { hold_back(parent, look) } else { None })
}

/// What cannot be brought back is said at the end: nothing of it can fill any more.
fn without_pause(due: Due) -> Due {
    match due {
        Due::Move(ParentState::Paused { reason }) => Due::Move(ParentState::Over { end: ParentEnd::Failed, reason }),
        due => due,
    }
}

/// Where it stands from here on if it is to enter nothing more, and did until now.
fn enters_no_more(parent: &Parent) -> Option<ParentState> {
    if !matches!(parent.state, ParentState::Working | ParentState::Paused { .. }) {
        return None;
    }
    let filled = |is: fn(&Role) -> bool| parent.children.iter().any(|it| is(&it.role) && !it.filled.is_zero());
    let guarding = |end, reason: &str| Some(ParentState::Guarding { end, reason: reason.to_owned() });
    if filled(|role| matches!(role, Role::Stop(_))) {
        return guarding(ParentEnd::Finished, "its stop was hit");
    }
    if filled(|role| matches!(role, Role::Target(_))) {
        return guarding(ParentEnd::Finished, "its target was met");
    }
    if parent.seen.closing {
        return guarding(ParentEnd::Cancelled, "an exit was asked for all that it held");
    }
    let faults = &parent.guard;
    let is_hopeless = faults.unwanted || faults.failures >= NOT_SENT_MAX;
    is_hopeless.then(|| {
        let why = faults.fault.as_deref().unwrap_or("it does not last");
        ParentState::Guarding { end: ParentEnd::Failed, reason: format!("what was to guard it did not work: {why}") }
    })
}

/// What guards `uncovered`: one more pair, or room for one, or the way out at once where no pair would help.
fn cover(parent: &Parent, look: &Look<'_>, protection: &Protection, tally: &Tally, uncovered: Quantity) -> Option<Due> {
    // what the venue would not take as protection is no reason to stand without any
    let alone = || stand_in(parent, look, protection, tally, uncovered);
    let leaves = || leave_bare(parent, look, uncovered).or_else(alone);
    if parent.guard.unwanted {
        return leaves();
    }
    if let Some(passed) = passed(parent, look, protection) {
        return match parent.state {
            ParentState::Guarding { .. } => leaves(),
            _ => Some(Due::Move(ParentState::Guarding { end: ParentEnd::Finished, reason: past(passed).to_owned() })),
        };
    }
    let since = tally.newest.map(|newest| look.now.since(newest));
    if !parent.is_settled() && since.is_some_and(|since| since < BURST) {
        return None; // more of it may fill in the same moment
    }
    if tally.pairs.len() < PAIRS_MAX {
        return pair(parent, look, protection, tally.next, uncovered);
    }
    make_room(parent, look, tally, uncovered)
}

const fn past(passed: Passed) -> &'static str {
    match passed {
        Passed::Stop => "the market was past its stop",
        Passed::Target => "the market was past its target",
    }
}

/// Takes the smallest pair back, unless one is being taken back, for one that stands for it and what is uncovered.
pub(crate) fn make_room(parent: &Parent, look: &Look<'_>, tally: &Tally, uncovered: Quantity) -> Option<Due> {
    let guarded = tally.pairs.values().fold(Quantity::ZERO, |sum, rest| sum + *rest);
    let is_small = uncovered.mantissa() < guarded.mantissa() / SMALL_PART;
    let since = tally.newest.map(|newest| look.now.since(newest));
    if is_small && since.is_some_and(|since| since < MERGE_AFTER) {
        return None;
    }
    let of_pair = |child: &&Child, nth: u32| {
        matches!(child.role, Role::Target(n) | Role::Stop(n) if n == nth) && child.may_fill()
    };
    let goes = |nth: &u32| parent.children.iter().any(|it| of_pair(&it, *nth) && it.cancel_asked.is_some());
    let going = tally.pairs.keys().copied().find(goes);
    let smallest = || tally.pairs.iter().min_by_key(|(_, rest)| **rest).map(|(nth, _)| *nth);
    let nth = going.or_else(smallest)?;
    parent.children.iter().filter(|child| of_pair(child, nth)).find_map(|child| child.cancel(look.now))
}

/// What enters, now that all that has filled is guarded.
fn enter(parent: &Parent, look: &Look<'_>, protection: &Protection, tally: &Tally) -> Option<Due> {
    if parent.children.iter().any(Child::is_unsure) || look.now < parent.faults.not_before {
        return None;
    }
    if parent.has_failed_too_often() {
        return Some(parent.pause());
    }
    if let Some(passed) = passed(parent, look, protection) {
        let holds = !look.is_dust(tally.entered - tally.left);
        let rests = passed == Passed::Target && !matches!(parent.wish.request.kind, OrderKind::Market);
        if holds {
            return None; // its pair says whether that was the end
        }
        if !rests {
            let reason = past(passed).to_owned();
            return Some(Due::Move(ParentState::Guarding { end: ParentEnd::Cancelled, reason }));
        }
    }
    match parent.by_plan(look)? {
        Due::Move(ParentState::Over { end, reason } | ParentState::Ending { end, reason }) => {
            Some(Due::Move(ParentState::Guarding { end, reason }))
        }
        due => Some(due),
    }
}

/// The end, once nothing of it can fill and nothing is held.
fn over(parent: &Parent, look: &Look<'_>, tally: &Tally, end: ParentEnd, reason: &str) -> Option<Due> {
    let held = Quantity::from_mantissa(look.position.mantissa().saturating_mul(parent.wish.request.side.sign()));
    let waits = !look.is_dust(tally.bare()) && !look.is_dust(held); // another order is about to close it, and may yet not
    if waits || !parent.is_quiet() {
        return None;
    }
    let reason = if tally.entered.is_zero() { reason.to_owned() } else { format!("{reason}: {}", tally.text(look)) };
    Some(Due::Move(ParentState::Over { end, reason }))
}
