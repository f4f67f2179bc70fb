//! What an account may do: limits, guards over them, breakers that trip, and the modes that they lead to.
//!
//! # Where it sits
//! Floor 2, over the domain and the statistics. The gate asks [`check`] about every order after its own guards; the
//! engine folds what happens into a [`Monitor`]. Knows no venue, no clock, no I/O, and not where orders come from.
//!
//! # Start here
//! [`check`] is the way in; [`GUARDS`] lists what it asks, in order; [`LIMITS`] is the one table of limits, with the
//! value of every shipped [`Profile`] and the reason for each.
//!
//! # What always holds
//! * A guard judges the account as it would stand after the order, with every open order and every order of unknown
//!   outcome counted in full.
//! * Coins that no position accounts for are exposure and no position; a sale of what is owned adds to none.
//! * An order that only reduces a position passes every guard about losses and size; cancels never come here.
//! * A breaker trips once, and leaves only by the way that [`breaker_rule`] states: time for infrastructure, a person
//!   for losses.
//! * A monitor is journalled state: it survives a restart, and its time never goes back.
//! * Money and thresholds are integers. `f64` lives inside [`Returns`]' statistics alone and never comes out of them.

mod account;
mod breach;
mod check;
mod collar;
mod exposure;
mod impact;
mod limits;
mod liquidity;
mod margin;
mod mode;
mod monitor;
mod plan;
mod profiles;
mod protection;
mod situation;
mod tail;
mod tape;
mod usage;
mod window;

pub use tradewind_domain::TradePlan as Plan;
pub use tradewind_quant::impact::SideDepth;

pub use account::{Equity, Losses};
pub use breach::{Breach, CODES, GUARDS, Guard, GuardInfo};
pub use check::{check, check_plan};
pub use collar::{Reach, worst_price};
pub use exposure::{Class, Line, Totals};
pub use impact::{ImpactMode, fitting};
pub use limits::{Cap, Limits, LimitsError};
pub use liquidity::{BookLiquidity, book_liquidity};
pub use margin::{Margin, Terms, liquidation_distance_bps, liquidation_distance_e8, liquidation_price};
pub use mode::{BREAKERS, BreakerRule, Exit, Input, RiskMode, breaker_rule};
pub use monitor::{Bare, Fact, Monitor, Scope, Trip};
pub use plan::{Audited, Correction, audit};
pub use profiles::{AccountCaps, AccountLimits, Controls, LIMITS, Limit, LimitScope, LimitSet, Profile, Tighter, Unit};
pub use protection::{Coverage, Excursion, Protection, ProtectionRules, Standing, coverage, protection};
pub use situation::{DepthSource, Reference, Situation, takes};
pub use tail::{DayRisk, Figure, VarMethod};
pub use tape::{Returns, TAPE_MINUTES, Tape, VOLATILITY_MINUTES};
pub use usage::{Account, LimitUse};
