//! Answers to requests: yes, no, or nobody knows.

use crate::answer::{AnswerError, quote, read_json};
use crate::binance::convert::moment;
use crate::binance::protocol::command;
use crate::binance::rules::{Command, Verdict, judge};
use crate::binance::wire::{ApiResponse, ErrorBody, RateLimitType};
use crate::outcome::{Ack, QueryError, Rejection, TransportFault};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tradewind_domain::{ClientOrderId, Timestamp, VenueOrderId};
use tradewind_gate::Action;

/// What became of a request about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderAnswer {
    /// The venue took it.
    Ack(Ack),
    /// The venue said no, for good.
    Rejected(Rejection),
    /// Nobody knows.
    Unknown(TransportFault),
}

/// What an answer asks of its reader, beside what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing.
    None,
    /// The venue disagrees about the time: measure anew; the window stays.
    ForgetClock,
    /// Refused at the door: nothing more for so long, where the venue said how long.
    Wait {
        /// As the venue said.
        wait: Option<Duration>,
        /// Whether this address is banned.
        banned: bool,
    },
}

/// So much of a limit was used in the present interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Which limit.
    pub kind: RateLimitType,
    /// Its interval.
    pub interval: Duration,
    /// How much.
    pub count: u64,
}

/// An answer that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadAnswer {
    /// What became of the request.
    pub answer: OrderAnswer,
    /// What the venue told of its limits.
    pub usages: Vec<Usage>,
    /// What to do about it.
    pub consequence: Consequence,
}

/// A refusal that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Certainly not carried out.
    Rejected(Rejection),
    /// The venue does not find it; this alone proves nothing.
    NotFound {
        /// The venue's code.
        code: i32,
        /// The venue's text.
        text: String,
    },
    /// Nobody knows.
    Fault(TransportFault),
}

impl From<Refusal> for QueryError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => Self::Refused(rejection),
            Refusal::NotFound { code, text } => Self::NotFound { code, text },
            Refusal::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<Refusal> for OrderAnswer {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => Self::Rejected(rejection),
            Refusal::NotFound { code, text } => Self::Unknown(TransportFault::UnlistedCode { status: 400, code, text }),
            Refusal::Fault(fault) => Self::Unknown(fault),
        }
    }
}

/// Judges an answer that is no success, however it came.
fn judge_refusal(command: Command, status: u16, body: ErrorBody, wait: Option<Duration>) -> (Refusal, Consequence) {
    let ErrorBody { code, msg: text } = body;
    let rejected = |ours, text: String| {
        Refusal::Rejected(Rejection { code: ours, venue_code: code, reason: text, retry_after: wait })
    };
    match judge(command, status, code, &text) {
        // an order of this id lives, and only evidence tells whose: no is not the word for that
        Verdict::Rejected("VEN-16") => (Refusal::Fault(TransportFault::DuplicateId { code, text }), Consequence::None),
        Verdict::Rejected("VEN-15") => (rejected("VEN-15", text), Consequence::ForgetClock),
        Verdict::Rejected(ours) => (rejected(ours, text), Consequence::None),
        Verdict::TooMany => (rejected("VEN-11", text), Consequence::Wait { wait, banned: false }),
        Verdict::Banned => (rejected("VEN-12", text), Consequence::Wait { wait, banned: true }),
        Verdict::NotFound => (Refusal::NotFound { code, text }, Consequence::None),
        Verdict::Unsure => (Refusal::Fault(TransportFault::VenueUnsure { status, code, text }), Consequence::None),
        Verdict::Unlisted => (Refusal::Fault(TransportFault::UnlistedCode { status, code, text }), Consequence::None),
    }
}

/// The bytes of a success, or the judged refusal. `wait` is the header `Retry-After`.
pub fn read_answer<T: DeserializeOwned>(
    command: Command,
    status: u16,
    bytes: &[u8],
    wait: Option<Duration>,
) -> (Result<T, Refusal>, Consequence) {
    if (300..400).contains(&status) {
        return (Err(Refusal::Fault(TransportFault::Redirected(status))), Consequence::None);
    }
    if status == 200 {
        let read = read_json(bytes).map_err(|error| Refusal::Fault(error.into()));
        return (read, Consequence::None);
    }
    let (refusal, consequence) = read_refusal(command, status, bytes, wait);
    (Err(refusal), consequence)
}

/// Judges the body of an answer with any status but 200.
pub(crate) fn read_refusal(
    command: Command,
    status: u16,
    bytes: &[u8],
    wait: Option<Duration>,
) -> (Refusal, Consequence) {
    match read_json::<ErrorBody>(bytes) {
        Ok(body) => judge_refusal(command, status, body, wait),
        // refused at the door, or broken behind it: the text does not matter
        Err(_) if matches!(status, 418 | 429 | 500..) => {
            judge_refusal(command, status, ErrorBody { code: 0, msg: quote(bytes) }, wait)
        }
        // the venue's firewall: it says nothing of the request, and keeps this address out for a while
        Err(error) if status == 403 => (Refusal::Fault(error.into()), Consequence::Wait { wait, banned: true }),
        Err(error) => (Refusal::Fault(error.into()), Consequence::None),
    }
}

/// Reads the answer of the WebSocket API to a request about an order.
#[must_use]
pub fn read_order_answer(action: &Action, text: &str, sent_at: Timestamp, received_at: Timestamp) -> ReadAnswer {
    match action {
        Action::SubmitPair(_) => ws_answer::<AcknowledgedPair>(action, text, sent_at, received_at),
        Action::Amend { .. } => ws_answer::<AcknowledgedAmendment>(action, text, sent_at, received_at),
        Action::Submit(_) | Action::Cancel { .. } => ws_answer::<AcknowledgedOrder>(action, text, sent_at, received_at),
    }
}

