//! Closed trades: how often, how much, how long.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{QuantError, check_one};
use crate::numeric::{count, finite, mean, median, ratio, varying_deviation};
use crate::returns::nanoseconds_to_days;

/// One closed position, from flat to flat. Amounts in the account's currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TradeRecord {
    /// First fill, UTC nanoseconds.
    pub opened_at_ns: i64,
    /// Last fill, UTC nanoseconds.
    pub closed_at_ns: i64,
    /// Bought first (true) or sold first (false).
    pub long: bool,
    /// Size in units of the underlying, contract multiplier applied; not negative.
    pub quantity: f64,
    /// Average entry price.
    pub entry_price: f64,
    /// Average exit price.
    pub exit_price: f64,
    /// Profit after fees and funding.
    pub profit: f64,
    /// Fees of all its fills; negative if rebates outweigh them.
    pub fees: f64,
    /// Maximum adverse excursion: the largest unrealised loss while open, not negative; missing if not followed.
    pub mae: Option<f64>,
    /// Maximum favourable excursion: the largest unrealised profit while open, not negative; missing if not followed.
    pub mfe: Option<f64>,
}

impl TradeRecord {
    /// Nanoseconds from first to last fill.
    pub fn duration_ns(&self) -> i64 {
        self.closed_at_ns.saturating_sub(self.opened_at_ns)
    }

    /// Notional bought and sold: `quantity * (|entry| + |exit|)`.
    pub fn traded_notional(&self) -> f64 {
        self.quantity * (self.entry_price.abs() + self.exit_price.abs())
    }

    /// Profit per unit of entry notional, a fraction; `None` for a notional of zero.
    pub fn profit_fraction(&self) -> Option<f64> {
        ratio(self.profit, self.quantity * self.entry_price.abs())
    }
}

/// Checks each trade's numbers.
///
/// # Errors
/// [`QuantError::NotFinite`], [`QuantError::OutOfRange`] (negative quantity or excursion) or
/// [`QuantError::ClosedBeforeOpened`], with the index of the first offender.
pub fn check_trades(trades: &[TradeRecord]) -> Result<(), QuantError> {
    for (index, trade) in trades.iter().enumerate() {
        check_one("trades.quantity", index, trade.quantity)?;
        check_one("trades.entry_price", index, trade.entry_price)?;
        check_one("trades.exit_price", index, trade.exit_price)?;
        check_one("trades.profit", index, trade.profit)?;
        check_one("trades.fees", index, trade.fees)?;
        let bounded = [("trades.quantity", Some(trade.quantity)), ("trades.mae", trade.mae), ("trades.mfe", trade.mfe)];
        for (field, value) in bounded.into_iter().filter_map(|(field, value)| Some((field, value?))) {
            check_one(field, index, value)?;
            if value < 0.0 {
                return Err(QuantError::OutOfRange { field, index, value, expected: "zero or more" });
            }
        }
        let (opened_at_ns, closed_at_ns) = (trade.opened_at_ns, trade.closed_at_ns);
        if closed_at_ns < opened_at_ns {
            return Err(QuantError::ClosedBeforeOpened { index, opened_at_ns, closed_at_ns });
        }
    }
    Ok(())
}

