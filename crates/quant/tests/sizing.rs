//! Sizes against closed forms, Riskfolio-Lib and PerformanceAnalytics, and what holds for all of them.

#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::excessive_precision, reason = "the digits as their source prints them")]

mod common;

use common::{Snapshot, Table, risk_folder, simple_returns};
use proptest::prelude::*;
use tradewind_quant::covariance::{Moments, Symmetric};
use tradewind_quant::kelly::{self, Edge, Stake};
use tradewind_quant::ruin::{Resampling, resample_trades, risk_of_ruin};
use tradewind_quant::sizing::{self, BoundBy, SizeCaps};
use tradewind_quant::{QuantError, ReturnWindow, returns};

fn close(label: &str, ours: f64, expected: f64, tolerance: f64) {
    assert!((ours - expected).abs() <= tolerance, "{label}: {ours}, expected {expected}");
}

#[test]
fn sizes_are_what_one_works_out_by_hand() {
    // 2 % of 10,000 is 200; a stop 4 away loses it with 50.
    close("fixed risk", sizing::fixed_risk(10_000.0, 0.02, 100.0, 96.0).unwrap(), 50.0, 1e-12);
    close("short", sizing::fixed_risk(10_000.0, 0.02, 100.0, 104.0).unwrap(), 50.0, 1e-12);
    close("ATR", sizing::by_atr(10_000.0, 0.02, 2.0, 2.0).unwrap(), 50.0, 1e-12);
    // 10 % target on an asset of 40 %: a quarter of equity, at 50 each.
    close("volatility", sizing::volatility_target(10_000.0, 0.1, 0.4, 50.0).unwrap(), 50.0, 1e-12);
    let caps = SizeCaps { notional_of_equity: 0.25, quantity: Some(20.0) };
    let table = [
        (10.0, 100.0, 10.0, BoundBy::Rule),
        (50.0, 200.0, 12.5, BoundBy::Notional),
        (50.0, 10.0, 20.0, BoundBy::Quantity),
    ];
    for (quantity, price, expected, bound_by) in table {
        let sized = caps.apply(quantity, price, 10_000.0).unwrap();
        close("capped", sized.quantity, expected, 1e-12);
        assert_eq!(sized.bound_by, bound_by);
    }
    close("no equity", caps.apply(1.0, 1.0, -5.0).unwrap().quantity, 0.0, 0.0);
}

#[test]
fn kelly_equals_its_closed_forms() {
    // Feller's coin: 60 % at even money stakes a fifth; a fair one nothing.
    close("coin", kelly::of_bets(0.6, 1.0).unwrap(), 0.2, 1e-15);
    close("fair", kelly::of_bets(0.5, 1.0).unwrap(), 0.0, 1e-15);
    close("two to one", kelly::of_bets(0.5, 2.0).unwrap(), 0.25, 1e-15);
    close("no edge", kelly::of_bets(0.3, 1.0).unwrap(), -0.4, 1e-15);
    close("returns", kelly::of_returns(0.06, 0.04).unwrap(), 1.5, 1e-15);
    let certain = Edge { fraction: 0.2, standard_error: 0.0 };
    let plain = Stake { share: 1.0, shrink: false, cap: 1.0, short: false };
    for (share, expected) in [(1.0, 0.2), (0.5, 0.1), (0.25, 0.05)] {
        close("share", Stake { share, ..plain }.of(&certain).unwrap(), expected, 1e-15);
    }
    close("capped", Stake { cap: 0.1, ..plain }.of(&certain).unwrap(), 0.1, 1e-15);
    let against = Edge { fraction: -0.4, ..certain };
    close("no short", plain.of(&against).unwrap(), 0.0, 0.0);
    close("short", Stake { short: true, ..plain }.of(&against).unwrap(), -0.4, 1e-15);
    close("one standard error", Edge { fraction: 0.2, standard_error: 0.2 }.shrunk(), 0.1, 1e-15);
    close("nothing known", Edge { fraction: 0.0, standard_error: 0.0 }.shrunk(), 0.0, 0.0);
    close("half Kelly", Stake::HALF.of(&certain).unwrap(), 0.1, 1e-15);
    close("quarter Kelly", Stake::QUARTER.of(&certain).unwrap(), 0.05, 1e-15);
}

