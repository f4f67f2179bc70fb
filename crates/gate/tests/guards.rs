//! Each guard alone refuses, and one step on the other side of its limit passes, with shipped limits.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)] // a test may

use tradewind_domain::*;
use tradewind_gate::*;

struct World {
    now: Timestamp,
    instrument: Instrument,
    limits: Limits,
    proposal: Proposal,
    restricted: Option<&'static str>,
    ruling: Option<tradewind_governance::Ruling>,
    halted: Option<&'static str>,
    protects: bool,
    mode: Mode,
    mark: Option<Mark>,
    quote: Option<Quote>,
    position: Quantity,
    open_buys: Quantity,
    open_sells: Quantity,
    unknown_orders: u32,
    rate: Option<(i128, i128)>,
    equity: i128,
    day_equity: i128,
    peak_equity: i128,
    free_funds: i128,
}

const UNIT: i128 = 100_000_000;
const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn quantity(units: f64) -> Quantity {
    Quantity::from_mantissa((units * 1e8).round() as i64)
}

/// 10,000 USDT, bitcoin at 100, a buy of one: 1 % of equity, everything fresh, shipped limits.
fn world() -> World {
    let spec = InstrumentSpec {
        fees: FeeSchedule::bps(10, 10),
        tick: Price::from_mantissa(1_000_000),
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance")
    };
    let instrument = spec.list(InstrumentId(0)).unwrap();
    let request = OrderRequest::market(instrument.id, Side::Buy, quantity(1.0));
    World {
        now: NOW,
        mark: Some(Mark { price: instrument.price("100").unwrap(), at: NOW, origin: Origin::Live }),
        quote: None,
        instrument,
        limits: Limits::AT_OPENING,
        proposal: Proposal {
            plan: None,
            source: Source::Strategy(0),
            portfolio: PortfolioId(0),
            request,
            reason: "test".into(),
        },
        halted: None,
        protects: false,
        restricted: None,
        ruling: None,
        mode: Mode::Paper,
        position: Quantity::ZERO,
        open_buys: Quantity::ZERO,
        open_sells: Quantity::ZERO,
        unknown_orders: 0,
        rate: Some((1, 1)),
        equity: 10_000 * UNIT,
        day_equity: 10_000 * UNIT,
        peak_equity: 10_000 * UNIT,
        free_funds: 10_000 * UNIT,
    }
}

fn view(w: &World) -> View<'_> {
    View {
        now: w.now,
        halted: w.halted,
        protects: w.protects,
        restricted: w.restricted,
        mode: w.mode,
        ruling: w.ruling.as_ref(),
        decision: None,
        limits: &w.limits,
        instrument: &w.instrument,
        mark: w.mark,
        quote: w.quote.as_ref(),
        position: w.position,
        open_buys: w.open_buys,
        open_sells: w.open_sells,
        unknown_orders: w.unknown_orders,
        rate: w.rate,
        equity: w.equity,
        day_equity: w.day_equity,
        peak_equity: w.peak_equity,
        free_funds: w.free_funds,
        risk: None,
    }
}

fn verdict(change: impl FnOnce(&mut World)) -> Result<(), Refusal> {
    let mut w = world();
    change(&mut w);
    match review(&view(&w), &w.proposal, ClientOrderId::from_u128(1)) {
        Ok(approved) => {
            assert!(matches!(approved.action(), Action::Submit(order) if *order.request() == w.proposal.request));
            Ok(())
        }
        Err(refusal) => Err(*refusal),
    }
}

fn passes(change: impl FnOnce(&mut World)) {
    assert_eq!(verdict(change), Ok(()));
}

fn refuses(guard: Guard, value: &str, limit: &str, change: impl FnOnce(&mut World)) {
    let refusal = verdict(change).expect_err("it should have been refused");
    assert_eq!((refusal.guard, refusal.value.as_str(), refusal.limit.as_str()), (guard, value, limit));
    assert!(refusal.to_string().contains(refusal.code()) && refusal.to_string().contains("to clear"));
}

fn buy(w: &mut World, size: f64) {
    w.proposal.request.quantity = quantity(size);
}

fn sell(w: &mut World, size: f64) {
    w.proposal.request.side = Side::Sell;
    buy(w, size);
}

fn operator_exit(w: &mut World, size: f64) {
    sell(w, size);
    w.proposal.source = Source::Operator;
    w.proposal.request.reduce_only = true;
}

#[test]
fn a_plain_order_passes() {
    passes(|_| ());
}

#[test]
fn a_halt_stops_everything_but_an_operators_exit() {
    refuses(Guard::Halt, "kill switch", "an operator's reduce-only order", |w| w.halted = Some("kill switch"));
    refuses(Guard::Halt, "kill switch", "an operator's reduce-only order", |w| {
        (w.halted, w.position) = (Some("kill switch"), quantity(1.0));
        sell(w, 1.0); // a strategy's exit waits for the operator
    });
    passes(|w| {
        (w.halted, w.position) = (Some("kill switch"), quantity(1.0));
        operator_exit(w, 1.0);
    });
}

