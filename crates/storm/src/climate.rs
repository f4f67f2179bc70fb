//! A bundle at work: what goes wrong all the time, and what it came to.

use crate::bundle::{Bundle, Knob};
use crate::chance::Chance;
use crate::orders::{MILLI, SECOND};
use crate::queue::Back;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a bundle did to a storm, and how the market was meanwhile. Counts begin with the storm and end with the calm.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Acted {
    /// Candles that the venue closed.
    pub candles: u64,
    /// Of those, that never came.
    pub candles_missing: u64,
    /// Quotes with both sides that the venue sent.
    pub quotes: u64,
    /// Quotes that came late.
    pub marks_late: u64,
    /// New orders that were sent; a pair is one.
    pub orders: u64,
    /// Of those, that the venue answered with an error.
    pub order_errors: u64,
    /// Orders that found half of what they asked for.
    pub partials: u64,
    /// Requests and answers that took longer.
    pub delayed: u64,
    /// Mean spread of the venue's quotes, in basis points.
    pub spread_bps: f64,
    /// Mean distance between open and close of a one-minute candle, in basis points.
    pub minute_bps: f64,
    /// Largest fall of any price from its highest so far, in basis points of that.
    pub fall_bps: f64,
    /// Largest rise of any price from its lowest so far, in basis points of that.
    pub rise_bps: f64,
}

impl Acted {
    /// Counts are added up, means weighed, and of the largest the larger is kept.
    pub(crate) fn add(&mut self, more: &Self) {
        self.spread_bps = mean((self.spread_bps, self.quotes), (more.spread_bps, more.quotes));
        self.minute_bps = mean((self.minute_bps, self.candles), (more.minute_bps, more.candles));
        self.fall_bps = self.fall_bps.max(more.fall_bps);
        self.rise_bps = self.rise_bps.max(more.rise_bps);
        self.candles += more.candles;
        self.candles_missing += more.candles_missing;
        self.quotes += more.quotes;
        self.marks_late += more.marks_late;
        self.orders += more.orders;
        self.order_errors += more.order_errors;
        self.partials += more.partials;
        self.delayed += more.delayed;
    }
}

/// What goes wrong all the time. Without a bundle nothing does, nothing is drawn and nothing counted.
pub(crate) struct Climate {
    bundle: Option<Bundle>,
    is_resting: bool,
    chance: Chance,
    acted: Acted,
    /// From when until when quotes are held back.
    stale: (i64, i64),
    /// Lowest and highest price of each symbol so far.
    seen: BTreeMap<usize, (i64, i64)>,
}

impl Climate {
    pub(crate) fn new(bundle: Option<Bundle>, seed: u64) -> Self {
        let (chance, acted) = (Chance::new(seed, 4), Acted::default());
        Self { bundle, is_resting: false, chance, acted, stale: (i64::MIN, i64::MIN), seen: BTreeMap::new() }
    }

    /// What it did, where there was a bundle.
    pub(crate) fn acted(&self) -> Option<Acted> {
        self.bundle.map(|_| self.acted.clone())
    }

    /// Ends whatever goes wrong.
    pub(crate) fn rest(&mut self) {
        self.is_resting = true;
    }

    /// The bundle, until the calm.
    fn at_work(&self) -> Option<Bundle> {
        self.bundle.filter(|_| !self.is_resting)
    }

    fn figure(&self, knob: Knob) -> u32 {
        self.at_work().map_or(0, |bundle| bundle.figure(knob))
    }

    fn strikes(&mut self, knob: Knob) -> bool {
        let percent = self.figure(knob);
        percent > 0 && self.chance.below(100) < u64::from(percent)
    }

    /// How much longer a request or an answer takes.
    pub(crate) fn latency(&mut self) -> i64 {
        let latency = i64::from(self.figure(Knob::Latency)) * MILLI;
        self.acted.delayed += u64::from(latency > 0);
        latency
    }

    /// The error with which the venue answers a new order, and whether it carries the order out all the same.
    pub(crate) fn order_error(&mut self) -> Option<(Back, bool)> {
        self.acted.orders += u64::from(self.at_work().is_some());
        if !self.strikes(Knob::OrderErrors) {
            return None;
        }
        self.acted.order_errors += 1;
        Some(match self.chance.below(4) {
            0 | 1 => (Back::Closed, false),
            2 => (Back::Overloaded, false),
            _ => (Back::ServerError, true),
        })
    }

    /// Whether the next order finds half of what it asks for.
    pub(crate) fn is_partial(&mut self) -> bool {
        self.strikes(Knob::Partials)
    }

    /// An order found half of what it asked for.
    pub(crate) fn note_partial(&mut self) {
        self.acted.partials += 1;
    }

    /// Whether a candle never comes. `change` is its close as against its open, as a fraction.
    pub(crate) fn loses_candle(&mut self, change: f64) -> bool {
        if self.at_work().is_none() {
            return false;
        }
        self.acted.minute_bps = mean((self.acted.minute_bps, self.acted.candles), (change.abs() * 1e4, 1));
        self.acted.candles += 1;
        let missing = self.strikes(Knob::MissingCandles);
        self.acted.candles_missing += u64::from(missing);
        missing
    }

    /// When a quote of `now` comes, if it comes late: those that are held back come together, in their order.
    pub(crate) fn holds_quote(&mut self, now: i64) -> Option<i64> {
        let every = i64::from(self.figure(Knob::StaleEvery)) * SECOND;
        if every == 0 {
            return None;
        }
        let length = i64::from(self.figure(Knob::StaleMarks)) * SECOND;
        if now >= self.stale.1 {
            let turn = now - now.rem_euclid(every);
            let turn = if self.stale.0 >= turn { turn + every } else { turn };
            let from = turn + self.chance.between(0, (every - length) / SECOND) * SECOND;
            self.stale = (from, from + length);
        }
        let (from, until) = self.stale;
        let held = (from..until).contains(&now);
        self.acted.marks_late += u64::from(held);
        held.then(|| until + (now - from) / 10_000)
    }

    /// The venue quotes a symbol, at eight decimals.
    #[allow(clippy::cast_precision_loss)] // for people
    pub(crate) fn quoted(&mut self, place: usize, bid: i64, ask: i64) {
        if self.at_work().is_none() {
            return;
        }
        let middle = bid / 2 + ask / 2;
        let spread = (ask - bid) as f64 / middle as f64 * 1e4;
        self.acted.spread_bps = mean((self.acted.spread_bps, self.acted.quotes), (spread, 1));
        self.acted.quotes += 1;
        let (lowest, highest) = self.seen.entry(place).or_insert((middle, middle));
        (*lowest, *highest) = (middle.min(*lowest), middle.max(*highest));
        let (fall, rise) = (1.0 - middle as f64 / *highest as f64, middle as f64 / *lowest as f64 - 1.0);
        self.acted.fall_bps = self.acted.fall_bps.max(fall * 1e4);
        self.acted.rise_bps = self.acted.rise_bps.max(rise * 1e4);
    }
}

/// The mean of two means, each with its weight.
#[allow(clippy::cast_precision_loss)] // for people
fn mean((one, n): (f64, u64), (other, m): (f64, u64)) -> f64 {
    if n + m == 0 { 0.0 } else { (one * n as f64 + other * m as f64) / (n + m) as f64 }
}
