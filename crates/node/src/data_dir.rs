//! What lies where in a data directory. Nothing else puts these names together; `cargo xtask tidy` looks for that.
//!
//! Outside of it lie the lock of a key, which two data directories may share (`key_lock.rs`), a control socket whose path
//! would be too long for the system (`control.rs`), and what settings name themselves: their own file, keys, catalogs.

use std::path::{Path, PathBuf};
use tradewind_domain::{Sequence, Timestamp};

/// The directory in which one node keeps all that it must find again. Making one of these touches no disk.
///
/// The layout is a contract: earlier versions wrote it, and other programs read `journal/` and throw `HALTED`.
#[derive(Clone, Copy, Debug)]
pub struct DataDir<'a>(&'a Path);

impl<'a> DataDir<'a> {
    /// Where a node keeps its data that was told nothing else, below the folder that it was started in.
    pub const DEFAULT: &'static str = "tradewind-data";

    /// The layout below `path`, whether that exists or not.
    #[must_use]
    pub const fn new(path: &'a Path) -> Self {
        Self(path)
    }

    /// The folder of the journal: segments, snapshots, what recovery set aside, and the lock of its writer. The node
    /// writes it, and `journal retain` while no node runs; the names within are those of `tradewind_journal`.
    #[must_use]
    pub fn journal(self) -> PathBuf {
        self.0.join("journal")
    }

    /// The folder of the audit trail: who signed the journal, and what.
    #[must_use]
    pub(crate) fn audit(self) -> PathBuf {
        self.0.join("audit")
    }

    /// The secret key that signs the journal, unless the settings name another. The first start of a node makes it.
    #[must_use]
    pub(crate) fn audit_key(self) -> PathBuf {
        self.audit().join("key")
    }

    /// The public half of the key, for whoever verifies. The node writes it with the first signature.
    #[must_use]
    pub(crate) fn audit_public_key(self) -> PathBuf {
        self.audit().join("key.pub")
    }

    /// The signed checkpoints, a line each. The node appends to them.
    #[must_use]
    pub(crate) fn checkpoints(self) -> PathBuf {
        self.audit().join("checkpoints.jsonl")
    }

    /// Where a start puts checkpoints up to record `to` that are ahead of a journal which was rolled back.
    #[must_use]
    pub(crate) fn checkpoints_ahead(self, to: Sequence) -> PathBuf {
        self.audit().join(format!("checkpoints.{to}.ahead"))
    }

    /// The signed statements of what was removed from the journal, a line each. `journal retain` appends to them.
    #[must_use]
    pub(crate) fn removals(self) -> PathBuf {
        self.audit().join("removals.jsonl")
    }

    /// The kill switch over everything: trading is halted while this file is there. Anybody may write it, the node does too.
    #[must_use]
    pub(crate) fn halted(self) -> PathBuf {
        self.0.join("HALTED")
    }

    /// What else is stopped: the kill switches over venues, accounts and sources. The node writes it.
    #[must_use]
    pub(crate) fn latched(self) -> PathBuf {
        self.0.join("LATCHED")
    }

    /// The socket on which a running node hears people. It makes it at its start and takes it away at its end. Ask
    /// [`socket_path`](crate::socket_path), which knows where it is when this path is too long.
    #[must_use]
    pub(crate) fn control_socket(self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// A data directory within: the run on a simulated market that one begun at `at` has set aside.
    #[must_use]
    pub(crate) fn earlier(self, at: Timestamp) -> PathBuf {
        self.0.join("earlier").join(at.to_string().replace(':', "-"))
    }

    /// The page about the first portfolio of a demo, which writes it at its end.
    #[must_use]
    pub fn report(self) -> PathBuf {
        self.0.join("report.html")
    }

    /// The page about another portfolio of a demo, by the strategy that it follows.
    #[must_use]
    pub fn report_of(self, strategy: &str) -> PathBuf {
        self.0.join(format!("report-{strategy}.html"))
    }

    /// What `doctor` writes and takes away again, to learn whether it can.
    #[must_use]
    pub fn probe(self) -> PathBuf {
        self.0.join(".doctor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_lies_where_earlier_versions_put_it() {
        let dir = DataDir::new(Path::new("data"));
        let at = Timestamp::from_millis(1_700_000_000_500);
        for (path, want) in [
            (dir.journal(), "data/journal"),
            (dir.audit(), "data/audit"),
            (dir.audit_key(), "data/audit/key"),
            (dir.audit_public_key(), "data/audit/key.pub"),
            (dir.checkpoints(), "data/audit/checkpoints.jsonl"),
            (dir.checkpoints_ahead(17), "data/audit/checkpoints.17.ahead"),
            (dir.removals(), "data/audit/removals.jsonl"),
            (dir.halted(), "data/HALTED"),
            (dir.latched(), "data/LATCHED"),
            (dir.control_socket(), "data/control.sock"),
            (dir.earlier(at), "data/earlier/2023-11-14T22-13-20.5Z"),
            (dir.report(), "data/report.html"),
            (dir.report_of("vote"), "data/report-vote.html"),
            (dir.probe(), "data/.doctor"),
        ] {
            assert_eq!(path, Path::new(want));
        }
        assert_eq!(DataDir::DEFAULT, "tradewind-data");
    }
}
