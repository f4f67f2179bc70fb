//! How the number of a limit is written and read.

use crate::{ImpactMode, VarMethod};
use serde::Serialize;
use tradewind_domain::{LEDGER_DECIMALS, format_decimal, parse_decimal};

/// How a limit's number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Basis points, written as `2.5%`.
    Percent,
    /// Ten-thousandths, written as `1.5x`.
    Multiple,
    /// A number of things.
    Count,
    /// Nanoseconds, written as `2s` or `500ms`.
    Duration,
    /// Ledger units of the base currency, written as `1000`.
    Amount,
    /// 1 is on, written as `yes`; none is off.
    Flag,
    /// One of these words, kept as its place from 1. The first is what holds where nothing is set: a choice is never absent.
    Choice(&'static [&'static str]),
}

impl Unit {
    /// What becomes of an order that would move the price too far.
    pub(super) const IMPACT_MODE: Self = Self::Choice(&ImpactMode::NAMES);
    /// The methods by which value at risk is reckoned.
    pub(super) const VAR_METHOD: Self = Self::Choice(&VarMethod::NAMES);

    /// What holds where nothing is set; `None` is no limit.
    #[must_use]
    pub const fn unset(self) -> Option<i64> {
        match self {
            Self::Choice(_) => Some(1),
            _ => None,
        }
    }

    /// Whether a limit may have that value: each number is positive, and a choice is one of its words.
    #[must_use]
    pub fn allows(self, value: i64) -> bool {
        match self {
            Self::Choice(words) => usize::try_from(value).is_ok_and(|place| (1..=words.len()).contains(&place)),
            _ => value > 0,
        }
    }

    /// A value as a person reads it.
    #[must_use]
    pub fn text(self, value: i64) -> String {
        let decimal = |decimals| format_decimal(value.into(), decimals);
        match self {
            Self::Percent => format!("{} %", decimal(2)),
            Self::Multiple => format!("{}x", decimal(4)),
            Self::Count => value.to_string(),
            Self::Duration => format!("{} s", decimal(9)),
            Self::Amount => decimal(LEDGER_DECIMALS),
            Self::Flag => if value == 1 { "yes" } else { "no" }.to_owned(),
            Self::Choice(words) => {
                let word = usize::try_from(value).ok().and_then(|place| words.get(place.checked_sub(1)?));
                word.map_or_else(|| value.to_string(), |word| (*word).to_owned())
            }
        }
    }

    /// Reads what a person wrote: `2.5%`, `1.5x`, `10`, `2s`, `500ms`, `1000.50`, `yes`, or a word of the choice; `None`
    /// for anything else.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<i64> {
        let text = text.trim();
        let decimal = |text: &str, decimals| parse_decimal(text.trim(), decimals).ok();
        match self {
            Self::Percent => decimal(text.strip_suffix('%')?, 2),
            Self::Multiple => decimal(text.strip_suffix('x')?, 4),
            Self::Count => text.parse().ok(),
            Self::Duration => match text.strip_suffix("ms") {
                Some(millis) => decimal(millis, 6),
                None => match text.strip_suffix('s') {
                    Some(seconds) => decimal(seconds, 9),
                    None => decimal(text.strip_suffix('m')?, 9)?.checked_mul(60),
                },
            },
            Self::Amount => decimal(text, LEDGER_DECIMALS),
            Self::Flag => match text {
                "yes" => Some(1),
                "no" => Some(0),
                _ => None,
            },
            Self::Choice(words) => {
                let place = words.iter().position(|word| *word == text)?;
                i64::try_from(place + 1).ok()
            }
        }
    }
}
