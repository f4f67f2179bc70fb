//! Shares: true crashes stay, splits and dividends are adjusted exactly.

use crate::common::{file, recordings, stated};
use tradewind_domain::{Coded, InstrumentKind, format_decimal};
use tradewind_history::{BarSeries, FactorFile, ImportOptions, OnDefect, adjust, check_file, read_bars};

fn close(series: &BarSeries, day: &str) -> String {
    let bar = series.bars.iter().find(|bar| bar.open_time.to_string().starts_with(day)).unwrap();
    format_decimal(i128::from(bar.close.mantissa()), series.instrument.price_decimals)
}

#[test]
fn a_true_crash_stays_and_is_no_defect() {
    let Some(root) = recordings("a_true_crash_stays_and_is_no_defect") else { return };
    let series = read_bars(&root.join("ohlcv/equity/daily/aapl.zip"), &ImportOptions::default()).unwrap();
    assert_eq!(series.instrument.kind, InstrumentKind::Equity);
    assert_eq!((close(&series, "2000-09-28"), close(&series, "2000-09-29")), ("53.38".into(), "25.81".into()));
    let day =
        series.bars.iter().position(|bar| bar.open_time.to_string().starts_with("2000-09-29")).unwrap() as u64 + 1;
    assert!(series.defects.iter().all(|defect| defect.row != day), "{:?}", series.defects);
    // What is suspect in the file are its bad lows and the 7:1 split of 2014-06-09, and all of it is still there.
    assert!(series.defects.iter().all(|defect| defect.code == "HIS-19"));
    assert!(series.bars.iter().any(|bar| bar.open_time.to_string().starts_with("2014-06-09")));
    assert_eq!(series.bars.len(), 5_849);
}

#[test]
fn factors_adjust_raw_prices_by_the_first_row_not_before_the_bar() {
    let Some(root) = recordings("factors_adjust_raw_prices_by_the_first_row_not_before_the_bar") else { return };
    let equity = root.join("ohlcv/equity");
    let factors = FactorFile::read(&equity.join("factor_files/aapl.csv")).unwrap();
    let mut series = read_bars(&equity.join("daily/aapl.zip"), &ImportOptions::default()).unwrap();
    let raw = series.clone();
    adjust(&mut series, &factors).unwrap();
    // 2014-06-06, the last day before the 7:1 split: 645.57 x 0.9011818 x 0.0357143; then 93.7 x 0.9011818 x 0.25.
    assert_eq!(close(&raw, "2014-06-06"), "645.57");
    assert_eq!(close(&series, "2014-06-06"), "20.77772026");
    assert_eq!(close(&raw, "2014-06-09"), "93.7");
    assert_eq!(close(&series, "2014-06-09"), "21.11018366"); // ...3665 exactly: half to even
    assert_eq!(close(&series, "2021-03-31"), close(&raw, "2021-03-31"));
    let split =
        |series: &BarSeries| series.bars.windows(2).any(|pair| pair[0].close.mantissa() > 3 * pair[1].close.mantissa());
    assert_eq!((split(&raw), split(&series)), (true, false));
    assert_eq!(adjust(&mut series, &factors).unwrap_err().code(), "HIS-35");
}

#[test]
fn hourly_shares_are_adjusted_by_the_day_in_new_york() {
    let Some(root) = recordings("hourly_shares_are_adjusted_by_the_day_in_new_york") else { return };
    let equity = root.join("ohlcv/equity");
    let mut series = read_bars(&equity.join("hour/aapl.zip"), &ImportOptions::default()).unwrap();
    let raw = series.clone();
    adjust(&mut series, &FactorFile::read(&equity.join("factor_files/aapl.csv")).unwrap()).unwrap();
    let ratio = |hour: &str| {
        let at = raw.bars.iter().position(|bar| bar.open_time.to_string() == hour).unwrap();
        series.bars[at].close.mantissa() as f64 / raw.bars[at].close.mantissa() as f64 / 1e4
    };
    assert!((ratio("2014-06-06T19:00:00Z") - 0.9011818 * 0.0357143).abs() < 1e-6);
    assert!((ratio("2014-06-09T13:00:00Z") - 0.9011818 * 0.25).abs() < 1e-6);
}

#[test]
fn bad_factor_files_name_the_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    for (text, row) in [
        ("", "no rows"),
        ("19980102,0.5,1", "row 1"),
        ("19980102,0.5,1,1\n19980101,0.5,1,1\n", "row 2"),
        ("19980102,0,1,1\n", "row 1"),
        ("date,1,1,1\n", "row 1"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = FactorFile::read(&path).unwrap_err();
        assert_eq!(error.code(), "HIS-28");
        assert!(error.to_string().contains(row), "{error}");
    }
}

