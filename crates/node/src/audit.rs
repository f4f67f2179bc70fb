//! The audit trail of a data directory: who signs it, how it is verified, and how it is exported.
//!
//! A thread of its own follows the journal's synced records and signs a checkpoint every 1,000 records or 60 seconds;
//! the order path neither waits for it nor knows of it. Copy `audit/checkpoints.jsonl` elsewhere now and then: only
//! such a copy tells a journal that was replaced whole by an older one from an honest one.

use crate::clock::wall;
use crate::error::{NodeError, hint_of};
use crate::health::{Component, Health};
use crate::recover::{events, journal_dir};
use crate::set_aside::rename_if_there;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tradewind_domain::{ClientOrderId, InstrumentId, Sequence, Source, Timestamp};
use tradewind_engine::algo::{ParentEvent, ParentId};
use tradewind_engine::{Event, EventKind, Spoken, Verdict, decode};
use tradewind_governance::audit::{
    Checkpoint, CheckpointError, Fault, Key, Link, Notary, PublicKey, Removal, Step, Verified, Verifier, chains,
    check_removals,
};
use tradewind_governance::{Act, Name};
use tradewind_journal::{DiskStorage, Journal, ReadError, Reader, Retained, verify};

/// How often the notary looks at the journal.
const LOOK_EVERY: Duration = Duration::from_millis(500);

fn audit_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("audit")
}

fn checkpoints_path(data_dir: &Path) -> PathBuf {
    audit_dir(data_dir).join("checkpoints.jsonl")
}

fn removals_path(data_dir: &Path) -> PathBuf {
    audit_dir(data_dir).join("removals.jsonl")
}

/// Moves what vouches for the journal of `data_dir` to `target`. The key stays; its public half is published again with
/// the first signature.
pub(crate) fn move_trail(data_dir: &Path, target: &Path) -> std::io::Result<()> {
    let (from, to) = (audit_dir(data_dir), audit_dir(target));
    std::fs::create_dir_all(&to)?;
    rename_if_there(&from.join("key.pub"), &to.join("key.pub"))?;
    rename_if_there(&removals_path(data_dir), &removals_path(target))?;
    rename_if_there(&checkpoints_path(data_dir), &checkpoints_path(target))
}

fn failed(path: &Path, source: std::io::Error) -> NodeError {
    NodeError::Audit { path: path.to_owned(), reason: source.to_string() }
}

/// Reads the signing key, or makes one that only its owner can read. `given` is the path of the settings, if any.
fn key(data_dir: &Path, given: &Path) -> Result<Key, NodeError> {
    let dir = audit_dir(data_dir);
    std::fs::create_dir_all(&dir).map_err(|error| failed(&dir, error))?;
    let path = if given.as_os_str().is_empty() { dir.join("key") } else { given.to_owned() };
    let mut seed = [0; 32];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            getrandom::fill(&mut seed).map_err(|error| NodeError::Random(error.to_string()))?;
            let written = file.write_all(hex::encode(seed).as_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| failed(&path, error))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return read_key(&path);
        }
        Err(error) => return Err(failed(&path, error)),
    }
    Ok(Key::from_seed(&seed))
}

/// Reads a signing key that only its owner can read.
fn read_key(path: &Path) -> Result<Key, NodeError> {
    let mut seed = [0; 32];
    check_private(path)?;
    let text = std::fs::read_to_string(path).map_err(|error| failed(path, error))?;
    let unfit = |_| NodeError::Audit { path: path.to_owned(), reason: "it is not 64 hex digits".to_owned() };
    hex::decode_to_slice(text.trim(), &mut seed).map_err(unfit)?;
    Ok(Key::from_seed(&seed))
}

