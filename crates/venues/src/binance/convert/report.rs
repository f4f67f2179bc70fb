//! What the venue says of orders and balances, on its way in.

use super::{ConvertError, Instruments, QUANTITY_MOST, counted, executed, held, limit, moment, money, paid, side};
use crate::binance::wire::{
    Account, AccountPosition, AccountTrade, ExecutionReport, ExecutionType, OrderReport, OrderStatus, OrderType,
};
use crate::report::{AssetBalance, ForeignReport, VenueReport};
use tradewind_domain::{
    ClientOrderId, Fee, Fill, Instrument, InstrumentId, Liquidity, Money, OrderKind, Price, Quantity, Side, Timestamp,
    TradeId, TrailingOffset, VenueOrderId,
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
    let (quantity, cumulative) = worked(it, event)?;
    Ok(match &event.execution_type {
        ExecutionType::New => {
            VenueReport::Accepted { client_id, venue_id, price: limit(it, "p", &event.price)?, quantity, at }
        }
        ExecutionType::Trade => {
            VenueReport::Filled { fill: fill_of_report(it, client_id, event)?, venue_id, cumulative, at }
        }
        ExecutionType::Canceled => VenueReport::Cancelled { client_id, venue_id, cumulative, at },
        // of two own orders that would meet, the larger one may go on with less: "Self Trade Prevention (STP) FAQ", DECREMENT
        ExecutionType::TradePrevention if is_open(it, "X", &event.order_status)? => {
            if event.prevented_quantity.is_none() {
                return Err(out_of_place(it, "A", "", "does not say how much was prevented"));
            }
            VenueReport::Amended { client_id, venue_id, quantity, at }
        }
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
        ExecutionType::Replaced => VenueReport::Amended { client_id, venue_id, quantity, at },
        ExecutionType::Other(word) => return Err(out_of_place(it, "x", word, "is not a known execution type")),
    })
}

/// How much the venue works, less what it prevented, and how much of that it has executed.
fn worked(it: &Instrument, event: &ExecutionReport) -> Result<(Quantity, Quantity), ConvertError> {
    let asked = counted(it, "q", &event.quantity, QUANTITY_MOST)?;
    let cumulative = counted(it, "z", &event.cumulative_filled_quantity, asked.mantissa())?;
    let left = asked - cumulative;
    let prevented = event.prevented_quantity.as_deref().map(|text| counted(it, "A", text, left.mantissa()));
    Ok((asked - prevented.transpose()?.unwrap_or_default(), cumulative))
}

/// Whether an order of this status may still fill.
fn is_open(it: &Instrument, field: &'static str, status: &OrderStatus) -> Result<bool, ConvertError> {
    state_of(it, field, status).map(|state| state == StandingState::Open)
}

fn out_of_place(it: &Instrument, field: &'static str, value: &str, why: &'static str) -> ConvertError {
    ConvertError::Value { field, symbol: it.spec.venue_symbol.clone(), value: value.to_owned(), why }
}

