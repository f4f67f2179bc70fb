//! Who sent a request, and whether it was signed in time: the venue's side of request security.
//!
//! Source: "SIGNED endpoint security" in `rest-api.md` and "Request security" in `web-socket-api.md`.

use super::answer::Refusal;
use crate::config::KeySecret;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const WINDOW_DEFAULT: i64 = 5_000;
const WINDOW_MAX: i64 = 60_000;

/// When a request was made and how long it may travel, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    timestamp: i64,
    window: i64,
}

impl Fence {
    /// From the parameters `timestamp` (milliseconds, or microseconds from 16 digits on) and `recvWindow`.
    pub(crate) fn new(timestamp: Option<i64>, window: Option<i64>) -> Result<Self, Refusal> {
        let timestamp = timestamp.ok_or_else(|| Refusal::missing("timestamp"))?;
        let timestamp = if timestamp >= 1_000_000_000_000_000 { timestamp / 1_000 } else { timestamp };
        let window = window.unwrap_or(WINDOW_DEFAULT);
        if window > WINDOW_MAX {
            return Err(Refusal::new(-1131, "recvWindow must be less than 60000."));
        }
        Ok(Self { timestamp, window })
    }

    /// Checked at receipt and again just before matching, with the server's time in milliseconds.
    pub(crate) fn check(&self, server: i64) -> Result<(), Refusal> {
        if self.timestamp >= server + 1_000 {
            Err(Refusal::ahead_of_time())
        } else if server - self.timestamp > self.window {
            Err(Refusal::outside_window())
        } else {
            Ok(())
        }
    }
}

/// What REST signs: the query followed by the body, as sent, less the signature itself.
pub(crate) fn rest_payload(query: &str, body: &str) -> (String, Option<String>) {
    let (query, in_query) = without_signature(query);
    let (body, in_body) = without_signature(body);
    (query + &body, in_query.or(in_body))
}

fn without_signature(text: &str) -> (String, Option<String>) {
    let mut signature = None;
    let kept: Vec<&str> = text
        .split('&')
        .filter(|pair| match pair.strip_prefix("signature=") {
            Some(value) => {
                signature = Some(
                    value
                        .replace("%2B", "+")
                        .replace("%2F", "/")
                        .replace("%3D", "=")
                        .replace("%2b", "+")
                        .replace("%2f", "/")
                        .replace("%3d", "="),
                );
                false
            }
            None => true,
        })
        .collect();
    (kept.join("&"), signature)
}

/// What the WebSocket API signs: all parameters but the signature, sorted by name.
pub(crate) fn ws_payload<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut sorted: Vec<_> = pairs.filter(|(name, _)| *name != "signature").collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    sorted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Checks a signature. Hex of an HMAC may be in either case; an Ed25519 signature is base64.
pub(crate) fn verify(secret: &KeySecret, payload: &str, signature: &str) -> Result<(), Refusal> {
    let good = match secret {
        KeySecret::Hmac(secret) => hex::decode(signature).is_ok_and(|bytes| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
            mac.update(payload.as_bytes());
            mac.verify_slice(&bytes).is_ok()
        }),
        KeySecret::Ed25519(public) => verify_ed25519(public, payload, signature).is_some(),
    };
    if good { Ok(()) } else { Err(Refusal::bad_signature()) }
}

fn verify_ed25519(public: &[u8; 32], payload: &str, signature: &str) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(public).ok()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(signature).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(&bytes).ok()?;
    key.verify_strict(payload.as_bytes(), &signature).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the venue's own examples.
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    const BODY: &str = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";

    fn check(query: &str, body: &str, good: bool) {
        let (payload, signature) = rest_payload(query, body);
        let verdict = verify(&KeySecret::Hmac(SECRET.to_owned()), &payload, &signature.unwrap_or_default());
        assert_eq!(verdict.is_ok(), good, "{query} | {body}");
        if !good {
            assert_eq!(verdict.unwrap_err().code, -1022);
        }
    }

    #[test]
    fn the_published_examples_verify_and_nothing_near_them_does() {
        let whole = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";
        let mixed = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77";
        let (head, tail) = ("symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC", &BODY[50..]);
        check(&format!("{BODY}&signature={whole}"), "", true);
        check("", &format!("{BODY}&signature={whole}"), true);
        check("", &format!("{BODY}&signature={}", whole.to_uppercase()), true);
        check(head, &format!("{tail}&signature={mixed}"), true);
        check(head, &format!("{tail}&signature={whole}"), false);
        check("", &format!("{}&signature={whole}", BODY.replace("price=0.1", "price=0.2")), false);
        check("", BODY, false);
        check("", &format!("{BODY}&signature=zz"), false);
    }

    #[test]
    fn the_websocket_api_signs_sorted_parameters() {
        let pairs = [("timestamp", "2"), ("apiKey", "k"), ("signature", "x"), ("symbol", "BTCUSDT")];
        assert_eq!(ws_payload(pairs.into_iter()), "apiKey=k&symbol=BTCUSDT&timestamp=2");
    }

    #[test]
    fn ed25519_follows_the_standards_second_test() {
        // RFC 8032, section 7.1, test 2
        let public: [u8; 32] = hex::decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
            .unwrap()
            .try_into()
            .unwrap();
        let signature = hex::decode(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        )
        .unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(signature);
        assert!(verify(&KeySecret::Ed25519(public), "r", &text).is_ok());
        assert_eq!(verify(&KeySecret::Ed25519(public), "s", &text).unwrap_err().code, -1022);
    }

    #[test]
    fn a_request_is_good_for_its_window_and_no_longer() {
        let check = |timestamp, window, server, want: Option<i32>| {
            let verdict = Fence::new(timestamp, window).and_then(|fence| fence.check(server));
            assert_eq!(verdict.err().map(|refusal| refusal.code), want, "{timestamp:?} {window:?} {server}");
        };
        check(Some(10_000), None, 15_000, None);
        check(Some(10_000), None, 15_001, Some(-1021));
        check(Some(10_000), Some(100), 10_101, Some(-1021));
        check(Some(10_999), None, 10_000, None);
        check(Some(11_000), None, 10_000, Some(-1021));
        check(Some(10_000), Some(60_001), 10_000, Some(-1131));
        check(None, None, 10_000, Some(-1102));
        check(Some(1_700_000_000_000_000), None, 1_700_000_000_100, None);
    }
}
