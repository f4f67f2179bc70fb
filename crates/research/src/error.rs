//! The crate's error codes and their hints.

use tradewind_domain::ErrorCode;

tradewind_domain::codes! {
    "BT-01" "a bar is of another instrument than the backtest" "feed one file of one instrument";
    "BT-02" "a bar is not later than the one before it" "run `tradewind data check` on the file";
    "BT-03" "equity is no number that statistics can use" "check the prices of the file around that bar";
    "BT-04" "the report's statistics cannot be computed" "see the cause for the figure; conventions come from the configuration, prices from the file";
    "BT-05" "a bar is later than the end of its contract" "cut the file at the expiry, or name the contract that it is of";
}

/// Looks up the hint of a code of [`CODES`].
pub(crate) fn hint_of(code: &str) -> &'static str {
    ErrorCode::hint_of(CODES, code)
}
