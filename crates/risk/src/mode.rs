//! The four modes, and how a breaker moves between them.

use crate::Guard;
use serde::{Deserialize, Serialize};
use tradewind_domain::Source;

/// How much may still be done, from everything to explicit exits only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RiskMode {
    /// Everything within the limits.
    #[default]
    Normal,
    /// Orders that add exposure are cut to half of `max_order`.
    Caution,
    /// Only orders that reduce a position.
    ReduceOnly,
    /// Only orders marked reduce-only, or an operator's that reduce.
    Halted,
}

impl RiskMode {
    /// Every mode, mildest first.
    pub const ALL: [Self; 4] = [Self::Normal, Self::Caution, Self::ReduceOnly, Self::Halted];

    /// The next milder mode.
    #[must_use]
    pub const fn milder(self) -> Self {
        match self {
            Self::Halted => Self::ReduceOnly,
            Self::ReduceOnly => Self::Caution,
            Self::Caution | Self::Normal => Self::Normal,
        }
    }

    /// Its name in records and commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Caution => "caution",
            Self::ReduceOnly => "reduce-only",
            Self::Halted => "halted",
        }
    }
}

/// How a tripped breaker is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// One mode milder after each cool-down of so many nanoseconds without a new trip: infrastructure.
    Timed(i64),
    /// By the next UTC day, or by a person: the measure itself begins anew.
    Day,
    /// By a person alone: losses.
    Person,
    /// As soon as what it is about is gone, or by a person.
    Cause,
}

/// What can happen to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Its measure calls for this mode.
    Trip(RiskMode),
    /// A whole cool-down passed without a trip.
    CooledDown,
    /// A UTC day began.
    DayRolled,
    /// What it is about is gone.
    Gone,
    /// Somebody asks for it to be cleared. Only an operator may.
    Reset(Source),
}

impl RiskMode {
    /// Where `input` leads a breaker that is left by `exit`.
    ///
    /// Trips only ever tighten; a cool-down loosens by one step, so that every recovery passes the milder modes.
    #[must_use]
    pub fn on(self, input: Input, exit: Exit) -> Self {
        match (input, exit) {
            (Input::Trip(mode), _) => self.max(mode),
            (Input::CooledDown, Exit::Timed(_)) => self.milder(),
            (Input::DayRolled, Exit::Day) | (Input::Gone, Exit::Cause) | (Input::Reset(Source::Operator), _) => {
                Self::Normal
            }
            (Input::CooledDown, Exit::Day | Exit::Person | Exit::Cause)
            | (Input::DayRolled, Exit::Timed(_) | Exit::Person | Exit::Cause)
            | (Input::Gone, Exit::Timed(_) | Exit::Day | Exit::Person)
            | (Input::Reset(_), _) => self,
        }
    }
}

/// One breaker: the guard that reports it, the mode that it leads to, and how it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRule {
    /// Which.
    pub guard: Guard,
    /// Where its first trip leads; the volatility breaker and a person choose theirs by stage.
    pub entry: RiskMode,
    /// How it is left.
    pub exit: Exit,
}

const MINUTE: i64 = 60_000_000_000;

const fn rule(guard: Guard, entry: RiskMode, exit: Exit) -> BreakerRule {
    BreakerRule { guard, entry, exit }
}

