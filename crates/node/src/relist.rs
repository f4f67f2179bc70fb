//! What the engine's thread does with other rules of an instrument.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use tradewind_domain::{InstrumentId, InstrumentSpec, PortfolioId, Source};
use tradewind_engine::{EventKind, ListingStatus};

impl Core {
    /// Takes the venue's new rules over: the next decision obeys them, and orders that rest stay as they are.
    pub(crate) fn other_rules(&mut self, id: InstrumentId, spec: InstrumentSpec) -> Result<(), NodeError> {
        let known = &self.host.state.listing(id).instrument;
        let symbol = known.spec.symbol.clone();
        match (InstrumentSpec { fees: known.spec.fees, ..spec }).list(id) {
            Ok(instrument) if instrument == *known => Ok(()),
            Ok(instrument) => {
                self.note(format!("the venue lists {symbol} by other rules: new orders obey them"));
                let kind = EventKind::Listed(Box::new(instrument));
                self.record(self.now(), wall(), Source::Venue, PortfolioId(0), kind)
            }
            Err(error) => {
                self.note(format!("alarm: the new rules of {symbol} cannot be obeyed: {error}"));
                let kind = EventKind::ListingChanged { instrument: id, status: ListingStatus::Paused };
                self.record(self.now(), wall(), Source::Venue, PortfolioId(0), kind)
            }
        }
    }

    /// At the start, after the listing was read: what the last run found paused trades again if the venue says so.
    pub(crate) fn resume_listings(&mut self) -> Result<(), NodeError> {
        let ids: Vec<_> = self.host.state.listings.iter().map(|it| (it.instrument.id, it.status)).collect();
        for (instrument, status) in ids {
            let trades = self.host.outside.connection.rules(instrument).is_some_and(|rules| rules.trading);
            if trades && !status.is_trading() {
                let kind = EventKind::ListingChanged { instrument, status: ListingStatus::Trading };
                self.record(self.now(), wall(), Source::Venue, PortfolioId(0), kind)?;
            }
        }
        Ok(())
    }
}
