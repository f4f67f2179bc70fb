//! Contracts that share their collateral: what one needs is taken from every other.

use crate::world::*;
use tradewind_domain::*;
use tradewind_risk::*;

/// What 2.5 % of a notional are.
const fn maintenance(notional: i128) -> i128 {
    notional * UNIT / 40
}

/// A buy of so much of one contract for a portfolio of 1,000, beside one of 5,500 in another contract of `portfolio`, which
/// is 16.08 % from its liquidation.
fn beside(portfolio: u16, notional: i128) -> World {
    let mut world = world(Profile::Conservative);
    let controls = world.limits.limits.controls.as_mut().unwrap();
    assert_eq!((controls.liquidation_buffer_bps, controls.maintenance_bps), (Some(1_500), Some(250)));
    (controls.leverage, controls.margin_used_bps) = (None, None);
    world.limits.account.caps = AccountCaps::default();
    (world.instrument, world.notional) = (instrument(0, "BTC/USDT:USDT", "binance"), notional * UNIT);
    world.equity = 1_000 * UNIT;
    world.lines.push((portfolio, instrument(1, "ETH/USDT:USDT", "binance"), 5_500 * UNIT, 5_500 * UNIT));
    let others_maintenance = if portfolio == 0 { maintenance(5_500) } else { 0 };
    world.margin = Some(Margin { collateral: world.equity, others_maintenance, others_initial: 0, rate: (1, 1) });
    world
}

#[test]
fn an_order_that_brings_another_contract_within_the_buffer_is_refused_and_names_it() {
    // (1,000 - n/40 - 137.5) / (5,500 - 137.5) is 15 % at n = 2,325
    assert_eq!(beside(0, 2_325).refusal(), None);
    assert_eq!(beside(0, 2_326).refusal(), Some(Guard::Liquidation));
    let said = beside(0, 3_000).check().unwrap_err();
    assert_eq!(said.value, "14.68 % to liquidation of ETH/USDT:USDT, before 16.08 %");
    assert_eq!(beside(1, 3_000).refusal(), None, "another portfolio has its own collateral");
}

#[test]
fn an_order_that_brings_no_other_contract_nearer_passes_however_near_that_one_is() {
    let refusal = |held: i128, side| {
        let mut world = beside(0, 1_000);
        world.request.side = side;
        let own = world.instrument.clone();
        world.lines.push((0, own, held * UNIT, held * UNIT));
        world.refusal()
    };
    assert_eq!(refusal(-3_000, Side::Buy), None, "the other one is 14.68 % away before and after");
    assert_eq!(refusal(-3_000, Side::Sell), Some(Guard::Liquidation));
}

#[test]
fn a_short_contract_is_asked_after_as_a_long_one_is() {
    // (1,000 - n/40 - 137.5) / (5,500 + 137.5) is 15 % at n = 675
    for (notional, want) in [(675, None), (676, Some(Guard::Liquidation))] {
        let mut world = beside(0, notional);
        (world.lines[0].2, world.lines[0].3) = (-5_500 * UNIT, -5_500 * UNIT);
        assert_eq!(world.refusal(), want, "{notional}");
    }
}
