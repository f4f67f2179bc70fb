//! Venue protocols: codec, rules and connector.
