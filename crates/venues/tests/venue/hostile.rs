//! Servers that do with a connection whatever a test says.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A port of this machine, and how many connections it has seen.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    pub(crate) seen: Arc<AtomicUsize>,
}

impl Port {
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
    pub(crate) fn ws(&self) -> String {
        format!("ws://127.0.0.1:{}", self.number)
    }
}

/// Hands every connection to `serve`, with its number from zero on.
pub(crate) async fn listen<F: Future<Output = ()> + Send>(
    serve: impl Fn(usize, TcpStream) -> F + Clone + Send + Sync + 'static,
) -> Port {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = Port { number: listener.local_addr().unwrap().port(), seen: Arc::default() };
    let seen = port.seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (serve, number) = (serve.clone(), seen.fetch_add(1, Ordering::SeqCst));
            tokio::spawn(async move { serve(number, stream).await });
        }
    });
    port
}

/// Takes a web socket and answers the subscriptions of either stream; gives it back once it is subscribed.
pub(crate) async fn subscribed(stream: TcpStream) -> Option<WebSocketStream<TcpStream>> {
    let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
    let mut names: Vec<Value> = Vec::new();
    loop {
        let Ok(Message::Text(text)) = socket.next().await? else { return None };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let (answer, done) = match frame["method"].as_str().unwrap() {
            "SUBSCRIBE" => {
                names.extend(frame["params"].as_array().unwrap().iter().cloned());
                (json!({ "result": null, "id": frame["id"] }), false)
            }
            "LIST_SUBSCRIPTIONS" => (json!({ "result": names, "id": frame["id"] }), true),
            _ => (json!({ "id": frame["id"], "status": 200, "result": { "subscriptionId": 0 } }), true),
        };
        socket.send(Message::text(answer.to_string())).await.ok()?;
        if done {
            return Some(socket);
        }
    }
}
