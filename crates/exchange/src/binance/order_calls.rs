//! Calls about orders: place, query, cancel, lists.

use super::answer::{Answer, Refusal};
use super::market_calls::limit;
use super::params::Params;
use super::payload;
use crate::world::order::{Force, Kind, NewOrder, OwnTrade, Prevention, Row, SelfTrade, Status};
use crate::world::{NewList, World};
use serde_json::{Value, json};
use tradewind_domain::{Price, Quantity, Side};

/// How long an answer to a new order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Ack,
    Result,
    Full,
}

fn length(params: &Params, kind: Kind) -> Result<Length, Refusal> {
    let default = if matches!(kind, Kind::Market | Kind::Limit) { Length::Full } else { Length::Ack };
    length_or(params, default)
}

fn length_or(params: &Params, default: Length) -> Result<Length, Refusal> {
    match params.text("newOrderRespType")? {
        None => Ok(default),
        Some("ACK") => Ok(Length::Ack),
        Some("RESULT") => Ok(Length::Result),
        Some("FULL") => Ok(Length::Full),
        Some(_) => Err(Refusal::bad_data("newOrderRespType")),
    }
}

fn side(params: &Params) -> Result<Side, Refusal> {
    match params.required("side")? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(Refusal::bad_side()),
    }
}

fn price(params: &Params, name: &str) -> Result<Option<Price>, Refusal> {
    Ok(params.decimal(name, 8)?.map(Price::from_mantissa))
}

fn self_trade(params: &Params) -> Result<SelfTrade, Refusal> {
    match params.text("selfTradePreventionMode")? {
        None => Ok(SelfTrade::ExpireMaker),
        // a mode of the venue's that no symbol here lists: it moves balances between the accounts of a trade group
        Some("TRANSFER") => {
            Err(Refusal::not_supported("This symbol does not allow the specified self-trade prevention mode."))
        }
        Some(name) => SelfTrade::named(name).ok_or_else(|| Refusal::bad_data("selfTradePreventionMode")),
    }
}

/// Refuses a parameter that is wanted and missing, or sent and not wanted.
fn need(params: &Params, name: &str, wanted: bool) -> Result<(), Refusal> {
    match (params.has(name), wanted) {
        (false, true) => Err(Refusal::missing(name)),
        (true, false) => Err(Refusal::not_required(name)),
        _ => Ok(()),
    }
}

/// Refuses what no order here may be, if a parameter of one of these names asks for it.
fn refuse_unsupported(params: &Params, iceberg: &str, trailing: &str) -> Result<(), Refusal> {
    if params.has(iceberg) {
        return Err(Refusal::not_supported("Iceberg orders are not supported for this symbol."));
    }
    if params.has(trailing) {
        return Err(Refusal::not_supported("Trailing stop orders are not supported for this symbol."));
    }
    Ok(())
}

/// What is known of the parameters of each order type.
fn check_presence(params: &Params, kind: Kind) -> Result<(), Refusal> {
    let need = |name: &str, wanted: bool| need(params, name, wanted);
    refuse_unsupported(params, "icebergQty", "trailingDelta")?;
    need("timeInForce", kind.has_time_in_force())?;
    if kind == Kind::Market {
        match (params.has("quantity"), params.has("quoteOrderQty")) {
            (false, false) => return Err(Refusal::missing_either("quantity", "quoteOrderQty")),
            (true, true) => return Err(Refusal::bad_combination()),
            _ => {}
        }
    } else {
        need("quantity", true)?;
        need("quoteOrderQty", false)?;
    }
    need("price", kind.has_price())?;
    need("stopPrice", kind.is_contingent())
}

/// Reads a new order; what the market makes of it is decided later.
fn read(world: &World, params: &Params) -> Result<(NewOrder, Length), Refusal> {
    let listing = world.listing(params.symbol()?)?;
    let side = side(params)?;
    let kind = Kind::named(params.required("type")?).ok_or_else(Refusal::bad_order_type)?;
    check_presence(params, kind)?;
    let force = match params.text("timeInForce")? {
        None => Force::Gtc,
        Some(name) => Force::named(name).ok_or_else(Refusal::bad_time_in_force)?,
    };
    for ignored in ["strategyId", "strategyType"] {
        params.whole(ignored)?;
    }
    let order = NewOrder {
        listing,
        side,
        kind,
        force,
        quantity: params.decimal("quantity", 8)?.map(Quantity::from_mantissa),
        quote_quantity: params.decimal("quoteOrderQty", 8)?.map(i128::from),
        price: price(params, "price")?,
        stop: price(params, "stopPrice")?,
        client_id: params.client_id("newClientOrderId")?.map(str::to_owned),
        self_trade: self_trade(params)?,
    };
    Ok((order, length(params, kind)?))
}

