//! Web sockets: connect, read, write, each within a bounded time and size.

use futures_util::{SinkExt as _, StreamExt as _};
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tradewind_domain::Timestamp;
use tradewind_journal::clock_shift;

/// The largest frame that is read; larger ones end the connection.
const MOST_BYTES: usize = 4 << 20;
/// How long a write may take before the connection counts as broken.
const WRITE_TIME: Duration = Duration::from_secs(2);

/// An open web socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// This machine's clock.
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX).saturating_add(clock_shift()))
}

/// Makes the process's TLS provider, once. Another one that is there already serves as well.
pub(crate) fn prepare_tls() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

impl Socket {
    /// Connects to a `ws://` or `wss://` address.
    pub(crate) async fn connect(url: &str, within: Duration) -> Result<Self, String> {
        prepare_tls();
        let config = WebSocketConfig::default().max_message_size(Some(MOST_BYTES)).max_frame_size(Some(MOST_BYTES));
        let connecting = tokio_tungstenite::connect_async_with_config(url, Some(config), true);
        match timeout(within, Box::pin(connecting)).await {
            Ok(Ok((stream, _))) => Ok(Self { stream }),
            Ok(Err(Error::Http(response))) => Err(format!("the server answered {}", response.status())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no connection within {within:?}")),
        }
    }

    /// Hands a text to the socket and gives the moment when its last byte was handed over.
    pub(crate) async fn send(&mut self, text: String) -> Result<Timestamp, String> {
        match timeout(WRITE_TIME, self.stream.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(wall_clock()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("the socket took nothing for {WRITE_TIME:?}")),
        }
    }

    /// The next text and when it was read. Pings are answered on the way. Safe to drop and call again.
    pub(crate) async fn next(&mut self) -> Result<(Utf8Bytes, Timestamp), String> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok((text, wall_clock())),
                Some(Ok(Message::Close(frame))) => {
                    let why = frame.map(|frame| format!("{}: {}", frame.code, frame.reason));
                    return Err(format!("closed by the venue ({})", why.unwrap_or_default()));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    return Err(format!("an unexpected binary frame of {} bytes", bytes.len()));
                }
                // the pong is queued by the library and leaves with the next read or write
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => (),
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("the connection ended".to_owned()),
            }
        }
    }
}
