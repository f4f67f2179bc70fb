//! Small ledgers worked by hand, and what happens to bad input.

#![allow(clippy::unwrap_used, reason = "a test may")]

use expect_test::{Expect, expect};
use tradewind_quant::activity::{Participation, capacity};
use tradewind_quant::benchmark::{self, join_days};
use tradewind_quant::calendar::{DailyReturn, Date, Day, Span};
use tradewind_quant::drawdown::Drawdown;
use tradewind_quant::trades::group_trades;
use tradewind_quant::{
    Conventions, Draws, EquityAccumulator, QuantError, Summary, SummaryInputs, TradeRecord, TradeStatistics, catalog,
    signal, tail,
};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

fn trade(closed_hour: i64, hours: i64, long: bool, profit: f64) -> TradeRecord {
    TradeRecord {
        opened_at_ns: (closed_hour - hours) * HOUR,
        closed_at_ns: closed_hour * HOUR,
        long,
        quantity: 2.0,
        entry_price: 50.0,
        exit_price: 60.0,
        profit,
        fees: 0.5,
        mae: (profit < 0.0).then_some(-profit),
        mfe: Some(profit.max(1.0)),
    }
}

/// Wins 10, 30, loss 5, win 20, zero, losses 10 and 5.
fn ledger() -> Vec<TradeRecord> {
    vec![
        trade(10, 2, true, 10.0),
        trade(20, 4, true, 30.0),
        trade(30, 1, false, -5.0),
        trade(40, 6, true, 20.0),
        trade(50, 1, true, 0.0),
        trade(60, 3, false, -10.0),
        trade(70, 5, true, -5.0),
    ]
}

/// Equity by hour (exposure in brackets), held against the account's view of it.
fn curve(points: &[(i64, f64, f64)]) -> EquityAccumulator {
    let mut equity = EquityAccumulator::new();
    for (hour, value, notional) in points {
        equity.push(hour * HOUR, *value, *notional).unwrap();
    }
    equity
}

fn inputs<'a>(equity: &'a EquityAccumulator, trades: &'a [TradeRecord]) -> SummaryInputs<'a> {
    SummaryInputs {
        equity,
        trades,
        benchmark: &[],
        participation: &[],
        traded_notional: None,
        orders: None,
        conventions: Conventions::crypto(),
    }
}

fn check_trades(trades: &[TradeRecord], expected: Expect) {
    expected.assert_eq(&serde_json::to_string_pretty(&TradeStatistics::of(trades)).unwrap());
}

