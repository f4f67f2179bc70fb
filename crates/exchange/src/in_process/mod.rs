//! The exchange without sockets, tasks and clocks: the same door, protocol and matching core, called as a value.
//!
//! Simulations run it in their own time, in their own thread. What it would send over a socket comes out as text, what
//! it would read from one goes in as text, and every moment is given by the caller.

mod frames;
mod judge;
mod mischief;
#[cfg(test)]
mod tests;

pub use frames::Frame;
pub use judge::{OrderEntry, TradeEntry};

use crate::binance::answer::{Answer, Refusal};
use crate::binance::calls::{self, NoRoute, Route};
use crate::binance::door::{self, Keys};
use crate::binance::frames as binance_frames;
use crate::binance::limits::Counters;
use crate::binance::params::Params;
use crate::binance::signature::Fence;
use crate::config::{ExchangeConfig, Limits};
use crate::error::ExchangeError;
use crate::server::build;
use crate::world::World;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// Everybody calls from here; budgets are counted as for any address.
const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The exchange as a value. Market time and the server's clock are one, in milliseconds.
pub struct InProcess {
    world: World,
    keys: Keys,
    limits: Limits,
    counters: Counters,
    hidden: [Option<i64>; 2],
    candles: Option<String>,
    /// Frames that nothing in the world led to.
    extra: Vec<Frame>,
}

/// One REST request as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub struct RestRequest<'a> {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'a str,
    /// Such as `/api/v3/order`.
    pub path: &'a str,
    /// Without the question mark.
    pub query: &'a str,
    /// Empty for `GET`.
    pub body: &'a str,
    /// The header `X-MBX-APIKEY`.
    pub key: Option<&'a str>,
}

/// The answer to a REST request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The header `X-MBX-USED-WEIGHT-1M`.
    pub used_weight: Option<u32>,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// What came of a frame at its receipt.
pub enum Receipt {
    /// It was answered at the door.
    Answered(String),
    /// It was let in, and is on its way to the matching engine.
    Held(Box<Held>),
}

/// A request between its receipt and the matching engine.
pub struct Held {
    id: Value,
    route: Route,
    params: Params,
    caller: Option<(String, Fence)>,
    tells_limits: bool,
}

impl InProcess {
    /// Opens the market. Only simulated markets run in process; port, pace and faults of `config` do not matter.
    ///
    /// # Errors
    /// [`ExchangeError`] if a setting contradicts itself.
    pub fn open(config: &ExchangeConfig) -> Result<Self, ExchangeError> {
        let parts = build(config)?;
        Ok(Self {
            world: parts.world,
            keys: parts.keys,
            limits: parts.limits,
            counters: Counters::new(parts.limits),
            hidden: [None; 2],
            candles: None,
            extra: Vec::new(),
        })
    }

    /// Sends candles of this length, such as `1m`, when they close.
    #[must_use]
    pub fn with_candles(mut self, length: &str) -> Self {
        self.candles = Some(length.to_owned());
        self
    }

