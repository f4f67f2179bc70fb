//! The one shape that every indicator has.

use crate::{Candle, Source};

/// A value computed bar by bar from the bars so far.
///
/// `update` is the only form; a batch is its fold, so a chart, a back-test and a live decision see the same number.
/// An indicator reads no clock, draws no chance and allocates nothing per update (one backed by a `ta-lib` stream
/// allocates once more, on the bar on which it becomes warm).
pub trait Indicator {
    /// What one step takes: one number (`f64`) or one [`Candle`].
    type Input: Copy;
    /// What one step yields once warm.
    type Output: Copy;

    /// Takes the next closed bar and returns the value at it.
    ///
    /// `None` while warming up (the first value comes with input number `lookback() + 1`) and where the formula has
    /// no value, which the type then says. An input that is NaN or infinite, or otherwise impossible for the
    /// formula, is refused: `None`, and the state is as if it had never come.
    fn update(&mut self, input: Self::Input) -> Option<Self::Output>;

    /// How many accepted inputs come before the first one that yields a value.
    fn lookback(&self) -> usize;

    /// Forgets every input; parameters stay.
    fn reset(&mut self);

    /// Says that the next bar opens a new trading session. Only session indicators listen.
    fn start_session(&mut self) {}

    /// Folds `update` over `inputs`: one element out for each one in.
    fn batch(&mut self, inputs: impl IntoIterator<Item = Self::Input>) -> Vec<Option<Self::Output>>
    where
        Self: Sized,
    {
        inputs.into_iter().map(|input| self.update(input)).collect()
    }

    /// Withholds the first `unstable` values as well.
    ///
    /// A recursive average depends on where its data start. TA-Lib calls the values that are dropped for that reason
    /// the unstable period; for a single recursion (EMA, RSI, ATR, ADX) dropping them is all it does.
    fn settled(self, unstable: usize) -> Settled<Self>
    where
        Self: Sized,
    {
        Settled { inner: self, unstable, withheld: 0 }
    }
}

/// An indicator whose first values are withheld; see [`Indicator::settled`].
#[derive(Clone, Debug)]
pub struct Settled<I> {
    inner: I,
    unstable: usize,
    withheld: usize,
}

impl<I: Indicator> Indicator for Settled<I> {
    type Input = I::Input;
    type Output = I::Output;

    #[inline]
    fn update(&mut self, input: I::Input) -> Option<I::Output> {
        let value = self.inner.update(input)?;
        if self.withheld < self.unstable {
            self.withheld += 1;
            return None;
        }
        Some(value)
    }

    fn lookback(&self) -> usize {
        self.inner.lookback() + self.unstable
    }

    fn reset(&mut self) {
        self.inner.reset();
        self.withheld = 0;
    }

    fn start_session(&mut self) {
        self.inner.start_session();
    }
}

/// How a step's input is taken from a bar.
pub trait Input: Copy {
    /// Takes it; `source` matters to inputs of one number only.
    fn from_candle(candle: &Candle, source: Source) -> Self;
}

impl Input for f64 {
    #[inline]
    fn from_candle(candle: &Candle, source: Source) -> Self {
        source.of(candle)
    }
}

impl Input for Candle {
    #[inline]
    fn from_candle(candle: &Candle, _: Source) -> Self {
        *candle
    }
}

/// A step's output as a row of named numbers.
pub trait Outputs: Copy {
    /// The names, in the order in which [`write`](Self::write) writes.
    const NAMES: &'static [&'static str];

    /// Writes the numbers into `row`.
    ///
    /// # Panics
    /// If `row` is shorter than [`NAMES`](Self::NAMES).
    fn write(self, row: &mut [f64]);
}

impl Outputs for f64 {
    const NAMES: &'static [&'static str] = &["value"];

    #[inline]
    fn write(self, row: &mut [f64]) {
        row[0] = self;
    }
}

/// Declares an output of several named numbers.
macro_rules! outputs {
    ($(#[$doc:meta])* $name:ident { $($field:ident : $about:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $(#[doc = $about] pub $field: f64,)+
        }

        impl $crate::indicator::Outputs for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            #[inline]
            fn write(self, row: &mut [f64]) {
                for (slot, value) in row[..Self::NAMES.len()].iter_mut().zip([$(self.$field),+]) {
                    *slot = value;
                }
            }
        }
    };
}
pub(crate) use outputs;
