//! How a connection is set up.

use crate::binance::sign::Signer;
use crate::names::{Names, host_of, is_on_this_machine};
use crate::outcome::QueryError;
use crate::socket::Dialling;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tradewind_domain::Interval;

/// Which way orders take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderPath {
    /// Over the web socket that is open anyway: nothing lies between the last check and the write.
    #[default]
    WebSocket,
    /// Over HTTP. Refused unless the fence leaves room for a slow connection.
    Rest,
}

/// What market data is wanted of every instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// Best bid and ask.
    pub quotes: bool,
    /// The public tape.
    pub trades: bool,
    /// The whole book, every 100 ms.
    pub books: bool,
    /// Bars of these lengths.
    pub bars: Vec<Interval>,
}

/// A connection to Binance spot, or to anything that speaks its protocol.
#[derive(Clone, Debug)]
pub struct BinanceConfig {
    /// Base of the REST API, such as `https://api.binance.com`.
    pub rest_url: String,
    /// Base of the market streams, such as `wss://stream.binance.com:9443`.
    pub stream_url: String,
    /// The WebSocket API, such as `wss://ws-api.binance.com:443/ws-api/v3`.
    pub ws_api_url: String,
    /// The key; without one there are market data only.
    pub signer: Option<Signer>,
    /// Which market data.
    pub subscriptions: Subscriptions,
    /// Which way orders take.
    pub order_path: OrderPath,
    /// How long a signed request stays valid; never widened.
    pub recv_window: Duration,
    /// How long to wait for an answer. The venue itself gives up after ten seconds.
    pub answer_time: Duration,
    /// How long a connection may take.
    pub connect_time: Duration,
    /// After how much silence the venue is asked whether it lives.
    pub probe_after: Duration,
    /// After how much silence a connection counts as dead.
    pub dead_after: Duration,
    /// When a web socket is replaced before the venue ends it at 24 hours.
    pub replace_after: Duration,
    /// New orders stop when the venue's clock is known no better than this.
    pub most_clock_error: Duration,
    /// How often the listing is read anew; it is also read when the venue refuses an order by one of its rules.
    pub listing_every: Duration,
    /// How many events may wait for their reader.
    pub event_room: usize,
    /// How names become addresses.
    pub names: Arc<Names>,
    /// Certificates, as DER, of the authorities that alone are trusted over TLS; the public ones if empty.
    pub roots: Arc<Vec<Vec<u8>>>,
    /// Read at the last step before an order is written: true stops new orders, cancels and reduce-only ones go on.
    pub halted: Arc<AtomicBool>,
}

/// Lengths of the bars that Binance spot has, in seconds; its month is of no fixed length.
const BAR_SECONDS: [u32; 15] =
    [1, 60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 28_800, 43_200, 86_400, 259_200, 604_800];

impl BinanceConfig {
    /// The venue itself, without a key.
    #[must_use]
    pub fn production() -> Self {
        Self::at("https://api.binance.com", "wss://stream.binance.com:9443", "wss://ws-api.binance.com:443/ws-api/v3")
    }

    /// A local exchange on one port of this machine, without a key.
    #[must_use]
    pub fn local(port: u16) -> Self {
        let host = format!("127.0.0.1:{port}");
        Self::at(&format!("http://{host}"), &format!("ws://{host}"), &format!("ws://{host}/ws-api/v3"))
    }

    /// Anything that speaks the protocol, without a key.
    #[must_use]
    pub fn at(rest_url: &str, stream_url: &str, ws_api_url: &str) -> Self {
        Self {
            rest_url: rest_url.trim_end_matches('/').to_owned(),
            stream_url: stream_url.trim_end_matches('/').to_owned(),
            ws_api_url: ws_api_url.to_owned(),
            signer: None,
            subscriptions: Subscriptions::default(),
            order_path: OrderPath::default(),
            recv_window: Duration::from_millis(2_000),
            answer_time: Duration::from_secs(11),
            connect_time: Duration::from_millis(1_500),
            probe_after: Duration::from_secs(5),
            dead_after: Duration::from_secs(15),
            replace_after: Duration::from_secs(23 * 3_600 + 50 * 60),
            most_clock_error: Duration::from_millis(250),
            listing_every: Duration::from_secs(60),
            event_room: 4_096,
            names: Arc::default(),
            roots: Arc::default(),
            halted: Arc::default(),
        }
    }

    pub(crate) fn dialling(&self) -> Dialling {
        Dialling { within: self.connect_time, names: self.names.clone(), roots: self.roots.clone() }
    }

