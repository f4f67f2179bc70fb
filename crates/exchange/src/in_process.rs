//! The exchange without sockets, tasks and clocks: the same door, protocol and matching core, called as a value.
//!
//! Simulations run it in their own time, in their own thread. What it would send over a socket comes out as text, what
//! it would read from one goes in as text, and every moment is given by the caller.

use crate::binance::answer::{Answer, Refusal};
use crate::binance::calls::{self, Call, NoRoute, Route};
use crate::binance::door::{self, Keys};
use crate::binance::limits::Counters;
use crate::binance::params::Params;
use crate::binance::signature::Fence;
use crate::binance::{frames, payload};
use crate::config::{ExchangeConfig, Limits};
use crate::error::ExchangeError;
use crate::server::build;
use crate::world::ledger::{FIRST_CUSTOMER, MARKET};
use crate::world::{Event, World};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use tradewind_domain::{Currency, Price, Quantity, Side, parse_decimal};

/// Everybody calls from here; budgets are counted as for any address.
const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The exchange as a value. Market time and the server's clock are one, in milliseconds.
pub struct InProcess {
    world: World,
    keys: Keys,
    limits: Limits,
    counters: Counters,
    hidden: [Option<i64>; 2],
    candles: Option<String>,
    /// Frames that nothing in the world led to.
    extra: Vec<Frame>,
}

/// One REST request as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub struct RestRequest<'a> {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'a str,
    /// Such as `/api/v3/order`.
    pub path: &'a str,
    /// Without the question mark.
    pub query: &'a str,
    /// Empty for `GET`.
    pub body: &'a str,
    /// The header `X-MBX-APIKEY`.
    pub key: Option<&'a str>,
}

/// The answer to a REST request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The header `X-MBX-USED-WEIGHT-1M`.
    pub used_weight: Option<u32>,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// What came of a frame at its receipt.
pub enum Receipt {
    /// It was answered at the door.
    Answered(String),
    /// It was let in, and is on its way to the matching engine.
    Held(Box<Held>),
}

/// A request between its receipt and the matching engine.
pub struct Held {
    id: Value,
    route: Route,
    params: Params,
    caller: Option<(String, Fence)>,
    tells_limits: bool,
}

/// A frame that a socket would carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// To whoever listens to this market stream, in combined form.
    Market(String),
    /// To whoever subscribed to this account's events; accounts count from 0 in the order of the configuration.
    User(usize, String),
}

/// An order as the exchange has it written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEntry {
    /// The exchange's number.
    pub id: u64,
    /// Its client's name for it.
    pub client_id: String,
    /// Such as `BTCUSDT`.
    pub symbol: String,
    /// Which way.
    pub side: Side,
    /// How much was asked, at eight decimals.
    pub quantity: Quantity,
    /// How much was executed, at eight decimals.
    pub executed: Quantity,
    /// Whether it may still execute.
    pub is_open: bool,
    /// When it was taken on.
    pub created: i64,
}

/// An execution as the exchange booked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeEntry {
    /// Its number, unique per symbol.
    pub id: i64,
    /// The order's number.
    pub order: u64,
    /// The symbol's place in the configuration.
    pub listing: usize,
    /// Which way.
    pub side: Side,
    /// At eight decimals.
    pub price: Price,
    /// At eight decimals.
    pub quantity: Quantity,
    /// Paid or received, in `10^-8` of the quote currency.
    pub quote: i128,
    /// In `10^-8` of [`Self::fee_asset`].
    pub fee: i128,
    /// What the fee was taken in.
    pub fee_asset: Currency,
    /// When.
    pub at: i64,
}

impl InProcess {
    /// Opens the market. Only simulated markets run in process; port, pace and faults of `config` do not matter.
    ///
    /// # Errors
    /// [`ExchangeError`] if a setting contradicts itself.
    pub fn open(config: &ExchangeConfig) -> Result<Self, ExchangeError> {
        let parts = build(config)?;
        Ok(Self {
            world: parts.world,
            keys: parts.keys,
            limits: parts.limits,
            counters: Counters::new(parts.limits),
            hidden: [None; 2],
            candles: None,
            extra: Vec::new(),
        })
    }

