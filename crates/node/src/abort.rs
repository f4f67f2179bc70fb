//! The one hook through which a panic in engine, gate, journal or driver ends the process.

/// Aborts the process when it is dropped by a panic: a process with a broken invariant sends no orders, and start-up is
/// recovery.
pub(crate) struct AbortOnPanic(pub(crate) &'static str);

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the {} panicked: the process aborts, and recovers at its next start", self.0);
            std::process::abort();
        }
    }
}
