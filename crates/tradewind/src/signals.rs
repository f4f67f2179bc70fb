//! What the system says to this process: end, or that a file may not grow.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code of a run that was interrupted before it had a result, as shells count signal 2.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;
/// SIGXFSZ on Linux, macOS and the BSDs: a write went past the size that this process may give a file.
const FILE_TOO_LARGE: i32 = 25;

/// Ctrl-C or a polite kill, watched from the moment it is made.
pub(crate) struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    /// Begins to watch. Must run inside a runtime.
    pub(crate) fn watch() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the first signal. From then on a second one ends the process at once.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
        crate::output::note("ending in order; once more ends at once");
        if let Ok(mut again) = Self::watch() {
            tokio::spawn(async move {
                tokio::select! {
                    _ = again.interrupt.recv() => (),
                    _ = again.terminate.recv() => (),
                }
                std::process::exit(EXIT_INTERRUPTED.into());
            });
        }
    }
}

/// Makes a write past the allowed file size an error that is reported, instead of the end of the process.
///
/// Must run inside a runtime.
pub(crate) fn report_large_files() {
    let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE));
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether somebody asked for the end since [`watch_from_a_thread`] was called.
#[inline]
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// For work without a runtime: notes the first signal in [`interrupted`], ends the process at the second.
pub(crate) fn watch_from_a_thread() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let end = {
        let _inside = runtime.enter();
        report_large_files();
        End::watch()
    };
    let Ok(mut end) = end else { return };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            end.asked().await;
            INTERRUPTED.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        });
    });
}
