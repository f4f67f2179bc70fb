//! What the books make of reports, of other hands and of terms that change under them.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::Plan;
use tradewind_engine::*;
use tradewind_gate::{Cap, Limits, Proposal};

const ETH: InstrumentId = InstrumentId(1);
/// Research without a cap on orders and positions, where a portfolio may be short.
pub(crate) const WIDE: Limits =
    Limits { max_order: Cap::NONE, max_position: Cap::NONE, borrow: true, ..Limits::RESEARCH };

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Folds one more event into a copy of the state, without the stage's judge: for what its simple books do not know.
fn folded(stage: &Stage, portfolio: u16, kinds: impl IntoIterator<Item = EventKind>) -> State {
    let mut state = stage.state.clone();
    for kind in kinds {
        let mut event = Event::new(state.sequence + 1, at(stage.millis), Source::Venue, kind);
        event.portfolio = PortfolioId(portfolio);
        apply(&mut state, &event);
    }
    state
}

#[test]
fn words_about_an_order_that_nobody_knows_are_counted_and_change_nothing() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let client_id = ClientOrderId::from_u128(4_711);
    let venue_id = VenueOrderId("9".into());
    for (nth, kind) in [
        EventKind::Sent { client_id },
        EventKind::Accepted { client_id, venue_id },
        EventKind::Rejected { client_id, reason: "-2010".into() },
        EventKind::Cancelled { client_id, reason: "on request".into() },
        EventKind::CancelRefused { client_id, reason: "unknown order".into() },
    ]
    .into_iter()
    .enumerate()
    {
        stage.venue(kind);
        assert_eq!(stage.state.counters.contradictions, nth as u64 + 1);
    }
    assert!(stage.state.open.is_empty() && stage.state.closed.is_empty() && stage.state.halted.is_none());
    stage.check_journal();
}

#[test]
fn an_execution_of_an_order_that_nobody_knows_is_booked_where_it_was_reported_and_halts() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let fill = stage.execution(ClientOrderId::from_u128(4_711), 1_000, MARK);
    stage.say_for(PortfolioId(1), Source::Venue, EventKind::Filled(fill));
    let held = |portfolio| stage.state.portfolio(PortfolioId(portfolio)).position(BTC).quantity();
    assert_eq!((held(0), held(1)), (lots(0), lots(1_000)), "the venue moved that money");
    assert!(stage.state.halted.as_deref().unwrap().starts_with("a fill of the unknown order"));
    assert_eq!(stage.state.counters.contradictions, 1);
}

#[test]
fn an_execution_that_contradicts_its_order_halts_in_words_for_people() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let client_id = stage.propose(limit(Side::Buy, 1_000, 9_900)).unwrap();
    stage.venue(EventKind::Rejected { client_id, reason: "-2010".into() });
    let fill = stage.execution(client_id, 1_000, 9_900);
    let state = folded(&stage, 0, [EventKind::Filled(fill)]);
    let told =
        format!("execution {} of order {client_id}: an order that was rejected cannot be filled", fill.trade_id.0);
    assert_eq!(state.halted.as_deref(), Some(told.as_str()));
}

#[test]
fn decisions_are_counted_by_what_they_want() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let wants = [DecisionKind::Sell, DecisionKind::Hold, DecisionKind::Sell, DecisionKind::Buy, DecisionKind::Sell];
    for kind in wants {
        let decider = "ema-trend".to_owned();
        let decision = Decision {
            instrument: BTC,
            decider,
            kind,
            target: None,
            reason: "a test".into(),
            tag: None,
            signals: Vec::new(),
            version: None,
            forecast: None,
        };
        stage.say_for(PortfolioId(0), Source::Strategy(0), EventKind::Decided(Box::new(decision)));
    }
    let counters = stage.state.counters;
    assert_eq!((counters.buy, counters.sell, counters.hold), (1, 3, 1));
}

