//! `tradewind backtest`: a strategy over recorded bars.

use super::bars::{self, Bars, Finished};
use super::files::keep_apart;
use super::funding::Funding;
use crate::cli::{BacktestArgs, FillArgs, LimitFill};
use crate::output::{self, Failure, Format, counted};
use crate::signals;
use std::fs::Permissions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tradewind_book::{FillPolicy, Impact};
use tradewind_domain::{FeeAsset, FeeSchedule, Instrument, NumberError, Origin, Symbol, parse_decimal};
use tradewind_gate::Limits;
use tradewind_research::report::{DataSource, Group, Meta, Report, html};
use tradewind_research::{Backtest, Delivery, Outcome, Plan, Recorder, Sink};
use tradewind_strategies::diagnose::quality;

pub(crate) fn run(args: &BacktestArgs, format: Format) -> Result<ExitCode, Failure> {
    signals::end_in_order();
    let page = page(args)?;
    keep_outputs_apart(args, page.as_deref())?;
    let bars = Bars::open(&args.bars, fees(args)?)?;
    let bars = match &args.settlement {
        Some(price) => bars.made_as_fine_as(price)?,
        None => bars,
    };
    let (has_volume, steps) = (bars.has_volume(), bars.steps(&args.bars));
    let funding = args.funding.as_deref();
    let funding = funding.map(|path| Funding::open(path, &bars.instrument, args.bars.accept_defects)).transpose()?;
    let delivery = delivery(args, &bars.instrument)?;
    let (strategy, table) = bars::strategy(&args.bars.strategy, bars.instrument.id)?;
    let plan = Plan {
        instrument: bars.instrument.clone(),
        origin: if args.bars.simulated { Origin::Simulated } else { bars.origin() },
        deposit: bars::deposit(&args.bars, &bars.instrument)?,
        limits: limits(&args.limits)?,
        fill_policy: fill_policy(&args.fills, has_volume)?,
        strategy,
    };
    let (outcome, finished) = match &args.events {
        None => feed(Backtest::new(plan).judging_signals().settling(delivery), bars, funding)?,
        Some(path) => {
            let mut file = create(path)?;
            let mut failed = None;
            let sink = Recorder(|_: &tradewind_engine::Event, mut record: Vec<u8>| {
                record.push(b'\n');
                failed = failed.take().or(file.write_all(&record).err());
            });
            let run = Backtest::with_sink(plan, sink).judging_signals().settling(delivery);
            let done = feed(run, bars, funding)?;
            match failed.or(file.flush().err()) {
                Some(error) => return Err(Failure::file(path, &error)),
                None => done,
            }
        }
    };
    let note = "The file gives no volume: the size of a fill is not capped by what was traded.";
    let no_volume = (!has_volume).then(|| note.to_owned());
    let note = "The file gives bid and ask: its bars are of the mid between them, and its spread is charged only as far \
                as --half-spread-bps says.";
    let of_mid = finished.source.quote_side.map(|_| note.to_owned());
    let meta = Meta {
        notes: std::iter::once(steps).chain(no_volume).chain(of_mid).collect(),
        data: data_source(&finished),
        parameters: table.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        ..Meta::default()
    };
    let report = Report::build(&outcome, meta)?;
    if let Some(page) = &page {
        write_page(page, &html(&report))?;
    }
    print(&report, page.as_deref(), format)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the report goes, if one is written.
fn page(args: &BacktestArgs) -> Result<Option<PathBuf>, Failure> {
    if args.no_report {
        return Ok(None);
    }
    let symbol = bars::symbol(&args.bars.symbol)?;
    Ok(Some(args.report.clone().unwrap_or_else(|| default_path(&symbol, &args.bars.strategy.name))))
}

fn keep_outputs_apart(args: &BacktestArgs, page: Option<&Path>) -> Result<(), Failure> {
    let read = [
        ("--data", Some(args.bars.data.as_path())),
        ("--funding", args.funding.as_deref()),
        ("--factors", args.bars.factors.as_deref()),
        ("--parameters-file", args.bars.strategy.parameters_file.as_deref()),
    ];
    let report = if args.report.is_some() { "--report" } else { "the report" };
    keep_apart(&read, &[(report, page), ("--events", args.events.as_deref())])
}

fn feed<S: Sink>(
    mut run: Backtest<S>,
    bars: Bars,
    mut funding: Option<Funding>,
) -> Result<(Outcome, Finished), Failure> {
    let progress = output::progress(None, "bars");
    let (mut count, mut mark) = (0_u64, None);
    let finished = bars.feed(|bar| {
        count += 1;
        if let Some(funding) = &mut funding {
            match mark.replace(bar.close) {
                None => funding.skip_before(bar.close_time()),
                Some(mark) => {
                    while let Some((at, rate)) = funding.due(bar) {
                        run.settle_funding(at, rate, mark);
                    }
                }
            }
        }
        if count.is_multiple_of(50_000) {
            progress.set_position(count);
        }
        run.feed(bar).map_err(Failure::from)
    })?;
    progress.finish_and_clear();
    Ok((run.finish(), finished))
}

fn data_source(finished: &Finished) -> DataSource {
    let source = &finished.source;
    DataSource {
        path: source.path.clone(),
        format: source.format.name().to_owned(),
        rows: source.rows,
        sha256: source.sha256.clone(),
        stamp: format!("{:?}", source.stamp).to_lowercase(),
        gaps: finished.gaps,
        missing_bars: finished.missing_bars,
        defects: finished.defects,
        steps: source.steps.clone(),
    }
}

/// Basis points below 1,000 with up to two decimals, as hundredths.
pub(super) fn centi_bps(text: &str, option: &str) -> Result<i32, Failure> {
    let wrong = || {
        let message = format!("{option} `{text}` is not a number of basis points below 1000");
        Failure::new("CLI-05", message, "write 10 or 2.5")
    };
    parse_decimal(text, 2)
        .ok()
        .and_then(|value| i32::try_from(value).ok())
        .filter(|v| v.abs() < 100_000)
        .ok_or_else(wrong)
}

/// The same of a friction: it costs something or nothing.
pub(super) fn positive_centi_bps(text: &str, option: &str) -> Result<u32, Failure> {
    u32::try_from(centi_bps(text, option)?)
        .map_err(|_| Failure::new("CLI-05", format!("{option} is negative"), "frictions never help"))
}

fn fees(args: &BacktestArgs) -> Result<FeeSchedule, Failure> {
    Ok(FeeSchedule {
        maker_centi_bps: centi_bps(&args.maker_fee_bps, "--maker-fee-bps")?,
        taker_centi_bps: centi_bps(&args.fee_bps, "--fee-bps")?,
        asset: match args.fee_asset.as_str() {
            "quote" => FeeAsset::Quote,
            "received" => FeeAsset::Received,
            other => {
                return Err(Failure::new(
                    "CLI-05",
                    format!("--fee-asset `{other}` is unknown"),
                    "write quote or received",
                ));
            }
        },
    })
}

/// How the contract is settled, if it ends within the data.
fn delivery(args: &BacktestArgs, instrument: &Instrument) -> Result<Delivery, Failure> {
    let fee_e8 = i64::from(positive_centi_bps(&args.delivery_fee_bps, "--delivery-fee-bps")?) * 100;
    let symbol = &instrument.spec.symbol;
    let given = if args.settlement.is_some() { "--settlement" } else { "--delivery-fee-bps" };
    if instrument.expiry().is_none() && (args.settlement.is_some() || fee_e8 != 0) {
        let message = format!("{given}: {symbol} does not end");
        return Err(Failure::new("CLI-05", message, "name a contract that does, such as BTC/USDT:USDT-250328"));
    }
    let Some(text) = &args.settlement else { return Ok(Delivery { price: None, fee_e8 }) };
    let wrong = |error: NumberError| {
        let failure = Failure::from_coded(error);
        Failure { message: format!("--settlement: {}", failure.message), ..failure }
    };
    let price = instrument.price(text).map_err(wrong)?;
    if price.mantissa() <= 0 && instrument.settlement() == symbol.base {
        let message = format!("--settlement `{text}` is not above zero, and {symbol} is paid in what it prices");
        return Err(Failure::new("CLI-05", message, "write 87000 or 87211.55"));
    }
    Ok(Delivery { price: Some(price), fee_e8 })
}

/// What is assumed about fills on bars that give volumes or do not: what was asked for, and the rest as it is by default.
pub(super) fn fill_policy(args: &FillArgs, has_volume: bool) -> Result<FillPolicy, Failure> {
    let assumed = FillPolicy::assumed(has_volume);
    let volume_share_bps = match args.volume_share.as_deref() {
        None => assumed.volume_share_bps,
        Some("none") => None,
        Some(_) if !has_volume => {
            let hint = "leave --volume-share out, or write none";
            return Err(Failure::new("CLI-05", "--volume-share needs volumes, and the file gives none", hint));
        }
        Some(text) => Some(bars::percent(text, "--volume-share")?),
    };
    let half_spread_centi_bps = match args.half_spread_bps.as_deref() {
        None => assumed.half_spread_centi_bps,
        Some(text) => positive_centi_bps(text, "--half-spread-bps")?,
    };
    let slippage_centi_bps = match args.slippage_bps.as_deref() {
        None => assumed.slippage_centi_bps,
        Some(text) => positive_centi_bps(text, "--slippage-bps")?,
    };
    let impact = match args.impact.as_deref() {
        None => assumed.impact,
        Some(text) => market_impact(text)?,
    };
    let limit_needs_trade_through = match args.limit_fill {
        None => assumed.limit_needs_trade_through,
        Some(LimitFill::Touch) => false,
        Some(LimitFill::Through) => true,
    };
    Ok(FillPolicy { volume_share_bps, half_spread_centi_bps, slippage_centi_bps, impact, limit_needs_trade_through })
}

fn market_impact(text: &str) -> Result<Impact, Failure> {
    let coefficient = |bps: &str| positive_centi_bps(bps, "--impact");
    match text.split_once(':') {
        None if text == "none" => Ok(Impact::None),
        Some(("linear", bps)) => Ok(Impact::Linear { coefficient_centi_bps: coefficient(bps)? }),
        Some(("root", bps)) => Ok(Impact::SquareRoot { coefficient_centi_bps: coefficient(bps)? }),
        _ => {
            let message = format!("--impact `{text}` is unknown");
            Err(Failure::new("CLI-05", message, "write none, linear:10 or root:10"))
        }
    }
}

pub(crate) fn limits(name: &str) -> Result<Limits, Failure> {
    match name {
        "research" => Ok(Limits::RESEARCH),
        "conservative" => Ok(Limits::CONSERVATIVE),
        "moderate" => Ok(Limits::MODERATE),
        "demo" => Ok(Limits::DEMO),
        "open" => Ok(Limits::OPEN),
        other => Err(Failure::new(
            "CLI-05",
            format!("--limits `{other}` is unknown"),
            "write research, conservative, moderate, demo or open",
        )),
    }
}

fn default_path(symbol: &Symbol, strategy: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let symbol: String = symbol.to_string().chars().map(plain).collect();
    PathBuf::from(format!("backtest-{symbol}-{strategy}.html"))
}

fn create(path: &Path) -> Result<std::io::BufWriter<std::fs::File>, Failure> {
    let file = std::fs::File::create(path).map_err(|error| Failure::file(path, &error))?;
    Ok(std::io::BufWriter::with_capacity(1 << 20, file))
}

/// Writes a page wholly or not at all: an earlier one stays until then. A device or a pipe keeps nothing, and is written to.
pub(crate) fn write_page(path: &Path, page: &str) -> Result<(), Failure> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
    }
    put_page(path, page).map_err(|error| Failure::file(path, &error))
}

