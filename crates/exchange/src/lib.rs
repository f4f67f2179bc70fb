//! The local exchange: a venue's protocol over one matching core, for paper trading and tests.
//!
//! # Where it sits
//! Floor 5, beside the venues' clients, which it never calls: its signature checks, error tables, limit counters,
//! filters and sequence rules are written from the venue's documentation, so that a misreading does not agree with
//! itself. Its tests read its answers with the client's wire types, and third-party clients drive it
//! (`tests/third_party`).
//!
//! # Start here
//! [`Exchange::start`] takes an [`ExchangeConfig`] and gives an [`ExchangeHandle`]; [`InProcess`] is the same exchange as a
//! value, in the caller's thread and time. Inside, `world` is the exchange
//! without sockets, `flow` the simulated market, `binance` the protocol, `shell` the sockets.
//!
//! # What always holds
//! * Every answer says by the header `X-Tradewind-Origin` whether its market is simulated or recorded.
//! * The same seed gives the same market while nobody trades.
//! * What one account loses another gains: the sum of all balances per asset never changes.
//! * Market time (of trades, candles, order times) runs at the configured speed. The server's clock, which
//!   `GET /api/v3/time` shows and against which `timestamp` is checked, is the wall clock at any speed.
//! * It listens on the loopback interface only.

mod binance;
mod config;
mod error;
mod faults;
mod flow;
mod in_process;
mod server;
mod shell;
mod tape;
mod world;

pub use config::{
    AccountConfig, Crash, ExchangeConfig, FeeRates, Flow, KeySecret, Limits, Pace, SymbolConfig, Tape, TapeSource,
};
pub use error::{CODES, ExchangeError};
pub use faults::{Fault, FaultKind};
pub use in_process::{Frame, Held, InProcess, OrderEntry, Receipt, Reply, RestRequest, TradeEntry};
pub use server::{Exchange, ExchangeHandle};
