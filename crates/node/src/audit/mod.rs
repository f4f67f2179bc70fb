//! The audit trail of a data directory: who signs it, how it is verified, and how it is exported.
//!
//! A thread of its own follows the journal's synced records and signs a checkpoint every 1,000 records or 60 seconds;
//! the order path neither waits for it nor knows of it. Copy `audit/checkpoints.jsonl` elsewhere now and then: only
//! such a copy tells a journal that was replaced whole by an older one from an honest one.

mod auditor;
mod causes;
mod files;
mod key;
mod report;
mod retain;

pub(crate) use auditor::{Auditor, Signs};
pub use causes::audit_chains;
pub use files::has_checkpoints;
pub(crate) use files::move_trail;
pub use report::{AuditReport, Removed, audit};
pub use retain::{retain, retain_unsigned};
