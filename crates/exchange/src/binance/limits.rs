//! Request weight per address and order counts per account.
//!
//! Source: "LIMITS" in `rest-api.md`. Windows are whole minutes, ten seconds and days of the server's clock.

use super::answer::Refusal;
use crate::config::Limits;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Counters of everybody.
#[derive(Debug)]
pub(crate) struct Counters {
    limits: Limits,
    addresses: BTreeMap<IpAddr, Address>,
    orders: BTreeMap<usize, OrderCount>,
}

#[derive(Debug, Default)]
struct Address {
    minute: i64,
    used: u32,
    refused: u32,
    banned_until: i64,
    bans: u32,
}

/// Orders of one account in the current windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderCount {
    window: i64,
    day: i64,
    pub(crate) in_10s: u32,
    pub(crate) in_day: u32,
}

impl Counters {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, addresses: BTreeMap::new(), orders: BTreeMap::new() }
    }

    /// Charges `weight`; the used weight of this minute, or the refusal when it is above the limit.
    pub(crate) fn charge(&mut self, address: IpAddr, weight: u32, now: i64) -> Result<u32, Refusal> {
        let limits = self.limits;
        let entry = self.addresses.entry(address).or_default();
        if now < entry.banned_until {
            return Err(Refusal::banned(entry.banned_until, seconds(entry.banned_until - now)));
        }
        if entry.minute != now / 60_000 {
            (entry.minute, entry.used, entry.refused) = (now / 60_000, 0, 0);
        }
        entry.used = entry.used.saturating_add(weight);
        if entry.used <= limits.weight_per_minute {
            return Ok(entry.used);
        }
        entry.refused += 1;
        if entry.refused > limits.refusals_before_ban {
            let length = i64::try_from(limits.ban.as_millis()).unwrap_or(i64::MAX);
            let scaled = length.saturating_mul(1 << entry.bans.min(11)).min(3 * 86_400_000);
            entry.bans += 1;
            entry.banned_until = now + scaled;
            return Err(Refusal::banned(entry.banned_until, seconds(scaled)));
        }
        Err(Refusal::too_much_weight(limits.weight_per_minute, seconds(60_000 - now % 60_000)))
    }

    /// Bans an address until then, without further reason.
    pub(crate) fn ban(&mut self, address: IpAddr, until: i64) {
        self.addresses.entry(address).or_default().banned_until = until;
    }

    /// What this address used in this minute.
    pub(crate) fn used(&self, address: IpAddr, now: i64) -> u32 {
        self.addresses.get(&address).filter(|entry| entry.minute == now / 60_000).map_or(0, |entry| entry.used)
    }

    /// Whether one more order is allowed; nothing is counted yet.
    pub(crate) fn may_order(&mut self, account: usize, now: i64) -> Result<(), Refusal> {
        let count = self.orders_of(account, now);
        if count.in_10s >= self.limits.orders_per_10s {
            return Err(Refusal::too_many_orders(self.limits.orders_per_10s, "10 SECOND"));
        }
        if count.in_day >= self.limits.orders_per_day {
            return Err(Refusal::too_many_orders(self.limits.orders_per_day, "1 DAY"));
        }
        Ok(())
    }

    /// Counts orders that were taken on.
    pub(crate) fn count_orders(&mut self, account: usize, orders: u32, now: i64) -> OrderCount {
        let mut count = self.orders_of(account, now);
        count.in_10s += orders;
        count.in_day += orders;
        self.orders.insert(account, count);
        count
    }

    /// The account's counts in the windows of `now`.
    pub(crate) fn orders_of(&self, account: usize, now: i64) -> OrderCount {
        let mut count = self.orders.get(&account).copied().unwrap_or_default();
        if count.window != now / 10_000 {
            (count.window, count.in_10s) = (now / 10_000, 0);
        }
        if count.day != now / 86_400_000 {
            (count.day, count.in_day) = (now / 86_400_000, 0);
        }
        count
    }
}

fn seconds(millis: i64) -> u64 {
    u64::try_from((millis + 999) / 1_000).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn weight_is_refused_then_banned_and_forgotten_with_the_minute() {
        let limits = Limits {
            weight_per_minute: 100,
            refusals_before_ban: 2,
            ban: Duration::from_secs(120),
            ..Limits::default()
        };
        let mut counters = Counters::new(limits);
        let mut ask = |weight, now| counters.charge(HERE, weight, now).map_err(|r| (r.status, r.code, r.retry_after));
        assert_eq!(ask(60, 1_000), Ok(60));
        assert_eq!(ask(40, 2_000), Ok(100));
        assert_eq!(ask(1, 30_000), Err((429, -1003, Some(30))));
        assert_eq!(ask(1, 30_000), Err((429, -1003, Some(30))));
        assert_eq!(ask(1, 30_000), Err((418, -1003, Some(120))));
        assert_eq!(ask(1, 90_000), Err((418, -1003, Some(60))));
        assert_eq!(ask(1, 150_000), Ok(1));
    }

    #[test]
    fn orders_are_counted_per_account_and_window() {
        let mut counters = Counters::new(Limits { orders_per_10s: 2, orders_per_day: 3, ..Limits::default() });
        counters.count_orders(0, 1, 1_000);
        counters.count_orders(0, 1, 2_000);
        assert_eq!(counters.may_order(0, 3_000).unwrap_err().status, 429);
        assert!(counters.may_order(1, 3_000).is_ok());
        assert!(counters.may_order(0, 10_000).is_ok());
        assert_eq!(counters.count_orders(0, 1, 10_000).in_10s, 1);
        assert!(counters.may_order(0, 11_000).unwrap_err().text.contains("3 orders per 1 DAY"));
    }
}
