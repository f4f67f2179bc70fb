//! The indicators written out here, against the plainest form of their formulas.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may stop at once and asks for exact values")]

use proptest::prelude::*;
use ta_lib::{Core, FuncUnstId};
use tradewind_indicators::patterns::Scanner;
use tradewind_indicators::regime::{Direction, Phase, RegimeDetector, Turbulence};
use tradewind_indicators::{
    Adx, Atr, Bollinger, Candle, Ema, EwmaVolatility, GarmanKlass, HighLowRange, Indicator, Macd, Parkinson,
    PricePosition, RealizedVolatility, RollingVwap, Rsi, Seed, SessionVwap, Sma, Stochastic, TrueRange, VolumeRatio,
    Wma, YangZhang,
};

fn near(ours: f64, plain: f64, scale: f64) -> bool {
    (ours - plain).abs() <= 1e-9 * scale
}

fn any_prices() -> impl Strategy<Value = Vec<f64>> {
    let price = prop_oneof![9 => 90.0_f64..110.0, 1 => Just(100.0), 1 => 1.0_f64..1e6];
    (prop_oneof![Just(0.0), Just(1e6)], proptest::collection::vec(price, 60..200))
        .prop_map(|(offset, prices)| prices.into_iter().map(|price| price + offset).collect())
}

proptest! {
    /// Running sums stay with the plain ones however far from zero the series lies and whatever passed through it.
    #[test]
    fn rolling_mean_and_spread_equal_the_plain_ones(prices in any_prices(), period in 2_usize..30) {
        let bands = Bollinger::new(period, 1.0, 2.0).unwrap().batch(prices.iter().copied());
        let means = Sma::new(period).unwrap().batch(prices.iter().copied());
        for (end, (bands, mean)) in bands.iter().zip(means).enumerate() {
            let Some(start) = (end + 1).checked_sub(period) else {
                prop_assert!(bands.is_none() && mean.is_none());
                continue;
            };
            let window = &prices[start..=end];
            let plain = window.iter().sum::<f64>() / period as f64;
            let spread = (window.iter().map(|x| (x - plain).powi(2)).sum::<f64>() / period as f64).sqrt();
            let bands = bands.unwrap();
            // what passed through may have been a million; its rounding is what a running sum can keep
            prop_assert!(near(mean.unwrap(), plain, 2_000.0));
            prop_assert!(near(bands.middle, plain, 2_000.0));
            prop_assert!((bands.upper - bands.middle - spread).abs() <= 1e-5 + 1e-6 * spread, "{bands:?} {spread}");
            prop_assert!((bands.middle - bands.lower - 2.0 * spread).abs() <= 2e-5 + 2e-6 * spread);
        }
    }

    #[test]
    fn ranges_and_positions_equal_the_plain_ones(prices in any_prices(), period in 1_usize..30) {
        let candles: Vec<_> = prices.windows(2).map(|p| {
            Candle::new(p[0], p[0].max(p[1]), p[0].min(p[1]), p[1], 1.0)
        }).collect();
        let ranges = HighLowRange::new(period).unwrap().batch(candles.iter().copied());
        let positions = PricePosition::new(period).unwrap().batch(candles.iter().copied());
        for (end, (range, position)) in ranges.into_iter().zip(positions).enumerate() {
            let Some(start) = (end + 1).checked_sub(period) else {
                prop_assert!(range.is_none() && position.is_none());
                continue;
            };
            let window = &candles[start..=end];
            let high = window.iter().map(|candle| candle.high).fold(f64::MIN, f64::max);
            let low = window.iter().map(|candle| candle.low).fold(f64::MAX, f64::min);
            prop_assert_eq!(range, Some((high - low) / candles[end].close));
            prop_assert_eq!(position, (high > low).then(|| (candles[end].close - low) / (high - low)));
        }
    }
}

/// A short walk with wicks and gaps, the same on every run.
fn walk(bars: usize) -> Vec<Candle> {
    let mut close = 100.0_f64;
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..bars)
        .map(|_| {
            let open = close * (1.0 + 0.01 * (uniform() - 0.5));
            close = open * (1.0 + 0.04 * (uniform() - 0.5));
            let (high, low) = (open.max(close) * (1.0 + 0.01 * uniform()), open.min(close) * (1.0 - 0.01 * uniform()));
            Candle::new(open, high, low, close, 1_000.0 * uniform() + 1.0)
        })
        .collect()
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count() as f64
}

