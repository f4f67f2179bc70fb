//! Why a node does not start, or stops.

use std::path::PathBuf;
use tradewind_domain::{Coded, ErrorCode};

tradewind_domain::codes! {
    "CFG-01" "the settings cannot be read" "write one with `tradewind config template > tradewind.toml`";
    "CFG-02" "a line of the settings is wrong" "see `tradewind config template` for every key with its unit";
    "CFG-03" "two settings contradict" "change one of the two";
    "NODE-01" "the symbol is not traded here, or the venue does not list it" "check `symbols` against what the venue lists";
    "NODE-02" "a strategy cannot be built" "see `tradewind strategy list` and `tradewind strategy show NAME`";
    "NODE-03" "live mode lacks something" "run `tradewind doctor` to see what live mode still needs";
    "NODE-04" "the control socket cannot be opened" "stop the other process or use another data directory";
    "NODE-05" "no node is running with this data directory" "start one with `tradewind paper` or `tradewind demo`, or name its --data-dir";
    "NODE-06" "the node said no" "see the code in the message";
    "NODE-07" "the engine has stopped" "look at the log for the reason and start again";
    "NODE-09" "there is no such portfolio" "the message names those there are";
    "NODE-10" "the order cannot be cancelled" "see `tradewind order list`";
    "NODE-11" "nothing is held of the symbol" "see `tradewind position list`";
    "NODE-12" "the time in force cannot be read" "gtc, ioc, fok or a moment such as 2026-12-31T23:59:00Z";
    "NODE-13" "the request on the control socket cannot be read" "use the command line of the same version";
    "NODE-14" "the order was approved and not sent" "see its last events: `tradewind journal show`";
    "NODE-15" "the data directory cannot be made" "choose a directory that can be made and written, with --data-dir";
    "NODE-16" "the user stream does not come up" "check venue.ws_api_url, the key and whether the venue is up, then start again";
    "NODE-17" "the system gives no random numbers" "check /dev/urandom and what the system allows this process";
    "NODE-18" "the engine's thread cannot be made" "check the limits on threads and memory of this process";
    "NODE-19" "the node does not answer on its control socket" "look at its log; if it hangs, end it and start again: the journal recovers";
    "NODE-30" "the identity is not proven" "name an operator of the settings with --as and the file of its token with --token-file";
    "NODE-31" "this node knows its operators by name" "say who you are with --as NAME and --token-file FILE; `tradewind halt` needs no name";
    "NODE-32" "the idempotency key cannot be used" "1 to 64 printable ASCII characters without spaces, with a command that places or replaces orders";
    "NODE-33" "the scope of a kill switch cannot be read" "venue:NAME, account:NUMBER or source:NAME; for everything leave --scope out";
    "NODE-34" "the limit cannot be set" "use a name and a value as in the settings, such as max_order 5%";
    "NODE-35" "the audit trail cannot be read, written or signed" "see the message for the file; a key must be readable by its owner alone";
    "NODE-36" "what keeps trading stopped cannot be kept on disk" "free space or make the data directory writable, then start again";
    "NODE-37" "another program trades with this key" "stop it first, or give this one a key of its own: two programs on one key cannot know all its orders";
    "NODE-38" "the data directory was written by a later version of this program" "start it with that version or a later one; nothing was changed";
    "NODE-40" "the roll-out cannot be moved there" "see `tradewind limits stage show`; a roll-out begins with `governance.stage` in the settings";
    "NODE-41" "the control socket answers the owner of this process alone" "run the command as the user that runs the node";
    "NODE-42" "the name of a decision cannot be used" "1 to 64 printable ASCII characters without spaces, with a command that places or replaces orders";
    "NODE-43" "the kill key cannot be used, or none is set" "make one of 32 bytes or more: `head -c 32 /dev/urandom | base64 > kill.key && chmod 600 kill.key`, and name it in governance.kill_key";
    "NODE-44" "the signed call cannot be read" "a reason of one line and at most 256 bytes, a nonce of 32 and a signature of 64 lowercase hex digits";
    "NODE-45" "the call is not signed by the kill key" "sign with the key that governance.kill_key names; docs/governance.md shows the signed text";
    "NODE-46" "the signed call is too old, or of the future" "sign again: a call counts for 60 seconds; check both clocks";
    "NODE-47" "the signed call was accepted before" "sign again with a fresh nonce: a call counts once";
    "NODE-48" "an earlier run cannot be moved aside" "make the data directory writable, or name another one with --data-dir";
    "NODE-49" "the scope of a kill switch covers nothing here" "the message names what there is; for everything leave --scope out";
    "NODE-50" "the audit trail signs nothing, or not the end of a run that ended in order" "somebody took signatures away, or the node could not write them, or was killed as it ended (the next start then signs the rest): compare with your copies, `--anchor FILE --key HEX`; without copies nothing proves these records";
    "NODE-51" "paper mode would trade where money is real" "name the venue's demo mode, as `tradewind config template` does, or a `tradewind exchange` on this machine; for real money set mode = \"live\" and meet its conditions (`tradewind doctor`)";
    "NODE-52" "the order of another hand cannot be adopted" "cancel it where it was placed, or leave it: until then it counts in every limit";
}

/// Looks up the hint of a code of [`CODES`].
pub(crate) fn hint_of(code: &str) -> &'static str {
    ErrorCode::hint_of(CODES, code)
}

