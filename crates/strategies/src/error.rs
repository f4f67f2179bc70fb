//! Why a strategy cannot be built.

use tradewind_domain::{Coded, ErrorCode};
use tradewind_indicators::IndicatorError;

tradewind_domain::codes! {
    "STR-01" "no strategy has this name" "`tradewind strategy list` prints every name";
    "STR-02" "the strategy has no such parameter" "`tradewind strategy show NAME` prints every parameter; leave one out for its default";
    "STR-03" "the parameter is of another type" "write whole numbers as 20, others as 0.5, switches as true or false";
    "STR-04" "the parameter is out of range" "choose a value inside the range that the message names";
    "STR-05" "two parameters contradict each other" "change one of the two so that the rule in the message holds";
    "STR-06" "the name does not suit a new strategy" "use 2 to 40 lower-case letters, digits and single dashes, starting with a letter";
    "STR-07" "no sizing rule has this name" "`tradewind strategy sizing` prints every rule with its parameters";
    "STR-08" "the sizing rule needs a stop" "set strategy.stop, or --stop: the distance at which a trade is given up";
}

/// Why a strategy cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StrategyError {
    /// Nothing is registered under this name.
    #[error("no strategy is called `{name}`; there are {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// No sizing rule is called so.
    #[error("no sizing rule is called `{name}`; there are {}", known.join(", "))]
    UnknownSizing {
        /// What was asked for; empty where `rule` was left out.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// Trades are to be sized by what their stop loses, and nothing sets one.
    #[error("{rule} sizes a trade by its stop, and none is set")]
    NoStop {
        /// The rule's name.
        rule: &'static str,
    },
    /// The strategy has no such parameter.
    #[error("{strategy} has no parameter `{parameter}`; it has {}", known.join(", "))]
    UnknownParameter {
        /// The strategy's name.
        strategy: &'static str,
        /// What was asked for.
        parameter: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The value is not of the parameter's type.
    #[error("{strategy}: {parameter} is {value}, which is not {expected}")]
    WrongType {
        /// The strategy's name.
        strategy: &'static str,
        /// The parameter's name.
        parameter: String,
        /// The value, as TOML.
        value: String,
        /// What it should be, such as `a whole number`.
        expected: &'static str,
    },
    /// The value lies outside the parameter's range.
    #[error("{strategy}: {parameter} is {value}, which is outside {range}")]
    OutOfRange {
        /// The strategy's name.
        strategy: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// The value, as TOML.
        value: String,
        /// The range, such as `1 to 100`.
        range: String,
    },
    /// A trade cannot end so near, or so far away.
    #[error("{end} is {value}, which is outside {range}")]
    Distance {
        /// Which end: `stop` or `target`.
        end: &'static str,
        /// Its distance, such as `0%`.
        value: String,
        /// The range, such as `0.01% to 99.99%`.
        range: String,
    },
    /// Two parameters contradict each other.
    #[error("{strategy}: {rule}, but they are {first} and {second}")]
    Conflict {
        /// The strategy's name.
        strategy: &'static str,
        /// The rule that they break.
        rule: &'static str,
        /// The first value.
        first: f64,
        /// The second value.
        second: f64,
    },
    /// An indicator cannot be built.
    #[error(transparent)]
    Indicator(#[from] IndicatorError),
    /// No crate can have this name.
    #[error("a new strategy cannot be called `{name}`: {why}")]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Coded for StrategyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "STR-01",
            Self::UnknownParameter { .. } => "STR-02",
            Self::WrongType { .. } => "STR-03",
            Self::OutOfRange { .. } | Self::Distance { .. } => "STR-04",
            Self::Conflict { .. } => "STR-05",
            Self::Indicator(error) => error.code(),
            Self::Name { .. } => "STR-06",
            Self::UnknownSizing { .. } => "STR-07",
            Self::NoStop { .. } => "STR-08",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Indicator(error) => error.hint(),
            _ => ErrorCode::hint_of(CODES, self.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_complete() {
        for (at, line) in CODES.iter().enumerate() {
            assert_eq!(line.code, format!("STR-{:02}", at + 1));
            assert!(!line.hint.is_empty() && !line.meaning.is_empty());
        }
    }

    #[test]
    fn an_indicators_fault_keeps_its_own_code() {
        let error = StrategyError::from(IndicatorError::UnknownIndicator { name: "x".into() });
        assert_eq!((error.code(), error.hint().is_empty()), ("IND-04", false));
    }
}
