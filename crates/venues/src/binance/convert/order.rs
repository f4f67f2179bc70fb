//! Orders on their way out: the unsigned request, the same bytes every time, with its send fence.

use super::{ConvertError, ListingRules};
use crate::binance::sign::encode;
use crate::binance::wire::{
    AmendOrder, CancelOrder, NewOrder, NewOrderRespType, OrderSide, OrderType, SelfTradePrevention, TimeInForceWord,
};
use crate::outcome::Prepared;
use tradewind_domain::{
    ClientOrderId, Instrument, Order, OrderKind, OrderRequest, Quantity, Side, TimeInForce, Timestamp, VenueOrderId,
};

/// How long a request stays valid, unless configured otherwise.
pub const RECV_WINDOW_MILLIS: i64 = 2_000;

/// The parameters of a new order.
///
/// A market order with a worst price goes as a limit order at that price, immediate or cancel: a market order of the venue
/// takes whatever is there. The acknowledgement is asked for in its short form: fills come from the user stream alone, in order.
/// Two orders of which one cancels the other go together, see [`super::oco_request`].
///
/// # Errors
/// [`ConvertError::Unsupported`] for an order that Binance spot, or this symbol, does not take.
pub fn order_request(it: &Instrument, order: &Order, rules: Option<&ListingRules>) -> Result<NewOrder, ConvertError> {
    let request = order.terms();
    let unsupported = |why: String| ConvertError::Unsupported { symbol: it.spec.venue_symbol.clone(), why };
    if request.reduce_only && order.side() == Side::Buy {
        // a spot account cannot sell short, so a sale always reduces
        return Err(unsupported("spot has no reduce-only buys".to_owned()));
    }
    let order_type = order_type(&request).map_err(|why| unsupported(why.to_owned()))?;
    if let Some(rules) = rules
        && !rules.order_types.contains(&order_type)
    {
        return Err(unsupported(format!("takes no orders of type {order_type}")));
    }
    let time_in_force = match (&order_type, request.time_in_force) {
        (OrderType::Limit | OrderType::StopLossLimit | OrderType::TakeProfitLimit, tif) => Some(tif_word(tif)),
        (OrderType::Market, TimeInForce::Fok) => return Err(unsupported("a market order cannot be FOK".to_owned())),
        (OrderType::Market, TimeInForce::Gtc | TimeInForce::Ioc) => None,
        (OrderType::StopLoss | OrderType::TakeProfit, TimeInForce::Gtc | TimeInForce::Gtd(_) | TimeInForce::Ioc) => {
            None
        }
        (OrderType::LimitMaker, TimeInForce::Gtc | TimeInForce::Gtd(_)) => None,
        (other, tif) => return Err(unsupported(format!("{other} cannot be {tif:?}"))),
    };
    let stp = SelfTradePrevention::ExpireTaker;
    let prevention = rules.filter(|rules| rules.self_trade_prevention.contains(&stp)).map(|_| stp);
    Ok(NewOrder {
        symbol: it.spec.venue_symbol.clone(),
        side: match order.side() {
            Side::Buy => OrderSide::Buy,
            Side::Sell => OrderSide::Sell,
        },
        order_type,
        time_in_force,
        quantity: Some(it.quantity_text(order.quantity())),
        quote_order_qty: None,
        price: request.kind.limit().map(|price| it.price_text(price)),
        new_client_order_id: Some(order.client_id().to_string()),
        stop_price: order.kind().trigger().map(|price| it.price_text(price)),
        trailing_delta: None,
        iceberg_qty: None,
        new_order_resp_type: Some(NewOrderRespType::Ack),
        self_trade_prevention_mode: prevention,
    })
}

fn order_type(request: &OrderRequest) -> Result<OrderType, &'static str> {
    match (request.kind, request.post_only) {
        (OrderKind::Market, _) => Ok(OrderType::Market),
        (OrderKind::Limit { .. }, true) => Ok(OrderType::LimitMaker),
        (OrderKind::Limit { .. }, false) => Ok(OrderType::Limit),
        (OrderKind::Stop { .. }, _) => Ok(OrderType::StopLoss),
        (OrderKind::StopLimit { .. }, true) => Err("a stop-limit order cannot be post-only"),
        (OrderKind::StopLimit { .. }, false) => Ok(OrderType::StopLossLimit),
        (OrderKind::Touched { .. }, _) => Ok(OrderType::TakeProfit),
        (OrderKind::LimitTouched { .. }, true) => Err("a limit-if-touched order cannot be post-only"),
        (OrderKind::LimitTouched { .. }, false) => Ok(OrderType::TakeProfitLimit),
        (OrderKind::Trailing { .. }, _) => Err("trailing stops are kept by the engine"),
    }
}

fn tif_word(tif: TimeInForce) -> TimeInForceWord {
    match tif {
        // the engine cancels it at its date
        TimeInForce::Gtc | TimeInForce::Gtd(_) => TimeInForceWord::Gtc,
        TimeInForce::Ioc => TimeInForceWord::Ioc,
        TimeInForce::Fok => TimeInForceWord::Fok,
    }
}

/// The parameters of a cancel, by our own id: it is known even when the venue's never came.
#[must_use]
pub fn cancel_request(it: &Instrument, client_id: ClientOrderId, venue_id: Option<&VenueOrderId>) -> CancelOrder {
    CancelOrder {
        symbol: it.spec.venue_symbol.clone(),
        // with both, the venue checks that they belong together; an adopted order has another client id there
        order_id: venue_id.map(|id| id.0.to_string()),
        orig_client_order_id: (!client_id.is_foreign()).then(|| client_id.to_string()),
        new_client_order_id: None,
        cancel_restrictions: None,
    }
}

/// A new order, ready to be recorded and signed. `now` is the venue's time.
///
/// # Errors
/// As [`order_request`].
pub fn prepare_order(
    it: &Instrument,
    order: &Order,
    rules: Option<&ListingRules>,
    now: Timestamp,
    recv_window: i64,
) -> Result<Prepared, ConvertError> {
    order_request(it, order, rules).map(|request| prepare(request.pairs(), now.millis(), recv_window))
}

/// A cancel, ready to be recorded and signed. `now` is the venue's time.
#[must_use]
pub fn prepare_cancel(
    it: &Instrument,
    client_id: ClientOrderId,
    venue_id: Option<&VenueOrderId>,
    now: Timestamp,
    recv_window: i64,
) -> Prepared {
    prepare(cancel_request(it, client_id, venue_id).pairs(), now.millis(), recv_window)
}

/// An order made smaller in its place, ready to be recorded and signed. `now` is the venue's time.
///
/// The venue would give the order a new client id, so it is told to keep the one that it has.
#[must_use]
pub fn prepare_amend(
    it: &Instrument,
    client_id: ClientOrderId,
    venue_id: Option<&VenueOrderId>,
    quantity: Quantity,
    now: Timestamp,
    recv_window: i64,
) -> Prepared {
    let request = AmendOrder {
        symbol: it.spec.venue_symbol.clone(),
        order_id: venue_id.map(|id| id.0.to_string()),
        orig_client_order_id: Some(client_id.to_string()),
        new_client_order_id: Some(client_id.to_string()),
        new_qty: Some(it.quantity_text(quantity)),
    };
    prepare(request.pairs(), now.millis(), recv_window)
}

pub(super) fn prepare(mut pairs: Vec<(&'static str, String)>, timestamp: i64, recv_window: i64) -> Prepared {
    pairs.push(("recvWindow", recv_window.to_string()));
    pairs.push(("timestamp", timestamp.to_string()));
    Prepared { body: encode(&pairs), pairs, timestamp, recv_window }
}
