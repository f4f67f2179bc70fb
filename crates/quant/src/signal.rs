//! How good a forecast was, before any trade: information coefficients.

use crate::benchmark::correlation;
use crate::numeric::{all_finite, count, mean, ratio, varying_deviation};

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
