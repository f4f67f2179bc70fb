//! Frames as they come in: answers, the user stream, market streams.

use crate::answer::{AnswerError, quote, read_json};
use crate::binance::convert::{self, ConvertError, Instruments, held, moment, position_balances, report};
use crate::binance::wire::{BookTickerEvent, KlineEvent, RequestId, TradeEvent, UserEvent};
use crate::error::Coded as _;
use crate::outcome::TransportFault;
use crate::report::{Stamps, VenueEvent};
use serde::Deserialize;
use serde_json::value::RawValue;
use tradewind_domain::Timestamp;

/// A frame of the WebSocket API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserFrame {
    /// The answer to the request of this number.
    Answer(i64),
    /// Events of the account, in order.
    Events(Vec<VenueEvent>),
    /// The venue will close this connection soon.
    ClosesSoon,
    /// The venue ended the stream of events.
    Ended,
    /// Nothing for us.
    Nothing,
}

/// Any frame of the WebSocket API.
#[derive(Deserialize)]
struct AnyFrame<'a> {
    #[serde(default)]
    id: Option<RequestId>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default, borrow)]
    event: Option<&'a RawValue>,
}

/// Reads a frame of the WebSocket API. What cannot be used of an event comes out as [`VenueEvent::Fault`].
///
/// # Errors
/// [`TransportFault`] for what is no frame at all: any request that is out may have been answered by it.
pub fn read_user_frame(all: &Instruments, text: &str, received: Timestamp) -> Result<UserFrame, TransportFault> {
    let frame = any_frame(text)?;
    if let Some(event) = frame.event {
        return Ok(user_event(all, event, received));
    }
    Ok(match (frame.id, frame.status) {
        (Some(RequestId::Number(id)), Some(_)) => UserFrame::Answer(id),
        // a failure that does not say of which request may be one of any
        (None, Some(status @ 400..)) => {
            return Err(TransportFault::VenueUnsure { status, code: 0, text: quote(text.as_bytes()) });
        }
        _ => UserFrame::Nothing,
    })
}

/// As [`read_json`], for a type that borrows from the text.
fn any_frame(text: &str) -> Result<AnyFrame<'_>, TransportFault> {
    // a list would pass for a struct by its order
    let read = if text.trim_start().starts_with('{') { serde_json::from_str(text).ok() } else { None };
    read.ok_or_else(|| {
        // the second reading names what is wrong
        match read_json::<serde_json::Map<String, serde_json::Value>>(text.as_bytes()) {
            Err(error) => error.into(),
            Ok(_) => AnswerError::OtherShape {
                why: "no frame of the WebSocket API".to_owned(),
                quote: quote(text.as_bytes()),
            }
            .into(),
        }
    })
}

fn user_event(all: &Instruments, event: &RawValue, received: Timestamp) -> UserFrame {
    let fault = |code, message| VenueEvent::Fault { code, message, at: received };
    // what cannot be read may have been anything: the lists tell
    let unread = |code, message| vec![fault(code, message), VenueEvent::UserStreamGap { since: received }];
    // a report counts whatever its stamp: the time of its receipt stands in for one that is none
    let stamps = |millis: i64| Stamps { event: moment("E", "", millis).ok(), received };
    let read = match read_json::<UserEvent>(event.get().as_bytes()) {
        Ok(read) => read,
        Err(error) => return UserFrame::Events(unread(error.code(), error.to_string())),
    };
    UserFrame::Events(match read {
        UserEvent::ExecutionReport(execution) => match report(all, &execution) {
            Ok(mut report) => {
                if moment("T", &execution.symbol, execution.transaction_time).is_err() {
                    report.happened_at(received);
                }
                vec![VenueEvent::Report { report, stamps: stamps(execution.event_time) }]
            }
            Err(error) => unread(error.code(), error.to_string()),
        },
        UserEvent::OutboundAccountPosition(position) => {
            let (balances, faults) = position_balances(&position);
            let mut events: Vec<_> = faults.iter().map(|error| fault(error.code(), error.to_string())).collect();
            events.push(VenueEvent::Balances { balances, stamps: stamps(position.event_time) });
            events
        }
        UserEvent::BalanceUpdate(update) => vec![match held("d", &update.delta, &update.asset) {
            Ok(delta) => {
                let cleared = Timestamp::from_millis(update.clear_time);
                VenueEvent::Transferred { delta, cleared, stamps: stamps(update.event_time) }
            }
            Err(error) => fault(error.code(), error.to_string()),
        }],
        UserEvent::ServerShutdown(_) => return UserFrame::ClosesSoon,
        UserEvent::EventStreamTerminated(_) => return UserFrame::Ended,
        // the members of a list report for themselves
        UserEvent::ListStatus(_) | UserEvent::ExternalLockUpdate(_) => return UserFrame::Nothing,
        UserEvent::Unknown => {
            let quote = quote(event.get().as_bytes());
            vec![fault("VEN-05", format!("an unknown user event: `{quote}`"))]
        }
    })
}

