//! The kill switch by a signed call: whoever holds the key may stop trading, and nothing else.
//!
//! A watchdog, a cron job or another machine can throw the switch without a person's token. The call carries an
//! HMAC-SHA256 over a text that [`SignedHalt::text`] makes. It counts for 60 seconds around its moment and once: what was
//! accepted is remembered in the journal, so a restart does not make an old call good again.

use crate::error::NodeError;
use crate::operate::{OperatorReply, failed};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use tradewind_domain::Timestamp;
use tradewind_governance::HALT_CALLS_KEPT;

/// How far the moment of a call may lie from this machine's clock, either way, in milliseconds.
pub const KILL_WINDOW_MS: i64 = 60_000;
/// Fewest bytes of a key.
const KEY_BYTES_MIN: usize = 32;
/// Most bytes of a key.
const KEY_BYTES_MAX: usize = 4_096;
/// Most bytes of a reason.
const REASON_BYTES_MAX: usize = 256;

/// A call that stops trading, as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHalt {
    /// Why, for the record: one line of at most 256 bytes.
    pub reason: String,
    /// When it was signed, in milliseconds since 1970, UTC.
    pub issued_at: i64,
    /// 32 lowercase hex digits that no other call has.
    pub nonce: String,
    /// HMAC-SHA256 of [`Self::text`] in 64 lowercase hex digits.
    pub signature: String,
}

impl SignedHalt {
    /// What is signed: four lines, each ended by a line break.
    ///
    /// ```text
    /// tradewind halt v1
    /// issued_at 1763733600000
    /// nonce 00112233445566778899aabbccddeeff
    /// reason the exchange prints odd prices
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let Self { reason, issued_at, nonce, .. } = self;
        format!("tradewind halt v1\nissued_at {issued_at}\nnonce {nonce}\nreason {reason}\n")
    }

    /// What is wrong with its form, if anything: a text that could be read in two ways is not looked at.
    fn fault(&self) -> Option<String> {
        let is_hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if self.reason.len() > REASON_BYTES_MAX || self.reason.chars().any(char::is_control) {
            return Some(format!("a reason of {} bytes", self.reason.len()));
        }
        if !is_hex(&self.nonce, 32) {
            return Some(format!("the nonce `{}`", self.nonce.escape_debug()));
        }
        (!is_hex(&self.signature, 64)).then(|| format!("a signature of {} bytes", self.signature.len()))
    }
}

/// The secret that signs calls. Shows nothing of itself.
#[derive(Clone)]
pub struct KillKey(Hmac<Sha256>);

impl fmt::Debug for KillKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KillKey(..)")
    }
}

impl KillKey {
    /// Reads the key: the text of the file without white space around it, 32 to 4,096 bytes.
    ///
    /// # Errors
    /// [`NodeError::KillKey`] if it cannot be read, others than its owner can, or it is too short.
    pub fn read(path: &Path) -> Result<Self, NodeError> {
        use std::os::unix::fs::PermissionsExt;
        let unfit = |reason: String| NodeError::KillKey { path: path.to_owned(), reason };
        let failed = |error: std::io::Error| unfit(error.to_string());
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(unfit(format!("its mode is {:o}: others can read or write it", mode & 0o777)));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let key = text.trim();
        if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len()) {
            return Err(unfit(format!("it holds {} bytes, not {KEY_BYTES_MIN} to {KEY_BYTES_MAX}", key.len())));
        }
        Ok(Self::from_bytes(key.as_bytes()))
    }

    fn from_bytes(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// Signs a call of the moment `now`.
    ///
    /// # Errors
    /// [`NodeError::Random`] if the system gives no nonce.
    pub fn sign(&self, reason: &str, now: Timestamp) -> Result<SignedHalt, NodeError> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| NodeError::Random(error.to_string()))?;
        let reason: String = reason.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
        let mut call =
            SignedHalt { reason, issued_at: now.millis(), nonce: hex::encode(nonce), signature: String::new() };
        let mac = self.0.clone().chain_update(call.text());
        call.signature = hex::encode(mac.finalize().into_bytes());
        Ok(call)
    }

    /// Whether this key signed `call`; takes as long for a wrong signature as for a right one.
    fn signed(&self, call: &SignedHalt) -> bool {
        let mut signature = [0; 32];
        hex::decode_to_slice(&call.signature, &mut signature).is_ok()
            && self.0.clone().chain_update(call.text()).verify_slice(&signature).is_ok()
    }
}

/// Who is let through to the kill switch.
#[derive(Debug, Default)]
pub(crate) struct KillCalls {
    key: Option<KillKey>,
    /// Calls that were accepted, by moment and nonce.
    seen: BTreeSet<(i64, String)>,
}

impl KillCalls {
    /// The door of a node with this key, if it has one; `seen` is what the journal knows of earlier calls.
    pub(crate) fn new(key: Option<KillKey>, seen: BTreeSet<(i64, String)>) -> Self {
        Self { key, seen }
    }

