//! The recorded vectors of Skender.Stock.Indicators, StockCharts and Tulip, against the catalogue.
//!
//! What is compared here has the same definition. `REFERENCES.md` says of the rest how it differs, and each file's
//! test ends with the list of what it left out, so that a new vector cannot be passed over in silence.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may stop at once and asks for exact values")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use support::{Table, difference, positional, recordings, series, text};
use tradewind_indicators::{Bollinger, Candle, Ema, Indicator, Seed, catalog};

/// How much of a vector has to agree.
#[derive(Clone, Copy)]
enum Extent {
    /// Every row, warm-up included.
    All,
    /// Every row from our first value on: theirs starts sooner or later, from the same formula.
    Warm,
    /// The last row: the averages are seeded otherwise and have come together by then.
    End,
}
use Extent::{All, End, Warm};

fn compare(
    what: &str,
    ours: &[Option<f64>],
    theirs: &[Option<f64>],
    extent: Extent,
    absolute: f64,
) -> Result<(), String> {
    let (from, cut): (usize, Vec<_>) = match extent {
        All => (0, theirs.to_vec()),
        Warm => (0, theirs.iter().zip(ours).map(|(theirs, ours)| theirs.and(ours.and(*theirs))).collect()),
        End => (ours.len() - 1, theirs.to_vec()),
    };
    let ours: Vec<_> = match extent {
        Warm => ours.iter().zip(theirs).map(|(ours, theirs)| theirs.and(*ours)).collect(),
        All | End => ours.to_vec(),
    };
    assert!(cut[from..].iter().any(Option::is_some), "{what}: nothing to compare");
    match difference(&ours[from..], &cut[from..], 1e-8, absolute) {
        Some(difference) => Err(format!("{what}: {difference}")),
        None => Ok(()),
    }
}

