//! What each strategy does in a market drawn by hand, on both sides of each threshold.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{after_calm, bars_of, build, calm, line, perpetual, rehearsal, spot};
use expect_test::{Expect, expect};
use std::fmt::Write;
use tradewind_domain::Instrument;
use tradewind_engine::DecisionKind;

/// Lists what is not a hold, and the last bar's reason.
fn play(instrument: &Instrument, name: &str, parameters: &str, closes: &[f64]) -> String {
    let mut rehearsal = rehearsal(build(name, parameters), instrument);
    let mut text = String::new();
    let bars = bars_of(closes);
    for (at, bar) in bars.iter().enumerate() {
        let scene = rehearsal.bar(bar);
        let close = closes[at];
        match scene.outcome.kind {
            DecisionKind::Buy => writeln!(text, "{at} buy at {close:.2}: {}", scene.outcome.reason).unwrap(),
            DecisionKind::Sell => writeln!(text, "{at} sell at {close:.2}: {}", scene.outcome.reason).unwrap(),
            DecisionKind::Hold if at + 1 == bars.len() => {
                writeln!(text, "{at} hold at {close:.2}: {}", scene.outcome.reason).unwrap();
            }
            DecisionKind::Hold => (),
        }
        assert_eq!(scene.refusal, None);
    }
    text
}

fn check(name: &str, parameters: &str, closes: &[f64], expected: Expect) {
    expected.assert_eq(&play(&spot(), name, parameters, closes));
}

