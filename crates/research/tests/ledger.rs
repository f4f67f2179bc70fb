//! Hand-worked ledgers: what the report says is what a person comes to with paper and pencil.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{Script, bar, listed, plan, run, spec, still};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use tradewind_book::{FillPolicy, Impact};
use tradewind_domain::{
    Currency, FeeAsset, FeeSchedule, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, Money, NativeKinds,
    OrderKind, OrderRequest, PortfolioId, Side, Source, TrailingOffset, round_div,
};
use tradewind_gate::{Limits, Proposal};
use tradewind_research::report::{CostLines, Meta, Report};
use tradewind_research::{Backtest, Outcome, Plan};

fn instrument(spec: InstrumentSpec) -> Instrument {
    spec.list(InstrumentId(0)).unwrap()
}

fn check(outcome: &Outcome, want: &Expect) {
    let report = Report::build(outcome, Meta::default()).unwrap();
    let mut text = format!(
        "equity {} of {}, fees {} {:?}, slippage {}, total {} on {}, {} executions\n",
        report.equity_final,
        report.deposit,
        report.fees,
        report.fees_by_currency,
        report.costs.slippage.as_deref().unwrap(),
        report.costs.total,
        report.costs.traded_notional,
        report.trades,
    );
    for trip in &report.round_trip_list {
        text += &format!(
            "{}{} {} from {} to {}: {} after {}\n",
            if trip.open { "open " } else { "" },
            trip.direction,
            trip.quantity,
            trip.entry_price,
            trip.exit_price,
            trip.profit,
            trip.fees,
        );
    }
    want.assert_eq(&text);
}

/// 10 bought at 100 and sold at 110; 5 from 110 to 104; 2 at 104 and 2 at 106, sold at 107.5; each fee 10 bps.
fn three_trades() -> (Script, Vec<&'static str>) {
    let script =
        Script::default().hold(0, "10").hold(2, "0").hold(3, "5").hold(4, "0").hold(5, "2").hold(6, "4").hold(7, "0");
    (script, vec!["99", "100", "105", "110", "110", "104", "104", "106", "107.5"])
}

