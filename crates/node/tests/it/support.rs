//! A local exchange, a node on it, and somebody who paces a tape.

use reqwest::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tradewind_domain::{Currency, Money, Origin, Source, Timestamp};
use tradewind_engine::EventKind;
use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig, ExchangeHandle, Fault, Limits};
use tradewind_node::settings::{LimitSettings, NodeMode, Profile, Settings, StrategySettings, VenueSettings};
use tradewind_node::{Node, NodeError, OperatorReply, OperatorRequest, OrderWords, Progress, Surroundings};
use tradewind_venues::binance::sign::{Signer, encode};
use tradewind_venues::{ApiKey, ApiSecret};

pub(crate) const KEY: &str = "key-of-the-node";
pub(crate) const SECRET: &str = "secret-of-the-node";
const OTHER_KEY: &str = "key-of-somebody-else";
pub(crate) const CASH: &str = "10000";

/// What the tests' exchange has in common: the node's account and somebody else's, and budgets that a tape at full speed does not use up.
pub(crate) fn exchange_config() -> ExchangeConfig {
    ExchangeConfig {
        seed: 7,
        accounts: vec![
            AccountConfig::hmac(KEY, SECRET, &[("USDT", CASH)]),
            AccountConfig::hmac(OTHER_KEY, SECRET, &[("USDT", "10000000"), ("BTC", "100")]),
        ],
        limits: Limits { orders_per_10s: 100_000, weight_per_minute: 1_000_000, ..Limits::default() },
        ..ExchangeConfig::default()
    }
}

pub(crate) fn settings(url: &str, data_dir: &Path, strategies: &[&str]) -> Settings {
    let sockets = url.replacen("http", "ws", 1);
    let strategy = |name: &&str| StrategySettings::named(name);
    Settings {
        mode: NodeMode::Paper,
        data_dir: data_dir.to_owned(),
        venue: VenueSettings {
            rest_url: url.to_owned(),
            stream_url: sockets.clone(),
            ws_api_url: format!("{sockets}/ws-api/v3"),
            ..VenueSettings::default()
        },
        strategy: strategies.iter().map(strategy).collect(),
        limits: LimitSettings::of(Profile::Research),
        ..Settings::default()
    }
}

pub(crate) fn surroundings(origin: Origin) -> Surroundings {
    Surroundings { origin, key: Some((KEY.to_owned(), SECRET.to_owned())), after_bar: None, settings_file: None }
}

/// An exchange, a data directory, and the way to the exchange's own controls.
pub(crate) struct Stage {
    pub(crate) exchange: ExchangeHandle,
    pub(crate) dir: TempDir,
    http: Client,
}

