use super::*;
use crate::config::{AccountConfig, SymbolConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use tradewind_domain::{Currency, Price, Quantity, Side, Timestamp, format_decimal};

const START: i64 = 1_700_000_000_000;

fn open() -> InProcess {
    open_with(&[("USDT", "10000")])
}

fn open_with(balances: &[(&str, &str)]) -> InProcess {
    let config = ExchangeConfig {
        symbols: vec![SymbolConfig::new("BTC/USDT", "0.01", "0.00001", 60_000.0, 0.05)],
        accounts: vec![AccountConfig::hmac("key", "secret", balances)],
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
    order(&format!(
        "apiKey=key&newClientOrderId={name}&quantity={quantity}&recvWindow=2000&side={side}&symbol=BTCUSDT&timestamp={at}&type=MARKET"
    ))
}

/// A limit order as a frame, with what to do where it would meet an order of its own account.
fn limit(side: &str, quantity: &str, price: &str, mode: &str, name: &str) -> String {
    order(&format!(
        "apiKey=key&newClientOrderId={name}&price={price}&quantity={quantity}&recvWindow=2000&\
         selfTradePreventionMode={mode}&side={side}&symbol=BTCUSDT&timeInForce=GTC&timestamp={START}&type=LIMIT"
    ))
}

/// A frame that places an order with these parameters, which stand in alphabetical order.
fn order(params: &str) -> String {
    let signature = sign(params);
    let mut map: serde_json::Map<String, Value> =
        params.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), json!(v))).collect();
    map.insert("signature".to_owned(), json!(signature));
    json!({"id": 1, "method": "order.place", "params": map}).to_string()
}

/// Sends a frame that reaches the matching engine at once; gives back the answer.
fn send(house: &mut InProcess, text: &str) -> Value {
    let said = match house.receive(text, START) {
        Receipt::Answered(said) => said,
        Receipt::Held(held) => house.carry_out(*held, START),
    };
    serde_json::from_str(&said).unwrap()
}

