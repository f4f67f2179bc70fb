//! The edges of the distribution: moments, value at risk, expected shortfall, tail ratio.
//!
//! Losses are positive fractions per period (0.03 is a loss of 3 %): a negative value at risk means that even the bad
//! end of the distribution gains. PerformanceAnalytics and empyrical print the same figures with the sign turned.

use crate::numeric::{
    all_finite, central_moment, count, finite, mean, normal_cdf, normal_density, normal_quantile, quantile_of_sorted,
    ratio, sorted, varying_deviation,
};

/// Skewness: third central moment / population deviation cubed (g1, no bias correction); 0 for a symmetric record.
///
/// `None` for fewer than two values, or when they do not vary.
///
/// Source: D. N. Joanes and C. A. Gill, "Comparing Measures of Sample Skewness and Kurtosis", The Statistician, 1998.
pub fn skewness(returns: &[f64]) -> Option<f64> {
    varying_deviation(returns)?;
    ratio(central_moment(returns, 3)?, central_moment(returns, 2)?.powf(1.5))
}

/// Plain kurtosis: fourth central moment / squared population variance; 3 for a normal distribution.
///
/// `None` for fewer than two values, or when they do not vary. Source: Joanes and Gill 1998 (g2 + 3).
pub fn kurtosis(returns: &[f64]) -> Option<f64> {
    varying_deviation(returns)?;
    ratio(central_moment(returns, 4)?, central_moment(returns, 2)?.powi(2))
}

/// Historical value at risk: minus the `1 - confidence` quantile of the returns (R type 7).
///
/// `confidence` lies strictly between 0 and 1 (0.95, 0.99). `None` for no returns.
///
/// Source: P. Jorion, "Value at Risk", 3rd edition, 2006. Equals minus `value_at_risk` of empyrical and
/// minus `VaR(method = "historical")` of PerformanceAnalytics.
pub fn value_at_risk(returns: &[f64], confidence: f64) -> Option<f64> {
    let tail = tail_probability(confidence)?;
    finite(-quantile_of_sorted(&sorted(returns)?, tail)?)
}

/// Parametric (normal) value at risk: `-(mean + z s)`, z the normal quantile of `1 - confidence`, s the population
/// deviation.
///
/// `None` for no returns. Source: Jorion 2006. Equals minus `VaR(method = "gaussian")` of PerformanceAnalytics.
pub fn parametric_value_at_risk(returns: &[f64], confidence: f64) -> Option<f64> {
    let z = normal_quantile(tail_probability(confidence)?)?;
    finite(-(mean(returns)? + z * central_moment(returns, 2)?.sqrt()))
}

/// Modified (Cornish-Fisher) value at risk: the normal quantile bent by skewness S and excess kurtosis K.
///
/// `-(mean + s (z + (z^2 - 1) S / 6 + (z^3 - 3z) K / 24 - (2z^3 - 5z) S^2 / 36))`. `None` where either moment is.
///
/// Source: J.-F. Boudt, B. Peterson, C. Croux, "Estimation and Decomposition of Downside Risk for Portfolios with
/// Non-Normal Returns", Journal of Risk, 2008. Equals minus `VaR(method = "modified")` of PerformanceAnalytics.
pub fn modified_value_at_risk(returns: &[f64], confidence: f64) -> Option<f64> {
    let z = normal_quantile(tail_probability(confidence)?)?;
    let (skew, excess) = (skewness(returns)?, kurtosis(returns)? - 3.0);
    let bent = z + (z.powi(2) - 1.0) * skew / 6.0 + (z.powi(3) - 3.0 * z) * excess / 24.0
        - (2.0 * z.powi(3) - 5.0 * z) * skew.powi(2) / 36.0;
    finite(-(mean(returns)? + bent * central_moment(returns, 2)?.sqrt()))
}

/// Whether the modified quantile of a record of this skewness S and excess kurtosis K grows with its probability, so that
/// it is the quantile of anything at all.
///
/// Its slope in z is `(K/8 - S^2/6) z^2 + (S/3) z + 1 - K/8 + 5 S^2/36`. It must be nowhere below zero within four
/// deviations of the middle, beyond which lies one period in 16,000. With S = 0 that is a K from -8/15 up to 8.
///
/// Source: D. Maillard, "A User's Guide to the Cornish Fisher Expansion", 2012, whose domain has no bounds for z: by it
/// the least negative K would rule a record out.
pub fn modified_quantile_grows(skewness: f64, excess: f64) -> bool {
    const FAR: f64 = 4.0;
    let square = skewness.powi(2);
    let (curve, tilt) = (excess / 8.0 - square / 6.0, skewness / 3.0);
    let slope = |z: f64| (curve * z + tilt) * z + 1.0 - excess / 8.0 + 5.0 * square / 36.0;
    // bent upwards it is least at its vertex, else at one of the ends
    let least = if curve > 0.0 { (-tilt / (2.0 * curve)).clamp(-FAR, FAR) } else { FAR };
    [-FAR, least, FAR].into_iter().all(|z| slope(z) >= 0.0)
}

