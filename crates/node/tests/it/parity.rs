//! The core claim: the same strategy on the same tape decides the same on every bar, for the same reasons, and gives the
//! same trades in a back-test and on paper over the wire.
//!
//! Both sides get the same warm-up. The back-test feeds all bars to one desk, which acts on nothing before it has seen
//! as many as its strategy wants. The node is shown exactly that many as the exchange's history, none of which it acts
//! on, and trades from the next one. So the first bar that may lead to an order is the same one.

use crate::support::{CASH, Pace, Stage, exchange_config, recording, status, surroundings};
use std::collections::BTreeSet;
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, Instrument, InstrumentId, InstrumentSpec, Interval, Money, Origin, PortfolioId, Timestamp,
};
use tradewind_engine::{Decision, DecisionKind, Event, EventKind, TradeDigest, Verdict};
use tradewind_exchange::{ExchangeConfig, Pace as MarketPace, Tape};
use tradewind_history::{ImportOptions, OnDefect, read_bars};
use tradewind_node::settings::{LimitSettings, Percent, Profile};
use tradewind_node::{Node, Surroundings};
use tradewind_research::{Backtest, Outcome, Plan, Recorder, RoundTrip, session};
use tradewind_strategies::{Ends, Managed, Sizing, Strategy, registry};

const MINUTES: &str = "ohlcv/crypto/binance-spot-1m/BTC_USDT-1m.feather";
const HOURS: &str = "ohlcv/crypto/binance-spot-1h/BTC_USDT-1h.feather";

/// Two runs that must be one.
struct Case {
    test: &'static str,
    file: &'static str,
    interval: &'static str,
    strategy: &'static str,
    /// The rule that sizes its trades, as TOML; none if empty.
    sizing: &'static str,
    /// Where in the file the history begins.
    skip: usize,
    /// Bars traded on.
    bars: usize,
    fills: FillPolicy,
    limits: Profile,
    /// Where its trades end.
    ends: Ends,
}

impl Case {
    fn decider(&self) -> Managed {
        let own = InstrumentId(0);
        let sizing = Sizing::read(&self.sizing.parse().unwrap()).unwrap().map(|it| it.among(own, &[own]));
        Managed::new(registry::build(self.strategy, &toml::Table::new()).unwrap(), sizing, self.ends).unwrap()
    }
}

fn line(instrument: &Instrument, event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Filled(fill) => Some(TradeDigest::line(instrument, fill, event.at)),
        _ => None,
    }
}

/// What was decided, each decision beside the close of the bar that it was made on.
///
/// Of an event only the decision in it is kept, and that whole: kind, target, reason, tag, signals, version and forecast.
/// Its number, its cause and when it was read differ rightly: over the wire quotes and answers of the exchange lie between
/// two bars, and the journal holds of the history its newest bar alone.
#[derive(Default)]
struct Decisions {
    bar: Option<Timestamp>,
    made: Vec<(Timestamp, Decision)>,
}

impl Decisions {
    fn note(&mut self, event: &Event) {
        match &event.kind {
            EventKind::BarClosed { bar, .. } => self.bar = Some(bar.close_time()),
            EventKind::Decided(decision) => {
                self.made.push((self.bar.expect("a bar is decided on"), (**decision).clone()));
            }
            _ => (),
        }
    }
}

/// The name of what refused an order, and the close that it was decided on.
fn refusal(event: &Event) -> Option<(Timestamp, String)> {
    match &event.kind {
        EventKind::Judged(Verdict::Refused(refusal)) => Some((event.at, refusal.name())),
        _ => None,
    }
}

/// Why each trade was entered and left, and how much of the market it was.
fn whys(outcome: &Outcome) -> Vec<String> {
    let why = |trip: &RoundTrip| format!("{} {} {}", trip.opened_at, trip.entry_tag, trip.exit_tag);
    let shares = format!("{:?}", outcome.costs.shares());
    outcome.round_trips.iter().map(why).chain([shares]).collect()
}

/// What a paper run over the wire left behind.
struct Paper {
    hash: String,
    executions: Vec<String>,
    decisions: Vec<(Timestamp, Decision)>,
    whys: Vec<String>,
    /// What the gate refused, by what and when.
    refused: Vec<(Timestamp, String)>,
    /// As the exchange lists it.
    instrument: Instrument,
}

