//! The way out of a connection: bounded, and honest about what a slow reader misses.
//!
//! Reports about orders and account wait for room, and so do closed bars. Quotes are conflated to the latest of each
//! instrument, which comes before its next closed bar. Trades and unfinished bars are left out and counted. A lost change
//! of a book is the caller's to resolve.

use crate::budget::Wait;
use crate::report::VenueEvent;
use crate::socket::wall_clock;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tradewind_domain::InstrumentId;

/// The reader is gone: the task may end.
#[derive(Debug)]
pub(crate) struct ReaderGone;

/// One task's end of the channel.
#[derive(Debug)]
pub(crate) struct Outlet {
    events: mpsc::Sender<VenueEvent>,
    quotes: BTreeMap<InstrumentId, VenueEvent>,
    skipped: u64,
}

impl Outlet {
    pub(crate) const fn new(events: mpsc::Sender<VenueEvent>) -> Self {
        Self { events, quotes: BTreeMap::new(), skipped: 0 }
    }

    /// Hands over something that must not be lost; waits for room. A bar does not overtake a quote that came before it.
    pub(crate) async fn vital(&mut self, event: VenueEvent) -> Result<(), ReaderGone> {
        let before = match &event {
            VenueEvent::Bar { bar, .. } => self.quotes.remove(&bar.instrument),
            _ => None,
        };
        if let Some(quote) = before {
            self.events.send(quote).await.map_err(|_| ReaderGone)?;
        }
        self.events.send(event).await.map_err(|_| ReaderGone)
    }

    /// Tells that the venue wants to be left in peace, and for how long; nothing if it does not.
    pub(crate) async fn left_in_peace(&mut self, told: Option<Wait>) -> Result<Duration, ReaderGone> {
        let Some(wait) = told else { return Ok(Duration::ZERO) };
        let message = format!("nothing leaves meanwhile: {wait}");
        self.vital(VenueEvent::Fault { code: wait.code(), message, at: wall_clock() }).await?;
        Ok(wait.duration())
    }

    /// Hands over market data if there is room. `Ok(false)`: it was left out.
    pub(crate) fn offer(&mut self, event: VenueEvent) -> Result<bool, ReaderGone> {
        self.flush()?;
        if let VenueEvent::Quote { quote, .. } = &event
            && (self.events.capacity() == 0 || self.quotes.contains_key(&quote.instrument))
        {
            self.quotes.insert(quote.instrument, event);
            return Ok(true);
        }
        match self.events.try_send(event) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => {
                self.skipped += 1;
                Ok(false)
            }
            Err(TrySendError::Closed(_)) => Err(ReaderGone),
        }
    }

    /// Hands over what was kept back, as far as there is room.
    pub(crate) fn flush(&mut self) -> Result<(), ReaderGone> {
        while let Some((instrument, event)) = self.quotes.pop_first() {
            match self.events.try_send(event) {
                Ok(()) => (),
                Err(TrySendError::Full(event)) => {
                    self.quotes.insert(instrument, event);
                    return Ok(());
                }
                Err(TrySendError::Closed(_)) => return Err(ReaderGone),
            }
        }
        if self.skipped > 0 && self.events.try_send(VenueEvent::Skipped { count: self.skipped }).is_ok() {
            self.skipped = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Stamps;
    use tradewind_domain::{Bar, Interval, Price, Quantity, Quote, Timestamp};

    fn quote(instrument: u32, bid: i64) -> VenueEvent {
        let quote = Quote {
            instrument: InstrumentId(instrument),
            bid: Price::from_mantissa(bid),
            bid_size: Quantity::from_mantissa(1),
            ask: Price::from_mantissa(bid + 1),
            ask_size: Quantity::from_mantissa(1),
        };
        VenueEvent::Quote { quote, stamps: Stamps { event: None, received: Timestamp::from_millis(bid) } }
    }

    #[test]
    fn a_slow_reader_gets_the_latest_quote_of_each_instrument_and_a_count_of_the_rest() {
        let (sender, mut reader) = mpsc::channel(2);
        let mut outlet = Outlet::new(sender);
        for bid in 1..=5 {
            outlet.offer(quote(0, bid)).unwrap();
            outlet.offer(quote(1, 10 * bid)).unwrap();
        }
        let fault = || VenueEvent::Fault { code: "VEN-21", message: String::new(), at: Timestamp::default() };
        assert!(!outlet.offer(fault()).unwrap(), "no room");
        let mut read = Vec::new();
        for _ in 0..3 {
            while let Ok(event) = reader.try_recv() {
                read.push(event);
            }
            outlet.flush().unwrap();
        }
        assert_eq!(read, [quote(0, 1), quote(1, 10), quote(0, 5), quote(1, 50), VenueEvent::Skipped { count: 1 }]);
        drop(reader);
        assert!(outlet.offer(fault()).is_err());
    }

    #[tokio::test]
    async fn a_closed_bar_comes_behind_the_latest_quote_of_its_instrument() {
        let (sender, mut reader) = mpsc::channel(2);
        let mut outlet = Outlet::new(sender);
        for bid in 1..=5 {
            outlet.offer(quote(0, bid)).unwrap();
            outlet.offer(quote(1, 10 * bid)).unwrap();
        }
        let price = Price::from_mantissa(6);
        let bar = Bar {
            instrument: InstrumentId(0),
            interval: Interval::MINUTE,
            open_time: Timestamp::default(),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Quantity::from_mantissa(1),
        };
        let closed =
            VenueEvent::Bar { bar, closed: true, stamps: Stamps { event: None, received: Timestamp::default() } };
        let read = async {
            let mut read = Vec::new();
            for _ in 0..4 {
                read.push(reader.recv().await.expect("the outlet lives"));
            }
            read
        };
        let (handed, read) = tokio::join!(outlet.vital(closed.clone()), read);
        handed.unwrap();
        assert_eq!(read, [quote(0, 1), quote(1, 10), quote(0, 5), closed]);
    }
}
