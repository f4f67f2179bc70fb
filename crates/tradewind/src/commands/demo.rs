//! `tradewind demo`: a local exchange, a node that trades on it over real sockets, and a report at the end.

use super::backtest::write_page;
use super::journal;
use super::local::{self, LocalExchange, Market};
use super::recording::Recording;
use crate::cli::{Checking, DemoArgs};
use crate::output::{self, Failure, Format, counted};
use crate::signals::End;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tradewind_book::FillPolicy;
use tradewind_domain::{LEDGER_DECIMALS, Origin, PortfolioId, Symbol, format_decimal, parse_decimal};
use tradewind_engine::{Counters, Portfolio};
use tradewind_node::settings::{Settings, StrategySettings};
use tradewind_node::{DataDir, Ended, Node, OperatorReply, OperatorRequest};
use tradewind_research::report::{DataSource, Meta, Report, html};
use tradewind_research::session;

const CASH: &str = "30000";
/// Market seconds per second of the simulated market.
const SPEED: f64 = 120.0;
/// Who trades what: each in a portfolio of its own.
const DESKS: [(&str, &str); 3] = [("ema-trend", "BTC/USDT"), ("vote", "ETH/USDT"), ("volatility-target", "SOL/USDT")];

#[derive(Serialize)]
struct Decisions {
    buy: u64,
    sell: u64,
    hold: u64,
    veto: u64,
}

/// What one portfolio came to. Amounts are decimal text.
#[derive(Serialize)]
struct Books {
    name: String,
    currency: String,
    deposit: String,
    equity: String,
}

#[derive(Serialize)]
struct Demo {
    fills: u64,
    decisions: Decisions,
    orders: u64,
    journal: &'static str,
    origin: Origin,
    seed: Option<u64>,
    tape: Option<PathBuf>,
    /// What the tape is of.
    symbol: Option<Symbol>,
    /// What the exchange assumed about fills on bars.
    fill_policy: Option<FillPolicy>,
    events: u64,
    portfolios: Vec<Books>,
    first_fill_seconds: Option<f64>,
    seconds: f64,
    trade_hash: String,
    report: Option<String>,
    reports: Vec<String>,
    data_dir: PathBuf,
}

/// How the time went, as seen from outside the engine.
struct Watched {
    first_fill: Option<Duration>,
    took: Duration,
}

pub(crate) fn run(args: &DemoArgs, format: Format) -> Result<ExitCode, Failure> {
    let recording = Recording::of(&args.recorded)?;
    let market = Market {
        port: 0,
        seed: args.seed,
        speed: args.speed.or(recording.as_ref().map(Recording::speed)).unwrap_or(SPEED),
        tape: recording.as_ref(),
        cash: recording.as_ref().map_or(CASH, Recording::cash),
    };
    if let Some(aside) = tradewind_node::set_aside(&args.data_dir)? {
        output::note(&format!("the earlier run was moved to {}", aside.display()));
    }
    let stage = market.stage()?;
    let played = stage.play(play(args, &market, stage.exchange()));
    stage.close();
    let (ended, watched) = played?;
    let demo = look_back(args, &market, &ended, &watched)?;
    let sound = demo.journal == "verified";
    output::print(format, &demo, || text(&demo));
    Ok(Checking::Demo.ended(sound))
}

async fn play(args: &DemoArgs, market: &Market<'_>, exchange: &LocalExchange) -> Result<(Ended, Watched), Failure> {
    let mut end = End::in_order();
    let settings = settings(args, &exchange.url(), market)?;
    let node = local::start(&mut end, settings, market.surroundings()).await??;
    output::note(&format!(
        "a {} at {}, ready in {} ms; {} s at {} times its speed, Ctrl-C ends it early",
        market.name(),
        exchange.url(),
        node.ready_in().as_millis(),
        args.duration.as_secs_f64(),
        market.speed,
    ));
    if let Some(text) = market.fills_text() {
        output::note(&text);
    }
    local::note_what_holds(&node).await;
    let watched = watch(args, &node, exchange, &mut end).await;
    Ok((node.stop().await?, watched))
}

