//! Venue protocols: what a venue says, what it means, its rules, and a connector that drives it over real sockets.
//!
//! # Where it sits
//! Floor 5: an edge. Speaks to one outside world, the venue. Takes from inside nothing but a permit of the journal
//! over an approval of the gate; knows neither engine nor where orders come from.
//!
//! # Start here
//! [`binance::wire`] is the venue's own language, [`binance::sign`] its signatures.
//!
//! # What always holds
//! * Venue and domain words meet in one place, `convert`.
//! * Secrets are wrapped: no `Debug`, error or log shows them.

mod answer;
mod backoff;
pub mod binance;
mod budget;
mod error;
mod outcome;
mod outlet;
mod report;
mod secrets;
mod socket;

pub use answer::{AnswerError, quote, read_json};
pub use backoff::Backoff;
pub use budget::{Budget, Purpose, Wait};
pub use error::CODES;
pub use outcome::{Ack, NotSentReason, Prepared, QueryError, Rejection, SubmitError, TransportFault};
pub use report::{
    AssetBalance, BookChange, BookLevels, ForeignReport, Levels, Stamps, Stream, VenueEvent, VenueReport,
};
pub use secrets::{ApiKey, ApiSecret, SecretError, SecretSource};