    /// Sends candles of this length, such as `1m`, when they close.
    #[must_use]
    pub fn with_candles(mut self, length: &str) -> Self {
        self.candles = Some(length.to_owned());
        self
    }

    /// Market time.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.world.now()
    }

    /// Lets everything happen that is due until `to`. Never moves back.
    pub fn advance(&mut self, to: i64) {
        self.world.advance(to);
    }

    // --- what clients say

    /// Answers a REST request that is received and carried out at `at`.
    pub fn ask(&mut self, request: &RestRequest<'_>, at: i64) -> Reply {
        self.advance(at);
        let mut reply = Reply { status: 200, body: String::new(), used_weight: None, retry_after: None };
        let route = match calls::rest(request.method, request.path) {
            Ok(route) => route,
            Err(missing) => {
                reply.status = if missing == NoRoute::Path { 404 } else { 405 };
                return reply;
            }
        };
        match self.answer_rest(request, &route, at, &mut reply.used_weight) {
            Ok(value) => reply.body = value.to_string(),
            Err(refusal) => {
                (reply.status, reply.retry_after) = (refusal.status, refusal.retry_after);
                reply.body = refusal.body().to_string();
            }
        }
        reply
    }

    fn answer_rest(
        &mut self,
        request: &RestRequest<'_>,
        route: &Route,
        at: i64,
        used_weight: &mut Option<u32>,
    ) -> Answer {
        let params = Params::read(request.query, request.body)?;
        *used_weight = Some(self.counters.charge(CALLER, route.weight(&params), at)?);
        let sent = (request.query, request.body);
        let caller = door::rest_caller(&self.keys, route, &params, sent, request.key, at)?;
        let key = caller.map(|(key, _)| key);
        if let Some(key) = key.filter(|_| route.orders() > 0) {
            self.counters.may_order(key.account, at)?;
        }
        let context = door::context(&self.limits, &self.counters, key, at);
        let answer = calls::perform(&mut self.world, route, &params, &context);
        if let Some(key) = key.filter(|_| answer.is_ok()) {
            for _ in 0..route.orders() {
                self.counters.count_order(key.account, at);
            }
        }
        self.lagging(route, answer)
    }

    /// Receives a frame of the WebSocket API at `at`: budget, key, signature, window.
    pub fn receive(&mut self, text: &str, at: i64) -> Receipt {
        self.advance(at);
        let Some(request) = frames::Request::read(text) else {
            return Receipt::Answered(frames::not_json().to_string());
        };
        let tells_limits = request.tells_limits;
        let admitted = match request.params {
            Ok(params) => self.admit(&request.method, params, at),
            Err(refusal) => Err(refusal),
        };
        match admitted {
            Ok(Ok((route, params, caller))) => {
                Receipt::Held(Box::new(Held { id: request.id, route, params, caller, tells_limits }))
            }
            Ok(Err(value)) => Receipt::Answered(self.envelope(&request.id, &Ok(value), tells_limits, at)),
            Err(refusal) => Receipt::Answered(self.envelope(&request.id, &Err(refusal), tells_limits, at)),
        }
    }

    /// What is let in, or the answer to what concerns the session alone.
    #[expect(clippy::type_complexity, reason = "the parts of `Held`, made in one place and taken apart in one place")]
    fn admit(
        &mut self,
        method: &str,
        params: Params,
        at: i64,
    ) -> Result<Result<(Route, Params, Option<(String, Fence)>), Value>, Refusal> {
        params.raw("returnRateLimits");
        let Some(route) = calls::ws(method) else {
            self.counters.charge(CALLER, 2, at)?;
            return match method {
                "userDataStream.subscribe.signature" => {
                    door::ws_signed(&self.keys, &params, params.raw("apiKey"), at)?;
                    params.all_read()?;
                    Ok(Err(json!({"subscriptionId": 0})))
                }
                _ => Err(Refusal::new(-1130, "Data sent for parameter 'method' is not valid.")),
            };
        };
        self.counters.charge(CALLER, route.weight(&params), at)?;
        let caller = door::ws_caller(&self.keys, &route, &params, None, at)?;
        if let Some((key, _)) = caller.filter(|_| route.orders() > 0) {
            self.counters.may_order(key.account, at)?;
        }
        let caller = caller.map(|(_, fence)| (params.raw("apiKey").unwrap_or_default().to_owned(), fence));
        Ok(Ok((route, params, caller)))
    }

    /// The request reaches the matching engine at `at`, where its window is checked again.
    pub fn carry_out(&mut self, held: Held, at: i64) -> String {
        self.advance(at);
        let Held { id, route, params, caller, tells_limits } = held;
        let fence = caller.as_ref().map_or(Ok(()), |(_, fence)| fence.check(at));
        let answer = fence.and_then(|()| {
            let key = caller.as_ref().map(|(name, _)| door::key(&self.keys, Some(name))).transpose()?;
            let context = door::context(&self.limits, &self.counters, key, at);
            let answer = calls::perform(&mut self.world, &route, &params, &context);
            if let Some(key) = key.filter(|_| answer.is_ok()) {
                for _ in 0..route.orders() {
                    self.counters.count_order(key.account, at);
                }
            }
            answer
        });
        let answer = self.lagging(&route, answer);
        self.envelope(&id, &answer, tells_limits, at)
    }

    /// Leaves an order that is about to be carried out half of what it asks for: the makers in its way withdraw, but for
    /// one at the best price. False, and nothing changes, for any other request, for an order that would take nothing,
    /// and for one that is too small to be halved.
    pub fn thin_out(&mut self, held: &Held, at: i64) -> bool {
        self.advance(at);
        if held.route.call != Call::Place {
            return false;
        }
        let number = |name: &str| held.params.raw(name).and_then(|text| parse_decimal(text, 8).ok());
        let Some(listing) = held.params.raw("symbol").and_then(|name| self.world.listing(name).ok()) else {
            return false;
        };
        let side = if held.params.raw("side") == Some("BUY") { Side::Buy } else { Side::Sell };
        let (limit, quantity) = (number("price").map(Price::from_mantissa), number("quantity").unwrap_or(0));
        self.world.thin_out(listing, side, limit, Quantity::from_mantissa(quantity))
    }

    fn envelope(&self, id: &Value, answer: &Answer, tells_limits: bool, at: i64) -> String {
        let used = self.counters.used(CALLER, at);
        let rate_limits = tells_limits.then(|| frames::rate_limits(used, self.limits.weight_per_minute));
        frames::envelope(id, answer, rate_limits).to_string()
    }

    // --- what the exchange says

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

    // --- what goes wrong on purpose

    /// Lets the query of an order and the list of open orders answer as if nothing that was taken on from `since` on had
    /// happened yet; `None` ends that.
    pub fn lag_orders(&mut self, since: Option<i64>) {
        self.hidden[0] = since;
    }

    /// The same for the order history and the account's executions.
    pub fn lag_history(&mut self, since: Option<i64>) {
        self.hidden[1] = since;
    }

    fn lagging(&self, route: &Route, answer: Answer) -> Answer {
        let history = matches!(route.call, Call::AllOrders | Call::MyTrades);
        let Some(since) = self.hidden[usize::from(history)] else { return answer };
        let is_old = |row: &Value| row["time"].as_i64().is_none_or(|time| time < since);
        match (route.call, answer) {
            (Call::Query, Ok(row)) if !is_old(&row) => Err(Refusal::no_such_order()),
            (Call::OpenOrders | Call::AllOrders | Call::MyTrades, Ok(Value::Array(mut rows))) => {
                rows.retain(is_old);
                Ok(Value::Array(rows))
            }
            (_, answer) => answer,
        }
    }

    /// The exchange restarts and has forgotten the open orders of an account: they are gone without a word, and only
    /// those that had traded are still listed, as cancelled.
    pub fn forget_open_orders(&mut self, account: usize) {
        let open = self.world.open_orders(FIRST_CUSTOMER + account).map(|row| (row.id, row.executed.is_zero()));
        for (id, never_traded) in open.collect::<Vec<_>>() {
            if self.world.cancel(id, None).is_ok() && never_traded {
                self.world.rows.remove(&id);
            }
        }
        self.world.take_events().clear();
    }

    /// Money comes to an account from outside, or, negative, leaves it; its owner is told of it or not.
    pub fn transfer_in(&mut self, account: usize, asset: Currency, units: i128, is_told: bool) {
        self.world.ledger.deposit(FIRST_CUSTOMER + account, asset, units);
        if is_told {
            let now = self.world.now();
            let event = json!({
                "e": "balanceUpdate", "E": now, "a": asset.code(), "d": payload::fixed(units), "T": now,
            });
            self.extra.extend(user(FIRST_CUSTOMER + account, &event));
        }
    }

    /// Another program on the same address uses up this minute's weight, all but `left`.
    pub fn squeeze(&mut self, left: u32) {
        let now = self.world.now();
        let used = self.counters.used(CALLER, now);
        let taken = self.limits.weight_per_minute.saturating_sub(used + left);
        let _ = self.counters.charge(CALLER, taken, now); // what it is answered is not our concern
    }

    /// The address is banned for so many milliseconds.
    pub fn ban(&mut self, millis: i64) {
        self.counters.ban(CALLER, self.world.now() + millis);
    }

    // --- what a judge may see

    /// Every order of an account that is still written down, oldest first.
    pub fn orders(&self, account: usize) -> impl Iterator<Item = OrderEntry> {
        let mine = move |row: &&crate::world::order::Row| row.account == FIRST_CUSTOMER + account;
        self.world.rows.values().filter(mine).map(|row| OrderEntry {
            id: row.id,
            client_id: row.client_id.clone(),
            symbol: self.world.markets[row.listing].rules.name().to_owned(),
            side: row.side,
            quantity: row.quantity,
            executed: row.executed,
            is_open: row.status.is_open(),
            created: row.created,
        })
    }

    /// Executions of an account from the `from`-th on, oldest first.
    pub fn trades(&self, account: usize, from: usize) -> impl Iterator<Item = TradeEntry> {
        let all = &self.world.own_trades[FIRST_CUSTOMER + account];
        all[from.min(all.len())..].iter().map(|it| TradeEntry {
            id: it.id,
            order: it.order,
            listing: it.listing,
            side: it.side,
            price: it.price,
            quantity: it.quantity,
            quote: it.quote,
            fee: it.fee,
            fee_asset: it.fee_asset,
            at: it.at,
        })
    }

    /// What an account owns of each asset, free and locked together, in `10^-8`.
    pub fn balances(&self, account: usize) -> impl Iterator<Item = (Currency, i128)> {
        self.world.ledger.balances(FIRST_CUSTOMER + account).map(|(asset, held)| (asset, held.free + held.locked))
    }

    /// What everybody owns of an asset together: it changes by [`Self::transfer_in`] alone.
    #[must_use]
    pub fn total(&self, asset: Currency) -> i128 {
        let all = MARKET..self.world.ledger.accounts();
        all.map(|account| self.world.ledger.balance(account, asset)).map(|held| held.free + held.locked).sum()
    }
}

