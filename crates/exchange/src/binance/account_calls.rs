//! Calls about the caller's account.

use super::answer::{Answer, Refusal};
use super::calls::Context;
use super::market_calls::limit;
use super::params::Params;
use super::payload::{self, fixed};
use crate::world::World;
use crate::world::order::Prevention;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rates as the venue writes them: fractions with eight decimals.
fn rate(bps: i32) -> String {
    fixed(i128::from(bps) * 100) // hundredths of a basis point are 10^-6
}

pub(super) fn account(world: &World, params: &Params, me: usize, context: &Context<'_>) -> Answer {
    let omit = params.flag("omitZeroBalances")?.unwrap_or(false);
    params.all_read()?;
    let (maker, taker) = (world.fees.maker_centi_bps, world.fees.taker_centi_bps);
    let mut assets: BTreeSet<_> =
        world.markets.iter().flat_map(|market| [market.rules.base, market.rules.quote]).collect();
    assets.extend(world.ledger.balances(me).map(|(asset, _)| asset));
    let balances: Vec<Value> = assets
        .into_iter()
        .map(|asset| (asset, world.ledger.balance(me, asset)))
        .filter(|(_, balance)| !omit || balance.free + balance.locked != 0)
        .map(|(asset, balance)| {
            json!({"asset": asset.code(), "free": fixed(balance.free), "locked": fixed(balance.locked)})
        })
        .collect();
    Ok(json!({
        "makerCommission": maker / 100, "takerCommission": taker / 100, "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": rate(maker), "taker": rate(taker), "buyer": rate(0), "seller": rate(0)},
        "canTrade": context.may_trade, "canWithdraw": context.may_withdraw, "canDeposit": false, "brokered": false,
        "requireSelfTradePrevention": false, "preventSor": false, "updateTime": world.now(),
        "accountType": "SPOT", "balances": balances, "permissions": ["SPOT"], "uid": me,
    }))
}

pub(super) fn my_trades(world: &World, params: &Params, me: usize) -> Answer {
    let listing = world.listing(params.symbol()?)?;
    let (order, from) = (params.whole("orderId")?, params.whole("fromId")?);
    let (start, end) = (params.whole("startTime")?, params.whole("endTime")?);
    let count = limit(params, 500, 1_000)?;
    params.all_read()?;
    let name = world.markets[listing].rules.name();
    let fits = |trade: &&crate::world::order::OwnTrade| {
        trade.listing == listing
            && order.is_none_or(|order| u64::try_from(order).is_ok_and(|order| order == trade.order))
            && from.is_none_or(|from| trade.id >= from)
            && start.is_none_or(|start| trade.at >= start)
            && end.is_none_or(|end| trade.at <= end)
    };
    let mut mine: Vec<_> = world.own_trades[me].iter().filter(fits).collect();
    if from.is_none() && start.is_none() {
        mine.drain(..mine.len().saturating_sub(count));
    }
    Ok(mine
        .into_iter()
        .take(count)
        .map(|trade| payload::own_trade(name, trade, world.rows.get(&trade.order)))
        .collect())
}

/// Orders of the caller that did not trade with each other: one such match by its number, or those of an order.
///
/// Source: "Query Prevented Matches" of `rest-api.md`.
pub(super) fn prevented_matches(world: &World, params: &Params, me: usize) -> Answer {
    let listing = world.listing(params.symbol()?)?;
    let (id, order) = (params.whole("preventedMatchId")?, params.whole("orderId")?);
    let from = params.whole("fromPreventedMatchId")?;
    let count = limit(params, 500, 1_000)?;
    params.all_read()?;
    if id.is_some() == order.is_some() || (id.is_some() && from.is_some()) {
        return Err(Refusal::bad_combination());
    }
    let is = |number: u64, wanted: i64| u64::try_from(wanted).is_ok_and(|wanted| wanted == number);
    let fits = |it: &&Prevention| {
        it.listing == listing
            && id.is_none_or(|id| is(it.id, id))
            && order.is_none_or(|order| is(it.told.taker, order) || is(it.told.maker, order))
            && from.is_none_or(|from| u64::try_from(from).is_ok_and(|from| it.id >= from))
    };
    let name = world.markets[listing].rules.name();
    Ok(world.prevented[me].iter().filter(fits).take(count).map(|it| payload::prevented_match(name, it)).collect())
}

pub(super) fn order_rate(params: &Params, context: &Context<'_>) -> Answer {
    params.all_read()?;
    let (in_10s, in_day) = context.order_counts;
    Ok(json!([
        {
            "rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10,
            "limit": context.limits.orders_per_10s, "count": in_10s,
        },
        {
            "rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1,
            "limit": context.limits.orders_per_day, "count": in_day,
        },
    ]))
}

pub(super) fn commission(world: &World, params: &Params) -> Answer {
    let listing = world.listing(params.symbol()?)?;
    params.all_read()?;
    let standard = json!({
        "maker": rate(world.fees.maker_centi_bps), "taker": rate(world.fees.taker_centi_bps), "buyer": rate(0),
        "seller": rate(0),
    });
    let none = json!({"maker": rate(0), "taker": rate(0), "buyer": rate(0), "seller": rate(0)});
    Ok(json!({
        "symbol": world.markets[listing].rules.name(), "standardCommission": standard, "specialCommission": none,
        "taxCommission": none,
        "discount": {"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": rate(0)},
    }))
}

/// The coins of the house with the caller's holdings; nothing can be deposited or withdrawn here.
pub(super) fn coins(world: &World, params: &Params, me: usize) -> Answer {
    params.all_read()?;
    let assets: BTreeSet<_> = world.markets.iter().flat_map(|market| [market.rules.base, market.rules.quote]).collect();
    Ok(assets
        .into_iter()
        .map(|asset| {
            let balance = world.ledger.balance(me, asset);
            json!({
                "coin": asset.code(), "name": asset.code(), "free": fixed(balance.free),
                "locked": fixed(balance.locked), "freeze": "0", "withdrawing": "0", "ipoing": "0", "ipoable": "0",
                "storage": "0", "isLegalMoney": false, "trading": true, "depositAllEnable": false,
                "withdrawAllEnable": false, "networkList": [],
            })
        })
        .collect())
}

pub(super) fn key_rights(params: &Params, context: &Context<'_>) -> Answer {
    params.all_read()?;
    Ok(json!({
        "ipRestrict": true, "createTime": 0, "enableReading": true, "enableWithdrawals": context.may_withdraw,
        "enableInternalTransfer": false, "enableMargin": false, "enableFutures": false,
        "permitsUniversalTransfer": false, "enableVanillaOptions": false, "enablePortfolioMarginTrading": false,
        "enableFixApiTrade": false, "enableFixReadOnly": false, "enableSpotAndMarginTrading": context.may_trade,
    }))
}
