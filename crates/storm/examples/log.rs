//! Runs one seed and prints everything that happened: `log SEED MINUTES [FAULTS|all|everyday] [KEEP]`.
#![allow(clippy::print_stdout)]

use tradewind_storm::{FaultId, Plan, Storm, all_faults};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, otherwise: u64| arguments.get(place).and_then(|it| it.parse().ok()).unwrap_or(otherwise);
    let (seed, minutes) = (number(0, 1), i64::try_from(number(1, 30)).unwrap_or(30));
    let allowed: Vec<FaultId> = match arguments.get(2).filter(|list| *list != "all") {
        Some(list) => list.split(',').filter_map(FaultId::named).collect(),
        None => all_faults(),
    };
    let horizon = minutes * 60_000_000_000;
    let everyday = arguments.get(2).is_some_and(|list| list == "everyday");
    let mut plan = if everyday { Plan::everyday(seed, horizon) } else { Plan::draw(seed, horizon, &allowed) };
    if let Some(keep) = arguments.get(3) {
        let places: Vec<usize> = keep.split(',').filter_map(|it| it.parse().ok()).collect();
        plan = plan.kept(&places);
    }
    for (place, planned) in plan.faults.iter().enumerate() {
        println!("plan {place} {planned:?}");
    }
    let report = Storm::new(seed, horizon, plan).with_log().run();
    report.log.iter().for_each(|line| println!("{line}"));
    println!("struck {:?}", report.struck);
    println!("{:?}\n{:?}\n{:?}", report.tally, report.verdict, report.violations);
}