#[test]
fn a_halt_lets_a_brackets_own_protection_through_and_nothing_that_calls_itself_so() {
    let sell = |w: &mut World, size: f64| {
        (w.halted, w.position, w.protects) = (Some("kill switch"), quantity(1.0), true);
        w.proposal.request =
            OrderRequest { reduce_only: true, ..OrderRequest::market(w.instrument.id, Side::Sell, quantity(size)) };
    };
    assert_eq!(verdict(|w| sell(w, 1.0)), Ok(()));
    let halted = "an operator's reduce-only order";
    refuses(Guard::Halt, "kill switch", halted, |w| sell(w, 1.5)); // turns it over
    refuses(Guard::Halt, "kill switch", halted, |w| {
        sell(w, 1.0);
        w.proposal.request.reduce_only = false;
    });
    refuses(Guard::Halt, "kill switch", halted, |w| {
        sell(w, 1.0);
        w.protects = false;
    });
}

#[test]
fn the_policy_is_asked_after_halt_and_mode_and_approval_last() {
    use tradewind_governance::{Refused, Rule, Ruling};
    let denied = || Some(Ruling::Denied(Refused::new(Rule::Symbol, "DOGE/USDT", "BTC/USDT")));
    refuses(Guard::Policy, "DOGE/USDT", "BTC/USDT", |w| w.ruling = denied());
    refuses(Guard::Policy, "DOGE/USDT", "BTC/USDT", |w| (w.ruling, w.mark) = (denied(), None));
    refuses(Guard::Halt, "kill switch", "an operator's reduce-only order", |w| {
        (w.ruling, w.halted) = (denied(), Some("kill switch"));
    });
    let asks = || Some(Ruling::NeedsApproval { quorum: 2 });
    refuses(Guard::Approval, "2 to be asked", "none to be asked", |w| w.ruling = asks());
    // nobody is asked about an order that could not go
    refuses(Guard::StaleData, "no mark", "a mark", |w| (w.ruling, w.mark) = (asks(), None));
    passes(|w| w.ruling = Some(Ruling::Allowed));
    let refusal = verdict(|w| w.ruling = denied()).unwrap_err();
    assert_eq!((refusal.info().code, refusal.code()), ("GATE-14", "GOV-07"));
    assert!(refusal.clear().contains("governance.allow.symbols"));
    let text = serde_json::to_string(&refusal).unwrap();
    assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), refusal);
}

#[test]
fn a_restriction_lets_only_what_reduces_pass_by_any_hand() {
    for source in [Source::Strategy(0), Source::Operator] {
        refuses(Guard::Restricted, "drift", "what reduces a position", |w| {
            (w.restricted, w.proposal.source) = (Some("drift"), source);
        });
        refuses(Guard::Restricted, "drift", "what reduces a position", |w| {
            (w.restricted, w.position, w.proposal.source) = (Some("drift"), quantity(1.0), source);
            sell(w, 1.5); // through zero
        });
        passes(|w| {
            (w.restricted, w.position, w.proposal.source) = (Some("drift"), quantity(1.0), source);
            (w.free_funds, w.proposal.request.reduce_only) = (UNIT, true);
            sell(w, 1.0);
        });
    }
}

#[test]
fn a_mode_trades_only_what_it_may() {
    refuses(Guard::Mode, "observe", "backtest, paper or live", |w| w.mode = Mode::Observe);
    for (mode, origin, ok) in [
        (Mode::Live, Origin::Live, true),
        (Mode::Live, Origin::Simulated, false),
        (Mode::Live, Origin::Recorded, false),
        (Mode::Paper, Origin::Simulated, true),
        (Mode::Backtest, Origin::Recorded, true),
    ] {
        let got = verdict(|w| {
            w.mode = mode;
            w.mark.as_mut().unwrap().origin = origin;
        });
        assert_eq!(
            got.map_err(|refusal| refusal.guard),
            if ok { Ok(()) } else { Err(Guard::Mode) },
            "{mode:?} {origin:?}"
        );
    }
}

#[test]
fn an_invalid_order_names_its_own_code() {
    let refusal = verdict(|w| buy(w, -1.0)).unwrap_err();
    assert_eq!(refusal.guard, Guard::Order);
    assert!(refusal.value.starts_with("DOM-06"), "{}", refusal.value);
}

