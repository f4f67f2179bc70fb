//! The pure crates decide from their arguments alone: no clock, no network, no disk, no chance, and no
//! order that depends on a hash.

use super::{Finding, code};
use crate::files::Tree;

/// The crates whose answer to the same events must be the same, bit for bit.
const PURE: &[&str] = &["domain", "book", "indicators", "quant", "risk", "governance", "gate", "engine"];

/// Paths that lead outside, and what they reach.
const OUTSIDE: &[(&str, &str)] = &[
    ("SystemTime", "the clock"),
    ("::now(", "a clock"),
    ("TimeZone::system", "the machine's time zone"),
    ("std::net", "the network"),
    ("tokio", "the network"),
    ("reqwest", "the network"),
    ("std::fs", "the disk"),
    ("std::io", "files and streams"),
    ("std::env", "the environment"),
    ("std::process", "other programs"),
    ("std::thread", "the scheduler"),
    ("rand::", "chance"),
    ("rand_chacha", "chance"),
    ("getrandom", "chance"),
    ("RandomState", "chance"),
];

/// Modules of `std` that may hide in a grouped import, `use std::{fs, …}`.
const OUTSIDE_STD: &[&str] = &["net", "fs", "io", "env", "process", "thread"];

/// Dependencies that no pure crate is built with.
const IMPURE_PACKAGES: &[&str] = &["tokio", "reqwest", "axum", "rand", "rand_chacha", "getrandom", "rustix"];

/// What a line beside a hash map has to say, followed by why.
const NEVER_ITERATED: &str = "// never iterated: ";

/// Verbs that walk through a collection.
const WALKS: &[&str] = &[
    ".iter()",
    ".iter_mut()",
    ".into_iter()",
    ".keys()",
    ".into_keys()",
    ".values()",
    ".values_mut()",
    ".into_values()",
    ".drain(",
    ".retain(",
    ".extract_if(",
];

/// Looks through the sources and the manifest of each pure crate.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    PURE.iter().flat_map(|name| check_crate(tree, &format!("crates/{name}"))).collect()
}

fn check_crate(tree: &Tree, folder: &str) -> Vec<Finding> {
    let manifest = format!("{folder}/Cargo.toml");
    let mut findings = impure_packages(&manifest, tree.get(&manifest).unwrap_or_default());
    for (path, text) in tree.sources(folder).filter(|(path, _)| !code::is_test_file(path)) {
        findings.extend(check_source(path, text));
    }
    findings
}

fn impure_packages(path: &str, manifest: &str) -> Vec<Finding> {
    let manifest: toml::Table = toml::from_str(manifest).unwrap_or_default();
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.as_table()).chain(std::iter::once(&manifest));
    let dependencies = tables.filter_map(|table| table.get("dependencies").and_then(toml::Value::as_table));
    let impure = dependencies.flatten().map(|(name, _)| name).filter(|name| IMPURE_PACKAGES.contains(&name.as_str()));
    impure.map(|name| Finding::new(path, 0, format!("a pure crate is not built with `{name}`"))).collect()
}

fn check_source(path: &str, text: &str) -> Vec<Finding> {
    let code = code::product_code(text);
    let written: Vec<&str> = text.lines().collect();
    let maps = hash_map_names(&code);
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut found = |message: String| findings.push(Finding::new(path, index + 1, message));
        for (word, what) in OUTSIDE.iter().filter(|(word, _)| holds_path(line, word)) {
            found(format!("`{word}` reaches {what}: a pure crate gets it as an argument or an event"));
        }
        if names_hash_map(line) && !is_excused(&written, index) {
            found(format!("a hash map has no order: use a BTreeMap, or say `{NEVER_ITERATED}<why>` on this line"));
        }
        for name in maps.iter().filter(|name| walks_through(line, name)) {
            found(format!("`{name}` is a hash map, and its order differs from run to run"));
        }
    }
    findings.extend(grouped_imports(path, &code));
    findings
}

/// Whether `line` holds `word` as a path of its own, not as a part of a longer name.
fn holds_path(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let in_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        let starts = !word.starts_with(|letter: char| letter.is_alphanumeric()) || !in_word(before);
        let ends = !word.ends_with(|letter: char| letter.is_alphanumeric()) || !in_word(after);
        starts && ends
    })
}

/// Whether a line gives something the type of a hash map. Imports and constructors follow from types.
fn names_hash_map(line: &str) -> bool {
    !line.trim_start().starts_with("use ") && ["HashMap<", "HashSet<"].iter().any(|word| holds_path(line, word))
}

fn is_excused(written: &[&str], index: usize) -> bool {
    let says_why =
        |line: &&str| line.split_once(NEVER_ITERATED).is_some_and(|(_, why)| why.split_whitespace().count() >= 2);
    let above = index.checked_sub(1).and_then(|above| written.get(above));
    written.get(index).is_some_and(says_why)
        || above.is_some_and(|line| line.trim_start().starts_with("//") && says_why(line))
}

/// The names that are declared as hash maps, as far as a line shows: `name: HashMap<…>` or `name = HashMap::…`.
fn hash_map_names(code: &str) -> Vec<String> {
    let mut names: Vec<String> = code.lines().filter_map(declared_hash_map).collect();
    names.sort();
    names.dedup();
    names
}

