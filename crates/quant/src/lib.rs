//! Performance statistics of a backtest or an account.
