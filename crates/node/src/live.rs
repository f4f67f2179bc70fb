//! What live mode needs before a single order: the switch, the consent, limits set by hand, and a harmless key. No other
//! mode sends an order to where money is real.

use crate::error::NodeError;
use crate::settings::{CONSENT, NodeMode, Settings, VenueSettings};
use serde::Serialize;
use tradewind_venues::binance::{AccountState, Connection, trades_play_money};
use tradewind_venues::is_on_this_machine;

/// One condition of live mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What it is about.
    pub name: &'static str,
    /// Whether it holds.
    pub met: bool,
    /// What to do if it does not.
    pub remedy: String,
}

/// The conditions that the settings alone can meet.
#[must_use]
pub fn conditions(settings: &Settings) -> Vec<Condition> {
    let venue = &settings.venue;
    let condition = |name, met, remedy: &str| Condition { name, met, remedy: remedy.to_owned() };
    vec![
        condition("switch", settings.live.enabled, "set `enabled = true` under [live]"),
        condition("consent", settings.live.consent == CONSENT, &format!("set `consent = \"{CONSENT}\"` under [live]")),
        condition(
            "limits",
            settings.limits.are_explicit(),
            "set max_order, max_position, daily_loss and drawdown under [limits] yourself",
        ),
        condition(
            "governance",
            settings.governance.is_explicit(),
            "set venues, markets, symbols, cap_order and cap_day under [governance] yourself",
        ),
        condition("venue", is_over_tls(venue) && names_real_money(venue), where_to(venue)),
    ]
}

/// What to write under [venue].
fn where_to(venue: &VenueSettings) -> &'static str {
    if is_over_tls(venue) {
        return "live mode trades real money: set rest_url, stream_url and ws_api_url under [venue] to the venue's own \
                addresses, all three; those left out are of the demo mode";
    }
    "live mode talks to a venue over TLS: https:// for rest_url, wss:// for stream_url and ws_api_url unless they name this \
     machine"
}

/// Whether nothing is asked of a place whose money, and so whose prices, the venue makes up.
fn names_real_money(venue: &VenueSettings) -> bool {
    ![&venue.rest_url, &venue.stream_url, &venue.ws_api_url].iter().any(|url| trades_play_money(url))
}

/// Whether nothing goes to the venue in the clear but over sockets of this machine.
fn is_over_tls(venue: &VenueSettings) -> bool {
    let sockets = [&venue.stream_url, &venue.ws_api_url];
    let in_the_clear = |url: &&String| !url.starts_with("wss://") && !is_on_this_machine(url);
    venue.rest_url.starts_with("https://") && !sockets.iter().any(in_the_clear)
}

/// Checks that orders go where the mode says that they go.
///
/// # Errors
/// [`NodeError::Live`] if live mode lacks one of its [`conditions`], [`NodeError::RealMoney`] if paper mode would send
/// orders to a place of which nobody knows that its money is made up.
pub fn check_settings(settings: &Settings) -> Result<(), NodeError> {
    match settings.mode {
        NodeMode::Observe => Ok(()),
        NodeMode::Paper => check_play_money(&settings.venue),
        NodeMode::Live => match conditions(settings).into_iter().find(|condition| !condition.met) {
            Some(condition) => Err(NodeError::Live(format!("{} is missing: {}", condition.name, condition.remedy))),
            None => Ok(()),
        },
    }
}

/// An exchange on this machine is ours; elsewhere money counts as real but where the venue says otherwise.
fn check_play_money(venue: &VenueSettings) -> Result<(), NodeError> {
    let real = |url: &&String| !is_on_this_machine(url) && !trades_play_money(url);
    match [&venue.rest_url, &venue.ws_api_url].into_iter().find(real) {
        Some(url) => Err(NodeError::RealMoney { url: url.clone() }),
        None => Ok(()),
    }
}

