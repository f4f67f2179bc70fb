//! Backtests above-average: `backtest BARS SYMBOL [PARAMETERS.toml]`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use tradewind_book::FillPolicy;
use tradewind_domain::{FeeSchedule, InstrumentId, Money, PortfolioId};
use tradewind_gate::Limits;
use tradewind_history::{ImportOptions, read_bars};
use tradewind_research::{Backtest, Plan};

use above_average::AboveAverage;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [bars, symbol] => backtest(Path::new(bars), symbol, None),
        [bars, symbol, parameters] => backtest(Path::new(bars), symbol, Some(Path::new(parameters))),
        _ => Err("usage: backtest BARS SYMBOL [PARAMETERS.toml], such as: backtest btc-1h.csv BTC/USDT".into()),
    };
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprint!("error: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprint!(": {inner}");
                cause = inner.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn backtest(bars: &Path, symbol: &str, parameters: Option<&Path>) -> Result<String, Box<dyn Error>> {
    let strategy = match parameters {
        Some(path) => AboveAverage::from_toml(&std::fs::read_to_string(path)?)?,
        None => AboveAverage::new(Default::default())?,
    };
    let series = read_bars(bars, &ImportOptions { symbol: Some(symbol.parse()?), ..ImportOptions::default() })?;
    let mut instrument = series.instrument.list(InstrumentId(0))?;
    instrument.spec.fees = FeeSchedule::bps(10, 10); // maker and taker: put your venue's here
    let base = instrument.settlement();
    let mut run = Backtest::new(Plan {
        instrument,
        origin: series.source.origin,
        deposit: Money::parse("10000", base)?,
        limits: Limits::RESEARCH,
        fill_policy: FillPolicy::default(),
        strategy: Box::new(strategy),
    });
    for bar in &series.bars {
        run.feed(bar)?;
    }
    let outcome = run.finish();
    let equity = Money { currency: base, units: outcome.state.portfolio(PortfolioId(0)).equity() };
    let (bars, fills, hash) = (outcome.bars, outcome.digest.fills(), outcome.digest.hex());
    Ok(format!("bars {bars}\nfills {fills}\nequity {equity}\ntrade hash {hash}"))
}
