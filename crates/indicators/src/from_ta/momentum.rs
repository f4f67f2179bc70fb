//! Momentum oscillators that `ta-lib` computes.

use ta_lib::MAType;

use crate::MacdOutput;
use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`Stochastic`] yields.
    StochasticOutput { k: "The smoothed place in the range, 0 to 100.", d: "The average of k." }
}

outputs! {
    /// What [`StochasticFast`] yields.
    StochasticFastOutput { k: "The place in the range, 0 to 100.", d: "The average of k." }
}

outputs! {
    /// What [`StochasticRsi`] yields.
    StochasticRsiOutput { k: "The place in the range, 0 to 100.", d: "The average of k." }
}

outputs! {
    /// What [`Kdj`] yields.
    KdjOutput { k: "K.", d: "D, the average of K.", j: "J = 3K - 2D." }
}

outputs! {
    /// What [`Smi`] yields.
    SmiOutput { smi: "The index.", signal: "Its exponential average." }
}

outputs! {
    /// What [`Fisher`] yields.
    FisherOutput { fisher: "The transform.", trigger: "Its value one bar before." }
}

outputs! {
    /// What [`Kst`] yields.
    KstOutput { kst: "The weighted sum.", signal: "Its simple average." }
}

outputs! {
    /// What [`SqueezeMomentum`] yields.
    SqueezeMomentumOutput { momentum: "The slope.", squeeze: "How tight the squeeze is: 0 none, then 1 to 3." }
}

outputs! {
    /// What [`WaveTrend`] yields.
    WaveTrendOutput { wave: "The oscillator.", signal: "Its simple average." }
}

