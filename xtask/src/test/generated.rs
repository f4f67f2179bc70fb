//! Pages that the program writes about itself, compared with what it prints today.

use super::{Outcome, Tally};
use crate::{env, process, programs};
use anyhow::Result;
use std::fs;
use std::process::Command;

/// What the program prints, and the file that holds it.
const PAGES: &[(&[&str], &str)] = &[
    (&["config", "template"], "docs/reference/tradewind.toml"),
    (&["config", "template", "--reference"], "docs/reference/settings.md"),
    (&["config", "reference", "commands"], "docs/reference/commands.md"),
    (&["config", "reference", "errors"], "docs/reference/errors.md"),
    (&["config", "reference", "guards"], "docs/reference/guards.md"),
    (&["config", "reference", "limits"], "docs/reference/limits.md"),
    (&["config", "reference", "strategies"], "docs/reference/strategies.md"),
    (&["config", "reference", "statistics"], "docs/reference/statistics.md"),
];

/// Compares each page; a page that differs says how to write it again.
pub(super) fn run() -> Result<Outcome> {
    if PAGES.is_empty() {
        return Ok(Outcome::gap("not run: generated-docs: no page is generated yet"));
    }
    let program = programs::tested("tradewind")?;
    let mut tally = Tally::default();
    for (args, page) in PAGES {
        let printed = process::stdout_of(Command::new(&program).args(*args))?;
        let kept = fs::read_to_string(env::root().join(page)).unwrap_or_default();
        let difference = first_difference(&kept, &printed);
        if let Some(line) = difference {
            println!("{page}:{line}: not what the program prints; write it with:");
            println!("  cargo run --quiet -- {} > {page}", args.join(" "));
        }
        tally = tally.plus(Tally::one(difference.is_none()));
    }
    Ok(Outcome { tally, ..Outcome::default() })
}

/// The first line, from 1, in which the texts differ.
fn first_difference(kept: &str, printed: &str) -> Option<usize> {
    let longest = kept.lines().count().max(printed.lines().count());
    (0..longest).find(|&at| kept.lines().nth(at) != printed.lines().nth(at)).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("", "a\n"), Some(1));
        assert_eq!(first_difference("a\nb\n", "a\n"), Some(2));
    }
}
