//! The market itself beside the strategy: what buying at the first open and holding would have brought.

use tradewind_domain::{Instrument, Money, Price, Timestamp, round_div};
use tradewind_quant::{DailyClose, EquityAccumulator, QuantError};

/// A price and when it was seen.
type Seen = (Timestamp, Price);

/// Follows the price for the comparison with buy and hold. Memory: 8 bytes a day.
#[derive(Clone, Debug, Default)]
pub struct MarketPath {
    /// Whether profit is paid in the coin whose price this is.
    inverse: bool,
    /// Since when nothing is left of what was put into such a contract.
    ruined: Option<Timestamp>,
    first: Option<Seen>,
    /// One price for each day of the run's equity.
    closes: Vec<Price>,
    peak: Option<Seen>,
    low: Option<Seen>,
    /// Peak and trough of the deepest fall so far, at closes.
    deepest: Option<(Seen, Seen)>,
}

impl MarketPath {
    /// Takes in the first price of `instrument`.
    pub(crate) fn open(&mut self, instrument: &Instrument, at: Timestamp, price: Price) {
        self.inverse = instrument.is_inverse();
        self.first = Some((at, price));
        self.closes.push(price);
        (self.peak, self.low) = (self.first, self.first);
    }

    /// Takes in a close; `days` is how many days the equity curve has by now.
    #[inline]
    pub(crate) fn close(&mut self, at: Timestamp, price: Price, days: usize) {
        self.closes.truncate(days - 1); // the day's earlier close, if there was one
        self.closes.push(price);
        let (Some(first), Some(peak), Some(low)) = (self.first, self.peak, self.low) else { return };
        if self.inverse && self.ruined.is_none() && i128::from(price.mantissa()) * 2 <= i128::from(first.1.mantissa()) {
            self.ruined = Some(at);
        }
        if price >= peak.1 {
            (self.peak, self.low) = (Some((at, price)), Some((at, price)));
        } else if price < low.1 {
            self.low = Some((at, price));
            self.fall(first, peak, (at, price));
        }
    }

    fn fall(&mut self, first: Seen, peak: Seen, low: Seen) {
        let number = |seen: Seen| seen.1.mantissa() as f64;
        let kept = |peak: Seen, low: Seen| {
            if self.inverse {
                let growth = |(at, price): Seen| self.growth(number(first), at, price.mantissa() as f64);
                return growth(low) / growth(peak);
            }
            number(low) / number(peak)
        };
        if self.deepest.is_none_or(|(top, bottom)| kept(peak, low) < kept(top, bottom)) {
            self.deepest = Some((peak, low));
        }
    }

    /// What one of the deposit, put into the market at the price `first`, has become at `price`, both in one unit, which
    /// closed `at` then.
    ///
    /// Price ÷ first. An inverse contract that exposes the whole deposit earns 1 − first ÷ price of it, in its coin: that
    /// leaves 2 − first ÷ price, and nothing from the first close on that is half of the first price or less.
    pub(crate) fn growth(&self, first: f64, at: Timestamp, price: f64) -> f64 {
        match self.inverse {
            true if self.ruined.is_some_and(|end| at >= end) => 0.0,
            true => 2.0 - first / price,
            false => price / first,
        }
    }

    /// What `deposit` is worth at the end, rounded once; `None` without bars or for a first price that is not above
    /// zero, or of an inverse contract a last one that is not.
    #[must_use]
    pub fn worth(&self, deposit: Money) -> Option<Money> {
        let (first, last) = (i128::from(self.first?.1.mantissa()), i128::from(self.closes.last()?.mantissa()));
        let (times, of) = match (self.inverse, self.ruined) {
            (true, Some(_)) => (0, first),
            (true, None) => (2 * last - first, last),
            (false, _) => (last, first),
        };
        let product = deposit.units.checked_mul(times)?;
        (first > 0 && of > 0).then(|| Money { units: round_div(product, of), ..deposit })
    }

    /// The equity of `deposit` put into the market at the first open: without costs, in fractions of a lot, valued at
    /// the closes of `days`, and at the peak and the trough of the deepest fall. `None` for a first price or a deposit that
    /// is not above zero.
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
        let (mut equity, open) = (EquityAccumulator::new(), first.1.mantissa() as f64);
        for (at, price) in seen {
            let price = price.mantissa() as f64;
            let worth = deposit.to_f64() * self.growth(open, at, price);
            let exposed = if self.inverse && worth > 0.0 { deposit.to_f64() * (open / price) } else { worth };
            equity.push(at.nanos(), worth, exposed.max(0.0))?;
        }
        Ok(Some(equity))
    }

    /// The first price and when it was seen.
    #[must_use]
    pub const fn first(&self) -> Option<(Timestamp, Price)> {
        self.first
    }
}
