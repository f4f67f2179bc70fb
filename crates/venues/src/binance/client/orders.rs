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
            Action::Submit(_) => Command::Submit,
            Action::Cancel { .. } => Command::Cancel,
        }
    }
    /// Whether a halt stops it: the gate lets nothing but an operator's reduce-only order pass a halt.
    fn adds_exposure(&self) -> bool {
        matches!(self.permit.get().action(), Action::Submit(order) if !order.request().reduce_only)
    }
    fn client_id(&self) -> ClientOrderId {
        match self.permit.get().action() {
            Action::Submit(order) => order.client_id(),
            Action::Cancel { client_id, .. } => *client_id,
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
    let (endpoint, purpose) =
        if submits { (Endpoint::NewOrder, Purpose::Ordinary) } else { (Endpoint::Cancel, Purpose::Vital) };
    rest.budgets.take(endpoint, purpose).map_err(|wait| match wait {
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
    let method = match order.command() {
        Command::Submit => "order.place",
        Command::Cancel | Command::Query => "order.cancel",
    };
    let mut params = order.prepared.pairs.clone();
    params.push(("apiKey", signer.key().expose().to_owned()));
    ws_request(signer, id, method, params)
}

/// What the acknowledgements of an order and of a cancel have in common.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Acknowledged {
    order_id: u64,
    client_order_id: String,
    #[serde(default)]
    orig_client_order_id: Option<String>,
    #[serde(default)]
    transact_time: i64,
}

fn acknowledge(
    acknowledged: &Acknowledged,
    order: &Order,
    bytes: &[u8],
    sent_at: Timestamp,
    received_at: Timestamp,
) -> Answer {
    let client_id = order.client_id();
    let name = acknowledged.orig_client_order_id.as_deref().unwrap_or(&acknowledged.client_order_id);
    if ClientOrderId::parse(name) != Some(client_id) {
        let why = format!("it names order {name}, not {client_id}");
        return Answer::Unknown(AnswerError::OtherShape { why, quote: quote(bytes) }.into());
    }
    let venue_id = VenueOrderId(acknowledged.order_id.to_string().into_boxed_str());
    Answer::Ack(Ack {
        client_id,
        venue_id,
        at: Timestamp::from_millis(acknowledged.transact_time),
        sent_at,
        received_at,
    })
}

/// Reads the answer to a request of the WebSocket API.
pub(crate) fn ws_answer(rest: &Rest, text: &str, order: &Order, sent_at: Timestamp, received_at: Timestamp) -> Answer {
    let answer: ApiResponse<Acknowledged> = match read_json(text.as_bytes()) {
        Ok(answer) => answer,
        Err(error) => return Answer::Unknown(error.into()),
    };
    for usage in &answer.rate_limits {
        let seconds = RateLimitInterval::seconds(&usage.interval).unwrap_or(0) * usage.interval_num;
        rest.budgets.used(&usage.rate_limit_type, Duration::from_secs(seconds.into()), usage.count);
    }
    match (answer.status, answer.result, answer.error) {
        (200, Some(acknowledged), None) => acknowledge(&acknowledged, order, text.as_bytes(), sent_at, received_at),
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
    let method = match order.command() {
        Command::Submit => Method::POST,
        Command::Cancel | Command::Query => Method::DELETE,
    };
    let Some(request) = rest.signed(method, "/api/v3/order", order.prepared.body()) else {
        return Answer::NotSent(NotSentReason::NotConnected("there is no key".to_owned()), order);
    };
    if let Err(reason) = last_checks(config, rest, &order, config.connect_time) {
        return Answer::NotSent(reason, order);
    }
    let sent_at = wall_clock();
    match rest.exchange(request, order.command(), 1 << 20).await {
        Ok(bytes) => match read_json::<Acknowledged>(&bytes) {
            Ok(acknowledged) => acknowledge(&acknowledged, &order, &bytes, sent_at, wall_clock()),
            Err(error) => Answer::Unknown(error.into()),
        },
        Err(Failure::NotConnected(why)) => Answer::NotSent(NotSentReason::NotConnected(why), order),
        Err(Failure::Refused(refusal)) => refused(refusal),
    }
}
