//! The end of a contract: what is held is paid out once, at one price and to the last unit, and nothing of it is left.

use crate::orders::WIDE;
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{ParentEnd, ParentId, ParentState, Plan, Schedule};
use tradewind_engine::*;
use tradewind_gate::Limits;

const MAIN: PortfolioId = PortfolioId(0);
const OTHER: PortfolioId = PortfolioId(1);
const ENDING: InstrumentId = InstrumentId(1);

/// The contract that `symbol` names, with two decimals of price and four of quantity; four and none for what a coin pays.
fn contract(id: InstrumentId, symbol: &str) -> Instrument {
    let symbol: Symbol = symbol.parse().unwrap();
    let is_coin = symbol.contract.as_ref().unwrap().settle == symbol.base;
    let (price_decimals, quantity_decimals) = if is_coin { (4, 0) } else { (2, 4) };
    let kind = InstrumentKind::of(&symbol, price_decimals).unwrap();
    InstrumentSpec { kind, price_decimals, quantity_decimals, ..InstrumentSpec::spot(symbol, "test") }.list(id).unwrap()
}

/// Two portfolios with 1,000 each of what the contract is paid in, and no gate.
struct Books {
    state: State,
    it: Instrument,
    told: u128,
}

impl Books {
    fn of(symbol: &str) -> Self {
        let it = contract(InstrumentId(0), symbol);
        let base = it.settlement();
        let mut books = Self { state: State::default(), it: it.clone(), told: 0 };
        books.say(MAIN, EventKind::Listed(Box::new(it)));
        for portfolio in [MAIN, OTHER] {
            books.say(portfolio, EventKind::Opened { base, name: format!("p{}", portfolio.0) });
            books.say(portfolio, EventKind::Deposited(Money::parse("1000", base).unwrap()));
        }
        books
    }

    fn say(&mut self, portfolio: PortfolioId, kind: EventKind) {
        let mut event = Event::new(self.state.sequence + 1, Timestamp::from_millis(0), Source::Venue, kind);
        event.portfolio = portfolio;
        let event = decode(&encode(&event, &self.state)).unwrap(); // as a journal would tell it
        apply(&mut self.state, &event);
    }

    /// Makes an order known, and gives back its only execution.
    fn order(&mut self, portfolio: PortfolioId, side: Side, quantity: &str, at: &str) -> Fill {
        self.told += 1;
        let (instrument, client_id) = (self.it.id, ClientOrderId::from_u128(self.told));
        let (quantity, price) = (self.it.quantity(quantity).unwrap(), self.it.price(at).unwrap());
        let request = OrderRequest::market(instrument, side, quantity);
        self.say(portfolio, EventKind::Judged(Verdict::Approved(Order::as_worked(portfolio, client_id, request))));
        let (trade_id, liquidity) = (TradeId(self.told), Liquidity::Taker);
        let fee = Fee(Money::zero(self.it.settlement()));
        Fill { client_id, instrument, trade_id, side, price, quantity, liquidity, fee }
    }

    /// Holds `signed` from the price `at` on.
    fn hold(&mut self, portfolio: PortfolioId, signed: &str, at: &str) {
        let (side, quantity) = signed.strip_prefix('-').map_or((Side::Buy, signed), |size| (Side::Sell, size));
        let fill = self.order(portfolio, side, quantity, at);
        self.say(portfolio, EventKind::Filled(fill));
    }

    fn settle(&mut self, price: Price, fee_e8: i64) {
        let settlement = Settlement { price, fee_e8 };
        self.say(MAIN, EventKind::Settled { instrument: self.it.id, settlement });
    }

    /// What is held, what was realised and what fees there were, in the settlement currency.
    fn told(&self, portfolio: PortfolioId) -> [String; 3] {
        let (books, currency) = (self.state.portfolio(portfolio), self.it.settlement());
        assert!(books.position(self.it.id).quantity().is_zero(), "nothing is left");
        assert_eq!(books.equity(), books.units(currency), "nothing is unrealised");
        let holding = books.holdings()[0];
        [holding.units, holding.realised, holding.fees].map(|units| Money { currency, units }.amount())
    }
}

