//! Opening for writing: finds the end of the log, cuts a torn tail, refuses damage.

use serde::Serialize;
use std::io::ErrorKind;

use crate::cursor::Cursor;
use crate::error::{Damage, Doing, Flaw, OpenError, ReadError, StorageFault};
use crate::failpoint::failpoint;
use crate::format::{
    CHAIN_FRAME_BYTES, Chain, GENESIS, Kind, SEGMENT_HEADER_BYTES, SPARE, SegmentHeader, push_frame, segment_name,
};
use crate::journal::{Active, Options, publish, segment_bytes_for, stamp};
use crate::segments::{self, Walk, holding};
use crate::snapshot::{SnapshotHead, covering, load_heads, write_whole};
use crate::storage::{Locking, Storage, StorageFile, read_all};
use crate::tail::{CUT_MAX, Tail};

/// The file that remembers damage to synced records until the journal's owner has recorded it ([`Journal::damage_recorded`]):
/// mending takes its traces away, and a process may end right after.
///
/// [`Journal::damage_recorded`]: crate::Journal::damage_recorded
const DAMAGED: &str = "DAMAGED";

/// What opening found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// The last record of the log, 0 if there is none.
    pub last_seq: u64,
    /// Records that were read and checked: all since the latest snapshot, and its segment.
    pub checked: u64,
    /// What was cut off, if anything.
    pub cut: Option<Cut>,
    /// Snapshots that are not used: they were ahead of the log, and were renamed to `*.ahead`.
    pub set_aside: Vec<String>,
    /// Segments behind the one that was cut: what they held came after a record that is lost. Renamed to `*.torn`.
    pub segments_set_aside: Vec<String>,
    /// Snapshots that do not read. Those that the log reaches were renamed to `*.bad`; a later one stays.
    pub bad_snapshots: Vec<Damage>,
    /// What was damaged although it had been synced, in words: now, or at an opening before this one whose owner has not
    /// recorded it.
    pub damaged: Option<String>,
}

/// The end of a log whose last write was torn, or was damaged since.
///
/// `bytes` is 0 where the rest of a sync group never arrived. Zeros from the very end of a sync group on look like a log
/// that ended there: then only a snapshot, or a chain value kept elsewhere, knows of more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// The segment that ended in it.
    pub segment: String,
    /// Where it began, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Records known to have been in it, and in the segments after it: those that still read, and broken ones before them.
    pub records: u64,
    /// A record in it is known to have been synced before: this was no crash but damage. Reconcile before trading. Also
    /// where damage found earlier is not recorded yet: this may be what an opening that ended too soon left of it.
    pub acknowledged: bool,
    /// The segment was shorter than it was made.
    pub truncated: bool,
    /// The file in the journal's directory that now holds the bytes; `None` if there were none.
    pub kept_in: Option<String>,
}

/// A journal ready to be written.
pub(crate) struct Recovered<S: Storage> {
    pub(crate) lock: S::Lock,
    pub(crate) segment: Active<S::File>,
    pub(crate) chain: Chain,
    pub(crate) report: Recovery,
}

pub(crate) fn recover<S: Storage>(storage: &S, options: Options) -> Result<Recovered<S>, OpenError> {
    storage.create_dir().doing("create", "the journal's directory")?;
    let lock = match storage.lock().doing("lock", "the journal's directory")? {
        Locking::Ours(lock) => lock,
        Locking::Held(holder) => return Err(OpenError::Locked { holder }),
    };
    failpoint("journal.recover.begun");
    let segments = segments::list(storage)?;
    let (heads, bad_snapshots) = load_heads(storage)?;
    let mut report = Recovery { bad_snapshots, ..Recovery::default() };
    let (segment, chain) = match (segments.is_empty(), heads.last()) {
        (true, None) => begin(storage, options)?,
        (true, Some(head)) => return Err(ReadError::Missing { from: 1, to: head.synced_seq }.into()),
        (false, _) => resume(storage, &segments, &heads, &mut report)?,
    };
    set_bad_aside(storage, &report)?;
    report.damaged = remembered(storage)?;
    Ok(Recovered { lock, segment, chain, report })
}

