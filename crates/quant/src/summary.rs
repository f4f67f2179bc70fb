//! All statistics of one run, computed once for the report.

use serde::{Serialize, Serializer};

use crate::accumulator::{DailyClose, EquityAccumulator};
use crate::activity::{Participation, capacity, check_participation, turnover};
use crate::calendar::{DailyReturn, Day, Span, YearRow, breakdown, monthly_table};
use crate::error::{QuantError, check_finite, check_one};
use crate::figures::{Activity, BenchmarkSummary, Breakdown, Distribution, DrawdownSummary, Growth, Ratios};
use crate::numeric::{finite, mean, ratio};
use crate::returns::{cagr, nanoseconds_to_days, rate_per_period, stability, volatility};
use crate::trades::{TradeRecord, TradeStatistics, check_trades};
use crate::{benchmark, ratios, tail};

/// How yearly figures are formed. Printed beside them in the report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Conventions {
    /// Returns in a year: 365 daily ones for markets that never close, 252 for stocks.
    pub periods_per_year: f64,
    /// Risk-free return per year, a fraction.
    pub risk_free_rate: f64,
    /// Minimum acceptable return per year for Sortino and Omega, a fraction.
    pub target_return: f64,
    /// Annualised Sharpe ratio that the probabilistic Sharpe ratio is held against.
    pub sharpe_benchmark: f64,
    /// Share of a bar's volume that the capacity estimate allows, a fraction.
    pub participation_limit: f64,
    /// Days that one return spans: 1, or as many as a bar that is longer.
    pub days_per_period: f64,
}

impl Conventions {
    /// A market that never closes: 365 days, rates of zero, 2 % of volume.
    pub fn crypto() -> Self {
        Self {
            periods_per_year: 365.0,
            risk_free_rate: 0.0,
            target_return: 0.0,
            sharpe_benchmark: 0.0,
            participation_limit: 0.02,
            days_per_period: 1.0,
        }
    }

    /// A stock exchange: 252 days, rates of zero, 2 % of volume.
    pub fn stocks() -> Self {
        Self { periods_per_year: 252.0, ..Self::crypto() }
    }

    fn check(&self) -> Result<(), QuantError> {
        let positive = [
            ("periods_per_year", self.periods_per_year),
            ("participation_limit", self.participation_limit),
            ("days_per_period", self.days_per_period),
        ];
        let above_minus_one = [("risk_free_rate", self.risk_free_rate), ("target_return", self.target_return)];
        check_one("sharpe_benchmark", 0, self.sharpe_benchmark)?;
        for (field, value) in positive {
            check_above(field, value, 0.0, "more than 0")?;
        }
        for (field, value) in above_minus_one {
            check_above(field, value, -1.0, "more than -1, a fraction per year")?;
        }
        Ok(())
    }
}

fn check_above(field: &'static str, value: f64, bound: f64, expected: &'static str) -> Result<(), QuantError> {
    check_one(field, 0, value)?;
    if value > bound { Ok(()) } else { Err(QuantError::OutOfRange { field, index: 0, value, expected }) }
}

/// Orders of the run that did not trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OrderCounts {
    /// Rejected by the venue.
    pub rejected: u64,
    /// Expired by time.
    pub timed_out: u64,
}

/// What a summary is made of.
#[derive(Clone, Copy, Debug)]
pub struct SummaryInputs<'a> {
    /// The whole equity curve, already folded.
    pub equity: &'a EquityAccumulator,
    /// Closed trades, in any order.
    pub trades: &'a [TradeRecord],
    /// Daily returns of the benchmark (or buy-and-hold), joined to the account's by day; empty if there is none.
    pub benchmark: &'a [DailyReturn],
    /// Our share of each bar traded in; empty if volumes are not known.
    pub participation: &'a [Participation],
    /// Notional of all fills; missing: that of the closed trades.
    pub traded_notional: Option<f64>,
    /// Orders that did not trade, if they were counted.
    pub orders: Option<OrderCounts>,
    /// How yearly figures are formed.
    pub conventions: Conventions,
}

/// All statistics of one run. Fractions unless the name says otherwise; missing is `None`, never NaN.
///
/// The formula and source of each figure stand in [`crate::catalog`] under the path of its field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How yearly figures were formed.
    pub conventions: Conventions,
    /// Start, end, profit and growth.
    pub growth: Growth,
    /// The worst of it.
    pub drawdown: DrawdownSummary,
    /// Return per unit of risk.
    pub ratios: Ratios,
    /// Shape and edges of the daily returns.
    pub distribution: Distribution,
    /// Beside the benchmark, over the days that both have.
    pub benchmark: BenchmarkSummary,
    /// What was done to earn it.
    pub activity: Activity,
    /// All closed trades.
    pub trades: TradeStatistics,
    /// Trades that bought first.
    pub long: TradeStatistics,
    /// Trades that sold first.
    pub short: TradeStatistics,
    /// Returns by month and year.
    pub monthly: Vec<YearRow>,
    /// By day, week and month.
    pub breakdown: Breakdown,
    /// Daily closes with their depth under the running peak.
    #[serde(serialize_with = "with_equity_as_text")]
    pub underwater: Vec<DailyClose>,
}

