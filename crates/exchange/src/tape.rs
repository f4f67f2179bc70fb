//! Recorded markets from files.

use crate::error::ExchangeError;
use std::path::Path;
use tradewind_domain::{Coded as _, InstrumentSpec, Symbol, Timestamp, Trade};
use tradewind_history::{BarSeries, ImportError, ImportOptions, Severity};

/// Bars of a file at eight decimals. Holes are kept as they are; a file with errors is refused, since no client believes
/// bars that contradict themselves.
pub(crate) fn read_bars(path: &Path, symbol: &Symbol) -> Result<BarSeries, ExchangeError> {
    let series = tradewind_history::read_bars(path, &options(symbol)).map_err(|error| unreadable(path, &error))?;
    // a catalog keeps what somebody accepted
    match tradewind_history::validate(&series).iter().find(|defect| defect.severity == Severity::Error) {
        Some(defect) => Err(ExchangeError::TapeUnreadable { path: path.to_owned(), reason: defect.to_string() }),
        None => Ok(series),
    }
}

/// Trades of a file at eight decimals, under the same rule.
pub(crate) fn read_trades(path: &Path, symbol: &Symbol) -> Result<Vec<(Timestamp, Trade)>, ExchangeError> {
    let series = tradewind_history::read_trades(path, &options(symbol)).map_err(|error| unreadable(path, &error))?;
    Ok(series.trades)
}

fn options(symbol: &Symbol) -> ImportOptions {
    ImportOptions {
        instrument: Some(InstrumentSpec::spot(symbol.clone(), "binance")),
        hash: false,
        ..ImportOptions::default()
    }
}

fn unreadable(path: &Path, error: &ImportError) -> ExchangeError {
    ExchangeError::TapeUnreadable { path: path.to_owned(), reason: format!("{} {error}", error.code()) }
}
