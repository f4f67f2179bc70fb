//! `tradewind stress`: a strategy in hundreds of made-up markets.

use super::backtest::{centi_bps, limits, positive_centi_bps, write_page};
use super::bars;
use super::files::keep_apart;
use crate::cli::StressArgs;
use crate::output::{self, Failure, Format};
use crate::signals;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use tradewind_book::FillPolicy;
use tradewind_domain::{Currency, FeeAsset, FeeSchedule, Instrument, InstrumentId, InstrumentSpec, Money, Origin};
use tradewind_research::Plan;
use tradewind_research::report::{DataSource, Meta, Report, html};
use tradewind_research::stress::{self, Climate, Suggestion, Summary, Trial};

const DEPOSIT: &str = "10000";

pub(crate) fn run(args: &StressArgs, format: Format) -> Result<ExitCode, Failure> {
    signals::end_in_order();
    if args.report.is_some() && args.scenarios != 1 {
        let hint = "name the seed of one, such as --seed 137 --scenarios 1 --report worst.html";
        return Err(Failure::new("CLI-05", format!("a report shows one scenario, not {}", args.scenarios), hint));
    }
    let parameters = ("--parameters-file", args.strategy.parameters_file.as_deref());
    keep_apart(&[parameters], &[("--report", args.report.as_deref())])?;
    let setting = Setting::of(args)?;
    let trials = trials(args, &setting)?;
    let summary = Summary::of(&trials, args.bars)
        .ok_or_else(|| Failure::new("CLI-06", "the trials give no finite figures", "report this"))?;
    let value = shown(args, &summary)?;
    output::print(format, &value, || text(args, &summary));
    Ok(ExitCode::SUCCESS)
}

/// What all scenarios share.
struct Setting {
    instrument: Instrument,
    climate: Climate,
    deposit: Money,
}

impl Setting {
    fn of(args: &StressArgs) -> Result<Self, Failure> {
        let fee = centi_bps(&args.fee_bps, "--fee-bps")?;
        let fees = FeeSchedule { maker_centi_bps: fee, taker_centi_bps: fee, asset: FeeAsset::Quote };
        let symbol = "SIM/USDT".parse().map_err(Failure::from_coded::<tradewind_domain::SymbolError>)?;
        let spec =
            InstrumentSpec { price_decimals: 4, quantity_decimals: 4, fees, ..InstrumentSpec::spot(symbol, "stress") };
        let instrument = bars::in_steps(spec, &args.tick, &args.lot)?.list(InstrumentId(0))?;
        if instrument.price_f64(instrument.spec.tick) > 1.0 {
            let message =
                format!("--tick {} is more than a hundredth of 100, at which every scenario begins", args.tick);
            return Err(Failure::new("CLI-05", message, "write 0.01"));
        }
        let currency: Currency = instrument.settlement();
        bars::strategy(&args.strategy, instrument.id)?; // what is wrong with it is said once, before anything runs
        Ok(Self {
            instrument,
            climate: Climate { bars: args.bars, volatility: args.volatility / 100.0, events: args.events },
            deposit: Money::parse(DEPOSIT, currency)?,
        })
    }

    fn plan(&self, args: &StressArgs) -> Result<Plan, Failure> {
        let slippage_centi_bps = positive_centi_bps(&args.slippage_bps, "--slippage-bps")?;
        Ok(Plan {
            instrument: self.instrument.clone(),
            origin: Origin::Simulated,
            deposit: self.deposit,
            limits: limits(&args.limits)?,
            fill_policy: FillPolicy { slippage_centi_bps, ..FillPolicy::default() },
            strategy: bars::strategy(&args.strategy, self.instrument.id)?.0,
        })
    }
}

/// Runs every scenario, `--jobs` at a time; the order of the result is that of the seeds.
fn trials(args: &StressArgs, setting: &Setting) -> Result<Vec<Trial>, Failure> {
    let progress = output::progress((args.scenarios > 1).then_some(args.scenarios.into()), "scenarios");
    let next = AtomicU64::new(0);
    let work = || -> Result<Vec<Trial>, Failure> {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= u64::from(args.scenarios) {
                return Ok(done);
            }
            if signals::interrupted() {
                let failure =
                    Failure::new("CLI-12", format!("interrupted after {place} scenarios"), "there is no result");
                return Err(Failure { exit: signals::EXIT_INTERRUPTED, ..failure });
            }
            done.push(trial(args, setting, args.seed.wrapping_add(place))?);
            progress.inc(1);
        }
    };
    let mut trials = Vec::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let done = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            trials.extend(done);
            Ok::<_, Failure>(())
        })
    })?;
    progress.finish_and_clear();
    trials.sort_by_key(|trial| trial.seed.wrapping_sub(args.seed));
    Ok(trials)
}