fn ws_answer<T: DeserializeOwned + Into<Acknowledged>>(
    action: &Action,
    text: &str,
    sent_at: Timestamp,
    received_at: Timestamp,
) -> ReadAnswer {
    let read: ApiResponse<T> = match read_json(text.as_bytes()) {
        Ok(read) => read,
        Err(error) => {
            let answer = OrderAnswer::Unknown(error.into());
            return ReadAnswer { answer, usages: Vec::new(), consequence: Consequence::None };
        }
    };
    let usage = |usage: crate::binance::wire::RateLimitUsage| {
        let interval = usage.interval.times(usage.interval_num)?;
        Some(Usage { kind: usage.rate_limit_type, interval, count: usage.count })
    };
    let usages = read.rate_limits.into_iter().filter_map(usage).collect();
    let (answer, consequence) = match (read.status, read.result, read.error) {
        (200, Some(acknowledged), None) => {
            (acknowledge(&acknowledged.into(), action, text.as_bytes(), sent_at, received_at), Consequence::None)
        }
        (status, _, error) => {
            let body = error.unwrap_or_else(|| ErrorBody { code: 0, msg: quote(text.as_bytes()) });
            let (refusal, consequence) = judge_refusal(command(action), status, body, None);
            (refusal.into(), consequence)
        }
    };
    ReadAnswer { answer, usages, consequence }
}

/// Reads the body of a success over HTTP.
pub(crate) fn read_order_body(
    action: &Action,
    bytes: &[u8],
    sent_at: Timestamp,
    received_at: Timestamp,
) -> OrderAnswer {
    let read = match action {
        Action::SubmitPair(_) => read_json::<AcknowledgedPair>(bytes).map(Acknowledged::from),
        Action::Amend { .. } => read_json::<AcknowledgedAmendment>(bytes).map(Acknowledged::from),
        Action::Submit(_) | Action::Cancel { .. } => read_json::<AcknowledgedOrder>(bytes).map(Acknowledged::from),
    };
    match read {
        Ok(acknowledged) => acknowledge(&acknowledged, action, bytes, sent_at, received_at),
        Err(error) => OrderAnswer::Unknown(error.into()),
    }
}

/// What every acknowledgement says: the venue's names of orders by ours, and when it acted.
struct Acknowledged {
    orders: Vec<ListedId>,
    millis: Option<i64>,
}

/// Of an order, or of a cancel.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcknowledgedOrder {
    order_id: u64,
    client_order_id: String,
    #[serde(default)]
    orig_client_order_id: Option<String>,
    #[serde(default)]
    transact_time: Option<i64>,
}

/// Of a pair.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcknowledgedPair {
    orders: [ListedId; 2],
    #[serde(default)]
    transaction_time: Option<i64>,
}

/// Of an order made smaller: how much is left of it is told by the user stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcknowledgedAmendment {
    #[serde(default)]
    transact_time: Option<i64>,
    amended_order: ListedId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedId {
    order_id: u64,
    client_order_id: String,
}

impl From<AcknowledgedOrder> for Acknowledged {
    fn from(one: AcknowledgedOrder) -> Self {
        let client_order_id = one.orig_client_order_id.unwrap_or(one.client_order_id);
        Self { orders: vec![ListedId { order_id: one.order_id, client_order_id }], millis: one.transact_time }
    }
}

impl From<AcknowledgedAmendment> for Acknowledged {
    fn from(one: AcknowledgedAmendment) -> Self {
        Self { orders: vec![one.amended_order], millis: one.transact_time }
    }
}

impl From<AcknowledgedPair> for Acknowledged {
    fn from(pair: AcknowledgedPair) -> Self {
        Self { orders: pair.orders.into(), millis: pair.transaction_time }
    }
}

/// An acknowledgement counts when it names exactly the orders that were asked for.
fn acknowledge(
    acknowledged: &Acknowledged,
    action: &Action,
    bytes: &[u8],
    sent_at: Timestamp,
    received_at: Timestamp,
) -> OrderAnswer {
    let asked: Vec<ClientOrderId> = action.client_ids().collect();
    let adopted = match action {
        Action::Cancel { client_id, venue_id: Some(venue_id), .. } if client_id.is_foreign() => Some(&venue_id.0),
        _ => None,
    };
    let venue_id = |client_id: &ClientOrderId| {
        let is_it = |it: &&ListedId| match adopted {
            Some(venue_id) => it.order_id.to_string() == **venue_id,
            None => ClientOrderId::parse(&it.client_order_id) == Some(*client_id),
        };
        let order_id = acknowledged.orders.iter().find(is_it)?.order_id;
        Some((*client_id, VenueOrderId(order_id.to_string().into_boxed_str())))
    };
    match asked.iter().map(venue_id).collect::<Option<Vec<_>>>() {
        Some(orders) if orders.len() == acknowledged.orders.len() => {
            // it counts whatever its stamp: the time of its receipt stands in for one that is none
            let at = acknowledged.millis.and_then(|millis| moment("transactTime", "", millis).ok());
            OrderAnswer::Ack(Ack { orders, at: at.unwrap_or(received_at), sent_at, received_at })
        }
        _ => {
            let named: Vec<&str> = acknowledged.orders.iter().map(|it| it.client_order_id.as_str()).collect();
            let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
            let why = format!("it names order {}, not {}", named.join(" and "), asked.join(" and "));
            OrderAnswer::Unknown(AnswerError::OtherRequest { why, quote: quote(bytes) }.into())
        }
    }
}
