//! Stable error codes: what scripts match on, whatever the wording of a message becomes.

/// An error that a person can act on: a stable code, and what to do next.
///
/// The offending value stands in the `Display` text; the code never changes its meaning between releases.
pub trait Coded: std::error::Error {
    /// The stable code, such as `"DOM-03"`.
    fn code(&self) -> &'static str;
    /// What the reader can do about it, in one sentence.
    fn hint(&self) -> &'static str;
}

/// An error's own words and those of its causes, each once.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

/// One line of the generated error reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// The stable code.
    pub code: &'static str,
    /// What happened, without values.
    pub meaning: &'static str,
    /// What the reader can do about it.
    pub hint: &'static str,
}

impl ErrorCode {
    /// The hint that `list` gives for `code`; empty for a code that is not listed.
    #[must_use]
    pub fn hint_of(list: &[Self], code: &str) -> &'static str {
        list.iter().find(|line| line.code == code).map_or("", |line| line.hint)
    }
}

/// Writes `CODES`, the list of a crate's codes: code, meaning and hint of each, in order.
#[macro_export]
macro_rules! codes {
    ($($code:literal $meaning:literal $hint:literal;)*) => {
        /// Every code of this crate, in order; the book's error page is generated from such lists.
        pub const CODES: &[$crate::ErrorCode] =
            &[$($crate::ErrorCode { code: $code, meaning: $meaning, hint: $hint }),*];
    };
}

codes! {
    "DOM-01" "the text is not a decimal number" "write digits with at most one dot, such as 101.25";
    "DOM-02" "the number has more decimals than the instrument carries" "round it yourself: rounding is a trading decision";
    "DOM-03" "the number does not fit 64 bits at this precision" "use a smaller number or an instrument with fewer decimals";
    "DOM-04" "the price lies between two ticks" "use a multiple of the tick size";
    "DOM-05" "the quantity lies between two lots" "use a multiple of the lot size";
    "DOM-06" "the quantity is outside the instrument's bounds" "see min_quantity and max_quantity of the instrument";
    "DOM-07" "the order's notional is below the venue's minimum" "raise the quantity";
    "DOM-08" "the order contradicts itself" "see the message for the two fields that disagree";
    "DOM-09" "the symbol cannot be read" "write BASE/QUOTE, BASE/QUOTE:SETTLE or BASE/QUOTE:SETTLE-YYMMDD[-STRIKE-C|P]";
    "DOM-10" "the order cannot go from its state by this event" "the venue or the log contradicts itself: reconcile";
    "DOM-11" "the instrument contradicts itself" "see the message for the field";
    "DOM-12" "the bar contradicts itself" "high must be the highest, low the lowest, volume not negative";
    "DOM-13" "the interval is unknown" "write a number and one of s, m, h, d, w, such as 15m";
    "DOM-14" "the price must be positive for this instrument" "check the sign; only spreads and options on them trade below zero";
}

/// Looks up the hint of a code of [`CODES`].
pub(crate) fn hint_of(code: &str) -> &'static str {
    ErrorCode::hint_of(CODES, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_complete() {
        for (i, line) in CODES.iter().enumerate() {
            assert_eq!(line.code, format!("DOM-{:02}", i + 1));
            assert!(!line.hint.is_empty() && !line.meaning.is_empty());
        }
    }
}
