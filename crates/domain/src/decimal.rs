//! Decimal text to whole numbers and back, exactly.

use crate::Coded;
use crate::error::hint_of;

/// Why a text could not become a number of the asked precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not digits with at most one dot.
    #[error("`{0}` is not a decimal number")]
    NotANumber(String),
    /// It would have to be rounded.
    #[error("`{text}` has more than {decimals} decimals")]
    TooFine {
        /// The text as given.
        text: String,
        /// How many decimals there is room for.
        decimals: u8,
    },
    /// It does not fit.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

impl Coded for NumberError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotANumber(_) => "DOM-01",
            Self::TooFine { .. } => "DOM-02",
            Self::TooLarge(_) => "DOM-03",
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Ten to the power of `exponent`.
///
/// # Panics
/// For an exponent above 38, which does not fit 128 bits.
#[must_use]
#[inline]
pub const fn pow10(exponent: u32) -> i128 {
    POWERS[exponent as usize]
}

const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = powers[place - 1] * 10;
        place += 1;
    }
    powers
};

/// A 128-bit amount as a float, by the short way where it fits 64 bits.
#[inline]
#[allow(clippy::cast_precision_loss)]
pub(crate) fn to_f64(value: i128) -> f64 {
    i64::try_from(value).map_or_else(|_| value as f64, |small| small as f64)
}

/// Reads decimal text as a whole number of `10^-decimals`.
///
/// Accepts an optional sign, digits, and one dot; trailing zeros beyond `decimals` are harmless.
///
/// # Errors
/// [`NumberError`] with the text: nothing is rounded, no exponent is understood.
pub fn parse_decimal(text: &str, decimals: u8) -> Result<i64, NumberError> {
    let (negative, value) = read_digits(text, decimals, 0_i64, push_digit)?;
    Ok(if negative { -value } else { value })
}

/// As [`parse_decimal`], up to the 128 bits of the ledger; by the short way where it fits 64 bits.
pub(crate) fn parse_wide(text: &str, decimals: u8) -> Result<i128, NumberError> {
    match parse_decimal(text, decimals) {
        Err(NumberError::TooLarge(_)) => (),
        small => return small.map(i128::from),
    }
    let push = |value: u128, digit: u8| value.checked_mul(10)?.checked_add(u128::from(digit));
    let (negative, value) = read_digits(text, decimals, 0_u128, push)?;
    let signed = if negative { 0_i128.checked_sub_unsigned(value) } else { i128::try_from(value).ok() };
    signed.ok_or_else(|| NumberError::TooLarge(text.to_owned()))
}

/// Whether decimal text has a minus sign, and its digits as a whole number of `10^-decimals`. `push` appends a digit to
/// one, `None` where that does not fit.
#[inline]
fn read_digits<N: Copy>(
    text: &str,
    decimals: u8,
    zero: N,
    push: impl Fn(N, u8) -> Option<N>,
) -> Result<(bool, N), NumberError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let (mut value, mut fraction, mut seen_dot, mut seen_digit) = (zero, 0_u8, false, false);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                if seen_dot && fraction == decimals {
                    if byte != b'0' {
                        return Err(NumberError::TooFine { text: text.to_owned(), decimals });
                    }
                    continue;
                }
                fraction += u8::from(seen_dot);
                value = push(value, byte - b'0').ok_or_else(|| NumberError::TooLarge(text.to_owned()))?;
            }
            b'.' if !seen_dot => seen_dot = true,
            _ => return Err(NumberError::NotANumber(text.to_owned())),
        }
    }
    if !seen_digit {
        return Err(NumberError::NotANumber(text.to_owned()));
    }
    for _ in fraction..decimals {
        value = push(value, 0).ok_or_else(|| NumberError::TooLarge(text.to_owned()))?;
    }
    Ok((negative, value))
}

#[inline]
fn push_digit(value: i64, digit: u8) -> Option<i64> {
    value.checked_mul(10)?.checked_add(i64::from(digit))
}

