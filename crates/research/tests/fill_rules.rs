//! What a backtest assumes about fills, seen through the whole of it: strategy, gate, engine and matcher.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{MINUTE_NS, Script, bar, listed, plan};
use expect_test::{Expect, expect};
use tradewind_book::FillPolicy;
use tradewind_domain::{Bar, InstrumentId, OcoGroup, OrderKind, OrderRequest, Side};
use tradewind_engine::{Event, EventKind};
use tradewind_gate::Limits;
use tradewind_research::{Backtest, Plan, Recorder};

/// Runs the script over the bars and writes down what became of its orders, with minutes since the first open.
fn check(policy: FillPolicy, script: Script, bars: &[[&str; 5]], want: &Expect) {
    check_under(Limits::RESEARCH, policy, script, bars, want);
}

fn check_under(limits: Limits, policy: FillPolicy, script: Script, bars: &[[&str; 5]], want: &Expect) {
    let bars: Vec<Bar> = bars.iter().enumerate().map(|(place, values)| bar(place, *values)).collect();
    let (it, mut lines) = (listed(), Vec::new());
    let mut run = Backtest::with_sink(
        Plan { fill_policy: policy, limits, ..plan(script) },
        Recorder(|event: &Event, _| {
            let minute = event.at.nanos() / MINUTE_NS;
            match &event.kind {
                EventKind::Filled(fill) => lines.push(format!(
                    "minute {minute}: {:?} {} at {}\n",
                    fill.side,
                    it.quantity_text(fill.quantity),
                    it.price_text(fill.price)
                )),
                EventKind::Cancelled { reason, .. } => lines.push(format!("minute {minute}: cancelled, {reason}\n")),
                EventKind::Rejected { reason, .. } => lines.push(format!("minute {minute}: rejected, {reason}\n")),
                _ => (),
            }
        }),
    );
    for bar in &bars {
        run.feed(bar).unwrap();
    }
    drop(run);
    want.assert_eq(&lines.concat());
}

fn order(side: Side, quantity: &str, kind: OrderKind) -> OrderRequest {
    let quantity = listed().quantity(quantity).unwrap();
    OrderRequest { kind, ..OrderRequest::market(InstrumentId(0), side, quantity) }
}

fn stop(trigger: &str) -> OrderKind {
    OrderKind::Stop { trigger: listed().price(trigger).unwrap() }
}

fn limit(price: &str) -> OrderKind {
    OrderKind::Limit { price: listed().price(price).unwrap() }
}

/// A bar in which nothing moves.
const STILL: [&str; 5] = ["100", "100", "100", "100", "10"];

/// A stop and a target around a long position: one ends the other.
fn bracket(below: &str, above: &str) -> [OrderRequest; 2] {
    [stop(below), limit(above)].map(|kind| OrderRequest { oco: Some(OcoGroup(1)), ..order(Side::Sell, "1", kind) })
}

