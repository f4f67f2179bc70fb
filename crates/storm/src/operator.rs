//! The person at the screen: looks at what was halted, adopts what other hands did, throws the switch now and then.

use crate::orders::SECOND;
use crate::storm::Storm;
use tradewind_domain::{Money, PortfolioId, Source};
use tradewind_engine::{EventKind, ForeignOrder, Halt};

/// How long it takes a person to look.
const LOOKS_AFTER: i64 = 20 * SECOND;
/// Of so many seconds in ten thousand the person throws the switch.
const HALTS: u64 = 5;

impl Storm {
    /// What the operator does in this second.
    pub(crate) fn operator(&mut self) {
        self.people();
        let now = self.now;
        let switch = now < self.calm_from && self.mood.below(10_000) < HALTS && !self.is_fair();
        let Some(process) = self.node.process.as_mut() else { return };
        let state = &process.host.state;
        let foreign = !state.foreign.is_empty() || !state.foreign_fills.is_empty();
        if state.halted.is_none() && state.reduce_only.is_none() && !foreign && self.last_off.is_empty() {
            process.restricted_since = None;
            if switch {
                self.tally.halted += 1;
                self.says(EventKind::Halted(Halt { reason: "an operator is worried".to_owned() }));
            }
            return;
        }
        let since = *process.restricted_since.get_or_insert(now);
        if now - since >= LOOKS_AFTER {
            process.restricted_since = None;
            self.look_after();
        }
    }

    /// Adopts, takes the venue's word on balances that stay apart, and lets trading go on.
    fn look_after(&mut self) {
        self.adopt();
        let Some(process) = self.node.process.as_ref() else { return };
        let state = &process.host.state;
        let (stopped, apart) = (state.halted.is_some() || state.reduce_only.is_some(), state.drifting >= 3);
        if apart {
            for (currency, units) in std::mem::take(&mut self.last_off) {
                self.tally.adjusted += 1;
                let reason = "an operator takes the venue's word".to_owned();
                self.says(EventKind::Adjusted { money: Money { currency, units }, reason });
            }
        }
        if stopped {
            self.tally.resumed += 1;
            self.says(EventKind::Resumed { reason: "an operator looked at it".to_owned() });
        }
        self.begin_sweep();
    }

    fn adopt(&mut self) {
        let Some(process) = self.node.process.as_ref() else { return };
        let state = &process.host.state;
        let orders: Vec<ForeignOrder> = state.foreign.values().cloned().collect();
        let groups = state.groups_of(&orders);
        for foreign in orders {
            let Some(process) = self.node.process.as_ref() else { return };
            let Some(adoption) = process.host.state.adoption(PortfolioId(0), &foreign, &groups) else { continue };
            let waiting = process.host.state.foreign_fills.iter().filter(|it| it.client_id == foreign.client_id);
            let mut kinds: Vec<EventKind> = waiting.copied().map(EventKind::Filled).collect();
            kinds.insert(0, EventKind::Adopted(Box::new(adoption)));
            kinds.into_iter().for_each(|kind| self.says(kind));
            self.tally.adopted += 1;
            let Some(process) = self.node.process.as_ref() else { return };
            if !foreign.open && process.host.state.open.contains_key(&foreign.client_id) {
                let reason = "it was over when it was adopted".into();
                self.says(EventKind::Cancelled { client_id: foreign.client_id, reason });
            }
        }
    }

    pub(crate) fn says(&mut self, kind: EventKind) {
        let Some(process) = self.node.process.as_ref() else { return };
        let at = process.market_time(self.now);
        self.record(at, Source::Operator, PortfolioId(0), kind);
    }
}
