//! What changes at run time have put in force.

use super::Register;
use crate::{Change, ChangeState, Changed, Rollout, Roster};
use tradewind_domain::{PortfolioId, Sequence, Timestamp};

impl Register {
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

    /// What a limit was before people began to change it at run time, as far as the changes on record tell: what the
    /// settings said then. `None` where nobody changed it.
    #[must_use]
    pub fn before_changes(&self, portfolio: PortfolioId, name: &str) -> Option<Option<i64>> {
        self.first_of(&override_key(portfolio, name))
    }

    /// As [`Self::before_changes`] for a limit of the account.
    #[must_use]
    pub fn before_changes_of_account(&self, name: &str) -> Option<Option<i64>> {
        self.first_of(&account_key(name))
    }

    /// The value that the unbroken row of changes began with which led to the newest one.
    fn first_of(&self, about: &str) -> Option<Option<i64>> {
        let is_done = |it: &&Change| matches!(it.state, ChangeState::Done { .. }) && subject(&it.changed) == about;
        let mut first = None;
        for change in self.changes.values().rev().filter(is_done) {
            let (Changed::Limit { old, new, .. } | Changed::AccountLimit { old, new, .. }) = change.changed else {
                return None;
            };
            if first.is_some_and(|later| later != new) {
                break; // something else than a change moved it in between
            }
            first = Some(old);
        }
        first
    }

    /// The sector that a run-time change gave an asset, if one did.
    #[must_use]
    pub fn overridden_sector(&self, asset: &str) -> Option<Option<&str>> {
        self.sectors.get(asset).map(Option::as_deref)
    }

    /// The change that was asked for after `change` about the same and holds: `change` counts no more, and nobody can agree
    /// to it any more.
    #[must_use]
    pub fn overtaken_by(&self, change: &Change) -> Option<Sequence> {
        let is_later = |it: &&Change| {
            matches!(it.state, ChangeState::Done { .. }) && subject(&it.changed) == subject(&change.changed)
        };
        let mut after = self.changes.range(change.id + 1..).map(|(_, it)| it);
        after.find(is_later).map(|it| it.id)
    }

    /// Brings a change that is done into force.
    pub(super) fn settle(&mut self, id: Sequence, now: Timestamp) -> Option<Changed> {
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
            Changed::Resume { .. } => (), // the engine's to carry out
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
}

/// What a change is about; two of one subject follow each other.
fn subject(changed: &Changed) -> String {
    match changed {
        Changed::Limit { portfolio, name, .. } => override_key(*portfolio, name),
        Changed::AccountLimit { name, .. } => account_key(name),
        Changed::Sector { asset, .. } => format!("sector/{asset}"),
        Changed::Stage { .. } => "stage".to_owned(),
        Changed::Operators { .. } => "operators".to_owned(),
        Changed::Resume { .. } => "resume".to_owned(),
        Changed::Policy { .. } => "policy".to_owned(),
    }
}

fn override_key(portfolio: PortfolioId, name: &str) -> String {
    format!("{}/{name}", portfolio.0)
}

fn account_key(name: &str) -> String {
    format!("account/{name}")
}
