//! The defects of a file: the first of each code, and how many there are in all.

use crate::defect::{Defect, Effect, Severity};
use crate::number::Quality;
use serde::{Serialize, Serializer};
use std::ops::Deref;

/// What is wrong with a file.
///
/// Of each code and severity the first [`Self::LISTED`] that are found are listed, and the others are counted: a file that is
/// faulty in every row costs no more memory than one that is faulty in a thousand. It reads as the slice of those that are
/// listed, in the order of their rows; [`Self::count`] has all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defects {
    list: Vec<Defect>,
    tallies: Vec<Tally>,
    /// How many at the front of the list stand for a whole column each, while a file is read.
    columns: usize,
}

/// How many defects of a code are counted and not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unlisted {
    /// Of which code.
    pub code: &'static str,
    /// How bad they are.
    pub severity: Severity,
    /// How many there are beside those of the list.
    pub count: u64,
}

/// How many defects there are of a code and severity.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tally {
    code: &'static str,
    severity: Severity,
    all: u64,
    listed: u64,
    /// How many of all may be of any kind.
    of_any_kind: u64,
}

impl Defects {
    /// How many of a code and severity are listed.
    pub const LISTED: u64 = 1_000;

    /// Counts a defect, and lists it if it is one of the first.
    pub fn push(&mut self, defect: Defect) {
        let tally = self.tally(defect.code, defect.severity);
        tally.all += 1;
        tally.of_any_kind += u64::from(defect.of_any_kind);
        if tally.listed < Self::LISTED {
            tally.listed += 1;
            self.list.push(defect);
        }
    }

    /// How many there are, listed or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.all).sum()
    }

    /// How many of that severity there are, listed or not.
    #[must_use]
    pub fn count_of(&self, severity: Severity) -> u64 {
        self.tallies.iter().filter(|tally| tally.severity == severity).map(|tally| tally.all).sum()
    }

    /// What is counted and not listed.
    #[must_use]
    pub fn unlisted(&self) -> Vec<Unlisted> {
        let more = self.tallies.iter().filter(|tally| tally.all > tally.listed);
        more.map(|tally| Unlisted { code: tally.code, severity: tally.severity, count: tally.all - tally.listed })
            .collect()
    }

    /// Takes in what else is wrong with the same file. Faulty messages that may be of any kind are named by the readers of all
    /// kinds: they are counted once.
    pub fn append(&mut self, more: Self) {
        for other in &more.tallies {
            let tally = self.tally(other.code, other.severity);
            let own = tally.all - tally.of_any_kind;
            tally.all = own + (other.all - other.of_any_kind) + tally.of_any_kind.max(other.of_any_kind);
        }
        for defect in more.list {
            let tally = self.tally(defect.code, defect.severity);
            let is_known = defect.of_any_kind && tally.of_any_kind > 0;
            if !is_known && tally.listed < Self::LISTED {
                tally.listed += 1;
                self.list.push(defect);
            }
        }
        for other in &more.tallies {
            let tally = self.tally(other.code, other.severity);
            tally.of_any_kind = tally.of_any_kind.max(other.of_any_kind);
        }
        self.sort();
    }

    /// How many errors are of messages that may be of any kind: whoever reads another kind names them too.
    pub(crate) fn errors_of_any_kind(&self) -> u64 {
        let errors = self.tallies.iter().filter(|tally| tally.severity == Severity::Error);
        errors.map(|tally| tally.of_any_kind).sum()
    }

    /// Puts the list in the order of rows, once the file is read.
    pub(crate) fn sort(&mut self) {
        self.columns = 0;
        self.list.sort_by_key(|defect| defect.row);
    }

    /// Notes an error of a message of which nobody can tell the kind.
    pub(crate) fn push_of_any_kind(&mut self, mut defect: Defect) {
        defect.of_any_kind = true;
        self.push(defect);
    }

    /// Notes how a number was read; one entry per column and code, with a count.
    pub(crate) fn quality(&mut self, quality: Quality, row: u64, column: &str, value: impl FnOnce() -> String) {
        let (code, severity) = match quality {
            Quality::Exact => return,
            Quality::Noise | Quality::SinglePrecision => ("HIS-21", Severity::Note),
            Quality::Rounded => ("HIS-20", Severity::Warning),
        };
        self.counted(code, severity, column, || {
            Defect::new(code, severity, row, column, value()).with(Effect::Rounded)
        });
    }

    /// Notes a volume that the file does not give.
    pub(crate) fn no_volume(&mut self, row: u64, column: &str, text: &str) {
        self.counted("HIS-33", Severity::Note, column, || Defect::new("HIS-33", Severity::Note, row, column, text));
    }

    /// Notes a volume of 0 in a file that counts `ticks`, a column of its, and has no other volume.
    pub(crate) fn ticks_alone(&mut self, row: u64, column: &str, ticks: &str) {
        let what = || format!("the volume is not given: each is 0, and `{ticks}` counts ticks, not what was traded");
        let defect = || Defect::new("HIS-33", Severity::Note, row, column, "0").saying(what());
        self.counted("HIS-33", Severity::Note, column, defect);
    }

    fn counted(&mut self, code: &'static str, severity: Severity, column: &str, defect: impl FnOnce() -> Defect) {
        let of_columns = &mut self.list[..self.columns];
        if let Some(seen) = of_columns.iter_mut().find(|seen| seen.code == code && seen.column == column) {
            seen.rows += 1;
            return;
        }
        let tally = self.tally(code, severity);
        tally.all += 1;
        tally.listed += 1; // there are no more of them than columns
        self.list.insert(self.columns, defect());
        self.columns += 1;
    }

    fn tally(&mut self, code: &'static str, severity: Severity) -> &mut Tally {
        let found = self.tallies.iter().position(|tally| tally.code == code && tally.severity == severity);
        let at = found.unwrap_or(self.tallies.len());
        if found.is_none() {
            self.tallies.push(Tally { code, severity, all: 0, listed: 0, of_any_kind: 0 });
        }
        &mut self.tallies[at]
    }
}

