//! The venue's side: frames in, frames out, and what the network does to them.

use crate::faults::{FaultId, Place};
use crate::orders::{ANSWER_TIME, MILLI, SECOND};
use crate::queue::{Back, What};
use crate::setup::{FLOW_SECONDS, key};
use crate::storm::Storm;
use tradewind_exchange::{Frame, Held, Receipt, RestRequest};

impl Storm {
    /// Milliseconds of the venue's clock, which is the true time.
    const fn venue_millis(&self) -> i64 {
        self.now / MILLI
    }

    /// The market moves one step.
    pub(crate) fn flow(&mut self) {
        let millis = self.venue_millis();
        self.house.advance(millis);
        self.emit();
        let step = i64::try_from(FLOW_SECONDS).unwrap_or(10) * SECOND;
        self.queue.at(self.now + step, What::Flow);
    }

    /// A frame of the WebSocket API arrives.
    pub(crate) fn at_venue(&mut self, session: u64, text: &str, carried_out: bool, hold: i64, back: Back) {
        self.judge.at_door(text);
        self.tally.at_door += 1;
        if !carried_out {
            let names_it = matches!(back, Back::Closed | Back::Overloaded);
            return self.answer(session, if names_it { text.to_owned() } else { String::new() }, back);
        }
        let millis = self.venue_millis();
        match self.house.receive(text, millis) {
            Receipt::Answered(reply) => {
                if text.contains("userDataStream.subscribe") && reply.contains("\"status\":200") {
                    self.link.subscribed = Some(session);
                }
                self.answer(session, reply, back);
            }
            Receipt::Held(held) if hold > 0 => {
                self.queue.at(self.now + hold, What::Matching { session, held, back });
            }
            Receipt::Held(held) => self.matching(session, *held, back),
        }
    }

    /// A request reaches the matching engine.
    pub(crate) fn matching(&mut self, session: u64, held: Held, back: Back) {
        let millis = self.venue_millis();
        let is_thin = self.climate.is_partial() && self.house.thin_out(&held, millis);
        let reply = self.house.carry_out(held, millis);
        if is_thin && reply.contains("\"status\":200") {
            self.climate.note_partial();
        }
        self.judge.answered(&reply);
        if back == Back::Cut {
            self.cut(self.now, session); // before anything of what happened can be told
        }
        self.emit();
        self.answer(session, reply, back);
    }

    /// The answer's way back.
    fn answer(&mut self, session: u64, reply: String, back: Back) {
        let id = serde_json::from_str::<serde_json::Value>(&reply).ok().and_then(|it| it["id"].as_i64());
        let text = match back {
            Back::Whole | Back::Twice => reply.clone(),
            Back::Lost => return,
            Back::Cut => return self.cut(self.now, session),
            Back::Half => reply.chars().take(reply.chars().count() / 2).collect(),
            Back::Page => "<html><head><title>Maintenance</title></head></html>".to_owned(),
            Back::ServerError => spoilt(id, 500, -1000, "An unknown error occurred while processing the request."),
            Back::UnknownCode => spoilt(id, 400, -9_999, "A code that is in no table."),
            Back::ErrorInSuccess => spoilt(id, 200, -1013, "an error inside a success"),
            Back::Closed => spoilt(id, 400, -1013, "Market is closed."),
            Back::Overloaded => spoilt(id, 503, -1008, "Server is currently overloaded with other requests."),
            Back::Another => reply.replacen("\"clientOrderId\":\"", "\"clientOrderId\":\"0", 1),
        };
        if back == Back::Twice {
            self.send_to_node(session, reply);
        }
        self.send_to_node(session, text);
    }

    fn send_to_node(&mut self, session: u64, text: String) {
        let delay = self.chance.between(1, 20) * MILLI + self.climate.latency();
        let arrival = self.link.arrival_at_node(self.now, delay);
        self.queue.at(arrival, What::NodeFrame { session, text });
    }

    /// A question arrives.
    pub(crate) fn asked(&mut self, life: u64, ticket: u64, path: &str, query: &str) {
        self.check_peace(life, path);
        let millis = self.venue_millis();
        let request = RestRequest { method: "GET", path, query, body: "", key: Some(key()) };
        let reply = self.house.ask(&request, millis);
        self.emit(); // the market moved on to this moment
        self.tally.questions += 1;
        if matches!(reply.status, 418 | 429) && self.now >= self.scarce_until {
            self.violate(format!("the venue's budget is passed by {path}"));
        }
        let slow = if self.now < self.slow_until { self.chance.between(0, 14) * SECOND } else { 0 };
        // the time is told at the door: whoever knows it no better than to a quarter of a second sends nothing
        let latency = if path == "/api/v3/time" { 0 } else { self.climate.latency() };
        let delay = self.chance.between(1, 20) * MILLI + slow + latency;
        if let (418 | 429, Some(wait), true) = (reply.status, reply.retry_after, life == self.node.life)
            && delay < ANSWER_TIME
        {
            // once the node has read this, nothing may come to the door before the wait is over
            let wait = i64::try_from(wait).unwrap_or(0) * SECOND;
            self.told_to_wait = Some((life, self.now + delay, self.now + wait - SECOND));
        }
        let (delay, answer) = if delay > ANSWER_TIME { (ANSWER_TIME, None) } else { (delay, Some(reply)) };
        self.queue.at(self.now + delay, What::NodeRest { life, ticket, answer });
    }

    /// Whoever was told to wait waits. What was on its way already is no fault.
    fn check_peace(&mut self, life: u64, what: &str) {
        if let Some((of, from, until)) = self.told_to_wait
            && of == life
            && self.now > from + 25 * MILLI
            && self.now < until
        {
            let early = (until - self.now) / MILLI;
            self.violate(format!("{what} is asked {early} ms before the venue wants to be asked"));
        }
    }

