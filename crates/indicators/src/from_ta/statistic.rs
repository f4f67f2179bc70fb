//! Rolling statistics that `ta-lib` computes.

use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`HighestLowest`] yields.
    HighestLowestOutput { lowest: "The lowest value.", highest: "The highest value." }
}

from_ta_lib! {
    /// The mean absolute distance from the window's mean.
    AverageDeviation = "avgdev", "Average deviation", Statistic, overlay: false;
        f64(real) => avgdev_lookback, avgdev_open, AvgdevStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// How heavy the tails of the window are against a normal distribution, which has 0.
    Kurtosis = "kurtosis", "Rolling excess kurtosis", Statistic, overlay: false;
        f64(real) => kurtosis_lookback, kurtosis_open, KurtosisStream(period);
        (period: usize = 30 in 4..=10_000) -> (value) f64;

    /// The middle value of the window.
    Median = "median", "Rolling median", Statistic, overlay: false;
        f64(real) => median_lookback, median_open, MedianStream(period);
        (period: usize = 30 in 2..=10_000) -> (value) f64;

    /// The value below which the given percent of the window lies (nearest rank).
    Percentile = "percentile", "Rolling percentile", Statistic, overlay: false;
        f64(real) => percentile_lookback, percentile_open, PercentileStream(period, percentile);
        (period: usize = 100 in 2..=10_000, percentile: f64 = 50.0 in 0.0..=100.0) -> (value) f64;

    /// The percent of the values before it in the window that the newest value is not below.
    PercentRank = "percentrank", "Percent rank", Statistic, overlay: false;
        f64(real) => percentrank_lookback, percentrank_open, PercentrankStream(period);
        (period: usize = 100 in 2..=10_000) -> (value) f64;

    /// The population standard deviation of the window, times the given number.
    StandardDeviation = "stddev", "Standard deviation", Statistic, overlay: false;
        f64(real) => stddev_lookback, stddev_open, StddevStream(period, deviations);
        (period: usize = 5 in 2..=100_000, deviations: f64 = 1.0 in 0.0..=1e12) -> (value) f64;

    /// The population variance of the window.
    Variance = "var", "Variance", Statistic, overlay: false;
        f64(real) => var_lookback, var_open, VarStream(period, deviations);
        (period: usize = 5 in 1..=100_000, deviations: f64 = 1.0 in 0.0..=1e12) -> (value) f64;

    /// The highest value of the window.
    Highest = "max", "Highest value", Statistic, overlay: false;
        f64(real) => max_lookback, max_open, MaxStream(period);
        (period: usize = 30 in 2..=100_000) -> (value) f64;

    /// The lowest value of the window.
    Lowest = "min", "Lowest value", Statistic, overlay: false;
        f64(real) => min_lookback, min_open, MinStream(period);
        (period: usize = 30 in 2..=100_000) -> (value) f64;

    /// The sum of the window.
    RollingSum = "sum", "Rolling sum", Statistic, overlay: false;
        f64(real) => sum_lookback, sum_open, SumStream(period);
        (period: usize = 30 in 2..=100_000) -> (value) f64;

    /// Both extremes of the window.
    HighestLowest = "minmax", "Lowest and highest value", Statistic, overlay: false;
        f64(real) => minmax_lookback, minmax_open, MinmaxStream(period);
        (period: usize = 30 in 2..=100_000) -> (lowest, highest) HighestLowestOutput;
}
