//! What is approved without the guards because it only takes away, and what an action says of itself.

#![allow(clippy::unwrap_used)] // a test may

use tradewind_domain::*;
use tradewind_gate::*;

const fn lots(mantissa: i64) -> Quantity {
    Quantity::from_mantissa(mantissa)
}

fn instrument() -> Instrument {
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        lot: lots(10),
        min_quantity: lots(50),
        fees: FeeSchedule::bps(10, 20),
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
    };
    spec.list(InstrumentId(3)).unwrap()
}

/// A limit order for 1,000 of which 200 are executed.
fn record(client_id: ClientOrderId, change: impl FnOnce(&mut OrderRequest)) -> OrderRecord {
    let mut request = OrderRequest::limit(InstrumentId(3), Side::Buy, lots(1_000), Price::from_mantissa(9_900));
    change(&mut request);
    let order = Order::as_worked(PortfolioId(0), client_id, request);
    let mut record = OrderRecord::new(order, Timestamp::from_millis(0));
    (record.filled, record.venue_id) = (lots(200), Some(VenueOrderId("77".into())));
    record
}

#[test]
fn only_less_of_an_order_that_stands_alone_in_whole_lots_is_asked_for() {
    let own = ClientOrderId::from_u128(1);
    let it = instrument();
    let check = |record: &OrderRecord, quantity, want: Result<(), &str>| {
        assert_eq!(review_amend(record, &it, lots(quantity)).map(|_| ()), want, "{quantity} of {record:?}");
    };
    let plain = record(own, |_| ());
    for (quantity, want) in [
        (990, Ok(())),
        (210, Ok(())),
        (1_000, Err("an order keeps its place only if it becomes smaller")),
        (200, Err("so much is executed already: cancel the rest")),
        (505, Err("the quantity is not one of whole lots, or too small")),
    ] {
        check(&plain, quantity, want);
    }
    let mut untouched = record(own, |_| ());
    untouched.filled = Quantity::ZERO;
    check(&untouched, 50, Ok(()));
    check(&untouched, 40, Err("the quantity is not one of whole lots, or too small"));
    let alone = Err("only a limit order that stands alone is made smaller in its place");
    check(&record(own, |it| it.oco = Some(OcoGroup(1))), 500, alone);
    check(&record(own, |it| it.kind = OrderKind::Market), 500, alone);
    let foreign = ClientOrderId::foreign("test", "BTCUSDT", "77");
    check(&record(foreign, |_| ()), 500, Err("the venue knows it by another hand's name"));
}

#[test]
fn an_action_names_its_orders_and_its_instrument() {
    let (one, other) = (ClientOrderId::from_u128(1), ClientOrderId::from_u128(2));
    let order = |id| record(id, |_| ()).order;
    let venue_id = Some(VenueOrderId("77".into()));
    let cancel = review_cancel(one, InstrumentId(3), venue_id.clone());
    assert_eq!(
        *cancel.action(),
        Action::Cancel { client_id: one, instrument: InstrumentId(3), venue_id: venue_id.clone() }
    );
    let amend = review_amend(&record(one, |_| ()), &instrument(), lots(500)).unwrap();
    let want = Action::Amend { client_id: one, instrument: InstrumentId(3), venue_id, quantity: lots(500) };
    assert_eq!(*amend.action(), want);
    let pair = Action::SubmitPair(Box::new([order(one), order(other)]));
    for (action, orders, ids) in [
        (&Action::Submit(order(one)), 1, vec![one]),
        (&pair, 2, vec![one, other]),
        (cancel.action(), 0, vec![one]),
        (amend.action(), 0, vec![one]),
    ] {
        assert_eq!((action.orders().len(), action.client_ids().collect::<Vec<_>>()), (orders, ids), "{action:?}");
        assert_eq!(action.instrument(), InstrumentId(3));
    }
}

/// An account without limits or history.
#[derive(Debug)]
struct Unlimited(tradewind_risk::AccountLimits, tradewind_risk::Monitor);

