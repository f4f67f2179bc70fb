//! The limits in the settings: a profile to start from, and what a person sets instead, by the names of the one table.

use super::{Amount, Percent, Seconds};
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use tradewind_gate::Limits;
use tradewind_risk::{AccountLimits, LIMITS, Limit, LimitSet, LimitsError, Unit};

/// A shipped set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// For money: see [`tradewind_risk::Profile::Conservative`].
    #[default]
    Conservative,
    /// For money, after a while: see [`tradewind_risk::Profile::Moderate`].
    Moderate,
    /// For play: see [`tradewind_risk::Profile::Demo`].
    Demo,
    /// For comparing with a backtest: see [`Limits::RESEARCH`].
    Research,
}

/// What is allowed. Each limit left out comes from the profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitSettings {
    /// The set of limits to start from.
    pub profile: Profile,
    /// What a person set, by the name of the limit.
    values: BTreeMap<&'static str, i64>,
    /// Which sector an asset belongs to.
    pub sectors: BTreeMap<String, String>,
}

impl LimitSettings {
    /// A profile as it ships.
    #[must_use]
    pub const fn of(profile: Profile) -> Self {
        Self { profile, values: BTreeMap::new(), sectors: BTreeMap::new() }
    }

    /// The same with one limit set, in the unit of the table.
    ///
    /// # Panics
    /// If there is no limit of that name: names come from the code here.
    #[must_use]
    pub fn with(mut self, name: &str, value: i64) -> Self {
        let limit = Limit::find(name).expect("a limit of the table");
        self.values.insert(limit.name, value);
        self
    }

    /// The limits that the gate works with, of a portfolio and of the account.
    ///
    /// # Panics
    /// If a value does not fit its limit: [`Self::validate`] says so when settings are read.
    #[must_use]
    pub fn set(&self) -> LimitSet {
        self.fitting().expect("what was read was validated")
    }

    fn fitting(&self) -> Result<LimitSet, LimitsError> {
        use tradewind_risk::Profile as Shipped;
        let mut set = match self.profile {
            Profile::Conservative => LimitSet::of(Shipped::Conservative),
            Profile::Moderate => LimitSet::of(Shipped::Moderate),
            Profile::Demo => LimitSet::of(Shipped::Demo),
            Profile::Research => LimitSet { limits: Limits::RESEARCH, account: AccountLimits::NONE },
        };
        for (name, value) in &self.values {
            let limit = Limit::find(name).expect("names were read from the table");
            limit.set(&mut set, (limit.unit != Unit::Flag || *value == 1).then_some(*value))?;
        }
        set.account.sectors.clone_from(&self.sectors);
        Ok(set)
    }

    /// A portfolio's limits.
    #[must_use]
    pub fn resolve(&self) -> Limits {
        self.set().limits
    }

    /// Checks that each limit can be reached.
    ///
    /// # Errors
    /// [`LimitsError`] names the first that cannot.
    pub fn validate(&self) -> Result<(), LimitsError> {
        let set = self.fitting()?;
        set.limits.validate().and_then(|()| set.account.caps.validate())
    }

    /// Whether a person set every limit that live mode wants set by hand.
    #[must_use]
    pub fn are_explicit(&self) -> bool {
        let any = |names: &[&str]| names.iter().any(|name| self.values.contains_key(name));
        any(&["max_order", "max_order_amount"])
            && any(&["max_position", "max_position_amount"])
            && any(&["daily_loss"])
            && any(&["drawdown"])
    }
}

/// A value as it is written in a file.
pub(super) fn written(limit: &Limit, value: i64) -> String {
    match limit.unit {
        Unit::Count => value.to_string(),
        Unit::Flag => (value == 1).to_string(),
        _ => format!("\"{}\"", limit.unit.text(value).replace(' ', "")),
    }
}

/// Reads what stands behind a limit's name.
fn read(unit: Unit, text: &str) -> Result<i64, String> {
    let not = |what: &str| format!("`{text}` is not {what}");
    match unit {
        Unit::Percent => text.parse::<Percent>().map(|part| part.bps().into()),
        Unit::Duration => text.parse::<Seconds>().map(Seconds::nanos),
        Unit::Amount => text.parse::<Amount>().map(Amount::units),
        Unit::Multiple => unit.parse(text).ok_or_else(|| not("a multiple: write it with its unit, such as \"2x\"")),
        Unit::Count => unit.parse(text).ok_or_else(|| not("a whole number, such as 10")),
        Unit::Flag => unit.parse(text).ok_or_else(|| not("true or false")),
        Unit::Choice(words) => unit.parse(text).ok_or_else(|| not(&format!("one of {}", words.join(", ")))),
    }
}

struct Value(Unit);

impl<'de> DeserializeSeed<'de> for Value {
    type Value = i64;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<i64, D::Error> {
        match self.0 {
            Unit::Count => deserializer.deserialize_i64(self),
            Unit::Flag => deserializer.deserialize_bool(self),
            _ => deserializer.deserialize_str(self),
        }
    }
}

