//! Orders that wait, protect or come in slices, on bars: what a venue would fill is filled, and what it does not keep the
//! engine keeps.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{Script, bar, listed, spec, still, usdt};
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, InstrumentId, InstrumentSpec, NativeKinds, OrderKind, OrderRecord, OrderRequest, OrderState, Origin,
    PortfolioId, Price, Quantity, Side, Source, TradePlan, TrailingOffset,
};
use tradewind_engine::algo::{ParentEnd, ParentId, ParentState, ParentWish, Plan as How, Protection, Schedule};
use tradewind_gate::{Limits, Proposal};
use tradewind_research::{Backtest, Plan};

fn backtest(spec: InstrumentSpec) -> Backtest {
    Backtest::new(Plan {
        instrument: spec.list(InstrumentId(0)).unwrap(),
        origin: Origin::Simulated,
        deposit: usdt("10000"),
        limits: Limits::RESEARCH,
        fill_policy: FillPolicy::default(),
        strategy: Box::new(Script::default()),
    })
}

fn price(text: &str) -> Price {
    listed().price(text).unwrap()
}
fn market(side: Side, quantity: &str) -> OrderRequest {
    OrderRequest::market(InstrumentId(0), side, listed().quantity(quantity).unwrap())
}
fn wish(request: OrderRequest, plan: How) -> ParentWish {
    ParentWish {
        entry: None,
        trade: None,
        source: Source::Operator,
        portfolio: PortfolioId(0),
        request,
        plan,
        reason: "a test".to_owned(),
    }
}
fn flat(minute: usize) -> Bar {
    bar(minute, ["100", "100", "100", "100", "10"])
}
fn held(run: &Backtest) -> Quantity {
    run.state().portfolio(PortfolioId(0)).position(InstrumentId(0)).quantity()
}

/// Feeds the first bar, proposes, feeds the rest; where a fill came and at which price.
fn fills(spec: InstrumentSpec, request: OrderRequest, bars: &[Bar]) -> Vec<(usize, String)> {
    let mut run = backtest(spec);
    run.feed(&bars[0]).unwrap();
    let reason = "a test".into();
    run.propose(Proposal { plan: None, source: Source::Operator, portfolio: PortfolioId(0), request, reason });
    let mut found = Vec::new();
    for (place, bar) in bars.iter().enumerate().skip(1) {
        let before = run.state().counters.fills;
        run.feed(bar).unwrap();
        if run.state().counters.fills > before {
            let record = run.state().closed.back().unwrap();
            let mean = listed().mean_price_text(record.cost, record.filled).unwrap();
            found.push((place, mean));
        }
    }
    found
}

fn native() -> InstrumentSpec {
    InstrumentSpec { native: NativeKinds::ALL, ..spec() }
}

#[test]
fn an_order_that_waits_to_be_touched_fills_at_its_trigger_where_the_venue_keeps_it_and_else_at_the_next_open() {
    let touched = OrderRequest { kind: OrderKind::Touched { trigger: price("95") }, ..market(Side::Buy, "1") };
    let bars = [
        bar(0, ["100", "100", "100", "100", "10"]),
        bar(1, ["100", "101", "96", "97", "10"]),
        bar(2, ["97", "98", "94", "96", "10"]),
        bar(3, ["96.5", "97", "96", "97", "10"]),
    ];
    assert_eq!(fills(native(), touched, &bars), [(2, "95".to_owned())]);
    assert_eq!(fills(spec(), touched, &bars), [(3, "96.5".to_owned())]);
    // an open beyond the trigger is kept
    let gap = [bars[0], bar(1, ["93", "94", "92", "93", "10"]), bar(2, ["90", "91", "89", "90", "10"])];
    assert_eq!(fills(native(), touched, &gap), [(1, "93".to_owned())]);
    let limited = OrderKind::LimitTouched { trigger: price("95"), price: price("94.5") };
    let limited = OrderRequest { kind: limited, ..touched };
    assert_eq!(fills(native(), limited, &bars), [], "it woke at 95 and its limit lies below");
}