/// Why a node does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The journal cannot be opened.
    #[error("the journal in {} cannot be opened: {source}", dir.display())]
    Journal {
        /// Where it is.
        dir: PathBuf,
        /// Why.
        #[source]
        source: Box<tradewind_journal::OpenError>,
    },
    /// The journal cannot be written any more; nothing leaves without it.
    #[error("the journal cannot be written: {0}")]
    Append(#[from] tradewind_journal::AppendError),
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] tradewind_journal::ReadError),
    /// A record of the journal is not ours.
    #[error("record {sequence} of the journal: {source}")]
    Record {
        /// Which record.
        sequence: u64,
        /// Why.
        #[source]
        source: tradewind_engine::CodecError,
    },
    /// The venue was not asked, or did not answer, what start-up needs.
    #[error("asking the venue at {url} failed: {source}")]
    Venue {
        /// Which venue.
        url: String,
        /// Why.
        #[source]
        source: Box<tradewind_venues::QueryError>,
    },
    /// The venue does not list what is to be traded.
    #[error("{0}")]
    Listing(String),
    /// A key cannot be read.
    #[error(transparent)]
    Secret(#[from] tradewind_venues::SecretError),
    /// A strategy cannot be built.
    #[error("strategy: {0}")]
    Strategy(String),
    /// Live mode lacks something.
    #[error("live mode: {0}")]
    Live(String),
    /// Paper mode would send its orders to where money is real.
    #[error("paper mode would trade at {url}, where money is real")]
    RealMoney {
        /// The address that orders would go to.
        url: String,
    },
    /// Another process holds the control socket, or it cannot be made.
    #[error("the control socket {} cannot be opened", path.display())]
    Control {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An earlier run cannot be moved aside.
    #[error("the earlier run cannot be moved aside: {}: {source}", path.display())]
    SetAside {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The data directory cannot be made.
    #[error("the data directory {} cannot be made: {source}", path.display())]
    DataDir {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The venue does not tell what happens to orders; nothing is traded blind.
    #[error("the user stream at {url} does not come up: {reason}")]
    UserStream {
        /// Which venue.
        url: String,
        /// Why, as far as it was said.
        reason: String,
    },
    /// The system gives no random numbers for this run's identity.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// The engine's thread cannot be made.
    #[error("the engine's thread cannot be made: {0}")]
    Thread(#[source] std::io::Error),
    /// The node does not answer on its control socket.
    #[error("the node at {} does not answer: {reason}", path.display())]
    NoAnswer {
        /// Where.
        path: PathBuf,
        /// What came instead.
        reason: String,
    },
    /// No node is running there.
    #[error("no node is running with the data directory {}", dir.display())]
    NotRunning {
        /// Which directory.
        dir: PathBuf,
    },
    /// The node said no.
    #[error("{message}")]
    Refused {
        /// The node's code.
        code: String,
        /// The node's words.
        message: String,
    },
    /// The key of the kill switch cannot be used.
    #[error("the kill key {}: {reason}", path.display())]
    KillKey {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The audit trail cannot be read, written or signed.
    #[error("audit trail: {}: {reason}", path.display())]
    Audit {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The disk is full, or the file may not grow.
    #[error("{} cannot be written: {source}", path.display())]
    Full {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The journal cannot be thinned out.
    #[error("the journal cannot be thinned out: {0}")]
    Retain(#[source] tradewind_journal::RetainError),
    /// The file of the kill switch cannot be written.
    #[error("the kill switch cannot be kept: {0}")]
    Latch(#[source] std::io::Error),
    /// The journal was written by a later decision logic.
    #[error("the journal was written by decision logic {written}, which is later than this program's")]
    Newer {
        /// The logic that wrote it.
        written: u32,
    },
    /// Another program trades with this key, or that cannot be ruled out.
    #[error("the lock {} of this key cannot be taken: {reason}", path.display())]
    KeyInUse {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine's thread ended.
    #[error("the engine has stopped")]
    Stopped,
}

impl Coded for NodeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Journal { source, .. } => source.code(),
            Self::Append(source) => source.code(),
            Self::Read(source) => source.code(),
            Self::Record { source, .. } => source.code(),
            Self::Venue { source, .. } => source.code(),
            Self::Listing(_) => "NODE-01",
            Self::Secret(source) => source.code(),
            Self::Strategy(_) => "NODE-02",
            Self::Live(_) => "NODE-03",
            Self::RealMoney { .. } => "NODE-51",
            Self::Control { .. } => "NODE-04",
            Self::DataDir { .. } => "NODE-15",
            Self::SetAside { .. } => "NODE-48",
            Self::UserStream { .. } => "NODE-16",
            Self::Random(_) => "NODE-17",
            Self::Thread(_) => "NODE-18",
            Self::NoAnswer { .. } => "NODE-19",
            Self::NotRunning { .. } => "NODE-05",
            Self::Refused { .. } => "NODE-06",
            Self::KillKey { .. } => "NODE-43",
            Self::Audit { .. } => "NODE-35",
            Self::Retain(source) => source.code(),
            Self::Full { .. } => "JRN-05",
            Self::Latch(_) => "NODE-36",
            Self::KeyInUse { .. } => "NODE-37",
            Self::Newer { .. } => "NODE-38",
            Self::Stopped => "NODE-07",
        }
    }
    fn hint(&self) -> &'static str {
        match self {
            Self::Journal { source, .. } => source.hint(),
            Self::Append(source) => source.hint(),
            Self::Read(source) => source.hint(),
            Self::Record { source, .. } => source.hint(),
            Self::Venue { source, .. } => source.hint(),
            Self::Secret(source) => source.hint(),
            Self::Retain(source) => source.hint(),
            Self::Full { .. } => {
                let of = |(code, ..): &&(&str, &str, &str)| *code == "JRN-05";
                tradewind_journal::CODES.iter().find(of).map_or("", |(.., hint)| hint)
            }
            _ => hint_of(self.code()),
        }
    }
}
