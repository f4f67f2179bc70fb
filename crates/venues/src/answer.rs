//! Reads what came over the wire: each way in which an answer can be unusable has a name of its own.

use crate::error::{Coded, hint_of};
use serde::de::DeserializeOwned;

/// Longest quotation of an answer, in characters.
const QUOTED: usize = 120;
/// Most levels of lists and objects; the venue's answers have six.
const MOST_DEPTH: usize = 64;

/// An answer that cannot be used. The quotation is bounded, printable and without anything like a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Neither JSON nor a page.
    #[error("the answer is not JSON: `{quote}`")]
    Garbage {
        /// How it begins.
        quote: String,
    },
    /// A web page.
    #[error("the answer is a web page: `{quote}`")]
    Page {
        /// How it begins.
        quote: String,
    },
    /// JSON that stops before its end.
    #[error("the answer stops after {bytes} bytes: `{quote}`")]
    CutOff {
        /// How many came.
        bytes: usize,
        /// How it begins.
        quote: String,
    },
    /// Nothing at all.
    #[error("the answer is empty")]
    Empty,
    /// Sound JSON that says something else.
    #[error("the answer has another shape ({why}): `{quote}`")]
    OtherShape {
        /// What was expected, and where.
        why: String,
        /// How it begins.
        quote: String,
    },
    /// JSON with more levels than any sound answer has.
    #[error("the answer is nested more than {limit} levels deep")]
    TooDeep {
        /// How many were allowed.
        limit: usize,
    },
    /// A sound answer to another request.
    #[error("the answer belongs to another request ({why}): `{quote}`")]
    OtherRequest {
        /// What was asked, and what was answered.
        why: String,
        /// How it begins.
        quote: String,
    },
    /// More bytes than any sound answer has.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// How many were allowed.
        limit: usize,
    },
}

impl Coded for AnswerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Garbage { .. } => "VEN-01",
            Self::Page { .. } => "VEN-02",
            Self::CutOff { .. } => "VEN-03",
            Self::Empty => "VEN-04",
            Self::OtherShape { .. } => "VEN-05",
            Self::TooLarge { .. } => "VEN-25",
            Self::TooDeep { .. } => "VEN-31",
            Self::OtherRequest { .. } => "VEN-32",
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Reads `bytes` as JSON of the shape `T`; unknown fields are ignored.
///
/// # Errors
/// [`AnswerError`] names what is wrong and quotes how the answer begins.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AnswerError> {
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Err(AnswerError::Empty);
    }
    if is_deeper_than(text, MOST_DEPTH) {
        return Err(AnswerError::TooDeep { limit: MOST_DEPTH });
    }
    serde_json::from_slice(text).map_err(|error| {
        let quote = quote(text);
        match error.classify() {
            _ if text[0] == b'<' => AnswerError::Page { quote },
            serde_json::error::Category::Eof => AnswerError::CutOff { bytes: bytes.len(), quote },
            serde_json::error::Category::Data => AnswerError::OtherShape { why: error.to_string(), quote },
            // a list where an object is read goes on where that has all its fields
            _ if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() => {
                AnswerError::OtherShape { why: error.to_string(), quote }
            }
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => AnswerError::Garbage { quote },
        }
    })
}

/// Whether lists and objects stand in one another more than `most` deep.
fn is_deeper_than(text: &[u8], most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => (),
        }
    }
    false
}

/// The beginning of a text: printable, bounded, and with words of 40 or more characters, such as keys and
/// signatures, masked.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(4 * QUOTED)];
    let text: String = String::from_utf8_lossy(head).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '%');
    let mut quoted = String::new();
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if in_word(c) {
            word.push(c);
        } else {
            quoted.push_str(if word.len() >= 40 { "***" } else { &word });
            word.clear();
            quoted.push(c);
        }
    }
    let mut short: String = quoted.trim_end().chars().take(QUOTED).collect();
    if short.len() < quoted.trim_end().len() || head.len() < bytes.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binance::wire::ServerTime;
    use proptest::prelude::*;

    fn check(text: &[u8], code: &str) {
        let error = read_json::<ServerTime>(text).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.hint().is_empty());
    }

    #[test]
    fn each_unusable_answer_has_its_own_code() {
        check(b"\xff\xfe\x00garbage", "VEN-01");
        check(b"Service Unavailable", "VEN-01");
        check(b"{\"serverTime\":1}{\"serverTime\":2}", "VEN-01");
        check(b"<!DOCTYPE html><html>maintenance</html>", "VEN-02");
        check(b"{\"serverTime\":149982", "VEN-03");
        check(b"{\"serverTime\"", "VEN-03");
        check(b"", "VEN-04");
        check(b"  \r\n", "VEN-04");
        check(b"{\"serverTime\":\"soon\"}", "VEN-05");
        check(b"[]", "VEN-05");
        check(b"[1,2,3]", "VEN-05");
        let deep = [b"{\"x\":".as_slice(), &b"[".repeat(10_000)].concat();
        check(&deep, "VEN-31");
        let strings = format!("{{\"serverTime\":1,\"x\":\"{}\\\"{}\"}}", "[".repeat(99), "{".repeat(99));
        assert!(read_json::<ServerTime>(strings.as_bytes()).is_ok(), "brackets of a text are no levels");
        assert!(read_json::<ServerTime>(b"{\"serverTime\":1,\"new\":{}}").is_ok());
    }

    #[test]
    fn quotations_are_short_and_hide_keys() {
        let key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
        let quoted = quote(format!("{{\"apiKey\":\"{key}\",\"msg\":\"{}\"}}", "no ".repeat(100)).as_bytes());
        assert!(quoted.starts_with("{\"apiKey\":\"***\",\"msg\":\"no no"), "{quoted}");
        assert_eq!(quoted.chars().count(), QUOTED + 1);
        assert_eq!(quote(b"a\nb"), "a b");
    }

    proptest! {
        /// Whatever arrives, reading it neither panics nor quotes more than the bound.
        #[test]
        fn any_bytes_are_read_or_named(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Err(error) = read_json::<ServerTime>(&bytes) {
                prop_assert!(error.to_string().chars().count() < 2 * QUOTED + 120);
            }
        }
    }
}
