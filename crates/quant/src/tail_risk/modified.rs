//! Cornish-Fisher: the normal figures bent by the skewness and kurtosis of the portfolio.

use super::{Contributions, Level, TailRisk};
use crate::error::{QuantError, check_range};
use crate::numeric::{self, count};
use crate::window::ReturnWindow;

/// Modified value at risk and expected shortfall of `exposures`, split among the assets.
///
/// Moments divide by n, as in [`crate::tail::modified_value_at_risk`]. The expansion is a local one: far out, or with
/// strong skewness, the bent quantile stops growing with confidence, and the shortfall is then kept at the value at
/// risk, where its split follows that of the value at risk. Not for the gate's own limit, where history and normal
/// bracket it.
///
/// # Errors
/// Those of [`ReturnWindow::outcomes`]; [`QuantError::OutOfRange`] where the outcomes do not vary or the confidence is
/// 50 % or below.
///
/// Source: J.-F. Boudt, B. Peterson, C. Croux, "Estimation and Decomposition of Downside Risk for Portfolios with
/// Non-Normal Returns", Journal of Risk, 2008.
pub fn modified(window: &ReturnWindow, exposures: &[f64], level: &Level) -> Result<Contributions, QuantError> {
    check_range("confidence", level.confidence, level.tail < 0.5, "above 0.5")?;
    let outcomes = window.outcomes(exposures)?;
    let shape = Shape::of(&outcomes)?;
    let slopes: Vec<Slope> = (0..window.assets()).map(|i| shape.slope(&outcomes, window.asset(i))).collect();
    let var = |s: &Shape| s.loss(-s.bent(level.z), level);
    let cvar = |s: &Shape| s.loss(s.depth(level).max(-s.bent(level.z)), level);
    let total = TailRisk::new(var(&shape), cvar(&shape))?;
    let marginal =
        |figure: &dyn Fn(&Shape) -> f64| slopes.iter().map(|slope| shape.derivative(slope, figure)).collect();
    Ok(Contributions::new(total, exposures, marginal(&var), marginal(&cvar)))
}

/// Mean, deviation, skewness and excess kurtosis of the portfolio's outcomes.
#[derive(Clone, Copy)]
struct Shape {
    mean: f64,
    deviation: f64,
    skewness: f64,
    excess: f64,
}

/// How the four change per unit of exposure to one asset.
struct Slope(Shape);

impl Shape {
    fn of(outcomes: &[f64]) -> Result<Self, QuantError> {
        let n = count(outcomes.len());
        let mean = outcomes.iter().sum::<f64>() / n;
        let moment = |power: i32| outcomes.iter().map(|o| (o - mean).powi(power)).sum::<f64>() / n;
        let deviation = moment(2).sqrt();
        let varies = numeric::varying_deviation(outcomes).is_some();
        check_range("deviation of outcomes", deviation, varies, "above zero")?;
        let (skewness, kurtosis) = (moment(3) / deviation.powi(3), moment(4) / deviation.powi(4));
        Ok(Self { mean, deviation, skewness, excess: kurtosis - 3.0 })
    }

    /// Derivatives of the moments: `d m_k / d e_i = k E[(x_i - mean_i) (p - mean)^(k - 1)]`.
    fn slope(&self, outcomes: &[f64], returns: &[f64]) -> Slope {
        let n = count(outcomes.len());
        let mean = returns.iter().sum::<f64>() / n;
        let with = |power: i32| {
            let both = returns.iter().zip(outcomes);
            both.map(|(r, o)| (r - mean) * (o - self.mean).powi(power)).sum::<f64>() / n
        };
        let s = self.deviation;
        let deviation = with(1) / s;
        let skewness = 3.0 * with(2) / s.powi(3) - 3.0 * self.skewness * deviation / s;
        let excess = 4.0 * with(3) / s.powi(4) - 4.0 * (self.excess + 3.0) * deviation / s;
        Slope(Self { mean, deviation, skewness, excess })
    }

    /// The directional derivative of a figure by a central difference, which is exact enough: the figures are smooth
    /// in the four numbers, and the step is the cube root of the rounding error.
    fn derivative(&self, slope: &Slope, figure: &dyn Fn(&Self) -> f64) -> f64 {
        let rate = (slope.0.mean.abs() + slope.0.deviation.abs()) / self.deviation
            + slope.0.skewness.abs()
            + slope.0.excess.abs();
        if rate == 0.0 {
            return 0.0;
        }
        let step = 6e-6 / rate;
        (figure(&self.moved(slope, step)) - figure(&self.moved(slope, -step))) / (2.0 * step)
    }

    fn moved(&self, slope: &Slope, step: f64) -> Self {
        Self {
            mean: self.mean + step * slope.0.mean,
            deviation: self.deviation + step * slope.0.deviation,
            skewness: self.skewness + step * slope.0.skewness,
            excess: self.excess + step * slope.0.excess,
        }
    }

    fn loss(&self, deviations: f64, level: &Level) -> f64 {
        deviations * self.deviation * level.horizon.sqrt() - level.horizon * self.mean
    }

    /// The bent quantile.
    fn bent(&self, z: f64) -> f64 {
        let (s, k) = (self.skewness, self.excess);
        z + (z * z - 1.0) * s / 6.0 + (z.powi(3) - 3.0 * z) * k / 24.0 - (2.0 * z.powi(3) - 5.0 * z) * s * s / 36.0
    }

    /// Mean depth of the tail under the Edgeworth density: the paper's equation for the modified expected shortfall.
    fn depth(&self, level: &Level) -> f64 {
        crate::tail::edgeworth_depth(self.bent(level.z), self.skewness, self.excess, level.tail)
    }
}
