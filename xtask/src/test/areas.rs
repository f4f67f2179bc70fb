//! The areas, in the order in which a mistake is cheapest to find.

use super::tally::Reader;
use super::{Area, Outcome, Tally, deny, fuzz, generated, storm, third_party};
use crate::process::{self, Stream, cargo};
use crate::{env, tidy};
use anyhow::Result;
use std::process::Command;

/// Processes that must be killed at their worst moments, and recover.
const KILLS: u64 = 60;
/// How many tests of one program run at once, unless whoever starts us says otherwise.
const THREADS: &str = "RUST_TEST_THREADS";
/// The longest tests wait for processes, sockets and timers: with one for each core half of the machine would idle.
const AT_ONCE_PER_CORE: usize = 2;
/// What the tests that kill processes say of themselves.
const CYCLES: &str = "kill cycles: ";
const SLOWEST: &str = "slowest start after a kill: ";

/// Everything main must pass.
pub(crate) const AREAS: &[Area] = &[
    Area { name: "fmt", about: "every file is formatted", run: fmt },
    Area { name: "tidy", about: "the shape of the tree: `cargo xtask tidy`", run: tidy },
    Area { name: "deny", about: "licences, banned packages and sources, by cargo-deny", run: deny::run },
    Area { name: "clippy", about: "no warning in any target", run: clippy },
    Area { name: "tests", about: "unit and integration tests of every crate", run: tests },
    Area {
        name: "storm",
        about: "2,000 seeded storms of the release build, and every seed that failed once",
        run: storm::run,
    },
    Area { name: "fuzz", about: "every reader of bytes from outside, fed with spoilt input", run: fuzz::run },
    Area { name: "doc-tests", about: "examples in the documentation", run: doc_tests },
    Area { name: "docs", about: "the documentation builds without a warning", run: docs },
    Area { name: "example", about: "a strategy outside the tree compiles and passes its tests", run: example },
    Area { name: "generated-docs", about: "generated pages are what the program prints", run: generated::run },
    Area { name: "third-party", about: "clients that others wrote trade on the local exchange", run: third_party::run },
];

fn fmt() -> Result<Outcome> {
    passes(&mut cargo(&["fmt", "--all", "--check"]))
}

fn tidy() -> Result<Outcome> {
    Ok(Outcome::check(tidy::run(&tidy::Args { no_sizes: true })?))
}

fn clippy() -> Result<Outcome> {
    passes(&mut cargo(&words("clippy --workspace --all-targets --locked --quiet -- -D warnings")))
}

fn tests() -> Result<Outcome> {
    let mut command = cargo(&words("test --workspace --tests --locked --no-fail-fast -- --show-output"));
    if std::env::var_os(THREADS).is_none() {
        command.env(THREADS, (AT_ONCE_PER_CORE * env::cores()).to_string());
    }
    let mut outcome = counted(&mut command)?;
    let kills = sum_of(CYCLES, &outcome.figures);
    let slowest = numbers_of(SLOWEST, &outcome.figures).max().unwrap_or(0);
    outcome.figures.retain(|figure| !figure.starts_with(CYCLES) && !figure.starts_with(SLOWEST));
    outcome.figures.push(format!("{CYCLES}{kills} of at least {KILLS}, each survived"));
    outcome.figures.push(format!("{SLOWEST}{slowest} ms"));
    if kills < KILLS {
        println!("error: only {kills} kill cycles");
        outcome.tally = outcome.tally.plus(Tally::one(false));
    }
    Ok(outcome)
}

fn doc_tests() -> Result<Outcome> {
    counted(&mut cargo(&words("test --workspace --doc --locked --no-fail-fast -- --show-output")))
}

fn docs() -> Result<Outcome> {
    passes(cargo(&words("doc --workspace --no-deps --locked --quiet")).env("RUSTDOCFLAGS", "-D warnings"))
}

fn example() -> Result<Outcome> {
    let manifest = env::root().join("examples/strategy/Cargo.toml");
    if !manifest.exists() {
        return Ok(Outcome::gap("not run: example: there is no examples/strategy"));
    }
    let mut command = cargo(&["test", "--locked", "--manifest-path"]);
    command.arg(&manifest).arg("--target-dir").arg(env::target()); // what it shares with us is not built again
    for (name, level) in levels(&std::fs::read_to_string(env::root().join("Cargo.toml"))?)? {
        command.arg("--config").arg(format!("profile.dev.package.{name}.opt-level={level}"));
    }
    counted(command.args(["--no-fail-fast", "--", "--show-output"]))
}

/// How far the libraries of others are optimised that the development profile of a `manifest` names.
fn levels(manifest: &str) -> Result<Vec<(String, i64)>> {
    let manifest: toml::Table = manifest.parse()?;
    let packages = ["profile", "dev", "package"].iter().try_fold(&manifest, |table, key| table.get(*key)?.as_table());
    let named = packages.into_iter().flatten().filter(|(name, _)| *name != "*" && !name.starts_with("tradewind-"));
    Ok(named.filter_map(|(name, of)| Some((name.clone(), of.get("opt-level")?.as_integer()?))).collect())
}

fn passes(command: &mut Command) -> Result<Outcome> {
    Ok(Outcome::check(process::passes(command)?))
}

/// Runs `cargo test` and counts what it reports. A build that fails has no counts, and is one failure.
fn counted(command: &mut Command) -> Result<Outcome> {
    let mut reader = Reader::default();
    let ok = process::stream(command, |stream, line| {
        if stream == Stream::Stderr || reader.line(line) {
            println!("{line}");
        }
    })?;
    let mut tally = reader.tally;
    if !ok && tally.failed == 0 {
        tally = tally.plus(Tally::one(false));
    }
    Ok(Outcome { tally, gaps: reader.gaps, skipped: reader.skipped, figures: reader.figures })
}

/// The sum of the numbers behind `name`.
pub(crate) fn sum_of(name: &str, figures: &[String]) -> u64 {
    numbers_of(name, figures).sum()
}

fn numbers_of<'a>(name: &'a str, figures: &'a [String]) -> impl Iterator<Item = u64> + 'a {
    figures.iter().filter_map(move |figure| figure.strip_prefix(name)?.split(' ').next()?.parse().ok())
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn of_the_profile_the_named_libraries_of_others_are_taken() {
        let profile = "[profile.dev.package.\"*\"]\nopt-level = 1\n[profile.dev.package.parquet]\nopt-level = 0\n\
                       [profile.dev.package.tradewind-journal]\nopt-level = 2\n[profile.dev.package.sha2]\ndebug = true\n";
        assert_eq!(levels(profile).unwrap(), [("parquet".to_owned(), 0)]);
        assert!(levels("[package]\n").unwrap().is_empty());
        let ours = std::fs::read_to_string(crate::env::root().join("Cargo.toml")).unwrap();
        assert!(levels(&ours).unwrap().iter().any(|(name, level)| (name.as_str(), *level) == ("parquet", 0)));
    }
}
