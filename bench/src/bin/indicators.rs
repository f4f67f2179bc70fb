//! W5: RSI, MACD, Bollinger bands, ATR and ADX over ten million points.
//!
//! `indicators batch DATA_DIR|N` writes every output array; `indicators stream DATA_DIR|N` asks for one value a bar and
//! keeps none, each indicator alone and then all five together. DATA_DIR holds `p10m_{h,l,c}.f64`; a number instead
//! makes that many points of a seeded walk. Times are CPU seconds of this thread, best of three; one JSON line at the end.

use std::hint::black_box;
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use tradewind_indicators::{Adx, Atr, Bollinger, Candle, Indicator, Macd, Rsi};

const RUNS: usize = 3;

/// The three series that the five indicators read.
struct Series {
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
}

impl Series {
    fn load(argument: &str) -> Result<Self, String> {
        if let Ok(points) = argument.parse() {
            return Ok(Self::walk(points));
        }
        let read = |letter: &str| {
            let path = Path::new(argument).join(format!("p10m_{letter}.f64"));
            let bytes = std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let number = |chunk: &[u8]| f64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
            Ok::<_, String>(bytes.chunks_exact(8).map(number).collect())
        };
        Ok(Self { high: read("h")?, low: read("l")?, close: read("c")? })
    }

    /// A walk with wicks, the same for the same number of points.
    fn walk(points: usize) -> Self {
        let mut state = 42_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut price = 30_000.0_f64;
        let mut series = Self { high: vec![], low: vec![], close: vec![] };
        for _ in 0..points {
            let open = price;
            price *= 1.0 + 0.001 * (uniform() - 0.5);
            series.high.push(open.max(price) + 10.0 * uniform());
            series.low.push(open.min(price) - 10.0 * uniform());
            series.close.push(price);
        }
        series
    }

    /// Bars of the three series; the five indicators read neither open nor volume.
    #[inline]
    fn candles(&self) -> impl Iterator<Item = Candle> + '_ {
        let prices = self.high.iter().zip(&self.low).zip(&self.close);
        prices.map(|((high, low), close)| Candle::new(*close, *high, *low, *close, 0.0))
    }
}

/// CPU seconds of this thread: wall time says little on a shared machine.
fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// Times of one figure, and the last value as proof that the work was done.
#[derive(Default)]
struct Report(serde_json::Map<String, serde_json::Value>);

impl Report {
    fn time(&mut self, name: &str, mut work: impl FnMut() -> f64) {
        let (mut best, mut last) = (f64::MAX, f64::NAN);
        for _ in 0..RUNS {
            let start = cpu_seconds();
            last = black_box(work());
            best = best.min(cpu_seconds() - start);
        }
        self.0.insert(format!("{name}_s"), best.into());
        self.0.insert(format!("{name}_last"), ((last * 1e4).round() / 1e4).into());
    }
}

type Failure = Box<dyn std::error::Error>;

