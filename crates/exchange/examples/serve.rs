//! Starts a local exchange with two funded accounts and prints its address; for third-party clients.
//!
//! `serve [--port N] [--seed N] [--speed X] [--bars FILE --symbol BTC/USDT] [--ed25519 PUBLIC]`
//!
//! `--ed25519` adds a third account, whose key is the Ed25519 key with this public half, in hex.
//! The first line on stdout is the address, such as `http://127.0.0.1:40123`. It runs until its tape ends or
//! Ctrl-C.

#![allow(clippy::print_stdout)] // the address is this program's output

use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig, Limits, Pace, Tape};

/// Key and secret of the first account.
const TAKER: (&str, &str) = ("tradewind-test-key-taker", "tradewind-test-secret-taker");
/// Key and secret of the second account.
const MAKER: (&str, &str) = ("tradewind-test-key-maker", "tradewind-test-secret-maker");
/// Key of the account that `--ed25519` adds.
const SIGNER: &str = "tradewind-test-key-ed25519";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let funds = [("BTC", "50"), ("ETH", "500"), ("SOL", "5000"), ("USDT", "1000000")];
    let mut config = ExchangeConfig {
        accounts: vec![AccountConfig::hmac(TAKER.0, TAKER.1, &funds), AccountConfig::hmac(MAKER.0, MAKER.1, &funds)],
        limits: Limits { weight_per_minute: 60_000, ..Limits::default() },
        ..ExchangeConfig::default()
    };
    let (mut bars, mut symbol) = (None, "BTC/USDT".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => config.port = value.parse()?,
            "--seed" => config.seed = value.parse()?,
            "--speed" => config.pace = Pace::Realtime { speed: value.parse()? },
            "--bars" => bars = Some(value),
            "--symbol" => symbol = value,
            "--ed25519" => {
                let public = <[u8; 32]>::try_from(hex::decode(value)?.as_slice())?;
                config.accounts.push(AccountConfig::ed25519(SIGNER, public, &funds));
            }
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    if let Some(path) = bars {
        config.tape = Some(Tape::bars_file(path, symbol.parse()?, 500));
    }
    let exchange = Exchange::start(config).await?;
    println!("{}", exchange.url());
    tokio::select! {
        () = exchange.done() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    exchange.shutdown().await;
    Ok(())
}