#[test]
fn a_quote_gives_the_first_mark_and_afterwards_only_keeps_it_fresh() {
    let mut stage = Stage::new(Limits::RESEARCH);
    list(&mut stage, ETH, "ETH/USDT");
    let quoted = |stage: &mut Stage, instrument, bid: i64, ask: i64| {
        let size = lots(1);
        let quote = Quote { instrument, bid: price(bid), bid_size: size, ask: price(ask), ask_size: size };
        stage.say_for(PortfolioId(0), Source::Market, EventKind::Quoted { quote, origin: Origin::Live, marks: false });
    };
    let mark = |stage: &Stage, id| stage.state.listing(id).mark.map(|mark| (mark.price, mark.at));
    stage.millis = 5;
    quoted(&mut stage, ETH, 4_000, 4_010);
    assert_eq!(mark(&stage, ETH), Some((price(4_005), at(5))), "the middle");
    stage.millis = 9;
    quoted(&mut stage, ETH, 5_000, 5_010);
    quoted(&mut stage, BTC, 9_000, 9_010);
    assert_eq!(mark(&stage, ETH), Some((price(4_005), at(9))));
    assert_eq!(mark(&stage, BTC), Some((price(MARK), at(9))), "that of the trade, and fresh");
}

#[test]
fn a_difference_of_an_old_journal_halts_and_the_first_reason_stays() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let drift = |what: &str| Drift { what: what.to_owned(), ours: "1".to_owned(), venue: "2".to_owned() };
    stage.host(EventKind::Reconciled { drifts: Vec::new() });
    assert_eq!(stage.state.halted, None);
    for what in ["balance BTC", "balance USDT"] {
        stage.host(EventKind::Reconciled { drifts: vec![drift(what)] });
    }
    assert_eq!(stage.state.halted.as_deref(), Some("balance BTC is 1 here and 2 at the venue"));
}

#[test]
fn a_restriction_cancels_what_adds_and_its_first_reason_stays() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let [entry, exit] = [limit(Side::Buy, 500, 9_900), limit(Side::Sell, 1_000, 10_100)].map(|it| stage.working(it));
    for reason in ["an announcement", "another"] {
        stage.operator(EventKind::Restricted { reason: reason.to_owned() });
    }
    assert_eq!(stage.state.reduce_only.as_deref(), Some("an announcement"));
    assert_eq!(stage.cancels, [entry], "{exit} reduces");
    assert_eq!(stage.propose(market(Side::Buy, 100)), None);
    assert!(stage.last_refusal().starts_with("GATE-13"), "{}", stage.last_refusal());
    stage.check_journal();
}

#[test]
fn a_payment_of_funding_past_the_ledger_is_not_booked_and_halts() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let cash = stage.state.portfolio(PortfolioId(0)).units(usdt());
    stage.venue(EventKind::Funding { instrument: BTC, rate_e8: i64::MAX, mark: price(i64::MAX) });
    assert_eq!(stage.state.portfolio(PortfolioId(0)).units(usdt()), cash);
    assert_eq!(stage.state.halted.as_deref(), Some("a funding payment is past the ledger"));
    assert_eq!(stage.state.counters.contradictions, 1);
}

#[test]
fn the_window_of_a_request_is_kept_with_its_order_and_bounds_the_inquiry() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let client_id = stage.propose(limit(Side::Buy, 1_000, 9_900)).unwrap();
    let intent = Intent { client_id, body_sha256: String::new(), fence: at(7_000), not_before: Some(at(4_000)) };
    stage.host(EventKind::Intended(intent));
    let policy = EvidencePolicy::BINANCE_SPOT;
    let inquiry = Inquiry::new(&stage.state.open[&client_id], Doubt::Order, policy, at(5_000), 0);
    assert_eq!((inquiry.client_id(), inquiry.instrument(), inquiry.doubt()), (client_id, BTC, Doubt::Order));
    assert_eq!((inquiry.not_before(), inquiry.quiet()), (at(4_000), at(17_000)));
    stage.check_journal();
}

#[test]
fn an_order_good_till_a_moment_is_cancelled_at_that_moment_and_once() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let till = OrderRequest { time_in_force: TimeInForce::Gtd(at(1_000)), ..limit(Side::Buy, 1_000, 9_900) };
    let id = stage.working(till);
    for (millis, cancels) in [(999, 0), (1_000, 1), (2_000, 1)] {
        stage.millis = millis;
        stage.host(EventKind::Timer);
        assert_eq!(stage.cancels.len(), cancels, "at {millis} ms");
    }
    assert_eq!(stage.cancels, [id]);
    stage.check_journal();
}