/// Statistics of a set of closed trades. Money in the account's currency, durations in seconds.
///
/// A win has a profit above zero, a loss one below; a trade of exactly zero is neither, but counts in every mean.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TradeStatistics {
    /// Closed trades.
    pub trades: u64,
    /// Trades with a profit above zero.
    pub wins: u64,
    /// Trades with a profit below zero.
    pub losses: u64,
    /// `wins / trades`.
    pub win_rate: Option<f64>,
    /// Sum of profits after fees and funding.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub net_profit: Option<f64>,
    /// Sum of the wins.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub gross_profit: Option<f64>,
    /// Sum of the losses, as a positive amount.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub gross_loss: Option<f64>,
    /// `gross profit / gross loss`; missing without a loss.
    pub profit_factor: Option<f64>,
    /// Mean profit per trade.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub expectancy: Option<f64>,
    /// `expectancy / mean loss`: what a trade brings per unit usually lost; missing without a loss.
    pub expectancy_ratio: Option<f64>,
    /// System quality number `sqrt(n) * mean(profit) / sd(profit)`; missing below two trades or without variation.
    pub sqn: Option<f64>,
    /// Mean of the wins.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub average_win: Option<f64>,
    /// Mean of the losses, as a positive amount.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub average_loss: Option<f64>,
    /// `average win / average loss`.
    pub payoff_ratio: Option<f64>,
    /// Most profitable trade's profit.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub best_trade: Option<f64>,
    /// Least profitable trade's profit.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub worst_trade: Option<f64>,
    /// Longest run of wins, in order of closing.
    pub max_consecutive_wins: u64,
    /// Longest run of losses, in order of closing.
    pub max_consecutive_losses: u64,
    /// Deepest fall of the sum of profits below its highest so far, in order of closing; 0 if it never fell.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub max_drawdown: Option<f64>,
    /// Mean seconds from open to close, all trades.
    pub average_duration_s: Option<f64>,
    /// Median seconds from open to close, all trades.
    pub median_duration_s: Option<f64>,
    /// Mean seconds a win was held.
    pub average_win_duration_s: Option<f64>,
    /// Median seconds a win was held.
    pub median_win_duration_s: Option<f64>,
    /// Mean seconds a loss was held.
    pub average_loss_duration_s: Option<f64>,
    /// Median seconds a loss was held.
    pub median_loss_duration_s: Option<f64>,
    /// Sum of the fees.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub fees: Option<f64>,
    /// Mean maximum adverse excursion of the trades that have one.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub average_mae: Option<f64>,
    /// Largest maximum adverse excursion.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub worst_mae: Option<f64>,
    /// Mean maximum favourable excursion of the trades that have one.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub average_mfe: Option<f64>,
    /// Largest maximum favourable excursion.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub best_mfe: Option<f64>,
    /// `mean MFE / mean MAE` over the trades that have both: above 1, entries ran further for than against.
    pub edge_ratio: Option<f64>,
}

impl TradeStatistics {
    /// Computes every figure; the order of `trades` does not matter (runs follow the closing time).
    ///
    /// Every `Option` is `None` when nothing of its kind happened or its sum overflows; nothing is NaN.
    ///
    /// Source: P. Kaufman, "Trading Systems and Methods", 5th edition, 2013, ch. 21 (rates, factors, runs); V. K. Tharp,
    /// "The Definitive Guide to Position Sizing", 2008 (expectancy, SQN, here without his cap of n at 100);
    /// J. Sweeney, "Maximum Adverse Excursion", 1997 (MAE, MFE).
    pub fn of(trades: &[TradeRecord]) -> Self {
        let wins: Vec<&TradeRecord> = trades.iter().filter(|trade| trade.profit > 0.0).collect();
        let losses: Vec<&TradeRecord> = trades.iter().filter(|trade| trade.profit < 0.0).collect();
        let profits: Vec<f64> = trades.iter().map(|trade| trade.profit).collect();
        let profit_of = |set: &[&TradeRecord]| set.iter().map(|trade| trade.profit).sum::<f64>();
        let expectancy = mean(&profits);
        let average_win = ratio(profit_of(&wins), count(wins.len()));
        let average_loss = ratio(-profit_of(&losses), count(losses.len()));
        let closed = by_closing(trades);
        let (max_consecutive_wins, max_consecutive_losses) = longest_runs(&closed);
        let seconds: Vec<f64> = trades.iter().map(seconds).collect();
        let (win_seconds, loss_seconds) = (durations(&wins), durations(&losses));
        let (maes, mfes): (Vec<f64>, Vec<f64>) =
            (trades.iter().filter_map(|t| t.mae).collect(), trades.iter().filter_map(|t| t.mfe).collect());
        Self {
            trades: trades.len() as u64,
            wins: wins.len() as u64,
            losses: losses.len() as u64,
            win_rate: ratio(count(wins.len()), count(trades.len())),
            net_profit: finite(profits.iter().sum()),
            gross_profit: finite(profit_of(&wins)),
            gross_loss: finite(profit_of(&losses).abs()),
            profit_factor: ratio(profit_of(&wins), -profit_of(&losses)),
            expectancy,
            expectancy_ratio: expectancy.zip(average_loss).and_then(|(gain, loss)| ratio(gain, loss)),
            sqn: system_quality(&profits),
            average_win,
            average_loss,
            payoff_ratio: average_win.zip(average_loss).and_then(|(win, loss)| ratio(win, loss)),
            best_trade: largest(&profits),
            worst_trade: smallest(&profits),
            max_consecutive_wins,
            max_consecutive_losses,
            max_drawdown: deepest_fall(&closed),
            average_duration_s: mean(&seconds),
            median_duration_s: median(&seconds),
            average_win_duration_s: mean(&win_seconds),
            median_win_duration_s: median(&win_seconds),
            average_loss_duration_s: mean(&loss_seconds),
            median_loss_duration_s: median(&loss_seconds),
            fees: finite(trades.iter().map(|trade| trade.fees).sum()),
            average_mae: mean(&maes),
            worst_mae: largest(&maes),
            average_mfe: mean(&mfes),
            best_mfe: largest(&mfes),
            edge_ratio: edge_ratio(trades),
        }
    }
}

