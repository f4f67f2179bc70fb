//! The venue's JSON: numbers as text with eight decimals, times in milliseconds.

use crate::world::candles::{Candle, Span};
use crate::world::ledger::Balance;
use crate::world::market::{AggregateTrade, Best, Changes, Market, PublicTrade};
use crate::world::order::{Execution, OwnTrade, Prevention, Row};
use crate::world::{List, World};
use serde_json::{Value, json};
use tradewind_domain::{Currency, Price, Quantity, Side};

/// `10^-8` units as text with all eight decimals.
pub(crate) fn fixed(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let size = units.unsigned_abs();
    format!("{sign}{}.{:08}", size / 100_000_000, size % 100_000_000)
}

pub(crate) fn price_text(price: Price) -> String {
    fixed(i128::from(price.mantissa()))
}

pub(crate) fn quantity_text(quantity: Quantity) -> String {
    fixed(i128::from(quantity.mantissa()))
}

pub(crate) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

pub(crate) fn levels(levels: &[(Price, Quantity)]) -> Vec<[String; 2]> {
    levels.iter().map(|(price, quantity)| [price_text(*price), quantity_text(*quantity)]).collect()
}

// --- market data over REST

pub(crate) fn rest_trade(trade: &PublicTrade) -> Value {
    json!({
        "id": trade.id, "price": price_text(trade.price), "qty": quantity_text(trade.quantity),
        "quoteQty": fixed(trade.quote), "time": trade.at, "isBuyerMaker": trade.taker == Side::Sell,
        "isBestMatch": true,
    })
}

pub(crate) fn rest_aggregate(sum: &AggregateTrade) -> Value {
    json!({
        "a": sum.id, "p": price_text(sum.price), "q": quantity_text(sum.quantity), "f": sum.first, "l": sum.last,
        "T": sum.at, "m": sum.taker == Side::Sell, "M": true,
    })
}

pub(crate) fn rest_candle(span: Span, candle: &Candle) -> Value {
    json!([
        candle.open_time,
        price_text(candle.open),
        price_text(candle.high),
        price_text(candle.low),
        price_text(candle.close),
        fixed(candle.volume),
        span.next_open(candle.open_time) - 1,
        fixed(candle.quote_volume),
        candle.trades,
        fixed(candle.taker_buy),
        fixed(candle.taker_buy_quote),
        "0",
    ])
}

/// Statistics of the rolling day.
pub(crate) struct Day {
    pub(crate) open: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) volume: i128,
    pub(crate) quote_volume: i128,
    /// Those without a number too, from before the opening.
    trades: u64,
    pub(crate) first_trade: i64,
    pub(crate) last_trade: i64,
}

impl Day {
    pub(crate) fn of(market: &Market, now: i64) -> Self {
        let last = market.last;
        let nothing = Self {
            open: last,
            high: last,
            low: last,
            volume: 0,
            quote_volume: 0,
            trades: 0,
            first_trade: -1,
            last_trade: -1,
        };
        market.candles.since(now - 86_400_000).filter(|candle| candle.trades > 0).fold(nothing, |mut day, candle| {
            if day.trades == 0 {
                (day.open, day.high, day.low) = (candle.open, candle.high, candle.low);
            }
            day.high = day.high.max(candle.high);
            day.low = day.low.min(candle.low);
            day.volume += candle.volume;
            day.quote_volume += candle.quote_volume;
            day.trades += candle.trades;
            if day.first_trade < 0 {
                day.first_trade = candle.first_trade;
            }
            day.last_trade = day.last_trade.max(candle.last_trade);
            day
        })
    }

    /// How many trades there were, by the numbers of the first and the last one: a reader of both counts the same.
    const fn count(&self) -> i64 {
        if self.first_trade < 0 { 0 } else { self.last_trade - self.first_trade + 1 }
    }

    fn average(&self, last: Price) -> Price {
        let mean = self.quote_volume.checked_mul(100_000_000).and_then(|quote| quote.checked_div(self.volume));
        mean.and_then(|mean| i64::try_from(mean).ok()).map_or(last, Price::from_mantissa)
    }

    /// Change since the open in hundredths of a per cent, as text with three decimals.
    fn change_percent(&self, last: Price) -> String {
        let change = i128::from(last.mantissa() - self.open.mantissa());
        let thousandths = (change * 100_000).checked_div(i128::from(self.open.mantissa())).unwrap_or(0);
        let sign = if thousandths < 0 { "-" } else { "" };
        format!("{sign}{}.{:03}", thousandths.unsigned_abs() / 1_000, thousandths.unsigned_abs() % 1_000)
    }
}

