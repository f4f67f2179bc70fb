//! Changes of limits and policy: downwards at once, upwards only by two persons within a day.

use crate::{Name, Policy, Principal, Refused, Role, Roster, Rule, Stage};
use serde::{Deserialize, Serialize};
use std::fmt;
use tradewind_domain::{PortfolioId, Sequence, Timestamp};

mod read;

/// How long a change waits for its second person: 24 hours in nanoseconds.
pub const CHANGE_WINDOW_NANOS: i64 = 24 * 3_600 * 1_000_000_000;

/// Which way a number gets tighter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tighter {
    /// A cap.
    Lower,
    /// A floor.
    Higher,
    /// A choice without an order: any other may allow more.
    Same,
}

/// Whether `new` allows more than `old`; no number at all allows the most.
#[must_use]
pub fn loosens(tighter: Tighter, old: Option<i64>, new: Option<i64>) -> bool {
    match (tighter, old, new) {
        (Tighter::Same, old, new) => new != old,
        (Tighter::Lower | Tighter::Higher, None, _) => false,
        (Tighter::Lower | Tighter::Higher, Some(_), None) => true,
        (Tighter::Lower, Some(old), Some(new)) => new > old,
        (Tighter::Higher, Some(old), Some(new)) => new < old,
    }
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Changed {
    /// One number of a portfolio's limits. `None` is no limit.
    Limit {
        /// Whose.
        portfolio: PortfolioId,
        /// Its name, such as `max_order.equity_bps`.
        name: String,
        /// Which way is down.
        tighter: Tighter,
        /// What it is.
        old: Option<i64>,
        /// What it is to be.
        new: Option<i64>,
    },
    /// One number of the account's limits, which hold for all portfolios together. `None` is no limit.
    AccountLimit {
        /// Its name, such as `gross`.
        name: String,
        /// Which way is down.
        tighter: Tighter,
        /// What it is.
        old: Option<i64>,
        /// What it is to be.
        new: Option<i64>,
    },
    /// Which sector an asset counts to; `None` is none, which no sector's limit bounds.
    Sector {
        /// The asset's code.
        asset: String,
        /// Where it counts.
        old: Option<String>,
        /// Where it is to count.
        new: Option<String>,
    },
    /// The stage of the roll-out; `None` is no stage, which is no cap. The same stage again begins its evidence anew.
    Stage {
        /// What it is.
        old: Option<Box<Stage>>,
        /// What it is to be.
        new: Option<Box<Stage>>,
    },
    /// Who the persons are, what each may do, and what proves them.
    Operators {
        /// Who they are.
        old: Box<Roster>,
        /// Who they are to be.
        new: Box<Roster>,
    },
    /// Trading goes on after a kill switch or a breaker over losses: what must not be one person's word alone.
    Resume {
        /// What holds it, in words: whoever agrees agrees to the end of these and of nothing else.
        holds: Vec<String>,
    },
    /// The whole policy.
    Policy {
        /// What it is.
        old: Box<Policy>,
        /// What it is to be.
        new: Box<Policy>,
    },
}

impl Changed {
    /// Whether it allows more than before, which takes two.
    #[must_use]
    pub fn loosens(&self) -> bool {
        match self {
            Self::Limit { tighter, old, new, .. } | Self::AccountLimit { tighter, old, new, .. } => {
                loosens(*tighter, *old, *new)
            }
            // out of one sector into another frees room in the first
            Self::Sector { old, new, .. } => old.is_some() && old != new,
            Self::Stage { old, new } => {
                let capital = |stage: &Option<Box<Stage>>| stage.as_ref().map(|stage| stage.capital);
                loosens(Tighter::Lower, capital(old), capital(new))
            }
            Self::Operators { old, new } => old != new, // whoever names the persons, or their tokens, can be all of them
            Self::Resume { .. } => true,
            Self::Policy { old, new } => !new.looser_than(old).is_empty(),
        }
    }
}

/// Where a change stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum ChangeState {
    /// It waits for a second person.
    Asked,
    /// It holds.
    Done {
        /// The second person, if it took one.
        approver: Option<Name>,
    },
    /// A person said no.
    Rejected {
        /// Who. Records of before logic 5 call it `by`, as they call whoever asked.
        #[serde(alias = "by")]
        rejected_by: Name,
    },
}

impl fmt::Display for ChangeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("waits for a second person"),
            Self::Done { approver: None } => f.write_str("is in force"),
            Self::Done { approver: Some(name) } => write!(f, "is in force, approved by {name}"),
            Self::Rejected { rejected_by } => write!(f, "was rejected by {rejected_by}"),
        }
    }
}

/// A change with everything an auditor asks: who, when, old, new, why, approved by whom.
///
/// Snapshots of before logic 5 have `by` twice where somebody rejected it: first who asked, then who said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The event that asked for it.
    pub id: Sequence,
    /// What from, and what to.
    #[serde(flatten)]
    pub changed: Changed,
    /// Who asked.
    pub by: Name,
    /// When.
    pub asked_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Where it stands.
    #[serde(flatten)]
    pub state: ChangeState,
}

