//! Venue protocols: what a venue says, what it means, its rules, and a connector that drives it over real sockets.
//!
//! # Where it sits
//! Floor 5: an edge. Speaks to one outside world, the venue. Takes from inside nothing but a permit of the journal
//! over an approval of the gate; knows neither engine nor where orders come from.
//!
//! # Start here
//! [`binance::Connection`] is the way in; [`VenueEvent`] is what comes out of it, [`SubmitError`] what may become of an
//! order. [`binance::wire`] is the venue's own language, [`binance::convert`] its translation, [`binance::rules`] its
//! rules. [`BINANCE`] says what the venue can do, [`CONFORMANCE`] what every connection must do.
//!
//! # What always holds
//! * Venue and domain words meet in one place, `convert`.
//! * An order is sent once or not at all. Everything but a listed yes or no leaves its outcome unknown.
//! * After the last check of halt and fence there is nothing but the write.
//! * Reports about orders are never left out; market data of a slow reader is conflated, and the loss is told.
//! * Secrets are wrapped: no `Debug`, error or log shows them.

mod answer;
mod backoff;
pub mod binance;
mod budget;
mod capabilities;
pub mod cumulative;
mod error;
mod names;
mod outcome;
mod outlet;
mod report;
mod secrets;
mod socket;

pub use answer::{AnswerError, quote, read_json};
pub use backoff::Backoff;
pub use budget::{Budget, Purpose, Wait};
pub use capabilities::{BINANCE, CONFORMANCE, Capabilities, Capability, ConformanceCase, IdScope, Support};
pub use error::CODES;
pub use names::{Names, is_on_this_machine};
pub use outcome::{Ack, NotSentReason, Prepared, QueryError, Rejection, SubmitError, TransportFault};
pub use report::{
    AssetBalance, BookChange, BookLevels, ForeignReport, Levels, Relisting, Stamps, Stream, VenueEvent, VenueReport,
};
pub use secrets::{ApiKey, ApiSecret, SecretError, SecretSource};

/// The connection's places where a test may end the process; see [`tradewind_journal::failpoint`].
pub const FAILPOINTS: &[&str] = &["venue.request.checked", "venue.request.written"];
