//! Cargo's own companions, of the release that we pin, in the user's cache.

use crate::{env, process};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program `name` of release `version`, installed if it is not there.
///
/// # Errors
/// If it cannot be installed.
pub(crate) fn installed(name: &str, version: &str) -> Result<PathBuf> {
    let root = env::cache()?.join("tools").join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        println!("installing {name} {version} ...");
        // built without optimisation: they read small files, and a fresh machine waits for them
        let mut install =
            process::cargo(&["install", name, "--version", version, "--locked", "--debug", "--quiet", "--root"]);
        install.env("CARGO_PROFILE_DEV_DEBUG", "none");
        let build = root.join("build");
        let (ok, said) = process::capture(install.arg(&root).arg("--target-dir").arg(&build))?;
        std::fs::remove_dir_all(&build).ok();
        anyhow::ensure!(ok, "cannot install {name}: {}", process::last_lines(&said, 4));
    }
    Ok(program)
}

/// The program as cargo would call it for `cargo WORD`, at the root of the workspace.
pub(crate) fn command(program: &Path, word: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(word).current_dir(env::root());
    command
}
