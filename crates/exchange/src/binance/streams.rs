//! Market streams: their names, who listens to which, and what is sent to whom.

use super::payload;
use crate::faults::FaultKind;
use crate::world::candles::Span;
use crate::world::market::{Cadence, Changes};
use crate::world::{Event, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// A market stream. Names are lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    Trade(usize),
    Aggregate(usize),
    Candle(usize, Span),
    Best(usize),
    /// Changed levels: every 100 ms, or every second.
    Changes(usize, bool),
    /// The first 5, 10 or 20 levels: every 100 ms, or every second.
    Levels(usize, usize, bool),
    Ticker(usize),
    MiniTicker(usize),
    AllTickers,
    AllMiniTickers,
    Average(usize),
}

impl Stream {
    /// Reads a name such as `btcusdt@depth@100ms`; `None` for a name that no stream has.
    pub(crate) fn named(world: &World, name: &str) -> Option<Self> {
        match name {
            "!ticker@arr" => return Some(Self::AllTickers),
            "!miniTicker@arr" => return Some(Self::AllMiniTickers),
            _ => {}
        }
        let (symbol, kind) = name.split_once('@')?;
        if symbol.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let listing = world.listing(&symbol.to_ascii_uppercase()).ok()?;
        match kind {
            "trade" => return Some(Self::Trade(listing)),
            "aggTrade" => return Some(Self::Aggregate(listing)),
            "bookTicker" => return Some(Self::Best(listing)),
            "ticker" => return Some(Self::Ticker(listing)),
            "miniTicker" => return Some(Self::MiniTicker(listing)),
            "avgPrice" => return Some(Self::Average(listing)),
            _ => {}
        }
        if let Some(interval) = kind.strip_prefix("kline_") {
            return Span::named(interval).map(|span| Self::Candle(listing, span));
        }
        let rest = kind.strip_prefix("depth")?;
        let (levels, fast) = match rest.strip_suffix("@100ms") {
            Some(levels) => (levels, true),
            None => (rest.strip_suffix("@1000ms").unwrap_or(rest), false),
        };
        match levels {
            "" => Some(Self::Changes(listing, fast)),
            "5" => Some(Self::Levels(listing, 5, fast)),
            "10" => Some(Self::Levels(listing, 10, fast)),
            "20" => Some(Self::Levels(listing, 20, fast)),
            _ => None,
        }
    }
}

/// One connection's place in the hub.
pub(crate) type ListenerId = u64;

/// What a connection is sent.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// A text frame.
    Text(Arc<str>),
    /// The connection is over.
    Close,
}

/// Tells a connection that it was cut off, even while it is stuck in sending.
pub(crate) type Cut = Arc<Notify>;

struct Listener {
    queue: mpsc::Sender<Outgoing>,
    cut: Cut,
    combined: bool,
    /// Streams under the names they were asked by.
    streams: BTreeMap<String, Stream>,
    /// User data subscriptions: id and account.
    accounts: Vec<(u32, usize)>,
}

/// Who listens to what. A listener whose queue is full is cut off: memory stays bounded, others are not held up.
#[derive(Default)]
pub(crate) struct Hub {
    listeners: BTreeMap<ListenerId, Listener>,
    next: ListenerId,
    pub(crate) cut_off: u64,
}

impl Hub {
    /// Takes on a connection.
    pub(crate) fn join(&mut self, queue: mpsc::Sender<Outgoing>, combined: bool) -> (ListenerId, Cut) {
        self.next += 1;
        let cut = Cut::default();
        let listener =
            Listener { queue, cut: Arc::clone(&cut), combined, streams: BTreeMap::new(), accounts: Vec::new() };
        self.listeners.insert(self.next, listener);
        (self.next, cut)
    }

    pub(crate) fn leave(&mut self, id: ListenerId) {
        self.listeners.remove(&id);
    }

    /// Subscribes; false if that would be more than `max` streams.
    pub(crate) fn subscribe(&mut self, id: ListenerId, name: &str, stream: Stream, max: usize) -> bool {
        let Some(listener) = self.listeners.get_mut(&id) else { return true };
        if listener.streams.len() >= max && !listener.streams.contains_key(name) {
            return false;
        }
        listener.streams.insert(name.to_owned(), stream);
        true
    }