#[test]
fn what_is_decided_on_a_close_fills_at_the_next_open() {
    check(
        FillPolicy::default(),
        Script::default().hold(0, "2").hold(1, "0"),
        &[["100", "105", "95", "104", "10"], ["106", "110", "90", "92", "10"], ["91", "99", "80", "85", "10"]],
        &expect![[r#"
            minute 1: Buy 2 at 106
            minute 2: Sell 2 at 91
        "#]],
    );
}

#[test]
fn a_market_order_that_gaps_beyond_its_worst_price_expires_and_the_strategy_asks_again() {
    let mut limits = Limits { controls: Some(Default::default()), ..Limits::RESEARCH };
    limits.controls.as_mut().unwrap().market_collar_bps = Some(100);
    check_under(
        limits,
        FillPolicy::default(),
        Script::default().hold(0, "2").hold(1, "2").hold(2, "0").hold(3, "0"),
        &[
            STILL,
            ["101.01", "102", "100", "100", "10"],
            ["101", "101", "100", "100", "10"],
            ["98", "98", "98", "98", "10"],
            ["97.02", "98", "97", "98", "10"],
        ],
        &expect![[r#"
            minute 1: cancelled, immediate or cancel: the rest could not fill at once: a market order that goes no further than 101
            minute 2: Buy 2 at 101
            minute 3: cancelled, immediate or cancel: the rest could not fill at once: a market order that goes no further than 99
            minute 4: Sell 2 at 97.02
        "#]],
    );
}

#[test]
fn a_decision_on_the_last_close_never_fills() {
    check(FillPolicy::default(), Script::default().hold(0, "2"), &[["100", "105", "95", "104", "10"]], &expect![""]);
}

/// Bought at 100 with a stop at 95 and a target at 110, and then this bar.
fn check_bracket(last: [&str; 5], want: &Expect) {
    let script = Script::default().hold(0, "1").order(1, &bracket("95", "110"));
    check(FillPolicy::default(), script, &[STILL, STILL, last], want);
}

#[test]
fn of_stop_and_target_in_one_bar_the_worse_comes_first() {
    check_bracket(
        ["100", "120", "90", "115", "10"],
        &expect![[r#"
            minute 1: Buy 1 at 100
            minute 3: Sell 1 at 95
            minute 3: cancelled, another order of its group filled
        "#]],
    );
}

#[test]
fn a_target_alone_fills_at_its_price() {
    check_bracket(
        ["100", "120", "96", "115", "10"],
        &expect![[r#"
            minute 1: Buy 1 at 100
            minute 3: Sell 1 at 110
            minute 3: cancelled, another order of its group filled
        "#]],
    );
}

#[test]
fn a_gap_through_the_stop_fills_at_the_gap() {
    check_bracket(
        ["90", "92", "85", "91", "10"],
        &expect![[r#"
            minute 1: Buy 1 at 100
            minute 2: Sell 1 at 90
            minute 2: cancelled, another order of its group filled
        "#]],
    );
}

#[test]
fn a_gap_through_the_target_fills_at_the_gap() {
    check_bracket(
        ["118", "119", "117", "118", "10"],
        &expect![[r#"
            minute 1: Buy 1 at 100
            minute 2: Sell 1 at 118
            minute 2: cancelled, another order of its group filled
        "#]],
    );
}

#[test]
fn size_is_capped_by_the_share_of_volume_and_the_rest_works_on() {
    check(
        FillPolicy { volume_share_bps: Some(1_000), ..FillPolicy::default() },
        Script::default().order(0, &[order(Side::Buy, "2.5", OrderKind::Market)]),
        &[
            STILL,
            ["101", "101", "101", "101", "10"],
            ["102", "102", "102", "102", "0"],
            ["103", "103", "103", "103", "12"],
            ["104", "104", "104", "104", "90"],
        ],
        &expect![[r#"
            minute 1: Buy 1 at 101
            minute 3: Buy 1.2 at 103
            minute 4: Buy 0.3 at 104
        "#]],
    );
}

#[test]
fn slippage_and_impact_make_the_taker_pay_and_the_maker_not() {
    let impact = tradewind_book::Impact::Linear { coefficient_centi_bps: 100_000 }; // 1,000 bps at the whole volume
    check(
        FillPolicy { slippage_centi_bps: 1_000, impact, ..FillPolicy::default() },
        Script::default().order(0, &[order(Side::Buy, "1", OrderKind::Market)]).order(1, &bracket("50", "110")),
        // a tenth of the volume: 100 bps of impact and 10 of slippage on 100
        &[STILL, STILL, ["100", "110", "100", "100", "10"]],
        &expect![[r#"
            minute 1: Buy 1 at 101.1
            minute 3: Sell 1 at 110
            minute 3: cancelled, another order of its group filled
        "#]],
    );
}

#[test]
fn an_entry_that_still_fills_is_taken_back_before_what_is_held_is_sold() {
    let bars = [STILL; 5];
    let share = || FillPolicy { volume_share_bps: Some(1_000), ..FillPolicy::default() };
    check(
        share(),
        Script::default().hold(0, "2.5").hold(2, "0"),
        &bars,
        &expect![[r#"
        minute 1: Buy 1 at 100
        minute 2: Buy 1 at 100
        minute 3: cancelled, on request
        minute 3: Sell 1 at 100
        minute 4: Sell 1 at 100
    "#]],
    );
    // less is wanted, not nothing
    check(
        share(),
        Script::default().hold(0, "4").hold(1, "1.5"),
        &bars,
        &expect![[r#"
        minute 1: Buy 1 at 100
        minute 2: cancelled, on request
        minute 2: Buy 0.5 at 100
    "#]],
    );
    // before anything filled
    check(
        share(),
        Script::default().hold(0, "1").hold(1, "1").hold(2, "0"),
        &bars,
        &expect![[r#"
        minute 1: Buy 1 at 100
        minute 3: Sell 1 at 100
    "#]],
    );
}
