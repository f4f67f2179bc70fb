//! The local exchange: venue protocols over one matching core.
