//! Every position has protection or a recorded exemption.

use crate::world::*;
use proptest::prelude::*;
use tradewind_domain::*;
use tradewind_risk::*;

const RULES: ProtectionRules = ProtectionRules::SHIPPED;

fn standing(held: &str, entry: &str, seen: &[&str]) -> Standing {
    let mut excursion = Excursion::new(price(entry));
    seen.iter().for_each(|text| excursion.push(price(text)));
    Standing { quantity: quantity(held), excursion, atr: None, stop: None }
}

fn check(standing: &Standing, want: Option<(Side, &str, &str, &str, bool)>) {
    let it = instrument(0, "BTC/USDT", "binance");
    let found = protection(&it, standing, &RULES).map(|found| {
        let text = |price| it.price_text(price);
        (found.side, it.quantity_text(found.quantity), text(found.stop), text(found.target), found.is_trailing)
    });
    let want = want.map(|(side, held, stop, target, trailing)| {
        (side, held.to_owned(), stop.to_owned(), target.to_owned(), trailing)
    });
    assert_eq!(found, want);
}

#[test]
fn stops_and_targets_stand_where_the_rules_say() {
    check(&standing("1", "100", &[]), Some((Side::Sell, "1", "98", "104", false)));
    check(&standing("-1", "100", &[]), Some((Side::Buy, "1", "102", "96", false)));
    let ranged = Standing { atr: Some(price("1")), ..standing("1", "100", &[]) };
    check(&ranged, Some((Side::Sell, "1", "98.5", "103", false)));
    let calm = Standing { atr: Some(price("0.1")), ..ranged };
    check(&calm, Some((Side::Sell, "1", "99.5", "101", false)));
    let wild = Standing { atr: Some(price("20")), ..ranged };
    check(&wild, Some((Side::Sell, "1", "95", "110", false)));
}

#[test]
fn a_stop_follows_the_best_price_and_never_goes_back() {
    check(&standing("1", "100", &["110", "105"]), Some((Side::Sell, "1", "104.5", "104", true)));
    check(&standing("-1", "100", &["90", "95"]), Some((Side::Buy, "1", "94.5", "96", true)));
    let earlier = Standing { stop: Some(price("107")), ..standing("1", "100", &["110"]) };
    check(&earlier, Some((Side::Sell, "1", "107", "104", true)));
}

#[test]
fn excursions_are_measured_from_the_entry() {
    let seen = standing("1", "100", &["103", "96", "101"]).excursion;
    assert_eq!((seen.favourable_bps(Side::Buy), seen.adverse_bps(Side::Buy)), (300, 400));
    assert_eq!((seen.favourable_bps(Side::Sell), seen.adverse_bps(Side::Sell)), (400, 300));
}

#[test]
fn a_position_is_covered_missing_something_or_exempt_by_name() {
    let it = instrument(0, "BTC/USDT", "binance");
    let judged =
        |held: &str, protected: &str, why| coverage(&it, &standing(held, "100", &[]), quantity(protected), why, &RULES);
    assert_eq!(judged("0", "0", None), Coverage::Flat);
    assert_eq!(judged("1", "1", None), Coverage::Covered);
    assert!(matches!(judged("1", "0.999", None), Coverage::Missing(needed) if needed.quantity == quantity("1")));
    assert_eq!(judged("1", "0", Some("hedge of the spot")), Coverage::Exempt { reason: "hedge of the spot".into() });
    assert!(matches!(judged("0.0001", "0", None), Coverage::Exempt { reason } if reason.contains("less than a lot")));
}

proptest! {
    /// Protection closes the position, loses less than the bounds allow at first, and never loosens.
    #[test]
    fn a_stop_only_ever_tightens(long: bool, prices in prop::collection::vec(500_000_i64..2_000_000, 1..30), atr in 1_i64..100_000) {
        let it = instrument(0, "BTC/USDT", "binance");
        let quantity = Quantity::from_mantissa(if long { 100_000_000 } else { -100_000_000 });
        let entry = Price::from_mantissa(1_000_000);
        let mut standing = Standing { quantity, excursion: Excursion::new(entry), atr: Some(Price::from_mantissa(atr)), stop: None };
        for price in prices {
            standing.excursion.push(Price::from_mantissa(price));
            let found = protection(&it, &standing, &RULES).unwrap();
            prop_assert_eq!(found.side, if long { Side::Sell } else { Side::Buy });
            if let Some(before) = standing.stop {
                let tightened = if long { found.stop >= before } else { found.stop <= before };
                prop_assert!(tightened);
            } else {
                let away = found.stop.mantissa().abs_diff(entry.mantissa());
                prop_assert!(found.is_trailing || (5_000..=50_001).contains(&away), "{}", away);
            }
            standing.stop = Some(found.stop);
        }
    }
}
