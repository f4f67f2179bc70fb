//! What clients send to the local exchange. Half of the inputs are signed after they were spoilt, so that they come in.

use super::{Feed, Target, owned, way};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tradewind_domain::{Currency, Timestamp};
use tradewind_exchange::{AccountConfig, ExchangeConfig, Flow, InProcess, Limits, Receipt, RestRequest, SymbolConfig};

const START: i64 = 1_700_000_000_000;
/// The account begins anew after so many calls: orders and history do not pile up.
const CALLS: u32 = 4_000;
const FUNDS: [(&str, &str); 2] = [("BTC", "10"), ("USDT", "1000000")];

/// A market with one customer, who may ask as often as he likes.
struct House {
    inside: InProcess,
    calls: u32,
    money: Vec<(Currency, i128)>,
}

impl House {
    fn open() -> Self {
        let many = 1_000_000_000;
        let config = ExchangeConfig {
            symbols: vec![SymbolConfig::new("BTC/USDT", "0.01", "0.00001", 60_000.0, 0.05)],
            accounts: vec![AccountConfig::hmac("key", "secret", &FUNDS)],
            start: Some(Timestamp::from_millis(START)),
            history_bars: 50,
            flow: Flow { step: Duration::from_secs(1), levels: 8, seconds: false, ..Flow::default() },
            limits: Limits {
                weight_per_minute: many,
                orders_per_10s: many,
                orders_per_day: many,
                refusals_before_ban: many,
                ..Limits::default()
            },
            ..ExchangeConfig::default()
        };
        let inside = InProcess::open(&config).expect("the settings agree");
        let currencies = FUNDS.map(|(code, _)| Currency::new(code).expect("a code"));
        let money = currencies.map(|currency| (currency, inside.total(currency))).to_vec();
        Self { inside, calls: 0, money }
    }

    /// Whatever was asked, no money came of it and none was lost.
    fn settle(&mut self) {
        for (currency, before) in &self.money {
            assert_eq!(self.inside.total(*currency), *before, "{currency} in all");
        }
        for order in self.inside.orders(0) {
            assert!(order.executed <= order.quantity && order.quantity.mantissa() > 0, "{order:?}");
        }
        for (currency, balance) in self.inside.balances(0) {
            assert!(balance >= 0, "{currency}: {balance}");
        }
        self.inside.take_frames();
        self.calls += 1;
        if self.calls == CALLS {
            *self = Self::open();
        }
    }
}

