//! Recorded markets from files.

use crate::error::ExchangeError;
use std::path::Path;
use tradewind_domain::{InstrumentSpec, Symbol, Timestamp, Trade};
use tradewind_history::{BarSeries, ImportError, ImportOptions, OnDefect};

/// Bars of a file at eight decimals. Holes are kept as they are; rows for which nothing can stand are left out.
pub(crate) fn read_bars(path: &Path, symbol: &Symbol) -> Result<BarSeries, ExchangeError> {
    tradewind_history::read_bars(path, &options(symbol)).map_err(|error| unreadable(path, &error))
}

/// Trades of a file at eight decimals, under the same rule.
pub(crate) fn read_trades(path: &Path, symbol: &Symbol) -> Result<Vec<(Timestamp, Trade)>, ExchangeError> {
    let series = tradewind_history::read_trades(path, &options(symbol)).map_err(|error| unreadable(path, &error))?;
    Ok(series.trades)
}

fn options(symbol: &Symbol) -> ImportOptions {
    ImportOptions {
        instrument: Some(InstrumentSpec::spot(symbol.clone(), "binance")),
        on_defect: OnDefect::Report,
        hash: false,
        ..ImportOptions::default()
    }
}

fn unreadable(path: &Path, error: &ImportError) -> ExchangeError {
    ExchangeError::TapeUnreadable { path: path.to_owned(), reason: error.to_string() }
}
