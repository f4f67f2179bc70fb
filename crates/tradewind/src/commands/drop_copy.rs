//! `tradewind drop-copy`: another process's look at the account of a node.

use super::{carry_out, journal};
use crate::cli::{Checking, DropCopyArgs};
use crate::output::{self, Failure, Format, counted};
use crate::signals::{self, End};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use tradewind_domain::Origin;
use tradewind_engine::Drift;
use tradewind_node::settings::Settings;
use tradewind_node::{DropCopy, LOOK_AGAIN, LOOKS, Look, NodeError, Surroundings, halt_by_file};

/// What is said where a signal comes before there is anything to tell.
const UNSEEN: &str = "interrupted before both sides were compared";

/// What came of all looks.
#[derive(Default, Serialize)]
struct Summary {
    /// How often both sides were read.
    looks: u64,
    /// How often one of them could not be.
    blind: u64,
    /// Every difference that was certain, as it was when it became so.
    differences: Vec<Drift>,
    /// Whether this process threw the kill switch.
    halted: bool,
    /// The last look that saw both sides.
    last: Option<Look>,
}

pub(crate) fn run(args: &DropCopyArgs, format: Format) -> Result<ExitCode, Failure> {
    let mut settings = Settings::read(&args.config)?;
    if let Some(data_dir) = &args.data_dir {
        settings.data_dir.clone_from(data_dir);
    }
    journal::locate(&settings.data_dir)?;
    let summary = carry_out(1, watch(args, &settings, End::in_order()))??;
    output::print(format, &summary, || told(&summary));
    Ok(Checking::DropCopy.ended(summary.differences.is_empty()))
}

async fn watch(args: &DropCopyArgs, settings: &Settings, mut end: End) -> Result<Summary, Failure> {
    let mut copy = end.unless_asked(Box::pin(start(args, settings)), UNSEEN).await??;
    let (mut summary, mut known, mut blind_in_a_row) = (Summary::default(), BTreeSet::new(), 0);
    loop {
        let looked = tokio::select! {
            looked = copy.look() => looked,
            () = end.asked() => return so_far(summary, args),
        };
        let mut wait = args.every;
        match looked {
            Ok(look) => {
                (summary.looks, blind_in_a_row) = (summary.looks + 1, 0);
                for drift in look.differences.iter().filter(|drift| known.insert(drift.what.clone())) {
                    let text = alarm(drift);
                    output::note(&format!("alarm: {text}"));
                    if args.halt && !summary.halted {
                        summary.halted = throw(&settings.data_dir, &text)?;
                    }
                    summary.differences.push(drift.clone());
                }
                let certain = look.unsettled == 0;
                if !certain {
                    wait = wait.min(LOOK_AGAIN);
                }
                if summary.looks == 1 && !args.once {
                    output::note(&first(&look, args));
                }
                summary.last = Some(look);
                if args.once && certain {
                    return Ok(summary);
                }
            }
            Err(error) if args.once => return Err(error.into()),
            Err(error) => {
                (summary.blind, blind_in_a_row) = (summary.blind + 1, blind_in_a_row + 1);
                let word = if blind_in_a_row >= LOOKS { "alarm: blind" } else { "not seen" };
                output::note(&format!("{word}: {error}"));
                tokio::select! {
                    again = start(args, settings) => if let Ok(again) = again { copy = again },
                    () = end.asked() => return so_far(summary, args),
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => (),
            () = end.asked() => return so_far(summary, args),
        }
    }
}

/// What an interrupted watch has seen. One look that is to be certain has seen nothing before it is.
fn so_far(summary: Summary, args: &DropCopyArgs) -> Result<Summary, Failure> {
    if args.once || summary.looks == 0 { Err(signals::failure(UNSEEN)) } else { Ok(summary) }
}

async fn start(args: &DropCopyArgs, settings: &Settings) -> Result<DropCopy, NodeError> {
    let surroundings = Surroundings { origin: Origin::Live, key: None, after_bar: None, settings_file: None };
    DropCopy::start(settings, &surroundings, args.since).await
}

fn throw(data_dir: &Path, why: &str) -> Result<bool, Failure> {
    let thrown = halt_by_file(data_dir, &format!("drop copy: {why}"))?;
    output::note(if thrown { "the kill switch is thrown" } else { "the kill switch was on already" });
    Ok(thrown)
}

fn alarm(drift: &Drift) -> String {
    format!("{} is {} in the journal and {} at the venue", drift.what, drift.ours, drift.venue)
}

fn first(look: &Look, args: &DropCopyArgs) -> String {
    format!(
        "{} compared with the journal through record {}; again every {} s, Ctrl-C ends it",
        counted(look.compared as u64, "execution"),
        look.records,
        args.every.as_secs_f64()
    )
}

fn told(summary: &Summary) -> String {
    let Some(last) = &summary.last else { return "ended before both sides were read".to_owned() };
    let mut lines = vec![format!(
        "{}, {} of them blind; {} of the venue and the journal through record {}: {}",
        counted(summary.looks + summary.blind, "look"),
        summary.blind,
        counted(last.compared as u64, "execution"),
        last.records,
        if summary.differences.is_empty() { "they tell the same" } else { "they differ" }
    )];
    lines.extend(summary.differences.iter().map(alarm));
    for position in &last.positions {
        let value = position.value.as_ref().map_or_else(String::new, |value| format!(", worth {value}"));
        lines.push(format!("{}: {} held{value}", position.symbol, position.held));
    }
    lines.join("\n")
}
