//! Did the value at risk hold? Tests of a record of exceptions: how many there were, and whether they came in clusters.
//!
//! An exception is a period whose loss exceeded the value at risk stated before it. All tests are likelihood ratios; a
//! small p-value says that a correct model would hardly have produced this record.

use crate::error::{QuantError, check_finite, check_range};
use crate::numeric::{count, normal_cdf};

/// A likelihood-ratio statistic and the probability of one as large if the model is right.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct LikelihoodRatio {
    /// Minus twice the log of the ratio; 0 where the record is what the model expects most.
    pub statistic: f64,
    /// Chance of at least this statistic under the model.
    pub p_value: f64,
}

impl LikelihoodRatio {
    fn new(statistic: f64, degrees: u32) -> Self {
        let statistic = statistic.max(0.0); // the maximum likelihood may lose by a rounding error
        Self { statistic, p_value: chi_square_survival(statistic, degrees) }
    }

    /// Whether the model is rejected at this significance, such as 0.05.
    pub fn rejects(&self, significance: f64) -> bool {
        self.p_value < significance
    }
}

/// Which periods lost more than the value at risk stated for them: `outcome < -var`.
///
/// # Errors
/// [`QuantError::Shape`] unless there is one value at risk per outcome, [`QuantError::NotFinite`].
pub fn exceptions(outcomes: &[f64], vars: &[f64]) -> Result<Vec<bool>, QuantError> {
    if outcomes.len() != vars.len() {
        return Err(QuantError::Shape { what: "values at risk", expected: outcomes.len(), got: vars.len() });
    }
    check_finite("outcomes", outcomes)?;
    check_finite("values at risk", vars)?;
    Ok(outcomes.iter().zip(vars).map(|(outcome, var)| *outcome < -var).collect())
}

/// Kupiec's test of the proportion of failures: is their number what the confidence promises? One degree of freedom.
///
/// `-2 ln[(1 - p)^(n - x) p^x / ((1 - x/n)^(n - x) (x/n)^x)]` with `p = 1 - confidence`.
///
/// # Errors
/// [`QuantError::TooFew`] for no period, [`QuantError::OutOfRange`] for more exceptions than periods or a confidence
/// outside (0, 1).
///
/// Source: P. Kupiec, "Techniques for Verifying the Accuracy of Risk Measurement Models", Journal of Derivatives, 1995.
pub fn kupiec(exceptions: usize, periods: usize, confidence: f64) -> Result<LikelihoodRatio, QuantError> {
    check_range("confidence", confidence, confidence > 0.0 && confidence < 1.0, "strictly between 0 and 1")?;
    if periods == 0 {
        return Err(QuantError::TooFew { what: "periods", needed: 1, got: 0 });
    }
    check_range("exceptions", count(exceptions), exceptions <= periods, "at most one per period")?;
    let (hits, misses) = (count(exceptions), count(periods - exceptions));
    let expected = log_likelihood(misses, hits, 1.0 - confidence);
    let observed = log_likelihood(misses, hits, hits / (hits + misses));
    Ok(LikelihoodRatio::new(2.0 * (observed - expected), 1))
}

/// How often each kind of period follows each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Transitions {
    /// Calm after calm, exception after calm.
    after_calm: (usize, usize),
    /// Calm after an exception, exception after an exception.
    after_exception: (usize, usize),
}

impl Transitions {
    fn of(exceptions: &[bool]) -> Self {
        let mut seen = Self::default();
        for pair in exceptions.windows(2) {
            let from = if pair[0] { &mut seen.after_exception } else { &mut seen.after_calm };
            *(if pair[1] { &mut from.1 } else { &mut from.0 }) += 1;
        }
        seen
    }
}

/// Christoffersen's test of independence: is an exception more likely on the day after one? One degree of freedom.
///
/// The record is a Markov chain of two states; the ratio compares one common rate of exceptions with a rate that
/// depends on the period before. A record without exceptions, or with nothing else, has a statistic of 0.
///
/// # Errors
/// [`QuantError::TooFew`] for fewer than two periods.
///
/// Source: P. Christoffersen, "Evaluating Interval Forecasts", International Economic Review, 1998.
pub fn independence(exceptions: &[bool]) -> Result<LikelihoodRatio, QuantError> {
    if exceptions.len() < 2 {
        return Err(QuantError::TooFew { what: "periods", needed: 2, got: exceptions.len() });
    }
    let seen = Transitions::of(exceptions);
    let own = |(misses, hits): (usize, usize)| {
        let (misses, hits) = (count(misses), count(hits));
        if misses + hits > 0.0 { log_likelihood(misses, hits, hits / (misses + hits)) } else { 0.0 }
    };
    let together = (seen.after_calm.0 + seen.after_exception.0, seen.after_calm.1 + seen.after_exception.1);
    let separate = own(seen.after_calm) + own(seen.after_exception);
    Ok(LikelihoodRatio::new(2.0 * (separate - own(together)), 1))
}

/// Christoffersen's test of conditional coverage: the right number, and no clusters. Two degrees of freedom.
///
/// The sum of [`kupiec`] over all periods and [`independence`] over their transitions.
///
/// # Errors
/// Those of both. Source: Christoffersen 1998.
pub fn conditional_coverage(exceptions: &[bool], confidence: f64) -> Result<LikelihoodRatio, QuantError> {
    let hits = exceptions.iter().filter(|exception| **exception).count();
    let coverage = kupiec(hits, exceptions.len(), confidence)?;
    Ok(LikelihoodRatio::new(coverage.statistic + independence(exceptions)?.statistic, 2))
}

/// `misses ln(1 - rate) + hits ln(rate)`, where nothing times `ln 0` is nothing.
fn log_likelihood(misses: f64, hits: f64, rate: f64) -> f64 {
    let term = |times: f64, share: f64| if times > 0.0 { times * share.ln() } else { 0.0 };
    let calm = if misses > 0.0 { misses * (-rate).ln_1p() } else { 0.0 };
    calm + term(hits, rate)
}

/// Probability that a chi-square variable of `degrees` degrees of freedom exceeds `x`; 1 for x of 0 or below.
///
/// `Q(1/2, y) = 2 Phi(-sqrt(x))` or `Q(1, y) = e^-y` with `y = x / 2`, then upwards by
/// `Q(a + 1, y) = Q(a, y) + y^a e^-y / Gamma(a + 1)`: every term is positive, so nothing cancels.
///
/// Source: Abramowitz and Stegun 26.4.4 and 26.4.5. NaN for no degrees of freedom or a NaN.
pub fn chi_square_survival(x: f64, degrees: u32) -> f64 {
    if x.is_nan() || degrees == 0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    let y = 0.5 * x;
    let odd = degrees % 2 == 1;
    let mut order = if odd { 0.5 } else { 1.0 };
    let mut survival = if odd { 2.0 * normal_cdf(-x.sqrt()) } else { (-y).exp() };
    // Gamma(3/2) is sqrt(pi) / 2.
    let gamma_of_next = if odd { std::f64::consts::PI.sqrt() * 0.5 } else { 1.0 };
    let mut term = y.powf(order) * (-y).exp() / gamma_of_next;
    for _ in 0..(degrees - 1) / 2 {
        survival += term;
        order += 1.0;
        term *= y / order;
    }
    survival.min(1.0)
}
