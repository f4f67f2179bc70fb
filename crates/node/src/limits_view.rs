//! The limits as a person sees them: what each is set to, how much of it is in use, and which breakers are tripped.

use serde_json::{Value, json};
use tradewind_domain::PortfolioId;
use tradewind_engine::State;
use tradewind_risk::LimitUse;

/// Every limit of every portfolio and of the account.
pub(crate) fn limits(state: &State) -> Vec<Value> {
    let mut views = Vec::new();
    for (portfolio, place) in state.portfolios.iter().zip(0_u16..) {
        let rows = state.limits_in_use(PortfolioId(place));
        views.extend(rows.iter().filter(|row| !row.is_of_account()).map(|row| view(&portfolio.name, row)));
    }
    if !state.portfolios.is_empty() {
        let rows = state.limits_in_use(PortfolioId(0));
        views.extend(rows.iter().filter(|row| row.is_of_account()).map(|row| view("account", row)));
    }
    views
}

fn view(of: &str, row: &LimitUse) -> Value {
    let text = |value: Option<i64>| value.map(|value| row.limit.unit.text(value));
    json!({
        "of": of,
        "name": row.limit.name,
        "value": text(row.value),
        "used": text(row.used),
        "distance": text(row.distance()),
        "bounds": row.limit.bounds,
    })
}

/// The breakers that are tripped, with how a person clears each.
pub(crate) fn breakers(state: &State) -> Vec<Value> {
    let trips = state.risk.iter().flat_map(|risk| risk.monitor.trips());
    trips
        .map(|trip| {
            json!({
                "guard": trip.guard,
                "code": trip.guard.code(),
                "scope": trip.scope,
                "mode": trip.mode,
                "since": trip.at.to_string(),
                "clear": trip.guard.info().clear,
            })
        })
        .collect()
}

/// The strictest mode of any breaker.
pub(crate) fn mode(state: &State) -> &'static str {
    state.risk.as_ref().map_or("normal", |risk| risk.monitor.worst().name())
}
