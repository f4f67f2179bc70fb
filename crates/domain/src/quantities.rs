//! [`Price`] and [`Quantity`]: whole numbers of an instrument's smallest decimals.

use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// A price of one instrument: a whole number of its smallest decimal, which is finer than its tick.
///
/// Signed: a calendar spread may trade below zero. Marks and index prices fit, off the tick grid.
/// Comparing and adding are integer operations; only prices of one instrument may meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(i64);

/// A quantity of one instrument: a whole number of its smallest decimal, which is finer than its lot.
///
/// Orders and fills are positive; a position is signed, long above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Price {
    /// A price of `mantissa` smallest decimals.
    #[must_use]
    pub const fn from_mantissa(mantissa: i64) -> Self {
        Self(mantissa)
    }
    /// The number of smallest decimals.
    #[must_use]
    pub const fn mantissa(self) -> i64 {
        self.0
    }
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// A quantity of `mantissa` smallest decimals.
    #[must_use]
    pub const fn from_mantissa(mantissa: i64) -> Self {
        Self(mantissa)
    }
    /// The number of smallest decimals.
    #[must_use]
    pub const fn mantissa(self) -> i64 {
        self.0
    }
    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// The size without its direction.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }
    /// The sum, or the largest there is: for what counts at the worst and is never booked.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// The sum, or `None` past 64 bits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl Add for Quantity {
    type Output = Self;
    /// # Panics
    /// On overflow: a quantity that wrapped would be a wrong position.
    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).expect("a sum of quantities fits 64 bits"))
    }
}
impl Sub for Quantity {
    type Output = Self;
    /// # Panics
    /// On overflow: a quantity that wrapped would be a wrong position.
    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).expect("a difference of quantities fits 64 bits"))
    }
}
impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
