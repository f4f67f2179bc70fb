//! Makes each program ready to run: builds it, or installs it into the user's cache.

use super::workloads::{Contestant, Program};
use crate::{env, process, python};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lets the generator of data run.
const NUMPY: &str = "numpy>=2,<3\n";

/// The folder of generated data, with `kinds` in it.
///
/// # Errors
/// If the scripts are not there, or there is no Python, or no numpy to be had.
pub(super) fn data(kinds: &[&str]) -> Result<PathBuf> {
    let folder = env::cache()?.join("bench").join("data");
    for kind in kinds {
        let written = folder.join(format!(".{kind}")); // made last: half-written data is written again
        if !written.exists() {
            fs::create_dir_all(&folder)?;
            let mut generate = Command::new(python::environment("data", &[], NUMPY)?);
            generate.arg(script("common/gen_data.py")?).arg(&folder).arg(kind);
            anyhow::ensure!(process::passes(&mut generate)?, "gen_data.py could not write `{kind}`");
            fs::write(&written, "")?;
        }
    }
    Ok(folder)
}

/// A program that is ready to run.
pub(super) struct Prepared {
    /// What the report calls it.
    pub(super) name: &'static str,
    /// The words that start it.
    pub(super) words: Vec<String>,
    /// The words that start the exchange on which it trades, if that is outside.
    pub(super) exchange: Option<Vec<String>>,
    /// Whether the words start the program itself, not one that times its start.
    pub(super) is_itself: bool,
}

/// The working folder of all programs.
///
/// # Errors
/// If there is no cache, or the folder cannot be made.
pub(super) fn working_folder() -> Result<PathBuf> {
    let run = env::cache()?.join("bench").join("run");
    fs::create_dir_all(&run).with_context(|| format!("cannot create {}", run.display()))?;
    Ok(run)
}

/// The part of the working folder that every run finds empty.
pub(super) fn fresh(run: &Path) -> PathBuf {
    run.join("fresh")
}

/// Makes `folder` anew.
///
/// # Errors
/// If the disk refuses.
pub(super) fn emptied(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// What starts `contestant`, as `run` is the working folder; builds or installs it first.
///
/// # Errors
/// If it cannot be built or installed here, with the reason.
pub(super) fn prepare(contestant: &Contestant, data: &Path, run: &Path, profile: &str) -> Result<Prepared> {
    let words = command_line(contestant, data, run, profile)?;
    let exchange = contestant.outside.then(|| program(Program::Product, profile)).transpose()?;
    let exchange = exchange.map(|mut words| {
        words.extend(["exchange", "-o", "json"].map(str::to_string));
        words
    });
    Ok(Prepared { name: contestant.name, words, exchange, is_itself: contestant.ready.is_none() })
}

fn command_line(contestant: &Contestant, data: &Path, run: &Path, profile: &str) -> Result<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    if let Some(how) = contestant.ready {
        let python = python::find(&[]).context("no Python 3 found to time the start with")?;
        let timer = env::text(&script("w11_startup/ready.py")?);
        words.extend([env::text(&python), timer, contestant.name.to_string(), how.to_string(), "--".to_string()]);
    }
    if !contestant.env.is_empty() {
        words.push("env".to_string());
        words.extend(contestant.env.iter().map(ToString::to_string));
    }
    words.extend(program(contestant.program, profile)?);
    words.extend(contestant.args.iter().map(|word| filled(word, data, run)));
    Ok(words)
}

fn filled(word: &str, data: &Path, run: &Path) -> String {
    let fresh = env::text(&fresh(run));
    word.replace("{data}", &env::text(data)).replace("{run}", &env::text(run)).replace("{fresh}", &fresh)
}

