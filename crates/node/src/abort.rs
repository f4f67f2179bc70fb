//! The one place through which a panic in engine, gate, journal or driver ends the process: a process with a broken
//! invariant sends no orders, and start-up is recovery.

use futures_util::FutureExt as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`, which is part of the order path; its panic aborts the process.
pub(crate) fn or_abort<T>(part: &str, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| abort(part))
}

/// [`or_abort`] for work that waits. Work that is dropped before its end, by whatever, did not panic.
pub(crate) async fn or_abort_async<T>(part: &str, work: impl Future<Output = T>) -> T {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| abort(part))
}

fn abort(part: &str) -> ! {
    last_words(&format!("the {part} panicked: the process aborts, and recovers at its next start"));
    std::process::abort();
}

/// Says on stderr why the process ends, where somebody still listens.
pub(crate) fn last_words(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}"); // `eprintln!` panics where nobody does
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    const CHILD: &str = "TRADEWIND_TEST_PANICS";

    /// Runs the test `name` once more in a process of its own, which is told so.
    fn in_a_process(name: &str) -> std::process::Output {
        let name = format!("abort::tests::{name}");
        Command::new(std::env::current_exe().unwrap()).args([&name, "--exact"]).env(CHILD, "1").output().unwrap()
    }

    #[test]
    fn a_panic_ends_the_process_and_an_ordinary_end_does_not() {
        if std::env::var_os(CHILD).is_some() {
            let thread = std::thread::spawn(|| or_abort("engine", || panic!("on purpose")));
            let _ = thread.join();
            std::process::exit(0); // not reached
        }
        assert_eq!(or_abort("engine", || 7), 7);
        let child = in_a_process("a_panic_ends_the_process_and_an_ordinary_end_does_not");
        assert_eq!(child.status.signal(), Some(6), "{child:?}"); // SIGABRT
    }

    #[tokio::test]
    async fn a_panic_while_waiting_ends_the_process_and_an_ordinary_end_does_not() {
        if std::env::var_os(CHILD).is_some() {
            let panics = async {
                tokio::task::yield_now().await;
                panic!("on purpose");
            };
            let _ = tokio::spawn(or_abort_async("driver", panics)).await;
            std::process::exit(0); // not reached
        }
        assert_eq!(or_abort_async("driver", async { 7 }).await, 7);
        let child = in_a_process("a_panic_while_waiting_ends_the_process_and_an_ordinary_end_does_not");
        assert_eq!(child.status.signal(), Some(6), "{child:?}"); // SIGABRT
    }

    #[tokio::test]
    async fn a_panic_elsewhere_fails_its_own_test_alone() {
        let waiting = or_abort_async("driver", std::future::pending::<()>());
        let elsewhere = tokio::spawn(async move {
            let _dropped_by_the_panic = waiting;
            panic!("on purpose");
        });
        assert!(elsewhere.await.unwrap_err().is_panic());
    }
}
