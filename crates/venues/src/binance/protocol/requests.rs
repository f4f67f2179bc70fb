//! Requests about orders on their way out.

use crate::binance::convert::{Instruments, ListingRules, prepare_amend, prepare_cancel, prepare_oco, prepare_order};
use crate::binance::rules::{Command, Endpoint};
use crate::binance::sign::Signer;
use crate::budget::Purpose;
use crate::outcome::{NotSentReason, Prepared};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tradewind_domain::{InstrumentId, Timestamp};
use tradewind_gate::Action;

/// Builds the request for an approved action. `now` is the venue's time, `window` how long it stays valid in
/// milliseconds. The same arguments give the same bytes.
///
/// # Errors
/// [`NotSentReason`] if the venue does not take such an order.
pub fn prepare(
    all: &Instruments,
    rules: &BTreeMap<InstrumentId, ListingRules>,
    action: &Action,
    now: Timestamp,
    window: i64,
) -> Result<Prepared, NotSentReason> {
    let id = action.instrument();
    let it = all.id(id).ok_or(NotSentReason::UnknownInstrument(id.0))?;
    match action {
        Action::Submit(order) => prepare_order(it, order, rules.get(&id), now, window)
            .map_err(|error| NotSentReason::Unsupported(error.to_string())),
        Action::SubmitPair(pair) => prepare_oco(it, pair, rules.get(&id), now, window)
            .map_err(|error| NotSentReason::Unsupported(error.to_string())),
        Action::Cancel { client_id, venue_id, .. } => {
            Ok(prepare_cancel(it, *client_id, venue_id.as_ref(), now, window))
        }
        Action::Amend { client_id, venue_id, quantity, .. } => {
            if rules.get(&id).is_some_and(|rules| !rules.amend) {
                let symbol = &it.spec.venue_symbol;
                return Err(NotSentReason::Unsupported(format!("{symbol} takes no amendments of orders")));
            }
            Ok(prepare_amend(it, *client_id, venue_id.as_ref(), *quantity, now, window))
        }
    }
}

/// What kind of request an action is.
#[must_use]
pub const fn command(action: &Action) -> Command {
    match action {
        Action::Submit(_) | Action::SubmitPair(_) => Command::Submit,
        Action::Cancel { .. } | Action::Amend { .. } => Command::Cancel,
    }
}

/// Which budget an action draws on, and with what weight.
#[must_use]
pub const fn endpoint(action: &Action) -> Endpoint {
    match action {
        Action::Submit(_) => Endpoint::NewOrder,
        Action::SubmitPair(_) => Endpoint::NewOco,
        Action::Cancel { .. } => Endpoint::Cancel,
        Action::Amend { .. } => Endpoint::Amend,
    }
}

/// Which share of the budget an action may use: what can add to a position the least, what takes back all of it.
#[must_use]
pub fn purpose(action: &Action) -> Purpose {
    match action {
        Action::Cancel { .. } | Action::Amend { .. } => Purpose::Vital,
        Action::Submit(_) | Action::SubmitPair(_) => {
            let reduces = action.orders().iter().all(|order| order.request().reduce_only);
            if reduces { Purpose::Ordinary } else { Purpose::Exposure }
        }
    }
}

/// The verb and path of an action over HTTP.
pub(crate) const fn rest_route(action: &Action) -> (reqwest::Method, &'static str) {
    match action {
        Action::Submit(_) => (reqwest::Method::POST, "/api/v3/order"),
        Action::SubmitPair(_) => (reqwest::Method::POST, "/api/v3/orderList/oco"),
        Action::Cancel { .. } => (reqwest::Method::DELETE, "/api/v3/order"),
        Action::Amend { .. } => (reqwest::Method::PUT, "/api/v3/order/amend/keepPriority"),
    }
}

/// The signed frame of the WebSocket API that carries an action out under the number `id`.
#[must_use]
pub fn order_text(signer: &Signer, action: &Action, prepared: &Prepared, id: i64) -> String {
    let method = match action {
        Action::Submit(_) => "order.place",
        Action::SubmitPair(_) => "orderList.place.oco",
        Action::Cancel { .. } => "order.cancel",
        Action::Amend { .. } => "order.amend.keepPriority",
    };
    let mut params = prepared.pairs.clone();
    params.push(("apiKey", signer.key().expose().to_owned()));
    signed_frame(signer, id, method, params)
}

/// The signed frame that subscribes to the account's events. `now` is the venue's time, `window` in milliseconds.
#[must_use]
pub fn subscribe_text(signer: &Signer, now: Timestamp, window: u128, id: i64) -> String {
    let params = vec![
        ("apiKey", signer.key().expose().to_owned()),
        ("recvWindow", window.to_string()),
        ("timestamp", now.millis().to_string()),
    ];
    signed_frame(signer, id, "userDataStream.subscribe.signature", params)
}

/// The text of a signed request of the WebSocket API under the number `id`. `params` lack the signature alone.
#[must_use]
pub fn signed_frame(signer: &Signer, id: i64, method: &str, mut params: Vec<(&'static str, String)>) -> String {
    let signature = signer.sign_ws(&params);
    params.push(("signature", signature));
    let value = |(name, text): (&'static str, String)| {
        let number = matches!(name, "timestamp" | "recvWindow").then(|| text.parse::<i64>().ok()).flatten();
        (name.to_owned(), number.map_or(Value::String(text), Value::from))
    };
    let params: Map<String, Value> = params.into_iter().map(value).collect();
    serde_json::json!({ "id": id, "method": method, "params": params }).to_string()
}

/// Whether a request may still leave by the venue's `clock` (its time and by how much it may be wrong, in nanoseconds).
/// `spare` is how long the write itself may take to begin.
///
/// # Errors
/// [`NotSentReason::ClockUncertain`] for a new order while the clock is known no better than `most_error`,
/// [`NotSentReason::FenceClosed`] once the venue would refuse it as too old.
pub fn check_time(
    command: Command,
    prepared: &Prepared,
    clock: Option<(Timestamp, i64)>,
    most_error: i64,
    spare: i64,
) -> Result<(), NotSentReason> {
    let (now, error) = clock.unwrap_or((Timestamp::default(), i64::MAX));
    if command == Command::Submit && error > most_error {
        let (error_millis, most_millis) = (error / 1_000_000, most_error / 1_000_000);
        return Err(NotSentReason::ClockUncertain { error_millis, most_millis });
    }
    let fence = prepared.fence();
    if now.plus_nanos(spare) > fence {
        return Err(NotSentReason::FenceClosed { fence, now });
    }
    Ok(())
}

/// Whether a halt stops an action: the gate lets nothing but an operator's reduce-only order pass one.
///
/// # Errors
/// [`NotSentReason::Halted`].
pub fn check_halt(action: &Action, halted: bool) -> Result<(), NotSentReason> {
    let adds_exposure = action.orders().iter().any(|order| !order.request().reduce_only);
    if adds_exposure && halted { Err(NotSentReason::Halted) } else { Ok(()) }
}
