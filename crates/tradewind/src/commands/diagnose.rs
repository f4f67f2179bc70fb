//! `tradewind diagnose`: why a strategy does what it does.

use super::bars::{self, Bars};
use crate::cli::DiagnoseArgs;
use crate::output::{self, Failure, Format};
use std::process::ExitCode;
use tradewind_domain::FeeSchedule;
use tradewind_gate::Limits;
use tradewind_strategies::Rehearsal;
use tradewind_strategies::diagnose::diagnose;

pub(crate) fn run(args: &DiagnoseArgs, format: Format) -> Result<ExitCode, Failure> {
    let opened = Bars::open(&args.bars, FeeSchedule::bps(10, 10))?;
    let (strategy, _) = bars::strategy(&args.bars.strategy, opened.instrument.id)?;
    let deposit = bars::deposit(&args.bars, &opened.instrument)?;
    let rehearsal = Rehearsal::new(strategy, &opened.instrument, deposit, Limits::RESEARCH);
    let mut all = Vec::new();
    opened.feed(|bar| {
        all.push(*bar);
        Ok(())
    })?;
    let diagnosis = diagnose(rehearsal, all, args.last);
    output::print(format, &diagnosis, || diagnosis.render());
    Ok(ExitCode::SUCCESS)
}