impl Deref for Defects {
    type Target = [Defect];

    fn deref(&self) -> &[Defect] {
        &self.list
    }
}

impl<'a> IntoIterator for &'a Defects {
    type Item = &'a Defect;
    type IntoIter = std::slice::Iter<'a, Defect>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl IntoIterator for Defects {
    type Item = Defect;
    type IntoIter = std::vec::IntoIter<Defect>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(all: I) -> Self {
        let mut defects = Self::default();
        all.into_iter().for_each(|defect| defects.push(defect));
        defects
    }
}

/// The list alone.
impl Serialize for Defects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(row: u64) -> Defect {
        Defect::error("HIS-07", row, "price", "x")
    }

    #[test]
    fn the_first_thousand_of_a_code_are_listed_and_all_are_counted() {
        let mut defects: Defects = (1..=2_500).map(error).collect();
        defects.push(Defect::new("HIS-12", Severity::Warning, 7, "time", "y"));
        defects.push(Defect::error("HIS-12", 8, "time", "y"));
        assert_eq!((defects.len(), defects.count(), defects.count_of(Severity::Error)), (1_002, 2_502, 2_501));
        assert_eq!(defects.unlisted(), [Unlisted { code: "HIS-07", severity: Severity::Error, count: 1_500 }]);
        assert_eq!((defects[0].row, defects[999].row), (1, 1_000));
    }

    #[test]
    fn a_column_is_one_entry_however_many_columns_there_are() {
        let mut defects = Defects::default();
        for row in 1..=50 {
            for column in 0..100 {
                defects.quality(Quality::Noise, row, &format!("asks[{column}].price"), || {
                    "0.30000000000000004".to_owned()
                });
            }
        }
        assert_eq!((defects.len(), defects.count()), (100, 100));
        assert!(defects.iter().all(|defect| defect.rows == 50));
    }

    #[test]
    fn what_every_reader_of_a_file_names_is_counted_once() {
        let kind = |own: u64| {
            let mut defects = Defects::default();
            (1..=1_500).for_each(|row| defects.push_of_any_kind(error(row)));
            (0..own).for_each(|row| defects.push(error(2_000 + row)));
            defects
        };
        let mut all = kind(3);
        all.append(kind(4));
        all.append(kind(0));
        assert_eq!((all.len(), all.count(), all.errors_of_any_kind()), (1_000, 1_507, 1_500));
        let mut few = Defects::default();
        few.append((1..=2).map(error).collect());
        few.append((3..=4).map(error).collect());
        assert_eq!(few.iter().map(|defect| defect.row).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