/// Modified value at risk and expected shortfall, where they mean something.
///
/// Neither where [`modified_quantile_grows`] says no. No shortfall where the Edgeworth density falls below zero in the
/// tail, so that the mean of its losses would be no larger than the least of them: [`modified_expected_shortfall`] is then
/// kept at [`modified_value_at_risk`].
pub fn modified_tail(returns: &[f64], confidence: f64) -> (Option<f64>, Option<f64>) {
    let shape = skewness(returns).zip(kurtosis(returns));
    let grows = shape.is_some_and(|(skewness, kurtosis)| modified_quantile_grows(skewness, kurtosis - 3.0));
    let Some(var) = modified_value_at_risk(returns, confidence).filter(|_| grows) else { return (None, None) };
    (Some(var), modified_expected_shortfall(returns, confidence).filter(|shortfall| *shortfall > var))
}

/// Historical expected shortfall (CVaR): the mean loss of the worst `1 - confidence` share of the periods.
///
/// With `k = (1 - confidence) n`, the `floor(k)` worst count whole and the next one by its fraction, so the figure is
/// never below [`value_at_risk`] and moves without jumps. `None` for no returns.
///
/// Source: C. Acerbi and D. Tasche, "On the Coherence of Expected Shortfall", Journal of Banking & Finance, 2002, eq. 12.
/// Equals the CVaR of Riskfolio-Lib; that of empyrical where k is a whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= k <= len, floored on purpose")]
pub fn expected_shortfall(returns: &[f64], confidence: f64) -> Option<f64> {
    let ordered = sorted(returns)?;
    let share = tail_probability(confidence)? * count(ordered.len());
    // 0.05 * 200 is 10.000000000000009: a whole number that binary fractions missed.
    let share = if (share - share.round()).abs() < 1e-9 { share.round() } else { share };
    let whole = share.floor() as usize;
    let rest = ordered.get(whole).map_or(0.0, |next| share.fract() * next);
    ratio(-(ordered[..whole].iter().sum::<f64>() + rest), share)
}

/// Parametric (normal) expected shortfall: `-mean + s phi(z) / (1 - confidence)`, population deviation s.
///
/// `None` for no returns. Source: A. McNeil, R. Frey, P. Embrechts, "Quantitative Risk Management", 2005, ex. 2.18.
pub fn parametric_expected_shortfall(returns: &[f64], confidence: f64) -> Option<f64> {
    let tail = tail_probability(confidence)?;
    let density = normal_density(normal_quantile(tail)?);
    finite(-mean(returns)? + central_moment(returns, 2)?.sqrt() * density / tail)
}

/// Modified (Cornish-Fisher, Edgeworth) expected shortfall; at least [`modified_value_at_risk`].
///
/// `-mean + s d`, d the mean depth of the tail under the Edgeworth density. `None` where a moment is.
///
/// Source: Boudt, Peterson and Croux 2008. Equals minus `ES(method = "modified")` of PerformanceAnalytics.
pub fn modified_expected_shortfall(returns: &[f64], confidence: f64) -> Option<f64> {
    let tail = tail_probability(confidence)?;
    let var = modified_value_at_risk(returns, confidence)?;
    let (mean, deviation) = (mean(returns)?, central_moment(returns, 2)?.sqrt());
    let (skew, excess) = (skewness(returns)?, kurtosis(returns)? - 3.0);
    let bent = -(var + mean) / deviation;
    finite((deviation * edgeworth_depth(bent, skew, excess, tail) - mean).max(var))
}

/// Minus the mean of a standardised Edgeworth variable below `bent`, over the tail's probability.
///
/// The integrals of `x^q phi(x)` up to `bent`, written as in Boudt, Peterson and Croux 2008, appendix A.
pub(crate) fn edgeworth_depth(bent: f64, skew: f64, excess: f64, tail: f64) -> f64 {
    let (density, below) = (normal_density(bent), normal_cdf(bent));
    // I(q) = bent^(q-1) phi + (q - 1) I(q - 2) with I(1) = phi, I(0) = -below, up to the sign of the whole.
    let first = density * bent - below;
    let third = bent.powi(3) * density + 3.0 * first;
    let second = (bent.powi(2) + 2.0) * density;
    let fourth = bent.powi(4) * density + 4.0 * second;
    let sixth = bent.powi(6) * density + 6.0 * fourth;
    (density
        + (fourth - 6.0 * second + 3.0 * density) * excess / 24.0
        + (third - 3.0 * first) * skew / 6.0
        + (sixth - 15.0 * fourth + 45.0 * second - 15.0 * density) * skew * skew / 72.0)
        / tail
}

/// Tail ratio: `|95 % quantile| / |5 % quantile|`; above 1 the good end is the longer one.
///
/// `None` for no returns, or when the 5 % quantile is zero. Source: pyfolio/empyrical, `tail_ratio`.
pub fn tail_ratio(returns: &[f64]) -> Option<f64> {
    let ordered = sorted(returns)?;
    ratio(quantile_of_sorted(&ordered, 0.95)?.abs(), quantile_of_sorted(&ordered, 0.05)?.abs())
}

/// Best and worst value with their places; `None` for no values or one that is not finite.
pub fn extremes(returns: &[f64]) -> Option<((usize, f64), (usize, f64))> {
    if !all_finite(returns) {
        return None;
    }
    let by_value = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    let places = || returns.iter().copied().enumerate();
    Some((places().rev().max_by(by_value)?, places().min_by(by_value)?))
}

/// `1 - confidence`, if the confidence lies strictly between 0 and 1.
fn tail_probability(confidence: f64) -> Option<f64> {
    (confidence > 0.0 && confidence < 1.0).then_some(1.0 - confidence)
}