/// Statistics of each group of trades: by instrument, by tag, by exit reason. `label` names a trade's group; it gets the
/// trade's place in `trades` as well, for labels that are kept beside the records. Groups in the labels' order.
pub fn group_trades<L: Ord>(
    trades: &[TradeRecord],
    label: impl Fn(usize, &TradeRecord) -> L,
) -> BTreeMap<L, TradeStatistics> {
    let mut groups: BTreeMap<L, Vec<TradeRecord>> = BTreeMap::new();
    for (place, trade) in trades.iter().enumerate() {
        groups.entry(label(place, trade)).or_default().push(*trade);
    }
    groups.into_iter().map(|(label, trades)| (label, TradeStatistics::of(&trades))).collect()
}

/// System quality number: `sqrt(n) * mean / sd` of the profits per trade, sample deviation.
///
/// `None` for fewer than two trades, or when they do not vary. Source: Tharp 2008.
pub fn system_quality(profits: &[f64]) -> Option<f64> {
    finite(count(profits.len()).sqrt() * mean(profits)? / varying_deviation(profits)?)
}

/// Trades in order of closing, then of opening.
fn by_closing(trades: &[TradeRecord]) -> Vec<&TradeRecord> {
    let mut order: Vec<&TradeRecord> = trades.iter().collect();
    order.sort_by_key(|trade| (trade.closed_at_ns, trade.opened_at_ns));
    order
}

/// The deepest fall of the sum of profits, which starts at zero; `None` for no trades.
fn deepest_fall(closed: &[&TradeRecord]) -> Option<f64> {
    let (mut sum, mut peak, mut deepest) = (0.0_f64, 0.0_f64, 0.0_f64);
    for trade in closed {
        sum += trade.profit;
        peak = peak.max(sum);
        deepest = deepest.max(peak - sum);
    }
    if closed.is_empty() { None } else { finite(deepest) }
}

/// Longest runs of wins and of losses; a trade of zero ends both.
fn longest_runs(closed: &[&TradeRecord]) -> (u64, u64) {
    let (mut wins, mut losses, mut most_wins, mut most_losses) = (0, 0, 0, 0);
    for trade in closed {
        wins = if trade.profit > 0.0 { wins + 1 } else { 0 };
        losses = if trade.profit < 0.0 { losses + 1 } else { 0 };
        (most_wins, most_losses) = (most_wins.max(wins), most_losses.max(losses));
    }
    (most_wins, most_losses)
}

/// Mean MFE over mean MAE of the trades that have both.
fn edge_ratio(trades: &[TradeRecord]) -> Option<f64> {
    let (adverse, favourable): (Vec<f64>, Vec<f64>) = trades.iter().filter_map(|t| t.mae.zip(t.mfe)).unzip();
    ratio(mean(&favourable)?, mean(&adverse)?)
}

fn seconds(trade: &TradeRecord) -> f64 {
    nanoseconds_to_days(trade.duration_ns()) * 86_400.0
}

fn durations(trades: &[&TradeRecord]) -> Vec<f64> {
    trades.iter().map(|trade| seconds(trade)).collect()
}

fn largest(values: &[f64]) -> Option<f64> {
    values.iter().copied().reduce(f64::max)
}

fn smallest(values: &[f64]) -> Option<f64> {
    values.iter().copied().reduce(f64::min)
}
