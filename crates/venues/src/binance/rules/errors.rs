//! What a refusal means. Only codes on the list are believed to be definitive; everything else leaves the
//! outcome unknown.
//!
//! Source: `errors.md` and "HTTP Return Codes" in `rest-api.md`.

use std::time::Duration;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new order.
    Submit,
    /// A cancel, or another request that only takes away.
    Cancel,
    /// A question.
    Query,
}

/// What the refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It certainly was not carried out; the code is ours.
    Rejected(&'static str),
    /// The venue has no such order, or none yet.
    NotFound,
    /// It may have been carried out, and the venue says so.
    Unsure,
    /// It may have been carried out: the code is not listed.
    Unlisted,
    /// Refused at the door: too many requests.
    TooMany,
    /// Refused at the door: this address is banned.
    Banned,
}

/// Codes with which the request never reached the matching engine, or with which the engine refused it.
const DEFINITIVE: &[i32] = &[
    -1002, -1013, -1014, -1020, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1114, -1115, -1116,
    -1117, -1118, -1119, -1121, -1122, -1128, -1130, -1134, -1135, -1145, -1158, -1160, -1165, -1166, -1168, -1196,
    -1197, -1198, -1199, -1220, -2010, -2011, -2026, -2038, -2039,
];

/// Judges a refusal with HTTP `status` and the body's `code` and `text`.
#[must_use]
pub fn judge(command: Command, status: u16, code: i32, text: &str) -> Verdict {
    match (status, code) {
        (418, _) => Verdict::Banned,
        (429, _) => Verdict::TooMany,
        (500.., _) | (_, -1006 | -1007) => Verdict::Unsure,
        (400..=499, -1003 | -1015) => Verdict::TooMany,
        (400..=499, -1021) => Verdict::Rejected("VEN-15"),
        (400..=499, -1022 | -2014 | -2015) => Verdict::Rejected("VEN-29"),
        (400..=499, -2013) if command == Command::Query => Verdict::NotFound,
        (400..=499, -2010) if command == Command::Submit && is_duplicate(text) => Verdict::Rejected("VEN-16"),
        (400..=499, code) if DEFINITIVE.contains(&code) => Verdict::Rejected("VEN-09"),
        _ => Verdict::Unlisted,
    }
}

/// Whether the matching engine already has an open order of this client id.
fn is_duplicate(text: &str) -> bool {
    text.starts_with("Duplicate order sent")
}

/// The value of a `Retry-After` header, in seconds.
#[must_use]
pub(crate) fn retry_after(header: Option<&str>) -> Option<Duration> {
    header.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: Command, status: u16, code: i32, text: &str, want: Verdict) {
        assert_eq!(judge(command, status, code, text), want, "{command:?} {status} {code} {text}");
    }

    #[test]
    fn only_listed_codes_are_definitive() {
        use Command::{Cancel, Query, Submit};
        let no = Verdict::Rejected("VEN-09");
        check(Submit, 400, -1013, "Filter failure: LOT_SIZE", no);
        check(Submit, 400, -2010, "Account has insufficient balance for requested action.", no);
        check(Submit, 400, -2010, "Order would immediately match and take.", no);
        check(Submit, 400, -2010, "The relationship of the prices for the orders is not correct.", no);
        check(Submit, 400, -1166, "A limit order in a sell OCO must be above.", no);
        check(Submit, 400, -2010, "Duplicate order sent.", Verdict::Rejected("VEN-16"));
        check(
            Submit,
            400,
            -1021,
            "Timestamp for this request is outside of the recvWindow.",
            Verdict::Rejected("VEN-15"),
        );
        check(Submit, 400, -1022, "Signature for this request is not valid.", Verdict::Rejected("VEN-29"));
        check(Submit, 401, -2015, "Invalid API-key, IP, or permissions for action.", Verdict::Rejected("VEN-29"));
        check(Cancel, 400, -2011, "Unknown order sent.", no);
        check(Cancel, 400, -2038, "The requested action would change no state; rejecting.", no);
        check(Query, 400, -2013, "Order does not exist.", Verdict::NotFound);
        // of these nobody knows what became
        check(Submit, 400, -1006, "An unexpected response was received from the message bus.", Verdict::Unsure);
        check(Submit, 400, -1007, "Timeout waiting for response from backend server.", Verdict::Unsure);
        check(Submit, 503, -1008, "Server is currently overloaded with other requests.", Verdict::Unsure);
        check(Submit, 502, 0, "", Verdict::Unsure);
        check(Submit, 500, -2010, "Duplicate order sent.", Verdict::Unsure);
        for code in [-1000, -1001, -1010, -1016, -1034, -2013, -2021, -9999, 0, 7] {
            check(Submit, 400, code, "", Verdict::Unlisted);
        }
        check(Submit, 403, 0, "", Verdict::Unlisted);
        check(Submit, 409, -2021, "Order cancel-replace partially failed.", Verdict::Unlisted);
        check(Submit, 200, -1013, "an error inside a success", Verdict::Unlisted);
        // at the door
        check(Submit, 429, -1003, "Too many requests", Verdict::TooMany);
        check(Submit, 429, -1015, "Too many new orders", Verdict::TooMany);
        check(Cancel, 418, -1003, "Way too much request weight used; IP banned", Verdict::Banned);
    }

    #[test]
    fn retry_after_is_seconds() {
        assert_eq!(retry_after(Some("120")), Some(Duration::from_secs(120)));
        assert_eq!(retry_after(Some("Wed, 21 Oct 2015 07:28:00 GMT")), None);
        assert_eq!(retry_after(None), None);
    }
}
