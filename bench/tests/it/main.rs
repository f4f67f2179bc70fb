//! Our side of each workload on little data: the work that a figure stands for is the work that is done.

#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod bars;
mod gate;
mod indicators;
mod journal;
mod recovery;
mod ticks;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The one line that `program` prints.
fn run(program: &str, words: &[&str]) -> Value {
    let output = Command::new(program).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// An empty folder of that name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
