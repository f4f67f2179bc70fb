//! Funding: rates as they were recorded, and broken copies of sound payments.

use crate::common::{file, recordings};
use tradewind_domain::Coded;
use tradewind_history::{Content, Defect, ImportOptions, OnDefect, check_file, read_funding};

#[test]
fn funding_rates_are_read_with_their_jitter() {
    let Some(root) = recordings("funding_rates_are_read_with_their_jitter") else { return };
    for (name, count, first, rate) in [
        ("binance-usdm/BTC_USDT_USDT-1h-funding_rate.feather", 7_323, "2019-09-10T08:00:00Z", 10_000),
        ("binance-usdm/BTC_USDT_USDT-8h-funding_rate-2023_2024.feather", 1_498, "2023-01-01T00:00:00Z", 10_000),
        ("freqtrade-testdata/XRP_USDT_USDT-8h-funding_rate.feather", 91, "2021-11-18T00:00:00.017Z", 10_000),
    ] {
        let funding = read_funding(&root.join("ohlcv/crypto").join(name), &ImportOptions::default()).unwrap();
        assert_eq!((funding.rates.len(), funding.decimals), (count, 8), "{name}");
        assert_eq!((funding.rates[0].0.to_string(), funding.rates[0].1), (first.to_owned(), rate), "{name}");
    }
    let bars = root.join("ohlcv/crypto/freqtrade-testdata/XRP_ETH-5m.feather");
    assert_eq!(read_funding(&bars, &ImportOptions::default()).unwrap_err().code(), "HIS-05");
}

/// Payments of `rate` at these hours of 2024, and what is wrong with them: code, row, value and effect; and how many are paid.
fn paid(payments: &[(&str, &str)]) -> (Vec<String>, usize) {
    let rows: String = payments.iter().map(|(time, rate)| format!("2024-{time},{rate},0,0,0,0\n")).collect();
    let (_folder, path) = file("funding.csv", &format!("time,open,high,low,close,volume\n{rows}"));
    let report = check_file(&path, &ImportOptions::default());
    assert_eq!(report.content, Content::Funding);
    let line = |d: &Defect| format!("{} {} {} `{}` {:?}", d.code, d.row, d.column, d.value, d.effect);
    let options = ImportOptions { on_defect: OnDefect::Report, ..ImportOptions::default() };
    (report.defects.iter().map(line).collect(), read_funding(&path, &options).unwrap().rates.len())
}

#[test]
fn funding_that_a_file_has_twice_is_paid_once() {
    let (found, count) =
        paid(&[("01-01 00:00:00.017", "0.0001"), ("01-01 08:00:00.002", "0.0001"), ("01-01 08:00:00.9", "0.0002")]);
    assert_eq!((found, count), (vec!["HIS-13 3 time `2024-01-01T08:00:00.9Z` LeftOut".to_owned()], 2));
}

#[test]
fn funding_that_is_missing_is_named_and_a_new_rhythm_is_not() {
    let hours = |hours: &[u32]| {
        let time = |hour: &u32| format!("01-{:02} {:02}:00:00.0{:02}", 1 + hour / 24, hour % 24, hour % 30);
        let times: Vec<String> = hours.iter().map(time).collect();
        paid(&times.iter().map(|time| (time.as_str(), "0.0001")).collect::<Vec<_>>())
    };
    let (found, count) = hours(&[0, 8, 16, 24, 48, 56, 64]);
    assert_eq!((found, count), (vec!["HIS-14 5 time `2024-01-03T00:00:00.018Z` Kept".to_owned()], 7));
    // from every eight hours to every four and back
    let rhythm = [0, 8, 16, 24, 32, 40, 48, 52, 56, 60, 64, 68, 72, 76, 80, 88, 96, 104, 112, 120, 128];
    assert_eq!(hours(&rhythm).0, [""; 0]);
    // a new rhythm near the ends of a file, where few payments tell it
    for rhythm in [[0, 4, 8, 12, 16, 20, 28, 36].as_slice(), &[0, 8, 12, 16, 20, 24, 28], &[0, 4, 8, 12, 16, 20, 28]] {
        assert_eq!(hours(rhythm).0, [""; 0], "{rhythm:?}");
    }
    assert_eq!(hours(&[0, 8, 24, 32, 40]).0, ["HIS-14 3 time `2024-01-02T00:00:00.024Z` Kept"]);
}

#[test]
fn a_funding_rate_that_no_venue_takes_is_suspect_and_stays() {
    let (found, count) = paid(&[("01-01 00:00", "0.05"), ("01-01 08:00", "5"), ("01-01 16:00", "-0.051")]);
    let want = ["HIS-49 2 open `5` Kept", "HIS-49 3 open `-0.051` Kept"].map(str::to_owned);
    assert_eq!((found, count), (want.to_vec(), 3));
}