    /// Checks addresses and times.
    ///
    /// # Errors
    /// [`QueryError::Configuration`] names the field, its value and what is wrong.
    pub fn validate(&self) -> Result<(), QueryError> {
        let wrong =
            |field, value: String, why: &str| Err(QueryError::Configuration { field, value, why: why.to_owned() });
        for (field, url, schemes) in [
            ("rest_url", &self.rest_url, ["https://", "http://"]),
            ("stream_url", &self.stream_url, ["wss://", "ws://"]),
            ("ws_api_url", &self.ws_api_url, ["wss://", "ws://"]),
        ] {
            if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
                return wrong(field, url.clone(), &format!("it must begin with {}", schemes[0]));
            }
            if host_of(url).is_none() {
                return wrong(field, url.clone(), "it names no host");
            }
            // keys and orders never cross a network in the clear
            if url.starts_with(schemes[1]) && !is_on_this_machine(url) {
                return wrong(field, url.clone(), "without TLS only localhost, 127.0.0.0/8 and [::1] are allowed");
            }
        }
        let window = self.recv_window.as_millis();
        if !(1..=60_000).contains(&window) {
            return wrong("recv_window", format!("{window} ms"), "the venue takes 1 to 60000 ms");
        }
        if let Some(odd) = self.subscriptions.bars.iter().find(|it| !BAR_SECONDS.contains(&it.seconds())) {
            let why = "the venue has bars of 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d and 1w";
            return wrong("interval", odd.to_string(), why);
        }
        if self.order_path == OrderPath::Rest && self.connect_time >= self.recv_window {
            let value = format!("{:?}", self.connect_time);
            return wrong("connect_time", value, "it must be shorter than recv_window when orders go over HTTP");
        }
        if self.dead_after <= self.probe_after {
            return wrong("dead_after", format!("{:?}", self.dead_after), "it must be longer than probe_after");
        }
        if self.event_room == 0 {
            return wrong("event_room", "0".to_owned(), "there must be room for an event");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::Coded as _;

    fn check(change: impl FnOnce(&mut BinanceConfig), names: Option<&str>) {
        let mut config = BinanceConfig::local(1);
        change(&mut config);
        match (config.validate(), names) {
            (Ok(()), None) => (),
            (Err(error), Some(field)) => {
                assert_eq!(error.code(), "VEN-30");
                assert!(error.to_string().starts_with(field), "{error}");
            }
            (other, _) => panic!("{other:?}, expected {names:?}"),
        }
    }

    #[test]
    fn plain_text_stays_on_this_machine_and_times_fit_together() {
        check(|_| (), None);
        check(|c| *c = BinanceConfig::production(), None);
        check(|c| c.rest_url = "http://api.binance.com".to_owned(), Some("rest_url"));
        check(|c| c.rest_url = "http://127.0.0.1.evil.example".to_owned(), Some("rest_url"));
        check(|c| c.rest_url = "http://127.0.0.1:80@evil.example".to_owned(), Some("rest_url"));
        check(|c| c.rest_url = "http://[::1]:1".to_owned(), None);
        check(|c| c.stream_url = "ws://127.0.0.2:1".to_owned(), None);
        check(|c| c.ws_api_url = "ws://localhost:1/ws-api/v3".to_owned(), None);
        check(|c| c.stream_url = "ws://stream.binance.com:9443".to_owned(), Some("stream_url"));
        check(|c| c.ws_api_url = "ws://ws-api.binance.com/ws-api/v3".to_owned(), Some("ws_api_url"));
        check(|c| c.rest_url = "api.binance.com".to_owned(), Some("rest_url"));
        check(|c| c.stream_url = "https://stream.binance.com".to_owned(), Some("stream_url"));
        check(|c| c.recv_window = Duration::from_secs(61), Some("recv_window"));
        check(|c| c.rest_url = "https://".to_owned(), Some("rest_url"));
        check(|c| c.rest_url = "https://api binance".to_owned(), Some("rest_url"));
        check(|c| c.subscriptions.bars = vec![Interval::MINUTE, Interval::DAY], None);
        check(|c| c.subscriptions.bars = vec!["7m".parse().unwrap()], Some("interval"));
        check(|c| c.recv_window = Duration::ZERO, Some("recv_window"));
        check(|c| c.dead_after = Duration::from_secs(5), Some("dead_after"));
        check(|c| c.event_room = 0, Some("event_room"));
        check(|c| (c.order_path, c.connect_time) = (OrderPath::Rest, Duration::from_secs(3)), Some("connect_time"));
    }
}
