//! The returns of several assets over one window of time.

use crate::error::QuantError;

/// Simple returns of every asset in every period of a window, without a hole.
///
/// Periods run oldest first and are the same for all assets. At least one asset and two periods.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>", into = "Vec<Vec<f64>>")]
pub struct ReturnWindow {
    assets: usize,
    periods: usize,
    /// Asset by asset: adding one asset's share to all periods walks through memory once.
    values: Vec<f64>,
}

impl ReturnWindow {
    /// Takes one series of returns per asset, oldest first, all of one length.
    ///
    /// # Errors
    /// [`QuantError::TooFew`] for no asset or fewer than two periods, [`QuantError::Shape`] for series of different
    /// lengths, [`QuantError::MissingReturn`] for a value that is NaN or infinite: a missing price is not a return of 0.
    pub fn new<S: AsRef<[f64]>>(series: &[S]) -> Result<Self, QuantError> {
        let Some(first) = series.first() else {
            return Err(QuantError::TooFew { what: "assets", needed: 1, got: 0 });
        };
        let periods = first.as_ref().len();
        let mut values = Vec::with_capacity(series.len() * periods);
        for (asset, returns) in series.iter().map(AsRef::as_ref).enumerate() {
            if returns.len() != periods {
                return Err(QuantError::Shape { what: "returns of an asset", expected: periods, got: returns.len() });
            }
            present(asset, returns)?;
            values.extend_from_slice(returns);
        }
        Self::checked(series.len(), periods, values)
    }

    /// Takes one series of prices per asset, oldest first, stamped alike: `n` prices make `n - 1` simple returns.
    ///
    /// # Errors
    /// As [`ReturnWindow::new`]; a price that is missing, zero or negative makes the returns beside it
    /// [`QuantError::MissingReturn`], with the price as the value.
    pub fn of_prices<S: AsRef<[f64]>>(series: &[S]) -> Result<Self, QuantError> {
        let of_asset = |(asset, prices): (usize, &S)| {
            let prices = prices.as_ref();
            if let Some(place) = prices.iter().position(|price| !(price.is_finite() && *price > 0.0)) {
                let value = prices[place];
                return Err(QuantError::MissingReturn { asset, period: place.saturating_sub(1), value });
            }
            Ok(prices.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect::<Vec<f64>>())
        };
        let returns: Vec<Vec<f64>> = series.iter().enumerate().map(of_asset).collect::<Result<_, _>>()?;
        Self::new(&returns)
    }

    /// `values` asset by asset, finite.
    pub(crate) fn checked(assets: usize, periods: usize, values: Vec<f64>) -> Result<Self, QuantError> {
        if periods < 2 {
            return Err(QuantError::TooFew { what: "periods", needed: 2, got: periods });
        }
        assert_eq!(values.len(), assets * periods, "one value per asset and period");
        Ok(Self { assets, periods, values })
    }

    /// Number of assets.
    pub fn assets(&self) -> usize {
        self.assets
    }

    /// Number of periods.
    pub fn periods(&self) -> usize {
        self.periods
    }

    /// The returns of one asset, oldest first; panics for an asset that is not there.
    pub fn asset(&self, asset: usize) -> &[f64] {
        &self.values[asset * self.periods..][..self.periods]
    }

    /// Drops the oldest period and appends a new one, one return per asset.
    ///
    /// # Errors
    /// [`QuantError::Shape`], [`QuantError::MissingReturn`]; the window is then as it was.
    pub fn push(&mut self, newest: &[f64]) -> Result<(), QuantError> {
        if newest.len() != self.assets {
            return Err(QuantError::Shape { what: "newest returns", expected: self.assets, got: newest.len() });
        }
        for (asset, value) in newest.iter().enumerate() {
            if !value.is_finite() {
                return Err(QuantError::MissingReturn { asset, period: self.periods - 1, value: *value });
            }
        }
        for (series, value) in self.values.chunks_exact_mut(self.periods).zip(newest) {
            series.copy_within(1.., 0);
            series[self.periods - 1] = *value;
        }
        Ok(())
    }

    /// What `exposures` earned in each period: the sum over assets of exposure times return, in asset order.
    ///
    /// Exposures are signed amounts of money (then the outcome is money) or fractions of equity (then it is one).
    ///
    /// # Errors
    /// [`QuantError::Shape`], [`QuantError::NotFinite`] for an exposure, or for an outcome that overflows.
    pub fn outcomes(&self, exposures: &[f64]) -> Result<Vec<f64>, QuantError> {
        if exposures.len() != self.assets {
            return Err(QuantError::Shape { what: "exposures", expected: self.assets, got: exposures.len() });
        }
        crate::error::check_finite("exposures", exposures)?;
        let mut outcomes = vec![0.0; self.periods];
        for (asset, exposure) in exposures.iter().enumerate().filter(|(_, exposure)| **exposure != 0.0) {
            self.add(&mut outcomes, asset, *exposure);
        }
        crate::error::check_finite("outcomes", &outcomes)?;
        Ok(outcomes)
    }

    /// Adds what one asset's exposure earned to the outcomes.
    pub(crate) fn add(&self, outcomes: &mut [f64], asset: usize, exposure: f64) {
        for (outcome, value) in outcomes.iter_mut().zip(self.asset(asset)) {
            *outcome += exposure * value;
        }
    }

    /// The same window over overlapping spans of `span` periods: compound returns, `periods - span + 1` of them.
    ///
    /// An alternative to scaling by the square root of time where there is enough history; overlapping spans repeat
    /// each shock, so their tail is smoother than the number of periods suggests.
    ///
    /// # Errors
    /// [`QuantError::TooFew`] where fewer than two spans fit, or the span is 0.
    pub fn compounded(&self, span: usize) -> Result<Self, QuantError> {
        if span == 0 || self.periods <= span {
            return Err(QuantError::TooFew { what: "periods", needed: span.max(1) + 1, got: self.periods });
        }
        let over = |returns: &[f64]| returns.iter().fold(1.0, |growth, r| growth * (1.0 + r)) - 1.0;
        let values = (0..self.assets).flat_map(|i| self.asset(i).windows(span).map(over)).collect();
        Self::checked(self.assets, self.periods - span + 1, values)
    }
}

fn present(asset: usize, returns: &[f64]) -> Result<(), QuantError> {
    match returns.iter().position(|value| !value.is_finite()) {
        Some(period) => Err(QuantError::MissingReturn { asset, period, value: returns[period] }),
        None => Ok(()),
    }
}

impl TryFrom<Vec<Vec<f64>>> for ReturnWindow {
    type Error = QuantError;

    fn try_from(series: Vec<Vec<f64>>) -> Result<Self, QuantError> {
        Self::new(&series)
    }
}

impl From<ReturnWindow> for Vec<Vec<f64>> {
    fn from(window: ReturnWindow) -> Self {
        window.values.chunks_exact(window.periods).map(<[f64]>::to_vec).collect()
    }
}
