//! The folded state of everything that governance remembers, and the words and facts that move it.
//!
//! A *word* is what somebody says ([`Act::ApprovalSaid`] and its like); it changes nothing by itself.
//! [`Register::judge`] answers it with *facts*, which the host records and [`Register::apply`] folds. Recovery folds
//! facts alone, so a later version of the rules cannot change what was decided.

use crate::keys::compare;
use crate::{
    CHANGE_WINDOW_NANOS, Change, ChangeState, Changed, Held, IdempotencyKey, KEY_LIFE_NANOS, KeyOutcome, KeyUse, Kind,
    Known, Latch, Name, NamedDecision, Policy, Principal, ProposalState, Refused, Role, Rollout, Roster, Rule, Scope,
    Stage, Usage, WishHash,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{AccountId, ClientOrderId, Incarnation, PortfolioId, Sequence, Source, Timestamp};

/// Proposals and changes that are over and still listed.
const OVER_KEPT: usize = 256;
/// Signed calls of the kill switch that are remembered, the newest: none of them counts again.
pub const HALT_CALLS_KEPT: usize = 1_024;
/// Decisions that an order may still name.
const DECISIONS_KEPT: usize = 256;
const DAY_NANOS: i64 = 24 * 3_600 * 1_000_000_000;

/// A word or a fact of governance. Words are marked; everything else is a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Who the persons are, by the settings. Empty is the one local user.
    OperatorsSet {
        /// All of them.
        operators: Vec<Principal>,
        /// SHA-256 of each one's token, in lower-case hex.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tokens: BTreeMap<Name, String>,
    },
    /// An order waits for people.
    Held(Box<Held>),
    /// Word: a person approves what it saw.
    ApprovalSaid {
        /// Which proposal.
        proposal: Sequence,
        /// The hash that was shown.
        hash: WishHash,
        /// Who.
        by: Principal,
    },
    /// An approval counts.
    Approved {
        /// Which proposal.
        proposal: Sequence,
        /// Whose.
        by: Name,
    },
    /// Word: somebody rejects a proposal, sends it back, or withdraws it.
    RejectionSaid {
        /// Which proposal.
        proposal: Sequence,
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
        /// Whether a changed one would do.
        changes: bool,
    },
    /// A proposal goes to its next state.
    Moved {
        /// Which proposal.
        proposal: Sequence,
        /// Where to.
        to: ProposalState,
        /// The order that it became.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<ClientOrderId>,
        /// The order that goes with it, of a pair.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<ClientOrderId>,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// A word that changed nothing, and why.
    Refused(Refused),
    /// Word: somebody wants a limit or the policy changed.
    ChangeSaid {
        /// What from, and what to.
        changed: Changed,
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    },
    /// A change that holds already, or waits for its second person.
    ChangeAsked(Change),
    /// Word: somebody approves a change, or rejects it.
    ChangeAnswered {
        /// Which change.
        change: Sequence,
        /// Who.
        by: Principal,
        /// Yes or no.
        yes: bool,
    },
    /// A change goes to its next state.
    ChangeMoved {
        /// Which change.
        change: Sequence,
        /// Where to.
        to: ChangeState,
    },
    /// A kill switch was thrown. Anybody may.
    Latched {
        /// What it covers.
        scope: Scope,
        /// Who, when, why.
        latch: Latch,
    },
    /// Word: somebody wants it cleared.
    ClearSaid {
        /// What it covers.
        scope: Scope,
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    },
    /// It is cleared.
    Cleared {
        /// What it covered.
        scope: Scope,
        /// By whom.
        by: Name,
        /// Why.
        reason: String,
    },
    /// Who says the next thing: a person's proposal follows at once, or after the claim of its key.
    Speaks {
        /// Who.
        by: Principal,
    },
    /// A key was used for the first time; the very next event is the request.
    KeyClaimed {
        /// The key.
        key: IdempotencyKey,
        /// SHA-256 of the request, in hex.
        payload: String,
    },
    /// What became of the request under a key, where it is no order and no proposal.
    KeyDone {
        /// The key.
        key: IdempotencyKey,
        /// Its outcome.
        outcome: KeyOutcome,
    },
    /// Somebody names the decision that its next order follows. The order names this event as its cause.
    DecisionNamed(NamedDecision),
    /// The kill switch was thrown by a signed call, which counts once. Heard of the operators' door alone.
    HaltCalled {
        /// When it was signed, in milliseconds since 1970.
        issued_at: i64,
        /// What no other call has.
        nonce: String,
    },
    /// An order was approved that counts towards the caps of the day. Kept even if it is never filled.
    Spent {
        /// Whose.
        by: Name,
        /// Notional in ledger units of the base currency.
        units: i64,
    },
}

/// What one source has ordered in a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Notional in ledger units of the base currency; it sticks at the end of its range, where every cap refuses.
    pub units: i64,
    /// Number of orders.
    pub orders: u32,
}

