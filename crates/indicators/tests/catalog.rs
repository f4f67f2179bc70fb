//! What holds for every entry of the catalogue.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    reason = "a test may stop at once and asks for exact values"
)]

use expect_test::expect_file;
use proptest::prelude::*;
use ta_lib::Core;
use ta_lib::abstract_api::{self, FuncId, InputType, OptInputType, OutputType};
use tradewind_indicators::catalog::{self, Definition, DynIndicator, Group, Parameters};
use tradewind_indicators::{Candle, IndicatorError, Source};

/// More than the longest default warm-up (`regime`: 119 bars), with room for what comes after.
const BARS: usize = 260;

/// A walk of whole cents with gaps, wicks and quiet stretches.
fn any_candles(bars: usize) -> impl Strategy<Value = Vec<Candle>> {
    let step = (-300_i32..300, -200_i32..200, 0_i32..150, 0_i32..150, 0_u32..100_000, 0_u8..8);
    (20_000_i32..40_000, proptest::collection::vec(step, bars)).prop_map(|(start, steps)| {
        let mut last = start;
        let candle = |(gap, body, up, down, volume, quiet): (i32, i32, i32, i32, u32, u8)| {
            if quiet == 0 {
                let price = f64::from(last) / 100.0;
                return Candle::new(price, price, price, price, f64::from(volume) + 1.0);
            }
            let open = (last + gap / 3).max(1_000);
            let close = (open + body).max(1_000);
            last = close;
            let [open, high, low, close] =
                [open, open.max(close) + up, open.min(close) - down, close].map(|cents| f64::from(cents) / 100.0);
            Candle::new(open, high, low, close, f64::from(volume) + 1.0)
        };
        steps.into_iter().map(candle).collect()
    })
}

fn build(definition: &Definition) -> Box<dyn DynIndicator> {
    definition.build(&Parameters::new()).unwrap()
}

fn fold(indicator: &mut dyn DynIndicator, candles: &[Candle]) -> Vec<Option<Vec<f64>>> {
    let mut row = vec![0.0; indicator.outputs().len()];
    candles.iter().map(|candle| indicator.update(candle, &mut row).unwrap().then(|| row.clone())).collect()
}

/// Bit for bit, so that NaN would count as equal to itself and -0 as different from 0.
fn bits(rows: &[Option<Vec<f64>>]) -> Vec<Option<Vec<u64>>> {
    rows.iter().map(|row| row.as_ref().map(|row| row.iter().map(|value| value.to_bits()).collect())).collect()
}

#[test]
fn the_catalogue_is_what_its_page_says() {
    let mut page = String::from(concat!(
        "# Indicators\n\nWritten by the test `the_catalogue_is_what_its_page_says`; update with `UPDATE_EXPECT=1`.\n\n",
        "| Name | Title | Group | Drawn | Parameters (default, range) | Outputs | Bars before the first value |\n",
        "|---|---|---|---|---|---|---|\n",
    ));
    for definition in catalog::all() {
        let parameters: Vec<_> = definition
            .parameters
            .iter()
            .map(|parameter| {
                format!("{} = {} ({} to {})", parameter.name, parameter.default, parameter.min, parameter.max)
            })
            .collect();
        page += &format!(
            "| `{}` | {} | {:?} | {} | {} | {} | {} |\n",
            definition.name,
            definition.title,
            definition.group,
            if definition.overlay { "over the price" } else { "apart" },
            parameters.join(", "),
            definition.outputs.join(", "),
            build(definition).lookback(),
        );
    }
    expect_file!["../CATALOG.md"].assert_eq(&page);
}