pub(crate) async fn check_account(
    settings: &Settings,
    connection: &Connection,
    account: &AccountState,
) -> Result<(), NodeError> {
    if settings.mode != NodeMode::Live {
        return Ok(());
    }
    if !account.can_trade {
        return Err(NodeError::Live("the account may not trade".to_owned()));
    }
    let may_withdraw = connection
        .key_may_withdraw()
        .await
        .map_err(|source| NodeError::Venue { url: settings.venue.rest_url.clone(), source: Box::new(source) })?;
    if may_withdraw {
        return Err(NodeError::Live("the key may withdraw: make one that may only read and trade".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use std::path::Path;
    use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig};
    use tradewind_venues::binance::sign::Signer;
    use tradewind_venues::binance::{BinanceConfig, Subscriptions};
    use tradewind_venues::{ApiKey, ApiSecret};

    #[test]
    fn live_mode_wants_everything_at_once() {
        let full = format!(
            "mode = \"live\"\n[limits]\nmax_order = \"1%\"\nmax_position = \"5%\"\ndaily_loss = \"1%\"\ndrawdown = \"5%\"\n\
             [governance]\nvenues = [\"binance\"]\nmarkets = [\"spot\"]\nsymbols = [\"BTC/USDT\"]\n\
             cap_order = \"100\"\ncap_day = \"1000\"\n[live]\nenabled = true\nconsent = \"{CONSENT}\"\n\
             [venue]\nrest_url = \"https://api.binance.com\"\nstream_url = \"wss://stream.binance.com:9443\"\n\
             ws_api_url = \"wss://ws-api.binance.com:443/ws-api/v3\"\n"
        );
        let check = |text: &str| check_settings(&Settings::parse(text, Path::new("t.toml")).unwrap());
        assert!(check(&full).is_ok());
        for (line, missing) in [
            ("enabled = true\n", "switch"),
            ("consent = ", "consent"),
            ("drawdown = \"5%\"\n", "limits"),
            ("max_order = \"1%\"\n", "limits"),
            ("symbols = [\"BTC/USDT\"]\n", "governance"),
            ("cap_day = \"1000\"\n", "governance"),
            ("rest_url = ", "venue"),
            ("stream_url = ", "venue"), // else its quotes would come from the demo mode
            ("ws_api_url = ", "venue"),
        ] {
            let without: String =
                full.lines().filter(|l| !l.starts_with(line.trim())).map(|l| format!("{l}\n")).collect();
            assert!(check(&without).unwrap_err().to_string().contains(missing), "{line}");
        }
        let plain = full.replace("https://api.binance.com", "http://127.0.0.1:1");
        assert!(check(&plain).unwrap_err().to_string().contains("over TLS"));
        let played = full.replace("stream.binance.com:9443", "stream.testnet.binance.vision");
        assert!(check(&played).unwrap_err().to_string().contains("all three"));
    }

    #[test]
    fn paper_mode_trades_nowhere_but_on_this_machine_and_where_the_venue_makes_money_up() {
        let check = |text: &str| {
            let settings = Settings::parse(text, Path::new("t.toml")).unwrap();
            check_settings(&settings).map_err(|error| error.to_string())
        };
        for safe in [
            "",
            "mode = \"paper\"\n",
            "mode = \"observe\"\n[venue]\nrest_url = \"https://api.binance.com\"\n",
            "[venue]\nrest_url = \"http://127.0.0.1:1\"\nws_api_url = \"ws://localhost:1/ws-api/v3\"\n",
            "[venue]\nrest_url = \"https://testnet.binance.vision\"\n",
        ] {
            assert_eq!(check(safe), Ok(()), "{safe}");
        }
        for (key, real) in [
            ("rest_url", "https://api.binance.com"),
            ("rest_url", "https://api1.binance.com"),
            ("ws_api_url", "wss://ws-api.binance.com:443/ws-api/v3"),
            ("rest_url", "https://a-venue-that-nobody-knows.example"),
        ] {
            let said = check(&format!("[venue]\n{key} = \"{real}\"\n")).unwrap_err();
            assert!(said.contains(real), "{said}");
        }
    }

    #[test]
    fn nothing_goes_to_a_venue_in_the_clear_but_over_sockets_of_this_machine() {
        const REST: &str = "https://api.binance.com";
        const SOCKETS: [&str; 2] = ["wss://stream.binance.com:9443", "wss://ws-api.binance.com:443/ws-api/v3"];
        let check = |rest_url: &str, [stream_url, ws_api_url]: [&str; 2]| {
            let [rest_url, stream_url, ws_api_url] = [rest_url, stream_url, ws_api_url].map(str::to_owned);
            let venue = VenueSettings { rest_url, stream_url, ws_api_url, ..VenueSettings::default() };
            let conditions = conditions(&Settings { venue, ..Settings::default() });
            conditions.iter().find(|it| it.name == "venue").unwrap().met
        };
        assert!(check(REST, SOCKETS));
        assert!(check(REST, ["ws://127.0.0.2:1", "ws://[::1]:1/ws-api/v3"]));
        for (rest, sockets) in [
            ("http://127.0.0.1:1", SOCKETS),
            (REST, ["ws://stream.binance.com:9443", SOCKETS[1]]),
            (REST, ["ws://127.0.0.1.evil.example", SOCKETS[1]]),
            (REST, [SOCKETS[0], "ws://ws-api.binance.com:443/ws-api/v3"]),
            (REST, [SOCKETS[0], "ws://127.0.0.1:80@evil.example"]),
        ] {
            assert!(!check(rest, sockets), "{rest} {sockets:?}");
        }
    }

    #[tokio::test]
    async fn a_key_that_may_withdraw_or_may_not_trade_is_refused_in_live_mode_alone() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default(); // once a process
        for (may_trade, may_withdraw, wrong) in
            [(true, false, None), (true, true, Some("the key may withdraw")), (false, false, Some("may not trade"))]
        {
            let account = AccountConfig::hmac("key", "secret", &[("USDT", "1000")]);
            let accounts = vec![AccountConfig { may_trade, may_withdraw, ..account }];
            let exchange = Exchange::start(ExchangeConfig { accounts, ..ExchangeConfig::default() }).await.unwrap();
            let sockets = exchange.url().replacen("http", "ws", 1);
            let signer = Signer::new(ApiKey::new("key"), ApiSecret::new("secret")).unwrap();
            let config = BinanceConfig {
                signer: Some(signer),
                subscriptions: Subscriptions::default(),
                ..BinanceConfig::at(&exchange.url(), &sockets, &format!("{sockets}/ws-api/v3"))
            };
            let (connection, _events) = Connection::connect(config, Vec::new()).await.unwrap();
            let account = connection.account().await.unwrap();
            for mode in [NodeMode::Live, NodeMode::Paper] {
                let settings = Settings { mode, ..Settings::default() };
                let said = check_account(&settings, &connection, &account).await.map_err(|error| error.to_string());
                match wrong.filter(|_| mode == NodeMode::Live) {
                    None => assert_eq!(said, Ok(())),
                    Some(wrong) => assert!(said.as_ref().is_err_and(|said| said.contains(wrong)), "{said:?}"),
                }
            }
            exchange.shutdown().await;
        }
    }
}
