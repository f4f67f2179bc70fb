//! The kill switch: one atomic that the driver reads right before a write, and a file that outlives the journal's tail.

use crate::clock::wall;
use crate::data_dir::DataDir;
use crate::holds::Thrown;
use crate::inbox::Input;
use crate::kill_call::KillCalls;
use crate::operate::{OperatorReply, OperatorRequest};
use crate::whole_file::{is_full, sync_dir_of, write_whole};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tradewind_governance::{Latch, Scope};

/// How often a node that trades looks for it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

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
            self.throw();
        }
        Ok(())
    }

    /// Stops sends at once; the engine is told next.
    pub(crate) fn throw(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.halted.store(true, Ordering::SeqCst);
    }

    /// Called when the engine has recorded what [`Self::throw`] has thrown.
    pub(crate) fn thrown(&self, halted: bool) {
        self.asked.fetch_sub(1, Ordering::SeqCst);
        self.set(halted);
    }

    /// Called when the engine has carried out what [`Self::hear`] heard, and when it was never to come to that.
    pub(crate) fn heard(&self, request: &OperatorRequest, halted: bool) {
        if request.halts() {
            self.thrown(halted);
        }
    }

    /// What the state says; a halt that is asked for and not recorded yet wins.
    pub(crate) fn set(&self, halted: bool) {
        if halted || self.asked.load(Ordering::SeqCst) == 0 {
            self.halted.store(halted, Ordering::SeqCst);
        }
    }
}

/// What the files of the kill switches say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Latched {
    /// Why everything is halted, if it is.
    pub(crate) halted: Option<String>,
    /// Who halted it and when, if the file tells.
    pub(crate) thrown: Option<Thrown>,
    /// What else is stopped.
    pub(crate) scopes: BTreeMap<Scope, Latch>,
}

/// Why trading is halted where the file says nothing but its name.
pub(crate) const WORDLESS: &str = "the file HALTED, which gives no reason";

/// The files that say that trading is halted, and why: `HALTED` for everything, `LATCHED` for what is stopped beside it.
#[derive(Debug)]
pub(crate) struct LatchFile {
    halted: PathBuf,
    scoped: PathBuf,
    /// Why everything is halted, as the first file says.
    written: Option<String>,
    /// What the second file says; `None` where that cannot be read.
    written_scopes: Option<BTreeMap<Scope, Latch>>,
}

impl LatchFile {
    /// The files of a data directory, and what they say if they are there. One that cannot be read halts everything.
    pub(crate) fn open(data_dir: &Path) -> (Self, Latched) {
        let (halted, scoped) = (DataDir::new(data_dir).halted(), DataDir::new(data_dir).latched());
        let unread = |path: &Path, why: &dyn std::fmt::Display| format!("{} cannot be read: {why}", path.display());
        let text = read(&halted).unwrap_or_else(|error| Some(unread(&halted, &error)));
        let why = text.map(|text| if text.is_empty() { (WORDLESS.to_owned(), None) } else { reason_and_thrown(&text) });
        let (why, thrown) = why.map_or((None, None), |(why, thrown)| (Some(why), thrown));
        let (written, mut said) = (why.clone(), Latched { halted: why, thrown, scopes: BTreeMap::new() });
        let scopes = read(&scoped).map_err(|error| unread(&scoped, &error));
        let scopes = scopes.and_then(|text| match text {
            Some(text) => serde_json::from_str(&text).map_err(|error| unread(&scoped, &error)),
            None => Ok(BTreeMap::new()),
        });
        let written_scopes = scopes.as_ref().ok().cloned();
        match scopes {
            Ok(scopes) => said.scopes = scopes,
            Err(why) => _ = said.halted.get_or_insert(why),
        }
        (Self { halted, scoped, written, written_scopes }, said)
    }

    /// What somebody wrote into the file of the kill switch over everything since this process last looked.
    pub(crate) fn found(&mut self) -> Option<String> {
        if self.written.is_some() {
            return None;
        }
        let text = read(&self.halted).unwrap_or_else(|error| Some(format!("it cannot be read: {error}")))?;
        Some(text.escape_debug().to_string())
    }

    /// Makes the files say what the state says. Costs nothing while that does not change.
    pub(crate) fn follow(
        &mut self,
        halted: Option<&str>,
        thrown: Option<&Thrown>,
        scopes: &BTreeMap<Scope, Latch>,
    ) -> std::io::Result<()> {
        if halted != self.written.as_deref() {
            let thrown = thrown.map(|it| format!("\nby {} at {}", it.by, it.at)).unwrap_or_default();
            let words = halted.map(|reason| format!("{}{thrown}", reason.escape_debug()));
            write(&self.halted, words.as_deref())?;
            self.written = halted.map(str::to_owned);
        }
        if self.written_scopes.as_ref() != Some(scopes) {
            let words = (!scopes.is_empty()).then(|| serde_json::to_string(scopes)).transpose()?;
            write(&self.scoped, words.as_deref())?;
            self.written_scopes = Some(scopes.clone());
        }
        Ok(())
    }
}

