//! When state hashes are written: every 10,000 events, so that a replay finds a difference near where it began.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::Notes;
use tradewind_domain::{PortfolioId, Source, Timestamp};
use tradewind_engine::{EventKind, decode};
use tradewind_host::{Host, recover};
use tradewind_journal::{Options, Reader, SimStorage};

const OPTIONS: Options = Options { segment_bytes: 1 << 20, first_segment_bytes: 1 << 18, prepare_in_background: false };

/// Runs until the journal holds `until` records or one more.
fn run(storage: &SimStorage, until: u64) {
    let (journal, recovered) = recover(storage.clone(), OPTIONS).unwrap();
    let mut host = Host::new(recovered.state, journal, Notes::default(), 1_000_000);
    while host.state.sequence < until {
        let now = Timestamp::from_millis(1);
        host.record(now, now, Source::Timer, PortfolioId(0), EventKind::Timer).unwrap();
    }
    host.journal.sync().unwrap();
}

fn hashes(storage: &SimStorage) -> Vec<u64> {
    let mut reader = Reader::open_storage(storage.clone(), 1).unwrap();
    let mut found = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        if matches!(decode(record.payload).unwrap().kind, EventKind::StateHash { .. }) {
            found.push(record.seq);
        }
    }
    found
}

#[test]
fn a_state_hash_follows_every_ten_thousand_events() {
    let storage = SimStorage::new();
    run(&storage, 25_000);
    assert_eq!(hashes(&storage), [10_001, 20_002]);
}

#[test]
fn a_start_counts_from_where_it_begins() {
    let storage = SimStorage::new();
    run(&storage, 4_000); // killed: it wrote no hash
    run(&storage, 15_000);
    assert_eq!(hashes(&storage), [14_001]);
}
