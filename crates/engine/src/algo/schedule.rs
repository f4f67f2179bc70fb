//! Slices over time, and parts of the volume that trades.

use super::parent::{Due, Look, Parent, ParentEnd, Role};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, Interval, Quantity, Timestamp};

/// How many slices' worth one child may catch up after a pause or an outage.
const CATCH_UP: i128 = 3;

/// Slices at fixed moments.
///
/// Slice `n` (from 0) is due at `start + n × every`; with it the sum of the weights so far, as a part of the sum of all,
/// should have been sent, in whole lots. The last slice takes what is left. One child a slice, of at most three slices'
/// worth, so that an outage is not made good by one large order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// When the first slice is due.
    pub start: Timestamp,
    /// Nanoseconds from one slice to the next.
    pub every_nanos: i64,
    /// How many slices.
    pub slices: u32,
    /// The share of each slice, such as the volume that usually trades then; equal ones when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<u32>,
}

impl Schedule {
    /// Even slices over `length_nanos`.
    #[must_use]
    pub const fn even(start: Timestamp, length_nanos: i64, slices: u32) -> Self {
        let every_nanos = if slices == 0 { length_nanos } else { length_nanos / slices as i64 };
        Self { start, every_nanos, slices, weights: Vec::new() }
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let sum: u64 = self.weights.iter().map(|weight| u64::from(*weight)).sum();
        if self.slices == 0 || self.slices > 10_000 {
            return Err("fewer than 1 or more than 10,000 slices");
        }
        if self.every_nanos < 1_000_000 {
            return Err("slices less than a millisecond apart");
        }
        if !self.weights.is_empty() && (self.weights.len() as u64 != u64::from(self.slices) || sum == 0) {
            return Err("a curve that has not one weight a slice, or no weight at all");
        }
        Ok(())
    }

    /// Which slice `now` lies in, counted on past the last; `None` before the first.
    #[must_use]
    pub fn index(&self, now: Timestamp) -> Option<u64> {
        u64::try_from(now.since(self.start).div_euclid(self.every_nanos)).ok()
    }

    /// How much of `total` should have been sent once slice `index` is, in whole lots.
    #[must_use]
    pub fn target(&self, index: u64, total: Quantity, instrument: &Instrument) -> Quantity {
        if index + 1 >= u64::from(self.slices) {
            return total;
        }
        let (part, whole) = if self.weights.is_empty() {
            (i128::from(index) + 1, i128::from(self.slices))
        } else {
            let sum = |weights: &[u32]| weights.iter().map(|weight| i128::from(*weight)).sum::<i128>();
            (sum(&self.weights[..=usize::try_from(index).unwrap_or(usize::MAX - 1)]), sum(&self.weights))
        };
        instrument.whole_lots(part_of(total, part, whole))
    }

    /// The most that one child may be: three times the largest slice, and no less than an order may be.
    fn largest_child(&self, total: Quantity, look: &Look<'_>) -> Quantity {
        let (part, whole) = match self.weights.iter().max() {
            None => (CATCH_UP, i128::from(self.slices)),
            Some(max) => {
                (CATCH_UP * i128::from(*max), self.weights.iter().map(|weight| i128::from(*weight)).sum::<i128>())
            }
        };
        let bound = look.instrument.whole_lots(part_of(total, part.min(whole), whole));
        if look.is_dust(bound) { total } else { bound }
    }

    pub(super) fn due(&self, parent: &Parent, look: &Look<'_>) -> Option<Due> {
        let index = self.index(look.now)?;
        let total = parent.wish.request.quantity;
        let committed = parent.committed();
        let left = total - committed;
        if look.is_dust(left) && parent.is_settled() {
            return Some(parent.finish(look));
        }
        if index > u64::from(self.slices) && parent.wish.request.kind.limit().is_some() {
            return Some(parent.end(ParentEnd::Expired, "its time is up"));
        }
        if parent.children.iter().any(|child| child.role == Role::Slice(index)) {
            return None;
        }
        let missing = self.target(index, total, look.instrument) - committed;
        let quantity = missing.min(self.largest_child(total, look));
        (!look.is_dust(quantity)).then(|| parent.slice(Role::Slice(index), quantity))
    }
}

/// A fixed part of the volume that trades, until a moment.
///
/// The volume counts from the moment the parent opened: that of whole bars that opened since, or of single trades,
/// whichever is seen first. Our own fills are part of it, as they are part of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participation {
    /// The part, in basis points: 1 to 5,000.
    pub rate_bps: u32,
    /// The smallest child worth sending.
    pub clip: Quantity,
    /// When it ends, done or not.
    pub until: Timestamp,
}

/// Where a volume is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeSource {
    /// Closed bars of this interval.
    Bars(Interval),
    /// Single trades.
    Trades,
}

impl Participation {
    pub(super) fn check(&self, total: Quantity) -> Result<(), &'static str> {
        if !(1..=5_000).contains(&self.rate_bps) {
            return Err("a rate outside 1 to 5,000 basis points of the volume");
        }
        if self.clip < Quantity::ZERO || self.clip > total {
            return Err("a clip below zero or above its quantity");
        }
        Ok(())
    }

    pub(super) fn due(&self, parent: &Parent, look: &Look<'_>) -> Option<Due> {
        let total = parent.wish.request.quantity;
        let committed = parent.committed();
        let left = total - committed;
        let (quiet, rests) = (parent.is_settled(), parent.wish.request.kind.limit().is_some());
        if look.is_dust(left) && quiet {
            return Some(parent.finish(look));
        }
        if look.now >= self.until {
            return (quiet || rests).then(|| parent.end(ParentEnd::Expired, "its time is up"));
        }
        let share = look.instrument.whole_lots(part_of(parent.seen.volume, self.rate_bps.into(), 10_000));
        let missing = (share.min(total) - committed).max(Quantity::ZERO);
        let waits = missing < left && (missing < self.clip || look.is_dust(left - missing));
        (!waits && !look.is_dust(missing)).then(|| parent.slice(Role::Slice(parent.proposed().into()), missing))
    }
}

/// `part / whole` of a quantity, cut towards zero.
fn part_of(quantity: Quantity, part: i128, whole: i128) -> Quantity {
    let mantissa = i128::from(quantity.mantissa()) * part / whole;
    Quantity::from_mantissa(i64::try_from(mantissa).unwrap_or(i64::MAX))
}
