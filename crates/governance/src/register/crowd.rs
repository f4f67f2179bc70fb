//! How much of one source may wait for people at once.

use super::Register;
use crate::{Held, ProposalState, Refused, Rule, Wish};
use tradewind_domain::Timestamp;

/// Orders of one source that may wait for people at once.
///
/// A proposal lives 120 seconds, so whoever decides on 20 has six seconds for each: a list that nobody can read in time
/// hides the one that matters, and tires whoever reads it.
pub const OPEN_PROPOSALS_MAX: usize = 20;

impl Register {
    /// Whether one more `wish` may wait for people at `now`: beside none just like it, and beside few enough of its source,
    /// be that a person, a strategy, a model or an agent.
    ///
    /// # Errors
    /// [`Rule::SameProposal`] or [`Rule::OpenProposals`].
    pub fn check_crowd(&self, wish: &Wish, now: Timestamp) -> Result<(), Refused> {
        let waits = |it: &&Held| it.wish.by == wish.by && it.state == ProposalState::Proposed && it.expires_at() > now;
        let open: Vec<&Held> = self.proposals.values().filter(waits).collect();
        if let Some(same) = open.iter().find(|it| it.wish.asks_for_the_same_as(wish)) {
            let value = format!("proposal {} of {} asks for just this", same.id, wish.by);
            return Err(Refused::new(Rule::SameProposal, value, "another order"));
        }
        if open.len() >= OPEN_PROPOSALS_MAX {
            let value = format!("{} orders of {} wait", open.len(), wish.by);
            return Err(Refused::new(Rule::OpenProposals, value, format!("{OPEN_PROPOSALS_MAX} at once")));
        }
        Ok(())
    }
}
