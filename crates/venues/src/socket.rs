//! Web sockets: connect, read, write, each within a bounded time and size.

use crate::names::Names;
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};
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
    /// Connects to a `ws://` or `wss://` address; redirects are answers like any other.
    pub(crate) async fn connect(url: &str, how: &Dialling) -> Result<Self, DialError> {
        prepare_tls();
        match timeout(how.within, Box::pin(connect(url, how))).await {
            Ok(connected) => connected,
            Err(_) => Err(DialError::Failed(format!("no connection within {:?}", how.within))),
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

/// How a connection is made.
#[derive(Clone, Debug)]
pub(crate) struct Dialling {
    /// How long it may take in all: name, connection, TLS and handshake.
    pub(crate) within: Duration,
    pub(crate) names: Arc<Names>,
    /// Certificates that alone are trusted; the public ones if empty.
    pub(crate) roots: Arc<Vec<Vec<u8>>>,
}

/// Why no connection came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DialError {
    /// The server answered something else than a switch of protocols.
    Answered {
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// Anything else.
    Failed(String),
}

impl From<Error> for DialError {
    fn from(error: Error) -> Self {
        match error {
            Error::Http(response) => {
                let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
                let retry_after = wait.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                Self::Answered { status: response.status().as_u16(), retry_after }
            }
            error => Self::Failed(error.to_string()),
        }
    }
}

async fn connect(url: &str, how: &Dialling) -> Result<Socket, DialError> {
    let failed = |why: String| DialError::Failed(why);
    let uri: Uri = url.parse().map_err(|error| failed(format!("{error}")))?;
    let host = uri.host().ok_or_else(|| failed("the address names no host".to_owned()))?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let addresses = how.names.resolve(host, port).await.map_err(failed)?;
    let stream = TcpStream::connect(addresses.as_slice()).await.map_err(|error| failed(error.to_string()))?;
    stream.set_nodelay(true).map_err(|error| failed(error.to_string()))?;
    let config = WebSocketConfig::default().max_message_size(Some(MOST_BYTES)).max_frame_size(Some(MOST_BYTES));
    let connector = match how.roots.as_slice() {
        [] => None,
        roots => Some(Connector::Rustls(trusting(roots).map_err(failed)?)),
    };
    let connecting = tokio_tungstenite::client_async_tls_with_config(url, stream, Some(config), connector);
    let (stream, _) = connecting.await?;
    Ok(Socket { stream })
}

/// TLS that trusts `roots` and nobody else.
fn trusting(roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, String> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(CertificateDer::from(root.clone())).map_err(|error| error.to_string())?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(store).with_no_client_auth()))
}
