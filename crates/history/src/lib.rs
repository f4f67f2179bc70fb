//! Recorded markets: import, validation, Parquet catalog.
