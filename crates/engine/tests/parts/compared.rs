//! The venue's word against the books: whose an order is, who is asked, and from which difference on it counts.

use crate::orders::{WIDE, list, perpetual};
use crate::stage::*;
use std::collections::BTreeMap;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::Limits;

const SECOND: InstrumentId = InstrumentId(1);
/// Who sent an order, as its execution says: nobody reads it.
const NOBODY: ClientOrderId = ClientOrderId::from_u128(0);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn named(text: &str) -> VenueOrderId {
    VenueOrderId(text.into())
}

/// An order of another hand as the venue lists it.
fn listed(text: &str, name: &str, filled: i64, open: bool) -> VenueOrder {
    VenueOrder {
        client_text: text.to_owned(),
        venue_id: named(name),
        instrument: BTC,
        side: Side::Buy,
        price: Some(price(MARK)),
        quantity: lots(100),
        filled: lots(filled),
        open,
        waits: false,
        terms: VenueTerms::default(),
        updated: at(2_000),
    }
}

/// A name such as this program gives its orders, of an order that the journal does not know.
fn lost_name() -> String {
    ClientOrderId::derive(at(1), Incarnation(7), PortfolioId(0), 3).to_string()
}

fn executed(stage: &mut Stage, name: &str, millis: i64, quantity: i64) -> VenueTrade {
    VenueTrade { venue_id: named(name), at: at(millis), fill: stage.execution(NOBODY, quantity, MARK) }
}

fn found(stage: &Stage, seen: &Seen) -> Findings {
    compare(&stage.state, &Basis::of(&stage.state), seen)
}

fn record(stage: &mut Stage, findings: Findings) {
    findings.facts.into_iter().for_each(|(_, kind)| stage.venue(kind));
}

/// An order of another hand that was told of before.
fn known(stage: &mut Stage, order: VenueOrder) {
    let findings = found(stage, &Seen { open: vec![order], ..Seen::default() });
    record(stage, findings);
    assert_eq!(stage.state.foreign.len(), 1);
}

/// What the account holds if the venue agrees with the books, but for `units` more of `currency`.
fn balances(stage: &Stage, currency: Currency, units: i128) -> BTreeMap<Currency, i128> {
    let mut all = BTreeMap::new();
    for holding in stage.state.portfolios.iter().flat_map(Portfolio::holdings) {
        *all.entry(holding.currency).or_default() += holding.units;
    }
    *all.entry(currency).or_default() += units;
    all
}

/// Where venue and books differ, if the venue holds `units` more of `currency`.
fn drifts(stage: &Stage, currency: Currency, units: i128, at_start: bool) -> Vec<String> {
    let balances = Some(balances(stage, currency, units));
    found(stage, &Seen { balances, at_start, ..Seen::default() }).drifts.into_iter().map(|it| it.what).collect()
}

#[test]
fn an_order_that_the_venue_has_not_confirmed_is_not_missing_from_its_list() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.propose(limit(Side::Buy, 1_000, 9_900)).unwrap();
    assert_eq!(found(&stage, &Seen::default()).doubtful, [], "it is on its way");
    stage.host(EventKind::Sent { client_id: id });
    assert_eq!(found(&stage, &Seen::default()).doubtful, []);
    let asked_before = Basis::of(&stage.state);
    stage.accept(id);
    assert_eq!(compare(&stage.state, &asked_before, &Seen::default()).doubtful, [], "the list is older than it");
    assert_eq!(found(&stage, &Seen::default()).doubtful, [id]);
}

#[test]
fn executions_of_one_moment_are_recorded_in_the_order_of_their_numbers_after_what_was_told_of_orders() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let [first, second] = [1, 2].map(|_| executed(&mut stage, "9", 2_000, 10));
    let numbers = [first.fill.trade_id, second.fill.trade_id];
    let seen = Seen { open: vec![listed("web", "9", 20, true)], trades: vec![second, first], ..Seen::default() };
    let facts: Vec<Option<TradeId>> = found(&stage, &seen)
        .facts
        .into_iter()
        .map(|(_, kind)| match kind {
            EventKind::ForeignFilled(fill) => Some(fill.trade_id),
            _ => None,
        })
        .collect();
    assert_eq!(facts, [None, Some(numbers[0]), Some(numbers[1])]);
}

#[test]
fn whose_an_execution_is_was_told_once_and_is_not_asked_again() {
    let mut stage = Stage::new(Limits::RESEARCH);
    known(&mut stage, listed("web", "9", 0, true));
    let foreign = stage.state.foreign.keys().next().copied().unwrap();
    let basis = Basis { foreign: [].into(), ..Basis::of(&stage.state) }; // it was told of while the venue was asked
    let trades = vec![executed(&mut stage, "9", 2_000, 10), executed(&mut stage, "8", 2_000, 10)];
    let findings = compare(&stage.state, &basis, &Seen { trades, ..Seen::default() });
    assert!(matches!(&findings.facts[..], [(_, EventKind::ForeignFilled(fill))] if fill.client_id == foreign));
    assert_eq!(findings.ask, [(BTC, named("8"))], "that one nobody knows");
}