/// Makes the first segment of a new journal.
fn begin<S: Storage>(storage: &S, options: Options) -> Result<(Active<S::File>, Chain), OpenError> {
    remove_leftovers(storage)?;
    let capacity = options.first_segment_bytes.min(options.segment_bytes).max(segment_bytes_for(0));
    let file = storage.create(SPARE, capacity).doing("create", SPARE)?;
    let segment = stamp(file, SegmentHeader { first_seq: 1, capacity, chain: GENESIS })?;
    publish(storage, &segment.name)?;
    Ok((segment, GENESIS))
}

/// Checks the log since the latest snapshot and mends its end. Changes nothing before all checks have passed.
fn resume<S: Storage>(
    storage: &S,
    segments: &[u64],
    heads: &[SnapshotHead],
    report: &mut Recovery,
) -> Result<(Active<S::File>, Chain), OpenError> {
    // from the record before the snapshot's on: damage to either of the last two is met
    let from = covering(heads, segments[0])?.map_or(0, |head| holding(segments, head.seq.saturating_sub(1)));
    let End { mut walk, cursor, tail, later, records } = walk_to_end(storage, &segments[from..], heads)?;
    if later.is_empty() && !tail.is_clean() && !tail.may_be_cut() {
        return Err(ReadError::Damaged(cursor.damage(Flaw::Record)).into());
    }
    let last_seq = tail.next_seq - 1;
    let ahead = snapshots_ahead(heads, segments[0], &cursor, &tail)?;
    if tail.is_open() {
        walk.end_group()?; // before snapshots are judged: one may have been taken where the broken chain frame stood
    }
    if let Some(damage) = walk.unmet_snapshot() {
        return Err(ReadError::Damaged(damage).into());
    }

    failpoint("journal.recover.checked");
    remove_leftovers(storage)?;
    let aside = names_aside(storage, later)?;
    let truncated = later.is_empty() && tail.file_bytes < cursor.header.capacity;
    if !tail.is_clean() || tail.is_open() || truncated || !later.is_empty() || !ahead.is_empty() {
        let before = remembered(storage)?;
        let is_damage = tail.was_acknowledged() || (!later.is_empty() && records > 0) || !ahead.is_empty();
        let cut = Cut {
            segment: cursor.name.clone(),
            offset: tail.offset,
            bytes: tail.stray().len() as u64,
            records,
            acknowledged: is_damage || before.is_some(),
            truncated,
            kept_in: keep_stray(storage, &cursor.name, &tail)?,
        };
        if is_damage {
            remember(storage, &cut, &aside, before)?; // before anything is mended
        }
        report.cut = Some(cut);
    }
    set_segments_aside(storage, &aside)?;
    report.segments_set_aside = aside.into_iter().map(|(_, torn)| torn).collect();
    for name in ahead {
        storage.rename(&name, &format!("{name}.ahead")).doing("rename", &name)?;
        report.set_aside.push(name);
    }
    let written = mend(&cursor, &tail, walk.chain)?;
    failpoint("journal.recover.mended");
    storage.sync_dir().doing("sync", "the journal's directory")?;
    report.last_seq = last_seq;
    report.checked = last_seq + 1 - segments[from];
    let capacity = cursor.header.capacity;
    Ok((Active { salt: cursor.place().salt, file: cursor.file, name: cursor.name, written, capacity }, walk.chain))
}

/// Adds to what is remembered already: an opening before this one may have ended while it mended the same damage.
fn remember<S: Storage>(
    storage: &S,
    cut: &Cut,
    aside: &[(String, String)],
    before: Option<String>,
) -> Result<(), StorageFault> {
    let Cut { segment, offset, bytes, .. } = cut;
    let place = match bytes {
        0 => format!("{segment} ends at offset {offset}"),
        _ => format!("{bytes} bytes of {segment} from offset {offset}"),
    };
    let later: String = aside.iter().rev().map(|(_, torn)| format!(", and what followed, in {torn}")).collect();
    let now = format!("synced records of the journal were damaged: {place}{later}");
    let words = match before {
        Some(before) if before.contains(&now) => return Ok(()),
        Some(before) => format!("{before}; {now}"),
        None => now,
    };
    write_whole(storage, DAMAGED, words.as_bytes())
}

fn remembered<S: Storage>(storage: &S) -> Result<Option<String>, StorageFault> {
    match storage.open(DAMAGED, false) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        file => {
            let words = file.and_then(|file| read_all(&file)).doing("read", DAMAGED)?;
            Ok(Some(String::from_utf8_lossy(&words).into_owned()))
        }
    }
}

