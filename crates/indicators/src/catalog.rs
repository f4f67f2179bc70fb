//! Every indicator by name: for charts, configuration, documentation, and tests that must cover all of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::indicator::{Indicator, Input, Outputs};
use crate::{Candle, IndicatorError, Source};

/// What a chart reader would look under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Smoothed prices.
    Average,
    /// Speed and direction of change.
    Momentum,
    /// How strongly prices trend, and stops that follow them.
    Trend,
    /// How widely prices move.
    Volatility,
    /// What traded volume adds.
    Volume,
    /// Dominant cycles.
    Cycle,
    /// Rolling statistics of one series.
    Statistic,
    /// One bar's prices combined.
    Price,
    /// Candlestick patterns: 100 bullish, -100 bearish, 0 absent (a few patterns grade by 80 or 200).
    Pattern,
    /// Trending or choppy, calm or turbulent.
    Regime,
}

/// One parameter of an indicator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// The name in configuration files.
    pub name: &'static str,
    /// The value when nobody says otherwise.
    pub default: f64,
    /// The smallest accepted value.
    pub min: f64,
    /// The largest accepted value.
    pub max: f64,
    /// Whether it counts something, so that a fraction is an error.
    pub whole: bool,
}

impl Parameter {
    /// # Errors
    /// [`IndicatorError::OutOfRange`] (NaN included) and [`IndicatorError::NotWhole`].
    pub(crate) fn check(&self, indicator: &'static str, value: f64) -> Result<(), IndicatorError> {
        if !(self.min..=self.max).contains(&value) {
            let Self { name: parameter, min, max, .. } = *self;
            return Err(IndicatorError::OutOfRange { indicator, parameter, value, min, max });
        }
        if self.whole && value.fract() != 0.0 {
            return Err(IndicatorError::NotWhole { indicator, parameter: self.name, value });
        }
        Ok(())
    }
}

/// Chosen parameters by name; what is not named keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parameters(BTreeMap<String, f64>);

impl Parameters {
    /// All defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `name` to `value`. Whether the indicator knows the name is judged by [`Definition::build`].
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }
}

/// One entry of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The stable name, lower case. It equals TA-Lib's where TA-Lib has the function.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it is about.
    pub group: Group,
    /// Whether it is drawn over the price rather than in a pane of its own.
    pub overlay: bool,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// The names of its outputs, in order.
    pub outputs: &'static [&'static str],
    build: fn(&[f64], Source) -> Built,
}

type Built = Result<Box<dyn DynIndicator>, IndicatorError>;

impl Definition {
    pub(crate) const fn of<I>() -> Self
    where
        I: Catalogued + Clone + Send + 'static,
        I::Input: Input,
        I::Output: Outputs,
    {
        Self {
            name: I::NAME,
            title: I::TITLE,
            group: I::GROUP,
            overlay: I::OVERLAY,
            parameters: I::PARAMETERS,
            outputs: <I::Output as Outputs>::NAMES,
            build: |values, source| Ok(Box::new(Adapter { indicator: I::from_values(values)?, source })),
        }
    }

    /// Builds the indicator; one of a single series reads the close.
    ///
    /// # Errors
    /// [`IndicatorError::UnknownParameter`], [`IndicatorError::OutOfRange`], [`IndicatorError::NotWhole`] or
    /// [`IndicatorError::Conflict`].
    pub fn build(&self, parameters: &Parameters) -> Result<Box<dyn DynIndicator>, IndicatorError> {
        self.build_on(Source::Close, parameters)
    }

    /// Builds the indicator; one of a single series reads `source`.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_on(&self, source: Source, parameters: &Parameters) -> Result<Box<dyn DynIndicator>, IndicatorError> {
        if let Some(name) = parameters.0.keys().find(|name| !self.parameters.iter().any(|known| known.name == **name)) {
            return Err(IndicatorError::UnknownParameter {
                indicator: self.name,
                parameter: name.clone(),
                known: self.parameters.iter().map(|known| known.name).collect(),
            });
        }
        let mut values = Vec::with_capacity(self.parameters.len());
        for parameter in self.parameters {
            let value = parameters.0.get(parameter.name).copied().unwrap_or(parameter.default);
            parameter.check(self.name, value)?;
            values.push(value);
        }
        (self.build)(&values, source)
    }
}

/// An indicator whose type is chosen at run time.
pub trait DynIndicator: Send {
    /// The names of the outputs, in order.
    fn outputs(&self) -> &'static [&'static str];

    /// How many bars come before the first one that yields values.
    fn lookback(&self) -> usize;

    /// Takes the next closed bar. `true`: the values at it were written to `outputs`; `false`: there are none (yet),
    /// and `outputs` is unchanged.
    ///
    /// # Errors
    /// [`IndicatorError::NotFinite`] and [`IndicatorError::OutputSlots`]; the state is then unchanged.
    fn update(&mut self, candle: &Candle, outputs: &mut [f64]) -> Result<bool, IndicatorError>;

    /// Says that the next bar opens a new trading session.
    fn start_session(&mut self);

    /// Forgets every bar; parameters stay.
    fn reset(&mut self);

    /// An independent copy in the same state.
    fn boxed_clone(&self) -> Box<dyn DynIndicator>;
}