impl Change {
    /// Whether `by` may approve it at `now`.
    ///
    /// # Errors
    /// The first rule that says no.
    pub fn check_approval(&self, by: &Principal, now: Timestamp) -> Result<(), Refused> {
        self.check_rejection(by, now)?;
        if by.name == self.by {
            return Err(Refused::new(Rule::OwnProposal, by.name.as_str(), "somebody else"));
        }
        Ok(())
    }

    /// Whether `by` may reject it at `now`; whoever asked may take it back.
    ///
    /// # Errors
    /// The first rule that says no.
    pub fn check_rejection(&self, by: &Principal, now: Timestamp) -> Result<(), Refused> {
        if self.state != ChangeState::Asked {
            let value = format!("change {} {}", self.id, self.state);
            return Err(Refused::new(Rule::Used, value, "one that waits for a second person"));
        }
        if now.since(self.asked_at) >= CHANGE_WINDOW_NANOS {
            let hours = now.since(self.asked_at) / 3_600_000_000_000;
            return Err(Refused::new(Rule::ChangeExpired, format!("{hours} h old"), "24 h"));
        }
        if by.kind != crate::Kind::Person {
            return Err(Refused::new(Rule::NotAPerson, format!("{} is no person", by.name), "a person"));
        }
        match by.has(Role::Risk) {
            true => Ok(()),
            false => Err(Refused::new(Rule::NoRole, by.name.as_str(), "the role risk")),
        }
    }
}

impl Policy {
    /// Every part in which this policy allows more than `old`, by name; empty if it only tightens.
    #[must_use]
    pub fn looser_than(&self, old: &Self) -> Vec<String> {
        let mut looser = Vec::new();
        let mut note = |is: bool, name: &str| {
            if is {
                looser.push(name.to_owned())
            }
        };
        note(old.deny.iter().any(|deny| !self.deny.contains(deny)), "deny");
        let (mine, theirs) = (&self.allow, &old.allow);
        for (name, new, old) in [
            ("allow.venues", &mine.venues, &theirs.venues),
            ("allow.markets", &mine.markets, &theirs.markets),
            ("allow.symbols", &mine.symbols, &theirs.symbols),
            ("allow.chains", &mine.chains, &theirs.chains),
            ("allow.tokens", &mine.tokens, &theirs.tokens),
            ("allow.routers", &mine.routers, &theirs.routers),
        ] {
            // an empty list allows all on paper and nothing live, so becoming empty or ceasing to be may loosen
            let loosens = new != old && (new.is_empty() || old.is_empty() || !new.is_subset(old));
            note(loosens, name);
        }
        note(mine.addresses.keys().any(|address| !theirs.addresses.contains_key(address)), "allow.addresses");
        for (name, new, old) in [
            ("caps.order", self.caps.order, old.caps.order),
            ("caps.day", self.caps.day, old.caps.day),
            ("caps.orders_day", self.caps.orders_day.map(i64::from), old.caps.orders_day.map(i64::from)),
            ("stage", capital(self), capital(old)),
        ] {
            note(loosens(Tighter::Lower, old, new), name);
        }
        note(self.sources_loosen(old), "sources");
        note(self.approvals_loosen(old), "approvals");
        note(self.require_decision < old.require_decision, "require_decision");
        looser
    }

    fn sources_loosen(&self, old: &Self) -> bool {
        let names = self.sources.keys().chain(old.sources.keys());
        names.into_iter().any(|name| {
            let rule = |policy: &Self| policy.sources.get(name).copied().unwrap_or_default();
            let (new, old) = (rule(self), rule(old));
            let count = |rule: &crate::SourceRule| rule.caps.orders_day.map(i64::from);
            new.autonomy != old.autonomy && new.autonomy.is_none_or(|new| old.autonomy.is_none_or(|old| new > old))
                || loosens(Tighter::Lower, old.caps.order, new.caps.order)
                || loosens(Tighter::Lower, old.caps.day, new.caps.day)
                || loosens(Tighter::Lower, count(&old), count(&new))
        })
    }

    /// Whether some size needs fewer persons than before. The quorum changes at thresholds only, so those suffice.
    fn approvals_loosen(&self, old: &Self) -> bool {
        let quorum = |policy: &Self, at: i64| {
            policy.approvals.iter().filter(|it| it.from <= at).map(|it| it.quorum).max().unwrap_or(0)
        };
        let mut sizes = old.approvals.iter().chain(&self.approvals).map(|threshold| threshold.from);
        sizes.any(|size| quorum(self, size) < quorum(old, size))
    }
}

fn capital(policy: &Policy) -> Option<i64> {
    policy.stage.as_ref().map(|stage| stage.capital)
}
