//! The user data stream, as the WebSocket API carries it.

use super::streams::ServerShutdown;
use super::words::{ExecutionType, OrderSide, OrderStatus, OrderType, SelfTradePrevention, TimeInForceWord};
use serde::{Deserialize, Serialize};

/// `{"subscriptionId": 0, "event": {…}}`. `serverShutdown` belongs to no subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserFrame {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<u64>,
    pub event: UserEvent,
}

/// What a user data stream carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "camelCase")]
pub enum UserEvent {
    ExecutionReport(Box<ExecutionReport>),
    OutboundAccountPosition(AccountPosition),
    BalanceUpdate(BalanceUpdate),
    ListStatus(ListStatus),
    ExternalLockUpdate(ExternalLockUpdate),
    EventStreamTerminated(EventStreamTerminated),
    ServerShutdown(ServerShutdown),
    /// An event that this build does not know.
    #[serde(other)]
    Unknown,
}

/// `executionReport`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionReport {
    #[serde(rename = "E")]
    pub event_time: i64,
    #[serde(rename = "s")]
    pub symbol: String,
    /// Of a cancel: the cancel request's own id; the order's id is then in `orig_client_order_id`.
    #[serde(rename = "c")]
    pub client_order_id: String,
    #[serde(rename = "S")]
    pub side: OrderSide,
    #[serde(rename = "o")]
    pub order_type: OrderType,
    #[serde(rename = "f")]
    pub time_in_force: TimeInForceWord,
    #[serde(rename = "q")]
    pub quantity: String,
    #[serde(rename = "p")]
    pub price: String,
    #[serde(rename = "P")]
    pub stop_price: String,
    #[serde(rename = "F", default)]
    pub iceberg_quantity: String,
    #[serde(rename = "g", default = "no_list")]
    pub order_list_id: i64,
    #[serde(rename = "C", default)]
    pub orig_client_order_id: String,
    #[serde(rename = "x")]
    pub execution_type: ExecutionType,
    #[serde(rename = "X")]
    pub order_status: OrderStatus,
    #[serde(rename = "r")]
    pub reject_reason: String,
    #[serde(rename = "i")]
    pub order_id: u64,
    #[serde(rename = "l")]
    pub last_executed_quantity: String,
    #[serde(rename = "z")]
    pub cumulative_filled_quantity: String,
    #[serde(rename = "L")]
    pub last_executed_price: String,
    #[serde(rename = "n")]
    pub commission: String,
    #[serde(rename = "N")]
    pub commission_asset: Option<String>,
    #[serde(rename = "T")]
    pub transaction_time: i64,
    /// −1 unless this is a trade.
    #[serde(rename = "t")]
    pub trade_id: i64,
    /// Counts the executions of the account; −1 in recordings that lack it.
    #[serde(rename = "I", default = "no_list")]
    pub execution_id: i64,
    #[serde(rename = "w")]
    pub is_on_book: bool,
    #[serde(rename = "m")]
    pub is_maker: bool,
    #[serde(rename = "M", default)]
    pub ignore: bool,
    #[serde(rename = "O")]
    pub order_creation_time: i64,
    #[serde(rename = "Z")]
    pub cumulative_quote_quantity: String,
    #[serde(rename = "Y", default)]
    pub last_quote_quantity: String,
    #[serde(rename = "Q", default)]
    pub quote_order_quantity: String,
    #[serde(rename = "W", default, skip_serializing_if = "Option::is_none")]
    pub working_time: Option<i64>,
    #[serde(rename = "V", default, skip_serializing_if = "Option::is_none")]
    pub self_trade_prevention_mode: Option<SelfTradePrevention>,
    /// Only after self-trade prevention.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub prevented_match_id: Option<u64>,
    /// Only after self-trade prevention.
    #[serde(rename = "A", default, skip_serializing_if = "Option::is_none")]
    pub prevented_quantity: Option<String>,
    /// Only after self-trade prevention.
    #[serde(rename = "B", default, skip_serializing_if = "Option::is_none")]
    pub last_prevented_quantity: Option<String>,
}

const fn no_list() -> i64 {
    -1
}

/// `outboundAccountPosition`: the balances that may have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPosition {
    #[serde(rename = "E")]
    pub event_time: i64,
    #[serde(rename = "u")]
    pub last_account_update: i64,
    #[serde(rename = "B")]
    pub balances: Vec<PositionBalance>,
}

/// One entry of `B`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionBalance {
    #[serde(rename = "a")]
    pub asset: String,
    #[serde(rename = "f")]
    pub free: String,
    #[serde(rename = "l")]
    pub locked: String,
}

/// `balanceUpdate`: a deposit, a withdrawal or a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceUpdate {
    #[serde(rename = "E")]
    pub event_time: i64,
    #[serde(rename = "a")]
    pub asset: String,
    #[serde(rename = "d")]
    pub delta: String,
    #[serde(rename = "T")]
    pub clear_time: i64,
}

/// `externalLockUpdate`: an outside system locked or freed a part of a balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalLockUpdate {
    #[serde(rename = "E")]
    pub event_time: i64,
    #[serde(rename = "a")]
    pub asset: String,
    #[serde(rename = "d")]
    pub delta: String,
    #[serde(rename = "T")]
    pub transaction_time: i64,
}

/// `listStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListStatus {
    #[serde(rename = "E")]
    pub event_time: i64,
    #[serde(rename = "s")]
    pub symbol: String,
    #[serde(rename = "g")]
    pub order_list_id: i64,
    #[serde(rename = "c")]
    pub contingency_type: String,
    #[serde(rename = "l")]
    pub list_status_type: String,
    #[serde(rename = "L")]
    pub list_order_status: String,
    #[serde(rename = "r")]
    pub list_reject_reason: String,
    #[serde(rename = "C")]
    pub list_client_order_id: String,
    #[serde(rename = "T")]
    pub transaction_time: i64,
    #[serde(rename = "O")]
    pub orders: Vec<ListStatusOrder>,
}

/// One entry of `O`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListStatusOrder {
    #[serde(rename = "s")]
    pub symbol: String,
    #[serde(rename = "i")]
    pub order_id: u64,
    #[serde(rename = "c")]
    pub client_order_id: String,
}

/// `eventStreamTerminated`: the subscription is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventStreamTerminated {
    #[serde(rename = "E")]
    pub event_time: i64,
}
