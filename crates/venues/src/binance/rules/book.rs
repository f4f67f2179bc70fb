//! How a local order book stays in step: buffer, snapshot, and discard at the first gap. Never patch.
//!
//! Source: "How to manage a local order book correctly" in `web-socket-streams.md`.

use crate::report::{BookChange, BookLevels};
use std::collections::VecDeque;

/// Most changes that are kept while a snapshot is on its way: minutes at ten a second.
const MOST_BUFFERED: usize = 4_096;
/// So many changes in a row that are older than the book: the venue began to count anew. A second at ten a second.
const MOST_OLD: u32 = 10;

/// Changes of a book between two updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepthDiff {
    /// The first update in it; the last one is `levels.update_id`.
    pub first: u64,
    /// The levels.
    pub levels: BookLevels,
}

/// What to do after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Nothing yet.
    Wait,
    /// Fetch a snapshot and hand it in.
    Fetch,
    /// Hand these on, in order.
    Emit(Vec<BookChange>),
    /// Messages were lost: tell the reader, then fetch a snapshot.
    Lost {
        /// The update that should have come.
        expected: u64,
        /// The one that came.
        got: u64,
    },
}

/// The state of one book's stream. Pure: it holds no levels but the buffered ones.
#[derive(Clone, Debug)]
pub enum BookSync {
    /// A snapshot is missing; changes are kept.
    Buffering(VecDeque<DepthDiff>),
    /// In step up to this update.
    Synced {
        /// The last update applied.
        last: u64,
        /// Changes in a row that were older.
        older: u32,
    },
}

impl Default for BookSync {
    fn default() -> Self {
        Self::Buffering(VecDeque::new())
    }
}

impl BookSync {
    /// A change arrived. An older one is ignored; many of them in a row mean that the venue's numbers began anew, and
    /// the next snapshot decides.
    pub fn on_diff(&mut self, diff: DepthDiff) -> Sync {
        match self {
            Self::Buffering(buffer) => {
                let first = buffer.is_empty();
                if buffer.len() == MOST_BUFFERED {
                    buffer.pop_front();
                }
                buffer.push_back(diff);
                if first { Sync::Fetch } else { Sync::Wait }
            }
            Self::Synced { last, older } if diff.levels.update_id <= *last && *older + 1 < MOST_OLD => {
                *older += 1;
                Sync::Wait
            }
            Self::Synced { last, .. } if diff.first > last.saturating_add(1) || diff.levels.update_id <= *last => {
                let lost = Sync::Lost { expected: last.saturating_add(1), got: diff.first };
                *self = Self::Buffering(VecDeque::from([diff]));
                lost
            }
            Self::Synced { last, older } => {
                (*last, *older) = (diff.levels.update_id, 0);
                Sync::Emit(vec![BookChange::Diff(diff.levels)])
            }
        }
    }

    /// A snapshot arrived. One that is older than the first buffered change is of no use: another is fetched.
    pub fn on_snapshot(&mut self, snapshot: BookLevels) -> Sync {
        let Self::Buffering(buffer) = self else { return Sync::Wait };
        let mut last = snapshot.update_id;
        let mut changes = vec![BookChange::Snapshot(snapshot)];
        while let Some(diff) = buffer.pop_front() {
            if diff.levels.update_id <= last {
                continue; // in the snapshot already, or told twice
            }
            if diff.first > last.saturating_add(1) {
                buffer.push_front(diff);
                return Sync::Fetch;
            }
            last = diff.levels.update_id;
            changes.push(BookChange::Diff(diff.levels));
        }
        *self = Self::Synced { last, older: 0 };
        Sync::Emit(changes)
    }

    /// The stream was interrupted: nothing that was known counts.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
