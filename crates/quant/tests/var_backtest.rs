//! The tests of a value at risk against outside figures and against themselves.

#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::excessive_precision, reason = "the digits as their source prints them")]

mod common;

use common::{Table, risk_folder, simple_returns};
use proptest::prelude::*;
use tradewind_quant::ReturnWindow;
use tradewind_quant::covariance::Moments;
use tradewind_quant::tail_risk::{Historical, Level, Parametric};
use tradewind_quant::var_backtest::{chi_square_survival, conditional_coverage, exceptions, independence, kupiec};

fn close(label: &str, ours: f64, expected: f64, tolerance: f64) {
    assert!((ours - expected).abs() <= tolerance, "{label}: {ours}, expected {expected}");
}

#[test]
fn the_chi_square_distribution_equals_scipy() {
    // scipy 1.17.1, stats.chi2.sf.
    let table = [
        (3.841458820694124, 1, 0.04999999999999989),
        (0.5, 1, 0.47950012218695337),
        (10.0, 1, 0.001565402258002549),
        (5.991464547107979, 2, 0.05000000000000007),
        (0.01, 2, 0.9950124791926823),
        (30.0, 2, 3.0590232050182594e-07),
        (7.5, 5, 0.186029833602867),
        (150.0, 3, 2.6349139284880416e-32),
    ];
    for (x, degrees, expected) in table {
        close("survival", chi_square_survival(x, degrees), expected, 1e-12 * expected);
    }
    assert!((chi_square_survival(0.0, 3) - 1.0).abs() < 1e-15 && chi_square_survival(f64::NAN, 1).is_nan());
    assert!(chi_square_survival(1.0, 0).is_nan());
}

#[test]
fn kupiec_equals_vartests() {
    // vartests 0.4.1, kupiec_test.
    let table = [
        (7, 255, 0.99, 5.316341340978184, 0.021126323789771168),
        (0, 250, 0.99, 5.025167926750726, 0.02498150305344973),
        (20, 250, 0.95, 4.039520476139188, 0.04444644930605611),
        (13, 250, 0.95, 0.02079191303160144, 0.8853472694426516),
    ];
    for (hits, periods, confidence, statistic, p_value) in table {
        let ours = kupiec(hits, periods, confidence).unwrap();
        close("statistic", ours.statistic, statistic, 1e-11);
        close("p-value", ours.p_value, p_value, 1e-10);
        assert_eq!(ours.rejects(0.05), p_value < 0.05);
    }
    close("as promised", kupiec(5, 100, 0.95).unwrap().statistic, 0.0, 1e-12);
    assert!(kupiec(100, 100, 0.95).unwrap().p_value < 1e-100);
}

/// Worked apart with numpy and scipy 1.17.1: 230 calm days after calm ones, 7 exceptions after calm, 6 and 6 after exceptions.
#[test]
fn clustered_exceptions_fail_though_their_number_is_right() {
    let mut record = vec![false; 250];
    for day in [3, 4, 5, 40, 41, 90, 130, 131, 180, 200, 201, 202, 249] {
        record[day] = true;
    }
    let clusters = independence(&record).unwrap();
    close("independence", clusters.statistic, 22.337432133289894, 1e-10);
    close("p-value", clusters.p_value, 2.2870487874346168e-06, 1e-16);
    let both = conditional_coverage(&record, 0.95).unwrap();
    close("conditional coverage", both.statistic, 22.358224046321517, 1e-10);
    close("p-value", both.p_value, 1.396282631313746e-05, 1e-15);
    assert!(!kupiec(13, 250, 0.95).unwrap().rejects(0.05) && clusters.rejects(0.01) && both.rejects(0.01));
}

/// Daily returns of bitcoin from Coinbase (newest row first in the file), December 2014 to July 2019.
fn bitcoin(risk: &std::path::Path) -> Vec<f64> {
    let path = risk.join("../ohlcv/crypto/coinbase-1d/coinbase-1d-btc-usd.csv");
    let mut closes = Table::read(path).column("Close");
    closes.reverse();
    simple_returns(&closes)
}

