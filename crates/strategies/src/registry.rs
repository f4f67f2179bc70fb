//! Every strategy that ships, by name.

use crate::parameters::{Parameter, read, template};
use crate::{Breakout, EmaTrend, MeanReversion, Strategy, StrategyError, VolatilityTarget, Vote};
use toml::Table;

/// One registered strategy.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name in configuration and records.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What it can be told.
    pub parameters: &'static [Parameter],
    make: fn(&Table) -> Result<Box<dyn Strategy>, StrategyError>,
}

impl Entry {
    /// Builds it; what `parameters` leaves out has its default.
    ///
    /// # Errors
    /// [`StrategyError`] for a parameter that it does not have, of another type, out of range, or contradicting
    /// another.
    pub fn build(&self, parameters: &Table) -> Result<Box<dyn Strategy>, StrategyError> {
        (self.make)(parameters)
    }

    /// Its parameters with their defaults, ranges and meanings, as a TOML table to start from.
    #[must_use]
    pub fn template(&self) -> String {
        template(self.parameters)
    }
}

macro_rules! entry {
    ($type:ident, $summary:literal) => {
        Entry {
            name: $type::NAME,
            summary: $summary,
            parameters: $type::PARAMETERS,
            make: |table| Ok(Box::new($type::new(read($type::NAME, $type::PARAMETERS, table)?)?)),
        }
    };
}

const ALL: &[Entry] = &[
    entry!(EmaTrend, "long while the fast average is above the slow one"),
    entry!(MeanReversion, "buys far below the mean while the RSI is low, sells at the mean or at a stop"),
    entry!(Breakout, "buys a close above the channel while momentum agrees, sells a close below a shorter one"),
    entry!(VolatilityTarget, "holds all the time, sized to a constant volatility: the benchmark"),
    entry!(Vote, "weighs five signals against a threshold and says what is missing"),
];

/// Every strategy, in the order of lists and documentation.
#[must_use]
pub const fn all() -> &'static [Entry] {
    ALL
}

/// The strategy of this name.
///
/// # Errors
/// [`StrategyError::Unknown`], which lists the names that exist.
pub fn find(name: &str) -> Result<&'static Entry, StrategyError> {
    let unknown =
        || StrategyError::Unknown { name: name.to_owned(), known: ALL.iter().map(|entry| entry.name).collect() };
    ALL.iter().find(|entry| entry.name == name).ok_or_else(unknown)
}

/// Builds the strategy `name`; what `parameters` leaves out has its default.
///
/// # Errors
/// [`StrategyError`]: no such strategy, or as [`Entry::build`].
pub fn build(name: &str, parameters: &Table) -> Result<Box<dyn Strategy>, StrategyError> {
    find(name)?.build(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;
    use serde::Serialize;
    use tradewind_domain::Coded;

    #[test]
    fn the_documented_defaults_are_those_of_the_code() {
        fn check(name: &str, defaults: &impl Serialize) {
            let documented: Table = find(name).unwrap().template().parse().unwrap();
            assert_eq!(documented, Table::try_from(defaults).unwrap(), "{name}");
        }
        check("ema-trend", &EmaTrendParams::default());
        check("mean-reversion", &MeanReversionParams::default());
        check("breakout", &BreakoutParams::default());
        check("volatility-target", &VolatilityTargetParams::default());
        check("vote", &VoteParams::default());
        assert_eq!(all().len(), 5, "a new strategy belongs into this test");
    }

    #[test]
    fn every_strategy_builds_on_its_defaults_and_knows_its_name() {
        for entry in all() {
            let strategy = build(entry.name, &Table::new()).unwrap();
            assert_eq!(strategy.name(), entry.name);
            assert!(strategy.warm_up() > 0 && strategy.signals().is_empty(), "{}", entry.name);
        }
    }

    fn check(name: &str, parameters: &str, code: &str, message: &str) {
        let error = build(name, &parameters.parse().unwrap()).err().expect("it is refused");
        assert_eq!((error.code(), error.to_string().as_str()), (code, message));
        assert!(!error.hint().is_empty());
    }

    #[test]
    fn what_cannot_be_built_is_told_with_its_value() {
        check(
            "ema",
            "",
            "STR-01",
            "no strategy is called `ema`; there are ema-trend, mean-reversion, breakout, volatility-target, vote",
        );
        check("ema-trend", "fats = 3", "STR-02", "ema-trend has no parameter `fats`; it has fast, slow, weight");
        check("ema-trend", "fast = 2.5", "STR-03", "ema-trend: fast is 2.5, which is not a whole number");
        check("ema-trend", "weight = 'much'", "STR-03", "ema-trend: weight is \"much\", which is not a number");
        check("breakout", "short = 1", "STR-03", "breakout: short is 1, which is not true or false");
        check("ema-trend", "fast = 0", "STR-04", "ema-trend: fast is 0, which is outside 1 to 100000");
        check("ema-trend", "fast = -5", "STR-04", "ema-trend: fast is -5, which is outside 1 to 100000");
        check("vote", "buy = nan", "STR-04", "vote: buy is nan, which is outside 0.01 to 0.95");
        check("vote", "buy = 1", "STR-04", "vote: buy is 1, which is outside 0.01 to 0.95");
    }

    #[test]
    fn parameters_that_contradict_each_other_are_refused() {
        for (name, parameters) in [
            ("ema-trend", "fast = 20"),
            ("mean-reversion", "exit_z = 2.0"),
            ("breakout", "exit = 21"),
            ("volatility-target", "band = 0.95"),
            ("vote", "sell = 0.5"),
            ("vote", "fast = 30"),
            ("vote", "vote_trend = 0\nvote_rsi = 0\nvote_macd = 0\nvote_breakout = 0\nvote_mean = 0"),
        ] {
            let error = build(name, &parameters.parse().unwrap()).err().expect("it is refused");
            assert_eq!(error.code(), "STR-05", "{parameters}");
        }
    }

    #[test]
    fn both_ends_of_every_range_are_known_and_what_lies_beyond_is_refused() {
        for entry in all() {
            for parameter in entry.parameters {
                let (low, high) = match parameter.range {
                    Range::Whole(min, max) => ((min - 1).to_string(), (max + 1).to_string()),
                    Range::Real(min, max) => (format!("{:?}", min - 0.001), format!("{:?}", max + 0.001)),
                    Range::Switch => continue,
                };
                for beyond in [low, high] {
                    let table = format!("{} = {beyond}", parameter.name).parse().unwrap();
                    let error = entry.build(&table).err().expect("it is out of range");
                    assert_eq!(error.code(), "STR-04", "{} {table}", entry.name);
                }
            }
        }
    }

    #[test]
    fn a_constructor_checks_ranges_like_the_table() {
        let error = Vote::new(VoteParams { buy: f64::NAN, ..VoteParams::default() }).unwrap_err();
        assert_eq!(error.code(), "STR-04");
        let error = EmaTrend::new(EmaTrendParams { slow: usize::MAX, ..EmaTrendParams::default() }).unwrap_err();
        assert_eq!(error.code(), "STR-03");
    }
}
