//! `tradewind live` as a person starts it: over TLS, and with a key that can take no money out.
//!
//! The venue is a local exchange behind a TLS server of this machine. `SSL_CERT_FILE` makes its authority the one that the
//! program trusts, as it does for most programs; nothing in the program itself is told otherwise.

use crate::support::{Running, text, tradewind, tradewind_with};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig, ExchangeHandle};
use tradewind_node::settings::CONSENT;

const KEY: &str = "key-of-the-program";
const SECRET: &str = "secret-of-the-program";
/// Vouches for `this-machine.der` (`tests/fixtures/tls/README.md`).
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/authority.pem");
/// Where the venue tells what a key may do.
const RIGHTS: &str = "/sapi/v1/account/apiRestrictions";

/// A local exchange whose account has one key, and its address over TLS.
struct Venue {
    exchange: ExchangeHandle,
    _runtime: Runtime,
    over_tls: SocketAddr,
    /// What was asked over TLS, as the exchange read it.
    asked: Arc<Mutex<Vec<u8>>>,
    dir: tempfile::TempDir,
}

impl Venue {
    fn start(may_withdraw: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let account = AccountConfig { may_withdraw, ..AccountConfig::hmac(KEY, SECRET, &[("USDT", "10000")]) };
        let config = ExchangeConfig { accounts: vec![account], ..ExchangeConfig::default() };
        let exchange = runtime.block_on(Exchange::start(config)).unwrap();
        let asked = Arc::<Mutex<Vec<u8>>>::default();
        let over_tls = serve(exchange.address(), asked.clone());
        Self { exchange, _runtime: runtime, over_tls, asked, dir: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A file with all that live mode wants to be set by hand.
    fn settings(&self, rest_url: &str) -> PathBuf {
        let (data, sockets) = (self.data(), format!("ws://{}", self.exchange.address()));
        let settings = format!(
            "mode = \"live\"\ndata_dir = \"{}\"\n\
             [venue]\nrest_url = \"{rest_url}\"\nstream_url = \"{sockets}\"\nws_api_url = \"{sockets}/ws-api/v3\"\n\
             api_key = \"env:TRADEWIND_KEY\"\napi_secret = \"env:TRADEWIND_SECRET\"\n\
             [limits]\nmax_order = \"1%\"\nmax_position = \"5%\"\ndaily_loss = \"1%\"\ndrawdown = \"5%\"\n\
             [governance]\nvenues = [\"binance\"]\nmarkets = [\"spot\"]\nsymbols = [\"BTC/USDT\"]\n\
             cap_order = \"100\"\ncap_day = \"1000\"\n[live]\nenabled = true\nconsent = \"{CONSENT}\"\n",
            text(&data)
        );
        let file = self.dir.path().join("live.toml");
        std::fs::write(&file, settings).unwrap();
        file
    }

    fn https(&self) -> String {
        format!("https://{}", self.over_tls)
    }

    fn was_asked(&self, what: &str) -> bool {
        String::from_utf8_lossy(&self.asked.lock().unwrap()).contains(what)
    }

    /// How many orders the exchange has written down.
    fn orders(&self) -> u64 {
        let mut stream = TcpStream::connect(self.exchange.address()).unwrap();
        stream.write_all(b"GET /tradewind/v1/status HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let status: Value = serde_json::from_str(body).unwrap();
        status["orders"].as_u64().unwrap()
    }

    /// Whether the journal knows of a run: nothing is decided before its first record.
    fn has_run(&self) -> bool {
        tradewind(&["journal", "show", text(&self.data()), "-o", "json"]).out.contains("\"type\":\"started\"")
    }
}

/// The program's environment: a key that the settings name, and whom to trust.
fn environment() -> [(&'static str, &'static str); 3] {
    [("TRADEWIND_KEY", KEY), ("TRADEWIND_SECRET", SECRET), ("SSL_CERT_FILE", AUTHORITY)]
}

/// Serves the exchange over TLS, and gives back where.
fn serve(exchange: SocketAddr, asked: Arc<Mutex<Vec<u8>>>) -> SocketAddr {
    let config = server_config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, config, asked) = (client.unwrap(), config.clone(), asked.clone());
            // a client that hangs up, or trusts somebody else, ends its own thread
            std::thread::spawn(move || drop(hand_on(client, config, exchange, &asked)));
        }
    });
    address
}

