//! Replay: decides again what was decided then, and reports the first difference.

use crate::algo::ParentEvent;
use crate::{Command, Event, EventKind, LOGIC_VERSION, State, Verdict, is_asked_for, step};
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
///
/// What a program of another [`LOGIC_VERSION`] decided is taken as it was: this one may well decide otherwise. The state
/// that comes of it is the same, and from the next start on its own decisions are compared again.
#[derive(Debug, Default)]
pub struct Replay {
    state: State,
    expected: VecDeque<EventKind>,
    commands: Vec<Command>,
    hashes: u64,
    /// The logic of the process that wrote what is fed now, where it is not ours.
    other: Option<u32>,
    not_compared: u64,
    divergence: Option<Divergence>,
}

impl Replay {
    /// Goes on from the state of a snapshot that a process of `logic` wrote.
    #[must_use]
    pub fn from_state(state: State, logic: u32) -> Self {
        Self { state, other: other_than_ours(logic), ..Self::default() }
    }

    /// Feeds the next event.
    pub fn feed(&mut self, event: &Event) {
        if let EventKind::Started { logic, .. } = event.kind {
            self.expected.clear(); // what the former process would have recorded next died with it
            self.other = other_than_ours(logic);
        }
        match &event.kind {
            EventKind::StateHash { hash, logic } if *logic == LOGIC_VERSION => self.compare_hash(event.sequence, hash),
            _ => (),
        }
        if self.other.is_none() {
            self.compare_decision(event);
        } else {
            self.expected.clear();
            self.not_compared += u64::from(is_ours(event));
        }
        step(&mut self.state, event, &mut self.commands);
        for command in self.commands.drain(..) {
            if let Command::Record(kind, _) = command
                && !is_asked_for(&kind, self.expected.iter())
            {
                self.expected.push_back(kind);
            }
        }
    }

    fn compare_hash(&mut self, sequence: Sequence, recorded: &str) {
        self.hashes += 1;
        let ours = self.state.hash();
        if ours != recorded {
            self.differ(sequence, recorded.to_owned(), ours);
        }
    }

    fn compare_decision(&mut self, event: &Event) {
        match (self.expected.pop_front(), is_ours(event)) {
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
    /// How many decisions of another logic were taken as they were.
    #[must_use]
    pub const fn not_compared(&self) -> u64 {
        self.not_compared
    }
    /// The first difference, if there was one.
    #[must_use]
    pub const fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }
}

fn other_than_ours(logic: u32) -> Option<u32> {
    (logic != LOGIC_VERSION).then_some(logic)
}

/// Whether an event is what an engine decided.
fn is_ours(event: &Event) -> bool {
    event.source == Source::Host
        && match &event.kind {
            EventKind::Judged(_) | EventKind::CancelProposed { .. } | EventKind::Proposed(_) => true,
            EventKind::Parent(said) => said.is_decision(),
            _ => false,
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
                ParentEvent::Opened { parent: same, wish: asked, behind: None, .. },
            ) => parent == same && wish == asked,
            _ => false,
        },
        _ => false,
    }
}
