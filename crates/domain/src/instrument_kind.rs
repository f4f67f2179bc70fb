//! What kind of thing an instrument is, and what its symbol says of that.

use crate::decimal::parse_decimal;
use crate::{OptionRight, Price, Symbol, Timestamp};
use serde::{Deserialize, Serialize};

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum InstrumentKind {
    /// Assets change hands.
    Spot,
    /// Profit is paid in the quote currency; never expires.
    LinearPerpetual,
    /// Quantity counts quote currency, profit is paid in base; never expires.
    InversePerpetual,
    /// A future with an end.
    DatedFuture {
        /// When it settles.
        expiry: Timestamp,
        /// Whether quantity counts quote currency and profit is paid in base.
        inverse: bool,
    },
    /// An option with an end; quantity counts contracts, the price is the premium.
    Option {
        /// When it settles.
        expiry: Timestamp,
        /// Strike at the price's decimals.
        strike: Price,
        /// Call or put.
        right: OptionRight,
    },
    /// A share, bought for cash.
    Equity,
}

impl InstrumentKind {
    /// What a symbol names: its contract's kind, or spot. A symbol knows the day of an expiry and no hour; the contract
    /// ends with that day, in UTC. A strike is at `price_decimals`; `None` where it has more, and for a contract that is
    /// paid in neither of its two currencies, which no kind here reckons.
    #[must_use]
    pub fn of(symbol: &Symbol, price_decimals: u8) -> Option<Self> {
        let Some(contract) = &symbol.contract else { return Some(Self::Spot) };
        let inverse = match contract.settle {
            settle if settle == symbol.quote => false,
            settle if settle == symbol.base => true,
            _ => return None,
        };
        let Some(day) = contract.expiry else {
            return Some(if inverse { Self::InversePerpetual } else { Self::LinearPerpetual });
        };
        let expiry = end_of(day)?;
        match &contract.option {
            None => Some(Self::DatedFuture { expiry, inverse }),
            Some((strike, right)) => {
                let strike = Price::from_mantissa(parse_decimal(strike, price_decimals).ok()?);
                Some(Self::Option { expiry, strike, right: *right })
            }
        }
    }

    /// The word of every market that there is, see [`Self::market`].
    pub const MARKETS: [&'static str; 6] =
        ["spot", "linear-perpetual", "inverse-perpetual", "dated-future", "option", "equity"];

    /// The word of the market that it belongs to, as policies and lists name it: one of [`Self::MARKETS`].
    #[must_use]
    pub const fn market(&self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::LinearPerpetual => "linear-perpetual",
            Self::InversePerpetual => "inverse-perpetual",
            Self::DatedFuture { .. } => "dated-future",
            Self::Option { .. } => "option",
            Self::Equity => "equity",
        }
    }

    /// What of `symbol` is said otherwise by this kind.
    pub(crate) fn contradicts(&self, symbol: &Symbol) -> Option<&'static str> {
        let contract = symbol.contract.as_ref();
        let ends = contract.is_some_and(|it| it.expiry.is_some());
        let is_option = contract.is_some_and(|it| it.option.is_some());
        let settles_in = |currency| contract.is_none_or(|it| it.settle == currency);
        match self {
            Self::Spot | Self::Equity if contract.is_some() => Some("a contract is not bought for cash"),
            Self::LinearPerpetual | Self::InversePerpetual if ends => Some("a perpetual does not end"),
            Self::DatedFuture { .. } | Self::Option { .. } if contract.is_some() && !ends => {
                Some("its kind ends and its symbol does not")
            }
            Self::DatedFuture { .. } if is_option => Some("its symbol names an option"),
            Self::Option { .. } if contract.is_some() && !is_option => Some("its symbol names no option"),
            Self::LinearPerpetual | Self::DatedFuture { inverse: false, .. } if !settles_in(symbol.quote) => {
                Some("a linear contract is paid in its quote currency")
            }
            Self::InversePerpetual | Self::DatedFuture { inverse: true, .. } if !settles_in(symbol.base) => {
                Some("an inverse contract is paid in its base currency")
            }
            Self::Option { .. } if !settles_in(symbol.quote) && !settles_in(symbol.base) => {
                Some("an option is paid in one of its two currencies")
            }
            _ => None,
        }
    }
}

/// The end of a day of this century, in UTC.
fn end_of((year, month, day): (u8, u8, u8)) -> Option<Timestamp> {
    let date = jiff::civil::Date::new(2000 + i16::from(year), i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let end = date.ok()?.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(end.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_belongs_to_one_of_the_known_markets() {
        let (expiry, strike) = (Timestamp::default(), Price::default());
        let kinds = [
            InstrumentKind::Spot,
            InstrumentKind::LinearPerpetual,
            InstrumentKind::InversePerpetual,
            InstrumentKind::DatedFuture { expiry, inverse: false },
            InstrumentKind::Option { expiry, strike, right: OptionRight::Call },
            InstrumentKind::Equity,
        ];
        assert_eq!(kinds.map(|kind| kind.market()), InstrumentKind::MARKETS);
    }
}
