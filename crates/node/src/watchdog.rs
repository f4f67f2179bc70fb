//! Watches the engine's thread from another one. An engine that does not go on for ten seconds ends the process, since
//! start-up is recovery; one that waits for the disk is told of, and afterwards only what reduces is allowed.

use crate::abort::last_words;
use crate::error::NodeError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks. Looks are counted instead of time, because a process that is stopped or suspended does not look.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Looks without a sign of life after which the process ends: 10 s.
const STALLED: u32 = 100;
/// Looks at an engine that waits for the disk after which the disk is called slow: 2 s.
const SLOW_DISK: u32 = 20;

/// The engine's signs of life. It beats at least once a second: an idle engine gets a tick.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    beats: AtomicU64,
    /// Looks at the engine while it waited for a slow disk.
    slow: AtomicU32,
}

impl Pulse {
    /// The engine goes on.
    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::SeqCst);
    }

    /// About how long the engine waited for a slow disk, if it did since the last call.
    pub(crate) fn waited_for_disk(&self) -> Option<Duration> {
        match self.slow.swap(0, Ordering::SeqCst) {
            0 => None,
            looks => Some(LOOK_EVERY * looks),
        }
    }
}

/// The watching thread; it ends when this is dropped.
pub(crate) struct Watchdog {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Begins to watch. `on_disk` is true while the engine waits for the disk.
    pub(crate) fn over(pulse: Arc<Pulse>, on_disk: Arc<AtomicBool>) -> Result<Self, NodeError> {
        let ended = Arc::<AtomicBool>::default();
        let over = Arc::clone(&ended);
        let watch = move || watch(&pulse, &on_disk, &over);
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch).map_err(NodeError::Thread)?;
        Ok(Self { ended, thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join(); // it ends the process or nothing
        }
    }
}

fn watch(pulse: &Pulse, on_disk: &AtomicBool, ended: &AtomicBool) {
    let mut eyes = Eyes::default();
    while !ended.load(Ordering::SeqCst) {
        match eyes.look(pulse.beats.load(Ordering::SeqCst), on_disk.load(Ordering::SeqCst)) {
            Finding::Well => (),
            Finding::SlowDisk(looks) => {
                if looks == SLOW_DISK {
                    tracing::error!("alarm: the disk has not answered for 2 s: nothing leaves until it does");
                }
                pulse.slow.store(looks, Ordering::SeqCst);
            }
            Finding::Stalled => {
                last_words("the engine has not gone on for 10 s: the process aborts, and recovers at its next start");
                std::process::abort();
            }
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// What the looks so far came to.
#[derive(Debug, Default)]
struct Eyes {
    beats: u64,
    /// Looks since the last beat: while it waited for the disk, and otherwise.
    on_disk: u32,
    stalled: u32,
}

/// What one look says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Well,
    /// It waits for the disk, at this many looks by now.
    SlowDisk(u32),
    /// It neither goes on nor waits for the disk.
    Stalled,
}

impl Eyes {
    fn look(&mut self, beats: u64, on_disk: bool) -> Finding {
        if beats != self.beats {
            *self = Self { beats, ..Self::default() };
        } else if on_disk {
            self.on_disk += 1;
        } else {
            self.stalled += 1;
        }
        match (self.stalled, self.on_disk) {
            (STALLED.., _) => Finding::Stalled,
            (_, looks @ SLOW_DISK..) if on_disk => Finding::SlowDisk(looks),
            _ => Finding::Well,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a row of looks at an engine without a sign of life comes to.
    fn check(looks: u32, on_disk: bool, want: Finding) {
        let mut eyes = Eyes::default();
        let last = (0..looks).map(|_| eyes.look(0, on_disk)).last();
        assert_eq!(last, Some(want), "{looks} looks, on the disk: {on_disk}");
        assert_eq!(eyes.look(1, on_disk), Finding::Well, "a sign of life makes everything well");
    }

    #[test]
    fn g16_an_engine_without_a_sign_of_life_is_stalled_after_ten_seconds() {
        check(99, false, Finding::Well);
        check(100, false, Finding::Stalled);
    }

    #[test]
    fn g07_an_engine_that_waits_for_the_disk_is_not_stalled_however_long_it_takes() {
        check(19, true, Finding::Well);
        check(20, true, Finding::SlowDisk(20));
        check(300, true, Finding::SlowDisk(300));
    }

    #[test]
    fn the_watchdog_ends_with_its_engine_and_hands_over_what_it_saw() {
        let pulse = Arc::<Pulse>::default();
        pulse.slow.store(25, Ordering::SeqCst);
        drop(Watchdog::over(Arc::clone(&pulse), Arc::default()).unwrap());
        assert_eq!(pulse.waited_for_disk(), Some(Duration::from_millis(2_500)));
        assert_eq!(pulse.waited_for_disk(), None, "told once");
    }
}
