//! The words of the trade: instruments, prices, orders, fills, bars, time, ids, errors.
