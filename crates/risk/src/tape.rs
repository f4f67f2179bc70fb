//! Minute by minute: the prices that volatility, correlation and value at risk are reckoned from.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::VecDeque;
use tradewind_domain::{Price, Timestamp};

/// How many one-minute returns a tape keeps: four hours.
pub const TAPE_MINUTES: usize = 240;
/// How many of them the volatility breaker looks at.
pub const VOLATILITY_MINUTES: usize = 20;
/// Fewer common returns say nothing about a tail or a correlation.
const FEWEST: usize = 60;
/// A silence of more minutes is a gap: what was before it is forgotten, nothing is filled in.
const GAP: i64 = 20;
const MINUTES_A_DAY: i128 = 1_440;

/// The last price of every minute of one instrument, kept as simple returns in parts of 10⁸.
///
/// A minute in which the price did not move is a return of zero; a silence of more than 20 minutes empties the tape,
/// because a value that was not seen is not invented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tape {
    /// The minute that `last` belongs to, counted from 1970.
    minute: i64,
    /// The newest price in it, and the last one of the minute before; 0 before anything was seen.
    last: i64,
    before: i64,
    /// Of whole minutes, oldest first; saturating at 32 bits, which is 21 times the price.
    returns: VecDeque<i32>,
}

impl Tape {
    /// Takes in the newest price; one that is not positive is not taken.
    pub(crate) fn push(&mut self, price: Price, at: Timestamp) -> bool {
        let (price, minute) = (price.mantissa(), minute_of(at));
        if price <= 0 {
            return false;
        }
        let passed = minute.saturating_sub(self.minute);
        if self.last == 0 || passed > GAP {
            *self = Self { minute, last: price, before: 0, returns: VecDeque::new() };
            return true;
        }
        let closed = passed > 0;
        for _ in 0..passed {
            self.close_minute();
        }
        self.minute = self.minute.max(minute);
        self.last = price;
        closed
    }

    fn close_minute(&mut self) {
        if self.before > 0 {
            let change = i128::from(self.last - self.before) * 100_000_000 / i128::from(self.before);
            let bounded = change.clamp(i128::from(i32::MIN), i128::from(i32::MAX));
            if self.returns.len() == TAPE_MINUTES {
                self.returns.pop_front();
            }
            self.returns.push_back(i32::try_from(bounded).unwrap_or(i32::MAX));
        }
        self.before = self.last;
    }

    /// The volatility of the last 20 whole minutes, scaled to a day by the square root of time, in basis points;
    /// `None` before there were 20.
    ///
    /// The root of the mean square, without subtracting a mean that 20 returns cannot tell from zero.
    /// Source: RiskMetrics Technical Document, 4th edition, 1996, section 5.3.
    #[must_use]
    pub fn volatility_bps(&self) -> Option<i64> {
        let from = self.returns.len().checked_sub(VOLATILITY_MINUTES)?;
        let squares: i128 = self.returns.iter().skip(from).map(|r| i128::from(*r) * i128::from(*r)).sum();
        let mean_square = squares * MINUTES_A_DAY / i128::try_from(VOLATILITY_MINUTES).ok()?;
        let root = mean_square.isqrt() / 10_000;
        i64::try_from(root).ok()
    }

    /// The tape as it stands at `now`, the price unchanged since it was last told; `None` after a silence that is a gap.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<Cow<'_, Self>> {
        match minute_of(now).saturating_sub(self.minute) {
            ..=0 => Some(Cow::Borrowed(self)),
            1..=GAP => {
                let mut tape = self.clone();
                tape.push(Price::from_mantissa(self.last), now);
                Some(Cow::Owned(tape))
            }
            _ => None,
        }
    }

    /// The tape of a market that is closed at `now`: nobody can tell a price, so its last minutes stand for these.
    #[must_use]
    pub fn closed_at(&self, now: Timestamp) -> Cow<'_, Self> {
        Cow::Owned(Self { minute: self.minute.max(minute_of(now)), ..self.clone() })
    }

    /// How many whole minutes it holds returns of, and how many statistics over it need.
    #[must_use]
    pub fn seen(&self) -> (usize, usize) {
        (self.returns.len(), FEWEST)
    }
}

