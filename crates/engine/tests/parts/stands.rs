//! What stands for what: what open orders hold of the funds, what counts as protection, what equity is counted in, and
//! which orders go when their instrument does.

use crate::orders::{WIDE, foreign_order, list};
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{ParentEvent, ParentId, ParentState, Plan, Protection, Rung, Schedule};
use tradewind_engine::*;
use tradewind_gate::{Cap, Limits};
use tradewind_risk::{AccountCaps, AccountLimits, Controls};

const MAIN: PortfolioId = PortfolioId(0);
const SECOND: InstrumentId = InstrumentId(1);
const THIRD: InstrumentId = InstrumentId(2);
const MINUTE: i64 = 60_000;

fn money(amount: &str, currency: Currency) -> Money {
    Money::parse(amount, currency).unwrap()
}

fn slices(stage: &Stage, count: u32) -> Plan {
    Plan::Schedule(Schedule::even(Timestamp::from_millis(stage.millis), i64::from(count) * 10_000_000_000, count))
}

/// Another instrument of this kind at 100.
fn listed(stage: &mut Stage, id: InstrumentId, symbol: &str, kind: InstrumentKind, multiplier: (i64, u8)) {
    let spec = InstrumentSpec {
        kind,
        price_decimals: 2,
        quantity_decimals: 4,
        multiplier,
        ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
    };
    stage.host(EventKind::Listed(Box::new(spec.list(id).unwrap())));
    trades_at(stage, id, MARK);
}

fn trades_at(stage: &mut Stage, instrument: InstrumentId, at: i64) {
    let id = TradeId(1_000_000 + u128::from(stage.state.sequence));
    let trade = Trade { instrument, price: price(at), quantity: lots(1), aggressor: Side::Buy, id };
    stage.say_for(MAIN, Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
}

/// So much of an instrument that trades at 100.
fn holding(stage: &mut Stage, portfolio: u16, instrument: InstrumentId, quantity: i64) {
    let request = OrderRequest { instrument, ..market(Side::Buy, quantity) };
    let id = stage.propose_for(portfolio, request).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    let whole = stage.execution(id, quantity, MARK);
    stage.say_for(PortfolioId(portfolio), Source::Venue, EventKind::Filled(Fill { instrument, ..whole }));
}

fn with_fees(stage: &mut Stage, taker_centi_bps: i32) {
    let mut spec = stage.state.listing(BTC).instrument.spec.clone();
    spec.fees.taker_centi_bps = taker_centi_bps;
    stage.host(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
}

#[test]
fn an_open_sale_holds_what_it_sells_and_nothing_that_another_instrument_is_paid_in() {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, max_position: Cap::NONE, ..Limits::RESEARCH });
    stage.is_unjudged = true; // its books know one instrument
    list(&mut stage, SECOND, "ETH/USDT");
    trades_at(&mut stage, SECOND, MARK);
    holding(&mut stage, 0, BTC, 1_000);
    holding(&mut stage, 0, SECOND, 700);
    let sell = |instrument, quantity| OrderRequest { instrument, ..limit(Side::Sell, quantity, 10_100) };
    assert!(stage.propose(sell(SECOND, 700)).is_some());
    assert!(stage.propose(sell(BTC, 1_000)).is_some(), "{}", stage.last_refusal());
    assert_eq!(stage.propose(sell(BTC, 1)), None);
    // so it is where another hand sells
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, max_position: Cap::NONE, ..Limits::RESEARCH });
    list(&mut stage, SECOND, "ETH/USDT");
    holding(&mut stage, 0, BTC, 1_000);
    stage.venue(EventKind::Foreign(Box::new(foreign_order(SECOND, Side::Sell, 900, 0))));
    assert!(stage.propose(sell(BTC, 1_000)).is_some(), "{}", stage.last_refusal());
}

