//! Thirty days of a perpetual contract, bar by bar, with funding: the books balance at every one of them.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{Script, spec, usdt, wandering};
use std::path::{Path, PathBuf};
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, Coded as _, FeeSchedule, InstrumentId, InstrumentKind, InstrumentSpec, Interval, Origin, PortfolioId,
};
use tradewind_engine::{FUNDING_INTERVAL_NANOS, FUNDING_RATE_E8, State, funding_payment, funding_times};
use tradewind_gate::Limits;
use tradewind_history::{ImportOptions, read_bars};
use tradewind_research::{Backtest, Plan};
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
