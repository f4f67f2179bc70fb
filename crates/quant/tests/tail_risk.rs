//! Value at risk of portfolios: equal to outside figures, and what holds for every portfolio.

#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::excessive_precision, reason = "the digits as their source prints them")]

mod common;

use common::{Snapshot, Table, risk_folder, simple_returns};
use proptest::prelude::*;
use tradewind_quant::covariance::{Moments, Symmetric, Target};
use tradewind_quant::tail_risk::{
    Contributions, DEFAULT_PATHS, Historical, Level, Parametric, Shocks, modified, normal_of_outcomes, of_outcomes,
    simulate,
};
use tradewind_quant::{QuantError, ReturnWindow, tail};

fn close(label: &str, ours: f64, expected: f64, tolerance: f64) {
    assert!((ours - expected).abs() <= tolerance, "{label}: {ours}, expected {expected}");
}

/// The last 250 daily returns of the ten stocks of Riskfolio-Lib's tests, and weights that grow from the first to the last.
fn stocks(test: &str) -> Option<(ReturnWindow, Vec<f64>)> {
    let prices = Table::read(risk_folder(test)?.join("riskfolio").join("stock_prices.csv"));
    let names = prices.columns.iter().filter(|name| *name != "SPY");
    let last = |name: &String| {
        let all = simple_returns(&prices.column(name));
        all[all.len() - 250..].to_vec()
    };
    let series: Vec<Vec<f64>> = names.map(last).collect();
    let weights = (1..=series.len()).map(|i| i as f64 / 55.0).collect();
    Some((ReturnWindow::new(&series).unwrap(), weights))
}

/// Computed with Riskfolio-Lib 7.4.0 (`CVaR_Hist`, `VaR_Hist`, `Risk_Contribution`, which differentiates numerically)
/// on exactly these returns and weights.
#[test]
fn historical_figures_and_their_split_equal_riskfolio() {
    let Some((window, weights)) = stocks("historical_figures_and_their_split_equal_riskfolio") else { return };
    let held = Historical::new(&window, &weights).unwrap();
    let split = held.contributions(&Level::standard()).unwrap();
    close("cvar", split.total.cvar, 0.020030301817735206, 1e-15);
    let expected = [
        0.00034080072286951,
        0.00136087074185311,
        0.00074257580387735,
        0.00061122067255988,
        0.00148030357857961,
        0.00239620038205485,
        0.00212380832932805,
        0.00294883210778933,
        0.00272497859504279,
        0.00530071089294653,
    ];
    for (ours, theirs) in split.component_cvar.iter().zip(expected) {
        close("component cvar", *ours, theirs, 1e-9);
    }
    // Riskfolio takes the 13th worst of 250 days for 5 %, without interpolation: a place of 12 / 249 by our rule.
    let thirteenth = Level::new(1.0 - 12.0 / 249.0, 1.0).unwrap();
    let split = held.contributions(&thirteenth).unwrap();
    close("var", split.total.var, 0.011965414142374994, 1e-12);
    let expected = [
        2.7544554421423469e-04,
        3.1898522838287715e-04,
        6.8025262695508616e-04,
        -3.8069218863148983e-05,
        7.8070575414777225e-04,
        1.7820180974787384e-03,
        9.8841950564966139e-04,
        1.6031796748724760e-03,
        2.0244497839469215e-03,
        3.5500271488247467e-03,
    ];
    for (ours, theirs) in split.component_var.iter().zip(expected) {
        close("component var", *ours, theirs, 1e-9);
    }
}

/// Riskfolio's split of the standard deviation, on the same input: a parametric figure without a mean is z of it.
#[test]
fn the_parametric_split_equals_riskfolio() {
    let Some((window, weights)) = stocks("the_parametric_split_equals_riskfolio") else { return };
    let moments = Moments { means: vec![0.0; 10], ..Moments::sample(&window) };
    let split = Parametric::new(&moments, &weights).unwrap().contributions(&Level::standard()).unwrap();
    let z = 1.644_853_626_951_472_7;
    close("var", split.total.var, z * 0.008825529186250559, 1e-10);
    close("cvar", split.total.cvar, 2.062_712_807_507_1 * 0.008825529186250559, 1e-10);
    let expected = [
        0.00012761500205687,
        0.00054409593623502,
        0.00030467143864606,
        0.00029151936546552,
        0.00057857752758618,
        0.00093322132881228,
        0.00078763788341863,
        0.00114139573171755,
        0.00208563994909766,
        0.00203115502321479,
    ];
    for (ours, theirs) in split.component_var.iter().zip(expected) {
        close("component var", *ours, z * theirs, 1e-9);
    }
}

