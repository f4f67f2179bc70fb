//! What a snapshot of the state, and a record, say: all that there is, and of what is nothing no word.

use crate::orders::{WIDE, foreign_order, list, perpetual};
use crate::stage::*;
use serde_json::Value;
use tradewind_domain::*;
use tradewind_engine::algo::{Behind, Faults, ParentId, Plan, Schedule};
use tradewind_engine::*;
use tradewind_gate::Limits;

const MAIN: PortfolioId = PortfolioId(0);

/// A parent of two slices, the first of which is sent.
fn sliced(stage: &mut Stage) {
    let plan = Plan::Schedule(Schedule::even(Timestamp::from_millis(stage.millis), 10_000_000_000, 2));
    stage.wish(market(Side::Buy, 1_000), plan);
}

/// An order of another hand.
fn foreign(earlier: i64, waits: bool) -> ForeignOrder {
    ForeignOrder { earlier: lots(earlier), waits, ..foreign_order(BTC, Side::Buy, 300, 100) }
}

/// Says `word` wherever it is a key, and what stands there.
fn words<'a>(value: &'a Value, word: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(word));
            map.values().for_each(|it| words(it, word, found));
        }
        Value::Array(all) => all.iter().for_each(|it| words(it, word, found)),
        _ => (),
    }
}

/// How often a snapshot of the state says each of `keys`.
fn told(state: &State, keys: &[&str]) -> Vec<usize> {
    let value = serde_json::to_value(state).unwrap();
    let count = |key: &&str| {
        let mut found = Vec::new();
        words(&value, key, &mut found);
        found.len()
    };
    keys.iter().map(count).collect()
}

/// The state as a process finds it again that starts from its snapshot.
fn read_back(state: &State) -> State {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

#[test]
fn a_snapshot_says_nothing_of_what_came_to_the_state_later_and_is_not_there() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    sliced(&mut stage);
    stage.venue(EventKind::Foreign(Box::new(foreign(0, false))));
    let keys = [
        "unpriced",
        "status",
        "decided",
        "drifting",
        "earlier",
        "waits",
        "terms",
        "at_worst",
        "leave",
        "unwanted",
        "guard",
        "exit",
        "leaves_before",
        "leaves_after",
        "left_in_part",
        "too_soon",
        "forgotten",
    ];
    assert_eq!(told(&stage.state, &keys), [0; 17], "states of before hash as they did");
    // a position tells its funding where it paid some; what is held of a currency always does
    let value = serde_json::to_value(&stage.state).unwrap();
    assert!(value["portfolios"][0]["held"][0].get("funding").is_none());
    assert_eq!(read_back(&stage.state).hash(), stage.state.hash());
}

#[test]
fn a_snapshot_keeps_what_has_no_price_yet_and_what_funding_was_paid() {
    let mut stage = Stage::new(WIDE);
    stage.is_unjudged = true; // its books know no contracts
    stage.say_for(MAIN, Source::Host, EventKind::Deposited(Money::parse("10", Currency::new("ETH").unwrap()).unwrap()));
    perpetual(&mut stage, "BTC/USDT:USDT");
    let instrument = InstrumentId(1);
    let id = stage.propose(OrderRequest { instrument, ..market(Side::Buy, 10_000) }).unwrap();
    let whole = stage.execution(id, 10_000, MARK);
    stage.venue(EventKind::Filled(Fill { instrument, ..whole }));
    stage.venue(EventKind::Funding { instrument, rate_e8: 10_000, mark: price(MARK) });
    assert_eq!(read_back(&stage.state), stage.state);
    // the first price of what came in is no profit, after a restart as before
    let mut after = [stage.state.clone(), read_back(&stage.state)];
    list(&mut stage, InstrumentId(2), "ETH/USDT");
    for state in &mut after {
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals: 4,
            ..InstrumentSpec::spot("ETH/USDT".parse().unwrap(), "test")
        };
        let trade = Trade {
            instrument: InstrumentId(2),
            price: price(500),
            quantity: lots(1),
            aggressor: Side::Buy,
            id: TradeId(1),
        };
        for kind in [
            EventKind::Listed(Box::new(spec.list(InstrumentId(2)).unwrap())),
            EventKind::Traded { trade, origin: Origin::Recorded },
        ] {
            apply(state, &Event::new(state.sequence + 1, state.now, Source::Host, kind));
        }
        let books = state.portfolio(MAIN);
        assert_eq!(books.peak_equity(), books.equity() + 1_000_000, "0.01 was paid of 10,050");
        assert_eq!(books.funding_paid(instrument), 1_000_000, "0.01 % of one at 100");
    }
}

