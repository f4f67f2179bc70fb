//! How good a forecast was, before any trade: information coefficients.

use crate::benchmark::correlation;
use crate::numeric::{all_finite, count, mean, ratio, varying_deviation};
use serde::Serialize;
use std::collections::VecDeque;

/// Information coefficient: Pearson correlation of forecasts with what then happened, in [-1, 1].
///
/// One entry per instrument of one moment (or per moment of one instrument). `None` for fewer than two pairs, slices of
/// different length, or a side that does not vary. Source: Grinold and Kahn 1999, ch. 6; the IC of Qlib.
pub fn information_coefficient(forecasts: &[f64], outcomes: &[f64]) -> Option<f64> {
    correlation(forecasts, outcomes)
}

/// Rank information coefficient: Spearman correlation, ties share their mean rank; in [-1, 1].
///
/// `None` as [`information_coefficient`], or if a value is not finite. Source: C. Spearman, "The Proof and Measurement of
/// Association between Two Things", 1904; the Rank IC of Qlib.
pub fn rank_information_coefficient(forecasts: &[f64], outcomes: &[f64]) -> Option<f64> {
    correlation(&ranks(forecasts)?, &ranks(outcomes)?)
}

/// ICIR: mean / sample deviation of a series of (rank) information coefficients; not annualised.
///
/// `None` for fewer than two, or when they do not vary. Source: Qlib, `calc_ic` report (ICIR, Rank ICIR).
pub fn information_coefficient_ratio(coefficients: &[f64]) -> Option<f64> {
    ratio(mean(coefficients)?, varying_deviation(coefficients)?)
}

/// How good forecasts were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ForecastQuality {
    /// Forecasts whose horizon has passed.
    pub judged: u64,
    /// Of these, how many named a direction: the market then rose, fell or stood still.
    pub directed: u64,
    /// Of these, how many named the right one; a market that stood still proves nobody right.
    pub hits: u64,
    /// Hits by directed forecasts.
    pub hit_rate: Option<f64>,
    /// Mean return over the horizon in the direction that was named, a fraction; before costs.
    pub mean_outcome: Option<f64>,
    /// [`information_coefficient`] of the forecasts with the returns that followed.
    pub information_coefficient: Option<f64>,
    /// Whole blocks of 100 forecasts in a row, each with coefficients of its own: one market has no cross-section whose
    /// coefficient could be taken at each moment.
    pub blocks: u64,
    /// [`information_coefficient_ratio`] of the blocks' coefficients: how steady they are.
    pub information_coefficient_ratio: Option<f64>,
    /// Mean of the blocks' [`rank_information_coefficient`].
    pub rank_information_coefficient: Option<f64>,
    /// [`information_coefficient_ratio`] of those.
    pub rank_information_coefficient_ratio: Option<f64>,
}

/// Holds forecasts, at most one a bar, against the return from that bar's close to the close `horizon` bars later.
///
/// Its memory is one horizon of bars, one block of forecasts and two numbers for each block before. Forecasts of neighbouring bars share most of their horizon: they are not as many
/// independent trials as they are forecasts.
#[derive(Clone, Debug)]
pub struct ForecastTrack {
    horizon: usize,
    /// Closes whose horizon has not passed, oldest first, with what was forecast on them.
    waiting: VecDeque<(f64, Option<f64>)>,
    quality: ForecastQuality,
    outcomes: f64,
    pairs: CoMoments,
    blocks: Blocks,
}

impl ForecastTrack {
    /// Nothing yet. A horizon of 0 is taken for 1.
    #[must_use]
    pub fn new(horizon: usize) -> Self {
        let horizon = horizon.max(1);
        Self {
            horizon,
            waiting: VecDeque::new(),
            quality: ForecastQuality::default(),
            outcomes: 0.0,
            pairs: CoMoments::default(),
            blocks: Blocks::default(),
        }
    }

