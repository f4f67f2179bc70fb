//! The one table of limits: name, unit, the value of every shipped profile, and the reason for each value.
//!
//! Each limit is one line: the first in `base`, those of a portfolio that meets a venue in `controls`, those of the account
//! in `account`. A line makes the field, its value in every profile, its row in the reference and its validation.

/// Declares a set of limits once: its struct, its value in every profile, its part of the table, its validation.
macro_rules! limit_set {
    (
        $(#[$meta:meta])* $name:ident $table:ident $scope:ident $count:literal ($read:expr, $write:expr)
        $($field:ident $key:literal $unit:ident $tighter:ident $guard:ident $bounds:literal
            [$demo:expr, $conservative:expr, $moderate:expr] $reasons:expr;)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub struct $name {
            $(
                #[doc = concat!("`", $key, "`: ", $bounds, ".")]
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<i64>,
            )*
        }

        impl $name {
            /// No limit at all.
            pub(crate) const NONE: Self = Self { $($field: None),* };

            /// The values of a shipped profile.
            #[must_use]
            pub const fn of(profile: Profile) -> Self {
                match profile {
                    Profile::Demo => Self { $($field: $demo),* },
                    Profile::Conservative => Self { $($field: $conservative),* },
                    Profile::Moderate => Self { $($field: $moderate),* },
                }
            }

            /// Checks that each number is one that its unit allows and that what it counts can reach.
            ///
            /// # Errors
            /// [`LimitsError`] names the first that is not.
            pub fn validate(&self) -> Result<(), LimitsError> {
                $(
                    if let Some(value) = self.$field.filter(|value| !super::may_be(Unit::$unit, Guard::$guard, *value)) {
                        return Err(LimitsError { name: $key, value: Unit::$unit.text(value) });
                    }
                )*
                Ok(())
            }
        }

        pub(super) const $table: [Limit; $count] = [$(
            Limit {
                name: $key,
                bounds: $bounds,
                unit: Unit::$unit,
                tighter: Tighter::$tighter,
                scope: LimitScope::$scope,
                guard: Some(Guard::$guard),
                values: [$demo, $conservative, $moderate],
                reasons: $reasons,
                is_control: true,
                get: |set| ($read)(set).and_then(|it: $name| it.$field),
                set: |set, value| keep(&mut ($write)(set).$field, value),
            },
        )*];
    };
}

mod account;
mod base;
mod controls;
mod limit;
mod unit;

pub use account::AccountCaps;
pub use controls::Controls;
pub use limit::{Limit, LimitScope, Tighter};
pub use unit::Unit;

use crate::window::Window;
use crate::{Cap, Guard, Limits};
use account::ACCOUNT;
use base::{BASE, DAILY_LOSS, DRAWDOWN, MAX_ORDER, MAX_POSITION, STALE_AFTER, bps};
use controls::CONTROLS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const SECOND: i64 = 1_000_000_000;
const UNITS: i64 = 100_000_000;
const SIMULATED: &str = "the simulated market's volatility is made up: a figure from it would mean nothing";

/// A shipped set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Play money on the local exchange: everything may be invested, runaways and losses stop all the same.
    Demo,
    /// The first weeks of real money.
    #[default]
    Conservative,
    /// Real money, after the conservative profile was watched for a while.
    Moderate,
}

impl Profile {
    /// Every profile, in the order of the columns of [`LIMITS`].
    pub const ALL: [Self; 3] = [Self::Demo, Self::Conservative, Self::Moderate];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Conservative => "conservative",
            Self::Moderate => "moderate",
        }
    }

    /// What a portfolio may do.
    #[must_use]
    pub const fn limits(self) -> Limits {
        Limits {
            max_order: Cap { equity_bps: bps(MAX_ORDER[self as usize]), amount: None },
            max_position: Cap { equity_bps: bps(MAX_POSITION[self as usize]), amount: None },
            daily_loss_bps: bps(DAILY_LOSS[self as usize]),
            drawdown_bps: bps(DRAWDOWN[self as usize]),
            stale_after_nanos: STALE_AFTER[self as usize],
            borrow: false,
            controls: Some(Controls::of(self)),
        }
    }

    /// What the whole account may do; nothing is said about sectors.
    #[must_use]
    pub const fn account(self) -> AccountLimits {
        AccountLimits { caps: AccountCaps::of(self), sectors: BTreeMap::new() }
    }
}

/// The limits of a portfolio and of the account that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSet {
    /// The portfolio's.
    pub limits: Limits,
    /// The account's.
    pub account: AccountLimits,
}

impl LimitSet {
    /// The limits of a shipped profile.
    #[must_use]
    pub const fn of(profile: Profile) -> Self {
        Self { limits: profile.limits(), account: profile.account() }
    }

    const fn controls(&self) -> Option<Controls> {
        self.limits.controls
    }
    fn controls_mut(&mut self) -> &mut Controls {
        self.limits.controls.get_or_insert_default()
    }
    const fn caps(&self) -> Option<AccountCaps> {
        Some(self.account.caps)
    }
    const fn caps_mut(&mut self) -> &mut AccountCaps {
        &mut self.account.caps
    }
}

