//! Impact, walks through books and the liquidity service, on hand-made and on random books.

#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use tradewind_quant::impact::{BookLevel, ImpactRule, SideDepth, SizingMode, calculate_impact_aware_size};
use tradewind_quant::liquidity::{BookKind, LiquidityClass, SLICE_ABOVE_BPS, advise_slicing, judge_book};

const MODES: [SizingMode; 3] = [SizingMode::Conservative, SizingMode::Strict, SizingMode::Aggressive];

fn close(label: &str, ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= 1e-9, "{label}: {ours}, expected {expected}");
}

fn rule(mode: SizingMode) -> ImpactRule {
    ImpactRule { limit_bps: 15.0, extra_bps: 0.0, increment: 1, mode }
}

fn levels(list: &[(i64, u64)]) -> Vec<BookLevel> {
    list.iter().map(|(price, quantity)| BookLevel { price: *price, quantity: *quantity }).collect()
}

#[test]
fn impact_is_linear_then_a_root_then_a_wall() {
    let depth = SideDepth::new(100, 500).unwrap();
    let table = [(0, 0.0), (1, 0.05), (50, 2.5), (100, 5.0), (200, 15.0), (500, 25.0), (501, 100.0), (u64::MAX, 100.0)];
    for (size, expected) in table {
        close("impact", depth.impact_bps(size), expected);
    }
    let one_level = SideDepth::new(100, 100).unwrap();
    close("to its end", one_level.impact_bps(100), 5.0);
    close("beyond", one_level.impact_bps(101), 100.0);
    close("no book", SideDepth::new(0, 0).unwrap().impact_bps(1), 100.0);
    assert_eq!(SideDepth::new(2, 1).unwrap_err().code(), "QNT-04");
    assert_eq!(SideDepth::new(0, 1).unwrap_err().code(), "QNT-04");
}

#[test]
fn each_mode_answers_a_target_in_its_own_way() {
    let depth = SideDepth::new(100, 500).unwrap();
    // The limit of 15 bps lies at 200: 5 + 20 sqrt(100 / 400).
    let table = [
        (SizingMode::Conservative, 150, 150),
        (SizingMode::Strict, 150, 150),
        (SizingMode::Aggressive, 150, 150),
        (SizingMode::Conservative, 400, 200),
        (SizingMode::Strict, 400, 0),
        (SizingMode::Aggressive, 400, 400),
        (SizingMode::Conservative, 900, 200),
        (SizingMode::Strict, 900, 0),
        (SizingMode::Aggressive, 900, 200),
    ];
    for (mode, target, expected) in table {
        let sized = calculate_impact_aware_size(target, &depth, &rule(mode)).unwrap();
        assert_eq!(sized.size, expected, "{mode:?} {target}");
    }
    let with_extra = ImpactRule { extra_bps: 10.0, increment: 7, ..rule(SizingMode::Conservative) };
    let sized = calculate_impact_aware_size(400, &depth, &with_extra).unwrap();
    assert_eq!(sized.size, 98); // 14 steps of 7: 4.9 + 10
    close("with extra", sized.impact_bps, 14.9);
    let nothing = SideDepth::new(0, 0).unwrap();
    for mode in MODES {
        assert_eq!(calculate_impact_aware_size(400, &nothing, &rule(mode)).unwrap().size, 0);
    }
    for broken in [
        ImpactRule { increment: 0, ..with_extra },
        ImpactRule { limit_bps: -1.0, ..with_extra },
        ImpactRule { extra_bps: -1.0, ..with_extra },
    ] {
        assert_eq!(calculate_impact_aware_size(1, &depth, &broken).unwrap_err().code(), "QNT-04");
    }
    let no_limit = ImpactRule { limit_bps: f64::NAN, ..with_extra };
    assert_eq!(calculate_impact_aware_size(1, &depth, &no_limit).unwrap_err().code(), "QNT-01");
}

#[test]
fn levels_that_hold_nothing_and_those_behind_the_tenth_do_not_count() {
    let asks = levels(&[(10_000, 2), (10_005, 0), (10_010, 3), (10_050, 10)]);
    let depth = SideDepth::of(&asks);
    assert_eq!((depth.best(), depth.top10()), (2, 15));
    let eleven: Vec<BookLevel> = (0..11).map(|i| BookLevel { price: 100 + i, quantity: 1 }).collect();
    assert_eq!(SideDepth::of(&eleven).top10(), 10);
}

