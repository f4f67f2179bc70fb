//! Symmetric matrices of covariances and correlations: sample, exponentially weighted, shrunk.
//!
//! | estimator | divisor | source |
//! |---|---|---|
//! | [`Moments::sample`] | n - 1 | Jorion 2006 |
//! | [`Moments::weighted`] | weights `lambda^age`, normalised; mean taken as zero | RiskMetrics Technical Document, 1996 |
//! | [`Moments::shrunk`] to scaled identity | n | Ledoit and Wolf, "A Well-Conditioned Estimator", JMVA, 2004 |
//! | [`Moments::shrunk`] to constant correlation | n | Ledoit and Wolf, "Honey, I Shrunk the Sample Covariance Matrix", JPM, 2004 |

use crate::error::{QuantError, check_range};
use crate::numeric::count;
use crate::window::ReturnWindow;

/// A dense symmetric matrix, finite throughout.
#[derive(Clone, Debug, PartialEq)]
pub struct Symmetric {
    size: usize,
    values: Vec<f64>,
}

impl Symmetric {
    /// Fills both halves from `value(row, column)`, asked for `column <= row` only.
    pub(crate) fn fill(size: usize, mut value: impl FnMut(usize, usize) -> f64) -> Self {
        let mut matrix = Self { size, values: vec![0.0; size * size] };
        for row in 0..size {
            for column in 0..=row {
                matrix.set(row, column, value(row, column));
            }
        }
        matrix
    }

    /// Reads a square matrix row by row; the lower half counts.
    ///
    /// # Errors
    /// [`QuantError::Shape`] unless there are `size * size` values; [`QuantError::NotFinite`];
    /// [`QuantError::OutOfRange`] where the halves differ by more than 1e-12 of the larger value.
    pub fn from_rows(size: usize, values: &[f64]) -> Result<Self, QuantError> {
        if values.len() != size * size {
            return Err(QuantError::Shape { what: "matrix", expected: size * size, got: values.len() });
        }
        crate::error::check_finite("matrix", values)?;
        for row in 0..size {
            for column in 0..row {
                let (lower, upper) = (values[row * size + column], values[column * size + row]);
                if (lower - upper).abs() > 1e-12 * lower.abs().max(upper.abs()) {
                    let index = column * size + row;
                    return Err(QuantError::OutOfRange { field: "matrix", index, value: upper, expected: "symmetry" });
                }
            }
        }
        Ok(Self::fill(size, |row, column| values[row * size + column]))
    }

    /// Number of rows.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The entry; panics outside the matrix.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.row(row)[column]
    }

    /// One row; panics outside the matrix.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.size..][..self.size]
    }

    fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.size + column] = value;
        self.values[column * self.size + row] = value;
    }

    /// The product with a vector of `size` numbers, summed in column order.
    pub(crate) fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..self.size).map(|row| dot(self.row(row), vector)).collect()
    }

    /// Covariances to correlations; an asset that does not vary correlates 0 with all others and 1 with itself.
    pub fn correlations(&self) -> Self {
        let deviations: Vec<f64> = (0..self.size).map(|i| self.at(i, i).max(0.0).sqrt()).collect();
        Self::fill(self.size, |row, column| match deviations[row] * deviations[column] {
            _ if row == column => 1.0,
            product if product > 0.0 => (self.at(row, column) / product).clamp(-1.0, 1.0),
            _ => 0.0,
        })
    }

    /// Lower triangle L with `L L' = self`, row by row.
    ///
    /// A pivot that vanishes up to rounding (two assets that move as one) gives a zero column.
    ///
    /// # Errors
    /// [`QuantError::NotPositiveSemidefinite`] for a pivot that is negative beyond rounding.
    ///
    /// Source: G. Golub and C. Van Loan, "Matrix Computations", 4.2.
    pub fn cholesky(&self) -> Result<Vec<f64>, QuantError> {
        let n = self.size;
        let mut lower = vec![0.0; n * n];
        for row in 0..n {
            for column in 0..=row {
                let known = dot(&lower[row * n..][..column], &lower[column * n..][..column]);
                let rest = self.at(row, column) - known;
                let rounding = 1e-12 * self.at(column, column).abs();
                lower[row * n + column] = if row == column {
                    if rest < -rounding {
                        return Err(QuantError::NotPositiveSemidefinite { row, pivot: rest });
                    }
                    if rest > rounding { rest.sqrt() } else { 0.0 }
                } else {
                    let pivot = lower[column * n + column];
                    if pivot > 0.0 { rest / pivot } else { 0.0 }
                };
            }
        }
        Ok(lower)
    }
}