/// Forgets damage to synced records: somebody else remembers it from here on.
pub(crate) fn forget<S: Storage>(storage: &S) -> Result<(), StorageFault> {
    match storage.remove(DAMAGED) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => {
            removed.doing("remove", DAMAGED)?;
            storage.sync_dir().doing("sync", "the journal's directory")
        }
    }
}

/// Where the log ends.
struct End<'a, F> {
    walk: Walk,
    cursor: Cursor<F>,
    tail: Tail,
    /// Segments that go with what is cut off: the damage lies before them, and within the last two records.
    later: &'a [u64],
    /// Records known to be lost.
    records: u64,
}

/// Walks through all segments; before the last one, only what leaves out two records at most, or breaks the chain frame
/// behind the last one, may be no end of a segment.
fn walk_to_end<'a, S: Storage>(
    storage: &S,
    segments: &'a [u64],
    heads: &[SnapshotHead],
) -> Result<End<'a, S::File>, ReadError> {
    let mut cursor = Cursor::open(storage, segments[0], true)?;
    let mut walk = Walk::new(segments[0], cursor.header.chain, heads);
    let mut tail = walk.through::<S>(&mut cursor)?;
    for (at, &next) in segments.iter().enumerate().skip(1) {
        if !tail.ends_before(next) {
            let later = &segments[at..];
            let lacks = tail.is_open() || tail.next_seq < next; // else nothing is lost: the segments behind are sound
            if lacks && let Some(records) = lost_with(storage, &tail, later)? {
                return Ok(End { walk, cursor, tail, later, records });
            }
            if !tail.is_clean() || tail.is_open() {
                return Err(ReadError::Damaged(cursor.damage(Flaw::Record)));
            }
        }
        cursor = Cursor::open(storage, next, true)?;
        tail = walk.through::<S>(&mut cursor)?;
    }
    let records = tail.records();
    Ok(End { walk, cursor, tail, later: &[], records })
}

/// How many records are lost if a log ends in `tail` although it went on in the segments `later`; `None` if those are more
/// than may be cut off.
fn lost_with<S: Storage>(storage: &S, tail: &Tail, later: &[u64]) -> Result<Option<u64>, ReadError> {
    let (first, last) = (later[0], later[later.len() - 1]);
    if first < tail.next_seq || last - tail.next_seq > CUT_MAX {
        return Ok(None);
    }
    let mut cursor = Cursor::open(storage, last, false)?;
    let end = Walk::new(last, cursor.header.chain, &[]).through::<S>(&mut cursor)?;
    let records = (end.next_seq + end.records()).max(tail.next_seq + tail.records()) - tail.next_seq;
    Ok((records <= CUT_MAX).then_some(records))
}

/// Names of the snapshots that know of synced records the log no longer has: of two at most, or the log is refused.
fn snapshots_ahead<F: StorageFile>(
    heads: &[SnapshotHead],
    oldest: u64,
    cursor: &Cursor<F>,
    tail: &Tail,
) -> Result<Vec<String>, ReadError> {
    let last_seq = tail.next_seq - 1;
    let synced = heads.iter().map(|head| head.synced_seq).max().unwrap_or(0);
    let missing = ReadError::Missing { from: last_seq + 1, to: synced };
    if synced > last_seq + CUT_MAX {
        return Err(missing);
    }
    let (sound, ahead): (Vec<_>, Vec<_>) = heads.iter().cloned().partition(|head| head.synced_seq <= last_seq);
    match covering(&sound, oldest) {
        Ok(_) => Ok(ahead.iter().map(SnapshotHead::name).collect()),
        // no state is left from which what remains of the log goes on
        Err(_) if tail.is_clean() => Err(missing),
        Err(_) => Err(ReadError::Damaged(cursor.damage(Flaw::Record))),
    }
}

/// The segments `later`, the last one first, each with the name under which it is set aside.
fn names_aside<S: Storage>(storage: &S, later: &[u64]) -> Result<Vec<(String, String)>, StorageFault> {
    let named = |&first: &u64| {
        let name = segment_name(first);
        torn_name(storage, &name, 0).map(|torn| (name, torn))
    };
    later.iter().rev().map(named).collect()
}

