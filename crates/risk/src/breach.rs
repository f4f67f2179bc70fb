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
    /// Its no as a sentence, with `{value}` for what it found and `{limit}` for what it would have allowed.
    pub says: &'static str,
    /// How a person clears it.
    pub clear: &'static str,
}

impl GuardInfo {
    /// Its no about `value`, as a sentence.
    #[must_use]
    pub fn sentence(&self, value: &str, limit: &str) -> String {
        self.says.replace("{value}", value).replace("{limit}", limit)
    }
}

macro_rules! guards {
    ($($guard:ident $code:literal $asks:literal $says:literal $clear:literal;)*) => {
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
            $(GuardInfo { guard: Guard::$guard, code: $code, asks: $asks, says: $says, clear: $clear },)*
        ];
    };
}

guards! {
    Operator "RSK-01" "did a person restrict trading?"
        "a person restricted trading: {value}, until {limit}"
        "ask who did, then `tradewind resume`";
    DailyLoss "RSK-02" "did today's loss trip its breaker?"
        "the loss since UTC midnight tripped its breaker: {value}; the limit is {limit}"
        "wait for the next UTC day, or `tradewind resume`";
    WeeklyLoss "RSK-03" "did this week's loss trip its breaker?"
        "the loss since Monday tripped its breaker: {value}; the limit is {limit}"
        "look at the trades of the week, then `tradewind resume`";
    Drawdown "RSK-04" "did the fall from the peak stop entries?"
        "the fall from the highest equity tripped its breaker: {value}; the limit is {limit}"
        "look at the strategy, then `tradewind resume`";
    DrawdownHalt "RSK-05" "did the fall from the peak halt trading?"
        "the fall from the highest equity halted trading: {value}; the limit is {limit}"
        "look at the strategy, then `tradewind resume`";
    ConsecutiveLosses "RSK-06" "did losses in a row trip their breaker?"
        "losing trades in a row tripped their breaker: {value}; the limit is {limit}"
        "look at the trades, then `tradewind resume`";
    FailedTrades "RSK-07" "were too many orders rejected within an hour?"
        "orders that the venue rejected within an hour tripped their breaker: {value}; the limit is {limit}"
        "see the venue's reasons; it clears by itself";
    OrderFailures "RSK-08" "did too many orders in a row fail?"
        "orders that failed in a row tripped their breaker: {value}; the limit is {limit}"
        "see `tradewind status`; it clears by itself";
    ApiErrors "RSK-09" "did the venue's interface fail too often?"
        "errors of the venue's interface within a minute tripped their breaker: {value}; the limit is {limit}"
        "see the venue's status page; it clears by itself";
    Volatility "RSK-10" "is the market too wild for this instrument?"
        "the volatility of the last 20 minutes, scaled to a day, tripped its breaker: {value}; the limit is {limit}"
        "wait until it calms down; it clears by itself";
    RepeatedFills "RSK-11" "did one side of it fill too often?"
        "orders of one side that filled within a minute tripped their breaker: {value}; the limit is {limit}"
        "see why the strategy repeats; it clears by itself";
    ConfigDrift "RSK-12" "did the configuration change while positions are open?"
        "the configuration changed while positions were open: {value}, until {limit}"
        "compare it with what was approved, then `tradewind resume`";
    Caution "RSK-13" "is the order within half of max_order while a breaker says caution?"
        "a breaker says caution and halves what one order may be: it is worth {value}, half of limits.max_order is {limit}"
        "send half, or wait until the breaker clears";
    Data "RSK-14" "does the quote make sense?"
        "the market data cannot be relied on: there is {value}, needed is {limit}"
        "wait for the feed, or check it with `tradewind status`";
    Collar "RSK-15" "is the limit price near the mark?"
        "the limit price is {value}; limits.collar allows {limit}"
        "check the price, or raise limits.collar";
    MarketCollar "RSK-16" "is the book near the mark?"
        "the price that it would meet in the book is {value}; limits.market_collar allows {limit}"
        "send a limit order";
    Duplicate "RSK-17" "was the same order just sent?"
        "the same order was just sent: {value}; limits.duplicate_window is {limit}"
        "wait two seconds if both are meant";
    OrderRate "RSK-18" "does this strategy send slowly enough?"
        "it would be order number {value} of the portfolio within a second; limits.orders_per_second allows {limit}"
        "wait a second";
    AccountOrderRate "RSK-19" "does the account send slowly enough?"
        "it would be order number {value} of the account within a second; limits.account_orders_per_second allows {limit}"
        "wait a second";
    OpenOrdersSymbol "RSK-20" "are few enough orders of it open, those of other hands included?"
        "it would be open order number {value} of the instrument; limits.open_orders_symbol allows {limit}"
        "cancel some; `tradewind status` lists those of other hands, which `tradewind adopt` takes over";
    OpenOrders "RSK-21" "are few enough orders open, those of other hands included?"
        "it would be open order number {value} of the account; limits.open_orders allows {limit}"
        "cancel some; `tradewind status` lists those of other hands, which `tradewind adopt` takes over";
    SelfMatch "RSK-22" "would it meet an order of our own account?"
        "it would trade with {value}; allowed is {limit}"
        "cancel the other order first; one of another hand is cancelled where it was placed, or here once `tradewind adopt` has taken it over";
    HardCap "RSK-23" "is it within the account's hard cap?"
        "the order is worth {value}; limits.hard_order_amount lets nobody send more than {limit}"
        "split it, or have two people raise limits.hard_order_amount";
    Spread "RSK-24" "is the spread narrow enough to take from it?"
        "the spread is {value} of the bid; limits.spread lets an order take from {limit} at most"
        "send a post-only order, or wait";
    Impact "RSK-25" "does the book hold enough for it?"
        "it would move the price by {value}; limits.impact allows {limit}"
        "slice it";
    Reversal "RSK-26" "does it leave the position on its side?"
        "it would leave {value}; limits.no_reversal asks to {limit}"
        "close first, then open";
    OpenPositions "RSK-27" "does the portfolio hold few enough positions?"
        "the portfolio would hold {value} instruments; limits.open_positions allows {limit}"
        "close one first";
    AccountPositions "RSK-28" "does the account hold few enough positions?"
        "the account would hold {value} instruments; limits.account_positions allows {limit}"
        "close one first";
    Leverage "RSK-29" "would leverage stay within its limit?"
        "leverage would be {value}; limits.leverage allows {limit}"
        "lower the quantity, or add funds";
    Asset "RSK-30" "would exposure to the asset stay within its limit?"
        "exposure to the asset would be {value}; limits.asset allows {limit}"
        "reduce elsewhere, or raise limits.asset";
    Sector "RSK-31" "would exposure to the sector stay within its limit?"
        "exposure to the sector would be {value}; limits.sector allows {limit}"
        "reduce elsewhere, or raise limits.sector";
    Strategy "RSK-32" "would the portfolio's share stay within its limit?"
        "exposure of the portfolio would be {value}; limits.strategy allows {limit}"
        "reduce first, or raise limits.strategy";
    Net "RSK-33" "would net exposure stay within its limit?"
        "net exposure would be {value}; limits.net allows {limit}"
        "reduce or hedge, or raise limits.net";
    Venue "RSK-34" "would exposure at the venue stay within its limit?"
        "exposure at the venue would be {value}; limits.venue allows {limit}"
        "reduce there, or raise limits.venue";
    Class "RSK-35" "would exposure to the class stay within its limit?"
        "exposure to the class would be {value}; limits.class allows {limit}"
        "reduce elsewhere, or raise limits.class";
    Gross "RSK-36" "would gross exposure stay within its limit?"
        "gross exposure would be {value}; limits.gross allows {limit}"
        "reduce first, or raise limits.gross";
    Liquidation "RSK-37" "would liquidation stay far enough away?"
        "the contract would stand too near to its liquidation: {value}; the limit is {limit}"
        "lower the quantity, or add margin";
    Correlation "RSK-38" "is it something else than what is held already?"
        "it moves like what is held already: its correlation is {value}; limits.correlation allows {limit}"
        "reduce the position that it moves with";
    ValueAtRisk "RSK-39" "would value at risk stay within its limit?"
        "value at risk would be {value}; limits.value_at_risk allows {limit}"
        "lower the quantity, or reduce elsewhere";
    ExpectedShortfall "RSK-40" "would expected shortfall stay within its limit?"
        "expected shortfall would be {value}; limits.expected_shortfall allows {limit}"
        "lower the quantity, or reduce elsewhere";
    Plan "RSK-41" "does the plan say to act?"
        "the plan says to {value}; an order needs one that says to {limit}"
        "a plan that says hold sends nothing";
    Confidence "RSK-42" "is the plan confident enough?"
        "the plan's confidence is {value}; needed is {limit}"
        "wait for a better one";
    StopDistance "RSK-43" "is the plan's stop neither too near nor too far?"
        "the plan's stop does not fit: it has {value}; needed is {limit}"
        "move the stop";
    RewardRisk "RSK-44" "may the plan gain enough for what it may lose?"
        "what the plan may gain over what it may lose does not fit: it has {value}; needed is {limit}"
        "move the target or the stop";
    OrderRisk "RSK-45" "does the plan lose little enough at its stop?"
        "the plan loses {value} at its stop; limits.order_risk allows {limit}"
        "lower the quantity, or move the stop nearer";
    Unprotected "RSK-46" "has every position a stop, or an exemption?"
        "a position stood without a stop for too long: {value}; the limit is {limit}"
        "place a stop (`tradewind order oco --reduce-only`), or `tradewind position exempt`; it clears by itself then";
    MarginUsed "RSK-47" "would initial margin stay within its part of equity?"
        "initial margin would be {value}; limits.margin_used allows {limit}"
        "lower the quantity, close a contract, or add funds";
    Regime "RSK-48" "is the plan confident enough for its regime?"
        "the plan's confidence is {value}; needed in such a market is {limit}"
        "wait for a better one, or for a market that trends its way";
    NearLiquidation "RSK-49" "does a contract stay away from its liquidation?"
        "a contract came too near to its liquidation: {value}; the limit is {limit}"
        "add funds or close a part of it; it clears by itself, one mode milder for each five minutes further away";
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
        let said = info.sentence(&self.value, &self.limit);
        write!(f, "{} {name}: {said}; to clear: {}", info.code, info.clear)
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
            assert!(
                info.says.matches("{value}").count() == 1 && info.says.matches("{limit}").count() == 1,
                "{}",
                info.code
            );
            let named = info.says.split("limits.").skip(1).map(|rest| rest.split([' ', ';']).next().unwrap());
            named.for_each(|name| assert!(crate::Limit::find(name).is_some(), "{name} of {}", info.code));
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
            "RSK-17 duplicate: the same order was just sent: Buy 1 again after 0.5 s; limits.duplicate_window is 2 s; to clear: wait two seconds if both are meant"
        );
    }
}
