//! Replay: decides again what was decided then, and reports the first difference.

use crate::algo::ParentEvent;
use crate::{Command, Event, EventKind, LOGIC_VERSION, State, Verdict, step};
use std::collections::VecDeque;
use tradewind_domain::{Sequence, Source};

/// The first place where deciding again gave something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The event that differs.
    pub sequence: Sequence,
    /// What was recorded, as text.
    pub recorded: String,
    /// What this program would have recorded, as text.
    pub decided: String,
}

/// Feeds recorded events through [`step`] and compares every verdict and every state hash.
#[derive(Debug, Default)]
pub struct Replay {
    state: State,
    expected: VecDeque<EventKind>,
    commands: Vec<Command>,
    hashes: u64,
    divergence: Option<Divergence>,
}

impl Replay {
    /// Goes on from a snapshot's state.
    #[must_use]
    pub fn from_state(state: State) -> Self {
        Self { state, ..Self::default() }
    }

    /// Feeds the next event.
    pub fn feed(&mut self, event: &Event) {
        if let EventKind::Started { .. } = event.kind {
            self.expected.clear(); // what the former process would have recorded next died with it
        }
        if let EventKind::StateHash { hash, logic } = &event.kind {
            self.compare_hash(event.sequence, hash, *logic);
        }
        self.compare_decision(event);
        step(&mut self.state, event, &mut self.commands);
        for command in self.commands.drain(..) {
            if let Command::Record(kind, _) = command {
                self.expected.push_back(kind);
            }
        }
    }

    fn compare_hash(&mut self, sequence: Sequence, recorded: &str, logic: u32) {
        self.hashes += 1;
        let ours = if logic == LOGIC_VERSION { self.state.hash() } else { format!("logic {LOGIC_VERSION}") };
        if ours != recorded {
            self.differ(sequence, recorded.to_owned(), ours);
        }
    }

    fn compare_decision(&mut self, event: &Event) {
        let is_ours = event.source == Source::Host
            && match &event.kind {
                EventKind::Judged(_) | EventKind::CancelProposed { .. } | EventKind::Proposed(_) => true,
                EventKind::Parent(said) => said.is_decision(),
                _ => false,
            };
        match (self.expected.pop_front(), is_ours) {
            (Some(decided), _) if decided == event.kind || is_same_but_untold(&decided, &event.kind) => (),
            (None, false) => (),
            (decided, _) => {
                let decided = decided.map_or_else(|| "nothing".to_owned(), |kind| format!("{kind:?}"));
                self.differ(event.sequence, format!("{:?}", event.kind), decided);
            }
        }
    }

    fn differ(&mut self, sequence: Sequence, recorded: String, decided: String) {
        self.divergence.get_or_insert(Divergence { sequence, recorded, decided });
    }

    /// The state after the last event.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }
    /// How many recorded state hashes were compared.
    #[must_use]
    pub const fn hashes_compared(&self) -> u64 {
        self.hashes
    }
    /// The first difference, if there was one.
    #[must_use]
    pub const fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }
}

/// Whether `decided` is what was recorded but for who stands behind it, which older journals do not tell.
fn is_same_but_untold(decided: &EventKind, recorded: &EventKind) -> bool {
    match (decided, recorded) {
        (EventKind::Judged(Verdict::Approved(ours)), EventKind::Judged(Verdict::Approved(theirs))) => {
            theirs.source().is_none() && ours.from_source(None) == *theirs
        }
        (EventKind::Parent(ours), EventKind::Parent(theirs)) => match (&**ours, &**theirs) {
            (
                ParentEvent::Opened { parent, wish, .. },
                ParentEvent::Opened { parent: same, wish: asked, behind: None },
            ) => parent == same && wish == asked,
            _ => false,
        },
        _ => false,
    }
}
