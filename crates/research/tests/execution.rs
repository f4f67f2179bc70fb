//! Orders in slices on a recorded market: how near they come to their schedule and to the volume.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)] // a test may

mod common;

use common::{Script, usdt};
use std::path::{Path, PathBuf};
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, FeeSchedule, Instrument, InstrumentId, InstrumentSpec, OrderRequest, Origin, PortfolioId, Quantity, Side,
    Source,
};
use tradewind_engine::algo::{
    Parent, ParentEnd, ParentId, ParentState, ParentWish, Participation, Plan as How, Schedule,
};
use tradewind_gate::Limits;
use tradewind_history::{BarSeries, ImportOptions, read_bars};
use tradewind_research::{Backtest, Plan};

/// Thirty days of minutes of BTC/USDT.
fn minutes(test: &str) -> Option<BarSeries> {
    let folder = std::env::var_os("TRADEWIND_RECORDINGS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if !folder.is_dir() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{} has no recordings", folder.display());
        eprintln!("no recordings: {test}");
        return None;
    }
    let file = folder.join("ohlcv/crypto/binance-spot-1m/BTC_USDT-1m.feather");
    Some(read_bars(&file, &ImportOptions::default()).unwrap())
}

/// Buys `quantity` by `how` from the close of the first bar on; shows each bar with the parent as it then is.
fn execute(series: &BarSeries, bars: &[Bar], quantity: &str, how: How, mut seen: impl FnMut(&Bar, &Parent)) -> Parent {
    let spec = InstrumentSpec { fees: FeeSchedule::bps(10, 10), ..series.instrument.clone() };
    let instrument: Instrument = spec.list(InstrumentId(0)).unwrap();
    let quantity = instrument.quantity(quantity).unwrap();
    let mut run = Backtest::new(Plan {
        instrument,
        origin: Origin::Recorded,
        deposit: usdt("100000000"),
        limits: Limits::OPEN,
        fill_policy: FillPolicy { volume_share_bps: Some(2_000), ..FillPolicy::default() },
        strategy: Box::new(Script::default()),
    });
    run.feed(&bars[0]).unwrap();
    let request = OrderRequest::market(InstrumentId(0), Side::Buy, quantity);
    let reason = "a test".to_owned();
    run.wish(ParentWish {
        entry: None,
        trade: None,
        source: Source::Operator,
        portfolio: PortfolioId(0),
        request,
        plan: how,
        reason,
    });
    for bar in &bars[1..] {
        run.feed(bar).unwrap();
        let parent = run.state().parents.get(ParentId(1)).unwrap();
        assert!(parent.filled() <= quantity, "it bought too much");
        seen(bar, parent);
        if parent.is_over() {
            break;
        }
    }
    run.state().parents.get(ParentId(1)).unwrap().clone()
}

#[test]
fn a_twap_of_four_hours_keeps_within_a_slice_of_its_schedule() {
    let Some(series) = minutes("a_twap_of_four_hours_keeps_within_a_slice_of_its_schedule") else { return };
    let bars = &series.bars[5_000..];
    let start = bars[0].close_time();
    let (total, slices) = (12.0, 48);
    let schedule = Schedule::even(start, 4 * 3_600 * 1_000_000_000, slices);
    let unit = 10_f64.powi(i32::from(series.instrument.quantity_decimals));
    let mut worst = 0.0_f64;
    let parent = execute(&series, bars, "12", How::Schedule(schedule), |bar, parent| {
        let elapsed = bar.close_time().since(start) as f64 / (4.0 * 3_600e9);
        let ideal = total * elapsed.min(1.0);
        worst = worst.max((parent.filled().mantissa() as f64 / unit - ideal).abs());
    });
    assert!(matches!(parent.state, ParentState::Over { end: ParentEnd::Finished, .. }), "{:?}", parent.state);
    assert_eq!(parent.children.len(), slices as usize);
    assert!(worst <= total / f64::from(slices) * 1.001, "{worst} away from its schedule");
}

#[test]
fn a_participation_of_five_percent_stays_at_five_percent() {
    let Some(series) = minutes("a_participation_of_five_percent_stays_at_five_percent") else { return };
    let bars = &series.bars[5_000..];
    let clip = Quantity::from_mantissa(series.instrument.lot.mantissa().max(series.instrument.min_quantity.mantissa()));
    let until = bars[0].close_time().plus_nanos(8 * 3_600 * 1_000_000_000);
    let part = Participation { rate_bps: 500, clip, until };
    let (mut volume, mut behind, mut largest) = (0_i128, 0_i128, 0_i128);
    let parent = execute(&series, bars, "15", How::Participate(part), |bar, parent| {
        let filled = i128::from(parent.filled().mantissa());
        // what this bar traded is answered at the next open
        assert!(filled <= volume / 20, "{filled} of {volume}: more than its part");
        behind = behind.max(volume / 20 - filled);
        if !parent.is_over() {
            volume += i128::from(bar.volume.mantissa());
            largest = largest.max(i128::from(bar.volume.mantissa()) / 20);
        }
    });
    assert!(matches!(parent.state, ParentState::Over { end: ParentEnd::Finished, .. }), "{:?}", parent.state);
    assert!(behind <= largest + i128::from(clip.mantissa()), "{behind} behind, the largest minute gives {largest}");
}