/// Leaves the public key beside the checkpoints, whole or not at all. Where it lies, something was signed.
fn publish(dir: &Path, key: &PublicKey) -> Result<(), NodeError> {
    let (public, text) = (dir.join("key.pub"), format!("{key}\n"));
    if std::fs::read_to_string(&public).is_ok_and(|known| known == text) {
        return Ok(()); // a full disk would leave an empty file in its place
    }
    let fresh = dir.join("key.pub.new");
    let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, &public));
    written.map_err(|error| failed(&public, error))
}

/// A key that others can read signs nothing.
fn check_private(path: &Path) -> Result<(), NodeError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|error| failed(path, error))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(NodeError::Audit {
        path: path.to_owned(),
        reason: format!("its mode is {:o}: others can read it", mode & 0o777),
    })
}

/// The checkpoints of a data directory, oldest first. A last line without its end was being written when the process
/// died, and is no checkpoint yet.
fn read_checkpoints(path: &Path) -> Result<Vec<Checkpoint>, NodeError> {
    read_lines(path, Checkpoint::parse)
}

/// The removals of a data directory, oldest first.
fn read_removals(path: &Path) -> Result<Vec<Removal>, NodeError> {
    read_lines(path, Removal::parse)
}

fn read_lines<T>(path: &Path, parse: impl Fn(&str) -> Result<T, CheckpointError>) -> Result<Vec<T>, NodeError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(path, error)),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(place, line): (usize, &str)| {
        parse(line)
            .map_err(|error| NodeError::Audit { path: path.to_owned(), reason: format!("line {}: {error}", place + 1) })
    };
    whole.lines().enumerate().map(parse).collect()
}

/// Who signs a journal, and whether anything is signed by now: from then on the journal says so itself.
#[derive(Clone, Debug)]
pub(crate) struct Signs {
    /// The public key, in hex.
    pub(crate) key: String,
    pub(crate) has_signed: Arc<AtomicBool>,
}

/// Follows the journal and signs it, until it is dropped: then it signs what is left and ends.
pub(crate) struct Auditor {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    signs: Signs,
}

impl Drop for Auditor {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a notary that failed has said so in the log
        }
    }
}

impl Auditor {
    /// Starts the notary's thread behind the last checkpoint. `synced` is the last durable record.
    ///
    /// Gives back, beside it, why trading must not begin: the checkpoints know of records that the journal has not.
    pub(crate) fn start(
        data_dir: &Path,
        key_path: &Path,
        last: Sequence,
        synced: Arc<AtomicU64>,
        health: &Health,
    ) -> Result<(Self, Option<String>), NodeError> {
        let key = key(data_dir, key_path)?;
        let path = checkpoints_path(data_dir);
        cut_unfinished(&path)?;
        let mut checkpoints = read_checkpoints(&path)?;
        let mut alarm = None;
        if let Some(ahead) = checkpoints.last().filter(|it| it.to > last) {
            alarm =
                Some(format!("the journal ends at record {last}, its checkpoints at {}: it was rolled back", ahead.to));
            let aside = audit_dir(data_dir).join(format!("checkpoints.{}.ahead", ahead.to));
            std::fs::rename(&path, &aside).map_err(|error| failed(&aside, error))?;
            checkpoints.clear(); // they vouch for another history: this one is signed anew
        }
        let dir = journal_dir(data_dir);
        let first = match Reader::open(&dir, 1) {
            Err(ReadError::Removed { oldest, .. }) => oldest,
            _ => 1,
        };
        let public = key.public();
        let has_signed = Arc::new(AtomicBool::new(!checkpoints.is_empty()));
        let signs = Signs { key: public.to_string(), has_signed: has_signed.clone() };
        let notary = Notary::new(key, checkpoints.last(), first);
        let (end, ended) = channel();
        let running = health.started(Component::Audit);
        let health = health.clone();
        let mut follow = Follow { notary, dir, path, synced, public: Some(public), has_signed, health };
        follow.publish();
        let thread = std::thread::Builder::new()
            .name("notary".to_owned())
            .spawn(move || {
                let _running = running;
                follow.run(&ended);
            })
            .map_err(NodeError::Thread)?;
        Ok((Self { end: Some(end), thread: Some(thread), signs }, alarm))
    }

