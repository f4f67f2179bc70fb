//! Rolling windows of fixed length: the newest values, their mean and variance, their extremes.

/// The newest `len` values, oldest leaving first. Allocates once.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    values: Box<[f64]>,
    next: usize,
    filled: usize,
}

impl Window {
    /// # Panics
    /// If `len` is zero.
    pub(crate) fn new(len: usize) -> Self {
        assert!(len > 0, "a window holds at least one value");
        Self { values: vec![0.0; len].into_boxed_slice(), next: 0, filled: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.values.len()
    }

    /// Puts `value` in and returns the one that leaves; zero while filling.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> f64 {
        let left = std::mem::replace(&mut self.values[self.next], value);
        self.next += 1;
        if self.next == self.values.len() {
            self.next = 0;
        }
        if self.filled < self.values.len() {
            self.filled += 1;
            return 0.0;
        }
        left
    }

    /// The value that leaves next, once full: the one `len` pushes ago.
    #[inline]
    pub(crate) fn oldest(&self) -> f64 {
        self.values[if self.is_full() { self.next } else { 0 }]
    }

    /// What is held, in no particular order.
    #[inline]
    pub(crate) fn held(&self) -> &[f64] {
        &self.values[..self.filled]
    }

    /// What is held, oldest first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = f64> + '_ {
        let (newer, older) = self.held().split_at(if self.is_full() { self.next } else { 0 });
        older.iter().chain(newer).copied()
    }

    pub(crate) fn clear(&mut self) {
        self.values.fill(0.0);
        self.next = 0;
        self.filled = 0;
    }
}

/// Sums this many windows long run before they are computed afresh, which bounds the rounding they gather.
const WINDOWS_PER_REBUILD: usize = 16;
/// A variance below this share of the largest mean square since the last rebuild is mostly rounding.
const ROUNDING_SHARE: f64 = 1e-6;

/// Mean and population variance of the newest `len` values.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    window: Window,
    sums: Sums,
    per_value: f64,
}

/// Values are summed as differences from an anchor inside the window, so that the spread of a series far from zero
/// keeps its digits.
#[derive(Clone, Debug)]
struct Sums {
    anchor: f64,
    sum: f64,
    squares: f64,
    peak: f64,
    rebuild_in: usize,
}

impl Moments {
    pub(crate) fn new(len: usize) -> Self {
        Self { window: Window::new(len), sums: Sums::around(0.0, &[]), per_value: 1.0 / len as f64 }
    }

    pub(crate) fn len(&self) -> usize {
        self.window.len()
    }

    /// Takes a finite value. `Some((mean, variance))` once the window is full.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<(f64, f64)> {
        let was_full = self.window.is_full();
        let left = self.window.push(value);
        if !was_full {
            if !self.window.is_full() {
                return None;
            }
            self.sums = Sums::around(value, self.window.held());
            return Some(self.sums.moments(self.per_value));
        }
        self.sums.replace(left, value);
        let (mut mean, mut variance) = self.sums.moments(self.per_value);
        if variance < ROUNDING_SHARE * self.sums.peak * self.per_value || self.sums.rebuild_in == 0 {
            self.sums = Sums::around(value, self.window.held());
            (mean, variance) = self.sums.moments(self.per_value);
        }
        Some((mean, variance))
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.window.len());
    }
}

impl Sums {
    /// Sums afresh around the newest value. With the anchor inside the window a flat window sums to exactly zero,
    /// and otherwise the variance is at least one part in `len` of the mean square it is taken from.
    #[cold]
    fn around(newest: f64, values: &[f64]) -> Self {
        let sum = values.iter().map(|value| value - newest).sum();
        let squares = values.iter().map(|value| (value - newest) * (value - newest)).sum();
        Self { anchor: newest, sum, squares, peak: squares, rebuild_in: WINDOWS_PER_REBUILD * values.len() }
    }

    #[inline]
    fn replace(&mut self, left: f64, came: f64) {
        let (left, came) = (left - self.anchor, came - self.anchor);
        let change = came - left;
        self.sum += change;
        self.squares += change * (came + left);
        self.peak = if self.squares > self.peak { self.squares } else { self.peak };
        self.rebuild_in -= 1;
    }

    #[inline]
    fn moments(&self, per_value: f64) -> (f64, f64) {
        let mean = self.sum * per_value;
        let variance = self.squares * per_value - mean * mean;
        (self.anchor + mean, if variance > 0.0 { variance } else { 0.0 })
    }
}

/// The extreme of the newest `len` values, in constant time on average.
#[derive(Clone, Debug)]
pub(crate) struct Extreme {
    window: Window,
    best: f64,
    /// What any value is better than.
    worst: f64,
    better: fn(f64, f64) -> f64,
}

impl Extreme {
    pub(crate) fn highest(len: usize) -> Self {
        Self::new(len, f64::NEG_INFINITY, f64::max)
    }

    pub(crate) fn lowest(len: usize) -> Self {
        Self::new(len, f64::INFINITY, f64::min)
    }

    fn new(len: usize, worst: f64, better: fn(f64, f64) -> f64) -> Self {
        Self { window: Window::new(len), best: worst, worst, better }
    }

    /// Takes a finite value. `Some(extreme)` once the window is full.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let was_full = self.window.is_full();
        let left = self.window.push(value);
        let better = (self.better)(self.best, value);
        #[expect(clippy::float_cmp, reason = "asks whether the very value that leaves was the extreme")]
        let lost = was_full && left == self.best && better != value;
        self.best = if lost { self.window.held().iter().copied().fold(value, self.better) } else { better };
        self.window.is_full().then_some(self.best)
    }

    pub(crate) fn clear(&mut self) {
        self.window.clear();
        self.best = self.worst;
    }
}