/// Sum of products, in order.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).fold(0.0, |sum, (l, r)| sum + l * r)
}

/// Where a shrunk covariance matrix is pulled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The mean variance on the diagonal, nothing beside it.
    ScaledIdentity,
    /// The assets' own variances with the mean correlation between all.
    ConstantCorrelation,
}

/// Means and covariances of one period's returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Mean return per period, one per asset.
    pub means: Vec<f64>,
    /// Covariance of returns per period.
    pub covariance: Symmetric,
}

impl Moments {
    /// Sample means and covariances, `n - 1` below.
    pub fn sample(returns: &ReturnWindow) -> Self {
        let n = count(returns.periods());
        let (means, centred) = centre(returns);
        let covariance = Symmetric::fill(means.len(), |i, j| dot(&centred[i], &centred[j]) / (n - 1.0));
        Self { means, covariance }
    }

    /// Exponentially weighted covariances around zero: the newest period weighs most, each older one `decay` times less.
    ///
    /// The weights are scaled to sum to 1. RiskMetrics uses 0.94 for days and 0.97 for months. The means are the
    /// plain ones.
    ///
    /// # Errors
    /// [`QuantError::OutOfRange`] unless `0 < decay < 1`.
    pub fn weighted(returns: &ReturnWindow, decay: f64) -> Result<Self, QuantError> {
        check_range("decay", decay, decay > 0.0 && decay < 1.0, "strictly between 0 and 1")?;
        let mut weights = vec![1.0; returns.periods()];
        for period in (0..weights.len() - 1).rev() {
            weights[period] = weights[period + 1] * decay;
        }
        let whole: f64 = weights.iter().sum();
        let covariance = Symmetric::fill(returns.assets(), |i, j| {
            let products = returns.asset(i).iter().zip(returns.asset(j)).zip(&weights);
            products.fold(0.0, |sum, ((left, right), weight)| sum + weight * left * right) / whole
        });
        Ok(Self { means: centre(returns).0, covariance })
    }

    /// Covariances shrunk to `target` by the intensity that minimises the expected squared error; `n` below.
    ///
    /// Gives the intensity too: 0 keeps the sample, 1 is the target itself.
    pub fn shrunk(returns: &ReturnWindow, target: Target) -> (Self, f64) {
        let (means, centred) = centre(returns);
        let n = count(returns.periods());
        let sample = Symmetric::fill(means.len(), |i, j| dot(&centred[i], &centred[j]) / n);
        let (goal, intensity) = match target {
            Target::ScaledIdentity => scaled_identity(&centred, &sample),
            Target::ConstantCorrelation => constant_correlation(&centred, &sample),
        };
        let blend = |i, j| intensity * goal.at(i, j) + (1.0 - intensity) * sample.at(i, j);
        (Self { means, covariance: Symmetric::fill(sample.size, blend) }, intensity)
    }
}

/// Means, and the returns less their mean, asset by asset.
fn centre(returns: &ReturnWindow) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = count(returns.periods());
    let means: Vec<f64> = (0..returns.assets()).map(|i| returns.asset(i).iter().sum::<f64>() / n).collect();
    let centred = |(i, mean): (usize, &f64)| returns.asset(i).iter().map(|r| r - mean).collect();
    let centred = means.iter().enumerate().map(centred).collect();
    (means, centred)
}

