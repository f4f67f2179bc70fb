//! What the venue says of orders and balances, on its way in.

use super::{ConvertError, Instruments, money, price, quantity, side};
use crate::binance::wire::{
    Account, AccountPosition, AccountTrade, ExecutionReport, ExecutionType, OrderReport, OrderStatus,
};
use crate::report::{AssetBalance, ForeignReport, VenueReport};
use tradewind_domain::{
    ClientOrderId, Fee, Fill, Instrument, InstrumentId, Liquidity, Money, Price, Quantity, Side, Timestamp, TradeId,
    VenueOrderId,
};

/// Reads an execution report.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit; the report must then be re-read by query.
pub fn report(all: &Instruments, event: &ExecutionReport) -> Result<VenueReport, ConvertError> {
    let it = all.symbol(&event.symbol)?;
    // a cancel carries its own id in `c` and the order's in `C`
    let name = match event.execution_type {
        ExecutionType::Canceled if !event.orig_client_order_id.is_empty() => &event.orig_client_order_id,
        _ => &event.client_order_id,
    };
    match ClientOrderId::parse(name) {
        Some(client_id) => own(it, client_id, event),
        None => foreign(it, name, event).map(VenueReport::Foreign),
    }
}

fn own(it: &Instrument, client_id: ClientOrderId, event: &ExecutionReport) -> Result<VenueReport, ConvertError> {
    let venue_id = venue_id(event.order_id);
    let at = Timestamp::from_millis(event.transaction_time);
    let cumulative = quantity(it, "z", &event.cumulative_filled_quantity)?;
    Ok(match &event.execution_type {
        ExecutionType::New => {
            let limit = price(it, "p", &event.price)?;
            let price = (limit.mantissa() != 0).then_some(limit);
            VenueReport::Accepted { client_id, venue_id, price, quantity: quantity(it, "q", &event.quantity)?, at }
        }
        ExecutionType::Trade => {
            VenueReport::Filled { fill: fill_of_report(it, client_id, event)?, venue_id, cumulative, at }
        }
        ExecutionType::Canceled => VenueReport::Cancelled { client_id, venue_id, cumulative, at },
        ExecutionType::Expired | ExecutionType::TradePrevention => {
            let reason = match event.reject_reason.as_str() {
                "NONE" => event.order_status.to_string(),
                reason => reason.to_owned(),
            };
            VenueReport::Expired { client_id, venue_id, cumulative, reason, at }
        }
        ExecutionType::Rejected => {
            let code = event.reject_reason.clone();
            let reason = format!("the matching engine rejected the order: {code}");
            VenueReport::Rejected { client_id, code, reason, definitive: true, at }
        }
        ExecutionType::Replaced => {
            VenueReport::Amended { client_id, venue_id, quantity: quantity(it, "q", &event.quantity)?, at }
        }
        ExecutionType::Other(word) => return Err(out_of_place(it, "x", word, "is not a known execution type")),
    })
}

fn out_of_place(it: &Instrument, field: &'static str, value: &str, why: &'static str) -> ConvertError {
    ConvertError::Value { field, symbol: it.spec.venue_symbol.clone(), value: value.to_owned(), why }
}

fn foreign(it: &Instrument, name: &str, event: &ExecutionReport) -> Result<ForeignReport, ConvertError> {
    let executed = match event.execution_type {
        ExecutionType::Trade => {
            Some((quantity(it, "l", &event.last_executed_quantity)?, price(it, "L", &event.last_executed_price)?))
        }
        _ => None,
    };
    Ok(ForeignReport {
        client_id: name.to_owned(),
        venue_id: venue_id(event.order_id),
        instrument: it.id,
        side: side(it, &event.side)?,
        what: event.execution_type.to_string(),
        executed,
        at: Timestamp::from_millis(event.transaction_time),
    })
}

fn venue_id(number: u64) -> VenueOrderId {
    VenueOrderId(number.to_string().into_boxed_str())
}

fn fill_of_report(it: &Instrument, client_id: ClientOrderId, event: &ExecutionReport) -> Result<Fill, ConvertError> {
    let id = u128::try_from(event.trade_id)
        .map_err(|_| out_of_place(it, "t", &event.trade_id.to_string(), "is no trade id"))?;
    let quote = it.spec.symbol.quote.to_string();
    let asset = event.commission_asset.as_deref().unwrap_or(&quote);
    checked_fill(Fill {
        client_id,
        instrument: it.id,
        trade_id: TradeId(id),
        side: side(it, &event.side)?,
        price: price(it, "L", &event.last_executed_price)?,
        quantity: quantity(it, "l", &event.last_executed_quantity)?,
        liquidity: liquidity(event.is_maker),
        fee: Fee(money("n", &event.commission, asset)?),
    })
    .ok_or_else(|| out_of_place(it, "l", &event.last_executed_quantity, "is not a positive quantity"))
}

