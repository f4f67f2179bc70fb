//! The end of a contract: the price at which what is held of it is closed, and what that costs.
//!
//! # The rule
//! A dated future or an option that is held over its end is paid out: the position is closed at one price, the same for
//! longs and shorts, and nobody trades for it. A future's price is what its venue settles at; an option's is what it is
//! worth by then ([`Instrument::intrinsic`]), nothing included.
//!
//! An execution that is told after the settlement is booked as always and paid out at the same price, so that nothing is
//! ever held of a contract that was settled.

use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, Money, NumberError, Price, Quantity, pow10, round_div};

/// How a contract was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What it was worth, as its own prices are counted: an option's value, not the price of its underlying.
    pub price: Price,
    /// What that costs whoever holds it, in parts per 10⁸ of the notional at that price.
    #[serde(default, skip_serializing_if = "is_free")]
    pub fee_e8: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_free(fee_e8: &i64) -> bool {
    *fee_e8 == 0
}

impl Settlement {
    /// What it costs the holder of `held`, long or short, in the settlement currency; rounded as funding is, the notional
    /// first.
    ///
    /// # Errors
    /// [`NumberError::TooLarge`] if that leaves the ledger.
    pub fn fee(&self, instrument: &Instrument, held: Quantity) -> Result<Money, NumberError> {
        let notional = instrument.notional(self.price, held)?;
        let product = notional.units.abs().checked_mul(i128::from(self.fee_e8));
        let product = product.ok_or_else(|| NumberError::TooLarge(format!("{notional} x {}e-8", self.fee_e8)))?;
        Ok(Money { units: round_div(product, pow10(8)), ..notional })
    }
}