#[test]
fn a_trailing_stop_follows_bars_and_fills_where_it_stood() {
    let bars = [
        bar(0, ["100", "100", "100", "100", "10"]),
        bar(1, ["100", "108", "99", "107", "10"]),
        bar(2, ["107", "112", "105", "111", "10"]),
        bar(3, ["110", "111", "100", "101", "10"]),
        bar(4, ["99", "99", "98", "98", "10"]),
    ];
    let trailing =
        |offset| OrderRequest { kind: OrderKind::Trailing { offset, activation: None }, ..market(Side::Sell, "1") };
    let run = |spec: InstrumentSpec, offset| {
        let mut run = backtest(spec);
        run.feed(&bars[0]).unwrap();
        let buy = Proposal {
            plan: None,
            source: Source::Operator,
            portfolio: PortfolioId(0),
            request: market(Side::Buy, "1"),
            reason: "a test".into(),
        };
        run.propose(buy.clone());
        run.feed(&bars[1]).unwrap();
        run.propose(Proposal { request: trailing(offset), ..buy });
        bars[2..].iter().for_each(|bar| run.feed(bar).unwrap());
        assert!(held(&run).is_zero());
        let record = run.state().closed.back().unwrap().clone();
        listed().mean_price_text(record.cost, record.filled).unwrap()
    };
    // the best price is 112, ten below it stands 102
    assert_eq!(run(native(), TrailingOffset::Price(price("10"))), "102");
    assert_eq!(run(native(), TrailingOffset::Bps(1_000)), "100.8");
    // the engine sees the bar when it has closed: the market order fills at the next open
    assert_eq!(run(spec(), TrailingOffset::Price(price("10"))), "99");
}

#[test]
fn a_bracket_enters_protects_and_leaves_on_bars() {
    let protection = Protection { target: Some(price("110")), stop: Some(price("95")), stop_limit: None };
    let ends = |prices: &[[&str; 5]]| {
        let mut run = backtest(spec());
        run.feed(&bar(0, ["100", "100", "100", "100", "10"])).unwrap();
        run.wish(wish(market(Side::Buy, "2"), How::Bracket(protection)));
        for (place, prices) in prices.iter().enumerate() {
            run.feed(&bar(place + 1, *prices)).unwrap();
        }
        let parent = run.state().parents.get(ParentId(1)).unwrap();
        assert!(matches!(parent.state, ParentState::Over { end: ParentEnd::Finished, .. }), "{parent:#?}");
        assert!(run.state().open.is_empty() && held(&run).is_zero());
        let outcome = run.finish();
        outcome.round_trips.iter().map(|trip| trip.profit_units).sum::<i128>()
    };
    let entry = ["100", "101", "99", "100", "10"];
    let after = ["103", "104", "103", "104", "10"];
    // 2 × 10 less fees of 10 bps on 200 and 220; 2 × −5 less those on 200 and 190
    assert_eq!(ends(&[entry, ["102", "111", "101", "109", "10"], after]), 1_958_000_000);
    assert_eq!(ends(&[entry, ["99", "100", "94", "96", "10"], after]), -1_039_000_000);
    // a bar that reaches both: the worst is assumed
    assert_eq!(ends(&[entry, ["100", "111", "94", "105", "10"], after]), -1_039_000_000);
    // the bar of the entry is no other: its open is bought, and then it does what it does
    assert_eq!(ends(&[["100", "111", "96", "109", "10"], after]), 1_958_000_000);
    assert_eq!(ends(&[["100", "101", "94", "100", "10"], after]), -1_039_000_000);
    assert_eq!(ends(&[["100", "111", "94", "105", "10"], after]), -1_039_000_000);
    // one that opens beyond the stop is left where it was entered: fees alone
    assert_eq!(ends(&[["94", "99", "93", "98", "10"], after]), -37_600_000);
}

#[test]
fn a_twap_on_bars_holds_its_schedule() {
    let bars = still(&["100"; 12]);
    let mut run = backtest(spec());
    run.feed(&bars[0]).unwrap();
    let every = common::MINUTE_NS * 2;
    let start = bars[0].close_time();
    run.wish(wish(market(Side::Buy, "4"), How::Schedule(Schedule::even(start, every * 4, 4))));
    let mut path = Vec::new();
    for bar in &bars[1..] {
        run.feed(bar).unwrap();
        path.push(held(&run).mantissa() / 1_000);
    }
    assert_eq!(path, [1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4]);
    assert!(run.state().parents.get(ParentId(1)).unwrap().is_over());
}

