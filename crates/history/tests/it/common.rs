//! Where the recordings are.
#![allow(dead_code)]

use std::path::PathBuf;

/// The folder of recordings, or `None` after saying so; under `CI=true` their absence is a failure.
pub(crate) fn recordings(test: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = PathBuf::from(std::env::var("TRADEWIND_RECORDINGS").unwrap_or_else(|_| default.to_owned()));
    if root.join("ohlcv").is_dir() {
        return Some(root);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no recordings at {}", root.display());
    eprintln!("no recordings: {test}");
    None
}

/// Options that state a symbol, for files whose name shows none.
pub(crate) fn stated() -> tradewind_history::ImportOptions {
    tradewind_history::ImportOptions { symbol: Some("BTC/USDT".parse().unwrap()), ..Default::default() }
}
