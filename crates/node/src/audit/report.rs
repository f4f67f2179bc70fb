//! What is signed, held against what is there.

use super::files::{failed, read_checkpoints, read_removals, unfinished};
use crate::data_dir::DataDir;
use crate::error::{NodeError, hint_of};
use serde::Serialize;
use std::path::Path;
use tradewind_domain::{Sequence, Source};
use tradewind_engine::{EventKind, decode};
use tradewind_governance::Act;
use tradewind_governance::audit::{Checkpoint, Fault, PublicKey, Verified, Verifier, check_removals};
use tradewind_journal::{Reader, verify};

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
    let layout = DataDir::new(data_dir);
    let dir = layout.journal();
    let report = verify(&dir)?;
    if let Some(damage) = &report.first_bad {
        return Ok(AuditReport::bad(damage.seq, damage.to_string()));
    }
    let path = layout.checkpoints();
    let checkpoints = read_checkpoints(&path)?;
    let anchor_path = anchor;
    let anchor = match anchor {
        Some(path) => read_checkpoints(path)?.pop(),
        None => None,
    };
    if let (Some(path), None) = (anchor_path, &anchor) {
        return Err(NodeError::Audit { path: path.to_owned(), reason: "it holds no checkpoint".to_owned() });
    }
    let public = layout.audit_public_key();
    let text = match (key, key_on_record(&dir, report.first_seq)?) {
        (Some(key), _) => key.to_owned(),
        (None, Some(recorded)) if !public.exists() => recorded, // whoever took the signatures left the journal's word
        (None, None) if checkpoints.is_empty() && !public.exists() => return Ok(unsigned(&report)),
        (None, _) => std::fs::read_to_string(&public).map_err(|error| failed(&public, error))?,
    };
    let unfit = || NodeError::Audit { path: public.clone(), reason: "it is no public key of 64 hex digits".to_owned() };
    let key = PublicKey::parse(&text).ok_or_else(unfit)?;
    let removals = read_removals(&layout.removals())?;
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
