//! Places where a test ends the process, as `kill -9` would at the worst moment.
//!
//! Only the feature `failpoints`, which tests alone turn on, puts anything there; a program that is shipped holds none
//! of it. `TRADEWIND_FAILPOINT=journal.group.written:3` ends the process, by SIGKILL to itself, where it comes to that
//! place for the third time. Behind another colon stands what else is to happen there: `panic`, `stall` (that thread
//! never goes on), or `sleep-2500` (it goes on after so many milliseconds).

/// The journal's own places, in the order in which they are come to.
pub const FAILPOINTS: &[&str] = &[
    "journal.recover.begun",
    "journal.recover.checked",
    "journal.recover.mended",
    "journal.group.begun",
    "journal.group.half-written",
    "journal.group.written",
    "journal.group.synced",
    "journal.rotate.begun",
    "journal.rotate.stamped",
    "journal.rotate.renamed",
    "journal.rotate.published",
    "journal.whole.created",
    "journal.whole.half-written",
    "journal.whole.written",
    "journal.whole.synced",
    "journal.whole.renamed",
    "journal.whole.published",
];

/// Ends the process if it was told to end at `place`.
#[inline]
pub fn failpoint(place: &'static str) {
    failpoint_after(place, || ());
}

/// As [`failpoint`], but does `half` of what comes next before it ends.
#[inline]
pub fn failpoint_after(place: &'static str, half: impl FnOnce()) {
    #[cfg(feature = "failpoints")]
    if armed::is_due(place) {
        armed::happen(half);
    }
    #[cfg(not(feature = "failpoints"))]
    let _ = (place, half);
}

/// By how many nanoseconds tests move this process's wall clock: what the file that `TRADEWIND_TEST_CLOCK` names says at
/// the moment. Always 0 in a program that is shipped.
#[inline]
#[must_use]
pub fn clock_shift() -> i64 {
    #[cfg(feature = "failpoints")]
    return armed::clock_shift();
    #[cfg(not(feature = "failpoints"))]
    0
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// What happens where, and how often that place is still passed before.
    struct Armed {
        place: String,
        left: AtomicU64,
        what: What,
    }

    enum What {
        Kill,
        Panic,
        Stall,
        Sleep(Duration),
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    fn read() -> Option<Armed> {
        const FORM: &str = "TRADEWIND_FAILPOINT=place[:number[:kill|panic|stall|sleep-millis]]";
        let told = std::env::var("TRADEWIND_FAILPOINT").ok()?;
        let mut words = told.split(':');
        let place = words.next().expect(FORM).to_owned();
        let left = AtomicU64::new(words.next().unwrap_or("1").parse().expect(FORM));
        let what = match words.next() {
            None | Some("kill") => What::Kill,
            Some("panic") => What::Panic,
            Some("stall") => What::Stall,
            Some(other) => {
                let millis = other.strip_prefix("sleep-").and_then(|millis| millis.parse().ok()).expect(FORM);
                What::Sleep(Duration::from_millis(millis))
            }
        };
        Some(Armed { place, left, what })
    }

    fn armed() -> Option<&'static Armed> {
        ARMED.get_or_init(read).as_ref()
    }

    pub(super) fn clock_shift() -> i64 {
        static FILE: OnceLock<Option<std::path::PathBuf>> = OnceLock::new();
        let file = FILE.get_or_init(|| std::env::var_os("TRADEWIND_TEST_CLOCK").map(Into::into));
        let told = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        told.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    pub(super) fn is_due(place: &str) -> bool {
        armed().is_some_and(|it| it.place == place && it.left.fetch_sub(1, Ordering::SeqCst) == 1)
    }

    pub(super) fn happen(half: impl FnOnce()) {
        match armed().map(|it| &it.what) {
            Some(What::Panic) => panic!("a failpoint, on purpose"),
            Some(What::Sleep(time)) => std::thread::sleep(*time),
            Some(What::Stall) => stall(),
            Some(What::Kill) | None => {
                half();
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                stall() // the signal may take a moment to arrive
            }
        }
    }

    fn stall() -> ! {
        loop {
            std::thread::park();
        }
    }
}
