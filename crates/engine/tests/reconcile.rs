//! The venue's word against the books: what is found, what counts as drift, and what other hands mean for the limits.

#![allow(clippy::unwrap_used)] // a test may

use std::collections::BTreeMap;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Guard, Limits, Mode, Proposal};

/// A state with one instrument and one portfolio that owns 10,000 USDT, and a small host around it.
struct Stage {
    state: State,
    number: u128,
}

fn usdt() -> Currency {
    Currency::new("USDT").unwrap()
}

fn btc() -> Currency {
    Currency::new("BTC").unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn venue_id(text: &str) -> VenueOrderId {
    VenueOrderId(text.into())
}

impl Stage {
    fn new(quantity_decimals: u8) -> Self {
        let mut stage = Self { state: State::default(), number: 0 };
        stage.say(EventKind::Started { incarnation: Incarnation(9), mode: Mode::Paper, logic: LOGIC_VERSION });
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals,
            lot: Quantity::from_mantissa(10),
            ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
        };
        stage.say(EventKind::Listed(Box::new(spec.list(InstrumentId(0)).unwrap())));
        stage.say(EventKind::Opened { base: usdt(), name: "main".into() });
        stage.say(EventKind::Opened { base: usdt(), name: "operator".into() });
        stage.say(EventKind::LimitsSet(Box::new(Limits::RESEARCH)));
        stage.say(EventKind::Deposited(Money::parse("10000", usdt()).unwrap()));
        let mark = Price::from_mantissa(10_000);
        let size = Quantity::from_mantissa(1);
        let quote = Quote { instrument: InstrumentId(0), bid: mark, bid_size: size, ask: mark, ask_size: size };
        stage.say(EventKind::Quoted { quote, origin: Origin::Simulated, marks: false });
        stage
    }

    /// Says something and whatever the engine makes of it; gives back the verdict, if one was passed.
    fn say(&mut self, kind: EventKind) -> Option<Verdict> {
        let place = if matches!(kind, EventKind::Opened { .. }) { self.state.portfolios.len() } else { 0 };
        let portfolio = PortfolioId(u16::try_from(place).unwrap());
        let mut queue = vec![(kind, portfolio)];
        let mut verdict = None;
        while let Some((kind, portfolio)) = queue.pop() {
            if let EventKind::Judged(word) = &kind {
                verdict = Some(word.clone());
            }
            let event = Event::new(self.state.sequence + 1, at(1_000), Source::Venue, kind);
            let mut commands = Vec::new();
            let bytes = encode(&event, &self.state);
            assert_eq!(decode(&bytes).unwrap(), event, "every event is a record");
            step(&mut self.state, &Event { portfolio, ..event }, &mut commands);
            for command in commands {
                if let Command::Record(kind, portfolio) = command {
                    queue.push((kind, portfolio));
                }
            }
        }
        verdict
    }

    fn propose(&mut self, source: Source, side: Side, units: i64, price: i64) -> Result<ClientOrderId, Guard> {
        let request =
            OrderRequest::limit(InstrumentId(0), side, Quantity::from_mantissa(units), Price::from_mantissa(price));
        let proposal = Proposal { plan: None, source, portfolio: PortfolioId(0), request, reason: "test".into() };
        match self.say(EventKind::Proposed(proposal)).unwrap() {
            Verdict::Approved(order) => Ok(order.client_id()),
            Verdict::Refused(refusal) => Err(refusal.guard),
            other => panic!("{other:?}"),
        }
    }

    /// An order of ours that the venue works under the name `name`.
    fn working(&mut self, side: Side, units: i64, name: &str) -> ClientOrderId {
        let client_id = self.propose(Source::Operator, side, units, 10_000).unwrap();
        self.say(EventKind::Accepted { client_id, venue_id: venue_id(name) });
        client_id
    }

    fn fill(&mut self, client_id: ClientOrderId, side: Side, units: i64) -> Fill {
        self.number += 1;
        Fill {
            client_id,
            instrument: InstrumentId(0),
            trade_id: TradeId(self.number),
            side,
            price: Price::from_mantissa(10_000),
            quantity: Quantity::from_mantissa(units),
            liquidity: Liquidity::Maker,
            fee: Fee(Money { currency: usdt(), units: 1_000 }),
        }
    }

    fn order(&self, text: &str, name: &str, units: i64, filled: i64, open: bool) -> VenueOrder {
        VenueOrder {
            client_text: text.to_owned(),
            venue_id: venue_id(name),
            instrument: InstrumentId(0),
            side: Side::Buy,
            price: Some(Price::from_mantissa(10_000)),
            quantity: Quantity::from_mantissa(units),
            filled: Quantity::from_mantissa(filled),
            open,
            waits: false,
            terms: VenueTerms::default(),
            updated: at(2_000),
        }
    }

    /// What the account holds if the venue agrees with the books.
    fn balances(&self) -> BTreeMap<Currency, i128> {
        let mut all = BTreeMap::new();
        for holding in self.state.portfolios.iter().flat_map(Portfolio::holdings) {
            *all.entry(holding.currency).or_default() += holding.units;
        }
        all.retain(|_, units| *units != 0);
        all
    }

    fn compare(&self, seen: &Seen) -> Findings {
        compare(&self.state, &Basis::of(&self.state), seen)
    }

    fn record(&mut self, findings: Findings) {
        findings.facts.into_iter().for_each(|(_, kind)| _ = self.say(kind));
    }
}

