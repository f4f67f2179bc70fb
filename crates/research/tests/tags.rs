//! Why trades were entered and left: the words of the strategy and of the engine, in the list, in groups and from a journal.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{Script, bar, listed, plan, run, spec, wandering};
use tradewind_domain::{
    Bar, InstrumentId, InstrumentKind, InstrumentSpec, Interval, NativeKinds, OcoGroup, OrderKind, OrderRequest,
    PortfolioId, Side, TimeInForce, Timestamp, TradePlan,
};
use tradewind_engine::Event;
use tradewind_research::report::{Group, Meta, Report, html};
use tradewind_research::{Backtest, Outcome, Plan, Recorder, session};
use tradewind_strategies::{Opinion, Target, registry};

/// Says on the close of each bar named what is to be held, under which tag, and where that ends.
fn says(lines: &[(usize, &str, &'static str)], ends: TradePlan) -> Script {
    let mut script = Script::default();
    for (place, target, tag) in lines {
        let opinion = Opinion::target(Target::Quantity(listed().quantity(target).unwrap()), "by the script");
        let opinion = if tag.is_empty() { opinion } else { opinion.tagged(tag) };
        let opinion = if ends.has_end() && *target != "0" { opinion.with_plan(ends) } else { opinion };
        script.lines.insert(*place, opinion);
    }
    script
}

fn tags(outcome: &Outcome) -> Vec<(String, String)> {
    outcome.round_trips.iter().map(|trip| (trip.entry_tag.to_string(), trip.exit_tag.to_string())).collect()
}

/// The same run once in silence and once from its own record, which must tell the same.
fn check(make: impl Fn() -> Plan, bars: &[Bar], want: &[(&str, &str)]) -> Outcome {
    let mut events: Vec<Event> = Vec::new();
    let mut recorded = Backtest::with_sink(make(), Recorder(|event: &Event, _| events.push(event.clone())));
    bars.iter().for_each(|bar| recorded.feed(bar).unwrap());
    let recorded = recorded.finish();
    let (silent, told) = (run(make(), bars), session::outcome(events, PortfolioId(0)).unwrap().unwrap());
    for outcome in [&silent, &recorded, &told] {
        let got = tags(outcome);
        assert_eq!(got.iter().map(|(entry, exit)| (&**entry, &**exit)).collect::<Vec<_>>(), want);
        assert_eq!(outcome.digest.hex(), silent.digest.hex());
    }
    silent
}

fn moves(rows: &[[&str; 5]]) -> Vec<Bar> {
    rows.iter().enumerate().map(|(place, row)| bar(place, *row)).collect()
}

const CALM: [&str; 5] = ["100", "101", "99", "100", "10"];

#[test]
fn a_trade_has_the_words_under_which_it_was_entered_and_left() {
    let lines = [(0, "1", "cross-up"), (2, "0", "cross-down"), (4, "1", ""), (6, "0", ""), (8, "1", "cross-up")];
    let want = [("cross-up", "cross-down"), ("signal", "signal"), ("cross-up", "end-of-data")];
    check(|| plan(says(&lines, TradePlan::default())), &moves(&[CALM; 12]), &want);
}

#[test]
fn what_turns_a_position_is_a_reversal_of_the_one_and_the_entry_of_the_other() {
    let perpetual =
        InstrumentSpec { kind: InstrumentKind::LinearPerpetual, symbol: "BTC/USDT:USDT".parse().unwrap(), ..spec() };
    let make = || Plan {
        instrument: perpetual.clone().list(InstrumentId(0)).unwrap(),
        ..plan(says(&[(0, "1", "cross-up"), (2, "-1", "cross-down"), (4, "0", "tired")], TradePlan::default()))
    };
    check(make, &moves(&[CALM; 8]), &[("cross-up", "reversal"), ("cross-down", "tired")]);
}

#[test]
fn stops_and_targets_say_so_whoever_placed_them() {
    let price = |text: &str| listed().price(text).unwrap();
    let ends = TradePlan { stop: Some(price("95")), target: Some(price("110")), ..TradePlan::default() };
    let rows = [CALM, CALM, ["100", "100", "94", "96", "10"], CALM, CALM, ["100", "111", "100", "109", "10"], CALM];
    let lines = [(0, "1", "breakout"), (3, "1", "breakout")];
    check(|| plan(says(&lines, ends)), &moves(&rows), &[("breakout", "stop"), ("breakout", "target")]);
    // an exit of the strategy's own makes the pair give way
    let tired = [(0, "1", "breakout"), (2, "0", "tired")];
    check(|| plan(says(&tired, ends)), &moves(&[CALM; 7]), &[("breakout", "tired")]);
    // a pair of the strategy's own, of which one cancels the other
    let exits = |place: usize| {
        let one = OrderRequest::market(InstrumentId(0), Side::Sell, listed().quantity("1").unwrap());
        let kinds = [OrderKind::Stop { trigger: price("95") }, OrderKind::Limit { price: price("110") }];
        says(&[(0, "1", "breakout")], TradePlan::default())
            .order(place, &kinds.map(|kind| OrderRequest { kind, oco: Some(OcoGroup(1)), ..one }))
    };
    let up = ["100", "111", "100", "109", "10"];
    check(|| plan(exits(1)), &moves(&[CALM, CALM, up, CALM]), &[("breakout", "target")]);
    let down = ["100", "100", "94", "96", "10"];
    check(|| plan(exits(1)), &moves(&[CALM, CALM, down, CALM]), &[("breakout", "stop")]);
}

#[test]
fn an_entry_that_waits_here_because_its_venue_keeps_no_such_order_keeps_its_word() {
    let spec = InstrumentSpec { native: NativeKinds::default(), ..spec() };
    let trigger = listed().price("95").unwrap();
    let one = OrderRequest::market(InstrumentId(0), Side::Buy, listed().quantity("1").unwrap());
    let make = || {
        let mut script = Script::default().order(0, &[OrderRequest { kind: OrderKind::Touched { trigger }, ..one }]);
        script.lines.get_mut(&0).unwrap().tag = "dip";
        Plan { instrument: spec.clone().list(InstrumentId(0)).unwrap(), ..plan(script) }
    };
    let rows = [CALM, CALM, ["100", "100", "94", "96", "10"], CALM, CALM];
    check(make, &moves(&rows), &[("dip", "end-of-data")]);
}

#[test]
fn an_order_that_ends_by_time_is_counted_alike_from_the_journal() {
    let (price, quantity) = (listed().price("90").unwrap(), listed().quantity("1").unwrap());
    let until = TimeInForce::Gtd(Timestamp::from_nanos(3 * common::MINUTE_NS));
    let kind = OrderKind::Limit { price };
    let order =
        OrderRequest { kind, time_in_force: until, ..OrderRequest::market(InstrumentId(0), Side::Buy, quantity) };
    let make = || plan(says(&[(5, "1", ""), (6, "0", "")], TradePlan::default()).order(0, &[order]));
    let mut events: Vec<Event> = Vec::new();
    let mut run = Backtest::with_sink(make(), Recorder(|event: &Event, _| events.push(event.clone())));
    moves(&[CALM; 9]).iter().for_each(|bar| run.feed(bar).unwrap());
    let (ran, told) = (run.finish(), session::outcome(events, PortfolioId(0)).unwrap().unwrap());
    for outcome in [&ran, &told] {
        let report = Report::build(outcome, Meta::default()).unwrap();
        assert_eq!((report.timed_out, report.statistics.activity.orders.unwrap().timed_out), (1, 1));
    }
}

#[test]
fn shipped_strategies_say_why_and_their_groups_sum_to_the_whole() {
    let bars = wandering(3_000, Interval::HOUR);
    let words: [(&str, &[&str], &[&str]); 5] = [
        ("ema-trend", &["cross-up"], &["cross-down"]),
        ("mean-reversion", &["band-low"], &["mean", "stop"]),
        ("breakout", &["breakout"], &["channel-low"]),
        ("volatility-target", &["rebalance"], &["rebalance"]),
        ("vote", &["trend", "rsi", "macd", "breakout", "mean"], &["trend", "rsi", "macd", "breakout", "mean"]),
    ];
    assert_eq!(registry::all().len(), words.len(), "each that ships has its words here");
    for (name, entries, exits) in words {
        let strategy = registry::build(name, &toml::Table::new()).unwrap();
        let outcome = run(Plan { strategy, ..plan(Script::default()) }, &bars);
        let report = Report::build(&outcome, Meta::default()).unwrap();
        assert!(!outcome.round_trips.is_empty(), "{name} trades");
        let it = &report.groups;
        let names = |groups: &[Group]| groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>();
        assert!(names(&it.entry_tag).iter().all(|tag| entries.contains(&&**tag)), "{name}: {:?}", names(&it.entry_tag));
        let is_known = |tag: &String| exits.contains(&&**tag) || tag == "end-of-data";
        assert!(names(&it.exit_tag).iter().all(is_known), "{name}: {:?}", names(&it.exit_tag));
        assert_eq!(names(&it.instrument), ["BTC/USDT"]);
        let profit: f64 = outcome.round_trips.iter().map(|trip| trip.profit).sum();
        for groups in [&it.entry_tag, &it.exit_tag, &it.instrument] {
            let sum: f64 = groups.iter().map(|group| group.statistics.net_profit.unwrap()).sum();
            assert!((sum - profit).abs() < 1e-6, "{name}: {sum} of {profit}");
            let trades: u64 = groups.iter().map(|group| group.statistics.trades).sum();
            assert_eq!(trades, outcome.round_trips.len() as u64);
            assert!(
                groups.is_sorted_by(|a, b| a.statistics.net_profit >= b.statistics.net_profit),
                "{name}: best first"
            );
        }
        let (json, page) = (serde_json::to_value(&report).unwrap(), html(&report));
        assert_eq!(json["groups"]["entry_tag"][0]["name"], it.entry_tag[0].name);
        assert_eq!(json["round_trip_list"][0]["entry_tag"], *outcome.round_trips[0].entry_tag);
        assert!(page.contains("Trades by entry and exit") && page.contains("By month, week and day"));
        assert!(page.contains(&format!("<th scope=row>{}<td", it.exit_tag[0].name)), "{name}");
    }
}

#[test]
fn a_word_of_an_author_cannot_break_the_page() {
    let hostile = "<script>alert(1)</script>";
    let outcome = run(plan(says(&[(0, "1", hostile), (2, "0", hostile)], TradePlan::default())), &moves(&[CALM; 5]));
    let page = html(&Report::build(&outcome, Meta::default()).unwrap());
    assert!(!page.contains(hostile) && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}
