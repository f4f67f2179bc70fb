//! A running exchange and a client of it.

use futures_util::{SinkExt as _, StreamExt as _};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig, ExchangeHandle};
use tradewind_venues::binance::sign::{Signer, encode};
use tradewind_venues::{ApiKey, ApiSecret};

pub(crate) const KEY: &str = "key-of-alice";
pub(crate) const SECRET: &str = "secret-of-alice";
/// RFC 8032, section 7.1, test 2.
pub(crate) const SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
pub(crate) const ED_KEY: &str = "key-of-bob";
pub(crate) const FUNDS: [(&str, &str); 3] = [("BTC", "10"), ("ETH", "100"), ("USDT", "1000000")];

/// An exchange with Alice (HMAC) and Bob (Ed25519).
pub(crate) fn config() -> ExchangeConfig {
    let public = hex::decode(PUBLIC).unwrap().try_into().unwrap();
    ExchangeConfig {
        seed: 7,
        accounts: vec![AccountConfig::hmac(KEY, SECRET, &FUNDS), AccountConfig::ed25519(ED_KEY, public, &FUNDS)],
        ..ExchangeConfig::default()
    }
}

pub(crate) fn alice() -> Signer {
    Signer::new(ApiKey::new(KEY), ApiSecret::new(SECRET)).unwrap()
}

pub(crate) fn bob() -> Signer {
    use base64::Engine as _;
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    der.extend(hex::decode(SEED).unwrap());
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    Signer::new(ApiKey::new(ED_KEY), ApiSecret::new(&pem)).unwrap()
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub(crate) struct Venue {
    pub(crate) handle: ExchangeHandle,
    pub(crate) http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
    pub(crate) fn read<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
    /// Status and code of a refusal; 0 for an answer that is none.
    pub(crate) fn refusal(&self) -> (u16, i64) {
        (self.status, self.json()["code"].as_i64().unwrap_or(0))
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Venue {
    pub(crate) async fn start(config: ExchangeConfig) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default(); // once a process; others may be first
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Self { handle: Exchange::start(config).await.unwrap(), http }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, query: &str, key: Option<&str>) -> Reply {
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{query}", self.handle.url());
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(key) = key {
            request = request.header("X-MBX-APIKEY", key);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str, query: &str) -> Reply {
        self.send("GET", path, query, None).await
    }

    /// A signed request of `signer`; `timestamp` is added.
    pub(crate) async fn signed(&self, signer: &Signer, method: &str, path: &str, pairs: &[(&str, &str)]) -> Reply {
        let stamp = now().to_string();
        let mut pairs = pairs.to_vec();
        pairs.push(("timestamp", &stamp));
        self.send(method, path, &signer.signed(&encode(&pairs)), Some(signer.key().expose())).await
    }

    pub(crate) async fn alice(&self, method: &str, path: &str, pairs: &[(&str, &str)]) -> Reply {
        self.signed(&alice(), method, path, pairs).await
    }

    /// The best price of one side of BTCUSDT as a number.
    pub(crate) async fn best(&self, side: &str) -> f64 {
        let best = self.get("/api/v3/ticker/bookTicker", "symbol=BTCUSDT").await.json();
        best[side].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn socket(&self, path: &str) -> Socket {
        let url = format!("{}{path}", self.handle.url().replace("http", "ws"));
        Socket(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }
}

pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn say(&mut self, value: &Value) {
        self.0.send(Message::Text(value.to_string().into())).await.unwrap();
    }

    /// The next text; `None` when the connection is over.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.expect("something in 10 s");
            match next {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Closes it. Whether the venue answered with a close frame of its own.
    pub(crate) async fn leave(mut self) -> bool {
        self.0.close(None).await.unwrap();
        loop {
            match tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.expect("an end in 10 s") {
                Some(Ok(Message::Close(_))) => return true,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
    }

    pub(crate) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.hear().await.expect("the connection lives")).unwrap()
    }

    /// The next message that `wanted` accepts.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..10_000 {
            let value = self.json().await;
            if wanted(&value) {
                return value;
            }
        }
        panic!("ten thousand messages, and none of them the one");
    }
}
