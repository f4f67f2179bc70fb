//! Breaches: which guard, which value, which limit, and how a person clears it.

use crate::{BREAKERS, RiskMode};
use serde::{Deserialize, Serialize};
use tradewind_domain::ErrorCode;

/// One line of the generated table of guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardInfo {
    /// Which guard.
    pub guard: Guard,
    /// Its stable code.
    pub code: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// How a person clears it.
    pub clear: &'static str,
}

macro_rules! guards {
    ($($guard:ident $code:literal $asks:literal $clear:literal;)*) => {
        /// What refuses, as [`GUARDS`] lists it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Guard {
            $(#[doc = concat!("`", $code, "`: ", $asks)] $guard,)*
        }

        /// Every code of this crate, in order; the book's error page is generated from such lists.
        pub const CODES: &[ErrorCode] = &[$(ErrorCode { code: $code, meaning: $asks, hint: $clear }),*];

        /// Every guard in the order in which [`crate::check`] asks it, but those after RSK-45: RSK-46 and RSK-49 are breakers, RSK-47 is
        /// asked after RSK-37, RSK-48 after RSK-42.
        pub const GUARDS: &[GuardInfo] = &[
            $(GuardInfo { guard: Guard::$guard, code: $code, asks: $asks, clear: $clear },)*
        ];
    };
}

guards! {
    Operator "RSK-01" "did a person restrict trading?" "ask who did, then `tradewind resume`";
    DailyLoss "RSK-02" "did today's loss trip its breaker?" "wait for the next UTC day, or `tradewind resume`";
    WeeklyLoss "RSK-03" "did this week's loss trip its breaker?" "look at the trades of the week, then `tradewind resume`";
    Drawdown "RSK-04" "did the fall from the peak stop entries?" "look at the strategy, then `tradewind resume`";
    DrawdownHalt "RSK-05" "did the fall from the peak halt trading?" "look at the strategy, then `tradewind resume`";
    ConsecutiveLosses "RSK-06" "did losses in a row trip their breaker?" "look at the trades, then `tradewind resume`";
    FailedTrades "RSK-07" "were too many orders rejected within an hour?" "see the venue's reasons; it clears by itself";
    OrderFailures "RSK-08" "did too many orders in a row fail?" "see `tradewind status`; it clears by itself";
    ApiErrors "RSK-09" "did the venue's interface fail too often?" "see the venue's status page; it clears by itself";
    Volatility "RSK-10" "is the market too wild for this instrument?" "wait until it calms down; it clears by itself";
    RepeatedFills "RSK-11" "did one side of it fill too often?" "see why the strategy repeats; it clears by itself";
    ConfigDrift "RSK-12" "did the configuration change while positions are open?" "compare it with what was approved, then `tradewind resume`";
    Caution "RSK-13" "is the order within half of max_order while a breaker says caution?" "send half, or wait until the breaker clears";
    Data "RSK-14" "does the quote make sense?" "wait for the feed, or check it with `tradewind status`";
    Collar "RSK-15" "is the limit price near the mark?" "check the price, or raise limits.collar";
    MarketCollar "RSK-16" "is the book near the mark?" "send a limit order";
    Duplicate "RSK-17" "was the same order just sent?" "wait two seconds if both are meant";
    OrderRate "RSK-18" "does this strategy send slowly enough?" "wait a second";
    AccountOrderRate "RSK-19" "does the account send slowly enough?" "wait a second";
    OpenOrdersSymbol "RSK-20" "are few enough orders of it open?" "cancel some";
    OpenOrders "RSK-21" "are few enough orders open?" "cancel some";
    SelfMatch "RSK-22" "would it meet an order of our own?" "cancel the other order first";
    HardCap "RSK-23" "is it within the account's hard cap?" "split it, or have two people raise limits.hard_order_amount";
    Spread "RSK-24" "is the spread narrow enough to take from it?" "send a post-only order, or wait";
    Impact "RSK-25" "does the book hold enough for it?" "slice it";
    Reversal "RSK-26" "does it leave the position on its side?" "close first, then open";
    OpenPositions "RSK-27" "does the portfolio hold few enough positions?" "close one first";
    AccountPositions "RSK-28" "does the account hold few enough positions?" "close one first";
    Leverage "RSK-29" "would leverage stay within its limit?" "lower the quantity, or add funds";
    Asset "RSK-30" "would exposure to the asset stay within its limit?" "reduce elsewhere, or raise limits.asset";
    Sector "RSK-31" "would exposure to the sector stay within its limit?" "reduce elsewhere, or raise limits.sector";
    Strategy "RSK-32" "would the portfolio's share stay within its limit?" "reduce first, or raise limits.strategy";
    Net "RSK-33" "would net exposure stay within its limit?" "reduce or hedge, or raise limits.net";
    Venue "RSK-34" "would exposure at the venue stay within its limit?" "reduce there, or raise limits.venue";
    Class "RSK-35" "would exposure to the class stay within its limit?" "reduce elsewhere, or raise limits.class";
    Gross "RSK-36" "would gross exposure stay within its limit?" "reduce first, or raise limits.gross";
    Liquidation "RSK-37" "would liquidation stay far enough away?" "lower the quantity, or add margin";
    Correlation "RSK-38" "is it something else than what is held already?" "reduce the position that it moves with";
    ValueAtRisk "RSK-39" "would value at risk stay within its limit?" "lower the quantity, or reduce elsewhere";
    ExpectedShortfall "RSK-40" "would expected shortfall stay within its limit?" "lower the quantity, or reduce elsewhere";
    Plan "RSK-41" "does the plan say to act?" "a plan that says hold sends nothing";
    Confidence "RSK-42" "is the plan confident enough?" "wait for a better one";
    StopDistance "RSK-43" "is the plan's stop neither too near nor too far?" "move the stop";
    RewardRisk "RSK-44" "may the plan gain enough for what it may lose?" "move the target or the stop";
    OrderRisk "RSK-45" "does the plan lose little enough at its stop?" "lower the quantity, or move the stop nearer";
    Unprotected "RSK-46" "has every position a stop, or an exemption?" "place a stop (`tradewind order oco --reduce-only`), or `tradewind position exempt`; it clears by itself then";
    MarginUsed "RSK-47" "would initial margin stay within its part of equity?" "lower the quantity, close a contract, or add funds";
    Regime "RSK-48" "is the plan confident enough for its regime?" "wait for a better one, or for a market that trends its way";
    NearLiquidation "RSK-49" "does a contract stay away from its liquidation?" "add funds or close a part of it; it clears by itself, one mode milder for each five minutes further away";
}

