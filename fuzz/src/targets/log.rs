//! What lies on the disk of a node: records, segments and snapshots of its journal, and the signed trail beside it.

use super::{Feed, Target, coded, owned, refused, way};
use std::path::Path;
use tradewind_domain::Timestamp;
use tradewind_engine::{CodecError, State, decode, encode};
use tradewind_governance::Name;
use tradewind_governance::audit::{Checkpoint, Key, Notary, Removal, check_removals, verify};
use tradewind_journal::{Journal, Options, Reader, SimStorage, Storage as _, latest_snapshot_storage, verify_storage};

/// Segments so small that a few records fill several.
const SMALL: Options = Options { segment_bytes: 4_096, first_segment_bytes: 2_048, prepare_in_background: false };

/// Journals that earlier releases wrote.
fn journals() -> Vec<SimStorage> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/tradewind/tests/fixtures"));
    let is_log = |path: &str| path.ends_with(".seg") || path.ends_with(".snap");
    let mut disks: Vec<(std::path::PathBuf, SimStorage)> = Vec::new();
    for file in all_files(folder).into_iter().filter(|file| is_log(&file.to_string_lossy())) {
        let dir = file.parent().expect("it lies in a folder").to_owned();
        if disks.iter().all(|(known, _)| *known != dir) {
            disks.push((dir.clone(), SimStorage::new()));
        }
        let (_, disk) = disks.iter().find(|(known, _)| *known == dir).expect("it was put there");
        let name = file.file_name().expect("a file has a name").to_string_lossy();
        disk.set_bytes(&name, std::fs::read(&file).expect("a fixture reads"));
    }
    disks.into_iter().map(|(_, disk)| disk).collect()
}

fn all_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// Every kind of record once, and a few of each.
fn records() -> Vec<Vec<u8>> {
    let mut kinds = std::collections::BTreeMap::<Vec<u8>, u32>::new();
    let mut all = Vec::new();
    for disk in journals() {
        let mut reader = Reader::open_storage(disk, 1).expect("a fixture opens");
        while let Some(record) = reader.next().expect("a fixture reads") {
            // the name of its kind stands behind this
            let mark = b"\"kind\":";
            let at = record.payload.windows(mark.len()).position(|it| it == mark).unwrap_or(0);
            let kind = record.payload[at..].iter().skip(mark.len()).take(14).copied().collect();
            let seen = kinds.entry(kind).or_default();
            *seen += 1;
            if *seen <= 3 {
                all.push(record.payload.to_vec());
            }
        }
    }
    all
}

pub(super) const RECORDS: Target = Target {
    name: "records",
    about: "records of the journal: what was read is written and read the same; what was not is of a newer program, or has a code",
    seeds: |_| records(),
    make: || -> Feed {
        let state = State::default();
        Box::new(move |record| match decode(record) {
            Ok(event) => {
                let written = encode(&event, &state);
                let again = decode(&written);
                assert_eq!(again.ok().as_ref(), Some(&event), "{}", String::from_utf8_lossy(&written));
                way(std::mem::discriminant(&event.kind))
            }
            Err(error @ CodecError::Newer { .. }) => refused(&error),
            Err(error) => way((refused(&error), error.to_string().len() / 8)),
        })
    },
};

/// A journal of forty records with a snapshot, in several segments, and what its records are.
fn written() -> (SimStorage, Vec<Vec<u8>>) {
    let disk = SimStorage::new();
    let (mut journal, _) = Journal::open_storage(disk.clone(), SMALL).expect("an empty disk opens");
    let payload = |at: usize| format!("{{\"record\":{at},\"{}\":0}}", "x".repeat(at * 37 % 211)).into_bytes();
    let records: Vec<Vec<u8>> = (0..40).map(payload).collect();
    for (at, record) in records.iter().enumerate() {
        journal.append(record).expect("there is room");
        if at % 3 == 0 {
            journal.sync().expect("the disk works");
        }
    }
    journal.sync().expect("the disk works");
    journal.write_snapshot(15, b"the state after fifteen").expect("there is room");
    drop(journal);
    (disk, records)
}

pub(super) const SEGMENTS: Target = Target {
    name: "segments",
    about: "a file of the journal by its number, then its bytes: what opens holds a beginning of what was written, and nothing else",
    seeds: |_| {
        let (disk, _) = written();
        let names = disk.list().expect("the disk works").into_iter().filter(|name| is_log(name));
        names.enumerate().map(|(at, name)| file(at, &disk.bytes(&name).unwrap_or_default())).collect()
    },
    make: || -> Feed {
        let (disk, records) = written();
        let names: Vec<String> = disk.list().expect("the disk works").into_iter().filter(|name| is_log(name)).collect();
        Box::new(move |bytes| {
            let Some((which, content)) = bytes.split_first() else { return 0 };
            let spoilt = disk.copy();
            spoilt.set_bytes(&names[usize::from(*which) % names.len()], content.to_vec());
            opened(&spoilt, &records)
        })
    },
};

fn is_log(name: &str) -> bool {
    name.ends_with(".seg") || name.ends_with(".snap")
}

fn file(at: usize, bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(at).unwrap_or(0)], bytes].concat()
}

