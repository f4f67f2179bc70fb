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
            quote: None,
            depth: None,
            depth_source: tradewind_risk::DepthSource::Book,
            open_orders_symbol: 0,
            open_orders: 0,
            own_opposite: None,
            margin: None,
        }
    }
}

#[test]
fn what_cannot_be_valued_is_refused_by_whichever_limit_asks_first() {
    let (it, now) = (instrument(), Timestamp::from_millis(5));
    let books = Unlimited(tradewind_risk::AccountLimits::NONE, tradewind_risk::Monitor::default());
    let request = OrderRequest::market(it.id, Side::Buy, lots(1_000));
    let proposal =
        Proposal { plan: None, source: Source::Operator, portfolio: PortfolioId(0), request, reason: "test".into() };
    let refused = |limits: Limits, risk: Option<RiskView<'_>>, rate| {
        let view = View {
            now,
            halted: None,
            restricted: None,
            mode: Mode::Paper,
            ruling: None,
            limits: &limits,
            instrument: &it,
            mark: Some(Mark { price: Price::from_mantissa(10_000), at: now, origin: Origin::Live }),
            position: Quantity::ZERO,
            open_buys: Quantity::ZERO,
            open_sells: Quantity::ZERO,
            unknown_orders: 0,
            protects: false,
            rate,
            equity: 1_000_000_000_000,
            day_equity: 1_000_000_000_000,
            peak_equity: 1_000_000_000_000,
            free_funds: 0,
            risk,
        };
        review(&view, &proposal, ClientOrderId::from_u128(1)).err().map(|refusal| refusal.guard)
    };
    let cap = Cap { equity_bps: Some(10_000), amount: None };
    let risk = Some(RiskView { books: &books, is_slice: false });
    for (limits, risk, want) in [
        (Limits { max_order: cap, max_position: cap, ..Limits::OPEN }, risk, Some(Guard::MaxOrder)),
        (Limits { max_position: cap, ..Limits::OPEN }, risk, Some(Guard::MaxPosition)),
        (Limits::OPEN, risk, Some(Guard::Risk)),
        (Limits::OPEN, None, None),
    ] {
        assert_eq!(refused(limits, risk, None), want);
        assert_eq!(refused(limits, risk, Some((1, 1))), None);
    }
}
