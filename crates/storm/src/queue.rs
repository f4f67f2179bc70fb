//! What is yet to happen, in the order in which it will.

use std::collections::BTreeMap;
use tradewind_domain::ClientOrderId;
use tradewind_exchange::{Held, Reply};

/// How the way back of an answer is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// It comes.
    Whole,
    /// It never comes; the connection lives on.
    Lost,
    /// The connection breaks before it comes.
    Cut,
    /// Half of it comes.
    Half,
    /// A page for people comes instead.
    Page,
    /// A server error comes instead.
    ServerError,
    /// An error with a code that nobody knows comes instead.
    UnknownCode,
    /// An error comes inside a success.
    ErrorInSuccess,
    /// It names another order.
    Another,
    /// It comes twice.
    Twice,
    /// A plain refusal comes instead.
    Closed,
    /// The venue says that it is overloaded, instead.
    Overloaded,
}

/// One thing that will happen.
pub(crate) enum What {
    /// The market moves.
    Flow,
    /// A frame reaches the venue.
    VenueFrame { session: u64, text: String, carried_out: bool, hold: i64, back: Back },
    /// A request that was let in reaches the matching engine.
    Matching { session: u64, held: Box<Held>, back: Back },
    /// A question reaches the venue.
    VenueRest { life: u64, ticket: u64, path: &'static str, query: String },
    /// A frame of the user stream, or an answer, reaches the node.
    NodeFrame { session: u64, text: String },
    /// An answer to a question reaches the node; `None` if none came.
    NodeRest { life: u64, ticket: u64, answer: Option<Reply> },
    /// A frame of the market streams reaches the node.
    Market { life: u64, text: String },
    /// The node notices that a session is gone.
    SessionLost { session: u64 },
    /// The node connects.
    Connect { life: u64 },
    /// An answer is overdue.
    AnswerDue { life: u64, id: i64 },
    /// An inquiry has something to do.
    Inquire { life: u64, client_id: ClientOrderId },
    /// The venue's lists are compared with the books.
    Sweep { life: u64 },
    /// The venue's clock is read.
    ReadClock { life: u64 },
    /// A second passed.
    Tick { life: u64 },
    /// A planned fault begins.
    Fault(usize),
    /// A planned fault ends.
    Heal(usize),
    /// The node's process starts.
    Start,
}

impl What {
    /// Whether it happens to the node's machine: to nothing that stands still.
    pub(crate) const fn is_of_node(&self) -> bool {
        matches!(
            self,
            Self::NodeFrame { .. }
                | Self::NodeRest { .. }
                | Self::Market { .. }
                | Self::SessionLost { .. }
                | Self::Connect { .. }
                | Self::AnswerDue { .. }
                | Self::Inquire { .. }
                | Self::Sweep { .. }
                | Self::ReadClock { .. }
                | Self::Tick { .. }
                | Self::Start
        )
    }

    /// Its number in the trace.
    pub(crate) const fn kind(&self) -> u8 {
        match self {
            Self::Flow => 0,
            Self::VenueFrame { .. } => 1,
            Self::Matching { .. } => 2,
            Self::VenueRest { .. } => 3,
            Self::NodeFrame { .. } => 4,
            Self::NodeRest { .. } => 5,
            Self::Market { .. } => 6,
            Self::SessionLost { .. } => 7,
            Self::Connect { .. } => 8,
            Self::AnswerDue { .. } => 9,
            Self::Inquire { .. } => 10,
            Self::Sweep { .. } => 11,
            Self::ReadClock { .. } => 12,
            Self::Tick { .. } => 13,
            Self::Fault(_) => 14,
            Self::Heal(_) => 15,
            Self::Start => 16,
        }
    }

    /// What a log says of it.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Flow => "flow".to_owned(),
            Self::VenueFrame { session, text, back, .. } => format!("venue < {session} {back:?} {text}"),
            Self::Matching { session, .. } => format!("matching {session}"),
            Self::VenueRest { ticket, path, .. } => format!("venue < ? {ticket} {path}"),
            Self::NodeFrame { session, text } => format!("node < {session} {text}"),
            Self::NodeRest { ticket, answer, .. } => format!("node < ! {ticket} {answer:?}"),
            Self::Market { text, .. } => format!("node < market {text}"),
            Self::SessionLost { session } => format!("session {session} lost"),
            Self::Connect { .. } => "connect".to_owned(),
            Self::AnswerDue { id, .. } => format!("answer {id} overdue"),
            Self::Inquire { client_id, .. } => format!("inquire {client_id}"),
            Self::Sweep { .. } => "sweep".to_owned(),
            Self::ReadClock { .. } => "read clock".to_owned(),
            Self::Tick { .. } => "tick".to_owned(),
            Self::Fault(place) => format!("fault {place}"),
            Self::Heal(place) => format!("heal {place}"),
            Self::Start => "start".to_owned(),
        }
    }
}

/// Everything that will happen, by time and then in the order in which it was decided.
#[derive(Default)]
pub(crate) struct Queue {
    all: BTreeMap<(i64, u64), What>,
    next: u64,
    /// Frames of the user stream that are on their way.
    pub(crate) frames: usize,
}

impl Queue {
    pub(crate) fn at(&mut self, time: i64, what: What) {
        self.next += 1;
        self.frames += usize::from(matches!(what, What::NodeFrame { .. }));
        self.all.insert((time, self.next), what);
    }

    /// The next thing, if it happens until `end`.
    pub(crate) fn pop(&mut self, end: i64) -> Option<(i64, What)> {
        let ((time, _), _) = self.all.first_key_value()?;
        if *time > end {
            return None;
        }
        let ((time, _), what) = self.all.pop_first()?;
        self.frames -= usize::from(matches!(what, What::NodeFrame { .. }));
        Some((time, what))
    }
}
