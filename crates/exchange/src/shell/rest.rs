//! REST: one door for every path.

use super::shared::{Shared, lock};
use crate::binance::answer::{Answer, Refusal};
use crate::binance::calls::{self, NoRoute, Route};
use crate::binance::door;
use crate::binance::params::Params;
use crate::faults::{Fault, FaultKind};
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use futures_util::stream;
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Answers any request that is not a WebSocket.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = lock(&shared.faults).next(method.as_str(), uri.path());
    let spoilt_before = fault.as_ref().filter(|fault| !fault.after && spoils(&fault.kind));
    if let Some(fault) = spoilt_before
        && !matches!(fault.kind, FaultKind::HalfJson | FaultKind::Unseen | FaultKind::Refuse { .. })
    {
        return spoil(&fault.kind, "").await;
    }
    match spoilt_before.map(|fault| &fault.kind) {
        Some(FaultKind::Unseen) => return unseen(uri.path()),
        Some(FaultKind::Refuse { code, text }) => return refused(&Refusal::new(*code, text)),
        _ => (),
    }
    let request = Request::new(&shared, address.ip(), &method, &uri, &headers, &body);
    let reply = request.answer(hold(fault.as_ref())).await;
    match fault {
        Some(Fault { kind: FaultKind::DelayMillis(millis), .. }) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            reply.into_response()
        }
        Some(fault) if spoils(&fault.kind) => spoil(&fault.kind, &reply.body).await,
        _ => reply.into_response(),
    }
}

const fn spoils(kind: &FaultKind) -> bool {
    !matches!(
        kind,
        FaultKind::DelayMillis(_)
            | FaultKind::HoldMillis(_)
            | FaultKind::Twice
            | FaultKind::Field { .. }
            | FaultKind::Partial(_)
    )
}

fn hold(fault: Option<&Fault>) -> Duration {
    match fault {
        Some(Fault { kind: FaultKind::HoldMillis(millis), .. }) => Duration::from_millis(*millis),
        _ => Duration::ZERO,
    }
}

/// A query whose answer is not there yet, as when the venue's memory lags behind its matching engine.
fn unseen(path: &str) -> Response {
    let (status, body) = match path {
        "/api/v3/order" => (400, r#"{"code":-2013,"msg":"Order does not exist."}"#),
        _ => (200, "[]"),
    };
    Reply { status, headers: Vec::new(), body: body.to_owned() }.into_response()
}

fn refused(refusal: &Refusal) -> Response {
    Reply { status: refusal.status, headers: Vec::new(), body: refusal.body().to_string() }.into_response()
}

/// An answer that no right exchange would give. `right` is what it would have said.
async fn spoil(kind: &FaultKind, right: &str) -> Response {
    let plain = |status: u16, kind: &'static str, body: Body| {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
        response
    };
    match kind {
        FaultKind::Garbage => {
            plain(200, "application/json", Body::from(vec![0xFF_u8, 0x00, 0xFE, 0x7B, 0x80, 0x22, 0x01]))
        }
        FaultKind::Html => {
            plain(200, "text/html", Body::from("<html><head><title>Maintenance</title></head><body></body></html>"))
        }
        FaultKind::HalfJson => plain(200, "application/json", Body::from(first_half(right).to_owned())),
        FaultKind::Nothing => plain(200, "application/json", Body::empty()),
        FaultKind::Hang => std::future::pending().await,
        FaultKind::Cut => {
            let start = first_half(right).to_owned();
            let parts = [Ok(start), Err(std::io::Error::other("cut on purpose"))];
            plain(200, "application/json", Body::from_stream(stream::iter(parts)))
        }
        FaultKind::Status(status) => plain(*status, "text/html", Body::from("<html><body></body></html>")),
        FaultKind::DelayMillis(_)
        | FaultKind::HoldMillis(_)
        | FaultKind::Twice
        | FaultKind::Field { .. }
        | FaultKind::Partial(_) => plain(200, "application/json", Body::empty()),
        FaultKind::Unseen => unseen(""),
        FaultKind::Refuse { code, text } => refused(&Refusal::new(*code, text)),
    }
}

fn first_half(text: &str) -> &str {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..middle]
}

/// What goes back over the wire.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json;charset=UTF-8"));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

struct Request<'a> {
    shared: &'a Shared,
    address: IpAddr,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    body: String,
    key: Option<String>,
}

impl<'a> Request<'a> {
    fn new(
        shared: &'a Shared,
        address: IpAddr,
        method: &'a Method,
        uri: &'a Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Self {
        let key = headers.get("x-mbx-apikey").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = if method == Method::GET { String::new() } else { String::from_utf8_lossy(body).into_owned() };
        Self { shared, address, method: method.as_str(), path: uri.path(), query: uri.query().unwrap_or(""), body, key }
    }

    async fn answer(&self, hold: Duration) -> Reply {
        let route = match calls::rest(self.method, self.path) {
            Ok(route) => route,
            Err(NoRoute::Path) => return plain_status(404),
            Err(NoRoute::Method) => return plain_status(405),
        };
        let mut headers = Vec::new();
        let answer = self.call(&route, hold, &mut headers).await;
        match answer {
            Ok(value) => Reply { status: 200, headers, body: value.to_string() },
            Err(refusal) => {
                headers.extend(refusal.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
                Reply { status: refusal.status, headers, body: refusal.body().to_string() }
            }
        }
    }

    async fn call(&self, route: &Route, hold: Duration, headers: &mut Vec<(&'static str, String)>) -> Answer {
        let shared = self.shared;
        let params = Params::read(self.query, &self.body)?;
        let used = lock(&shared.counters).charge(self.address, route.weight(&params), shared.server_time())?;
        headers.push(("x-mbx-used-weight", used.to_string()));
        headers.push(("x-mbx-used-weight-1m", used.to_string()));
        let sent = (self.query, self.body.as_str());
        let caller = door::rest_caller(&shared.keys, route, &params, sent, self.key.as_deref(), shared.server_time())?;
        let key = caller.map(|(key, _)| key);
        if let Some(key) = key.filter(|_| route.orders() > 0) {
            lock(&shared.counters).may_order(key.account, shared.server_time())?;
        }
        if !hold.is_zero() {
            tokio::time::sleep(hold).await;
        }
        let context = shared.context(key);
        let answer = shared.act(|world| {
            if let Some((_, fence)) = caller {
                fence.check(shared.server_time())?; // again, just before matching
            }
            shared.thin_out(world, route, &params);
            calls::perform(world, route, &params, &context)
        });
        let placed = route.placed(&answer);
        if let Some(key) = key.filter(|_| placed > 0) {
            let mut counters = lock(&shared.counters);
            let count = counters.count_orders(key.account, placed, shared.server_time());
            headers.push(("x-mbx-order-count-10s", count.in_10s.to_string()));
            headers.push(("x-mbx-order-count-1d", count.in_day.to_string()));
        }
        answer
    }
}

fn plain_status(status: u16) -> Reply {
    let text = if status == 404 { "no such path" } else { "no such method here" };
    Reply { status, headers: Vec::new(), body: Value::from(text).to_string() }
}
