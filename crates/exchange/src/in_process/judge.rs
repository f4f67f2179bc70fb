//! What a judge may see: the exchange's own books.

use super::InProcess;
use crate::world::ledger::{FIRST_CUSTOMER, MARKET};
use tradewind_domain::{Currency, Price, Quantity, Side};

/// An order as the exchange has it written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEntry {
    /// The exchange's number.
    pub id: u64,
    /// Its client's name for it.
    pub client_id: String,
    /// Such as `BTCUSDT`.
    pub symbol: String,
    /// Which way.
    pub side: Side,
    /// How much was asked, at eight decimals.
    pub quantity: Quantity,
    /// How much was executed, at eight decimals.
    pub executed: Quantity,
    /// Whether it may still execute.
    pub is_open: bool,
    /// When it was taken on.
    pub created: i64,
}

/// An execution as the exchange booked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeEntry {
    /// Its number, unique per symbol.
    pub id: i64,
    /// The order's number.
    pub order: u64,
    /// The symbol's place in the configuration.
    pub listing: usize,
    /// Which way.
    pub side: Side,
    /// At eight decimals.
    pub price: Price,
    /// At eight decimals.
    pub quantity: Quantity,
    /// Paid or received, in `10^-8` of the quote currency.
    pub quote: i128,
    /// In `10^-8` of [`Self::fee_asset`].
    pub fee: i128,
    /// What the fee was taken in.
    pub fee_asset: Currency,
    /// When.
    pub at: i64,
}

impl InProcess {
    /// Every order of an account that is still written down, oldest first.
    pub fn orders(&self, account: usize) -> impl Iterator<Item = OrderEntry> {
        let mine = move |row: &&crate::world::order::Row| row.account == FIRST_CUSTOMER + account;
        self.world.rows.values().filter(mine).map(|row| OrderEntry {
            id: row.id,
            client_id: row.client_id.clone(),
            symbol: self.world.markets[row.listing].rules.name().to_owned(),
            side: row.side,
            quantity: row.quantity,
            executed: row.executed,
            is_open: row.status.is_open(),
            created: row.created,
        })
    }

    /// Executions of an account from the `from`-th on, oldest first.
    pub fn trades(&self, account: usize, from: usize) -> impl Iterator<Item = TradeEntry> {
        let all = &self.world.own_trades[FIRST_CUSTOMER + account];
        all[from.min(all.len())..].iter().map(|it| TradeEntry {
            id: it.id,
            order: it.order,
            listing: it.listing,
            side: it.side,
            price: it.price,
            quantity: it.quantity,
            quote: it.quote,
            fee: it.fee,
            fee_asset: it.fee_asset,
            at: it.at,
        })
    }

    /// What an account owns of each asset, free and locked together, in `10^-8`.
    pub fn balances(&self, account: usize) -> impl Iterator<Item = (Currency, i128)> {
        self.world.ledger.balances(FIRST_CUSTOMER + account).map(|(asset, held)| (asset, held.free + held.locked))
    }

    /// What everybody owns of an asset together: it changes by [`Self::transfer_in`] alone.
    #[must_use]
    pub fn total(&self, asset: Currency) -> i128 {
        let all = MARKET..self.world.ledger.accounts();
        all.map(|account| self.world.ledger.balance(account, asset)).map(|held| held.free + held.locked).sum()
    }
}
