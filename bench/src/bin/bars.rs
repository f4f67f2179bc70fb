//! W1: an EMA 10/20 cross over a million one-minute bars through the whole event path.
//!
//! `bars DATA/bars_1m.bin [bars]` times a run, best of five, after loading; `bars DATA/bars_1m.csv` times one run that
//! reads the file as it goes; `bars scale [FILLS ...]` times runs of so many fills, by default 1k to 1M, whose time a fill
//! should be flat. Prints one JSON line; times are CPU seconds of this thread.
//!
//! Every bar is an event; every signal a proposal, judged by the guards with the limits of research. Those cap an order
//! and a position and forbid to borrow; they hold no daily loss, no drawdown, no age of the mark and none of the further
//! controls, since this rule ends 1.7 % below its deposit. Every order is matched, filled at the next open, charged 10 bps
//! and booked. No event is written: the sink is the silent one.

#![allow(clippy::print_stdout)] // the figures are this program's output

use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::time::Instant;
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, Currency, FeeSchedule, Instrument, InstrumentId, InstrumentSpec, Interval, Money, Origin, Price, Quantity,
    Timestamp,
};
use tradewind_gate::Limits;
use tradewind_history::{ImportOptions, stream_bars};
use tradewind_research::{Backtest, Outcome, Plan};
use tradewind_strategies::{EmaTrend, EmaTrendParams, Target};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("scale") => scale(&arguments[1..]),
        Some(path) => workload(Path::new(path), arguments.get(1).map(|n| n.parse()).transpose()?),
        None => anyhow::bail!("usage: bars DATA/bars_1m.bin|.csv [bars] | bars scale [FILLS ...]"),
    }
}

fn workload(path: &Path, bars: Option<usize>) -> Result<()> {
    let loading = Instant::now();
    let is_csv = path.extension().is_some_and(|extension| extension == "csv");
    let mut loaded = if is_csv { Vec::new() } else { load(path)? };
    loaded.truncate(bars.unwrap_or(usize::MAX));
    let load_s = loading.elapsed().as_secs_f64();
    let mut best = f64::MAX;
    let mut outcome = None;
    for _ in 0..if is_csv { 1 } else { 5 } {
        let started = cpu();
        let done = if is_csv { stream(path)? } else { run(&loaded, Limits::RESEARCH)? };
        best = best.min(cpu() - started);
        outcome = Some(done);
    }
    let outcome = outcome.context("at least one run")?;
    #[allow(clippy::cast_precision_loss)]
    let bars_per_s = outcome.bars as f64 / best;
    println!(
        "{}",
        serde_json::json!({
            "peer": "tradewind", "load_s": load_s, "run_cpu_s": best, "bars_per_s": bars_per_s,
            "bars": outcome.bars, "fills": outcome.digest.fills(), "pnl": profit(&outcome),
            "trade_hash": outcome.digest.hex(), "peak_kib": tradewind_bench::peak_kib(),
        })
    );
    Ok(())
}

/// Rows of 48 bytes: milliseconds, open, high, low, close, volume, each eight bytes.
fn load(path: &Path) -> Result<Vec<Bar>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(bytes.len().is_multiple_of(48), "{} is not a whole number of rows", path.display());
    let it = instrument();
    bytes
        .chunks_exact(48)
        .map(|row| {
            let field = |at: usize| row[at * 8..at * 8 + 8].try_into().map(u64::from_le_bytes);
            let price = |at: usize| it.price_near(f64::from_bits(field(at).ok()?));
            let bar = || {
                Some(Bar {
                    instrument: it.id,
                    interval: Interval::MINUTE,
                    open_time: Timestamp::from_millis(field(0).ok()?.cast_signed()),
                    open: price(1)?,
                    high: price(2)?,
                    low: price(3)?,
                    close: price(4)?,
                    volume: it.quantity_near(f64::from_bits(field(5).ok()?))?,
                })
            };
            bar().context("a row holds numbers")
        })
        .collect()
}

