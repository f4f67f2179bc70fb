//! Order books and the price-time matching core.
