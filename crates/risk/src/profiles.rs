//! The one table of limits: name, unit, the value of every shipped profile, and the reason for each value.

use crate::{Cap, Guard, Limits, LimitsError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tradewind_domain::{LEDGER_DECIMALS, format_decimal, parse_decimal};

/// A shipped set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Play money on the local exchange: everything may be invested, runaways and losses stop all the same.
    Demo,
    /// The first weeks of real money.
    #[default]
    Conservative,
    /// Real money, after the conservative profile was watched for a while.
    Moderate,
}

impl Profile {
    /// Every profile, in the order of the columns of [`LIMITS`].
    pub const ALL: [Self; 3] = [Self::Demo, Self::Conservative, Self::Moderate];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Conservative => "conservative",
            Self::Moderate => "moderate",
        }
    }

    /// What a portfolio may do.
    #[must_use]
    pub const fn limits(self) -> Limits {
        Limits {
            max_order: Cap { equity_bps: bps(MAX_ORDER[self as usize]), amount: None },
            max_position: Cap { equity_bps: bps(MAX_POSITION[self as usize]), amount: None },
            daily_loss_bps: bps(DAILY_LOSS[self as usize]),
            drawdown_bps: bps(DRAWDOWN[self as usize]),
            stale_after_nanos: STALE_AFTER[self as usize],
            borrow: false,
            controls: Some(Controls::of(self)),
        }
    }

    /// What the whole account may do; nothing is said about sectors.
    #[must_use]
    pub const fn account(self) -> AccountLimits {
        AccountLimits { caps: AccountCaps::of(self), sectors: BTreeMap::new() }
    }
}

/// The limits of a portfolio and of the account that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSet {
    /// The portfolio's.
    pub limits: Limits,
    /// The account's.
    pub account: AccountLimits,
}

impl LimitSet {
    /// The limits of a shipped profile.
    #[must_use]
    pub const fn of(profile: Profile) -> Self {
        Self { limits: profile.limits(), account: profile.account() }
    }

    const fn controls(&self) -> Option<Controls> {
        self.limits.controls
    }
    fn controls_mut(&mut self) -> &mut Controls {
        self.limits.controls.get_or_insert_default()
    }
    const fn caps(&self) -> Option<AccountCaps> {
        Some(self.account.caps)
    }
    const fn caps_mut(&mut self) -> &mut AccountCaps {
        &mut self.account.caps
    }
}

impl AccountLimits {
    /// Nothing is limited.
    pub const NONE: Self = Self { caps: AccountCaps::NONE, sectors: BTreeMap::new() };
}

/// What the whole account, all its portfolios together, may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLimits {
    /// The numbers.
    #[serde(flatten)]
    pub caps: AccountCaps,
    /// Which sector an asset belongs to, by the asset's code; one that is not named belongs to none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sectors: BTreeMap<String, String>,
}

/// How a limit's number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Basis points, written as `2.5%`.
    Percent,
    /// Ten-thousandths, written as `1.5x`.
    Multiple,
    /// A number of things.
    Count,
    /// Nanoseconds, written as `2s` or `500ms`.
    Duration,
    /// Ledger units of the base currency, written as `1000`.
    Amount,
    /// 1 is on, written as `yes`; none is off.
    Flag,
}

impl Unit {
    /// A value as a person reads it.
    #[must_use]
    pub fn text(self, value: i64) -> String {
        let decimal = |decimals| format_decimal(value.into(), decimals);
        match self {
            Self::Percent => format!("{} %", decimal(2)),
            Self::Multiple => format!("{}x", decimal(4)),
            Self::Count => value.to_string(),
            Self::Duration => format!("{} s", decimal(9)),
            Self::Amount => decimal(LEDGER_DECIMALS),
            Self::Flag => if value == 1 { "yes" } else { "no" }.to_owned(),
        }
    }

