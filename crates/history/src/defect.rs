//! Defects: what is wrong with a row, where, and what was done about it.

use crate::error::{hint_of, meaning_of};
use crate::number::Quality;
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

/// Characters of a value that a fault of a whole file shows.
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
    /// The offending value.
    pub value: String,
    /// What is wrong, in words.
    pub what: String,
    /// What became of the row.
    pub effect: Effect,
    /// How many rows share it: above 1 only for HIS-20, HIS-21 and HIS-33, which are counted per column.
    pub rows: u64,
    /// What to do about it.
    pub hint: &'static str,
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
            value: value.into(),
            what: meaning_of(code).to_owned(),
            effect: Effect::Kept,
            rows: 1,
            hint: hint_of(code),
        }
    }
    pub(crate) fn error(code: &'static str, row: u64, column: &str, value: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, row, column, value)
    }
    /// A fault of the file as a whole; of a value that goes on and on the beginning.
    pub(crate) fn of_file(code: &'static str, severity: Severity, value: &str) -> Self {
        let mut shown: String = value.chars().take(VALUE_MAX).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self::new(code, severity, 0, "", shown)
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

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.told())
    }
}

/// Collects defects while a file is read.
#[derive(Debug, Default)]
pub(crate) struct DefectLog {
    pub(crate) list: Vec<Defect>,
    /// How many of them are errors.
    pub(crate) errors: usize,
    /// How many of the errors are of messages that may be of any kind: whoever reads another kind logs them too.
    pub(crate) of_any_kind: usize,
}

impl DefectLog {
    pub(crate) fn push(&mut self, defect: Defect) {
        self.errors += usize::from(defect.severity == Severity::Error);
        self.list.push(defect);
    }

    /// Notes an error of a message of which nobody can tell the kind.
    pub(crate) fn push_of_any_kind(&mut self, defect: Defect) {
        self.of_any_kind += 1;
        self.push(defect);
    }

    /// Notes how a number was read; one entry per column and code, with a count.
    pub(crate) fn quality(&mut self, quality: Quality, row: u64, column: &str, value: impl FnOnce() -> String) {
        let (code, severity) = match quality {
            Quality::Exact => return,
            Quality::Noise | Quality::SinglePrecision => ("HIS-21", Severity::Note),
            Quality::Rounded => ("HIS-20", Severity::Warning),
        };
        self.counted(code, severity, row, column, Effect::Rounded, value);
    }

    /// Notes a volume that the file does not give.
    pub(crate) fn no_volume(&mut self, row: u64, column: &str, text: &str) {
        self.counted("HIS-33", Severity::Note, row, column, Effect::Kept, || text.to_owned());
    }

    fn counted(
        &mut self,
        code: &'static str,
        severity: Severity,
        row: u64,
        column: &str,
        effect: Effect,
        value: impl FnOnce() -> String,
    ) {
        match self.list.iter_mut().take(64).find(|seen| seen.code == code && seen.column == column) {
            Some(seen) => seen.rows += 1,
            None => {
                let at = self.list.len().min(32); // in front, so that the search above stays short
                self.list.insert(at, Defect::new(code, severity, row, column, value()).with(effect));
            }
        }
    }
}