/// What the file says of a halt: the reason, and in a second line who threw it and when, where the node wrote it.
fn reason_and_thrown(text: &str) -> (String, Option<Thrown>) {
    let thrown = |line: &str| {
        let (by, at) = line.strip_prefix("by ")?.rsplit_once(" at ")?;
        Some(Thrown { by: by.to_owned(), at: at.to_owned() })
    };
    match text.split_once('\n').and_then(|(reason, line)| Some((reason, thrown(line)?))) {
        Some((reason, thrown)) => (reason.to_owned(), Some(thrown)),
        None => (text.to_owned(), None),
    }
}

/// Throws the kill switch over everything from another process; `false` where it is on already.
pub(crate) fn throw_by_file(data_dir: &Path, reason: &str) -> std::io::Result<bool> {
    let path = DataDir::new(data_dir).halted();
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    write(&path, Some(&reason.escape_debug().to_string()))?;
    Ok(true)
}

/// Looks again and again whether somebody wrote the file `HALTED` into the data directory of a node that trades.
pub(crate) async fn watch_file(data_dir: PathBuf, switch: KillSwitch, inbox: mpsc::Sender<Input>) {
    let (path, flag) = (DataDir::new(&data_dir).halted(), switch.flag());
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        // what the node itself wrote is there only while it is halted; the engine looks once more in its turn
        if !flag.load(Ordering::SeqCst) && path.symlink_metadata().is_ok() && inbox.send(Input::HaltFile).await.is_err()
        {
            return;
        }
    }
}

/// Throws the kill switch at each SIGUSR1.
pub(crate) async fn watch_signal(mut signal: Signal, switch: KillSwitch, inbox: mpsc::Sender<Input>) {
    while signal.recv().await.is_some() {
        switch.throw();
        if inbox.send(Input::HaltSignal).await.is_err() {
            return;
        }
    }
}

fn read(path: &Path) -> std::io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a file say `words`, or takes it away, for good.
fn write(path: &Path, words: Option<&str>) -> std::io::Result<()> {
    let written = match words {
        Some(words) => write_whole(path, format!("{words}\n").as_bytes(), 0o644),
        None => std::fs::remove_file(path),
    };
    match written {
        // the name alone halts: on a full disk the words may be missing
        Err(error) if words.is_some() && is_full(&error) => {
            tracing::error!(%error, "the kill switch is on disk without its reason");
            File::create(path)?;
        }
        other => other?,
    }
    sync_dir_of(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_governance::Name;

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
    fn the_files_say_what_the_state_says_across_starts() {
        let dir = tempfile::TempDir::new().unwrap();
        let none = BTreeMap::new();
        let latch = Latch {
            by: Name::new("anna").unwrap(),
            kind: tradewind_governance::Kind::Person,
            tripped_by: None,
            at: tradewind_domain::Timestamp::from_millis(7),
            reason: "an outage\nof hours".to_owned(),
        };
        let scopes = BTreeMap::from([("venue:binance".parse().unwrap(), latch)]);
        let (mut file, said) = LatchFile::open(dir.path());
        assert_eq!(said, Latched::default());
        file.follow(None, None, &none).unwrap();
        let thrown = Thrown { by: "a signed call".to_owned(), at: "2026-01-01T00:00:00Z".to_owned() };
        file.follow(Some("odd\nfills"), Some(&thrown), &scopes).unwrap();
        let (mut again, said) = LatchFile::open(dir.path());
        assert_eq!(
            said,
            Latched { halted: Some("odd\\nfills".to_owned()), thrown: Some(thrown), scopes: scopes.clone() }
        );
        again.follow(Some("another"), None, &scopes).unwrap();
        again.follow(None, None, &scopes).unwrap();
        assert_eq!(LatchFile::open(dir.path()).1, Latched { scopes, ..Latched::default() });
        again.follow(None, None, &none).unwrap();
        assert_eq!(again.found(), None);
        std::fs::write(dir.path().join("HALTED"), "by hand\nin two lines\n").unwrap();
        assert_eq!(again.found().as_deref(), Some("by hand\\nin two lines"));
        assert_eq!(LatchFile::open(dir.path()).1.halted.as_deref(), Some("by hand\nin two lines"));
        std::fs::remove_file(dir.path().join("HALTED")).unwrap();
        assert_eq!(LatchFile::open(dir.path()).1, Latched::default());
        std::fs::write(dir.path().join("HALTED"), "").unwrap();
        assert_eq!(LatchFile::open(dir.path()).1.halted.as_deref(), Some("the file HALTED, which gives no reason"));
        std::fs::remove_file(dir.path().join("HALTED")).unwrap();
        std::fs::write(dir.path().join("LATCHED"), "{\"venue").unwrap();
        assert!(LatchFile::open(dir.path()).1.halted.is_some()); // what cannot be read halts everything
        std::fs::remove_file(dir.path().join("LATCHED")).unwrap();
        std::fs::create_dir(dir.path().join("HALTED")).unwrap();
        assert!(LatchFile::open(dir.path()).1.halted.is_some());
    }
}
