//! What the market did before: bars for the desks to warm up on.

use tradewind_domain::{Bar, Instrument, Interval};
use tradewind_strategies::Desk;
use tradewind_venues::QueryError;
use tradewind_venues::binance::Connection;

/// Bars of one page of the venue.
const PAGE: usize = 1_000;

/// The newest closed bars of `instrument`, oldest first: as many as the hungriest of its desks wants, at least one.
pub(crate) async fn closed_bars(
    connection: &Connection,
    instrument: &Instrument,
    interval: Interval,
    desks: &[Desk],
) -> Result<Vec<Bar>, QueryError> {
    let wanted = desks.iter().map(|desk| desk.bars_wanted(instrument.id)).max().unwrap_or(0).max(1);
    let count = u32::try_from((wanted + 1).min(PAGE)).unwrap_or(u32::MAX);
    let mut bars = connection.newest_bars(instrument.id, interval, count).await?;
    let Some(newest) = bars.last().copied() else { return Ok(bars) };
    if wanted + 1 > PAGE {
        let span = interval.nanos().saturating_mul(i64::try_from(wanted).unwrap_or(i64::MAX));
        bars.clear();
        let mut from = newest.open_time.plus_nanos(-span);
        loop {
            let page = connection.bars(instrument.id, interval, from).await?;
            let Some(last) = page.last() else { break };
            from = last.open_time.plus_nanos(interval.nanos());
            let full = page.len() == PAGE;
            bars.extend(page);
            if !full {
                break;
            }
        }
    }
    bars.pop(); // the newest one is still growing
    bars.drain(..bars.len().saturating_sub(wanted));
    Ok(bars)
}
