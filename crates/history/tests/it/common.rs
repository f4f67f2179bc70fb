//! Where the recordings are, files that a test writes, and how they are read.

use std::path::PathBuf;
use tempfile::TempDir;
use tradewind_history::{Catalog, ImportOptions, OnDefect};

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
pub(crate) fn stated() -> ImportOptions {
    ImportOptions { symbol: Some("BTC/USDT".parse().unwrap()), ..ImportOptions::default() }
}

/// As [`stated`], where a file is read in spite of its errors.
pub(crate) fn reported() -> ImportOptions {
    ImportOptions { on_defect: OnDefect::Report, ..stated() }
}

/// A file of that name with that text.
pub(crate) fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// An empty catalog.
pub(crate) fn catalog() -> (TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    (folder, catalog)
}