/// scikit-learn 1.9.1 `ledoit_wolf`; PyPortfolioOpt 1.6.0 `CovarianceShrinkage`, given the covariances that divide by n
/// as the paper does (it takes those that divide by n - 1 and mixes them with moments that divide by n).
#[test]
fn shrinkage_equals_scikit_learn_and_pyportfolioopt() {
    let Some((window, _)) = stocks("shrinkage_equals_scikit_learn_and_pyportfolioopt") else { return };
    let last_60: Vec<&[f64]> = (0..10).map(|i| &window.asset(i)[190..]).collect();
    let short = ReturnWindow::new(&last_60).unwrap();
    let table = [
        (&window, Target::ScaledIdentity, 0.10010986842922831, 0.00021643017017533112, 0.00011036501370562571),
        (&short, Target::ScaledIdentity, 0.2269716942938142, 0.00014272862380362877, 7.206172449399985e-05),
        (&window, Target::ConstantCorrelation, 0.21670034494102383, 0.0002084113933807521, 0.00011998312286412997),
        (&short, Target::ConstantCorrelation, 0.7558194726283672, 9.86243158129597e-05, 6.672543405991031e-05),
    ];
    for (returns, target, intensity, variance, covariance) in table {
        let (moments, ours) = Moments::shrunk(returns, target);
        close("intensity", ours, intensity, 1e-12);
        close("variance", moments.covariance.at(0, 0), variance, 1e-16);
        close("covariance", moments.covariance.at(0, 1), covariance, 1e-16);
    }
}

#[test]
fn modified_shortfall_equals_performance_analytics() {
    let Some(folder) = risk_folder("modified_shortfall_equals_performance_analytics") else { return };
    let text = std::fs::read_to_string(folder.join("performanceanalytics-expected.md")).unwrap();
    let managers = Table::read(folder.join("managers.csv"));
    let call = r#"SharpeRatio(managers[, 1:9], Rf = managers[, 10, drop = FALSE], FUN = c("StdDev", "VaR", "ES"))"#;
    let printed = Snapshot::section(&text, "SharpeRatio").row(call, "ES Sharpe Ratio (Rf=0.3%, p=95%):");
    assert_eq!(printed.len(), 9);
    for (column, expected) in managers.columns.iter().zip(printed) {
        let (ours, bills) = managers.pairs(column, "US 3m TR");
        let excess: Vec<f64> = ours.iter().zip(bills).map(|(r, bill)| r - bill).collect();
        let mean = excess.iter().sum::<f64>() / excess.len() as f64;
        close(column, mean / tail::modified_expected_shortfall(&excess, 0.95).unwrap(), expected, 1.01e-4);
    }
}

/// The domain of validity against the bent quantile itself, at every hundredth of a deviation.
#[test]
fn the_modified_quantile_grows_where_it_is_said_to() {
    let bent = |z: f64, s: f64, k: f64| {
        z + (z * z - 1.0) * s / 6.0 + (z.powi(3) - 3.0 * z) * k / 24.0 - (2.0 * z.powi(3) - 5.0 * z) * s * s / 36.0
    };
    let mut said = [0, 0];
    for (skewness, excess) in
        (-30..=30).flat_map(|s| (-20..=120).map(move |k| (f64::from(s) / 10.0, f64::from(k) / 10.0)))
    {
        let values: Vec<f64> = (-400..=400).map(|z| bent(f64::from(z) / 100.0, skewness, excess)).collect();
        let least = values.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let grows = tail::modified_quantile_grows(skewness, excess);
        // between two points the slope may touch zero
        assert!(least.abs() < 1e-4 || (least > 0.0) == grows, "{skewness} and {excess}: {least}");
        said[usize::from(grows)] += 1;
    }
    assert!(said.iter().all(|count| *count > 1_000), "{said:?}");
    for (skewness, excess, grows) in [
        (0.0, 0.0, true),
        (0.01, -0.02, true), // normal but for chance
        (0.0, 8.0, true),
        (0.0, 8.01, false),
        (0.0, -0.53, true),
        (0.0, -0.54, false),
        (2.0, 7.0, true),
        (2.0, 6.0, false),
        (-1.0, 3.0, true),
        (-2.6, 8.0, false),
        (-1.0, 1.0, false),
        (0.3, 900.0, false),
    ] {
        assert_eq!(tail::modified_quantile_grows(skewness, excess), grows, "{skewness} and {excess}");
    }
}

