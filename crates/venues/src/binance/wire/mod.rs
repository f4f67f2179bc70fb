//! Binance spot's own words, field by field as its documentation names them, in both directions.
//!
//! Decimals stay text and times stay integers as sent: `convert` gives them meaning. Unknown fields are
//! ignored, unknown words of an enumeration are kept as text, and unknown filters are tolerated, so that the
//! venue may add to its protocol without breaking us.
//!
//! Source: `rest-api.md`, `web-socket-api.md`, `web-socket-streams.md`, `user-data-stream.md`, `filters.md`
//! and `enums.md` of the repository binance/binance-spot-api-docs.
#![allow(missing_docs, reason = "a field is named as the venue's documentation names it, which is its contract")]

mod account;
mod info;
mod market;
mod order;
mod request;
mod streams;
mod user;
mod words;
mod ws_api;

pub use account::{Account, AccountTrade, Balance, CommissionRates, KeyRights};
pub use info::{ErrorBody, ExchangeInfo, Filter, RateLimit, ServerTime, SymbolInfo, UnfilledOrderCount};
pub use market::{
    AggTrade, AveragePrice, BookTicker, Depth, Kline, Level, PriceTicker, RecentTrade, Ticker24h, TickerMini,
};
pub use order::{
    CancelResponse, CancelledItem, ListedOrder, NewOrderResponse, OrderFill, OrderList, OrderReport, PreventedMatch,
};
pub use request::{AmendOrder, CancelOrder, NewOco, NewOrder, QueryOrder};
pub use streams::{
    AggTradeEvent, BookTickerEvent, Combined, DepthEvent, KlineBody, KlineEvent, MarketEvent, PartialDepth,
    ServerShutdown, StreamRequest, StreamResponse, TickerEvent, TradeEvent,
};
pub use user::{
    AccountPosition, BalanceUpdate, EventStreamTerminated, ExecutionReport, ExternalLockUpdate, ListStatus,
    ListStatusOrder, PositionBalance, UserEvent, UserFrame,
};
pub use words::{
    ExecutionType, NewOrderRespType, OrderSide, OrderStatus, OrderType, RateLimitInterval, RateLimitType,
    SelfTradePrevention, SymbolStatus, TimeInForceWord,
};
pub use ws_api::{ApiRequest, ApiResponse, RateLimitUsage, RequestId, SessionStatus, Subscribed};
