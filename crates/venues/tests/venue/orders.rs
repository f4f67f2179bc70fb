//! What becomes of an order when the venue answers well, badly, half or not at all: over both paths.

use crate::support::{Fake, OUR_ID, Reply, bitcoin, cancel_permit, permit, until};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tradewind_domain::{Coded as _, InstrumentId, OrderRequest, Side};
use tradewind_venues::binance::{BinanceConfig, Connection, OrderPath};
use tradewind_venues::{Stream, SubmitError, VenueEvent};

fn buy() -> OrderRequest {
    let it = bitcoin();
    OrderRequest::limit(InstrumentId(0), Side::Buy, it.quantity("0.001").unwrap(), it.price("50000.01").unwrap())
}

fn ack() -> Value {
    json!({ "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": OUR_ID.to_string(),
            "transactTime": 1_700_000_000_123_i64 })
}

fn refusal(code: i32, msg: &str) -> String {
    json!({ "code": code, "msg": msg }).to_string()
}

/// What a caller does with it: done, rejected, sent again while the fence is open, or reconciled.
fn class(error: &SubmitError) -> &'static str {
    match error {
        SubmitError::Rejected(_) => "rejected",
        SubmitError::NotSent { .. } => "not sent",
        SubmitError::Unknown(_) => "unknown",
    }
}

async fn submit(connection: &Connection) -> Result<tradewind_venues::Ack, SubmitError> {
    let permit = permit(buy());
    let prepared = connection.prepare(permit.get().action()).unwrap();
    connection.submit(permit, prepared).await
}

/// The one order that an acknowledgement names: our name of it, and the venue's.
fn named(ack: &tradewind_venues::Ack) -> (tradewind_domain::ClientOrderId, &str) {
    let [(ours, venue)] = ack.orders.as_slice() else { panic!("{ack:?}") };
    (*ours, &venue.0)
}

async fn check_rest(reply: Reply, class_wanted: &str, code: &str) {
    let shown = format!("{reply:?}");
    let fake = Fake::start(0, move |_, _| reply.clone()).await;
    let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    let error = submit(&connection).await.expect_err(&shown);
    assert_eq!((class(&error), error.code()), (class_wanted, code), "{shown}: {error}");
    assert!(!error.hint().is_empty());
    assert_eq!(fake.asked_for("/api/v3/order").len(), 1, "sent once, never again: {shown}");
}

#[tokio::test]
async fn every_bad_answer_over_http_has_its_class_and_code() {
    let http = |status, body: &str| Reply::Http(status, "", body.to_owned());
    check_rest(http(200, "<html>maintenance</html>"), "unknown", "VEN-02").await;
    check_rest(http(200, "garbage"), "unknown", "VEN-01").await;
    check_rest(http(200, ""), "unknown", "VEN-04").await;
    check_rest(http(200, "{\"orderId\": 28, \"clientOr"), "unknown", "VEN-03").await;
    check_rest(http(200, "{\"success\": true}"), "unknown", "VEN-05").await;
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"orderId\":".to_vec();
    check_rest(Reply::Raw(cut), "unknown", "VEN-03").await;
    check_rest(Reply::Raw(b"\x16\x03\x01garbage".to_vec()), "unknown", "VEN-07").await;
    check_rest(Reply::Close, "unknown", "VEN-07").await;
    check_rest(Reply::Silence, "unknown", "VEN-08").await;
    let mut other = ack();
    other["clientOrderId"] = json!("another");
    check_rest(http(200, &other.to_string()), "unknown", "VEN-32").await;
    check_rest(Reply::Http(302, "location: /elsewhere\r\n", String::new()), "unknown", "VEN-28").await;
}

#[tokio::test]
async fn every_refusal_over_http_is_judged() {
    let http = |status, code, msg| Reply::Http(status, "", refusal(code, msg));
    check_rest(http(400, -2010, "Account has insufficient balance for requested action."), "rejected", "VEN-09").await;
    check_rest(http(400, -2010, "Duplicate order sent."), "unknown", "VEN-16").await;
    check_rest(http(400, -1013, "Filter failure: NOTIONAL"), "rejected", "VEN-09").await;
    check_rest(http(400, -1021, "Timestamp for this request is outside of the recvWindow."), "rejected", "VEN-15")
        .await;
    check_rest(http(401, -2015, "Invalid API-key, IP, or permissions for action."), "rejected", "VEN-29").await;
    check_rest(http(400, -1007, "Timeout waiting for response from backend server."), "unknown", "VEN-10").await;
    check_rest(http(503, -1001, "Internal error"), "unknown", "VEN-10").await;
    check_rest(Reply::Http(502, "", "<html>bad gateway</html>".to_owned()), "unknown", "VEN-10").await;
    check_rest(http(400, -9999, "Invented tomorrow"), "unknown", "VEN-26").await;
    check_rest(Reply::Http(403, "", "<html>firewall</html>".to_owned()), "unknown", "VEN-02").await;
    check_rest(http(429, -1003, "Too much request weight used"), "rejected", "VEN-11").await;
}