/// A frame of a combined market stream, not yet looked into.
#[derive(Deserialize)]
pub struct MarketFrame<'a> {
    #[serde(borrow)]
    stream: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<'a> MarketFrame<'a> {
    /// Reads the envelope; `None` if it is none.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
    /// What kind of stream it is of, such as `bookTicker`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.stream.split_once('@').map_or(&*self.stream, |(_, kind)| kind)
    }
    /// The name of the stream, such as `btcusdt@bookTicker`.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }
    /// Whether its stream is one of `symbol`.
    #[must_use]
    pub fn is_of(&self, symbol: &str) -> bool {
        self.stream.split_once('@').is_some_and(|(of, _)| of.eq_ignore_ascii_case(symbol))
    }
    /// The number that orders its events: of a quote the book's update, of a trade its own.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Quoted {
            u: u64,
        }
        #[derive(Deserialize)]
        struct Traded {
            t: u64,
        }
        match self.kind() {
            "bookTicker" => serde_json::from_str::<Quoted>(self.data()).ok().map(|it| it.u),
            "trade" => serde_json::from_str::<Traded>(self.data()).ok().map(|it| it.t),
            _ => None,
        }
    }
    /// The event.
    #[must_use]
    pub fn data(&self) -> &'a str {
        self.data.get()
    }
}

/// A message that cannot be used: our code, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(pub &'static str, pub String);

impl From<AnswerError> for Unusable {
    fn from(error: AnswerError) -> Self {
        Self(error.code(), error.to_string())
    }
}
impl From<ConvertError> for Unusable {
    fn from(error: ConvertError) -> Self {
        Self(error.code(), error.to_string())
    }
}

/// Reads a quote, a trade or a bar; `None` for what is none of these.
///
/// # Errors
/// [`Unusable`] names the field that does not fit.
pub fn read_market_event(
    all: &Instruments,
    kind: &str,
    data: &str,
    received: Timestamp,
) -> Result<Option<VenueEvent>, Unusable> {
    Ok(Some(match kind {
        "bookTicker" => {
            let event: BookTickerEvent = read_json(data.as_bytes())?;
            let quote = convert::quote(all.symbol(&event.symbol)?, &event)?;
            VenueEvent::Quote { quote, stamps: Stamps { event: None, received } }
        }
        "trade" => {
            let event: TradeEvent = read_json(data.as_bytes())?;
            let trade = convert::trade(all.symbol(&event.symbol)?, &event)?;
            let stamps = Stamps { event: Some(moment("T", &event.symbol, event.trade_time)?), received };
            VenueEvent::Trade { trade, stamps }
        }
        kind if kind.starts_with("kline_") => {
            let event: KlineEvent = read_json(data.as_bytes())?;
            let (bar, closed) = convert::bar_of_event(all.symbol(&event.symbol)?, &event)?;
            let stamps = Stamps { event: Some(moment("E", &event.symbol, event.event_time)?), received };
            VenueEvent::Bar { bar, closed, stamps }
        }
        _ => return Ok(None),
    }))
}
