//! Contracts that end within a run: what is held of them is settled where it is known at which price, and said to be open
//! where it is not.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{MINUTE_NS, Script, listed, plan, spec, still};
use tradewind_domain::{
    Bar, Currency, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, Money, OptionRight, OrderKind,
    OrderRequest, PortfolioId, Price, Side, Timestamp,
};
use tradewind_engine::{Event, EventKind};
use tradewind_research::report::{Meta, Report, html};
use tradewind_research::{Backtest, Delivery, Outcome, Plan, Recorder, session};

fn minute(nth: i64) -> Timestamp {
    Timestamp::from_nanos(nth * MINUTE_NS)
}

fn contract(symbol: &str, kind: InstrumentKind) -> Instrument {
    let symbol: tradewind_domain::Symbol = symbol.parse().unwrap();
    let min_notional = Money::zero(symbol.quote);
    InstrumentSpec { kind, symbol, min_notional, ..spec() }.list(InstrumentId(0)).unwrap()
}

/// A linear future that ends with this minute.
fn future(end: i64) -> Instrument {
    contract("BTC/USDT:USDT-000103", InstrumentKind::DatedFuture { expiry: minute(end), inverse: false })
}

/// An option at 100 that ends with the fourth bar.
fn option(right: OptionRight) -> Instrument {
    let symbol = format!("BTC/USDT:USDT-000103-100-{}", if right == OptionRight::Call { "C" } else { "P" });
    contract(&symbol, InstrumentKind::Option { expiry: minute(4), strike: Price::from_mantissa(10_000), right })
}

fn at(price: &str, fee_e8: i64) -> Delivery {
    Delivery { price: Some(listed().price(price).unwrap()), fee_e8 }
}

/// What came of holding `target` from the open of the second bar on, at fees of 10 bps.
fn run(instrument: Instrument, target: &str, delivery: Delivery, prices: &[&str]) -> Outcome {
    let script = Script::default().hold(0, target);
    let mut run = Backtest::new(Plan { instrument, ..plan(script) }).settling(delivery);
    still(prices).iter().for_each(|bar| run.feed(bar).unwrap());
    run.finish()
}

/// Equity, what settlement cost, and the only trip; the notes that say something of the contract's end.
fn told(outcome: &Outcome) -> (String, String) {
    let report = Report::build(outcome, Meta::default()).unwrap();
    let [trip] = &report.round_trip_list[..] else { panic!("{:?}", report.round_trip_list) };
    let open = if trip.open { "open " } else { "" };
    let text = format!(
        "{}, {open}{} from {} to {}: {} after {}, {}, settlement {:?}",
        report.equity_final,
        trip.direction,
        trip.entry_price,
        trip.exit_price,
        trip.profit,
        trip.fees,
        trip.exit_tag,
        report.costs.settlement.as_deref().unwrap_or("none"),
    );
    assert_eq!(report.trades, 1, "a settlement is no execution");
    let page = html(&report);
    assert_eq!(page.contains("settlement at the end of the contract"), report.costs.settlement.is_some());
    let about_the_end = |note: &&String| ["contract", "option"].iter().any(|word| note.contains(*word));
    (text, report.notes.iter().filter(about_the_end).cloned().collect())
}

const RISING: [&str; 4] = ["99", "100", "105", "110"];

