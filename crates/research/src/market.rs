//! The market itself beside the strategy: what buying at the first open and holding would have brought.

use tradewind_domain::{Instrument, Money, Price, Timestamp, round_div};
use tradewind_quant::{EquityAccumulator, QuantError};

/// Buys at the first open with the whole deposit, without costs and in fractions of a lot, and is valued at every close since.
/// Memory: 32 bytes a day.
#[derive(Clone, Debug, Default)]
pub struct MarketPath {
    /// Whether profit is paid in the coin whose price this is.
    inverse: bool,
    bought: Option<Bought>,
    /// Since when nothing is left of what was put into an inverse contract.
    ruined: Option<Timestamp>,
    /// The newest price.
    last: Price,
    equity: EquityAccumulator,
}

/// What was put into the market, and at which price.
#[derive(Clone, Copy, Debug)]
struct Bought {
    deposit: Money,
    price: Price,
}

impl MarketPath {
    /// Puts `deposit` into `instrument` at its first price. Nothing is bought at a price or with a deposit that is not above
    /// zero.
    ///
    /// # Errors
    /// [`QuantError`] for numbers that statistics cannot use.
    pub(crate) fn open(
        &mut self,
        instrument: &Instrument,
        at: Timestamp,
        price: Price,
        deposit: Money,
    ) -> Result<(), QuantError> {
        self.inverse = instrument.is_inverse();
        self.bought = (price.mantissa() > 0 && deposit.units > 0).then_some(Bought { deposit, price });
        self.close(at, price)
    }

    /// Takes in a close.
    ///
    /// # Errors
    /// As [`Self::open`], and for one that is earlier than the one before it.
    #[inline]
    pub(crate) fn close(&mut self, at: Timestamp, price: Price) -> Result<(), QuantError> {
        let Some(bought) = self.bought else { return Ok(()) };
        let halved = i128::from(price.mantissa()) * 2 <= i128::from(bought.price.mantissa());
        if self.inverse && halved {
            self.ruined.get_or_insert(at);
        }
        self.last = price;
        let worth = self.worth_of(bought, at, price);
        let exposed = if self.inverse && worth > 0.0 {
            bought.deposit.to_f64() * (bought.price.mantissa() as f64 / price.mantissa() as f64)
        } else {
            worth.max(0.0)
        };
        self.equity.push(at.nanos(), worth, exposed)
    }

    /// What it is worth at `price`, which closed `at` then; `None` where nothing was bought.
    #[must_use]
    pub fn value(&self, at: Timestamp, price: Price) -> Option<f64> {
        self.bought.map(|bought| self.worth_of(bought, at, price))
    }

    /// The deposit × price ÷ first price. An inverse contract that exposes the whole deposit earns 1 − first ÷ price of it,
    /// in its coin: that leaves 2 − first ÷ price, and nothing from the first close on that is half of the first price or less.
    fn worth_of(&self, bought: Bought, at: Timestamp, price: Price) -> f64 {
        let (first, price) = (bought.price.mantissa() as f64, price.mantissa() as f64);
        let growth = match self.inverse {
            true if self.ruined.is_some_and(|end| at >= end) => 0.0,
            true => 2.0 - first / price,
            false => price / first,
        };
        bought.deposit.to_f64() * growth
    }

    /// What it is worth at the end, rounded once; `None` where nothing was bought.
    #[must_use]
    pub fn worth(&self) -> Option<Money> {
        let Bought { deposit, price } = self.bought?;
        let (first, last) = (i128::from(price.mantissa()), i128::from(self.last.mantissa()));
        let (times, of) = match (self.inverse, self.ruined) {
            (true, Some(_)) => (0, first),
            (true, None) => (2 * last - first, last),
            (false, _) => (last, first),
        };
        let product = deposit.units.checked_mul(times)?;
        Some(Money { units: round_div(product, of), ..deposit })
    }

    /// Its equity, followed over the same moments as the strategy's; `None` where nothing was bought.
    #[must_use]
    pub fn equity(&self) -> Option<&EquityAccumulator> {
        self.bought.map(|_| &self.equity)
    }
}
