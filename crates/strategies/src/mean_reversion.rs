//! Buys what has fallen far below its mean, and sells it at the mean.

use crate::parameters::{self, BARS, PART_OF_EQUITY, Parameter, Range, parameter};
use crate::seen::{Held, Seen, candle};
use crate::{Expectation, Market, Opinion, Strategy, StrategyError, Target};
use serde::{Deserialize, Serialize};
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::{Atr, Indicator, Rsi, ZScore};

/// Parameters of [`MeanReversion`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeanReversionParams {
    /// Bars of the mean and of the standard deviation around it.
    pub period: usize,
    /// Standard deviations from the mean from which the price counts as stretched.
    pub entry_z: f64,
    /// Standard deviations from the mean, on the side of the entry, at which the position is closed.
    pub exit_z: f64,
    /// Bars of the RSI.
    pub rsi_period: usize,
    /// RSI at or below which a fallen price is bought; a risen one is sold short at 100 less this.
    pub rsi_low: f64,
    /// Bars of the ATR.
    pub atr_period: usize,
    /// Average true ranges against the entry price at which the position is given up.
    pub stop_atr: f64,
    /// Part of equity to hold.
    pub weight: f64,
    /// Whether to sell short what has risen too far; ignored for what is bought with cash.
    pub short: bool,
}

impl Default for MeanReversionParams {
    fn default() -> Self {
        Self {
            period: 20,
            entry_z: 2.0,
            exit_z: 0.0,
            rsi_period: 14,
            rsi_low: 35.0,
            atr_period: 14,
            stop_atr: 3.0,
            weight: 0.95,
            short: false,
        }
    }
}

/// Long when the close lies `entry_z` deviations below its mean and the RSI is low; out at the mean, or at a loss
/// of `stop_atr` average true ranges from the entry price. The lower Bollinger band of `entry_z` deviations is the
/// same line as the entry's.
///
/// Its forecast, over `period` bars, is how many deviations the close lies below its mean. Its confidence, by
/// [`Expectation::sure_by`], is the distance beyond the threshold that decides, or inside it on a hold: of the entry and of
/// the mean in deviations against `entry_z` of them, of the stop in price against the stop's own distance, `stop_atr`
/// average true ranges. At the stop it is that of giving up, whatever the forecast; between stop and mean it is that of
/// the one that is nearer by its own measure. Where the RSI alone holds an entry back it is the RSI's distance against
/// `rsi_low`.
///
/// After a stop it waits until the price has come back inside the band, so that one fall is bought once.
#[derive(Clone, Debug)]
pub struct MeanReversion {
    params: MeanReversionParams,
    stretch: ZScore,
    rsi: Rsi,
    atr: Atr,
    stopped: bool,
    last: Reading,
}

/// What one bar looked like; NaN until known.
#[derive(Clone, Copy, Debug)]
struct Reading {
    z: f64,
    rsi: f64,
    atr: f64,
    close: f64,
    stop: f64,
    held: Held,
    may_short: bool,
}

impl Reading {
    /// 1 where a position is long, or would be; -1 where it is short, or would be.
    fn side(&self) -> f64 {
        match self.held {
            Held::Long => 1.0,
            Held::Short => -1.0,
            Held::Flat if self.may_short && self.z > 0.0 => -1.0,
            Held::Flat => 1.0,
        }
    }
}

