//! What holds for every record.

#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use tradewind_quant::calendar::{DailyReturn, Day, Span, breakdown, monthly_table};
use tradewind_quant::{
    Conventions, Draws, EquityAccumulator, Summary, SummaryInputs, TradeRecord, TradeStatistics, benchmark, ratios,
    returns, signal, tail,
};

const HOUR: i64 = 3_600_000_000_000;

fn any_returns() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-0.3..0.4, 2..80)
}

/// Equity by irregular hours, with the notional held.
fn any_curve() -> impl Strategy<Value = Vec<(i64, f64, f64)>> {
    prop::collection::vec((0..60_i64, 1.0..1_000.0, prop_oneof![Just(0.0), 0.0..500.0]), 1..120).prop_map(|steps| {
        let mut at = 0;
        steps.into_iter().map(|(hours, equity, notional)| (at += hours * HOUR, (at, equity, notional)).1).collect()
    })
}

fn any_trades() -> impl Strategy<Value = Vec<TradeRecord>> {
    let one = (0..2_000_i64, 0..200_i64, any::<bool>(), 0.0..10.0, -50.0..60.0, prop::option::of(0.0..9.0)).prop_map(
        |(opened, hours, long, quantity, profit, mae)| TradeRecord {
            opened_at_ns: opened * HOUR,
            closed_at_ns: (opened + hours) * HOUR,
            long,
            quantity,
            entry_price: 100.0,
            exit_price: 101.0,
            profit,
            fees: quantity * 0.1,
            mae,
            mfe: mae.map(|mae| mae + 1.0),
        },
    );
    prop::collection::vec(one, 0..40)
}

fn fold(curve: &[(i64, f64, f64)], scale: f64) -> EquityAccumulator {
    let mut equity = EquityAccumulator::new();
    for (at, value, notional) in curve {
        equity.push(*at, value * scale, notional * scale).unwrap();
    }
    equity
}

fn summary(equity: &EquityAccumulator, trades: &[TradeRecord], benchmark: &[DailyReturn]) -> Summary {
    let conventions = Conventions { risk_free_rate: 0.03, ..Conventions::crypto() };
    let orders = None;
    let inputs =
        SummaryInputs { equity, trades, benchmark, participation: &[], traded_notional: None, orders, conventions };
    Summary::compute(&inputs).unwrap()
}

fn near(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() <= 1e-6 * left.abs().max(right.abs()).max(1.0),
        (left, right) => left == right,
    }
}

/// Whether the debug text of a value shows a NaN or an infinity.
fn shows_no_number(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "NaN" || word == "inf")
}

/// Every figure that is a function of one record.
fn figures(r: &[f64]) -> Vec<Option<f64>> {
    vec![
        returns::total_return(r),
        returns::annualised_return(r, 365.0),
        returns::volatility(r, 365.0),
        returns::stability(r),
        ratios::sharpe_ratio(r, 0.0, 365.0),
        ratios::sortino_ratio(r, 0.0, 365.0),
        ratios::omega_ratio(r, 0.0),
        ratios::probabilistic_sharpe(r, 0.0, 0.0),
        tail::skewness(r),
        tail::kurtosis(r),
        tail::value_at_risk(r, 0.95),
        tail::parametric_value_at_risk(r, 0.95),
        tail::modified_value_at_risk(r, 0.95),
        tail::modified_expected_shortfall(r, 0.95),
        tail::expected_shortfall(r, 0.95),
        tail::parametric_expected_shortfall(r, 0.95),
        tail::tail_ratio(r),
        tail::extremes(r).map(|best| best.0.1),
        benchmark::beta(r, r),
        benchmark::alpha(r, r, 0.0, 365.0),
        benchmark::correlation(r, r),
        benchmark::tracking_error(r, r, 365.0),
        benchmark::treynor_ratio(r, r, 0.0, 365.0),
    ]
}