fn declared_hash_map(line: &str) -> Option<String> {
    let at = line.find("HashMap").or_else(|| line.find("HashSet"))?;
    let before = line[..at].trim_end_matches(|letter: char| letter.is_alphanumeric() || ": =&_".contains(letter));
    let declaration = &line[before.len()..at];
    let name = declaration.split([':', '=']).next()?.split_whitespace().next_back()?;
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    (is_name && declaration.contains([':', '=']) && name != "std").then(|| name.to_string())
}

fn walks_through(line: &str, name: &str) -> bool {
    let walks = WALKS.iter().any(|verb| holds_path(line, &format!("{name}{verb}")));
    let loops = line.split_once(" in ").is_some_and(|(before, walked)| {
        let walked = walked.trim_end_matches(['{', ' ']).trim_start_matches('&').trim_start_matches("mut ");
        before.trim_start().starts_with("for ") && walked.rsplit('.').next() == Some(name)
    });
    walks || loops
}

/// Finds `use std::{fs, net::TcpStream}`.
fn grouped_imports(path: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, opening) in code.match_indices("use std::{") {
        let line = code[..at].lines().count().max(1);
        let group = &code[at + opening.len()..];
        for member in top_level(group) {
            let module = member.split("::").next().unwrap_or_default().trim();
            if OUTSIDE_STD.contains(&module) {
                findings.push(Finding::new(
                    path,
                    line,
                    format!("`std::{module}` reaches outside: a pure crate does not"),
                ));
            }
        }
    }
    findings
}

/// The members of a group, up to the brace that closes it.
fn top_level(group: &str) -> Vec<String> {
    let (mut depth, mut members) = (0usize, vec![String::new()]);
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => members.push(String::new()),
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => members.last_mut().expect("never empty").push(letter),
            _ => {}
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::super::tried;
    use super::*;

    fn lines(source: &str) -> Vec<String> {
        tried(check, &[("crates/engine/src/state.rs", source)])
    }

    #[test]
    fn every_way_outside_is_found() {
        for source in [
            "let t = std::time::SystemTime::UNIX_EPOCH;",
            "let t = Instant::now();",
            "let t = jiff::Zoned::now();",
            "let zone = jiff::tz::TimeZone::system();",
            "use std::net::TcpStream;",
            "use std::{fmt, fs::File};",
            "let f = std::fs::read(path);",
            "use std::io::Write;",
            "use std::{fmt, io::Read};",
            "let v = std::env::var(name);",
            "let r: f64 = rand::random();",
            "getrandom::fill(&mut bytes);",
            "use tokio::sync::mpsc;",
            "std::thread::spawn(work);",
        ] {
            assert_eq!(lines(source).len(), 1, "{source}: {:?}", lines(source));
        }
    }

    #[test]
    fn words_that_only_look_alike_pass() {
        for source in [
            "// SystemTime is for the shell",
            "let hint = \"std::fs\";",
            "let operand::Left = side;",
            "use std::{fmt, collections::BTreeMap};",
            "let strand = 1;",
            "#[cfg(test)]\nmod tests { use std::fs; }",
            "const HERE: &str = env!(\"CARGO_MANIFEST_DIR\");",
        ] {
            assert_eq!(lines(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn the_same_is_allowed_outside_the_pure_crates_and_in_test_files() {
        assert!(tried(check, &[("crates/node/src/clock.rs", "Instant::now();")]).is_empty());
        assert!(tried(check, &[("crates/engine/src/tests/clock.rs", "Instant::now();")]).is_empty());
        assert!(tried(check, &[("crates/engine/tests/clock.rs", "Instant::now();")]).is_empty());
    }

    #[test]
    fn a_hash_map_needs_a_reason() {
        assert_eq!(lines("use std::collections::HashMap;\nstruct S { a: HashMap<u64, u64> }").len(), 1);
        assert!(lines("struct S {\n a: HashMap<u64, u64>, // never iterated: looked up by id\n}").is_empty());
        assert!(lines("struct S {\n // never iterated: looked up by id\n a: HashMap<u64, u64>,\n}").is_empty());
        assert_eq!(lines("struct S {\n a: HashMap<u64, u64>, // never iterated: \n}").len(), 1, "a reason has words");
        assert!(lines("struct S { a: BTreeMap<u64, u64> }").is_empty());
    }

    #[test]
    fn a_hash_map_that_says_never_is_never_walked_through() {
        let map = "struct S {\n a: HashMap<u64, u64>, // never iterated: looked up by id\n}\n";
        for walk in [
            "for x in &self.a {",
            "self.a.values().sum()",
            "self.a.iter()",
            "for (k, v) in self.a {",
            "self.a.retain(|_, v| keep(v));",
            "let gone = self.a.extract_if(|_, v| spent(v));",
        ] {
            assert_eq!(lines(&format!("{map}{walk}")).len(), 1, "{walk}");
        }
        for look in ["self.a.get(&id)", "for x in &self.b {", "self.ba.iter()"] {
            assert!(lines(&format!("{map}{look}")).is_empty(), "{look}");
        }
    }

    #[test]
    fn a_pure_crate_is_not_built_with_an_impure_one() {
        let manifest = "[dependencies]\ntokio.workspace = true\n";
        assert_eq!(tried(check, &[("crates/gate/Cargo.toml", manifest)]).len(), 1);
        let of_a_target = "[target.'cfg(unix)'.dependencies]\nrustix.workspace = true\n";
        assert_eq!(tried(check, &[("crates/gate/Cargo.toml", of_a_target)]).len(), 1);
        let for_tests = "[dev-dependencies]\ntokio.workspace = true\n";
        assert!(tried(check, &[("crates/gate/Cargo.toml", for_tests)]).is_empty());
    }
}