    pub(crate) fn signs(&self) -> Signs {
        self.signs.clone()
    }
}

fn cut_unfinished(path: &Path) -> Result<(), NodeError> {
    let Ok(text) = std::fs::read(path) else { return Ok(()) };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole == text.len() {
        return Ok(());
    }
    let cut = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(whole as u64));
    cut.map_err(|error| failed(path, error))
}

struct Follow {
    notary: Notary,
    dir: PathBuf,
    path: PathBuf,
    synced: Arc<AtomicU64>,
    /// The public key, until it lies beside the checkpoints.
    public: Option<PublicKey>,
    /// Whether the directory holds a checkpoint: the first is signed as soon as there is anything to sign.
    has_signed: Arc<AtomicBool>,
    health: Health,
}

impl Follow {
    fn run(mut self, ended: &Receiver<()>) {
        loop {
            let over = !matches!(ended.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout));
            if let Err(error) = self.look(over) {
                tracing::error!(%error, "the journal is not signed any more");
                self.health.failed(Component::Audit, format!("the journal is not signed any more: {error}"));
                return;
            }
            self.publish();
            if over {
                return;
            }
        }
    }

    fn look(&mut self, over: bool) -> Result<(), NodeError> {
        let synced = self.synced.load(Ordering::SeqCst);
        if self.notary.next() <= synced {
            let mut reader = Reader::open(&self.dir, self.notary.next())?;
            while self.notary.next() <= synced {
                let Some(record) = reader.next()? else { break };
                self.notary.note(record.seq, record.payload, wall());
                if self.notary.is_due(wall()) {
                    self.sign()?;
                }
            }
        }
        if over || !self.has_signed.load(Ordering::SeqCst) || self.notary.is_due(wall()) { self.sign() } else { Ok(()) }
    }

    fn sign(&mut self) -> Result<(), NodeError> {
        let Some(checkpoint) = self.notary.sign(wall()) else { return Ok(()) };
        let line = format!("{}\n", checkpoint.line());
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|error| failed(&self.path, error))?;
        self.has_signed.store(true, Ordering::SeqCst);
        self.health.worked(Component::Audit);
        Ok(())
    }

    /// Publishes the key once something is signed; a disk that is full now may have room later.
    fn publish(&mut self) {
        let signed = |_: &&PublicKey| self.has_signed.load(Ordering::SeqCst);
        let Some((key, dir)) = self.public.as_ref().filter(signed).zip(self.path.parent()) else { return };
        match publish(dir, key) {
            Ok(()) => {
                self.public = None;
                self.health.ok(Component::Audit);
            }
            Err(error) => {
                tracing::warn!(%error, "the public key of the audit trail cannot be written yet");
                self.health.degraded(Component::Audit, format!("its public key cannot be written yet: {error}"));
            }
        }
    }
}

/// What a check of an audit trail found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Whether everything is as it was written and signed.
    pub verified: bool,
    /// The first record that is there; later than 1 after retention.
    pub first: Sequence,
    /// Records read.
    pub records: u64,
    /// What was removed on purpose, by signed statements, oldest first.
    pub removed: Vec<Removed>,
    /// The last record that a signature covers.
    pub signed_to: Sequence,
    /// Checkpoints that hold.
    pub checkpoints: u64,
    /// The first bad record.
    pub first_bad: Option<Sequence>,
    /// What is wrong with it.
    pub flaw: Option<String>,
    /// The code of what is wrong, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
    /// What else was seen, and what it means; no fault by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<&'static str>,
    /// The key that signed, in hex.
    pub key: Option<String>,
}

/// Records that were removed on purpose, as the statement says that was signed before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// First record removed.
    pub from: Sequence,
    /// Last record removed.
    pub to: Sequence,
    /// Who said that they removed them.
    pub by: String,
    /// When.
    pub at: String,
}

