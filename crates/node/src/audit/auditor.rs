//! The thread that follows the journal and signs it.

use super::files::{cut_unfinished, failed, read_checkpoints};
use super::key::{key, publish};
use crate::clock::wall;
use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::health::{Component, Health};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tradewind_domain::Sequence;
use tradewind_governance::audit::{Notary, PublicKey};
use tradewind_journal::{ReadError, Reader};

/// How often the notary looks at the journal.
const LOOK_EVERY: Duration = Duration::from_millis(500);

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
        let layout = DataDir::new(data_dir);
        let path = layout.checkpoints();
        cut_unfinished(&path)?;
        let mut checkpoints = read_checkpoints(&path)?;
        let mut alarm = None;
        if let Some(ahead) = checkpoints.last().filter(|it| it.to > last) {
            alarm =
                Some(format!("the journal ends at record {last}, its checkpoints at {}: it was rolled back", ahead.to));
            let aside = layout.checkpoints_ahead(ahead.to);
            std::fs::rename(&path, &aside).map_err(|error| failed(&aside, error))?;
            checkpoints.clear(); // they vouch for another history: this one is signed anew
        }
        let dir = layout.journal();
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
        let (public, public_path) = (Some(public), layout.audit_public_key());
        let mut follow = Follow { notary, dir, path, public_path, synced, public, has_signed, health };
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

struct Follow {
    notary: Notary,
    dir: PathBuf,
    path: PathBuf,
    public_path: PathBuf,
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
        let Some(key) = self.public.as_ref().filter(signed) else { return };
        match publish(&self.public_path, key) {
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
