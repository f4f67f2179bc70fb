use crate::common::{KEY, Reply, SECRET, Venue, alice, bob, config, now};
use serde_json::Value;
use tradewind_exchange::{Exchange, ExchangeConfig, Limits};
use tradewind_venues::binance::sign::{Signer, encode};
use tradewind_venues::binance::wire;
use tradewind_venues::{ApiKey, ApiSecret};

#[tokio::test]
async fn market_data_reads_with_the_clients_types() {
    let venue = Venue::start(config()).await;
    let info: wire::ExchangeInfo = venue.get("/api/v3/exchangeInfo", "").await.read();
    assert_eq!(info.symbols.len(), 3);
    let depth: wire::Depth = venue.get("/api/v3/depth", "symbol=BTCUSDT&limit=10").await.read();
    assert_eq!((depth.bids.len(), depth.asks.len()), (10, 10));
    let klines: Vec<wire::Kline> = venue.get("/api/v3/klines", "symbol=ETHUSDT&interval=1m&limit=600").await.read();
    assert_eq!(klines.len(), 600, "enough to warm up on");
    let _: wire::ServerTime = venue.get("/api/v3/time", "").await.read();
    let _: wire::Ticker24h = venue.get("/api/v3/ticker/24hr", "symbol=BTCUSDT").await.read();
    let _: Vec<wire::TickerMini> = venue.get("/api/v3/ticker/24hr", "type=MINI").await.read();
    let _: wire::AveragePrice = venue.get("/api/v3/avgPrice", "symbol=BTCUSDT").await.read();
    let _: Vec<wire::RecentTrade> = venue.get("/api/v3/trades", "symbol=BTCUSDT").await.read();
    let _: Vec<wire::AggTrade> = venue.get("/api/v3/aggTrades", "symbol=BTCUSDT").await.read();
    let prices: Vec<wire::PriceTicker> = venue.get("/api/v3/ticker/price", "symbols=%5B%22BTCUSDT%22%5D").await.read();
    assert_eq!(prices.len(), 1);
    let reply = venue.get("/api/v3/ticker/bookTicker", "symbol=BTCUSDT").await;
    let _: wire::BookTicker = reply.read();
    assert_eq!(reply.header("x-tradewind-origin"), Some("simulated"));
    let status = venue.get("/tradewind/v1/status", "").await.json();
    assert_eq!((status["origin"].as_str(), status["seed"].as_u64()), (Some("simulated"), Some(7)));
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn an_order_lives_and_ends_as_the_client_reads_it() {
    let venue = Venue::start(config()).await;
    let price = format!("{:.2}", venue.best("bidPrice").await * 0.9);
    let limit = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "0.00100"),
        ("price", &price),
        ("newClientOrderId", "0123456789abcdef0123456789abcdef"),
    ];
    let reply = venue.alice("POST", "/api/v3/order", &limit).await;
    let placed: wire::NewOrderResponse = reply.read();
    assert_eq!(placed.client_order_id, "0123456789abcdef0123456789abcdef");
    assert_eq!(reply.header("x-mbx-order-count-10s"), Some("1"));
    assert!(reply.header("x-mbx-used-weight-1m").is_some());
    // the same name again while it is open
    let again = venue.alice("POST", "/api/v3/order", &limit).await;
    assert_eq!(again.json()["msg"], "Duplicate order sent.");
    let by_name = [("symbol", "BTCUSDT"), ("origClientOrderId", "0123456789abcdef0123456789abcdef")];
    let found: wire::OrderReport = venue.alice("GET", "/api/v3/order", &by_name).await.read();
    assert_eq!(found.order_id, placed.order_id);
    let open: Vec<wire::OrderReport> = venue.alice("GET", "/api/v3/openOrders", &[]).await.read();
    assert_eq!(open.len(), 1);
    let account: wire::Account = venue.alice("GET", "/api/v3/account", &[]).await.read();
    let usdt = account.balances.iter().find(|balance| balance.asset == "USDT").unwrap();
    assert_ne!(usdt.locked, "0.00000000");
    let gone: wire::CancelResponse = venue.alice("DELETE", "/api/v3/order", &by_name).await.read();
    assert_eq!(gone.order_id, placed.order_id);
    assert_eq!(venue.alice("DELETE", "/api/v3/order", &by_name).await.refusal(), (400, -2011));
    // the name is free again, and the newest of that name is found
    let second: wire::NewOrderResponse = venue.alice("POST", "/api/v3/order", &limit).await.read();
    let found: wire::OrderReport = venue.alice("GET", "/api/v3/order", &by_name).await.read();
    assert_eq!(found.order_id, second.order_id);
    // bob sees nothing of it, and signs with the other kind of key
    let bobs: Vec<wire::OrderReport> = venue.signed(&bob(), "GET", "/api/v3/openOrders", &[]).await.read();
    assert!(bobs.is_empty());
    let market = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.01")];
    let bought: wire::NewOrderResponse = venue.signed(&bob(), "POST", "/api/v3/order", &market).await.read();
    assert_eq!(bought.executed_qty.as_deref(), Some("0.01000000"));
    let fills: Vec<wire::AccountTrade> =
        venue.signed(&bob(), "GET", "/api/v3/myTrades", &[("symbol", "BTCUSDT")]).await.read();
    assert!(fills.iter().all(|fill| fill.commission_asset == "BTC" && !fill.is_maker));
    venue.handle.shutdown().await;
}