/// Each day is judged by the 250 days before it. Counted with numpy (`quantile`, mean and `std(ddof=1)`), the ratios
/// with scipy 1.17.1. The normal model fails at 99 % on bitcoin, the historical one clusters: both as it should be.
#[test]
fn yesterdays_value_at_risk_is_tested_on_todays_loss() {
    let Some(folder) = risk_folder("yesterdays_value_at_risk_is_tested_on_todays_loss") else { return };
    let prices = Table::read(folder.join("riskfolio").join("stock_prices.csv"));
    let jpm = simple_returns(&prices.column("JPM"));
    let btc = bitcoin(&folder);
    // exceptions, Kupiec's p, independence's p, conditional coverage's p: historical, then normal
    let table = [
        (
            "BTC",
            &btc,
            0.95,
            [
                (79, 0.31980341717918914, 0.004329208554499675, 0.010409609884176513),
                (70, 0.9318260610143998, 0.00782606840683772, 0.02901088845512474),
            ],
        ),
        (
            "BTC",
            &btc,
            0.99,
            [
                (19, 0.21712342805485632, 0.024211363668213696, 0.036833225206661185),
                (36, 1.0105277967366696e-06, 0.0001885888555936972, 6.040792224731568e-09),
            ],
        ),
        (
            "JPM",
            &jpm,
            0.95,
            [
                (40, 0.697154988826564, 0.018600455839676632, 0.05813011781733088),
                (32, 0.33271627424995814, 0.19964471682427984, 0.27482132737716647),
            ],
        ),
        (
            "JPM",
            &jpm,
            0.99,
            [
                (9, 0.601438168614641, 0.6405371658825084, 0.7823631264298897),
                (15, 0.015937474772589177, 0.03176371574636226, 0.005459042228833624),
            ],
        ),
    ];
    for (name, record, confidence, expected) in table {
        for (model, (hits, coverage, clusters, both)) in ["historical", "normal"].into_iter().zip(expected) {
            let label = format!("{name} {confidence} {model}");
            let vars = rolling(record, confidence, model == "normal");
            let found = exceptions(&record[250..], &vars).unwrap();
            let count = found.iter().filter(|hit| **hit).count();
            assert_eq!(count, hits, "{label}");
            close(&label, kupiec(count, found.len(), confidence).unwrap().p_value, coverage, 1e-10);
            close(&label, independence(&found).unwrap().p_value, clusters, 1e-10);
            close(&label, conditional_coverage(&found, confidence).unwrap().p_value, both, 1e-10);
        }
    }
}

/// The value at risk of each day from the 250 days before it.
fn rolling(record: &[f64], confidence: f64, normal: bool) -> Vec<f64> {
    let level = Level::new(confidence, 1.0).unwrap();
    let of = |past: &[f64]| {
        let window = ReturnWindow::new(&[past]).unwrap();
        let moments = Moments::sample(&window);
        let held = if normal {
            Parametric::new(&moments, &[1.0]).unwrap().tail_risk(&level)
        } else {
            Historical::new(&window, &[1.0]).unwrap().tail_risk(&level)
        };
        held.unwrap().var
    };
    (250..record.len()).map(|today| of(&record[today - 250..today])).collect()
}

#[test]
fn bad_input_is_refused_by_name() {
    let table = [
        ("QNT-06", exceptions(&[0.1], &[]).map(drop)),
        ("QNT-01", exceptions(&[f64::NAN], &[0.1]).map(drop)),
        ("QNT-01", exceptions(&[0.1], &[f64::INFINITY]).map(drop)),
        ("QNT-07", kupiec(0, 0, 0.95).map(drop)),
        ("QNT-04", kupiec(2, 1, 0.95).map(drop)),
        ("QNT-04", kupiec(1, 2, 1.0).map(drop)),
        ("QNT-01", kupiec(1, 2, f64::NAN).map(drop)),
        ("QNT-07", independence(&[true]).map(drop)),
    ];
    for (code, result) in table {
        assert_eq!(result.unwrap_err().code(), code);
    }
}

proptest! {
    #[test]
    fn statistics_are_never_negative_and_p_values_are_probabilities(
        record in prop::collection::vec(any::<bool>(), 2..200), confidence in 0.5..0.999_f64,
    ) {
        for test in [independence(&record).unwrap(), conditional_coverage(&record, confidence).unwrap()] {
            prop_assert!(test.statistic >= 0.0 && (0.0..=1.0).contains(&test.p_value), "{test:?}");
        }
    }

    #[test]
    fn more_exceptions_than_promised_make_the_record_less_likely(extra in 1..50_usize) {
        let (fewer, more) = (kupiec(12 + extra, 250, 0.95).unwrap(), kupiec(13 + extra, 250, 0.95).unwrap());
        prop_assert!(more.p_value < fewer.p_value);
    }

    #[test]
    fn survival_falls_as_the_statistic_grows(x in 0.0..200.0_f64, step in 0.001..10.0_f64, degrees in 1..12_u32) {
        prop_assert!(chi_square_survival(x + step, degrees) < chi_square_survival(x, degrees));
        prop_assert!(chi_square_survival(x, degrees) <= chi_square_survival(x, degrees + 1));
    }
}
