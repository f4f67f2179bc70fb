//! An order in a person's words, and how it is read.

use crate::operate::{OperatorReply, failed};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Coded, Instrument, OrderKind, OrderRequest, Side, TimeInForce, Timestamp};

/// An order in a person's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderWords {
    /// Unified symbol.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Decimal text.
    pub quantity: String,
    /// Limit price; a market order without.
    #[serde(default)]
    pub price: Option<String>,
    /// Trigger price of a stop.
    #[serde(default)]
    pub trigger: Option<String>,
    /// `gtc`, `ioc`, `fok` or RFC 3339 text for good till a date.
    #[serde(default)]
    pub time_in_force: Option<String>,
    /// Rest or be rejected.
    #[serde(default)]
    pub post_only: bool,
    /// May only shrink a position.
    #[serde(default)]
    pub reduce_only: bool,
    /// Which portfolio, by name; people's own without.
    #[serde(default)]
    pub portfolio: Option<String>,
}

/// Reads the words for `instrument`; what cannot be read is the answer.
pub(crate) fn read_order(instrument: &Instrument, words: &OrderWords) -> Result<OrderRequest, Box<OperatorReply>> {
    let coded = |error: &dyn Coded| Box::new(failed(error.code(), error.to_string(), error.hint()));
    let price = |text: &Option<String>| match text {
        Some(text) => instrument.price(text).map(Some).map_err(|error| coded(&error)),
        None => Ok(None),
    };
    let kind = match (price(&words.trigger)?, price(&words.price)?) {
        (None, None) => OrderKind::Market,
        (None, Some(price)) => OrderKind::Limit { price },
        (Some(trigger), None) => OrderKind::Stop { trigger },
        (Some(trigger), Some(price)) => OrderKind::StopLimit { trigger, price },
    };
    Ok(OrderRequest {
        instrument: instrument.id,
        side: words.side,
        quantity: instrument.quantity(&words.quantity).map_err(|error| coded(&error))?,
        kind,
        time_in_force: time_in_force(words.time_in_force.as_deref())?,
        post_only: words.post_only,
        reduce_only: words.reduce_only,
        oco: None,
    })
}

fn time_in_force(text: Option<&str>) -> Result<TimeInForce, Box<OperatorReply>> {
    match text {
        None | Some("gtc") => Ok(TimeInForce::Gtc),
        Some("ioc") => Ok(TimeInForce::Ioc),
        Some("fok") => Ok(TimeInForce::Fok),
        Some(date) => {
            let moment: Result<jiff::Timestamp, _> = date.parse();
            let nanos = moment.ok().and_then(|moment| i64::try_from(moment.as_nanosecond()).ok());
            nanos.map(|nanos| TimeInForce::Gtd(Timestamp::from_nanos(nanos))).ok_or_else(|| {
                let hint = "gtc, ioc, fok or a moment such as 2026-12-31T23:59:00Z";
                Box::new(failed("NODE-12", format!("`{date}` is not a time in force"), hint))
            })
        }
    }
}
