//! What a request costs, and the headers that tell what was used.
//!
//! Source: the "Weight" of each endpoint in `rest-api.md`, and "IP Limits" and "Unfilled Order Count" there.

use std::time::Duration;

/// An endpoint of the REST API that the connector uses, or its equal in the WebSocket API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Server time.
    Time,
    /// Exchange information.
    ExchangeInfo,
    /// A depth snapshot of so many levels.
    Depth(u32),
    /// Bars.
    Klines,
    /// The account with its balances.
    Account,
    /// One order.
    Order,
    /// Open orders of one symbol.
    OpenOrders,
    /// All orders of one symbol.
    AllOrders,
    /// Executions of the account.
    MyTrades,
    /// A new order.
    NewOrder,
    /// Two new orders of which one cancels the other.
    NewOco,
    /// A cancel.
    Cancel,
    /// An order made smaller in its place; it counts as no new order.
    Amend,
    /// The user stream's subscription.
    Subscribe,
    /// What the key may do.
    KeyRights,
}

impl Endpoint {
    /// How many orders it adds to the count of unfilled ones.
    #[must_use]
    pub const fn orders(self) -> u64 {
        match self {
            Self::NewOrder => 1,
            Self::NewOco => 2,
            _ => 0,
        }
    }

    /// Its request weight.
    #[must_use]
    pub const fn weight(self) -> u64 {
        match self {
            Self::Time | Self::NewOrder | Self::NewOco | Self::Cancel | Self::KeyRights => 1,
            Self::Klines | Self::Subscribe => 2,
            Self::Order | Self::Amend => 4,
            Self::OpenOrders => 6,
            Self::ExchangeInfo | Self::Account | Self::AllOrders | Self::MyTrades => 20,
            Self::Depth(..=100) => 5,
            Self::Depth(..=500) => 25,
            Self::Depth(..=1_000) => 50,
            Self::Depth(_) => 250,
        }
    }
}

/// Reads the name of a used-weight header: `x-mbx-used-weight-1m` counts a minute.
#[must_use]
pub fn used_weight_header(name: &str) -> Option<Duration> {
    interval(name, "x-mbx-used-weight-")
}

/// Reads the name of an order-count header: `x-mbx-order-count-10s` counts ten seconds.
#[must_use]
pub fn order_count_header(name: &str) -> Option<Duration> {
    interval(name, "x-mbx-order-count-")
}

fn interval(name: &str, prefix: &str) -> Option<Duration> {
    let name = name.to_ascii_lowercase();
    let text = name.strip_prefix(prefix)?;
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text[..text.len() - 1].parse().ok()?;
    (count > 0).then(|| Duration::from_secs(count * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_their_interval() {
        assert_eq!(used_weight_header("x-mbx-used-weight-1m"), Some(Duration::from_secs(60)));
        assert_eq!(used_weight_header("X-MBX-USED-WEIGHT-1M"), Some(Duration::from_secs(60)));
        assert_eq!(order_count_header("x-mbx-order-count-10s"), Some(Duration::from_secs(10)));
        assert_eq!(order_count_header("x-mbx-order-count-1d"), Some(Duration::from_secs(86_400)));
        for other in ["x-mbx-used-weight", "x-mbx-used-weight-", "x-mbx-used-weight-0m", "x-mbx-used-weight-1é"] {
            assert_eq!(used_weight_header(other), None, "{other}");
        }
    }

    #[test]
    fn deeper_snapshots_cost_more() {
        let weights = [5, 100, 101, 500, 1_000, 5_000].map(|limit| Endpoint::Depth(limit).weight());
        assert_eq!(weights, [5, 5, 25, 25, 50, 250]);
    }
}
