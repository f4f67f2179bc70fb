//! Ours beside peers and floors: each workload's programs run in turn, and a speed counts only if all of
//! them did the same work.

mod measure;
mod memory;
mod outside;
mod programs;
mod workloads;

use anyhow::{Result, bail};
use measure::{CaseResult, Schedule};
use serde_json::{Map, Value, json};
use workloads::{Case, OURS, WORKLOADS, Workload};

/// `cargo xtask bench`
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask bench --only bars-1m\n  cargo xtask bench --only bars-1m -o json\n\n\
    The scripts that drive peers and floors are looked for in TRADEWIND_BENCH, default ../shared/bench.\n\
    Exit codes: 0 measured and every check value agrees, 1 a check value disagrees, 2 ours could not run.")]
pub(crate) struct Args {
    /// Measures these workloads only: bars-1m, bars-csv, bars-scale, ticks, indicators, journal, gate, recovery, startup
    #[arg(long, value_name = "WORKLOAD", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leaves these peers out, and says so
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    pub(crate) without: Vec<String>,
    /// How many measured rounds; in each, every program runs once
    #[arg(long, short = 'n', default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// How many rounds before those, unmeasured
    #[arg(long, default_value_t = 1)]
    pub(crate) warmup: u16,
    /// Keeps every program on this processor
    #[arg(long, value_name = "CPU")]
    pub(crate) pin: Option<u16>,
    /// Cargo profile of our side: `release`, or `dist` for figures to publish
    #[arg(long, default_value = "release")]
    pub(crate) profile: String,
    /// What to print
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// What `bench` prints.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// A table for people
    Table,
    /// One JSON object and nothing else
    Json,
}

/// Measures and prints. `true` if every check value agrees.
///
/// # Errors
/// If a workload is named that does not exist, or our own side cannot be built or run.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let (report, agree) = report(args)?;
    match args.output {
        Output::Json => println!("{report}"),
        Output::Table => {} // printed as each workload ended
    }
    Ok(agree)
}

/// Measures, and returns everything as one JSON object, and whether every check value agrees.
///
/// # Errors
/// As [`run`].
pub(crate) fn report(args: &Args) -> Result<(Value, bool)> {
    for name in &args.only {
        if !WORKLOADS.iter().any(|workload| workload.name == name) {
            let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
            bail!("there is no workload `{name}`: there are {}", names.join(", "));
        }
    }
    let chosen =
        WORKLOADS.iter().filter(|workload| args.only.is_empty() || args.only.iter().any(|n| n == workload.name));
    let (mut report, mut agree) = (Map::new(), true);
    for workload in chosen {
        let (value, same_work) = measure_workload(workload, args)?;
        agree &= same_work;
        report.insert(workload.name.to_string(), value);
    }
    let single = report.len() == 1;
    let value = if single { report.into_iter().next().expect("one entry").1 } else { Value::Object(report) };
    Ok((value, agree))
}

fn measure_workload(workload: &Workload, args: &Args) -> Result<(Value, bool)> {
    eprintln!("== {}: {}", workload.name, workload.about);
    let data = programs::data(workload.data)?;
    let (mut cases, mut agree) = (Map::new(), true);
    for case in workload.cases {
        let result = measure_case(case, &data, args)?;
        agree &= result.disagreements.is_empty();
        if args.output == Output::Table {
            print!("{}", result.table(&format!("{} {}", workload.name, case.label)));
        }
        cases.insert(case.label.to_string(), result.json());
    }
    let mut value = match cases.len() {
        1 => cases.into_iter().next().expect("one entry").1,
        _ => json!({ "cases": cases }),
    };
    value["workload"] = json!(workload.name);
    value["rounds"] = json!(args.rounds);
    value["profile"] = json!(args.profile);
    Ok((value, agree))
}

fn measure_case(case: &'static Case, data: &std::path::Path, args: &Args) -> Result<CaseResult> {
    let folder = programs::working_folder()?;
    let (mut ready, mut gaps) = (Vec::new(), Vec::new());
    for contestant in case.contestants {
        if args.without.iter().any(|name| name == contestant.name) {
            gaps.push((contestant.name, "left out by --without".to_string()));
            continue;
        }
        match programs::prepare(contestant, data, &folder, &args.profile) {
            Ok(program) => ready.push(program),
            Err(error) if contestant.name == OURS => return Err(error),
            Err(error) => gaps.push((contestant.name, format!("{error:#}"))),
        }
    }
    let schedule = Schedule { rounds: args.rounds, warmup: args.warmup, pin: args.pin };
    measure::run(case, ready, gaps, &schedule, &folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_workload() {
        let command = <Args as clap::Args>::augment_args(clap::Command::new("bench"));
        let only = command.get_arguments().find(|argument| argument.get_id().as_str() == "only").unwrap();
        let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
        let help = only.get_help().unwrap().to_string();
        assert_eq!(help, format!("Measures these workloads only: {}", names.join(", ")));
    }
}
