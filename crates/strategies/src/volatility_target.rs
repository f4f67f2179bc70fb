//! Holds all the time, more while the market is calm and less while it is wild: the benchmark.

use crate::desk::{NO_EQUITY, NO_RATE};
use crate::parameters::{self, BARS, PART_OF_EQUITY, Parameter, Range, parameter};
use crate::seen::Seen;
use crate::{Expectation, Market, Opinion, Strategy, StrategyError, Target};
use serde::{Deserialize, Serialize};
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::{Indicator, RealizedVolatility};

/// Parameters of [`VolatilityTarget`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VolatilityTargetParams {
    /// Volatility of the whole portfolio to aim at, a year, as a fraction.
    pub target: f64,
    /// Returns from which volatility is measured.
    pub period: usize,
    /// Largest part of equity to hold.
    pub weight_max: f64,
    /// Difference to the wanted part of equity up to which nothing is traded.
    pub band: f64,
    /// Days a year on which the market trades.
    pub days_per_year: f64,
}

impl Default for VolatilityTargetParams {
    fn default() -> Self {
        Self { target: 0.3, period: 60, weight_max: 0.95, band: 0.15, days_per_year: 365.0 }
    }
}

/// Holds `target` over realised volatility, at most `weight_max` of equity, and trades only when what is held
/// differs from that by more than `band`.
///
/// Volatility is annualised by the bar's own length and `days_per_year` days of round-the-clock trading.
///
/// It forecasts no direction. Its word is for `period` bars, over which volatility is taken to stay what it was, and its
/// confidence, by [`Expectation::sure_by`], is how far what is held lies outside the band, or inside it on a hold, against
/// `weight_max`. Without equity there are no weights, and no confidence.
#[derive(Clone, Debug)]
pub struct VolatilityTarget {
    params: VolatilityTargetParams,
    volatility: RealizedVolatility,
    last: Option<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    volatility: f64,
    wanted: f64,
    /// NaN without equity to be a part of.
    held: f64,
}

impl VolatilityTarget {
    pub(crate) const NAME: &'static str = "volatility-target";
    pub(crate) const PARAMETERS: &'static [Parameter] = &[
        parameter("target", "0.3", Range::Real(0.001, 10.0), "portfolio volatility a year to aim at; 0.3 is 30 %"),
        parameter("period", "60", BARS, "returns from which volatility is measured"),
        parameter("weight_max", "0.95", PART_OF_EQUITY, "largest part of equity to hold"),
        parameter("band", "0.15", Range::Real(0.0, 1.0), "part of equity by which to be off before trading"),
        parameter("days_per_year", "365.0", Range::Real(1.0, 366.0), "days a year on which the market trades"),
    ];

    /// A holder at constant volatility.
    ///
    /// # Errors
    /// [`StrategyError`] for a parameter out of range, or a band that no weight can leave.
    pub fn new(params: VolatilityTargetParams) -> Result<Self, StrategyError> {
        parameters::check(Self::NAME, Self::PARAMETERS, &params)?;
        if params.band >= params.weight_max {
            return Err(StrategyError::Conflict {
                strategy: Self::NAME,
                rule: "band must be less than weight_max",
                first: params.band,
                second: params.weight_max,
            });
        }
        // the year is one bar long here; `on_bar` scales by the bar's own length
        Ok(Self { params, volatility: RealizedVolatility::new(params.period, 1.0)?, last: None })
    }
}

impl Strategy for VolatilityTarget {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn warm_up(&self) -> usize {
        self.volatility.lookback()
    }

    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        let close = market.instrument.price_f64(bar.close);
        self.last = None;
        let Some(per_bar) = self.volatility.update(close) else {
            return Opinion::hold("volatility is warming up");
        };
        let volatility = per_bar * bar.interval.per_year(self.params.days_per_year).sqrt();
        let wanted = (self.params.target / volatility).min(self.params.weight_max); // no volatility: the most
        let worth = market.instrument.exposure_f64(close, market.instrument.quantity_f64(market.position));
        let held = match market.equity_settled() {
            Some(equity) if equity > 0.0 => Ok(worth / equity),
            Some(_) => Err(NO_EQUITY),
            None => Err(NO_RATE),
        };
        self.last = Some(Reading { volatility, wanted, held: held.unwrap_or(f64::NAN) });
        let missing = match held {
            Ok(held) => wanted - held,
            Err(why) => return Opinion::hold(why),
        };
        if missing > self.params.band {
            Opinion::target(Target::Weight(wanted), "less is held than the volatility allows").tagged("rebalance")
        } else if missing < -self.params.band {
            Opinion::target(Target::Weight(wanted), "more is held than the volatility allows").tagged("rebalance")
        } else {
            Opinion::hold("what is held is inside the band around what is wanted")
        }
    }

    fn signals(&self) -> Vec<Signal> {
        let Some(Reading { volatility, wanted, held }) = self.last else { return Vec::new() };
        let off = wanted - held;
        Seen::default()
            .value("volatility a year", volatility)
            .value("weight held", held)
            .value("weight wanted", wanted)
            .against("off the wanted weight", off.abs(), self.params.band)
            .signals()
    }

    fn version(&self) -> Option<String> {
        parameters::version(1, &self.params)
    }

    fn expects(&self) -> Option<Expectation> {
        let Reading { wanted, held, .. } = self.last?;
        let outside = (wanted - held).abs() - self.params.band;
        Some(Expectation::over(self.params.period, f64::NAN).sure_by(outside, self.params.weight_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{
        Currency, InstrumentId, InstrumentSpec, Interval, Money, Position, Price, Quantity, Timestamp,
    };

    #[test]
    fn without_equity_it_names_no_weight_held_and_no_confidence() {
        let it = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test").list(InstrumentId(0)).unwrap();
        let params = VolatilityTargetParams { period: 2, ..VolatilityTargetParams::default() };
        let mut strategy = VolatilityTarget::new(params).unwrap();
        let price = Price::from_mantissa(100);
        let mut look = |hour: i64, equity: &str| {
            let equity = Money::parse(equity, Currency::new("USDT").unwrap()).unwrap();
            let (position, books, unit) = (Quantity::ZERO, Position::default(), Some(1.0));
            let market = Market { instrument: &it, position, books, equity, unit };
            let bar = Bar {
                instrument: InstrumentId(0),
                interval: Interval::HOUR,
                open_time: Timestamp::from_millis(hour * 3_600_000),
                open: price,
                high: price,
                low: price,
                close: price,
                volume: Quantity::from_mantissa(1),
            };
            let opinion = strategy.on_bar(&market, &bar);
            let seen: Vec<_> = strategy.signals().into_iter().map(|signal| signal.name.into_owned()).collect();
            (opinion.reason, strategy.expects(), seen)
        };
        assert_eq!(look(0, "10000").1, None, "it is warming up");
        look(1, "10000");
        assert!(look(2, "10000").1.is_some_and(|expected| expected.confidence.is_some()));
        let (reason, expected, seen) = look(3, "0");
        assert_eq!(reason, "there is no equity to hold anything with");
        assert_eq!(expected, Some(Expectation { horizon_bars: 2, value: None, confidence: None }));
        assert_eq!(seen, ["volatility a year", "weight wanted"], "nothing is left of the bar before");
    }
}
