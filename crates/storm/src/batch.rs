//! Many storms: seeds one after the other, two at a time, one summary; and the smallest plan that still fails.

use crate::bundle::Bundle;
use crate::faults::FaultId;
use crate::plan::Plan;
use crate::report::{Report, Summary};
use crate::storm::Storm;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// The first seed, and the one after the last.
    pub seeds: std::ops::Range<u64>,
    /// Length of each storm in nanoseconds.
    pub horizon: i64,
    /// Which faults may strike.
    pub allowed: Vec<FaultId>,
    /// What the market and the venue are like all the while.
    pub bundle: Option<Bundle>,
    /// Instead of drawn faults, those of any day: [`Plan::everyday`].
    pub everyday: bool,
    /// Places of the plan to keep; all without.
    pub keep: Option<Vec<usize>>,
    /// How many storms run side by side.
    pub jobs: usize,
}

impl Orders {
    /// What will go wrong with `seed`, all of it.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        match self.everyday {
            true => Plan::everyday(seed, self.horizon),
            false => Plan::draw(seed, self.horizon, &self.allowed),
        }
    }
}

/// Runs one seed.
#[must_use]
pub fn run_one(orders: &Orders, seed: u64) -> Report {
    let plan = orders.plan(seed);
    let plan = orders.keep.as_ref().map_or(plan.clone(), |keep| plan.kept(keep));
    Storm::under(orders.bundle, seed, orders.horizon, plan).run()
}

/// Runs every seed, or those that were begun when `stop` first says so; `progress` hears after each how many are done.
pub fn run_all(orders: &Orders, stop: impl Fn() -> bool + Sync, progress: impl Fn(u64, &Report) + Sync) -> Summary {
    let (next, done) = (AtomicU64::new(orders.seeds.start), AtomicU64::new(0));
    let reports: Mutex<BTreeMap<u64, Brief>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..orders.jobs.max(1) {
            scope.spawn(|| {
                while !stop() {
                    // no seed is taken past the end: the count would begin again behind the greatest one
                    let take = |seed| (seed < orders.seeds.end).then(|| seed + 1);
                    let Ok(seed) = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) else { return };
                    let report = on_its_own(orders, seed);
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, &report);
                    let brief = Brief::of(orders, report);
                    reports.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(seed, brief);
                }
            });
        }
    });
    let summary = sum(reports.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
    Summary { bundle: orders.bundle.map(|it| it.to_string()), ..summary }
}

/// Runs one seed on a thread of its own that bears its number: what a panic prints names it.
fn on_its_own(orders: &Orders, seed: u64) -> Report {
    std::thread::scope(|scope| {
        let named = std::thread::Builder::new().name(format!("storm --seed {seed}"));
        match named.spawn_scoped(scope, || run_one(orders, seed)).map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(report)) => report,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => run_one(orders, seed), // no thread to be had: this one will do
        }
    })
}

/// What is kept of a storm.
struct Brief {
    report: Report,
    line: Option<String>,
}

impl Brief {
    fn of(orders: &Orders, report: Report) -> Self {
        let line = report.failure().map(|why| format!("{}   # {why}", replay_line(orders, &report)));
        Self { report, line }
    }
}

fn sum(reports: BTreeMap<u64, Brief>) -> Summary {
    let mut summary = Summary::default();
    let mut hashes = Sha256::new();
    let single = reports.len() == 1;
    for Brief { report, line } in reports.into_values() {
        summary.seeds += 1;
        summary.hours += report.hours;
        for (fault, times) in &report.faults {
            summary.faults += times;
            *summary.kinds.entry(fault.to_string()).or_default() += times;
        }
        for (what, times) in &report.refused {
            *summary.refused.entry(what.clone()).or_default() += times;
        }
        summary.ambiguous += report.tally.ambiguous;
        summary.absent += report.tally.absent;
        summary.doubled += report.verdict.doubled;
        summary.lost += report.verdict.lost;
        summary.breaches += report.verdict.breaches.max(report.tally.breaches);
        summary.failed += u64::from(!report.passed());
        summary.failures.extend(line);
        summary.standing.add(&report.standing);
        if let Some(acted) = &report.acted {
            summary.acted.get_or_insert_default().add(acted);
        }
        if let Ok(serde_json::Value::Object(tally)) = serde_json::to_value(&report.tally) {
            for (name, count) in tally {
                *summary.tally.entry(name).or_default() += count.as_u64().unwrap_or(0);
            }
        }
        hashes.update(report.hash.as_bytes());
        if single {
            summary.hash = report.hash;
        }
    }
    summary.safe_share = summary.standing.share();
    if !single {
        summary.hash = hex::encode(hashes.finalize());
    }
    summary
}

/// The one line that replays a storm.
#[must_use]
pub fn replay_line(orders: &Orders, report: &Report) -> String {
    let mut line = format!("tradewind storm --seed {} --hours {}", report.seed, report.hours);
    if let Some(bundle) = orders.bundle {
        line.push_str(&format!(" --bundle {bundle}"));
    }
    let unsaid = if orders.bundle.is_some() { Vec::new() } else { crate::faults::all_faults() };
    if orders.everyday {
        line.push_str(" --everyday");
    } else if orders.allowed.is_empty() && orders.bundle.is_none() {
        line.push_str(" --calm");
    } else if orders.allowed != unsaid {
        let names: Vec<String> = orders.allowed.iter().map(ToString::to_string).collect();
        line.push_str(&format!(" --faults {}", names.join(",")));
    }
    if let Some(keep) = &orders.keep {
        let places: Vec<String> = keep.iter().map(ToString::to_string).collect();
        line.push_str(&format!(" --keep {}", places.join(",")));
    }
    line
}

/// Drops faults from a failing storm's plan for as long as it still fails; gives back what is left, as orders that
/// replay it. `tried` hears of each attempt.
#[must_use]
pub fn shrink(orders: &Orders, seed: u64, mut tried: impl FnMut(usize)) -> Orders {
    let fails = |keep: &[usize]| {
        let attempt = Orders { keep: Some(keep.to_vec()), ..orders.clone() };
        let report = run_one(&attempt, seed);
        // places of the cut plan, back in the numbers of the whole one
        let struck: Vec<usize> = report.struck.iter().filter_map(|place| keep.get(*place).copied()).collect();
        (!report.passed()).then_some(struck)
    };
    let all: Vec<usize> = (0..orders.plan(seed).faults.len()).collect();
    let mut kept = orders.keep.clone().unwrap_or(all);
    let Some(struck) = fails(&kept) else { return orders.clone() };
    kept.retain(|place| struck.contains(place));
    let mut chunk = kept.len().div_ceil(2).max(1);
    while chunk > 0 {
        let mut start = 0;
        while start < kept.len() {
            let end = (start + chunk).min(kept.len());
            let without: Vec<usize> = kept[..start].iter().chain(&kept[end..]).copied().collect();
            tried(without.len());
            if fails(&without).is_some() { kept = without } else { start = end }
        }
        chunk /= 2;
    }
    Orders { keep: Some(kept), seeds: seed..seed + 1, ..orders.clone() }
}
