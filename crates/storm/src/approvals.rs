//! Who said yes to what, and which limits hold: a small book of its own beside the engine's register.

use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{Order, OrderRequest, PortfolioId, Source, Timestamp};
use tradewind_engine::{Event, EventKind, Verdict};
use tradewind_governance::{Act, Change, ChangeState, Changed};

/// No yes counts for longer.
const LIFE: i64 = 120 * 1_000_000_000;

/// What waits for people.
#[derive(Debug)]
struct Waiting {
    by: String,
    portfolio: PortfolioId,
    request: OrderRequest,
    quorum: usize,
    asked: Timestamp,
    yes: Vec<(u64, String)>,
    /// With which event it became an order, or was void.
    spent: Option<u64>,
}

/// The largest order and position of a portfolio, in ledger units; `None` is no limit.
pub(crate) type Most = (Option<i64>, Option<i64>);

/// The book.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    agents: BTreeSet<u64>,
    waiting: BTreeMap<u64, Waiting>,
    changes: BTreeMap<u64, Change>,
    limits: Vec<(u64, PortfolioId, Most)>,
}

impl Approvals {
    /// Takes note of `event`; what must not be is given back in words.
    pub(crate) fn look(&mut self, event: &Event) -> Option<String> {
        match &event.kind {
            EventKind::Proposed(_) if matches!(event.source, Source::Agent(_)) => {
                self.agents.insert(event.sequence);
                None
            }
            EventKind::Judged(Verdict::Approved(order)) => self.approved(event, order),
            EventKind::LimitsSet(limits) => {
                let most = (limits.max_order.amount, limits.max_position.amount);
                self.limits.push((event.sequence, event.portfolio, most));
                None
            }
            EventKind::Started { .. } => {
                self.waiting.values_mut().for_each(|it| _ = it.spent.get_or_insert(event.sequence));
                None
            }
            EventKind::Governance(act) => self.said(event, act),
            _ => None,
        }
    }

    /// What a portfolio may do at most.
    pub(crate) fn most(&self, portfolio: PortfolioId) -> Most {
        self.limits.iter().rev().find(|row| row.1 == portfolio).map_or((None, None), |row| row.2)
    }

    /// A crash took back everything after `last`.
    pub(crate) fn take_back(&mut self, last: u64) {
        self.agents.retain(|sequence| *sequence <= last);
        self.waiting.retain(|sequence, _| *sequence <= last);
        self.changes.retain(|sequence, _| *sequence <= last);
        self.limits.retain(|row| row.0 <= last);
        for it in self.waiting.values_mut() {
            it.yes.retain(|(sequence, _)| *sequence <= last);
            it.spent = it.spent.filter(|sequence| *sequence <= last);
        }
    }

    fn approved(&mut self, event: &Event, order: &Order) -> Option<String> {
        let cause = event.cause?;
        let name = order.client_id();
        if self.agents.contains(&cause) {
            return Some(format!("order {name} of an agent was approved by nobody"));
        }
        let is_cause = |it: &Waiting| it.yes.iter().any(|(sequence, _)| *sequence == cause);
        let it = self.waiting.values_mut().find(|it| is_cause(it))?;
        let persons: BTreeSet<&String> = it.yes.iter().map(|(_, name)| name).filter(|name| **name != it.by).collect();
        // what protects the position may see to a part of an exit
        let at_most = OrderRequest { quantity: it.request.quantity, ..*order.request() };
        let same =
            (it.portfolio, it.request) == (order.portfolio(), at_most) && order.quantity() <= it.request.quantity;
        let wrong = if persons.len() < it.quorum {
            "without enough persons"
        } else if !same {
            "otherwise than it was approved"
        } else if event.at.since(it.asked) > LIFE {
            "too late"
        } else if it.spent.is_some() {
            "twice, or after a restart"
        } else {
            it.spent = Some(event.sequence);
            return None;
        };
        Some(format!("order {name} of an agent was released {wrong}"))
    }

    fn said(&mut self, event: &Event, act: &Act) -> Option<String> {
        match act {
            Act::Held(held) => {
                let it = Waiting {
                    by: held.wish.by.to_string(),
                    portfolio: held.wish.portfolio,
                    request: held.wish.request,
                    quorum: held.quorum.into(),
                    asked: event.at,
                    yes: Vec::new(),
                    spent: None,
                };
                self.waiting.insert(held.id, it);
                None
            }
            Act::Approved { proposal, by } => {
                let it = self.waiting.get_mut(proposal)?;
                it.yes.push((event.sequence, by.to_string()));
                None
            }
            Act::ChangeAsked(change) => {
                self.changes.insert(event.sequence, change.clone());
                match &change.state {
                    ChangeState::Done { .. } if change.changed.loosens() => {
                        Some(format!("a limit was raised by {} alone", change.by))
                    }
                    ChangeState::Done { .. } => self.in_force(event, &change.changed.clone()),
                    _ => None,
                }
            }
            Act::ChangeMoved { change, to: ChangeState::Done { approver } } => {
                let known = self.changes.values().find(|it| it.id == *change)?.clone();
                match approver {
                    Some(second) if *second != known.by => self.in_force(event, &known.changed),
                    _ => Some(format!("a limit was raised by {} alone", known.by)),
                }
            }
            _ => None,
        }
    }

    fn in_force(&mut self, event: &Event, changed: &Changed) -> Option<String> {
        if let Changed::Limit { portfolio, name, new, .. } = changed {
            let mut most = self.most(*portfolio);
            match name.as_str() {
                "max_order.amount" => most.0 = *new,
                "max_position.amount" => most.1 = *new,
                _ => (),
            }
            self.limits.push((event.sequence, *portfolio, most));
        }
        None
    }
}
