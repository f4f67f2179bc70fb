//! How far a market order may go: the worst price with which it is sent.

use tradewind_domain::{Instrument, Price, Quantity, Quote, Side};

/// The whole of a price, in basis points.
const WHOLE_BPS: i128 = 10_000;

/// A market order, and the market that its worst price is reckoned from.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// What is traded.
    pub instrument: &'a Instrument,
    /// Which way.
    pub side: Side,
    /// How much.
    pub quantity: Quantity,
    /// Whether it can only bring the position nearer to zero.
    pub reduces: bool,
    /// The fresh price that the guards judge by, above zero.
    pub mark: Price,
    /// The best bid and ask.
    pub quote: Option<&'a Quote>,
}

/// The worst price at which a market order may fill: `collar_bps` beyond the mark, on the nearest tick inwards.
///
/// An order that only reduces goes so far beyond the best price of the other side, where the mark lies in the spread: a wide one
/// bars nobody's way out. No sale is bounded below the price at which it is worth the venue's least notional, where it is
/// worth that at all.
#[must_use]
pub fn worst_price(reach: &Reach<'_>, collar_bps: i64) -> Price {
    let is_of_now = |quote: &&Quote| {
        quote.bid.mantissa() > 0 && quote.bid <= reach.mark && reach.mark <= quote.ask // one that the mark left is old
    };
    let (it, touch) = (reach.instrument, reach.quote.filter(is_of_now).filter(|_| reach.reduces));
    let beyond = |from: Price, bps: i64| i128::from(from.mantissa()) * (WHOLE_BPS + i128::from(bps));
    let price = |mantissa: i128| Price::from_mantissa(i64::try_from(mantissa).unwrap_or(i64::MAX));
    match reach.side {
        Side::Buy => {
            let from = touch.map_or(reach.mark, |quote| quote.ask.max(reach.mark));
            it.tick_down(price(beyond(from, collar_bps) / WHOLE_BPS))
        }
        Side::Sell => {
            let from = touch.map_or(reach.mark, |quote| quote.bid.min(reach.mark));
            let exact = beyond(from, -collar_bps).max(1);
            worth_sending(it, it.tick_up(price((exact + WHOLE_BPS - 1) / WHOLE_BPS)), from, reach.quantity)
        }
    }
}

/// `worst`, or the first tick above it at which a sale of `quantity` is worth the venue's least notional; `worst` where it is
/// not worth that at `from` either.
fn worth_sending(it: &Instrument, worst: Price, from: Price, quantity: Quantity) -> Price {
    let is_dust = |price| it.is_dust(quantity, Some(price));
    let (mut low, mut high) = (worst, it.tick_down(from));
    if !is_dust(low) || is_dust(high) {
        return worst;
    }
    while high.mantissa() - low.mantissa() > it.spec.tick.mantissa() {
        let middle = it.tick_down(Price::from_mantissa(low.mantissa() + (high.mantissa() - low.mantissa()) / 2));
        if is_dust(middle) { low = middle } else { high = middle }
    }
    high
}
