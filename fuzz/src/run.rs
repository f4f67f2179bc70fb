//! One target's run: what failed before, then the seeds, then spoilt ones until the time is over.

use crate::mutate::Mutator;
use crate::targets::{Feed, Target};
use anyhow::{Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Inputs that reached something new and are spoilt further.
const MOST_KEPT: usize = 4_000;
/// No input of these sizes takes a thousandth of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a process ends with whose input was not done with in time.
const NOT_IN_TIME: i32 = 3;

/// What came of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    target: &'static str,
    /// Calls of the target.
    executions: u64,
    /// Inputs that the run began with.
    seeds: usize,
    /// Different things that inputs led to: error codes, kinds of messages, and the like.
    ways: usize,
    seconds: f64,
    seed: u64,
    /// Each input that failed: its file, and what the panic said.
    pub(crate) failed: Vec<String>,
}

/// The input that is being tried, for the watch, and since when.
type Present = Arc<Mutex<(Vec<u8>, Instant)>>;

struct Trial {
    run: Feed,
    make: fn() -> Feed,
    present: Present,
    folder: PathBuf,
    report: Report,
    ways: BTreeSet<u64>,
}

/// Feeds `target` for `time`. Ends at the first input that fails.
///
/// # Errors
/// If what failed cannot be read or kept.
pub(crate) fn run(target: &Target, time: Duration, seed: u64, found: &Path) -> Result<Report> {
    let folder = found.join(target.name);
    let (past, seeds) = (past(&folder)?, (target.seeds)(target.name));
    let report = Report {
        target: target.name,
        executions: 0,
        seeds: past.len() + seeds.len(),
        ways: 0,
        seconds: 0.0,
        seed,
        failed: Vec::new(),
    };
    let present = Present::new(Mutex::new((Vec::new(), Instant::now())));
    watch(Arc::clone(&present), folder.clone());
    std::panic::set_hook(Box::new(|_| ())); // what a panic says is in the report
    let mut trial = Trial { run: (target.make)(), make: target.make, present, folder, report, ways: BTreeSet::new() };
    let start = Instant::now();
    let mut mutator = Mutator::new(seed, seeds.clone());
    for input in past.iter().chain(&seeds) {
        trial.feed(input)?;
    }
    while start.elapsed() < time && trial.report.failed.is_empty() {
        // the clock is asked once in a while: for the fastest targets it would be a good part of the work
        for _ in 0..16 {
            let input = mutator.next();
            let is_new = trial.feed(&input)?;
            if is_new && mutator.len() < MOST_KEPT {
                mutator.keep(input);
            }
            if !trial.report.failed.is_empty() {
                break;
            }
        }
    }
    trial.report.seconds = start.elapsed().as_secs_f64();
    trial.report.ways = trial.ways.len();
    Ok(trial.report)
}

impl Trial {
    /// Whether `input` led to something new. One that panics is kept on disk.
    fn feed(&mut self, input: &[u8]) -> Result<bool> {
        {
            let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
            present.0.clear();
            present.0.extend_from_slice(input);
            present.1 = Instant::now();
        }
        self.report.executions += 1;
        match catch_unwind(AssertUnwindSafe(|| (self.run)(input))) {
            Ok(way) => Ok(self.ways.insert(way)),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
                let file = keep(&self.folder, input)?;
                self.report.failed.push(format!("{}: {said}", file.display()));
                self.run = (self.make)(); // what it left half done says nothing of the next input
                Ok(false)
            }
        }
    }
}

/// Inputs that failed once, by name.
fn past(folder: &Path) -> Result<Vec<Vec<u8>>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    files.iter().map(|file| fs::read(file).with_context(|| format!("cannot read {}", file.display()))).collect()
}

/// Keeps an input under a name made of its content.
fn keep(folder: &Path, input: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = folder.join(hex::encode(&Sha256::digest(input)[..8]));
    fs::write(&file, input).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Ends the process where an input is not done with in time: a reader that hangs is as bad as one that panics.
fn watch(present: Present, folder: PathBuf) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let present = present.lock().unwrap_or_else(PoisonError::into_inner);
            if present.1.elapsed() > PATIENCE && !present.0.is_empty() {
                match keep(&folder, &present.0) {
                    Ok(file) => eprintln!("error: not done within {PATIENCE:?}: {}", file.display()),
                    Err(error) => eprintln!("error: not done within {PATIENCE:?}: {error:#}"),
                }
                std::process::exit(NOT_IN_TIME);
            }
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may
mod tests {
    use super::*;

    fn target(make: fn() -> Feed) -> Target {
        Target { name: "tried", about: "", seeds: |_| vec![b"{\"price\":\"100.5\"}".to_vec()], make }
    }

    #[test]
    fn an_input_that_panics_is_found_kept_and_tried_first_from_then_on() {
        let found = tempfile::TempDir::new().unwrap();
        let fragile = target(|| {
            Box::new(|bytes| {
                assert!(!String::from_utf8_lossy(bytes).contains("-1"), "below zero");
                bytes.len() as u64
            })
        });
        let first = run(&fragile, Duration::from_secs(60), 1, found.path()).unwrap();
        assert!(first.failed[0].ends_with(": below zero") && first.executions > 1, "{first:?}");
        let second = run(&fragile, Duration::from_secs(60), 2, found.path()).unwrap();
        assert_eq!((second.failed.len(), second.seeds), (1, 2), "{second:?}");
        let sound = run(&target(|| Box::new(|_| 0)), Duration::ZERO, 1, found.path()).unwrap();
        assert_eq!((sound.executions, sound.failed.len()), (2, 0), "what failed and the seed, each once");
    }

    #[test]
    fn a_seed_gives_the_same_inputs_again() {
        let inputs = |seed| {
            let mut mutator = Mutator::new(seed, vec![b"{\"a\":[1,2,{\"b\":\"text\"}]}".to_vec()]);
            (0..200).map(|_| mutator.next()).collect::<Vec<_>>()
        };
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
        assert!(inputs(7).iter().collect::<BTreeSet<_>>().len() > 150, "hardly any input comes twice");
    }
}