/// What is left when all has ended: the journal, and the pages made from it.
fn look_back(args: &DemoArgs, market: &Market<'_>, ended: &Ended, watched: &Watched) -> Result<Demo, Failure> {
    let verified = journal::check(&DataDir::new(&args.data_dir).journal());
    let reports = write_reports(&args.data_dir, market)?;
    let counters: Counters = ended.state.counters;
    Ok(Demo {
        fills: counters.fills,
        decisions: Decisions { buy: counters.buy, sell: counters.sell, hold: counters.hold, veto: counters.veto },
        orders: counters.orders,
        journal: if verified.is_sound() { "verified" } else { "damaged" },
        origin: market.origin(),
        seed: market.tape.is_none().then_some(args.seed),
        tape: args.recorded.tape.clone(),
        symbol: market.tape.map(|tape| tape.symbol.clone()),
        fill_policy: market.fills(),
        events: ended.state.sequence,
        portfolios: ended.state.portfolios.iter().map(books).collect(),
        first_fill_seconds: watched.first_fill.map(|at| at.as_secs_f64()),
        seconds: watched.took.as_secs_f64(),
        trade_hash: ended.trade_hash.clone(),
        report: reports.first().cloned(),
        reports,
        data_dir: args.data_dir.clone(),
    })
}

fn books(portfolio: &Portfolio) -> Books {
    let deposited = portfolio.holdings().iter().find(|holding| holding.currency == portfolio.base);
    let text = |units| format_decimal(units, LEDGER_DECIMALS);
    Books {
        name: portfolio.name.clone(),
        currency: portfolio.base.to_string(),
        deposit: text(deposited.map_or(0, |holding| holding.deposited)),
        equity: text(portfolio.equity()),
    }
}

fn settings(args: &DemoArgs, url: &str, market: &Market<'_>) -> Result<Settings, Failure> {
    let tape = market.tape;
    let mut desks: Vec<(&str, Symbol)> = Vec::new();
    for (strategy, of) in DESKS {
        let of = tape.map_or_else(|| of.parse(), |tape| Ok(tape.symbol.clone()));
        desks.push((strategy, of.map_err(Failure::from_coded::<tradewind_domain::SymbolError>)?));
    }
    let mut symbols: Vec<Symbol> = desks.iter().map(|(_, symbol)| symbol.clone()).collect();
    symbols.dedup();
    let short = tape.is_some_and(Recording::is_short);
    if short {
        output::note("the tape is short: its bars are seconds, and the strategies look back over a few of them only");
    }
    let mut settings = local::settings(url, market.speed, args.data_dir.clone(), symbols, &[]);
    if let Some(tape) = tape {
        tape.tell_dear(cash_of_each(market.cash, settings.operator_cash.bps()));
    }
    settings.interval = tape.map_or(settings.interval, |tape| tape.interval);
    settings.strategy = desks
        .into_iter()
        .map(|(name, symbol)| StrategySettings {
            symbols: vec![symbol],
            parameters: if short { short_windows(name) } else { toml::Table::new() },
            ..StrategySettings::named(name)
        })
        .collect();
    Ok(settings)
}

/// What each strategy has of `cash`, of which so many basis points are kept for orders by hand.
fn cash_of_each(cash: &str, by_hand_bps: u32) -> i128 {
    let cash = parse_decimal(cash, LEDGER_DECIMALS).map_or(0, i128::from); // the exchange has refused what cannot be read
    cash * i128::from(10_000_u32.saturating_sub(by_hand_bps)) / 10_000 / DESKS.len() as i128
}

/// Windows that a tape of less than a minute can fill.
fn short_windows(strategy: &str) -> toml::Table {
    let windows: &[(&str, i64)] = match strategy {
        "ema-trend" => &[("fast", 2), ("slow", 5)],
        "volatility-target" => &[("period", 8)],
        _ => &[("fast", 2), ("slow", 5), ("rsi_period", 4), ("channel", 5), ("mean_period", 8)],
    };
    windows.iter().map(|(name, bars)| ((*name).to_owned(), toml::Value::Integer(*bars))).collect()
}

/// Shows how things go until the time is up, the tape ends, or somebody presses Ctrl-C.
async fn watch(args: &DemoArgs, node: &Node, exchange: &LocalExchange, end: &mut End) -> Watched {
    let started = Instant::now();
    let progress = output::progress(Some(args.duration.as_secs()), "0 fills");
    let mut first_fill = None;
    let mut every = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            _ = every.tick() => {
                let now = glance(node).await;
                if now.fills > 0 {
                    first_fill.get_or_insert_with(|| started.elapsed());
                }
                progress.set_message(format!("{} fills, equity {}", now.fills, now.equity));
                progress.set_position(started.elapsed().as_secs());
                if started.elapsed() >= args.duration {
                    break;
                }
            }
            () = exchange.done() => break,
            () = node.stop_asked() => break,
            () = end.asked() => break,
        }
    }
    progress.finish_and_clear();
    Watched { first_fill, took: started.elapsed() }
}