fn name_of<'a>(world: &'a World, row: &Row) -> &'a str {
    world.markets[row.listing].rules.name()
}

fn answer(world: &World, id: u64, length: Length) -> Value {
    let row = &world.rows[&id];
    let name = name_of(world, row);
    let met = world.prevented[row.account].iter().filter(|it| it.told.taker == id);
    let met: Vec<Prevention> = met.copied().collect();
    match length {
        Length::Ack => payload::new_order_ack(name, row),
        Length::Result => payload::new_order_result(name, row, &met),
        Length::Full => {
            let mine = world.own_trades[row.account].iter().rev().take_while(|trade| trade.order >= id);
            let mut fills: Vec<OwnTrade> = mine.filter(|trade| trade.order == id).copied().collect();
            fills.reverse();
            payload::new_order_full(name, row, &fills, &met)
        }
    }
}

pub(super) fn place(world: &mut World, params: &Params, me: usize) -> Answer {
    let (order, length) = read(world, params)?;
    params.all_read()?;
    let id = world.place(me, order)?;
    Ok(answer(world, id, length))
}

pub(super) fn test(world: &World, params: &Params, me: usize) -> Answer {
    let (order, _) = read(world, params)?;
    let rates = params.flag("computeCommissionRates")?.unwrap_or(false);
    params.all_read()?;
    world.check(me, &order)?;
    if !rates {
        return Ok(json!({}));
    }
    let rate = |centi_bps: i32| payload::fixed(i128::from(centi_bps) * 100);
    let standard = json!({"maker": rate(world.fees.maker_centi_bps), "taker": rate(world.fees.taker_centi_bps)});
    Ok(json!({
        "standardCommissionForOrder": standard, "taxCommissionForOrder": {"maker": rate(0), "taker": rate(0)},
        "discount": {"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": rate(0)},
    }))
}

/// The order that `orderId` or `origClientOrderId` names.
fn named(world: &World, params: &Params, me: usize) -> Result<Option<u64>, Refusal> {
    let listing = world.listing(params.symbol()?)?;
    let id = params.whole("orderId")?.map(|id| u64::try_from(id).unwrap_or(0));
    let name = params.client_id("origClientOrderId")?;
    if id.is_none() && name.is_none() {
        return Err(Refusal::missing_either("origClientOrderId", "orderId"));
    }
    Ok(world.find(me, listing, id, name).map(|row| row.id))
}

pub(super) fn query(world: &World, params: &Params, me: usize) -> Answer {
    let id = named(world, params, me)?;
    params.all_read()?;
    let row = id.and_then(|id| world.rows.get(&id)).ok_or_else(Refusal::no_such_order)?;
    Ok(payload::order(name_of(world, row), row))
}

fn check_restriction(world: &World, id: u64, restriction: Option<&str>) -> Result<(), Refusal> {
    let status = world.rows[&id].status;
    match restriction {
        None => Ok(()),
        Some("ONLY_NEW") if status == Status::New => Ok(()),
        Some("ONLY_PARTIALLY_FILLED") if status == Status::PartiallyFilled => Ok(()),
        Some("ONLY_NEW" | "ONLY_PARTIALLY_FILLED") => Err(Refusal::cancel_restricted()),
        Some(_) => {
            Err(Refusal::new(-1145, "Invalid cancelRestrictions; must be either ONLY_NEW or ONLY_PARTIALLY_FILLED."))
        }
    }
}

fn cancel_one(world: &mut World, id: u64, request: Option<&str>) -> Answer {
    let (row, request) = world.cancel(id, request)?;
    Ok(payload::cancelled(name_of(world, &row), &row, &request))
}

