//! Mutants by lot: small changes to the core, each tried with the tests of the crate that it lies in. What came of each is
//! kept, so that nights add up, and one that was broken off loses nothing.
//!
//! The lot gives every mutant a place in one order, the same at every commit. Those tried up to the first that is not are
//! a uniform sample of all, however the nights were cut.

mod page;
mod trial;

use super::night;
use crate::{env, process, tools};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use trial::Bench;

/// What decides whether an order may leave, and what remembers that it did, as cargo-mutants chooses files.
const FILES: [&str; 2] = ["crates/{risk,gate,governance,journal,engine}/src/**/*.rs", "crates/domain/src/order*.rs"];
/// The release whose list of changes is tried.
const VERSION: &str = "27.1.0";
/// Which of all orders the lot gives.
const SEED: u64 = 1;
/// Of the changes that compile, at least this part must be noticed.
const SCORE: f64 = 0.9;

/// A change to one place, as cargo-mutants lists it.
#[derive(Clone, Debug, Deserialize)]
struct Mutant {
    /// File, place and change, in words; no two have the same.
    name: String,
    /// From the root.
    file: String,
    package: String,
    span: Span,
    /// What stands in the span instead.
    replacement: String,
}

/// From the first character to the one behind the last.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

/// Counted from 1, in characters.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

/// What the tests made of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Caught,
    /// The tests did not end: nobody would miss that.
    OutOfTime,
    Survived,
    /// It does not compile.
    Unviable,
}

/// One change that was tried: a line of what is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tried {
    name: String,
    verdict: Verdict,
    seconds: f64,
    commit: String,
    /// git's name for the file's content.
    content: String,
    /// git's name for the crate's, its tests included.
    of_crate: String,
}

/// git's names for the contents of a commit, by path; folders have theirs too.
type Contents = BTreeMap<String, String>;

/// Tries changes for `time`, those first that the lot puts first, and writes the page of all that were tried so far.
pub(super) fn by_lot(folder: &Path, date: &str, packages: &[String], time: Duration) -> Result<(bool, String)> {
    let commit = night::commit()?;
    let home = env::cache()?.join("long").join("mutants");
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    let (all, contents, kept) = (list()?, contents()?, home.join("tried.jsonl"));
    let mut tried = read(&kept, &all, &contents)?;
    let chosen = |it: &Mutant| packages.is_empty() || packages.contains(&it.package);
    let left = all.iter().filter(|it| chosen(it) && !tried.contains_key(&it.name)).cloned().collect::<Vec<_>>();
    println!("{} of {} mutants were tried before; kept in {}", tried.len(), all.len(), kept.display());
    let (mut file, start, mut count) = (File::options().create(true).append(true).open(&kept)?, Instant::now(), 0);
    let mut bench = Bench::at(&home, &commit)?;
    for mutant in left {
        if start.elapsed() >= time {
            break;
        }
        let limit = bench.limit(&mutant)?;
        let (began, verdict) = (Instant::now(), bench.verdict(&mutant, limit)?);
        let it = Tried {
            name: mutant.name.clone(),
            verdict,
            seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            commit: commit.clone(),
            content: name_of(&contents, &mutant.file)?.clone(),
            of_crate: name_of(&contents, folder_of(&mutant.file))?.clone(),
        };
        // on a line of its own, even behind one that was cut off
        writeln!(file, "\n{}", serde_json::to_string(&it)?)
            .with_context(|| format!("cannot write {}", kept.display()))?;
        count += 1;
        println!("{count}: {:?} in {} s: {}", it.verdict, it.seconds, it.name);
        tried.insert(mutant.name, it);
    }
    let (page, file) = (page::Page::of(&all, &tried), format!("{date}-mutants.md"));
    fs::write(folder.join(&file), page.text(date, &commit)).with_context(|| format!("cannot write {file}"))?;
    let passed = page.all.score().is_some_and(|score| score.share >= SCORE);
    Ok((passed, format!("{count} more tried; {}; survivors in {file}", page.all)))
}

/// Every change of the core, in the order of the lot.
fn list() -> Result<Vec<Mutant>> {
    let cargo = tools::installed("cargo-mutants", VERSION)?;
    let mut command = tools::command(&cargo, "mutants");
    command.args(["--list", "--json", "--workspace"]);
    command.args(FILES.iter().flat_map(|files| ["--file", files]));
    let mut all: Vec<Mutant> =
        serde_json::from_str(&process::stdout_of(&mut command)?).context("the list of mutants")?;
    let names: BTreeSet<&str> = all.iter().map(|it| it.name.as_str()).collect();
    ensure!(names.len() == all.len() && !all.is_empty(), "{} mutants with {} names", all.len(), names.len());
    all.sort_by_cached_key(|it| lot(&it.name));
    Ok(all)
}

