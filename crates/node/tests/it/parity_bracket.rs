//! The same brackets on the same tape give the same trades in a back-test and on the local exchange over the wire:
//! entries, targets and stops, each fill at its moment, at its price and with its fee.
//!
//! A person asks for brackets at the close of a bar, with a target and a stop around that close. Both sides hear the same
//! words at the same bar; neither has a strategy. That bar and the open of the next, at which the entry fills, stay between
//! target and stop: inside a bar the wire shows quotes that the bar does not, and a bracket that sees the market past its
//! stop leaves at once. Of quotes the node keeps one each half second, hundreds of bars here: one of that bar is waited for.

use crate::support::{CASH, Pace, Stage, ask, exchange_config, recording, surroundings, words};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, Instrument, InstrumentId, InstrumentSpec, Interval, Money, OrderKind, OrderRequest, Origin, PortfolioId,
    Price, Side, Source, Timestamp,
};
use tradewind_engine::algo::{ParentWish, Plan as How, Protection};
use tradewind_engine::{Event, EventKind, TradeDigest};
use tradewind_exchange::{ExchangeConfig, Pace as MarketPace, Tape};
use tradewind_history::{ImportOptions, OnDefect, read_bars};
use tradewind_node::settings::{LimitSettings, Percent, Profile};
use tradewind_node::{Node, OperatorRequest, ParentWords, PlanWords, Surroundings};
use tradewind_research::{Backtest, Plan, Recorder};
use tradewind_strategies::{Market, Opinion, Strategy};

const MINUTES: &str = "ohlcv/crypto/binance-spot-1m/BTC_USDT-1m.feather";
const BARS: usize = 600;
const EVERY: usize = 20;
const QUANTITY: &str = "0.01";

/// Looks on.
struct Idle;

impl Strategy for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }
    fn warm_up(&self) -> usize {
        1
    }
    fn on_bar(&mut self, _: &Market<'_>, _: &Bar) -> Opinion {
        Opinion::hold("it looks on")
    }
    fn signals(&self) -> Vec<tradewind_engine::Signal> {
        Vec::new()
    }
}

/// Target and stop around a close, a fifth of a percent away, on the tick.
fn around(it: &Instrument, close: Price) -> [Price; 2] {
    let away = close.mantissa() / 500;
    [away, -away].map(|by| it.tick_down(Price::from_mantissa(close.mantissa() + by)))
}

/// The closes at which brackets are asked for: every so many bars, where that bar and the next open stay between target and
/// stop.
fn places(it: &Instrument, bars: &[Bar]) -> Vec<usize> {
    let fits = |place: &usize| {
        let [target, stop] = around(it, bars[*place].close);
        let (bar, open) = (&bars[*place], bars[*place + 1].open);
        bar.high < target && bar.low > stop && open > stop && open < target
    };
    (1..bars.len() / EVERY).map(|nth| nth * EVERY).filter(|place| place + EVERY < bars.len()).filter(fits).collect()
}

/// At the closes of which bars brackets are asked for.
type Asked = fn(&Instrument, &[Bar]) -> Vec<usize>;