#[test]
fn an_open_purchase_holds_its_fee_besides_whoever_sent_it() {
    for foreign in [false, true] {
        let mut stage = Stage::new(Limits { max_order: Cap::NONE, max_position: Cap::NONE, ..Limits::RESEARCH });
        with_fees(&mut stage, 1_000); // 10 basis points
        if foreign {
            stage.venue(EventKind::Foreign(Box::new(foreign_order(BTC, Side::Buy, 500_000, 0))));
        } else {
            stage.working(limit(Side::Buy, 500_000, MARK));
        }
        let bought = |stage: &mut Stage, quantity| {
            let before = stage.sent.len();
            let proposal = tradewind_gate::Proposal {
                plan: None,
                source: Source::Operator,
                portfolio: MAIN,
                request: limit(Side::Buy, quantity, MARK),
                reason: "test".into(),
            };
            stage.operator(EventKind::Proposed(proposal));
            stage.sent.len() > before
        };
        // 5,000 and a fee of 5 are held, so 4,995 are free
        assert!(!bought(&mut stage, 499_600));
        assert!(stage.last_refusal().starts_with("GATE-09"), "{}", stage.last_refusal());
        assert!(bought(&mut stage, 498_000), "{}", stage.last_refusal());
    }
}

#[test]
fn an_order_to_be_replaced_leaves_its_place_to_the_new_one_on_either_side_and_whatever_is_known_of_it() {
    for side in [Side::Buy, Side::Sell] {
        // 2,500 a position: 1,000 stand beside what is replaced
        let mut stage = Stage::new(Limits { borrow: true, ..TIGHT });
        let (near, far) = if side == Side::Buy { (9_900, 9_800) } else { (10_100, 10_200) };
        stage.working(limit(side, 90_000, near));
        let old = stage.working(limit(side, 90_000, near));
        stage.wish(limit(side, 90_000, far), Plan::Replace { old });
        assert_eq!(stage.cancels, [old], "{side:?}: {}", stage.last_refusal());
    }
    let mut stage = Stage::new(Limits::RESEARCH);
    let old = stage.propose(limit(Side::Buy, 1_000, 9_900)).unwrap();
    stage.host(EventKind::Sent { client_id: old });
    stage.host(EventKind::AnswerLost { client_id: old, reason: "cut".into() });
    stage.wish(limit(Side::Buy, 1_000, 9_800), Plan::Replace { old });
    assert!(stage.state.parents.get(ParentId(1)).is_some(), "{}", stage.last_refusal());
    assert_eq!(stage.cancels, [], "once it is known whether there is anything to cancel");
    stage.accept(old);
    assert_eq!(stage.cancels, [old]);
}

#[test]
fn what_is_left_to_replace_is_judged_and_not_the_whole() {
    let mut stage = Stage::new(TIGHT); // 1,000 an order
    let old = stage.working(limit(Side::Buy, 90_000, MARK));
    stage.fill(old, 60_000, MARK);
    stage.wish(limit(Side::Buy, 150_000, MARK), Plan::Replace { old });
    assert_eq!(stage.cancels, [old], "90,000 are left, 900 USDT: {}", stage.last_refusal());
    let mut stage = Stage::new(TIGHT);
    let old = stage.working(limit(Side::Buy, 90_000, MARK));
    stage.wish(limit(Side::Buy, 150_000, MARK), Plan::Replace { old });
    assert_eq!(stage.cancels, [], "1,500 USDT");
}

#[test]
fn a_ladder_is_judged_at_the_price_of_its_first_rung() {
    let opens = |first: i64| {
        let mut stage = Stage::new(TIGHT); // 1,000 an order
        let rungs = [first, 10_000].map(|at| Rung { price: price(at), quantity: lots(60_000) });
        stage.wish(limit(Side::Buy, 120_000, 10_000), Plan::Ladder { rungs: rungs.to_vec() });
        stage.state.parents.get(ParentId(1)).is_some()
    };
    assert!(opens(16_000), "960 USDT");
    assert!(!opens(17_000), "1,020 USDT");
}

#[test]
fn each_child_says_of_which_plan_and_parent_it_is_and_why() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let plan = slices(&stage, 2);
    stage.wish(market(Side::Buy, 1_000), plan);
    let reason = |record: &Vec<u8>| match decode(record).unwrap().kind {
        EventKind::Parent(said) => match *said {
            ParentEvent::Child { proposal, .. } => Some(proposal.reason.into_owned()),
            _ => None,
        },
        _ => None,
    };
    let reasons: Vec<String> = stage.journal.iter().filter_map(reason).collect();
    assert_eq!(reasons, [format!("twap {}, Slice(0): a test", ParentId(1))]);
}

