//! Identities, approvals, changes of limits, scoped kill switches and idempotency keys, as a person uses them.

mod policy_rows;
mod proposals;
mod requests;
mod roster;
mod speaker;
#[cfg(test)]
mod tests;
mod views;

pub(crate) use policy_rows::differences;
pub(crate) use proposals::time_in_force;
pub use requests::{GovernRequest, Signed, Token};
pub(crate) use roster::settings_words;

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::operate::{OperatorReply, done, failed};
use crate::stages::stage_view;
use std::collections::BTreeSet;
use tradewind_domain::{AccountId, Coded, PortfolioId, Sequence, Source};
use tradewind_engine::EventKind;
use tradewind_governance::{Act, Kind, Latch, Principal, Refused, Scope, WishHash};
use tradewind_host::Draft;
use tradewind_strategies::Desk;

fn no(refused: &Refused) -> OperatorReply {
    failed(
        refused.code(),
        format!("{} no: {}; allowed: {}", refused.info().asks, refused.value, refused.limit),
        refused.hint(),
    )
}

impl Core {
    /// Records a word or a fact, and what follows from it.
    pub(crate) fn act(&mut self, act: Act) -> Result<(), NodeError> {
        self.act_after(None, act)
    }

    /// As [`Self::act`] for what follows from the event `cause`.
    fn act_after(&mut self, cause: Option<Sequence>, act: Act) -> Result<(), NodeError> {
        let draft = Draft::of_host(self.now(), wall(), PortfolioId(0), EventKind::Governance(Box::new(act)));
        self.follow(Draft { source: Source::Operator, cause, ..draft })
    }

    /// Says a word of which the answer is a fact or a no.
    pub(crate) fn word(&mut self, act: Act) -> Result<Result<(), OperatorReply>, NodeError> {
        self.host.outside.last_no = None;
        self.act(act)?;
        Ok(self.host.outside.last_no.take().map_or(Ok(()), |refused| Err(no(&refused))))
    }

    /// The proposal that the event `id` was put aside as, as the one who asked sees it.
    pub(crate) fn held_reply(&self, id: Sequence) -> Option<OperatorReply> {
        self.host.state.governance.proposals.get(&id).map(|held| done(&self.whole_view(held)))
    }

    /// What concerns who may do what.
    pub(crate) fn govern(&mut self, request: GovernRequest) -> Result<OperatorReply, NodeError> {
        let by = self.speaker.clone();
        let said = match request {
            GovernRequest::ProposalList => {
                let held = self.host.state.governance.proposals.values().rev();
                return Ok(done(&held.map(|held| self.whole_view(held)).collect::<Vec<_>>()));
            }
            GovernRequest::ProposalShow { id } => return Ok(self.shown(id)),
            GovernRequest::Limits => return Ok(done(&self.limits_view())),
            GovernRequest::LimitSet { name, value, portfolio, account, reason } => {
                return self.set_limit(&name, &value, portfolio.as_deref(), account, &reason);
            }
            GovernRequest::SectorSet { asset, sector, reason } => {
                return self.set_sector(&asset, sector.as_deref(), &reason);
            }
            GovernRequest::Stage => return Ok(done(&stage_view(&self.host.state))),
            GovernRequest::StageMove { to, stage, reason } => return self.move_stage(to, stage.as_deref(), &reason),
            GovernRequest::ProposalApprove { id, hash } => {
                let word = Act::ApprovalSaid { proposal: id, hash: WishHash::of_text(hash), by };
                (self.word(word)?, Some(id))
            }
            GovernRequest::ProposalReject { id, reason, changes } => {
                (self.word(Act::RejectionSaid { proposal: id, by, reason, changes })?, Some(id))
            }
            GovernRequest::LimitAnswer { id, yes } => {
                if let Some(decided) = self.decided_change(id) {
                    return Ok(decided);
                }
                let said = self.word(Act::ChangeAnswered { change: id, by, yes })?;
                self.note_resumed();
                return Ok(said.map_or_else(|reply| reply, |()| self.changes_told(&[id])));
            }
            GovernRequest::Latch { scope, reason } => match scope.parse::<Scope>() {
                Ok(scope) => {
                    if let Err(reply) = self.check_scope(&scope) {
                        return Ok(*reply);
                    }
                    let (tripped_by, kind, at) = (self.named_speaker(), Kind::Person, self.now());
                    let latch = Latch { by: by.name, kind, tripped_by, at, reason };
                    (self.word(Act::Latched { scope, latch })?, None)
                }
                Err(error) => return Ok(failed("NODE-33", error.to_string(), "for everything leave --scope out")),
            },
            GovernRequest::Clear { scope, reason } => match scope.parse::<Scope>() {
                Ok(scope) => (self.word(Act::ClearSaid { scope, by, reason })?, None),
                Err(error) => return Ok(failed("NODE-33", error.to_string(), "see `tradewind limits show`")),
            },
        };
        Ok(match said {
            (Err(reply), _) => reply,
            (Ok(()), Some(id)) => self.shown(id),
            (Ok(()), None) => done(&self.limits_view()),
        })
    }

    /// Whether `scope` names something that is here: a kill switch over nothing would say that it stopped something.
    fn check_scope(&self, scope: &Scope) -> Result<(), Box<OperatorReply>> {
        let (state, register) = (&self.host.state, &self.host.state.governance);
        let mut known = BTreeSet::from([Scope::Global, Scope::Account(AccountId(0))]);
        known.extend(state.listings.iter().map(|it| Scope::Venue(it.instrument.spec.venue.clone())));
        let own = [Source::Operator, Source::Host].into_iter().chain(self.desks.iter().map(Desk::source));
        let orders = state.open.values().filter_map(|record| record.order.source());
        let parents = state.parents.live().map(|parent| parent.wish.source);
        let sources = own.chain(orders).chain(parents).map(|source| Principal::of_source(source).name);
        let agents = register.policy.iter().flat_map(|policy| policy.sources.keys().cloned());
        let persons = register.operators.iter().map(|person| person.name.clone());
        known.extend(sources.chain(agents).chain(persons).map(Scope::Source));
        if known.contains(scope) {
            return Ok(());
        }
        let names: Vec<String> = known.iter().skip(1).map(Scope::to_string).collect();
        let hint = format!("one of {}; for everything leave --scope out", names.join(", "));
        Err(Box::new(failed("NODE-49", format!("the scope {scope} covers nothing here"), &hint)))
    }
}