from_ta_lib! {
    /// The awesome oscillator less its own average (B. Williams).
    Accelerator = "ac", "Accelerator oscillator", Momentum, overlay: false;
        Candle(high, low) => ac_lookback, ac_open, AcStream(fast, slow, signal);
        (
            fast: usize = 5 in 2..=100_000,
            slow: usize = 34 in 2..=100_000,
            signal: usize = 5 in 2..=100_000,
        ) -> (value) f64;

    /// The difference of a fast and a slow simple average of the median price (B. Williams).
    Awesome = "ao", "Awesome oscillator", Momentum, overlay: false;
        Candle(high, low) => ao_lookback, ao_open, AoStream(fast, slow);
        (fast: usize = 5 in 2..=100_000, slow: usize = 34 in 2..=100_000) -> (value) f64;

    /// A fast exponential average less a slow one, in units of price.
    Apo = "apo", "Absolute price oscillator", Momentum, overlay: false;
        f64(real) => apo_lookback, apo_open, ApoStream(fast, slow, MAType::EMA);
        (fast: usize = 12 in 2..=100_000, slow: usize = 26 in 2..=100_000) -> (value) f64;

    /// A fast exponential average less a slow one, in percent of the slow one.
    Ppo = "ppo", "Percentage price oscillator", Momentum, overlay: false;
        f64(real) => ppo_lookback, ppo_open, PpoStream(fast, slow, MAType::EMA);
        (fast: usize = 12 in 2..=100_000, slow: usize = 26 in 2..=100_000) -> (value) f64;

    /// The MACD with the smoothing constants 0.15 and 0.075 of its first publication.
    MacdFix = "macdfix", "MACD fixed at 12/26", Momentum, overlay: false;
        f64(real) => macdfix_lookback, macdfix_open, MacdfixStream(signal);
        (signal: usize = 9 in 1..=100_000) -> (macd, signal, histogram) MacdOutput;

    /// The MACD with simple averages in place of all three exponential ones.
    MacdSimple = "macdext", "MACD over simple averages", Momentum, overlay: false;
        f64(real) =>
            macdext_lookback, macdext_open, MacdextStream(fast, MAType::SMA, slow, MAType::SMA, signal, MAType::SMA);
        (
            fast: usize = 12 in 2..=100_000,
            slow: usize = 26 in 2..=100_000,
            signal: usize = 9 in 1..=100_000,
        ) -> (macd, signal, histogram) MacdOutput;

    /// Where the close stands in the range of the window, smoothed twice by simple averages (G. Lane).
    Stochastic = "stoch", "Stochastic", Momentum, overlay: false;
        Candle(high, low, close) =>
            stoch_lookback, stoch_open, StochStream(fast_k, slow_k, MAType::SMA, slow_d, MAType::SMA);
        (
            fast_k: usize = 5 in 1..=100_000,
            slow_k: usize = 3 in 1..=100_000,
            slow_d: usize = 3 in 1..=100_000,
        ) -> (k, d) StochasticOutput;

    /// Where the close stands in the range of the window, and the simple average of that.
    StochasticFast = "stochf", "Fast stochastic", Momentum, overlay: false;
        Candle(high, low, close) => stochf_lookback, stochf_open, StochfStream(fast_k, fast_d, MAType::SMA);
        (fast_k: usize = 5 in 1..=100_000, fast_d: usize = 3 in 1..=100_000) -> (k, d) StochasticFastOutput;

    /// Where the RSI stands in its own range of the window, and the simple average of that.
    StochasticRsi = "stochrsi", "Stochastic RSI", Momentum, overlay: false;
        f64(real) => stochrsi_lookback, stochrsi_open, StochrsiStream(period, fast_k, fast_d, MAType::SMA);
        (
            period: usize = 14 in 2..=100_000,
            fast_k: usize = 5 in 1..=100_000,
            fast_d: usize = 3 in 1..=100_000,
        ) -> (k, d) StochasticRsiOutput;

    /// The stochastic with Wilder smoothing, and J = 3K - 2D.
    Kdj = "kdj", "KDJ stochastic", Momentum, overlay: false;
        Candle(high, low, close) =>
            kdj_lookback, kdj_open, KdjStream(fast_k, slow_k, MAType::RMA, slow_d, MAType::RMA);
        (
            fast_k: usize = 9 in 1..=100_000,
            slow_k: usize = 3 in 1..=100_000,
            slow_d: usize = 3 in 1..=100_000,
        ) -> (k, d, j) KdjOutput;

    /// The distance of the typical price from its average, in units of 0.015 mean deviations (D. Lambert).
    Cci = "cci", "Commodity channel index", Momentum, overlay: false;
        Candle(high, low, close) => cci_lookback, cci_open, CciStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The change over the period, in percent.
    Roc = "roc", "Rate of change", Momentum, overlay: false;
        f64(real) => roc_lookback, roc_open, RocStream(period);
        (period: usize = 10 in 1..=100_000) -> (value) f64;

    /// The change over the period, as a fraction.
    Rocp = "rocp", "Rate of change as fraction", Momentum, overlay: false;
        f64(real) => rocp_lookback, rocp_open, RocpStream(period);
        (period: usize = 10 in 1..=100_000) -> (value) f64;

    /// The value divided by the one a period ago.
    Rocr = "rocr", "Rate of change as ratio", Momentum, overlay: false;
        f64(real) => rocr_lookback, rocr_open, RocrStream(period);
        (period: usize = 10 in 1..=100_000) -> (value) f64;

    /// A hundred times the value divided by the one a period ago.
    Rocr100 = "rocr100", "Rate of change as ratio, scale 100", Momentum, overlay: false;
        f64(real) => rocr100_lookback, rocr100_open, Rocr100Stream(period);
        (period: usize = 10 in 1..=100_000) -> (value) f64;

    /// The change over the period, in units of price.
    Momentum = "mom", "Momentum", Momentum, overlay: false;
        f64(real) => mom_lookback, mom_open, MomStream(period);
        (period: usize = 10 in 1..=100_000) -> (value) f64;

    /// How far the close lies below the highest high, in percent of the range, from -100 to 0 (L. Williams).
    WilliamsR = "willr", "Williams %R", Momentum, overlay: false;
        Candle(high, low, close) => willr_lookback, willr_open, WillrStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The share of typical price times volume that traded on rising bars, from 0 to 100.
    Mfi = "mfi", "Money flow index", Momentum, overlay: false;
        Candle(high, low, close, volume) => mfi_lookback, mfi_open, MfiStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The one-bar change of an EMA of an EMA of an EMA, in percent.
    Trix = "trix", "TRIX", Momentum, overlay: false;
        f64(real) => trix_lookback, trix_open, TrixStream(period);
        (period: usize = 30 in 1..=100_000) -> (value) f64;

    /// Buying pressure over three periods, weighted 4, 2 and 1 (L. Williams).
    Ultimate = "ultosc", "Ultimate oscillator", Momentum, overlay: false;
        Candle(high, low, close) => ultosc_lookback, ultosc_open, UltoscStream(first, second, third);
        (
            first: usize = 7 in 1..=100_000,
            second: usize = 14 in 1..=100_000,
            third: usize = 28 in 1..=100_000,
        ) -> (value) f64;

    /// Gains less losses over gains plus losses, Wilder-smoothed, from -100 to 100.
    Cmo = "cmo", "Chande momentum oscillator", Momentum, overlay: false;
        f64(real) => cmo_lookback, cmo_open, CmoStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// Gains less losses over gains plus losses of the window, from -100 to 100.
    CmoUnsmoothed = "cmou", "Chande momentum oscillator, unsmoothed", Momentum, overlay: false;
        f64(real) => cmou_lookback, cmou_open, CmouStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// The change smoothed twice, over its absolute value smoothed twice, times 100 (W. Blau).
    Tsi = "tsi", "True strength index", Momentum, overlay: false;
        f64(real) => tsi_lookback, tsi_open, TsiStream(first, second);
        (first: usize = 25 in 2..=100_000, second: usize = 13 in 2..=100_000) -> (value) f64;

    /// The distance of the close from the middle of its range, smoothed twice (W. Blau).
    Smi = "smi", "Stochastic momentum index", Momentum, overlay: false;
        Candle(high, low, close) => smi_lookback, smi_open, SmiStream(period, fast, slow, signal);
        (
            period: usize = 13 in 2..=100_000,
            fast: usize = 2 in 2..=100_000,
            slow: usize = 25 in 2..=100_000,
            signal: usize = 9 in 2..=100_000,
        ) -> (smi, signal) SmiOutput;

    /// The body of the bar over its range, from -1 to 1.
    BalanceOfPower = "bop", "Balance of power", Momentum, overlay: false;
        Candle(open, high, low, close) => bop_lookback, bop_open, BopStream();
        () -> (value) f64;

    /// Where the weight of the window's prices lies (J. Ehlers).
    CenterOfGravity = "cg", "Centre of gravity oscillator", Momentum, overlay: false;
        f64(real) => cg_lookback, cg_open, CgStream(period);
        (period: usize = 10 in 2..=100_000) -> (value) f64;

    /// A weighted average of the sum of two rates of change.
    Coppock = "coppock", "Coppock curve", Momentum, overlay: false;
        f64(real) => coppock_lookback, coppock_open, CoppockStream(average_period, roc1, roc2);
        (
            average_period: usize = 10 in 1..=100_000,
            roc1: usize = 11 in 1..=100_000,
            roc2: usize = 14 in 1..=100_000,
        ) -> (value) f64;

    /// The mean of an RSI, an RSI of the streak of rises or falls, and a percent rank.
    ConnorsRsi = "crsi", "Connors RSI", Momentum, overlay: false;
        f64(real) => crsi_lookback, crsi_open, CrsiStream(period, streak_period, rank_period);
        (
            period: usize = 3 in 2..=100_000,
            streak_period: usize = 2 in 2..=100_000,
            rank_period: usize = 100 in 2..=10_000,
        ) -> (value) f64;

    /// A twice smoothed RSI less its own average (C. Brown).
    DerivativeOscillator = "dosc", "Derivative oscillator", Momentum, overlay: false;
        f64(real) => dosc_lookback, dosc_open, DoscStream(period, first, second, signal);
        (
            period: usize = 14 in 2..=100_000,
            first: usize = 5 in 2..=100_000,
            second: usize = 3 in 2..=100_000,
            signal: usize = 9 in 2..=100_000,
        ) -> (value) f64;

    /// Price less a simple average as it was half a period before.
    Dpo = "dpo", "Detrended price oscillator", Momentum, overlay: false;
        f64(real) => dpo_lookback, dpo_open, DpoStream(period);
        (period: usize = 20 in 2..=100_000) -> (value) f64;

    /// The place in the range, transformed so that extremes stand out (J. Ehlers), and its value one bar before.
    Fisher = "fisher", "Fisher transform", Momentum, overlay: false;
        Candle(high, low) => fisher_lookback, fisher_open, FisherStream(period);
        (period: usize = 10 in 2..=100_000) -> (fisher, trigger) FisherOutput;

    /// The distance of price from the regression forecast made one bar before, in percent.
    ForecastOscillator = "fosc", "Forecast oscillator", Momentum, overlay: false;
        f64(real) => fosc_lookback, fosc_open, FoscStream(period);
        (period: usize = 5 in 2..=100_000) -> (value) f64;

    /// Where the close stands within its own bar, from 0 to 1.
    InternalBarStrength = "ibs", "Internal bar strength", Momentum, overlay: false;
        Candle(high, low, close) => ibs_lookback, ibs_open, IbsStream();
        () -> (value) f64;

    /// The share of rising bodies in all bodies of the window, from 0 to 100.
    IntradayMomentum = "imi", "Intraday momentum index", Momentum, overlay: false;
        Candle(open, close) => imi_lookback, imi_open, ImiStream(period);
        (period: usize = 14 in 2..=100_000) -> (value) f64;

    /// Four smoothed rates of change added with weights 1 to 4, and the average of the sum (M. Pring).
    Kst = "kst", "Know sure thing", Momentum, overlay: false;
        f64(real) => kst_lookback, kst_open, KstStream(roc1, roc2, roc3, roc4, sma1, sma2, sma3, sma4, signal);
        (
            roc1: usize = 10 in 1..=100_000,
            roc2: usize = 15 in 1..=100_000,
            roc3: usize = 20 in 1..=100_000,
            roc4: usize = 30 in 1..=100_000,
            sma1: usize = 10 in 1..=100_000,
            sma2: usize = 10 in 1..=100_000,
            sma3: usize = 10 in 1..=100_000,
            sma4: usize = 15 in 1..=100_000,
            signal: usize = 9 in 1..=100_000,
        ) -> (kst, signal) KstOutput;

    /// A smoothed stochastic squeezed between -1 and 1.
    PremierStochastic = "pso", "Premier stochastic oscillator", Momentum, overlay: false;
        Candle(high, low, close) => pso_lookback, pso_open, PsoStream(fast_k, ema_period);
        (fast_k: usize = 8 in 1..=100_000, ema_period: usize = 5 in 1..=100_000) -> (value) f64;

    /// The simple average of close less open (T. Chande).
    Qstick = "qstick", "Qstick", Momentum, overlay: false;
        Candle(open, close) => qstick_lookback, qstick_open, QstickStream(period);
        (period: usize = 10 in 1..=100_000) -> (value) f64;

    /// A stochastic of a stochastic of the MACD, from 0 to 100.
    SchaffTrendCycle = "stc", "Schaff trend cycle", Momentum, overlay: false;
        f64(real) => stc_lookback, stc_open, StcStream(fast, slow, cycle);
        (
            fast: usize = 23 in 2..=100_000,
            slow: usize = 50 in 2..=100_000,
            cycle: usize = 10 in 2..=100_000,
        ) -> (value) f64;

    /// The slope of price around its channel, and how tightly the Bollinger bands sit in the Keltner channels.
    SqueezeMomentum = "sqzmom", "Squeeze momentum", Momentum, overlay: false;
        Candle(high, low, close) =>
            sqzmom_lookback, sqzmom_open, SqzmomStream(band_period, deviations, channel_period, wide, normal, narrow);
        (
            band_period: usize = 20 in 2..=100_000,
            deviations: f64 = 2.0 in 0.0..=1e12,
            channel_period: usize = 20 in 2..=100_000,
            wide: f64 = 2.0 in 0.0..=1e12,
            normal: f64 = 1.5 in 0.0..=1e12,
            narrow: f64 = 1.0 in 0.0..=1e12,
        ) -> (momentum, squeeze) SqueezeMomentumOutput;

    /// The distance of the typical price from its average in units of its mean deviation, smoothed, and its signal
    /// line.
    WaveTrend = "wavetrend", "WaveTrend oscillator", Momentum, overlay: false;
        Candle(high, low, close) =>
            wavetrend_lookback, wavetrend_open, WavetrendStream(channel_period, average_period, signal);
        (
            channel_period: usize = 10 in 2..=100_000,
            average_period: usize = 21 in 1..=100_000,
            signal: usize = 4 in 1..=100_000,
        ) -> (wave, signal) WaveTrendOutput;

    /// Wilder's measure of one bar's real swing.
    SwingIndex = "si", "Swing index", Momentum, overlay: false;
        Candle(open, high, low, close) => si_lookback, si_open, SiStream(limit_move);
        (limit_move: f64 = 3.0 in 1e-08..=1e12) -> (value) f64;

    /// The running sum of Wilder's swing index.
    AccumulativeSwing = "asi", "Accumulative swing index", Momentum, overlay: false;
        Candle(open, high, low, close) => asi_lookback, asi_open, AsiStream(limit_move);
        (limit_move: f64 = 3.0 in 1e-08..=1e12) -> (value) f64;
}
