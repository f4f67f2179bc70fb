//! Refusals: which guard, which value, which limit, and how to clear it.

use serde::{Deserialize, Serialize};
use tradewind_domain::ErrorCode;
use tradewind_governance::Rule;

/// What refuses, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// The kill switch is on.
    Halt,
    /// The mode does not trade, or live mode met simulated data.
    Mode,
    /// The request is no valid order of its instrument.
    Order,
    /// No mark, or an old one.
    StaleData,
    /// An order of unknown outcome must be explained first.
    UnknownOrder,
    /// A reduce-only order would not reduce.
    ReduceOnly,
    /// The order is too large.
    MaxOrder,
    /// The position would be too large.
    MaxPosition,
    /// The cash does not cover it.
    Funds,
    /// Too much was lost today.
    DailyLoss,
    /// Too much was lost from the peak.
    Drawdown,
    /// Two orders are not a pair of which one can cancel the other.
    Pair,
    /// Only what reduces a position is allowed.
    Restricted,
    /// The policy does not allow it.
    Policy,
    /// People must say yes first.
    Approval,
    /// A guard of the risk crate refuses.
    Risk,
    /// The date up to which the order is good is over.
    Dated,
    /// The market is closed, and the order would trade at once.
    Closed,
}

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

macro_rules! guards {
    ($($guard:ident $code:literal $asks:literal $says:literal $clear:literal;)*) => {
        /// Every guard in the order in which [`crate::review`] asks it, but those after GATE-11: their codes are younger
        /// than their places.
        pub const GUARDS: &[GuardInfo] = &[
            $(GuardInfo { guard: Guard::$guard, code: $code, asks: $asks, says: $says, clear: $clear },)*
        ];
    };
}

guards! {
    Halt "GATE-01" "is trading halted?"
        "trading is halted: {value}; what may go out is {limit}"
        "find out why (`tradewind status` names every kill switch), then `tradewind resume`, or `tradewind resume --scope SCOPE` where that is what is stopped";
    Mode "GATE-02" "does this mode trade on this data?"
        "this process runs {value}; orders need {limit}"
        "start with `paper`, or live with live data";
    Order "GATE-03" "is it a valid order of its instrument?"
        "it cannot be sent as it is: {value}; {limit}"
        "correct what the message names; `tradewind config reference errors` explains its code";
    StaleData "GATE-04" "is the mark fresh?"
        "orders are judged by the mark, and there is {value}; needed is {limit}"
        "wait for the feed, or check it with `tradewind status`";
    UnknownOrder "GATE-05" "is an order of unknown outcome open?"
        "orders of this instrument whose outcome is unknown: {value}; what adds to it may go out with {limit}"
        "reconcile with the venue";
    ReduceOnly "GATE-06" "does a reduce-only order reduce?"
        "{value} is marked reduce-only and would not reduce {limit}"
        "drop reduce-only, or lower the quantity";
    MaxOrder "GATE-07" "is the order within max_order?"
        "the order is worth {value} in the portfolio's currency; limits.max_order allows {limit}"
        "split it, or raise limits.max_order";
    MaxPosition "GATE-08" "would the position stay within max_position?"
        "the position with its open orders would be worth {value} in the portfolio's currency; limits.max_position allows {limit}"
        "reduce first, or raise limits.max_position";
    Funds "GATE-09" "does the cash cover it?"
        "it takes {value} of what pays for it, fees included; free is {limit}"
        "lower the quantity or add funds";
    DailyLoss "GATE-10" "is today's loss below daily_loss?"
        "the portfolio has lost {value} since UTC midnight; limits.daily_loss stops what adds at {limit}"
        "wait for the next UTC day; reducing orders pass";
    Drawdown "GATE-11" "is the fall from the peak below drawdown?"
        "the portfolio is {value} below its highest equity; limits.drawdown stops what adds at {limit}"
        "recover by reducing, or raise limits.drawdown";
    Pair "GATE-12" "do the two orders of a pair belong together, one on each side of the market?"
        "the two orders are no pair: they have {value}; needed is {limit}"
        "one size and side; to sell, the target above the market and the stop below it; to buy, the other way round";
    Restricted "GATE-13" "is only what reduces allowed, because venue and books differ or another hand trades?"
        "trading is restricted: {value}; what may go out is {limit}"
        "find out why; `tradewind adopt` takes the venue's word, `tradewind resume` yours; reducing orders pass";
    Policy "GATE-14" "does the policy allow it?"
        "{value}; allowed is {limit}"
        "see the rule's own code and hint";
    Approval "GATE-15" "have enough persons approved it?"
        "{value}; allowed is {limit}"
        "`tradewind proposals list`, then another person approves it; a pair does not wait: propose its orders alone";
    Risk "GATE-16" "do the account's limits and breakers allow it?"
        "the account's limits cannot be judged: there is {value}; needed is {limit}"
        "see the guard's own code and hint";
    Dated "GATE-17" "is it good for some time to come?"
        "the order is {value}; it has to be good till {limit}"
        "give a later moment; the engine's time is that of the venue, not of this machine";
    Closed "GATE-18" "is its market open, or does the order rest until it opens?"
        "its market is {value}; it is {limit}"
        "wait for the opening, or send a limit or a stop that is good till cancelled: it rests until then";
}

