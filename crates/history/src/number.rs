//! Numbers of a file, exactly: decimal text and binary floats to mantissa and decimals.
//!
//! The rule for floats: the shortest decimal text that reads back as the same float is what was meant, if it has
//! at most [`MAX_DECIMALS`] decimals. Otherwise, in this order:
//! * a float within 64 units in the last place of a number of at most 8 decimals is that number with the noise of
//!   float arithmetic (`30.650000000000002` is 30.65);
//! * a double that is the image of a single-precision float (also when printed with 15 digits) is that float's own
//!   shortest text (`4.449999809265137` is 4.45), if that has at most 8 decimals;
//! * what is left truly needs more decimals: it is rounded half to even to 8 and reported.

/// Decimals that a recorded number may have.
pub(crate) const MAX_DECIMALS: u8 = 8;

const POW10: [i64; 19] = {
    let mut table = [1_i64; 19];
    let mut i = 1;
    while i < 19 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

const F64_POW10: [f64; 9] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/// A whole number of `10^-decimals`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) mantissa: i64,
    pub(crate) decimals: u8,
}

/// How faithfully a number was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quality {
    Exact,
    Noise,
    SinglePrecision,
    Rounded,
}

/// Why a cell is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberFault {
    Empty,
    NotANumber,
    NotFinite,
    TooLarge,
}

impl NumberFault {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Empty => "HIS-09",
            Self::NotANumber => "HIS-07",
            Self::NotFinite => "HIS-08",
            Self::TooLarge => "HIS-22",
        }
    }
}

impl Number {
    pub(crate) const fn new(mantissa: i64, decimals: u8) -> Self {
        Self { mantissa, decimals }
    }

    /// The mantissa at `decimals`; `None` if it would be rounded or does not fit.
    #[inline]
    pub(crate) fn at(self, decimals: u8) -> Option<i64> {
        if self.decimals <= decimals {
            return self.mantissa.checked_mul(POW10[usize::from(decimals - self.decimals)]);
        }
        let unit = POW10[usize::from(self.decimals - decimals)];
        (self.mantissa % unit == 0).then_some(self.mantissa / unit)
    }

    /// Without trailing zeros after the dot.
    pub(crate) fn trimmed(mut self) -> Self {
        while self.decimals > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.decimals -= 1;
        }
        self
    }

    pub(crate) fn text(self) -> String {
        tradewind_domain::format_decimal(i128::from(self.mantissa), self.decimals)
    }
}

/// Compares two numbers of whatever decimals.
pub(crate) fn compare(left: Number, right: Number) -> std::cmp::Ordering {
    let at = |number: Number, other: Number| {
        i128::from(number.mantissa) * 10_i128.pow(u32::from(other.decimals.saturating_sub(number.decimals)))
    };
    at(left, right).cmp(&at(right, left))
}

/// Reads decimal text from the front of `bytes`: the number and where it stopped.
///
/// The fast way for plain text: sign, digits, at most one dot, at most 18 digits and 8 decimals. `None` for anything
/// else, which [`parse`] judges.
#[inline]
pub(crate) fn parse_prefix(bytes: &[u8]) -> Option<(Number, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut mantissa, mut dot, mut end) = (0_u64, usize::MAX, bytes.len());
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if *byte == b'.' && dot == usize::MAX {
            dot = at;
        } else {
            end = at;
            break;
        }
    }
    let (digits, decimals) = if dot == usize::MAX { (end - start, 0) } else { (end - start - 1, end - dot - 1) };
    if digits == 0 || digits > 18 || decimals > usize::from(MAX_DECIMALS) {
        return None;
    }
    let mantissa = i64::try_from(mantissa).ok()?; // at most 18 digits, so it fits
    let mantissa = if negative { -mantissa } else { mantissa };
    Some((Number::new(mantissa, u8::try_from(decimals).ok()?), end))
}

/// Reads the text of one cell.
pub(crate) fn parse(cell: &[u8]) -> Result<(Number, Quality), NumberFault> {
    let cell = cell.trim_ascii();
    if cell.is_empty() {
        return Err(NumberFault::Empty);
    }
    match parse_prefix(cell) {
        Some((number, at)) if at == cell.len() => Ok((number.trimmed(), Quality::Exact)),
        _ => parse_hard(cell),
    }
}

fn parse_hard(cell: &[u8]) -> Result<(Number, Quality), NumberFault> {
    let text = std::str::from_utf8(cell).map_err(|_| NumberFault::NotANumber)?;
    let lower = text.to_ascii_lowercase();
    if matches!(lower.trim_start_matches(['+', '-']), "nan" | "inf" | "infinity") {
        return Err(NumberFault::NotFinite);
    }
    if matches!(lower.as_str(), "null" | "none" | "na" | "n/a") {
        return Err(NumberFault::Empty);
    }
    if !lower.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e')) {
        return Err(NumberFault::NotANumber);
    }
    if !lower.contains('e') {
        let plain = lower.strip_prefix('+').unwrap_or(&lower);
        match tradewind_domain::parse_decimal(plain, MAX_DECIMALS) {
            Ok(mantissa) => return Ok((Number::new(mantissa, MAX_DECIMALS).trimmed(), Quality::Exact)),
            Err(tradewind_domain::NumberError::TooLarge(_)) if !plain.contains('.') => {
                let mantissa = plain.parse().map_err(|_| NumberFault::TooLarge)?;
                return Ok((Number::new(mantissa, 0), Quality::Exact));
            }
            Err(_) => {}
        }
    }
    let float: f64 = lower.parse().map_err(|_| NumberFault::NotANumber)?;
    from_f64(float, 0)
}