impl MeanReversion {
    pub(crate) const NAME: &'static str = "mean-reversion";
    pub(crate) const PARAMETERS: &'static [Parameter] = &[
        parameter("period", "20", BARS, "bars of the mean and of the standard deviation around it"),
        parameter("entry_z", "2.0", Range::Real(0.1, 10.0), "deviations from the mean that count as stretched"),
        parameter("exit_z", "0.0", Range::Real(-5.0, 5.0), "deviations short of the mean at which to close"),
        parameter("rsi_period", "14", BARS, "bars of the RSI"),
        parameter("rsi_low", "35.0", Range::Real(1.0, 50.0), "RSI at or below which to buy; 100 less this to short"),
        parameter("atr_period", "14", BARS, "bars of the average true range"),
        parameter("stop_atr", "3.0", Range::Real(0.1, 100.0), "average true ranges of loss at which to give up"),
        parameter("weight", "0.95", PART_OF_EQUITY, "part of equity to hold"),
        parameter("short", "false", Range::Switch, "sell short what rose too far; never where cash is paid"),
    ];

    /// A mean reverter.
    ///
    /// # Errors
    /// [`StrategyError`] for a parameter out of range, or an exit that lies beyond the entry.
    pub fn new(params: MeanReversionParams) -> Result<Self, StrategyError> {
        parameters::check(Self::NAME, Self::PARAMETERS, &params)?;
        if params.exit_z >= params.entry_z {
            return Err(StrategyError::Conflict {
                strategy: Self::NAME,
                rule: "exit_z must be less than entry_z",
                first: params.exit_z,
                second: params.entry_z,
            });
        }
        let nan = f64::NAN;
        Ok(Self {
            params,
            stretch: ZScore::new(params.period)?,
            rsi: Rsi::new(params.rsi_period)?,
            atr: Atr::new(params.atr_period)?,
            stopped: false,
            last: Reading { z: nan, rsi: nan, atr: nan, close: nan, stop: nan, held: Held::Flat, may_short: false },
        })
    }

    fn read(&mut self, market: &Market<'_>, bar: &Bar) -> bool {
        let candle = candle(market, bar);
        let (z, rsi) = (self.stretch.update(candle.close), self.rsi.update(candle.close));
        let atr = self.atr.update(candle);
        let held = Held::of(market);
        let away = atr.unwrap_or(f64::NAN) * self.params.stop_atr;
        let stop = match (held, market.entry_price()) {
            (Held::Long, Some(entry)) => entry - away,
            (Held::Short, Some(entry)) => entry + away,
            _ => f64::NAN,
        };
        // a window without any movement has no deviation: the price lies on its mean
        let z = z.unwrap_or(if rsi.is_some() { 0.0 } else { f64::NAN });
        let (rsi, atr) = (rsi.unwrap_or(f64::NAN), atr.unwrap_or(f64::NAN));
        let may_short = self.params.short && !market.instrument.is_cash();
        self.last = Reading { z, rsi, atr, close: candle.close, stop, held, may_short };
        !(z.is_nan() || rsi.is_nan() || atr.is_nan())
    }

    /// How many deviations beyond the band the close lies, on the side of the entry.
    fn stretch(&self) -> f64 {
        -self.last.side() * self.last.z - self.params.entry_z
    }

    /// How far the price lies beyond the stop.
    fn past_stop(&self) -> f64 {
        self.last.side() * (self.last.stop - self.last.close)
    }

    /// The RSI from which on a price counts as fallen, or risen, too far.
    fn rsi_threshold(&self) -> f64 {
        if self.last.side() > 0.0 { self.params.rsi_low } else { 100.0 - self.params.rsi_low }
    }

    /// The word on the newest bar, with how far what decides lies beyond its threshold, negative inside it, and a clear
    /// distance in the same measure.
    fn decide(&self) -> (Opinion, (f64, f64)) {
        match self.last.held {
            Held::Long | Held::Short => self.leave(),
            Held::Flat => self.enter(),
        }
    }

    fn leave(&self) -> (Opinion, (f64, f64)) {
        let MeanReversionParams { entry_z, exit_z, stop_atr, .. } = self.params;
        let (past_stop, stop_distance) = (self.past_stop(), stop_atr * self.last.atr);
        let past_mean = self.last.side() * self.last.z + exit_z;
        if past_stop >= 0.0 {
            let opinion = Opinion::target(Target::Flat, "the loss reached the stop").tagged("stop");
            return (opinion, (past_stop, stop_distance));
        }
        if past_mean >= 0.0 {
            let opinion = Opinion::target(Target::Flat, "the price is back at its mean").tagged("mean");
            return (opinion, (past_mean, entry_z));
        }
        let stop_is_nearer = past_stop / stop_distance > past_mean / entry_z;
        let nearer = if stop_is_nearer { (past_stop, stop_distance) } else { (past_mean, entry_z) };
        (Opinion::hold("in position: the price is between the stop and its mean"), nearer)
    }

    fn enter(&self) -> (Opinion, (f64, f64)) {
        let MeanReversionParams { entry_z, rsi_low, weight, .. } = self.params;
        let (side, stretch) = (self.last.side(), self.stretch());
        if self.stopped {
            let hold = Opinion::hold("stopped out: waiting for the price to come back inside the band");
            return (hold, (-stretch, entry_z)); // inside the threshold of coming back
        }
        if stretch < 0.0 {
            return (Opinion::hold("flat: the price is not far enough from its mean"), (stretch, entry_z));
        }
        let exhaustion = side * (self.rsi_threshold() - self.last.rsi);
        if exhaustion < 0.0 {
            let hold = Opinion::hold("flat: the price is far from its mean, but the RSI is not extreme");
            return (hold, (exhaustion, rsi_low));
        }
        let (reason, tag) = if side > 0.0 {
            ("far below the mean, RSI low", "band-low")
        } else {
            ("far above the mean, RSI high", "band-high")
        };
        (Opinion::target(Target::Weight(side * weight), reason).tagged(tag), (stretch, entry_z))
    }
}

impl Strategy for MeanReversion {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn warm_up(&self) -> usize {
        self.stretch.lookback().max(self.rsi.lookback()).max(self.atr.lookback())
    }

    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        if !self.read(market, bar) {
            return Opinion::hold("the indicators are warming up");
        }
        let (is_stretched, has_given_up) = (self.stretch() >= 0.0, self.past_stop() >= 0.0);
        let is_flat = self.last.held == Held::Flat;
        self.stopped = if is_flat { self.stopped && is_stretched } else { self.stopped || has_given_up };
        self.decide().0
    }

    fn signals(&self) -> Vec<Signal> {
        let (Reading { z, rsi, atr, close, stop, held, .. }, side) = (self.last, self.last.side());
        let z_threshold = -side * if held == Held::Flat { self.params.entry_z } else { self.params.exit_z };
        Seen::default()
            .against("z-score", z, z_threshold)
            .against("rsi", rsi, self.rsi_threshold())
            .value("atr", atr)
            .against("close - stop", close - stop, 0.0)
            .signals()
    }

    fn version(&self) -> Option<String> {
        parameters::version(1, &self.params)
    }

    fn expects(&self) -> Option<Expectation> {
        let (_, (beyond, clear)) = self.decide();
        Some(Expectation::over(self.params.period, -self.last.z).sure_by(beyond, clear))
    }
}