#[test]
fn a_book_is_judged_by_spread_and_by_its_thinner_side() {
    // Mid 10,000; bands reach 9,900, 9,500 and 9,000 below it.
    let bids = levels(&[(9_999, 100), (9_900, 100), (9_600, 100), (9_001, 100), (8_999, 100)]);
    let asks = levels(&[(10_001, 100), (10_100, 50), (10_500, 100), (11_000, 100), (11_001, 100)]);
    let judged = judge_book(&bids, &asks, 2_000_000.0).unwrap();
    let sums = judged.depth.map(|band| (band.percent, band.bids, band.asks));
    assert_eq!(
        sums,
        [
            (1, 999_900 + 990_000, 1_000_100 + 505_000),
            (5, 999_900 + 990_000 + 960_000, 1_000_100 + 505_000 + 1_050_000),
            (10, 999_900 + 990_000 + 960_000 + 900_100, 1_000_100 + 505_000 + 1_050_000 + 1_100_000),
        ]
    );
    close("spread", judged.spread_bps.unwrap(), 2.0);
    close("imbalance", judged.imbalance.unwrap(), (2_949_900.0 - 2_555_100.0) / 5_505_000.0);
    // 80 for the spread, 75.255 twice, 100 once.
    close("score", judged.score, (80.0 + 2.0 * 75.255 + 100.0) / 4.0);
    assert_eq!((judged.kind, judged.class), (BookKind::TwoSided, LiquidityClass::Excellent));
    for (enough, class) in
        [(4_000_000.0, LiquidityClass::Fair), (3_000_000.0, LiquidityClass::Good), (1e9, LiquidityClass::Poor)]
    {
        assert_eq!(judge_book(&bids, &asks, enough).unwrap().class, class, "{enough}");
    }
    let wide = judge_book(&levels(&[(9_000, 1)]), &levels(&[(11_000, 1)]), 1e9).unwrap();
    assert_eq!((wide.class, wide.imbalance), (LiquidityClass::Critical, None));
}