fn combined(name: &str, kind: &str, data: &Value) -> Frame {
    Frame::Market(format!("{{\"stream\":\"{}@{kind}\",\"data\":{data}}}", name.to_ascii_lowercase()))
}

/// A frame to a customer; the market and the house have no stream.
fn user(account: usize, event: &Value) -> Option<Frame> {
    let place = account.checked_sub(FIRST_CUSTOMER)?;
    Some(Frame::User(place, format!("{{\"subscriptionId\":0,\"event\":{event}}}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AccountConfig, SymbolConfig};
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use tradewind_domain::Timestamp;

    const START: i64 = 1_700_000_000_000;

    fn open() -> InProcess {
        let config = ExchangeConfig {
            symbols: vec![SymbolConfig::new("BTC/USDT", "0.01", "0.00001", 60_000.0, 0.05)],
            accounts: vec![AccountConfig::hmac("key", "secret", &[("USDT", "10000")])],
            start: Some(Timestamp::from_millis(START)),
            history_bars: 0,
            ..ExchangeConfig::default()
        };
        InProcess::open(&config).unwrap().with_candles("1m")
    }

    fn sign(payload: &str) -> String {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"secret").unwrap();
        mac.update(payload.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    fn place(at: i64, name: &str) -> String {
        place_of("BUY", "0.001", at, name)
    }

    fn place_of(side: &str, quantity: &str, at: i64, name: &str) -> String {
        let params = format!(
            "apiKey=key&newClientOrderId={name}&quantity={quantity}&recvWindow=2000&side={side}&symbol=BTCUSDT&timestamp={at}&type=MARKET"
        );
        let signature = sign(&params);
        let mut map: serde_json::Map<String, Value> =
            params.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), json!(v))).collect();
        map.insert("signature".to_owned(), json!(signature));
        json!({"id": 1, "method": "order.place", "params": map}).to_string()
    }

    fn query(house: &mut InProcess, name: &str, at: i64) -> Reply {
        let text = format!("symbol=BTCUSDT&origClientOrderId={name}&timestamp={at}");
        let query = format!("{text}&signature={}", sign(&text));
        let request = RestRequest { method: "GET", path: "/api/v3/order", query: &query, body: "", key: Some("key") };
        house.ask(&request, at)
    }

    #[test]
    fn an_order_is_held_between_receipt_and_matching_and_checked_twice() {
        let mut house = open();
        let Receipt::Held(held) = house.receive(&place(START, "a"), START) else { panic!("let in") };
        let late = house.carry_out(*held, START + 2_001);
        assert!(late.contains("-1021"), "{late}");
        let Receipt::Held(held) = house.receive(&place(START + 3_000, "b"), START + 3_000) else { panic!("let in") };
        let done = house.carry_out(*held, START + 4_000);
        assert!(done.contains("\"status\":200"), "{done}");
        assert_eq!(house.orders(0).map(|it| it.client_id).collect::<Vec<_>>(), ["b"]);
        let Receipt::Answered(refused) = house.receive(&place(START, "c"), START + 9_000) else { panic!("late") };
        assert!(refused.contains("-1021"), "{refused}");
    }

    #[test]
    fn what_happens_comes_out_as_frames_and_can_be_judged() {
        let mut house = open();
        house.take_frames();
        let Receipt::Held(held) = house.receive(&place(START, "a"), START) else { panic!("let in") };
        let said = house.carry_out(*held, START);
        assert!(said.contains("\"status\":200"), "{said}");
        let frames = house.take_frames();
        assert!(frames.iter().any(|f| matches!(f, Frame::User(0, text) if text.contains("executionReport"))));
        let usdt = Currency::new("USDT").unwrap();
        let bought: i128 = house.trades(0, 0).map(|trade| trade.quote).sum();
        let (_, left) = house.balances(0).find(|(asset, _)| *asset == usdt).unwrap();
        assert_eq!(left, 10_000 * 100_000_000 - bought);
        assert_eq!(house.total(usdt), 10_000 * 100_000_000);
        house.advance(START + 120_000);
        let closed = house.take_frames();
        assert!(closed.iter().any(|f| matches!(f, Frame::Market(text) if text.contains("kline_1m"))));
    }

    #[test]
    fn an_order_that_meets_a_thinned_book_fills_by_half() {
        let mut house = open();
        for (place, (side, quantity)) in
            [("BUY", "0.02"), ("BUY", "0.00301"), ("SELL", "0.004")].into_iter().enumerate()
        {
            let at = START + i64::try_from(place).unwrap() * 60_000;
            let text = place_of(side, quantity, at, &format!("order-{place}"));
            let Receipt::Held(held) = house.receive(&text, at) else { panic!("let in") };
            assert!(house.thin_out(&held, at));
            let said = house.carry_out(*held, at);
            assert!(said.contains("\"status\":200") && said.contains("EXPIRED"), "{said}");
            let entry = house.orders(0).last().unwrap();
            let half = entry.quantity.mantissa() / 2 / 1_000 * 1_000; // whole lots
            assert_eq!((entry.executed.mantissa(), entry.is_open), (half, false));
        }
    }

    #[test]
    fn what_cannot_be_halved_or_takes_nothing_is_left_alone() {
        let mut house = open();
        let offers = |house: &InProcess| house.world.levels(0, Side::Sell, 50);
        let before = offers(&house);
        let text = place_of("BUY", "0.00001", START, "a");
        let Receipt::Held(held) = house.receive(&text, START) else { panic!("let in") };
        assert!(!house.thin_out(&held, START));
        let (low, quantity) = (Price::from_mantissa(5_000_000_000_000), Quantity::from_mantissa(100_000));
        assert!(!house.world.thin_out(0, Side::Buy, Some(low), quantity));
        assert_eq!(offers(&house), before);
        assert!(house.world.thin_out(0, Side::Buy, None, quantity));
        assert_eq!(offers(&house), [(before[0].0, Quantity::from_mantissa(50_000))]);
    }

    /// Roughly the mean spread in basis points, the mean move of a minute, and the deepest price as a part of the first one.
    #[allow(clippy::cast_precision_loss)]
    fn market(flow: crate::config::Flow) -> [f64; 3] {
        let symbols = vec![SymbolConfig::new("BTC/USDT", "0.01", "0.00001", 60_000.0, 0.05)];
        let start = Some(Timestamp::from_millis(START));
        let config = ExchangeConfig { symbols, start, history_bars: 0, flow, ..ExchangeConfig::default() };
        let mut house = InProcess::open(&config).unwrap();
        let (mut spreads, mut moves, mut last, mut lowest) = (0.0, 0.0, 60_000.0, 60_000.0_f64);
        for minute in 1..=30 {
            house.advance(START + minute * 60_000);
            let best = [Side::Buy, Side::Sell].map(|side| house.world.best(0, side));
            let [Some(bid), Some(ask)] = best else { continue };
            let best = [bid.0, ask.0].map(|price| price.mantissa() as f64 / 1e8);
            let middle = f64::midpoint(best[0], best[1]);
            spreads += (best[1] - best[0]) / middle * 1e4 / 30.0;
            moves += (middle / last - 1.0_f64).abs() * 1e4 / 30.0;
            (last, lowest) = (middle, lowest.min(middle));
        }
        [spreads, moves, lowest / 60_000.0]
    }

    #[test]
    fn a_market_can_be_wider_wilder_and_fall() {
        use std::time::Duration;
        let minutes = |count: u64| Duration::from_secs(60 * count);
        let flow =
            crate::config::Flow { step: Duration::from_secs(1), levels: 5, seconds: false, ..Default::default() };
        let crash = crate::config::Crash {
            first: minutes(5),
            every: minutes(60),
            depth_bps: 1_500,
            fall: minutes(3),
            back: minutes(6),
        };
        let [spread, moves, lowest] = market(flow);
        assert!(lowest > 0.97, "{lowest}");
        let [wide, ..] = market(crate::config::Flow { spread: 5, ..flow });
        assert!(wide > 3.0 * spread, "{wide} against {spread}");
        let [_, wild, _] = market(crate::config::Flow { volatility: 4, ..flow });
        assert!(wild > 2.0 * moves, "{wild} against {moves}");
        let [.., fallen] = market(crate::config::Flow { crash: Some(crash), ..flow });
        assert!((0.80..0.90).contains(&fallen), "{fallen}");
    }

    #[test]
    fn queries_lag_where_they_are_told_to() {
        let mut house = open();
        let Receipt::Held(held) = house.receive(&place(START, "a"), START) else { panic!("let in") };
        house.carry_out(*held, START);
        assert_eq!(query(&mut house, "a", START + 10).status, 200);
        house.lag_orders(Some(START));
        let lagging = query(&mut house, "a", START + 20);
        assert!(lagging.body.contains("-2013"), "{lagging:?}");
        house.lag_orders(None);
        assert_eq!(query(&mut house, "a", START + 30).status, 200);
    }
}