#[test]
fn names_are_unique_and_there_are_enough_of_them() {
    let mut names: Vec<_> = catalog::all().iter().map(|definition| definition.name).collect();
    let patterns = catalog::all().iter().filter(|definition| definition.group == Group::Pattern).count();
    assert_eq!(patterns, 61);
    assert!(names.len() - patterns >= 60, "{} indicators", names.len() - patterns);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Nothing that comes later changes a value: neither its absence, nor another order of it, nor another market.
    #[test]
    fn no_indicator_looks_ahead(
        candles in any_candles(BARS),
        other in any_candles(BARS),
        cut in 1..BARS,
        seed in 1_usize..BARS,
    ) {
        let mut shuffled = candles.clone();
        shuffled[cut..].rotate_left(seed % (BARS - cut));
        shuffled[cut..].reverse();
        let mut replaced = candles[..cut].to_vec();
        replaced.extend_from_slice(&other[cut..]);
        for definition in catalog::all() {
            let whole = bits(&fold(&mut *build(definition), &candles)[..cut]);
            for (what, variant) in [("cut", &candles[..cut]), ("shuffled", &shuffled[..]), ("replaced", &replaced[..])] {
                let past = bits(&fold(&mut *build(definition), variant)[..cut]);
                prop_assert_eq!(&whole, &past, "{} with its future {}", definition.name, what);
            }
        }
    }

    /// However a series is split, copied or begun again, the values are those of one fold over it.
    #[test]
    fn splitting_copying_and_resetting_change_nothing(candles in any_candles(BARS), cut in 1..BARS) {
        for definition in catalog::all() {
            let mut indicator = build(definition);
            let whole = bits(&fold(&mut *indicator, &candles));
            indicator.reset();
            let mut parts = fold(&mut *indicator, &candles[..cut]);
            let mut copy = indicator.boxed_clone();
            fold(&mut *indicator, &candles[..BARS - cut]);
            parts.extend(fold(&mut *copy, &candles[cut..]));
            prop_assert_eq!(whole, bits(&parts), "{}", definition.name);
        }
    }

    /// A bar with a number that is not finite is an error that names the field, and leaves no trace.
    #[test]
    fn a_broken_bar_is_refused_without_a_trace(
        candles in any_candles(BARS),
        at in 0..BARS,
        field in 0_usize..5,
        value in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ) {
        let mut broken = candles[at];
        let fields = [&mut broken.open, &mut broken.high, &mut broken.low, &mut broken.close, &mut broken.volume];
        *fields.into_iter().nth(field).unwrap() = value;
        for definition in catalog::all() {
            let whole = bits(&fold(&mut *build(definition), &candles));
            let mut indicator = build(definition);
            let mut parts = fold(&mut *indicator, &candles[..at]);
            let mut row = vec![7.0; definition.outputs.len()];
            let error = indicator.update(&broken, &mut row).unwrap_err();
            prop_assert_eq!(error.code(), "IND-05");
            prop_assert!(row.iter().all(|slot| slot.to_bits() == 7.0_f64.to_bits()));
            parts.extend(fold(&mut *indicator, &candles[at..]));
            prop_assert_eq!(whole, bits(&parts), "{}", definition.name);
        }
    }

    /// The first value comes when `lookback` says, and values are finite numbers.
    #[test]
    fn values_come_when_promised_and_are_finite(candles in any_candles(BARS)) {
        for definition in catalog::all() {
            let mut indicator = build(definition);
            let rows = fold(&mut *indicator, &candles);
            let first = rows.iter().position(Option::is_some);
            prop_assert_eq!(first, Some(indicator.lookback()), "{}", definition.name);
            let finite = rows.iter().flatten().flatten().all(|value| value.is_finite());
            prop_assert!(finite, "{} yields a number that is not finite", definition.name);
        }
    }

    /// Where TA-Lib has the function, its batch over the whole series says the same as our fold, bar by bar.
    #[test]
    fn the_fold_equals_ta_libs_batch(candles in any_candles(BARS), scale in 0.3_f64..1.7) {
        for definition in catalog::all() {
            let Some(function) = abstract_api::get_func_handle(&definition.name.to_uppercase()) else { continue };
            let (parameters, values) = scaled(definition, scale);
            let ours = match definition.build(&parameters) {
                Ok(mut indicator) => fold(&mut *indicator, &candles),
                Err(IndicatorError::Conflict { .. }) => continue,
                Err(error) => panic!("{error}"),
            };
            let theirs = ta_lib_batch(function, &values, &candles);
            for (bar, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                prop_assert_eq!(ours.is_some(), theirs.is_some(), "{} {:?} bar {}", definition.name, values, bar);
                let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
                for (ours, theirs) in ours.iter().zip(theirs) {
                    let slack = 1e-8 * ours.abs().max(theirs.abs()) + 1e-9;
                    prop_assert!((ours - theirs).abs() <= slack,
                        "{} {:?} bar {}: {} against {}", definition.name, values, bar, ours, theirs);
                }
            }
        }
    }
}

/// Parameters near their defaults: whole ones scaled, others as they are.
fn scaled(definition: &Definition, scale: f64) -> (Parameters, Vec<f64>) {
    let values: Vec<_> = definition
        .parameters
        .iter()
        .map(|parameter| match parameter.whole {
            true => (parameter.default * scale).round().max(parameter.min),
            false => parameter.default,
        })
        .collect();
    let chosen = definition
        .parameters
        .iter()
        .zip(&values)
        .fold(Parameters::new(), |chosen, (parameter, value)| chosen.with(parameter.name, *value));
    (chosen, values)
}