#[test]
fn what_a_twap_bought_on_bars_is_guarded_and_ends_with_its_stop() {
    let mut run = backtest(spec());
    run.feed(&flat(0)).unwrap();
    let every = common::MINUTE_NS;
    let slices = How::Schedule(Schedule::even(flat(0).close_time(), every * 8, 8));
    let trade = TradePlan { stop: Some(price("95")), target: Some(price("110")), ..TradePlan::default() };
    run.wish(ParentWish { trade: Some(Box::new(trade)), ..wish(market(Side::Buy, "8"), slices) });
    let stops = |run: &Backtest| {
        let is_stop = |it: &&OrderRecord| matches!(it.order.kind(), OrderKind::Stop { .. });
        let all: Vec<_> = run.state().open.values().filter(is_stop).map(OrderRecord::open_quantity).collect();
        (all.len(), all.into_iter().fold(Quantity::ZERO, |sum, more| sum + more))
    };
    for minute in 1..6 {
        run.feed(&flat(minute)).unwrap();
        assert!(stops(&run).0 <= 4);
    }
    assert!(held(&run) > listed().quantity("3").unwrap());
    let dip = |minute| bar(minute, ["100", "100", "94", "100", "10"]);
    run.feed(&dip(6)).unwrap();
    (7..12).for_each(|minute| run.feed(&flat(minute)).unwrap());
    assert_eq!((stops(&run).0, held(&run)), (0, Quantity::ZERO), "nothing more is bought after the stop");
    let parent = run.state().parents.get(ParentId(1)).unwrap();
    let ParentState::Over { end: ParentEnd::Finished, reason } = &parent.state else { panic!("{:?}", parent.state) };
    assert!(reason.starts_with("its stop was hit: ") && reason.ends_with(" entered and left"), "{reason}");
    assert!(parent.done() < listed().quantity("8").unwrap());
}

#[test]
fn a_pair_that_the_market_ran_past_is_rejected_and_the_position_is_left_all_the_same() {
    let mut run = backtest(spec());
    run.feed(&flat(0)).unwrap();
    let protection = Protection { target: Some(price("105")), stop: Some(price("95")), stop_limit: None };
    run.wish(wish(market(Side::Buy, "2"), How::Bracket(protection)));
    let beyond = |minute| bar(minute, ["106", "106.5", "105.5", "106", "10"]);
    run.feed(&beyond(1)).unwrap();
    assert_eq!(held(&run), listed().quantity("2").unwrap());
    assert_eq!(run.state().counters.rejected, 2, "a pair is one request, and its target would have taken");
    (2..6).for_each(|minute| run.feed(&beyond(minute)).unwrap());
    assert_eq!(held(&run), Quantity::ZERO, "nothing is left without its protection");
    assert!(run.state().open.is_empty());
}

#[test]
fn what_rests_is_answered_as_it_arrives() {
    let mut run = backtest(spec());
    run.feed(&flat(0)).unwrap();
    let resting = |limit| {
        let request = OrderRequest::limit(InstrumentId(0), Side::Buy, listed().quantity("1").unwrap(), price(limit));
        let request = OrderRequest { post_only: true, ..request };
        Proposal { plan: None, source: Source::Operator, portfolio: PortfolioId(0), request, reason: "a test".into() }
    };
    run.propose(resting("99"));
    run.propose(resting("98"));
    let states = |run: &Backtest| run.state().open.values().map(|it| it.state).collect::<Vec<_>>();
    assert!(states(&run).iter().all(|it| matches!(it, OrderState::InFlight { .. })));
    run.feed(&bar(1, ["98.5", "98.7", "98.2", "98.5", "10"])).unwrap();
    assert_eq!(states(&run), [OrderState::Working], "the other one would have taken");
    let counters = run.state().counters;
    assert_eq!((counters.rejected, counters.contradictions, counters.fills), (1, 0, 0));
    run.feed(&bar(2, ["98.5", "98.7", "97.9", "98.5", "10"])).unwrap();
    assert_eq!(run.state().counters.fills, 1);
}

#[test]
fn what_rested_and_cannot_work_as_it_must_once_awake_is_cancelled() {
    let mut run = backtest(spec());
    run.feed(&flat(0)).unwrap();
    let kind = OrderKind::StopLimit { trigger: price("105"), price: price("106") };
    let request = OrderRequest { kind, post_only: true, ..market(Side::Buy, "1") };
    let reason = "a test".into();
    run.propose(Proposal { plan: None, source: Source::Operator, portfolio: PortfolioId(0), request, reason });
    run.feed(&flat(1)).unwrap();
    assert_eq!(run.state().open.values().map(|it| it.state).collect::<Vec<_>>(), [OrderState::Working]);
    run.feed(&bar(2, ["100", "105.5", "100", "105", "10"])).unwrap();
    let counters = run.state().counters;
    assert!(run.state().open.is_empty());
    assert_eq!((counters.rejected, counters.contradictions, counters.fills), (0, 0, 0));
}
