//! `tradewind storm`: the platform under seeded faults, in simulated time.

use crate::cli::{Checking, StormArgs};
use crate::output::{self, Failure, Format};
use crate::signals::{self, EXIT_INTERRUPTED};
use std::process::ExitCode;
use tradewind_storm::{FAULTS, Orders, Report, Summary, all_faults, replay_line, run_all, run_one, shrink};

pub(crate) fn run(args: &StormArgs, format: Format) -> Result<ExitCode, Failure> {
    if args.list {
        list(format);
        return Ok(ExitCode::SUCCESS);
    }
    let orders = orders(args);
    check_kept(&orders)?;
    let count = orders.seeds.end - orders.seeds.start;
    let bar = output::progress((count > 1).then_some(count), "storms");
    signals::end_in_order();
    if count > 1 {
        let (hours, jobs) = (args.hours, args.jobs);
        output::note(&format!(
            "{count} storms of {hours} simulated hours, {jobs} at a time; Ctrl-C ends with those that ran"
        ));
    }
    let summary = run_all(&orders, signals::interrupted, |done, _| bar.set_position(done));
    bar.finish_and_clear();
    let cut_short = summary.seeds < count;
    if cut_short {
        output::note(&format!("interrupted: the result is of {} of {count} storms", summary.seeds));
    }
    for line in &summary.failures {
        output::note(line);
    }
    if !summary.passed() && !cut_short && !args.no_shrink && !args.calm {
        smallest(&orders);
    }
    output::print(format, &summary, || text(&summary));
    Ok(match summary.passed() {
        true if cut_short => ExitCode::from(EXIT_INTERRUPTED),
        passed => Checking::Storm.ended(passed),
    })
}

fn orders(args: &StormArgs) -> Orders {
    let mut allowed = args.faults.clone();
    allowed.sort_unstable();
    if allowed.is_empty() && !args.calm && !args.everyday && args.bundle.is_none() {
        allowed = all_faults();
    }
    #[allow(clippy::cast_possible_truncation)] // at most 10,000 hours
    let horizon = (args.hours * 3_600.0 * 1e9) as i64;
    Orders {
        seeds: args.seeds.clone().unwrap_or(args.seed..args.seed + 1), // clap lets no greatest number through
        horizon,
        allowed,
        bundle: args.bundle,
        everyday: args.everyday,
        keep: args.keep.clone(),
        jobs: args.jobs.into(),
    }
}

/// Refuses places that a plan does not have: a storm without its faults would pass for one that is mended.
fn check_kept(orders: &Orders) -> Result<(), Failure> {
    let Some(last) = orders.keep.iter().flatten().max() else { return Ok(()) };
    let planned = |seed| orders.plan(seed).faults.len();
    let Some(seed) = orders.seeds.clone().find(|seed| planned(*seed) <= *last) else { return Ok(()) };
    let message = match planned(seed) {
        0 => format!("--keep names place {last}, and nothing is planned with seed {seed}"),
        count => format!("--keep names place {last}, and the plan of seed {seed} ends with place {}", count - 1),
    };
    let hint = "give the whole line that a failing storm named: seed, hours and faults draw its plan";
    Err(Failure::new("CLI-05", message, hint))
}

/// Looks for the smallest plan with which the first failing storm still fails.
fn smallest(orders: &Orders) {
    let fails = |seed: &u64| !run_one(orders, *seed).passed();
    let Some(seed) = orders.seeds.clone().find(fails) else { return };
    let bar = output::progress(None, "plans tried");
    let small = shrink(orders, seed, |_| bar.inc(1));
    bar.finish_and_clear();
    let report = run_one(&small, seed);
    let why = report.failure().unwrap_or("it passes now");
    output::note(&format!("smallest: {}   # {why}", replay_line(&small, &report)));
    for line in strikes(&small, &report) {
        output::note(&format!("  {line}"));
    }
}

/// What is left of a plan, in words.
fn strikes(orders: &Orders, report: &Report) -> Vec<String> {
    let plan = orders.plan(report.seed);
    let kept = orders.keep.iter().flatten().filter_map(|place| plan.faults.get(*place));
    kept.map(|it| format!("{} {:?}: {}", it.fault, it.when, it.fault.info().what)).collect()
}

fn list(format: Format) {
    let rows: Vec<serde_json::Value> = FAULTS
        .iter()
        .map(|it| serde_json::json!({"fault": it.name, "place": format!("{:?}", it.place).to_lowercase(), "what": it.what}))
        .collect();
    output::print(format, &rows, || {
        let row = |it: &tradewind_storm::FaultInfo| {
            vec![it.name.to_owned(), format!("{:?}", it.place).to_lowercase(), it.what.to_owned()]
        };
        output::table(&["fault", "strikes", "what happens"], FAULTS.iter().map(row))
    });
}

fn text(summary: &Summary) -> String {
    let kinds: Vec<String> = summary.kinds.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
    let mut lines = vec![
        format!(
            "{} storms of {} simulated hours together: {} faults, {} ambiguous orders ({} proven absent)",
            summary.seeds, summary.hours, summary.faults, summary.ambiguous, summary.absent
        ),
        format!(
            "{} doubled, {} lost, {} beyond a limit, {} storms failed",
            summary.doubled, summary.lost, summary.breaches, summary.failed
        ),
    ];
    lines.extend(of_bundle(summary));
    lines.extend((!kinds.is_empty()).then(|| kinds.join(", ")));
    lines.push(of_time(summary));
    lines.push(format!("hash {}", summary.hash));
    lines.join("\n")
}

/// What the bundle did, where there was one.
fn of_bundle(summary: &Summary) -> Option<String> {
    let (bundle, it) = (summary.bundle.as_ref()?, summary.acted.as_ref()?);
    Some(format!(
        "{bundle}: {} of {} candles missing, {} of {} quotes late, {} of {} orders answered with an error, {} filled by half, \
         {} requests and answers delayed; spread {:.2} bps, {:.2} bps a minute, falls to {:.0} bps, rises to {:.0} bps",
        it.candles_missing,
        it.candles,
        it.marks_late,
        it.quotes,
        it.order_errors,
        it.orders,
        it.partials,
        it.delayed,
        it.spread_bps,
        it.minute_bps,
        it.fall_bps,
        it.rise_bps
    ))
}

/// How much of the time trading was safe, and what it was otherwise.
#[allow(clippy::cast_precision_loss)] // for people
fn of_time(summary: &Summary) -> String {
    let (it, seconds) = (&summary.standing, |millis: u64| millis as f64 / 1e3);
    let Some(share) = summary.safe_share else {
        return format!("no time in which the venue was there (it was away {:.1} s)", seconds(it.venue_away_ms));
    };
    format!(
        "safe to trade {:.3} % of the time that the venue was there; otherwise no process {:.1} s, no account stream {:.1} s, \
         halted or restricted {:.1} s (and the venue away {:.1} s)",
        100.0 * share,
        seconds(it.process_down_ms),
        seconds(it.stream_down_ms),
        seconds(it.held_ms),
        seconds(it.venue_away_ms)
    )
}
