//! The settings file of the documentation, used as the documentation says.

use crate::support::{Running, text, tradewind};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// A local exchange and its keys.
pub(crate) struct Exchange {
    process: Running,
    pub(crate) address: String,
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl Exchange {
    pub(crate) fn start() -> Self {
        Self::at_speed("600")
    }

    /// With so many market seconds in a second of ours.
    pub(crate) fn at_speed(speed: &str) -> Self {
        let mut process = Running::start(&["exchange", "--speed", speed, "-o", "json"]);
        let said: Value = serde_json::from_str(&process.line()).unwrap();
        let word = |key: &str| said[key].as_str().unwrap().to_owned();
        let address = word("url").trim_start_matches("http://").to_owned();
        Self { process, address, key: word("api_key"), secret: word("api_secret") }
    }

    pub(crate) fn keys(&self) -> [(&str, &str); 2] {
        [("TRADEWIND_KEY", &self.key), ("TRADEWIND_SECRET", &self.secret)]
    }

    /// Asks its own controls for something.
    pub(crate) fn post(&self, path: &str, body: &str) {
        let mut socket = std::net::TcpStream::connect(&self.address).unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", self.address);
        write!(socket, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub(crate) fn end(self) {
        self.process.signal("TERM");
        self.process.end().0.ended_with(0);
    }
}

/// What `docs/operate.md` shows of the settings file is the file, less its comments.
#[test]
fn the_page_shows_the_minimal_settings_as_they_are() {
    let page = include_str!("../../../../docs/operate.md");
    let shown = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let file = include_str!("../../../../examples/minimal.toml");
    let lines: Vec<&str> = file.lines().skip_while(|line| line.is_empty() || line.starts_with('#')).collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
}

fn fills(data: &Path) -> u64 {
    let status = tradewind(&["status", "--data-dir", text(data), "-o", "json"]).ended_with(0).json();
    status["counters"]["fills"].as_u64().unwrap()
}

#[test]
fn the_minimal_settings_trade_against_the_local_exchange() {
    let exchange = Exchange::start();
    let dir = tempfile::tempdir().unwrap();
    let settings = include_str!("../../../../examples/minimal.toml");
    assert_eq!(settings.matches("127.0.0.1:9090").count(), 3);
    let file = dir.path().join("minimal.toml");
    std::fs::write(&file, settings.replace("127.0.0.1:9090", &exchange.address)).unwrap();
    tradewind(&["config", "check", text(&file)]).ended_with(0);

    let data = dir.path().join("data");
    let args = ["paper", "--config", text(&file), "--data-dir", text(&data), "--for", "40s", "-o", "json"];
    let mut node = Running::start_with(&args, &exchange.keys());
    node.until("ready in");
    let started = Instant::now();
    while fills(&data) == 0 && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(200));
    }
    node.signal("INT");
    let run = node.end().0.ended_with(0);
    let value = run.json();
    assert!(value["fills"].as_u64().unwrap() > 0, "{value}\n{}", run.err);
    assert_eq!(value["origin"], "simulated", "a venue on this machine says itself what its market is");
    assert!(!run.err.contains(&exchange.secret), "no secret is printed");
    assert_eq!(tradewind(&["replay", text(&data), "-o", "json"]).ended_with(0).json()["matches"], true);

    let without = tradewind(&args);
    assert!(without.err.contains("TRADEWIND_KEY"), "{}", without.err);
    without.ended_with(1).is_calm();
    exchange.end();
}
