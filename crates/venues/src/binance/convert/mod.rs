//! Binance's words and the domain's: the one place where they meet, in both directions.

mod listing;
mod market;
mod oco;
mod order;
mod report;

pub use listing::{Listing, ListingRules, fee_schedule, list_symbol};
pub use market::{bar, bar_of_event, book_levels, depth_diff, quote, trade};
pub use oco::{oco_request, prepare_oco};
pub use order::{RECV_WINDOW_MILLIS, cancel_request, order_request, prepare_amend, prepare_cancel, prepare_order};
pub use report::{
    OrderStanding, StandingState, balances, fill_of_trade, position_balances, report, standing, time_of_trade,
};

use crate::error::{Coded, hint_of};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use tradewind_domain::{Currency, Instrument, InstrumentId, Money, NumberError, Price, Quantity, Side, Timestamp};

use super::wire::OrderSide;

/// A value that does not fit its type, or an order that the venue cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A number cannot be read exactly.
    #[error("{field} of {symbol}: {cause}")]
    Number {
        /// Which field.
        field: &'static str,
        /// Of which symbol.
        symbol: String,
        /// What is wrong with it.
        #[source]
        cause: NumberError,
    },
    /// Another value is out of place.
    #[error("{field} of {symbol}: `{value}` {why}")]
    Value {
        /// Which field.
        field: &'static str,
        /// Of which symbol.
        symbol: String,
        /// As sent.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The listing cannot be traded by us.
    #[error("the listing of {symbol} is not usable: {why}")]
    Listing {
        /// Which symbol.
        symbol: String,
        /// What is missing or contradicts.
        why: String,
    },
    /// The venue does not take this kind of order.
    #[error("{symbol}: {why}")]
    Unsupported {
        /// Which symbol.
        symbol: String,
        /// What is not taken.
        why: String,
    },
    /// The symbol is not among the instruments.
    #[error("`{0}` is not among the instruments of this connection")]
    UnknownSymbol(String),
}