#[test]
fn a_stale_or_missing_mark_refuses() {
    let aged = |nanos: i64| move |w: &mut World| w.mark.as_mut().unwrap().at = NOW.plus_nanos(-nanos);
    passes(aged(4_999_999_999));
    refuses(Guard::StaleData, "a mark that is 5 s old", "one younger than 5 s", aged(5_000_000_000));
    refuses(Guard::StaleData, "no mark", "a mark", |w| w.mark = None);
    refuses(Guard::StaleData, "a mark of 0", "a positive mark", |w| {
        w.mark.as_mut().unwrap().price = Price::from_mantissa(0)
    });
    passes(|w| {
        aged(60_000_000_000)(w);
        w.position = quantity(1.0);
        operator_exit(w, 1.0);
    });
}

#[test]
fn an_order_is_good_for_some_time_to_come() {
    let good_till = |nanos: i64| {
        move |w: &mut World| {
            w.proposal.request.kind = OrderKind::Limit { price: w.instrument.price("99").unwrap() };
            w.proposal.request.time_in_force = TimeInForce::Gtd(NOW.plus_nanos(nanos));
        }
    };
    passes(good_till(1));
    let refusal = verdict(good_till(0)).unwrap_err();
    assert_eq!((refusal.guard, refusal.code()), (Guard::Dated, "GATE-17"));
    assert_eq!(refusal.value, "good till 1970-01-01T00:16:40Z");
    assert_eq!(verdict(good_till(-3_600_000_000_000)).unwrap_err().guard, Guard::Dated);
}

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_nanos(moment.as_nanosecond() as i64)
}

/// A share in New York at `moment`, its last price told a moment before; Thanksgiving of 2024 and its half day are listed.
fn in_new_york(w: &mut World, moment: &str) {
    let Calendar::Sessions(mut hours) = Calendar::new_york_stocks() else { unreachable!() };
    hours.other_days = [("2024-11-28".to_owned(), None), ("2024-11-29".to_owned(), Some(13 * 60))].into();
    w.instrument.spec.calendar = Calendar::Sessions(hours);
    w.now = at(moment);
    w.mark.as_mut().unwrap().at = w.now;
}

#[test]
fn a_market_order_waits_for_the_opening_over_weekends_holidays_and_both_changes_of_the_clocks() {
    for limits in [Limits::DEMO, Limits::CONSERVATIVE, Limits::MODERATE] {
        for (closed, open) in [
            ("2024-03-08T14:29:59.999Z", "2024-03-08T14:30:00Z"), // Friday, winter
            ("2024-03-11T13:29:59.999Z", "2024-03-11T13:30:00Z"), // Monday after the clocks went forward
            ("2024-11-01T20:00:00Z", "2024-11-01T19:59:59.999Z"), // Friday, summer
            ("2024-11-04T21:00:00Z", "2024-11-04T20:59:59.999Z"), // Monday after they went back
            ("2024-11-28T16:00:00Z", "2024-11-27T16:00:00Z"),     // a holiday, and its eve
            ("2024-11-29T18:00:00Z", "2024-11-29T17:59:59.999Z"), // a half day
        ] {
            let judged = |moment: &str| {
                let verdict = verdict(|w| {
                    w.limits = limits;
                    in_new_york(w, moment);
                    buy(w, 0.1);
                });
                verdict.map_err(|refusal| refusal.guard)
            };
            assert_eq!(judged(closed), Err(Guard::Closed), "{closed}");
            assert_eq!(judged(open), Ok(()), "{open}");
        }
    }
    refuses(Guard::Closed, "closed at 2024-03-09T12:00:00Z", "open from 2024-03-11T13:30:00Z", |w| {
        in_new_york(w, "2024-03-09T12:00:00Z");
    });
}

#[test]
fn while_its_market_is_closed_an_order_may_rest_until_it_opens_and_its_price_may_be_of_the_last_session() {
    const SUNDAY: &str = "2024-03-10T12:00:00Z";
    let resting = |time_in_force: TimeInForce| {
        move |w: &mut World| {
            in_new_york(w, SUNDAY);
            w.mark.as_mut().unwrap().at = at("2024-03-08T20:59:00Z");
            w.proposal.request.kind = OrderKind::Limit { price: w.instrument.price("99").unwrap() };
            w.proposal.request.time_in_force = time_in_force;
        }
    };
    let till = |text: &str| TimeInForce::Gtd(at(text));
    passes(resting(TimeInForce::Gtc));
    passes(resting(till("2024-03-11T13:30:00.001Z")));
    for never in [till("2024-03-11T13:30:00Z"), TimeInForce::Ioc, TimeInForce::Fok] {
        assert_eq!(verdict(resting(never)).unwrap_err().guard, Guard::Closed, "{never:?}");
    }
    let at_the_opening = |w: &mut World| {
        resting(TimeInForce::Gtc)(w);
        w.now = at("2024-03-11T13:30:00Z");
    };
    assert_eq!(verdict(at_the_opening).unwrap_err().guard, Guard::StaleData, "a price of this session is wanted");
}

