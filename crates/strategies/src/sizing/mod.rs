//! How large a trade is, where its strategy says which way and how much at most: by what its stop or a usual move loses, by
//! how much the market varies, by Kelly's fraction, or so that all markets of a strategy risk the same.

mod panel;
mod rules;

use crate::StrategyError;
use crate::parameters::{self, Parameter, read};
use panel::Panel;
use rules::{FixedRisk, Kelly, RiskParity, TargetVolatility, TrueRange};
use std::borrow::Cow;
use toml::Table;
use tradewind_domain::{Bar, Instrument, InstrumentId, Price};
use tradewind_indicators::{Atr, Candle, Indicator, RealizedVolatility};
use tradewind_quant::kelly::Stake;
use tradewind_quant::sizing::{SizeCaps, by_atr, fixed_risk, volatility_target};

/// One rule by which trades can be sized.
#[derive(Clone, Copy, Debug)]
pub struct SizingRule {
    /// Its name in configuration and records.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What it can be told.
    pub parameters: &'static [Parameter],
    make: fn(&Table) -> Result<Sizing, StrategyError>,
}

impl SizingRule {
    /// Its parameters with their defaults, ranges and meanings, as a TOML table to start from.
    #[must_use]
    pub fn template(&self) -> String {
        parameters::template(self.parameters)
    }
}

const RULES: &[SizingRule] = &[
    SizingRule {
        name: FixedRisk::NAME,
        summary: "loses the same part of equity whenever a stop is hit; a trade without a stop is not made",
        parameters: FixedRisk::PARAMETERS,
        make: fixed_risk_sizing,
    },
    SizingRule {
        name: TrueRange::NAME,
        summary: "loses the same part of equity whenever the market moves so many average true ranges against the trade",
        parameters: TrueRange::PARAMETERS,
        make: true_range_sizing,
    },
    SizingRule {
        name: TargetVolatility::NAME,
        summary: "holds less while the market is wild, so that the position varies alike",
        parameters: TargetVolatility::PARAMETERS,
        make: target_volatility_sizing,
    },
    SizingRule {
        name: Kelly::NAME,
        summary: "stakes a share of Kelly's fraction of a record of closed trades, such as a back-test's",
        parameters: Kelly::PARAMETERS,
        make: kelly_sizing,
    },
    SizingRule {
        name: RiskParity::NAME,
        summary: "gives each of a strategy's markets the weight at which all of them risk the same",
        parameters: RiskParity::PARAMETERS,
        make: risk_parity_sizing,
    },
];

/// Every rule, in the order of lists and documentation.
#[must_use]
pub const fn rules() -> &'static [SizingRule] {
    RULES
}

/// A rule at work on the trades of one strategy in one instrument.
///
/// It answers a strategy that names a weight: the weight's sign is the side, its size the most that may be held. What a
/// strategy names as a quantity is its own word and stays.
#[derive(Clone, Debug)]
pub struct Sizing {
    name: &'static str,
    version: Option<String>,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    FixedRisk { risk: f64 },
    TrueRange { params: TrueRange, range: Atr, last: Option<f64> },
    TargetVolatility { params: TargetVolatility, per_bar: RealizedVolatility, a_year: Option<f64> },
    Kelly { part: f64 },
    RiskParity { gross: f64, own: usize, panel: Panel },
}

/// What a trade is sized by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// What is traded.
    pub(crate) instrument: &'a Instrument,
    /// Equity of the portfolio, in the currency that it settles in.
    pub(crate) equity: f64,
    /// The close that it is decided on.
    pub(crate) price: f64,
    /// Where it is given up.
    pub(crate) stop: Option<f64>,
    /// The weight that the strategy names, signed.
    pub(crate) asked: f64,
}