pub(super) fn cancel(world: &mut World, params: &Params, me: usize) -> Answer {
    let id = named(world, params, me)?;
    let request = params.client_id("newClientOrderId")?;
    let restriction = params.text("cancelRestrictions")?;
    params.all_read()?;
    let id = id.ok_or_else(Refusal::cancel_unknown)?;
    if !world.rows[&id].status.is_open() {
        return Err(Refusal::cancel_unknown());
    }
    check_restriction(world, id, restriction)?;
    cancel_one(world, id, request)
}

pub(super) fn cancel_all(world: &mut World, params: &Params, me: usize) -> Answer {
    let listing = world.listing(params.symbol()?)?;
    params.all_read()?;
    let open: Vec<u64> = world.open_orders(me).filter(|row| row.listing == listing).map(|row| row.id).collect();
    if open.is_empty() {
        return Err(Refusal::cancel_unknown());
    }
    let mut answers = Vec::new();
    for id in open {
        let row = &world.rows[&id];
        let (is_open, list) = (row.status.is_open(), row.list.filter(|list| !world.lists[list].done));
        match list {
            _ if !is_open => (), // it went with its list
            Some(list) => {
                let (_, request) = world.cancel(id, None)?;
                answers.push(list_cancelled(world, list, &request));
            }
            None => answers.push(cancel_one(world, id, None)?),
        }
    }
    Ok(answers.into())
}

pub(super) fn open(world: &World, params: &Params, me: usize) -> Answer {
    let listing = match params.has("symbol") {
        true => Some(world.listing(params.symbol()?)?),
        false => None,
    };
    params.all_read()?;
    let fits = |row: &&Row| listing.is_none_or(|listing| row.listing == listing);
    Ok(world.open_orders(me).filter(fits).map(|row| payload::order(name_of(world, row), row)).collect())
}

pub(super) fn all(world: &World, params: &Params, me: usize) -> Answer {
    let listing = world.listing(params.symbol()?)?;
    let from = params.whole("orderId")?;
    let (start, end) = (params.whole("startTime")?, params.whole("endTime")?);
    let count = limit(params, 500, 1_000)?;
    params.all_read()?;
    let fits = |row: &&Row| {
        row.account == me
            && row.listing == listing
            && from.is_none_or(|from| u64::try_from(from).is_ok_and(|from| row.id >= from))
            && start.is_none_or(|start| row.created >= start)
            && end.is_none_or(|end| row.created <= end)
    };
    let mut mine: Vec<&Row> = world.rows.values().filter(fits).collect();
    if from.is_none() && start.is_none() {
        mine.drain(..mine.len().saturating_sub(count));
    }
    Ok(mine.into_iter().take(count).map(|row| payload::order(name_of(world, row), row)).collect())
}

/// Makes an open order smaller in its place. Without a new name the venue makes one up.
///
/// Source: "Order Amend Keep Priority" of `rest-api.md`, and `faqs/order_amend_keep_priority.md`.
pub(super) fn amend(world: &mut World, params: &Params, me: usize) -> Answer {
    let id = named(world, params, me)?;
    let name = params.client_id("newClientOrderId")?.map(str::to_owned);
    let quantity = params.decimal("newQty", 8)?.ok_or_else(|| Refusal::missing("newQty"))?;
    params.all_read()?;
    let id = id.ok_or_else(Refusal::no_such_order)?;
    let (before, execution) = world.amend(id, name, Quantity::from_mantissa(quantity))?;
    let row = &world.rows[&id];
    Ok(payload::amended(name_of(world, row), row, &before, execution))
}

/// Cancels one order and places another. Codes -2021 and -2022 tell which half failed.
pub(super) fn cancel_replace(world: &mut World, params: &Params, me: usize) -> Answer {
    let stop_on_failure = match params.required("cancelReplaceMode")? {
        "STOP_ON_FAILURE" => true,
        "ALLOW_FAILURE" => false,
        _ => return Err(Refusal::bad_data("cancelReplaceMode")),
    };
    let (order, length) = read(world, params)?;
    let id = params.whole("cancelOrderId")?.map(|id| u64::try_from(id).unwrap_or(0));
    let old_name = params.client_id("cancelOrigClientOrderId")?;
    let request = params.client_id("cancelNewClientOrderId")?;
    let restriction = params.text("cancelRestrictions")?;
    params.text("orderRateLimitExceededMode")?;
    params.all_read()?;
    if id.is_none() && old_name.is_none() {
        return Err(Refusal::missing_either("cancelOrigClientOrderId", "cancelOrderId"));
    }
    let old = world.find(me, order.listing, id, old_name).filter(|row| row.status.is_open()).map(|row| row.id);
    let cancelled = old
        .ok_or_else(Refusal::cancel_unknown)
        .and_then(|id| check_restriction(world, id, restriction).map(|()| id))
        .and_then(|id| cancel_one(world, id, request));
    let placed = if cancelled.is_err() && stop_on_failure {
        None
    } else {
        Some(world.place(me, order).map(|id| answer(world, id, length)))
    };
    both_halves(cancelled, placed)
}