/// What was ordered in one UTC day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySpent {
    /// Days since 1970.
    pub day: i64,
    /// By whom.
    pub by: BTreeMap<Name, Spent>,
}

/// Everything that governance remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Register {
    /// The policy in force; none judges nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The persons, by the settings. Empty is the one local user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Principal>,
    /// SHA-256 of each one's token, in lower-case hex.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tokens: BTreeMap<Name, String>,
    /// Proposals by the event that asked for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub proposals: BTreeMap<Sequence, Held>,
    /// Changes by the event that asked for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<Sequence, Change>,
    /// Limits that were changed at run time, by `portfolio/name` or `account/name`: they outlive a restart.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, Option<i64>>,
    /// Sectors of assets that were changed at run time, by the asset's code: they outlive a restart as well.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sectors: BTreeMap<String, Option<String>>,
    /// Kill switches that are on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub latches: BTreeMap<Scope, Latch>,
    /// Idempotency keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<IdempotencyKey, KeyUse>,
    /// The key whose request is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<IdempotencyKey>,
    /// Who spoke last, and with which event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<(Sequence, Principal)>,
    /// Which person asked last, and with which event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<(Sequence, Name)>,
    /// Whose an open order is that a named person placed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub placed: BTreeMap<ClientOrderId, Name>,
    /// What was ordered today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<DaySpent>,
    /// Signed calls of the kill switch that were accepted, by moment and nonce.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub halt_calls: BTreeSet<(i64, String)>,
    /// The newest decisions that orders may name, by the event that records each: those that were named, and, where
    /// the policy requires decisions, those of strategies and agents.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<Sequence, NamedDecision>,
    /// The roll-out, once one was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Box<Rollout>>,
}

/// The place of an event that carries an [`Act`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Its number.
    pub sequence: Sequence,
    /// Its time.
    pub now: Timestamp,
    /// The run that it belongs to.
    pub incarnation: Incarnation,
}

impl Register {
    /// Whether nothing was ever governed here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Answers a word with the facts that follow from it; a fact is answered with none.
    #[must_use]
    pub fn judge(&self, act: &Act, at: At) -> Vec<Act> {
        let answer = match act {
            Act::ApprovalSaid { proposal, hash, by } => self.approval(*proposal, hash, by, at),
            Act::RejectionSaid { proposal, by, reason, changes } => self.rejection(*proposal, by, reason, *changes, at),
            Act::ChangeSaid { changed, by, reason } => self.change(changed, by, reason, at),
            Act::ChangeAnswered { change, by, yes } => self.change_answer(*change, by, *yes, at),
            Act::ClearSaid { scope, by, reason } => self.clear(scope, by, reason),
            Act::OperatorsSet { .. }
            | Act::Held(_)
            | Act::Approved { .. }
            | Act::Moved { .. }
            | Act::Refused(_)
            | Act::ChangeAsked(_)
            | Act::ChangeMoved { .. }
            | Act::Latched { .. }
            | Act::Cleared { .. }
            | Act::Speaks { .. }
            | Act::KeyClaimed { .. }
            | Act::KeyDone { .. }
            | Act::DecisionNamed(_)
            | Act::HaltCalled { .. }
            | Act::Spent { .. } => return Vec::new(),
        };
        vec![answer.unwrap_or_else(Act::Refused)]
    }