/// Holds `signed` of the contract from `entry` on, and settles it: of an option at its worth while its underlying stands
/// at `price`.
fn check(symbol: &str, signed: &str, entry: &str, price: &str, fee_e8: i64, want: [&str; 3]) {
    let mut books = Books::of(symbol);
    books.hold(MAIN, signed, entry);
    let price = books.it.price(price).unwrap();
    books.settle(books.it.intrinsic(price).unwrap_or(price), fee_e8);
    assert_eq!(books.told(MAIN), want, "{signed} of {symbol}");
    assert_eq!((books.state.counters.contradictions, &books.state.halted), (0, &None));
}

#[test]
fn a_future_is_paid_out_at_its_settlement_price() {
    check("BTC/USDT:USDT-250328", "2", "100", "110", 0, ["1020", "20", "0"]);
    check("BTC/USDT:USDT-250328", "-2", "100", "110", 0, ["980", "-20", "0"]);
    check("BTC/USDT:USDT-250328", "2", "100", "-37.63", 0, ["724.74", "-275.26", "0"]); // it has happened
    // 60,000/50,000 - 60,000/60,000
    check("BTC/USD:BTC-250328", "60000", "50000", "60000", 0, ["1000.2", "0.2", "0"]);
    check("BTC/USD:BTC-250328", "-60000", "50000", "60000", 0, ["999.8", "-0.2", "0"]);
}

#[test]
fn an_option_is_paid_out_at_what_it_is_worth() {
    let (call, put) = ("BTC/USDT:USDT-250328-100-C", "BTC/USDT:USDT-250328-100-P");
    check(call, "2", "5", "112", 0, ["1014", "14", "0"]); // 12 each for 5
    check(call, "2", "5", "90", 0, ["990", "-10", "0"]);
    check(call, "-2", "5", "112", 0, ["986", "-14", "0"]);
    check(call, "-2", "5", "90", 0, ["1010", "10", "0"]);
    check(put, "2", "5", "90", 0, ["1010", "10", "0"]); // 10 each
    check(put, "2", "5", "112", 0, ["990", "-10", "0"]);
    // a fifth of a coin each for a twentieth
    check("BTC/USD:BTC-250328-100-C", "3", "0.05", "125", 0, ["1000.45", "0.45", "0"]);
    check("BTC/USD:BTC-250328-100-P", "3", "0.05", "80", 0, ["1000.6", "0.6", "0"]);
    check("BTC/USD:BTC-250328-100-P", "3", "0.05", "125", 0, ["999.85", "-0.15", "0"]);
}

#[test]
fn the_fee_of_a_settlement_is_a_part_of_what_is_settled_whichever_side_is_held() {
    // 2 basis points of 220
    check("BTC/USDT:USDT-250328", "2", "100", "110", 20_000, ["1019.956", "20", "0.044"]);
    check("BTC/USDT:USDT-250328", "-2", "100", "110", 20_000, ["979.956", "-20", "0.044"]);
    check("BTC/USDT:USDT-250328", "2", "100", "-10", 20_000, ["779.996", "-220", "0.004"]);
    // of one coin
    check("BTC/USD:BTC-250328", "-60000", "50000", "60000", 20_000, ["999.7998", "-0.2", "0.0002"]);
    check("BTC/USDT:USDT-250328-100-C", "2", "5", "90", 20_000, ["990", "-10", "0"]); // nothing is settled
}

#[test]
fn what_longs_are_paid_is_what_shorts_pay() {
    let mut books = Books::of("BTC/USDT:USDT-250328");
    for (long, at) in [("0.3333", "100.01"), ("1.7", "99.99")] {
        books.hold(MAIN, long, at);
        books.hold(OTHER, &format!("-{long}"), at);
    }
    books.settle(price(10_337), 0);
    let realised = [MAIN, OTHER].map(|id| books.state.portfolio(id).holdings()[0].realised);
    assert_eq!(realised[0], -realised[1]);
    assert_eq!(books.told(MAIN)[0], "1006.865888", "0.3333 x 3.36 and 1.7 x 3.38");
}