/// Every indicator, ordered by group and then as a reader would expect.
pub fn all() -> &'static [Definition] {
    crate::listing::ALL
}

/// The indicator called `name`.
///
/// # Errors
/// [`IndicatorError::UnknownIndicator`].
pub fn find(name: &str) -> Result<&'static Definition, IndicatorError> {
    all()
        .iter()
        .find(|definition| definition.name == name)
        .ok_or_else(|| IndicatorError::UnknownIndicator { name: name.to_owned() })
}

/// An indicator type that the catalogue can build.
pub trait Catalogued: Indicator + Sized {
    /// The stable name.
    const NAME: &'static str;
    /// The name for people.
    const TITLE: &'static str;
    /// What it is about.
    const GROUP: Group;
    /// Whether it is drawn over the price.
    const OVERLAY: bool;
    /// Its parameters, in the order in which its constructor takes them.
    const PARAMETERS: &'static [Parameter];

    /// Builds it from one value for each parameter.
    ///
    /// # Errors
    /// As the type's constructor.
    fn from_values(values: &[f64]) -> Result<Self, IndicatorError>;
}

#[derive(Clone)]
struct Adapter<I> {
    indicator: I,
    source: Source,
}

impl<I> DynIndicator for Adapter<I>
where
    I: Indicator + Clone + Send + 'static,
    I::Input: Input,
    I::Output: Outputs,
{
    fn outputs(&self) -> &'static [&'static str] {
        <I::Output as Outputs>::NAMES
    }

    fn lookback(&self) -> usize {
        self.indicator.lookback()
    }

    fn update(&mut self, candle: &Candle, outputs: &mut [f64]) -> Result<bool, IndicatorError> {
        let needed = <I::Output as Outputs>::NAMES.len();
        if outputs.len() != needed {
            return Err(IndicatorError::OutputSlots { needed, given: outputs.len() });
        }
        candle.check()?;
        let value = self.indicator.update(Input::from_candle(candle, self.source));
        if let Some(value) = value {
            value.write(outputs);
        }
        Ok(value.is_some())
    }

    fn start_session(&mut self) {
        self.indicator.start_session();
    }

    fn reset(&mut self) {
        self.indicator.reset();
    }

    fn boxed_clone(&self) -> Box<dyn DynIndicator> {
        Box::new(self.clone())
    }
}

/// A constructor's argument: read from a parameter's value, and shown to its range check as one.
pub(crate) trait Argument: Copy {
    const WHOLE: bool;
    fn from_value(value: f64) -> Self;
    fn value(self) -> f64;
}

impl Argument for usize {
    const WHOLE: bool = true;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: whole and inside its range")]
    fn from_value(value: f64) -> Self {
        value as usize
    }

    fn value(self) -> f64 {
        self as f64
    }
}

impl Argument for f64 {
    const WHOLE: bool = false;

    fn from_value(value: f64) -> Self {
        value
    }

    fn value(self) -> f64 {
        self
    }
}

/// Writes an indicator's catalogue entry, and `Self::check`, which judges its constructor's arguments.
macro_rules! catalogued {
    (
        $type:ident = $name:literal, $title:literal, $group:ident, overlay: $overlay:literal,
        ($($parameter:ident : $kind:ty = $default:literal in $min:literal ..= $max:literal),* $(,)?)
    ) => {
        impl $crate::catalog::Catalogued for $type {
            const NAME: &'static str = $name;
            const TITLE: &'static str = $title;
            const GROUP: $crate::catalog::Group = $crate::catalog::Group::$group;
            const OVERLAY: bool = $overlay;
            const PARAMETERS: &'static [$crate::catalog::Parameter] = &[$($crate::catalog::Parameter {
                name: stringify!($parameter),
                default: $default as f64,
                min: $min as f64,
                max: $max as f64,
                whole: <$kind as $crate::catalog::Argument>::WHOLE,
            }),*];

            fn from_values(values: &[f64]) -> Result<Self, $crate::IndicatorError> {
                let [$($parameter),*] = *values else {
                    unreachable!("the definition gives one value for each parameter")
                };
                Self::new($(<$kind as $crate::catalog::Argument>::from_value($parameter)),*)
            }
        }

        impl $type {
            #[allow(dead_code, reason = "an indicator without parameters has nothing to check")]
            #[allow(clippy::too_many_arguments, reason = "know sure thing has nine periods")]
            fn check($($parameter: $kind),*) -> Result<(), $crate::IndicatorError> {
                let values: &[f64] = &[$($crate::catalog::Argument::value($parameter)),*];
                for (parameter, value) in <Self as $crate::catalog::Catalogued>::PARAMETERS.iter().zip(values) {
                    parameter.check($name, *value)?;
                }
                Ok(())
            }
        }
    };
}
pub(crate) use catalogued;
