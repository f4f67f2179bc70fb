//! The report of a real market: eight years of hours of BTC/USDT as Binance recorded them.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{plan, run};
use std::path::{Path, PathBuf};
use tradewind_domain::{FeeSchedule, InstrumentId, InstrumentSpec, Origin};
use tradewind_gate::Limits;
use tradewind_history::{BarSeries, ImportOptions, read_bars};
use tradewind_research::Plan;
use tradewind_research::report::{DataSource, Meta, Report, html};
use tradewind_strategies::{EmaTrend, EmaTrendParams};

fn recordings(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TRADEWIND_RECORDINGS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} has no recordings", folder.display());
    eprintln!("no recordings: {test}");
    None
}

fn hours(test: &str) -> Option<BarSeries> {
    let file = recordings(test)?.join("ohlcv/crypto/binance-spot-1h/BTC_USDT-1h.feather");
    Some(read_bars(&file, &ImportOptions::default()).unwrap())
}

#[test]
fn eight_years_of_hours_make_a_report() {
    let Some(series) = hours("eight_years_of_hours_make_a_report") else { return };
    let spec = InstrumentSpec { fees: FeeSchedule::bps(10, 10), ..series.instrument.clone() };
    let outcome = run(
        Plan {
            instrument: spec.list(InstrumentId(0)).unwrap(),
            origin: Origin::Recorded,
            limits: Limits::RESEARCH,
            ..plan(EmaTrend::new(EmaTrendParams::default()).unwrap())
        },
        &series.bars,
    );
    let data = DataSource {
        path: "BTC_USDT-1h.feather".to_owned(),
        rows: series.source.rows,
        sha256: series.source.sha256.clone(),
        ..DataSource::default()
    };
    let report = Report::build(&outcome, Meta { data, ..Meta::default() }).unwrap();
    let page = html(&report);
    assert_eq!((report.bars, report.origin), (series.bars.len() as u64, Origin::Recorded));
    assert_eq!(report.start.as_deref(), Some("2018-01-01T00:00:00Z"));
    assert!(report.trades > 1_000 && report.round_trips > 500, "{} executions", report.trades);
    assert_eq!(report.data.sha256.as_deref().map(str::len), Some(64));

    // first open 13,715.65: the file's own numbers, by a plain division
    let (first, last) =
        (series.bars[0].open.mantissa() as f64, series.bars[series.bars.len() - 1].close.mantissa() as f64);
    let hold = report.benchmark.as_ref().unwrap();
    assert!((hold.growth.total_return.unwrap() - (last / first - 1.0)).abs() < 1e-9);
    let days = hold.growth.end_ns.unwrap() - hold.growth.start_ns.unwrap();
    let years = days as f64 / 86_400e9 / 365.25;
    assert!((hold.growth.cagr.unwrap() - ((last / first).powf(1.0 / years) - 1.0)).abs() < 1e-9);

    let wealth: f64 =
        report.statistics.monthly.iter().flat_map(|year| year.months.iter().flatten()).map(|r| 1.0 + r).product();
    let total = report.equity_final.parse::<f64>().unwrap() / 10_000.0;
    assert!((wealth / total - 1.0).abs() < 1e-9, "the months compound to the whole: {wealth} and {total}");
    assert!(page.contains("recorded market data") && page.contains("BTC/USDT"));
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}
