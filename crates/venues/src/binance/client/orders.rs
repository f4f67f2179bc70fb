//! Orders on either path: the last checks, the bytes, and what the answer means.

use super::config::BinanceConfig;
use super::rest::{Failure, Refusal, Rest, refusal};
use crate::answer::{AnswerError, quote, read_json};
use crate::binance::rules::{Command, Endpoint};
use crate::binance::sign::Signer;
use crate::binance::wire::{ApiResponse, ErrorBody, RateLimitInterval};
use crate::budget::{Purpose, Wait};
use crate::outcome::{Ack, NotSentReason, Prepared, Rejection, TransportFault};
use crate::socket::wall_clock;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tradewind_domain::{ClientOrderId, Timestamp, VenueOrderId};
use tradewind_gate::{Action, Approved};
use tradewind_journal::Permit;

/// An order, or a cancel, with all that is needed to send it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) permit: Permit<Approved>,
    pub(crate) prepared: Prepared,
}

impl Order {
    fn command(&self) -> Command {
        match self.permit.get().action() {
            Action::Submit(_) | Action::SubmitPair(_) => Command::Submit,
            Action::Cancel { .. } => Command::Cancel,
        }
    }
    /// Whether a halt stops it: the gate lets nothing but an operator's reduce-only order pass a halt.
    fn adds_exposure(&self) -> bool {
        self.permit.get().action().orders().iter().any(|order| !order.request().reduce_only)
    }
    fn is_pair(&self) -> bool {
        matches!(self.permit.get().action(), Action::SubmitPair(_))
    }
    fn endpoint(&self) -> Endpoint {
        match self.permit.get().action() {
            Action::Submit(_) => Endpoint::NewOrder,
            Action::SubmitPair(_) => Endpoint::NewOco,
            Action::Cancel { .. } => Endpoint::Cancel,
        }
    }
    fn method(&self) -> &'static str {
        match self.permit.get().action() {
            Action::Submit(_) => "order.place",
            Action::SubmitPair(_) => "orderList.place.oco",
            Action::Cancel { .. } => "order.cancel",
        }
    }
    fn route(&self) -> (Method, &'static str) {
        match self.permit.get().action() {
            Action::Submit(_) => (Method::POST, "/api/v3/order"),
            Action::SubmitPair(_) => (Method::POST, "/api/v3/orderList/oco"),
            Action::Cancel { .. } => (Method::DELETE, "/api/v3/order"),
        }
    }
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Answer {
    Ack(Ack),
    Rejected(Rejection),
    NotSent(NotSentReason, Order),
    Unknown(TransportFault),
}

/// What must hold at the last step before the write. `spare` is how long the write itself may take to begin.
pub(crate) fn last_checks(
    config: &BinanceConfig,
    rest: &Rest,
    order: &Order,
    spare: Duration,
) -> Result<(), NotSentReason> {
    let submits = order.command() == Command::Submit;
    let most = i64::try_from(config.most_clock_error.as_nanos()).unwrap_or(i64::MAX);
    let (now, error) = rest.clock.now().unwrap_or((Timestamp::default(), i64::MAX));
    if submits && error > most {
        let (error_millis, most_millis) = (error / 1_000_000, most / 1_000_000);
        return Err(NotSentReason::ClockUncertain { error_millis, most_millis });
    }
    let fence = order.prepared.fence();
    let spare = i64::try_from(spare.as_nanos()).unwrap_or(i64::MAX);
    if now.plus_nanos(spare) > fence {
        return Err(NotSentReason::FenceClosed { fence, now });
    }
    let purpose = if submits { Purpose::Ordinary } else { Purpose::Vital };
    rest.budgets.take(order.endpoint(), purpose).map_err(|wait| match wait {
        Wait::Budget(wait) | Wait::Told(wait) => NotSentReason::Budget(wait),
        Wait::Banned(wait) => NotSentReason::Banned(wait),
    })?;
    if order.adds_exposure() && config.halted.load(Ordering::SeqCst) {
        return Err(NotSentReason::Halted);
    }
    Ok(())
}

