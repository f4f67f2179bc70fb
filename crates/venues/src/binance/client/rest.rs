//! The REST API: one request, one answer, no redirects, no silent retries.

use super::clock::VenueClock;
use super::config::BinanceConfig;
use crate::answer::{AnswerError, quote, read_json};
use crate::backoff::Backoff;
use crate::binance::protocol::{self, Consequence, Refusal};
use crate::binance::rules::{Command, Endpoint, order_count_header, retry_after, used_weight_header};
use crate::binance::sign::{Signer, encode};
use crate::binance::wire::{RateLimit, RateLimitType};
use crate::budget::{Budget, Purpose, Wait};
use crate::names::HttpNames;
use crate::outcome::{QueryError, TransportFault};
use crate::socket::{prepare_tls, wall_clock};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tradewind_domain::Timestamp;

/// The largest answer that is read, but for exchange information.
const MOST_BYTES: usize = 4 << 20;
/// The listing of every symbol is this large and more.
const MOST_LISTING_BYTES: usize = 64 << 20;

/// Connections of web sockets in five minutes.
///
/// Source: "WebSocket Limits" in `web-socket-streams.md`.
const MOST_CONNECTS: (Duration, u64) = (Duration::from_secs(300), 300);
/// Bans last from two minutes on.
///
/// Source: "IP Limits" in `rest-api.md`.
const LEAST_BAN: Duration = Duration::from_secs(120);
/// Questions in a row that the venue failed to answer before it is left in peace.
const MOST_FAILURES: u32 = 3;

/// What one address may still ask for, shared by all tasks of a connection.
#[derive(Debug)]
pub(crate) struct Budgets {
    weight: Mutex<Budget>,
    orders: Mutex<Budget>,
    connects: Mutex<Budget>,
    /// How long to wait after a refusal that does not say; longer with each one until the venue answers well again.
    refused: Mutex<Backoff>,
    ailing: Mutex<Ailing>,
    /// Budgets run on the monotonic clock: a wall clock that jumps neither holds an interval's end back nor ends a ban.
    began: (Instant, Timestamp),
    /// Whether the venue has listed its limits.
    listed: AtomicBool,
}

/// How often in a row the venue failed to answer a question, and until when it is left in peace.
#[derive(Debug)]
struct Ailing {
    failures: u32,
    pause: Backoff,
    until: Option<Instant>,
}

impl Default for Budgets {
    fn default() -> Self {
        // until the venue lists its limits: what it has published since August 2023
        let minute = Duration::from_secs(60);
        Self {
            weight: Mutex::new(Budget::new(&[(minute, 6_000)])),
            orders: Mutex::new(Budget::new(&[(Duration::from_secs(10), 50)])),
            connects: Mutex::new(Budget::new(&[MOST_CONNECTS])),
            refused: Mutex::new(Backoff::new(Duration::from_secs(2), Duration::from_secs(120), super::seed())),
            ailing: Mutex::new(Ailing {
                failures: 0,
                pause: Backoff::new(Duration::from_millis(500), Duration::from_secs(10), super::seed()),
                until: None,
            }),
            began: (Instant::now(), wall_clock()),
            listed: AtomicBool::new(false),
        }
    }
}

