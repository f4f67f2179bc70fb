//! Places where a test ends the process, as `kill -9` would at the worst moment.
//!
//! Only the feature `failpoints`, which tests alone turn on, puts anything there; a program that is shipped holds none
//! of it. `TRADEWIND_FAILPOINT=journal.group.written:3` ends the process, by SIGKILL to itself, where it comes to that
//! place for the third time.

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
        half();
        armed::end();
    }
    #[cfg(not(feature = "failpoints"))]
    let _ = (place, half);
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Where to end, and how often that place is still passed before.
    static ARMED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();

    fn read() -> Option<(String, AtomicU64)> {
        let told = std::env::var("TRADEWIND_FAILPOINT").ok()?;
        let (place, nth) = told.split_once(':').unwrap_or((&told, "1"));
        Some((place.to_owned(), AtomicU64::new(nth.parse().expect("TRADEWIND_FAILPOINT=place:number"))))
    }

    pub(super) fn is_due(place: &str) -> bool {
        let armed = ARMED.get_or_init(read).as_ref().filter(|(name, _)| name == place);
        armed.is_some_and(|(_, left)| left.fetch_sub(1, Ordering::SeqCst) == 1)
    }

    /// The signal may take a moment to arrive; nothing goes on until then.
    pub(super) fn end() -> ! {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}