fn sample_variance(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

fn last<I: Indicator>(mut indicator: I, inputs: impl IntoIterator<Item = I::Input>) -> I::Output {
    indicator.batch(inputs).pop().flatten().expect("warm")
}

#[test]
fn volatility_estimators_equal_their_published_formulas() {
    let (candles, period, year) = (walk(120), 20, 252.0);
    let window = &candles[candles.len() - period..];
    let before = &candles[candles.len() - period - 1..];
    let closes = || candles.iter().map(|candle| candle.close);
    let log_returns: Vec<_> = before.windows(2).map(|pair| (pair[1].close / pair[0].close).ln()).collect();
    let gaps: Vec<_> = before.windows(2).map(|pair| (pair[1].open / pair[0].close).ln()).collect();
    let bodies: Vec<_> = window.iter().map(|candle| (candle.close / candle.open).ln()).collect();

    let realized = (sample_variance(&log_returns) * year).sqrt();
    assert!(near(last(RealizedVolatility::new(period, year).unwrap(), closes()), realized, 1.0));

    let ln2 = 2.0_f64.ln();
    let parkinson = mean(window.iter().map(|candle| (candle.high / candle.low).ln().powi(2))) / (4.0 * ln2);
    let ours = last(Parkinson::new(period, year).unwrap(), candles.iter().copied());
    assert!(near(ours, (parkinson * year).sqrt(), 1.0));

    let garman_klass = mean(window.iter().map(|candle| {
        0.5 * (candle.high / candle.low).ln().powi(2) - (2.0 * ln2 - 1.0) * (candle.close / candle.open).ln().powi(2)
    }));
    let ours = last(GarmanKlass::new(period, year).unwrap(), candles.iter().copied());
    assert!(near(ours, (garman_klass * year).sqrt(), 1.0));

    let rogers_satchell = mean(window.iter().map(|candle| {
        let Candle { open, high, low, close, .. } = *candle;
        (high / close).ln() * (high / open).ln() + (low / close).ln() * (low / open).ln()
    }));
    let n = period as f64;
    let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
    let yang_zhang = sample_variance(&gaps) + k * sample_variance(&bodies) + (1.0 - k) * rogers_satchell;
    let ours = last(YangZhang::new(period, year).unwrap(), candles.iter().copied());
    assert!(near(ours, (yang_zhang * year).sqrt(), 1.0));

    let all: Vec<_> = candles.windows(2).map(|pair| (pair[1].close / pair[0].close).ln().powi(2)).collect();
    let ewma = all[1..].iter().fold(all[0], |variance, square| 0.94 * variance + 0.06 * square);
    assert!(near(last(EwmaVolatility::new(0.94, year).unwrap(), closes()), (ewma * year).sqrt(), 1.0));
}

#[test]
fn impossible_prices_leave_volatility_as_it_was() {
    let mut volatility = RealizedVolatility::new(2, 252.0).unwrap();
    let mut same = volatility.clone();
    for (price, bad) in [(100.0, 0.0), (101.0, -5.0), (99.0, f64::NAN), (102.0, f64::INFINITY)] {
        assert_eq!(volatility.update(bad), None);
        assert_eq!(volatility.update(price), same.update(price));
    }
}

#[test]
fn a_broken_input_leaves_no_trace_in_the_typed_indicators_either() {
    fn check<I: Indicator + Clone>(indicator: I, inputs: &[I::Input], broken: &[I::Input])
    where
        I::Output: PartialEq + std::fmt::Debug,
    {
        let (mut clean, mut disturbed) = (indicator.clone(), indicator);
        for input in inputs {
            for broken in broken {
                assert_eq!(disturbed.update(*broken), None);
            }
            assert_eq!(clean.update(*input), disturbed.update(*input));
        }
    }
    let candles = walk(60);
    let closes: Vec<_> = candles.iter().map(|candle| candle.close).collect();
    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    check(Sma::new(5).unwrap(), &closes, &numbers);
    check(Ema::new(5).unwrap(), &closes, &numbers);
    check(Ema::seeded(5, Seed::First).unwrap(), &closes, &numbers);
    check(Rsi::new(5).unwrap(), &closes, &numbers);
    check(Macd::new(3, 6, 4).unwrap(), &closes, &numbers);
    check(Bollinger::new(5, 2.0, 2.0).unwrap(), &closes, &numbers);
    check(Wma::new(5).unwrap(), &closes, &numbers);
    let bars = [
        Candle { high: f64::NAN, ..candles[0] },
        Candle { low: f64::NEG_INFINITY, ..candles[0] },
        Candle { close: f64::INFINITY, ..candles[0] },
    ];
    check(TrueRange::new().unwrap(), &candles, &bars);
    check(Atr::new(5).unwrap(), &candles, &bars);
    check(Adx::new(5).unwrap(), &candles, &bars);
    check(Stochastic::new(5, 3, 3).unwrap(), &candles, &bars);
    check(RegimeDetector::new(5, 5, 5, 10).unwrap(), &candles, &bars);
}

/// `ta-lib`'s answer, aligned with the bars.
fn aligned(
    bars: usize,
    call: impl FnOnce(&mut [f64]) -> Result<ta_lib::OutRange, ta_lib::RetCode>,
) -> Vec<Option<f64>> {
    let mut values = vec![0.0; bars];
    let range = call(&mut values).unwrap();
    (0..bars).map(|bar| bar.checked_sub(range.beg_idx).filter(|at| *at < range.count).map(|at| values[at])).collect()
}

#[test]
fn unstable_periods_are_ta_libs() {
    let candles = walk(200);
    let of = |field: fn(&Candle) -> f64| candles.iter().map(field).collect::<Vec<_>>();
    let (high, low, close) = (of(|candle| candle.high), of(|candle| candle.low), of(|candle| candle.close));
    let same = |what: &str, ours: Vec<Option<f64>>, theirs: Vec<Option<f64>>| {
        for (bar, pair) in ours.iter().zip(&theirs).enumerate() {
            let close = match pair {
                (Some(ours), Some(theirs)) => near(*ours, *theirs, theirs.abs().max(1e-3)),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            assert!(close, "{what} bar {bar}: {pair:?}");
        }
    };
    for unstable in [0, 1, 7, 40] {
        let core = Core::builder().unstable_period(FuncUnstId::ALL, unstable).build().unwrap();
        let skip = unstable as usize;
        let end = close.len() - 1;
        let ours = Ema::new(10).unwrap().settled(skip).batch(close.iter().copied());
        same("ema", ours, aligned(200, |out| core.ema(0, end, &close, 10, out)));
        let ours = Rsi::new(14).unwrap().settled(skip).batch(close.iter().copied());
        same("rsi", ours, aligned(200, |out| core.rsi(0, end, &close, 14, out)));
        let ours = Atr::new(14).unwrap().settled(skip).batch(candles.iter().copied());
        same("atr", ours, aligned(200, |out| core.atr(0, end, &high, &low, &close, 14, out)));
        let ours = Adx::new(14).unwrap().settled(skip).batch(candles.iter().copied());
        let ours = ours.into_iter().map(|value| value.map(|value| value.adx)).collect();
        same("adx", ours, aligned(200, |out| core.adx(0, end, &high, &low, &close, 14, out)));
        let ours = Macd::with_unstable_period(12, 26, 9, skip).unwrap().batch(close.iter().copied());
        let ours = ours.into_iter().map(|value| value.map(|value| value.signal)).collect();
        let (mut line, mut histogram) = (vec![0.0; 200], vec![0.0; 200]);
        let theirs = aligned(200, |out| core.macd(0, end, &close, 12, 26, 9, &mut line, out, &mut histogram));
        same("macd", ours, theirs);
    }
}

#[test]
fn a_flat_market_has_no_strength_no_spread_and_no_position() {
    let flat = [Candle::new(5.0, 5.0, 5.0, 5.0, 0.0); 60];
    let closes = || flat.iter().map(|candle| candle.close);
    assert_eq!(last(Rsi::new(14).unwrap(), closes()), 50.0);
    let bands = last(Bollinger::new(20, 2.0, 2.0).unwrap(), closes());
    assert_eq!((bands.upper, bands.middle, bands.lower), (5.0, 5.0, 5.0));
    assert_eq!((bands.width(), bands.position(5.0)), (Some(0.0), None));
    assert_eq!(last(Adx::new(14).unwrap(), flat).adx, 0.0);
    assert_eq!(last(Atr::new(14).unwrap(), flat), 0.0);
    assert_eq!(PricePosition::new(20).unwrap().batch(flat).pop(), Some(None));
    assert_eq!(VolumeRatio::new(20).unwrap().batch(flat).pop(), Some(None));
    assert_eq!(RollingVwap::new(20).unwrap().batch(flat).pop(), Some(None));
    assert_eq!(SessionVwap::new().unwrap().batch(flat).pop(), Some(None));
}

#[test]
fn an_ema_seeded_with_the_first_value_speaks_at_once() {
    let mut ema = Ema::seeded(3, Seed::First).unwrap();
    assert_eq!(ema.batch([8.0, 10.0, 5.0]), [Some(8.0), Some(9.0), Some(7.0)]);
    assert_eq!(ema.lookback(), 0);
    ema.reset();
    assert_eq!(ema.update(1.0), Some(1.0));
}

#[test]
fn session_vwap_starts_again_with_the_session() {
    let bar = |price: f64, volume: f64| Candle::new(price, price, price, price, volume);
    let mut vwap = SessionVwap::new().unwrap();
    assert_eq!(vwap.batch([bar(10.0, 1.0), bar(13.0, 2.0)]), [Some(10.0), Some(12.0)]);
    vwap.start_session();
    assert_eq!(vwap.update(bar(20.0, 0.0)), None);
    assert_eq!(vwap.update(bar(30.0, 5.0)), Some(30.0));
}

#[test]
fn volume_ratio_and_rolling_vwap_count_this_bar() {
    let bar = |price: f64, volume: f64| Candle::new(price, price, price, price, volume);
    let bars = [bar(10.0, 1.0), bar(20.0, 3.0), bar(40.0, 1.0)];
    assert_eq!(VolumeRatio::new(2).unwrap().batch(bars), [None, Some(1.5), Some(0.5)]);
    assert_eq!(RollingVwap::new(2).unwrap().batch(bars), [None, Some(17.5), Some(25.0)]);
}

#[test]
fn a_regime_needs_band_width_and_strength_to_agree() {
    let phases = [(0.05, 30.0), (0.05, 10.0), (0.03, 10.0), (0.03, 30.0), (0.05, 22.0), (0.04, 19.9), (0.0401, 25.1)]
        .map(|(width, adx)| Phase::by_band_width(width).and(Phase::by_adx(adx)));
    use Phase::{Choppy, Neutral, Trending};
    assert_eq!(phases, [Trending, Neutral, Choppy, Neutral, Neutral, Choppy, Trending]);
    let shares = [0.0, 0.19, 0.2, 0.8, 0.81].map(Turbulence::by_share);
    use Turbulence::{Calm, Normal, Turbulent};
    assert_eq!(shares, [Calm, Calm, Normal, Normal, Turbulent]);
    let directions =
        [(103.0, 100.0), (101.0, 100.0), (97.0, 100.0)].map(|(fast, slow)| Direction::between(fast, slow, 0.02));
    assert_eq!(directions, [Direction::Up, Direction::Flat, Direction::Down]);
}

#[test]
fn a_steady_climb_is_a_trend_and_a_tight_oscillation_is_choppy() {
    let bar = |price: f64| Candle::new(price, price * 1.001, price * 0.999, price, 1.0);
    let climb = (0..200_i32).map(|bar_number| bar(100.0 * 1.01_f64.powi(bar_number)));
    let regime = last(RegimeDetector::new(20, 14, 20, 100).unwrap(), climb);
    assert_eq!((regime.phase, regime.direction), (Phase::Trending, Direction::Up));
    let fall = (0..200_i32).map(|bar_number| bar(100.0 * 0.99_f64.powi(bar_number)));
    let regime = last(RegimeDetector::new(20, 14, 20, 100).unwrap(), fall);
    assert_eq!((regime.phase, regime.direction), (Phase::Trending, Direction::Down));
    let swing = (0..200_i32).map(|bar_number| bar(if bar_number % 2 == 0 { 100.0 } else { 100.2 }));
    let regime = last(RegimeDetector::new(20, 14, 20, 100).unwrap(), swing);
    assert_eq!(regime.phase, Phase::Choppy);
    let calm_then_wild = (0..200_i32).map(|n| bar(100.0 + f64::from(n % 2) * if n < 190 { 0.1 } else { 8.0 }));
    let regime = last(RegimeDetector::new(20, 14, 20, 100).unwrap(), calm_then_wild);
    assert_eq!(regime.turbulence, Turbulence::Turbulent);
}

#[test]
fn the_scanner_names_what_the_newest_bar_completes() {
    let mut scanner = Scanner::new().unwrap();
    let bar = |open: f64, close: f64| Candle::new(open, open.max(close) + 0.1, open.min(close) - 0.1, close, 1.0);
    for step in 0..30 {
        let price = 100.0 - f64::from(step);
        scanner.update(&bar(price, price - 1.0)).unwrap();
    }
    let hits = scanner.update(&bar(69.0, 73.0)).unwrap();
    let engulfing = hits.iter().find(|hit| hit.pattern.name == "cdlengulfing").expect("a bullish engulfing");
    assert!(engulfing.strength > 0.0);
    assert_eq!(scanner.update(&Candle { open: f64::NAN, ..bar(1.0, 1.0) }).unwrap_err().code(), "IND-05");
}
