//! Deciders that ship with the product, and the trait for your own.