async fn paper(case: &Case, bars: &[Bar], history: usize) -> Paper {
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    let tape = Tape { fills: case.fills, ..Tape::bars(&spec, bars, history).unwrap() };
    let pace = MarketPace::Lockstep { timeout: std::time::Duration::from_secs(60) };
    let stage = Stage::new(ExchangeConfig { tape: Some(tape), pace, ..exchange_config() }).await;
    let mut settings = stage.settings(&[case.strategy]);
    settings.strategy[0].sizing = case.sizing.parse().unwrap();
    [settings.strategy[0].stop, settings.strategy[0].target] =
        [case.ends.stop_bps, case.ends.target_bps].map(|bps| bps.map(Percent::from_bps));
    settings.interval = case.interval.parse().unwrap();
    settings.operator_cash = Percent::from_bps(0); // the back-test has no people
    settings.limits = LimitSettings::of(case.limits);
    let (after_bar, mut progress) = Pace::new();
    let around = Surroundings { after_bar: Some(after_bar), ..surroundings(Origin::Recorded) };
    let node = Node::start(settings, around).await.unwrap();
    match case.ends == Ends::default() {
        true => stage.play(&mut progress, bars[history - 1].close_time()).await,
        false => stage.play_in_parts(&node, &mut progress, bars[history - 1].close_time()).await,
    }
    let latency = status(&node).await["latency"].clone();
    for part in ["frame_to_decision", "decision_to_bytes", "frame_to_bytes"] {
        assert!(latency[part]["count"].as_u64() > Some(0), "{}: {latency}", case.test);
        let buckets = latency[part]["buckets"].as_array().unwrap().iter().map(|it| it["count"].as_u64().unwrap());
        assert_eq!(Some(buckets.sum()), latency[part]["count"].as_u64(), "{}: {latency}", case.test);
    }
    let ended = node.stop().await.unwrap();
    stage.exchange.shutdown().await;

    let instrument = ended.state.listing(InstrumentId(0)).instrument.clone();
    let mut booked = BTreeSet::new(); // the stream tells of an execution, and a sweep may tell of it again
    let is_new = |event: &Event| !matches!(&event.kind, EventKind::Filled(fill) if !booked.insert(fill.trade_id));
    let is_quote = |event: &Event| matches!(&event.kind, EventKind::Quoted { marks: true, .. });
    assert!(tradewind_node::events(stage.dir.path()).unwrap().any(|event| is_quote(&event)), "quotes move the mark");
    let events = tradewind_node::events(stage.dir.path()).unwrap().filter(is_new);
    let executions = events.filter_map(|event| line(&instrument, &event)).collect();
    let mut decisions = Decisions::default();
    tradewind_node::events(stage.dir.path()).unwrap().for_each(|event| decisions.note(&event));
    let replay = tradewind_node::replay(stage.dir.path(), |_| ()).unwrap().replay;
    assert_eq!((replay.divergence(), replay.hashes_compared()), (None, 1), "{}", case.test);
    let told = session::outcome(tradewind_node::events(stage.dir.path()).unwrap(), PortfolioId(0)).unwrap().unwrap();
    let refused = tradewind_node::events(stage.dir.path()).unwrap().filter_map(|event| refusal(&event)).collect();
    let (hash, whys) = (ended.trade_hash, whys(&told));
    Paper { hash, executions, decisions: decisions.made, whys, refused, instrument }
}

/// What the same run without a wire gave.
struct Tested {
    outcome: Outcome,
    executions: Vec<String>,
    decisions: Vec<(Timestamp, Decision)>,
    refused: Vec<(Timestamp, String)>,
}

fn back_test(case: &Case, bars: &[Bar], instrument: &Instrument) -> Tested {
    let (mut executions, mut decisions, mut refused) = (Vec::new(), Decisions::default(), Vec::new());
    let sink = Recorder(|event: &Event, _| {
        executions.extend(line(instrument, event));
        decisions.note(event);
        refused.extend(refusal(event));
    });
    let plan = Plan {
        instrument: instrument.clone(),
        origin: Origin::Recorded,
        deposit: Money::parse(CASH, instrument.settlement()).unwrap(),
        limits: LimitSettings::of(case.limits).resolve(),
        fill_policy: case.fills,
        strategy: Box::new(case.decider()),
    };
    let mut run = Backtest::with_sink(plan, sink);
    bars.iter().for_each(|bar| run.feed(bar).unwrap());
    let outcome = run.finish();
    Tested { outcome, executions, decisions: decisions.made, refused }
}

/// The first place where two records differ.
fn first_difference<T: PartialEq>(ours: &[T], theirs: &[T]) -> Option<usize> {
    let differs = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    differs.or((ours.len() != theirs.len()).then_some(ours.len().min(theirs.len())))
}

async fn check(case: Case) {
    let Some(file) = recording(case.test, case.file) else { return };
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    let options =
        ImportOptions { instrument: Some(spec), on_defect: OnDefect::Report, hash: false, ..ImportOptions::default() };
    let all = read_bars(&file, &options).unwrap().bars;
    let history = case.decider().warm_up();
    let bars: Vec<Bar> = all[case.skip..case.skip + history + case.bars].to_vec();
    assert_eq!(bars[0].interval, case.interval.parse::<Interval>().unwrap());

    let paper = paper(&case, &bars, history).await;
    let Tested { outcome, executions, decisions, refused } = back_test(&case, &bars, &paper.instrument);
    // the node does not decide on what the exchange shows it as history; the back-test waits for as many bars
    let (waiting, decisions) = decisions.split_at(history);
    assert!(waiting.iter().all(|(_, it)| it.kind == DecisionKind::Hold), "{} acts while it warms up", case.test);
    assert_eq!((paper.decisions.len(), decisions.len()), (case.bars, case.bars), "{}: one for each bar", case.test);
    if let Some(first) = first_difference(&paper.decisions, decisions) {
        let (ours, theirs) = (&paper.decisions[first], &decisions[first]);
        panic!("{}, decision {first}\n on paper: {ours:?}\nback-test: {theirs:?}", case.test);
    }
    if let Some(first) = first_difference(&paper.executions, &executions) {
        let (ours, theirs) = (paper.executions.get(first), executions.get(first));
        panic!("{}, execution {first}\n on paper: {ours:?}\nback-test: {theirs:?}", case.test);
    }
    assert_eq!(paper.refused, refused, "{}", case.test);
    assert_eq!(paper.hash, outcome.digest.hex());
    assert_eq!(paper.whys, whys(&outcome), "{}: the journal tells the same of why", case.test);
    assert!(executions.len() >= 8, "{} has only {} executions", case.test, executions.len());
    assert!(decisions.iter().any(|(_, it)| !it.signals.is_empty()), "{}: decisions tell what was seen", case.test);
}