#[test]
fn in_a_backtest_the_bars_are_the_calendar() {
    passes(|w| {
        in_new_york(w, "2024-03-09T00:00:00Z"); // a daily bar closes at midnight: filled at the next one's open
        w.mode = Mode::Backtest;
    });
}

#[test]
fn a_contract_takes_no_order_from_its_end_on_in_a_backtest_neither() {
    let ends_in = |nanos: i64, mode: Mode| {
        move |w: &mut World| {
            w.mode = mode;
            w.instrument.spec.kind = InstrumentKind::DatedFuture { expiry: w.now.plus_nanos(nanos), inverse: false };
        }
    };
    for mode in [Mode::Backtest, Mode::Paper] {
        passes(ends_in(1, mode));
        let refusal = verdict(ends_in(0, mode)).unwrap_err();
        assert_eq!(refusal.guard, Guard::Closed, "{mode:?}");
        assert_eq!(refusal.limit, format!("it ended at {}", world().now));
    }
}

#[test]
fn an_unknown_order_blocks_what_it_could_double() {
    refuses(Guard::UnknownOrder, "1", "0", |w| w.unknown_orders = 1);
    passes(|w| {
        (w.unknown_orders, w.position, w.free_funds) = (1, quantity(2.0), 2 * UNIT);
        sell(w, 1.0);
    });
}

#[test]
fn reduce_only_reduces() {
    refuses(Guard::ReduceOnly, "Sell 2", "a position of 1", |w| {
        w.position = quantity(1.0);
        operator_exit(w, 2.0);
    });
    refuses(Guard::ReduceOnly, "Sell 1", "a position of 1", |w| {
        (w.position, w.open_sells) = (quantity(1.0), quantity(0.5)); // half of it is on its way out already
        operator_exit(w, 1.0);
    });
    passes(|w| {
        w.position = quantity(1.0);
        operator_exit(w, 1.0);
    });
}

#[test]
fn an_order_stays_within_max_order() {
    passes(|w| buy(w, 10.0));
    refuses(Guard::MaxOrder, "1000.000001", "1000", |w| buy(w, 10.000_000_01));
    refuses(Guard::MaxOrder, "1000", "500", |w| {
        w.limits.max_order.amount = Some(50_000_000_000);
        buy(w, 10.0);
    });
    refuses(Guard::MaxOrder, "an amount that cannot be known", "1000", |w| w.rate = None);
    refuses(Guard::MaxOrder, "1100", "1000", |w| {
        w.proposal.request.kind = OrderKind::Limit { price: w.instrument.price("110").unwrap() }; // judged at the worse price
        buy(w, 10.0);
    });
}

#[test]
fn a_position_stays_within_max_position_if_everything_filled() {
    passes(|w| (w.position, w.open_buys) = (quantity(30.0), quantity(4.0)));
    refuses(Guard::MaxPosition, "3500.000001", "3500", |w| {
        (w.position, w.open_buys) = (quantity(30.0), quantity(4.000_000_01))
    });
    passes(|w| {
        (w.position, w.free_funds) = (quantity(100.0), 100 * UNIT); // far over: only the way down is open
        sell(w, 50.0);
    });
    // coins that were deposited are no position; there is less of them afterwards
    let deposited = |free_funds, borrow| {
        move |w: &mut World| {
            (w.limits.max_order, w.limits.borrow, w.free_funds) = (Cap::NONE, borrow, free_funds);
            sell(w, 36.0);
        }
    };
    passes(deposited(36 * UNIT, false));
    refuses(Guard::MaxPosition, "3600", "3500", deposited(36 * UNIT - 1, false));
    refuses(Guard::MaxPosition, "3600", "3500", deposited(36 * UNIT, true));
}

#[test]
fn cash_covers_a_buy_with_its_fee_and_the_asset_covers_a_sell() {
    passes(|w| w.free_funds = 100 * UNIT + UNIT / 10);
    refuses(Guard::Funds, "100.1", "100.09999999", |w| w.free_funds = 100 * UNIT + UNIT / 10 - 1);
    refuses(Guard::Funds, "1", "0.99999999", |w| {
        w.free_funds = UNIT - 1;
        sell(w, 1.0);
    });
    passes(|w| {
        (w.free_funds, w.limits.borrow) = (0, true);
    });
}

#[test]
fn losses_leave_only_the_way_down_open() {
    passes(|w| w.day_equity = 10_309 * UNIT);
    refuses(Guard::DailyLoss, "3 %", "3 %", |w| (w.equity, w.day_equity) = (9_700 * UNIT, 10_000 * UNIT));
    passes(|w| w.peak_equity = 11_111 * UNIT);
    refuses(Guard::Drawdown, "10 %", "10 %", |w| {
        (w.equity, w.day_equity, w.peak_equity) = (9_000 * UNIT, 9_000 * UNIT, 10_000 * UNIT)
    });
    refuses(Guard::MaxOrder, "100", "0", |w| (w.equity, w.day_equity, w.peak_equity) = (-UNIT, -UNIT, -UNIT));
    passes(|w| {
        (w.equity, w.position, w.free_funds) = (5_000 * UNIT, quantity(1.0), UNIT);
        sell(w, 1.0);
    });
}

