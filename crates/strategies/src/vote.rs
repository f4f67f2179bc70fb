//! Several signals vote; the weighted mean of their votes decides.

use crate::parameters::{self, BARS, PART_OF_EQUITY, Parameter, Range, parameter};
use crate::seen::{Held, Seen, candle};
use crate::{Expectation, Market, Opinion, Strategy, StrategyError, Target};
use serde::{Deserialize, Serialize};
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::{Atr, Candle, Donchian, DonchianOutput, Ema, Indicator, Macd, Rsi, Seed, ZScore};

/// Parameters of [`Vote`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VoteParams {
    /// Weight of the averages' vote.
    pub vote_trend: f64,
    /// Weight of the RSI's vote.
    pub vote_rsi: f64,
    /// Weight of the MACD histogram's vote.
    pub vote_macd: f64,
    /// Weight of the vote of the place in the channel.
    pub vote_breakout: f64,
    /// Weight of the vote of the distance from the mean.
    pub vote_mean: f64,
    /// Score at or above which to buy.
    pub buy: f64,
    /// Score at or below which to sell what is held.
    pub sell: f64,
    /// Bars of the fast average.
    pub fast: usize,
    /// Bars of the slow average.
    pub slow: usize,
    /// Bars of the RSI.
    pub rsi_period: usize,
    /// Bars of the channel.
    pub channel: usize,
    /// Bars of the mean.
    pub mean_period: usize,
    /// Part of equity to hold.
    pub weight: f64,
    /// Whether to go short by the mirrored rule; ignored for what is bought with cash.
    pub short: bool,
}

impl Default for VoteParams {
    fn default() -> Self {
        Self {
            vote_trend: 0.3,
            vote_rsi: 0.2,
            vote_macd: 0.1,
            vote_breakout: 0.2,
            vote_mean: 0.2,
            buy: 0.5,
            sell: -0.2,
            fast: 10,
            slow: 20,
            rsi_period: 14,
            channel: 20,
            mean_period: 50,
            weight: 0.95,
            short: false,
        }
    }
}

/// Bars of the average true range that makes price differences comparable.
const ATR_BARS: usize = 14;
const VOTERS: [&str; 5] = ["trend", "rsi", "macd", "breakout", "mean"];

/// Long when the score reaches `buy`, flat again when it falls to `sell`. The score is the weighted mean of five
/// votes, each cut to [-1, 1], so it reaches both ends of [-1, 1] whatever the weights are:
///
/// | vote | is 1 or more when |
/// |---|---|
/// | `trend` | EMA(`fast`) lies an average true range above EMA(`slow`) |
/// | `rsi` | the RSI is 75; 50 is 0 |
/// | `macd` | the MACD histogram (12, 26, 9) is a quarter of the average true range |
/// | `breakout` | the close is at the top of the channel of the bars before; its middle is 0 |
/// | `mean` | the close lies two standard deviations above its mean |
///
/// The tag of its trades is the vote that did most to reach the threshold.
///
/// The score is its forecast, over `slow` bars. Its confidence in a trade is the size of the score, 0 to 1; in a hold it is
/// how much of the way from the threshold to the far end of the scale lies between the threshold and the score.
///
/// The votes follow the market: a high RSI is strength here, where [`crate::MeanReversion`] takes it for excess.
#[derive(Clone, Debug)]
pub struct Vote {
    params: VoteParams,
    fast: Ema,
    slow: Ema,
    rsi: Rsi,
    macd: Macd,
    channel: Donchian,
    channel_before: Option<DonchianOutput>,
    mean: ZScore,
    atr: Atr,
    weights: [f64; 5],
    last: Option<Count>,
}

/// The votes on one bar.
#[derive(Clone, Copy, Debug)]
struct Count {
    votes: [f64; 5],
    score: f64,
    /// The score that would change what is held.
    threshold: f64,
    /// Whether the score must rise to reach it.
    rising: bool,
}

impl Count {
    fn is_reached(&self) -> bool {
        if self.rising { self.score >= self.threshold } else { self.score <= self.threshold }
    }

    /// How clear the word is that follows, from 0 to 1.
    fn confidence(&self) -> f64 {
        let far_end = if self.rising { -1.0 } else { 1.0 };
        if self.is_reached() { self.score.abs() } else { (self.score - self.threshold) / (far_end - self.threshold) }
    }
}

