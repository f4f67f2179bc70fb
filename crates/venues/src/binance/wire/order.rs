//! What the trading endpoints answer.

use super::words::{OrderSide, OrderStatus, OrderType, SelfTradePrevention, TimeInForceWord};
use serde::{Deserialize, Serialize};

/// `POST /api/v3/order`: the first five fields are the ACK form, RESULT adds all but `fills`, FULL adds `fills`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrderResponse {
    pub symbol: String,
    pub order_id: u64,
    /// −1 unless the order belongs to a list.
    pub order_list_id: i64,
    pub client_order_id: String,
    pub transact_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_qty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executed_qty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_quote_order_qty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cummulative_quote_qty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OrderStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_in_force: Option<TimeInForceWord>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub order_type: Option<OrderType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<OrderSide>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_price: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iceberg_qty: Option<String>,
    /// −1 while the order is not on the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_trade_prevention_mode: Option<SelfTradePrevention>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevented_quantity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevented_matches: Option<Vec<PreventedMatch>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fills: Option<Vec<OrderFill>>,
}

/// One entry of `fills`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderFill {
    pub price: String,
    pub qty: String,
    pub commission: String,
    pub commission_asset: String,
    pub trade_id: u64,
}

/// One entry of `preventedMatches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreventedMatch {
    pub prevented_match_id: u64,
    pub maker_order_id: u64,
    pub price: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker_prevented_quantity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker_prevented_quantity: Option<String>,
}

/// `GET /api/v3/order`, `openOrders` and `allOrders`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderReport {
    pub symbol: String,
    pub order_id: u64,
    #[serde(default = "no_list")]
    pub order_list_id: i64,
    pub client_order_id: String,
    pub price: String,
    pub orig_qty: String,
    pub executed_qty: String,
    pub cummulative_quote_qty: String,
    pub status: OrderStatus,
    pub time_in_force: TimeInForceWord,
    #[serde(rename = "type")]
    pub order_type: OrderType,
    pub side: OrderSide,
    #[serde(default)]
    pub stop_price: String,
    /// In basis points; of trailing stops alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailing_delta: Option<i64>,
    #[serde(default)]
    pub iceberg_qty: String,
    pub time: i64,
    pub update_time: i64,
    pub is_working: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_time: Option<i64>,
    #[serde(default)]
    pub orig_quote_order_qty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_trade_prevention_mode: Option<SelfTradePrevention>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevented_match_id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevented_quantity: Option<String>,
}

const fn no_list() -> i64 {
    -1
}

/// `DELETE /api/v3/order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelResponse {
    pub symbol: String,
    /// The cancelled order's own client id.
    pub orig_client_order_id: String,
    pub order_id: u64,
    #[serde(default = "no_list")]
    pub order_list_id: i64,
    /// The client id of the cancel request.
    pub client_order_id: String,
    #[serde(default)]
    pub transact_time: i64,
    pub price: String,
    pub orig_qty: String,
    pub executed_qty: String,
    #[serde(default)]
    pub orig_quote_order_qty: String,
    pub cummulative_quote_qty: String,
    pub status: OrderStatus,
    pub time_in_force: TimeInForceWord,
    #[serde(rename = "type")]
    pub order_type: OrderType,
    pub side: OrderSide,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_price: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_trade_prevention_mode: Option<SelfTradePrevention>,
}

/// One entry of `DELETE /api/v3/openOrders`: an order, or a whole list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CancelledItem {
    Order(Box<CancelResponse>),
    List(Box<OrderList>),
}

/// An order's names inside a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedOrder {
    pub symbol: String,
    pub order_id: u64,
    pub client_order_id: String,
}

/// `POST /api/v3/orderList/oco`, `DELETE`, `GET /api/v3/orderList` and `openOrderList`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderList {
    pub order_list_id: i64,
    pub contingency_type: String,
    pub list_status_type: String,
    pub list_order_status: String,
    pub list_client_order_id: String,
    pub transaction_time: i64,
    pub symbol: String,
    pub orders: Vec<ListedOrder>,
    /// Missing from queries. A cancel's reports carry `origClientOrderId` too, which is ignored here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_reports: Option<Vec<NewOrderResponse>>,
}
