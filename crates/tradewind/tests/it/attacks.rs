//! The list of attacks in the book against the sources: each test that is named after an attack stands there.

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reliability.md");

/// Names of functions below `folder` that begin with the number of an attack, such as `s4_43_`.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, names);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let functions = source.lines().filter_map(|line| line.split_once("fn ")?.1.split('(').next());
            names.extend(functions.filter(|name| is_attack(name)).map(str::to_owned));
        }
    }
}

fn is_attack(name: &str) -> bool {
    ["s4_", "s8_"].iter().filter_map(|class| name.strip_prefix(class)).any(|rest| rest.as_bytes()[0].is_ascii_digit())
}

#[test]
fn every_attack_has_its_line_and_every_test_of_one_stands_in_it() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let section = page.split("\n## Attacks\n").nth(1).expect("a section of attacks");
    let lines: Vec<&str> = section.lines().filter(|line| line.starts_with("- ")).collect();
    let mut names = BTreeSet::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), &mut names);
    for number in (43..=53).chain(80..=82) {
        let line = lines.iter().find(|line| line.starts_with(&format!("- **{number}** ")));
        let line = line.unwrap_or_else(|| panic!("attack {number} has no line"));
        let own = names.iter().filter(|name| name[3..].starts_with(&format!("{number}_"))).collect::<Vec<_>>();
        assert!(own.iter().all(|name| line.contains(&format!("`{name}`"))), "{own:?} should stand in: {line}");
        assert_eq!(own.is_empty(), line.contains("does not apply"), "{line}");
    }
    let told = section.split('`').filter(|word| is_attack(&format!("{word} ")));
    let gone: Vec<_> = told.filter(|name| !names.contains(*name)).collect();
    assert!(gone.is_empty(), "tests that are gone: {gone:?}");
}
