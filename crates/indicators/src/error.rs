//! Why an indicator could not be built or did not take a bar.

/// Every code of this crate in order: code, meaning, what to do.
pub const CODES: &[(&str, &str, &str)] = &[
    ("IND-01", "the parameter is out of range", "choose a value inside the range that the message names"),
    ("IND-02", "the parameter is not a whole number", "give a whole number of bars, such as 14"),
    (
        "IND-03",
        "the indicator has no such parameter",
        "use one of the parameter names in the message, or leave it out for its default",
    ),
    ("IND-04", "no indicator has this name", "the catalogue lists every name; names are lower case, such as \"rsi\""),
    (
        "IND-05",
        "a value of the bar is not a finite number",
        "repair or leave out the bar at its source; the indicator goes on from the bar before",
    ),
    ("IND-06", "two parameters contradict each other", "change one of the two parameters so that the rule holds"),
    (
        "IND-07",
        "the slice for the outputs has another length",
        "give a slice exactly as long as the definition's list of outputs",
    ),
];

/// Why an indicator could not be built or did not take a bar.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IndicatorError {
    /// A parameter lies outside the range that its definition names.
    #[error("{indicator}: {parameter} is {value}, which is outside {min} to {max}")]
    OutOfRange {
        /// The indicator's catalogue name.
        indicator: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// What was asked for.
        value: f64,
        /// The smallest accepted value.
        min: f64,
        /// The largest accepted value.
        max: f64,
    },
    /// A parameter that counts bars was given a fraction.
    #[error("{indicator}: {parameter} is {value}, which is not a whole number")]
    NotWhole {
        /// The indicator's catalogue name.
        indicator: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// What was asked for.
        value: f64,
    },
    /// The indicator has no parameter of this name.
    #[error("{indicator}: no parameter is called {parameter:?}; it has {}", listed(known))]
    UnknownParameter {
        /// The indicator's catalogue name.
        indicator: &'static str,
        /// The name that was asked for.
        parameter: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// The catalogue has no indicator of this name.
    #[error("no indicator is called {name:?}")]
    UnknownIndicator {
        /// The name that was asked for.
        name: String,
    },
    /// A bar carries a value that is not a finite number. The indicator's state is unchanged.
    #[error("the bar's {field} is {value}, which is not a finite number")]
    NotFinite {
        /// The bar's field.
        field: &'static str,
        /// Its value: NaN or an infinity.
        value: f64,
    },
    /// Two parameters contradict each other.
    #[error("{indicator}: {rule}, but they are {first} and {second}")]
    Conflict {
        /// The indicator's catalogue name.
        indicator: &'static str,
        /// The rule they break.
        rule: &'static str,
        /// The first parameter's value.
        first: f64,
        /// The second parameter's value.
        second: f64,
    },
    /// The caller's slice is not as long as the indicator has outputs.
    #[error("the indicator has {needed} outputs, but the slice holds {given}")]
    OutputSlots {
        /// How many outputs there are.
        needed: usize,
        /// How many places were given.
        given: usize,
    },
}

impl IndicatorError {
    /// A stable code for scripts and documentation: `IND-01` and so on. A code is never given a second meaning.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "IND-01",
            Self::NotWhole { .. } => "IND-02",
            Self::UnknownParameter { .. } => "IND-03",
            Self::UnknownIndicator { .. } => "IND-04",
            Self::NotFinite { .. } => "IND-05",
            Self::Conflict { .. } => "IND-06",
            Self::OutputSlots { .. } => "IND-07",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        CODES.iter().find(|(code, ..)| *code == self.code()).map_or("", |(.., hint)| hint)
    }
}

fn listed(names: &[&'static str]) -> String {
    if names.is_empty() { "no parameters".to_owned() } else { names.join(", ") }
}
