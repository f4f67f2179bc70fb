//! Two million seeded ticks, quoted by a simple rule: as many orders and fills as another simulator gives.
//!
//! The reference is hftbacktest 2.4.4 (ROI vector depth, power queue model of 2, no partial fills, latencies of 1 ms) on
//! the same feed with the same rule, measured apart from this test: 38,581 requests and 16,094 fills.

#![allow(clippy::unwrap_used)] // an integration test is a test throughout

use std::collections::BTreeSet;
use tradewind_book::{
    FeedLatency, FillSize, OrderLatency, QueueModel, TickEvent, TickKind, TickOrder, TickReportKind, TickSetup, TickSim,
};
use tradewind_domain::{Price, Quantity, Side, TimeInForce, Timestamp};

const EVENTS: usize = 2_000_000;
const MILLISECOND: i64 = 1_000_000;

/// The `i`-th number of stream 1 of seed 7, counted from 1: splitmix64, by counter.
fn chance(i: u64) -> u64 {
    let seed = 7_u64.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(0xDA94_2042_E4DD_58B5);
    let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A feed whose mid walks by single ticks, with levels within twenty ticks of it; it never crosses.
#[derive(Default)]
struct Feed {
    events: Vec<TickEvent>,
    bids: BTreeSet<i64>,
    asks: BTreeSet<i64>,
    now: i64,
}

impl Feed {
    fn level(&mut self, side: Side, number: i64, lots: i64) {
        let live = if side == Side::Buy { &mut self.bids } else { &mut self.asks };
        let shown = if lots == 0 { live.remove(&number) } else { live.insert(number) || lots != 0 };
        if shown {
            let (price, size) = (Price::from_mantissa(number), Quantity::from_mantissa(lots));
            self.push(TickKind::Level { side, price, size });
        }
    }
    fn trade(&mut self, aggressor: Side, number: i64, lots: i64) {
        let (price, size) = (Price::from_mantissa(number), Quantity::from_mantissa(lots));
        self.push(TickKind::Trade { aggressor, price, size });
    }
    fn push(&mut self, kind: TickKind) {
        let at = Timestamp::from_nanos(self.now);
        self.events.push(TickEvent { exchange_time: at, received: at, kind });
    }

    fn new(events: usize) -> Self {
        let (mut feed, mut mid) = (Self { now: 1_704_067_200_000 * MILLISECOND, ..Self::default() }, 1_000_000);
        for k in 1..=20 {
            feed.level(Side::Buy, mid - k, 500);
            feed.level(Side::Sell, mid + k, 500);
        }
        for r in (1..=events as u64).map(chance) {
            let part = |shift: u32, of: u64| i64::try_from((r >> shift) % of).unwrap();
            let (away, lots, buys) = (part(8, 20), part(16, 1_000), part(48, 2) == 1);
            feed.now += part(52, 4_000) * 1_000 + 1_000;
            match part(32, 400) {
                0 => {
                    mid += 1;
                    feed.level(Side::Sell, mid, 0);
                }
                1 => {
                    mid -= 1;
                    feed.level(Side::Buy, mid, 0);
                }
                _ => (),
            }
            let shown = if lots >= 100 { lots } else { 0 };
            match (part(0, 100) < 85, buys) {
                (true, true) => feed.level(Side::Buy, mid - 1 - away, shown),
                (true, false) => feed.level(Side::Sell, mid + 1 + away, shown),
                (false, true) if !feed.asks.is_empty() => feed.trade(Side::Buy, mid + 1, 1 + lots % 50),
                (false, _) if !feed.bids.is_empty() => feed.trade(Side::Sell, mid - 1, 1 + lots % 50),
                (false, _) => (),
            }
        }
        feed
    }
}

/// What is known here of the one order of a side: its id, its price, whether it may be cancelled.
type Quote = Option<(u64, Price, bool)>;

#[test]
fn quoting_two_million_ticks_gives_the_orders_and_fills_of_hftbacktest() {
    let events = Feed::new(EVENTS).events;
    assert_eq!(events.len(), 1_990_294, "the feed of the reference");
    let setup = TickSetup {
        tick: Price::from_mantissa(1),
        lot: Quantity::from_mantissa(1),
        feed_latency: FeedLatency::Constant(MILLISECOND),
        order_latency: OrderLatency::Constant { entry: MILLISECOND, response: MILLISECOND },
        queue: QueueModel::Power(2),
        fill_size: FillSize::Whole,
    };
    let mut sim = TickSim::new(setup, events.into_iter());
    let (mut reports, mut quotes) = (Vec::new(), [Quote::None; 2]);
    let (mut position, mut sent, mut fills, mut ids, mut steps) = (0, 0, 0, 0, 0);
    while sim.advance(sim.now().plus_nanos(100 * MILLISECOND), &mut reports).unwrap() {
        steps += 1;
        for report in reports.drain(..) {
            let quote = quotes.iter_mut().find(|quote| quote.is_some_and(|(id, ..)| id == report.id));
            match (report.kind, quote) {
                (TickReportKind::Accepted, Some(Some(quote))) => quote.2 = true,
                (TickReportKind::Fill { side, quantity, .. }, Some(quote)) => {
                    (fills, position) = (fills + 1, position + side.sign() * quantity.mantissa());
                    *quote = None;
                }
                (TickReportKind::Cancelled { .. } | TickReportKind::Rejected { .. }, Some(quote)) => *quote = None,
                _ => (), // a cancel that its fill overtook
            }
        }
        for side in [Side::Buy, Side::Sell] {
            let (quote, best) = (&mut quotes[side as usize], sim.book().best(side).unwrap().0);
            match quote {
                Some((id, price, free @ true)) if *price != best => {
                    sim.cancel(*id);
                    (*free, sent) = (false, sent + 1);
                }
                None if side.sign() * position < 1_000 => {
                    (ids, sent) = (ids + 1, sent + 1);
                    let (limit, quantity) = (Some(best), Quantity::from_mantissa(10));
                    let time_in_force = TimeInForce::Gtc;
                    sim.submit(TickOrder { id: ids, side, limit, time_in_force, post_only: true, quantity });
                    *quote = Some((ids, best, false));
                }
                Some(_) | None => (),
            }
        }
    }
    assert_eq!((steps, sent, fills), (39_087, 38_581, 16_094));
}
