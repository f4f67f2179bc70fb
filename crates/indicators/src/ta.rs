//! Indicators that `ta-lib` computes, given this crate's shape.

use ta_lib::{MAType, RetCode};

/// A `ta-lib` stream that opens by itself as soon as it has seen the bars it needs.
///
/// `ta-lib` opens a stream on a history. The first bars are therefore kept, `N` series of them, until there are
/// enough; from then on each bar costs one step of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Warming<S, const N: usize> {
    history: [Vec<f64>; N],
    needed: usize,
    stream: Option<S>,
}

impl<S, const N: usize> Warming<S, N> {
    pub(crate) fn new(lookback: usize) -> Self {
        let needed = lookback + 1;
        Self { history: std::array::from_fn(|_| Vec::with_capacity(needed)), needed, stream: None }
    }

    pub(crate) fn lookback(&self) -> usize {
        self.needed - 1
    }

    pub(crate) fn reset(&mut self) {
        self.stream = None;
        self.history.iter_mut().for_each(Vec::clear);
    }

    /// Takes one row. The stream itself refuses rows that are not finite and leaves its state alone.
    #[inline]
    pub(crate) fn update<O>(
        &mut self,
        row: [f64; N],
        step: impl FnOnce(&mut S, [f64; N]) -> Result<O, RetCode>,
        open: impl FnOnce(&[Vec<f64>; N]) -> Result<(S, O), RetCode>,
    ) -> Option<O> {
        match &mut self.stream {
            Some(stream) => step(stream, row).ok(),
            None => self.warm_up(row, open),
        }
    }

    fn warm_up<O>(&mut self, row: [f64; N], open: impl FnOnce(&[Vec<f64>; N]) -> Result<(S, O), RetCode>) -> Option<O> {
        if !row.iter().all(|value| value.is_finite()) {
            return None;
        }
        self.history.iter_mut().zip(row).for_each(|(series, value)| series.push(value));
        if self.history[0].len() < self.needed {
            return None;
        }
        let (stream, value) = open(&self.history).ok()?;
        self.stream = Some(stream);
        Some(value)
    }
}

/// An argument as `ta-lib` wants it.
pub(crate) trait TaArgument {
    type Ta;
    fn ta(self) -> Self::Ta;
}

impl TaArgument for usize {
    type Ta = i32;

    fn ta(self) -> i32 {
        i32::try_from(self).expect("every whole parameter's range ends far below i32::MAX")
    }
}

impl TaArgument for f64 {
    type Ta = f64;

    fn ta(self) -> f64 {
        self
    }
}

impl TaArgument for MAType {
    type Ta = MAType;

    fn ta(self) -> MAType {
        self
    }
}

/// `ta-lib` answers some outputs as whole numbers.
pub(crate) trait Number {
    fn number(self) -> f64;
}

impl Number for f64 {
    #[inline]
    fn number(self) -> f64 {
        self
    }
}

impl Number for i32 {
    #[inline]
    fn number(self) -> f64 {
        f64::from(self)
    }
}

/// Declares indicators that `ta-lib` computes: type, constructor, [`Indicator`](crate::Indicator), catalogue entry.
///
/// ```text
/// /// Documentation.
/// Type = "name", "Title", Group, overlay: false;
///     Candle(high, low) => x_lookback, x_open, XStream(period);     the series, the three names in ta-lib, its arguments
///     (period: usize = 14 in 2..=100_000) -> (value);               our parameters and outputs
/// ```
macro_rules! from_ta_lib {
    ($(
        $(#[$doc:meta])*
        $type:ident = $name:literal, $title:literal, $group:ident, overlay: $overlay:literal;
        $input:ident($($series:ident),+) => $lookback:ident, $open:ident, $stream:ident($($argument:expr),*);
        ($($parameter:ident : $kind:ty = $default:literal in $min:literal ..= $max:literal),* $(,)?) -> $outputs:tt $output:ident;
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $type {
            $($parameter: $kind,)*
            warming: $crate::ta::Warming<ta_lib::$stream, { [$(stringify!($series)),+].len() }>,
        }

        $crate::catalog::catalogued!(
            $type = $name, $title, $group, overlay: $overlay,
            ($($parameter: $kind = $default in $min..=$max),*)
        );

        impl $type {
            /// Builds it, cold.
            ///
            /// # Errors
            /// [`IndicatorError::OutOfRange`](crate::IndicatorError::OutOfRange) for a parameter outside the range
            /// that the catalogue names.
            #[allow(clippy::too_many_arguments, reason = "know sure thing has nine periods")]
            pub fn new($($parameter: $kind),*) -> Result<Self, $crate::IndicatorError> {
                Self::check($($parameter),*)?;
                let lookback = ta_lib::Core::new()
                    .$lookback($($crate::ta::TaArgument::ta($argument)),*)
                    .map_err(|_| $crate::ta::refused::<Self>(&[$($crate::catalog::Argument::value($parameter)),*]))?;
                Ok(Self { $($parameter,)* warming: $crate::ta::Warming::new(lookback) })
            }
        }

        impl $crate::Indicator for $type {
            type Input = $crate::ta::input_type!($input);
            type Output = $output;

            #[inline]
            fn update(&mut self, input: Self::Input) -> Option<$output> {
                let Self { $($parameter,)* warming } = self;
                $(let $parameter = *$parameter;)*
                let row = $crate::ta::row!(input, $input($($series),+));
                let value = warming.update(
                    row,
                    |stream, [$($series),+]| stream.update($($series),+),
                    |[$($series),+]| ta_lib::Core::new().$open($($series,)+ $($crate::ta::TaArgument::ta($argument)),*),
                )?;
                Some($crate::ta::output!(value, $outputs $output))
            }

            fn lookback(&self) -> usize {
                self.warming.lookback()
            }

            fn reset(&mut self) {
                self.warming.reset();
            }
        }
    )+};
}
pub(crate) use from_ta_lib;

macro_rules! input_type {
    (f64) => {
        f64
    };
    (Source) => {
        f64
    };
    (Candle) => {
        $crate::Candle
    };
}
pub(crate) use input_type;

macro_rules! row {
    ($input:ident, f64($series:ident)) => {
        [$input]
    };
    ($input:ident, Candle($($series:ident),+)) => {
        [$($input.$series),+]
    };
}
pub(crate) use row;

macro_rules! output {
    ($value:ident, (value) $output:ident) => {
        $crate::ta::Number::number($value)
    };
    ($value:ident, ($($field:ident),+) $output:ident) => {{
        let ($($field),+) = $value;
        $output { $($field: $crate::ta::Number::number($field)),+ }
    }};
}
pub(crate) use output;

/// `ta-lib` refused arguments that are each in range: they contradict one another.
pub(crate) fn refused<I: crate::catalog::Catalogued>(values: &[f64]) -> crate::IndicatorError {
    crate::IndicatorError::Conflict {
        indicator: I::NAME,
        rule: "the first two parameters must fit together",
        first: values.first().copied().unwrap_or(f64::NAN),
        second: values.get(1).copied().unwrap_or(f64::NAN),
    }
}
