//! Binance spot: what it says, what that means, its rules, and a connector.
//!
//! [`wire`] follows the venue's documentation, [`convert`] turns it into domain types and back, [`rules`] judges
//! answers and keeps books in step, [`sign`] signs, [`protocol`] is all of it without sockets, [`Connection`] drives it all over real sockets.

mod client;
pub mod convert;
pub mod protocol;
pub mod rules;
pub mod sign;
pub mod wire;

pub use client::{
    AccountFill, AccountState, BinanceConfig, Connection, OrderPath, Subscriptions, listings, market_origin,
};

/// Whether `url` names a place of the venue's where money is made up: its demo mode or its test network.
///
/// Sources: "Demo Mode for SPOT Trading" and "Testnet General Info" of the venue's documentation.
#[must_use]
pub fn trades_play_money(url: &str) -> bool {
    crate::names::host_of(url).is_some_and(|host| {
        host == "testnet.binance.vision" || host.ends_with(".testnet.binance.vision") || DEMO.contains(&host)
    })
}

/// Where the demo mode is.
const DEMO: [&str; 3] = ["demo-api.binance.com", "demo-ws-api.binance.com", "demo-stream.binance.com"];

/// The venue's name in an instrument.
pub const VENUE: &str = "binance";

#[cfg(test)]
mod tests {
    use super::trades_play_money;

    #[test]
    fn money_is_made_up_in_the_demo_mode_and_on_the_test_network_alone() {
        for made_up in [
            "https://demo-api.binance.com",
            "wss://demo-ws-api.binance.com/ws-api/v3",
            "https://testnet.binance.vision",
            "https://api1.testnet.binance.vision/api",
            "wss://ws-api.testnet.binance.vision:9443/ws-api/v3",
        ] {
            assert!(trades_play_money(made_up), "{made_up}");
        }
        for real in [
            "https://api.binance.com",
            "wss://ws-api.binance.com:443/ws-api/v3",
            "https://demo-api.binance.com.evil.example",
            "https://demo-api.binance.com@api.binance.com",
            "https://nottestnet.binance.vision",
            "demo-api.binance.com",
        ] {
            assert!(!trades_play_money(real), "{real}");
        }
    }
}