    /// Reads what a person wrote: `2.5%`, `1.5x`, `10`, `2s`, `500ms`, `1000.50`, `yes`; `None` for anything else.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<i64> {
        let text = text.trim();
        let decimal = |text: &str, decimals| parse_decimal(text.trim(), decimals).ok();
        match self {
            Self::Percent => decimal(text.strip_suffix('%')?, 2),
            Self::Multiple => decimal(text.strip_suffix('x')?, 4),
            Self::Count => text.parse().ok(),
            Self::Duration => match text.strip_suffix("ms") {
                Some(millis) => decimal(millis, 6),
                None => match text.strip_suffix('s') {
                    Some(seconds) => decimal(seconds, 9),
                    None => decimal(text.strip_suffix('m')?, 9)?.checked_mul(60),
                },
            },
            Self::Amount => decimal(text, LEDGER_DECIMALS),
            Self::Flag => match text {
                "yes" => Some(1),
                "no" => Some(0),
                _ => None,
            },
        }
    }
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitScope {
    /// Each portfolio's own.
    Portfolio,
    /// The account's, all portfolios together.
    Account,
}

/// Which way a limit gets tighter: whatever allows more needs a second person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tighter {
    /// A cap: less of it allows less, and without it most is allowed.
    Lower,
    /// A floor, as of a plan's confidence or of a buffer: more of it allows less, and without it most is allowed.
    Higher,
    /// A permission: it allows when it is there.
    Absent,
}

/// One line of the table of limits. Two lines are equal if they have one name.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Its name in settings and commands.
    pub name: &'static str,
    /// What it bounds.
    pub bounds: &'static str,
    /// How its number is written.
    pub unit: Unit,
    /// Which way it gets tighter.
    pub tighter: Tighter,
    /// Whose it is.
    pub scope: LimitScope,
    /// Which guard of this crate asks it; `None` where a guard of the gate does.
    pub guard: Option<Guard>,
    /// The value of each of [`Profile::ALL`]; `None` is no limit.
    pub values: [Option<i64>; 3],
    /// Why each value is what it is.
    pub reasons: [&'static str; 3],
    is_control: bool,
    get: fn(&LimitSet) -> Option<i64>,
    set: fn(&mut LimitSet, Option<i64>) -> bool,
}

impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Limit {}

impl Limit {
    /// The limit of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        LIMITS.iter().find(|limit| limit.name == name)
    }
    /// Its value in `set`.
    #[must_use]
    pub fn get(&self, set: &LimitSet) -> Option<i64> {
        (self.get)(set)
    }
    /// Sets it in `set`; `None` takes it away.
    ///
    /// # Errors
    /// [`LimitsError`] with the value if that is negative or past 32 bits where those are all that is kept. Whether it
    /// means something is for `validate` to say.
    pub fn set(&self, set: &mut LimitSet, value: Option<i64>) -> Result<(), LimitsError> {
        if (self.set)(set, value) { Ok(()) } else { Err(LimitsError { name: self.name, value: self.text(value) }) }
    }
    /// Whether it is one of [`Controls`] or of [`AccountCaps`], rather than of the first limits of [`Limits`].
    #[must_use]
    pub const fn is_control(&self) -> bool {
        self.is_control
    }
    /// Whether `new` allows more than `old`.
    #[must_use]
    pub fn loosens(&self, old: Option<i64>, new: Option<i64>) -> bool {
        match (self.tighter, old, new) {
            (Tighter::Absent, old, new) => new > old,
            (Tighter::Lower | Tighter::Higher, None, _) => false,
            (Tighter::Lower | Tighter::Higher, Some(_), None) => true,
            (Tighter::Lower, Some(old), Some(new)) => new > old,
            (Tighter::Higher, Some(old), Some(new)) => new < old,
        }
    }
    /// Its value in words.
    #[must_use]
    pub fn text(&self, value: Option<i64>) -> String {
        value.map_or_else(|| "none".to_owned(), |value| self.unit.text(value))
    }
}

const SECOND: i64 = 1_000_000_000;
const UNITS: i64 = 100_000_000;

