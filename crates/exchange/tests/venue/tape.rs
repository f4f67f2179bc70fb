use crate::common::{Venue, config};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tradewind_book::{BarEvent, BarMatcher, FillPolicy};
use tradewind_domain::{
    Bar, ClientOrderId, InstrumentId, InstrumentSpec, Interval, Order, OrderRequest, PortfolioId, Price, Quantity,
    Side, Timestamp, Trade, TradeId,
};
use tradewind_exchange::{Exchange, ExchangeConfig, Pace, SymbolConfig, Tape, TapeSource};

const LOCKSTEP: Pace = Pace::Lockstep { timeout: Duration::from_secs(20) };

fn spec() -> InstrumentSpec {
    InstrumentSpec {
        tick: Price::from_mantissa(1_000_000),
        lot: Quantity::from_mantissa(1_000),
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance")
    }
}

/// Bars that rise, fall and gap.
fn bars(count: i64) -> Vec<Bar> {
    let price = |value: i64| Price::from_mantissa(value * 100_000_000);
    (0..count)
        .map(|at| {
            let open = 1_000 + (at * 37) % 90;
            let close = 1_000 + (at * 53) % 80;
            Bar {
                instrument: InstrumentId(0),
                interval: Interval::MINUTE,
                open_time: Timestamp::from_millis(1_750_000_020_000 + at * 60_000),
                open: price(open),
                high: price(open.max(close) + 7),
                low: price(open.min(close) - 9),
                close: price(close),
                volume: Quantity::from_mantissa(12_345_678_900),
            }
        })
        .collect()
}

async fn step(venue: &Venue, through: Option<i64>) -> Value {
    let url = format!("{}/tradewind/v1/step", venue.handle.url());
    let body = through.map_or_else(String::new, |through| json!({"through": through}).to_string());
    let reply = venue.http.post(url).body(body).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    serde_json::from_str(&reply.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn orders_fill_at_the_next_open_exactly_as_in_the_back_test() {
    let bars = bars(40);
    let tape = Tape::bars(&spec(), &bars, 10).unwrap();
    let fills = tape.fills;
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace: LOCKSTEP, ..config() }).await;
    let warm_up = venue.get("/api/v3/klines", "symbol=BTCUSDT&interval=1m").await;
    assert_eq!(warm_up.header("x-tradewind-origin"), Some("recorded"));
    assert_eq!(warm_up.json().as_array().unwrap().len(), 11, "ten of history, and the one that grows");
    let mut candles = venue.socket("/ws/btcusdt@kline_1m").await;

    // the same decisions, put to the back-test's matcher
    let instrument = spec().list(InstrumentId(0)).unwrap();
    let mut matcher = BarMatcher::new(instrument.clone(), fills);
    let (mut wanted, mut events) = (Vec::new(), Vec::new());
    for (at, bar) in bars.iter().enumerate().skip(10) {
        let played = step(&venue, None).await;
        assert_eq!(played["played"], true);
        matcher.on_bar(bar, &mut events);
        let closed = candles.until(|event| event["k"]["x"] == true).await;
        assert_eq!(closed["k"]["t"].as_i64().unwrap(), bar.open_time.millis());
        for (name, price) in [("o", bar.open), ("h", bar.high), ("l", bar.low), ("c", bar.close)] {
            let text = format!("{}.00000000", price.mantissa() / 100_000_000);
            assert_eq!(closed["k"][name], text, "{name} of bar {at}");
        }
        assert_eq!(closed["k"]["v"], "123.45678900");
        if at % 3 != 0 {
            continue;
        }
        let side = if at % 2 == 0 { Side::Buy } else { Side::Sell };
        let (word, limit) = (if side == Side::Buy { "BUY" } else { "SELL" }, at % 4 == 0);
        let price = Price::from_mantissa(bar.close.mantissa() - side.sign() * 500_000_000);
        let text = format!("{}", price.mantissa() / 100_000_000);
        let mut pairs = vec![("symbol", "BTCUSDT"), ("side", word), ("quantity", "0.1")];
        let quantity = Quantity::from_mantissa(10_000_000);
        let request = if limit {
            pairs.extend([("type", "LIMIT"), ("timeInForce", "GTC"), ("price", text.as_str())]);
            OrderRequest::limit(InstrumentId(0), side, quantity, price)
        } else {
            pairs.push(("type", "MARKET"));
            OrderRequest::market(InstrumentId(0), side, quantity)
        };
        let placed = venue.alice("POST", "/api/v3/order", &pairs).await;
        assert_eq!(placed.json()["status"], "NEW", "{}", placed.text);
        let name = ClientOrderId::from_u128(at as u128);
        matcher.submit(&Order::new(&instrument, PortfolioId(0), name, request, None).unwrap(), bar.close_time());
    }
    for event in &events {
        if let BarEvent::Fill { side, price, quantity, at, .. } = event {
            wanted.push((*side == Side::Buy, price.mantissa(), quantity.mantissa(), at.millis()));
        }
    }
    let mine = venue.alice("GET", "/api/v3/myTrades", &[("symbol", "BTCUSDT")]).await.json();
    let number = |value: &Value| tradewind_domain::parse_decimal(value.as_str().unwrap(), 8).unwrap();
    let got: Vec<_> = mine
        .as_array()
        .unwrap()
        .iter()
        .map(|trade| {
            let buy = trade["isBuyer"].as_bool().unwrap();
            (buy, number(&trade["price"]), number(&trade["qty"]), trade["time"].as_i64().unwrap())
        })
        .collect();
    assert!(wanted.len() >= 6, "{wanted:?}");
    assert_eq!(got, wanted);
    // the end of the tape
    let end = step(&venue, None).await;
    assert_eq!((&end["played"], &end["done"]), (&json!(false), &json!(true)));
    assert_eq!((&end["through"], &end["fills"]), (&json!(bars[39].close_time().millis()), &json!(got.len())));
    tokio::time::timeout(Duration::from_secs(5), venue.handle.done()).await.unwrap();
    venue.handle.shutdown().await;
}

