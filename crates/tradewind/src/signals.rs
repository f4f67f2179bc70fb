//! What the system says to this process: end, or that a file may not grow.
//!
//! One thread listens for the whole process, from before the first command to the end. The first signal ends the process
//! with [`EXIT_INTERRUPTED`], unless a command has promised to end in order ([`End::in_order`], [`end_in_order`]); the
//! second one ends it in any case.

use crate::output::{self, Failure};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Exit code of a run that was interrupted before it had a result, as shells count signal 2.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;
/// SIGXFSZ on Linux, macOS and the BSDs: a write went past the size that this process may give a file.
const FILE_TOO_LARGE: i32 = 25;
/// For how long the end of the process waits until its last words are out.
const SAID_WITHIN: Duration = Duration::from_millis(500);

/// Whether the first signal has come, for those who wait.
static ASKED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));
/// The same, for those who look again and again.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Whether somebody ends in order when the first signal comes.
static IN_ORDER: AtomicBool = AtomicBool::new(false);
/// Whether a running node was asked to change something: it may do that, whatever becomes of this process.
static ASKED_A_NODE: AtomicBool = AtomicBool::new(false);
/// Whether it stands how the process ends: with what its command came to, or with what a signal said.
static DECIDED: AtomicBool = AtomicBool::new(false);

/// Takes away what is half written.
type TakeAway = Box<dyn Fn() + Send>;
static HALF_WRITTEN: Mutex<Option<TakeAway>> = Mutex::new(None);

/// Listens for Ctrl-C and SIGTERM on a thread of its own, and makes a write past the allowed file size an error that is
/// reported, instead of the end of the process. `json` is how the end of a command is told.
pub(crate) fn watch(json: bool) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _inside = runtime.enter();
        report_large_files();
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? }
    };
    let listen = move || runtime.block_on(obey(signals, json));
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop)
}

/// Of a process that nobody could end in order.
pub(crate) fn unwatched(error: &std::io::Error) -> Failure {
    let hint = "free memory or threads, or allow more open files (`ulimit -n`)";
    Failure::new("CLI-02", format!("signals cannot be watched: {error}"), hint)
}

/// Makes a write past the allowed file size an error that is reported, instead of the end of the process.
///
/// Must run inside a runtime.
pub(crate) fn report_large_files() {
    let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE));
}

/// What asks for the end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}

async fn obey(mut signals: Signals, json: bool) {
    signals.next().await;
    INTERRUPTED.store(true, Ordering::SeqCst);
    if IN_ORDER.load(Ordering::SeqCst) {
        ASKED.send_replace(true);
        say(|| output::note("ending in order; once more ends at once"));
    } else if !DECIDED.swap(true, Ordering::SeqCst) {
        take_away();
        let failure = last_words();
        let _ = say(move || output::print_failure(&failure, json)).recv_timeout(SAID_WITHIN);
        std::process::exit(EXIT_INTERRUPTED.into());
    }
    signals.next().await;
    take_away();
    std::process::exit(EXIT_INTERRUPTED.into());
}

/// Says something from a thread of its own: who has stopped reading stderr must not make this process deaf. What comes back
/// is closed when it is said.
fn say(words: impl FnOnce() + Send + 'static) -> Receiver<()> {
    let (saying, said) = channel();
    let speak = move || {
        words();
        drop(saying);
    };
    let _ = std::thread::Builder::new().name("words".to_owned()).spawn(speak); // without a thread it stays unsaid
    said
}

/// Of a process that a signal ends on its way.
fn last_words() -> Failure {
    if ASKED_A_NODE.load(Ordering::SeqCst) {
        let hint = "look at `tradewind order list` first; send an order again only under the same --key".to_owned();
        return Failure { hint, ..failure("interrupted; what was asked of the node may have been done") };
    }
    failure("interrupted before there was a result")
}

/// Says that a running node is about to be asked to change something. From then on nobody can say that it was not done.
pub(crate) fn asking_a_node() {
    ASKED_A_NODE.store(true, Ordering::SeqCst);
}

/// Of a command that was interrupted.
pub(crate) fn failure(what: &str) -> Failure {
    Failure { exit: EXIT_INTERRUPTED, ..Failure::new("CLI-12", what, "start it again") }
}

/// Says that the command has come to its end: a first signal no longer decides how the process ends.
///
/// Does not return if one has decided that already, and is about to end it.
pub(crate) fn command_ended() {
    if DECIDED.swap(true, Ordering::SeqCst) {
        loop {
            std::thread::park();
        }
    }
}

/// Ctrl-C or a polite kill, for work that waits.
pub(crate) struct End(watch::Receiver<bool>);

impl End {
    /// Promises that this process ends in order when the first signal comes.
    pub(crate) fn in_order() -> Self {
        end_in_order();
        Self(ASKED.subscribe())
    }

    /// Waits for the first signal.
    pub(crate) async fn asked(&mut self) {
        let _ = self.0.wait_for(|asked| *asked).await; // its sender lives as long as the process
    }

    /// Does `work`, or drops it when the signal comes: what it began then ends with it.
    ///
    /// # Errors
    /// CLI-12, saying `otherwise`, if it was dropped.
    pub(crate) async fn unless_asked<T>(
        &mut self,
        work: impl Future<Output = T>,
        otherwise: &str,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased; // work that is done counts
            done = work => Ok(done),
            () = self.asked() => Err(failure(otherwise)),
        }
    }
}

/// For work without a runtime: promises to look at [`interrupted`] and to end in order.
pub(crate) fn end_in_order() {
    IN_ORDER.store(true, Ordering::SeqCst);
}

/// Whether somebody asked for the end.
#[inline]
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// What is being written, and taken away again by a signal that ends the process before this is dropped.
#[must_use]
pub(crate) struct HalfWritten(());

impl HalfWritten {
    /// One thing at a time is half written. `take_away` may run while it is still being written.
    pub(crate) fn taken_away_by(take_away: impl Fn() + Send + 'static) -> Self {
        *half_written() = Some(Box::new(take_away));
        Self(())
    }
}

impl Drop for HalfWritten {
    fn drop(&mut self) {
        *half_written() = None;
    }
}

/// Takes away what is half written. From then on nobody can say that it is whole: the process ends.
fn take_away() {
    let half_written = half_written();
    if let Some(take_away) = &*half_written {
        take_away();
    }
    std::mem::forget(half_written); // still locked
}

fn half_written() -> MutexGuard<'static, Option<TakeAway>> {
    HALF_WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}
