//! Domain orders as bytes, and the venue's reports as domain facts.

use crate::support::{OUR_ID, bitcoin, exchange_info};
use expect_test::expect;
use serde_json::{Value, json};
use tradewind_domain::{
    Coded as _, FeeSchedule, Order, OrderKind, OrderRequest, PortfolioId, Side, TimeInForce, Timestamp, VenueOrderId,
};
use tradewind_venues::VenueReport;
use tradewind_venues::binance::convert::{
    Instruments, ListingRules, RECV_WINDOW_MILLIS, list_symbol, prepare_cancel, prepare_order, report,
};
use tradewind_venues::binance::wire::{ExchangeInfo, OrderType};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn rules() -> ListingRules {
    let info: ExchangeInfo = serde_json::from_value(exchange_info()).unwrap();
    list_symbol(&info.symbols[0], FeeSchedule::default()).unwrap().rules
}

fn body(change: impl FnOnce(&mut OrderRequest), rules: &ListingRules) -> String {
    let it = bitcoin();
    let mut request = OrderRequest::market(it.id, Side::Buy, it.quantity("0.00100").unwrap());
    change(&mut request);
    let order = Order::new(&it, PortfolioId(0), OUR_ID, request, it.price("50000").ok()).unwrap();
    match prepare_order(&it, &order, Some(rules), NOW, RECV_WINDOW_MILLIS) {
        Ok(prepared) => prepared.body().to_owned(),
        Err(error) => format!("{} {error}", error.code()),
    }
}