pub(crate) fn rest_ticker(market: &Market, now: i64, mini: bool) -> Value {
    let day = Day::of(market, now);
    let mut ticker = json!({
        "symbol": market.rules.name(), "openPrice": price_text(day.open), "highPrice": price_text(day.high),
        "lowPrice": price_text(day.low), "lastPrice": price_text(market.last), "volume": fixed(day.volume),
        "quoteVolume": fixed(day.quote_volume), "openTime": now - 86_400_000, "closeTime": now,
        "firstId": day.first_trade, "lastId": day.last_trade, "count": day.count(),
    });
    if !mini {
        let [bid, ask] = market.best.map(Option::unwrap_or_default);
        let last = market.trades.back();
        ticker["priceChange"] = fixed(i128::from(market.last.mantissa() - day.open.mantissa())).into();
        ticker["priceChangePercent"] = day.change_percent(market.last).into();
        ticker["weightedAvgPrice"] = price_text(day.average(market.last)).into();
        ticker["prevClosePrice"] = price_text(day.open).into();
        ticker["lastQty"] = quantity_text(last.map(|trade| trade.quantity).unwrap_or_default()).into();
        ticker["bidPrice"] = price_text(bid.0).into();
        ticker["bidQty"] = quantity_text(bid.1).into();
        ticker["askPrice"] = price_text(ask.0).into();
        ticker["askQty"] = quantity_text(ask.1).into();
    }
    ticker
}

pub(crate) fn rest_best(market: &Market) -> Value {
    let [bid, ask] = market.best.map(Option::unwrap_or_default);
    json!({
        "symbol": market.rules.name(), "bidPrice": price_text(bid.0), "bidQty": quantity_text(bid.1),
        "askPrice": price_text(ask.0), "askQty": quantity_text(ask.1),
    })
}

// --- market data over streams

pub(crate) fn stream_trade(name: &str, trade: &PublicTrade, now: i64) -> Value {
    json!({
        "e": "trade", "E": now, "s": name, "t": trade.id, "p": price_text(trade.price),
        "q": quantity_text(trade.quantity), "T": trade.at, "m": trade.taker == Side::Sell, "M": true,
    })
}

pub(crate) fn stream_aggregate(name: &str, sum: &AggregateTrade, now: i64) -> Value {
    json!({
        "e": "aggTrade", "E": now, "s": name, "a": sum.id, "p": price_text(sum.price),
        "q": quantity_text(sum.quantity), "f": sum.first, "l": sum.last, "T": sum.at,
        "m": sum.taker == Side::Sell, "M": true,
    })
}

pub(crate) fn stream_candle(name: &str, span: Span, candle: &Candle, closed: bool, now: i64) -> Value {
    json!({
        "e": "kline", "E": now, "s": name,
        "k": {
            "t": candle.open_time, "T": span.next_open(candle.open_time) - 1, "s": name, "i": span.name,
            "f": candle.first_trade, "L": candle.last_trade, "o": price_text(candle.open),
            "c": price_text(candle.close), "h": price_text(candle.high), "l": price_text(candle.low),
            "v": fixed(candle.volume), "n": candle.trades, "x": closed, "q": fixed(candle.quote_volume),
            "V": fixed(candle.taker_buy), "Q": fixed(candle.taker_buy_quote), "B": "0",
        },
    })
}

pub(crate) fn stream_best(name: &str, update: u64, best: &Best) -> Value {
    let [bid, ask] = best.map(Option::unwrap_or_default);
    json!({
        "u": update, "s": name, "b": price_text(bid.0), "B": quantity_text(bid.1), "a": price_text(ask.0),
        "A": quantity_text(ask.1),
    })
}

pub(crate) fn stream_changes(world: &World, listing: usize, changes: &Changes, now: i64) -> Value {
    let of = |side: Side| -> Vec<[String; 2]> {
        let prices = changes.levels.iter().filter(|(changed, _)| *changed == side).map(|(_, price)| *price);
        let level = |price| [price_text(price), quantity_text(world.size_at(listing, side, price))];
        let ascending: Vec<_> = prices.map(level).collect();
        if side == Side::Buy { ascending.into_iter().rev().collect() } else { ascending }
    };
    json!({
        "e": "depthUpdate", "E": now, "s": world.markets[listing].rules.name(), "U": changes.first,
        "u": changes.last, "b": of(Side::Buy), "a": of(Side::Sell),
    })
}

