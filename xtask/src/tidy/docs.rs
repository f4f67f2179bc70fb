//! Every crate opens with a page for newcomers, and holds something.

use super::{Finding, code};
use crate::files::Tree;

/// What the opening page of a crate tells, in this order.
const HEADINGS: [&str; 3] = ["# Where it sits", "# Start here", "# What always holds"];
/// Fewer lines of code than this are no crate yet.
const LEAST_CODE: usize = 20;

/// Looks at the opening page and the amount of code of each crate under `crates/`, and at what the pages of the root name.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.crates().into_iter().flat_map(|name| check_crate(tree, name)).collect();
    findings.extend(unnamed(tree, "ARCHITECTURE.md", tree.crates().into_iter().map(|name| format!("`{name}`"))));
    let pages = tree
        .iter()
        .map(|(path, _)| path)
        .filter(|path| path.strip_prefix("docs/").is_some_and(|page| page.ends_with(".md") && !page.contains('/')));
    findings.extend(unnamed(tree, "README.md", pages.map(|path| format!("]({path})"))));
    findings
}

/// What a page of the root must name and does not.
fn unnamed(tree: &Tree, page: &str, names: impl Iterator<Item = String>) -> Vec<Finding> {
    let text = tree.get(page).unwrap_or_default();
    names
        .filter(|name| !text.contains(name))
        .map(|name| Finding::new(page, 0, format!("does not name {name}")))
        .collect()
}

fn check_crate(tree: &Tree, name: &str) -> Vec<Finding> {
    let folder = format!("crates/{name}");
    let library = format!("{folder}/src/lib.rs");
    let program = format!("{folder}/src/main.rs");
    let mut findings = Vec::new();
    match [&library, &program].into_iter().find_map(|path| tree.get(path).map(|text| (path, text))) {
        Some((path, text)) => findings.extend(missing_parts(path, text)),
        None => findings.push(Finding::new(&folder, 0, "has neither src/lib.rs nor src/main.rs")),
    }
    let lines: usize = tree.sources(&folder).map(|(_, text)| lines_of_code(text)).sum();
    if lines < LEAST_CODE {
        findings.push(Finding::new(
            &folder,
            0,
            format!("is empty: {lines} lines of code; a module elsewhere would do"),
        ));
    }
    findings
}

fn missing_parts(path: &str, text: &str) -> Vec<Finding> {
    if !text.starts_with("//!") {
        return vec![Finding::new(path, 1, "does not open with a page for newcomers (`//!`)")];
    }
    let page: Vec<&str> =
        text.lines().take_while(|line| line.starts_with("//!")).map(|line| line[3..].trim()).collect();
    let missing = HEADINGS.iter().filter(|heading| !page.contains(heading));
    missing.map(|heading| Finding::new(path, 1, format!("the opening page lacks `{heading}`"))).collect()
}

/// Lines that hold code: no comments, no blank lines, no tests.
pub(super) fn lines_of_code(text: &str) -> usize {
    code::product_code(text).lines().filter(|line| !line.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::super::tried;
    use super::*;

    const MANIFEST: (&str, &str) = ("crates/gate/Cargo.toml", "[package]\n");
    const ARCHITECTURE: (&str, &str) = ("ARCHITECTURE.md", "| `gate` | decides |\n");

    fn page(headings: &[&str]) -> String {
        let page: String = headings.iter().map(|heading| format!("//!\n//! {heading}\n//! text\n")).collect();
        let code: String = (0..LEAST_CODE).map(|n| format!("fn f{n}() {{}}\n")).collect();
        format!("//! The gate.\n{page}\n{code}")
    }

    #[test]
    fn a_whole_page_passes() {
        assert!(tried(check, &[ARCHITECTURE, MANIFEST, ("crates/gate/src/lib.rs", &page(&HEADINGS))]).is_empty());
    }

    #[test]
    fn a_crate_and_a_page_that_no_page_of_the_root_names_are_found() {
        let library = page(&HEADINGS);
        let crates = [MANIFEST, ("crates/gate/src/lib.rs", library.as_str())];
        let docs =
            [("README.md", "[gate](docs/gate.md)"), ("docs/gate.md", ""), ("docs/lost.md", ""), ("docs/a/b.md", "")];
        let found = tried(check, &[&crates[..], &docs[..]].concat());
        assert_eq!(found, ["ARCHITECTURE.md: does not name `gate`", "README.md: does not name ](docs/lost.md)"]);
    }

    #[test]
    fn a_missing_heading_is_found() {
        let found = tried(check, &[ARCHITECTURE, MANIFEST, ("crates/gate/src/lib.rs", &page(&HEADINGS[..2]))]);
        assert_eq!(found, ["crates/gate/src/lib.rs:1: the opening page lacks `# What always holds`"]);
    }

    #[test]
    fn a_missing_page_is_found() {
        let bare = page(&HEADINGS).replace("//!", "//");
        let found = tried(check, &[ARCHITECTURE, MANIFEST, ("crates/gate/src/lib.rs", &bare)]);
        assert_eq!(found, ["crates/gate/src/lib.rs:1: does not open with a page for newcomers (`//!`)"]);
    }

    #[test]
    fn an_empty_crate_is_found_and_comments_do_not_fill_it() {
        let text =
            format!("//! a\n//! {}\n//! {}\n//! {}\n", HEADINGS[0], HEADINGS[1], HEADINGS[2]) + &"// x\n".repeat(50);
        let found = tried(check, &[ARCHITECTURE, MANIFEST, ("crates/gate/src/lib.rs", &text)]);
        assert_eq!(found, ["crates/gate: is empty: 0 lines of code; a module elsewhere would do"]);
    }
}
