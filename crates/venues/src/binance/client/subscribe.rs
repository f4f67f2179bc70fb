//! Subscribing to market streams: every one is confirmed, then counted.

use super::config::BinanceConfig;
use super::dial::dial;
use super::rest::Rest;
use crate::answer::{quote as quote_text, read_json};
use crate::binance::convert::Instruments;
use crate::binance::protocol::MarketFrame;
use crate::binance::wire::{RequestId, StreamRequest, StreamResponse};
use crate::socket::Socket;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Streams named in one subscription message.
const STREAMS_A_MESSAGE: usize = 100;
/// The venue takes five messages a second.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(250);

/// The names of the streams that are wanted.
fn streams(config: &BinanceConfig, instruments: &Instruments) -> Vec<String> {
    let wanted = &config.subscriptions;
    let mut names = Vec::new();
    for it in instruments.iter() {
        let symbol = it.spec.venue_symbol.to_lowercase();
        if wanted.quotes {
            names.push(format!("{symbol}@bookTicker"));
        }
        if wanted.trades {
            names.push(format!("{symbol}@trade"));
        }
        if wanted.books {
            names.push(format!("{symbol}@depth@100ms"));
        }
        names.extend(wanted.bars.iter().map(|interval| format!("{symbol}@kline_{interval}")));
    }
    names
}

/// Connects and subscribes. The venue confirms each message, and then lists what it took: it accepts a stream that it
/// never sends.
pub(crate) async fn open(config: &BinanceConfig, rest: &Rest, instruments: &Instruments) -> Result<Socket, String> {
    let mut socket = dial(config, rest, &format!("{}/stream", config.stream_url)).await?;
    let names = streams(config, instruments);
    let mut id = 0;
    for names in names.chunks(STREAMS_A_MESSAGE) {
        if id > 0 {
            tokio::time::sleep(BETWEEN_MESSAGES).await;
        }
        id += 1;
        let request = StreamRequest {
            method: "SUBSCRIBE".to_owned(),
            params: names.iter().map(|name| name.clone().into()).collect(),
            id: RequestId::Number(id),
        };
        let text = serde_json::to_string(&request).map_err(|error| error.to_string())?;
        answer_to(config, &mut socket, text, id).await?;
    }
    id += 1;
    let text = format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}"#);
    let taken = answer_to(config, &mut socket, text, id).await?.result;
    let taken: Vec<String> = taken.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
    let taken: BTreeSet<String> = taken.into_iter().collect();
    match names.iter().find(|name| !taken.contains(*name)) {
        Some(missing) => Err(format!("the venue took {} of {} streams, and not {missing}", taken.len(), names.len())),
        None => Ok(socket),
    }
}

async fn answer_to(
    config: &BinanceConfig,
    socket: &mut Socket,
    request: String,
    id: i64,
) -> Result<StreamResponse, String> {
    socket.send(request).await?;
    let deadline = Instant::now() + config.answer_time;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let next = tokio::time::timeout(left, socket.next()).await;
        let (text, _) = next.map_err(|_| "no answer to the subscription".to_owned())??;
        if MarketFrame::read(&text).is_some() {
            continue; // data of the streams that are on already; books start with their next change
        }
        let answer: StreamResponse = read_json(text.as_bytes()).map_err(|error| error.to_string())?;
        return match (&answer.id, &answer.error) {
            (Some(RequestId::Number(answered)), None) if *answered == id => Ok(answer),
            (_, Some(error)) => Err(format!("the subscription was refused ({}: {})", error.code, error.msg)),
            (_, None) => Err(format!("the subscription was refused: `{}`", quote_text(text.as_bytes()))),
        };
    }
}
