//! An event on its way to the journal.

use tradewind_domain::{PortfolioId, Source, Timestamp};
use tradewind_engine::{EventKind, Spoken};

/// An event without its number.
#[derive(Clone, Debug)]
pub struct Draft {
    /// When it happened, by who reports it.
    pub at: Timestamp,
    /// When it was read.
    pub received: Timestamp,
    /// Who says it.
    pub source: Source,
    /// Which portfolio it concerns.
    pub portfolio: PortfolioId,
    /// The event that led to it.
    pub cause: Option<u64>,
    /// The event that the whole chain began with.
    pub correlation: Option<u64>,
    /// Which person says it, and under which key, where persons are named or a key is used.
    pub spoken: Option<Box<Spoken>>,
    /// What happened.
    pub kind: EventKind,
}

impl Draft {
    /// What the program itself notes, about nothing in particular.
    #[must_use]
    pub const fn of_host(at: Timestamp, received: Timestamp, portfolio: PortfolioId, kind: EventKind) -> Self {
        Self { at, received, source: Source::Host, portfolio, cause: None, correlation: None, spoken: None, kind }
    }
}