#[test]
fn a_second_settlement_changes_nothing() {
    let mut books = Books::of("BTC/USDT:USDT-250328");
    books.hold(MAIN, "2", "100");
    books.settle(price(11_000), 0);
    let before = books.state.clone();
    books.settle(price(12_000), 20_000);
    books.state.sequence = before.sequence;
    assert_eq!(books.state, before);
}

#[test]
fn an_execution_that_is_told_after_the_settlement_is_paid_out_as_the_rest_was() {
    let mut books = Books::of("BTC/USDT:USDT-250328");
    let late = books.order(MAIN, Side::Buy, "2", "100");
    books.settle(price(11_000), 20_000);
    assert_eq!(books.told(MAIN), ["1000", "0", "0"]);
    books.say(MAIN, EventKind::Filled(late));
    assert_eq!(books.told(MAIN), ["1019.956", "20", "0.044"]);
    books.say(MAIN, EventKind::Reversed(late)); // and taken back likewise, but for what settling it cost
    assert_eq!(books.told(MAIN)[1], "0");
    assert_eq!((books.state.counters.contradictions, &books.state.halted), (0, &None));
}

#[test]
fn what_is_paid_for_in_full_is_not_settled_and_what_leaves_the_ledger_halts() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    stage.venue(EventKind::Settled { instrument: BTC, settlement: Settlement { price: price(MARK), fee_e8: 0 } });
    assert_eq!((stage.position(), stage.state.counters.contradictions), (1_000, 1));
    assert_eq!(stage.state.listing(BTC).settled, None);

    let mut books = Books::of("BTC/USD:BTC-250328");
    books.hold(MAIN, "60000", "50000");
    books.settle(price(0), 0); // of no coin that is worth nothing can anything be paid
    assert_eq!(books.state.halted.as_deref(), Some("a settlement is past the ledger"));
    assert_eq!(books.state.counters.contradictions, 1);
    assert_eq!(books.state.portfolio(MAIN).position(books.it.id).quantity(), lots(60_000));
    books.settle(price(50_000), 0);
    assert!(books.state.portfolio(MAIN).position(books.it.id).quantity().is_zero(), "a right one is taken");
}

