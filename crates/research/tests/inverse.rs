//! Contracts that are settled in their coin: weights, leverage and the benchmark are counted in it.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{Script, plan, run, spec, still};
use tradewind_domain::{
    Currency, FeeSchedule, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, Money, PortfolioId,
};
use tradewind_research::report::{Meta, Report};
use tradewind_research::{Outcome, Plan};
use tradewind_strategies::{Opinion, Target};

/// A perpetual of so many dollars each, without fees.
fn inverse(dollars: i64) -> InstrumentSpec {
    InstrumentSpec {
        kind: InstrumentKind::InversePerpetual,
        symbol: "BTC/USD:BTC".parse().unwrap(),
        min_notional: Money::zero(Currency::new("USD").unwrap()),
        multiplier: (dollars, 0),
        fees: FeeSchedule::default(),
        ..spec()
    }
}

/// Ten coins; each weight is wanted from the close of its bar on.
fn weighed(spec: InstrumentSpec, weights: &[(usize, f64)], prices: &[&str]) -> (Instrument, Outcome) {
    let mut script = Script::default();
    for (place, weight) in weights {
        script.lines.insert(*place, Opinion::target(Target::Weight(*weight), "by the script"));
    }
    let instrument = spec.list(InstrumentId(0)).unwrap();
    let deposit = Money::parse("10", Currency::new("BTC").unwrap()).unwrap();
    let outcome = run(Plan { instrument: instrument.clone(), deposit, ..plan(script) }, &still(prices));
    (instrument, outcome)
}

fn close(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-9, "{got} is not {want}");
}

#[test]
fn all_of_equity_in_an_inverse_contract_is_what_buying_and_holding_it_is() {
    for (dollars, contracts) in [(1, "500000"), (100, "5000")] {
        let (it, outcome) = weighed(inverse(dollars), &[(0, 1.0)], &["50000", "50000", "62500", "40000"]);
        let held = outcome.state.portfolio(PortfolioId(0)).position(it.id).quantity();
        assert_eq!(it.quantity_text(held), contracts, "ten coins at 50,000");
        let report = Report::build(&outcome, Meta::default()).unwrap();
        let hold = report.benchmark.unwrap();
        // 10 + 500,000 / 50,000 - 500,000 / 40,000, and 10 x (2 - 50,000 / 40,000)
        assert_eq!((report.equity_final.as_str(), hold.equity_final.as_str()), ("7.5", "7.5"));
        let holds: Vec<f64> = report.curve.iter().map(|row| row.hold.unwrap()).collect();
        for (got, want) in holds.iter().zip([10.0, 10.0, 12.0, 7.5]) {
            close(*got, want);
        }
        close(hold.drawdown.max.unwrap(), 0.375);
        // 10 of 10 coins for the third minute, 8 of 12 for the fourth, nothing for the first two
        close(report.statistics.activity.mean_leverage.unwrap(), (1.0 + 8.0 / 12.0) / 4.0);
    }
}

#[test]
fn what_the_trips_of_an_inverse_contract_made_is_what_equity_gained() {
    let spec = InstrumentSpec { fees: FeeSchedule::bps(5, 5), ..inverse(100) };
    let prices = ["50000", "50000", "62500", "62500", "40000", "40000"];
    let (_, outcome) = weighed(spec, &[(0, 1.0), (2, -0.5), (4, 0.0)], &prices);
    let [long, short] = &outcome.round_trips[..] else { panic!("{:?}", outcome.round_trips) };
    assert!(long.long && !short.long && !short.open);
    // 2 coins won of 10, then half of what there is held short while 1/40,000 - 1/62,500 of each dollar is won
    assert!((1.98..2.0).contains(&long.profit) && (3.3..3.4).contains(&short.profit), "{long:?} {short:?}");
    let gained = outcome.state.portfolio(PortfolioId(0)).equity() - 10 * 100_000_000;
    let roundings = 2 + i128::from(outcome.digest.fills());
    assert!((long.profit_units + short.profit_units - gained).abs() <= roundings, "{gained}");
}

#[test]
fn the_deepest_fall_of_an_inverse_hold_is_that_of_its_coins() {
    // a fall by a tenth from where it was bought costs a ninth; one by four tenths after a rise to ten times, a thirtieth
    let (_, outcome) = weighed(inverse(1), &[], &["100", "90", "1000", "600"]);
    let hold = Report::build(&outcome, Meta::default()).unwrap().benchmark.unwrap();
    close(hold.drawdown.max.unwrap(), 1.0 / 9.0);
}

#[test]
fn an_inverse_hold_whose_price_has_halved_is_worth_nothing_from_then_on() {
    let (_, outcome) = weighed(inverse(1), &[], &["100", "80", "50", "200"]);
    let report = Report::build(&outcome, Meta::default()).unwrap();
    let hold = report.benchmark.unwrap();
    assert_eq!(hold.equity_final, "0");
    let holds: Vec<f64> = report.curve.iter().map(|row| row.hold.unwrap()).collect();
    for (got, want) in holds.iter().zip([10.0, 7.5, 0.0, 0.0]) {
        close(*got, want);
    }
    close(hold.drawdown.max.unwrap(), 1.0);
}
