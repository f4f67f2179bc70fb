//! Where the market behind an address comes from.

use tradewind_domain::Origin;
use tradewind_venues::binance::{BinanceConfig, market_origin};

/// What a venue there counts as; `None` where it was asked, and nobody answered.
async fn origin_at(rest_url: &str) -> Option<Origin> {
    let sockets = rest_url.replacen("http", "ws", 1);
    market_origin(&BinanceConfig::at(rest_url, &sockets, &sockets)).await.ok()
}

#[tokio::test]
async fn a_server_on_this_machine_says_what_it_plays_under_each_of_its_addresses_and_no_other_is_asked() {
    // nobody listens at port 1
    for here in ["http://127.0.0.1:1", "http://127.0.0.2:1", "http://[::1]:1", "http://localhost:1"] {
        assert_eq!(origin_at(here).await, None, "{here}");
    }
    for elsewhere in ["https://api.binance.com", "https://127.0.0.1.evil.example", "https://localhost.evil.example"] {
        assert_eq!(origin_at(elsewhere).await, Some(Origin::Live), "{elsewhere}");
    }
}
