//! The page of error codes against the sources: each code that is raised is listed, each listed one is raised.

use crate::support::tradewind;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Whether `text` begins with a code such as `VEN-07`, and how long that is.
fn code_at(text: &str) -> Option<&str> {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = text.get(letters + 1..letters + 3)?;
    let is = (2..=4).contains(&letters)
        && text.as_bytes()[letters] == b'-'
        && digits.bytes().all(|it| it.is_ascii_digit())
        && !text[letters + 3..].starts_with(|it: char| it.is_ascii_digit());
    is.then(|| &text[..letters + 3])
}

/// The codes that stand as text of their own in a source file, but neither in its tests nor in its list of codes.
fn raised(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut in_list = false;
    let mut found = BTreeSet::new();
    for line in code.lines() {
        in_list |= line.contains("codes! {") || line.starts_with("pub const CODES: &[");
        if !in_list && !line.trim_start().starts_with("//") {
            let starts = line.split('"').skip(1).step_by(2);
            found.extend(starts.filter(|text| code_at(text) == Some(text)).map(str::to_owned));
        }
        in_list &= !matches!(line, "}" | "];" | "};");
    }
    found
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, files);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
}

fn listed() -> Vec<String> {
    let page = tradewind(&["config", "reference", "errors"]).ended_with(0).out;
    let rows = page.lines().filter_map(|line| code_at(line.strip_prefix("| ")?));
    rows.map(str::to_owned).collect()
}

#[test]
fn every_code_in_the_sources_is_listed_and_every_listed_one_is_raised() {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap() {
        let folder = entry.unwrap().path().join("src");
        if folder.is_dir() {
            sources(&folder, &mut files);
        }
    }
    assert!(files.len() > 200, "{} files", files.len());
    let raised: BTreeSet<String> = files.iter().flat_map(|it| raised(&std::fs::read_to_string(it).unwrap())).collect();
    let rows = listed();
    let listed: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(rows.len(), listed.len(), "a code is listed twice");
    let unlisted: Vec<_> = raised.difference(&listed).collect();
    let unraised: Vec<_> = listed.difference(&raised).collect();
    assert!(unlisted.is_empty() && unraised.is_empty(), "raised, not listed: {unlisted:?}; listed only: {unraised:?}");
}

#[test]
fn a_list_of_codes_raises_none_of_them() {
    let list = "codes! {\n    \"ABC-01\" \"meaning\" \"hint\";\n}\n";
    for (source, want) in [
        (format!("{list}fn code() {{ \"ABC-02\" }}"), vec!["ABC-02"]),
        (format!("// \"ABC-03\"\n{list}"), vec![]),
        ("a => \"AB-01\",\n#[cfg(test)]\nmod tests { \"AB-02\" }".to_owned(), vec!["AB-01"]),
        ("failed(\"NODE-09\", \"see VEN-01\", \"UTF-8\")".to_owned(), vec!["NODE-09"]),
        ("#[cfg(test)]\nmod tests;\na => \"AB-03\",".to_owned(), vec!["AB-03"]),
        (
            "pub const CODES: &[(&str, &str, &str)] = &[\n    (\"JRN-01\", \"\", \"\"),\n];\nx(\"JRN-02\")".to_owned(),
            vec!["JRN-02"],
        ),
    ] {
        assert_eq!(raised(&source).into_iter().collect::<Vec<_>>(), want, "{source}");
    }
}
