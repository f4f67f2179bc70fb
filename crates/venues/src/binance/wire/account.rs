//! Account endpoints.

use serde::{Deserialize, Serialize};

/// `GET /api/v3/account`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub maker_commission: i64,
    pub taker_commission: i64,
    pub buyer_commission: i64,
    pub seller_commission: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission_rates: Option<CommissionRates>,
    pub can_trade: bool,
    pub can_withdraw: bool,
    pub can_deposit: bool,
    #[serde(default)]
    pub brokered: bool,
    #[serde(default)]
    pub require_self_trade_prevention: bool,
    #[serde(default)]
    pub prevent_sor: bool,
    pub update_time: i64,
    pub account_type: String,
    pub balances: Vec<Balance>,
    #[serde(default)]
    pub permissions: Vec<String>,
    #[serde(default)]
    pub uid: u64,
}

/// `commissionRates`: fractions as text, so `0.00100000` is 10 basis points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRates {
    pub maker: String,
    pub taker: String,
    pub buyer: String,
    pub seller: String,
}

/// One entry of `balances`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub asset: String,
    pub free: String,
    pub locked: String,
}

/// One entry of `GET /api/v3/myTrades`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountTrade {
    pub symbol: String,
    pub id: u64,
    pub order_id: u64,
    #[serde(default = "no_list")]
    pub order_list_id: i64,
    pub price: String,
    pub qty: String,
    pub quote_qty: String,
    pub commission: String,
    pub commission_asset: String,
    pub time: i64,
    pub is_buyer: bool,
    pub is_maker: bool,
    pub is_best_match: bool,
}

const fn no_list() -> i64 {
    -1
}

/// Answer of `GET /sapi/v1/account/apiRestrictions`, as far as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRights {
    pub enable_withdrawals: bool,
}
