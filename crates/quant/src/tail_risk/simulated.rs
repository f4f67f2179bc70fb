//! Monte Carlo: periods drawn from correlated normal returns, then judged as history is.

use super::Level;
use crate::chance::Draws;
use crate::covariance::Moments;
use crate::error::{QuantError, check_finite};
use crate::window::ReturnWindow;

/// How many periods a simulation draws unless asked otherwise.
pub const DEFAULT_PATHS: usize = 10_000;

/// Draws `paths` outcomes of every asset over the level's horizon: `h m + sqrt(h) L x`, `L L'` the covariance and x
/// independent standard normals.
///
/// The window that comes back is judged by [`super::Historical`] at a level of the same confidence and a horizon of
/// **one**: each of its periods spans the whole horizon already. It depends on the arguments alone; drawing costs
/// paths times assets squared, so draw it when the window of returns rolls, not for each order.
///
/// # Errors
/// [`QuantError::TooFew`] for fewer than two paths or no asset, [`QuantError::NotPositiveSemidefinite`],
/// [`QuantError::NotFinite`], [`QuantError::Shape`].
///
/// Source: P. Glasserman, "Monte Carlo Methods in Financial Engineering", 2003, 2.3.3.
pub fn simulate(moments: &Moments, level: &Level, paths: usize, seed: u64) -> Result<ReturnWindow, QuantError> {
    let assets = moments.means.len();
    if assets == 0 {
        return Err(QuantError::TooFew { what: "assets", needed: 1, got: 0 });
    }
    if paths < 2 {
        return Err(QuantError::TooFew { what: "paths", needed: 2, got: paths });
    }
    if moments.covariance.size() != assets {
        return Err(QuantError::Shape { what: "covariance", expected: assets, got: moments.covariance.size() });
    }
    check_finite("means", &moments.means)?;
    let lower = moments.covariance.cholesky()?;
    let root = level.horizon.sqrt();
    let mut draws = Draws::new(seed);
    let mut values: Vec<f64> =
        moments.means.iter().flat_map(|m| std::iter::repeat_n(level.horizon * m, paths)).collect();
    let mut path_of_factor = vec![0.0; paths];
    for factor in 0..assets {
        path_of_factor.fill_with(|| draws.normal());
        for asset in factor..assets {
            let weight = root * lower[asset * assets + factor];
            let own = values[asset * paths..][..paths].iter_mut();
            own.zip(&path_of_factor).for_each(|(value, shock)| *value += weight * shock);
        }
    }
    check_finite("simulated returns", &values)?;
    ReturnWindow::checked(assets, paths, values)
}