fn put_page(path: &Path, page: &str) -> std::io::Result<()> {
    match std::fs::metadata(path) {
        // where a link leads; those of the system to what is open may lead to no name
        Ok(there) if there.is_file() => match std::fs::canonicalize(path) {
            Ok(real) => replace(&real, page, Some(there.permissions())),
            Err(_) => std::fs::write(path, page),
        },
        Ok(_) => std::fs::write(path, page),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Err(_) if path.is_symlink() => std::fs::write(path, page), // where it leads, though nothing is there yet
        Err(_) => replace(path, page, None),
    }
}

/// Writes a file beside `path`, and puts it in its place, with the permissions of what stood there.
fn replace(path: &Path, page: &str, permissions: Option<Permissions>) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        file.write_all(page.as_bytes())?;
        permissions.map_or(Ok(()), |it| file.set_permissions(it))?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    });
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&beside); // the first error says what is wrong
    })
}

fn print(report: &Report, path: Option<&Path>, format: Format) -> Result<(), Failure> {
    let mut value = serde_json::to_value(report)
        .map_err(|error| Failure::new("CLI-06", format!("the report cannot be written: {error}"), "report this"))?;
    if let (Some(object), Some(path)) = (value.as_object_mut(), path) {
        object.insert("report".to_owned(), path.display().to_string().into());
    }
    output::print(format, &value, || text(report, path));
    Ok(())
}

