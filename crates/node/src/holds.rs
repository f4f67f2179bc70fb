//! What holds trading: every kill switch, restriction and breaker that is on, with who, since when, why, and what ends it.

use crate::core::Core;
use serde::Serialize;
use tradewind_domain::Timestamp;
use tradewind_engine::State;
use tradewind_risk::{RiskMode, Scope};

/// One thing that holds trading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldView {
    /// `kill switch`, `restriction` or `breaker`.
    pub hold: &'static str,
    /// What it covers: `everything`, a scope such as `source:anna`, a portfolio, a symbol or `the account`.
    pub covers: String,
    /// What it leaves: `exits only`, `what reduces only`, or the mode of a breaker.
    pub effect: String,
    /// Who threw it; missing where nobody did or nobody knows.
    pub by: Option<String>,
    /// Since when, by the market's time; missing where only an earlier run knew.
    pub since: Option<String>,
    /// Why.
    pub why: String,
    /// What ends it.
    pub clear: String,
}

/// Who threw the kill switch over everything, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thrown {
    pub(crate) by: String,
    pub(crate) at: String,
}

/// What this run knows beyond the state of what holds everything.
#[derive(Debug, Default)]
pub(crate) struct Since {
    /// Who is about to throw the kill switch.
    pub(crate) throws: Option<String>,
    pub(crate) halted: Option<Thrown>,
    restricted: Option<Timestamp>,
}

impl Since {
    /// Follows the state: what has begun since it was last asked has begun at `now`.
    pub(crate) fn follow(&mut self, state: &State, now: Timestamp) {
        let by = self.throws.take();
        match &state.halted {
            None => self.halted = None,
            Some(_) if self.halted.is_none() || by.is_some() => {
                let by = by.unwrap_or_else(|| "the node".to_owned());
                self.halted = Some(Thrown { by, at: now.to_string() });
            }
            Some(_) => (),
        }
        match &state.reduce_only {
            None => self.restricted = None,
            Some(_) => _ = self.restricted.get_or_insert(now),
        }
    }
}

/// Everything that holds trading, the widest first.
pub(crate) fn holds(core: &Core) -> Vec<HoldView> {
    let state = &core.host.state;
    let resume = || "tradewind resume".to_owned();
    let halted = state.halted.iter().map(|why| HoldView {
        hold: "kill switch",
        covers: "everything".to_owned(),
        effect: "exits only".to_owned(),
        by: core.since.halted.as_ref().map(|it| it.by.clone()),
        since: core.since.halted.as_ref().map(|it| it.at.clone()),
        why: why.clone(),
        clear: resume(),
    });
    let restricted = state.reduce_only.iter().map(|why| HoldView {
        hold: "restriction",
        covers: "everything".to_owned(),
        effect: "what reduces only".to_owned(),
        by: None,
        since: core.since.restricted.map(|at| at.to_string()),
        why: why.clone(),
        clear: resume(),
    });
    let latches = state.governance.latches.iter().map(|(scope, latch)| HoldView {
        hold: "kill switch",
        covers: scope.to_string(),
        effect: "exits only".to_owned(),
        by: Some(latch.tripped_by.as_ref().unwrap_or(&latch.by).to_string()),
        since: Some(latch.at.to_string()),
        why: latch.reason.clone(),
        clear: format!("tradewind resume --scope {scope}"),
    });
    halted.chain(restricted).chain(latches).chain(breakers(state)).collect()
}

fn breakers(state: &State) -> impl Iterator<Item = HoldView> {
    let trips = state.risk.iter().flat_map(|risk| risk.monitor.trips()).filter(|trip| trip.mode > RiskMode::Normal);
    let symbol = |id| state.listing(id).instrument.spec.symbol.to_string();
    trips.map(move |trip| HoldView {
        hold: "breaker",
        covers: match trip.scope {
            Scope::Account => "the account".to_owned(),
            Scope::Portfolio(id) => state.portfolio(id).name.clone(),
            Scope::Instrument(id) => symbol(id),
            Scope::Pair(portfolio, id) => format!("{} in {}", symbol(id), state.portfolio(portfolio).name),
        },
        effect: trip.mode.name().to_owned(),
        by: None,
        since: Some(trip.at.to_string()),
        why: format!("{} {}", trip.guard.code(), trip.guard.name()),
        clear: trip.guard.info().clear.to_owned(),
    })
}
