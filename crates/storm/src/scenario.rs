//! One fault at a time: a storm that a test sets up by hand.

use crate::faults::{FaultId, Place};
use crate::plan::{Plan, Planned, When};
use crate::report::Report;
use crate::storm::Storm;

const MINUTE: i64 = 60 * 1_000_000_000;

/// A storm with the faults of one test and no others.
///
/// ```
/// use tradewind_storm::{FaultId, Place, Scenario};
///
/// // every third order is accepted and its answer lost
/// let outcome = Scenario::new(7).every(FaultId::A01, Place::Submit, 3).run_until(4);
/// assert!(outcome.passed().tally.found > 0);
/// ```
#[derive(Clone, Debug)]
pub struct Scenario {
    seed: u64,
    faults: Vec<Planned>,
}

impl Scenario {
    /// The market and the proposers of this seed, in fair weather.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, faults: Vec::new() }
    }

    /// Lets a fault strike once.
    #[must_use]
    pub fn fault(self, fault: FaultId, when: When) -> Self {
        self.drawn(fault, when, 0)
    }

    /// Lets a fault strike once, with what a plan would draw for it: how long, which way.
    #[must_use]
    pub fn drawn(mut self, fault: FaultId, when: When, lot: u64) -> Self {
        self.faults.push(Planned { when, fault, lot });
        self
    }

    /// Lets a fault strike every `n`-th order, cancel, frame or amendment, each time drawn otherwise; a moment comes every `n`
    /// minutes.
    #[must_use]
    pub fn every(mut self, fault: FaultId, place: Place, n: u32) -> Self {
        for turn in 0..400 / n {
            let when = match place {
                Place::Submit => When::Submit(turn * n),
                Place::Cancel => When::Cancel(turn * n),
                Place::Frame => When::Frame(turn * n),
                Place::Amend => When::Amend(turn * n),
                Place::Moment => When::Moment(i64::from((turn + 1) * n) * MINUTE),
            };
            self.faults.push(Planned { when, fault, lot: u64::from(turn) * 7_919 });
        }
        self
    }

    /// Runs for so many simulated minutes, and then until all is quiet.
    #[must_use]
    pub fn run_until(self, minutes: u32) -> Outcome {
        let horizon = i64::from(minutes) * MINUTE;
        let faults = self.faults.into_iter().filter(|it| !matches!(it.when, When::Moment(at) if at >= horizon));
        Outcome(Storm::new(self.seed, horizon, Plan { faults: faults.collect() }).run())
    }
}

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Outcome(Report);

impl Outcome {
    /// The report, once everything held.
    ///
    /// # Panics
    /// With what did not hold.
    #[must_use]
    pub fn passed(self) -> Report {
        if let Some(why) = self.0.failure() {
            panic!("seed {}: {why}\n{:#?}", self.0.seed, self.0.tally);
        }
        self.0
    }

    /// The report, whatever it says.
    #[must_use]
    pub fn report(self) -> Report {
        self.0
    }
}