/// Renames whole segments, durably before anything is mended: behind a mended end they would be a log with a gap.
fn set_segments_aside<S: Storage>(storage: &S, aside: &[(String, String)]) -> Result<(), StorageFault> {
    for (name, torn) in aside {
        storage.rename(name, torn).doing("rename", name)?;
    }
    if !aside.is_empty() {
        storage.sync_dir().doing("sync", "the journal's directory")?;
    }
    Ok(())
}

/// Renames the snapshots that do not read, where the log stands for them: kept in place they would read as damage for ever.
fn set_bad_aside<S: Storage>(storage: &S, report: &Recovery) -> Result<(), StorageFault> {
    let covered = |bad: &&Damage| bad.seq <= report.last_seq;
    let mut any = false;
    for Damage { segment: name, .. } in report.bad_snapshots.iter().filter(covered) {
        storage.rename(name, &format!("{name}.bad")).doing("rename", name)?;
        any = true;
    }
    if any {
        storage.sync_dir().doing("sync", "the journal's directory")?;
    }
    Ok(())
}

fn remove_leftovers<S: Storage>(storage: &S) -> Result<(), StorageFault> {
    for name in storage.list().doing("list", "the journal's directory")? {
        if name == SPARE || name.ends_with(".tmp") {
            storage.remove(&name).doing("remove", &name)?;
        }
    }
    Ok(())
}

/// Saves the bytes that are about to be cut, under a name that no earlier recovery used.
fn keep_stray<S: Storage>(storage: &S, segment: &str, tail: &Tail) -> Result<Option<String>, StorageFault> {
    if tail.is_clean() {
        return Ok(None);
    }
    let name = torn_name(storage, segment, tail.offset)?;
    write_whole(storage, &name, tail.stray())?;
    Ok(Some(name))
}

/// A name for what a segment held from `offset` on.
fn torn_name<S: Storage>(storage: &S, segment: &str, offset: u64) -> Result<String, StorageFault> {
    let taken = storage.list().doing("list", "the journal's directory")?;
    let stem = format!("{}.{offset}", segment.trim_end_matches(".seg"));
    let names = (0..=taken.len()).map(|n| if n == 0 { format!("{stem}.torn") } else { format!("{stem}-{n}.torn") });
    Ok(names.into_iter().find(|name| !taken.contains(name)).expect("more names than files"))
}

/// Closes an open group, zeroes what was cut, restores the length; gives the end of the frames.
fn mend<F: StorageFile>(cursor: &Cursor<F>, tail: &Tail, chain: Chain) -> Result<u64, StorageFault> {
    let mut bytes = Vec::new();
    if tail.is_open() {
        let last_seq = tail.next_seq - 1;
        let covers = u32::try_from(last_seq - tail.closed_seq).expect("a group holds at most 1 MiB");
        push_frame(&mut bytes, cursor.place().salt, Kind::Chain, last_seq, covers, &chain);
        debug_assert_eq!(bytes.len(), CHAIN_FRAME_BYTES);
    }
    let written = tail.offset + bytes.len() as u64;
    bytes.resize(bytes.len().max(tail.stray().len()), 0);
    let end = tail.file_bytes.max(tail.offset + bytes.len() as u64);
    if !bytes.is_empty() {
        cursor.file.write_at(&bytes, tail.offset).doing("write", &cursor.name)?;
    }
    if end < cursor.header.capacity {
        extend(cursor, end)?;
    }
    if !bytes.is_empty() || end < cursor.header.capacity {
        cursor.file.sync().doing("sync", &cursor.name)?;
    }
    debug_assert!(written >= SEGMENT_HEADER_BYTES as u64);
    Ok(written)
}

/// Writes zeros from `end` up to the length that the segment was made with.
fn extend<F: StorageFile>(cursor: &Cursor<F>, mut end: u64) -> Result<(), StorageFault> {
    let zeros = vec![0; 1 << 20];
    while end < cursor.header.capacity {
        let step = (cursor.header.capacity - end).min(zeros.len() as u64);
        let chunk = &zeros[..usize::try_from(step).expect("at most 1 MiB")];
        cursor.file.write_at(chunk, end).doing("write", &cursor.name)?;
        end += step;
    }
    Ok(())
}