/// How things stand.
#[derive(Default)]
struct Glance {
    fills: u64,
    equity: String,
}

async fn glance(node: &Node) -> Glance {
    let Ok(OperatorReply::Done { data }) = node.request(OperatorRequest::Status).await else {
        return Glance::default();
    };
    let rows = data["portfolios"].as_array().map(Vec::as_slice).unwrap_or_default();
    let units = |row: &serde_json::Value| parse_decimal(row["equity"].as_str().unwrap_or("0"), LEDGER_DECIMALS);
    let cents = rows.iter().filter_map(|row| units(row).ok()).map(i128::from).sum::<i128>() / 1_000_000;
    let base = rows.first().and_then(|row| row["base"].as_str()).unwrap_or_default();
    Glance {
        fills: data["counters"]["fills"].as_u64().unwrap_or(0),
        equity: format!("{} {base}", format_decimal(cents, 2)),
    }
}

/// One page for each portfolio, from the journal alone.
fn write_reports(data_dir: &Path, market: &Market<'_>) -> Result<Vec<String>, Failure> {
    let from_journal = "Traded on a local exchange over its own protocol; this page is made from the journal alone.";
    let assumed =
        market.fills().map(|fills| format!("Recorded bars, of which the exchange assumed: {}", fills.describe()));
    let notes: Vec<String> = std::iter::once(from_journal.to_owned()).chain(assumed).collect();
    let mut written = Vec::new();
    for place in 0..DESKS.len() {
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        let reader = tradewind_node::events(data_dir)?;
        let Some(outcome) = session::outcome(reader, portfolio)? else { continue };
        let meta = Meta {
            data: DataSource {
                path: DataDir::new(data_dir).journal().display().to_string(),
                format: "journal".to_owned(),
                ..DataSource::default()
            },
            notes: notes.clone(),
            ..Meta::default()
        };
        let report = Report::build(&outcome, meta)?;
        let layout = DataDir::new(data_dir);
        let path = if place == 0 { layout.report() } else { layout.report_of(&report.strategy) };
        write_page(&path, &html(&report))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

fn text(demo: &Demo) -> String {
    let origin = format!("{:?}", demo.origin).to_lowercase();
    let of = demo.symbol.as_ref().map_or_else(String::new, |symbol| format!(" of {symbol}"));
    let row = |it: &Books| vec![it.name.clone(), format!("{} {}", it.equity, it.currency)];
    let desks = output::table(&["portfolio", "equity"], demo.portfolios.iter().map(row));
    let reports: Vec<String> = demo.reports.iter().map(|report| format!("  {report}")).collect();
    format!(
        "{} of {} in {:.0} s on a {origin} market{of}; the first after {} s\n\
         decisions: {} buy, {} sell, {} hold, {} refused by the gate\n\n{desks}\n\n\
         journal: {} events, {}\nreports:\n{}\n\n\
         next:\n{}",
        counted(demo.fills, "fill"),
        counted(demo.orders, "order"),
        demo.seconds,
        demo.first_fill_seconds.map_or_else(|| "-".to_owned(), |s| format!("{s:.1}")),
        demo.decisions.buy,
        demo.decisions.sell,
        demo.decisions.hold,
        demo.decisions.veto,
        demo.events,
        demo.journal,
        reports.join("\n"),
        next_steps(&demo.data_dir),
    )
}

fn next_steps(data_dir: &Path) -> String {
    let dir = data_dir.display();
    let steps = [
        (format!("tradewind replay {dir}"), "decide everything again, and compare"),
        (format!("tradewind journal show {dir}"), "read what was remembered"),
        ("tradewind paper --help".to_owned(), "trade until you stop it, with settings of your own"),
    ];
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    steps.iter().map(|(command, what)| format!("  {command:width$}   {what}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_has_its_part_of_what_orders_by_hand_leave() {
        assert_eq!(cash_of_each(CASH, 2_000), 8_000 * tradewind_domain::pow10(LEDGER_DECIMALS.into()));
        assert_eq!(cash_of_each("0.5", 10_000), 0);
    }
}