#[test]
fn absurd_numbers_are_refused_not_computed() {
    for size in [i64::MAX, i64::MIN + 1, 0, -1] {
        let refusal = verdict(|w| w.proposal.request.quantity = Quantity::from_mantissa(size)).unwrap_err();
        assert!(matches!(refusal.guard, Guard::Order | Guard::MaxOrder), "{refusal}");
    }
}

#[test]
fn limits_that_mean_nothing_are_refused() {
    for limits in [
        Limits { max_order: Cap { equity_bps: Some(0), amount: None }, ..Limits::CONSERVATIVE },
        Limits { max_position: Cap { equity_bps: None, amount: Some(-1) }, ..Limits::CONSERVATIVE },
        Limits { daily_loss_bps: Some(0), ..Limits::CONSERVATIVE },
        Limits { drawdown_bps: Some(10_000), ..Limits::CONSERVATIVE },
        Limits { stale_after_nanos: Some(0), ..Limits::CONSERVATIVE },
    ] {
        assert_eq!(limits.validate().unwrap_err().code(), "GATE-90");
    }
    for limits in [Limits::CONSERVATIVE, Limits::RESEARCH, Limits::OPEN] {
        assert_eq!(limits.validate(), Ok(()));
    }
}

/// A target at 110 and a stop at 90 for one bitcoin that is held, at a mark of 100.
fn pair(w: &World) -> [Proposal; 2] {
    let price = |text: &str| w.instrument.price(text).unwrap();
    let target = OrderRequest::limit(w.instrument.id, Side::Sell, quantity(1.0), price("110"));
    let target = OrderRequest { oco: Some(OcoGroup(7)), ..target };
    let stop = OrderRequest { kind: OrderKind::Stop { trigger: price("90") }, ..target };
    [target, stop].map(|request| Proposal { request, ..w.proposal.clone() })
}

fn pair_verdict(change: impl FnOnce(&mut World, &mut [Proposal; 2])) -> Result<(), Refusal> {
    let mut w = World { position: quantity(1.0), free_funds: UNIT, ..world() };
    let mut proposals = pair(&w);
    change(&mut w, &mut proposals);
    let ids = [1, 2].map(ClientOrderId::from_u128);
    let approved = review_pair(&view(&w), &proposals, ids).map_err(|refusal| *refusal)?;
    let orders = approved.action().orders();
    assert_eq!(orders.iter().map(|it| *it.request()).collect::<Vec<_>>(), proposals.map(|it| it.request));
    assert_eq!(approved.action().client_ids().collect::<Vec<_>>(), ids);
    Ok(())
}

fn pair_refuses(guard: Guard, value: &str, limit: &str, change: impl FnOnce(&mut World, &mut [Proposal; 2])) {
    let refusal = pair_verdict(change).expect_err("it should have been refused");
    assert_eq!((refusal.guard, refusal.value.as_str(), refusal.limit.as_str()), (guard, value, limit));
}

#[test]
fn a_pair_is_a_target_and_a_stop_around_the_market() {
    let price = |text: &str| world().instrument.price(text).unwrap();
    let to_buy = |w: &mut World, pair: &mut [Proposal; 2]| {
        w.free_funds = 10_000 * UNIT;
        pair.iter_mut().for_each(|it| it.request.side = Side::Buy);
        pair.reverse(); // either order will do
        pair[0].request.kind = OrderKind::StopLimit { trigger: price("110"), price: price("111") };
        pair[1].request.kind = OrderKind::Limit { price: price("90") };
    };
    assert_eq!(pair_verdict(|_, _| ()), Ok(()));
    assert_eq!(pair_verdict(to_buy), Ok(()));
    for (target, stop, value, limit) in [
        ("100", "90", "a target at 100", "above the market at 100"),
        ("99", "90", "a target at 99", "above the market at 100"),
        ("110", "100", "a stop at 100", "below the market at 100"),
        ("90", "110", "a target at 90", "above the market at 100"),
    ] {
        pair_refuses(Guard::Pair, value, limit, |_, pair| {
            pair[0].request.kind = OrderKind::Limit { price: price(target) };
            pair[1].request.kind = OrderKind::Stop { trigger: price(stop) };
        });
    }
    pair_refuses(Guard::Pair, "a target at 101", "below the market at 100", |w, pair| {
        to_buy(w, pair);
        pair[1].request.kind = OrderKind::Limit { price: price("101") };
    });
    pair_refuses(Guard::Pair, "a stop at 99", "above the market at 100", |w, pair| {
        to_buy(w, pair);
        pair[0].request.kind = OrderKind::Stop { trigger: price("99") };
    });
}