fn trade(name: &str, millis: i64, fill: Fill) -> VenueTrade {
    VenueTrade {
        venue_id: venue_id(name),
        at: at(millis),
        fill: Fill { client_id: ClientOrderId::from_u128(0), ..fill },
    }
}

#[test]
fn b04_a_fill_that_the_stream_never_told_is_found_and_booked_once() {
    let mut stage = Stage::new(4);
    let id = stage.working(Side::Buy, 100, "7");
    let (early, late) = (stage.fill(id, Side::Buy, 40), stage.fill(id, Side::Buy, 60));
    stage.say(EventKind::Filled(early));
    // the venue lists both, in any order and one twice: pages overlap
    let trades = vec![trade("7", 3, late), trade("7", 2, early), trade("7", 3, late)];
    let seen = Seen { trades, open: vec![], ..Seen::default() };
    let findings = stage.compare(&seen);
    assert_eq!(findings.doubtful, [id], "its end is asked for: it is open here and not at the venue");
    assert!(findings.ask.is_empty() && findings.drifts.is_empty(), "{findings:?}");
    stage.record(findings);
    assert_eq!(stage.state.order(id).unwrap().status(), "filled");
    assert_eq!((stage.state.counters.fills, stage.state.counters.contradictions), (2, 0));
    let again = stage.compare(&seen);
    assert_eq!((again.facts, again.doubtful), (vec![], vec![]), "comparing twice does no harm");
}

#[test]
fn b10_an_answer_older_than_what_the_stream_told_meanwhile_is_not_believed() {
    let mut stage = Stage::new(4);
    let id = stage.working(Side::Buy, 100, "7");
    let basis = Basis::of(&stage.state);
    let seen = Seen {
        open: vec![stage.order(&id.to_string(), "7", 100, 0, true)],
        balances: Some(stage.balances()),
        ..Seen::default()
    };
    // while the venue was being asked, the order filled and another was placed
    let fill = stage.fill(id, Side::Buy, 100);
    stage.say(EventKind::Filled(fill));
    stage.working(Side::Buy, 10, "8");
    let findings = compare(&stage.state, &basis, &seen);
    assert_eq!(findings, Findings::default());
    // the same answer asked for after all that is a contradiction
    let findings = stage.compare(&seen);
    assert_eq!(findings.drifts.len(), 3, "the order, and both balances: {findings:?}");
    assert_eq!(findings.doubtful.len(), 1);
}

