//! Every recorded file of bars: how many, from when to when, how fine, what is wrong.

use crate::common::recordings;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tradewind_domain::Coded;
use tradewind_history::{BarSeries, ImportOptions, OnDefect, read_bars};

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

/// One line: symbol interval bars first..last decimals, then how many defects of each code and effect.
fn line(series: &BarSeries) -> String {
    let (first, last) = (&series.bars[0], &series.bars[series.bars.len() - 1]);
    let mut text = format!(
        "{} {} {} {}..{} {}/{}",
        series.instrument.symbol,
        series.interval,
        series.bars.len(),
        first.open_time,
        last.open_time,
        series.instrument.price_decimals,
        series.instrument.quantity_decimals,
    );
    let mut codes = BTreeMap::<&str, (usize, u64)>::new();
    for defect in &series.defects {
        let entry = codes.entry(defect.code).or_default();
        *entry = (entry.0 + 1, entry.1 + defect.rows);
    }
    for (code, (count, rows)) in codes {
        write!(text, " {code}x{count}").unwrap();
        if rows != count as u64 {
            write!(text, "({rows})").unwrap();
        }
    }
    text
}

#[test]
fn every_recorded_file_imports_or_says_why_not() {
    let Some(root) = recordings("every_recorded_file_imports_or_says_why_not") else { return };
    let root = root.join("ohlcv");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut got = String::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        if name.ends_with(".md") {
            continue;
        }
        let symbol = name.contains("data-quality") || name.contains("6EH4");
        let options = ImportOptions {
            symbol: symbol.then(|| "X/USD".parse().unwrap()),
            on_defect: OnDefect::Report,
            hash: false,
            ..ImportOptions::default()
        };
        match read_bars(&path, &options) {
            Ok(series) => writeln!(got, "{name}: {}", line(&series)).unwrap(),
            Err(error) => {
                let text = error.to_string().replace(&format!("{}/", root.display()), "");
                writeln!(got, "{} {text}", error.code()).unwrap();
            }
        }
    }
    expect_test::expect_file!["golden/recorded.txt"].assert_eq(&got);
}