#[test]
fn a_parent_waits_for_a_price_that_is_younger_than_the_limit_on_its_age() {
    for (age, want) in [(9_999, 2), (10_000, 1)] {
        let mut stage = Stage::new(Limits { stale_after_nanos: Some(10_000_000_000), ..Limits::RESEARCH });
        let plan = slices(&stage, 2);
        stage.wish(market(Side::Buy, 1_000), plan);
        let first = stage.sent[0].client_id();
        stage.fill(first, 500, MARK);
        stage.millis = 10_000 - age;
        stage.mark(MARK);
        stage.millis = 10_000;
        stage.host(EventKind::Timer);
        assert_eq!(stage.sent.len(), want, "a price of {age} ms ago");
        assert_eq!(stage.refusals.len(), 0, "it waits rather than be refused: {}", stage.last_refusal());
        stage.check_journal();
    }
}

#[test]
fn under_a_halt_slices_that_only_reduce_wait_too() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let plan = slices(&stage, 2);
    stage.wish(OrderRequest { reduce_only: true, ..market(Side::Sell, 1_000) }, plan);
    assert_eq!(stage.sent.len(), 2, "{}", stage.last_refusal());
    let first = stage.sent[1].client_id();
    stage.accept(first);
    stage.fill(first, 500, MARK);
    stage.operator(EventKind::Halted(Halt { reason: "a person looks".to_owned() }));
    stage.millis = 10_000;
    stage.host(EventKind::Timer);
    assert_eq!(stage.sent.len(), 2);
    stage.operator(EventKind::Resumed { reason: "seen".to_owned() });
    stage.mark(MARK);
    assert_eq!(stage.sent.len(), 3, "{}", stage.last_refusal());
    stage.check_journal();
}

#[test]
fn a_fee_is_taken_from_what_was_bought_with_cash_and_from_nothing_else() {
    let taken = |side: Side, instrument: InstrumentId, fee: Money| {
        let mut stage = Stage::new(WIDE);
        listed(&mut stage, SECOND, "BTC/USDT:USDT", InstrumentKind::LinearPerpetual, (1, 0));
        let plan = slices(&stage, 1);
        stage.wish(OrderRequest { instrument, ..market(side, 1_000) }, plan);
        let id = stage.sent[0].client_id();
        let fill = Fill { instrument, fee: Fee(fee), ..stage.execution(id, 1_000, MARK) };
        let mut state = stage.state.clone(); // the judge's books know no such fees
        let event = Event::new(state.sequence + 1, state.now, Source::Venue, EventKind::Filled(fill));
        apply(&mut state, &event);
        state.parents.get(ParentId(1)).unwrap().children[0].fee_taken.mantissa()
    };
    let coins = |text| money(text, btc());
    assert_eq!(taken(Side::Buy, BTC, coins("0.0002")), 2);
    assert_eq!(taken(Side::Buy, BTC, coins("0.00020001")), 3, "rounded up");
    assert_eq!(taken(Side::Sell, BTC, coins("0.0002")), 0);
    assert_eq!(taken(Side::Buy, BTC, money("0.0002", usdt())), 0);
    assert_eq!(taken(Side::Buy, BTC, coins("-0.0002")), 0, "a rebate is not relied on");
    assert_eq!(taken(Side::Buy, SECOND, coins("0.0002")), 0, "a contract is no coin");
}

#[test]
fn a_delisted_instrument_takes_its_own_orders_with_it_and_asks_for_each_cancel_once() {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, max_position: Cap::NONE, ..Limits::RESEARCH });
    list(&mut stage, SECOND, "ETH/USDT");
    trades_at(&mut stage, SECOND, MARK);
    let one = stage.working(limit(Side::Buy, 1_000, 9_900));
    let going = stage.working(limit(Side::Buy, 1_000, 9_800));
    let other = stage.working(OrderRequest { instrument: SECOND, ..limit(Side::Buy, 1_000, 9_900) });
    stage.operator(EventKind::CancelProposed { client_id: going });
    assert_eq!(stage.cancels, [going]);
    stage.venue(EventKind::ListingChanged { instrument: BTC, status: ListingStatus::Delisted });
    assert_eq!(stage.cancels, [going, one]);
    assert_eq!(stage.status(other), "open");
}

