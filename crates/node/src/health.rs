//! How each component of a node is: what it says of itself, since when, and why.

use crate::clock::wall;
use crate::core::Core;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tradewind_domain::Timestamp;

/// How long a market may say nothing before that is called wrong: quotes come with every change of the best prices.
const SILENCE: Duration = Duration::from_secs(60);
/// Changes that are kept.
const CHANGES: usize = 64;

/// A part of a node that can fail by itself, in the order in which a start begins them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The log: what is not durable does not leave.
    Journal,
    /// The socket on which people ask.
    Control,
    /// The signatures over the journal.
    Audit,
    /// Quotes and bars from the venue.
    MarketData,
    /// The venue's reports of our orders and balances.
    UserStream,
    /// The one thread that decides.
    Engine,
    /// What sends requests to the venue.
    Orders,
    /// What compares the books with the venue's lists.
    Reconciliation,
    /// What is known of the venue's clock.
    Clock,
}

/// How well a component does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It does its work.
    Ok,
    /// It does, but something is wrong.
    Degraded,
    /// It does not, at present.
    Failed,
    /// It has ended.
    Stopped,
}

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentHealth {
    /// Which.
    pub component: Component,
    /// How well it does its work.
    pub state: Condition,
    /// Since when.
    pub since: String,
    /// What is wrong, if anything is.
    pub why: Option<String>,
    /// When it last did something that worked.
    pub last_success: Option<String>,
}

/// What all components of one node say of themselves. Cheap to clone; readable when the node is gone.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Board>>);

#[derive(Debug, Default)]
struct Board {
    parts: BTreeMap<Component, Part>,
    changes: VecDeque<(Component, Condition)>,
}

#[derive(Debug)]
struct Part {
    state: Condition,
    since: Timestamp,
    why: Option<String>,
    worked: Option<Timestamp>,
}

