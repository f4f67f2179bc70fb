//! The storm itself: one queue of everything that happens, taken in order until all is quiet.

use crate::bundle::Bundle;
use crate::chance::Chance;
use crate::climate::Climate;
use crate::judge::Judge;
use crate::life::START;
use crate::link::Link;
use crate::node::Node;
use crate::orders::SECOND;
use crate::plan::{Plan, Striking, When};
use crate::queue::{Queue, What};
use crate::report::{Report, Tally};
use crate::setup::{self, MAX_ORDER, MAX_POSITION};
use crate::standing::Stood;
use crate::wire::Codec;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tradewind_engine::Drift;
use tradewind_exchange::InProcess;

/// After the last fault everything must be known and agreed upon within this time: proof of absence may take a quarter
/// of an hour.
const QUIET_WITHIN: i64 = 30 * 60 * SECOND;

/// One storm, from its first event to its last.
pub struct Storm {
    pub(crate) now: i64,
    pub(crate) queue: Queue,
    pub(crate) house: InProcess,
    pub(crate) link: Link,
    pub(crate) node: Node,
    pub(crate) plan: Striking,
    pub(crate) chance: Chance,
    pub(crate) climate: Climate,
    /// What the proposers draw from: faults do not change it.
    pub(crate) mood: Chance,
    pub(crate) judge: Judge,
    pub(crate) tally: Tally,
    pub(crate) symbols: Vec<String>,
    pub(crate) codec: Option<Arc<Codec>>,
    pub(crate) lag_until: [i64; 2],
    pub(crate) disk_spoilt: bool,
    /// When venue and books were last found to agree.
    pub(crate) settled: Option<i64>,
    pub(crate) last_drifts: Vec<Drift>,
    /// By how much the venue held more than the books when they were last compared.
    pub(crate) last_off: Vec<(tradewind_domain::Currency, i128)>,
    /// Until when the venue's budget may be short through no fault of ours.
    pub(crate) scarce_until: i64,
    /// Whom the venue told to wait: which life, from when it must know, until when.
    pub(crate) told_to_wait: Option<(u64, i64, i64)>,
    /// Until when answers to questions are slow.
    pub(crate) slow_until: i64,
    /// From here on nobody proposes.
    pub(crate) calm_from: i64,
    pub(crate) frozen_until: i64,
    /// Where the time went.
    pub(crate) stood: Stood,
    pub(crate) seed: u64,
    pub(crate) horizon: i64,
    pub(crate) trace: Sha256,
    pub(crate) violations: Vec<String>,
    pub(crate) log: Option<Vec<String>>,
}

impl Storm {
    /// A storm of `horizon` nanoseconds under `plan`.
    ///
    /// # Panics
    /// Never: the storm's own exchange is set up soundly.
    #[must_use]
    pub fn new(seed: u64, horizon: i64, plan: Plan) -> Self {
        Self::under(None, seed, horizon, plan)
    }

    /// A storm of `horizon` nanoseconds under `plan`, and all the while under a bundle.
    ///
    /// # Panics
    /// Never: the storm's own exchange is set up soundly.
    #[must_use]
    pub fn under(bundle: Option<Bundle>, seed: u64, horizon: i64, plan: Plan) -> Self {
        let house =
            InProcess::open(&setup::exchange(seed, bundle)).expect("the storm's own exchange is set up soundly");
        let symbols: Vec<String> = setup::venue_symbols(seed).collect();
        let mut storm = Self {
            now: START,
            queue: Queue::default(),
            house: house.with_candles("1m"),
            link: Link::default(),
            node: Node::new(),
            plan: Striking::new(plan),
            chance: Chance::new(seed, 2),
            climate: Climate::new(bundle, seed),
            mood: Chance::new(seed, 3),
            judge: Judge::new(symbols.clone(), MAX_ORDER, MAX_POSITION),
            tally: Tally::default(),
            symbols,
            codec: None,
            lag_until: [0; 2],
            disk_spoilt: false,
            settled: None,
            last_drifts: Vec::new(),
            last_off: Vec::new(),
            scarce_until: 0,
            told_to_wait: None,
            slow_until: 0,
            calm_from: START + horizon,
            frozen_until: 0,
            stood: Stood::default(),
            seed,
            horizon,
            trace: Sha256::new(),
            violations: Vec::new(),
            log: None,
        };
        storm.queue.at(START, What::Start);
        storm.queue.at(START + SECOND, What::Flow);
        for (place, planned) in storm.plan.plan.faults.iter().enumerate() {
            if let When::Moment(after) = planned.when {
                storm.queue.at(START + after, What::Fault(place));
            }
        }
        storm
    }