/// The place of a change among all: every order is as likely as any other.
///
/// Source: G. Fowler, L. C. Noll, K.-P. Vo, "The FNV Non-Cryptographic Hash Algorithm", its bits then mixed as in
/// A. Appleby's `MurmurHash3`.
fn lot(name: &str) -> u64 {
    let mix = |hash: u64, factor: u64| (hash ^ (hash >> 33)).wrapping_mul(factor);
    let start = 0xcbf2_9ce4_8422_2325 ^ SEED;
    let hash = name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = mix(mix(hash, 0xff51_afd7_ed55_8ccd), 0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// What was tried of these very contents: a change that was noticed counts while its file is the same, one that survived
/// while its crate is, so that it is tried again where a test may have come since. The last word on each counts.
fn read(kept: &Path, all: &[Mutant], contents: &Contents) -> Result<BTreeMap<String, Tried>> {
    if !kept.exists() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read_to_string(kept).with_context(|| format!("cannot read {}", kept.display()))?;
    let known: BTreeMap<&str, &Mutant> = all.iter().map(|it| (it.name.as_str(), it)).collect();
    let counts = |it: &Tried| {
        let Some(mutant) = known.get(it.name.as_str()) else { return false };
        let same = |path: &str, name: &String| contents.get(path) == Some(name);
        same(&mutant.file, &it.content)
            && (it.verdict != Verdict::Survived || same(folder_of(&mutant.file), &it.of_crate))
    };
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Tried>(line).ok());
    Ok(lines.filter(counts).map(|it| (it.name.clone(), it)).collect())
}

/// The folder of the crate that a file lies in.
fn folder_of(file: &str) -> &str {
    file.split("/src/").next().unwrap_or(file)
}

fn contents() -> Result<Contents> {
    let mut git = Command::new("git");
    let said = process::stdout_of(git.args(["ls-tree", "-r", "-t", "HEAD", "crates"]).current_dir(env::root()))?;
    // MODE TYPE NAME<tab>PATH
    let entry = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        Some((path.to_owned(), about.split(' ').nth(2)?.to_owned()))
    };
    Ok(said.lines().filter_map(entry).collect())
}

fn name_of<'a>(contents: &'a Contents, path: &str) -> Result<&'a String> {
    contents.get(path).with_context(|| format!("{path} is not in the commit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn mutant(name: &str, package: &str) -> Mutant {
        let place = Place { line: 1, column: 1 };
        Mutant {
            name: name.to_owned(),
            file: format!("crates/{package}/src/lib.rs"),
            package: format!("tradewind-{package}"),
            span: Span { start: place, end: place },
            replacement: String::new(),
        }
    }

    pub(super) fn tried(name: &str, verdict: Verdict) -> Tried {
        let (commit, content, of_crate) = ("c".to_owned(), "file 1".to_owned(), "crate 1".to_owned());
        Tried { name: name.to_owned(), verdict, seconds: 1.5, commit, content, of_crate }
    }

    /// Keeps `lines`, then asks which count where file and crate have these contents.
    fn check(lines: &[Tried], content: &str, of_crate: &str, counted: &[(&str, Verdict)]) {
        let kept = tempfile(lines);
        let contents = [("crates/risk/src/lib.rs", content), ("crates/risk", of_crate)];
        let contents = contents.map(|(path, name)| (path.to_owned(), name.to_owned())).into();
        let found = read(&kept, &["one", "two"].map(|name| mutant(name, "risk")), &contents).unwrap();
        fs::remove_file(&kept).unwrap();
        let found: Vec<_> = found.values().map(|it| (it.name.as_str(), it.verdict)).collect();
        assert_eq!(found, counted);
    }

    fn tempfile(lines: &[Tried]) -> std::path::PathBuf {
        let path =
            std::env::temp_dir().join(format!("tried-{}-{}.jsonl", std::process::id(), lot(&format!("{lines:?}"))));
        let mut text: String = lines.iter().map(|it| format!("\n{}\n", serde_json::to_string(it).unwrap())).collect();
        text.push_str("\n{\"name\":\"two\",\"verd"); // broken off
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn what_was_tried_counts_while_what_it_was_tried_on_is_the_same() {
        use Verdict::{Caught, Survived};
        let lines = [tried("one", Caught), tried("two", Survived), tried("gone", Survived)];
        check(&lines, "file 1", "crate 1", &[("one", Caught), ("two", Survived)]);
        check(&lines, "file 1", "crate 2", &[("one", Caught)]);
        check(&lines, "file 2", "crate 2", &[]);
        let again = [tried("one", Survived), tried("one", Caught)];
        check(&again, "file 1", "crate 1", &[("one", Caught)]);
    }

    #[test]
    fn the_lot_favours_no_crate_and_no_place() {
        let lots: BTreeSet<(u64, usize)> =
            (0..4_000).map(|at| (lot(&format!("a.rs:{at}:1: replace + with -")), at)).collect();
        assert_eq!(lots.len(), 4_000);
        let first: Vec<usize> = lots.iter().take(1_000).map(|(_, at)| *at).collect();
        for quarter in 0..4 {
            let of_it = first.iter().filter(|at| **at / 1_000 == quarter).count();
            assert!((200..300).contains(&of_it), "{of_it} of the first 1,000 are of quarter {quarter}");
        }
    }
}
