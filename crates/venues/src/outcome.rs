//! What became of something that was sent.

use crate::answer::AnswerError;
use crate::error::{Coded, hint_of};
use std::time::Duration;
use tradewind_domain::{ClientOrderId, Timestamp, VenueOrderId};
use tradewind_gate::Approved;
use tradewind_journal::Permit;

/// A request that was built but not signed: what the intent in the journal stands for.
///
/// The venue refuses it once its clock has passed [`Prepared::fence`], and so does the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub(crate) body: String,
    pub(crate) pairs: Vec<(&'static str, String)>,
    pub(crate) timestamp: i64,
    pub(crate) recv_window: i64,
}

impl Prepared {
    /// The exact bytes that will be signed and sent.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
    /// SHA-256 of the body, for the journal.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(self.body.as_bytes()).into()
    }
    /// From when on it is valid, by the venue's clock.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        Timestamp::from_millis(self.timestamp)
    }
    /// The last moment at which the venue takes it, by the venue's clock.
    #[must_use]
    pub const fn fence(&self) -> Timestamp {
        Timestamp::from_millis(self.timestamp + self.recv_window)
    }
}

/// The venue's acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Which orders, by our name and the venue's: as many as were sent, or the one that is being cancelled.
    pub orders: Vec<(ClientOrderId, VenueOrderId)>,
    /// When the venue acted, by its clock.
    pub at: Timestamp,
    /// When the last byte of the request was handed to the socket.
    pub sent_at: Timestamp,
    /// When the answer was read.
    pub received_at: Timestamp,
}

/// Why a request provably did not leave this process.
#[derive(Debug, thiserror::Error)]
pub enum NotSentReason {
    /// There is no connection.
    #[error("no connection to the venue: {0}")]
    NotConnected(String),
    /// The connection is halted; cancels go on.
    #[error("the connection is halted")]
    Halted,
    /// The venue would refuse it as too old.
    #[error("the send fence closed at {fence}, it is {now}")]
    FenceClosed {
        /// When it closed, by the venue's clock.
        fence: Timestamp,
        /// The venue's clock.
        now: Timestamp,
    },
    /// The venue's clock was not read yet, or counts no more since this machine's own jumped.
    #[error("the venue's clock is not known")]
    ClockUnknown,
    /// The venue's clock is not known well enough.
    #[error("the venue's clock is known to {error_millis} ms only, {most_millis} ms are allowed")]
    ClockUncertain {
        /// By how much it may be wrong.
        error_millis: i64,
        /// What is allowed.
        most_millis: i64,
    },
    /// The request budget is used up.
    #[error("the request budget is used up for {0:?}")]
    Budget(Duration),
    /// The venue banned this address.
    #[error("the venue banned this address for {0:?}")]
    Banned(Duration),
    /// The prepared body is not what the approval says.
    #[error("the prepared body `{0}` is not that of the approved action")]
    OtherBody(String),
    /// The venue does not take this kind of order.
    #[error("{0}")]
    Unsupported(String),
    /// Its symbol is not among the connection's instruments.
    #[error("instrument {0} is not among those of this connection")]
    UnknownInstrument(u32),
}

impl NotSentReason {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConnected(_) => "VEN-06",
            Self::Halted => "VEN-14",
            Self::FenceClosed { .. } => "VEN-13",
            Self::ClockUnknown | Self::ClockUncertain { .. } => "VEN-15",
            Self::Budget(_) => "VEN-11",
            Self::Banned(_) => "VEN-12",
            Self::OtherBody(_) | Self::Unsupported(_) => "VEN-19",
            Self::UnknownInstrument(_) => "VEN-20",
        }
    }
    /// How long to wait before another try makes sense, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Budget(wait) | Self::Banned(wait) => Some(*wait),
            _ => None,
        }
    }
}

/// Why the outcome is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// The connection broke after bytes may have left.
    #[error("the connection broke: {0}")]
    Broke(String),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// An answer came that cannot be used.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The venue says itself that it does not know.
    #[error("the venue does not know the outcome: status {status}, code {code}: {text}")]
    VenueUnsure {
        /// HTTP status.
        status: u16,
        /// The venue's code; 0 without one.
        code: i32,
        /// The venue's text.
        text: String,
    },
    /// The venue refused with a code that is not on the list of definitive ones.
    #[error("the venue refused with the unlisted code {code}: {text}")]
    UnlistedCode {
        /// HTTP status.
        status: u16,
        /// The venue's code.
        code: i32,
        /// The venue's text.
        text: String,
    },
    /// The venue has an order under this client id already: this one, sent twice by something in between, or another.
    #[error("the venue has an order under this id already ({code}): {text}")]
    DuplicateId {
        /// The venue's code.
        code: i32,
        /// The venue's text.
        text: String,
    },
    /// The venue answered with a redirect.
    #[error("the venue redirects (status {0})")]
    Redirected(u16),
    /// The connection's own task is gone.
    #[error("the connection's task has ended")]
    TaskEnded,
}