#[test]
fn modified_figures_are_none_where_they_would_mean_nothing() {
    // as often up as down; of fifty moves one is so many times as far
    let record = |far: f64| -> Vec<f64> {
        let ups = (0..250).map(move |place| if place % 50 == 0 { 0.01 * far } else { 0.01 });
        ups.clone().chain(ups.map(|up| -up)).collect()
    };
    let (calm, wilder, wild) = (record(4.0), record(6.0), record(20.0));
    let both = |confidence| {
        Some((tail::modified_value_at_risk(&calm, confidence)?, tail::modified_expected_shortfall(&calm, confidence)?))
    };
    for confidence in [0.95, 0.99] {
        let (var, shortfall) = tail::modified_tail(&calm, confidence);
        assert_eq!((var, shortfall), both(confidence).unzip(), "as the formulas have it");
        assert!(shortfall > var);
        assert_eq!(tail::modified_tail(&wild, confidence), (None, None), "an excess kurtosis of more than thirty");
    }
    let (var, shortfall) = tail::modified_tail(&wilder, 0.99);
    let kept = tail::modified_expected_shortfall(&wilder, 0.99);
    assert_eq!((var, shortfall), (kept, None), "the density is below zero in its tail");
    assert_eq!(tail::modified_tail(&[0.01; 5], 0.95), (None, None), "nothing varies");
}

#[test]
fn one_asset_gives_the_figures_of_its_record() {
    let Some((window, _)) = stocks("one_asset_gives_the_figures_of_its_record") else { return };
    for (asset, confidence) in [(0, 0.95), (3, 0.99), (9, 0.975), (5, 0.9)] {
        let record = window.asset(asset);
        let mut exposures = vec![0.0; 10];
        exposures[asset] = 1.0;
        let level = Level::new(confidence, 1.0).unwrap();
        let figures = Historical::new(&window, &exposures).unwrap().tail_risk(&level).unwrap();
        close("var", figures.var, tail::value_at_risk(record, confidence).unwrap(), 1e-13);
        close("cvar", figures.cvar, tail::expected_shortfall(record, confidence).unwrap(), 1e-13);
        let split = modified(&window, &exposures, &level).unwrap();
        close("modified var", split.total.var, tail::modified_value_at_risk(record, confidence).unwrap(), 1e-12);
        close("modified cvar", split.total.cvar, tail::modified_expected_shortfall(record, confidence).unwrap(), 1e-12);
    }
}

#[test]
fn a_simulation_agrees_with_the_normal_figures_and_with_itself() {
    let Some((window, weights)) = stocks("a_simulation_agrees_with_the_normal_figures_and_with_itself") else { return };
    let moments = Moments::sample(&window);
    for (confidence, horizon) in [(0.95, 1.0), (0.99, 10.0)] {
        let level = Level::new(confidence, horizon).unwrap();
        let drawn = simulate(&moments, &level, DEFAULT_PATHS, 42).unwrap();
        assert_eq!(drawn, simulate(&moments, &level, DEFAULT_PATHS, 42).unwrap());
        assert_ne!(drawn, simulate(&moments, &level, DEFAULT_PATHS, 43).unwrap());
        let once = Level::new(confidence, 1.0).unwrap();
        let ours = Historical::new(&drawn, &weights).unwrap().tail_risk(&once).unwrap();
        let exact = Parametric::new(&moments, &weights).unwrap().tail_risk(&level).unwrap();
        // Four standard errors of a quantile: sqrt(p (1 - p) / n) / density.
        let deviation = 0.008_825_529 * horizon.sqrt();
        let error = if confidence > 0.97 { 0.037_3 } else { 0.021_1 } * deviation;
        close("var", ours.var, exact.var, 4.0 * error);
        close("cvar", ours.cvar, exact.cvar, 5.0 * error);
        // The drawn periods have the moments that were asked for.
        let drawn = Moments::sample(&drawn);
        for i in 0..10 {
            for j in 0..10 {
                let scale = horizon * (moments.covariance.at(i, i) * moments.covariance.at(j, j)).sqrt();
                close("covariance", drawn.covariance.at(i, j), horizon * moments.covariance.at(i, j), 0.06 * scale);
            }
        }
    }
}