/// The text of a signed request of the WebSocket API.
pub(crate) fn ws_request(signer: &Signer, id: i64, method: &str, mut params: Vec<(&'static str, String)>) -> String {
    let signature = signer.sign_ws(&params);
    params.push(("signature", signature));
    let value = |(name, text): (&'static str, String)| {
        let number = matches!(name, "timestamp" | "recvWindow").then(|| text.parse::<i64>().ok()).flatten();
        (name.to_owned(), number.map_or(Value::String(text), Value::from))
    };
    let params: Map<String, Value> = params.into_iter().map(value).collect();
    serde_json::json!({ "id": id, "method": method, "params": params }).to_string()
}

pub(crate) fn ws_text(signer: &Signer, order: &Order, id: i64) -> String {
    let mut params = order.prepared.pairs.clone();
    params.push(("apiKey", signer.key().expose().to_owned()));
    ws_request(signer, id, order.method(), params)
}

/// What every acknowledgement says: the venue's names of orders by ours, and when it acted.
struct Acknowledged {
    orders: Vec<ListedId>,
    millis: i64,
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
    transact_time: i64,
}

/// Of a pair.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcknowledgedPair {
    orders: [ListedId; 2],
    transaction_time: i64,
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

impl From<AcknowledgedPair> for Acknowledged {
    fn from(pair: AcknowledgedPair) -> Self {
        Self { orders: pair.orders.into(), millis: pair.transaction_time }
    }
}

/// An acknowledgement counts when it names exactly the orders that were asked for.
fn acknowledge(
    acknowledged: &Acknowledged,
    order: &Order,
    bytes: &[u8],
    sent_at: Timestamp,
    received_at: Timestamp,
) -> Answer {
    let asked: Vec<ClientOrderId> = order.permit.get().action().client_ids().collect();
    let venue_id = |client_id: &ClientOrderId| {
        let is_it = |it: &&ListedId| ClientOrderId::parse(&it.client_order_id) == Some(*client_id);
        let order_id = acknowledged.orders.iter().find(is_it)?.order_id;
        Some((*client_id, VenueOrderId(order_id.to_string().into_boxed_str())))
    };
    match asked.iter().map(venue_id).collect::<Option<Vec<_>>>() {
        Some(orders) if orders.len() == acknowledged.orders.len() => {
            Answer::Ack(Ack { orders, at: Timestamp::from_millis(acknowledged.millis), sent_at, received_at })
        }
        _ => {
            let named: Vec<&str> = acknowledged.orders.iter().map(|it| it.client_order_id.as_str()).collect();
            let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
            let why = format!("it names order {}, not {}", named.join(" and "), asked.join(" and "));
            Answer::Unknown(AnswerError::OtherShape { why, quote: quote(bytes) }.into())
        }
    }
}

/// Reads the answer to a request of the WebSocket API.
pub(crate) fn ws_answer(rest: &Rest, text: &str, order: &Order, sent_at: Timestamp, received_at: Timestamp) -> Answer {
    if order.is_pair() {
        ws_answer_of::<AcknowledgedPair>(rest, text, order, sent_at, received_at)
    } else {
        ws_answer_of::<AcknowledgedOrder>(rest, text, order, sent_at, received_at)
    }
}

fn ws_answer_of<T: DeserializeOwned + Into<Acknowledged>>(
    rest: &Rest,
    text: &str,
    order: &Order,
    sent_at: Timestamp,
    received_at: Timestamp,
) -> Answer {
    let answer: ApiResponse<T> = match read_json(text.as_bytes()) {
        Ok(answer) => answer,
        Err(error) => return Answer::Unknown(error.into()),
    };
    for usage in &answer.rate_limits {
        let seconds = RateLimitInterval::seconds(&usage.interval).unwrap_or(0) * usage.interval_num;
        rest.budgets.used(&usage.rate_limit_type, Duration::from_secs(seconds.into()), usage.count);
    }
    match (answer.status, answer.result, answer.error) {
        (200, Some(acknowledged), None) => {
            acknowledge(&acknowledged.into(), order, text.as_bytes(), sent_at, received_at)
        }
        (status, _, Some(body)) => refused(refusal(&rest.budgets, &rest.clock, order.command(), status, body, None)),
        (status, ..) => {
            let body = ErrorBody { code: 0, msg: quote(text.as_bytes()) };
            refused(refusal(&rest.budgets, &rest.clock, order.command(), status, body, None))
        }
    }
}

fn refused(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Rejected(rejection) => Answer::Rejected(rejection),
        Refusal::NotFound { code, text } => Answer::Unknown(TransportFault::UnlistedCode { status: 400, code, text }),
        Refusal::Fault(fault) => Answer::Unknown(fault),
    }
}

/// Sends over HTTP. The fence must leave room for a connection to be made, since the write comes after it.
pub(crate) async fn send_by_rest(config: &BinanceConfig, rest: &Rest, order: Order) -> Answer {
    let (method, path) = order.route();
    let Some(request) = rest.signed(method, path, order.prepared.body()) else {
        return Answer::NotSent(NotSentReason::NotConnected("there is no key".to_owned()), order);
    };
    if let Err(reason) = last_checks(config, rest, &order, config.connect_time) {
        return Answer::NotSent(reason, order);
    }
    let sent_at = wall_clock();
    match rest.exchange(request, order.command(), 1 << 20).await {
        Ok(bytes) => {
            let read = if order.is_pair() {
                read_json::<AcknowledgedPair>(&bytes).map(Acknowledged::from)
            } else {
                read_json::<AcknowledgedOrder>(&bytes).map(Acknowledged::from)
            };
            match read {
                Ok(acknowledged) => acknowledge(&acknowledged, &order, &bytes, sent_at, wall_clock()),
                Err(error) => Answer::Unknown(error.into()),
            }
        }
        Err(Failure::NotConnected(why)) => Answer::NotSent(NotSentReason::NotConnected(why), order),
        Err(Failure::Refused(refusal)) => refused(refusal),
    }
}