const MAX_ORDER: [Option<i64>; 3] = [Some(20_000), Some(100), Some(200)];
const MAX_POSITION: [Option<i64>; 3] = [Some(10_500), Some(500), Some(1_000)];
const DAILY_LOSS: [Option<i64>; 3] = [Some(500), Some(300), Some(300)];
const DRAWDOWN: [Option<i64>; 3] = [Some(1_000); 3];
const STALE_AFTER: [Option<i64>; 3] = [Some(15 * SECOND), Some(2 * SECOND), Some(2 * SECOND)];

/// A table value as the unsigned number that a cap keeps.
#[expect(clippy::cast_possible_truncation, reason = "compared just before")]
const fn bps(value: Option<i64>) -> Option<u32> {
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

const fn keep(place: &mut Option<i64>, value: Option<i64>) -> bool {
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
const BASE: [Limit; 8] = [
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

/// Declares a set of limits once: its struct, its value in every profile, its part of the table, its validation.
macro_rules! limit_set {
    (
        $(#[$meta:meta])* $name:ident $table:ident $scope:ident $count:literal ($read:expr, $write:expr)
        $($field:ident $key:literal $unit:ident $tighter:ident $guard:ident $bounds:literal
            [$demo:expr, $conservative:expr, $moderate:expr] $reasons:expr;)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub struct $name {
            $(
                #[doc = concat!("`", $key, "`: ", $bounds, ".")]
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<i64>,
            )*
        }

        impl $name {
            /// No limit at all.
            pub(crate) const NONE: Self = Self { $($field: None),* };

            /// The values of a shipped profile.
            #[must_use]
            pub const fn of(profile: Profile) -> Self {
                match profile {
                    Profile::Demo => Self { $($field: $demo),* },
                    Profile::Conservative => Self { $($field: $conservative),* },
                    Profile::Moderate => Self { $($field: $moderate),* },
                }
            }

            /// Checks that each number is positive.
            ///
            /// # Errors
            /// [`LimitsError`] names the first that is not.
            pub fn validate(&self) -> Result<(), LimitsError> {
                $(
                    if self.$field.is_some_and(|value| value <= 0) {
                        let value = Unit::$unit.text(self.$field.unwrap_or(0));
                        return Err(LimitsError { name: $key, value });
                    }
                )*
                Ok(())
            }
        }

        const $table: [Limit; $count] = [$(
            Limit {
                name: $key,
                bounds: $bounds,
                unit: Unit::$unit,
                tighter: Tighter::$tighter,
                scope: LimitScope::$scope,
                guard: Some(Guard::$guard),
                values: [$demo, $conservative, $moderate],
                reasons: $reasons,
                is_control: true,
                get: |set| ($read)(set).and_then(|it: $name| it.$field),
                set: |set, value| keep(&mut ($write)(set).$field, value),
            },
        )*];
    };
}

const TYPING: &str = "a price so far from the market is a typing error more often than a plan";
const DUPLICATE: &str = "the same order within two seconds is a loop or a double click";
const PACE: &str = "well below the order limits of the venues we know";
const OWN: &str = "the strategy's own decision on simulated data";
const RUNAWAY: &str = "a strategy that does this has run away";
const SIMULATED: &str = "the simulated market's volatility is made up: a figure from it would mean nothing";
const ONE_VENUE: &str = "the demo knows one market and one strategy";
const BOOK: &str = "what rests in the book is what an order will meet";
const STOPLESS: &str = "a minute is enough to place one, and too short for most markets to run far";
const NO_MARGIN: &str = "its market is paid in full";
const BUFFER: &str = "a fifth is the usual margin buffer: time for a person to act before the engine does";
const HEALTH: &str = "0.85 of `liquidation_buffer`: what an entry had to keep is spent by more than a seventh";
const TWICE: &str = "the venue's leverage is set to the two times that `leverage` allows";
const BROKEN: &str = "orders that fail in a row mean that something between us and the venue is broken";

limit_set! {
    /// Everything further that a portfolio which meets a venue is held to. `None` is no limit.
    Controls CONTROLS Portfolio 31 (LimitSet::controls, LimitSet::controls_mut)
    collar_bps "collar" Percent Lower Collar "distance of a limit price from the mark"
        [Some(5_000), Some(500), Some(500)] ["orders that rest far away are how one learns what they do", TYPING, TYPING];
    market_collar_bps "market_collar" Percent Lower MarketCollar "distance from the mark of the price that a market order would meet"
        [Some(100), Some(100), Some(100)] ["a market order takes what the book gives, so the book must be near the market"; 3];
    duplicate_window_nanos "duplicate_window" Duration Higher Duplicate "time in which the same order may not be sent twice"
        [None, Some(2 * SECOND), Some(2 * SECOND)] ["people try the same thing twice", DUPLICATE, DUPLICATE];
    orders_per_second "orders_per_second" Count Lower OrderRate "orders of one strategy within a second"
        [Some(20), Some(5), Some(5)] ["people and scripts share it", "no shipped strategy needs more", "no shipped strategy needs more"];
    repeated_fills "repeated_fills" Count Lower RepeatedFills "orders of one side of one instrument that fill within a minute; then only reducing orders of it pass"
        [Some(50), Some(10), Some(10)] ["a minute of the simulated market is short", RUNAWAY, RUNAWAY];
    spread_bps "spread" Percent Lower Spread "spread of the book that an order would take from"
        [Some(50), Some(50), Some(50)] ["half a percent lost at once is more than most signals are worth"; 3];
    impact_bps "impact" Percent Lower Impact "modelled price impact of an order that takes from the book"
        [Some(50), Some(50), Some(50)] ["beyond half a percent an order should be sliced"; 3];
    impact_by_book "impact_by_book" Flag Higher Impact "whether the impact is modelled from ten levels of the book, or from the quote's size where those are not known"
        [None, Some(1), Some(1)] ["the simulated market's book is made up", BOOK, BOOK];
    reversal "no_reversal" Flag Higher Reversal "whether an order may not turn a position over at once"
        [None, Some(1), None] [OWN, "closing and opening are two decisions", "a known strategy may turn over"];
    open_positions "open_positions" Count Lower OpenPositions "instruments held or about to be"
        [Some(10), Some(3), Some(10)] ["as moderate", "few enough for a person to follow each", "ten are spread enough"];
    leverage "leverage" Multiple Lower Leverage "gross notional over equity"
        [Some(30_000), Some(20_000), Some(30_000)] ["as moderate", "half of the equity's fall is survived", "the usual default for derivatives"];
    liquidation_buffer_bps "liquidation_buffer" Percent Higher Liquidation "distance from the mark to liquidation after the order"
        [Some(1_000), Some(1_500), Some(1_000)] ["a tenth is a bad day", "crypto has fallen 15 % within a day", "a tenth is a bad day"];
    maintenance_bps "maintenance_margin" Percent Higher Liquidation "maintenance margin rate that liquidation is reckoned with where the venue's brackets are not known"
        [Some(250), Some(250), Some(250)] ["above the first brackets of large perpetuals, so liquidation is never nearer than reckoned there"; 3];
    liquidation_alert_bps "liquidation_alert" Percent Higher Caution "distance from the mark to liquidation below which a person is told, and order sizes are halved"
        [None, Some(2_000), Some(2_000)] [NO_MARGIN, BUFFER, BUFFER];
    deleverage_bps "deleverage" Percent Higher NearLiquidation "distance from the mark to liquidation below which only reducing orders pass, and the engine makes the position smaller until it keeps `liquidation_buffer`"
        [None, Some(1_275), Some(850)] [NO_MARGIN, HEALTH, HEALTH];
    margin_used_bps "margin_used" Percent Lower MarginUsed "initial margin of contracts and their open orders after the order, part of equity"
        [Some(9_500), Some(9_500), Some(9_500)] ["a twentieth stays free for fees, funding and a price that moves while the order travels"; 3];
    initial_bps "initial_margin" Percent Higher MarginUsed "initial margin rate that the margin used is reckoned with; a venue's bracket that wants more holds"
        [Some(3_334), Some(5_000), Some(3_334)] ["as moderate", TWICE, "the venue's leverage is set to the three times that `leverage` allows"];
    correlation_bps "correlation" Percent Lower Correlation "correlation of a new position with one held the same way"
        [None, Some(8_000), Some(8_000)] [SIMULATED, "above 0.8 two positions are one", "above 0.8 two positions are one"];
    weekly_loss_bps "weekly_loss" Percent Lower WeeklyLoss "loss since Monday, UTC; from here on only reducing orders pass"
        [Some(1_000), Some(1_000), Some(1_000)] ["three bad days in a week are no accident"; 3];
    drawdown_halt_bps "drawdown_halt" Percent Lower DrawdownHalt "fall from the highest equity that halts"
        [Some(2_000), Some(2_000), Some(2_000)] ["twice what stops entries: the exits did not help"; 3];
    consecutive_losses "consecutive_losses" Count Lower ConsecutiveLosses "losing trades in a row; then only reducing orders pass"
        [None, Some(10), Some(10)] ["a streak in a made-up market says nothing", "with even odds this happens once in a thousand runs", "with even odds this happens once in a thousand runs"];
    failed_trades "failed_trades" Count Lower FailedTrades "orders that the venue rejects within an hour; then only reducing orders pass"
        [Some(5), Some(5), Some(5)] ["a strategy that is rejected so often does not know the venue's rules"; 3];
    order_failures "order_failures" Count Lower OrderFailures "orders that fail in a row; then only reducing orders pass"
        [Some(5), Some(5), Some(5)] [BROKEN; 3];
    confidence_bps "confidence" Percent Higher Confidence "confidence that a plan must have"
        [Some(6_000), Some(6_000), Some(6_000)] ["little above a coin is no reason to pay fees"; 3];
    confidence_range_bps "confidence_range" Percent Higher Regime "confidence that a plan must have in a market between bounds, where it says so"
        [Some(6_500), Some(6_500), Some(6_500)] ["between bounds a signal is more often noise than in a trend"; 3];
    confidence_counter_bps "confidence_counter" Percent Higher Regime "confidence that a plan must have against the trend or in a wild market, where it says so"
        [Some(7_000), Some(7_000), Some(7_000)] ["who stands against the market has it to prove"; 3];
    stop_min_bps "stop_min" Percent Higher StopDistance "least distance of a plan's stop"
        [Some(50), Some(50), Some(50)] ["a nearer stop is hit by noise"; 3];
    stop_max_bps "stop_max" Percent Lower StopDistance "greatest distance of a plan's stop"
        [Some(500), Some(500), Some(500)] ["a farther stop protects nothing"; 3];
    reward_risk "reward_risk" Multiple Higher RewardRisk "what a plan may gain over what it may lose"
        [Some(15_000), Some(15_000), Some(15_000)] ["below it two wins in five lose money"; 3];
    order_risk_bps "order_risk" Percent Lower OrderRisk "what a plan loses at its stop, part of equity"
        [Some(200), Some(200), Some(200)] ["fifty losses in a row before the account is gone"; 3];
    unprotected_nanos "unprotected" Duration Lower Unprotected "time that a position may stand without a stop or an exemption; then only reducing orders of it pass"
        [None, Some(60 * SECOND), Some(60 * SECOND)] ["its strategies say no stops", STOPLESS, STOPLESS];
}

limit_set! {
    /// The numbers of [`AccountLimits`]. `None` is no limit; parts are of the account's equity.
    AccountCaps ACCOUNT Account 19 (LimitSet::caps, LimitSet::caps_mut)
    hard_order_amount "hard_order_amount" Amount Lower HardCap "notional of any order of anybody, in base currency"
        [None, Some(1_000 * UNITS), Some(1_000 * UNITS)] ["play money", "until two people raise it", "until two people raise it"];
    asset_bps "asset" Percent Lower Asset "exposure to one asset over all its instruments"
        [None, Some(2_000), Some(3_000)] [ONE_VENUE, "a fifth may go to nothing", "three tenths, the usual cap of one symbol"];
    sector_bps "sector" Percent Lower Sector "exposure to one sector, as `sectors` names them"
        [None, Some(4_000), Some(5_000)] [ONE_VENUE, "what falls together counts together", "what falls together counts together"];
    strategy_bps "strategy" Percent Lower Strategy "exposure of one portfolio, part of the account's equity"
        [None, Some(5_000), Some(6_000)] [ONE_VENUE, "no strategy may own the account", "no strategy may own the account"];
    net_bps "net" Percent Lower Net "exposure after longs and shorts are set off"
        [None, Some(6_000), Some(7_000)] [ONE_VENUE, "the market's own direction is no edge", "the market's own direction is no edge"];
    venue_bps "venue" Percent Lower Venue "exposure at one venue"
        [None, Some(7_000), Some(8_000)] [ONE_VENUE, "an exchange can close overnight", "an exchange can close overnight"];
    class_bps "class" Percent Lower Class "exposure to one class: spot, perpetual, future, option or equity"
        [None, Some(7_500), Some(8_500)] [ONE_VENUE, "rules of a whole class change at once", "rules of a whole class change at once"];
    gross_bps "gross" Percent Lower Gross "exposure, longs and shorts added"
        [Some(10_500), Some(8_000), Some(9_000)] ["all of it, and five hundredths for prices that move", "a fifth stays cash", "a tenth stays cash"];
    positions "account_positions" Count Lower AccountPositions "instruments held or about to be, all portfolios together"
        [Some(20), Some(10), Some(20)] ["as moderate", "as many as a person can follow", "two strategies' worth"];
    open_orders_symbol "open_orders_symbol" Count Lower OpenOrdersSymbol "open orders of one instrument"
        [Some(50), Some(50), Some(50)] ["more are a loop"; 3];
    open_orders "open_orders" Count Lower OpenOrders "open orders"
        [Some(200), Some(200), Some(200)] ["they must all be cancelled within a second"; 3];
    orders_per_second "account_orders_per_second" Count Lower AccountOrderRate "orders of all portfolios within a second"
        [Some(50), Some(20), Some(20)] ["people and scripts share it", PACE, PACE];
    self_match "no_self_match" Flag Higher SelfMatch "whether an order that would meet one of our own is refused"
        [Some(1), Some(1), Some(1)] ["trading with oneself costs two fees and breaks most venues' rules"; 3];
    api_errors "api_errors" Count Lower ApiErrors "errors of the venue's interface within a minute; then only reducing orders pass"
        [Some(3), Some(3), Some(3)] ["a venue in trouble fails more than once"; 3];
    volatility_caution_bps "volatility_caution" Percent Lower Caution "volatility a day, from 20 minutes, that halves order sizes"
        [None, Some(1_000), Some(1_000)] [SIMULATED, "three times a usual day of bitcoin", "three times a usual day of bitcoin"];
    volatility_reduce_bps "volatility_reduce" Percent Lower Volatility "volatility a day, from 20 minutes, that stops entries"
        [None, Some(1_500), Some(1_500)] [SIMULATED, "five times a usual day of bitcoin", "five times a usual day of bitcoin"];
    volatility_halt_bps "volatility_halt" Percent Lower Volatility "volatility a day, from 20 minutes, that halts the instrument"
        [None, Some(2_000), Some(2_000)] [SIMULATED, "stops fill far from where they stand", "stops fill far from where they stand"];
    var_bps "value_at_risk" Percent Lower ValueAtRisk "loss of a day that 19 of 20 days stay below, after the order"
        [None, Some(200), Some(400)] [SIMULATED, "a bad day stays within the daily loss limit", "twice conservative"];
    cvar_bps "expected_shortfall" Percent Lower ExpectedShortfall "mean loss of the worst day in 20, after the order"
        [None, Some(300), Some(600)] [SIMULATED, "the worst days end at the daily loss limit", "twice conservative"];
}

/// Every limit, in the order in which people read them: the first eight, the other controls, the account's.
pub static LIMITS: [Limit; 58] = {
    let mut all = [BASE[0]; 58];
    let mut at = 0;
    while at < 58 {
        all[at] = if at < 8 {
            BASE[at]
        } else if at < 39 {
            CONTROLS[at - 8]
        } else {
            ACCOUNT[at - 39]
        };
        at += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_what_the_table_says_and_valid() {
        for (place, profile) in Profile::ALL.into_iter().enumerate() {
            let mut set = LimitSet::of(profile);
            for limit in &LIMITS {
                assert_eq!(limit.get(&set), limit.values[place], "{} of {}", limit.name, profile.name());
                assert!(!limit.reasons[place].is_empty() && !limit.bounds.is_empty(), "{}", limit.name);
            }
            assert_eq!((set.limits.validate(), set.account.caps.validate()), (Ok(()), Ok(())));
            for limit in &LIMITS {
                limit.set(&mut set, Some(1)).unwrap();
                assert_eq!(limit.get(&set), Some(1), "{} can be set", limit.name);
                limit.set(&mut set, None).unwrap();
                assert_eq!(limit.get(&set), None, "{} can be taken away", limit.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_conservative_is_nowhere_looser_than_moderate() {
        for (place, limit) in LIMITS.iter().enumerate() {
            assert!(LIMITS[..place].iter().all(|other| other.name != limit.name), "{}", limit.name);
            assert!(!limit.loosens(limit.values[2], limit.values[1]), "{}", limit.name);
            assert!(Limit::find(limit.name).is_some());
        }
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let cases = [
            (Unit::Percent, "2.5%", Some(250)),
            (Unit::Percent, "2.5", None),
            (Unit::Multiple, "1.5x", Some(15_000)),
            (Unit::Count, "10", Some(10)),
            (Unit::Duration, "500ms", Some(500_000_000)),
            (Unit::Duration, "2 s", Some(2_000_000_000)),
            (Unit::Duration, "1m", Some(60_000_000_000)),
            (Unit::Duration, "2 parsecs", None),
            (Unit::Amount, "1000.50", Some(100_050_000_000)),
            (Unit::Amount, "1e3", None),
            (Unit::Flag, "yes", Some(1)),
            (Unit::Flag, "maybe", None),
        ];
        for (unit, text, want) in cases {
            assert_eq!(unit.parse(text), want, "{text}");
        }
        for limit in &LIMITS {
            for value in limit.values.into_iter().flatten() {
                assert_eq!(limit.unit.parse(&limit.unit.text(value)), Some(value), "{}", limit.name);
            }
        }
    }

    #[test]
    fn a_limit_below_one_is_named() {
        let mut set = LimitSet::of(Profile::Moderate);
        Limit::find("leverage").unwrap().set(&mut set, Some(0)).unwrap();
        assert_eq!(set.limits.validate().unwrap_err().to_string(), "limit leverage cannot be 0x");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_changes_nothing() {
        for (name, value, text) in [
            ("max_order", Some(4_294_967_296), "limit max_order cannot be 42949672.96 %"),
            ("daily_loss", Some(-1), "limit daily_loss cannot be -0.01 %"),
        ] {
            let mut set = LimitSet::of(Profile::Moderate);
            let error = Limit::find(name).unwrap().set(&mut set, value).unwrap_err();
            assert_eq!((error.to_string().as_str(), &set), (text, &LimitSet::of(Profile::Moderate)));
        }
    }

    #[test]
    fn an_old_record_of_limits_reads_as_it_was_written() {
        let old = r#"{"max_order":{"equity_bps":1000,"amount":null},"max_position":{"equity_bps":3500,"amount":null},"daily_loss_bps":300,"drawdown_bps":1000,"stale_after_nanos":5000000000,"borrow":false}"#;
        let limits: Limits = serde_json::from_str(old).unwrap();
        assert_eq!(limits, Limits::AT_OPENING);
        assert_eq!(serde_json::to_string(&limits).unwrap(), old);
    }
}