    fn held(&self, id: Sequence) -> Result<&Held, Refused> {
        self.proposals.get(&id).ok_or_else(|| Refused::new(Rule::NoProposal, id.to_string(), "a listed proposal"))
    }

    fn approval(&self, id: Sequence, hash: &WishHash, by: &Principal, at: At) -> Result<Act, Refused> {
        self.held(id)?.check_approval(by, hash, at.now, at.incarnation)?;
        Ok(Act::Approved { proposal: id, by: by.name.clone() })
    }

    fn rejection(&self, id: Sequence, by: &Principal, reason: &str, changes: bool, at: At) -> Result<Act, Refused> {
        let held = self.held(id)?;
        held.check_rejection(by, at.now, at.incarnation)?;
        let to = match (by.name == held.wish.by, changes) {
            (true, _) => ProposalState::Cancelled,
            (false, true) => ProposalState::NeedsChanges,
            (false, false) => ProposalState::Rejected,
        };
        Ok(Act::Moved { proposal: id, to, order: None, other: None, note: format!("{}: {reason}", by.name) })
    }

    fn change(&self, changed: &Changed, by: &Principal, reason: &str, at: At) -> Result<Act, Refused> {
        let settings = by.kind == Kind::System; // what stands in the settings at start is the owner's word
        if !settings && by.kind != Kind::Person {
            return Err(Refused::new(Rule::NotAPerson, format!("{} is no person", by.name), "a person"));
        }
        if !settings && !by.has(Role::Risk) {
            return Err(Refused::new(Rule::NoRole, by.name.as_str(), "the role risk"));
        }
        if let Changed::Stage { old, new } = changed {
            self.check_stage(old.as_deref(), new.as_deref())?;
        }
        let seconds = self.persons(Role::Risk).filter(|person| person.name != by.name).count();
        let state = match changed.loosens() {
            true if seconds > 0 && self.two_persons() => ChangeState::Asked,
            true if !settings => {
                return Err(Refused::new(Rule::SecondPerson, "one person with the role risk", "two"));
            }
            _ => ChangeState::Done { approver: None },
        };
        let (changed, by, reason) = (changed.clone(), by.name.clone(), reason.to_owned());
        Ok(Act::ChangeAsked(Change { id: at.sequence, changed, by, asked_at: at.now, reason, state }))
    }

    fn change_answer(&self, id: Sequence, by: &Principal, yes: bool, at: At) -> Result<Act, Refused> {
        let change =
            self.changes.get(&id).ok_or_else(|| Refused::new(Rule::NoChange, id.to_string(), "a listed change"))?;
        if !yes {
            change.check_rejection(by, at.now)?;
            return Ok(Act::ChangeMoved { change: id, to: ChangeState::Rejected { by: by.name.clone() } });
        }
        change.check_approval(by, at.now)?;
        let later = |it: &&Change| {
            it.id != id
                && matches!(it.state, ChangeState::Done { .. })
                && subject(&it.changed) == subject(&change.changed)
        };
        if let Some(later) = self.changes.values().filter(later).find(|it| it.id > id) {
            return Err(Refused::new(Rule::ChangeStale, format!("changed again by {}", later.id), "the value it was"));
        }
        if let Changed::Stage { old, new } = &change.changed {
            self.check_stage(old.as_deref(), new.as_deref())?; // what was seen meanwhile counts as well
        }
        if change.by == Principal::of_source(Source::Host).name {
            // what the settings ask for nobody has said yet: it is this person's now, and waits for another one
            return Ok(Act::ChangeAsked(Change { by: by.name.clone(), ..change.clone() }));
        }
        Ok(Act::ChangeMoved { change: id, to: ChangeState::Done { approver: Some(by.name.clone()) } })
    }

    /// Whether the roll-out may go from `old` to `new`: back as far as anybody wants, on by one stage whose criteria are
    /// met.
    fn check_stage(&self, old: Option<&Stage>, new: Option<&Stage>) -> Result<(), Refused> {
        let name = |stage: Option<&Stage>| stage.map_or_else(|| "none".to_owned(), |stage| stage.name.clone());
        let current = self.stage();
        if old != current {
            return Err(Refused::new(
                Rule::ChangeStale,
                format!("stage {}", name(old)),
                format!("stage {}", name(current)),
            ));
        }
        let Some(current) = current else { return Ok(()) };
        if new.is_some_and(|new| new.capital <= current.capital) {
            return Ok(());
        }
        let seen = self.rollout.as_ref().map(|rollout| rollout.seen).unwrap_or_default();
        match current.next(&seen)? {
            next if next.as_ref() == new => Ok(()),
            next => Err(Refused::new(
                Rule::Criteria,
                format!("stage {}", name(new)),
                format!("stage {}", name(next.as_ref())),
            )),
        }
    }