#[test]
fn an_order_by_another_hand_counts_and_strategies_leave_the_instrument_alone() {
    let mut stage = Stage::new(4);
    let by_hand = stage.order("typed-by-hand", "9", 500_000, 0, true);
    let findings = stage.compare(&Seen { open: vec![by_hand.clone()], ..Seen::default() });
    assert!(matches!(&findings.facts[..], [(_, EventKind::Foreign(_))]) && findings.drifts.is_empty());
    stage.record(findings);
    assert_eq!(stage.propose(Source::Strategy(0), Side::Buy, 100, 10_000), Err(Guard::Restricted));
    assert!(stage.propose(Source::Operator, Side::Buy, 100, 10_000).is_ok());
    let foreign = stage.state.foreign_exposure(InstrumentId(0));
    assert_eq!((foreign.buys.mantissa(), foreign.sells.mantissa()), (500_000, 0));
    // 50 BTC at 100 USDT hold 5,000 of the 10,000
    assert_eq!(stage.propose(Source::Operator, Side::Buy, 600_000, 10_000), Err(Guard::MaxPosition));
    assert_eq!(stage.propose(Source::Operator, Side::Buy, 530_000, 10_000), Err(Guard::Funds));
    // it went away without an execution: the venue is asked by its name, then it is forgotten
    let findings = stage.compare(&Seen::default());
    assert_eq!(findings.ask, [(InstrumentId(0), venue_id("9"))]);
    let gone = VenueOrder { open: false, ..by_hand };
    let findings = stage.compare(&Seen { named: vec![gone], ..Seen::default() });
    stage.record(findings);
    assert!(stage.state.foreign.is_empty());
    assert!(stage.propose(Source::Strategy(0), Side::Buy, 100, 10_000).is_ok());
}

#[test]
fn b05_executions_by_another_hand_are_asked_after_counted_and_adopted() {
    let mut stage = Stage::new(4);
    let fill = stage.fill(ClientOrderId::from_u128(0), Side::Buy, 400);
    let mut seen = Seen { trades: vec![trade("9", 2, fill)], ..Seen::default() };
    let findings = stage.compare(&seen);
    assert_eq!((findings.ask.len(), findings.facts.len()), (1, 0), "whose is it?");
    seen.named.push(stage.order("autoclose-1", "9", 400, 400, false));
    let findings = stage.compare(&seen);
    stage.record(findings);
    assert_eq!(stage.state.counters.fills, 0, "nothing is booked in silence");
    assert_eq!(stage.state.foreign_units(btc()), 4_000_000);
    // the account's balances are explained by it, so there is no drift
    let mut balances = stage.balances();
    *balances.get_mut(&usdt()).unwrap() -= 4 * 100_000_000 + 1_000;
    balances.insert(btc(), 4_000_000);
    let findings = stage.compare(&Seen { balances: Some(balances.clone()), ..seen.clone() });
    assert_eq!(findings, Findings { balanced: true, ..Findings::default() });

    // adopted: the order, then what was executed of it, under the operator
    let foreign = stage.state.foreign.values().next().unwrap().clone();
    let request = OrderRequest::limit(foreign.instrument, foreign.side, foreign.quantity, foreign.price.unwrap());
    let order = Order::as_worked(PortfolioId(1), foreign.client_id, request);
    let waiting = stage.state.foreign_fills.clone();
    stage.say(EventKind::Adopted(Box::new(Adoption { order, venue_id: foreign.venue_id, earlier: foreign.earlier })));
    waiting.into_iter().for_each(|fill| _ = stage.say(EventKind::Filled(fill)));
    assert!(stage.state.foreign.is_empty() && stage.state.foreign_fills.is_empty());
    assert_eq!(stage.state.portfolio(PortfolioId(1)).position(InstrumentId(0)).quantity().mantissa(), 400);
    assert_eq!(stage.state.order(foreign.client_id).unwrap().status(), "filled");
    assert_eq!((stage.state.halted.as_ref(), stage.state.counters.contradictions), (None, 0));
    let findings = stage.compare(&Seen { balances: Some(balances), ..seen });
    assert_eq!(findings, Findings { balanced: true, ..Findings::default() }, "comparing again books nothing twice");
}