/// Turns a double into the decimal that was meant; `hint` is the number of decimals to try first.
///
/// With a hint the answer may carry up to `hint` decimals with trailing zeros.
pub(crate) fn from_f64(value: f64, hint: u8) -> Result<(Number, Quality), NumberFault> {
    if !value.is_finite() {
        return Err(NumberFault::NotFinite);
    }
    for decimals in hint.min(MAX_DECIMALS)..=MAX_DECIMALS {
        if let Some(mantissa) = exactly(value, decimals) {
            return Ok((Number::new(mantissa, decimals), Quality::Exact));
        }
    }
    if let Some(number) = shortest(&value.to_string()) {
        return Ok((number, Quality::Exact));
    }
    let rounded = (value * 1e8).round_ties_even();
    if rounded.abs() >= 9.2e18 {
        return Err(NumberFault::TooLarge);
    }
    #[allow(clippy::cast_possible_truncation)] // whole and below 2^63
    let nearest = Number::new(rounded as i64, MAX_DECIMALS);
    if (value - rounded / 1e8).abs() <= value.abs() * f64::EPSILON * 64.0 {
        return Ok((nearest.trimmed(), Quality::Noise));
    }
    match single_precision(value) {
        Some(number) => Ok((number, Quality::SinglePrecision)),
        None => Ok((nearest, Quality::Rounded)),
    }
}

/// Turns a single-precision float into its shortest decimal.
pub(crate) fn from_f32(value: f32) -> Result<(Number, Quality), NumberFault> {
    if !value.is_finite() {
        return Err(NumberFault::NotFinite);
    }
    match shortest(&value.to_string()) {
        Some(number) => Ok((number, Quality::Exact)),
        None => from_f64(f64::from(value), 0),
    }
}

/// The mantissa of the decimal of `decimals` places whose float is `value`, where that is beyond doubt: below 10^15
/// every decimal is told apart by its float, and the division of two exact whole numbers is rounded correctly.
#[inline]
#[allow(clippy::cast_possible_truncation, clippy::float_cmp)] // equality is the question asked
fn exactly(value: f64, decimals: u8) -> Option<i64> {
    let unit = F64_POW10[usize::from(decimals)];
    let mantissa = (value * unit).round();
    (mantissa.abs() < 1e15 && mantissa / unit == value).then_some(mantissa as i64)
}

fn shortest(text: &str) -> Option<Number> {
    let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let decimals = u8::try_from(decimals).ok().filter(|d| *d <= MAX_DECIMALS)?;
    tradewind_domain::parse_decimal(text, decimals).ok().map(|mantissa| Number::new(mantissa, decimals))
}

#[allow(clippy::cast_possible_truncation)]
fn single_precision(value: f64) -> Option<Number> {
    let single = value as f32;
    let image = (f64::from(single) - value).abs() <= value.abs() * 1e-14;
    image.then(|| shortest(&single.to_string())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_read_exactly_or_the_doubt_is_named() {
        for (cell, want) in [
            ("101.25", Ok(("101.25", Quality::Exact))),
            (" -7 ", Ok(("-7", Quality::Exact))),
            ("+7.50", Ok(("7.5", Quality::Exact))),
            ("1.100000000000", Ok(("1.1", Quality::Exact))),
            ("123456789012345678", Ok(("123456789012345678", Quality::Exact))),
            ("1e-05", Ok(("0.00001", Quality::Exact))),
            ("1.5E3", Ok(("1500", Quality::Exact))),
            ("30.650000000000002", Ok(("30.65", Quality::Noise))),
            ("33.35399601000002", Ok(("33.35399601", Quality::Noise))),
            ("4.449999809265137", Ok(("4.45", Quality::SinglePrecision))),
            ("19.5900001525879", Ok(("19.59", Quality::SinglePrecision))),
            ("0.123456789123", Ok(("0.12345679", Quality::Rounded))),
            ("", Err(NumberFault::Empty)),
            ("null", Err(NumberFault::Empty)),
            ("NaN", Err(NumberFault::NotFinite)),
            ("-inf", Err(NumberFault::NotFinite)),
            ("1,5", Err(NumberFault::NotANumber)),
            ("1.2.3", Err(NumberFault::NotANumber)),
            ("abc", Err(NumberFault::NotANumber)),
            (".", Err(NumberFault::NotANumber)),
            ("99999999999999999999", Err(NumberFault::TooLarge)),
        ] {
            let got = parse(cell.as_bytes()).map(|(number, quality)| (number.text(), quality));
            assert_eq!(got, want.map(|(text, quality)| (text.to_owned(), quality)), "{cell}");
        }
    }

    proptest! {
        /// A decimal of up to 15 digits survives the way through a float.
        #[test]
        fn floats_give_back_the_decimal(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, decimals in 0_u8..=8, hint in 0_u8..=8) {
            let text = tradewind_domain::format_decimal(i128::from(mantissa), decimals);
            let float: f64 = text.parse().unwrap();
            let (number, quality) = from_f64(float, hint).unwrap();
            prop_assert_eq!((number.text(), quality), (text, Quality::Exact));
        }

        /// The fast reader agrees with the domain's own.
        #[test]
        fn text_is_read_like_the_domain_reads_it(mantissa in -999_999_999_999_999_999_i64..=999_999_999_999_999_999, decimals in 0_u8..=8) {
            let text = tradewind_domain::format_decimal(i128::from(mantissa), decimals);
            let (number, quality) = parse(text.as_bytes()).unwrap();
            prop_assert_eq!(quality, Quality::Exact);
            prop_assert_eq!(number.at(8), tradewind_domain::parse_decimal(&text, 8).ok());
        }
    }
}
