//! Where things are: the project's root, its build folder, the user's cache, the shared recordings.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies inside the workspace").to_path_buf()
}

/// Cargo's build folder: `CARGO_TARGET_DIR`, or `target` in the root.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Our folder in the user's cache, for what may be deleted at any time and is costly to make again.
///
/// # Errors
/// If neither `XDG_CACHE_HOME` nor `HOME` is set.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    Ok(base.join("tradewind"))
}

/// How many processors this process may use; 1 where nobody can say.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Whether this is a run of record: there nothing may be left out in silence.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Where the scripts that measure peers and floors are: `TRADEWIND_BENCH`, or `../shared/bench`.
pub(crate) fn bench_scripts() -> PathBuf {
    match std::env::var_os("TRADEWIND_BENCH") {
        Some(folder) => root().join(folder),
        None => root().join("../shared/bench"),
    }
}

/// The path as text; for command lines and messages.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