    /// Keeps a line for everything that happens.
    #[must_use]
    pub fn with_log(mut self) -> Self {
        self.log = Some(Vec::new());
        self
    }

    /// Runs to the end, and until all is quiet after it.
    #[must_use]
    pub fn run(mut self) -> Report {
        self.run_until(self.calm_from);
        self.calm();
        let end = self.calm_from + QUIET_WITHIN;
        while !self.is_quiet() || self.venue_speaks() {
            let Some((time, what)) = self.queue.pop(end) else {
                let why = self.why_not_quiet();
                self.violate(format!("not quiet {} s after the last fault: {why}", QUIET_WITHIN / SECOND));
                break;
            };
            self.happen(time, what);
            if !self.violations.is_empty() {
                break;
            }
        }
        self.close()
    }

    /// Runs until `end`, true time in nanoseconds; a violation ends it.
    pub(crate) fn run_until(&mut self, end: i64) {
        while self.violations.is_empty()
            && let Some((time, what)) = self.queue.pop(end)
        {
            self.happen(time, what);
        }
        if self.violations.is_empty() {
            self.stand_until(end);
            self.now = self.now.max(end);
        }
    }

    fn happen(&mut self, time: i64, what: What) {
        self.stand_until(time);
        self.now = self.now.max(time);
        if what.is_of_node() && self.now >= self.frozen_until {
            self.set_moment(); // both clocks are looked at before anything else
        }
        if self.now < self.frozen_until && what.is_of_node() {
            return self.queue.at(self.frozen_until, what); // the machine is suspended
        }
        self.tally.events += 1;
        self.end_lag();
        self.trace.update(self.now.to_le_bytes());
        self.trace.update([what.kind()]);
        if self.log.is_some() {
            let line = format!("{:>12.6} {}", seconds(self.now - START), what.words());
            self.note(&line);
        }
        let life = self.node.life;
        match what {
            What::Flow => self.flow(),
            What::VenueFrame { session, text, carried_out, hold, back } => {
                self.at_venue(session, &text, carried_out, hold, back);
            }
            What::Matching { session, held, back } => self.matching(session, *held, back),
            What::VenueRest { life, ticket, path, query } => self.asked(life, ticket, path, &query),
            What::NodeFrame { session, text } => self.heard(session, &text),
            What::NodeRest { life: of, ticket, answer } if of == life => self.told(ticket, answer),
            What::Market { life: of, text } if of == life => self.market(&text),
            What::SessionLost { session } => self.lost(session),
            What::Connect { life: of } if of == life => self.connect(),
            What::AnswerDue { life: of, id } if of == life => self.overdue(id),
            What::Inquire { life: of, client_id } if of == life => self.step_inquiry(client_id),
            What::Sweep { life: of } if of == life => self.next_sweep(),
            What::ReadClock { life: of } if of == life => self.read_clock(),
            What::Tick { life: of } if of == life => self.tick(),
            What::Fault(place) => self.strike(place),
            What::Heal(place) => self.heal(place),
            What::Start => self.start(),
            // of a process that is gone
            What::NodeRest { .. }
            | What::Market { .. }
            | What::Connect { .. }
            | What::AnswerDue { .. }
            | What::Inquire { .. }
            | What::Sweep { .. }
            | What::ReadClock { .. }
            | What::Tick { .. } => (),
        }
    }

    pub(crate) fn violate(&mut self, text: String) {
        self.violations.push(format!("{:.3} s: {text}", seconds(self.now - START)));
    }

    pub(crate) fn note(&mut self, text: &str) {
        if let Some(log) = self.log.as_mut() {
            log.push(text.to_owned());
        }
    }
}

#[allow(clippy::cast_precision_loss)] // for people
pub(crate) fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
