//! Money and prices among the statistics, written as decimal text: whoever reads them loses no digit to a float.

use serde::{Serialize, Serializer};

/// Decimals of an amount of money: those of the ledger.
const MONEY_DECIMALS: usize = 8;

/// An amount of money as decimal text, rounded to eight decimals; `None` for what is no number.
///
/// ```
/// use tradewind_quant::amount::money_text;
/// assert_eq!(money_text(25.326_666_666_7).as_deref(), Some("25.32666667"));
/// assert_eq!(money_text(-0.000_000_001).as_deref(), Some("0"));
/// assert_eq!(money_text(f64::NAN), None);
/// ```
#[must_use]
pub fn money_text(value: f64) -> Option<String> {
    let text = format!("{value:.MONEY_DECIMALS$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    value.is_finite().then(|| if text == "-0" { "0" } else { text }.to_owned())
}

/// A price as decimal text: the shortest that reads back as the same number, never with an exponent.
///
/// ```
/// use tradewind_quant::amount::price_text;
/// assert_eq!(price_text(0.000_000_012_5).as_deref(), Some("0.0000000125"));
/// assert_eq!(price_text(64_250.1).as_deref(), Some("64250.1"));
/// ```
#[must_use]
pub fn price_text(value: f64) -> Option<String> {
    value.is_finite().then(|| value.to_string())
}

/// Writes [`money_text`], null for what is missing or no number: for `serialize_with`.
///
/// # Errors
/// Those of the serializer.
#[allow(clippy::ref_option, reason = "serde hands references to fields")]
pub fn optional_money<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    value.and_then(money_text).serialize(serializer)
}

/// As [`optional_money`] for what is never missing.
///
/// # Errors
/// Those of the serializer.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands references to fields")]
pub fn money<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    money_text(*value).serialize(serializer)
}

/// Writes [`price_text`], null for what is no number: for `serialize_with`.
///
/// # Errors
/// Those of the serializer.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands references to fields")]
pub fn price<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    price_text(*value).serialize(serializer)
}