const fn minute_of(at: Timestamp) -> i64 {
    at.nanos().div_euclid(60_000_000_000)
}

/// Returns of several instruments in the same minutes.
pub struct Returns<'a> {
    /// Each tape, and where the common span begins in its returns.
    columns: Vec<(&'a Tape, usize)>,
    length: usize,
}

impl<'a> Returns<'a> {
    /// The returns that all of `tapes` saw in the same minutes; `None` for fewer than 60 of them.
    ///
    /// A tape whose newest minute is older than another's ends the common span there.
    #[must_use]
    pub fn common(tapes: &[&'a Tape]) -> Option<Self> {
        let end = tapes.iter().map(|tape| tape.minute).min()?;
        let until = |tape: &Tape| {
            let behind = usize::try_from(tape.minute - end).unwrap_or(usize::MAX);
            tape.returns.len().saturating_sub(behind)
        };
        let length = tapes.iter().map(|tape| until(tape)).min()?;
        let columns = tapes.iter().map(|tape| (*tape, until(tape) - length)).collect();
        (length >= FEWEST).then_some(Self { columns, length })
    }

    /// The returns of one column in parts of 10⁸, as two slices that follow each other.
    fn column(&self, place: usize) -> [&'a [i32]; 2] {
        let (tape, start) = self.columns[place];
        let end = start + self.length;
        let (old, new) = tape.returns.as_slices();
        let middle = old.len();
        [&old[start.min(middle)..end.min(middle)], &new[start.saturating_sub(middle)..end.saturating_sub(middle)]]
    }

    /// The profit or loss of each common minute for `weights`, one a tape, as parts of equity.
    #[must_use]
    pub fn weighted(&self, weights: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.length];
        for (place, weight) in weights.iter().enumerate().take(self.columns.len()) {
            let (scaled, [old, new]) = (weight * 1e-8, self.column(place));
            let (first, second) = sum.split_at_mut(old.len());
            for (totals, returns) in [(first, old), (second, new)] {
                totals.iter_mut().zip(returns).for_each(|(total, value)| *total += scaled * f64::from(*value));
            }
        }
        sum
    }