/// Buys 20 coins after the first bar that is played, and tells price and quantity of each fill in the two bars after it.
async fn bought_on(tape: Tape) -> Vec<(i64, i64)> {
    let fills = serde_json::to_value(tape.fills).unwrap();
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace: LOCKSTEP, ..config() }).await;
    let status = venue.get("/tradewind/v1/status", "").await.json();
    assert_eq!(status["fill_policy"], fills, "what is assumed is said");
    step(&venue, None).await;
    let market = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "20")];
    assert_eq!(venue.alice("POST", "/api/v3/order", &market).await.json()["status"], "NEW");
    step(&venue, None).await;
    step(&venue, None).await;
    let mine = venue.alice("GET", "/api/v3/myTrades", &[("symbol", "BTCUSDT")]).await.json();
    venue.handle.shutdown().await;
    let number = |value: &Value| tradewind_domain::parse_decimal(value.as_str().unwrap(), 8).unwrap();
    mine.as_array().unwrap().iter().map(|trade| (number(&trade["price"]), number(&trade["qty"]))).collect()
}

/// The bars open at 1,047 and 1,084 with 123.456789 coins each.
#[tokio::test]
async fn a_market_order_slips_and_takes_a_tenth_of_a_bar_unless_the_tape_says_otherwise() {
    let tape = Tape::bars(&spec(), &bars(20), 10).unwrap();
    assert_eq!(tape.fills, FillPolicy::assumed(true));
    let free = Tape { fills: FillPolicy::default(), ..tape.clone() };
    let half = FillPolicy { half_spread_centi_bps: 100, ..FillPolicy::default() };
    let wide = Tape { fills: half, ..tape.clone() };
    let slipped = [(104_721_000_000, 1_234_567_000), (108_422_000_000, 765_433_000)];
    assert_eq!(bought_on(tape).await, slipped, "two basis points, and the rest a bar later");
    assert_eq!(bought_on(free).await, [(104_700_000_000, 2_000_000_000)]);
    assert_eq!(bought_on(wide).await, [(104_711_000_000, 2_000_000_000)], "a basis point for half the spread");
}

