//! The wire types read what the venue really sent, and write what they read.

use crate::support::recordings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;
use tradewind_venues::binance::wire as w;

/// Reads, writes and reads again; what is written must hold nothing that was not read.
fn check<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(what: &str, value: Value) -> T {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(serde_json::from_value::<T>(written.clone()).unwrap(), read, "{what}");
    agree(what, &value, &written);
    read
}

/// Wherever both texts have a field, it is the same.
fn agree(what: &str, sent: &Value, written: &Value) {
    match (sent, written) {
        (Value::Object(sent), Value::Object(written)) => {
            for (name, value) in written {
                if let Some(other) = sent.get(name) {
                    agree(&format!("{what}.{name}"), other, value);
                }
            }
        }
        (Value::Array(sent), Value::Array(written)) => {
            assert_eq!(sent.len(), written.len(), "{what}");
            sent.iter().zip(written).for_each(|(sent, written)| agree(what, sent, written));
        }
        _ => assert_eq!(sent, written, "{what}"),
    }
}

/// The first JSON value of a file: some recordings have lines of another kind before it.
fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let body = match text.split_once("\n= ") {
        Some((_, body)) => body,
        None => text.find(['{', '[']).map_or("", |at| &text[at..]),
    };
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<Value>();
    values.next().and_then(Result::ok).unwrap_or_else(|| panic!("{}: no JSON", path.display()))
}

#[test]
fn rest_answers_are_read_as_recorded() {
    let Some(folder) = recordings("rest_answers_are_read_as_recorded") else { return };
    let at = |name: &str| json(&folder.join("exchanges/binance").join(name));
    let nautilus = |name: &str| at(&format!("nautilus/spot/http_json/{name}.json"));
    check::<w::ServerTime>("time", nautilus("server_time_response"));
    check::<w::ExchangeInfo>("exchangeInfo", nautilus("exchange_info_response"));
    check::<w::ExchangeInfo>("exchangeInfo 2", at("nautilus-py/http_responses/http_spot_market_exchange_info.json"));
    check::<w::BookTicker>("bookTicker", nautilus("book_ticker_response"));
    check::<w::BookTicker>("bookTicker 2", at("nautilus-py/http_responses/http_spot_market_book_ticker.json"));
    check::<Vec<w::RecentTrade>>("trades", at("nautilus-py/http_responses/http_spot_market_trades.json"));
    check::<Vec<w::AggTrade>>("aggTrades", at("nautilus-py/http_responses/http_spot_market_agg_trades.json"));
    check::<Vec<w::Kline>>("klines", at("nautilus-py/http_responses/http_spot_market_klines.json"));
    check::<w::Account>("account", nautilus("account_response"));
    let full = check::<w::NewOrderResponse>("order, full", nautilus("new_order_full_response"));
    assert_eq!(full.fills.map(|fills| fills.len()), Some(5));
    check::<w::OrderReport>("query", nautilus("order_response"));
    check::<Vec<w::OrderReport>>("allOrders", nautilus("all_orders_response"));
    check::<w::CancelResponse>("cancel", nautilus("cancel_order_response"));
    let jkorf = |name: &str| at(&format!("jkorf/Endpoints/Spot/{name}.txt"));
    check::<Vec<w::CancelledItem>>("cancel all", jkorf("Trading/CancelAllOrders"));
    let list = check::<w::OrderList>("oco", jkorf("Trading/PlaceOcoOrderList"));
    assert_eq!(list.order_reports.map(|reports| reports.len()), Some(2));
    check::<w::OrderReport>("query", jkorf("Trading/GetOrder"));

    let routes = &at("gocryptotrader/http.json")["routes"];
    let each = |path: &str, method: &str| -> Vec<Value> {
        let all = routes[path][method].as_array().unwrap_or_else(|| panic!("{path}"));
        all.iter().map(|one| one["data"].clone()).collect()
    };
    for depth in each("/api/v3/depth", "GET") {
        check::<w::Depth>("depth", depth);
    }
    for klines in each("/api/v3/klines", "GET") {
        check::<Vec<w::Kline>>("klines", klines);
    }
    for ticker in each("/api/v3/ticker/24hr", "GET").into_iter().filter(Value::is_object) {
        check::<w::Ticker24h>("24hr", ticker);
    }
    for account in each("/api/v3/account", "GET") {
        check::<w::Account>("account", account);
    }
    for orders in each("/api/v3/allOrders", "GET") {
        check::<Vec<w::OrderReport>>("allOrders", orders);
    }
}

