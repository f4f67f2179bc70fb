//! The crate's error codes and their hints.

use tradewind_domain::ErrorCode;

tradewind_domain::codes! {
    "ENG-01" "the record has a newer schema" "use the program that wrote it, or a newer one";
    "ENG-02" "the record cannot be read" "run `tradewind journal verify` to see whether the file was changed";
    "ENG-03" "deciding again gives something else than was recorded" "keep the data directory; if its logic version is this program's, report it: it is a fault of ours";
    "ENG-10" "the plan does not fit its order" "see the value in the message; `tradewind order --help` shows each plan with an example";
}

/// Looks up the hint of a code of [`CODES`].
pub(crate) fn hint_of(code: &str) -> &'static str {
    ErrorCode::hint_of(CODES, code)
}
