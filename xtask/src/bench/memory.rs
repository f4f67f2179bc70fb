//! The most memory that another program held.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often a running program is looked at. What it takes in its last moments after that stays unseen: once it has
/// ended, the kernel no longer says.
const EVERY: Duration = Duration::from_millis(5);

/// Looks at a program while it runs.
pub(super) struct Watch {
    ended: Sender<()>,
    looking: JoinHandle<Option<u64>>,
}

impl Watch {
    /// Begins to look at the process of that number.
    pub(super) fn over(process: u32) -> Self {
        let (ended, watching) = mpsc::channel();
        let looking = thread::spawn(move || {
            let mut peak = None;
            loop {
                peak = peak_kib(process).or(peak);
                if watching.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return peak;
                }
            }
        });
        Self { ended, looking }
    }

    /// The most that it held, in KiB; `None` where the system does not say.
    pub(super) fn end(self) -> Option<u64> {
        drop(self.ended);
        self.looking.join().ok().flatten()
    }
}

fn peak_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_program_has_a_peak_and_one_that_is_not_there_has_none() {
        let here = cfg!(target_os = "linux");
        assert_eq!(Watch::over(std::process::id()).end().is_some_and(|kib| kib > 100), here);
        assert_eq!(Watch::over(u32::MAX).end(), None);
    }
}
