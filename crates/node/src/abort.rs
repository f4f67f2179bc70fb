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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    const CHILD: &str = "TRADEWIND_TEST_PANICS";

    #[test]
    fn a_panic_ends_the_process_and_an_ordinary_end_does_not() {
        if std::env::var_os(CHILD).is_some() {
            let thread = std::thread::spawn(|| {
                let _abort = AbortOnPanic("engine");
                panic!("on purpose");
            });
            let _ = thread.join();
            std::process::exit(0); // not reached
        }
        drop(AbortOnPanic("engine"));
        let name = "abort::tests::a_panic_ends_the_process_and_an_ordinary_end_does_not";
        let child = Command::new(std::env::current_exe().unwrap()).args([name, "--exact"]).env(CHILD, "1").output();
        let child = child.unwrap();
        assert_eq!(child.status.signal(), Some(6), "{child:?}"); // SIGABRT
    }
}
