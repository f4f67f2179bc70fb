//! What the state says of prices, room and equity, and how records and replays begin and end.

use crate::orders::list;
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Cap, Limits, Mode};

const SECOND: InstrumentId = InstrumentId(1);

#[test]
fn an_instrument_is_found_by_our_name_and_by_its_venues() {
    let mut stage = Stage::new(Limits::RESEARCH);
    list(&mut stage, SECOND, "ETH/USDT");
    let id = |text| stage.state.find(text).map(|it| it.id);
    assert_eq!((id("BTC/USDT"), id("ETHUSDT"), id("ethusdt"), id("XRP/USDT")), (Some(BTC), Some(SECOND), None, None));
}

#[test]
fn an_order_paid_in_another_currency_is_judged_in_the_portfolios() {
    let mut stage = Stage::new(TIGHT); // 1,000 USDT an order
    list(&mut stage, SECOND, "ETH/BTC");
    let rate = |stage: &Stage, from, to| stage.state.rate(from, to);
    assert_eq!(rate(&stage, btc(), usdt()), Some((10_000, 100)), "a bitcoin at 100.00");
    assert_eq!(rate(&stage, usdt(), usdt()), Some((1, 1)));
    assert_eq!(rate(&stage, usdt(), btc()), None, "no pair the other way round");
    stage.say_for(PortfolioId(0), Source::Host, EventKind::Deposited(Money::parse("100", btc()).unwrap()));
    let buy = |quantity| OrderRequest { instrument: SECOND, ..limit(Side::Buy, quantity, 5) }; // 0.05 BTC each
    assert_eq!(stage.propose(buy(2_000_000)), None, "without a mark nothing goes");
    let trade = Trade { instrument: SECOND, price: price(5), quantity: lots(1), aggressor: Side::Buy, id: TradeId(1) };
    stage.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
    assert_eq!(stage.propose(buy(2_000_200)), None);
    let text = stage.last_refusal();
    assert!(
        text.starts_with(
            "GATE-07 MaxOrder: the order is worth 1000.1 in the portfolio's currency; limits.max_order allows 1000;"
        ),
        "{text}"
    );
    assert!(stage.propose(buy(2_000_000)).is_some(), "200 at 0.05 BTC at 100 USDT: {}", stage.last_refusal());
}

#[test]
fn room_is_told_where_something_caps_it() {
    let room = |limits: Limits, side| {
        let stage = Stage::new(limits);
        stage.state.room(PortfolioId(0), BTC, side).map(Quantity::mantissa)
    };
    assert_eq!(room(TIGHT, Side::Buy), Some(100_000), "1,000 USDT at 100");
    assert_eq!(room(Limits::OPEN, Side::Buy), None);
    let position = Cap { amount: Some(2_500 * 100_000_000), ..Cap::NONE };
    let wide = Limits { max_order: Cap::NONE, max_position: position, ..Limits::OPEN };
    let mut stage = Stage::new(wide);
    stage.holding(100_000);
    stage.working(limit(Side::Buy, 30_000, 9_900));
    let left = |stage: &Stage, side| stage.state.room(PortfolioId(0), BTC, side).unwrap().mantissa();
    assert_eq!(left(&stage, Side::Buy), 120_000, "2,500 less what is held and what is open");
    assert_eq!(left(&stage, Side::Sell), 350_000, "to sell, what is held comes on top");
    list(&mut stage, SECOND, "ETH/USDT");
    assert_eq!(stage.state.room(PortfolioId(0), SECOND, Side::Buy), None, "without a mark nobody knows");
}

