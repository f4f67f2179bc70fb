//! Nothing in the tree points at one person's machine.

use super::Finding;
use crate::files::Tree;

/// Starts of paths that exist on one machine only. Split, so that this file does not find itself.
const PLACES: &[&str] = &[
    concat!("/", "home/"),
    concat!("/", "Users/"),
    concat!("/", "root/"),
    concat!("/", "work/"),
    concat!("C:", "\\Users\\"),
];

/// Finds absolute paths of a user's or a build machine's folders.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| !path.ends_with(".lock")) {
        for (index, line) in text.lines().enumerate() {
            if let Some(place) = PLACES.iter().find(|place| starts_path(line, place)) {
                let message = format!("an absolute path of one machine (`{place}…`): say it from the project's root");
                findings.push(Finding::new(path, index + 1, message));
            }
        }
    }
    findings
}

/// Whether a path starts with `place` somewhere in the line; a longer path that merely holds it does not count.
fn starts_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| match line[..at].chars().next_back() {
        None => true,
        Some(before) => before.is_whitespace() || "\"'`(=:,[<".contains(before),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tried;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for text in ["cd {}me/x", "let p = \"{}me/data\";", "file://x\npath={}me"] {
            for place in PLACES {
                assert_eq!(tried(check, &[("docs/a.md", &text.replace("{}", place))]).len(), 1, "{text} {place}");
            }
        }
    }

    #[test]
    fn a_path_inside_the_project_or_of_every_machine_passes() {
        for text in
            ["see ../shared/data", "/usr/bin/env bash", concat!("target/", "work/x"), concat!("https://a.b/", "home/x")]
        {
            assert!(tried(check, &[("docs/a.md", text)]).is_empty(), "{text}");
        }
    }
}