#[test]
fn records_without_information_have_no_figures_that_are_not_numbers() {
    let records: [&[f64]; 8] =
        [&[], &[0.0], &[0.01], &[-1.0], &[0.01; 5], &[-1.0, -1.0, 3.0], &[1e300; 9], &[-5.0, 2.0, f64::MIN_POSITIVE]];
    for record in records {
        assert!(figures(record).iter().flatten().all(|figure| figure.is_finite()), "{record:?}");
    }
}

proptest! {
    /// One bad value leaves no figure standing.
    #[test]
    fn a_record_with_a_hole_has_no_figures(mut r in any_returns(), place in any::<prop::sample::Index>(), bad in 0..3) {
        let place = place.index(r.len());
        r[place] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][bad as usize];
        for (which, figure) in figures(&r).iter().enumerate() {
            prop_assert_eq!(*figure, None, "figure {} of {:?}", which, r);
        }
    }

    /// The worst share costs at least its own border; more confidence never costs less.
    #[test]
    fn the_tail_beyond_a_loss_is_no_better_than_the_loss(r in any_returns(), c in 0.5..0.995) {
        let (var, shortfall) = (tail::value_at_risk(&r, c).unwrap(), tail::expected_shortfall(&r, c).unwrap());
        prop_assert!(shortfall >= var - 1e-12, "{} < {}", shortfall, var);
        prop_assert!(tail::value_at_risk(&r, 0.996).unwrap() >= var - 1e-12);
        prop_assert!(tail::expected_shortfall(&r, 0.996).unwrap() >= shortfall - 1e-12);
        let worst = tail::extremes(&r).unwrap().1.1;
        prop_assert!(shortfall <= -worst + 1e-12);
    }

    /// Leverage on cash moves no ratio of mean to deviation, and turning the record turns its sign.
    #[test]
    fn sharpe_is_free_of_scale(r in any_returns(), scale in 0.1..10.0) {
        let of = |factor: f64| ratios::sharpe_ratio(&r.iter().map(|r| r * factor).collect::<Vec<_>>(), 0.0, 365.0);
        prop_assert!(near(of(1.0), of(scale)));
        prop_assert!(near(of(1.0), of(-scale).map(|turned| -turned)));
        let own = ratios::sharpe_ratio(&r, 0.0, 1.0).unwrap();
        prop_assert!(near(ratios::probabilistic_sharpe(&r, 0.0, own).or(Some(0.5)), Some(0.5)));
    }

    /// A record made as `a + b x` has beta b, correlation of b's sign, and alpha a.
    #[test]
    fn beta_and_alpha_undo_a_straight_line(x in any_returns(), a in -0.001..0.001, b in 0.1..3.0) {
        let (a, b): (f64, f64) = (a, b);
        let made: Vec<f64> = x.iter().map(|x| a + b * x).collect();
        prop_assert!(near(benchmark::beta(&made, &x), Some(b)));
        prop_assert!(near(benchmark::correlation(&made, &x), Some(1.0)));
        prop_assert!(near(benchmark::alpha(&made, &x, 0.0, 365.0), Some((1.0 + a).powf(365.0) - 1.0)));
    }

    /// Feeding one by one finds the falls that the whole curve shows.
    #[test]
    fn running_drawdowns_equal_those_of_the_whole_curve(curve in any_curve()) {
        let equity = fold(&curve, 1.0);
        let whole: Vec<(i64, f64)> = curve.iter().map(|point| (point.0, point.1)).collect();
        let peak = |at: usize| whole[..=at].iter().map(|point| point.1).fold(f64::MIN, f64::max);
        let depth = |at: usize| (1.0 - whole[at].1 / peak(at)).clamp(0.0, 1.0);
        let deepest = (0..whole.len()).map(depth).fold(0.0, f64::max);
        prop_assert!((equity.deepest_drawdown().map_or(0.0, |fall| fall.depth) - deepest).abs() < 1e-12);
        prop_assert!(equity.ulcer_index().unwrap() <= deepest + 1e-12);
        // a fall lasts from the newest of the highest points until one as high comes, or to the end
        let under = |at: usize| {
            let begin = (0..=at).rev().find(|place| whole[*place].1 >= peak(at)).unwrap();
            let end = (at..whole.len()).find(|place| whole[*place].1 >= peak(at)).unwrap_or(whole.len() - 1);
            (begin < at).then(|| whole[end].0 - whole[begin].0)
        };
        let longest = (0..whole.len()).filter_map(under).max();
        prop_assert_eq!(equity.longest_drawdown().map(|fall| equity.underwater_ns(&fall)), longest);
        prop_assert!(equity.time_in_market().is_none_or(|share| (0.0..=1.0).contains(&share)));
    }

    /// Daily returns compound from the first equity to the last, by day, by month and by year.
    #[test]
    fn returns_compound_to_the_whole(curve in any_curve()) {
        let equity = fold(&curve, 1.0);
        let days = equity.daily_returns();
        let base = if days.len() < equity.days().len() { equity.days()[0].equity } else { curve[0].1 };
        let whole = curve.last().unwrap().1 / base - 1.0;
        let compound = |values: Vec<Option<f64>>| {
            values.into_iter().flatten().fold(1.0, |wealth, r| wealth * (1.0 + r)) - 1.0
        };
        let table = monthly_table(&days);
        prop_assert!(near(Some(compound(days.iter().map(|d| Some(d.value)).collect())), Some(whole)));
        prop_assert!(near(Some(compound(table.iter().flat_map(|y| y.months).collect())), Some(whole)));
        prop_assert!(near(Some(compound(table.iter().map(|y| y.year_return).collect())), Some(whole)));
    }

    /// No figure of any summary is NaN or infinite, and JSON takes it.
    #[test]
    fn a_summary_holds_only_numbers(curve in any_curve(), trades in any_trades(), scale in -300..290) {
        let equity = fold(&curve, 10.0_f64.powi(scale));
        let market = fold(&curve.iter().map(|p| (p.0, p.1 + p.2, 0.0)).collect::<Vec<_>>(), 1.0);
        let text = format!("{:?}", summary(&equity, &trades, &market.daily_returns()));
        prop_assert!(!shows_no_number(&text), "{}", text);
    }

    /// In another currency only the amounts change.
    #[test]
    fn a_summary_in_another_currency_has_the_same_ratios(curve in any_curve(), scale in 0.001..1_000.0) {
        let [ours, theirs] = [1.0, scale].map(|scale| summary(&fold(&curve, scale), &[], &[]));
        for (left, right) in [
            (ours.ratios.sharpe, theirs.ratios.sharpe),
            (ours.ratios.sortino, theirs.ratios.sortino),
            (ours.ratios.omega, theirs.ratios.omega),
            (ours.growth.total_return, theirs.growth.total_return),
            (ours.drawdown.max, theirs.drawdown.max),
            (ours.drawdown.ulcer_index, theirs.drawdown.ulcer_index),
            (ours.distribution.cvar_95, theirs.distribution.cvar_95),
            (ours.activity.mean_leverage, theirs.activity.mean_leverage),
            (ours.growth.net_profit.map(|profit| profit * scale), theirs.growth.net_profit),
            (ours.drawdown.max_amount.map(|amount| amount * scale), theirs.drawdown.max_amount),
        ] {
            prop_assert!(near(left, right), "{:?} and {:?}", left, right);
        }
    }

    /// Long and short, wins and losses, days, weeks and months: each split sums to the whole.
    #[test]
    fn every_split_of_the_trades_sums_to_the_whole(trades in any_trades()) {
        let all = TradeStatistics::of(&trades);
        prop_assert!(near(all.net_profit, all.gross_profit.zip(all.gross_loss).map(|(gain, loss)| gain - loss)));
        prop_assert!(near(all.net_profit, all.expectancy.map(|mean| mean * trades.len() as f64).or(Some(0.0))));
        let (long, short): (Vec<_>, Vec<_>) = trades.iter().copied().partition(|trade| trade.long);
        let (long, short) = (TradeStatistics::of(&long), TradeStatistics::of(&short));
        prop_assert_eq!((long.trades + short.trades, long.wins + short.wins), (all.trades, all.wins));
        prop_assert!(all.max_consecutive_wins <= all.wins && all.max_consecutive_losses <= all.losses);
        for span in [Span::Day, Span::Week, Span::Month] {
            let rows = breakdown(span, &[], &trades);
            prop_assert_eq!(rows.iter().map(|row| row.trades).sum::<u64>(), all.trades);
            prop_assert!(near(rows.iter().map(|row| row.trade_profit).sum(), all.net_profit));
            prop_assert!(near(rows.iter().map(|row| row.fees).sum(), all.fees));
            prop_assert!(rows.windows(2).all(|pair| pair[0].start < pair[1].start));
        }
    }

    /// Any day comes back from its date, and the next day has the next date.
    #[test]
    fn days_and_dates_are_one_to_one(day in -1_000_000_000..1_000_000_000_i64) {
        let date = Day(day).date();
        prop_assert_eq!(Day::of_date(date), Day(day));
        prop_assert!(date < Day(day + 1).date());
        prop_assert_eq!(Day(day).monday().0.rem_euclid(7), 4); // 1970-01-05, day 4, was a Monday
    }
}