fn trial(args: &StressArgs, setting: &Setting, seed: u64) -> Result<Trial, Failure> {
    let (trial, outcome) = stress::run(setting.plan(args)?, setting.climate, seed)?;
    if let Some(path) = &args.report {
        let meta = Meta {
            notes: vec![format!("A made-up market: scenario {seed} of the stress lab.")],
            data: DataSource { path: format!("stress scenario {seed}"), ..DataSource::default() },
            ..Meta::default()
        };
        write_page(path, &html(&Report::build(&outcome, meta)?))?;
    }
    Ok(trial)
}

/// The summary, and what gives it again.
fn shown(args: &StressArgs, summary: &Summary) -> Result<serde_json::Value, Failure> {
    let mut value = serde_json::to_value(summary)
        .map_err(|error| Failure::new("CLI-06", format!("the summary cannot be written: {error}"), "report this"))?;
    value["strategy"] = args.strategy.name.clone().into();
    value["seed"] = args.seed.into();
    if let Some(path) = &args.report {
        value["report"] = path.display().to_string().into();
    }
    Ok(value)
}

fn percent(value: f64) -> String {
    output::fixed(value * 100.0, 2) + " %"
}

fn text(args: &StressArgs, it: &Summary) -> String {
    let spread = |name: &str, of: &stress::Spread| {
        vec![name.to_owned(), percent(of.p05), percent(of.median), percent(of.mean), percent(of.p95), percent(of.max)]
    };
    let spreads = [spread("return", &it.returns), spread("drawdown", &it.drawdowns)];
    let weather = it.by_weather.iter().map(|(weather, part)| {
        let name = serde_json::to_value(weather).ok().and_then(|it| it.as_str().map(str::to_owned));
        vec![name.unwrap_or_default(), percent(*part)]
    });
    let worst = it.worst.iter().map(|trial| {
        let figures = [percent(trial.total_return), percent(trial.max_drawdown), trial.trades.to_string()];
        [vec![trial.seed.to_string()], figures.to_vec()].concat()
    });
    let head = format!(
        "{} in {} simulated markets of {} bars: {} lose; {:.1} executions and {} fees each, {} orders refused",
        args.strategy.name,
        it.scenarios,
        it.bars,
        percent(it.losing),
        it.trades,
        percent(it.fees),
        it.refused
    );
    let page = args.report.as_ref().map_or(String::new(), |path| format!("\nreport: {}", path.display()));
    format!(
        "{head}\n\n{}\n\n{}\n\n{}\n\n{}{page}",
        output::table(&["", "5 %", "median", "mean", "95 %", "highest"], spreads),
        output::table(&["weather", "return"], weather),
        output::table(&["worst seeds", "return", "drawdown", "executions"], worst),
        suggestions(args, &it.suggestions, it.worst.first()),
    )
}

fn suggestions(args: &StressArgs, all: &[Suggestion], worst: Option<&Trial>) -> String {
    let lines = all.iter().map(|it| format!("try {}: {} ({})", it.what, it.value, it.because));
    let again =
        worst.filter(|_| args.scenarios > 1).map(|trial| format!("the worst one alone: {}", alone(args, trial.seed)));
    lines.chain(again).collect::<Vec<_>>().join("\n")
}

/// The command that runs one of the scenarios again, with its page.
fn alone(args: &StressArgs, seed: u64) -> String {
    let mut command = format!("tradewind stress --strategy {}", args.strategy.name);
    let file = args.strategy.parameters_file.iter().map(|path| format!(" --parameters-file {}", path.display()));
    let set = args.strategy.parameters.iter().map(|pair| format!(" --set {pair}"));
    command.extend(file.chain(set));
    let usual = Climate::default();
    let climate = [
        (" --bars", f64::from(args.bars), f64::from(usual.bars)),
        (" --volatility", args.volatility, usual.volatility * 100.0),
        (" --events", args.events, usual.events),
    ];
    let other = climate.iter().filter(|(_, value, usual)| (value - usual).abs() > 1e-12);
    command.extend(other.map(|(option, value, _)| format!("{option} {value}")));
    let gate = [
        (" --fee-bps", &args.fee_bps, "10"),
        (" --slippage-bps", &args.slippage_bps, "2"),
        (" --tick", &args.tick, "0.0001"),
        (" --lot", &args.lot, "0.0001"),
        (" --limits", &args.limits, "research"),
    ];
    command.extend(
        gate.iter().filter(|(_, value, usual)| value != usual).map(|(option, value, _)| format!("{option} {value}")),
    );
    format!("{command} --seed {seed} --scenarios 1 --report worst.html")
}