impl Vote {
    pub(crate) const NAME: &'static str = "vote";
    pub(crate) const PARAMETERS: &'static [Parameter] = &[
        parameter("vote_trend", "0.3", Range::Real(0.0, 1e6), "weight of fast average against slow"),
        parameter("vote_rsi", "0.2", Range::Real(0.0, 1e6), "weight of the RSI against 50"),
        parameter("vote_macd", "0.1", Range::Real(0.0, 1e6), "weight of the MACD histogram"),
        parameter("vote_breakout", "0.2", Range::Real(0.0, 1e6), "weight of the place in the channel"),
        parameter("vote_mean", "0.2", Range::Real(0.0, 1e6), "weight of the distance from the mean"),
        parameter("buy", "0.5", Range::Real(0.01, 0.95), "score, -1 to 1, at or above which to buy"),
        parameter("sell", "-0.2", Range::Real(-0.95, 0.9), "score at or below which to sell; less than buy"),
        parameter("fast", "10", Range::Whole(1, 100_000), "bars of the fast average"),
        parameter("slow", "20", BARS, "bars of the slow average; more than fast"),
        parameter("rsi_period", "14", BARS, "bars of the RSI"),
        parameter("channel", "20", BARS, "bars of the channel"),
        parameter("mean_period", "50", BARS, "bars of the mean"),
        parameter("weight", "0.95", PART_OF_EQUITY, "part of equity to hold"),
        parameter("short", "false", Range::Switch, "go short by the mirrored rule; never where cash is paid"),
    ];

    /// A voting strategy.
    ///
    /// # Errors
    /// [`StrategyError`] for a parameter out of range, thresholds or averages that cross, or weights that are all
    /// zero.
    pub fn new(params: VoteParams) -> Result<Self, StrategyError> {
        parameters::check(Self::NAME, Self::PARAMETERS, &params)?;
        refuse_conflicts(&params)?;
        let raw = [params.vote_trend, params.vote_rsi, params.vote_macd, params.vote_breakout, params.vote_mean];
        let sum: f64 = raw.iter().sum();
        Ok(Self {
            params,
            fast: Ema::seeded(params.fast, Seed::First)?,
            slow: Ema::seeded(params.slow, Seed::First)?,
            rsi: Rsi::new(params.rsi_period)?,
            macd: Macd::new(12, 26, 9)?,
            channel: Donchian::new(params.channel)?,
            channel_before: None,
            mean: ZScore::new(params.mean_period)?,
            atr: Atr::new(ATR_BARS)?,
            weights: raw.map(|weight| weight / sum),
            last: None,
        })
    }

    fn votes(&mut self, candle: Candle) -> Option<[f64; 5]> {
        let close = candle.close;
        let (fast, slow) = (self.fast.update(close), self.slow.update(close));
        let (rsi, macd, atr) = (self.rsi.update(close), self.macd.update(close), self.atr.update(candle));
        let z = self.mean.update(close);
        let channel = std::mem::replace(&mut self.channel_before, self.channel.update(candle));
        let (channel, atr, rsi) = (channel?, atr?, rsi?);
        Some([
            vote(fast? - slow?, atr),
            vote(rsi - 50.0, 25.0),
            vote(macd?.histogram, 0.25 * atr),
            vote(close - channel.middle, (channel.upper - channel.lower) / 2.0),
            vote(z.unwrap_or(0.0), 2.0), // no value: the window does not move, and the close is its mean
        ])
    }

    fn count(&self, votes: [f64; 5], held: Held, may_short: bool) -> Count {
        let score: f64 = votes.iter().zip(self.weights).map(|(vote, weight)| vote * weight).sum();
        let VoteParams { buy, sell, .. } = self.params;
        let (threshold, rising) = match held {
            Held::Flat if may_short && score < 0.0 => (-buy, false),
            Held::Flat => (buy, true),
            Held::Long => (sell, false),
            Held::Short => (-sell, true),
        };
        Count { votes, score, threshold, rising }
    }

    /// Who did most to bring the score where it is.
    fn loudest(&self, count: &Count) -> &'static str {
        let direction = if count.rising { 1.0 } else { -1.0 };
        let share = |at: usize| direction * self.weights[at] * count.votes[at];
        let most = (0..VOTERS.len()).max_by(|a, b| share(*a).total_cmp(&share(*b))).unwrap_or(0);
        VOTERS[most]
    }

    /// What keeps the score from its threshold.
    fn missing(&self, count: &Count) -> String {
        let direction = if count.rising { 1.0 } else { -1.0 };
        let room = |at: usize| self.weights[at] * (1.0 - direction * count.votes[at]);
        let most = (0..VOTERS.len()).max_by(|a, b| room(*a).total_cmp(&room(*b))).unwrap_or(0);
        format!(
            "score {:.3}, threshold {:.3}: {:.3} missing, most of it from {} ({:.3})",
            count.score,
            count.threshold,
            (count.threshold - count.score).abs(),
            VOTERS[most],
            count.votes[most],
        )
    }
}