pub(crate) fn partial_depth(world: &World, listing: usize, count: usize) -> Value {
    json!({
        "lastUpdateId": world.markets[listing].update,
        "bids": levels(&world.levels(listing, Side::Buy, count)),
        "asks": levels(&world.levels(listing, Side::Sell, count)),
    })
}

pub(crate) fn stream_ticker(market: &Market, now: i64) -> Value {
    let day = Day::of(market, now);
    let [bid, ask] = market.best.map(Option::unwrap_or_default);
    let last = market.trades.back();
    json!({
        "e": "24hrTicker", "E": now, "s": market.rules.name(),
        "p": fixed(i128::from(market.last.mantissa() - day.open.mantissa())), "P": day.change_percent(market.last),
        "w": price_text(day.average(market.last)), "x": price_text(day.open), "c": price_text(market.last),
        "Q": quantity_text(last.map(|trade| trade.quantity).unwrap_or_default()),
        "b": price_text(bid.0), "B": quantity_text(bid.1), "a": price_text(ask.0), "A": quantity_text(ask.1),
        "o": price_text(day.open), "h": price_text(day.high), "l": price_text(day.low),
        "v": fixed(day.volume), "q": fixed(day.quote_volume), "O": now - 86_400_000, "C": now,
        "F": day.first_trade, "L": day.last_trade, "n": day.count(),
    })
}

pub(crate) fn stream_mini_ticker(market: &Market, now: i64) -> Value {
    let day = Day::of(market, now);
    json!({
        "e": "24hrMiniTicker", "E": now, "s": market.rules.name(), "c": price_text(market.last),
        "o": price_text(day.open), "h": price_text(day.high), "l": price_text(day.low),
        "v": fixed(day.volume), "q": fixed(day.quote_volume),
    })
}

// --- orders and accounts

fn list_id(row: &Row) -> i64 {
    row.list.and_then(|id| i64::try_from(id).ok()).unwrap_or(-1)
}

/// The answer to a query of one order.
pub(crate) fn order(name: &str, row: &Row) -> Value {
    let mut order = placed(name, row);
    order["icebergQty"] = fixed(0).into();
    order["time"] = row.created.into();
    order["updateTime"] = row.updated.into();
    order["isWorking"] = row.working.is_some().into();
    order["stopPrice"] = price_text(row.stop).into();
    name_prevention(&mut order, row);
    order
}

/// Names the last prevented match in which an order lost something, so that it can be asked for.
fn name_prevention(order: &mut Value, row: &Row) {
    if let Some(id) = row.prevented_match {
        order["preventedMatchId"] = id.into();
    }
}

/// What every long answer about an order holds.
fn placed(name: &str, row: &Row) -> Value {
    let mut order = json!({
        "symbol": name, "orderId": row.id, "orderListId": list_id(row), "clientOrderId": row.client_id,
        "price": price_text(row.price), "origQty": quantity_text(row.quantity),
        "executedQty": quantity_text(row.executed), "origQuoteOrderQty": fixed(row.quote_quantity),
        "cummulativeQuoteQty": fixed(row.quote_executed), "status": row.status.name(),
        "timeInForce": row.force.name(), "type": row.kind.name(), "side": side_name(row.side),
        "workingTime": row.working.unwrap_or(-1), "selfTradePreventionMode": row.self_trade.name(),
    });
    if row.kind.is_contingent() {
        order["stopPrice"] = price_text(row.stop).into();
    }
    if row.prevented > Quantity::ZERO {
        order["preventedQuantity"] = quantity_text(row.prevented).into();
    }
    order
}

pub(crate) fn new_order_ack(name: &str, row: &Row) -> Value {
    json!({
        "symbol": name, "orderId": row.id, "orderListId": list_id(row), "clientOrderId": row.client_id,
        "transactTime": row.updated,
    })
}

/// `met` is with which orders of its own account it did not trade.
pub(crate) fn new_order_result(name: &str, row: &Row, met: &[Prevention]) -> Value {
    let mut order = placed(name, row);
    order["transactTime"] = row.updated.into();
    if !met.is_empty() {
        order["preventedMatches"] = met.iter().map(|it| prevented_part(name, it)).collect();
    }
    order
}

