//! Funding of perpetual contracts: who pays whom, how much, and when.
//!
//! # The rule
//! At each settlement every holder of a position pays `size × mark × rate`: a positive rate is paid by longs and received
//! by shorts, a negative one the other way round. Only the position held at that instant counts; whoever opened a minute
//! before pays in full, and whoever closed a minute before pays nothing.
//!
//! Source: Binance, "Introduction to Binance Futures Funding Rates": funding amount = nominal value of positions ×
//! funding rate, nominal value = mark price × size of the contract, every eight hours at 00:00, 08:00 and 16:00 UTC, and
//! only for those who hold a position at the funding time.
//!
//! [`Accrual`] spreads the same rate over time (`rate ÷ 8` an hour), for people who want to see what builds up towards
//! the next settlement, and for venues that charge by the hour. It is an estimate and books nothing.
//!
//! # Rounding
//! The notional is rounded to the ledger's scale first, as everywhere ([`Instrument::notional`]), then the payment, both
//! half to even. The two sides of one contract therefore pay and receive the same amount to the last unit.

use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, Money, NumberError, Price, Quantity, Timestamp, pow10, round_div};

/// Nanoseconds between settlements unless a venue says otherwise: eight hours.
pub const FUNDING_INTERVAL_NANOS: i64 = 8 * 3_600 * 1_000_000_000;
/// The rate for one interval where none is known, in parts per 10⁸: 0.01 %.
pub const FUNDING_RATE_E8: i64 = 10_000;

/// What the holder of `quantity` (signed) pays at a settlement; negative is received. `rate_e8` is the rate of the whole
/// interval in parts per 10⁸ of the notional.
///
/// # Errors
/// [`NumberError::TooLarge`] if the notional leaves the ledger.
pub fn funding_payment(
    instrument: &Instrument,
    quantity: Quantity,
    mark: Price,
    rate_e8: i64,
) -> Result<Money, NumberError> {
    let notional = instrument.notional(mark, quantity)?;
    let product = notional.units.checked_mul(i128::from(rate_e8));
    let product = product.ok_or_else(|| NumberError::TooLarge(format!("{notional} x {rate_e8}e-8")))?;
    Ok(Money { units: round_div(product, pow10(8)), ..notional })
}

/// The settlements later than `after`, up to and including `through`, for intervals that begin at midnight UTC.
///
/// # Panics
/// If `interval_nanos` is not positive.
pub fn funding_times(after: Timestamp, through: Timestamp, interval_nanos: i64) -> impl Iterator<Item = Timestamp> {
    assert!(interval_nanos > 0, "an interval of funding takes time");
    let first = after.nanos().div_euclid(interval_nanos) + 1;
    let last = through.nanos().div_euclid(interval_nanos);
    (first..=last).map(move |nth| Timestamp::from_nanos(nth * interval_nanos))
}

/// What has built up since the last settlement, held by held.
///
/// Exact until it is asked for: a sum of notional × rate × time, divided once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accrual {
    /// Sum of notional units × rate in parts per 10⁸ × nanoseconds held.
    #[serde(with = "tradewind_domain::text128")]
    sum: i128,
}

impl Accrual {
    /// Adds what a position of `quantity` at `mark` builds up in `nanos`. A position that is too large to be counted adds
    /// nothing and returns `false`.
    pub fn hold(&mut self, instrument: &Instrument, quantity: Quantity, mark: Price, rate_e8: i64, nanos: i64) -> bool {
        let added = instrument.notional(mark, quantity).ok().and_then(|notional| {
            let part = notional.units.checked_mul(i128::from(rate_e8))?.checked_mul(i128::from(nanos))?;
            self.sum.checked_add(part)
        });
        match added {
            Some(sum) => {
                self.sum = sum;
                true
            }
            None => false,
        }
    }

    /// What that comes to, in ledger units of the settlement currency; positive is owed.
    #[must_use]
    pub fn units(&self, interval_nanos: i64) -> i128 {
        round_div(self.sum, pow10(8) * i128::from(interval_nanos))
    }

