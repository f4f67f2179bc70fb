//! Limits by the names that changes at run time call them by.

use tradewind_gate::{Cap, Limits};
use tradewind_governance::Tighter;
use tradewind_risk::{AccountLimits, LIMITS, Limit, LimitScope, LimitSet};

/// Every number of `limits` by name, with the way in which it gets tighter; `None` is no limit.
#[must_use]
pub fn limit_values(limits: &Limits) -> Vec<(&'static str, Tighter, Option<i64>)> {
    let cap = |cap: &Cap| (cap.equity_bps.map(i64::from), cap.amount);
    let ((order_bps, order), (position_bps, position)) = (cap(&limits.max_order), cap(&limits.max_position));
    let rows = [
        ("max_order.equity_bps", order_bps),
        ("max_order.amount", order),
        ("max_position.equity_bps", position_bps),
        ("max_position.amount", position),
        ("daily_loss_bps", limits.daily_loss_bps.map(i64::from)),
        ("drawdown_bps", limits.drawdown_bps.map(i64::from)),
        ("stale_after_nanos", limits.stale_after_nanos),
        ("borrow", Some(i64::from(limits.borrow))),
    ];
    let base = rows.into_iter().map(|(name, value)| (name, Tighter::Lower, value));
    let set = LimitSet { limits: *limits, account: AccountLimits::NONE };
    base.chain(controls().map(|limit| (limit.name, way(limit), limit.get(&set)))).collect()
}

/// Every number of the account's limits by name, with the way in which it gets tighter; `None` is no limit.
#[must_use]
pub fn account_limit_values(account: &AccountLimits) -> Vec<(&'static str, Tighter, Option<i64>)> {
    let set = LimitSet { limits: Limits::OPEN, account: account.clone() };
    let of_account = LIMITS.iter().filter(|limit| limit.scope == LimitScope::Account);
    of_account.map(|limit| (limit.name, way(limit), limit.get(&set))).collect()
}

const fn way(limit: &Limit) -> Tighter {
    match limit.tighter {
        tradewind_risk::Tighter::Lower | tradewind_risk::Tighter::Absent => Tighter::Lower,
        tradewind_risk::Tighter::Higher => Tighter::Higher,
        tradewind_risk::Tighter::Same => Tighter::Same,
    }
}

/// Sets one number of the account's limits by name; `false` if there is no such number or it is negative.
pub fn set_account_limit(account: &mut AccountLimits, name: &str, value: Option<i64>) -> bool {
    let limit = Limit::find(name).filter(|limit| limit.scope == LimitScope::Account);
    let Some(limit) = limit.filter(|_| value.is_none_or(|value| value >= 0)) else { return false };
    let mut set = LimitSet { limits: Limits::OPEN, account: std::mem::take(account) };
    let fits = limit.set(&mut set, value).is_ok();
    *account = set.account;
    fits
}

/// The limits of a portfolio beyond the first: they go by their names in the table of limits.
fn controls() -> impl Iterator<Item = &'static Limit> {
    LIMITS.iter().filter(|limit| limit.scope == LimitScope::Portfolio && limit.is_control())
}

/// Numbers that fit 32 bits, as basis points do.
const SMALL: [&str; 5] =
    ["max_order.equity_bps", "max_position.equity_bps", "daily_loss_bps", "drawdown_bps", "borrow"];

/// Sets one number of `limits` by name; `false` if there is no such number or the value does not fit it.
pub fn set_limit(limits: &mut Limits, name: &str, value: Option<i64>) -> bool {
    let small = match value.map(u32::try_from).transpose() {
        Ok(small) => small,
        Err(_) if SMALL.contains(&name) => return false,
        Err(_) => return set_large(limits, name, value),
    };
    match name {
        "max_order.equity_bps" => limits.max_order.equity_bps = small,
        "max_position.equity_bps" => limits.max_position.equity_bps = small,
        "daily_loss_bps" => limits.daily_loss_bps = small,
        "drawdown_bps" => limits.drawdown_bps = small,
        "borrow" => limits.borrow = small == Some(1),
        _ => return set_large(limits, name, value),
    }
    true
}

fn set_large(limits: &mut Limits, name: &str, value: Option<i64>) -> bool {
    match name {
        "max_order.amount" => limits.max_order.amount = value,
        "max_position.amount" => limits.max_position.amount = value,
        "stale_after_nanos" => limits.stale_after_nanos = value,
        _ => return set_control(limits, name, value),
    }
    true
}

fn set_control(limits: &mut Limits, name: &str, value: Option<i64>) -> bool {
    let Some(limit) = controls().find(|limit| limit.name == name) else { return false };
    if value.is_some_and(|value| value < 0) {
        return false;
    }
    if limits.controls.is_some() || value.is_some() {
        let mut set = LimitSet { limits: *limits, account: AccountLimits::NONE };
        if limit.set(&mut set, value).is_err() {
            return false;
        }
        *limits = set.limits;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_account_is_read_and_set_by_its_name() {
        let mut account = AccountLimits::NONE;
        let untouched = account_limit_values(&AccountLimits::NONE);
        for (place, (name, _, unset)) in untouched.iter().enumerate() {
            let value = i64::try_from(place).unwrap() + 7;
            assert_eq!(*unset, Limit::find(name).unwrap().unit.unset(), "{name}");
            assert!(set_account_limit(&mut account, name, Some(value)), "{name}");
            let rows = account_limit_values(&account);
            let set = rows.iter().zip(&untouched).filter(|(now, before)| now != before).count();
            assert_eq!(set, place + 1, "{name} sets one number");
            assert_eq!(rows[place].2, Some(value));
        }
        assert!(!set_account_limit(&mut account, "leverage", Some(1)), "a portfolio's");
        assert!(!set_account_limit(&mut account, "gross", Some(-1)));
    }

    #[test]
    fn every_number_of_the_limits_is_read_and_set_by_its_name() {
        let mut limits = Limits::CONSERVATIVE;
        for (place, (name, ..)) in limit_values(&limits).into_iter().enumerate() {
            let value = if name == "borrow" { 1 } else { i64::try_from(place).unwrap() + 7 };
            assert!(set_limit(&mut limits, name, Some(value)), "{name}");
            let now = limit_values(&limits).into_iter().find(|row| row.0 == name).unwrap();
            assert_eq!(now.2, Some(value));
            let others = limit_values(&Limits::CONSERVATIVE).into_iter().skip(place + 1);
            assert!(others.zip(limit_values(&limits).into_iter().skip(place + 1)).all(|(a, b)| a == b), "{name}");
        }
        assert!(!set_limit(&mut limits, "no such", Some(1)));
        assert!(!set_limit(&mut limits, "daily_loss_bps", Some(i64::MAX)));
        assert!(!set_limit(&mut limits, "daily_loss_bps", Some(-1)));
        assert!(!set_limit(&mut limits, "leverage", Some(-1)));
        let mut plain = Limits::RESEARCH;
        assert!(set_limit(&mut plain, "leverage", None) && plain == Limits::RESEARCH, "nothing is made of nothing");
    }
}
