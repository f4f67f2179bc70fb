//! How far a market order may go.

use proptest::prelude::*;
use tradewind_domain::*;
use tradewind_risk::*;

/// Bitcoin on a tick of one cent, worth 5 USDT at least.
fn cents() -> Instrument {
    let spec = InstrumentSpec {
        price_decimals: 4,
        quantity_decimals: 4,
        tick: Price::from_mantissa(100),
        min_notional: Money::parse("5", Currency::new("USDT").unwrap()).unwrap(),
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
    };
    spec.list(InstrumentId(0)).unwrap()
}

/// The worst price of an order in words such as `buy 1` or `exit sell 1`, with the mark and a bid and an ask.
fn check(order: &str, mark: &str, book: Option<[&str; 2]>, collar_bps: i64, want: &str) {
    let it = cents();
    let price = |text: &str| it.price(text).unwrap();
    let (reduces, words) = order.strip_prefix("exit ").map_or((false, order), |words| (true, words));
    let (side, quantity) = words.split_once(' ').unwrap();
    let size = it.quantity("1").unwrap();
    let quote = book.map(|[bid, ask]| Quote {
        instrument: it.id,
        bid: price(bid),
        bid_size: size,
        ask: price(ask),
        ask_size: size,
    });
    let reach = Reach {
        instrument: &it,
        side: if side == "buy" { Side::Buy } else { Side::Sell },
        quantity: it.quantity(quantity).unwrap(),
        reduces,
        mark: price(mark),
        quote: quote.as_ref(),
    };
    assert_eq!(it.price_text(worst_price(&reach, collar_bps)), want, "{order} at {mark} on {book:?}");
}

#[test]
fn a_market_order_goes_one_collar_beyond_the_mark_and_no_tick_further() {
    check("buy 1", "100", None, 100, "101");
    check("sell 1", "100", None, 100, "99");
    check("buy 1", "100.005", None, 100, "101");
    check("sell 1", "100.005", None, 100, "99.01");
    check("buy 1", "100", Some(["95", "105"]), 100, "101");
    check("sell 1", "100", Some(["95", "105"]), 100, "99");
    check("buy 1", "100", None, 1, "100.01");
}

#[test]
fn a_way_out_goes_one_collar_beyond_the_other_sides_best_however_wide_the_spread() {
    check("exit sell 1", "100", Some(["95", "105"]), 100, "94.05");
    check("exit buy 1", "100", Some(["95", "105"]), 100, "106.05");
    // a quote that the mark has left is an old one, and one without a side says nothing
    check("exit sell 1", "100", Some(["90", "95"]), 100, "99");
    check("exit sell 1", "100", Some(["0", "105"]), 100, "99");
    check("exit sell 1", "100", None, 100, "99");
}

#[test]
fn a_small_sale_is_never_bounded_below_what_its_venue_takes() {
    check("exit sell 0.0502", "100", None, 100, "99.61"); // 5.0004..; a tick lower is worth less than 5
    check("exit sell 0.06", "100", None, 100, "99");
    check("exit sell 0.04", "100", None, 100, "99"); // worth too little at the mark as well: the gate says so
}

proptest! {
    /// Whatever the market shows, the worst price lies on the tick, within the collar, and for an order that adds within
    /// the collar of the mark.
    #[test]
    fn a_worst_price_lies_on_the_tick_within_its_collar(
        mark in 1_000_000..i64::MAX / 4, bid in 0..i64::MAX / 4, width in 0..i64::MAX / 4, collar in 1..9_999_i64,
        quantity in 1..1_000_000_i64, buys: bool, reduces: bool,
    ) {
        let it = cents();
        let price = |mantissa: i64| it.tick_down(Price::from_mantissa(mantissa));
        let size = Quantity::from_mantissa(1);
        let quote = Quote { instrument: it.id, bid: price(bid), bid_size: size, ask: price(bid.saturating_add(width)), ask_size: size };
        let side = if buys { Side::Buy } else { Side::Sell };
        let mark = Price::from_mantissa(mark);
        let reach = Reach { instrument: &it, side, quantity: Quantity::from_mantissa(quantity), reduces, mark, quote: Some(&quote) };
        let worst = worst_price(&reach, collar);
        prop_assert_eq!(worst.mantissa() % it.spec.tick.mantissa(), 0);
        prop_assert!(worst.mantissa() > 0);
        let within = |from: Price| {
            let (worst, from, sign) = (i128::from(worst.mantissa()), i128::from(from.mantissa()), i128::from(side.sign()));
            sign * (worst - from) * 10_000 <= from * i128::from(collar)
        };
        let touch = if buys { quote.ask } else { quote.bid };
        prop_assert!(within(mark) || reduces && within(touch));
    }
}