fn text(report: &Report, path: Option<&Path>) -> String {
    let percent = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| output::fixed(v * 100.0, 2) + " %");
    let ratio = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| output::fixed(v, 2));
    let statistics = &report.statistics;
    let hold = report.benchmark.as_ref();
    let rows = vec![
        vec!["final equity".into(), report.equity_final.clone(), hold.map_or("-".into(), |b| b.equity_final.clone())],
        vec![
            "total return".into(),
            percent(statistics.growth.total_return),
            percent(hold.and_then(|b| b.growth.total_return)),
        ],
        vec!["CAGR".into(), percent(statistics.growth.cagr), percent(hold.and_then(|b| b.growth.cagr))],
        vec!["max drawdown".into(), percent(statistics.drawdown.max), percent(hold.and_then(|b| b.drawdown.max))],
        vec!["Sharpe".into(), ratio(statistics.ratios.sharpe), ratio(hold.and_then(|b| b.ratios.sharpe))],
        vec!["Sortino".into(), ratio(statistics.ratios.sortino), ratio(hold.and_then(|b| b.ratios.sortino))],
    ];
    let signals: String = report
        .signals
        .iter()
        .map(|it| {
            let (bars, forecasts, decisions) = (it.horizon_bars, quality(&it.forecasts), quality(&it.decisions));
            format!("forecasts, against the {bars} bars after: {forecasts}\ndecisions to trade: {decisions}\n")
        })
        .collect();
    let groups: String =
        report.groups.shown().map(|(title, groups)| format!("{}\n\n", grouped(title, groups))).collect();
    let table = output::table(&["", &report.strategy, "buy and hold"], rows);
    let span = format!("{} to {}", report.start.as_deref().unwrap_or("-"), report.end.as_deref().unwrap_or("-"));
    let origin = format!("{:?}", report.origin).to_lowercase();
    let page = path.map_or(String::new(), |path| format!("\nreport: {}", path.display()));
    let notes: String = report.notes.iter().map(|note| format!("note: {note}\n")).collect();
    let interval = report.interval.map_or_else(String::new, |interval| format!("{interval} "));
    let settlement =
        report.costs.settlement.as_ref().map_or_else(String::new, |paid| format!(", {paid} for settlement"));
    format!(
        "{} {} on {} ({origin}), {span}\n{}, {}, fees {} {}{settlement}\n\n{table}\n\n{groups}{notes}{signals}{}\ntrade hash {}{page}",
        report.symbol,
        report.strategy,
        counted(report.bars, &format!("{interval}bar")),
        counted(report.trades, "execution"),
        counted(report.round_trips, "round trip"),
        report.fees,
        report.currency,
        report.fill_policy_text,
        report.trade_hash,
    )
}

/// How the trades of each group did, the best group first.
fn grouped(title: &str, groups: &[Group]) -> String {
    let money = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| output::fixed(value, 2));
    let rows = groups.iter().map(|Group { name, statistics: it }| {
        let won = it.win_rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
        let amounts = [it.net_profit, it.expectancy, it.max_drawdown].map(money);
        [vec![name.clone(), it.trades.to_string(), won], amounts.to_vec()].concat()
    });
    output::table(&[&title.to_lowercase(), "trades", "won", "profit", "average", "drawdown"], rows)
}
