//! `tradewind demo`: a local exchange, a node that trades on it over real sockets, and a report at the end.

use super::backtest::write_page;
use super::local::{self, KEY, Market, SECRET};
use super::{journal, runtime};
use crate::cli::DemoArgs;
use crate::output::{self, Failure, Format};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tradewind_domain::{Interval, Origin, PortfolioId, Symbol};
use tradewind_engine::Counters;
use tradewind_node::settings::{Settings, StrategySettings};
use tradewind_node::{Node, OperatorReply, OperatorRequest, Surroundings, journal_dir};
use tradewind_research::report::{DataSource, Meta, Report, html};
use tradewind_research::session;

const CASH: &str = "30000";
/// Who trades what: each in a portfolio of its own.
const DESKS: [(&str, &str); 3] = [("ema-trend", "BTC/USDT"), ("vote", "ETH/USDT"), ("volatility-target", "SOL/USDT")];

#[derive(Serialize)]
struct Decisions {
    buy: u64,
    sell: u64,
    hold: u64,
    veto: u64,
}

#[derive(Serialize)]
struct Demo {
    fills: u64,
    decisions: Decisions,
    orders: u64,
    journal: &'static str,
    origin: Origin,
    seed: Option<u64>,
    events: u64,
    equity: Vec<String>,
    first_fill_seconds: Option<f64>,
    seconds: f64,
    trade_hash: String,
    report: Option<String>,
    reports: Vec<String>,
    data_dir: PathBuf,
}

pub(crate) fn run(args: &DemoArgs, format: Format) -> Result<ExitCode, Failure> {
    if let Some(aside) = local::set_aside(&args.data_dir)? {
        eprintln!("the earlier run was moved to {}", aside.display());
    }
    let demo = runtime()?.block_on(play(args))?;
    let sound = demo.journal == "verified";
    output::print(format, &demo, || text(&demo));
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(output::EXIT_WRONG) })
}

async fn play(args: &DemoArgs) -> Result<Demo, Failure> {
    let symbol: Symbol = args.symbol.parse().map_err(Failure::from_coded::<tradewind_domain::SymbolError>)?;
    let market = Market {
        port: 0,
        seed: args.seed,
        speed: args.speed,
        tape: args.tape.as_deref().map(|path| (path, symbol.clone())),
        cash: CASH,
    };
    let exchange = market.start().await?;
    let origin = market.origin();
    let settings = settings(args, &exchange.url(), &symbol)?;
    let key = Some((KEY.to_owned(), SECRET.to_owned()));
    let node = Node::start(settings, Surroundings { origin, key, after_bar: None }).await?;
    let what = if origin == Origin::Simulated { "simulated" } else { "recorded" };
    eprintln!("a {what} market at {}, ready in {} ms", exchange.url(), node.ready_in().as_millis());

    let started = Instant::now();
    let first_fill = watch(args, &node, &exchange).await;
    let seconds = started.elapsed().as_secs_f64();
    let ended = node.stop().await?;
    exchange.shutdown().await;

    let verified = journal::check(&journal_dir(&args.data_dir))?;
    let reports = write_reports(&args.data_dir)?;
    let counters: Counters = ended.state.counters;
    Ok(Demo {
        fills: counters.fills,
        decisions: Decisions { buy: counters.buy, sell: counters.sell, hold: counters.hold, veto: counters.veto },
        orders: counters.orders,
        journal: if verified.is_sound() { "verified" } else { "damaged" },
        origin,
        seed: args.tape.is_none().then_some(args.seed),
        events: ended.state.sequence,
        equity: ended.state.portfolios.iter().map(|portfolio| equity(portfolio)).collect(),
        first_fill_seconds: first_fill.map(|at| at.as_secs_f64()),
        seconds,
        trade_hash: ended.trade_hash,
        report: reports.first().cloned(),
        reports,
        data_dir: args.data_dir.clone(),
    })
}

fn equity(portfolio: &tradewind_engine::Portfolio) -> String {
    let units = tradewind_domain::Money { currency: portfolio.base, units: portfolio.equity() };
    format!("{}: {units}", portfolio.name)
}