#[test]
fn what_the_opening_balances_hold_is_never_booked_and_waits_for_nobody() {
    let mut stage = Stage::new(8);
    let nobody = ClientOrderId::from_u128(0);
    let [old, new] = [10_000, 20_000].map(|units| stage.fill(nobody, Side::Buy, units));
    let named = vec![stage.order("web", "9", 30_000, 30_000, false)];
    let seen = Seen { trades: vec![trade("9", 1, old), trade("9", 2, new)], named, ..Seen::default() };
    let findings = stage.compare(&seen);
    stage.record(findings);
    assert_eq!((stage.state.foreign_fills.len(), stage.state.foreign.len()), (2, 1));
    stage.say(EventKind::Baseline { instrument: InstrumentId(0), through: old.trade_id });
    let waiting: Vec<_> = stage.state.foreign_fills.iter().map(|it| it.trade_id).collect();
    assert_eq!((waiting, stage.state.foreign.len()), (vec![new.trade_id], 0));
    stage.say(EventKind::Baseline { instrument: InstrumentId(0), through: new.trade_id });
    assert!(stage.state.foreign_fills.is_empty());
    let findings = stage.compare(&Seen { named: vec![], ..seen });
    assert_eq!((findings.facts, findings.ask), (vec![], vec![]), "nobody is asked whose they are");
}

#[test]
fn a_balance_that_cannot_be_read_is_no_difference_and_no_agreement() {
    let mut stage = Stage::new(4);
    let id = stage.working(Side::Buy, 200, "7");
    let fill = stage.fill(id, Side::Buy, 200);
    stage.say(EventKind::Filled(fill));
    let (mut balances, shib) = (stage.balances(), Currency::new("SHIB").unwrap());
    balances.remove(&btc());
    let seen = |unread: &[Currency]| Seen {
        balances: Some(balances.clone()),
        unread: unread.iter().copied().collect(),
        ..Seen::default()
    };
    let drifts = stage.compare(&seen(&[])).drifts;
    assert_eq!((drifts.len(), drifts[0].venue.as_str()), (1, "0"), "what is missing is zero");
    let findings = stage.compare(&seen(&[btc()]));
    assert_eq!(findings, Findings { unread: vec![btc()], ..Findings::default() });
    let findings = stage.compare(&seen(&[btc(), shib]));
    assert_eq!(findings, Findings { unread: vec![btc()], ..Findings::default() });
    // of what the books neither hold nor trade there is nothing to compare
    let mut all = seen(&[shib]);
    all.balances = Some(stage.balances());
    assert_eq!(stage.compare(&all), Findings { balanced: true, ..Findings::default() });
    // what can be read is compared all the same
    let mut more = seen(&[btc()]);
    *more.balances.as_mut().unwrap().get_mut(&usdt()).unwrap() += 1;
    let findings = stage.compare(&more);
    assert_eq!((findings.drifts[0].what.as_str(), findings.off), ("balance USDT", vec![(usdt(), 1)]));
}

#[test]
fn b12_one_unit_is_a_difference_and_the_third_in_a_row_allows_only_what_reduces() {
    let mut stage = Stage::new(4);
    let id = stage.working(Side::Buy, 200, "7");
    let fill = stage.fill(id, Side::Buy, 200);
    stage.say(EventKind::Filled(fill));
    let mut balances = stage.balances();
    *balances.get_mut(&btc()).unwrap() += 1; // one unit of 10⁻⁸: nothing rounds here, so it is a difference
    let seen = Seen { balances: Some(balances), ..Seen::default() };
    for round in 1..=3 {
        assert_eq!(stage.state.reduce_only, None, "before round {round}");
        let drifts = stage.compare(&seen).drifts;
        assert_eq!((drifts.len(), drifts[0].what.as_str()), (1, "balance BTC"));
        stage.say(EventKind::Compared { through: at(5), drifts, at_start: false });
        if round == 1 {
            stage.say(EventKind::Compared { through: at(5), drifts: vec![], at_start: false });
            assert_eq!(stage.state.drifting, 0, "agreement ends the row");
            let drifts = stage.compare(&seen).drifts;
            stage.say(EventKind::Compared { through: at(5), drifts, at_start: false });
        }
    }
    assert!(stage.state.reduce_only.as_deref().unwrap().starts_with("balance BTC is 0.02 here and 0.02000001"));
    assert_eq!(stage.propose(Source::Operator, Side::Buy, 100, 10_000), Err(Guard::Restricted));
    assert_eq!(stage.propose(Source::Strategy(0), Side::Sell, 300, 10_000), Err(Guard::Restricted));
    assert!(stage.propose(Source::Strategy(0), Side::Sell, 100, 10_000).is_ok(), "what reduces passes");
    // a person takes the venue's word
    stage.say(EventKind::Adjusted { money: Money { currency: btc(), units: 1 }, reason: "dust".into() });
    stage.say(EventKind::Resumed { reason: "adopted".into() });
    assert_eq!((&stage.state.reduce_only, stage.state.drifting), (&None, 0));
    assert_eq!(stage.compare(&seen).drifts, []);
}

