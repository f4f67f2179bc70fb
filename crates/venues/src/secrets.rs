//! Keys of a venue: read from a file, an open descriptor or the environment, never from the command line.

use crate::error::{Coded, hint_of};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Where a secret stands: `file:/path`, `fd:3` or `env:NAME`.
///
/// The text of a source is not secret and may stand in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file that holds nothing else.
    File(PathBuf),
    /// An open file descriptor, such as one that a supervisor hands over.
    Descriptor(u32),
    /// An environment variable.
    Environment(String),
}

/// Why a secret could not be read. Never quotes a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The source is not written as one.
    #[error("`{0}` does not name a place for a secret: write env:NAME, file:PATH or fd:N, never the secret itself")]
    Source(String),
    /// The place cannot be read.
    #[error("the secret at {place} cannot be read")]
    Unreadable {
        /// Which place.
        place: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// Nothing stands there, or no text.
    #[error("the secret at {0} is empty or not text")]
    Empty(String),
    /// The text is no key of a kind that the venue takes.
    #[error("the secret is not a key of a known kind: {0}")]
    NotAKey(&'static str),
}

impl Coded for SecretError {
    fn code(&self) -> &'static str {
        match self {
            Self::Source(_) | Self::Unreadable { .. } | Self::Empty(_) => "VEN-17",
            Self::NotAKey(_) => "VEN-18",
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

impl FromStr for SecretSource {
    type Err = SecretError;
    fn from_str(text: &str) -> Result<Self, SecretError> {
        let wrong = || {
            // a person who pasted the secret itself must not find any of it in a log
            let kind = text.split_once(':').map(|(kind, _)| kind).filter(|kind| matches!(*kind, "file" | "fd" | "env"));
            SecretError::Source(kind.map_or_else(|| "…".to_owned(), |kind| format!("{kind}:…")))
        };
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("fd", number)) => number.parse().map(Self::Descriptor).map_err(|_| wrong()),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::Environment(name) => write!(f, "env:{name}"),
        }
    }
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // what is no text is not quoted either
        let text = String::deserialize(deserializer).map_err(|_| de::Error::custom(SecretError::Source("…".into())))?;
        text.parse().map_err(de::Error::custom)
    }
}

impl SecretSource {
    /// Reads the secret, without white space around it.
    ///
    /// # Errors
    /// [`SecretError`] if nothing can be read or nothing stands there.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let unreadable = |cause| SecretError::Unreadable { place: self.to_string(), cause };
        let text = Zeroizing::new(match self {
            Self::File(path) => std::fs::read_to_string(path).map_err(unreadable)?,
            Self::Descriptor(number) => std::fs::read_to_string(format!("/dev/fd/{number}")).map_err(unreadable)?,
            Self::Environment(name) => std::env::var(name).map_err(|_| SecretError::Empty(self.to_string()))?,
        });
        match text.trim() {
            "" => Err(SecretError::Empty(self.to_string())),
            secret => Ok(SecretString::from(secret)),
        }
    }
}

/// The public name of a key pair. `Debug` and `Display` show its first four characters only.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }
    /// Reads it from its place.
    ///
    /// # Errors
    /// As [`SecretSource::read`].
    pub fn read(source: &SecretSource) -> Result<Self, SecretError> {
        source.read().map(Self)
    }
    /// The text, for the header that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String =
            if self.expose().len() >= 16 { self.expose().chars().take(4).collect() } else { String::new() };
        write!(f, "ApiKey({shown}…)")
    }
}
impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The secret half of a key pair. `Debug` shows nothing of it; memory is wiped when it is dropped.
#[derive(Clone)]
pub struct ApiSecret(SecretString);

impl ApiSecret {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }
    /// Reads it from its place.
    ///
    /// # Errors
    /// As [`SecretSource::read`].
    pub fn read(source: &SecretSource) -> Result<Self, SecretError> {
        source.read().map(Self)
    }
    /// The text, for the one place that signs with it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn secrets_are_read_from_file_descriptor_and_environment() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "  hush-hush-hush-hush ").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let open = std::fs::File::open(&path).unwrap();
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&open);
        for source in [format!("file:{path}"), format!("fd:{descriptor}")] {
            let source: SecretSource = source.parse().unwrap();
            assert_eq!(source.read().unwrap().expose_secret(), "hush-hush-hush-hush", "{source}");
        }
        let path_variable: SecretSource = "env:PATH".parse().unwrap();
        assert_eq!(path_variable.read().unwrap().expose_secret(), std::env::var("PATH").unwrap().trim());
    }

    #[test]
    fn what_cannot_be_read_is_named_without_quoting_a_secret() {
        for (text, code) in [
            ("hush-hush-hush-hush", "VEN-17"),
            ("my-very-secret-key:x", "VEN-17"),
            ("fd:x", "VEN-17"),
            ("file:", "VEN-17"),
            ("file:/nowhere/at/all", "VEN-17"),
            ("env:TRADEWIND_NO_SUCH_VARIABLE", "VEN-17"),
        ] {
            let error = text.parse::<SecretSource>().and_then(|source| source.read().map(|_| ())).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(!error.to_string().contains("hush") && !error.to_string().contains("very"), "{error}");
            assert!(!error.hint().is_empty());
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", ApiSecret::new("hush")), "ApiSecret(…)");
        assert_eq!(format!("{:?}", ApiKey::new("abcdefghijklmnopqrst")), "ApiKey(abcd…)");
        assert_eq!(format!("{}", ApiKey::new("short")), "ApiKey(…)");
    }
}
