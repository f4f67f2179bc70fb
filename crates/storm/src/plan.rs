//! What will go wrong: a list that is drawn from the seed, and that can be cut down to what matters.

use crate::chance::Chance;
use crate::faults::{FAULTS, FaultId, FaultInfo, Place};
use std::collections::BTreeMap;

const SECOND: i64 = 1_000_000_000;
/// Of so many orders in a thousand something goes wrong.
const ORDERS_SPOILT: u64 = 420;
const CANCELS_SPOILT: u64 = 250;
const FRAMES_SPOILT: u64 = 25;
const AMENDS_SPOILT: u64 = 600;
/// Orders, cancels, frames and amendments that a plan looks ahead for each half hour.
const AHEAD: [u32; 4] = [400, 200, 2_000, 40];

/// What a node meets on any day.
pub(crate) const EVERYDAY: [FaultId; 3] = [FaultId::G13, FaultId::D05, FaultId::E09];

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// With the n-th order that is sent, from 0.
    Submit(u32),
    /// With the n-th cancel that is sent, from 0.
    Cancel(u32),
    /// With the n-th frame of the user stream, from 0.
    Frame(u32),
    /// With the n-th amendment that is sent, from 0.
    Amend(u32),
    /// So many nanoseconds after the beginning.
    Moment(i64),
}

impl When {
    /// The n-th of what is counted at `place`.
    const fn nth(place: Place, n: u32) -> Self {
        match place {
            Place::Cancel => Self::Cancel(n),
            Place::Frame => Self::Frame(n),
            Place::Amend => Self::Amend(n),
            Place::Submit | Place::Moment => Self::Submit(n),
        }
    }
}

/// One fault that will strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When.
    pub when: When,
    /// What.
    pub fault: FaultId,
    /// Anything else that is drawn: how long, which way.
    pub lot: u64,
}

/// All faults of one storm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In no order.
    pub faults: Vec<Planned>,
}

impl Plan {
    /// Draws a plan for `horizon` nanoseconds from the faults in `allowed`.
    #[must_use]
    pub fn draw(seed: u64, horizon: i64, allowed: &[FaultId]) -> Self {
        let mut chance = Chance::new(seed, 1);
        let mut faults = Vec::new();
        let of = |place| FAULTS.iter().filter(|it| it.place == place && allowed.contains(&it.id)).collect::<Vec<_>>();
        let halves = u32::try_from(horizon / (1_800 * SECOND) + 1).unwrap_or(1);
        let counted = [
            (Place::Submit, ORDERS_SPOILT),
            (Place::Cancel, CANCELS_SPOILT),
            (Place::Frame, FRAMES_SPOILT),
            (Place::Amend, AMENDS_SPOILT),
        ];
        for ((place, spoilt), ahead) in counted.into_iter().zip(AHEAD) {
            let kinds = of(place);
            for n in 0..ahead * halves {
                let (strikes, lot) = (chance.happens(spoilt), chance.next());
                if let Some(info) = by_share(&kinds, &mut chance).filter(|_| strikes) {
                    faults.push(Planned { when: When::nth(place, n), fault: info.id, lot });
                }
            }
        }
        let kinds = of(Place::Moment);
        let mut at = chance.between(20, 120) * SECOND;
        while at < horizon {
            let lot = chance.next();
            if let Some(info) = by_share(&kinds, &mut chance) {
                faults.push(Planned { when: When::Moment(at), fault: info.id, lot });
            }
            at += chance.between(20, 240) * SECOND;
        }
        Self { faults }
    }

    /// What a node meets on any day: in each hour it is killed once and is back within 0.2 to 2.2 s, in every ten minutes
    /// its connection breaks once and may come back after a third of a second, and in each day the venue is away once, for
    /// 2 s to 2 min.
    #[must_use]
    pub fn everyday(seed: u64, horizon: i64) -> Self {
        let mut chance = Chance::new(seed, 1);
        let mut faults = Vec::new();
        for (fault, every) in EVERYDAY.into_iter().zip([3_600, 600, 86_400]) {
            for start in (0..horizon / SECOND).step_by(every) {
                let at = (start + chance.between(0, every as i64 - 1)) * SECOND;
                let lot = match fault {
                    FaultId::G13 => chance.below(2_000),
                    FaultId::D05 => 0,
                    _ => chance.below(60),
                };
                if at < horizon {
                    faults.push(Planned { when: When::Moment(at), fault, lot });
                }
            }
        }
        Self { faults }
    }

    /// The plan with the faults at these places alone.
    #[must_use]
    pub fn kept(&self, places: &[usize]) -> Self {
        Self { faults: places.iter().filter_map(|place| self.faults.get(*place).copied()).collect() }
    }
}

fn by_share<'a>(kinds: &[&'a FaultInfo], chance: &mut Chance) -> Option<&'a FaultInfo> {
    let mut left = chance.below(kinds.iter().map(|it| it.share).sum());
    for kind in kinds {
        if left < kind.share {
            return Some(kind);
        }
        left -= kind.share;
    }
    None
}

/// A plan at work: what strikes next, and what has struck.
#[derive(Debug, Default)]
pub(crate) struct Striking {
    pub(crate) plan: Plan,
    counted: BTreeMap<When, usize>,
    next: [u32; 4],
    /// Places of the plan that struck.
    pub(crate) struck: Vec<usize>,
}

impl Striking {
    pub(crate) fn new(plan: Plan) -> Self {
        let counted = plan.faults.iter().enumerate().map(|(place, it)| (it.when, place)).collect();
        Self { plan, counted, next: [0; 4], struck: Vec::new() }
    }

    /// What strikes the next order, cancel, frame or amendment.
    pub(crate) fn next(&mut self, place: Place) -> Option<Planned> {
        let slot = match place {
            Place::Submit => 0,
            Place::Cancel => 1,
            Place::Frame => 2,
            Place::Amend => 3,
            Place::Moment => return None,
        };
        let n = self.next[slot];
        self.next[slot] += 1;
        let place = *self.counted.get(&When::nth(place, n))?;
        self.struck.push(place);
        Some(self.plan.faults[place])
    }

    /// Nothing strikes any more.
    pub(crate) fn rest(&mut self) {
        self.counted.clear();
    }

    /// How often each kind struck.
    pub(crate) fn tally(&self) -> BTreeMap<FaultId, u64> {
        let mut tally = BTreeMap::new();
        for place in &self.struck {
            *tally.entry(self.plan.faults[*place].fault).or_insert(0) += 1;
        }
        tally
    }
}
