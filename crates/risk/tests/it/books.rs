//! Books judged for an account's own orders.

use crate::world::{instrument, price, quantity};
use tradewind_domain::*;
use tradewind_quant::liquidity::{BookKind, LiquidityClass};
use tradewind_risk::*;

const UNIT: i128 = 100_000_000;

fn side(levels: &[(&str, &str)]) -> Vec<(Price, Quantity)> {
    levels.iter().map(|(at, size)| (price(at), quantity(size))).collect()
}

#[test]
fn a_book_is_judged_by_what_the_account_may_send_and_says_what_to_slice() {
    let it = instrument(0, "BTC/USDT", "binance");
    let (bids, asks) = (side(&[("99.99", "1"), ("99", "3")]), side(&[("100.01", "1"), ("101", "3")]));
    let judged = |enough: i128| book_liquidity(&it, &bids, &asks, enough * UNIT).unwrap();
    // 3.97 rests near on the thinner side, worth 396.99; its spread of two points gives 80 of 100
    for (enough, class, up_to) in [
        (100, LiquidityClass::Excellent, None),
        (600, LiquidityClass::Good, Some("4")),
        (1_000, LiquidityClass::Fair, Some("4")),
        (2_000, LiquidityClass::Poor, Some("4")),
    ] {
        let found = judged(enough);
        assert_eq!((found.judged.class, found.judged.kind), (class, BookKind::TwoSided), "{enough}: {found:?}");
        let text = |size: Option<Quantity>| size.map(|size| it.quantity_text(size));
        assert_eq!([text(found.buy_up_to).as_deref(), text(found.sell_up_to).as_deref()], [up_to; 2], "{enough}");
    }
    let critical = book_liquidity(&it, &bids, &[], UNIT).unwrap();
    assert_eq!((critical.judged.kind, critical.judged.class), (BookKind::OneSided, LiquidityClass::Critical));
    // three times the modelled impact: 16.67 basis points are within 50, which 2.0208 stay within; a book without asks takes nothing
    assert_eq!(critical.sell_up_to.map(|size| it.quantity_text(size)).as_deref(), Some("2.02"));
    assert_eq!(critical.buy_up_to, Some(Quantity::ZERO));
}

#[test]
fn what_cannot_be_judged_is_not() {
    let it = instrument(0, "BTC/USDT", "binance");
    let (bids, asks) = (side(&[("99.99", "1")]), side(&[("100.01", "1")]));
    assert!(book_liquidity(&it, &bids, &asks, UNIT).is_some());
    assert!(book_liquidity(&it, &bids, &asks, 0).is_none());
    assert!(book_liquidity(&it, &side(&[("0", "1")]), &asks, UNIT).is_none());
    assert!(book_liquidity(&it, &side(&[("99.99", "-1")]), &asks, UNIT).is_none());
    let contract = instrument(0, "BTC/USDT:USDT", "binance");
    assert!(book_liquidity(&contract, &bids, &asks, UNIT).is_none(), "its notional is not price times quantity");
}