fn settings(args: &DemoArgs, url: &str, symbol: &Symbol) -> Result<Settings, Failure> {
    let mut desks: Vec<(&str, Symbol)> = Vec::new();
    for (strategy, of) in DESKS {
        let of = if args.tape.is_some() { Ok(symbol.clone()) } else { of.parse() };
        desks.push((strategy, of.map_err(Failure::from_coded::<tradewind_domain::SymbolError>)?));
    }
    let mut symbols: Vec<Symbol> = desks.iter().map(|(_, symbol)| symbol.clone()).collect();
    symbols.dedup();
    let interval = match &args.tape {
        Some(path) => tape_interval(path, symbol),
        None => Interval::MINUTE,
    };
    let mut settings = local::settings(url, args.data_dir.clone(), symbols, &[]);
    settings.interval = interval;
    settings.strategy = desks
        .into_iter()
        .map(|(name, symbol)| StrategySettings {
            name: name.to_owned(),
            symbols: vec![symbol],
            parameters: toml::Table::new(),
        })
        .collect();
    Ok(settings)
}

/// Bars of a tape are as long as its file's; trades are made into bars of a minute.
fn tape_interval(path: &Path, symbol: &Symbol) -> Interval {
    let options = tradewind_history::ImportOptions { symbol: Some(symbol.clone()), ..Default::default() };
    tradewind_history::stream_bars(path, &options).map_or(Interval::MINUTE, |stream| stream.interval())
}

/// Shows how things go until the time is up, the tape ends, or somebody presses Ctrl-C.
async fn watch(args: &DemoArgs, node: &Node, exchange: &tradewind_exchange::ExchangeHandle) -> Option<Duration> {
    let started = Instant::now();
    let progress = output::progress(Some(args.duration.as_secs()), "fills 0");
    let mut first_fill = None;
    let mut every = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            _ = every.tick() => {
                let fills = fills(node).await;
                if fills > 0 {
                    first_fill.get_or_insert_with(|| started.elapsed());
                }
                progress.set_message(format!("fills {fills}"));
                progress.set_position(started.elapsed().as_secs());
                if started.elapsed() >= args.duration {
                    break;
                }
            }
            () = exchange.done() => break,
            () = node.stop_asked() => break,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    progress.finish_and_clear();
    first_fill
}

async fn fills(node: &Node) -> u64 {
    match node.request(OperatorRequest::Status).await {
        Ok(OperatorReply::Done { data }) => data["counters"]["fills"].as_u64().unwrap_or(0),
        _ => 0,
    }
}

/// One page for each portfolio, from the journal alone.
fn write_reports(data_dir: &Path) -> Result<Vec<String>, Failure> {
    let mut written = Vec::new();
    for place in 0..DESKS.len() {
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        let reader = tradewind_node::events(data_dir)?;
        let Some(outcome) = session::outcome(reader, portfolio)? else { continue };
        let meta = Meta {
            data: DataSource {
                path: journal_dir(data_dir).display().to_string(),
                format: "journal".to_owned(),
                ..DataSource::default()
            },
            notes: vec![
                "Traded on a local exchange over its own protocol; this page is made from the journal alone."
                    .to_owned(),
            ],
            ..Meta::default()
        };
        let report = Report::build(&outcome, meta)?;
        let name = if place == 0 { "report.html".to_owned() } else { format!("report-{}.html", report.strategy) };
        let path = data_dir.join(name);
        write_page(&path, &html(&report))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

fn text(demo: &Demo) -> String {
    let origin = format!("{:?}", demo.origin).to_lowercase();
    format!(
        "{} fills of {} orders in {:.0} s on a {origin} market; first fill after {} s\n\
         decisions: {} buy, {} sell, {} hold, {} refused by the gate\n{}\n\
         journal: {} events, {}\nreports: {}\n\n\
         next: tradewind replay {}",
        demo.fills,
        demo.orders,
        demo.seconds,
        demo.first_fill_seconds.map_or_else(|| "-".to_owned(), |s| format!("{s:.1}")),
        demo.decisions.buy,
        demo.decisions.sell,
        demo.decisions.hold,
        demo.decisions.veto,
        demo.equity.join("\n"),
        demo.events,
        demo.journal,
        demo.reports.join(", "),
        demo.data_dir.display(),
    )
}