/// Writes closes with their equity as decimal text, as all money of a summary is written.
fn with_equity_as_text<S: Serializer>(closes: &[DailyClose], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Row {
        day: Day,
        at_ns: i64,
        #[serde(serialize_with = "crate::amount::money")]
        equity: f64,
        drawdown: f64,
    }
    let row = |&DailyClose { day, at_ns, equity, drawdown }: &DailyClose| Row { day, at_ns, equity, drawdown };
    serializer.collect_seq(closes.iter().map(row))
}

impl Summary {
    /// Computes every statistic of a run.
    ///
    /// An empty curve or no trades is no error: what cannot be known is `None`.
    ///
    /// # Errors
    /// [`QuantError`] with field, index and value for a setting out of range, a trade that contradicts itself, or a
    /// number that is not finite (a daily return that overflows included).
    pub fn compute(inputs: &SummaryInputs<'_>) -> Result<Self, QuantError> {
        let SummaryInputs { equity, trades, conventions, .. } = *inputs;
        conventions.check()?;
        check_trades(trades)?;
        check_participation(inputs.participation)?;
        check_one("traded_notional", 0, inputs.traded_notional.unwrap_or(0.0))?;
        let days = equity.daily_returns();
        let returns: Vec<f64> = days.iter().map(|day| day.value).collect();
        check_finite("daily_returns", &returns)?;
        check_finite("benchmark", &inputs.benchmark.iter().map(|day| day.value).collect::<Vec<_>>())?;
        let growth = growth(equity, &days, &returns, &conventions);
        let drawdown = drawdown(equity);
        let (long, short): (Vec<TradeRecord>, Vec<TradeRecord>) = trades.iter().partition(|trade| trade.long);
        Ok(Self {
            conventions,
            ratios: ratios(&growth, &drawdown, &returns, &conventions),
            growth,
            drawdown,
            distribution: distribution(&returns),
            benchmark: beside_benchmark(&days, inputs.benchmark, &conventions),
            activity: activity(inputs),
            trades: TradeStatistics::of(trades),
            long: TradeStatistics::of(&long),
            short: TradeStatistics::of(&short),
            monthly: monthly_table(&days),
            breakdown: Breakdown {
                day: breakdown(Span::Day, &days, trades),
                week: breakdown(Span::Week, &days, trades),
                month: breakdown(Span::Month, &days, trades),
            },
            underwater: equity.days().to_vec(),
        })
    }
}

/// Days below which growth is not taken for that of a year.
pub const SHORTEST_FOR_A_YEAR_DAYS: f64 = 30.0;

fn is_long(start_ns: i64, end_ns: i64) -> bool {
    nanoseconds_to_days(end_ns.saturating_sub(start_ns)) >= SHORTEST_FOR_A_YEAR_DAYS
}

fn growth(equity: &EquityAccumulator, days: &[DailyReturn], returns: &[f64], conventions: &Conventions) -> Growth {
    let ends = equity.first().zip(equity.last());
    let extremes = tail::extremes(returns);
    let (best, worst) = (extremes.map(|both| both.0), extremes.map(|both| both.1));
    Growth {
        start_ns: ends.map(|(start, _)| start.0),
        end_ns: ends.map(|(_, end)| end.0),
        start_equity: ends.map(|(start, _)| start.1),
        end_equity: ends.map(|(_, end)| end.1),
        net_profit: ends.and_then(|(start, end)| finite(end.1 - start.1)),
        total_return: ends.and_then(|(start, end)| ratio(end.1, start.1)).map(|wealth| wealth - 1.0),
        cagr: ends.filter(|(start, end)| is_long(start.0, end.0)).and_then(|(start, end)| cagr(start, end)),
        daily_returns: returns.len() as u64,
        volatility: volatility(returns, conventions.periods_per_year),
        stability: stability(returns),
        best_day: best.map(|(_, value)| value),
        best_day_date: best.map(|(place, _)| days[place].day),
        worst_day: worst.map(|(_, value)| value),
        worst_day_date: worst.map(|(place, _)| days[place].day),
        ruined_at_ns: equity.ruined_at_ns(),
    }
}