impl Sizing {
    /// Builds the rule that `table` names under `rule`, with its parameters beside it; `None` for an empty table.
    ///
    /// # Errors
    /// [`StrategyError`]: no such rule, or a parameter that it does not have, of another type, out of range, or
    /// contradicting another.
    pub fn read(table: &Table) -> Result<Option<Self>, StrategyError> {
        if table.is_empty() {
            return Ok(None);
        }
        let mut parameters = table.clone();
        let name =
            parameters.remove("rule").map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let name = name.unwrap_or_default();
        let known = || RULES.iter().map(|rule| rule.name).collect();
        let rule = RULES.iter().find(|rule| rule.name == name);
        let rule = rule.ok_or_else(|| StrategyError::UnknownSizing { name, known: known() })?;
        (rule.make)(&parameters).map(Some)
    }

    fn new(name: &'static str, params: &impl std::fmt::Debug, rule: Rule) -> Self {
        Self { name, version: parameters::version(1, params), rule }
    }

    /// The same rule on trades of `own`, whose strategy trades `all`.
    #[must_use]
    pub fn among(mut self, own: InstrumentId, all: &[InstrumentId]) -> Self {
        if let Rule::RiskParity { own: place, panel, .. } = &mut self.rule {
            *place = panel.watch(own, all);
        }
        self
    }

    /// Whether it needs to know where a trade is given up.
    pub(crate) const fn wants_stop(&self) -> bool {
        matches!(self.rule, Rule::FixedRisk { .. })
    }

    /// Its name in records.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// A number that changes with the rule, and a hash of its parameters.
    pub(crate) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_default()
    }

    /// How many closed bars of what it sizes it must see.
    pub(crate) fn warm_up(&self) -> usize {
        match &self.rule {
            Rule::TrueRange { range, .. } => range.lookback() + 1,
            Rule::TargetVolatility { per_bar, .. } => per_bar.lookback() + 1,
            Rule::RiskParity { panel, .. } => panel.bars_wanted(),
            Rule::FixedRisk { .. } | Rule::Kelly { .. } => 0,
        }
    }

    /// How many of the other instruments.
    pub(crate) fn warm_up_of_others(&self) -> usize {
        if matches!(self.rule, Rule::RiskParity { .. }) { self.warm_up() } else { 0 }
    }

    /// Takes in a closed bar; `price` is its close.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "the share of a bar's range in its close needs no unit")]
    pub(crate) fn see(&mut self, bar: &Bar, price: f64) {
        match &mut self.rule {
            Rule::TrueRange { range, last, .. } => {
                let part = |at: Price| price * (at.mantissa() as f64 / bar.close.mantissa() as f64);
                let (open, high, low) = (part(bar.open), part(bar.high), part(bar.low));
                *last = range.update(Candle::new(open, high, low, price, 0.0));
            }
            Rule::TargetVolatility { params, per_bar, a_year } => {
                *a_year = per_bar.update(price).map(|it| it * bar.interval.per_year(params.days_per_year).sqrt());
            }
            Rule::RiskParity { panel, .. } => panel.see(bar, price),
            Rule::FixedRisk { .. } | Rule::Kelly { .. } => (),
        }
    }

    /// Takes in a closed bar of another instrument.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "returns are the same in every unit of price")]
    pub(crate) fn see_other(&mut self, bar: &Bar) {
        if matches!(self.rule, Rule::RiskParity { .. }) {
            self.see(bar, bar.close.mantissa() as f64);
        }
    }

    /// The quantity to hold, unsigned and not yet in lots; the reason where it cannot be told, or is none.
    pub(crate) fn quantity(&self, entry: &Entry<'_>) -> Result<f64, Cow<'static, str>> {
        let Entry { instrument, equity, price, stop, asked } = *entry;
        if equity <= 0.0 {
            return Err("there is no equity to size a trade by".into());
        }
        let failed =
            |error: &dyn std::fmt::Display| Cow::Owned(format!("{} cannot size the trade: {error}", self.name));
        // what one of it is worth in what settles it: the price itself, unless the contract is inverse or has a multiplier
        let worth = |price: f64| instrument.exposure_f64(price, 1.0);
        let piece = worth(price);
        let quantity = match &self.rule {
            Rule::FixedRisk { risk } => {
                let stop = stop.ok_or("sized by what its stop loses, and nothing says where that is")?;
                fixed_risk(equity, *risk, piece, worth(stop)).map_err(|error| failed(&error))?
            }
            Rule::TrueRange { params, last, .. } => match last {
                None => return Err("the true range that sizes the trade is warming up".into()),
                Some(still) if *still <= 0.0 => f64::MAX, // as much as the strategy asks for
                Some(atr) if instrument.is_inverse() => {
                    // a fall costs more of its coin than a rise of the same length brings
                    let against = price - (atr * params.multiple).copysign(asked);
                    if against <= 0.0 {
                        return Err(failed(&"such a move would leave no price"));
                    }
                    fixed_risk(equity, params.risk, piece, worth(against)).map_err(|error| failed(&error))?
                }
                Some(atr) => {
                    let lost = atr * instrument.multiplier_f64();
                    by_atr(equity, params.risk, lost, params.multiple).map_err(|error| failed(&error))?
                }
            },
            Rule::TargetVolatility { params, a_year, .. } => match a_year {
                None => return Err("the volatility that sizes the trade is warming up".into()),
                Some(still) if *still <= 0.0 => f64::MAX, // as much as the strategy asks for
                Some(a_year) => {
                    volatility_target(equity, params.target, *a_year, piece).map_err(|error| failed(&error))?
                }
            },
            Rule::Kelly { part } if *part > 0.0 => equity * part / piece,
            Rule::Kelly { .. } => return Err("Kelly stakes nothing: the record of trades has no edge".into()),
            Rule::RiskParity { gross, own, panel } => {
                let weights = panel.weights(&instrument.spec.calendar).map_err(|why| failed(&why))?;
                equity * gross * weights.get(*own).copied().unwrap_or(0.0) / piece
            }
        };
        let caps = SizeCaps { notional_of_equity: asked.abs(), quantity: None };
        caps.apply(quantity, piece, equity).map(|sized| sized.quantity).map_err(|error| failed(&error))
    }
}

