//! Exchange information: what a symbol's listing says of its instrument.

use super::ConvertError;
use crate::binance::wire::{Account, Filter, OrderType, SelfTradePrevention, SymbolInfo, SymbolStatus};
use tradewind_domain::{
    Currency, FeeAsset, FeeSchedule, InstrumentSpec, LEDGER_DECIMALS, Money, NativeKinds, Price, Quantity, Symbol,
    parse_decimal,
};

/// An instrument as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The instrument.
    pub spec: InstrumentSpec,
    /// What else its orders must keep to.
    pub rules: ListingRules,
}

/// Rules of a symbol that an instrument has no field for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingRules {
    /// Whether it trades now.
    pub trading: bool,
    /// Which order types it takes.
    pub order_types: Vec<OrderType>,
    /// Whether it takes two orders of which one cancels the other.
    pub oco: bool,
    /// Whether an open order may be made smaller in its place.
    pub amend: bool,
    /// Largest quantity of a market order.
    pub market_max_quantity: Quantity,
    /// Most open orders of one account.
    pub max_orders: Option<u32>,
    /// Most open orders that wait for a trigger.
    pub max_algo_orders: Option<u32>,
    /// Which ways of preventing trades with ourselves it takes.
    pub self_trade_prevention: Vec<SelfTradePrevention>,
    /// Filters of this listing that this build does not know.
    pub unknown_filters: usize,
}

/// Reads a listing. `fees` comes from the account ([`fee_schedule`]): exchange information does not tell.
///
/// Prices carry `quotePrecision` decimals and quantities `baseAssetPrecision`, eight each, which is finer than tick
/// and lot.
///
/// # Errors
/// [`ConvertError::Listing`] if a filter is missing or contradicts, [`ConvertError::Number`] for a number that does
/// not fit, [`ConvertError::Value`] for one below zero.
pub fn list_symbol(info: &SymbolInfo, fees: FeeSchedule) -> Result<Listing, ConvertError> {
    let unusable = |why: String| ConvertError::Listing { symbol: info.symbol.clone(), why };
    let currency = |code: &str| Currency::new(code).map_err(unusable);
    let symbol: Symbol =
        format!("{}/{}", info.base_asset, info.quote_asset).parse().map_err(|error| unusable(format!("{error}")))?;
    let (base, quote) = (currency(&info.base_asset)?, currency(&info.quote_asset)?);
    debug_assert!(symbol.base == base && symbol.quote == quote);
    let (price_decimals, quantity_decimals) = (info.quote_precision, info.base_asset_precision);

    let number = |field, text: &str, decimals| {
        let symbol = info.symbol.clone();
        match parse_decimal(text, decimals) {
            Ok(number @ 0..) => Ok(number),
            Ok(_) => Err(ConvertError::Value { field, symbol, value: text.to_owned(), why: "is below zero" }),
            Err(cause) => Err(ConvertError::Number { field, symbol, cause }),
        }
    };
    let (mut tick, mut lot, mut market_max, mut min_notional) = (None, None, None, 0);
    let (mut max_orders, mut max_algo_orders, mut unknown_filters) = (None, None, 0);
    for filter in &info.filters {
        match filter {
            Filter::PriceFilter { tick_size, .. } => tick = Some(number("tickSize", tick_size, price_decimals)?),
            Filter::LotSize { min_qty, max_qty, step_size } => {
                lot = Some((
                    number("stepSize", step_size, quantity_decimals)?,
                    number("minQty", min_qty, quantity_decimals)?,
                    number("maxQty", max_qty, quantity_decimals)?,
                ));
            }
            Filter::MarketLotSize { max_qty, .. } => {
                market_max = Some(number("maxQty", max_qty, quantity_decimals)?).filter(|max| *max > 0);
            }
            Filter::MinNotional { min_notional: min, .. } | Filter::Notional { min_notional: min, .. } => {
                min_notional = number("minNotional", min, LEDGER_DECIMALS)?;
            }
            Filter::MaxNumOrders { max_num_orders } => max_orders = Some(*max_num_orders),
            Filter::MaxNumAlgoOrders { max_num_algo_orders } => max_algo_orders = Some(*max_num_algo_orders),
            Filter::Unknown => unknown_filters += 1,
            _ => (), // judged by the venue
        }
    }
    // a tick or step of zero means that the rule is off
    let tick = tick.ok_or_else(|| unusable("PRICE_FILTER is missing".to_owned()))?.max(1);
    let (lot, min, max) = lot.ok_or_else(|| unusable("LOT_SIZE is missing".to_owned()))?;
    let spec = InstrumentSpec {
        venue_symbol: info.symbol.clone(),
        price_decimals,
        quantity_decimals,
        tick: Price::from_mantissa(tick),
        lot: Quantity::from_mantissa(lot.max(1)),
        min_quantity: Quantity::from_mantissa(min),
        max_quantity: Quantity::from_mantissa(max),
        min_notional: Money { currency: quote, units: i128::from(min_notional) },
        fees,
        native: NativeKinds {
            touched: info.order_types.contains(&OrderType::TakeProfit),
            limit_touched: info.order_types.contains(&OrderType::TakeProfitLimit),
            ..NativeKinds::default()
        },
        ..InstrumentSpec::spot(symbol, super::super::VENUE)
    };
    let rules = ListingRules {
        trading: info.status == SymbolStatus::Trading && info.is_spot_trading_allowed,
        order_types: info.order_types.clone(),
        oco: info.oco_allowed,
        amend: info.amend_allowed,
        market_max_quantity: Quantity::from_mantissa(market_max.unwrap_or(max)),
        max_orders,
        max_algo_orders,
        self_trade_prevention: info.allowed_self_trade_prevention_modes.clone(),
        unknown_filters,
    };
    Ok(Listing { spec, rules })
}

/// What the account pays, taken in the asset received.
///
/// # Errors
/// [`ConvertError::Number`] for a rate that is not a fraction of at most six decimals.
pub fn fee_schedule(account: &Account) -> Result<FeeSchedule, ConvertError> {
    let rate = |field, text: &str| {
        let wrong = |cause| ConvertError::Number { field, symbol: "commissionRates".to_owned(), cause };
        let units = parse_decimal(text, 6).map_err(wrong)?;
        i32::try_from(units).map_err(|_| wrong(tradewind_domain::NumberError::TooLarge(text.to_owned())))
    };
    let (maker_centi_bps, taker_centi_bps) = match &account.commission_rates {
        Some(rates) => (rate("maker", &rates.maker)?, rate("taker", &rates.taker)?),
        // the older fields count whole basis points
        None => {
            let whole = |bps: i64| i32::try_from(bps * 100).unwrap_or(i32::MAX);
            (whole(account.maker_commission), whole(account.taker_commission))
        }
    };
    Ok(FeeSchedule { maker_centi_bps, taker_centi_bps, asset: FeeAsset::Received })
}
