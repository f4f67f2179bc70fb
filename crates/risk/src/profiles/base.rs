//! The limits that every portfolio has had from the first; the gate's own guards ask most of them.

use super::{LimitScope, SECOND, Tighter, Unit};
use crate::{Guard, Limit};

pub(super) const MAX_ORDER: [Option<i64>; 3] = [Some(20_000), Some(100), Some(200)];
pub(super) const MAX_POSITION: [Option<i64>; 3] = [Some(10_500), Some(500), Some(1_000)];
pub(super) const DAILY_LOSS: [Option<i64>; 3] = [Some(500), Some(300), Some(300)];
pub(super) const DRAWDOWN: [Option<i64>; 3] = [Some(1_000); 3];
pub(super) const STALE_AFTER: [Option<i64>; 3] = [Some(15 * SECOND), Some(2 * SECOND), Some(2 * SECOND)];

/// A table value as the unsigned number that a cap keeps.
#[expect(clippy::cast_possible_truncation, reason = "compared just before")]
pub(super) const fn bps(value: Option<i64>) -> Option<u32> {
    match value {
        Some(value) if value >= 0 && value <= u32::MAX as i64 => Some(value.unsigned_abs() as u32),
        _ => None,
    }
}

const fn wide(value: Option<u32>) -> Option<i64> {
    match value {
        Some(value) => Some(value as i64),
        None => None,
    }
}

/// Keeps what a person set in 32 bits; false if it does not fit.
fn narrow(place: &mut Option<u32>, value: Option<i64>) -> bool {
    value.map(u32::try_from).transpose().map(|value| *place = value).is_ok()
}

pub(super) const fn keep(place: &mut Option<i64>, value: Option<i64>) -> bool {
    *place = value;
    true
}

macro_rules! base {
    (
        $name:literal, $guard:expr, $bounds:literal, $unit:ident, $tighter:ident, $values:expr, $reasons:expr,
        $get:expr, $set:expr
    ) => {
        Limit {
            name: $name,
            bounds: $bounds,
            unit: Unit::$unit,
            tighter: Tighter::$tighter,
            scope: LimitScope::Portfolio,
            guard: $guard,
            values: $values,
            reasons: $reasons,
            is_control: false,
            get: $get,
            set: $set,
        }
    };
}

const SPOT: &str = "a spot account pays in full";

/// The six limits that every portfolio has had from the first; the gate's own guards ask them.
pub(super) const BASE: [Limit; 8] = [
    base!(
        "max_order",
        None,
        "notional of one order, part of equity",
        Percent,
        Lower,
        MAX_ORDER,
        [
            "an order may turn a whole position round",
            "one wrong order costs at most a hundredth of the account",
            "two hundredths, once the strategy is known"
        ],
        |set| wide(set.limits.max_order.equity_bps),
        |set, value| narrow(&mut set.limits.max_order.equity_bps, value)
    ),
    base!(
        "max_order_amount",
        None,
        "notional of one order, in base currency",
        Amount,
        Lower,
        [None; 3],
        ["the part of equity holds"; 3],
        |set| set.limits.max_order.amount,
        |set, value| keep(&mut set.limits.max_order.amount, value)
    ),
    base!(
        "max_position",
        None,
        "notional held of one instrument with its open orders, part of equity",
        Percent,
        Lower,
        MAX_POSITION,
        [
            "all of the play money, and five hundredths for prices that move",
            "a total loss of one instrument costs a twentieth",
            "a total loss of one instrument costs a tenth"
        ],
        |set| wide(set.limits.max_position.equity_bps),
        |set, value| narrow(&mut set.limits.max_position.equity_bps, value)
    ),
    base!(
        "max_position_amount",
        None,
        "notional held of one instrument with its open orders, in base currency",
        Amount,
        Lower,
        [None; 3],
        ["the part of equity holds"; 3],
        |set| set.limits.max_position.amount,
        |set, value| keep(&mut set.limits.max_position.amount, value)
    ),
    base!(
        "daily_loss",
        Some(Guard::DailyLoss),
        "loss since UTC midnight; from here on only reducing orders pass",
        Percent,
        Lower,
        DAILY_LOSS,
        [
            "the usual figure of trading bots",
            "tighter than the usual 5 %: a bad day is also when data and venues fail",
            "as conservative: a larger account is no reason for a worse day"
        ],
        |set| wide(set.limits.daily_loss_bps),
        |set, value| narrow(&mut set.limits.daily_loss_bps, value)
    ),
    base!(
        "drawdown",
        Some(Guard::Drawdown),
        "fall from the highest equity; from here on only reducing orders pass",
        Percent,
        Lower,
        DRAWDOWN,
        ["a tenth lost needs 11 % to come back; beyond it a person should look"; 3],
        |set| wide(set.limits.drawdown_bps),
        |set, value| narrow(&mut set.limits.drawdown_bps, value)
    ),
    base!(
        "stale_after",
        None,
        "age of the mark from which orders are refused",
        Duration,
        Lower,
        STALE_AFTER,
        [
            "the simulated market is quiet at times",
            "a liquid market moves several times a second: two seconds of silence are a fault",
            "as conservative: it is about the feed, not about the account"
        ],
        |set| set.limits.stale_after_nanos,
        |set, value| keep(&mut set.limits.stale_after_nanos, value)
    ),
    base!(
        "borrow",
        None,
        "whether cash may go below zero",
        Flag,
        Absent,
        [None; 3],
        [SPOT; 3],
        |set| set.limits.borrow.then_some(1),
        |set, value| {
            set.limits.borrow = value == Some(1);
            true
        }
    ),
];