#[test]
fn a_closed_bar_ends_what_was_good_until_then() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let end = Timestamp::from_millis(MINUTE);
    let request = OrderRequest { time_in_force: TimeInForce::Gtd(end), ..limit(Side::Buy, 1_000, 9_900) };
    let id = stage.working(request);
    for (minute, want) in [(0, vec![]), (1, vec![id])] {
        stage.millis = (minute + 1) * MINUTE - i64::from(minute == 0);
        let bar = Bar {
            instrument: BTC,
            interval: Interval::MINUTE,
            open_time: Timestamp::from_millis(minute * MINUTE),
            open: price(MARK),
            high: price(MARK),
            low: price(MARK),
            close: price(MARK),
            volume: lots(1),
        };
        stage.say_for(MAIN, Source::Market, EventKind::BarClosed { bar, origin: Origin::Recorded });
        assert_eq!(stage.cancels, want, "after bar {minute}");
    }
}

#[test]
fn what_can_only_reduce_adds_no_exposure_and_what_turns_a_position_over_does() {
    for (held, side, quantity, want) in [
        (Side::Buy, Side::Sell, 999, false),
        (Side::Buy, Side::Sell, 1_000, false),
        (Side::Buy, Side::Sell, 1_001, true),
        (Side::Buy, Side::Buy, 1, true),
        (Side::Sell, Side::Buy, 999, false),
        (Side::Sell, Side::Buy, 1_000, false),
        (Side::Sell, Side::Buy, 1_001, true),
        (Side::Sell, Side::Sell, 1, true),
    ] {
        let mut stage = Stage::new(WIDE);
        stage.is_unjudged = true;
        let id = stage.propose(market(held, 1_000)).unwrap();
        stage.fill(id, 1_000, MARK);
        let at = if side == Side::Buy { 9_900 } else { 10_100 };
        let open = stage.working(limit(side, quantity, at));
        assert_eq!(stage.state.adds_exposure(&stage.state.open[&open]), want, "{side:?} {quantity} beside {held:?}");
        stage.operator(EventKind::Halted(Halt { reason: "a person looks".to_owned() }));
        assert_eq!(!stage.cancels.is_empty(), want, "what adds goes at a halt");
    }
}

#[test]
fn room_is_told_by_either_cap_in_contracts_of_any_size_and_not_where_nothing_has_a_price() {
    let cap = |amount: i64| Cap { amount: Some(amount * 100_000_000), ..Cap::NONE };
    let room = |limits: Limits, kind: InstrumentKind, symbol: &str, multiplier, at: i64| {
        let mut stage = Stage::new(limits);
        listed(&mut stage, SECOND, symbol, kind, multiplier);
        trades_at(&mut stage, SECOND, at);
        stage.state.room(MAIN, SECOND, Side::Buy).map(Quantity::mantissa)
    };
    let (linear, symbol) = (InstrumentKind::LinearPerpetual, "BTC/USDT:USDT");
    let order = Limits { max_order: cap(1_000), ..WIDE };
    let position = Limits { max_position: cap(1_000), ..WIDE };
    for limits in [order, position] {
        assert_eq!(room(limits, linear, symbol, (1, 0), MARK), Some(100_000), "ten at 100");
        assert_eq!(room(limits, linear, symbol, (1, 3), MARK), Some(100_000_000), "of a thousandth each");
        assert_eq!(room(limits, linear, symbol, (5, 0), MARK), Some(20_000));
        assert_eq!(room(limits, linear, symbol, (1, 0), 0), None, "at a price of nothing nobody knows");
        assert_eq!(room(limits, InstrumentKind::InversePerpetual, "BTC/USDT:BTC", (1, 0), MARK), None);
    }
    assert_eq!(room(WIDE, linear, symbol, (1, 0), MARK), None, "nothing caps it");
}