impl Budgets {
    fn now(&self) -> Timestamp {
        let (began, at) = self.began;
        at.plus_nanos(i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }

    pub(crate) fn take(&self, endpoint: Endpoint, purpose: Purpose) -> Result<(), Wait> {
        let now = self.now();
        self.weight.lock().expect("no holder of this lock panics").take(endpoint.weight(), purpose, now)?;
        match endpoint.orders() {
            0 => Ok(()),
            count => self.orders.lock().expect("no holder of this lock panics").take(count, purpose, now),
        }
    }

    pub(crate) fn set_limits(&self, limits: &[RateLimit]) {
        self.listed.store(true, Ordering::SeqCst);
        for (kind, budget) in [(RateLimitType::RequestWeight, &self.weight), (RateLimitType::Orders, &self.orders)] {
            let of_kind = limits.iter().filter(|limit| limit.rate_limit_type == kind);
            let windows: Vec<_> =
                of_kind.filter_map(|limit| Some((limit.interval.times(limit.interval_num)?, limit.limit))).collect();
            if !windows.is_empty() {
                budget.lock().expect("no holder of this lock panics").set_limits(&windows);
            }
        }
    }

    /// What the venue counted. Before it listed its limits that cannot be compared with anything: other processes on
    /// this address may have used more than we take for granted, and the list itself must be read.
    pub(crate) fn used(&self, kind: &RateLimitType, interval: Duration, count: u64) {
        if !self.listed.load(Ordering::SeqCst) {
            return;
        }
        let budget = match kind {
            RateLimitType::RequestWeight => &self.weight,
            RateLimitType::Orders => &self.orders,
            _ => return,
        };
        budget.lock().expect("no holder of this lock panics").used(interval, count, self.now());
    }

    fn read_headers(&self, headers: &HeaderMap) {
        for (name, value) in headers {
            let Some(count) = value.to_str().ok().and_then(|text| text.parse().ok()) else { continue };
            if let Some(interval) = used_weight_header(name.as_str()) {
                self.used(&RateLimitType::RequestWeight, interval, count);
            } else if let Some(interval) = order_count_header(name.as_str()) {
                self.used(&RateLimitType::Orders, interval, count);
            }
        }
    }

    /// The venue's clock shows `earliest` or later: its intervals are told by it.
    pub(crate) fn align(&self, earliest: Timestamp) {
        let now = self.now();
        for budget in [&self.weight, &self.orders] {
            budget.lock().expect("no holder of this lock panics").align(earliest, now);
        }
    }

    /// Takes one connection out of the budget, unless the venue wants to be left in peace.
    pub(crate) fn may_connect(&self) -> Result<(), Wait> {
        let now = self.now();
        if let Some(wait) = self.weight.lock().expect("no holder of this lock panics").told(now) {
            return Err(wait);
        }
        self.connects.lock().expect("no holder of this lock panics").take(1, Purpose::Ordinary, now)
    }

    /// How long the venue wants to be left in peace.
    pub(crate) fn told(&self) -> Option<Wait> {
        self.weight.lock().expect("no holder of this lock panics").told(self.now())
    }

    /// Whether a question may be asked now; otherwise for how long it must not.
    fn may_ask(&self) -> Result<(), Duration> {
        let until = self.ailing.lock().expect("no holder of this lock panics").until;
        match until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(left) if !left.is_zero() => Err(left),
            _ => Ok(()),
        }
    }

    /// The venue answered a question, or said why not.
    fn answers(&self) {
        self.refused.lock().expect("no holder of this lock panics").reset();
        let mut ailing = self.ailing.lock().expect("no holder of this lock panics");
        (ailing.failures, ailing.until) = (0, None);
        ailing.pause.reset();
    }

    /// The venue failed to answer a question: after several in a row it is left in peace, longer each time.
    fn fails(&self) {
        let mut ailing = self.ailing.lock().expect("no holder of this lock panics");
        ailing.failures += 1;
        if ailing.failures >= MOST_FAILURES {
            ailing.until = Some(Instant::now() + ailing.pause.next_wait());
        }
    }

    /// The venue refused at the door. Where it does not say for how long, the waits double.
    pub(crate) fn told_to_wait(&self, wait: Option<Duration>, banned: bool) {
        let wait = wait.unwrap_or_else(|| match banned {
            true => LEAST_BAN,
            false => self.refused.lock().expect("no holder of this lock panics").next_wait(),
        });
        self.weight.lock().expect("no holder of this lock panics").told_to_wait(wait, banned, self.now());
    }
}

/// What came of one request.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Provably no byte of it left.
    NotConnected(String),
    /// The venue, or the way there, said something else than yes.
    Refused(Refusal),
}