fn both_halves(cancelled: Answer, placed: Option<Answer>) -> Answer {
    let word = |half: &Option<&Answer>| match half {
        Some(Ok(_)) => "SUCCESS",
        Some(Err(_)) => "FAILURE",
        None => "NOT_ATTEMPTED",
    };
    let show = |half: &Option<&Answer>| match half {
        Some(Ok(value)) => (*value).clone(),
        Some(Err(refusal)) => refusal.body(),
        None => Value::Null,
    };
    let halves = (Some(&cancelled), placed.as_ref());
    let data = json!({
        "cancelResult": word(&halves.0), "newOrderResult": word(&halves.1), "cancelResponse": show(&halves.0),
        "newOrderResponse": show(&halves.1),
    });
    let failed = |code, text: &str, status| {
        Err(Refusal { data: Some(Box::new(data.clone())), ..Refusal::new(code, text).with_status(status) })
    };
    match (&cancelled, &placed) {
        (Ok(_), Some(Ok(_))) => Ok(data),
        (Err(_), Some(Err(_)) | None) => failed(-2022, "Order cancel-replace failed.", 400),
        _ => failed(-2021, "Order cancel-replace partially failed.", 409),
    }
}

// --- order lists

/// One leg of a list, from parameters that begin with `leg`.
fn leg(params: &Params, leg: &str, listing: usize, side: Side, quantity: Quantity) -> Result<NewOrder, Refusal> {
    let named = |name: &str| format!("{leg}{name}");
    let kind = Kind::named(params.required(&named("Type"))?).ok_or_else(Refusal::bad_order_type)?;
    refuse_unsupported(params, &named("IcebergQty"), &named("TrailingDelta"))?;
    need(params, &named("TimeInForce"), kind.has_time_in_force())?;
    need(params, &named("Price"), kind.has_price())?;
    need(params, &named("StopPrice"), kind.is_contingent())?;
    for ignored in ["StrategyId", "StrategyType"] {
        params.whole(&named(ignored))?;
    }
    let force = match params.text(&named("TimeInForce"))? {
        None => Force::Gtc,
        Some(name) => Force::named(name).ok_or_else(Refusal::bad_time_in_force)?,
    };
    let client_id = params.client_id(&named("ClientOrderId"))?.map(str::to_owned);
    Ok(NewOrder {
        listing,
        side,
        kind,
        force,
        quantity: Some(quantity),
        quote_quantity: None,
        price: price(params, &named("Price"))?,
        stop: price(params, &named("StopPrice"))?,
        client_id,
        self_trade: self_trade(params)?,
    })
}

fn list_head(world: &World, params: &Params) -> Result<(usize, Side, Quantity, Option<String>), Refusal> {
    let listing = world.listing(params.symbol()?)?;
    let side = side(params)?;
    let quantity = params.decimal("quantity", 8)?.ok_or_else(|| Refusal::missing("quantity"))?;
    let name = params.client_id("listClientOrderId")?.map(str::to_owned);
    Ok((listing, side, Quantity::from_mantissa(quantity), name))
}

pub(super) fn place_list(world: &mut World, params: &Params, me: usize) -> Answer {
    let (listing, side, quantity, client_id) = list_head(world, params)?;
    let above = leg(params, "above", listing, side, quantity)?;
    let below = leg(params, "below", listing, side, quantity)?;
    let length = length_or(params, Length::Result)?;
    params.all_read()?;
    list_placed(world, me, NewList { client_id, below, above }, length)
}