fn all_hold(results: impl IntoIterator<Item = Result<(), String>>) {
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// File, its field, our name, parameter values, our output, extent.
type Case = (&'static str, &'static str, &'static str, &'static [f64], &'static str, Extent);

const SKENDER: &[Case] = &[
    ("adl", "adl", "ad", &[], "value", All),
    ("adx", "adx", "adx", &[14.0], "adx", End),
    ("adx", "pdi", "plus_di", &[14.0], "value", End),
    ("adx", "mdi", "minus_di", &[14.0], "value", End),
    ("adx", "dx", "dx", &[14.0], "value", End),
    ("alligator", "jaw", "alligator", &[], "jaw", All),
    ("alligator", "teeth", "alligator", &[], "teeth", Warm),
    ("alligator", "lips", "alligator", &[], "lips", Warm),
    ("atr", "tr", "trange", &[], "value", All),
    ("atr", "atr", "atr", &[14.0], "value", All),
    ("atr", "atrp", "natr", &[14.0], "value", All),
    ("bb", "sma", "bbands", &[20.0, 2.0, 2.0], "middle", All),
    ("bb", "upperBand", "bbands", &[20.0, 2.0, 2.0], "upper", All),
    ("bb", "lowerBand", "bbands", &[20.0, 2.0, 2.0], "lower", All),
    ("bb", "percentB", "percentb", &[20.0, 2.0, 2.0], "value", All),
    ("bb", "zScore", "zscore", &[20.0], "value", All),
    ("chexit", "chandelierExit", "chandelier_exit", &[22.0, 3.0], "long", All),
    ("cmf", "cmf", "cmf", &[20.0], "value", All),
    ("dema", "dema", "dema", &[14.0], "value", End),
    ("ema", "ema", "ema", &[20.0], "value", All),
    ("force", "forceIndex", "efi", &[2.0], "value", All),
    ("macd", "macd", "macd", &[], "macd", End),
    ("macd", "signal", "macd", &[], "signal", End),
    ("macd", "histogram", "macd", &[], "histogram", End),
    ("pvo", "pvo", "pvo", &[], "value", All),
    ("roc", "roc", "roc", &[14.0], "value", All),
    ("roc", "momentum", "mom", &[14.0], "value", All),
    ("rsi", "rsi", "rsi", &[14.0], "value", All),
    ("sma", "sma", "sma", &[20.0], "value", All),
    ("sma-analysis", "sma", "sma", &[20.0], "value", All),
    ("sma-analysis", "mad", "avgdev", &[20.0], "value", All),
    ("smi", "smi", "smi", &[13.0, 2.0, 25.0, 3.0], "smi", End),
    ("stdev-channels", "centerline", "linearreg", &[20.0], "value", End),
    ("stoch", "oscillator", "stoch", &[14.0, 3.0, 3.0], "k", Warm),
    ("stoch", "signal", "stoch", &[14.0, 3.0, 3.0], "d", All),
    ("stoch-rsi", "stochRsi", "stochrsi", &[14.0, 14.0, 3.0], "k", Warm),
    ("stoch-rsi", "signal", "stochrsi", &[14.0, 14.0, 3.0], "d", All),
    ("trix", "trix", "trix", &[14.0], "value", End),
    ("ulcer", "ulcerIndex", "ulcer_index", &[14.0], "value", All),
    ("vwap", "vwap", "vwap", &[], "value", All),
    ("vwap", "vwap", "session_vwap", &[], "value", All),
];

/// Files of another definition, or of something that is not here; see `REFERENCES.md`.
const SKENDER_LEFT_OUT: &[&str] = &[
    "barpart",
    "beta",
    "corr",
    "dynamic",
    "fcb",
    "gator",
    "hurst",
    "kvo",
    "marubozu",
    "obv",
    "pivots",
    "prs",
    "renko",
    "starc",
    "vol-stop",
    "zigzag-close",
];

fn skender(folder: &Path, file: &str, field: &str) -> Vec<Option<f64>> {
    let rows: serde_json::Value =
        serde_json::from_str(&text(folder.join(format!("skender/expected/{file}.standard.json")))).unwrap();
    rows.as_array().unwrap().iter().map(|row| row[field].as_f64()).collect()
}

#[test]
fn skender_vectors_of_the_same_definition_agree() {
    let Some(folder) = recordings("skender_vectors_of_the_same_definition_agree") else { return };
    let candles = Table::read(folder.join("skender/quotes/default.csv")).candles();
    all_hold(SKENDER.iter().map(|(file, field, name, values, output, extent)| {
        let ours = series(name, &positional(name, values), output, &candles);
        compare(&format!("{file}.{field}"), &ours, &skender(&folder, file, field), *extent, 1e-10)
    }));
    let listed: BTreeSet<_> = SKENDER.iter().map(|case| case.0).chain(SKENDER_LEFT_OUT.iter().copied()).collect();
    let present: BTreeSet<_> = std::fs::read_dir(folder.join("skender/expected"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".standard.json", ""))
        .collect();
    assert_eq!(listed, present.iter().map(String::as_str).collect());
}

#[test]
fn skender_band_width_is_our_fraction_and_its_obv_leaves_the_first_volume_out() {
    let test = "skender_band_width_is_our_fraction_and_its_obv_leaves_the_first_volume_out";
    let Some(folder) = recordings(test) else { return };
    let candles = Table::read(folder.join("skender/quotes/default.csv")).candles();
    let width: Vec<_> = Bollinger::new(20, 2.0, 2.0)
        .unwrap()
        .batch(candles.iter().map(|candle| candle.close))
        .into_iter()
        .map(|bands| bands.and_then(|bands| bands.width()))
        .collect();
    let obv: Vec<_> = series("obv", &positional("obv", &[]), "value", &candles)
        .into_iter()
        .map(|value| value.map(|value| value - candles[0].volume))
        .collect();
    all_hold([
        compare("bb.width", &width, &skender(&folder, "bb", "width"), All, 1e-12),
        compare("obv.obv", &obv, &skender(&folder, "obv", "obv"), All, 1e-12),
    ]);
}

/// As above, with the rounding of the file's last decimal.
type RoundedCase = (&'static str, &'static str, &'static str, &'static [f64], &'static str, Extent, f64);

const STOCKCHARTS: &[RoundedCase] = &[
    ("accum", "ADLine", "ad", &[], "value", All, 1e-4),
    ("bbands", "MiddleBand", "bbands", &[20.0], "middle", All, 1e-6),
    ("bbands", "HighBand", "bbands", &[20.0], "upper", All, 1e-6),
    ("bbands", "LowBand", "bbands", &[20.0], "lower", All, 1e-6),
    ("bbands", "WidthBand", "bbw", &[20.0], "value", All, 1e-6),
    ("bbands", "PercentageBand", "percentb", &[20.0], "value", All, 1e-6),
    ("dc", "upper_band", "donchian", &[20.0], "upper", All, 1e-9),
    ("dc", "lower_band", "donchian", &[20.0], "lower", All, 1e-9),
    ("dc", "middle_band", "donchian", &[20.0], "middle", All, 6e-3),
    ("easeofmovement", "EMV", "emv", &[1.0, 1e8], "value", All, 1e-9),
    ("easeofmovement", "SMA_EMV", "emv", &[14.0, 1e8], "value", All, 1e-9),
    ("kama", "ER", "er", &[10.0], "value", All, 1e-6),
    ("kama", "KAMA", "kama", &[10.0], "value", Warm, 1e-6),
    ("obv", "OBV", "obv", &[], "value", Warm, 1e-9),
    ("ultosc", "Ult_Osc", "ultosc", &[], "value", All, 1e-6),
    ("vpt", "unsmoothed vpt", "pvt", &[], "value", Warm, 1e-9),
    ("wma", "WMA", "wma", &[9.0], "value", Warm, 6e-5),
];

const STOCKCHARTS_LEFT_OUT: &[&str] = &["atr", "rsi", "stc", "tsi"];
/// Compared by [`stockcharts_averages_are_seeded_with_the_first_close`].
const STOCKCHARTS_ELSEWHERE: &[&str] = &["macd", "ppo", "pvo"];

#[test]
fn stockcharts_vectors_of_the_same_definition_agree() {
    let Some(folder) = recordings("stockcharts_vectors_of_the_same_definition_agree") else { return };
    all_hold(STOCKCHARTS.iter().map(|(file, field, name, values, output, extent, rounding)| {
        let table = Table::read(folder.join(format!("stockcharts-ta/cs-{file}.csv")));
        let ours = series(name, &positional(name, values), output, &table.candles());
        compare(&format!("{file}.{field}"), &ours, &table.column(field), *extent, *rounding)
    }));
    let listed: BTreeSet<_> =
        STOCKCHARTS.iter().map(|case| case.0).chain([STOCKCHARTS_LEFT_OUT, STOCKCHARTS_ELSEWHERE].concat()).collect();
    let present: BTreeSet<_> = std::fs::read_dir(folder.join("stockcharts-ta"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(listed, present.iter().map(|name| name.trim_start_matches("cs-").trim_end_matches(".csv")).collect());
}

#[test]
fn stockcharts_averages_are_seeded_with_the_first_close() {
    let Some(folder) = recordings("stockcharts_averages_are_seeded_with_the_first_close") else { return };
    let cases = [
        ("macd", "Close", "short_ema", "long_ema", 12, 26),
        ("ppo", "Close", "12 day EMA", "26 day EMA", 12, 26),
        ("pvo", "Volume", "12 day EMA", "26 day EMA", 12, 26),
    ];
    all_hold(cases.into_iter().flat_map(|(file, input, fast, slow, fast_period, slow_period)| {
        let table = Table::read(folder.join(format!("stockcharts-ta/cs-{file}.csv")));
        [(fast, fast_period), (slow, slow_period)].map(|(field, period)| {
            let mut ema = Ema::seeded(period, Seed::First).unwrap();
            let ours: Vec<_> = table.column(input).into_iter().map(|value| value.and_then(|x| ema.update(x))).collect();
            compare(&format!("{file}.{field}"), &ours, &table.column(field), All, 1e-6)
        })
    }));
}

/// Tulip's name, the bars' numbers it reads (by initial), our name, output by output, extent.
const TULIP: &[(&str, &str, &str, Extent)] = &[
    ("ad", "hlcv", "ad", All),
    ("adosc", "hlcv", "adosc", All),
    ("aroon", "hl", "aroon", All),
    ("aroonosc", "hl", "aroonosc", All),
    ("avgprice", "ohlc", "avgprice", All),
    ("bop", "ohlc", "bop", All),
    ("cci", "hlc", "cci", Warm),
    ("cmo", "c", "cmou", All),
    ("di", "hlc", "plus_di", Warm),
    ("dm", "hl", "plus_dm", All),
    ("dpo", "c", "dpo", All),
    ("dx", "hl", "dx", Warm),
    ("fisher", "hl", "fisher", All),
    ("fosc", "c", "fosc", All),
    ("hma", "c", "hma", All),
    ("kama", "c", "kama", Warm),
    ("kvo", "hlcv", "kvo", Warm),
    ("linreg", "c", "linearreg", All),
    ("linregintercept", "c", "linearreg_intercept", All),
    ("linregslope", "c", "linearreg_slope", All),
    ("marketfi", "hlv", "marketfi", All),
    ("max", "c", "max", All),
    ("md", "c", "avgdev", All),
    ("medprice", "hl", "medprice", All),
    ("mfi", "hlcv", "mfi", All),
    ("min", "c", "min", All),
    ("mom", "c", "mom", All),
    ("nvi", "cv", "nvi", All),
    ("psar", "hl", "sar", All),
    ("pvi", "cv", "pvi", All),
    ("qstick", "oc", "qstick", All),
    ("roc", "c", "rocp", All),
    ("rocr", "c", "rocr", All),
    ("rsi", "c", "rsi", All),
    ("sma", "c", "sma", All),
    ("stddev", "c", "stddev", All),
    ("stoch", "hlc", "stoch", All),
    ("sum", "c", "sum", All),
    ("tr", "hlc", "trange", Warm),
    ("trima", "c", "trima", All),
    ("tsf", "c", "tsf", All),
    ("typprice", "hlc", "typprice", All),
    ("ultosc", "hlc", "ultosc", All),
    ("var", "c", "var", All),
    ("vhf", "c", "vhf", All),
    ("vwma", "cv", "vwma", All),
    ("wad", "hlc", "wad", Warm),
    ("wcprice", "hlc", "wclprice", All),
    ("wilders", "c", "rma", All),
    ("willr", "hlc", "willr", All),
    ("wma", "c", "wma", All),
];

/// Arithmetic, or another definition (`REFERENCES.md`); `ema` and `bbands` are compared by tests of their own.
const TULIP_LEFT_OUT: &[&str] = &[
    "abs",
    "acos",
    "add",
    "adx",
    "adxr",
    "ao",
    "apo",
    "asin",
    "atan",
    "atr",
    "ceil",
    "cos",
    "cosh",
    "crossany",
    "crossover",
    "cvi",
    "decay",
    "dema",
    "div",
    "edecay",
    "emv",
    "exp",
    "floor",
    "lag",
    "ln",
    "log10",
    "macd",
    "mass",
    "msw",
    "mul",
    "natr",
    "obv",
    "ppo",
    "round",
    "sin",
    "sinh",
    "sqrt",
    "stderr",
    "stochrsi",
    "sub",
    "tan",
    "tanh",
    "tema",
    "todeg",
    "torad",
    "trix",
    "trunc",
    "vidya",
    "volatility",
    "vosc",
    "zlema",
    "ema",
    "bbands",
];

/// Half of the last of three decimals, and a little for their own arithmetic.
const TULIP_ROUNDING: f64 = 5.1e-4;

struct Block {
    name: String,
    options: Vec<f64>,
    rows: Vec<Vec<f64>>,
}

fn tulip(folder: &Path) -> Vec<Block> {
    let text = text(folder.join("tulip-untest.txt"));
    let blocks = text.split("\n\n").filter_map(|block| {
        let mut lines = block.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let mut words = lines.next()?.split_whitespace();
        let name = words.next()?.to_owned();
        let numbers = |line: &str| {
            let inner = line.trim().trim_matches(['{', '}']);
            inner.split(',').filter(|cell| !cell.is_empty()).map(|cell| cell.parse().unwrap()).collect()
        };
        Some(Block {
            name,
            options: words.map(|word| word.parse().unwrap()).collect(),
            rows: lines.map(numbers).collect(),
        })
    });
    blocks.collect()
}

impl Block {
    fn candles(&self, inputs: &str) -> Vec<Candle> {
        let row = |initial| inputs.find(initial).map(|index| &self.rows[index]);
        let any = &self.rows[0];
        (0..any.len())
            .map(|bar| {
                let close = row('c').unwrap_or(any)[bar];
                let price = |initial| row(initial).map_or(close, |row| row[bar]);
                Candle::new(price('o'), price('h'), price('l'), close, row('v').map_or(0.0, |row| row[bar]))
            })
            .collect()
    }

    /// An output, set back by the warm-up that it leaves out.
    fn expected(&self, output: &[f64]) -> Vec<Option<f64>> {
        let missing = self.rows[0].len() - output.len();
        std::iter::repeat_n(None, missing).chain(output.iter().map(|value| Some(*value))).collect()
    }
}

#[test]
fn tulip_vectors_of_the_same_definition_agree() {
    let Some(folder) = recordings("tulip_vectors_of_the_same_definition_agree") else { return };
    let blocks = tulip(&folder);
    all_hold(TULIP.iter().flat_map(|(theirs, inputs, ours, extent)| {
        let block = blocks.iter().find(|block| block.name == *theirs).unwrap_or_else(|| panic!("no {theirs}"));
        let definition = catalog::find(ours).unwrap();
        let taken = block.options.len().min(definition.parameters.len());
        let parameters = positional(ours, &block.options[..taken]);
        let candles = block.candles(inputs);
        let compared = block.rows[inputs.len()..].iter().zip(definition.outputs);
        compared.map(move |(expected, output)| {
            let what = format!("{theirs} {output}");
            let ours = series(ours, &parameters, output, &candles);
            compare(&what, &ours, &block.expected(expected), *extent, TULIP_ROUNDING)
        })
    }));
    let listed: BTreeSet<_> = TULIP.iter().map(|case| case.0).chain(TULIP_LEFT_OUT.iter().copied()).collect();
    assert_eq!(listed, blocks.iter().map(|block| block.name.as_str()).collect());
}

#[test]
fn tulip_seeds_its_ema_with_the_first_value_and_lists_bands_from_below() {
    let test = "tulip_seeds_its_ema_with_the_first_value_and_lists_bands_from_below";
    let Some(folder) = recordings(test) else { return };
    let blocks = tulip(&folder);
    let block = |name: &str| blocks.iter().find(|block| block.name == name).unwrap();
    let ema = block("ema");
    let ours = Ema::seeded(5, Seed::First).unwrap().batch(ema.rows[0].iter().copied());
    let bands = block("bbands");
    let band = |output| series("bbands", &positional("bbands", &[5.0, 2.0, 2.0]), output, &bands.candles("c"));
    all_hold([
        compare("ema", &ours, &ema.expected(&ema.rows[1]), All, TULIP_ROUNDING),
        compare("lower", &band("lower"), &bands.expected(&bands.rows[1]), All, TULIP_ROUNDING),
        compare("middle", &band("middle"), &bands.expected(&bands.rows[2]), All, TULIP_ROUNDING),
        compare("upper", &band("upper"), &bands.expected(&bands.rows[3]), All, TULIP_ROUNDING),
    ]);
}
