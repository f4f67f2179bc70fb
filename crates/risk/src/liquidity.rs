//! How well a book can take our orders: for people, before one meets it.

use tradewind_domain::{Instrument, LEDGER_DECIMALS, Price, Quantity};
use tradewind_quant::impact::{BookLevel, SideDepth};
use tradewind_quant::liquidity::{Liquidity, advise_slicing, judge_book};

/// A book judged for an account: how liquid it is, and from which size on an order should go in slices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BookLiquidity {
    /// Kind, spread, depth in bands, imbalance, score and class. Depth is in whole price units times quantity units.
    pub judged: Liquidity,
    /// The largest buy, in whole lots, whose modelled impact times the class's multiplier stays within 50 basis points; `None`
    /// where no size goes beyond that.
    pub buy_up_to: Option<Quantity>,
    /// The same for a sell.
    pub sell_up_to: Option<Quantity>,
}

/// Judges a book of `it`, levels best first, for orders of up to `enough` ledger units of its settlement currency.
///
/// `None` for what is not paid in full (its notional is not price times quantity), where `enough` is nothing, and for a level
/// whose price or quantity is not positive.
#[must_use]
pub fn book_liquidity(
    it: &Instrument,
    bids: &[(Price, Quantity)],
    asks: &[(Price, Quantity)],
    enough: i128,
) -> Option<BookLiquidity> {
    if !it.is_cash() {
        return None;
    }
    let level = |(price, quantity): &(Price, Quantity)| {
        let quantity = u64::try_from(quantity.mantissa()).ok().filter(|quantity| *quantity > 0)?;
        Some(BookLevel { price: price.mantissa(), quantity })
    };
    let levels = |side: &[(Price, Quantity)]| side.iter().map(level).collect::<Option<Vec<_>>>();
    let (bids, asks) = (levels(bids)?, levels(asks)?);
    let decimals = i32::from(it.spec.price_decimals) + i32::from(it.spec.quantity_decimals);
    let enough = ledger(enough) * 10_f64.powi(decimals - i32::from(LEDGER_DECIMALS));
    let judged = judge_book(&bids, &asks, enough).ok()?;
    let up_to = |side: &[BookLevel]| {
        let (depth, lot) = (SideDepth::of(side), u64::try_from(it.spec.lot.mantissa()).ok()?);
        let beyond = depth.top10().saturating_add(lot);
        let slice = advise_slicing(beyond, &depth, judged.class, lot).ok()?.slice?;
        i64::try_from(slice).ok().map(Quantity::from_mantissa)
    };
    Some(BookLiquidity { judged, buy_up_to: up_to(&asks), sell_up_to: up_to(&bids) })
}

#[expect(clippy::cast_precision_loss, reason = "the scale of a score: money never comes back from it")]
fn ledger(units: i128) -> f64 {
    units as f64
}