    /// What happened at the venue goes to whoever listens.
    pub(crate) fn emit(&mut self) {
        for frame in self.house.take_frames() {
            match frame {
                Frame::Market(text) => self.emit_market(text),
                Frame::User(_, text) => self.emit_user(text),
            }
        }
    }

    fn emit_user(&mut self, text: String) {
        let Some(session) = self.link.subscribed.filter(|session| self.link.alive(*session, self.now)) else { return };
        self.tally.frames += 1;
        let strikes = self.plan.next(Place::Frame);
        let delay = self.chance.between(1, 20) * MILLI + self.climate.latency();
        match strikes.map(|it| (it.fault, i64::try_from(it.lot % 1_000).unwrap_or(0))) {
            Some((FaultId::B01, lot)) => {
                let arrival = self.link.arrival_at_node(self.now, delay);
                self.queue.at(arrival, What::NodeFrame { session, text: text.clone() });
                self.queue.at(arrival + lot * SECOND, What::NodeFrame { session, text });
            }
            Some((FaultId::B02, _)) => {
                self.queue.at(self.now + delay + 30 * MILLI, What::NodeFrame { session, text });
            }
            Some((FaultId::B03, lot)) => {
                self.queue.at(self.now + (1 + lot / 20) * SECOND, What::NodeFrame { session, text });
            }
            Some((FaultId::B04, _)) => (),
            _ => {
                let arrival = self.link.arrival_at_node(self.now, delay);
                self.queue.at(arrival, What::NodeFrame { session, text });
            }
        }
    }

    fn emit_market(&mut self, text: String) {
        self.judge_price(&text);
        let life = self.node.life;
        let mut arrival = self.now + self.chance.between(1, 20) * MILLI + self.climate.latency();
        if text.contains("@bookTicker") {
            arrival = self.climate.holds_quote(self.now).unwrap_or(arrival);
        } else if self.climate.loses_candle(change_of(&text)) {
            return;
        }
        let text = match self.link.market.filter(|(_, until)| self.now < *until) {
            Some((FaultId::C07, _)) => return,
            Some((FaultId::C02, _)) => {
                self.queue.at(arrival + 5 * MILLI, What::Market { life, text: text.clone() });
                text
            }
            Some((FaultId::C05, _)) if self.chance.happens(500) => spoil_quote(&text, "\"b\":\"", "\"b\":\"9"),
            Some((FaultId::C05, _)) => spoil_quote(&text, "\"a\":\"", "\"a\":\"-"),
            Some((FaultId::C06, _)) => spoil_quote(&text, "\"a\":\"", "\"a\":\"9"),
            _ => text,
        };
        self.queue.at(arrival, What::Market { life, text });
    }

    /// The judge reads prices off the wire.
    fn judge_price(&mut self, text: &str) {
        if !text.contains("@bookTicker") {
            return;
        }
        let symbol = || {
            let start = text.find("\"s\":\"")? + 5;
            Some(&text[start..start + text[start..].find('"')?])
        };
        if let (Some(bid), Some(ask), Some(symbol)) = (number(text, "\"b\":\""), number(text, "\"a\":\""), symbol())
            && let Some(place) = self.symbols.iter().position(|it| it == symbol)
            && bid > 0
            && ask > 0
        {
            self.judge.price(place, bid / 2 + ask / 2);
            self.climate.quoted(place, bid, ask);
        }
    }

    /// The connection breaks at `time`; a moment later the node notices.
    pub(crate) fn cut(&mut self, time: i64, session: u64) {
        self.cut_noticed(time, session, self.now.max(time) + 5 * MILLI);
    }

    pub(crate) fn cut_noticed(&mut self, time: i64, session: u64, noticed: i64) {
        self.link.kill(session, time);
        self.queue.at(noticed, What::SessionLost { session });
    }

    /// For `orders` nanoseconds the venue finds no order and no open order that is newer than `since`, for `history`
    /// its lists of orders and executions lack them: for less than a minute, or they would prove what is not so.
    pub(crate) fn lag(&mut self, since: i64, orders: i64, history: i64) {
        self.house.lag_orders(Some(since / MILLI));
        self.house.lag_history(Some(since / MILLI));
        self.lag_until = [since + orders, since + history];
    }

    pub(crate) fn end_lag(&mut self) {
        if self.lag_until[0] > 0 && self.now >= self.lag_until[0] {
            self.house.lag_orders(None);
            self.lag_until[0] = 0;
        }
        if self.lag_until[1] > 0 && self.now >= self.lag_until[1] {
            self.house.lag_history(None);
            self.lag_until[1] = 0;
        }
    }
}

fn spoilt(id: Option<i64>, status: u16, code: i32, text: &str) -> String {
    serde_json::json!({"id": id, "status": status, "error": {"code": code, "msg": text}}).to_string()
}

/// The decimal behind `name` in a text, at eight decimals.
fn number(text: &str, name: &str) -> Option<i64> {
    let start = text.find(name)? + name.len();
    let end = start + text[start..].find('"')?;
    tradewind_domain::parse_decimal(&text[start..end], 8).ok()
}

/// By which fraction a candle closed above or below its open.
#[allow(clippy::cast_precision_loss)] // for people
fn change_of(candle: &str) -> f64 {
    match (number(candle, "\"o\":\""), number(candle, "\"c\":\"")) {
        (Some(open), Some(close)) if open > 0 => close as f64 / open as f64 - 1.0,
        _ => 0.0,
    }
}

fn spoil_quote(text: &str, from: &str, to: &str) -> String {
    if text.contains("@bookTicker") { text.replacen(from, to, 1) } else { text.to_owned() }
}
