//! What becomes of an order that would move the price too far: refused, made smaller, or let go inside ten levels.

use crate::world::*;
use proptest::prelude::*;
use tradewind_domain::*;
use tradewind_quant::impact::SideDepth;
use tradewind_risk::*;

/// A market order for so much in a book of 1 at the best price and 5 at ten, the limit being 15 basis points: 2 fit.
fn asked(mode: Option<i64>, units: &str) -> World {
    let mut world = world(Profile::Moderate);
    world.request.quantity = quantity(units);
    world.depth = Some(SideDepth::new(100_000_000, 500_000_000).unwrap());
    let controls = world.limits.limits.controls.as_mut().unwrap();
    (controls.impact_bps, controls.impact_mode) = (Some(15), mode);
    world
}

fn fits(mode: Option<i64>, units: &str) -> Option<String> {
    let world = asked(mode, units);
    let controls = world.limits.limits.controls.unwrap();
    let found = fitting(&controls, &world.instrument, world.request.quantity, &world.depth.unwrap())?;
    Some(world.instrument.quantity_text(found))
}

#[test]
fn each_mode_lets_go_what_it_says_and_is_looser_than_the_one_before() {
    let (strict, conservative, aggressive) = (Some(1), Some(2), Some(3));
    for (mode, units, refused) in [
        (None, "2", false),
        (None, "2.001", true),
        (strict, "2", false),
        (strict, "2.001", true),
        (conservative, "2.001", true), // whoever judges it makes it smaller first
        (aggressive, "2.001", false),
        (aggressive, "5", false), // all ten levels
        (aggressive, "5.001", true),
        (Some(9), "2.001", true), // no word of it
    ] {
        let found = asked(mode, units).refusal();
        assert_eq!(found, refused.then_some(Guard::Impact), "{units} in mode {mode:?}");
    }
    for (mode, units, want) in [
        (None, "4", None),
        (strict, "4", None),
        (conservative, "2", None),
        (conservative, "2.001", Some("2")),
        (conservative, "400", Some("2")),
        (aggressive, "5", None),
        (aggressive, "5.001", Some("2")),
    ] {
        assert_eq!(fits(mode, units).as_deref(), want, "{units} in mode {mode:?}");
    }
    let limit = Limit::find("impact_mode").unwrap();
    let words = ["strict", "conservative", "aggressive"].map(|word| limit.unit.parse(word));
    assert_eq!(words, [strict, conservative, aggressive]);
    assert!(limit.loosens(None, conservative) && limit.loosens(conservative, aggressive));
    assert!(!limit.loosens(aggressive, conservative) && !limit.loosens(conservative, None));
}

#[test]
fn an_empty_book_fits_nothing_and_without_the_limit_all_fits() {
    let it = instrument(0, "BTC/USDT", "binance");
    let empty = SideDepth::new(0, 0).unwrap();
    let controls = Controls { impact_bps: Some(15), impact_mode: Some(2), ..Controls::default() };
    assert_eq!(fitting(&controls, &it, quantity("1"), &empty), None);
    let full = SideDepth::new(1, 1).unwrap();
    assert_eq!(fitting(&Controls { impact_bps: None, ..controls }, &it, quantity("1"), &full), None);
}

proptest! {
    /// Whatever the book, what fits stays within the limit, and one lot more would not.
    #[test]
    fn what_fits_is_the_most_that_does(
        best in 1..1_000_000_000_u64, more in 0..5_000_000_000_u64, lots in 1..100_000_i64, limit in 1..60_i64
    ) {
        let it = instrument(0, "BTC/USDT", "binance");
        let depth = SideDepth::new(best, best + more).unwrap();
        let controls = Controls { impact_bps: Some(limit), impact_mode: Some(2), ..Controls::default() };
        let (lot, asked) = (it.spec.lot.mantissa(), Quantity::from_mantissa(lots * it.spec.lot.mantissa()));
        let impact = |quantity: i64| depth.impact_bps(quantity.unsigned_abs());
        match fitting(&controls, &it, asked, &depth) {
            Some(fits) => {
                prop_assert!(fits < asked && it.whole_lots(fits) == fits);
                prop_assert!(impact(fits.mantissa()) <= limit as f64);
                prop_assert!(impact(fits.mantissa() + lot) > limit as f64);
            }
            None => prop_assert!(impact(asked.mantissa()) <= limit as f64 || impact(lot) > limit as f64),
        }
    }
}