#[test]
fn the_cancel_of_an_expired_order_is_asked_for_ever_later_until_it_is_over() {
    for is_unknown in [false, true] {
        let mut stage = Stage::new(Limits::RESEARCH);
        let till = OrderRequest { time_in_force: TimeInForce::Gtd(at(1_000)), ..limit(Side::Buy, 1_000, 9_900) };
        let id = if is_unknown { stage.propose(till).unwrap() } else { stage.working(till) };
        if is_unknown {
            stage.host(EventKind::Sent { client_id: id });
            stage.venue(EventKind::AnswerLost { client_id: id, reason: "timed out".into() });
        }
        let mut asked = Vec::new();
        for second in 0..300 {
            stage.millis = second * 1_000;
            let before = stage.cancels.len();
            stage.host(EventKind::Timer);
            if stage.cancels.len() > before {
                asked.push(second);
                stage.venue(EventKind::CancelRefused { client_id: id, reason: "not now".into() });
            }
        }
        assert_eq!(asked, [1, 6, 11, 21, 41, 81, 141, 201, 261], "unknown: {is_unknown}");
        stage.venue(EventKind::Cancelled { client_id: id, reason: "on request".into() });
        assert_eq!(stage.status(id), "expired");
        stage.check_journal();
    }
}

#[test]
fn an_order_cancelled_before_its_date_is_cancelled() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let till = OrderRequest { time_in_force: TimeInForce::Gtd(at(1_000)), ..limit(Side::Buy, 1_000, 9_900) };
    let id = stage.working(till);
    stage.millis = 999;
    stage.venue(EventKind::Cancelled { client_id: id, reason: "on request".into() });
    assert_eq!(stage.status(id), "canceled");
}

#[test]
fn an_execution_that_no_book_holds_halts_and_ends_nothing() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.is_unjudged = true;
    stage.holding(1_000);
    let id = stage.working(limit(Side::Buy, 1_000, 9_900));
    let fill = Fill { quantity: lots(i64::MAX), ..stage.execution(id, 1, MARK) };
    stage.venue(EventKind::Filled(fill));
    stage.venue(EventKind::Filled(fill));
    assert_eq!((stage.position(), stage.status(id)), (1_000, "open"));
    assert_eq!((stage.state.counters.contradictions, stage.state.counters.duplicates), (1, 1));
    let halted = stage.state.halted.clone().unwrap();
    assert!(halted.ends_with("in BTC/USDT is too large for the books"), "{halted}");
    stage.check_journal();
}

#[test]
fn orders_of_other_hands_that_no_quantity_holds_together_count_as_the_largest_there_is() {
    let mut stage = Stage::new(Limits::RESEARCH);
    for number in ["1", "2", "3"] {
        let (client_id, venue_id) = (ClientOrderId::foreign("test", "BTCUSDT", number), VenueOrderId(number.into()));
        let filled = -5; // as an older program may have recorded it
        let order = foreign_order(BTC, Side::Buy, i64::MAX, filled);
        let order = ForeignOrder { client_id, venue_id, price: None, ..order };
        stage.venue(EventKind::Foreign(Box::new(order)));
    }
    let most = ForeignExposure { buys: lots(i64::MAX), sells: lots(0) };
    assert_eq!(stage.state.foreign_exposure(BTC), most);
    assert_eq!(stage.propose(market(Side::Buy, 1_000)), None);
    stage.check_journal();
}

#[test]
fn while_its_venue_pauses_an_instrument_orders_stay_and_only_what_reduces_goes() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let resting = stage.working(limit(Side::Buy, 100, 9_900));
    let status = |status| EventKind::ListingChanged { instrument: BTC, status };
    stage.venue(status(ListingStatus::Paused));
    assert!(stage.cancels.is_empty() && stage.state.open.contains_key(&resting));
    assert_eq!(stage.propose(market(Side::Buy, 100)), None);
    assert!(stage.last_refusal().contains("the venue has paused the instrument"), "{}", stage.last_refusal());
    assert!(stage.propose(market(Side::Sell, 1_000)).is_some());
    stage.venue(status(ListingStatus::Trading));
    assert!(stage.propose(market(Side::Buy, 100)).is_some());
    stage.check_journal();
}