/// What an execution was: the line of the trade hash, and what kind of order it came of.
type Told = (String, &'static str);

fn told(
    it: &Instrument,
    event: &Event,
    kinds: &mut BTreeMap<tradewind_domain::ClientOrderId, &'static str>,
) -> Option<Told> {
    match &event.kind {
        EventKind::Judged(tradewind_engine::Verdict::Approved(order)) => {
            let kind = match order.kind() {
                OrderKind::Market => "market",
                OrderKind::Limit { .. } => "target",
                _ => "stop",
            };
            kinds.insert(order.client_id(), kind);
            None
        }
        EventKind::Filled(fill) => Some((TradeDigest::line(it, fill, event.at), kinds[&fill.client_id])),
        _ => None,
    }
}

async fn paper(bars: &[Bar], asked: Asked, limits: LimitSettings) -> (String, Vec<Told>, Instrument) {
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    let tape = Tape { fills: FillPolicy::default(), ..Tape::bars(&spec, bars, 1).unwrap() };
    let pace = MarketPace::Lockstep { timeout: Duration::from_secs(60) };
    let stage = Stage::new(ExchangeConfig { tape: Some(tape), pace, ..exchange_config() }).await;
    let mut settings = stage.settings(&[]);
    settings.interval = "1m".parse().unwrap();
    settings.limits = limits;
    settings.operator_cash = Percent::from_bps(10_000);
    let (after_bar, mut progress) = Pace::new();
    let node = Node::start(settings, Surroundings { after_bar: Some(after_bar), ..surroundings(Origin::Recorded) });
    let node = node.await.unwrap();
    let mut through = bars[0].close_time().millis();
    let it = node_instrument(&stage).await;
    let places = asked(&it, bars);
    for (place, bar) in bars.iter().enumerate().skip(1) {
        if places.contains(&place) {
            tokio::time::sleep(Duration::from_millis(520)).await; // the next quote is kept
        }
        // what fills at the open and inside the bar, and what the node does about each, before the candle
        for until in ["open", "fills"] {
            stage.post("/tradewind/v1/step", &json!({ "through": through, "until": until })).await;
            stage.settled(&node).await;
        }
        let step = stage.post("/tradewind/v1/step", &json!({ "through": through })).await;
        through = step["through"].as_i64().unwrap();
        progress.until(|it| it.through.is_some_and(|at| at.millis() == through)).await;
        if places.contains(&place) {
            let [target, stop] = around(&it, bar.close).map(|price| it.price_text(price));
            let plan = PlanWords::Bracket { target: Some(target), stop: Some(stop), stop_limit: None };
            let order = words(Side::Buy, QUANTITY, None);
            ask(&node, OperatorRequest::OrderParent(ParentWords { order, plan })).await.unwrap();
            stage.settled(&node).await;
        }
    }
    let ended = node.stop().await.unwrap();
    stage.exchange.shutdown().await;
    let mut kinds = BTreeMap::new();
    let mut booked = std::collections::BTreeSet::new(); // a sweep may tell of an execution again
    let is_new = |event: &Event| !matches!(&event.kind, EventKind::Filled(fill) if !booked.insert(fill.trade_id));
    let events = tradewind_node::events(stage.dir.path()).unwrap().filter(is_new);
    let lines = events.filter_map(|event| told(&it, &event, &mut kinds)).collect();
    crate::support::check_journal(stage.dir.path());
    (ended.trade_hash, lines, it)
}

/// The instrument as the node has listed it, once its journal is synced that far.
async fn node_instrument(stage: &Stage) -> Instrument {
    loop {
        let listed = tradewind_node::events(stage.dir.path()).unwrap().find_map(|event| match event.kind {
            EventKind::Listed(instrument) => Some(*instrument),
            _ => None,
        });
        if let Some(instrument) = listed {
            return instrument;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn back_test(bars: &[Bar], it: &Instrument, asked: Asked, limits: &LimitSettings) -> (String, Vec<Told>) {
    let (mut lines, mut kinds) = (Vec::new(), BTreeMap::new());
    let sink = Recorder(|event: &Event, _| lines.extend(told(it, event, &mut kinds)));
    let plan = Plan {
        instrument: it.clone(),
        origin: Origin::Recorded,
        deposit: Money::parse(CASH, it.settlement()).unwrap(),
        limits: limits.resolve(),
        fill_policy: FillPolicy::default(),
        strategy: Box::new(Idle),
    };
    let places = asked(it, bars);
    let mut run = Backtest::with_sink(plan, sink);
    for (place, bar) in bars.iter().enumerate() {
        run.feed(bar).unwrap();
        if places.contains(&place) {
            let [target, stop] = around(it, bar.close);
            let plan = How::Bracket(Protection { target: Some(target), stop: Some(stop), stop_limit: None });
            let request = OrderRequest::market(it.id, Side::Buy, it.quantity(QUANTITY).unwrap());
            let (source, reason) = (Source::Operator, "an operator's bracket".to_owned());
            run.wish(ParentWish { source, portfolio: PortfolioId(0), request, plan, reason, entry: None, trade: None });
        }
    }
    let outcome = run.finish();
    (outcome.digest.hex(), lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brackets_that_reach_their_targets_and_stops_are_the_back_test() {
    let Some(file) = recording("brackets_are_the_back_test", MINUTES) else { return };
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    let options =
        ImportOptions { instrument: Some(spec), on_defect: OnDefect::Report, hash: false, ..ImportOptions::default() };
    let bars: Vec<Bar> = read_bars(&file, &options).unwrap().bars[..BARS].to_vec();
    let told = both(&bars, places, LimitSettings::of(Profile::Research)).await;
    let count = |kind| told.iter().filter(|(_, of)| *of == kind).count();
    let (entries, targets, stops) = (count("market"), count("target"), count("stop"));
    println!("bracket parity: {entries} entries, {targets} targets and {stops} stops");
    assert!(entries >= 20 && targets >= 3 && stops >= 3, "{entries} {targets} {stops}");
}

/// What was executed on paper, which is what was executed in the back-test.
async fn both(bars: &[Bar], asked: Asked, limits: LimitSettings) -> Vec<Told> {
    let (hash, paper, it) = paper(bars, asked, limits.clone()).await;
    let (tested_hash, tested) = back_test(bars, &it, asked, &limits);
    let first = paper.iter().zip(&tested).position(|(ours, theirs)| ours != theirs);
    let first = first.unwrap_or(paper.len().min(tested.len()));
    assert!(
        paper == tested,
        "execution {first}\n on paper: {:?}\nback-test: {:?}",
        paper.get(first),
        tested.get(first)
    );
    assert_eq!(hash, tested_hash);
    paper
}

/// Minutes in which nothing happens but that the market wanders to target or stop after each place, and that every second
/// place is followed by a gap of a thousandth.
fn gaps() -> Vec<Bar> {
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    let it = spec.list(InstrumentId(0)).unwrap();
    let mut price = 5_000_000_i64;
    let bar = |place: usize| {
        let (round, within) = (place / EVERY, place % EVERY);
        let open = if within == 1 && round % 2 == 1 { price + price / 1_000 } else { price };
        let step = if round / 2 % 2 == 0 { 3_000 } else { -3_000 };
        // each place is quoted anew
        let close = if (2..10).contains(&within) { open + step } else { open + i64::from(within == 0) };
        price = close;
        let text = |cents: i64| it.price(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap();
        Bar {
            instrument: it.id,
            interval: Interval::MINUTE,
            open_time: Timestamp::from_millis(1_700_000_040_000 + i64::try_from(place).unwrap() * 60_000),
            open: text(open),
            high: text(open.max(close)),
            low: text(open.min(close)),
            close: text(close),
            volume: it.quantity("10").unwrap(),
        }
    };
    (0..200).map(bar).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_gap_beyond_their_worst_price_fill_neither_here_nor_there() {
    let every_place = |_: &Instrument, bars: &[Bar]| (1..bars.len() / EVERY).map(|nth| nth * EVERY).collect();
    let limits = LimitSettings::of(Profile::Research).with("market_collar", 5);
    let told = both(&gaps(), every_place, limits).await;
    let count = |kind| told.iter().filter(|(_, of)| *of == kind).count();
    assert_eq!(count("market"), 4, "of nine entries five met a gap: {told:#?}");
    assert_eq!(count("target") + count("stop"), 4);
    let unbounded = both(&gaps(), every_place, LimitSettings::of(Profile::Research)).await;
    assert_eq!(unbounded.iter().filter(|(_, of)| *of == "market").count(), 9);
}