#[tokio::test]
async fn after_429_and_418_nothing_is_sent_before_the_time_told() {
    for (status, code) in [(429, "VEN-11"), (418, "VEN-12")] {
        let body = refusal(-1003, "Too many requests");
        let fake = Fake::start(0, move |_, _| Reply::Http(status, "retry-after: 7\r\n", body.clone())).await;
        let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
        let Err(SubmitError::Rejected(first)) = submit(&connection).await else { panic!("refused at the door") };
        assert_eq!((first.code, first.retry_after), (code, Some(Duration::from_secs(7))));
        let Err(SubmitError::NotSent { reason, .. }) = submit(&connection).await else { panic!("not sent") };
        assert_eq!(reason.code(), code);
        assert!(reason.retry_after().unwrap() > Duration::from_secs(5));
        assert_eq!(fake.asked_for("/api/v3/order").len(), 1);
    }
}

#[tokio::test]
async fn an_order_over_http_is_sent_once_byte_for_byte_as_it_was_recorded() {
    let fake = Fake::start(0, |_, _| Reply::Http(200, "x-mbx-used-weight-1m: 9\r\n", ack().to_string())).await;
    let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    let permit = permit(buy());
    let prepared = connection.prepare(permit.get().action()).unwrap();
    let body = prepared.body().to_owned();
    let ack = connection.submit(permit, prepared).await.unwrap();
    assert_eq!((named(&ack), ack.at.millis()), ((OUR_ID, "28"), 1_700_000_000_123));
    assert!(ack.sent_at <= ack.received_at);
    let sent = fake.asked_for("/api/v3/order").remove(0);
    assert!(sent.starts_with(&format!("{body}&signature=")), "{sent}");
}

#[tokio::test]
async fn an_unreachable_venue_gives_the_permit_back() {
    let fake = Fake::start(0, |_, _| Reply::Silence).await;
    let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    drop(connection);
    // a port on which nobody listens: the order path is pointed there after the start
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let result = Connection::connect(BinanceConfig::local(free), vec![bitcoin()]).await;
    assert_eq!(result.err().unwrap().code(), "VEN-06");

    // a socket that is being connected anew: nothing can have left
    let fake = Fake::start(0, |method, _| if method == "order.place" { Reply::Silence } else { Reply::Close }).await;
    let (connection, mut events) = fake.connect(|_| ()).await;
    until(&mut events, |e| matches!(e, VenueEvent::Down { stream: Stream::User, .. }).then_some(())).await;
    match submit(&connection).await {
        Err(SubmitError::NotSent { reason, permit, prepared }) => {
            assert_eq!(reason.code(), "VEN-06");
            assert_eq!(prepared.sha256(), connection_body(&prepared));
            drop(permit);
        }
        // the order went out over a session that was just up, and that the venue then closed
        Err(SubmitError::Unknown(_)) => assert!(!fake.asked_for("order.place").is_empty()),
        other => panic!("{other:?}"),
    }
}

fn connection_body(prepared: &tradewind_venues::Prepared) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(prepared.body().as_bytes()).into()
}

async fn check_socket(reply: impl Fn(&Value) -> Reply + Send + Sync + 'static, class_wanted: &str, code: &str) {
    let fake = Fake::start(0, move |method, frame| match method {
        "order.place" => reply(frame),
        _ => Reply::Silence,
    })
    .await;
    let (connection, mut events) = fake.connect(|_| ()).await;
    until(&mut events, |e| matches!(e, VenueEvent::Up { stream: Stream::User, .. }).then_some(())).await;
    let error = submit(&connection).await.unwrap_err();
    assert_eq!((class(&error), error.code()), (class_wanted, code), "{error}");
    assert_eq!(fake.asked_for("order.place").len(), 1, "sent once, never again");
}

#[tokio::test]
async fn every_bad_answer_over_the_socket_has_its_class_and_code() {
    let frame = |text: &'static str| move |_: &Value| Reply::Frames(vec![text.to_owned()]);
    check_socket(frame("garbage"), "unknown", "VEN-01").await;
    check_socket(frame("<html>maintenance</html>"), "unknown", "VEN-02").await;
    check_socket(frame("{\"id\":2,\"status\":200,\"resu"), "unknown", "VEN-03").await;
    check_socket(frame(""), "unknown", "VEN-04").await;
    check_socket(frame("[1,2]"), "unknown", "VEN-05").await;
    check_socket(|_| Reply::Close, "unknown", "VEN-07").await;
    check_socket(|_| Reply::Raw(b"\xff\xff\xff\xff not a frame".to_vec()), "unknown", "VEN-07").await;
    check_socket(|_| Reply::Silence, "unknown", "VEN-08").await;
    let answer = |status: u16, code: i32, msg: &'static str| {
        move |frame: &Value| {
            let error = json!({ "code": code, "msg": msg });
            Reply::Frames(vec![json!({ "id": frame["id"], "status": status, "error": error }).to_string()])
        }
    };
    check_socket(answer(400, -2010, "Duplicate order sent."), "unknown", "VEN-16").await;
    check_socket(answer(400, -1013, "Filter failure: LOT_SIZE"), "rejected", "VEN-09").await;
    check_socket(answer(504, -1007, "Timeout waiting for response from backend server."), "unknown", "VEN-10").await;
    check_socket(answer(400, -9999, "Invented tomorrow"), "unknown", "VEN-26").await;
    check_socket(answer(418, -1003, "IP banned"), "rejected", "VEN-12").await;
    let shapeless = |frame: &Value| Reply::Frames(vec![json!({ "id": frame["id"], "status": 200 }).to_string()]);
    check_socket(shapeless, "unknown", "VEN-26").await;
}

