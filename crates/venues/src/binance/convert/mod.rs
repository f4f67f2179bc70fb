//! Binance's words and the domain's: the one place where they meet, in both directions.

mod listing;
mod market;
mod oco;
mod order;
mod report;

pub use listing::{Listing, ListingRules, fee_schedule, list_symbol};
pub use market::{bar, bar_of_event, book_levels, depth_diff, quote, recent_trade, trade};
pub use oco::{oco_request, prepare_oco};
pub use order::{RECV_WINDOW_MILLIS, cancel_request, order_request, prepare_amend, prepare_cancel, prepare_order};
pub use report::{OrderStanding, StandingState, balances, fill_of_trade, position_balances, report, standing};

use crate::error::{Coded, hint_of};
use std::collections::BTreeMap;
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

/// A moment that the venue states in milliseconds since 1970. Its unit is a matter of the field and never guessed: a
/// number that would be no moment of this century is refused.
///
/// # Errors
/// [`ConvertError::Value`] names the field.
pub fn moment(field: &'static str, symbol: &str, millis: i64) -> Result<Timestamp, ConvertError> {
    const FIRST: i64 = 946_684_800_000; // 2000-01-01
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

fn money(field: &'static str, amount: &str, asset: &str) -> Result<Money, ConvertError> {
    let currency = Currency::new(asset).map_err(|_| ConvertError::Value {
        field,
        symbol: asset.to_owned(),
        value: asset.to_owned(),
        why: "is not the code of an asset",
    })?;
    Money::parse(amount, currency).map_err(|cause| ConvertError::Number { field, symbol: asset.to_owned(), cause })
}
