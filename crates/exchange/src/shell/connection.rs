//! One WebSocket connection: a bounded queue out, messages in, pings, and an end.

use super::shared::{Shared, lock};
use crate::binance::streams::{Cut, ListenerId, Outgoing};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, timeout};

/// How long one frame may take to leave before the reader counts as gone.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// What a connection does with what it is told.
pub(crate) trait Talk: Send {
    /// Handles one text message. `false` ends the connection.
    fn hear(&mut self, text: &str) -> impl Future<Output = bool> + Send;
    /// The most messages it may send in a second; control frames count. `None` for no such limit.
    fn messages_per_second(&self) -> Option<u32>;
}

/// Joins the hub.
pub(crate) fn join(shared: &Shared, combined: bool) -> (ListenerId, mpsc::Receiver<Outgoing>, Cut) {
    let (sender, queue) = mpsc::channel(shared.limits.ws_queue);
    let (id, cut) = lock(&shared.hub).join(sender, combined);
    (id, queue, cut)
}

/// Runs a connection to its end.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut socket: WebSocket,
    (id, mut queue, cut): (ListenerId, mpsc::Receiver<Outgoing>, Cut),
    mut talk: impl Talk,
) {
    let limits = shared.limits;
    let mut pings = interval_at(Instant::now() + limits.ws_ping_every, limits.ws_ping_every);
    let end = tokio::time::sleep(limits.ws_lifetime);
    tokio::pin!(end);
    let mut last_pong = Instant::now();
    let mut budget = Budget::new(talk.messages_per_second());
    let mut was_closed = false;
    loop {
        let going_on = tokio::select! {
            biased;
            () = cut.notified() => false,
            () = &mut end => false,
            outgoing = queue.recv() => match outgoing {
                Some(Outgoing::Text(text)) => {
                    let text = Message::Text(text.as_ref().into());
                    tokio::select! {
                        sent = timeout(SEND_WITHIN, socket.send(text)) => matches!(sent, Ok(Ok(()))),
                        () = cut.notified() => false,
                    }
                }
                Some(Outgoing::Close) | None => false,
            },
            _ = pings.tick() => {
                let alive = last_pong.elapsed() < limits.ws_pong_within;
                let payload = shared.server_time().to_string();
                alive && matches!(timeout(SEND_WITHIN, socket.send(Message::Ping(payload.into()))).await, Ok(Ok(())))
            }
            incoming = socket.recv() => match incoming {
                Some(Ok(message)) => {
                    let within = budget.spend();
                    match message {
                        Message::Text(text) => within && talk.hear(text.as_str()).await,
                        Message::Pong(_) => {
                            last_pong = Instant::now();
                            within
                        }
                        Message::Ping(_) | Message::Binary(_) => within,
                        Message::Close(_) => {
                            was_closed = true;
                            false
                        }
                    }
                }
                Some(Err(_)) | None => false,
            },
        };
        if !going_on {
            break;
        }
    }
    lock(&shared.hub).leave(id);
    let farewell = async {
        if was_closed {
            while matches!(socket.recv().await, Some(Ok(_))) {} // it is reading on that answers their close
        } else {
            let frame = CloseFrame { code: 1008, reason: "disconnected".into() };
            let _ = socket.send(Message::Close(Some(frame))).await;
        }
    };
    let _ = timeout(Duration::from_millis(200), farewell).await; // best effort
}

/// Messages of the current second.
struct Budget {
    most: Option<u32>,
    since: Instant,
    spent: u32,
}

impl Budget {
    fn new(most: Option<u32>) -> Self {
        Self { most, since: Instant::now(), spent: 0 }
    }

    fn spend(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            (self.since, self.spent) = (Instant::now(), 0);
        }
        self.spent += 1;
        self.most.is_none_or(|most| self.spent <= most)
    }
}