impl AccountLimits {
    /// Nothing is limited.
    pub const NONE: Self = Self { caps: AccountCaps::NONE, sectors: BTreeMap::new() };
}

/// What the whole account, all its portfolios together, may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLimits {
    /// The numbers.
    #[serde(flatten)]
    pub caps: AccountCaps,
    /// Which sector an asset belongs to, by the asset's code; one that is not named belongs to none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sectors: BTreeMap<String, String>,
}

/// Whether a limit that `guard` asks may have that value. One on what happens within a time is at most what is kept of it.
fn may_be(unit: Unit, guard: Guard, value: i64) -> bool {
    let is_of_a_time = matches!(
        guard,
        Guard::OrderRate | Guard::AccountOrderRate | Guard::RepeatedFills | Guard::FailedTrades | Guard::ApiErrors
    );
    unit.allows(value) && (!is_of_a_time || Window::counts_to(value))
}

/// Every limit, in the order in which people read them: the first eight, the other controls, the account's.
pub static LIMITS: [Limit; BASE.len() + CONTROLS.len() + ACCOUNT.len()] = {
    let mut all = [BASE[0]; BASE.len() + CONTROLS.len() + ACCOUNT.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < BASE.len() {
            BASE[at]
        } else if at < BASE.len() + CONTROLS.len() {
            CONTROLS[at - BASE.len()]
        } else {
            ACCOUNT[at - BASE.len() - CONTROLS.len()]
        };
        at += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_what_the_table_says_and_valid() {
        for (place, profile) in Profile::ALL.into_iter().enumerate() {
            let mut set = LimitSet::of(profile);
            for limit in &LIMITS {
                assert_eq!(limit.get(&set), limit.values[place], "{} of {}", limit.name, profile.name());
                assert!(!limit.reasons[place].is_empty() && !limit.bounds.is_empty(), "{}", limit.name);
            }
            assert_eq!((set.limits.validate(), set.account.caps.validate()), (Ok(()), Ok(())));
            for limit in &LIMITS {
                limit.set(&mut set, Some(1)).unwrap();
                assert_eq!(limit.get(&set), Some(1), "{} can be set", limit.name);
                limit.set(&mut set, None).unwrap();
                assert_eq!(limit.get(&set), limit.unit.unset(), "{} can be taken away", limit.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_conservative_is_nowhere_looser_than_moderate() {
        for (place, limit) in LIMITS.iter().enumerate() {
            assert!(LIMITS[..place].iter().all(|other| other.name != limit.name), "{}", limit.name);
            assert!(!limit.loosens(limit.values[2], limit.values[1]), "{}", limit.name);
            assert!(Limit::find(limit.name).is_some());
        }
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let cases = [
            (Unit::Percent, "2.5%", Some(250)),
            (Unit::Percent, "2.5", None),
            (Unit::Multiple, "1.5x", Some(15_000)),
            (Unit::Count, "10", Some(10)),
            (Unit::Duration, "500ms", Some(500_000_000)),
            (Unit::Duration, "2 s", Some(2_000_000_000)),
            (Unit::Duration, "1m", Some(60_000_000_000)),
            (Unit::Duration, "2 parsecs", None),
            (Unit::Amount, "1000.50", Some(100_050_000_000)),
            (Unit::Amount, "1e3", None),
            (Unit::Flag, "yes", Some(1)),
            (Unit::Flag, "maybe", None),
        ];
        for (unit, text, want) in cases {
            assert_eq!(unit.parse(text), want, "{text}");
        }
        for limit in &LIMITS {
            for value in limit.values.into_iter().flatten() {
                assert_eq!(limit.unit.parse(&limit.unit.text(value)), Some(value), "{}", limit.name);
            }
        }
    }

    #[test]
    fn a_limit_below_one_is_named() {
        let mut set = LimitSet::of(Profile::Moderate);
        Limit::find("leverage").unwrap().set(&mut set, Some(0)).unwrap();
        assert_eq!(set.limits.validate().unwrap_err().to_string(), "limit leverage cannot be 0x");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_changes_nothing() {
        for (name, value, text) in [
            ("max_order", Some(4_294_967_296), "limit max_order cannot be 42949672.96 %"),
            ("daily_loss", Some(-1), "limit daily_loss cannot be -0.01 %"),
        ] {
            let mut set = LimitSet::of(Profile::Moderate);
            let error = Limit::find(name).unwrap().set(&mut set, value).unwrap_err();
            assert_eq!((error.to_string().as_str(), &set), (text, &LimitSet::of(Profile::Moderate)));
        }
    }

    #[test]
    fn an_old_record_of_limits_reads_as_it_was_written() {
        let old = r#"{"max_order":{"equity_bps":1000,"amount":null},"max_position":{"equity_bps":3500,"amount":null},"daily_loss_bps":300,"drawdown_bps":1000,"stale_after_nanos":5000000000,"borrow":false}"#;
        let limits: Limits = serde_json::from_str(old).unwrap();
        assert_eq!(limits, Limits::AT_OPENING);
        assert_eq!(serde_json::to_string(&limits).unwrap(), old);
    }
}
