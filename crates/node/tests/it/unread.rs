//! A venue whose REST interface states balances and filters that nobody can read.

use crate::recovery::{events, finish, place, start, swift};
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use reqwest::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tradewind_domain::{Coded, Origin, Side};
use tradewind_engine::EventKind;
use tradewind_node::{AdoptWords, Node, NodeError, OperatorRequest};

/// Makes another answer out of the exchange's, to a question of this path.
type Spoil = fn(&str, &mut Value);

fn sound(_: &str, _: &mut Value) {}

/// The account holds `free` of `asset`.
fn says(answer: &mut Value, asset: &str, free: &str) {
    let Some(all) = answer.get_mut("balances").and_then(Value::as_array_mut) else { return };
    all.retain(|it| it["asset"] != asset);
    all.push(json!({ "asset": asset, "free": free, "locked": "0" }));
}

fn spoilt_cash(_: &str, answer: &mut Value) {
    says(answer, "USDT", "1000O.0");
}

fn spoilt_coins(_: &str, answer: &mut Value) {
    says(answer, "BTC", "0.00999O");
}

fn spoilt_other(_: &str, answer: &mut Value) {
    says(answer, "SHIB", "25O");
}

fn many_others(_: &str, answer: &mut Value) {
    says(answer, "SHIB", "250000000000.00000001");
}

/// Every filter of prices has this tick.
fn ticks(path: &str, answer: &mut Value, tick: &str) {
    if !path.starts_with("/api/v3/exchangeInfo") {
        return;
    }
    for listed in answer["symbols"].as_array_mut().unwrap() {
        for filter in listed["filters"].as_array_mut().unwrap() {
            if filter["filterType"] == "PRICE_FILTER" {
                filter["tickSize"] = json!(tick);
            }
        }
    }
}

fn spoilt_tick(path: &str, answer: &mut Value) {
    ticks(path, answer, "0.0x000000");
}

fn negative_tick(path: &str, answer: &mut Value) {
    ticks(path, answer, "-.01000000");
}

/// Stands between a node and the exchange's REST interface.
struct Between {
    url: String,
    spoil: Arc<Mutex<Spoil>>,
    /// How often the account was asked for.
    asked: Arc<AtomicUsize>,
}

impl Between {
    async fn new(stage: &Stage, spoil: Spoil) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (spoil, asked) = (Arc::new(Mutex::new(spoil)), Arc::default());
        let exchange = Self { url: stage.exchange.url(), spoil: spoil.clone(), asked: Arc::clone(&asked) };
        let exchange = Arc::new(exchange);
        let http = Client::builder().no_proxy().build().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, exchange.clone(), http.clone()));
            }
        });
        Self { url, spoil, asked }
    }

    fn will(&self, spoil: Spoil) {
        *self.spoil.lock().unwrap() = spoil;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A node without strategies that asks here.
    async fn node(&self, stage: &Stage) -> Result<Node, NodeError> {
        let mut settings = swift(stage, stage.dir.path());
        settings.venue.rest_url.clone_from(&self.url);
        Node::start(settings, surroundings(Origin::Simulated)).await
    }

    /// Waits until the balances were compared a few more times.
    async fn until_compared(&self, node: &Node) {
        let before = self.asked();
        until(node, "balances are asked for again", |_| self.asked() >= before + 4).await;
    }
}

/// Answers the one question that comes over `stream` by the exchange's word; `None` where there is no such word.
async fn answer(mut stream: TcpStream, exchange: Arc<Between>, http: Client) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.strip_prefix("GET ")?.split(' ').next()?;
    if target.starts_with("/api/v3/account") {
        exchange.asked.fetch_add(1, Ordering::SeqCst);
    }
    let mut question = http.get(format!("{}{target}", exchange.url));
    if let Some(key) = head.lines().find_map(|line| line.strip_prefix("x-mbx-apikey: ")) {
        question = question.header("x-mbx-apikey", key);
    }
    let reply = question.send().await.ok()?;
    let status = reply.status().as_u16();
    let mut body: Value = serde_json::from_str(&reply.text().await.ok()?).ok()?;
    let spoil = *exchange.spoil.lock().unwrap();
    spoil(target, &mut body);
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok()
}

