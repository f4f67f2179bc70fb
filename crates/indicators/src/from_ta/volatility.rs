//! Volatility measures and channels that `ta-lib` computes.

use ta_lib::MAType;

use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`AccelerationBands`] yields.
    AccelerationBandsOutput { upper: "The upper band.", middle: "The middle band.", lower: "The lower band." }
}

outputs! {
    /// What [`Keltner`] yields.
    KeltnerOutput { upper: "The upper band.", middle: "The middle band.", lower: "The lower band." }
}

outputs! {
    /// What [`Donchian`] yields.
    DonchianOutput { upper: "The upper band.", middle: "The middle band.", lower: "The lower band." }
}

from_ta_lib! {
    /// The ATR in percent of the close.
    Natr = "natr", "Normalised average true range", Volatility, overlay: false;
        Candle(high, low, close) => natr_lookback, natr_open, NatrStream(period);
        (period: usize = 14 in 1..=100_000) -> (value) f64;

    /// Bands around the simple average that widen with the relative range of the bars (P. Headley).
    AccelerationBands = "accbands", "Acceleration bands", Volatility, overlay: true;
        Candle(high, low, close) => accbands_lookback, accbands_open, AccbandsStream(period);
        (period: usize = 20 in 2..=100_000) -> (upper, middle, lower) AccelerationBandsOutput;

    /// A multiple of the ATR on either side of the EMA.
    Keltner = "kc", "Keltner channels", Volatility, overlay: true;
        Candle(high, low, close) => kc_lookback, kc_open, KcStream(period, atr_period, deviations);
        (
            period: usize = 20 in 2..=100_000,
            atr_period: usize = 10 in 1..=100_000,
            deviations: f64 = 2.0 in 0.0..=1e12,
        ) -> (upper, middle, lower) KeltnerOutput;

    /// The highest high and lowest low of the window, this bar included, and their middle.
    Donchian = "donchian", "Donchian channels", Volatility, overlay: true;
        Candle(high, low) => donchian_lookback, donchian_open, DonchianStream(period);
        (period: usize = 20 in 2..=100_000) -> (upper, middle, lower) DonchianOutput;

    /// The distance between the Bollinger bands in percent of the middle band, as TA-Lib has it;
    /// [`BollingerOutput::width`](crate::BollingerOutput::width) is the fraction.
    BollingerWidth = "bbw", "Bollinger band width in percent", Volatility, overlay: false;
        f64(real) => bbw_lookback, bbw_open, BbwStream(period, deviations_up, deviations_down, MAType::SMA);
        (
            period: usize = 20 in 2..=100_000,
            deviations_up: f64 = 2.0 in 0.0..=1e12,
            deviations_down: f64 = 2.0 in 0.0..=1e12,
        ) -> (value) f64;

    /// Where the value stands between the Bollinger bands: 0 at the lower, 1 at the upper.
    BollingerPosition = "percentb", "Bollinger %B", Volatility, overlay: false;
        f64(real) =>
            percentb_lookback, percentb_open, PercentbStream(period, deviations_up, deviations_down, MAType::SMA);
        (
            period: usize = 20 in 2..=100_000,
            deviations_up: f64 = 2.0 in 0.0..=1e12,
            deviations_down: f64 = 2.0 in 0.0..=1e12,
        ) -> (value) f64;

    /// The simple average of high less low.
    AverageDayRange = "adr", "Average bar range", Volatility, overlay: false;
        Candle(high, low) => adr_lookback, adr_open, AdrStream(period);
        (period: usize = 14 in 1..=100_000) -> (value) f64;

    /// The change of the smoothed range over a period, in percent.
    ChaikinVolatility = "cvi", "Chaikin volatility", Volatility, overlay: false;
        Candle(high, low) => cvi_lookback, cvi_open, CviStream(period, roc_period);
        (period: usize = 10 in 2..=100_000, roc_period: usize = 10 in 1..=100_000) -> (value) f64;

    /// The sum of the ratio of the smoothed range to its own average (D. Dorsey).
    MassIndex = "massi", "Mass index", Volatility, overlay: false;
        Candle(high, low) => massi_lookback, massi_open, MassiStream(fast, slow);
        (fast: usize = 9 in 2..=100_000, slow: usize = 25 in 2..=100_000) -> (value) f64;

    /// Volatility from open, high, low and close that a drift does not bias, annualised.
    RogersSatchell = "rogerssatchell", "Rogers-Satchell volatility", Volatility, overlay: false;
        Candle(open, high, low, close) =>
            rogerssatchell_lookback, rogerssatchell_open, RogerssatchellStream(period, bars_per_year);
        (period: usize = 10 in 1..=100_000, bars_per_year: f64 = 252.0 in 0.0..=1e12) -> (value) f64;

    /// The share of standard deviation that came on rises, from 0 to 100 (D. Dorsey).
    RelativeVolatility = "rvi", "Relative volatility index", Volatility, overlay: false;
        f64(real) => rvi_lookback, rvi_open, RviStream(period, deviation_period);
        (period: usize = 14 in 1..=100_000, deviation_period: usize = 10 in 2..=100_000) -> (value) f64;

    /// The mean of the relative volatility index of the highs and that of the lows.
    RelativeVolatilityRange = "rvir", "Relative volatility index of high and low", Volatility, overlay: false;
        Candle(high, low) => rvir_lookback, rvir_open, RvirStream(period, deviation_period);
        (period: usize = 14 in 1..=100_000, deviation_period: usize = 10 in 2..=100_000) -> (value) f64;
}