#[test]
fn an_order_that_sells_all_there_is_may_be_replaced_by_one_that_does_too() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let old = stage.working(limit(Side::Sell, 1_000, 10_100));
    assert_eq!(stage.propose(limit(Side::Sell, 1_000, 10_050)), None, "beside it there is nothing left to sell");
    stage.wish(limit(Side::Sell, 1_000, 10_050), Plan::Replace { old });
    assert_eq!(stage.cancels, [old], "{}", stage.last_refusal());
    stage.check_journal();
}

#[test]
fn a_contract_reserves_no_cash_of_a_spot_order() {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, ..Limits::RESEARCH });
    perpetual(&mut stage, "BTC/USDT:USDT");
    let contract = OrderRequest { instrument: ETH, ..limit(Side::Buy, 900_000, 10_000) };
    assert!(stage.propose(contract).is_some(), "{}", stage.last_refusal());
    assert!(stage.propose(limit(Side::Buy, 990_000, 10_000)).is_some(), "{}", stage.last_refusal());
    assert_eq!(stage.propose(limit(Side::Buy, 20_000, 10_000)), None, "another spot order does");
    assert!(stage.last_refusal().starts_with("GATE-09"), "{}", stage.last_refusal());
}

#[test]
fn a_quantity_confirmed_below_what_filled_is_a_contradiction_and_no_smaller_order() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.judge.overfills = true;
    let client_id = stage.working(limit(Side::Buy, 1_000, 9_900));
    stage.fill(client_id, 600, 9_900);
    let said = |said| EventKind::Amend { client_id, said };
    stage.host(said(Amend::Sent { quantity: lots(700) }));
    stage.venue(said(Amend::Confirmed { quantity: lots(500) }));
    assert_eq!(stage.state.counters.contradictions, 1);
    assert_eq!(stage.state.open[&client_id].order.quantity(), lots(1_000), "what was confirmed last still counts");
    assert!(stage.state.amending.is_empty());
}

#[test]
fn terms_that_the_venue_changed_keep_the_kind_of_the_order() {
    let stop = OrderKind::StopLimit { trigger: price(10_500), price: price(10_600) };
    let touched = OrderKind::LimitTouched { trigger: price(9_500), price: price(9_600) };
    for (kind, told, want) in [
        (OrderKind::Limit { price: price(9_900) }, Some(9_800), OrderKind::Limit { price: price(9_800) }),
        (stop, Some(10_700), OrderKind::StopLimit { trigger: price(10_500), price: price(10_700) }),
        (touched, Some(9_700), OrderKind::LimitTouched { trigger: price(9_500), price: price(9_700) }),
        (stop, None, stop),
        (OrderKind::Stop { trigger: price(10_500) }, Some(10_700), OrderKind::Stop { trigger: price(10_500) }),
    ] {
        let mut stage = Stage::new(Limits::RESEARCH);
        let native = NativeKinds::ALL;
        let spec = InstrumentSpec { native, ..stage.state.listing(BTC).instrument.spec.clone() };
        stage.host(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
        let client_id = stage.propose(OrderRequest { kind, ..market(Side::Buy, 1_000) });
        let client_id = client_id.unwrap_or_else(|| panic!("{kind:?}: {}", stage.last_refusal()));
        stage.accept(client_id);
        stage.venue(EventKind::Reworked { client_id, price: told.map(price), quantity: lots(900) });
        let order = stage.state.open[&client_id].order;
        assert_eq!((*order.kind(), order.quantity()), (want, lots(900)));
        stage.check_journal();
    }
}

/// An order of another hand that is open at 100.
pub(crate) fn foreign_order(instrument: InstrumentId, side: Side, quantity: i64, filled: i64) -> ForeignOrder {
    ForeignOrder {
        client_id: ClientOrderId::foreign("test", &instrument.0.to_string(), "77"),
        client_text: "by hand".to_owned(),
        venue_id: VenueOrderId("77".into()),
        instrument,
        side,
        price: Some(price(MARK)),
        quantity: lots(quantity),
        filled: lots(filled),
        earlier: lots(0),
        open: true,
        waits: false,
        terms: VenueTerms::default(),
    }
}

#[test]
fn what_another_hand_sells_counts_and_is_not_ours_to_sell() {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, ..Limits::RESEARCH });
    stage.holding(1_000);
    let order = foreign_order(BTC, Side::Sell, 300, 100);
    let executed = Fill { side: Side::Sell, ..stage.execution(order.client_id, 100, MARK) };
    stage.venue(EventKind::Foreign(Box::new(order)));
    for _ in 0..2 {
        stage.venue(EventKind::ForeignFilled(executed));
    }
    assert_eq!(stage.state.counters.duplicates, 1, "told twice, counted once");
    assert_eq!(stage.state.foreign_exposure(BTC), ForeignExposure { buys: lots(0), sells: lots(300) });
    assert_eq!(stage.state.foreign_units(Currency::new("BTC").unwrap()), -1_000_000, "0.01 of a coin are gone");
    let propose = |stage: &mut Stage, quantity| {
        let before = stage.sent.len();
        let request = limit(Side::Sell, quantity, 10_100);
        let reason = "test".into();
        let proposal = Proposal { plan: None, source: Source::Operator, portfolio: PortfolioId(0), request, reason };
        stage.operator(EventKind::Proposed(proposal));
        stage.sent.len() > before
    };
    assert!(!propose(&mut stage, 701) && stage.last_refusal().starts_with("GATE-09"), "{}", stage.last_refusal());
    assert!(propose(&mut stage, 700), "{}", stage.last_refusal());
}

