//! Defects: what is wrong with a row, where, and what was done about it.

use crate::error::{hint_of, meaning_of};
use serde::Serialize;
use std::cmp::Ordering;
use std::fmt;
use tradewind_domain::{Price, format_decimal};

/// How bad a defect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong with the data.
    Note,
    /// The data can be used; look at it.
    Warning,
    /// The row or file is wrong.
    Error,
}

/// Characters of a value that a defect shows.
const VALUE_MAX: usize = 200;

/// What became of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is in the series as the file has it.
    Kept,
    /// It is not in the series: nothing could stand for it.
    LeftOut,
    /// The value was rounded or cleaned, as the code says.
    Rounded,
    /// The rows were put in order.
    Sorted,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// Stable code, such as `HIS-16`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Data row as in the file, from 1 without the header; 0 means the file as a whole.
    pub row: u64,
    /// Column as the file names it, where one is at fault.
    pub column: String,
    /// The offending value as the file has it, of one that goes on and on the beginning. It may hold anything: who prints it
    /// escapes what would steer a terminal.
    pub value: String,
    /// What is wrong, in words.
    pub what: String,
    /// What became of the row.
    pub effect: Effect,
    /// How many rows share it: above 1 only for HIS-20, HIS-21 and HIS-33, which are counted per column.
    pub rows: u64,
    /// What to do about it.
    pub hint: &'static str,
    /// Whether it is of a message that may be of any kind: whoever reads another kind of the same file names it too.
    #[serde(skip)]
    pub(crate) of_any_kind: bool,
}

impl Defect {
    pub(crate) fn new(
        code: &'static str,
        severity: Severity,
        row: u64,
        column: &str,
        value: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            row,
            column: column.to_owned(),
            value: beginning_of(value.into()),
            what: meaning_of(code).to_owned(),
            effect: Effect::Kept,
            rows: 1,
            hint: hint_of(code),
            of_any_kind: false,
        }
    }
    pub(crate) fn error(code: &'static str, row: u64, column: &str, value: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, row, column, value)
    }
    /// A fault of the file as a whole.
    pub(crate) fn of_file(code: &'static str, severity: Severity, value: &str) -> Self {
        Self::new(code, severity, 0, "", value)
    }
    /// What is wrong with a book whose best prices these are, mantissas at `decimals`, after the change that ends in `row`:
    /// it is crossed (HIS-37) or locked (HIS-38). `None` for a sound book.
    #[must_use]
    pub fn of_book(row: u64, bid: Price, ask: Price, decimals: u8) -> Option<Self> {
        let text = |price: Price| format_decimal(i128::from(price.mantissa()), decimals);
        let order = bid.cmp(&ask);
        let defect = || Self::of_touch(order, row, "", &text(bid), &text(ask));
        let what = if order.is_eq() { "locked" } else { "crossed" };
        order.is_ge().then(|| defect().saying(format!("the book is {what} after this change: best bid / best ask")))
    }

    /// A crossed (`Greater`) or locked (`Equal`) market: the best bid against the best ask.
    pub(crate) fn of_touch(order: Ordering, row: u64, column: &str, bid: &str, ask: &str) -> Self {
        let (code, severity) = if order.is_eq() { ("HIS-38", Severity::Note) } else { ("HIS-37", Severity::Warning) };
        Self::new(code, severity, row, column, format!("{bid} / {ask}"))
    }

    /// Without its code: for those who say that themselves.
    pub(crate) fn told(&self) -> String {
        let row = if self.row > 0 { format!("row {} ", self.row) } else { String::new() };
        let column = if self.column.is_empty() { String::new() } else { format!("column {} ", self.column) };
        format!("{}: {} (`{}`)", format!("{row}{column}").trim_end(), self.what, self.value)
    }
    pub(crate) fn saying(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }
    pub(crate) const fn with(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}

fn beginning_of(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(VALUE_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.told())
    }
}