#[allow(clippy::cast_precision_loss, reason = "periods are small")]
fn refuse_conflicts(params: &VoteParams) -> Result<(), StrategyError> {
    let VoteParams { vote_trend, vote_rsi, vote_macd, vote_breakout, vote_mean, .. } = *params;
    let conflict = |rule, first, second| Err(StrategyError::Conflict { strategy: Vote::NAME, rule, first, second });
    if params.fast >= params.slow {
        return conflict("fast must be less than slow", params.fast as f64, params.slow as f64);
    }
    if params.sell >= params.buy {
        return conflict("sell must be less than buy", params.sell, params.buy);
    }
    if vote_trend.max(vote_rsi) <= 0.0 && vote_macd.max(vote_breakout).max(vote_mean) <= 0.0 {
        return conflict("one vote at least must have weight", vote_trend, vote_rsi);
    }
    Ok(())
}

/// `value` in `unit`s, cut to [-1, 1]; 0 where the unit vanishes, as in a market that does not move.
fn vote(value: f64, unit: f64) -> f64 {
    if unit > 0.0 { (value / unit).clamp(-1.0, 1.0) } else { 0.0 }
}

impl Strategy for Vote {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn warm_up(&self) -> usize {
        let channel = self.channel.lookback() + 1; // that before the newest bar
        [self.params.slow, self.rsi.lookback(), self.macd.lookback(), self.mean.lookback(), self.atr.lookback()]
            .into_iter()
            .fold(channel, usize::max)
    }

    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        let Some(votes) = self.votes(candle(market, bar)) else {
            self.last = None;
            return Opinion::hold("the indicators are warming up");
        };
        let held = Held::of(market);
        let count = self.count(votes, held, self.params.short && !market.instrument.is_cash());
        self.last = Some(count);
        if !count.is_reached() {
            return Opinion { reason: self.missing(&count).into(), ..Opinion::hold("") };
        }
        let target = match (held, count.rising) {
            (Held::Flat, true) => Target::Weight(self.params.weight),
            (Held::Flat, false) => Target::Weight(-self.params.weight),
            (Held::Long | Held::Short, _) => Target::Flat,
        };
        let reason = format!("score {:.3} reached the threshold {:.3}", count.score, count.threshold);
        Opinion { target: Some(target), reason: reason.into(), tag: self.loudest(&count), ..Opinion::hold("") }
    }

    /// Each vote's distance is its value less the value at which the score would reach its threshold, all other
    /// votes unchanged; a value beyond [-1, 1] says that the vote alone cannot.
    fn signals(&self) -> Vec<Signal> {
        let Some(count) = self.last else { return Vec::new() };
        let off = count.score - count.threshold;
        let voters = VOTERS.into_iter().zip(count.votes).zip(self.weights);
        let seen = voters.fold(Seen::default(), |seen, ((name, vote), weight)| {
            seen.vote(name, vote, weight, if weight > 0.0 { off / weight } else { f64::NAN })
        });
        seen.against("score", count.score, count.threshold).value("threshold", count.threshold).signals()
    }

    fn version(&self) -> Option<String> {
        parameters::version(1, &self.params)
    }

    fn expects(&self) -> Option<Expectation> {
        let score = self.last.map_or(f64::NAN, |count| count.score);
        let confidence = self.last.map(|count| count.confidence());
        Some(Expectation { confidence, ..Expectation::over(self.params.slow, score) })
    }
}