/// Every output into its array, NaN while warming up.
fn batch(series: &Series, report: &mut Report) -> Result<(), Failure> {
    let points = series.close.len();
    let [mut first, mut second, mut third] = [(); 3].map(|()| vec![1.0; points]);
    report.time("memcpy", || {
        first.copy_from_slice(&series.close);
        black_box(&first)[points - 1]
    });
    let rsi = Rsi::new(14)?;
    report.time("rsi", || {
        let mut rsi = rsi.clone();
        for (out, close) in first.iter_mut().zip(&series.close) {
            *out = rsi.update(*close).unwrap_or(f64::NAN);
        }
        black_box(&first)[points - 1]
    });
    let macd = Macd::new(12, 26, 9)?;
    report.time("macd", || {
        let mut macd = macd.clone();
        let outputs = first.iter_mut().zip(&mut second).zip(&mut third);
        for (((line, signal), histogram), close) in outputs.zip(&series.close) {
            let value = macd.update(*close);
            *line = value.map_or(f64::NAN, |value| value.macd);
            *signal = value.map_or(f64::NAN, |value| value.signal);
            *histogram = value.map_or(f64::NAN, |value| value.histogram);
        }
        black_box((&first, &second, &third)).0[points - 1]
    });
    let bands = Bollinger::new(20, 2.0, 2.0)?;
    report.time("bbands", || {
        let mut bands = bands.clone();
        let outputs = first.iter_mut().zip(&mut second).zip(&mut third);
        for (((upper, middle), lower), close) in outputs.zip(&series.close) {
            let value = bands.update(*close);
            *upper = value.map_or(f64::NAN, |value| value.upper);
            *middle = value.map_or(f64::NAN, |value| value.middle);
            *lower = value.map_or(f64::NAN, |value| value.lower);
        }
        black_box((&first, &second, &third)).0[points - 1]
    });
    let atr = Atr::new(14)?;
    report.time("atr", || {
        let mut atr = atr.clone();
        for (out, candle) in first.iter_mut().zip(series.candles()) {
            *out = atr.update(candle).unwrap_or(f64::NAN);
        }
        black_box(&first)[points - 1]
    });
    let adx = Adx::new(14)?;
    report.time("adx", || {
        let mut adx = adx.clone();
        for (out, candle) in first.iter_mut().zip(series.candles()) {
            *out = adx.update(candle).map_or(f64::NAN, |value| value.adx);
        }
        black_box(&first)[points - 1]
    });
    Ok(())
}

/// One value a bar, as it comes in live; nothing is kept but the sum that shows the work was done.
fn stream(series: &Series, report: &mut Report) -> Result<(), Failure> {
    let (rsi, macd, bands) = (Rsi::new(14)?, Macd::new(12, 26, 9)?, Bollinger::new(20, 2.0, 2.0)?);
    let (atr, adx) = (Atr::new(14)?, Adx::new(14)?);
    report.time("stream_rsi", || {
        let mut rsi = rsi.clone();
        series.close.iter().fold(0.0, |last, close| rsi.update(*close).unwrap_or(last))
    });
    report.time("stream_macd", || {
        let mut macd = macd.clone();
        series.close.iter().fold(0.0, |last, close| macd.update(*close).map_or(last, |value| value.macd))
    });
    report.time("stream_bbands", || {
        let mut bands = bands.clone();
        series.close.iter().fold(0.0, |last, close| bands.update(*close).map_or(last, |value| value.upper))
    });
    report.time("stream_atr", || {
        let mut atr = atr.clone();
        series.candles().fold(0.0, |last, candle| atr.update(candle).unwrap_or(last))
    });
    report.time("stream_adx", || {
        let mut adx = adx.clone();
        series.candles().fold(0.0, |last, candle| adx.update(candle).map_or(last, |value| value.adx))
    });
    let mut out = vec![1.0; series.close.len()];
    report.time("stream_all5", || {
        let (mut rsi, mut macd, mut bands) = (rsi.clone(), macd.clone(), bands.clone());
        let (mut atr, mut adx) = (atr.clone(), adx.clone());
        for (out, candle) in out.iter_mut().zip(series.candles()) {
            let rsi = rsi.update(candle.close).unwrap_or(0.0);
            let signal = macd.update(candle.close).map_or(0.0, |value| value.signal);
            let width = bands.update(candle.close).map_or(0.0, |value| value.upper - value.middle);
            let atr = atr.update(candle).unwrap_or(0.0);
            let adx = adx.update(candle).map_or(0.0, |value| value.adx);
            *out = rsi * 0.01 + signal + width * 0.5 + atr + adx; // the sum that the floor makes
        }
        black_box(&out)[out.len() - 1]
    });
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the one JSON line is this program's output")]
fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [mode, source] = &arguments[..] else {
        return Err("usage: indicators batch|stream DATA_DIR|N".into());
    };
    let series = Series::load(source)?;
    let mut report = Report::default();
    report.0.insert("peer".to_owned(), "tradewind".into());
    report.0.insert("points".to_owned(), series.close.len().into());
    match mode.as_str() {
        "batch" => batch(&series, &mut report)?,
        "stream" => stream(&series, &mut report)?,
        other => return Err(format!("no mode is called {other:?}; there are batch and stream").into()),
    }
    println!("{}", serde_json::Value::Object(report.0));
    Ok(())
}
