//! Name, unit, formula and source of every figure in [`crate::Summary`] and of how good forecasts were, for the
//! documentation and the report's notes.

use crate::period::Period;
use std::borrow::Cow;

/// What one figure means.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Statistic {
    /// Path of its field in the serialised [`crate::Summary`]; `trades.*` holds for `long.*` and `short.*` too. Those of
    /// `forecasts.*` are fields of [`crate::signal::ForecastQuality`], and hold for `decisions.*` too.
    pub field: &'static str,
    /// What it is called in the report.
    pub name: Cow<'static, str>,
    /// `fraction`, `currency`, `days`, `seconds`, `count`, `ratio`, `date` or `time`.
    pub unit: &'static str,
    /// How it is formed, in plain text.
    pub formula: Cow<'static, str>,
    /// Where the formula comes from.
    pub source: &'static str,
}

macro_rules! statistics {
    ($($field:literal $name:literal $unit:literal $formula:literal $source:literal;)*) => {
        const CATALOG: &[Statistic] = &[$(Statistic {
            field: $field,
            name: Cow::Borrowed($name),
            unit: $unit,
            formula: Cow::Borrowed($formula),
            source: $source,
        }),*];
    };
}

/// Every statistic of daily returns, in the order of the report.
pub fn catalog() -> &'static [Statistic] {
    CATALOG
}

/// The same of returns that span `period` each.
pub fn catalog_of(period: Period) -> Cow<'static, [Statistic]> {
    if period == Period::DAY {
        return Cow::Borrowed(CATALOG);
    }
    let told = |it: &Statistic| match it.field {
        "growth.cagr" => it.clone(), // its days are those of the calendar
        _ => Statistic {
            name: Cow::Owned(period.told(&it.name)),
            formula: Cow::Owned(period.told(&it.formula)),
            ..it.clone()
        },
    };
    CATALOG.iter().map(told).collect()
}

