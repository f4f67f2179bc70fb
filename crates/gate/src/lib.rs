//! The one way to a venue: turns a proposal into an approved order or a reasoned refusal.