/// Bars at 1,000 of which the 11th reaches from `low` to `high`.
fn one_wide(low: i64, high: i64) -> Vec<Bar> {
    let price = |value: i64| Price::from_mantissa(value * 100_000_000);
    let wide = |at: usize, value: i64| if at == 10 { price(value) } else { price(1_000) };
    let flat = |(at, bar): (usize, Bar)| Bar {
        open: price(1_000),
        high: wide(at, high),
        low: wide(at, low),
        close: price(1_000),
        ..bar
    };
    bars(12).into_iter().enumerate().map(flat).collect()
}

#[tokio::test]
async fn a_pair_that_buys_spends_what_was_set_aside_for_both_whichever_trades() {
    for (low, high, wanted) in [(890, 1_010, ["FILLED", "EXPIRED"]), (990, 1_110, ["EXPIRED", "FILLED"])] {
        let tape = Tape::bars(&spec(), &one_wide(low, high), 10).unwrap();
        let tape = Tape { fills: FillPolicy::default(), ..tape };
        let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace: LOCKSTEP, ..config() }).await;
        // at most 990,000 of the 1,000,000 that there are
        let pair = [
            ("symbol", "BTCUSDT"),
            ("side", "BUY"),
            ("quantity", "900"),
            ("aboveType", "STOP_LOSS"),
            ("aboveStopPrice", "1100"),
            ("belowType", "LIMIT_MAKER"),
            ("belowPrice", "900"),
        ];
        let placed = venue.alice("POST", "/api/v3/orderList/oco", &pair).await;
        assert_eq!(placed.status, 200, "{}", placed.text);
        step(&venue, None).await;
        let all = venue.alice("GET", "/api/v3/allOrders", &[("symbol", "BTCUSDT")]).await.json();
        let all = all.as_array().unwrap();
        assert_eq!(all.iter().map(|it| it["status"].as_str().unwrap()).collect::<Vec<_>>(), wanted, "{all:?}");
        let filled = all.iter().find(|it| it["status"] == "FILLED").unwrap();
        assert_eq!(filled["executedQty"], "900.00000000");
        let account = venue.alice("GET", "/api/v3/account", &[]).await.json();
        let usdt = account["balances"].as_array().unwrap().iter().find(|it| it["asset"] == "USDT").unwrap().clone();
        let left = if wanted[0] == "FILLED" { "190000.00000000" } else { "10000.00000000" };
        assert_eq!((&usdt["free"], &usdt["locked"]), (&json!(left), &json!("0.00000000")));
        venue.handle.shutdown().await;
    }
}

