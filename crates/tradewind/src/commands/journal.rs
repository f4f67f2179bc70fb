//! `tradewind journal` and `tradewind replay`.

mod watched;

use self::watched::Watched;
use crate::cli::{Checking, JournalCommand};
use crate::output::{self, Failure, Format};
use crate::signals::HalfWritten;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tradewind_domain::Coded;
use tradewind_governance::Name;
use tradewind_journal::{Flaw, ReadError, Reader, backup_storage, verify_storage};
use tradewind_node::{DataDir, retain, retain_unsigned};

pub(crate) fn run(command: &JournalCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        JournalCommand::Verify { dir } => verify_dir(dir, format),
        JournalCommand::Show { dir, from, limit } => show(dir, *from, *limit, format),
        JournalCommand::Backup { dir, to } => back_up(dir, to, format),
        JournalCommand::Retain { dir, by, key_file } => thin_out(dir, by, key_file.as_deref(), format),
    }
}

/// The journal of a data directory, or the directory itself if it is one.
pub(super) fn locate(dir: &Path) -> Result<PathBuf, Failure> {
    let inner = DataDir::new(dir).journal();
    let dir = if inner.is_dir() { inner } else { dir.to_owned() };
    if !dir.is_dir() {
        let hint = "name a data directory, such as that of `tradewind demo --data-dir`";
        return Err(Failure::new("CLI-09", format!("{} is not a directory", dir.display()), hint));
    }
    let has_segments = std::fs::read_dir(&dir)
        .map_err(|error| Failure::file(&dir, &error))?
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|extension| extension == "seg"));
    if !has_segments {
        return Err(Failure::new("CLI-09", format!("{} holds no journal", dir.display()), "name a data directory"));
    }
    Ok(dir)
}

/// What a check of a journal found.
#[derive(Serialize)]
pub(crate) struct Verified {
    verified: bool,
    records: u64,
    damage: Option<String>,
    /// What kind of damage; `tail` alone is what a killed process may leave, and the next start sets it aside.
    flaw: Option<Flaw>,
    code: Option<&'static str>,
    /// What to do about it.
    hint: Option<&'static str>,
    chain: Option<String>,
}

/// What to do about a damaged place.
fn hint_of(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Tail => "a killed process may leave this: the next start sets it aside",
        Flaw::Snapshot => {
            "the next start sets a snapshot aside that does not read, and folds the records; if it says JRN-03 or JRN-04, \
             restore a verified backup"
        }
        Flaw::Header | Flaw::Record | Flaw::Chain | Flaw::Truncated => {
            "keep this directory as it is; the next start mends the last records or refuses: then restore a verified backup"
        }
    }
}

/// Checks every byte. What cannot be checked is not verified either: a flipped byte may make a journal look like one
/// of a newer version.
pub(crate) fn check(dir: &Path) -> Verified {
    let progress = output::progress(watched::extent(dir), "MiB of the journal");
    let checked = verify_storage(&Watched::new(dir, &progress));
    progress.finish_and_clear();
    match checked {
        Ok(report) => Verified {
            verified: report.is_sound(),
            records: report.records,
            damage: report.first_bad.as_ref().map(ToString::to_string),
            flaw: report.first_bad.as_ref().map(|damage| damage.flaw),
            code: (!report.is_sound()).then_some("JRN-03"),
            hint: report.first_bad.as_ref().map(|damage| hint_of(damage.flaw)),
            chain: Some(report.chain),
        },
        Err(error) => Verified {
            verified: false,
            records: 0,
            damage: Some(error.to_string()),
            flaw: None,
            code: Some(error.code()),
            hint: Some(error.hint()),
            chain: None,
        },
    }
}

impl Verified {
    pub(crate) const fn is_sound(&self) -> bool {
        self.verified
    }

    /// What is wrong, as the failure of a command that relies on the journal.
    pub(crate) fn fault(&self, command: Checking) -> Option<Failure> {
        let damage = self.damage.as_deref().unwrap_or("it cannot be verified");
        let (code, hint) = (self.code.unwrap_or("JRN-03"), self.hint.unwrap_or_default());
        let fault = || Failure::new(code, format!("the journal is not as it was written: {damage}"), hint);
        (!self.verified).then(|| command.failed(fault()))
    }
}

fn verify_dir(dir: &Path, format: Format) -> Result<ExitCode, Failure> {
    let verified = check(&locate(dir)?);
    output::print(format, &verified, || match &verified.damage {
        None => {
            format!("{} records are sound; chain {}", verified.records, verified.chain.as_deref().unwrap_or("-"))
        }
        Some(damage) => with_hint(
            &format!("damaged [{}]: {damage}", verified.code.unwrap_or("JRN-03")),
            verified.hint.unwrap_or_default(),
        ),
    });
    Ok(Checking::JournalVerify.ended(verified.verified))
}

