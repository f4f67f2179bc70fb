//! Commands that read, check and thin out what is on disk: journal and audit trail.

use clap::Subcommand;
use std::path::PathBuf;
use tradewind_governance::Name;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check every byte of a journal and every record against the signed checkpoints; exit 3 names the first bad one.
    #[command(
        after_help = "Example:\n  tradewind audit verify my-paper --anchor /safe/checkpoints.jsonl --key $(cat /safe/key.pub)"
    )]
    Verify {
        /// A data directory.
        dir: PathBuf,
        /// The public key as 64 hex digits; without it the one in the directory is believed.
        #[arg(long)]
        key: Option<String>,
        /// Checkpoints that were copied elsewhere: the last of them must be in this history.
        #[arg(long)]
        anchor: Option<PathBuf>,
    },
    /// Count the last 1,000 verdicts of the gate, in all and of each portfolio: passed, corrected, blocked, by which guard
    /// and on whose wish. Also while a node runs.
    #[command(after_help = "Example:\n  tradewind audit statistics my-paper -o json")]
    Statistics {
        /// A data directory.
        dir: PathBuf,
    },
    /// Print what led to each order and what became of it, a row each, as lines of JSON or as CSV.
    #[command(after_help = "Example:\n  tradewind audit export my-paper --csv > trail.csv")]
    Export {
        /// A data directory.
        dir: PathBuf,
        /// CSV for spreadsheets.
        #[arg(long)]
        csv: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// Check every byte; exit 3 names the first bad record.
    #[command(after_help = "Example:\n  tradewind journal verify my-paper")]
    Verify {
        /// A data directory, or a journal directory.
        dir: PathBuf,
    },
    /// Print records as lines of JSON; with `-o json` as one array.
    #[command(after_help = "Example:\n  tradewind journal show my-paper --from 100 --limit 20")]
    Show {
        /// A data directory, or a journal directory.
        dir: PathBuf,
        /// First record; without it the oldest one kept.
        #[arg(long)]
        from: Option<u64>,
        /// How many.
        #[arg(long)]
        limit: Option<u64>,
    },
    /// Copy a journal, also while a node writes it.
    #[command(after_help = "Example:\n  tradewind journal backup my-paper /backups/monday")]
    Backup {
        /// A data directory, or a journal directory.
        dir: PathBuf,
        /// An empty or new directory.
        to: PathBuf,
    },
    /// Remove what lies wholly before a snapshot. Not while a node runs.
    ///
    /// It is the newest snapshot that is at least two records older than the end: were those damaged, the next start would
    /// need it.
    ///
    /// Where the directory is signed, a statement of what goes is signed first, so that `audit verify` accepts it and
    /// names it.
    #[command(after_help = "Example:\n  tradewind journal retain my-paper --by anna")]
    Retain {
        /// A data directory, or a journal directory that nobody signs.
        dir: PathBuf,
        /// Who removes, for the statement.
        #[arg(long, value_name = "NAME", default_value = "operator", value_parser = name)]
        by: Name,
        /// The key that signs the directory, if it is not in it.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
}

/// Reads the name of a person.
fn name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}
