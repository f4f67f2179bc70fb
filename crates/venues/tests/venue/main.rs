//! The crate as others see it: recordings read in place, and a connection over real sockets of this machine.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod amend;
mod books;
mod border;
mod convert;
mod faults;
mod hostile;
mod oco;
mod orders;
mod origin;
mod recordings;
mod streams;
mod support;
