//! The live and paper runtime, and the services that its faces offer.
//!
//! # Where it sits
//! Floor 6, a host: it owns the journal, the engine thread, the venue connection and the deciders. The command line
//! is a face of it; HTTP and MCP will be the others. It decides nothing that the engine and the gate decide.
//!
//! # Start here
//! [`Node::start`] runs one; [`settings`] says what it can be told; [`request`] asks a running one; [`replay`] decides
//! again what it decided; [`DataDir`] says where its files lie.
//!
//! # What always holds
//! * An event is appended before it is applied, and synced before anything leaves on its account.
//! * Start goes safe → reconciled → trading; a step that fails unwinds those before it.
//! * Secrets are read from a file, a descriptor or the environment, and are never printed.

mod abort;
mod account;
mod adopt;
mod audit;
mod audits;
mod books;
mod clock;
mod closing;
mod control;
mod core;
mod damage;
mod data_dir;
mod deposits;
mod drift;
mod driver;
mod drop_copy;
mod error;
mod exits;
mod govern;
mod health;
mod holds;
mod inbox;
mod inquire;
mod key_lock;
mod kill_call;
mod kill_switch;
mod latency;
mod limit_changes;
mod limits_view;
mod liquidity;
mod listener;
pub mod live;
mod oco;
mod operate;
mod outgoing;
mod parents;
mod portfolios;
mod quotes;
mod reconcile;
mod recover;
mod relist;
mod runtime;
mod set_aside;
pub mod settings;
mod stages;
mod start;
mod status;
mod steps;
mod time_watch;
mod warm_up;
mod watch;
mod watchdog;
mod whole_file;
mod words;

pub use adopt::AdoptWords;
pub use audit::{AuditReport, Removed, audit, audit_chains, has_checkpoints, retain, retain_unsigned};
pub use audits::{AUDITS_KEPT, AuditStatistics, AuditTally, GuardBlocks, SourceAudits, audit_statistics};
pub use clock::wall;
pub use control::{request, socket_path};
pub use data_dir::DataDir;
pub use drop_copy::{DropCopy, Exposure, LOOK_AGAIN, LOOKS, Look, halt_by_file};
pub use error::{CODES, NodeError};
pub use govern::{GovernRequest, Signed, Token};
pub use health::{Component, ComponentHealth, Condition, Health};
pub use holds::HoldView;
pub use inbox::Progress;
pub use kill_call::{KILL_WINDOW_MS, KillKey, SignedHalt};
pub use latency::{Bucket, Histogram, Quantiles};
pub use liquidity::LiquidityView;
pub use oco::OcoWords;
pub use operate::{OperatorReply, OperatorRequest};
pub use parents::{ChildView, ParentView, ParentWords, PlanWords, ReplaceWords};
pub use recover::{Recovered, Replayed, events, recover, replay};
pub use runtime::{Ended, Node, RecoveredNote, Surroundings, venue_origin};
pub use set_aside::set_aside;
pub use stages::StageMove;
pub use status::{
    ClockView, ForeignView, InstrumentView, LatencyView, OrderView, PortfolioView, PositionView, Status, UnknownView,
};
pub use words::{KindWords, OrderWords, TradeWords};

/// The node's places where a test may end the process; see [`tradewind_journal::failpoint`].
pub const FAILPOINTS: &[&str] = &[
    "node.start.recovered",
    "node.start.connected",
    "node.start.introduced",
    "node.start.reconciled",
    "node.operator.recorded",
    "node.operator.synced",
    "node.driver.taken",
    "node.driver.answered",
    "node.driver.told",
    "node.stop.begun",
    "node.stop.cancelled",
    "node.file.created",
    "node.file.half-written",
    "node.file.synced",
    "node.file.renamed",
];
