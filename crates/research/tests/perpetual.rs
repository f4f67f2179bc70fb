//! Thirty days of a perpetual contract, bar by bar, with funding: the books balance at every one of them.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{Script, plan, spec, still, usdt, wandering};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, Coded as _, FeeSchedule, InstrumentId, InstrumentKind, InstrumentSpec, Interval, Origin, PortfolioId,
};
use tradewind_engine::{Event, FUNDING_INTERVAL_NANOS, FUNDING_RATE_E8, State, funding_payment, funding_times};
use tradewind_gate::Limits;
use tradewind_history::{ImportOptions, read_bars};
use tradewind_research::report::{Meta, Report, html};
use tradewind_research::{Backtest, Outcome, Plan, Recorder, RoundTrip, session};
use tradewind_strategies::{Opinion, Target};

const BARS: usize = 43_200;

fn perpetual() -> InstrumentSpec {
    InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        symbol: "BTC/USDT:USDT".parse().unwrap(),
        fees: FeeSchedule::bps(2, 5),
        ..spec()
    }
}

#[test]
fn a_bar_after_the_end_of_its_contract_is_refused_by_name() {
    let symbol: tradewind_domain::Symbol = "BTC/USDT:USDT-000103".parse().unwrap();
    let bars = wandering(11_000, Interval::DAY); // from 1970 on
    let kind = InstrumentKind::of(&symbol, spec().price_decimals).unwrap();
    let instrument = InstrumentSpec { kind, symbol, ..spec() }.list(InstrumentId(0)).unwrap();
    let expiry = instrument.expiry().unwrap();
    let (limits, fill_policy, strategy) = (Limits::OPEN, FillPolicy::default(), Box::new(Script::default()));
    let deposit = usdt("1000");
    let mut run = Backtest::new(Plan { instrument, origin: Origin::Simulated, deposit, limits, fill_policy, strategy });
    let late = bars.iter().find(|bar| run.feed(bar).is_err()).unwrap();
    assert_eq!(late.open_time, expiry, "the first that closes after it");
    let error = run.feed(late).unwrap_err();
    assert_eq!(error.code(), "BT-05");
    assert!(error.to_string().ends_with("closes after its contract ended at 2000-01-04T00:00:00Z"), "{error}");
}

/// Cash, and what cash and the position's profit come to: both must be the equity, to the last unit of the ledger.
fn balance(state: &State, bar: &Bar) -> (i128, i128, i128) {
    let books = state.portfolio(PortfolioId(0));
    let cash = books.holdings()[0];
    let it = &state.listing(bar.instrument).instrument;
    let open = it.unrealised(&books.position(bar.instrument), bar.close).unwrap().units;
    let by_cause = cash.deposited + cash.realised - cash.fees - cash.funding + open;
    (books.equity(), cash.units + open, by_cause)
}

/// Runs the month and returns what was paid, what should have been, and how often.
fn month(spec: InstrumentSpec, bars: &[Bar], flips: usize, rate_e8: impl Fn(usize) -> i64) -> (i128, i128, usize) {
    let instrument = spec.clone().list(InstrumentId(0)).unwrap();
    let mut script = Script::default();
    for nth in 0..bars.len() / flips {
        let size = instrument.quantity(["0.5", "-0.4", "0", "0.3", "-0.6"][nth % 5]).unwrap();
        script.lines.insert(nth * flips, Opinion::target(Target::Quantity(size), "by the script"));
    }
    let mut run = Backtest::new(Plan {
        instrument,
        origin: Origin::Simulated,
        deposit: usdt("100000"),
        limits: Limits::OPEN,
        fill_policy: FillPolicy::default(),
        strategy: Box::new(script),
    });
    let (mut owed, mut settlements, mut before) = (0, 0, bars[0].open_time);
    for bar in bars {
        run.feed(bar).unwrap();
        for at in funding_times(before, bar.close_time(), FUNDING_INTERVAL_NANOS) {
            let held = run.state().portfolio(PortfolioId(0)).position(bar.instrument).quantity();
            let it = &run.state().listing(bar.instrument).instrument;
            owed += funding_payment(it, held, bar.close, rate_e8(settlements)).unwrap().units;
            run.settle_funding(at, rate_e8(settlements), bar.close);
            settlements += 1;
        }
        before = bar.close_time();
        let (equity, by_cash, by_cause) = balance(run.state(), bar);
        assert_eq!((equity, equity), (by_cash, by_cause), "at {}", bar.close_time());
    }
    let state = run.state();
    assert!(state.counters.fills > 100 && state.halted.is_none() && state.counters.contradictions == 0);
    (state.portfolio(PortfolioId(0)).holdings()[0].funding, owed, settlements)
}

#[test]
fn thirty_days_of_minutes_with_funding_balance_at_every_bar() {
    let bars = wandering(BARS, Interval::MINUTE);
    let (paid, owed, settlements) = month(perpetual(), &bars, 97, |_| FUNDING_RATE_E8);
    assert_eq!((paid, settlements), (owed, 90));
    let (paid, owed, _) =
        month(perpetual(), &bars, 97, |nth| if nth % 3 == 0 { -3 * FUNDING_RATE_E8 } else { FUNDING_RATE_E8 });
    assert_eq!(paid, owed);
    assert_ne!(paid, 0);
}

