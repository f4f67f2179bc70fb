//! What a portfolio that meets a venue is held to beyond its first limits.

use super::base::keep;
use super::{LimitScope, LimitSet, SECOND, SIMULATED, Tighter, Unit};
use crate::{Guard, Limit, LimitsError, Profile};
use serde::{Deserialize, Serialize};

const TYPING: &str = "a price so far from the market is a typing error more often than a plan";
const DUPLICATE: &str = "the same order within two seconds is a loop or a double click";
const OWN: &str = "the strategy's own decision on simulated data";
const RUNAWAY: &str = "a strategy that does this has run away";
const BOOK: &str = "what rests in the book is what an order will meet";
const STOPLESS: &str = "a minute is enough to place one, and too short for most markets to run far";
const NO_MARGIN: &str = "its market is paid in full";
const BUFFER: &str = "a fifth is the usual margin buffer: time for a person to act before the engine does";
const HEALTH: &str = "0.85 of `liquidation_buffer`: what an entry had to keep is spent by more than a seventh";
const TWICE: &str = "the venue's leverage is set to the two times that `leverage` allows";
const BROKEN: &str = "orders that fail in a row mean that something between us and the venue is broken";

limit_set! {
    /// Everything further that a portfolio which meets a venue is held to. `None` is no limit.
    Controls CONTROLS Portfolio 32 (LimitSet::controls, LimitSet::controls_mut)
    collar_bps "collar" Percent Lower Collar "distance of a limit price from the mark"
        [Some(5_000), Some(500), Some(500)] ["orders that rest far away are how one learns what they do", TYPING, TYPING];
    market_collar_bps "market_collar" Percent Lower MarketCollar "distance from the mark of the worst price that a market order fills at"
        [Some(100), Some(100), Some(100)] ["it leaves as a limit order there, immediate or cancel: a book that is gone for a moment costs no more"; 3];
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
    impact_mode "impact_mode" IMPACT_MODE Lower Impact "what becomes of an order beyond `impact`: strict refuses it, conservative makes it as small as the limit wants, aggressive lets it go while ten levels of the book hold it"
        [Some(1), Some(1), Some(1)] ["an order of another size is another decision: its sender should know the book"; 3];
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