impl AuditReport {
    fn bad(record: Sequence, flaw: String) -> Self {
        Self { first_bad: Some(record), flaw: Some(flaw), ..Self::default() }
    }

    /// What nobody signed although somebody should have: everything, or the end of a run that ended in order.
    fn unsigned_from(record: Sequence, found: &Self) -> Self {
        let flaw =
            if found.signed_to == 0 { "Unsigned: not one record is signed" } else { "Unsigned: the end of the run" };
        let (code, key) = ("NODE-50", found.key.clone());
        let bad = Self::bad(record, flaw.to_owned());
        Self { code: Some(code), hint: Some(hint_of(code)), records: found.records, first: found.first, key, ..bad }
    }

    fn of(found: Result<Verified, Fault>, key: &PublicKey) -> Self {
        match found {
            Ok(found) => Self {
                verified: true,
                first: found.first,
                records: found.records,
                signed_to: found.signed_to,
                checkpoints: found.checkpoints,
                key: Some(key.to_string()),
                ..Self::default()
            },
            Err(fault) => Self { key: Some(key.to_string()), ..Self::bad(fault.record, format!("{:?}", fault.flaw)) },
        }
    }
}

/// Verifies a data directory: every byte of the journal, then every record against the signed checkpoints.
///
/// `key` is the public key as 64 hex digits, if it is known from elsewhere; without one that of the directory is
/// believed. `anchor` is a file of checkpoints that was copied elsewhere: its last one must be in this history.
///
/// Where a key, or the journal itself, says that the directory is signed, something must be, and the end of a run that ended in order as well.
///
/// # Errors
/// [`NodeError`] if something cannot be read. What is wrong is no error but part of the report.
pub fn audit(data_dir: &Path, key: Option<&str>, anchor: Option<&Path>) -> Result<AuditReport, NodeError> {
    let dir = journal_dir(data_dir);
    let report = verify(&dir)?;
    if let Some(damage) = &report.first_bad {
        return Ok(AuditReport::bad(damage.seq, damage.to_string()));
    }
    let path = checkpoints_path(data_dir);
    let checkpoints = read_checkpoints(&path)?;
    let anchor_path = anchor;
    let anchor = match anchor {
        Some(path) => read_checkpoints(path)?.pop(),
        None => None,
    };
    if let (Some(path), None) = (anchor_path, &anchor) {
        return Err(NodeError::Audit { path: path.to_owned(), reason: "it holds no checkpoint".to_owned() });
    }
    let public = audit_dir(data_dir).join("key.pub");
    let text = match (key, key_on_record(&dir, report.first_seq)?) {
        (Some(key), _) => key.to_owned(),
        (None, Some(recorded)) if !public.exists() => recorded, // whoever took the signatures left the journal's word
        (None, None) if checkpoints.is_empty() && !public.exists() => return Ok(unsigned(&report)),
        (None, _) => std::fs::read_to_string(&public).map_err(|error| failed(&public, error))?,
    };
    let unfit = || NodeError::Audit { path: public.clone(), reason: "it is no public key of 64 hex digits".to_owned() };
    let key = PublicKey::parse(&text).ok_or_else(unfit)?;
    let removals = read_removals(&removals_path(data_dir))?;
    let found = match check(&dir, &report, &checkpoints, &key, anchor.as_ref())? {
        Ok(found) => check_removals(&removals, &checkpoints, &key, report.first_seq).map(|()| found),
        Err(fault) => Err(fault),
    };
    let removed =
        removals.iter().map(|it| Removed { from: it.from, to: it.to, by: it.by.to_string(), at: it.at.to_string() });
    let removed = if found.is_ok() { removed.collect() } else { Vec::new() };
    let found = AuditReport { removed, finding: unfinished(&path), ..AuditReport::of(found, &key) };
    let last = (report.first_seq + report.records).saturating_sub(1);
    let lacks = found.signed_to < last && (found.signed_to == 0 || ended_in_order(&dir, report.first_seq, last)?);
    if found.verified && lacks {
        let first = report.first_seq.max(found.signed_to + 1);
        return Ok(AuditReport { finding: found.finding, ..AuditReport::unsigned_from(first, &found) });
    }
    Ok(found)
}