#[test]
fn at_the_start_the_first_difference_counts_but_rounding_and_dust_are_none() {
    // price and quantity together have more decimals than the ledger: each fill may round by a unit
    let mut stage = Stage::new(8);
    let id = stage.working(Side::Buy, 200, "7");
    let fill = stage.fill(id, Side::Buy, 200);
    stage.say(EventKind::Filled(fill));
    let mut balances = stage.balances();
    *balances.get_mut(&usdt()).unwrap() -= 1;
    *balances.get_mut(&btc()).unwrap() -= 9; // less than a lot of ten
    let seen = Seen { at_start: true, balances: Some(balances.clone()), ..Seen::default() };
    let findings = stage.compare(&seen);
    assert_eq!(findings.drifts, []);
    assert_eq!(findings.explained, ["balance BTC: -0.00000009 is dust", "balance USDT: -0.00000001 by rounding"]);
    *balances.get_mut(&usdt()).unwrap() -= 1;
    let drifts = stage.compare(&Seen { balances: Some(balances), ..seen }).drifts;
    assert_eq!(drifts.len(), 1, "two units are no rounding of one fill");
    stage.say(EventKind::Compared { through: at(5), drifts, at_start: true });
    assert!(stage.state.reduce_only.is_some());
}

#[test]
fn while_an_outcome_is_unknown_its_money_is_nobodys_drift() {
    let mut stage = Stage::new(4);
    let id = stage.propose(Source::Operator, Side::Buy, 100, 10_000).unwrap();
    stage.say(EventKind::AnswerLost { client_id: id, reason: "cut".into() });
    let mut balances = stage.balances();
    *balances.get_mut(&usdt()).unwrap() -= 100_000_000;
    let seen = Seen { balances: Some(balances), ..Seen::default() };
    assert_eq!(stage.compare(&seen).drifts, []);
    stage.say(EventKind::Expired { client_id: id, evidence: None });
    assert_eq!(stage.compare(&seen).drifts.len(), 1);
}

#[test]
fn b14_a_history_shorter_than_our_absence_is_a_gap_that_only_a_person_closes() {
    let mut stage = Stage::new(4);
    stage.say(EventKind::Compared { through: at(50_000), drifts: vec![], at_start: false });
    let seen = |from| Seen { trades_from: at(from), asked: at(90_000), ..Seen::default() };
    assert_eq!(stage.compare(&seen(49_000)), Findings::default());
    let findings = stage.compare(&seen(60_000));
    assert_eq!(findings.facts, [(at(90_000), EventKind::GapFound { from: at(50_000), to: at(60_000) })]);
    stage.record(findings);
    assert_eq!(stage.propose(Source::Operator, Side::Buy, 100, 10_000), Err(Guard::Restricted));
    stage.say(EventKind::Compared { through: at(99_000), drifts: vec![], at_start: false });
    assert!(stage.state.reduce_only.is_some(), "only a person clears it");
    stage.say(EventKind::Resumed { reason: "I looked at the venue".into() });
    assert!(stage.propose(Source::Operator, Side::Buy, 100, 10_000).is_ok());
}

#[test]
fn an_order_of_this_program_that_the_journal_does_not_know_means_a_restored_backup() {
    let stage = Stage::new(4);
    let ours = ClientOrderId::derive(at(1), Incarnation(7), PortfolioId(0), 3).to_string();
    let open = vec![stage.order(&ours, "9", 100, 0, true)];
    let findings = stage.compare(&Seen { open, at_start: true, ..Seen::default() });
    assert_eq!(findings.drifts.len(), 1);
    assert!(findings.drifts[0].ours.contains("restored backup"), "{:?}", findings.drifts);
    assert!(matches!(findings.facts[..], [(_, EventKind::Foreign(_))]), "and it counts");
}

