//! The limits of one portfolio, and the caps they are made of.

use crate::{Controls, Profile, Unit};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Coded, LEDGER_DECIMALS, format_decimal};

/// The largest size of something: a part of equity, an amount of the base currency, or both; the tighter holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// Part of equity in basis points; 10,000 is all of it.
    pub equity_bps: Option<u32>,
    /// Ledger units (10⁻⁸) of the portfolio's base currency; 64 bits hold 92 billion of it.
    pub amount: Option<i64>,
}

impl Cap {
    /// No cap at all, for a backtest that measures a strategy alone.
    pub const NONE: Self = Self { equity_bps: None, amount: None };

    /// The tighter of both in ledger units at `equity`; `None` when neither is set.
    #[must_use]
    pub fn units(&self, equity: i128) -> Option<i128> {
        let part = self.equity_bps.map(|bps| equity.max(0) / 10_000 * i128::from(bps));
        match (part, self.amount.map(i128::from)) {
            (Some(part), Some(amount)) => Some(part.min(amount)),
            (part, amount) => part.or(amount),
        }
    }

    /// The cap in words.
    #[must_use]
    pub fn text(&self) -> String {
        let part = self.equity_bps.map(|bps| format!("{} % of equity", format_decimal(i128::from(bps), 2)));
        let amount = self.amount.map(|units| format_decimal(units.into(), LEDGER_DECIMALS));
        match (part, amount) {
            (Some(part), Some(amount)) => format!("{part} or {amount}, the tighter"),
            (part, amount) => part.or(amount).unwrap_or_else(|| "none".to_owned()),
        }
    }
}

/// What one portfolio may do.
///
/// The first six stand in every journal; all others are [`Controls`], without which nothing of this crate but these
/// six is looked at: a backtest pays for none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest notional of one order.
    pub max_order: Cap,
    /// Largest notional held of one instrument, counting what open orders may add.
    pub max_position: Cap,
    /// Loss since UTC midnight, in basis points of the equity then, from which only reducing orders pass.
    pub daily_loss_bps: Option<u32>,
    /// Fall from the highest equity so far, in basis points of it, from which only reducing orders pass.
    pub drawdown_bps: Option<u32>,
    /// Age of the mark, in nanoseconds, from which it is stale.
    pub stale_after_nanos: Option<i64>,
    /// Whether cash may go below zero. Spot accounts may not.
    pub borrow: bool,
    /// Everything further that a portfolio which meets a venue is held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controls: Option<Controls>,
}

impl Limits {
    /// What ships for money: see [`Profile::Conservative`].
    pub const CONSERVATIVE: Self = Profile::Conservative.limits();
    /// What ships for those who have watched it for a while: see [`Profile::Moderate`].
    pub const MODERATE: Self = Profile::Moderate.limits();
    /// What ships for the demo: see [`Profile::Demo`].
    pub const DEMO: Self = Profile::Demo.limits();
    /// What ships for backtests: the whole equity may be invested, losses do not stop the run.
    pub const RESEARCH: Self = Self {
        max_order: Cap { equity_bps: Some(20_000), amount: None },
        max_position: Cap { equity_bps: Some(10_500), amount: None },
        daily_loss_bps: None,
        drawdown_bps: None,
        stale_after_nanos: None,
        borrow: false,
        controls: None,
    };
    /// Nothing is limited and cash may go below zero: for measuring the engine against others.
    pub const OPEN: Self = Self {
        max_order: Cap::NONE,
        max_position: Cap::NONE,
        daily_loss_bps: None,
        drawdown_bps: None,
        stale_after_nanos: None,
        borrow: true,
        controls: None,
    };
    /// What a portfolio has between being opened and being given its limits. Part of the meaning of every journal ever
    /// written, so it never changes.
    pub const AT_OPENING: Self = Self {
        max_order: Cap { equity_bps: Some(1_000), amount: None },
        max_position: Cap { equity_bps: Some(3_500), amount: None },
        daily_loss_bps: Some(300),
        drawdown_bps: Some(1_000),
        stale_after_nanos: Some(5_000_000_000),
        borrow: false,
        controls: None,
    };

    /// Checks that each number can be reached on both sides.
    ///
    /// # Errors
    /// [`LimitsError`] for zero or a part beyond what is possible.
    pub fn validate(&self) -> Result<(), LimitsError> {
        let cap = |cap: Cap| (cap.equity_bps.map(i64::from), cap.amount);
        let ((order, order_amount), (position, position_amount)) = (cap(self.max_order), cap(self.max_position));
        let [daily_loss, drawdown] = [self.daily_loss_bps, self.drawdown_bps].map(|bps| bps.map(i64::from));
        for (name, unit, value, most) in [
            ("max_order", Unit::Percent, order, i64::MAX),
            ("max_order_amount", Unit::Amount, order_amount, i64::MAX),
            ("max_position", Unit::Percent, position, i64::MAX),
            ("max_position_amount", Unit::Amount, position_amount, i64::MAX),
            ("daily_loss", Unit::Percent, daily_loss, 9_999),
            ("drawdown", Unit::Percent, drawdown, 9_999),
            ("stale_after", Unit::Duration, self.stale_after_nanos, i64::MAX),
        ] {
            if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                return Err(LimitsError { name, value: unit.text(value) });
            }
        }
        self.controls.map_or(Ok(()), |controls| controls.validate())
    }
}

/// A limit that could never be reached, or always would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit {name} cannot be {value}")]
pub struct LimitsError {
    /// Which limit, by its name in the settings.
    pub name: &'static str,
    /// What it was set to.
    pub value: String,
}

impl Coded for LimitsError {
    fn code(&self) -> &'static str {
        "GATE-90"
    }
    fn hint(&self) -> &'static str {
        "caps must be positive, losses above 0% and below 100%, what is counted within a time at most 1024; leave a limit out to have none"
    }
}