impl Stage {
    pub(crate) async fn new(config: ExchangeConfig) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default(); // once a process; others may be first
        let exchange = Exchange::start(config).await.expect("the exchange starts");
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { exchange, dir: TempDir::new().unwrap(), http }
    }

    pub(crate) fn settings(&self, strategies: &[&str]) -> Settings {
        settings(&self.exchange.url(), self.dir.path(), strategies)
    }

    /// A node without strategies on the simulated market.
    pub(crate) async fn node(&self) -> Result<Node, NodeError> {
        self.node_with(&[]).await
    }

    /// A node with `strategies` on the simulated market.
    pub(crate) async fn node_with(&self, strategies: &[&str]) -> Result<Node, NodeError> {
        Node::start(self.settings(strategies), surroundings(Origin::Simulated)).await
    }

    /// What the exchange says of itself.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.http.get(format!("{}{path}", self.exchange.url())).send().await.unwrap();
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.exchange.url());
        let reply = self.http.post(url).header("content-type", "application/json").body(body.to_string()).send();
        let reply = reply.await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    /// A signed request, as another program with the same key would make it.
    pub(crate) async fn signed(&self, method: &str, path: &str, pairs: &[(&str, &str)]) -> Value {
        self.signed_by(KEY, SECRET, method, path, pairs).await
    }

    async fn signed_by(&self, key: &str, secret: &str, method: &str, path: &str, pairs: &[(&str, &str)]) -> Value {
        let signer = Signer::new(ApiKey::new(key), ApiSecret::new(secret)).unwrap();
        let stamp = tradewind_node::wall().millis().to_string();
        let mut pairs = pairs.to_vec();
        pairs.push(("timestamp", &stamp));
        let url = format!("{}{path}?{}", self.exchange.url(), signer.signed(&encode(&pairs)));
        let request = self.http.request(method.parse().unwrap(), url).header("X-MBX-APIKEY", key);
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// An order that no node knows of.
    pub(crate) async fn by_hand(&self, side: &str, quantity: &str, price: &str) {
        let order = [
            ("symbol", "BTCUSDT"),
            ("side", side),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", quantity),
            ("price", price),
            ("newClientOrderId", "typed-by-hand"),
        ];
        let placed = self.signed("POST", "/api/v3/order", &order).await;
        assert_eq!(placed["clientOrderId"], "typed-by-hand", "{placed}");
    }

    /// Every order that the exchange has of the account, by its client id, oldest first.
    pub(crate) async fn venue_orders(&self) -> Vec<Value> {
        let all = self.signed("GET", "/api/v3/allOrders", &[("symbol", "BTCUSDT"), ("limit", "1000")]).await;
        all.as_array().unwrap().clone()
    }

    /// What the exchange says that it charged the account, by currency.
    pub(crate) async fn charged(&self) -> BTreeMap<String, String> {
        let trades = self.signed("GET", "/api/v3/myTrades", &[("symbol", "BTCUSDT"), ("limit", "1000")]).await;
        let mut sums: BTreeMap<String, Money> = BTreeMap::new();
        for trade in trades.as_array().unwrap() {
            let [asset, fee] = ["commissionAsset", "commission"].map(|name| trade[name].as_str().unwrap());
            let currency = Currency::new(asset).unwrap();
            let sum = sums.entry(asset.to_owned()).or_insert(Money::zero(currency));
            sum.units += Money::parse(fee, currency).unwrap().units;
        }
        sums.into_iter().map(|(asset, sum)| (asset, sum.amount())).collect()
    }

    /// The account's open orders, as the exchange has them.
    pub(crate) async fn open_orders(&self) -> Vec<Value> {
        self.signed("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]).await.as_array().unwrap().clone()
    }

    /// Somebody else buys everything that is offered up to `limit`.
    pub(crate) async fn sweep(&self, limit: &str) {
        self.by_somebody("BUY", "140", limit).await;
    }

    /// Somebody else trades what there is up to `quantity` and `limit`.
    pub(crate) async fn by_somebody(&self, side: &str, quantity: &str, limit: &str) {
        let order = [
            ("symbol", "BTCUSDT"),
            ("side", side),
            ("type", "LIMIT"),
            ("timeInForce", "IOC"),
            ("quantity", quantity),
            ("price", limit),
        ];
        let placed = self.signed_by(OTHER_KEY, SECRET, "POST", "/api/v3/order", &order).await;
        assert!(placed["executedQty"].is_string(), "{placed}");
    }

    /// What goes wrong from now on.
    pub(crate) async fn faults(&self, faults: &[Fault]) {
        self.post("/tradewind/v1/faults", &serde_json::to_value(faults).unwrap()).await;
    }

    /// Waits until node and exchange know of the same fills and the same open orders, and none of unknown outcome.
    pub(crate) async fn settled(&self, node: &Node) {
        let deadline = Instant::now() + Duration::from_secs(120); // a hang, not a slow machine
        loop {
            let venue = self.get("/tradewind/v1/status").await;
            let seen = status(node).await;
            let orders = ask(node, OperatorRequest::OrderList).await.unwrap();
            let answered =
                orders.as_array().unwrap().iter().all(|it| it["status"] != "new" && it["status"] != "pending_cancel");
            let same = seen["counters"]["fills"] == venue["fills"] && seen["open_orders"] == venue["open_orders"];
            if same && answered && seen["unknown_orders"] == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "stuck: {venue:#}\n{seen:#}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Plays a tape in lockstep to its end, each bar only as far as the node has dealt with: its open, what fills inside
    /// it, its close.
    pub(crate) async fn play_in_parts(&self, node: &Node, progress: &mut Pace, history_end: Timestamp) {
        let mut through = history_end.millis();
        loop {
            for until in ["open", "fills"] {
                self.post("/tradewind/v1/step", &json!({ "through": through, "until": until })).await;
                self.settled(node).await;
            }
            let told = self.post("/tradewind/v1/step", &json!({ "through": through })).await;
            if told["done"] == true {
                return;
            }
            through = told["through"].as_i64().unwrap();
            progress.until(|it| it.through.is_some_and(|at| at.millis() == through)).await;
            self.settled(node).await;
        }
    }

    /// Plays a tape in lockstep to its end.
    pub(crate) async fn play(&self, progress: &mut Pace, history_end: Timestamp) {
        let mut through = history_end.millis();
        loop {
            if progress.latest.is_some_and(|it| it.open_orders > 0) {
                let body = json!({ "through": through, "until": "fills" });
                let told = self.post("/tradewind/v1/step", &body).await;
                progress
                    .until(|it| json!(it.fills) == told["fills"] && json!(it.open_orders) == told["open_orders"])
                    .await;
            }
            let told = self.post("/tradewind/v1/step", &json!({ "through": through })).await;
            if told["done"] == true {
                return;
            }
            through = told["through"].as_i64().unwrap();
            progress.until(|it| it.through.is_some_and(|at| at.millis() == through)).await;
        }
    }
}

/// How far a node is, as it says.
pub(crate) struct Pace {
    told: mpsc::UnboundedReceiver<Progress>,
    latest: Option<Progress>,
}

impl Pace {
    pub(crate) fn new() -> (mpsc::UnboundedSender<Progress>, Self) {
        let (sender, told) = mpsc::unbounded_channel();
        (sender, Self { told, latest: None })
    }

    pub(crate) async fn until(&mut self, is: impl Fn(&Progress) -> bool) {
        while !self.latest.as_ref().is_some_and(&is) {
            let next = tokio::time::timeout(Duration::from_secs(20), self.told.recv()).await;
            self.latest = Some(next.unwrap_or_else(|_| panic!("stuck at {:?}", self.latest)).expect("the node runs"));
        }
    }
}

pub(crate) fn recording(test: &str, path: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var_os("TRADEWIND_RECORDINGS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", file.display());
    eprintln!("no recordings: {test}");
    None
}

/// What a person sees of an answer: its data, or code and words.
pub(crate) async fn ask(node: &Node, request: OperatorRequest) -> Result<Value, (String, String)> {
    match node.request(request).await.expect("the node runs") {
        OperatorReply::Done { data } => Ok(data),
        OperatorReply::Failed { code, message, hint } => Err((code, format!("{message}; {hint}"))),
    }
}

pub(crate) async fn status(node: &Node) -> Value {
    ask(node, OperatorRequest::Status).await.unwrap()
}

/// Asks again and again until it is so.
pub(crate) async fn until(node: &Node, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(120); // a hang, not a slow machine
    loop {
        let seen = status(node).await;
        if is(&seen) {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "not in 120 s: {what}\n{seen:#}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn words(side: tradewind_domain::Side, quantity: &str, price: Option<&str>) -> OrderWords {
    OrderWords {
        plan: None,
        symbol: "BTC/USDT".to_owned(),
        side,
        quantity: quantity.to_owned(),
        price: price.map(str::to_owned),
        trigger: None,
        kind: None,
        time_in_force: None,
        post_only: false,
        reduce_only: false,
        portfolio: None,
    }
}

/// Every promise that a journal makes after any end: it verifies, and deciding again gives the same.
pub(crate) fn check_journal(dir: &Path) {
    let report = tradewind_journal::verify(tradewind_node::DataDir::new(dir).journal()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    let replayed = tradewind_node::replay(dir, |_| ()).unwrap();
    assert_eq!(replayed.replay.divergence(), None);
    check_decisions(dir);
}

/// Whatever a strategy proposes names the decision that it follows, which names the bar that it was made on.
fn check_decisions(dir: &Path) {
    let (mut bars, mut decided, mut first) = (BTreeSet::new(), BTreeMap::new(), None);
    let Ok(events) = tradewind_node::events(dir) else { return }; // retention has removed the first of them
    for event in events {
        let first = *first.get_or_insert(event.sequence);
        match (&event.kind, event.source) {
            (EventKind::BarClosed { .. }, _) => drop(bars.insert(event.sequence)),
            (EventKind::Decided(_), source) => {
                let bar = event.cause.expect("a decision names its bar");
                assert!(bar < first || bars.contains(&bar), "{event:?}");
                decided.insert(event.sequence, source);
            }
            (EventKind::Proposed(_) | EventKind::ProposedPair { .. }, source @ Source::Strategy(_)) => {
                let decision = event.cause.expect("a strategy's proposal names its decision");
                assert!(decision < first || decided.get(&decision) == Some(&source), "{event:?}");
            }
            _ => (),
        }
    }
}
