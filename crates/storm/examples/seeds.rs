//! Runs a range of seeds and prints the summary: `seeds FROM TO MINUTES JOBS [FAULTS]`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use tradewind_storm::{FaultId, Orders, all_faults, run_all, shrink};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, otherwise: u64| arguments.get(place).and_then(|it| it.parse().ok()).unwrap_or(otherwise);
    let (from, to) = (number(0, 1), number(1, 2));
    let minutes = i64::try_from(number(2, 30)).unwrap_or(30);
    let allowed = match arguments.get(4) {
        Some(list) => list.split(',').filter_map(FaultId::named).collect(),
        None => all_faults(),
    };
    let jobs = usize::try_from(number(3, 2)).unwrap_or(1);
    let orders = Orders { seeds: from..to, horizon: minutes * 60_000_000_000, allowed, jobs, ..Orders::default() };
    let began = std::time::Instant::now();
    let summary = run_all(
        &orders,
        || false,
        |_, report| {
            if let Some(why) = report.failure() {
                eprintln!("seed {}: {why}", report.seed);
            }
        },
    );
    println!("{}", serde_json::to_string_pretty(&summary).unwrap_or_default());
    println!("{:.3} s a seed and core", began.elapsed().as_secs_f64() * orders.jobs as f64 / summary.seeds as f64);
    if std::env::var_os("SHRINK").is_some() && !summary.passed() {
        let seed = (from..to).find(|seed| !tradewind_storm::run_one(&orders, *seed).passed()).unwrap_or(from);
        let small = shrink(&orders, seed, |_| ());
        eprintln!("seed {seed}: {:?}", small.keep);
    }
}