fn server_config() -> Arc<ServerConfig> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default(); // once a process; others may be first
    let certificate = include_bytes!("../fixtures/tls/this-machine.der");
    // PKCS#8 of the ed25519 key 0x22…, which is no secret
    let mut key: Vec<u8> = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    key.extend([0x22; 32]);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let chain = vec![CertificateDer::from(certificate.to_vec())];
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// Hands on what a client asks over TLS, and what the exchange answers, until one of them hangs up.
fn hand_on(
    client: TcpStream,
    config: Arc<ServerConfig>,
    exchange: SocketAddr,
    asked: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut exchange = TcpStream::connect(exchange)?;
    for stream in [&client, &exchange] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_millis(2)))?; // then it is the other's turn
    }
    let mut client = StreamOwned::new(ServerConnection::new(config).map_err(std::io::Error::other)?, client);
    while let Some(request) = heard(&mut client)? {
        asked.lock().unwrap().extend(&request);
        exchange.write_all(&request)?;
        let Some(answer) = heard(&mut exchange)? else { break };
        if !answer.is_empty() {
            client.write_all(&answer)?; // never of nothing: in the middle of a handshake that would want to read
            client.flush()?;
        }
    }
    Ok(())
}

/// What there is to read just now, which may be nothing; `None` at the end.
fn heard(stream: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; 64 * 1024];
    let read = match stream.read(&mut bytes) {
        Ok(0) => return Ok(None),
        Ok(read) => read,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
        Err(error) => return Err(error),
    };
    bytes.truncate(read);
    Ok(Some(bytes))
}

#[test]
fn paper_mode_starts_nowhere_where_money_is_real() {
    let dir = tempfile::tempdir().unwrap();
    let (file, data) = (dir.path().join("paper.toml"), dir.path().join("data"));
    for (key, real) in
        [("rest_url", "https://api.binance.com"), ("ws_api_url", "wss://ws-api.binance.com:443/ws-api/v3")]
    {
        let settings = format!("data_dir = \"{}\"\n[venue]\n{key} = \"{real}\"\n", text(&data));
        std::fs::write(&file, settings).unwrap();
        let run = tradewind(&["paper", "--config", text(&file)]).failed_with(1, "NODE-51");
        assert!(run.err.contains(real), "{}", run.err);
        assert!(!data.exists(), "nothing was begun");
        let run = tradewind(&["doctor", "--config", text(&file), "-o", "json"]);
        assert!(run.out.contains("where money is real"), "{}", run.out);
    }
}

#[test]
fn a_key_that_may_withdraw_ends_a_live_start_before_any_order_can_be_sent() {
    let venue = Venue::start(true);
    let file = venue.settings(&venue.https());
    let run = tradewind_with(&["live", "--config", text(&file)], &environment()).failed_with(1, "NODE-03");
    assert!(run.err.contains("the key may withdraw: make one that may only read and trade"), "{}", run.err);
    assert!(venue.was_asked(RIGHTS), "the venue itself says what the key may do");
    assert!(!venue.has_run(), "nothing was decided");
    assert_eq!(venue.orders(), 0);
    tradewind(&["status", "--data-dir", text(&venue.data())]).ended_with(4);
}

#[test]
fn a_key_that_may_only_read_and_trade_goes_live() {
    let venue = Venue::start(false);
    let file = venue.settings(&venue.https());
    let mut node = Running::start_with(&["live", "--config", text(&file)], &environment());
    node.until("ready in");
    assert!(venue.was_asked(RIGHTS));
    let status = tradewind(&["status", "--data-dir", text(&venue.data()), "-o", "json"]).ended_with(0).json();
    assert_eq!(status["mode"], "live");
    node.signal("INT");
    node.end().0.ended_with(0).is_calm();
    assert!(venue.has_run());
}

#[test]
fn live_mode_talks_to_no_venue_in_the_clear_not_even_on_this_machine() {
    let venue = Venue::start(false);
    let file = venue.settings(&venue.exchange.url());
    let run = tradewind_with(&["live", "--config", text(&file)], &environment()).failed_with(1, "NODE-03");
    assert!(run.err.contains("live mode talks to a venue over TLS"), "{}", run.err);
    assert!(!venue.data().exists(), "refused before anything was made");
}