#[test]
fn half_kelly_equals_performance_analytics() {
    let Some(folder) = risk_folder("half_kelly_equals_performance_analytics") else { return };
    let text = std::fs::read_to_string(folder.join("performanceanalytics-expected.md")).unwrap();
    let managers = Table::read(folder.join("managers.csv"));
    let printed = Snapshot::section(&text, "KellyRatio");
    let half = |excess: &[f64], own: &[f64]| {
        let mean = excess.iter().sum::<f64>() / excess.len() as f64;
        0.5 * kelly::of_returns(mean, returns::volatility(own, 1.0).unwrap().powi(2)).unwrap()
    };
    let ham1 = managers.column("HAM1");
    let excess: Vec<f64> = ham1.iter().map(|r| r - 0.04 / 12.0).collect();
    let expected = printed.row("KellyRatio(managers[, 1, drop = FALSE], Rf = 0.04/12)", "Kelly Ratio")[0];
    close("HAM1", half(&excess, &ham1), expected, 1.01e-4);
    let row = printed.row("KellyRatio(managers[, 1:6], Rf = managers[, 10, drop = FALSE])", "Kelly Ratio");
    assert_eq!(row.len(), 6);
    for (column, expected) in managers.columns.iter().zip(row) {
        let (own, bills) = managers.pairs(column, "US 3m TR");
        let excess: Vec<f64> = own.iter().zip(bills).map(|(r, bill)| r - bill).collect();
        close(column, half(&excess, &own), expected, 1.01e-4);
    }
}

/// Riskfolio-Lib 7.4.0, `rp_optimization(model="Classic", rm="MV")` on the last 250 daily returns of its ten stocks: a
/// general solver, so to its tolerance.
#[test]
fn equal_risk_contribution_equals_riskfolio() {
    let Some(folder) = risk_folder("equal_risk_contribution_equals_riskfolio") else { return };
    let prices = Table::read(folder.join("riskfolio").join("stock_prices.csv"));
    let last = |name: &String| {
        let all = simple_returns(&prices.column(name));
        all[all.len() - 250..].to_vec()
    };
    let series: Vec<Vec<f64>> = prices.columns.iter().filter(|name| *name != "SPY").map(last).collect();
    let covariance = Moments::sample(&ReturnWindow::new(&series).unwrap()).covariance;
    let weights = sizing::risk_parity(&covariance, 1e-12).unwrap();
    let expected = [
        0.09166204762862963,
        0.04853645813382419,
        0.11979659687960456,
        0.13465189894876284,
        0.11613473055959815,
        0.09539546025049932,
        0.1201647156123779,
        0.10690798948468619,
        0.08368799894180476,
        0.08306210356021242,
    ];
    for (ours, theirs) in weights.iter().zip(expected) {
        close("weight", *ours, theirs, 2e-5);
    }
}

/// The covariance matrix of 95 funds and stocks in PyPortfolioOpt's tests, bonds beside technology.
#[test]
fn ninety_five_real_assets_converge() {
    let Some(folder) = risk_folder("ninety_five_real_assets_converge") else { return };
    let table = Table::read(folder.join("pypfopt").join("cov_matrix.csv"));
    let values: Vec<f64> = table.rows.iter().flat_map(|row| row.1.iter().map(|cell| cell.unwrap())).collect();
    let covariance = Symmetric::from_rows(table.rows.len(), &values).unwrap();
    assert_eq!(covariance.size(), 95);
    let weights = sizing::risk_parity(&covariance, 1e-12).unwrap();
    for share in sizing::contributions(&covariance, &weights) {
        close("contribution", share, 1.0 / 95.0, 1e-11);
    }
    let lower = covariance.cholesky().unwrap();
    for i in 0..95 {
        for j in 0..95 {
            let product: f64 = (0..95).map(|k| lower[i * 95 + k] * lower[j * 95 + k]).sum();
            close("L L'", product, covariance.at(i, j), 1e-9);
        }
    }
}

