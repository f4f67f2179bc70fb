//! Faults by what they strike. The names of the tests begin with the numbers of the page `docs/reliability.md`.

mod answers;
mod fills;
mod orders;
mod outages;
