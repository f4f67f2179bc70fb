//! The market itself beside the strategy: what buying at the first open and holding would have brought.

use tradewind_domain::{Money, Price, Timestamp, round_div};
use tradewind_quant::{DailyClose, EquityAccumulator, QuantError};

/// A price and when it was seen.
type Seen = (Timestamp, Price);

/// Follows the price for the comparison with buy and hold. Memory: 8 bytes a day.
#[derive(Clone, Debug, Default)]
pub struct MarketPath {
    first: Option<Seen>,
    /// One price for each day of the run's equity.
    closes: Vec<Price>,
    peak: Option<Seen>,
    low: Option<Seen>,
    /// Peak and trough of the deepest fall so far, at closes.
    deepest: Option<(Seen, Seen)>,
}

impl MarketPath {
    /// Takes in the first price.
    pub(crate) fn open(&mut self, at: Timestamp, price: Price) {
        self.first = Some((at, price));
        self.closes.push(price);
        (self.peak, self.low) = (self.first, self.first);
    }

    /// Takes in a close; `days` is how many days the equity curve has by now.
    #[inline]
    pub(crate) fn close(&mut self, at: Timestamp, price: Price, days: usize) {
        self.closes.truncate(days - 1); // the day's earlier close, if there was one
        self.closes.push(price);
        let (Some(peak), Some(low)) = (self.peak, self.low) else { return };
        if price >= peak.1 {
            (self.peak, self.low) = (Some((at, price)), Some((at, price)));
        } else if price < low.1 {
            self.low = Some((at, price));
            self.fall(peak, (at, price));
        }
    }

    fn fall(&mut self, peak: Seen, low: Seen) {
        let ratio = |peak: Price, low: Price| low.mantissa() as f64 / peak.mantissa() as f64;
        if self.deepest.is_none_or(|(top, bottom)| ratio(peak.1, low.1) < ratio(top.1, bottom.1)) {
            self.deepest = Some((peak, low));
        }
    }

    /// What `deposit` is worth at the end, rounded once; `None` without bars or for a first price that is not above
    /// zero.
    #[must_use]
    pub fn worth(&self, deposit: Money) -> Option<Money> {
        let (first, last) = (self.first?.1.mantissa(), self.closes.last()?.mantissa());
        let product = deposit.units.checked_mul(i128::from(last))?;
        (first > 0).then(|| Money { units: round_div(product, i128::from(first)), ..deposit })
    }

    /// The equity of `deposit` put into the market at the first open: without costs, in fractions of a lot, valued at
    /// the closes of `days`, and at the peak and the trough of the deepest fall. `None` where [`Self::worth`] is.
    ///
    /// # Errors
    /// [`QuantError`] for a price that statistics cannot use.
    pub fn equity(&self, deposit: Money, days: &[DailyClose]) -> Result<Option<EquityAccumulator>, QuantError> {
        let Some(first) = self.first.filter(|first| first.1.mantissa() > 0 && deposit.units > 0) else {
            return Ok(None);
        };
        let mut seen: Vec<Seen> =
            days.iter().map(|day| Timestamp::from_nanos(day.at_ns)).zip(self.closes.iter().copied()).collect();
        for extra in self.deepest.iter().flat_map(|(peak, low)| [*peak, *low]).chain([first]) {
            let place = seen.partition_point(|it| it.0 < extra.0);
            if seen.get(place).is_none_or(|it| it.0 != extra.0) {
                seen.insert(place, extra);
            }
        }
        let mut equity = EquityAccumulator::new();
        for (at, price) in seen {
            let worth = deposit.to_f64() * (price.mantissa() as f64 / first.1.mantissa() as f64);
            equity.push(at.nanos(), worth, worth.max(0.0))?;
        }
        Ok(Some(equity))
    }

    /// The first price and when it was seen.
    #[must_use]
    pub const fn first(&self) -> Option<(Timestamp, Price)> {
        self.first
    }
}