fn with_hint(text: &str, hint: &str) -> String {
    if hint.is_empty() { text.to_owned() } else { format!("{text}\n  hint: {hint}") }
}

/// Records as lines, or as one array: they go out as they are read, so that a long journal needs no memory.
fn show(dir: &Path, from: Option<u64>, limit: Option<u64>, format: Format) -> Result<ExitCode, Failure> {
    let read = |error: ReadError| Failure::journal(error.code(), &error, error.hint());
    let mut reader = open(&locate(dir)?, from)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (open, between, close): (&[u8], &[u8], &[u8]) = match format {
        Format::Json => (b"[", b",\n", b"]\n"),
        Format::Text => (b"", b"\n", b"\n"),
    };
    let mut before = open;
    let mut left = limit.unwrap_or(u64::MAX);
    let mut written = Ok(());
    while left > 0 && written.is_ok() {
        let Some(record) = reader.next().map_err(read)? else { break };
        left -= 1;
        written = out.write_all(before).and_then(|()| out.write_all(record.payload));
        before = between;
    }
    if written.is_ok() && (format == Format::Json || before == between) {
        let first = if before == open { open } else { b"" };
        written = out.write_all(first).and_then(|()| out.write_all(close)).and_then(|()| out.flush());
    }
    output::finish_output(written, format);
    Ok(ExitCode::SUCCESS)
}

/// Opens a journal at record `from`, or at the oldest one that retention has left.
fn open(journal: &Path, from: Option<u64>) -> Result<Reader, Failure> {
    let opened = match Reader::open(journal, from.unwrap_or(1)) {
        Err(ReadError::Removed { oldest, .. }) if from.is_none() => Reader::open(journal, oldest),
        opened => opened,
    };
    opened.map_err(|error| match &error {
        ReadError::Removed { oldest, .. } => {
            Failure::journal(error.code(), &error, &format!("`--from {oldest}` shows what is left"))
        }
        other => Failure::journal(other.code(), other, other.hint()),
    })
}

fn back_up(dir: &Path, to: &Path, format: Format) -> Result<ExitCode, Failure> {
    let target = DataDir::new(to).journal(); // a backup of a data directory is a data directory
    let from = locate(dir)?;
    let half_written = half_copied(to, &target);
    let progress = output::progress(None, "MiB read"); // of the journal, and of its copy to verify it
    let source = Watched::new(&from, &progress);
    let copied = backup_storage(&source, &source.beside(&target));
    drop(half_written);
    progress.finish_and_clear();
    let report = copied.map_err(|error| Failure::journal(error.code(), &error, error.hint()))?;
    let value = serde_json::json!({"records": report.records, "verified": report.is_sound(), "to": target});
    output::print(format, &value, || format!("{} records copied to {} and verified", report.records, target.display()));
    Ok(ExitCode::SUCCESS)
}

/// What a copy into `target`, below `to`, has made so far; none of it if something is there already.
fn half_copied(to: &Path, target: &Path) -> Option<HalfWritten> {
    /// A directory into which files are still being put is not empty at once.
    const TRIES: u32 = 100;
    let (is_new, was_empty) = (!to.exists(), std::fs::read_dir(target).is_ok_and(|mut it| it.next().is_none()));
    let (to, made) = (to.to_owned(), target.to_owned());
    (was_empty || !made.exists()).then(|| {
        HalfWritten::taken_away_by(move || {
            let is_gone = |_: &u32| std::fs::remove_dir_all(&made).is_ok() || !made.exists();
            let _ = (0..TRIES).find(is_gone); // what stays is empty for the most part, and says so at the next try
            if is_new {
                let _ = std::fs::remove_dir(&to); // unless somebody has put something else there
            }
        })
    })
}

fn thin_out(dir: &Path, by: &Name, key_file: Option<&Path>, format: Format) -> Result<ExitCode, Failure> {
    let journal = locate(dir)?;
    // the journal of a data directory, also where it was named itself; any other has nobody who signs it
    let absolute = std::path::absolute(&journal).map_err(|error| Failure::file(&journal, &error))?;
    let data_dir = absolute.parent().filter(|parent| DataDir::new(parent).journal() == absolute);
    let retained = match data_dir {
        Some(data_dir) => retain(data_dir, key_file, by)?,
        None => retain_unsigned(&journal)?,
    };
    let (first, snapshot) = (retained.oldest_seq, retained.newest_seq);
    let value = serde_json::json!({"from": first, "snapshot": snapshot, "removed": retained.removed});
    output::print(format, &value, || {
        let what = match retained.removed.len() {
            0 => "nothing to remove".to_owned(),
            1 => "1 file removed".to_owned(),
            count => format!("{count} files removed"),
        };
        format!("{what}: the journal begins with record {first}, its newest snapshot is of record {snapshot}")
    });
    Ok(ExitCode::SUCCESS)
}

