//! Whether a market trends is judged in one place.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lines of `text` that judge a trend by themselves.
fn own_judgements(text: &str) -> Vec<&str> {
    let types = ["Regime", "Phase", "Direction", "Turbulence", "Trend", "Momentum"];
    let judges = |line: &&str| {
        let declares = types.iter().any(|name| line.contains(&format!("enum {name} ")));
        let function = ["fn is_trending", "fn trending", "fn is_choppy", "fn choppy", "fn regime", "fn momentum_of"];
        let compares = ["fast > slow", "fast < slow", "slow < fast", "slow > fast", "adx > ", "adx < "];
        declares || function.iter().chain(&compares).any(|pattern| line.contains(pattern))
    };
    text.lines().filter(|line| !line.trim_start().starts_with("//")).filter(judges).collect()
}

#[test]
fn every_crate_takes_trend_and_regime_from_the_indicators() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    sources(&crates.join("../examples"), &mut files);
    for entry in std::fs::read_dir(&crates).unwrap() {
        let entry = entry.unwrap();
        let folder = entry.path().join("src");
        if entry.file_name() != "indicators" && folder.is_dir() {
            sources(&folder, &mut files);
        }
    }
    assert!(files.len() > 100, "the search finds the sources");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(own_judgements(&text), Vec::<&str>::new(), "{}", file.display());
    }
}

#[test]
fn a_second_implementation_is_found() {
    assert_eq!(own_judgements("enum Direction { Up }\nif fast > slow { buy() }\n// fast > slow\n").len(), 2);
}