fn drawdown(equity: &EquityAccumulator) -> DrawdownSummary {
    let deepest = equity.deepest_drawdown();
    let longest = equity.longest_drawdown();
    let seen = equity.first().map(|_| 0.0);
    DrawdownSummary {
        max: deepest.map(|fall| fall.depth).or(seen),
        max_amount: deepest.map_or(seen, |fall| fall.amount()),
        deepest,
        fall_days: deepest.map(|fall| nanoseconds_to_days(fall.fall_ns())),
        recovery_days: deepest.and_then(|fall| fall.recovery_ns()).map(nanoseconds_to_days),
        longest,
        longest_days: longest.map(|fall| nanoseconds_to_days(equity.underwater_ns(&fall))),
        ulcer_index: equity.ulcer_index(),
    }
}

fn ratios(growth: &Growth, drawdown: &DrawdownSummary, returns: &[f64], conventions: &Conventions) -> Ratios {
    let n = conventions.periods_per_year;
    let risk_free = rate_per_period(conventions.risk_free_rate, n);
    let target = rate_per_period(conventions.target_return, n);
    let to_beat = conventions.sharpe_benchmark / n.sqrt();
    let growth_over = |risk: Option<f64>| growth.cagr.zip(risk).and_then(|(rate, risk)| ratio(rate, risk));
    Ratios {
        sharpe: risk_free.and_then(|rate| ratios::sharpe_ratio(returns, rate, n)),
        sortino: target.and_then(|rate| ratios::sortino_ratio(returns, rate, n)),
        calmar: growth_over(drawdown.max),
        omega: target.and_then(|rate| ratios::omega_ratio(returns, rate)),
        martin: growth_over(drawdown.ulcer_index),
        probabilistic_sharpe: risk_free.and_then(|rate| ratios::probabilistic_sharpe(returns, rate, to_beat)),
        minimum_track_record: risk_free
            .and_then(|rate| ratios::SharpeRecord::of(returns, rate)?.minimum_track_record(to_beat, 0.95))
            .and_then(|returns| finite(returns * conventions.days_per_period)),
    }
}

fn distribution(returns: &[f64]) -> Distribution {
    let (modified_var_95, modified_cvar_95) = tail::modified_tail(returns, 0.95);
    let (modified_var_99, modified_cvar_99) = tail::modified_tail(returns, 0.99);
    Distribution {
        skewness: tail::skewness(returns),
        kurtosis: tail::kurtosis(returns),
        tail_ratio: tail::tail_ratio(returns),
        var_95: tail::value_at_risk(returns, 0.95),
        var_99: tail::value_at_risk(returns, 0.99),
        cvar_95: tail::expected_shortfall(returns, 0.95),
        cvar_99: tail::expected_shortfall(returns, 0.99),
        parametric_var_95: tail::parametric_value_at_risk(returns, 0.95),
        parametric_var_99: tail::parametric_value_at_risk(returns, 0.99),
        parametric_cvar_95: tail::parametric_expected_shortfall(returns, 0.95),
        parametric_cvar_99: tail::parametric_expected_shortfall(returns, 0.99),
        modified_var_95,
        modified_var_99,
        modified_cvar_95,
        modified_cvar_99,
    }
}

/// Joins both records by day. A benchmark day without one of ours is compounded into the next day that both have.
fn beside_benchmark(ours: &[DailyReturn], theirs: &[DailyReturn], conventions: &Conventions) -> BenchmarkSummary {
    let (mine, other) = crate::benchmark::join_days(ours, theirs);
    let n = conventions.periods_per_year;
    let risk_free = rate_per_period(conventions.risk_free_rate, n);
    let compounded = crate::returns::total_return(&other);
    BenchmarkSummary {
        days: mine.len() as u64,
        total_return: mean(&other).and(compounded),
        alpha: risk_free.and_then(|rate| benchmark::alpha(&mine, &other, rate, n)),
        beta: benchmark::beta(&mine, &other),
        correlation: benchmark::correlation(&mine, &other),
        tracking_error: benchmark::tracking_error(&mine, &other, n),
        information_ratio: benchmark::information_ratio(&mine, &other, n),
        treynor: risk_free.and_then(|rate| benchmark::treynor_ratio(&mine, &other, rate, n)),
    }
}

fn activity(inputs: &SummaryInputs<'_>) -> Activity {
    let equity = inputs.equity;
    let of_trades = || inputs.trades.iter().map(TradeRecord::traded_notional).sum();
    let traded_notional = finite(inputs.traded_notional.unwrap_or_else(of_trades));
    let mean_equity = equity.mean_equity();
    let years = equity.elapsed_days().map(|days| days / 365.25);
    let limit = inputs.conventions.participation_limit;
    Activity {
        time_in_market: equity.time_in_market(),
        mean_leverage: equity.mean_leverage(),
        traded_notional,
        turnover: traded_notional
            .zip(mean_equity.zip(years))
            .and_then(|(traded, (equity, years))| turnover(traded, equity, years)),
        capacity: mean_equity.and_then(|equity| capacity(inputs.participation, equity, limit)),
        orders: inputs.orders,
    }
}