impl Visitor<'_> for Value {
    type Value = i64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Unit::Percent => "a percentage with its unit, such as \"2.5%\"",
            Unit::Duration => "a duration with its unit, such as \"5s\"",
            Unit::Amount => "a decimal number as text, such as \"1000\"",
            Unit::Multiple => "a multiple with its unit, such as \"2x\"",
            Unit::Count => "a whole number, such as 10",
            Unit::Flag => "true or false",
            Unit::Choice(words) => return write!(f, "one of {}", words.join(", ")),
        })
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        read(self.0, text).map_err(E::custom)
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        match self.0 {
            Unit::Count => Ok(value),
            _ => Err(E::invalid_type(serde::de::Unexpected::Signed(value), &self)),
        }
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<i64, E> {
        match self.0 {
            Unit::Flag => Ok(value.into()),
            _ => Err(E::invalid_type(serde::de::Unexpected::Bool(value), &self)),
        }
    }
}

enum Key {
    Profile,
    Sectors,
    Limit(&'static Limit),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "profile" => Ok(Self::Profile),
            "sectors" => Ok(Self::Sectors),
            name => Limit::find(name).map(Self::Limit).ok_or_else(|| {
                D::Error::custom(format!(
                    "unknown field `{name}`: see `tradewind config reference limits` for all names"
                ))
            }),
        }
    }
}

impl<'de> Deserialize<'de> for LimitSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = LimitSettings;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of limits")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LimitSettings, A::Error> {
                let mut settings = LimitSettings::default();
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Profile => settings.profile = map.next_value()?,
                        Key::Sectors => settings.sectors = map.next_value()?,
                        Key::Limit(limit) => {
                            let value = map.next_value_seed(Value(limit.unit))?;
                            settings.values.insert(limit.name, value);
                        }
                    }
                }
                Ok(settings)
            }
        }
        deserializer.deserialize_map(Table)
    }
}

impl Serialize for LimitSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("profile", &self.profile)?;
        for limit in &LIMITS {
            let Some(value) = self.values.get(limit.name) else { continue };
            match limit.unit {
                Unit::Count => map.serialize_entry(limit.name, value)?,
                Unit::Flag => map.serialize_entry(limit.name, &(*value == 1))?,
                _ => map.serialize_entry(limit.name, &limit.unit.text(*value).replace(' ', ""))?,
            }
        }
        map.serialize_entry("sectors", &self.sectors)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use std::path::Path;

    fn read_file(text: &str) -> Result<LimitSettings, String> {
        Settings::parse(text, Path::new("t.toml")).map(|settings| settings.limits).map_err(|error| error.to_string())
    }

    #[test]
    fn every_limit_of_the_table_can_be_written_and_read_back() {
        for limit in &LIMITS {
            let value = limit.values[1].unwrap_or(if limit.unit == Unit::Amount { 100_000_000_000 } else { 1 });
            let text = format!("[limits]\n{} = {}\n", limit.name, written(limit, value));
            let settings = read_file(&text).unwrap();
            assert_eq!(limit.get(&settings.set()), Some(value), "{text}");
            let again: LimitSettings = toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
            assert_eq!(again, settings, "{text}");
        }
    }

    #[test]
    fn each_profile_is_chosen_by_name_and_what_is_set_overrides_it() {
        for (name, profile) in [
            ("demo", tradewind_risk::Profile::Demo),
            ("conservative", tradewind_risk::Profile::Conservative),
            ("moderate", tradewind_risk::Profile::Moderate),
        ] {
            let settings = read_file(&format!("[limits]\nprofile = \"{name}\"\n")).unwrap();
            assert_eq!(settings.set(), LimitSet::of(profile));
        }
        let text =
            "[limits]\nprofile = \"research\"\ngross = \"50%\"\nno_self_match = true\nsectors = { BTC = \"majors\" }\n";
        let set = read_file(text).unwrap().set();
        assert_eq!((set.limits, set.account.caps.gross_bps), (Limits::RESEARCH, Some(5_000)));
        assert_eq!((set.account.caps.self_match, set.account.sectors["BTC"].as_str()), (Some(1), "majors"));
        let off = read_file("[limits]\nno_self_match = false\n").unwrap().set();
        assert_eq!(off.account.caps.self_match, None);
    }

    #[test]
    fn faults_name_the_line_and_what_to_write() {
        for (text, want) in [
            ("[limits]\nleverage = \"2\"\n", "t.toml:2: `2` is not a multiple: write it with its unit, such as \"2x\""),
            ("[limits]\nopen_positions = \"few\"\n", "t.toml:2: `few` is not a whole number, such as 10"),
            ("[limits]\n\nno_such = 1\n", "t.toml:3: unknown field `no_such`: see `tradewind config reference limits`"),
            ("[limits]\nno_self_match = 1\n", "t.toml:2: invalid type: integer `1`, expected true or false"),
            ("[limits]\nopen_positions = 0\n", "t.toml:2: limit open_positions cannot be 0"),
            ("[limits]\ngross = \"0%\"\n", "t.toml:2: limit gross cannot be 0 %"),
        ] {
            let found = read_file(text).unwrap_err();
            assert!(found.starts_with(want), "{found}");
        }
    }
}
