//! Trend measures and trailing stops that `ta-lib` computes.

use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`Aroon`] yields.
    AroonOutput { down: "How recently the lowest low came.", up: "How recently the highest high came." }
}

outputs! {
    /// What [`Supertrend`] yields.
    SupertrendOutput { stop: "The stop.", direction: "1 up, -1 down." }
}

outputs! {
    /// What [`Ichimoku`] yields.
    IchimokuOutput {
        conversion: "The conversion line (tenkan-sen).",
        base: "The base line (kijun-sen).",
        span_a: "The first edge of the cloud (senkou span A).",
        span_b: "The second edge of the cloud (senkou span B).",
    }
}

outputs! {
    /// What [`ChandeKrollStop`] yields.
    ChandeKrollStopOutput { high_stop: "The stop below the highs.", low_stop: "The stop above the lows." }
}

outputs! {
    /// What [`ElderRay`] yields.
    ElderRayOutput { bull: "The high less the average.", bear: "The low less the average." }
}

outputs! {
    /// What [`Fractal`] yields.
    FractalOutput {
        swing_high: "100 on the bar that confirms a swing high.",
        swing_low: "100 on the bar that confirms a swing low.",
    }
}

outputs! {
    /// What [`Vortex`] yields.
    VortexOutput { plus: "The upward part.", minus: "The downward part." }
}

outputs! {
    /// What [`ZigZag`] yields.
    ZigZagOutput {
        extreme: "The running extreme.",
        direction: "1 up, -1 down.",
        pivot: "The number of the pivot bar, the first bar being 0.",
    }
}

