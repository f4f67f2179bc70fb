//! What is written now and then: a state hash every 10,000 events, so that a replay finds a difference near where it began,
//! and a snapshot as often as the settings say.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::Notes;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span;
use tradewind_domain::{PortfolioId, Source, Timestamp};
use tradewind_engine::{EventKind, decode};
use tradewind_host::{Host, recover};
use tradewind_journal::{Options, Reader, SimStorage, Storage, snapshots_storage};

const OPTIONS: Options = Options { segment_bytes: 1 << 20, first_segment_bytes: 1 << 18, prepare_in_background: false };

/// A host that goes on from what `storage` holds and writes a snapshot after `snapshot_every` events.
fn host(storage: &SimStorage, snapshot_every: u64) -> Host<SimStorage, Notes> {
    let (journal, recovered) = recover(storage.clone(), OPTIONS).unwrap();
    Host::new(recovered.state, journal, Notes::default(), snapshot_every)
}

/// Runs until the journal holds `until` records or one more.
fn go_on(host: &mut Host<SimStorage, Notes>, until: u64) {
    while host.state.sequence < until {
        let now = Timestamp::from_millis(1);
        host.record(now, now, Source::Timer, PortfolioId(0), EventKind::Timer).unwrap();
    }
    host.journal.sync().unwrap();
}

fn run(storage: &SimStorage, until: u64) {
    go_on(&mut host(storage, 1_000_000), until);
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

#[test]
fn a_snapshot_follows_every_so_many_events_whenever_hashes_are_written() {
    for (every, until, snapshots, hashed) in [
        (500, 1_739, &[500, 1_000, 1_500][..], &[][..]),
        (10_000, 25_000, &[10_001, 20_002], &[10_001, 20_002]),
        (12_000, 25_000, &[12_000, 24_000], &[10_001, 20_002]),
    ] {
        let storage = SimStorage::new();
        go_on(&mut host(&storage, every), until);
        assert_eq!(snapshots_storage(&storage).unwrap(), snapshots, "every {every}");
        assert_eq!(hashes(&storage), hashed, "every {every}: a snapshot is no record");
    }
}

#[test]
fn what_lies_before_a_snapshot_of_the_same_run_can_go() {
    let storage = SimStorage::new();
    let small = Options { segment_bytes: 16 << 10, first_segment_bytes: 16 << 10, ..OPTIONS };
    let (journal, recovered) = recover(storage.clone(), small).unwrap();
    let mut host = Host::new(recovered.state, journal, Notes::default(), 500);
    go_on(&mut host, 739);
    let retained = host.journal.retain_from_snapshot().unwrap();
    assert!((2..=500).contains(&retained.oldest_seq), "{retained:?}");
    let hash = host.state.hash();
    drop(host);
    let (_, recovered) = recover(storage, small).unwrap();
    assert_eq!((recovered.folded, recovered.state.hash()), (239, hash));
}

/// The fields of every event that is logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}: {value:?}").unwrap();
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_snapshot_that_finds_no_room_is_told_with_its_cause() {
    let (storage, log) = (SimStorage::new(), Log::default());
    let mut host = host(&storage, 100);
    let used: usize = storage.list().unwrap().iter().map(|name| storage.bytes(name).unwrap().len()).sum();
    storage.set_space(Some(used as u64)); // what is prepared can be written
    tracing::subscriber::with_default(log.clone(), || go_on(&mut host, 100));
    let said = log.0.lock().unwrap().clone();
    assert!(said.contains("no snapshot could be written"), "{said}");
    assert!(said.contains(".snap.tmp: ") && said.contains("no storage space"), "{said}");
}
