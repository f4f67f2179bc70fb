//! Two orders of which one cancels the other, as the venue's own order list: it holds the funds of both once.
//!
//! Source: "New Order List - OCO" in `rest-api.md`.

use super::order::prepare;
use super::{ConvertError, ListingRules, order_request};
use crate::binance::wire::{NewOco, NewOrder, NewOrderRespType, OrderSide, OrderType};
use crate::outcome::Prepared;
use tradewind_domain::{Instrument, Order, Timestamp};

/// The parameters of a pair: a target (a limit order) and a stop of one side and size.
///
/// The venue takes the target as `LIMIT_MAKER` alone. It stands above the market in a sale and below it in a purchase.
/// The list is named after the target, apart from both orders, so that the same pair cannot be open twice.
///
/// # Errors
/// [`ConvertError::Unsupported`] for a pair that Binance spot, or this symbol, does not take.
pub fn oco_request(it: &Instrument, pair: &[Order; 2], rules: Option<&ListingRules>) -> Result<NewOco, ConvertError> {
    let unsupported =
        |why: &str| ConvertError::Unsupported { symbol: it.spec.venue_symbol.clone(), why: why.to_owned() };
    if rules.is_some_and(|rules| !rules.oco) {
        return Err(unsupported("takes no orders of which one cancels the other"));
    }
    if (pair[0].side(), pair[0].quantity()) != (pair[1].side(), pair[1].quantity()) {
        return Err(unsupported("the two orders of a pair have one side and one size"));
    }
    let [one, other] = [order_request(it, &pair[0], rules)?, order_request(it, &pair[1], rules)?];
    let (target, stop) = match (is_stop(&one), is_stop(&other)) {
        (false, true) => (as_maker(one), other),
        (true, false) => (as_maker(other), one),
        _ => return Err(unsupported("a pair is a target and a stop")),
    };
    if target.order_type != OrderType::LimitMaker {
        return Err(unsupported("the target of a pair is a limit order that rests"));
    }
    if rules.is_some_and(|rules| !rules.order_types.contains(&OrderType::LimitMaker)) {
        return Err(unsupported("takes no orders of type LIMIT_MAKER"));
    }
    let list_client_order_id = target.new_client_order_id.as_ref().map(|name| format!("oco-{name}"));
    let (symbol, side, prevention) =
        (target.symbol.clone(), target.side.clone(), target.self_trade_prevention_mode.clone());
    let quantity = it.quantity_text(pair[0].quantity());
    let (above, below) = if side == OrderSide::Sell { (target, stop) } else { (stop, target) };
    Ok(NewOco {
        symbol,
        side,
        quantity,
        above_type: above.order_type,
        below_type: below.order_type,
        list_client_order_id,
        above_client_order_id: above.new_client_order_id,
        above_price: above.price,
        above_stop_price: above.stop_price,
        above_time_in_force: above.time_in_force,
        below_client_order_id: below.new_client_order_id,
        below_price: below.price,
        below_stop_price: below.stop_price,
        below_time_in_force: below.time_in_force,
        new_order_resp_type: Some(NewOrderRespType::Ack),
        self_trade_prevention_mode: prevention,
    })
}

fn is_stop(order: &NewOrder) -> bool {
    matches!(order.order_type, OrderType::StopLoss | OrderType::StopLossLimit)
}

fn as_maker(order: NewOrder) -> NewOrder {
    match order.order_type {
        OrderType::Limit => NewOrder { order_type: OrderType::LimitMaker, time_in_force: None, ..order },
        _ => order,
    }
}

/// A pair, ready to be recorded and signed. `now` is the venue's time.
///
/// # Errors
/// As [`oco_request`].
pub fn prepare_oco(
    it: &Instrument,
    pair: &[Order; 2],
    rules: Option<&ListingRules>,
    now: Timestamp,
    recv_window: i64,
) -> Result<Prepared, ConvertError> {
    oco_request(it, pair, rules).map(|request| prepare(request.pairs(), now.millis(), recv_window))
}