#[test]
fn broken_books_are_critical_and_say_why() {
    let (bids, asks) = (levels(&[(100, 1)]), levels(&[(101, 1)]));
    let table = [
        (judge_book(&[], &[], 1.0), BookKind::Empty),
        (judge_book(&bids, &[], 1.0), BookKind::OneSided),
        (judge_book(&[], &asks, 1.0), BookKind::OneSided),
        (judge_book(&bids, &levels(&[(101, 0)]), 1.0), BookKind::OneSided),
        (judge_book(&asks, &bids, 1.0), BookKind::Crossed),
        (judge_book(&bids, &bids, 1.0), BookKind::Crossed),
    ];
    for (judged, kind) in table {
        let judged = judged.unwrap();
        assert_eq!((judged.kind, judged.class, judged.imbalance), (kind, LiquidityClass::Critical, None));
        close("score", judged.score, 0.0);
        assert_eq!(judged.spread_bps.is_some(), kind == BookKind::Crossed);
    }
    assert!(judge_book(&asks, &bids, 1.0).unwrap().spread_bps.unwrap() < 0.0);
    assert_eq!(judge_book(&levels(&[(0, 1)]), &asks, 1.0).unwrap_err().code(), "QNT-04");
    assert_eq!(judge_book(&bids, &asks, 0.0).unwrap_err().code(), "QNT-04");
    let whale = BookLevel { price: i64::MAX - 1, quantity: u64::MAX };
    let dear = BookLevel { price: i64::MAX, ..whale };
    let largest = judge_book(&[whale; 3], &[dear; 3], 1.0).unwrap();
    assert_eq!((largest.class, largest.imbalance), (LiquidityClass::Excellent, Some(0.0)));
    let text = serde_json::to_string(&judge_book(&[], &[], 1.0).unwrap()).unwrap();
    assert!(text.contains(r#""kind":"empty""#) && text.contains(r#""class":"critical""#), "{text}");
}

#[test]
fn orders_beyond_fifty_points_are_sliced() {
    let depth = SideDepth::new(100, 500).unwrap();
    let whole = advise_slicing(500, &depth, LiquidityClass::Good, 1).unwrap();
    assert_eq!(whole.slice, None);
    close("as modelled", whole.impact_bps, 25.0);
    let beyond = advise_slicing(501, &depth, LiquidityClass::Good, 1).unwrap();
    assert_eq!(beyond.slice, Some(500));
    // Three times the model: 50 / 3 is reached at 5 + 20 sqrt(x / 400) with x = 136.1.
    let critical = advise_slicing(500, &depth, LiquidityClass::Critical, 10).unwrap();
    assert_eq!(critical.slice, Some(230));
    close("tripled", critical.impact_bps, 75.0);
    let multipliers = [
        LiquidityClass::Excellent,
        LiquidityClass::Good,
        LiquidityClass::Fair,
        LiquidityClass::Poor,
        LiquidityClass::Critical,
    ]
    .map(LiquidityClass::impact_multiplier);
    assert!(multipliers.windows(2).all(|pair| pair[0] < pair[1]));
}

fn any_depth() -> impl Strategy<Value = SideDepth> {
    let quantity = prop_oneof![1..1_000_u64, 1..u64::MAX / 4];
    (quantity.clone(), prop_oneof![Just(0), quantity])
        .prop_map(|(best, rest)| SideDepth::new(best, best + rest).unwrap())
}

fn any_side() -> impl Strategy<Value = Vec<(i64, u64)>> {
    prop::collection::vec((1..400_i64, 0..1_000_u64), 0..12)
}

/// Bids below 10,000 and asks above it, best first.
fn book(bids: &[(i64, u64)], asks: &[(i64, u64)]) -> (Vec<BookLevel>, Vec<BookLevel>) {
    let side = |steps: &[(i64, u64)], sign: i64| {
        let mut price = 10_000;
        let level = |(step, quantity): &(i64, u64)| {
            price += sign * step;
            BookLevel { price, quantity: *quantity }
        };
        steps.iter().map(level).collect()
    };
    (side(bids, -1), side(asks, 1))
}

proptest! {
    #[test]
    fn the_size_fits_and_one_increment_more_would_not(
        depth in any_depth(), target in prop_oneof![0..5_000_u64, any::<u64>()], increment in prop_oneof![1..50_u64, 1..u64::MAX / 8],
        limit_bps in 0.0..110.0_f64, extra_bps in prop_oneof![Just(0.0), 0.0..20.0_f64],
    ) {
        for mode in MODES {
            let rule = ImpactRule { limit_bps, extra_bps, increment, mode };
            let sized = calculate_impact_aware_size(target, &depth, &rule).unwrap();
            prop_assert!(sized.size <= target && sized.size.is_multiple_of(increment));
            let impact = |size: u64| if size == 0 { 0.0 } else { depth.impact_bps(size) + extra_bps };
            let whole = target - target % increment;
            let fits = sized.impact_bps <= limit_bps;
            match mode {
                SizingMode::Conservative => {
                    prop_assert!(fits);
                    prop_assert!(sized.size == whole || impact(sized.size + increment) > limit_bps);
                }
                SizingMode::Strict => {
                    prop_assert!(fits && (sized.size == whole || sized.size == 0 && impact(whole) > limit_bps));
                }
                SizingMode::Aggressive => prop_assert!(fits || sized.size == whole && whole <= depth.top10()),
            }
        }
    }

    #[test]
    fn impact_never_falls_with_size(depth in any_depth(), size in any::<u64>(), more in any::<u64>()) {
        prop_assert!(depth.impact_bps(size) <= depth.impact_bps(size.saturating_add(more)));
    }

    /// More quantity on any level, or another level behind the best one, never lowers the score.
    #[test]
    fn the_score_never_falls_with_depth(
        bids in any_side(), asks in any_side(), at in any::<prop::sample::Index>(), more in 1..10_000_u64, step in 0..2_000_i64,
        bid_side in any::<bool>(), enough in 1e3..1e9_f64,
    ) {
        let (mut bids, mut asks) = book(&bids, &asks);
        let before = judge_book(&bids, &asks, enough).unwrap();
        let side = if bid_side { &mut bids } else { &mut asks };
        let best = side.iter().position(|level| level.quantity > 0);
        if let Some(best) = best {
            let place = best + at.index(side.len() - best);
            let mut deeper = side[place];
            side[place].quantity += more;
            deeper.price = (deeper.price + if bid_side { -step } else { step }).max(1);
            let last = side.len();
            side.insert(last, deeper);
        }
        let after = judge_book(&bids, &asks, enough).unwrap();
        prop_assert!(after.score >= before.score && after.class <= before.class, "{before:?} {after:?}");
        prop_assert!((0.0..=100.0).contains(&after.score));
        prop_assert!(after.imbalance.is_none_or(|imbalance| imbalance.abs() <= 1.0));
    }

    #[test]
    fn an_advised_slice_stays_within_the_bound(depth in any_depth(), size in any::<u64>(), increment in 1..1_000_u64) {
        for class in [LiquidityClass::Excellent, LiquidityClass::Fair, LiquidityClass::Critical] {
            let advice = advise_slicing(size, &depth, class, increment).unwrap();
            prop_assert_eq!(advice.slice.is_some(), advice.impact_bps > SLICE_ABOVE_BPS);
            if let Some(slice) = advice.slice {
                prop_assert!(depth.impact_bps(slice) * class.impact_multiplier() <= SLICE_ABOVE_BPS * (1.0 + 1e-12));
            }
        }
    }
}
