//! Calls about the market that anybody may make.

use super::answer::{Answer, Refusal};
use super::params::Params;
use super::payload;
use crate::world::World;
use crate::world::candles::Span;
use serde_json::{Value, json};

/// `limit` of a call: the default if absent, never above `max`.
pub(super) fn limit(params: &Params, default: usize, max: usize) -> Result<usize, Refusal> {
    match params.whole("limit")? {
        None => Ok(default),
        Some(value) if value > 0 => Ok(usize::try_from(value).unwrap_or(max).min(max)),
        Some(_) => Err(Refusal::bad_data("limit")),
    }
}

fn listing(world: &World, params: &Params) -> Result<usize, Refusal> {
    world.listing(params.symbol()?)
}

/// The names in `symbol` or in the JSON list `symbols`; `None` for all.
pub(super) fn wanted_symbols(params: &Params) -> Result<Option<Vec<String>>, Refusal> {
    match (params.has("symbol"), params.text("symbols")?) {
        (true, Some(_)) => Err(Refusal::bad_combination()),
        (true, None) => Ok(Some(vec![params.symbol()?.to_owned()])),
        (false, Some(list)) => serde_json::from_str(list).map(Some).map_err(|_| {
            Refusal::illegal("symbols", "^\\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\\]$")
        }),
        (false, None) => Ok(None),
    }
}

pub(super) fn depth(world: &World, params: &Params) -> Answer {
    let listing = listing(world, params)?;
    let count = limit(params, 100, 5_000)?;
    params.raw("symbolStatus");
    params.all_read()?;
    Ok(payload::partial_depth(world, listing, count))
}

pub(super) fn trades(world: &World, params: &Params) -> Answer {
    let market = &world.markets[listing(world, params)?];
    let count = limit(params, 500, 1_000)?;
    let from = params.whole("fromId")?;
    params.all_read()?;
    let skip = match from {
        Some(from) => market.trades.partition_point(|trade| trade.id < from),
        None => market.trades.len().saturating_sub(count),
    };
    Ok(market.trades.iter().skip(skip).take(count).map(payload::rest_trade).collect())
}

pub(super) fn aggregates(world: &World, params: &Params) -> Answer {
    let market = &world.markets[listing(world, params)?];
    let count = limit(params, 500, 1_000)?;
    let (from, start, end) = (params.whole("fromId")?, params.whole("startTime")?, params.whole("endTime")?);
    params.all_read()?;
    let list = &market.aggregates;
    let skip = match (from, start) {
        (Some(from), _) => list.partition_point(|sum| sum.id < from),
        (None, Some(start)) => list.partition_point(|sum| sum.at < start),
        (None, None) => {
            let until = end.map_or(list.len(), |end| list.partition_point(|sum| sum.at <= end));
            until.saturating_sub(count)
        }
    };
    let in_time = |sum: &&crate::world::market::AggregateTrade| end.is_none_or(|end| sum.at <= end);
    Ok(list.iter().skip(skip).take_while(in_time).take(count).map(payload::rest_aggregate).collect())
}

pub(super) fn klines(world: &World, params: &Params) -> Answer {
    let market = &world.markets[listing(world, params)?];
    let span = Span::named(params.required("interval")?).ok_or_else(Refusal::bad_interval)?;
    let (start, end) = (params.whole("startTime")?, params.whole("endTime")?);
    let count = limit(params, 500, 1_000)?;
    if params.text("timeZone")?.is_some_and(|zone| zone != "0") {
        return Err(Refusal::bad_data("timeZone"));
    }
    params.all_read()?;
    let source = match &market.seconds {
        Some(seconds) if span.name == "1s" => seconds,
        _ => &market.candles,
    };
    if !span.is_made_of(source.base) {
        return Ok(json!([]));
    }
    let candles = source.fold(span, start, end, count);
    Ok(candles.iter().map(|candle| payload::rest_candle(span, candle)).collect())
}

pub(super) fn average(world: &World, params: &Params) -> Answer {
    let market = &world.markets[listing(world, params)?];
    params.all_read()?;
    let last = market.trades.back().map_or(0, |trade| trade.at);
    Ok(json!({"mins": 5, "price": payload::price_text(market.average(5, world.now())), "closeTime": last}))
}

/// One answer for `symbol`, a list for `symbols` or for neither.
fn per_symbol(world: &World, params: &Params, make: impl Fn(usize) -> Value) -> Answer {
    let single = params.has("symbol");
    let wanted = wanted_symbols(params)?;
    params.raw("symbolStatus");
    params.all_read()?;
    let listings: Vec<usize> = match wanted {
        None => (0..world.markets.len()).collect(),
        Some(names) => names.iter().map(|name| world.listing(name)).collect::<Result<_, _>>()?,
    };
    if single { Ok(make(listings[0])) } else { Ok(listings.into_iter().map(make).collect()) }
}

pub(super) fn ticker_24h(world: &World, params: &Params) -> Answer {
    let mini = match params.text("type")? {
        None | Some("FULL") => false,
        Some("MINI") => true,
        Some(_) => return Err(Refusal::new(-1139, "Invalid ticker type.")),
    };
    per_symbol(world, params, |listing| payload::rest_ticker(&world.markets[listing], world.now(), mini))
}

pub(super) fn ticker_price(world: &World, params: &Params) -> Answer {
    per_symbol(world, params, |listing| {
        let market = &world.markets[listing];
        json!({"symbol": market.rules.name(), "price": payload::price_text(market.last)})
    })
}

pub(super) fn ticker_book(world: &World, params: &Params) -> Answer {
    per_symbol(world, params, |listing| payload::rest_best(&world.markets[listing]))
}
