//! The kill switch: one atomic that the driver reads right before a write, and a file that outlives the journal's tail.

use crate::clock::wall;
use crate::kill_call::KillCalls;
use crate::operate::{OperatorReply, OperatorRequest};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Stops sends at once, before the engine has heard of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KillSwitch {
    halted: Arc<AtomicBool>,
    /// Halts that were asked for and that the engine has not recorded yet.
    asked: Arc<AtomicUsize>,
    /// Who is let through by a signature.
    calls: Arc<Mutex<KillCalls>>,
}

impl KillSwitch {
    pub(crate) fn new(halted: bool) -> Self {
        Self { halted: Arc::new(AtomicBool::new(halted)), ..Self::default() }
    }

    /// The same switch, which lets `calls` through.
    pub(crate) fn with_calls(self, calls: KillCalls) -> Self {
        Self { calls: Arc::new(Mutex::new(calls)), ..self }
    }

    /// What the driver reads.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        self.halted.clone()
    }

    /// Called where a request comes in, before it waits for its turn: a halt need not. A signed call is proven here and
    /// nowhere else.
    ///
    /// # Errors
    /// The answer to a call that proves nothing; the request goes no further.
    pub(crate) fn hear(&self, request: &OperatorRequest) -> Result<(), OperatorReply> {
        if let OperatorRequest::HaltSigned(call) = request {
            self.calls.lock().unwrap_or_else(PoisonError::into_inner).admit(call, wall())?;
        }
        if request.halts() {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.halted.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Called when the engine has carried out what [`Self::hear`] heard, and when it was never to come to that.
    pub(crate) fn heard(&self, request: &OperatorRequest, halted: bool) {
        if request.halts() {
            self.asked.fetch_sub(1, Ordering::SeqCst);
            self.set(halted);
        }
    }

    /// What the state says; a halt that is asked for and not recorded yet wins.
    pub(crate) fn set(&self, halted: bool) {
        if halted || self.asked.load(Ordering::SeqCst) == 0 {
            self.halted.store(halted, Ordering::SeqCst);
        }
    }
}

/// The file that says that trading is halted, and why.
#[derive(Debug)]
pub(crate) struct LatchFile {
    path: PathBuf,
    written: bool,
}

impl LatchFile {
    /// The file of a data directory, and what it says if it is there. One that cannot be read halts all the same.
    pub(crate) fn open(data_dir: &Path) -> (Self, Option<String>) {
        let path = data_dir.join("HALTED");
        let said = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => Some(format!("{} cannot be read: {error}", path.display())),
        };
        (Self { path, written: said.is_some() }, said)
    }

    /// Makes the file say what the state says. Costs nothing while that does not change.
    pub(crate) fn follow(&mut self, halted: Option<&str>) -> std::io::Result<()> {
        match (halted, self.written) {
            (Some(reason), false) => {
                let mut file = File::create(&self.path)?;
                let written = writeln!(file, "{}", reason.escape_debug()).and_then(|()| file.sync_all());
                match written {
                    // the name alone halts: on a full disk the words may be missing
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                        tracing::error!(%error, "the kill switch is on disk without its reason");
                    }
                    other => other?,
                }
            }
            (None, true) => std::fs::remove_file(&self.path)?,
            _ => return Ok(()),
        }
        self.written = halted.is_some();
        match self.path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halt_that_is_asked_for_holds_until_the_engine_has_recorded_it() {
        let switch = KillSwitch::new(false);
        let flag = switch.flag();
        let is = || flag.load(Ordering::SeqCst);
        let halt = OperatorRequest::Halt { reason: "x".to_owned() };
        switch.hear(&OperatorRequest::Status).unwrap();
        assert!(!is());
        switch.hear(&halt).unwrap();
        switch.set(false); // an event before it was stepped meanwhile
        assert!(is());
        switch.heard(&halt, true);
        assert!(is());
        switch.set(false); // resumed
        assert!(!is());
    }

    #[test]
    fn the_file_says_what_the_state_says_across_starts() {
        let dir = tempfile::TempDir::new().unwrap();
        let (mut file, said) = LatchFile::open(dir.path());
        assert_eq!(said, None);
        file.follow(None).unwrap();
        file.follow(Some("odd\nfills")).unwrap();
        let (mut again, said) = LatchFile::open(dir.path());
        assert_eq!(said.as_deref(), Some("odd\\nfills"));
        again.follow(Some("another")).unwrap();
        again.follow(None).unwrap();
        assert_eq!(LatchFile::open(dir.path()).1, None);
        std::fs::create_dir(dir.path().join("HALTED")).unwrap();
        assert!(LatchFile::open(dir.path()).1.is_some()); // what cannot be read halts
    }
}