#[test]
fn a_price_of_nothing_is_no_rate() {
    let mut stage = Stage::new(Limits::RESEARCH);
    assert_eq!(stage.state.rate(btc(), usdt()), Some((10_000, 100)));
    stage.state.listings[0].mark.as_mut().unwrap().price = price(0);
    assert_eq!(stage.state.rate(btc(), usdt()), None);
    stage.state.listings[0].mark.as_mut().unwrap().price = price(1);
    assert_eq!(stage.state.rate(btc(), usdt()), Some((1, 100)));
}

#[test]
fn how_often_a_cancel_was_asked_for_is_forgotten_with_its_order() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let [one, other] = [9_900, 9_800].map(|at| stage.working(limit(Side::Buy, 1_000, at)));
    stage.operator(EventKind::Halted(Halt { reason: "a person looks".to_owned() }));
    let known = |stage: &Stage| stage.state.cancels.keys().copied().collect::<Vec<_>>();
    let mut both = vec![one, other];
    both.sort_unstable();
    assert_eq!(known(&stage), both);
    stage.venue(EventKind::Cancelled { client_id: one, reason: "on request".into() });
    assert_eq!(known(&stage), [other]);
}

#[test]
fn only_stops_that_stand_and_trailing_ones_that_wait_here_protect_a_position() {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, max_position: Cap::NONE, ..Limits::RESEARCH });
    stage.holding(10_000);
    let protected = |stage: &Stage| stage.state.guarded()[0].protected.mantissa();
    let sell = |kind, quantity| OrderRequest { kind, ..market(Side::Sell, quantity) };
    stage.working(limit(Side::Sell, 1_000, 11_000));
    assert_eq!(protected(&stage), 0, "a limit is no stop");
    stage.working(sell(OrderKind::Stop { trigger: price(9_000) }, 300));
    assert_eq!(protected(&stage), 300);
    let on_its_way = stage.propose(sell(OrderKind::Stop { trigger: price(9_100) }, 200)).unwrap();
    assert_eq!(protected(&stage), 300, "it may never arrive");
    stage.accept(on_its_way);
    assert_eq!(protected(&stage), 500);
    // parents that sell: one that waits to be touched, slices, a trailing stop
    assert_eq!(stage.propose(sell(OrderKind::Touched { trigger: price(12_000) }, 700)), None);
    let plan = slices(&stage, 2);
    stage.wish(market(Side::Sell, 600), plan);
    assert_eq!(protected(&stage), 500);
    let trailing = OrderKind::Trailing { offset: TrailingOffset::Price(price(500)), activation: None };
    assert_eq!(stage.propose(sell(trailing, 40)), None);
    assert_eq!((stage.state.parents.live().count(), protected(&stage)), (3, 540), "{}", stage.last_refusal());
    stage.mark(MARK);
    stage.mark(9_499);
    assert_eq!(protected(&stage), 500, "it woke, and what it sent is no stop");
    // what stands for another portfolio or closes the other side is not counted
    stage.working(OrderRequest { kind: OrderKind::Stop { trigger: price(12_000) }, ..market(Side::Buy, 80) });
    assert_eq!(protected(&stage), 500);
    stage.check_journal();
}

#[test]
fn less_than_an_order_may_be_is_no_position_to_guard() {
    for (left, want) in [(99, 0), (100, 1)] {
        let mut stage = Stage::new(Limits::RESEARCH);
        let spec = stage.state.listing(BTC).instrument.spec.clone();
        stage.host(EventKind::Listed(Box::new(InstrumentSpec { min_quantity: lots(100), ..spec }.list(BTC).unwrap())));
        stage.holding(1_000);
        let id = stage.working(market(Side::Sell, 1_000 - left));
        stage.fill(id, 1_000 - left, MARK);
        assert_eq!(stage.state.guarded().len(), want, "{left}");
    }
}