#[test]
fn recorded_shares_take_their_own_factors_and_no_others() {
    let Some(root) = recordings("recorded_shares_take_their_own_factors_and_no_others") else { return };
    let equity = root.join("ohlcv/equity");
    let names = ["aapl", "bac", "ibm", "iwm", "qqq", "spy"];
    let factors = names.map(|name| FactorFile::read(&equity.join(format!("factor_files/{name}.csv"))).unwrap());
    let daily = names.map(|name| format!("daily/{name}.zip"));
    for bars in daily.into_iter().chain(["hour/aapl.zip".to_owned(), "hour/spy.zip".to_owned()]) {
        let raw = read_bars(&equity.join(&bars), &ImportOptions::default()).unwrap();
        for (name, factors) in names.iter().zip(&factors) {
            let mut series = raw.clone();
            let refused = adjust(&mut series, factors).err();
            assert_eq!(
                refused.as_ref().map(Coded::code),
                (!bars.contains(name)).then_some("HIS-28"),
                "{bars} by {name}"
            );
            assert!(refused.is_none() || series.bars == raw.bars, "{bars} by {name}");
        }
    }
    let mut spy = read_bars(&equity.join("daily/spy.zip"), &ImportOptions::default()).unwrap();
    let said = adjust(&mut spy, &factors[0]).unwrap_err().to_string();
    let names_both = "row 2: the reference price 101 is not 147.81, the close of the bar of 2000-06-20";
    assert!(said.contains(names_both), "{said}");
}

#[test]
fn most_reference_prices_are_about_the_closes_of_their_dates() {
    let days = "time,open,high,low,close,volume\n2024-01-02,99,101,98,100,5\n2024-01-03,100,102,99,101,5\n\
                2024-01-04,101,103,100,102,5\n2024-01-05,102,103,101,103,5\n";
    let (_days, path) = file("days.csv", days);
    let raw = read_bars(&path, &stated()).unwrap();
    let refusal = |references: &[&str]| {
        let rows: String = references.iter().map(|row| format!("{}\n", row.replace(' ', ",0.9,1,"))).collect();
        let (_factors, path) = file("factors.csv", &format!("{rows}20501231,1,1,0\n"));
        let refused = adjust(&mut raw.clone(), &FactorFile::read(&path).unwrap()).err()?;
        assert_eq!(refused.code(), "HIS-28");
        refused.to_string().split_once("row ").and_then(|(_, row)| row.split_once(',')).map(|(row, _)| row.to_owned())
    };
    assert_eq!(refusal(&["20240102 100", "20240103 101"]), None);
    assert_eq!(refusal(&["20240102 105"]), None, "a twentieth of the close");
    assert_eq!(refusal(&["20240102 94.99"]).as_deref(), Some("1: the reference price 94.99 is not 100"));
    assert_eq!(refusal(&["20230102 7", "20240102 0", "20240103 1.0", "20240104 102"]), None, "only the last is judged");
    assert_eq!(
        refusal(&["20240102 100", "20240103 12", "20240104 13", "20240105 103"]),
        None,
        "half of them are wrong"
    );
    let most = refusal(&["20240102 100", "20240103 12", "20240104 13"]);
    assert_eq!(most.as_deref(), Some("2: the reference price 12 is not 101"));
}

#[test]
fn a_unit_error_of_a_hundred_is_suspect_at_its_row() {
    let Some(root) = recordings("a_unit_error_of_a_hundred_is_suspect_at_its_row") else { return };
    let folder = root.join("ohlcv/equity/data-quality");
    let jumps = |name: &str| -> Vec<(u64, String)> {
        let options = ImportOptions { on_defect: OnDefect::Report, hash: false, ..ImportOptions::default() };
        let report = check_file(&folder.join(name), &options);
        let jumps = report.defects.into_iter().filter(|defect| defect.code == "HIS-19");
        jumps.map(|defect| (defect.row, defect.value)).collect()
    };
    assert_eq!(jumps("SSW-JO-1d-100x-error.csv"), [(7, "35.349998".to_owned())]); // 2023-06-01; before it cents
    assert_eq!(jumps("SSW-JO-1d-100x-error-fixed.csv"), []);
    assert_eq!(jumps("SPM-MI-1d-bad-stock-split.csv").len(), 1);
    assert_eq!(jumps("SPM-MI-1d-bad-stock-split-fixed.csv"), []);
}
