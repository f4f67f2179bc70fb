//! `tradewind risk`: what holdings may lose, from the recorded prices of what is held.

use super::bars::tell_defects;
use crate::cli::{Holding, RiskArgs};
use crate::output::{self, Failure, Format};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use tradewind_domain::{Interval, Timestamp};
use tradewind_history::{BarSeries, GapKind, ImportOptions, OnDefect, read_bars};
use tradewind_quant::tail_risk::{DEFAULT_PATHS, Level};
use tradewind_quant::var_backtest::LikelihoodRatio;
use tradewind_quant::{QuantError, ReturnWindow};
use tradewind_research::tail::{ChangeOf, TailQuestion, TailReport, tail_changes, tail_report};

/// Below this a record of exceptions is called improbable for a right model.
const SIGNIFICANCE: f64 = 0.05;

/// What is held, and its closes by the time at which their bars opened.
struct Held {
    name: String,
    amount: f64,
    interval: Interval,
    closes: BTreeMap<Timestamp, f64>,
    /// When the bars on either side of a hole opened.
    holes: Vec<(Timestamp, Timestamp)>,
}

impl Held {
    /// Whether a bar is missing between two of its bars.
    fn lacks(&self, from: Timestamp, until: Timestamp) -> bool {
        let place = self.holes.partition_point(|(_, behind)| *behind <= from);
        self.holes.get(place).is_some_and(|(before, _)| *before < until)
    }
}

/// The returns of all that is held, of the same bars.
struct Past {
    from: Timestamp,
    until: Timestamp,
    returns: ReturnWindow,
    /// How many were left out.
    over_holes: usize,
}

pub(crate) fn run(args: &RiskArgs, format: Format) -> Result<ExitCode, Failure> {
    let mut held = args.hold.iter().map(|it| read(it, args)).collect::<Result<Vec<_>, _>>()?;
    let orders = args.add.iter().map(|it| place(&mut held, args, it)).collect::<Result<Vec<_>, _>>()?;
    let past = past(&held)?;
    let question = TailQuestion {
        level: Level::new(args.confidence / 100.0, args.horizon.into()).map_err(unfit)?,
        window: usize::from(args.window),
        paths: DEFAULT_PATHS,
        seed: args.seed,
    };
    let exposures: Vec<f64> = held.iter().map(|it| it.amount).collect();
    let report = tail_report(&past.returns, &exposures, &question).map_err(unfit)?;
    let changes = match orders.as_slice() {
        [] => Vec::new(),
        orders => tail_changes(&past.returns, &exposures, orders, &question.level).map_err(unfit)?,
    };
    let mut value = serde_json::to_value(&report)
        .map_err(|error| Failure::new("CLI-06", format!("the answer cannot be written: {error}"), "report this"))?;
    for (key, it) in [
        ("confidence", serde_json::json!(args.confidence)),
        ("horizon", args.horizon.into()),
        ("interval", held[0].interval.to_string().into()),
        ("from", past.from.to_string().into()),
        ("until", past.until.to_string().into()),
        ("over_holes", past.over_holes.into()),
        ("paths", DEFAULT_PATHS.into()),
        ("seed", args.seed.into()),
        ("changes", serde_json::to_value(&changes).unwrap_or_default()),
        ("holdings", held.iter().map(|it| it.name.as_str()).collect()),
    ] {
        value[key] = it;
    }
    output::print(format, &value, || text(args, &held, &report, &past) + &added(&changes));
    Ok(ExitCode::SUCCESS)
}

fn unfit(error: QuantError) -> Failure {
    Failure::new(error.code(), error.to_string(), error.hint())
}

fn read(holding: &Holding, args: &RiskArgs) -> Result<Held, Failure> {
    let on_defect = if args.accept_defects { OnDefect::Report } else { OnDefect::Refuse };
    let (stamp, interval) = (args.times.stamp.into(), args.times.interval);
    let series = read_bars(&holding.file, &ImportOptions { stamp, interval, on_defect, ..ImportOptions::default() })?;
    tell_defects(&holding.file, &series.defects);
    let holes = holes(&series);
    let instrument = series.instrument.list(tradewind_domain::InstrumentId(0))?;
    let closes = series.bars.iter().map(|bar| (bar.open_time, instrument.price_f64(bar.close))).collect();
    let name = instrument.spec.symbol.to_string();
    Ok(Held { name, amount: holding.amount, interval: series.interval, closes, holes })
}

/// Steps from one bar to the next that are longer than a bar, and no night, weekend or holiday of the market.
fn holes(series: &BarSeries) -> Vec<(Timestamp, Timestamp)> {
    let closed = series.gaps.iter().filter(|gap| gap.kind == GapKind::Closed).map(|gap| gap.after);
    let closed: BTreeSet<Timestamp> = closed.collect();
    let steps = series.bars.windows(2).map(|pair| (pair[0].open_time, pair[1].open_time));
    steps.filter(|(at, next)| next.since(*at) > series.interval.nanos() && !closed.contains(at)).collect()
}

/// The place of what an order trades among what is held; what is not held yet comes to stand there with nothing.
fn place(held: &mut Vec<Held>, args: &RiskArgs, order: &Holding) -> Result<(usize, f64), Failure> {
    if let Some(place) = args.hold.iter().position(|it| it.file == order.file) {
        return Ok((place, order.amount));
    }
    let new = Held { amount: 0.0, ..read(order, args)? };
    let known = held.iter().position(|it| it.name == new.name && it.amount == 0.0);
    let place = known.unwrap_or(held.len());
    if known.is_none() {
        held.push(new);
    }
    Ok((place, order.amount))
}