#[test]
fn three_trades_come_out_to_the_last_unit() {
    let (script, prices) = three_trades();
    check(
        &run(plan(script), &still(&prices)),
        &expect![[r#"
            equity 10075.98 of 10000, fees 4.02 {"USDT": "4.02"}, slippage 0, total 4.02 on 4020, 7 executions
            long 10 from 100 to 110: 97.9 after 2.1
            long 5 from 110 to 104: -31.07 after 1.07
            long 4 from 105 to 107.5: 9.15 after 0.85
        "#]],
    );
}

#[test]
fn statistics_of_three_trades_are_those_of_paper_and_pencil() {
    let (script, prices) = three_trades();
    let report = Report::build(&run(plan(script), &still(&prices)), Meta::default()).unwrap();
    let trades = &report.statistics.trades;
    let close =
        |value: Option<f64>, want: f64| assert!((value.unwrap() - want).abs() < 1e-9, "{value:?} is not {want}");
    assert_eq!((trades.trades, trades.wins, trades.losses, report.round_trips), (3, 2, 1, 3));
    close(trades.net_profit, 75.98);
    close(trades.profit_factor, (97.9 + 9.15) / 31.07);
    close(trades.win_rate, 2.0 / 3.0);
    close(trades.expectancy, 75.98 / 3.0);
    close(report.statistics.growth.total_return, 0.007_598);
    close(report.statistics.growth.net_profit, 75.98);
    // bought at 99 instead: 10,000 x 107.5 / 99
    assert_eq!(report.benchmark.as_ref().unwrap().equity_final, "10858.58585859");
    close(report.benchmark.as_ref().unwrap().growth.total_return, 107.5 / 99.0 - 1.0);
    close(report.statistics.benchmark.total_return, 107.5 / 99.0 - 1.0);
}

#[test]
fn slippage_is_itemised_apart_from_fees() {
    let policy = FillPolicy { slippage_centi_bps: 1_000, ..FillPolicy::default() }; // 10 bps
    let script = Script::default().hold(0, "10").hold(1, "0");
    check(
        // bought at 100.10 instead of 100, sold at 109.89 instead of 110
        &run(Plan { fill_policy: policy, ..plan(script) }, &still(&["99", "100", "110"])),
        &expect![[r#"
            equity 10095.8001 of 10000, fees 2.0999 {"USDT": "2.0999"}, slippage 2.1, total 4.1999 on 2099.9, 2 executions
            long 10 from 100.1 to 109.89: 95.8001 after 2.0999
        "#]],
    );
}

#[test]
fn market_impact_is_itemised_apart_from_slippage() {
    let lines = |impact, slippage_centi_bps| {
        let fill_policy = FillPolicy { slippage_centi_bps, impact, ..FillPolicy::default() };
        let outcome = run(Plan { fill_policy, ..plan(Script::default().hold(0, "50")) }, &still(&["99", "100", "100"]));
        let costs = Report::build(&outcome, Meta::default()).unwrap().costs;
        [costs.fees, costs.slippage.unwrap(), costs.impact.unwrap(), costs.total]
    };
    // 50 bought at 100, a twentieth of the volume: of 1,000 bps at the whole of it 50 bps; and 10 bps of slippage
    let impact = Impact::Linear { coefficient_centi_bps: 100_000 };
    assert_eq!(lines(impact, 1_000), ["5.03", "5", "25", "35.03"]);
    assert_eq!(lines(impact, 0), ["5.025", "0", "25", "30.025"]);
    assert_eq!(lines(Impact::None, 1_000), ["5.005", "5", "0", "10.005"]);
    // the root of a twentieth, rounded up: 223.61 bps of impact, and 102.3361 on the next tick
    let root = Impact::SquareRoot { coefficient_centi_bps: 100_000 };
    assert_eq!(lines(root, 1_000), ["5.117", "5", "112", "122.117"]);
}

fn costs(outcome: &Outcome) -> CostLines {
    Report::build(outcome, Meta::default()).unwrap().costs
}

/// Fees, spread, slippage, impact and their sum.
fn items(outcome: &Outcome) -> [String; 5] {
    let it = costs(outcome);
    [it.fees, it.spread.unwrap(), it.slippage.unwrap(), it.impact.unwrap(), it.total]
}

#[test]
fn half_the_spread_is_itemised_apart_from_slippage_and_rounding() {
    let bought = |half_spread_centi_bps, slippage_centi_bps| {
        let impact = Impact::Linear { coefficient_centi_bps: 100_000 };
        let fill_policy = FillPolicy { half_spread_centi_bps, slippage_centi_bps, impact, ..FillPolicy::default() };
        items(&run(Plan { fill_policy, ..plan(Script::default().hold(0, "50")) }, &still(&["100"; 3])))
    };
    // 50 bought where 100 is shown: 5 bps of spread, 10 of slippage and 50 of impact give 100.65
    assert_eq!(bought(500, 1_000), ["5.0325", "2.5", "5", "25", "37.5325"]);
    assert_eq!(bought(500, 0), ["5.0275", "2.5", "0", "25", "32.5275"]);
    // 0.07 bps of 5,000 are 0.035; the rest of the tick, a cent for each of the 50, is rounding
    assert_eq!(bought(7, 0), ["5.0255", "0.035", "0.465", "25", "30.5255"]);
}

#[test]
fn a_limit_pays_half_the_spread_up_to_its_price_where_it_takes_and_none_where_it_rests() {
    let bought = |limit: &str| {
        let (quantity, limit) = (listed().quantity("10").unwrap(), listed().price(limit).unwrap());
        let script = Script::default().order(0, &[OrderRequest::limit(InstrumentId(0), Side::Buy, quantity, limit)]);
        let fill_policy = FillPolicy { half_spread_centi_bps: 500, ..FillPolicy::default() };
        let bars = [bar(0, ["100"; 5]), bar(1, ["100", "100", "99", "100", "100"]), bar(2, ["100"; 5])];
        items(&run(Plan { fill_policy, ..plan(script) }, &bars))
    };
    assert_eq!(bought("100.10"), ["1.0005", "0.5", "0", "0", "1.5005"]); // at 100.05
    assert_eq!(bought("100.03"), ["1.0003", "0.3", "0", "0", "1.3003"]);
    assert_eq!(bought("99.50"), ["0.995", "0", "0", "0", "0.995"]);
}

#[test]
fn a_trailing_stop_that_wakes_inside_a_bar_is_itemised_from_where_it_stood() {
    let native = InstrumentSpec { native: NativeKinds::ALL, ..spec() };
    let fill_policy = FillPolicy { half_spread_centi_bps: 500, slippage_centi_bps: 1_000, ..FillPolicy::default() };
    let plan =
        Plan { instrument: instrument(native), limits: Limits::RESEARCH, fill_policy, ..plan(Script::default()) };
    let mut run = Backtest::new(plan);
    let one = listed().quantity("1").unwrap();
    let buy = Proposal {
        plan: None,
        source: Source::Operator,
        portfolio: PortfolioId(0),
        request: OrderRequest::market(InstrumentId(0), Side::Buy, one),
        reason: "a test".into(),
    };
    let offset = TrailingOffset::Price(listed().price("10").unwrap());
    let kind = OrderKind::Trailing { offset, activation: None };
    let trail = OrderRequest { kind, ..OrderRequest::market(InstrumentId(0), Side::Sell, one) };
    run.feed(&bar(0, ["100", "100", "100", "100", "10"])).unwrap();
    run.propose(buy.clone());
    run.feed(&bar(1, ["100", "108", "99", "107", "10"])).unwrap();
    run.propose(Proposal { request: trail, ..buy });
    run.feed(&bar(2, ["107", "112", "105", "111", "10"])).unwrap();
    run.feed(&bar(3, ["110", "111", "100", "101", "10"])).unwrap();
    // bought at 100.15 for 100 and sold at 101.84 for 102, where 15 bps are 0.153 and 5 are 0.051
    assert_eq!(items(&run.finish()), ["0.20199", "0.101", "0.209", "0", "0.51199"]);
}

#[test]
fn a_fee_taken_in_the_asset_leaves_less_to_sell() {
    let mut spec = spec();
    spec.fees = FeeSchedule { asset: FeeAsset::Received, ..FeeSchedule::bps(10, 10) };
    let script = Script::default().hold(0, "10").hold(1, "0");
    check(
        // 9.99 arrive; sold for 1,098.90 less 1.0989
        &run(Plan { instrument: instrument(spec), ..plan(script) }, &still(&["99", "100", "110"])),
        &expect![[r#"
            equity 10097.8011 of 10000, fees 2.0989 {"BTC": "0.01", "USDT": "1.0989"}, slippage 0, total 2.0989 on 2098.9, 2 executions
            long 9.99 from 100 to 110: 97.8011 after 2.0989
        "#]],
    );
}

#[test]
fn turning_from_long_to_short_is_two_trades_and_the_open_one_is_marked() {
    let perpetual = InstrumentSpec { kind: InstrumentKind::LinearPerpetual, ..spec() };
    let perpetual = InstrumentSpec { symbol: "BTC/USDT:USDT".parse().unwrap(), ..perpetual };
    let script = Script::default().hold(0, "1").hold(1, "-2");
    check(
        // the sale of 3 at 110 costs 0.33: a third for what it closed
        &run(Plan { instrument: instrument(perpetual), ..plan(script) }, &still(&["99", "100", "110", "104"])),
        &expect![[r#"
            equity 10021.57 of 10000, fees 0.43 {"USDT": "0.43"}, slippage 0, total 0.43 on 430, 2 executions
            long 1 from 100 to 110: 9.79 after 0.21
            open short 2 from 110 to 104: 11.78 after 0.22
        "#]],
    );
}

#[test]
fn an_inverse_contract_is_counted_in_its_coin() {
    let spec = InstrumentSpec {
        kind: InstrumentKind::InversePerpetual,
        min_notional: Money::zero(Currency::new("USD").unwrap()),
        symbol: "BTC/USD:BTC".parse().unwrap(),
        ..spec()
    };
    let deposit = Money::parse("2", Currency::new("BTC").unwrap()).unwrap();
    let script = Script::default().hold(0, "50000").hold(1, "0");
    check(
        // 50,000 / 50,000 - 50,000 / 62,500 = 0.2, less 10 bps of 1 and of 0.8
        &run(Plan { instrument: instrument(spec), deposit, ..plan(script) }, &still(&["50000", "50000", "62500"])),
        &expect![[r#"
            equity 2.1982 of 2, fees 0.0018 {"BTC": "0.0018"}, slippage 0, total 0.0018 on 1.8, 2 executions
            long 50000 from 50000 to 62500: 0.1982 after 0.0018
        "#]],
    );
}

#[test]
fn excursions_are_those_of_the_bars_lived_through() {
    let script = Script::default().hold(0, "1").hold(2, "0");
    let bars = [
        common::bar(0, ["100", "500", "1", "100", "10"]),  // before the entry
        common::bar(1, ["100", "112", "97", "105", "10"]), // lived through
        common::bar(2, ["105", "108", "94", "101", "10"]), // lived through
        common::bar(3, ["102", "900", "2", "100", "10"]),  // after the exit at its open
    ];
    let outcome = run(plan(script), &bars);
    let trip = &outcome.round_trips[0];
    assert!((trip.mae - -0.06).abs() < 1e-12 && (trip.mfe - 0.12).abs() < 1e-12, "{trip:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where prices stand still, what is itemised is all that was lost, and the spread is what was assumed of it.
    #[test]
    fn in_a_still_market_the_costs_sum_to_what_equity_lost(
        cents in 5_000_i64..15_000,
        thousandths in 1_000_i64..20_000,
        half_spread_centi_bps in 0_u32..2_000,
        slippage_centi_bps in 0_u32..2_000,
        coefficient_centi_bps in 0_u32..100_000,
    ) {
        let impact = Impact::Linear { coefficient_centi_bps };
        let fill_policy = FillPolicy { half_spread_centi_bps, slippage_centi_bps, impact, ..FillPolicy::default() };
        let price = format!("{}.{:02}", cents / 100, cents % 100);
        let quantity = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        let script = Script::default().hold(0, &quantity).hold(1, "0");
        let outcome = run(Plan { fill_policy, ..plan(script) }, &still(&[price.as_str(); 3]));
        prop_assert_eq!(outcome.digest.fills(), 2);
        let (costs, equity) = (&outcome.costs, outcome.state.portfolios[0].equity());
        let lost = 10_000 * 100_000_000 - equity;
        prop_assert_eq!(costs.fees + costs.spread + costs.slippage + costs.impact, lost);
        let shown = i128::from(cents * thousandths * 1_000); // in units of the ledger
        prop_assert_eq!(costs.spread, 2 * round_div(shown * i128::from(half_spread_centi_bps), 1_000_000));
        prop_assert!(costs.slippage >= 0 && costs.impact >= 0);
    }

    /// However it is traded, the trips' profits sum to the change of equity, rounded once a trip and once a fill.
    #[test]
    fn profits_of_trips_sum_to_the_change_of_equity(
        steps in prop::collection::vec((-20_i64..=20, 5_000_i64..15_000), 2..60),
        fee in -5_i32..30,
        slippage in 0_u32..500,
    ) {
        let perpetual = InstrumentSpec {
            kind: InstrumentKind::LinearPerpetual,
            symbol: "BTC/USDT:USDT".parse().unwrap(),
            fees: FeeSchedule::bps(0, fee),
            ..spec()
        };
        let mut script = Script::default();
        for (place, (target, _)) in steps.iter().enumerate() {
            script = script.hold(place, &format!("{}.{:03}", target / 4, target.abs() * 37 % 1_000));
        }
        let prices: Vec<String> = steps.iter().map(|(_, cents)| format!("{}.{:02}", cents / 100, cents % 100)).collect();
        let bars = still(&prices.iter().map(String::as_str).collect::<Vec<_>>());
        let fill_policy = FillPolicy { slippage_centi_bps: slippage, ..FillPolicy::default() };
        let outcome = run(Plan { instrument: instrument(perpetual), fill_policy, ..plan(script) }, &bars);
        let of_trips: i128 = outcome.round_trips.iter().map(|trip| trip.profit_units).sum();
        let of_equity = outcome.state.portfolios[0].equity() - 10_000 * 100_000_000;
        let roundings = outcome.round_trips.len() as i128 + i128::from(outcome.digest.fills());
        prop_assert!((of_trips - of_equity).abs() <= roundings, "{of_trips} and {of_equity}");
        let fees: i128 = outcome.round_trips.iter().map(|trip| trip.fee_units).sum();
        prop_assert_eq!(fees, outcome.costs.fees);
        prop_assert!(outcome.costs.slippage >= 0);
    }
}
