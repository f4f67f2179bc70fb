//! Unified symbols: `BTC/USDT` spot, `BTC/USDT:USDT` linear, `BTC/USD:BTC` inverse, dated and options after a dash.

use crate::error::hint_of;
use crate::{Coded, Currency};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a person calls an instrument, the same on every venue (the convention of CCXT).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    /// What is bought and sold.
    pub base: Currency,
    /// What its price is counted in.
    pub quote: Currency,
    /// What makes it more than spot.
    pub contract: Option<Contract>,
}

/// The part of a symbol after the colon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contract {
    /// What profits are paid in.
    pub settle: Currency,
    /// Expiry as year, month, day; `None` for a perpetual.
    pub expiry: Option<(u8, u8, u8)>,
    /// Strike text and right, for an option.
    pub option: Option<(String, OptionRight)>,
}

/// The right that an option gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptionRight {
    /// To buy.
    Call,
    /// To sell.
    Put,
}

/// The text is not a symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a symbol")]
pub struct SymbolError(pub String);

impl Coded for SymbolError {
    fn code(&self) -> &'static str {
        "DOM-09"
    }
    fn hint(&self) -> &'static str {
        hint_of("DOM-09")
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;
    fn from_str(text: &str) -> Result<Self, SymbolError> {
        read(text).ok_or_else(|| SymbolError(text.to_owned()))
    }
}

impl Symbol {
    /// Base and quote in one word, such as `BTCUSDT`: what spot venues call the pair.
    #[must_use]
    pub fn joined(&self) -> String {
        format!("{}{}", self.base, self.quote)
    }
}

fn read(text: &str) -> Option<Symbol> {
    let (pair, contract) = match text.split_once(':') {
        Some((pair, contract)) => (pair, Some(read_contract(contract)?)),
        None => (text, None),
    };
    let (base, quote) = pair.split_once('/')?;
    let (base, quote) = (Currency::new(base).ok()?, Currency::new(quote).ok()?);
    (base != quote).then_some(Symbol { base, quote, contract })
}

fn read_contract(text: &str) -> Option<Contract> {
    let mut parts = text.split('-');
    let settle = Currency::new(parts.next()?).ok()?;
    let expiry = parts.next().map(read_expiry);
    let option = match (parts.next(), parts.next()) {
        (None, _) => None,
        (Some(strike), Some("C")) => Some((strike.to_owned(), OptionRight::Call)),
        (Some(strike), Some("P")) => Some((strike.to_owned(), OptionRight::Put)),
        _ => return None,
    };
    if option.as_ref().is_some_and(|(strike, _)| crate::parse_decimal(strike, 8).is_err()) || parts.next().is_some() {
        return None;
    }
    match expiry {
        Some(None) => None,
        Some(date) => Some(Contract { settle, expiry: date, option }),
        None => Some(Contract { settle, expiry: None, option }),
    }
}

fn read_expiry(text: &str) -> Option<(u8, u8, u8)> {
    if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let two = |at: usize| text[at..at + 2].parse::<u8>().ok();
    let (year, month, day) = (two(0)?, two(2)?, two(4)?);
    let days = jiff::civil::Date::new(2000 + i16::from(year), i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    days.is_ok().then_some((year, month, day))
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)?;
        let Some(contract) = &self.contract else { return Ok(()) };
        write!(f, ":{}", contract.settle)?;
        if let Some((year, month, day)) = contract.expiry {
            write!(f, "-{year:02}{month:02}{day:02}")?;
        }
        match &contract.option {
            Some((strike, OptionRight::Call)) => write!(f, "-{strike}-C"),
            Some((strike, OptionRight::Put)) => write!(f, "-{strike}-P"),
            None => Ok(()),
        }
    }
}
impl Serialize for Symbol {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_read_and_written() {
        for text in [
            "BTC/USDT",
            "BTC/USDT:USDT",
            "BTC/USD:BTC",
            "BTC/USDT:USDT-250328",
            "BTC/USDT:USDT-250328-50000-C",
            "ETH/USD:ETH-261225-0.5-P",
            "1000PEPE/USDT",
        ] {
            assert_eq!(text.parse::<Symbol>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_pair_in_one_word_says_nothing_of_its_contract() {
        for text in ["BTC/USDT", "BTC/USDT:USDT", "BTC/USDT:USDT-250328"] {
            assert_eq!(text.parse::<Symbol>().unwrap().joined(), "BTCUSDT");
        }
    }

    #[test]
    fn what_is_no_symbol_is_named() {
        for text in [
            "",
            "BTC",
            "BTCUSDT",
            "BTC/",
            "/USDT",
            "BTC/USDT:",
            "BTC/USDT:USDT-2503",
            "BTC/USDT:USDT-250332",
            "BTC/USDT:USDT-250328-50000",
            "BTC/USDT:USDT-250328-50000-X",
            "BTC/USDT:USDT-250328-x-C",
            "BTC/USDT:USDT-250328-5-C-1",
            "BTC /USDT",
            "BTC/BTC",
            "BTC/BTC:BTC",
        ] {
            let error = text.parse::<Symbol>().unwrap_err();
            assert_eq!((error.code(), error.to_string()), ("DOM-09", format!("`{text}` is not a symbol")));
        }
    }
}
