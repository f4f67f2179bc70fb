//! `tradewind exchange`: the local exchange alone.

use super::local::{KEY, Market, SECRET};
use super::runtime;
use crate::cli::ExchangeArgs;
use crate::output::{self, Failure, Format};
use std::process::ExitCode;
use tradewind_domain::Symbol;

pub(crate) fn run(args: &ExchangeArgs, format: Format) -> Result<ExitCode, Failure> {
    let symbol: Symbol = args.symbol.parse().map_err(Failure::from_coded::<tradewind_domain::SymbolError>)?;
    let market = Market {
        port: args.port,
        seed: args.seed,
        speed: args.speed,
        tape: args.tape.as_deref().map(|path| (path, symbol)),
        cash: &args.cash,
    };
    runtime()?.block_on(serve(&market, format))
}

async fn serve(market: &Market<'_>, format: Format) -> Result<ExitCode, Failure> {
    let exchange = market.start().await?;
    let origin = market.origin();
    let value = serde_json::json!({"url": exchange.url(), "origin": origin, "api_key": KEY, "api_secret": SECRET});
    output::print(format, &value, || {
        format!(
            "{}\nBinance spot's protocol on a {origin:?} market; WebSockets under the same address\n\
             test account: key {KEY}, secret {SECRET}\nCtrl-C ends it",
            exchange.url()
        )
    });
    tokio::select! {
        () = exchange.done() => eprintln!("the tape has been played to its end"),
        _ = tokio::signal::ctrl_c() => (),
    }
    exchange.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
