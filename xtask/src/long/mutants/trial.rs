//! One change at a time, in a checkout of its own.

use super::{Mutant, Span, Verdict, folder_of};
use crate::{env, process};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Tests that take so many times what they take without a change will not end.
const PATIENCE: u32 = 10;
/// However fast they are, a busy machine gets this long.
const SHORTEST: Duration = Duration::from_secs(180);
/// For tests without a change, compiled from nothing.
const FIRST_TIME: Duration = Duration::from_secs(3_600);

/// A checkout to change, and what was built of it.
pub(super) struct Bench {
    home: PathBuf,
    tree: PathBuf,
    /// How long the tests of a crate may take, by package: known once they were run without a change.
    limits: BTreeMap<String, Duration>,
}

/// How the tests of a crate ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    DoesNotCompile,
    OutOfTime,
}

impl Bench {
    /// A checkout of `commit` under `home`: what an earlier night changed in it is put back.
    pub(super) fn at(home: &Path, commit: &str) -> Result<Self> {
        let tree = home.join("tree");
        let git = |folder: &Path, args: &[&str]| process::stdout_of(Command::new("git").args(args).current_dir(folder));
        if !tree.exists() {
            git(home, &["clone", "--quiet", "--no-checkout", &env::text(&env::root()), "tree"])?;
        }
        git(&tree, &["fetch", "--quiet", &env::text(&env::root()), "HEAD"])?;
        git(&tree, &["checkout", "--quiet", "--force", "--detach", commit])?;
        git(&tree, &["clean", "--quiet", "--force", "-d"])?;
        Ok(Self { home: home.to_owned(), tree, limits: BTreeMap::new() })
    }

    /// How long the tests may take that try `mutant`. The first of a crate waits for a run without any change.
    ///
    /// # Errors
    /// If the tests fail without it: then they would fail with anything.
    pub(super) fn limit(&mut self, mutant: &Mutant) -> Result<Duration> {
        match self.limits.get(&mutant.package) {
            Some(limit) => Ok(*limit),
            None => self.without_change(&mutant.package, folder_of(&mutant.file)),
        }
    }

    /// What the tests of its crate make of `mutant`.
    ///
    /// # Errors
    /// If the checkout cannot be changed, or the tests not be started.
    pub(super) fn verdict(&self, mutant: &Mutant, limit: Duration) -> Result<Verdict> {
        let folder = folder_of(&mutant.file);
        let file = self.tree.join(&mutant.file);
        let source = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let before = fs::metadata(&file)?.modified()?;
        fs::write(&file, changed(&source, mutant.span, &mutant.replacement).context("a place outside its file")?)?;
        let end = self.tests(&mutant.package, folder, limit);
        fs::write(&file, source)?;
        // what other crates built of this file holds: they never saw the change
        File::options().write(true).open(&file)?.set_modified(before)?;
        Ok(match end? {
            End::Passed => Verdict::Survived,
            End::Failed => Verdict::Caught,
            End::OutOfTime => Verdict::OutOfTime,
            End::DoesNotCompile => Verdict::Unviable,
        })
    }

    /// Runs the tests of `package` as they are, and notes how long they may take from now on.
    fn without_change(&mut self, package: &str, folder: &str) -> Result<Duration> {
        // its last build may hold a change, in a file whose time was put back
        File::options()
            .append(true)
            .open(self.tree.join(folder).join("src/lib.rs"))?
            .set_modified(std::time::SystemTime::now())?;
        println!("{package} as it is ...");
        let built = self.tests(package, folder, FIRST_TIME)?;
        ensure!(
            built == End::Passed,
            "the tests of {package} without any change: {built:?}; see {}",
            self.said().display()
        );
        let start = Instant::now();
        ensure!(
            self.tests(package, folder, FIRST_TIME)? == End::Passed,
            "the tests of {package} passed once, then not"
        );
        let limit = (start.elapsed() * PATIENCE).max(SHORTEST);
        println!(
            "{package}: its tests take {:.1} s, and with a change at most {} s",
            start.elapsed().as_secs_f64(),
            limit.as_secs()
        );
        self.limits.insert(package.to_owned(), limit);
        Ok(limit)
    }