#[test]
fn positions_of_contracts_are_compared_too() {
    let mut stage = Stage::new(4);
    let spec = InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        ..InstrumentSpec::spot("BTC/USDT:USDT".parse().unwrap(), "test")
    };
    stage.say(EventKind::Listed(Box::new(spec.list(InstrumentId(1)).unwrap())));
    let seen =
        |units| Seen { positions: Some([(InstrumentId(1), Quantity::from_mantissa(units))].into()), ..Seen::default() };
    assert_eq!(stage.compare(&seen(0)).drifts, []);
    assert_eq!(stage.compare(&seen(5)).drifts[0].what, "position BTC/USDT:USDT");
}

#[test]
fn a15_an_order_that_is_listed_in_another_quantity_is_asked_about_unless_its_change_is_on_its_way() {
    let mut stage = Stage::new(8);
    let ours = stage.working(Side::Buy, 100, "1");
    let listed = |units| Seen { open: vec![stage.order(&ours.to_string(), "1", units, 0, true)], ..Seen::default() };
    let (same, smaller) = (listed(100), listed(40));
    assert!(stage.compare(&same).doubtful.is_empty());
    assert_eq!(stage.compare(&smaller).doubtful, [ours], "the word of the change was lost");
    let basis = Basis::of(&stage.state);
    let quantity = Quantity::from_mantissa(40);
    stage.say(EventKind::Amend { client_id: ours, said: Amend::Sent { quantity } });
    assert!(stage.compare(&smaller).doubtful.is_empty(), "its own inquiry asks");
    stage.say(EventKind::Amend { client_id: ours, said: Amend::Confirmed { quantity } });
    assert!(compare(&stage.state, &basis, &same).doubtful.is_empty(), "the list is older than the change");
    assert!(stage.compare(&smaller).doubtful.is_empty());
    assert_eq!(stage.compare(&Seen::default()).doubtful, [ours], "it is gone");
}

#[test]
fn a15_an_order_that_is_gone_while_its_change_is_on_its_way_is_asked_about() {
    let mut stage = Stage::new(8);
    let ours = stage.working(Side::Buy, 100, "1");
    let quantity = Quantity::from_mantissa(40);
    stage.say(EventKind::Amend { client_id: ours, said: Amend::Sent { quantity } });
    assert_eq!(stage.compare(&Seen::default()).doubtful, [ours]);
}

#[test]
fn what_moves_a_balance_is_told_by_the_event() {
    let [bnb, eur] = ["BNB", "EUR"].map(|it| Currency::new(it).unwrap());
    let it = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test").list(InstrumentId(0)).unwrap();
    let mut state = State::default();
    apply(&mut state, &Event::new(1, at(0), Source::Host, EventKind::Listed(Box::new(it))));
    let money = Money { currency: eur, units: 7 };
    let fill = Fill {
        client_id: ClientOrderId::from_u128(1),
        instrument: InstrumentId(0),
        trade_id: TradeId(1),
        side: Side::Buy,
        price: Price::from_mantissa(1),
        quantity: Quantity::from_mantissa(1),
        liquidity: Liquidity::Maker,
        fee: Fee(Money { currency: bnb, units: 1 }),
    };
    for (kind, want) in [
        (EventKind::Deposited(money), vec![eur]),
        (EventKind::Adjusted { money, reason: "a test".into() }, vec![eur]),
        (EventKind::Filled(fill), vec![usdt(), btc(), bnb]),
        (EventKind::ForeignFilled(fill), vec![usdt(), btc(), bnb]),
        (EventKind::Reversed(fill), vec![usdt(), btc(), bnb]),
        (EventKind::Timer, vec![]),
    ] {
        let all = [usdt(), btc(), bnb, eur];
        let moved: Vec<Currency> = all.into_iter().filter(|it| moves_balance(&state, &kind, *it)).collect();
        assert_eq!(moved, want, "{kind:?}");
    }
}