    /// The stage that caps what is at risk, if one does.
    #[must_use]
    pub fn stage(&self) -> Option<&Stage> {
        self.policy.as_ref().and_then(|policy| policy.stage.as_ref())
    }

    fn clear(&self, scope: &Scope, by: &Principal, reason: &str) -> Result<Act, Refused> {
        let latch = self
            .latches
            .get(scope)
            .ok_or_else(|| Refused::new(Rule::NotLatched, scope.to_string(), "something that is latched"))?;
        latch.check_clear(by, self.two_persons())?;
        Ok(Act::Cleared { scope: scope.clone(), by: by.name.clone(), reason: reason.to_owned() })
    }

    /// Everybody known with `role`; the local user alone where the settings name nobody.
    fn persons(&self, role: Role) -> impl Iterator<Item = Principal> {
        let known = if self.operators.is_empty() { vec![Principal::operator()] } else { self.operators.clone() };
        known.into_iter().filter(move |person| person.has(role))
    }

    /// Whether at least two persons may change limits, so that the two-person rule can be kept.
    #[must_use]
    pub fn two_persons(&self) -> bool {
        let names: BTreeSet<Name> = self.persons(Role::Risk).map(|person| person.name).collect();
        names.len() >= 2
    }

    /// Whether `quorum` persons other than `by` could approve.
    ///
    /// # Errors
    /// [`Rule::SecondPerson`] if there are not so many.
    pub fn check_reachable(&self, by: &Name, quorum: u8) -> Result<(), Refused> {
        let names: BTreeSet<Name> = self.persons(Role::Approver).map(|person| person.name).collect();
        let others = names.iter().filter(|name| *name != by).count();
        if others >= usize::from(quorum) {
            return Ok(());
        }
        let value = format!("{others} persons beside {by} may approve");
        Err(Refused::new(Rule::SecondPerson, value, format!("{quorum} persons")))
    }

    /// The proposal that the event `sequence` has completed: the one moment at which it may be released.
    #[must_use]
    pub fn released_by(&self, sequence: Sequence) -> Option<&Held> {
        let held = self.proposals.values().rev().find(|held| held.completed_by == Some(sequence))?;
        (held.state == ProposalState::Approved).then_some(held)
    }

    /// Proposals whose time has run out by `now`, as the facts that end them.
    #[must_use]
    pub fn expire(&self, now: Timestamp) -> Vec<Act> {
        let waits = |held: &&Held| matches!(held.state, ProposalState::Proposed | ProposalState::NeedsChanges);
        let over = self.proposals.values().filter(waits).filter(|held| held.expires_at() <= now);
        let ends = over.map(|held| Act::Moved {
            proposal: held.id,
            to: ProposalState::Expired,
            order: None,
            other: None,
            note: "120 s are over".to_owned(),
        });
        ends.collect()
    }

