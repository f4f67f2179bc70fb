//! What came of a storm, and of many.

use crate::climate::Acted;
use crate::faults::FaultId;
use crate::judge::Verdict;
use crate::standing::Standing;
use serde::Serialize;
use std::collections::BTreeMap;

/// How often things happened in one storm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Events of the queue.
    pub events: u64,
    /// Wishes of the proposers, cancels included.
    pub proposals: u64,
    /// Orders that left.
    pub submits: u64,
    /// In how many instruments each portfolio's strategy sent orders, summed over the portfolios: 60 at most.
    pub places: u64,
    /// Frames at the venue's door.
    pub at_door: u64,
    /// Questions at the venue's door.
    pub questions: u64,
    /// Frames of the user stream.
    pub frames: u64,
    /// Fills booked.
    pub fills: u64,
    /// Orders whose outcome was ever unknown.
    pub ambiguous: u64,
    /// Of those, proven never to have come.
    pub absent: u64,
    /// Inquiries that ended with a proof of absence.
    pub proven_absent: u64,
    /// Inquiries that ended with the order found.
    pub found: u64,
    /// Comparisons of lists and books.
    pub sweeps: u64,
    /// Of those, with a difference.
    pub drifts: u64,
    /// How often an operator let trading go on.
    pub resumed: u64,
    /// How often an operator threw the switch.
    pub halted: u64,
    /// Orders of other hands that an operator adopted.
    pub adopted: u64,
    /// Balances that an operator took from the venue.
    pub adjusted: u64,
    /// Amendments that left.
    pub amends: u64,
    /// Orders that the venue worked at other terms than were meant.
    pub reworked: u64,
    /// Parents that were opened.
    pub parents: u64,
    /// Those of them that said where their trade ends.
    pub planned: u64,
    /// Orders that guarded or left what those had entered.
    pub guards: u64,
    /// Pairs of which one cancels the other that left.
    pub pairs: u64,
    /// Orders of agents that people approved.
    pub approved: u64,
    /// Orders of agents that people rejected, or let lapse.
    pub unapproved: u64,
    /// Limits that were changed while trading.
    pub limits_changed: u64,
    /// How often the process died.
    pub crashes: u64,
    /// Approvals beyond a limit, by the watchdog's count.
    pub breaches: u64,
}

/// What came of one storm.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Simulated hours, without the calm after it.
    pub hours: f64,
    /// How often each fault struck.
    pub faults: BTreeMap<FaultId, u64>,
    /// Places of the plan that struck, in order.
    pub struck: Vec<usize>,
    /// How often things happened.
    pub tally: Tally,
    /// The judge's word.
    pub verdict: Verdict,
    /// Where the time went.
    pub standing: Standing,
    /// What the bundle did, where there was one.
    pub acted: Option<Acted>,
    /// How often each guard refused, and how often nothing was sent, by why.
    pub refused: BTreeMap<String, u64>,
    /// Why trading was halted.
    pub halts: Vec<String>,
    /// What did not hold.
    pub violations: Vec<String>,
    /// SHA-256 over every event in order and the journal's chain: the same seed gives the same.
    pub hash: String,
    /// The journal's chain value.
    pub chain: String,
    /// Everything that happened, if it was asked for.
    pub log: Vec<String>,
}

impl Report {
    /// Whether everything held.
    #[must_use]
    pub fn passed(&self) -> bool {
        let Verdict { doubled, lost, breaches, .. } = self.verdict;
        self.violations.is_empty() && doubled == 0 && lost == 0 && breaches == 0
    }

    /// The first thing that did not hold.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.violations.first().or(self.verdict.findings.first()).map(String::as_str).filter(|_| !self.passed())
    }
}

/// What came of many storms, as the contract names it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Storms.
    pub seeds: u64,
    /// Simulated hours.
    pub hours: f64,
    /// Faults that struck.
    pub faults: u64,
    /// Orders whose outcome was ever unknown.
    pub ambiguous: u64,
    /// Of those, resolved by proof that they never came.
    pub absent: u64,
    /// Requests or orders that exist twice.
    pub doubled: u64,
    /// Fills that were lost or booked otherwise.
    pub lost: u64,
    /// Orders beyond a limit.
    pub breaches: u64,
    /// Storms in which something else did not hold.
    pub failed: u64,
    /// How often each fault struck.
    pub kinds: BTreeMap<String, u64>,
    /// SHA-256 over the hashes of all storms, in the order of their seeds; of one storm, its own.
    pub hash: String,
    /// One line for each storm that failed: how to replay it, and what did not hold.
    pub failures: Vec<String>,
    /// How often each guard refused, and how often nothing was sent, by why.
    pub refused: BTreeMap<String, u64>,
    /// How often things happened, over all storms.
    pub tally: BTreeMap<String, u64>,
    /// Where the time of all storms went.
    pub standing: Standing,
    /// The part of it in which trading was safe, from 0 to 1, while the venue was there; none where no such time passed.
    pub safe_share: Option<f64>,
    /// The bundle's name, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// What it did, over all storms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted: Option<Acted>,
}

impl Summary {
    /// Whether everything held in every storm.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.failed == 0
    }
}
