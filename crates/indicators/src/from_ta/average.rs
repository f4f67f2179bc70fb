//! Moving averages that `ta-lib` computes.

use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`Mama`] yields.
    MamaOutput { mama: "The adaptive average.", fama: "Its slower follower." }
}

from_ta_lib! {
    /// An average in which the newest value weighs most and weights fall by equal steps.
    Wma = "wma", "Weighted moving average", Average, overlay: true;
        f64(real) => wma_lookback, wma_open, WmaStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// Twice the EMA less the EMA of the EMA, which takes out part of the lag.
    Dema = "dema", "Double exponential moving average", Average, overlay: true;
        f64(real) => dema_lookback, dema_open, DemaStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// The EMA corrected twice for its own lag.
    Tema = "tema", "Triple exponential moving average", Average, overlay: true;
        f64(real) => tema_lookback, tema_open, TemaStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// Six EMAs in a row, combined so that the line is smooth with little lag.
    T3 = "t3", "Tillson T3", Average, overlay: true;
        f64(real) => t3_lookback, t3_open, T3Stream(period, volume_factor);
        (period: usize = 5 in 1..=100_000, volume_factor: f64 = 0.7 in 0.0..=1.0) -> (value) f64;

    /// An average whose weights rise to the middle of the window and fall again.
    Trima = "trima", "Triangular moving average", Average, overlay: true;
        f64(real) => trima_lookback, trima_open, TrimaStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// An exponential average that speeds up when prices move straight and slows down in noise (P. Kaufman, 1995).
    Kama = "kama", "Kaufman adaptive moving average", Average, overlay: true;
        f64(real) => kama_lookback, kama_open, KamaStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// A weighted average built from averages of half and full length, to follow turns sooner.
    Hma = "hma", "Hull moving average", Average, overlay: true;
        f64(real) => hma_lookback, hma_open, HmaStream(period);
        (period: usize = 20 in 1..=100_000) -> (value) f64;

    /// An EMA of the value plus its change over half the period.
    Zlema = "zlema", "Zero-lag exponential moving average", Average, overlay: true;
        f64(real) => zlema_lookback, zlema_open, ZlemaStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// An average under a bell curve whose centre sits near the newest value.
    Alma = "alma", "Arnaud Legoux moving average", Average, overlay: true;
        f64(real) => alma_lookback, alma_open, AlmaStream(period, sigma, offset);
        (
            period: usize = 9 in 1..=100_000,
            sigma: f64 = 6.0 in 0.01..=1e12,
            offset: f64 = 0.85 in 0.0..=1.0,
        ) -> (value) f64;

    /// An exponential average whose speed follows the fractal dimension of the range (J. Ehlers).
    Frama = "frama", "Fractal adaptive moving average", Average, overlay: true;
        Candle(high, low) => frama_lookback, frama_open, FramaStream(period);
        (period: usize = 16 in 2..=100_000) -> (value) f64;

    /// An adaptive average steered by the phase of the dominant cycle, and its slower follower (J. Ehlers).
    Mama = "mama", "MESA adaptive moving average", Average, overlay: true;
        f64(real) => mama_lookback, mama_open, MamaStream(fast_limit, slow_limit);
        (fast_limit: f64 = 0.5 in 0.01..=0.99, slow_limit: f64 = 0.05 in 0.01..=0.99) -> (mama, fama) MamaOutput;

    /// An average that adjusts its speed to the distance of price from it.
    McGinley = "mcgd", "McGinley dynamic", Average, overlay: true;
        f64(real) => mcgd_lookback, mcgd_open, McgdStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// An exponential average whose speed follows the Chande momentum oscillator.
    Vidya = "vidya", "Variable index dynamic average", Average, overlay: true;
        f64(real) => vidya_lookback, vidya_open, VidyaStream(period, cmo_period);
        (period: usize = 12 in 1..=100_000, cmo_period: usize = 9 in 2..=100_000) -> (value) f64;

    /// A moving average of the close in which each bar weighs as much as its volume.
    Vwma = "vwma", "Volume-weighted moving average", Average, overlay: true;
        Candle(close, volume) => vwma_lookback, vwma_open, VwmaStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// Half way between the highest and lowest value of the window.
    Midpoint = "midpoint", "Midpoint over period", Average, overlay: true;
        f64(real) => midpoint_lookback, midpoint_open, MidpointStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// Half way between the highest high and the lowest low of the window.
    Midprice = "midprice", "Midprice over period", Average, overlay: true;
        Candle(high, low) => midprice_lookback, midprice_open, MidpriceStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The price with its dominant cycle averaged away (J. Ehlers).
    HilbertTrendline = "ht_trendline", "Hilbert transform trendline", Average, overlay: true;
        f64(real) => ht_trendline_lookback, ht_trendline_open, HtTrendlineStream();
        () -> (value) f64;

    /// A two-pole low-pass filter (J. Ehlers, Swiss Army Knife indicator).
    Butterworth = "swak_butter", "Butterworth filter", Average, overlay: true;
        f64(real) => swak_butter_lookback, swak_butter_open, SwakButterStream(period);
        (period: usize = 20 in 2..=10_000) -> (value) f64;

    /// A two-pole Gaussian low-pass filter (J. Ehlers, Swiss Army Knife indicator).
    GaussianFilter = "swak_gauss", "Gaussian filter", Average, overlay: true;
        f64(real) => swak_gauss_lookback, swak_gauss_open, SwakGaussStream(period);
        (period: usize = 20 in 2..=10_000) -> (value) f64;
}