/// Writes a whole number of `10^-decimals` as decimal text without needless zeros: `6500000`, 2 → `65000`.
#[must_use]
pub fn format_decimal(mantissa: i128, decimals: u8) -> String {
    let mut text = Vec::with_capacity(24);
    push_decimal(&mut text, mantissa, decimals);
    text.into_iter().map(char::from).collect()
}

#[allow(clippy::cast_possible_truncation)]
/// Appends what [`format_decimal`] writes, without an allocation of its own.
pub fn push_decimal(text: &mut Vec<u8>, mantissa: i128, decimals: u8) {
    if mantissa < 0 {
        text.push(b'-');
    }
    let mut digits = [b'0'; 48];
    let mut place = digits.len();
    let mut rest = mantissa.unsigned_abs();
    while rest > u128::from(u64::MAX) {
        place -= 1;
        digits[place] = b'0' + (rest % 10) as u8; // a remainder of ten fits a byte
        rest /= 10;
    }
    let mut rest = rest as u64; // just compared
    while rest > 0 {
        place -= 1;
        digits[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let point = digits.len() - usize::from(decimals);
    let whole = place.min(point - 1);
    text.extend_from_slice(&digits[whole..point]);
    let fraction = digits[point..].iter().rposition(|digit| *digit != b'0');
    if let Some(last) = fraction {
        text.push(b'.');
        text.extend_from_slice(&digits[point..=point + last]);
    }
}

/// Divides and rounds half to even, the ledger's one rounding rule.
///
/// # Panics
/// If `divisor` is not positive.
#[must_use]
#[inline]
pub fn round_div(value: i128, divisor: i128) -> i128 {
    assert!(divisor > 0, "a ledger unit is positive");
    if let (Ok(small), Ok(by)) = (i64::try_from(value), i64::try_from(divisor)) {
        return i128::from(round_div_small(small, by)); // 64-bit division is several times faster
    }
    let (quotient, rest) = (value.div_euclid(divisor), value.rem_euclid(divisor));
    match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

#[inline]
fn round_div_small(value: i64, divisor: i64) -> i64 {
    let (quotient, rest) = (value.div_euclid(divisor), value.rem_euclid(divisor));
    match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_becomes_a_number_or_a_specific_error() {
        for (text, decimals, want) in [
            ("101.25", 2, Ok(10125)),
            ("101.250000", 2, Ok(10125)),
            ("-0.5", 1, Ok(-5)),
            ("+7", 0, Ok(7)),
            (".5", 2, Ok(50)),
            ("5.", 2, Ok(500)),
            ("", 2, Err("DOM-01")),
            (".", 2, Err("DOM-01")),
            ("1e5", 2, Err("DOM-01")),
            ("NaN", 2, Err("DOM-01")),
            ("1.2.3", 2, Err("DOM-01")),
            ("1.005", 2, Err("DOM-02")),
            ("92233720368547758.08", 2, Err("DOM-03")),
            ("99999999999999999999", 0, Err("DOM-03")),
        ] {
            assert_eq!(parse_decimal(text, decimals).map_err(|e| e.code()), want, "{text}");
        }
    }

    #[test]
    fn halves_round_to_even() {
        for (value, divisor, want) in [(5, 10, 0), (15, 10, 2), (25, 10, 2), (-5, 10, 0), (-15, 10, -2), (26, 10, 3)] {
            assert_eq!(round_div(value, divisor), want, "{value}/{divisor}");
            let wide = 10_i128.pow(24); // past 64 bits the answer is the same
            assert_eq!(round_div(value * wide, divisor * wide), want, "{value}/{divisor}, wide");
        }
    }

    proptest! {
        /// What is written is read back, whatever the precision.
        #[test]
        fn text_round_trips(value in any::<i64>().prop_filter("symmetric", |v| *v != i64::MIN), decimals in 0_u8..=18) {
            let text = format_decimal(i128::from(value), decimals);
            prop_assert_eq!(parse_decimal(&text, decimals), Ok(value));
        }
    }
}
