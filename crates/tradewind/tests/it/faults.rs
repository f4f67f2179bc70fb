//! The page of faults against the sources: each test that is named after a fault stands there, and only those that are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reliability.md");
/// Each class and how many faults it has.
const CLASSES: [(char, usize); 9] =
    [('A', 20), ('B', 14), ('C', 13), ('D', 13), ('E', 10), ('F', 7), ('G', 16), ('H', 7), ('I', 9)];

/// Tests by fault, each with its crate.
type Tests = BTreeMap<String, BTreeSet<(String, String)>>;

/// The faults that a test's name begins with, such as `C01` and `C02` of `c01_c02_a_gap`.
fn faults_of(name: &str) -> Vec<String> {
    let is_fault = |part: &&str| {
        let (Some(class), Ok(number)) = (part.chars().next(), part.get(1..).unwrap_or_default().parse::<usize>())
        else {
            return false;
        };
        let known =
            CLASSES.iter().any(|(it, count)| it.to_ascii_lowercase() == class && (1..=*count).contains(&number));
        known && part.len() == 3
    };
    name.split('_').take_while(is_fault).map(str::to_ascii_uppercase).collect()
}

/// The names of tests in a source: of functions, and of rows of a macro that makes functions.
fn names(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("async ").unwrap_or(line);
        let is_word = |it: char| !(it.is_ascii_alphanumeric() || it == '_');
        match line.strip_prefix("fn ") {
            Some(rest) => rest.split(is_word).next(),
            None => line.split_once(':').map(|(name, _)| name).filter(|name| !name.contains(is_word)),
        }
    })
}

fn collect(krate: &str, folder: &Path, tests: &mut Tests) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(krate, &path, tests);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for name in names(&source) {
                for fault in faults_of(name) {
                    tests.entry(fault).or_default().insert((krate.to_owned(), name.to_owned()));
                }
            }
        }
    }
}

fn in_the_sources() -> Tests {
    let mut tests = Tests::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap() {
        let path = entry.unwrap().path();
        let krate = path.file_name().unwrap().to_string_lossy().into_owned();
        for folder in ["src", "tests"].map(|it| path.join(it)).iter().filter(|it| it.is_dir()) {
            collect(&krate, folder, &mut tests);
        }
    }
    tests
}

/// How the page names the tests of one fault.
fn cell(tests: &BTreeSet<(String, String)>) -> String {
    let mut text = String::new();
    let mut last = "";
    for (krate, name) in tests {
        let between = if text.is_empty() { "" } else { ", " };
        let krate_text = if krate == last { String::new() } else { format!("{krate}: ") };
        write!(text, "{between}{krate_text}`{name}`").unwrap();
        last = krate;
    }
    text
}

/// The page with its last column as the sources say. What stands behind a full stop there is kept.
fn rewritten(page: &str, tests: &Tests) -> String {
    let mut text = String::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let fault = cells[0].trim_start_matches("| ");
        match (tests.get(fault), cells.as_slice()) {
            (Some(tests), [id, happens, right, old]) => {
                let note = old.trim_end_matches(" |").split_once(". ").map(|(_, note)| format!(". {note}"));
                let note = note.unwrap_or_default();
                writeln!(text, "{id} | {happens} | {right} | {}{note} |", cell(tests)).unwrap();
            }
            _ => writeln!(text, "{line}").unwrap(),
        }
    }
    text
}

#[test]
fn the_page_of_faults_names_every_test_and_only_those_that_are() {
    let (page, tests) = (std::fs::read_to_string(PAGE).unwrap(), in_the_sources());
    let right = rewritten(&page, &tests);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(PAGE, &right).unwrap();
        return;
    }
    for (ours, wanted) in page.lines().zip(right.lines()) {
        assert_eq!(ours, wanted, "`UPDATE_EXPECT=1 cargo test -p tradewind --test it faults` writes it anew");
    }
}

#[test]
fn every_fault_stands_on_the_page_with_its_tests_or_with_a_reason() {
    let (page, tests) = (std::fs::read_to_string(PAGE).unwrap(), in_the_sources());
    let page = page.split("\n## Bundles\n").next().unwrap_or_default();
    let mut rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |"));
    for (class, count) in CLASSES {
        for number in 1..=count {
            let fault = format!("{class}{number:02}");
            let row = rows.next().unwrap_or_else(|| panic!("{fault} is missing"));
            assert!(row.starts_with(&format!("| {fault} | ")), "{fault} should stand here: {row}");
            let tested = row.split(" | ").nth(3).unwrap().trim_end_matches(" |");
            let reasoned = ["pending", "does not apply: ", "does not apply yet: "];
            let is_reasoned = reasoned.iter().any(|it| tested.starts_with(it));
            assert_eq!(is_reasoned, !tests.contains_key(&fault), "{fault}: {tested}");
        }
    }
    assert_eq!(rows.next(), None);
    let known = |fault: &str| page.contains(&format!("| {fault} | "));
    let unknown: Vec<_> = tests.keys().filter(|fault| !known(fault)).collect();
    assert!(unknown.is_empty(), "tests of faults that are not on the page: {unknown:?}");
}

#[test]
fn names_of_tests_are_read_from_functions_and_macros() {
    let source = "    fn c01_c02_a_gap() {\n async fn d01_x(y: u8) {\nfn u64_not_one() {\n f07_held:\n e05_late: Kind::X,\nlet g01_x = 1;\nfn i32_no() {";
    let found: Vec<_> = names(source).flat_map(faults_of).collect();
    assert_eq!(found, ["C01", "C02", "D01", "F07", "E05"]);
}
