//! `tradewind diagnose`: why a strategy does what it does.

use super::bars::{self, Bars};
use crate::cli::DiagnoseArgs;
use crate::output::{self, Failure, Format};
use std::process::ExitCode;
use tradewind_domain::FeeSchedule;
use tradewind_gate::Limits;
use tradewind_strategies::Rehearsal;
use tradewind_strategies::diagnose::diagnose;

/// Bars between two steps of the progress that is shown.
const STEP: usize = 10_000;

pub(crate) fn run(args: &DiagnoseArgs, format: Format) -> Result<ExitCode, Failure> {
    let opened = Bars::open(&args.bars, FeeSchedule::bps(10, 10))?;
    let (strategy, _) = bars::strategy(&args.bars.strategy, opened.instrument.id)?;
    let deposit = bars::deposit(&args.bars, &opened.instrument)?;
    let rehearsal = Rehearsal::new(strategy, &opened.instrument, deposit, Limits::RESEARCH);
    let mut all = Vec::new();
    let reading = output::progress(None, "bars read");
    opened.feed(|bar| {
        all.push(*bar);
        if all.len().is_multiple_of(STEP) {
            reading.set_position(all.len() as u64);
        }
        Ok(())
    })?;
    reading.finish_and_clear();
    let progress = output::progress(Some(all.len() as u64), "bars");
    let shown = all.into_iter().enumerate().inspect(|(count, _)| {
        if count.is_multiple_of(STEP) {
            progress.set_position(*count as u64);
        }
    });
    let diagnosis = diagnose(rehearsal, shown.map(|(_, bar)| bar), args.last);
    progress.finish_and_clear();
    output::print(format, &diagnosis, || diagnosis.render());
    Ok(ExitCode::SUCCESS)
}
