//! W3: two million depth and trade events, one quote a side at the best prices, queue position, latency.
//!
//! `ticks DATA_DIR/book.bin [RUNS]` replays the seeded feed as its peers do: every 100 ms of market time one limit order
//! a side, post-only, 10 lots at the best price as seen here, cancelled when the best has moved; latency 1 ms each way,
//! feed 1 ms, probability queue model of power 2, no partial fills. Times are CPU seconds of this thread, best of the
//! runs; one JSON line at the end.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use tradewind_book::{
    FeedLatency, FillSize, OrderLatency, QueueModel, TickEvent, TickKind, TickOrder, TickReport, TickReportKind,
    TickSetup, TickSim,
};
use tradewind_domain::{Price, Quantity, Side, TimeInForce, Timestamp};

const STEP: i64 = 100_000_000;
const MILLISECOND: i64 = 1_000_000;
const SIZE: Quantity = Quantity::from_mantissa(10);
/// One unit, in lots of a thousandth: where quoting stops adding to a side.
const POSITION_MAX: i64 = 1_000;

/// The one quote of a side, as known here.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Quote {
    #[default]
    None,
    Sent {
        id: u64,
        price: Price,
    },
    Working {
        id: u64,
        price: Price,
    },
    Cancelling {
        id: u64,
    },
}

impl Quote {
    const fn id(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Sent { id, .. } | Self::Working { id, .. } | Self::Cancelling { id } => Some(id),
        }
    }
}

#[derive(Debug, Default)]
struct Quoter {
    bid: Quote,
    ask: Quote,
    position: i64,
    orders: u64,
    sent: u64,
    fills: u64,
    rejected: u64,
}

impl Quoter {
    fn learn(&mut self, report: &TickReport) {
        let quote = if self.bid.id() == Some(report.id) { &mut self.bid } else { &mut self.ask };
        match report.kind {
            TickReportKind::Accepted => {
                if let Quote::Sent { id, price } = *quote {
                    *quote = Quote::Working { id, price };
                }
            }
            TickReportKind::Rejected { .. } => {
                self.rejected += 1;
                *quote = Quote::None;
            }
            TickReportKind::Fill { side, quantity, .. } => {
                self.fills += 1;
                self.position += side.sign() * quantity.mantissa();
                *quote = Quote::None;
            }
            TickReportKind::Cancelled { .. } => *quote = Quote::None,
            TickReportKind::CancelRefused => (), // its fill came or comes as a report of its own
        }
    }

    fn quote<I: Iterator<Item = TickEvent>>(&mut self, sim: &mut TickSim<I>, side: Side) {
        let best = if side == Side::Buy { sim.book().best_bid() } else { sim.book().best_ask() };
        let Some((best, _)) = best else { return };
        let quote = if side == Side::Buy { &mut self.bid } else { &mut self.ask };
        match *quote {
            Quote::Working { id, price } if price != best => {
                sim.cancel(id);
                *quote = Quote::Cancelling { id };
                self.sent += 1;
            }
            Quote::None if side.sign() * self.position < POSITION_MAX => {
                self.orders += 1;
                self.sent += 1;
                *quote = Quote::Sent { id: self.orders, price: best };
                sim.submit(TickOrder {
                    id: self.orders,
                    side,
                    limit: Some(best),
                    time_in_force: TimeInForce::Gtc,
                    post_only: true,
                    quantity: SIZE,
                });
            }
            Quote::None | Quote::Sent { .. } | Quote::Working { .. } | Quote::Cancelling { .. } => (),
        }
    }
}

fn setup() -> TickSetup {
    TickSetup {
        tick: Price::from_mantissa(1),
        lot: Quantity::from_mantissa(1),
        feed_latency: FeedLatency::Constant(MILLISECOND),
        order_latency: OrderLatency::Constant { entry: MILLISECOND, response: MILLISECOND },
        queue: QueueModel::Power(2),
        fill_size: FillSize::Whole,
    }
}

/// Reads a row of four little-endian numbers: time, kind, price in ticks, size in lots.
#[inline]
fn event(row: &[u8]) -> TickEvent {
    let number = |at: usize| i64::from_le_bytes(row[at * 8..at * 8 + 8].try_into().expect("rows of 32 bytes"));
    let (price, size) = (Price::from_mantissa(number(2)), Quantity::from_mantissa(number(3)));
    let kind = number(1); // 0 bid level, 1 ask level, 2 buy, 3 sell
    let side = if kind % 2 == 0 { Side::Buy } else { Side::Sell };
    let kind =
        if kind < 2 { TickKind::Level { side, price, size } } else { TickKind::Trade { aggressor: side, price, size } };
    let at = Timestamp::from_nanos(number(0));
    TickEvent { exchange_time: at, received: at, kind }
}

fn run(rows: &[u8]) -> anyhow::Result<(Quoter, u64)> {
    let mut sim = TickSim::new(setup(), rows.chunks_exact(32).map(event));
    let (mut quoter, mut reports, mut steps) = (Quoter::default(), Vec::new(), 0);
    while sim.advance(sim.now().plus_nanos(STEP), &mut reports)? {
        steps += 1;
        for report in reports.drain(..) {
            quoter.learn(&report);
        }
        quoter.quote(&mut sim, Side::Buy);
        quoter.quote(&mut sim, Side::Sell);
    }
    Ok((quoter, steps))
}

/// CPU seconds of this thread: wall time says little on a shared machine.
#[allow(clippy::cast_precision_loss)]
fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

#[allow(clippy::cast_precision_loss)]
fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("usage: ticks DATA_DIR/book.bin [RUNS]"))?;
    let runs: u32 = std::env::args().nth(2).map_or(Ok(5), |runs| runs.parse())?;
    let rows = std::fs::read(&path).map_err(|error| anyhow::anyhow!("cannot read {path}: {error}"))?;
    let events = rows.len() / 32;
    let (mut best, mut last) = (f64::MAX, None);
    for _ in 0..runs {
        let start = cpu_seconds();
        last = Some(run(black_box(&rows))?);
        best = best.min(cpu_seconds() - start);
    }
    let (quoter, steps) = last.ok_or_else(|| anyhow::anyhow!("RUNS is at least 1"))?;
    let line = serde_json::json!({
        "peer": "tradewind",
        "events": events,
        "run_cpu_s": best,
        "events_per_cpu_s": events as f64 / best,
        "steps": steps,
        "sent": quoter.sent,
        "quotes": quoter.orders,
        "fills": quoter.fills,
        "rejected": quoter.rejected,
        "position_lots": quoter.position,
        "peak_kib": tradewind_bench::peak_kib(),
    });
    #[allow(clippy::print_stdout)] // the data that this program is asked for
    {
        println!("{line}");
    }
    Ok(())
}