#[test]
fn a_position_counts_as_exempt_by_limits_where_no_bracket_of_its_own_is_about_to_guard_it() {
    let limits = Limits { controls: Some(Controls::default()), ..Limits::RESEARCH };
    let around = Plan::Bracket(Protection { target: None, stop: Some(price(9_000)), stop_limit: None });
    let exempt =
        |stage: &Stage| stage.state.risk.as_ref().map(|risk| risk.exempt_by_limits.clone()).unwrap_or_default();
    let mut stage = Stage::new(limits);
    stage.wish(limit(Side::Buy, 1_000, MARK), around);
    let entry = stage.sent[0].client_id();
    stage.accept(entry);
    let bare = stage.propose_for(1, market(Side::Buy, 500)).unwrap();
    let fill = stage.execution(bare, 500, MARK);
    stage.say_for(PortfolioId(1), Source::Venue, EventKind::Filled(fill));
    assert_eq!(exempt(&stage), [(PortfolioId(1), BTC)], "the bracket is of another portfolio");
    stage.fill(entry, 1_000, MARK);
    assert_eq!(exempt(&stage), [(PortfolioId(1), BTC)], "its bracket guards it");
    stage.check_journal();
}

#[test]
fn the_equity_of_the_account_counts_every_portfolio_in_the_currency_that_is_asked_about() {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, ..Limits::RESEARCH });
    stage.is_unjudged = true; // its books know two portfolios
    stage.say_for(PortfolioId(2), Source::Host, EventKind::Opened { base: btc(), name: "coins".into() });
    stage.say_for(PortfolioId(2), Source::Host, EventKind::Deposited(money("10", btc())));
    let caps = AccountCaps { asset_bps: Some(1_000), ..AccountCaps::default() };
    let limits = Box::new(AccountLimits { caps, ..AccountLimits::NONE });
    stage.operator(EventKind::Risk(Box::new(RiskAct::AccountLimits { limits })));
    // twice 10,000 and ten coins at 100: a tenth of 21,000
    assert_eq!(stage.propose(market(Side::Buy, 210_100)), None);
    assert!(stage.propose(market(Side::Buy, 210_000)).is_some(), "{}", stage.last_refusal());
}

#[test]
fn other_contracts_of_a_portfolio_take_of_its_collateral_and_those_of_another_do_not() {
    let limits = |controls| Limits { controls: Some(controls), ..WIDE };
    let stage = |controls, held: u16| {
        let mut stage = Stage::new(limits(controls));
        stage.is_unjudged = true; // its books know no contracts
        for (id, symbol) in [(SECOND, "BTC/USDT:USDT"), (THIRD, "ETH/USDT:USDT")] {
            listed(&mut stage, id, symbol, InstrumentKind::LinearPerpetual, (1, 0));
        }
        holding(&mut stage, held, THIRD, 1_000_000); // 10,000 of it
        stage
    };
    let buy = |quantity| OrderRequest { instrument: SECOND, ..market(Side::Buy, quantity) };
    let distance = Controls { liquidation_buffer_bps: Some(2_000), maintenance_bps: Some(500), ..Controls::default() };
    // 5 % of 10,000 are set aside: (9,500 - n/20) / (19/20 n) >= 20 % up to n = 39,583, and alone up to 41,666
    for (held, fits, too_much) in [(0, 3_950_000, 3_960_000), (1, 4_160_000, 4_170_000)] {
        let mut stage = stage(distance, held);
        assert_eq!(stage.propose(buy(too_much)), None);
        assert!(stage.propose(buy(fits)).is_some(), "{}", stage.last_refusal());
    }
    let used = Controls { margin_used_bps: Some(9_500), initial_bps: Some(5_000), ..Controls::default() };
    // half of all is margin, and 95 % of 10,000 may be: 19,000 less the other's 10,000
    for (held, fits, too_much) in [(0, 900_000, 900_100), (1, 1_900_000, 1_900_100)] {
        let mut stage = stage(used, held);
        assert_eq!(stage.propose(buy(too_much)), None);
        assert!(stage.propose(buy(fits)).is_some(), "{}", stage.last_refusal());
    }
}

