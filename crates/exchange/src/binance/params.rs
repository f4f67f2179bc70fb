//! Parameters of a request, as sent, and what the venue says about malformed ones.

use super::answer::Refusal;
use std::sync::atomic::{AtomicBool, Ordering};
use tradewind_domain::{NumberError, parse_decimal};

const DECIMAL: &str = "^([0-9]{1,20})(\\.[0-9]{1,20})?$";
const WHOLE: &str = "^[0-9]{1,20}$";
const SYMBOL: &str = "^[A-Z0-9-_.]{1,20}$";
const CLIENT_ID: &str = "^[a-zA-Z0-9-_]{1,36}$";

/// The parameters of one request; each remembers whether somebody read it.
#[derive(Debug, Default)]
pub(crate) struct Params {
    list: Vec<(String, String, AtomicBool)>,
}

impl Params {
    /// Reads a query string and a form body. A name in both counts once, from the query.
    ///
    /// # Errors
    /// -1101 for a name that stands twice in one of them.
    pub(crate) fn read(query: &str, body: &str) -> Result<Self, Refusal> {
        let mut params = Self::default();
        for (source, text) in [query, body].into_iter().enumerate() {
            let before = params.list.len();
            for pair in text.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let (name, value) = (decode(name), decode(value));
                if params.list[before..].iter().any(|(seen, ..)| *seen == name) {
                    return Err(Refusal::duplicate_parameter());
                }
                let in_query = source == 1 && params.list[..before].iter().any(|(seen, ..)| *seen == name);
                if !in_query {
                    params.list.push((name, value, AtomicBool::new(false)));
                }
            }
        }
        Ok(params)
    }

    /// Takes parameters of a WebSocket API request.
    pub(crate) fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        Self { list: pairs.into_iter().map(|(name, value)| (name, value, AtomicBool::new(false))).collect() }
    }

    /// The text of a parameter, if it was sent.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        let (_, value, read) = self.list.iter().find(|(sent, ..)| sent == name)?;
        read.store(true, Ordering::Relaxed);
        Some(value)
    }

    /// Whether it was sent, without reading it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.list.iter().any(|(sent, ..)| sent == name)
    }

    /// The text of an optional parameter; an empty one is refused.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.raw(name) {
            Some("") => Err(Refusal::empty(name)),
            other => Ok(other),
        }
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.raw(name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::missing(name))
    }

    pub(crate) fn symbol(&self) -> Result<&str, Refusal> {
        let text = self.required("symbol")?;
        let legal = text.len() <= 20
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
        if legal { Ok(text) } else { Err(Refusal::illegal("symbol", SYMBOL)) }
    }

    pub(crate) fn client_id(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let legal = text.len() <= 36 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if legal { Ok(Some(text)) } else { Err(Refusal::illegal(name, CLIENT_ID)) }
    }

    pub(crate) fn whole(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let legal = text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(value) if legal => Ok(Some(value)),
            _ => Err(Refusal::illegal(name, WHOLE)),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name)?.map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Refusal::bad_data(name)),
        }
    }

    /// A decimal as a whole number of `10^-decimals`.
    pub(crate) fn decimal(&self, name: &str, decimals: u8) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(Refusal::illegal(name, DECIMAL));
        }
        match parse_decimal(text, decimals) {
            Ok(value) => Ok(Some(value)),
            Err(NumberError::TooFine { .. }) => Err(Refusal::too_precise(name)),
            Err(NumberError::TooLarge(_)) => Err(Refusal::new(-1108, format!("Parameter '{name}' overflowed."))),
            Err(NumberError::NotANumber(_)) => Err(Refusal::illegal(name, DECIMAL)),
        }
    }

    /// Refuses what nobody asked for.
    pub(crate) fn all_read(&self) -> Result<(), Refusal> {
        let read = self.list.iter().filter(|(.., read)| read.load(Ordering::Relaxed)).count();
        if read == self.list.len() { Ok(()) } else { Err(Refusal::unread(read, self.list.len())) }
    }

    /// Names and values, for signatures of the WebSocket API.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|(name, value, _)| (name.as_str(), value.as_str()))
    }
}

/// Undoes percent-encoding and `+` of a form value; malformed escapes stay as they are.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (escaped, bytes[at]) {
            (Some(byte), _) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (None, b'+') => out.push(b' '),
            (None, byte) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, body: &str, ask: impl Fn(&Params) -> Result<String, Refusal>, want: Result<&str, i32>) {
        let answer =
            Params::read(query, body).and_then(|params| ask(&params).and_then(|v| params.all_read().map(|()| v)));
        assert_eq!(answer.as_deref().map_err(|refusal| refusal.code), want, "{query} | {body}");
    }

    #[test]
    fn parameters_are_read_as_the_venue_reads_them() {
        let symbol = |p: &Params| p.symbol().map(str::to_owned);
        check("symbol=BTCUSDT", "", symbol, Ok("BTCUSDT"));
        check("", "symbol=BTCUSDT", symbol, Ok("BTCUSDT"));
        check("symbol=BTCUSDT", "symbol=ETHUSDT", symbol, Ok("BTCUSDT"));
        check("symbol=BTCUSDT&symbol=ETHUSDT", "", symbol, Err(-1101));
        check("symbol=btcusdt", "", symbol, Err(-1100));
        check("symbol=BTC%2FUSDT", "", symbol, Err(-1100));
        check("", "", symbol, Err(-1102));
        check("symbol=", "", symbol, Err(-1102));
        check("symbol=BTCUSDT&extra=1", "", symbol, Err(-1104));
        let price = |p: &Params| p.decimal("price", 8).map(|v| v.unwrap_or(-1).to_string());
        check("price=1.5", "", price, Ok("150000000"));
        check("", "", price, Ok("-1"));
        for text in ["-1", "1e5", ".5", "1.", "1,5", "abc", "%20"] {
            check(&format!("price={text}"), "", price, Err(-1100));
        }
        check("price=", "", price, Err(-1105));
        check("price=0.123456789", "", price, Err(-1111));
        check("price=99999999999999999999", "", price, Err(-1108));
        let id = |p: &Params| p.client_id("newClientOrderId").map(|v| v.unwrap_or("").to_owned());
        check("newClientOrderId=a-b_9", "", id, Ok("a-b_9"));
        check("newClientOrderId=a%20b", "", id, Err(-1100));
        check(&format!("newClientOrderId={}", "a".repeat(37)), "", id, Err(-1100));
    }
}
