//! Buys a new high of the channel while momentum agrees, and leaves at a new low of a shorter one.

use crate::parameters::{self, BARS, PART_OF_EQUITY, Parameter, Range, parameter};
use crate::seen::{Held, Seen, candle};
use crate::{Expectation, Market, Opinion, Strategy, StrategyError, Target};
use serde::{Deserialize, Serialize};
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::regime::{CHOPPY_ADX, Phase};
use tradewind_indicators::{Adx, Donchian, DonchianOutput, Indicator, Roc};

/// Parameters of [`Breakout`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakoutParams {
    /// Bars before this one whose highest high must be exceeded to enter.
    pub entry: usize,
    /// Bars before this one whose lowest low must be undercut to leave.
    pub exit: usize,
    /// Bars over which momentum is measured.
    pub momentum: usize,
    /// Least change over those bars, in percent, in the direction of the entry.
    pub momentum_min: f64,
    /// Bars of the ADX, which tells a choppy market.
    pub adx_period: usize,
    /// Whether to stay out while the ADX says choppy.
    pub skip_choppy: bool,
    /// Part of equity to hold.
    pub weight: f64,
    /// Whether to sell breakouts downwards short; ignored for what is bought with cash.
    pub short: bool,
}

impl Default for BreakoutParams {
    fn default() -> Self {
        Self {
            entry: 20,
            exit: 10,
            momentum: 40,
            momentum_min: 0.0,
            adx_period: 14,
            skip_choppy: true,
            weight: 0.95,
            short: false,
        }
    }
}

/// Long when the close is above the highest high of the `entry` bars before, the change over `momentum` bars is
/// above `momentum_min` percent and the market is not choppy; out when it closes below the lowest low of the
/// `exit` bars before.
///
/// Its forecast, over `entry` bars, is the place of the close in the entry channel: 1 at its top, 0 in the middle. Its
/// confidence, by [`Expectation::sure_by`], is how far the close lies beyond the edge that decides, or inside it on a hold,
/// against half of that channel's width: an edge of the entry channel while flat, of the exit channel in a position. Where
/// the close is outside and something else holds the entry back it is the distance of that: of momentum against half the
/// channel's width in percent of the close, or of the ADX against [`CHOPPY_ADX`].
#[derive(Clone, Debug)]
pub struct Breakout {
    params: BreakoutParams,
    entry: Donchian,
    exit: Donchian,
    momentum: Roc,
    strength: Adx,
    /// The channels as they stood before the newest bar.
    before: (Option<DonchianOutput>, Option<DonchianOutput>),
    last: Option<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    close: f64,
    entry: DonchianOutput,
    exit: DonchianOutput,
    momentum: f64,
    adx: f64,
    held: Held,
    may_short: bool,
}

impl Reading {
    /// 1 where a position is long, or would be: at the edge of the entry channel that is nearer. -1 where it is short.
    fn side(&self) -> f64 {
        let Self { close, entry, held, may_short, .. } = *self;
        match held {
            Held::Long => 1.0,
            Held::Short => -1.0,
            Held::Flat if may_short && entry.lower - close > close - entry.upper => -1.0,
            Held::Flat => 1.0,
        }
    }

    /// How far the close lies beyond the edge that decides, negative inside, and half of that channel's width.
    fn outside(&self) -> (f64, f64) {
        let Self { close, entry, exit, held, .. } = *self;
        let (channel, outside) = match held {
            Held::Flat if self.side() < 0.0 => (entry, entry.lower - close),
            Held::Flat => (entry, close - entry.upper),
            Held::Long => (exit, exit.lower - close),
            Held::Short => (exit, close - exit.upper),
        };
        (outside, (channel.upper - channel.lower) / 2.0)
    }
}