    /// Whether a timer has something to end.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.proposals.values().any(|held| held.state.is_open())
    }

    /// What is latched over an order of `source`, behind which the person `by` stands, for `account` at `venue`, the
    /// widest first.
    #[must_use]
    pub fn latched(
        &self,
        source: Source,
        by: Option<&Name>,
        account: AccountId,
        venue: &str,
    ) -> Option<(&Scope, &Latch)> {
        self.latches.iter().find(|(scope, _)| scope.covers(source, by, account, venue))
    }

    /// What is known of a key.
    #[must_use]
    pub fn key(&self, key: &IdempotencyKey, payload: &str, now: Timestamp) -> Known {
        compare(key, self.keys.get(key), payload, now)
    }

    /// Fills in what `by` and all have ordered on the UTC day of `usage.now`; an event of before the day last spent in
    /// meets what was spent since.
    #[must_use]
    pub fn with_spent(&self, by: &Name, usage: Usage) -> Usage {
        let today = self.spent.as_ref().filter(|spent| spent.day >= day_of(usage.now));
        let Some(today) = today else { return Usage { source_day: 0, source_orders: 0, day: 0, ..usage } };
        let own = today.by.get(by).copied().unwrap_or_default();
        Usage {
            source_day: own.units.into(),
            source_orders: own.orders,
            day: today.by.values().map(|spent| i128::from(spent.units)).sum(),
            ..usage
        }
    }

    /// The persons on record.
    #[must_use]
    pub fn roster(&self) -> Roster {
        Roster { operators: self.operators.clone(), tokens: self.tokens.clone() }
    }

    /// Whether `changed` waits for people at `now` already.
    #[must_use]
    pub fn awaits(&self, changed: &Changed, now: Timestamp) -> bool {
        let waits = |it: &Change| it.state == ChangeState::Asked && now.since(it.asked_at) < CHANGE_WINDOW_NANOS;
        self.changes.values().any(|it| waits(it) && it.changed == *changed)
    }

    /// The value that a run-time change gave a limit, if one did; it outlives a restart.
    #[must_use]
    pub fn overridden(&self, portfolio: PortfolioId, name: &str) -> Option<Option<i64>> {
        self.overrides.get(&override_key(portfolio, name)).copied()
    }

    /// As [`Self::overridden`] for a limit of the account.
    #[must_use]
    pub fn overridden_account(&self, name: &str) -> Option<Option<i64>> {
        self.overrides.get(&account_key(name)).copied()
    }

    /// The sector that a run-time change gave an asset, if one did.
    #[must_use]
    pub fn overridden_sector(&self, asset: &str) -> Option<Option<&str>> {
        self.sectors.get(asset).map(Option::as_deref)
    }

    /// Folds a fact; a word changes nothing. Gives back the change that has just come into force, if one has.
    pub fn apply(&mut self, act: &Act, at: At) -> Option<Changed> {
        match act {
            Act::OperatorsSet { operators, tokens } => {
                (self.operators, self.tokens) = (operators.clone(), tokens.clone());
            }
            Act::Held(held) => {
                self.note_outcome(held.id, &KeyOutcome::Held { proposal: held.id });
                self.proposals.insert(held.id, (**held).clone());
                forget(&mut self.proposals, |held| !held.state.is_open());
            }
            Act::Approved { proposal, by } => self.approve(*proposal, by, at.sequence),
            Act::Moved { proposal, to, order, other, note } => self.shift(*proposal, *to, [*order, *other], note),
            Act::ChangeAsked(change) => {
                self.changes.insert(change.id, change.clone());
                forget(&mut self.changes, |change| {
                    change.state != ChangeState::Asked || at.now.since(change.asked_at) >= CHANGE_WINDOW_NANOS
                });
                return self.settle(change.id, at.now);
            }
            Act::ChangeMoved { change, to } => {
                if let Some(known) = self.changes.get_mut(change) {
                    known.state = to.clone();
                    return self.settle(*change, at.now);
                }
            }
            Act::Latched { scope, latch } => {
                self.latches.entry(scope.clone()).or_insert_with(|| latch.clone()); // the first reason stays
            }
            Act::Cleared { scope, .. } => drop(self.latches.remove(scope)),
            Act::Speaks { by } => self.speaker = Some((at.sequence, by.clone())),
            Act::KeyClaimed { key, payload } => self.claim(key, payload, at),
            Act::KeyDone { key, outcome } => {
                if let Some(used) = self.keys.get_mut(key) {
                    used.outcome = outcome.clone();
                }
                self.claim = None;
            }
            Act::DecisionNamed(decision) => self.note_decision(at.sequence, decision.clone()),
            Act::HaltCalled { issued_at, nonce } => {
                self.halt_calls.insert((*issued_at, nonce.clone()));
                while self.halt_calls.len() > HALT_CALLS_KEPT {
                    self.halt_calls.pop_first();
                }
            }
            Act::Spent { by, units } => self.spend(by, *units, at.now),
            Act::ApprovalSaid { .. }
            | Act::RejectionSaid { .. }
            | Act::Refused(_)
            | Act::ChangeSaid { .. }
            | Act::ChangeAnswered { .. }
            | Act::ClearSaid { .. } => (),
        }
        None
    }

    fn approve(&mut self, id: Sequence, by: &Name, sequence: Sequence) {
        let Some(held) = self.proposals.get_mut(&id).filter(|held| held.state == ProposalState::Proposed) else {
            return;
        };
        held.approvals.insert(by.clone());
        if held.approvals.len() >= usize::from(held.quorum) {
            held.state = ProposalState::Approved;
            held.completed_by = Some(sequence);
        }
    }

    fn shift(&mut self, id: Sequence, to: ProposalState, orders: [Option<ClientOrderId>; 2], note: &str) {
        let Some(held) = self.proposals.get_mut(&id).filter(|held| held.state.may_become(to)) else { return };
        held.state = to;
        held.order = orders[0].or(held.order);
        held.other_order = orders[1].or(held.other_order);
        note.clone_into(&mut held.note);
    }

    /// Brings a change that is done into force.
    fn settle(&mut self, id: Sequence, now: Timestamp) -> Option<Changed> {
        let change = self.changes.get(&id).filter(|change| matches!(change.state, ChangeState::Done { .. }))?;
        let changed = change.changed.clone();
        match &changed {
            Changed::Limit { new, .. } | Changed::AccountLimit { new, .. } => {
                self.overrides.insert(subject(&changed), *new);
            }
            Changed::Sector { asset, new, .. } => {
                self.sectors.insert(asset.clone(), new.clone());
            }
            Changed::Stage { new, .. } => {
                let stage = new.as_deref().cloned();
                self.policy.get_or_insert_default().stage.clone_from(&stage);
                self.rollout = Some(Box::new(Rollout::new(stage, id, now)));
            }
            Changed::Operators { new, .. } => {
                let Roster { operators, tokens } = (**new).clone();
                (self.operators, self.tokens) = (operators, tokens);
            }
            Changed::Policy { new, .. } => {
                let listed = self.policy.take().map(|policy| policy.allow.addresses).unwrap_or_default();
                let mut policy = (**new).clone();
                for (address, since) in &mut policy.allow.addresses {
                    *since = listed.get(address).copied().unwrap_or(now); // a new entry counts from now on
                }
                if let Some(rollout) = &self.rollout {
                    policy.stage.clone_from(&rollout.stage); // only its own change moves it
                }
                self.policy = Some(policy);
            }
        }
        Some(changed)
    }

    fn claim(&mut self, key: &IdempotencyKey, payload: &str, at: At) {
        self.keys.retain(|_, used| at.now.since(used.at) < KEY_LIFE_NANOS);
        let (payload, outcome) = (payload.to_owned(), KeyOutcome::Open);
        let used = KeyUse { payload, at: at.now, sequence: at.sequence, request: None, outcome };
        self.keys.insert(key.clone(), used);
        self.claim = Some(key.clone());
    }

    /// The event `request` records what was asked for under `key`.
    pub fn note_request(&mut self, key: &IdempotencyKey, request: Sequence) {
        if let Some(used) = self.keys.get_mut(key) {
            used.request.get_or_insert(request);
        }
    }

    /// The request of a named person became an order.
    pub fn note_placed(&mut self, request: Sequence, order: ClientOrderId) {
        if let Some((_, by)) = self.asked.as_ref().filter(|(asked, _)| *asked == request) {
            self.placed.insert(order, by.clone());
        }
    }

    /// What became of the request that the event `request` made, if it was made under a key. Requests of before they
    /// named their key stand right after its claim.
    pub fn note_outcome(&mut self, request: Sequence, outcome: &KeyOutcome) {
        let Some(key) = &self.claim else { return };
        if let Some(used) = self.keys.get_mut(key).filter(|used| used.request.unwrap_or(used.sequence + 1) == request) {
            used.outcome = outcome.clone();
            self.claim = None;
        }
    }

    /// Who said what the event `request` records, in journals of before requests named their person: whoever spoke just
    /// before it, or before the claim of its key.
    #[must_use]
    pub fn spoke_before(&self, request: Sequence) -> Option<Principal> {
        let (spoke, by) = self.speaker.as_ref()?;
        let claimed = self.claim.as_ref().and_then(|key| self.keys.get(key)).map(|used| used.sequence);
        let is_next = spoke + 1 == request || spoke + 2 == request && claimed == Some(spoke + 1);
        is_next.then(|| by.clone())
    }

    fn spend(&mut self, by: &Name, units: i64, now: Timestamp) {
        let day = day_of(now);
        let spent = match &mut self.spent {
            Some(spent) if spent.day >= day => spent, // a clock that went back does not open a new day
            other => other.insert(DaySpent { day, by: BTreeMap::new() }),
        };
        let own = spent.by.entry(by.clone()).or_default();
        own.units = own.units.saturating_add(units.max(0));
        own.orders = own.orders.saturating_add(1);
    }

    /// Remembers a decision that the event `sequence` records, so that orders may name it.
    pub fn note_decision(&mut self, sequence: Sequence, decision: NamedDecision) {
        self.decisions.insert(sequence, decision);
        while self.decisions.len() > DECISIONS_KEPT {
            self.decisions.pop_first();
        }
    }

    /// Whether the policy asks anybody for decisions.
    #[must_use]
    pub fn requires_decisions(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| !policy.require_decision.is_off())
    }

    /// Refuses what names as its decision an event that is no decision of `by`, or one of too long ago.
    ///
    /// # Errors
    /// [`Rule::Decision`] with the event that was named.
    pub fn check_decision(&self, by: &Name, decision: Sequence) -> Result<(), Refused> {
        if self.decisions.get(&decision).is_some_and(|it| it.by == *by) {
            return Ok(());
        }
        let value = format!("record {decision}, which is no late decision of {by}");
        Err(Refused::new(Rule::Decision, value, "a decision on record"))
    }

    /// A new process: what waited for people waits no more.
    pub fn restarted(&mut self) {
        for held in self.proposals.values_mut().filter(|held| held.state.is_open()) {
            held.state = ProposalState::Void;
            "the process was restarted".clone_into(&mut held.note);
        }
        self.claim = None;
    }

    /// A proposal that became other orders is over.
    pub fn proposal_over(&mut self, proposal: Sequence, to: ProposalState, note: &str) {
        self.shift(proposal, to, [None; 2], note);
    }

    /// What became of an order that a proposal turned into.
    pub fn order_moved(&mut self, order: ClientOrderId, to: ProposalState) {
        if let Some(id) = self.proposal_of(order).map(|held| held.id) {
            self.shift(id, to, [None; 2], "");
        }
    }

    /// The proposal that turned into `order`.
    #[must_use]
    pub fn proposal_of(&self, order: ClientOrderId) -> Option<&Held> {
        let of_order = |held: &&Held| held.order == Some(order) || held.other_order == Some(order);
        self.proposals.values().rev().find(of_order)
    }
}

/// What a change is about; two of one subject follow each other.
fn subject(changed: &Changed) -> String {
    match changed {
        Changed::Limit { portfolio, name, .. } => override_key(*portfolio, name),
        Changed::AccountLimit { name, .. } => account_key(name),
        Changed::Sector { asset, .. } => format!("sector/{asset}"),
        Changed::Stage { .. } => "stage".to_owned(),
        Changed::Operators { .. } => "operators".to_owned(),
        Changed::Policy { .. } => "policy".to_owned(),
    }
}

fn override_key(portfolio: PortfolioId, name: &str) -> String {
    format!("{}/{name}", portfolio.0)
}

fn account_key(name: &str) -> String {
    format!("account/{name}")
}

const fn day_of(at: Timestamp) -> i64 {
    at.nanos().div_euclid(DAY_NANOS)
}

/// Drops the oldest of what is over, once there is too much of it.
fn forget<T>(list: &mut BTreeMap<Sequence, T>, is_over: impl Fn(&T) -> bool) {
    while list.len() > OVER_KEPT {
        let Some(oldest) = list.iter().find(|(_, it)| is_over(it)).map(|(id, _)| *id) else { return };
        list.remove(&oldest);
    }
}
