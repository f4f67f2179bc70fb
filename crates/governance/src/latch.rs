//! Kill switches: what is latched stays so, across restarts, until somebody who may clears it.

use crate::{Kind, Name, Principal, Refused, Role, Rule};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use tradewind_domain::{AccountId, Source, Timestamp};

/// What a kill switch covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything.
    Global,
    /// One venue, by name.
    Venue(String),
    /// One account.
    Account(AccountId),
    /// One strategy, agent or person, by its name, such as `strategy-0` or `anna`; `operator` is all persons.
    Source(Name),
}

impl Scope {
    /// Whether an order of `source`, behind which the person `by` stands, for `account` at `venue` falls under it.
    #[must_use]
    pub fn covers(&self, source: Source, by: Option<&Name>, account: AccountId, venue: &str) -> bool {
        match self {
            Self::Global => true,
            Self::Venue(name) => name == venue,
            Self::Account(id) => *id == account,
            Self::Source(name) => Some(name) == by || *name == Principal::of_source(source).name,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Venue(name) => write!(f, "venue:{name}"),
            Self::Account(id) => write!(f, "account:{}", id.0),
            Self::Source(name) => write!(f, "source:{name}"),
        }
    }
}

/// The text names nothing that can be latched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no scope: global, venue:NAME, account:NUMBER or source:NAME", .0.escape_debug())]
pub struct ScopeError(pub String);

impl FromStr for Scope {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let unfit = || ScopeError(text.to_owned());
        match text.split_once(':') {
            None if text == "global" => Ok(Self::Global),
            Some(("venue", name)) if crate::check_plain(name).is_ok() => Ok(Self::Venue(name.to_owned())),
            Some(("account", number)) => number.parse().map(|id| Self::Account(AccountId(id))).map_err(|_| unfit()),
            Some(("source", name)) => Name::new(name).map(Self::Source).map_err(|_| unfit()),
            _ => Err(unfit()),
        }
    }
}
impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A kill switch that is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// Who threw it.
    pub by: Name,
    /// What that is: what a strategy's own rule threw, its owner may not clear alone.
    pub kind: Kind,
    /// The named person who threw it, or whose strategy or proposal tripped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tripped_by: Option<Name>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Latch {
    /// Whether `who` may clear it: a person with the role `risk`, and, where two persons are wanted, not the one whose
    /// strategy tripped it.
    ///
    /// # Errors
    /// [`Rule::NotAPerson`], [`Rule::NoRole`] or [`Rule::Clearer`].
    pub fn check_clear(&self, who: &Principal, two_persons: bool) -> Result<(), Refused> {
        if who.kind != Kind::Person {
            return Err(Refused::new(Rule::NotAPerson, format!("{} is no person", who.name), "a person"));
        }
        if !who.has(Role::Risk) {
            return Err(Refused::new(Rule::NoRole, who.name.as_str(), "the role risk"));
        }
        if two_persons && self.tripped_by.as_ref() == Some(&who.name) {
            return Err(Refused::new(Rule::Clearer, who.name.as_str(), "a person who did not trip it"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written_and_cover_what_they_name() {
        let strategy = Source::Strategy(2);
        for (text, covers, covers_not) in [
            ("global", Some((strategy, 0, "binance")), None),
            ("venue:binance", Some((strategy, 0, "binance")), Some((strategy, 0, "kraken"))),
            ("account:3", Some((strategy, 3, "kraken")), Some((strategy, 0, "binance"))),
            ("source:strategy-2", Some((strategy, 0, "binance")), Some((Source::Strategy(1), 0, "binance"))),
            ("source:anna", Some((Source::Operator, 0, "binance")), None),
            ("source:ben", None, Some((Source::Operator, 0, "binance"))),
            ("source:operator", Some((Source::Operator, 0, "binance")), Some((strategy, 0, "binance"))),
        ] {
            let scope: Scope = text.parse().unwrap();
            assert_eq!(scope.to_string(), text);
            assert_eq!(serde_json::from_str::<Scope>(&serde_json::to_string(&scope).unwrap()).unwrap(), scope);
            let anna = Name::new("anna").unwrap();
            let asks = |(source, account, venue)| scope.covers(source, Some(&anna), AccountId(account), venue);
            assert_ne!(covers.map(asks), Some(false), "{text}");
            assert_ne!(covers_not.map(asks), Some(true), "{text}");
        }
        for text in ["", "venue:", "venue:a b", "account:x", "account:70000", "source:X", "all", "venue"] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_latch_is_cleared_by_a_person_of_risk_who_did_not_trip_it() {
        let (anna, ben) = (Name::new("anna").unwrap(), Name::new("ben").unwrap());
        let latch = Latch {
            by: Name::new("strategy-0").unwrap(),
            kind: Kind::Strategy,
            tripped_by: Some(anna.clone()),
            at: Timestamp::from_millis(0),
            reason: "daily loss".to_owned(),
        };
        let check = |who: &Principal, two| latch.check_clear(who, two).map_err(|refused| refused.rule);
        let risk = |name: &Name| Principal::person(name.clone(), [Role::Risk]);
        assert_eq!(check(&risk(&ben), true), Ok(()));
        assert_eq!(check(&risk(&anna), true), Err(Rule::Clearer));
        assert_eq!(check(&risk(&anna), false), Ok(()));
        assert_eq!(check(&Principal::person(ben, [Role::Trader]), false), Err(Rule::NoRole));
        let agent = Principal { roles: [Role::Risk].into(), ..Principal::of_source(Source::Agent(0)) };
        assert_eq!(check(&agent, false), Err(Rule::NotAPerson));
    }
}