#[test]
fn two_orders_that_do_not_belong_together_are_no_pair() {
    for (what, change) in [
        ("portfolios", (|it| it.portfolio = PortfolioId(1)) as fn(&mut Proposal)),
        ("instruments", |it| it.request.instrument = InstrumentId(1)),
        ("sides", |it| it.request.side = Side::Buy),
        ("quantities", |it| it.request.quantity = quantity(0.5)),
        ("groups", |it| it.request.oco = Some(OcoGroup(8))),
        ("groups", |it| it.request.oco = None),
    ] {
        pair_refuses(Guard::Pair, &format!("two {what}"), &format!("the same {what} for both"), |_, pair| {
            change(&mut pair[1]);
        });
    }
    let refusal = pair_verdict(|_, pair| pair[1].request.kind = pair[0].request.kind).unwrap_err();
    assert_eq!((refusal.guard, refusal.limit.as_str()), (Guard::Pair, "a limit order and a stop"));
}

#[test]
fn a_pair_goes_whole_or_not_at_all() {
    let price = |text: &str| world().instrument.price(text).unwrap();
    // the stop alone breaks a limit: buying at 10,000 is more than an order may be worth
    let dear = |w: &mut World, pair: &mut [Proposal; 2]| {
        (w.position, w.free_funds) = (Quantity::ZERO, 100_000 * UNIT);
        pair.iter_mut().for_each(|it| it.request.side = Side::Buy);
        pair[0].request.kind = OrderKind::Limit { price: price("90") };
        pair[1].request.kind = OrderKind::StopLimit { trigger: price("110"), price: price("10000") };
    };
    assert_eq!(pair_verdict(dear).unwrap_err().guard, Guard::MaxOrder);
    pair_refuses(
        Guard::Order,
        "DOM-08: an order in an oco group must be able to wait",
        "see the message for the two fields that disagree",
        |_, pair| {
            pair[1].request.time_in_force = TimeInForce::Fok;
        },
    );
    pair_refuses(Guard::Funds, "1", "0.5", |w, _| w.free_funds = UNIT / 2);
    pair_refuses(Guard::StaleData, "no mark", "a mark", |w, _| w.mark = None);
    pair_refuses(Guard::Halt, "kill switch", "an operator's reduce-only order", |w, _| w.halted = Some("kill switch"));
    let exit = |pair: &mut [Proposal; 2], count: usize| {
        for it in pair.iter_mut().take(count) {
            (it.source, it.request.reduce_only) = (Source::Operator, true);
        }
    };
    pair_refuses(Guard::Halt, "kill switch", "an operator's reduce-only order", |w, pair| {
        w.halted = Some("kill switch");
        exit(pair, 1);
    });
    assert_eq!(
        pair_verdict(|w, pair| {
            w.halted = Some("kill switch");
            exit(pair, 2);
        }),
        Ok(())
    );
}

/// Order, position and age of the mark in every shipped profile: at the limit it passes, one unit past it does not.
#[test]
fn the_first_limits_of_every_profile_are_reached_from_both_sides() {
    for limits in [Limits::DEMO, Limits::CONSERVATIVE, Limits::MODERATE] {
        let cap = |cap: Cap| Quantity::from_mantissa(i64::try_from(cap.units(10_000 * UNIT).unwrap() / 100).unwrap());
        let (order, position) = (cap(limits.max_order), cap(limits.max_position));
        let one_more = |quantity: Quantity| quantity + Quantity::from_mantissa(1);
        let judged = |change: &dyn Fn(&mut World)| {
            verdict(|w| {
                (w.limits, w.free_funds) = (limits, i128::from(i64::MAX));
                change(w);
            })
            .map_err(|refusal| refusal.guard)
        };
        let wide = Cap { equity_bps: Some(1_000_000), amount: None };
        let ordering = |size| move |w: &mut World| (w.proposal.request.quantity, w.limits.max_position) = (size, wide);
        assert_eq!(judged(&ordering(order)), Ok(()));
        assert_eq!(judged(&ordering(one_more(order))), Err(Guard::MaxOrder));
        let small = quantity(0.01);
        let holding = |held: Quantity| move |w: &mut World| (w.position, w.proposal.request.quantity) = (held, small);
        assert_eq!(judged(&holding(position - small)), Ok(()));
        assert_eq!(judged(&holding(one_more(position - small))), Err(Guard::MaxPosition));
        let stale = limits.stale_after_nanos.unwrap();
        let aged = |nanos: i64| {
            move |w: &mut World| {
                w.mark = w.mark.map(|mark| Mark { at: NOW.plus_nanos(-nanos), ..mark });
                w.proposal.request.quantity = small;
            }
        };
        assert_eq!(judged(&aged(stale - 1)), Ok(()));
        assert_eq!(judged(&aged(stale)), Err(Guard::StaleData));
    }
}

