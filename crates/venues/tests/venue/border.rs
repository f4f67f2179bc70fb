//! What the venue says and no order can be: numbers out of their bounds, moments that are none, orders that go on.

use crate::streams::describe;
use crate::support::{OUR_ID, bitcoin, permit};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_domain::{Coded as _, InstrumentId, OrderKind, OrderRequest, Quantity, Side, Timestamp};
use tradewind_venues::binance::convert::{Instruments, balances, fill_of_trade, standing, time_of_trade};
use tradewind_venues::binance::protocol::{OrderAnswer, UserFrame, read_order_answer, read_user_frame};
use tradewind_venues::binance::wire::{Account, AccountTrade, OrderReport, RateLimitInterval};
use tradewind_venues::{VenueEvent, VenueReport};

const RECEIVED: Timestamp = Timestamp::from_millis(1_700_000_009_999);

fn all() -> Instruments {
    Instruments::new([bitcoin()])
}

fn with(mut value: Value, changes: &[(&str, &str)]) -> Value {
    for (field, text) in changes {
        value[*field] = json!(text);
    }
    value
}

/// An execution of 0.001 at 50,000 of an order over 0.002, with other texts in some fields.
fn told(changes: &[(&str, &str)]) -> Vec<VenueEvent> {
    let report = json!({
        "e": "executionReport", "E": 1_700_000_000_001_i64, "s": "BTCUSDT", "c": OUR_ID.to_string(), "S": "BUY",
        "o": "LIMIT", "f": "GTC", "q": "0.002", "p": "50000.01", "P": "0", "F": "0", "g": -1, "C": "", "x": "TRADE",
        "X": "PARTIALLY_FILLED", "r": "NONE", "i": 28, "l": "0.001", "z": "0.001", "L": "50000", "n": "0.000001",
        "N": "BTC", "T": 1_700_000_000_000_i64, "t": 77, "I": 1, "w": true, "m": false, "M": false,
        "O": 1_700_000_000_000_i64, "Z": "0", "Y": "0", "Q": "0",
    });
    let frame = json!({ "subscriptionId": 0, "event": with(report, changes) }).to_string();
    match read_user_frame(&all(), &frame, RECEIVED).unwrap() {
        UserFrame::Events(events) => events,
        other => panic!("{other:?}"),
    }
}

fn words(events: &[VenueEvent]) -> Vec<String> {
    events.iter().filter_map(describe).collect()
}

#[test]
fn an_execution_out_of_its_bounds_is_not_booked_and_the_lists_are_read() {
    assert_eq!(words(&told(&[])), ["filled 0.001 fee 0.000001 BTC"]);
    assert_eq!(
        words(&told(&[("q", "46116860414"), ("l", "46116860414"), ("z", "46116860414")])).len(),
        1,
        "a large one"
    );
    for changes in [
        &[("L", "0")][..],
        &[("L", "-1")],
        &[("L", "20000000000")],
        &[("l", "0")],
        &[("l", "-0.001")],
        &[("l", "92233720368.54775807")],
        &[("z", "-0.001")],
        &[("z", "0.003")],
        &[("q", "92233720368.54775807")],
        &[("n", "92233720368.54775807")],
        &[("n", "-92233720368.54775807")],
        &[("c", "web_7"), ("L", "0")],
        &[("c", "web_7"), ("l", "92233720368.54775807")],
        &[("x", "NEW"), ("p", "-1")],
        &[("x", "NEW"), ("q", "-0.002")],
        &[("x", "REPLACED"), ("q", "-0.002")],
    ] {
        assert_eq!(words(&told(changes)), ["fault VEN-21", "gap"], "{changes:?}");
    }
}

/// What is read of a balance of so much, free: the amount, or the asset and what is said of it.
fn balance_of(asset: &str, free: &str) -> Result<String, (String, String)> {
    let account = json!({
        "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0, "canTrade": true,
        "canWithdraw": false, "canDeposit": true, "updateTime": 1, "accountType": "SPOT",
        "balances": [{ "asset": asset, "free": free, "locked": "1" }],
    });
    let account: Account = serde_json::from_value(account).unwrap();
    match balances(&account) {
        (sound, faults) if faults.is_empty() => Ok(sound[0].free.amount()),
        (sound, faults) => {
            assert!(sound.is_empty() && faults[0].code() == "VEN-21", "{sound:?} {faults:?}");
            Err((faults[0].symbol().to_owned(), faults[0].to_string()))
        }
    }
}

