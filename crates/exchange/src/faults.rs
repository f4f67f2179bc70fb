//! What goes wrong on purpose: answers that are garbage, late or missing.

use serde::{Deserialize, Serialize};

/// One thing that goes wrong for requests whose path begins with `path`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Beginning of the path, such as `/api/v3/order`; for WebSocket API calls the method, such as `order.place`; for
    /// frames of streams, with the method `FRAME`, the event, such as `executionReport` or `executionReport/TRADE`, and of market streams
    /// `market/bookTicker`, `market/kline` (closed ones), `market/depthUpdate` and `market/slow` (all that goes out
    /// once a second): `market/` freezes them all, while heartbeats go on. For [`FaultKind::Partial`], with the method
    /// `FILL`, the venue's symbol, such as `BTCUSDT`.
    pub path: String,
    /// Only this HTTP method, such as `POST`; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How often; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Whether the request is carried out before its answer is spoilt: the order is live and the client cannot know.
    #[serde(default)]
    pub after: bool,
}

/// How an answer is spoilt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Bytes that are no text.
    Garbage,
    /// A page for people, with status 200.
    Html,
    /// The first half of a right answer.
    HalfJson,
    /// An empty body with status 200.
    Nothing,
    /// No answer at all: the connection stays open and silent.
    Hang,
    /// The connection ends in the middle of the answer.
    Cut,
    /// The right answer, late by milliseconds.
    DelayMillis(u64),
    /// The request is held for milliseconds between its receipt and the matching engine.
    HoldMillis(u64),
    /// A server error with this status, execution unknown.
    Status(u16),
    /// A query answers as if nothing were there yet: order unknown, lists empty.
    Unseen,
    /// A frame of a stream is sent twice; with [`FaultKind::Nothing`] it is not sent.
    Twice,
    /// A field of a report of the user stream says something else.
    Field {
        /// Its name on the wire, such as `t`.
        name: String,
        /// What it says, as JSON.
        value: serde_json::Value,
    },
    /// An order that would take something finds so many percent of its quantity in the book, and no more: the rest waits,
    /// expires or takes the whole with it, as its type demands. Only where the market is simulated, and for a part that
    /// is an order of its own; any other order is carried out as it is, and uses the fault up.
    Partial(u8),
    /// The request is refused with the venue's code and words, and not carried out.
    Refuse {
        /// The code, negative.
        code: i32,
        /// The words.
        text: String,
    },
}

/// The faults still to happen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(list: Vec<Fault>) -> Self {
        Self { list }
    }

    /// Replaces the list.
    pub(crate) fn set(&mut self, list: Vec<Fault>) {
        self.list = list;
    }

    /// The fault that the next request meets, used up by one.
    pub(crate) fn next(&mut self, method: &str, path: &str) -> Option<Fault> {
        self.next_of(method, path, |_| true)
    }

    /// What an order for `symbol` finds in the book, in percent of its quantity; used up by one.
    pub(crate) fn next_partial(&mut self, symbol: &str) -> Option<u8> {
        match self.next_of("FILL", symbol, |kind| matches!(kind, FaultKind::Partial(_)))?.kind {
            FaultKind::Partial(percent) => Some(percent),
            _ => None,
        }
    }

    fn next_of(&mut self, method: &str, path: &str, is_meant: impl Fn(&FaultKind) -> bool) -> Option<Fault> {
        let fits = |fault: &Fault| {
            path.starts_with(fault.path.as_str())
                && fault.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && fault.times != Some(0)
                && is_meant(&fault.kind)
        };
        let fault = self.list.iter_mut().find(|fault| fits(fault))?;
        if let Some(times) = fault.times.as_mut() {
            *times -= 1;
        }
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_as_often_as_it_says_and_only_where_it_says() {
        let fault = |path: &str, times| Fault {
            path: path.to_owned(),
            method: Some("post".to_owned()),
            kind: FaultKind::Nothing,
            times,
            after: false,
        };
        let mut faults = Faults::new(vec![fault("/api/v3/order", Some(2))]);
        assert!(faults.next("GET", "/api/v3/order").is_none());
        assert!(faults.next("POST", "/api/v3/account").is_none());
        assert!(faults.next("POST", "/api/v3/order").is_some());
        assert!(faults.next("POST", "/api/v3/order/test").is_some());
        assert!(faults.next("POST", "/api/v3/order").is_none());
    }

    #[test]
    fn a_part_is_not_kept_from_an_order_by_a_fault_of_another_kind() {
        let fault = |method: Option<&str>, kind| Fault {
            path: "BTC".to_owned(),
            method: method.map(str::to_owned),
            kind,
            times: Some(1),
            after: false,
        };
        let (other, part) = (fault(None, FaultKind::Nothing), fault(Some("FILL"), FaultKind::Partial(30)));
        let mut faults = Faults::new(vec![other, part]);
        assert_eq!(faults.next_partial("ETHUSDT"), None);
        assert_eq!(faults.next_partial("BTCUSDT"), Some(30));
        assert_eq!(faults.next_partial("BTCUSDT"), None);
        assert!(faults.next("FRAME", "BTCUSDT").is_some(), "nobody has met the other");
    }
}