#[test]
fn ema_trend_enters_a_trend_that_is_under_way_when_it_is_warm() {
    check(
        "ema-trend",
        "",
        &line(100.0, 1.0, 22),
        expect![[r#"
        20 buy at 120.00: the fast average is above the slow one
        21 hold at 121.00: long already, and the trend is not down
    "#]],
    );
    check(
        "ema-trend",
        "",
        &line(100.0, -1.0, 22),
        expect![[r#"
        21 hold at 79.00: flat, and the trend is not up
    "#]],
    );
    check(
        "ema-trend",
        "",
        &[100.0; 22],
        expect![[r#"
        21 hold at 100.00: flat, and the trend is not up
    "#]],
    );
}

#[test]
fn ema_trend_leaves_when_the_averages_cross_back() {
    let closes: Vec<f64> = line(100.0, 1.0, 22).into_iter().chain(line(120.0, -3.0, 8)).collect();
    check(
        "ema-trend",
        "",
        &closes,
        expect![[r#"
        20 buy at 120.00: the fast average is above the slow one
        28 sell at 102.00: the fast average is below the slow one
        29 hold at 99.00: flat, and the trend is not up
    "#]],
    );
}

#[test]
fn mean_reversion_buys_beyond_two_deviations_and_not_before() {
    // 19 values around 100 and one of 100 - d lie d = 2.31 apart at two deviations
    let loose = "rsi_low = 50";
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &[97.8]),
        expect![[r#"
        40 hold at 97.80: flat: the price is not far enough from its mean
    "#]],
    );
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &[97.6]),
        expect![[r#"
        40 buy at 97.60: far below the mean, RSI low
    "#]],
    );
}

#[test]
fn mean_reversion_waits_for_the_rsi() {
    // Wilder's gain stands at 0.963 after the fall, his loss at (12.519 + d) / 14: an RSI of 35 at d = 12.52
    check(
        "mean-reversion",
        "",
        &after_calm(60, &[88.6]),
        expect![[r#"
            60 hold at 88.60: flat: the price is far from its mean, but the RSI is not extreme
        "#]],
    );
    check(
        "mean-reversion",
        "",
        &after_calm(60, &[88.4]),
        expect![[r#"
            60 buy at 88.40: far below the mean, RSI low
        "#]],
    );
}

#[test]
fn mean_reversion_leaves_at_the_mean() {
    let loose = "rsi_low = 45";
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &[92.0, 93.0, 95.0, 98.0]),
        expect![[r#"
        40 buy at 92.00: far below the mean, RSI low
        43 hold at 98.00: in position: the price is between the stop and its mean
    "#]],
    );
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &[92.0, 93.0, 95.0, 98.0, 100.0]),
        expect![[r#"
        40 buy at 92.00: far below the mean, RSI low
        44 sell at 100.00: the price is back at its mean
    "#]],
    );
    let early = "rsi_low = 45\nexit_z = 0.5";
    check(
        "mean-reversion",
        early,
        &after_calm(40, &[92.0, 93.0, 95.0, 98.0]),
        expect![[r#"
        40 buy at 92.00: far below the mean, RSI low
        43 sell at 98.00: the price is back at its mean
    "#]],
    );
}

#[test]
fn mean_reversion_gives_up_at_the_stop_and_buys_one_fall_once() {
    let loose = "rsi_low = 45";
    // bought at 92; the average true range is 2.6 then, which puts the stop near 84
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &[92.0, 86.0]),
        expect![[r#"
        40 buy at 92.00: far below the mean, RSI low
        41 hold at 86.00: in position: the price is between the stop and its mean
    "#]],
    );
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &[92.0, 80.0]),
        expect![[r#"
        40 buy at 92.00: far below the mean, RSI low
        41 sell at 80.00: the loss reached the stop
    "#]],
    );
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &[92.0, 80.0, 76.0]),
        expect![[r#"
        40 buy at 92.00: far below the mean, RSI low
        41 sell at 80.00: the loss reached the stop
        42 hold at 76.00: stopped out: waiting for the price to come back inside the band
    "#]],
    );
    let lower = calm(40).into_iter().map(|close| close - 28.0);
    let again: Vec<f64> = [92.0, 80.0, 76.0].into_iter().chain(lower).chain([62.0]).collect();
    check(
        "mean-reversion",
        loose,
        &after_calm(40, &again),
        expect![[r#"
        40 buy at 92.00: far below the mean, RSI low
        41 sell at 80.00: the loss reached the stop
        83 buy at 62.00: far below the mean, RSI low
    "#]],
    );
}

#[test]
fn mean_reversion_sells_short_only_what_is_not_paid_in_cash() {
    let closes = after_calm(41, &[108.0, 107.0, 105.0, 102.0, 100.0]);
    let short = "short = true\nrsi_low = 45";
    expect![[r#"
        41 sell at 108.00: far above the mean, RSI high
        45 buy at 100.00: the price is back at its mean
    "#]]
    .assert_eq(&play(&perpetual(), "mean-reversion", short, &closes));
    expect![[r#"
        45 hold at 100.00: flat: the price is not far enough from its mean
    "#]]
    .assert_eq(&play(&spot(), "mean-reversion", short, &closes));
}

#[test]
fn breakout_buys_above_the_channel_and_not_at_its_edge() {
    let open_minded = "skip_choppy = false\nmomentum = 1";
    check(
        "breakout",
        open_minded,
        &after_calm(41, &[101.0]),
        expect![[r#"
        41 hold at 101.00: flat: the close is inside the entry channel
    "#]],
    );
    check(
        "breakout",
        open_minded,
        &after_calm(41, &[101.01]),
        expect![[r#"
        41 buy at 101.01: a close above the channel, momentum agrees
    "#]],
    );
}

#[test]
fn breakout_wants_momentum_and_no_chop() {
    check(
        "breakout",
        "skip_choppy = false\nmomentum_min = 2.1",
        &after_calm(60, &[101.01]),
        expect![[r#"
        60 hold at 101.01: flat: the close left the channel, but momentum does not agree
    "#]],
    );
    check(
        "breakout",
        "skip_choppy = false\nmomentum_min = 2.0",
        &after_calm(60, &[101.01]),
        expect![[r#"
        60 buy at 101.01: a close above the channel, momentum agrees
    "#]],
    );
    let swings = [99.0, 100.0, 101.0, 100.0].into_iter().cycle().take(60).chain([101.01]).collect::<Vec<_>>();
    check(
        "breakout",
        "",
        &swings,
        expect![[r#"
        60 hold at 101.01: flat: the close left the channel, but the market is choppy
    "#]],
    );
    check(
        "breakout",
        "skip_choppy = false",
        &swings,
        expect![[r#"
        60 buy at 101.01: a close above the channel, momentum agrees
    "#]],
    );
    check(
        "breakout",
        "",
        &line(100.0, 0.5, 60),
        expect![[r#"
        40 buy at 120.00: a close above the channel, momentum agrees
        59 hold at 129.50: long: the close is not below the exit channel
    "#]],
    );
}

#[test]
fn breakout_leaves_below_the_shorter_channel() {
    let rise = line(100.0, 0.5, 60); // ends at 129.5; the ten bars before it reach down to 124.5
    let then = |close: f64| rise.iter().copied().chain([close]).collect::<Vec<_>>();
    check(
        "breakout",
        "",
        &then(124.5),
        expect![[r#"
        40 buy at 120.00: a close above the channel, momentum agrees
        60 hold at 124.50: long: the close is not below the exit channel
    "#]],
    );
    check(
        "breakout",
        "",
        &then(124.49),
        expect![[r#"
        40 buy at 120.00: a close above the channel, momentum agrees
        60 sell at 124.49: a close below the exit channel
    "#]],
    );
}

#[test]
fn breakout_sells_short_only_what_is_not_paid_in_cash() {
    let closes: Vec<f64> = line(150.0, -0.5, 60).into_iter().chain([126.0, 127.0]).collect();
    expect![[r#"
        40 sell at 130.00: a close below the channel, momentum agrees
        60 buy at 126.00: a close above the exit channel
        61 hold at 127.00: flat: the close is inside the entry channel
    "#]]
    .assert_eq(&play(&perpetual(), "breakout", "short = true", &closes));
    expect![[r#"
        61 hold at 127.00: flat: the close is inside the entry channel
    "#]]
    .assert_eq(&play(&spot(), "breakout", "short = true", &closes));
}

#[test]
fn volatility_target_holds_most_when_nothing_moves() {
    check(
        "volatility-target",
        "period = 30",
        &[100.0; 40],
        expect![[r#"
        30 buy at 100.00: less is held than the volatility allows
        39 hold at 100.00: what is held is inside the band around what is wanted
    "#]],
    );
}

#[test]
fn volatility_target_rebalances_outside_its_band_only() {
    // ±1 % an hour is 187 % a year (sample deviation of ±2 % log returns); 0.3 of that is a weight of 0.16
    check(
        "volatility-target",
        "period = 30\nband = 0.1",
        &calm(40),
        expect![[r#"
        30 buy at 99.00: less is held than the volatility allows
        39 hold at 101.00: what is held is inside the band around what is wanted
    "#]],
    );
    check(
        "volatility-target",
        "period = 30\nband = 0.2",
        &calm(40),
        expect![[r#"
        39 hold at 101.00: what is held is inside the band around what is wanted
    "#]],
    );
    let calmer: Vec<f64> = calm(40).into_iter().chain((0..60).map(|at| 100.0 + 0.2 * f64::from(at % 2))).collect();
    check(
        "volatility-target",
        "period = 30\nband = 0.1",
        &calmer,
        expect![[r#"
        30 buy at 99.00: less is held than the volatility allows
        59 buy at 100.20: less is held than the volatility allows
        64 buy at 100.00: less is held than the volatility allows
        67 buy at 100.20: less is held than the volatility allows
        68 buy at 100.00: less is held than the volatility allows
        69 buy at 100.20: less is held than the volatility allows
        99 hold at 100.20: what is held is inside the band around what is wanted
    "#]],
    );
    let wilder: Vec<f64> = calmer.into_iter().chain(calm(20)).collect();
    check(
        "volatility-target",
        "period = 30\nband = 0.1",
        &wilder,
        expect![[r#"
        30 buy at 99.00: less is held than the volatility allows
        59 buy at 100.20: less is held than the volatility allows
        64 buy at 100.00: less is held than the volatility allows
        67 buy at 100.20: less is held than the volatility allows
        68 buy at 100.00: less is held than the volatility allows
        69 buy at 100.20: less is held than the volatility allows
        101 sell at 101.00: more is held than the volatility allows
        102 sell at 99.00: more is held than the volatility allows
        104 sell at 99.00: more is held than the volatility allows
        108 sell at 99.00: more is held than the volatility allows
        119 sell at 101.00: more is held than the volatility allows
    "#]],
    );
}

#[test]
fn vote_says_what_is_missing() {
    check(
        "vote",
        "",
        &calm(60),
        expect![[r#"
        59 hold at 101.00: score 0.331, threshold 0.500: 0.169 missing, most of it from trend (0.026)
    "#]],
    );
}

#[test]
fn vote_buys_a_rise_and_sells_the_fall_after_it() {
    let closes: Vec<f64> = calm(60).into_iter().chain(line(101.0, 0.5, 20)).chain(line(110.0, -1.0, 20)).collect();
    check(
        "vote",
        "",
        &closes,
        expect![[r#"
        62 buy at 102.00: score 0.522 reached the threshold 0.500
        86 sell at 104.00: score -0.230 reached the threshold -0.200
        99 hold at 91.00: score -1.000, threshold 0.500: 1.500 missing, most of it from trend (-1.000)
    "#]],
    );
}

#[test]
fn vote_goes_short_only_where_no_cash_is_paid() {
    let closes: Vec<f64> = calm(60).into_iter().chain(line(99.0, -0.5, 20)).chain(line(90.0, 1.0, 10)).collect();
    expect![[r#"
        62 sell at 98.00: score -0.507 reached the threshold -0.500
        86 buy at 96.00: score 0.228 reached the threshold 0.200
        88 buy at 98.00: score 0.593 reached the threshold 0.500
        89 hold at 99.00: score 0.752, threshold -0.200: 0.952 missing, most of it from trend (0.825)
    "#]]
    .assert_eq(&play(&perpetual(), "vote", "short = true", &closes));
    expect![[r#"
        88 buy at 98.00: score 0.593 reached the threshold 0.500
        89 hold at 99.00: score 0.752, threshold -0.200: 0.952 missing, most of it from trend (0.825)
    "#]]
    .assert_eq(&play(&spot(), "vote", "short = true", &closes));
}