impl Guard {
    /// Its line of [`GUARDS`].
    #[must_use]
    pub const fn info(self) -> &'static GuardInfo {
        &GUARDS[self as usize]
    }
    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.info().code
    }
    /// The mode that its breaker leads to first; `None` where it refuses one order, and judges the next anew.
    #[must_use]
    pub fn mode(self) -> Option<RiskMode> {
        BREAKERS.iter().find(|rule| rule.guard == self).map(|rule| rule.entry)
    }
    /// The guard of that code, or of that name as it is written in records.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let matches = |info: &&GuardInfo| info.code == name || info.guard.name() == name;
        GUARDS.iter().find(matches).map(|info| info.guard)
    }
    /// Its name as it is written in records, such as `daily-loss`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// Why an order may not go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Which guard.
    pub guard: Guard,
    /// What it found.
    pub value: String,
    /// What it would have allowed.
    pub limit: String,
}

impl Breach {
    pub(crate) fn new(guard: Guard, value: impl Into<String>, limit: impl Into<String>) -> Self {
        Self { guard, value: value.into(), limit: limit.into() }
    }
    /// How a person clears it.
    #[must_use]
    pub const fn clear(&self) -> &'static str {
        self.guard.info().clear
    }
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (info, name) = (self.guard.info(), self.guard.name());
        let Self { value, limit, .. } = self;
        write!(f, "{} {name}: {value} against {limit}; to clear: {}", info.code, info.clear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_guards_and_names_are_those_of_records() {
        for (place, info) in GUARDS.iter().enumerate() {
            assert_eq!(info.guard as usize, place);
            assert_eq!(info.code, format!("RSK-{:02}", place + 1));
            assert!(info.asks.ends_with('?') && !info.clear.is_empty());
            assert_eq!(serde_json::to_value(info.guard).unwrap(), info.guard.name());
            assert_eq!(Guard::find(info.code), Some(info.guard));
            assert_eq!(Guard::find(&info.guard.name()), Some(info.guard));
        }
        assert_eq!(Guard::find("RSK-99"), None);
    }

    #[test]
    fn a_breach_says_everything_in_one_line() {
        let breach = Breach::new(Guard::Duplicate, "Buy 1 again after 0.5 s", "2 s");
        assert_eq!(
            breach.to_string(),
            "RSK-17 duplicate: Buy 1 again after 0.5 s against 2 s; to clear: wait two seconds if both are meant"
        );
    }
}
