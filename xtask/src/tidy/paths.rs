//! One file knows what lies where in a data directory; no other puts those names together.

use super::{Finding, code};
use crate::files::Tree;

/// The file that knows.
const KNOWS: &str = "crates/node/src/data_dir.rs";

/// Names that nothing else is called by: as a text of their own they are found wherever they stand.
const NAMES: &[&str] =
    &["HALTED", "LATCHED", "control.sock", "checkpoints.jsonl", "removals.jsonl", "key.pub", "tradewind-data"];

/// Names that are words as well: they are found where they are joined to a path.
const WORDS: &[&str] = &["journal", "audit", "key", "earlier", "report.html", ".doctor"];

const JOINS: &str = ".join(";

/// Looks through the sources of each crate, tests aside.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let folders = tree.crates().into_iter().map(|name| format!("crates/{name}"));
    let mut findings = Vec::new();
    for folder in folders {
        let sources = tree.sources(&folder).filter(|(path, _)| *path != KNOWS && !code::is_test_file(path));
        sources.for_each(|(path, text)| findings.extend(check_source(path, text)));
    }
    findings
}

fn check_source(path: &str, text: &str) -> Vec<Finding> {
    let code = code::product_code(text);
    let lines = text.lines().zip(code.lines()).enumerate().filter(|(_, (_, code))| !code.trim().is_empty());
    lines
        .filter_map(|(index, (line, code))| Some(Finding::new(path, index + 1, message(name_in(line, code)?))))
        .collect()
}

fn message(name: &str) -> String {
    format!("`{name}` has its place in a data directory: ask `DataDir` of the node for it")
}

/// The first name of the layout in a line of code.
fn name_in<'a>(line: &'a str, code: &str) -> Option<&'a str> {
    let written = line.split("//").next().unwrap_or_default(); // what stands behind is a comment or an address
    let own = texts(written).find(|text| NAMES.contains(text));
    let is_code = |at: usize| code.get(at..at + JOINS.len()) == Some(JOINS);
    let joined = written.match_indices(JOINS).filter(|(at, _)| is_code(*at)).find_map(|(at, _)| {
        let text = written[at + JOINS.len()..].strip_prefix('"')?.split(['"', '/']).next()?;
        (WORDS.contains(&text) || NAMES.contains(&text)).then_some(text)
    });
    own.or(joined)
}

/// The texts of a line, as far as it shows.
fn texts(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::super::tried;
    use super::*;

    const MANIFEST: (&str, &str) = ("crates/node/Cargo.toml", "[package]\n");

    fn found(path: &str, source: &str) -> Vec<String> {
        tried(check, &[MANIFEST, (path, source)])
    }

    #[test]
    fn a_path_of_the_layout_that_is_put_together_elsewhere_is_found() {
        for source in [
            "let dir = data_dir.join(\"journal\");",
            "let file = dir.join(\"audit/checkpoints.jsonl\");",
            "let key = dir.join(\"audit\").join(\"key\");",
            "const HALTED: &str = \"HALTED\";",
            "let é = 'é'; let socket = dir.join(\"control.sock\");",
            "#[arg(long, default_value = \"tradewind-data\")]",
        ] {
            assert_eq!(found("crates/node/src/control.rs", source).len(), 1, "{source}");
        }
    }

    #[test]
    fn the_file_that_knows_the_layout_tests_and_mere_words_pass() {
        let joined = "let dir = data_dir.join(\"journal\");";
        assert!(found(KNOWS, joined).is_empty());
        assert!(found("crates/node/tests/it/kept.rs", joined).is_empty());
        assert!(found("xtask/src/long/kills.rs", joined).is_empty(), "it looks at a node from outside");
        for source in [
            "let part = Part::new(\"journal\", \"audit\");",
            "let text = names.join(\", \");",
            "// dir.join(\"journal\")",
            "let a = 1; // the file \"HALTED\"",
            "let said = \"see the file HALTED\";",
            "#[cfg(test)]\nmod tests { fn f() { dir.join(\"HALTED\"); } }",
        ] {
            assert!(found("crates/node/src/control.rs", source).is_empty(), "{source}");
        }
    }

    #[test]
    fn the_file_that_knows_is_there() {
        assert!(crate::env::root().join(KNOWS).is_file());
    }
}
