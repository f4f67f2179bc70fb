//! The WebSocket API: requests, sessions and user data on one connection.
//!
//! Source: `web-socket-api.md` and `user-data-stream.md` of the venue's documentation.

use super::connection::{self, Talk};
use super::shared::{Shared, lock};
use crate::binance::answer::{Answer, Refusal};
use crate::binance::calls::{self, Route};
use crate::binance::door::{self, Key};
use crate::binance::frames;
use crate::binance::params::Params;
use crate::binance::signature::Fence;
use crate::binance::streams::ListenerId;
use crate::config::KeySecret;
use crate::faults::{Fault, FaultKind};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Opens a connection.
pub(crate) async fn open(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.max_message_size(64 * 1024).on_upgrade(move |socket| async move {
        let place = connection::join(&shared, false);
        let connected = shared.server_time();
        let session =
            Session { shared: Arc::clone(&shared), id: place.0, address: address.ip(), connected, logged_on: None };
        connection::run(shared, socket, place, session).await;
    })
}

struct Session {
    shared: Arc<Shared>,
    id: ListenerId,
    address: IpAddr,
    connected: i64,
    /// The name of the key of an authenticated session, and since when.
    logged_on: Option<(String, i64)>,
}

impl Talk for Session {
    async fn hear(&mut self, text: &str) -> bool {
        let Some(request) = frames::Request::read(text) else {
            self.say(&frames::not_json());
            return true;
        };
        let method = request.method.as_str();
        let fault = lock(&self.shared.faults).next("WS", method);
        if let Some(fault) = fault.as_ref().filter(|fault| !fault.after) {
            match fault.kind {
                FaultKind::DelayMillis(_) | FaultKind::HoldMillis(_) | FaultKind::HalfJson | FaultKind::Partial(_) => {}
                _ => return self.spoil(&fault.kind, &request.id, ""),
            }
        }
        let answer = match request.params {
            Ok(params) => self.perform(method, &params, fault.as_ref()).await,
            Err(refusal) => Err(refusal),
        };
        let rate_limits = request.tells_limits.then(|| self.rate_limits());
        let text = frames::envelope(&request.id, &answer, rate_limits).to_string();
        match fault {
            Some(Fault { kind: FaultKind::DelayMillis(millis), .. }) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.say_text(text);
                true
            }
            Some(fault) if !matches!(fault.kind, FaultKind::HoldMillis(_) | FaultKind::Partial(_)) => {
                self.spoil(&fault.kind, &request.id, &text)
            }
            _ => {
                self.say_text(text);
                true
            }
        }
    }
    fn messages_per_second(&self) -> Option<u32> {
        None // requests are limited by weight here
    }
}

impl Session {
    fn say(&self, value: &Value) {
        self.say_text(value.to_string());
    }

    fn say_text(&self, text: String) {
        lock(&self.shared.hub).answer(self.id, text);
    }

    /// Says something that no right exchange would; `false` ends the connection.
    fn spoil(&self, kind: &FaultKind, id: &Value, right: &str) -> bool {
        match kind {
            FaultKind::Garbage => self.say_text("\u{1}\u{2}{{{".to_owned()),
            FaultKind::Html => self.say_text("<html><body></body></html>".to_owned()),
            FaultKind::HalfJson => self.say_text(right.chars().take(right.chars().count() / 2).collect()),
            FaultKind::Status(status) => {
                self.say(&json!({"id": null, "status": status, "error": {"code": -1000, "msg": "Internal error."}}));
            }
            FaultKind::Nothing
            | FaultKind::Hang
            | FaultKind::DelayMillis(_)
            | FaultKind::HoldMillis(_)
            | FaultKind::Unseen
            | FaultKind::Twice
            | FaultKind::Field { .. }
            | FaultKind::Partial(_) => {}
            FaultKind::Refuse { code, text } => self.say(&frames::envelope(id, &Err(Refusal::new(*code, text)), None)),
            FaultKind::Cut => return false,
        }
        true
    }

    fn rate_limits(&self) -> Value {
        let used = lock(&self.shared.counters).used(self.address, self.shared.server_time());
        frames::rate_limits(used, self.shared.limits.weight_per_minute)
    }