/// A stage with a dated future at 100 as its second instrument.
fn listed() -> Stage {
    let mut stage = Stage::new(WIDE);
    stage.is_unjudged = true; // its books know no contracts
    stage.host(EventKind::Listed(Box::new(contract(ENDING, "BTC/USDT:USDT-250328"))));
    let trade =
        Trade { instrument: ENDING, price: price(MARK), quantity: lots(1), aggressor: Side::Buy, id: TradeId(1) };
    stage.say_for(MAIN, Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
    stage
}

#[test]
fn what_is_open_in_a_contract_expires_with_it_and_nothing_more_is_let_in() {
    let mut stage = listed();
    let resting = stage.working(OrderRequest { instrument: ENDING, ..limit(Side::Buy, 100, 9_900) });
    let elsewhere = stage.working(limit(Side::Buy, 100, 9_900));
    let settlement = Settlement { price: price(MARK), fee_e8: 0 };
    stage.venue(EventKind::Settled { instrument: ENDING, settlement });
    assert_eq!((stage.status(resting), stage.status(elsewhere)), ("expired", "open"));
    assert_eq!(stage.propose(OrderRequest { instrument: ENDING, ..market(Side::Buy, 100) }), None);
    assert!(stage.last_refusal().contains("the contract was settled"), "{}", stage.last_refusal());
    stage.venue(EventKind::Cancelled { client_id: resting, reason: "its contract has ended".into() });
    assert_eq!((stage.status(resting), stage.state.counters.contradictions), ("expired", 0));
    stage.check_journal();
}

#[test]
fn what_was_still_to_be_said_of_an_order_that_ended_with_its_contract_contradicts_nothing() {
    let mut stage = listed();
    let asked = [100, 200].map(|quantity| {
        stage.propose(OrderRequest { instrument: ENDING, ..limit(Side::Buy, quantity, 9_900) }).unwrap()
    });
    let elsewhere = stage.working(limit(Side::Buy, 100, 9_900));
    let settlement = Settlement { price: price(MARK), fee_e8: 0 };
    stage.venue(EventKind::Settled { instrument: ENDING, settlement });
    stage.host(EventKind::NotSent { client_id: asked[0], reason: "its fence is closed".into() });
    stage.host(EventKind::Sent { client_id: asked[1] });
    stage.venue(EventKind::Rejected { client_id: asked[1], reason: "no such contract".into() });
    assert_eq!(asked.map(|id| stage.status(id)), ["expired"; 2]);
    assert_eq!(stage.state.counters.contradictions, 0);
    stage.venue(EventKind::Expired { client_id: elsewhere, evidence: None });
    stage.venue(EventKind::Rejected { client_id: elsewhere, reason: "no".into() });
    assert_eq!(stage.state.counters.contradictions, 1, "of any other order it does");
    stage.check_journal();
}

#[test]
fn an_order_that_becomes_others_over_time_ends_with_its_contract() {
    let mut stage = listed();
    let plan = Plan::Schedule(Schedule::even(Timestamp::from_millis(stage.millis), 10_000_000_000, 2));
    let request = OrderRequest { instrument: ENDING, ..market(Side::Buy, 1_000) };
    stage.wish(request, plan);
    let (sent, refused) = (stage.sent.len(), stage.refusals.len());
    let settlement = Settlement { price: price(MARK), fee_e8: 0 };
    stage.venue(EventKind::Settled { instrument: ENDING, settlement });
    for _ in 0..120 {
        stage.millis += 1_000;
        stage.host(EventKind::Timer);
    }
    let state = &stage.state.parents.get(ParentId(1)).unwrap().state;
    assert!(matches!(state, ParentState::Over { end: ParentEnd::Expired, .. }), "{state:?}");
    assert_eq!((stage.sent.len(), stage.refusals.len()), (sent, refused), "nothing more is asked for");
    assert!(stage.state.open.is_empty());
    stage.check_journal();
}

#[test]
fn a_snapshot_says_how_a_contract_was_settled_and_of_one_that_was_not_no_word() {
    let mut books = Books::of("BTC/USDT:USDT-250328");
    assert!(!serde_json::to_string(&books.state).unwrap().contains("settled"), "states of before hash as they did");
    books.settle(price(MARK), 0);
    let value = serde_json::to_value(&books.state).unwrap();
    assert_eq!(value["listings"][0]["settled"], serde_json::json!({"price": MARK}));
    assert_eq!(serde_json::from_value::<State>(value).unwrap(), books.state);
}

#[test]
fn a_record_says_what_a_settlement_cost_where_it_cost_something() {
    let books = Books::of("BTC/USDT:USDT-250328");
    for (fee_e8, want) in [
        (0, r#""kind":{"type":"settled","instrument":0,"price":11000}"#),
        (7, r#""kind":{"type":"settled","instrument":0,"price":11000,"fee_e8":7}"#),
    ] {
        let kind =
            EventKind::Settled { instrument: books.it.id, settlement: Settlement { price: price(11_000), fee_e8 } };
        let event = Event::new(1, Timestamp::from_millis(0), Source::Venue, kind);
        let record = encode(&event, &books.state);
        let text = String::from_utf8_lossy(&record);
        assert!(text.starts_with(r#"{"v":2,"decimals":[2,4],"#) && text.contains(want), "{text}");
        assert_eq!(decode(&record).unwrap(), event);
        let earlier = text.replacen("\"v\":2", "\"v\":1", 1); // as the first programs that knew of it wrote it
        assert_eq!(decode(earlier.as_bytes()).unwrap(), event);
    }
}
