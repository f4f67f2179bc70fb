//! The live and paper runtime, and the services that its faces offer.
//!
//! # Where it sits
//! Floor 6, a host: it owns the journal, the engine thread, the venue connection and the deciders. The command line
//! is a face of it; HTTP and MCP will be the others. It decides nothing that the engine and the gate decide.
//!
//! # Start here
//! [`settings`] says what a node can be told.
//!
//! # What always holds
//! * An event is appended before it is applied, and synced before anything leaves on its account.
//! * Start goes safe → reconciled → trading; a step that fails unwinds those before it.
//! * Secrets are read from a file, a descriptor or the environment, and are never printed.

pub mod settings;
