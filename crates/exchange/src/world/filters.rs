//! The filters an order must pass before it may reach the book.
//!
//! Source: `filters.md` of the venue's documentation.

use super::market::{AVERAGE_MINUTES, MAX_OPEN, MAX_OPEN_CONTINGENT, Market, PERCENT_DOWN, PERCENT_UP};
use super::order::{Kind, NewOrder};
use crate::binance::answer::Refusal;
use tradewind_domain::{Price, Quantity};

/// Judges `order` by price, size, notional and number of open orders, in the order in which the venue names them.
///
/// `open` counts the account's open orders of the pair: all, and those that wait for a trigger.
pub(crate) fn check(order: &NewOrder, market: &Market, open: (usize, usize), now: i64) -> Result<(), Refusal> {
    let average = market.average(AVERAGE_MINUTES, now);
    for price in [order.price, order.stop].into_iter().flatten() {
        price_filter(market, price)?;
    }
    if let Some(price) = order.price {
        percent_price(price, average)?;
    }
    if let Some(quantity) = order.quantity {
        lot_size(market, quantity)?;
        if order.kind == Kind::Market && quantity > market.rules.max_market_quantity {
            return Err(Refusal::filter("MARKET_LOT_SIZE"));
        }
    }
    notional(order, market, average)?;
    if open.0 >= MAX_OPEN {
        return Err(Refusal::filter("MAX_NUM_ORDERS"));
    }
    if order.kind.is_contingent() && open.1 >= MAX_OPEN_CONTINGENT {
        return Err(Refusal::filter("MAX_NUM_ALGO_ORDERS"));
    }
    Ok(())
}

fn price_filter(market: &Market, price: Price) -> Result<(), Refusal> {
    let tick = market.rules.instrument.spec.tick.mantissa();
    let fits = price.mantissa() >= tick && price.mantissa() <= max_price(tick) && price.mantissa() % tick == 0;
    if fits { Ok(()) } else { Err(Refusal::filter("PRICE_FILTER")) }
}

/// The largest price of a pair: a hundred million ticks, as the venue lists BTCUSDT.
pub(crate) const fn max_price(tick: i64) -> i64 {
    tick.saturating_mul(100_000_000)
}

fn percent_price(price: Price, average: Price) -> Result<(), Refusal> {
    let (price, average) = (i128::from(price.mantissa()), i128::from(average.mantissa()));
    let fits = price <= average * i128::from(PERCENT_UP) && price * i128::from(PERCENT_DOWN) >= average;
    if fits { Ok(()) } else { Err(Refusal::filter("PERCENT_PRICE_BY_SIDE")) }
}

fn lot_size(market: &Market, quantity: Quantity) -> Result<(), Refusal> {
    let spec = &market.rules.instrument.spec;
    let fits = quantity >= spec.min_quantity
        && quantity <= spec.max_quantity
        && quantity.mantissa() % spec.lot.mantissa() == 0;
    if fits { Ok(()) } else { Err(Refusal::filter("LOT_SIZE")) }
}

fn notional(order: &NewOrder, market: &Market, average: Price) -> Result<(), Refusal> {
    let price = order.price.or(order.stop).unwrap_or(average);
    let value = match (order.quote_quantity, order.quantity) {
        (Some(quote), _) => quote,
        (None, Some(quantity)) => market.rules.notional(price, quantity),
        (None, None) => return Ok(()),
    };
    let (min, max) = (market.rules.instrument.spec.min_notional.units, market.rules.max_notional);
    let too_large = order.kind != Kind::Market && value > max; // applyMaxToMarket is false
    if value < min || too_large { Err(Refusal::filter("NOTIONAL")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::market::Rules;
    use super::super::order::{Force, SelfTrade};
    use super::*;
    use crate::config::SymbolConfig;
    use tradewind_domain::{FeeSchedule, Side, parse_decimal};

    fn market() -> Market {
        let rules = Rules::new(0, &SymbolConfig::defaults()[0], FeeSchedule::default()).unwrap();
        let mut market = Market::new(rules, 60_000, 100);
        market.begin(0, Price::from_mantissa(6_000_000_000_000));
        market
    }

    fn verdict(kind: Kind, quantity: &str, price: &str, stop: &str, open: (usize, usize)) -> Option<String> {
        let number = |text: &str| (!text.is_empty()).then(|| parse_decimal(text, 8).unwrap());
        let order = NewOrder {
            listing: 0,
            side: Side::Buy,
            kind,
            force: Force::Gtc,
            quantity: number(quantity).map(Quantity::from_mantissa),
            quote_quantity: None,
            price: number(price).map(Price::from_mantissa),
            stop: number(stop).map(Price::from_mantissa),
            client_id: None,
            self_trade: SelfTrade::ExpireMaker,
        };
        check(&order, &market(), open, 0).err().map(|refusal| {
            assert_eq!((refusal.status, refusal.code), (400, -1013));
            refusal.text.strip_prefix("Filter failure: ").unwrap().to_owned()
        })
    }

    #[test]
    fn every_filter_refuses_what_it_names_and_nothing_at_its_edge() {
        let none = (0, 0);
        for (kind, quantity, price, stop, open, want) in [
            (Kind::Limit, "0.001", "60000.00", "", none, None),
            (Kind::Limit, "0.001", "60000.001", "", none, Some("PRICE_FILTER")),
            (Kind::Limit, "0.001", "0", "", none, Some("PRICE_FILTER")),
            (Kind::Limit, "0.00001", "1000000.01", "", none, Some("PRICE_FILTER")),
            (Kind::StopLossLimit, "0.001", "60000", "60000.005", none, Some("PRICE_FILTER")),
            (Kind::Limit, "0.001", "300000", "", none, None),
            (Kind::Limit, "0.001", "300000.01", "", none, Some("PERCENT_PRICE_BY_SIDE")),
            (Kind::Limit, "0.001", "12000", "", none, None),
            (Kind::Limit, "0.001", "11999.99", "", none, Some("PERCENT_PRICE_BY_SIDE")),
            (Kind::Limit, "0.000015", "60000", "", none, Some("LOT_SIZE")),
            (Kind::Limit, "0", "60000", "", none, Some("LOT_SIZE")),
            (Kind::Limit, "9000.00001", "60000", "", none, Some("LOT_SIZE")),
            (Kind::Market, "1000", "", "", none, None),
            (Kind::Market, "1000.00001", "", "", none, Some("MARKET_LOT_SIZE")),
            (Kind::Limit, "0.00008", "60000", "", none, Some("NOTIONAL")),
            (Kind::Limit, "0.00025", "20000", "", none, None),
            (Kind::Limit, "0.00024", "20000", "", none, Some("NOTIONAL")),
            (Kind::Market, "0.00008", "", "", none, Some("NOTIONAL")),
            (Kind::Limit, "150", "60000", "", none, None),
            (Kind::Limit, "150.00001", "60000", "", none, Some("NOTIONAL")),
            (Kind::Limit, "0.001", "60000", "", (200, 0), Some("MAX_NUM_ORDERS")),
            (Kind::Limit, "0.001", "60000", "", (199, 5), None),
            (Kind::StopLossLimit, "0.001", "60000", "61000", (5, 5), Some("MAX_NUM_ALGO_ORDERS")),
        ] {
            assert_eq!(
                verdict(kind, quantity, price, stop, open).as_deref(),
                want,
                "{kind:?} {quantity} at {price} stop {stop}, {open:?} open"
            );
        }
    }
}
