//! The author's path: a crate for a strategy of one's own, outside of this workspace.

use crate::{StrategyError, registry};
use std::path::PathBuf;

/// Where a new crate finds ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crates<'a> {
    /// In this folder, as seen from the new crate: `../../crates`.
    Folder(&'a str),
    /// In a git repository, at one revision.
    Git {
        /// Where to clone it from.
        url: &'a str,
        /// The full commit id.
        revision: &'a str,
    },
}

/// Our crates that a strategy and its backtest use.
const USED: [&str; 8] = ["book", "domain", "engine", "gate", "history", "indicators", "research", "strategies"];

/// Each file's place and its text, with `{{name}}`, `{{crate}}`, `{{Type}}` and `{{crates}}` still to be filled in.
const FILES: [(&str, &str); 7] = [
    (".gitignore", include_str!("template/gitignore.txt")),
    ("Cargo.toml", include_str!("template/Cargo.toml.txt")),
    ("README.md", include_str!("template/README.md.txt")),
    ("{{name}}.toml", include_str!("template/parameters.toml.txt")),
    ("src/lib.rs", include_str!("template/lib.rs.txt")),
    ("src/main.rs", include_str!("template/main.rs.txt")),
    ("tests/behaviour.rs", include_str!("template/behaviour.rs.txt")),
];

/// Names that cargo or the compiler keep for themselves.
const KEPT: [&str; 22] = [
    "abstract",
    "alloc",
    "async",
    "backtest",
    "box",
    "build",
    "core",
    "crate",
    "deps",
    "dyn",
    "examples",
    "final",
    "incremental",
    "macro",
    "override",
    "proc-macro",
    "self",
    "std",
    "super",
    "test",
    "try",
    "virtual",
];

/// The files of a new crate for the strategy `name`, with their paths inside its folder.
///
/// The crate builds, passes its own tests, and back-tests on a file of bars. `{{name}}` is written in lower case with
/// dashes, such as `night-owl`.
///
/// # Errors
/// [`StrategyError::Name`] for a name that no crate can have, or that a shipped strategy has.
pub fn new_strategy(name: &str, crates: &Crates<'_>) -> Result<Vec<(PathBuf, String)>, StrategyError> {
    check_name(name)?;
    let fill = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{crates}}", &dependencies(crates))
            .replace("{{crate}}", &name.replace('-', "_"))
            .replace("{{Type}}", &type_name(name))
    };
    Ok(FILES.iter().map(|(path, text)| (PathBuf::from(fill(path)), fill(text))).collect())
}

fn check_name(name: &str) -> Result<(), StrategyError> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let why = if !(2..=40).contains(&name.len()) {
        "it must have 2 to 40 characters"
    } else if !name.chars().all(known) {
        "it may hold lower-case letters, digits and dashes only"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "it must start with a letter"
    } else if name.ends_with('-') || name.contains("--") {
        "dashes stand alone between letters or digits"
    } else if registry::find(name).is_ok() {
        "a strategy that ships has this name"
    } else if KEPT.contains(&name) || is_keyword(name) {
        "Rust or cargo keep this name for themselves"
    } else if name.starts_with("tradewind") || USED_ELSEWHERE.contains(&name) {
        "a crate that it depends on has this name"
    } else {
        return Ok(());
    };
    Err(StrategyError::Name { name: name.to_owned(), why })
}

const USED_ELSEWHERE: [&str; 3] = ["serde", "thiserror", "toml"];

fn is_keyword(name: &str) -> bool {
    let keywords = "as await become break const continue do else enum extern false fn for gen if impl in let loop \
                    match mod move mut priv pub ref return static struct trait true type typeof unsafe unsized use \
                    where while yield";
    keywords.split(' ').any(|keyword| keyword == name)
}

fn dependencies(crates: &Crates<'_>) -> String {
    let line = |used: &&str| match crates {
        Crates::Folder(folder) => format!("tradewind-{used} = {{ path = {:?} }}", format!("{folder}/{used}")),
        Crates::Git { url, revision } => format!("tradewind-{used} = {{ git = {url:?}, rev = {revision:?} }}"),
    };
    USED.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `night-owl` is `NightOwl`.
fn type_name(name: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::Coded;

    #[test]
    fn names_that_no_crate_can_have_are_refused() {
        for bad in [
            "",
            "x",
            "Owl",
            "9owl",
            "-owl",
            "owl-",
            "night--owl",
            "night_owl",
            "owl.rs",
            "../owl",
            "eule-ü",
            "ema-trend",
            "vote",
            "fn",
            "test",
            "serde",
            "tradewind-owl",
            "a23456789-123456789-123456789-123456789-1",
        ] {
            let error = new_strategy(bad, &Crates::Folder("..")).unwrap_err();
            assert_eq!(error.code(), "STR-06", "{bad}");
            assert!(error.to_string().contains(&format!("`{bad}`")), "{error}");
        }
        for good in ["owl", "night-owl", "ma50", "top-3-of-5", "a2"] {
            assert!(new_strategy(good, &Crates::Folder("..")).is_ok(), "{good}");
        }
    }

    #[test]
    fn every_place_is_filled_in() {
        let git = Crates::Git { url: "https://example.org/tradewind.git", revision: "0123abc" };
        let files = new_strategy("night-owl", &git).unwrap();
        let text: String = files.iter().map(|(path, text)| format!("{}\n{text}", path.display())).collect();
        assert!(!text.contains("{{"), "{text}");
        for expected in ["name = \"night-owl\"", "pub struct NightOwl", "use night_owl::NightOwl", "night-owl.toml"] {
            assert!(text.contains(expected), "{expected}");
        }
        let manifest: toml::Table =
            files.iter().find(|(path, _)| path.ends_with("Cargo.toml")).unwrap().1.parse().unwrap();
        let gate = manifest["dependencies"]["tradewind-gate"].as_table().unwrap();
        assert_eq!(gate["git"].as_str(), Some("https://example.org/tradewind.git"));
        assert_eq!(gate["rev"].as_str(), Some("0123abc"));
    }
}