fn fixed_risk_sizing(table: &Table) -> Result<Sizing, StrategyError> {
    let params: FixedRisk = read(FixedRisk::NAME, FixedRisk::PARAMETERS, table)?;
    Ok(Sizing::new(FixedRisk::NAME, &params, Rule::FixedRisk { risk: params.risk }))
}

fn true_range_sizing(table: &Table) -> Result<Sizing, StrategyError> {
    let params: TrueRange = read(TrueRange::NAME, TrueRange::PARAMETERS, table)?;
    let rule = Rule::TrueRange { params, range: Atr::new(params.period)?, last: None };
    Ok(Sizing::new(TrueRange::NAME, &params, rule))
}

fn target_volatility_sizing(table: &Table) -> Result<Sizing, StrategyError> {
    let params: TargetVolatility = read(TargetVolatility::NAME, TargetVolatility::PARAMETERS, table)?;
    // the year is one bar long here; `see` scales by the bar's own length
    let per_bar = RealizedVolatility::new(params.period, 1.0)?;
    Ok(Sizing::new(TargetVolatility::NAME, &params, Rule::TargetVolatility { params, per_bar, a_year: None }))
}

fn kelly_sizing(table: &Table) -> Result<Sizing, StrategyError> {
    let params: Kelly = read(Kelly::NAME, Kelly::PARAMETERS, table)?;
    parameters::check(Kelly::NAME, Kelly::PARAMETERS, &params)?; // the record has no default
    let edge = params.edge()?;
    let stake = Stake { share: params.share, shrink: params.shrink, cap: params.cap, short: false };
    let part = stake.of(&edge).expect("the ranges of its parameters are the stake's");
    Ok(Sizing::new(Kelly::NAME, &params, Rule::Kelly { part }))
}

fn risk_parity_sizing(table: &Table) -> Result<Sizing, StrategyError> {
    let params: RiskParity = read(RiskParity::NAME, RiskParity::PARAMETERS, table)?;
    let panel = Panel::over(params.period);
    Ok(Sizing::new(RiskParity::NAME, &params, Rule::RiskParity { gross: params.gross, own: 0, panel }))
}

#[cfg(test)]
mod tests;
