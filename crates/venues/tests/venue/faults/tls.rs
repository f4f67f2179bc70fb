//! Certificates that must not be accepted, and one that must, against a TLS server of this machine.

use crate::support::{Fake, Reply, until};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Message};
use tradewind_domain::Coded as _;
use tradewind_venues::binance::{BinanceConfig, Connection, Subscriptions};
use tradewind_venues::{Names, Stream, VenueEvent};

fn certificate(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/tls/{name}.der", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn server(name: &str) -> Arc<ServerConfig> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default(); // once a process; others may be first
    // PKCS#8 of the ed25519 key 0x22…, which is no secret (tests/fixtures/tls/README.md)
    let mut key = hex::decode("302e020100300506032b657004220420").unwrap();
    key.extend([0x22; 32]);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let chain = vec![CertificateDer::from(certificate(name))];
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// Serves time over HTTP and market streams over a web socket to whoever accepts its certificate. Gives its port, and
/// what it read in the clear after a handshake.
fn serve(config: Arc<ServerConfig>, sockets: bool) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let hears = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, heard) = (config.clone(), hears.clone());
            std::thread::spawn(move || talk(config, stream.unwrap(), sockets, &heard));
        }
    });
    (port, heard)
}

fn talk(config: Arc<ServerConfig>, mut stream: TcpStream, sockets: bool, heard: &Mutex<Vec<u8>>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut tls = ServerConnection::new(config).unwrap();
    let mut stream = rustls::Stream::new(&mut tls, &mut stream);
    if sockets {
        let mut socket = tungstenite::accept(stream).ok()?;
        let mut names = Vec::new();
        loop {
            let Message::Text(text) = socket.read().ok()? else { continue };
            heard.lock().unwrap().extend(text.as_bytes());
            let frame: Value = serde_json::from_str(&text).unwrap();
            names.extend(frame["params"].as_array().into_iter().flatten().cloned());
            let result = if frame["method"] == "SUBSCRIBE" { Value::Null } else { json!(names) };
            socket.send(Message::text(json!({ "result": result, "id": frame["id"] }).to_string())).ok()?;
        }
    }
    loop {
        let mut bytes = [0; 2_048];
        let read = stream.read(&mut bytes).ok().filter(|read| *read > 0)?;
        heard.lock().unwrap().extend(&bytes[..read]);
        let body = r#"{"serverTime":1700000000000}"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).ok()?;
    }
}

fn trusting(config: &mut BinanceConfig) {
    let known = BTreeMap::from([("venue.test".to_owned(), vec!["127.0.0.1".parse().unwrap()])]);
    config.names = Arc::new(Names { known, private: true });
    config.roots = Arc::new(vec![certificate("authority")]);
}

async fn connect_http(port: u16, change: impl FnOnce(&mut BinanceConfig)) -> Result<(), String> {
    let mut config = BinanceConfig { rest_url: format!("https://venue.test:{port}"), ..BinanceConfig::production() };
    trusting(&mut config);
    change(&mut config);
    match Connection::connect(config, Vec::new()).await {
        Ok(_) => Ok(()),
        Err(error) => {
            assert_eq!(error.code(), "VEN-06", "{error}");
            Err(error.to_string())
        }
    }
}

/// Whether the market streams come up at a TLS port of this machine; why not, otherwise.
async fn connect_streams(port: u16, change: impl FnOnce(&mut BinanceConfig)) -> Result<(), String> {
    let fake = Fake::start(0, |_, _| Reply::Silence).await;
    let mut config = BinanceConfig::local(fake.port);
    trusting(&mut config);
    config.stream_url = format!("wss://venue.test:{port}");
    config.subscriptions = Subscriptions { quotes: true, ..Subscriptions::default() };
    change(&mut config);
    let (_connection, mut events) = Connection::connect(config, vec![crate::support::bitcoin()]).await.unwrap();
    until(&mut events, |event| match event {
        VenueEvent::Up { stream: Stream::Market, .. } => Some(Ok(())),
        VenueEvent::Down { stream: Stream::Market, why, .. } => Some(Err(why)),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn d09_only_the_venues_own_certificate_of_a_trusted_authority_is_accepted() {
    let (http, heard) = serve(server("good"), false);
    connect_http(http, |_| ()).await.unwrap();
    assert!(!heard.lock().unwrap().is_empty(), "the good one serves");
    let (sockets, _) = serve(server("good"), true);
    connect_streams(sockets, |_| ()).await.unwrap();
    for (name, why) in [
        ("expired", "expired"),
        ("other-name", "not valid for"),
        ("other-authority", "UnknownIssuer"),
        ("self-signed", ""),
    ] {
        let (http, heard) = serve(server(name), false);
        let error = connect_http(http, |_| ()).await.expect_err(name);
        assert!(error.contains("certificate") && error.contains(why), "{name}: {error}");
        assert!(heard.lock().unwrap().is_empty(), "{name}: not a word of the request");
        let (sockets, heard) = serve(server(name), true);
        let error = connect_streams(sockets, |_| ()).await.expect_err(name);
        assert!(error.contains("certificate") && error.contains(why), "{name}: {error}");
        assert!(heard.lock().unwrap().is_empty(), "{name}: not a word");
    }
}

#[tokio::test]
async fn d09_the_public_authorities_do_not_vouch_for_a_certificate_of_our_own() {
    let (http, heard) = serve(server("good"), false);
    assert!(connect_http(http, |c| c.roots = Arc::default()).await.is_err());
    let (sockets, _) = serve(server("good"), true);
    assert!(connect_streams(sockets, |c| c.roots = Arc::default()).await.is_err());
    assert!(heard.lock().unwrap().is_empty());
}

/// A server that wants TLS 1.1, and one that wants none: whatever they get is a greeting of TLS 1.2 or better.
#[tokio::test]
async fn d09_an_older_protocol_or_none_at_all_is_refused() {
    // a ServerHello of TLS 1.1 with the suite RSA-AES128-SHA; and plain HTTP
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 28\r\n\r\n{\"serverTime\":1700000000000}".to_vec();
    for answer in [hello, plain] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let hears = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = [0; 4_096];
                let read = stream.read(&mut bytes).unwrap_or(0);
                hears.lock().unwrap().push(bytes[0]);
                assert!(!bytes[..read].windows(4).any(|four| four == b"HTTP"), "a request in the clear");
                let _ = stream.write_all(&answer);
            }
        });
        assert!(connect_http(port, |_| ()).await.is_err());
        assert!(connect_streams(port, |_| ()).await.is_err());
        let heard = heard.lock().unwrap();
        assert!(heard.len() >= 2 && heard.iter().all(|first| *first == 0x16), "only greetings of TLS: {heard:?}");
    }
}