/// What a replay found.
#[derive(Serialize)]
struct Replayed {
    matches: bool,
    events: u64,
    state_hash: Option<String>,
    hashes_compared: u64,
    /// How many events were decided again, and the first of them; none where a snapshot stands for all.
    decided: u64,
    decided_from: Option<u64>,
    /// Events before that one: a snapshot stands for them, as retention has removed the first.
    from_snapshot: u64,
    /// Decisions of another version of the logic, which were not decided again.
    not_compared: u64,
    first_difference: Option<Difference>,
    /// What to do, where the journal could not be decided again at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

#[derive(Serialize)]
struct Difference {
    code: String,
    sequence: Option<u64>,
    recorded: String,
    decided: String,
}

pub(crate) fn replay(dir: &Path, format: Format) -> Result<ExitCode, Failure> {
    let verified = check(&locate(dir)?);
    let replayed = if verified.is_sound() { decide_again(dir) } else { damaged(&verified) };
    output::print(format, &replayed, || text(&replayed));
    Ok(Checking::Replay.ended(replayed.matches))
}

fn damaged(verified: &Verified) -> Replayed {
    let damage = verified.damage.clone().unwrap_or_default();
    undecided(verified.code.unwrap_or("JRN-03"), damage, verified.hint.unwrap_or_default())
}

/// A journal that cannot be decided again, and why.
fn undecided(code: &str, recorded: String, hint: &'static str) -> Replayed {
    let difference = Difference { code: code.to_owned(), sequence: None, recorded, decided: String::new() };
    Replayed {
        matches: false,
        events: 0,
        state_hash: None,
        hashes_compared: 0,
        decided: 0,
        decided_from: None,
        from_snapshot: 0,
        not_compared: 0,
        first_difference: Some(difference),
        hint: Some(hint),
    }
}

fn decide_again(dir: &Path) -> Replayed {
    let progress = output::progress(None, "events");
    let replay = tradewind_node::replay(dir, |events| progress.set_position(events));
    progress.finish_and_clear();
    match replay {
        Ok(replayed) => {
            let (replay, decided) = (&replayed.replay, replayed.decided());
            let difference = replay.divergence().map(|divergence| Difference {
                code: "ENG-03".to_owned(),
                sequence: Some(divergence.sequence),
                recorded: divergence.recorded.clone(),
                decided: divergence.decided.clone(),
            });
            Replayed {
                matches: difference.is_none(),
                events: replay.state().sequence,
                state_hash: Some(replay.state().hash()),
                hashes_compared: replay.hashes_compared(),
                decided,
                decided_from: (decided > 0).then_some(replayed.from_snapshot + 1),
                from_snapshot: replayed.from_snapshot,
                not_compared: replay.not_compared(),
                first_difference: difference,
                hint: None,
            }
        }
        Err(error) => undecided(error.code(), error.to_string(), error.hint()),
    }
}

/// Which events were decided again, where none differs.
fn extent(replayed: &Replayed) -> String {
    let Replayed { decided, decided_from, from_snapshot, .. } = replayed;
    match decided_from {
        _ if *from_snapshot == 0 => format!("{decided} events decide the same again"),
        Some(first) => format!(
            "{decided} events from event {first} on decide the same again; the {from_snapshot} before them were taken from \
             a snapshot"
        ),
        None => format!("no event was decided again: all {from_snapshot} were taken from a snapshot"),
    }
}

fn text(replayed: &Replayed) -> String {
    match &replayed.first_difference {
        None => format!(
            "{}; {} state hashes agree{}\nstate hash {}",
            extent(replayed),
            replayed.hashes_compared,
            match replayed.not_compared {
                0 => String::new(),
                others => format!("\n{others} decisions of another version of the logic were taken as they were"),
            },
            replayed.state_hash.as_deref().unwrap_or("-")
        ),
        Some(Difference { code, recorded, .. }) if replayed.hint.is_some() => {
            with_hint(&format!("cannot be decided again [{code}]: {recorded}"), replayed.hint.unwrap_or_default())
        }
        Some(difference) => format!(
            "differs{}: recorded {}\n  decided now: {}",
            difference.sequence.map_or_else(String::new, |at| format!(" at event {at}")),
            difference.recorded,
            difference.decided
        ),
    }
}