/// The key that signs this journal by its own word: the newest one that it names.
fn key_on_record(dir: &Path, first: Sequence) -> Result<Option<String>, NodeError> {
    const WORD: &[u8] = b"\"trail_signed\"";
    let (mut reader, mut found) = (Reader::open(dir, first)?, None);
    while let Some(record) = reader.next()? {
        if !record.payload.windows(WORD.len()).any(|part| part == WORD) {
            continue;
        }
        let event = decode(record.payload).map_err(|source| NodeError::Record { sequence: record.seq, source })?;
        if let (EventKind::Governance(act), Source::Host) = (event.kind, event.source)
            && let Act::TrailSigned { key } = *act
        {
            found = Some(key);
        }
    }
    Ok(found)
}

/// What half a line at the end of the checkpoints means.
fn unfinished(path: &Path) -> Option<&'static str> {
    let text = std::fs::read(path).ok()?;
    let is_whole = text.last().is_none_or(|byte| *byte == b'\n');
    (!is_whole).then_some(
        "the last line of audit/checkpoints.jsonl is cut off and vouches for nothing: the process ended while it wrote \
         it, or somebody cut it",
    )
}

/// Whether the last records of a journal from `first` to `last` are those of a run that ended in order.
fn ended_in_order(dir: &Path, first: Sequence, last: Sequence) -> Result<bool, NodeError> {
    let mut reader = Reader::open(dir, last.saturating_sub(1).max(first))?;
    let mut stopped = false;
    while let Some(record) = reader.next()? {
        let event = decode(record.payload).map_err(|source| NodeError::Record { sequence: record.seq, source })?;
        stopped = match event.kind {
            EventKind::Stopped => true,
            EventKind::StateHash { .. } => stopped,
            _ => false,
        };
    }
    Ok(stopped)
}

/// Removes what lies wholly before the newest snapshot. Where the directory is signed, a statement of what goes and who
/// says so is signed and synced first, so that `audit verify` can tell the removal from theft. Not while a node runs.
///
/// `key_path` is where the signing key is, if it is not in the directory.
///
/// # Errors
/// [`NodeError`] if the journal cannot be opened or thinned out, or the statement cannot be signed: then nothing is
/// removed.
pub fn retain(data_dir: &Path, key_path: Option<&Path>, by: &Name) -> Result<Retained, NodeError> {
    let dir = journal_dir(data_dir);
    let opened = Journal::<DiskStorage>::open(&dir, tradewind_journal::Options::default());
    let (mut journal, _) =
        opened.map_err(|source| NodeError::Journal { dir: dir.clone(), source: Box::new(source) })?;
    let planned = journal.retention().map_err(NodeError::Retain)?;
    let checkpoints = read_checkpoints(&checkpoints_path(data_dir))?;
    if let Some(checkpoint) = checkpoints.last() {
        let first = verify(&dir)?.first_seq;
        if planned.oldest_seq > first {
            let stretch = (first, planned.oldest_seq - 1);
            state_removal(data_dir, key_path, stretch, by, checkpoint)?;
        }
    }
    journal.retain_from_snapshot().map_err(NodeError::Retain)
}

