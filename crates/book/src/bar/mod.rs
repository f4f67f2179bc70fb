//! Fills on bars: what a bar's open, high, low, close and volume allow to be said about an order.
//!
//! # The rules
//! 1. An order takes part in the first bar that opens at or after the moment it was submitted: what is decided on a
//!    close fills at the next open. What the fills of an open lead to, such as the stop of an entry, meets that open after
//!    all others and the inside of that bar; what a fill inside a bar leads to waits for the next one.
//! 2. The open comes first, in order of submission. Market orders fill there. A stop that the open has passed fills
//!    at the open (the gap is ours to bear), a limit that the open has passed fills at the open (the gap is ours to
//!    keep). Immediate orders live only there; a post-only order that would cross there is rejected.
//! 3. Inside the bar nobody knows the path, so the worst is assumed: stops before limits, and among each the fill
//!    that looks worst at the bar's close first. A stop limit that wakes inside the bar fills at its trigger if its
//!    limit allows, and otherwise waits for the next bar. Orders that wait to be touched wake like stops, from the other
//!    side. A trailing stop meets the adverse end where it stood after the open; then the other end moves it, and the
//!    close, which came later for certain, meets it there.
//! 4. Fills of one bar share one budget: [`FillPolicy::volume_share_bps`] of the bar's volume, in whole lots. What is
//!    left of an order works on, or is cancelled if it was immediate or cancel. Fill or kill fills whole or not at all.
//! 5. Taking liquidity (market, stop, a limit that arrives through the open) pays half the spread, slippage and impact,
//!    together rounded once to the tick against us, up to the order's limit. Resting fills do not. The price may leave
//!    the bar's range: it is not pulled back to high or low, since the bar never saw our order.
//! 6. One fill in an OCO group cancels the rest of the group. Reduce-only orders never open or turn a position; they
//!    are judged after the others, and cancelled if there is nothing to reduce.
//! 7. An order that expires inside a bar is given the open of that bar and no more.

mod matcher;
mod policy;
#[cfg(test)]
mod tests;

pub use matcher::{BarCancel, BarEvent, BarMatcher, BarReject, BarTurn};
pub use policy::{FillPolicy, Impact};