/// The bits themselves: what decides in the gate must not depend on the machine.
#[test]
fn shocks_mixed_by_a_record_are_draws_from_its_covariances() {
    let wave =
        |a: f64, b: f64| (0..240).map(move |t| (f64::from(t) * a).sin() * 0.01 + (f64::from(t) * b).cos() * 0.004);
    let window = ReturnWindow::new(&[wave(0.7, 2.1).collect::<Vec<_>>(), wave(0.9, 2.1).collect()]).unwrap();
    let (day, weights) = (Level::new(0.95, 24.0).unwrap(), [0.7, -0.4]);
    let shocks = Shocks::draw(240, 20_000, 5).unwrap();
    let of_asset = |i: usize| shocks.scenarios(window.asset(i), &day).unwrap();
    let drawn = ReturnWindow::new(&[of_asset(0), of_asset(1)]).unwrap();
    let sample = Moments::sample(&window);
    let normal = Moments { means: vec![0.0; 2], covariance: sample.covariance.clone() };
    let covariance = Moments::sample(&drawn).covariance;
    for (row, column) in [(0, 0), (1, 0), (1, 1)] {
        let scale = (sample.covariance.at(row, row) * sample.covariance.at(column, column)).sqrt() * 24.0;
        close("covariance", covariance.at(row, column) / scale, sample.covariance.at(row, column) * 24.0 / scale, 0.02);
    }
    // a portfolio's scenarios are those of its assets, weighted
    let outcomes = window.outcomes(&weights).unwrap();
    let found = shocks.tail_risk(&outcomes, &day).unwrap();
    let of_assets = Historical::new(&drawn, &weights).unwrap().tail_risk(&Level::standard()).unwrap();
    close("var", found.var, of_assets.var, 1e-12);
    close("cvar", found.cvar, of_assets.cvar, 1e-12);
    // and agree with what a Cholesky factor draws, and with the normal figures
    let by_factor = simulate(&normal, &day, 40_000, 6).unwrap();
    let other = Historical::new(&by_factor, &weights).unwrap();
    let exact = normal_of_outcomes(&outcomes, &day).unwrap();
    for theirs in [other.tail_risk(&Level::standard()).unwrap(), exact] {
        close("var", found.var / theirs.var, 1.0, 0.02);
        close("cvar", found.cvar / theirs.cvar, 1.0, 0.02);
    }
}

#[test]
fn shocks_refuse_what_they_were_not_drawn_for() {
    assert!(matches!(Shocks::draw(0, 1, 1), Err(QuantError::TooFew { what: "periods", .. })));
    assert!(matches!(Shocks::draw(1, 0, 1), Err(QuantError::TooFew { what: "pairs of scenarios", .. })));
    let (shocks, day) = (Shocks::draw(3, 4, 1).unwrap(), Level::standard());
    assert!(matches!(shocks.scenarios(&[0.1], &day), Err(QuantError::TooFew { what: "outcomes", needed: 2, got: 1 })));
    assert!(matches!(shocks.scenarios(&[0.1; 4], &day), Err(QuantError::Shape { expected: 3, got: 4, .. })));
    assert!(matches!(shocks.scenarios(&[0.1, f64::NAN], &day), Err(QuantError::NotFinite { .. })));
    assert!(matches!(normal_of_outcomes(&[0.1], &day), Err(QuantError::TooFew { needed: 2, got: 1, .. })));
    assert!(matches!(normal_of_outcomes(&[0.1, f64::INFINITY], &day), Err(QuantError::NotFinite { .. })));
    let scenarios = shocks.scenarios(&[0.1, -0.2, 0.3], &day).unwrap();
    assert_eq!(scenarios.len(), 8, "each with its mirror image");
    assert!(scenarios[..4].iter().zip(&scenarios[4..]).all(|(one, other)| (one + other).abs() < 1e-300));
    assert_eq!(
        shocks.scenarios(&[0.1, -0.2, 0.3], &day),
        Shocks::draw(3, 4, 1).unwrap().scenarios(&[0.1, -0.2, 0.3], &day)
    );
}