#[test]
fn what_was_sold_or_closed_is_worth_nothing_any_more() {
    let mut stage = Stage::new(WIDE);
    stage.is_unjudged = true; // its books know no contracts
    listed(&mut stage, SECOND, "BTC/USDT:USDT", InstrumentKind::LinearPerpetual, (1, 0));
    let equity = |stage: &Stage| Money { currency: usdt(), units: stage.state.portfolio(MAIN).equity() }.amount();
    for (instrument, want) in [(BTC, "10010"), (SECOND, "10020")] {
        holding(&mut stage, 0, instrument, 10_000);
        let request = OrderRequest { instrument, ..market(Side::Sell, 10_000) };
        let id = stage.propose(request).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
        trades_at(&mut stage, instrument, 12_000);
        let whole = stage.execution(id, 10_000, 11_000);
        stage.venue(EventKind::Filled(Fill { instrument, ..whole }));
        assert_eq!(equity(&stage), want);
        trades_at(&mut stage, instrument, 15_000);
        assert_eq!(equity(&stage), want, "nothing of it is held");
    }
    let base = stage.state.portfolio(MAIN).holdings()[0];
    assert_eq!((base.currency, base.value), (usdt(), base.units), "the base currency is worth itself");
}

#[test]
fn money_from_outside_moves_the_days_reference_by_its_worth_and_leaves_its_loss() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.is_unjudged = true;
    stage.holding(100_000); // ten of them
    stage.mark(9_000);
    stage.say_for(MAIN, Source::Host, EventKind::Deposited(money("1000", usdt())));
    let books = stage.state.portfolio(MAIN);
    let told = [books.equity(), books.day_equity(), books.peak_equity()].map(|units| units / 100_000_000);
    assert_eq!(told, [10_900, 11_000, 11_000]);
}

#[test]
fn an_order_is_made_smaller_only_while_it_works_and_by_itself() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let ask = |stage: &mut Stage, client_id| {
        stage.operator(EventKind::Amend { client_id, said: Amend::Proposed { quantity: lots(400) } });
        let refused = |record: &Vec<u8>| match decode(record).unwrap().kind {
            EventKind::Judged(Verdict::AmendRefused { reason, .. }) => Some(Some(reason.to_string())),
            EventKind::Judged(Verdict::AmendApproved { .. }) => Some(None),
            _ => None,
        };
        stage.journal.iter().rev().find_map(refused).unwrap()
    };
    let id = stage.propose(limit(Side::Buy, 1_000, 9_900)).unwrap();
    assert_eq!(ask(&mut stage, id).as_deref(), Some("the venue's word on it is awaited"));
    stage.accept(id);
    assert_eq!(ask(&mut stage, id), None);
    let plan = slices(&stage, 2);
    stage.wish(limit(Side::Buy, 2_000, 9_900), plan);
    let child = stage.sent.last().unwrap().client_id();
    stage.accept(child);
    assert_eq!(ask(&mut stage, child).as_deref(), Some("it is a part of a larger order"));
    assert_eq!(ask(&mut stage, ClientOrderId::from_u128(7)).as_deref(), Some("it is not open"));
}

#[test]
fn an_order_keeps_the_distance_of_every_contract_that_it_takes_collateral_from() {
    let controls = Controls { liquidation_buffer_bps: Some(1_500), maintenance_bps: Some(250), ..Controls::default() };
    // 2.5 % are set aside: (10,000 - 1,375 - n/40) / (55,000 - 1,375) is 15 % at n = 23,250, and its own is far away
    for (held, quantity, passes) in [(0, 2_325_000, true), (0, 2_326_000, false), (1, 2_326_000, true)] {
        let mut stage = Stage::new(Limits { controls: Some(controls), ..WIDE });
        stage.is_unjudged = true; // its books know no contracts
        for (id, symbol) in [(SECOND, "BTC/USDT:USDT"), (THIRD, "ETH/USDT:USDT")] {
            listed(&mut stage, id, symbol, InstrumentKind::LinearPerpetual, (1, 0));
        }
        holding(&mut stage, held, THIRD, 5_500_000);
        let id = stage.propose(OrderRequest { instrument: SECOND, ..market(Side::Buy, quantity) });
        assert_eq!(id.is_some(), passes, "{quantity} beside what portfolio {held} holds: {}", stage.last_refusal());
        if !passes {
            let said = stage.last_refusal();
            assert!(said.contains("14.99 % to liquidation of ETH/USDT:USDT, before 16.08 %"), "{said}");
        }
    }
}

