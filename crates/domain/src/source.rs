//! Who says something.

use serde::{Deserialize, Serialize};

/// Where an event or a proposal comes from. Only an operator is a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The program itself: start, recovery, verdicts, state hashes.
    Host,
    /// A clock.
    Timer,
    /// A market feed.
    Market,
    /// A venue's word on our own orders and balances.
    Venue,
    /// A person at the controls.
    Operator,
    /// A strategy, by its place in the configuration.
    Strategy(u16),
    /// An agent, by its place in the configuration.
    Agent(u16),
}
