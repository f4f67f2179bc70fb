//! What is listed and by which rules: `exchangeInfo`.

use super::answer::{Answer, Refusal};
use super::calls::Context;
use super::params::Params;
use super::payload::{fixed, price_text, quantity_text};
use crate::world::market::{AVERAGE_MINUTES, MAX_OPEN, MAX_OPEN_CONTINGENT, Market, PERCENT_DOWN, PERCENT_UP};
use crate::world::order::{Kind, SelfTrade};
use crate::world::{World, max_price};
use serde_json::{Value, json};
use tradewind_domain::Price;

pub(super) fn exchange(world: &World, params: &Params, context: &Context<'_>) -> Answer {
    let wanted = super::market_calls::wanted_symbols(params)?;
    for ignored in ["permissions", "showPermissionSets", "symbolStatus"] {
        params.raw(ignored);
    }
    params.all_read()?;
    let symbols: Vec<Value> = match &wanted {
        None => world.markets.iter().map(symbol).collect(),
        Some(names) => names
            .iter()
            .map(|name| world.listing(name).map(|listing| symbol(&world.markets[listing])))
            .collect::<Result<_, Refusal>>()?,
    };
    Ok(json!({
        "timezone": "UTC", "serverTime": context.server_time, "rateLimits": rate_limits(context),
        "exchangeFilters": [], "symbols": symbols,
    }))
}

pub(super) fn rate_limits(context: &Context<'_>) -> Value {
    let limit = |kind: &str, interval: &str, count: u32, limit: u32| json!({"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit});
    json!([
        limit("REQUEST_WEIGHT", "MINUTE", 1, context.limits.weight_per_minute),
        limit("ORDERS", "SECOND", 10, context.limits.orders_per_10s),
        limit("ORDERS", "DAY", 1, context.limits.orders_per_day),
        limit("RAW_REQUESTS", "MINUTE", 5, 61_000),
    ])
}

/// The futures venues list nothing here; clients that ask all venues at once are told so.
pub(super) fn no_futures(context: &Context<'_>) -> Value {
    json!({
        "timezone": "UTC", "serverTime": context.server_time, "rateLimits": [], "exchangeFilters": [],
        "assets": [], "symbols": [], "optionContracts": [], "optionAssets": [], "optionSymbols": [],
    })
}

fn symbol(market: &Market) -> Value {
    let rules = &market.rules;
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let self_trade: Vec<&str> = SelfTrade::ALL.iter().map(|mode| mode.name()).collect();
    json!({
        "symbol": rules.name(), "status": market.trading.name(), "baseAsset": rules.base.code(), "baseAssetPrecision": 8,
        "quoteAsset": rules.quote.code(), "quotePrecision": 8, "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8, "orderTypes": kinds, "icebergAllowed": false,
        "ocoAllowed": true, "otoAllowed": false, "opoAllowed": false, "quoteOrderQtyMarketAllowed": true,
        "allowTrailingStop": false, "cancelReplaceAllowed": true, "amendAllowed": true, "pegInstructionsAllowed": false,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false, "filters": filters(market),
        "permissions": [], "permissionSets": [["SPOT"]], "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": self_trade,
    })
}

fn filters(market: &Market) -> Value {
    let spec = &market.rules.instrument.spec;
    let tick = spec.tick.mantissa();
    json!([
        {
            "filterType": "PRICE_FILTER", "minPrice": price_text(spec.tick),
            "maxPrice": price_text(Price::from_mantissa(max_price(tick))), "tickSize": price_text(spec.tick),
        },
        {
            "filterType": "LOT_SIZE", "minQty": quantity_text(spec.min_quantity),
            "maxQty": quantity_text(spec.max_quantity), "stepSize": quantity_text(spec.lot),
        },
        {
            "filterType": "MARKET_LOT_SIZE", "minQty": fixed(0),
            "maxQty": quantity_text(market.rules.max_market_quantity), "stepSize": fixed(0),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": PERCENT_UP.to_string(),
            "bidMultiplierDown": format!("0.{}", 10 / PERCENT_DOWN), "askMultiplierUp": PERCENT_UP.to_string(),
            "askMultiplierDown": format!("0.{}", 10 / PERCENT_DOWN), "avgPriceMins": AVERAGE_MINUTES,
        },
        {
            "filterType": "NOTIONAL", "minNotional": fixed(spec.min_notional.units), "applyMinToMarket": true,
            "maxNotional": fixed(market.rules.max_notional), "applyMaxToMarket": false,
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MAX_OPEN},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MAX_OPEN_CONTINGENT},
    ])
}
