//! How good a forecast was, before any trade: information coefficients.

use crate::benchmark::correlation;
use crate::numeric::{all_finite, count, covariance, mean, ratio, varying_deviation};
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
    /// Whole blocks of neighbouring forecasts, 100 or, where that is more, five horizons: one market has no cross-section
    /// whose coefficient could be taken at each moment.
    pub blocks: u64,
    /// How steady the information coefficient is: mean over deviation of what each block has of it. `None` for fewer
    /// than ten blocks.
    pub information_coefficient_ratio: Option<f64>,
    /// [`rank_information_coefficient`] of the forecasts with the returns that followed.
    pub rank_information_coefficient: Option<f64>,
    /// How steady that is, likewise.
    pub rank_information_coefficient_ratio: Option<f64>,
}

/// Holds forecasts, at most one a bar, against the return from that bar's close to the close `horizon` bars later.
///
/// Forecasts of neighbouring bars share most of their horizon: they are not as many independent trials as they are
/// forecasts. So a coefficient of one block by itself is biased where forecasts follow past prices, below zero for those
/// of a trend: each of the few outcomes of a block lies in the past of its later forecasts. What a block has of the
/// coefficient is therefore reckoned about the means and deviations of the whole record, and is zero on average where
/// nothing can be forecast.
///
/// Its memory is one horizon of bars and up to 524,288 pairs. Of a longer record ranks and blocks see every second
/// pair, every fourth and so on, and the blocks have accordingly fewer; everything else sees all.
#[derive(Clone, Debug)]
pub struct ForecastTrack {
    horizon: usize,
    /// Closes whose horizon has not passed, oldest first, with what was forecast on them.
    waiting: VecDeque<(f64, Option<f64>)>,
    quality: ForecastQuality,
    outcomes: f64,
    moments: CoMoments,
    pairs: Pairs,
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
            moments: CoMoments::default(),
            pairs: Pairs::default(),
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
        self.moments.add(forecast, outcome);
        self.pairs.add(forecast, outcome);
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
        let Pairs { forecasts, outcomes, .. } = &self.pairs;
        let block = self.pairs.block(self.horizon);
        let ranked = ranks(forecasts).zip(ranks(outcomes));
        ForecastQuality {
            hit_rate: ratio(self.quality.hits as f64, directed),
            mean_outcome: ratio(self.outcomes, directed),
            information_coefficient: self.moments.correlation(),
            blocks: (forecasts.len() / block) as u64,
            information_coefficient_ratio: steadiness(forecasts, outcomes, block),
            rank_information_coefficient: ranked.as_ref().and_then(|(ours, theirs)| correlation(ours, theirs)),
            rank_information_coefficient_ratio: ranked.and_then(|(ours, theirs)| steadiness(&ours, &theirs, block)),
            ..self.quality
        }
    }
}

/// Forecasts of a block at least.
const BLOCK: usize = 100;
/// Horizons of a block at least: blocks share the outcomes at their edges alone.
const BLOCK_HORIZONS: usize = 5;
/// Blocks below which their deviation says little. Source: B. Schmeiser, "Batch Size Effects in the Analysis of Simulation
/// Output", Operations Research, 1982.
const BLOCKS_MIN: usize = 10;
/// Pairs that are remembered; beyond that every second one goes, again and again.
const PAIRS_KEPT: usize = 524_288;

/// Forecasts and what followed them, oldest first: all, or of a long record every `stride`th.
#[derive(Clone, Debug)]
struct Pairs {
    forecasts: Vec<f64>,
    outcomes: Vec<f64>,
    seen: usize,
    stride: usize,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { forecasts: Vec::new(), outcomes: Vec::new(), seen: 0, stride: 1 }
    }
}

impl Pairs {
    fn add(&mut self, forecast: f64, outcome: f64) {
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(self.stride) {
            return;
        }
        self.forecasts.push(forecast);
        self.outcomes.push(outcome);
        if self.forecasts.len() == PAIRS_KEPT {
            let thinned = |values: &[f64]| values.iter().step_by(2).copied().collect::<Vec<f64>>();
            (self.forecasts, self.outcomes) = (thinned(&self.forecasts), thinned(&self.outcomes));
            self.stride *= 2;
        }
    }

    /// How many of the pairs that are kept make a block.
    fn block(&self, horizon: usize) -> usize {
        (horizon.saturating_mul(BLOCK_HORIZONS).max(BLOCK) / self.stride).max(1)
    }
}

/// Mean / sample deviation of what blocks of neighbouring pairs have of the correlation of all; `None` for fewer than
/// ten whole blocks.
///
/// A pair has the product of its distances from both means over both deviations, all of the whole record, so that the
/// mean over all pairs is their correlation.
///
/// Source: the ICIR of Qlib, with blocks in the place of moments; the blocks are the batches of Schmeiser 1982.
fn steadiness(forecasts: &[f64], outcomes: &[f64], block: usize) -> Option<f64> {
    varying_deviation(forecasts)?;
    varying_deviation(outcomes)?;
    let (expected, usual) = (mean(forecasts)?, mean(outcomes)?);
    let scale = covariance(forecasts, forecasts)?.sqrt() * covariance(outcomes, outcomes)?.sqrt();
    let of_pair = |(forecast, outcome): (&f64, &f64)| (forecast - expected) * (outcome - usual) / scale;
    let of_pairs: Vec<f64> = forecasts.iter().zip(outcomes).map(of_pair).collect();
    let of_blocks: Vec<f64> = of_pairs.chunks_exact(block).filter_map(mean).collect();
    if of_blocks.len() < BLOCKS_MIN { None } else { information_coefficient_ratio(&of_blocks) }
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
