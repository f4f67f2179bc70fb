//! How large the crates and the longest files are: printed to be looked at, never a gate.

use super::{code, docs};
use crate::files::Tree;
use std::fmt::Write;

/// How many of the longest files are named.
const LONGEST: usize = 8;

/// Lines of code a crate, without and with comments and tests, and the longest files outside tests.
pub(super) fn table(tree: &Tree) -> String {
    let mut text = format!("{:<14} {:>7} {:>7} {:>6}\n", "crate", "code", "lines", "files");
    let crates = tree.crates().into_iter().map(|name| format!("crates/{name}"));
    for folder in crates.chain(["bench", "fuzz", "xtask"].map(str::to_string)) {
        let sources: Vec<(&str, &str)> = tree.sources(&folder).collect();
        let code: usize = sources.iter().map(|(_, text)| docs::lines_of_code(text)).sum();
        let prefix = format!("{folder}/");
        let all = tree.iter().filter(|(path, _)| path.starts_with(&prefix) && path.ends_with(".rs"));
        let lines: usize = all.map(|(_, text)| text.lines().count()).sum();
        let name = folder.trim_start_matches("crates/");
        writeln!(text, "{name:<14} {code:>7} {lines:>7} {:>6}", sources.len()).expect("writing to text cannot fail");
    }
    let mut files: Vec<(usize, &str)> = tree
        .iter()
        .filter(|(path, _)| path.ends_with(".rs") && !code::is_test_file(path))
        .map(|(path, text)| (text.lines().count(), path))
        .collect();
    files.sort_by_key(|(lines, path)| (std::cmp::Reverse(*lines), *path));
    text.push_str("longest files\n");
    for (lines, path) in files.iter().take(LONGEST) {
        writeln!(text, "{lines:>7}  {path}").expect("writing to text cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_counted_without_comments_and_tests() {
        let source = "//! page\nfn a() {}\n\n// why\nfn b() {}\n#[cfg(test)]\nmod tests {\n fn c() {}\n}\n";
        let tree = Tree::of(&[("crates/gate/Cargo.toml", ""), ("crates/gate/src/lib.rs", source)]);
        let table = table(&tree);
        let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row, ["gate", "2", "9", "1"]);
        assert!(table.contains("      9  crates/gate/src/lib.rs"));
    }
}
