//! Market streams: `/ws`, `/ws/<stream>`, `/stream?streams=<a>/<b>`.

use super::connection::{self, Talk};
use super::shared::{Shared, lock};
use crate::binance::streams::{ListenerId, Stream};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// `/ws` without a stream.
pub(crate) async fn plain(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    open(shared, upgrade, Vec::new(), false)
}

/// `/ws/<stream>`; several may be joined by slashes, unknown names are silent.
pub(crate) async fn raw(
    State(shared): State<Arc<Shared>>,
    Path(streams): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(shared, upgrade, names(&streams), false)
}

/// The query of `/stream`.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    streams: String,
}

/// `/stream?streams=<a>/<b>`.
pub(crate) async fn combined(
    State(shared): State<Arc<Shared>>,
    Query(wanted): Query<Wanted>,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(shared, upgrade, names(&wanted.streams), true)
}

fn names(text: &str) -> Vec<String> {
    text.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn open(shared: Arc<Shared>, upgrade: WebSocketUpgrade, names: Vec<String>, combined: bool) -> Response {
    upgrade.max_message_size(64 * 1024).on_upgrade(move |socket| async move {
        let place = connection::join(&shared, combined);
        let conversation = Conversation { shared: Arc::clone(&shared), id: place.0 };
        conversation.subscribe(&names);
        connection::run(shared, socket, place, conversation).await;
    })
}

struct Conversation {
    shared: Arc<Shared>,
    id: ListenerId,
}

impl Talk for Conversation {
    async fn hear(&mut self, text: &str) -> bool {
        let answer = self.reply(text);
        lock(&self.shared.hub).answer(self.id, answer.to_string());
        true
    }
    fn messages_per_second(&self) -> Option<u32> {
        Some(self.shared.limits.ws_messages_per_second)
    }
}

impl Conversation {
    /// Subscribes to every name that is a stream; false if there were too many.
    fn subscribe(&self, names: &[String]) -> bool {
        let most = self.shared.limits.ws_streams;
        self.shared.act_and_tell(
            |world, hub| {
                names.iter().all(|name| match Stream::named(world, name) {
                    Some(stream) => hub.subscribe(self.id, name, stream, most),
                    None => true, // as the venue: a name without a stream is accepted and stays silent
                })
            },
            |_, _| (),
        )
    }

    fn reply(&self, text: &str) -> Value {
        let Ok(request) = serde_json::from_str::<Value>(text) else {
            return json!({"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}});
        };
        let id = request.get("id").cloned().unwrap_or(Value::Null);
        let wrong = |code: i32, msg: String| json!({"error": {"code": code, "msg": msg}, "id": id});
        let Some(method) = request.get("method").and_then(Value::as_str) else {
            return wrong(2, "Invalid request: missing field `method`".to_owned());
        };
        let params: Vec<Value> = request.get("params").and_then(Value::as_array).cloned().unwrap_or_default();
        let streams: Vec<String> = params.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let ok = json!({"result": null, "id": id});
        match method {
            "SUBSCRIBE" if self.subscribe(&streams) => ok,
            "SUBSCRIBE" => wrong(2, format!("Too many streams: at most {}", self.shared.limits.ws_streams)),
            "UNSUBSCRIBE" => {
                let mut hub = lock(&self.shared.hub);
                streams.iter().for_each(|name| hub.unsubscribe(self.id, name));
                ok
            }
            "LIST_SUBSCRIPTIONS" => json!({"result": lock(&self.shared.hub).names(self.id), "id": id}),
            "SET_PROPERTY" => match (params.first().and_then(Value::as_str), params.get(1)) {
                (Some("combined"), Some(Value::Bool(combined))) => {
                    if let Some(property) = lock(&self.shared.hub).combined(self.id) {
                        *property = *combined;
                    }
                    ok
                }
                (Some("combined"), _) => wrong(1, "Invalid value type: expected Boolean".to_owned()),
                _ => wrong(0, "Unknown property".to_owned()),
            },
            "GET_PROPERTY" => match params.first().and_then(Value::as_str) {
                Some("combined") => {
                    let combined = lock(&self.shared.hub).combined(self.id).is_some_and(|combined| *combined);
                    json!({"result": combined, "id": id})
                }
                _ => wrong(0, "Unknown property".to_owned()),
            },
            other => wrong(
                2,
                format!(
                    "Invalid request: unknown variant `{other}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, \
                     `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
                ),
            ),
        }
    }
}
