//! Why the exchange does not start.

use std::path::PathBuf;
use tradewind_domain::{Coded, ErrorCode};

tradewind_domain::codes! {
    "EXC-01" "the port is in use" "choose another port, or 0 for any free one";
    "EXC-02" "the address cannot be listened on" "see the cause; ports below 1024 need rights, the loopback interface must be up";
    "EXC-03" "the tape cannot be read" "check the file with `tradewind data check FILE`";
    "EXC-04" "the tape is shorter than the history asked for" "use a longer file or ask for less history";
    "EXC-05" "a setting of the exchange contradicts itself" "see the message for the field and the value it must have";
}

/// Why a local exchange could not be started. Once it runs, it answers errors in its venue's own words.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Somebody else listens there.
    #[error("port {port} on 127.0.0.1 is in use")]
    PortInUse {
        /// The port asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The socket could not be opened for another reason.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file could not be read as bars or trades.
    #[error("cannot read the tape {path}: {reason}")]
    TapeUnreadable {
        /// Which file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The file holds nothing to play.
    #[error("{tape} holds {rows} rows, and {history} of them are to be history: nothing is left to play")]
    TapeTooShort {
        /// Which tape.
        tape: String,
        /// Rows in it.
        rows: usize,
        /// Rows asked for as history.
        history: usize,
    },
    /// A setting contradicts itself.
    #[error("{setting}: {reason}")]
    Setting {
        /// Which field of the configuration.
        setting: &'static str,
        /// The value and what is wrong with it.
        reason: String,
    },
}

impl Coded for ExchangeError {
    fn code(&self) -> &'static str {
        match self {
            Self::PortInUse { .. } => "EXC-01",
            Self::Listen { .. } => "EXC-02",
            Self::TapeUnreadable { .. } => "EXC-03",
            Self::TapeTooShort { .. } => "EXC-04",
            Self::Setting { .. } => "EXC-05",
        }
    }
    fn hint(&self) -> &'static str {
        ErrorCode::hint_of(CODES, self.code())
    }
}
