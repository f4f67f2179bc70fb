//! `tradewind exchange`: the local exchange alone.

use super::local::{KEY, LocalExchange, Market, SECRET};
use super::recording::Recording;
use super::{end, runtime};
use crate::cli::ExchangeArgs;
use crate::output::{self, Failure, Format};
use crate::signals::End;
use std::process::ExitCode;

pub(crate) fn run(args: &ExchangeArgs, format: Format) -> Result<ExitCode, Failure> {
    let recording = args.tape.as_deref().map(|path| Recording::open(path, args.symbol.as_deref())).transpose()?;
    let market =
        Market { port: args.port, seed: args.seed, speed: args.speed, tape: recording.as_ref(), cash: &args.cash };
    let runtime = runtime(1)?;
    let watching = runtime.block_on(async { end() })?;
    let exchange = market.start()?;
    announce(&market, &exchange, format);
    runtime.block_on(serve(&exchange, watching));
    exchange.shutdown();
    Ok(ExitCode::SUCCESS)
}

fn announce(market: &Market<'_>, exchange: &LocalExchange, format: Format) {
    let (url, origin) = (exchange.url(), market.origin());
    let value = serde_json::json!({"url": url, "origin": origin, "api_key": KEY, "api_secret": SECRET});
    output::print(format, &value, || {
        let what = format!("{origin:?}").to_lowercase();
        let (cash, quote) = (market.cash, market.quote());
        format!(
            "{url}\nBinance spot's protocol on a {what} market; WebSockets under the same address\n\
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
