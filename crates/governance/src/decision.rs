//! Decisions: what an order follows, and whose order must name one.
//!
//! A decision is an event of the journal: what a strategy's desk decided on a bar, or the name under which a person or
//! an agent keeps its reasons elsewhere. A proposal names the decision as the cause on its envelope.

use crate::{Kind, Name};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a decision that somebody made outside this program: 1 to 64 printable ASCII characters without spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DecisionId(String);

impl DecisionId {
    /// Reads a name; `None` if it is empty, too long or not printable ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len()) && crate::check_plain(text).is_ok();
        fits.then(|| Self(text.to_owned()))
    }
}
impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for DecisionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let unfit = || serde::de::Error::custom("1 to 64 printable ASCII characters without spaces");
        Self::new(&text).ok_or_else(unfit)
    }
}

/// A decision that orders may name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedDecision {
    /// Whose: nobody else's order may name it.
    pub by: Name,
    /// What it is called elsewhere; `None` for one that stands in the journal itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DecisionId>,
}

/// Whose orders must name a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequireDecision {
    /// Nobody's: those without one are only counted.
    #[default]
    Off,
    /// Those of agents and models.
    Agents,
    /// Those of agents, models, strategies and persons. What the program itself does to put an accident right needs none,
    /// and a person may always reduce.
    All,
}

impl RequireDecision {
    /// Whether it asks nothing of anybody.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
    pub const fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Whether an order of such a source must name a decision.
    #[must_use]
    pub const fn covers(self, kind: Kind) -> bool {
        match (self, kind) {
            (Self::Off, _) | (_, Kind::System) => false,
            (_, Kind::Agent | Kind::Model) => true,
            (Self::Agents, Kind::Person | Kind::Strategy) => false,
            (Self::All, Kind::Person | Kind::Strategy) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_named_in_plain_characters() {
        for fits in ["idea-7", "a", "2026-11-21/BTC#3", &"x".repeat(64)] {
            assert_eq!(DecisionId::new(fits).unwrap().to_string(), fits);
        }
        for unfit in ["", "two words", "line\nbreak", "caf\u{e9}", "\u{202E}7-aedi", &"x".repeat(65)] {
            assert_eq!(DecisionId::new(unfit), None, "{unfit:?}");
            assert!(serde_json::from_value::<DecisionId>(unfit.into()).is_err(), "{unfit:?}");
        }
    }

    #[test]
    fn who_must_name_a_decision_follows_from_the_setting() {
        use Kind::{Agent, Model, Person, Strategy, System};
        let covered = |it: RequireDecision| [Person, Strategy, Agent, Model, System].map(|kind| it.covers(kind));
        assert_eq!(covered(RequireDecision::Off), [false; 5]);
        assert_eq!(covered(RequireDecision::Agents), [false, false, true, true, false]);
        assert_eq!(covered(RequireDecision::All), [true, true, true, true, false]);
    }
}