pub(crate) fn new_order_full(name: &str, row: &Row, fills: &[OwnTrade], met: &[Prevention]) -> Value {
    let mut order = new_order_result(name, row, met);
    let fill = |fill: &OwnTrade| {
        json!({
            "price": price_text(fill.price), "qty": quantity_text(fill.quantity), "commission": fixed(fill.fee),
            "commissionAsset": fill.fee_asset.code(), "tradeId": fill.id,
        })
    };
    order["fills"] = fills.iter().map(fill).collect();
    order
}

/// The answer to a cancel request called `request`.
pub(crate) fn cancelled(name: &str, row: &Row, request: &str) -> Value {
    let mut order = placed(name, row);
    order["origClientOrderId"] = row.client_id.clone().into();
    order["clientOrderId"] = request.into();
    order["transactTime"] = row.updated.into();
    name_prevention(&mut order, row);
    order
}

/// The answer to an amendment of an order that was called `before`.
pub(crate) fn amended(name: &str, row: &Row, before: &str, execution: u64) -> Value {
    json!({
        "transactTime": row.updated, "executionId": execution,
        "amendedOrder": {
            "symbol": name, "orderId": row.id, "orderListId": list_id(row), "origClientOrderId": before,
            "clientOrderId": row.client_id, "price": price_text(row.price), "qty": quantity_text(row.quantity),
            "executedQty": quantity_text(row.executed), "preventedQty": quantity_text(row.prevented),
            "quoteOrderQty": fixed(row.quote_quantity), "cumulativeQuoteQty": fixed(row.quote_executed),
            "status": row.status.name(), "timeInForce": row.force.name(), "type": row.kind.name(),
            "side": side_name(row.side), "workingTime": row.working.unwrap_or(-1),
            "selfTradePreventionMode": row.self_trade.name(),
        },
    })
}

pub(crate) fn own_trade(name: &str, trade: &OwnTrade, row: Option<&Row>) -> Value {
    json!({
        "symbol": name, "id": trade.id, "orderId": trade.order, "orderListId": row.map_or(-1, list_id),
        "price": price_text(trade.price), "qty": quantity_text(trade.quantity), "quoteQty": fixed(trade.quote),
        "commission": fixed(trade.fee), "commissionAsset": trade.fee_asset.code(), "time": trade.at,
        "isBuyer": trade.side == Side::Buy, "isMaker": trade.maker, "isBestMatch": true,
    })
}

/// What the answer to the incoming order tells of a prevented match: what each of the two lost, where it lost something.
fn prevented_part(name: &str, it: &Prevention) -> Value {
    let told = &it.told;
    let mut part = json!({
        "preventedMatchId": it.id, "makerSymbol": name, "makerOrderId": told.maker, "price": price_text(told.price),
    });
    let lost = [("takerPreventedQuantity", told.taker_prevented), ("makerPreventedQuantity", told.maker_prevented)];
    for (field, lost) in lost.into_iter().filter(|(_, lost)| *lost > Quantity::ZERO) {
        part[field] = quantity_text(lost).into();
    }
    part
}

/// A prevented match by itself. No account here is of a trade group, which the venue writes as −1.
pub(crate) fn prevented_match(name: &str, it: &Prevention) -> Value {
    let mut row = prevented_part(name, it);
    row["symbol"] = name.into();
    row["takerOrderId"] = it.told.taker.into();
    row["tradeGroupId"] = json!(-1);
    row["selfTradePreventionMode"] = it.mode.name().into();
    row["transactTime"] = it.at.into();
    row
}

pub(crate) fn list(world: &World, list: &List) -> Value {
    let name = world.markets[list.listing].rules.name();
    let orders: Vec<Value> = list
        .orders
        .iter()
        .filter_map(|id| world.rows.get(id))
        .map(|row| json!({"symbol": name, "orderId": row.id, "clientOrderId": row.client_id}))
        .collect();
    let (kind, status) = list_words(list.done);
    json!({
        "orderListId": list.id, "contingencyType": "OCO", "listStatusType": kind, "listOrderStatus": status,
        "listClientOrderId": list.client_id, "transactionTime": list.updated, "symbol": name, "orders": orders,
    })
}