fn instrument() -> Instrument {
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 3,
        fees: FeeSchedule::bps(10, 10),
        ..InstrumentSpec::spot("BTC/USD".parse().expect("a symbol"), "bench")
    };
    spec.list(InstrumentId(0)).expect("an instrument")
}

fn backtest(limits: Limits) -> Result<Backtest> {
    let one = Target::Quantity(Quantity::from_mantissa(1_000));
    let strategy = EmaTrend::holding(EmaTrendParams { fast: 10, slow: 20, weight: 0.95 }, one)?;
    Ok(Backtest::new(Plan {
        instrument: instrument(),
        origin: Origin::Simulated,
        deposit: Money::parse("100000000", Currency::new("USD").map_err(anyhow::Error::msg)?)?,
        limits,
        fill_policy: FillPolicy::default(),
        strategy: Box::new(strategy),
    }))
}

fn run(bars: &[Bar], limits: Limits) -> Result<Outcome> {
    let mut backtest = backtest(limits)?;
    for bar in bars {
        backtest.feed(bar)?;
    }
    Ok(backtest.finish())
}

/// The whole way from the file, in memory that does not grow with it.
fn stream(path: &Path) -> Result<Outcome> {
    let it = instrument();
    let options = ImportOptions { instrument: Some(it.spec), origin: Origin::Simulated, ..ImportOptions::default() };
    let mut backtest = backtest(Limits::RESEARCH)?;
    for bar in stream_bars(path, &options)? {
        backtest.feed(&bar?)?;
    }
    Ok(backtest.finish())
}

fn profit(outcome: &Outcome) -> f64 {
    let units = outcome.state.portfolio(outcome.portfolio).equity() - 10_000_000_000_000_000;
    let money = Money { currency: outcome.state.portfolio(outcome.portfolio).base, units };
    (money.to_f64() * 100.0).round() / 100.0
}

/// A market that turns every eight bars, and each turn trades: from a thousand fills to a million.
fn scale(sizes: &[String]) -> Result<()> {
    let mut sizes = sizes.iter().map(|text| text.parse::<u32>()).collect::<Result<Vec<_>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000, 1_000_000];
    }
    let (mut line, mut costs) = (serde_json::Map::new(), Vec::new());
    line.insert("peer".to_owned(), "tradewind".into());
    for fills in sizes {
        let bars = zigzag(fills);
        let started = cpu();
        let outcome = run(&bars, Limits::OPEN)?; // a million losing trades would meet every loss limit
        let seconds = cpu() - started;
        #[allow(clippy::cast_precision_loss)]
        let per_fill = seconds * 1e9 / outcome.digest.fills() as f64;
        costs.push(per_fill);
        line.insert(format!("fills_{fills}"), outcome.digest.fills().into());
        line.insert(format!("ns_per_fill_{fills}"), per_fill.into());
    }
    let (first, last) = costs.first().zip(costs.last()).context("at least one size")?;
    line.insert("last_over_first".to_owned(), (last / first).into());
    line.insert("peak_kib".to_owned(), tradewind_bench::peak_kib().into());
    println!("{}", serde_json::Value::Object(line));
    Ok(())
}

fn zigzag(fills: u32) -> Vec<Bar> {
    let bar = |at: u32| {
        // a long swing turns both averages over within a few bars
        let close = Price::from_mantissa(if (at / 8).is_multiple_of(2) { 3_000_000 } else { 3_100_000 });
        Bar {
            instrument: InstrumentId(0),
            interval: Interval::MINUTE,
            open_time: Timestamp::from_millis(i64::from(at) * 60_000),
            open: close,
            high: close,
            low: close,
            close,
            volume: Quantity::from_mantissa(1_000_000),
        }
    };
    (0..fills * 8 + 24).map(bar).collect()
}

/// CPU seconds of this thread: wall time says little on a shared machine.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    #[allow(clippy::cast_precision_loss)]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
    seconds
}
