//! Who speaks: a name, what it is, and what it may do.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use tradewind_domain::Source;

/// A name of somebody: 1 to 32 lower-case letters, digits, dots, dashes or underscores, so that no two look alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// The text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no name: 1 to 32 lower-case letters, digits, `.`, `-` or `_`", .0.escape_debug())]
pub struct NameError(pub String);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// [`NameError`] with the text.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError(text.to_owned())) }
    }
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A human being: the only kind that approves.
    Person,
    /// A strategy in code.
    Strategy,
    /// A language-model agent.
    Agent,
    /// A learned model.
    Model,
    /// The program itself.
    System,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Propose orders.
    Trader,
    /// Approve the orders of others.
    Approver,
    /// Change limits and policy, and clear latches.
    Risk,
}

/// Somebody who speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Its name; two principals of one name are one.
    pub name: Name,
    /// What it is.
    pub kind: Kind,
    /// What it may do, if it is a person.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
}

impl Principal {
    /// A person with `roles`.
    #[must_use]
    pub fn person(name: Name, roles: impl IntoIterator<Item = Role>) -> Self {
        Self { name, kind: Kind::Person, roles: roles.into_iter().collect() }
    }

    /// The one person of an installation that has named none: may do all that one person may.
    #[must_use]
    pub fn operator() -> Self {
        Self::person(Name("operator".to_owned()), [Role::Trader, Role::Approver, Role::Risk])
    }

    /// Whoever says nothing of itself where persons are named: it may do nothing that takes a role.
    #[must_use]
    pub fn nobody() -> Self {
        Self { roles: BTreeSet::new(), ..Self::operator() }
    }

    /// Whether `name` stands for what is no person: no person may be called so.
    #[must_use]
    pub fn is_reserved(name: &Name) -> bool {
        let kinds = ["strategy-", "agent-", "model-"];
        ["operator", "system"].contains(&name.as_str()) || kinds.iter().any(|kind| name.as_str().starts_with(kind))
    }

    /// Who stands behind a source of events.
    #[must_use]
    pub fn of_source(source: Source) -> Self {
        let (kind, name) = match source {
            Source::Operator => return Self::operator(),
            Source::Strategy(place) => (Kind::Strategy, format!("strategy-{place}")),
            Source::Agent(place) => (Kind::Agent, format!("agent-{place}")),
            Source::Host | Source::Timer | Source::Market | Source::Venue => (Kind::System, "system".to_owned()),
        };
        Self { name: Name(name), kind, roles: BTreeSet::new() }
    }

    /// Whether it is a person with `role`. Roles of anything but a person count for nothing.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.kind == Kind::Person && self.roles.contains(&role)
    }

    /// Whether it may propose: strategies, agents, models and the program may, a person needs the role `trader`, or, for
    /// what only `reduces` a position, the role `risk`.
    #[must_use]
    pub fn may_propose(&self, reduces: bool) -> bool {
        self.kind != Kind::Person || self.has(Role::Trader) || reduces && self.has(Role::Risk)
    }
}

/// The persons of an installation, and what proves them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Who they are.
    pub operators: Vec<Principal>,
    /// SHA-256 of each one's token, in lower-case hex.
    pub tokens: BTreeMap<Name, String>,
}

impl Roster {
    /// Two persons whom one token proves, if there are such: whoever holds it could be both, and approve what they asked
    /// for themselves. Hex digits are compared in either case.
    #[must_use]
    pub fn shared_token(&self) -> Option<[&Name; 2]> {
        let mut holders: BTreeMap<String, &Name> = BTreeMap::new();
        self.tokens.iter().find_map(|(name, token)| {
            let first = holders.insert(token.to_ascii_lowercase(), name)?;
            Some([first, name])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_do_not_exist() {
        assert!(Name::new("anna.b-2_x").is_ok());
        for text in ["", "Anna", "anna ", "ann\u{0430}", "a/b", &"a".repeat(33)] {
            assert!(Name::new(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Name>("\"Anna\"").is_err());
    }

    #[test]
    fn names_of_what_is_no_person_are_reserved() {
        for source in [Source::Operator, Source::Host, Source::Strategy(4), Source::Agent(0)] {
            assert!(Principal::is_reserved(&Principal::of_source(source).name), "{source:?}");
        }
        let reserved = |text: &str| Principal::is_reserved(&Name::new(text).unwrap());
        assert!(reserved("model-x") && !reserved("anna") && !reserved("operator2"));
    }

    #[test]
    fn one_token_of_two_persons_is_found_in_either_case_of_its_digits() {
        let roster = |tokens: &[(&str, &str)]| Roster {
            tokens: tokens.iter().map(|(name, token)| (Name::new(name).unwrap(), (*token).to_owned())).collect(),
            ..Roster::default()
        };
        let check = |tokens: &[(&str, &str)], want: Option<[&str; 2]>| {
            let roster = roster(tokens);
            assert_eq!(roster.shared_token().map(|both| both.map(Name::as_str)), want, "{tokens:?}");
        };
        check(&[], None);
        check(&[("anna", "0a"), ("ben", "0b"), ("carl", "0c")], None);
        check(&[("anna", "0a"), ("ben", "0b"), ("carl", "0A")], Some(["anna", "carl"]));
    }

    #[test]
    fn roles_count_for_persons_only() {
        let mut agent = Principal::of_source(Source::Agent(3));
        agent.roles = [Role::Approver, Role::Risk].into();
        assert!(!agent.has(Role::Approver) && !agent.has(Role::Risk) && agent.may_propose(false));
        assert_eq!(agent.name.as_str(), "agent-3");
        assert!(Principal::operator().has(Role::Risk));
        let reader = Principal::person(Name::new("rita").unwrap(), [Role::Approver]);
        assert!(!reader.may_propose(true) && reader.has(Role::Approver));
        let exits = Principal::person(Name::new("ben").unwrap(), [Role::Risk]);
        assert!(exits.may_propose(true) && !exits.may_propose(false));
        assert!(!Principal::nobody().may_propose(true));
    }
}
