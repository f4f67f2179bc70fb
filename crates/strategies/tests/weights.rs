//! What a weight is in quantity, in the currency that an instrument settles in, and that without equity it is nothing.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{bars_of, build, perpetual, rehearsal};
use tradewind_domain::*;
use tradewind_engine::{DecisionKind, Event, EventKind, LOGIC_VERSION, Signal, State, step};
use tradewind_gate::{Limits, Mode};
use tradewind_strategies::{Desk, Market, Opinion, Rehearsal, Scene, Strategy, Target};

/// Asks for one weight after the other, and for the last one ever after.
struct Asks(Vec<f64>);

impl Strategy for Asks {
    fn name(&self) -> &'static str {
        "asks"
    }
    fn warm_up(&self) -> usize {
        0
    }
    fn on_bar(&mut self, _: &Market<'_>, _: &Bar) -> Opinion {
        let weight = if self.0.len() > 1 { self.0.remove(0) } else { self.0[0] };
        Opinion::target(Target::Weight(weight), "it is asked for")
    }
    fn signals(&self) -> Vec<Signal> {
        Vec::new()
    }
}

/// A perpetual of so many dollars each that is settled in its coin.
fn inverse(dollars: i64) -> Instrument {
    let spec = InstrumentSpec {
        kind: InstrumentKind::InversePerpetual,
        price_decimals: 2,
        quantity_decimals: 3,
        multiplier: (dollars, 0),
        ..InstrumentSpec::spot("BTC/USD:BTC".parse().unwrap(), "test")
    };
    spec.list(InstrumentId(0)).unwrap()
}

fn with(strategy: Box<dyn Strategy>, it: &Instrument, amount: &str, currency: &str) -> Rehearsal {
    let deposit = Money::parse(amount, Currency::new(currency).unwrap()).unwrap();
    Rehearsal::new(strategy, it, deposit, Limits::OPEN)
}

/// The target that `weight` is at a close of 50,000, in the instrument's text; the reason where there is none.
fn target(it: &Instrument, weight: f64, amount: &str, currency: &str) -> String {
    let scene = with(Box::new(Asks(vec![weight])), it, amount, currency).bar(&bars_of(&[50_000.0])[0]);
    scene.outcome.target.map_or_else(|| scene.outcome.reason.into_owned(), |target| it.quantity_text(target))
}

#[test]
fn a_weight_of_an_inverse_contract_exposes_that_part_of_the_coins() {
    assert_eq!(target(&inverse(1), 0.5, "2", "BTC"), "50000", "a dollar each: one coin");
    assert_eq!(target(&inverse(1), -1.5, "2", "BTC"), "-150000");
    assert_eq!(target(&inverse(100), 0.5, "2", "BTC"), "500");
}

#[test]
fn a_weight_of_a_contract_with_a_multiplier_counts_what_it_stands_for() {
    let mut it = perpetual();
    assert_eq!(target(&it, 0.5, "10000", "USDT"), "0.1");
    it.spec.multiplier = (1, 3); // a thousandth of a coin each
    assert_eq!(target(&it, 0.5, "10000", "USDT"), "100");
}

#[test]
fn what_opens_by_weight_is_cut_to_whole_lots_and_never_more_than_the_weight() {
    let mut it = perpetual();
    it.spec.quantity_decimals = 0;
    assert_eq!(target(&it, 0.95, "400000", "USDT"), "7", "7.6 contracts");
    assert_eq!(target(&it, -0.95, "400000", "USDT"), "-7");
    assert_eq!(target(&it, 0.96, "50000", "USDT"), "0");
    assert_eq!(target(&it, 0.1, "1500000", "USDT"), "3", "0.1 times 1,500,000 over 50,000, whatever floats make of it");
}

#[test]
fn a_weight_buys_the_whole_shares_that_the_cash_pays_and_sells_by_half_a_share() {
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 0,
        ..InstrumentSpec::spot("SPY/USD".parse().unwrap(), "test")
    };
    let it = spec.list(InstrumentId(0)).unwrap();
    // of 2,133.71 at 267.08: 7.59, 7.91, 6.79, 6.39 and again 6.79 shares
    let mut rehearsal = with(Box::new(Asks(vec![0.95, 0.99, 0.85, 0.8, 0.85])), &it, "2133.71", "USD");
    let scenes: Vec<Scene> = bars_of(&[267.08; 5]).iter().map(|bar| rehearsal.bar(bar)).collect();
    assert!(scenes.iter().all(|scene| scene.refusal.is_none()), "8 shares cost 2,136.64");
    let seen = |scene: &Scene| (scene.outcome.kind, it.quantity_text(scene.outcome.target.unwrap()));
    let (bought, stays, sold) = (DecisionKind::Buy, DecisionKind::Hold, DecisionKind::Sell);
    let want = [(bought, "7"), (stays, "7"), (stays, "7"), (sold, "6"), (stays, "6")];
    assert_eq!(scenes.iter().map(seen).collect::<Vec<_>>(), want.map(|(kind, text)| (kind, text.to_owned())));
}

