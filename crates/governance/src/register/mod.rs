//! The folded state of everything that governance remembers, and the words and facts that move it.
//!
//! A *word* is what somebody says ([`Act::ApprovalSaid`] and its like); it changes nothing by itself.
//! [`Register::judge`] answers it with *facts*, which the host records and [`Register::apply`] folds. Recovery folds
//! facts alone, so a later version of the rules cannot change what was decided.

mod act;
mod crowd;
mod judge;
mod overrides;
mod usage;

pub use act::Act;
pub use crowd::OPEN_PROPOSALS_MAX;
pub use usage::{DaySpent, Spent};

use crate::keys::compare;
use crate::{
    CHANGE_WINDOW_NANOS, Change, ChangeState, Changed, Held, IdempotencyKey, KEY_LIFE_NANOS, KeyOutcome, KeyUse, Known,
    Latch, Name, NamedDecision, Policy, Principal, ProposalState, Refused, Role, Rollout, Roster, Rule, Scope, Stage,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{AccountId, ClientOrderId, Incarnation, Sequence, Source, Timestamp};

/// Proposals and changes that are over and still listed.
const OVER_KEPT: usize = 256;
/// Signed calls of the kill switch that are remembered, the newest: none of them counts again.
pub const HALT_CALLS_KEPT: usize = 1_024;
/// Decisions that an order may still name.
const DECISIONS_KEPT: usize = 256;

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
    /// The public key that signs the journal, in hex, once something is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail_key: Option<String>,
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

    /// The stage that caps what is at risk, if one does.
    #[must_use]
    pub fn stage(&self) -> Option<&Stage> {
        self.policy.as_ref().and_then(|policy| policy.stage.as_ref())
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
        let waits = |held: &&Held| held.state == ProposalState::Proposed;
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

    /// The persons on record.
    #[must_use]
    pub fn roster(&self) -> Roster {
        Roster { operators: self.operators.clone(), tokens: self.tokens.clone() }
    }

    /// Whether `changed` waits for people at `now` already.
    #[must_use]
    pub fn awaits(&self, changed: &Changed, now: Timestamp) -> bool {
        self.awaiting(changed, now).is_some()
    }

    /// `changed` as it waits for people at `now`, if it does.
    #[must_use]
    pub fn awaiting(&self, changed: &Changed, now: Timestamp) -> Option<&Change> {
        let waits = |it: &Change| it.state == ChangeState::Asked && now.since(it.asked_at) < CHANGE_WINDOW_NANOS;
        self.changes.values().find(|it| waits(it) && it.changed == *changed)
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
            Act::TrailSigned { key } => self.trail_key = Some(key.clone()),
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

/// Drops the oldest of what is over, once there is too much of it.
fn forget<T>(list: &mut BTreeMap<Sequence, T>, is_over: impl Fn(&T) -> bool) {
    while list.len() > OVER_KEPT {
        let Some(oldest) = list.iter().find(|(_, it)| is_over(it)).map(|(id, _)| *id) else { return };
        list.remove(&oldest);
    }
}
