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