#[test]
fn the_same_input_gives_the_same_bits_on_every_machine() {
    let mut draws = tradewind_quant::Draws::new(9);
    let series: Vec<Vec<f64>> = (0..5).map(|_| (0..100).map(|_| draws.normal() * 0.01).collect()).collect();
    let window = ReturnWindow::new(&series).unwrap();
    let (moments, level) = (Moments::sample(&window), Level::new(0.99, 3.0).unwrap());
    let exposures = [100.0, -50.0, 25.0, 10.0, 75.0];
    let drawn = simulate(&moments, &level, 1_000, 5).unwrap();
    let figures = [
        Historical::new(&window, &exposures).unwrap().tail_risk(&level).unwrap(),
        Parametric::new(&moments, &exposures).unwrap().tail_risk(&level).unwrap(),
        Historical::new(&drawn, &exposures).unwrap().tail_risk(&Level::new(0.99, 1.0).unwrap()).unwrap(),
    ];
    let bits: Vec<String> =
        figures.iter().map(|f| format!("{:016x} {:016x}", f.var.to_bits(), f.cvar.to_bits())).collect();
    expect_test::expect![[r#"
        40158078c6482d5a 4016a03d7dad96a5
        4015dd8526085be1 4018fde8f3fcb413
        40175bcbbdff52e7 401a904945352e48"#]]
    .assert_eq(&bits.join("\n"));
}

#[test]
fn an_empty_portfolio_risks_nothing() {
    let window = ReturnWindow::new(&[[0.1, -0.2, 0.3]]).unwrap();
    let moments = Moments::sample(&window);
    let splits = [
        Historical::new(&window, &[0.0]).unwrap().contributions(&Level::standard()).unwrap(),
        Parametric::new(&moments, &[0.0]).unwrap().contributions(&Level::standard()).unwrap(),
    ];
    for split in splits {
        let text = serde_json::to_string(&split.total).unwrap();
        assert_eq!(text, r#"{"var":0.0,"cvar":0.0}"#);
        assert_eq!(serde_json::to_string(&split.component_var).unwrap(), "[0.0]");
    }
}

#[test]
fn bad_input_is_refused_by_name() {
    let window = ReturnWindow::new(&[[0.01, -0.02, 0.03], [0.0, 0.01, -0.01]]).unwrap();
    let code = |result: Result<(), QuantError>| result.unwrap_err().code();
    let made = |series: &[Vec<f64>]| ReturnWindow::new(series).map(drop);
    let moments = Moments::sample(&window);
    let held = Historical::new(&window, &[1.0, 1.0]).unwrap();
    let normal = Parametric::new(&moments, &[1.0, 1.0]).unwrap();
    let level = Level::standard();
    let huge = Moments { means: vec![0.0], covariance: Symmetric::from_rows(1, &[f64::MAX]).unwrap() };
    let negative = Moments { means: vec![0.0; 2], covariance: Symmetric::from_rows(2, &[1.0, 2.0, 2.0, 1.0]).unwrap() };
    let table = [
        ("QNT-07", made(&[])),
        ("QNT-07", made(&[vec![0.1]])),
        ("QNT-06", made(&[vec![0.1, 0.2], vec![0.1]])),
        ("QNT-08", made(&[vec![0.1, f64::NAN]])),
        ("QNT-08", ReturnWindow::of_prices(&[[1.0, 2.0, 3.0], [1.0, 0.0, 3.0]]).map(drop)),
        ("QNT-08", ReturnWindow::of_prices(&[[f64::NAN, 2.0, 3.0]]).map(drop)),
        ("QNT-07", ReturnWindow::of_prices(&[[1.0, 2.0]]).map(drop)),
        ("QNT-07", of_outcomes(&[], &Level::standard()).map(drop)),
        ("QNT-01", of_outcomes(&[0.1, f64::NAN], &Level::standard()).map(drop)),
        ("QNT-08", made(&[vec![0.1, 0.2], vec![f64::INFINITY, 0.0]])),
        ("QNT-08", window.clone().push(&[0.1, f64::NAN])),
        ("QNT-06", window.clone().push(&[0.1])),
        ("QNT-07", window.compounded(3).map(drop)),
        ("QNT-07", window.compounded(0).map(drop)),
        ("QNT-06", Historical::new(&window, &[1.0]).map(drop)),
        ("QNT-01", Historical::new(&window, &[1.0, f64::NAN]).map(drop)),
        (
            "QNT-01",
            Historical::new(&window, &[f64::MAX, f64::MAX])
                .and_then(|h| h.after(&[(0, f64::MAX)], &Level::new(0.5, 1e9)?))
                .map(drop),
        ),
        ("QNT-06", held.after(&[(2, 1.0)], &level).map(drop)),
        ("QNT-01", held.after(&[(0, f64::INFINITY)], &level).map(drop)),
        ("QNT-06", normal.after(&[(2, 1.0)], &level).map(drop)),
        ("QNT-01", normal.after(&[(0, f64::NAN)], &level).map(drop)),
        ("QNT-01", Parametric::new(&moments, &[f64::NAN, 0.0]).map(drop)),
        ("QNT-06", Parametric::new(&moments, &[1.0]).map(drop)),
        ("QNT-01", Parametric::new(&huge, &[10.0]).map(drop)),
        ("QNT-09", Parametric::new(&negative, &[1.0, -1.0]).map(drop)),
        ("QNT-09", simulate(&negative, &level, 10, 1).map(drop)),
        ("QNT-07", simulate(&moments, &level, 1, 1).map(drop)),
        ("QNT-04", Level::new(1.0, 1.0).map(drop)),
        ("QNT-04", Level::new(0.95, 0.0).map(drop)),
        ("QNT-01", Level::new(f64::NAN, 1.0).map(drop)),
        ("QNT-04", Moments::weighted(&window, 1.0).map(drop)),
        ("QNT-04", Symmetric::from_rows(2, &[1.0, 0.5, 0.6, 1.0]).map(drop)),
        ("QNT-04", modified(&window, &[0.0, 0.0], &level).map(drop)),
    ];
    for (place, (expected, result)) in table.into_iter().enumerate() {
        assert_eq!(code(result), expected, "row {place}");
    }
    let error = ReturnWindow::new(&[vec![0.1, 0.2], vec![0.3, f64::NAN]]).unwrap_err();
    assert_eq!(error.to_string(), "asset 1 has no return in period 1: NaN");
}

#[test]
fn a_rolling_window_drops_the_oldest_period() {
    let mut window = ReturnWindow::new(&[[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]]).unwrap();
    window.push(&[0.4, 4.0]).unwrap();
    assert_eq!(window, ReturnWindow::new(&[[0.2, 0.3, 0.4], [2.0, 3.0, 4.0]]).unwrap());
    let text = serde_json::to_string(&window).unwrap();
    assert_eq!(serde_json::from_str::<ReturnWindow>(&text).unwrap(), window);
    assert!(serde_json::from_str::<ReturnWindow>("[[0.1]]").is_err());
    let priced = ReturnWindow::of_prices(&[[100.0, 110.0, 99.0]]).unwrap();
    close("return", priced.asset(0)[0], 0.1, 1e-15);
    close("return", priced.asset(0)[1], -0.1, 1e-15);
    let spans = ReturnWindow::new(&[[0.1, 0.2, -0.5]]).unwrap().compounded(2).unwrap();
    close("compound", spans.asset(0)[0], 0.32, 1e-15);
    close("compound", spans.asset(0)[1], -0.4, 1e-15);
}

#[test]
fn the_newest_period_weighs_most() {
    let window = ReturnWindow::new(&[[0.1, 0.0, 0.2], [0.1, 0.3, -0.1]]).unwrap();
    let moments = Moments::weighted(&window, 0.5).unwrap();
    // Weights 1/7, 2/7, 4/7.
    close("variance", moments.covariance.at(0, 0), (0.01 + 4.0 * 0.04) / 7.0, 1e-16);
    close("covariance", moments.covariance.at(1, 0), (0.01 - 4.0 * 0.02) / 7.0, 1e-16);
}

fn any_window() -> impl Strategy<Value = ReturnWindow> {
    (1..6_usize, 2..60_usize).prop_flat_map(|(assets, periods)| {
        // A few equal values, so that ties happen.
        let value = prop_oneof![3 => -0.3..0.4_f64, 1 => Just(0.0), 1 => Just(-0.1)];
        prop::collection::vec(prop::collection::vec(value, periods), assets)
            .prop_map(|series| ReturnWindow::new(&series).unwrap())
    })
}

fn any_portfolio() -> impl Strategy<Value = (ReturnWindow, Vec<f64>)> {
    any_window().prop_flat_map(|window| {
        let exposures = prop::collection::vec(prop_oneof![1 => Just(0.0), 5 => -1e5..1e5_f64], window.assets());
        (Just(window), exposures)
    })
}

/// The parts sum to the whole, and the shortfall is never the smaller one.
fn check_split(split: &Contributions, gross: f64) -> Result<(), TestCaseError> {
    let tolerance = 1e-9 * gross.max(1.0);
    prop_assert!(split.total.cvar >= split.total.var);
    prop_assert!((split.component_var.iter().sum::<f64>() - split.total.var).abs() <= tolerance, "{split:?}");
    prop_assert!((split.component_cvar.iter().sum::<f64>() - split.total.cvar).abs() <= tolerance, "{split:?}");
    Ok(())
}

proptest! {
    #[test]
    fn contributions_sum_to_the_whole((window, exposures) in any_portfolio(), confidence in 0.01..0.999_f64, horizon in 0.5..30.0_f64) {
        let level = Level::new(confidence, horizon).unwrap();
        let gross = exposures.iter().map(|e| e.abs()).sum::<f64>() * 30.0;
        check_split(&Historical::new(&window, &exposures).unwrap().contributions(&level).unwrap(), gross)?;
        let moments = Moments::sample(&window);
        check_split(&Parametric::new(&moments, &exposures).unwrap().contributions(&level).unwrap(), gross)?;
    }

    /// The fast selection against the plain one, which sorts.
    #[test]
    fn the_normal_figures_of_a_record_are_the_parametric_ones_without_a_mean(
        (window, exposures) in any_portfolio(), confidence in 0.01..0.999_f64, horizon in 0.5..30.0_f64
    ) {
        let level = Level::new(confidence, horizon).unwrap();
        let moments = Moments { means: vec![0.0; window.assets()], ..Moments::sample(&window) };
        let held = Parametric::new(&moments, &exposures).unwrap().tail_risk(&level).unwrap();
        let found = normal_of_outcomes(&window.outcomes(&exposures).unwrap(), &level).unwrap();
        let gross: f64 = exposures.iter().map(|exposure| exposure.abs()).sum();
        prop_assert!((held.var - found.var).abs() <= 1e-7 * gross, "{held:?} and {found:?}");
        prop_assert!((held.cvar - found.cvar).abs() <= 1e-7 * gross);
    }

    #[test]
    fn the_historical_figures_equal_the_sorted_ones((window, exposures) in any_portfolio(), confidence in 0.01..0.999_f64) {
        let held = Historical::new(&window, &exposures).unwrap();
        let ours = held.tail_risk(&Level::new(confidence, 1.0).unwrap()).unwrap();
        let scale = 1e-12 * exposures.iter().map(|e| e.abs()).sum::<f64>().max(1.0);
        let var = tail::value_at_risk(held.outcomes(), confidence).unwrap();
        let cvar = tail::expected_shortfall(held.outcomes(), confidence).unwrap();
        prop_assert_eq!(ours, of_outcomes(held.outcomes(), &Level::new(confidence, 1.0).unwrap()).unwrap());
        prop_assert!((ours.var - var).abs() <= scale * 100.0, "{} {}", ours.var, var);
        prop_assert!((ours.cvar - cvar).abs() <= scale * 100.0, "{} {}", ours.cvar, cvar);
    }

    /// Asking what an order would do equals holding it.
    #[test]
    fn after_an_order_equals_the_portfolio_that_holds_it(
        (window, exposures) in any_portfolio(), first in any::<prop::sample::Index>(),
        second in any::<prop::sample::Index>(), by in -1e5..1e5_f64, more in -1e5..1e5_f64,
    ) {
        let level = Level::standard();
        let changes = [(first.index(window.assets()), by), (second.index(window.assets()), more)];
        let mut later = exposures.clone();
        for (asset, change) in changes {
            later[asset] += change;
        }
        let moments = Moments::sample(&window);
        let gross = exposures.iter().chain(&later).map(|e| e.abs()).sum::<f64>().max(1.0);
        let pairs = [
            (Historical::new(&window, &exposures).unwrap().after(&changes, &level).unwrap(),
             Historical::new(&window, &later).unwrap().tail_risk(&level).unwrap()),
            (Parametric::new(&moments, &exposures).unwrap().after(&changes, &level).unwrap(),
             Parametric::new(&moments, &later).unwrap().tail_risk(&level).unwrap()),
        ];
        for (change, held) in pairs {
            // A variance that cancels leaves the square root of its rounding error.
            prop_assert!((change.after.var - held.var).abs() <= 1e-7 * gross);
            prop_assert!((change.after.cvar - held.cvar).abs() <= 1e-7 * gross);
            prop_assert!((change.incremental_var() - (held.var - change.before.var)).abs() <= 1e-7 * gross);
        }
    }

    #[test]
    fn risk_scales_with_the_position_and_with_the_root_of_time((window, exposures) in any_portfolio(), scale in 0.1..10.0_f64) {
        let level = Level::standard();
        let scaled: Vec<f64> = exposures.iter().map(|e| e * scale).collect();
        let one = Historical::new(&window, &exposures).unwrap();
        let risk = one.tail_risk(&level).unwrap();
        let larger = Historical::new(&window, &scaled).unwrap().tail_risk(&level).unwrap();
        let later = one.tail_risk(&Level::new(0.95, 4.0).unwrap()).unwrap();
        let tolerance = 1e-6 * scale.max(1.0);
        prop_assert!((larger.cvar - scale * risk.cvar).abs() <= tolerance);
        prop_assert!((later.cvar - 2.0 * risk.cvar).abs() <= tolerance);
    }

    /// Marginals by a small step of exposure, where the figure is smooth.
    #[test]
    fn marginals_are_derivatives(
        series in prop::collection::vec(prop::collection::vec(-0.3..0.4_f64, 40), 3),
        exposures in prop::collection::vec(0.5..2.0_f64, 3), asset in 0..3_usize,
    ) {
        let window = ReturnWindow::new(&series).unwrap();
        let level = Level::standard();
        let moments = Moments::sample(&window);
        let step = 1e-5;
        let moved = |by: f64| { let mut e = exposures.clone(); e[asset] += by; e };
        let parametric = |e: &[f64]| Parametric::new(&moments, e).unwrap().contributions(&level).unwrap();
        let bent = |e: &[f64]| modified(&window, e, &level).unwrap();
        type Split<'a> = &'a dyn Fn(&[f64]) -> Contributions;
        for split in [&parametric as Split<'_>, &bent as Split<'_>] {
            let (up, down, here) = (split(&moved(step)), split(&moved(-step)), split(&exposures));
            let slope = |f: fn(&Contributions) -> f64| (f(&up) - f(&down)) / (2.0 * step);
            prop_assert!((slope(|c| c.total.var) - here.marginal_var[asset]).abs() < 1e-5);
            prop_assert!((slope(|c| c.total.cvar) - here.marginal_cvar[asset]).abs() < 1e-5);
            check_split(&here, 1e3)?;
        }
    }

    #[test]
    fn shrunk_covariances_are_positive_and_lie_between(window in any_window()) {
        for target in [Target::ScaledIdentity, Target::ConstantCorrelation] {
            let (moments, intensity) = Moments::shrunk(&window, target);
            prop_assert!((0.0..=1.0).contains(&intensity));
            prop_assert!(moments.covariance.cholesky().is_ok());
            let correlations = moments.covariance.correlations();
            for i in 0..window.assets() {
                for j in 0..window.assets() {
                    prop_assert!((correlations.at(i, j) - correlations.at(j, i)).abs() < 1e-15 && correlations.at(i, j).abs() <= 1.0);
                }
            }
        }
    }
}
