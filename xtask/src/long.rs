//! What takes too long for every change: its results are kept, dated, in `docs/proof/`.

mod demos;
mod kills;
mod measures;
mod mutants;
mod newcomer;
mod night;
mod soak;

use crate::bench::{self, Output};
use crate::process::{self, cargo};
use crate::{env, test};
use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// `cargo xtask long`
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask long\n  cargo xtask long --only storm,kills,kills-of-the-release,coverage\n  cargo xtask long --only mutants --for 30m\n\n\
        Parts: advisories, newcomer, demos, storm, kills, kills-of-the-release, soak, fuzz, coverage, mutants, properties, bench. Never part of CI. Exit codes: 0 all passed, 1 something failed."
)]
pub(crate) struct Args {
    /// How many cases each property is tried with that sets no number of its own
    #[arg(long, default_value_t = 20_000)]
    cases: u32,
    /// For how many minutes the soak trades
    #[arg(long, value_name = "MINUTES", default_value_t = 120, value_parser = clap::value_parser!(u32).range(2..))]
    soak: u32,
    /// Runs these parts only
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<String>,
    /// For how long mutants are tried (90s, 30m, 8h); 0m only writes the page of those tried before
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = time)]
    time: Duration,
    /// Mutates these packages only
    #[arg(long, value_name = "PACKAGE", value_delimiter = ',')]
    mutate: Vec<String>,
    /// Measures these workloads only
    #[arg(long, value_name = "WORKLOAD", value_delimiter = ',')]
    bench: Vec<String>,
}

/// For how many seconds each target is fed: twenty minutes in all, two at a time.
const FUZZ_EACH: u64 = 120;

/// One part's work: whether it passed, and what to note.
type Work<'a> = &'a dyn Fn() -> Result<(bool, String)>;

/// What one part came to.
struct Part {
    name: &'static str,
    passed: bool,
    took: Duration,
    note: String,
}

/// Runs every part and writes the result. `true` if all passed.
///
/// # Errors
/// If the result cannot be written.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let folder = env::root().join("docs/proof");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let date = date(since_epoch);
    let all: [(&'static str, Work<'_>); 12] = [
        ("advisories", &|| test::advisories().map(|passed| (passed, String::new()))),
        ("newcomer", &newcomer::first_fill),
        ("demos", &demos::of_every_seed),
        ("storm", &night::storms),
        ("kills", &kills::at_failpoints),
        ("kills-of-the-release", &kills::of_the_release),
        ("soak", &|| soak::soak(args.soak)),
        ("fuzz", &|| test::fuzz::for_long(FUZZ_EACH, since_epoch.as_secs())),
        ("coverage", &measures::coverage),
        ("mutants", &|| mutants::by_lot(&folder, &date, &args.mutate, args.time)),
        ("properties", &|| properties(args.cases)),
        ("bench", &|| measured(args, &folder, &date)),
    ];
    if let Some(name) = args.only.iter().find(|name| !all.iter().any(|(known, _)| known == name)) {
        bail!("there is no part `{name}`: `cargo xtask long --help` names them");
    }
    let chosen = all.into_iter().filter(|(name, _)| args.only.is_empty() || args.only.iter().any(|it| it == name));
    let parts: Vec<Part> = chosen.map(|(name, work)| timed(name, work)).collect();
    let page = folder.join(format!("{date}-long.md"));
    let earlier = fs::read_to_string(&page).map(|text| text + "\n").unwrap_or_default(); // of the same day
    let text = earlier + &self::page(&date, &parts);
    fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))?;
    println!("written: docs/proof/{date}-long.md");
    Ok(parts.iter().all(|part| part.passed))
}

fn timed(name: &'static str, work: impl FnOnce() -> Result<(bool, String)>) -> Part {
    println!("== {name}");
    let start = Instant::now();
    let (passed, note) = work().unwrap_or_else(|error| (false, format!("{error:#}")));
    Part { name, passed, took: start.elapsed(), note }
}

/// Every test once more, optimised, each property with many more cases.
fn properties(cases: u32) -> Result<(bool, String)> {
    let mut command = cargo(&["test", "--workspace", "--tests", "--release", "--locked", "--no-fail-fast"]);
    let passed = process::passes(command.env("PROPTEST_CASES", cases.to_string()))?;
    Ok((passed, format!("{cases} cases a property that sets no number of its own, release profile")))
}

fn measured(args: &Args, folder: &Path, date: &str) -> Result<(bool, String)> {
    let bench = bench::Args {
        only: args.bench.clone(),
        without: Vec::new(),
        rounds: 5,
        warmup: 1,
        pin: None,
        profile: "dist".to_string(),
        output: Output::Table,
    };
    let (report, agree) = bench::report(&bench)?;
    fs::write(folder.join(format!("{date}-bench.json")), format!("{report:#}\n"))?;
    Ok((agree, format!("figures in {date}-bench.json")))
}

fn page(date: &str, parts: &[Part]) -> String {
    let asked = |program: &str, args: &[&str]| -> String {
        let mut command = std::process::Command::new(program);
        process::stdout_of(command.args(args).current_dir(env::root()))
            .map_or_else(|_| "unknown".to_string(), |text| text.trim().to_string())
    };
    let mut text = format!("# Long run of {date}\n\n");
    writeln!(text, "- commit: {}", asked("git", &["rev-parse", "--short=12", "HEAD"]))
        .expect("writing to text cannot fail");
    writeln!(text, "- compiler: {}", asked("rustc", &["--version"])).expect("writing to text cannot fail");
    writeln!(text, "- processor: {}, {} cores\n", processor(), env::cores()).expect("writing to text cannot fail");
    text.push_str("| part | result | seconds | note |\n|---|---|---|---|\n");
    for Part { name, passed, took, note } in parts {
        let result = if *passed { "passed" } else { "failed" };
        writeln!(text, "| {name} | {result} | {:.0} | {} |", took.as_secs_f64(), note.replace('|', "/"))
            .expect("writing to text cannot fail");
    }
    text
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_string(), |(_, model)| model.trim().to_string())
}

/// A number of seconds, minutes or hours.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write a number and its unit, such as 90s, 30m or 8h");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// The day of a time since 1970-01-01, as `YYYY-MM-DD`, in UTC.
fn date(since_epoch: Duration) -> String {
    let mut day = since_epoch.as_secs() / 86_400;
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let months = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= months[month] {
        day -= months[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        for (text, seconds) in [("90s", Some(90)), ("30m", Some(1_800)), ("8h", Some(28_800)), ("0m", Some(0))] {
            assert_eq!(time(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
        for text in ["", "m", "30", "-1m", "1.5h", "3d", "30×", "99999999999h"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_is_the_day_in_utc() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_709_164_799, "2024-02-28"),
            (1_709_164_800, "2024-02-29"),
            (1_798_675_200, "2026-12-31"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
        ] {
            assert_eq!(date(Duration::from_secs(seconds)), day);
        }
    }
}
