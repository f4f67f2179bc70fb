//! The audit trail: signed checkpoints over every record, a verifier that names the first bad one, and the export of
//! causes and effects.
//!
//! The journal's own chain finds damage; whoever may write the disk can recompute it. A [`Checkpoint`] is signed, so
//! that takes the key too, and a copy kept elsewhere (an *anchor*) finds even a log that was replaced whole. Records that
//! retention took away are named in a signed [`Removal`]; without one their absence is a fault.

mod checkpoint;
mod export;
mod removal;
mod verify;

pub use checkpoint::{CHECKPOINT_NANOS, CHECKPOINT_RECORDS, Checkpoint, CheckpointError, Key, Notary, PublicKey};
pub use export::{CSV_HEADER, Link, Step, chains, to_csv, to_json_line};
pub use removal::{Removal, check_removals};
pub use verify::{Anchor, Fault, Flaw, Verified, Verifier, verify};