/// A client of the REST API. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    config: Arc<BinanceConfig>,
    http: Arc<Mutex<reqwest::Client>>,
    base: String,
    signer: Option<Signer>,
    recv_window: i64,
    pub(crate) clock: Arc<VenueClock>,
    pub(crate) budgets: Arc<Budgets>,
    /// How often every session was to be made anew.
    pub(crate) renewals: Arc<AtomicU64>,
    /// Told when the venue refused an order by a rule of its listing.
    pub(crate) listing_doubted: Arc<tokio::sync::Notify>,
}

impl Rest {
    pub(crate) fn new(config: &BinanceConfig) -> Result<Self, QueryError> {
        prepare_tls();
        Ok(Self {
            config: Arc::new(config.clone()),
            http: Arc::new(Mutex::new(client(config)?)),
            base: config.rest_url.clone(),
            signer: config.signer.clone(),
            recv_window: i64::try_from(config.recv_window.as_millis()).unwrap_or(i64::MAX),
            clock: Arc::default(),
            budgets: Arc::default(),
            renewals: Arc::default(),
            listing_doubted: Arc::default(),
        })
    }

    /// Asks a public question.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        path: &str,
        pairs: &[(&str, String)],
    ) -> Result<T, QueryError> {
        self.budgets.may_ask().map_err(QueryError::Ailing)?;
        self.budgets.take(endpoint, Purpose::Ordinary)?;
        let request = self.http().get(format!("{}{path}?{}", self.base, encode(pairs)));
        let bytes = self.exchange(request, Command::Query, most_bytes(endpoint)).await?;
        Ok(read_json(&bytes).map_err(TransportFault::from)?)
    }

    /// Asks a question about the account.
    pub(crate) async fn get_signed<T: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        path: &str,
        pairs: &[(&str, String)],
    ) -> Result<T, QueryError> {
        self.budgets.may_ask().map_err(QueryError::Ailing)?;
        self.budgets.take(endpoint, Purpose::Vital)?;
        let (now, _) = self.clock.now().ok_or_else(|| QueryError::NotConnected("no clock reading yet".to_owned()))?;
        let mut pairs = pairs.to_vec();
        pairs.push(("recvWindow", self.recv_window.to_string()));
        pairs.push(("timestamp", now.millis().to_string()));
        let request = self.signed(Method::GET, path, &encode(&pairs)).ok_or_else(no_key)?;
        let bytes = self.exchange(request, Command::Query, MOST_BYTES).await?;
        Ok(read_json(&bytes).map_err(TransportFault::from)?)
    }

    /// A signed request over an encoded text: as the query of GET and DELETE, as the body of POST. `None` without key.
    pub(crate) fn signed(&self, method: Method, path: &str, encoded: &str) -> Option<reqwest::RequestBuilder> {
        let signer = self.signer.as_ref()?;
        let text = signer.signed(encoded);
        let url = format!("{}{path}", self.base);
        let request = if method == Method::POST {
            let form = "application/x-www-form-urlencoded";
            self.http().request(method, url).header("content-type", form).body(text)
        } else {
            self.http().request(method, format!("{url}?{text}"))
        };
        Some(request.header("x-mbx-apikey", signer.key().expose()))
    }

    fn http(&self) -> reqwest::Client {
        self.http.lock().expect("no holder of this lock panics").clone()
    }

    /// An answer belonged to another request: no connection that was open until now is used again.
    pub(crate) fn mistrust(&self) {
        tracing::warn!("an answer belonged to another request: the connections are made anew");
        if let Ok(fresh) = client(&self.config) {
            *self.http.lock().expect("no holder of this lock panics") = fresh;
        }
    }

    /// Sends once and reads the answer of a success; takes note of how well questions are answered.
    pub(crate) async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        command: Command,
        most: usize,
    ) -> Result<Vec<u8>, Failure> {
        let answer = self.exchange_once(request, command, most).await;
        match &answer {
            Ok(_) => self.budgets.answers(),
            Err(Failure::Refused(Refusal::NotFound { .. })) => self.budgets.answers(),
            Err(Failure::NotConnected(_) | Failure::Refused(Refusal::Fault(_))) if command == Command::Query => {
                self.budgets.fails();
            }
            Err(_) => (),
        }
        answer
    }

    async fn exchange_once(
        &self,
        request: reqwest::RequestBuilder,
        command: Command,
        most: usize,
    ) -> Result<Vec<u8>, Failure> {
        let fault = |fault| Failure::Refused(Refusal::Fault(fault));
        let started = Instant::now();
        let response = request.send().await.map_err(|error| match &error {
            error if error.is_connect() => Failure::NotConnected(text_of(error)),
            error if error.is_timeout() => fault(TransportFault::TimedOut(started.elapsed())),
            error => fault(TransportFault::Broke(text_of(error))),
        })?;
        self.budgets.read_headers(response.headers());
        let status = response.status().as_u16();
        let wait = retry_after(response.headers().get("retry-after").and_then(|value| value.to_str().ok()));
        if (300..400).contains(&status) {
            return Err(fault(TransportFault::Redirected(status)));
        }
        let bytes = read_body(response, most, started).await.map_err(fault)?;
        if status == 200 {
            return Ok(bytes);
        }
        let (refused, consequence) = protocol::read_refusal(command, status, &bytes, wait);
        self.heed(consequence);
        Err(Failure::Refused(refused))
    }

    /// Does what an answer asks of its reader.
    pub(crate) fn heed(&self, consequence: Consequence) {
        match consequence {
            Consequence::None => (),
            Consequence::ForgetClock => self.clock.forget(), // measured anew before the next order; the window stays
            Consequence::Wait { wait, banned } => self.budgets.told_to_wait(wait, banned),
        }
    }
}

