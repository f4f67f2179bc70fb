//! How words are answered: with facts, or with the rule that is in the way.

use super::{Act, At, Register};
use crate::{
    Change, ChangeState, Changed, Held, Kind, Principal, ProposalState, Refused, Role, Rule, Scope, Stage, WishHash,
};
use tradewind_domain::{Sequence, Source};

impl Register {
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
            | Act::TrailSigned { .. }
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
        check_tokens(changed)?;
        let seconds = self.persons(Role::Risk).filter(|person| person.name != by.name).count();
        let state = match changed.loosens() {
            true if seconds > 0 && self.two_persons() => ChangeState::Asked,
            // a person alone may say that trading goes on: nobody else could
            true if !settings && !matches!(changed, Changed::Resume { .. }) => {
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
            return Ok(Act::ChangeMoved { change: id, to: ChangeState::Rejected { rejected_by: by.name.clone() } });
        }
        change.check_approval(by, at.now)?;
        check_tokens(&change.changed)?;
        if let Some(later) = self.overtaken_by(change) {
            return Err(Refused::new(Rule::ChangeStale, format!("changed again by {later}"), "the value it was"));
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

    fn clear(&self, scope: &Scope, by: &Principal, reason: &str) -> Result<Act, Refused> {
        let latch = self
            .latches
            .get(scope)
            .ok_or_else(|| Refused::new(Rule::NotLatched, scope.to_string(), "something that is latched"))?;
        latch.check_clear(by, self.two_persons())?;
        Ok(Act::Cleared { scope: scope.clone(), by: by.name.clone(), reason: reason.to_owned() })
    }
}

/// Whether persons who are to be named can be told apart: two that one token proves are one.
fn check_tokens(changed: &Changed) -> Result<(), Refused> {
    let Changed::Operators { new, .. } = changed else { return Ok(()) };
    match new.shared_token() {
        None => Ok(()),
        Some([one, other]) => {
            Err(Refused::new(Rule::SharedToken, format!("{one} and {other} by one token"), "a token for each person"))
        }
    }
}
