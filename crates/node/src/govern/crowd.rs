//! How much of one source may wait for people at once.

use super::no;
use crate::clock::wall;
use crate::core::Core;
use crate::operate::OperatorReply;
use tradewind_domain::{PortfolioId, Source};
use tradewind_engine::{Command, Event, EventKind, decide};
use tradewind_governance::{Act, Held, ProposalState, Refused, Rule};

/// Orders of one source that may wait at once. A proposal lives 120 seconds, so whoever decides on 20 has six seconds for
/// each: a list that nobody can read in time hides the one that matters.
const OPEN_MAX: usize = 20;

impl Core {
    /// The no to a wish that would wait for people beside one just like it, or beside too many of the same person. It is said
    /// before anything is recorded.
    pub(crate) fn crowded(&self, portfolio: PortfolioId, kind: &EventKind) -> Option<OperatorReply> {
        let (now, by) = (self.now(), &self.speaker.name);
        let waits = |it: &&Held| it.wish.by == *by && it.state == ProposalState::Proposed && it.expires_at() > now;
        let open: Vec<&Held> = self.host.state.governance.proposals.values().filter(waits).collect();
        if open.is_empty() {
            return None;
        }
        let next = self.would_wait(portfolio, kind.clone())?;
        if let Some(same) = open.iter().find(|it| it.hash == next.hash) {
            let value = format!("proposal {} of {by} asks for just this", same.id);
            return Some(no(&Refused::new(Rule::SameProposal, value, "another order")));
        }
        let value = || format!("{} orders of {by} wait", open.len());
        (open.len() >= OPEN_MAX).then(|| no(&Refused::new(Rule::OpenProposals, value(), format!("{OPEN_MAX} at once"))))
    }

    /// What the engine would put aside for people if this were said now.
    fn would_wait(&self, portfolio: PortfolioId, kind: EventKind) -> Option<Box<Held>> {
        let state = &self.host.state;
        let event = Event {
            received: wall(),
            portfolio,
            cause: self.decision,
            correlation: self.decision,
            spoken: self.spoken(),
            ..Event::new(state.sequence + 1, self.now(), Source::Operator, kind)
        };
        let mut commands = Vec::new();
        decide(state, &event, &mut commands);
        commands.into_iter().find_map(|command| match command {
            Command::Record(EventKind::Governance(act), _) => match *act {
                Act::Held(held) => Some(held),
                _ => None,
            },
            _ => None,
        })
    }
}
