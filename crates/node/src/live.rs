//! What live mode needs before a single order: the switch, the consent, limits set by hand, and a harmless key.

use crate::error::NodeError;
use crate::settings::{CONSENT, NodeMode, Settings};
use serde::Serialize;
use tradewind_venues::binance::{AccountState, Connection};

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
        condition("venue", settings.venue.rest_url.starts_with("https://"), "live mode talks to a venue over TLS"),
    ]
}

pub(crate) fn check_settings(settings: &Settings) -> Result<(), NodeError> {
    if settings.mode != NodeMode::Live {
        return Ok(());
    }
    match conditions(settings).into_iter().find(|condition| !condition.met) {
        Some(condition) => Err(NodeError::Live(format!("{} is missing: {}", condition.name, condition.remedy))),
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
             cap_order = \"100\"\ncap_day = \"1000\"\n[live]\nenabled = true\nconsent = \"{CONSENT}\"\n"
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
        ] {
            let without: String =
                full.lines().filter(|l| !l.starts_with(line.trim())).map(|l| format!("{l}\n")).collect();
            assert!(check(&without).unwrap_err().to_string().contains(missing), "{line}");
        }
        let plain = format!("{full}[venue]\nrest_url = \"http://127.0.0.1:1\"\n");
        assert!(check(&plain).unwrap_err().to_string().contains("venue"));
        assert!(check("mode = \"paper\"\n").is_ok());
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
