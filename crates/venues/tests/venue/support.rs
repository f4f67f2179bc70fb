//! Recordings, permits, and a venue on a real socket that answers as a test tells it.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tradewind_domain::{
    ClientOrderId, FeeSchedule, Instrument, InstrumentId, OrderRequest, Origin, PortfolioId, Source, Timestamp,
};
use tradewind_gate::{Approved, Limits, Mark, Mode, Proposal, View};
use tradewind_journal::{Journal, Options, Permit, SimStorage};
use tradewind_venues::binance::convert::list_symbol;
use tradewind_venues::binance::sign::Signer;
use tradewind_venues::binance::wire::ExchangeInfo;
use tradewind_venues::binance::{BinanceConfig, Connection, Subscriptions};
use tradewind_venues::{ApiKey, ApiSecret, VenueEvent};

/// The folder of recordings; `None`, with a line that says so, where there is none.
pub(crate) fn recordings(test: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var("TRADEWIND_RECORDINGS").unwrap_or_else(|_| default.to_owned());
    let folder = PathBuf::from(folder);
    if folder.join("exchanges/binance").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "recordings are missing: {test}");
    eprintln!("no recordings: {test}");
    None
}

/// A gzipped text.
pub(crate) fn unzip(path: PathBuf) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Exchange information for BTCUSDT, as the venue lists it.
pub(crate) fn exchange_info() -> Value {
    json!({
        "timezone": "UTC", "serverTime": 1_700_000_000_000_i64,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        ],
        "exchangeFilters": [],
        "symbols": [{
            "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "baseAssetPrecision": 8,
            "quoteAsset": "USDT", "quotePrecision": 8, "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
            "isSpotTradingAllowed": true, "ocoAllowed": true,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01000000"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
                {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "112.21", "stepSize": "0"},
                {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": true,
                 "maxNotional": "9000000.00000000", "applyMaxToMarket": false, "avgPriceMins": 5},
                {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
                {"filterType": "INVENTED_TOMORROW", "anything": [1, 2]},
            ],
            "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER"],
        }],
    })
}

/// BTC/USDT as listed above, with eight decimals of price and quantity.
pub(crate) fn bitcoin() -> Instrument {
    let info: ExchangeInfo = serde_json::from_value(exchange_info()).unwrap();
    list_symbol(&info.symbols[0], FeeSchedule::default()).unwrap().spec.list(InstrumentId(0)).unwrap()
}

pub(crate) const OUR_ID: ClientOrderId = ClientOrderId::from_u128(0x018b_cfe5_6800_0000_0000_0000_0000_002a);

pub(crate) const OTHER_ID: ClientOrderId = ClientOrderId::from_u128(0x018b_cfe5_6800_0000_0000_0000_0000_002b);

/// A permit over an order that the gate approved and an in-memory journal synced.
pub(crate) fn permit(request: OrderRequest) -> Permit<Approved> {
    synced(reviewed(|view| {
        let proposal = proposal(request);
        tradewind_gate::review(view, &proposal, OUR_ID).unwrap()
    }))
}

/// As [`permit`], for an order of another name.
pub(crate) fn permit_of(request: OrderRequest, id: ClientOrderId) -> Permit<Approved> {
    synced(reviewed(|view| tradewind_gate::review(view, &proposal(request), id).unwrap()))
}

/// A permit over two orders of which one cancels the other.
pub(crate) fn pair_permit(pair: [OrderRequest; 2]) -> Permit<Approved> {
    synced(reviewed(|view| tradewind_gate::review_pair(view, &pair.map(proposal), [OUR_ID, OTHER_ID]).unwrap()))
}

fn proposal(request: OrderRequest) -> Proposal {
    Proposal { plan: None, source: Source::Operator, portfolio: PortfolioId(0), request, reason: "a test".into() }
}