/// The equity of a portfolio of 10,000 USDT that bought 1,000 of `kind` at 100, at a mark of 200.
fn equity_of(kind: InstrumentKind, symbol: &str) -> i128 {
    let mut state = State::default();
    let mut say = |kind| {
        let event = Event::new(state.sequence + 1, Timestamp::from_millis(0), Source::Host, kind);
        apply(&mut state, &event);
    };
    say(EventKind::Started { incarnation: Incarnation(1), mode: Mode::Paper, logic: LOGIC_VERSION });
    let spec = InstrumentSpec {
        kind,
        price_decimals: 2,
        quantity_decimals: 0,
        ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
    };
    say(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
    say(EventKind::Opened { base: usdt(), name: "main".into() });
    say(EventKind::Deposited(Money::parse("10000", usdt()).unwrap()));
    let request = OrderRequest::market(BTC, Side::Buy, lots(1_000));
    let order = Order::as_worked(PortfolioId(0), ClientOrderId::from_u128(1), request);
    say(EventKind::Judged(Verdict::Approved(order)));
    say(EventKind::Filled(Fill {
        client_id: order.client_id(),
        instrument: BTC,
        trade_id: TradeId(1),
        side: Side::Buy,
        price: price(10_000),
        quantity: lots(1_000),
        liquidity: Liquidity::Taker,
        fee: Fee(Money::zero(usdt())),
    }));
    let trade =
        Trade { instrument: BTC, price: price(20_000), quantity: lots(1), aggressor: Side::Buy, id: TradeId(2) };
    say(EventKind::Traded { trade, origin: Origin::Recorded });
    state.portfolio(PortfolioId(0)).equity()
}

#[test]
fn the_profit_of_a_contract_counts_at_its_coins_worth() {
    const ONE: i128 = 100_000_000;
    assert_eq!(equity_of(InstrumentKind::LinearPerpetual, "BTC/USDT:USDT"), 110_000 * ONE, "1,000 x 100 gained");
    // 1,000 x (1/100 - 1/200) = 5 coins, worth 200 each
    assert_eq!(equity_of(InstrumentKind::InversePerpetual, "BTC/USDT:BTC"), 11_000 * ONE);
    assert_eq!(equity_of(InstrumentKind::LinearPerpetual, "BTC/USDC:USDC"), 10_000 * ONE, "no rate, no profit");
}

#[test]
fn funding_that_no_ledger_holds_is_said_and_what_is_settled_begins_anew() {
    let stage = Stage::new(Limits::RESEARCH);
    let it = &stage.state.listing(BTC).instrument;
    let mut accrual = Accrual::default();
    assert!(accrual.hold(it, lots(10_000), price(10_000), FUNDING_RATE_E8, FUNDING_INTERVAL_NANOS));
    let owed = accrual.units(FUNDING_INTERVAL_NANOS);
    assert_eq!(owed, 100 * i128::from(FUNDING_RATE_E8), "100 USDT for one interval");
    assert!(!accrual.hold(it, lots(i64::MAX), price(i64::MAX), i64::MAX, i64::MAX));
    assert_eq!(accrual.units(FUNDING_INTERVAL_NANOS), owed, "and nothing was added");
    accrual.settled();
    assert_eq!(accrual, Accrual::default());
}

#[test]
fn replay_goes_on_from_a_snapshot_and_finds_the_first_difference_behind_it() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let cut = stage.journal.len();
    let snapshot = stage.state.clone();
    stage.working(limit(Side::Sell, 400, 10_100));
    stage.host(EventKind::StateHash { hash: stage.state.hash(), logic: LOGIC_VERSION });
    let replayed = |from: State| {
        let mut replay = Replay::from_state(from, LOGIC_VERSION);
        stage.journal[cut..].iter().for_each(|record| replay.feed(&decode(record).unwrap()));
        replay
    };
    let same = replayed(snapshot.clone());
    assert_eq!((same.divergence(), same.hashes_compared()), (None, 1));
    assert_eq!(same.state().hash(), stage.state.hash());
    let halted = State { halted: Some("it was not".to_owned()), ..snapshot };
    let other = replayed(halted.clone());
    let found = other.divergence().unwrap();
    assert_eq!(found.sequence, cut as u64 + 2, "the verdict on the proposal");
    assert!(found.recorded.contains("Approved") && found.decided.contains("Refused"), "{found:?}");
    let mut replay = Replay::from_state(halted, LOGIC_VERSION - 1);
    let decisions = &stage.journal[cut..stage.journal.len() - 1]; // without the hash, which is of this logic
    decisions.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
    assert_eq!(replay.divergence(), None, "who wrote the snapshot decided what follows as well");
    assert!(replay.not_compared() > 0);
}

#[test]
fn a_record_that_cannot_be_read_says_why_and_what_to_do() {
    let good = encode(&Event::new(1, Timestamp::from_millis(0), Source::Host, EventKind::Timer), &State::default());
    let newer = String::from_utf8(good).unwrap().replacen("\"v\":1", "\"v\":3", 1);
    for (record, code, words, hint) in [
        (newer.as_str(), "ENG-01", "schema 3, this program reads up to 2", "a newer one"),
        ("{\"v\":1,\"event\":{}}", "ENG-02", "{\"v\":1", "journal verify"),
        ("no record", "ENG-02", "`no record`", "journal verify"),
    ] {
        let error = decode(record.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{record}");
        assert!(error.to_string().contains(words) && error.hint().contains(hint), "{error}; {}", error.hint());
    }
}