/// What the orders that are thought of would add.
fn added(changes: &[ChangeOf]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let signed = |value: f64| {
        let text = output::fixed(value, 2);
        if text.starts_with('-') { text } else { format!("+{text}") }
    };
    let row = |it: &ChangeOf| {
        let after = [it.change.after.var, it.change.after.cvar].map(|value| output::fixed(value, 2));
        let more = [it.incremental.var, it.incremental.cvar].map(signed);
        [vec![it.method.to_owned()], after.to_vec(), more.to_vec()].concat()
    };
    let head = ["with the order", "value at risk", "expected shortfall", "added", "added shortfall"];
    format!("\n\n{}", output::table(&head, changes.iter().map(row)))
}

/// Returns between the moments at which all of them have a close. The move over a hole is not that of one bar: it is left
/// out.
fn past(held: &[Held]) -> Result<Past, Failure> {
    let first = &held[0];
    if let Some(other) = held.iter().find(|it| it.interval != first.interval) {
        let message = format!("{} has bars of {}, {} of {}", first.name, first.interval, other.name, other.interval);
        return Err(Failure::new("CLI-05", message, "give files of one interval"));
    }
    let common = |at: &&Timestamp| held.iter().all(|it| it.closes.contains_key(at));
    let times: Vec<Timestamp> = first.closes.keys().filter(common).copied().collect();
    if times.len() < 3 {
        let message = format!("the files have {} moments in common", times.len());
        return Err(Failure::new("CLI-05", message, "give files of one time"));
    }
    let closes: Vec<Vec<f64>> = held.iter().map(|it| times.iter().map(|at| it.closes[at]).collect()).collect();
    let all = ReturnWindow::of_prices(&closes).map_err(unfit)?;
    let is_whole = |place: &usize| !held.iter().any(|it| it.lacks(times[*place], times[place + 1]));
    let whole: Vec<usize> = (0..all.periods()).filter(is_whole).collect();
    let over_holes = all.periods() - whole.len();
    let [earliest, .., latest] = whole[..] else {
        let message = format!("{over_holes} of {} returns are over holes in the data", all.periods());
        return Err(Failure::new("CLI-05", message, "`tradewind data check FILE` names the holes; give files without"));
    };
    let of_asset = |asset: usize| -> Vec<f64> { whole.iter().map(|place| all.asset(asset)[*place]).collect() };
    let series: Vec<Vec<f64>> = (0..all.assets()).map(of_asset).collect();
    let returns = ReturnWindow::new(&series).map_err(unfit)?;
    Ok(Past { from: times[earliest], until: times[latest + 1], returns, over_holes })
}

fn text(args: &RiskArgs, held: &[Held], it: &TailReport, past: &Past) -> String {
    let amount = |value: f64| output::fixed(value, 2);
    let told = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), amount);
    let methods = it.methods.iter().map(|of| vec![of.method.to_owned(), told(of.var), told(of.cvar)]);
    let notes = it.methods.iter().filter_map(|of| Some(format!("\n{}: {}", of.method, of.note?)));
    let left_out = match past.over_holes {
        0 => String::new(),
        count => format!("\nleft out: {} over holes in the data", output::counted(count as u64, "return")),
    };
    let parts = held.iter().zip(&it.components).zip(&it.correlations).map(|((held, part), row)| {
        let rows = row.iter().map(|correlation| output::fixed(*correlation, 2)).collect::<Vec<_>>().join("  ");
        vec![held.name.clone(), amount(held.amount), amount(part.var), amount(part.cvar), rows]
    });
    format!(
        "{} returns of {}, {} to {}; {} % over {} of them{left_out}\n\n{}{}\n\n{}\n\n{}",
        it.periods,
        held[0].interval,
        past.from,
        past.until,
        args.confidence,
        args.horizon,
        output::table(&["", "value at risk", "expected shortfall"], methods),
        notes.collect::<String>(),
        output::table(&["holding", "amount", "part of it", "part of the shortfall", "correlations"], parts),
        trial(args.window, it),
    )
}

/// How the figures of the past held.
fn trial(window: u16, it: &TailReport) -> String {
    let Some(first) = it.tried.first() else {
        return format!("{} periods are too few to try a window of {window}", it.periods);
    };
    let p = |ratio: &LikelihoodRatio| format!("{:.3}", ratio.p_value);
    let rows = it.tried.iter().map(|tried| {
        let verdict = if tried.conditional.rejects(SIGNIFICANCE) { "rejected" } else { "held" };
        let counts = [tried.method.to_owned(), tried.exceptions.to_string(), format!("{:.1}", tried.expected)];
        let tests = [&tried.kupiec, &tried.independence, &tried.conditional].map(p);
        [counts.to_vec(), tests.to_vec(), vec![verdict.to_owned()]].concat()
    });
    let head = ["", "exceptions", "expected", "Kupiec p", "Christoffersen p", "both p", "verdict"];
    let table = output::table(&head, rows);
    format!("the figure of each {window} periods against the period after them, {} times\n{table}", first.periods)
}