impl Breakout {
    pub(crate) const NAME: &'static str = "breakout";
    pub(crate) const PARAMETERS: &'static [Parameter] = &[
        parameter("entry", "20", BARS, "bars whose highest high must be exceeded to enter"),
        parameter("exit", "10", BARS, "bars whose lowest low must be undercut to leave; at most entry"),
        parameter("momentum", "40", Range::Whole(1, 100_000), "bars over which momentum is measured"),
        parameter("momentum_min", "0.0", Range::Real(-100.0, 1000.0), "momentum above which to enter, in percent"),
        parameter("adx_period", "14", BARS, "bars of the ADX, which tells a choppy market"),
        parameter("skip_choppy", "true", Range::Switch, "stay out while the ADX says choppy"),
        parameter("weight", "0.95", PART_OF_EQUITY, "part of equity to hold"),
        parameter("short", "false", Range::Switch, "sell breakouts downwards short; never where cash is paid"),
    ];

    /// A breakout trader.
    ///
    /// # Errors
    /// [`StrategyError`] for a parameter out of range, or an exit channel longer than the entry's.
    #[allow(clippy::cast_precision_loss, reason = "periods are small")]
    pub fn new(params: BreakoutParams) -> Result<Self, StrategyError> {
        parameters::check(Self::NAME, Self::PARAMETERS, &params)?;
        if params.exit > params.entry {
            return Err(StrategyError::Conflict {
                strategy: Self::NAME,
                rule: "exit must not be more than entry",
                first: params.exit as f64,
                second: params.entry as f64,
            });
        }
        Ok(Self {
            params,
            entry: Donchian::new(params.entry)?,
            exit: Donchian::new(params.exit)?,
            momentum: Roc::new(params.momentum)?,
            strength: Adx::new(params.adx_period)?,
            before: (None, None),
            last: None,
        })
    }

    fn read(&mut self, market: &Market<'_>, bar: &Bar) -> Option<Reading> {
        let candle = candle(market, bar);
        let (momentum, strength) = (self.momentum.update(candle.close), self.strength.update(candle));
        let now = (self.entry.update(candle), self.exit.update(candle));
        let (entry, exit) = std::mem::replace(&mut self.before, now);
        Some(Reading {
            close: candle.close,
            entry: entry?,
            exit: exit?,
            momentum: momentum?,
            adx: strength?.adx,
            held: Held::of(market),
            may_short: self.params.short && !market.instrument.is_cash(),
        })
    }

    /// The word on a bar, with how far what decides lies beyond its threshold, negative inside it, and a clear distance in
    /// the same measure.
    fn decide(&self, at: &Reading) -> (Opinion, (f64, f64)) {
        let opinion = match at.held {
            Held::Flat => return self.enter(at),
            Held::Long if at.close < at.exit.lower => {
                Opinion::target(Target::Flat, "a close below the exit channel").tagged("channel-low")
            }
            Held::Short if at.close > at.exit.upper => {
                Opinion::target(Target::Flat, "a close above the exit channel").tagged("channel-high")
            }
            Held::Long => Opinion::hold("long: the close is not below the exit channel"),
            Held::Short => Opinion::hold("short: the close is not above the exit channel"),
        };
        (opinion, at.outside())
    }

    /// The same for who is flat: the first condition that does not hold is the one that decides.
    fn enter(&self, at: &Reading) -> (Opinion, (f64, f64)) {
        let (side, (outside, half_width)) = (at.side(), at.outside());
        let momentum = side * at.momentum - self.params.momentum_min;
        if outside <= 0.0 {
            let hold = Opinion::hold("flat: the close is inside the entry channel");
            return (hold, (outside, half_width));
        }
        if momentum <= 0.0 {
            let hold = Opinion::hold("flat: the close left the channel, but momentum does not agree");
            return (hold, (momentum, 100.0 * half_width / at.close));
        }
        if self.params.skip_choppy && Phase::by_adx(at.adx) == Phase::Choppy {
            let hold = Opinion::hold("flat: the close left the channel, but the market is choppy");
            return (hold, (at.adx - CHOPPY_ADX, CHOPPY_ADX));
        }
        let (reason, tag) = if side > 0.0 {
            ("a close above the channel, momentum agrees", "breakout")
        } else {
            ("a close below the channel, momentum agrees", "breakdown")
        };
        let opinion = Opinion::target(Target::Weight(side * self.params.weight), reason).tagged(tag);
        (opinion, (outside, half_width))
    }
}

impl Strategy for Breakout {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn warm_up(&self) -> usize {
        let channels = self.entry.lookback().max(self.exit.lookback()) + 1; // those before the newest bar
        channels.max(self.momentum.lookback()).max(self.strength.lookback())
    }

    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        self.last = self.read(market, bar);
        let Some(at) = self.last else { return Opinion::hold("the indicators are warming up") };
        self.decide(&at).0
    }

    fn signals(&self) -> Vec<Signal> {
        let Some(at) = self.last else { return Vec::new() };
        let seen = match at.held {
            Held::Flat => {
                let seen = Seen::default().against("close - entry high", at.close - at.entry.upper, 0.0);
                if self.params.short { seen.against("close - entry low", at.close - at.entry.lower, 0.0) } else { seen }
            }
            Held::Long => Seen::default().against("close - exit low", at.close - at.exit.lower, 0.0),
            Held::Short => Seen::default().against("close - exit high", at.close - at.exit.upper, 0.0),
        };
        let momentum_least = at.side() * self.params.momentum_min;
        let adx_least = if self.params.skip_choppy { CHOPPY_ADX } else { f64::NAN };
        seen.against("momentum %", at.momentum, momentum_least).against("adx", at.adx, adx_least).signals()
    }

    fn version(&self) -> Option<String> {
        parameters::version(1, &self.params)
    }

    fn expects(&self) -> Option<Expectation> {
        let Some(at) = self.last else { return Some(Expectation::over(self.params.entry, f64::NAN)) };
        let place = 2.0 * (at.close - at.entry.middle) / (at.entry.upper - at.entry.lower);
        let (_, (beyond, clear)) = self.decide(&at);
        Some(Expectation::over(self.params.entry, place).sure_by(beyond, clear))
    }
}
