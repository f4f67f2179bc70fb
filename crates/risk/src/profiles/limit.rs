//! One line of the table of limits: what it bounds, how it is read and set, and what loosens it.

use super::{LIMITS, LimitSet, Unit};
use crate::{Guard, LimitsError};
use serde::Serialize;

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitScope {
    /// Each portfolio's own.
    Portfolio,
    /// The account's, all portfolios together.
    Account,
}

/// Which way a limit gets tighter: whatever allows more needs a second person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tighter {
    /// A cap: less of it allows less, and without it most is allowed.
    Lower,
    /// A floor, as of a plan's confidence or of a buffer: more of it allows less, and without it most is allowed.
    Higher,
    /// A permission: it allows when it is there.
    Absent,
    /// A choice of which no word is the tightest always: any other may allow more.
    Same,
}

/// One line of the table of limits. Two lines are equal if they have one name.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Its name in settings and commands.
    pub name: &'static str,
    /// What it bounds.
    pub bounds: &'static str,
    /// How its number is written.
    pub unit: Unit,
    /// Which way it gets tighter.
    pub tighter: Tighter,
    /// Whose it is.
    pub scope: LimitScope,
    /// Which guard of this crate asks it; `None` where a guard of the gate does.
    pub guard: Option<Guard>,
    /// The value of each of [`crate::Profile::ALL`]; `None` is no limit.
    pub values: [Option<i64>; 3],
    /// Why each value is what it is.
    pub reasons: [&'static str; 3],
    pub(super) is_control: bool,
    pub(super) get: fn(&LimitSet) -> Option<i64>,
    pub(super) set: fn(&mut LimitSet, Option<i64>) -> bool,
}

impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Limit {}

impl Limit {
    /// The limit of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        LIMITS.iter().find(|limit| limit.name == name)
    }
    /// Its value in `set`; of a choice that was not made, the one that holds then.
    #[must_use]
    pub fn get(&self, set: &LimitSet) -> Option<i64> {
        (self.get)(set).or(self.unit.unset())
    }
    /// Sets it in `set`; `None` takes it away.
    ///
    /// # Errors
    /// [`LimitsError`] with the value if that is negative or past 32 bits where those are all that is kept. Whether it
    /// means something is for `validate` to say.
    pub fn set(&self, set: &mut LimitSet, value: Option<i64>) -> Result<(), LimitsError> {
        if (self.set)(set, value) { Ok(()) } else { Err(LimitsError { name: self.name, value: self.text(value) }) }
    }
    /// Whether it is one of [`crate::Controls`] or of [`crate::AccountCaps`], rather than of the first limits of [`crate::Limits`].
    #[must_use]
    pub const fn is_control(&self) -> bool {
        self.is_control
    }
    /// Whether `new` allows more than `old`.
    #[must_use]
    pub fn loosens(&self, old: Option<i64>, new: Option<i64>) -> bool {
        let unset = self.unit.unset();
        match (self.tighter, old.or(unset), new.or(unset)) {
            (Tighter::Absent, old, new) => new > old,
            (Tighter::Same, old, new) => new != old,
            (Tighter::Lower | Tighter::Higher, None, _) => false,
            (Tighter::Lower | Tighter::Higher, Some(_), None) => true,
            (Tighter::Lower, Some(old), Some(new)) => new > old,
            (Tighter::Higher, Some(old), Some(new)) => new < old,
        }
    }
    /// Its value in words.
    #[must_use]
    pub fn text(&self, value: Option<i64>) -> String {
        value.or(self.unit.unset()).map_or_else(|| "none".to_owned(), |value| self.unit.text(value))
    }
}