statistics! {
    "growth.start_ns" "Start" "time" "first observation of equity" "-";
    "growth.end_ns" "End" "time" "last observation of equity" "-";
    "growth.start_equity" "Start balance" "currency" "equity at the start" "-";
    "growth.end_equity" "End balance" "currency" "equity at the end, open positions marked" "-";
    "growth.net_profit" "Net profit" "currency" "end - start" "Bacon 2008";
    "growth.total_return" "Total return" "fraction" "end / start - 1" "Bacon 2008";
    "growth.cagr" "CAGR" "fraction" "(end / start)^(365.25 days / elapsed) - 1; none under 30 days" "GIPS Standards Handbook";
    "growth.daily_returns" "Daily returns" "count" "observed UTC days with a return" "-";
    "growth.volatility" "Volatility" "fraction" "sd(r, n - 1) * sqrt(N)" "Bacon 2008";
    "growth.stability" "Stability" "ratio" "R^2 of a line through the cumulative log returns" "pyfolio/empyrical";
    "growth.best_day" "Best day" "fraction" "max(r)" "-";
    "growth.best_day_date" "Best day's date" "date" "day of max(r)" "-";
    "growth.worst_day" "Worst day" "fraction" "min(r)" "-";
    "growth.worst_day_date" "Worst day's date" "date" "day of min(r)" "-";
    "growth.ruined_at_ns" "Ruin" "time" "first moment with equity <= 0" "-";
    "drawdown.max" "Max drawdown" "fraction" "max(1 - equity / peak so far), in [0, 1]" "Magdon-Ismail and Atiya 2004";
    "drawdown.max_amount" "Max drawdown, amount" "currency" "peak - trough of the deepest drawdown" "Magdon-Ismail and Atiya 2004";
    "drawdown.deepest" "Deepest drawdown" "time" "its peak, trough and recovery" "Bacon 2008";
    "drawdown.fall_days" "Fall" "days" "trough - peak" "Bacon 2008";
    "drawdown.recovery_days" "Recovery" "days" "recovery - trough" "Bacon 2008";
    "drawdown.longest" "Longest drawdown" "time" "its peak, trough and recovery" "Bacon 2008";
    "drawdown.longest_days" "Longest under water" "days" "recovery (or end) - peak" "Bacon 2008";
    "drawdown.ulcer_index" "Ulcer index" "fraction" "sqrt(mean(drawdown^2)) of daily closes" "Martin and McCann 1989";
    "ratios.sharpe" "Sharpe ratio" "ratio" "mean(r - rf) / sd(r - rf, n - 1) * sqrt(N)" "Sharpe 1994";
    "ratios.sortino" "Sortino ratio" "ratio" "mean(r - target) / sqrt(mean(min(r - target, 0)^2)) * sqrt(N)" "Sortino and van der Meer 1991";
    "ratios.calmar" "Calmar ratio" "ratio" "CAGR / max drawdown" "Young 1991";
    "ratios.omega" "Omega ratio" "ratio" "sum(max(r - target, 0)) / sum(max(target - r, 0))" "Keating and Shadwick 2002";
    "ratios.martin" "Martin ratio" "ratio" "CAGR / ulcer index" "Martin and McCann 1989";
    "ratios.probabilistic_sharpe" "Probabilistic Sharpe" "fraction" "Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)), SR per period" "Bailey and Lopez de Prado 2012";
    "ratios.minimum_track_record" "Track record needed" "days" "1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (z(95 %) / (SR - SR*))^2 daily returns, in days; none while SR <= SR*" "Bailey and Lopez de Prado 2012";
    "distribution.skewness" "Skewness" "ratio" "m3 / m2^1.5" "Joanes and Gill 1998";
    "distribution.kurtosis" "Kurtosis" "ratio" "m4 / m2^2, 3 when normal" "Joanes and Gill 1998";
    "distribution.tail_ratio" "Tail ratio" "ratio" "|q95| / |q5|" "pyfolio/empyrical";
    "distribution.var_95" "VaR 95 %" "fraction" "-q(5 %), one day" "Jorion 2006";
    "distribution.var_99" "VaR 99 %" "fraction" "-q(1 %), one day" "Jorion 2006";
    "distribution.cvar_95" "CVaR 95 %" "fraction" "mean loss of the worst 5 % of days" "Acerbi and Tasche 2002";
    "distribution.cvar_99" "CVaR 99 %" "fraction" "mean loss of the worst 1 % of days" "Acerbi and Tasche 2002";
    "distribution.parametric_var_95" "Normal VaR 95 %" "fraction" "-(mean + z(5 %) s)" "Jorion 2006";
    "distribution.parametric_var_99" "Normal VaR 99 %" "fraction" "-(mean + z(1 %) s)" "Jorion 2006";
    "distribution.parametric_cvar_95" "Normal CVaR 95 %" "fraction" "-mean + s phi(z) / 5 %" "McNeil, Frey and Embrechts 2005";
    "distribution.parametric_cvar_99" "Normal CVaR 99 %" "fraction" "-mean + s phi(z) / 1 %" "McNeil, Frey and Embrechts 2005";
    "distribution.modified_var_95" "Modified VaR 95 %" "fraction" "-(mean + z_cf(5 %) s), z bent by skewness and kurtosis; none where z_cf does not grow with z" "Boudt, Peterson and Croux 2008; Maillard 2012";
    "distribution.modified_var_99" "Modified VaR 99 %" "fraction" "-(mean + z_cf(1 %) s), z bent by skewness and kurtosis; none where z_cf does not grow with z" "Boudt, Peterson and Croux 2008; Maillard 2012";
    "distribution.modified_cvar_95" "Modified CVaR 95 %" "fraction" "mean loss beyond the modified VaR of 5 %, Edgeworth density; none where that falls below it" "Boudt, Peterson and Croux 2008; Maillard 2012";
    "distribution.modified_cvar_99" "Modified CVaR 99 %" "fraction" "mean loss beyond the modified VaR of 1 %, Edgeworth density; none where that falls below it" "Boudt, Peterson and Croux 2008; Maillard 2012";
    "benchmark.days" "Days beside the benchmark" "count" "days that both have" "-";
    "benchmark.total_return" "Market change" "fraction" "prod(1 + b) - 1" "Bacon 2008";
    "benchmark.alpha" "Alpha" "fraction" "(1 + mean(r - rf - beta (b - rf)))^N - 1" "Jensen 1968";
    "benchmark.beta" "Beta" "ratio" "cov(r, b) / var(b)" "Sharpe 1964";
    "benchmark.correlation" "Correlation" "ratio" "cov(r, b) / (sd(r) sd(b))" "Pearson 1895";
    "benchmark.tracking_error" "Tracking error" "fraction" "sd(r - b, n - 1) * sqrt(N)" "Grinold and Kahn 1999";
    "benchmark.information_ratio" "Information ratio" "ratio" "mean(r - b) / sd(r - b, n - 1) * sqrt(N)" "Grinold and Kahn 1999";
    "benchmark.treynor" "Treynor ratio" "ratio" "annualised geometric (r - rf) / beta" "Treynor 1965";
    "activity.time_in_market" "Exposure" "fraction" "time with a position / time" "-";
    "activity.mean_leverage" "Mean leverage" "ratio" "time-weighted gross notional / equity" "-";
    "activity.traded_notional" "Traded notional" "currency" "sum of |quantity| * price, bought and sold" "-";
    "activity.turnover" "Turnover" "ratio" "traded notional / mean equity / years" "pyfolio";
    "activity.capacity" "Estimated capacity" "currency" "mean equity * limit / q95(own / market notional per bar traded)" "own estimate, after Almgren et al. 2005";
    "activity.orders" "Rejected and timed-out orders" "count" "counted by the run" "-";
    "trades.trades" "Trades" "count" "closed trades" "-";
    "trades.wins" "Wins" "count" "trades with profit > 0" "Kaufman 2013";
    "trades.losses" "Losses" "count" "trades with profit < 0" "Kaufman 2013";
    "trades.win_rate" "Win rate" "fraction" "wins / trades" "Kaufman 2013";
    "trades.net_profit" "Net profit of trades" "currency" "sum(profit), after fees and funding" "Kaufman 2013";
    "trades.gross_profit" "Gross profit" "currency" "sum of the wins" "Kaufman 2013";
    "trades.gross_loss" "Gross loss" "currency" "-sum of the losses" "Kaufman 2013";
    "trades.profit_factor" "Profit factor" "ratio" "gross profit / gross loss" "Kaufman 2013";
    "trades.expectancy" "Expectancy" "currency" "mean(profit)" "Tharp 2008";
    "trades.expectancy_ratio" "Expectancy ratio" "ratio" "mean(profit) / mean loss" "Tharp 2008";
    "trades.sqn" "SQN" "ratio" "sqrt(n) * mean(profit) / sd(profit, n - 1)" "Tharp 2008";
    "trades.average_win" "Average win" "currency" "gross profit / wins" "Kaufman 2013";
    "trades.average_loss" "Average loss" "currency" "gross loss / losses" "Kaufman 2013";
    "trades.payoff_ratio" "Payoff ratio" "ratio" "average win / average loss" "Kaufman 2013";
    "trades.best_trade" "Best trade" "currency" "max(profit)" "-";
    "trades.worst_trade" "Worst trade" "currency" "min(profit)" "-";
    "trades.max_consecutive_wins" "Max consecutive wins" "count" "longest run of wins by closing time" "Kaufman 2013";
    "trades.max_consecutive_losses" "Max consecutive losses" "count" "longest run of losses by closing time" "Kaufman 2013";
    "trades.max_drawdown" "Max drawdown of trades" "currency" "max(highest sum(profit) so far - sum(profit)), by closing time" "-";
    "trades.average_duration_s" "Average duration" "seconds" "mean(close - open)" "-";
    "trades.median_duration_s" "Median duration" "seconds" "median(close - open)" "-";
    "trades.average_win_duration_s" "Average duration, winners" "seconds" "mean(close - open) of wins" "-";
    "trades.median_win_duration_s" "Median duration, winners" "seconds" "median(close - open) of wins" "-";
    "trades.average_loss_duration_s" "Average duration, losers" "seconds" "mean(close - open) of losses" "-";
    "trades.median_loss_duration_s" "Median duration, losers" "seconds" "median(close - open) of losses" "-";
    "trades.fees" "Fees" "currency" "sum(fees)" "-";
    "trades.average_mae" "Average MAE" "currency" "mean of the largest open loss" "Sweeney 1997";
    "trades.worst_mae" "Worst MAE" "currency" "max of the largest open loss" "Sweeney 1997";
    "trades.average_mfe" "Average MFE" "currency" "mean of the largest open profit" "Sweeney 1997";
    "trades.best_mfe" "Best MFE" "currency" "max of the largest open profit" "Sweeney 1997";
    "trades.edge_ratio" "Edge ratio" "ratio" "mean MFE / mean MAE" "Sweeney 1997";
    "forecasts.judged" "Judged" "count" "forecasts f whose horizon of h bars has passed" "-";
    "forecasts.directed" "With a direction" "count" "those that name a rise or a fall, f > 0 or f < 0" "-";
    "forecasts.hits" "Right" "count" "those with f * o > 0, o = close h bars later / close - 1" "-";
    "forecasts.hit_rate" "Hit rate" "fraction" "right / with a direction" "-";
    "forecasts.mean_outcome" "Mean outcome" "fraction" "mean(sign(f) * o) of those with a direction, before costs" "-";
    "forecasts.information_coefficient" "IC" "ratio" "cov(f, o) / (sd(f) sd(o))" "Grinold and Kahn 1999";
    "forecasts.blocks" "Blocks" "count" "whole blocks of max(100, 5 h) forecasts in a row" "-";
    "forecasts.information_coefficient_ratio" "ICIR" "ratio" "mean(c) / sd(c, n - 1), c = mean of (f - mean(f)) (o - mean(o)) / (sd(f) sd(o)) of a block; none for fewer than 10 blocks" "Qlib; blocks: Schmeiser 1982";
    "forecasts.rank_information_coefficient" "Rank IC" "ratio" "IC of the ranks of f and o, equal values sharing theirs" "Spearman 1904";
    "forecasts.rank_information_coefficient_ratio" "Rank ICIR" "ratio" "ICIR of the ranks of f and o" "Qlib; blocks: Schmeiser 1982";
}
