//! Parameters of strategies: their names, defaults, ranges and meanings, and how a TOML table is held against them.

use crate::StrategyError;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::fmt;
use toml::{Table, Value};

/// Version of a strategy: the number of its rule, and eight hex digits of the SHA-256 of its parameters as `Debug`
/// writes them.
pub(crate) fn version(rule: u32, parameters: &impl fmt::Debug) -> Option<String> {
    let hash = Sha256::digest(format!("{parameters:?}"));
    let hex: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{rule}-{hex}"))
}

/// One parameter, as it stands in a configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its key in TOML.
    pub name: &'static str,
    /// Its value when nobody says otherwise, as TOML.
    pub default: &'static str,
    /// What it may be; both ends are allowed.
    pub range: Range,
    /// What it does, with its unit.
    pub meaning: &'static str,
}

/// What a parameter may be. `Display` writes it for people: `2 to 100000`, `true or false`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// A whole number.
    Whole(i64, i64),
    /// Any number.
    Real(f64, f64),
    /// A switch.
    Switch,
}

impl Range {
    const fn expected(self) -> &'static str {
        match self {
            Self::Whole(..) => "a whole number",
            Self::Real(..) => "a number",
            Self::Switch => "true or false",
        }
    }

    /// Whether `value` is of this type; a whole number is a number as well.
    const fn is_type_of(self, value: &Value) -> bool {
        match self {
            Self::Whole(..) => matches!(value, Value::Integer(_)),
            Self::Real(..) => matches!(value, Value::Integer(_) | Value::Float(_)),
            Self::Switch => matches!(value, Value::Boolean(_)),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "whole numbers near the ends of a range are small")]
    fn contains(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Whole(min, max), Value::Integer(value)) => (min..=max).contains(value),
            (Self::Real(min, max), Value::Integer(value)) => (min..=max).contains(&(*value as f64)),
            (Self::Real(min, max), Value::Float(value)) => (min..=max).contains(value),
            (Self::Switch, Value::Boolean(_)) => true,
            _ => false,
        }
    }
}

/// Parameters with their defaults, ranges and meanings, as a TOML table to start from.
pub(crate) fn template(parameters: &[Parameter]) -> String {
    let line = |it: &Parameter| format!("# {} ({})\n{} = {}\n", it.meaning, it.range, it.name, it.default);
    parameters.iter().map(line).collect()
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(min, max) => write!(f, "{min} to {max}"),
            Self::Real(min, max) => write!(f, "{min} to {max}"),
            Self::Switch => f.write_str("true or false"),
        }
    }
}

/// Shorthand for the tables in the strategies' files.
pub(crate) const fn parameter(
    name: &'static str,
    default: &'static str,
    range: Range,
    meaning: &'static str,
) -> Parameter {
    Parameter { name, default, range, meaning }
}

/// How many bars an indicator may look at.
pub(crate) const BARS: Range = Range::Whole(2, 100_000);
/// Part of equity: above 1 only where the account may borrow.
pub(crate) const PART_OF_EQUITY: Range = Range::Real(0.0, 10.0);

/// Reads `table` as the parameters of `strategy`; what is left out has its default. Ranges are checked by
/// [`check`], which every constructor calls.
pub(crate) fn read<P: DeserializeOwned>(
    strategy: &'static str,
    parameters: &[Parameter],
    table: &Table,
) -> Result<P, StrategyError> {
    for (name, value) in table {
        let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
            let known = parameters.iter().map(|parameter| parameter.name).collect();
            return Err(StrategyError::UnknownParameter { strategy, parameter: name.clone(), known });
        };
        if !parameter.range.is_type_of(value) {
            return Err(wrong_type(strategy, name, value, parameter.range.expected()));
        }
        if !parameter.range.contains(value) {
            return Err(out_of_range(strategy, parameter, value));
        }
    }
    P::deserialize(table.clone())
        .map_err(|error| wrong_type(strategy, "the table", table, "a table of its parameters").because(&error))
}

/// Holds built parameters against their ranges.
pub(crate) fn check<P: Serialize>(
    strategy: &'static str,
    parameters: &[Parameter],
    values: &P,
) -> Result<(), StrategyError> {
    let table = Table::try_from(values).map_err(|error| {
        wrong_type(strategy, "the table", &"a number past 64 bits", "a table of its parameters").because(&error)
    })?;
    for parameter in parameters {
        match table.get(parameter.name) {
            Some(value) if !parameter.range.contains(value) => return Err(out_of_range(strategy, parameter, value)),
            _ => (),
        }
    }
    Ok(())
}

fn out_of_range(strategy: &'static str, parameter: &Parameter, value: &Value) -> StrategyError {
    let (value, range) = (value.to_string(), parameter.range.to_string());
    StrategyError::OutOfRange { strategy, parameter: parameter.name, value, range }
}

fn wrong_type(
    strategy: &'static str,
    parameter: &str,
    value: &impl fmt::Display,
    expected: &'static str,
) -> StrategyError {
    StrategyError::WrongType { strategy, parameter: parameter.to_owned(), value: value.to_string(), expected }
}

impl StrategyError {
    /// Adds what the TOML reader says to the value shown.
    fn because(mut self, reason: &dyn fmt::Display) -> Self {
        if let Self::WrongType { value, .. } = &mut self {
            *value = format!("{} ({reason})", value.trim_end());
        }
        self
    }
}