#[test]
fn another_hand_in_contracts_moves_only_its_fee_and_holds_no_cash() {
    let mut stage = Stage::new(Limits::RESEARCH);
    perpetual(&mut stage, "BTC/USDT:USDT");
    let order = foreign_order(ETH, Side::Buy, 500_000, 400_000);
    let fee = Fee(Money::parse("0.4", usdt()).unwrap());
    let executed = Fill { instrument: ETH, fee, ..stage.execution(order.client_id, 400_000, MARK) };
    stage.venue(EventKind::Foreign(Box::new(order)));
    stage.venue(EventKind::ForeignFilled(executed));
    assert_eq!(stage.state.foreign_units(usdt()), -40_000_000);
    assert_eq!(stage.state.foreign_units(btc()), 0);
    assert!(
        stage.propose(market(Side::Buy, 999_900)).is_some(),
        "9,999 of 10,000 less a fee: {}",
        stage.last_refusal()
    );
    assert_eq!(stage.propose(market(Side::Buy, 100)), None);
}

#[test]
fn an_adopted_order_is_ours_with_all_that_happens_to_it() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let mut order = foreign_order(BTC, Side::Buy, 1_000, 0);
    let (client_id, venue_id) = (order.client_id, order.venue_id.clone());
    stage.venue(EventKind::Foreign(Box::new(order.clone())));
    let request = limit(Side::Buy, 1_000, MARK);
    let adoption = Adoption { order: Order::as_worked(PortfolioId(1), client_id, request), venue_id, earlier: lots(0) };
    stage.operator(EventKind::Adopted(Box::new(adoption)));
    assert_eq!((stage.status(client_id), stage.state.foreign.len()), ("open", 0));
    let fill = stage.execution(client_id, 400, MARK);
    // reported once more as another's, as by a comparison that was under way
    let state = folded(&stage, 0, [EventKind::ForeignFilled(fill)]);
    assert_eq!(state.portfolio(PortfolioId(1)).position(BTC).quantity(), lots(400));
    assert!(state.foreign_fills.is_empty());
    order.open = false;
    let over = EventKind::Foreign(Box::new(order));
    let state = folded(&stage, 0, [over.clone(), over]);
    assert_eq!(state.order(client_id).unwrap().status(), "canceled");
    assert_eq!(state.counters.contradictions, 0, "told twice, and no contradiction");
}

