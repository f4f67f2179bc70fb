//! The simulated market: seeded, pure, and the same for everybody while nobody trades.
//!
//! [`fair`] moves a hidden fair price per symbol through trends, ranges and bursts, with a common factor that
//! correlates the symbols. [`agents`] quote ladders around it and take from them; their orders go through the
//! same matching core as a customer's, so a customer's order waits in the same queues and fills in parts.
//!
//! # The model
//! * Time is cut into steps, of 100 ms of market time unless [`crate::Flow`] says otherwise. One step draws everything that happens in it.
//! * Return of symbol i in a step of t minutes: `beta_i * f + e_i`, each of the two being `drift * t + vol * sqrt(t) * z`.
//!   The correlation of two symbols in equal regimes is about 0.7.
//! * Both the common factor and each symbol live in one of four regimes: rising, falling (drift of some basis
//!   points a minute), ranging (pulled back to the price at which the range began), bursting (four times the
//!   volatility, three times the activity). A regime lasts minutes, by a sum of three uniform draws: rising and falling 4
//!   to 32, on average 18; ranging 3 to 23, on average 13; bursting 0.6 to 4.6, on average 2.6.
//! * Makers keep a ladder of up to 24 orders on each side, half a basis point apart; they withdraw
//!   most orders that the fair price has overtaken, and re-place what was taken.
//! * Takers arrive at random, more often in a burst, and lean towards the fair price; their sizes have a heavy tail.
//! * A market can be made wider, wilder, or let fall and recover as one: see [`crate::Flow`].

pub(crate) mod agents;
mod chance;
pub(crate) mod fair;
