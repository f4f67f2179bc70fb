//! Faults by what they strike. The names of the tests begin with the numbers of the page `docs/reliability.md`.

mod fills;
mod market_data;
mod orders;
mod outages;
mod tls;
mod transport;
