//! The quotes of a feed, as many of them as the engine wants: one each half second, and the newest before each closed bar.
//!
//! Half a second of ours may be hours of a market that is played from a recording. A closed bar moves the mark, and an order
//! that is decided on it is judged by the book as well: both must be of one time, at any pace.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tradewind_domain::{InstrumentId, Quote, Timestamp};

/// Between two bars the engine sees enough quotes to know that the feed lives.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// What was quoted of every instrument.
#[derive(Debug, Default)]
pub(crate) struct Quotes(BTreeMap<InstrumentId, Quoted>);

/// What was quoted of one.
#[derive(Debug)]
struct Quoted {
    /// When the engine last heard where its market is.
    told: Instant,
    /// The newest quote since, and when it was read.
    held: Option<(Quote, Timestamp)>,
}

impl Quotes {
    /// Whether a quote that was read at `received` is to be told now; one that is not is held back.
    pub(crate) fn is_due(&mut self, quote: Quote, received: Timestamp, now: Instant) -> bool {
        if let Some(known) = self.0.get_mut(&quote.instrument)
            && now.duration_since(known.told) < TELL_EVERY
        {
            known.held = Some((quote, received));
            return false;
        }
        self.0.insert(quote.instrument, Quoted { told: now, held: None });
        true
    }

    /// A bar of `instrument` closed and is about to be told: takes the newest quote, and when it was read, if it was held
    /// back until now.
    pub(crate) fn closed(&mut self, instrument: InstrumentId, now: Instant) -> Option<(Quote, Timestamp)> {
        let known = self.0.get_mut(&instrument)?;
        known.told = now;
        known.held.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{Price, Quantity};

    const BTC: InstrumentId = InstrumentId(0);
    const ETH: InstrumentId = InstrumentId(1);

    fn quote(instrument: InstrumentId, bid: i64) -> Quote {
        let size = Quantity::from_mantissa(1);
        let [bid, ask] = [bid, bid + 2].map(Price::from_mantissa);
        Quote { instrument, bid, bid_size: size, ask, ask_size: size }
    }

    #[test]
    fn a_quote_is_told_each_half_second_and_the_newest_that_was_held_back_when_a_bar_closes() {
        let (mut quotes, start) = (Quotes::default(), Instant::now());
        let read = Timestamp::from_millis;
        let after = |millis| start + Duration::from_millis(millis);
        assert!(quotes.is_due(quote(BTC, 1), read(1), after(0)));
        assert_eq!(quotes.closed(BTC, after(0)), None, "the newest one was told");
        assert!(!quotes.is_due(quote(BTC, 2), read(2), after(100)));
        assert!(!quotes.is_due(quote(BTC, 3), read(3), after(499)));
        assert!(quotes.is_due(quote(ETH, 4), read(4), after(499)), "each instrument has a time of its own");
        assert_eq!(quotes.closed(ETH, after(499)), None);
        assert_eq!(quotes.closed(BTC, after(499)), Some((quote(BTC, 3), read(3))));
        assert_eq!(quotes.closed(BTC, after(499)), None, "it is told once");
        assert!(!quotes.is_due(quote(BTC, 5), read(5), after(998)), "half a second after the bar");
        assert!(quotes.is_due(quote(BTC, 6), read(6), after(999)));
        assert_eq!(quotes.closed(BTC, after(999)), None, "what was held back is old");
        assert_eq!(quotes.closed(InstrumentId(2), after(999)), None);
    }
}