/// Every breaker.
pub const BREAKERS: [BreakerRule; 14] = [
    rule(Guard::Operator, RiskMode::ReduceOnly, Exit::Person),
    rule(Guard::DailyLoss, RiskMode::ReduceOnly, Exit::Day),
    rule(Guard::WeeklyLoss, RiskMode::ReduceOnly, Exit::Person),
    rule(Guard::Drawdown, RiskMode::ReduceOnly, Exit::Person),
    rule(Guard::DrawdownHalt, RiskMode::Halted, Exit::Person),
    rule(Guard::ConsecutiveLosses, RiskMode::ReduceOnly, Exit::Person),
    rule(Guard::FailedTrades, RiskMode::ReduceOnly, Exit::Timed(60 * MINUTE)),
    rule(Guard::OrderFailures, RiskMode::ReduceOnly, Exit::Timed(5 * MINUTE)),
    rule(Guard::ApiErrors, RiskMode::ReduceOnly, Exit::Timed(5 * MINUTE)),
    rule(Guard::Volatility, RiskMode::Caution, Exit::Timed(10 * MINUTE)),
    rule(Guard::RepeatedFills, RiskMode::ReduceOnly, Exit::Timed(MINUTE)),
    rule(Guard::ConfigDrift, RiskMode::ReduceOnly, Exit::Person),
    rule(Guard::Unprotected, RiskMode::ReduceOnly, Exit::Cause),
    rule(Guard::NearLiquidation, RiskMode::Caution, Exit::Timed(5 * MINUTE)),
];

/// The rule of a breaker.
///
/// # Panics
/// If `guard` is none: breakers are the guards of [`BREAKERS`].
#[must_use]
pub fn breaker_rule(guard: Guard) -> BreakerRule {
    *BREAKERS.iter().find(|rule| rule.guard == guard).expect("only breakers trip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_answers_every_input_as_documented() {
        use RiskMode::{Caution, Halted, Normal, ReduceOnly};
        let exits = [Exit::Timed(1), Exit::Day, Exit::Person, Exit::Cause];
        for mode in RiskMode::ALL {
            for exit in exits {
                for trip in RiskMode::ALL {
                    assert_eq!(mode.on(Input::Trip(trip), exit), if trip > mode { trip } else { mode });
                }
                for source in
                    [Source::Host, Source::Timer, Source::Market, Source::Venue, Source::Strategy(0), Source::Agent(0)]
                {
                    assert_eq!(mode.on(Input::Reset(source), exit), mode, "{source:?} clears nothing");
                }
                assert_eq!(mode.on(Input::Reset(Source::Operator), exit), Normal);
            }
        }
        let table = [
            // mode, then by exit (timed, day, person, cause) after: cooled down, day rolled, gone
            (Normal, [Normal; 4], [Normal; 4], [Normal; 4]),
            (Caution, [Normal, Caution, Caution, Caution], [Caution, Normal, Caution, Caution], [Caution; 4]),
            (
                ReduceOnly,
                [Caution, ReduceOnly, ReduceOnly, ReduceOnly],
                [ReduceOnly, Normal, ReduceOnly, ReduceOnly],
                [ReduceOnly; 4],
            ),
            (Halted, [ReduceOnly, Halted, Halted, Halted], [Halted, Normal, Halted, Halted], [Halted; 4]),
        ];
        for (mode, cooled, rolled, gone) in table {
            for (place, exit) in exits.into_iter().enumerate() {
                assert_eq!(mode.on(Input::CooledDown, exit), cooled[place], "{mode:?} {exit:?}");
                assert_eq!(mode.on(Input::DayRolled, exit), rolled[place], "{mode:?} {exit:?}");
                let left = if exit == Exit::Cause { Normal } else { gone[place] };
                assert_eq!(mode.on(Input::Gone, exit), left, "{mode:?} {exit:?}");
            }
        }
    }

    #[test]
    fn losses_wait_for_a_person_and_infrastructure_for_time() {
        for rule in BREAKERS {
            let about_losses = matches!(
                rule.guard,
                Guard::WeeklyLoss | Guard::Drawdown | Guard::DrawdownHalt | Guard::ConsecutiveLosses
            );
            assert!(!about_losses || rule.exit == Exit::Person, "{rule:?}");
            assert!(rule.entry > RiskMode::Normal, "{rule:?}");
        }
        let timed = |guard| matches!(breaker_rule(guard).exit, Exit::Timed(_));
        assert!(
            [Guard::ApiErrors, Guard::OrderFailures, Guard::FailedTrades, Guard::Volatility].into_iter().all(timed)
        );
    }
}