/// Every code of this crate: those of [`GUARDS`], then that of [`crate::LimitsError`].
pub const CODES: &[ErrorCode] = &{
    let limits = ErrorCode {
        code: "GATE-90",
        meaning: "a limit cannot be what it was set to",
        hint: "caps must be positive, losses above 0% and below 100%, what is counted within a time at most 1024; leave a limit out to have none",
    };
    let mut list = [limits; GUARDS.len() + 1];
    let mut at = 0;
    while at < GUARDS.len() {
        list[at] = ErrorCode { code: GUARDS[at].code, meaning: GUARDS[at].asks, hint: GUARDS[at].clear };
        at += 1;
    }
    list
};

/// Why a proposal did not become an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which guard.
    pub guard: Guard,
    /// What it found.
    pub value: String,
    /// What it would have allowed.
    pub limit: String,
    /// The rule of the policy, where that is what refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The guard of the risk crate, where that is what refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<tradewind_risk::Guard>,
}

impl Refusal {
    /// The line of [`GUARDS`] that refused.
    #[must_use]
    pub fn info(&self) -> &'static GuardInfo {
        &GUARDS[self.guard as usize]
    }
    /// The most exact code: the policy's rule, the guard of the risk crate, or else the guard.
    #[must_use]
    pub fn code(&self) -> &'static str {
        let breach = self.breach.map_or(self.info().code, tradewind_risk::Guard::code);
        self.rule.map_or(breach, |rule| rule.info().code)
    }
    /// The most exact name of what refused, such as `MaxOrder` or `Collar`.
    #[must_use]
    pub fn name(&self) -> String {
        self.breach.map_or_else(|| format!("{:?}", self.guard), |guard| format!("{guard:?}"))
    }
    /// Whether the same order may pass a little later although nobody does anything: what refused it is of the moment.
    #[must_use]
    pub const fn is_of_the_moment(&self) -> bool {
        use tradewind_risk::Guard as Risk;
        match self.breach {
            Some(guard) => {
                matches!(guard, Risk::Data | Risk::Duplicate | Risk::OrderRate | Risk::AccountOrderRate)
            }
            None => matches!(self.guard, Guard::StaleData | Guard::UnknownOrder | Guard::Closed),
        }
    }
    /// Whether it only came too soon: fewer orders within the last second, and it would have passed.
    #[must_use]
    pub const fn is_too_soon(&self) -> bool {
        matches!(self.breach, Some(tradewind_risk::Guard::OrderRate | tradewind_risk::Guard::AccountOrderRate))
    }
    /// How a person clears it.
    #[must_use]
    pub fn clear(&self) -> &'static str {
        let breach = self.breach.map_or(self.info().clear, |guard| guard.info().clear);
        self.rule.map_or(breach, |rule| rule.info().clear)
    }
}

impl Refusal {
    /// What refused it, what was found and what would have been allowed, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { value, limit, .. } = self;
        match (self.breach, self.rule) {
            (Some(guard), _) => guard.info().sentence(value, limit),
            (None, Some(rule)) => format!("{} no: {value}; allowed: {limit}", rule.info().asks),
            (None, None) => self.info().says.replace("{value}", value).replace("{limit}", limit),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}; to clear: {}", self.code(), self.name(), self.sentence(), self.clear())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_guards() {
        for (place, info) in GUARDS.iter().enumerate() {
            assert_eq!(info.guard as usize, place);
            assert_eq!(info.code, format!("GATE-{:02}", place + 1));
            assert!(
                info.says.matches("{value}").count() == 1 && info.says.matches("{limit}").count() == 1,
                "{}",
                info.code
            );
        }
    }
}