#[test]
fn equity_is_counted_in_what_the_instrument_settles_in() {
    assert_eq!(target(&inverse(1), 0.5, "100000", "USD"), "50000", "two coins, by the price of the contract");
    let nobody_knows = "nothing says what the currency that it settles in is worth";
    assert_eq!(target(&inverse(1), 0.5, "100000", "EUR"), nobody_knows);
    assert_eq!(target(&inverse(1), 0.0, "100000", "EUR"), "0", "nothing is nothing in every currency");

    let (mut state, mut commands) = (State::default(), Vec::new());
    let (ether, bitcoin) = (InstrumentId(0), InstrumentId(1));
    let listed = |symbol: &str, id| InstrumentSpec::spot(symbol.parse().unwrap(), "test").list(id).unwrap();
    let (pair, coin) = (listed("ETH/BTC", ether), listed("BTC/USDT", bitcoin));
    let bar = |it: &Instrument, price: &str| {
        let price = it.price(price).unwrap();
        let (interval, open_time, volume) = (Interval::HOUR, Timestamp::from_millis(0), Quantity::from_mantissa(1));
        Bar { instrument: it.id, interval, open_time, open: price, high: price, low: price, close: price, volume }
    };
    let (of_pair, of_coin) = (bar(&pair, "0.05"), bar(&coin, "50000"));
    let usdt = Currency::new("USDT").unwrap();
    for kind in [
        EventKind::Started { incarnation: Incarnation(0), mode: Mode::Backtest, logic: LOGIC_VERSION },
        EventKind::Listed(Box::new(pair.clone())),
        EventKind::Listed(Box::new(coin)),
        EventKind::Opened { base: usdt, name: "test".to_owned() },
        EventKind::LimitsSet(Box::new(Limits::OPEN)),
        EventKind::Deposited(Money::parse("10000", usdt).unwrap()),
        EventKind::BarClosed { bar: of_coin, origin: Origin::Recorded },
        EventKind::BarClosed { bar: of_pair, origin: Origin::Recorded },
    ] {
        let event = Event::new(state.sequence + 1, of_pair.close_time(), Source::Host, kind);
        step(&mut state, &event, &mut commands);
    }
    let mut desk = Desk::new(Box::new(Asks(vec![0.5])), Source::Strategy(0), PortfolioId(0), ether);
    let target = desk.on_bar(&state, &of_pair).target.unwrap();
    assert_eq!(pair.quantity_text(target), "2", "a tenth of a bitcoin, which is half of 10,000 USDT");
}

#[test]
fn without_equity_a_weight_is_nothing_to_order_and_what_is_held_can_be_closed() {
    // ten times equity, of which a fall by a fifth takes twice as much as there is
    let mut rehearsal = rehearsal(Box::new(Asks(vec![10.0, 10.0, 10.0, -10.0, 0.0])), &perpetual());
    let scenes: Vec<Scene> =
        bars_of(&[100.0, 100.0, 80.0, 80.0, 80.0, 80.0]).iter().map(|bar| rehearsal.bar(bar)).collect();
    let ruined = "there is no equity to hold anything with";
    assert_eq!(scenes[0].outcome.kind, DecisionKind::Buy);
    for scene in &scenes[2..4] {
        let outcome = &scene.outcome;
        assert_eq!((outcome.kind, outcome.target, outcome.reason.as_ref()), (DecisionKind::Hold, None, ruined));
        assert!(outcome.proposals.is_empty() && scene.position.mantissa() > 0, "the long is left as it is");
    }
    assert_eq!((scenes[4].outcome.kind, scenes[4].outcome.target), (DecisionKind::Sell, Some(Quantity::ZERO)));
    assert_eq!((scenes[4].refusal.as_deref(), scenes[5].position), (None, Quantity::ZERO));
}

#[test]
fn volatility_target_sees_the_coins_that_an_inverse_contract_exposes() {
    let mut rehearsal = with(build("volatility-target", "period = 30"), &inverse(100), "2", "BTC");
    let scenes: Vec<Scene> = bars_of(&[50_000.0; 40]).iter().map(|bar| rehearsal.bar(bar)).collect();
    let traded = scenes.iter().filter(|scene| scene.outcome.kind != DecisionKind::Hold).count();
    assert_eq!(traded, 1, "once bought, it is inside its band");
    let last = scenes.last().unwrap();
    assert_eq!(inverse(100).quantity_text(last.position), "950", "nine and a half tenths of two coins at 50,000");
    let held = last.decision.signals.iter().find(|signal| signal.name == "weight held").unwrap();
    assert_eq!(held.value, "0.95000000");
}
