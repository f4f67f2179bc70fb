//! What above-average promises.

use std::process::Command;
use tradewind_domain::{
    Bar, Currency, Instrument, InstrumentId, InstrumentSpec, Interval, Money, Price, Quantity, Timestamp,
};
use tradewind_gate::Limits;
use tradewind_strategies::Rehearsal;
use tradewind_strategies::diagnose::{Diagnosis, Explained, diagnose};

use above_average::AboveAverage;

const SHORT: &str = "period = 3";

fn instrument() -> Instrument {
    let spec = InstrumentSpec { price_decimals: 2, ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test") };
    spec.list(InstrumentId(0)).unwrap()
}

/// Hourly bars of which only the close differs, in cents.
fn bars(closes: &[i64]) -> Vec<Bar> {
    let bar = |(hour, cents): (i64, &i64)| {
        let price = Price::from_mantissa(*cents);
        Bar {
            instrument: InstrumentId(0),
            interval: Interval::HOUR,
            open_time: Timestamp::from_millis(hour * 3_600_000),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Quantity::from_mantissa(1),
        }
    };
    (0..).zip(closes).map(bar).collect()
}

fn play(parameters: &str, closes: &[i64]) -> Diagnosis {
    let strategy = Box::new(AboveAverage::from_toml(parameters).unwrap());
    let deposit = Money::parse("10000", Currency::new("USDT").unwrap()).unwrap();
    let rehearsal = Rehearsal::new(strategy, &instrument(), deposit, Limits::RESEARCH);
    diagnose(rehearsal, bars(closes), closes.len())
}

#[track_caller]
fn check(closes: &[i64], buys: u64, sells: u64, last_reason: &str) {
    let diagnosis = play(SHORT, closes);
    assert_eq!((diagnosis.buys, diagnosis.sells), (buys, sells), "{}", diagnosis.render());
    assert_eq!(diagnosis.last.last().unwrap().reason, last_reason);
}

#[test]
fn it_buys_above_the_margin_and_not_inside_it() {
    check(&[10_000, 10_000, 10_030], 0, 0, "flat, and the close is not above its average");
    check(&[10_000, 10_000, 10_031], 1, 0, "the close is above its average");
}

#[test]
fn its_trades_are_gathered_under_its_tags() {
    let diagnosis = play(SHORT, &[10_000, 10_000, 10_031]);
    assert_eq!(diagnosis.last.last().unwrap().tag.as_deref(), Some("above"), "{}", diagnosis.render());
}

#[test]
fn it_sells_below_the_margin_and_not_inside_it() {
    let rise = [10_000, 10_000, 10_100, 10_100, 10_100];
    let then = |close: i64| rise.into_iter().chain([close]).collect::<Vec<_>>();
    check(&then(10_070), 1, 0, "long, and the close is not below its average");
    check(&then(10_069), 1, 1, "the close is below its average");
}

#[test]
fn it_says_how_far_it_is_from_changing_its_mind() {
    let last = play(SHORT, &[10_000, 10_000, 10_000]).last.remove(2);
    let seen = last.signals.iter().find(|signal| signal.name == "close above average").unwrap();
    assert_eq!((seen.value.as_str(), seen.distance.as_str()), ("0.00000000", "-0.00200000"));
}

#[test]
fn it_is_the_surer_the_further_the_close_lies_from_the_threshold() {
    let sure = |close: i64| {
        let last = play(SHORT, &[10_000, 10_000, close]).last.remove(2);
        last.forecast.unwrap().confidence_bps.unwrap()
    };
    // beyond it of the trade, and inside it of the hold
    for (near, far) in [(sure(10_031), sure(10_100)), (sure(10_020), sure(9_900))] {
        assert!(0 < near && near < far && far < 10_000, "{near} and {far}");
    }
    assert_eq!(sure(10_000), 5_000, "a whole margin inside");
}

#[test]
fn it_waits_until_it_is_warm() {
    check(&[10_000, 11_000], 0, 0, "warming up");
}

#[test]
fn the_future_changes_no_past_decision() {
    let closes: Vec<i64> = (0..200).map(|at| 10_000 + (at * at * 37) % 911).collect();
    // what followed a decision is told afterwards, and is the future's
    let decided = |closes: &[i64]| -> Vec<Explained> {
        play(SHORT, closes).last.into_iter().map(|it| Explained { followed: None, ..it }).collect()
    };
    let whole = decided(&closes);
    for cut in 3..closes.len() {
        let mut other = closes[..cut].to_vec();
        other.extend(closes[cut..].iter().rev());
        assert_eq!(decided(&other)[..cut], whole[..cut]);
    }
}

#[test]
fn the_shipped_parameters_are_the_defaults() {
    let shipped: above_average::Parameters = toml::from_str(include_str!("../above-average.toml")).unwrap();
    assert_eq!(shipped, above_average::Parameters::default());
}

#[test]
fn wrong_parameters_are_refused() {
    for wrong in ["perod = 3", "period = 0", "weight = 2", "margin = nan", "period = 'long'"] {
        assert!(AboveAverage::from_toml(wrong).is_err(), "{wrong}");
    }
}

/// The whole way: a file of bars in, fills and equity out.
#[test]
fn the_backtest_trades_a_csv_file() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (file, parameters) = (folder.join("above-average-bars.csv"), folder.join("above-average-short.toml"));
    let mut text = String::from("timestamp,open,high,low,close,volume\n");
    for hour in 0..200i64 {
        let close = 100 + (hour % 40 - 20).abs(); // falls for 20 hours and rises for 20
        let opened = 1_700_002_800 + hour * 3_600;
        text += &format!("{opened},{close},{close},{close},{close},5\n");
    }
    std::fs::write(&file, text).unwrap();
    std::fs::write(&parameters, SHORT).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_backtest"))
        .args([file.as_os_str(), "BTC/USDT".as_ref(), parameters.as_os_str()])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert!(out.starts_with("bars 200\nfills 9\nequity "), "{out}");
}
