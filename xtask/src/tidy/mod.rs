//! The shape of the tree, as far as a machine can judge it.
//!
//! Each rule is a plain function over a [`Tree`] that returns findings, in a file of its own beside this one.

mod code;
mod dependencies;
mod docs;
mod edges;
mod leaks;
mod paths;
mod purity;
mod sizes;

use crate::env;
use crate::files::Tree;
use anyhow::Result;
use std::fmt;

/// `cargo xtask tidy`
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask tidy\n\nExit codes: 0 tidy, 1 findings, 2 could not look.")]
pub(crate) struct Args {
    /// Leaves out the printed sizes
    #[arg(long)]
    pub(crate) no_sizes: bool,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, from the root.
    path: String,
    /// The line, from 1; 0 speaks of the whole file.
    line: usize,
    /// What is wrong, and what to do about it.
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_string(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Looks at the whole tree and prints what was found. `true` if it is tidy.
///
/// # Errors
/// If the tree cannot be read, or cargo cannot be asked.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let tree = Tree::read(&env::root())?;
    let mut findings = judge(&tree);
    findings.extend(dependencies::check()?);
    for finding in &findings {
        println!("{finding}");
    }
    if !args.no_sizes {
        print!("{}", sizes::table(&tree));
    }
    println!("tidy: {} crates, {} findings", tree.crates().len(), findings.len());
    Ok(findings.is_empty())
}

/// What the rules that need nothing but the tree have to say about it.
fn judge(tree: &Tree) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 5] = [edges::check, docs::check, purity::check, leaks::check, paths::check];
    let mut findings: Vec<Finding> = rules.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings
}

/// Runs one rule over a small tree, and returns its findings as text; for the rules' own tests.
#[cfg(test)]
fn tried(rule: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    rule(&Tree::of(files)).iter().map(ToString::to_string).collect()
}
