//! Recorded markets from files.

use crate::error::ExchangeError;
use std::path::Path;
use tradewind_domain::{Bar, InstrumentSpec, Symbol, Timestamp, Trade};
use tradewind_history::{ImportOptions, OnDefect};

/// Bars of a file at eight decimals. Holes are kept as they are; rows for which nothing can stand are left out.
pub(crate) fn read_bars(path: &Path, symbol: &Symbol) -> Result<Vec<Bar>, ExchangeError> {
    let options = ImportOptions {
        instrument: Some(InstrumentSpec::spot(symbol.clone(), "binance")),
        on_defect: OnDefect::Report,
        hash: false,
        ..ImportOptions::default()
    };
    tradewind_history::read_bars(path, &options)
        .map(|series| series.bars)
        .map_err(|error| ExchangeError::TapeUnreadable { path: path.to_owned(), reason: error.to_string() })
}

/// Trades of a file at eight decimals.
pub(crate) fn read_trades(path: &Path, _symbol: &Symbol) -> Result<Vec<(Timestamp, Trade)>, ExchangeError> {
    Err(ExchangeError::TapeUnreadable { path: path.to_owned(), reason: "files of trades are not read yet".to_owned() })
}
