//! A position as (cost, quantity): nothing is averaged until somebody asks.

use crate::Quantity;
use serde::{Deserialize, Serialize};

/// What we hold of one instrument: a signed quantity and what it cost.
///
/// `cost` is in the unit of [`crate::Instrument::value`]: for linear instruments price mantissa × quantity
/// mantissa, signed like the quantity, so adding a fill is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    quantity: Quantity,
    #[serde(with = "crate::text128")]
    cost: i128,
}

/// What a fill did to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionChange {
    /// How much of the former position it closed, unsigned.
    pub closed: Quantity,
    /// Proceeds less cost of the closed part, in the unit of [`crate::Instrument::value`]; a profit is positive.
    pub realised: i128,
}

impl Position {
    /// The signed quantity, long above zero.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.quantity
    }
    /// What it cost, in the unit of [`crate::Instrument::value`].
    #[must_use]
    pub const fn cost(&self) -> i128 {
        self.cost
    }
    /// Unrealised profit when the held quantity is now worth `value` (see [`crate::Instrument::value`]).
    #[must_use]
    #[inline]
    pub const fn unrealised(&self, value: i128) -> i128 {
        value - self.cost
    }

    /// Books `signed` (buys positive) that was worth `value`, and tells what was closed.
    ///
    /// The closed part takes its share of the cost, cut towards zero; what is left keeps the remainder, so
    /// realised and remaining cost always sum to what was paid.
    ///
    /// # Panics
    /// If the quantity leaves 64 bits.
    pub fn apply(&mut self, signed: Quantity, value: i128) -> PositionChange {
        let (held, change) = (self.quantity.mantissa(), signed.mantissa());
        let closed = if held.signum() * change.signum() < 0 { held.abs().min(change.abs()) } else { 0 };
        let closed_cost = share(self.cost, closed, held.abs());
        let closed_value = share(value, closed, change.abs());
        self.cost += value - closed_value - closed_cost;
        self.quantity += signed;
        PositionChange { closed: Quantity::from_mantissa(closed), realised: -closed_value - closed_cost }
    }

    /// Changes the quantity at no price: a fee taken in the asset, an airdrop, a deposit adopted at no cost.
    ///
    /// The cost stays, so the average price of what is left tells what it really cost; a position that this
    /// empties or turns hands its cost out as realised.
    pub fn adjust(&mut self, signed: Quantity) -> PositionChange {
        let held = self.quantity;
        let keeps_sign = (held + signed).mantissa().signum() == held.mantissa().signum();
        if held.is_zero() || keeps_sign {
            self.quantity += signed;
            return PositionChange { closed: Quantity::ZERO, realised: 0 };
        }
        let realised = -self.cost;
        *self = Self { quantity: held + signed, cost: 0 };
        PositionChange { closed: held.abs(), realised }
    }
}

/// `part` of `whole` of an amount, cut towards zero; all of it is exactly all of it.
fn share(amount: i128, part: i64, whole: i64) -> i128 {
    match part {
        0 => 0,
        all if all == whole => amount,
        // amount × part may leave 128 bits; a remainder below 2^63 times a part below 2^63 does not
        part => {
            let (part, whole) = (i128::from(part), i128::from(whole));
            amount / whole * part + amount % whole * part / whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn book(fills: &[(i64, i64)]) -> (Position, i128) {
        let mut position = Position::default();
        let realised = fills
            .iter()
            .map(|(q, p)| position.apply(Quantity::from_mantissa(*q), i128::from(*q) * i128::from(*p)).realised)
            .sum();
        (position, realised)
    }

    #[test]
    fn a_position_opens_grows_shrinks_turns_and_closes() {
        for (fills, quantity, cost, realised) in [
            (&[(2, 100)][..], 2, 200, 0),
            (&[(2, 100), (2, 110)], 4, 420, 0),
            (&[(4, 105), (-1, 120)], 3, 315, 15),
            (&[(2, 100), (-5, 90)], -3, -270, -20),
            (&[(-3, 90), (3, 80)], 0, 0, 30),
            (&[(3, 100), (-1, 101), (-1, 101), (-1, 101)], 0, 0, 3),
        ] {
            let (position, profit) = book(fills);
            assert_eq!(
                (position.quantity().mantissa(), position.cost(), profit),
                (quantity, cost, realised),
                "{fills:?}"
            );
        }
    }

    /// `amount × part ÷ whole`, cut towards zero, digit by binary digit.
    fn long_share(amount: i128, part: i64, whole: i64) -> i128 {
        let whole = i128::from(whole);
        let (mut quotient, mut rest) = (0_i128, 0_i128);
        for bit in (0..63).rev() {
            let more = if part >> bit & 1 == 1 { amount } else { 0 };
            // 2 × (quotient + rest ÷ whole) + more ÷ whole, each division kept with its remainder
            rest = 2 * rest + more % whole;
            quotient = 2 * quotient + more / whole + rest / whole;
            rest %= whole;
        }
        quotient
    }

    #[test]
    fn half_of_a_large_cheap_position_is_sold_at_its_own_cost() {
        let (held, price) = (600_000_000_000_000_000, 1_000); // 6,000,000,000 at 0.00001, eight decimals each
        let (position, profit) = book(&[(held, price), (-held / 2, price + 1)]);
        assert_eq!(position.cost(), i128::from(held / 2) * i128::from(price));
        assert_eq!(profit, i128::from(held / 2));
    }

    proptest! {
        /// A share is exact wherever the amount fits, up to the largest position at the largest price.
        #[test]
        fn a_share_is_that_of_long_division(
            price in 0..=i64::MAX, quantity in 1..=i64::MAX, cut in 0..=i64::MAX, sells in any::<bool>(),
        ) {
            let amount = i128::from(price) * i128::from(quantity) * if sells { -1 } else { 1 };
            let part = cut % quantity;
            prop_assert_eq!(share(amount, part, quantity), long_share(amount, part, quantity));
        }

        /// Cash paid = cost held − profit realised, to the last unit, whatever the order of fills.
        #[test]
        fn every_fill_conserves(fills in proptest::collection::vec((-1_000_i64..1_000, -500_i64..5_000), 0..50)) {
            let (position, realised) = book(&fills);
            let paid: i128 = fills.iter().map(|(q, p)| i128::from(*q) * i128::from(*p)).sum();
            prop_assert_eq!(paid, position.cost() - realised);
            prop_assert_eq!(position.quantity().mantissa(), fills.iter().map(|(q, _)| q).sum::<i64>());
        }
    }
}