fn state_removal(
    data_dir: &Path,
    key_path: Option<&Path>,
    stretch: (Sequence, Sequence),
    by: &Name,
    checkpoint: &Checkpoint,
) -> Result<(), NodeError> {
    let key_path = key_path.map_or_else(|| audit_dir(data_dir).join("key"), Path::to_owned);
    let key = read_key(&key_path)?;
    if !checkpoint.is_signed_by(&key.public()) {
        let reason = "it is not the key that signs this directory".to_owned();
        return Err(NodeError::Audit { path: key_path, reason });
    }
    let path = removals_path(data_dir);
    cut_unfinished(&path)?;
    let before = read_removals(&path)?;
    let removal = Removal::sign(&key, stretch, by.clone(), wall(), checkpoint, before.last());
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| {
        file.write_all(format!("{}\n", removal.line()).as_bytes())?;
        file.sync_all()?;
        File::open(audit_dir(data_dir))?.sync_all()
    });
    written.map_err(|error| failed(&path, error))
}

/// A journal of before anything was signed: its own chain is all there is.
fn unsigned(report: &tradewind_journal::Report) -> AuditReport {
    AuditReport { verified: true, first: report.first_seq, records: report.records, ..AuditReport::default() }
}

fn check(
    dir: &Path,
    report: &tradewind_journal::Report,
    checkpoints: &[Checkpoint],
    key: &PublicKey,
    anchor: Option<&Checkpoint>,
) -> Result<Result<Verified, Fault>, NodeError> {
    let mut verifier = match Verifier::new(checkpoints, key, anchor) {
        Ok(verifier) => verifier,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut reader = Reader::open(dir, report.first_seq)?;
    while let Some(record) = reader.next()? {
        if let Err(fault) = verifier.record(record.seq, record.payload) {
            return Ok(Err(fault));
        }
    }
    Ok(verifier.finish())
}

/// From every order back to what led to it, and on to what became of it. A decision has no cause on record: it was
/// made on the bar before it, and the proposals of its source follow it.
///
/// # Errors
/// [`NodeError`] if the journal cannot be read.
pub fn audit_chains(data_dir: &Path) -> Result<Vec<Vec<Step>>, NodeError> {
    let mut causes = Causes::default();
    let links: Vec<Link> = events(data_dir)?.filter_map(|event| causes.link(&event)).collect();
    Ok(chains(&links))
}

/// What lately happened, for events whose cause is not on record.
#[derive(Default)]
struct Causes {
    bars: BTreeMap<InstrumentId, Sequence>,
    decisions: BTreeMap<(Source, InstrumentId), (Timestamp, Sequence)>,
    /// Who spoke last, or under which key.
    spoke: Option<Sequence>,
    /// The name of who spoke last.
    speaker: Option<Name>,
    /// Where each parent was opened.
    parents: BTreeMap<ParentId, Sequence>,
}

/// What the event says, and which person says it.
fn text(event: &Event) -> String {
    let Some(by) = event.spoken.as_ref().and_then(|spoken| spoken.by.as_ref()) else {
        return serde_json::to_string(&event.kind).unwrap_or_default();
    };
    let mut said = serde_json::to_value(&event.kind).unwrap_or_default();
    said["by"] = serde_json::json!(by);
    said.to_string()
}

const fn is_child(said: &ParentEvent) -> bool {
    matches!(said, ParentEvent::Child { .. } | ParentEvent::Pair { .. })
}

impl Causes {
    /// The word with which whoever asks for `event` said who it is, or under which key: the last one, where that was of
    /// the person or of a key that the event names, or else the one right before it.
    fn identity(&self, event: &Event) -> Option<Sequence> {
        let is_of = |spoken: &Spoken| match &spoken.by {
            Some(by) => self.speaker.as_ref() == Some(by),
            None => spoken.key.is_some(),
        };
        let is_named = event.spoken.as_deref().is_some_and(is_of);
        self.spoke.filter(|spoke| is_named || spoke + 1 == event.sequence)
    }

    fn link(&mut self, event: &Event) -> Option<Link> {
        let (what, order, cause) = self.kind(event)?;
        // a child came of its parent, whatever the moment was at which it was due; and a person's order of the word
        // right before it, from which who spoke leads back to the decision
        let is_child = matches!(&event.kind, EventKind::Parent(said) if is_child(said));
        let is_persons = event.source == Source::Operator && what == "proposal";
        let cause = if is_child || is_persons { cause.or(event.cause) } else { event.cause.or(cause) };
        let text = text(event);
        let source = serde_json::to_value(event.source).map(|it| it.to_string().replace('"', "")).unwrap_or_default();
        Some(Link { sequence: event.sequence, at: event.at, source, what, cause, order, text })
    }

    fn kind(&mut self, event: &Event) -> Option<(&'static str, Option<ClientOrderId>, Option<Sequence>)> {
        let of = |what, id: ClientOrderId| Some((what, Some(id), None));
        match &event.kind {
            EventKind::BarClosed { bar, .. } => {
                self.bars.insert(bar.instrument, event.sequence);
                Some(("data", None, None))
            }
            EventKind::Decided(decision) => {
                let key = (event.source, decision.instrument);
                self.decisions.insert(key, (event.at, event.sequence));
                Some(("decision", None, self.bars.get(&decision.instrument).copied()))
            }
            EventKind::Proposed(proposal) => {
                let decided = self.decisions.get(&(event.source, proposal.request.instrument));
                let decided = decided.filter(|(at, _)| *at == event.at).map(|(_, sequence)| *sequence);
                Some(("proposal", None, decided.or_else(|| self.identity(event))))
            }
            EventKind::ProposedPair { .. } => Some(("proposal", None, self.identity(event))),
            EventKind::Parent(said) => match &**said {
                ParentEvent::Wished { .. } => Some(("proposal", None, self.identity(event))),
                ParentEvent::Opened { parent, .. } => {
                    self.parents.insert(*parent, event.sequence);
                    Some(("parent", None, None))
                }
                ParentEvent::Child { parent, .. } | ParentEvent::Pair { parent, .. } => {
                    Some(("proposal", None, self.parents.get(parent).copied()))
                }
                ParentEvent::Asked { .. } | ParentEvent::Moved { .. } => None,
            },
            EventKind::Governance(act) => match &**act {
                // a proposal is named after the event that made it
                Act::ApprovalSaid { proposal, .. } | Act::RejectionSaid { proposal, .. } => {
                    Some(("approval", None, Some(*proposal)))
                }
                Act::Speaks { .. } | Act::KeyClaimed { .. } => {
                    if let Act::Speaks { by } = &**act {
                        self.speaker = Some(by.name.clone());
                    }
                    let before = self.spoke.replace(event.sequence);
                    Some(("identity", None, before.filter(|before| before + 1 == event.sequence)))
                }
                Act::DecisionNamed(_) => {
                    self.spoke = Some(event.sequence);
                    Some(("decision", None, None))
                }
                _ => Some(("governance", None, None)),
            },
            EventKind::Judged(Verdict::Approved(order)) => of("verdict", order.client_id()),
            EventKind::Intended(intent) => of("intent", intent.client_id),
            EventKind::Sent { client_id } => of("sent", *client_id),
            EventKind::NotSent { client_id, .. } => of("not-sent", *client_id),
            EventKind::AnswerLost { client_id, .. } => of("answer-lost", *client_id),
            EventKind::Accepted { client_id, .. } => of("accepted", *client_id),
            EventKind::Rejected { client_id, .. } => of("rejected", *client_id),
            EventKind::Filled(fill) => of("fill", fill.client_id),
            EventKind::CancelSent { client_id } => of("cancel-sent", *client_id),
            EventKind::Cancelled { client_id, .. } => of("cancelled", *client_id),
            EventKind::Expired { client_id, .. } => of("expired", *client_id),
            _ => None,
        }
    }
}

/// Whether a directory has an audit trail at all.
#[must_use]
pub fn has_checkpoints(data_dir: &Path) -> bool {
    File::open(checkpoints_path(data_dir)).is_ok()
}