fn signature(payload: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"secret").expect("any length will do");
    mac.update(payload.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// An answer is JSON, and a no has its code.
fn judged(status: u64, body: &Value) -> u64 {
    assert!((200..600).contains(&status), "{status}");
    let code = body["code"].as_i64();
    assert!(status == 200 || code.is_some_and(|code| code < 0) && body["msg"].is_string(), "{status}: {body}");
    way((status, code))
}

pub(super) const REST: Target = Target {
    name: "exchange-rest",
    about: "requests to the local exchange, `METHOD PATH QUERY`, signed where the letter before is s: money is conserved, a no has a code",
    seeds: |_| {
        let order =
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000.00&timestamp=1700000000000";
        let mut all = owned(&[
            "-GET /api/v3/time ",
            "-GET /api/v3/ping ",
            "-GET /api/v3/exchangeInfo symbol=BTCUSDT",
            "-GET /api/v3/depth symbol=BTCUSDT&limit=100",
            "-GET /api/v3/trades symbol=BTCUSDT&limit=10",
            "-GET /api/v3/aggTrades symbol=BTCUSDT&fromId=1&limit=10",
            "-GET /api/v3/klines symbol=BTCUSDT&interval=1m&startTime=1699990000000&endTime=1700000000000&limit=10",
            "-GET /api/v3/ticker/24hr symbol=BTCUSDT",
            "-GET /api/v3/avgPrice symbol=BTCUSDT",
            "sGET /api/v3/account timestamp=1700000000000&recvWindow=5000",
            "sGET /api/v3/account/commission symbol=BTCUSDT&timestamp=1700000000000",
            "sGET /api/v3/openOrders symbol=BTCUSDT&timestamp=1700000000000",
            "sGET /api/v3/allOrders symbol=BTCUSDT&orderId=1&limit=5&timestamp=1700000000000",
            "sGET /api/v3/myTrades symbol=BTCUSDT&fromId=0&limit=5&timestamp=1700000000000",
            "sGET /api/v3/order symbol=BTCUSDT&origClientOrderId=a&timestamp=1700000000000",
            "sDELETE /api/v3/order symbol=BTCUSDT&orderId=1&timestamp=1700000000000",
            "sDELETE /api/v3/openOrders symbol=BTCUSDT&timestamp=1700000000000",
            "sPOST /api/v3/orderList/oco symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=70000.00&belowType=STOP_LOSS_LIMIT&belowStopPrice=50000.00&belowPrice=49000.00&belowTimeInForce=GTC&timestamp=1700000000000",
            "sPUT /api/v3/order/amend/keepPriority symbol=BTCUSDT&orderId=1&newQty=0.005&timestamp=1700000000000",
        ]);
        for (from, to) in [
            ("a", "a"),
            ("LIMIT&timeInForce=GTC", "LIMIT_MAKER"),
            ("GTC", "IOC"),
            ("GTC", "FOK"),
            ("BUY", "SELL"),
            ("LIMIT&timeInForce=GTC&quantity=0.01&price=50000.00", "MARKET&quantity=0.01"),
            ("LIMIT&timeInForce=GTC&quantity=0.01&price=50000.00", "MARKET&quoteOrderQty=1000"),
            ("LIMIT&", "STOP_LOSS_LIMIT&stopPrice=65000.00&"),
            ("LIMIT&", "TAKE_PROFIT_LIMIT&stopPrice=55000.00&"),
            ("price=", "newClientOrderId=a&newOrderRespType=FULL&selfTradePreventionMode=NONE&price="),
        ] {
            all.push(format!("sPOST /api/v3/order {}", order.replacen(from, to, 1)).into_bytes());
        }
        all
    },
    make: || -> Feed {
        let mut house = House::open();
        Box::new(move |bytes| rest(&mut house, &String::from_utf8_lossy(bytes)))
    },
};

fn rest(house: &mut House, text: &str) -> u64 {
    let (signed, line) = text.strip_prefix('s').map_or((false, text.get(1..).unwrap_or_default()), |it| (true, it));
    let mut parts = line.splitn(3, ' ');
    let [method, path, mut query] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let whole = format!("{query}&signature={}", signature(query));
    if signed {
        query = &whole;
    }
    let sent = if method == "POST" { ("", query) } else { (query, "") };
    let reply = house.inside.ask(&RestRequest { method, path, query: sent.0, body: sent.1, key: Some("key") }, START);
    house.settle();
    if reply.body.is_empty() {
        assert!(matches!(reply.status, 404 | 405), "{} without a word", reply.status);
        return way(reply.status);
    }
    let body: Value = serde_json::from_str(&reply.body).expect("an answer is JSON");
    way((path.len(), judged(reply.status.into(), &body)))
}

pub(super) const SOCKET: Target = Target {
    name: "exchange-socket",
    about: "frames to the local exchange, signed after they were spoilt where the letter before is s: as exchange-rest",
    seeds: |_| {
        owned(&[
            r#"s{"id":1,"method":"order.place","params":{"apiKey":"key","symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.01","price":"50000.00","newClientOrderId":"a","timestamp":1700000000000}}"#,
            r#"s{"id":2,"method":"order.place","params":{"apiKey":"key","symbol":"BTCUSDT","side":"SELL","type":"MARKET","quantity":"0.01","timestamp":1700000000000,"recvWindow":5000}}"#,
            r#"s{"id":3,"method":"order.cancel","params":{"apiKey":"key","symbol":"BTCUSDT","origClientOrderId":"a","timestamp":1700000000000}}"#,
            r#"s{"id":4,"method":"order.status","params":{"apiKey":"key","symbol":"BTCUSDT","orderId":1,"timestamp":1700000000000}}"#,
            r#"s{"id":5,"method":"order.amend.keepPriority","params":{"apiKey":"key","symbol":"BTCUSDT","orderId":1,"newQty":"0.005","timestamp":1700000000000}}"#,
            r#"s{"id":6,"method":"orderList.place.oco","params":{"apiKey":"key","symbol":"BTCUSDT","side":"SELL","quantity":"0.01","aboveType":"LIMIT_MAKER","abovePrice":"70000.00","belowType":"STOP_LOSS","belowStopPrice":"50000.00","timestamp":1700000000000}}"#,
            r#"s{"id":7,"method":"account.status","params":{"apiKey":"key","timestamp":1700000000000}}"#,
            r#"s{"id":8,"method":"openOrders.status","params":{"apiKey":"key","timestamp":1700000000000}}"#,
            r#"s{"id":9,"method":"userDataStream.subscribe.signature","params":{"apiKey":"key","timestamp":1700000000000}}"#,
            r#"-{"id":"a","method":"time","params":{"returnRateLimits":true}}"#,
            r#"-{"id":null,"method":"exchangeInfo","params":{"symbol":"BTCUSDT"}}"#,
            r#"-{"id":10,"method":"depth","params":{"symbol":"BTCUSDT","limit":5}}"#,
            r#"-{"id":11,"method":"klines","params":{"symbol":"BTCUSDT","interval":"1m"}}"#,
        ])
    },
    make: || -> Feed {
        let mut house = House::open();
        Box::new(move |bytes| socket(&mut house, &String::from_utf8_lossy(bytes)))
    },
};

fn socket(house: &mut House, text: &str) -> u64 {
    let frame = match text.strip_prefix('s') {
        Some(frame) => resigned(frame),
        None => text.get(1..).unwrap_or_default().to_owned(),
    };
    let (said, is_let_in) = match house.inside.receive(&frame, START) {
        Receipt::Answered(said) => (said, false),
        Receipt::Held(held) => (house.inside.carry_out(*held, START), true),
    };
    house.settle();
    let said: Value = serde_json::from_str(&said).expect("an answer is JSON");
    let status = said["status"].as_u64().expect("an answer has a status");
    way((is_let_in, judged(status, if status == 200 { &said["result"] } else { &said["error"] })))
}

/// The frame with the signature that its parameters want; as it is where it has none.
fn resigned(frame: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(frame) else { return frame.to_owned() };
    let Some(params) = value.get_mut("params").and_then(Value::as_object_mut) else { return frame.to_owned() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let sorted: Map<String, Value> = std::mem::take(params); // by name
    let payload: Vec<String> = sorted.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    *params = sorted;
    params.insert("signature".to_owned(), json!(signature(&payload.join("&"))));
    value.to_string()
}
