//! Who owns what: free and locked balances that always add up.
//!
//! Two accounts exist beside the customers: [`MARKET`], the simulated participants, which may owe without limit,
//! and [`HOUSE`], which collects fees. What one account loses another gains, so the sum per asset never changes.

use std::collections::BTreeMap;
use tradewind_domain::Currency;

/// The simulated participants as one account; its balances may be negative.
pub(crate) const MARKET: usize = 0;
/// The exchange itself; it owns the fees.
pub(crate) const HOUSE: usize = 1;
/// The first customer.
pub(crate) const FIRST_CUSTOMER: usize = 2;

/// One account's holding of one asset, in `10^-8`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) free: i128,
    pub(crate) locked: i128,
}

/// There is not enough free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Insufficient;

/// All balances.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    accounts: Vec<BTreeMap<Currency, Balance>>,
}

impl Ledger {
    pub(crate) fn new(customers: usize) -> Self {
        Self { accounts: vec![BTreeMap::new(); FIRST_CUSTOMER + customers] }
    }

    /// How many accounts there are, the market and the house included.
    pub(crate) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Creates money, or with units below zero destroys it: at the start, and where executions are taken back.
    pub(crate) fn deposit(&mut self, account: usize, asset: Currency, units: i128) {
        self.entry(account, asset).free += units;
    }

    /// Changes what a customer has free by `units`, behind everybody's back.
    ///
    /// # Errors
    /// What is free, where that is less than what is to be taken; nothing has changed then.
    pub(crate) fn adjust(&mut self, account: usize, asset: Currency, units: i128) -> Result<(), i128> {
        let balance = self.entry(account, asset);
        if units < 0 && balance.free + units < 0 {
            return Err(balance.free);
        }
        balance.free += units;
        Ok(())
    }

    pub(crate) fn balance(&self, account: usize, asset: Currency) -> Balance {
        self.accounts[account].get(&asset).copied().unwrap_or_default()
    }

    pub(crate) fn balances(&self, account: usize) -> impl Iterator<Item = (Currency, Balance)> {
        self.accounts[account].iter().map(|(asset, balance)| (*asset, *balance))
    }

    /// Sets `units` aside for an order.
    pub(crate) fn lock(&mut self, account: usize, asset: Currency, units: i128) -> Result<(), Insufficient> {
        let balance = self.entry(account, asset);
        if account != MARKET && balance.free < units {
            return Err(Insufficient);
        }
        balance.free -= units;
        balance.locked += units;
        Ok(())
    }

    /// Gives back what was set aside.
    pub(crate) fn release(&mut self, account: usize, asset: Currency, units: i128) {
        let balance = self.entry(account, asset);
        assert!(balance.locked >= units, "an order never releases more than it locked");
        balance.locked -= units;
        balance.free += units;
    }

    /// Moves `units` from the free part of one account to the free part of another.
    pub(crate) fn transfer(&mut self, from: usize, to: usize, asset: Currency, units: i128) {
        let payer = self.entry(from, asset);
        assert!(from == MARKET || payer.free >= units, "a customer never pays what is not free");
        payer.free -= units;
        self.entry(to, asset).free += units;
    }

    /// The sum of everybody's holdings of `asset`.
    #[cfg(test)]
    pub(crate) fn total(&self, asset: Currency) -> i128 {
        self.accounts.iter().filter_map(|account| account.get(&asset)).map(|b| b.free + b.locked).sum()
    }

    fn entry(&mut self, account: usize, asset: Currency) -> &mut Balance {
        self.accounts[account].entry(asset).or_default()
    }
}
