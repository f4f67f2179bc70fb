//! Every call of the protocol in one table: its REST route, its WebSocket method, who may call it, what it weighs.
//!
//! Source of the weights: `rest-api.md` and `web-socket-api.md` of the venue's documentation.

use super::answer::{Answer, Refusal};
use super::params::Params;
use super::{account_calls, info, market_calls, order_calls};
use crate::world::World;
use serde_json::json;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// Anybody.
    Open,
    /// With a signature.
    Signed,
    /// With a signature and the right to trade.
    Trade,
}

/// One call of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Ping,
    Time,
    ExchangeInfo,
    Depth,
    Trades,
    AggregateTrades,
    Klines,
    AveragePrice,
    Ticker24h,
    TickerPrice,
    TickerBook,
    Place,
    TestPlace,
    Query,
    Cancel,
    CancelReplace,
    Amend,
    OpenOrders,
    CancelAll,
    AllOrders,
    PlaceList,
    PlaceOldList,
    QueryList,
    CancelList,
    OpenLists,
    AllLists,
    Account,
    MyTrades,
    PreventedMatches,
    OrderRate,
    Commission,
    Coins,
    KeyRights,
    NoPairs,
    NoFutures,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) call: Call,
    pub(crate) security: Security,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The name in the WebSocket API; empty if it has none.
    pub(crate) ws: &'static str,
    weight: u32,
}

const fn route(
    call: Call,
    security: Security,
    method: &'static str,
    path: &'static str,
    ws: &'static str,
    weight: u32,
) -> Route {
    Route { call, security, method, path, ws, weight }
}