/// Asks as Alice and compares the venue's code and, where it says which, its text.
async fn check(venue: &Venue, method: &str, path: &str, pairs: &[(&str, &str)], code: i64, text: &str) {
    let reply = venue.alice(method, path, pairs).await;
    assert_eq!(reply.json()["code"].as_i64().unwrap_or(0), code, "{pairs:?}: {}", reply.text);
    let said = reply.json()["msg"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains(text), "{pairs:?}: {said}");
}

#[tokio::test]
async fn refusals_carry_the_venues_codes() {
    let venue = Venue::start(config()).await;
    let bid = venue.best("bidPrice").await;
    let (low, high) = (format!("{:.2}", bid * 0.9), format!("{:.2}", bid * 1.1));
    let base = [("symbol", "BTCUSDT"), ("side", "BUY")];
    let order = |more: &[(&'static str, &str)]| -> Vec<(String, String)> {
        base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let limit = [("type", "LIMIT"), ("timeInForce", "GTC"), ("quantity", "0.001"), ("price", low.as_str())];
    let with = |change: (&'static str, &'static str)| {
        let mut pairs: Vec<(&'static str, String)> =
            limit.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        pairs.retain(|(name, _)| *name != change.0);
        pairs.push((change.0, change.1.to_owned()));
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(order(&[])).collect::<Vec<_>>()
    };
    for (pairs, code, text) in [
        (with(("quantity", "0.000011")), -1013, "LOT_SIZE"),
        (with(("price", "100.001")), -1013, "PRICE_FILTER"),
        (with(("price", "1.00")), -1013, "PERCENT_PRICE_BY_SIDE"),
        (with(("quantity", "0.00001")), -1013, "NOTIONAL"),
        (with(("quantity", "150")), -2010, "insufficient balance"),
        (with(("quantity", "-1")), -1100, "quantity"),
        (with(("quantity", "")), -1105, "quantity"),
        (with(("timeInForce", "DAY")), -1115, ""),
        (with(("type", "LIMITED")), -1116, ""),
        (with(("stopPrice", "1")), -1106, "stopPrice"),
        (with(("unheardOf", "1")), -1104, "read '8' parameter(s) but was sent '9'"),
        (with(("newClientOrderId", "no spaces")), -1100, "newClientOrderId"),
        (with(("icebergQty", "0.1")), -1013, "Iceberg"),
        (order(&[("type", "LIMIT"), ("timeInForce", "GTC"), ("price", &low)]), -1102, "quantity"),
        (order(&[("type", "LIMIT_MAKER"), ("quantity", "0.001"), ("price", &high)]), -2010, "immediately match"),
        (order(&[("type", "STOP_LOSS"), ("quantity", "0.001"), ("stopPrice", &low)]), -2010, "trigger immediately"),
        (order(&[("type", "MARKET"), ("quantity", "0.001"), ("price", &low)]), -1106, "price"),
        (order(&[("type", "MARKET")]), -1102, "quoteOrderQty"),
    ] {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        check(&venue, "POST", "/api/v3/order", &pairs, code, text).await;
    }
    let ask = |pairs: &'static [(&'static str, &'static str)]| pairs;
    check(&venue, "GET", "/api/v3/order", ask(&[("symbol", "BTCUSDT"), ("orderId", "99")]), -2013, "").await;
    check(&venue, "GET", "/api/v3/order", ask(&[("symbol", "BTCUSDT")]), -1102, "origClientOrderId").await;
    check(&venue, "GET", "/api/v3/order", ask(&[("symbol", "XXXUSDT"), ("orderId", "1")]), -1121, "").await;
    check(&venue, "DELETE", "/api/v3/openOrders", ask(&[("symbol", "BTCUSDT")]), -2011, "").await;
    assert_eq!(venue.get("/api/v3/klines", "symbol=BTCUSDT&interval=7m").await.refusal(), (400, -1120));
    assert_eq!(venue.get("/api/v3/nothing", "").await.status, 404);
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn only_the_right_key_signature_and_time_pass() {
    let venue = Venue::start(config()).await;
    let ask = async |key: Option<&str>, secret: &str, stamp: i64, window: &str| {
        let signer = Signer::new(ApiKey::new(KEY), ApiSecret::new(secret)).unwrap();
        let stamp = stamp.to_string();
        let query = signer.signed(&encode(&[("recvWindow", window), ("timestamp", &stamp)]));
        venue.send("GET", "/api/v3/account", &query, key).await.refusal()
    };
    assert_eq!(ask(Some(KEY), SECRET, now(), "5000").await, (200, 0));
    assert_eq!(ask(None, SECRET, now(), "5000").await, (401, -2014));
    assert_eq!(ask(Some("stranger"), SECRET, now(), "5000").await, (401, -2015));
    assert_eq!(ask(Some(KEY), "wrong", now(), "5000").await, (400, -1022));
    assert_eq!(ask(Some(KEY), SECRET, now() - 6_000, "5000").await, (400, -1021));
    assert_eq!(ask(Some(KEY), SECRET, now() + 2_000, "5000").await, (400, -1021));
    let unsigned = venue.send("GET", "/api/v3/account", &format!("timestamp={}", now()), Some(KEY)).await;
    assert_eq!(unsigned.refusal(), (400, -1102));
    // parameters may travel in the body
    let body = alice().signed(&encode(&[
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "MARKET"),
        ("quantity", "0.001"),
        ("timestamp", &now().to_string()),
    ]));
    let url = format!("{}/api/v3/order", venue.handle.url());
    let reply = venue.http.post(url).header("X-MBX-APIKEY", KEY).body(body).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn budgets_end_in_429_and_then_in_a_ban() {
    let limits = Limits { weight_per_minute: 60, refusals_before_ban: 1, orders_per_10s: 1, ..Limits::default() };
    let venue = Venue::start(ExchangeConfig { limits, ..config() }).await;
    let market = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.001")];
    assert_eq!(venue.alice("POST", "/api/v3/order", &market).await.status, 200);
    let second = venue.alice("POST", "/api/v3/order", &market).await;
    // a ten-second window may end between the two
    assert!(second.status == 200 || second.refusal() == (429, -1015), "{}", second.text);
    let mut seen = Vec::new();
    for _ in 0..8 {
        let reply = venue.get("/api/v3/exchangeInfo", "").await;
        if reply.status != 200 {
            let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=120).contains(&wait));
            assert_eq!(reply.json()["code"], -1003);
        }
        seen.push(reply.status);
    }
    seen.dedup();
    assert!(seen.ends_with(&[200, 429, 418]) || seen.ends_with(&[429, 418]), "{seen:?}");
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    use tradewind_domain::Coded as _;
    let venue = Venue::start(config()).await;
    let port = venue.handle.address().port();
    let error = Exchange::start(ExchangeConfig { port, ..config() }).await.unwrap_err();
    assert_eq!(error.code(), "EXC-01");
    assert!(error.to_string().contains(&port.to_string()) && error.hint().contains("another port"));
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn cancel_replace_says_which_half_failed() {
    let venue = Venue::start(config()).await;
    let price = format!("{:.2}", venue.best("bidPrice").await * 0.9);
    let replace = async |cancel: &str, quantity: &str| -> (u16, Value) {
        let pairs = [
            ("symbol", "BTCUSDT"),
            ("side", "BUY"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("price", &price),
            ("quantity", quantity),
            ("cancelReplaceMode", "ALLOW_FAILURE"),
            ("cancelOrderId", cancel),
        ];
        let reply = venue.alice("POST", "/api/v3/order/cancelReplace", &pairs).await;
        (reply.status, reply.json())
    };
    let counted = async || venue.alice("GET", "/api/v3/rateLimit/order", &[]).await.json()[1]["count"].as_u64();
    let (status, answer) = replace("999999", "0.001").await;
    assert_eq!((status, answer["code"].as_i64()), (409, Some(-2021)));
    assert_eq!(counted().await, Some(1), "it placed one, whatever it could not cancel");
    let id = answer["data"]["newOrderResponse"]["orderId"].to_string();
    let (status, answer) = replace(&id, "0.002").await;
    assert_eq!(
        (status, &answer["cancelResult"], &answer["newOrderResult"]),
        (200, &"SUCCESS".into(), &"SUCCESS".into())
    );
    assert_eq!(counted().await, Some(2));
    let (status, answer) = replace("999999", "0.00001").await;
    assert_eq!((status, answer["code"].as_i64()), (400, Some(-2022)));
    let id = answer_id(&venue).await;
    let (status, answer) = replace(&id, "0.00001").await;
    assert_eq!((status, answer["code"].as_i64()), (409, Some(-2021)));
    assert_eq!(counted().await, Some(2), "neither placed one");
    venue.handle.shutdown().await;
}

/// The number of Alice's one open order.
async fn answer_id(venue: &Venue) -> String {
    let open: Vec<wire::OrderReport> = venue.alice("GET", "/api/v3/openOrders", &[]).await.read();
    assert_eq!(open.len(), 1);
    open[0].order_id.to_string()
}

/// A sale of a thousandth: a target ten per cent above the market and a stop ten per cent below it, with `more` said.
async fn place_pair(venue: &Venue, more: &[(&str, &str)]) -> Reply {
    let bid = venue.best("bidPrice").await;
    let (above, below) = (format!("{:.2}", bid * 1.1), format!("{:.2}", bid * 0.9));
    let mut pairs = vec![
        ("symbol", "BTCUSDT"),
        ("side", "SELL"),
        ("quantity", "0.001"),
        ("aboveType", "LIMIT_MAKER"),
        ("abovePrice", above.as_str()),
        ("belowType", "STOP_LOSS_LIMIT"),
        ("belowStopPrice", below.as_str()),
        ("belowPrice", below.as_str()),
        ("belowTimeInForce", "GTC"),
    ];
    pairs.retain(|(name, _)| !more.contains(&(*name, "")));
    pairs.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    venue.alice("POST", "/api/v3/orderList/oco", &pairs).await
}

#[tokio::test]
async fn a_list_is_cancelled_with_both_of_its_orders() {
    let venue = Venue::start(config()).await;
    let placed: wire::OrderList = place_pair(&venue, &[]).await.read();
    let id = placed.order_list_id.to_string();
    let away = [("symbol", "BTCUSDT"), ("orderListId", id.as_str()), ("newClientOrderId", "away")];
    let reply = venue.alice("DELETE", "/api/v3/orderList", &away).await;
    let _: wire::OrderList = reply.read();
    let names: Vec<&str> = placed.orders.iter().map(|order| order.client_order_id.as_str()).collect();
    check_cancelled(&reply.json(), &names);
    assert!(
        reply.json()["orderReports"].as_array().unwrap().iter().all(|it| it["clientOrderId"] == "away"),
        "{}",
        reply.text
    );

    // among everything that is open it is told as a list
    let price = format!("{:.2}", venue.best("bidPrice").await * 0.9);
    let single = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "0.001"),
        ("price", price.as_str()),
    ];
    assert_eq!(venue.alice("POST", "/api/v3/order", &single).await.status, 200);
    let placed: wire::OrderList = place_pair(&venue, &[]).await.read();
    let reply = venue.alice("DELETE", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]).await;
    let gone: Vec<wire::CancelledItem> = reply.read();
    assert!(matches!(gone[..], [wire::CancelledItem::Order(_), wire::CancelledItem::List(_)]), "{}", reply.text);
    let names: Vec<&str> = placed.orders.iter().map(|order| order.client_order_id.as_str()).collect();
    check_cancelled(&reply.json()[1], &names);
    venue.handle.shutdown().await;
}

/// A list is over, and each of its orders was cancelled under its own name.
fn check_cancelled(list: &Value, names: &[&str]) {
    assert_eq!(list["listOrderStatus"], "ALL_DONE", "{list}");
    let reports = list["orderReports"].as_array().unwrap();
    let told: Vec<_> = reports.iter().map(|it| (it["origClientOrderId"].as_str(), it["status"].as_str())).collect();
    let want: Vec<_> = names.iter().map(|name| (Some(*name), Some("CANCELED"))).collect();
    assert_eq!(told, want, "{list}");
}

#[tokio::test]
async fn the_orders_of_a_list_are_read_as_strictly_as_single_ones() {
    let venue = Venue::start(config()).await;
    for (more, code, text) in [
        (("belowTimeInForce", ""), -1102, "'belowTimeInForce'"),
        (("belowStopPrice", ""), -1102, "'belowStopPrice'"),
        (("belowPrice", ""), -1102, "'belowPrice'"),
        (("abovePrice", ""), -1102, "'abovePrice'"),
        (("aboveStopPrice", "1"), -1106, "'aboveStopPrice'"),
        (("aboveTimeInForce", "GTC"), -1106, "'aboveTimeInForce'"),
        (("belowIcebergQty", "0.0001"), -1013, "Iceberg"),
        (("aboveTrailingDelta", "10"), -1013, "Trailing"),
        (("newOrderRespType", "SHORT"), -1130, "'newOrderRespType'"),
    ] {
        let reply = place_pair(&venue, &[more]).await;
        assert_eq!(reply.json()["code"], code, "{more:?}: {}", reply.text);
        assert!(reply.json()["msg"].as_str().unwrap().contains(text), "{more:?}: {}", reply.text);
    }
    for (length, has_status, has_fills) in [("", true, false), ("ACK", false, false), ("FULL", true, true)] {
        let reply = place_pair(&venue, &[("newOrderRespType", length)]).await;
        let _: wire::OrderList = reply.read();
        for report in reply.json()["orderReports"].as_array().unwrap() {
            let told = (report["status"].is_string(), report["fills"].is_array());
            assert_eq!(told, (has_status, has_fills), "{length}: {report}");
        }
    }
    venue.handle.shutdown().await;
}