#[test]
fn a_ledger_of_seven_trades_is_counted_as_by_hand() {
    check_trades(
        &ledger(),
        expect![[r#"
            {
              "trades": 7,
              "wins": 3,
              "losses": 3,
              "win_rate": 0.42857142857142855,
              "net_profit": "40",
              "gross_profit": "60",
              "gross_loss": "20",
              "profit_factor": 3.0,
              "expectancy": "5.71428571",
              "expectancy_ratio": 0.8571428571428571,
              "sqn": 1.0187432639472214,
              "average_win": "20",
              "average_loss": "6.66666667",
              "payoff_ratio": 3.0,
              "best_trade": "30",
              "worst_trade": "-10",
              "max_consecutive_wins": 2,
              "max_consecutive_losses": 2,
              "max_drawdown": "15",
              "average_duration_s": 11314.285714285714,
              "median_duration_s": 10800.0,
              "average_win_duration_s": 14400.0,
              "median_win_duration_s": 14400.0,
              "average_loss_duration_s": 10800.0,
              "median_loss_duration_s": 10800.0,
              "fees": "3.5",
              "average_mae": "6.66666667",
              "worst_mae": "10",
              "average_mfe": "9.14285714",
              "best_mfe": "30",
              "edge_ratio": 0.15
            }"#]],
    );
}

#[test]
fn no_trades_give_counts_of_zero_and_nothing_else() {
    let none = TradeStatistics::of(&[]);
    assert_eq!((none.trades, none.win_rate, none.profit_factor, none.sqn), (0, None, None, None));
    assert_eq!((none.best_trade, none.average_duration_s, none.expectancy), (None, None, None));
}

#[test]
fn runs_follow_the_closing_time_not_the_order_of_the_list() {
    let mut reversed = ledger();
    reversed.reverse();
    reversed.swap(1, 4);
    let counted = TradeStatistics::of(&reversed);
    assert_eq!((counted.max_consecutive_wins, counted.max_consecutive_losses), (2, 2));
}

#[test]
fn groups_split_the_ledger_without_loss() {
    let groups = group_trades(&ledger(), |place, trade| (trade.long, place % 2));
    assert_eq!(groups.values().map(|group| group.trades).sum::<u64>(), 7);
    assert_eq!(groups[&(false, 0)].net_profit, Some(-5.0));
}

/// 100 at midnight, up to 120 within day 1, 90 at its end, 126 on day 2, 63 on day 3.
fn three_days() -> EquityAccumulator {
    curve(&[(0, 100.0, 0.0), (12, 120.0, 60.0), (24, 90.0, 0.0), (36, 110.0, 0.0), (48, 126.0, 63.0), (72, 63.0, 0.0)])
}

#[test]
fn a_curve_of_three_days_is_read_as_by_hand() {
    let equity = three_days();
    let days: Vec<(String, f64)> = equity.daily_returns().iter().map(|d| (d.day.to_string(), d.value)).collect();
    let read = |value: f64| (value * 1e9).round() / 1e9;
    assert_eq!(days.iter().map(|day| read(day.1)).collect::<Vec<_>>(), [-0.1, 0.4, -0.5]);
    assert_eq!(days[0].0, "1970-01-01", "an observation at midnight closes the day before");
    let summary = Summary::compute(&inputs(&equity, &ledger())).unwrap();
    let deepest = summary.drawdown.deepest.unwrap();
    assert_eq!((deepest.peak, deepest.trough, deepest.depth, deepest.recovered_at_ns), (126.0, 63.0, 0.5, None));
    assert_eq!((summary.drawdown.max_amount, summary.drawdown.recovery_days), (Some(63.0), None));
    let longest = summary.drawdown.longest.unwrap();
    assert_eq!((longest.peak_at_ns, longest.recovered_at_ns), (12 * HOUR, Some(48 * HOUR)));
    assert_eq!(summary.drawdown.longest_days, Some(1.5));
    assert_eq!((summary.growth.net_profit, summary.growth.best_day_date), (Some(-37.0), Some(Day(1))));
    assert_eq!(summary.activity.time_in_market, Some(0.5), "12 hours of day 1 and all of day 3");
    assert_eq!(summary.activity.mean_leverage, Some(0.25));
    assert_eq!(summary.activity.traded_notional, Some(7.0 * 220.0));
    assert_eq!(summary.monthly.len(), 1);
    assert!((summary.monthly[0].months[0].unwrap() + 0.37).abs() < 1e-12);
}

#[test]
fn an_account_that_falls_below_zero_has_lost_everything_once() {
    let equity = curve(&[(0, 100.0, 0.0), (24, 50.0, 0.0), (48, -20.0, 0.0), (72, 10.0, 0.0)]);
    let values: Vec<f64> = equity.daily_returns().iter().map(|day| day.value).collect();
    assert_eq!(values, [-0.5, -1.0]);
    let summary = Summary::compute(&inputs(&equity, &[])).unwrap();
    assert_eq!((summary.drawdown.max, summary.drawdown.max_amount), (Some(1.0), Some(120.0)));
    assert_eq!(summary.growth.ruined_at_ns, Some(48 * HOUR));
}

#[test]
fn an_empty_run_has_a_summary_of_nothing() {
    let summary = Summary::compute(&inputs(&EquityAccumulator::new(), &[])).unwrap();
    assert_eq!((summary.growth.net_profit, summary.ratios.sharpe, summary.drawdown.max), (None, None, None));
}

#[test]
fn no_figure_is_minus_zero() {
    let flat = curve(&[(0, 100.0, 0.0), (24, 100.0, 0.0), (48, 100.0, 0.0)]);
    let (losses, wins) = ([trade(10, 2, true, -5.0)], [trade(10, 2, true, 5.0)]);
    for (equity, trades) in [(&flat, &losses[..]), (&flat, &wins[..]), (&flat, &[]), (&EquityAccumulator::new(), &[])] {
        let text = serde_json::to_string(&Summary::compute(&inputs(equity, trades)).unwrap()).unwrap();
        let at = text.find("-0.0").filter(|at| !text[at + 4..].starts_with(|it: char| it.is_ascii_digit()));
        assert_eq!(at.map(|at| &text[at.saturating_sub(40)..at + 5]), None);
    }
}

fn check_refusal(result: Result<(), QuantError>, expected: Expect) {
    let error = result.unwrap_err();
    assert!(!error.hint().is_empty());
    expected.assert_eq(&format!("{} {error}", error.code()));
}

#[test]
fn bad_input_is_named_with_code_place_and_value() {
    let mut equity = curve(&[(0, 100.0, 0.0), (24, 101.0, 0.0)]);
    check_refusal(equity.push(48 * HOUR, f64::NAN, 0.0), expect!["QNT-01 equity[2] is NaN, not a finite number"]);
    check_refusal(
        equity.push(DAY - 1, 1.0, 0.0),
        expect!["QNT-02 equity[2] is stamped 86399999999999 ns, before its predecessor at 86400000000000 ns"],
    );
    check_refusal(equity.push(DAY, 1.0, -3.0), expect!["QNT-04 gross_notional[2] is -3, expected zero or more"]);
    check_refusal(
        EquityAccumulator::new().push(0, 0.0, 0.0),
        expect!["QNT-03 the first equity is 0, no return can be taken from it"],
    );
    assert_eq!((equity.observations(), equity.last()), (2, Some((DAY, 101.0))), "a refusal changes nothing");
    let of = |trade: TradeRecord| Summary::compute(&inputs(&equity, &[ledger()[0], trade])).map(|_| ());
    let good = ledger()[1];
    check_refusal(
        of(TradeRecord { profit: f64::INFINITY, ..good }),
        expect!["QNT-01 trades.profit[1] is inf, not a finite number"],
    );
    check_refusal(
        of(TradeRecord { mae: Some(-1.0), ..good }),
        expect!["QNT-04 trades.mae[1] is -1, expected zero or more"],
    );
    check_refusal(
        of(TradeRecord { closed_at_ns: 0, ..good }),
        expect!["QNT-05 trades[1] opens at 57600000000000 ns and closes before that, at 0 ns"],
    );
    let with = |conventions| Summary::compute(&SummaryInputs { conventions, ..inputs(&equity, &[]) }).map(|_| ());
    check_refusal(
        with(Conventions { periods_per_year: 0.0, ..Conventions::crypto() }),
        expect!["QNT-04 periods_per_year[0] is 0, expected more than 0"],
    );
    check_refusal(
        with(Conventions { days_per_period: 0.0, ..Conventions::crypto() }),
        expect!["QNT-04 days_per_period[0] is 0, expected more than 0"],
    );
    check_refusal(
        with(Conventions { risk_free_rate: -1.0, ..Conventions::stocks() }),
        expect!["QNT-04 risk_free_rate[0] is -1, expected more than -1, a fraction per year"],
    );
}

#[test]
fn drawdowns_carry_their_three_moments() {
    let fell =
        |hours: &[(i64, f64)]| curve(&hours.iter().map(|(hour, value)| (*hour, *value, 0.0)).collect::<Vec<_>>());
    let moments = |fall: Drawdown| (fall.peak_at_ns, fall.trough_at_ns, fall.recovered_at_ns, fall.trough);
    let twice = fell(&[(0, 100.0), (1, 80.0), (2, 100.0), (3, 110.0), (4, 99.0), (7, 105.0)]);
    assert_eq!(moments(twice.deepest_drawdown().unwrap()), (0, HOUR, Some(2 * HOUR), 80.0));
    assert_eq!(moments(twice.longest_drawdown().unwrap()), (3 * HOUR, 4 * HOUR, None, 99.0));
    assert_eq!(fell(&[(0, 100.0), (1, 100.0)]).deepest_drawdown(), None);
}

#[test]
fn the_worst_share_of_periods_is_averaged_exactly() {
    let record: Vec<f64> = (1..=30).map(|i| f64::from(i) / 100.0 - 0.1).collect();
    // 5 % of 30 is one and a half: the worst whole (-0.09), half of the next (-0.08).
    let expected = (0.09 + 0.5 * 0.08) / 1.5;
    assert!((tail::expected_shortfall(&record, 0.95).unwrap() - expected).abs() < 1e-12);
    // Type 7 puts 5 % of 30 values at place 1.45, between -0.08 and -0.07.
    assert!((tail::value_at_risk(&record, 0.95).unwrap() - 0.0755).abs() < 1e-12);
    // The normal figures of mean 0 and deviation 1, from printed tables: 1.6449 and 2.0627.
    let unit = [-1.0, 1.0];
    assert!((tail::parametric_value_at_risk(&unit, 0.95).unwrap() - 1.644_853_6).abs() < 1e-6);
    assert!((tail::parametric_expected_shortfall(&unit, 0.95).unwrap() - 2.062_712_8).abs() < 1e-6);
}

#[test]
fn capacity_is_the_equity_that_fills_the_allowed_share() {
    let bar = |traded_notional, market_notional| Participation { traded_notional, market_notional };
    // Half a per cent of the market in each bar we trade: 2 % is reached at four times the equity.
    let bars = [bar(5.0, 1_000.0), bar(0.0, 0.0), bar(10.0, 2_000.0)];
    assert!((capacity(&bars, 100.0, 0.02).unwrap() - 400.0).abs() < 1e-9);
    assert_eq!(capacity(&[bar(0.0, 10.0)], 100.0, 0.02), None);
    assert_eq!(capacity(&[bar(1.0, 0.0)], 100.0, 0.02), None);
}

#[test]
fn a_benchmark_with_other_holidays_spans_the_same_time() {
    let days = |values: &[(i64, f64)]| -> Vec<DailyReturn> {
        values.iter().map(|(day, value)| DailyReturn { day: Day(*day), value: *value, profit: 0.0 }).collect()
    };
    let ours = days(&[(1, 0.1), (2, 0.5), (3, 0.1), (5, 0.2)]);
    let theirs = days(&[(0, 9.0), (2, 0.3), (4, 0.5), (5, 0.5), (6, 9.0)]);
    let (mine, other) = join_days(&ours, &theirs);
    let read = |values: Vec<f64>| values.iter().map(|v| (v * 1e9).round() / 1e9).collect::<Vec<_>>();
    assert_eq!((read(mine), read(other)), (vec![0.5, 0.32], vec![0.3, 1.25]));
}

#[test]
fn the_tracking_error_is_the_spread_of_the_difference() {
    // Differences 0.01 and -0.01: sample deviation sqrt(2) / 100, times sqrt(4).
    let spread = benchmark::tracking_error(&[0.03, 0.01], &[0.02, 0.02], 4.0).unwrap();
    assert!((spread - 0.02 * 2.0_f64.sqrt()).abs() < 1e-15);
    assert_eq!(benchmark::tracking_error(&[0.03, 0.01], &[0.02], 4.0), None);
}

#[test]
fn ranks_ignore_size_and_share_ties() {
    let (forecasts, outcomes) = ([1.0, 2.0, 3.0, 100.0], [0.1, 0.2, 0.3, 0.31]);
    assert!((signal::rank_information_coefficient(&forecasts, &outcomes).unwrap() - 1.0).abs() < 1e-12);
    // Ranks 1.5 1.5 3 against 1 2 3: correlation sqrt(3) / 2.
    let tied = signal::rank_information_coefficient(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0]).unwrap();
    assert!((tied - 0.75_f64.sqrt()).abs() < 1e-12);
    assert!((signal::information_coefficient_ratio(&[0.1, 0.3]).unwrap() - 2.0_f64.sqrt()).abs() < 1e-12);
}

#[test]
fn forecasts_are_held_against_what_followed() {
    let closes = [100.0, 110.0, 99.0, 99.0, 90.0, 0.0, 50.0];
    let forecasts = [Some(2.0), Some(1.0), None, Some(-1.0), Some(0.0), Some(1.0), Some(1.0)];
    let mut track = signal::ForecastTrack::new(1);
    for (close, forecast) in closes.into_iter().zip(forecasts) {
        track.bar(close, forecast);
    }
    let quality = track.quality();
    // rose 10 %, fell 10 %, nothing said, fell 1/11, said neither and fell all; from zero nothing returns
    assert_eq!((quality.judged, quality.directed, quality.hits), (4, 3, 2));
    assert!((quality.hit_rate.unwrap() - 2.0 / 3.0).abs() < 1e-12);
    assert!((quality.mean_outcome.unwrap() - (0.1 - 0.1 + 1.0 / 11.0) / 3.0).abs() < 1e-12);
    let slices = signal::information_coefficient(&[2.0, 1.0, -1.0, 0.0], &[0.1, -0.1, -1.0 / 11.0, -1.0]);
    assert!((quality.information_coefficient.unwrap() - slices.unwrap()).abs() < 1e-12);
    assert_eq!(signal::ForecastTrack::new(3).quality(), signal::ForecastQuality::default());
}

#[test]
fn a_forecast_waits_for_the_whole_of_its_horizon() {
    let mut track = signal::ForecastTrack::new(3);
    for (bar, close) in [100.0, 50.0, 50.0, 120.0].into_iter().enumerate() {
        assert_eq!(track.quality().judged, 0, "bar {bar}");
        track.bar(close, (bar == 0).then_some(1.0));
    }
    assert_eq!((track.quality().judged, track.quality().hits), (1, 1));
    assert!((track.quality().mean_outcome.unwrap() - 0.2).abs() < 1e-12);
    assert_eq!(track.quality().information_coefficient, None, "one pair does not vary");
}

/// The slow way: count every day of every year.
#[test]
fn the_calendar_agrees_with_counting_days_one_by_one() {
    let lengths = |leap: bool| [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut day = 0;
    for year in 1970..2402_i64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (month, length) in (1..).zip(lengths(leap)) {
            for of_month in 1..=length {
                let date = Date { year, month, day: of_month };
                assert_eq!((Day(day).date(), Day::of_date(date)), (date, Day(day)));
                day += 1;
            }
        }
    }
    assert_eq!(Day(-1).to_string(), "1969-12-31");
}

#[test]
fn iso_weeks_belong_to_the_year_of_their_thursday() {
    // Table of ISO 8601 examples: date and its week.
    let table = [
        ((2005, 1, 1), "2004-W53"),
        ((2005, 1, 2), "2004-W53"),
        ((2005, 12, 31), "2005-W52"),
        ((2007, 1, 1), "2007-W01"),
        ((2008, 12, 29), "2009-W01"),
        ((2010, 1, 3), "2009-W53"),
        ((1969, 12, 31), "1970-W01"),
    ];
    for ((year, month, day), week) in table {
        assert_eq!(Span::Week.label(Day::of_date(Date { year, month, day })), week);
    }
}

#[test]
fn the_catalog_names_each_figure_once() {
    let equity = three_days();
    let summary = serde_json::to_value(Summary::compute(&inputs(&equity, &ledger())).unwrap()).unwrap();
    let mut fields = Vec::new();
    for group in ["growth", "drawdown", "ratios", "distribution", "benchmark", "activity", "trades"] {
        fields.extend(summary[group].as_object().unwrap().keys().map(|field| format!("{group}.{field}")));
    }
    let quality = serde_json::to_value(signal::ForecastQuality::default()).unwrap();
    fields.extend(quality.as_object().unwrap().keys().map(|field| format!("forecasts.{field}")));
    let mut named: Vec<&str> = catalog().iter().map(|statistic| statistic.field).collect();
    named.sort_unstable();
    fields.sort_unstable();
    assert_eq!(named, fields);
}

#[test]
fn the_track_record_needed_is_told_in_days_however_long_a_return_is() {
    let equity = curve(&[(0, 100.0, 0.0), (24, 103.0, 0.0), (48, 102.0, 0.0), (72, 105.0, 0.0), (96, 106.0, 0.0)]);
    let needed = |days_per_period: f64| {
        let conventions = Conventions { days_per_period, ..Conventions::crypto() };
        let summary = Summary::compute(&SummaryInputs { conventions, ..inputs(&equity, &[]) }).unwrap();
        summary.ratios.minimum_track_record.unwrap()
    };
    assert!((needed(7.0) - 7.0 * needed(1.0)).abs() < 1e-9, "{} {}", needed(7.0), needed(1.0));
}

/// Two years of minutes: the state holds one close per day.
#[test]
fn a_million_bars_leave_one_close_per_day() {
    let mut equity = EquityAccumulator::new();
    let minute = HOUR / 60;
    for bar in 0..=1_051_200_i64 {
        equity.push(bar * minute, 1_000.0 + (bar % 1_440) as f64, 0.0).unwrap();
    }
    assert_eq!((equity.observations(), equity.days().len()), (1_051_201, 731));
    assert_eq!(equity.daily_returns().len(), 730);
}

#[test]
fn blocks_of_forecasts_say_how_steady_they_are() {
    // blocks that alternate between forecasts that are all right and forecasts that are right in three of four bars
    let (mut price, mut closes, mut forecasts) = (100.0, vec![100.0], Vec::new());
    for bar in 0..1_200_u32 {
        let rises = bar.wrapping_mul(2_654_435_761) >> 16 & 1 == 0;
        let size = 0.001 * f64::from(1 + bar % 7);
        let right = bar / 100 % 2 == 0 || bar % 4 != 0;
        let (way, named) =
            if rises { (1.0, if right { 1.0 } else { -1.0 }) } else { (-1.0, if right { -1.0 } else { 1.0 }) };
        forecasts.push(named * size);
        price *= 1.0 + way * size;
        closes.push(price);
    }
    let track = |bars: usize| {
        let mut track = signal::ForecastTrack::new(1);
        closes.iter().take(bars + 1).zip(&forecasts).for_each(|(close, forecast)| track.bar(*close, Some(*forecast)));
        if bars == forecasts.len() {
            track.bar(closes[bars], None);
        }
        track.quality()
    };
    let returns: Vec<f64> = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();

    // by hand: standard scores, their products, the mean of each block, and the mean of those over their deviation
    let scores = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / 1_200.0;
        let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1_200.0).sqrt();
        values.iter().map(|value| (value - mean) / deviation).collect()
    };
    let products = scores(&forecasts).into_iter().zip(scores(&returns)).map(|(ours, theirs)| ours * theirs);
    let products: Vec<f64> = products.collect();
    let blocks: Vec<f64> = products.chunks(100).map(|block| block.iter().sum::<f64>() / 100.0).collect();
    let mean = blocks.iter().sum::<f64>() / 12.0;
    let deviation = (blocks.iter().map(|block| (block - mean).powi(2)).sum::<f64>() / 11.0).sqrt();

    let quality = track(1_200);
    let close =
        |value: Option<f64>, want: f64| assert!((value.unwrap() - want).abs() < 1e-9, "{value:?} is not {want}");
    assert_eq!(quality.blocks, 12);
    assert!(blocks[0] > 0.9 && blocks[1] < 0.8, "{blocks:?}");
    close(quality.information_coefficient, mean);
    close(quality.information_coefficient_ratio, mean / deviation);
    close(quality.rank_information_coefficient, signal::rank_information_coefficient(&forecasts, &returns).unwrap());
    assert!(quality.rank_information_coefficient_ratio.is_some_and(|ratio| ratio > 2.0), "{quality:?}");

    let short = track(999);
    assert_eq!((short.blocks, short.information_coefficient_ratio), (9, None), "nine blocks are too few");
    assert_eq!(short.rank_information_coefficient_ratio, None);
    assert!(short.rank_information_coefficient.is_some(), "ranks need no block");
}

#[test]
fn a_long_record_is_thinned_and_says_the_same() {
    // the forecast is the next return, turned round in every fourth thousand of bars
    let mut draws = Draws::new(5);
    let returns: Vec<f64> = (0..600_000).map(|_| 0.002 * (draws.uniform() - 0.5)).collect();
    let (mut track, mut price) = (signal::ForecastTrack::new(1), 100.0);
    for (bar, next) in returns.iter().enumerate() {
        let right = if bar / 1_000 % 4 == 0 { -1.0 } else { 1.0 };
        track.bar(price, Some(right * next));
        price *= 1.0 + next;
    }
    let quality = track.quality();
    assert_eq!((quality.judged, quality.blocks), (599_999, 6_000), "every second pair, and fifty of them in a block");
    for coefficient in [quality.information_coefficient, quality.rank_information_coefficient] {
        assert!((coefficient.unwrap() - 0.5).abs() < 0.02, "{quality:?}");
    }
}
