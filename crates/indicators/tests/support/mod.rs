//! Recordings and comparison for the reference tests.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::Read;
use std::path::PathBuf;

use tradewind_indicators::Candle;
use tradewind_indicators::catalog::{self, Parameters};

/// The folder of recordings, or `None` where a stranger's clone has none (an error in our own runs).
pub(crate) fn recordings(test: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var_os("TRADEWIND_RECORDINGS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let folder = root.join("indicators");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no recordings under {}", folder.display());
    eprintln!("no recordings: {test}");
    None
}

/// A text file, unpacked if its name ends in `.gz`.
pub(crate) fn text(path: PathBuf) -> String {
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if path.extension().is_some_and(|end| end == "gz") {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

/// A CSV file's columns by name; an empty or non-numeric cell is `None`.
pub(crate) struct Table {
    names: Vec<String>,
    rows: Vec<Vec<Option<f64>>>,
}

impl Table {
    pub(crate) fn read(path: PathBuf) -> Self {
        let text = text(path);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let names = reader.headers().unwrap().iter().map(|name| name.trim().to_owned()).collect();
        let rows = reader
            .records()
            .map(|record| record.unwrap().iter().map(|cell| cell.trim().parse().ok()).collect())
            .collect();
        Self { names, rows }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn column(&self, name: &str) -> Vec<Option<f64>> {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no column {name}"));
        self.rows.iter().map(|row| row.get(index).copied().flatten()).collect()
    }

    /// The bars, where a file has them; what it lacks is the close, and the volume 0.
    pub(crate) fn candles(&self) -> Vec<Candle> {
        let find = |name: &str| self.names.iter().position(|known| known.eq_ignore_ascii_case(name));
        let [open, high, low, close, volume] = ["open", "high", "low", "close", "volume"].map(find);
        let cell = |row: &[Option<f64>], index: Option<usize>| index.and_then(|index| row[index]);
        self.rows
            .iter()
            .filter(|row| row.iter().any(Option::is_some))
            .map(|row| {
                let last = cell(row, close).or(cell(row, volume)).unwrap_or(1.0);
                let price = |index| cell(row, index).unwrap_or(last);
                Candle::new(price(open), price(high), price(low), last, cell(row, volume).unwrap_or(0.0))
            })
            .collect()
    }
}

/// Folds an indicator of the catalogue over `candles`: one row of outputs a bar.
pub(crate) fn fold(name: &str, parameters: &Parameters, candles: &[Candle]) -> Vec<Option<Vec<f64>>> {
    let mut indicator = catalog::find(name).unwrap().build(parameters).unwrap();
    let mut row = vec![0.0; indicator.outputs().len()];
    candles.iter().map(|candle| indicator.update(candle, &mut row).unwrap().then(|| row.clone())).collect()
}

/// One output of [`fold`].
pub(crate) fn series(name: &str, parameters: &Parameters, output: &str, candles: &[Candle]) -> Vec<Option<f64>> {
    let names = catalog::find(name).unwrap().outputs;
    let index = names.iter().position(|known| *known == output).unwrap_or_else(|| panic!("{name} has no {output}"));
    fold(name, parameters, candles).into_iter().map(|row| row.map(|row| row[index])).collect()
}

/// Parameters from positional values.
pub(crate) fn positional(name: &str, values: &[f64]) -> Parameters {
    let definition = catalog::find(name).unwrap();
    assert!(values.len() <= definition.parameters.len(), "{name} has fewer parameters");
    definition
        .parameters
        .iter()
        .zip(values)
        .fold(Parameters::new(), |chosen, (parameter, value)| chosen.with(parameter.name, *value))
}

/// How far two series part: the first row at which they do, and how.
pub(crate) fn difference(ours: &[Option<f64>], theirs: &[Option<f64>], relative: f64, absolute: f64) -> Option<String> {
    if ours.len() != theirs.len() {
        return Some(format!("{} rows against {}", ours.len(), theirs.len()));
    }
    ours.iter().zip(theirs).enumerate().find_map(|(row, (ours, theirs))| {
        let close = match (ours, theirs) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= absolute + relative * ours.abs().max(theirs.abs()),
            (Some(_), None) | (None, Some(_)) => false,
        };
        (!close).then(|| format!("row {row}: {ours:?} against {theirs:?}"))
    })
}
