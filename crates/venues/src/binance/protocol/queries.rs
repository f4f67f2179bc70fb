//! Questions about the account: what is asked, and with what weight.

use crate::binance::rules::Endpoint;
use crate::binance::sign::{Signer, encode};
use crate::binance::wire::QueryOrder;
use tradewind_domain::{ClientOrderId, Instrument, Timestamp, VenueOrderId};

/// Rows of one page.
pub const PAGE: u32 = 1_000;

/// A signed question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which budget it draws on.
    pub endpoint: Endpoint,
    /// Where it is asked.
    pub path: &'static str,
    /// Its parameters, before time and signature.
    pub pairs: Vec<(&'static str, String)>,
}

impl Query {
    /// How does the order with our client id stand?
    #[must_use]
    pub fn order(it: &Instrument, client_id: ClientOrderId) -> Self {
        let query = QueryOrder {
            symbol: it.spec.venue_symbol.clone(),
            order_id: None,
            orig_client_order_id: Some(client_id.to_string()),
        };
        Self { endpoint: Endpoint::Order, path: "/api/v3/order", pairs: query.pairs() }
    }

    /// How does the order that the venue calls so stand?
    #[must_use]
    pub fn named(it: &Instrument, venue_id: &VenueOrderId) -> Self {
        let query = QueryOrder {
            symbol: it.spec.venue_symbol.clone(),
            order_id: Some(venue_id.0.to_string()),
            orig_client_order_id: None,
        };
        Self { endpoint: Endpoint::Order, path: "/api/v3/order", pairs: query.pairs() }
    }

    /// Which orders of the instrument are open?
    #[must_use]
    pub fn open_orders(it: &Instrument) -> Self {
        let pairs = vec![("symbol", it.spec.venue_symbol.clone())];
        Self { endpoint: Endpoint::OpenOrders, path: "/api/v3/openOrders", pairs }
    }

    /// Which orders of the instrument were placed since `from`? At most one page, oldest first.
    #[must_use]
    pub fn orders_since(it: &Instrument, from: Timestamp) -> Self {
        let pairs = vec![
            ("symbol", it.spec.venue_symbol.clone()),
            ("startTime", from.millis().to_string()),
            ("limit", PAGE.to_string()),
        ];
        Self { endpoint: Endpoint::AllOrders, path: "/api/v3/allOrders", pairs }
    }

    /// Which executions does the order that the venue calls so have? The page from number `from` on.
    #[must_use]
    pub fn fills_of(it: &Instrument, venue_id: &VenueOrderId, from: u64) -> Self {
        let pairs = vec![
            ("symbol", it.spec.venue_symbol.clone()),
            ("orderId", venue_id.0.to_string()),
            ("fromId", from.to_string()), // without one the newest page comes first
            ("limit", PAGE.to_string()),
        ];
        Self { endpoint: Endpoint::MyTrades, path: "/api/v3/myTrades", pairs }
    }

    /// Which executions of the instrument happened since `from`? The first page; the next ones go by number.
    #[must_use]
    pub fn fills_since(it: &Instrument, from: Timestamp) -> Self {
        let start = ("startTime", from.millis().to_string());
        let pairs = vec![("symbol", it.spec.venue_symbol.clone()), start, ("limit", PAGE.to_string())];
        Self { endpoint: Endpoint::MyTrades, path: "/api/v3/myTrades", pairs }
    }

    /// What does the account own, and what does it pay?
    #[must_use]
    pub fn account() -> Self {
        let pairs = vec![("omitZeroBalances", "true".to_owned())];
        Self { endpoint: Endpoint::Account, path: "/api/v3/account", pairs }
    }

    /// The query text with time, window in milliseconds and signature. `now` is the venue's time.
    #[must_use]
    pub fn signed(&self, signer: &Signer, now: Timestamp, window: i64) -> String {
        let mut pairs = self.pairs.clone();
        pairs.push(("recvWindow", window.to_string()));
        pairs.push(("timestamp", now.millis().to_string()));
        signer.signed(&encode(&pairs))
    }
}
