//! The durable log: append, sync, permit, verify, recover, back up.
