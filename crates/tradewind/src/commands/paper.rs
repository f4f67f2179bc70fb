//! `tradewind paper` and `tradewind live`: a node until it is stopped.

use super::local::{self, Market};
use super::{carry_out, config};
use crate::cli::PaperArgs;
use crate::output::{self, Failure, Format, counted};
use crate::signals::End;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tradewind_domain::{Coded, Origin};
use tradewind_node::settings::{NodeMode, Settings};
use tradewind_node::{DataDir, Node, Surroundings};

/// What a start says while another process holds the journal or the key.
const HELD: [&str; 2] = ["JRN-01", "NODE-37"];
/// How often a node in standby tries to start.
const STANDBY_WAIT: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &PaperArgs, format: Format) -> Result<ExitCode, Failure> {
    match &args.config {
        Some(path) => {
            let mut settings = config::read(Some(path))?;
            if let Some(data_dir) = &args.data_dir {
                settings.data_dir.clone_from(data_dir);
            }
            if settings.mode == NodeMode::Live {
                let hint = "use `tradewind live`, or set mode = \"paper\"";
                return Err(Failure::new("CLI-11", format!("{} says mode = \"live\"", path.display()), hint));
            }
            carry_out(2, on_venue(path, settings, args.duration, args.standby, format))?
        }
        None if args.standby => {
            let hint = "without --config each run has an exchange of its own: nothing is to be taken over";
            Err(Failure::new("CLI-05", "--standby needs --config", hint))
        }
        None => on_local_exchange(args, format),
    }
}

pub(crate) fn live(path: &Path, standby: bool, format: Format) -> Result<ExitCode, Failure> {
    let settings = Settings::read(path)?;
    if settings.mode != NodeMode::Live {
        let hint = "set mode = \"live\", or use `tradewind paper --config`";
        return Err(Failure::new("CLI-11", format!("{} does not say mode = \"live\"", path.display()), hint));
    }
    carry_out(2, on_venue(path, settings, None, standby, format))?
}

/// A venue on this machine is a local exchange and says itself what its market is.
async fn on_venue(
    file: &Path,
    settings: Settings,
    duration: Option<Duration>,
    standby: bool,
    format: Format,
) -> Result<ExitCode, Failure> {
    tradewind_node::live::check_settings(&settings)?; // before anything is asked of the venue
    let mut end = End::in_order();
    let origin = Box::pin(tradewind_node::venue_origin(&settings.venue.rest_url));
    let origin = end.unless_asked(origin, local::NOT_READY).await??;
    let surroundings = || Surroundings { origin, key: None, after_bar: None, settings_file: Some(file.to_owned()) };
    let mut told = false;
    loop {
        let started = local::start(&mut end, settings.clone(), surroundings()).await?;
        match started {
            Err(error) if standby && HELD.contains(&error.code()) => {
                if !told {
                    output::note(&format!("standing by until the other ends: {error}"));
                }
                told = true;
                tokio::select! {
                    () = tokio::time::sleep(STANDBY_WAIT) => (),
                    () = end.asked() => return Ok(ExitCode::SUCCESS),
                }
            }
            node => return trade(node?, end, duration, format, origin).await,
        }
    }
}

fn on_local_exchange(args: &PaperArgs, format: Format) -> Result<ExitCode, Failure> {
    let data_dir = args.data_dir.clone().unwrap_or_else(|| PathBuf::from(DataDir::DEFAULT));
    if let Some(aside) = tradewind_node::set_aside(&data_dir)? {
        output::note(&format!(
            "a simulated market begins anew; the earlier run was moved to {}, where `tradewind journal` and \
             `tradewind replay` read it",
            aside.display()
        ));
    }
    let market = Market { port: 0, seed: args.seed, speed: args.speed, tape: None, cash: "10000" };
    let symbols = vec!["BTC/USDT".parse().map_err(Failure::from_coded::<tradewind_domain::SymbolError>)?];
    let stage = market.stage()?;
    let settings = local::settings(&stage.exchange().url(), args.speed, data_dir, symbols, &["ema-trend"]);
    let code = stage.play(async {
        let mut end = End::in_order();
        let node = local::start(&mut end, settings, market.surroundings()).await??;
        trade(node, end, args.duration, format, market.origin()).await
    });
    stage.close();
    code
}

/// What a stop leaves to the next start, or to a person at the venue.
fn still_there(orders: usize) -> String {
    let orders = counted(orders as u64, "order");
    format!("{orders} may still be open at the venue, which did not confirm the cancel; the next start asks")
}

async fn trade(
    node: Node,
    mut end: End,
    duration: Option<Duration>,
    format: Format,
    origin: Origin,
) -> Result<ExitCode, Failure> {
    let found = node.recovered();
    found.found.iter().for_each(|text| output::note(text));
    output::note(&format!(
        "ready in {} ms on {} data; journal at event {} ({} folded in {} ms)",
        node.ready_in().as_millis(),
        format!("{origin:?}").to_lowercase(),
        found.sequence,
        found.folded,
        found.took.as_millis()
    ));
    local::note_what_holds(&node).await;
    let time_is_up = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time_is_up => (),
        () = node.stop_asked() => (),
        () = end.asked() => (),
    }
    let ended = node.stop().await?;
    let counters = ended.state.counters;
    // each was told to go, and the venue has not said that it is gone
    let doubtful = ended.state.open.values().filter(|record| ended.state.adds_exposure(record)).count();
    let value = serde_json::json!({
        "events": ended.state.sequence, "fills": counters.fills, "orders": counters.orders, "origin": origin,
        "open_orders": ended.state.open.len(), "may_be_open": doubtful, "halted": ended.state.halted, "trade_hash": ended.trade_hash,
    });
    output::print(format, &value, || {
        let done = format!(
            "stopped in order: {} events, {} orders, {} fills",
            ended.state.sequence, counters.orders, counters.fills
        );
        if doubtful == 0 { done } else { format!("{done}\n{}", still_there(doubtful)) }
    });
    Ok(ExitCode::SUCCESS)
}