    /// Takes in the close of the next bar and what was forecast on it: above 0 a rise, below 0 a fall, 0 neither.
    /// Settles what was forecast `horizon` bars before. What is not finite counts as no forecast.
    pub fn bar(&mut self, close: f64, forecast: Option<f64>) {
        if self.waiting.len() == self.horizon
            && let Some((before, Some(forecast))) = self.waiting.pop_front()
        {
            self.settle(forecast, close / before - 1.0);
        }
        self.waiting.push_back((close, forecast.filter(|value| value.is_finite())));
    }

    fn settle(&mut self, forecast: f64, outcome: f64) {
        if !outcome.is_finite() {
            return; // a price of zero has no return
        }
        self.quality.judged += 1;
        self.pairs.add(forecast, outcome);
        self.blocks.add(forecast, outcome);
        if forecast != 0.0 {
            let gained = outcome * forecast.signum();
            self.quality.directed += 1;
            self.quality.hits += u64::from(gained > 0.0);
            self.outcomes += gained;
        }
    }

    /// How good the forecasts were whose horizon has passed.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts of bars")]
    pub fn quality(&self) -> ForecastQuality {
        let directed = self.quality.directed as f64;
        ForecastQuality {
            hit_rate: ratio(self.quality.hits as f64, directed),
            mean_outcome: ratio(self.outcomes, directed),
            information_coefficient: self.pairs.correlation(),
            blocks: self.blocks.whole,
            information_coefficient_ratio: information_coefficient_ratio(&self.blocks.coefficients),
            rank_information_coefficient: mean(&self.blocks.of_ranks),
            rank_information_coefficient_ratio: information_coefficient_ratio(&self.blocks.of_ranks),
            ..self.quality
        }
    }
}

/// Forecasts of a block.
const BLOCK: usize = 100;

/// Coefficients of every whole block; none of one that does not vary.
#[derive(Clone, Debug, Default)]
struct Blocks {
    forecasts: Vec<f64>,
    outcomes: Vec<f64>,
    whole: u64,
    coefficients: Vec<f64>,
    of_ranks: Vec<f64>,
}

impl Blocks {
    fn add(&mut self, forecast: f64, outcome: f64) {
        self.forecasts.push(forecast);
        self.outcomes.push(outcome);
        if self.forecasts.len() == BLOCK {
            self.whole += 1;
            self.coefficients.extend(information_coefficient(&self.forecasts, &self.outcomes));
            self.of_ranks.extend(rank_information_coefficient(&self.forecasts, &self.outcomes));
            self.forecasts.clear();
            self.outcomes.clear();
        }
    }
}

/// Running means and co-moments of pairs. Source: Welford 1962, for pairs Chan, Golub and LeVeque 1979.
#[derive(Clone, Copy, Debug, Default)]
struct CoMoments {
    count: f64,
    means: (f64, f64),
    squares: (f64, f64),
    product: f64,
}

impl CoMoments {
    fn add(&mut self, one: f64, other: f64) {
        self.count += 1.0;
        let (from_one, from_other) = (one - self.means.0, other - self.means.1);
        self.means = (self.means.0 + from_one / self.count, self.means.1 + from_other / self.count);
        self.squares.0 += from_one * (one - self.means.0);
        self.squares.1 += from_other * (other - self.means.1);
        self.product += from_one * (other - self.means.1);
    }

    fn correlation(&self) -> Option<f64> {
        let varies = self.count >= 2.0 && self.squares.0 > 0.0 && self.squares.1 > 0.0;
        let value = self.product / (self.squares.0.sqrt() * self.squares.1.sqrt());
        (varies && value.is_finite()).then(|| value.clamp(-1.0, 1.0))
    }
}

/// Rank of each value from 1, equal values sharing the mean of their ranks.
fn ranks(values: &[f64]) -> Option<Vec<f64>> {
    if !all_finite(values) {
        return None;
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranked = vec![0.0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|a, b| values[*a].partial_cmp(&values[*b]) == Some(std::cmp::Ordering::Equal)) {
        for place in group {
            ranked[*place] = count(start) + (count(group.len()) + 1.0) / 2.0;
        }
        start += group.len();
    }
    Some(ranked)
}
