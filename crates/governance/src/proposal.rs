//! An order that waits for people: bound to its exact bytes, for 120 seconds, in one run, for one use.

use crate::{Name, Principal, Refused, Role, Rule, Wish, WishHash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use tradewind_domain::{ClientOrderId, Incarnation, Sequence, Timestamp};

/// How long a proposal lives, by event time: 120 seconds in nanoseconds.
pub const PROPOSAL_LIFE_NANOS: i64 = 120 * 1_000_000_000;

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalState {
    /// It waits for people.
    Proposed,
    /// A person sent it back and said what would have to change: the changed one is a new proposal.
    NeedsChanges,
    /// Enough persons said yes; the gate is asked once more.
    Approved,
    /// A person said no, or the gate did when asked again.
    Rejected,
    /// It became an order.
    Submitted,
    /// The order filled.
    Filled,
    /// Withdrawn, or its order was cancelled.
    Cancelled,
    /// Its time ran out.
    Expired,
    /// It belongs to an earlier run, or was edited.
    Void,
}

impl ProposalState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Proposed,
        Self::NeedsChanges,
        Self::Approved,
        Self::Rejected,
        Self::Submitted,
        Self::Filled,
        Self::Cancelled,
        Self::Expired,
        Self::Void,
    ];

    /// Whether it may still become an order.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Approved)
    }

    /// Whether `next` may follow. No state is left twice by the same way, and none that is over is left at all.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Proposed => !matches!(next, Self::Proposed | Self::Submitted | Self::Filled),
            // in journals of before logic 5, where it was followed by an end of another kind
            Self::NeedsChanges => matches!(next, Self::Rejected | Self::Cancelled | Self::Expired | Self::Void),
            Self::Approved => matches!(next, Self::Submitted | Self::Rejected | Self::Void),
            Self::Submitted => matches!(next, Self::Filled | Self::Cancelled | Self::Rejected | Self::Expired),
            Self::Rejected | Self::Filled | Self::Cancelled | Self::Expired | Self::Void => false,
        }
    }
}

impl fmt::Display for ProposalState {
    /// What is to be said of a proposal in it: "was rejected".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proposed => "waits for people",
            Self::NeedsChanges => "was sent back to be changed",
            Self::Approved => "was approved",
            Self::Rejected => "was rejected",
            Self::Submitted => "became an order",
            Self::Filled => "became an order, which is filled",
            Self::Cancelled => "was withdrawn, or its order cancelled",
            Self::Expired => "ran out of its time, or its order did",
            Self::Void => "was made void by a restart",
        })
    }
}

/// A proposal as the register keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The event that asked for it.
    pub id: Sequence,
    /// What is asked for, whole.
    pub wish: Wish,
    /// The hash that approvals are bound to.
    pub hash: WishHash,
    /// How many persons it needs.
    pub quorum: u8,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// The run that it belongs to.
    pub incarnation: Incarnation,
    /// Where it stands.
    pub state: ProposalState,
    /// Who said yes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub approvals: BTreeSet<Name>,
    /// The event with which the last yes came: this one, and no other, releases it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_by: Option<Sequence>,
    /// The order that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<ClientOrderId>,
    /// The order that goes with that one, of a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_order: Option<ClientOrderId>,
    /// Why it ended, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Held {
    /// A new proposal.
    #[must_use]
    pub fn new(id: Sequence, wish: Wish, quorum: u8, asked_at: Timestamp, incarnation: Incarnation) -> Self {
        Self {
            id,
            hash: wish.hash(),
            wish,
            quorum,
            asked_at,
            incarnation,
            state: ProposalState::Proposed,
            approvals: BTreeSet::new(),
            completed_by: None,
            order: None,
            other_order: None,
            note: String::new(),
        }
    }

    /// The moment from which it is dead.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.asked_at.plus_nanos(PROPOSAL_LIFE_NANOS)
    }

    /// Whether `by`, who saw `hash`, may approve it at `now` in the run `incarnation`.
    ///
    /// # Errors
    /// The first rule that says no.
    pub fn check_approval(
        &self,
        by: &Principal,
        hash: &WishHash,
        now: Timestamp,
        incarnation: Incarnation,
    ) -> Result<(), Refused> {
        self.check_open(now, incarnation)?;
        if by.kind != crate::Kind::Person {
            return Err(Refused::new(Rule::NotAPerson, format!("{} is no person", by.name), "a person"));
        }
        if by.name == self.wish.by {
            return Err(Refused::new(Rule::OwnProposal, by.name.as_str(), "somebody else"));
        }
        if !by.has(Role::Approver) {
            return Err(Refused::new(Rule::NoRole, by.name.as_str(), "the role approver"));
        }
        if !same_text(hash.as_str(), self.hash.as_str()) {
            return Err(Refused::new(Rule::Changed, hash.as_str(), self.hash.as_str()));
        }
        if self.approvals.contains(&by.name) {
            return Err(Refused::new(Rule::SaidAlready, by.name.as_str(), "each person once"));
        }
        Ok(())
    }

    /// Whether `by` may reject it or send it back: a person with the role, or whoever asked for it.
    ///
    /// # Errors
    /// The first rule that says no.
    pub fn check_rejection(&self, by: &Principal, now: Timestamp, incarnation: Incarnation) -> Result<(), Refused> {
        self.check_open(now, incarnation)?;
        match by.has(Role::Approver) || by.name == self.wish.by {
            true => Ok(()),
            false => Err(Refused::new(Rule::NoRole, by.name.as_str(), "the role approver, or the proposer")),
        }
    }

    fn check_open(&self, now: Timestamp, incarnation: Incarnation) -> Result<(), Refused> {
        if self.state == ProposalState::Void || self.incarnation != incarnation {
            return Err(Refused::new(Rule::Void, format!("proposal {} is void", self.id), "one of this run"));
        }
        let age = now.since(self.asked_at);
        if self.state == ProposalState::Expired || age >= PROPOSAL_LIFE_NANOS {
            return Err(Refused::new(Rule::Expired, format!("{} s old", age / 1_000_000_000), "120 s"));
        }
        match self.state {
            ProposalState::Proposed => Ok(()),
            state => {
                Err(Refused::new(Rule::Used, format!("proposal {} {state}", self.id), "one that waits for people"))
            }
        }
    }
}

/// Compares without telling by its time where two texts of one length differ.
fn same_text(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}