#[test]
fn an_order_of_another_hand_that_is_gone_is_asked_about_once_and_only_if_it_was_open_when_the_venue_was_asked() {
    let mut stage = Stage::new(Limits::RESEARCH);
    list(&mut stage, SECOND, "ETH/USDT");
    let before = Basis::of(&stage.state);
    let order = listed("web", "9", 0, true);
    known(&mut stage, order.clone());
    assert_eq!(compare(&stage.state, &before, &Seen::default()).ask, [], "the answer is older than the order");
    let over = VenueOrder { open: false, filled: lots(40), ..order };
    let ask = |named: &[VenueOrder]| found(&stage, &Seen { named: named.to_vec(), ..Seen::default() }).ask;
    let gone = [(BTC, named("9"))];
    assert_eq!(ask(&[]), gone);
    assert_eq!(ask(&[VenueOrder { instrument: SECOND, ..over.clone() }]), gone, "another instrument's");
    assert_eq!(ask(&[VenueOrder { venue_id: named("8"), ..over.clone() }]), gone, "another order's");
    assert_eq!(ask(std::slice::from_ref(&over)), []);
    // it is over, with an execution that nobody adopted
    let basis = Basis::of(&stage.state);
    let trades = vec![executed(&mut stage, "9", 2_000, 40)];
    let findings = found(&stage, &Seen { named: vec![over], trades, ..Seen::default() });
    record(&mut stage, findings);
    assert!(!stage.state.foreign.values().next().unwrap().open);
    assert_eq!(compare(&stage.state, &basis, &Seen::default()).ask, [], "it ended while the venue was asked");
}

#[test]
fn an_order_of_this_program_that_the_journal_does_not_know_is_told_once_and_at_every_start() {
    let of = |name: &str, filled, open, at_start| {
        let stage = Stage::new(Limits::RESEARCH);
        found(&stage, &Seen { open: vec![listed(name, "9", filled, open)], at_start, ..Seen::default() }).drifts.len()
    };
    let ours = lost_name();
    assert_eq!(of(&ours, 0, true, false), 1, "it is open");
    assert_eq!(of(&ours, 0, true, true), 1);
    assert_eq!(of(&ours, 10, false, false), 1, "some of it was executed");
    assert_eq!(of(&ours, 0, false, false), 0, "it came to nothing");
    assert_eq!(of("web", 0, true, true), 0, "another hand's");
    let mut stage = Stage::new(Limits::RESEARCH);
    let order = listed(&ours, "9", 0, true);
    known(&mut stage, order.clone());
    let drifts =
        |at_start| found(&stage, &Seen { open: vec![order.clone()], at_start, ..Seen::default() }).drifts.len();
    assert_eq!((drifts(false), drifts(true)), (0, 1));
}

#[test]
fn an_execution_of_an_order_that_the_journal_has_lost_is_told_at_the_start_whether_the_order_is_listed_or_not() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let order = listed(&lost_name(), "9", 40, false);
    let trades = vec![executed(&mut stage, "9", 2_000, 40)];
    let seen = Seen { named: vec![order.clone()], trades: trades.clone(), ..Seen::default() };
    let findings = found(&stage, &seen);
    record(&mut stage, findings);
    assert_eq!((stage.state.foreign.len(), stage.state.foreign_fills.len()), (1, 1));
    let drifts = |named: Vec<VenueOrder>, at_start| {
        let seen = Seen { named, trades: trades.clone(), at_start, ..Seen::default() };
        found(&stage, &seen).drifts.iter().map(|it| it.what.clone()).collect::<Vec<_>>()
    };
    let told = [format!("order {} of this program", lost_name())];
    assert_eq!(drifts(vec![], true), told);
    assert_eq!(drifts(vec![order], true), told, "once");
    assert_eq!(drifts(vec![], false), [""; 0], "and not while it runs");
    // a lost order without an execution that waits is found by the list of what is open, if at all
    let mut stage = Stage::new(Limits::RESEARCH);
    known(&mut stage, listed(&lost_name(), "9", 0, true));
    let seen = Seen { at_start: true, ..Seen::default() };
    assert_eq!(found(&stage, &seen).drifts, []);
}

#[test]
fn a_history_that_begins_where_the_books_were_whole_has_no_gap() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.host(EventKind::Compared { through: at(50_000), drifts: vec![], at_start: false });
    let gaps = |from| found(&stage, &Seen { trades_from: at(from), ..Seen::default() }).facts.len();
    assert_eq!((gaps(50_000), gaps(50_001)), (0, 1));
}