#[test]
fn another_hands_order_is_adopted_as_what_it_waits_for_or_as_what_has_become_of_that() {
    let [trigger, at] = [9_500, 9_400].map(price);
    let stop = OrderKind::StopLimit { trigger, price: at };
    let trailing = OrderKind::Trailing { offset: TrailingOffset::Bps(100), activation: None };
    let kind = |(known, limit): (Option<OrderKind>, Option<Price>), open: bool, waits: bool| {
        let terms = VenueTerms { kind: known, ..VenueTerms::default() };
        ForeignOrder { price: limit, open, waits, terms, ..foreign_order(BTC, Side::Sell, 100, 0) }.kind()
    };
    let plain = OrderKind::Limit { price: at };
    assert_eq!(kind((Some(stop), Some(at)), true, true), Some(stop));
    assert_eq!(kind((Some(stop), Some(at)), true, false), Some(plain), "it woke");
    assert_eq!(kind((Some(stop), Some(at)), false, false), Some(stop), "it is over");
    assert_eq!(kind((Some(trailing), None), true, true), Some(trailing));
    assert_eq!(kind((Some(trailing), None), true, false), Some(OrderKind::Market));
    assert_eq!(kind((None, Some(at)), true, false), Some(plain));
    assert_eq!(kind((None, None), true, false), Some(OrderKind::Market));
    assert_eq!(kind((None, Some(at)), true, true), None, "an older journal does not tell what it waits for");
    let other = Some("STOP_LOSS_LIMIT with trailingDelta 50".to_owned());
    let terms = VenueTerms { other, ..VenueTerms::default() };
    let strange = ForeignOrder { terms, ..foreign_order(BTC, Side::Sell, 100, 40) };
    assert_eq!(strange.kind(), None);
    assert_eq!(ForeignOrder { open: false, ..strange }.kind(), Some(OrderKind::Limit { price: price(MARK) }));
}

#[test]
fn orders_of_one_list_are_adopted_as_one_group_and_only_reduce_what_is_held() {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, ..Limits::RESEARCH });
    stage.holding(1_000);
    let of = |number: &str, side, quantity, list| ForeignOrder {
        venue_id: VenueOrderId(number.into()),
        terms: VenueTerms { list, ..VenueTerms::default() },
        ..foreign_order(BTC, side, quantity, 0)
    };
    let orders = [
        of("1", Side::Sell, 1_000, Some(7)),
        of("2", Side::Sell, 1_000, Some(7)),
        of("3", Side::Sell, 1_000, Some(8)),
        of("4", Side::Sell, 1_001, None),
        of("5", Side::Buy, 1_000, None),
    ];
    let groups = stage.state.groups_of(&orders);
    let adopted = orders.each_ref().map(|it| {
        let adoption = stage.state.adoption(PortfolioId(0), it, &groups).unwrap();
        let request = *adoption.order.request();
        assert_eq!((adoption.venue_id, request.quantity), (it.venue_id.clone(), it.quantity));
        (request.oco, request.reduce_only)
    });
    assert!(adopted[0].0.is_some() && adopted[0] == adopted[1] && adopted[2].0.is_some(), "{adopted:?}");
    assert_ne!(adopted[0].0, adopted[2].0, "another list");
    assert_eq!(adopted.map(|it| it.1), [true, true, true, false, false]);
    assert_eq!([adopted[3].0, adopted[4].0], [None, None]);
    // what was there before anything was traded is sold as well
    let coins = EventKind::Deposited(Money::parse("1", Currency::new("BTC").unwrap()).unwrap());
    let adoption = folded(&stage, 0, [coins]).adoption(PortfolioId(0), &orders[3], &groups).unwrap();
    assert!(adoption.order.request().reduce_only);
    // an entry and what leaves it again are of one list, and neither takes the other off
    let [entry, exit] = [of("6", Side::Buy, 1_000, Some(9)), of("7", Side::Sell, 1_000, Some(9))];
    let groups = stage.state.groups_of([&entry, &exit]);
    let group = |it| stage.state.adoption(PortfolioId(0), it, &groups).unwrap().order.request().oco;
    assert!(entry.is_listed_with(&exit) && group(&entry) != group(&exit));
}

/// Another instrument of the venue.
pub(crate) fn list(stage: &mut Stage, id: InstrumentId, symbol: &str) {
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
    };
    stage.host(EventKind::Listed(Box::new(spec.list(id).unwrap())));
}

/// A perpetual at 100, as the second instrument.
pub(crate) fn perpetual(stage: &mut Stage, symbol: &str) {
    let spec = InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
    };
    stage.host(EventKind::Listed(Box::new(spec.list(ETH).unwrap())));
    let trade = Trade { instrument: ETH, price: price(MARK), quantity: lots(1), aggressor: Side::Buy, id: TradeId(1) };
    stage.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
}