/// What the portfolios began with.
fn deposits(dir: &Path) -> Vec<String> {
    let money = |kind: EventKind| match kind {
        EventKind::Deposited(money) => Some(money.to_string()),
        _ => None,
    };
    events(dir).into_iter().filter_map(money).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_balance_that_cannot_be_read_is_refused_and_books_no_zero() {
    let stage = Stage::new(exchange_config()).await;
    let between = Between::new(&stage, sound).await;
    for (spoil, said) in [
        (spoilt_cash as Spoil, "free of USDT: `1000O.0` is not a decimal number"),
        (spoilt_coins as Spoil, "free of BTC: `0.00999O` is not a decimal number"),
    ] {
        between.will(spoil);
        let error = between.node(&stage).await.err().expect("how much there is, nobody knows");
        assert_eq!(error.code(), "VEN-21", "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    between.will(sound);
    let node = between.node(&stage).await.unwrap();
    node.stop().await.unwrap();
    assert_eq!(deposits(stage.dir.path()), ["10000 USDT"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asset_that_nobody_trades_is_told_and_left_alone_where_it_cannot_be_read() {
    let stage = Stage::new(exchange_config()).await;
    let between = Between::new(&stage, spoilt_other).await;
    let node = between.node(&stage).await.unwrap();
    let before = status(&node).await["agreed_at"].clone();
    between.until_compared(&node).await;
    let seen = until(&node, "they agree on the rest", |it| it["agreed_at"] != before).await;
    let notices = seen["notices"].to_string();
    assert_eq!(notices.matches("VEN-21: free of SHIB: `25O` is not a decimal number").count(), 1, "{notices}");
    assert!(!notices.contains("alarm: VEN-21"), "{notices}");
    assert_eq!((&seen["drifting"], &seen["restricted"]), (&json!(0), &Value::Null), "{seen:#}");
    node.stop().await.unwrap();
    assert_eq!(deposits(stage.dir.path()), ["10000 USDT"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_that_cannot_be_read_any_more_is_told_once_is_no_difference_and_is_not_adopted() {
    let stage = Stage::new(exchange_config()).await;
    let between = Between::new(&stage, sound).await;
    let node = between.node(&stage).await.unwrap();
    until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    place(&node, words(Side::Buy, "0.01", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    between.will(spoilt_coins);
    let told = "alarm: VEN-21: free of BTC: `0.00999O` is not a decimal number";
    let seen = until(&node, "told", |it| it["notices"].to_string().contains(told)).await;
    between.until_compared(&node).await;
    let after = status(&node).await;
    assert_eq!(after["notices"].to_string().matches("VEN-21").count(), 1, "{after:#}");
    assert_eq!((&after["drifting"], &after["restricted"]), (&json!(0), &Value::Null), "{after:#}");
    assert_eq!(after["agreed_at"], seen["agreed_at"], "it is no agreement either");
    let balances = AdoptWords { order: None, balances: true };
    assert_eq!(ask(&node, OperatorRequest::Adopt(balances)).await.unwrap()["balances"], json!({}));

    between.will(sound);
    until(&node, "they agree again", |it| it["agreed_at"] != seen["agreed_at"]).await;
    between.will(spoilt_coins);
    let again = |it: &Value| it["notices"].to_string().matches(told).count() == 2;
    until(&node, "what could be read meanwhile is told anew", again).await;
    between.will(sound);
    let said = finish(&stage, node).await;
    assert!(!said.iter().any(|kind| matches!(kind, EventKind::Adjusted { .. })), "nothing was written off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_beyond_64_bits_is_booked_and_compared_to_the_last_unit() {
    let stage = Stage::new(exchange_config()).await;
    let between = Between::new(&stage, many_others).await;
    for _ in 0..2 {
        let node = between.node(&stage).await.unwrap();
        let before = status(&node).await["agreed_at"].clone();
        let seen = until(&node, "they agree", |it| it["agreed_at"] != before).await;
        assert_eq!((&seen["drifting"], &seen["restricted"]), (&json!(0), &Value::Null), "{seen:#}");
        assert!(!seen["notices"].to_string().contains("VEN-21"), "{seen:#}");
        node.stop().await.unwrap();
        check_journal(stage.dir.path()); // what was written is read again
    }
    let mut booked = deposits(stage.dir.path());
    booked.sort_unstable();
    assert_eq!(booked, ["10000 USDT", "250000000000.00000001 SHIB"]);
    // without it there is a difference
    let node = start(&stage).await;
    let seen = status(&node).await;
    let why = seen["restricted"].as_str().unwrap_or_default();
    assert!(why.starts_with("balance SHIB is 250000000000.00000001 here and 0 at the venue"), "{seen:#}");
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_filter_that_cannot_be_read_names_the_field_and_its_value() {
    let stage = Stage::new(exchange_config()).await;
    for (spoil, said) in [
        (spoilt_tick as Spoil, "tickSize of BTCUSDT: `0.0x000000` is not a decimal number"),
        (negative_tick as Spoil, "tickSize of BTCUSDT: `-.01000000` is below zero"),
    ] {
        let between = Between::new(&stage, spoil).await;
        let error = between.node(&stage).await.err().expect("no order can be checked against it");
        assert_eq!(error.code(), "VEN-21", "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}