const fn list_words(done: bool) -> (&'static str, &'static str) {
    if done { ("ALL_DONE", "ALL_DONE") } else { ("EXEC_STARTED", "EXECUTING") }
}

// --- user data events

pub(crate) fn report(name: &str, row: &Row, execution: &Execution, now: i64) -> Value {
    let (what, cancel_name, trade) = match execution {
        Execution::New => ("NEW", None, None),
        Execution::Trade(trade) => ("TRADE", None, Some(trade)),
        Execution::Canceled { client_id } => ("CANCELED", Some(client_id), None),
        Execution::Replaced { .. } => ("REPLACED", None, None),
        Execution::Expired => ("EXPIRED", None, None),
        Execution::TradePrevention(_) => ("TRADE_PREVENTION", None, None),
    };
    let (client, original) = match (cancel_name, execution) {
        (Some(cancel), _) => (cancel.as_str(), row.client_id.as_str()),
        (None, Execution::Replaced { before }) => (row.client_id.as_str(), before.as_str()),
        (None, _) => (row.client_id.as_str(), ""),
    };
    let status = if what == "NEW" { "NEW" } else { row.status.name() };
    let mut report = json!({
        "e": "executionReport", "E": now, "s": name, "c": client, "S": side_name(row.side), "o": row.kind.name(),
        "f": row.force.name(), "q": quantity_text(row.quantity), "p": price_text(row.price),
        "P": price_text(row.stop), "F": fixed(0), "g": list_id(row), "C": original, "x": what, "X": status,
        "r": "NONE", "i": row.id, "l": fixed(0), "z": quantity_text(row.executed), "L": fixed(0), "n": "0",
        "N": null, "T": row.updated, "t": -1, "I": row.id, "w": row.status.is_open() && row.working.is_some(),
        "m": false, "M": false, "O": row.created, "Z": fixed(row.quote_executed), "Y": fixed(0),
        "Q": fixed(row.quote_quantity), "V": row.self_trade.name(),
    });
    if let Some(working) = row.working {
        report["W"] = working.into();
    }
    if let Some(trade) = trade {
        report["l"] = quantity_text(trade.quantity).into();
        report["L"] = price_text(trade.price).into();
        report["n"] = fixed(trade.fee).into();
        report["N"] = trade.fee_asset.code().into();
        report["t"] = trade.id.into();
        report["m"] = trade.maker.into();
        report["Y"] = fixed(trade.quote).into();
    }
    if row.prevented > Quantity::ZERO {
        report["A"] = quantity_text(row.prevented).into();
    }
    if let Execution::TradePrevention(met) = execution {
        tell_prevention(&mut report, name, row, met);
    }
    report
}

/// What a report of a prevented match says besides: what the order lost, to which other order, and what would have
/// traded. `u` is missing: it names a trade group, and no account here is of one.
///
/// Source: "Conditional Fields in Execution Report" of `user-data-stream.md`.
fn tell_prevention(report: &mut Value, name: &str, row: &Row, met: &Prevention) {
    let (lost, other) = met.of(row.id);
    report["v"] = met.id.into();
    report["B"] = quantity_text(lost).into();
    report["U"] = other.into();
    report["Cs"] = name.into();
    report["pl"] = quantity_text(met.told.quantity).into();
    report["pL"] = price_text(met.told.price).into();
    report["pY"] = fixed(met.quote).into();
}

pub(crate) fn balances(changed: &[(Currency, Balance)], now: i64) -> Value {
    let balance = |(asset, balance): &(Currency, Balance)| json!({"a": asset.code(), "f": fixed(balance.free), "l": fixed(balance.locked)});
    json!({
        "e": "outboundAccountPosition", "E": now, "u": now,
        "B": changed.iter().map(balance).collect::<Vec<_>>(),
    })
}

pub(crate) fn list_status(world: &World, list: &List, done: bool, now: i64) -> Value {
    let name = world.markets[list.listing].rules.name();
    let (kind, status) = list_words(done);
    let orders: Vec<Value> = list
        .orders
        .iter()
        .filter_map(|id| world.rows.get(id))
        .map(|row| json!({"s": name, "i": row.id, "c": row.client_id}))
        .collect();
    json!({
        "e": "listStatus", "E": now, "s": name, "g": list.id, "c": "OCO", "l": kind, "L": status, "r": "NONE",
        "C": list.client_id, "T": list.updated, "O": orders,
    })
}
