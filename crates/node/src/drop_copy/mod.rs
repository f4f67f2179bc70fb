//! The drop copy: a second process reads the executions of the account from the venue, reckons what they come to, and
//! holds both against the journal of the node that trades. It asks the node nothing.
//!
//! FIA and CFTC ask for one beside every automated trader: what a trading process says of itself proves nothing about it.
//! It needs a key that may read; a key without the right to trade will do, and this program sends no order with it.
//!
//! A difference counts once [`LOOKS`] looks in a row have found it: an execution is on its way to the two sides for a moment.
//! A venue or a journal that cannot be read is an error of that look, and the next one begins anew.

mod ledger;

use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::kill_switch;
use crate::runtime::Surroundings;
use crate::settings::Settings;
use crate::start::{signer, venue_config};
use ledger::Ledger;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tradewind_domain::{ClientOrderId, Instrument, Money, Price, Timestamp, round_div};
use tradewind_engine::{Drift, decode};
use tradewind_host as host;
use tradewind_journal::{DiskStorage, ReadError, Reader};
use tradewind_venues::QueryError;
use tradewind_venues::binance::{BinanceConfig, Connection, Subscriptions};

/// Looks in a row that must find a difference.
pub const LOOKS: u32 = 3;
/// How long to wait for the next look while a difference is not settled.
pub const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Executions of so long are asked for again with each look: the venue may tell one late.
const OVERLAP: i64 = 300 * 1_000_000_000;
/// How often what is too old to be compared is let go of while the journal is read.
const TRIM_EVERY: u64 = 10_000;

/// A comparison of the venue's executions with the journal's that goes on.
pub struct DropCopy {
    connection: Connection,
    reader: Reader,
    ledger: Ledger,
    /// How far back executions are compared, in nanoseconds.
    window: i64,
    /// Through which record the journal is read.
    records: u64,
    /// Until when the venue was asked.
    asked: Option<Timestamp>,
    /// How many looks in a row have found a difference.
    found: BTreeMap<String, u32>,
}

/// What one look has found.
#[derive(Clone, Debug, Serialize)]
pub struct Look {
    /// When, by the venue's clock.
    pub at: Timestamp,
    /// Through which record the journal was read.
    pub records: u64,
    /// Executions of the time that is compared.
    pub compared: usize,
    /// What the two sides do not tell alike, three looks in a row.
    pub differences: Vec<Drift>,
    /// What they do not tell alike yet.
    pub unsettled: usize,
    /// What our orders hold, as executions and fees come to.
    pub positions: Vec<Exposure>,
}

/// What is held of one instrument, reckoned from its executions.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    /// Of what.
    pub symbol: String,
    /// How much, signed; less than nothing was sold.
    pub held: String,
    /// What that would fetch at the best bid, or cost at the best ask; `None` for an empty side of the book.
    pub value: Option<String>,
}

impl DropCopy {
    /// Reads the journal of the data directory, and begins to talk to the venue. Executions of the last `window` are
    /// compared.
    ///
    /// # Errors
    /// [`NodeError`] if the journal or a key cannot be read, or the venue does not answer.
    pub async fn start(settings: &Settings, surroundings: &Surroundings, window: Duration) -> Result<Self, NodeError> {
        let window = i64::try_from(window.as_nanos()).unwrap_or(i64::MAX);
        let (reader, ledger) = beginning(&settings.data_dir)?;
        let halted = Arc::new(AtomicBool::new(true)); // this process sends no order
        let config = venue_config(settings, signer(settings, surroundings)?, halted);
        let config = BinanceConfig { subscriptions: Subscriptions::default(), ..config };
        let (mut reader, mut ledger, mut records) = (reader, ledger, 0);
        read(&mut reader, &mut ledger, &mut records, Some(window))?;
        let url = config.rest_url.clone();
        let instruments = ledger.instruments.values().cloned().collect();
        let connected = Connection::connect(config, instruments).await;
        let (connection, mut events) =
            connected.map_err(|source| NodeError::Venue { url, source: Box::new(source) })?;
        tokio::spawn(async move { while events.recv().await.is_some() {} }); // ends with the connection
        Ok(Self { connection, reader, ledger, window, records, asked: None, found: BTreeMap::new() })
    }