impl Coded for ConvertError {
    fn code(&self) -> &'static str {
        match self {
            Self::Number { .. } | Self::Value { .. } => "VEN-21",
            Self::Listing { .. } => "VEN-22",
            Self::Unsupported { .. } => "VEN-19",
            Self::UnknownSymbol(_) => "VEN-20",
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

impl ConvertError {
    /// Which symbol it is about; of a balance, which asset. As the venue writes it.
    #[must_use]
    pub fn symbol(&self) -> &str {
        match self {
            Self::Number { symbol, .. }
            | Self::Value { symbol, .. }
            | Self::Listing { symbol, .. }
            | Self::Unsupported { symbol, .. }
            | Self::UnknownSymbol(symbol) => symbol,
        }
    }
}

/// The instruments of a connection, found by the venue's symbol or by our id.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    by_symbol: BTreeMap<String, Instrument>,
    symbols: BTreeMap<InstrumentId, String>,
}

impl Instruments {
    /// Collects them; of two with one symbol the later one counts.
    #[must_use]
    pub fn new(instruments: impl IntoIterator<Item = Instrument>) -> Self {
        let mut all = Self::default();
        for instrument in instruments {
            let symbol = instrument.spec.venue_symbol.clone();
            all.symbols.insert(instrument.id, symbol.clone());
            all.by_symbol.insert(symbol, instrument);
        }
        all
    }
    /// The instrument of a venue's symbol such as `BTCUSDT`.
    ///
    /// # Errors
    /// [`ConvertError::UnknownSymbol`].
    pub fn symbol(&self, symbol: &str) -> Result<&Instrument, ConvertError> {
        self.by_symbol.get(symbol).ok_or_else(|| ConvertError::UnknownSymbol(symbol.to_owned()))
    }
    /// The instrument of an id.
    #[must_use]
    pub fn id(&self, id: InstrumentId) -> Option<&Instrument> {
        self.by_symbol.get(self.symbols.get(&id)?)
    }
    /// All of them, by symbol.
    pub fn iter(&self) -> impl Iterator<Item = &Instrument> {
        self.by_symbol.values()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_symbol.is_empty()
    }
}

fn price(it: &Instrument, field: &'static str, text: &str) -> Result<Price, ConvertError> {
    it.price(text).map_err(|cause| ConvertError::Number { field, symbol: it.spec.venue_symbol.clone(), cause })
}

fn quantity(it: &Instrument, field: &'static str, text: &str) -> Result<Quantity, ConvertError> {
    it.quantity(text).map_err(|cause| ConvertError::Number { field, symbol: it.spec.venue_symbol.clone(), cause })
}

/// The largest quantity, and fee in ledger units, that is believed of one report. The venue itself lists no larger order
/// than 46,116,860,414 at eight decimals, which is half of what 64 bits hold.
const QUANTITY_MOST: i64 = 5_000_000_000_000_000_000;

/// The largest price that is believed: 11.5 billion at eight decimals. Price times quantity is then far inside 128 bits.
const PRICE_MOST: i64 = 1 << 60;

/// The largest balance that is believed, in ledger units: 10^16 of an asset. Of the most numerous coins there are 10^15.
const BALANCE_MOST: u128 = 1_000_000_000_000_000_000_000_000;

/// What was executed: more than nothing.
fn executed(it: &Instrument, field: &'static str, text: &str) -> Result<Quantity, ConvertError> {
    let quantity = quantity(it, field, text)?;
    bounded(it, field, text, quantity.mantissa(), 1..=QUANTITY_MOST).map(|()| quantity)
}

/// What an order asks for, or how much of that was executed: nothing, or more.
fn counted(it: &Instrument, field: &'static str, text: &str, most: i64) -> Result<Quantity, ConvertError> {
    let quantity = quantity(it, field, text)?;
    bounded(it, field, text, quantity.mantissa(), 0..=most).map(|()| quantity)
}

/// The price of an execution.
fn paid(it: &Instrument, field: &'static str, text: &str) -> Result<Price, ConvertError> {
    let price = price(it, field, text)?;
    bounded(it, field, text, price.mantissa(), 1..=PRICE_MOST).map(|()| price)
}

/// The limit of an order; zero says that it has none.
fn limit(it: &Instrument, field: &'static str, text: &str) -> Result<Option<Price>, ConvertError> {
    let price = price(it, field, text)?;
    bounded(it, field, text, price.mantissa(), 0..=PRICE_MOST).map(|()| (price.mantissa() != 0).then_some(price))
}

fn bounded(
    it: &Instrument,
    field: &'static str,
    text: &str,
    mantissa: i64,
    bounds: RangeInclusive<i64>,
) -> Result<(), ConvertError> {
    if bounds.contains(&mantissa) {
        return Ok(());
    }
    let (symbol, value) = (it.spec.venue_symbol.clone(), text.to_owned());
    Err(ConvertError::Value { field, symbol, value, why: "is out of its bounds" })
}

/// A moment that the venue states in milliseconds since 1970. Its unit is a matter of the field and never guessed: a
/// number that would be no moment from 1990 to 2100 is refused.
///
/// # Errors
/// [`ConvertError::Value`] names the field.
pub fn moment(field: &'static str, symbol: &str, millis: i64) -> Result<Timestamp, ConvertError> {
    const FIRST: i64 = 631_152_000_000; // 1990-01-01: recorded equities of then are played as tapes
    const LAST: i64 = 4_102_444_800_000; // 2100-01-01
    if (FIRST..LAST).contains(&millis) {
        return Ok(Timestamp::from_millis(millis));
    }
    let (symbol, value) = (symbol.to_owned(), millis.to_string());
    Err(ConvertError::Value { field, symbol, value, why: "is no moment in milliseconds" })
}

fn side(it: &Instrument, side: &OrderSide) -> Result<Side, ConvertError> {
    match side {
        OrderSide::Buy => Ok(Side::Buy),
        OrderSide::Sell => Ok(Side::Sell),
        OrderSide::Other(word) => Err(ConvertError::Value {
            field: "side",
            symbol: it.spec.venue_symbol.clone(),
            value: word.to_string(),
            why: "is neither BUY nor SELL",
        }),
    }
}

/// What an account holds of an asset, or what came in or went out of it.
pub(super) fn held(field: &'static str, amount: &str, asset: &str) -> Result<Money, ConvertError> {
    let money = money(field, amount, asset)?;
    if money.units.unsigned_abs() <= BALANCE_MOST {
        return Ok(money);
    }
    let (symbol, value) = (asset.to_owned(), amount.to_owned());
    Err(ConvertError::Value { field, symbol, value, why: "is out of its bounds" })
}

fn money(field: &'static str, amount: &str, asset: &str) -> Result<Money, ConvertError> {
    let currency = Currency::new(asset).map_err(|_| ConvertError::Value {
        field,
        symbol: asset.to_owned(),
        value: asset.to_owned(),
        why: "is not the code of an asset",
    })?;
    Money::parse(amount, currency).map_err(|cause| ConvertError::Number { field, symbol: asset.to_owned(), cause })
}