#[test]
fn rejections_and_contradictions_are_counted() {
    let mut stage = Stage::new(Limits::RESEARCH);
    for count in 1..=2 {
        let client_id = stage.propose(limit(Side::Buy, 1_000, 9_900)).unwrap();
        stage.venue(EventKind::Rejected { client_id, reason: "-2010".into() });
        assert_eq!((stage.state.counters.rejected, stage.state.counters.contradictions), (count, 2 * count - 2));
        for more in 1..=2 {
            stage.accept(client_id);
            assert_eq!(stage.state.counters.contradictions, 2 * count - 2 + more, "it was rejected");
        }
    }
}

#[test]
fn a_rung_whose_order_never_worked_is_placed_again() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let rungs = [9_900, 9_800].map(|at| Rung { price: price(at), quantity: lots(500) });
    stage.wish(limit(Side::Buy, 1_000, 9_900), Plan::Ladder { rungs: rungs.to_vec() });
    assert_eq!(stage.sent.len(), 2);
    let [first, second] = [stage.sent[0].client_id(), stage.sent[1].client_id()];
    stage.accept(second);
    stage.host(EventKind::NotSent { client_id: first, reason: "no connection".into() });
    stage.millis = 10_000;
    stage.host(EventKind::Timer);
    let last = stage.sent.last().unwrap();
    assert_eq!((stage.sent.len(), *last.kind()), (3, OrderKind::Limit { price: price(9_900) }));
    assert_eq!(stage.state.parents.get(ParentId(1)).unwrap().state, ParentState::Working);
    stage.check_journal();
}

#[test]
fn an_order_meets_the_nearest_of_our_own_orders_and_none_of_its_own_group() {
    let caps = AccountCaps { self_match: Some(1), ..AccountCaps::default() };
    let meets = |side: Side, at: [i64; 2], limit_at: i64, group: Option<OcoGroup>| {
        let mut stage = Stage::new(WIDE);
        let limits = Box::new(AccountLimits { caps, ..AccountLimits::NONE });
        stage.operator(EventKind::Risk(Box::new(RiskAct::AccountLimits { limits })));
        for at in at {
            let resting = OrderRequest { oco: Some(OcoGroup(7)), ..limit(side.opposite(), 1_000, at) };
            assert!(stage.propose(resting).is_some(), "{}", stage.last_refusal());
        }
        let before = stage.refusals.len();
        stage.propose(OrderRequest { oco: group, ..limit(side, 500, limit_at) });
        stage.refusals.len() > before
    };
    for (at, limit_at, want) in [
        ([10_100, 10_300], 10_150, true),
        ([10_300, 10_100], 10_150, true),
        ([10_100, 10_300], 10_100, true),
        ([10_100, 10_300], 10_099, false),
    ] {
        assert_eq!(meets(Side::Buy, at, limit_at, None), want, "to buy at {limit_at}");
        let mirrored = at.map(|at| 20_000 - at);
        assert_eq!(meets(Side::Sell, mirrored, 20_000 - limit_at, None), want, "to sell at {}", 20_000 - limit_at);
    }
    assert!(!meets(Side::Buy, [10_100, 10_300], 10_150, Some(OcoGroup(7))), "one cancels the other");
    assert!(meets(Side::Buy, [10_100, 10_300], 10_150, Some(OcoGroup(8))), "of another group");
}

#[test]
fn margin_in_use_is_of_contracts_and_of_one_portfolio() {
    let controls = Controls { margin_used_bps: Some(9_500), initial_bps: Some(5_000), ..Controls::default() };
    let mut stage = Stage::new(Limits { controls: Some(controls), ..WIDE });
    stage.is_unjudged = true; // its books know no contracts
    listed(&mut stage, SECOND, "BTC/USDT:USDT", InstrumentKind::LinearPerpetual, (1, 0));
    holding(&mut stage, 0, BTC, 100_000);
    holding(&mut stage, 1, SECOND, 400_000);
    let used = |portfolio| {
        let all = stage.state.limits_in_use(PortfolioId(portfolio));
        all.iter().find(|it| it.limit.name == "margin_used").unwrap().used
    };
    assert_eq!((used(0), used(1)), (Some(0), Some(2_000)), "half of 4,000 of 10,000");
}