#[tokio::test]
async fn a_trade_too_large_to_be_played_is_refused_by_its_size() {
    let trade = |coins: i64| Trade {
        instrument: InstrumentId(0),
        price: Price::from_mantissa(1_000),
        quantity: Quantity::from_mantissa(coins * 100_000_000),
        aggressor: Side::Buy,
        id: TradeId(1),
    };
    for (coins, is_played) in [(40_000_000_000, true), (50_000_000_000, false)] {
        let symbol = || "PEPE/USDT".parse().unwrap();
        let trades = vec![(Timestamp::from_millis(1_750_000_020_000), trade(coins))];
        let tape = Tape { source: TapeSource::Trades(trades), ..Tape::trades_file("unread", symbol()) };
        let symbols = vec![SymbolConfig::new("PEPE/USDT", "0.00000001", "1", 0.0, 0.0)];
        match Exchange::start(ExchangeConfig { tape: Some(tape), symbols, ..config() }).await {
            Ok(handle) => {
                assert!(is_played, "{coins}");
                handle.shutdown().await;
            }
            Err(error) => {
                assert!(!is_played, "{coins}: {error}");
                assert!(error.to_string().contains("a trade of 50000000000 at 0.00001"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_file_without_volumes_caps_no_fill() {
    let file = std::env::temp_dir().join(format!("tradewind-bars-{}.csv", std::process::id()));
    let row = |minute: i64| format!("{},1000,1010,990,1000\n", 1_750_000_020 + minute * 60);
    let rows: String = (0..20).map(row).collect();
    std::fs::write(&file, format!("time,open,high,low,close\n{rows}")).unwrap();
    let tape = Tape::bars_file(&file, "BTC/USDT".parse().unwrap(), 10);
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace: LOCKSTEP, ..config() }).await;
    std::fs::remove_file(&file).unwrap();
    let status = venue.get("/tradewind/v1/status", "").await.json();
    assert_eq!(status["fill_policy"], serde_json::to_value(FillPolicy::assumed(false)).unwrap());
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn a_step_about_an_older_bar_does_nothing() {
    let bars = bars(20);
    let tape = Tape::bars(&spec(), &bars, 10).unwrap();
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace: LOCKSTEP, ..config() }).await;
    let first = step(&venue, Some(bars[9].close_time().millis())).await;
    assert_eq!(first["through"], bars[10].close_time().millis());
    let again = step(&venue, Some(bars[9].close_time().millis())).await;
    assert_eq!((again["played"].as_bool(), &again["through"]), (Some(false), &first["through"]));
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn the_book_at_a_close_is_told_before_its_candle() {
    let bars = bars(20);
    let tape = Tape::bars(&spec(), &bars, 10).unwrap();
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace: LOCKSTEP, ..config() }).await;
    let mut market = venue.socket("/stream?streams=btcusdt@bookTicker/btcusdt@kline_1m").await;
    let number = |value: &Value| tradewind_domain::parse_decimal(value.as_str().unwrap(), 8).unwrap();
    for bar in &bars[10..] {
        step(&venue, None).await;
        let mut best = Value::Null;
        loop {
            let event = market.json().await;
            if event["data"]["k"]["x"] == true {
                break;
            }
            if event["stream"] == "btcusdt@bookTicker" {
                best = event["data"].clone();
            }
        }
        let (close, tick) = (bar.close.mantissa(), 1_000_000);
        assert_eq!([number(&best["b"]), number(&best["a"])], [close - tick, close + tick]);
    }
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn a_tape_plays_by_the_clock_to_its_end() {
    let tape = Tape::bars(&spec(), &bars(30), 10).unwrap();
    let pace = Pace::Realtime { speed: 3_000.0 };
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace, ..config() }).await;
    let market = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.5")];
    assert_eq!(venue.alice("POST", "/api/v3/order", &market).await.status, 200);
    tokio::time::timeout(Duration::from_secs(10), venue.handle.done()).await.unwrap();
    let status = venue.get("/tradewind/v1/status", "").await.json();
    assert_eq!((&status["tape"]["played"], &status["fills"]), (&json!(20), &json!(1)));
    assert_eq!(venue.get("/api/v3/klines", "symbol=BTCUSDT&interval=5m").await.json().as_array().unwrap().len(), 7);
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn an_unreadable_or_short_tape_is_refused_with_a_code() {
    use tradewind_domain::Coded as _;
    let missing = Tape::bars_file("/nowhere/bars.csv", "BTC/USDT".parse().unwrap(), 0);
    let short = Tape::bars(&spec(), &bars(5), 5).unwrap();
    for (tape, code, text) in [(missing, "EXC-03", "/nowhere/bars.csv"), (short, "EXC-04", "5 rows")] {
        let error = Exchange::start(ExchangeConfig { tape: Some(tape), ..config() }).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(text) && !error.hint().is_empty(), "{error}");
    }
    let error = Exchange::start(ExchangeConfig { pace: LOCKSTEP, ..config() }).await.unwrap_err();
    assert_eq!(error.code(), "EXC-05");
}

#[tokio::test]
async fn a_tape_that_contradicts_itself_is_refused_by_the_code_of_its_first_error() {
    let dir = std::env::temp_dir();
    let file = |name: &str, text: &str| {
        let path = dir.join(format!("tradewind-{name}-{}.csv", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    };
    let row = |minute: i64| {
        let high = if minute == 15 { 980 } else { 1_010 };
        format!("{},1000,{high},990,1000,5\n", 1_750_000_020 + minute * 60)
    };
    let rows: String = (0..20).map(row).collect();
    let bars = file("hl", &format!("time,open,high,low,close,volume\n{rows}"));
    let row = |at: i64| format!("{},{at},buy,{},2\n", 1_704_067_200_000 + at, if at == 50 { "-1" } else { "10.5" });
    let rows: String = (1..100).map(row).collect();
    let trades = file("below-zero", &format!("time,id,side,price,quantity\n{rows}"));
    let symbol = || "BTC/USDT".parse().unwrap();
    for (tape, said) in
        [(Tape::bars_file(&bars, symbol(), 10), "HIS-16 "), (Tape::trades_file(&trades, symbol()), "HIS-18 ")]
    {
        let error = Exchange::start(ExchangeConfig { tape: Some(tape), ..config() }).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    [bars, trades].iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

fn recordings() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    std::env::var_os("TRADEWIND_RECORDINGS").map_or_else(|| PathBuf::from(default), PathBuf::from)
}

fn recording(test: &str, path: &str) -> Option<PathBuf> {
    let file = recordings().join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", file.display());
    eprintln!("no recordings: {test}");
    None
}

#[tokio::test]
async fn recorded_bars_of_bitcoin_play_back_as_they_were() {
    let name = "recorded_bars_of_bitcoin_play_back_as_they_were";
    let Some(file) = recording(name, "ohlcv/crypto/binance-spot-1m/BTC_USDT-1m.feather") else { return };
    let mut tape = Tape::bars_file(file, "BTC/USDT".parse().unwrap(), 600);
    tape.limit = Some(50);
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), pace: LOCKSTEP, ..config() }).await;
    let history = venue.get("/api/v3/klines", "symbol=BTCUSDT&interval=1m&limit=1000").await.json();
    assert_eq!(history.as_array().unwrap().len(), 601, "the last one grows");
    while step(&venue, None).await["done"] == false {}
    let all = venue.get("/api/v3/klines", "symbol=BTCUSDT&interval=1m&limit=1000").await.json();
    assert_eq!(all.as_array().unwrap().len(), 651);
    assert_eq!(all[0][0], 1_747_699_200_000_i64, "2025-05-20T00:00Z");
    venue.handle.shutdown().await;
}

#[tokio::test]
async fn recorded_trades_play_back_with_their_prices() {
    let name = "recorded_trades_play_back_with_their_prices";
    let Some(file) = recording(name, "ticks/nautilus/binance-btcusdt-trades.parquet") else { return };
    let tape = Tape::trades_file(file, "BTC/USDT".parse().unwrap());
    let symbols = vec![SymbolConfig::new("BTC/USDT", "0.01", "0.000001", 0.0, 0.0)];
    let pace = Pace::Realtime { speed: 100.0 };
    let venue = Venue::start(ExchangeConfig { tape: Some(tape), symbols, pace, ..config() }).await;
    let market = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.01")];
    tokio::time::sleep(Duration::from_millis(100)).await;
    let bought = venue.alice("POST", "/api/v3/order", &market).await.json();
    assert_eq!(bought["status"], "FILLED", "{bought}");
    tokio::time::timeout(Duration::from_secs(10), venue.handle.done()).await.unwrap();
    let status = venue.get("/tradewind/v1/status", "").await.json();
    assert_eq!((&status["origin"], &status["tape"]["played"]), (&json!("recorded"), &status["tape"]["total"]));
    venue.handle.shutdown().await;
}