    /// Accepts a call at most once.
    ///
    /// # Errors
    /// The answer for whoever called. Nothing of an unproven call is looked at but its form.
    pub(crate) fn admit(&mut self, call: &SignedHalt, now: Timestamp) -> Result<(), OperatorReply> {
        let no = |code, message: String| Err(failed(code, message, crate::error::hint_of(code)));
        let Some(key) = &self.key else {
            return no("NODE-43", "this node takes no signed call: governance.kill_key is not set".to_owned());
        };
        if let Some(fault) = call.fault() {
            return no("NODE-44", format!("the signed call cannot be read: {fault}"));
        }
        if !key.signed(call) {
            return no("NODE-45", format!("the call {} is not signed by the kill key", call.nonce));
        }
        let age = now.millis().saturating_sub(call.issued_at);
        if !(-KILL_WINDOW_MS..=KILL_WINDOW_MS).contains(&age) {
            return no("NODE-46", format!("the call was signed {age} ms ago, against {KILL_WINDOW_MS} ms either way"));
        }
        let place = (call.issued_at, call.nonce.clone());
        if self.seen.iter().any(|(_, nonce)| *nonce == call.nonce) {
            return no("NODE-47", format!("the call {} was accepted before", call.nonce));
        }
        self.seen.insert(place);
        while self.seen.len() > HALT_CALLS_KEPT {
            self.seen.pop_first(); // the oldest, which its age refuses
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_763_733_600_000);

    fn door() -> KillCalls {
        KillCalls::new(Some(KillKey::from_bytes(&[7; 32])), BTreeSet::new())
    }
    fn call() -> SignedHalt {
        KillKey::from_bytes(&[7; 32]).sign("odd prices", NOW).unwrap()
    }
    fn code(answer: Result<(), OperatorReply>) -> String {
        match answer {
            Err(OperatorReply::Failed { code, .. }) => code,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_signature_is_the_one_that_openssl_makes() {
        // printf 'tradewind halt v1\nissued_at 1763733600000\nnonce 00112233445566778899aabbccddeeff\nreason odd prices\n' \
        //   | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        let call = SignedHalt {
            reason: "odd prices".to_owned(),
            issued_at: 1_763_733_600_000,
            nonce: "00112233445566778899aabbccddeeff".to_owned(),
            signature: "1eab2df5f13f4f12726565a18b6e0c5aec9c15b88f090742f7ebad8048332e7d".to_owned(),
        };
        let mut door = KillCalls::new(Some(KillKey::from_bytes(b"0123456789abcdef0123456789abcdef")), BTreeSet::new());
        assert_eq!(code(door.admit(&call, NOW)), "Ok(())");
    }

    #[test]
    fn whatever_is_changed_in_a_call_makes_it_another() {
        let changes: [fn(&mut SignedHalt); 4] = [
            |it| it.reason.push('!'),
            |it| it.issued_at += 1,
            |it| it.nonce = "0".repeat(32),
            |it| it.signature = "0".repeat(64),
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut changed = call();
            change(&mut changed);
            assert_eq!(code(door().admit(&changed, NOW)), "NODE-45", "{place}");
        }
        let other = KillKey::from_bytes(&[8; 32]).sign("odd prices", NOW).unwrap();
        assert_eq!(code(door().admit(&other, NOW)), "NODE-45", "another key");
        assert_eq!(code(KillCalls::default().admit(&call(), NOW)), "NODE-43");
    }

    #[test]
    fn a_call_that_could_be_read_in_two_ways_is_not_read() {
        let changes: [fn(&mut SignedHalt); 6] = [
            |it| it.reason = "odd\nnonce 1".to_owned(),
            |it| it.reason = "x".repeat(257),
            |it| it.nonce = "0011".to_owned(),
            |it| it.nonce = it.nonce.to_uppercase() + "X",
            |it| it.signature.truncate(62),
            |it| it.signature = "g".repeat(64),
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut changed = call();
            change(&mut changed);
            assert_eq!(code(door().admit(&changed, NOW)), "NODE-44", "{place}");
        }
        assert!(KillKey::from_bytes(&[7; 32]).sign("two\nlines", NOW).unwrap().fault().is_none());
    }

    #[test]
    fn a_call_counts_for_a_minute_either_way_and_once() {
        for (age, want) in [
            (60_000, "Ok(())"),
            (60_001, "NODE-46"),
            (-60_000, "Ok(())"),
            (-60_001, "NODE-46"),
            (i64::MAX / 2, "NODE-46"),
        ] {
            let now = Timestamp::from_millis((NOW.millis() + age).min(i64::MAX / 1_000_000));
            assert_eq!(code(door().admit(&call(), now)), want, "{age}");
        }
        let mut door = door();
        let (first, later) = (call(), Timestamp::from_millis(NOW.millis() + 60_000));
        let second = KillKey::from_bytes(&[7; 32]).sign("again", later).unwrap();
        assert_eq!(code(door.admit(&first, NOW)), "Ok(())");
        assert_eq!(code(door.admit(&second, later)), "Ok(())");
        for used in [&first, &second] {
            assert_eq!(code(door.admit(used, later)), "NODE-47");
        }
        let mut after_restart = KillCalls::new(door.key.clone(), door.seen.clone());
        assert_eq!(code(after_restart.admit(&first, later)), "NODE-47");
    }

    #[test]
    fn a_key_is_its_owners_alone_and_long_enough() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("kill.key");
        let check = |text: &str, mode: u32, want: Result<(), &str>| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let found = KillKey::read(&path).map(|_| ()).map_err(|error| error.to_string());
            match want {
                Ok(()) => assert_eq!(found, Ok(())),
                Err(part) => assert!(found.clone().unwrap_err().contains(part), "{found:?}"),
            }
        };
        let key = "0123456789abcdef0123456789abcdef\n";
        check(key, 0o600, Ok(()));
        check(key, 0o400, Ok(()));
        check(key, 0o640, Err("mode is 640"));
        check(key, 0o602, Err("mode is 602"));
        check("  too short  ", 0o600, Err("9 bytes"));
        check(&"x".repeat(4_097), 0o600, Err("4097 bytes"));
        std::fs::remove_file(&path).unwrap();
        let error = KillKey::read(&path).unwrap_err().to_string();
        assert!(error.contains("kill.key") && error.contains("No such file"), "{error}");
        assert_eq!(format!("{:?}", KillKey::from_bytes(key.as_bytes())), "KillKey(..)");
    }
}
