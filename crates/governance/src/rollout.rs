//! A staged roll-out: little money first, more once the record says so.
//!
//! A [`Stage`] caps what is at risk. While one is in force a [`Rollout`] counts what it sees of trading; the stage is left
//! for the next one when every criterion is met and two persons say so, and for an earlier one whenever one person does.

use crate::{Refused, Rule};
use serde::{Deserialize, Serialize};
use tradewind_domain::{LEDGER_DECIMALS, Sequence, Timestamp, format_decimal};

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

/// One criterion of a stage and what was seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Criterion {
    /// Which one.
    pub criterion: &'static str,
    /// What was seen.
    pub seen: i64,
    /// What is wanted.
    pub wanted: i64,
    /// Whether that suffices.
    pub met: bool,
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

/// A roll-out under way: its stage, and what was seen since that began. It is folded from events.
///
/// The result is measured as if the stage's capital were a fund of its own: its worth is the capital and what the equity
/// of all portfolios gained since the stage began, less what came in and went out. A fall is one from the highest such
/// worth. Amounts are ledger units of the base currency, and stick at the ends of their range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// The stage in force; none once the last one was left.
    pub stage: Option<Stage>,
    /// The change that began it.
    pub change: Sequence,
    /// When it began.
    pub since: Timestamp,
    /// What was seen since.
    pub seen: TrackRecord,
    /// The last UTC day with a fill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<i64>,
    /// Equity that counts as no gain; unknown until it was seen once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// The highest gain.
    #[serde(default)]
    pub peak: i64,
}

impl Rollout {
    /// A stage that has just begun.
    #[must_use]
    pub fn new(stage: Option<Stage>, change: Sequence, since: Timestamp) -> Self {
        Self { stage, change, since, seen: TrackRecord::default(), last_day: None, start: None, peak: 0 }
    }

    /// `fills` executions were booked at `at`.
    pub fn filled(&mut self, fills: u64, at: Timestamp) {
        self.seen.fills = self.seen.fills.saturating_add(u32::try_from(fills).unwrap_or(u32::MAX));
        let day = at.utc_day();
        if self.last_day.is_none_or(|last| day > last) {
            self.last_day = Some(day);
            self.seen.days = self.seen.days.saturating_add(1);
        }
    }

    /// A halt, an order that nobody explains, or a difference between venue and books.
    pub const fn incident(&mut self) {
        self.seen.incidents = self.seen.incidents.saturating_add(1);
    }

    /// `flow` of the equity came in, or, negative, went out: no gain and no loss.
    pub fn moved(&mut self, flow: i64) {
        self.start = self.start.map(|start| start.saturating_add(flow));
    }

    /// All portfolios together are worth `equity` now.
    pub fn worth(&mut self, equity: i64) {
        let Some(stage) = &self.stage else { return };
        let start = *self.start.get_or_insert(equity);
        let gain = equity.saturating_sub(start);
        self.peak = self.peak.max(gain);
        let highest = i128::from(stage.capital) + i128::from(self.peak);
        let fall = i128::from(self.peak) - i128::from(gain);
        let bps = |part: i128, whole: i128| part * 10_000 / whole.max(1);
        let drawdown = u32::try_from(bps(fall, highest)).unwrap_or(u32::MAX);
        self.seen.drawdown_bps = self.seen.drawdown_bps.max(drawdown);
        let result = bps(gain.into(), stage.capital.into());
        self.seen.result_bps = i32::try_from(result).unwrap_or(if result < 0 { i32::MIN } else { i32::MAX });
    }
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

    /// The stage that ships before this one; `None` before the first.
    #[must_use]
    pub fn before(&self) -> Option<Self> {
        let place = STAGES.iter().rposition(|(_, capital, _)| *capital < self.capital);
        place.and_then(Self::shipped)
    }

    /// Every criterion, and how far `seen` meets it.
    #[must_use]
    pub fn judge(&self, seen: &TrackRecord) -> [Criterion; 5] {
        let wanted = &self.criteria;
        let least = |criterion, seen, wanted| Criterion { criterion, seen, wanted, met: seen >= wanted };
        let most = |criterion, seen, wanted| Criterion { criterion, seen, wanted, met: seen <= wanted };
        [
            least("days", seen.days.into(), wanted.days.into()),
            least("fills", seen.fills.into(), wanted.fills.into()),
            most("drawdown_bps", seen.drawdown_bps.into(), wanted.drawdown_bps.into()),
            least("result_bps", seen.result_bps.into(), wanted.result_bps.into()),
            most("incidents", seen.incidents.into(), wanted.incidents.into()),
        ]
    }

    /// Every criterion that `seen` does not meet.
    #[must_use]
    pub fn unmet(&self, seen: &TrackRecord) -> Vec<Unmet> {
        let unmet = self.judge(seen).into_iter().filter(|it| !it.met);
        unmet.map(|it| Unmet { criterion: it.criterion, seen: it.seen, wanted: it.wanted }).collect()
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

    #[test]
    fn a_stage_is_measured_as_a_fund_of_its_own() {
        let mut rollout = Rollout::new(Stage::shipped(0), 7, Timestamp::from_millis(0));
        let seen = |rollout: &Rollout| (rollout.seen.result_bps, rollout.seen.drawdown_bps);
        for (equity, flow, want) in [
            (5_000, 0, (0, 0)),          // what was there before is no gain
            (5_010, 0, (1_000, 0)),      // ten of a hundred
            (4_999, 0, (-100, 1_000)),   // eleven from a hundred and ten
            (5_099, 100, (-100, 1_000)), // money that came in is none either
            (5_104, 0, (400, 1_000)),    // the deepest fall stays
            (5_004, -100, (400, 1_000)),
        ] {
            rollout.moved(flow * ONE);
            rollout.worth(equity * ONE);
            assert_eq!(seen(&rollout), want, "at {equity}");
        }
        rollout.worth(i64::MIN);
        assert_eq!(seen(&rollout), (i32::MIN, u32::MAX));
        rollout.worth(i64::MAX);
        assert_eq!(seen(&rollout), (i32::MAX, u32::MAX));
        let mut over = Rollout::new(None, 7, Timestamp::from_millis(0));
        over.worth(5);
        assert_eq!(over.seen, TrackRecord::default());
    }

    #[test]
    fn days_with_fills_are_counted_once_and_a_clock_that_goes_back_opens_none() {
        let mut rollout = Rollout::new(Stage::shipped(0), 7, Timestamp::from_millis(0));
        let day = 24 * 3_600 * 1_000;
        for (millis, fills) in [(1, 1), (2, 2), (day, 1), (day - 1, 1), (3 * day, 0)] {
            rollout.filled(fills, Timestamp::from_millis(millis));
        }
        rollout.incident();
        let want = TrackRecord { days: 3, fills: 5, incidents: 1, ..TrackRecord::default() };
        assert_eq!(rollout.seen, want);
        rollout.filled(u64::MAX, Timestamp::from_millis(4 * day));
        assert_eq!((rollout.seen.fills, rollout.seen.days), (u32::MAX, 4));
    }

    #[test]
    fn the_stage_before_is_the_next_smaller_one_that_ships() {
        let names = |place| Stage::shipped(place).and_then(|stage| stage.before()).map(|stage| stage.name);
        assert_eq!([0, 1, 2].map(names), [None, Some("100".to_owned()), Some("1000".to_owned())]);
    }
}