const ROUTES: &[Route] = &[
    route(Call::Ping, Security::Open, "GET", "/api/v3/ping", "ping", 1),
    route(Call::Time, Security::Open, "GET", "/api/v3/time", "time", 1),
    route(Call::ExchangeInfo, Security::Open, "GET", "/api/v3/exchangeInfo", "exchangeInfo", 20),
    route(Call::Depth, Security::Open, "GET", "/api/v3/depth", "depth", 5),
    route(Call::Trades, Security::Open, "GET", "/api/v3/trades", "trades.recent", 25),
    route(Call::Trades, Security::Open, "GET", "/api/v3/historicalTrades", "trades.historical", 25),
    route(Call::AggregateTrades, Security::Open, "GET", "/api/v3/aggTrades", "trades.aggregate", 4),
    route(Call::Klines, Security::Open, "GET", "/api/v3/klines", "klines", 2),
    route(Call::Klines, Security::Open, "GET", "/api/v3/uiKlines", "uiKlines", 2),
    route(Call::AveragePrice, Security::Open, "GET", "/api/v3/avgPrice", "avgPrice", 2),
    route(Call::Ticker24h, Security::Open, "GET", "/api/v3/ticker/24hr", "ticker.24hr", 2),
    route(Call::TickerPrice, Security::Open, "GET", "/api/v3/ticker/price", "ticker.price", 2),
    route(Call::TickerBook, Security::Open, "GET", "/api/v3/ticker/bookTicker", "ticker.book", 2),
    route(Call::Place, Security::Trade, "POST", "/api/v3/order", "order.place", 1),
    route(Call::TestPlace, Security::Trade, "POST", "/api/v3/order/test", "order.test", 1),
    route(Call::Query, Security::Signed, "GET", "/api/v3/order", "order.status", 4),
    route(Call::Cancel, Security::Trade, "DELETE", "/api/v3/order", "order.cancel", 1),
    route(Call::CancelReplace, Security::Trade, "POST", "/api/v3/order/cancelReplace", "order.cancelReplace", 1),
    route(Call::Amend, Security::Trade, "PUT", "/api/v3/order/amend/keepPriority", "order.amend.keepPriority", 4),
    route(Call::OpenOrders, Security::Signed, "GET", "/api/v3/openOrders", "openOrders.status", 6),
    route(Call::CancelAll, Security::Trade, "DELETE", "/api/v3/openOrders", "openOrders.cancelAll", 1),
    route(Call::AllOrders, Security::Signed, "GET", "/api/v3/allOrders", "allOrders", 20),
    route(Call::PlaceList, Security::Trade, "POST", "/api/v3/orderList/oco", "orderList.place.oco", 1),
    route(Call::PlaceOldList, Security::Trade, "POST", "/api/v3/order/oco", "orderList.place", 1),
    route(Call::QueryList, Security::Signed, "GET", "/api/v3/orderList", "orderList.status", 4),
    route(Call::CancelList, Security::Trade, "DELETE", "/api/v3/orderList", "orderList.cancel", 1),
    route(Call::OpenLists, Security::Signed, "GET", "/api/v3/openOrderList", "openOrderLists.status", 6),
    route(Call::AllLists, Security::Signed, "GET", "/api/v3/allOrderList", "allOrderLists", 20),
    route(Call::Account, Security::Signed, "GET", "/api/v3/account", "account.status", 20),
    route(Call::MyTrades, Security::Signed, "GET", "/api/v3/myTrades", "myTrades", 20),
    route(Call::PreventedMatches, Security::Signed, "GET", "/api/v3/myPreventedMatches", "myPreventedMatches", 20),
    route(Call::OrderRate, Security::Signed, "GET", "/api/v3/rateLimit/order", "account.rateLimits.orders", 40),
    route(Call::Commission, Security::Signed, "GET", "/api/v3/account/commission", "account.commission", 20),
    route(Call::Coins, Security::Signed, "GET", "/sapi/v1/capital/config/getall", "", 10),
    route(Call::KeyRights, Security::Signed, "GET", "/sapi/v1/account/apiRestrictions", "", 1),
    route(Call::NoPairs, Security::Open, "GET", "/sapi/v1/margin/allPairs", "", 1),
    route(Call::NoPairs, Security::Open, "GET", "/sapi/v1/margin/isolated/allPairs", "", 10),
    route(Call::NoFutures, Security::Open, "GET", "/fapi/v1/exchangeInfo", "", 1),
    route(Call::NoFutures, Security::Open, "GET", "/dapi/v1/exchangeInfo", "", 1),
    route(Call::NoFutures, Security::Open, "GET", "/eapi/v1/exchangeInfo", "", 1),
];

/// Why there is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// Nothing is called so.
    Path,
    /// Something is, but not by this verb.
    Method,
}

/// Finds a REST route.
pub(crate) fn rest(method: &str, path: &str) -> Result<Route, NoRoute> {
    let mut reason = NoRoute::Path;
    for route in ROUTES.iter().filter(|route| route.path == path) {
        if route.method == method {
            return Ok(*route);
        }
        reason = NoRoute::Method;
    }
    Err(reason)
}

/// Finds a method of the WebSocket API.
pub(crate) fn ws(method: &str) -> Option<Route> {
    ROUTES.iter().find(|route| route.ws == method && !method.is_empty()).copied()
}

impl Route {
    /// What the call weighs with these parameters.
    pub(crate) fn weight(&self, params: &Params) -> u32 {
        let one_symbol = params.has("symbol");
        match self.call {
            Call::Depth => match params.raw("limit").and_then(|limit| limit.parse::<u32>().ok()).unwrap_or(100) {
                0..=100 => 5,
                101..=500 => 25,
                501..=1_000 => 50,
                _ => 250,
            },
            Call::Ticker24h if !one_symbol => 80,
            Call::TickerPrice | Call::TickerBook if !one_symbol => 4,
            Call::OpenOrders if !one_symbol => 80,
            Call::MyTrades if params.has("orderId") => 5,
            Call::PreventedMatches if params.has("preventedMatchId") => 2,
            Call::TestPlace if params.has("computeCommissionRates") => 20,
            _ => self.weight,
        }
    }

