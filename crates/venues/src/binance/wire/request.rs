//! Parameters of the trading requests, without `apiKey`, `timestamp`, `recvWindow` and `signature`.

use super::words::{NewOrderRespType, OrderSide, OrderType, SelfTradePrevention, TimeInForceWord};
use serde::{Deserialize, Serialize};

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident {
        $($must:ident: $must_type:ty = $must_text:literal,)*
        @ $($may:ident: $may_type:ty = $may_text:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            $(#[serde(rename = $must_text)] pub $must: $must_type,)*
            $(#[serde(rename = $may_text, default, skip_serializing_if = "Option::is_none")]
            pub $may: Option<$may_type>,)*
        }
        impl $name {
            /// Name and value of every parameter that is set, always in this order.
            #[must_use]
            pub fn pairs(&self) -> Vec<(&'static str, String)> {
                let mut pairs = vec![$(($must_text, self.$must.to_string())),*];
                $(if let Some(value) = &self.$may {
                    pairs.push(($may_text, value.to_string()));
                })*
                pairs
            }
        }
    )*};
}

requests! {
    /// `POST /api/v3/order` and `order.place`.
    NewOrder {
        symbol: String = "symbol",
        side: OrderSide = "side",
        order_type: OrderType = "type",
        @
        time_in_force: TimeInForceWord = "timeInForce",
        quantity: String = "quantity",
        quote_order_qty: String = "quoteOrderQty",
        price: String = "price",
        new_client_order_id: String = "newClientOrderId",
        stop_price: String = "stopPrice",
        trailing_delta: String = "trailingDelta",
        iceberg_qty: String = "icebergQty",
        new_order_resp_type: NewOrderRespType = "newOrderRespType",
        self_trade_prevention_mode: SelfTradePrevention = "selfTradePreventionMode",
    }
    /// `DELETE /api/v3/order` and `order.cancel`.
    CancelOrder {
        symbol: String = "symbol",
        @
        order_id: String = "orderId",
        orig_client_order_id: String = "origClientOrderId",
        new_client_order_id: String = "newClientOrderId",
        cancel_restrictions: String = "cancelRestrictions",
    }
    /// `PUT /api/v3/order/amend/keepPriority` and `order.amend.keepPriority`.
    AmendOrder {
        symbol: String = "symbol",
        @
        order_id: String = "orderId",
        orig_client_order_id: String = "origClientOrderId",
        new_client_order_id: String = "newClientOrderId",
        new_qty: String = "newQty",
    }
    /// `GET /api/v3/order` and `order.status`.
    QueryOrder {
        symbol: String = "symbol",
        @
        order_id: String = "orderId",
        orig_client_order_id: String = "origClientOrderId",
    }
    /// `POST /api/v3/orderList/oco` and `orderList.place.oco`.
    NewOco {
        symbol: String = "symbol",
        side: OrderSide = "side",
        quantity: String = "quantity",
        above_type: OrderType = "aboveType",
        below_type: OrderType = "belowType",
        @
        list_client_order_id: String = "listClientOrderId",
        above_client_order_id: String = "aboveClientOrderId",
        above_price: String = "abovePrice",
        above_stop_price: String = "aboveStopPrice",
        above_time_in_force: TimeInForceWord = "aboveTimeInForce",
        below_client_order_id: String = "belowClientOrderId",
        below_price: String = "belowPrice",
        below_stop_price: String = "belowStopPrice",
        below_time_in_force: TimeInForceWord = "belowTimeInForce",
        new_order_resp_type: NewOrderRespType = "newOrderRespType",
        self_trade_prevention_mode: SelfTradePrevention = "selfTradePreventionMode",
    }
}
