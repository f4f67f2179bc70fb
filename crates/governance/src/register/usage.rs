//! What was ordered in a day, and by whom.

use super::Register;
use crate::{Name, Usage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tradewind_domain::Timestamp;

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

impl Register {
    /// Fills in what `by` and all have ordered on the UTC day of `usage.now`; an event of before the day last spent in
    /// meets what was spent since.
    #[must_use]
    pub fn with_spent(&self, by: &Name, usage: Usage) -> Usage {
        let today = self.spent.as_ref().filter(|spent| spent.day >= usage.now.utc_day());
        let Some(today) = today else { return Usage { source_day: 0, source_orders: 0, day: 0, ..usage } };
        let own = today.by.get(by).copied().unwrap_or_default();
        Usage {
            source_day: own.units.into(),
            source_orders: own.orders,
            day: today.by.values().map(|spent| i128::from(spent.units)).sum(),
            ..usage
        }
    }

    pub(super) fn spend(&mut self, by: &Name, units: i64, now: Timestamp) {
        let day = now.utc_day();
        let spent = match &mut self.spent {
            Some(spent) if spent.day >= day => spent, // a clock that went back does not open a new day
            other => other.insert(DaySpent { day, by: BTreeMap::new() }),
        };
        let own = spent.by.entry(by.clone()).or_default();
        own.units = own.units.saturating_add(units.max(0));
        own.orders = own.orders.saturating_add(1);
    }
}