/// Answers orders and cancels well, whatever its clock.
async fn good(ahead: i64) -> Fake {
    Fake::start(ahead, |method, frame| match method {
        "order.place" | "order.cancel" => {
            let usage = json!([{ "rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10,
                                 "limit": 100, "count": 1 }]);
            Reply::Frames(vec![
                json!({ "id": frame["id"], "status": 200, "result": ack(), "rateLimits": usage }).to_string(),
            ])
        }
        _ => Reply::Silence,
    })
    .await
}

#[tokio::test]
async fn an_order_over_the_socket_is_signed_in_the_venues_time() {
    let fake = good(3_600_000).await; // an hour ahead of this machine
    let (connection, mut events) = fake.connect(|_| ()).await;
    until(&mut events, |e| matches!(e, VenueEvent::Up { stream: Stream::User, .. }).then_some(())).await;
    let ack = submit(&connection).await.unwrap();
    assert_eq!(named(&ack), (OUR_ID, "28"));
    assert!(ack.sent_at <= ack.received_at);
    let sent: Value = serde_json::from_str(&fake.asked_for("order.place")[0]).unwrap();
    let params = &sent["params"];
    let ahead = params["timestamp"].as_i64().unwrap() - ack.sent_at.millis();
    assert!((3_599_000..3_601_000).contains(&ahead), "{ahead}");
    assert_eq!(
        (params["symbol"].as_str(), params["price"].as_str(), params["newClientOrderId"].as_str()),
        (Some("BTCUSDT"), Some("50000.01"), Some(OUR_ID.to_string().as_str()))
    );
    assert_eq!(params["signature"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn a_halt_stops_new_orders_and_lets_cancels_go() {
    for path in [OrderPath::WebSocket, OrderPath::Rest] {
        let fake = if path == OrderPath::Rest {
            Fake::start(0, |_, _| Reply::Http(200, "", ack().to_string())).await
        } else {
            good(0).await
        };
        let halted = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let switch = halted.clone();
        let (connection, mut events) = fake.connect(|c| (c.order_path, c.halted) = (path, switch)).await;
        until(&mut events, |e| matches!(e, VenueEvent::Up { .. }).then_some(())).await;
        halted.store(true, Ordering::SeqCst);
        let error = submit(&connection).await.unwrap_err();
        assert_eq!((class(&error), error.code()), ("not sent", "VEN-14"));
        let cancel = cancel_permit();
        let prepared = connection.prepare(cancel.get().action()).unwrap();
        assert!(connection.submit(cancel, prepared).await.is_ok());
        halted.store(false, Ordering::SeqCst);
        assert!(submit(&connection).await.is_ok());
    }
}

#[tokio::test]
async fn what_is_too_old_or_not_what_was_approved_stays_here() {
    let fake = good(0).await;
    let (connection, mut events) = fake.connect(|c| c.recv_window = Duration::from_millis(40)).await;
    until(&mut events, |e| matches!(e, VenueEvent::Up { .. }).then_some(())).await;
    let permit_one = permit(buy());
    let prepared = connection.prepare(permit_one.get().action()).unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let error = connection.submit(permit_one, prepared).await.unwrap_err();
    assert_eq!((class(&error), error.code()), ("not sent", "VEN-13"), "{error}");

    let it = bitcoin();
    let larger = OrderRequest { quantity: it.quantity("9").unwrap(), ..buy() };
    let body_of_larger = connection.prepare(permit(larger).get().action()).unwrap();
    let error = connection.submit(permit(buy()), body_of_larger).await.unwrap_err();
    assert_eq!((class(&error), error.code()), ("not sent", "VEN-19"));

    let SubmitError::NotSent { permit, .. } = error else { unreachable!("asserted above") };
    let prepared = connection.prepare(permit.get().action()).unwrap();
    assert!(connection.submit(*permit, prepared).await.is_ok(), "the permit that came back still serves");
    assert_eq!(fake.asked_for("order.place").len(), 1);
}

#[tokio::test]
async fn an_uncertain_clock_stops_new_orders() {
    let fake = good(0).await;
    let (connection, mut events) = fake.connect(|c| c.most_clock_error = Duration::from_nanos(1)).await;
    until(&mut events, |e| matches!(e, VenueEvent::Up { .. }).then_some(())).await;
    let error = submit(&connection).await.unwrap_err();
    assert_eq!((class(&error), error.code()), ("not sent", "VEN-15"));
}
