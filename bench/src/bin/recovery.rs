//! How long a start takes on a tail of a million records: safe, reconciled with the local exchange, and with a snapshot.
//!
//! `recovery DIR [RECORDS]` makes a journal in DIR (which is emptied): a node's start and a few orders, then quotes and
//! bars as a market tells them. It then folds that tail (`safe_s`: limits, kill switch and journal are there), starts a
//! node on it against an exchange on loopback (`reconciled_s`), and folds once more from the snapshot that the stop left
//! (`snapshot_s`). Prints one line of JSON.

use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use tradewind_domain::{Bar, InstrumentId, Interval, Origin, Price, Quantity, Quote, Side, Source};
use tradewind_engine::{Event, EventKind, encode, step};
use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig};
use tradewind_journal::Options;
use tradewind_node::settings::{LimitSettings, NodeMode, Profile, Settings, VenueSettings};
use tradewind_node::{Node, OperatorRequest, OrderWords, Surroundings, recover};

type Failure = Box<dyn std::error::Error>;

const KEYS: (&str, &str) = ("key-of-the-bench", "secret-of-the-bench");

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let records = words.get(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let Some(dir) = words.first() else {
        eprintln!("usage: recovery DIR [RECORDS]");
        return ExitCode::FAILURE;
    };
    match run(Path::new(dir), records).await {
        #[expect(clippy::print_stdout, reason = "the result is this program's output")]
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(dir: &Path, records: u64) -> Result<Value, Failure> {
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    let accounts = vec![AccountConfig::hmac(KEYS.0, KEYS.1, &[("USDT", "10000")])];
    let exchange = Exchange::start(ExchangeConfig { accounts, ..ExchangeConfig::default() }).await?;
    let start = || Node::start(settings(&exchange.url(), dir), surroundings());
    let node = start().await?;
    for _ in 0..20 {
        node.request(OperatorRequest::OrderPlace(order())).await?;
    }
    node.stop().await?;
    let bytes = grow(dir, records)?;

    let began = Instant::now();
    let (journal, recovered) = recover(dir, Options::default())?;
    let safe = began.elapsed();
    let folded = recovered.folded;
    drop(journal);

    let began = Instant::now();
    let node = start().await?;
    let reconciled = began.elapsed();
    node.stop().await?;

    let began = Instant::now();
    let (_journal, again) = recover(dir, Options::default())?;
    let with_snapshot = began.elapsed();
    std::fs::remove_dir_all(dir)?;
    Ok(json!({
        "records": folded,
        "tail_mb": bytes / 1_000_000,
        "safe_s": safe.as_secs_f64(),
        "reconciled_s": reconciled.as_secs_f64(),
        "snapshot_s": with_snapshot.as_secs_f64(),
        "folded_after_snapshot": again.folded,
    }))
}

/// Appends a tail of nine quotes to a bar; says how many bytes of payload it has.
fn grow(dir: &Path, records: u64) -> Result<u64, Failure> {
    let (mut journal, recovered) = recover(dir, Options::default())?;
    let (mut state, mut commands, mut bytes) = (recovered.state, Vec::new(), 0);
    let (start, minute) = (state.now, 60_000_000_000_i64);
    for n in 0..i64::try_from(records)? {
        let price = 6_000_000 + n % 1_000;
        let at = start.plus_nanos(n * minute / 10);
        let kind = if n % 10 == 9 { bar(at.millis(), price)? } else { quote(at.millis(), price) };
        let event = Event::new(state.sequence + 1, at, Source::Market, kind);
        let record = encode(&event, &state);
        bytes += record.len() as u64;
        journal.append(&record)?;
        step(&mut state, &event, &mut commands);
        commands.clear();
    }
    journal.sync()?;
    Ok(bytes)
}

fn quote(_millis: i64, price: i64) -> EventKind {
    let quote = Quote {
        instrument: InstrumentId(0),
        bid: Price::from_mantissa(price * 100_000),
        bid_size: Quantity::from_mantissa(100_000_000),
        ask: Price::from_mantissa((price + 1) * 100_000),
        ask_size: Quantity::from_mantissa(100_000_000),
    };
    EventKind::Quoted { quote, origin: Origin::Simulated, marks: true }
}

fn bar(millis: i64, price: i64) -> Result<EventKind, Failure> {
    let interval: Interval = "1m".parse()?;
    let price = Price::from_mantissa(price * 100_000);
    let open_time = tradewind_domain::Timestamp::from_millis(millis / 60_000 * 60_000);
    let volume = Quantity::from_mantissa(100_000_000);
    let bar = Bar {
        instrument: InstrumentId(0),
        interval,
        open_time,
        open: price,
        high: price,
        low: price,
        close: price,
        volume,
    };
    Ok(EventKind::BarClosed { bar, origin: Origin::Simulated })
}

fn order() -> OrderWords {
    OrderWords {
        plan: None,
        symbol: "BTC/USDT".to_owned(),
        side: Side::Buy,
        quantity: "0.001".to_owned(),
        price: Some("30000".to_owned()),
        trigger: None,
        kind: None,
        time_in_force: None,
        post_only: false,
        reduce_only: false,
        portfolio: None,
    }
}

fn surroundings() -> Surroundings {
    let key = Some((KEYS.0.to_owned(), KEYS.1.to_owned()));
    Surroundings { origin: Origin::Simulated, key, after_bar: None, settings_file: None }
}

fn settings(url: &str, dir: &Path) -> Settings {
    let sockets = url.replacen("http", "ws", 1);
    Settings {
        mode: NodeMode::Paper,
        data_dir: dir.to_owned(),
        venue: VenueSettings {
            rest_url: url.to_owned(),
            stream_url: sockets.clone(),
            ws_api_url: format!("{sockets}/ws-api/v3"),
            ..VenueSettings::default()
        },
        limits: LimitSettings::of(Profile::Research),
        ..Settings::default()
    }
}