#[test]
fn the_gamblers_ruin_equals_its_closed_form_and_the_simulation() {
    // three wins in five, each doubling in ten steps what a loss takes back: a half is ten steps away
    let step = |steps: f64| (steps * 2.0_f64.ln() / 10.0).exp_m1();
    let (up, down) = (step(1.0), step(-1.0));
    close("ruin", risk_of_ruin(&[up, up, up, down, down], 0.5).unwrap(), (2.0_f64 / 3.0).powi(10), 1e-12);
    close("no edge", risk_of_ruin(&[up, down], 0.5).unwrap(), 1.0, 0.0);
    close("nothing is lost", risk_of_ruin(&[up, 0.0], 0.5).unwrap(), 0.0, 0.0);
    close("all may be lost", risk_of_ruin(&[9.0, -1.0], 0.5).unwrap(), 1.0, 0.0);
    // One trade of minus a half, or plus a half: two in a row down leave a quarter.
    let how = Resampling { paths: 40_000, trades: 2, ruin: 0.7, seed: 11 };
    let risk = resample_trades(&[0.5, -0.5], &how).unwrap();
    close("two losses", risk.ruin_probability, 0.25, 4.0 * risk.ruin_error);
    close("deepest", risk.max_drawdown.p99, 0.75, 1e-12);
    close("median", risk.total_return.p50, -0.25, 1e-12);
    assert_eq!(risk, resample_trades(&[0.5, -0.5], &how).unwrap());
    assert_ne!(risk, resample_trades(&[0.5, -0.5], &Resampling { seed: 12, ..how }).unwrap());
    let certain = resample_trades(&[0.01], &how).unwrap();
    close("never", certain.ruin_probability, 0.0, 0.0);
    close("compounded", certain.total_return.p05, 0.0201, 1e-12);
}

#[test]
fn bad_input_is_refused_by_name() {
    let code = |result: Result<f64, QuantError>| result.unwrap_err().code();
    let caps = SizeCaps { notional_of_equity: 1.0, quantity: None };
    let full = Stake { share: 1.0, shrink: false, cap: 1.0, short: false };
    let edge = Edge { fraction: 0.1, standard_error: 0.0 };
    let how = Resampling { paths: 1, trades: 1, ruin: 0.5, seed: 1 };
    let ruin = |returns: &[f64], how: Resampling| resample_trades(returns, &how).map(|risk| risk.ruin_probability);
    let parity = |values: &[f64]| {
        let covariance = Symmetric::from_rows(2, values)?;
        sizing::risk_parity(&covariance, 1e-9).map(|weights| weights[0])
    };
    let table = [
        ("QNT-04", sizing::fixed_risk(1.0, 0.02, 5.0, 5.0)),
        ("QNT-04", sizing::fixed_risk(1.0, 1.5, 5.0, 4.0)),
        ("QNT-04", sizing::fixed_risk(-1.0, 0.5, 5.0, 4.0)),
        ("QNT-01", sizing::fixed_risk(1.0, 0.5, f64::NAN, 4.0)),
        ("QNT-01", sizing::fixed_risk(f64::MAX, 1.0, 1.0, 1.0 - 1e-10)),
        ("QNT-04", sizing::by_atr(1.0, 0.1, 0.0, 2.0)),
        ("QNT-04", sizing::volatility_target(1.0, 0.1, 0.0, 1.0)),
        ("QNT-01", sizing::volatility_target(1.0, 0.1, 1e-300, 1e-300)),
        ("QNT-04", caps.apply(-1.0, 1.0, 1.0).map(|sized| sized.quantity)),
        ("QNT-01", caps.apply(1.0, 1.0, f64::NAN).map(|sized| sized.quantity)),
        ("QNT-04", kelly::of_bets(1.1, 1.0)),
        ("QNT-04", kelly::of_bets(0.5, 0.0)),
        ("QNT-04", kelly::of_returns(0.1, 0.0)),
        ("QNT-07", Edge::of_trades(0, 0, 1.0).map(|edge| edge.fraction)),
        ("QNT-07", Edge::of_returns(0.1, 0.1, 1).map(|edge| edge.fraction)),
        ("QNT-04", Stake { share: 1.1, ..full }.of(&edge)),
        ("QNT-04", Stake { cap: -0.1, ..full }.of(&edge)),
        ("QNT-01", full.of(&Edge { fraction: f64::NAN, ..edge })),
        ("QNT-04", parity(&[1.0, 0.0, 0.0, 0.0])),
        ("QNT-09", parity(&[1.0, 2.0, 2.0, 1.0])),
        ("QNT-10", parity(&[1.0, -1.0, -1.0, 1.0])),
        ("QNT-07", ruin(&[], how)),
        ("QNT-07", ruin(&[0.1], Resampling { paths: 0, ..how })),
        ("QNT-04", ruin(&[-1.1], how)),
        ("QNT-04", ruin(&[0.1], Resampling { ruin: 0.0, ..how })),
        ("QNT-01", ruin(&[f64::NAN], how)),
        ("QNT-04", risk_of_ruin(&[0.1], 1.5)),
        ("QNT-04", risk_of_ruin(&[-1.5], 0.5)),
        ("QNT-07", risk_of_ruin(&[], 0.5)),
    ];
    for (place, (expected, result)) in table.into_iter().enumerate() {
        assert_eq!(code(result), expected, "row {place}");
    }
}

