//! Python programs that others wrote, each set of them in an environment of its own.
//!
//! An environment lies in the user's cache under a name made from its requirements, so a changed pin
//! makes a new one and an unchanged one costs nothing.

use crate::{env, process};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Finds a Python 3 of one of `versions` (such as `"3.12"`), or any Python 3 if the list is empty.
///
/// Looks on the path, then at the versions that pyenv holds.
pub(crate) fn find(versions: &[&str]) -> Option<PathBuf> {
    let named = versions.iter().map(|version| PathBuf::from(format!("python{version}")));
    let plain = ["python3", "python"].map(PathBuf::from);
    let kept = versions.iter().flat_map(|version| pyenv_pythons(version));
    named.chain(plain).chain(kept).find(|python| {
        version_of(python).is_some_and(|found| {
            found.starts_with("3.") && (versions.is_empty() || versions.iter().any(|wanted| is_version(&found, wanted)))
        })
    })
}

/// The interpreter of the environment called `name` that holds `requirements`, made if it is not there.
///
/// `requirements` is the text of a requirements file.
///
/// # Errors
/// If no fitting Python is found, or an installation fails; with the end of what the installer said.
pub(crate) fn environment(name: &str, versions: &[&str], requirements: &str) -> Result<PathBuf> {
    let Some(python) = find(versions) else {
        bail!("no Python {} found", if versions.is_empty() { "3".to_string() } else { versions.join(" or ") });
    };
    let version = version_of(&python).context("this Python does not tell its version")?;
    let key = fingerprint(&format!("{version}\n{requirements}"));
    let folder = env::cache()?.join("python").join(format!("{name}-{key:016x}"));
    let inside = folder.join("bin").join("python");
    let ready = folder.join(".ready"); // written last: a half-made environment is made again
    if ready.exists() {
        return Ok(inside);
    }
    eprintln!("installing {name} for Python {version} ...");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let list = folder.join("requirements.txt");
    fs::write(&list, requirements)?;
    step(Command::new(&python).args(["-m", "venv"]).arg(&folder))?;
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    step(Command::new(&inside).args(quiet).arg(&list))?;
    step(Command::new(&inside).args(["-m", "compileall", "-q"]).arg(folder.join("lib"))).ok(); // some packages ship templates
    fs::write(&ready, version)?;
    Ok(inside)
}

/// A 64-bit FNV-1a hash: stable between releases of Rust, and good enough to tell two lists of pins apart.
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn step(command: &mut Command) -> Result<()> {
    let (ok, said) = process::capture(command)?;
    anyhow::ensure!(ok, "`{}` failed: {}", process::shown(command), process::last_lines(&said, 4));
    Ok(())
}

fn version_of(python: &Path) -> Option<String> {
    let output =
        Command::new(python).args(["-c", "import platform; print(platform.python_version())"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// Whether `found`, such as `3.12.1`, is a release of `wanted`, such as `3.12`.
fn is_version(found: &str, wanted: &str) -> bool {
    found.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn pyenv_pythons(version: &str) -> Vec<PathBuf> {
    let root = match (std::env::var_os("PYENV_ROOT"), std::env::var_os("HOME")) {
        (Some(root), _) => PathBuf::from(root),
        (None, Some(home)) => PathBuf::from(home).join(".pyenv"),
        (None, None) => return Vec::new(),
    };
    let Ok(entries) = fs::read_dir(root.join("versions")) else { return Vec::new() };
    let fits = |path: &PathBuf| path.file_name().is_some_and(|name| is_version(&name.to_string_lossy(), version));
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(fits).collect();
    folders.sort();
    folders.into_iter().map(|folder| folder.join("bin").join("python")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_matched_by_its_whole_numbers() {
        assert!(is_version("3.12.1", "3.12"));
        assert!(is_version("3.12", "3.12"));
        assert!(!is_version("3.1.2", "3.12"));
        assert!(!is_version("3.12.1", "3.1"));
    }

    #[test]
    fn a_changed_pin_is_another_environment() {
        assert_ne!(fingerprint("ccxt==4.5.90\n"), fingerprint("ccxt==4.5.91\n"));
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c); // the published value of FNV-1a
    }
}