    /// Reads what is new on both sides, and compares. May be dropped at any time; the next look asks again.
    ///
    /// # Errors
    /// [`NodeError`] if a side cannot be read; what was found before stays found.
    pub async fn look(&mut self) -> Result<Look, NodeError> {
        read(&mut self.reader, &mut self.ledger, &mut self.records, None)?;
        let at = self.connection.venue_time().map_or_else(crate::clock::wall, |(venue, _)| venue);
        let oldest = at.plus_nanos(-self.window);
        let from = match self.asked {
            Some(asked) if self.found.is_empty() => oldest.max(asked.plus_nanos(-OVERLAP)),
            _ => oldest, // what differs may have happened at any time
        };
        self.ask(from).await.map_err(|source| self.failed(source))?;
        let account = self.connection.account().await.map_err(|source| self.failed(source))?;
        let moved = read(&mut self.reader, &mut self.ledger, &mut self.records, None)?;
        let mut differing = self.ledger.differences();
        if differing.is_empty() && !moved && account.unreadable.is_empty() {
            differing = self.ledger.balances(&account.balances);
        }
        let positions = self.exposures().await.map_err(|source| self.failed(source))?;
        self.asked = Some(at);
        self.ledger.forget(oldest);
        let before = std::mem::take(&mut self.found);
        let times = |drift: &Drift| before.get(&drift.what).copied().unwrap_or_default() + 1;
        self.found = differing.iter().map(|drift| (drift.what.clone(), times(drift))).collect();
        let (differences, unsettled): (Vec<Drift>, Vec<Drift>) =
            differing.into_iter().partition(|drift| self.found[&drift.what] >= LOOKS);
        let (compared, unsettled) = (self.ledger.compared(), unsettled.len());
        Ok(Look { at, records: self.records, compared, differences, unsettled, positions })
    }

    async fn ask(&mut self, from: Timestamp) -> Result<(), QueryError> {
        let nobody = ClientOrderId::from_u128(0); // the venue names the order by a name of its own
        for id in self.ledger.instruments.keys().copied().collect::<Vec<_>>() {
            for told in self.connection.fills_since(id, from).await? {
                self.ledger.venue(told.fill(nobody)?, told.at);
            }
        }
        Ok(())
    }

    async fn exposures(&self) -> Result<Vec<Exposure>, QueryError> {
        let mut all = Vec::new();
        for it in self.ledger.instruments.values() {
            let held = self.ledger.held(it);
            if held.units != 0 {
                let book = self.connection.book(it.id, 5).await?;
                let side = if held.units > 0 { book.bids.first() } else { book.asks.first() };
                let value = side.map(|(price, _)| worth(it, held, *price).to_string());
                all.push(Exposure { symbol: it.spec.symbol.to_string(), held: held.to_string(), value });
            }
        }
        Ok(all)
    }

    fn failed(&self, source: QueryError) -> NodeError {
        NodeError::Venue { url: self.connection.rest_url().to_owned(), source: Box::new(source) }
    }
}

/// What an asset would fetch at a price, in the currency that the instrument is paid in.
fn worth(it: &Instrument, held: Money, price: Price) -> Money {
    let unit = 10_i128.pow(it.spec.price_decimals.into());
    Money { currency: it.settlement(), units: round_div(held.units * i128::from(price.mantissa()), unit) }
}

/// The first record that is left, and what came before it.
fn beginning(data_dir: &Path) -> Result<(Reader, Ledger), NodeError> {
    let dir = DataDir::new(data_dir).journal();
    match Reader::open(&dir, 1) {
        Ok(reader) => Ok((reader, Ledger::default())),
        Err(removed @ ReadError::Removed { .. }) => match host::snapshot_state(&DiskStorage::new(&dir))? {
            Some(state) => Ok((Reader::open(&dir, state.sequence + 1)?, Ledger::after(&state, state.now))),
            None => Err(removed.into()),
        },
        Err(other) => Err(other.into()),
    }
}

/// Reads what the journal has beyond what was read, and whether an execution or money was in it. With a `window` only the
/// executions of so long before the newest record are kept.
fn read(reader: &mut Reader, ledger: &mut Ledger, records: &mut u64, window: Option<i64>) -> Result<bool, NodeError> {
    let before = ledger.moves();
    while let Some(record) = reader.next()? {
        let event = decode(record.payload).map_err(|source| NodeError::Record { sequence: record.seq, source })?;
        ledger.books(&event);
        *records = record.seq;
        if let Some(window) = window.filter(|_| record.seq.is_multiple_of(TRIM_EVERY)) {
            ledger.trim(event.at.plus_nanos(-window));
        }
    }
    Ok(ledger.moves() != before)
}

/// Throws the kill switch of a data directory by its file: a node that runs there sees it within a second, one that hangs
/// or does not run halts with its next start. `false` where it was thrown already.
///
/// # Errors
/// [`NodeError::Latch`] if the file cannot be written.
pub fn halt_by_file(data_dir: &Path, reason: &str) -> Result<bool, NodeError> {
    kill_switch::throw_by_file(data_dir, reason).map_err(NodeError::Latch)
}
