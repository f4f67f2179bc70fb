//! The node against the real local exchange, over real sockets and on a real disk.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod adopt;
mod amend;
mod attacks;
mod child;
mod control;
mod crash;
mod dates;
mod disk;
mod failpoints;
mod faults;
mod first_start;
mod governance;
mod halt;
mod kept;
mod kill_call;
mod oco;
mod operator;
mod parents;
mod parity;
mod parity_bracket;
mod plans;
mod process;
mod recovery;
mod rollout;
mod sources;
mod steps;
mod support;
mod time;
mod unread;