/// Sum over the window of the squared deviations of the products `x_i x_j` from their mean, per period.
fn spread_of_products(left: &[f64], right: &[f64], mean: f64) -> f64 {
    let squares = left.iter().zip(right).fold(0.0, |sum, (l, r)| sum + (l * r - mean) * (l * r - mean));
    squares / count(left.len())
}

/// Target and intensity of Ledoit and Wolf 2004 (JMVA), section 3.
fn scaled_identity(centred: &[Vec<f64>], sample: &Symmetric) -> (Symmetric, f64) {
    let size = sample.size;
    let mean_variance = (0..size).fold(0.0, |sum, i| sum + sample.at(i, i)) / count(size);
    let goal = Symmetric::fill(size, |i, j| if i == j { mean_variance } else { 0.0 });
    let periods = count(centred[0].len());
    let (mut noise, mut distance) = (0.0, 0.0);
    for i in 0..size {
        for j in 0..size {
            noise += spread_of_products(&centred[i], &centred[j], sample.at(i, j));
            distance += (sample.at(i, j) - goal.at(i, j)) * (sample.at(i, j) - goal.at(i, j));
        }
    }
    (goal, intensity(noise / periods, distance))
}

/// Target and intensity of Ledoit and Wolf 2004 (JPM), appendix B.
fn constant_correlation(centred: &[Vec<f64>], sample: &Symmetric) -> (Symmetric, f64) {
    let size = sample.size;
    let correlations = sample.correlations();
    let pairs = count(size) * (count(size) - 1.0);
    let off_diagonal = (0..size).flat_map(|i| (0..i).map(move |j| (i, j)));
    let mean =
        if pairs > 0.0 { 2.0 * off_diagonal.fold(0.0, |sum, (i, j)| sum + correlations.at(i, j)) / pairs } else { 0.0 };
    let deviation = |i: usize| sample.at(i, i).sqrt();
    let goal = Symmetric::fill(size, |i, j| match i == j {
        true => sample.at(i, i),
        false => mean * deviation(i) * deviation(j),
    });
    let periods = count(centred[0].len());
    let (mut noise, mut together, mut distance) = (0.0, 0.0, 0.0);
    for i in 0..size {
        for j in 0..size {
            let products = spread_of_products(&centred[i], &centred[j], sample.at(i, j));
            noise += products;
            distance += (sample.at(i, j) - goal.at(i, j)) * (sample.at(i, j) - goal.at(i, j));
            if i == j {
                together += products;
            } else if deviation(i) > 0.0 && deviation(j) > 0.0 {
                together += mean * drift_of_target(&centred[i], &centred[j], sample, (i, j));
            }
        }
    }
    (goal, intensity((noise - together) / periods, distance))
}

/// How the sample covariance moves with the target's: the summand of rho in appendix B.
fn drift_of_target(left: &[f64], right: &[f64], sample: &Symmetric, (i, j): (usize, usize)) -> f64 {
    let (own, other, both) = (sample.at(i, i), sample.at(j, j), sample.at(i, j));
    let periods = count(left.len());
    let with = |square_of_left: bool| {
        left.iter().zip(right).fold(0.0, |sum, (l, r)| {
            let (square, variance) = if square_of_left { (l * l, own) } else { (r * r, other) };
            sum + (square - variance) * (l * r - both)
        }) / periods
    };
    0.5 * ((other / own).sqrt() * with(true) + (own / other).sqrt() * with(false))
}

/// Noise over distance, kept in `[0, 1]`; a sample that equals its target needs none.
fn intensity(noise: f64, distance: f64) -> f64 {
    if distance > 0.0 { (noise / distance).clamp(0.0, 1.0) } else { 0.0 }
}
