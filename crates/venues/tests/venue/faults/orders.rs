//! The order path at the wire: answers that contradict themselves, codes nobody has listed, a socket that closes at the
//! worst moment.

use crate::support::{Fake, OUR_ID, Reply, bitcoin, permit, until};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tradewind_domain::{Coded as _, InstrumentId, OrderRequest, Side, Timestamp};
use tradewind_gate::Action;
use tradewind_venues::binance::OrderPath;
use tradewind_venues::binance::convert::Instruments;
use tradewind_venues::binance::protocol::{OrderAnswer, UserFrame, read_order_answer, read_user_frame};
use tradewind_venues::{SubmitError, VenueEvent, VenueReport};

fn buy() -> OrderRequest {
    let it = bitcoin();
    OrderRequest::limit(InstrumentId(0), Side::Buy, it.quantity("0.001").unwrap(), it.price("50000.01").unwrap())
}

fn read(text: &str) -> OrderAnswer {
    let permit = permit(buy());
    read_order_answer(permit.get().action(), text, Timestamp::default(), Timestamp::default()).answer
}

/// Stands between client and venue on kept-alive connections, and closes one as soon as an order is written to it.
async fn cutting(venue: u16, orders: Arc<AtomicUsize>, forward: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let orders = orders.clone();
            tokio::spawn(async move {
                let mut venue = TcpStream::connect(("127.0.0.1", venue)).await.unwrap();
                let (mut up, mut down) = ([0; 8192], [0; 8192]);
                loop {
                    tokio::select! {
                        read = client.read(&mut up) => {
                            let Ok(read @ 1..) = read else { return };
                            if up.starts_with(b"POST /api/v3/order") {
                                orders.fetch_add(1, Ordering::SeqCst);
                                if forward {
                                    venue.write_all(&up[..read]).await.unwrap();
                                }
                                return; // both sides see the end
                            }
                            venue.write_all(&up[..read]).await.unwrap();
                        }
                        read = venue.read(&mut down) => {
                            let Ok(read @ 1..) = read else { return };
                            client.write_all(&down[..read]).await.unwrap();
                        }
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a06_an_order_written_to_a_connection_that_closes_is_never_written_to_another() {
    for forward in [false, true] {
        let orders = Arc::new(AtomicUsize::new(0));
        let fake = Fake::start(0, |_, _| Reply::Silence).await;
        let port = cutting(fake.port, orders.clone(), forward).await;
        let rest = format!("http://127.0.0.1:{port}");
        let (connection, _events) = fake.connect(|c| (c.order_path, c.rest_url) = (OrderPath::Rest, rest)).await;
        connection.refresh_clock().await.unwrap(); // the connection below is one that was used before, kept alive
        let permit = permit(buy());
        let prepared = connection.prepare(permit.get().action()).unwrap();
        let error = connection.submit(permit, prepared).await.unwrap_err();
        assert!(matches!(error, SubmitError::Unknown(_)), "{error}");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await; // a second try would come at once
        assert_eq!(orders.load(Ordering::SeqCst), 1, "one body, whatever the lower layers think of it");
    }
}

#[test]
fn a09_a_success_that_says_no_and_a_no_that_says_success_are_judged_by_the_table() {
    let ours = OUR_ID.to_string();
    let good = json!({ "orderId": 28, "clientOrderId": ours, "transactTime": 1 });
    let no = json!({ "code": -2010, "msg": "Account has insufficient balance for requested action." });
    let check = |answer: Value, want: &str| {
        let told = match read(&answer.to_string()) {
            OrderAnswer::Ack(_) => "yes".to_owned(),
            OrderAnswer::Rejected(rejection) => format!("no {}", rejection.code),
            OrderAnswer::Unknown(fault) => format!("unknown {}", fault.code()),
        };
        assert_eq!(told, want, "{answer}");
    };
    check(json!({ "id": 1, "status": 200, "result": good }), "yes");
    check(json!({ "id": 1, "status": 400, "error": no }), "no VEN-09");
    check(json!({ "id": 1, "status": 200, "error": no }), "unknown VEN-26");
    check(json!({ "id": 1, "status": 200, "result": good, "error": no }), "unknown VEN-26");
    check(json!({ "id": 1, "status": 400, "result": good }), "unknown VEN-26");
    check(json!({ "id": 1, "status": 200, "result": { "success": false } }), "unknown VEN-05");
    check(json!({ "id": 1, "status": 200, "result": { "success": true } }), "unknown VEN-05");
    check(json!({ "id": 1, "status": 200, "result": no }), "unknown VEN-05");
    check(json!({ "id": 1, "status": 200, "result": null }), "unknown VEN-26");
    check(json!({ "id": 1, "status": 200, "success": false }), "unknown VEN-26");
    check(json!({ "id": 1, "status": 500, "error": no }), "unknown VEN-10");
    check(json!({ "id": 1, "status": 200, "result": { "orderId": 28, "clientOrderId": "another" } }), "unknown VEN-32");
}

#[tokio::test]
async fn a09_over_http_a_refusal_inside_a_success_is_unknown() {
    for body in
        ["{\"success\":false}", "{\"code\":-2010,\"msg\":\"no\"}", "{\"code\":0,\"msg\":\"ok\",\"data\":[]}", "[]"]
    {
        let fake = Fake::start(0, move |_, _| Reply::Http(200, "", body.to_owned())).await;
        let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
        let permit = permit(buy());
        let prepared = connection.prepare(permit.get().action()).unwrap();
        let error = connection.submit(permit, prepared).await.unwrap_err();
        assert!(matches!(error, SubmitError::Unknown(_)) && error.code() == "VEN-05", "{body}: {error}");
    }
}

/// Codes with which the venue's documentation says that nothing was carried out; copied by hand a second time.
const NOTHING_DONE: [i32; 40] = [
    -1002, -1013, -1014, -1020, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1114, -1115, -1116,
    -1117, -1118, -1119, -1121, -1122, -1128, -1130, -1134, -1135, -1145, -1158, -1160, -1165, -1166, -1168, -1196,
    -1197, -1198, -1199, -1220, -2010, -2011, -2026, -2039,
];
/// Refused at the door: time stamp, signature, key, too many.
const AT_THE_DOOR: [i32; 6] = [-1021, -1022, -2014, -2015, -1003, -1015];

proptest! {
    /// Whatever status and code come, old or invented tomorrow: nothing panics, and only what is listed is believed.
    #[test]
    fn a10_a_code_that_nobody_listed_leaves_the_outcome_unknown(
        status in prop_oneof![0_u16..700, Just(200), Just(400), Just(409)],
        code in prop_oneof![-2_300_i32..50, any::<i32>(), prop::sample::select(NOTHING_DONE.to_vec())],
        text in ".{0,60}",
    ) {
        let answer = json!({ "id": 1, "status": status, "error": { "code": code, "msg": text } });
        let rejected = match read(&answer.to_string()) {
            OrderAnswer::Ack(ack) => panic!("a refusal is no yes: {ack:?}"),
            OrderAnswer::Rejected(_) => true,
            OrderAnswer::Unknown(fault) => {
                prop_assert!(!fault.code().is_empty());
                false
            }
        };
        let door = matches!(status, 418 | 429);
        let listed = (400..500).contains(&status) && (NOTHING_DONE.contains(&code) || AT_THE_DOOR.contains(&code));
        prop_assert_eq!(rejected, door || listed, "{} {}", status, code);
    }

    /// An execution report with any word in any field is read, or named as unreadable and read again by query: it never
    /// becomes an execution that was not one, and never nothing.
    #[test]
    fn a10_a_word_that_nobody_knows_is_named_and_the_account_is_read_again(
        field in prop::sample::select(vec!["s", "c", "S", "o", "f", "q", "p", "x", "X", "r", "l", "z", "L", "n", "N", "t", "i", "T"]),
        word in prop_oneof![
            "[A-Z_]{1,12}".prop_map(Value::from), "[-0-9.eE+]{1,12}".prop_map(Value::from), any::<i64>().prop_map(Value::from),
            Just(Value::Null), Just(json!({})), Just(json!([1])), Just(json!(1e300)), Just(json!(true)),
        ],
        execution in prop::sample::select(vec!["NEW", "TRADE", "CANCELED", "EXPIRED", "REJECTED", "REPLACED"]),
    ) {
        let mut event = json!({
            "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": OUR_ID.to_string(), "S": "BUY", "o": "LIMIT", "f": "GTC",
            "q": "1.0", "p": "100.0", "P": "0", "x": execution, "X": "NEW", "r": "NONE", "i": 28, "l": "0.4", "z": "0.4",
            "L": "99.5", "n": "0", "N": null, "T": 5, "t": 7, "w": true, "m": false, "O": 1, "Z": "0", "C": "",
        });
        event[field] = word;
        let frame = json!({ "subscriptionId": 0, "event": event });
        let all = Instruments::new([bitcoin()]);
        let UserFrame::Events(events) = read_user_frame(&all, &frame.to_string(), Timestamp::default()).unwrap() else {
            panic!("an event is an event");
        };
        match events.as_slice() {
            [VenueEvent::Report { report, .. }] => {
                let is_fill = matches!(report, VenueReport::Filled { .. });
                prop_assert!(!is_fill || event["x"] == "TRADE", "{event} became {report:?}");
            }
            [VenueEvent::Fault { code, .. }, VenueEvent::UserStreamGap { .. }] => prop_assert!(code.starts_with("VEN-")),
            other => panic!("{event} became {other:?}"),
        }
    }
}

#[test]
fn a17_a19_an_order_that_ends_without_a_fill_ends_whatever_the_word() {
    let all = Instruments::new([bitcoin()]);
    let check = |x: &str, status: &str, why: &str, want: &str| {
        let event = json!({
            "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": OUR_ID.to_string(), "S": "BUY", "o": "LIMIT", "f": "IOC",
            "q": "1.0", "p": "100.0", "P": "0", "x": x, "X": status, "r": why, "i": 28, "l": "0", "z": "0", "L": "0",
            "n": "0", "N": null, "T": 5, "t": -1, "w": false, "m": false, "O": 1, "Z": "0", "C": "",
        });
        let frame = json!({ "subscriptionId": 0, "event": event }).to_string();
        let Ok(UserFrame::Events(events)) = read_user_frame(&all, &frame, Timestamp::default()) else {
            panic!("{frame}")
        };
        let told = match events.as_slice() {
            [VenueEvent::Report { report: VenueReport::Expired { reason, .. }, .. }] => format!("expired {reason}"),
            [VenueEvent::Report { report: VenueReport::Cancelled { .. }, .. }] => "cancelled".to_owned(),
            [VenueEvent::Report { report: VenueReport::Rejected { code, definitive, .. }, .. }] => {
                format!("rejected {code} {definitive}")
            }
            other => format!("{other:?}"),
        };
        assert_eq!(told, want);
    };
    check("EXPIRED", "EXPIRED", "NONE", "expired EXPIRED");
    check("EXPIRED", "EXPIRED", "INSUFFICIENT_LIQUIDITY", "expired INSUFFICIENT_LIQUIDITY");
    check("REJECTED", "REJECTED", "INSUFFICIENT_LIQUIDITY", "rejected INSUFFICIENT_LIQUIDITY true");
    check("CANCELED", "CANCELED", "NONE", "cancelled");
    check("TRADE_PREVENTION", "EXPIRED_IN_MATCH", "NONE", "expired EXPIRED_IN_MATCH");
    let no = json!({ "code": -2010, "msg": "Order would not execute immediately." });
    let answer = json!({ "id": 1, "status": 400, "error": no }).to_string();
    assert!(matches!(read(&answer), OrderAnswer::Rejected(_)), "and as an answer to the request itself");
}

#[tokio::test]
async fn a12_a_replacement_done_by_half_is_not_believed_to_be_one_or_the_other() {
    let text =
        json!({ "id": 1, "status": 409, "error": { "code": -2021, "msg": "Order cancel-replace partially failed." } });
    assert!(matches!(read(&text.to_string()), OrderAnswer::Unknown(_)));
    // and this program never asks for one: what leaves is an order, a pair or a cancel
    let fake = Fake::start(0, |_, _| Reply::Silence).await;
    let (connection, mut events) = fake.connect(|_| ()).await;
    until(&mut events, |e| matches!(e, VenueEvent::Up { .. }).then_some(())).await;
    let permit = permit(buy());
    let action = permit.get().action();
    assert!(matches!(action, Action::Submit(_)));
    assert!(!connection.prepare(action).unwrap().body().contains("cancelReplaceMode"));
}
