//! Money: a currency and an exact amount at its ledger scale.

use crate::NumberError;
use crate::decimal::{format_decimal, parse_wide, to_f64};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Decimals of every currency in the ledger. Venues' own ledgers keep 8; on-chain amounts stay in their crates.
pub const LEDGER_DECIMALS: u8 = 8;

/// A currency or asset by its code, such as `USDT`. At most 15 ASCII letters, digits, dots, dashes or underscores.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 16],
}

impl Currency {
    /// Reads a code.
    ///
    /// # Errors
    /// A sentence that names the text and what a code looks like, for anything else.
    pub fn new(code: &str) -> Result<Self, String> {
        let fits = (1..=15).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if !fits {
            return Err(format!("`{code}` is not a currency code: 1 to 15 letters, digits, `.`, `-` or `_`"));
        }
        let mut bytes = [0; 16];
        bytes[..code.len()].copy_from_slice(code.as_bytes());
        Ok(Self { code: bytes })
    }

    /// The code as text.
    #[must_use]
    pub fn code(&self) -> &str {
        let end = self.code.iter().position(|b| *b == 0).unwrap_or(self.code.len());
        std::str::from_utf8(&self.code[..end]).expect("the constructor admits ASCII only")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// An exact amount of one currency: a whole number of `10^-8` of it. Signed; a debit is negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Of what.
    pub currency: Currency,
    /// How many `10^-8` of it.
    pub units: i128,
}

impl Money {
    /// Nothing of `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { currency, units: 0 }
    }

    /// Reads decimal text such as `"10000.50"`: every amount that [`Self::amount`] writes.
    ///
    /// # Errors
    /// [`NumberError`] for anything but a decimal number of at most eight decimals that fits 128 bits.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, NumberError> {
        parse_wide(text, LEDGER_DECIMALS).map(|units| Self { currency, units })
    }

    /// The amount as decimal text, without the currency.
    #[must_use]
    pub fn amount(&self) -> String {
        format_decimal(self.units, LEDGER_DECIMALS)
    }

    /// The amount for statistics; exact money never comes back from it.
    #[must_use]
    #[inline]
    pub fn to_f64(&self) -> f64 {
        to_f64(self.units) / 1e8
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}
impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Serialize, Deserialize)]
struct MoneyText<'a> {
    currency: Currency,
    amount: std::borrow::Cow<'a, str>,
}
impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyText { currency: self.currency, amount: self.amount().into() }.serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = MoneyText::deserialize(deserializer)?;
        Self::parse(&text.amount, text.currency).map_err(serde::de::Error::custom)
    }
}

/// Serde of 128-bit whole numbers as decimal text: `#[serde(with = "tradewind_domain::text128")]`.
///
/// JSON readers lose digits of large numbers, and serde's own buffering cannot carry 128 bits.
pub mod text128 {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the number as text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// Reads the number from text.
    ///
    /// # Errors
    /// If the text is not a whole number of 128 bits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Coded as _;

    #[test]
    fn money_is_text_on_the_wire_and_exact_inside() {
        let usdt = Currency::new("USDT").unwrap();
        let money = Money::parse("-1708795.29", usdt).unwrap();
        let json = serde_json::to_string(&money).unwrap();
        assert_eq!(json, r#"{"currency":"USDT","amount":"-1708795.29"}"#);
        assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn an_amount_is_read_to_the_last_unit_of_its_128_bits_and_no_further() {
        let shib = Currency::new("SHIB").unwrap();
        for units in [i64::MAX.into(), i128::from(i64::MAX) + 1, i64::MIN.into(), i128::MAX, i128::MIN] {
            let money = Money { currency: shib, units };
            assert_eq!(Money::parse(&money.amount(), shib), Ok(money), "{money}");
        }
        let read = |text| Money::parse(text, shib).map(|money| money.units);
        assert_eq!(read("250000000000.00000001"), Ok(25_000_000_000_000_000_001));
        assert_eq!(read("0092233720368.5477580800"), Ok(i128::from(i64::MAX) + 1));
        for (text, code) in [
            ("1701411834604692317316873037158.84105728", "DOM-03"),
            ("-1701411834604692317316873037158.84105729", "DOM-03"),
            ("9999999999999999999999999999999", "DOM-03"),
            ("999999999999999999999999999999999999999999999999", "DOM-03"),
            ("250000000000.000000001", "DOM-02"),
            ("25000000000O.0", "DOM-01"),
        ] {
            assert_eq!(read(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn currency_codes_are_letters_digits_dots_dashes_and_underscores() {
        for code in ["BTC", "1000SATS", "BRK.B", "USD-C", "ABCDEFGHIJKLM_N"] {
            assert_eq!(Currency::new(code).unwrap().code(), code);
        }
    }

    #[test]
    fn unfit_currency_codes_are_named() {
        for code in ["", "US DT", "ABCDEFGHIJKLMNOP", "€"] {
            assert!(Currency::new(code).unwrap_err().contains(code));
        }
    }
}