    /// Begins anew after a settlement.
    pub const fn settled(&mut self) {
        self.sum = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_domain::{InstrumentId, InstrumentKind, InstrumentSpec};

    const HOUR: i64 = 3_600 * 1_000_000_000;

    fn perpetual(symbol: &str, kind: InstrumentKind) -> Instrument {
        let spec = InstrumentSpec {
            kind,
            price_decimals: 2,
            quantity_decimals: 3,
            ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
        };
        spec.list(InstrumentId(0)).unwrap()
    }
    fn linear() -> Instrument {
        perpetual("BTC/USDT:USDT", InstrumentKind::LinearPerpetual)
    }

    #[test]
    fn payments_match_a_table_worked_by_hand() {
        let (linear, inverse) = (linear(), perpetual("BTC/USD:BTC", InstrumentKind::InversePerpetual));
        let paid = |it: &Instrument, quantity: &str, mark: &str, rate_e8| {
            funding_payment(it, it.quantity(quantity).unwrap(), it.price(mark).unwrap(), rate_e8).unwrap().to_string()
        };
        for (it, quantity, mark, rate_e8, want) in [
            // 2 × 30,000 × 0.01 % = 6
            (&linear, "2", "30000", 10_000, "6 USDT"),
            (&linear, "-2", "30000", 10_000, "-6 USDT"),
            (&linear, "2", "30000", -10_000, "-6 USDT"),
            (&linear, "-2", "30000", -10_000, "6 USDT"),
            // 0.137 × 41,234.56 × 0.0375 % = 5,649.13472 × 0.000375 = 2.11842552
            (&linear, "0.137", "41234.56", 37_500, "2.11842552 USDT"),
            (&linear, "0", "30000", 10_000, "0 USDT"),
            // 0.005 × 0.01 × 0.01 % = half a unit of the ledger, which goes to the even one; three halves to two
            (&linear, "0.005", "0.01", 10_000, "0 USDT"),
            (&linear, "0.015", "0.01", 10_000, "0.00000002 USDT"),
            (&linear, "-0.015", "0.01", 10_000, "-0.00000002 USDT"),
            // 60,000 USD ÷ 30,000 = 2 BTC, × 0.01 %
            (&inverse, "60000", "30000", 10_000, "0.0002 BTC"),
        ] {
            assert_eq!(paid(it, quantity, mark, rate_e8), want, "{quantity} at {mark}, rate {rate_e8}");
        }
    }

    #[test]
    fn settlements_fall_on_the_hours_of_the_venue() {
        let hours = |after: i64, through: i64| {
            let (after, through) = (Timestamp::from_nanos(after * HOUR), Timestamp::from_nanos(through * HOUR));
            funding_times(after, through, FUNDING_INTERVAL_NANOS).map(|at| at.nanos() / HOUR).collect::<Vec<_>>()
        };
        assert_eq!(hours(0, 24), [8, 16, 24]);
        assert_eq!(hours(7, 8), [8]);
        assert_eq!(hours(8, 15), Vec::<i64>::new());
        assert_eq!(hours(-1, 0), [0]);
    }

    /// Position by hour since the last settlement, at a mark of 1,000 and 0.08 % an interval: 0.1 an hour and piece.
    fn check(held: &[(i64, i64)], accrued: &str, settled: &str) {
        let it = linear();
        let (mark, mut accrual) = (it.price("1000").unwrap(), Accrual::default());
        let pieces = |count: i64| Quantity::from_mantissa(count * 1_000);
        for (hours, quantity) in held {
            assert!(accrual.hold(&it, pieces(*quantity), mark, 80_000, hours * HOUR));
        }
        let at_end = held.last().map_or(Quantity::ZERO, |(_, quantity)| pieces(*quantity));
        let owed = Money { currency: it.settlement(), units: accrual.units(FUNDING_INTERVAL_NANOS) };
        let paid = funding_payment(&it, at_end, mark, 80_000).unwrap();
        assert_eq!((owed.amount().as_str(), paid.amount().as_str()), (accrued, settled), "{held:?}");
    }

    #[test]
    fn what_builds_up_by_the_hour_and_what_is_paid_at_the_settlement() {
        check(&[(8, 1)], "0.8", "0.8");
        check(&[(8, -1)], "-0.8", "-0.8");
        check(&[(7, 0), (1, 1)], "0.1", "0.8"); // who enters late pays in full
        check(&[(7, 1), (1, 0)], "0.7", "0"); // and who leaves early nothing
        check(&[(4, 1), (4, -1)], "0", "-0.8"); // a flip
        check(&[(2, 3), (3, -1), (3, 2)], "0.9", "1.6");
    }

    proptest! {
        /// What longs pay is what shorts receive.
        #[test]
        fn funding_makes_no_money(quantity in -1_000_000_000_i64..1_000_000_000, mark in 1_i64..100_000_000, rate in -1_000_000_i64..1_000_000) {
            let it = linear();
            let paid = |sign: i64| {
                funding_payment(&it, Quantity::from_mantissa(sign * quantity), Price::from_mantissa(mark), rate).unwrap().units
            };
            prop_assert_eq!(paid(1), -paid(-1));
        }

        /// A position held for whole intervals accrues what it pays, to a unit of the ledger for each.
        #[test]
        fn accrual_of_whole_intervals_is_the_payment(quantity in -1_000_000_i64..1_000_000, mark in 1_i64..10_000_000, intervals in 1_i64..5) {
            let (it, mut accrual) = (linear(), Accrual::default());
            let (quantity, mark) = (Quantity::from_mantissa(quantity), Price::from_mantissa(mark));
            accrual.hold(&it, quantity, mark, FUNDING_RATE_E8, intervals * FUNDING_INTERVAL_NANOS);
            let paid = funding_payment(&it, quantity, mark, FUNDING_RATE_E8).unwrap().units * i128::from(intervals);
            prop_assert!((accrual.units(FUNDING_INTERVAL_NANOS) - paid).abs() <= i128::from(intervals));
        }
    }
}