fn program(program: Program, profile: &str) -> Result<Vec<String>> {
    match program {
        Program::Ours(binary) => one(ours("tradewind-bench", binary, profile)?),
        Program::Product => one(ours("tradewind", "tradewind", profile)?),
        Program::Floor(binary) => one(rust_peer("floor", "floor", binary)?),
        Program::NautilusRust => one(rust_peer("w1_bar_backtest/nautilus_rs", "nautilus_rs", "bench-nautilus-rs")?),
        Program::RustCrates => one(rust_peer("w5_indicators/rust_peers", "rust_peers", "bench-w5-rust-peers")?),
        Program::JournalC => one(journal_c()?),
        Program::Python(spec) => {
            let python = python::environment(spec.name, spec.versions, spec.pins)?;
            Ok(vec![env::text(&python), env::text(&script(spec.script)?)])
        }
    }
}

fn one(path: PathBuf) -> Result<Vec<String>> {
    Ok(vec![env::text(&path)])
}

fn ours(package: &str, binary: &str, profile: &str) -> Result<PathBuf> {
    eprintln!("building {binary} ...");
    let args = ["build", "--locked", "--quiet", "--profile", profile, "--package", package, "--bin", binary];
    anyhow::ensure!(process::passes(&mut process::cargo(&args))?, "cannot build our `{binary}`");
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(env::target().join(folder).join(binary))
}

/// Builds a package of the scripts' folder from a copy in the cache: the folder itself may be read-only,
/// and cargo writes a lock file beside the manifest.
fn rust_peer(from: &str, name: &str, binary: &str) -> Result<PathBuf> {
    let bench = env::cache()?.join("bench");
    let (copy, target) = (bench.join(name), bench.join("build"));
    copy_folder(&script(from)?, &copy)?;
    eprintln!("building {name} ...");
    let mut build = process::cargo(&["build", "--release", "--quiet", "--bin", binary]);
    build.current_dir(&copy).env_remove("CARGO_TARGET_DIR").arg("--target-dir").arg(&target);
    build.env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback"); // what this compiler can build
    let (ok, said) = process::capture(&mut build)?;
    anyhow::ensure!(ok, "cannot build {name}: {}", process::last_lines(&said, 4));
    Ok(target.join("release").join(binary))
}

fn journal_c() -> Result<PathBuf> {
    let bench = env::cache()?.join("bench");
    fs::create_dir_all(&bench)?;
    let program = bench.join("journal");
    let mut compile = Command::new("cc");
    compile.arg("-O2").arg("-o").arg(&program).arg(script("w7_journal/journal.c")?).arg("-lsqlite3");
    let (ok, said) = process::capture(&mut compile)?;
    anyhow::ensure!(ok, "cannot compile journal.c, which needs SQLite's header: {}", process::last_lines(&said, 2));
    Ok(program)
}

fn script(path: &str) -> Result<PathBuf> {
    let path = env::bench_scripts().join(path);
    path.canonicalize().with_context(|| format!("no {} (TRADEWIND_BENCH says where the scripts are)", path.display()))
}

/// Copies what differs, so that an unchanged file keeps its time and is not compiled again.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            let text = fs::read(entry.path())?;
            if fs::read(&target).ok().as_ref() != Some(&text) {
                fs::write(&target, text)?;
            }
        }
    }
    Ok(())
}

/// A folder of a test's own, which is not there yet.
#[cfg(test)]
pub(super) fn tried(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("tradewind-bench-{name}-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_names_the_folders_of_data_and_of_runs() {
        let words = ["{data}/a", "{run}/b", "{fresh}/c", "d"];
        let words = words.map(|word| filled(word, Path::new("/data"), Path::new("/run")));
        assert_eq!(words, ["/data/a", "/run/b", "/run/fresh/c", "d"]);
    }

    #[test]
    fn a_folder_is_emptied_with_all_that_lies_in_it() {
        let folder = tried("emptied");
        emptied(&folder).unwrap();
        fs::create_dir(folder.join("left")).unwrap();
        emptied(&folder).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir(&folder).unwrap();
    }
}