/// Books that hold nothing, and a hard cap of 50.
#[derive(Debug)]
struct Empty(tradewind_risk::AccountLimits, tradewind_risk::Monitor);

impl Books for Empty {
    fn survey(&self, _proposal: &Proposal) -> Survey<'_> {
        Survey {
            account: &self.0,
            monitor: &self.1,
            account_equity: 10_000 * UNIT,
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

#[test]
fn a_breach_of_the_accounts_limits_is_a_refusal_with_its_own_code() {
    let caps = tradewind_risk::AccountCaps { hard_order_amount: Some(5_000_000_000), ..Default::default() };
    let limits = tradewind_risk::AccountLimits { caps, ..tradewind_risk::AccountLimits::NONE };
    let books = Empty(limits, tradewind_risk::Monitor::default());
    let w = world();
    let risk = Some(RiskView { books: &books, is_slice: false, may_shrink: true });
    let refusal = review(&View { risk, ..view(&w) }, &w.proposal, ClientOrderId::from_u128(1)).unwrap_err();
    assert_eq!((refusal.guard, refusal.code(), refusal.name().as_str()), (Guard::Risk, "RSK-23", "HardCap"));
    assert_eq!((refusal.value.as_str(), refusal.limit.as_str()), ("100", "50"));
    let json = serde_json::to_string(&refusal).unwrap();
    assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), *refusal);
}

/// Books whose ten levels hold 5, of which 1 at the best price.
#[derive(Debug)]
struct Thin(tradewind_risk::AccountLimits, tradewind_risk::Monitor);

impl Books for Thin {
    fn survey(&self, proposal: &Proposal) -> Survey<'_> {
        let one = UNIT as u64;
        let depth = tradewind_risk::SideDepth::new(one, 5 * one).ok();
        let empty = Empty(self.0.clone(), tradewind_risk::Monitor::default());
        let Survey { account_equity, depth_source, .. } = empty.survey(proposal);
        Survey {
            account: &self.0,
            monitor: &self.1,
            account_equity,
            lines: Vec::new(),
            unvalued: 0,
            depth,
            depth_source,
            open_orders_symbol: 0,
            open_orders: 0,
            own_opposite: None,
            foreign_opposite: None,
            margin: None,
        }
    }
}

/// What the gate makes of a buy of 4 where the limit on impact is 15 basis points, which 2 stay within.
fn thin(mode: i64, may_shrink: bool, change: impl FnOnce(&mut World)) -> Result<(Quantity, Option<String>), Guard> {
    let books = Thin(tradewind_risk::AccountLimits::NONE, tradewind_risk::Monitor::default());
    let mut w = world();
    let controls = tradewind_risk::Controls {
        impact_bps: Some(15),
        impact_mode: Some(mode),
        ..tradewind_risk::Controls::default()
    };
    w.limits = Limits { controls: Some(controls), ..Limits::OPEN };
    w.proposal.request.quantity = quantity(4.0);
    change(&mut w);
    let risk = Some(RiskView { books: &books, is_slice: false, may_shrink });
    let approved =
        review(&View { risk, ..view(&w) }, &w.proposal, ClientOrderId::from_u128(1)).map_err(|no| no.guard)?;
    let told = approved.resized().map(|it| format!("{} from {} to {}: {}", it.what, it.from, it.to, it.reason));
    Ok((approved.action().orders()[0].quantity(), told))
}

#[test]
fn an_order_is_made_as_small_as_its_impact_wants_and_says_both_sizes() {
    let want = "quantity from 4 to 2: limits.impact_mode is conservative: more would move the price further than 0.15 % \
                by ten levels of the book";
    assert_eq!(thin(2, true, |_| ()), Ok((quantity(2.0), Some(want.to_owned()))));
    assert_eq!(thin(1, true, |_| ()), Err(Guard::Risk), "strict refuses");
    assert_eq!(thin(3, true, |_| ()), Ok((quantity(4.0), None)), "ten levels hold it");
    assert_eq!(thin(2, true, |w| w.proposal.request.quantity = quantity(2.0)), Ok((quantity(2.0), None)));
}