/// A price at which nobody rests: a step below the best offer, and above the best bid.
fn inside(house: &InProcess) -> String {
    let [bid, ask] = [Side::Buy, Side::Sell].map(|side| house.world.best(0, side).unwrap().0.mantissa());
    let price = ask - 1_000_000;
    assert!(price > bid);
    format_decimal(price.into(), 8)
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
    for (place, (side, quantity)) in [("BUY", "0.02"), ("BUY", "0.00301"), ("SELL", "0.004")].into_iter().enumerate() {
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
    assert!(!house.world.thin_out(0, Side::Buy, Some(low), quantity, 50));
    assert_eq!(offers(&house), before);
    assert!(house.world.thin_out(0, Side::Buy, None, quantity, 50));
    assert_eq!(offers(&house), [(before[0].0, Quantity::from_mantissa(50_000))]);
}

#[test]
fn what_waits_for_its_trigger_or_only_rests_keeps_the_book_as_it_is() {
    let mut house = open();
    let offers = |house: &InProcess| house.world.levels(0, Side::Sell, 50);
    let before = offers(&house);
    for (kind, force, stop) in [
        ("STOP_LOSS_LIMIT", "&timeInForce=GTC", "&stopPrice=70000"),
        ("LIMIT_MAKER", "", ""),
        ("LIMIT", "&timeInForce=GTC", ""),
    ] {
        let price = "newClientOrderId=a&price=70000&quantity=0.02&recvWindow=2000&side=BUY";
        let text = order(&format!("apiKey=key&{price}{stop}&symbol=BTCUSDT{force}&timestamp={START}&type={kind}"));
        let Receipt::Held(held) = house.receive(&text, START) else { panic!("{kind} is let in") };
        let takes = kind == "LIMIT";
        assert_eq!(house.thin_out(&held, START), takes, "{kind}");
        assert_eq!(offers(&house) != before, takes, "{kind}");
    }
}

#[test]
fn of_two_own_orders_that_would_meet_all_that_is_left_expires_as_the_incoming_one_says() {
    for (mode, stays) in
        [("EXPIRE_TAKER", [true, false]), ("EXPIRE_MAKER", [false, true]), ("EXPIRE_BOTH", [false, false])]
    {
        for (rests, comes) in [("SELL", "BUY"), ("BUY", "SELL")] {
            for quantities in [["0.001", "0.002"], ["0.002", "0.001"], ["0.001", "0.001"]] {
                let case = format!("{mode}, {comes} {quantities:?}");
                let mut house = open_with(&[("USDT", "10000"), ("BTC", "1")]);
                let price = inside(&house);
                for (side, quantity, mode, name) in
                    [(rests, quantities[0], "NONE", "maker"), (comes, quantities[1], mode, "taker")]
                {
                    let said = send(&mut house, &limit(side, quantity, &price, mode, name));
                    assert_eq!(said["status"], 200, "{case}: {said}");
                }
                let frames = house.take_frames();
                for (name, stays) in ["maker", "taker"].into_iter().zip(stays) {
                    let order: Value = serde_json::from_str(&query(&mut house, name, START).body).unwrap();
                    assert_eq!(order["status"], if stays { "NEW" } else { "EXPIRED_IN_MATCH" }, "{case}: {order}");
                    assert_eq!(order["executedQty"], "0.00000000", "{case}: {order}");
                    let of_it = format!("\"c\":\"{name}\"");
                    let is_end = |text: &str| text.contains("\"x\":\"TRADE_PREVENTION\"") && text.contains(&of_it);
                    let told = frames.iter().any(|frame| matches!(frame, Frame::User(0, text) if is_end(text)));
                    assert_eq!(told, !stays, "{case}: {name}");
                }
                assert_eq!(house.trades(0, 0).count(), 0, "{case}");
            }
        }
    }
}

#[test]
fn a_way_of_prevention_that_the_symbol_does_not_list_is_refused_and_nothing_is_written_down() {
    let mut house = open();
    let price = inside(&house);
    let (path, query) = ("/api/v3/exchangeInfo", "symbol=BTCUSDT");
    let info = house.ask(&RestRequest { method: "GET", path, query, body: "", key: None }, START);
    let info: Value = serde_json::from_str(&info.body).unwrap();
    let listed = info["symbols"][0]["allowedSelfTradePreventionModes"].as_array().unwrap();
    for mode in ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"] {
        let said = send(&mut house, &limit("BUY", "0.001", &price, mode, mode));
        assert_eq!(said["status"] == 200, listed.contains(&json!(mode)), "{mode}: {said}");
        if mode == "TRANSFER" {
            assert_eq!(said["error"]["code"], -1013, "the venue knows it: {said}");
        }
    }
    assert!(listed.contains(&json!("DECREMENT")), "{listed:?}");
    let known: Vec<Value> = house.orders(0).map(|it| json!(it.client_id)).collect();
    assert_eq!(&known, listed);
}

#[test]
fn what_cancel_replace_places_counts_though_nothing_was_there_to_cancel() {
    let mut house = open();
    let [bid, ask] = [Side::Buy, Side::Sell].map(|side| house.world.best(0, side).unwrap().0.mantissa());
    assert!(bid < ask);
    let price = format_decimal((bid - 100_000_000).into(), 8);
    for (quantity, code, counted) in [("0.001", -2021, 1), ("0.00000001", -2022, 1), ("0.001", -2021, 2)] {
        let params = format!(
            "apiKey=key&cancelOrderId=999999&cancelReplaceMode=ALLOW_FAILURE&price={price}&quantity={quantity}&\
             recvWindow=2000&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp={START}&type=LIMIT"
        );
        let said = send(&mut house, &order(&params).replace("order.place", "order.cancelReplace"));
        assert_eq!(said["error"]["code"], code, "{said}");
        let account = crate::world::ledger::FIRST_CUSTOMER;
        assert_eq!(house.counters.orders_of(account, START).in_10s, counted, "{said}");
    }
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
    let flow = crate::config::Flow { step: Duration::from_secs(1), levels: 5, seconds: false, ..Default::default() };
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