impl Coded for TransportFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Broke(_) => "VEN-07",
            Self::TimedOut(_) => "VEN-08",
            Self::Answer(answer) => answer.code(),
            Self::VenueUnsure { .. } => "VEN-10",
            Self::UnlistedCode { .. } => "VEN-26",
            Self::DuplicateId { .. } => "VEN-16",
            Self::Redirected(_) => "VEN-28",
            Self::TaskEnded => "VEN-27",
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// A definitive no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Our code: VEN-09, or a more telling one.
    pub code: &'static str,
    /// The venue's code.
    pub venue_code: i32,
    /// The venue's text.
    pub reason: String,
    /// How long the venue asked to wait, if it did.
    pub retry_after: Option<Duration>,
}

/// Why a submitted request came back without an acknowledgement.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The venue said no. Trying again changes nothing.
    #[error("the venue rejected the request: {} ({})", .0.reason, .0.venue_code)]
    Rejected(Rejection),
    /// Provably no byte left this process: the same permit may go out while its fence is open.
    #[error("the request was not sent: {reason}")]
    NotSent {
        /// Why.
        reason: NotSentReason,
        /// The permit, unused.
        permit: Box<Permit<Approved>>,
        /// The request, unsent.
        prepared: Box<Prepared>,
    },
    /// It may be live. Reconcile with the venue before anything else.
    #[error("the outcome is unknown, the order may be live: {0}")]
    Unknown(#[source] TransportFault),
}

impl Coded for SubmitError {
    fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code,
            Self::NotSent { reason, .. } => reason.code(),
            Self::Unknown(fault) => fault.code(),
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Why a question was not answered. Asking again does no harm.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The venue does not find what was asked for. For an order this alone proves nothing: queries lag.
    #[error("the venue does not find it: {text} ({code})")]
    NotFound {
        /// The venue's code.
        code: i32,
        /// The venue's text.
        text: String,
    },
    /// The venue refused.
    #[error("the venue refused: {} ({})", .0.reason, .0.venue_code)]
    Refused(Rejection),
    /// No usable answer came.
    #[error("no usable answer: {0}")]
    Fault(#[from] TransportFault),
    /// No connection came about.
    #[error("no connection to the venue: {0}")]
    NotConnected(String),
    /// The request budget is used up.
    #[error("the request budget is used up for {0:?}")]
    Budget(Duration),
    /// The venue banned this address.
    #[error("the venue banned this address for {0:?}")]
    Banned(Duration),
    /// The venue failed to answer several questions in a row.
    #[error("the venue fails again and again, it is left in peace for {0:.1?}")]
    Ailing(Duration),
    /// A value of the answer does not fit its type.
    #[error(transparent)]
    Value(#[from] crate::binance::convert::ConvertError),
    /// The instrument is not among the connection's.
    #[error("instrument {0} is not among those of this connection")]
    UnknownInstrument(u32),
    /// The configuration is not usable.
    #[error("{field} `{value}` is not usable: {why}")]
    Configuration {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is wrong.
        why: String,
    },
}

impl Coded for QueryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "VEN-09",
            Self::Refused(rejection) => rejection.code,
            Self::Fault(fault) => fault.code(),
            Self::NotConnected(_) => "VEN-06",
            Self::Budget(_) => "VEN-11",
            Self::Banned(_) => "VEN-12",
            Self::Ailing(_) => "VEN-33",
            Self::Value(value) => value.code(),
            Self::UnknownInstrument(_) => "VEN-20",
            Self::Configuration { .. } => "VEN-30",
        }
    }
    /// A question leaves nothing behind at the venue, so none of these hints is about orders.
    fn hint(&self) -> &'static str {
        match self {
            Self::Fault(TransportFault::Broke(_) | TransportFault::TimedOut(_)) => {
                "only a question was sent: check the network and whether the venue is up, then ask again"
            }
            Self::Fault(TransportFault::Answer(AnswerError::CutOff { .. } | AnswerError::Empty)) => {
                "only a question was sent: ask again; if this repeats, check the network and any proxy"
            }
            Self::Fault(TransportFault::Answer(AnswerError::OtherRequest { .. })) => {
                "only a question was sent: ask again, the connection is made anew"
            }
            Self::Fault(TransportFault::VenueUnsure { .. }) => {
                "only a question was sent: the venue has trouble of its own, ask again in a while"
            }
            Self::Fault(TransportFault::UnlistedCode { .. }) => {
                "only a question was sent: see the venue's code and text, and report the code"
            }
            Self::Fault(TransportFault::TaskEnded) => "only a question was sent: start again",
            _ => hint_of(self.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failed_question_is_told_as_an_order_that_may_be_live() {
        let venue = |code| TransportFault::UnlistedCode { status: 400, code, text: "new".to_owned() };
        let faults = [
            TransportFault::Broke("reset".to_owned()),
            TransportFault::TimedOut(Duration::from_secs(1)),
            TransportFault::Answer(AnswerError::CutOff { bytes: 3, quote: "{".to_owned() }),
            TransportFault::Answer(AnswerError::Empty),
            TransportFault::Answer(AnswerError::OtherRequest { why: "2".to_owned(), quote: "{}".to_owned() }),
            TransportFault::VenueUnsure { status: 503, code: 0, text: String::new() },
            venue(-9_999),
            TransportFault::TaskEnded,
        ];
        for fault in faults {
            assert!(fault.hint().contains("reconcile"), "of an order it may be: {fault}");
            let error = QueryError::from(fault);
            assert!(
                !error.hint().contains("reconcile") && !error.hint().contains("order"),
                "{error}: {}",
                error.hint()
            );
        }
    }
}