#[test]
fn a_future_is_settled_at_the_close_of_the_bar_that_it_ends_with() {
    let (long, note) = told(&run(future(4), "2", Delivery::default(), &RISING));
    assert_eq!(long, r#"10019.8, long from 100 to 110: 19.8 after 0.2, expiry, settlement "0""#);
    assert_eq!(note, "The contract was settled at its end, 1970-01-01T00:04:00Z, at 110: the last close.");
    let (short, _) = told(&run(future(4), "-2", Delivery::default(), &RISING));
    assert_eq!(short, r#"9979.8, short from 100 to 110: -20.2 after 0.2, expiry, settlement "0""#);
}

#[test]
fn a_price_that_was_given_takes_the_place_of_the_last_close_and_a_fee_is_a_cost() {
    let outcome = run(future(4), "2", at("120", 20_000), &RISING);
    let (text, note) = told(&outcome);
    // 2 x 20, less 0.2 at the entry and 2 basis points of 240
    assert_eq!(text, r#"10039.752, long from 100 to 120: 39.752 after 0.248, expiry, settlement "0.048""#);
    assert_eq!(note, "The contract was settled at its end, 1970-01-01T00:04:00Z, at 120: as was given.");
    let report = Report::build(&outcome, Meta::default()).unwrap();
    assert_eq!((report.fees.as_str(), report.fees_by_currency["USDT"].as_str()), ("0.248", "0.248"));
}

#[test]
fn an_inverse_future_is_settled_in_its_coin() {
    let kind = InstrumentKind::DatedFuture { expiry: minute(3), inverse: true };
    let deposit = Money::parse("2", Currency::new("BTC").unwrap()).unwrap();
    let script = Script::default().hold(0, "50000");
    let mut run = Backtest::new(Plan { instrument: contract("BTC/USD:BTC-000103", kind), deposit, ..plan(script) });
    still(&["50000", "50000", "62500"]).iter().for_each(|bar| run.feed(bar).unwrap());
    // 50,000 / 50,000 - 50,000 / 62,500 = 0.2, less 10 bps of 1
    let (text, _) = told(&run.finish());
    assert_eq!(text, r#"2.199, long from 50000 to 62500: 0.199 after 0.001, expiry, settlement "0""#);
}

#[test]
fn what_is_held_when_the_data_end_before_the_contract_stays_open() {
    let (text, note) = told(&run(future(10), "2", Delivery::default(), &RISING));
    assert_eq!(text, r#"10019.8, open long from 100 to 110: 19.8 after 0.2, end-of-data, settlement "none""#);
    let ends = "The data end at 1970-01-01T00:04:00Z, before the contract does at";
    assert_eq!(note, format!("{ends} 1970-01-01T00:10:00Z, and no settlement price was given."));
    // a price does not bring the end nearer
    let (text, note) = told(&run(future(3 * 24 * 60), "2", at("120", 0), &RISING));
    assert_eq!(text, r#"10019.8, open long from 100 to 110: 19.8 after 0.2, end-of-data, settlement "none""#);
    assert_eq!(note, format!("{ends} 1970-01-04T00:00:00Z: its settlement at 120 is not reckoned."));
}

#[test]
fn a_price_that_was_given_settles_a_contract_whose_data_end_on_its_last_day() {
    let outcome = run(future(10), "2", at("120", 0), &RISING);
    let (text, _) = told(&outcome);
    assert_eq!(text, r#"10039.8, long from 100 to 120: 39.8 after 0.2, expiry, settlement "0""#);
    assert_eq!(outcome.round_trips[0].closed_at, minute(10));
    assert!((outcome.curve.last().unwrap().equity - 10_039.8).abs() < 1e-9);
    assert_eq!(outcome.state.halted, None);
}

#[test]
fn an_option_is_settled_at_what_it_is_worth_by_the_price_of_its_underlying() {
    let premiums = ["5", "5", "6", "7"];
    for (right, underlying, want) in [
        (OptionRight::Call, "112", "10013.99, long from 5 to 12: 13.99 after 0.01"),
        (OptionRight::Call, "90", "9989.99, long from 5 to 0: -10.01 after 0.01"),
        (OptionRight::Put, "90", "10009.99, long from 5 to 10: 9.99 after 0.01"),
        (OptionRight::Put, "112", "9989.99, long from 5 to 0: -10.01 after 0.01"),
    ] {
        let (text, note) = told(&run(option(right), "2", at(underlying, 0), &premiums));
        assert_eq!(text, format!("{want}, expiry, settlement \"0\""));
        assert!(note.ends_with(&format!("its underlying was given as {underlying}.")), "{note}");
    }
}

#[test]
fn an_option_without_the_price_of_its_underlying_is_not_settled_and_the_report_names_it() {
    let (text, note) = told(&run(option(OptionRight::Call), "2", Delivery::default(), &["5", "5", "6", "7"]));
    assert_eq!(text, r#"10003.99, open long from 5 to 7: 3.99 after 0.01, end-of-data, settlement "none""#);
    assert!(note.ends_with("is not settled: the price of BTC in USDT by then was not given."), "{note}");
}

#[test]
fn an_order_that_rests_expires_with_its_contract() {
    let quantity = listed().quantity("1").unwrap();
    let kind = OrderKind::Limit { price: listed().price("2").unwrap() };
    let order = OrderRequest { kind, ..OrderRequest::market(InstrumentId(0), Side::Buy, quantity) };
    for instrument in [future(4), option(OptionRight::Put)] {
        let script = Script::default().order(0, &[order]);
        let mut run = Backtest::new(Plan { instrument, ..plan(script) });
        still(&RISING).iter().for_each(|bar| run.feed(bar).unwrap());
        let outcome = run.finish();
        let ends: Vec<&str> = outcome.state.closed.iter().map(|record| record.status()).collect();
        assert_eq!((ends, outcome.state.open.len(), outcome.costs.expired), (vec!["expired"], 0, 1));
        assert_eq!(outcome.counters.veto, 0);
    }
}

#[test]
fn the_journal_of_a_run_tells_of_its_settlement_alike() {
    let order = OrderRequest {
        kind: OrderKind::Limit { price: listed().price("2").unwrap() },
        ..OrderRequest::market(InstrumentId(0), Side::Buy, listed().quantity("1").unwrap())
    };
    for end in [4, 10] {
        let script = Script::default().hold(0, "2").order(1, &[order]);
        let mut events: Vec<Event> = Vec::new();
        let sink = Recorder(|event: &Event, _| events.push(event.clone()));
        let plan = Plan { instrument: future(end), ..plan(script) };
        let mut run = Backtest::with_sink(plan, sink).settling(at("120", 20_000));
        let bars: Vec<Bar> = still(&RISING);
        bars.iter().for_each(|bar| run.feed(bar).unwrap());
        let ran = run.finish();
        let settled = events.iter().filter(|event| matches!(event.kind, EventKind::Settled { .. })).count();
        let read = session::outcome(events, PortfolioId(0)).unwrap().unwrap();
        assert_eq!(settled, 1);
        assert_eq!((&ran.round_trips, ran.costs.fees), (&read.round_trips, read.costs.fees));
        assert_eq!((ran.costs.settlement, read.costs.settlement), (Some(4_800_000), Some(4_800_000)));
        assert_eq!((ran.costs.expired, read.costs.expired), (1, 1));
        let [at_end, told] = [&ran, &read].map(|outcome| outcome.curve.last().unwrap().equity);
        assert!((at_end - told).abs() < 1e-9 && (told - 10_039.752).abs() < 1e-9, "{at_end} and {told}");
        assert_eq!(ran.state, read.state);
    }
}