/// The older form: a limit maker at `price` and a stop at `stopPrice`.
pub(super) fn place_old_list(world: &mut World, params: &Params, me: usize) -> Answer {
    let (listing, side, quantity, client_id) = list_head(world, params)?;
    let required = |name: &str| price(params, name)?.ok_or_else(|| Refusal::missing(name));
    let (limit, stop) = (required("price")?, required("stopPrice")?);
    let stop_limit = price(params, "stopLimitPrice")?;
    let force = match params.text("stopLimitTimeInForce")? {
        None if stop_limit.is_some() => return Err(Refusal::missing("stopLimitTimeInForce")),
        None => Force::Gtc,
        Some(name) => Force::named(name).ok_or_else(Refusal::bad_time_in_force)?,
    };
    let maker = NewOrder {
        listing,
        side,
        kind: Kind::LimitMaker,
        force: Force::Gtc,
        quantity: Some(quantity),
        quote_quantity: None,
        price: Some(limit),
        stop: None,
        client_id: params.client_id("limitClientOrderId")?.map(str::to_owned),
        self_trade: self_trade(params)?,
    };
    let stopper = NewOrder {
        kind: if stop_limit.is_some() { Kind::StopLossLimit } else { Kind::StopLoss },
        force,
        price: stop_limit,
        stop: Some(stop),
        client_id: params.client_id("stopClientOrderId")?.map(str::to_owned),
        ..maker.clone()
    };
    let length = length_or(params, Length::Result)?;
    params.all_read()?;
    let (below, above) = if side == Side::Buy { (maker, stopper) } else { (stopper, maker) };
    list_placed(world, me, NewList { client_id, below, above }, length)
}

fn list_placed(world: &mut World, me: usize, list: NewList, length: Length) -> Answer {
    let id = world.place_list(me, list)?;
    let list = &world.lists[&id];
    let mut answer = payload::list(world, list);
    answer["orderReports"] = list.orders.iter().map(|id| self::answer(world, *id, length)).collect();
    Ok(answer)
}

fn named_list(world: &World, params: &Params, me: usize) -> Result<Option<u64>, Refusal> {
    let id = params.whole("orderListId")?.map(|id| u64::try_from(id).unwrap_or(0));
    let mut name = params.client_id("origClientOrderId")?;
    if let Some(other) = params.client_id("listClientOrderId")? {
        name = Some(other);
    }
    if id.is_none() && name.is_none() {
        return Err(Refusal::missing_either("origClientOrderId", "orderListId"));
    }
    let fits = |list: &&crate::world::List| {
        list.account == me && id.is_none_or(|id| list.id == id) && name.is_none_or(|name| list.client_id == name)
    };
    Ok(world.lists.values().rev().find(fits).map(|list| list.id))
}

pub(super) fn query_list(world: &World, params: &Params, me: usize) -> Answer {
    let id = named_list(world, params, me)?;
    params.all_read()?;
    let list = id.and_then(|id| world.lists.get(&id)).ok_or_else(Refusal::no_such_list)?;
    Ok(payload::list(world, list))
}

pub(super) fn cancel_list(world: &mut World, params: &Params, me: usize) -> Answer {
    let listing = world.listing(params.symbol()?)?;
    let id = named_list(world, params, me)?;
    let request = params.client_id("newClientOrderId")?;
    params.all_read()?;
    let list = id
        .and_then(|id| world.lists.get(&id))
        .filter(|list| list.listing == listing && !list.done)
        .cloned()
        .ok_or_else(Refusal::cancel_unknown)?;
    let open = list.orders.into_iter().find(|id| world.rows[id].status.is_open());
    let (_, request) = world.cancel(open.ok_or_else(Refusal::cancel_unknown)?, request)?;
    Ok(list_cancelled(world, list.id, &request))
}

/// A list that the request called `request` cancelled, with a report of each of its orders.
fn list_cancelled(world: &World, id: u64, request: &str) -> Value {
    let list = &world.lists[&id];
    let mut answer = payload::list(world, list);
    let rows = list.orders.iter().filter_map(|id| world.rows.get(id));
    answer["orderReports"] = rows.map(|row| payload::cancelled(name_of(world, row), row, request)).collect();
    answer
}

pub(super) fn lists(world: &World, params: &Params, me: usize, only_open: bool) -> Answer {
    for ignored in ["fromId", "startTime", "endTime", "limit"] {
        params.whole(ignored)?;
    }
    params.all_read()?;
    let mine = world.lists.values().filter(|list| list.account == me && !(only_open && list.done));
    Ok(mine.map(|list| payload::list(world, list)).collect())
}