proptest! {
    #[test]
    fn a_more_volatile_asset_gets_less(
        equity in 1.0..1e6_f64, target in 0.01..0.5_f64, price in 0.1..1e5_f64, calm in 0.01..1.0_f64, more in 1.001..20.0_f64,
    ) {
        let size = |volatility| sizing::volatility_target(equity, target, volatility, price).unwrap();
        let by_atr = |atr| sizing::by_atr(equity, target, atr, 2.0).unwrap();
        prop_assert!(size(calm * more) < size(calm) && by_atr(calm * more) < by_atr(calm));
        prop_assert!((size(calm * more) * more / size(calm) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_size_passes_its_caps(
        quantity in 0.0..1e6_f64, price in 0.01..1e5_f64, equity in -1e3..1e6_f64, share in 0.0..3.0_f64,
        most in prop::option::of(0.0..1e4_f64),
    ) {
        let sized = SizeCaps { notional_of_equity: share, quantity: most }.apply(quantity, price, equity).unwrap();
        prop_assert!(sized.quantity <= quantity && sized.quantity >= 0.0);
        prop_assert!(sized.quantity * price <= share * equity.max(0.0) * (1.0 + 1e-12));
        prop_assert!(most.is_none_or(|most| sized.quantity <= most));
    }

    /// No stake grows the logarithm of equity faster than Kelly's.
    #[test]
    fn kelly_grows_fastest(win_rate in 0.05..0.95_f64, payoff in 0.1..5.0_f64, other in 0.0..0.99_f64) {
        let growth = |stake: f64| win_rate * (stake * payoff).ln_1p() + (1.0 - win_rate) * (-stake).ln_1p();
        let best = kelly::of_bets(win_rate, payoff).unwrap().max(0.0);
        prop_assert!(growth(best) >= growth(other) - 1e-12);
    }

    #[test]
    fn the_stake_shrinks_and_grows_back_with_the_record(wins in 1..40_usize, losses in 1..40_usize, payoff in 0.5..3.0_f64) {
        let edge = |times: usize| Edge::of_trades(wins * times, (wins + losses) * times, payoff).unwrap();
        let (short, long) = (edge(1), edge(100));
        prop_assert!((short.fraction - long.fraction).abs() < 1e-12);
        prop_assert!(short.shrunk().abs() <= long.shrunk().abs() && long.shrunk().abs() <= long.fraction.abs());
        let stake = Stake::HALF.of(&short).unwrap();
        prop_assert!((0.0..=Stake::HALF.cap).contains(&stake));
    }

    #[test]
    fn risk_parity_equalises_contributions(
        series in (2..7_usize).prop_flat_map(|assets| {
            prop::collection::vec(prop::collection::vec(-0.2..0.2_f64, 30), assets)
        }),
        scale in 0.01..100.0_f64,
    ) {
        let mut series = series;
        series[0].iter_mut().for_each(|r| *r *= scale);
        let covariance = Moments::sample(&ReturnWindow::new(&series).unwrap()).covariance;
        let weights = sizing::risk_parity(&covariance, 1e-10).unwrap();
        prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && weights.iter().all(|w| *w > 0.0));
        for share in sizing::contributions(&covariance, &weights) {
            prop_assert!((share - 1.0 / weights.len() as f64).abs() < 1e-9);
        }
    }

    /// Ruin is never likelier when it is farther away, and no run of trades is ruined more often than the bound says.
    #[test]
    fn ruin_is_bounded_and_falls_with_its_distance(
        returns in prop::collection::vec(-0.4..0.5_f64, 1..12), ruin in 0.05..0.9_f64, seed in 0..1_000_u64,
    ) {
        let here = risk_of_ruin(&returns, ruin).unwrap();
        prop_assert!((0.0..=1.0).contains(&here), "{}", here);
        prop_assert!(risk_of_ruin(&returns, ruin + 0.05).unwrap() <= here + 1e-12);
        let drawn = resample_trades(&returns, &Resampling { paths: 2_000, trades: 50, ruin, seed }).unwrap();
        // Bernstein's inequality: so far above its mean the share lies once in 10^12, however rare ruin is
        let rare = 12.0 * 10.0_f64.ln() / 2_000.0;
        let spread = (2.0 * here * (1.0 - here) * rare).sqrt() + 2.0 / 3.0 * rare;
        prop_assert!(drawn.ruin_probability <= here + spread + 1e-12, "{:?} beyond {}", drawn, here);
    }
}
