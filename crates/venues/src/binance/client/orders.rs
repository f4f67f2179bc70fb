//! Orders on either path: the last checks, the bytes, and what the answer means.

use super::config::BinanceConfig;
use super::rest::{Failure, Rest};
use crate::answer::AnswerError;
use crate::binance::protocol::{self, OrderAnswer};
use crate::binance::sign::Signer;
use crate::budget::Wait;
use crate::outcome::{Ack, NotSentReason, Prepared, Rejection, TransportFault};
use crate::socket::wall_clock;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tradewind_domain::Timestamp;
use tradewind_gate::{Action, Approved};
use tradewind_journal::Permit;

/// An order, or a cancel, with all that is needed to send it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) permit: Permit<Approved>,
    pub(crate) prepared: Prepared,
}

impl Order {
    pub(crate) fn action(&self) -> &Action {
        self.permit.get().action()
    }
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Answer {
    Ack(Ack),
    Rejected(Rejection),
    NotSent(NotSentReason, Box<Order>),
    Unknown(TransportFault),
}

impl From<OrderAnswer> for Answer {
    fn from(answer: OrderAnswer) -> Self {
        match answer {
            OrderAnswer::Ack(ack) => Self::Ack(ack),
            OrderAnswer::Rejected(rejection) => Self::Rejected(rejection),
            OrderAnswer::Unknown(fault) => Self::Unknown(fault),
        }
    }
}

/// What must hold at the last step before the write. `spare` is how long the write itself may take to begin.
pub(crate) fn last_checks(
    config: &BinanceConfig,
    rest: &Rest,
    order: &Order,
    spare: Duration,
) -> Result<(), NotSentReason> {
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    let action = order.action();
    protocol::check_time(
        protocol::command(action),
        &order.prepared,
        rest.clock.now(),
        nanos(config.most_clock_error),
        nanos(spare),
    )?;
    rest.budgets.take(protocol::endpoint(action), protocol::purpose(action)).map_err(|wait| match wait {
        Wait::Budget(wait) | Wait::Told(wait) => NotSentReason::Budget(wait),
        Wait::Banned(wait) => NotSentReason::Banned(wait),
    })?;
    protocol::check_halt(action, config.halted.load(Ordering::SeqCst))
}

pub(crate) fn ws_text(signer: &Signer, order: &Order, id: i64) -> String {
    protocol::order_text(signer, order.action(), &order.prepared, id)
}

/// Reads the answer to a request of the WebSocket API.
pub(crate) fn ws_answer(rest: &Rest, text: &str, order: &Order, sent_at: Timestamp, received_at: Timestamp) -> Answer {
    let read = protocol::read_order_answer(order.action(), text, sent_at, received_at);
    for usage in &read.usages {
        rest.budgets.used(&usage.kind, usage.interval, usage.count);
    }
    rest.heed(read.consequence);
    doubt_listing(rest, &read.answer);
    read.answer.into()
}

/// Sends over HTTP. The fence must leave room for a connection to be made, since the write comes after it.
pub(crate) async fn send_by_rest(config: &BinanceConfig, rest: &Rest, order: Order) -> Answer {
    let (method, path) = protocol::rest_route(order.action());
    let Some(request) = rest.signed(method, path, order.prepared.body()) else {
        return Answer::NotSent(NotSentReason::NotConnected("there is no key".to_owned()), Box::new(order));
    };
    if let Err(reason) = last_checks(config, rest, &order, config.connect_time) {
        return Answer::NotSent(reason, Box::new(order));
    }
    let sent_at = wall_clock();
    match rest.exchange(request, protocol::command(order.action()), 1 << 20).await {
        Ok(bytes) => {
            let answer = protocol::read_order_body(order.action(), &bytes, sent_at, wall_clock());
            if matches!(&answer, OrderAnswer::Unknown(TransportFault::Answer(AnswerError::OtherRequest { .. }))) {
                rest.mistrust();
            }
            answer.into()
        }
        Err(Failure::NotConnected(why)) => Answer::NotSent(NotSentReason::NotConnected(why), Box::new(order)),
        Err(Failure::Refused(refusal)) => {
            let answer = OrderAnswer::from(refusal);
            doubt_listing(rest, &answer);
            answer.into()
        }
    }
}

/// An order that broke a filter, or that came to a closed market, says that the listing is not as it was.
fn doubt_listing(rest: &Rest, answer: &OrderAnswer) {
    if let OrderAnswer::Rejected(Rejection { venue_code: -1013 | NO_SUCH_SYMBOL, .. }) = answer {
        rest.listing_doubted.notify_one();
    }
}

/// "Invalid symbol."
const NO_SUCH_SYMBOL: i32 = -1121;