/// TA-Lib's own batch by name; kinds of average keep its defaults, which are ours.
fn ta_lib_batch(function: FuncId, values: &[f64], candles: &[Candle]) -> Vec<Option<Vec<f64>>> {
    let core = Core::new();
    let [open, high, low, close, volume] = [Source::Open, Source::High, Source::Low, Source::Close, Source::Volume]
        .map(|source| candles.iter().map(|candle| source.of(candle)).collect::<Vec<_>>());
    let info = function.info();
    let mut reals = vec![vec![0.0; candles.len()]; info.outputs.len()];
    let mut wholes = vec![vec![0_i32; candles.len()]; info.outputs.len()];
    let mut call = function.new_call(&core);
    for (slot, input) in info.inputs.iter().enumerate() {
        match input.kind {
            InputType::Real => call.set_input(slot, &close).unwrap(),
            InputType::Price => call
                .set_price_input(slot, Some(&open), Some(&high), Some(&low), Some(&close), Some(&volume), None)
                .unwrap(),
            InputType::Integer => panic!("{} takes whole numbers", info.name),
        };
    }
    let ranged = info.opt_inputs.iter().enumerate().filter_map(|(index, input)| match input.kind {
        OptInputType::RealRange { .. } => Some((index, false)),
        OptInputType::IntegerRange { .. } => Some((index, true)),
        OptInputType::RealList { .. } | OptInputType::IntegerList { .. } => None,
    });
    for ((index, whole), value) in ranged.zip(values) {
        match whole {
            true => call.set_opt_input(index, *value as i32).unwrap(),
            false => call.set_opt_input(index, *value).unwrap(),
        };
    }
    for (index, (real, whole)) in reals.iter_mut().zip(&mut wholes).enumerate() {
        match info.outputs[index].kind {
            OutputType::Real => call.set_output(index, real).unwrap(),
            OutputType::Integer => call.set_int_output(index, whole).unwrap(),
        };
    }
    let range = call.call(0, candles.len() - 1).unwrap();
    let _ = call; // its borrow of the outputs ends here
    let value = |output: usize, at: usize| match info.outputs[output].kind {
        OutputType::Real => reals[output][at],
        OutputType::Integer => f64::from(wholes[output][at]),
    };
    (0..candles.len())
        .map(|bar| {
            let at = bar.checked_sub(range.beg_idx).filter(|at| *at < range.count)?;
            Some((0..info.outputs.len()).map(|output| value(output, at)).collect())
        })
        .collect()
}

#[test]
fn every_parameter_is_judged_by_its_range() {
    for definition in catalog::all() {
        for parameter in definition.parameters {
            let code = |value| {
                let built = definition.build(&Parameters::new().with(parameter.name, value));
                built.err().map(|error| error.code())
            };
            assert_eq!(code(parameter.min - 1.0), Some("IND-01"), "{} {}", definition.name, parameter.name);
            assert_eq!(code(parameter.max * 1.5 + 1.0), Some("IND-01"), "{} {}", definition.name, parameter.name);
            assert_eq!(code(f64::NAN), Some("IND-01"), "{} {}", definition.name, parameter.name);
            let fraction = parameter.default + 0.5;
            if parameter.whole {
                assert_eq!(code(fraction), Some("IND-02"), "{} {}", definition.name, parameter.name);
            }
        }
    }
}

#[test]
fn errors_name_the_value_and_what_to_do() {
    let rsi = catalog::find("rsi").unwrap();
    let mut shown = String::new();
    let mut note = |error: IndicatorError| shown += &format!("{} {error}\n    {}\n", error.code(), error.hint());
    note(rsi.build(&Parameters::new().with("period", 1.0)).err().unwrap());
    note(rsi.build(&Parameters::new().with("period", 14.5)).err().unwrap());
    note(rsi.build(&Parameters::new().with("length", 14.0)).err().unwrap());
    note(catalog::find("RSI").unwrap_err());
    note(build(rsi).update(&Candle { close: f64::NAN, ..Candle::default() }, &mut [0.0]).unwrap_err());
    let macd = catalog::find("macd").unwrap();
    note(macd.build(&Parameters::new().with("fast", 26.0)).err().unwrap());
    note(build(macd).update(&Candle::default(), &mut [0.0]).unwrap_err());
    expect_test::expect![[r#"
        IND-01 rsi: period is 1, which is outside 2 to 100000
            choose a value inside the range that the message names
        IND-02 rsi: period is 14.5, which is not a whole number
            give a whole number of bars, such as 14
        IND-03 rsi: no parameter is called "length"; it has period
            use one of the parameter names in the message, or leave it out for its default
        IND-04 no indicator is called "RSI"
            the catalogue lists every name; names are lower case, such as "rsi"
        IND-05 the bar's close is NaN, which is not a finite number
            repair or leave out the bar at its source; the indicator goes on from the bar before
        IND-06 macd: fast must be shorter than slow, but they are 26 and 26
            change one of the two parameters so that the rule holds
        IND-07 the indicator has 3 outputs, but the slice holds 1
            give a slice exactly as long as the definition's list of outputs
    "#]]
    .assert_eq(&shown);
}

#[test]
fn one_series_indicators_read_the_source_they_are_told() {
    let candle = Candle::new(1.0, 8.0, 2.0, 4.0, 100.0);
    let sma = catalog::find("sma").unwrap();
    let of = |source| {
        let mut row = [0.0];
        let mut indicator = sma.build_on(source, &Parameters::new().with("period", 1.0)).unwrap();
        assert!(indicator.update(&candle, &mut row).unwrap());
        row[0]
    };
    let sources = [Source::Open, Source::High, Source::Low, Source::Close, Source::Volume];
    assert_eq!(sources.map(of), [1.0, 8.0, 2.0, 4.0, 100.0]);
    assert_eq!([Source::MedianPrice, Source::AveragePrice].map(of), [5.0, 3.75]);
}