#[test]
fn each_kind_of_order_has_its_bytes_or_its_refusal() {
    let price = |text: &str| bitcoin().price(text).unwrap();
    let limit = OrderKind::Limit { price: price("50000.10") };
    let stop = OrderKind::Stop { trigger: price("60000") };
    let stop_limit = OrderKind::StopLimit { trigger: price("60000"), price: price("60100.5") };
    let mut all = rules();
    let mut table = String::new();
    let mut line = |name: &str, text: String| table.push_str(&format!("{name}: {text}\n"));
    line("market", body(|_| (), &all));
    line("limit", body(|r| r.kind = limit, &all));
    line("ioc", body(|r| (r.kind, r.time_in_force) = (limit, TimeInForce::Ioc), &all));
    line("fok sell", body(|r| (r.kind, r.time_in_force, r.side) = (limit, TimeInForce::Fok, Side::Sell), &all));
    line("post only", body(|r| (r.kind, r.post_only) = (limit, true), &all));
    line("stop limit", body(|r| r.kind = stop_limit, &all));
    line("reduce-only sell", body(|r| (r.side, r.reduce_only) = (Side::Sell, true), &all));
    line("stop, unlisted", body(|r| r.kind = stop, &all));
    all.order_types.push(OrderType::StopLoss);
    line("stop, listed", body(|r| r.kind = stop, &all));
    line("market fok", body(|r| r.time_in_force = TimeInForce::Fok, &all));
    let till = TimeInForce::Gtd(NOW); // the engine's affair: it cancels the order then
    line("gtd", body(|r| (r.kind, r.time_in_force) = (limit, till), &all));
    line("gtd post only", body(|r| (r.kind, r.time_in_force, r.post_only) = (limit, till, true), &all));
    line("gtd stop", body(|r| (r.kind, r.time_in_force) = (stop, till), &all));
    line("post-only stop limit", body(|r| (r.kind, r.post_only) = (stop_limit, true), &all));
    line("reduce-only buy", body(|r| r.reduce_only = true, &all));
    expect![[r#"
        market: symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        limit: symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000.1&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        ioc: symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.001&price=50000.1&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        fok sell: symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=FOK&quantity=0.001&price=50000.1&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        post only: symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.001&price=50000.1&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        stop limit: symbol=BTCUSDT&side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.001&price=60100.5&newClientOrderId=018bcfe568000000000000000000002a&stopPrice=60000&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        reduce-only sell: symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        stop, unlisted: VEN-19 BTCUSDT: takes no orders of type STOP_LOSS
        stop, listed: symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=0.001&newClientOrderId=018bcfe568000000000000000000002a&stopPrice=60000&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        market fok: VEN-19 BTCUSDT: a market order cannot be FOK
        gtd: symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000.1&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        gtd post only: symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.001&price=50000.1&newClientOrderId=018bcfe568000000000000000000002a&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        gtd stop: symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=0.001&newClientOrderId=018bcfe568000000000000000000002a&stopPrice=60000&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        post-only stop limit: VEN-19 BTCUSDT: a stop-limit order cannot be post-only
        reduce-only buy: VEN-19 BTCUSDT: spot has no reduce-only buys
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_market_order_with_a_worst_price_is_a_limit_order_immediate_or_cancel() {
    let it = bitcoin();
    let request = OrderRequest::market(it.id, Side::Sell, it.quantity("0.00100").unwrap());
    let order = Order::new(&it, PortfolioId(0), OUR_ID, request, it.price("50000").ok()).unwrap();
    let order = order.no_worse_than(it.price("49500").ok());
    let prepared = prepare_order(&it, &order, Some(&rules()), NOW, RECV_WINDOW_MILLIS).unwrap();
    let want = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=IOC&quantity=0.001&price=49500&";
    assert!(prepared.body().starts_with(want), "{}", prepared.body());
}

#[test]
fn a_cancel_names_our_id_and_the_venues_when_it_is_known() {
    let known = VenueOrderId("28".into());
    let with = prepare_cancel(&bitcoin(), OUR_ID, Some(&known), NOW, 1_500);
    let without = prepare_cancel(&bitcoin(), OUR_ID, None, NOW, 1_500);
    assert_eq!(
        with.body(),
        format!("symbol=BTCUSDT&orderId=28&origClientOrderId={OUR_ID}&recvWindow=1500&timestamp=1700000000000")
    );
    assert_eq!(with.body().replace("orderId=28&", ""), without.body());
    assert_eq!((with.not_before(), with.fence().millis()), (NOW, 1_700_000_001_500));
    assert_ne!(with.sha256(), without.sha256());
}

#[test]
fn a_listing_becomes_an_instrument_with_its_rules() {
    let it = bitcoin();
    assert_eq!((it.price_text(it.spec.tick), it.quantity_text(it.spec.lot)), ("0.01".to_owned(), "0.00001".to_owned()));
    assert_eq!(it.spec.min_notional.to_string(), "5 USDT");
    assert_eq!(it.quantity_text(it.spec.max_quantity), "9000");
    let rules = rules();
    assert_eq!(it.quantity_text(rules.market_max_quantity), "112.21");
    assert!(rules.trading && rules.max_orders == Some(200) && rules.unknown_filters == 1);

    let mut broken = exchange_info();
    broken["symbols"][0]["filters"].as_array_mut().unwrap().retain(|f| f["filterType"] != "LOT_SIZE");
    let info: ExchangeInfo = serde_json::from_value(broken).unwrap();
    assert_eq!(list_symbol(&info.symbols[0], FeeSchedule::default()).unwrap_err().code(), "VEN-22");
}

#[test]
fn a_filter_that_cannot_be_read_or_is_below_zero_is_named_with_its_value() {
    let said = |filter: usize, field: &str, value: &str| {
        let mut listed = exchange_info();
        listed["symbols"][0]["filters"][filter][field] = json!(value);
        let info: ExchangeInfo = serde_json::from_value(listed).unwrap();
        let error = list_symbol(&info.symbols[0], FeeSchedule::default()).unwrap_err();
        format!("{} {error}", error.code())
    };
    for (filter, field) in
        [(0, "tickSize"), (1, "stepSize"), (1, "minQty"), (1, "maxQty"), (2, "maxQty"), (3, "minNotional")]
    {
        for (value, why) in [("0.0x000000", "is not a decimal number"), ("-.01000000", "is below zero")] {
            assert_eq!(said(filter, field, value), format!("VEN-21 {field} of BTCUSDT: `{value}` {why}"));
        }
    }
}

fn execution(change: &[(&str, Value)]) -> Value {
    let mut event = json!({
        "E": 1, "s": "BTCUSDT", "c": OUR_ID.to_string(), "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "1.00000000",
        "p": "100.00000000", "P": "0", "x": "NEW", "X": "NEW", "r": "NONE", "i": 28, "l": "0", "z": "0", "L": "0",
        "n": "0", "N": null, "T": 5, "t": -1, "w": true, "m": false, "O": 1, "Z": "0", "C": "",
    });
    for (name, value) in change {
        event[*name] = value.clone();
    }
    event
}

fn check(change: &[(&str, Value)], want: &str) {
    let event = serde_json::from_value(execution(change)).unwrap();
    let told = match report(&Instruments::new([bitcoin()]), &event) {
        Ok(VenueReport::Accepted { price, .. }) => format!("accepted {:?}", price.map(|p| bitcoin().price_text(p))),
        Ok(VenueReport::Filled { fill, cumulative, .. }) => {
            let it = bitcoin();
            let (q, p) = (it.quantity_text(fill.quantity), it.price_text(fill.price));
            format!("filled {q} at {p} {:?} fee {} of {}", fill.liquidity, fill.fee.0, it.quantity_text(cumulative))
        }
        Ok(VenueReport::Cancelled { client_id, .. }) => format!("cancelled {}", client_id == OUR_ID),
        Ok(VenueReport::Expired { reason, .. }) => format!("expired {reason}"),
        Ok(VenueReport::Rejected { code, definitive, .. }) => format!("rejected {code} {definitive}"),
        Ok(VenueReport::Amended { quantity, .. }) => format!("amended {}", bitcoin().quantity_text(quantity)),
        Ok(VenueReport::Foreign(foreign)) => format!("foreign {} {}", foreign.client_id, foreign.what),
        Err(error) => format!("{} {error}", error.code()),
    };
    assert_eq!(told, want);
}

#[test]
fn execution_reports_become_facts_or_say_what_is_wrong() {
    let trade = |more: &[(&'static str, Value)]| {
        let mut all = vec![
            ("x", json!("TRADE")),
            ("l", json!("0.4")),
            ("L", json!("99.5")),
            ("t", json!(7)),
            ("z", json!("0.4")),
        ];
        all.extend(more.iter().cloned());
        all
    };
    check(&[], "accepted Some(\"100\")");
    check(&[("p", json!("0.00000000"))], "accepted None");
    check(&trade(&[("n", json!("0.0004")), ("N", json!("BTC"))]), "filled 0.4 at 99.5 Taker fee 0.0004 BTC of 0.4");
    check(
        &trade(&[("n", json!("-0.01")), ("N", json!("BNB")), ("m", json!(true))]),
        "filled 0.4 at 99.5 Maker fee -0.01 BNB of 0.4",
    );
    check(&trade(&[]), "filled 0.4 at 99.5 Taker fee 0 USDT of 0.4");
    check(&trade(&[("t", json!(-1))]), "VEN-21 t of BTCUSDT: `-1` is no trade id");
    check(&trade(&[("l", json!("0"))]), "VEN-21 l of BTCUSDT: `0` is out of its bounds");
    check(&trade(&[("L", json!("NaN"))]), "VEN-21 L of BTCUSDT: `NaN` is not a decimal number");
    check(&trade(&[("L", json!("0.000000001"))]), "VEN-21 L of BTCUSDT: `0.000000001` has more than 8 decimals");
    let cancel = [("x", json!("CANCELED")), ("c", json!("someCancelId")), ("C", json!(OUR_ID.to_string()))];
    check(&cancel, "cancelled true");
    check(&[("x", json!("CANCELED"))], "cancelled true");
    check(&[("x", json!("EXPIRED")), ("X", json!("EXPIRED"))], "expired EXPIRED");
    check(&[("x", json!("TRADE_PREVENTION")), ("X", json!("EXPIRED_IN_MATCH"))], "expired EXPIRED_IN_MATCH");
    check(&[("x", json!("REJECTED")), ("r", json!("INSUFFICIENT_BALANCES"))], "rejected INSUFFICIENT_BALANCES true");
    check(&[("x", json!("REPLACED")), ("q", json!("0.5"))], "amended 0.5");
    check(&[("x", json!("INVENTED"))], "VEN-21 x of BTCUSDT: `INVENTED` is not a known execution type");
    check(&[("c", json!("web_7"))], "foreign web_7 NEW");
    check(&[("c", json!("web_7")), ("S", json!("UP"))], "VEN-21 side of BTCUSDT: `UP` is neither BUY nor SELL");
    check(&[("s", json!("NOSUCH"))], "VEN-20 `NOSUCH` is not among the instruments of this connection");
}
