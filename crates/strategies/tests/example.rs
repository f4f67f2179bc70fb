//! The example that CI compiles and runs is what an author gets.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use expect_test::expect_file;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tradewind_strategies::template::{Crates, new_strategy};

#[test]
fn the_example_is_what_the_template_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/strategy");
    let files = new_strategy("above-average", &Crates::Folder("../../crates")).unwrap();
    for (path, text) in &files {
        let place = folder.join(path);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        }
        expect_file![place].assert_eq(text);
    }
    let written: BTreeSet<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    let kept: BTreeSet<PathBuf> = ["", "src", "tests"]
        .iter()
        .flat_map(|inner| std::fs::read_dir(folder.join(inner)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.ends_with("Cargo.lock"))
        .map(|path| path.strip_prefix(&folder).unwrap().to_path_buf())
        .collect();
    assert_eq!(kept, written, "the example holds nothing else");
}