    /// The correlation of two tapes by place, in basis points, cut towards zero; `None` where one does not vary.
    ///
    /// Pearson's, over whole numbers of 10⁻⁸: one pass, for it is asked of every position before every order.
    #[must_use]
    pub fn correlation_bps(&self, left: usize, right: usize) -> Option<i64> {
        let values = |place| self.column(place).into_iter().flatten().map(|value| f64::from(*value));
        let (mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (a, b) in values(left).zip(values(right)) {
            x += a;
            y += b;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }
        let n = f64::from(u32::try_from(self.length).ok()?);
        let spread = (n * xx - x * x) * (n * yy - y * y);
        if spread <= 0.0 {
            return None;
        }
        fixed((n * xy - x * y) / spread.sqrt(), 1e4)
    }
}

/// A statistic as a whole number of its `scale`, cut towards zero; `None` for NaN and past 2^53.
#[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
pub(crate) fn fixed(value: f64, scale: f64) -> Option<i64> {
    let scaled = value * scale;
    (scaled.abs() < 9e15).then_some(scaled as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(prices: &[i64]) -> Tape {
        let mut tape = Tape::default();
        for (minute, price) in prices.iter().enumerate() {
            let at = Timestamp::from_millis(i64::try_from(minute).unwrap() * 60_000);
            tape.push(Price::from_mantissa(*price), at);
        }
        tape
    }

    #[test]
    fn returns_are_those_of_whole_minutes() {
        let tape = minutes(&[100, 110, 99, 99, 99]);
        assert_eq!(tape.returns, [10_000_000, -10_000_000, 0]);
        let mut late = tape.clone();
        late.push(Price::from_mantissa(198), Timestamp::from_millis(7 * 60_000));
        assert_eq!(late.returns, [10_000_000, -10_000_000, 0, 0, 0, 0], "the price stood still");
        late.push(Price::from_mantissa(198), Timestamp::from_millis(8 * 60_000));
        assert_eq!(late.returns.back(), Some(&100_000_000), "the jump belongs to the minute in which it was seen");
    }

    #[test]
    fn a_silence_empties_the_tape_and_a_clock_that_goes_back_changes_no_minute() {
        let mut tape = minutes(&[100; 30]);
        assert_eq!(tape.volatility_bps(), Some(0));
        tape.push(Price::from_mantissa(120), Timestamp::from_millis(0));
        assert_eq!((tape.minute, tape.returns.len()), (29, 28));
        tape.push(Price::from_mantissa(120), Timestamp::from_millis(60 * 60_000));
        assert_eq!(tape.volatility_bps(), None);
        assert!(!tape.push(Price::from_mantissa(0), Timestamp::from_millis(61 * 60_000)), "no price is no price");
    }

    #[test]
    fn volatility_is_the_root_mean_square_scaled_to_a_day() {
        let zigzag: Vec<i64> = (0..40).map(|i| if i % 2 == 0 { 1_000_000 } else { 1_001_000 }).collect();
        let daily = 0.001_f64 * 1_440_f64.sqrt() * 1e4;
        let found = minutes(&zigzag).volatility_bps().unwrap();
        assert!((f64::from(i32::try_from(found).unwrap()) - daily).abs() < 2.0, "{found} against {daily}");
    }

    #[test]
    fn correlation_agrees_with_the_statistics_crate_and_the_ring_may_turn() {
        let price = |i: i64, step: i64| 1_000_000 + (i * step) % 1_003 + (i * i * step) % 517;
        let series = |step| (0..400).map(|i| price(i, step)).collect::<Vec<i64>>();
        let (left, right) = (minutes(&series(7_919)), minutes(&series(104_729)));
        let returns = Returns::common(&[&left, &right]).unwrap();
        let plain = |place| returns.column(place).concat().into_iter().map(f64::from).collect::<Vec<f64>>();
        assert_eq!(plain(0).len(), TAPE_MINUTES);
        let other = tradewind_quant::benchmark::correlation(&plain(0), &plain(1)).unwrap();
        assert_eq!(returns.correlation_bps(0, 1), fixed(other, 1e4));
        assert_eq!(Returns::common(&[&minutes(&series(1)[..50])]).map(|_| ()), None, "too few say nothing");
        let sums: Vec<f64> = plain(0).iter().zip(plain(1)).map(|(a, b)| (0.5 * a - 0.25 * b) / 1e8).collect();
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(returns.weighted(&[0.5, -0.25]).iter().zip(&sums).all(close));
    }

    #[test]
    fn the_minutes_before_a_close_stand_for_those_in_which_the_market_is_closed() {
        let stock = minutes(&(0..70).map(|minute| 1_000 + minute % 7).collect::<Vec<_>>());
        let sunday = Timestamp::from_millis(40 * 3_600_000);
        assert!(stock.at(sunday).is_none(), "in an open market this is a silence");
        let mut other = Tape::default();
        for minute in 0..70 {
            other.push(Price::from_mantissa(500 + minute % 5), sunday.plus_nanos((minute - 69) * 60_000_000_000));
        }
        let closed = stock.closed_at(sunday);
        assert_eq!(closed.seen(), stock.seen());
        let both = Returns::common(&[&closed, &other]).expect("neither shortens the other");
        assert_eq!(both.weighted(&[1.0, 0.0]), Returns::common(&[&stock]).unwrap().weighted(&[1.0]));
    }

    #[test]
    fn two_tapes_are_compared_in_the_same_minutes() {
        let wave: Vec<i64> = (0..100).map(|i| 1_000_000 + (i * 7_919) % 1_003).collect();
        let mirrored: Vec<i64> = wave.iter().map(|price| 2_000_000 - price).collect();
        let (left, right) = (minutes(&wave), minutes(&mirrored[..90]));
        let returns = Returns::common(&[&left, &right]).unwrap();
        assert!(returns.correlation_bps(0, 1).unwrap() < -9_990);
        assert!(returns.correlation_bps(0, 0).unwrap() >= 9_999, "cut towards zero");
        let still = minutes(&[5; 100]);
        assert_eq!(Returns::common(&[&left, &still]).unwrap().correlation_bps(0, 1), None);
    }
}
