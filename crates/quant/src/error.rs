//! What can be wrong with the numbers that come in.

/// Every code of this crate in order: code, meaning, what to do.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "QNT-01",
        "a value is not a finite number",
        "look at the bar or trade with this index: a division by zero or a missing price",
    ),
    ("QNT-02", "the equity curve is out of order", "feed the equity curve oldest first"),
    ("QNT-03", "the account starts without capital", "start the account with a positive balance"),
    ("QNT-04", "a setting or field is out of range", "see the expected range in the message"),
    ("QNT-05", "a trade closes before it opens", "check which clock stamped the two ends of the trade"),
    ("QNT-06", "two inputs that belong together differ in length", "give one entry for each asset"),
    ("QNT-07", "there is too little to estimate from", "wait for more closed bars, or shorten the window"),
    (
        "QNT-08",
        "an asset has no usable return in a period",
        "repair the hole in its price history, or leave the asset out by name",
    ),
    (
        "QNT-09",
        "a covariance matrix is not positive semidefinite",
        "estimate it from returns: a matrix set by hand contradicts itself",
    ),
    ("QNT-10", "an iteration did not converge", "loosen the tolerance or allow more iterations"),
];

/// Why a set of numbers has no statistics.
///
/// Raised at the border ([`crate::EquityAccumulator::push`], [`crate::Summary::compute`]), so that the report
/// names the first bad value instead of being empty. The single functions answer `None` for such input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QuantError {
    /// A value is NaN or infinite.
    #[error("{series}[{index}] is {value}, not a finite number")]
    NotFinite {
        /// Which input, such as `"equity"` or `"trades.profit"`.
        series: &'static str,
        /// Its place in that input, counted from 0.
        index: usize,
        /// The value as it came.
        value: f64,
    },
    /// An observation is older than the one before it.
    #[error("equity[{index}] is stamped {at_ns} ns, before its predecessor at {previous_ns} ns")]
    OutOfOrder {
        /// Place of the observation, counted from 0.
        index: usize,
        /// Stamp of the observation before, UTC nanoseconds.
        previous_ns: i64,
        /// Stamp of the offending observation, UTC nanoseconds.
        at_ns: i64,
    },
    /// The first equity is zero or negative: no return can be taken from it.
    #[error("the first equity is {value}, no return can be taken from it")]
    NoCapital {
        /// The equity as it came.
        value: f64,
    },
    /// A setting or a field lies outside its range.
    #[error("{field}[{index}] is {value}, expected {expected}")]
    OutOfRange {
        /// Which field, such as `"trades.fees"`.
        field: &'static str,
        /// Its place, counted from 0 (0 for a setting).
        index: usize,
        /// The value as it came.
        value: f64,
        /// The range in words.
        expected: &'static str,
    },
    /// A trade closes before it opens.
    #[error("trades[{index}] opens at {opened_at_ns} ns and closes before that, at {closed_at_ns} ns")]
    ClosedBeforeOpened {
        /// Place of the trade, counted from 0.
        index: usize,
        /// UTC nanoseconds.
        opened_at_ns: i64,
        /// UTC nanoseconds.
        closed_at_ns: i64,
    },
    /// Two inputs that belong together differ in length.
    #[error("{what} has {got} entries, expected {expected}")]
    Shape {
        /// Which input, such as `"exposures"`.
        what: &'static str,
        /// How many it should have.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// There is too little to estimate anything from.
    #[error("{what}: {got} given, at least {needed} needed")]
    TooFew {
        /// What there is too little of, such as `"periods"`.
        what: &'static str,
        /// The least that makes sense.
        needed: usize,
        /// How many there are.
        got: usize,
    },
    /// One asset has no usable return in one period: no risk is computed around the hole.
    #[error("asset {asset} has no return in period {period}: {value}")]
    MissingReturn {
        /// Place of the asset, counted from 0.
        asset: usize,
        /// Place of the period, oldest first, counted from 0.
        period: usize,
        /// The value as it came: a return that is NaN or infinite, or a price that gives none.
        value: f64,
    },
    /// A covariance matrix is not positive semidefinite: no portfolio has such variances.
    #[error("the covariance matrix is not positive semidefinite: pivot {pivot} in row {row}")]
    NotPositiveSemidefinite {
        /// The row at which the decomposition failed.
        row: usize,
        /// The pivot, negative beyond rounding.
        pivot: f64,
    },
    /// An iteration ended before it reached its tolerance.
    #[error("{what} did not converge in {iterations} iterations, {gap} is left")]
    NotConverged {
        /// Which iteration.
        what: &'static str,
        /// How many were allowed.
        iterations: usize,
        /// What is left of the difference, in the unit of the tolerance.
        gap: f64,
    },
}

impl QuantError {
    /// The stable code, such as `"QNT-01"`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFinite { .. } => "QNT-01",
            Self::OutOfOrder { .. } => "QNT-02",
            Self::NoCapital { .. } => "QNT-03",
            Self::OutOfRange { .. } => "QNT-04",
            Self::ClosedBeforeOpened { .. } => "QNT-05",
            Self::Shape { .. } => "QNT-06",
            Self::TooFew { .. } => "QNT-07",
            Self::MissingReturn { .. } => "QNT-08",
            Self::NotPositiveSemidefinite { .. } => "QNT-09",
            Self::NotConverged { .. } => "QNT-10",
        }
    }

    /// What the reader can do about it, in one sentence.
    pub fn hint(&self) -> &'static str {
        CODES.iter().find(|(code, ..)| *code == self.code()).map_or("", |(.., hint)| hint)
    }
}

/// Checks that every value is a finite number.
///
/// # Errors
/// [`QuantError::NotFinite`] with the first offending index and value; `series` names the input in the message.
pub fn check_finite(series: &'static str, values: &[f64]) -> Result<(), QuantError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(QuantError::NotFinite { series, index, value: values[index] }),
        None => Ok(()),
    }
}

/// Checks one finite number.
pub(crate) fn check_one(series: &'static str, index: usize, value: f64) -> Result<(), QuantError> {
    if value.is_finite() { Ok(()) } else { Err(QuantError::NotFinite { series, index, value }) }
}

/// Checks that a finite number lies in the range that `holds` tested.
pub(crate) fn check_range(
    field: &'static str,
    value: f64,
    holds: bool,
    expected: &'static str,
) -> Result<(), QuantError> {
    check_one(field, 0, value)?;
    if holds { Ok(()) } else { Err(QuantError::OutOfRange { field, index: 0, value, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_line_in_the_table() {
        let errors = [
            QuantError::NotFinite { series: "equity", index: 0, value: f64::NAN },
            QuantError::OutOfOrder { index: 1, previous_ns: 2, at_ns: 1 },
            QuantError::NoCapital { value: 0.0 },
            QuantError::OutOfRange { field: "confidence", index: 0, value: 2.0, expected: "below 1" },
            QuantError::ClosedBeforeOpened { index: 0, opened_at_ns: 2, closed_at_ns: 1 },
            QuantError::Shape { what: "exposures", expected: 2, got: 1 },
            QuantError::TooFew { what: "periods", needed: 2, got: 1 },
            QuantError::MissingReturn { asset: 0, period: 0, value: f64::NAN },
            QuantError::NotPositiveSemidefinite { row: 0, pivot: -1.0 },
            QuantError::NotConverged { what: "risk parity", iterations: 1, gap: 0.1 },
        ];
        assert_eq!(errors.len(), CODES.len());
        for (error, line) in errors.iter().zip(CODES) {
            assert_eq!((error.code(), error.hint()), (line.0, line.2));
        }
    }
}