impl Books for Unlimited {
    fn survey(&self, _: &Proposal) -> Survey<'_> {
        Survey {
            account: &self.0,
            monitor: &self.1,
            account_equity: 1,
            lines: Vec::new(),
            unvalued: 0,
            depth: None,
            depth_source: tradewind_risk::DepthSource::Book,
            open_orders_symbol: 0,
            open_orders: 0,
            own_opposite: None,
            foreign_opposite: None,
            margin: None,
        }
    }
}

/// A fresh mark of 100, nothing held or open, and so much equity, now, at midnight and at its peak.
fn view<'a>(it: &'a Instrument, limits: &'a Limits, equity: i128, rate: Option<(i128, i128)>) -> View<'a> {
    let now = Timestamp::from_millis(5);
    View {
        now,
        halted: None,
        restricted: None,
        mode: Mode::Paper,
        ruling: None,
        decision: None,
        limits,
        instrument: it,
        mark: Some(Mark { price: Price::from_mantissa(10_000), at: now, origin: Origin::Live }),
        quote: None,
        position: Quantity::ZERO,
        open_buys: Quantity::ZERO,
        open_sells: Quantity::ZERO,
        unknown_orders: 0,
        protects: false,
        rate,
        equity,
        day_equity: equity,
        peak_equity: equity,
        free_funds: 0,
        risk: None,
    }
}

/// What the gate says of a market buy of 0.1 at 100, worth `rate` of the portfolio's currency each.
fn judged(
    limits: Limits,
    risk: Option<RiskView<'_>>,
    rate: Option<(i128, i128)>,
    change: impl FnOnce(&mut Proposal),
) -> Result<Approved, Box<Refusal>> {
    judged_with(1_000_000_000_000, limits, risk, rate, change)
}

/// The same with so much equity, now, at midnight and at its peak.
fn judged_with(
    equity: i128,
    limits: Limits,
    risk: Option<RiskView<'_>>,
    rate: Option<(i128, i128)>,
    change: impl FnOnce(&mut Proposal),
) -> Result<Approved, Box<Refusal>> {
    let it = instrument();
    let request = OrderRequest::market(it.id, Side::Buy, lots(1_000));
    let mut proposal =
        Proposal { plan: None, source: Source::Operator, portfolio: PortfolioId(0), request, reason: "test".into() };
    change(&mut proposal);
    let view = View { risk, ..view(&it, &limits, equity, rate) };
    review(&view, &proposal, ClientOrderId::from_u128(1))
}

#[test]
fn what_cannot_be_valued_is_refused_by_whichever_limit_asks_first() {
    let books = Unlimited(tradewind_risk::AccountLimits::NONE, tradewind_risk::Monitor::default());
    let guard = |limits, risk, rate| judged(limits, risk, rate, |_| ()).err().map(|refusal| refusal.guard);
    let cap = Cap { equity_bps: Some(10_000), amount: None };
    let risk = Some(RiskView { books: &books, is_slice: false, may_shrink: true });
    for (limits, risk, want) in [
        (Limits { max_order: cap, max_position: cap, ..Limits::OPEN }, risk, Some(Guard::MaxOrder)),
        (Limits { max_position: cap, ..Limits::OPEN }, risk, Some(Guard::MaxPosition)),
        (Limits::OPEN, risk, Some(Guard::Risk)),
        (Limits::OPEN, None, None),
    ] {
        assert_eq!(guard(limits, risk, None), want);
        assert_eq!(guard(limits, risk, Some((1, 1))), None);
    }
}

#[test]
fn an_order_is_judged_in_the_currency_of_its_portfolio() {
    let refused = |amount, rate| {
        let limits = Limits { max_order: Cap { equity_bps: None, amount: Some(amount) }, ..Limits::OPEN };
        judged(limits, None, Some(rate), |_| ()).err().map(|refusal| refusal.value)
    };
    const CENT: i64 = 1_000_000;
    for (rate, units, text) in [
        ((3, 2), 1_500 * CENT, "15"),
        ((1, 4), 250 * CENT, "2.5"),
        ((2, 2), 1_000 * CENT, "10"),
        ((7, 1), 7_000 * CENT, "70"),
    ] {
        assert_eq!(refused(units, rate), None, "{rate:?}");
        assert_eq!(refused(units - 1, rate).as_deref(), Some(text), "{rate:?}");
    }
}