#[test]
fn an_order_of_unknown_outcome_excuses_both_of_its_currencies_and_no_third() {
    let mut stage = Stage::new(Limits::RESEARCH);
    list(&mut stage, SECOND, "ETH/USDT");
    let eth = Currency::new("ETH").unwrap();
    let id = stage.propose(limit(Side::Buy, 1_000, 9_900)).unwrap();
    stage.host(EventKind::AnswerLost { client_id: id, reason: "cut".into() });
    let drifts = |stage: &Stage, currency| drifts(stage, currency, 1_000, false).len();
    assert_eq!([usdt(), btc(), eth].map(|it| drifts(&stage, it)), [0, 0, 1]);
    stage.accept(id);
    assert_eq!([usdt(), btc(), eth].map(|it| drifts(&stage, it)), [1, 1, 1], "it is known");
}

#[test]
fn a_unit_is_a_rounding_where_prices_times_quantities_are_finer_than_the_ledger_and_nowhere_else() {
    let differs = |quantity_decimals, units| {
        let mut stage = Stage::new(Limits::RESEARCH);
        stage.is_unjudged = true; // its books know four decimals
        let spec = InstrumentSpec { quantity_decimals, ..stage.state.listing(BTC).instrument.spec.clone() };
        stage.host(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
        stage.holding(1_000);
        drifts(&stage, usdt(), units, false).len()
    };
    assert_eq!((differs(6, 1), differs(7, 1), differs(7, 2)), (1, 0, 1), "of two decimals of price, after one fill");
}

#[test]
fn at_the_start_less_than_a_lot_is_dust_and_a_lot_is_a_difference() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let spec = InstrumentSpec { lot: lots(10), ..stage.state.listing(BTC).instrument.spec.clone() };
    stage.host(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
    let lot = 100_000; // ten of four decimals, in units of eight
    assert_eq!(drifts(&stage, btc(), lot - 1, true), [""; 0]);
    assert_eq!(drifts(&stage, btc(), 1 - lot, true), [""; 0]);
    assert_eq!(drifts(&stage, btc(), lot, true), ["balance BTC"]);
    assert_eq!(drifts(&stage, btc(), lot - 1, false), ["balance BTC"], "while it runs nothing is dust");
    assert_eq!(drifts(&stage, usdt(), 1, true), ["balance USDT"], "nothing trades in lots of that");
}

#[test]
fn contracts_are_those_of_all_portfolios_and_of_other_hands_but_for_an_outcome_that_is_unknown() {
    let mut stage = Stage::new(WIDE);
    stage.is_unjudged = true; // its books know no contracts
    perpetual(&mut stage, "BTC/USDT:USDT");
    for (portfolio, quantity) in [(0, 300), (1, 50)] {
        let request = OrderRequest { instrument: SECOND, ..market(Side::Buy, quantity) };
        let id = stage.propose_for(portfolio, request).unwrap();
        let whole = stage.execution(id, quantity, MARK);
        stage.say_for(PortfolioId(portfolio), Source::Venue, EventKind::Filled(Fill { instrument: SECOND, ..whole }));
    }
    let others =
        [(SECOND, "7"), (BTC, "8")].map(|(id, name)| VenueOrder { instrument: id, ..listed("web", name, 40, true) });
    let differs = |stage: &Stage, units| {
        let positions = Some([(SECOND, lots(units))].into());
        let seen = Seen { positions, open: others.to_vec(), ..Seen::default() };
        found(stage, &seen).drifts.into_iter().map(|it| (it.ours, it.venue)).collect::<Vec<_>>()
    };
    assert_eq!(differs(&stage, 350), []);
    assert_eq!(differs(&stage, 351), [("0.035".to_owned(), "0.0351".to_owned())]);
    let of = |stage: &mut Stage, instrument| {
        stage.propose(OrderRequest { instrument, ..limit(Side::Buy, 100, 9_900) }).unwrap()
    };
    let [working, lost, other] = [SECOND, SECOND, BTC].map(|it| of(&mut stage, it));
    stage.accept(working);
    // another hand sells of it, and something else of another instrument
    let findings = found(&stage, &Seen { open: others.to_vec(), ..Seen::default() });
    record(&mut stage, findings);
    for instrument in [SECOND, BTC] {
        let client_id = stage.state.foreign.values().find(|it| it.instrument == instrument).unwrap().client_id;
        let quantity = if instrument == BTC { 30 } else { 40 };
        let fill = Fill { instrument, side: Side::Sell, ..stage.execution(client_id, quantity, MARK) };
        stage.venue(EventKind::ForeignFilled(fill));
    }
    assert_eq!(differs(&stage, 310), []);
    assert_eq!(differs(&stage, 350).len(), 1);
    stage.host(EventKind::AnswerLost { client_id: other, reason: "cut".into() });
    assert_eq!(differs(&stage, 350).len(), 1, "neither a known order of it nor an unknown one of another excuses it");
    stage.host(EventKind::AnswerLost { client_id: lost, reason: "cut".into() });
    assert_eq!(differs(&stage, 350), []);
}