    /// Market time.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.world.now()
    }

    /// Lets everything happen that is due until `to`. Never moves back.
    pub fn advance(&mut self, to: i64) {
        self.world.advance(to);
    }

    /// Answers a REST request that is received and carried out at `at`.
    pub fn ask(&mut self, request: &RestRequest<'_>, at: i64) -> Reply {
        self.advance(at);
        let mut reply = Reply { status: 200, body: String::new(), used_weight: None, retry_after: None };
        let route = match calls::rest(request.method, request.path) {
            Ok(route) => route,
            Err(missing) => {
                reply.status = if missing == NoRoute::Path { 404 } else { 405 };
                return reply;
            }
        };
        match self.answer_rest(request, &route, at, &mut reply.used_weight) {
            Ok(value) => reply.body = value.to_string(),
            Err(refusal) => {
                (reply.status, reply.retry_after) = (refusal.status, refusal.retry_after);
                reply.body = refusal.body().to_string();
            }
        }
        reply
    }

    fn answer_rest(
        &mut self,
        request: &RestRequest<'_>,
        route: &Route,
        at: i64,
        used_weight: &mut Option<u32>,
    ) -> Answer {
        let params = Params::read(request.query, request.body)?;
        *used_weight = Some(self.counters.charge(CALLER, route.weight(&params), at)?);
        let sent = (request.query, request.body);
        let caller = door::rest_caller(&self.keys, route, &params, sent, request.key, at)?;
        let key = caller.map(|(key, _)| key);
        if let Some(key) = key.filter(|_| route.orders() > 0) {
            self.counters.may_order(key.account, at)?;
        }
        let context = door::context(&self.limits, &self.counters, key, at);
        let answer = calls::perform(&mut self.world, route, &params, &context);
        if let Some(key) = key {
            self.counters.count_orders(key.account, route.placed(&answer), at);
        }
        self.lagging(route, answer)
    }

    /// Receives a frame of the WebSocket API at `at`: budget, key, signature, window.
    pub fn receive(&mut self, text: &str, at: i64) -> Receipt {
        self.advance(at);
        let Some(request) = binance_frames::Request::read(text) else {
            return Receipt::Answered(binance_frames::not_json().to_string());
        };
        let tells_limits = request.tells_limits;
        let admitted = match request.params {
            Ok(params) => self.admit(&request.method, params, at),
            Err(refusal) => Err(refusal),
        };
        match admitted {
            Ok(Ok((route, params, caller))) => {
                Receipt::Held(Box::new(Held { id: request.id, route, params, caller, tells_limits }))
            }
            Ok(Err(value)) => Receipt::Answered(self.envelope(&request.id, &Ok(value), tells_limits, at)),
            Err(refusal) => Receipt::Answered(self.envelope(&request.id, &Err(refusal), tells_limits, at)),
        }
    }

    /// What is let in, or the answer to what concerns the session alone.
    #[expect(clippy::type_complexity, reason = "the parts of `Held`, made in one place and taken apart in one place")]
    fn admit(
        &mut self,
        method: &str,
        params: Params,
        at: i64,
    ) -> Result<Result<(Route, Params, Option<(String, Fence)>), Value>, Refusal> {
        params.raw("returnRateLimits");
        let Some(route) = calls::ws(method) else {
            self.counters.charge(CALLER, 2, at)?;
            return match method {
                "userDataStream.subscribe.signature" => {
                    door::ws_signed(&self.keys, &params, params.raw("apiKey"), at)?;
                    params.all_read()?;
                    Ok(Err(json!({"subscriptionId": 0})))
                }
                _ => Err(Refusal::new(-1130, "Data sent for parameter 'method' is not valid.")),
            };
        };
        self.counters.charge(CALLER, route.weight(&params), at)?;
        let caller = door::ws_caller(&self.keys, &route, &params, None, at)?;
        if let Some((key, _)) = caller.filter(|_| route.orders() > 0) {
            self.counters.may_order(key.account, at)?;
        }
        let caller = caller.map(|(_, fence)| (params.raw("apiKey").unwrap_or_default().to_owned(), fence));
        Ok(Ok((route, params, caller)))
    }

    /// The request reaches the matching engine at `at`, where its window is checked again.
    pub fn carry_out(&mut self, held: Held, at: i64) -> String {
        self.advance(at);
        let Held { id, route, params, caller, tells_limits } = held;
        let fence = caller.as_ref().map_or(Ok(()), |(_, fence)| fence.check(at));
        let answer = fence.and_then(|()| {
            let key = caller.as_ref().map(|(name, _)| door::key(&self.keys, Some(name))).transpose()?;
            let context = door::context(&self.limits, &self.counters, key, at);
            let answer = calls::perform(&mut self.world, &route, &params, &context);
            if let Some(key) = key {
                self.counters.count_orders(key.account, route.placed(&answer), at);
            }
            answer
        });
        let answer = self.lagging(&route, answer);
        self.envelope(&id, &answer, tells_limits, at)
    }

    fn envelope(&self, id: &Value, answer: &Answer, tells_limits: bool, at: i64) -> String {
        let used = self.counters.used(CALLER, at);
        let rate_limits = tells_limits.then(|| binance_frames::rate_limits(used, self.limits.weight_per_minute));
        binance_frames::envelope(id, answer, rate_limits).to_string()
    }
}
