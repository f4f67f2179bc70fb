//! A staged roll-out: little money first, more once the record says so.

use crate::{Caps, Name, Policy, Refused, Rule, SourceRule, Threshold};
use serde::{Deserialize, Serialize};
use tradewind_domain::{LEDGER_DECIMALS, format_decimal};

/// One unit of base currency in ledger units.
const ONE: i64 = 100_000_000;

/// A stage: how much may be at risk, and what it takes to leave it for the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Gross exposure that is not exceeded, in ledger units of the base currency.
    pub capital: i64,
    /// What it takes to go on.
    pub criteria: Criteria,
}

/// What a stage wants to have seen before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criteria {
    /// Days with at least one fill, at least.
    pub days: u32,
    /// Fills, at least.
    pub fills: u32,
    /// Deepest fall from a peak, in basis points of it, at most.
    pub drawdown_bps: u32,
    /// Net result since the stage began, in basis points of its capital, at least.
    pub result_bps: i32,
    /// Halts, unexplained orders and drifts, at most.
    pub incidents: u32,
}

/// What was seen since a stage began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackRecord {
    /// Days with at least one fill.
    pub days: u32,
    /// Fills.
    pub fills: u32,
    /// Deepest fall from a peak, in basis points of it.
    pub drawdown_bps: u32,
    /// Net result in basis points of the stage's capital.
    pub result_bps: i32,
    /// Halts, unexplained orders and drifts.
    pub incidents: u32,
}

/// A criterion that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Which one.
    pub criterion: &'static str,
    /// What was seen.
    pub seen: i64,
    /// What is wanted.
    pub wanted: i64,
}

/// The capitals that ship, 100, 1,000 and 10,000 of the base currency. The criteria are ours: each stage wants twice
/// the days and trades of the one before, a drawdown within the conservative limit, no loss, and no incident.
pub const STAGES: [(&str, i64, Criteria); 3] = [
    ("100", 100 * ONE, Criteria { days: 7, fills: 20, drawdown_bps: 1_000, result_bps: 0, incidents: 0 }),
    ("1000", 1_000 * ONE, Criteria { days: 14, fills: 40, drawdown_bps: 1_000, result_bps: 0, incidents: 0 }),
    ("10000", 10_000 * ONE, Criteria { days: 28, fills: 80, drawdown_bps: 1_000, result_bps: 0, incidents: 0 }),
];

impl Stage {
    /// The `place`-th stage that ships, from 0; `None` past the last.
    #[must_use]
    pub fn shipped(place: usize) -> Option<Self> {
        let (name, capital, criteria) = STAGES.get(place)?;
        Some(Self { name: (*name).to_owned(), capital: *capital, criteria: *criteria })
    }

    /// Every criterion that `seen` does not meet.
    #[must_use]
    pub fn unmet(&self, seen: &TrackRecord) -> Vec<Unmet> {
        let wanted = &self.criteria;
        let rows: [(&'static str, i64, i64, bool); 5] = [
            ("days", seen.days.into(), wanted.days.into(), seen.days >= wanted.days),
            ("fills", seen.fills.into(), wanted.fills.into(), seen.fills >= wanted.fills),
            (
                "drawdown_bps",
                seen.drawdown_bps.into(),
                wanted.drawdown_bps.into(),
                seen.drawdown_bps <= wanted.drawdown_bps,
            ),
            ("result_bps", seen.result_bps.into(), wanted.result_bps.into(), seen.result_bps >= wanted.result_bps),
            ("incidents", seen.incidents.into(), wanted.incidents.into(), seen.incidents <= wanted.incidents),
        ];
        let unmet = rows.into_iter().filter(|(.., met)| !met);
        unmet.map(|(criterion, seen, wanted, _)| Unmet { criterion, seen, wanted }).collect()
    }

    /// The stage after this one of those that ship; `None` after the last, where the roll-out is over.
    ///
    /// # Errors
    /// [`Rule::Criteria`] with the first criterion that is not met.
    pub fn next(&self, seen: &TrackRecord) -> Result<Option<Self>, Refused> {
        if let Some(unmet) = self.unmet(seen).first() {
            let value = format!("{} {}", unmet.criterion, unmet.seen);
            return Err(Refused::new(Rule::Criteria, value, unmet.wanted.to_string()));
        }
        let place = STAGES.iter().position(|(_, capital, _)| *capital > self.capital);
        Ok(place.and_then(Self::shipped))
    }

    /// Its capital as text.
    #[must_use]
    pub fn capital_text(&self) -> String {
        format_decimal(self.capital.into(), LEDGER_DECIMALS)
    }
}

impl Policy {
    /// The canary: real keys, bitcoin alone, at most 500 of the base currency an order and 50 orders a day, within the
    /// first stage's capital, and everything beyond half the cap approved by a person. `symbols` are the bitcoin pairs
    /// of the venue; `sources` are those that may trade.
    #[must_use]
    pub fn canary(venue: &str, symbols: &[&str], sources: &[Name]) -> Self {
        let mut policy = Self {
            caps: Caps { order: Some(500 * ONE), day: Some(25_000 * ONE), orders_day: Some(50) },
            approvals: vec![Threshold { from: 250 * ONE, quorum: 1 }],
            stage: Stage::shipped(0),
            ..Self::default()
        };
        policy.allow.venues.insert(venue.to_owned());
        policy.allow.markets.insert("spot".to_owned());
        policy.allow.symbols.extend(symbols.iter().map(|symbol| (*symbol).to_owned()));
        let rule = SourceRule { autonomy: Some(crate::Autonomy::Bounded), caps: policy.caps };
        policy.sources.extend(sources.iter().map(|name| (name.clone(), rule)));
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [TrackRecord; 3] = [
        TrackRecord { days: 7, fills: 20, drawdown_bps: 1_000, result_bps: 0, incidents: 0 },
        TrackRecord { days: 14, fills: 40, drawdown_bps: 1_000, result_bps: 0, incidents: 0 },
        TrackRecord { days: 28, fills: 80, drawdown_bps: 1_000, result_bps: 0, incidents: 0 },
    ];

    #[test]
    fn a_stage_is_left_by_meeting_every_criterion_to_the_letter() {
        for (place, good) in GOOD.iter().enumerate() {
            let stage = Stage::shipped(place).unwrap();
            assert_eq!(stage.next(good).unwrap(), Stage::shipped(place + 1), "{}", stage.capital_text());
            for (criterion, short) in [
                ("days", TrackRecord { days: good.days - 1, ..*good }),
                ("fills", TrackRecord { fills: good.fills - 1, ..*good }),
                ("drawdown_bps", TrackRecord { drawdown_bps: good.drawdown_bps + 1, ..*good }),
                ("result_bps", TrackRecord { result_bps: -1, ..*good }),
                ("incidents", TrackRecord { incidents: 1, ..*good }),
            ] {
                let refused = stage.next(&short).unwrap_err();
                assert_eq!(refused.rule, Rule::Criteria);
                assert!(refused.value.starts_with(criterion), "{refused}");
                assert_eq!(stage.unmet(&short).len(), 1);
            }
        }
    }
}
