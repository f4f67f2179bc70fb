//! How well each book that is followed can take our orders, as `status` shows it.

use serde::Serialize;
use std::time::{Duration, Instant};
use tradewind_domain::{Instrument, Price, Quantity, format_decimal};
use tradewind_engine::State;
use tradewind_risk::book_liquidity;

/// From this age on what rested in a book says nothing any more.
const LASTS: Duration = Duration::from_secs(10);

/// A book as it was last told, levels best first.
#[derive(Debug)]
pub(crate) struct SeenBook {
    pub(crate) bids: Vec<(Price, Quantity)>,
    pub(crate) asks: Vec<(Price, Quantity)>,
    pub(crate) at: Instant,
}

/// How well a book can take our orders.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiquidityView {
    /// `excellent`, `good`, `fair`, `poor` or `critical`.
    pub class: String,
    /// 0 to 100.
    pub score: f64,
    /// In basis points of the middle; missing without both sides.
    pub spread_bps: Option<f64>,
    /// Bids less asks over their sum within 5 %, from -1 to 1.
    pub imbalance: Option<f64>,
    /// What rests within 1, 5 and 10 % of the middle: bids and asks, in quote currency.
    pub depth: Vec<[String; 2]>,
    /// The largest buy that need not be sliced; missing where any size may go at once.
    pub buy_up_to: Option<String>,
    /// The same for a sell.
    pub sell_up_to: Option<String>,
}

/// Judges a book for the largest order that the limits of any portfolio allow; `None` for an old one.
pub(crate) fn liquidity(state: &State, it: &Instrument, book: &SeenBook) -> Option<LiquidityView> {
    if book.at.elapsed() > LASTS {
        return None;
    }
    let largest = |books: &tradewind_engine::Portfolio| {
        let order = books.limits.max_order.units(books.equity()).unwrap_or_else(|| books.equity());
        let (numerator, denominator) = state.rate(books.base, it.settlement())?;
        order.checked_mul(numerator).map(|units| units / denominator)
    };
    judge(it, book, state.portfolios.iter().filter_map(largest).max()?)
}

fn judge(it: &Instrument, book: &SeenBook, enough: i128) -> Option<LiquidityView> {
    let found = book_liquidity(it, &book.bids, &book.asks, enough)?;
    let judged = found.judged;
    let decimals = it.spec.price_decimals + it.spec.quantity_decimals;
    let size = |quantity: Option<Quantity>| quantity.map(|quantity| it.quantity_text(quantity));
    Some(LiquidityView {
        class: format!("{:?}", judged.class).to_lowercase(),
        score: judged.score,
        spread_bps: judged.spread_bps,
        imbalance: judged.imbalance,
        depth: judged
            .depth
            .iter()
            .map(|band| [band.bids, band.asks].map(|sum| format_decimal(sum, decimals)))
            .collect(),
        buy_up_to: size(found.buy_up_to),
        sell_up_to: size(found.sell_up_to),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{InstrumentId, InstrumentSpec};

    fn level((price, quantity): (i64, i64)) -> (Price, Quantity) {
        (Price::from_mantissa(price), Quantity::from_mantissa(quantity))
    }

    #[test]
    fn a_book_is_shown_in_the_words_and_units_of_a_trader() {
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals: 4,
            ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
        };
        let it = spec.list(InstrumentId(0)).unwrap();
        let bids = vec![level((9_999, 10_000)), level((9_000, 20_000))];
        let book = SeenBook { bids, asks: vec![level((10_001, 10_000))], at: Instant::now() };
        let view = judge(&it, &book, 5_000_000_000).unwrap(); // 50 USDT
        assert_eq!((view.class.as_str(), view.spread_bps), ("excellent", Some(2.0)));
        assert_eq!(view.depth, [["99.99", "100.01"], ["99.99", "100.01"], ["279.99", "100.01"]]);
        assert_eq!((view.buy_up_to, view.sell_up_to), (None, None), "half of 100 basis points at most");
        let poor = judge(&it, &book, 100_000_000_000).unwrap(); // 1,000 USDT: a tenth of it rests there
        assert!(poor.class == "poor" && (poor.score - (80.0 + 3.0 * 9.999) / 4.0).abs() < 1e-9, "{poor:?}");
        // twice the modelled impact: 25 basis points are twice within 50 at the end of the ten levels, which is all of it
        assert_eq!((poor.buy_up_to.as_deref(), poor.sell_up_to.as_deref()), (Some("1"), Some("3")));
        assert_eq!(judge(&it, &book, 0), None);
        let one_sided = SeenBook { asks: Vec::new(), ..book };
        assert_eq!(judge(&it, &one_sided, 5_000_000_000).unwrap().class, "critical");
    }
}
