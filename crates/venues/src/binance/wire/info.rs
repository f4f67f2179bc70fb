//! General endpoints: time, exchange information, errors.

use super::words::{OrderType, RateLimitInterval, RateLimitType, SelfTradePrevention, SymbolStatus};
use serde::{Deserialize, Serialize};

/// The body of every refusal: `{"code": -1121, "msg": "Invalid symbol."}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    pub code: i32,
    pub msg: String,
}

/// `GET /api/v3/time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerTime {
    pub server_time: i64,
}

/// `GET /api/v3/exchangeInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeInfo {
    pub timezone: String,
    pub server_time: i64,
    pub rate_limits: Vec<RateLimit>,
    #[serde(default)]
    pub exchange_filters: Vec<Filter>,
    pub symbols: Vec<SymbolInfo>,
}

/// One limit of `rateLimits`: at most `limit` per `interval_num` × `interval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    pub rate_limit_type: RateLimitType,
    pub interval: RateLimitInterval,
    pub interval_num: u32,
    pub limit: u64,
}

/// One entry of `GET /api/v3/rateLimit/order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnfilledOrderCount {
    pub rate_limit_type: RateLimitType,
    pub interval: RateLimitInterval,
    pub interval_num: u32,
    pub limit: u64,
    pub count: u64,
}

/// One symbol of `exchangeInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SymbolInfo {
    pub symbol: String,
    pub status: SymbolStatus,
    pub base_asset: String,
    pub base_asset_precision: u8,
    pub quote_asset: String,
    pub quote_precision: u8,
    pub quote_asset_precision: u8,
    #[serde(default)]
    pub base_commission_precision: u8,
    #[serde(default)]
    pub quote_commission_precision: u8,
    pub order_types: Vec<OrderType>,
    #[serde(default)]
    pub iceberg_allowed: bool,
    #[serde(default)]
    pub oco_allowed: bool,
    #[serde(default)]
    pub oto_allowed: bool,
    #[serde(default)]
    pub opo_allowed: bool,
    #[serde(default)]
    pub quote_order_qty_market_allowed: bool,
    #[serde(default)]
    pub allow_trailing_stop: bool,
    #[serde(default)]
    pub cancel_replace_allowed: bool,
    #[serde(default)]
    pub amend_allowed: bool,
    #[serde(default)]
    pub peg_instructions_allowed: bool,
    #[serde(default)]
    pub is_spot_trading_allowed: bool,
    #[serde(default)]
    pub is_margin_trading_allowed: bool,
    pub filters: Vec<Filter>,
    #[serde(default)]
    pub permissions: Vec<String>,
    #[serde(default)]
    pub permission_sets: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_self_trade_prevention_mode: Option<SelfTradePrevention>,
    #[serde(default)]
    pub allowed_self_trade_prevention_modes: Vec<SelfTradePrevention>,
}

/// A rule that an order must pass; see `filters.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "filterType", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum Filter {
    PriceFilter {
        min_price: String,
        max_price: String,
        tick_size: String,
    },
    PercentPrice {
        multiplier_up: String,
        multiplier_down: String,
        avg_price_mins: u32,
    },
    PercentPriceBySide {
        bid_multiplier_up: String,
        bid_multiplier_down: String,
        ask_multiplier_up: String,
        ask_multiplier_down: String,
        avg_price_mins: u32,
    },
    LotSize {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    MarketLotSize {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    MinNotional {
        min_notional: String,
        apply_to_market: bool,
        avg_price_mins: u32,
    },
    Notional {
        min_notional: String,
        apply_min_to_market: bool,
        max_notional: String,
        apply_max_to_market: bool,
        avg_price_mins: u32,
    },
    IcebergParts {
        limit: u32,
    },
    MaxNumOrders {
        max_num_orders: u32,
    },
    MaxNumAlgoOrders {
        max_num_algo_orders: u32,
    },
    MaxNumIcebergOrders {
        max_num_iceberg_orders: u32,
    },
    MaxNumOrderLists {
        max_num_order_lists: u32,
    },
    MaxNumOrderAmends {
        max_num_order_amends: u32,
    },
    MaxPosition {
        max_position: String,
    },
    TrailingDelta {
        min_trailing_above_delta: u32,
        max_trailing_above_delta: u32,
        min_trailing_below_delta: u32,
        max_trailing_below_delta: u32,
    },
    ExchangeMaxNumOrders {
        max_num_orders: u32,
    },
    ExchangeMaxNumAlgoOrders {
        max_num_algo_orders: u32,
    },
    ExchangeMaxNumIcebergOrders {
        max_num_iceberg_orders: u32,
    },
    ExchangeMaxNumOrderLists {
        max_num_order_lists: u32,
    },
    /// A filter that this build does not know.
    #[serde(other)]
    Unknown,
}
