use crate::common::{ED_KEY, KEY, Venue, alice, bob, config, now};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_exchange::{ExchangeConfig, Limits, Pace};
use tradewind_venues::binance::wire;

fn fast() -> ExchangeConfig {
    ExchangeConfig { pace: Pace::Realtime { speed: 60.0 }, ..config() }
}

#[tokio::test]
async fn every_market_stream_reads_with_the_clients_types() {
    let venue = Venue::start(fast()).await;
    let names = [
        "btcusdt@trade",
        "btcusdt@aggTrade",
        "btcusdt@kline_1m",
        "btcusdt@bookTicker",
        "btcusdt@depth@100ms",
        "btcusdt@depth5",
        "btcusdt@miniTicker",
        "btcusdt@ticker",
        "ethusdt@trade",
    ];
    let mut socket = venue.socket(&format!("/stream?streams={}", names.join("/"))).await;
    let mut missing: Vec<&str> = names.to_vec();
    while !missing.is_empty() {
        let text = socket.hear().await.unwrap();
        let frame: wire::Combined<Value> = serde_json::from_str(&text).unwrap();
        missing.retain(|name| *name != frame.stream);
        if !frame.stream.ends_with("miniTicker") {
            let _: wire::MarketEvent = serde_json::from_value(frame.data).unwrap_or_else(|e| panic!("{e}: {text}"));
        }
    }
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn candles_close_every_second_at_sixty_times_the_speed() {
    let venue = Venue::start(fast()).await;
    let mut socket = venue.socket("/ws/ethusdt@kline_1m").await;
    let closed = |event: &Value| event["k"]["x"] == true;
    let first = socket.until(closed).await;
    let second = socket.until(closed).await;
    let (first, second) = (&first["k"], &second["k"]);
    assert_eq!(second["t"].as_i64().unwrap() - first["t"].as_i64().unwrap(), 60_000);
    assert_eq!(second["T"].as_i64().unwrap(), second["t"].as_i64().unwrap() + 59_999);
    let query = format!("symbol=ETHUSDT&interval=1m&startTime={}&limit=1", second["t"]);
    let rest = venue.get("/api/v3/klines", &query).await.json();
    for (at, name) in [(1, "o"), (2, "h"), (3, "l"), (4, "c"), (5, "v"), (8, "n")] {
        assert_eq!(rest[0][at], second[name], "{name}: {rest}");
    }
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn a_market_too_fast_for_its_machine_is_slow_and_never_deaf() {
    let venue = Venue::start(ExchangeConfig { pace: Pace::Realtime { speed: 1e6 }, ..config() }).await;
    for _ in 0..20 {
        let answer = tokio::time::timeout(std::time::Duration::from_secs(10), venue.get("/api/v3/time", "")).await;
        assert!(answer.expect("an answer").json()["serverTime"].as_i64() > Some(0));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let status = venue.get("/tradewind/v1/status", "").await.json();
    assert!(status["lost_ms"].as_i64() > Some(0), "eleven days of market a second: {status}");
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn subscriptions_come_and_go() {
    let venue = Venue::start(config()).await;
    let mut socket = venue.socket("/ws").await;
    socket.say(&json!({"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms", "nobody@knows"], "id": 1})).await;
    assert_eq!(socket.until(|answer| answer["id"] == 1).await, json!({"result": null, "id": 1}));
    socket.until(|event| event["e"] == "depthUpdate").await;
    socket.say(&json!({"method": "LIST_SUBSCRIPTIONS", "id": 2})).await;
    assert_eq!(socket.until(|answer| answer["id"] == 2).await["result"], json!(["btcusdt@depth@100ms"]));
    socket.say(&json!({"method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 3})).await;
    socket.until(|answer| answer["id"] == 3).await;
    socket.say(&json!({"method": "DANCE", "id": 4})).await;
    assert_eq!(socket.json().await["error"]["code"], 2);
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let venue = Venue::start(fast()).await;
    let mut socket = venue.socket("/ws/btcusdt@bookTicker").await;
    socket.hear().await.expect("it streams");
    assert!(socket.leave().await, "its close frame had no answer");
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn a_chatty_a_slow_and_a_silent_connection_are_ended() {
    let limits = Limits {
        ws_queue: 8,
        ws_ping_every: Duration::from_millis(100),
        ws_pong_within: Duration::from_millis(400),
        ..Limits::default()
    };
    let venue = Venue::start(ExchangeConfig { limits, pace: Pace::Realtime { speed: 2_000.0 }, ..config() }).await;
    let mut chatty = venue.socket("/ws").await;
    for id in 0..7 {
        chatty.say(&json!({"method": "LIST_SUBSCRIPTIONS", "id": id})).await;
    }
    while chatty.hear().await.is_some() {}
    // this one never reads: neither its events nor its pings
    let slow = venue.socket("/stream?streams=btcusdt@trade/ethusdt@trade/btcusdt@bookTicker/solusdt@bookTicker").await;
    for _ in 0..100 {
        let status = venue.get("/tradewind/v1/status", "").await.json();
        if status["slow_readers_cut_off"].as_u64().unwrap() > 0 {
            drop(slow);
            venue.handle.shutdown().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the slow reader was never cut off");
}

fn signed(pairs: &[(&str, String)], bobs: bool) -> Value {
    let (signer, key) = if bobs { (bob(), ED_KEY) } else { (alice(), KEY) };
    let mut pairs = pairs.to_vec();
    pairs.push(("apiKey", key.to_owned()));
    pairs.push(("timestamp", now().to_string()));
    let signature = signer.sign_ws(&pairs);
    let mut params: serde_json::Map<String, Value> =
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    params.insert("signature".to_owned(), signature.into());
    params.into()
}

#[tokio::test]
async fn user_data_comes_over_the_websocket_api() {
    let venue = Venue::start(config()).await;
    let mut socket = venue.socket("/ws-api/v3").await;
    socket.say(&json!({"id": "a", "method": "userDataStream.subscribe", "params": {}})).await;
    assert_eq!(socket.json().await["status"], 401);
    socket.say(&json!({"id": "b", "method": "session.logon", "params": signed(&[], false)})).await;
    assert_eq!(socket.json().await["error"]["code"], -4056, "an HMAC key cannot log on");
    let subscribe = json!({"id": "c", "method": "userDataStream.subscribe.signature", "params": signed(&[], false)});
    socket.say(&subscribe).await;
    assert_eq!(socket.json().await["result"]["subscriptionId"], 0);
    let price = format!("{:.2}", venue.best("askPrice").await * 1.01);
    let pairs = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "IOC"),
        ("quantity", "0.01"),
        ("price", price.as_str()),
    ];
    let order: wire::NewOrderResponse = venue.alice("POST", "/api/v3/order", &pairs).await.read();
    let mut seen = Vec::new();
    loop {
        let text = socket.hear().await.unwrap();
        let frame: wire::UserFrame = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        match frame.event {
            wire::UserEvent::ExecutionReport(report) => {
                assert_eq!(report.order_id, order.order_id);
                seen.push(format!("{:?}", report.execution_type));
            }
            wire::UserEvent::OutboundAccountPosition(position) => {
                assert!(position.balances.iter().any(|balance| balance.asset == "BTC"));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen[0], "New");
    assert!(seen.len() >= 2 && seen[1..].iter().all(|kind| kind == "Trade"), "{seen:?}");
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn an_order_of_a_session_finds_as_little_as_a_fault_says() {
    let venue = Venue::start(config()).await;
    let list = json!([{"path": "BTCUSDT", "method": "FILL", "kind": {"partial": 30}, "times": 1}]);
    let url = format!("{}/tradewind/v1/faults", venue.handle.url());
    let set = venue.http.post(url).header("content-type", "application/json").body(list.to_string()).send().await;
    assert_eq!(set.unwrap().status(), 200);
    let mut socket = venue.socket("/ws-api/v3").await;
    socket.say(&json!({"id": 1, "method": "session.logon", "params": signed(&[], true)})).await;
    socket.until(|answer| answer["id"] == 1).await;
    let order = json!({"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.01", "timestamp": now()});
    socket.say(&json!({"id": 2, "method": "order.place", "params": order})).await;
    let said = socket.until(|answer| answer["id"] == 2).await;
    let (status, executed) = (&said["result"]["status"], &said["result"]["executedQty"]);
    assert_eq!((status, executed), (&json!("EXPIRED"), &json!("0.00300000")), "{said}");
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn a_session_places_and_cancels_without_signing_again() {
    let venue = Venue::start(config()).await;
    let mut socket = venue.socket("/ws-api/v3").await;
    socket.say(&json!({"id": 1, "method": "session.logon", "params": signed(&[], true)})).await;
    let logged_on = socket.json().await;
    assert_eq!(logged_on["result"]["apiKey"], ED_KEY, "{logged_on}");
    assert_eq!(logged_on["rateLimits"][0]["rateLimitType"], "REQUEST_WEIGHT");
    socket.say(&json!({"id": 2, "method": "userDataStream.subscribe"})).await;
    assert_eq!(socket.json().await["result"]["subscriptionId"], 0);
    let price = format!("{:.2}", venue.best("bidPrice").await * 0.9);
    let order = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
        "price": price, "timestamp": now()});
    socket.say(&json!({"id": 3, "method": "order.place", "params": order})).await;
    let placed = socket.until(|answer| answer["id"] == 3).await;
    assert_eq!(placed["result"]["status"], "NEW", "{placed}");
    let id = placed["result"]["orderId"].clone();
    let by_id = json!({"symbol": "BTCUSDT", "orderId": id, "timestamp": now()});
    socket.say(&json!({"id": 4, "method": "order.status", "params": by_id})).await;
    assert_eq!(socket.until(|answer| answer["id"] == 4).await["result"]["orderId"], id);
    socket.say(&json!({"id": 5, "method": "openOrders.status", "params": {"timestamp": now()}})).await;
    assert_eq!(socket.until(|answer| answer["id"] == 5).await["result"].as_array().unwrap().len(), 1);
    socket.say(&json!({"id": 6, "method": "order.cancel", "params": by_id})).await;
    assert_eq!(socket.until(|answer| answer["id"] == 6).await["result"]["status"], "CANCELED");
    socket.say(&json!({"id": 7, "method": "userDataStream.unsubscribe", "params": {}})).await;
    socket.until(|frame| frame["event"]["e"] == "eventStreamTerminated").await;
    socket.say(&json!({"id": 8, "method": "order.dance"})).await;
    assert_eq!(socket.until(|answer| answer["id"] == 8).await["status"], 400);
    venue.handle.shutdown().await;
}