from_ta_lib! {
    /// The mean of the ADX now and a period ago (W. Wilder).
    Adxr = "adxr", "ADX rating", Trend, overlay: false;
        Candle(high, low, close) => adxr_lookback, adxr_open, AdxrStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The distance of the two directional indicators over their sum, from 0 to 100 (W. Wilder).
    Dx = "dx", "Directional movement index", Trend, overlay: false;
        Candle(high, low, close) => dx_lookback, dx_open, DxStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The share of upward movement in the true range (W. Wilder).
    PlusDi = "plus_di", "Plus directional indicator", Trend, overlay: false;
        Candle(high, low, close) => plus_di_lookback, plus_di_open, PlusDiStream(period);
        (period: usize = 14 in 1..=100_000) -> (value) f64;

    /// The share of downward movement in the true range (W. Wilder).
    MinusDi = "minus_di", "Minus directional indicator", Trend, overlay: false;
        Candle(high, low, close) => minus_di_lookback, minus_di_open, MinusDiStream(period);
        (period: usize = 14 in 1..=100_000) -> (value) f64;

    /// Wilder-smoothed upward movement, in units of price.
    PlusDm = "plus_dm", "Plus directional movement", Trend, overlay: false;
        Candle(high, low) => plus_dm_lookback, plus_dm_open, PlusDmStream(period);
        (period: usize = 14 in 1..=100_000) -> (value) f64;

    /// Wilder-smoothed downward movement, in units of price.
    MinusDm = "minus_dm", "Minus directional movement", Trend, overlay: false;
        Candle(high, low) => minus_dm_lookback, minus_dm_open, MinusDmStream(period);
        (period: usize = 14 in 1..=100_000) -> (value) f64;

    /// How recently the highest high and the lowest low of the window came, from 0 to 100 (T. Chande).
    Aroon = "aroon", "Aroon", Trend, overlay: false;
        Candle(high, low) => aroon_lookback, aroon_open, AroonStream(period);
        (period: usize = 14 in 2..=100_000) -> (down, up) AroonOutput;

    /// Aroon up less Aroon down.
    AroonOscillator = "aroonosc", "Aroon oscillator", Trend, overlay: false;
        Candle(high, low) => aroonosc_lookback, aroonosc_open, AroonoscStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// Wilder's stop and reverse: a stop that closes in faster the longer the trend makes new extremes.
    ParabolicSar = "sar", "Parabolic SAR", Trend, overlay: true;
        Candle(high, low) => sar_lookback, sar_open, SarStream(acceleration, maximum);
        (acceleration: f64 = 0.02 in 0.0..=1e12, maximum: f64 = 0.2 in 0.0..=1e12) -> (value) f64;

    /// A stop that trails the median price by a multiple of the ATR, and the side it is on (1 up, -1 down).
    Supertrend = "supertrend", "Supertrend", Trend, overlay: true;
        Candle(high, low, close) => supertrend_lookback, supertrend_open, SupertrendStream(period, multiplier);
        (
            period: usize = 10 in 2..=100_000,
            multiplier: f64 = 3.0 in 0.0..=1e12,
        ) -> (stop, direction) SupertrendOutput;

    /// Conversion and base line and the two edges of the cloud, each at the bar on which it is computed: a chart
    /// draws the cloud ahead.
    Ichimoku = "ichimoku", "Ichimoku", Trend, overlay: true;
        Candle(high, low) => ichimoku_lookback, ichimoku_open, IchimokuStream(conversion, base, span_b);
        (
            conversion: usize = 9 in 2..=100_000,
            base: usize = 26 in 2..=100_000,
            span_b: usize = 52 in 2..=100_000,
        ) -> (conversion, base, span_a, span_b) IchimokuOutput;

    /// Two stops, each a multiple of the ATR from an extreme.
    ChandeKrollStop = "cksp", "Chande Kroll stop", Trend, overlay: true;
        Candle(high, low, close) => cksp_lookback, cksp_open, CkspStream(period, multiplier, stop_period);
        (
            period: usize = 10 in 2..=100_000,
            multiplier: f64 = 1.0 in 0.0..=1e12,
            stop_period: usize = 9 in 1..=100_000,
        ) -> (high_stop, low_stop) ChandeKrollStopOutput;

    /// The path travelled against the ground gained on a log scale: near 100 choppy, near 0 trending (E. Dreiss).
    Choppiness = "chop", "Choppiness index", Trend, overlay: false;
        Candle(high, low, close) => chop_lookback, chop_open, ChopStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The choppiness index with gaps counted in the range.
    ChoppinessTrueRange = "choptr", "Choppiness index over true range", Trend, overlay: false;
        Candle(high, low, close) => choptr_lookback, choptr_open, ChoptrStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The correlation of price with time, from -1 to 1 (J. Ehlers).
    CorrelationTrend = "cti", "Correlation trend indicator", Trend, overlay: false;
        f64(real) => cti_lookback, cti_open, CtiStream(period);
        (period: usize = 20 in 2..=100_000) -> (value) f64;

    /// The net change over the path travelled, from 0 to 1.
    EfficiencyRatio = "er", "Kaufman efficiency ratio", Trend, overlay: false;
        f64(real) => er_lookback, er_open, ErStream(period);
        (period: usize = 10 in 2..=100_000) -> (value) f64;

    /// High and low less the EMA of the close: the power of bulls and bears.
    ElderRay = "eri", "Elder ray", Trend, overlay: false;
        Candle(high, low, close) => eri_lookback, eri_open, EriStream(period);
        (period: usize = 13 in 1..=100_000) -> (bull, bear) ElderRayOutput;

    /// A swing high or low, told when the bars after it have confirmed it (100) and not before.
    Fractal = "fractal", "Williams fractal", Trend, overlay: false;
        Candle(high, low) => fractal_lookback, fractal_open, FractalStream(left, right);
        (left: usize = 2 in 1..=100_000, right: usize = 2 in 1..=100_000) -> (swing_high, swing_low) FractalOutput;

    /// The range of closes over the path travelled.
    VerticalHorizontal = "vhf", "Vertical horizontal filter", Trend, overlay: false;
        f64(real) => vhf_lookback, vhf_open, VhfStream(period);
        (period: usize = 28 in 2..=100_000) -> (value) f64;

    /// Upward and downward vortex movement over the true range.
    Vortex = "vortex", "Vortex indicator", Trend, overlay: false;
        Candle(high, low, close) => vortex_lookback, vortex_open, VortexStream(period);
        (period: usize = 14 in 1..=100_000) -> (plus, minus) VortexOutput;

    /// The running extreme of the leg now under way, the leg's direction, and how many bars after the first its pivot
    /// came. It never repaints.
    ZigZag = "zigzag", "Zig zag", Trend, overlay: true;
        Candle(high, low) => zigzag_lookback, zigzag_open, ZigzagStream(sensitivity, trend_length_min);
        (
            sensitivity: f64 = 5.0 in 0.0..=100.0,
            trend_length_min: usize = 1 in 1..=100_000,
        ) -> (extreme, direction, pivot) ZigZagOutput;

    /// The slope of the least-squares line through the window, per bar.
    LinearSlope = "linearreg_slope", "Linear regression slope", Trend, overlay: false;
        f64(real) => linearreg_slope_lookback, linearreg_slope_open, LinearregSlopeStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The end of the least-squares line through the window.
    LinearRegression = "linearreg", "Linear regression", Trend, overlay: true;
        f64(real) => linearreg_lookback, linearreg_open, LinearregStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The slope of the least-squares line as an angle in degrees.
    LinearAngle = "linearreg_angle", "Linear regression angle", Trend, overlay: false;
        f64(real) => linearreg_angle_lookback, linearreg_angle_open, LinearregAngleStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The start of the least-squares line through the window.
    LinearIntercept = "linearreg_intercept", "Linear regression intercept", Trend, overlay: true;
        f64(real) => linearreg_intercept_lookback, linearreg_intercept_open, LinearregInterceptStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The least-squares line continued by one bar.
    TimeSeriesForecast = "tsf", "Time series forecast", Trend, overlay: true;
        f64(real) => tsf_lookback, tsf_open, TsfStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;
}