fn opened(disk: &SimStorage, records: &[Vec<u8>]) -> u64 {
    let looked = verify_storage(disk);
    let (journal, recovery) = match Journal::open_storage(disk.clone(), SMALL) {
        Ok(opened) => opened,
        Err(error) => return coded(error.code(), error.hint()),
    };
    drop(journal);
    let mut reader = match Reader::open_storage(disk.clone(), 1) {
        Ok(reader) => reader,
        Err(error) => return coded(error.code(), error.hint()),
    };
    let mut read = 0;
    loop {
        match reader.next() {
            Ok(None) => break,
            Ok(Some(record)) => {
                let place = usize::try_from(record.seq).expect("few records") - 1;
                assert_eq!(records.get(place).map(Vec::as_slice), Some(record.payload), "record {}", record.seq);
                read += 1;
            }
            Err(error) => return way((read, coded(error.code(), error.hint()))),
        }
    }
    if looked.is_ok_and(|report| report.is_sound() && report.last_seq == 40) {
        assert!(recovery.cut.is_none() && read == 40, "sound, and {read} records after a cut: {:?}", recovery.cut);
    }
    way((read, recovery.cut.map(|cut| (cut.acknowledged, cut.truncated)), recovery.bad_snapshots.len()))
}

pub(super) const SNAPSHOTS: Target = Target {
    name: "snapshots",
    about: "states of snapshots: what was read is written and read the same",
    seeds: |_| {
        let states = journals().into_iter().filter_map(|disk| Some(latest_snapshot_storage(&disk).ok()??.bytes));
        let mut all: Vec<Vec<u8>> = states.filter(|it| it.len() < 1 << 16).collect();
        all.push(serde_json::to_vec(&State::default()).expect("a state has text keys"));
        all.push(serde_json::to_vec(&folded()).expect("a state has text keys"));
        all
    },
    make: || -> Feed {
        Box::new(|bytes| match serde_json::from_slice::<State>(bytes) {
            Ok(state) => {
                let written = serde_json::to_string(&state).expect("a state has text keys");
                let again = serde_json::from_str::<State>(&written).map(|it| serde_json::to_string(&it).ok());
                assert_eq!(again.ok().flatten().as_ref(), Some(&written));
                way((state.portfolios.len(), state.listings.len(), state.open.len()))
            }
            Err(error) => {
                let said = error.to_string();
                way(said.split(" at line").next().map(|it| it.chars().take(40).collect::<String>()))
            }
        })
    },
};

/// What a journal of an earlier release leads to.
fn folded() -> State {
    let mut state = State::default();
    if let Some(disk) = journals().into_iter().next() {
        let mut reader = Reader::open_storage(disk, 1).expect("a fixture opens");
        while let Some(record) = reader.next().expect("a fixture reads") {
            tradewind_engine::apply(&mut state, &decode(record.payload).expect("a fixture's record reads"));
        }
    }
    state
}

/// Ten records, three checkpoints over them, and a removal.
fn trail() -> (Vec<Vec<u8>>, Vec<Checkpoint>, Removal) {
    let payloads: Vec<Vec<u8>> = (1..=10_u8).map(|at| vec![at; 20]).collect();
    let mut notary = Notary::new(key(), None, 1);
    let mut checkpoints = Vec::new();
    for (at, payload) in (1..).zip(&payloads) {
        let now = Timestamp::from_millis(1_000 * i64::try_from(at).unwrap_or(0));
        notary.note(at, payload, now);
        if at % 4 == 0 || at == 10 {
            checkpoints.extend(notary.sign(now));
        }
    }
    let by = Name::new("anna").expect("a name");
    let removal = Removal::sign(&key(), (1, 4), by, Timestamp::from_millis(20_000), &checkpoints[1], None);
    (payloads, checkpoints, removal)
}

fn key() -> Key {
    Key::from_seed(&[7; 32])
}

pub(super) const AUDIT: Target = Target {
    name: "audit",
    about: "lines of checkpoints and removals beside ten records: only what was signed verifies",
    seeds: |_| {
        let (_, checkpoints, removal) = trail();
        let lines: Vec<String> = checkpoints.iter().map(Checkpoint::line).chain([removal.line()]).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let whole = lines.join("\n");
        let mut all = owned(&lines);
        all.push(whole.into_bytes());
        all
    },
    make: || -> Feed {
        let (payloads, signed, _) = trail();
        Box::new(move |bytes| audited(&String::from_utf8_lossy(bytes), &payloads, &signed))
    },
};

fn audited(text: &str, payloads: &[Vec<u8>], signed: &[Checkpoint]) -> u64 {
    let checkpoints: Vec<Checkpoint> = text.lines().filter_map(|line| Checkpoint::parse(line).ok()).collect();
    let removals: Vec<Removal> = text.lines().filter_map(|line| Removal::parse(line).ok()).collect();
    for line in checkpoints.iter().map(Checkpoint::line) {
        assert_eq!(Checkpoint::parse(&line).map(|it| it.line()), Ok(line.clone()), "{line}");
    }
    let public = key().public();
    let records = || (1..).zip(payloads.iter().map(Vec::as_slice));
    let verified = verify(records(), &checkpoints, &public, None);
    if verified.is_ok() {
        assert!(checkpoints.iter().all(|it| signed.contains(it)), "what nobody signed verifies: {text}");
    }
    let gone = check_removals(&removals, &checkpoints, &public, 5);
    if let Some(last) = checkpoints.last() {
        let mut notary = Notary::new(key(), Some(last), 1);
        notary.note(notary.next(), b"another", Timestamp::from_millis(0));
    }
    let flaw = |fault: &tradewind_governance::audit::Fault| (fault.flaw as u8, fault.record.min(12));
    way((checkpoints.len(), removals.len(), verified.as_ref().err().map(flaw), gone.as_ref().err().map(flaw)))
}