#[test]
fn an_approval_carries_the_plan_as_it_may_be_traded() {
    let books = Unlimited(tradewind_risk::AccountLimits::NONE, tradewind_risk::Monitor::default());
    let risk = Some(RiskView { books: &books, is_slice: false, may_shrink: true });
    let price = |units: i64| Some(Price::from_mantissa(units * 100));
    let plan = TradePlan { stop: price(105), target: price(120), atr: price(2), ..TradePlan::default() };
    let with_plan = |it: &mut Proposal| it.plan = Some(Box::new(plan));
    let approved = judged(Limits::OPEN, risk, Some((1, 1)), with_plan).unwrap();
    let audited = approved.audited().unwrap();
    assert_eq!(audited.plan, TradePlan { stop: price(97), ..plan }, "1.5 ranges below the entry");
    assert_eq!(audited.corrections.len(), 1);
    assert!(judged(Limits::OPEN, risk, Some((1, 1)), |_| ()).unwrap().audited().is_none());
    assert!(judged(Limits::OPEN, None, None, with_plan).unwrap().audited().is_none(), "nobody judged it");
}

#[test]
fn only_what_cannot_take_is_reckoned_with_the_fee_of_what_rests() {
    let needed = |kind, post_only| {
        let limits = Limits { borrow: false, ..Limits::OPEN };
        let change = |it: &mut Proposal| (it.request.kind, it.request.post_only) = (kind, post_only);
        judged(limits, None, Some((1, 1)), change).unwrap_err().value
    };
    let limit = OrderKind::Limit { price: Price::from_mantissa(10_000) };
    assert_eq!(needed(limit, true), "10.01");
    assert_eq!(needed(limit, false), "10.02", "it may cross");
    assert_eq!(needed(OrderKind::Market, false), "10.02");
}

#[test]
fn without_equity_to_lose_everything_is_lost() {
    let no_loss = Limits { daily_loss_bps: Some(300), ..Limits::OPEN };
    let no_fall = Limits { drawdown_bps: Some(1_000), ..Limits::OPEN };
    for (limits, guard, bound) in [(no_loss, Guard::DailyLoss, "3 %"), (no_fall, Guard::Drawdown, "10 %")] {
        for equity in [0, -1] {
            let refusal = judged_with(equity, limits, None, Some((1, 1)), |_| ()).unwrap_err();
            assert_eq!((refusal.guard, refusal.value.as_str(), refusal.limit.as_str()), (guard, "100 %", bound));
        }
        assert!(judged_with(1, limits, None, Some((1, 1)), |_| ()).is_ok());
    }
}

#[test]
fn every_guard_has_its_code_in_the_list_that_people_look_codes_up_in() {
    for (info, code) in GUARDS.iter().zip(tradewind_gate::CODES) {
        assert_eq!((info.code, info.asks, info.clear), (code.code, code.meaning, code.hint));
    }
    assert_eq!((tradewind_gate::CODES.len(), tradewind_gate::CODES[GUARDS.len()].code), (GUARDS.len() + 1, "GATE-90"));
}

#[test]
fn to_buy_a_pair_stands_below_and_above_the_market_and_never_on_it() {
    let (it, limits) = (instrument(), Limits::OPEN);
    let at = |mantissa| Price::from_mantissa(mantissa);
    let said = |target, stop| {
        let target = OrderRequest::limit(it.id, Side::Buy, lots(1_000), at(target));
        let target = OrderRequest { oco: Some(OcoGroup(1)), ..target };
        let stop = OrderRequest { kind: OrderKind::Stop { trigger: at(stop) }, ..target };
        let proposal = |request| Proposal {
            plan: None,
            source: Source::Operator,
            portfolio: PortfolioId(0),
            request,
            reason: "test".into(),
        };
        let pair = [target, stop].map(proposal);
        let view = view(&it, &limits, 1, Some((1, 1)));
        let reviewed = review_pair(&view, &pair, [1, 2].map(ClientOrderId::from_u128));
        reviewed.map(|_| ()).map_err(|refusal| refusal.value)
    };
    assert_eq!(said(9_999, 10_001), Ok(()));
    assert_eq!(said(10_000, 10_001), Err("a target at 100".to_owned()));
    assert_eq!(said(9_999, 10_000), Err("a stop at 100".to_owned()));
}
