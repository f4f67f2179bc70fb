//! Every column of TA-Lib's recorded output that is an indicator, against the catalogue.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may stop at once and asks for exact values")]

mod support;

use std::collections::BTreeMap;

use support::{Table, difference, fold, positional, recordings};

/// Functions of the recording that are arithmetic on numbers or take two unrelated series: no indicators.
const NOT_INDICATORS: &[&str] = &["ACOS", "ADD", "ATAN", "CORREL", "COSH", "DIV", "EXP", "LN", "SIN", "SQRT", "TANH"];

/// The catalogue's name and parameter values for a column such as `EMA(timeperiod=30)`.
/// The kinds of average (`matype`) are part of our definitions and left out.
fn definition_of(column: &str) -> (String, Vec<f64>) {
    let (function, rest) = column.split_once('(').unwrap();
    let arguments = rest.split(')').next().unwrap();
    let values = arguments
        .split(';')
        .filter_map(|argument| argument.split_once('='))
        .filter(|(name, _)| !name.contains("matype"))
        .map(|(_, value)| value.parse().unwrap())
        .collect();
    let name = if function == "MA" { "sma".to_owned() } else { function.to_lowercase() };
    (name, values)
}

#[test]
fn every_recorded_column_is_reproduced_with_its_warm_up() {
    let Some(folder) = recordings("every_recorded_column_is_reproduced_with_its_warm_up") else { return };
    let candles = Table::read(folder.join("skender/quotes/default.csv")).candles();
    let recorded = Table::read(folder.join("ta-lib-on-default.csv.gz"));
    let mut outputs_seen = BTreeMap::<String, usize>::new();
    let (mut compared, mut failures) = (0, Vec::new());
    for column in recorded.names().iter().filter(|name| *name != "date") {
        let function = column.split('(').next().unwrap();
        if NOT_INDICATORS.contains(&function) {
            continue;
        }
        let (name, values) = definition_of(column);
        let output = outputs_seen.entry(function.to_owned()).or_default();
        let mut ours: Vec<_> = fold(&name, &positional(&name, &values), &candles)
            .into_iter()
            .map(|row| row.map(|row| row[*output]))
            .collect();
        if function.starts_with("CDL") {
            // the recording's wrapper cannot leave a whole number empty and writes 0 while warming up
            ours.iter_mut().for_each(|value| *value = value.or(Some(0.0)));
        }
        *output += 1;
        compared += 1;
        let absolute = 1e-12; // a result that is zero by cancellation has no relative scale
        if let Some(difference) = difference(&ours, &recorded.column(column), 1e-8, absolute) {
            failures.push(format!("{column}: {difference}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(compared, 112, "columns compared");
}
