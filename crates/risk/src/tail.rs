//! What a day may cost, by the method that the limit `var_method` names.

use crate::Returns;
use crate::tape::{TAPE_MINUTES, fixed};
use std::sync::LazyLock;
use tradewind_quant::QuantError;
use tradewind_quant::tail_risk::{Level, Shocks, TailRisk, normal_of_outcomes, of_outcomes};

/// 95 % over as many minutes as a day has.
static DAY: LazyLock<Level> = LazyLock::new(|| Level::new(0.95, 1_440.0).expect("both are in range"));

/// How many scenarios Monte Carlo looks at, two to a pair. Their 5 % quantile is that of the normal distribution to about 3 %.
const PAIRS: usize = 1_000;
/// Part of every figure that Monte Carlo gives: another seed gives others.
const SEED: u64 = 0x7472_6164_6577_696e;
/// Drawn once a process, for the longest tape; a shorter one takes the first of them.
static SHOCKS: LazyLock<Shocks> =
    LazyLock::new(|| Shocks::draw(TAPE_MINUTES, PAIRS, SEED).expect("there are minutes and scenarios"));

/// How value at risk and expected shortfall are reckoned from the minutes that were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarMethod {
    /// What today's stakes would have earned in each of those minutes.
    Historical,
    /// Normal, with the covariances of those minutes and a mean of zero.
    Parametric,
    /// 2,000 days drawn from that normal distribution with one fixed seed, judged as history is.
    MonteCarlo,
    /// The largest of the three, for each figure on its own.
    Largest,
}

impl VarMethod {
    /// Their names in settings; the limit keeps the place in this list, from 1.
    pub const NAMES: [&'static str; 4] = ["historical", "parametric", "monte-carlo", "largest"];

    /// The method that the limit names: historical where it is not set, and the largest for a number beyond the names.
    #[must_use]
    pub const fn of(limit: Option<i64>) -> Self {
        match limit {
            None | Some(1) => Self::Historical,
            Some(2) => Self::Parametric,
            Some(3) => Self::MonteCarlo,
            Some(_) => Self::Largest,
        }
    }

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The methods that it looks at.
    const fn members(self) -> &'static [Self] {
        match self {
            Self::Historical => &[Self::Historical],
            Self::Parametric => &[Self::Parametric],
            Self::MonteCarlo => &[Self::MonteCarlo],
            Self::Largest => &[Self::Historical, Self::Parametric, Self::MonteCarlo],
        }
    }

    /// Both figures of the outcomes of minutes, scaled to a day.
    fn judge(self, outcomes: &[f64]) -> Result<DayRisk, QuantError> {
        let first = |method: Self| {
            let TailRisk { var, cvar } = match method {
                Self::Historical => of_outcomes(outcomes, &DAY),
                Self::Parametric => normal_of_outcomes(outcomes, &DAY),
                Self::MonteCarlo | Self::Largest => SHOCKS.tail_risk(outcomes, &DAY),
            }?;
            let figure = |value| Figure { bps: fixed(value, 1e4).unwrap_or(i64::MAX), by: method };
            Ok(DayRisk { at_risk: figure(var), shortfall: figure(cvar) })
        };
        let (head, rest) = self.members().split_first().expect("each method looks at one at least");
        rest.iter().try_fold(first(*head)?, |most, method| Ok(most.or_larger(first(*method)?)))
    }
}

/// A loss in basis points of equity, and by which method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// How much; `i64::MAX` past 2^53.
    pub bps: i64,
    /// The method that says so: of several the one that gave the largest, the first of equals.
    pub by: VarMethod,
}

impl Figure {
    const fn or_larger(self, other: Self) -> Self {
        if other.bps > self.bps { other } else { self }
    }
}

/// What a day may cost at a confidence of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRisk {
    /// What 19 of 20 days stay below.
    pub at_risk: Figure,
    /// The mean of the others.
    pub shortfall: Figure,
}

impl DayRisk {
    /// Nothing, by that method.
    pub(crate) const fn none(method: VarMethod) -> Self {
        let nothing = Figure { bps: 0, by: method };
        Self { at_risk: nothing, shortfall: nothing }
    }

    /// The larger of both, for each figure on its own.
    pub(crate) const fn or_larger(self, other: Self) -> Self {
        Self { at_risk: self.at_risk.or_larger(other.at_risk), shortfall: self.shortfall.or_larger(other.shortfall) }
    }

    /// The same with a stake of so many basis points beside it that is lost whole.
    pub(crate) const fn with_lost(mut self, bps: i64) -> Self {
        self.at_risk.bps = self.at_risk.bps.saturating_add(bps);
        self.shortfall.bps = self.shortfall.bps.saturating_add(bps);
        self
    }
}

impl Returns<'_> {
    /// What a day may cost at 95 % for `weights`, parts of equity and one a tape: from the common minutes, scaled to a day by
    /// the square root of time. `None` where a weight is not a number.
    ///
    /// All methods take the minutes' mean for zero but the historical one, which has it in each of its minutes: four hours
    /// cannot tell it from zero.
    ///
    /// Source: P. Jorion, "Value at Risk", 3rd edition, 2006, chapters 4, 10 and 12.
    #[must_use]
    pub fn day_risk(&self, weights: &[f64], method: VarMethod) -> Option<DayRisk> {
        method.judge(&self.weighted(weights)).ok()
    }
}