#[test]
fn a_balance_is_read_however_much_it_is_or_named_with_its_asset() {
    for much in ["10000", "92233720368.54775808", "250000000000.00000001", "10000000000000000", "-5"] {
        assert_eq!(balance_of("SHIB", much), Ok(much.to_owned()));
    }
    for (asset, free, why) in [
        ("USDT", "1000O.0", "is not a decimal number"),
        ("USDT", "0.000000001", "has more than 8 decimals"),
        ("USDT", "10000000000000000.00000001", "is out of its bounds"),
        ("USDT", "1701411834604692317316873037158", "is out of its bounds"),
        ("USDT", "9999999999999999999999999999999", "is too large"),
        ("币安人生", "7", "is not the code of an asset"),
    ] {
        let (named, said) = balance_of(asset, free).unwrap_err();
        assert_eq!(named, asset);
        assert!(said.starts_with(&format!("free of {asset}: ")) && said.ends_with(why), "{said}");
    }
}

#[test]
fn a_transfer_of_more_than_there_can_be_is_left_out() {
    let said = |delta: &str| {
        let event = json!({ "e": "balanceUpdate", "E": 1, "a": "SHIB", "d": delta, "T": 1 });
        let frame = json!({ "subscriptionId": 0, "event": event }).to_string();
        match read_user_frame(&all(), &frame, RECEIVED).unwrap() {
            UserFrame::Events(events) => words(&events),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(said("-250000000000.5"), ["transferred -250000000000.5 SHIB"]);
    for delta in ["25O", "-20000000000000000", "1701411834604692317316873037158"] {
        assert_eq!(said(delta), ["fault VEN-21"], "{delta}");
    }
}

fn row(changes: &[(&str, &str)]) -> OrderReport {
    let row = json!({
        "symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "web_7", "price": "50000.01", "origQty": "0.002",
        "executedQty": "0.001", "cummulativeQuoteQty": "50", "status": "PARTIALLY_FILLED", "timeInForce": "GTC",
        "type": "LIMIT", "side": "SELL", "time": 1_700_000_000_000_i64, "updateTime": 1_700_000_000_001_i64,
        "isWorking": true,
    });
    serde_json::from_value(with(row, changes)).unwrap()
}

/// Asked and executed.
fn check_row(changes: &[(&str, &str)], want: Result<(&str, &str), &str>) {
    let seen = standing(&all(), &row(changes), RECEIVED);
    let text = |quantity: Quantity| bitcoin().quantity_text(quantity);
    let seen = seen.map(|it| (text(it.quantity), text(it.filled))).map_err(|error| error.code());
    let want = want.map(|(asked, executed)| (asked.to_owned(), executed.to_owned()));
    assert_eq!(seen, want, "{changes:?}");
}

#[test]
fn an_order_in_a_list_asks_for_no_less_than_it_got_and_for_no_more_than_there_is() {
    check_row(&[], Ok(("0.002", "0.001")));
    check_row(&[("origQty", "46116860414.00"), ("executedQty", "0")], Ok(("46116860414", "0")));
    check_row(&[("origQty", "0.00000000"), ("status", "FILLED")], Ok(("0.001", "0.001"))); // by an amount of money
    for changes in [
        [("executedQty", "0.003")],
        [("executedQty", "-0.001")],
        [("origQty", "-0.002")],
        [("origQty", "92233720368.54775807")],
        [("price", "-1")],
        [("price", "90000000000")],
    ] {
        check_row(&changes, Err("VEN-21"));
    }
}

#[test]
fn an_order_that_goes_on_after_a_prevented_match_is_worked_with_less() {
    let prevented = |status: &'static str, much: &'static str| {
        told(&[("x", "TRADE_PREVENTION"), ("X", status), ("A", much), ("B", much), ("l", "0")])
    };
    for status in ["NEW", "PARTIALLY_FILLED"] {
        let events = prevented(status, "0.0005");
        let [VenueEvent::Report { report: VenueReport::Amended { quantity, .. }, .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(bitcoin().quantity_text(*quantity), "0.0015", "{status}");
    }
    for status in ["EXPIRED_IN_MATCH", "EXPIRED"] {
        let events = prevented(status, "0.001");
        assert!(matches!(&events[..], [VenueEvent::Report { report: VenueReport::Expired { .. }, .. }]), "{events:?}");
    }
    for (status, much) in [("NEW", "0.0015"), ("NEW", "-0.0005"), ("INVENTED", "0.0005")] {
        assert_eq!(words(&prevented(status, much)), ["fault VEN-21", "gap"], "{status} {much}");
    }
    assert_eq!(
        words(&told(&[("x", "TRADE_PREVENTION"), ("X", "NEW")])),
        ["fault VEN-21", "gap"],
        "how much is not said"
    );
    check_row(&[("preventedQuantity", "0.0005")], Ok(("0.0015", "0.001")));
    check_row(&[("preventedQuantity", "0.001"), ("status", "EXPIRED_IN_MATCH")], Ok(("0.002", "0.001")));
    check_row(&[("preventedQuantity", "0.0015")], Err("VEN-21"));
}

/// A report says once more, with whatever comes after, how much was prevented of the order so far.
#[test]
fn what_was_prevented_of_an_order_is_no_part_of_its_executions_or_of_its_new_quantity() {
    assert_eq!(words(&told(&[("X", "FILLED"), ("A", "0.001")])), ["filled 0.001 fee 0.000001 BTC"]);
    let worked = |changes: &[(&str, &str)]| match &told(changes)[..] {
        [VenueEvent::Report { report: VenueReport::Amended { quantity, .. }, .. }] => {
            bitcoin().quantity_text(*quantity)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(worked(&[("x", "REPLACED"), ("q", "0.0018"), ("A", "0.0005"), ("l", "0")]), "0.0013");
    // an older report tells the match that was prevented where an execution would stand
    assert_eq!(worked(&[("x", "TRADE_PREVENTION"), ("A", "0.0005"), ("l", "0.0005"), ("L", "50000")]), "0.0015");
    let ends =
        told(&[("x", "TRADE_PREVENTION"), ("X", "EXPIRED_IN_MATCH"), ("A", "0.001"), ("B", "0.001"), ("pl", "0.001")]);
    let [VenueEvent::Report { report: VenueReport::Expired { cumulative, reason, .. }, .. }] = &ends[..] else {
        panic!("{ends:?}")
    };
    assert_eq!((bitcoin().quantity_text(*cumulative).as_str(), reason.as_str()), ("0.001", "EXPIRED_IN_MATCH"));
    check_row(&[("preventedQuantity", "0.001"), ("status", "FILLED")], Ok(("0.002", "0.001")));
}

fn trade(price: &str, quantity: &str, time: i64) -> AccountTrade {
    serde_json::from_value(json!({
        "symbol": "BTCUSDT", "id": 7, "orderId": 28, "orderListId": -1, "price": price, "qty": quantity,
        "quoteQty": "50", "commission": "0.05", "commissionAsset": "USDT", "time": time, "isBuyer": true,
        "isMaker": true, "isBestMatch": true
    }))
    .unwrap()
}

#[test]
fn an_execution_in_a_list_keeps_to_the_same_bounds() {
    let read = |price, quantity| fill_of_trade(&bitcoin(), OUR_ID, &trade(price, quantity, 0));
    assert!(read("50000", "0.001").is_ok());
    for (price, quantity) in [("0", "0.001"), ("-1", "0.001"), ("50000", "0"), ("50000", "92233720368.54775807")] {
        assert_eq!(read(price, quantity).unwrap_err().code(), "VEN-21", "{quantity} at {price}");
    }
}

#[test]
fn an_order_that_is_not_on_the_book_yet_waits_for_its_trigger() {
    for (working, status, waits) in [(false, "NEW", true), (true, "NEW", false), (false, "CANCELED", false)] {
        let row = OrderReport {
            is_working: working,
            ..row(&[("type", "STOP_LOSS_LIMIT"), ("status", status), ("executedQty", "0")])
        };
        let seen = standing(&all(), &row, RECEIVED).unwrap();
        assert_eq!((seen.waits, seen.price.is_some()), (waits, true), "{status}, working: {working}");
    }
}

#[test]
fn an_order_in_a_list_is_of_the_kind_that_it_waits_as() {
    let seen = |order_type: &str, price: &str, stop: &str, trailing_delta: Option<i64>| {
        let row = row(&[("type", order_type), ("price", price), ("stopPrice", stop), ("executedQty", "0")]);
        let seen = standing(&all(), &OrderReport { trailing_delta, ..row }, RECEIVED).unwrap();
        let trigger = seen.kind.as_ref().and_then(OrderKind::trigger).map(|price| bitcoin().price_text(price));
        (seen.kind.map_or(seen.kind_text, |kind| kind.word().to_owned()), trigger)
    };
    let check = |words: (&str, &str, &str, Option<i64>), kind: &str, trigger: Option<&str>| {
        let (order_type, price, stop, delta) = words;
        assert_eq!(seen(order_type, price, stop, delta), (kind.to_owned(), trigger.map(str::to_owned)), "{words:?}");
    };
    check(("LIMIT", "50000", "0.00", None), "limit", None);
    check(("LIMIT_MAKER", "50000", "", None), "limit", None);
    check(("MARKET", "0.00", "unread", None), "market", None);
    check(("STOP_LOSS", "0.00", "49000.00", None), "stop", Some("49000"));
    check(("STOP_LOSS_LIMIT", "48900", "49000.00", None), "stop-limit", Some("49000"));
    check(("TAKE_PROFIT", "0.00", "51000.00", None), "market-if-touched", Some("51000"));
    check(("TAKE_PROFIT_LIMIT", "51100", "51000.00", None), "limit-if-touched", Some("51000"));
    check(("STOP_LOSS", "0.00", "0.00", Some(100)), "trailing-stop", None);
    for (order_type, price, stop, delta) in [
        ("STOP_LOSS", "0.00", "51000", 100), // it follows from a first price on
        ("STOP_LOSS", "0.00", "0.00", 10_000),
        ("STOP_LOSS", "0.00", "0.00", -1),
        ("STOP_LOSS_LIMIT", "48900", "49000", 100),
        ("TAKE_PROFIT", "0.00", "0.00", 100),
    ] {
        let words = format!("{order_type} with trailingDelta {delta}");
        check((order_type, price, stop, Some(delta)), &words, None);
    }
    check(("STOP_LOSS", "0.00", "", None), "STOP_LOSS", None);
    check(("PEGGED", "50000", "", None), "PEGGED", None);
    for stop in ["-1", "x"] {
        check_row(&[("type", "STOP_LOSS"), ("stopPrice", stop)], Err("VEN-21"));
    }
    for (number, list) in [(-1, None), (7, Some(7))] {
        let row = OrderReport { order_list_id: number, ..row(&[]) };
        assert_eq!(standing(&all(), &row, RECEIVED).unwrap().list, list);
    }
}

#[test]
fn a_list_with_a_moment_that_is_none_counts_from_its_receipt() {
    let sound = 1_700_000_000_000;
    assert_eq!(time_of_trade(&trade("1", "1", sound), RECEIVED), Timestamp::from_millis(sound));
    for millis in [0, -1, 1_700_000_000, 1_700_000_000_000_000] {
        assert_eq!(time_of_trade(&trade("1", "1", millis), RECEIVED), RECEIVED, "{millis}");
        let row = OrderReport { time: millis, update_time: millis, ..row(&[]) };
        let seen = standing(&all(), &row, RECEIVED).unwrap();
        assert_eq!((seen.placed_at, seen.updated_at), (RECEIVED, RECEIVED), "{millis}");
    }
}

fn buy() -> OrderRequest {
    let it = bitcoin();
    OrderRequest::limit(InstrumentId(0), Side::Buy, it.quantity("0.001").unwrap(), it.price("50000.01").unwrap())
}

#[test]
fn an_acknowledgement_without_a_moment_counts_from_its_receipt() {
    let permit = permit(buy());
    let sent = Timestamp::from_millis(1_700_000_009_000);
    let sound = 1_700_000_000_123_i64;
    for (time, want) in [
        (json!(sound), Timestamp::from_millis(sound)),
        (Value::Null, RECEIVED),
        (json!(0), RECEIVED),
        (json!(sound * 1_000), RECEIVED),
    ] {
        let mut ack = json!({ "symbol": "BTCUSDT", "orderId": 28, "clientOrderId": OUR_ID.to_string() });
        if !time.is_null() {
            ack["transactTime"] = time.clone();
        }
        let text = json!({ "id": 1, "status": 200, "result": ack }).to_string();
        match read_order_answer(permit.get().action(), &text, sent, RECEIVED).answer {
            OrderAnswer::Ack(ack) => assert_eq!(ack.at, want, "{time}"),
            other => panic!("{time}: {other:?}"),
        }
    }
}

#[test]
fn an_interval_of_a_limit_may_be_as_long_as_it_likes() {
    let permit = permit(buy());
    let limit = |interval: &str, number: u64| json!({ "rateLimitType": "REQUEST_WEIGHT", "interval": interval, "intervalNum": number, "limit": 1, "count": 3 });
    let limits = [limit("DAY", 50_000), limit("MINUTE", 1), limit("FORTNIGHT", 1), limit("SECOND", 0)];
    let text = json!({ "id": 1, "status": 200, "result": {}, "rateLimits": limits }).to_string();
    let read = read_order_answer(permit.get().action(), &text, RECEIVED, RECEIVED);
    assert!(read.usages.is_empty(), "an answer of another shape tells nothing: {read:?}");
    let error = json!({ "code": -2010, "msg": "Account has insufficient balance for requested action." });
    let text = json!({ "id": 1, "status": 400, "error": error, "rateLimits": limits }).to_string();
    let read = read_order_answer(permit.get().action(), &text, RECEIVED, RECEIVED);
    let intervals: Vec<_> = read.usages.iter().map(|usage| usage.interval).collect();
    assert_eq!(intervals, [Duration::from_secs(50_000 * 86_400), Duration::from_secs(60)]);
    assert_eq!(RateLimitInterval::Day.times(u32::MAX), Some(Duration::from_secs(86_400 * u64::from(u32::MAX))));
}
