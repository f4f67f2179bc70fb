//! Recorded funding rates for a back-test of a perpetual contract.

use super::bars::tell_defects;
use crate::output::Failure;
use std::iter::Peekable;
use std::path::Path;
use std::vec::IntoIter;
use tradewind_domain::{Bar, Instrument, InstrumentKind, Timestamp, round_div};
use tradewind_history::{FundingSeries, ImportOptions, OnDefect, read_funding};

const SECOND: i64 = 1_000_000_000;
/// Decimals of a rate as the engine books it.
const DECIMALS: u32 = 8;

/// Rates that are still to be settled, oldest first.
#[derive(Debug)]
pub(crate) struct Funding(Peekable<IntoIter<(Timestamp, i64)>>);

impl Funding {
    /// Reads the rates of `instrument`. Times are taken to the second: venues are milliseconds late.
    ///
    /// # Errors
    /// `CLI-05` where the instrument is no perpetual contract; what [`read_funding`] finds.
    pub(crate) fn open(path: &Path, instrument: &Instrument, accept_defects: bool) -> Result<Self, Failure> {
        if !matches!(instrument.spec.kind, InstrumentKind::LinearPerpetual | InstrumentKind::InversePerpetual) {
            let message = format!("--funding: {} is no perpetual contract", instrument.spec.symbol);
            return Err(Failure::new("CLI-05", message, "name one, such as BTC/USDT:USDT"));
        }
        let on_defect = if accept_defects { OnDefect::Report } else { OnDefect::Refuse };
        let FundingSeries { rates, decimals, defects, .. } =
            read_funding(path, &ImportOptions { on_defect, ..ImportOptions::default() })?;
        tell_defects(path, &defects);
        let second = |at: Timestamp| Timestamp::from_nanos(at.nanos() - at.nanos().rem_euclid(SECOND));
        let rates = rates.into_iter().map(|(at, rate)| (second(at), rate_e8(rate, decimals.into())));
        Ok(Self(rates.collect::<Vec<_>>().into_iter().peekable()))
    }

    /// Lets go of what fell due before a back-test's first bar.
    pub(crate) fn skip_before(&mut self, first: Timestamp) {
        while self.0.next_if(|(at, _)| *at < first).is_some() {}
    }

    /// The next rate that falls due before `bar` closes, at a position that this bar has not changed yet.
    pub(crate) fn due(&mut self, bar: &Bar) -> Option<(Timestamp, i64)> {
        self.0.next_if(|(at, _)| *at < bar.close_time())
    }
}

/// A rate in parts per 10⁸, rounded half to even where it was recorded finer.
fn rate_e8(mantissa: i64, decimals: u32) -> i64 {
    let rate = match decimals.checked_sub(DECIMALS) {
        None => i128::from(mantissa) * 10_i128.pow(DECIMALS - decimals),
        Some(finer) => round_div(mantissa.into(), 10_i128.pow(finer)),
    };
    i64::try_from(rate).unwrap_or(if mantissa < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_parts_of_a_hundred_million_whatever_their_decimals() {
        for (mantissa, decimals, want) in
            [(1, 4, 10_000), (-75, 6, -7_500), (10_000, 8, 10_000), (25, 9, 2), (35, 9, 4), (-15, 9, -2), (0, 3, 0)]
        {
            assert_eq!(rate_e8(mantissa, decimals), want, "{mantissa} at {decimals}");
        }
    }
}
