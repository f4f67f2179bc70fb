//! The few sums that every family needs. All of them answer `None` for input that is empty or not finite.

/// `value`, unless it is NaN or infinite; a zero is never negative: a sum over nothing is `-0.0` to the machine.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value + 0.0)
}

/// `top / bottom`, unless the bottom is zero or the result not finite.
pub(crate) fn ratio(top: f64, bottom: f64) -> Option<f64> {
    if bottom == 0.0 { None } else { finite(top / bottom) }
}

/// A count as a number; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of bars and trades stay far below 2^53")]
pub(crate) fn count(values: usize) -> f64 {
    values as f64
}

/// Whether every value is finite.
pub(crate) fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}

/// Arithmetic mean.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    ratio(values.iter().sum(), count(values.len()))
}

/// Mean of `(x - mean)^power`.
pub(crate) fn central_moment(values: &[f64], power: i32) -> Option<f64> {
    let mean = mean(values)?;
    ratio(values.iter().map(|value| (value - mean).powi(power)).sum(), count(values.len()))
}

/// Standard deviation with `n - 1` below; `None` for fewer than two values.
pub(crate) fn sample_deviation(values: &[f64]) -> Option<f64> {
    let n = count(values.len());
    let variance = central_moment(values, 2)? * n / (n - 1.0);
    finite(variance.sqrt())
}

/// Sample deviation, or `None` where it is zero up to rounding: such values do not vary.
pub(crate) fn varying_deviation(values: &[f64]) -> Option<f64> {
    let scale = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    sample_deviation(values).filter(|deviation| *deviation > scale * 1e-14)
}

/// Mean of the products of the distances from both means (`n` below), over the common length.
pub(crate) fn covariance(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() {
        return None;
    }
    let (left_mean, right_mean) = (mean(left)?, mean(right)?);
    let products = left.iter().zip(right).map(|(l, r)| (l - left_mean) * (r - right_mean));
    ratio(products.sum(), count(left.len()))
}

/// The values in ascending order, or `None` if one is not finite.
pub(crate) fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if !all_finite(values) {
        return None;
    }
    let mut ordered = values.to_vec();
    ordered.sort_unstable_by(f64::total_cmp);
    Some(ordered)
}

/// Quantile of ascending values by linear interpolation at `(n - 1) * probability` (R type 7, the default of numpy).
/// `None` without values, for a probability outside 0 to 1, and if the result is not finite.
///
/// Source: R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician, 1996.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= place < len, floored on purpose")]
pub fn quantile_of_sorted(ordered: &[f64], probability: f64) -> Option<f64> {
    if ordered.is_empty() || !(0.0..=1.0).contains(&probability) {
        return None;
    }
    let place = probability * count(ordered.len() - 1);
    let below = ordered[place.floor() as usize];
    let above = ordered[place.ceil() as usize];
    finite(below + (above - below) * place.fract())
}

/// The middle value; the mean of both middle values when their number is even.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    quantile_of_sorted(&sorted(values)?, 0.5)
}

/// Density of the standard normal distribution.
pub(crate) fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Standard normal distribution function, to about 1e-15.
///
/// Near zero the Taylor series, in the tails the continued fraction of the Mills ratio.
/// Source: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 26.2.11 and 26.2.14.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    let distance = z.abs();
    let upper_tail = if distance < 3.0 {
        let (mut term, mut sum, mut odd) = (distance, distance, 1.0);
        while term > sum * 1e-17 {
            odd += 2.0;
            term *= distance * distance / odd;
            sum += term;
        }
        0.5 - normal_density(distance) * sum
    } else {
        let fraction = (1..=60_u32).rev().fold(distance, |below, step| distance + f64::from(step) / below);
        normal_density(distance) / fraction
    };
    if z > 0.0 { 1.0 - upper_tail } else { upper_tail }
}

/// Inverse of [`normal_cdf`] for `0 < probability < 1`: bisection, so it inherits its exactness.
pub(crate) fn normal_quantile(probability: f64) -> Option<f64> {
    if !(probability > 0.0 && probability < 1.0) {
        return None;
    }
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < probability { low = middle } else { high = middle }
    }
    Some(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_agrees_with_printed_tables() {
        // Abramowitz and Stegun, tables 26.1 and 26.5.
        let table =
            [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-2.0, 0.022_750_131_948_179), (4.0, 0.999_968_328_758_167)];
        for (z, expected) in table {
            assert!((normal_cdf(z) - expected).abs() < 1e-14, "{z}");
        }
        assert!((normal_quantile(0.95).unwrap() - 1.644_853_626_951_473).abs() < 1e-12);
        assert!((normal_quantile(0.01).unwrap() + 2.326_347_874_040_841).abs() < 1e-12);
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0), normal_quantile(f64::NAN)), (None, None, None));
    }

    #[test]
    fn the_two_branches_of_the_distribution_meet() {
        assert!((normal_cdf(3.0) - normal_cdf(3.0 - 1e-12)).abs() < 1e-13);
        assert!((normal_cdf(-3.0) - normal_cdf(-3.0 + 1e-12)).abs() < 1e-13);
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        let ordered = [1.0, 2.0, 4.0, 8.0];
        for (probability, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (1.0, 8.0)] {
            assert!((quantile_of_sorted(&ordered, probability).unwrap() - expected).abs() < 1e-15);
        }
        assert_eq!(quantile_of_sorted(&[], 0.5), None);
    }
}