/// Reads an execution of `GET /api/v3/myTrades`. The client id must be known by other means: the venue gives only
/// its own order id.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn fill_of_trade(
    it: &Instrument,
    client_id: ClientOrderId,
    row: &AccountTrade,
) -> Result<(Fill, Timestamp), ConvertError> {
    let fill = Fill {
        client_id,
        instrument: it.id,
        trade_id: TradeId(row.id.into()),
        side: if row.is_buyer { Side::Buy } else { Side::Sell },
        price: price(it, "price", &row.price)?,
        quantity: quantity(it, "qty", &row.qty)?,
        liquidity: liquidity(row.is_maker),
        fee: Fee(money("commission", &row.commission, &row.commission_asset)?),
    };
    let fill = checked_fill(fill).ok_or_else(|| out_of_place(it, "qty", &row.qty, "is not a positive quantity"))?;
    Ok((fill, Timestamp::from_millis(row.time)))
}

fn checked_fill(fill: Fill) -> Option<Fill> {
    (fill.quantity > Quantity::ZERO).then_some(fill)
}

const fn liquidity(is_maker: bool) -> Liquidity {
    if is_maker { Liquidity::Maker } else { Liquidity::Taker }
}

/// How an order stands, by a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStanding {
    /// Our name of it, if it is ours.
    pub client_id: Option<ClientOrderId>,
    /// Its client id as the venue has it.
    pub client_text: String,
    /// The venue's name of it.
    pub venue_id: VenueOrderId,
    /// Of what.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// Its limit price, if it has one.
    pub price: Option<Price>,
    /// How much was asked.
    pub quantity: Quantity,
    /// How much was executed.
    pub filled: Quantity,
    /// Where it stands.
    pub state: StandingState,
    /// When it was placed, by the venue's clock.
    pub placed_at: Timestamp,
    /// When it last changed, by the venue's clock.
    pub updated_at: Timestamp,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingState {
    /// On the book, or waiting for its trigger.
    Open,
    /// All of it was executed.
    Filled,
    /// Taken off on request.
    Cancelled,
    /// Never accepted.
    Rejected,
    /// Off by its own terms, by the venue, or to prevent a trade with ourselves.
    Expired,
}

/// Reads the answer to a query about an order.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn standing(all: &Instruments, row: &OrderReport) -> Result<OrderStanding, ConvertError> {
    let it = all.symbol(&row.symbol)?;
    let state = match &row.status {
        OrderStatus::New | OrderStatus::PendingNew | OrderStatus::PartiallyFilled | OrderStatus::PendingCancel => {
            StandingState::Open
        }
        OrderStatus::Filled => StandingState::Filled,
        OrderStatus::Canceled => StandingState::Cancelled,
        OrderStatus::Rejected => StandingState::Rejected,
        OrderStatus::Expired | OrderStatus::ExpiredInMatch => StandingState::Expired,
        OrderStatus::Other(word) => return Err(out_of_place(it, "status", word, "is not a known status")),
    };
    let limit = price(it, "price", &row.price)?;
    Ok(OrderStanding {
        client_id: ClientOrderId::parse(&row.client_order_id),
        client_text: row.client_order_id.clone(),
        venue_id: venue_id(row.order_id),
        instrument: it.id,
        side: side(it, &row.side)?,
        price: (limit.mantissa() != 0).then_some(limit),
        quantity: quantity(it, "origQty", &row.orig_qty)?,
        filled: quantity(it, "executedQty", &row.executed_qty)?,
        state,
        placed_at: Timestamp::from_millis(row.time),
        updated_at: Timestamp::from_millis(row.update_time),
    })
}

/// The account's balances, and what of it cannot be read. Assets without any are left out.
#[must_use]
pub fn balances(account: &Account) -> (Vec<AssetBalance>, Vec<ConvertError>) {
    let (mut all, faults) = sorted(account.balances.iter().map(|b| balance(&b.asset, &b.free, &b.locked)));
    all.retain(|b| b.free.units != 0 || b.locked.units != 0);
    (all, faults)
}

/// The balances of an `outboundAccountPosition`, zero ones too, and what of it cannot be read.
#[must_use]
pub fn position_balances(event: &AccountPosition) -> (Vec<AssetBalance>, Vec<ConvertError>) {
    sorted(event.balances.iter().map(|b| balance(&b.asset, &b.free, &b.locked)))
}

type Read = Result<AssetBalance, ConvertError>;

/// One asset that cannot be read, such as one with a name outside ASCII, must not hide the others.
fn sorted(all: impl Iterator<Item = Read>) -> (Vec<AssetBalance>, Vec<ConvertError>) {
    let (mut sound, mut faults) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            Ok(balance) => sound.push(balance),
            Err(fault) => faults.push(fault),
        }
    }
    (sound, faults)
}

fn balance(asset: &str, free: &str, locked: &str) -> Result<AssetBalance, ConvertError> {
    let free = money("free", free, asset)?;
    let locked: Money = money("locked", locked, asset)?;
    Ok(AssetBalance { currency: free.currency, free, locked })
}
