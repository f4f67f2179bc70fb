//! Signatures: HMAC-SHA-256 as hex, or Ed25519 as base64.
//!
//! REST signs the percent-encoded text that is sent, query and body one after the other. The WebSocket API signs
//! all parameters but the signature, sorted by name and not encoded.
//!
//! Source: "Request Security" in `rest-api.md` and `web-socket-api.md`.

use crate::secrets::{ApiKey, ApiSecret, SecretError};
use base64::Engine as _;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::fmt::Write as _;

/// A key pair that signs. `Debug` shows the kind and the start of the public name.
#[derive(Clone)]
pub struct Signer {
    key: ApiKey,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Hmac(ApiSecret),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl Signer {
    /// Takes a secret as the venue gave it: the text of an HMAC key, or the PKCS#8 PEM of an Ed25519 key.
    ///
    /// # Errors
    /// [`SecretError::NotAKey`] for a PEM that holds no unencrypted Ed25519 key.
    pub fn new(key: ApiKey, secret: ApiSecret) -> Result<Self, SecretError> {
        let secret = if secret.expose().trim_start().starts_with("-----BEGIN") {
            let key = ed25519_dalek::SigningKey::from_pkcs8_pem(secret.expose())
                .map_err(|_| SecretError::NotAKey("the PEM holds no unencrypted Ed25519 key in PKCS#8"))?;
            Secret::Ed25519(Box::new(key))
        } else {
            Secret::Hmac(secret)
        };
        Ok(Self { key, secret })
    }

    /// The public name of the key.
    #[must_use]
    pub const fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Whether the key may log a session on: the venue asks for Ed25519 there.
    #[must_use]
    pub const fn may_log_on(&self) -> bool {
        matches!(self.secret, Secret::Ed25519(_))
    }

    /// The signature of `payload`: lowercase hex for HMAC, base64 for Ed25519.
    #[must_use]
    pub fn sign(&self, payload: &str) -> String {
        match &self.secret {
            Secret::Hmac(secret) => {
                let mut mac =
                    Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
                mac.update(payload.as_bytes());
                hex::encode(mac.finalize().into_bytes())
            }
            Secret::Ed25519(key) => {
                base64::engine::general_purpose::STANDARD.encode(key.sign(payload.as_bytes()).to_bytes())
            }
        }
    }

    /// `encoded`, a text of [`encode`], with its signature appended: a query or a body that is ready to send.
    #[must_use]
    pub fn signed(&self, encoded: &str) -> String {
        let signature = self.sign(encoded);
        let mut text = String::with_capacity(encoded.len() + signature.len() + 12);
        text.push_str(encoded);
        if !encoded.is_empty() {
            text.push('&');
        }
        text.push_str("signature=");
        percent_encode(&signature, &mut text);
        text
    }

    /// The signature of a WebSocket API request over all of its parameters but `signature`.
    #[must_use]
    pub fn sign_ws(&self, params: &[(&str, String)]) -> String {
        self.sign(&ws_payload(params))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.may_log_on() { "Ed25519" } else { "HMAC" };
        write!(f, "Signer({kind}, {:?})", self.key)
    }
}

/// `name=value` pairs joined by `&`, values percent-encoded, in the order given.
#[must_use]
pub fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        percent_encode(name.as_ref(), &mut text);
        text.push('=');
        percent_encode(value.as_ref(), &mut text);
    }
    text
}

/// Escapes every byte but the unreserved ones of RFC 3986, section 2.3.
fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            into.push(char::from(byte));
        } else {
            write!(into, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
}

/// What a WebSocket API request signs: the parameters sorted by name, not encoded.
fn ws_payload(params: &[(&str, String)]) -> String {
    let mut sorted: Vec<_> = params.iter().filter(|(name, _)| *name != "signature").collect();
    sorted.sort_by_key(|(name, _)| *name);
    sorted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded as _;

    const KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

    fn published() -> Signer {
        Signer::new(ApiKey::new(KEY), ApiSecret::new(SECRET)).unwrap()
    }

    fn order(symbol: &str) -> String {
        let pairs = [
            ("symbol", symbol),
            ("side", "BUY"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", "1"),
            ("price", "0.1"),
            ("recvWindow", "5000"),
            ("timestamp", "1499827319559"),
        ];
        encode(&pairs)
    }

    #[test]
    fn rest_signatures_are_those_of_the_documentation() {
        for (payload, signature) in [
            (order("LTCBTC"), "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
            (order("１２３４５６"), "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"),
            // query and body, one after the other
            (
                order("LTCBTC").replace("GTC&quantity", "GTCquantity"),
                "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
            ),
        ] {
            assert_eq!(published().sign(&payload), signature, "{payload}");
            assert_eq!(published().signed(&payload), format!("{payload}&signature={signature}"));
        }
        assert!(
            order("１２３４５６").starts_with("symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side")
        );
    }

    fn ws(symbol: &str, price: &str, quantity: &str, side: &str, window: &str) -> String {
        let params = [
            ("symbol", symbol.to_owned()),
            ("side", side.to_owned()),
            ("type", "LIMIT".to_owned()),
            ("timeInForce", "GTC".to_owned()),
            ("quantity", quantity.to_owned()),
            ("price", price.to_owned()),
            ("recvWindow", window.to_owned()),
            ("timestamp", "1645423376532".to_owned()),
            ("apiKey", KEY.to_owned()),
            ("signature", "not part of it".to_owned()),
        ];
        published().sign_ws(&params)
    }

    #[test]
    fn websocket_api_signatures_are_those_of_the_documentation() {
        assert_eq!(
            ws("BTCUSDT", "52000.00", "0.01000000", "SELL", "100"),
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
        );
        assert_eq!(
            ws("１２３４５６", "0.10000000", "1.00000000", "BUY", "5000"),
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"
        );
    }

    /// RFC 8032, section 7.1, test 2: the documentation's own Ed25519 examples carry RSA signatures.
    #[test]
    fn ed25519_signatures_are_those_of_the_standard() {
        let seed = hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend_from_slice(&seed);
        let body = base64::engine::general_purpose::STANDARD.encode(&der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let signer = Signer::new(ApiKey::new(KEY), ApiSecret::new(&pem)).unwrap();
        assert!(signer.may_log_on());
        let signature = base64::engine::general_purpose::STANDARD.decode(signer.sign("r")).unwrap();
        assert_eq!(
            hex::encode(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        // base64 holds characters that a query must escape
        let text = signer.signed("symbol=BTCUSDT");
        let tail = text.strip_prefix("symbol=BTCUSDT&signature=").unwrap();
        assert!(tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%'), "{tail}");
        assert_eq!(format!("{signer:?}"), "Signer(Ed25519, ApiKey(vmPU…))");
    }

    #[test]
    fn a_pem_of_another_kind_is_refused() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----";
        let error = Signer::new(ApiKey::new(KEY), ApiSecret::new(pem)).unwrap_err();
        assert_eq!(error.code(), "VEN-18");
    }
}