macro_rules! parity {
    ($($test:ident: $strategy:literal $(sized by $sizing:literal)? on $file:ident, $interval:literal, from $skip:literal,
        $bars:literal bars, $fills:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            check(Case {
                test: stringify!($test), file: $file, interval: $interval, strategy: $strategy, sizing: concat!($($sizing)?),
                skip: $skip, bars: $bars, fills: $fills, limits: Profile::Research,
                ends: Ends::default(),
            })
            .await;
        }
    )*};
}

/// Spread, slippage, impact, and a size that takes several bars to fill.
const FRICTION: FillPolicy = FillPolicy {
    volume_share_bps: Some(10),
    half_spread_centi_bps: 50,
    slippage_centi_bps: 150,
    impact: tradewind_book::Impact::Linear { coefficient_centi_bps: 2_000 },
    limit_needs_trade_through: true,
};

/// So little of each bar that an entry takes many of them, and an exit comes before it is through.
const THIN: FillPolicy = FillPolicy { volume_share_bps: Some(1), ..FRICTION };

parity! {
    ema_trend_on_minutes_is_the_back_test: "ema-trend" on MINUTES, "1m", from 0, 1_000 bars, FillPolicy::default();
    ema_trend_on_hours_is_the_back_test: "ema-trend" on HOURS, "1h", from 20_000, 1_000 bars, FillPolicy::default();
    the_vote_on_minutes_is_the_back_test: "vote" on MINUTES, "1m", from 5_000, 1_000 bars, FillPolicy::default();
    the_vote_on_hours_is_the_back_test: "vote" on HOURS, "1h", from 40_000, 1_000 bars, FillPolicy::default();
    the_breakout_on_minutes_is_the_back_test: "breakout" on MINUTES, "1m", from 10_000, 1_000 bars, FillPolicy::default();
    the_breakout_on_hours_is_the_back_test: "breakout" on HOURS, "1h", from 30_000, 1_000 bars, FillPolicy::default();
    mean_reversion_on_minutes_is_the_back_test: "mean-reversion" on MINUTES, "1m", from 0, 1_000 bars, FillPolicy::default();
    the_benchmark_on_hours_is_the_back_test: "volatility-target" on HOURS, "1h", from 1_000, 1_000 bars, THIN;
    trades_sized_by_volatility_are_the_back_test:
        "breakout" sized by "rule = 'volatility-target'" on HOURS, "1h", from 30_000, 1_000 bars, FillPolicy::default();
    trades_sized_by_risk_parity_are_the_back_test:
        "ema-trend" sized by "rule = 'risk-parity'\ngross = 0.3" on MINUTES, "1m", from 0, 1_000 bars, FillPolicy::default();
    partial_fills_with_friction_are_the_back_test: "ema-trend" on HOURS, "1h", from 50_000, 600 bars, FRICTION;
    entries_that_are_taken_back_half_filled_are_the_back_test: "vote" on MINUTES, "1m", from 0, 1_500 bars, THIN;
}

/// A month of 2020 in which the price halved within two days, hundreds of hours a second: the book that an order is judged
/// by must be the one of the bar that it was decided on, or the market collar finds it percents away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_of_a_crash_within_the_limits_of_the_demo_are_the_back_test() {
    check(Case {
        test: "hours_of_a_crash_within_the_limits_of_the_demo_are_the_back_test",
        file: HOURS,
        interval: "1h",
        strategy: "ema-trend",
        sizing: "",
        skip: 18_959,
        bars: 600,
        fills: FillPolicy::default(),
        limits: Profile::Demo,
        ends: Ends::default(),
    })
    .await;
}

/// What a strategy leaves goes before what guards it: at the same open as without any guard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exits_of_guarded_trades_are_the_back_test() {
    check(Case {
        test: "exits_of_guarded_trades_are_the_back_test",
        file: HOURS,
        interval: "1h",
        strategy: "ema-trend",
        sizing: "",
        skip: 20_000,
        bars: 400,
        fills: FillPolicy::default(),
        limits: Profile::Research,
        ends: Ends { stop_bps: Some(300), target_bps: Some(900) },
    })
    .await;
}
