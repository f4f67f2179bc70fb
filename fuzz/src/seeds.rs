//! Where spoiling begins: what venues and other programs really sent.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Longer recordings are left out: there are short ones of their kind.
const LONGEST: u64 = 1 << 16;

/// A folder of the recordings; `None`, with a line that says so, where there are none. `target` asks.
pub(crate) fn recordings(target: &str, folder: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned();
    let folder = PathBuf::from(std::env::var("TRADEWIND_RECORDINGS").unwrap_or(default)).join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("no recordings: fuzz {target}");
    None
}

/// Every file under `folder` that is not long, whose path `fits`, by path.
pub(crate) fn files(folder: &Path, fits: impl Fn(&str) -> bool + Copy) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let each = paths.into_iter().flat_map(|path| {
        if path.is_dir() {
            return files(&path, fits);
        }
        let is_short = fs::metadata(&path).is_ok_and(|it| it.len() <= LONGEST);
        if is_short && fits(&path.to_string_lossy()) { vec![path] } else { Vec::new() }
    });
    each.collect()
}

/// Every JSON object or array in the recordings of Binance, as one text each.
pub(crate) fn binance(target: &str) -> Vec<String> {
    let Some(folder) = recordings(target, "exchanges/binance") else { return Vec::new() };
    let mut all: Vec<String> = files(&folder, |_| true).iter().flat_map(|path| jsons(path)).collect();
    all.sort();
    all.dedup();
    all
}

/// The JSON values of a file: one, one a line, or one behind lines of another kind.
fn jsons(path: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let values = |text: &str| -> Vec<String> {
        let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        values.map_while(Result::ok).filter(|it| it.is_object() || it.is_array()).map(|it| it.to_string()).collect()
    };
    let whole = values(&text);
    if !whole.is_empty() {
        return whole;
    }
    let body = |line: &str| line.find(['{', '[']).map(|at| line[at..].to_owned());
    let lines: Vec<String> = text.lines().filter_map(body).flat_map(|line| values(&line)).take(200).collect();
    if !lines.is_empty() {
        return lines;
    }
    text.split_once("\n= ")
        .map(|(_, body)| values(body))
        .or_else(|| body(&text).map(|it| values(&it)))
        .unwrap_or_default()
}
