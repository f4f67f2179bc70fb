//! What the exchange says: frames that sockets would carry.

use super::InProcess;
use crate::binance::payload;
use crate::world::Event;
use crate::world::ledger::FIRST_CUSTOMER;
use serde_json::Value;

/// A frame that a socket would carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// To whoever listens to this market stream, in combined form.
    Market(String),
    /// To whoever subscribed to this account's events; accounts count from 0 in the order of the configuration.
    User(usize, String),
}

impl InProcess {
    /// What happened since the last call, as frames, oldest first.
    pub fn take_frames(&mut self) -> Vec<Frame> {
        let (now, mut all) = (self.world.now(), std::mem::take(&mut self.extra));
        for event in self.world.take_events() {
            match event {
                Event::Best { listing, update, best } => {
                    let name = self.world.markets[listing].rules.name();
                    all.push(combined(name, "bookTicker", &payload::stream_best(name, update, &best)));
                }
                Event::Closed { listing, span, candle } if self.candles.as_deref() == Some(span.name) => {
                    let name = self.world.markets[listing].rules.name();
                    let at = span.next_open(candle.open_time);
                    let data = payload::stream_candle(name, span, &candle, true, at);
                    all.push(combined(name, &format!("kline_{}", span.name), &data));
                }
                Event::Report { row, execution } => {
                    let name = self.world.markets[row.listing].rules.name();
                    all.extend(user(row.account, &payload::report(name, &row, &execution, now)));
                }
                Event::Balances { account, changed } => all.extend(user(account, &payload::balances(&changed, now))),
                Event::List { list, done } => {
                    all.extend(user(list.account, &payload::list_status(&self.world, &list, done, now)));
                }
                Event::Trade { .. } | Event::Aggregate { .. } | Event::Closed { .. } => (),
            }
        }
        all
    }
}

fn combined(name: &str, kind: &str, data: &Value) -> Frame {
    Frame::Market(format!("{{\"stream\":\"{}@{kind}\",\"data\":{data}}}", name.to_ascii_lowercase()))
}

/// A frame to a customer; the market and the house have no stream.
pub(super) fn user(account: usize, event: &Value) -> Option<Frame> {
    let place = account.checked_sub(FIRST_CUSTOMER)?;
    Some(Frame::User(place, format!("{{\"subscriptionId\":0,\"event\":{event}}}")))
}