fn client(config: &BinanceConfig) -> Result<reqwest::Client, QueryError> {
    let unusable = |error: &reqwest::Error| QueryError::Configuration {
        field: "rest_url",
        value: config.rest_url.clone(),
        why: text_of(error),
    };
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .dns_resolver(Arc::new(HttpNames(config.names.clone())))
        .connect_timeout(config.connect_time)
        .timeout(config.answer_time)
        .pool_idle_timeout(Duration::from_secs(20))
        .tcp_nodelay(true);
    if !config.roots.is_empty() {
        let roots = config.roots.iter().map(|der| reqwest::Certificate::from_der(der));
        builder = builder.tls_certs_only(roots.collect::<Result<Vec<_>, _>>().map_err(|error| unusable(&error))?);
    }
    builder.build().map_err(|error| unusable(&error))
}

fn no_key() -> QueryError {
    let why = "this needs a key".to_owned();
    QueryError::Configuration { field: "signer", value: "none".to_owned(), why }
}

const fn most_bytes(endpoint: Endpoint) -> usize {
    match endpoint {
        Endpoint::ExchangeInfo => MOST_LISTING_BYTES,
        _ => MOST_BYTES,
    }
}

async fn read_body(mut response: reqwest::Response, most: usize, started: Instant) -> Result<Vec<u8>, TransportFault> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > most => {
                return Err(AnswerError::TooLarge { limit: most }.into());
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) if error.is_timeout() => return Err(TransportFault::TimedOut(started.elapsed())),
            Err(_) if bytes.is_empty() => return Err(AnswerError::Empty.into()),
            Err(_) => return Err(AnswerError::CutOff { bytes: bytes.len(), quote: quote(&bytes) }.into()),
        }
    }
}

/// An error of the HTTP library with its causes, without the address: its query holds a signature.
pub(crate) fn text_of(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}

impl From<Failure> for QueryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotConnected(why) => Self::NotConnected(why),
            Failure::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<Wait> for QueryError {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Budget(wait) | Wait::Told(wait) => Self::Budget(wait),
            Wait::Banned(wait) => Self::Banned(wait),
        }
    }
}