    /// The tests inside the crate, then, if those passed, the ones beside it: the first are built and run much faster.
    fn tests(&self, package: &str, folder: &str, limit: Duration) -> Result<End> {
        let inside = self.run(package, &["--lib"], limit)?;
        if inside != End::Passed || !self.tree.join(folder).join("tests").exists() {
            return Ok(inside);
        }
        self.run(package, &["--test", "*"], limit)
    }

    fn run(&self, package: &str, which: &[&str], limit: Duration) -> Result<End> {
        let mut command = process::cargo(&["test", "--quiet", "--locked", "--package", package]);
        let said = File::create(self.said())?;
        command.args(which).current_dir(&self.tree).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        // a folder for each: what one crate's changes did to its own build is no matter for the others'
        command.env("CARGO_TARGET_DIR", self.home.join("target").join(package));
        command.envs([("CARGO_INCREMENTAL", "1"), ("CARGO_PROFILE_DEV_DEBUG", "0")]);
        // the same cases for every change, and none made smaller or kept: whether one fails is all that is asked
        command.envs([("PROPTEST_RNG_SEED", "1"), ("PROPTEST_MAX_SHRINK_ITERS", "0")]);
        command.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
        if std::env::var_os("TRADEWIND_RECORDINGS").is_none() {
            command.env("TRADEWIND_RECORDINGS", env::root().join("../shared/data"));
        }
        match within(&mut command, limit)? {
            None => Ok(End::OutOfTime),
            Some(true) => Ok(End::Passed),
            Some(false) => {
                let said = fs::read_to_string(self.said()).unwrap_or_default();
                Ok(if said.contains("error: could not compile") { End::DoesNotCompile } else { End::Failed })
            }
        }
    }

    /// What the last tests said.
    fn said(&self) -> PathBuf {
        self.home.join("last.log")
    }
}

/// The text with `replacement` in the place of `span`; `None` for a span that lies outside it.
fn changed(source: &str, span: Span, replacement: &str) -> Option<String> {
    let place = |it: super::Place| {
        let line: usize = source.split_inclusive('\n').take(it.line.checked_sub(1)?).map(str::len).sum();
        let behind = source.get(line..)?;
        Some(line + behind.char_indices().nth(it.column.checked_sub(1)?)?.0)
    };
    let (start, end) = (place(span.start)?, place(span.end)?);
    Some(format!("{}{replacement} {}", source.get(..start)?, source.get(end..)?))
}

/// Whether `command` exited with 0; `None` if it did not within `limit`: then it is ended with all that it started.
fn within(command: &mut Command, limit: Duration) -> Result<Option<bool>> {
    let (mut child, start) = (process::spawn(command.process_group(0))?, Instant::now());
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if start.elapsed() > limit {
            Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    #[test]
    fn a_change_takes_the_place_of_its_span_in_characters_not_bytes() {
        let check = |source: &str, from: (usize, usize), to: (usize, usize), with: &str, wanted: Option<&str>| {
            let place = |(line, column)| Place { line, column };
            assert_eq!(changed(source, Span { start: place(from), end: place(to) }, with).as_deref(), wanted);
        };
        check("a + b\n", (1, 3), (1, 4), "-", Some("a -  b\n"));
        check("// ×\n\"é\" + b\n", (2, 5), (2, 6), "-", Some("// ×\n\"é\" -  b\n"));
        check("{\n  one\n  two\n}\n", (2, 3), (3, 6), "()", Some("{\n  () \n}\n"));
        check("a\n", (3, 1), (3, 2), "-", None);
    }

    #[test]
    fn what_does_not_end_is_ended_with_all_that_it_started() {
        let shell = |line: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", line]).stdout(Stdio::null());
            command
        };
        assert_eq!(within(&mut shell("true"), Duration::from_secs(9)).unwrap(), Some(true));
        assert_eq!(within(&mut shell("false"), Duration::from_secs(9)).unwrap(), Some(false));
        let start = Instant::now();
        assert_eq!(within(&mut shell("sleep 30 & wait"), Duration::from_millis(50)).unwrap(), None);
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