    async fn perform(&mut self, method: &str, params: &Params, fault: Option<&Fault>) -> Answer {
        params.raw("returnRateLimits");
        if let Some(route) = calls::ws(method) {
            self.charge(route.weight(params))?;
            return self.call(&route, params, fault).await;
        }
        self.charge(2)?;
        match method {
            "session.logon" => self.log_on(params),
            "session.status" => Ok(self.status()),
            "session.logout" => {
                self.logged_on = None;
                Ok(self.status())
            }
            "session.subscriptions" => Ok(self.subscriptions()),
            "userDataStream.subscribe" => self.subscribe_session(),
            "userDataStream.subscribe.signature" => self.subscribe_signed(params),
            "userDataStream.unsubscribe" => self.unsubscribe(params),
            _ => Err(Refusal::new(-1130, "Data sent for parameter 'method' is not valid.")),
        }
    }

    fn charge(&self, weight: u32) -> Result<u32, Refusal> {
        lock(&self.shared.counters).charge(self.address, weight, self.shared.server_time())
    }

    async fn call(&self, route: &Route, params: &Params, fault: Option<&Fault>) -> Answer {
        let shared = &self.shared;
        let logged_on = self.logged_on.as_ref().map(|(name, _)| name.as_str());
        let caller = door::ws_caller(&shared.keys, route, params, logged_on, shared.server_time())?;
        let key = caller.map(|(key, _)| key);
        if let Some(key) = key.filter(|_| route.orders() > 0) {
            lock(&shared.counters).may_order(key.account, shared.server_time())?;
        }
        if let Some(Fault { kind: FaultKind::HoldMillis(millis), .. }) = fault {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
        }
        let context = shared.context(key);
        let answer = shared.act(|world| {
            if let Some((_, fence)) = caller {
                fence.check(shared.server_time())?; // again, just before matching
            }
            shared.thin_out(world, route, params);
            calls::perform(world, route, params, &context)
        });
        if let Some(key) = key {
            lock(&shared.counters).count_orders(key.account, route.placed(&answer), shared.server_time());
        }
        answer
    }

    fn signed(&self, name: Option<&str>, params: &Params) -> Result<(&Key, Fence), Refusal> {
        door::ws_signed(&self.shared.keys, params, name, self.shared.server_time())
    }

    fn log_on(&mut self, params: &Params) -> Answer {
        let name = params.required("apiKey")?.to_owned();
        let (key, _) = self.signed(Some(&name), params)?;
        if matches!(key.secret, KeySecret::Hmac(_)) {
            return Err(Refusal::hmac_not_supported());
        }
        params.all_read()?;
        self.logged_on = Some((name, self.shared.server_time()));
        Ok(self.status())
    }

    fn status(&self) -> Value {
        let (key, since) = match &self.logged_on {
            Some((key, since)) => (Value::from(key.clone()), Value::from(*since)),
            None => (Value::Null, Value::Null),
        };
        let subscribed = !lock(&self.shared.hub).accounts(self.id).is_empty();
        json!({
            "apiKey": key, "authorizedSince": since, "connectedSince": self.connected, "returnRateLimits": true,
            "serverTime": self.shared.server_time(), "userDataStream": subscribed,
        })
    }

    fn subscriptions(&self) -> Value {
        let list = lock(&self.shared.hub).accounts(self.id);
        list.iter().map(|(id, _)| json!({"subscriptionId": id})).collect()
    }

    fn subscribe_session(&self) -> Answer {
        let (name, _) = self.logged_on.as_ref().ok_or_else(Refusal::unauthorized)?;
        self.subscribe(door::key(&self.shared.keys, Some(name))?)
    }

    fn subscribe_signed(&self, params: &Params) -> Answer {
        let (key, _) = self.signed(params.raw("apiKey"), params)?;
        params.all_read()?;
        self.subscribe(key)
    }

    /// From here on the events of the account come over this connection.
    fn subscribe(&self, key: &Key) -> Answer {
        let subscribed = lock(&self.shared.hub).subscribe_account(self.id, key.account);
        match subscribed {
            Some(number) => Ok(json!({"subscriptionId": number})),
            None => Err(Refusal::new(-2035, "Subscription already active on this connection.")),
        }
    }

    fn unsubscribe(&self, params: &Params) -> Answer {
        let number = params.whole("subscriptionId")?.and_then(|id| u32::try_from(id).ok());
        params.all_read()?;
        let now = self.shared.server_time();
        let mut hub = lock(&self.shared.hub);
        let ended = hub.unsubscribe_accounts(self.id, number);
        for id in ended {
            let event = json!({"e": "eventStreamTerminated", "E": now});
            hub.answer(self.id, json!({"subscriptionId": id, "event": event}).to_string());
        }
        Ok(json!({}))
    }
}