#[test]
fn only_what_takes_alone_and_adds_is_made_smaller() {
    assert_eq!(thin(2, false, |_| ()), Err(Guard::Risk), "a slice, or what people approved");
    let asked = |w: &mut World| w.ruling = Some(tradewind_governance::Ruling::NeedsApproval { quorum: 1 });
    assert_eq!(thin(2, true, asked), Err(Guard::Risk), "people are not asked about an order that could not go");
    let grouped = |w: &mut World| w.proposal.request.oco = Some(OcoGroup(1));
    assert_eq!(thin(2, true, grouped), Err(Guard::Risk), "two of a group have one size");
    let resting = |w: &mut World| {
        w.proposal.request =
            OrderRequest::limit(InstrumentId(0), Side::Buy, quantity(4.0), w.instrument.price("99").unwrap());
    };
    assert_eq!(thin(2, true, resting), Ok((quantity(4.0), None)), "it waits below the market");
    let crossing = |w: &mut World| {
        w.proposal.request =
            OrderRequest::limit(InstrumentId(0), Side::Buy, quantity(4.0), w.instrument.price("101").unwrap());
    };
    assert_eq!(thin(2, true, crossing).map(|found| found.0), Ok(quantity(2.0)));
    let exit = |w: &mut World| {
        w.position = quantity(4.0);
        w.proposal.request.side = Side::Sell;
    };
    assert_eq!(thin(2, true, exit), Ok((quantity(4.0), None)), "what reduces is let out whole");
}

#[test]
fn nothing_is_made_smaller_than_its_instrument_lets_an_order_be() {
    let least = |units: f64| move |w: &mut World| w.instrument.spec.min_quantity = quantity(units);
    assert_eq!(thin(2, true, least(2.0)).map(|found| found.0), Ok(quantity(2.0)));
    assert_eq!(thin(2, true, least(2.5)), Err(Guard::Risk));
    let worth = |text: &'static str| {
        move |w: &mut World| {
            w.instrument.spec.min_notional = Money::parse(text, Currency::new("USDT").unwrap()).unwrap()
        }
    };
    assert_eq!(thin(2, true, worth("200")).map(|found| found.0), Ok(quantity(2.0)));
    assert_eq!(thin(2, true, worth("200.01")), Err(Guard::Risk));
    let in_lots = |w: &mut World| w.instrument.spec.lot = quantity(0.3);
    let of_three_tenths = thin(2, true, |w| {
        in_lots(w);
        w.proposal.request.quantity = quantity(3.9);
    });
    assert_eq!(of_three_tenths.map(|found| found.0), Ok(quantity(1.8)), "whole lots");
}

#[test]
fn every_guard_judges_the_order_as_it_goes() {
    let cap = |units: i64| {
        move |w: &mut World| w.limits.max_order = Cap { equity_bps: None, amount: Some(units * UNIT as i64) }
    };
    assert_eq!(thin(2, true, cap(200)).map(|found| found.0), Ok(quantity(2.0)), "worth 200 as it goes, 400 as asked");
    assert_eq!(thin(2, true, cap(199)), Err(Guard::MaxOrder));
}

#[test]
fn a_market_order_leaves_with_the_worst_price_that_its_limits_allow_and_is_paid_for_at_it() {
    let worst = |change: &dyn Fn(&mut World)| {
        let mut w = world();
        w.limits = Limits { controls: Some(collar()), ..Limits::RESEARCH };
        change(&mut w);
        let approved = review(&view(&w), &w.proposal, ClientOrderId::from_u128(1)).map_err(|refusal| *refusal)?;
        let Action::Submit(order) = approved.action() else { panic!("one order") };
        assert_eq!(*order.request(), w.proposal.request, "what was asked for stays");
        Ok::<_, Refusal>(order.worst().map(|price| w.instrument.price_text(price)))
    };
    assert_eq!(worst(&|_| ()).unwrap().as_deref(), Some("101"));
    assert_eq!(worst(&|w| w.limits.controls = None).unwrap(), None);
    let limit = OrderKind::Limit { price: world().mark.unwrap().price };
    assert_eq!(worst(&|w| w.proposal.request.kind = limit).unwrap(), None);
    // the venue sets aside 101 and a fee of a tenth of a percent
    let funds = |text: &'static str| {
        worst(&move |w| w.free_funds = Money::parse(text, Currency::new("USDT").unwrap()).unwrap().units)
    };
    assert_eq!(funds("101.101").unwrap().as_deref(), Some("101"));
    assert_eq!(funds("101.1").unwrap_err().guard, Guard::Funds);
    // a way out of a wide spread is bounded from where it would begin
    let leaves = |w: &mut World| {
        (w.position, w.proposal.request.side) = (quantity(1.0), Side::Sell);
        w.free_funds = UNIT;
        let at = |text: &str| w.instrument.price(text).unwrap();
        let size = quantity(1.0);
        w.quote =
            Some(Quote { instrument: InstrumentId(0), bid: at("95"), bid_size: size, ask: at("105"), ask_size: size });
    };
    assert_eq!(worst(&leaves).unwrap().as_deref(), Some("94.05"));
}

fn collar() -> tradewind_risk::Controls {
    tradewind_risk::Controls { market_collar_bps: Some(100), ..Default::default() }
}
