//! The numbers that hold for the whole account, all its portfolios together.

use super::base::keep;
use super::{LimitScope, LimitSet, SIMULATED, Tighter, UNITS, Unit};
use crate::{Guard, Limit, LimitsError, Profile};
use serde::{Deserialize, Serialize};

const PACE: &str = "well below the order limits of the venues we know";
const ONE_VENUE: &str = "the demo knows one market and one strategy";

limit_set! {
    /// The numbers of [`crate::AccountLimits`]. `None` is no limit; parts are of the account's equity.
    AccountCaps ACCOUNT Account 20 (LimitSet::caps, LimitSet::caps_mut)
    hard_order_amount "hard_order_amount" Amount Lower HardCap "notional of any order of anybody, in base currency"
        [None, Some(1_000 * UNITS), Some(1_000 * UNITS)] ["play money", "until two people raise it", "until two people raise it"];
    asset_bps "asset" Percent Lower Asset "exposure to one asset over all its instruments, with the coins held of it"
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
    gross_bps "gross" Percent Lower Gross "exposure, longs, shorts and coins added"
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
    var_method "var_method" VAR_METHOD Same ValueAtRisk "how value at risk and expected shortfall are reckoned: historical, parametric, monte-carlo, or the largest of the three"
        [Some(1), Some(1), Some(1)] ["it supposes nothing of how prices move"; 3];
}