fn foreign(it: &Instrument, name: &str, event: &ExecutionReport) -> Result<ForeignReport, ConvertError> {
    let executed = match event.execution_type {
        ExecutionType::Trade => {
            Some((executed(it, "l", &event.last_executed_quantity)?, paid(it, "L", &event.last_executed_price)?))
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
    Ok(Fill {
        client_id,
        instrument: it.id,
        trade_id: TradeId(id),
        side: side(it, &event.side)?,
        price: paid(it, "L", &event.last_executed_price)?,
        quantity: executed(it, "l", &event.last_executed_quantity)?,
        liquidity: liquidity(event.is_maker),
        fee: fee("n", &event.commission, asset)?,
    })
}

/// Reads an execution of `GET /api/v3/myTrades`. The client id must be known by other means: the venue gives only
/// its own order id.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn fill_of_trade(it: &Instrument, client_id: ClientOrderId, row: &AccountTrade) -> Result<Fill, ConvertError> {
    Ok(Fill {
        client_id,
        instrument: it.id,
        trade_id: TradeId(row.id.into()),
        side: if row.is_buyer { Side::Buy } else { Side::Sell },
        price: paid(it, "price", &row.price)?,
        quantity: executed(it, "qty", &row.qty)?,
        liquidity: liquidity(row.is_maker),
        fee: fee("commission", &row.commission, &row.commission_asset)?,
    })
}

/// When an execution of `GET /api/v3/myTrades` happened. It counts whatever its stamp: `received` stands in for one that
/// is none.
#[must_use]
pub fn time_of_trade(row: &AccountTrade, received: Timestamp) -> Timestamp {
    moment("time", &row.symbol, row.time).unwrap_or(received)
}

fn fee(field: &'static str, amount: &str, asset: &str) -> Result<Fee, ConvertError> {
    let fee: Money = money(field, amount, asset)?;
    if fee.units.unsigned_abs() <= QUANTITY_MOST.unsigned_abs().into() {
        return Ok(Fee(fee));
    }
    let (symbol, value) = (asset.to_owned(), amount.to_owned());
    Err(ConvertError::Value { field, symbol, value, why: "is out of its bounds" })
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
    /// How it meets the market; `None` for a kind of the venue's own.
    pub kind: Option<OrderKind>,
    /// The venue's words for that kind.
    pub kind_text: String,
    /// The venue's number of the list that it belongs to, if it does.
    pub list: Option<u64>,
    /// How much was asked.
    pub quantity: Quantity,
    /// How much was executed.
    pub filled: Quantity,
    /// Where it stands.
    pub state: StandingState,
    /// Whether it is not on the book yet: it waits for its trigger.
    pub waits: bool,
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

/// Reads the answer to a query about an order. `received` stands in for a time that is none.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn standing(all: &Instruments, row: &OrderReport, received: Timestamp) -> Result<OrderStanding, ConvertError> {
    let it = all.symbol(&row.symbol)?;
    let state = state_of(it, "status", &row.status)?;
    let (quantity, filled) = quantities(it, row, state)?;
    let at = |field, millis| moment(field, &row.symbol, millis).unwrap_or(received);
    let price = limit(it, "price", &row.price)?;
    Ok(OrderStanding {
        client_id: ClientOrderId::parse(&row.client_order_id),
        client_text: row.client_order_id.clone(),
        venue_id: venue_id(row.order_id),
        instrument: it.id,
        side: side(it, &row.side)?,
        price,
        kind: kind(it, row, price)?,
        kind_text: kind_text(row),
        list: u64::try_from(row.order_list_id).ok(),
        quantity,
        filled,
        state,
        waits: state == StandingState::Open && !row.is_working,
        placed_at: at("time", row.time),
        updated_at: at("updateTime", row.update_time),
    })
}

/// How an order meets the market. A trailing stop follows at once, in basis points, and sells or buys at the market: one with
/// a limit, one that waits for a first price and one that takes a profit have no kind here, and neither has one that waits
/// for another order of its list (OTO, OTOCO).
///
/// Source: "Trailing Stop FAQ" of the venue, `trailingDelta`.
fn kind(it: &Instrument, row: &OrderReport, price: Option<Price>) -> Result<Option<OrderKind>, ConvertError> {
    use OrderType::{Limit, LimitMaker, Market, StopLoss, StopLossLimit, TakeProfit, TakeProfitLimit};
    let is_plain = matches!(row.order_type, Market | Limit | LimitMaker);
    let waits_for = Some(row.stop_price.as_str()).filter(|text| !is_plain && !text.is_empty());
    let trigger = waits_for.map(|text| limit(it, "stopPrice", text)).transpose()?.flatten();
    if row.status == OrderStatus::PendingNew {
        return Ok(None); // it stands nowhere until another order of its list has filled
    }
    Ok(match (&row.order_type, trigger, price, row.trailing_delta) {
        (Market | Limit | LimitMaker, ..) => Some(price.map_or(OrderKind::Market, |price| OrderKind::Limit { price })),
        (StopLoss, Some(trigger), _, None) => Some(OrderKind::Stop { trigger }),
        (StopLossLimit, Some(trigger), Some(price), None) => Some(OrderKind::StopLimit { trigger, price }),
        (TakeProfit, Some(trigger), _, None) => Some(OrderKind::Touched { trigger }),
        (TakeProfitLimit, Some(trigger), Some(price), None) => Some(OrderKind::LimitTouched { trigger, price }),
        (StopLoss, None, _, Some(delta)) => trailing(delta),
        _ => None,
    })
}

fn trailing(delta: i64) -> Option<OrderKind> {
    let offset = TrailingOffset::Bps(u32::try_from(delta).ok()?);
    offset.is_usable().then_some(OrderKind::Trailing { offset, activation: None })
}

/// The venue's words for how an order meets the market.
fn kind_text(row: &OrderReport) -> String {
    match row.trailing_delta {
        _ if row.status == OrderStatus::PendingNew => {
            format!("{} that waits for another order of its list", row.order_type)
        }
        Some(delta) => format!("{} with trailingDelta {delta}", row.order_type),
        None => row.order_type.to_string(),
    }
}

/// What an order asks for and what was executed of it. One that was placed for an amount of money may state no quantity:
/// it asked for what it got. One that goes on after a prevented match asks for so much less.
fn quantities(it: &Instrument, row: &OrderReport, state: StandingState) -> Result<(Quantity, Quantity), ConvertError> {
    let asked = counted(it, "origQty", &row.orig_qty, QUANTITY_MOST)?;
    let most = if asked.is_zero() { QUANTITY_MOST } else { asked.mantissa() };
    let filled = counted(it, "executedQty", &row.executed_qty, most)?;
    let asked = asked.max(filled);
    let prevented = row.prevented_quantity.as_deref().filter(|_| state == StandingState::Open);
    let prevented = prevented.map(|text| counted(it, "preventedQuantity", text, (asked - filled).mantissa()));
    Ok((asked - prevented.transpose()?.unwrap_or_default(), filled))
}

fn state_of(it: &Instrument, field: &'static str, status: &OrderStatus) -> Result<StandingState, ConvertError> {
    Ok(match status {
        OrderStatus::New | OrderStatus::PendingNew | OrderStatus::PartiallyFilled | OrderStatus::PendingCancel => {
            StandingState::Open
        }
        OrderStatus::Filled => StandingState::Filled,
        OrderStatus::Canceled => StandingState::Cancelled,
        OrderStatus::Rejected => StandingState::Rejected,
        OrderStatus::Expired | OrderStatus::ExpiredInMatch => StandingState::Expired,
        OrderStatus::Other(word) => return Err(out_of_place(it, field, word, "is not a known status")),
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
    let free = held("free", free, asset)?;
    let locked = held("locked", locked, asset)?;
    Ok(AssetBalance { currency: free.currency, free, locked })
}
