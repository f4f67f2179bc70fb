//! The tree as text: every source file that we look at, read once.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Folders that hold what was built, downloaded or recorded, never what was written by hand.
const LEFT_OUT: &[&str] = &["target", ".git", "node_modules", ".venv", "__pycache__", "tradewind-data"];
/// A file longer than this was not written by hand.
const LONGEST: u64 = 2_000_000;

/// Files by their path from the root, with `/` between folders.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file under `root`.
    ///
    /// # Errors
    /// If a folder or file cannot be read. A file that is not UTF-8 is passed over.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// A tree of the given files; for trying rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_string(), (*text).to_string())).collect() }
    }

    /// Every file, by path.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of one file.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The names of the folders under `crates/` that hold a manifest.
    pub(crate) fn crates(&self) -> Vec<&str> {
        let name = |path: &'_ str| -> Option<(usize, usize)> {
            let rest = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!rest.contains('/')).then_some(("crates/".len(), rest.len()))
        };
        self.files.keys().filter_map(|path| name(path).map(|(from, length)| &path[from..from + length])).collect()
    }

    /// The Rust files of one folder's `src/`.
    pub(crate) fn sources<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let prefix = format!("{folder}/src/");
        self.iter().filter(move |(path, _)| path.starts_with(&prefix) && path.ends_with(".rs"))
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if LEFT_OUT.contains(&name.as_str()) {
                continue; // `.git` is a file where the checkout is a linked work tree
            }
            if kind.is_dir() {
                self.read_folder(&entry.path(), &path)?;
            } else if kind.is_file()
                && entry.metadata()?.len() <= LONGEST
                && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
            {
                self.files.insert(path, text);
            }
        }
        Ok(())
    }
}