/// Bars of a record of forecasts, and over how many of them each is judged.
const BARS: usize = 30_000;
const HORIZON: usize = 20;

/// Closes without a drift, each 1 % off the one before on average.
fn random_walk(draws: &mut Draws) -> Vec<f64> {
    let mut price = 100.0;
    let step = |_| {
        price *= 1.0 + 0.01 * draws.normal();
        price
    };
    (0..BARS).map(step).collect()
}

fn judged(closes: &[f64], forecasts: impl IntoIterator<Item = Option<f64>>) -> signal::ForecastQuality {
    let mut track = signal::ForecastTrack::new(HORIZON);
    closes.iter().zip(forecasts).for_each(|(close, forecast)| track.bar(*close, forecast));
    track.quality()
}

/// Forecasts that follow the trend see no further on a random walk than any others, whatever the overlap of their
/// outcomes looks like within a block.
#[test]
fn a_random_walk_shows_no_signal() {
    for seed in 1..=4 {
        let closes = random_walk(&mut Draws::new(seed));
        let (mut fast, mut slow) = (closes[0], closes[0]);
        let trend = closes.iter().map(|close| {
            fast += (close - fast) * 2.0 / 11.0;
            slow += (close - slow) * 2.0 / 21.0;
            Some(fast / slow - 1.0)
        });
        let quality = judged(&closes, trend);
        assert_eq!(quality.blocks, 299);
        // Four standard errors. Of the 29,980 pairs about one in twenty is independent, for forecasts and outcomes both
        // last 20 bars: sqrt(20 / 29,980) = 0.026. Of the ratio: 1 / sqrt(299) = 0.058.
        for (value, bound) in [
            (quality.information_coefficient, 0.104),
            (quality.rank_information_coefficient, 0.104),
            (quality.information_coefficient_ratio, 0.232),
            (quality.rank_information_coefficient_ratio, 0.232),
        ] {
            assert!(value.unwrap().abs() < bound, "seed {seed}: {quality:?}");
        }
    }
}

/// What follows, and noise more than twice as large (10 % beside 1 % x sqrt(20)): the correlation is
/// 1 / sqrt(1 + 5) = 0.41, and nearly the same in every block.
#[test]
fn a_planted_signal_is_seen_and_steady() {
    let mut draws = Draws::new(1);
    let closes = random_walk(&mut draws);
    let follows = (0..BARS).map(|at| Some(closes.get(at + HORIZON)? / closes[at] - 1.0));
    let forecasts: Vec<Option<f64>> = follows.map(|outcome| Some(outcome? + 0.1 * draws.normal())).collect();
    let quality = judged(&closes, forecasts);
    for coefficient in [quality.information_coefficient, quality.rank_information_coefficient] {
        assert!((coefficient.unwrap() - 0.41).abs() < 0.05, "{quality:?}");
    }
    for ratio in [quality.information_coefficient_ratio, quality.rank_information_coefficient_ratio] {
        assert!(ratio.unwrap() > 1.0, "{quality:?}");
    }
}