fn reviewed(review: impl FnOnce(&View<'_>) -> Approved) -> Approved {
    let it = bitcoin();
    let now = Timestamp::from_millis(1_700_000_000_000);
    let mark = Mark { price: it.price("50000").unwrap(), at: now, origin: Origin::Live };
    let view = View {
        ruling: None,
        decision: None,
        now,
        halted: None,
        protects: false,
        restricted: None,
        mode: Mode::Live,
        limits: &Limits::OPEN,
        instrument: &it,
        mark: Some(mark),
        quote: None,
        position: it.quantity("1").unwrap(),
        open_buys: it.quantity("0").unwrap(),
        open_sells: it.quantity("0").unwrap(),
        unknown_orders: 0,
        rate: Some((1, 1)),
        equity: 1_000_000_000_000_000,
        day_equity: 1_000_000_000_000_000,
        peak_equity: 1_000_000_000_000_000,
        free_funds: 1_000_000_000_000_000,
        risk: None,
    };
    review(&view)
}

/// A permit over a cancel of the same order.
pub(crate) fn cancel_permit() -> Permit<Approved> {
    synced(tradewind_gate::review_cancel(OUR_ID, InstrumentId(0), None))
}

fn synced(approved: Approved) -> Permit<Approved> {
    let options = Options { segment_bytes: 1 << 16, first_segment_bytes: 1 << 16, prepare_in_background: false };
    let (mut journal, _) = Journal::open_storage(SimStorage::new(), options).unwrap();
    journal.permit(b"intent", approved).unwrap()
}

/// What the venue does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// An HTTP answer, or a text frame whose status is given in the text itself.
    Http(u16, &'static str, String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// Text frames.
    Frames(Vec<String>),
    /// Two text frames, and the others once a snapshot was asked for and given.
    AroundSnapshot(Vec<String>),
    /// These bytes, one after the other with so much time between.
    Trickle(Vec<u8>, Duration),
    /// A close frame.
    Close,
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    /// With these headers, which outlive the test.
    pub(crate) fn with(self, headers: &str) -> Self {
        match self {
            Self::Http(status, _, body) => Self::Http(status, String::leak(headers.to_owned()), body),
            other => other,
        }
    }
}

type Script = Arc<dyn Fn(&str, &Value) -> Reply + Send + Sync>;

/// A venue on a port of this machine. It keeps what it was asked.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) port: u16,
    /// Path, or method of the WebSocket API, and its query, body or frame.
    pub(crate) asked: Arc<Mutex<Vec<(String, String)>>>,
    script: Script,
    /// By how many milliseconds its clock is ahead.
    ahead: i64,
}

impl Fake {
    /// Answers time, exchange information and subscriptions by itself, all else by `script`: path or method, and
    /// the frame if it came by web socket.
    pub(crate) async fn start(ahead: i64, script: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fake = Self { port, asked: Arc::default(), script: Arc::new(script), ahead };
        let server = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        fake
    }