#[test]
fn a_snapshot_keeps_how_an_instrument_trades_how_often_books_differed_and_what_other_hands_had_before() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.venue(EventKind::ListingChanged { instrument: BTC, status: ListingStatus::Paused });
    let drift = Drift { what: "balance BTC".to_owned(), ours: "0".to_owned(), venue: "1".to_owned() };
    stage.host(EventKind::Compared { through: Timestamp::from_millis(5), drifts: vec![drift], at_start: false });
    stage.venue(EventKind::Foreign(Box::new(foreign(40, true))));
    stage.state.counters.decided = 3;
    assert_eq!((stage.state.drifting, stage.state.foreign.len()), (1, 1));
    let again = read_back(&stage.state);
    assert_eq!(again, stage.state);
    assert_eq!(again.listing(BTC).status, ListingStatus::Paused, "or it would trade again after a restart");
    let order = again.foreign.values().next().unwrap();
    assert_eq!((order.earlier, order.waits), (lots(40), true));
}

#[test]
fn a_snapshot_keeps_what_a_parent_is_to_leave_and_what_went_wrong_with_it() {
    let mut stage = Stage::new(Limits::RESEARCH);
    sliced(&mut stage);
    // as a person's exit, a refusal and a worst price would leave it
    let mut value = serde_json::to_value(&stage.state).unwrap();
    let parent = &mut value["parents"]["live"]["1"];
    assert!(parent.is_object(), "{value}");
    parent["seen"]["leave"] = 400.into();
    parent["unwanted"] = true.into();
    parent["children"][0]["at_worst"] = true.into();
    let guard = Faults { failures: 1, fault: Some("it was not sent".to_owned()), ..Faults::default() };
    parent["guard"] = serde_json::to_value(&guard).unwrap();
    let state: State = serde_json::from_value(value.clone()).unwrap();
    let read = state.parents.get(ParentId(1)).unwrap();
    assert_eq!((read.seen.leave, read.faults.unwanted, read.children[0].at_worst), (lots(400), true, true));
    assert_eq!(read.guard, guard);
    assert_eq!(serde_json::to_value(&state).unwrap(), value);
}

#[test]
fn a_record_says_of_a_quote_that_it_moves_the_mark_where_it_does_and_of_persons_how_many_approved() {
    let quote = Quote { instrument: BTC, bid: price(9_900), bid_size: lots(1), ask: price(10_100), ask_size: lots(1) };
    let stage = Stage::new(Limits::RESEARCH);
    for marks in [false, true] {
        let kind = EventKind::Quoted { quote, origin: Origin::Recorded, marks };
        let event = Event::new(1, Timestamp::from_millis(0), Source::Market, kind);
        let record = encode(&event, &stage.state);
        assert_eq!(String::from_utf8_lossy(&record).contains("\"marks\""), marks);
        assert_eq!(decode(&record).unwrap(), event);
    }
    for approvals in [0, 2] {
        let behind = Behind { by: tradewind_governance::Name::new("ada").unwrap(), approvals, proposal: None };
        let text = serde_json::to_string(&behind).unwrap();
        assert_eq!(text.contains("approvals"), approvals > 0);
        assert_eq!(serde_json::from_str::<Behind>(&text).unwrap(), behind);
    }
    for earlier in [0, 7] {
        let order = Order::as_worked(MAIN, ClientOrderId::from_u128(7), limit(Side::Buy, 10, MARK));
        let adoption = Adoption { order, venue_id: VenueOrderId("7".into()), earlier: lots(earlier) };
        let text = serde_json::to_string(&adoption).unwrap();
        assert_eq!(text.contains("earlier"), earlier > 0);
        assert_eq!(serde_json::from_str::<Adoption>(&text).unwrap(), adoption);
    }
}

#[test]
fn states_that_differ_have_different_hashes_and_equal_ones_the_same() {
    let stage = Stage::new(Limits::RESEARCH);
    let mut other = stage.state.clone();
    assert_eq!(other.hash(), stage.state.hash());
    other.intents += 1;
    assert_ne!(other.hash(), stage.state.hash());
    assert_eq!(other.hash().len(), 64);
}
