//! Volume measures that `ta-lib` computes.

use ta_lib::MAType;

use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`Klinger`] yields.
    KlingerOutput { kvo: "The oscillator.", signal: "Its exponential average." }
}

from_ta_lib! {
    /// The running sum of volume weighted by where the close stood in its bar (M. Chaikin).
    AccumulationDistribution = "ad", "Accumulation/distribution line", Volume, overlay: false;
        Candle(high, low, close, volume) => ad_lookback, ad_open, AdStream();
        () -> (value) f64;

    /// A fast less a slow EMA of the accumulation/distribution line.
    ChaikinOscillator = "adosc", "Chaikin oscillator", Volume, overlay: false;
        Candle(high, low, close, volume) => adosc_lookback, adosc_open, AdoscStream(fast, slow);
        (fast: usize = 3 in 2..=100_000, slow: usize = 10 in 2..=100_000) -> (value) f64;

    /// Volume weighted by where the close stood in its bar, over the window's volume, from -1 to 1.
    ChaikinMoneyFlow = "cmf", "Chaikin money flow", Volume, overlay: false;
        Candle(high, low, close, volume) => cmf_lookback, cmf_open, CmfStream(period);
        (period: usize = 20 in 2..=100_000) -> (value) f64;

    /// The EMA of price change times volume.
    ForceIndex = "efi", "Elder force index", Volume, overlay: false;
        Candle(close, volume) => efi_lookback, efi_open, EfiStream(period);
        (period: usize = 13 in 1..=100_000) -> (value) f64;

    /// How far the midpoint moved for the volume it took, averaged (R. Arms).
    EaseOfMovement = "emv", "Ease of movement", Volume, overlay: false;
        Candle(high, low, volume) => emv_lookback, emv_open, EmvStream(period, volume_divisor);
        (period: usize = 14 in 1..=100_000, volume_divisor: f64 = 10000.0 in 1.0..=1e12) -> (value) f64;

    /// Two averages of signed volume apart, and their signal line.
    Klinger = "kvo", "Klinger volume oscillator", Volume, overlay: false;
        Candle(high, low, close, volume) => kvo_lookback, kvo_open, KvoStream(fast, slow, signal);
        (
            fast: usize = 34 in 2..=100_000,
            slow: usize = 55 in 2..=100_000,
            signal: usize = 13 in 2..=100_000,
        ) -> (kvo, signal) KlingerOutput;

    /// The range of the bar over its volume (B. Williams).
    MarketFacilitation = "marketfi", "Market facilitation index", Volume, overlay: false;
        Candle(high, low, volume) => marketfi_lookback, marketfi_open, MarketfiStream();
        () -> (value) f64;

    /// An index that follows price on bars of falling volume.
    NegativeVolume = "nvi", "Negative volume index", Volume, overlay: false;
        Candle(close, volume) => nvi_lookback, nvi_open, NviStream();
        () -> (value) f64;

    /// An index that follows price on bars of rising volume.
    PositiveVolume = "pvi", "Positive volume index", Volume, overlay: false;
        Candle(close, volume) => pvi_lookback, pvi_open, PviStream();
        () -> (value) f64;

    /// The running sum of volume, added on rises and taken off on falls (J. Granville).
    OnBalanceVolume = "obv", "On-balance volume", Volume, overlay: false;
        Candle(close, volume) => obv_lookback, obv_open, ObvStream();
        () -> (value) f64;

    /// A fast less a slow exponential average of volume, in percent of the slow one.
    Pvo = "pvo", "Percentage volume oscillator", Volume, overlay: false;
        Candle(volume) => pvo_lookback, pvo_open, PvoStream(fast, slow, MAType::EMA);
        (fast: usize = 12 in 2..=100_000, slow: usize = 26 in 2..=100_000) -> (value) f64;

    /// The running sum of volume times the relative change of price.
    PriceVolumeTrend = "pvt", "Price volume trend", Volume, overlay: false;
        Candle(close, volume) => pvt_lookback, pvt_open, PvtStream();
        () -> (value) f64;

    /// The bar's volume over the average of the bars before it.
    RelativeVolume = "rvol", "Relative volume", Volume, overlay: false;
        Candle(volume) => rvol_lookback, rvol_open, RvolStream(period);
        (period: usize = 20 in 1..=100_000) -> (value) f64;

    /// The average of the typical price weighted by volume, over every bar so far.
    Vwap = "vwap", "VWAP since the first bar", Volume, overlay: true;
        Candle(high, low, close, volume) => vwap_lookback, vwap_open, VwapStream();
        () -> (value) f64;

    /// The running sum of the close's distance from the true low or true high (L. Williams).
    WilliamsAd = "wad", "Williams accumulation/distribution", Volume, overlay: false;
        Candle(high, low, close) => wad_lookback, wad_open, WadStream();
        () -> (value) f64;
}
