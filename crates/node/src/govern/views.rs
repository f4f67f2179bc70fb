//! Limits and what holds trading as a page.

use crate::core::Core;
use crate::limit_changes::change_view;
use crate::stages::stage_view;
use serde_json::{Value, json};
use tradewind_engine::limit_values;

impl Core {
    pub(super) fn limits_view(&self) -> Value {
        let state = &self.host.state;
        let rows = state.portfolios.iter().map(|portfolio| {
            let values = limit_values(&portfolio.limits);
            let values: serde_json::Map<String, Value> =
                values.into_iter().map(|(name, _, value)| (name.to_owned(), json!(value))).collect();
            json!({ "portfolio": portfolio.name, "limits": values })
        });
        let waiting = state.governance.changes.values().rev().map(|change| change_view(state, change));
        let latches = state.governance.latches.iter();
        let latches = latches.map(|(scope, it)| json!({ "scope": scope, "by": it.by, "reason": it.reason }));
        json!({
            "portfolios": rows.collect::<Vec<_>>(),
            "limits": crate::limits_view::limits(state),
            "breakers": crate::limits_view::breakers(state),
            "holds": crate::holds::holds(self),
            "sectors": state.risk.as_ref().map(|risk| &risk.account.sectors),
            "mode": crate::limits_view::mode(state),
            "changes": waiting.collect::<Vec<_>>(),
            "latches": latches.collect::<Vec<_>>(),
            "halted": state.halted,
            "stage": stage_view(state),
            "policy": state.governance.policy,
        })
    }
}