    /// How many new orders the call asks for.
    pub(crate) const fn orders(&self) -> u32 {
        match self.call {
            Call::Place | Call::CancelReplace => 1,
            Call::PlaceList | Call::PlaceOldList => 2,
            _ => 0,
        }
    }

    /// How many new orders the call counts as, by its answer: those that it placed. A refusal of cancel-replace may tell of
    /// one, where what was to be cancelled was gone.
    pub(crate) fn placed(&self, answer: &Answer) -> u32 {
        let told = |refusal: &Refusal| refusal.data.as_ref().is_some_and(|data| data["newOrderResult"] == "SUCCESS");
        match answer {
            Ok(_) => self.orders(),
            Err(refusal) => u32::from(told(refusal)),
        }
    }
}

/// What a call may know besides the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The caller's account; absent for open calls.
    pub(crate) account: Option<usize>,
    /// The server's clock in milliseconds, against which requests are checked.
    pub(crate) server_time: i64,
    /// Order counts of the caller in ten seconds and in the day.
    pub(crate) order_counts: (u32, u32),
    pub(crate) limits: &'a crate::config::Limits,
    /// Whether the caller's key may withdraw.
    pub(crate) may_withdraw: bool,
    /// Whether the caller's key may trade.
    pub(crate) may_trade: bool,
}

/// Carries out a call. Who calls, the signature and the budgets were checked before.
pub(crate) fn perform(world: &mut World, route: &Route, params: &Params, context: &Context<'_>) -> Answer {
    let me = || context.account.ok_or_else(Refusal::bad_key);
    match route.call {
        Call::Ping => params.all_read().map(|()| json!({})),
        Call::Time => params.all_read().map(|()| json!({"serverTime": context.server_time})),
        Call::ExchangeInfo => info::exchange(world, params, context),
        Call::Depth => market_calls::depth(world, params),
        Call::Trades => market_calls::trades(world, params),
        Call::AggregateTrades => market_calls::aggregates(world, params),
        Call::Klines => market_calls::klines(world, params),
        Call::AveragePrice => market_calls::average(world, params),
        Call::Ticker24h => market_calls::ticker_24h(world, params),
        Call::TickerPrice => market_calls::ticker_price(world, params),
        Call::TickerBook => market_calls::ticker_book(world, params),
        Call::Place => order_calls::place(world, params, me()?),
        Call::TestPlace => order_calls::test(world, params, me()?),
        Call::Query => order_calls::query(world, params, me()?),
        Call::Cancel => order_calls::cancel(world, params, me()?),
        Call::CancelReplace => order_calls::cancel_replace(world, params, me()?),
        Call::Amend => order_calls::amend(world, params, me()?),
        Call::OpenOrders => order_calls::open(world, params, me()?),
        Call::CancelAll => order_calls::cancel_all(world, params, me()?),
        Call::AllOrders => order_calls::all(world, params, me()?),
        Call::PlaceList => order_calls::place_list(world, params, me()?),
        Call::PlaceOldList => order_calls::place_old_list(world, params, me()?),
        Call::QueryList => order_calls::query_list(world, params, me()?),
        Call::CancelList => order_calls::cancel_list(world, params, me()?),
        Call::OpenLists => order_calls::lists(world, params, me()?, true),
        Call::AllLists => order_calls::lists(world, params, me()?, false),
        Call::Account => account_calls::account(world, params, me()?, context),
        Call::MyTrades => account_calls::my_trades(world, params, me()?),
        Call::PreventedMatches => account_calls::prevented_matches(world, params, me()?),
        Call::OrderRate => account_calls::order_rate(params, context),
        Call::Commission => account_calls::commission(world, params),
        Call::Coins => account_calls::coins(world, params, me()?),
        Call::KeyRights => account_calls::key_rights(params, context),
        Call::NoPairs => Ok(json!([])),
        Call::NoFutures => Ok(info::no_futures(context)),
    }
}