#[test]
fn every_symbol_of_a_recorded_listing_is_usable_or_says_why_not() {
    let test = "every_symbol_of_a_recorded_listing_is_usable_or_says_why_not";
    let Some(folder) = recordings(test) else { return };
    let text = std::fs::read_to_string(folder.join("exchanges/binance/cryptofeed/BINANCE.0")).unwrap();
    let body = text.lines().next().unwrap().split_once(": ").unwrap().1;
    let info: w::ExchangeInfo = serde_json::from_str(body).unwrap();
    let fees = tradewind_domain::FeeSchedule::default();
    let (mut usable, mut not) = (0, Vec::new());
    for symbol in &info.symbols {
        match tradewind_venues::binance::convert::list_symbol(symbol, fees) {
            Ok(listing) => {
                listing.spec.list(tradewind_domain::InstrumentId(usable)).unwrap();
                usable += 1;
            }
            Err(error) => not.push(error.to_string()),
        }
    }
    assert_eq!((usable, info.symbols.len()), (1_695, 1_695), "{not:?}");
}

#[test]
fn streams_are_read_as_recorded() {
    let Some(folder) = recordings("streams_are_read_as_recorded") else { return };
    let binance = folder.join("exchanges/binance");
    let lines = std::fs::read_to_string(binance.join("cryptofeed/BINANCE.ws.1.0")).unwrap();
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for line in lines.lines().filter_map(|line| line.split_once(": ")).filter(|(_, body)| body.contains("\"stream\"")) {
        let frame: w::Combined<w::MarketEvent> = check("frame", serde_json::from_str(line.1).unwrap());
        let (kind, stream) = match frame.data {
            w::MarketEvent::Depth(_) => ("depth", "@depth@100ms"),
            w::MarketEvent::BookTicker(_) => ("quote", "@bookTicker"),
            w::MarketEvent::Kline(_) => ("bar", "@kline_1m"),
            w::MarketEvent::AggTrade(_) => ("aggregate", "@aggTrade"),
            other => panic!("{other:?}"),
        };
        assert!(frame.stream.ends_with(stream), "{}", frame.stream);
        *seen.entry(kind).or_default() += 1;
    }
    assert_eq!(seen, [("aggregate", 2), ("bar", 2), ("depth", 177), ("quote", 84)].into());

    let lines = std::fs::read_to_string(binance.join("gocryptotrader/wsHandleData.jsonl")).unwrap();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        if value["stream"].as_str().unwrap().contains('@') {
            check::<w::Combined<w::MarketEvent>>("market", value);
        } else {
            check::<w::Combined<w::UserEvent>>("user", value);
        }
    }
}

#[test]
fn the_user_stream_and_the_websocket_api_are_read_as_recorded() {
    let test = "the_user_stream_and_the_websocket_api_are_read_as_recorded";
    let Some(folder) = recordings(test) else { return };
    let at = |name: &str| json(&folder.join("exchanges/binance").join(name));
    for name in ["execution_report_new", "execution_report_trade", "execution_report_canceled"] {
        check::<w::UserEvent>(name, at(&format!("nautilus/spot/user_data_json/{name}.json")));
    }
    check::<w::UserEvent>("position", at("nautilus/spot/user_data_json/account_position.json"));
    check::<w::UserEvent>("balance", at("nautilus/spot/user_data_json/balance_update.json"));
    let frame = check::<w::UserFrame>("list", at("nautilus/spot/user_data_json/list_status_wrapped.json"));
    assert_eq!(frame.subscription_id, Some(0));
    assert!(matches!(frame.event, w::UserEvent::ListStatus(_)));
    check::<w::UserFrame>("execution", at("jkorf/Subscriptions/Spot/Account/Order.txt"));
    for name in ["new", "trade", "canceled", "trade_prevention", "pending_cancel", "empty_client_id"] {
        let value = at(&format!("nautilus-py/ws_messages/ws_spot_execution_report_{name}.json"));
        check::<w::UserEvent>(name, value["data"].clone());
    }
    let placed = at("jkorf/Socket/Spot/Trading/PlaceOrder.txt");
    let placed = check::<w::ApiResponse<w::NewOrderResponse>>("order.place", placed);
    assert_eq!((placed.status, placed.rate_limits.len()), (200, 3));
    check::<w::ApiResponse<w::OrderReport>>("order.status", at("jkorf/Socket/Spot/Trading/GetOrder.txt"));
    check::<w::ApiResponse<Vec<w::AccountTrade>>>("myTrades", at("jkorf/Socket/Spot/Trading/GetUserTrades.txt"));
    check::<w::ApiResponse<Vec<w::OrderList>>>("lists", at("jkorf/Socket/Spot/Trading/GetOpenOcoOrders.txt"));
    check::<w::ApiResponse<w::Account>>("account", at("jkorf/Socket/Spot/Account/GetAccountInfo.txt"));
}
