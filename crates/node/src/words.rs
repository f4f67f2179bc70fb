//! An order in a person's words, and how it is read.

use crate::operate::{OperatorReply, failed};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    Coded, Instrument, OrderKind, OrderRequest, PlanRegime, Side, TimeInForce, Timestamp, TradePlan, TrailingOffset,
    parse_decimal,
};

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
    /// What kind it is, where the prices do not say so.
    #[serde(default)]
    pub kind: Option<KindWords>,
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
    /// Where the trade ends and how sure its proposer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<TradeWords>>,
}

/// Where a trade ends and how sure its proposer is, in a person's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeWords {
    /// Trigger price of the stop that what fills is protected by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// Price of the target beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// As a part of certainty, such as `65%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
    /// Average true range, by which a stop on the wrong side is put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atr: Option<String>,
    /// How it stands to the market: `with-trend`, `range` or `counter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime: Option<String>,
}

/// Reads the plan of an order; what cannot be read is the answer.
pub(crate) fn read_trade_plan(
    instrument: &Instrument,
    words: &OrderWords,
) -> Result<Option<Box<TradePlan>>, Box<OperatorReply>> {
    let Some(words) = &words.plan else { return Ok(None) };
    let price = |text: &Option<String>| match text {
        Some(text) => instrument.price(text).map(Some).map_err(|error| coded(&error)),
        None => Ok(None),
    };
    let confidence_bps = match words.confidence.as_deref().map(str::trim) {
        None => None,
        Some(text) => {
            Some(text.strip_suffix('%').and_then(|part| parse_decimal(part.trim(), 2).ok()).ok_or_else(|| {
                let hint = "write it as a part of certainty with its unit, such as 65%";
                Box::new(failed("NODE-12", format!("`{text}` is not a confidence"), hint))
            })?)
        }
    };
    let (stop, target, atr) = (price(&words.stop)?, price(&words.target)?, price(&words.atr)?);
    let regime = match words.regime.as_deref().map(str::trim) {
        None => None,
        Some(text) => Some(PlanRegime::find(text).ok_or_else(|| {
            Box::new(failed("NODE-12", format!("`{text}` is no regime"), "write with-trend, range or counter"))
        })?),
    };
    Ok(Some(Box::new(TradePlan { hold: false, confidence_bps, stop, target, atr, regime })))
}

fn coded(error: &dyn Coded) -> Box<OperatorReply> {
    Box::new(failed(error.code(), error.to_string(), error.hint()))
}

/// A kind of order that its prices alone do not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", deny_unknown_fields)]
pub enum KindWords {
    /// Wakes when the market comes to the trigger in its favour; a limit order then if it has a price.
    Touched,
    /// A stop that follows the market.
    Trailing {
        /// By how much in price, such as `150`, or as a part of it, such as `1.5%`.
        offset: String,
        /// From which price on it follows; at once without.
        #[serde(default)]
        activation: Option<String>,
    },
}

/// Reads the words for `instrument`; what cannot be read is the answer.
pub(crate) fn read_order(instrument: &Instrument, words: &OrderWords) -> Result<OrderRequest, Box<OperatorReply>> {
    let price = |text: &Option<String>| match text {
        Some(text) => instrument.price(text).map(Some).map_err(|error| coded(&error)),
        None => Ok(None),
    };
    let odd = |what: &str| {
        let hint = "a touched order has a --trigger and perhaps a --price, a trailing one an --offset alone";
        Err(Box::new(failed("NODE-12", what, hint)))
    };
    let kind = match (price(&words.trigger)?, price(&words.price)?, &words.kind) {
        (None, None, None) => OrderKind::Market,
        (None, Some(price), None) => OrderKind::Limit { price },
        (Some(trigger), None, None) => OrderKind::Stop { trigger },
        (Some(trigger), Some(price), None) => OrderKind::StopLimit { trigger, price },
        (Some(trigger), None, Some(KindWords::Touched)) => OrderKind::Touched { trigger },
        (Some(trigger), Some(price), Some(KindWords::Touched)) => OrderKind::LimitTouched { trigger, price },
        (None, _, Some(KindWords::Touched)) => return odd("a touched order needs a trigger"),
        (None, None, Some(KindWords::Trailing { offset, activation })) => {
            OrderKind::Trailing { offset: trailing(instrument, offset)?, activation: price(activation)? }
        }
        (_, _, Some(KindWords::Trailing { .. })) => return odd("a trailing stop has neither a trigger nor a price"),
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

/// A distance in price, or a part of it such as `1.5%`.
fn trailing(instrument: &Instrument, text: &str) -> Result<TrailingOffset, Box<OperatorReply>> {
    match text.strip_suffix('%') {
        None => instrument.price(text).map(TrailingOffset::Price).map_err(|error| coded(&error)),
        Some(percent) => {
            let bps = parse_decimal(percent.trim(), 2).map_err(|error| coded(&error))?;
            Ok(TrailingOffset::Bps(u32::try_from(bps).unwrap_or(0))) // the order's own check refuses what is no part
        }
    }
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
