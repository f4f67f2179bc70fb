//! `tradewind exchange`: the local exchange alone.

use super::local::{KEY, LocalExchange, Market, SECRET};
use super::recording::Recording;
use super::runtime;
use crate::cli::ExchangeArgs;
use crate::output::{self, Failure, Format};
use crate::signals::End;
use std::process::ExitCode;

pub(crate) fn run(args: &ExchangeArgs, format: Format) -> Result<ExitCode, Failure> {
    let recording = Recording::of(&args.recorded)?;
    let market =
        Market { port: args.port, seed: args.seed, speed: args.speed, tape: recording.as_ref(), cash: &args.cash };
    let runtime = runtime(1)?;
    let end = End::in_order();
    let exchange = market.start()?;
    announce(&market, &exchange, format);
    runtime.block_on(serve(&exchange, end));
    exchange.shutdown();
    Ok(ExitCode::SUCCESS)
}

fn announce(market: &Market<'_>, exchange: &LocalExchange, format: Format) {
    let (url, origin) = (exchange.url(), market.origin());
    let symbol = market.tape.map(|tape| &tape.symbol);
    let value = serde_json::json!({
        "url": url,
        "origin": origin,
        "symbol": symbol,
        "fill_policy": market.fills(),
        "api_key": KEY,
        "api_secret": SECRET,
    });
    output::print(format, &value, || {
        let (what, cash, quote) = (market.name(), market.cash, market.quote());
        let fills = market.fills_text().map_or_else(String::new, |text| format!("{text}\n"));
        format!(
            "{url}\nBinance spot's protocol on a {what}; WebSockets under the same address\n{fills}\
             test account with {cash} {quote}: key {KEY}, secret {SECRET}\nCtrl-C ends it"
        )
    });
}

async fn serve(exchange: &LocalExchange, mut end: End) {
    tokio::select! {
        () = exchange.done() => output::note("the tape has been played to its end"),
        () = end.asked() => (),
    }
}
