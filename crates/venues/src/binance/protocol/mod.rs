//! The protocol without sockets: what is sent as text, when it may be sent, and what comes back means.
//!
//! [`super::Connection`] drives it over real sockets, a simulation over its own. Time comes in as an argument, and what
//! an answer asks of its reader, such as to wait, comes out as a [`Consequence`].

mod answers;
mod clock;
mod frames;
mod queries;
mod requests;

pub use answers::{Consequence, OrderAnswer, ReadAnswer, Refusal, Usage, read_answer, read_order_answer};
pub(crate) use answers::{read_order_body, read_refusal};
pub use clock::ClockEstimate;
pub use frames::{MarketFrame, Unusable, UserFrame, read_market_event, read_user_frame};
pub use queries::{PAGE, Query};
pub(crate) use requests::rest_route;
pub use requests::{
    check_halt, check_time, command, endpoint, order_text, prepare, purpose, signed_frame, subscribe_text,
};