#[test]
fn thirty_recorded_days_of_a_perpetual_balance_too() {
    let folder = std::env::var_os("TRADEWIND_RECORDINGS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if !folder.is_dir() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{} has no recordings", folder.display());
        return eprintln!("no recordings: thirty_recorded_days_of_a_perpetual_balance_too");
    }
    let file = folder.join("ohlcv/crypto/binance-usdm/BTC_USDT_USDT-1m-futures.feather");
    let series = read_bars(&file, &ImportOptions::default()).unwrap();
    let bars = &series.bars;
    let spec = InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        symbol: "BTC/USDT:USDT".parse().unwrap(),
        fees: FeeSchedule::bps(2, 5),
        ..series.instrument.clone()
    };
    let (paid, owed, settlements) = month(spec, bars, 37, |_| FUNDING_RATE_E8);
    assert_eq!(paid, owed);
    assert_eq!((bars.len(), settlements), (43_199, 90)); // the recording ends a minute early
}

/// Runs `script` over bars that stand still at `prices`, each with the rate of funding due at its close: what came
/// of it, and what its records tell.
fn funded(spec: InstrumentSpec, script: Script, fill_policy: FillPolicy, prices: &[(&str, i64)]) -> (Outcome, Outcome) {
    let plan = Plan { instrument: spec.list(InstrumentId(0)).unwrap(), fill_policy, ..plan(script) };
    let mut events: Vec<Event> = Vec::new();
    let mut run = Backtest::with_sink(plan, Recorder(|event: &Event, _| events.push(event.clone())));
    let bars = still(&prices.iter().map(|(price, _)| *price).collect::<Vec<_>>());
    for (bar, (_, rate_e8)) in bars.iter().zip(prices) {
        run.feed(bar).unwrap();
        run.settle_funding(bar.close_time(), *rate_e8, bar.close);
    }
    let outcome = run.finish();
    let told = session::outcome(events, PortfolioId(0)).unwrap().unwrap();
    (outcome, told)
}

#[test]
fn funding_belongs_to_the_trade_that_was_open() {
    let script = Script::default().hold(0, "2").hold(2, "-1").hold(3, "0");
    let prices = [("99", 100_000), ("100", 100_000), ("110", 0), ("104", 200_000), ("104", 100_000)];
    let (outcome, _) = funded(perpetual(), script, FillPolicy::default(), &prices);
    let report = Report::build(&outcome, Meta::default()).unwrap();
    let trades: Vec<_> = report
        .round_trip_list
        .iter()
        .map(|it| (it.direction, it.profit.as_str(), it.fees.as_str(), it.funding.as_str()))
        .collect();
    // 2 x (104 - 100) less 5 bps of 200 and of 208, less 0.1 % of 200; the short earns 0.2 % of 104, less 10 bps of it
    assert_eq!(trades, [("long", "7.596", "0.204", "0.2"), ("short", "0.104", "0.104", "-0.208")]);
    assert_eq!((report.equity_final.as_str(), report.attribution.total.as_str()), ("10007.7", "7.7"));
    assert_eq!(report.costs.funding["USDT"], "-0.008");
    let trades = &report.statistics.trades;
    assert!((trades.net_profit.unwrap() - 7.7).abs() < 1e-9, "{:?}", trades.net_profit);
    let column = "<th scope=col class=num>Funding";
    let page = html(&report);
    assert!(page.contains(column) && page.contains("data-v=\"-0.208\""), "the table of trades has it");
    let spot = Plan { instrument: common::listed(), ..plan(Script::default().hold(0, "1").hold(1, "0")) };
    let spot = Report::build(&common::run(spot, &still(&["99", "100", "104"])), Meta::default()).unwrap();
    assert_eq!(spot.round_trip_list[0].funding, "0");
    assert!(!html(&spot).contains(column), "a column of zeros says nothing");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However it is traded, and whatever that costs: once all is closed the trades account for every unit that was won
    /// or lost, in a backtest as in a session.
    #[test]
    fn what_the_trades_brought_is_what_the_account_gained(
        steps in prop::collection::vec((-20_i64..=20, 5_000_i64..15_000, -200_000_i64..200_000), 2..40),
        fee in -5_i32..30,
        half_spread_centi_bps in 0_u32..2_000,
        slippage_centi_bps in 0_u32..500,
    ) {
        let spec = InstrumentSpec { fees: FeeSchedule::bps(0, fee), ..perpetual() };
        let fill_policy = FillPolicy { half_spread_centi_bps, slippage_centi_bps, ..FillPolicy::default() };
        let mut script = Script::default();
        for (place, (target, ..)) in steps.iter().enumerate() {
            script = script.hold(place, &format!("{}.{:03}", target / 4, target.abs() * 37 % 1_000));
        }
        let script = script.hold(steps.len() - 2, "0").hold(steps.len() - 1, "0");
        let price = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        let prices: Vec<(String, i64)> = steps.iter().map(|(_, cents, rate_e8)| (price(*cents), *rate_e8)).collect();
        let prices: Vec<(&str, i64)> = prices.iter().map(|(price, rate_e8)| (price.as_str(), *rate_e8)).collect();
        let (outcome, told) = funded(spec, script, fill_policy, &prices);
        prop_assert!(outcome.round_trips.iter().all(|trip| !trip.open));
        let books = outcome.state.portfolio(PortfolioId(0));
        let sum = |of: fn(&RoundTrip) -> i128| outcome.round_trips.iter().map(of).sum::<i128>();
        prop_assert_eq!(sum(|trip| trip.profit_units), books.equity() - usdt("10000").units);
        prop_assert_eq!(sum(|trip| trip.funding_units), books.holdings()[0].funding);
        prop_assert_eq!(sum(|trip| trip.fee_units), outcome.costs.fees);
        let amounts = |outcome: &Outcome| -> Vec<(i128, i128)> {
            outcome.round_trips.iter().map(|trip| (trip.profit_units, trip.funding_units)).collect()
        };
        prop_assert_eq!(amounts(&outcome), amounts(&told));
    }
}
