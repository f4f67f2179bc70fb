//! The end: whether all is quiet, and what came of the storm.

use crate::judge::Verdict;
use crate::life::START;
use crate::orders::SECOND;
use crate::report::Report;
use crate::storm::{Storm, seconds};
use sha2::Digest as _;
use tradewind_domain::{OrderRecord, OrderState};

impl Storm {
    pub(crate) fn is_quiet(&self) -> bool {
        let Some(process) = self.node.process.as_ref() else { return false };
        let state = &process.host.state;
        process.pending.is_empty()
            && process.inquiries.is_empty()
            && process.put_off.is_empty()
            && process.session.up
            && self.link.alive(process.session.id, self.now)
            && state.open.values().all(answered)
            && state.parents.is_empty()
            && !state.governance.is_waiting()
            && state.foreign.is_empty()
            && state.foreign_fills.is_empty()
            && state.halted.is_none()
            && state.reduce_only.is_none()
            && self.queue.frames == 0
            && self.settled.is_some_and(|at| at > self.calm_from + 60 * SECOND)
    }

    /// Whether the venue has something to say that is not on its way yet: a question moves its market on.
    pub(crate) fn venue_speaks(&mut self) -> bool {
        self.emit();
        self.queue.frames > 0
    }

    pub(crate) fn why_not_quiet(&self) -> String {
        let Some(process) = self.node.process.as_ref() else { return "the process does not come up".to_owned() };
        let state = &process.host.state;
        let open: Vec<String> = state
            .open
            .values()
            .filter(|it| !answered(it))
            .map(|it| format!("{} {:?}", it.order.client_id(), it.state))
            .collect();
        format!(
            "{} pending, {} inquiries, session {}, {} open {open:?}, {} parents, waiting {}, settled {:?}, drifts {:?}, \
             {} foreign, {} fills of theirs, halted {:?}, restricted {:?}",
            process.pending.len(),
            process.inquiries.len(),
            process.session.up,
            state.open.len(),
            state.parents.live().count(),
            state.governance.is_waiting(),
            self.settled.map(|at| (at - START) / SECOND),
            self.last_drifts.iter().map(|it| format!("{}: {} / {}", it.what, it.ours, it.venue)).collect::<Vec<_>>(),
            state.foreign.len(),
            state.foreign_fills.len(),
            state.halted,
            state.reduce_only
        )
    }

    pub(crate) fn close(mut self) -> Report {
        let mut chain = String::new();
        let mut watchdog = self.node.watchdog.take().unwrap_or_default();
        if let Some(process) = self.node.process.as_mut() {
            let host = &mut process.host;
            watchdog = std::mem::take(&mut host.outside.watchdog);
            watchdog.compare_all(&host.state, "at the end");
            self.violations.append(&mut watchdog.violations);
            self.tally.fills = host.state.counters.fills;
            chain = hex::encode(host.journal.chain());
            self.trace.update(host.journal.chain());
        }
        self.tally.ambiguous = watchdog.ambiguous.len() as u64;
        self.tally.absent = watchdog.absent.len() as u64;
        self.tally.breaches = watchdog.breaches;
        self.tally.crashes = self.node.crashes;
        let quiet = self.violations.is_empty();
        let mut verdict = Verdict::default();
        let judge = std::mem::take(&mut self.judge);
        self.tally.places = judge.places() as u64;
        if quiet {
            verdict = judge.close(&self.house);
        } else {
            verdict.findings = judge.findings().to_vec();
        }
        let struck = self.plan.struck.clone();
        Report {
            seed: self.seed,
            hours: seconds(self.horizon) / 3_600.0,
            faults: self.plan.tally(),
            struck,
            tally: self.tally,
            verdict,
            standing: self.stood.in_millis(),
            acted: self.climate.acted(),
            refused: watchdog.refused,
            halts: watchdog.halts,
            violations: self.violations,
            hash: hex::encode(self.trace.finalize()),
            chain,
            log: self.log.unwrap_or_default(),
        }
    }
}

/// Whether the venue's word on an order is known, and nothing more is awaited.
const fn answered(record: &OrderRecord) -> bool {
    matches!(record.state, OrderState::Working)
}