impl Health {
    /// How each component is that was ever started.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn components(&self) -> Vec<ComponentHealth> {
        let view = |(component, part): (&Component, &Part)| ComponentHealth {
            component: *component,
            state: part.state,
            since: part.since.to_string(),
            why: part.why.clone(),
            last_success: part.worked.map(|at| at.to_string()),
        };
        self.board().parts.iter().map(view).collect()
    }

    /// The newest changes, oldest first: what was started and what ended, in order.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn changes(&self) -> Vec<(Component, Condition)> {
        self.board().changes.iter().copied().collect()
    }

    /// A component begins its work. It has ended when the guard is dropped.
    pub(crate) fn started(&self, component: Component) -> Running {
        self.set(component, Condition::Ok, None, true);
        Running { health: self.clone(), component }
    }
    /// It does its work, as it just showed.
    pub(crate) fn ok(&self, component: Component) {
        self.set(component, Condition::Ok, None, true);
    }
    /// Something of it worked; what else is wrong with it may still be.
    pub(crate) fn worked(&self, component: Component) {
        if let Some(part) = self.board().parts.get_mut(&component) {
            part.worked = Some(wall());
        }
    }
    /// Something is wrong with it.
    pub(crate) fn degraded(&self, component: Component, why: impl Into<String>) {
        self.set(component, Condition::Degraded, Some(why.into()), false);
    }
    /// It does not do its work.
    pub(crate) fn failed(&self, component: Component, why: impl Into<String>) {
        self.set(component, Condition::Failed, Some(why.into()), false);
    }
    /// Whether a component that listens has heard something lately; one that failed or ended says so by itself.
    fn listens(&self, component: Component, silence: Duration) {
        let heard = {
            let board = self.board();
            let at_work = |part: &&Part| matches!(part.state, Condition::Ok | Condition::Degraded);
            board.parts.get(&component).filter(at_work).and_then(|part| part.worked)
        };
        let Some(heard) = heard else { return };
        let silent = u64::try_from(wall().since(heard)).map_or(Duration::ZERO, Duration::from_nanos);
        let wrong = (silent > silence).then(|| format!("nothing heard for {} s", silent.as_secs()));
        self.found(component, wrong.map(|why| (Condition::Degraded, why)));
    }
    /// As the finding says: nothing is wrong, or what.
    fn found(&self, component: Component, wrong: Option<(Condition, String)>) {
        match wrong {
            Some((state, why)) => self.set(component, state, Some(why), false),
            None => self.set(component, Condition::Ok, None, false),
        }
    }

    fn set(&self, component: Component, state: Condition, why: Option<String>, worked: bool) {
        let (now, mut board) = (wall(), self.board());
        let part = board.parts.get(&component);
        let changed = part.is_none_or(|part| part.state != state);
        let since = part.filter(|_| !changed).map_or(now, |part| part.since);
        let worked = if worked { Some(now) } else { part.and_then(|part| part.worked) };
        board.parts.insert(component, Part { state, since, why, worked });
        if changed {
            if board.changes.len() == CHANGES {
                board.changes.pop_front();
            }
            board.changes.push_back((component, state));
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

/// A component at work.
#[derive(Debug)]
pub(crate) struct Running {
    health: Health,
    component: Component,
}

impl Drop for Running {
    fn drop(&mut self) {
        let why = self.health.board().parts.get(&self.component).and_then(|part| part.why.clone());
        self.health.set(self.component, Condition::Stopped, why, false);
    }
}

impl Core {
    /// Says how those components are that this thread sees.
    pub(crate) fn report_health(&self) {
        let health = &self.host.outside.watch.health;
        health.ok(Component::Engine);
        health.found(Component::Journal, self.journal_trouble());
        health.found(Component::Orders, self.orders_trouble());
        health.listens(Component::MarketData, SILENCE);
        let connection = &self.host.outside.connection;
        let most = connection.most_clock_error();
        match connection.venue_time() {
            Some((_, error)) if error <= most => health.ok(Component::Clock),
            Some((_, error)) => {
                let (error, most) = (error / 1_000_000, most / 1_000_000);
                health.failed(Component::Clock, format!("known to {error} ms, {most} ms are allowed: no orders leave"));
            }
            None => health.failed(Component::Clock, "not measured: no orders leave"),
        }
    }

    fn orders_trouble(&self) -> Option<(Condition, String)> {
        let (state, wire) = (&self.host.state, &self.host.outside);
        let unknown = state.open.values().filter(|record| record.status() == "unknown").count();
        if wire.outbox.is_closed() {
            Some((Condition::Failed, "nothing is sent any more".to_owned()))
        } else if let Some(wait) = wire.connection.told_to_wait() {
            Some((Condition::Degraded, wait.to_string()))
        } else if unknown > 0 {
            Some((Condition::Degraded, format!("{unknown} orders of unknown outcome")))
        } else if wire.outbox.capacity() == 0 {
            Some((Condition::Degraded, "as many requests wait as may".to_owned()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_says_since_when_and_why_and_when_it_last_worked() {
        let health = Health::default();
        health.worked(Component::Audit);
        assert_eq!(health.components(), [], "what was never started says nothing");
        let running = health.started(Component::Audit);
        let first = health.components()[0].clone();
        assert_eq!((first.state, first.why), (Condition::Ok, None));
        assert_eq!(first.last_success, Some(first.since));
        health.degraded(Component::Audit, "one");
        let since = health.components()[0].since.clone();
        health.degraded(Component::Audit, "another");
        health.worked(Component::Audit);
        let seen = health.components()[0].clone();
        assert_eq!((seen.state, seen.since, seen.why), (Condition::Degraded, since, Some("another".to_owned())));
        assert!(seen.last_success.is_some() && seen.last_success != first.last_success, "it worked meanwhile");
        health.listens(Component::Audit, Duration::ZERO);
        assert_eq!(health.components()[0].why.as_deref(), Some("nothing heard for 0 s"));
        health.listens(Component::Audit, SILENCE);
        assert_eq!(health.components()[0].state, Condition::Ok);
        health.failed(Component::Audit, "the last words");
        health.listens(Component::Audit, SILENCE);
        drop(running);
        let seen = health.components()[0].clone();
        assert_eq!((seen.state, seen.why), (Condition::Stopped, Some("the last words".to_owned())));
        let changes: Vec<Condition> = health.changes().into_iter().map(|(_, state)| state).collect();
        let (ok, degraded) = (Condition::Ok, Condition::Degraded);
        assert_eq!(changes, [ok, degraded, ok, Condition::Failed, Condition::Stopped]);
    }
}
