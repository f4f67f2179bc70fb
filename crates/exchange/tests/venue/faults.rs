use crate::common::{KEY, Venue, config};
use serde_json::json;
use tradewind_exchange::{ExchangeConfig, Fault, FaultKind};

fn fault(path: &str, kind: FaultKind, after: bool) -> Fault {
    Fault { path: path.to_owned(), method: None, kind, times: Some(1), after }
}

#[tokio::test]
async fn answers_are_spoilt_once_and_right_again() {
    let path = "/api/v3/time";
    for (kind, status, looks) in [
        (FaultKind::Html, 200, "<html>"),
        (FaultKind::Nothing, 200, ""),
        (FaultKind::HalfJson, 200, "{\"ser"),
        (FaultKind::Status(503), 503, "<html>"),
        (FaultKind::Garbage, 200, ""),
    ] {
        let faults = vec![fault(path, kind.clone(), false)];
        let venue = Venue::start(ExchangeConfig { faults, ..config() }).await;
        let spoilt = venue.get(path, "").await;
        assert_eq!(spoilt.status, status, "{kind:?}");
        assert!(spoilt.text.starts_with(looks), "{kind:?}: {}", spoilt.text);
        assert!(serde_json::from_str::<serde_json::Value>(&spoilt.text).is_err(), "{kind:?}: {}", spoilt.text);
        assert!(venue.get(path, "").await.json()["serverTime"].is_i64());
        venue.handle.shutdown().await;
    }
}

#[tokio::test]
async fn an_order_may_be_live_although_its_answer_never_came() {
    let venue = Venue::start(config()).await;
    let list = json!([{"path": "/api/v3/order", "method": "POST", "kind": "cut", "times": 1, "after": true}]);
    let url = format!("{}/tradewind/v1/faults", venue.handle.url());
    let set = venue.http.post(url).header("content-type", "application/json").body(list.to_string()).send().await;
    assert_eq!(set.unwrap().status(), 200);
    let price = format!("{:.2}", venue.best("bidPrice").await * 0.9);
    let query = crate::common::alice().signed(&tradewind_venues::binance::sign::encode(&[
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "0.001"),
        ("price", price.as_str()),
        ("timestamp", &crate::common::now().to_string()),
    ]));
    let url = format!("{}/api/v3/order?{query}", venue.handle.url());
    let lost = async { venue.http.post(url).header("X-MBX-APIKEY", crate::common::KEY).send().await?.text().await };
    assert!(lost.await.is_err(), "the answer was to be cut");
    let open = venue.alice("GET", "/api/v3/openOrders", &[]).await.json();
    assert_eq!(open.as_array().unwrap().len(), 1);
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn an_order_that_reaches_matching_too_late_is_refused_there() {
    let faults = vec![fault("/api/v3/order", FaultKind::HoldMillis(400), false)];
    let venue = Venue::start(ExchangeConfig { faults, ..config() }).await;
    let market =
        [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.001"), ("recvWindow", "200")];
    assert_eq!(venue.alice("POST", "/api/v3/order", &market).await.refusal(), (400, -1021));
    assert_eq!(venue.alice("POST", "/api/v3/order", &market).await.status, 200);
    assert_eq!(venue.get("/tradewind/v1/status", "").await.json()["orders"], 1);
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn an_order_that_finds_a_part_of_its_quantity_ends_as_its_type_demands() {
    for (kind, force, status, executed) in [
        ("MARKET", None, "EXPIRED", "0.00300000"),
        ("LIMIT", Some("IOC"), "EXPIRED", "0.00300000"),
        ("LIMIT", Some("GTC"), "PARTIALLY_FILLED", "0.00300000"),
        ("LIMIT", Some("FOK"), "EXPIRED", "0.00000000"),
    ] {
        let part = Fault { method: Some("FILL".to_owned()), ..fault("BTCUSDT", FaultKind::Partial(30), false) };
        let venue = Venue::start(ExchangeConfig { faults: vec![part], ..config() }).await;
        let other = [("symbol", "ETHUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.01")];
        let other = venue.alice("POST", "/api/v3/order", &other).await.json();
        assert_eq!(other["status"], "FILLED", "another symbol meets no fault: {other}");
        let price = format!("{:.2}", venue.best("askPrice").await * 1.01);
        let mut order = vec![("symbol", "BTCUSDT"), ("side", "BUY"), ("type", kind), ("quantity", "0.01")];
        if let Some(force) = force {
            order.extend([("timeInForce", force), ("price", price.as_str())]);
        }
        let said = venue.alice("POST", "/api/v3/order", &order).await.json();
        let want = (&json!(status), &json!(executed));
        assert_eq!((&said["status"], &said["executedQty"]), want, "{kind} {force:?}: {said}");
        venue.handle.shutdown().await;
    }
}

#[tokio::test]
async fn what_would_end_the_exchange_is_refused_or_cut_to_what_there_is() {
    let venue = Venue::start(config()).await;
    let post = async |path: &str, body: serde_json::Value| {
        let url = format!("{}/tradewind/v1/{path}", venue.handle.url());
        let request = venue.http.post(url).header("content-type", "application/json").body(body.to_string());
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    let market = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.001")];
    assert_eq!(venue.alice("POST", "/api/v3/order", &market).await.status, 200);
    for (seconds, some) in [(i64::MIN, false), (i64::MAX, true)] {
        let (status, said) = post("disaster", json!({"what": "roll-back", "seconds": seconds})).await;
        assert_eq!((status, said.contains(":0}")), (200, !some), "{seconds}: {said}");
    }
    for (amount, status) in [("-10.00000001", 409), ("-10", 200), ("-0.00000001", 409), ("2", 200), ("-2", 200)] {
        let (code, said) = post("adjust", json!({"key": KEY, "asset": "BTC", "amount": amount})).await;
        assert_eq!(code, status, "{amount}: {said}");
        assert_eq!(said.contains("would make it owe"), status == 409, "{amount}: {said}");
    }
    assert_eq!(venue.alice("POST", "/api/v3/order", &market).await.status, 200, "it goes on");
    venue.handle.shutdown().await;
}