    pub(crate) fn unsubscribe(&mut self, id: ListenerId, name: &str) {
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.streams.remove(name);
        }
    }

    pub(crate) fn names(&self, id: ListenerId) -> Vec<String> {
        self.listeners.get(&id).map(|listener| listener.streams.keys().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn combined(&mut self, id: ListenerId) -> Option<&mut bool> {
        self.listeners.get_mut(&id).map(|listener| &mut listener.combined)
    }

    /// Subscribes a connection of the WebSocket API to the events of an account; `None` if it is already.
    pub(crate) fn subscribe_account(&mut self, id: ListenerId, account: usize) -> Option<u32> {
        let listener = self.listeners.get_mut(&id)?;
        if listener.accounts.iter().any(|(_, subscribed)| *subscribed == account) {
            return None;
        }
        let number = listener.accounts.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
        listener.accounts.push((number, account));
        Some(number)
    }

    /// Ends one user data subscription of a connection, or all; the ended ones.
    pub(crate) fn unsubscribe_accounts(&mut self, id: ListenerId, number: Option<u32>) -> Vec<u32> {
        let Some(listener) = self.listeners.get_mut(&id) else { return Vec::new() };
        let ended = listener.accounts.extract_if(.., |(at, _)| number.is_none_or(|number| number == *at));
        ended.map(|(at, _)| at).collect()
    }

    /// User data subscriptions of a connection.
    pub(crate) fn accounts(&self, id: ListenerId) -> Vec<(u32, usize)> {
        self.listeners.get(&id).map(|listener| listener.accounts.clone()).unwrap_or_default()
    }

    /// Sends an answer to one connection, behind the events that came before it.
    pub(crate) fn answer(&mut self, id: ListenerId, text: String) {
        self.offer(&[id], &Outgoing::Text(text.into()));
    }

    /// Ends every connection.
    pub(crate) fn close_all(&mut self) {
        let everybody: Vec<ListenerId> = self.listeners.keys().copied().collect();
        self.offer(&everybody, &Outgoing::Close);
        self.listeners.clear();
    }

    fn offer(&mut self, to: &[ListenerId], what: &Outgoing) {
        for id in to {
            let full = self.listeners.get(id).is_some_and(|listener| listener.queue.try_send(what.clone()).is_err());
            if full && let Some(listener) = self.listeners.remove(id) {
                listener.cut.notify_one();
                self.cut_off += 1;
            }
        }
    }

    /// Sends what `make` gives to everybody who listens to a stream that `is` accepts.
    fn publish(&mut self, is: impl Fn(&Stream) -> bool, make: impl Fn(&Stream) -> Option<Value>) {
        let mut plain: BTreeMap<Stream, Option<Arc<str>>> = BTreeMap::new();
        let mut sends: Vec<(ListenerId, Outgoing)> = Vec::new();
        for (id, listener) in &self.listeners {
            for (name, stream) in listener.streams.iter().filter(|(_, stream)| is(stream)) {
                let text = plain.entry(*stream).or_insert_with(|| make(stream).map(|value| value.to_string().into()));
                let Some(text) = text else { continue };
                let text = if listener.combined {
                    format!("{{\"stream\":{},\"data\":{text}}}", json!(name)).into()
                } else {
                    Arc::clone(text)
                };
                sends.push((*id, Outgoing::Text(text)));
            }
        }
        for (id, outgoing) in sends {
            self.offer(&[id], &outgoing);
        }
    }

    fn publish_account(&mut self, account: usize, event: &Value) {
        let mut sends = Vec::new();
        for (id, listener) in &self.listeners {
            for (number, _) in listener.accounts.iter().filter(|(_, subscribed)| *subscribed == account) {
                sends.push((*id, json!({"subscriptionId": number, "event": event}).to_string()));
            }
        }
        for (id, text) in sends {
            self.answer(id, text);
        }
    }

    /// Tells everybody of what happened; `spoil` says what goes wrong with a report.
    pub(crate) fn tell(&mut self, world: &World, events: &[Event], spoil: &dyn Fn(&str) -> Option<FaultKind>) {
        let now = world.now();
        for event in events {
            match event {
                Event::Trade { listing, trade } => {
                    let name = world.markets[*listing].rules.name();
                    self.publish(
                        |stream| *stream == Stream::Trade(*listing),
                        |_| Some(payload::stream_trade(name, trade, now)),
                    );
                }
                Event::Aggregate { listing, sum } => {
                    let name = world.markets[*listing].rules.name();
                    self.publish(
                        |stream| *stream == Stream::Aggregate(*listing),
                        |_| Some(payload::stream_aggregate(name, sum, now)),
                    );
                }
                Event::Best { listing, update, best } => {
                    if spoil("market/bookTicker") == Some(FaultKind::Nothing) {
                        continue;
                    }
                    let name = world.markets[*listing].rules.name();
                    self.publish(
                        |stream| *stream == Stream::Best(*listing),
                        |_| Some(payload::stream_best(name, *update, best)),
                    );
                }
                Event::Closed { listing, span, candle } => {
                    let name = world.markets[*listing].rules.name();
                    let at = span.next_open(candle.open_time);
                    let is_heard = |stream: &Stream| *stream == Stream::Candle(*listing, *span);
                    if !self.listeners.values().any(|listener| listener.streams.values().any(is_heard)) {
                        continue; // nobody's candle spends no fault
                    }
                    for _ in 0..times(spoil("market/kline")) {
                        self.publish(is_heard, |_| Some(payload::stream_candle(name, *span, candle, true, at)));
                    }
                }
                Event::Report { row, execution } => {
                    let name = world.markets[row.listing].rules.name();
                    let mut report = payload::report(name, row, execution, now);
                    let fault = spoil(&format!("executionReport/{}", report["x"].as_str().unwrap_or_default()));
                    if let Some(FaultKind::Field { name, value }) = &fault {
                        report[name.as_str()] = value.clone();
                    }
                    for _ in 0..times(fault) {
                        self.publish_account(row.account, &report);
                    }
                }
                Event::Balances { account, changed } => {
                    self.publish_account(*account, &payload::balances(changed, now));
                }
                Event::List { list, done } => {
                    self.publish_account(list.account, &payload::list_status(world, list, *done, now));
                }
            }
        }
    }

    /// Publishes what goes out by the clock: depth at both cadences; candles and tickers with the slow one.
    pub(crate) fn tell_by_clock(
        &mut self,
        world: &mut World,
        cadence: Cadence,
        spoil: &dyn Fn(&str) -> Option<FaultKind>,
    ) {
        let now = world.now();
        let fast = cadence == Cadence::Fast;
        let lost = |changes: &Changes| changes.first > 0 && spoil("market/depthUpdate") == Some(FaultKind::Nothing);
        let changes = world.markets.iter_mut().map(|market| market.changes(cadence).filter(|it| !fast || !lost(it)));
        let changes: Vec<Option<Changes>> = changes.collect();
        let world = &*world;
        self.publish(
            |stream| matches!(stream, Stream::Changes(_, at) | Stream::Levels(_, _, at) if *at == fast),
            |stream| match stream {
                Stream::Changes(listing, _) => {
                    changes[*listing].as_ref().map(|changes| payload::stream_changes(world, *listing, changes, now))
                }
                Stream::Levels(listing, count, _) => Some(payload::partial_depth(world, *listing, *count)),
                _ => None,
            },
        );
        if !fast && spoil("market/slow") != Some(FaultKind::Nothing) {
            self.tell_slow(world, now);
        }
    }

    fn tell_slow(&mut self, world: &World, now: i64) {
        let all = |make: fn(&crate::world::market::Market, i64) -> Value| -> Value {
            world.markets.iter().map(|market| make(market, now)).collect()
        };
        self.publish(
            |stream| {
                matches!(
                    stream,
                    Stream::Candle(..)
                        | Stream::Ticker(_)
                        | Stream::MiniTicker(_)
                        | Stream::AllTickers
                        | Stream::AllMiniTickers
                        | Stream::Average(_)
                )
            },
            |stream| match stream {
                Stream::Candle(listing, span) => current_candle(world, *listing, *span, now),
                Stream::Ticker(listing) => Some(payload::stream_ticker(&world.markets[*listing], now)),
                Stream::MiniTicker(listing) => Some(payload::stream_mini_ticker(&world.markets[*listing], now)),
                Stream::AllTickers => Some(all(payload::stream_ticker)),
                Stream::AllMiniTickers => Some(all(payload::stream_mini_ticker)),
                Stream::Average(listing) => {
                    let market = &world.markets[*listing];
                    let last = market.trades.back().map_or(0, |trade| trade.at);
                    Some(json!({
                        "e": "avgPrice", "E": now, "s": market.rules.name(), "i": "5m",
                        "w": payload::price_text(market.average(5, now)), "T": last,
                    }))
                }
                _ => None,
            },
        );
    }
}

/// How often a frame is sent.
fn times(fault: Option<FaultKind>) -> u32 {
    match fault {
        Some(FaultKind::Nothing) => 0,
        Some(FaultKind::Twice) => 2,
        _ => 1,
    }
}

/// The candle being built, if one is.
fn current_candle(world: &World, listing: usize, span: Span, now: i64) -> Option<Value> {
    let market = &world.markets[listing];
    let source = match &market.seconds {
        Some(seconds) if span.name == "1s" => seconds,
        _ => &market.candles,
    };
    let open = span.open_of(source.current()?.open_time);
    let candle = source.fold(span, Some(open), Some(open), 1).pop()?;
    Some(payload::stream_candle(market.rules.name(), span, &candle, false, now))
}