    pub(crate) fn asked_for(&self, what: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(name, _)| name == what).map(|(_, text)| text.clone()).collect()
    }

    async fn serve(self, stream: TcpStream) {
        let mut head = [0; 16];
        while stream.peek(&mut head).await.unwrap_or(0) < head.len() {
            tokio::task::yield_now().await;
        }
        if head.starts_with(b"GET /ws-api") || head.starts_with(b"GET /stream") {
            self.serve_frames(stream).await;
        } else {
            self.serve_requests(stream).await;
        }
    }

    async fn serve_requests(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            let Some((path, text, used)) = whole_request(&bytes) else {
                let mut more = [0; 4096];
                match stream.read(&mut more).await {
                    Ok(read) if read > 0 => bytes.extend_from_slice(&more[..read]),
                    _ => return,
                }
                continue;
            };
            bytes.drain(..used);
            self.asked.lock().unwrap().push((path.clone(), text));
            let reply = match path.as_str() {
                "/api/v3/time" => Reply::Http(200, "", json!({ "serverTime": now() + self.ahead }).to_string()),
                "/api/v3/exchangeInfo" => Reply::Http(200, "", exchange_info().to_string()),
                path => (self.script)(path, &Value::Null),
            };
            match reply {
                Reply::Http(status, headers, body) => {
                    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
                    if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                        return;
                    }
                }
                Reply::Raw(raw) => {
                    let _ = stream.write_all(&raw).await;
                    return;
                }
                Reply::Trickle(bytes, pace) => return trickle(&mut stream, &bytes, pace).await,
                Reply::Silence => tokio::time::sleep(Duration::from_secs(30)).await,
                Reply::Close | Reply::Frames(_) | Reply::AroundSnapshot(_) => return,
            }
        }
    }

    async fn serve_frames(self, stream: TcpStream) {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        let mut subscribed: Vec<Value> = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            let method = frame["method"].as_str().unwrap().to_owned();
            self.asked.lock().unwrap().push((method.clone(), text.to_string()));
            if method == "userDataStream.subscribe.signature" {
                let answer = json!({ "id": frame["id"], "status": 200, "result": { "subscriptionId": 0 } });
                socket.send(Message::text(answer.to_string())).await.unwrap();
            }
            if method == "SUBSCRIBE" {
                subscribed.extend(frame["params"].as_array().unwrap().iter().cloned());
            }
            let reply = match (self.script)(&method, &frame) {
                // of itself it lists what was subscribed, but answers no probe
                Reply::Silence if method == "LIST_SUBSCRIPTIONS" && frame["id"] != 0 => {
                    Reply::Frames(vec![json!({ "result": subscribed, "id": frame["id"] }).to_string()])
                }
                reply => reply,
            };
            match reply {
                Reply::Frames(frames) => {
                    for frame in frames {
                        if socket.send(Message::text(frame)).await.is_err() {
                            return;
                        }
                    }
                }
                Reply::AroundSnapshot(frames) => {
                    for (place, frame) in frames.into_iter().enumerate() {
                        while place == 2 && self.asked_for("/api/v3/depth").is_empty() {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                        if place == 2 {
                            tokio::time::sleep(Duration::from_millis(150)).await; // the answer is read meanwhile
                        }
                        if socket.send(Message::text(frame)).await.is_err() {
                            return;
                        }
                    }
                }
                Reply::Close => {
                    let _ = socket.close(None).await;
                    return;
                }
                Reply::Raw(raw) => {
                    let _ = socket.get_mut().write_all(&raw).await;
                    return;
                }
                Reply::Trickle(bytes, pace) => return trickle(socket.get_mut(), &bytes, pace).await,
                Reply::Http(..) | Reply::Silence => (),
            }
        }
    }

    /// A connection to it, with a key, whose times are short.
    pub(crate) async fn connect(
        &self,
        change: impl FnOnce(&mut BinanceConfig),
    ) -> (Connection, tokio::sync::mpsc::Receiver<VenueEvent>) {
        let mut config = BinanceConfig::local(self.port);
        config.signer = Some(Signer::new(ApiKey::new("key"), ApiSecret::new("secret")).unwrap());
        config.answer_time = Duration::from_millis(600);
        config.subscriptions = Subscriptions::default();
        change(&mut config);
        Connection::connect(config, vec![bitcoin()]).await.unwrap()
    }
}

/// Writes byte by byte until the reader is gone.
async fn trickle(stream: &mut TcpStream, bytes: &[u8], pace: Duration) {
    for byte in bytes {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(pace).await;
    }
}

/// Path, query or body, and length of a whole request at the start of `bytes`.
fn whole_request(bytes: &[u8]) -> Option<(String, String, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let target = head.split(' ').nth(1).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.unwrap_or(0);
    let body = bytes.get(end..end + length)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some((path.to_owned(), format!("{query}{}", String::from_utf8_lossy(body)), end + length))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// The next event that `want` takes, within two seconds.
pub(crate) async fn until<T>(
    events: &mut tokio::sync::mpsc::Receiver<VenueEvent>,
    mut want: impl FnMut(VenueEvent) -> Option<T>,
) -> T {
    let wait = async {
        loop {
            if let Some(found) = want(events.recv().await.expect("the connection lives")) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait).await.expect("the event comes")
}
