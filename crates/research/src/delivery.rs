//! The end of a contract within a run: at which price it is settled, and what that closes.

use tradewind_domain::{Instrument, InstrumentId, InstrumentKind, OrderRecord, PortfolioId, Price, Quantity};
use tradewind_engine::{Settlement, State};

/// How a contract that ends within a run is settled. Without anything a future is settled at its last close, for nothing,
/// and an option is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The price at the end of the contract, where it is known: a future's own, that of an option's underlying.
    pub price: Option<Price>,
    /// What settlement costs, in parts per 10⁸ of the notional at the price of settlement.
    pub fee_e8: i64,
}

impl Delivery {
    /// How `instrument` is settled after its last close; `None` where nobody knows at which price.
    pub(crate) fn settlement(&self, instrument: &Instrument, last_close: Price) -> Option<Settlement> {
        let price = if matches!(instrument.spec.kind, InstrumentKind::Option { .. }) {
            instrument.intrinsic(self.price?)?
        } else {
            self.price.unwrap_or(last_close)
        };
        Some(Settlement { price, fee_e8: self.fee_e8 })
    }
}

/// What a settlement is about to close and to end for one portfolio.
pub(crate) struct Closing {
    portfolio: PortfolioId,
    pub(crate) instrument: InstrumentId,
    pub(crate) settlement: Settlement,
    held: Quantity,
    /// Open orders, which will have expired.
    pub(crate) orders: u64,
}

impl Closing {
    /// Looks at the books before the settlement is applied to them.
    pub(crate) fn of(state: &State, portfolio: PortfolioId, instrument: InstrumentId, settlement: Settlement) -> Self {
        let own = |it: &&OrderRecord| (it.order.portfolio(), it.order.instrument()) == (portfolio, instrument);
        Self {
            portfolio,
            instrument,
            settlement,
            held: held(state, portfolio, instrument),
            orders: state.open.values().filter(own).count() as u64,
        }
    }

    /// What it cost, in ledger units of the settlement currency, once it is applied; `None` where it closed nothing.
    pub(crate) fn fee(&self, state: &State) -> Option<i128> {
        if self.held.is_zero() || !held(state, self.portfolio, self.instrument).is_zero() {
            return None;
        }
        let instrument = &state.listing(self.instrument).instrument;
        self.settlement.fee(instrument, self.held).ok().map(|fee| fee.units)
    }
}

fn held(state: &State, portfolio: PortfolioId, instrument: InstrumentId) -> Quantity {
    state.portfolios.get(portfolio.index()).map_or(Quantity::ZERO, |books| books.position(instrument).quantity())
}
